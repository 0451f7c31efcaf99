// SPDX-License-Identifier: GPL-2.0
//
// Text for single values (addresses, states, sizes, times) and the table that lines them up. Which
// columns a command shows is in tables.cpp.
#include "format.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/atcp.h>

#include <algorithm>
#include <array>

#include "words.h"

namespace atcp::tool {
namespace {

struct StateRow {
  uint32_t number;
  const char* column;  ///< ss's State column
  const char* filter;  ///< the same in ss's filters
};

constexpr StateRow kStates[] = {
    {ATCP_STATE_ESTABLISHED, "ESTAB", "established"},
    {ATCP_STATE_SYN_SENT, "SYN-SENT", "syn-sent"},
    {ATCP_STATE_SYN_RECEIVED, "SYN-RECV", "syn-recv"},
    {ATCP_STATE_FIN_WAIT1, "FIN-WAIT-1", "fin-wait-1"},
    {ATCP_STATE_FIN_WAIT2, "FIN-WAIT-2", "fin-wait-2"},
    {ATCP_STATE_TIME_WAIT, "TIME-WAIT", "time-wait"},
    {ATCP_STATE_CLOSED, "UNCONN", "closed"},
    {ATCP_STATE_CLOSE_WAIT, "CLOSE-WAIT", "close-wait"},
    {ATCP_STATE_LAST_ACK, "LAST-ACK", "last-ack"},
    {ATCP_STATE_LISTEN, "LISTEN", "listening"},
    {ATCP_STATE_CLOSING, "CLOSING", "closing"},
};

}  // namespace

std::string address_plain(const Address& addr) {
  char buf[INET6_ADDRSTRLEN] = "";
  if (addr.size() == 4)
    inet_ntop(AF_INET, addr.data(), buf, sizeof(buf));
  else if (addr.size() == 16)
    inet_ntop(AF_INET6, addr.data(), buf, sizeof(buf));
  return buf;
}

std::string address_text(const Address& addr) {
  if (addr.empty()) return "*";
  return addr.size() == 16 ? "[" + address_plain(addr) + "]" : address_plain(addr);
}

std::string endpoint_text(const Endpoint& e) {
  return address_text(e.addr) + ":" + (e.port ? std::to_string(e.port) : "*");
}

std::string state_name(uint32_t state) {
  for (const StateRow& row : kStates)
    if (row.number == state) return row.column;
  return fmt::format("STATE-{}", state);
}

uint32_t state_number(std::string_view name) {
  for (const StateRow& row : kStates)
    if (same_word(name, row.column) || same_word(name, row.filter)) return row.number;
  return 0;
}

std::vector<std::string> state_names() {
  std::vector<std::string> names;
  for (const StateRow& row : kStates)
    names.emplace_back(row.filter);
  return names;
}

std::string size_text(uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes);
  static constexpr std::array kUnits = {'K', 'M', 'G', 'T', 'P', 'E'};
  double scaled = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // 1023.95 would be printed as 1024.0.
  while (scaled >= 1023.95 && unit + 1 < kUnits.size()) {
    scaled /= 1024;
    unit++;
  }
  return fmt::format("{:.{}f}{}", scaled, scaled < 99.95 ? 1 : 0, kUnits[unit]);
}

std::string time_us_text(uint64_t us) {
  if (us < 1000) return fmt::format("{}us", us);
  double ms = static_cast<double>(us) / 1000;
  if (us < 1000 * 1000) return fmt::format("{:.{}f}ms", ms, us < 100 * 1000 ? 1 : 0);
  return fmt::format("{:.{}f}s", ms / 1000, us < 100 * 1000 * 1000 ? 2 : 0);
}

std::string source_name(uint32_t source) {
  static constexpr std::array kNames = {"",         "default",    "netns",
                                        "listener", "setsockopt", "netlink"};
  static_assert(ATCP_SOURCE_NETLINK == 5);
  return source < kNames.size() ? kNames[source] : "";
}

std::string range_text(const Param& p) {
  return p.min && p.max ? fmt::format("{}..{}", *p.min, *p.max) : "";
}

std::string Table::text() const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns_.size(); c++) {
    size_t width = columns_[c].title.size();
    for (const auto& row : rows_)
      width = std::max(width, row[c].size());
    widths.push_back(width);
  }
  std::string out;
  auto line = [&](auto cell) {
    std::string text;
    for (size_t c = 0; c < columns_.size(); c++) {
      if (c > 0) text += "  ";
      text += columns_[c].align == Align::kRight ? fmt::format("{:>{}}", cell(c), widths[c])
                                                 : fmt::format("{:<{}}", cell(c), widths[c]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  line([&](size_t c) { return columns_[c].title; });
  for (const auto& row : rows_)
    line([&](size_t c) { return row[c]; });
  return out;
}

}  // namespace atcp::tool
