// SPDX-License-Identifier: GPL-2.0
//
// Which listener a tuple finds: the exact address before any, equals by hash and always the same
// one, none that is gone.
#include "table/listen_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "tests/fake_os.h"

namespace atcp {
namespace {

class World {
 public:
  World() { EXPECT_TRUE(table.init(SipKey{{1, 2}})); }
  ~World() {
    for (auto& n : nodes_) {
      table.remove(*n);
      os.put(test::FakeConn::of(n->conn));
    }
    table.fini();
  }
  ListenNode& add(uint32_t laddr, uint16_t port) {
    nodes_.push_back(std::make_unique<ListenNode>());
    ListenNode& n = *nodes_.back();
    n.laddr = laddr;
    n.lport = to_be16(port);
    n.conn = &os.new_conn(ns).conn;
    table.insert(n);
    return n;
  }
  ListenNode* find(uint32_t laddr, uint16_t port, uint32_t raddr = 99, uint16_t rport = 1) {
    atcp_tuple t = {};
    t.family = ATCP_AF_INET;
    t.laddr.v4 = laddr;
    t.raddr.v4 = raddr;
    t.lport = to_be16(port);
    t.rport = rport;
    ListenNode* n = table.lookup(t);
    if (n != nullptr) os.put(test::FakeConn::of(n->conn));
    return n;
  }
  test::FakeOs os;
  atcp_osns& ns = os.add_ns("a");
  ListenTable table;

