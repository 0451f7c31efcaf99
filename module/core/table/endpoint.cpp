// SPDX-License-Identifier: GPL-2.0
//
// What an entry is of, and references to entries of the established table: the one thing that differs between the kinds.
// A connection is counted by the socket around it, the small ones by their own field. What
// happens when the last reference goes is the business of whoever made the entry.
#include "table/endpoint.h"

#include "base/atomic.h"
#include "table/ehash.h"

namespace atcp {
namespace {

/// A connection's Endpoint is the first thing in its storage.
atcp_conn* conn_of(Endpoint& e) {
  return reinterpret_cast<atcp_conn*>(&e);
}

bool counted_by_socket(const Endpoint& e) {
  return e.kind == EntryKind::Conn || e.kind == EntryKind::Listener;
}

}  // namespace

atcp_tuple tuple_of(const Endpoint& e) {
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
  memcpy(t.raddr.v6, is + kV6AddressWords, sizeof(t.raddr.v6));
  t.link = static_cast<uint32_t>(is[kV6LinkAt]);
  return t;
}

bool endpoint_tryget(Endpoint& e) {
  return counted_by_socket(e) ? atcp_os_conn_tryget(conn_of(e)) : inc_not_zero(&e.refs);
}

void endpoint_get(Endpoint& e) {
  if (counted_by_socket(e))
    (void)atcp_os_conn_tryget(conn_of(e));  // cannot fail: the caller has one
  else
    add_fetch(&e.refs, 1u);
}

bool endpoint_put(Endpoint& e) {
  if (counted_by_socket(e)) {
    atcp_os_conn_put(conn_of(e));
    return false;
  }
  return sub_fetch(&e.refs, 1u) == 0;
}

}  // namespace atcp
