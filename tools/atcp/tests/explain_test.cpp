// SPDX-License-Identifier: GPL-2.0
//
// Tests of explain on made-up samples two seconds apart: each rule finds what it is for, says it with
// the numbers, and is silent about what is in order.
#include "explain.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <algorithm>
#include <functional>

#include "json.h"

namespace atcp::tool {
namespace {

class Explain : public ::testing::Test {
 protected:
  Explain() {
    before.at_us = 1'000'000;
    now.at_us = 3'000'000;
  }

  /// A listener in both samples; change: what is different now.
  void listener(const std::function<void(Listener&)>& change, const Listener& old = base()) {
    before.listeners.push_back(old);
    Listener l = old;
    change(l);
    now.listeners.push_back(l);
  }
  static Listener base() {
    Listener l;
    l.local = {{0, 0, 0, 0}, 8080};
    l.inode = 77;
    l.id = 5;
    l.backlog = 3;
    return l;
  }

  Socket& socket(uint32_t state, uint64_t id, uint64_t inode = 90) {
    Socket s;
    s.id = id;
    s.state = state;
    s.kind = ATCP_KIND_CONN;
    s.local = {{10, 0, 0, 1}, static_cast<uint16_t>(40000 + id)};
    s.peer = {{10, 0, 0, 2}, 80};
    s.conn = Connection();
    s.conn->inode = inode;
    s.conn->mss = 1000;
    s.conn->snd_wnd = 65535;
    s.conn->rcv_wnd = 65535;
    now.sockets.push_back(s);
    return now.sockets.back();
  }
  /// As they are now, they were before.
  void all_were_so() { before.sockets = now.sockets; }

  void count(const std::string& name, uint64_t n) { now.counters.push_back({name, n, "help"}); }
  void reason(const std::string& name, uint64_t n) {
    now.reasons.push_back({0, name, n, "help of " + name});
  }
  void param(const std::string& name, const std::string& value) {
    Param p;
    p.name = name;
    p.value = value;
    now.params.push_back(p);
  }

  Findings all() { return explain(Change(before, now)); }
  /// The only finding, which has to be of this rule.
  Finding only(const std::string& rule) {
    Findings found = all();
    EXPECT_EQ(found.size(), 1u) << explain_text(found, Change(before, now));
    if (found.size() != 1) return {};
    EXPECT_EQ(found[0].rule, rule);
    return found[0];
  }

