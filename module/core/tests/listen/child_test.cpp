// SPDX-License-Identifier: GPL-2.0
//
// The third ACK: what the new connection knows, when it may not be made, and that nothing is left
// behind then.
#include "listen/child.h"

#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

using Child = RawPeerTest;

TEST_F(Child, ThirdAckMakesAConnection) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = half_open();
  net.run(30 * kMs);
  send({.seq = kIrs + 1, .ack = iss + 1, .wnd = 12340});
  expect_silence();
  EXPECT_EQ(found(), ATCP_FOUND_CONN);
  EXPECT_EQ(ledger(l).accept_queue, 1u);
  EXPECT_EQ(ledger(l).requests, 0u);
  EXPECT_TRUE((l.conn().events & ATCP_EV_READABLE) != 0);
  EXPECT_EQ(srv.counter("PassiveOpens"), 1u);
  Sock c = *l.accept();
  EXPECT_EQ(ledger(l).accepted, 1u);
  EXPECT_FALSE(l.accept().has_value());
  const Tcb& t = c.tcb();
  EXPECT_EQ(t.state, State::Established);
  EXPECT_EQ(t.snd_una, Seq(iss + 1));
  EXPECT_EQ(t.rcv_nxt, Seq(kIrs + 1));
  EXPECT_EQ(t.snd_wnd, 12340u);
  EXPECT_EQ(t.peer_mss, 1460);
  EXPECT_EQ(t.mss, 1460u);
  EXPECT_EQ(t.rtt.srtt_us(), 30000u);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
}

TEST_F(Child, GoesTheWayOfTheSynAck) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = half_open();
  EXPECT_EQ(net.os.kept_routes, 1);
  send({.seq = kIrs + 1, .ack = iss + 1});
  EXPECT_TRUE(l.accept()->conn().kept_route);
  EXPECT_EQ(net.os.kept_routes, 0);
}

TEST_F(Child, WithoutARouteItsSegmentsAreSmall) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = half_open();
  net.os.fail(Fault::Route, 1);
  send({.seq = kIrs + 1, .ack = iss + 1, .wnd = 30000});
  const Tcb& t = l.accept()->tcb();
  EXPECT_EQ(t.pmtu, 0);
  EXPECT_LT(t.mss, 536u);
}

TEST_F(Child, ARequestThatExpiresGivesItsRouteBack) {
  srv.listen(kPort);
  half_open();
  EXPECT_EQ(net.os.kept_routes, 1);
  net.run(70 * kSec);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
  EXPECT_EQ(net.os.kept_routes, 0);
}

TEST_F(Child, NoRttFromARepeatedSynAck) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = half_open();
  net.run(1200 * kMs);
  send({.seq = kIrs + 1, .ack = iss + 1});
  Sock c = *l.accept();
  EXPECT_EQ(c.tcb().syn_retries, 1);
  EXPECT_EQ(c.tcb().cc.cwnd, 1u);
}

TEST_F(Child, ThirdAckWithData) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = half_open();
  const atcp_seg s = ask({.seq = kIrs + 1, .ack = iss + 1, .data = "hello, this wraps"});
  EXPECT_EQ(s.ack, kIrs + 1 + 17);
  EXPECT_EQ(l.accept()->recv_text(), "hello, this wraps");
}

TEST_F(Child, ThirdAckWithFin) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = half_open();
  send({.flags = ATCP_ACK | ATCP_FIN, .seq = kIrs + 1, .ack = iss + 1});
  Sock c = *l.accept();
  EXPECT_EQ(c.state(), static_cast<uint32_t>(ATCP_STATE_CLOSE_WAIT));
  EXPECT_TRUE(c.eof());
}

TEST_F(Child, AcceptedInOrder) {
  Sock l = srv.listen(kPort);
  for (uint16_t p = 5000; p < 5004; p++)
    open(p);
  for (uint16_t p = 5000; p < 5004; p++)
    EXPECT_EQ(l.accept()->tcb().rport, to_be16(p));
}

