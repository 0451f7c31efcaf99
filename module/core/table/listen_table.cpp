// SPDX-License-Identifier: GPL-2.0
//
// Listeners by port. Chains work as in ehash.cpp. A choice among equals is made by rendezvous
// hashing (each candidate's rank is a mix of the tuple's keyed hash and the candidate's number,
// the highest wins): a listener that comes or goes moves only the peers that are or were its own.
#include "table/listen_table.h"

namespace atcp {

ListenNode* ListenTable::ByAge::below(uint64_t id) const {
  if (id == 0) return node_of(last_);
  TreapNode* found = nullptr;
  for (TreapNode* at = root_; at != nullptr;) {
    if (node_of(at)->id < id) {
      found = at;
      at = at->right;
    } else {
      at = at->left;
    }
  }
  return node_of(found);
}

bool ListenTable::init(const SipKey& key) {
  buckets_ = static_cast<Bucket*>(atcp_os_table_alloc(kBuckets * sizeof(Bucket)));
  locks_ = atcp_os_locks_alloc(kBuckets, ATCP_LOCK_LISTEN);
  if (buckets_ == nullptr || locks_ == nullptr) {
    fini();
    return false;
  }
  key_ = key;
  size_ = 0;
  for (uint32_t b = 0; b < kBuckets; b++)
    buckets_[b].head = chain_end(b);
  return true;
}

void ListenTable::fini() {
  if (buckets_ != nullptr) atcp_os_table_free(buckets_);
  if (locks_ != nullptr) atcp_os_locks_free(locks_);
  buckets_ = nullptr;
  locks_ = nullptr;
}

uint32_t ListenTable::size() const {
  return load_relaxed(&size_);
}

void ListenTable::insert(ListenNode& n) {
  const uint32_t b = bucket_of(n.lport);
  atcp_os_lock(locks_, b);
  Bucket& bucket = buckets_[b];
  // Under the lock: chain and tree have the same order.
  n.id = ++bucket.last_id;
  bucket.by_age.link_after(&n.by_age, bucket.by_age.last());
  store_release(&n.next, bucket.head);
  store_release(&n.hashed, uint8_t{1});
  store_release(&bucket.head, reinterpret_cast<uintptr>(&n));
  atcp_os_unlock(locks_, b);
  add_fetch(&size_, 1u);
}

bool ListenTable::remove(ListenNode& n) {
  const uint32_t b = bucket_of(n.lport);
  atcp_os_lock(locks_, b);
  const bool was = n.hashed != 0;
  if (was) {
    Bucket& bucket = buckets_[b];
    ListenNode* newer = node_of(TreapBase::next(&n.by_age));
    store_release(newer != nullptr ? &newer->next : &bucket.head, n.next);
    bucket.by_age.unlink(&n.by_age);
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
