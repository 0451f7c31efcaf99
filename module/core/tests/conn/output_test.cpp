// SPDX-License-Identifier: GPL-2.0
//
// What leaves: the FIN that is all that is left of a piece, answers that could not be handed to IP, new data
// for which the local queue had no room, Nagle's rule.
#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

class Output : public RawPeerTest {
 protected:
  Sock open(uint16_t wnd = 60000) {
    listener_ = srv.listen(kPort);
    iss = half_open();
    send({.seq = kIrs + 1, .ack = iss + 1, .wnd = wnd});
    net.run(1 * kMs);
    replies.clear();
    return *listener_.accept();
  }
  Sock listener_;
  uint32_t iss = 0;
};

TEST_F(Output, FinAloneAfterItsDataWasAcknowledged) {
  // The window leaves room for half: the FIN rides on the unsent rest.
  Sock c = open(1000);
  EXPECT_EQ(c.send(std::string(2000, 'x')), 2000u);
  c.close();
  send({.seq = kIrs + 1, .ack = iss + 1 + 1000, .wnd = 60000});
  net.run(1 * kMs);
  replies.clear();
  // All the data is acknowledged, the FIN is not: it must come again, alone.
  send({.seq = kIrs + 1, .ack = iss + 1 + 2000, .wnd = 60000});
  net.run(400 * kMs);
  ASSERT_FALSE(replies.empty());
  const atcp_seg fin = replies.front().seg;
  EXPECT_NE(fin.flags & ATCP_FIN, 0);
  EXPECT_EQ(fin.seq, iss + 1 + 2000);
  EXPECT_EQ(fin.len, 0u);
}

/// For the stamp of a write that ends after all of it was sent.
TEST_F(Output, TheLastPieceIsKnownUntilItIsAcknowledged) {
  Sock c = open(1000);
  atcp_conn* conn = &c.conn().conn;
  uint32_t len = 0;
  EXPECT_EQ(atcp_core_tx_last(conn), nullptr);
  EXPECT_EQ(c.send(std::string(1000, 'x')), 1000u);
  EXPECT_EQ(atcp_core_tx_tail(conn, &len), nullptr);  // all is sent
  ASSERT_EQ(c.conn().tx.size(), 1u);
  EXPECT_EQ(atcp_core_tx_last(conn), &(*c.conn().tx.begin())->pkt);
  // What does not fit into the window is the last one then.
  EXPECT_EQ(c.send(std::string(500, 'y')), 500u);
  EXPECT_NE(atcp_core_tx_last(conn), nullptr);
  EXPECT_EQ(atcp_core_tx_last(conn), atcp_core_tx_tail(conn, &len));
  send({.seq = kIrs + 1, .ack = iss + 1 + 1000, .wnd = 1000});
  send({.seq = kIrs + 1, .ack = iss + 1 + 1500, .wnd = 1000});
  EXPECT_EQ(atcp_core_tx_last(conn), nullptr);
  EXPECT_EQ(c.send("z"), 1u);
  EXPECT_NE(atcp_core_tx_last(conn), nullptr);
  c.shutdown();
  EXPECT_EQ(atcp_core_tx_last(conn), nullptr);
}

/// For stamps of acknowledgements: of a piece that is acknowledged in part the port hears how far, and once it is whole.
TEST_F(Output, ThePortHearsWhatOfAPieceIsAcknowledged) {
  Sock c = open();
  EXPECT_EQ(c.send(std::string(3000, 'x')), 3000u);
  ASSERT_EQ(c.conn().tx.size(), 1u);
  const FakePkt* piece = *c.conn().tx.begin();
  send({.seq = kIrs + 1, .ack = iss + 1 + 536});
  ASSERT_EQ(c.conn().tx.size(), 1u);
  EXPECT_EQ(piece->acked, 536u);
  send({.seq = kIrs + 1, .ack = iss + 1 + 1072});
  EXPECT_EQ(piece->acked, 1072u);
  const uint64_t before = c.conn().acked_whole;
  send({.seq = kIrs + 1, .ack = iss + 1 + 3000});
  EXPECT_TRUE(c.conn().tx.empty());
  EXPECT_EQ(c.conn().acked_whole, before + 1);
  // What is thrown away is not acknowledged.
  EXPECT_EQ(c.send("more"), 4u);
  c.abort(ATCP_REASON_ABORT_BY_USER);
  EXPECT_TRUE(c.conn().tx.empty());
  EXPECT_EQ(c.conn().acked_whole, before + 1);
}

