// SPDX-License-Identifier: GPL-2.0
//
// Fast open between two hosts: the first connection fetches a cookie, later ones carry data on the SYN; and
// everything that may go wrong with that, after which the data arrives all the same.
#include "conn/fastopen.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

#include "conn/tcb.h"
#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

constexpr uint16_t kPort = 80;
constexpr uint32_t kFastopenOption = 23;
constexpr uint32_t kConnectOption = 30;
constexpr uint32_t kNoCookieOption = 34;

class FastopenTest : public ::testing::Test {
 protected:
  FastopenTest()
      : cli(net.add_host("cli", ip4(10, 0, 0, 2))), srv(net.add_host("srv", ip4(10, 0, 0, 1))) {
    cli.set("fastopen", "1");
    srv.set("fastopen", "2");
    l = srv.listen(kPort);
    EXPECT_EQ(l.set_option(kFastopenOption, 5), ATCP_OK);
    net.link(cli, srv).filter = [this](Emitted& e) {
      if ((e.seg.flags & ATCP_SYN) != 0) syns.push_back(e.seg);
      return true;
    };
  }
  /// The client's first connection, which fetches the cookie.
  void fetch() {
    Sock s = cli.fastopen(srv.addr(), kPort, "");
    net.run(kSec);
    ASSERT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
    Sock c = *l.accept();
    s.close();
    net.run(kSec);
    c.close();
    net.run(kSec);
    syns.clear();
  }
  /// What the server's program reads of the one connection there is.
  std::string served() {
    std::optional<Sock> c = l.accept();
    if (!c) return "nobody";
    accepted = *c;
    return c->recv_text();
  }
  /// fetch() and then a connection with data; the client's socket.
  Sock with_data(const std::string& text) {
    fetch();
    return cli.fastopen(srv.addr(), kPort, text);
  }

  FakeNet net;
  Host& cli;
  Host& srv;
  Sock l;
  Sock accepted;
  std::vector<atcp_seg> syns;
};

TEST_F(FastopenTest, FirstConnectionFetchesACookie) {
  Sock s = cli.fastopen(srv.addr(), kPort, "not yet");
  EXPECT_EQ(cli.counter("TCPFastOpenActive"), 0u);
  net.run(kSec);
  ASSERT_EQ(syns.size(), 1u);
  EXPECT_NE(syns[0].has & ATCP_OPT_FASTOPEN, 0);
  EXPECT_EQ(syns[0].fastopen.len, 0);
  EXPECT_EQ(syns[0].len, 0u);
  EXPECT_EQ(srv.counter("TCPFastOpenCookieReqd"), 1u);
  FastopenCache::Entry e = {};
  const Fastopen& f = cli.ns().fastopen;
  ASSERT_TRUE(f.cache.get(f.cache_key, tuple_of(s.tcb()), &e));
  EXPECT_EQ(e.cookie.len, 8);
  EXPECT_EQ(e.mss, 1460);
}

TEST_F(FastopenTest, DataIsServedBeforeTheHandshakeIsComplete) {
  Sock s = with_data("hello");
  EXPECT_EQ(cli.counter("TCPFastOpenActive"), 1u);
  net.run(11 * kMs);  // the SYN has arrived, nothing has come back
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_SYN_SENT));
  EXPECT_EQ(served(), "hello");
  EXPECT_EQ(accepted.state(), static_cast<uint32_t>(ATCP_STATE_SYN_RECEIVED));
  accepted.send("world");  // and is answered
  net.run(11 * kMs);
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_EQ(s.recv_text(), "world");
  net.run(kSec);
  EXPECT_EQ(accepted.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_EQ(srv.counter("TCPFastOpenPassive"), 1u);
  EXPECT_EQ(cli.counter("TCPFastOpenActiveFail"), 0u);
  EXPECT_EQ(cli.counter("RetransSegs") + srv.counter("RetransSegs"), 0u);
  EXPECT_NE(s.info().syn_data, 0u);
  EXPECT_NE(accepted.info().syn_data, 0u);
  EXPECT_EQ(l.tcb().fastopen_queue->pending, 0u);
}

