// SPDX-License-Identifier: GPL-2.0
//
// Round-trip time and retransmission timeout by RFC 6298, with Linux's choice of variance floor:
// the timeout is at least srtt + rto_min, so a smooth path does not time out at once when one
// ACK is late.
#ifndef ATCP_CONN_RTT_H
#define ATCP_CONN_RTT_H

#include "base/types.h"

namespace atcp {

class RttEstimator {
 public:
  static constexpr uint32_t kInitialRtoUs = 1000000;  ///< RFC 6298 2.1
  static constexpr uint64_t kMinRttWindowUs = 300ull * 1000000;

  /// One unambiguous measurement (Karn: never of a retransmitted segment without timestamps).
  void sample(uint32_t rtt_us, uint64_t now_us);
  bool have_sample() const { return srtt8_ != 0; }
  uint32_t srtt_us() const { return srtt8_ >> 3; }
  uint32_t rttvar_us() const { return rttvar4_ >> 2; }
  uint32_t min_rtt_us() const { return min_rtt_us_; }
  /// Before back-off.
  uint32_t rto_us(uint32_t rto_min_us, uint32_t rto_max_us) const;
  /// With exponential back-off, 2^backoff, capped.
  uint32_t backed_off_us(uint32_t backoff, uint32_t rto_min_us, uint32_t rto_max_us) const;
  /// Forget: the path changed, or the handshake timed out (RFC 6298 5.7 wants 3 s then).
  void reset() { *this = RttEstimator{}; }

 private:
  uint32_t srtt8_ = 0;    ///< smoothed RTT * 8
  uint32_t rttvar4_ = 0;  ///< mean deviation * 4
  uint32_t min_rtt_us_ = 0;
  uint32_t min_rtt_at_s_ = 0;
};

}  // namespace atcp

#endif  // ATCP_CONN_RTT_H
