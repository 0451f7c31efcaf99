// SPDX-License-Identifier: GPL-2.0
//
// A listener's life, its accept queue, and segments that find it: SYNs, which become requests or
// are answered with cookies, and everything else, which RFC 9293 3.10.7.2 sends away.
#include "listen/listener.h"

#include "conn/event.h"
#include "conn/reply.h"
#include "listen/child.h"
#include "listen/cookie_path.h"
#include "listen/fastopen_path.h"
#include "listen/migrate.h"
#include "listen/request.h"

namespace atcp {

namespace {

bool is_closed(const Listener& l) {
  return load_acquire(&l.closed) != 0;
}

// ---- SYN -----------------------------------------------------------------------------------

Fate refuse(Ns& ns, Listener& l, atcp_pkt* pkt, uint32_t reason) {
  l.ledger.refuse(Refused::Syn, reason);
  ns.count(Counter::ListenDrops);
  ns.drop(pkt, reason, l.node.conn);
  return Fate::Consumed;
}

Fate answered(Listener& l, atcp_pkt* pkt) {
  l.ledger.add(LedgerItem::SynAcks);
  if (pkt != nullptr) atcp_os_pkt_free(pkt, ATCP_REASON_NONE);
  return Fate::Consumed;
}

/// Once per listen(); with cookies for everybody there is nothing to tell.
void tell_of_flood(const Tcb& t, bool cookies) {
  uint32_t& told = t.listener->flood_told;
  if (load_relaxed(&told) != 0 || __atomic_exchange_n(&told, 1u, __ATOMIC_RELAXED) != 0) return;
  atcp_os_syn_flood(t.conn(), cookies);
}

/// The last quarter of max_syn_backlog is not given away when there are no cookies to fall back
/// upon (Linux keeps it for peers that it has met; we keep no record of peers).
bool beyond_syn_backlog(const Tcb& t) {
  const Listener& l = *t.listener;
  const int64_t most = t.param(Param::MaxSynBacklog);
  const int64_t used = load_relaxed(&l.requests);
  return most - used < most / 4;
}

/// RFC 9293 3.10.7.2, third: a SYN, behind the limits that Linux puts before it.
Fate input_syn(Ns& ns, Tcb& t, const atcp_tuple& tuple, uint32_t hash, const atcp_seg& seg,
               atcp_pkt* pkt, Now now, const TwSyn* old) {
  Listener& l = *t.listener;
  // A socket cannot connect to itself this way: it would have been found before the listener was. The
  // answer would come back, and be answered.
  if (tuple.lport == tuple.rport && same_host(tuple))
    return refuse(ns, l, pkt, ATCP_REASON_SYN_FROM_SELF);
  const uint32_t mode = t.param(Param::Syncookies);
  bool cookie = false;

  // A SYN that ends a TIME_WAIT entry gives as much memory back as it takes.
  if (old == nullptr && (mode == 2 || load_relaxed(&l.requests) > load_relaxed(&l.backlog))) {
    if (mode != 2) tell_of_flood(t, mode != 0);
    if (mode == 0) {
      ns.count(Counter::TCPReqQFullDrop);
      return refuse(ns, l, pkt, ATCP_REASON_REQUEST_QUEUE_FULL);
    }
    ns.count(Counter::TCPReqQFullDoCookies);
    cookie = true;
  }
  if (listener_accept_full(l)) {
    ns.count(Counter::ListenOverflows);
    return refuse(ns, l, pkt, ATCP_REASON_ACCEPT_QUEUE_FULL_SYN);
  }
  if (old == nullptr && mode == 0 && beyond_syn_backlog(t))
    return refuse(ns, l, pkt, ATCP_REASON_SYN_BACKLOG);
  atcp_route route = {};
  if (!atcp_os_route(ns.os, t.conn(), &tuple, &route))
    return refuse(ns, l, pkt, ATCP_REASON_NO_ROUTE);
  if (cookie) {
    const uint32_t reason = cookie_answer(ns, t, tuple, seg, route, pkt, now);
    if (reason == ATCP_REASON_NONE) return answered(l, nullptr);
    tell_drop(ns, t.conn(), tuple, seg, reason);
    return refuse(ns, l, nullptr, reason);
  }

  Handshake hs = {};
  negotiate(ns, t, tuple, seg, route, &hs);
  hs.iss = old != nullptr ? old->iss : initial_sequence(ns, tuple, now.ns);
  // One that ends a TIME_WAIT entry takes its place in the table, which only a request does.
  if (old == nullptr && fastopen_judge(ns, t, tuple, seg, now, &hs)) {
    if (make_child(ns, t, tuple, hs, nullptr, 0, seg, pkt, now, true) == ChildResult::Made) {
      l.ledger.add(LedgerItem::SynAcks);
      return Fate::Consumed;
    }
    fastopen_give_back(ns, t);  // a request will do
  }
  TimeWait* in_place_of = old != nullptr ? old->w : nullptr;
  const uint32_t reason = request_start(ns, t, tuple, hash, hs, in_place_of, route, &pkt, now);
  if (reason == ATCP_REASON_NONE) return answered(l, pkt);
  if (reason == ATCP_REASON_LISTENER_CLOSED || reason == ATCP_REASON_REQUEST_SYN_DUP)
    return Fate::Again;
  if (pkt == nullptr) tell_drop(ns, t.conn(), tuple, seg, reason);
  return refuse(ns, l, pkt, reason);
}

// ---- ACK -----------------------------------------------------------------------------------

/// RFC 9293 3.10.7.2, second: any acknowledgement is bad here, unless it is of a cookie.
Fate reset(Ns& ns, Tcb& t, const atcp_tuple& tuple, const atcp_seg& seg, atcp_pkt* pkt,
           uint32_t reason) {
  if (is_third_ack(seg)) t.listener->ledger.refuse(Refused::Ack, reason);
  send_rst_for(ns, t.conn(), tuple, seg, reason);
  ns.drop(pkt, reason, t.conn());
  return Fate::Consumed;
}

Fate input_ack(Ns& ns, Tcb& t, const atcp_tuple& tuple, const atcp_seg& seg, atcp_pkt* pkt,
               Now now) {
  uint32_t reason = ATCP_REASON_NONE;
  const Fate fate = cookie_input(ns, t, tuple, seg, pkt, now, &reason);
  switch (reason) {
    case ATCP_REASON_NONE:
      return fate;
    case ATCP_REASON_ACCEPT_QUEUE_FULL_ACK:
      ns.count(Counter::ListenOverflows);
      break;
    case ATCP_REASON_NO_MEMORY:
    case ATCP_REASON_NO_ROUTE:
      break;
    default:
      return reset(ns, t, tuple, seg, pkt, reason);
  }
  // Silently, whatever abort_on_overflow says: the peer's data will bring the cookie again.
  t.listener->ledger.refuse(Refused::Ack, reason);
  ns.count(Counter::ListenDrops);
  ns.drop(pkt, reason, t.conn());
  return Fate::Consumed;
}

/// The one level that the ledger watches: four fifths of the backlog.
bool is_crowded(const Listener& l) {
  return static_cast<uint64_t>(l.queued) * 5 > static_cast<uint64_t>(load_relaxed(&l.backlog)) * 4;
}

uint64_t crowded_until(const Listener& l, Now now) {
  // Another CPU may have read its clock a little later than we did ours.
  const bool running = l.crowded_since_ns != 0 && now.ns > l.crowded_since_ns;
  return l.crowded_ns + (running ? now.ns - l.crowded_since_ns : 0);
}

/// The queue's length changed. Accept lock.
void set_queued(Listener& l, uint32_t n, Now now) {
  store_relaxed(&l.queued, n);
  if (n > l.queued_high) l.queued_high = n;
  if (is_crowded(l) == (l.crowded_since_ns != 0)) return;
  l.crowded_ns = crowded_until(l, now);
  l.crowded_since_ns = l.crowded_since_ns == 0 ? now.ns : 0;
}

/// Accept lock.
void append(Listener& l, Tcb& child, Now now) {
  child.accept_next = nullptr;
  if (l.head == nullptr)
    l.head = &child;
  else
    l.tail->accept_next = &child;
  l.tail = &child;
  set_queued(l, l.queued + 1, now);
}

}  // namespace

// ---- life ----------------------------------------------------------------------------------

atcp_err listener_start(Tcb& t, uint32_t asked_backlog, uint32_t flags, Now now) {
  const uint32_t backlog = min(asked_backlog, t.param(Param::Somaxconn));
  // RFC 9293 3.9.1.1 (MUST-41).
  if (t.state == State::Listen) {
    store_relaxed(&t.listener->backlog, backlog);
    return ATCP_OK;
  }
  if (t.state != State::Closed || t.bind.bucket == nullptr) return ATCP_ERR_INVALID;
  if (t.listener == nullptr) {
    auto* l = static_cast<Listener*>(atcp_os_alloc(sizeof(Listener), ATCP_MEM_LISTENER));
    if (l == nullptr) return ATCP_ERR_NO_MEMORY;
    l->accept_lock = atcp_os_locks_alloc(1, ATCP_LOCK_ACCEPT);
    if (l->accept_lock == nullptr || !l->ledger.init()) {
      listener_free(l);
      return ATCP_ERR_NO_MEMORY;
    }
    t.listener = l;
  }
  constexpr uint32_t kAll = kFastopenServer | kFastopenAllListeners;
  const bool asked = t.fastopen_queue != nullptr && t.fastopen_queue->most != 0;
  if ((t.param(Param::Fastopen) & kAll) == kAll && !asked && !fastopen_set_queue(t, backlog))
    return ATCP_ERR_NO_MEMORY;
  Listener& l = *t.listener;
  const uint32_t keep = t.bind.flags & (ATCP_BIND_EXPLICIT_PORT | ATCP_BIND_V6ONLY);
  const uint32_t take = flags & ~static_cast<uint32_t>(ATCP_BIND_V6ONLY);
  store_relaxed(&t.bind.flags, static_cast<uint8_t>(keep | take));
  const atcp_err err = t.ns->ports.set_listening(t.bind);
  if (err != ATCP_OK) return err;
  l.node.conn = t.conn();
  l.node.laddr = addr_of(t.bind);
  l.node.v6only = (t.bind.flags & ATCP_BIND_V6ONLY) != 0;
  l.node.v6_socket = t.v6_words != 0;
  l.node.lport = t.bind.port;
  store_relaxed(&l.backlog, backlog);
  store_relaxed(&l.flood_told, 0u);
  store_release(&l.closed, 0u);
  t.in_done = false;
  set_state(t, State::Listen, now);
  t.ns->listeners.insert(l.node);
  return ATCP_OK;
}

void listener_stop(Tcb& t, Now now) {
  Listener& l = *t.listener;
  // First out of the table, so that whoever sees `closed` and looks again does not find it.
  t.ns->listeners.remove(l.node);
  atcp_os_lock(l.accept_lock, 0);
  store_release(&l.closed, 1u);
  atcp_os_unlock(l.accept_lock, 0);
  migrate_cookies(t);
  migrate_children(t, now);
  requests_drop_all(*t.ns, t.conn(), now);
  t.ns->ports.clear_listening(t.bind);
  done(t, ATCP_REASON_NONE, ATCP_OK, now);
}

void listener_free(Listener* l) {
  if (l == nullptr) return;
  if (l->accept_lock != nullptr) atcp_os_locks_free(l->accept_lock);
  l->ledger.fini();
  atcp_os_free(l, ATCP_MEM_LISTENER);
}

// ---- accept queue --------------------------------------------------------------------------

bool listener_accept_full(const Listener& l) {
  return load_relaxed(&l.reserved) > load_relaxed(&l.backlog);
}

bool listener_reserve(Listener& l) {
  // The edges between full and not full are told by those who cross them: in the order of the atomic count each
  // crossing is somebody's, however many try at the same time.
  const uint32_t n = add_fetch(&l.reserved, 1u);
  const uint32_t backlog = load_relaxed(&l.backlog);
  if (n == backlog + 1)
    tell_accept_queue(*tcb_of(l.node.conn)->ns, ATCP_EVENT_KIND_ACCEPT_QUEUE_FULL, l.node.conn, n,
                      backlog);
  if (n - 1 <= backlog) return true;
  listener_unreserve(l);
  return false;
}

void listener_unreserve(Listener& l) {
  const uint32_t n = sub_fetch(&l.reserved, 1u);
  const uint32_t backlog = load_relaxed(&l.backlog);
  if (n == backlog)
    tell_accept_queue(*tcb_of(l.node.conn)->ns, ATCP_EVENT_KIND_ACCEPT_QUEUE_FREE, l.node.conn, n,
                      backlog);
}

bool listener_enqueue(Listener& l, Tcb& child, Now now) {
  atcp_os_lock(l.accept_lock, 0);
  const bool open = !is_closed(l);
  if (open) append(l, child, now);
  atcp_os_unlock(l.accept_lock, 0);
  return open;
}

Tcb* listener_take(Listener& l, Now now) {
  atcp_os_lock(l.accept_lock, 0);
  Tcb* child = l.head;
  if (child != nullptr) {
    l.head = child->accept_next;
    child->accept_next = nullptr;
    set_queued(l, l.queued - 1, now);
  }
  atcp_os_unlock(l.accept_lock, 0);
  return child;
}

void listener_put_back(Listener& l, Tcb& child, Now now) {
  atcp_os_lock(l.accept_lock, 0);
  append(l, child, now);
  atcp_os_unlock(l.accept_lock, 0);
}

Tcb* listener_accept(Tcb& t, Now now) {
  if (t.listener == nullptr) return nullptr;
  Listener& l = *t.listener;
  Tcb* child = listener_take(l, now);
  if (child == nullptr) return nullptr;
  listener_unreserve(l);
  // What is taken from a closed listener is not for the program.
  if (!is_closed(l)) {
    l.ledger.add(LedgerItem::Accepted);
    store_relaxed(&child->accepted, true);
  }
  return child;
}

// ---- counts --------------------------------------------------------------------------------

void listener_count_request(Listener& l) {
  const uint32_t n = add_fetch(&l.requests, 1u);
  add_fetch(&l.young, 1u);
  uint32_t high = load_relaxed(&l.requests_high);
  while (n > high && !__atomic_compare_exchange_n(&l.requests_high, &high, n, false,
                                                  __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

void listener_uncount_request(Listener& l) {
  sub_fetch(&l.requests, 1u);
}

void listener_info(Listener& l, atcp_listener_info* out, Now now) {
  atcp_os_lock(l.accept_lock, 0);
  out->accept_queue = l.queued;
  out->accept_queue_high = l.queued_high;
  out->crowded_us = crowded_until(l, now) / 1000;
  atcp_os_unlock(l.accept_lock, 0);
  out->backlog = load_relaxed(&l.backlog);
  out->requests = load_relaxed(&l.requests);
  out->young = load_relaxed(&l.young);
  out->requests_high = load_relaxed(&l.requests_high);
  out->syns = l.ledger.get(LedgerItem::Syns);
  out->synacks = l.ledger.get(LedgerItem::SynAcks);
  out->syn_dups = l.ledger.get(LedgerItem::SynDups);
  out->cookies = l.ledger.get(LedgerItem::Cookies);
  out->accepted = l.ledger.get(LedgerItem::Accepted);
  out->syn_drops = l.ledger.refusals(Refused::Syn);
  out->acks = l.ledger.get(LedgerItem::Acks);
  out->children = l.ledger.get(LedgerItem::Children);
  out->ack_drops = l.ledger.refusals(Refused::Ack);
  out->overflow_syn = l.ledger.refusals(Refused::Syn, ATCP_REASON_ACCEPT_QUEUE_FULL_SYN);
  out->overflow_ack = l.ledger.refusals(Refused::Ack, ATCP_REASON_ACCEPT_QUEUE_FULL_ACK) +
                      l.ledger.refusals(Refused::Ack, ATCP_REASON_ABORT_OVERFLOW);
  out->migrated_in = l.ledger.get(LedgerItem::MigratedIn);
  out->migrated_out = l.ledger.get(LedgerItem::MigratedOut);
}

// ---- segments ------------------------------------------------------------------------------

Fate listener_input(Ns& ns, Tcb& t, const atcp_tuple& tuple, uint32_t hash, const atcp_seg& seg,
                    atcp_pkt* pkt, Now now, const TwSyn* old) {
  if (is_closed(*t.listener)) return Fate::Again;
  // RFC 9293 3.10.7.2. First: RST.
  if ((seg.flags & ATCP_RST) != 0) {
    ns.drop(pkt, ATCP_REASON_LISTEN_RST, t.conn());
    return Fate::Consumed;
  }
  // Second: ACK.
  const Ledger& ledger = t.listener->ledger;
  if ((seg.flags & ATCP_ACK) != 0) {
    if (!is_third_ack(seg)) return reset(ns, t, tuple, seg, pkt, ATCP_REASON_LISTEN_ACK);
    ledger.add(LedgerItem::Acks);
    const Fate fate = input_ack(ns, t, tuple, seg, pkt, now);
    if (fate == Fate::Again) ledger.add(LedgerItem::Acks, -1);  // whoever gets it then counts it
    return fate;
  }
  // Third: SYN.
  if ((seg.flags & ATCP_SYN) != 0) {
    ledger.add(LedgerItem::Syns);
    const Fate fate = input_syn(ns, t, tuple, hash, seg, pkt, now, old);
    if (fate == Fate::Again) ledger.add(LedgerItem::Syns, -1);
    return fate;
  }
  // Fourth: anything else.
  ns.drop(pkt, ATCP_REASON_LISTEN_NO_SYN, t.conn());
  return Fate::Consumed;
}

}  // namespace atcp
