// SPDX-License-Identifier: GPL-2.0
//
// Comparisons across the wrap, and what the headers of base/ compute.
#include "base/seq.h"

#include <gtest/gtest.h>

namespace atcp {
namespace {

TEST(Seq, OrderHoldsAcrossTheWrap) {
  const Seq before(0xfffffff0);
  const Seq after = before + 0x20;
  EXPECT_EQ(after.raw(), 0x10u);
  EXPECT_TRUE(before < after);
  EXPECT_TRUE(after > before);
  EXPECT_EQ(after - before, 0x20);
  EXPECT_EQ(before - after, -0x20);
  EXPECT_EQ(bytes_between(before, after), 0x20u);
}

TEST(Seq, HalfTheCircleIsTheLimit) {
  const Seq s(5);
  EXPECT_TRUE(s < s + 0x7fffffff);
  EXPECT_FALSE(s < s + 0x80000001);
}

TEST(RoundUpPow2, Edges) {
  EXPECT_EQ(round_up_pow2(0), 1u);
  EXPECT_EQ(round_up_pow2(1), 1u);
  EXPECT_EQ(round_up_pow2(3), 4u);
  EXPECT_EQ(round_up_pow2(1024), 1024u);
  EXPECT_EQ(round_up_pow2(1025), 2048u);
}

TEST(BigEndian, ReadsWhatItWrites) {
  uint8_t b[6] = {};
  write_be32(b + 1, 0x01020304);
  EXPECT_EQ(b[1], 1);
  EXPECT_EQ(b[4], 4);
  EXPECT_EQ(read_be32(b + 1), 0x01020304u);
  write_be16(b, 0xabcd);
  EXPECT_EQ(read_be16(b), 0xabcd);
}

}  // namespace
}  // namespace atcp
