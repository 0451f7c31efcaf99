// SPDX-License-Identifier: GPL-2.0
//
// Every reason has its own name, in the tool's spelling, and a text.
#include "table/reasons.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace atcp {
namespace {

TEST(KReasons, NamesAreLowerCaseAndDiffer) {
  std::set<std::string> names;
  for (const ReasonRow& r : kReasons) {
    EXPECT_TRUE(names.insert(r.name).second) << r.name;
    EXPECT_NE(r.help[0], '\0') << r.name;
    for (const char* p = r.name; *p != '\0'; p++)
      EXPECT_TRUE(*p == '_' || (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')) << r.name;
  }
  EXPECT_STREQ(kReasons[ATCP_REASON_PAWS].name, "paws");
  EXPECT_STREQ(kReasons[ATCP_REASON_NORMAL_CLOSE].name, "normal_close");
}

}  // namespace
}  // namespace atcp
