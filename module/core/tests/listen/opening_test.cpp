// SPDX-License-Identifier: GPL-2.0
//
// Openings that go wrong, from both ends: lost handshakes, hosts that restart, queues that never drain, old
// duplicates. The rows of docs/scenarios.md that need a clock of the test's own. What one end does with one
// segment is in listener_test.cpp, request_test.cpp and child_test.cpp.
#include <linux/atcp.h>

#include "conn/tcb.h"
#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

constexpr uint16_t kHttp = 80;

/// A client and a server that can be cut off from each other.
struct OpeningPair : ::testing::Test {
  FakeNet net;
  Host& client = net.add_host("client", ip4(10, 0, 0, 1));
  Host& server = net.add_host("server", ip4(10, 0, 0, 2));
  Sock listener = server.listen(kHttp);

  OpeningPair() { client.set("syn_linear_timeouts", "0"); }
  void TearDown() override {
    net.all_links() = Link{};
    net.link(client, server) = net.link(server, client) = Link{};
    net.close_all();
    net.run(200 * kSec);
  }
  void cut(bool on) {
    net.link(client, server).loss_permille = net.link(server, client).loss_permille = on ? 1000 : 0;
  }
  /// The client's host loses its power: nothing more is heard of the connection.
  void vanish(Sock s) {
    cut(true);
    s.abort(ATCP_REASON_ABORT_BY_USER);
    s.close();
    net.run(100 * kMs);
    cut(false);
  }
  Sock accept() {
    std::optional<Sock> s;
    EXPECT_TRUE(net.run_until([&] { return (s = listener.accept()).has_value(); }, 5 * kSec));
    return s.value_or(Sock());
  }
};

// ---- segments of the handshake are lost --------------------------------------------------------

TEST_F(OpeningPair, BothEndsRepeatWhileSynAcksAreLost) {
  uint32_t syn_acks = 0;
  net.link(server, client).filter = [&](Emitted&) { return ++syn_acks > 4; };
  Sock c = client.connect(server.addr(), kHttp);
  ASSERT_TRUE(net.run_until([&] { return c.state() == ATCP_STATE_ESTABLISHED; }, 30 * kSec));
  accept();
  atcp_listener_info i = {};
  atcp_core_listener_info(&listener.conn().conn, &i, net.now());
  EXPECT_GT(client.counter("TCPSynRetrans"), 0u);
  EXPECT_EQ(i.syn_dups, client.counter("TCPSynRetrans"));
  EXPECT_EQ(i.synacks, 1u);
  EXPECT_GE(server.counter("TCPSynRetrans"), i.syn_dups);
  EXPECT_EQ(i.syns, i.synacks + i.syn_dups + i.syn_drops);
}

