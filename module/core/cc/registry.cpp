// SPDX-License-Identifier: GPL-2.0
//
// The list of congestion controls and searching in it. To add one: write cc/<name>.{h,cpp} and put a
// row into kAll. The default comes first; nothing else depends on the order.
#include "cc/registry.h"

#include "cc/cubic.h"
#include "cc/dctcp.h"
#include "cc/reno.h"

namespace atcp {

namespace {

constexpr uint32_t kMaxName = 15;  // TCP_CA_NAME_MAX of Linux, less the NUL

constexpr const CcOps* kAll[] = {
    &kCubic,
    &kReno,
    &kDctcp,
};

bool equal(const char* a, const char* b) {
  for (; *a == *b; a++, b++) {
    if (*a == '\0') return true;
  }
  return false;
}

}  // namespace

uint32_t cc_count() {
  return array_len(kAll);
}

const CcOps& cc_get(uint32_t i) {
  return *kAll[i];
}

int32_t cc_find(const char* name) {
  if (name == nullptr) return -1;
  for (uint32_t i = 0; i < array_len(kAll); i++) {
    if (equal(kAll[i]->name, name)) return static_cast<int32_t>(i);
  }
  return -1;
}

uint32_t cc_default() {
  return 0;
}

bool cc_valid(const CcOps& ops) {
  uint32_t n = 0;

  if (ops.name == nullptr || ops.init == nullptr || ops.ssthresh == nullptr ||
      ops.on_ack == nullptr)
    return false;
  while (n <= kMaxName && ops.name[n] != '\0')
    n++;
  return n > 0 && n <= kMaxName;
}

}  // namespace atcp
