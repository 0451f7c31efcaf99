// SPDX-License-Identifier: GPL-2.0
//
// One frame of `atcp top`, made of two samples: listeners with their queues and what they refuse,
// the busiest connections, what was dropped and why. Plain text; the terminal is elsewhere.
#ifndef ATCP_TOOL_TOP_H
#define ATCP_TOOL_TOP_H

#include <string>

#include "sample.h"

namespace atcp::tool {

/// At most `rows` lines of at most `columns` characters; 0: as many as there are.
std::string top_frame(const Change& change, size_t rows, size_t columns);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_TOP_H
