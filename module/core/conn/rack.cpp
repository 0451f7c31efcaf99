// SPDX-License-Identifier: GPL-2.0
//
// Loss by time (RFC 8985). Deviations: the pieces in the network are in the order of their sending, so the search
// ends at the first that is not due, and the reordering timer is set for the last that could be; the threshold
// of duplicates is the parameter `reordering`; the response to a probed loss is the engine's (recovery.cpp).
#include "conn/rack.h"

#include "conn/tcb.h"

namespace atcp {

namespace {

constexpr uint8_t kPersistRecoveries = 16;  ///< RFC 8985 6.2
constexpr uint8_t kMaxMult = 255;
constexpr uint32_t kReorderFraction = 4;     ///< reo_wnd begins as min_rtt / 4
constexpr uint32_t kFirstPtoUs = 1000000;    ///< without an RTT (7.2)
constexpr uint32_t kMaxAckDelayUs = 200000;  ///< how long a peer may sit on the ACK of one segment
constexpr uint32_t kProbesTail = 3;          ///< parameter early_retrans: from here on, as in Linux
constexpr uint32_t kMostLooked = 1024;       ///< pieces, when duplicates are counted
constexpr uint32_t kPtoSlackUs =
    8000;  ///< two jiffies, as Linux: on a short path two RTTs are soon over

bool in_recovery(const Tcb& t) {
  return t.ca_state == CaState::Recovery || t.ca_state == CaState::Loss;
}

/// RACK_sent_after(): was s sent before the newest of those delivered? Of two sent at one time, one that was sent
/// again may have been the later one, whatever its number: it is given the benefit of the doubt.
bool overtaken(const Rack& r, const TxSeg& s) {
  if (s.sent_us != r.xmit_us) return s.sent_us < r.xmit_us;
  return !s.has(TxSeg::kInNetAgain) && s.end() < r.end_seq;
}

bool is_due(const Tcb& t, const TxSeg& s, Now now) {
  return s.sent_us + t.rack.rtt_us + rack_reo_wnd_us(t) <= now.us;
}

void lose(Tcb& t, TxSeg& s) {
  if (s.has(TxSeg::kInNetAgain)) t.count(Counter::TCPLostRetransmit);
  mark_lost(t, s);
}

bool by_time(const Tcb& t) {
  return (t.param(Param::Recovery) & kRecoveryByTime) != 0;
}

/// RFC 6675 4, IsLost(), in segments: where so many are SACKed that all below it is lost; false: nowhere. An ACK looks at
/// a limited number of pieces; what is further below the highest SACKed one is lost.
bool enough_above(const Tcb& t, Seq* from) {
  if (t.sacked_out < t.reordering) return false;
  uint32_t sacked = 0;
  uint32_t looked = 0;
  // From the highest SACKed piece downwards.
  for (const TxSeg* s = t.tx.lower_bound(t.high_sacked - 1); s != nullptr;
       s = Treap<TxSeg>::prev(s)) {
    if (s->has(TxSeg::kSacked)) sacked += s->segs;
    *from = s->seq;
    if (sacked >= t.reordering || ++looked == kMostLooked) return true;
  }
  return false;
}

/// What was sent once and has so many above it. That a retransmission is lost only a timeout tells. Each piece is looked
/// at once, however many ACKs come: the bound only rises, and what was sent again stays so.
void detect_by_duplicates(Tcb& t) {
  Seq bound;
  // What was judged in an earlier recovery would be out of date some billion bytes later.
  if (t.sacked_out == 0) t.rack.counted = false;
  if (!enough_above(t, &bound)) return;
  Seq& from = t.rack.counted_to;
  if (!t.rack.counted || from < t.snd_una) from = t.snd_una;
  t.rack.counted = true;
  TxSeg* s = t.tx.lower_bound(from);
  for (; s != nullptr && s->end() <= bound; s = Treap<TxSeg>::next(s)) {
    if (!s->has(TxSeg::kSacked | TxSeg::kLost | TxSeg::kInNetAgain)) lose(t, *s);
    from = s->end();
  }
}

/// The last piece that was sent.
TxSeg* tail(Tcb& t) {
  return t.send_head != nullptr ? Treap<TxSeg>::prev(t.send_head) : t.tx.last();
}

bool may_probe(const Tcb& t) {
  return t.sack_ok && in(t.ca_state, bit(CaState::Open) | bit(CaState::Cwr)) && t.packets_out > 0 &&
         t.sacked_out == 0 && !t.rack.tlp_out && t.snd_wnd > 0 &&
         in(t.state, kSendStates | kFinStates) && t.param(Param::EarlyRetrans) >= kProbesTail;
}

/// The last segment once more.
bool repeat_tail(Tcb& t, Now now) {
  TxSeg* s = tail(t);
  if (s == nullptr || !s->has(TxSeg::kSent) || s->has(TxSeg::kSacked)) return false;
  if (s->pkt() != nullptr && s->len != 0 && atcp_os_tx_busy(t.conn(), s->pkt())) return false;
  const uint32_t mss = s->mss != 0 ? s->mss : t.mss;
  if (s->len > mss) {
    s = split(t, *s, (s->len - 1) / mss * mss);
    if (s == nullptr) return false;
  }
  return retransmit(t, *s, ATCP_RETRANSMIT_KIND_PROBE, now);
}

}  // namespace

uint32_t rack_reo_wnd_us(const Tcb& t) {
  const Rack& r = t.rack;
  const bool threshold = (t.param(Param::Recovery) & kRecoveryNoThreshold) == 0;
  if (!r.reordering_seen && (in_recovery(t) || (threshold && t.sacked_out >= t.reordering)))
    return 0;
  const uint64_t wnd =
      static_cast<uint64_t>(t.rtt.min_rtt_us() / kReorderFraction) * (r.reo_wnd_mult + 1u);
  return static_cast<uint32_t>(min<uint64_t>(wnd, t.rtt.srtt_us()));
}

void rack_begin_ack(Tcb& t) {
  if (t.rack.xmit_us == 0) t.rack.fack = t.snd_una;
  t.rack.prior_fack = t.rack.fack;
}

void rack_delivered(Tcb& t, const TxSeg& s, bool has_ts, uint32_t tsecr, uint64_t now_us) {
  Rack& r = t.rack;
  const uint64_t rtt_us = now_us - s.sent_us;
  if (s.has(TxSeg::kRetransmitted)) {
    // Which of its transmissions it was: not the last one if that left only after what is echoed, or so lately.
    const Seq sent_ms(static_cast<uint32_t>(s.sent_us / 1000));
    if (has_ts && Seq(tsecr) < sent_ms) return;
    if (rtt_us < t.rtt.min_rtt_us()) return;
  } else if (s.end() < r.prior_fack) {
    r.reordering_seen = true;
  }
  if (s.end() > r.fack) r.fack = s.end();
  r.rtt_us = static_cast<uint32_t>(rtt_us);
  if (r.xmit_us == 0 || s.sent_us > r.xmit_us || (s.sent_us == r.xmit_us && s.end() > r.end_seq)) {
    r.xmit_us = s.sent_us;
    r.end_seq = s.end();
  }
}

void rack_dsack(Tcb& t) {
  if ((t.param(Param::Recovery) & kRecoveryStaticWindow) != 0) return;
  Rack& r = t.rack;
  if (r.in_dsack_round && t.snd_una >= r.dsack_round) r.in_dsack_round = false;
  if (r.in_dsack_round) return;
  r.in_dsack_round = true;
  r.dsack_round = t.snd_nxt;
  if (r.reo_wnd_mult < kMaxMult) r.reo_wnd_mult++;
  r.reo_wnd_persist = kPersistRecoveries;
}

void rack_recovered(Tcb& t) {
  Rack& r = t.rack;
  if (r.reo_wnd_persist > 0 && --r.reo_wnd_persist == 0) r.reo_wnd_mult = 0;
}

void rack_detect(Tcb& t, Now now) {
  const Rack& r = t.rack;
  t.timers.stop(TimerId::Reorder);
  if (!by_time(t)) {
    detect_by_duplicates(t);
    return;
  }
  t.rack.counted = false;
  if (r.xmit_us == 0) return;
  while (TxSeg* s = t.sent_list.first()) {
    if (!overtaken(r, *s)) return;
    if (!is_due(t, *s, now)) {
      t.timers.set(TimerId::Reorder, max(r.xmit_us + r.rtt_us + rack_reo_wnd_us(t), now.us + 1));
      return;
    }
    lose(t, *s);
  }
}

void rack_mark_on_rto(Tcb& t, Now now) {
  TxSeg* head = t.tx.first();
  if (head != nullptr && head->has(TxSeg::kSent)) lose(t, *head);
  while (TxSeg* s = t.sent_list.first()) {
    if (by_time(t) && !is_due(t, *s, now)) return;
    lose(t, *s);
  }
}

void rack_judge_anew(Tcb& t) {
  t.rack.counted = false;
}

void rack_on_timer(Tcb& t, Now now) {
  t.timers.stop(TimerId::Reorder);
  if (t.packets_out == 0 || !in(t.state, kSynchronized)) return;
  recovery_on_time(t, now);
  retransmit_lost(t, now);
}

void tlp_arm(Tcb& t, Now now) {
  if (!may_probe(t)) {
    t.timers.stop(TimerId::TailProbe);
    return;
  }
  uint64_t pto_us = t.rtt.have_sample() ? 2ull * t.rtt.srtt_us() : kFirstPtoUs;
  if (t.rtt.have_sample()) pto_us += t.packets_out == 1 ? kMaxAckDelayUs : kPtoSlackUs;
  uint64_t at_us = now.us + pto_us;
  // Never after the timeout, which it then puts off.
  if (t.timers.pending(TimerId::Retransmit)) at_us = min(at_us, t.timers.at(TimerId::Retransmit));
  t.timers.set(TimerId::TailProbe, at_us);
}

void tlp_on_timer(Tcb& t, Now now) {
  t.timers.stop(TimerId::TailProbe);
  if (!may_probe(t)) return;
  const bool fresh = push_one(t, now);
  if (!fresh && !repeat_tail(t, now)) return;
  t.rack.tlp_out = true;
  t.rack.tlp_retrans = !fresh;
  t.rack.tlp_end_seq = t.snd_nxt;
  t.count(Counter::TCPLossProbes);
  arm_rto(t, now);
}

bool tlp_on_ack(Tcb& t, Seq ack, const AckSample& a) {
  Rack& r = t.rack;
  if (!r.tlp_out || ack < r.tlp_end_seq) return false;
  const bool both_arrived = a.dsack || (ack == r.tlp_end_seq && a.dup_ack && a.sacked == 0);
  const bool repaired = r.tlp_retrans && !both_arrived && ack > r.tlp_end_seq;
  if (!r.tlp_retrans || both_arrived || repaired) r.tlp_out = false;
  if (repaired) t.count(Counter::TCPLossProbeRecovery);
  return repaired;
}

}  // namespace atcp
