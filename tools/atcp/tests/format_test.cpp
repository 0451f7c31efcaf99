// SPDX-License-Identifier: GPL-2.0
//
// Tests of format.h: single values and the table.
#include "format.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

namespace atcp::tool {
namespace {

const Address kLoopback6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

TEST(AddressText, V4AndV6AndNone) {
  EXPECT_EQ(address_text({10, 0, 0, 1}), "10.0.0.1");
  EXPECT_EQ(address_text({0, 0, 0, 0}), "0.0.0.0");
  EXPECT_EQ(address_text(kLoopback6), "[::1]");
  EXPECT_EQ(address_text({}), "*");
}

TEST(AddressPlain, HasNoBrackets) {
  EXPECT_EQ(address_plain(kLoopback6), "::1");
  EXPECT_EQ(address_plain({}), "");
}

TEST(EndpointText, PortZeroIsAStar) {
  EXPECT_EQ(endpoint_text({{127, 0, 0, 1}, 65535}), "127.0.0.1:65535");
  EXPECT_EQ(endpoint_text({{127, 0, 0, 1}, 0}), "127.0.0.1:*");
  EXPECT_EQ(endpoint_text({kLoopback6, 80}), "[::1]:80");
}

TEST(StateName, AreThoseOfSs) {
  EXPECT_EQ(state_name(ATCP_STATE_ESTABLISHED), "ESTAB");
  EXPECT_EQ(state_name(ATCP_STATE_SYN_RECEIVED), "SYN-RECV");
  EXPECT_EQ(state_name(ATCP_STATE_FIN_WAIT1), "FIN-WAIT-1");
  EXPECT_EQ(state_name(ATCP_STATE_TIME_WAIT), "TIME-WAIT");
  EXPECT_EQ(state_name(ATCP_STATE_CLOSED), "UNCONN");
}

TEST(StateName, UnknownNumbersShowThemselves) {
  EXPECT_EQ(state_name(0), "STATE-0");
  EXPECT_EQ(state_name(200), "STATE-200");
}

TEST(StateNumber, IsTheInverseForEveryState) {
  for (uint32_t state = ATCP_STATE_ESTABLISHED; state <= ATCP_STATE_CLOSING; state++)
    EXPECT_EQ(state_number(state_name(state)), state) << state_name(state);
}

TEST(StateNumber, TakesFilterNamesInAnyCase) {
  EXPECT_EQ(state_number("established"), uint32_t{ATCP_STATE_ESTABLISHED});
  EXPECT_EQ(state_number("estab"), uint32_t{ATCP_STATE_ESTABLISHED});
  EXPECT_EQ(state_number("Time-Wait"), uint32_t{ATCP_STATE_TIME_WAIT});
  EXPECT_EQ(state_number("listening"), uint32_t{ATCP_STATE_LISTEN});
  EXPECT_EQ(state_number("established "), 0u);
  EXPECT_EQ(state_number("estabx"), 0u);
  EXPECT_EQ(state_number(""), 0u);
}

TEST(SizeText, ChangesUnitAt1024) {
  EXPECT_EQ(size_text(0), "0");
  EXPECT_EQ(size_text(1023), "1023");
  EXPECT_EQ(size_text(1024), "1.0K");
  EXPECT_EQ(size_text(64 * 1024 * 1024), "64.0M");
  EXPECT_EQ(size_text(102 * 1024), "102K");
}

TEST(SizeText, DoesNotRoundUpTo1024) {
  EXPECT_EQ(size_text(1024 * 1024 - 1), "1.0M");
  EXPECT_EQ(size_text(~uint64_t{0}), "16.0E");
}

TEST(TimeUsText, ChangesUnitAtThousands) {
  EXPECT_EQ(time_us_text(0), "0us");
  EXPECT_EQ(time_us_text(999), "999us");
  EXPECT_EQ(time_us_text(1000), "1.0ms");
  EXPECT_EQ(time_us_text(20480), "20.5ms");
  EXPECT_EQ(time_us_text(200 * 1000), "200ms");
  EXPECT_EQ(time_us_text(1500 * 1000), "1.50s");
  EXPECT_EQ(time_us_text(uint64_t{7200} * 1000 * 1000), "7200s");
}

TEST(RangeText, IsEmptyForNames) {
  Param p;
  EXPECT_EQ(range_text(p), "");
  p.min = 0;
  p.max = 2;
  EXPECT_EQ(range_text(p), "0..2");
}

TEST(Table, AlignsColumnsAndLeavesNoTrailingBlanks) {
  Table t({{"Name"}, {"Value", Table::Align::kRight}, {"Help"}});
  t.add({"a", "1", ""});
  t.add({"longer", "12345678", "words"});
  EXPECT_EQ(t.text(),
            "Name       Value  Help\n"
            "a              1\n"
            "longer  12345678  words\n");
}

TEST(Table, WithoutRowsIsItsHeader) {
  EXPECT_EQ(Table({{"A"}, {"B"}}).text(), "A  B\n");
}

}  // namespace
}  // namespace atcp::tool
