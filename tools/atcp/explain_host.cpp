// SPDX-License-Identifier: GPL-2.0
//
// Rules about the namespace as a whole: tables and memory that fill up, checksums, resets, timeouts,
// ports, and what else was dropped.
#include <fmt/format.h>
#include <linux/atcp.h>

#include <algorithm>
#include <set>

#include "explain.h"
#include "words.h"

namespace atcp::tool {
namespace {

constexpr double kNearlyFull = 0.9;

bool nearly(uint64_t n, uint64_t limit) {
  return limit > 0 && static_cast<double>(n) >= kNearlyFull * static_cast<double>(limit);
}

uint64_t count_state(const Sample& s, uint32_t state) {
  return static_cast<uint64_t>(std::ranges::count(s.sockets, state, &Socket::state));
}

/// "12 abort_on_close, 3 reset_by_peer" of the reasons in the list that grew; empty if none did.
std::string list_of(const Change& c, std::initializer_list<std::string_view> names) {
  std::string text;
  for (std::string_view name : names)
    if (uint64_t n = c.reason(name))
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", n, name);
  return text;
}

// What other rules speak of, and what is no drop at all.
constexpr std::string_view kToldElsewhere[] = {
    "none",
    "normal_close",
    "checksum",
    "accept_queue_full_syn",
    "accept_queue_full_ack",
    "request_queue_full",
    "syn_backlog",
    "cookie_bad",
    "cookie_unsolicited",
    "no_memory",
    "memory_full",
    "abort_memory",
    "timewait_overflow",
    "abort_orphans",
    "timeout_syn",
    "timeout_retransmit",
    "timeout_probe",
    "timeout_keepalive",
    "timeout_user",
    "abort_on_data",
    "abort_on_close",
    "abort_on_linger",
    "abort_by_user",
    "abort_listener",
    "abort_overflow",
    "reset_by_peer",
    "refused_by_peer",
    "no_socket",
    "request_syn_dup",
    "request_rst",
};

}  // namespace

void find_time_wait(const Change& c, Findings& found) {
  uint64_t limit = c.param("max_tw_buckets", 0);
  uint64_t count = count_state(c.now, ATCP_STATE_TIME_WAIT);
  uint64_t without = c.counter("TCPTimeWaitOverflow");
  if (!without && !nearly(count, limit)) return;
  found.push_back(
      {without ? Severity::kTrouble : Severity::kWarning,
       "time_wait",
       fmt::format("{} of at most {} TIME-WAIT entries (max_tw_buckets); {} ended without one {}",
                   count, limit, plural(without, "connection", "connections"), lately(c)),
       "let the peers close first, keep connections open for more than one request, or raise "
       "max_tw_buckets",
       {{"entries", count}, {"limit", limit}, {"without", without}}});
}

void find_memory(const Change& c, Findings& found) {
  uint64_t pressures = c.counter("TCPMemoryPressures");
  uint64_t refused = c.reason("memory_full") + c.reason("abort_memory") + c.reason("no_memory");
  if (!pressures && !refused) return;
  found.push_back(
      {refused ? Severity::kTrouble : Severity::kWarning,
       "memory",
       fmt::format("memory for packets is scarce: pressure began {} {}, and for want of memory {}",
                   plural(pressures, "time", "times"), lately(c),
                   refused ? plural(refused, "segment or connection was given up",
                                    "segments or connections were given up")
                           : "nothing was dropped"),
       "find who fills the queues (atcp sockets: Recv-Q, Send-Q), or raise the parameter mem",
       {{"pressures", pressures}, {"given_up", refused}}});
}

void find_checksums(const Change& c, Findings& found) {
  uint64_t wrong = c.counter("InCsumErrors");
  if (!wrong) return;
  found.push_back(
      {Severity::kWarning,
       "checksums",
       fmt::format("{} with a wrong checksum came {} ({} received)",
                   plural(wrong, "segment", "segments"), lately(c), c.counter("InSegs")),
       "something on the path damages packets, often a device's offload: ethtool -K DEV "
       "rx off shows whether it is this host's",
       {{"segments", wrong}}});
}

void find_resets(const Change& c, Findings& found) {
  std::string ours = list_of(c, {"abort_on_data", "abort_on_close", "abort_on_linger",
                                 "abort_by_user", "abort_listener", "abort_overflow"});
  std::string theirs = list_of(c, {"reset_by_peer", "refused_by_peer"});
  uint64_t sent = c.counter("OutRsts");
  if (!ours.empty())
    found.push_back(
        {Severity::kWarning,
         "resets_sent",
         fmt::format("connections are ended early by this host: {} {}", ours, lately(c)),
         "abort_on_close, abort_on_data: the program closes before it has read all; "
         "atcp reasons tells what each one means",
         {{"resets", sent}}});
  if (!theirs.empty())
    found.push_back({Severity::kNote,
                     "resets_received",
                     fmt::format("peers reset connections: {} {}", theirs, lately(c)),
                     "",
                     {{"reset_by_peer", c.reason("reset_by_peer")},
                      {"refused_by_peer", c.reason("refused_by_peer")}}});
  if (uint64_t nobody = c.reason("no_socket"))
    found.push_back({Severity::kNote,
                     "no_socket",
                     fmt::format("{} for nobody came {}: nothing listens at their port, or the "
                                 "connection is long gone",
                                 plural(nobody, "segment", "segments"), lately(c)),
                     "",
                     {{"segments", nobody}}});
}

void find_timeouts(const Change& c, Findings& found) {
  std::string list = list_of(c, {"timeout_syn", "timeout_retransmit", "timeout_probe",
                                 "timeout_keepalive", "timeout_user"});
  if (list.empty()) return;
  found.push_back({Severity::kTrouble,
                   "timeouts",
                   fmt::format("connections were given up because the peer fell silent: {} {}",
                               list, lately(c)),
                   "see whether the peers can be reached (ping, atcp sockets for their addresses)",
                   {{"connections", c.counter("TCPAbortOnTimeout")}}});
}

void find_ports(const Change& c, Findings& found) {
  std::vector<uint64_t> range = c.numbers("port_range");
  if (range.size() != 2 || range[1] < range[0]) return;
  std::set<uint16_t> used;
  for (const Socket& s : c.now.sockets)
    if (s.local.port >= range[0] && s.local.port <= range[1]) used.insert(s.local.port);
  uint64_t size = range[1] - range[0] + 1;
  if (!nearly(used.size(), size)) return;
  found.push_back({used.size() == size ? Severity::kTrouble : Severity::kWarning,
                   "ports",
                   fmt::format("{} of the {} local ports in port_range ({} to {}) are taken",
                               used.size(), size, range[0], range[1]),
                   "widen it (atcp params set port_range='32768 65535'), let connections be used "
                   "again, or see whether TIME-WAIT entries hold them (tw_reuse)",
                   {{"used", used.size()}, {"size", size}}});
}

void find_orphans(const Change& c, Findings& found) {
  uint64_t limit = c.param("max_orphans", 0), reset = c.reason("abort_orphans");
  uint64_t count = static_cast<uint64_t>(std::ranges::count_if(c.now.sockets, [](const Socket& s) {
    return s.conn && s.conn->inode == 0 && s.state != ATCP_STATE_SYN_RECEIVED;
  }));
  if (!reset && !nearly(count, limit)) return;
  found.push_back({reset ? Severity::kTrouble : Severity::kWarning,
                   "orphans",
                   fmt::format("{} closed sockets are still sending, at most {} may "
                               "(max_orphans); {} reset for that {}",
                               count, limit, plural(reset, "was", "were"), lately(c)),
                   "peers that do not take the rest; orphan_retries decides how long they are "
                   "waited for",
                   {{"orphans", count}, {"limit", limit}, {"reset", reset}}});
}

void find_other_drops(const Change& c, Findings& found) {
  constexpr size_t kShown = 4;
  std::string text;
  uint64_t all = 0;
  size_t shown = 0;
  for (const Reason& r : growth(c.before.reasons, c.now.reasons)) {
    if (std::ranges::find(kToldElsewhere, r.name) != std::end(kToldElsewhere)) continue;
    all += r.value;
    if (shown++ < kShown)
      text += fmt::format("{}{} {} ({})", text.empty() ? "" : ", ", r.value, r.name, r.help);
  }
  if (text.empty()) return;
  found.push_back({Severity::kNote,
                   "other_drops",
                   fmt::format("also {}: {}", lately(c), text),
                   "",
                   {{"segments", all}}});
}

}  // namespace atcp::tool
