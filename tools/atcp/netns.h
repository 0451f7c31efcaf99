// SPDX-License-Identifier: GPL-2.0
//
// --netns NAME: the tool goes into a network namespace that ip-netns(8) has named, before it talks
// to the kernel. What is executed from there (`run`) stays in it.
#ifndef ATCP_TOOL_NETNS_H
#define ATCP_TOOL_NETNS_H

#include <string>
#include <vector>

namespace atcp::tool {

/// The named ones, sorted.
std::vector<std::string> netns_names(const std::string& folder = "/run/netns");

/// Throws Error: no such name (with the nearest), or what it takes to enter.
void enter_netns(const std::string& name, const std::string& folder = "/run/netns");

}  // namespace atcp::tool

#endif  // ATCP_TOOL_NETNS_H
