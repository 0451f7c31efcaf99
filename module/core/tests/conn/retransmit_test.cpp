// SPDX-License-Identifier: GPL-2.0
//
// Timeouts against a silent peer: back-off, Karn's rule, retries by number, by time, and of an orphan.
#include "conn/tcb.h"
#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

struct Retransmit : RawPeerTest {
  void SetUp() override {
    listener = srv.listen(kPort);
    iss = open();
    s = *listener.accept();
    srv.os().wire = [this](Emitted&& e) {
      times.push_back(net.now());
      replies.push_back(std::move(e));
    };
  }
  void TearDown() override { net.close_all(); }  // while `times` is still there
  Sock listener, s;
  uint32_t iss = 0;
  std::vector<uint64_t> times;
};

TEST_F(Retransmit, BacksOffByDoubling) {
  s.send("x");
  net.run(20 * kSec);
  ASSERT_GE(times.size(), 5u);
  const uint64_t first = times[1] - times[0];
  EXPECT_EQ(first / kMs, s.tcb().rtt.rto_us(200000, 120000000) / 1000);
  for (size_t i = 2; i < 5; i++)
    EXPECT_EQ(times[i] - times[i - 1], first << (i - 1));
  for (const Emitted& e : replies)
    EXPECT_EQ(e.seg.seq, iss + 1);
  EXPECT_EQ(s.info().total_retrans, times.size() - 1);
}

TEST_F(Retransmit, KarnTakesNoSampleAndKeepsTheBackoff) {
  s.send("x");
  net.run(1200 * kMs);
  ASSERT_GE(times.size(), 2u);
  const uint32_t srtt = s.tcb().rtt.srtt_us();
  send({.seq = kIrs + 1, .ack = iss + 2});
  EXPECT_EQ(s.tcb().rtt.srtt_us(), srtt);
  EXPECT_EQ(s.tcb().packets_out, 0u);
}

TEST_F(Retransmit, UserTimeoutEndsIt) {
  EXPECT_EQ(s.set_option(18, 3000), ATCP_OK);
  s.send("x");
  net.run(2 * kSec);
  EXPECT_EQ(s.error(), ATCP_OK);
  net.run(10 * kSec);
  EXPECT_EQ(s.error(), ATCP_ERR_TIMED_OUT);
  EXPECT_EQ(srv.reason(ATCP_REASON_TIMEOUT_USER), 1u);
}

TEST_F(Retransmit, OrphanGivesUpSooner) {
  srv.set("orphan_retries", "2");
  s.send("x");
  s.close();
  net.run(20 * kSec);
  EXPECT_FALSE(s.exists());
  EXPECT_EQ(srv.reason(ATCP_REASON_TIMEOUT_RETRANSMIT), 1u);
}

}  // namespace
}  // namespace atcp::test
