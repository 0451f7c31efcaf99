// SPDX-License-Identifier: GPL-2.0
//
// Parameters as text: what is accepted, what is refused and how, and that every row of the table
// takes back its own default.
#include "table/params.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <atomic>
#include <cstring>
#include <set>
#include <string>
#include <thread>

#include "cc/registry.h"

namespace atcp {
namespace {

uint32_t index_of(const char* name) {
  const int32_t i = param_find(name);
  EXPECT_GE(i, 0) << name;
  return static_cast<uint32_t>(i);
}

std::string text_of(const Params& p, const char* name) {
  char buf[64];
  const uint32_t n = p.format(index_of(name), buf, sizeof buf);
  EXPECT_EQ(n, strlen(buf));
  return buf;
}

TEST(KParams, RowsAreSane) {
  std::set<std::string> names;
  for (const ParamRow& r : kParams) {
    EXPECT_TRUE(names.insert(r.name).second) << r.name;
    EXPECT_LE(r.min, r.max) << r.name;
    EXPECT_NE(r.help[0], '\0') << r.name;
    EXPECT_NE(r.unit, nullptr) << r.name;
    EXPECT_GE(r.type, static_cast<uint32_t>(ATCP_PARAM_TYPE_NUMBER));
    EXPECT_LE(r.type, static_cast<uint32_t>(ATCP_PARAM_TYPE_WIRE));
  }
}

TEST(KParams, EveryDefaultIsAccepted) {
  for (uint32_t i = 0; i < kParamCount; i++) {
    char buf[64];
    ASSERT_GT(Params::format_default(i, buf, sizeof buf), 0u) << kParams[i].name;
    EXPECT_EQ(Params::check(i, buf), ATCP_OK) << kParams[i].name << " " << buf;
  }
}

TEST(ParamsInit, TableDefaults) {
  Params p;
  p.init(nullptr);
  EXPECT_EQ(text_of(p, "wire"), "tcp");
  EXPECT_EQ(text_of(p, "port_range"), "61000 65535");
  EXPECT_EQ(text_of(p, "rmem"), "4096 131072 6291456");
  EXPECT_EQ(text_of(p, "congestion_control"), "cubic");
  EXPECT_EQ(p.get(Param::SynRetries), 6u);
  EXPECT_EQ(p.get(Param::RtoMinUs), 200000u);
  EXPECT_EQ(p.get(Param::ChallengeAckLimit), 0x7fffffffu);
}

TEST(ParamsInit, FromOtherDefaults) {
  Params d, p;
  d.init(nullptr);
  ASSERT_EQ(d.apply(index_of("rmem"), "1 2 3"), ATCP_OK);
  p.init(&d);
  EXPECT_EQ(text_of(p, "rmem"), "1 2 3");
  char buf[64];
  Params::format_default(index_of("rmem"), buf, sizeof buf);
  EXPECT_STREQ(buf, "4096 131072 6291456");
}

TEST(ParamsCheck, Number) {
  const uint32_t i = index_of("syn_retries");
  EXPECT_EQ(Params::check(i, "1"), ATCP_OK);
  EXPECT_EQ(Params::check(i, "127"), ATCP_OK);
  EXPECT_EQ(Params::check(i, " 7\n"), ATCP_OK);
  EXPECT_EQ(Params::check(i, "0"), ATCP_ERR_RANGE);
  EXPECT_EQ(Params::check(i, "128"), ATCP_ERR_RANGE);
  EXPECT_EQ(Params::check(i, "4294967296"), ATCP_ERR_RANGE);
  EXPECT_EQ(Params::check(i, "99999999999999999999999999"), ATCP_ERR_RANGE);
  for (const char* bad : {"", " ", "-1", "+1", "1x", "x", "1 2", "0x5", "1.5"})
    EXPECT_EQ(Params::check(i, bad), ATCP_ERR_INVALID) << "'" << bad << "'";
}

TEST(ParamsCheck, Triple) {
  const uint32_t i = index_of("wmem");
  EXPECT_EQ(Params::check(i, "4096 4096 4096"), ATCP_OK);
  EXPECT_EQ(Params::check(i, "1\t2  3"), ATCP_OK);
  for (const char* bad : {"3 2 1", "1 3 2", "1 2", "1 2 3 4", "1,2,3", "a b c"})
    EXPECT_EQ(Params::check(i, bad), ATCP_ERR_INVALID) << "'" << bad << "'";
  EXPECT_EQ(Params::check(i, "0 1 2"), ATCP_ERR_RANGE);
  EXPECT_EQ(Params::check(i, "1 2 2147483648"), ATCP_ERR_RANGE);
}

TEST(ParamsCheck, Pair) {
  const uint32_t i = index_of("port_range");
  EXPECT_EQ(Params::check(i, "1024 65535"), ATCP_OK);
  EXPECT_EQ(Params::check(i, "5000 5000"), ATCP_OK);
  EXPECT_EQ(Params::check(i, "5001 5000"), ATCP_ERR_INVALID);
  EXPECT_EQ(Params::check(i, "5000"), ATCP_ERR_INVALID);
  EXPECT_EQ(Params::check(i, "0 5000"), ATCP_ERR_RANGE);
  EXPECT_EQ(Params::check(i, "1 65536"), ATCP_ERR_RANGE);
}

TEST(ParamsCheck, CongestionControl) {
  const uint32_t i = index_of("congestion_control");
  for (uint32_t k = 0; k < cc_count(); k++)
    EXPECT_EQ(Params::check(i, cc_name(k)), cc_get(k) != nullptr ? ATCP_OK : ATCP_ERR_NOT_FOUND);
  EXPECT_EQ(Params::check(i, "reno\n"), ATCP_OK);
  EXPECT_EQ(Params::check(i, "no_such"), ATCP_ERR_NOT_FOUND);
  EXPECT_EQ(Params::check(i, ""), ATCP_ERR_INVALID);
  EXPECT_EQ(Params::check(i, "reno cubic"), ATCP_ERR_INVALID);
  EXPECT_EQ(Params::check(i, std::string(200, 'a').c_str()), ATCP_ERR_INVALID);
}

TEST(ParamsCheck, Wire) {
  const uint32_t i = index_of("wire");
  EXPECT_EQ(Params::check(i, "tcp"), ATCP_OK);
  EXPECT_EQ(Params::check(i, "atcp"), ATCP_OK);
  for (const char* bad : {"udp", "", "tc", "tcpx", "0"})
    EXPECT_EQ(Params::check(i, bad), ATCP_ERR_INVALID) << bad;
}

TEST(ParamsCheck, NoSuchIndex) {
  EXPECT_EQ(Params::check(kParamCount, "1"), ATCP_ERR_NOT_FOUND);
}

TEST(ParamsApply, ChangesOnlyWhatIsRight) {
  Params p;
  p.init(nullptr);
  EXPECT_EQ(p.apply(index_of("syncookies"), "2"), ATCP_OK);
  EXPECT_EQ(p.get(Param::Syncookies), 2u);
  EXPECT_EQ(p.apply(index_of("syncookies"), "3"), ATCP_ERR_RANGE);
  EXPECT_EQ(p.get(Param::Syncookies), 2u);
  EXPECT_EQ(p.apply(index_of("congestion_control"), "reno"), ATCP_OK);
  EXPECT_EQ(text_of(p, "congestion_control"), "reno");
  EXPECT_EQ(p.apply(index_of("wire"), "atcp"), ATCP_OK);
  EXPECT_EQ(p.get(Param::Wire), 1u);
}

TEST(ParamsFormat, CutsToSize) {
  Params p;
  p.init(nullptr);
  char buf[8];
  memset(buf, 'x', sizeof buf);
  EXPECT_EQ(p.format(index_of("rmem"), buf, 5), 4u);
  EXPECT_STREQ(buf, "4096");
  EXPECT_EQ(buf[5], 'x');
  EXPECT_EQ(p.format(index_of("rmem"), buf, 1), 0u);
  EXPECT_STREQ(buf, "");
  EXPECT_EQ(p.format(index_of("rmem"), nullptr, 0), 0u);
}

TEST(ParamFind, UnknownAndPrefix) {
  EXPECT_EQ(param_find("no_such"), -1);
  EXPECT_EQ(param_find("syn"), -1);
  EXPECT_EQ(param_find(""), -1);
  EXPECT_EQ(param_find("wire"), 0);
}

/// Pairs and triples that are set while others read them are one of those that were set, never a mix.
TEST(ParamsAll, AreReadAsTheyWereSet) {
  Params p;
  p.init(nullptr);
  const uint32_t range = index_of("port_range");
  const uint32_t mem = index_of("mem");
  ASSERT_EQ(p.apply(range, "1000 2000"), ATCP_OK);
  ASSERT_EQ(p.apply(mem, "10 20 30"), ATCP_OK);
  std::atomic<bool> end = false;
  std::atomic<uint32_t> turns = 0;
  std::thread writer([&] {
    while (!end) {
      p.apply(range, "50000 60000");
      p.apply(mem, "100 200 300");
      p.apply(range, "1000 2000");
      p.apply(mem, "10 20 30");
      turns++;
    }
  });
  uint32_t mixed = 0;
  // Both must have run, however the host shares its CPUs out.
  for (uint32_t i = 0; i < 200000 || turns < 1000; i++) {
    const ParamValues r = p.all(Param::PortRange);
    const bool low = r.v[0] == 1000 && r.v[1] == 2000;
    const bool high = r.v[0] == 50000 && r.v[1] == 60000;
    mixed += !low && !high;
    const ParamValues m = p.all(Param::Mem);
    mixed += m.v[1] != 2 * m.v[0] || m.v[2] != 3 * m.v[0];
    char text[64];
    p.format(range, text, sizeof text);
    mixed += strcmp(text, "1000 2000") != 0 && strcmp(text, "50000 60000") != 0;
  }
  end = true;
  writer.join();
  EXPECT_EQ(mixed, 0u);
}

/// What was set last is there, also of the parameter that was changed before.
TEST(ParamsAll, FollowEachChange) {
  Params p;
  p.init(nullptr);
  const uint32_t range = index_of("port_range");
  ASSERT_EQ(p.apply(range, "1000 2000"), ATCP_OK);
  ASSERT_EQ(p.apply(index_of("mem"), "10 20 30"), ATCP_OK);
  EXPECT_EQ(p.all(Param::PortRange).v[1], 2000u);
  EXPECT_EQ(p.all(Param::Mem).v[2], 30u);
  p.reset(range);
  EXPECT_EQ(p.all(Param::PortRange).v[0], 61000u);
  EXPECT_EQ(p.all(Param::PortRange).v[1], 65535u);
  Params child;
  child.init(&p);
  EXPECT_EQ(child.all(Param::Mem).v[1], 20u);
}

}  // namespace
}  // namespace atcp
