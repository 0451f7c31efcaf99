// SPDX-License-Identifier: GPL-2.0
//
// The ledger as an array of counts: which line a reason has, what the sums are. That its two equations
// hold after every segment is checked at the end of each test that has a listener (RawPeerTest::TearDown).
#include "listen/ledger.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <set>

#include "tests/fake_os.h"

namespace atcp::test {
namespace {

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() { EXPECT_TRUE(ledger.init()); }
  ~LedgerTest() override { ledger.fini(); }
  FakeOs os;
  Ledger ledger;
};

TEST_F(LedgerTest, EachReasonHasOneLineOfItsOwn) {
  std::set<std::pair<Refused, uint32_t>> seen;
  for (uint32_t i = 0; i < kLedgerReasons; i++) {
    const LedgerReason& r = kLedgerReason[i];
    EXPECT_LT(r.reason, static_cast<uint32_t>(__ATCP_REASON_MAX));
    EXPECT_TRUE(seen.emplace(r.what, r.reason).second) << "line " << i;
    ledger.refuse(r.what, r.reason);
    EXPECT_EQ(ledger.refusals(i), 1u) << "line " << i;
  }
}

TEST_F(LedgerTest, ReasonWithoutALineIsCountedAllTheSame) {
  ledger.refuse(Refused::Syn, ATCP_REASON_NORMAL_CLOSE);
  ledger.refuse(Refused::Ack, ATCP_REASON_NORMAL_CLOSE);
  ledger.refuse(Refused::Ack, 1u << 30);
  EXPECT_EQ(ledger.refusals(Refused::Syn, ATCP_REASON_NONE), 1u);
  EXPECT_EQ(ledger.refusals(Refused::Ack, ATCP_REASON_NONE), 2u);
}

TEST_F(LedgerTest, SumsAreOfOneKindOfSegment) {
  for (int i = 0; i < 3; i++)
    ledger.refuse(Refused::Syn, ATCP_REASON_NO_MEMORY);
  ledger.refuse(Refused::Syn, ATCP_REASON_SYN_BACKLOG);
  ledger.refuse(Refused::Ack, ATCP_REASON_NO_MEMORY);
  EXPECT_EQ(ledger.refusals(Refused::Syn), 4u);
  EXPECT_EQ(ledger.refusals(Refused::Ack), 1u);
  EXPECT_EQ(ledger.refusals(Refused::Ack, ATCP_REASON_NO_MEMORY), 1u);
}

TEST_F(LedgerTest, WhatIsLookedUpAnewIsTakenBack) {
  ledger.add(LedgerItem::Syns);
  ledger.add(LedgerItem::Syns);
  ledger.add(LedgerItem::Syns, -1);
  EXPECT_EQ(ledger.get(LedgerItem::Syns), 1u);
}

TEST_F(LedgerTest, NoMemoryIsTold) {
  os.fail(Fault::Percpu, 1);
  Ledger other;
  EXPECT_FALSE(other.init());
  other.fini();
}

}  // namespace
}  // namespace atcp::test
