// SPDX-License-Identifier: GPL-2.0
//
// Sending again: which pieces, how much of them, and for how long. What counts as lost is decided
// in recovery.cpp; what a segment looks like, in output.cpp.
#include "conn/event.h"
#include "conn/tcb.h"

namespace atcp {

namespace {

/// retries by time, as Linux: the limit is the time that `retries` exponential back-offs from
/// rto_min would take, so a long RTT does not multiply it.
uint64_t retries_us(const Tcb& t, uint32_t retries) {
  const uint64_t rto_min = t.param(Param::RtoMinUs);
  const uint64_t rto_max = static_cast<uint64_t>(t.param(Param::RtoMaxMs)) * 1000;
  const uint32_t linear = log2_floor(static_cast<uint32_t>(rto_max / max<uint64_t>(rto_min, 1)));
  if (retries <= linear) return ((2ull << retries) - 1) * rto_min;
  return ((2ull << linear) - 1) * rto_min + (retries - linear) * rto_max;
}

constexpr uint32_t kOrphanRetriesDefault = 8;

}  // namespace

void arm_rto(Tcb& t, Now now) {
  uint64_t at_us = now.us + t.rto_us();
  // TCP_USER_TIMEOUT is a time, not the next doubling after it (RFC 5482 3).
  if (t.user_timeout_ms != 0 && t.retransmits > 0 && !atcp_os_conn_orphaned(t.conn())) {
    const uint64_t end_us = t.stall_since_us + static_cast<uint64_t>(t.user_timeout_ms) * 1000;
    at_us = min(at_us, max(end_us, now.us + 1000));
  }
  t.timers.set(TimerId::Retransmit, at_us);
}

bool retransmit(Tcb& t, TxSeg& s, atcp_retransmit_kind why, Now now) {
  follow_route(t);
  const uint32_t flight = t.in_flight();
  const uint32_t quota = t.cc.cwnd > flight ? t.cc.cwnd - flight : 1;
  const uint32_t mss = send_mss(t);
  if (static_cast<uint64_t>(quota) * mss < s.len)
    split(t, s, quota * mss);  // no memory for that: it goes whole
  // A peer may shrink its window (RFC 9293 SHLD-16): nothing beyond the edge, but the first
  // piece always goes, as a probe.
  if (&s != t.tx.first() && s.end() > t.snd_wnd_end()) return false;
  mtu_probe_unclear(t, now);
  const bool ok = transmit(t, s, now);
  if (!ok) t.count(Counter::TCPRetransFail);
  if (ok)
    tell_retransmit(t, why, s.seq, s.len, s.has(TxSeg::kFin) ? ATCP_ACK | ATCP_FIN : ATCP_ACK);
  // A SACK list in its header makes more segments of it than before; fewer would not suit what was inferred from them.
  board_recount(t, s, max<uint32_t>(segs_of(t, s), s.segs));
  board_resent(t, s, now.us);
  if (t.retrans_stamp_us == 0) t.retrans_stamp_us = now.us;
  t.last_sent_us = now.us;
  t.undo_retrans += s.segs;
  t.total_retrans += s.segs;
  t.bytes_retrans += s.len;
  t.prr_out += s.segs;
  t.count(Counter::RetransSegs, s.segs);
  return ok;
}

void retransmit_lost(Tcb& t, Now now) {
  // F-RTO: new data first, whose ACKs show whether anything is lost at all.
  if (t.lost_list.empty() || t.frto_send_new) return;
  const bool loss = t.ca_state == CaState::Loss;
  const auto why = loss ? ATCP_RETRANSMIT_KIND_TIMEOUT : ATCP_RETRANSMIT_KIND_FAST;
  bool first = true;
  while (TxSeg* s = t.lost_list.first()) {
    if (t.in_flight() >= t.cc.cwnd || pacing_holds(t, now)) break;
    const bool head = s == t.tx.first();
    if (!retransmit(t, *s, why, now)) break;
    t.count(loss ? Counter::TCPSlowStartRetrans : Counter::TCPFastRetrans);
    if (first && head) arm_rto(t, now);
    first = false;
  }
  if (!t.timers.pending(TimerId::Retransmit)) arm_rto(t, now);
}

bool gave_up(Tcb& t, Now now) {
  const bool orphan = atcp_os_conn_orphaned(t.conn());
  if (t.retransmits >= t.param(Param::Retries1)) {
    mtu_probe_black_hole(t, now);
    atcp_os_conn_route_suspect(t.conn());
  }
  uint32_t retries = t.param(Param::Retries2);
  if (orphan) {
    const uint32_t set = t.param(Param::OrphanRetries);
    retries = set != 0 ? set : kOrphanRetriesDefault;
  }
  if (t.retransmits == 0) return false;
  const uint64_t since = now.us - t.stall_since_us;
  const uint64_t user_us = static_cast<uint64_t>(t.user_timeout_ms) * 1000;
  if (user_us != 0 && !orphan && since >= user_us) {
    done(t, ATCP_REASON_TIMEOUT_USER, ATCP_ERR_TIMED_OUT, now);
    return true;
  }
  if (user_us != 0 && !orphan) return false;
  if (since < retries_us(t, retries)) return false;
  // RFC 9293 3.8.3 (R2): give up. A soft ICMP error says more than "timed out", if there was one.
  const atcp_err err = t.err_soft != 0 ? static_cast<atcp_err>(t.err_soft) : ATCP_ERR_TIMED_OUT;
  done(t, ATCP_REASON_TIMEOUT_RETRANSMIT, err, now);
  return true;
}

void on_rto(Tcb& t, Now now) {
  TxSeg* head = t.tx.first();
  if (head == nullptr || t.packets_out == 0) {
    t.timers.stop(TimerId::Retransmit);
    return;
  }
  if (t.retransmits == 0) t.stall_since_us = max(head->sent_us, t.last_progress_us);
  // The window is closed: the peer is there as long as it answers (RFC 9293 MUST-35, MUST-37), so
  // probe with the first piece and do not count towards giving up while ACKs come.
  const bool hopeless = atcp_os_conn_orphaned(t.conn()) && t.backoff >= kOrphanRetriesDefault;
  if (t.snd_wnd == 0 && !hopeless && in(t.state, kSendStates | kFinStates) &&
      now.us - t.last_ack_us < static_cast<uint64_t>(t.param(Param::RtoMaxMs)) * 1000) {
    enter_loss(t, now);
    retransmit(t, *head, ATCP_RETRANSMIT_KIND_TIMEOUT, now);
    t.count(Counter::TCPTimeouts);
    if (t.backoff < 30) t.backoff++;
    arm_rto(t, now);
    return;
  }
  fastopen_timed_out(t, t.retransmits + 1u, false, now);
  if (gave_up(t, now)) return;
  if (head->pkt() != nullptr && head->len != 0 && atcp_os_tx_busy(t.conn(), head->pkt())) {
    // It has not even left this host: sending it again would only add to the queue.
    t.life.stuck = true;
    t.timers.set(TimerId::Retransmit, now.us + min(t.rto_us(), 500000u));
    return;
  }
  t.count(Counter::TCPTimeouts);
  enter_loss(t, now);
  if (t.retransmits < 255) t.retransmits++;
  // RFC 6298 5.5: back off.
  if (t.backoff < 30) t.backoff++;
  if (!retransmit(t, *head, ATCP_RETRANSMIT_KIND_TIMEOUT, now)) {
    // The local queue is full or there is no route: try again soon, without blaming the network.
    t.timers.set(TimerId::Retransmit, now.us + min(t.rto_us(), 500000u));
    return;
  }
  t.count(Counter::TCPSlowStartRetrans);
  arm_rto(t, now);
}

}  // namespace atcp
