// SPDX-License-Identifier: GPL-2.0
//
// Keepalive with its defaults over hours of the fake clock, and probes of a closed window for which nobody
// waits any more. Shorter settings are in input_test.cpp, retransmission in retransmit_test.cpp.
#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

struct Timer : RawConnTest {
  /// From now on `times` has when each segment left, in ns.
  void watch() {
    srv.os().wire = [this](Emitted&& e) {
      times.push_back(net.now());
      replies.push_back(std::move(e));
    };
  }
  ~Timer() override { net.close_all(); }
  std::vector<uint64_t> times;
};

TEST_F(Timer, KeepaliveGivesASilentPeerUpAfterNineProbes) {
  open_with({});
  const uint64_t heard = net.now();
  s.set_keepalive(true);
  watch();
  net.run(7199 * kSec);
  expect_silence();
  net.run((1 + 8 * 75 + 74) * kSec);
  ASSERT_EQ(times.size(), 9u);
  for (size_t i = 0; i < 9; i++) {
    EXPECT_EQ((times[i] - heard) / kMs, (7200 + 75 * i) * 1000) << i;
    EXPECT_EQ(replies[i].seg.flags, ATCP_ACK);
    EXPECT_EQ(replies[i].seg.seq, iss);  // one before what is next: it has to be answered
    EXPECT_EQ(replies[i].data.size(), 0u);
  }
  EXPECT_EQ(s.error(), ATCP_OK);
  net.run(2 * kSec);
  EXPECT_EQ(s.state(), ATCP_STATE_CLOSED);
  EXPECT_EQ(s.error(), ATCP_ERR_TIMED_OUT);
  ASSERT_EQ(times.size(), 10u);
  EXPECT_EQ((times[9] - heard) / kMs, (7200 + 75 * 9) * 1000u);
  EXPECT_NE(replies[9].seg.flags & ATCP_RST, 0);
  EXPECT_EQ(srv.counter("TCPKeepAlive"), 9u);
  EXPECT_EQ(srv.reason(ATCP_REASON_TIMEOUT_KEEPALIVE), 1u);
}

TEST_F(Timer, AnAnswerToTheLastProbeKeepsIt) {
  open_with({});
  s.set_keepalive(true);
  net.run((7200 + 8 * 75 + 1) * kSec);
  EXPECT_EQ(srv.counter("TCPKeepAlive"), 9u);
  peer(0, 0);
  watch();
  net.run(7199 * kSec);
  expect_silence();
  net.run(2 * kSec);
  EXPECT_EQ(times.size(), 1u);
  EXPECT_EQ(s.state(), ATCP_STATE_ESTABLISHED);
}

TEST_F(Timer, KeepaliveLivesWhileThePeerDoes) {
  FakeNet& n = net;
  Host& a = n.add_host("a", ip4(10, 0, 0, 8));
  Host& b = n.add_host("b", ip4(10, 0, 0, 9));
  b.listen(80);
  Sock c = a.connect(b.addr(), 80);
  n.run(kSec);
  c.set_keepalive(true);
  n.run(24 * 3600 * kSec);
  EXPECT_EQ(c.state(), ATCP_STATE_ESTABLISHED);
  EXPECT_EQ(a.counter("TCPKeepAlive"), 11u);  // every two hours and a round trip
  n.link(a, b).loss_permille = 1000;
  const uint64_t probes = a.counter("TCPKeepAlive");
  EXPECT_TRUE(n.run_until([&] { return c.error() != ATCP_OK; }, (2 * 7200 + 9 * 75) * kSec));
  EXPECT_EQ(c.error(), ATCP_ERR_TIMED_OUT);
  EXPECT_EQ(a.counter("TCPKeepAlive"), probes + 9);
}

TEST_F(Timer, AnOrphanAtAClosedWindowIsNotKeptForEver) {
  // The peer answers every probe and never opens its window.
  for (const bool outstanding : {false, true}) {
    SCOPED_TRACE(outstanding);
    open_with({});
    if (outstanding) s.send("sent before it closed");
    wnd = 0;
    peer(0, 0);
    s.send("held back");
    s.close();
    replies.clear();
    for (int i = 0; i < 40 && s.exists(); i++) {
      net.run(60 * kSec);
      if (s.exists()) peer(0, 0);
    }
    EXPECT_FALSE(s.exists());
    listener.close();
    replies.clear();
  }
}

TEST_F(Timer, AProgramMayWaitAtAClosedWindow) {
  open_with({});
  wnd = 0;
  peer(0, 0);
  s.send("held back");
  for (int i = 0; i < 40; i++) {
    net.run(60 * kSec);
    peer(0, 0);
  }
  EXPECT_EQ(s.state(), ATCP_STATE_ESTABLISHED);
  wnd = 1000;
  replies.clear();
  peer(0, 0);
  EXPECT_EQ(reply().len, 9u);
}

}  // namespace
}  // namespace atcp::test
