// SPDX-License-Identifier: GPL-2.0
//
// Which congestion controls there are, by name and by index. Built-ins only for now; the list is
// the one place a new algorithm has to be added to.
#ifndef ATCP_CC_REGISTRY_H
#define ATCP_CC_REGISTRY_H

#include "cc/cc_ops.h"

namespace atcp {

uint32_t cc_count();
/// i < cc_count().
const CcOps& cc_get(uint32_t i);
/// Index of a name, or -1.
int32_t cc_find(const char* name);
/// Index of "cubic", the default.
uint32_t cc_default();
/// True if ops has all that is required (name length, hooks).
bool cc_valid(const CcOps& ops);

}  // namespace atcp

#endif  // ATCP_CC_REGISTRY_H