 private:
  std::vector<std::unique_ptr<ListenNode>> nodes_;
};

TEST(ListenTableLookup, PortAndAddressMustFit) {
  World w;
  ListenNode& n = w.add(1, 80);
  EXPECT_EQ(w.find(1, 80), &n);
  EXPECT_EQ(w.find(2, 80), nullptr);
  EXPECT_EQ(w.find(1, 81), nullptr);
}

TEST(ListenTableLookup, ExactAddressBeforeAny) {
  World w;
  ListenNode& exact = w.add(1, 80);
  ListenNode& any = w.add(0, 80);
  EXPECT_EQ(w.find(1, 80), &exact);
  EXPECT_EQ(w.find(2, 80), &any);
}

TEST(ListenTableLookup, AnyAddedFirstDoesNotWin) {
  World w;
  ListenNode& any = w.add(0, 80);
  ListenNode& exact = w.add(1, 80);
  EXPECT_EQ(w.find(1, 80), &exact);
  EXPECT_EQ(w.find(2, 80), &any);
}

TEST(ListenTableLookup, PortsOfOneBucketAreToldApart) {
  World w;
  // 256 ports of difference in the low byte's place share a bucket with their mirror image.
  ListenNode& a = w.add(0, 0x0102);
  ListenNode& b = w.add(0, 0x0201);
  EXPECT_EQ(w.find(5, 0x0102), &a);
  EXPECT_EQ(w.find(5, 0x0201), &b);
}

TEST(ListenTableLookup, EqualsShareTheTuplesAndKeepThem) {
  World w;
  std::vector<ListenNode*> group;
  for (int i = 0; i < 4; i++)
    group.push_back(&w.add(0, 80));
  std::map<ListenNode*, int> hits;
  std::map<uint16_t, ListenNode*> first;
  for (uint16_t p = 0; p < 1000; p++) {
    ListenNode* n = w.find(1, 80, 7, p);
    hits[n]++;
    first[p] = n;
    ASSERT_EQ(w.find(1, 80, 7, p), n);
  }
  for (ListenNode* n : group) {
    EXPECT_GT(hits[n], 150);
    EXPECT_LT(hits[n], 350);
  }
  // One that leaves moves only its own tuples.
  w.table.remove(*group[2]);
  for (const auto& [p, before] : first) {
    ListenNode* after = w.find(1, 80, 7, p);
    if (before != group[2])
      ASSERT_EQ(after, before);
    else
      ASSERT_NE(after, group[2]);
  }
}

IpAddr six(uint8_t last) {
  atcp_ip ip = {};
  ip.v6[0] = 0xfd;
  ip.v6[15] = last;
  return {ATCP_AF_INET6, ip};
}

IpAddr any6() {
  return {ATCP_AF_INET6, atcp_ip{}};
}

/// A listener as bind() makes it.
struct Kind {
  const char* what;
  IpAddr laddr;
  bool v6only, v6_socket;
  bool gets[4];  ///< of kTargets
};
const IpAddr kTargets[] = {IpAddr(1), IpAddr(2), six(1), six(2)};
const Kind kKinds[] = {
    {"0.0.0.0", IpAddr(0), false, false, {true, true, false, false}},
    {"1", IpAddr(1), false, false, {true, false, false, false}},
    {"::", any6(), false, true, {true, true, true, true}},
    {":: v6only", any6(), true, true, {false, false, true, true}},
    {"fd00::1", six(1), false, true, {false, false, true, false}},
    {"fd00::1 v6only", six(1), true, true, {false, false, true, false}},
    {"::ffff:1", IpAddr(1), false, true, {true, false, false, false}},
    {"::ffff:0.0.0.0", IpAddr(0), false, true, {true, true, false, false}},
};

class DualStack : public World {
 public:
  ListenNode& add_kind(const Kind& k) {
    ListenNode& n = add(0, 80);
    table.remove(n);
    n.laddr = k.laddr;
    n.v6only = k.v6only;
    n.v6_socket = k.v6_socket;
    table.insert(n);
    return n;
  }
  ListenNode* find_kind(const IpAddr& laddr, uint16_t rport = 1) {
    atcp_tuple t = {};
    t.family = laddr.family;
    t.laddr = laddr.ip();
    t.lport = to_be16(80);
    t.rport = rport;
    ListenNode* n = table.lookup(t);
    if (n != nullptr) os.put(test::FakeConn::of(n->conn));
    return n;
  }
};

TEST(ListenTableLookup, FamiliesThatAListenerHas) {
  for (const Kind& k : kKinds) {
    DualStack w;
    ListenNode& n = w.add_kind(k);
    for (size_t i = 0; i < 4; i++)
      EXPECT_EQ(w.find_kind(kTargets[i]), k.gets[i] ? &n : nullptr) << k.what << ", " << i;
  }
}

TEST(ListenTableLookup, BetterOfTwoFamilies) {
  const struct {
    size_t target;
    std::vector<std::vector<const char*>> order;  ///< best first; of those in one place either
  } kOrders[] = {
      {0, {{"1"}, {"::ffff:1"}, {"0.0.0.0"}, {"::", "::ffff:0.0.0.0"}}},
      {1, {{"0.0.0.0"}, {"::", "::ffff:0.0.0.0"}}},
      {2, {{"fd00::1", "fd00::1 v6only"}, {"::", ":: v6only"}}},
      {3, {{"::", ":: v6only"}}},
  };
  const auto kind = [](const std::string& what) -> const Kind& {
    for (const Kind& k : kKinds)
      if (k.what == what) return k;
    abort();
  };
  for (const auto& o : kOrders) {
    for (size_t better = 0; better < o.order.size(); better++) {
      for (size_t worse = better + 1; worse < o.order.size(); worse++) {
        for (const char* first : o.order[better]) {
          for (const char* second : o.order[worse]) {
            for (const bool swap : {false, true}) {
              DualStack w;
              ListenNode& a = w.add_kind(kind(swap ? second : first));
              ListenNode& b = w.add_kind(kind(swap ? first : second));
              EXPECT_EQ(w.find_kind(kTargets[o.target]), swap ? &b : &a)
                  << first << " before " << second << " for " << o.target;
            }
          }
        }
      }
    }
  }
}

TEST(ListenTableLookup, EqualsOfIpv6ShareTheTuples) {
  DualStack w;
  std::vector<ListenNode*> group;
  for (int i = 0; i < 4; i++)
    group.push_back(&w.add_kind(kKinds[2]));
  std::map<ListenNode*, int> hits4, hits6;
  for (uint16_t p = 0; p < 1000; p++) {
    hits4[w.find_kind(kTargets[0], p)]++;
    hits6[w.find_kind(kTargets[2], p)]++;
    ASSERT_EQ(w.find_kind(kTargets[2], p), w.find_kind(kTargets[2], p));
  }
  for (ListenNode* n : group) {
    EXPECT_GT(hits4[n], 150);
    EXPECT_GT(hits6[n], 150);
  }
}

TEST(ListenTableLookup, TakesAReference) {
  World w;
  ListenNode& n = w.add(0, 80);
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.lport = to_be16(80);
  EXPECT_EQ(w.table.lookup(t), &n);
  EXPECT_EQ(test::FakeConn::of(n.conn).refs, 2u);
  w.os.put(test::FakeConn::of(n.conn));
}

TEST(ListenTableRemove, TwiceIsNoticed) {
  World w;
  ListenNode& n = w.add(0, 80);
  EXPECT_EQ(w.table.size(), 1u);
  EXPECT_TRUE(w.table.remove(n));
  EXPECT_FALSE(w.table.remove(n));
  EXPECT_EQ(w.table.size(), 0u);
  EXPECT_EQ(w.find(1, 80), nullptr);
}

TEST(ListenTableWalkBucket, SeesAll) {
  World w;
  for (uint16_t p = 1; p <= 600; p++)
    w.add(0, p);
  std::set<const ListenNode*> seen;
  for (uint32_t b = 0; b < ListenTable::kBuckets; b++)
    EXPECT_EQ(w.table.walk_bucket(b, 0, [&](ListenNode& n) { seen.insert(&n); }), 0u);
  EXPECT_EQ(seen.size(), 600u);
}

/// A bucket of many is walked a few at a time, and each time from where the last one ended.
TEST(ListenTableWalkBucket, LooksAtAFewWhileItHoldsTheLock) {
  World w;
  constexpr uint32_t kMany = 1000;
  std::vector<const ListenNode*> newest_first;
  for (uint32_t i = 0; i < kMany; i++)
    newest_first.insert(newest_first.begin(), &w.add(0, 80));
  const uint32_t bucket = ListenTable::bucket_of(to_be16(80));
  std::vector<const ListenNode*> seen;
  uint32_t turns = 0;
  for (uint64_t below = 0;;) {
    const size_t before = seen.size();
    below = w.table.walk_bucket(bucket, below, [&](ListenNode& n) { seen.push_back(&n); });
    turns++;
    ASSERT_LE(seen.size() - before, ListenTable::kLooks);
    if (below == 0) break;
  }
  EXPECT_EQ(seen, newest_first);
  EXPECT_EQ(turns, (kMany + ListenTable::kLooks - 1) / ListenTable::kLooks);
}

/// Whoever stays is seen once, though others come and go at every step, the one that was seen last among them.
TEST(ListenTableWalkBucket, LosesAndRepeatsNobodyWhoStays) {
  World w;
  std::mt19937 rng(7);
  std::vector<ListenNode*> stay, go;
  for (uint32_t i = 0; i < 400; i++)
    (rng() % 2 != 0 ? stay : go).push_back(&w.add(0, 80));
  const uint32_t bucket = ListenTable::bucket_of(to_be16(80));
  std::map<const ListenNode*, uint32_t> seen;
  for (uint64_t below = 0;;) {
    ListenNode* last = nullptr;
    below = w.table.walk_bucket(bucket, below, [&](ListenNode& n) {
      seen[&n]++;
      last = &n;
    });
    if (below == 0) break;
    for (uint32_t i = 0; i < 9 && !go.empty(); i++) {
      const size_t at = i == 0 ? go.size() - 1 : rng() % go.size();
      w.table.remove(*go[at]);
      go.erase(go.begin() + static_cast<long>(at));
    }
    const auto it = std::find(go.begin(), go.end(), last);
    if (it != go.end()) {
      w.table.remove(*last);
      go.erase(it);
    }
    for (uint32_t i = 0; i < 20; i++)
      w.add(0, 80);
  }
  for (const ListenNode* n : stay)
    EXPECT_EQ(seen[n], 1u);
  for (const auto& [n, times] : seen)
    EXPECT_EQ(times, 1u);
}

/// Chain and tree stay the same through insertions and removals in any order.
TEST(ListenTableWalkBucket, FindsWhatLookupFinds) {
  World w;
  std::mt19937 rng(11);
  std::vector<ListenNode*> in;
  for (uint16_t p = 1; p <= 40; p++)  // one each, so a lookup can only find that one
    in.push_back(&w.add(0, static_cast<uint16_t>(p | p << 8)));
  const uint32_t bucket = ListenTable::bucket_of(in[0]->lport);
  for (uint32_t i = 0; i < 500; i++) {
    ListenNode& n = *in[rng() % in.size()];
    if (n.hashed != 0)
      EXPECT_TRUE(w.table.remove(n));
    else
      w.table.insert(n);
    std::set<const ListenNode*> walked;
    for (uint64_t below = 0;;) {
      below = w.table.walk_bucket(bucket, below, [&](ListenNode& m) { walked.insert(&m); });
      if (below == 0) break;
    }
    EXPECT_EQ(walked.size(), w.table.size());
    for (ListenNode* m : in) {
      ASSERT_EQ(walked.count(m), m->hashed);
      ASSERT_EQ(w.find(1, from_be16(m->lport)), m->hashed != 0 ? m : nullptr);
    }
  }
}

TEST(ListenTableInit, NoMemoryLeavesNothing) {
  test::FakeOs os;
  ListenTable t;
  os.fail(test::Fault::Table, 1);
  EXPECT_FALSE(t.init(SipKey{}));
  os.fail(test::Fault::Locks, 1);
  EXPECT_FALSE(t.init(SipKey{}));
}

}  // namespace
}  // namespace atcp
