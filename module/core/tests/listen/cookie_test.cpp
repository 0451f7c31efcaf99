// SPDX-License-Identifier: GPL-2.0
//
// Cookies as numbers: what they carry, what they are bound to, how long they hold.
#include "listen/cookie.h"

#include <gtest/gtest.h>

#include "tests/fake_os.h"

namespace atcp::test {
namespace {

constexpr CookieKind kKinds[] = {CookieKind::Plain, CookieKind::Timestamped};
constexpr CookieSyn kSyn = {1460, true, true, false, 7};

atcp_tuple some_tuple(uint16_t port) {
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = 0x0100000a;
  t.raddr.v4 = 0x0200000a;
  t.lport = to_be16(80);
  t.rport = to_be16(port);
  return t;
}

class CookieTest : public ::testing::Test {
 protected:
  CookieTest() { key.init(); }
  Seq make(CookieKind kind, const CookieSyn& syn, uint32_t now_s) {
    return cookie_make(key, kind, some_tuple(1), Seq(7), syn, now_s);
  }
  bool check(CookieKind kind, Seq c, uint32_t now_s) {
    return cookie_check(key, kind, some_tuple(1), Seq(7), c, now_s, &out);
  }

  FakeOs os;
  RotatingKey key;
  CookieSyn out = {};
};

TEST_F(CookieTest, MssIsCutToOneOfEight) {
  const struct {
    uint16_t in, out;
  } kRows[] = {{100, 536},   {536, 536},   {1219, 536},  {1220, 1220}, {1299, 1220},
               {1300, 1300}, {1379, 1300}, {1400, 1380}, {1440, 1440}, {1451, 1440},
               {1452, 1452}, {1460, 1460}, {8959, 1460}, {8960, 8960}, {65535, 8960}};
  for (const CookieKind kind : kKinds) {
    for (const auto& row : kRows) {
      ASSERT_TRUE(check(kind, make(kind, {row.in, false, false, 0}, 1000), 1000));
      EXPECT_EQ(out.mss, row.out) << row.in;
    }
  }
}

atcp_tuple some_tuple6() {
  atcp_tuple t = some_tuple(1);
  t.family = ATCP_AF_INET6;
  for (uint8_t i = 0; i < 16; i++) {
    t.laddr.v6[i] = i;
    t.raddr.v6[i] = static_cast<uint8_t>(16 + i);
  }
  return t;
}

TEST_F(CookieTest, MssOfIpv6IsCutToOneOfEightOfItsOwn) {
  const struct {
    uint16_t in, out;
  } kRows[] = {{100, 536},   {1219, 536},  {1220, 1220}, {1300, 1300}, {1359, 1300},
               {1360, 1360}, {1419, 1360}, {1420, 1420}, {1431, 1420}, {1432, 1432},
               {1440, 1440}, {1460, 1440}, {8939, 1440}, {8940, 8940}, {65535, 8940}};
  for (const CookieKind kind : kKinds) {
    for (const auto& row : kRows) {
      const Seq c = cookie_make(key, kind, some_tuple6(), Seq(7), {row.in, false, false, 0}, 1);
      ASSERT_TRUE(cookie_check(key, kind, some_tuple6(), Seq(7), c, 1, &out));
      EXPECT_EQ(out.mss, row.out) << row.in;
    }
  }
}

TEST_F(CookieTest, IsBoundToEveryByteOfAnIpv6Address) {
  for (const CookieKind kind : kKinds) {
    const Seq c = cookie_make(key, kind, some_tuple6(), Seq(7), kSyn, 1);
    for (int i = 0; i < 16; i++) {
      atcp_tuple t = some_tuple6();
      t.laddr.v6[i] ^= 1;
      EXPECT_FALSE(cookie_check(key, kind, t, Seq(7), c, 1, &out)) << i;
      t = some_tuple6();
      t.raddr.v6[i] ^= 1;
      EXPECT_FALSE(cookie_check(key, kind, t, Seq(7), c, 1, &out)) << i;
    }
    atcp_tuple four = some_tuple6();
    four.family = ATCP_AF_INET;
    EXPECT_FALSE(cookie_check(key, kind, four, Seq(7), c, 1, &out));
  }
}

TEST_F(CookieTest, LosesNothingThatLinuxKeeps) {
  for (uint32_t mss = 536; mss < 65536; mss++) {
    const uint16_t linux_mss = mss >= 1460 ? 1460 : mss >= 1440 ? 1440 : mss >= 1300 ? 1300 : 536;
    if (mss % 97 != 0 && mss != 1300 && mss != 1440 && mss != 1460) continue;
    ASSERT_TRUE(check(CookieKind::Plain,
                      make(CookieKind::Plain, {static_cast<uint16_t>(mss), false, false, 0}, 1),
                      1));
    EXPECT_GE(out.mss, linux_mss) << mss;
    EXPECT_LE(out.mss, mss);
  }
}

TEST_F(CookieTest, PlainOneCarriesWindowScaleAndSack) {
  constexpr uint8_t kFloor[] = {0, 0, 2, 2, 4, 4, 6, 7, 8, 8, 10, 10, 10, 10, 10};
  for (const bool sack : {false, true}) {
    for (uint8_t shift = 0; shift <= 14; shift++) {
      ASSERT_TRUE(
          check(CookieKind::Plain, make(CookieKind::Plain, {536, sack, true, false, shift}, 1), 1));
      EXPECT_EQ(out.sack_ok, sack);
      EXPECT_TRUE(out.wscale_ok);
      EXPECT_EQ(out.snd_wscale, kFloor[shift]) << int(shift);
    }
    ASSERT_TRUE(
        check(CookieKind::Plain, make(CookieKind::Plain, {536, sack, false, false, 9}, 1), 1));
    EXPECT_FALSE(out.wscale_ok);
    EXPECT_EQ(out.snd_wscale, 0);
    EXPECT_EQ(out.sack_ok, sack);
  }
}

TEST_F(CookieTest, HoldsForTwoPeriods) {
  for (const CookieKind kind : kKinds) {
    key.init();  // time begins anew
    // 600 s of use apart, so the key changes on the way.
    for (const uint32_t made : {0u, 59u, 60u, 119u, 6000u, 6059u, 6599u, 6600u, 6659u}) {
      const Seq c = make(kind, kSyn, made);
      const uint32_t end = (made / 60 + 2) * 60;
      EXPECT_TRUE(check(kind, c, made)) << made;
      EXPECT_TRUE(check(kind, c, end - 1)) << made;
      EXPECT_FALSE(check(kind, c, end)) << made;
      EXPECT_FALSE(check(kind, c, end + 60)) << made;
    }
  }
}

TEST_F(CookieTest, FromTheFutureIsNone) {
  for (const CookieKind kind : kKinds) {
    const Seq c = make(kind, kSyn, 6060);
    EXPECT_TRUE(check(kind, c, 6060));
    EXPECT_FALSE(check(kind, c, 6059));
    EXPECT_FALSE(check(kind, c, 6000));
    EXPECT_FALSE(check(kind, c, 5940));
  }
}

TEST_F(CookieTest, KeyIsReplacedAndItsCookiesLiveOn) {
  for (const CookieKind kind : kKinds) {
    key.init();
    make(kind, kSyn, 60000);
    const Seq old = make(kind, kSyn, 60599);
    make(kind, kSyn, 60600);  // the new key's first
    EXPECT_TRUE(check(kind, old, 60600));
    EXPECT_TRUE(check(kind, old, 60659));
    EXPECT_FALSE(check(kind, old, 60660));
  }
}

TEST_F(CookieTest, IsBoundToEverything) {
  RotatingKey other;
  other.init();
  for (const CookieKind kind : kKinds) {
    const CookieKind wrong =
        kind == CookieKind::Plain ? CookieKind::Timestamped : CookieKind::Plain;
    const Seq c = make(kind, kSyn, 1000);
    ASSERT_TRUE(check(kind, c, 1000));
    EXPECT_FALSE(check(wrong, c, 1000));
    EXPECT_FALSE(cookie_check(other, kind, some_tuple(1), Seq(7), c, 1000, &out));
    EXPECT_FALSE(cookie_check(key, kind, some_tuple(2), Seq(7), c, 1000, &out));
    EXPECT_FALSE(cookie_check(key, kind, some_tuple(1), Seq(8), c, 1000, &out));
    atcp_tuple port = some_tuple(1);
    port.lport = to_be16(81);
    EXPECT_FALSE(cookie_check(key, kind, port, Seq(7), c, 1000, &out));
    atcp_tuple addr = some_tuple(1);
    addr.laddr.v4 ^= 1;
    EXPECT_FALSE(cookie_check(key, kind, addr, Seq(7), c, 1000, &out));
    for (uint32_t bit = 0; bit < 32; bit++)
      EXPECT_FALSE(check(kind, Seq(c.raw() ^ (1u << bit)), 1000)) << bit;
  }
}

TEST_F(CookieTest, TimestampCarriesOptionsAndIsNotAhead) {
  for (const uint32_t now : {0u, 1u, 63u, 64u, 1000003u, 0xffffffffu}) {
    for (int ws = -1; ws <= 14; ws++) {
      const CookieSyn in = {1460, ws % 2 == 0, ws >= 0, ws % 3 == 0,
                            static_cast<uint8_t>(ws < 0 ? 0 : ws)};
      const uint32_t ts = cookie_tsval(now, in);
      EXPECT_LE(static_cast<int32_t>(ts - now), 0);
      EXPECT_GT(static_cast<int32_t>(ts - now), -128);
      for (const uint32_t later : {0u, 1u, 120000u}) {
        ASSERT_TRUE(cookie_take_tsval(ts, now + later, &out));
        EXPECT_EQ(out.sack_ok, in.sack_ok);
        EXPECT_EQ(out.wscale_ok, in.wscale_ok);
        EXPECT_EQ(out.ecn_ok, in.ecn_ok);
        EXPECT_EQ(out.snd_wscale, in.snd_wscale);
      }
    }
  }
}

TEST_F(CookieTest, TimestampThatWasNeverSentIsNone) {
  const uint32_t ts = cookie_tsval(5000000, kSyn);
  EXPECT_FALSE(cookie_take_tsval(ts, ts - 1, &out));       // from the future
  EXPECT_FALSE(cookie_take_tsval(ts, ts + 121000, &out));  // from long ago
}

}  // namespace
}  // namespace atcp::test
