// SPDX-License-Identifier: GPL-2.0
//
// What `atcp attached` shows: cgroups whose TCP sockets are atcp's, as rows, text and JSON.
#ifndef ATCP_TOOL_ATTACH_H
#define ATCP_TOOL_ATTACH_H

#include <cstdint>
#include <string>
#include <vector>

#include "json_type.h"

namespace atcp::tool {

struct Attached {
  uint64_t id = 0;       ///< of the cgroup
  std::string path;      ///< as /proc/PID/cgroup has it; empty if it is not known
  bool gone = false;     ///< the cgroup was removed, so the entry is, too
  bool strict = false;   ///< without the module socket() fails, instead of the kernel's TCP
  uint64_t sockets = 0;  ///< made by processes of it, or of one below that is not attached itself
};

/// registered: the kernel has atcp now. If not, the text says what becomes of sockets meanwhile.
std::string attached_text(const std::vector<Attached>& rows, bool registered);
Json to_json(const Attached& row);

/// By path, those that are gone last.
void sort_attached(std::vector<Attached>& rows);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_ATTACH_H
