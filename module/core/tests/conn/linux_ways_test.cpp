// SPDX-License-Identifier: GPL-2.0
//
// Where the RFCs leave a choice and programs have grown used to Linux's: each test is a difference that a
// hand-driven peer has once seen. What both agree on is in input_test.cpp.
#include <gtest/gtest.h>

#include "conn/tcb.h"
#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

using LinuxWays = RawPeerTest;

TEST_F(LinuxWays, TheWindowOfAScalingSynIsNoMeasure) {
  // 64 KB on the SYN, which knows no scale; 256 bytes from then on: that is what there ever was.
  Sock l = srv.listen(kPort);
  Out s = syn();
  s.wnd = 65535;
  s.wscale = 7;
  const uint32_t iss = ask(s).seq;
  send({.seq = kIrs + 1, .ack = iss + 1, .wnd = 2});
  Sock c = *l.accept();
  c.send(std::string(5000, 'x'));
  const atcp_seg first = reply();
  EXPECT_EQ(first.seq, iss + 1);
  EXPECT_EQ(first.len, 256u);
}

TEST_F(LinuxWays, LateDataIsAnsweredWithItsOwnAck) {
  // A reset that names our next sequence number would be one for the peer to doubt, had it lost something.
  Sock l = srv.listen(kPort);
  const uint32_t iss = open();
  Sock c = *l.accept();
  c.close();
  EXPECT_EQ(reply().flags, ATCP_ACK | ATCP_FIN);
  send({.seq = kIrs + 1, .ack = iss + 2});
  expect_silence();
  const atcp_seg s = ask({.seq = kIrs + 1, .ack = iss + 2, .data = "too late"});
  EXPECT_EQ(s.flags, ATCP_RST);
  EXPECT_EQ(s.seq, iss + 2);
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
}

TEST_F(LinuxWays, ABackedOffTimeoutStaysUntilACleanSample) {
  // Karn: the ACK of a segment sent twice measures nothing, not even when nothing is left to be acknowledged.
  Sock l = srv.listen(kPort);
  const uint32_t iss = half_open();
  net.run(1 * kMs);
  send({.seq = kIrs + 1, .ack = iss + 1});
  Sock c = *l.accept();
  uint32_t next = iss + 1;
  for (const uint64_t rto_ms : {200, 400, 800}) {
    replies.clear();
    c.send("x");
    ASSERT_EQ(reply().seq, next);
    net.run((rto_ms - 10) * kMs);
    expect_silence();
    net.run(40 * kMs);
    ASSERT_EQ(reply().seq, next);
    next += 1;
    send({.seq = kIrs + 1, .ack = next});
  }
  c.send("clean");
  ASSERT_EQ(reply().seq, next);
  next += 5;
  net.run(1 * kMs);
  send({.seq = kIrs + 1, .ack = next});
  c.send("x");
  ASSERT_EQ(reply().seq, next);
  net.run(250 * kMs);
  ASSERT_EQ(reply().seq, next);
}

/// As a program's calls, with the socket's lock.
struct Locked {
  explicit Locked(Sock s) : conn(s.conn()) { FakeOs::the().lock(conn); }
  ~Locked() { FakeOs::the().unlock(conn); }
  FakeConn& conn;
};

uint32_t set_rcvlowat(Sock s, uint32_t bytes) {
  Locked l(s);
  return atcp_core_set_rcvlowat(&l.conn.conn, bytes);
}

