// SPDX-License-Identifier: GPL-2.0
//
// Requirements of RFC 9293 that no other test shows by itself: sizes of segments, pushes, a peer that shrinks its
// window, resets in odd places, advice to the route. docs/conformance/rfc9293.tsv says which test stands for which.
#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

constexpr uint32_t kNodelay = 1;   ///< TCP_NODELAY
constexpr uint32_t kKeepidle = 4;  ///< TCP_KEEPIDLE
constexpr int kPeerPort = 5000;

struct Rfc9293 : RawConnTest {
  /// Payload of all that left since the peer last sent.
  uint32_t bytes_out() const {
    uint32_t n = 0;
    for (const Emitted& e : replies)
      n += static_cast<uint32_t>(e.data.size());
    return n;
  }
  /// A SYN of ours to the peer, whose number it returns.
  uint32_t connect() {
    s = srv.socket();
    EXPECT_EQ(srv.try_connect(s, ip4(10, 0, 0, 2), kPeerPort, kPort), ATCP_OK);
    return reply().seq;
  }
};

// ---- windows and sizes (3.1, 3.7.1, 3.8.6) -------------------------------------------------------

TEST_F(Rfc9293, WindowWithItsTopBitSetIsLarge) {
  for (const uint16_t w : {uint16_t{0x7fff}, uint16_t{0x8000}, uint16_t{0xffff}}) {
    SCOPED_TRACE(w);
    open_with({.wnd = w});
    s.tcb().cc.cwnd = 1000;
    s.conn().sndbuf = 1 << 20;
    s.send(std::string(100000, 'x'));
    EXPECT_EQ(bytes_out(), w / kMss * kMss);
    s.close(true);
    listener.close();
    replies.clear();
  }
}

TEST_F(Rfc9293, SegmentsFitPeerPathAndOptions) {
  const uint32_t least = net.family == ATCP_AF_INET6 ? 1220 : 536;
  const struct {
    uint16_t announced;  ///< 0: no option
    bool ts;
    uint32_t mss;
  } rows[] = {
      {0, false, least},   {0, true, least - 12}, {500, false, 500},   {500, true, 488},
      {1460, false, 1460}, {1460, true, 1448},    {9000, false, 1460},  // the route has 1500
      {65535, true, 1448}};
  for (const auto& row : rows) {
    SCOPED_TRACE(testing::Message() << row.announced << (row.ts ? " with timestamps" : ""));
    open_with({.ts = row.ts, .mss = row.announced});
    EXPECT_EQ(s.tcb().mss, row.mss);
    s.send(std::string(5 * row.mss, 'x'));
    ASSERT_FALSE(replies.empty());
    for (const Emitted& e : replies)
      EXPECT_TRUE(e.mss == row.mss || e.data.size() <= row.mss) << e.text;
    s.close(true);
    listener.close();
    replies.clear();
  }
}

TEST_F(Rfc9293, PushIsOnTheSegmentThatEmptiesTheQueue) {
  open_with({.wnd = 2 * kMss + 10});
  s.send(std::string(2 * kMss + kMss / 2, 'x'));
  ASSERT_EQ(bytes_out(), 2 * kMss);
  for (const Emitted& e : replies)
    EXPECT_EQ(e.seg.flags & ATCP_PSH, 0) << e.text;
  ack_segs(2);
  ASSERT_EQ(bytes_out(), kMss / 2);
  EXPECT_NE(reply().flags & ATCP_PSH, 0);
}

TEST_F(Rfc9293, SmallWritesBecomeFullSegments) {
  open_with({});
  for (int i = 0; i < 20; i++)
    s.send(std::string(100, 'x'));
  // The first goes alone; the others wait for its ACK and leave together, cut into full segments.
  ASSERT_EQ(replies.size(), 1u) << texts();
  EXPECT_EQ(replies[0].data.size(), 100u);
  send(segment(0, 100));
  ASSERT_EQ(replies.size(), 1u) << texts();
  EXPECT_EQ(replies[0].data.size(), 1900u);
  EXPECT_EQ(replies[0].mss, kMss);
}

