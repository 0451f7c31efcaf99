// SPDX-License-Identifier: GPL-2.0
//
// Reno against the numbers that RFC 5681 gives: slow start, its end, one segment per window,
// halving; and the borders of the counters.
#include <gtest/gtest.h>

#include "cc/reno.h"
#include "tests/cc/test_sender.h"

namespace atcp {
namespace {

TEST(RenoInit, ForgetsWhatAnotherAlgorithmCounted) {
  TestSender t(kReno, 10, 10);
  EXPECT_EQ(t.s.cwnd_cnt, 0u);
  EXPECT_EQ(t.s.cwnd, 10u);
  EXPECT_EQ(t.s.ssthresh, 10u);
}

TEST(SlowStart, DoublesEachRound) {
  TestSender t(kReno, 10);
  t.round();
  EXPECT_EQ(t.s.cwnd, 20u);
  t.rounds(3);
  EXPECT_EQ(t.s.cwnd, 160u);
}

TEST(SlowStart, GrowsByAllThatAnAckCovers) {
  TestSender t(kReno, 10);
  t.ack(45);
  EXPECT_EQ(t.s.cwnd, 55u);
}

TEST(SlowStart, ReturnsWhatIsLeftAtSsthresh) {
  CcState s = {.cwnd = 10, .ssthresh = 15, .cwnd_cnt = 0, .cwnd_clamp = 1000, .priv = {}};
  EXPECT_EQ(slow_start(s, 4), 0u);
  EXPECT_EQ(s.cwnd, 14u);
  EXPECT_EQ(slow_start(s, 4), 3u);
  EXPECT_EQ(s.cwnd, 15u);
}

TEST(SlowStart, StopsAtTheClampAndLeavesNothing) {
  CcState s = {.cwnd = 10, .ssthresh = 100, .cwnd_cnt = 0, .cwnd_clamp = 12, .priv = {}};
  EXPECT_EQ(slow_start(s, 50), 0u);
  EXPECT_EQ(s.cwnd, 12u);
  EXPECT_EQ(slow_start(s, 1), 0u);
  EXPECT_EQ(s.cwnd, 12u);
}

TEST(SlowStart, AboveALoweredClamp) {
  CcState s = {.cwnd = 10, .ssthresh = 100, .cwnd_cnt = 0, .cwnd_clamp = 5, .priv = {}};
  EXPECT_EQ(slow_start(s, 1), 0u);
  EXPECT_EQ(s.cwnd, 10u);
}

TEST(SlowStart, DoesNotWrap) {
  CcState s = {.cwnd = 0x7ffffff0,
               .ssthresh = kSsthreshInfinite,
               .cwnd_cnt = 0,
               .cwnd_clamp = 0xffffffff,
               .priv = {}};
  EXPECT_EQ(slow_start(s, 0xffffffff), 0xffffffff - 0xfu);
  EXPECT_EQ(s.cwnd, kSsthreshInfinite);
}

TEST(RenoOnAck, ThePartOfAnAckBeyondSsthreshCountsForAvoidance) {
  TestSender t(kReno, 8, 10);
  t.ack(12);  // 2 to ssthresh, 10 are a window
  EXPECT_EQ(t.s.cwnd, 11u);
  EXPECT_EQ(t.s.cwnd_cnt, 0u);
}

TEST(RenoOnAck, OneSegmentPerWindow) {
  TestSender t(kReno, 10, 10);
  t.ack_n(9);
  EXPECT_EQ(t.s.cwnd, 10u);
  t.ack_n(1);
  EXPECT_EQ(t.s.cwnd, 11u);
  t.ack_n(10);
  EXPECT_EQ(t.s.cwnd, 11u);
  t.ack_n(1);
  EXPECT_EQ(t.s.cwnd, 12u);
}

TEST(RenoOnAck, HundredRoundsAddHundredSegments) {
  TestSender t(kReno, 10, 10);
  t.rounds(100);
  EXPECT_EQ(t.s.cwnd, 110u);
}

TEST(RenoOnAck, StretchAcksGrowAsSingleOnes) {
  TestSender a(kReno, 10, 10), b(kReno, 10, 10);
  for (int i = 0; i < 1000; i++) {
    a.ack_n(2);
    b.ack(2);
  }
  EXPECT_NEAR(a.s.cwnd, b.s.cwnd, 1);
  EXPECT_GT(b.s.cwnd, 60u);
}

TEST(RenoOnAck, AckOfSeveralWindows) {
  TestSender t(kReno, 10, 10);
  t.ack(35);
  EXPECT_EQ(t.s.cwnd, 13u);
  EXPECT_EQ(t.s.cwnd_cnt, 5u);
}

TEST(RenoOnAck, NotWhileTheWindowIsNotTheLimit) {
  TestSender t(kReno, 10, 20);
  t.limited = false;
  t.ack_n(1000);
  EXPECT_EQ(t.s.cwnd, 10u);
  EXPECT_EQ(t.s.cwnd_cnt, 0u);
}

TEST(RenoOnAck, NothingAcked) {
  TestSender t(kReno, 10, 10);
  t.ack(0);
  EXPECT_EQ(t.s.cwnd, 10u);
  EXPECT_EQ(t.s.cwnd_cnt, 0u);
}

TEST(RenoOnAck, Clamp) {
  TestSender t(kReno, 10, 10);
  t.s.cwnd_clamp = 12;
  t.rounds(50);
  EXPECT_EQ(t.s.cwnd, 12u);
}

TEST(RenoOnAck, WindowOfZeroDoesNotDivide) {
  TestSender t(kReno, 0, 0);
  t.ack(1);
  EXPECT_EQ(t.s.cwnd, 1u);
}

TEST(RenoOnAck, CountersDoNotWrap) {
  TestSender t(kReno, 0xfffffff0, 2);
  t.s.cwnd_cnt = 0xffffffef;
  t.ack(0xffffffff);  // 2^33 - 18 = 2 * 0xfffffff0 + 14
  EXPECT_EQ(t.s.cwnd, 0xfffffff2u);
  EXPECT_EQ(t.s.cwnd_cnt, 14u);
}

TEST(RenoSsthresh, HalfAndNeverBelowTwo) {
  TestSender t(kReno, 101);
  t.lose();
  EXPECT_EQ(t.s.ssthresh, 50u);
  EXPECT_EQ(t.s.cwnd, 50u);
  for (uint32_t cwnd : {0u, 1u, 2u, 3u, 4u}) {
    TestSender u(kReno, cwnd);
    u.lose();
    EXPECT_EQ(u.s.ssthresh, 2u) << cwnd;
  }
}

TEST(RenoSsthresh, KeepsHalfOfTheFraction) {
  struct {
    uint32_t cwnd, acked, half, to_next;
  } const cases[] = {
      {10, 0, 5, 5},  // 10 -> 5
      {10, 8, 5, 3},  // 10.8 -> 5.4
      {11, 0, 5, 3},  // 11 -> 5.5
      {11, 9, 5, 1},  // 11.8 -> 5.9
  };
  for (const auto& c : cases) {
    TestSender t(kReno, c.cwnd, c.cwnd);
    t.ack_n(c.acked);
    t.lose();
    EXPECT_EQ(t.s.cwnd, c.half) << c.cwnd << " " << c.acked;
    t.ack_n(c.to_next - 1);
    EXPECT_EQ(t.s.cwnd, c.half) << c.cwnd << " " << c.acked;
    t.ack_n(1);
    EXPECT_EQ(t.s.cwnd, c.half + 1) << c.cwnd << " " << c.acked;
  }
}

TEST(RenoSsthresh, AfterATimeoutAWindowBeginsAnew) {
  TestSender t(kReno, 10, 10);
  t.ack_n(9);
  t.timeout();
  EXPECT_EQ(t.s.cwnd_cnt, 0u);
}

TEST(RenoTimeout, SlowStartToHalfThenLinear) {
  TestSender t(kReno, 64, 64);
  t.timeout();
  EXPECT_EQ(t.s.cwnd, 1u);
  t.rounds(5);
  EXPECT_EQ(t.s.cwnd, 32u);
  t.round();
  EXPECT_EQ(t.s.cwnd, 33u);
}

// RFC 5681's sawtooth: with one loss per n packets the mean window is about sqrt(3/2 n).
TEST(RenoOnAck, SawtoothHasTheKnownMean) {
  TestSender t(kReno, 10, 10);
  const uint32_t n = 20000;
  double sum = 0, acks = 0;
  uint32_t since = 0;
  for (uint32_t i = 0; i < 100 * n; i++) {
    t.ack(1);
    if (++since == n) {
      since = 0;
      t.lose();
    }
    if (i >= 20 * n) {
      // A round trip has cwnd ACKs, so the mean over time weighs an ACK by 1/cwnd.
      sum += 1;
      acks += 1.0 / t.s.cwnd;
    }
  }
  EXPECT_NEAR(sum / acks, 173.2, 6.0);
}

}  // namespace
}  // namespace atcp
