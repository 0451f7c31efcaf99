// SPDX-License-Identifier: GPL-2.0
//
// Which sockets or events are meant: ss-like words, and the nest of attributes by which the kernel
// itself chooses. Nothing is filtered in the tool.
#ifndef ATCP_TOOL_FILTER_H
#define ATCP_TOOL_FILTER_H

#include <libmnl/libmnl.h>

#include <optional>
#include <string>
#include <vector>

#include "model.h"

namespace atcp::tool {

/// What one end of a connection has to be.
struct EndFilter {
  Address addr;                   ///< empty: any
  std::optional<uint8_t> prefix;  ///< bits of addr that count; all without
  std::optional<uint16_t> port_min, port_max;

  bool empty() const { return addr.empty() && !port_min && !port_max; }
};

/// Conditions of which all present ones must hold.
struct Filter {
  uint32_t states = 0;  ///< bit n for state n; 0: any
  EndFilter local, peer;
  std::optional<uint32_t> uid;
  std::string cc;
  std::optional<uint64_t> listener, id;  ///< cookies of sockets
  uint32_t events = 0;                   ///< bit n for event kind n; 0: any; of subscriptions only
  std::vector<uint32_t> reasons;         ///< those of events that have one; of subscriptions only

  bool empty() const;
  bool wants_state(uint32_t state) const { return states == 0 || (states >> state & 1); }
  /// Whether a listener could meet the conditions at all.
  bool admits_listeners() const;
};

/// One line for --help.
inline constexpr const char* kFilterHelp =
    "[state NAME] [exclude NAME] [src|dst ADDRESS[/BITS][:PORT]] [sport|dport N|N-M] "
    "[uid USER] [cc NAME] [listener ID] [id ID]: all must hold";

/// Throws Error (kExitUsage) that names the word at fault.
Filter parse_filter(const std::vector<std::string>& words);

/// Adds it as nest ATCP_A_FILTER; nothing if it is empty.
void put_filter(nlmsghdr* nlh, const Filter& filter);

/// Bytes that put_filter may add, at most.
inline constexpr size_t kFilterRoom = 256;

}  // namespace atcp::tool

#endif  // ATCP_TOOL_FILTER_H
