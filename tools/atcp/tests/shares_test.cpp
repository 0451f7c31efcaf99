// SPDX-License-Identifier: GPL-2.0
//
// Tests of what a connection's time went into.
#include "shares.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

namespace atcp::tool {
namespace {

TEST(LimitRow, EveryLimitHasItsRow) {
  for (uint32_t n = 0; n < __ATCP_LIMIT_MAX; n++)
    EXPECT_EQ(limit_row(n).number, n);
  EXPECT_STREQ(limit_row(__ATCP_LIMIT_MAX).name, "other");
}

TEST(Difference, OfWhatWasAdded) {
  Shares d = difference({{1, 10}, {2, 5}, {3, 1}}, {{1, 4}, {3, 2}});
  ASSERT_EQ(d.size(), 3u);
  EXPECT_EQ(d[0].time, 6u);
  EXPECT_EQ(d[1].time, 5u);
  EXPECT_EQ(d[2].time, 0u);
  EXPECT_EQ(total(d), 11u);
}

TEST(Percent, RoundsAndToleratesNothing) {
  EXPECT_EQ(percent(1, 3), 33u);
  EXPECT_EQ(percent(2, 3), 67u);
  EXPECT_EQ(percent(0, 0), 0u);
}

TEST(SharesText, LargestFirstWithBars) {
  EXPECT_EQ(shares_text({{ATCP_LIMIT_APP, 2000}, {ATCP_LIMIT_CWND, 6000}, {ATCP_LIMIT_RWND, 0}}),
            "  cwnd          75.0 %  ###################        6.0ms\n"
            "  app           25.0 %  ######                     2.0ms\n");
}

}  // namespace
}  // namespace atcp::tool
