// SPDX-License-Identifier: GPL-2.0
//
// Which congestion controls there are, by name and by index: ours, and those that other modules bring. An index
// belongs to its name for ever, so that a parameter that holds one means the same algorithm when its module
// comes back.
#ifndef ATCP_CC_REGISTRY_H
#define ATCP_CC_REGISTRY_H

#include "cc/cc_ops.h"

namespace atcp {

/// Most names that there can ever be.
inline constexpr uint32_t kMaxCc = 32;

/// Indices in use: all below it have a name, though the module of some may be gone.
uint32_t cc_count();
/// i < cc_count(). nullptr: its module is gone. Lock: RCU, for as long as it is used without cc_hold().
const CcOps* cc_get(uint32_t i);
/// i < cc_count().
const char* cc_name(uint32_t i);
/// Index of the name of one that is there, or -1. Lock: none.
int32_t cc_find(const char* name);
/// Of "cubic", the default.
const CcOps& cc_default();
/// True if ops has all that is required (name length, hooks).
bool cc_valid(const CcOps& ops);

/// ADDR_IN_USE: the name is taken; INVALID: not cc_valid(), or another version of the interface; NO_MEMORY: kMaxCc names
/// have been seen. Lock: one of the callers of this and cc_remove() at a time.
atcp_err cc_add(const CcOps& ops);
/// Nobody finds it any more. The caller lets a grace period pass before ops goes away. False: it was not there.
bool cc_remove(const CcOps& ops);

/// Keep it where it is; false: it is about to go. Lock: RCU, unless it is held already.
bool cc_hold(const CcOps& ops);
void cc_release(const CcOps& ops);

}  // namespace atcp

#endif  // ATCP_CC_REGISTRY_H
