// SPDX-License-Identifier: GPL-2.0
//
// The tables of congestion controls. To add one of ours: a file that defines its CcOps, a declaration in its header, a
// row in kOurs. The default comes first; nothing else depends on the order.
#include "cc/registry.h"

#include "base/atomic.h"
#include "cc/bbr.h"
#include "cc/cubic.h"
#include "cc/dctcp.h"
#include "cc/reno.h"

namespace atcp {

namespace {

constexpr uint32_t kMaxMore = 1024;

constexpr const CcOps* kOurs[] = {
    &kCubic,
    &kReno,
    &kDctcp,
    &kBbr,
};
constexpr uint32_t kOurCount = array_len(kOurs);

/// Of other modules. The name stays when they go.
struct Slot {
  char name[ATCP_CC_NAME_MAX + 1];
  const CcOps* ops;
};
Slot theirs[kMaxCc - kOurCount];
uint32_t their_count;

bool equal(const char* a, const char* b) {
  for (; *a == *b; a++, b++) {
    if (*a == '\0') return true;
  }
  return false;
}

/// Its slot, or the next free one; nullptr: there is none.
Slot* slot_for(const char* name) {
  for (uint32_t i = 0; i < their_count; i++) {
    if (equal(theirs[i].name, name)) return &theirs[i];
  }
  return their_count < array_len(theirs) ? &theirs[their_count] : nullptr;
}

}  // namespace

uint32_t cc_count() {
  return kOurCount + load_acquire(&their_count);
}

const CcOps* cc_get(uint32_t i) {
  return i < kOurCount ? kOurs[i] : load_acquire(&theirs[i - kOurCount].ops);
}

const char* cc_name(uint32_t i) {
  return i < kOurCount ? kOurs[i]->name : theirs[i - kOurCount].name;
}

int32_t cc_find(const char* name) {
  if (name == nullptr) return -1;
  const uint32_t n = cc_count();
  for (uint32_t i = 0; i < n; i++) {
    if (equal(cc_name(i), name)) return cc_get(i) != nullptr ? static_cast<int32_t>(i) : -1;
  }
  return -1;
}

const CcOps& cc_default() {
  return *kOurs[0];
}

bool cc_valid(const CcOps& ops) {
  uint32_t n = 0;

  if (ops.abi != ATCP_CC_ABI || ops.name == nullptr || ops.init == nullptr ||
      ops.ssthresh == nullptr || ops.more_bytes > kMaxMore ||
      (ops.on_ack == nullptr && ops.control == nullptr))
    return false;
  while (n <= ATCP_CC_NAME_MAX && ops.name[n] != '\0')
    n++;
  return n > 0 && n <= ATCP_CC_NAME_MAX;
}

atcp_err cc_add(const CcOps& ops) {
  if (!cc_valid(ops)) return ATCP_ERR_INVALID;
  if (cc_find(ops.name) >= 0) return ATCP_ERR_ADDR_IN_USE;
  Slot* s = slot_for(ops.name);
  if (s == nullptr) return ATCP_ERR_NO_MEMORY;
  if (s == &theirs[their_count]) {
    // In this order: who sees the count sees the name.
    for (uint32_t i = 0; (s->name[i] = ops.name[i]) != '\0'; i++)
      ;
    store_release(&their_count, their_count + 1);
  }
  store_release(&s->ops, &ops);
  return ATCP_OK;
}

bool cc_remove(const CcOps& ops) {
  for (uint32_t i = 0; i < their_count; i++) {
    if (theirs[i].ops != &ops) continue;
    store_release<const CcOps*>(&theirs[i].ops, nullptr);
    return true;
  }
  return false;
}

bool cc_hold(const CcOps& ops) {
  return ops.owner == nullptr || atcp_os_owner_get(ops.owner);
}

void cc_release(const CcOps& ops) {
  if (ops.owner != nullptr) atcp_os_owner_put(ops.owner);
}

}  // namespace atcp
