// SPDX-License-Identifier: GPL-2.0
//
// Cookies on the wire: when they are sent, which options survive, when they are believed.
#include "listen/cookie_path.h"

#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

using CookieWire = RawPeerTest;

TEST_F(CookieWire, SentWhenTheRequestQueueIsFull) {
  Sock l = srv.listen(kPort, 4);
  for (uint16_t p = 5000; p < 5008; p++)
    half_open(p);
  EXPECT_EQ(ledger(l).requests, 5u);
  EXPECT_EQ(srv.counter("TCPReqQFullDoCookies"), 3u);
  EXPECT_EQ(srv.counter("SyncookiesSent"), 3u);
  EXPECT_EQ(srv.counter("ListenDrops"), 0u);
  expect_balanced(l);
}

TEST_F(CookieWire, AckMakesAConnection) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  const uint32_t iss = half_open();
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
  send({.seq = kIrs + 1, .ack = iss + 1, .data = "hello"});
  EXPECT_EQ(srv.counter("SyncookiesRecv"), 1u);
  Sock c = *l.accept();
  EXPECT_EQ(c.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_EQ(c.recv_text(), "hello");
  EXPECT_EQ(c.tcb().peer_mss, net.family == ATCP_AF_INET6 ? 1440 : 1460);
  EXPECT_FALSE(c.tcb().sack_ok);
}

TEST_F(CookieWire, OptionsSurviveWithoutTimestamps) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  Out o = syn();
  o.wscale = 7;
  o.sack_ok = true;
  const atcp_seg s = ask(o);
  EXPECT_EQ(s.has, ATCP_OPT_MSS | ATCP_OPT_WSCALE | ATCP_OPT_SACK_OK);
  send({.seq = kIrs + 1, .ack = s.seq + 1, .wnd = 100});
  Sock c = *l.accept();
  EXPECT_FALSE(c.tcb().ts_ok);
  EXPECT_TRUE(c.tcb().sack_ok);
  EXPECT_EQ(c.tcb().rcv_wscale, s.wscale);
  EXPECT_EQ(c.tcb().snd_wnd, 100u << 7);
}

TEST_F(CookieWire, OddWindowScaleIsCutDown) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  Out o = syn();
  o.wscale = 14;
  const atcp_seg s = ask(o);
  send({.seq = kIrs + 1, .ack = s.seq + 1, .wnd = 100});
  Sock c = *l.accept();
  EXPECT_EQ(c.tcb().snd_wscale, 10);
  EXPECT_EQ(c.tcb().snd_wnd, 100u << 10);
}

TEST_F(CookieWire, TimestampsTurnedOffHereOptionsSurviveAllTheSame) {
  srv.set("syncookies", "2");
  srv.set("timestamps", "0");
  Sock l = srv.listen(kPort);
  Out o = syn();
  o.wscale = 8;
  o.sack_ok = true;
  o.tsval = 5;
  const atcp_seg s = ask(o);
  EXPECT_EQ(s.has, ATCP_OPT_MSS | ATCP_OPT_WSCALE | ATCP_OPT_SACK_OK);
  send({.seq = kIrs + 1, .ack = s.seq + 1, .wnd = 100});
  EXPECT_EQ(l.accept()->tcb().snd_wscale, 8);
}

TEST_F(CookieWire, OptionsNotOfferedAreNotMadeUp) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  const atcp_seg s = ask(syn());
  EXPECT_EQ(s.has, ATCP_OPT_MSS);
  send({.seq = kIrs + 1, .ack = s.seq + 1, .wnd = 100});
  Sock c = *l.accept();
  EXPECT_FALSE(c.tcb().wscale_ok);
  EXPECT_EQ(c.tcb().snd_wnd, 100u);
}

