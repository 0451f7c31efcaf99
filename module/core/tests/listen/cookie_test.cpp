// SPDX-License-Identifier: GPL-2.0
//
// Cookies as numbers: what they carry, what they are bound to, how long they hold.
#include "listen/cookie.h"

#include <gtest/gtest.h>

namespace atcp::test {
namespace {

constexpr SipKey kKey = {{1, 2}};

atcp_tuple some_tuple(uint16_t port) {
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = 0x0100000a;
  t.raddr.v4 = 0x0200000a;
  t.lport = to_be16(80);
  t.rport = to_be16(port);
  return t;
}

TEST(Cookie, MssIsCutToOneOfFour) {
  const struct {
    uint16_t in, out;
  } kRows[] = {{100, 536},   {536, 536},   {1000, 536},  {1300, 1300}, {1400, 1300},
               {1440, 1440}, {1459, 1440}, {1460, 1460}, {9000, 1460}};
  for (const auto& row : kRows) {
    uint16_t mss = 0;
    const Seq c = cookie_make(kKey, some_tuple(1), Seq(7), row.in, 1000);
    ASSERT_TRUE(cookie_check(kKey, some_tuple(1), Seq(7), c, 1000, &mss));
    EXPECT_EQ(mss, row.out) << row.in;
  }
}

TEST(Cookie, HoldsForTwoPeriods) {
  uint16_t mss = 0;
  for (const uint32_t made : {0u, 59u, 60u, 119u, 6000u}) {
    const Seq c = cookie_make(kKey, some_tuple(1), Seq(7), 1460, made);
    const uint32_t end = (made / 60 + 2) * 60;
    EXPECT_TRUE(cookie_check(kKey, some_tuple(1), Seq(7), c, end - 1, &mss)) << made;
    EXPECT_FALSE(cookie_check(kKey, some_tuple(1), Seq(7), c, end, &mss)) << made;
    EXPECT_FALSE(cookie_check(kKey, some_tuple(1), Seq(7), c, end + 60, &mss)) << made;
  }
}

TEST(Cookie, IsBoundToEverything) {
  uint16_t mss = 0;
  const Seq c = cookie_make(kKey, some_tuple(1), Seq(7), 1460, 1000);
  EXPECT_FALSE(cookie_check({{1, 3}}, some_tuple(1), Seq(7), c, 1000, &mss));
  EXPECT_FALSE(cookie_check(kKey, some_tuple(2), Seq(7), c, 1000, &mss));
  EXPECT_FALSE(cookie_check(kKey, some_tuple(1), Seq(8), c, 1000, &mss));
  for (uint32_t bit = 0; bit < 32; bit++)
    EXPECT_FALSE(cookie_check(kKey, some_tuple(1), Seq(7), Seq(c.raw() ^ (1u << bit)), 1000, &mss))
        << bit;
}

TEST(Cookie, TimestampCarriesOptionsAndIsNotAhead) {
  for (const uint32_t now : {0u, 1u, 63u, 64u, 1000003u, 0xffffffffu}) {
    for (int ws = -1; ws <= 14; ws++) {
      const CookieOptions in = {ws % 2 == 0, ws >= 0, static_cast<uint8_t>(ws < 0 ? 0 : ws)};
      const uint32_t ts = cookie_tsval(now, in);
      EXPECT_LE(static_cast<int32_t>(ts - now), 0);
      EXPECT_GT(static_cast<int32_t>(ts - now), -128);
      const CookieOptions out = cookie_options(ts);
      EXPECT_EQ(out.sack_ok, in.sack_ok);
      EXPECT_EQ(out.wscale_ok, in.wscale_ok);
      EXPECT_EQ(out.snd_wscale, in.snd_wscale);
    }
  }
}

}  // namespace
}  // namespace atcp::test
