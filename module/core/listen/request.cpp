// SPDX-License-Identifier: GPL-2.0
//
// The life of a request: made by a SYN, reminded by the wheel, ended by the third ACK, a reset, its
// last timeout or its listener's end. Each end goes through request_remove or through
// Ehash::replace, of which only one can succeed, so the accounts are settled once.
#include "listen/request.h"

#include "conn/event.h"
#include "conn/gate.h"
#include "conn/reply.h"
#include "listen/child.h"
#include "listen/migrate.h"

namespace atcp {

namespace {

constexpr uint64_t kNsPerS = 1000000000;
constexpr uint32_t kMaxWindowField = 65535;
/// Without word from the peer, half of a buffer is taken to be payload.
constexpr uint32_t kOverheadShift = 1;
constexpr uint64_t kMaxTimeoutS = 120;  ///< between two SYN-ACKs
constexpr uint32_t kSmallQueue = 8;     ///< queues up to this are never trimmed
constexpr uint32_t kFewRetries = 2;     ///< that every request is given
/// ICMP errors that end a request, a bit for each atcp_icmp_kind.
constexpr uint32_t kHardOverV4 = 1 << ATCP_ICMP_HOST_UNREACH | 1 << ATCP_ICMP_NET_UNREACH |
                                 1 << ATCP_ICMP_TIME_EXCEEDED | 1 << ATCP_ICMP_PARAM_PROBLEM;
constexpr uint32_t kHardOverV6 =
    1 << ATCP_ICMP_PORT_UNREACH | 1 << ATCP_ICMP_PROHIBITED | 1 << ATCP_ICMP_PARAM_PROBLEM;

Tcb& listener_of(const Request& r) {
  return *tcb_of(r.listener);
}

Seq rcv_nxt(const Request& r) {
  return r.hs.irs + 1;
}

/// RFC 6298 5.5: from one second on, doubled each time.
uint64_t deadline_ns(const Request& r, Now now) {
  const uint32_t n = load_relaxed(&r.timeouts);
  const uint64_t s = n < 7 ? 1ull << n : kMaxTimeoutS;
  return now.ns + s * kNsPerS;
}

void no_longer_young(Listener& l, Request& r) {
  if (__atomic_exchange_n(&r.young, uint8_t{0}, __ATOMIC_RELAXED) != 0) sub_fetch(&l.young, 1u);
}

/// A request counted in, with two references: the table's to come, and the caller's. It takes over the caller's
/// reference to the listener, if there is memory.
Request* make(Ns& ns, Tcb& listener, const atcp_tuple& tuple) {
  auto* r = new_entry<Request>(tuple, EntryKind::Request, ATCP_MEM_REQUEST);
  if (r == nullptr) return nullptr;
  r->refs = 2;
  r->listener = listener.conn();
  r->young = 1;
  listener_count_request(*listener.listener);
  add_fetch(&ns.requests, 1u);
  return r;
}

void uncount(Ns& ns, Request& r) {
  if (atcp_syn* syn = load_relaxed(&r.syn)) atcp_os_syn_put(syn);
  if (atcp_kept_route* route = request_take_route(r)) atcp_os_route_put(route);
  Listener& l = *listener_of(r).listener;
  no_longer_young(l, r);
  listener_uncount_request(l);
  sub_fetch(&ns.requests, 1u);
}

void tell_synack_again(Ns& ns, const Request& r) {
  if (!atcp_os_event_wanted()) return;
  const atcp_tuple tuple = tuple_of(r);
  atcp_event e = {};
  e.kind = ATCP_EVENT_KIND_RETRANSMIT;
  e.tuple = &tuple;
  e.conn = r.listener;
  e.retransmit = ATCP_RETRANSMIT_KIND_SYNACK;
  e.seq = r.hs.iss.raw();
  e.flags = ATCP_SYN | ATCP_ACK;
  emit_event(ns, e);
}

/// The same SYN-ACK once more.
void resend_synack(Ns& ns, Request& r, Now now) {
  const uint32_t tsval = static_cast<uint32_t>(now.us / 1000) + r.hs.ts_offset;
  if (load_relaxed(&r.retrans) < 255) __atomic_fetch_add(&r.retrans, 1, __ATOMIC_RELAXED);
  if (send_synack(ns, r.listener, tuple_of(r), r.hs, tsval) != ATCP_REASON_NONE) return;
  ns.count(Counter::RetransSegs);
  ns.count(Counter::TCPSynRetrans);
  tell_synack_again(ns, r);
}

void send_request_ack(Ns& ns, const Request& r, Now now) {
  Header h;
  h.flags = ATCP_ACK;
  h.seq = r.hs.iss + 1;
  h.ack = rcv_nxt(r);
  h.wnd = static_cast<uint16_t>(min(r.hs.rcv_wnd >> r.hs.rcv_wscale, kMaxWindowField));
  if (r.hs.ts_ok) {
    h.has_ts = true;
    h.tsval = static_cast<uint32_t>(now.us / 1000) + r.hs.ts_offset;
    h.tsecr = load_relaxed(&r.hs.ts_recent);
  }
  send_reply(ns, r.listener, tuple_of(r), h);
}

/// Drop a segment and enter it in the listener's ledger, if it belongs there.
Fate turn_down(Ns& ns, const Request& r, const atcp_seg& seg, atcp_pkt* pkt, uint32_t reason) {
  const Ledger& ledger = listener_of(r).listener->ledger;
  if (is_plain_syn(seg)) ledger.refuse(Refused::Syn, reason);
  if (is_third_ack(seg)) ledger.refuse(Refused::Ack, reason);
  ns.drop(pkt, reason, r.listener);
  return Fate::Consumed;
}

/// The connection attempt is over before it was one.
void fail(Ns& ns, Request& r, uint32_t reason) {
  if (!request_end(ns, r, reason)) return;
  ns.count(Counter::AttemptFails);
  ns.count(Counter::EmbryonicRsts);
}

/// RFC 9293 3.10.7.4, first: outside the window, or older than what we have.
Fate not_acceptable(Ns& ns, Request& r, const atcp_seg& seg, bool old_ts, atcp_pkt* pkt, Now now) {
  const bool rst = (seg.flags & ATCP_RST) != 0;
  uint32_t reason = ATCP_REASON_SEQ_BEYOND_WINDOW;
  if (old_ts) {
    ns.count(Counter::PAWSEstab);
    reason = ATCP_REASON_PAWS;
  } else if (rst) {
    reason = ATCP_REASON_RST_OUT_OF_WINDOW;
  } else if (Seq(seg.seq) < rcv_nxt(r)) {
    reason = ATCP_REASON_SEQ_OLD;
  }
  if (!rst && reply_allowed(ns, r.last_ack_ms, seg, now.us, Counter::TCPACKSkippedSynRecv))
    send_request_ack(ns, r, now);
  return turn_down(ns, r, seg, pkt, reason);
}

Fate input_rst(Ns& ns, Request& r, const atcp_seg& seg, atcp_pkt* pkt, Now now) {
  switch (rst_verdict(rcv_nxt(r), rcv_nxt(r), r.hs.rcv_wnd, Seq(seg.seq))) {
    case RstVerdict::Reset:
      // RFC 9293 3.10.7.4, second: back to LISTEN, and the user need not be told.
      tell_reset_received(ns, r.listener, tuple_of(r), seg, ATCP_REASON_REQUEST_RST);
      fail(ns, r, ATCP_REASON_REQUEST_RST);
      ns.drop(pkt, ATCP_REASON_REQUEST_RST, r.listener);
      break;
    case RstVerdict::Challenge:
      if (reply_allowed(ns, r.last_ack_ms, seg, now.us, Counter::TCPACKSkippedChallenge) &&
          ns.challenge_allowed(now.us)) {
        ns.count(Counter::TCPChallengeACK);
        send_request_ack(ns, r, now);
      }
      ns.drop(pkt, ATCP_REASON_RST_CHALLENGED, r.listener);
      break;
    case RstVerdict::Ignore:
      ns.drop(pkt, ATCP_REASON_RST_OUT_OF_WINDOW, r.listener);
      break;
  }
  return Fate::Consumed;
}

/// TCP_DEFER_ACCEPT: the program wants no connection without data, until this many timeouts have passed.
bool put_off(const Request& r, const atcp_seg& seg) {
  return load_relaxed(&r.timeouts) < load_relaxed(&listener_of(r).defer_accept) &&
         Seq(seg.seq) + seg_space(seg) == rcv_nxt(r);
}

Fate input_third_ack(Ns& ns, Request& r, const atcp_seg& seg, atcp_pkt* pkt, Now now) {
  // RFC 9293 3.10.7.4, fifth check, SYN-RECEIVED.
  Tcb& t = listener_of(r);
  // The listener is closing, and has not come to this request yet.
  if (load_acquire(&t.listener->closed) != 0 && migrate_request(ns, r, now)) return Fate::Again;
  if (put_off(r, seg)) {
    store_relaxed(&r.acked, uint8_t{1});
    ns.count(Counter::TCPDeferAcceptDrop);
    return turn_down(ns, r, seg, pkt, ATCP_REASON_DEFER_ACCEPT);
  }
  const atcp_tuple tuple = tuple_of(r);
  // Karn: after a second SYN-ACK nobody knows which one this answers.
  const bool clean = load_relaxed(&r.retrans) == 0;
  const uint32_t rtt_us = clean ? static_cast<uint32_t>(now.us - r.synack_us) : 0;
  uint32_t reason = ATCP_REASON_NO_MEMORY;
  switch (make_child(ns, t, tuple, r.hs, &r, rtt_us, seg, pkt, now)) {
    case ChildResult::Made:
      return Fate::Child;
    case ChildResult::Taken:
      return Fate::Again;
    case ChildResult::NoListener:
      if (!migrate_request(ns, r, now)) request_end(ns, r, ATCP_REASON_LISTENER_CLOSED);
      return Fate::Again;
    case ChildResult::Overflow:
      // The peer believes that it is connected. Either it learns better at once, or it will be
      // reminded by the next SYN-ACK, when there may be a place.
      ns.count(Counter::ListenOverflows);
      store_relaxed(&r.acked, uint8_t{1});
      reason = ATCP_REASON_ACCEPT_QUEUE_FULL_ACK;
      if (t.param(Param::AbortOnOverflow) != 0) {
        send_rst_for(ns, t.conn(), tuple, seg, ATCP_REASON_ABORT_OVERFLOW);
        if (request_end(ns, r, ATCP_REASON_ABORT_OVERFLOW)) ns.count(Counter::EmbryonicRsts);
        reason = ATCP_REASON_ABORT_OVERFLOW;
      }
      break;
    case ChildResult::NoMemory:
      break;
  }
  ns.count(Counter::ListenDrops);
  return turn_down(ns, r, seg, pkt, reason);
}

/// When more than half of the queue is taken, old requests make room: one retry less for each halving of
/// the share of young ones, so that a burst of real clients, all young, loses nothing and a flood's
/// leftovers go early (Linux's rule).
uint32_t allowed_timeouts(const Listener& l, uint32_t retries) {
  // RFC 4987 3.3 and 3.4.
  const uint32_t used = load_relaxed(&l.requests);
  if (used * 2 <= max(kSmallQueue, load_relaxed(&l.backlog))) return retries;
  uint64_t young = static_cast<uint64_t>(load_relaxed(&l.young)) * 2;
  while (retries > kFewRetries && used >= young) {
    retries--;
    young *= 2;
  }
  return retries;
}

}  // namespace

void negotiate(Ns& ns, const Tcb& listener, const atcp_tuple& tuple, const atcp_seg& syn,
               const atcp_route& route, Handshake* hs) {
  hs->irs = Seq(syn.seq);
  hs->peer_wnd = syn.wnd;
  // RFC 9293 3.7.1 (MUST-15).
  hs->peer_mss = (syn.has & ATCP_OPT_MSS) != 0 ? syn.mss : default_mss(tuple.family);
  // An option is answered only if the SYN had it (RFC 7323 2.2, 3.2; RFC 2018 2).
  const uint32_t timestamps = listener.param(Param::Timestamps);
  hs->ts_ok = (syn.has & ATCP_OPT_TS) != 0 && timestamps != 0;
  hs->sack_ok = (syn.has & ATCP_OPT_SACK_OK) != 0 && listener.param(Param::Sack) != 0;
  hs->wscale_ok = (syn.has & ATCP_OPT_WSCALE) != 0 && listener.param(Param::WindowScaling) != 0;
  hs->ecn_ok = ecn_accept(listener, syn);
  hs->ts_recent = hs->ts_ok ? syn.tsval : 0;
  hs->ts_offset = timestamp_offset(ns, timestamps, tuple);

  uint32_t advmss = min(route.advmss, kMaxWindowField);
  if (listener.user_mss != 0) advmss = min(advmss, static_cast<uint32_t>(listener.user_mss));
  hs->advmss = static_cast<uint16_t>(advmss);

  atcp_rx_space space = {};
  atcp_os_rx_space(listener.conn(), &space);
  if (hs->wscale_ok) {
    hs->snd_wscale = syn.wscale;
    hs->rcv_wscale = choose_rcv_wscale(ns, space.limit);
  }
  // RFC 7323 2.2: the window of a SYN is not scaled. Whole segments, if there is room for one.
  uint32_t wnd = min(min(space.limit >> kOverheadShift, listener.window_clamp), kMaxWindowField);
  const uint32_t payload = advmss - (hs->ts_ok && advmss > kTsOptionBytes ? kTsOptionBytes : 0);
  if (payload != 0 && wnd > payload) wnd -= wnd % payload;
  hs->rcv_wnd = wnd;
}

uint32_t send_synack(Ns& ns, const atcp_conn* listener, const atcp_tuple& tuple,
                     const Handshake& hs, uint32_t tsval, const atcp_reuse* reuse) {
  // RFC 9293 3.10.7.2, third check.
  Header h;
  h.flags = ATCP_SYN | ATCP_ACK;
  if (hs.ecn_ok) h.flags |= ATCP_ECE;  // RFC 3168 6.1.1
  h.seq = hs.iss;
  h.ack = hs.irs + 1;
  h.wnd = static_cast<uint16_t>(min(hs.rcv_wnd, kMaxWindowField));
  h.mss = hs.advmss;
  h.has_wscale = hs.wscale_ok;
  h.wscale = hs.rcv_wscale;
  h.sack_ok = hs.sack_ok;
  if (hs.ts_ok) {
    h.has_ts = true;
    h.tsval = tsval;
    h.tsecr = load_relaxed(&hs.ts_recent);
  }
  h.has_fastopen = hs.fastopen_cookie;
  if (hs.fastopen_cookie) fastopen_cookie(fastopen_keys(*tcb_of(listener)), tuple, &h.fastopen);
  return send_reply(ns, listener, tuple, h, reuse);
}

uint32_t request_start(Ns& ns, Tcb& listener, const atcp_tuple& tuple, uint32_t hash,
                       const Handshake& hs, TimeWait* old, const atcp_route& route, atcp_pkt** syn,
                       Now now) {
  // RFC 4987 3.5.
  Listener& l = *listener.listener;
  if (!atcp_os_conn_tryget(listener.conn())) return ATCP_REASON_LISTENER_CLOSED;
  Request* r = make(ns, listener, tuple);
  if (r == nullptr) {
    atcp_os_conn_put(listener.conn());
    return ATCP_REASON_NO_MEMORY;
  }
  r->synack_us = now.us;
  r->hs = hs;
  r->syn = atcp_os_syn_save(listener.conn(), *syn);
  r->route = atcp_os_route_keep(listener.conn(), &route);
  if (!(old != nullptr ? ns.ehash.replace(*old, *r) : ns.ehash.insert(*r, tuple, hash))) {
    // A SYN of the same tuple on another CPU was faster.
    request_discard(ns, *r);
    return ATCP_REASON_REQUEST_SYN_DUP;
  }
  if (old != nullptr) timewait_replaced(ns, *old);
  arm_entry(ns, *r, deadline_ns(*r, now), now.ns);  // ends with a full fence

  uint32_t reason = ATCP_REASON_NONE;
  if (load_acquire(&l.closed) != 0) {
    // requests_drop_all may have passed this bucket already.
    reason = ATCP_REASON_LISTENER_CLOSED;
  } else {
    // Before the SYN-ACK, which may be answered on another CPU.
    tell_request(ns, ATCP_EVENT_KIND_REQUEST_MADE, listener.conn(), tuple);
    const uint32_t tsval = static_cast<uint32_t>(now.us / 1000) + hs.ts_offset;
    const atcp_reuse reuse = {&route, *syn};
    *syn = nullptr;
    // Nothing is lost if it cannot be sent: the peer will send its SYN again.
    reason = send_synack(ns, listener.conn(), tuple, hs, tsval, &reuse);
  }
  if (reason == ATCP_REASON_LISTENER_CLOSED)
    request_remove(ns, *r);  // the SYN is looked up anew
  else if (reason != ATCP_REASON_NONE)
    request_end(ns, *r, reason);
  put_endpoint(*r);
  return reason;
}

void request_discard(Ns& ns, Request& r) {
  uncount(ns, r);
  atcp_os_conn_put(r.listener);
  atcp_os_free(&r, ATCP_MEM_REQUEST);
}

Request* request_copy(const Request& r, Tcb& heir) {
  Request* c = make(*heir.ns, heir, tuple_of(r));
  if (c == nullptr) return nullptr;
  c->synack_us = r.synack_us;
  c->hs = r.hs;
  c->hs.ts_recent = load_relaxed(&r.hs.ts_recent);
  c->last_ack_ms = load_relaxed(&r.last_ack_ms);
  c->timeouts = load_relaxed(&r.timeouts);
  c->retrans = load_relaxed(&r.retrans);
  c->acked = load_relaxed(&r.acked);
  if (load_relaxed(&r.young) == 0) no_longer_young(*heir.listener, *c);
  // Whoever takes the request out of the table meanwhile gives it back, or to a child.
  atcp_syn* syn = load_relaxed(&r.syn);
  if (syn != nullptr && atcp_os_syn_tryget(syn)) c->syn = syn;
  return c;
}

void request_settle(Ns& ns, Request& r) {
  uncount(ns, r);
  disarm_entry(ns, r);
  atcp_os_conn_put(r.listener);
  put_endpoint(r);  // the table's
}

bool request_end(Ns& ns, Request& r, uint32_t reason) {
  // What goes with the last reference is not looked at any more, but the listener's is ours until then.
  const atcp_tuple tuple = tuple_of(r);
  atcp_conn* listener = r.listener;
  if (!ns.ehash.remove(r)) return false;
  tell_request(ns, ATCP_EVENT_KIND_REQUEST_EXPIRED, listener, tuple, reason);
  request_settle(ns, r);
  return true;
}

bool request_remove(Ns& ns, Request& r) {
  if (!ns.ehash.remove(r)) return false;
  request_settle(ns, r);
  return true;
}

namespace {

/// RFC 9293 3.10.7.4 for SYN_RECEIVED.
Fate judge(Ns& ns, Request& r, const atcp_seg& seg, atcp_pkt* pkt, Now now) {
  Listener& l = *listener_of(r).listener;
  const Seq seq(seg.seq);
  const bool ack = (seg.flags & ATCP_ACK) != 0;
  const bool rst = (seg.flags & ATCP_RST) != 0;
  const bool has_ts = r.hs.ts_ok && (seg.has & ATCP_OPT_TS) != 0;
  const uint32_t now_s = static_cast<uint32_t>(now.us / 1000000);
  // A request is never old enough for its timestamp to have expired.
  const bool old_ts = r.hs.ts_ok && paws_reject(load_relaxed(&r.hs.ts_recent), now_s, seg, now_s);

  // The SYN again: so is the SYN-ACK, and the wheel starts its interval anew.
  if (is_plain_syn(seg) && seq == r.hs.irs && !old_ts) {
    l.ledger.add(LedgerItem::SynDups);
    if (reply_allowed(ns, r.last_ack_ms, seg, now.us, Counter::TCPACKSkippedSynRecv)) {
      resend_synack(ns, r, now);
      arm_entry(ns, r, deadline_ns(r, now), now.ns);
    }
    ns.drop(pkt, ATCP_REASON_REQUEST_SYN_DUP, r.listener);
    return Fate::Consumed;
  }
  // RFC 9293 3.10.7.4, fifth, before the others: an ACK of what was never sent shows a peer from
  // another life, whatever its sequence number.
  if (ack && Seq(seg.ack) != r.hs.iss + 1) {
    send_rst_for(ns, r.listener, tuple_of(r), seg, ATCP_REASON_REQUEST_ACK_BAD);
    return turn_down(ns, r, seg, pkt, ATCP_REASON_REQUEST_ACK_BAD);
  }
  // First: sequence number.
  if (old_ts || !seq_in_window(rcv_nxt(r), r.hs.rcv_wnd, seq, seg_space(seg)))
    return not_acceptable(ns, r, seg, old_ts, pkt, now);
  if (has_ts && seq <= rcv_nxt(r)) store_relaxed(&r.hs.ts_recent, seg.tsval);
  // Second: RST.
  if (rst) return input_rst(ns, r, seg, pkt, now);
  // Fourth: SYN. Another incarnation of the peer: neither can go on.
  if ((seg.flags & ATCP_SYN) != 0) {
    send_rst_for(ns, r.listener, tuple_of(r), seg, ATCP_REASON_REQUEST_SYN);
    fail(ns, r, ATCP_REASON_REQUEST_SYN);
    return turn_down(ns, r, seg, pkt, ATCP_REASON_REQUEST_SYN);
  }
  // Fifth: ACK.
  if (!ack) {
    ns.drop(pkt, ATCP_REASON_REQUEST_NO_ACK, r.listener);
    return Fate::Consumed;
  }
  return input_third_ack(ns, r, seg, pkt, now);
}

}  // namespace

Fate request_input(Ns& ns, Request& r, const atcp_seg& seg, atcp_pkt* pkt, Now now) {
  if (!r.is_hashed()) return Fate::Again;
  const Ledger& ledger = listener_of(r).listener->ledger;
  const LedgerItem item = is_plain_syn(seg) ? LedgerItem::Syns : LedgerItem::Acks;
  const bool counts = is_plain_syn(seg) || is_third_ack(seg);
  if (counts) ledger.add(item);
  const Fate fate = judge(ns, r, seg, pkt, now);
  if (counts && fate == Fate::Again) ledger.add(item, -1);  // whoever gets it then counts it
  return fate;
}

void request_expired(Ns& ns, Request& r, Now now) {
  if (!r.is_hashed()) {
    put_endpoint(r);
    return;
  }
  const Tcb& t = listener_of(r);
  Listener& l = *t.listener;
  ns.count(Counter::TCPTimeouts);
  // As in Linux, TCP_SYNCNT of a listener is for its SYN-ACKs.
  const bool syncnt = t.overrides.has(Param::SynRetries) && !t.overrides.has(Param::SynackRetries);
  const uint32_t retries = t.param(syncnt ? Param::SynRetries : Param::SynackRetries);
  const uint32_t timeouts = load_relaxed(&r.timeouts);
  // A peer that was put off by TCP_DEFER_ACCEPT is left in peace, and kept, until its time is over. The
  // last SYN-ACK of that time makes it acknowledge again, which is then accepted without data.
  const uint32_t defer = load_relaxed(&t.defer_accept);
  const bool waits = defer != 0 && load_relaxed(&r.acked) != 0;
  if (timeouts >= allowed_timeouts(l, retries) && !(waits && timeouts < defer)) {
    // Without a word to the peer, whose ACK may be under way: a later one is answered by RST.
    const uint32_t why =
        timeouts >= retries ? ATCP_REASON_REQUEST_TIMEOUT : ATCP_REASON_REQUEST_EVICTED;
    if (request_end(ns, r, why)) ns.reason(why);
  } else {
    if (!waits || timeouts + 1 >= defer) resend_synack(ns, r, now);
    store_relaxed(&r.timeouts, static_cast<uint8_t>(timeouts + 1));
    no_longer_young(l, r);
    arm_entry(ns, r, deadline_ns(r, now), now.ns);
  }
  put_endpoint(r);  // the wheel's
}

void request_icmp(Ns& ns, Request& r, atcp_icmp_kind kind, Seq seq) {
  if (seq != r.hs.iss) {
    ns.count(Counter::OutOfWindowIcmps);
    ns.reason(ATCP_REASON_ICMP_IGNORED);
    return;
  }
  const uint32_t hard = r.family == ATCP_AF_INET6 ? kHardOverV6 : kHardOverV4;
  // As Linux, whose two families differ; POSIX has accept() not tell.
  if ((hard >> kind & 1) == 0) {
    ns.reason(ATCP_REASON_ICMP_IGNORED);
    return;
  }
  if (request_end(ns, r, ATCP_REASON_ICMP_HARD)) {
    ns.count(Counter::ListenDrops);
    ns.reason(ATCP_REASON_ICMP_HARD);
  }
}

void requests_drop_all(Ns& ns, const atcp_conn* listener, Now now) {
  const Listener& l = *tcb_of(listener)->listener;
  // The caller has set `closed`. Of "closed, then requests" here and "requests, then closed" in
  // request_start, one sees the other.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  for (uint64_t at = 0; at != Ehash::kWalkEnd && load_acquire(&l.requests) != 0;) {
    atcp_os_rcu_lock();
    const EhashBatch b = ns.ehash.walk(&at, [&](const Endpoint& e) {
      return e.kind == EntryKind::Request &&
             static_cast<const Request&>(static_cast<const SmallEntry&>(e)).listener == listener;
    });
    for (uint32_t i = 0; i < b.n; i++) {
      Request& r = *as_request(b.entry[i]);
      if (!migrate_request(ns, r, now) && request_end(ns, r, ATCP_REASON_LISTENER_CLOSED))
        ns.reason(ATCP_REASON_LISTENER_CLOSED);
      put_endpoint(r);
    }
    atcp_os_rcu_unlock();
    atcp_os_cond_resched();
  }
}

}  // namespace atcp
