// SPDX-License-Identifier: GPL-2.0
//
// Local ports of one namespace: who is bound to which, whether one more may join, and the choice
// of a free port (for bind(0) at random, for connect by RFC 6056's double-hash selection). What
// the kernel's own TCP holds is not known here; the port of the glue asks there.
#ifndef ATCP_TABLE_PORT_TABLE_H
#define ATCP_TABLE_PORT_TABLE_H

#include "base/siphash.h"
#include "base/types.h"

namespace atcp {

struct BindBucket;

/// A socket's membership in a bucket. Port lock. Invariant: bucket == nullptr <=> not bound.
struct BindNode {
  BindNode* next;
  BindNode** pprev;
  BindBucket* bucket;
  uint32_t laddr;  ///< network order, 0: any
  uint32_t uid;    ///< for SO_REUSEPORT
  uint16_t port;   ///< network order
  uint8_t flags;   ///< ATCP_BIND_*
  uint8_t listening;
  uint8_t connect_only;  ///< chosen by connect(): shares its port with other such sockets
};

class PortTable {
 public:
  bool init(const SipKey& key);
  void fini();

  /// As atcp_core_bind. Rules of Linux: n conflicts with a member whose local address overlaps
  /// (equal, or one is any), unless both have REUSEADDR and that member does not listen, or both
  /// have REUSEPORT and the same uid. A port that is chosen here conflicts with nobody even
  /// without these exceptions. Lock: conn of n.
  atcp_err bind(BindNode& n, uint32_t laddr, uint16_t* port, uint32_t flags, uint32_t uid,
                uint16_t lo, uint16_t hi);
  /// Join parent's bucket (a child of a listener) with its flags; child.laddr is kept if set,
  /// else it is parent's. False: parent is not bound any more.
  bool inherit(BindNode& child, const BindNode& parent);
  void unbind(BindNode& n);
  /// n is about to listen: conflicts are looked at again, for a member may have begun to listen
  /// since n was bound beside it. ADDR_IN_USE: it may not.
  atcp_err set_listening(BindNode& n);
  void clear_listening(BindNode& n);

  /// Choose a port of [lo, hi] for connecting t (lport is ignored) by RFC 6056 3.3.4: starting
  /// from a keyed hash of the three other parts plus a counter, skip ports that an explicit
  /// bind holds for an overlapping address, and call try_port(port in network order) until it
  /// returns true. n is then bound, connect_only. False: none left, or no memory.
  template <class F>
  bool connect(BindNode& n, const atcp_tuple& t, uint16_t lo, uint16_t hi, F try_port);

 private:
  static constexpr uint32_t kBuckets = 1024;
  static constexpr uint32_t kCounters = 256;
  struct Choice {
    uint32_t offset;
    uint32_t* counter;
  };
  Choice choice(const atcp_tuple& t) const;
  /// Bind n to port as connect_only if allowed.
  bool take_for_connect(BindNode& n, uint32_t laddr, uint16_t port);

  BindBucket** heads_ = nullptr;
  atcp_locks* locks_ = nullptr;
  uint32_t* counters_ = nullptr;
  SipKey key_ = {};
};

template <class F>
bool PortTable::connect(BindNode& n, const atcp_tuple& t, uint16_t lo, uint16_t hi, F try_port) {
  const uint32_t range = static_cast<uint32_t>(hi - lo) + 1;
  const Choice c = choice(t);
  for (uint32_t i = 0; i < range; i++) {
    const uint32_t step = __atomic_fetch_add(c.counter, 1, __ATOMIC_RELAXED);
    const uint16_t port = to_be16(static_cast<uint16_t>(lo + (c.offset + step) % range));
    if (!take_for_connect(n, t.laddr.v4, port)) continue;
    if (try_port(port)) return true;
    unbind(n);
  }
  return false;
}

}  // namespace atcp

#endif  // ATCP_TABLE_PORT_TABLE_H
