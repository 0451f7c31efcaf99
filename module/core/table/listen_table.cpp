// SPDX-License-Identifier: GPL-2.0
//
// Listeners by port. Chains work as in ehash.cpp. A choice among equals is made by rendezvous
// hashing (each candidate's rank is a mix of the tuple's keyed hash and the candidate's number,
// the highest wins): a listener that comes or goes moves only the peers that are or were its own.
#include "table/listen_table.h"

namespace atcp {
namespace {

ListenNode* node_at(uintptr v) {
  return reinterpret_cast<ListenNode*>(v);
}

}  // namespace

bool ListenTable::init(const SipKey& key) {
  heads_ = static_cast<uintptr*>(atcp_os_table_alloc(kBuckets * sizeof(uintptr)));
  locks_ = atcp_os_locks_alloc(kBuckets, ATCP_LOCK_LISTEN);
  if (heads_ == nullptr || locks_ == nullptr) {
    fini();
    return false;
  }
  key_ = key;
  size_ = 0;
  for (uint32_t b = 0; b < kBuckets; b++)
    heads_[b] = chain_end(b);
  return true;
}

void ListenTable::fini() {
  if (heads_ != nullptr) atcp_os_table_free(heads_);
  if (locks_ != nullptr) atcp_os_locks_free(locks_);
  heads_ = nullptr;
  locks_ = nullptr;
}

uint32_t ListenTable::size() const {
  return load_relaxed(&size_);
}

void ListenTable::insert(ListenNode& n) {
  const uint32_t b = bucket_of(n.lport);
  n.id = add_fetch(&next_id_, 1u);
  atcp_os_lock(locks_, b);
  store_release(&n.next, heads_[b]);
  store_release(&n.hashed, uint8_t{1});
  store_release(&heads_[b], reinterpret_cast<uintptr>(&n));
  atcp_os_unlock(locks_, b);
  add_fetch(&size_, 1u);
}

bool ListenTable::remove(ListenNode& n) {
  const uint32_t b = bucket_of(n.lport);
  atcp_os_lock(locks_, b);
  const bool was = n.hashed != 0;
  if (was) {
    uintptr* at = &heads_[b];
    while (*at != reinterpret_cast<uintptr>(&n))
      at = &node_at(*at)->next;
    store_release(at, n.next);
    store_release(&n.hashed, uint8_t{0});
  }
  atcp_os_unlock(locks_, b);
  if (was) sub_fetch(&size_, 1u);
  return was;
}

ListenNode* ListenTable::lookup(const atcp_tuple& t) const {
  return lookup(t, [](const ListenNode&) { return true; });
}

}  // namespace atcp
