// SPDX-License-Identifier: GPL-2.0
//
// How references to the three kinds of entries are taken and given back.
#include "table/endpoint.h"

#include <gtest/gtest.h>

#include "table/ehash.h"
#include "tests/fake_os.h"

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

}  // namespace
}  // namespace atcp
