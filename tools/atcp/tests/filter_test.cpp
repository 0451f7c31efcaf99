// SPDX-License-Identifier: GPL-2.0
//
// Tests of filters: what ss-like words mean, which are refused and how, and what the kernel is told.
#include "filter.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <map>

namespace atcp::tool {
namespace {

uint32_t bit(uint32_t n) {
  return uint32_t{1} << n;
}

std::string complaint(const std::vector<std::string>& words) {
  try {
    parse_filter(words);
  } catch (const Error& e) {
    EXPECT_EQ(e.status(), kExitUsage);
    return e.what();
  }
  return "";
}

TEST(ParseFilter, NothingIsNoCondition) {
  EXPECT_TRUE(parse_filter({}).empty());
  EXPECT_TRUE(parse_filter({"and"}).empty());
}

TEST(ParseFilter, StatesAddUp) {
  Filter f = parse_filter({"state", "established", "state", "CLOSE-WAIT"});
  EXPECT_EQ(f.states, bit(ATCP_STATE_ESTABLISHED) | bit(ATCP_STATE_CLOSE_WAIT));
  EXPECT_TRUE(f.wants_state(ATCP_STATE_CLOSE_WAIT));
  EXPECT_FALSE(f.wants_state(ATCP_STATE_LISTEN));
}

TEST(ParseFilter, GroupsOfStatesAsSs) {
  uint32_t connected = parse_filter({"state", "connected"}).states;
  EXPECT_FALSE(connected & bit(ATCP_STATE_LISTEN));
  EXPECT_TRUE(connected & bit(ATCP_STATE_SYN_SENT));
  EXPECT_EQ(parse_filter({"state", "bucket"}).states,
            bit(ATCP_STATE_TIME_WAIT) | bit(ATCP_STATE_SYN_RECEIVED));
  EXPECT_EQ(parse_filter({"exclude", "time-wait"}).states,
            parse_filter({"state", "all"}).states & ~bit(ATCP_STATE_TIME_WAIT));
}

TEST(ParseFilter, AddressPrefixPort) {
  Filter f = parse_filter({"src", "10.1.0.0/16:8080", "dst", "*:443"});
  EXPECT_EQ(f.local.addr, (Address{10, 1, 0, 0}));
  EXPECT_EQ(f.local.prefix, 16);
  EXPECT_EQ(f.local.port_min, 8080);
  EXPECT_EQ(f.local.port_max, 8080);
  EXPECT_TRUE(f.peer.addr.empty());
  EXPECT_EQ(f.peer.port_min, 443);
}

TEST(ParseFilter, AddressOfIpv6) {
  EXPECT_EQ(parse_filter({"dst", "fe80::1"}).peer.addr.size(), 16u);
  Filter f = parse_filter({"dst", "[fe80::/64]:80"});
  EXPECT_EQ(f.peer.addr.size(), 16u);
  EXPECT_EQ(f.peer.prefix, 64);
  EXPECT_EQ(f.peer.port_min, 80);
}

TEST(ParseFilter, PortsInSsSpellingAndRanges) {
  Filter f = parse_filter({"sport", "=", ":80", "and", "dport", "1000-1999"});
  EXPECT_EQ(f.local.port_min, 80);
  EXPECT_EQ(f.peer.port_min, 1000);
  EXPECT_EQ(f.peer.port_max, 1999);
}

TEST(ParseFilter, UidCcAndIds) {
  Filter f =
      parse_filter({"uid", "33", "cc", "bbr", "listener", "7", "id", "18446744073709551615"});
  EXPECT_EQ(f.uid, 33u);
  EXPECT_EQ(f.cc, "bbr");
  EXPECT_EQ(f.listener, 7u);
  EXPECT_EQ(f.id, ~uint64_t{0});
  EXPECT_EQ(parse_filter({"uid", "root"}).uid, 0u);
}

TEST(ParseFilter, SaysWhatIsWrong) {
  EXPECT_EQ(complaint({"sprot", "80"}),
            "filter: there is no condition 'sprot'; did you mean sport?");
  EXPECT_EQ(complaint({"state", "establishd"}),
            "filter: there is no state 'establishd'; did you mean established?");
  EXPECT_EQ(complaint({"state"}), "filter: nothing follows 'state'");
  EXPECT_EQ(complaint({"sport", "65536"}), "filter: '65536' is not a port (0 to 65535)");
  EXPECT_EQ(complaint({"sport", "9-8"}), "filter: the ports '9-8' are the wrong way");
  EXPECT_EQ(complaint({"src", "10.0.0.1/33"}), "filter: '/33' is no prefix of '10.0.0.1'");
  EXPECT_EQ(complaint({"dst", "example.org"}),
            "filter: 'example.org' is not an address (names are not looked up)");
  EXPECT_EQ(complaint({"dst", "*"}), "filter: '*' names neither an address nor a port");
  EXPECT_EQ(complaint({"id", "x"}),
            "filter: 'x' is not the ID of a socket (atcp sockets shows them)");
  EXPECT_EQ(complaint({"src", "10.0.0.1", "dst", "::1"}),
            "filter: src and dst are of different families");
  EXPECT_EQ(complaint({"exclude", "all"}), "filter: every state is excluded");
}

TEST(Filter, AdmitsListenersIfNothingSpeaksOfAPeer) {
  EXPECT_TRUE(parse_filter({}).admits_listeners());
  EXPECT_TRUE(parse_filter({"sport", "80", "state", "listening"}).admits_listeners());
  EXPECT_FALSE(parse_filter({"state", "established"}).admits_listeners());
  EXPECT_FALSE(parse_filter({"dport", "80"}).admits_listeners());
}

/// Payloads of the filter's attributes, by type.
std::map<int, std::vector<uint8_t>> told(const Filter& f) {
  std::vector<char> buf(kFilterRoom + MNL_NLMSG_HDRLEN);
  nlmsghdr* nlh = mnl_nlmsg_put_header(buf.data());
  put_filter(nlh, f);
  EXPECT_LE(nlh->nlmsg_len, buf.size());
  std::map<int, std::vector<uint8_t>> found;
  mnl_attr_parse(
      nlh, 0,
      [](const nlattr* filter, void* out) -> int {
        EXPECT_EQ(mnl_attr_get_type(filter), ATCP_A_FILTER);
        return mnl_attr_parse_nested(
            filter,
            [](const nlattr* a, void* map) -> int {
              const auto* p = static_cast<const uint8_t*>(mnl_attr_get_payload(a));
              (*static_cast<std::map<int, std::vector<uint8_t>>*>(map))[mnl_attr_get_type(a)] = {
                  p, p + mnl_attr_get_payload_len(a)};
              return MNL_CB_OK;
            },
            out);
      },
      &found);
  return found;
}

TEST(PutFilter, NothingForNoCondition) {
  EXPECT_TRUE(told({}).empty());
}

TEST(PutFilter, EveryCondition) {
  Filter f = parse_filter({"state", "time-wait", "src", "10.0.0.0/8:1-2", "dst", "10.9.9.9:3",
                           "uid", "4", "cc", "a-name-of-15-xx", "listener", "5", "id", "6"});
  f.events = 7;
  f.reasons = {0, 9, 255};
  auto attrs = told(f);
  EXPECT_EQ(attrs.size(), 14u);
  std::vector<uint8_t> reasons(32);
  reasons[0] = 1;
  reasons[1] = 2;
  reasons[31] = 0x80;
  EXPECT_EQ(attrs[ATCP_FILTER_A_REASONS], reasons);
  EXPECT_EQ(attrs[ATCP_FILTER_A_LADDR], (std::vector<uint8_t>{10, 0, 0, 0}));
  EXPECT_EQ(attrs[ATCP_FILTER_A_LADDR_PREFIX], (std::vector<uint8_t>{8}));
  EXPECT_EQ(attrs[ATCP_FILTER_A_LPORT_MAX], (std::vector<uint8_t>{2, 0}));
  EXPECT_EQ(attrs[ATCP_FILTER_A_RADDR].size(), 4u);
  EXPECT_EQ(attrs[ATCP_FILTER_A_STATES],
            (std::vector<uint8_t>{1u << ATCP_STATE_TIME_WAIT, 0, 0, 0}));
  EXPECT_EQ(attrs[ATCP_FILTER_A_LISTENER].size(), 8u);
}

}  // namespace
}  // namespace atcp::tool
