// SPDX-License-Identifier: GPL-2.0
//
// Scripts by which shells complete the tool's words, made from the description of its command line.
#ifndef ATCP_TOOL_COMPLETION_H
#define ATCP_TOOL_COMPLETION_H

#include <string>

#include "cli.h"

namespace atcp::tool {

std::string bash_completion(const Described& tool);
std::string zsh_completion(const Described& tool);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_COMPLETION_H
