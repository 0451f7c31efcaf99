// SPDX-License-Identifier: GPL-2.0
//
// ICMP errors: which are believed, what they do to an attempt and to a connection, and the path MTU.
#include "conn/tcb.h"
#include "tests/raw_conn.h"

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

TEST_F(Icmp, SaysWhyAnAttemptEnded) {
  const std::pair<atcp_icmp_kind, atcp_err> table[] = {
      {ATCP_ICMP_HOST_UNREACH, ATCP_ERR_HOST_UNREACH},
      {ATCP_ICMP_NET_UNREACH, ATCP_ERR_NET_UNREACH},
      {ATCP_ICMP_HOST_BARRED, ATCP_ERR_HOST_UNREACH},
      {ATCP_ICMP_NET_BARRED, ATCP_ERR_NET_UNREACH},
      {ATCP_ICMP_PROTO_UNREACH, ATCP_ERR_PROTO_UNREACH},
      {ATCP_ICMP_TIME_EXCEEDED, ATCP_ERR_HOST_UNREACH},
      {ATCP_ICMP_PARAM_PROBLEM, ATCP_ERR_PROTO},
      {ATCP_ICMP_PROHIBITED, ATCP_ERR_PROHIBITED},
      {ATCP_ICMP_UNKNOWN, ATCP_ERR_PROTO},
      {ATCP_ICMP_SRC_ROUTE, ATCP_ERR_NOT_SUPPORTED},
      {ATCP_ICMP_HOST_UNKNOWN, ATCP_ERR_HOST_DOWN},
      {ATCP_ICMP_HOST_ISOLATED, ATCP_ERR_NO_NET}};
  for (const auto& [kind, err] : table) {
    SCOPED_TRACE(kind);
    Sock s = srv.socket();
    ASSERT_EQ(srv.try_connect(s, ip4(10, 0, 0, 2), 5000), ATCP_OK);
    s.icmp(kind, reply().seq);
    EXPECT_EQ(s.error(), err);
  }
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
  s.icmp(ATCP_ICMP_HOST_UNREACH, iss + 2);
  s.icmp(ATCP_ICMP_FRAG_NEEDED, iss, 600);
  s.icmp(ATCP_ICMP_FRAG_NEEDED, iss + 3, 600);
  EXPECT_EQ(s.conn().soft_error, ATCP_OK);
  EXPECT_EQ(s.tcb().mss, 1460u);
  EXPECT_EQ(srv.counter("OutOfWindowIcmps"), 4u);
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

// ---- the route itself changes ------------------------------------------------------------------------

using RouteMtu = RawConnTest;

size_t bytes_of(const std::deque<Emitted>& sent) {
  size_t n = 0;
  for (const Emitted& e : sent)
    n += e.data.size();
  return n;
}

TEST_F(RouteMtu, IsFollowedByWhatIsSentNext) {
  open_with({});
  srv.os().mtu = 600;
  replies.clear();
  s.send(Bytes(3000));
  EXPECT_EQ(s.tcb().mss, 560u);
  EXPECT_EQ(bytes_of(replies), 3000u);
  peer(0, 3000);
  // And upwards.
  srv.os().mtu = 1500;
  s.send(Bytes(3000));
  EXPECT_EQ(s.tcb().mss, 1460u);
  EXPECT_EQ(bytes_of(replies), 3000u);
}

TEST_F(RouteMtu, DoesNotUndoARoutersWord) {
  open_with({});
  s.send(Bytes(1460));
  s.icmp(ATCP_ICMP_FRAG_NEEDED, at(0), 1000);
  peer(0, 1460);
  // The route has not changed: what it says is no news.
  s.send(Bytes(1460));
  EXPECT_EQ(s.tcb().mss, 960u);
}

TEST_F(RouteMtu, IsFollowedByRetransmissions) {
  open_with({});
  write_segs(2);
  replies.clear();
  srv.os().mtu = 600;
  net.run(2 * kSec);
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(s.tcb().mss, 560u);
  for (const Emitted& e : replies)
    EXPECT_EQ(e.mss, 560u);
  peer(0, 2 * kMss);
  EXPECT_EQ(s.tcb().packets_out, 0u);
  EXPECT_EQ(s.tcb().snd_una, s.tcb().write_seq);
}

TEST_F(RouteMtu, MessageAboutWhatDidNotLeave) {
  open_with({});
  replies.clear();
  FakeOs::the().fail(Fault::Emit, 1);
  s.send(Bytes(3000));
  ASSERT_EQ(bytes_of(replies), 0u);
  ASSERT_EQ(s.tcb().packets_out, 0u);
  s.icmp(ATCP_ICMP_FRAG_NEEDED, at(0), 600);
  EXPECT_EQ(s.tcb().mss, 560u);
  EXPECT_EQ(bytes_of(replies), 3000u);  // at once, not when a timer says so
  EXPECT_EQ(s.tcb().ca_state, CaState::Open);
}

}  // namespace
}  // namespace atcp::test
