// SPDX-License-Identifier: GPL-2.0
//
// HyStart++ (RFC 9406): slow start that ends before it overflows the queue. When the least RTT of a round is well
// above that of the round before, a queue is growing: then cwnd grows by a quarter of the usual for five rounds, and unless
// the RTT falls again, congestion avoidance begins.
#ifndef ATCP_CC_HYSTART_H
#define ATCP_CC_HYSTART_H

#include "cc/cc_ops.h"

namespace atcp {

/// Times in microseconds; kNone: none known.
struct HyStart {
  static constexpr uint32_t kNone = ~0u;

  uint32_t round = 0;            ///< CcAck::round of the round that runs
  uint32_t last_min = kNone;     ///< least RTT of the round before
  uint32_t current_min = kNone;  ///< and of this one
  uint32_t baseline = kNone;     ///< least RTT when careful growth began
  uint8_t samples = 0;           ///< of this round; stops at 255
  uint8_t css_rounds = 0;        ///< of careful growth, with this one; 0: usual growth
};

/// An ACK in the first slow start, the one that has no ssthresh yet. Returns by how many segments cwnd grows; when slow start
/// is over, ssthresh is cwnd. s.cwnd_cnt holds quarters of a segment.
uint32_t hystart_on_ack(HyStart& h, CcState& s, const CcAck& a);

}  // namespace atcp

#endif  // ATCP_CC_HYSTART_H
