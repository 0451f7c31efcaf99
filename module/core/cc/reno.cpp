// SPDX-License-Identifier: GPL-2.0
//
// Reno: slow start and congestion avoidance of RFC 5681, with bytes counted as in RFC 3465, a
// segment being the unit. Fast retransmit and the window during recovery are the engine's.
//
// Deviations
//   - Slow start grows by all that one ACK covers; RFC 3465 2.2 has a limit L of two segments. One
//     ACK for many segments is the rule with GRO, and the limit would punish receivers that use it.
//   - ssthresh after loss is cwnd/2, RFC 5681 (4) has FlightSize/2. The two are the same while the
//     window is in use, and where it is not cwnd does not grow (RFC 7661 asks for more).
//   - cwnd grows only on ACKs of a flight that the window limited, RFC 5681 does not say so.
#include "cc/reno.h"

namespace atcp {

namespace {

// RFC 5681 3.1, (2) and (3): one segment per window of segments acked.
void congestion_avoidance(CcState& s, uint32_t acked) {
  const uint32_t cwnd = max<uint32_t>(s.cwnd, 1);
  const uint64_t cnt = static_cast<uint64_t>(s.cwnd_cnt) + acked;
  const uint64_t grown = s.cwnd + cnt / cwnd;

  s.cwnd_cnt = static_cast<uint32_t>(cnt % cwnd);
  if (grown >= s.cwnd_clamp) {
    s.cwnd = s.cwnd_clamp;
    s.cwnd_cnt = 0;
  } else {
    s.cwnd = static_cast<uint32_t>(grown);
  }
}

void reno_init(CcState& s, uint64_t) {
  s.cwnd_cnt = 0;
}

// RFC 5681 (4).
uint32_t reno_ssthresh(CcState& s, atcp_cc_event why, uint64_t) {
  const uint32_t half = s.cwnd / 2;
  if (half < 2 || why == ATCP_CC_TIMEOUT) {
    s.cwnd_cnt = 0;
    return max<uint32_t>(half, 2);
  }
  // The window is cwnd + cwnd_cnt / cwnd: half of the fraction stays, or a small window would lose a tenth by it.
  const uint32_t cnt = min(s.cwnd_cnt, s.cwnd - 1);
  s.cwnd_cnt = static_cast<uint32_t>((static_cast<uint64_t>(s.cwnd & 1) * s.cwnd + cnt) * half /
                                     (2ull * s.cwnd));
  return half;
}

void reno_on_ack(CcState& s, const CcAck& a) {
  uint32_t acked = a.acked;

  if (!a.cwnd_limited) return;
  if (in_slow_start(s)) acked = slow_start(s, acked);
  if (acked > 0) congestion_avoidance(s, acked);
}

}  // namespace

uint32_t slow_start(CcState& s, uint32_t acked) {
  const uint32_t top = min(s.ssthresh, s.cwnd_clamp);
  // Already there, or beyond: the clamp may have come down meanwhile.
  const uint32_t room = s.cwnd < top ? top - s.cwnd : 0;
  const uint32_t grow = min(acked, room);

  s.cwnd += grow;
  return in_slow_start(s) ? 0 : acked - grow;
}

const CcOps kReno = {
    .abi = ATCP_CC_ABI,
    .owner = nullptr,
    .name = "reno",
    .flags = 0,
    .more_bytes = 0,
    .init = reno_init,
    .ssthresh = reno_ssthresh,
    .observe = nullptr,
    .control = nullptr,
    .on_ack = reno_on_ack,
    .on_event = nullptr,
};

}  // namespace atcp
