// SPDX-License-Identifier: GPL-2.0
//
// Parameters, counters and reasons as C sees them.
#include <cstring>
#include <set>
#include <string>

#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

using Tables = RawPeerTest;

std::string value(Host& host, const char* name) {
  char text[64];
  atcp_core_param_get(host.core(), static_cast<uint32_t>(atcp_core_param_find(name)), 0, text,
                      sizeof(text));
  return text;
}

TEST_F(Tables, EveryParameterIsFoundByItsName) {
  for (uint32_t i = 0; i < atcp_core_param_count(); i++) {
    atcp_param_info info = {};
    atcp_core_param_info(i, &info);
    EXPECT_EQ(atcp_core_param_find(info.name), static_cast<int32_t>(i)) << info.name;
    EXPECT_STRNE(info.help, "");
    char value[64];
    const uint32_t n = atcp_core_param_get(srv.core(), i, 1, value, sizeof(value));
    EXPECT_EQ(n, strlen(value));
    EXPECT_EQ(atcp_core_param_check(i, value), ATCP_OK) << info.name << " " << value;
  }
  EXPECT_EQ(atcp_core_param_find("nonsense"), -1);
}

TEST_F(Tables, ValuesArePerNamespace) {
  Host& other = net.add_host("other", ip4(10, 0, 0, 9));
  const auto i = static_cast<uint32_t>(atcp_core_param_find("syncookies"));
  EXPECT_EQ(atcp_core_param_set(srv.core(), i, "2"), ATCP_OK);
  EXPECT_EQ(value(srv, "syncookies"), "2");
  EXPECT_EQ(value(other, "syncookies"), "1");
  EXPECT_EQ(atcp_core_param_check(i, "3"), ATCP_ERR_RANGE);
}

TEST_F(Tables, DefaultsOfNamespacesToCome) {
  const auto i = static_cast<uint32_t>(atcp_core_param_find("syncookies"));
  EXPECT_EQ(atcp_core_param_set(nullptr, i, "0"), ATCP_OK);
  Host& other = net.add_host("other", ip4(10, 0, 0, 9));
  EXPECT_EQ(value(other, "syncookies"), "0");
  EXPECT_EQ(value(srv, "syncookies"), "1");
  EXPECT_EQ(atcp_core_param_set(nullptr, i, "1"), ATCP_OK);
}

TEST_F(Tables, NumbersOfBuffersForThePort) {
  EXPECT_EQ(srv.set("rmem", "5000 60000 700000"), ATCP_OK);
  EXPECT_EQ(srv.set("wmem", "6000 70000 800000"), ATCP_OK);
  EXPECT_EQ(atcp_core_rmem(srv.core(), 0), 5000u);
  EXPECT_EQ(atcp_core_rmem(srv.core(), 2), 700000u);
  EXPECT_EQ(atcp_core_wmem(srv.core(), 1), 70000u);
}

TEST_F(Tables, WireHasTwoNames) {
  EXPECT_TRUE(atcp_core_wire_is_tcp(srv.core()));
  EXPECT_EQ(srv.set("wire", "atcp"), ATCP_OK);
  EXPECT_FALSE(atcp_core_wire_is_tcp(srv.core()));
}

TEST_F(Tables, CongestionControlsAndTheDefaultAmongThem) {
  std::string chosen;
  std::set<std::string> names;
  atcp_cc_info i;
  EXPECT_EQ(srv.set("congestion_control", "bbr"), ATCP_OK);
  uint32_t n = 0;
  for (; atcp_core_cc_info(srv.core(), n, &i); n++) {
    if (i.name == nullptr) continue;  // of a module that is gone, as other tests leave behind
    EXPECT_EQ(i.owner, nullptr);
    EXPECT_EQ(i.restricted, i.name == std::string("dctcp"));
    names.insert(i.name);
    if (i.is_default) chosen += i.name;
  }
  EXPECT_EQ(names, (std::set<std::string>{"bbr", "cubic", "dctcp", "reno"}));
  EXPECT_EQ(chosen, "bbr");
  EXPECT_FALSE(atcp_core_cc_info(srv.core(), n + 1, &i));
}

TEST(TableNames, AreUnique) {
  std::set<std::string> names;
  for (uint32_t i = 0; i < atcp_core_counter_count(); i++)
    EXPECT_TRUE(names.insert(atcp_core_counter_name(i, nullptr)).second);
  for (uint32_t i = 0; i < __ATCP_REASON_MAX; i++) {
    const char* help = nullptr;
    EXPECT_TRUE(names.insert(atcp_core_reason_name(i, &help)).second);
    EXPECT_NE(help, nullptr);
  }
}

}  // namespace
}  // namespace atcp::test
