// SPDX-License-Identifier: GPL-2.0
//
// The same rows for programs: field names never change their meaning, sizes are bytes, times name
// their unit. A list is an array of objects.
#ifndef ATCP_TOOL_JSON_H
#define ATCP_TOOL_JSON_H

#include <nlohmann/json.hpp>

#include "json_type.h"
#include "model.h"
#include "process.h"

namespace atcp::tool {

Json to_json(const Param& p);
/// With "programs": those that have it open, as far as they are known.
Json to_json(const Socket& s, const Processes& programs = {});
Json to_json(const Listener& l, const Processes& programs = {});
Json to_json(const Counter& c);
Json to_json(const Reason& r);
Json to_json(const Cc& c);
Json to_json(const Tables& t);
/// The socket's fields, and what a record has besides.
Json to_json(const Record& r);
Json to_json(const Event& e);

template <class T>
Json to_json(const std::vector<T>& rows) {
  Json array = Json::array();
  for (const T& row : rows)
    array.push_back(to_json(row));
  return array;
}

template <class T>
Json to_json(const std::vector<T>& rows, const Processes& programs) {
  Json array = Json::array();
  for (const T& row : rows)
    array.push_back(to_json(row, programs));
  return array;
}

/// Two blanks of indentation and a newline at the end; bytes that are no UTF-8 become U+FFFD.
std::string json_text(const Json& j);
/// The same in one line.
std::string json_line(const Json& j);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_JSON_H
