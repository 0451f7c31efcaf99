// SPDX-License-Identifier: GPL-2.0
//
// One frame of `atcp top`, made of two samples: listeners with their queues and what they refuse,
// the busiest connections, what was dropped and why. Text or JSON; the terminal is elsewhere.
#ifndef ATCP_TOOL_TOP_H
#define ATCP_TOOL_TOP_H

#include <string>

#include "json_type.h"
#include "sample.h"

namespace atcp::tool {

/// At most `rows` lines of at most `columns` characters; 0: as many as there are.
std::string top_frame(const Change& change, size_t rows, size_t columns);

/// The same for programs, and of everything, not of the first few: "seconds"; "per_second" by counter;
/// "listeners" and "connections" (those with any traffic) as in `atcp sockets`, each with a
/// "per_second"; "reasons" with theirs.
Json top_json(const Change& change);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_TOP_H
