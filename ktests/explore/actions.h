// SPDX-License-Identifier: GPL-2.0
//
// What can happen next in the world, and making it happen. An action is a letter and a number, so that a path can
// be written down and taken again.
#ifndef ATCP_EXPLORE_ACTIONS_H
#define ATCP_EXPLORE_ACTIONS_H

#include <vector>

#include "explore/scenarios.h"

namespace atcp::explore {

struct Action {
  /// p: program of side n takes its next step; r: it resets. Of the segments on their way to side n the next one:
  /// d: arrives, x: is lost, u: arrives but a copy stays, h: is held back. l: slot n of the network, held
  /// back before, arrives. t: timer of socket n, w: wheel of side n.
  char what;
  uint8_t n;
};

/// Two hosts with their sockets, nothing sent yet but SYNs.
void begin(const Scenario& s, const Budget& budget);
/// Everything that can happen, in a fixed order.
void possible(const Scenario& s, std::vector<Action>* out);
void act(const Scenario& s, Action a);
/// Close what is still open, end the cores.
void end();
std::string explain(const Scenario& s, Action a);

/// The next segment that arrives at a side, if nothing held back comes before it; nullptr: none.
Wire* next_for(uint32_t side);
bool network_empty();

}  // namespace atcp::explore

#endif  // ATCP_EXPLORE_ACTIONS_H
