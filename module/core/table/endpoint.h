// SPDX-License-Identifier: GPL-2.0
//
// The prefix that a connection, a request and a TIME_WAIT entry share: what the established
// table needs to find them. Nothing here knows which of the three an entry is, except for how a
// reference to it is taken.
//
// An entry that can speak IPv6 has room for both addresses in 32 bytes behind its own structure; one that only speaks
// IPv4 is not longer by a byte. What kind of socket there is (has it the room?) and what an entry speaks (its
// `family`) are two things: a socket of AF_INET6 with an IPv4 (mapped) peer is an IPv4 entry.
#ifndef ATCP_TABLE_ENDPOINT_H
#define ATCP_TABLE_ENDPOINT_H

#include "abi/atcp_core.h"
#include "base/atomic.h"
#include "base/types.h"

namespace atcp {

enum class EntryKind : uint8_t {
  Conn = ATCP_FOUND_CONN,
  Request = ATCP_FOUND_REQUEST,
  TimeWait = ATCP_FOUND_TIMEWAIT,
  Listener = ATCP_FOUND_LISTENER,
};

/// Invariant: every field but `next` and `refs` is constant while the entry is hashed, so
/// readers without a lock may compare them. Freed only after an RCU grace period.
struct Endpoint {
  uintptr next;    ///< chain; an odd value ends it and names the bucket. Bucket lock to write
  uint32_t hash;   ///< keyed hash of the tuple
  uint32_t refs;   ///< Request and TimeWait; a Conn is counted by its socket
  uint32_t laddr;  ///< network order; of an IPv6 address the first four bytes
  uint32_t raddr;  ///< the same
  uint16_t lport;  ///< network order
  uint16_t rport;  ///< network order
  EntryKind kind;
  uint8_t hashed;    ///< in the table; bucket lock
  uint8_t family;    ///< ATCP_AF_INET, or, if there is room, ATCP_AF_INET6
  uint8_t v6_words;  ///< where the room begins, in words from here; 0: there is none. For life
};
static_assert(sizeof(Endpoint) == 32);

inline constexpr uint32_t kV6Words = 4;
inline constexpr uint32_t kV6Bytes = kV6Words * sizeof(uint64_t);

/// The room: the local address, then the peer's.
inline uint64_t* v6_room(Endpoint& e) {
  return reinterpret_cast<uint64_t*>(&e) + e.v6_words;
}
inline const uint64_t* v6_room(const Endpoint& e) {
  return reinterpret_cast<const uint64_t*>(&e) + e.v6_words;
}
/// May it get a tuple of this family?
inline bool has_room(const Endpoint& e, uint16_t family) {
  return family == ATCP_AF_INET || (family == ATCP_AF_INET6 && e.v6_words != 0);
}

inline bool same_v6(const Endpoint& e, const atcp_tuple& t) {
  const uint64_t* w = v6_room(e);
  uint64_t want[kV6Words];
  memcpy(want, t.laddr.v6, sizeof(t.laddr.v6));
  memcpy(want + kV6Words / 2, t.raddr.v6, sizeof(t.raddr.v6));
  return load_relaxed(&w[0]) == want[0] && load_relaxed(&w[1]) == want[1] &&
         load_relaxed(&w[2]) == want[2] && load_relaxed(&w[3]) == want[3];
}

/// Without a lock: the entry may be changing meanwhile.
inline bool same_tuple(const Endpoint& e, const atcp_tuple& t) {
  return load_relaxed(&e.laddr) == t.laddr.v4 && load_relaxed(&e.raddr) == t.raddr.v4 &&
         load_relaxed(&e.lport) == t.lport && load_relaxed(&e.rport) == t.rport &&
         load_relaxed(&e.family) == t.family && (t.family != ATCP_AF_INET6 || same_v6(e, t));
}

/// e has room for it, and is not hashed; but readers may still stand on it.
inline void set_tuple(Endpoint& e, const atcp_tuple& t) {
  store_relaxed(&e.laddr, t.laddr.v4);
  store_relaxed(&e.raddr, t.raddr.v4);
  store_relaxed(&e.lport, t.lport);
  store_relaxed(&e.rport, t.rport);
  store_relaxed(&e.family, static_cast<uint8_t>(t.family));
  if (t.family != ATCP_AF_INET6) return;
  uint64_t now[kV6Words];
  memcpy(now, t.laddr.v6, sizeof(t.laddr.v6));
  memcpy(now + kV6Words / 2, t.raddr.v6, sizeof(t.raddr.v6));
  for (uint32_t i = 0; i < kV6Words; i++)
    store_relaxed(&v6_room(e)[i], now[i]);
}

inline atcp_tuple tuple_of(const Endpoint& e) {
  atcp_tuple t = {};
  t.lport = load_relaxed(&e.lport);
  t.rport = load_relaxed(&e.rport);
  t.family = load_relaxed(&e.family);
  if (t.family != ATCP_AF_INET6) {
    t.laddr.v4 = load_relaxed(&e.laddr);
    t.raddr.v4 = load_relaxed(&e.raddr);
    return t;
  }
  uint64_t is[kV6Words];
  for (uint32_t i = 0; i < kV6Words; i++)
    is[i] = load_relaxed(&v6_room(e)[i]);
  memcpy(t.laddr.v6, is, sizeof(t.laddr.v6));
  memcpy(t.raddr.v6, is + kV6Words / 2, sizeof(t.raddr.v6));
  return t;
}

}  // namespace atcp

#endif  // ATCP_TABLE_ENDPOINT_H
