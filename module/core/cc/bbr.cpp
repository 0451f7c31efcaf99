// SPDX-License-Identifier: GPL-2.0
//
// BBR, draft-ietf-ccwg-bbr-05 (version 3 of the algorithm): the sender models the path by its bandwidth and its least
// RTT, sends at the rate of the one and keeps in flight the product of both, with bounds that losses have taught.
// Section numbers below are the draft's.
//
// Arithmetic. Volumes are segments, a bandwidth is segments per microsecond with 24 fraction bits, gains are
// percent. A window of 2^20 segments delivered in a microsecond would need 44 bits; a bandwidth times a least RTT of
// more than 2^20 us could exceed 64, and is computed in two steps.
//
// Left out, and deviations
//   - 5.5.10.2 looks at each lost packet when its loss is noticed and finds how much in flight was too much by
//     interpolation. Here the sample of an ACK says how much was lost since its packet left, and its whole flight counts.
//   - Discontiguous ranges of losses (5.3.1.3) are counted as ACKs that report new losses.
//   - While ProbeRTT holds cwnd down, samples are not marked as limited by the program; the bandwidth filter keeps
//     the maximum of two cycles, which outlives it.
//   - A congestion mark is as much as too many losses: of its round, and of what is probed (3.7 leaves the response open).
//   - The restart from idle (5.4.1) is noticed after an idle time of more than the RTO, and does not end ProbeRTT.
//   - The send quantum (5.6.3) is the engine's, a millisecond's worth as in the draft; three of them are the offload budget.
#include "cc/bbr.h"

