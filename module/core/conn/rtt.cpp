// SPDX-License-Identifier: GPL-2.0
//
// RFC 6298 section 2 in fixed point: srtt is kept times 8 and the deviation times 4, so that the
// gains 1/8 and 1/4 are shifts and lose nothing.
#include "conn/rtt.h"

namespace atcp {

namespace {
constexpr uint32_t kMaxSampleUs = 1u << 28;  // 268 s: beyond any timeout, and 8x fits 32 bits
}

void RttEstimator::sample(uint32_t rtt_us, uint64_t now_us) {
  // RFC 6298 2.2 and 2.3.
  const uint32_t r = clamp(rtt_us, 1u, kMaxSampleUs);
  if (srtt8_ == 0) {
    srtt8_ = r << 3;
    rttvar4_ = r << 1;  // RTTVAR = R/2
  } else {
    const int32_t err = static_cast<int32_t>(r) - static_cast<int32_t>(srtt8_ >> 3);
    const uint32_t dev = static_cast<uint32_t>(err < 0 ? -err : err);
    rttvar4_ += dev - (rttvar4_ >> 2);
    srtt8_ = static_cast<uint32_t>(static_cast<int32_t>(srtt8_) + err);
    if (srtt8_ == 0) srtt8_ = 1;
  }
  const uint32_t now_s = static_cast<uint32_t>(now_us / 1000000);
  if (min_rtt_us_ == 0 || r <= min_rtt_us_ || now_s - min_rtt_at_s_ > kMinRttWindowUs / 1000000) {
    min_rtt_us_ = r;
    min_rtt_at_s_ = now_s;
  }
}

uint32_t RttEstimator::rto_us(uint32_t rto_min_us, uint32_t rto_max_us) const {
  // RFC 6298 2.1 to 2.4. Deviation: the least is rto_min for the variance term, not 1 s for the sum.
  if (!have_sample()) return min(kInitialRtoUs, rto_max_us);
  const uint32_t rto = srtt_us() + max(rttvar4_, rto_min_us);
  return min(rto, rto_max_us);
}

uint32_t RttEstimator::backed_off_us(uint32_t backoff, uint32_t rto_min_us,
                                     uint32_t rto_max_us) const {
  // RFC 6298 2.5 and 5.5.
  const uint64_t rto = static_cast<uint64_t>(rto_us(rto_min_us, rto_max_us)) << min(backoff, 20u);
  return rto > rto_max_us ? rto_max_us : static_cast<uint32_t>(rto);
}

}  // namespace atcp