TEST_F(OpeningPair, ThirdAckLostAndTheClientSpeaksFirst) {
  net.link(client, server).drop_mask = 2;  // SYN, third ACK
  Sock c = client.connect(server.addr(), kHttp);
  net.run(50 * kMs);
  EXPECT_EQ(c.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_FALSE(listener.accept().has_value());
  c.send("hello");
  net.run(50 * kMs);
  EXPECT_EQ(accept().recv_text(), "hello");
}

TEST_F(OpeningPair, ThirdAckLostAndTheServerMustAskAgain) {
  net.link(client, server).drop_mask = 2;
  Sock c = client.connect(server.addr(), kHttp);
  net.run(50 * kMs);
  EXPECT_FALSE(listener.accept().has_value());
  net.run(1100 * kMs);  // the SYN-ACK came again, and its ACK got through
  EXPECT_TRUE(listener.accept().has_value());
  EXPECT_EQ(server.counter("TCPSynRetrans"), 1u);
  EXPECT_EQ(c.info().total_retrans, 0u);
}

TEST_F(OpeningPair, RequestThatExpiredAnswersDataWithReset) {
  bool deaf = false;
  net.link(client, server).filter = [&](Emitted&) { return !deaf; };
  Sock c = client.connect(server.addr(), kHttp);
  net.run(15 * kMs);  // the SYN is there
  deaf = true;
  net.run(1 * kSec);
  ASSERT_EQ(c.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  c.send("is anybody there?");
  net.run(64 * kSec);
  EXPECT_EQ(server.reason(ATCP_REASON_REQUEST_TIMEOUT), 1u);
  EXPECT_EQ(server.counter("OutRsts"), 0u);
  EXPECT_EQ(c.state(),
            static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));  // and still repeats its data
  deaf = false;
  ASSERT_TRUE(net.run_until([&] { return c.error() != ATCP_OK; }, 60 * kSec));
  EXPECT_EQ(c.error(), ATCP_ERR_RESET);
}

TEST_F(OpeningPair, OldDuplicateSynLeavesNothing) {
  // A SYN of a former life arrives out of nowhere; the client owns the port and has no such connection.
  Emitted old;
  net.link(client, server).filter = [&](Emitted& e) {
    if ((e.seg.flags & ATCP_SYN) != 0) old = e;
    return true;
  };
  Sock c = client.connect(server.addr(), kHttp, 5000);
  net.run(100 * kMs);
  accept().close();
  c.close();
  net.run(300 * kSec);  // TIME_WAIT, too, is over
  net.link(client, server).filter = nullptr;
  server.receive(old);
  net.run(100 * kMs);
  EXPECT_EQ(server.reason(ATCP_REASON_REQUEST_RST), 1u);
  atcp_listener_info i = {};
  atcp_core_listener_info(&listener.conn().conn, &i, net.now());
  EXPECT_EQ(i.requests, 0u);
  EXPECT_FALSE(listener.accept().has_value());
  Sock real = client.connect(server.addr(), kHttp, 5000);
  net.run(100 * kMs);
  EXPECT_EQ(real.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  accept();
}

// ---- nobody answers ----------------------------------------------------------------------------

struct SynCase {
  const char* retries;
  std::vector<uint32_t> at_s;
  uint32_t end_s;
};

TEST_F(OpeningPair, SynsAndTheirEnd) {
  // The figures of descriptions that say 5 retries and 63 s, of the default, and of a quick test.
  for (const SynCase& want : {SynCase{"2", {0, 1, 3}, 7}, SynCase{"5", {0, 1, 3, 7, 15, 31}, 63},
                              SynCase{"6", {0, 1, 3, 7, 15, 31, 63}, 127}}) {
    client.set("syn_retries", want.retries);
    std::vector<uint32_t> at_s;
    const uint64_t begin = net.now();
    net.link(client, server).filter = [&](Emitted& e) {
      EXPECT_EQ(e.seg.flags, ATCP_SYN);
      at_s.push_back(static_cast<uint32_t>((net.now() - begin) / kSec));
      return false;
    };
    Sock c = client.connect(server.addr(), kHttp);
    net.run_until([&] { return c.error() != ATCP_OK; }, 300 * kSec);
    EXPECT_EQ(at_s, want.at_s);
    EXPECT_EQ(c.error(), ATCP_ERR_TIMED_OUT);
    EXPECT_EQ((net.now() - begin) / kSec, want.end_s);
    c.close();
  }
  EXPECT_EQ(client.reason(ATCP_REASON_TIMEOUT_SYN), 3u);
}

TEST_F(OpeningPair, PortsAreUsedUpPerDestination) {
  ASSERT_EQ(client.set("port_range", "61000 61009"), ATCP_OK);
  Sock other = server.listen(kHttp + 1);
  for (int i = 0; i < 10; i++)
    client.connect(server.addr(), kHttp);
  EXPECT_EQ(client.try_connect(client.socket(), server.addr(), kHttp), ATCP_ERR_ADDR_NOT_AVAIL);
  EXPECT_EQ(client.try_connect(client.socket(), server.addr(), kHttp + 1), ATCP_OK);
  net.run(100 * kMs);
  EXPECT_TRUE(other.accept().has_value());
}

// ---- a host restarts ---------------------------------------------------------------------------

TEST_F(OpeningPair, RestartedClientIsBackAtOnce) {
  // Its SYN meets ESTABLISHED: challenge ACK, RST at its number, and the SYN that follows at once is welcome.
  Sock old = client.connect(server.addr(), kHttp, 5000);
  net.run(100 * kMs);
  Sock stale = accept();
  vanish(old);
  Sock c = client.connect(server.addr(), kHttp, 5000);
  const uint64_t begin = net.now();
  ASSERT_TRUE(net.run_until([&] { return c.state() == ATCP_STATE_ESTABLISHED; }, 1 * kSec));
  EXPECT_LT(net.now() - begin, 100 * kMs);
  EXPECT_EQ(stale.error(), ATCP_ERR_RESET);
  EXPECT_EQ(server.counter("TCPSYNChallenge"), 1u);
  accept();
}

TEST_F(OpeningPair, CloseWaitThatNobodyClosesDoesNotBlockItsTuple) {
  // A program that forgets its sockets: the client closed long ago and comes again from the same port.
  Sock old = client.connect(server.addr(), kHttp, 5000);
  net.run(100 * kMs);
  Sock forgotten = accept();
  old.close();
  net.run(100 * kSec);  // FIN_WAIT_2 of the client is over
  ASSERT_EQ(forgotten.state(), static_cast<uint32_t>(ATCP_STATE_CLOSE_WAIT));
  Sock c = client.connect(server.addr(), kHttp, 5000);
  const uint64_t begin = net.now();
  ASSERT_TRUE(net.run_until([&] { return c.state() == ATCP_STATE_ESTABLISHED; }, 5 * kSec));
  EXPECT_LT(net.now() - begin, 100 * kMs);
  EXPECT_EQ(forgotten.error(), ATCP_ERR_PIPE);
  accept();
}

TEST_F(OpeningPair, OtherPortLeavesTheStaleConnectionAlone) {
  Sock old = client.connect(server.addr(), kHttp, 5000);
  net.run(100 * kMs);
  Sock stale = accept();
  vanish(old);
  client.connect(server.addr(), kHttp, 5001);
  net.run(100 * kMs);
  accept();
  net.run(3600 * kSec);
  EXPECT_EQ(stale.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  stale.send("still there?");
  net.run(1 * kSec);
  EXPECT_EQ(stale.error(), ATCP_ERR_RESET);
}

TEST_F(OpeningPair, RestartedServerResetsWhatItForgot) {
  Sock c = client.connect(server.addr(), kHttp, 5000);
  net.run(100 * kMs);
  Sock s = accept();
  cut(true);
  s.abort(ATCP_REASON_ABORT_BY_USER);
  net.run(100 * kMs);
  cut(false);
  EXPECT_EQ(c.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  c.send("hello?");
  net.run(100 * kMs);
  EXPECT_EQ(c.error(), ATCP_ERR_RESET);
}

// ---- the accept queue --------------------------------------------------------------------------

TEST_F(OpeningPair, RefusedClientGetsInOnceThereIsRoom) {
  Sock small = server.socket();
  listener.close();
  ASSERT_EQ(server.try_listen(small, kHttp, 0), ATCP_OK);
  Sock first = client.connect(server.addr(), kHttp);
  net.run(100 * kMs);
  Sock second = client.connect(server.addr(), kHttp);
  net.run(2500 * kMs);
  EXPECT_EQ(first.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_EQ(second.state(), static_cast<uint32_t>(ATCP_STATE_SYN_SENT));
  EXPECT_EQ(server.counter("ListenOverflows"), 2u);  // SYNs at 0 and 1 s
  EXPECT_EQ(server.counter("ListenDrops"), 2u);
  ASSERT_TRUE(small.accept().has_value());
  net.run(1 * kSec);  // the SYN of the third second
  EXPECT_EQ(second.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_TRUE(small.accept().has_value());
}

TEST_F(OpeningPair, ClientOfAFullQueueStaysInFinWait1) {
  // The third ACK did not count, so neither does the FIN: it is never acknowledged, and there is no FIN_WAIT_2.
  server.set("synack_retries", "2");
  Sock small = server.socket();
  listener.close();
  ASSERT_EQ(server.try_listen(small, kHttp, 1), ATCP_OK);
  client.connect(server.addr(), kHttp);
  net.run(50 * kMs);
  // Two requests while there is room for one connection: their third ACKs are held back until both are there.
  std::vector<Emitted> held;
  bool hold = true;
  net.link(client, server).filter = [&](Emitted& e) {
    if (!hold || e.seg.flags != ATCP_ACK) return true;
    held.push_back(e);
    return false;
  };
  Sock first = client.connect(server.addr(), kHttp);
  Sock second = client.connect(server.addr(), kHttp);
  net.run(50 * kMs);
  hold = false;
  for (const Emitted& e : held)
    server.receive(e);
  EXPECT_EQ(second.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_EQ(server.reason(ATCP_REASON_ACCEPT_QUEUE_FULL_ACK), 1u);
  second.shutdown();
  for (int s = 0; s < 6; s++) {
    net.run(1 * kSec);
    EXPECT_EQ(second.state(), static_cast<uint32_t>(ATCP_STATE_FIN_WAIT1)) << s;
  }
  EXPECT_EQ(server.counter("OutRsts"), 0u);
  // The request ends without a word; it is the next FIN that is reset.
  ASSERT_TRUE(net.run_until([&] { return second.error() != ATCP_OK; }, 60 * kSec));
  EXPECT_EQ(second.error(), ATCP_ERR_RESET);
  EXPECT_EQ(server.reason(ATCP_REASON_REQUEST_TIMEOUT), 1u);
  EXPECT_EQ(first.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
}

// ---- one end, segment by segment ---------------------------------------------------------------

using Opening = RawPeerTest;

TEST_F(Opening, NeverDrainedQueueEndsWithoutReset) {
  srv.set("synack_retries", "2");
  Sock l = srv.listen(kPort, 1);
  open(4999);
  const uint32_t a = half_open(5000);
  const uint32_t b = half_open(5001);
  send({.seq = kIrs + 1, .ack = a + 1, .port = 5000});
  send({.seq = kIrs + 1, .ack = b + 1, .port = 5001});
  expect_silence();
  for (const uint64_t wait_ms : {1100, 2000}) {  // SYN-ACK at 1 s and at 3 s
    net.run(wait_ms * kMs);
    EXPECT_EQ(reply().seq, b);
    send({.seq = kIrs + 1, .ack = b + 1, .port = 5001});
    expect_silence();
  }
  net.run(10 * kSec);
  expect_silence();
  EXPECT_EQ(found(5001), ATCP_FOUND_LISTENER);
  EXPECT_EQ(srv.counter("OutRsts"), 0u);
  EXPECT_EQ(srv.counter("ListenOverflows"), 3u);
  const atcp_seg s = ask({.seq = kIrs + 1, .ack = b + 1, .data = "late", .port = 5001});
  EXPECT_EQ(s.flags, ATCP_RST);
  EXPECT_EQ(s.seq, b + 1);
  expect_balanced(l);
}

TEST_F(Opening, WrongAckOfOurSynIsResetAndTheSynComesAgainSoon) {
  Sock s = srv.socket();
  ASSERT_EQ(srv.try_connect(s, ip4(10, 0, 0, 2), 5000, kPort), ATCP_OK);
  const uint32_t iss = reply().seq;
  const atcp_seg rst = ask({.flags = ATCP_SYN | ATCP_ACK, .seq = kIrs, .ack = iss + 1000});
  EXPECT_EQ(rst.flags, ATCP_RST);
  EXPECT_EQ(rst.seq, iss + 1000);
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_SYN_SENT));
  EXPECT_EQ(srv.reason(ATCP_REASON_SYNSENT_ACK_BAD), 1u);
  net.run(20 * kMs);  // not a second later
  const atcp_seg again = reply();
  EXPECT_EQ(again.flags, ATCP_SYN);
  EXPECT_EQ(again.seq, iss);
  send({.flags = ATCP_SYN | ATCP_ACK, .seq = kIrs, .ack = iss + 1, .mss = 1460});
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
}

TEST_F(Opening, BareAckInSynSentIsResetToo) {
  // What a half-dead peer's challenge ACK looks like.
  Sock s = srv.socket();
  ASSERT_EQ(srv.try_connect(s, ip4(10, 0, 0, 2), 5000, kPort), ATCP_OK);
  const uint32_t iss = reply().seq;
  const atcp_seg rst = ask({.seq = 777, .ack = iss - 5000});
  EXPECT_EQ(rst.flags, ATCP_RST);
  EXPECT_EQ(rst.seq, iss - 5000);
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_SYN_SENT));
}

TEST_F(Opening, HalfOfTheRequestsIsKeptUnderPressure) {
  // 30 requests where 32 + 1 may be: more than half full, so the old ones get fewer retries.
  srv.set("syncookies", "0");
  Sock l = srv.listen(kPort, 32);
  for (uint16_t p = 5000; p < 5030; p++)
    half_open(p);
  EXPECT_EQ(ledger(l).requests, 30u);
  net.run(10 * kSec);
  EXPECT_EQ(ledger(l).requests, 16u);
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_EVICTED), 14u);
  net.run(60 * kSec);
  EXPECT_EQ(ledger(l).requests, 0u);
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_TIMEOUT), 16u);
}

