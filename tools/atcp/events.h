// SPDX-License-Identifier: GPL-2.0
//
// Events and closing records as a person reads them: a line each, and the names of kinds, flags and
// endings. Pure functions; json.h is the same for programs.
#ifndef ATCP_TOOL_EVENTS_H
#define ATCP_TOOL_EVENTS_H

#include <string>
#include <string_view>
#include <vector>

#include "model.h"

namespace atcp::tool {

/// "reset_sent"; "kind_99" for what this version does not know.
std::string event_kind_name(uint32_t kind);
/// In any case, with '-' or '_'. 0 if there is no such kind.
uint32_t event_kind_number(std::string_view name);
/// All of them, in the order of their numbers.
std::vector<std::string> event_kind_names();
/// The set of kinds (bit n for kind n) that words name, each with commas between if it names
/// several. Throws Error (kExitUsage) over one that does not exist.
uint32_t event_kinds(const std::vector<std::string>& words);

/// "timeout", "probe" and so on (enum atcp_retransmit_kind).
std::string retransmit_name(uint32_t kind);
/// "open", "recovery" and so on (tcpi_ca_state).
std::string ca_state_name(uint32_t state);
/// "local_fin" (enum atcp_ended_by): for programs.
std::string ended_by_name(uint32_t ended_by);
/// "our FIN": for people.
std::string ended_by_text(uint32_t ended_by);
/// {"SYN", "ACK"}.
std::vector<std::string> tcp_flag_names(uint32_t flags);

/// "cwnd 64%": what most of the time went into; "-" of none.
std::string most_of(const std::vector<Share>& limited);

/// Where the clock of events (CLOCK_MONOTONIC) is within the day.
struct Clock {
  int64_t offset_ns = 0;  ///< to be added: CLOCK_REALTIME
  long zone_s = 0;        ///< east of Greenwich
  /// As they are now, in the zone of this process.
  static Clock now();
  /// "23:59:59.123456".
  std::string text(uint64_t monotonic_ns) const;
};

/// Without a newline. colour: with the sequences of a terminal.
std::string event_line(const Event& e, const Clock& clock, bool colour);

/// A line per record, as they are in the ring: the oldest first.
std::string records_text(const std::vector<Record>& records, const Clock& clock);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_EVENTS_H
