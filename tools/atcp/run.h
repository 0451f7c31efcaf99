// SPDX-License-Identifier: GPL-2.0
//
// The parts of `atcp run` that need no process to be tested: where the library is looked for, and
// what LD_PRELOAD becomes.
#ifndef ATCP_TOOL_RUN_H
#define ATCP_TOOL_RUN_H

#include <string>
#include <vector>

#include "model.h"

namespace atcp::tool {

inline constexpr const char* kPreloadName = "libatcp-preload.so";

/// The folder that the tool itself is in; "" if that is unknown.
std::string exe_folder();

/// Where the library may be, best first: beside the tool (where a build puts it), then where it is
/// installed. exe_dir: the tool's own folder.
std::vector<std::string> preload_candidates(const std::string& exe_dir);

/// "NAME=VALUE NAME=VALUE", as the preload library takes them. Throws Error for what is no parameter
/// of single sockets.
std::string socket_settings(const std::vector<Param>& known, const std::vector<Setting>& settings);

/// The library in front of what the user's environment preloads already. old: LD_PRELOAD or
/// nullptr.
std::string preload_value(const std::string& library, const char* old);

/// The parser hands what follows a "--" back to the parent command; so the one that ends `run`'s
/// own options is taken out before. Others belong to the program. args: without the tool's name.
void drop_run_mark(std::vector<std::string>& args);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_RUN_H
