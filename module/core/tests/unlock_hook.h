// SPDX-License-Identifier: GPL-2.0
//
// What another CPU does at the moment it gets a lock of a table: a test's function, run by the fake port.
#ifndef ATCP_TESTS_UNLOCK_HOOK_H
#define ATCP_TESTS_UNLOCK_HOOK_H

#include <functional>

namespace atcp::test {

/// Called after a lock of a table was given back, with no lock of that array held. Empty: nothing. The test
/// that sets it empties it.
inline std::function<void()> on_unlock;

}  // namespace atcp::test

#endif  // ATCP_TESTS_UNLOCK_HOOK_H
