// SPDX-License-Identifier: GPL-2.0
//
// When the retransmission timer of RFC 6298 runs and what it is set to. The arithmetic of the estimate is in
// rtt_test.cpp, back-off and Karn's rule are in retransmit_test.cpp.
#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

struct Rfc6298 : RawConnTest {
  uint64_t timer_us() const { return s.tcb().timers.at(TimerId::Retransmit); }
  uint64_t due_us() const { return net.now() / kUs + s.tcb().rto_us(); }
};

TEST_F(Rfc6298, EveryAckOfNewDataIsASample) {
  open_with({});
  double srtt = s.tcb().rtt.srtt_us();
  EXPECT_EQ(srtt, 20000);
  uint32_t acked = 0;
  for (const uint32_t ms : {100, 100, 30, 70}) {
    write_segs(1);
    net.run(ms * kMs);
    ack_segs(++acked);
    srtt += (ms * 1000.0 - srtt) / 8;
    EXPECT_NEAR(s.tcb().rtt.srtt_us(), srtt, 5) << ms;
  }
}

TEST_F(Rfc6298, TimerIsStartedStoppedAndRestarted) {
  open_with({});
  EXPECT_EQ(timer_us(), 0u);
  write_segs(1);
  const uint64_t first = timer_us();
  EXPECT_EQ(first, due_us());
  net.run(50 * kMs);
  write_segs(1);
  EXPECT_EQ(timer_us(), first);  // 5.1: it runs already
  net.run(50 * kMs);
  ack_segs(1);
  EXPECT_EQ(timer_us(), due_us());  // 5.3
  EXPECT_GT(timer_us(), first);
  ack_segs(2);
  EXPECT_EQ(timer_us(), 0u);  // 5.2
}

TEST_F(Rfc6298, ThreeSecondsAfterARepeatedSyn) {
  s = srv.socket();
  ASSERT_EQ(srv.try_connect(s, ip4(10, 0, 0, 2), 5000, kPort), ATCP_OK);
  const uint32_t number = reply().seq;
  net.run(1100 * kMs);
  ASSERT_EQ(reply().flags, ATCP_SYN);
  send({.flags = ATCP_SYN | ATCP_ACK, .seq = kIrs, .ack = number + 1, .mss = 1460});
  ASSERT_EQ(s.state(), ATCP_STATE_ESTABLISHED);
  EXPECT_EQ(s.tcb().cc.cwnd, 1u);  // RFC 5681 3.1
  replies.clear();
  s.send("x");
  ASSERT_EQ(reply().seq, number + 1);
  net.run(2990 * kMs);
  expect_silence();
  net.run(20 * kMs);
  EXPECT_EQ(reply().seq, number + 1);
}

}  // namespace
}  // namespace atcp::test
