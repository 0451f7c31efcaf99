// SPDX-License-Identifier: GPL-2.0
//
// CUBIC, RFC 9438, in integers. After a loss the window follows W(t) = C (t - K)^3 + W_max: fast up
// to the window of the last loss, slowly around it, fast again beyond; beside it runs the window that
// Reno would have, and the larger of the two counts. C = 0.4, beta = 0.7.
//
// Arithmetic. Windows are segments with 20 fraction bits, times of the curve are 1/1024 s, so that
// with d = t - K in those units C d^3 is d^3 / 2560 in 2^-20 segments. d below 2^21 (34 minutes) keeps
// the cube in 64 bits; beyond, the curve is far above any window and is cut.
//
// Deviations
//   - The first slow start is HyStart++'s (4.10); its one deviation is in hystart.cpp.
//   - ssthresh after loss is beta * cwnd, 4.6 has beta * flight_size; see reno.cpp. It is whole segments; the
//     fraction that it lacks is there again when the next epoch begins. (Without it windows of some ten
//     segments would be a tenth to a fifth below the RFC's.)
//   - In the Reno-friendly region cwnd is raised to W_est, never lowered to it (4.3 sets it).
//   - Slow start grows by all that an ACK covers; see reno.cpp.
//   - 5.8 leaves open how time without use of the window is left out of t. Here t is a sum: it takes
//     in the time since the last ACK only when this ACK's flight was limited by the window and did not
//     begin after idle. So there is no epoch to be shifted. Slow start after idle begins a new one.
//   - Convergence after an undone reduction (4.9): W_max, K, t and W_est return to what they were
//     before the first reduction of the episode; the time in between is left out of t.
#include "cc/cubic.h"

#include "cc/hystart.h"
#include "cc/reno.h"

