// SPDX-License-Identifier: GPL-2.0
//
// Migration within a SO_REUSEPORT group. A request is constant for its lockless readers, so it is not
// given another listener but replaced by a copy, in one step of the established table; whoever loses
// that race does nothing. Connections change queues, one at a time, under one accept lock at a time.
#include "listen/migrate.h"

namespace atcp {

namespace {

bool same_group(const Tcb& a, const Tcb& b) {
  const uint8_t both = load_relaxed(&a.bind.flags) & load_relaxed(&b.bind.flags);
  return (both & ATCP_BIND_REUSEPORT) != 0 && a.bind.uid == b.bind.uid &&
         a.listener->node.laddr == b.listener->node.laddr &&
         a.listener->node.v6only == b.listener->node.v6only &&
         a.listener->node.v6_socket == b.listener->node.v6_socket &&
         a.listener->node.lport == b.listener->node.lport &&
         atcp_os_conn_same_path(a.conn(), b.conn());
}

/// Whom of the group a connection with this tuple would find now, were those that are full not there;
/// referenced. nullptr: nobody; if only because all are full, that is counted.
template <class Full>
Tcb* find_heir(Ns& ns, const Tcb& from, const atcp_tuple& tuple, Full full) {
  if (from.param(Param::MigrateReq) == 0) return nullptr;
  if ((load_relaxed(&from.bind.flags) & ATCP_BIND_REUSEPORT) == 0) return nullptr;
  bool passed_over = false;
  const ListenNode* n = ns.listeners.lookup(tuple, [&](const ListenNode& node) {
    const Tcb& heir = *tcb_of(node.conn);
    if (!same_group(from, heir)) return false;
    const bool fits = !full(*heir.listener);
    passed_over |= !fits;
    return fits;
  });
  if (n != nullptr) return tcb_of(n->conn);
  if (passed_over) {
    ns.count(Counter::TCPMigrateReqFailure);
    ns.reason(ATCP_REASON_MIGRATE_FULL);
  }
  return nullptr;
}

bool requests_full(const Listener& l) {
  return load_relaxed(&l.requests) > load_relaxed(&l.backlog);
}

/// The books of both sides.
void enter(Ns& ns, const Tcb& from, const Tcb& heir) {
  from.listener->ledger.add(LedgerItem::MigratedOut);
  heir.listener->ledger.add(LedgerItem::MigratedIn);
  ns.count(Counter::TCPMigrateReqSuccess);
}

/// One try. False: the heir closed, or filled up, meanwhile; there may be another.
bool hand_over(Ns& ns, const Tcb& from, Tcb& heir, Tcb& child, Now now) {
  Listener& to = *heir.listener;
  if (!listener_reserve(to)) return false;
  if (!listener_enqueue(to, child, now)) {
    listener_unreserve(to);
    return false;
  }
  enter(ns, from, heir);
  atcp_os_conn_event(heir.conn(), ATCP_EV_READABLE);
  return true;
}

}  // namespace

bool migrate_request(Ns& ns, Request& r, Now now) {
  const Tcb& from = *tcb_of(r.listener);
  Tcb* heir = find_heir(ns, from, tuple_of(r), requests_full);
  if (heir == nullptr) return false;
  Request* copy = request_copy(r, *heir);  // has our reference to the heir now
  if (copy == nullptr) {
    atcp_os_conn_put(heir->conn());
    ns.count(Counter::TCPMigrateReqFailure);
    return false;
  }
  // If the wheel has just let go of it, the copy comes due at once and does what is due.
  const uint64_t due_ns = now.ns + Wheel::left_ns(r.wheel, now.ns);
  if (!ns.ehash.replace(r, *copy)) {
    request_discard(ns, *copy);
    return true;
  }
  request_settle(ns, r);
  arm_entry(ns, *copy, due_ns, now.ns);  // ends with a full fence
  enter(ns, from, *heir);
  // As in request_start: the heir may have closed, and passed this bucket, before the copy was there.
  if (load_acquire(&heir->listener->closed) != 0) request_remove(ns, *copy);
  put_endpoint(*copy);
  return true;
}

bool migrate_child(Ns& ns, const Tcb& from, Tcb& child, Now now) {
  // A listener that has closed is not found again, nor is one that is full; so this ends.
  while (Tcb* heir = find_heir(ns, from, tuple_of(child), listener_accept_full)) {
    const bool done = hand_over(ns, from, *heir, child, now);
    atcp_os_conn_put(heir->conn());
    if (done) return true;
  }
  return false;
}

void migrate_cookies(const Tcb& from) {
  const uint32_t sent_s = load_relaxed(&from.listener->cookie_s);
  if (sent_s == 0 || from.param(Param::MigrateReq) == 0) return;
  const ListenTable& table = from.ns->listeners;
  const uint32_t bucket = ListenTable::bucket_of(from.listener->node.lport);
  for (uint64_t below = 0;; atcp_os_cond_resched()) {
    below = table.walk_bucket(bucket, below, [&](ListenNode& n) {
      const Tcb& heir = *tcb_of(n.conn);
      uint32_t& own_s = heir.listener->cookie_s;
      if (same_group(from, heir) && load_relaxed(&own_s) < sent_s) store_relaxed(&own_s, sent_s);
    });
    if (below == 0) return;
  }
}

void migrate_children(Tcb& from, Now now) {
  constexpr uint32_t kPerTurn = 64;
  Listener& l = *from.listener;
  // Closed: nobody else adds or takes. What comes back goes to the end.
  for (uint32_t n = load_relaxed(&l.queued); n > 0;) {
    atcp_os_rcu_lock();
    for (uint32_t i = 0; i < kPerTurn && n > 0; i++, n--) {
      Tcb& child = *listener_take(l, now);
      if (migrate_child(*from.ns, from, child, now))
        listener_unreserve(l);
      else
        listener_put_back(l, child, now);
    }
    atcp_os_rcu_unlock();
    atcp_os_cond_resched();
  }
}

}  // namespace atcp
