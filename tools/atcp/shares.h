// SPDX-License-Identifier: GPL-2.0
//
// What a connection's time went into ("limited"): names, words, and sums of shares.
#ifndef ATCP_TOOL_SHARES_H
#define ATCP_TOOL_SHARES_H

#include <cstdint>
#include <string>
#include <vector>

#include "model.h"

namespace atcp::tool {

using Shares = std::vector<Share>;

struct LimitRow {
  uint32_t number;   ///< enum atcp_limit
  const char* name;  ///< for programs
  const char* what;  ///< "waiting for ..."
  const char* todo;  ///< against much of it; empty if that is as it should be
  bool grave;        ///< somebody should do something
};

/// The row of a limit; for one that this version does not know, a row that says so.
const LimitRow& limit_row(uint32_t number);

uint64_t total(const Shares& shares);
/// What was added since `before`, for each that is in `now`.
Shares difference(const Shares& now, const Shares& before);
/// Rounded to the nearest whole; 0 of nothing.
uint64_t percent(uint64_t part, uint64_t whole);
/// A line per share that is not 0, largest first: name, per cent, a bar, time.
std::string shares_text(const Shares& shares);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_SHARES_H
