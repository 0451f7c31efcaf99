// SPDX-License-Identifier: GPL-2.0
//
// The one table of reasons: what enum atcp_reason's numbers are called and what they mean to a
// person. Nothing is dropped, reset or ended without one.
#ifndef ATCP_TABLE_REASONS_H
#define ATCP_TABLE_REASONS_H

#include <linux/atcp.h>
#include "base/types.h"

namespace atcp {

struct ReasonRow {
  const char* name;  ///< lower case with underscores, as the tool prints it
  const char* help;
};
extern const ReasonRow kReasons[__ATCP_REASON_MAX];

}  // namespace atcp

#endif  // ATCP_TABLE_REASONS_H
