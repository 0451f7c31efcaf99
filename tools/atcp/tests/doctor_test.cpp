// SPDX-License-Identifier: GPL-2.0
//
// Tests of the doctor's answers on made-up facts.
#include "doctor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "json.h"

namespace atcp::tool {
namespace {

Facts good() {
  Facts f;
  f.release = "6.1.0-1";
  f.loaded = true;
  f.load_state = "live";
  f.family = 1;
  f.family_wanted = 1;
  f.files = {{"/x/atcp.ko", "atcp", "6.1.0-1", {}, false}};
  f.preload = "/x/libatcp-preload.so";
  f.net_admin = f.sys_module = true;
  f.somaxconn = 4096;
  return f;
}

Answer about(const Facts& f, const std::string& what) {
  std::vector<Answer> answers = diagnose(f);
  auto it = std::ranges::find(answers, what, &Answer::about);
  EXPECT_NE(it, answers.end());
  return it == answers.end() ? Answer{} : *it;
}

TEST(Diagnose, AHealthyHost) {
  EXPECT_TRUE(healthy(diagnose(good())));
}

TEST(Diagnose, NotLoadedButThere) {
  Facts f = good();
  f.loaded = false;
  f.family.reset();
  EXPECT_FALSE(healthy(diagnose(f)));
  EXPECT_EQ(about(f, "module").todo, "atcp load");
  EXPECT_EQ(about(f, "netlink").grade, Grade::kNote);
}

TEST(Diagnose, FileForAnotherKernel) {
  Facts f = good();
  f.loaded = false;
  f.files[0].release = "6.12.1";
  EXPECT_EQ(about(f, "file").grade, Grade::kMissing);
  EXPECT_NE(about(f, "file").text.find("/x/atcp.ko is for 6.12.1"), std::string::npos);
  EXPECT_EQ(about(f, "module").todo, "");
}

TEST(Diagnose, ToolAndModuleOfDifferentVersions) {
  Facts f = good();
  f.family = 2;
  EXPECT_EQ(about(f, "netlink").grade, Grade::kMissing);
}

TEST(Diagnose, WhetherACgroupCanBeAttached) {
  Facts f = good();
  f.btf = f.mptcp = true;
  EXPECT_NE(about(f, "attach").text.find("6.6 or newer"), std::string::npos);
  for (const char* release : {"6.6.0", "6.12.117+deb12-amd64", "7.0"}) {
    f.release = release;
    EXPECT_EQ(about(f, "attach").grade, Grade::kOk) << release;
  }
  f.release = "5.19.1";
  EXPECT_EQ(about(f, "attach").grade, Grade::kNote);
  f.release = "6.12";
  f.mptcp = false;
  EXPECT_NE(about(f, "attach").text.find("MPTCP"), std::string::npos);
  f.btf = false;
  EXPECT_NE(about(f, "attach").text.find("BTF"), std::string::npos);
}

TEST(Diagnose, PreloadLibraryIsMissing) {
  Facts f = good();
  f.preload.clear();
  f.looked = {"/a/l.so", "/b/l.so"};
  EXPECT_NE(about(f, "preload").text.find("/a/l.so, /b/l.so"), std::string::npos);
  EXPECT_FALSE(healthy(diagnose(f)));
}

TEST(Diagnose, RightsSayWhichCapability) {
  Facts f = good();
  f.sys_module = false;
  EXPECT_NE(about(f, "rights").text.find("CAP_SYS_MODULE"), std::string::npos);
  f.net_admin = false;
  EXPECT_NE(about(f, "rights").text.find("CAP_NET_ADMIN"), std::string::npos);
}

TEST(Diagnose, TaintInWords) {
  Facts f = good();
  f.taint = "OE";
  EXPECT_EQ(about(f, "taint").text, "the kernel is tainted by atcp: out of tree (O), unsigned (E)");
}

TEST(Diagnose, LockdownForbidsUnsignedModules) {
  Facts f = good();
  f.loaded = false;
  f.lockdown = "integrity";
  EXPECT_EQ(about(f, "signature").grade, Grade::kMissing);
}

TEST(Diagnose, TrackingDoesNotKnowProtocol253) {
  Facts f = good();
  f.conntrack = true;
  EXPECT_EQ(about(f, "firewall").grade, Grade::kOk);
  f.wire = "atcp";
  EXPECT_EQ(about(f, "firewall").grade, Grade::kNote);
}

TEST(DoctorText, WhatToTypeStandsBelow) {
  EXPECT_EQ(doctor_text({{"module", Grade::kMissing, "is not", "atcp load"}}),
            "missing  module     is not\n                    type: atcp load\n");
  EXPECT_EQ(to_json(Answer{"module", Grade::kOk, "is", ""}),
            Json({{"about", "module"}, {"grade", "ok"}, {"text", "is"}}));
}

}  // namespace
}  // namespace atcp::tool
