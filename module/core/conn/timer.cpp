// SPDX-License-Identifier: GPL-2.0
//
// The connection's timer fired: which deadlines are due, and what each of them means.
#include "conn/event.h"
#include "conn/tcb.h"

namespace atcp {

namespace {

uint32_t syn_timeout_us(const Tcb& t, uint32_t sent) {
  // RFC 6298 2.1 and 5.5.
  // The first few retries at a constant pace (syn_linear_timeouts), then doubling.
  const uint32_t linear = t.param(Param::SynLinearTimeouts);
  const uint32_t doublings = sent > linear ? sent - linear : 0;
  const uint64_t us = static_cast<uint64_t>(RttEstimator::kInitialRtoUs) << min(doublings, 20u);
  return static_cast<uint32_t>(
      min<uint64_t>(us, static_cast<uint64_t>(t.param(Param::RtoMaxMs)) * 1000));
}

void on_syn_timeout(Tcb& t, Now now) {
  // RFC 9293 3.8.3 (MUST-22, MUST-23). Deviation: R2 is 131 s by default.
  const uint32_t limit = t.param(t.passive ? Param::SynackRetries : Param::SynRetries);
  const uint64_t user_us = static_cast<uint64_t>(t.user_timeout_ms) * 1000;
  const bool user = user_us != 0 && now.us - t.retrans_stamp_us >= user_us;
  t.count(Counter::TCPTimeouts);
  const uint32_t most = limit + (t.state == State::SynSent ? t.param(Param::SynLinearTimeouts) : 0);
  fastopen_timed_out(t, t.syn_retries + 1u, t.syn_retries >= most || user, now);
  if (t.syn_retries >= most || user) {
    const atcp_err err = t.err_soft != 0 ? static_cast<atcp_err>(t.err_soft) : ATCP_ERR_TIMED_OUT;
    done(t, user ? ATCP_REASON_TIMEOUT_USER : ATCP_REASON_TIMEOUT_SYN, err, now);
    return;
  }
  if (t.syn_retries + 1u >= t.param(Param::Retries1)) atcp_os_conn_route_suspect(t.conn());
  t.syn_retries++;
  t.total_retrans++;
  t.count(Counter::TCPSynRetrans);
  t.count(Counter::RetransSegs);
  send_syn_again(t, now);
  t.timers.set(TimerId::Retransmit, now.us + syn_timeout_us(t, t.syn_retries));
}

void stop_probing(Tcb& t, uint32_t reason, Now now) {
  const atcp_err err = t.err_soft != 0 ? static_cast<atcp_err>(t.err_soft) : ATCP_ERR_TIMED_OUT;
  abort_with_reset(t, reason, err, now);
}

/// Zero-window probe (RFC 9293 3.8.6.1), or the end of what a cork held back.
void on_persist(Tcb& t, Now now) {
  uint32_t limit = t.param(Param::Retries2);
  const bool orphan = atcp_os_conn_orphaned(t.conn());
  if (orphan) {
    const uint32_t set = t.param(Param::OrphanRetries);
    limit = set != 0 ? set : 8;
  }
  t.timers.stop(TimerId::Persist);
  if (t.timers.pending(TimerId::Pacing)) return;  // what waits for its time alone goes then
  TxSeg* s = t.send_head;
  if (t.packets_out != 0 || s == nullptr || s->seq_len() == 0) return;
  if (t.snd_wnd_end() > s->seq && t.cc.cwnd > 0) {
    // There is room: send as much of the piece as fits, small or not (the override of 3.8.6.2.1).
    const uint32_t room = static_cast<uint32_t>(t.snd_wnd_end() - s->seq);
    const uint32_t most = min(room, send_mss(t));
    if (s->len > most) split(t, *s, most);
    const bool cork = t.cork;
    const bool nodelay = t.nodelay;
    const uint32_t max_wnd = t.max_snd_wnd;
    t.cork = false;
    t.nodelay = true;
    t.max_snd_wnd = min(max_wnd, room);
    push(t, false, now);
    t.cork = cork;
    t.nodelay = nodelay;
    t.max_snd_wnd = max_wnd;
    if (t.packets_out != 0 || !orphan) return;
    // Nothing left this host. A program may wait for that to end, but an orphan does not stay for it.
    if (t.backoff >= limit) {
      stop_probing(t, ATCP_REASON_TIMEOUT_PROBE, now);
      return;
    }
    t.backoff++;
    t.timers.set(TimerId::Persist, now.us + t.rto_us());
    return;
  }
  // Probes that are answered keep the connection for ever; unanswered ones count (MUST-37).
  const uint64_t user_us = static_cast<uint64_t>(t.user_timeout_ms) * 1000;
  const bool user = user_us != 0 && t.probes_out > 0 && now.us - t.last_ack_us >= user_us;
  // Nobody waits for an orphan's data: a peer that keeps its window closed cannot pin it for ever.
  if (t.probes_out >= limit || user || (orphan && t.backoff >= limit)) {
    stop_probing(t, user ? ATCP_REASON_TIMEOUT_USER : ATCP_REASON_TIMEOUT_PROBE, now);
    return;
  }
  t.count(Counter::TCPWinProbe);
  t.probes_out++;
  send_probe(t, now);
  if (t.backoff < 30) t.backoff++;
  t.timers.set(TimerId::Persist, now.us + t.rto_us());
}

void on_keepalive(Tcb& t, Now now) {
  t.timers.stop(TimerId::Keepalive);
  if (!t.keepalive_on || !in(t.state, kSynchronized) || t.state == State::SynReceived) return;
  const uint64_t idle_s = t.param(Param::KeepaliveTime);
  const uint64_t intvl_s = t.param(Param::KeepaliveIntvl);
  const uint32_t count = t.param(Param::KeepaliveProbes);
  // Only when nothing is unacknowledged and nothing has arrived for the interval (MUST-26).
  if (t.packets_out != 0 || t.send_head != nullptr) {
    t.timers.set(TimerId::Keepalive, now.us + idle_s * 1000000);
    return;
  }
  const uint64_t heard = max(t.last_data_us, t.last_ack_us);
  const uint64_t idle_us = now.us - heard;
  if (idle_us < idle_s * 1000000) {
    t.timers.set(TimerId::Keepalive, heard + idle_s * 1000000);
    return;
  }
  const uint64_t user_us = static_cast<uint64_t>(t.user_timeout_ms) * 1000;
  const bool dead = user_us != 0 ? idle_us >= user_us && t.probes_out > 0 : t.probes_out >= count;
  if (dead) {
    abort_with_reset(t, ATCP_REASON_TIMEOUT_KEEPALIVE, ATCP_ERR_TIMED_OUT, now);
    return;
  }
  t.count(Counter::TCPKeepAlive);
  t.probes_out++;
  send_probe(t, now);
  t.timers.set(TimerId::Keepalive, now.us + intvl_s * 1000000);
}

void on_delayed_ack(Tcb& t, Now now) {
  t.timers.stop(TimerId::DelayedAck);
  if (t.rcv_nxt == t.last_ack_sent) return;
  t.count(Counter::DelayedACKs);
  t.ato_us = t.param(Param::DelackMinUs);
  t.interactive = false;  // no answer came
  send_ack(t, now);
}

}  // namespace

void restart_keepalive(Tcb& t, Now now) {
  // RFC 9293 3.8.4 (MUST-24, MUST-25).
  if (!t.keepalive_on || !in(t.state, kSynchronized) || t.timers.pending(TimerId::Keepalive))
    return;
  const uint64_t idle_s = t.param(Param::KeepaliveTime);
  t.timers.set(TimerId::Keepalive, now.us + idle_s * 1000000);
}

void on_timer(Tcb& t, Now now) {
  // RFC 9293 3.10.8.
  t.timers.fired();
  if (t.in_done) return;
  const CwndWatch watch(t);
  if (t.timers.due(TimerId::DelayedAck, now.us)) on_delayed_ack(t, now);
  if (t.timers.due(TimerId::Reorder, now.us)) rack_on_timer(t, now);
  if (t.timers.due(TimerId::TailProbe, now.us)) tlp_on_timer(t, now);
  if (t.timers.due(TimerId::Retransmit, now.us)) {
    if (in(t.state, bit(State::SynSent) | bit(State::SynReceived))) {
      on_syn_timeout(t, now);
    } else {
      on_rto(t, now);
      if (!t.in_done) retransmit_lost(t, now);
    }
  }
  if (!t.in_done && t.timers.due(TimerId::Pacing, now.us)) {
    t.timers.stop(TimerId::Pacing);
    pacing_update(t);  // the program may have raised its limit
    retransmit_lost(t, now);
    push(t, false, now);
  }
  if (!t.in_done && t.timers.due(TimerId::Persist, now.us)) on_persist(t, now);
  if (!t.in_done && t.timers.due(TimerId::Keepalive, now.us)) on_keepalive(t, now);
  if (!t.in_done && t.timers.due(TimerId::FinWait2, now.us))
    done(t, ATCP_REASON_TIMEOUT_FIN_WAIT2, ATCP_OK, now);
  if (t.in_done) return;
  limits_update(t, now);
  t.timers.sync(t.conn());
}

}  // namespace atcp
