// SPDX-License-Identifier: GPL-2.0
//
// Tests of the search for programs, in a folder built like /proc.
#include "process.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace atcp::tool {
namespace {

namespace fs = std::filesystem;

class ProcessesTest : public ::testing::Test {
 protected:
  ProcessesTest() {
    char name[] = "/tmp/atcp-proc-XXXXXX";
    root_ = mkdtemp(name);
  }
  ~ProcessesTest() override { fs::remove_all(root_); }

  void program(int pid, const std::string& name, const std::vector<std::string>& links) {
    fs::path folder = root_ / std::to_string(pid);
    fs::create_directories(folder / "fd");
    std::ofstream(folder / "comm") << name << "\n";
    for (size_t fd = 0; fd < links.size(); fd++)
      fs::create_symlink(links[fd], folder / "fd" / std::to_string(fd));
  }

  fs::path root_;
};

TEST_F(ProcessesTest, FindsThoseThatShareASocket) {
  program(20, "worker", {"/dev/null", "socket:[7]", "socket:[7]", "socket:[8]"});
  program(3, "master", {"socket:[7]", "pipe:[7]"});
  Processes found = Processes::scan({7}, root_.string());
  EXPECT_EQ(found.of(7), (std::vector<Process>{{3, "master", 0}, {20, "worker", 1}}));
  EXPECT_TRUE(found.of(8).empty());
}

TEST_F(ProcessesTest, PassesOverWhatIsNoProgram) {
  fs::create_directories(root_ / "sys" / "fd");
  fs::create_symlink("socket:[7]", root_ / "sys" / "fd" / "0");
  fs::create_directories(root_ / "12");
  program(4, "x", {"socket:[7", "socket:[]", "socket:[7x]"});
  EXPECT_TRUE(Processes::scan({7, 0}, root_.string()).of(7).empty());
}

TEST_F(ProcessesTest, InodeZeroIsNoSocket) {
  Processes p;
  p.add(0, {1, "init", 0});
  EXPECT_TRUE(p.of(0).empty());
}

TEST(ProcessesText, ThreeAndHowManyMore) {
  EXPECT_EQ(processes_text({}), "");
  EXPECT_EQ(processes_text({{812, "nginx", 3}}), "nginx[812]");
  EXPECT_EQ(processes_text({{1, "a", 0}, {2, "b", 0}, {3, "c", 0}, {4, "d", 0}, {5, "e", 0}}),
            "a[1], b[2], c[3] and 2 more");
}

TEST(InPath, FindsWhatCanBeRun) {
  EXPECT_TRUE(in_path("sh"));
  EXPECT_FALSE(in_path("no-such-command-of-anybody"));
  EXPECT_FALSE(in_path("../etc/passwd"));
}

}  // namespace
}  // namespace atcp::tool
