// SPDX-License-Identifier: GPL-2.0
//
// The prefix that a connection, a request and a TIME_WAIT entry share: what the established
// table needs to find them. Nothing here knows which of the three an entry is, except for how a
// reference to it is taken.
//
// An entry that can speak IPv6 has room for both addresses, and the link of the peer's, in 40 bytes behind its own structure; one
// that only speaks IPv4 is not longer by a byte. What kind of socket there is (has it the room?) and what an entry speaks (its
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

inline constexpr uint32_t kV6AddressWords = 2;              ///< of one address
inline constexpr uint32_t kV6LinkAt = 2 * kV6AddressWords;  ///< the word of the link
inline constexpr uint32_t kV6Words = kV6LinkAt + 1;
inline constexpr uint32_t kV6Bytes = kV6Words * sizeof(uint64_t);

/// The room: the local address, then the peer's, then its link.
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

/// A tuple's words as they stand in the room.
struct V6Words {
  uint64_t w[kV6Words];
  explicit V6Words(const atcp_tuple& t) {
    memcpy(w, t.laddr.v6, sizeof(t.laddr.v6));
    memcpy(w + kV6AddressWords, t.raddr.v6, sizeof(t.raddr.v6));
    w[kV6LinkAt] = t.link;
  }
};

inline bool same_v6(const Endpoint& e, const atcp_tuple& t) {
  const uint64_t* w = v6_room(e);
  const V6Words want(t);
  return load_relaxed(&w[0]) == want.w[0] && load_relaxed(&w[1]) == want.w[1] &&
         load_relaxed(&w[2]) == want.w[2] && load_relaxed(&w[3]) == want.w[3] &&
         load_relaxed(&w[kV6LinkAt]) == want.w[kV6LinkAt];
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
  const V6Words now(t);
  for (uint32_t i = 0; i < kV6Words; i++)
    store_relaxed(&v6_room(e)[i], now.w[i]);
}

/// Without a lock: of one that is changing meanwhile it may be no tuple that it ever had.
atcp_tuple tuple_of(const Endpoint& e);

}  // namespace atcp

#endif  // ATCP_TABLE_ENDPOINT_H
