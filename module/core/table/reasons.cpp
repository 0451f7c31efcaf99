// SPDX-License-Identifier: GPL-2.0
//
// The table of reasons from its rows: names and meanings. Where each one arises is found by its
// constant; how often it did, the port counts.
#include "table/reasons.h"

#include "abi/reason_rows.h"

namespace atcp {
namespace {

#define ATCP_ROW(id, name, help) {name, help},
#define ATCP_ID(id, name, help) ATCP_REASON_##id,

constexpr atcp_reason kOrder[] = {ATCP_REASONS(ATCP_ID)};

constexpr bool in_order() {
  for (uint32_t i = 0; i < array_len(kOrder); i++)
    if (static_cast<uint32_t>(kOrder[i]) != i) return false;
  return true;
}
static_assert(array_len(kOrder) == __ATCP_REASON_MAX, "a reason without a row");
static_assert(in_order(), "rows of kReasons are not in the order of their enum");

}  // namespace

constexpr ReasonRow kReasons[__ATCP_REASON_MAX] = {ATCP_REASONS(ATCP_ROW)};

}  // namespace atcp
