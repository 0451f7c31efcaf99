// SPDX-License-Identifier: GPL-2.0
//
// Cookies as numbers, then cookies on the wire: when they are sent, what they carry, when they
// are believed.
#include "listen/cookie.h"

#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

constexpr SipKey kKey = {{1, 2}};

atcp_tuple some_tuple(uint16_t port) {
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = 0x0100000a;
  t.raddr.v4 = 0x0200000a;
  t.lport = to_be16(80);
  t.rport = to_be16(port);
  return t;
}

TEST(Cookie, MssIsCutToOneOfFour) {
  const struct {
    uint16_t in, out;
  } kRows[] = {{100, 536},   {536, 536},   {1000, 536},  {1300, 1300}, {1400, 1300},
               {1440, 1440}, {1459, 1440}, {1460, 1460}, {9000, 1460}};
  for (const auto& row : kRows) {
    uint16_t mss = 0;
    const Seq c = cookie_make(kKey, some_tuple(1), Seq(7), row.in, 1000);
    ASSERT_TRUE(cookie_check(kKey, some_tuple(1), Seq(7), c, 1000, &mss));
    EXPECT_EQ(mss, row.out) << row.in;
  }
}

TEST(Cookie, HoldsForTwoPeriods) {
  uint16_t mss = 0;
  for (const uint32_t made : {0u, 59u, 60u, 119u, 6000u}) {
    const Seq c = cookie_make(kKey, some_tuple(1), Seq(7), 1460, made);
    const uint32_t end = (made / 60 + 2) * 60;
    EXPECT_TRUE(cookie_check(kKey, some_tuple(1), Seq(7), c, end - 1, &mss)) << made;
    EXPECT_FALSE(cookie_check(kKey, some_tuple(1), Seq(7), c, end, &mss)) << made;
    EXPECT_FALSE(cookie_check(kKey, some_tuple(1), Seq(7), c, end + 60, &mss)) << made;
  }
}

TEST(Cookie, IsBoundToEverything) {
  uint16_t mss = 0;
  const Seq c = cookie_make(kKey, some_tuple(1), Seq(7), 1460, 1000);
  EXPECT_FALSE(cookie_check({{1, 3}}, some_tuple(1), Seq(7), c, 1000, &mss));
  EXPECT_FALSE(cookie_check(kKey, some_tuple(2), Seq(7), c, 1000, &mss));
  EXPECT_FALSE(cookie_check(kKey, some_tuple(1), Seq(8), c, 1000, &mss));
  for (uint32_t bit = 0; bit < 32; bit++)
    EXPECT_FALSE(cookie_check(kKey, some_tuple(1), Seq(7), Seq(c.raw() ^ (1u << bit)), 1000, &mss))
        << bit;
}

TEST(Cookie, TimestampCarriesOptionsAndIsNotAhead) {
  for (const uint32_t now : {0u, 1u, 63u, 64u, 1000003u, 0xffffffffu}) {
    for (int ws = -1; ws <= 14; ws++) {
      const CookieOptions in = {ws % 2 == 0, ws >= 0, static_cast<uint8_t>(ws < 0 ? 0 : ws)};
      const uint32_t ts = cookie_tsval(now, in);
      EXPECT_LE(static_cast<int32_t>(ts - now), 0);
      EXPECT_GT(static_cast<int32_t>(ts - now), -128);
      const CookieOptions out = cookie_options(ts);
      EXPECT_EQ(out.sack_ok, in.sack_ok);
      EXPECT_EQ(out.wscale_ok, in.wscale_ok);
      EXPECT_EQ(out.snd_wscale, in.snd_wscale);
    }
  }
}

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
