// SPDX-License-Identifier: GPL-2.0
//
// Tests of cgroups by name, in a folder that stands for the mounted hierarchy. Ids and the way back
// from them take a kernel with cgroup2: the scenario attach has those.
#include "cgroup.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "model.h"

namespace atcp::tool {
namespace {

namespace fs = std::filesystem;

struct Tree : testing::Test {
  std::string mount;

  void SetUp() override {
    char name[] = "/tmp/atcp-cgroup-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    mount = fs::canonical(name).string();
    fs::create_directories(mount + "/system.slice/nginx.service");
    std::ofstream(mount + "/system.slice/cgroup.procs") << "1\n";
  }
  void TearDown() override { fs::remove_all(mount); }
};

using CgroupFolder = Tree;
using CgroupMount = Tree;
using FindCgroup = Tree;
using CgroupById = Tree;

TEST_F(CgroupMount, IsTheFirstOfItsType) {
  std::string file = mount + "/mounts";
  std::ofstream(file) << "proc /proc proc rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n"
                         "none /sys/fs/cgroup/uni\\040fied cgroup2 rw 0 0\nx /mnt cgroup2 rw 0 0\n";
  EXPECT_EQ(cgroup_mount(file), "/sys/fs/cgroup/uni fied");
}

TEST_F(CgroupMount, MayBeNowhere) {
  std::string file = mount + "/mounts";
  std::ofstream(file) << "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n";
  EXPECT_THROW(cgroup_mount(file), Error);
  EXPECT_THROW(cgroup_mount(mount + "/none"), Error);
}

TEST_F(CgroupFolder, ByEachOfItsNames) {
  std::string want = mount + "/system.slice/nginx.service";
  EXPECT_EQ(cgroup_folder(mount, want), want);
  EXPECT_EQ(cgroup_folder(mount, want + "/"), cgroup_folder(mount, want + "/."));
  EXPECT_EQ(cgroup_folder(mount, "/system.slice/nginx.service"), want);
  EXPECT_EQ(cgroup_folder(mount, "system.slice/nginx.service"), want);
  EXPECT_EQ(cgroup_folder(mount, "system.slice/../system.slice/nginx.service"), want);
  EXPECT_EQ(cgroup_path(mount, cgroup_folder(mount, "/system.slice")), "/system.slice");
}

TEST_F(CgroupFolder, TheRoot) {
  EXPECT_EQ(cgroup_path(mount, cgroup_folder(mount, mount)), "/");
  EXPECT_EQ(cgroup_path(mount, cgroup_folder(mount, "/.")), "/");
}

TEST_F(CgroupFolder, MustBeAFolderOfTheTree) {
  EXPECT_THROW(cgroup_folder(mount, "nginx"), Error);
  EXPECT_THROW(cgroup_folder(mount, "system.slice/cgroup.procs"), Error);
  EXPECT_THROW(cgroup_folder(mount, ".."), Error);
  EXPECT_THROW(cgroup_folder(mount, "/etc"), Error);
  fs::create_directory(mount + "-more");
  EXPECT_THROW(cgroup_folder(mount, mount + "-more"), Error);
  fs::remove(mount + "-more");
}

TEST(OwnCgroup, IsTheLineOfCgroup2) {
  EXPECT_EQ(own_cgroup("0::/user.slice/a\n"), "/user.slice/a");
  EXPECT_EQ(own_cgroup("5:cpu:/x\n1:name=systemd:/y\n0::/z\n"), "/z");
  EXPECT_EQ(own_cgroup("0::/\n"), "/");
}

TEST(OwnCgroup, OfACommandOfSystemdIsTheServices) {
  EXPECT_EQ(own_cgroup("0::/system.slice/a.service/.control\n"), "/system.slice/a.service");
  EXPECT_EQ(own_cgroup("0::/.control\n"), "/");
}

TEST(OwnCgroup, MayBeMissing) {
  EXPECT_THROW(own_cgroup("5:cpu:/x\n"), Error);
  EXPECT_THROW(own_cgroup(""), Error);
}

TEST_F(FindCgroup, MustBeOfCgroup2) {
  try {
    find_cgroup(mount, "system.slice");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("is not a cgroup of cgroup2"), std::string::npos)
        << e.what();
  }
}

TEST_F(CgroupById, IsUnknownWhereThereIsNoTree) {
  std::string path;
  EXPECT_EQ(cgroup_by_id(mount + "/none", 1, path), CgroupState::kUnknown);
  EXPECT_EQ(path, "");
}

}  // namespace
}  // namespace atcp::tool
