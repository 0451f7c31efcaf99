// SPDX-License-Identifier: GPL-2.0
//
// Tables of names, and for each kind of event the function that writes what is special about it.
#include "events.h"

#include <fmt/format.h>
#include <linux/atcp.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "format.h"
#include "shares.h"
#include "words.h"

namespace atcp::tool {
namespace {

constexpr const char* kRed = "31";
constexpr const char* kYellow = "33";
constexpr const char* kGreen = "32";
constexpr const char* kFaint = "2";
constexpr const char* kPlain = "";

std::string state_details(const Event& e) {
  return fmt::format("{} > {}", state_name(e.old_state.value_or(0)),
                     state_name(e.new_state.value_or(0)));
}

std::string segment_details(const Event& e) {
  return fmt::format("{} seq {} len {}", fmt::join(tcp_flag_names(e.tcp_flags.value_or(0)), "|"),
                     e.tcp_seq.value_or(0), e.len.value_or(0));
}

std::string retransmit_details(const Event& e) {
  return fmt::format("{} {}", retransmit_name(e.retransmit.value_or(0)), segment_details(e));
}

std::string queue_details(const Event& e) {
  return fmt::format("queue {} of {}", e.queue.value_or(0), e.limit.value_or(0));
}

std::string segments_text(uint32_t ssthresh) {
  return ssthresh >= 0x7fffffff ? "infinite" : std::to_string(ssthresh);
}

std::string cwnd_details(const Event& e) {
  std::string out = fmt::format("{} cwnd {} ssthresh {} srtt {} inflight {}",
                                ca_state_name(e.ca_state.value_or(0)), e.cwnd.value_or(0),
                                segments_text(e.ssthresh.value_or(0)),
                                time_us_text(e.srtt_us.value_or(0)), e.inflight.value_or(0));
  if (e.pacing_rate.value_or(0)) out += fmt::format(" pacing {}/s", size_text(*e.pacing_rate));
  if (e.delivery_rate.value_or(0))
    out += fmt::format(" delivered {}/s", size_text(*e.delivery_rate));
  return out;
}

uint64_t detail_number(const Record& r, uint16_t attr) {
  auto it = r.socket.detail.numbers.find(attr);
  return it == r.socket.detail.numbers.end() ? 0 : it->second;
}

uint64_t acked(const Record& r) {
  return r.socket.conn ? r.socket.conn->bytes_acked : 0;
}

uint64_t received(const Record& r) {
  return r.socket.conn ? r.socket.conn->bytes_received : 0;
}

std::string life_text(const Record& r) {
  return time_us_text((r.closed_ns - std::min(r.opened_ns, r.closed_ns)) / 1000);
}

std::string closed_details(const Event& e) {
  if (!e.record) return "";  // the kernel had no memory for it
  const Record& r = *e.record;
  return fmt::format("by {} after {}, acked {}, received {}, retrans {}, mostly {}",
                     ended_by_text(r.ended_by), life_text(r), size_text(acked(r)),
                     size_text(received(r)), r.socket.retrans, most_of(r.socket.detail.limited));
}

std::string lost_details(const Event& e) {
  return fmt::format("{} not delivered: this reader was too slow",
                     plural(e.count.value_or(0), "event", "events"));
}

std::string no_details(const Event&) {
  return "";
}

struct KindRow {
  uint32_t number;
  const char* name;
  const char* colour;
  std::string (*details)(const Event& e);
};

constexpr KindRow kKinds[] = {
    {ATCP_EVENT_KIND_STATE, "state", kPlain, state_details},
    {ATCP_EVENT_KIND_DROP, "drop", kRed, segment_details},
    {ATCP_EVENT_KIND_RESET_SENT, "reset_sent", kRed, segment_details},
    {ATCP_EVENT_KIND_RESET_RECEIVED, "reset_received", kRed, segment_details},
    {ATCP_EVENT_KIND_RETRANSMIT, "retransmit", kYellow, retransmit_details},
    {ATCP_EVENT_KIND_REQUEST_MADE, "request_made", kPlain, no_details},
    {ATCP_EVENT_KIND_REQUEST_EXPIRED, "request_expired", kYellow, no_details},
    {ATCP_EVENT_KIND_REQUEST_PROMOTED, "request_promoted", kGreen, no_details},
    {ATCP_EVENT_KIND_COOKIE_SENT, "cookie_sent", kYellow, no_details},
    {ATCP_EVENT_KIND_COOKIE_ACCEPTED, "cookie_accepted", kYellow, no_details},
    {ATCP_EVENT_KIND_COOKIE_REFUSED, "cookie_refused", kRed, no_details},
    {ATCP_EVENT_KIND_ACCEPT_QUEUE_FULL, "accept_queue_full", kRed, queue_details},
    {ATCP_EVENT_KIND_ACCEPT_QUEUE_FREE, "accept_queue_free", kGreen, queue_details},
    {ATCP_EVENT_KIND_CWND, "cwnd", kFaint, cwnd_details},
    {ATCP_EVENT_KIND_CLOSED, "closed", kPlain, closed_details},
    {ATCP_EVENT_KIND_LOST, "lost", kRed, lost_details},
};
static_assert(std::size(kKinds) + 1 == __ATCP_EVENT_KIND_MAX, "a row per kind");

const KindRow* kind_row(uint32_t kind) {
  auto row = std::ranges::find(kKinds, kind, &KindRow::number);
  return row == std::end(kKinds) ? nullptr : row;
}

/// As wide as the longest kind.
constexpr size_t kKindWidth = 17;
/// As wide as an address of IPv4 with a long port, mostly.
constexpr size_t kEndWidth = 21;

struct EndRow {
  uint32_t number;
  const char* name;
  const char* text;
};

constexpr EndRow kEnds[] = {
    {ATCP_ENDED_BY_LOCAL_FIN, "local_fin", "our FIN"},
    {ATCP_ENDED_BY_PEER_FIN, "peer_fin", "the peer's FIN"},
    {ATCP_ENDED_BY_LOCAL_RST, "local_rst", "our reset"},
    {ATCP_ENDED_BY_PEER_RST, "peer_rst", "the peer's reset"},
    {ATCP_ENDED_BY_TIMEOUT, "timeout", "timeout"},
    {ATCP_ENDED_BY_NETWORK, "network", "an ICMP error"},
    {ATCP_ENDED_BY_LOCAL_QUIET, "local_quiet", "us, quietly"},
};
static_assert(std::size(kEnds) + 1 == __ATCP_ENDED_BY_MAX, "a row per ending");

const EndRow* end_row(uint32_t ended_by) {
  auto row = std::ranges::find(kEnds, ended_by, &EndRow::number);
  return row == std::end(kEnds) ? nullptr : row;
}

}  // namespace

std::string event_kind_name(uint32_t kind) {
  const KindRow* row = kind_row(kind);
  return row ? row->name : fmt::format("kind_{}", kind);
}

uint32_t event_kind_number(std::string_view name) {
  for (const KindRow& row : kKinds)
    if (same_word(name, row.name)) return row.number;
  return 0;
}

std::vector<std::string> event_kind_names() {
  std::vector<std::string> names;
  for (const KindRow& row : kKinds)
    names.emplace_back(row.name);
  return names;
}

uint32_t event_kinds(const std::vector<std::string>& words) {
  uint32_t kinds = 0;
  for (const std::string& word : words) {
    for (size_t from = 0; from <= word.size();) {
      size_t comma = std::min(word.find(',', from), word.size());
      std::string name = word.substr(from, comma - from);
      uint32_t kind = event_kind_number(name);
      if (kind == 0) throw Error(unknown_word("event", name, event_kind_names()), kExitUsage);
      kinds |= uint32_t{1} << kind;
      from = comma + 1;
    }
  }
  return kinds;
}

std::string retransmit_name(uint32_t kind) {
  static constexpr std::array kNames = {"?", "fast", "timeout", "probe", "syn", "synack"};
  static_assert(kNames.size() == __ATCP_RETRANSMIT_KIND_MAX);
  return kind < kNames.size() ? kNames[kind] : "?";
}

std::string ca_state_name(uint32_t state) {
  static constexpr std::array kNames = {"open", "disorder", "cwr", "recovery", "loss"};
  return state < kNames.size() ? kNames[state] : "?";
}

std::string ended_by_name(uint32_t ended_by) {
  const EndRow* row = end_row(ended_by);
  return row ? row->name : fmt::format("ended_by_{}", ended_by);
}

std::string ended_by_text(uint32_t ended_by) {
  const EndRow* row = end_row(ended_by);
  return row ? row->text : "?";
}

std::vector<std::string> tcp_flag_names(uint32_t flags) {
  static constexpr std::array kNames = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
  std::vector<std::string> names;
  for (size_t i = 0; i < kNames.size(); i++)
    if (flags >> i & 1) names.emplace_back(kNames[i]);
  return names;
}

std::string most_of(const Shares& limited) {
  uint64_t whole = total(limited);
  if (whole == 0) return "-";
  const Share& most = *std::ranges::max_element(limited, {}, &Share::time);
  return fmt::format("{} {}%", limit_row(most.what).name, percent(most.time, whole));
}

Clock Clock::now() {
  timespec real{}, mono{};
  clock_gettime(CLOCK_REALTIME, &real);
  clock_gettime(CLOCK_MONOTONIC, &mono);
  tm local{};
  localtime_r(&real.tv_sec, &local);
  return {(real.tv_sec - mono.tv_sec) * 1'000'000'000 + (real.tv_nsec - mono.tv_nsec),
          local.tm_gmtoff};
}

std::string Clock::text(uint64_t monotonic_ns) const {
  int64_t us = (static_cast<int64_t>(monotonic_ns) + offset_ns) / 1000;
  int64_t s = us / 1'000'000 + zone_s;
  return fmt::format("{:02}:{:02}:{:02}.{:06}", s / 3600 % 24, s / 60 % 60, s % 60, us % 1'000'000);
}

std::string event_line(const Event& e, const Clock& clock, bool colour) {
  const KindRow* row = kind_row(e.kind);
  std::string kind = fmt::format("{:<{}}", event_kind_name(e.kind), kKindWidth);
  if (colour && row && *row->colour) kind = fmt::format("\033[{}m{}\033[0m", row->colour, kind);
  std::string out = fmt::format("{}  {}", clock.text(e.time_ns), kind);
  if (!e.local.addr.empty())
    out += fmt::format("  {:<{}} {:<{}}", endpoint_text(e.local), kEndWidth,
                       e.peer.port ? endpoint_text(e.peer) : "*:*", kEndWidth);
  if (e.id) out += fmt::format("  id {}", e.id);
  if (!e.reason.empty()) out += "  " + e.reason;
  if (std::string details = row ? row->details(e) : ""; !details.empty()) out += "  " + details;
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

std::string records_text(const std::vector<Record>& records, const Clock& clock) {
  using enum Table::Align;
  Table table({{"Closed", kLeft},
               {"Local", kLeft},
               {"Peer", kLeft},
               {"ID", kRight},
               {"Ended by", kLeft},
               {"Reason", kLeft},
               {"Age", kRight},
               {"Handshake", kRight},
               {"Acked", kRight},
               {"Received", kRight},
               {"Retrans", kRight},
               {"Mostly", kLeft}});
  for (const Record& r : records) {
    uint64_t handshake = detail_number(r, ATCP_SOCKET_A_HANDSHAKE_US);
    table.add({clock.text(r.closed_ns), endpoint_text(r.socket.local), endpoint_text(r.socket.peer),
               std::to_string(r.socket.id), ended_by_text(r.ended_by), r.reason, life_text(r),
               handshake ? time_us_text(handshake) : "-", size_text(acked(r)),
               size_text(received(r)), std::to_string(r.socket.retrans),
               most_of(r.socket.detail.limited)});
  }
  return table.text();
}

}  // namespace atcp::tool