TEST_F(Child, InheritsTheListenersWishes) {
  Sock l = srv.listen(kPort);
  l.set_option(1, 1);       // TCP_NODELAY
  l.set_option(2, 900);     // TCP_MAXSEG
  l.set_option(4, 11);      // TCP_KEEPIDLE
  l.set_option(5, 12);      // TCP_KEEPINTVL
  l.set_option(6, 13);      // TCP_KEEPCNT
  l.set_option(18, 14000);  // TCP_USER_TIMEOUT
  {
    Border b("set_cc");
    net.os.lock(l.conn());
    EXPECT_EQ(atcp_core_set_cc(&l.conn().conn, "reno", false, net.now()), ATCP_OK);
    net.os.unlock(l.conn());
  }
  open();
  const Sock c = *l.accept();
  const Tcb& t = c.tcb();
  EXPECT_TRUE(t.nodelay);
  EXPECT_EQ(t.user_mss, 900);
  EXPECT_EQ(t.mss, 900u);
  EXPECT_EQ(t.param(Param::KeepaliveTime), 11u);
  EXPECT_EQ(t.param(Param::KeepaliveIntvl), 12u);
  EXPECT_EQ(t.param(Param::KeepaliveProbes), 13u);
  EXPECT_EQ(t.user_timeout_ms, 14000u);
  EXPECT_STREQ(t.cc_ops->name, "reno");
}

TEST_F(Child, WindowScaleOfTheSynAckHolds) {
  Sock l = srv.listen(kPort);
  Out o = syn();
  o.wscale = 3;
  const atcp_seg s = ask(o);
  send({.seq = kIrs + 1, .ack = s.seq + 1, .wnd = 1000});
  Sock c = *l.accept();
  EXPECT_EQ(c.tcb().snd_wnd, 8000u);
  EXPECT_EQ(c.tcb().rcv_wscale, s.wscale);
}

TEST_F(Child, OverflowKeepsTheRequest) {
  Sock l = srv.listen(kPort, 1);
  open(4999);
  const uint32_t a = half_open(5000);
  const uint32_t b = half_open(5001);
  send({.seq = kIrs + 1, .ack = a + 1, .port = 5000});
  send({.seq = kIrs + 1, .ack = b + 1, .port = 5001});
  expect_silence();
  EXPECT_EQ(found(5001), ATCP_FOUND_REQUEST);
  EXPECT_EQ(srv.reason(ATCP_REASON_ACCEPT_QUEUE_FULL_ACK), 1u);
  EXPECT_EQ(srv.counter("ListenOverflows"), 1u);
  EXPECT_EQ(srv.counter("ListenDrops"), 1u);
  EXPECT_EQ(ledger(l).overflow_ack, 1u);
  ASSERT_TRUE(l.accept().has_value());
  net.run(1100 * kMs);  // the SYN-ACK again
  EXPECT_EQ(reply().flags, ATCP_SYN | ATCP_ACK);
  send({.seq = kIrs + 1, .ack = b + 1, .port = 5001});
  EXPECT_TRUE(l.accept().has_value());
}

TEST_F(Child, AbortOnOverflowResets) {
  srv.set("abort_on_overflow", "1");
  srv.listen(kPort, 1);
  open(4999);
  const uint32_t a = half_open(5000);
  const uint32_t b = half_open(5001);
  send({.seq = kIrs + 1, .ack = a + 1, .port = 5000});
  const atcp_seg s = ask({.seq = kIrs + 1, .ack = b + 1, .port = 5001});
  EXPECT_EQ(s.flags, ATCP_RST);
  EXPECT_EQ(s.seq, b + 1);
  EXPECT_EQ(found(5001), ATCP_FOUND_LISTENER);
  EXPECT_EQ(srv.reason(ATCP_REASON_ABORT_OVERFLOW), 1u);
  EXPECT_EQ(srv.counter("OutRsts"), 1u);
  EXPECT_EQ(srv.counter("ListenOverflows"), 1u);
}

TEST_F(Child, NoMemoryKeepsTheRequest) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = half_open();
  net.os.fail(Fault::Child, 1);
  send({.seq = kIrs + 1, .ack = iss + 1});
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_NO_MEMORY), 1u);
  EXPECT_EQ(found(), ATCP_FOUND_REQUEST);
  send({.seq = kIrs + 1, .ack = iss + 1});
  EXPECT_TRUE(l.accept().has_value());
}