TEST_F(Opening, QueueHoldsBacklogPlusOneWhateverTheOldFormulaSays) {
  // min(backlog, somaxconn, max_syn_backlog), at least 8, plus 1, rounded up to a power of two: 16 for a backlog of 5.
  srv.set("syncookies", "0");
  for (const uint32_t backlog : {0u, 1u, 5u, 8u, 100u}) {
    Sock l = srv.listen(kPort, backlog);
    uint32_t answered = 0;
    for (uint16_t p = 5000; p < 5120; p++) {
      send(syn(p));
      answered += !replies.empty();
    }
    EXPECT_EQ(answered, backlog + 1);
    EXPECT_EQ(ledger(l).requests, backlog + 1);
    expect_balanced(l);
    l.close();
  }
}

TEST_F(Opening, InitialSequenceNumbersRiseWithTimeAndDifferPerTuple) {
  srv.listen(kPort);
  srv.set("synack_retries", "0");
  std::set<uint32_t> of_tuples;
  for (uint16_t p = 5000; p < 5064; p++)
    of_tuples.insert(half_open(p) >> 16);
  EXPECT_GT(of_tuples.size(), 48u);
  uint32_t last = half_open(6000);
  for (int i = 0; i < 20; i++) {
    net.run(2 * kSec);  // the request is gone
    const uint32_t iss = half_open(6000);
    // RFC 6528: a clock of 64 ns, so 2 s are 31 millions.
    EXPECT_NEAR(iss - last, 2 * kSec / 64, 1000);
    last = iss;
  }
}

TEST_F(Opening, FloodOfOneTupleMakesOneRequest) {
  Sock l = srv.listen(kPort);
  srv.set("invalid_ratelimit", "500");
  const uint32_t iss = half_open();
  uint32_t answers = 0;
  for (int i = 0; i < 1000; i++) {
    send(syn());
    for (const Emitted& e : replies) {
      EXPECT_EQ(e.seg.seq, iss);
      answers++;
    }
    net.run(1 * kMs);
  }
  EXPECT_LE(answers, 4u);  // two repetitions allowed, and the timer's
  EXPECT_EQ(ledger(l).requests, 1u);
  EXPECT_EQ(ledger(l).syn_dups, 1000u);
  expect_balanced(l);
}

}  // namespace
}  // namespace atcp::test
