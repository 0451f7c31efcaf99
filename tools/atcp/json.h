// SPDX-License-Identifier: GPL-2.0
//
// The same rows for programs: field names never change their meaning, sizes are bytes, times name
// their unit. A list is an array of objects.
#ifndef ATCP_TOOL_JSON_H
#define ATCP_TOOL_JSON_H

#include <nlohmann/json.hpp>

#include "model.h"

namespace atcp::tool {

using Json = nlohmann::ordered_json;

Json to_json(const Param& p);
Json to_json(const Socket& s);
Json to_json(const Listener& l);
Json to_json(const Counter& c);
Json to_json(const Reason& r);

template <class T>
Json to_json(const std::vector<T>& rows) {
  Json array = Json::array();
  for (const T& row : rows)
    array.push_back(to_json(row));
  return array;
}

/// Two blanks of indentation and a newline at the end; bytes that are no UTF-8 become U+FFFD.
std::string json_text(const Json& j);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_JSON_H