TEST_F(Rfc9293, NodelayHoldsNothingBack) {
  open_with({});
  EXPECT_EQ(s.set_option(kNodelay, 1), ATCP_OK);
  for (int i = 0; i < 3; i++)
    s.send("x");
  EXPECT_EQ(replies.size(), 3u);
  // Another socket of the same listener has not asked for it.
  replies.clear();
  const uint32_t other = open(5001);
  Sock o = *listener.accept();
  for (int i = 0; i < 3; i++)
    o.send("x");
  EXPECT_EQ(replies.size(), 1u);
  send({.seq = kIrs + 1, .ack = other + 2, .port = 5001});
  EXPECT_EQ(replies.size(), 1u);
}

TEST_F(Rfc9293, PeerThatShrinksItsWindow) {
  open_with({.sack = false});
  write_segs(10);
  ASSERT_EQ(segs_out().size(), 10u);
  // Two are there, and of 41 segments' window three are left: five are out beyond the edge.
  wnd = 3 * kMss;
  ack_segs(2);
  s.send(std::string(5 * kMss, 'n'));
  EXPECT_EQ(bytes_out(), 0u);  // SHLD-15: nothing new
  net.run(s.tcb().rto_us() * kUs);
  EXPECT_EQ(segs_out(), Segs{2});  // SHLD-16: what is inside is sent again
  net.run(20 * kMs);
  wnd = 2 * kMss;
  ack_segs(3);
  EXPECT_EQ(segs_out(), (Segs{3, 4}));
  net.run(20 * kMs);
  // MUST-35, SHLD-17: to nothing, for hours. The peer answers each probe; what it takes of them is nothing.
  wnd = 0;
  ack_segs(5);
  replies.clear();
  size_t probes = 0;
  for (int i = 0; i < 240; i++) {
    net.run(60 * kSec);
    for (const Emitted& e : replies) {
      EXPECT_LE(e.seg.seq - at(0), 5 * kMss) << e.text;
      EXPECT_LE(e.data.size(), kMss) << e.text;
    }
    probes += replies.size();
    ack_segs(5);
  }
  EXPECT_GE(probes, 100u);
  ASSERT_EQ(s.state(), ATCP_STATE_ESTABLISHED);
  // Open again: all of it arrives.
  wnd = 60000;
  uint32_t got = 5 * kMss;
  for (int i = 0; i < 100 && got < 15 * kMss; i++) {
    send(segment(0, got));
    for (const Emitted& e : replies)
      if (e.seg.seq == at(got)) got += static_cast<uint32_t>(e.data.size());
    net.run(10 * kSec);
    for (const Emitted& e : replies)
      if (e.seg.seq == at(got)) got += static_cast<uint32_t>(e.data.size());
  }
  EXPECT_EQ(got, 15 * kMss);
}

TEST_F(Rfc9293, OldSegmentDoesNotSetTheWindow) {
  open_with({});
  peer(0, 0, "old");
  wnd = 50000;
  peer(3, 0, "new");
  ASSERT_EQ(s.tcb().snd_wnd, 50000u);
  wnd = 10000;
  peer(0, 0, "old");  // it was late
  EXPECT_EQ(s.tcb().snd_wnd, 50000u);
  wnd = 20000;
  peer(6, 0);
  EXPECT_EQ(s.tcb().snd_wnd, 20000u);
  // Deviation: of a segment with the same number as the last only a larger window counts, or none at all.
  wnd = 15000;
  peer(6, 0);
  EXPECT_EQ(s.tcb().snd_wnd, 20000u);
  wnd = 25000;
  peer(6, 0);
  EXPECT_EQ(s.tcb().snd_wnd, 25000u);
  wnd = 0;
  peer(6, 0);
  EXPECT_EQ(s.tcb().snd_wnd, 0u);
}

