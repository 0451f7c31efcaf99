// SPDX-License-Identifier: GPL-2.0
//
// Tests of --netns where no namespace is entered: names that are not there.
#include "netns.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "model.h"

namespace atcp::tool {
namespace {

std::string complaint(const std::string& name, const std::string& folder) {
  try {
    enter_netns(name, folder);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(EnterNetns, NamesTheNearest) {
  char folder[] = "/tmp/atcp-netns-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  std::ofstream(std::string(folder) + "/blue") << "";
  std::ofstream(std::string(folder) + "/red") << "";
  EXPECT_EQ(netns_names(folder), (std::vector<std::string>{"blue", "red"}));
  EXPECT_EQ(complaint("blu", folder), "there is no network namespace 'blu'; did you mean blue?");
  EXPECT_EQ(complaint("xyzzy", folder), "there is no network namespace 'xyzzy' (blue, red)");
  EXPECT_NE(complaint("blue", folder), "");  // a file that is no namespace
  std::filesystem::remove_all(folder);
}

TEST(EnterNetns, WithoutAny) {
  EXPECT_EQ(complaint("a", "/nonexistent"),
            "there is no network namespace 'a', nor any other (ip netns add a)");
}

}  // namespace
}  // namespace atcp::tool
