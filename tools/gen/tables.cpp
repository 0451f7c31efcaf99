// SPDX-License-Identifier: GPL-2.0
//
// Prints the core's own tables of parameters, counters and reasons, one row a line, its cells between
// tabs. tables.py makes documents of it; linking the tables is what keeps the documents true.
#include <linux/atcp.h>

#include <cstdio>
#include <cstdlib>

#include "abi/atcp_os.h"
#include "table/counters.h"
#include "table/params.h"
#include "table/reasons.h"

// What a congestion control asks of its host when a connection begins; here none ever does.
extern "C" void atcp_os_random(void*, uint32_t) {
  std::abort();
}

namespace {

const char* scope_name(atcp::ParamScope scope) {
  switch (scope) {
    case atcp::ParamScope::NETNS:
      return "netns";
    case atcp::ParamScope::SOCKET:
      return "socket";
    case atcp::ParamScope::ADMIN:
      return "admin";
  }
  return "?";
}

const char* type_name(uint32_t type) {
  switch (type) {
    case ATCP_PARAM_TYPE_NUMBER:
      return "number";
    case ATCP_PARAM_TYPE_TRIPLE:
      return "3 numbers";
    case ATCP_PARAM_TYPE_PAIR:
      return "2 numbers";
    case ATCP_PARAM_TYPE_CC:
      return "name";
    case ATCP_PARAM_TYPE_WIRE:
      return "tcp, atcp";
  }
  return "?";
}

bool has_range(uint32_t type) {
  return type != ATCP_PARAM_TYPE_CC && type != ATCP_PARAM_TYPE_WIRE;
}

}  // namespace

int main() {
  for (uint32_t i = 0; i < atcp::kParamCount; i++) {
    const atcp::ParamRow& p = atcp::kParams[i];
    char def[128];
    atcp::Params::format_default(i, def, sizeof(def));
    char range[32] = "";
    if (has_range(p.type)) std::snprintf(range, sizeof(range), "%u..%u", p.min, p.max);
    std::printf("param\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.name, type_name(p.type), range, def,
                p.unit, scope_name(p.scope), p.help);
  }
  for (const atcp::CounterRow& c : atcp::kCounters)
    std::printf("counter\t%s\t%s\n", c.name, c.help);
  for (const atcp::ReasonRow& r : atcp::kReasons)
    std::printf("reason\t%s\t%s\n", r.name, r.help);
  return 0;
}