  Sample before, now;
};

TEST_F(Explain, NothingWrong) {
  listener([](Listener& l) {
    l.syns = 100;
    l.accepted = 100;
    l.accept_queue = 1;
  });
  socket(ATCP_STATE_ESTABLISHED, 1);
  all_were_so();
  EXPECT_TRUE(all().empty());
  EXPECT_EQ(explain_text({}, Change(before, now)),
            "nothing wrong found (listeners: 1, sockets: 1, looked for 2.0 s)\n");
}

TEST_F(Explain, AcceptQueueFullNamesProgramAndRates) {
  now.programs.add(77, {812, "slowd", 3});
  listener([](Listener& l) {
    l.accept_queue = 4;
    l.syns = 320;
    l.accepted = 6;
    l.overflow_syn = 312;
    l.overflow_ack = 1;
  });
  Finding f = only("accept_queue_full");
  EXPECT_EQ(f.severity, Severity::kTrouble);
  EXPECT_EQ(f.text,
            "the accept queue of 0.0.0.0:8080 (slowd[812]) is full (4 of 4): 312 SYNs and 1 third "
            "ACK dropped in the last 2.0 s; the program accepts 3.0/s, 160/s SYNs arrive");
}

TEST_F(Explain, AcceptQueueFullWithoutLossIsAWarning) {
  Listener full = base();
  full.accept_queue = 4;
  listener([](Listener&) {}, full);
  Finding f = only("accept_queue_full");
  EXPECT_EQ(f.severity, Severity::kWarning);
  EXPECT_NE(f.todo.find("does not call accept() at all"), std::string::npos);
}

TEST_F(Explain, QueueThatHoldsItsBacklogIsNotFull) {
  Listener l = base();
  l.accept_queue = 3;  // one more is admitted
  listener([](Listener&) {}, l);
  EXPECT_TRUE(all().empty());
}

TEST_F(Explain, OverflowsOfLongAgoAreNoTrouble) {
  Listener old = base();
  old.overflow_syn = 1000;
  listener([](Listener&) {}, old);
  EXPECT_TRUE(all().empty());
}

TEST_F(Explain, BacklogAtSomaxconn) {
  Listener l = base();
  l.at_somaxconn = true;
  l.accept_queue_high = 4;
  listener([](Listener&) {}, l);
  EXPECT_EQ(only("backlog_at_somaxconn").severity, Severity::kNote);
}

TEST_F(Explain, CookiesOfAFlood) {
  count("SyncookiesSent", 1000);
  count("SyncookiesRecv", 2);
  listener([](Listener& l) { l.cookies = 1000; });
  Finding f = only("cookies");
  EXPECT_EQ(f.severity, Severity::kTrouble);
  EXPECT_EQ(f.text,
            "SYN cookies are being sent: 1000 in the last 2.0 s (0.0.0.0:8080 1000), 2 came back "
            "valid");
}

TEST_F(Explain, CookiesOfACrowd) {
  count("SyncookiesSent", 100);
  count("SyncookiesRecv", 90);
  EXPECT_EQ(only("cookies").severity, Severity::kWarning);
}

TEST_F(Explain, CookiesThatAreWantedAlwaysAreNoFinding) {
  param("syncookies", "2");
  count("SyncookiesSent", 100);
  EXPECT_TRUE(all().empty());
}

TEST_F(Explain, RequestQueueFull) {
  param("syncookies", "0");
  Listener old = base();
  old.refusals = {{ATCP_REFUSED_SYN, "request_queue_full", 10}};
  listener(
      [](Listener& l) {
        l.requests = 4;
        l.refusals = {{ATCP_REFUSED_SYN, "request_queue_full", 17},
                      {ATCP_REFUSED_SYN, "syn_backlog", 3}};
      },
      old);
  Finding f = only("request_queue_full");
  EXPECT_NE(f.text.find("10 SYNs of 0.0.0.0:8080 dropped"), std::string::npos) << f.text;
  EXPECT_NE(f.text.find("SYN cookies are off"), std::string::npos) << f.text;
}

TEST_F(Explain, UnansweredSynacks) {
  Listener l = base();
  l.requests = 40;
  l.young = 10;
  listener([](Listener&) {}, l);
  EXPECT_NE(only("unanswered_synacks").text.find("30 of the 40"), std::string::npos);
  now.listeners[0].young = 39;
  EXPECT_TRUE(all().empty());
}

TEST_F(Explain, CloseWaitPilesUpInAProgram) {
  now.programs.add(90, {33, "leaky", 4});
  for (uint64_t id = 1; id <= 5; id++)
    socket(ATCP_STATE_CLOSE_WAIT, id);
  all_were_so();
  Finding f = only("close_wait");
  EXPECT_EQ(f.severity, Severity::kWarning);
  EXPECT_EQ(f.text.find("5 connections of leaky[33] are in CLOSE-WAIT, 5 of them"), 0u) << f.text;
}

TEST_F(Explain, CloseWaitThatComesAndGoesIsInOrder) {
  for (uint64_t id = 1; id <= 50; id++)
    socket(ATCP_STATE_CLOSE_WAIT, id);
  EXPECT_TRUE(all().empty());
}

TEST_F(Explain, UnreadData) {
  Socket& s = socket(ATCP_STATE_ESTABLISHED, 1);
  s.conn->recvq = 200'000;
  s.conn->rcv_wnd = 1000;
  all_were_so();
  EXPECT_EQ(only("unread").severity, Severity::kWarning);
}

TEST_F(Explain, ShutWindowOfThePeer) {
  Socket& s = socket(ATCP_STATE_ESTABLISHED, 1);
  s.conn->sendq = 5000;
  s.conn->snd_wnd = 0;
  s.conn->bytes_acked = 70;
  all_were_so();
  EXPECT_EQ(only("zero_window").severity, Severity::kTrouble);
  before.sockets[0].conn->bytes_acked = 60;  // something got through
  EXPECT_TRUE(all().empty());
}

TEST_F(Explain, LimitedByThePeersWindow) {
  Socket& s = socket(ATCP_STATE_ESTABLISHED, 1);
  s.detail.limited = {{ATCP_LIMIT_APP, 5'000'000}, {ATCP_LIMIT_RWND, 100}, {ATCP_LIMIT_CWND, 0}};
  all_were_so();
  s.detail.limited = {
      {ATCP_LIMIT_APP, 5'200'000}, {ATCP_LIMIT_RWND, 1'600'100}, {ATCP_LIMIT_CWND, 200'000}};
  Finding f = only("limited_by_rwnd");
  EXPECT_NE(f.text.find("spent 80 % of its time"), std::string::npos) << f.text;
}

TEST_F(Explain, LimitedByItsProgramIsInOrder) {
  Socket& s = socket(ATCP_STATE_ESTABLISHED, 1);
  s.detail.limited = {{ATCP_LIMIT_APP, 1'900'000}, {ATCP_LIMIT_RWND, 100'000}};
  EXPECT_TRUE(all().empty());
}

TEST_F(Explain, RetransmissionsPerPeer) {
  for (uint64_t id : {1, 2}) {
    Socket& s = socket(ATCP_STATE_ESTABLISHED, id);
    s.conn->bytes_acked = 500'000;
    s.retrans = 100;
  }
  all_were_so();
  now.sockets[0].conn->bytes_acked = 595'000;  // 95 segments
  now.sockets[0].retrans = 105;
  Finding f = only("retransmissions");
  EXPECT_EQ(f.severity, Severity::kWarning);
  EXPECT_EQ(f.text.find("5.0 % of the segments to 10.0.0.2 had to be sent again (5 of 100"), 0u)
      << f.text;
}

TEST_F(Explain, FewRetransmissionsAreInOrder) {
  Socket& s = socket(ATCP_STATE_ESTABLISHED, 1);
  s.conn->bytes_acked = 1'000'000;
  s.retrans = 5;
  EXPECT_TRUE(all().empty());
}

TEST_F(Explain, TimeWaitNearItsLimit) {
  param("max_tw_buckets", "10");
  for (uint64_t id = 1; id <= 9; id++) {
    Socket& s = socket(ATCP_STATE_TIME_WAIT, id);
    s.conn.reset();
  }
  EXPECT_EQ(only("time_wait").severity, Severity::kWarning);
  count("TCPTimeWaitOverflow", 3);
  EXPECT_EQ(only("time_wait").severity, Severity::kTrouble);
}

TEST_F(Explain, MemoryPressure) {
  count("TCPMemoryPressures", 1);
  EXPECT_EQ(only("memory").severity, Severity::kWarning);
  reason("memory_full", 7);
  EXPECT_NE(only("memory").text.find("7 segments or connections were given up"), std::string::npos);
}

TEST_F(Explain, WrongChecksums) {
  count("InCsumErrors", 4);
  reason("checksum", 4);
  EXPECT_EQ(only("checksums").text.find("4 segments with a wrong checksum"), 0u);
}

TEST_F(Explain, AttemptsWithoutAnswerAreNoLossOfThePath) {
  for (uint64_t id : {1, 2, 3}) {
    Socket& s = socket(ATCP_STATE_SYN_SENT, id);
    s.retrans = 3;
    s.detail.limited = {{ATCP_LIMIT_RECOVERY, 2'000'000}};
  }
  const Finding f = only("unanswered");
  EXPECT_EQ(f.severity, Severity::kWarning);
  EXPECT_EQ(f.text.find("3 of this host's attempts to connect to 10.0.0.2:80"), 0u) << f.text;
}

TEST_F(Explain, ResetsByReason) {
  before.reasons.push_back({0, "abort_on_close", 3, ""});
  reason("abort_on_close", 5);
  EXPECT_EQ(only("resets_sent").text,
            "connections are ended early by this host: 2 abort_on_close in the last 2.0 s");
}

TEST_F(Explain, ResetsOfPeersAreANote) {
  reason("reset_by_peer", 5);
  EXPECT_EQ(only("resets_received").severity, Severity::kNote);
}

TEST_F(Explain, SegmentsForNobody) {
  reason("no_socket", 1);
  EXPECT_EQ(only("no_socket").text.find("1 segment for nobody"), 0u);
}

TEST_F(Explain, SilentPeers) {
  reason("timeout_keepalive", 2);
  EXPECT_NE(only("timeouts").text.find("2 timeout_keepalive"), std::string::npos);
}

TEST_F(Explain, PortsRunOut) {
  param("port_range", "40001 40010");
  for (uint64_t id = 1; id <= 9; id++)
    socket(ATCP_STATE_ESTABLISHED, id);
  EXPECT_EQ(only("ports").severity, Severity::kWarning);
  socket(ATCP_STATE_ESTABLISHED, 10);
  EXPECT_EQ(only("ports").severity, Severity::kTrouble);
}

TEST_F(Explain, OrphansNearTheirLimit) {
  param("max_orphans", "2");
  socket(ATCP_STATE_FIN_WAIT1, 1, 0);
  EXPECT_TRUE(all().empty());
  socket(ATCP_STATE_FIN_WAIT1, 2, 0);
  EXPECT_EQ(only("orphans").severity, Severity::kWarning);
}

TEST_F(Explain, WhatNoRuleKnowsIsNamedToo) {
  reason("paws", 4);
  EXPECT_EQ(only("other_drops").text, "also in the last 2.0 s: 4 paws (help of paws)");
}

TEST_F(Explain, WorstComesFirst) {
  reason("paws", 4);
  count("InCsumErrors", 4);
  reason("timeout_syn", 1);
  Findings found = all();
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].rule, "timeouts");
  EXPECT_EQ(found[2].rule, "other_drops");
  Json j = to_json(found[0]);
  EXPECT_EQ(j["severity"], "trouble");
  EXPECT_TRUE(j["numbers"].contains("connections"));
}

}  // namespace
}  // namespace atcp::tool
