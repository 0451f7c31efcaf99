// SPDX-License-Identifier: GPL-2.0
//
// What a connection shows of itself, for TCP_INFO and the control plane. Reads only.
#include "conn/tcb.h"

namespace atcp {

namespace {

uint32_t since(uint64_t then_us, uint64_t now_us) {
  const uint64_t d = then_us == 0 || then_us > now_us ? 0 : now_us - then_us;
  return d > 0xffffffffu ? 0xffffffffu : static_cast<uint32_t>(d);
}

constexpr const char* kTimerNames[kTimerCount] = {
    "retransmit", "probe", "delack", "keepalive", "fin_wait2", "reorder", "tail_probe", "pacing",
};

static_assert(ATCP_LIMITS == kLimitCount && ATCP_LIMITS == __ATCP_LIMIT_MAX);
static_assert(ATCP_STATES == __ATCP_STATE_MAX && ATCP_TIMERS == kTimerCount);

uint32_t fit32(uint64_t v) {
  return static_cast<uint32_t>(min<uint64_t>(v, 0xffffffffu));
}

/// Where its time went: life is t's, or a copy of it.
void times(const Tcb& t, const Life& life, atcp_conn_info* o, Now now) {
  o->age_us = life.shares(now.us, o->limited_us);
  o->limited_by = static_cast<uint32_t>(life.by());
  const bool opening = in(t.state, bit(State::SynSent) | bit(State::SynReceived));
  o->handshake_us = opening ? 0 : fit32(life.handshake_us());
  __builtin_memset(o->in_state_ms, 0, sizeof(o->in_state_ms));
  life.in_states(o->state, now.us,
                 [o](uint32_t s, uint64_t us) { o->in_state_ms[s] = fit32(us / 1000); });
}

/// Each field is written, whatever o was before.
void fill(const Tcb& t, const Life& life, atcp_conn_info* o, Now now) {
  o->state = static_cast<uint32_t>(t.state);
  uint32_t options = 0;
  if (t.ts_ok) options |= ATCP_OPT_TS;
  if (t.sack_ok) options |= ATCP_OPT_SACK_OK;
  if (t.wscale_ok) options |= ATCP_OPT_WSCALE;
  o->options = options;
  o->ecn = (t.ecn_ok ? 1u : 0u) | (t.ecn_seen ? 2u : 0u);
  o->snd_wscale = t.snd_wscale;
  o->rcv_wscale = t.rcv_wscale;
  o->rto_us = t.rto_us();
  o->srtt_us = t.rtt.srtt_us();
  o->rttvar_us = t.rtt.rttvar_us();
  o->min_rtt_us = t.rtt.min_rtt_us();
  o->rcv_rtt_us = t.rcv_rtt_us >> 3;
  o->ato_us = t.ato_us;
  o->snd_mss = t.mss;
  o->rcv_mss = t.rcv_mss;
  // What remains of it beside the timestamps, as Linux shows it.
  o->advmss = t.ts_ok && t.advmss > kTsOptionBytes ? t.advmss - kTsOptionBytes : t.advmss;
  o->pmtu = t.pmtu;
  o->cwnd = t.cc.cwnd;
  o->ssthresh = t.cc.ssthresh;
  o->reordering = t.reordering;
  o->packets_out = t.packets_out;
  o->sacked = t.sacked_out;
  o->lost = t.lost_out;
  o->retrans_out = t.retrans_out;
  o->total_retrans = t.total_retrans;
  o->retransmits = t.retransmits;
  o->probes = t.probes_out;
  o->backoff = t.backoff;
  o->ca_state = static_cast<uint32_t>(t.ca_state);
  o->snd_wnd = t.snd_wnd;
  o->rcv_wnd = t.receive_window();
  o->rcv_space = t.rcv_space;
  o->rcv_ssthresh = t.rcv_ssthresh;
  o->snd_una = t.snd_una.raw();
  o->snd_nxt = t.snd_nxt.raw();
  o->write_seq = t.write_seq.raw();
  o->rcv_nxt = t.rcv_nxt.raw();
  o->copied_seq = t.copied_seq.raw();
  o->notsent_bytes = t.write_seq > t.snd_nxt ? bytes_between(t.snd_nxt, t.write_seq) : 0;
  o->last_data_sent_us = since(t.last_sent_us, now.us);
  o->last_data_recv_us = since(t.last_data_us, now.us);
  o->last_ack_recv_us = since(t.last_ack_us, now.us);
  o->segs_in = t.segs_in;
  o->segs_out = t.segs_out;
  o->data_segs_in = t.data_segs_in;
  o->data_segs_out = t.data_segs_out;
  o->keepalive_on = t.keepalive_on;
  o->syn_data = t.syn_data_acked;
  o->dsack_dups = t.dsack_dups;
  o->reord_seen = 0;  // not counted
  const uint64_t first = t.timers.earliest();
  o->timer_left_us =
      first > now.us ? static_cast<uint32_t>(min<uint64_t>(first - now.us, 0xffffffffu)) : 0;
  // tcpi has no timer field; ss names kinds: 1 retransmit, 2 keepalive, 4 persist.
  o->timer_kind = t.timers.pending(TimerId::Retransmit)  ? 1
                  : t.timers.pending(TimerId::Persist)   ? 4
                  : t.timers.pending(TimerId::Keepalive) ? 2
                                                         : 0;
  o->bytes_acked = t.bytes_acked;
  o->bytes_received = t.bytes_received;
  o->bytes_sent = t.bytes_sent;
  o->bytes_retrans = t.bytes_retrans;
  o->pacing_rate = t.pacing.rate;
  o->delivered = t.rate.delivered;
  // Read once: a dump has no lock.
  const uint32_t shown_us = load_relaxed(&t.rate.shown_us);
  o->delivery_rate =
      shown_us != 0 ? static_cast<uint64_t>(t.rate.shown_segs) * t.mss * 1000000 / shown_us : 0;
  o->delivery_app_limited = t.rate.shown_app_limited;
  times(t, life, o, now);
}

}  // namespace

uint32_t conn_timers(const Tcb& t, atcp_timer_info* out, Now now) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < kTimerCount; i++) {
    const uint64_t at = t.timers.at(static_cast<TimerId>(i));
    if (at != 0) out[n++] = {kTimerNames[i], at > now.us ? at - now.us : 0};
  }
  return n;
}

void conn_info(const Tcb& t, atcp_conn_info* o, Now now) {
  Life life;
  t.life.copy(&life);
  fill(t, life, o, now);
}

void conn_info_locked(const Tcb& t, atcp_conn_info* o, Now now) {
  fill(t, t.life, o, now);
}

}  // namespace atcp
