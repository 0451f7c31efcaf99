// SPDX-License-Identifier: GPL-2.0
//
// Listening sockets of one namespace by local port. Lookup is lockless under RCU and prefers, as Linux does, an
// exact local address to "any", and for an IPv4 peer a socket of AF_INET to one of AF_INET6, which has such peers
// as well if its address is "any" and it is not IPV6_V6ONLY; among equals (SO_REUSEPORT) a keyed hash of the tuple chooses,
// so that a peer's retransmitted SYN finds the same listener. For who walks over them there is, beside the chain of a
// bucket, a tree of the same nodes by age: it finds the place where a walk goes on, however many there are.
#ifndef ATCP_TABLE_LISTEN_TABLE_H
#define ATCP_TABLE_LISTEN_TABLE_H

#include "base/atomic.h"
#include "base/ip.h"
#include "base/siphash.h"
#include "base/treap.h"
#include "base/types.h"

namespace atcp {

/// Part of a listener. Listen lock to write; readers under RCU, so the memory outlives its
/// removal by a grace period, and it is removed before conn's last reference goes.
struct ListenNode {
  TreapNode by_age;  ///< listen lock
  uintptr next;      ///< chain, newest first; odd: the end, as in Ehash
  atcp_conn* conn;   ///< the listening socket; constant
  IpAddr laddr;
  uint64_t id;     ///< of this insertion, rising in each bucket; set by insert()
  uint16_t lport;  ///< network order
  uint8_t hashed;
  bool v6only;     ///< no IPv4 peers
  bool v6_socket;  ///< of AF_INET6, whatever address it is bound to
};

class ListenTable {
 public:
  bool init(const SipKey& key);
  void fini();
  void insert(ListenNode& n);
  bool remove(ListenNode& n);
  /// Its conn, referenced, or nullptr. Context: inside RCU.
  ListenNode* lookup(const atcp_tuple& t) const;
  /// The same among those for which fits(node) is true. fits is asked again if the table changes meanwhile.
  template <class Fits>
  ListenNode* lookup(const atcp_tuple& t, Fits fits) const;
  uint32_t size() const;
  static constexpr uint32_t kBuckets = 256;
  /// Most nodes that walk_bucket() looks at while it holds the lock.
  static constexpr uint32_t kLooks = 32;
  /// ids have no more bits than that: so many listen() calls on the ports of one bucket take millennia.
  static constexpr uint32_t kIdBits = 56;
  static constexpr uint32_t bucket_of(uint16_t lport) {
    return (lport ^ (lport >> 8)) & (kBuckets - 1);
  }
  /// f(node) for the next kLooks nodes of bucket b, newest first, whose ids are below that one (0: from the newest),
  /// under the bucket's lock. Returns the id below which to go on, or 0: there are no more. So whoever stays is seen once,
  /// whatever comes and goes between two calls. Takes O(log n) to find its place.
  template <class F>
  uint64_t walk_bucket(uint32_t b, uint64_t below, F f) const;

 private:
  static ListenNode* node_of(TreapNode* n) {
    return reinterpret_cast<ListenNode*>(n);  // its first member
  }
  /// Nodes by id.
  class ByAge : public TreapBase {
   public:
    /// The newest whose id is below that one; 0: the newest of all.
    ListenNode* below(uint64_t id) const;
  };
  struct Bucket {
    uintptr head;
    ByAge by_age;
    uint64_t last_id;
  };
  static constexpr uintptr chain_end(uint32_t bucket) {
    return (static_cast<uintptr>(bucket) << 1) | 1;
  }
  /// How well n, whose port is right, fits a tuple with this local address; 0: not at all.
  static uint32_t fit(const ListenNode& n, const IpAddr& laddr) {
    const bool v4 = laddr.family == ATCP_AF_INET;
    const bool any = n.laddr.any();
    if (n.laddr.family != laddr.family) return any && v4 && !n.v6only ? 1 : 0;
    if (!any && !(n.laddr == laddr)) return 0;
    return (any ? 1 : 3) + (v4 && !n.v6_socket ? 1 : 0);
  }
  static constexpr uint64_t rank(uint64_t tuple_hash, uint64_t id) {
    uint64_t x = tuple_hash ^ (id * 0x9e3779b97f4a7c15ull);
    x ^= x >> 31;
    x *= 0x94d049bb133111ebull;
    return x ^ (x >> 29);
  }

  Bucket* buckets_ = nullptr;
  atcp_locks* locks_ = nullptr;
  SipKey key_ = {};
  uint32_t size_ = 0;  ///< atomic
};

template <class F>
uint64_t ListenTable::walk_bucket(uint32_t b, uint64_t below, F f) const {
  atcp_os_lock(locks_, b);
  ListenNode* n = buckets_[b].by_age.below(below);
  uint64_t last = 0;
  for (uint32_t looks = 0; looks < kLooks && n != nullptr; looks++) {
    last = n->id;
    f(*n);
    n = node_of(TreapBase::prev(&n->by_age));
  }
  atcp_os_unlock(locks_, b);
  return n != nullptr ? last : 0;
}

template <class Fits>
ListenNode* ListenTable::lookup(const atcp_tuple& t, Fits fits) const {
  const uint32_t b = bucket_of(t.lport);
again:
  ListenNode* best = nullptr;
  uint32_t best_fit = 0;
  bool hashed_tuple = false;
  uint64_t tuple_hash = 0;
  const IpAddr laddr(t.family, t.laddr);
  uintptr v = load_acquire(&buckets_[b].head);
  for (; (v & 1) == 0; v = load_acquire(&reinterpret_cast<ListenNode*>(v)->next)) {
    ListenNode& n = *reinterpret_cast<ListenNode*>(v);
    if (n.lport != t.lport) continue;
    const uint32_t how = fit(n, laddr);
    if (how == 0 || how < best_fit || !fits(n)) continue;
    if (how > best_fit) {
      best = &n;
      best_fit = how;
    } else {
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

#endif  // ATCP_TABLE_LISTEN_TABLE_H