namespace atcp {

namespace {

constexpr uint32_t kBwBits = 24;
constexpr uint32_t kNoBound = ~0u;
constexpr uint64_t kNoBwBound = ~0ull;
constexpr uint32_t kPercent = 100;
constexpr uint32_t kMargin = 99;         // of the bandwidth: queues drain (5.6.2)
constexpr uint32_t kMinCwnd = 4;         // BBR.MinPipeCwnd
constexpr uint32_t kLossPercent = 2;     // BBR.LossThresh
constexpr uint32_t kBeta = 70;           // BBR.Beta
constexpr uint32_t kHeadroom = 15;       // BBR.Headroom
constexpr uint32_t kFullBwGrowth = 125;  // 5.3.1.2
constexpr uint32_t kFullBwRounds = 3;
constexpr uint32_t kStartupLosses = 6;     // 5.3.1.3
constexpr uint32_t kExtraAckedRounds = 5;  // of each half of a window of ten
constexpr uint32_t kRenoRounds = 62;       // 5.3.3.5.2: or one more
constexpr uint64_t kMinRttUs = 10000000;   // BBR.MinRTTFilterLen
constexpr uint64_t kProbeRttUs = 5000000;  // BBR.ProbeRTTInterval
constexpr uint64_t kProbeRttHoldUs = 200000;
constexpr uint64_t kProbeWaitUs = 2000000;  // and up to kProbeWaitMoreUs more
constexpr uint32_t kProbeWaitMoreUs = 1000000;
constexpr uint32_t kFirstRttUs = 1000;  // for the first rate, as long as none is known
constexpr uint32_t kMaxUpRounds = 30;
constexpr uint32_t kQuantumUs = 1000;
constexpr uint32_t kQuanta = 3;
constexpr uint32_t kMaxQuantumBytes = 65536;

enum class AckPhase : uint8_t { None, Stopping, Refilling, Starting, Feedback };

struct Gains {
  uint16_t pacing, cwnd;
};
// 5.1, in the order of BbrState.
constexpr Gains kGains[] = {
    {277, 200}, {50, 200}, {90, 200}, {100, 200}, {100, 200}, {125, 225}, {100, 50},
};

struct Bbr {
  uint64_t now_us;
  uint64_t max_bw[2];  // of this ProbeBW cycle and of the one before
  uint64_t bw;         // what the model says: the larger of them, bounded
  uint64_t bw_shortterm;
  uint64_t bw_latest;
  uint64_t rate;  // of the sample at hand; 0: none
  uint64_t full_bw;
  uint64_t min_rtt_stamp_us;
  uint64_t probe_rtt_stamp_us;
  uint64_t probe_rtt_done_us;  // 0: not down yet
  uint64_t cycle_us;           // when this phase of ProbeBW began
  uint64_t probe_wait_us;
  uint64_t ack_epoch_us;
  uint32_t min_rtt_us;  // 0: unknown
  uint32_t probe_rtt_min_us;
  uint32_t round_end;  // CcAck::delivered: the next round begins beyond it
  uint32_t loss_round_end;
  uint32_t rounds_since_probe;
  uint32_t inflight_longterm;
  uint32_t inflight_shortterm;
  uint32_t inflight_latest;
  uint32_t up_rounds, up_acks, up_cnt;
  uint32_t extra_acked[2];
  uint32_t extra_rounds;
  uint32_t ack_epoch_acked;
  uint32_t round_lost, round_delivered;  // of the loss round
  uint32_t loss_events;
  uint32_t prior_cwnd;
  uint32_t initial_cwnd;
  uint32_t random;
  uint32_t mss;  // at the last ACK
  uint8_t full_bw_count;
  uint8_t extra_index;
  BbrState state;
  AckPhase ack_phase;
  bool round_start;
  bool loss_round_start;
  bool loss_in_round;
  bool marked_in_round;
  bool recovering;       // at the last ACK
  bool recovered_round;  // recovery has lasted since the loss round began
  bool full_bw_now;
  bool full_bw_reached;
  bool probe_samples;  // 5.3.3: losses now are those of probing
  bool probe_rtt_round_done;
  bool probe_rtt_expired;
  bool idle_restart;
};

Bbr& priv(CcState& s) {
  return *static_cast<Bbr*>(s.more);
}

const Gains& gains(const Bbr& b) {
  return kGains[static_cast<uint32_t>(b.state)];
}

uint32_t next_random(Bbr& b, uint32_t below) {
  // xorshift32: it only spreads probes over time.
  b.random ^= b.random << 13;
  b.random ^= b.random >> 17;
  b.random ^= b.random << 5;
  return b.random % below;
}

bool in_probe_bw(const Bbr& b) {
  return b.state >= BbrState::Down && b.state <= BbrState::Up;
}

bool is_probing(const Bbr& b) {
  return b.state == BbrState::Startup || b.state == BbrState::Refill || b.state == BbrState::Up;
}

uint64_t max_bw(const Bbr& b) {
  return max(b.max_bw[0], b.max_bw[1]);
}

uint32_t percent_of(uint32_t v, uint32_t percent) {
  return static_cast<uint32_t>(
      min<uint64_t>(static_cast<uint64_t>(v) * percent / kPercent, kNoBound));
}

/// What a bandwidth delivers in a time, segments.
uint32_t volume(uint64_t bw, uint64_t us) {
  const uint64_t whole = (bw >> kBwBits) * us;
  const uint64_t part = (bw & ((1u << kBwBits) - 1)) * us >> kBwBits;
  return static_cast<uint32_t>(min<uint64_t>(whole + part, kNoBound >> 8));
}

uint32_t bdp(const Bbr& b, uint32_t percent) {
  if (b.min_rtt_us == 0) return b.initial_cwnd;
  return percent_of(volume(b.bw, b.min_rtt_us), percent);
}

/// Bytes per second of a bandwidth.
uint64_t bytes_per_s(uint64_t bw, uint32_t mss) {
  constexpr uint64_t kUs = 1000000;
  const uint64_t per_us = bw * mss;
  return (per_us >> kBwBits) * kUs + ((per_us & ((1u << kBwBits) - 1)) * kUs >> kBwBits);
}

/// 5.6.4.2: what offloads need to be kept busy.
uint32_t with_budget(const Bbr& b, const CcState& s, uint32_t mss, uint32_t inflight) {
  const uint64_t quantum = min<uint64_t>(s.pacing_rate * kQuantumUs / 1000000, kMaxQuantumBytes);
  const uint32_t budget = kQuanta * max(static_cast<uint32_t>(quantum / max(mss, 1u)), 2u);
  inflight = max(max(inflight, budget), kMinCwnd);
  return b.state == BbrState::Up ? inflight + 2 : inflight;
}

uint32_t with_headroom(const Bbr& b) {
  if (b.inflight_longterm == kNoBound) return kNoBound;
  const uint32_t room = max(percent_of(b.inflight_longterm, kHeadroom), 1u);
  return max(b.inflight_longterm > room ? b.inflight_longterm - room : 0, kMinCwnd);
}

void start_round(Bbr& b, const CcAck& a) {
  b.round_end = a.delivered;
}

void reset_full_bw(Bbr& b, uint64_t from) {
  b.full_bw = from;
  b.full_bw_count = 0;
  b.full_bw_now = false;
}

void reset_shortterm(Bbr& b) {
  b.bw_shortterm = kNoBwBound;
  b.inflight_shortterm = kNoBound;
}

// ---- states ----------------------------------------------------------------------------------

void start_down(Bbr& b, const CcAck& a) {
  // 5.3.3.1, 5.3.3.5.
  b.loss_in_round = false;
  b.bw_latest = 0;
  b.inflight_latest = 0;
  b.up_cnt = kNoBound;
  b.rounds_since_probe = next_random(b, 2);
  b.probe_wait_us = kProbeWaitUs + next_random(b, kProbeWaitMoreUs);
  b.cycle_us = b.now_us;
  b.ack_phase = AckPhase::Stopping;
  start_round(b, a);
  b.state = BbrState::Down;
}

void start_refill(Bbr& b, const CcAck& a) {
  reset_shortterm(b);
  b.up_rounds = 0;
  b.up_acks = 0;
  b.ack_phase = AckPhase::Refilling;
  start_round(b, a);
  b.state = BbrState::Refill;
}

void raise_slope(Bbr& b, const CcState& s) {
  // 5.3.3.4: 1, 2, 4... segments more per round.
  const uint32_t growth = 1u << b.up_rounds;
  b.up_rounds = min(b.up_rounds + 1, kMaxUpRounds);
  b.up_cnt = max(s.cwnd / growth, 1u);
}

void start_up(Bbr& b, const CcState& s, const CcAck& a) {
  b.ack_phase = AckPhase::Starting;
  start_round(b, a);
  reset_full_bw(b, b.rate);
  b.cycle_us = b.now_us;
  b.state = BbrState::Up;
  raise_slope(b, s);
}

bool time_to_probe(Bbr& b, const CcState& s, const CcAck& a) {
  // 5.3.3.5.2: in time, or as often as Reno would have grown by a window.
  const uint32_t reno = min(min(bdp(b, kPercent), s.cwnd), kRenoRounds + next_random(b, 2));
  const bool due = b.now_us > b.cycle_us + b.probe_wait_us || b.rounds_since_probe >= max(reno, 1u);
  if (due) start_refill(b, a);
  return due;
}

// ---- the model -------------------------------------------------------------------------------

void update_round(Bbr& b, const CcAck& a) {
  b.round_start = a.rate_segs != 0 && static_cast<int32_t>(a.prior_delivered - b.round_end) >= 0;
  if (!b.round_start) return;
  start_round(b, a);
  b.rounds_since_probe++;
}

void update_latest(Bbr& b, const CcAck& a) {
  // 5.5.10.3.
  b.loss_round_start = false;
  if (a.rate_segs == 0) return;
  b.bw_latest = max(b.bw_latest, b.rate);
  b.inflight_latest = max(b.inflight_latest, a.rate_segs);
  if (static_cast<int32_t>(a.prior_delivered - b.loss_round_end) < 0) return;
  b.loss_round_end = a.delivered;
  b.loss_round_start = true;
}

void adapt_lower_bounds(Bbr& b, const CcState& s) {
  if (is_probing(b) || !b.loss_in_round) return;
  if (b.bw_shortterm == kNoBwBound) b.bw_shortterm = max_bw(b);
  if (b.inflight_shortterm == kNoBound) b.inflight_shortterm = s.cwnd;
  b.bw_shortterm = max(b.bw_latest, b.bw_shortterm / kPercent * kBeta);
  b.inflight_shortterm = max(b.inflight_latest, percent_of(b.inflight_shortterm, kBeta));
}

void update_congestion(Bbr& b, const CcState& s, const CcAck& a) {
  update_round(b, a);
  // 5.5.5: what the program held back says nothing, unless it is more.
  if (a.rate_segs != 0 && (b.rate >= max_bw(b) || !a.app_limited))
    b.max_bw[0] = max(b.max_bw[0], b.rate);
  b.round_lost += a.lost;
  b.round_delivered += a.acked;
  if (a.lost != 0) b.loss_events++;
  if (a.lost != 0 || a.ece) b.loss_in_round = true;
  if (a.ece) b.marked_in_round = true;
  if (b.loss_round_start) adapt_lower_bounds(b, s);
}

void update_aggregation(Bbr& b, const CcState& s, const CcAck& a) {
  // 5.5.9.
  if (b.round_start) {
    b.extra_rounds++;
    const uint32_t window = b.full_bw_reached ? kExtraAckedRounds : 1;
    if (b.extra_rounds >= window) {
      b.extra_rounds = 0;
      b.extra_index ^= 1;
      b.extra_acked[b.extra_index] = 0;
    }
  }
  uint32_t expected = volume(b.bw, b.now_us - b.ack_epoch_us);
  if (b.ack_epoch_acked <= expected) {
    b.ack_epoch_acked = 0;
    b.ack_epoch_us = b.now_us;
    expected = 0;
  }
  b.ack_epoch_acked = min(b.ack_epoch_acked + a.acked, kNoBound >> 8);
  const uint32_t extra = min(b.ack_epoch_acked - min(expected, b.ack_epoch_acked), s.cwnd);
  b.extra_acked[b.extra_index] = max(b.extra_acked[b.extra_index], extra);
}

void check_full_bw(Bbr& b, const CcAck& a) {
  // 5.3.1.2.
  if (b.full_bw_now || a.app_limited || a.rate_segs == 0) return;
  if (b.rate >= b.full_bw / kPercent * kFullBwGrowth) {
    reset_full_bw(b, b.rate);
    return;
  }
  if (!b.round_start) return;
  b.full_bw_count++;
  b.full_bw_now = b.full_bw_count >= kFullBwRounds;
  if (b.full_bw_now) b.full_bw_reached = true;
}

void check_startup(Bbr& b) {
  // 5.3.1.3: more loss than probing is worth, for a whole round of recovery.
  if (b.state != BbrState::Startup) return;
  const bool lossy = b.loss_round_start && b.recovered_round && b.loss_events >= kStartupLosses &&
                     static_cast<uint64_t>(b.round_lost) * kPercent >
                         static_cast<uint64_t>(b.round_lost + b.round_delivered) * kLossPercent;
  const bool marked = b.loss_round_start && b.marked_in_round;
  if ((lossy || marked) && !b.full_bw_reached) {
    b.full_bw_reached = true;
    b.inflight_longterm = max(bdp(b, kPercent), b.inflight_latest);
  }
  if (b.full_bw_reached) b.state = BbrState::Drain;
}

bool too_high(const CcAck& a) {
  if (a.ece) return true;
  return a.rate_segs != 0 && static_cast<uint64_t>(a.tx_lost) * kPercent >
                                 static_cast<uint64_t>(a.tx_in_flight) * kLossPercent;
}

void adapt_longterm(Bbr& b, const CcState& s, const CcAck& a) {
  // 5.3.3.6, 5.5.10.
  if (b.ack_phase == AckPhase::Starting && b.round_start) b.ack_phase = AckPhase::Feedback;
  if (b.ack_phase == AckPhase::Stopping && b.round_start) {
    if (in_probe_bw(b) && !a.app_limited) {
      b.max_bw[1] = b.max_bw[0];
      b.max_bw[0] = 0;
    }
    b.ack_phase = AckPhase::None;
    b.probe_samples = false;
  }
  if (too_high(a)) {
    if (!b.probe_samples) return;
    b.probe_samples = false;
    if (!a.app_limited)
      b.inflight_longterm = max(a.tx_in_flight, percent_of(min(bdp(b, kPercent), s.cwnd), kBeta));
    if (b.state == BbrState::Up) start_down(b, a);
    return;
  }
  if (b.inflight_longterm == kNoBound) return;
  if (a.rate_segs != 0 && a.tx_in_flight > b.inflight_longterm)
    b.inflight_longterm = a.tx_in_flight;
  if (b.state != BbrState::Up || !a.cwnd_limited || s.cwnd < b.inflight_longterm) return;
  b.up_acks += a.acked;
  if (b.up_acks >= b.up_cnt) {
    b.inflight_longterm += b.up_acks / b.up_cnt;
    b.up_acks %= b.up_cnt;
  }
  if (b.round_start) raise_slope(b, s);
}

void update_phase(Bbr& b, const CcState& s, const CcAck& a) {
  // 5.3.3.
  if (!b.full_bw_reached) return;
  adapt_longterm(b, s, a);
  switch (b.state) {
    case BbrState::Down:
      if (time_to_probe(b, s, a)) return;
      if (a.flight_now <= with_headroom(b) && a.flight_now <= bdp(b, kPercent))
        b.state = BbrState::Cruise;
      return;
    case BbrState::Cruise:
      time_to_probe(b, s, a);
      return;
    case BbrState::Refill:
      if (!b.round_start) return;
      b.probe_samples = true;
      start_up(b, s, a);
      return;
    case BbrState::Up:
      if (a.cwnd_limited && s.cwnd >= b.inflight_longterm)
        reset_full_bw(b, b.rate);  // the bound held it down, not the path
      else if (b.full_bw_now)
        start_down(b, a);
      return;
    case BbrState::Startup:
    case BbrState::Drain:
    case BbrState::ProbeRtt:
      return;
  }
}

void update_min_rtt(Bbr& b, const CcAck& a) {
  // 5.5.7 and 5.3.4.3.
  b.probe_rtt_expired = b.now_us > b.probe_rtt_stamp_us + kProbeRttUs;
  if (a.rtt_us != 0 &&
      (b.probe_rtt_min_us == 0 || a.rtt_us < b.probe_rtt_min_us || b.probe_rtt_expired)) {
    b.probe_rtt_min_us = a.rtt_us;
    b.probe_rtt_stamp_us = b.now_us;
  }
  const bool expired = b.now_us > b.min_rtt_stamp_us + kMinRttUs;
  if (b.probe_rtt_min_us != 0 &&
      (b.min_rtt_us == 0 || b.probe_rtt_min_us < b.min_rtt_us || expired)) {
    b.min_rtt_us = b.probe_rtt_min_us;
    b.min_rtt_stamp_us = b.probe_rtt_stamp_us;
  }
}

uint32_t probe_rtt_cwnd(const Bbr& b) {
  return max(bdp(b, kGains[static_cast<uint32_t>(BbrState::ProbeRtt)].cwnd), kMinCwnd);
}

void end_probe_rtt(Bbr& b, CcState& s, const CcAck& a) {
  b.probe_rtt_stamp_us = b.now_us;
  s.cwnd = max(s.cwnd, b.prior_cwnd);
  reset_shortterm(b);
  if (!b.full_bw_reached) {
    b.state = BbrState::Startup;
    return;
  }
  start_down(b, a);
  b.state = BbrState::Cruise;
}

void check_probe_rtt(Bbr& b, CcState& s, const CcAck& a) {
  // 5.3.4.
  if (b.state != BbrState::ProbeRtt && b.probe_rtt_expired && !b.idle_restart) {
    b.prior_cwnd = b.recovering ? max(b.prior_cwnd, s.cwnd) : s.cwnd;
    b.state = BbrState::ProbeRtt;
    b.probe_rtt_done_us = 0;
    b.ack_phase = AckPhase::Stopping;
    start_round(b, a);
  }
  if (b.state == BbrState::ProbeRtt) {
    if (b.probe_rtt_done_us == 0) {
      if (a.flight_now <= probe_rtt_cwnd(b)) {
        b.probe_rtt_done_us = b.now_us + kProbeRttHoldUs;
        b.probe_rtt_round_done = false;
        start_round(b, a);
      }
    } else {
      if (b.round_start) b.probe_rtt_round_done = true;
      if (b.probe_rtt_round_done && b.now_us > b.probe_rtt_done_us) end_probe_rtt(b, s, a);
    }
  }
  if (a.rate_segs != 0) b.idle_restart = false;
}

// ---- what follows ----------------------------------------------------------------------------

void set_rate(Bbr& b, CcState& s, uint32_t mss, uint32_t gain) {
  // 5.6.2.
  const uint64_t rate = bytes_per_s(b.bw, mss) / kPercent * gain / kPercent * kMargin;
  if (rate != 0 && (b.full_bw_reached || rate > s.pacing_rate)) s.pacing_rate = rate;
}

void set_cwnd(Bbr& b, CcState& s, const CcAck& a) {
  // 5.6.4.
  const uint32_t extra = max(b.extra_acked[0], b.extra_acked[1]);
  const uint32_t most = with_budget(b, s, a.mss, bdp(b, gains(b).cwnd) + extra);
  if (b.recovering && !a.recovering) s.cwnd = max(s.cwnd, b.prior_cwnd);  // it is over
  if (b.full_bw_reached)
    s.cwnd = min(s.cwnd + a.acked, most);
  else if (s.cwnd < most || a.delivered < b.initial_cwnd)
    s.cwnd += a.acked;
  s.cwnd = max(s.cwnd, kMinCwnd);
  if (b.state == BbrState::ProbeRtt) s.cwnd = min(s.cwnd, probe_rtt_cwnd(b));
  uint32_t cap = kNoBound;
  if (b.state == BbrState::ProbeRtt || b.state == BbrState::Cruise)
    cap = with_headroom(b);
  else if (in_probe_bw(b))
    cap = b.inflight_longterm;
  cap = max(min(cap, b.inflight_shortterm), kMinCwnd);
  s.cwnd = min(s.cwnd, cap);
}

void bbr_init(CcState& s, uint64_t now_us) {
  Bbr* p = new (s.more, Place{}) Bbr{};
  Bbr& b = *p;
  b.now_us = b.min_rtt_stamp_us = b.probe_rtt_stamp_us = b.ack_epoch_us = b.cycle_us = now_us;
  b.inflight_longterm = kNoBound;
  b.initial_cwnd = max(s.cwnd, kMinCwnd);
  atcp_os_random(&b.random, sizeof(b.random));
  b.random |= 1;
  reset_shortterm(b);
  s.cwnd_cnt = 0;
}

void bbr_control(CcState& s, const CcAck& a) {
  Bbr& b = priv(s);
  b.now_us = a.now_us;
  b.mss = a.mss;
  if (s.pacing_rate == 0) {
    // The first rate: the initial window in a round trip (5.6.2).
    const uint64_t rtt_us = a.srtt_us != 0 ? a.srtt_us : kFirstRttUs;
    s.pacing_rate = static_cast<uint64_t>(b.initial_cwnd) * a.mss * 1000000 / rtt_us *
                    gains(b).pacing / kPercent;
  }
  b.rate = a.rate_segs != 0 ? (static_cast<uint64_t>(a.rate_segs) << kBwBits) / a.rate_us : 0;
  update_latest(b, a);
  update_congestion(b, s, a);
  update_aggregation(b, s, a);
  check_full_bw(b, a);
  check_startup(b);
  if (b.state == BbrState::Drain && a.flight_now <= bdp(b, kPercent)) start_down(b, a);
  update_phase(b, s, a);
  update_min_rtt(b, a);
  check_probe_rtt(b, s, a);
  if (b.loss_round_start) {
    b.bw_latest = b.rate;
    b.inflight_latest = a.rate_segs;
    b.loss_in_round = b.marked_in_round = false;
    b.round_lost = b.round_delivered = b.loss_events = 0;
    b.recovered_round = a.recovering;
  }
  if (!a.recovering) b.recovered_round = false;
  b.bw = min(max_bw(b), b.bw_shortterm);
  set_rate(b, s, a.mss, gains(b).pacing);
  set_cwnd(b, s, a);
  b.recovering = a.recovering;
}

uint32_t bbr_ssthresh(CcState& s, atcp_cc_event, uint64_t) {
  // The model has its own answer to losses; ssthresh is left alone.
  return s.ssthresh;
}

void bbr_on_event(CcState& s, atcp_cc_event e, uint64_t now_us) {
  Bbr& b = priv(s);
  switch (e) {
    case ATCP_CC_TX_START:
      // 5.4.1: after idle at the rate that the path has, not at a probe's.
      b.idle_restart = true;
      b.ack_epoch_us = now_us;
      b.ack_epoch_acked = 0;
      if (in_probe_bw(b)) set_rate(b, s, b.mss, kPercent);
      break;
    case ATCP_CC_ENTER_RECOVERY:
    case ATCP_CC_TIMEOUT:
      b.prior_cwnd = max(b.recovering ? b.prior_cwnd : 0, s.cwnd);
      break;
    case ATCP_CC_UNDO:
      reset_shortterm(b);
      break;
    case ATCP_CC_ENTER_CWR:
    case ATCP_CC_EXIT_RECOVERY:
      break;
  }
}

}  // namespace

const CcOps kBbr = {
    .abi = ATCP_CC_ABI,
    .owner = nullptr,
    .name = "bbr",
    .flags = ATCP_CC_PACED,
    .more_bytes = sizeof(Bbr),
    .init = bbr_init,
    .ssthresh = bbr_ssthresh,
    .observe = nullptr,
    .control = bbr_control,
    .on_ack = nullptr,
    .on_event = bbr_on_event,
};

BbrView bbr_view(const CcState& s, uint32_t mss) {
  const Bbr& b = *static_cast<const Bbr*>(s.more);
  return {b.state,
          bytes_per_s(b.bw, mss),
          b.min_rtt_us,
          b.inflight_longterm,
          b.inflight_shortterm,
          b.full_bw_reached};
}

}  // namespace atcp
