// SPDX-License-Identifier: GPL-2.0
//
// The tables that the commands print: which columns, in which order, from which fields. How a cell
// is written is in format.cpp.
#include <fmt/format.h>
#include <linux/atcp.h>

#include "format.h"

namespace atcp::tool {
namespace {

constexpr auto kRight = Table::Align::kRight;

/// Marks what somebody changed.
std::string changed_mark(const Param& p) {
  return p.value == p.def ? "" : "*";
}

/// What a sum lacks: segments that were just being processed when it was taken.
std::string in_progress(uint64_t whole, uint64_t parts) {
  if (whole == parts) return "";
  return fmt::format(" + in progress {}", static_cast<int64_t>(whole - parts));
}

std::string id_text(uint64_t id) {
  return id ? std::to_string(id) : "-";
}

}  // namespace

std::string params_text(const std::vector<Param>& params) {
  Table t({{""}, {"Name"}, {"Value"}, {"From"}, {"Default"}, {"Range"}, {"Unit"}, {"Meaning"}});
  for (const Param& p : params)
    t.add({changed_mark(p), p.name, p.value, source_name(p.source), p.def, range_text(p), p.unit,
           p.help});
  return t.text();
}

std::string sockets_text(const std::vector<Listener>& listeners, const std::vector<Socket>& sockets,
                         const Processes& programs) {
  Table t({{"State"},
           {"Recv-Q", kRight},
           {"Send-Q", kRight},
           {"Local Address:Port"},
           {"Peer Address:Port"},
           {"UID", kRight},
           {"CC"},
           {"Cwnd", kRight},
           {"RTT", kRight},
           {"RTO", kRight},
           {"Retrans", kRight},
           {"Acked", kRight},
           {"Received", kRight},
           {"Expires", kRight},
           {"ID", kRight},
           {"Program"}});
  for (const Listener& l : listeners)
    t.add({state_name(ATCP_STATE_LISTEN), std::to_string(l.accept_queue), std::to_string(l.backlog),
           endpoint_text(l.local), "*:*", std::to_string(l.uid), "-", "-", "-", "-", "-", "-", "-",
           "-", id_text(l.id), processes_text(programs.of(l.inode))});
  for (const Socket& s : sockets) {
    std::vector<std::string> row = {state_name(s.state)};
    if (s.conn) {
      row.push_back(std::to_string(s.conn->recvq));
      row.push_back(std::to_string(s.conn->sendq));
    } else {
      row.insert(row.end(), {"0", "0"});
    }
    row.push_back(endpoint_text(s.local));
    row.push_back(endpoint_text(s.peer));
    row.push_back(s.uid ? std::to_string(*s.uid) : "-");
    if (const auto& c = s.conn) {
      row.push_back(c->cc);
      row.push_back(std::to_string(c->cwnd));
      row.push_back(c->srtt_us ? time_us_text(c->srtt_us) : "-");
      row.push_back(time_us_text(c->rto_us));
      row.push_back(std::to_string(s.retrans));
      row.push_back(size_text(c->bytes_acked));
      row.push_back(size_text(c->bytes_received));
    } else {
      row.insert(row.end(), {"-", "-", "-", "-", std::to_string(s.retrans), "-", "-"});
    }
    row.push_back(s.expires_ms ? time_us_text(uint64_t{1000} * *s.expires_ms) : "-");
    row.push_back(id_text(s.id));
    row.push_back(s.conn ? processes_text(programs.of(s.conn->inode)) : "");
    t.add(std::move(row));
  }
  return t.text();
}

std::string listeners_text(const std::vector<Listener>& listeners) {
  Table t({{"Local Address:Port"},
           {"Queue", kRight},
           {"Most", kRight},
           {"Backlog", kRight},
           {">80%", kRight},
           {"Half-open", kRight},
           {"Young", kRight},
           {"Most", kRight},
           {"SYNs", kRight},
           {"SYN-ACKs", kRight},
           {"Dups", kRight},
           {"Accepted", kRight},
           {"Full@SYN", kRight},
           {"Full@ACK", kRight},
           {"SYN-drops", kRight},
           {"ACK-drops", kRight},
           {"UID", kRight},
           {"ID", kRight}});
  for (const Listener& l : listeners)
    t.add({endpoint_text(l.local), std::to_string(l.accept_queue),
           std::to_string(l.accept_queue_high),
           std::to_string(l.backlog) + (l.at_somaxconn ? "(somaxconn)" : ""),
           time_us_text(l.crowded_ms * 1000), std::to_string(l.requests), std::to_string(l.young),
           std::to_string(l.requests_high), std::to_string(l.syns), std::to_string(l.synacks),
           std::to_string(l.syn_dups), std::to_string(l.accepted), std::to_string(l.overflow_syn),
           std::to_string(l.overflow_ack), std::to_string(l.syn_drops), std::to_string(l.ack_drops),
           std::to_string(l.uid), id_text(l.id)});
  return t.text();
}

std::string listeners_detail(const std::vector<Listener>& listeners) {
  std::string out;
  const auto reasons = [&out](const Listener& l, uint32_t segment) {
    for (const Refusal& r : l.refusals)
      if (r.segment == segment) out += fmt::format("    {} {}\n", r.reason, r.count);
  };
  for (const Listener& l : listeners) {
    out += fmt::format("{}\n  SYNs {} = SYN-ACKs {} ({} cookies) + repeated {} + refused {}{}\n",
                       endpoint_text(l.local), l.syns, l.synacks, l.cookies, l.syn_dups,
                       l.syn_drops, in_progress(l.syns, l.synacks + l.syn_dups + l.syn_drops));
    reasons(l, ATCP_REFUSED_SYN);
    out += fmt::format("  ACKs {} = connections {} + refused {}{}\n", l.acks, l.children,
                       l.ack_drops, in_progress(l.acks, l.children + l.ack_drops));
    reasons(l, ATCP_REFUSED_ACK);
    out += fmt::format("  migrated: {} in, {} out\n", l.migrated_in, l.migrated_out);
  }
  return out;
}

std::string counters_text(const std::vector<Counter>& counters) {
  Table t({{"Counter"}, {"Value", kRight}, {"Meaning"}});
  for (const Counter& c : counters)
    t.add({c.name, std::to_string(c.value), c.help});
  return t.text();
}

std::string reasons_text(const std::vector<Reason>& reasons) {
  Table t({{"Reason"}, {"Count", kRight}, {"Meaning"}});
  for (const Reason& r : reasons)
    t.add({r.name, std::to_string(r.value), r.help});
  return t.text();
}

std::string ccs_text(const std::vector<Cc>& ccs) {
  Table t({{""}, {"Name"}, {"For"}, {"From"}});
  for (const Cc& c : ccs)
    t.add({c.is_default ? "*" : "", c.name, c.restricted ? "CAP_NET_ADMIN" : "everybody",
           c.module.empty() ? "atcp" : c.module});
  return t.text();
}

std::string tables_text(const Tables& t) {
  static constexpr const char* kLevels[] = {"enough", "pressure", "full"};
  return fmt::format(
      "connections, requests, TIME-WAIT: {} in {} chains (grown {} times, shrunk {})\n"
      "sockets {}, orphans {}, requests {}, TIME-WAIT {}, listeners {}, local ports {}\n"
      "memory: {} pages, {}\n"
      "readers of events: {}, events lost: {}, closing records: {}\n",
      t.ehash_entries, t.ehash_slots, t.ehash_grown, t.ehash_shrunk, t.sockets, t.orphans,
      t.requests, t.timewaits, t.listeners, t.ports, t.mem_pages,
      t.mem_level < 3 ? kLevels[t.mem_level] : "?", t.subscribers, t.events_lost, t.records);
}

}  // namespace atcp::tool
