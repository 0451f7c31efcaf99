// SPDX-License-Identifier: GPL-2.0
//
// Timestamps of RFC 7323 as a peer sees them: which of its readings is echoed, on which segments the option is, and what
// becomes of segments that lack it or have it unasked. PAWS itself is in gate_test.cpp and rfc5961_test.cpp.
#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

struct Rfc7323 : RawConnTest {
  /// A segment of the peer with that clock reading.
  Out with(uint32_t tsval, uint32_t seq, const std::string& data = "") const {
    Out o = segment(seq, 0, data);
    o.tsval = tsval;
    return o;
  }
};

TEST_F(Rfc7323, EchoIsOfTheSegmentThatMovedTheWindow) {
  open_with({.ts = true});
  const uint32_t c = clock();
  EXPECT_EQ(ask(with(c + 1, 0, "0123456789")).tsecr, c + 1);
  // Out of order: still that of the last one in order.
  EXPECT_EQ(ask(with(c + 5, 20, "0123456789")).tsecr, c + 1);
  EXPECT_EQ(ask(with(c + 6, 40, "0123456789")).tsecr, c + 1);
  // The one that fills the hole.
  EXPECT_EQ(ask(with(c + 7, 10, "0123456789")).tsecr, c + 7);
}

TEST_F(Rfc7323, DelayedAckEchoesTheEarlierOfTwo) {
  open_with({.ts = true});
  uint32_t sent = 0;
  for (int i = 0; i < 200 && s.tcb().quick_acks > 0; i++) {
    peer(sent, 0, std::string(kMssTs, 'f'));
    sent += kMssTs;
    s.recv();
    net.run(10 * kMs);
  }
  net.run(100 * kMs);
  const uint32_t c = clock();
  send(with(c, sent, std::string(kMssTs, 'f')));
  expect_silence();
  EXPECT_EQ(ask(with(c + 9, sent + kMssTs, std::string(kMssTs, 'f'))).tsecr, c);
}

TEST_F(Rfc7323, EverySegmentHasTheOption) {
  open_with({.ts = true});
  s.send("data");
  EXPECT_NE(reply().has & ATCP_OPT_TS, 0);
  EXPECT_NE(ask(segment(0, 4, "text")).has & ATCP_OPT_TS, 0);  // an ACK
  s.close(true);
  const atcp_seg rst = reply();
  EXPECT_NE(rst.flags & ATCP_RST, 0);
  EXPECT_NE(rst.has & ATCP_OPT_TS, 0);
}

TEST_F(Rfc7323, SegmentWithoutTheOptionIsTaken) {
  open_with({.ts = true});
  Out o = segment(0, 0, "bare");
  o.tsval.reset();
  EXPECT_EQ(ask(o).ack, theirs(4));
  EXPECT_EQ(s.recv_text(), "bare");
  EXPECT_EQ(s.state(), ATCP_STATE_ESTABLISHED);
}

TEST_F(Rfc7323, OptionThatWasNotAgreedIsIgnored) {
  open_with({.ts = false});
  EXPECT_EQ(ask(with(5000, 0, "new")).has & ATCP_OPT_TS, 0);
  const atcp_seg a = ask(with(4000, 3, "old"));  // no PAWS
  EXPECT_EQ(a.ack, theirs(6));
  EXPECT_EQ(s.recv_text(), "newold");
}

TEST_F(Rfc7323, EchoMeasuresOnlyWhatIsNew) {
  open_with({.ts = true});
  const uint32_t srtt = s.tcb().rtt.srtt_us();
  net.run(500 * kMs);
  peer(0, 0, "data");  // echoes a reading half a second old, and acknowledges nothing
  EXPECT_EQ(s.tcb().rtt.srtt_us(), srtt);
}

TEST_F(Rfc7323, ClockTicksInMilliseconds) {
  open_with({.ts = true});
  const uint32_t first = ask(segment(0, 0, "a")).tsval;
  net.run(100 * kMs);
  EXPECT_EQ(ask(segment(1, 0, "b")).tsval, first + 100);
  net.run(3600 * kSec);
  EXPECT_EQ(ask(segment(2, 0, "c")).tsval, first + 100 + 3600 * 1000);
}

TEST_F(Rfc7323, OffsetIsOfThePairOfHosts) {
  const uint32_t offset = timestamp_offset(srv.ns(), 1, tuple(5000));
  EXPECT_EQ(timestamp_offset(srv.ns(), 1, tuple(5001)), offset);
  atcp_tuple other = tuple(5000);
  other.raddr = address_of(ip4(10, 0, 0, 3), other.family);
  EXPECT_NE(timestamp_offset(srv.ns(), 1, other), offset);
}

}  // namespace
}  // namespace atcp::test
