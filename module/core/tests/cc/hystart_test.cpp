// SPDX-License-Identifier: GPL-2.0
//
// HyStart++ (RFC 9406): a rule of section 4.2 per test, through cubic, which uses it.
#include "cc/hystart.h"

#include <gtest/gtest.h>

#include "cc/cubic.h"
#include "tests/cc/test_sender.h"

namespace atcp {
namespace {

/// A round trip of n ACKs for one segment each.
void round_of(TestSender& t, uint32_t n, uint32_t rtt_us) {
  t.next_round();
  t.rtt_us = rtt_us;
  t.ack_n(n);
}

/// Careful growth has begun: two rounds at the base RTT, eight samples of a higher one.
TestSender careful(uint32_t base_us, uint32_t rise_us) {
  TestSender t(kCubic, 100);
  round_of(t, 10, base_us);
  round_of(t, 8, base_us + rise_us);
  return t;
}

uint32_t growth(TestSender& t, uint32_t acks) {
  const uint32_t before = t.s.cwnd;
  t.ack_n(acks);
  return t.s.cwnd - before;
}

TEST(HyStart, WithoutARiseSlowStartIsTheUsual) {
  TestSender t(kCubic, 10);
  for (int i = 0; i < 10; i++)
    round_of(t, t.s.cwnd, 50000);
  EXPECT_EQ(t.s.cwnd, 10240u);
  EXPECT_EQ(t.s.ssthresh, kSsthreshInfinite);
}

TEST(HyStart, TheThresholdIsAnEighthOfTheRttWithinBounds) {
  struct {
    uint32_t base_us, thresh_us;
  } const cases[] = {{8000, 4000}, {64000, 8000}, {400000, 16000}};
  for (const auto& c : cases) {
    TestSender below = careful(c.base_us, c.thresh_us - 1);
    EXPECT_EQ(growth(below, 40), 40u) << c.base_us;
    TestSender at = careful(c.base_us, c.thresh_us);
    EXPECT_EQ(growth(at, 40), 10u) << c.base_us;
  }
}

TEST(HyStart, EightSamplesAreNeeded) {
  TestSender t(kCubic, 100);
  round_of(t, 10, 50000);
  round_of(t, 7, 80000);
  EXPECT_EQ(t.s.cwnd, 117u);
  t.ack(1);  // the eighth
  EXPECT_EQ(growth(t, 40), 10u);
}

TEST(HyStart, TheLeastOfTheRoundCounts) {
  TestSender t(kCubic, 100);
  round_of(t, 10, 50000);
  round_of(t, 20, 50000);
  t.rtt_us = 90000;
  EXPECT_EQ(growth(t, 40), 40u);
}

TEST(HyStart, AFallOfTheRttResumesSlowStart) {
  TestSender t = careful(50000, 20000);
  round_of(t, 20, 60000);
  EXPECT_EQ(growth(t, 40), 40u);
  EXPECT_EQ(t.s.ssthresh, kSsthreshInfinite);
}

TEST(HyStart, AfterFiveCarefulRoundsAvoidanceBegins) {
  TestSender t = careful(50000, 20000);
  for (int i = 0; i < 4; i++) {
    round_of(t, 8, 70000);
    EXPECT_EQ(t.s.ssthresh, kSsthreshInfinite) << i;
  }
  const uint32_t cwnd = t.s.cwnd;
  round_of(t, 8, 70000);
  EXPECT_EQ(t.s.ssthresh, cwnd);
  EXPECT_FALSE(t.s.cwnd > cwnd + 1);
}

TEST(HyStart, ALossEndsIt) {
  TestSender t = careful(50000, 20000);
  t.lose();
  EXPECT_LT(t.s.ssthresh, 100u);
  for (int i = 0; i < 20; i++)
    round_of(t, 10, 200000);
  EXPECT_LT(t.s.ssthresh, 100u);
}

TEST(HyStart, SlowStartAfterATimeoutIsTheUsual) {
  TestSender t(kCubic, 100);
  t.timeout();
  ASSERT_EQ(t.s.ssthresh, 70u);
  round_of(t, 10, 50000);
  round_of(t, 10, 100000);
  EXPECT_EQ(growth(t, 20), 20u);
}

TEST(HyStart, WhatTheWindowDoesNotLimitDoesNotGrow) {
  TestSender t(kCubic, 100);
  t.limited = false;
  for (int i = 0; i < 5; i++)
    round_of(t, 50, 50000);
  EXPECT_EQ(t.s.cwnd, 100u);
}

TEST(HyStart, ManySamplesDoNotWrap) {
  TestSender t(kCubic, 100);
  round_of(t, 10, 50000);
  round_of(t, 300, 80000);
  EXPECT_EQ(growth(t, 40), 10u);
}

}  // namespace
}  // namespace atcp
