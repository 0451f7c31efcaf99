// SPDX-License-Identifier: GPL-2.0
//
// How references to the three kinds of entries are taken and given back.
#include "table/endpoint.h"

#include <gtest/gtest.h>

#include "table/ehash.h"
#include "tests/fake_os.h"
#include "tests/numbered_tuple.h"

namespace atcp {
namespace {

TEST(EndpointTryget, DyingEntryIsRefused) {
  Endpoint e = {};
  e.kind = EntryKind::Request;
  e.refs = 0;
  EXPECT_FALSE(endpoint_tryget(e));
  EXPECT_EQ(e.refs, 0u);
  e.refs = 1;
  EXPECT_TRUE(endpoint_tryget(e));
  EXPECT_EQ(e.refs, 2u);
}

TEST(EndpointPut, SaysWhichWasTheLast) {
  Endpoint e = {};
  e.kind = EntryKind::TimeWait;
  e.refs = 1;
  endpoint_get(e);
  EXPECT_FALSE(endpoint_put(e));
  EXPECT_TRUE(endpoint_put(e));
}

TEST(EndpointPut, ConnectionIsCountedByItsSocket) {
  test::FakeOs os;
  test::FakeConn& c = os.new_conn(os.add_ns("a"));
  auto* e = reinterpret_cast<Endpoint*>(&c.conn);
  e->kind = EntryKind::Conn;
  EXPECT_TRUE(endpoint_tryget(*e));
  endpoint_get(*e);
  EXPECT_EQ(c.refs, 3u);
  EXPECT_EQ(e->refs, 0u);
  EXPECT_FALSE(endpoint_put(*e));
  EXPECT_FALSE(endpoint_put(*e));
  EXPECT_FALSE(endpoint_put(*e));
  EXPECT_FALSE(endpoint_tryget(*e));
}

TEST(SetTuple, TupleOfGivesItBack) {
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = 1;
  t.raddr.v4 = 2;
  t.lport = 3;
  t.rport = 4;
  Endpoint e = {};
  set_tuple(e, t);
  EXPECT_TRUE(same_tuple(e, t));
  EXPECT_TRUE(same_tuple(e, tuple_of(e)));
  t.rport = 5;
  EXPECT_FALSE(same_tuple(e, t));
}

/// An entry that may speak IPv6, and what lies behind its room.
struct Roomy {
  Endpoint e = {};
  uint64_t room[kV6Words] = {};
  uint64_t behind = 0;
  Roomy() { e.v6_words = sizeof(Endpoint) / sizeof(uint64_t); }
};

TEST(SetTuple, EveryByteOfIpv6Counts) {
  Roomy r;
  const atcp_tuple t = tuple6(0x01020304);
  set_tuple(r.e, t);
  EXPECT_TRUE(same_tuple(r.e, t));
  EXPECT_TRUE(same_tuple(r.e, tuple_of(r.e)));
  EXPECT_EQ(r.behind, 0u);
  for (int i = 0; i < 16; i++) {
    atcp_tuple u = t;
    u.laddr.v6[i] ^= 1;
    EXPECT_FALSE(same_tuple(r.e, u)) << i;
    u = t;
    u.raddr.v6[i] ^= 0x80;
    EXPECT_FALSE(same_tuple(r.e, u)) << i;
  }
}

TEST(SetTuple, TheLinkCounts) {
  Roomy r;
  atcp_tuple t = tuple6(7);
  t.link = 3;
  set_tuple(r.e, t);
  EXPECT_EQ(tuple_of(r.e).link, 3u);
  EXPECT_TRUE(same_tuple(r.e, t));
  t.link = 0;
  EXPECT_FALSE(same_tuple(r.e, t));
  t.link = 0x80000003;
  EXPECT_FALSE(same_tuple(r.e, t));
  // Of IPv4 there is none.
  atcp_tuple four = {};
  four.family = ATCP_AF_INET;
  four.link = 9;
  set_tuple(r.e, four);
  EXPECT_TRUE(same_tuple(r.e, four));
  EXPECT_EQ(tuple_of(r.e).link, 0u);
  EXPECT_EQ(r.behind, 0u);
}

TEST(SetTuple, FamiliesAreToldApart) {
  Roomy r;
  atcp_tuple six = {};
  six.family = ATCP_AF_INET6;
  atcp_tuple four = {};
  four.family = ATCP_AF_INET;
  set_tuple(r.e, six);
  EXPECT_FALSE(same_tuple(r.e, four));
  set_tuple(r.e, four);
  EXPECT_FALSE(same_tuple(r.e, six));
}

TEST(SetTuple, OneEntrySpeaksOneAfterTheOther) {
  Roomy r;
  for (uint32_t n = 1; n < 10; n++) {
    const atcp_tuple t = n % 2 != 0 ? tuple(n) : tuple6(n);
    set_tuple(r.e, t);
    EXPECT_TRUE(same_tuple(r.e, t));
    EXPECT_EQ(tuple_of(r.e).family, t.family);
    EXPECT_TRUE(same_tuple(r.e, tuple_of(r.e)));
  }
}

TEST(HasRoom, OnlyForWhatItMaySpeak) {
  Endpoint four = {};
  Roomy six;
  EXPECT_TRUE(has_room(four, ATCP_AF_INET));
  EXPECT_FALSE(has_room(four, ATCP_AF_INET6));
  EXPECT_TRUE(has_room(six.e, ATCP_AF_INET));
  EXPECT_TRUE(has_room(six.e, ATCP_AF_INET6));
  EXPECT_FALSE(has_room(six.e, 0));
}

}  // namespace
}  // namespace atcp
