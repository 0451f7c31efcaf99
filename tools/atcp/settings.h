// SPDX-License-Identifier: GPL-2.0
//
// The words after `params set` and `params reset`, and what to suggest when a parameter's name is
// misspelt. Whether a value is right is for the kernel to say.
#ifndef ATCP_TOOL_SETTINGS_H
#define ATCP_TOOL_SETTINGS_H

#include <string>
#include <string_view>
#include <vector>

#include "model.h"

namespace atcp::tool {

/// "NAME VALUE…" (the words of the value are joined by blanks), or "NAME=VALUE" any number of
/// times. Throws Error (kExitUsage).
std::vector<Setting> parse_settings(const std::vector<std::string>& words);

/// The settings that give the named parameters (all that are changed, if none is named) their
/// defaults. Throws Error if there is no such parameter.
std::vector<Setting> reset_settings(const std::vector<Param>& params,
                                    const std::vector<std::string>& names);

/// What to tell the user when the kernel refused to set these. why: the kernel's words, which begin
/// with "NAME=VALUE: " or, on kernels that cannot say the value, "NAME: ".
std::string set_refusal(const std::vector<Setting>& settings, const std::string& why);

/// The parameter of this name; throws Error with the nearest name if there is none.
const Param& param_by_name(const std::vector<Param>& params, std::string_view name);

/// The name in params that is nearest to a misspelt one, or "" if none is near.
std::string nearest_name(const std::vector<Param>& params, std::string_view name);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_SETTINGS_H
