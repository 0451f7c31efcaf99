// SPDX-License-Identifier: GPL-2.0
//
// From values to what a person reads: addresses, state names, sizes, times, and tables with aligned
// columns. Pure functions; json.h is the same for programs.
#ifndef ATCP_TOOL_FORMAT_H
#define ATCP_TOOL_FORMAT_H

#include <string>
#include <string_view>
#include <vector>

#include "model.h"
#include "process.h"

namespace atcp::tool {

/// "10.0.0.1", "[fe80::1]"; "*" if there is none.
std::string address_text(const Address& addr);
/// The same without brackets, empty if there is none: what another program would parse.
std::string address_plain(const Address& addr);
/// "10.0.0.1:80"; port 0 is "*".
std::string endpoint_text(const Endpoint& e);

/// ss's name of a state (enum atcp_state): "ESTAB", "TIME-WAIT"; "STATE-99" for unknown ones.
std::string state_name(uint32_t state);
/// State of a name, in any case: ss's column names (ESTAB) and filter names (established,
/// fin-wait-1, time-wait, syn-recv, closed). 0 if there is no such state.
uint32_t state_number(std::string_view name);
/// The filter names of all states.
std::vector<std::string> state_names();

/// "512", "64.0K", "1.5M", "2.0G": powers of 1024, at most five characters up to 1000 T.
std::string size_text(uint64_t bytes);
/// "180us", "12.3ms", "1.50s".
std::string time_us_text(uint64_t us);

/// "netns"; "" for what is no source (enum atcp_source).
std::string source_name(uint32_t source);

/// "0..2", or empty if the parameter has no range.
std::string range_text(const Param& p);

/// A header line and rows; every column as wide as its widest cell.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// As many cells as there are columns.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  /// Lines end in '\n' and never in blanks.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Parameters that are not at their default are marked with a star.
std::string params_text(const std::vector<Param>& params);
/// Listeners come first, as rows of state LISTEN with the queue and its limit, as ss shows them.
std::string sockets_text(const std::vector<Listener>& listeners, const std::vector<Socket>& sockets,
                         const Processes& programs = {});
/// Everything about one socket, in paragraphs.
std::string socket_detail(const Socket& s, const Processes& programs);
std::string listeners_text(const std::vector<Listener>& listeners);
/// A paragraph per listener: the two equations of its ledger, and the reasons.
std::string listeners_detail(const std::vector<Listener>& listeners);
std::string counters_text(const std::vector<Counter>& counters);
std::string reasons_text(const std::vector<Reason>& reasons);
std::string ccs_text(const std::vector<Cc>& ccs);
std::string tables_text(const Tables& tables);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_FORMAT_H
