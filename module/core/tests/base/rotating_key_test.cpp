// SPDX-License-Identifier: GPL-2.0
//
// When a key is replaced, what is still known afterwards, and that CPUs racing to replace it do so once.
#include "base/rotating_key.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/fake_os.h"

namespace atcp::test {
namespace {

constexpr uint32_t kMost = 10;

bool same(const SipKey& a, const SipKey& b) {
  return a.k[0] == b.k[0] && a.k[1] == b.k[1];
}

class RotatingKeyTest : public ::testing::Test {
 protected:
  RotatingKeyTest() { key.init(); }
  bool known(uint32_t tick, const SipKey& k) const {
    SipKey c[2] = {};
    const uint32_t n = key.candidates(tick, c);
    return same(c[0], k) || (n == 2 && same(c[1], k));
  }

  FakeOs os;
  RotatingKey key;
};

TEST_F(RotatingKeyTest, LastsItsTime) {
  const SipKey first = key.current(1000, kMost);
  for (uint32_t t = 1000; t < 1000 + kMost; t++)
    EXPECT_TRUE(same(key.current(t, kMost), first)) << t;
  EXPECT_FALSE(same(key.current(1000 + kMost, kMost), first));
}

TEST_F(RotatingKeyTest, UnusedItIsNotReplaced) {
  const SipKey first = key.current(1000, kMost);
  SipKey c[2] = {};
  EXPECT_EQ(key.candidates(5000, c), 1u);
  EXPECT_TRUE(same(c[0], first));
}

TEST_F(RotatingKeyTest, PredecessorIsKnownForWhatWasMadeBefore) {
  const SipKey a = key.current(1000, kMost);
  EXPECT_TRUE(same(key.current(1009, kMost), a));
  const SipKey b = key.current(1010, kMost);
  EXPECT_TRUE(known(1009, a));
  EXPECT_TRUE(known(1010, a));  // a CPU that was late
  EXPECT_TRUE(known(1010, b));
  EXPECT_TRUE(known(1011, b));
  EXPECT_FALSE(known(1011, a));
  EXPECT_FALSE(known(1008, b));
}

TEST_F(RotatingKeyTest, ClockBehindReplacesNothing) {
  const SipKey a = key.current(1000, kMost);
  EXPECT_TRUE(same(key.current(999, kMost), a));
  EXPECT_TRUE(same(key.current(1, kMost), a));
}

TEST_F(RotatingKeyTest, TicksWrap) {
  key.current(0x7fffffff, kMost);
  const SipKey a = key.current(0xfffffffe, kMost);
  EXPECT_TRUE(same(key.current(3, kMost), a));
  EXPECT_TRUE(known(3, a));
  EXPECT_FALSE(same(key.current(0xfffffffe + kMost, kMost), a));
}

TEST_F(RotatingKeyTest, RacersAgree) {
  key.current(1000, kMost);
  std::vector<SipKey> seen(8);
  for (uint32_t round = 1; round < 50; round++) {
    std::vector<std::thread> cpus;
    const uint32_t tick = 1000 + round * kMost;
    for (SipKey& k : seen)
      cpus.emplace_back([&] { k = key.current(tick, kMost); });
    for (std::thread& c : cpus)
      c.join();
    for (const SipKey& k : seen)
      ASSERT_TRUE(known(tick, k)) << round;
  }
}

}  // namespace
}  // namespace atcp::test
