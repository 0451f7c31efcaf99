// SPDX-License-Identifier: GPL-2.0
//
// Loss detection and what it does to cwnd: SACK-based detection by RFC 6675 with a reordering
// threshold that learns (RFC 4653's idea, Linux's bounds), lost retransmissions by send time (the
// rule of RFC 8985 5), NewReno (RFC 6582) without SACK, proportional rate reduction (RFC 6937),
// and undo of reductions that DSACK (RFC 3708) or timestamps (RFC 3522) show to be needless.
#include "conn/tcb.h"

namespace atcp {

namespace {

constexpr uint32_t kMaxReordering = 300;

void start_undo(Tcb& t) {
  t.undo_ok = true;
  t.undo_marker = t.snd_una;
  t.undo_retrans = 0;
  t.retrans_stamp_us = 0;
}

void reduce(Tcb& t, Now now) {
  t.prior_cwnd = t.cc.cwnd;
  t.prior_ssthresh = t.cc.ssthresh;
  t.cc.ssthresh = max(t.cc_ops->ssthresh(t.cc, now.us), 2u);
}

void tell(Tcb& t, CcEvent e, Now now) {
  if (t.cc_ops->on_event != nullptr) t.cc_ops->on_event(t.cc, e, now.us);
}

/// Clear every loss mark: what is outstanding is thought to be in the network after all.
void unmark_all(Tcb& t) {
  for (TxSeg* s = t.tx.first(); s != nullptr && s->has(TxSeg::kSent); s = Treap<TxSeg>::next(s))
    s->flags = static_cast<uint8_t>(s->flags & ~(TxSeg::kLost | TxSeg::kInNetAgain));
  t.lost_out = 0;
  t.retrans_out = 0;
}

void undo(Tcb& t, Now now) {
  t.cc.cwnd = max(t.cc.cwnd, t.prior_cwnd);
  if (t.prior_ssthresh > t.cc.ssthresh) t.cc.ssthresh = t.prior_ssthresh;
  t.undo_ok = false;
  t.retrans_stamp_us = 0;
  t.backoff = 0;
  unmark_all(t);
  t.ca_state = t.sacked_out > 0 ? CaState::Disorder : CaState::Open;
  tell(t, CcEvent::Undo, now);
}

void enter_recovery(Tcb& t, Now now) {
  t.count(t.sack_ok ? Counter::TCPSackRecovery : Counter::TCPRenoRecovery);
  t.high_seq = t.snd_nxt;
  start_undo(t);
  reduce(t, now);
  t.prr_delivered = 0;
  t.prr_out = 0;
  t.ca_state = CaState::Recovery;
  tell(t, CcEvent::EnterRecovery, now);
}

/// IsLost() of RFC 6675 for all pieces at once: walk down from the highest SACKed one until
/// `reordering` SACKed segments were passed; what lies below and is not SACKed is lost.
void detect_sack_losses(Tcb& t) {
  if (t.sacked_out < t.reordering) return;
  uint32_t passed = 0;
  TxSeg* s = t.tx.lower_bound(t.high_sacked - 1);
  while (s != nullptr && passed < t.reordering) {
    if (s->has(TxSeg::kSacked)) passed += s->segs;
    s = Treap<TxSeg>::prev(s);
  }
  // Below a piece that is marked already, an earlier pass has been: the walk is short.
  for (; s != nullptr && !s->has(TxSeg::kLost); s = Treap<TxSeg>::prev(s))
    if (!s->has(TxSeg::kSacked)) mark_lost(t, *s);
}

/// A retransmission is lost itself if something sent clearly later has arrived.
void detect_lost_retransmissions(Tcb& t) {
  if (t.retrans_out == 0) return;
  const uint64_t slack = max(t.rtt.srtt_us() / 4, 1000u);
  for (TxSeg* s = t.tx.first(); s != nullptr && s->has(TxSeg::kSent); s = Treap<TxSeg>::next(s)) {
    if (s->has(TxSeg::kInNetAgain) && s->sent_us + slack < t.newest_sent_us) {
      t.count(Counter::TCPLostRetransmit);
      mark_lost(t, *s);
    }
  }
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

/// RFC 6937, with the slow-start reduction bound.
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
    const uint32_t owed = t.prr_delivered > t.prr_out ? t.prr_delivered - t.prr_out : 0;
    send = max(owed, delivered);
    if (t.snd_una != a.prior_una) send++;
    send = min(send, t.cc.ssthresh - flight);
  }
  if (t.prr_out == 0) send = max(send, 1u);  // the fast retransmit itself
  t.cc.cwnd = flight + send;
}

void end_recovery(Tcb& t, Now now) {
  const bool was_recovery = t.ca_state == CaState::Recovery;
  if (was_recovery) t.cc.cwnd = t.cc.ssthresh;
  t.ca_state = t.sacked_out > 0 ? CaState::Disorder : CaState::Open;
  t.undo_ok = false;
  t.retrans_stamp_us = 0;
  if (!t.sack_ok) t.sacked_out = 0;
  if (was_recovery) tell(t, CcEvent::ExitRecovery, now);
}

}  // namespace

