// SPDX-License-Identifier: GPL-2.0
//
// Tests of completion: bash itself runs the script that is made of a small description.
#include "completion.h"

#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <memory>

namespace atcp::tool {
namespace {

Described small() {
  return {"atcp",
          "",
          {"--json", "--netns"},
          {{"params", "", {"--socket"}, {{"get", "", {}, {}}, {"set", "", {}, {}}}},
           {"explain", "", {"--seconds"}, {}},
           {"monitor", "", {"--kind"}, {}}}};
}

/// What bash offers when these words stand on the line, sorted, in one line.
std::string offered(const std::string& words, int at) {
  char name[] = "/tmp/atcp-completion-XXXXXX";
  int fd = mkstemp(name);
  EXPECT_GE(fd, 0);
  close(fd);
  std::ofstream(name) << bash_completion(small()) << "COMP_WORDS=(" << words
                      << ")\nCOMP_CWORD=" << at
                      << "\n_atcp\nprintf '%s\\n' \"${COMPREPLY[@]}\" | sort | xargs\n";
  std::string command = std::string("bash ") + name;
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  char buf[256];
  while (fgets(buf, sizeof(buf), pipe.get()))
    text += buf;
  unlink(name);
  return text;
}

TEST(BashCompletion, CommandsAndOptions) {
  EXPECT_EQ(offered("atcp ''", 1), "--json --netns explain monitor params\n");
  EXPECT_EQ(offered("atcp ex", 1), "explain\n");
}

TEST(BashCompletion, Subcommands) {
  EXPECT_EQ(offered("atcp --json params ''", 3), "--json --netns --socket get set\n");
}

TEST(BashCompletion, ConditionsOfFilters) {
  EXPECT_EQ(offered("atcp explain --s", 2), "--seconds\n");
  EXPECT_EQ(offered("atcp explain sp", 2), "sport\n");
}

TEST(BashCompletion, KindsOfEvents) {
  EXPECT_EQ(offered("atcp monitor --kind reset", 3), "reset_received reset_sent\n");
  EXPECT_EQ(offered("atcp monitor sp", 2), "sport\n");
}

TEST(ZshCompletion, IsMarkedForItsShell) {
  EXPECT_EQ(zsh_completion(small()).find("#compdef atcp\n"), 0u);
}

}  // namespace
}  // namespace atcp::tool
