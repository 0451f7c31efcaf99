// SPDX-License-Identifier: GPL-2.0
//
// The type of JSON values, declared only: for headers whose readers do not all build such values.
#ifndef ATCP_TOOL_JSON_TYPE_H
#define ATCP_TOOL_JSON_TYPE_H

#include <nlohmann/json_fwd.hpp>

namespace atcp::tool {

using Json = nlohmann::ordered_json;

}  // namespace atcp::tool

#endif  // ATCP_TOOL_JSON_TYPE_H
