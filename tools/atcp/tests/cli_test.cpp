// SPDX-License-Identifier: GPL-2.0
//
// Tests of the command line as its wrapper has it: which words an option takes, and what is said of
// a command that does not exist.
#include "cli.h"

#include <gtest/gtest.h>

#include "model.h"

namespace atcp::tool {
namespace {

struct Line {
  CommandLine line{"a tool", "tool"};
  Words rest, kinds;
  bool hidden = false;

  Line() {
    Command cmd = line.top().add("monitor", "");
    cmd.words("FILTER", rest, "");
    cmd.words("--kind", kinds, "");
    Command secret = line.top().add("secret", "");
    secret.hide();
    secret.when_given([this] { hidden = true; });
  }
};

TEST(CommandLine, AnOptionTakesOneWordEachTime) {
  Line l;
  EXPECT_FALSE(l.line.parse({"monitor", "--kind", "drop", "sport", "80", "--kind", "state"}));
  EXPECT_EQ(l.kinds, (Words{"drop", "state"}));
  EXPECT_EQ(l.rest, (Words{"sport", "80"}));
}

TEST(CommandLine, ACommandThatDoesNotExistIsNamed) {
  Line l;
  try {
    l.line.parse({"moniter", "sport"});
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "there is no command 'moniter'; did you mean monitor?");
    EXPECT_EQ(e.status(), kExitUsage);
  }
}

TEST(CommandLine, WhatIsMissingIsAWrongLine) {
  Line l;
  EXPECT_EQ(l.line.parse({}), kExitUsage);
}

TEST(CommandLine, HiddenCommandsWorkAndAreNotDescribed) {
  Line l;
  EXPECT_FALSE(l.line.parse({"secret"}));
  EXPECT_TRUE(l.hidden);
  Described d = l.line.described();
  ASSERT_EQ(d.commands.size(), 1u);
  EXPECT_EQ(d.commands[0].name, "monitor");
}

}  // namespace
}  // namespace atcp::tool
