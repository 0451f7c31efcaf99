// SPDX-License-Identifier: GPL-2.0
//
// Tests of json.h: field names are a promise to scripts, so they stand here in full.
#include "json.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <set>

namespace atcp::tool {
namespace {

std::set<std::string> fields(const Json& j) {
  std::set<std::string> names;
  for (const auto& item : j.items())
    names.insert(item.key());
  return names;
}

using Names = std::set<std::string>;

TEST(ToJson, ParamOfANumberHasItsRange) {
  Json j = to_json(Param{"sack", ATCP_PARAM_TYPE_NUMBER, "0", "1", 0, 1, "", "use SACK"});
  EXPECT_EQ(fields(j), (Names{"name", "value", "default", "min", "max", "unit", "help"}));
  EXPECT_EQ(j["value"], "0");
  EXPECT_EQ(j["max"], 1);
}

TEST(ToJson, ParamOfANameHasNone) {
  Json j = to_json(Param{"wire", ATCP_PARAM_TYPE_WIRE, "tcp", "tcp", {}, {}, "", ""});
  EXPECT_EQ(fields(j), (Names{"name", "value", "default", "unit", "help"}));
}

TEST(ToJson, ConnectionHasEveryField) {
  Socket s;
  s.state = ATCP_STATE_ESTABLISHED;
  s.kind = ATCP_KIND_CONN;
  s.local = {{10, 0, 0, 1}, 80};
  s.peer = {{10, 0, 0, 2}, 40000};
  s.uid = 0;
  s.conn = Connection();
  s.conn->bytes_acked = uint64_t{1} << 40;
  Json j = to_json(s);
  EXPECT_EQ(fields(j),
            (Names{"state",   "local_address", "local_port",  "peer_address",   "peer_port",
                   "uid",     "retrans",       "inode",       "recvq",          "sendq",
                   "cc",      "cwnd",          "ssthresh",    "srtt_us",        "rttvar_us",
                   "rto_us",  "mss",           "bytes_acked", "bytes_received", "snd_wnd",
                   "rcv_wnd", "rcvbuf",        "sndbuf"}));
  EXPECT_EQ(j["state"], "ESTAB");
  EXPECT_EQ(j["local_address"], "10.0.0.1");
  EXPECT_EQ(j["peer_port"], 40000);
  EXPECT_EQ(j["bytes_acked"], uint64_t{1} << 40);
}

TEST(ToJson, TimeWaitHasOnlyWhatItKnows) {
  Socket s;
  s.state = ATCP_STATE_TIME_WAIT;
  s.kind = ATCP_KIND_TIMEWAIT;
  s.expires_ms = 60000;
  EXPECT_EQ(fields(to_json(s)), (Names{"state", "local_address", "local_port", "peer_address",
                                       "peer_port", "retrans", "expires_ms"}));
}

TEST(ToJson, ListenerHasEveryField) {
  EXPECT_EQ(fields(to_json(Listener())), (Names{"local_address", "local_port",
                                                "uid",           "inode",
                                                "accept_queue",  "backlog",
                                                "requests",      "young",
                                                "syns",          "synacks",
                                                "syn_dups",      "accepted",
                                                "overflow_syn",  "overflow_ack",
                                                "syn_drops",     "accept_queue_high",
                                                "requests_high", "backlog_at_somaxconn",
                                                "crowded_ms",    "cookies",
                                                "acks",          "children",
                                                "ack_drops",     "migrated_in",
                                                "migrated_out",  "refused_syns",
                                                "refused_acks"}));
}

TEST(ToJson, RefusalsBySegment) {
  Listener l;
  l.refusals = {{ATCP_REFUSED_SYN, "no_memory", 3}, {ATCP_REFUSED_ACK, "no_memory", 4}};
  const Json j = to_json(l);
  EXPECT_EQ(j["refused_syns"], (Json{{"no_memory", 3}}));
  EXPECT_EQ(j["refused_acks"], (Json{{"no_memory", 4}}));
}

TEST(ToJson, ListsAreArraysEvenWhenEmpty) {
  EXPECT_EQ(json_text(to_json(std::vector<Counter>{})), "[]\n");
  Json j = to_json(std::vector<Reason>{{3, "checksum", 9, "wrong"}});
  ASSERT_EQ(j.size(), 1u);
  EXPECT_EQ(fields(j[0]), (Names{"id", "name", "value", "help"}));
}

TEST(ToJson, EventLeavesOutWhatItDoesNotHave) {
  Event e;
  e.kind = ATCP_EVENT_KIND_LOST;
  e.time_ns = 5;
  e.count = 3;
  EXPECT_EQ(json_line(to_json(e)), "{\"kind\":\"lost\",\"time_ns\":5,\"count\":3}\n");
}

TEST(ToJson, EventHasEveryField) {
  Event e;
  e.kind = ATCP_EVENT_KIND_DROP;
  e.seq = e.id = 1;
  e.local = e.peer = {{10, 0, 0, 1}, 80};
  e.reason = "checksum";
  e.old_state = e.new_state = ATCP_STATE_ESTABLISHED;
  e.tcp_seq = e.len = e.retransmit = e.cwnd = e.ssthresh = e.ca_state = 0;
  e.tcp_flags = 0x12;
  e.srtt_us = e.inflight = e.queue = e.limit = 0;
  e.pacing_rate = e.delivery_rate = e.count = 0;
  e.record = Record();
  const Json j = to_json(e);
  EXPECT_EQ(fields(j),
            (Names{"kind",        "time_ns",       "seq",       "id",      "local_address",
                   "local_port",  "peer_address",  "peer_port", "reason",  "old_state",
                   "new_state",   "tcp_flags",     "tcp_seq",   "len",     "retransmit",
                   "ca_state",    "cwnd",          "ssthresh",  "srtt_us", "inflight",
                   "pacing_rate", "delivery_rate", "queue",     "limit",   "count",
                   "record"}));
  EXPECT_EQ(j["tcp_flags"], (Json{"SYN", "ACK"}));
}

TEST(ToJson, RecordIsASocketAndItsEnd) {
  Record r;
  r.socket.id = 17;
  r.socket.conn = Connection();
  r.opened_ns = 1;
  r.closed_ns = 2;
  r.ended_by = ATCP_ENDED_BY_LOCAL_FIN;
  r.reason = "normal_close";
  const Json j = to_json(r);
  EXPECT_EQ(j["id"], 17);
  EXPECT_EQ(j["opened_ns"], 1);
  EXPECT_EQ(j["closed_ns"], 2);
  EXPECT_EQ(j["ended_by"], "local_fin");
  EXPECT_EQ(j["reason"], "normal_close");
  EXPECT_TRUE(j.contains("bytes_acked"));
  EXPECT_FALSE(j.contains("inode"));
}

TEST(JsonText, SurvivesBytesThatAreNoUtf8) {
  EXPECT_EQ(json_text(Json{{"a", "\xff"}}), "{\n  \"a\": \"\xef\xbf\xbd\"\n}\n");
}

}  // namespace
}  // namespace atcp::tool
