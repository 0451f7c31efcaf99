// SPDX-License-Identifier: GPL-2.0
//
// ICMP errors: which are believed, what they do to an attempt and to a connection, and the path MTU.
#include "conn/tcb.h"
#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

using Icmp = RawPeerTest;

TEST_F(Icmp, EndsAnAttempt) {
  Sock s = srv.socket();
  ASSERT_EQ(srv.try_connect(s, ip4(10, 0, 0, 2), 5000), ATCP_OK);
  s.icmp(ATCP_ICMP_PORT_UNREACH, reply().seq);
  EXPECT_EQ(s.error(), ATCP_ERR_REFUSED);
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_CLOSED));
  EXPECT_EQ(srv.reason(ATCP_REASON_ICMP_HARD), 1u);
}

TEST_F(Icmp, IsSoftOnAConnection) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = open();
  Sock s = *l.accept();
  s.send("x");
  s.icmp(ATCP_ICMP_HOST_UNREACH, iss + 1);
  EXPECT_EQ(s.error(), ATCP_OK);
  EXPECT_EQ(s.conn().soft_error, ATCP_ERR_HOST_UNREACH);
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
}

TEST_F(Icmp, MustQuoteWhatIsOutstanding) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = open();
  Sock s = *l.accept();
  s.send("x");
  s.icmp(ATCP_ICMP_HOST_UNREACH, iss);
  s.icmp(ATCP_ICMP_FRAG_NEEDED, iss + 2, 600);
  EXPECT_EQ(s.conn().soft_error, ATCP_OK);
  EXPECT_EQ(s.tcb().mss, 1460u);
  EXPECT_EQ(srv.counter("OutOfWindowIcmps"), 2u);
}

TEST_F(Icmp, SmallerMtuSendsAgainWithoutSlowingDown) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = open();
  Sock s = *l.accept();
  s.send(Bytes(2920));
  replies.clear();
  const uint32_t cwnd = s.tcb().cc.cwnd;
  s.icmp(ATCP_ICMP_FRAG_NEEDED, iss + 1, 1000);
  EXPECT_EQ(s.tcb().mss, 960u);
  EXPECT_EQ(s.tcb().cc.cwnd, cwnd);
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(replies.front().seg.seq, iss + 1);
  EXPECT_EQ(replies.front().mss, 960u);
}

TEST_F(Icmp, MtuHasAFloor) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = open();
  Sock s = *l.accept();
  s.send(Bytes(1460));
  s.icmp(ATCP_ICMP_FRAG_NEEDED, iss + 1, 68);
  EXPECT_EQ(s.tcb().pmtu, 552);
}

}  // namespace
}  // namespace atcp::test
