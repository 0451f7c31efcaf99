// SPDX-License-Identifier: GPL-2.0
//
// One object per row of model.h. Fields that a row does not have are left out, not null.
#include "json.h"

#include <linux/atcp.h>

#include "events.h"
#include "format.h"
#include "shares.h"
#include "socket_fields.h"

namespace atcp::tool {
namespace {

void put_endpoint(Json& j, const std::string& prefix, const Endpoint& e) {
  j[prefix + "_address"] = address_plain(e.addr);
  j[prefix + "_port"] = e.port;
}

/// Reasons as names, counts as values; those that never happened are left out.
Json refusals_json(const Listener& l, uint32_t segment) {
  Json j = Json::object();
  for (const Refusal& r : l.refusals)
    if (r.segment == segment) j[r.reason] = r.count;
  return j;
}

void put_programs(Json& j, const std::vector<Process>& programs) {
  if (programs.empty()) return;
  Json array = Json::array();
  for (const Process& p : programs)
    array.push_back({{"pid", p.pid}, {"name", p.name}, {"fd", p.fd}});
  j["programs"] = std::move(array);
}

void put_detail(Json& j, const Detail& d) {
  for (const SocketField& field : kSocketFields)
    if (auto it = d.numbers.find(field.attr); it != d.numbers.end()) j[field.name] = it->second;
  if (d.limited_by) j["limited_by"] = limit_row(*d.limited_by).name;
  if (!d.limited.empty()) {
    Json& limited = j["limited_us"] = Json::object();
    for (const Share& s : d.limited)
      limited[limit_row(s.what).name] = s.time;
  }
  if (!d.in_state.empty()) {
    Json& states = j["in_state_ms"] = Json::object();
    for (const Share& s : d.in_state)
      states[state_name(s.what)] = s.time;
  }
  if (!d.timers.empty()) {
    Json& timers = j["timers_us"] = Json::object();
    for (const Deadline& t : d.timers)
      timers[t.name] = t.left_us;
  }
  if (!d.drops.empty()) {
    Json& drops = j["drops"] = Json::object();
    for (const Reason& r : d.drops)
      drops[r.name] = r.value;
  }
  if (d.orphaned) j["orphaned"] = true;
  if (d.passive) j["passive"] = true;
  if (d.urgent) j["urgent"] = true;
  if (!d.cc_info.empty()) j["cc_info"] = d.cc_info;
}

template <class T>
void put_if(Json& j, const char* name, const std::optional<T>& value) {
  if (value) j[name] = *value;
}

}  // namespace

Json to_json(const Param& p) {
  Json j = {{"name", p.name}, {"value", p.value}, {"default", p.def}};
  if (p.min) j["min"] = *p.min;
  if (p.max) j["max"] = *p.max;
  j["unit"] = p.unit;
  if (p.per_socket) j["per_socket"] = true;
  if (p.source) j["source"] = source_name(p.source);
  j["help"] = p.help;
  return j;
}

Json to_json(const Socket& s, const Processes& programs) {
  Json j;
  if (s.id) j["id"] = s.id;
  j["state"] = state_name(s.state);
  put_endpoint(j, "local", s.local);
  put_endpoint(j, "peer", s.peer);
  if (s.uid) j["uid"] = *s.uid;
  j["retrans"] = s.retrans;
  if (s.expires_ms) j["expires_ms"] = *s.expires_ms;
  if (const auto& c = s.conn) {
    j["inode"] = c->inode;
    j["recvq"] = c->recvq;
    j["sendq"] = c->sendq;
    j["cc"] = c->cc;
    j["cwnd"] = c->cwnd;
    j["ssthresh"] = c->ssthresh;
    j["srtt_us"] = c->srtt_us;
    j["rttvar_us"] = c->rttvar_us;
    j["rto_us"] = c->rto_us;
    j["mss"] = c->mss;
    j["bytes_acked"] = c->bytes_acked;
    j["bytes_received"] = c->bytes_received;
    j["snd_wnd"] = c->snd_wnd;
    j["rcv_wnd"] = c->rcv_wnd;
    j["rcvbuf"] = c->rcvbuf;
    j["sndbuf"] = c->sndbuf;
    put_programs(j, programs.of(c->inode));
  }
  put_detail(j, s.detail);
  return j;
}

Json to_json(const Listener& l, const Processes& programs) {
  Json j;
  if (l.id) j["id"] = l.id;
  put_endpoint(j, "local", l.local);
  j["uid"] = l.uid;
  j["inode"] = l.inode;
  j["accept_queue"] = l.accept_queue;
  j["backlog"] = l.backlog;
  j["requests"] = l.requests;
  j["young"] = l.young;
  j["syns"] = l.syns;
  j["synacks"] = l.synacks;
  j["syn_dups"] = l.syn_dups;
  j["accepted"] = l.accepted;
  j["overflow_syn"] = l.overflow_syn;
  j["overflow_ack"] = l.overflow_ack;
  j["syn_drops"] = l.syn_drops;
  j["accept_queue_high"] = l.accept_queue_high;
  j["requests_high"] = l.requests_high;
  j["backlog_at_somaxconn"] = l.at_somaxconn;
  j["crowded_ms"] = l.crowded_ms;
  j["cookies"] = l.cookies;
  j["acks"] = l.acks;
  j["children"] = l.children;
  j["ack_drops"] = l.ack_drops;
  j["migrated_in"] = l.migrated_in;
  j["migrated_out"] = l.migrated_out;
  j["refused_syns"] = refusals_json(l, ATCP_REFUSED_SYN);
  j["refused_acks"] = refusals_json(l, ATCP_REFUSED_ACK);
  put_programs(j, programs.of(l.inode));
  return j;
}

Json to_json(const Counter& c) {
  return {{"name", c.name}, {"value", c.value}, {"help", c.help}};
}

Json to_json(const Reason& r) {
  return {{"id", r.id}, {"name", r.name}, {"value", r.value}, {"help", r.help}};
}

Json to_json(const Cc& c) {
  Json j = {{"name", c.name}, {"default", c.is_default}, {"restricted", c.restricted}};
  if (!c.module.empty()) j["module"] = c.module;
  return j;
}

Json to_json(const Tables& t) {
  return {{"ehash_slots", t.ehash_slots}, {"ehash_entries", t.ehash_entries},
          {"ehash_grown", t.ehash_grown}, {"ehash_shrunk", t.ehash_shrunk},
          {"requests", t.requests},       {"timewaits", t.timewaits},
          {"sockets", t.sockets},         {"orphans", t.orphans},
          {"listeners", t.listeners},     {"ports", t.ports},
          {"mem_pages", t.mem_pages},     {"mem_level", t.mem_level},
          {"subscribers", t.subscribers}, {"events_lost", t.events_lost},
          {"records", t.records}};
}

Json to_json(const Record& r) {
  Json j = to_json(r.socket);
  j.erase("inode");  // it has none any more
  j["opened_ns"] = r.opened_ns;
  j["closed_ns"] = r.closed_ns;
  j["ended_by"] = ended_by_name(r.ended_by);
  j["reason"] = r.reason;
  return j;
}

Json to_json(const Event& e) {
  Json j = {{"kind", event_kind_name(e.kind)}, {"time_ns", e.time_ns}};
  put_if(j, "seq", e.seq);
  if (e.id) j["id"] = e.id;
  if (!e.local.addr.empty()) put_endpoint(j, "local", e.local);
  if (!e.peer.addr.empty() && e.peer.port) put_endpoint(j, "peer", e.peer);
  if (!e.reason.empty()) j["reason"] = e.reason;
  if (e.old_state) j["old_state"] = state_name(*e.old_state);
  if (e.new_state) j["new_state"] = state_name(*e.new_state);
  if (e.tcp_flags) j["tcp_flags"] = tcp_flag_names(*e.tcp_flags);
  put_if(j, "tcp_seq", e.tcp_seq);
  put_if(j, "len", e.len);
  if (e.retransmit) j["retransmit"] = retransmit_name(*e.retransmit);
  if (e.ca_state) j["ca_state"] = ca_state_name(*e.ca_state);
  put_if(j, "cwnd", e.cwnd);
  put_if(j, "ssthresh", e.ssthresh);
  put_if(j, "srtt_us", e.srtt_us);
  put_if(j, "inflight", e.inflight);
  put_if(j, "pacing_rate", e.pacing_rate);
  put_if(j, "delivery_rate", e.delivery_rate);
  put_if(j, "queue", e.queue);
  put_if(j, "limit", e.limit);
  put_if(j, "count", e.count);
  if (e.record) j["record"] = to_json(*e.record);
  return j;
}

std::string json_line(const Json& j) {
  return j.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string json_text(const Json& j) {
  return j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace atcp::tool
