// SPDX-License-Identifier: GPL-2.0
//
// Listeners by port. Chains work as in ehash.cpp. A choice among equals is made by rendezvous
// hashing (each candidate's rank is a mix of the tuple's keyed hash and the candidate's number,
// the highest wins): a listener that comes or goes moves only the peers that are or were its own.
#include "table/listen_table.h"

#include "base/atomic.h"

namespace atcp {
namespace {

constexpr uintptr chain_end(uint32_t bucket) {
  return (static_cast<uintptr>(bucket) << 1) | 1;
}

constexpr bool is_end(uintptr v) {
  return (v & 1) != 0;
}

ListenNode* node_at(uintptr v) {
  return reinterpret_cast<ListenNode*>(v);
}

constexpr uint32_t bucket_of(uint16_t lport) {
  return (lport ^ (lport >> 8)) & (ListenTable::kBuckets - 1);
}

constexpr uint64_t rank(uint64_t tuple_hash, uint32_t id) {
  uint64_t x = tuple_hash ^ (id * 0x9e3779b97f4a7c15ull);
  x ^= x >> 31;
  x *= 0x94d049bb133111ebull;
  return x ^ (x >> 29);
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
  const uint32_t b = bucket_of(t.lport);
again:
  ListenNode* best = nullptr;
  bool best_exact = false;
  bool hashed_tuple = false;
  uint64_t tuple_hash = 0;
  uintptr v = load_acquire(&heads_[b]);
  for (; !is_end(v); v = load_acquire(&node_at(v)->next)) {
    ListenNode& n = *node_at(v);
    if (n.lport != t.lport || (n.laddr != 0 && n.laddr != t.laddr.v4)) continue;
    const bool exact = n.laddr != 0;
    if (best == nullptr || (exact && !best_exact)) {
      best = &n;
      best_exact = exact;
    } else if (exact == best_exact) {
      if (!hashed_tuple) {
        tuple_hash = siphash13_tuple(key_, t);
        hashed_tuple = true;
      }
      if (rank(tuple_hash, n.id) > rank(tuple_hash, best->id)) best = &n;
    }
  }
  if (v != chain_end(b)) goto again;
  if (best == nullptr) return nullptr;
  if (!atcp_os_conn_tryget(best->conn)) {
    // It closed meanwhile; there may be others. One that is still here has broken the rule in
    // the header, and asking again would not end.
    if (load_acquire(&best->hashed) == 0) goto again;
    return nullptr;
  }
  return best;
}

}  // namespace atcp
