// SPDX-License-Identifier: GPL-2.0
//
// Comparisons across the wrap, and what the headers of base/ compute.
#include "base/seq.h"

#include <gtest/gtest.h>

#include <random>

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

TEST(Seq, AgreesWithNumbersThatDoNotWrap) {
  // 64 bits wide, the same stream has no wrap: there < is <. Distances near 0 and near the limit as often as others.
  std::mt19937_64 rnd(3);
  constexpr int64_t kLimit = int64_t{1} << 31;
  for (int i = 0; i < 50000; i++) {
    const int64_t a = static_cast<int64_t>(rnd() >> 24) + kLimit;
    const int64_t near = static_cast<int64_t>(rnd() % 5) - 2;
    const int64_t any = static_cast<int64_t>(rnd() % (2 * kLimit)) - kLimit;
    const int64_t d =
        i % 3 == 0 ? near : (i % 3 == 1 ? any : (any < 0 ? 4 - kLimit : kLimit - 4) + near);
    const int64_t b = a + d;
    const Seq x(static_cast<uint32_t>(a)), y(static_cast<uint32_t>(b));
    ASSERT_EQ(x < y, a < b) << a << ' ' << b;
    ASSERT_EQ(x <= y, a <= b) << a << ' ' << b;
    ASSERT_EQ(x > y, a > b) << a << ' ' << b;
    ASSERT_EQ(x >= y, a >= b) << a << ' ' << b;
    ASSERT_EQ(x == y, a == b) << a << ' ' << b;
    ASSERT_EQ(x != y, a != b) << a << ' ' << b;
    ASSERT_EQ(y - x, b - a) << a << ' ' << b;
    if (d >= 0) {
      const auto n = static_cast<uint32_t>(d);
      ASSERT_EQ(bytes_between(x, y), n);
      ASSERT_EQ(x + n, y);
      ASSERT_EQ(y - n, x);
    }
  }
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
