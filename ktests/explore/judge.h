// SPDX-License-Identifier: GPL-2.0
//
// What must be true in every state, and in those where nothing can happen any more; and a number that tells one
// state from another.
#ifndef ATCP_EXPLORE_JUDGE_H
#define ATCP_EXPLORE_JUDGE_H

#include "explore/scenarios.h"

namespace atcp::explore {

/// After each action. Complains by broken().
void judge_state();
/// Nothing can happen any more: was that a good end? Ends the cores as well, to see what they leave behind.
void judge_end(const Scenario& s);
/// Two states with the same number go on in the same ways. Addresses, totals, and when it is do not
/// count: sequence numbers are taken from the initial ones, times from now.
uint64_t fingerprint();
/// One line for a replay.
std::string show(uint32_t side);

}  // namespace atcp::explore

#endif  // ATCP_EXPLORE_JUDGE_H
