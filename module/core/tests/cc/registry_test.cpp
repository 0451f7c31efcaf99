// SPDX-License-Identifier: GPL-2.0
//
// The registry of congestion controls: finding by name, the default, and what a valid algorithm has
// to bring along.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "cc/registry.h"

namespace atcp {
namespace {

void init(CcState&, uint64_t) {}
uint32_t ssthresh(CcState&, atcp_cc_event, uint64_t) {
  return 2;
}
void on_ack(CcState&, const CcAck&) {}

CcOps complete() {
  CcOps ops = {};
  ops.name = "x";
  ops.init = init;
  ops.ssthresh = ssthresh;
  ops.on_ack = on_ack;
  return ops;
}

TEST(CcGet, EveryRowIsValidAndHasANameOfItsOwn) {
  std::set<std::string> names;
  ASSERT_GE(cc_count(), 2u);
  for (uint32_t i = 0; i < cc_count(); i++) {
    EXPECT_TRUE(cc_valid(cc_get(i))) << i;
    EXPECT_TRUE(names.insert(cc_get(i).name).second) << cc_get(i).name;
  }
}

TEST(CcFind, EveryRowByItsName) {
  for (uint32_t i = 0; i < cc_count(); i++)
    EXPECT_EQ(cc_find(cc_get(i).name), static_cast<int32_t>(i));
}

TEST(CcFind, BuiltIns) {
  EXPECT_GE(cc_find("reno"), 0);
  EXPECT_GE(cc_find("cubic"), 0);
}

TEST(CcFind, NoSuchName) {
  EXPECT_EQ(cc_find(""), -1);
  EXPECT_EQ(cc_find("ren"), -1);
  EXPECT_EQ(cc_find("reno "), -1);
  EXPECT_EQ(cc_find("renoo"), -1);
  EXPECT_EQ(cc_find("Reno"), -1);
  EXPECT_EQ(cc_find("a name that is longer than any algorithm's"), -1);
  EXPECT_EQ(cc_find(nullptr), -1);
}

TEST(CcDefault, IsCubic) {
  EXPECT_STREQ(cc_get(cc_default()).name, "cubic");
}

TEST(CcDefault, NeedsNoPrivilege) {
  EXPECT_FALSE(has_flag(cc_get(cc_default()), ATCP_CC_RESTRICTED));
}

TEST(CcValid, Complete) {
  EXPECT_TRUE(cc_valid(complete()));
}

TEST(CcValid, Name) {
  CcOps ops = complete();
  ops.name = nullptr;
  EXPECT_FALSE(cc_valid(ops));
  ops.name = "";
  EXPECT_FALSE(cc_valid(ops));
  ops.name = "123456789012345";
  EXPECT_TRUE(cc_valid(ops));
  ops.name = "1234567890123456";
  EXPECT_FALSE(cc_valid(ops));
}

TEST(CcValid, RequiredHooks) {
  CcOps ops = complete();
  ops.init = nullptr;
  EXPECT_FALSE(cc_valid(ops));
  ops = complete();
  ops.ssthresh = nullptr;
  EXPECT_FALSE(cc_valid(ops));
  ops = complete();
  ops.on_ack = nullptr;
  EXPECT_FALSE(cc_valid(ops));
}

}  // namespace
}  // namespace atcp
