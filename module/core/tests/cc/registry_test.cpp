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
  ops.abi = ATCP_CC_ABI;
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
    if (cc_get(i) != nullptr) {
      EXPECT_TRUE(cc_valid(*cc_get(i))) << i;
      EXPECT_STREQ(cc_get(i)->name, cc_name(i));
    }
    EXPECT_TRUE(names.insert(cc_name(i)).second) << cc_name(i);
  }
}

TEST(CcFind, EveryRowByItsName) {
  for (uint32_t i = 0; i < cc_count(); i++)
    EXPECT_EQ(cc_find(cc_name(i)), cc_get(i) != nullptr ? static_cast<int32_t>(i) : -1);
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
  EXPECT_STREQ(cc_default().name, "cubic");
}

TEST(CcDefault, NeedsNoPrivilege) {
  EXPECT_FALSE(has_flag(cc_default(), ATCP_CC_RESTRICTED));
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
  ops.control = on_ack;  // which does its work and more
  EXPECT_TRUE(cc_valid(ops));
}

TEST(CcValid, MemoryHasALimit) {
  CcOps ops = complete();
  ops.more_bytes = 1024;
  EXPECT_TRUE(cc_valid(ops));
  ops.more_bytes = 1025;
  EXPECT_FALSE(cc_valid(ops));
}

TEST(CcValid, AnotherVersionOfTheInterface) {
  CcOps ops = complete();
  ops.abi = ATCP_CC_ABI + 1;
  EXPECT_FALSE(cc_valid(ops));
}

// ---- of other modules

TEST(CcAdd, IsFoundUntilItIsRemoved) {
  CcOps ops = complete();
  ops.name = "added";
  EXPECT_EQ(cc_find("added"), -1);
  ASSERT_EQ(cc_add(ops), ATCP_OK);
  const int32_t i = cc_find("added");
  ASSERT_GE(i, 0);
  EXPECT_EQ(cc_get(static_cast<uint32_t>(i)), &ops);
  EXPECT_TRUE(cc_remove(ops));
  EXPECT_EQ(cc_find("added"), -1);
  EXPECT_EQ(cc_get(static_cast<uint32_t>(i)), nullptr);
  EXPECT_FALSE(cc_remove(ops));
}

TEST(CcAdd, TheIndexIsItsNamesForEver) {
  CcOps a = complete(), b = complete();
  a.name = "first";
  b.name = "second";
  ASSERT_EQ(cc_add(a), ATCP_OK);
  const int32_t i = cc_find("first");
  cc_remove(a);
  ASSERT_EQ(cc_add(b), ATCP_OK);
  EXPECT_NE(cc_find("second"), i);
  EXPECT_STREQ(cc_name(static_cast<uint32_t>(i)), "first");
  ASSERT_EQ(cc_add(a), ATCP_OK);
  EXPECT_EQ(cc_find("first"), i);
  cc_remove(a);
  cc_remove(b);
}

TEST(CcAdd, ANameIsTakenOnce) {
  CcOps ours = complete();
  ours.name = "reno";
  EXPECT_EQ(cc_add(ours), ATCP_ERR_ADDR_IN_USE);
  CcOps a = complete(), b = complete();
  a.name = b.name = "twice";
  ASSERT_EQ(cc_add(a), ATCP_OK);
  EXPECT_EQ(cc_add(b), ATCP_ERR_ADDR_IN_USE);
  cc_remove(a);
}

TEST(CcAdd, AnInvalidOneIsRefused) {
  CcOps ops = complete();
  ops.init = nullptr;
  EXPECT_EQ(cc_add(ops), ATCP_ERR_INVALID);
}

TEST(CcAdd, NamesHaveALimit) {
  // In a process of its own: names are never given back.
  EXPECT_EXIT(
      {
        CcOps ops = complete();
        char name[16];
        ops.name = name;
        atcp_err err = ATCP_OK;
        for (uint32_t i = 0; i < kMaxCc && err == ATCP_OK; i++) {
          snprintf(name, sizeof(name), "name%u", i);
          err = cc_add(ops);
          cc_remove(ops);
        }
        _Exit(err == ATCP_ERR_NO_MEMORY && cc_count() == kMaxCc ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace atcp
