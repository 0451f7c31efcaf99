// SPDX-License-Identifier: GPL-2.0
//
// Entries for those who only look: single numbers, TCP_INFO, a listener's queues and ledger, and the
// walk over the tables. The walk calls back without a lock held, on entries that it has references to.
#include "abi/atcp_core.h"

#include "cc/registry.h"
#include "conn/timewait.h"
#include "listen/listener.h"
#include "listen/request.h"

using namespace atcp;

namespace {

uint32_t to_us(uint64_t ns) {
  return static_cast<uint32_t>(min<uint64_t>(ns / 1000, 0xffffffffu));
}

void describe(Endpoint& e, uint64_t now_ns, atcp_entry_info* i) {
  *i = {};
  i->tuple = tuple_of(e);
  i->kind = static_cast<uint32_t>(e.kind);
  i->entry = &e;
  switch (e.kind) {
    case EntryKind::Conn:
    case EntryKind::Listener: {
      Tcb& t = *as_tcb(&e);
      i->state = static_cast<uint32_t>(t.state);
      i->conn = t.conn();
      break;
    }
    case EntryKind::Request: {
      const Request& r = *as_request(&e);
      i->state = static_cast<uint32_t>(State::SynReceived);
      i->expires_us = to_us(Wheel::left_ns(r.wheel, now_ns));
      i->retrans = load_relaxed(&r.retrans);
      i->conn = r.listener;
      break;
    }
    case EntryKind::TimeWait:
      i->state = static_cast<uint32_t>(State::TimeWait);
      i->expires_us = to_us(Wheel::left_ns(as_timewait(&e)->wheel, now_ns));
      break;
  }
}

/// A listener's place in the walk: its own tuple, without a peer.
void describe_listener(const ListenNode& n, atcp_entry_info* i) {
  *i = {};
  i->tuple.laddr = n.laddr.ip();
  i->tuple.lport = n.lport;
  i->tuple.family = n.laddr.family;
  i->kind = ATCP_FOUND_LISTENER;
  i->state = static_cast<uint32_t>(State::Listen);
  i->conn = n.conn;
}

template <class Show>
bool walk_entries(const Ehash& table, uint64_t* cursor, Show show) {
  while (*cursor != Ehash::kWalkEnd) {
    atcp_os_rcu_lock();
    uint64_t next = *cursor;
    const EhashBatch b = table.walk(&next, [](const Endpoint&) { return true; });
    bool go_on = true;
    for (uint32_t i = 0; i < b.n; i++) {
      if (go_on && !show(*b.entry[i])) {
        go_on = false;
        next = b.key[i];
      }
      put_endpoint(*b.entry[i]);
    }
    atcp_os_rcu_unlock();
    *cursor = next;
    if (!go_on) return false;
    atcp_os_cond_resched();
  }
  return true;
}

/// Some listeners of one bucket, referenced, with the ids that they had when they were found.
struct ListenerBatch {
  ListenNode* entry[ListenTable::kLooks];
  uint64_t id[ListenTable::kLooks];
  uint32_t n = 0;
};

/// A place in the walk over listeners: the bucket, and the id below which to go on in it, or 0 for all of it.
constexpr uint64_t place(uint32_t bucket, uint64_t below) {
  return static_cast<uint64_t>(bucket) << ListenTable::kIdBits | below;
}
static_assert(place(ListenTable::kBuckets - 1, 0) >> ListenTable::kIdBits ==
              ListenTable::kBuckets - 1);
constexpr uint64_t kListenersEnd = ~uint64_t{0};

template <class Show>
bool walk_listeners(const ListenTable& table, uint64_t* cursor, Show show) {
  while (*cursor != kListenersEnd) {
    const auto bucket = static_cast<uint32_t>(*cursor >> ListenTable::kIdBits);
    uint64_t below = *cursor & (place(1, 0) - 1);
    ListenerBatch b;
    atcp_os_rcu_lock();
    below = table.walk_bucket(bucket, below, [&](ListenNode& n) {
      if (!atcp_os_conn_tryget(n.conn)) return;
      b.id[b.n] = n.id;
      b.entry[b.n++] = &n;
    });
    bool go_on = true;
    for (uint32_t i = 0; i < b.n; i++) {
      if (go_on && !show(*b.entry[i])) {
        go_on = false;
        below = b.id[i] + 1;
      }
      atcp_os_conn_put(b.entry[i]->conn);
    }
    atcp_os_rcu_unlock();
    if (below != 0)
      *cursor = place(bucket, below);
    else
      *cursor = bucket + 1 < ListenTable::kBuckets ? place(bucket + 1, 0) : kListenersEnd;
    if (!go_on) return false;
    atcp_os_cond_resched();
  }
  return true;
}

}  // namespace

uint32_t atcp_core_conn_timers(const atcp_conn* c, atcp_timer_info* out, uint64_t now_ns) {
  return conn_timers(*tcb_of(c), out, Now(now_ns));
}