void mark_lost(Tcb& t, TxSeg& s) {
  if (s.has(TxSeg::kSacked)) return;
  if (s.has(TxSeg::kInNetAgain)) {
    s.flags = static_cast<uint8_t>(s.flags & ~TxSeg::kInNetAgain);
    t.retrans_out -= s.segs;
  }
  if (!s.has(TxSeg::kLost)) {
    s.flags |= TxSeg::kLost;
    t.lost_out += s.segs;
  }
}

void recovery_on_dsack(Tcb& t, const SackBlock& b) {
  // A retransmission of this episode was needless.
  if (!t.undo_ok || t.undo_retrans == 0 || b.start < t.undo_marker) return;
  const uint32_t segs = segs_of(t, bytes_between(b.start, b.end));
  t.undo_retrans = t.undo_retrans > segs ? t.undo_retrans - segs : 0;
  if (t.undo_retrans == 0) t.dsack_undo = true;
}

void recovery_on_ack(Tcb& t, const AckSample& a, Now now) {
  const bool advanced = t.snd_una != a.prior_una;
  if (a.reorder_seen > t.reordering) t.reordering = min(a.reorder_seen, kMaxReordering);

  // Needless reductions first: what they marked lost is not.
  if (t.undo_ok && in_recovery(t) && (t.dsack_undo || (advanced && a.ts_undo))) undo(t, now);
  t.dsack_undo = false;

  if (in_recovery(t) && t.snd_una >= t.high_seq) end_recovery(t, now);

  if (t.sack_ok) {
    detect_sack_losses(t);
    detect_lost_retransmissions(t);
  } else if (t.packets_out > 0) {
    // RFC 6582: three duplicate ACKs, or a partial ACK in recovery, mean the first piece.
    const bool third = !in_recovery(t) && t.sacked_out >= 3;
    const bool partial = t.ca_state == CaState::Recovery && advanced;
    if (third || partial) mark_first_segment_lost(t);
  }

  switch (t.ca_state) {
    case CaState::Open:
    case CaState::Disorder:
      if (t.lost_out > 0)
        enter_recovery(t, now);
      else
        t.ca_state = t.sacked_out > 0 ? CaState::Disorder : CaState::Open;
      break;
    case CaState::Recovery:
    case CaState::Loss:
      break;
  }

  if (t.ca_state == CaState::Recovery) {
    prr(t, a);
  } else if (a.acked + a.sacked > 0 && (advanced || t.reordering > t.param(Param::Reordering))) {
    // A duplicate ACK may let something go, but does not open cwnd (RFC 5681 3.2, step 1); on a path
    // known to reorder it is as good as any.
    CcAck c = {};
    c.now_us = now.us;
    c.acked = a.acked + a.sacked;
    c.in_flight = a.prior_in_flight;
    c.rtt_us = a.rtt_us;
    c.srtt_us = t.rtt.srtt_us();
    c.min_rtt_us = t.rtt.min_rtt_us();
    // RFC 7661's idea, Linux's rule: in slow start half of cwnd in use is enough.
    c.cwnd_limited = t.cwnd_limited || t.ca_state == CaState::Loss ||
                     (t.cc.cwnd < t.cc.ssthresh && t.cc.cwnd < 2 * a.prior_in_flight);
    t.cc_ops->on_ack(t.cc, c);
    t.cc.cwnd = clamp(t.cc.cwnd, 1u, t.cc.cwnd_clamp);
  }
}

void enter_loss(Tcb& t, Now now) {
  const bool first =
      t.ca_state == CaState::Open || t.ca_state == CaState::Disorder || t.snd_una >= t.high_seq;
  const uint64_t stamp = t.retrans_stamp_us;
  if (first) {
    start_undo(t);
    reduce(t, now);
  } else if (t.ca_state == CaState::Recovery) {
    t.undo_ok = false;
  }
  t.retrans_stamp_us = stamp;
  TxSeg* head = t.tx.first();
  if (head != nullptr && head->has(TxSeg::kSacked)) {
    // The peer took back what it had SACKed (RFC 2018 8): believe none of it.
    t.count(Counter::TCPSACKReneging);
    for (TxSeg* s = head; s != nullptr && s->has(TxSeg::kSent); s = Treap<TxSeg>::next(s))
      s->flags = static_cast<uint8_t>(s->flags & ~TxSeg::kSacked);
    t.sacked_out = 0;
  }
  if (!t.sack_ok) t.sacked_out = 0;
  for (TxSeg* s = head; s != nullptr && s->has(TxSeg::kSent); s = Treap<TxSeg>::next(s))
    mark_lost(t, *s);
  t.cc.cwnd = 1;
  t.cc.cwnd_cnt = 0;
  t.high_seq = t.snd_nxt;
  t.ca_state = CaState::Loss;
  tell(t, CcEvent::Timeout, now);
}

}  // namespace atcp
