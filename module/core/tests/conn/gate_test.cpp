// SPDX-License-Identifier: GPL-2.0
//
// Acceptability as pure functions, around the places where sequence numbers and timestamps wrap.
#include "conn/gate.h"

#include <gtest/gtest.h>

namespace atcp {
namespace {

constexpr Seq kLeft(0xfffffff0);

TEST(SeqAcceptable, BothEdgesCount) {
  EXPECT_TRUE(seq_acceptable(kLeft, 100, kLeft - 10, 10));
  EXPECT_FALSE(seq_acceptable(kLeft, 100, kLeft - 10, 9));
  EXPECT_TRUE(seq_acceptable(kLeft, 100, kLeft + 100, 1000));
  EXPECT_FALSE(seq_acceptable(kLeft, 100, kLeft + 101, 0));
}

TEST(SeqInWindow, FollowsTheTableOfRfc9293) {
  // Length 0, window 0; length 0, window > 0; length > 0, window 0; both > 0.
  EXPECT_TRUE(seq_in_window(kLeft, 0, kLeft, 0));
  EXPECT_FALSE(seq_in_window(kLeft, 0, kLeft + 1, 0));
  EXPECT_TRUE(seq_in_window(kLeft, 100, kLeft + 99, 0));
  EXPECT_FALSE(seq_in_window(kLeft, 100, kLeft - 1, 0));
  EXPECT_FALSE(seq_in_window(kLeft, 0, kLeft - 1, 1));
  EXPECT_FALSE(seq_in_window(kLeft, 100, kLeft - 1, 1));
  EXPECT_TRUE(seq_in_window(kLeft, 100, kLeft - 1, 2));
  EXPECT_TRUE(seq_in_window(kLeft, 100, kLeft + 99, 50));
  EXPECT_FALSE(seq_in_window(kLeft, 100, kLeft + 100, 1));
}

TEST(Paws, OlderIsOldAndEqualIsNot) {
  EXPECT_TRUE(paws_old(1000, 5, 999, 6));
  EXPECT_FALSE(paws_old(1000, 5, 1000, 6));
  EXPECT_FALSE(paws_old(1000, 5, 1001, 6));
}

TEST(Paws, Wraps) {
  EXPECT_TRUE(paws_old(5, 5, 0xfffffff0, 6));
  EXPECT_FALSE(paws_old(0xfffffff0, 5, 5, 6));
}

TEST(Paws, ForgetsAfter24Days) {
  EXPECT_TRUE(paws_old(1000, 5, 999, 5 + 24 * 24 * 3600));
  EXPECT_FALSE(paws_old(1000, 5, 999, 6 + 24 * 24 * 3600));
}

TEST(Paws, NoneIsNeverOld) {
  EXPECT_FALSE(paws_old(0, 5, 0xffffffff, 6));
}

TEST(Paws, ResetPassesAfterAMinute) {
  atcp_seg seg = {};
  seg.has = ATCP_OPT_TS;
  seg.tsval = 999;
  EXPECT_TRUE(paws_reject(1000, 5, seg, 100));
  seg.flags = ATCP_RST;
  EXPECT_TRUE(paws_reject(1000, 5, seg, 64));
  EXPECT_FALSE(paws_reject(1000, 5, seg, 65));
  seg.flags = ATCP_ACK;
  seg.has = 0;
  EXPECT_FALSE(paws_reject(1000, 5, seg, 6));
}

TEST(RstVerdictOf, ExactInsideOutside) {
  EXPECT_EQ(rst_verdict(kLeft + 20, kLeft, 100, kLeft + 20), RstVerdict::Reset);
  EXPECT_EQ(rst_verdict(kLeft + 20, kLeft, 100, kLeft + 21), RstVerdict::Challenge);
  EXPECT_EQ(rst_verdict(kLeft + 20, kLeft, 100, kLeft), RstVerdict::Challenge);
  EXPECT_EQ(rst_verdict(kLeft + 20, kLeft, 100, kLeft - 1), RstVerdict::Ignore);
  EXPECT_EQ(rst_verdict(kLeft + 20, kLeft, 100, kLeft + 101), RstVerdict::Ignore);
}

TEST(SegSpace, SynAndFinCount) {
  atcp_seg seg = {};
  seg.len = 10;
  EXPECT_EQ(seg_space(seg), 10u);
  seg.flags = ATCP_SYN;
  EXPECT_EQ(seg_space(seg), 11u);
  seg.flags = ATCP_SYN | ATCP_FIN;
  EXPECT_EQ(seg_space(seg), 12u);
}

}  // namespace
}  // namespace atcp