void atcp_core_conn_info(const atcp_conn* c, atcp_conn_info* out, uint64_t now_ns) {
  conn_info(*tcb_of(c), out, Now(now_ns));
}

uint32_t atcp_core_conn_unsent(const atcp_conn* c) {
  const Tcb& t = *tcb_of(c);
  const int32_t n = t.write_seq - t.snd_nxt;
  return n > 0 ? static_cast<uint32_t>(n) : 0;
}

uint32_t atcp_core_conn_unacked(const atcp_conn* c) {
  const Tcb& t = *tcb_of(c);
  // The SYN is no byte of the program's.
  if (!in(t.state, kSynchronized) || t.state == State::SynReceived) return 0;
  const int32_t n = t.write_seq - t.snd_una;
  return n > 0 ? static_cast<uint32_t>(n) : 0;
}

bool atcp_core_tx_below_lowat(const atcp_conn* c, bool waking) {
  const uint64_t unsent = atcp_core_conn_unsent(c);
  return unsent << (waking ? 1 : 0) < tcb_of(c)->param(Param::NotsentLowat);
}

uint32_t atcp_core_somaxconn(const atcp_conn* c) {
  return tcb_of(c)->param(Param::Somaxconn);
}

uint32_t atcp_core_accept_queue(const atcp_conn* c) {
  const Listener* l = tcb_of(c)->listener;
  return l != nullptr ? load_relaxed(&l->queued) : 0;
}

bool atcp_core_can_send(const atcp_conn* c) {
  const Tcb& t = *tcb_of(c);
  if (t.state == State::SynSent) return t.syn_held;
  return in(t.state, kSendStates) || (t.state == State::SynReceived && t.fastopen_of != nullptr);
}

void atcp_core_listener_info(const atcp_conn* c, atcp_listener_info* out, uint64_t now_ns) {
  *out = {};
  if (Listener* l = tcb_of(c)->listener) listener_info(*l, out, Now(now_ns));
}

bool atcp_core_listener_reason(const atcp_conn* c, uint32_t i, atcp_listener_reason* out) {
  const Listener* l = tcb_of(c)->listener;
  if (l == nullptr || i >= kLedgerReasons) return false;
  out->reason = kLedgerReason[i].reason;
  out->is_ack = kLedgerReason[i].what == Refused::Ack;
  out->count = l->ledger.refusals(i);
  return true;
}

bool atcp_core_walk(atcp_ns* handle, bool listeners, uint64_t* cursor, uint64_t now_ns,
                    bool (*cb)(void* arg, const atcp_entry_info* e), void* arg) {
  const Ns& ns = *reinterpret_cast<const Ns*>(handle);
  atcp_entry_info info;
  if (listeners)
    return walk_listeners(ns.listeners, cursor, [&](ListenNode& n) {
      describe_listener(n, &info);
      return cb(arg, &info);
    });
  return walk_entries(ns.ehash, cursor, [&](Endpoint& e) {
    describe(e, now_ns, &info);
    return cb(arg, &info);
  });
}

bool atcp_core_entry_remove(atcp_ns* handle, const atcp_entry_info* e) {
  Ns& ns = *reinterpret_cast<Ns*>(handle);
  auto* entry = static_cast<Endpoint*>(e->entry);
  bool removed = false;
  if (e->kind == ATCP_FOUND_REQUEST)
    removed = request_end(ns, *as_request(entry), ATCP_REASON_ABORT_BY_USER);
  else if (e->kind == ATCP_FOUND_TIMEWAIT)
    removed = timewait_remove(ns, *as_timewait(entry));
  if (removed) ns.reason(ATCP_REASON_ABORT_BY_USER);
  return removed;
}

void atcp_core_tables_info(const atcp_ns* handle, atcp_tables_info* out) {
  const Ns& ns = *reinterpret_cast<const Ns*>(handle);
  out->ehash_slots = ns.ehash.buckets();
  out->ehash_entries = ns.ehash.size();
  out->requests = load_relaxed(&ns.requests);
  out->timewaits = load_relaxed(&ns.timewaits);
  out->listeners = ns.listeners.size();
  out->ports = ns.ports.in_use();
}

bool atcp_core_cc_info(const atcp_ns* handle, uint32_t i, atcp_cc_info* out) {
  const Ns& ns = *reinterpret_cast<const Ns*>(handle);
  if (i >= cc_count()) return false;
  const CcOps* ops = cc_get(i);
  *out = {};
  if (ops == nullptr) return true;
  // A default whose module is gone stands for the engine's own.
  const uint32_t wanted = ns.param(Param::CongestionControl);
  out->name = ops->name;
  out->is_default = cc_get(wanted) != nullptr ? i == wanted : ops == &cc_default();
  out->restricted = (ops->flags & ATCP_CC_RESTRICTED) != 0;
  out->owner = ops->owner;
  return true;
}
