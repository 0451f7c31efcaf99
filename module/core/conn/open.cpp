// SPDX-License-Identifier: GPL-2.0
//
// Active open: choosing the port, the first SYN, and SYN_SENT (RFC 9293 3.10.7.3), simultaneous
// open and self-connect included. Passive opens are in listen/; both meet in
// become_established().
#include "cc/registry.h"
#include "conn/event.h"
#include "conn/tcb.h"
#include "conn/timewait.h"

namespace atcp {

namespace {

constexpr uint32_t kRtoFallbackUs = 3000000;  ///< RFC 6298 5.7, after a SYN was retransmitted

/// Windows and MSS to announce, from the route and the buffer.
bool prepare_syn(Tcb& t) {
  // Whatever the program sets while the SYN is under way is for the next one.
  t.ts_offered = t.param(Param::Timestamps) != 0;
  t.sack_offered = t.param(Param::Sack) != 0;
  t.wscale_offered = t.param(Param::WindowScaling) != 0;
  // RFC 9293 3.7.1 (MUST-14, MUST-67): what is announced does not count options (RFC 6691 2).
  atcp_route route;
  if (!atcp_os_conn_route(t.conn(), &route)) return false;
  t.advmss = static_cast<uint16_t>(min(route.advmss, 65495u));
  if (t.user_mss != 0) t.advmss = min(t.advmss, t.user_mss);
  t.peer_mss = 65495;
  t.ip_options = static_cast<uint16_t>(route.ip_options);
  t.route_mtu = static_cast<uint16_t>(min(route.mtu, 65535u));
  update_mss(t, route.mtu);
  t.peer_mss = default_mss(t.family);
  atcp_rx_space sp;
  atcp_os_rx_space(t.conn(), &sp);
  t.rcv_wscale = t.wscale_offered ? choose_rcv_wscale(*t.ns, sp.limit) : uint8_t{0};
  const uint32_t space = static_cast<uint32_t>(static_cast<uint64_t>(sp.limit) * t.scaling >> 8);
  if (t.user_clamp != 0) t.window_clamp = t.user_clamp;
  t.rcv_wnd = min(min(space, 65535u), t.window_clamp);
  // Whole segments, if there is room for one.
  const uint32_t options = t.ts_offered ? kTsOptionBytes : 0;
  const uint32_t payload = t.advmss > options ? t.advmss - options : 1;
  if (t.rcv_wnd > payload) t.rcv_wnd -= t.rcv_wnd % payload;
  return true;
}

/// Hash the connection under its tuple; a TIME_WAIT entry in the way may give way (tw_reuse).
bool take_tuple(Tcb& t, const atcp_tuple& tuple, Now now, Seq* iss, bool* reused) {
  uint32_t ts_recent = 0;
  uint32_t ts_recent_s = 0;
  set_tuple(t, tuple);
  Endpoint* taken = nullptr;
  for (int turn = 0; turn < 3; turn++) {
    if (t.ns->ehash.insert(t, &taken)) return true;
    if (taken == nullptr) continue;  // on its way out
    if (!timewait_try_reuse(*t.ns, taken, now, iss, &ts_recent, &ts_recent_s)) return false;
    *reused = true;
    t.ts_recent = ts_recent;
    t.ts_recent_s = ts_recent_s;
  }
  return false;
}

/// Has the table a place for this tuple, as far as a look without lock or reference can tell?
bool maybe_free(const Tcb& t, const atcp_tuple& tuple, Now now) {
  atcp_os_rcu_lock();
  const Endpoint* e = t.ns->ehash.peek(tuple);
  const bool ok = e == nullptr || (load_relaxed(&e->kind) == EntryKind::TimeWait &&
                                   timewait_reusable(*t.ns, *as_timewait(e), now));
  atcp_os_rcu_unlock();
  return ok;
}

/// What the SYN's or SYN-ACK's options settle.
void take_syn_options(Tcb& t, const atcp_seg& seg) {
  // RFC 7323 1.3, 3.2; RFC 2018 2: agreed is what both SYNs had.
  t.ts_ok = (seg.has & ATCP_OPT_TS) != 0 && t.ts_offered;
  t.sack_ok = (seg.has & ATCP_OPT_SACK_OK) != 0 && t.sack_offered;
  t.wscale_ok = (seg.has & ATCP_OPT_WSCALE) != 0 && t.wscale_offered;
  ecn_take_syn(t, seg);
  // RFC 9293 3.7.1 (MUST-15): the default if the peer says nothing; 0 is nothing.
  t.peer_mss = (seg.has & ATCP_OPT_MSS) != 0 && seg.mss != 0 ? seg.mss : default_mss(t.family);
  if (t.wscale_ok) {
    t.snd_wscale = seg.wscale;
  } else {
    t.snd_wscale = 0;
    t.rcv_wscale = 0;
    t.window_clamp = min(t.window_clamp, 65535u);
  }
}

void take_irs(Tcb& t, const atcp_seg& seg, Now now) {
  // RFC 9293 3.10.7.3, fourth check.
  t.irs = Seq(seg.seq);
  t.rcv_nxt = t.irs + 1;
  if (t.ts_ok) {
    t.ts_recent = seg.tsval;
    t.ts_recent_s = static_cast<uint32_t>(now.us / 1000000);
  }
  t.snd_wl1 = t.irs;
  t.snd_wnd = seg.wnd;  // never scaled on a SYN
  t.max_snd_wnd = t.snd_wnd;
  update_mss(t, t.pmtu);
  receive_init(t);
}

void start_syn(Tcb& t, Now now) {
  send_syn(t, now);
  t.timers.set(TimerId::Retransmit, now.us + RttEstimator::kInitialRtoUs);
  t.timers.sync(t.conn());
}

void refuse_ack(Tcb& t, const atcp_seg& seg, uint32_t reason) {
  Header h;
  h.lport = t.lport;
  h.rport = t.rport;
  h.seq = Seq(seg.ack);
  h.flags = ATCP_RST;
  uint8_t buf[kMaxHeader];
  const uint32_t n = write_header(h, buf);
  const bool left = atcp_os_conn_emit(t.conn(), buf, n, nullptr, 0, 0, kNotEct) == 0;
  t.count(Counter::OutSegs);
  t.count(Counter::OutRsts);
  if (left) tell_reset_sent(*t.ns, t.conn(), tuple_of(t), h.seq, h.flags, reason);
}

}  // namespace

atcp_err connect(Tcb& t, atcp_tuple& tuple, bool with_data, Now now) {
  if (t.state != State::Closed) return ATCP_ERR_IS_CONN;
  if (!has_room(t, tuple.family)) return ATCP_ERR_INVALID;
  if (t.in_done) tcb_restart(t);
  // The rest of the tuple follows when the table takes it; the MSS depends on this already.
  const uint8_t bound_family = t.family;
  store_relaxed(&t.family, static_cast<uint8_t>(tuple.family));
  if (!prepare_syn(t)) {
    store_relaxed(&t.family, bound_family);
    return ATCP_ERR_HOST_UNREACH;
  }
  Seq iss_hint;
  bool reused = false;
  const ParamValues range = t.ns->params.all(Param::PortRange);
  const auto lo = static_cast<uint16_t>(range.v[0]);
  const auto hi = static_cast<uint16_t>(range.v[1]);
  if (tuple.lport == 0) {
    atcp_tuple candidate = tuple;
    const bool ok = t.ns->ports.connect(
        t.bind, tuple, lo, hi,
        [&](uint16_t port) {
          candidate.lport = port;
          return maybe_free(t, candidate, now);
        },
        [&](uint16_t) { return take_tuple(t, candidate, now, &iss_hint, &reused); });
    if (!ok) return ATCP_ERR_ADDR_NOT_AVAIL;
    tuple.lport = t.lport;
  } else if (!take_tuple(t, tuple, now, &iss_hint, &reused)) {
    return ATCP_ERR_ADDR_NOT_AVAIL;
  }
  t.iss = reused ? iss_hint : initial_sequence(*t.ns, tuple, now.ns);
  t.ts_offset = timestamp_offset(*t.ns, t.param(Param::Timestamps), tuple);
  t.snd_una = t.snd_sml = t.round_end = t.iss;
  t.snd_nxt = t.write_seq = t.iss + 1;
  t.rcv_nxt = t.copied_seq = t.rcv_wup = Seq(0);
  t.retrans_stamp_us = now.us;
  t.life.open(now.us);
  set_state(t, State::SynSent, now);
  t.count(Counter::ActiveOpens);
  t.fastopen = with_data || t.fastopen_connect;
  t.syn_held = t.fastopen && fastopen_ready(t, tuple, now);
  if (!t.syn_held) start_syn(t, now);
  return ATCP_OK;
}

void connect_go(Tcb& t, Now now) {
  if (!t.syn_held || t.state != State::SynSent) return;
  t.syn_held = false;
  t.life.open(now.us);
  t.retrans_stamp_us = now.us;
  start_syn(t, now);
}

void input_syn_sent(Tcb& t, const atcp_seg& seg, atcp_pkt* pkt, Now now) {
  const bool ack = (seg.flags & ATCP_ACK) != 0;
  const Seq seg_ack(seg.ack);
  // First: ACK. Of the SYN, and of data that it may have carried.
  if (ack && (seg_ack <= t.iss || seg_ack > t.snd_nxt)) {
    if ((seg.flags & ATCP_RST) == 0) {
      refuse_ack(t, seg, ATCP_REASON_SYNSENT_ACK_BAD);
      // Linux (5.6 and later) repeats the SYN soon: the old connection is now out of the way.
      if (t.syn_retries == 0) t.timers.set(TimerId::Retransmit, now.us + 10000);
      t.drop(pkt, ATCP_REASON_SYNSENT_ACK_BAD);
    } else {
      t.drop(pkt, ATCP_REASON_SYNSENT_RST_IGNORED);
    }
    return;
  }
  // Second: RST.
  if ((seg.flags & ATCP_RST) != 0) {
    if (!ack) {
      t.drop(pkt, ATCP_REASON_SYNSENT_RST_IGNORED);
      return;
    }
    tell_reset_received(*t.ns, t.conn(), tuple_of(t), seg, ATCP_REASON_REFUSED_BY_PEER);
    atcp_os_pkt_free(pkt, ATCP_REASON_REFUSED_BY_PEER);
    done(t, ATCP_REASON_REFUSED_BY_PEER, ATCP_ERR_REFUSED, now);
    return;
  }
  // Fourth: SYN.
  if ((seg.flags & ATCP_SYN) == 0) {
    t.drop(pkt, ATCP_REASON_SYNSENT_NO_SYN);
    return;
  }
  // An echo that is not of this connection's clock is an old duplicate (RFC 7323 3.2, PAWSActive).
  if (ack && (seg.has & ATCP_OPT_TS) != 0 && seg.tsecr != 0 && t.ts_offered) {
    const Seq first(static_cast<uint32_t>(t.retrans_stamp_us / 1000) + t.ts_offset);
    const Seq last(t.ts_now(now));
    const Seq echo(seg.tsecr);
    if (echo < first || echo > last) {
      t.count(Counter::PAWSActive);
      refuse_ack(t, seg, ATCP_REASON_PAWS);
      t.drop(pkt, ATCP_REASON_PAWS);
      return;
    }
  }
  const uint64_t first_syn_us = t.retrans_stamp_us;
  take_syn_options(t, seg);
  take_irs(t, seg, now);
  if (ack) {
    t.snd_una = t.iss + 1;
    t.bytes_acked += 1;  // Linux's tcpi_bytes_acked counts the SYN of an active open
    if (t.syn_retries == 0)
      t.rtt.sample(static_cast<uint32_t>(max<uint64_t>(now.us - first_syn_us, 1)), now.us);
    become_established(t, now);
    if (t.fastopen) {
      // What of our data it took (the window of a SYN is not scaled, so seg goes as it is).
      if (seg_ack > t.iss + 1) process_ack(t, seg, now);
      fastopen_answered(t, seg);
    }
    // Payload or FIN on a SYN-ACK: what follows the SYN is in order.
    atcp_seg rest = seg;
    rest.seq += 1;
    rest.flags = static_cast<uint8_t>(rest.flags & ~ATCP_SYN);
    if ((rest.flags & ATCP_URG) != 0 && seg.urg > 1) {
      rest.urg -= 1;  // it counts from the SYN
      urgent_input(t, rest, pkt);
    }
    receive_data(t, rest, pkt, now);
    if (t.in_done) return;
    if (t.fin_queued) {
      set_state(t, State::FinWait1, now);
    }
    push(t, false, now);
    if (t.last_ack_sent != t.rcv_nxt || t.packets_out == 0) send_ack(t, now);
    return;
  }
  // Simultaneous open (RFC 9293 3.5): SYN without ACK.
  if (t.fastopen) fastopen_answered(t, seg);
  set_state(t, State::SynReceived, now);
  send_syn(t, now);
  t.timers.set(TimerId::Retransmit, now.us + RttEstimator::kInitialRtoUs);
  atcp_os_pkt_free(pkt, ATCP_REASON_NONE);
}

void become_established(Tcb& t, Now now) {
  if (t.syn_retries > 0 && !t.rtt.have_sample()) {
    // RFC 6298 5.7: the handshake timed out, so start from 3 s and from one segment (RFC 6928 2).
    t.rtt.sample(kRtoFallbackUs / 3, now.us);
    t.cc.cwnd = 1;
  }
  fastopen_settle(t, 0);
  t.retrans_stamp_us = 0;
  t.backoff = 0;
  t.retransmits = 0;
  // What timed the SYN is over. A fast open may have data under way, at the pace of data from now on.
  if (t.packets_out != 0)
    arm_rto(t, now);
  else
    t.timers.stop(TimerId::Retransmit);
  t.snd_sml = t.snd_una;
  t.last_ack_us = now.us;
  t.rcv_space_time_us = now.us;
  set_state(t, State::Established, now);
  mtu_probe_begin(t, now);
  reset_cc(t, true, now);
  enter_quick_ack(t, 16);
  want_send_buffer(t);
  atcp_os_conn_event(t.conn(), ATCP_EV_STATE | ATCP_EV_WRITABLE);
  if (t.keepalive_on) restart_keepalive(t, now);
}

}  // namespace atcp
