// SPDX-License-Identifier: GPL-2.0
//
// What leaves: the FIN that is all that is left of a piece, answers that could not be handed to IP, new data
// for which the local queue had no room, Nagle's rule.
#include "tests/raw_peer.h"

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

}  // namespace
}  // namespace atcp::test
