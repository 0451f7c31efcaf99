// SPDX-License-Identifier: GPL-2.0
//
// What a close says on the wire in each state, from one host to a peer written by hand. Whole closes
// between two hosts are in input_test.cpp.
#include "conn/tcb.h"
#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

struct Close : RawPeerTest {
  /// SYN_RECEIVED by simultaneous open.
  Sock crossed() {
    Sock s = srv.socket();
    EXPECT_EQ(srv.try_connect(s, ip4(10, 0, 0, 2), 5000, kPort), ATCP_OK);
    iss = reply().seq;
    EXPECT_EQ(ask(syn()).flags, ATCP_SYN | ATCP_ACK);
    EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_SYN_RECEIVED));
    return s;
  }
  uint32_t iss = 0;
};

TEST_F(Close, FinWaitsForTheHandshake) {
  Sock s = crossed();
  s.close();
  expect_silence();
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_SYN_RECEIVED));
  net.run(1200 * kMs);  // the SYN-ACK was lost: it is what comes again
  EXPECT_EQ(reply().flags, ATCP_SYN | ATCP_ACK);
  send({.seq = kIrs + 1, .ack = iss + 1});
  const atcp_seg fin = reply();
  EXPECT_EQ(fin.flags & ATCP_FIN, ATCP_FIN);
  EXPECT_EQ(fin.seq, iss + 1);
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_FIN_WAIT1));
}

TEST_F(Close, EstablishedSendsFin) {
  Sock l = srv.listen(kPort);
  iss = open();
  Sock s = *l.accept();
  s.close();
  const atcp_seg fin = reply();
  EXPECT_EQ(fin.flags, ATCP_FIN | ATCP_ACK);
  EXPECT_EQ(fin.seq, iss + 1);
  EXPECT_EQ(fin.ack, kIrs + 1);
}

TEST_F(Close, CloseWaitThenLastAckEndsForGood) {
  Sock l = srv.listen(kPort);
  iss = open();
  Sock s = *l.accept();
  send({.flags = ATCP_FIN | ATCP_ACK, .seq = kIrs + 1, .ack = iss + 1});
  expect_silence();  // the program is likely to close: one segment for both
  s.close();
  EXPECT_EQ(reply().flags, ATCP_FIN | ATCP_ACK);
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_LAST_ACK));
  send({.seq = kIrs + 2, .ack = iss + 2});
  EXPECT_FALSE(s.exists());
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
  EXPECT_EQ(srv.reason(ATCP_REASON_NORMAL_CLOSE), 1u);
}

TEST_F(Close, LingerZeroResets) {
  Sock l = srv.listen(kPort);
  iss = open();
  l.accept()->close(true);
  const atcp_seg rst = reply();
  EXPECT_EQ(rst.flags & ATCP_RST, ATCP_RST);
  EXPECT_EQ(rst.seq, iss + 1);
  EXPECT_EQ(srv.counter("TCPAbortOnLinger"), 1u);
}

TEST_F(Close, DataAfterCloseIsReset) {
  Sock l = srv.listen(kPort);
  iss = open();
  l.accept()->close();
  replies.clear();
  EXPECT_EQ(ask({.seq = kIrs + 1, .ack = iss + 2, .data = "late"}).flags & ATCP_RST, ATCP_RST);
  EXPECT_EQ(srv.counter("TCPAbortOnData"), 1u);
}

TEST_F(Close, OrphanInFinWait2HasFinTimeout) {
  srv.set("fin_timeout", "5");
  Sock l = srv.listen(kPort);
  iss = open();
  Sock s = *l.accept();
  s.close();
  send({.seq = kIrs + 1, .ack = iss + 2});
  net.run(4900 * kMs);
  EXPECT_TRUE(s.exists());
  net.run(200 * kMs);
  EXPECT_FALSE(s.exists());
  EXPECT_EQ(srv.reason(ATCP_REASON_TIMEOUT_FIN_WAIT2), 1u);
}

}  // namespace
}  // namespace atcp::test
