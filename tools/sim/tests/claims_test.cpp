// SPDX-License-Identifier: GPL-2.0
//
// The claims of docs/simulation.md as regression tests, at their quick scale.
#include "claims.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace atcp::sim {
namespace {

class Claims : public testing::TestWithParam<Claim> {};

TEST_P(Claims, Hold) {
  const Claim& c = GetParam();
  if (const char* why = c.missing()) GTEST_SKIP() << why;
  const Outcome o = c.run(Scale::Quick, false);
  EXPECT_FALSE(o.findings.empty());
  for (const Finding& f : o.findings)
    EXPECT_TRUE(f.holds) << f.what << ": " << f.measured << ", expected " << f.expected;
}

/// The document is what `make sim` wrote when all claims held.
TEST(Document, ShowsEachClaimAndThatItHolds) {
  const std::filesystem::path docs = "docs";
  std::ifstream in(docs / "simulation.md");
  std::ostringstream text;
  text << in.rdbuf();
  const std::string all = text.str();
  const size_t begin = all.find("<!-- made by `make sim`: begin -->");
  ASSERT_NE(begin, std::string::npos);
  const std::string table = all.substr(begin);
  size_t at = 0;
  for (const Claim& c : claims()) {
    const size_t found = table.find(std::string("\n**") + c.text + "**\n");
    EXPECT_NE(found, std::string::npos) << c.name << ": run `make sim`";
    EXPECT_GT(found, at) << c.name;
    at = found;
  }
  EXPECT_EQ(table.find("**fails**"), std::string::npos);
  for (size_t i = table.find("](simulation/"); i != std::string::npos;
       i = table.find("](simulation/", i + 1)) {
    const std::string file = table.substr(i + 2, table.find(')', i) - i - 2);
    EXPECT_TRUE(std::filesystem::exists(docs / file)) << file;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Claims, testing::ValuesIn(claims()), [](const auto& info) {
  std::string name = info.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace atcp::sim
