// SPDX-License-Identifier: GPL-2.0
//
// Entries for those who only look: single numbers, TCP_INFO, a listener's queues and ledger, and the
// walk over the tables. The walk calls back without a lock held, on entries that it has references to.
#include "abi/atcp_core.h"

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
  i->tuple.laddr.v4 = n.laddr;
  i->tuple.lport = n.lport;
  i->tuple.family = ATCP_AF_INET;
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

/// Listeners of one bucket from an index on, referenced, with the indices they have.
struct ListenerBatch {
  static constexpr uint32_t kRoom = 16;
  ListenNode* entry[kRoom];
  uint32_t index[kRoom];
  uint32_t n = 0;
  uint32_t next = 0;  ///< index after the last one looked at
};

ListenerBatch collect(const ListenTable& table, uint32_t bucket, uint32_t from) {
  ListenerBatch b;
  b.next = from;
  table.walk_bucket(bucket, from, [&](ListenNode& n) {
    if (b.n == ListenerBatch::kRoom) return false;
    if (atcp_os_conn_tryget(n.conn)) {
      b.index[b.n] = b.next;
      b.entry[b.n++] = &n;
    }
    b.next++;
    return true;
  });
  return b;
}

template <class Show>
bool walk_listeners(const ListenTable& table, uint64_t* cursor, Show show) {
  auto bucket = static_cast<uint32_t>(*cursor >> 32);
  auto from = static_cast<uint32_t>(*cursor);
  while (bucket < ListenTable::kBuckets) {
    atcp_os_rcu_lock();
    const ListenerBatch b = collect(table, bucket, from);
    bool go_on = true;
    for (uint32_t i = 0; i < b.n; i++) {
      if (go_on && !show(*b.entry[i])) {
        go_on = false;
        *cursor = (static_cast<uint64_t>(bucket) << 32) | b.index[i];
      }
      atcp_os_conn_put(b.entry[i]->conn);
    }
    atcp_os_rcu_unlock();
    if (!go_on) return false;
    if (b.next == from) {
      bucket++;
      from = 0;
    } else {
      from = b.next;
    }
  }
  *cursor = static_cast<uint64_t>(ListenTable::kBuckets) << 32;
  return true;
}

}  // namespace

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
