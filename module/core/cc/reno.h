// SPDX-License-Identifier: GPL-2.0
//
// Reno, and the slow start that other algorithms share with it. Only declarations: what Reno is and
// where it departs from its RFC stands in reno.cpp.
#ifndef ATCP_CC_RENO_H
#define ATCP_CC_RENO_H

#include "cc/cc_ops.h"

namespace atcp {

extern const CcOps kReno;

constexpr bool in_slow_start(const CcState& s) {
  return s.cwnd < s.ssthresh;
}

/// Slow start (RFC 5681 3.1): cwnd grows by what was acked, but not beyond ssthresh. Returns the
/// acked segments that are left for congestion avoidance, 0 if cwnd_clamp stopped the growth.
uint32_t slow_start(CcState& s, uint32_t acked);

}  // namespace atcp

#endif  // ATCP_CC_RENO_H