TEST_F(CookieWire, EchoThatIsNotOursIsReset) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  Out o = syn();
  o.tsval = 5;
  const atcp_seg s = ask(o);
  const uint32_t good = s.seq + 1;
  // No echo at all, from the future, from before the cookie's time.
  EXPECT_EQ(ask({.seq = kIrs + 1, .ack = good}).flags, ATCP_RST);
  for (const uint32_t off : {64000u, 0u - 200000u, 0x80000000u})
    EXPECT_EQ(ask({.seq = kIrs + 1, .ack = good, .tsval = 6, .tsecr = s.tsval + off}).flags,
              ATCP_RST);
  EXPECT_EQ(srv.reason(ATCP_REASON_COOKIE_BAD), 4u);
  EXPECT_EQ(srv.counter("SyncookiesFailed"), 4u);
  send({.seq = kIrs + 1, .ack = good, .tsval = 6, .tsecr = s.tsval});
  EXPECT_TRUE(l.accept().has_value());
}

TEST_F(CookieWire, OptionsSurviveInTimestamps) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  Out o = syn();
  o.wscale = 10;
  o.sack_ok = true;
  o.tsval = 5;
  const atcp_seg s = ask(o);
  EXPECT_EQ(s.has, ATCP_OPT_MSS | ATCP_OPT_TS | ATCP_OPT_WSCALE | ATCP_OPT_SACK_OK);
  send({.seq = kIrs + 1, .ack = s.seq + 1, .wnd = 100, .tsval = 6, .tsecr = s.tsval});
  Sock c = *l.accept();
  EXPECT_TRUE(c.tcb().ts_ok);
  EXPECT_TRUE(c.tcb().sack_ok);
  EXPECT_EQ(c.tcb().snd_wscale, 10);
  EXPECT_EQ(c.tcb().rcv_wscale, s.wscale);
  EXPECT_EQ(c.tcb().snd_wnd, 100u << 10);
}

TEST_F(CookieWire, WrongCookieIsReset) {
  srv.set("syncookies", "2");
  srv.listen(kPort);
  const uint32_t iss = half_open();
  const atcp_seg s = ask({.seq = kIrs + 1, .ack = iss + 7});
  EXPECT_EQ(s.flags, ATCP_RST);
  EXPECT_EQ(srv.counter("SyncookiesFailed"), 1u);
  EXPECT_EQ(srv.reason(ATCP_REASON_COOKIE_BAD), 1u);
}

TEST_F(CookieWire, NotBelievedLongAfterTheLastOne) {
  srv.set("syncookies", "2");
  srv.listen(kPort);
  const uint32_t iss = half_open();
  net.run(125 * kSec);
  EXPECT_EQ(ask({.seq = kIrs + 1, .ack = iss + 1}).flags, ATCP_RST);
  EXPECT_EQ(srv.reason(ATCP_REASON_COOKIE_UNSOLICITED), 1u);
  EXPECT_EQ(srv.counter("SyncookiesFailed"), 0u);
}

TEST_F(CookieWire, ExpiresThoughOthersAreSent) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  const uint32_t iss = half_open();
  // The clock starts at 1 s: the cookie holds up to the 120th second.
  net.run(118 * kSec);
  half_open(5001);
  send({.seq = kIrs + 1, .ack = iss + 1});
  ASSERT_TRUE(l.accept().has_value());
  const uint32_t late = half_open(5002);
  net.run(125 * kSec);
  half_open(5003);
  EXPECT_EQ(ask({.seq = kIrs + 1, .ack = late + 1, .port = 5002}).flags, ATCP_RST);
  EXPECT_EQ(srv.reason(ATCP_REASON_COOKIE_BAD), 1u);
  EXPECT_EQ(srv.reason(ATCP_REASON_COOKIE_UNSOLICITED), 0u);
}

TEST_F(CookieWire, KeyIsReplacedUnderWay) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  half_open(5000);
  net.run(598 * kSec);
  const uint32_t before = half_open(5001);
  net.run(5 * kSec);
  const uint32_t after = half_open(5002);
  send({.seq = kIrs + 1, .ack = before + 1, .port = 5001});
  EXPECT_TRUE(l.accept().has_value());
  send({.seq = kIrs + 1, .ack = after + 1, .port = 5002});
  EXPECT_TRUE(l.accept().has_value());
}

