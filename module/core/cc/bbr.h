// SPDX-License-Identifier: GPL-2.0
//
// BBR; what it is stands in bbr.cpp.
#ifndef ATCP_CC_BBR_H
#define ATCP_CC_BBR_H

#include "cc/cc_ops.h"

namespace atcp {

extern const CcOps kBbr;

enum class BbrState : uint8_t { Startup, Drain, Down, Cruise, Refill, Up, ProbeRtt };

/// What the algorithm thinks of the path: for tests and for what is shown.
struct BbrView {
  BbrState state;
  uint64_t bw_bytes_per_s;      ///< of segments of mss bytes
  uint32_t min_rtt_us;          ///< 0: unknown
  uint32_t inflight_longterm;   ///< segments; ~0: no bound
  uint32_t inflight_shortterm;  ///< likewise
  bool full_bw_reached;
};
BbrView bbr_view(const CcState& s, uint32_t mss);

}  // namespace atcp

#endif  // ATCP_CC_BBR_H
