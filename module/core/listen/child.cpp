// SPDX-License-Identifier: GPL-2.0
//
// Filling a new connection from a handshake and from its listener, and the order in which it becomes
// visible: to packets, to accept(), to the program. The child is locked from its making, so whoever
// finds it early waits.
#include "listen/child.h"

#include "conn/event.h"
#include "listen/fastopen_path.h"
#include "listen/migrate.h"

namespace atcp {

namespace {

/// What accept()ed sockets take over from the listening one, as on Linux.
void inherit_wishes(Tcb& c, const Tcb& listener) {
  c.nodelay = listener.nodelay;
  c.cork = listener.cork;
  c.keepalive_on = listener.keepalive_on;
  c.no_fin_wait2 = listener.no_fin_wait2;
  c.user_timeout_ms = listener.user_timeout_ms;
  c.user_clamp = listener.user_clamp;
  c.user_mss = listener.user_mss;
  if (listener.window_clamp != 0) c.window_clamp = listener.window_clamp;
}

/// RFC 9293 3.10.7.2, third, and 3.10.7.4, fifth: the variables as SYN and SYN-ACK left them. The
/// segment at hand acknowledges our SYN later, on the common path.
void fill(Tcb& c, const Handshake& hs, Now now) {
  c.passive = true;
  c.fastopen_renew = hs.fastopen_cookie;
  c.ts_ok = hs.ts_ok;
  c.sack_ok = hs.sack_ok;
  c.wscale_ok = hs.wscale_ok;
  c.ecn_ok = hs.ecn_ok;
  c.snd_wscale = hs.snd_wscale;
  c.rcv_wscale = hs.rcv_wscale;
  c.ts_offset = hs.ts_offset;
  c.ts_offset_set = true;
  c.ts_recent = load_relaxed(&hs.ts_recent);
  c.ts_recent_s = static_cast<uint32_t>(now.us / 1000000);

  c.iss = hs.iss;
  c.snd_una = hs.iss;
  c.round_end = hs.iss;
  c.snd_nxt = hs.iss + 1;
  c.write_seq = hs.iss + 1;
  c.snd_sml = hs.iss + 1;
  c.high_seq = hs.iss + 1;
  c.high_sacked = hs.iss + 1;
  c.undo_marker = hs.iss + 1;
  c.snd_wl1 = hs.irs;
  c.snd_wnd = hs.peer_wnd;
  c.max_snd_wnd = hs.peer_wnd;
  c.peer_mss = hs.peer_mss;
  c.advmss = hs.advmss;

  c.irs = hs.irs;
  c.rcv_nxt = hs.irs + 1;
  c.rcv_wnd = hs.rcv_wnd;
  if (!hs.wscale_ok) c.window_clamp = min(c.window_clamp, 65535u);
  receive_init(c);
}

/// TCP_SAVED_SYN: the request's, or, of a fast open, the segment at hand. A cookie has none.
void give_syn(Tcb& c, const Tcb& listener, Request* request, bool fastopen, const atcp_pkt* pkt) {
  atcp_syn* syn = nullptr;
  if (request != nullptr) {
    syn = load_relaxed(&request->syn);
    store_relaxed(&request->syn, static_cast<atcp_syn*>(nullptr));
  } else if (fastopen) {
    syn = atcp_os_syn_save(listener.conn(), pkt);
  }
  if (syn != nullptr) atcp_os_child_syn(c.conn(), syn);
}

}  // namespace

ChildResult make_child(Ns& ns, Tcb& listener, const atcp_tuple& tuple, const Handshake& hs,
                       Request* request, uint32_t rtt_us, const atcp_seg& seg, atcp_pkt* pkt,
                       Now now, bool fastopen) {
  Listener& l = *listener.listener;
  if (!listener_reserve(l)) return ChildResult::Overflow;
  atcp_kept_route* kept = request != nullptr ? request_take_route(*request) : nullptr;
  atcp_conn* conn = atcp_os_child_new(listener.conn(), &tuple, kept);
  if (conn == nullptr) {
    listener_unreserve(l);
    return ChildResult::NoMemory;
  }
  Tcb& c = *tcb_of(conn);
  c.overrides.inherit(listener.overrides);
  tcb_init(c, ns, listener.v6_words != 0);
  set_tuple(c, tuple);
  inherit_wishes(c, listener);
  const CcOps* ops = load_relaxed(&listener.cc_ops);
  if (ops != nullptr && ops != c.cc_ops)  // nullptr: the listener is being used anew this moment
    set_cc(c, *ops, false, now);
  if (load_relaxed(&listener.cc_source) > ATCP_SOURCE_NETNS) c.cc_source = ATCP_SOURCE_LISTENER;
  fill(c, hs, now);
  if (request != nullptr) c.syn_retries = load_relaxed(&request->retrans);
  if (rtt_us != 0) c.rtt.sample(rtt_us, now.us);
  atcp_route route = {};
  if (atcp_os_conn_route(conn, &route)) {
    c.ip_options = static_cast<uint16_t>(route.ip_options);
    c.route_mtu = static_cast<uint16_t>(min(route.mtu, 65535u));
    update_mss(c, route.mtu);
  }

  const atcp_err bound = ns.ports.inherit(c.bind, listener.bind, IpAddr(tuple.family, tuple.laddr));
  const bool hashed =
      bound == ATCP_OK && (request != nullptr ? ns.ehash.replace(*request, c)
                                              : ns.ehash.insert(c, tuple, ns.ehash.hash(tuple)));
  if (!hashed) {
    ns.ports.unbind(c.bind);
    atcp_os_child_discard(conn);
    listener_unreserve(l);
    if (bound == ATCP_ERR_NO_MEMORY) return ChildResult::NoMemory;
    return bound == ATCP_OK ? ChildResult::Taken : ChildResult::NoListener;
  }
  // The program named the listener's port, not the child's: the end of the connection gives it back.
  c.bind.flags = static_cast<uint8_t>(c.bind.flags & ~ATCP_BIND_EXPLICIT_PORT);
  // A cookie keeps no time: for its connection all begins with the third ACK.
  c.life.open(request != nullptr ? request->synack_us : now.us);
  set_state(c, State::SynReceived, now);
  if (fastopen) c.life.begin(true);
  ns.count(Counter::PassiveOpens);
  if (request != nullptr)
    tell_request(ns, ATCP_EVENT_KIND_REQUEST_PROMOTED, conn, tuple);
  else if (!fastopen)
    tell_request(ns, ATCP_EVENT_KIND_COOKIE_ACCEPTED, conn, tuple);
  give_syn(c, listener, request, fastopen, pkt);
  if (request != nullptr) request_settle(ns, *request);

  const bool queued = listener_enqueue(l, c, now);
  // The program closed the listener while we were at it: as if it had closed a moment later.
  if (!queued) listener_unreserve(l);
  if (!queued && !migrate_child(ns, listener, c, now)) {
    if (fastopen) fastopen_give_back(ns, listener);
    if (!fastopen) l.ledger.refuse(Refused::Ack, ATCP_REASON_LISTENER_CLOSED);
    abort_with_reset(c, ATCP_REASON_ABORT_LISTENER, ATCP_OK, now);
    ns.drop(pkt, ATCP_REASON_LISTENER_CLOSED, conn);
    atcp_os_child_discard(conn);
    return ChildResult::Made;
  }
  if (fastopen) {
    fastopen_begin(c, listener, seg, pkt, now);
    if (queued) atcp_os_conn_event(listener.conn(), ATCP_EV_READABLE);
    atcp_os_child_done(conn);
    return ChildResult::Made;
  }
  l.ledger.add(LedgerItem::Children);
  input(c, seg, pkt, now);
  if (c.state == State::SynReceived) {
    // The segment did not complete the handshake: our SYN-ACK goes again, and not for ever.
    c.timers.set(TimerId::Retransmit, now.us + RttEstimator::kInitialRtoUs);
    c.timers.sync(conn);
  }
  // A child that was reset at once is accepted all the same; reading from it tells.
  if (queued) atcp_os_conn_event(listener.conn(), ATCP_EV_READABLE);
  atcp_os_child_done(conn);
  return ChildResult::Made;
}

}  // namespace atcp
