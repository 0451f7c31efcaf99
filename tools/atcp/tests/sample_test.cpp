// SPDX-License-Identifier: GPL-2.0
//
// Tests of differences between samples.
#include "sample.h"

#include <gtest/gtest.h>

namespace atcp::tool {
namespace {

TEST(Growth, LargestFirstAndNothingThatStayed) {
  std::vector<Counter> before = {{"a", 1, ""}, {"b", 5, ""}, {"c", 9, ""}};
  std::vector<Counter> now = {{"a", 2, ""}, {"b", 5, ""}, {"c", 3, ""}, {"d", 7, ""}};
  std::vector<Counter> grown = growth(before, now);
  ASSERT_EQ(grown.size(), 2u);
  EXPECT_EQ(grown[0].name, "d");
  EXPECT_EQ(grown[0].value, 7u);
  EXPECT_EQ(grown[1].value, 1u);
}

TEST(Change, FindsTheSameSocketByIdAndAddresses) {
  Sample before, now;
  Socket s;
  s.id = 4;
  s.local = {{10, 0, 0, 1}, 1};
  before.sockets = {s};
  Change c(before, now);
  EXPECT_EQ(c.earlier(s), &before.sockets[0]);
  s.id = 5;
  EXPECT_EQ(c.earlier(s), nullptr);
}

TEST(Change, ListenersWithoutAnIdDifferByInode) {
  Sample before, now;
  Listener l;
  l.inode = 1;
  before.listeners = {l};
  Change c(before, now);
  EXPECT_NE(c.earlier(l), nullptr);
  l.inode = 2;
  EXPECT_EQ(c.earlier(l), nullptr);
}

TEST(Change, ReadsNumbersOfParameters) {
  Sample before, now;
  Param p;
  p.name = "rmem";
  p.value = "4096 131072 6291456";
  now.params = {p};
  Change c(before, now);
  EXPECT_EQ(c.numbers("rmem"), (std::vector<uint64_t>{4096, 131072, 6291456}));
  EXPECT_EQ(c.param("rmem", 1), 4096u);
  EXPECT_EQ(c.param("nosuch", 1), 1u);
  EXPECT_EQ(c.seconds(), 0);
}

}  // namespace
}  // namespace atcp::tool
