// SPDX-License-Identifier: GPL-2.0
//
// The table of what a connection may wait for.
#include "shares.h"

#include <fmt/format.h>
#include <linux/atcp.h>

#include <algorithm>

#include "format.h"

namespace atcp::tool {
namespace {

constexpr LimitRow kLimits[] = {
    {ATCP_LIMIT_APP, "app", "the program to write", "", false},
    {ATCP_LIMIT_RWND, "rwnd", "room in the peer's window",
     "the peer's receive buffer is too small for this path, or its program reads slowly", true},
    {ATCP_LIMIT_CWND, "cwnd", "the congestion window", "", false},
    {ATCP_LIMIT_PACING, "pacing", "the time of the next paced segment", "", false},
    {ATCP_LIMIT_SNDBUF, "sndbuf", "room in its own send buffer",
     "the send buffer holds less than the path: raise wmem, or SO_SNDBUF if the program sets it",
     true},
    {ATCP_LIMIT_DEVICE, "device", "a queue of this host",
     "the network device is the bottleneck: look at its queue (tc -s qdisc)", false},
    {ATCP_LIMIT_RECOVERY, "recovery", "lost segments to be repaired",
     "the path loses packets (atcp sockets shows retransmissions)", true},
    {ATCP_LIMIT_ZERO_WINDOW, "zero_window", "the peer to open its shut window",
     "the program at the peer does not read", true},
    {ATCP_LIMIT_DELAYED_ACK, "delayed_ack", "the peer's delayed ACK (Nagle's rule)",
     "many small writes: let the program set TCP_NODELAY or write larger pieces", true},
};
constexpr LimitRow kUnknown = {~uint32_t{0}, "other", "something this tool does not know", "",
                               false};
constexpr uint64_t kBar = 25;  ///< characters for all of the time

}  // namespace

const LimitRow& limit_row(uint32_t number) {
  for (const LimitRow& row : kLimits)
    if (row.number == number) return row;
  return kUnknown;
}

uint64_t total(const Shares& shares) {
  uint64_t sum = 0;
  for (const Share& s : shares)
    sum += s.time;
  return sum;
}

Shares difference(const Shares& now, const Shares& before) {
  Shares out;
  for (const Share& s : now) {
    auto old = std::ranges::find(before, s.what, &Share::what);
    uint64_t was = old == before.end() ? 0 : old->time;
    out.push_back({s.what, s.time > was ? s.time - was : 0});
  }
  return out;
}

uint64_t percent(uint64_t part, uint64_t whole) {
  if (whole == 0) return 0;
  return static_cast<uint64_t>(static_cast<double>(part) * 100 / static_cast<double>(whole) + 0.5);
}

std::string shares_text(const Shares& shares) {
  Shares sorted = shares;
  std::ranges::stable_sort(sorted, std::ranges::greater(), &Share::time);
  uint64_t whole = total(sorted);
  std::string out;
  for (const Share& s : sorted) {
    if (s.time == 0) continue;
    double part = static_cast<double>(s.time) / static_cast<double>(whole);
    std::string bar(static_cast<size_t>(part * kBar + 0.5), '#');
    out += fmt::format("  {:<12} {:>5.1f} %  {:<{}}  {}\n", limit_row(s.what).name, part * 100, bar,
                       kBar, time_us_text(s.time));
  }
  return out;
}

}  // namespace atcp::tool
