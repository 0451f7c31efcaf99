// SPDX-License-Identifier: GPL-2.0
//
// Every counter has its own name and a text.
#include "table/counters.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace atcp {
namespace {

TEST(KCounters, NamesAreThoseOfTheirIdsAndDiffer) {
  std::set<std::string> names;
  for (const CounterRow& r : kCounters) {
    EXPECT_TRUE(names.insert(r.name).second) << r.name;
    EXPECT_NE(r.help[0], '\0') << r.name;
  }
  EXPECT_STREQ(kCounters[static_cast<uint32_t>(Counter::RetransSegs)].name, "RetransSegs");
  EXPECT_STREQ(kCounters[static_cast<uint32_t>(Counter::OutOfWindowIcmps)].name,
               "OutOfWindowIcmps");
}

}  // namespace
}  // namespace atcp
