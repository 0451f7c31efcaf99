// SPDX-License-Identifier: GPL-2.0
//
// Local ports of one namespace: who is bound to which, whether one more may join, and the choice
// of a free port (for bind(0) at random, for connect by RFC 6056's double-hash selection). What
// the kernel's own TCP holds is not known here; the port of the glue asks there.
#ifndef ATCP_TABLE_PORT_TABLE_H
#define ATCP_TABLE_PORT_TABLE_H

#include "base/atomic.h"
#include "base/ip.h"
#include "base/siphash.h"
#include "base/types.h"

namespace atcp {

struct BindBucket;
struct BindGroup;

/// A socket's hold on a port: as a member of its bucket, or, for a child of a listener, as one more in a
/// group of children. Port lock. Invariant: bucket == nullptr <=> not bound.
struct BindNode {
  union {
    BindNode* next;    ///< member
    BindGroup* group;  ///< child; the owner's alone
  };
  BindNode** pprev;    ///< member
  BindBucket* bucket;  ///< of a listener: read by whoever makes its children, under RCU
  uint32_t laddr;      ///< IPv4, network order, 0: any
  uint32_t uid;        ///< for SO_REUSEPORT
  uint16_t port;       ///< network order
  uint8_t flags;       ///< ATCP_BIND_*
  uint8_t listening;
  uint8_t connect_only;  ///< chosen by connect(): shares its port with other such sockets
  uint8_t counted;       ///< a child, in `group`
  uint8_t family;        ///< of the address: ATCP_AF_INET6, else IPv4
  uint8_t
      v6_words;  ///< words from here to the room for an IPv6 address; 0: there is none. For life
};
static_assert(sizeof(BindNode) == 40);

/// The address that n is bound to.
inline IpAddr addr_of(const BindNode& n) {
  if (load_relaxed(&n.family) != ATCP_AF_INET6) return load_relaxed(&n.laddr);
  const uint64_t* room = reinterpret_cast<const uint64_t*>(&n) + n.v6_words;
  IpAddr a;
  a.family = ATCP_AF_INET6;
  a.w[0] = load_relaxed(&room[0]);
  a.w[1] = load_relaxed(&room[1]);
  return a;
}

class PortTable {
 public:
  bool init(const SipKey& key);
  void fini();

  /// As atcp_core_bind. Rules of Linux: n conflicts with a member whose local address overlaps
  /// (equal, or one is any; IPv6's any overlaps with IPv4 unless it is V6ONLY), unless both have REUSEADDR and that member does not listen, or both
  /// have REUSEPORT and the same uid. A port that is chosen here conflicts with nobody even
  /// without these exceptions. INVALID: one is to be chosen and lo > hi, or n has no room for the address. Lock: conn of n.
  atcp_err bind(BindNode& n, const IpAddr& laddr, uint16_t* port, uint32_t flags, uint32_t uid,
                uint16_t lo, uint16_t hi);
  /// Hold parent's port (a child of a listener) with its flags, on address laddr; if that is any: on
  /// parent's. Takes no lock but for the first child with this address: children are only
  /// counted, by address and flags, which is all that the rules of bind() ask of them.
  /// INVALID: parent is not bound any more; NO_MEMORY. Context: softirq.
  atcp_err inherit(BindNode& child, const BindNode& parent, const IpAddr& laddr);
  void unbind(BindNode& n);
  /// n is about to listen: conflicts are looked at again, for a member may have begun to listen
  /// since n was bound beside it. ADDR_IN_USE: it may not.
  atcp_err set_listening(BindNode& n);
  void clear_listening(BindNode& n);
  /// Ports that somebody has. Lock: none.
  uint32_t in_use() const { return load_relaxed(&in_use_); }

  /// Choose a port of [lo, hi] for connecting t (lport is ignored) by RFC 6056 3.3.4: starting
  /// from a keyed hash of the three other parts plus a counter, skip ports for which
  /// maybe_free(port in network order), a cheap look without locks, says false, and those that an explicit
  /// bind holds for an overlapping address, and call try_port(port) until it returns true. n is
  /// then bound, connect_only. False: each port was looked at once and none is left, or no memory.
  /// Context: process, may give up the CPU in between.
  template <class MaybeFree, class TryPort>
  bool connect(BindNode& n, const atcp_tuple& t, uint16_t lo, uint16_t hi, MaybeFree maybe_free,
               TryPort try_port);

 private:
  static constexpr uint32_t kBuckets = 1024;
  static constexpr uint32_t kCounters = 256;
  struct Choice {
    uint32_t offset;
    uint32_t* counter;
  };
  static constexpr uint32_t kLooksPerTurn = 256;
  Choice choice(const atcp_tuple& t) const;
  BindGroup* enter_group(const BindNode& parent, const IpAddr& laddr, atcp_err* err);
  void leave_group(BindGroup& g, uint32_t at);
  BindBucket* find_or_make(uint32_t at, uint16_t port);
  void free_if_unused(BindBucket& bucket, uint32_t at);
  /// Bind n to port as connect_only if allowed.
  bool take_for_connect(BindNode& n, const IpAddr& laddr, uint16_t port);

  BindBucket** heads_ = nullptr;
  atcp_locks* locks_ = nullptr;
  uint32_t* counters_ = nullptr;
  uint32_t in_use_ = 0;  ///< atomic; buckets
  SipKey key_ = {};
};

template <class MaybeFree, class TryPort>
bool PortTable::connect(BindNode& n, const atcp_tuple& t, uint16_t lo, uint16_t hi,
                        MaybeFree maybe_free, TryPort try_port) {
  if (lo > hi) return false;
  const uint32_t range = static_cast<uint32_t>(hi - lo) + 1;
  const Choice c = choice(t);
  const IpAddr laddr(t.family, t.laddr);
  // The counter moves once before and once after: with every step of two programs that search at the same
  // time it would let each pass over what the other looked at.
  const uint32_t first = c.offset + __atomic_fetch_add(c.counter, 1u, __ATOMIC_RELAXED);
  for (uint32_t i = 0; i < range; i++) {
    if (i % kLooksPerTurn == kLooksPerTurn - 1) atcp_os_cond_resched();
    const uint16_t port = to_be16(static_cast<uint16_t>(lo + (first + i) % range));
    if (!maybe_free(port)) continue;
    if (!take_for_connect(n, laddr, port)) continue;
    if (try_port(port)) {
      __atomic_fetch_add(c.counter, i, __ATOMIC_RELAXED);
      return true;
    }
    unbind(n);
  }
  return false;
}

}  // namespace atcp

#endif  // ATCP_TABLE_PORT_TABLE_H
