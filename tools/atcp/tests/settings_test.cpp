// SPDX-License-Identifier: GPL-2.0
//
// Tests of settings.h: what the words after `params set` mean, and which name was meant.
#include "settings.h"

#include <gtest/gtest.h>

namespace atcp::tool {
namespace {

std::vector<Param> some_params() {
  std::vector<Param> params(4);
  params[0].name = "syncookies";
  params[0].value = "2";
  params[0].def = "1";
  params[1].name = "rmem";
  params[1].value = params[1].def = "4096 131072 6291456";
  params[2].name = "keepalive_time";
  params[2].value = "10";
  params[2].def = "7200";
  params[3].name = "sack";
  params[3].value = params[3].def = "1";
  return params;
}

/// Exit status of the Error that f throws; -1 if it throws none.
template <class F>
int status_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.status();
  }
  return -1;
}

TEST(ParseSettings, JoinsTheWordsOfAValue) {
  auto s = parse_settings({"rmem", "4096", "131072", "6291456"});
  ASSERT_EQ(s.size(), 1u);
  EXPECT_EQ(s[0].name, "rmem");
  EXPECT_EQ(s[0].value, "4096 131072 6291456");
}

TEST(ParseSettings, LeavesAQuotedValueAlone) {
  EXPECT_EQ(parse_settings({"rmem", "1 2 3"})[0].value, "1 2 3");
}

TEST(ParseSettings, TakesManyWithEqualSigns) {
  auto s = parse_settings({"sack=0", "rmem=1 2 3", "x="});
  ASSERT_EQ(s.size(), 3u);
  EXPECT_EQ(s[0].name, "sack");
  EXPECT_EQ(s[0].value, "0");
  EXPECT_EQ(s[1].value, "1 2 3");
  EXPECT_EQ(s[2].value, "");
}

TEST(ParseSettings, KeepsASecondEqualSignInTheValue) {
  EXPECT_EQ(parse_settings({"a=b=c"})[0].value, "b=c");
}

TEST(ParseSettings, RefusesHalfASetting) {
  EXPECT_EQ(status_of([] { parse_settings({}); }), kExitUsage);
  EXPECT_EQ(status_of([] { parse_settings({"sack"}); }), kExitUsage);
  EXPECT_EQ(status_of([] { parse_settings({"sack=1", "dsack"}); }), kExitUsage);
  EXPECT_EQ(status_of([] { parse_settings({"=1"}); }), kExitUsage);
}

TEST(ParseSettings, RefusesWhatNetlinkCannotCarry) {
  EXPECT_EQ(status_of([] { parse_settings({"sack", std::string(70000, '1')}); }), kExitUsage);
  EXPECT_EQ(status_of([] { parse_settings({std::string(70000, 'x') + "=1"}); }), kExitUsage);
}

TEST(SetRefusal, SaysNameAndValueOnce) {
  const std::string wanted = "cannot set sack to '7': must be a number in 0..1";
  EXPECT_EQ(set_refusal({{"sack", "7"}}, "sack=7: must be a number in 0..1"), wanted);
  EXPECT_EQ(set_refusal({{"sack", "7"}}, "sack: must be a number in 0..1"), wanted);
}

TEST(SetRefusal, LeavesOtherWordsAlone) {
  EXPECT_EQ(set_refusal({{"sack", "7"}}, "not permitted"), "cannot set sack to '7': not permitted");
}

TEST(SetRefusal, OfABatchNamesTheCulpritByTheKernelsWords) {
  EXPECT_EQ(set_refusal({{"sack", "0"}, {"dsack", "7"}}, "dsack=7: must be"),
            "cannot set (so none is set): dsack=7: must be");
}

TEST(NearestName, FindsASlip) {
  EXPECT_EQ(nearest_name(some_params(), "syncookie"), "syncookies");
  EXPECT_EQ(nearest_name(some_params(), "syn_cookies"), "syncookies");
  EXPECT_EQ(nearest_name(some_params(), "sakc"), "sack");
  EXPECT_EQ(nearest_name(some_params(), "sabd"), "");  // two wrong of four
  EXPECT_EQ(nearest_name(some_params(), "sacks"), "sack");
}

TEST(NearestName, FindsABeginning) {
  EXPECT_EQ(nearest_name(some_params(), "keepalive"), "keepalive_time");
}

TEST(NearestName, DoesNotGuessWildly) {
  EXPECT_EQ(nearest_name(some_params(), "bandwidth"), "");
  EXPECT_EQ(nearest_name(some_params(), ""), "");
  EXPECT_EQ(nearest_name({}, "sack"), "");
}

TEST(ParamByName, SuggestsInTheError) {
  EXPECT_EQ(param_by_name(some_params(), "sack").name, "sack");
  try {
    param_by_name(some_params(), "syncookie");
    FAIL() << "found a parameter that is not there";
  } catch (const Error& e) {
    EXPECT_EQ(e.status(), kExitFailed);
    EXPECT_NE(std::string(e.what()).find("did you mean syncookies?"), std::string::npos);
  }
}

TEST(ResetSettings, WithoutNamesTakesWhatIsChanged) {
  auto s = reset_settings(some_params(), {});
  ASSERT_EQ(s.size(), 2u);
  EXPECT_EQ(s[0].name, "syncookies");
  EXPECT_EQ(s[0].value, "1");
  EXPECT_EQ(s[1].name, "keepalive_time");
  EXPECT_EQ(s[1].value, "7200");
}

TEST(ResetSettings, WithNamesTakesThoseAndRefusesOthers) {
  auto s = reset_settings(some_params(), {"sack"});
  ASSERT_EQ(s.size(), 1u);
  EXPECT_EQ(s[0].value, "1");
  EXPECT_EQ(status_of([] { reset_settings(some_params(), {"sack", "nonsense"}); }), kExitFailed);
}

}  // namespace
}  // namespace atcp::tool