TEST_F(Child, ResetWhileQueuedIsAcceptedAllTheSame) {
  Sock l = srv.listen(kPort);
  open();
  send({.flags = ATCP_RST, .seq = kIrs + 1});
  Sock c = *l.accept();
  EXPECT_EQ(c.state(), static_cast<uint32_t>(ATCP_STATE_CLOSED));
  EXPECT_EQ(c.error(), ATCP_ERR_RESET);
}

TEST_F(Child, AResetGivesItsPortBackAtOnce) {
  // As Linux (bind() tried by hand there): the program named the listener's port, not the child's.
  Sock l = srv.listen(kPort);
  const uint32_t iss = open();
  Sock c = *l.accept();
  l.close();
  Sock other = srv.socket();
  EXPECT_EQ(srv.try_listen(other, kPort, 1), ATCP_ERR_ADDR_IN_USE);
  send({.flags = ATCP_RST | ATCP_ACK, .seq = kIrs + 1, .ack = iss + 1});
  ASSERT_EQ(c.error(), ATCP_ERR_RESET);  // and the program has it open still
  EXPECT_EQ(srv.try_listen(other, kPort, 1), ATCP_OK);
}

TEST_F(Child, WhatTheProgramBoundStaysBoundAfterAReset) {
  // connect() from a port that the program named, or not. bind() to port 0 names none.
  Host& cli = net.add_host("cli", ip4(10, 0, 0, 8));
  Host& far = net.add_host("far", ip4(10, 0, 0, 9));
  Sock l = far.listen(kPort);
  for (const uint16_t lport : {0, 4444}) {
    SCOPED_TRACE(lport);
    Sock s = cli.connect(far.addr(), kPort, lport);
    net.run(kSec);
    const uint16_t port = from_be16(s.tcb().lport);
    EXPECT_EQ(cli.try_listen(cli.socket(), port, 1), ATCP_ERR_ADDR_IN_USE);
    l.accept()->close(true);
    net.run(kSec);
    ASSERT_EQ(s.error(), ATCP_ERR_RESET);
    Sock other = cli.socket();
    EXPECT_EQ(cli.try_listen(other, port, 1), lport == 0 ? ATCP_OK : ATCP_ERR_ADDR_IN_USE);
    s.close();
    EXPECT_EQ(cli.try_listen(cli.socket(), port, 1), lport == 0 ? ATCP_ERR_ADDR_IN_USE : ATCP_OK);
  }
}

/// A listener that closes between the lookup and the accept queue: white-box, as no test can be
/// that quick.
TEST_F(Child, ListenerThatJustClosed) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = half_open();
  Listener& li = *l.tcb().listener;
  li.closed = 1;
  const atcp_seg s = ask({.seq = kIrs + 1, .ack = iss + 1});
  EXPECT_EQ(s.flags, ATCP_RST | ATCP_ACK);
  EXPECT_EQ(srv.reason(ATCP_REASON_ABORT_LISTENER), 1u);
  EXPECT_EQ(li.reserved, 0u);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
  li.closed = 0;
}

TEST_F(Child, BacklogOfConnectionsSurvivesRandomFailures) {
  Sock l = srv.listen(kPort, 1000);
  for (const Fault f : {Fault::Alloc, Fault::Emit, Fault::Child, Fault::Route})
    net.os.fail_randomly(f, 4);
  uint32_t made = 0;
  for (uint16_t p = 5000; p < 5200; p++) {
    for (int tries = 0; tries < 5 && found(p) != ATCP_FOUND_CONN; tries++) {
      send(syn(p));
      if (replies.size() != 1) continue;
      const uint32_t iss = reply().seq;
      send({.seq = kIrs + 1, .ack = iss + 1, .port = p});
    }
    made += found(p) == ATCP_FOUND_CONN ? 1 : 0;
  }
  EXPECT_GT(made, 150u);
  EXPECT_EQ(ledger(l).accept_queue, made);
  expect_balanced(l);
  for (const Fault f : {Fault::Alloc, Fault::Emit, Fault::Child, Fault::Route})
    net.os.fail_randomly(f, 0);
  net.run(130 * kSec);
  EXPECT_EQ(ledger(l).requests, 0u);
}

}  // namespace
}  // namespace atcp::test