TEST_F(Output, LocalDropLeavesDataUnsent) {
  Sock c = open();
  net.os.fail(Fault::Emit, 1);
  EXPECT_EQ(c.send("hello"), 5u);
  EXPECT_TRUE(replies.empty());
  EXPECT_EQ(c.info().packets_out, 0u);
  ASSERT_TRUE(net.run_until([&] { return !replies.empty(); }, 2 * kSec));
  EXPECT_EQ(replies.front().seg.len, 5u);
  EXPECT_EQ(c.info().total_retrans, 0u);
}

TEST_F(Output, AckThatCouldNotLeaveIsOwed) {
  open();
  net.os.fail(Fault::Emit, 1);
  send({.seq = kIrs + 1, .ack = iss + 1, .data = "data"});
  EXPECT_TRUE(replies.empty());
  net.run(300 * kMs);
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(replies.front().seg.ack, kIrs + 1 + 4);
}

TEST_F(Output, NagleHoldsTheSecondSmallPiece) {
  Sock c = open();
  c.send("a");
  c.send("b");
  c.send("c");
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies.front().seg.len, 1u);
  send({.seq = kIrs + 1, .ack = iss + 2});
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies.front().seg.len, 2u);
}

TEST_F(Output, InitialWindowIsTenSegments) {
  Sock c = open();
  c.send(std::string(40000, 'x'));
  uint32_t bytes = 0;
  for (const Emitted& e : replies)
    bytes += e.seg.len;
  EXPECT_EQ(bytes, 10 * c.info().snd_mss);
}

// ---- data in both directions, with gaps -------------------------------------------------------------

using WithSackList = RawConnTest;

/// Segments on the wire.
uint32_t wire_segs(const std::deque<Emitted>& sent) {
  uint32_t n = 0;
  for (const Emitted& e : sent)
    n += static_cast<uint32_t>(e.data.size() + e.mss - 1) / std::max(e.mss, 1u);
  return n;
}

TEST_F(WithSackList, CwndCountsTheSegmentsThatLeave) {
  open_with({});
  peer(1000, 0, "out of order");
  s.tcb().cc.cwnd = 20;
  s.conn().sndbuf = 1 << 20;
  replies.clear();
  s.send(std::string(60000, 'd'));
  // 12 bytes of each are the list's.
  EXPECT_EQ(s.tcb().packets_out, 20u);
  EXPECT_EQ(wire_segs(replies), 20u);
  for (const Emitted& e : replies) {
    EXPECT_EQ(e.mss, kMss - 12);
    EXPECT_EQ(e.data.size() % e.mss, 0u) << e.text;
  }
}

TEST_F(WithSackList, PiecesAreCountedAsTheyWereCut) {
  open_with({});
  s.tcb().cc.cwnd = 40;
  peer(1000, 0, "out of order");
  replies.clear();
  s.send(std::string(20 * kMss, 'd'));
  EXPECT_EQ(s.tcb().packets_out, wire_segs(replies));
  const uint32_t out = s.tcb().packets_out;
  // An ACK of some of them, within a piece, and from now on no list: the others are what they were.
  peer(0, 5 * (kMss - 12));
  EXPECT_EQ(s.tcb().packets_out, out - 5);
  peer(0, 20 * kMss);
  EXPECT_EQ(s.tcb().packets_out, 0u);
}

TEST_F(WithSackList, DuplicateIsReportedByTheFirstAlone) {
  open_with({});
  peer(0, 0, "read");
  s.tcb().cc.cwnd = 20;
  s.tcb().ack_now = false;
  s.tcb().dsack_pending = true;
  s.tcb().dsack = {Seq(theirs(0)), Seq(theirs(4))};
  replies.clear();
  s.send(std::string(60000, 'd'));
  ASSERT_GE(replies.size(), 1u);
  EXPECT_EQ(replies.front().mss, kMss - 12);
  EXPECT_EQ(s.tcb().packets_out, wire_segs(replies));
  EXPECT_EQ(s.tcb().packets_out, 20u);
}

}  // namespace
}  // namespace atcp::test
