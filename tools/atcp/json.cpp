// SPDX-License-Identifier: GPL-2.0
//
// One object per row of model.h. Fields that a row does not have are left out, not null.
#include "json.h"

#include <linux/atcp.h>

#include "format.h"

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

}  // namespace

Json to_json(const Param& p) {
  Json j = {{"name", p.name}, {"value", p.value}, {"default", p.def}};
  if (p.min) j["min"] = *p.min;
  if (p.max) j["max"] = *p.max;
  j["unit"] = p.unit;
  j["help"] = p.help;
  return j;
}

Json to_json(const Socket& s) {
  Json j = {{"state", state_name(s.state)}};
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
  }
  return j;
}

Json to_json(const Listener& l) {
  Json j;
  put_endpoint(j, "local", l.local);
  j["uid"] = l.uid;
  j["inode"] = l.inode;
  j["accept_queue"] = l.accept_queue;
  j["backlog"] = l.backlog;
  j["requests"] = l.requests;
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
  return j;
}

Json to_json(const Counter& c) {
  return {{"name", c.name}, {"value", c.value}, {"help", c.help}};
}

Json to_json(const Reason& r) {
  return {{"id", r.id}, {"name", r.name}, {"value", r.value}, {"help", r.help}};
}

std::string json_text(const Json& j) {
  return j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace atcp::tool
