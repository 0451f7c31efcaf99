// SPDX-License-Identifier: GPL-2.0
//
// Tests of the table of attached cgroups.
#include "attach.h"

#include <gtest/gtest.h>

#include "json.h"

namespace atcp::tool {
namespace {

std::vector<Attached> some() {
  return {{.id = 9, .path = "/system.slice/nginx.service", .sockets = 12},
          {.id = 77, .path = "/b", .strict = true},
          {.id = 5, .gone = true, .sockets = 3},
          {.id = 6}};
}

TEST(SortAttached, ByPathAndThoseThatAreGoneLast) {
  std::vector<Attached> rows = some();
  sort_attached(rows);
  std::vector<uint64_t> ids;
  for (const Attached& row : rows)
    ids.push_back(row.id);
  EXPECT_EQ(ids, (std::vector<uint64_t>{6, 77, 9, 5}));
}

TEST(AttachedText, Golden) {
  EXPECT_EQ(attached_text(some(), true),
            "Cgroup                       Sockets  Without module  ID\n"
            "/system.slice/nginx.service       12  kernel's TCP     9\n"
            "/b                                 0  refused         77\n"
            "(gone)                             3  kernel's TCP     5\n"
            "(not seen from here)               0  kernel's TCP     6\n");
}

TEST(AttachedText, SaysThatTheModuleIsMissing) {
  EXPECT_TRUE(attached_text(some(), false).ends_with("\nThe module is not loaded (atcp load).\n"));
  EXPECT_EQ(attached_text({}, false), attached_text({}, true));
}

TEST(AttachedJson, Golden) {
  EXPECT_EQ(json_line(to_json(std::vector<Attached>{some()[1], some()[2]})),
            R"([{"cgroup":"/b","id":77,"sockets":0,"strict":true,"gone":false},)"
            R"({"id":5,"sockets":3,"strict":false,"gone":true}])"
            "\n");
}

TEST(AttachedJson, NothingIsAnEmptyList) {
  EXPECT_EQ(json_text(to_json(std::vector<Attached>{})), "[]\n");
}

}  // namespace
}  // namespace atcp::tool