TEST_F(FastopenTest, IcmpEndsWhatWaitsToBeAccepted) {
  with_data("hello");
  net.run(11 * kMs);
  Sock child(&srv, &FakeConn::of(l.tcb().listener->head->conn()));
  ASSERT_EQ(child.state(), static_cast<uint32_t>(ATCP_STATE_SYN_RECEIVED));
  EXPECT_TRUE(atcp_core_icmp_ends(&child.conn().conn));
  child.icmp(ATCP_ICMP_HOST_UNREACH, child.info().snd_una);
  EXPECT_EQ(child.state(), static_cast<uint32_t>(ATCP_STATE_CLOSED));
  EXPECT_EQ(child.error(), ATCP_ERR_HOST_UNREACH);
}

TEST_F(FastopenTest, IcmpIsSoftOnceAccepted) {
  Sock s = with_data("hello");
  net.run(11 * kMs);
  EXPECT_EQ(served(), "hello");
  ASSERT_EQ(accepted.state(), static_cast<uint32_t>(ATCP_STATE_SYN_RECEIVED));
  EXPECT_FALSE(atcp_core_icmp_ends(&accepted.conn().conn));
  accepted.icmp(ATCP_ICMP_HOST_UNREACH, accepted.info().snd_una);
  EXPECT_EQ(accepted.state(), static_cast<uint32_t>(ATCP_STATE_SYN_RECEIVED));
  EXPECT_EQ(accepted.error(), ATCP_OK);
  EXPECT_EQ(accepted.conn().soft_error, ATCP_ERR_HOST_UNREACH);
  accepted.send("world");
  net.run(kSec);
  EXPECT_EQ(s.recv_text(), "world");
  EXPECT_EQ(accepted.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
}

TEST_F(FastopenTest, EarlyShutdownIsDeliveredBehindTheAnswer) {
  Sock s = with_data("hello");
  net.run(11 * kMs);
  ASSERT_EQ(served(), "hello");
  EXPECT_EQ(accepted.send("world"), 5u);
  accepted.shutdown();
  ASSERT_EQ(accepted.state(), static_cast<uint32_t>(ATCP_STATE_SYN_RECEIVED));
  // What has to be read is still to be had, and poll asks this function about it.
  EXPECT_TRUE(atcp_core_can_send(&accepted.conn().conn));
  net.run(kSec);
  EXPECT_EQ(s.recv_text(), "world");
  EXPECT_TRUE(s.eof());
  s.shutdown();
  net.run(kSec);
  EXPECT_TRUE(accepted.eof());
  EXPECT_EQ(accepted.state(), static_cast<uint32_t>(ATCP_STATE_CLOSED));
}

TEST_F(FastopenTest, EarlyAnswerIsWithinTheInitialWindow) {
  with_data("hello");
  net.run(11 * kMs);
  ASSERT_EQ(served(), "hello");
  ASSERT_EQ(accepted.state(), static_cast<uint32_t>(ATCP_STATE_SYN_RECEIVED));
  accepted.conn().sndbuf = 1 << 20;
  accepted.send(std::string(50000, 'a'));
  EXPECT_EQ(accepted.info().data_segs_out, 10u);  // RFC 7413 4.2.2
}

TEST_F(FastopenTest, MoreThanOneSegmentFollows) {
  fetch();
  const std::string text(20000, 'x');
  cli.fastopen(srv.addr(), kPort, text);
  net.run(11 * kMs);
  ASSERT_EQ(syns.size(), 1u);
  // The option takes 12 bytes, timestamps 12, window scale and MSS 4 each.
  EXPECT_EQ(syns[0].len, 1460u - 32);
  net.run(kSec);
  EXPECT_EQ(served(), text);
}

TEST_F(FastopenTest, NumbersMayWrap) {
  fetch();
  atcp_tuple t = hosts(cli.addr(), srv.addr());
  t.lport = to_be16(7000);
  t.rport = to_be16(kPort);
  cli.steer_isn(t, net.now());
  Sock s = cli.socket();
  ASSERT_EQ(cli.try_connect(s, srv.addr(), kPort, 7000, true), ATCP_OK);
  s.send(std::string(3000, 'y'));
  net.run(kSec);
  ASSERT_EQ(syns.size(), 1u);
  EXPECT_GE(syns[0].seq, 0xffff0000u);
  EXPECT_EQ(served(), std::string(3000, 'y'));
  EXPECT_EQ(cli.counter("TCPFastOpenActiveFail"), 0u);
}

TEST_F(FastopenTest, ServerThatDoesNotTakeItGetsItLater) {
  fetch();
  srv.set("fastopen", "0");
  Sock s = cli.fastopen(srv.addr(), kPort, "hello");
  net.run(kSec);
  EXPECT_EQ(syns.size(), 1u);
  EXPECT_EQ(syns[0].len, 5u);
  EXPECT_EQ(served(), "hello");
  EXPECT_EQ(cli.counter("TCPFastOpenActiveFail"), 1u);
  EXPECT_EQ(cli.counter("RetransSegs"), 0u);
  EXPECT_EQ(s.info().syn_data, 0u);
  EXPECT_EQ(s.info().bytes_acked, 6u);
}

TEST_F(FastopenTest, WrongCookieIsReplaced) {
  fetch();
  srv.ns().fastopen.server_keys.key[0].k[0] ^= 1;
  cli.fastopen(srv.addr(), kPort, "hello");
  net.run(kSec);
  EXPECT_EQ(served(), "hello");
  EXPECT_EQ(srv.counter("TCPFastOpenPassiveFail"), 1u);
  EXPECT_EQ(srv.counter("TCPFastOpenPassive"), 0u);
  cli.fastopen(srv.addr(), kPort, "again");
  net.run(kSec);
  EXPECT_EQ(served(), "again");
  EXPECT_EQ(srv.counter("TCPFastOpenPassive"), 1u);
}

TEST_F(FastopenTest, LostSynGoesAgainWithoutIt) {
  fetch();
  net.link(cli, srv).drop_mask = 1;
  Sock s = cli.fastopen(srv.addr(), kPort, "hello");
  net.run(3 * kSec);
  ASSERT_EQ(syns.size(), 1u);
  EXPECT_EQ(syns[0].len, 0u);
  EXPECT_EQ(syns[0].has & ATCP_OPT_FASTOPEN, 0);
  EXPECT_EQ(served(), "hello");
  EXPECT_EQ(cli.counter("TCPFastOpenActiveFail"), 1u);
  // And is not tried again before there is a new cookie.
  FastopenCache::Entry e = {};
  const Fastopen& f = cli.ns().fastopen;
  EXPECT_FALSE(f.cache.get(f.cache_key, tuple_of(s.tcb()), &e));
}

TEST_F(FastopenTest, LostSynAckComesAgainAndAcknowledgesTheData) {
  fetch();
  net.link(srv, cli).drop_mask = 1;
  Sock s = cli.fastopen(srv.addr(), kPort, "hello");
  net.run(11 * kMs);
  EXPECT_EQ(served(), "hello");
  net.run(3 * kSec);
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_EQ(accepted.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_EQ(accepted.recv_text(), "");  // not twice
  EXPECT_EQ(s.info().notsent_bytes, 0u);
  EXPECT_EQ(s.info().snd_una, s.info().write_seq);
  EXPECT_NE(s.info().syn_data, 0u);
}

TEST_F(FastopenTest, AnswerAndSynAckLostBothComeAgain) {
  fetch();
  net.link(srv, cli).drop_mask = 3;
  Sock s = cli.fastopen(srv.addr(), kPort, "hello");
  net.run(11 * kMs);
  EXPECT_EQ(served(), "hello");
  accepted.send("world");
  net.run(5 * kSec);
  EXPECT_EQ(s.recv_text(), "world");
  EXPECT_EQ(accepted.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_EQ(accepted.info().snd_una, accepted.info().write_seq);
}

TEST_F(FastopenTest, ServerMayCloseBeforeTheHandshakeIsComplete) {
  Sock s = with_data("hello");
  net.run(11 * kMs);
  EXPECT_EQ(served(), "hello");
  accepted.send("bye");
  accepted.close();
  net.run(kSec);
  EXPECT_EQ(s.recv_text(), "bye");
  EXPECT_TRUE(s.eof());
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_CLOSE_WAIT));
  s.close();
  net.run(kSec);
  EXPECT_FALSE(accepted.exists());
}

TEST_F(FastopenTest, ServerWhoseSynAckIsNeverHeardGivesUp) {
  fetch();
  net.link(srv, cli).loss_permille = 1000;
  cli.fastopen(srv.addr(), kPort, "hello");
  net.run(11 * kMs);
  EXPECT_EQ(served(), "hello");
  EXPECT_EQ(l.tcb().fastopen_queue->pending, 1u);
  net.link(cli, srv).loss_permille = 1000;
  net.run(100 * kSec);
  EXPECT_EQ(accepted.state(), static_cast<uint32_t>(ATCP_STATE_CLOSED));
  EXPECT_EQ(accepted.error(), ATCP_ERR_TIMED_OUT);
  EXPECT_EQ(l.tcb().fastopen_queue->pending, 0u);
}

TEST_F(FastopenTest, QueueIsBounded) {
  fetch();
  ASSERT_EQ(l.set_option(kFastopenOption, 1), ATCP_OK);
  net.link(srv, cli).delay_ns = kSec / 2;
  cli.fastopen(srv.addr(), kPort, "a");
  cli.fastopen(srv.addr(), kPort, "b");
  net.run(20 * kMs);
  EXPECT_EQ(srv.counter("TCPFastOpenPassive"), 1u);
  EXPECT_EQ(srv.counter("TCPFastOpenListenOverflow"), 1u);
  net.run(3 * kSec);
  EXPECT_EQ(served(), "a");
  EXPECT_EQ(served(), "b");
}

TEST_F(FastopenTest, ResetCountsForAMinute) {
  fetch();
  ASSERT_EQ(l.set_option(kFastopenOption, 1), ATCP_OK);
  Sock a = cli.fastopen(srv.addr(), kPort, "a");
  a.close(true);  // whoever forged the SYN would answer the SYN-ACK with a reset
  net.run(kSec);
  EXPECT_EQ(l.tcb().fastopen_queue->pending, 0u);
  EXPECT_EQ(l.tcb().fastopen_queue->resets, 1u);
  cli.fastopen(srv.addr(), kPort, "b");
  net.run(kSec);
  EXPECT_EQ(srv.counter("TCPFastOpenListenOverflow"), 1u);
  net.run(60 * kSec);
  cli.fastopen(srv.addr(), kPort, "c");
  net.run(kSec);
  EXPECT_EQ(srv.counter("TCPFastOpenPassive"), 2u);
}

TEST_F(FastopenTest, ConnectOptionWaitsForTheFirstWrite) {
  fetch();
  Sock s = cli.socket();
  ASSERT_EQ(s.set_option(kConnectOption, 1), ATCP_OK);
  ASSERT_EQ(cli.try_connect(s, srv.addr(), kPort), ATCP_OK);
  net.run(kSec);
  EXPECT_TRUE(syns.empty());
  s.send("hello");
  net.run(kSec);
  ASSERT_EQ(syns.size(), 1u);
  EXPECT_EQ(syns[0].len, 5u);
  EXPECT_EQ(served(), "hello");
}

TEST_F(FastopenTest, ConnectOptionWithoutCookieAsksForOne) {
  Sock s = cli.socket();
  ASSERT_EQ(s.set_option(kConnectOption, 1), ATCP_OK);
  ASSERT_EQ(cli.try_connect(s, srv.addr(), kPort), ATCP_OK);
  net.run(kSec);
  ASSERT_EQ(syns.size(), 1u);
  EXPECT_NE(syns[0].has & ATCP_OPT_FASTOPEN, 0);
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
}

TEST_F(FastopenTest, HeldConnectionCanBeClosed) {
  fetch();
  Sock s = cli.socket();
  ASSERT_EQ(cli.try_connect(s, srv.addr(), kPort, 0, true), ATCP_OK);
  s.close();
  net.run(kSec);
  EXPECT_TRUE(syns.empty());
  EXPECT_FALSE(s.exists());
}

TEST_F(FastopenTest, HeldConnectionCanBeAbortedAndIsHeldNoMore) {
  fetch();
  Sock s = cli.socket();
  ASSERT_EQ(s.set_option(kConnectOption, 1), ATCP_OK);
  ASSERT_EQ(cli.try_connect(s, srv.addr(), kPort), ATCP_OK);
  EXPECT_TRUE(atcp_core_syn_held(&s.conn().conn));
  s.abort(ATCP_REASON_ABORT_BY_USER);
  EXPECT_FALSE(atcp_core_syn_held(&s.conn().conn));
  EXPECT_FALSE(s.tcb().syn_held);
}

TEST_F(FastopenTest, SynAckThatTakesAPartAndSacksTheRest) {
  for (const uint32_t len : {5u, 1000u}) {
    const uint16_t mss = len > 5 ? 88 : 1460;
    srv.set("fastopen", "2");
    fetch();
    srv.set("fastopen", "0");
    // Two bytes are taken, and the peer says that it has others, or all.
    net.link(srv, cli).filter = [&](Emitted& e) {
      if ((e.seg.flags & ATCP_SYN) == 0) return false;
      Header h;
      h.lport = e.tuple.lport;
      h.rport = e.tuple.rport;
      h.flags = ATCP_SYN | ATCP_ACK;
      h.seq = Seq(e.seg.seq);
      h.ack = Seq(e.seg.ack + 2);
      h.wnd = 60000;
      h.mss = mss;
      h.sack_ok = true;
      h.n_sack = 1;
      h.sack[0] = {Seq(e.seg.ack), Seq(e.seg.ack + (len > 5 ? 400 : len))};
      uint8_t bytes[kMaxHeader];
      e.hdr.assign(bytes, bytes + write_header(h, bytes));
      return true;
    };
    Sock s = cli.fastopen(srv.addr(), kPort, std::string(len, 'z'));
    net.run(30 * kMs);
    ASSERT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
    const Tcb& t = s.tcb();
    EXPECT_EQ(t.sacked_out, 0u);
    EXPECT_EQ(t.packets_out, min((len - 2 + t.mss - 1) / t.mss, t.cc.cwnd));
    EXPECT_EQ(t.in_flight(), t.packets_out);
    EXPECT_TRUE(t.timers.pending(TimerId::Retransmit));
    s.close();
    net.run(1000 * kSec);
    EXPECT_FALSE(s.exists());
    net.link(srv, cli).filter = nullptr;
  }
}

TEST_F(FastopenTest, OrphanWhoseDataNeverLeavesThisHostEnds) {
  Sock s = cli.connect(srv.addr(), kPort);
  net.run(kSec);
  net.os.fail_always(Fault::Emit, true);
  s.send("never");
  s.close();
  net.run(3000 * kSec);
  net.os.fail_always(Fault::Emit, false);
  EXPECT_FALSE(s.exists());
}

TEST_F(FastopenTest, EarlyAnswerIsNotLateForTheSynAcksSake) {
  fetch();
  net.link(srv, cli).loss_permille = 1000;
  Sock s = cli.fastopen(srv.addr(), kPort, "hello");
  net.run(11 * kMs);
  EXPECT_EQ(served(), "hello");
  accepted.send("world");
  net.run(2500 * kMs);
  net.link(srv, cli).loss_permille = 0;
  net.run(600 * kMs);  // the third SYN is answered
  ASSERT_EQ(accepted.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_TRUE(accepted.tcb().timers.pending(TimerId::Retransmit));
  EXPECT_EQ(s.readable(), 0u);
  net.run(3 * kSec + 50 * kMs);  // the first timeout of RFC 6298 5.7, not the fourth of the SYN-ACK
  EXPECT_EQ(s.recv_text(), "world");
}

TEST_F(FastopenTest, NoTimerIsLeftOfTheSynAck) {
  with_data("hello");
  net.run(11 * kMs);
  EXPECT_EQ(served(), "hello");
  net.run(100 * kMs);
  ASSERT_EQ(accepted.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_FALSE(accepted.tcb().timers.pending(TimerId::Retransmit));
}

TEST(FastopenAdmit, AResetOfAMomentAheadCounts) {
  FastopenQueue q = {};
  q.most = 1;
  q.resets = 1;
  q.reset_s = 11;
  EXPECT_FALSE(fastopen_admit(&q, Now(10 * kSec)));
  EXPECT_FALSE(fastopen_admit(&q, Now(70 * kSec)));
  EXPECT_TRUE(fastopen_admit(&q, Now(71 * kSec)));
}

class FastopenPeer : public RawPeerTest {};

TEST_F(FastopenPeer, RepeatedSynIsAnsweredAtTheLimitedRate) {
  srv.set("fastopen", "514");
  srv.set("invalid_ratelimit", "500");
  Sock l = srv.listen(kPort);
  ASSERT_EQ(l.set_option(kFastopenOption, 5), ATCP_OK);
  Out o = syn();
  o.data = "hello";
  EXPECT_EQ(ask(o).ack, kIrs + 6);
  ASSERT_EQ(found(), ATCP_FOUND_CONN);
  EXPECT_EQ(ask(o).ack, kIrs + 6);
  for (int i = 0; i < 10; i++) {
    send(o);
    expect_silence();
  }
  EXPECT_EQ(srv.counter("TCPACKSkippedSynRecv"), 10u);
  net.run(501 * kMs);
  EXPECT_EQ(ask(o).ack, kIrs + 6);
  net.close_all();
}

TEST_F(FastopenTest, PlainConnectDoesNotAsk) {
  cli.connect(srv.addr(), kPort);
  net.run(kSec);
  ASSERT_EQ(syns.size(), 1u);
  EXPECT_EQ(syns[0].has & ATCP_OPT_FASTOPEN, 0);
}

TEST_F(FastopenTest, WithoutCookieByAgreement) {
  srv.set("fastopen", "514");
  Sock s = cli.socket();
  ASSERT_EQ(s.set_option(kNoCookieOption, 1), ATCP_OK);
  ASSERT_EQ(cli.try_connect(s, srv.addr(), kPort, 0, true), ATCP_OK);
  s.send("hello");
  net.run(11 * kMs);
  ASSERT_EQ(syns.size(), 1u);
  EXPECT_EQ(syns[0].has & ATCP_OPT_FASTOPEN, 0);
  EXPECT_EQ(served(), "hello");
}

TEST_F(FastopenTest, DataWithoutCookieIsNotTaken) {
  cli.set("fastopen", "5");
  cli.fastopen(srv.addr(), kPort, "hello");
  net.run(11 * kMs);
  EXPECT_EQ(served(), "nobody");
  net.run(kSec);
  EXPECT_EQ(served(), "hello");
  EXPECT_EQ(srv.counter("TCPFastOpenPassive"), 0u);
}

TEST_F(FastopenTest, ListenerThatDidNotAskGivesNoCookie) {
  srv.listen(81);
  Sock s = cli.fastopen(srv.addr(), 81, "");
  net.run(kSec);
  FastopenCache::Entry e = {};
  const Fastopen& f = cli.ns().fastopen;
  EXPECT_FALSE(f.cache.get(f.cache_key, tuple_of(s.tcb()), &e));
  EXPECT_EQ(srv.counter("TCPFastOpenCookieReqd"), 1u);
}

TEST_F(FastopenTest, EveryListenerIfTheParameterSaysSo) {
  srv.set("fastopen", "1026");
  srv.listen(81);
  cli.fastopen(srv.addr(), 81, "");
  net.run(kSec);
  cli.fastopen(srv.addr(), 81, "hello");
  net.run(kSec);
  EXPECT_EQ(srv.counter("TCPFastOpenPassive"), 1u);
}

TEST_F(FastopenTest, PausedWhenItIsSwallowed) {
  cli.set("fastopen_blackhole_timeout", "100");
  fetch();
  net.link(cli, srv).loss_permille = 1000;
  Sock s = cli.fastopen(srv.addr(), kPort, "hello");
  net.run(10 * kSec);
  EXPECT_EQ(cli.counter("TCPFastOpenBlackhole"), 1u);
  EXPECT_EQ(cli.counter("TCPFastOpenActive"), 1u);
  net.link(cli, srv).loss_permille = 0;
  s.close();
  net.run(kSec);
  syns.clear();
  cli.fastopen(srv.addr(), kPort, "");
  net.run(kSec);
  ASSERT_EQ(syns.size(), 1u);
  EXPECT_EQ(syns[0].has & ATCP_OPT_FASTOPEN, 0);
  net.run(100 * kSec);
  cli.fastopen(srv.addr(), kPort, "hello");
  EXPECT_EQ(cli.counter("TCPFastOpenActive"), 2u);
  net.run(kSec);
}

TEST_F(FastopenTest, NoMemoryForTheChildLeavesARequest) {
  fetch();
  net.os.fail(Fault::Child, 1);
  cli.fastopen(srv.addr(), kPort, "hello");
  net.run(kSec);
  EXPECT_EQ(served(), "hello");
  EXPECT_EQ(srv.counter("TCPFastOpenPassiveFail"), 1u);
  EXPECT_EQ(l.tcb().fastopen_queue->pending, 0u);
}

TEST_F(FastopenTest, OptionsAreChecked) {
  Sock s = cli.socket();
  EXPECT_EQ(s.set_option(kFastopenOption, 0u - 1), ATCP_ERR_INVALID);
  EXPECT_EQ(s.set_option(kConnectOption, 2), ATCP_ERR_INVALID);
  EXPECT_EQ(s.set_option(kNoCookieOption, 2), ATCP_ERR_INVALID);
  cli.set("fastopen", "0");
  EXPECT_EQ(s.set_option(kConnectOption, 1), ATCP_ERR_NOT_SUPPORTED);
}

TEST_F(FastopenTest, CacheTellsFamiliesAndAddressesApart) {
  Fastopen& f = cli.ns().fastopen;
  std::vector<atcp_tuple> all = {hosts(1, 2, ATCP_AF_INET), hosts(2, 1, ATCP_AF_INET),
                                 hosts(1, 2, ATCP_AF_INET6), hosts(2, 1, ATCP_AF_INET6)};
  // The words of the first, as an IPv6 address.
  atcp_tuple alike = {};
  alike.family = ATCP_AF_INET6;
  alike.raddr.v6[0] = 2;
  alike.raddr.v6[4] = 1;
  all.push_back(alike);
  for (int turn = 0; turn < 2; turn++) {  // the second writes over the first
    for (size_t i = 0; i < all.size(); i++)
      f.cache.put(f.cache_key, all[i], {{8, {}}, static_cast<uint16_t>(100 * turn + i)});
    for (size_t i = 0; i < all.size(); i++) {
      FastopenCache::Entry got = {};
      ASSERT_TRUE(f.cache.get(f.cache_key, all[i], &got)) << i;
      EXPECT_EQ(got.mss, 100 * turn + i);
    }
  }
  f.cache.forget(f.cache_key, all[2]);
  FastopenCache::Entry got = {};
  EXPECT_FALSE(f.cache.get(f.cache_key, all[2], &got));
  EXPECT_TRUE(f.cache.get(f.cache_key, all[0], &got));
}

TEST_F(FastopenTest, CacheIsBoundedAndKeepsTheNewest) {
  Fastopen& f = cli.ns().fastopen;
  atcp_tuple t = {};
  for (uint32_t i = 1; i <= 5000; i++) {
    t = hosts(cli.addr(), i);
    FastopenCache::Entry e = {{8, {static_cast<uint8_t>(i)}}, static_cast<uint16_t>(i)};
    f.cache.put(f.cache_key, t, e);
    FastopenCache::Entry got = {};
    ASSERT_TRUE(f.cache.get(f.cache_key, t, &got));
    EXPECT_EQ(got.mss, e.mss);
    EXPECT_EQ(got.cookie.bytes[0], e.cookie.bytes[0]);
  }
  uint32_t left = 0;
  for (uint32_t i = 1; i <= 5000; i++) {
    t = hosts(cli.addr(), i);
    FastopenCache::Entry got = {};
    left += f.cache.get(f.cache_key, t, &got);
  }
  EXPECT_GT(left, 0u);
  EXPECT_LE(left, 128u);
  f.cache.forget(f.cache_key, t);
  FastopenCache::Entry got = {};
  EXPECT_FALSE(f.cache.get(f.cache_key, t, &got));
}

}  // namespace
}  // namespace atcp::test
