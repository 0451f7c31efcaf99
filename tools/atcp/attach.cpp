// SPDX-License-Identifier: GPL-2.0
//
// The table of attached cgroups.
#include "attach.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "format.h"
#include "json.h"

namespace atcp::tool {

std::string attached_text(const std::vector<Attached>& rows, bool registered) {
  Table t({{"Cgroup"},
           {"Sockets", Table::Align::kRight},
           {"Without module"},
           {"ID", Table::Align::kRight}});
  for (const Attached& row : rows) {
    std::string name = row.gone ? "(gone)" : row.path.empty() ? "(not seen from here)" : row.path;
    t.add({name, std::to_string(row.sockets), row.strict ? "refused" : "kernel's TCP",
           std::to_string(row.id)});
  }
  bool any = std::ranges::any_of(rows, [](const Attached& row) { return !row.gone; });
  return t.text() + (any && !registered ? "The module is not loaded (atcp load).\n" : "");
}

Json to_json(const Attached& row) {
  Json j;
  if (!row.path.empty()) j["cgroup"] = row.path;
  j["id"] = row.id;
  j["sockets"] = row.sockets;
  j["strict"] = row.strict;
  j["gone"] = row.gone;
  return j;
}

void sort_attached(std::vector<Attached>& rows) {
  std::ranges::sort(rows, {}, [](const Attached& r) { return std::tie(r.gone, r.path, r.id); });
}

}  // namespace atcp::tool
