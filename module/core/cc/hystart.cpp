// SPDX-License-Identifier: GPL-2.0
//
// HyStart++ (RFC 9406), 4.2 in the order of its steps.
//
// Deviation: L, the limit of what one ACK adds, is infinite for senders without pacing too. A receiver that coalesces
// (GRO) acknowledges 40 segments at once as a rule, and slow start would be linear.
#include "cc/hystart.h"

namespace atcp {

namespace {

// 4.3.
constexpr uint32_t kMinThreshUs = 4000;
constexpr uint32_t kMaxThreshUs = 16000;
constexpr uint32_t kRttDivisor = 8;
constexpr uint32_t kSamples = 8;
constexpr uint32_t kGrowthDivisor = 4;
constexpr uint32_t kCssRounds = 5;

bool begin_round(HyStart& h, CcState& s) {
  h.last_min = h.current_min;
  h.current_min = HyStart::kNone;
  h.samples = 0;
  if (h.css_rounds == 0) return true;
  h.css_rounds++;
  if (h.css_rounds <= kCssRounds) return true;
  s.ssthresh = s.cwnd;
  return false;
}

void look(HyStart& h) {
  if (h.samples < kSamples) return;
  if (h.css_rounds != 0) {
    if (h.current_min >= h.baseline) return;
    // It was a jitter.
    h.baseline = HyStart::kNone;
    h.css_rounds = 0;
    return;
  }
  if (h.last_min == HyStart::kNone) return;
  const uint32_t thresh = clamp(h.last_min / kRttDivisor, kMinThreshUs, kMaxThreshUs);
  if (h.current_min < h.last_min || h.current_min - h.last_min < thresh) return;
  h.baseline = h.current_min;
  h.css_rounds = 1;
}

}  // namespace

uint32_t hystart_on_ack(HyStart& h, CcState& s, const CcAck& a) {
  if (a.round != h.round) {
    h.round = a.round;
    if (!begin_round(h, s)) return 0;
  }
  if (a.rtt_us != 0) {
    h.current_min = min(h.current_min, a.rtt_us);
    if (h.samples < 255) h.samples++;
    look(h);
  }
  if (!a.cwnd_limited) return 0;
  if (h.css_rounds == 0) return a.acked;
  const uint64_t quarters = static_cast<uint64_t>(s.cwnd_cnt) + a.acked;
  s.cwnd_cnt = static_cast<uint32_t>(quarters % kGrowthDivisor);
  return static_cast<uint32_t>(quarters / kGrowthDivisor);
}

}  // namespace atcp