namespace atcp {

namespace {

constexpr uint32_t kFracBits = 20;
constexpr uint64_t kOne = 1ull << kFracBits;  // one segment
constexpr uint32_t kBetaNum = 7, kBetaDen = 10;
// C d^3: 0.4 * 2^20 / 2^30 = 1 / 2560
constexpr uint64_t kCubeDiv = 2560;
constexpr uint32_t kMaxDist = (1u << 21) - 1;
// 3 (1 - beta) / (1 + beta) = 9/17: Reno's growth for a loss response of beta (4.3)
constexpr uint64_t kAlpha = 9 * kOne / 17;
// From here on a window's fraction no longer matters for a share of it.
constexpr uint32_t kLargeCwnd = 1024;

// Flags: t runs (congestion avoidance has begun since the last reduction or slow start); a reduction
// happened that is not over yet; kInEpoch as it was before it.
constexpr uint32_t kInEpoch = 1;
constexpr uint32_t kReduced = 2;
constexpr uint32_t kUndoInEpoch = 4;

// What an epoch is made of and what Undo brings back.
struct Epoch {
  uint64_t w_est;       // Reno's window, 2^-20 segments
  uint32_t elapsed_us;  // t; stays at its largest value
  uint32_t k;           // K, 1/1024 s
  uint32_t w_max;       // segments; 0: none known
  uint32_t cwnd_prior;  // cwnd before the last reduction; 0: there was none
};

struct Cubic {
  uint64_t last_us;  // the last ACK, or the end of idle: t was brought up to here
  Epoch now;
  Epoch undo;
  uint32_t flags;
  uint32_t
      cut_fraction;  // 2^-20 segments: what ssthresh, in whole segments, leaves out of beta * cwnd
  HyStart hystart;
};
static_assert(sizeof(Epoch) == 24);
static_assert(sizeof(Cubic) <= kCcPrivWords * 8);

Cubic& priv(CcState& s) {
  return *__builtin_launder(reinterpret_cast<Cubic*>(s.priv));
}

// `total` times acked/cwnd: what one ACK adds of what a whole window of ACKs shall add. acked <= cwnd,
// cwnd the whole segments of cwnd_fp, total <= cwnd_fp or one segment: no product exceeds 64 bits. (One
// ACK of a window of more than half a million segments adds nothing to W_est, which is far below
// the curve there.)
uint64_t share(uint64_t total, uint32_t acked, uint64_t cwnd_fp) {
  const uint64_t cwnd = cwnd_fp >> kFracBits;

  if (cwnd < kLargeCwnd) return ((total * acked) << kFracBits) / cwnd_fp;
  return total / cwnd * acked + total % cwnd * acked / cwnd;
}

constexpr uint32_t to_curve_time(uint64_t us) {
  return static_cast<uint32_t>(us * 1024 / 1000000);
}

// W_cubic at t (1/1024 s), 2^-20 segments (4.2, figure 1).
uint64_t w_cubic(const Epoch& e, uint32_t t) {
  const uint64_t w_max = static_cast<uint64_t>(e.w_max) << kFracBits;
  const uint64_t d = min(t < e.k ? e.k - t : t - e.k, kMaxDist);
  const uint64_t rise = d * d * d / kCubeDiv;

  if (t >= e.k) return w_max + rise;
  return rise < w_max ? w_max - rise : 0;
}

// Congestion avoidance begins (4.2, 4.8).
void begin_epoch(CcState& s, Cubic& c, uint64_t now_us) {
  c.flags |= kInEpoch;
  c.last_us = now_us;
  c.now.elapsed_us = 0;
  s.cwnd_cnt = s.cwnd == s.ssthresh ? c.cut_fraction : 0;
  c.now.w_est = (static_cast<uint64_t>(s.cwnd) << kFracBits) + s.cwnd_cnt;
  if (c.now.cwnd_prior == 0) c.now.cwnd_prior = s.cwnd;
  if (c.now.w_max <= s.cwnd) {
    // The first epoch, or after a timeout, or slow start led beyond it.
    c.now.w_max = s.cwnd;
    c.now.k = 0;
    return;
  }
  // K = cbrt((W_max - cwnd) / C)
  const uint64_t dist = (static_cast<uint64_t>(c.now.w_max) << kFracBits) - c.now.w_est;
  c.now.k = cube_root(dist * kCubeDiv);
}

// 4.2 to 4.5. The fraction of the window lives in cwnd_cnt.
void congestion_avoidance(CcState& s, Cubic& c, uint32_t acked, uint32_t rtt_us) {
  Epoch& e = c.now;
  const uint64_t cwnd = (static_cast<uint64_t>(s.cwnd) << kFracBits) + s.cwnd_cnt;

  acked = min(acked, s.cwnd);

  // RFC 9438 4.3: alpha is 1 once Reno's window is where the last loss was.
  const uint64_t prior = static_cast<uint64_t>(e.cwnd_prior) << kFracBits;
  e.w_est += share(e.w_est >= prior ? kOne : kAlpha, acked, cwnd);

  uint64_t next;
  if (w_cubic(e, to_curve_time(e.elapsed_us)) < e.w_est) {
    next = max(cwnd, e.w_est);
  } else {
    // 4.4, 4.5: towards where the curve will be one round trip later.
    const uint64_t ahead = static_cast<uint64_t>(e.elapsed_us) + rtt_us;
    const uint64_t target = clamp(w_cubic(e, to_curve_time(ahead)), cwnd, cwnd + cwnd / 2);
    next = cwnd + share(target - cwnd, acked, cwnd);
  }

  if ((next >> kFracBits) >= s.cwnd_clamp) {
    s.cwnd = s.cwnd_clamp;
    s.cwnd_cnt = 0;
  } else {
    s.cwnd = static_cast<uint32_t>(next >> kFracBits);
    s.cwnd_cnt = static_cast<uint32_t>(next & (kOne - 1));
  }
}

void cubic_init(CcState& s, uint64_t now_us) {
  Cubic* c = new (s.priv, Place{}) Cubic{};
  c->last_us = now_us;
  s.cwnd_cnt = 0;
}

// 4.6, 4.7.
uint32_t cubic_ssthresh(CcState& s, atcp_cc_event, uint64_t) {
  Cubic& c = priv(s);
  Epoch& e = c.now;

  if ((c.flags & kReduced) == 0) {
    c.undo = e;
    c.flags = kReduced | ((c.flags & kInEpoch) != 0 ? kUndoInEpoch : 0);
  }
  c.flags &= ~kInEpoch;
  // Fast convergence: a flow that lost below its last maximum makes room for a newcomer.
  if (s.cwnd < e.w_max)
    e.w_max = static_cast<uint32_t>(static_cast<uint64_t>(s.cwnd) * (kBetaDen + kBetaNum) /
                                    (2 * kBetaDen));
  else
    e.w_max = s.cwnd;
  e.cwnd_prior = s.cwnd;
  const uint64_t cut =
      ((static_cast<uint64_t>(s.cwnd) << kFracBits) + s.cwnd_cnt) * kBetaNum / kBetaDen;
  s.cwnd_cnt = 0;
  c.cut_fraction = cut >= 2 * kOne ? static_cast<uint32_t>(cut & (kOne - 1)) : 0;
  return max<uint32_t>(static_cast<uint32_t>(cut >> kFracBits), 2);
}

void cubic_on_ack(CcState& s, const CcAck& a) {
  Cubic& c = priv(s);
  uint32_t acked = a.acked;
  // A clock that steps back adds nothing.
  const uint64_t since = a.now_us > c.last_us ? a.now_us - c.last_us : 0;

  c.last_us = a.now_us;
  if (s.ssthresh == kSsthreshInfinite) acked = hystart_on_ack(c.hystart, s, a);
  if (!a.cwnd_limited) return;
  c.flags &= ~kReduced;
  if (in_slow_start(s)) {
    c.flags &= ~kInEpoch;
    acked = slow_start(s, acked);
    if (in_slow_start(s)) return;
  }
  if ((c.flags & kInEpoch) == 0) {
    begin_epoch(s, c, a.now_us);
  } else {
    c.now.elapsed_us = static_cast<uint32_t>(
        min<uint64_t>(static_cast<uint64_t>(c.now.elapsed_us) + since, 0xffffffff));
  }
  if (acked > 0 && s.cwnd > 0) congestion_avoidance(s, c, acked, a.srtt_us);
}

void cubic_on_event(CcState& s, atcp_cc_event e, uint64_t now_us) {
  Cubic& c = priv(s);

  switch (e) {
    case ATCP_CC_TX_START:
      // The pause is no part of t.
      c.last_us = now_us;
      break;
    case ATCP_CC_TIMEOUT:
      // 4.8: the curve begins anew where slow start will end, with K = 0.
      c.now.w_max = 0;
      break;
    case ATCP_CC_UNDO:
      c.now = c.undo;
      c.cut_fraction = 0;
      c.flags = (c.flags & kUndoInEpoch) != 0 ? kInEpoch : 0;
      c.last_us = now_us;
      s.cwnd_cnt = 0;
      break;
    case ATCP_CC_EXIT_RECOVERY:
      c.flags &= ~kReduced;
      break;
    case ATCP_CC_ENTER_RECOVERY:
    case ATCP_CC_ENTER_CWR:
      break;
  }
}

}  // namespace

const CcOps kCubic = {
    .abi = ATCP_CC_ABI,
    .owner = nullptr,
    .name = "cubic",
    .flags = 0,
    .more_bytes = 0,
    .init = cubic_init,
    .ssthresh = cubic_ssthresh,
    .observe = nullptr,
    .control = nullptr,
    .on_ack = cubic_on_ack,
    .on_event = cubic_on_event,
};

}  // namespace atcp
