// SPDX-License-Identifier: GPL-2.0
//
// The sections of the frame. Each shows its first few rows only, so that all of them fit a terminal.
#include "top.h"

#include <fmt/format.h>
#include <linux/atcp.h>

#include <algorithm>

#include "format.h"
#include "json.h"

namespace atcp::tool {
namespace {

constexpr auto kRight = Table::Align::kRight;
constexpr size_t kListeners = 8, kConnections = 12, kReasons = 6;

double rate_of(uint64_t n, const Change& c) {
  return c.seconds() > 0 ? static_cast<double>(n) / c.seconds() : 0;
}

std::string per_second(uint64_t n, const Change& c) {
  double rate = rate_of(n, c);
  return rate == 0 ? "-" : fmt::format("{:.{}f}", rate, rate < 9.95 ? 1 : 0);
}

uint64_t since(uint64_t now, uint64_t before) {
  return now > before ? now - before : 0;
}

std::string head(const Change& c) {
  size_t established = 0, waiting = 0, requests = 0;
  for (const Socket& s : c.now.sockets) {
    established += s.state == ATCP_STATE_ESTABLISHED;
    waiting += s.kind == ATCP_KIND_TIMEWAIT;
    requests += s.kind == ATCP_KIND_REQUEST;
  }
  return fmt::format(
      "atcp: {} listeners, {} sockets ({} established), {} half-open, {} TIME-WAIT\n"
      "per second: {} segments in, {} out, {} sent again, {} opened, {} accepted, {} resets sent\n",
      c.now.listeners.size(), c.now.sockets.size() - waiting - requests, established, requests,
      waiting, per_second(c.counter("InSegs"), c), per_second(c.counter("OutSegs"), c),
      per_second(c.counter("RetransSegs"), c), per_second(c.counter("ActiveOpens"), c),
      per_second(c.counter("PassiveOpens"), c), per_second(c.counter("OutRsts"), c));
}

struct ListenerRow {
  const Listener* now;
  uint64_t syns, accepted, refused, cookies;
};

/// Trouble first, then who is busy.
std::vector<ListenerRow> listener_rows(const Change& c) {
  std::vector<ListenerRow> rows;
  for (const Listener& l : c.now.listeners) {
    static const Listener none;
    const Listener* old = c.earlier(l);
    if (!old) old = &none;
    rows.push_back({&l, since(l.syns, old->syns), since(l.accepted, old->accepted),
                    since(l.syn_drops, old->syn_drops) + since(l.ack_drops, old->ack_drops),
                    since(l.cookies, old->cookies)});
  }
  std::ranges::stable_sort(rows, std::ranges::greater(), [](const ListenerRow& r) {
    return std::tuple(r.refused, r.now->accept_queue, r.syns);
  });
  return rows;
}

std::string listeners(const Change& c) {
  std::vector<ListenerRow> rows = listener_rows(c);
  if (rows.size() > kListeners) rows.resize(kListeners);
  if (rows.empty()) return "";
  Table t({{"LISTENER"},
           {"QUEUE", kRight},
           {"BACKLOG", kRight},
           {"HALF-OPEN", kRight},
           {"SYN/s", kRight},
           {"ACCEPT/s", kRight},
           {"REFUSED/s", kRight},
           {"COOKIE/s", kRight},
           {"PROGRAM"}});
  for (const ListenerRow& r : rows)
    t.add({endpoint_text(r.now->local), std::to_string(r.now->accept_queue),
           std::to_string(r.now->backlog), std::to_string(r.now->requests), per_second(r.syns, c),
           per_second(r.accepted, c), per_second(r.refused, c), per_second(r.cookies, c),
           processes_text(c.now.programs.of(r.now->inode))});
  return "\n" + t.text();
}

struct ConnectionRow {
  const Socket* now;
  uint64_t sent, received, again;
};

/// Those with any traffic, the busiest first.
std::vector<ConnectionRow> connection_rows(const Change& c) {
  std::vector<ConnectionRow> rows;
  for (const Socket& s : c.now.sockets) {
    if (!s.conn) continue;
    const Socket* old = c.earlier(s);
    bool known = old && old->conn;
    ConnectionRow r = {&s, since(s.conn->bytes_acked, known ? old->conn->bytes_acked : 0),
                       since(s.conn->bytes_received, known ? old->conn->bytes_received : 0),
                       since(s.retrans, known ? old->retrans : 0)};
    if (r.sent + r.received + r.again > 0) rows.push_back(r);
  }
  std::ranges::stable_sort(rows, std::ranges::greater(),
                           [](const ConnectionRow& r) { return r.sent + r.received; });
  return rows;
}

std::string connections(const Change& c) {
  std::vector<ConnectionRow> rows = connection_rows(c);
  if (rows.size() > kConnections) rows.resize(kConnections);
  if (rows.empty()) return "";
  Table t({{"LOCAL"},
           {"PEER"},
           {"STATE"},
           {"SENT/s", kRight},
           {"RECEIVED/s", kRight},
           {"AGAIN/s", kRight},
           {"CWND", kRight},
           {"RTT", kRight},
           {"PROGRAM"}});
  auto bytes = [&](uint64_t n) {
    return n == 0 ? std::string("-")
                  : size_text(static_cast<uint64_t>(static_cast<double>(n) / c.seconds()));
  };
  for (const ConnectionRow& r : rows)
    t.add({endpoint_text(r.now->local), endpoint_text(r.now->peer), state_name(r.now->state),
           bytes(r.sent), bytes(r.received), per_second(r.again, c),
           std::to_string(r.now->conn->cwnd), time_us_text(r.now->conn->srtt_us),
           processes_text(c.now.programs.of(r.now->conn->inode))});
  return "\n" + t.text();
}

/// Without what is no trouble.
std::vector<Reason> reason_rows(const Change& c) {
  std::vector<Reason> rows = growth(c.before.reasons, c.now.reasons);
  std::erase_if(rows, [](const Reason& r) { return r.name == "normal_close"; });
  return rows;
}

std::string reasons(const Change& c) {
  std::vector<Reason> rows = reason_rows(c);
  if (rows.size() > kReasons) rows.resize(kReasons);
  if (rows.empty()) return "";
  Table t({{"REASON"}, {"PER SECOND", kRight}, {"MEANING"}});
  for (const Reason& r : rows)
    t.add({r.name, per_second(r.value, c), r.help});
  return "\n" + t.text();
}

/// Cut to a size. Characters beyond ASCII do not occur in what is shown.
std::string cut(const std::string& text, size_t rows, size_t columns) {
  std::string out;
  size_t from = 0;
  for (size_t n = 0; from < text.size() && (rows == 0 || n < rows); n++) {
    size_t end = text.find('\n', from);
    std::string line = text.substr(from, end - from);
    if (columns && line.size() > columns) line.resize(columns);
    out += line + "\n";
    from = end == text.npos ? text.size() : end + 1;
  }
  return out;
}

}  // namespace

std::string top_frame(const Change& c, size_t rows, size_t columns) {
  return cut(head(c) + listeners(c) + connections(c) + reasons(c), rows, columns);
}

Json top_json(const Change& c) {
  Json j = {{"seconds", c.seconds()}, {"per_second", Json::object()}};
  for (const Counter& counter : growth(c.before.counters, c.now.counters))
    j["per_second"][counter.name] = rate_of(counter.value, c);
  Json& listeners = j["listeners"] = Json::array();
  for (const ListenerRow& r : listener_rows(c)) {
    listeners.push_back(to_json(*r.now, c.now.programs));
    listeners.back()["per_second"] = {{"syns", rate_of(r.syns, c)},
                                      {"accepted", rate_of(r.accepted, c)},
                                      {"refused", rate_of(r.refused, c)},
                                      {"cookies", rate_of(r.cookies, c)}};
  }
  Json& connections = j["connections"] = Json::array();
  for (const ConnectionRow& r : connection_rows(c)) {
    connections.push_back(to_json(*r.now, c.now.programs));
    connections.back()["per_second"] = {{"bytes_acked", rate_of(r.sent, c)},
                                        {"bytes_received", rate_of(r.received, c)},
                                        {"retrans", rate_of(r.again, c)}};
  }
  Json& reasons = j["reasons"] = Json::array();
  for (const Reason& r : reason_rows(c))
    reasons.push_back({{"name", r.name}, {"per_second", rate_of(r.value, c)}, {"help", r.help}});
  return j;
}

}  // namespace atcp::tool
