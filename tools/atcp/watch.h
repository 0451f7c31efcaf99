// SPDX-License-Identifier: GPL-2.0
//
// Taking samples (sample.h) of the kernel, and waiting between two of them.
#ifndef ATCP_TOOL_WATCH_H
#define ATCP_TOOL_WATCH_H

#include "client.h"
#include "sample.h"

namespace atcp::tool {

/// CLOCK_MONOTONIC.
uint64_t monotonic_us();

/// Everything that the rules of explain want to know; filter: which sockets and listeners.
Sample take_sample(Client& client, const Filter& filter);

/// The programs that have these sockets open.
Processes programs_of(const std::vector<Listener>& listeners, const std::vector<Socket>& sockets);

/// Listeners as well as sockets that a filter lets through; a listener has no peer.
std::vector<Listener> filtered_listeners(Client& client, const Filter& filter);

void sleep_seconds(double seconds);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_WATCH_H
