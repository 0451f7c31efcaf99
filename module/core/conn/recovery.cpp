// SPDX-License-Identifier: GPL-2.0
//
// What loss does to cwnd. With SACK, RACK finds it (rack.cpp); without, NewReno (RFC 6582). Recovery by
// proportional rate reduction (RFC 9937), undo of reductions that DSACK (RFC 3708) or timestamps (RFC 3522)
// show to be needless, and of timeouts by F-RTO (RFC 5682, in the form for SACK that Linux has).
#include "conn/tcb.h"

namespace atcp {

namespace {

void start_undo(Tcb& t) {
  t.undo_ok = true;
  t.undo_marker = t.snd_una;
  t.undo_retrans = 0;
  t.retrans_stamp_us = 0;
  t.rack.tlp_out = false;
}

void reduce(Tcb& t, atcp_cc_event why, Now now) {
  t.prior_cwnd = t.cc.cwnd;
  t.prior_ssthresh = t.cc.ssthresh;
  t.cc.ssthresh = max(t.cc_ops->ssthresh(t.cc, why, now.us), 2u);
  ecn_reduced(t, true);
}

/// The congestion control sets cwnd by itself.
bool controls(const Tcb& t) {
  return t.cc_ops->control != nullptr;
}

void tell(Tcb& t, atcp_cc_event e, Now now) {
  if (t.cc_ops->on_event != nullptr) t.cc_ops->on_event(t.cc, e, now.us);
}

void undo(Tcb& t, Now now) {
  t.cc.cwnd = max(t.cc.cwnd, t.prior_cwnd);
  if (t.prior_ssthresh > t.cc.ssthresh) t.cc.ssthresh = t.prior_ssthresh;
  t.undo_ok = false;
  t.retrans_stamp_us = 0;
  t.backoff = 0;
  t.frto = false;
  t.frto_send_new = false;
  board_clear_lost(t);
  ecn_reduced(t, false);
  t.ca_state = t.sacked_out > 0 ? CaState::Disorder : CaState::Open;
  tell(t, ATCP_CC_UNDO, now);
}

void enter_recovery(Tcb& t, Now now) {
  t.count(t.sack_ok ? Counter::TCPSackRecovery : Counter::TCPRenoRecovery);
  t.high_seq = t.snd_nxt;
  start_undo(t);
  if (t.ca_state == CaState::Cwr) {
    // Reduced already, for a mark that cannot have been needless.
    t.undo_ok = false;
  } else {
    reduce(t, ATCP_CC_ENTER_RECOVERY, now);
    t.prr_delivered = 0;
    t.prr_out = 0;
  }
  t.ca_state = CaState::Recovery;
  tell(t, ATCP_CC_ENTER_RECOVERY, now);
}

/// A mark is echoed (RFC 3168 6.1.2): once per window, and not on top of a loss.
void enter_cwr(Tcb& t, Now now) {
  t.high_seq = t.snd_nxt;
  t.undo_ok = false;
  reduce(t, ATCP_CC_ENTER_CWR, now);
  t.prr_delivered = 0;
  t.prr_out = 0;
  t.ca_state = CaState::Cwr;
  tell(t, ATCP_CC_ENTER_CWR, now);
}

bool in_recovery(const Tcb& t) {
  return t.ca_state == CaState::Recovery || t.ca_state == CaState::Loss;
}

/// NewReno: one segment of the first piece.
void mark_first_segment_lost(Tcb& t) {
  TxSeg* s = t.tx.first();
  if (s == nullptr || !s->has(TxSeg::kSent)) return;
  if (s->len > t.mss) split(t, *s, t.mss);
  mark_lost(t, *s);
  if (t.sacked_out + t.lost_out > t.packets_out) t.sacked_out = t.packets_out - t.lost_out;
}

/// RFC 9937. Deviation: RecoverFS is cwnd at the beginning, as in Linux, not what was in flight.
void prr(Tcb& t, const AckSample& a) {
  const uint32_t delivered = a.acked + a.sacked;
  const uint32_t flight = t.in_flight();
  t.prr_delivered += delivered;
  uint32_t send = 0;
  if (flight > t.cc.ssthresh) {
    const uint64_t target =
        (static_cast<uint64_t>(t.cc.ssthresh) * t.prr_delivered + t.prior_cwnd - 1) /
        max(t.prior_cwnd, 1u);
    send = target > t.prr_out ? static_cast<uint32_t>(target) - t.prr_out : 0;
  } else {
    // Slow start towards ssthresh only while nothing else turns out to be lost (SafeACK).
    const bool safe = t.snd_una != a.prior_una && t.lost_out <= a.prior_lost;
    const uint32_t owed = t.prr_delivered > t.prr_out ? t.prr_delivered - t.prr_out : 0;
    send = max(owed, delivered) + (safe ? 1 : 0);
    send = min(send, t.cc.ssthresh - flight);
  }
  if (t.prr_out == 0) send = max(send, 1u);  // the fast retransmit itself
  t.cc.cwnd = flight + send;
}

/// What a reduction ends with. One that began under an algorithm with a model of its own may have no ssthresh.
void to_ssthresh(Tcb& t) {
  if (!controls(t) && t.cc.ssthresh < kSsthreshInfinite) t.cc.cwnd = t.cc.ssthresh;
}

/// The reduction that a mark asked for is complete.
void end_cwr(Tcb& t, Now now) {
  to_ssthresh(t);
  t.ca_state = t.sacked_out > 0 ? CaState::Disorder : CaState::Open;
  tell(t, ATCP_CC_EXIT_RECOVERY, now);
}

void end_recovery(Tcb& t, Now now) {
  const bool was_recovery = t.ca_state != CaState::Loss;
  if (was_recovery) to_ssthresh(t);
  t.ca_state = t.sacked_out > 0 ? CaState::Disorder : CaState::Open;
  t.undo_ok = false;
  t.frto = false;
  t.frto_send_new = false;
  t.retrans_stamp_us = 0;
  rack_recovered(t);
  if (!t.sack_ok) t.sacked_out = 0;
  if (was_recovery) tell(t, ATCP_CC_EXIT_RECOVERY, now);
}

/// RFC 5682 3.1, as Linux does it with SACK: after a timeout, an ACK of something that was sent only once and
/// before it shows that nothing was lost.
void frto_judge(Tcb& t, const AckSample& a, bool advanced, Now now) {
  if (!t.frto) return;
  if (a.orig_delivered) {
    t.count(Counter::TCPSpuriousRTOs);
    undo(t, now);
    return;
  }
  if (t.snd_nxt > t.high_seq) {
    // New data went out after the timeout (step 2b); what is SACKed now, or a duplicate ACK, is of that.
    if (a.sacked > 0 || a.dup_ack) t.frto = false;
  } else if (advanced && t.snd_una < t.high_seq) {
    t.high_seq = t.snd_nxt;
    const bool more =
        t.send_head != nullptr && t.send_head->seq_len() > 0 && t.snd_wnd_end() > t.snd_nxt;
    t.frto = more;
    t.frto_send_new = more;
    return;
  }
  t.frto_send_new = false;
}

/// Loss was found outside of recovery.
void begin_if_lost(Tcb& t, Now now) {
  if (in_recovery(t) || (t.lost_out > 0 && mtu_probe_lost(t, now))) return;
  if (t.lost_out > 0)
    enter_recovery(t, now);
  else if (t.ca_state != CaState::Cwr)
    t.ca_state = t.sacked_out > 0 ? CaState::Disorder : CaState::Open;
}

}  // namespace

void recovery_on_probed_loss(Tcb& t, Now now) {
  if (in(t.ca_state, kReducingStates)) return;
  reduce(t, ATCP_CC_ENTER_RECOVERY, now);
  tell(t, ATCP_CC_ENTER_RECOVERY, now);
  if (!controls(t)) t.cc.cwnd = min(t.cc.cwnd, t.cc.ssthresh);
  tell(t, ATCP_CC_EXIT_RECOVERY, now);
}

void recovery_on_dsack(Tcb& t, const SackBlock& b) {
  // A retransmission of this episode was needless.
  if (!t.undo_ok || t.undo_retrans == 0 || b.start < t.undo_marker) return;
  const uint32_t segs = segs_of(bytes_between(b.start, b.end), t.mss);
  t.undo_retrans = t.undo_retrans > segs ? t.undo_retrans - segs : 0;
  if (t.undo_retrans == 0) t.dsack_undo = true;
}

void recovery_on_ack(Tcb& t, const AckSample& a, Now now) {
  const bool advanced = t.snd_una != a.prior_una;
  if (a.reorder_seen > t.reordering)
    t.reordering = max(t.reordering, min(a.reorder_seen, t.param(Param::MaxReordering)));

  CcAck c = {};
  c.now_us = now.us;
  c.acked = a.acked + a.sacked;
  c.in_flight = a.prior_in_flight;
  c.rtt_us = a.rtt_us;
  c.srtt_us = t.rtt.srtt_us();
  c.min_rtt_us = t.rtt.min_rtt_us();
  c.ece = a.ece;
  c.round = t.round;
  c.mss = t.mss;
  c.delivered = t.rate.delivered;
  c.prior_delivered = a.prior_delivered;
  c.rate_segs = a.rate_segs;
  c.rate_us = a.rate_us;
  c.tx_in_flight = a.tx_in_flight;
  c.tx_lost = a.tx_lost;
  c.app_limited = a.app_limited;
  if (t.cc_ops->observe != nullptr) t.cc_ops->observe(t.cc, c);

  // Needless reductions first: what they marked lost is not.
  if (t.undo_ok && in_recovery(t) && (t.dsack_undo || (advanced && a.ts_undo))) undo(t, now);
  t.dsack_undo = false;

  if (t.ca_state == CaState::Loss) frto_judge(t, a, advanced, now);
  if (in_recovery(t) && t.snd_una >= t.high_seq) end_recovery(t, now);
  // Until what went out after the reduction is acknowledged: before that the peer has not seen CWR and still echoes.
  if (t.ca_state == CaState::Cwr && t.snd_una > t.high_seq) end_cwr(t, now);

  if (t.sack_ok) {
    rack_detect(t, now);
  } else if (t.packets_out > 0) {
    // RFC 6582: three duplicate ACKs (parameter reordering), or a partial ACK in recovery, mean the first piece.
    const bool third = !in_recovery(t) && t.sacked_out >= t.reordering;
    const bool partial = t.ca_state == CaState::Recovery && advanced;
    if (third || partial) mark_first_segment_lost(t);
  }

  begin_if_lost(t, now);
  if (a.ece && ecn_is_news(t) && !in(t.ca_state, kReducingStates)) enter_cwr(t, now);

  c.lost = t.rate.lost - t.rate.lost_told;
  t.rate.lost_told = t.rate.lost;
  c.flight_now = t.in_flight();
  c.recovering = in_recovery(t);
  if (controls(t)) {
    // At any time in this round trip or the last: whoever is paced stops for cwnd now and then only.
    c.cwnd_limited = t.limited_round != 0 && t.round + 1 - t.limited_round <= 1;
    t.cc_ops->control(t.cc, c);
    t.cc.cwnd = clamp(t.cc.cwnd, 1u, t.cc.cwnd_clamp);
  } else if (in(t.ca_state, bit(CaState::Recovery) | bit(CaState::Cwr))) {
    prr(t, a);
  } else if (a.acked + a.sacked > 0 && (advanced || t.reordering > t.param(Param::Reordering))) {
    // A duplicate ACK may let something go, but does not open cwnd (RFC 5681 3.2, step 1); on a path
    // known to reorder it is as good as any.
    // RFC 7661's idea, Linux's rule: in slow start half of cwnd in use is enough.
    c.cwnd_limited = t.cwnd_limited || t.ca_state == CaState::Loss ||
                     (t.cc.cwnd < t.cc.ssthresh && t.cc.cwnd < 2 * a.prior_in_flight);
    t.cc_ops->on_ack(t.cc, c);
    t.cc.cwnd = clamp(t.cc.cwnd, 1u, t.cc.cwnd_clamp);
  }
}

void recovery_on_time(Tcb& t, Now now) {
  const uint32_t before = t.lost_out;
  rack_detect(t, now);
  begin_if_lost(t, now);
  // No ACK gives leave to send, but what was found lost makes room, and the first of it goes in any case.
  if (t.lost_out > before && t.ca_state == CaState::Recovery)
    t.cc.cwnd = max(controls(t) ? t.cc.cwnd : min(t.cc.cwnd, t.cc.ssthresh),
                    t.in_flight() + (t.prr_out == 0 ? 1 : 0));
}

void enter_loss(Tcb& t, Now now) {
  const bool first =
      t.ca_state == CaState::Open || t.ca_state == CaState::Disorder || t.snd_una >= t.high_seq;
  const uint64_t stamp = t.retrans_stamp_us;
  if (first) {
    start_undo(t);
    reduce(t, ATCP_CC_TIMEOUT, now);
  } else if (t.ca_state == CaState::Recovery) {
    t.undo_ok = false;
  }
  t.retrans_stamp_us = stamp;
  t.rack.tlp_out = false;
  t.timers.stop(TimerId::Reorder);
  t.timers.stop(TimerId::TailProbe);
  TxSeg* head = t.tx.first();
  if (head != nullptr && head->has(TxSeg::kSacked)) {
    // The peer took back what it had SACKed (RFC 2018 8): believe none of it.
    t.count(Counter::TCPSACKReneging);
    board_renege(t);
    for (SackBlock& b : t.sack_cache)
      b = {};
  }
  if (t.sack_ok) {
    rack_mark_on_rto(t, now);
  } else {
    t.sacked_out = 0;
    while (TxSeg* s = t.sent_list.first())
      mark_lost(t, *s);
  }
  // RFC 5682 2.1: not in the middle of a recovery, but again at each further timeout.
  t.frto = t.param(Param::Frto) != 0 && t.sack_ok && (first || t.retransmits > 0);
  t.frto_send_new = false;
  t.high_seq = t.snd_nxt;
  t.ca_state = CaState::Loss;
  tell(t, ATCP_CC_TIMEOUT, now);
  // RFC 5681 3.1: one segment beside what is not given up yet.
  t.cc.cwnd = t.in_flight() + 1;
  t.cc.cwnd_cnt = 0;
}

}  // namespace atcp
