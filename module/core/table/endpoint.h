// SPDX-License-Identifier: GPL-2.0
//
// The prefix that a connection, a request and a TIME_WAIT entry share: what the established
// table needs to find them. Nothing here knows which of the three an entry is, except for how a
// reference to it is taken.
#ifndef ATCP_TABLE_ENDPOINT_H
#define ATCP_TABLE_ENDPOINT_H

#include "abi/atcp_core.h"
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
  uint32_t laddr;  ///< network order
  uint32_t raddr;  ///< network order
  uint16_t lport;  ///< network order
  uint16_t rport;  ///< network order
  EntryKind kind;
  uint8_t hashed;   ///< in the table; bucket lock
  uint16_t family;  ///< ATCP_AF_INET
};
static_assert(sizeof(Endpoint) == 32);

inline bool same_tuple(const Endpoint& e, const atcp_tuple& t) {
  return e.laddr == t.laddr.v4 && e.raddr == t.raddr.v4 && e.lport == t.lport &&
         e.rport == t.rport && e.family == t.family;
}

inline void set_tuple(Endpoint& e, const atcp_tuple& t) {
  e.laddr = t.laddr.v4;
  e.raddr = t.raddr.v4;
  e.lport = t.lport;
  e.rport = t.rport;
  e.family = t.family;
}

inline atcp_tuple tuple_of(const Endpoint& e) {
  atcp_tuple t = {};
  t.laddr.v4 = e.laddr;
  t.raddr.v4 = e.raddr;
  t.lport = e.lport;
  t.rport = e.rport;
  t.family = e.family;
  return t;
}

}  // namespace atcp

#endif  // ATCP_TABLE_ENDPOINT_H
