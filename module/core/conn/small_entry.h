// SPDX-License-Identifier: GPL-2.0
//
// What requests and TIME_WAIT entries have in common beside the Endpoint: a place on the
// namespace's wheel and counted references. The table holds one reference, the wheel another, whoever
// works on the entry a third. Nothing but memory depends on the last reference: what else an entry
// holds is given back when it leaves the table.
#ifndef ATCP_CONN_SMALL_ENTRY_H
#define ATCP_CONN_SMALL_ENTRY_H

#include "base/atomic.h"
#include "conn/ns.h"
#include "table/endpoint.h"

namespace atcp {

struct SmallEntry : Endpoint {
  /// The wheel's until the last reference is gone, RCU's from then on: readers without a
  /// reference look at neither.
  union {
    WheelNode wheel;
    atcp_rcu rcu;
  };

  bool is_hashed() const { return load_acquire(&hashed) != 0; }
};
static_assert(sizeof(SmallEntry) == sizeof(Endpoint) + sizeof(WheelNode));
static_assert(sizeof(WheelNode) >= sizeof(atcp_rcu));

/// Zeroed memory for an entry with this tuple, followed by its addresses if they are of IPv6. nullptr: none.
template <class Entry>
Entry* new_entry(const atcp_tuple& t, EntryKind kind, atcp_mem mem) {
  static_assert(sizeof(Entry) % sizeof(uint64_t) == 0);
  constexpr uint32_t kWords = sizeof(Entry) / sizeof(uint64_t);
  static_assert(kWords <= 0xff, "Endpoint::v6_words");
  const bool v6 = t.family == ATCP_AF_INET6;
  auto* e = static_cast<Entry*>(atcp_os_alloc(sizeof(Entry) + (v6 ? kV6Bytes : 0), mem));
  if (e == nullptr) return nullptr;
  e->kind = kind;
  e->v6_words = v6 ? static_cast<uint8_t>(kWords) : uint8_t{0};
  set_tuple(*e, t);
  return e;
}

/// The entry whose wheel node this is.
inline SmallEntry& small_entry_of(WheelNode& n) {
  return *reinterpret_cast<SmallEntry*>(reinterpret_cast<uint8_t*>(&n) - sizeof(Endpoint));
}

/// Drop a reference to an entry of whatever kind; the last one frees it (a connection is the port's to
/// free).
void put_endpoint(Endpoint& e);

/// Put the entry on the wheel, or move it. The caller has a reference of its own.
void arm_entry(Ns& ns, SmallEntry& e, uint64_t deadline_ns, uint64_t now_ns);
/// Take an entry that left the table off the wheel. The caller has a reference of its own.
void disarm_entry(Ns& ns, SmallEntry& e);

}  // namespace atcp

#endif  // ATCP_CONN_SMALL_ENTRY_H
