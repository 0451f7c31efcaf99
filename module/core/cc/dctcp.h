// SPDX-License-Identifier: GPL-2.0
//
// Data Center TCP; what it is stands in dctcp.cpp.
#ifndef ATCP_CC_DCTCP_H
#define ATCP_CC_DCTCP_H

#include "cc/cc_ops.h"

namespace atcp {

extern const CcOps kDctcp;

/// The estimate of the share of marked segments, in 2^-20. For tests and for what is shown.
uint32_t dctcp_alpha(const CcState& s);

}  // namespace atcp

#endif  // ATCP_CC_DCTCP_H