TEST_F(Rfc9293, ClosedWindowIsProbedAfterOneTimeoutThenMoreSlowly) {
  open_with({.wnd = 0});
  std::vector<uint64_t> times;
  srv.os().wire = [&](Emitted&& e) {
    EXPECT_EQ(e.data.size(), 0u) << e.text;
    times.push_back(net.now());
  };
  const uint64_t begin = net.now();
  const uint64_t rto = s.tcb().rto_us() * kUs;
  s.send("held back");
  net.run(40 * rto);
  ASSERT_GE(times.size(), 5u);
  EXPECT_EQ(times[0] - begin, rto);
  for (size_t i = 1; i < 5; i++)
    EXPECT_EQ(times[i] - times[i - 1], rto << i) << i;
  srv.os().wire = [this](Emitted&& e) { replies.push_back(std::move(e)); };
}

// ---- resets and SYNs (3.5) ----------------------------------------------------------------------

TEST_F(Rfc9293, ResetMayCarryData) {
  open_with({});
  Out o = segment(0, 0, "sorry");
  o.flags = ATCP_RST | ATCP_ACK;
  send(o);
  expect_silence();
  EXPECT_EQ(s.error(), ATCP_ERR_RESET);
  EXPECT_EQ(s.readable(), 0u);
}

TEST_F(Rfc9293, ResetCountsAtAClosedWindow) {
  open_with({});
  uint32_t sent = 0;
  for (int i = 0; i < 400 && s.tcb().receive_window() > 0; i++) {
    const std::string d(std::min(s.tcb().receive_window(), kMss), 'd');
    peer(sent, 0, d);
    sent += static_cast<uint32_t>(d.size());
    net.run(300 * kMs);
  }
  ASSERT_EQ(s.tcb().receive_window(), 0u);
  Out o = segment(sent, 0);
  o.flags = ATCP_RST;
  send(o);
  EXPECT_EQ(s.error(), ATCP_ERR_RESET);
}

TEST_F(Rfc9293, ResetOfACrossedSynIsARefusal) {
  const uint32_t iss_out = connect();
  const atcp_seg both = ask(syn());
  ASSERT_EQ(both.flags, ATCP_SYN | ATCP_ACK);
  EXPECT_EQ(both.seq, iss_out);  // 3.10.7.3: the same number again
  ASSERT_EQ(s.state(), ATCP_STATE_SYN_RECEIVED);
  send({.flags = ATCP_RST, .seq = kIrs + 1});
  EXPECT_EQ(s.error(), ATCP_ERR_REFUSED);
  EXPECT_EQ(s.state(), ATCP_STATE_CLOSED);
}

TEST_F(Rfc9293, ResetInSynSentMustAcknowledgeTheSyn) {
  const uint32_t iss_out = connect();
  send({.flags = ATCP_RST, .seq = 0});
  send({.flags = ATCP_RST | ATCP_ACK, .seq = 0, .ack = iss_out});
  send({.flags = ATCP_RST | ATCP_ACK, .seq = 0, .ack = iss_out + 2});
  expect_silence();
  EXPECT_EQ(s.state(), ATCP_STATE_SYN_SENT);
  EXPECT_EQ(srv.reason(ATCP_REASON_SYNSENT_RST_IGNORED), 3u);
  send({.flags = ATCP_RST | ATCP_ACK, .seq = 0, .ack = iss_out + 1});
  EXPECT_EQ(s.error(), ATCP_ERR_REFUSED);
}

TEST_F(Rfc9293, FinAndTextInSynSentAreNothing) {
  const uint32_t iss_out = connect();
  send({.flags = ATCP_FIN | ATCP_ACK, .seq = kIrs, .ack = iss_out + 1, .data = "early"});
  expect_silence();
  EXPECT_EQ(s.state(), ATCP_STATE_SYN_SENT);
  EXPECT_EQ(srv.reason(ATCP_REASON_SYNSENT_NO_SYN), 1u);
}