TEST_F(CookieWire, OfAnotherPortIsReset) {
  srv.set("syncookies", "2");
  srv.listen(kPort);
  const uint32_t iss = half_open(5000);
  half_open(5001);
  const atcp_seg s = ask({.seq = kIrs + 1, .ack = iss + 1, .port = 5001});
  EXPECT_EQ(s.flags, ATCP_RST);
  EXPECT_EQ(s.seq, iss + 1);
  EXPECT_EQ(srv.reason(ATCP_REASON_COOKIE_BAD), 1u);
}

TEST_F(CookieWire, OfAnotherSynIsReset) {
  srv.set("syncookies", "2");
  srv.listen(kPort);
  const uint32_t iss = half_open();
  EXPECT_EQ(ask({.seq = kIrs + 2, .ack = iss + 1}).flags, ATCP_RST);
  EXPECT_EQ(srv.reason(ATCP_REASON_COOKIE_BAD), 1u);
}

TEST_F(CookieWire, ForgedAcksMakeNothing) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  // Before any cookie is out, not even a guess is taken.
  EXPECT_EQ(ask({.seq = 1, .ack = 2}).flags, ATCP_RST);
  EXPECT_EQ(srv.reason(ATCP_REASON_LISTEN_ACK), 1u);
  half_open(4999);
  for (uint16_t p = 5000; p < 5100; p++)
    EXPECT_EQ(ask({.seq = p * 7919u, .ack = p * 104729u, .port = p}).flags, ATCP_RST);
  EXPECT_EQ(srv.reason(ATCP_REASON_COOKIE_BAD), 100u);
  EXPECT_EQ(srv.counter("SyncookiesFailed"), 100u);
  EXPECT_FALSE(l.accept().has_value());
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
}

TEST_F(CookieWire, AnswerLeavesInTheBufferOfTheSyn) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  const uint64_t allocations = net.os.live_allocations();
  for (uint16_t p = 5000; p < 5100; p++)
    half_open(p);
  EXPECT_EQ(net.os.recycled, 100u);
  EXPECT_EQ(net.os.live_allocations(), allocations);
  EXPECT_EQ(net.os.live_packets(), 0u);
  EXPECT_EQ(net.os.calls(Fault::Route), 100u);  // one look-up each
  expect_balanced(l);
}

TEST_F(CookieWire, AnswerThatCannotLeaveIsCounted) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  net.os.fail(Fault::Emit, 1);
  send(syn());
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_NO_MEMORY), 1u);
  EXPECT_EQ(srv.counter("SyncookiesSent"), 0u);
  EXPECT_EQ(net.os.live_packets(), 0u);
  expect_balanced(l);
}

TEST_F(CookieWire, FloodWritesTheListenerOnceASecond) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  uint32_t& cookie_s = l.tcb().listener->cookie_s;
  half_open(5000);
  EXPECT_EQ(cookie_s, net.now() / kSec);
  net.run(3 * kSec);
  half_open(5001);
  EXPECT_EQ(cookie_s, net.now() / kSec);
}

TEST_F(CookieWire, NotBelievedOnceTurnedOff) {
  srv.set("syncookies", "2");
  srv.listen(kPort);
  const uint32_t iss = half_open();
  srv.set("syncookies", "0");
  EXPECT_EQ(ask({.seq = kIrs + 1, .ack = iss + 1}).flags, ATCP_RST);
  EXPECT_EQ(srv.reason(ATCP_REASON_LISTEN_ACK), 1u);
}

TEST_F(CookieWire, FullAcceptQueueDropsSilently) {
  srv.set("syncookies", "2");
  srv.set("abort_on_overflow", "1");
  Sock l = srv.listen(kPort, 0);
  const uint32_t a = half_open(5000);
  const uint32_t b = half_open(5001);
  send({.seq = kIrs + 1, .ack = a + 1, .port = 5000});
  send({.seq = kIrs + 1, .ack = b + 1, .port = 5001});
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_ACCEPT_QUEUE_FULL_ACK), 1u);
  EXPECT_EQ(srv.counter("ListenOverflows"), 1u);
  ASSERT_TRUE(l.accept().has_value());
  send({.seq = kIrs + 1, .ack = b + 1, .data = "x", .port = 5001});
  EXPECT_TRUE(l.accept().has_value());
}

}  // namespace
}  // namespace atcp::test
