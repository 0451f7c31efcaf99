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
  EXPECT_EQ(c.tcb().peer_mss, 1460);
  EXPECT_FALSE(c.tcb().sack_ok);
}

TEST_F(CookieWire, OptionsAreLostWithoutTimestamps) {
  srv.set("syncookies", "2");
  srv.listen(kPort);
  Out o = syn();
  o.wscale = 7;
  o.sack_ok = true;
  EXPECT_EQ(ask(o).has, ATCP_OPT_MSS);
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
