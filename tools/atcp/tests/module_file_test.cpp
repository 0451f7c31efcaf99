// SPDX-License-Identifier: GPL-2.0
//
// Tests of what a module's file says of itself.
#include "module_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "model.h"

namespace atcp::tool {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kBytes =
    "\177ELF junk vermagic=no \0name=atcp\0vermagic=6.1.0-56-amd64 SMP preempt \0"
    "parm=ehash_entries:Buckets\0parmtype=other:uint\0nickname=x\0"sv;

TEST(ParseModule, ReadsModinfo) {
  ModuleFile m = parse_module("p", kBytes);
  EXPECT_EQ(m.path, "p");
  EXPECT_EQ(m.name, "atcp");
  EXPECT_EQ(m.release, "6.1.0-56-amd64");
  EXPECT_EQ(m.parameters, (std::vector<std::string>{"other", "ehash_entries"}));
}

TEST(ParseModule, OfNoModuleIsEmpty) {
  ModuleFile m = parse_module("p", "hello vermagic=1\0"sv);
  EXPECT_EQ(m.name, "");
  EXPECT_EQ(m.release, "");
}

TEST(ReadModule, ThrowsIfThereIsNone) {
  EXPECT_THROW(read_module("/nonexistent/atcp.ko"), Error);
}

TEST(Fitting, TheFirstThatFits) {
  std::vector<ModuleFile> files = {{"a", "atcp", "6.12", {}, false},
                                   {"b", "atcp", "6.1", {}, false},
                                   {"c", "atcp", "6.1", {}, false}};
  EXPECT_EQ(fitting(files, "6.1"), &files[1]);
  EXPECT_EQ(fitting(files, "5.10"), nullptr);
}

TEST(ReadModule, AFileOfAnotherKindIsNotTakenForAPackedModule) {
  char name[] = "/tmp/atcp-module-XXXXXX";
  int fd = mkstemp(name);
  ASSERT_GE(fd, 0);
  close(fd);
  ModuleFile m = read_module(name);
  unlink(name);
  EXPECT_EQ(m.name, "");
  EXPECT_FALSE(m.packed);
}

}  // namespace
}  // namespace atcp::tool
