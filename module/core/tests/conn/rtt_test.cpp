// SPDX-License-Identifier: GPL-2.0
//
// The RTT estimator against RFC 6298's formulas in floating point, and its timeouts at their bounds.
#include "conn/rtt.h"

#include <gtest/gtest.h>

#include <cmath>

namespace atcp {
namespace {

TEST(Rtt, BeforeAnySampleOneSecond) {
  const RttEstimator r;
  EXPECT_FALSE(r.have_sample());
  EXPECT_EQ(r.rto_us(200000, 120000000), 1000000u);
  EXPECT_EQ(r.rto_us(200000, 500000), 500000u);
}

TEST(Rtt, FollowsTheFormulas) {
  RttEstimator r;
  double srtt = 0;
  double var = 0;
  uint32_t x = 1;
  for (int i = 0; i < 2000; i++) {
    x = x * 1664525 + 1013904223;
    const uint32_t sample = 20000 + (x >> 16);
    r.sample(sample, i * 1000);
    if (i == 0) {
      srtt = sample;
      var = sample / 2.0;
    } else {
      var = 0.75 * var + 0.25 * std::fabs(srtt - sample);
      srtt = 0.875 * srtt + 0.125 * sample;
    }
    ASSERT_NEAR(r.srtt_us(), srtt, 10) << i;
    ASSERT_NEAR(r.rttvar_us(), var, 10) << i;
  }
}

TEST(Rtt, VarianceHasAFloor) {
  RttEstimator r;
  for (int i = 0; i < 100; i++)
    r.sample(30000, 0);
  EXPECT_EQ(r.rto_us(200000, 120000000), 230000u);
}

TEST(Rtt, BackoffDoublesUpToTheLargest) {
  RttEstimator r;
  for (int i = 0; i < 100; i++)
    r.sample(100000, 0);
  EXPECT_EQ(r.backed_off_us(0, 200000, 120000000), 300000u);
  EXPECT_EQ(r.backed_off_us(3, 200000, 120000000), 2400000u);
  EXPECT_EQ(r.backed_off_us(30, 200000, 120000000), 120000000u);
}

TEST(Rtt, LeastIsForgottenAfterItsWindow) {
  RttEstimator r;
  r.sample(1000, 0);
  r.sample(5000, 300ull * 1000000);
  EXPECT_EQ(r.min_rtt_us(), 1000u);
  r.sample(5000, 301ull * 1000000);
  EXPECT_EQ(r.min_rtt_us(), 5000u);
}

TEST(Rtt, ExtremesFit) {
  RttEstimator r;
  r.sample(0, 0);
  EXPECT_TRUE(r.have_sample());
  r.sample(0xffffffff, 0);
  EXPECT_LE(r.srtt_us(), 1u << 28);
}

}  // namespace
}  // namespace atcp
