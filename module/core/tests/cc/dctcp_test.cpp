// SPDX-License-Identifier: GPL-2.0
//
// DCTCP against a floating-point reference of RFC 8257 3.3, and what marks and losses do to cwnd.
#include "cc/dctcp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/cc/test_sender.h"

namespace atcp {
namespace {

double alpha(const TestSender& t) {
  return static_cast<double>(dctcp_alpha(t.s)) / (1 << 20);
}

/// A round trip of `marked` marked segments and `clean` others.
void round_of(TestSender& t, uint32_t marked, uint32_t clean) {
  t.next_round();
  // What ends a window belongs to it: the first ACK of the new round.
  t.marked = true;
  t.ack_n(marked);
  t.marked = false;
  t.ack_n(clean);
}

TEST(Dctcp, BeginsAsIfAllWereMarked) {
  TestSender t(kDctcp);
  EXPECT_DOUBLE_EQ(alpha(t), 1.0);
}

TEST(Dctcp, AlphaFollowsTheReferenceOverRandomRounds) {
  std::mt19937 random(8257);
  TestSender t(kDctcp, 100, 100);
  t.limited = false;  // cwnd stays: only alpha is of interest
  double want = 1.0;
  uint32_t before_marked = 0, before_all = 0;
  for (int i = 0; i < 2000; i++) {
    const uint32_t all = 2 + random() % 300;
    const uint32_t marked = random() % 3 == 0 ? 0 : random() % all;
    // The ACK that shows that a round has ended is the first of the next one, and marked if any is.
    t.next_round();
    t.marked = marked > 0;
    t.ack(1);
    before_all += 1;
    before_marked += t.marked ? 1 : 0;
    want = want * (1 - 1.0 / 16) + 1.0 / 16 * before_marked / before_all;
    ASSERT_NEAR(alpha(t), want, 1e-4) << "round " << i;
    before_all = all - 1;
    before_marked = marked > 0 ? marked - 1 : 0;
    t.ack_n(before_marked);
    t.marked = false;
    t.ack_n(before_all - before_marked);
  }
}

TEST(Dctcp, AlphaReachesZeroWithoutMarks) {
  TestSender t(kDctcp, 10, 10);
  t.limited = false;
  for (int i = 0; i < 400; i++)
    round_of(t, 0, 10);
  EXPECT_EQ(dctcp_alpha(t.s), 0u);
}

TEST(Dctcp, AMarkTakesHalfOfAlpha) {
  TestSender t(kDctcp, 1000, 1000);
  t.limited = false;
  for (int i = 0; i < 200; i++)
    round_of(t, 10, 90);
  const double a = alpha(t);
  EXPECT_NEAR(a, 0.1, 0.01);
  t.mark();
  EXPECT_NEAR(t.s.cwnd, 1000 * (1 - a / 2), 1.0);
}

TEST(Dctcp, ALossHalvesWhateverAlphaIs) {
  TestSender t(kDctcp, 1000, 1000);
  t.limited = false;
  for (int i = 0; i < 400; i++)
    round_of(t, 0, 10);
  t.lose();
  EXPECT_EQ(t.s.cwnd, 500u);
  t.timeout();
  EXPECT_EQ(t.s.ssthresh, 250u);
}

TEST(Dctcp, NeverBelowTwoSegments) {
  TestSender t(kDctcp, 2, 2);
  t.mark();
  EXPECT_EQ(t.s.ssthresh, 2u);
}

TEST(Dctcp, GrowsAsReno) {
  TestSender t(kDctcp, 10, 10);
  t.rounds(5);
  EXPECT_EQ(t.s.cwnd, 15u);
}

TEST(Dctcp, IsForThoseWhoMay) {
  EXPECT_TRUE(has_flag(kDctcp, ATCP_CC_RESTRICTED));
  EXPECT_TRUE(has_flag(kDctcp, ATCP_CC_NEEDS_ECN));
  EXPECT_TRUE(has_flag(kDctcp, ATCP_CC_EXACT_ECE));
}

}  // namespace
}  // namespace atcp
