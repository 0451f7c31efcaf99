// SPDX-License-Identifier: GPL-2.0
//
// What is explored: how the two hosts begin, what their programs do, what the adversary may do, and whether all of
// that leaves the connection any excuse for failing.
#ifndef ATCP_EXPLORE_SCENARIOS_H
#define ATCP_EXPLORE_SCENARIOS_H

#include "explore/world.h"

namespace atcp::explore {

enum class Opening : uint8_t {
  Listener,  ///< A connects, B listens
  Both,      ///< A and B connect to each other
  Nobody,    ///< A connects, B has no socket
};

struct Scenario {
  const char* name;
  const char* about;
  Opening opening;
  Step program[kSides][kMaxSteps];
  Budget full[2];          ///< each explored for itself; nothing at all: there is no second
  Budget quick;            ///< for the run under sanitizers
  bool may_reset[kSides];  ///< the program may reset the connection at any time
  /// Retransmissions suffice for whatever the adversary may do: then, unless somebody resets, all bytes arrive
  /// and nobody is told of an error.
  bool reliable;
  bool sack;
  bool timestamps;
  bool keepalive;           ///< else a program may wait for ever for a peer that is gone
  uint32_t rcvbuf[kSides];  ///< 0: plenty
  const char* retries;      ///< of everything that has a limit of its own
};

extern const Scenario kScenarios[];
extern const uint32_t kScenarioCount;

}  // namespace atcp::explore

#endif  // ATCP_EXPLORE_SCENARIOS_H