TEST_F(Rfc9293, ListenBesideAnAttemptFromTheSamePort) {
  s = srv.socket();
  atcp_tuple t = tuple();
  net.os.lock(s.conn());
  EXPECT_EQ(atcp_core_bind(&s.conn().conn, t.family, &t.laddr, &t.lport,
                           ATCP_BIND_EXPLICIT_PORT | ATCP_BIND_REUSEADDR, 0),
            ATCP_OK);
  s.conn().tuple = t;
  EXPECT_EQ(atcp_core_connect(&s.conn().conn, &t, false, net.now()), ATCP_OK);
  net.os.unlock(s.conn());
  ASSERT_EQ(s.state(), ATCP_STATE_SYN_SENT);
  const uint32_t iss_out = reply().seq;
  listener = srv.socket();
  EXPECT_EQ(srv.try_listen(listener, kPort, 5, ATCP_BIND_REUSEADDR), ATCP_OK);
  // Each goes its own way: another peer's SYN to the listener, the SYN-ACK to the attempt.
  half_open(5001);
  send({.flags = ATCP_SYN | ATCP_ACK, .seq = kIrs, .ack = iss_out + 1, .mss = 1460});
  EXPECT_EQ(s.state(), ATCP_STATE_ESTABLISHED);
}

// ---- giving up, keeping alive (3.8.3, 3.8.4) -----------------------------------------------------

TEST_F(Rfc9293, RouteIsSuspectFromTheThirdRetransmissionOn) {
  srv.set("early_retrans", "0");
  open_with({});
  s.send("x");
  for (int i = 0; i < 1000 && s.conn().route_suspects == 0; i++)
    net.run(100 * kMs);
  EXPECT_GE(s.info().total_retrans, 3u);
  EXPECT_LE(s.info().total_retrans, 4u);
  EXPECT_EQ(s.error(), ATCP_OK);
  // R2 is much later: 15 retransmissions' time.
  net.run(900 * kSec);
  EXPECT_EQ(s.error(), ATCP_OK);
  net.run(300 * kSec);
  EXPECT_EQ(s.error(), ATCP_ERR_TIMED_OUT);
}

TEST_F(Rfc9293, KeepaliveWaitsWhileSomethingIsUnacknowledged) {
  open_with({});
  s.set_keepalive(true);
  EXPECT_EQ(s.set_option(kKeepidle, 10), ATCP_OK);
  s.send("x");
  net.run(60 * kSec);
  EXPECT_EQ(srv.counter("TCPKeepAlive"), 0u);
  EXPECT_GT(s.info().total_retrans, 3u);
  const uint64_t heard = net.now();
  send(segment(0, 1));
  net.run(9900 * kMs);
  EXPECT_EQ(srv.counter("TCPKeepAlive"), 0u);
  ASSERT_TRUE(net.run_until([&] { return srv.counter("TCPKeepAlive") == 1; }, kSec));
  EXPECT_GE(net.now() - heard, 10 * kSec);
}

// ---- order and aggregation (3.10.7.4) --------------------------------------------------------------

TEST_F(Rfc9293, TextAfterTheFinIsNotDelivered) {
  open_with({});
  Out fin = segment(0, 0, "last");
  fin.flags |= ATCP_FIN;
  send(fin);
  EXPECT_EQ(s.state(), ATCP_STATE_CLOSE_WAIT);
  net.run(200 * kMs);  // the ACK waits a moment for a FIN of ours to ride on
  EXPECT_EQ(reply().ack, theirs(5));
  EXPECT_EQ(ask(segment(5, 0, "more")).ack, theirs(5));
  EXPECT_EQ(ask(fin).ack, theirs(5));
  EXPECT_EQ(s.recv_text(), "last");
  s.close();
  replies.clear();
  EXPECT_EQ(s.state(), ATCP_STATE_LAST_ACK);
  EXPECT_EQ(ask(segment(5, 0, "more")).ack, theirs(5));
}

TEST_F(Rfc9293, OutOfOrderSegmentIsAcknowledgedAtOnce) {
  open_with({.sack = false});
  for (int i = 1; i <= 3; i++) {
    const atcp_seg a = ask(segment(i * 100u, 0, std::string(100, 'o')));
    EXPECT_EQ(a.ack, theirs(0)) << i;
  }
  EXPECT_EQ(ask(segment(0, 0, std::string(100, 'o'))).ack, theirs(400));
  EXPECT_EQ(s.readable(), 400u);
}

}  // namespace
}  // namespace atcp::test
