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

}  // namespace

std::string params_text(const std::vector<Param>& params) {
  Table t({{""}, {"Name"}, {"Value"}, {"Default"}, {"Range"}, {"Unit"}, {"Meaning"}});
  for (const Param& p : params)
    t.add({changed_mark(p), p.name, p.value, p.def, range_text(p), p.unit, p.help});
  return t.text();
}

std::string sockets_text(const std::vector<Listener>& listeners,
                         const std::vector<Socket>& sockets) {
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
           {"Expires", kRight}});
  for (const Listener& l : listeners)
    t.add({state_name(ATCP_STATE_LISTEN), std::to_string(l.accept_queue), std::to_string(l.backlog),
           endpoint_text(l.local), "*:*", std::to_string(l.uid), "-", "-", "-", "-", "-", "-", "-",
           "-"});
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
    t.add(std::move(row));
  }
  return t.text();
}

std::string listeners_text(const std::vector<Listener>& listeners) {
  Table t({{"Local Address:Port"},
           {"Queue", kRight},
           {"Backlog", kRight},
           {"Half-open", kRight},
           {"SYNs", kRight},
           {"SYN-ACKs", kRight},
           {"Dups", kRight},
           {"Accepted", kRight},
           {"Full@SYN", kRight},
           {"Full@ACK", kRight},
           {"SYN-drops", kRight},
           {"UID", kRight}});
  for (const Listener& l : listeners)
    t.add({endpoint_text(l.local), std::to_string(l.accept_queue), std::to_string(l.backlog),
           std::to_string(l.requests), std::to_string(l.syns), std::to_string(l.synacks),
           std::to_string(l.syn_dups), std::to_string(l.accepted), std::to_string(l.overflow_syn),
           std::to_string(l.overflow_ack), std::to_string(l.syn_drops), std::to_string(l.uid)});
  return t.text();
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

}  // namespace atcp::tool