TEST_F(LinuxWays, OfAForgottenConnectionOnlyTheOptionsStay) {
  Sock l = srv.listen(kPort);
  Out first = syn();
  first.wscale = 7;
  first.mss = 700;
  const uint32_t iss = ask(first).seq;
  send({.seq = kIrs + 1, .ack = iss + 1});
  Sock c = *l.accept();
  ASSERT_EQ(c.set_option(1, 1), ATCP_OK);      // TCP_NODELAY
  ASSERT_EQ(c.set_option(18, 900), ATCP_OK);   // TCP_USER_TIMEOUT
  ASSERT_EQ(c.set_option(10, 9000), ATCP_OK);  // TCP_WINDOW_CLAMP
  c.send("data");
  Out urgent{.flags = ATCP_ACK | ATCP_URG, .seq = kIrs + 1, .ack = iss + 5, .data = "ab!"};
  urgent.urg = 3;
  send(urgent);
  uint32_t ahead = 0;
  ASSERT_EQ(atcp_core_urgent(&c.conn().conn, &ahead), ATCP_URGENT_HERE);
  ASSERT_EQ(c.info().bytes_acked, 4u);
  ASSERT_EQ(c.info().options & ATCP_OPT_WSCALE, ATCP_OPT_WSCALE);

  {
    Locked locked(c);
    atcp_core_forget(&locked.conn.conn);  // not of one that is there
  }
  ASSERT_EQ(c.info().bytes_acked, 4u);

  c.abort(ATCP_REASON_ABORT_BY_USER);
  ASSERT_EQ(c.info().bytes_acked, 4u);
  const uint32_t mss = c.info().snd_mss;
  c.tcb().ts_ok = true;
  const uint32_t advmss = c.info().advmss;
  {
    Locked locked(c);
    atcp_core_forget(&locked.conn.conn);
  }
  EXPECT_EQ(atcp_core_urgent(&c.conn().conn, &ahead), ATCP_URGENT_NONE);
  EXPECT_EQ(c.info().bytes_acked, 0u);
  EXPECT_EQ(c.info().options, 0u);
  EXPECT_EQ(c.info().snd_wscale, 0u);
  EXPECT_EQ(c.info().snd_mss, mss);
  EXPECT_EQ(c.info().advmss, advmss);
  EXPECT_EQ(c.get_option(1), 1);
  EXPECT_EQ(c.get_option(18), 900);
  EXPECT_EQ(c.get_option(10), 0);
  // And it is as good as new.
  EXPECT_EQ(srv.try_connect(c, ip4(10, 0, 0, 2), 5000), ATCP_OK);
  EXPECT_EQ(c.state(), static_cast<uint32_t>(ATCP_STATE_SYN_SENT));
}

TEST_F(LinuxWays, AMarkToReadFromIsOneThatCanBeReached) {
  Sock l = srv.listen(kPort);
  open();
  Sock c = *l.accept();
  const uint32_t most = c.tcb().param(Param::Rmem, 2);
  const uint32_t before = c.conn().rcvbuf;
  EXPECT_EQ(set_rcvlowat(c, 1000), 1000u);
  EXPECT_EQ(c.conn().rcvbuf, before);
  // The buffer has room for so much payload in its packets, and the window may say so.
  ASSERT_EQ(c.set_option(10, 5000), ATCP_OK);
  EXPECT_EQ(set_rcvlowat(c, before), before);
  EXPECT_GE(static_cast<uint64_t>(c.conn().rcvbuf) * c.tcb().scaling / 256, before);
  EXPECT_EQ(c.tcb().window_clamp, before);
  EXPECT_EQ(c.get_option(10), static_cast<int32_t>(before));
  EXPECT_EQ(set_rcvlowat(c, 0x7fffffff), most / 2);
}

TEST_F(LinuxWays, AMarkToReadFromLeavesABufferAloneThatTheProgramChose) {
  Sock l = srv.listen(kPort);
  open();
  Sock c = *l.accept();
  c.conn().rcvbuf = 20000;
  c.conn().rcvbuf_locked = true;
  ASSERT_EQ(c.set_option(10, 5000), ATCP_OK);
  EXPECT_EQ(set_rcvlowat(c, 0x7fffffff), 10000u);
  EXPECT_EQ(c.conn().rcvbuf, 20000u);
  EXPECT_EQ(c.tcb().window_clamp, 5000u);
}

TEST_F(LinuxWays, AWindowOfNoMoreThanASegmentIsScarce) {
  Sock l = srv.listen(kPort);
  open();
  Sock c = *l.accept();
  EXPECT_FALSE(atcp_core_rx_scarce(&c.conn().conn));
  Tcb& t = c.tcb();
  t.rcv_wup = t.rcv_nxt;
  t.rcv_wnd = t.rcv_mss + 1;
  EXPECT_FALSE(atcp_core_rx_scarce(&c.conn().conn));
  t.rcv_wnd = t.rcv_mss;
  EXPECT_TRUE(atcp_core_rx_scarce(&c.conn().conn));
}

TEST_F(LinuxWays, OnlyBeingConnectedIsAChangeThatMakesWritable) {
  // What the port makes SIGIO of: the first, and not the way to FIN_WAIT_2, which wakes whoever lingers.
  Sock s = srv.socket();
  ASSERT_EQ(srv.try_connect(s, ip4(10, 0, 0, 2), 5000, kPort), ATCP_OK);
  const uint32_t iss = reply().seq;
  send({.flags = ATCP_SYN | ATCP_ACK, .seq = kIrs, .ack = iss + 1});
  EXPECT_EQ(s.conn().sigios, 1u);
  s.shutdown();
  s.conn().events = 0;
  send({.seq = kIrs + 1, .ack = iss + 2});
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_FIN_WAIT2));
  EXPECT_EQ(s.conn().events & ATCP_EV_STATE, ATCP_EV_STATE + 0u);
  EXPECT_EQ(s.conn().sigios, 1u);
}

}  // namespace
}  // namespace atcp::test
