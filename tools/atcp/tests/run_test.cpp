// SPDX-License-Identifier: GPL-2.0
//
// Tests of run.h: where the preload library is looked for, and what becomes of LD_PRELOAD and of the
// mark between `run` and its command.
#include "run.h"

#include <gtest/gtest.h>

namespace atcp::tool {
namespace {

using Words = std::vector<std::string>;

Words without_mark(Words args) {
  drop_run_mark(args);
  return args;
}

TEST(PreloadCandidates, BesideTheToolComesFirst) {
  Words paths = preload_candidates("/opt/atcp/bin");
  ASSERT_EQ(paths.size(), 4u);
  EXPECT_EQ(paths.front(), "/opt/atcp/bin/libatcp-preload.so");
  EXPECT_EQ(paths.back(), "/usr/lib/atcp/libatcp-preload.so");
}

TEST(PreloadCandidates, WithoutAFolderOnlyInstalledOnes) {
  for (const std::string& path : preload_candidates(""))
    EXPECT_TRUE(path.starts_with("/usr/")) << path;
}

TEST(PreloadValue, KeepsWhatWasThere) {
  EXPECT_EQ(preload_value("/l.so", nullptr), "/l.so");
  EXPECT_EQ(preload_value("/l.so", ""), "/l.so");
  EXPECT_EQ(preload_value("/l.so", "/other.so"), "/l.so:/other.so");
}

TEST(DropRunMark, TakesOnlyTheMarkThatEndsRunsOptions) {
  EXPECT_EQ(without_mark({"run", "--", "curl", "-v"}), (Words{"run", "curl", "-v"}));
  EXPECT_EQ(without_mark({"run", "--strict", "--", "curl"}), (Words{"run", "--strict", "curl"}));
  EXPECT_EQ(without_mark({"--json", "run", "--", "curl"}), (Words{"--json", "run", "curl"}));
}

TEST(DropRunMark, LeavesTheProgramsOwnMark) {
  EXPECT_EQ(without_mark({"run", "git", "log", "--", "x"}),
            (Words{"run", "git", "log", "--", "x"}));
  EXPECT_EQ(without_mark({"run", "--", "git", "--", "x"}), (Words{"run", "git", "--", "x"}));
}

TEST(DropRunMark, LeavesOtherCommandsAlone) {
  EXPECT_EQ(without_mark({"params", "set", "--", "run"}), (Words{"params", "set", "--", "run"}));
  EXPECT_EQ(without_mark({"run"}), (Words{"run"}));
  EXPECT_EQ(without_mark({}), (Words{}));
}

TEST(DropRunMark, ValuesOfOptionsAreNoWords) {
  std::vector<std::string> args = {"--netns", "run", "run", "--set", "sack=0", "--", "ls", "--"};
  drop_run_mark(args);
  EXPECT_EQ(args,
            (std::vector<std::string>{"--netns", "run", "run", "--set", "sack=0", "ls", "--"}));
}

TEST(SocketSettings, OnlyOfParametersOfSockets) {
  Param own, shared;
  own.name = "sack";
  own.per_socket = true;
  shared.name = "wire";
  EXPECT_EQ(socket_settings({own, shared}, {{"sack", "0"}, {"sack", "1"}}), "sack=0 sack=1");
  EXPECT_THROW(socket_settings({own, shared}, {{"wire", "atcp"}}), Error);
  EXPECT_THROW(socket_settings({own, shared}, {{"sakc", "0"}}), Error);
  EXPECT_THROW(socket_settings({own, shared}, {{"sack", "0 1"}}), Error);
}

}  // namespace
}  // namespace atcp::tool
