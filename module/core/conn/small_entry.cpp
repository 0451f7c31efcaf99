// SPDX-License-Identifier: GPL-2.0
//
// References and deadlines of small entries, and the one race between them: an entry may leave
// the table while somebody is putting it on the wheel.
#include "conn/small_entry.h"

namespace atcp {

void put_endpoint(Endpoint& e) {
  if (!endpoint_put(e)) return;
  auto& s = static_cast<SmallEntry&>(e);
  const bool request = e.kind == EntryKind::Request;
  atcp_os_free_rcu(&s, &s.rcu, request ? ATCP_MEM_REQUEST : ATCP_MEM_TIMEWAIT);
}

void disarm_entry(Ns& ns, SmallEntry& e) {
  // Out of the table first, then the look at the wheel: see arm_entry.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (ns.wheel.remove(e.wheel)) put_endpoint(e);
}

void arm_entry(Ns& ns, SmallEntry& e, uint64_t deadline_ns, uint64_t now_ns) {
  endpoint_get(e);
  if (!ns.wheel.add(e.wheel, deadline_ns, now_ns))
    put_endpoint(e);  // the wheel had its reference already
  // Whoever took the entry out of the table meanwhile may have found the wheel without it. Of
  // "table, then wheel" there and "wheel, then table" here, one sees the other.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (!e.is_hashed()) disarm_entry(ns, e);
}

}  // namespace atcp
