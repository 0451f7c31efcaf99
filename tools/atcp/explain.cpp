// SPDX-License-Identifier: GPL-2.0
//
// The table of rules, and how findings are shown.
#include "explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "json.h"

namespace atcp::tool {
namespace {

constexpr void (*kRules[])(const Change&, Findings&) = {
    find_accept_queue_full,
    find_request_queue_full,
    find_cookies,
    find_backlog_at_somaxconn,
    find_unanswered_synacks,
    find_close_wait,
    find_unread,
    find_peer_window,
    find_limits,
    find_unanswered,
    find_retransmissions,
    find_timeouts,
    find_resets,
    find_memory,
    find_checksums,
    find_time_wait,
    find_ports,
    find_orphans,
    find_other_drops,
};

const char* name(Severity s) {
  switch (s) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kTrouble:
      return "trouble";
  }
  return "?";
}

}  // namespace

Findings explain(const Change& change) {
  Findings found;
  for (auto rule : kRules)
    rule(change, found);
  std::ranges::stable_sort(found, std::ranges::greater(), &Finding::severity);
  return found;
}

std::string lately(const Change& c) {
  return fmt::format("in the last {:.1f} s", c.seconds());
}

std::string rate(uint64_t n, const Change& c) {
  double per_second = c.seconds() > 0 ? static_cast<double>(n) / c.seconds() : 0;
  return fmt::format("{:.{}f}/s", per_second, per_second < 9.95 ? 1 : 0);
}

std::string explain_text(const Findings& findings, const Change& change) {
  if (findings.empty())
    return fmt::format("nothing wrong found (listeners: {}, sockets: {}, looked for {:.1f} s)\n",
                       change.now.listeners.size(), change.now.sockets.size(), change.seconds());
  std::string out;
  for (const Finding& f : findings) {
    out += fmt::format("{}: {}\n", name(f.severity), f.text);
    if (!f.todo.empty()) out += fmt::format("    do: {}\n", f.todo);
  }
  return out;
}

Json to_json(const Finding& f) {
  Json numbers = Json::object();
  for (const auto& [what, n] : f.numbers)
    numbers[what] = n;
  Json j = {{"severity", name(f.severity)}, {"rule", f.rule}, {"text", f.text}};
  if (!f.todo.empty()) j["todo"] = f.todo;
  j["numbers"] = std::move(numbers);
  return j;
}

}  // namespace atcp::tool
