// SPDX-License-Identifier: GPL-2.0
//
// The established table: connections, requests and TIME_WAIT entries of one namespace by their
// 4-tuple. Lookup takes no lock: it walks under RCU, takes a reference, compares the key again
// and starts anew if the chain it stood on was not the one it began with. Writers lock one of a
// power of two of bucket locks.
#ifndef ATCP_TABLE_EHASH_H
#define ATCP_TABLE_EHASH_H

#include "base/siphash.h"
#include "table/endpoint.h"

namespace atcp {

/// Take a reference unless the entry is being freed. Context: any, inside RCU.
bool endpoint_tryget(Endpoint& e);
/// Another reference, by somebody who has one.
void endpoint_get(Endpoint& e);
/// Drop a reference; true if it was the last one of a Request or TimeWait, which the caller
/// then frees (after RCU). A Conn frees itself.
bool endpoint_put(Endpoint& e);

class Ehash {
 public:
  /// buckets is rounded up to a power of two. False: no memory. Context: process.
  bool init(uint32_t buckets, const SipKey& key);
  void fini();

  uint32_t hash(const atcp_tuple& t) const;

  /// Referenced entry, or nullptr. Context: inside RCU.
  Endpoint* lookup(const atcp_tuple& t) const;

  /// Hash e (its tuple and kind are set; e.hash is set here) unless the tuple is taken; then
  /// false, and if `taken` is given it gets the other entry, referenced (or nullptr if it is
  /// on its way out).
  bool insert(Endpoint& e, Endpoint** taken = nullptr);
  /// Put fresh (same tuple) in the place of old, in one step for readers. False, and nothing
  /// done, if old is not hashed any more.
  bool replace(Endpoint& old, Endpoint& fresh);
  /// False if e was not hashed.
  bool remove(Endpoint& e);

  uint32_t size() const;  ///< entries, any kind; approximate while writers run
  uint32_t buckets() const { return mask_ + 1; }
  /// Call f(Endpoint&) -> bool for each entry of bucket b under its lock, from the skip-th on; stops
  /// when f returns false. Returns the number of entries for which f returned true.
  template <class F>
  uint32_t walk_bucket(uint32_t b, uint32_t skip, F f) const;

 private:
  uintptr* heads_ = nullptr;
  atcp_locks* locks_ = nullptr;
  uint32_t mask_ = 0;
  uint32_t lock_mask_ = 0;
  uint32_t size_ = 0;  ///< atomic
  SipKey key_ = {};

  void lock_bucket(uint32_t b) const { atcp_os_lock(locks_, b & lock_mask_); }
  void unlock_bucket(uint32_t b) const { atcp_os_unlock(locks_, b & lock_mask_); }
};

/// A chain's end: odd, so that it cannot be an entry's address, and naming the bucket.
constexpr bool is_chain_end(uintptr v) {
  return (v & 1) != 0;
}

template <class F>
uint32_t Ehash::walk_bucket(uint32_t b, uint32_t skip, F f) const {
  uint32_t done = 0;
  uint32_t at = 0;
  lock_bucket(b);
  for (uintptr v = heads_[b]; !is_chain_end(v);) {
    auto* e = reinterpret_cast<Endpoint*>(v);
    v = e->next;
    if (at++ < skip) continue;
    if (!f(*e)) break;
    done++;
  }
  unlock_bucket(b);
  return done;
}

}  // namespace atcp

#endif  // ATCP_TABLE_EHASH_H
