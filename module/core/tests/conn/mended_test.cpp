// SPDX-License-Identifier: GPL-2.0
//
// Mistakes that a hostile reading of the sending half once found, one test each: what went wrong stands in its
// first line. What belongs to blind attacks is in rfc5961_test.cpp, to recovery in recovery_test.cpp.
#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

struct Mended : RawConnTest {
  const Tcb& t() const { return s.tcb(); }
  void run_rto() {
    replies.clear();
    net.run(t().rto_us() * kUs + kMs);
  }
};

TEST_F(Mended, OnlyTheFinIsLeftOfAPiece) {
  // The payload before the FIN was acknowledged: the whole piece was cut away before the FIN went again.
  open_with({});
  s.send("abc", true);
  expect_silence();
  s.shutdown();
  const atcp_seg first = reply();
  EXPECT_EQ(first.len, 3u);
  EXPECT_NE(first.flags & ATCP_FIN, 0);
  peer(0, 3);
  run_rto();
  const atcp_seg again = reply();
  EXPECT_EQ(again.seq, at(3));
  EXPECT_EQ(again.len, 0u);
  EXPECT_NE(again.flags & ATCP_FIN, 0);
  peer(0, 4);
  EXPECT_EQ(s.state(), ATCP_STATE_FIN_WAIT2);
}

TEST_F(Mended, WhatTheLocalQueueRefusesIsNotSent) {
  // It counted as sent, and the network was blamed for the loss.
  open_with({});
  net.os.fail(Fault::Emit, 1);
  s.send("data");
  expect_silence();
  EXPECT_EQ(t().packets_out, 0u);
  EXPECT_EQ(t().snd_nxt, Seq(at(0)));
  net.run(250 * kMs);
  EXPECT_EQ(reply().len, 4u);
  EXPECT_EQ(t().total_retrans, 0u);
  EXPECT_EQ(t().ca_state, CaState::Open);
}

TEST_F(Mended, WhatIsStillInTheLocalQueueIsNotSentAgain) {
  open_with({});
  s.send("data");
  replies.clear();
  s.conn().tx_busy = true;
  net.run(2 * kSec);
  expect_silence();
  EXPECT_EQ(t().cc.cwnd, 10u);
  EXPECT_EQ(t().retransmits, 0u);
  s.conn().tx_busy = false;
  net.run(500 * kMs);
  EXPECT_EQ(reply().len, 4u);
}

TEST_F(Mended, TheUserTimeoutCountsFromTheLastProgress) {
  // It counted from the first retransmission of a long episode, however far that got since.
  open_with({});
  s.set_option(18, 2000);
  s.send(std::string(10 * kMss, 'd'));
  // Without an RTT sample the timeout doubles each time: 0.2 + 0.4 + 0.8 + 1.6 s, each below the limit.
  for (uint32_t i = 1; i <= 4; i++) {
    run_rto();
    ASSERT_TRUE(s.error() == ATCP_OK) << i;
    net.run(20 * kMs);
    ack_segs(i);
  }
  EXPECT_EQ(s.state(), ATCP_STATE_ESTABLISHED);
}

TEST_F(Mended, PartOfAPieceAcknowledgedInLossIsNoNewLoss) {
  // NewReno's rule for partial ACKs was applied after a timeout too: the rest of the piece went twice.
  open_with({.sack = false});
  write_segs(10);
  run_rto();
  EXPECT_EQ(segs_out(), Segs{0});
  ack_segs(1);
  EXPECT_EQ(segs_out(), (Segs{1, 2}));
  ack_segs(2);
  EXPECT_EQ(segs_out(), (Segs{3, 4}));
  ack_segs(3);
  for (const uint32_t i : segs_out())
    EXPECT_GE(i, 5u);
}

TEST_F(Mended, ASmallerMtuForgetsInferredSegments) {
  // Duplicate ACKs counted in large segments were compared with what is out in small ones.
  open_with({.sack = false});
  write_segs(10);
  ack_segs(0);
  ack_segs(0);
  EXPECT_EQ(t().sacked_out, 2u);
  s.icmp(ATCP_ICMP_FRAG_NEEDED, at(0), 576);
  EXPECT_EQ(t().sacked_out, 0u);
  EXPECT_LE(t().mss, 536u);
  EXPECT_LE(t().lost_out, t().packets_out);
  peer(0, 10 * kMss);
  EXPECT_EQ(t().packets_out, 0u);
  EXPECT_EQ(t().lost_out, 0u);
}

TEST_F(Mended, ARefusedCutForASackMarkCostsNothingElse) {
  // A peer's SACK blocks may cut a piece into as many as it likes: the port may refuse those cuts, not the ones
  // that sending needs.
  open_with({});
  net.os.spare_splits = true;
  write_segs(10);
  ack_segs(0, {{1, 2}, {3, 4}, {5, 6}});
  EXPECT_EQ(t().sacked_out, 0u);
  run_rto();
  EXPECT_EQ(segs_out(), Segs{0});
  ack_segs(1);
  EXPECT_EQ(segs_out(), (Segs{1, 2}));
  ack_segs(10);
  EXPECT_EQ(t().packets_out, 0u);
}

TEST_F(Mended, TwoSegmentsFitThePeersWindow) {
  // One that fills the window would wait for the ACK that the peer delays.
  open_with({.wnd = 2000});
  EXPECT_EQ(t().mss, 1000u);
  wnd = 60000;
  peer(0, 0);
  EXPECT_EQ(t().mss, 1460u);
}

TEST_F(Mended, FourKilobytesAreNotSilly) {
  // Half of the largest window ever offered may be much more than is worth waiting for.
  srv.os().mtu = 9000;
  srv.os().advmss = 8960;
  open_with({.mss = 8960});
  ASSERT_EQ(t().mss, 8960u);
  peer(0, 0, "x");
  wnd = 4095;
  peer(1, 0, "y");
  ASSERT_EQ(t().snd_wnd, 4095u);
  replies.clear();
  s.send(std::string(20000, 'd'));
  expect_silence();
  wnd = 4096;
  peer(2, 0);
  EXPECT_EQ(reply().len, 4096u);
}

TEST_F(Mended, LingerBelowZeroHasNoFinWait2) {
  open_with({});
  EXPECT_EQ(s.set_option(8, -1), ATCP_OK);
  s.close();
  EXPECT_NE(reply().flags & ATCP_FIN, 0);
  peer(0, 1);
  EXPECT_NE(reply().flags & ATCP_RST, 0);
  EXPECT_FALSE(s.exists());
}

}  // namespace
}  // namespace atcp::test
