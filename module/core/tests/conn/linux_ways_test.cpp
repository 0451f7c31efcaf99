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

}  // namespace
}  // namespace atcp::test
