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
  Json j = to_json(Param{"sack", ATCP_PARAM_NUMBER, "0", "1", 0, 1, "", "use SACK"});
  EXPECT_EQ(fields(j), (Names{"name", "value", "default", "min", "max", "unit", "help"}));
  EXPECT_EQ(j["value"], "0");
  EXPECT_EQ(j["max"], 1);
}

TEST(ToJson, ParamOfANameHasNone) {
  Json j = to_json(Param{"wire", ATCP_PARAM_WIRE, "tcp", "tcp", {}, {}, "", ""});
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
  EXPECT_EQ(fields(to_json(Listener())), (Names{"local_address",
                                                "local_port",
                                                "uid",
                                                "inode",
                                                "accept_queue",
                                                "backlog",
                                                "requests",
                                                "syns",
                                                "synacks",
                                                "syn_dups",
                                                "accepted",
                                                "overflow_syn",
                                                "overflow_ack",
                                                "syn_drops",
                                                "accept_queue_high",
                                                "requests_high",
                                                "backlog_at_somaxconn",
                                                "crowded_ms",
                                                "cookies",
                                                "acks",
                                                "children",
                                                "ack_drops",
                                                "migrated_in",
                                                "migrated_out",
                                                "refused_syns",
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

TEST(JsonText, SurvivesBytesThatAreNoUtf8) {
  EXPECT_EQ(json_text(Json{{"a", "\xff"}}), "{\n  \"a\": \"\xef\xbf\xbd\"\n}\n");
}

}  // namespace
}  // namespace atcp::tool
