// SPDX-License-Identifier: GPL-2.0
//
// A segment arrives at a connection: the steps of RFC 9293 3.10.7.4 in their order, with the
// checks of RFC 7323 (PAWS) and RFC 5961 (blind resets, SYNs and data) where they belong. SYN_SENT
// (3.10.7.3) is in open.cpp, LISTEN in listen/.
#include "conn/event.h"
#include "conn/gate.h"
#include "conn/tcb.h"

namespace atcp {

namespace {

/// The peer reset us (RFC 9293 3.10.7.4, second check).
void reset_by_peer(Tcb& t, Now now) {
  switch (t.state) {
    case State::SynReceived:
      // MUST-11: a passive open goes back to LISTEN without a word; an active one was refused.
      t.count(Counter::EmbryonicRsts);
      fastopen_settle(t, max(static_cast<uint32_t>(now.us / 1000000), 1u));
      done(t, ATCP_REASON_RESET_BY_PEER, t.passive ? ATCP_ERR_RESET : ATCP_ERR_REFUSED, now);
      return;
    case State::CloseWait:
      done(t, ATCP_REASON_RESET_BY_PEER, ATCP_ERR_PIPE, now);
      return;
    default:
      done(t, ATCP_REASON_RESET_BY_PEER, ATCP_ERR_RESET, now);
      return;
  }
}

/// First to third check. Returns the reason why the segment goes no further, or NONE.
uint32_t validate(Tcb& t, const atcp_seg& seg, Now now) {
  const Seq seq(seg.seq);
  const bool rst = (seg.flags & ATCP_RST) != 0;
  const uint32_t now_s = static_cast<uint32_t>(now.us / 1000000);
  // RFC 7323 5.3: PAWS before anything else. Deviation: a reset is judged by its sequence number
  // alone, as in Linux (a rebooted peer has a new clock).
  if (!rst && t.ts_ok && (seg.has & ATCP_OPT_TS) != 0 &&
      paws_old(t.ts_recent, t.ts_recent_s, seg.tsval, now_s)) {
    t.count(Counter::PAWSEstab);
    if (seg.len > 0 && t.sack_ok && t.param(Param::Dsack) != 0) {
      t.dsack_pending = true;
      t.dsack = {seq, seq + seg.len};
    }
    send_dup_ack(t, seg, Counter::TCPACKSkippedPAWS, now);
    return ATCP_REASON_PAWS;
  }
  const uint32_t wnd = bytes_between(t.rcv_wup, t.rcv_nxt) + t.receive_window();
  // First: is it in the window?
  if (!seq_acceptable(t.rcv_wup, wnd, seq, seg_space(seg))) {
    if (rst) return ATCP_REASON_RST_OUT_OF_WINDOW;
    if ((seg.flags & ATCP_SYN) != 0) {
      t.count(Counter::TCPSYNChallenge);
      send_challenge_ack(t, now);
      return ATCP_REASON_SYN_CHALLENGED;
    }
    const bool old = seq < t.rcv_nxt;
    if (old && seg.len > 0 && t.sack_ok && t.param(Param::Dsack) != 0) {
      t.count(Counter::TCPDSACKOldSent);
      t.dsack_pending = true;
      t.dsack = {seq, seq + seg.len};
    }
    if (!old) t.count(Counter::BeyondWindow);
    send_dup_ack(t, seg, Counter::TCPACKSkippedSeq, now);
    return old ? ATCP_REASON_SEQ_OLD : ATCP_REASON_SEQ_BEYOND_WINDOW;
  }
  // Second: RST (RFC 5961 3.2), exact, or exact at the edge of the newest SACK block.
  if (rst) {
    RstVerdict v = rst_verdict(t.rcv_nxt, t.rcv_wup, wnd, seq);
    if (v == RstVerdict::Challenge && t.ofo.n_blocks() > 0) {
      Seq top = t.ofo.block(0).end;
      for (uint32_t i = 1; i < t.ofo.n_blocks(); i++)
        top = t.ofo.block(i).end > top ? t.ofo.block(i).end : top;
      if (seq == top) v = RstVerdict::Reset;
    }
    switch (v) {
      case RstVerdict::Reset:
        tell_reset_received(*t.ns, t.conn(), tuple_of(t), seg, ATCP_REASON_RESET_BY_PEER);
        reset_by_peer(t, now);
        return ATCP_REASON_RESET_BY_PEER;
      case RstVerdict::Challenge:
        send_challenge_ack(t, now);
        return ATCP_REASON_RST_CHALLENGED;
      case RstVerdict::Ignore:
        return ATCP_REASON_RST_OUT_OF_WINDOW;
    }
  }
  // Fourth: SYN (RFC 5961 4.2).
  if ((seg.flags & ATCP_SYN) != 0) {
    t.count(Counter::TCPSYNChallenge);
    send_challenge_ack(t, now);
    return ATCP_REASON_SYN_CHALLENGED;
  }
  // Fifth: no ACK, no more.
  if ((seg.flags & ATCP_ACK) == 0) return ATCP_REASON_NO_ACK_FLAG;
  return ATCP_REASON_NONE;
}

/// Our FIN has been acknowledged.
void fin_acked(Tcb& t, Now now) {
  // RFC 9293 3.10.7.4, fifth check: what the ACK of our FIN does in each state.
  switch (t.state) {
    case State::FinWait1:
      set_state(t, State::FinWait2, now);
      atcp_os_conn_event(t.conn(), ATCP_EV_STATE);
      if (atcp_os_conn_orphaned(t.conn())) start_fin_wait2(t, now);
      break;
    case State::Closing:
      enter_time_wait(t, now);
      break;
    case State::LastAck:
      done(t, ATCP_REASON_NORMAL_CLOSE, ATCP_OK, now);
      break;
    case State::Established:
    case State::SynSent:
    case State::SynReceived:
    case State::FinWait2:
    case State::TimeWait:
    case State::Closed:
    case State::CloseWait:
    case State::Listen:
      break;
  }
}

}  // namespace

void input(Tcb& t, const atcp_seg& in_seg, atcp_pkt* pkt, Now now) {
  t.count(Counter::InSegs, in_seg.segs);
  t.segs_in += in_seg.segs;
  if (t.state == State::Closed || t.state == State::Listen) {
    t.drop(pkt, ATCP_REASON_SOCKET_CLOSED);
    return;
  }
  if (t.state == State::SynSent) {
    input_syn_sent(t, in_seg, pkt, now);
    t.timers.sync(t.conn());
    return;
  }

  atcp_seg seg = in_seg;
  if (t.state == State::SynReceived && (seg.flags & (ATCP_SYN | ATCP_RST)) == ATCP_SYN &&
      Seq(seg.seq) == t.irs) {
    // The peer's SYN again: with an ACK it completes a simultaneous open (RFC 9293 3.5, figure 8),
    // without one our SYN-ACK was lost.
    if ((seg.flags & ATCP_ACK) == 0) {
      if (dup_answer_allowed(t, Counter::TCPACKSkippedSynRecv, now)) send_syn_again(t, now);
      t.drop(pkt, ATCP_REASON_REQUEST_SYN_DUP);
      return;
    }
    seg.seq += 1;
    seg.flags = static_cast<uint8_t>(seg.flags & ~ATCP_SYN);
  }

  uint32_t reason = validate(t, seg, now);
  if (reason != ATCP_REASON_NONE) {
    if (reason == ATCP_REASON_RESET_BY_PEER)
      atcp_os_pkt_free(pkt, reason);  // counted by done()
    else
      t.drop(pkt, reason);
    t.timers.sync(t.conn());
    return;
  }

  if (t.state == State::SynReceived) {
    const Seq ack(seg.ack);
    if (ack <= t.snd_una || ack > t.snd_nxt) {
      Header h;
      h.lport = t.lport;
      h.rport = t.rport;
      h.seq = ack;
      h.flags = ATCP_RST;
      uint8_t buf[kMaxHeader];
      const uint32_t n = write_header(h, buf);
      const bool left = atcp_os_conn_emit(t.conn(), buf, n, nullptr, 0, 0, kNotEct) == 0;
      t.count(Counter::OutRsts);
      if (left)
        tell_reset_sent(*t.ns, t.conn(), tuple_of(t), ack, h.flags, ATCP_REASON_REQUEST_ACK_BAD);
      t.drop(pkt, ATCP_REASON_REQUEST_ACK_BAD);
      return;
    }
    t.snd_wnd = static_cast<uint32_t>(seg.wnd) << t.snd_wscale;
    // The window of a SYN is not scaled: it says nothing of how large this one can be.
    const uint32_t least = min(t.max_snd_wnd, t.snd_wnd);
    t.max_snd_wnd = t.snd_wnd;
    if (t.pmtu == 0 || t.mss >= least / 2) update_mss(t, t.pmtu);
    t.snd_wl1 = Seq(seg.seq);
    t.snd_una = t.iss + 1;
    become_established(t, now);
    if (t.fin_queued) set_state(t, State::FinWait1, now);
  }
  // Fifth check, the rest: the ACK field.
  const AckResult ack = process_ack(t, seg, now);
  if (!ack.valid) {
    t.drop(pkt, ack.reason);
    t.timers.sync(t.conn());
    return;
  }
  // Only now: a segment with an impossible ACK must not move the peer's clock (RFC 5961 5).
  store_ts(t, seg, now);
  if (ack.fin_acked) {
    fin_acked(t, now);
    if (t.in_done) {
      // In TIME_WAIT the entry answers what else this segment brought when it comes again; an
      // acceptable FIN in it is seen by sending no data: only CLOSING gets here, and it had one.
      atcp_os_pkt_free(pkt, ATCP_REASON_NONE);
      return;
    }
  }
  // Sixth: URG; seventh and eighth: payload, FIN.
  if ((seg.flags & ATCP_URG) != 0 || t.urgent.awaited()) urgent_input(t, seg, pkt);
  receive_data(t, seg, pkt, now);
  if (t.in_done) return;
  retransmit_lost(t, now);
  push(t, false, now);
  ack_check(t, now);
  if (t.keepalive_on) restart_keepalive(t, now);
  t.timers.sync(t.conn());
}

}  // namespace atcp
