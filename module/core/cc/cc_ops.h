// SPDX-License-Identifier: GPL-2.0
//
// The core's names for the interface of congestion controls (abi/atcp_cc.h).
#ifndef ATCP_CC_CC_OPS_H
#define ATCP_CC_CC_OPS_H

#include "abi/atcp_cc.h"
#include "base/types.h"

namespace atcp {

inline constexpr uint32_t kCcPrivWords = ATCP_CC_PRIV_WORDS;
inline constexpr uint32_t kSsthreshInfinite = ATCP_CC_SSTHRESH_INFINITE;

using CcState = atcp_cc;
using CcAck = atcp_cc_ack;
using CcOps = atcp_cc_ops;

inline bool has_flag(const CcOps& ops, uint32_t flag) {
  return (ops.flags & flag) != 0;
}

}  // namespace atcp

#endif  // ATCP_CC_CC_OPS_H
