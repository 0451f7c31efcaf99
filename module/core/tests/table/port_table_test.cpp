// SPDX-License-Identifier: GPL-2.0
//
// Who may share a port: a table of pairs, the second look at listen(), children, the choice of
// ports for bind(0) and connect().
#include "table/port_table.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "abi/atcp_core.h"
#include "tests/fake_os.h"

namespace atcp {
namespace {

constexpr uint32_t kAddr = ATCP_BIND_REUSEADDR;
constexpr uint32_t kPort = ATCP_BIND_REUSEPORT;

class World {
 public:
  World() { EXPECT_TRUE(table.init(SipKey{{1, 2}})); }
  ~World() {
    for (auto& r : nodes_) {
      table.unbind(r->n);
      if (r->n.v6_words == 0) {
        EXPECT_EQ(r->room[0] | r->room[1], 0u);
      }
    }
    table.fini();
  }
  BindNode& node() { return node6(false); }
  /// With room for an address of IPv6.
  BindNode& node6(bool room = true) {
    nodes_.push_back(std::make_unique<Roomy>());
    if (room) nodes_.back()->n.v6_words = sizeof(BindNode) / sizeof(uint64_t);
    return nodes_.back()->n;
  }
  atcp_err bind(BindNode& n, const IpAddr& laddr, uint16_t port, uint32_t flags = 0,
                uint32_t uid = 0) {
    uint16_t p = to_be16(port);
    const atcp_err err = table.bind(n, laddr, &p, flags, uid, 61000, 61999);
    chosen = from_be16(p);
    return err;
  }
  bool connect(BindNode& n, uint16_t lo, uint16_t hi, uint32_t raddr = 9, uint16_t rport = 80) {
    atcp_tuple t = {};
    t.family = ATCP_AF_INET;
    t.laddr.v4 = 1;
    t.raddr.v4 = raddr;
    t.rport = to_be16(rport);
    const auto key = [&](uint16_t port) { return std::tuple{raddr, rport, from_be16(port)}; };
    return table.connect(
        n, t, lo, hi,
        [&](uint16_t port) {
          looked++;
          return peeks == false || taken.count(key(port)) == 0;
        },
        [&](uint16_t port) {
          tried.push_back(from_be16(port));
          return taken.insert(key(port)).second;
        });
  }
  test::FakeOs os;
  PortTable table;
  uint16_t chosen = 0;
  std::vector<uint16_t> tried;
  uint32_t looked = 0;
  bool peeks = true;  ///< the look without lock sees what is taken
  std::set<std::tuple<uint32_t, uint16_t, uint16_t>> taken;

 private:
  struct Roomy {
    BindNode n = {};
    uint64_t room[2] = {};
  };
  std::vector<std::unique_ptr<Roomy>> nodes_;
};

TEST(PortTableBind, WhoMayShare) {
  struct Side {
    uint32_t laddr, flags, uid;
    bool listening;
  };
  const struct {
    const char* what;
    Side first, second;
    bool ok;
  } kCases[] = {
      {"same address", {1, 0, 0, false}, {1, 0, 0, false}, false},
      {"any first", {0, 0, 0, false}, {1, 0, 0, false}, false},
      {"any second", {1, 0, 0, false}, {0, 0, 0, false}, false},
      {"other address", {1, 0, 0, false}, {2, 0, 0, false}, true},
      {"other address, listening", {1, 0, 0, true}, {2, 0, 0, false}, true},
      {"both reuseaddr", {0, kAddr, 0, false}, {0, kAddr, 0, false}, true},
      {"one reuseaddr", {0, kAddr, 0, false}, {0, 0, 0, false}, false},
      {"other one reuseaddr", {0, 0, 0, false}, {0, kAddr, 0, false}, false},
      {"reuseaddr, first listens", {0, kAddr, 0, true}, {0, kAddr, 0, false}, false},
      {"both reuseport", {0, kPort, 5, true}, {0, kPort, 5, false}, true},
      {"reuseport, other user", {0, kPort, 5, true}, {0, kPort, 6, false}, false},
      {"one reuseport", {0, kPort, 5, true}, {0, 0, 5, false}, false},
      {"reuseaddr with reuseport", {0, kAddr, 5, false}, {0, kPort, 5, false}, false},
      {"both both, listening", {0, kAddr | kPort, 5, true}, {0, kAddr | kPort, 5, false}, true},
  };
  for (const auto& c : kCases) {
    World w;
    BindNode &a = w.node(), &b = w.node();
    ASSERT_EQ(w.bind(a, c.first.laddr, 80, c.first.flags, c.first.uid), ATCP_OK) << c.what;
    if (c.first.listening) {
      ASSERT_EQ(w.table.set_listening(a), ATCP_OK) << c.what;
    }
    EXPECT_EQ(w.bind(b, c.second.laddr, 80, c.second.flags, c.second.uid),
              c.ok ? ATCP_OK : ATCP_ERR_ADDR_IN_USE)
        << c.what;
    EXPECT_EQ(b.bucket != nullptr, c.ok) << c.what;
  }
}

IpAddr six(uint8_t last) {
  atcp_ip ip = {};
  ip.v6[15] = last;
  return {ATCP_AF_INET6, ip};
}

struct Place {
  const char* what;
  IpAddr laddr;
  uint32_t flags;
};
constexpr int kPlaces = 7;
const Place kPlace[kPlaces] = {
    {"0.0.0.0", IpAddr(0), 0},
    {"1", IpAddr(1), 0},
    {"2", IpAddr(2), 0},
    {"::", six(0), 0},
    {":: v6only", six(0), ATCP_BIND_V6ONLY},
    {"::1", six(1), 0},
    {"::2 v6only", six(2), ATCP_BIND_V6ONLY},  // which means nothing for a specific address
};
/// Do two places overlap? As Linux's inet_rcv_saddr_equal has it.
const bool kOverlap[kPlaces][kPlaces] = {
    {true, true, true, true, false, false, false},   // 0.0.0.0
    {true, true, false, true, false, false, false},  // 1
    {true, false, true, true, false, false, false},  // 2
    {true, true, true, true, true, true, true},      // ::
    {false, false, false, true, true, true, true},   // :: v6only
    {false, false, false, true, true, true, false},  // ::1
    {false, false, false, true, true, false, true},  // ::2
};

TEST(PortTableBind, FamiliesThatOverlap) {
  for (int i = 0; i < kPlaces; i++) {
    for (int j = 0; j < kPlaces; j++) {
      SCOPED_TRACE(std::string(kPlace[i].what) + " then " + kPlace[j].what);
      World w;
      BindNode &a = w.node6(), &b = w.node6();
      ASSERT_EQ(w.bind(a, kPlace[i].laddr, 80, kPlace[i].flags), ATCP_OK);
      EXPECT_TRUE(addr_of(a) == kPlace[i].laddr);
      EXPECT_EQ(w.bind(b, kPlace[j].laddr, 80, kPlace[j].flags),
                kOverlap[i][j] ? ATCP_ERR_ADDR_IN_USE : ATCP_OK);
      // The exceptions are those of IPv4.
      w.table.unbind(a);
      w.table.unbind(b);
      ASSERT_EQ(w.bind(a, kPlace[i].laddr, 80, kPlace[i].flags | kAddr), ATCP_OK);
      EXPECT_EQ(w.bind(b, kPlace[j].laddr, 80, kPlace[j].flags | kAddr), ATCP_OK);
      EXPECT_EQ(w.table.set_listening(a), ATCP_OK);
      EXPECT_EQ(w.table.set_listening(b), kOverlap[i][j] ? ATCP_ERR_ADDR_IN_USE : ATCP_OK);
    }
  }
}

TEST(PortTableBind, SocketOfIpv4HasNoIpv6Address) {
  World w;
  BindNode& n = w.node();
  EXPECT_EQ(w.bind(n, six(1), 80), ATCP_ERR_INVALID);
  EXPECT_EQ(n.bucket, nullptr);
}

TEST(PortTableBind, OneSocketInOneFamilyAfterTheOther) {
  World w;
  BindNode& n = w.node6();
  for (const Place& p : kPlace) {
    ASSERT_EQ(w.bind(n, p.laddr, 80, p.flags), ATCP_OK) << p.what;
    EXPECT_TRUE(addr_of(n) == p.laddr) << p.what;
    w.table.unbind(n);
  }
}

TEST(PortTableBind, OtherPortsAreFree) {
  World w;
  EXPECT_EQ(w.bind(w.node(), 0, 80), ATCP_OK);
  EXPECT_EQ(w.bind(w.node(), 0, 80 + 1024), ATCP_OK);  // the same chain
  EXPECT_EQ(w.bind(w.node(), 0, 81), ATCP_OK);
}

TEST(PortTableBind, AnyPortIsFreeAndInRange) {
  World w;
  std::set<uint16_t> seen;
  for (int i = 0; i < 1000; i++) {
    ASSERT_EQ(w.bind(w.node(), 0, 0, kAddr), ATCP_OK);
    ASSERT_GE(w.chosen, 61000);
    ASSERT_LE(w.chosen, 61999);
    ASSERT_TRUE(seen.insert(w.chosen).second) << "chose a port twice";
  }
  EXPECT_EQ(w.bind(w.node(), 0, 0, kAddr), ATCP_ERR_ADDR_IN_USE);
}

TEST(PortTableBind, NoMemory) {
  World w;
  w.os.fail(test::Fault::Alloc, 1);
  BindNode& n = w.node();
  EXPECT_EQ(w.bind(n, 0, 80), ATCP_ERR_NO_MEMORY);
  EXPECT_EQ(n.bucket, nullptr);
}

TEST(PortTableUnbind, PortIsFreeAgain) {
  World w;
  BindNode &a = w.node(), &b = w.node();
  ASSERT_EQ(w.bind(a, 0, 80), ATCP_OK);
  w.table.unbind(a);
  w.table.unbind(a);
  EXPECT_EQ(w.bind(b, 0, 80), ATCP_OK);
}

TEST(PortTableSetListening, SecondOfTwoWithReuseaddrIsRefused) {
  World w;
  BindNode &a = w.node(), &b = w.node();
  ASSERT_EQ(w.bind(a, 0, 80, kAddr), ATCP_OK);
  ASSERT_EQ(w.bind(b, 0, 80, kAddr), ATCP_OK);
  EXPECT_EQ(w.table.set_listening(a), ATCP_OK);
  EXPECT_EQ(w.table.set_listening(b), ATCP_ERR_ADDR_IN_USE);
  w.table.clear_listening(a);
  EXPECT_EQ(w.table.set_listening(b), ATCP_OK);
}

TEST(PortTableSetListening, RestartedServerBesideItsOldConnections) {
  World w;
  BindNode &old = w.node(), &child = w.node(), &fresh = w.node();
  ASSERT_EQ(w.bind(old, 0, 80, kAddr), ATCP_OK);
  ASSERT_EQ(w.table.set_listening(old), ATCP_OK);
  ASSERT_EQ(w.table.inherit(child, old, child.laddr), ATCP_OK);
  w.table.clear_listening(old);
  w.table.unbind(old);
  EXPECT_EQ(w.bind(fresh, 0, 80, kAddr), ATCP_OK);
  EXPECT_EQ(w.table.set_listening(fresh), ATCP_OK);
}

TEST(PortTableSetListening, UnboundIsInvalid) {
  World w;
  EXPECT_EQ(w.table.set_listening(w.node()), ATCP_ERR_INVALID);
}

TEST(PortTableInherit, ChildHoldsThePort) {
  World w;
  BindNode &parent = w.node(), &child = w.node();
  ASSERT_EQ(w.bind(parent, 0, 80), ATCP_OK);
  child.laddr = 1;
  ASSERT_EQ(w.table.inherit(child, parent, child.laddr), ATCP_OK);
  EXPECT_EQ(child.laddr, 1u);
  EXPECT_EQ(child.listening, 0);
  w.table.unbind(parent);
  EXPECT_EQ(w.bind(w.node(), 1, 80), ATCP_ERR_ADDR_IN_USE);
  EXPECT_EQ(w.bind(w.node(), 2, 80), ATCP_OK);
}

TEST(PortTableInherit, ParentGone) {
  World w;
  BindNode &parent = w.node(), &child = w.node();
  EXPECT_EQ(w.table.inherit(child, parent, child.laddr), ATCP_ERR_INVALID);
  ASSERT_EQ(w.bind(parent, 0, 80), ATCP_OK);
  w.table.unbind(parent);
  EXPECT_EQ(w.table.inherit(child, parent, child.laddr), ATCP_ERR_INVALID);
  EXPECT_EQ(child.bucket, nullptr);
}

TEST(PortTableInherit, NoMemoryForTheFirstOfAnAddress) {
  World w;
  BindNode &parent = w.node(), &child = w.node();
  ASSERT_EQ(w.bind(parent, 0, 80), ATCP_OK);
  child.laddr = 1;
  w.os.fail(test::Fault::Alloc, 1);
  EXPECT_EQ(w.table.inherit(child, parent, child.laddr), ATCP_ERR_NO_MEMORY);
  EXPECT_EQ(child.bucket, nullptr);
}

TEST(PortTableInherit, ManyChildrenAreOneAllocation) {
  World w;
  BindNode& parent = w.node();
  ASSERT_EQ(w.bind(parent, 0, 80, kAddr), ATCP_OK);
  ASSERT_EQ(w.table.set_listening(parent), ATCP_OK);
  const uint64_t before = w.os.live_allocations();
  for (int i = 0; i < 100; i++) {
    BindNode& child = w.node();
    child.laddr = 1 + i % 2;
    ASSERT_EQ(w.table.inherit(child, parent, child.laddr), ATCP_OK);
  }
  EXPECT_EQ(w.os.live_allocations(), before + 2);
}

TEST(PortTableInherit, AddressesOfThePastLeaveFewGroups) {
  World w;
  BindNode &parent = w.node(), &child = w.node();
  ASSERT_EQ(w.bind(parent, 0, 80), ATCP_OK);
  const uint64_t before = w.os.live_allocations();
  for (uint32_t i = 1; i <= 1000; i++) {
    child.laddr = i;
    ASSERT_EQ(w.table.inherit(child, parent, child.laddr), ATCP_OK);
    w.table.unbind(child);
    w.os.quiesce();
  }
  EXPECT_LE(w.os.live_allocations(), before + 16);
  const uint64_t allocs = w.os.calls(test::Fault::Alloc);
  for (int i = 0; i < 10; i++) {
    child.laddr = 1;  // one of those that were kept
    ASSERT_EQ(w.table.inherit(child, parent, child.laddr), ATCP_OK);
    w.table.unbind(child);
  }
  EXPECT_EQ(w.os.calls(test::Fault::Alloc), allocs);
}

TEST(PortTableInherit, ManyAddressesInUseAreAllKept) {
  World w;
  BindNode& parent = w.node();
  ASSERT_EQ(w.bind(parent, 0, 80, kPort, 5), ATCP_OK);
  const uint64_t before = w.os.live_allocations();
  std::vector<BindNode> pair[2];
  for (auto& children : pair) {
    children.resize(100);
    for (uint32_t i = 0; i < children.size(); i++) {
      children[i].laddr = i + 1;
      ASSERT_EQ(w.table.inherit(children[i], parent, children[i].laddr), ATCP_OK);
    }
  }
  for (BindNode& child : pair[0])
    w.table.unbind(child);
  w.os.quiesce();
  EXPECT_EQ(w.os.live_allocations(), before + 100);
  w.table.unbind(parent);
  for (uint32_t i = 1; i <= 100; i++)
    EXPECT_EQ(w.bind(w.node(), i, 80), ATCP_ERR_ADDR_IN_USE);
  ASSERT_EQ(w.bind(parent, 0, 80, kPort, 5), ATCP_OK);
  for (BindNode& child : pair[1])
    w.table.unbind(child);
  w.os.quiesce();
  EXPECT_LE(w.os.live_allocations(), before + 16);
}

/// What the kernel's TCP answers to a bind beside live children of a listener that is gone.
TEST(PortTableInherit, RulesBesideChildren) {
  const struct {
    const char* what;
    uint32_t child_flags, child_uid;
    uint32_t laddr, flags, uid;
    bool ok;
  } kCases[] = {
      {"neither", 0, 0, 1, 0, 0, false},
      {"only the child has reuseaddr", kAddr, 0, 1, 0, 0, false},
      {"only the newcomer has reuseaddr", 0, 0, 1, kAddr, 0, false},
      {"both have reuseaddr", kAddr, 0, 1, kAddr, 0, true},
      {"any address", 0, 0, 0, 0, 0, false},
      {"any address, both reuseaddr", kAddr, 0, 0, kAddr, 0, true},
      {"another address", 0, 0, 2, 0, 0, true},
      {"both reuseport, same user", kPort, 5, 1, kPort, 5, true},
      {"both reuseport, other user", kPort, 5, 1, kPort, 6, false},
  };
  for (const auto& c : kCases) {
    World w;
    BindNode &parent = w.node(), &child = w.node(), &fresh = w.node();
    ASSERT_EQ(w.bind(parent, 0, 80, c.child_flags, c.child_uid), ATCP_OK);
    ASSERT_EQ(w.table.set_listening(parent), ATCP_OK);
    child.laddr = 1;
    ASSERT_EQ(w.table.inherit(child, parent, child.laddr), ATCP_OK);
    w.table.clear_listening(parent);
    w.table.unbind(parent);
    EXPECT_EQ(w.bind(fresh, c.laddr, 80, c.flags, c.uid), c.ok ? ATCP_OK : ATCP_ERR_ADDR_IN_USE)
        << c.what;
    w.table.unbind(fresh);
    w.table.unbind(child);
    EXPECT_EQ(w.bind(fresh, c.laddr, 80, c.flags, c.uid), ATCP_OK) << c.what << ", child gone";
  }
}

/// The listener is bound to ::, its children are those of IPv4 and IPv6 peers.
TEST(PortTableInherit, ChildrenOfEitherFamilyStandInTheWay) {
  for (const int of : {1, 2, 5, 6}) {
    for (int j = 0; j < kPlaces; j++) {
      SCOPED_TRACE(std::string(kPlace[of].what) + " then " + kPlace[j].what);
      World w;
      BindNode &parent = w.node6(), &child = w.node6(), &fresh = w.node6();
      ASSERT_EQ(w.bind(parent, six(0), 80), ATCP_OK);
      ASSERT_EQ(w.table.inherit(child, parent, kPlace[of].laddr), ATCP_OK);
      EXPECT_TRUE(addr_of(child) == kPlace[of].laddr);
      w.table.unbind(parent);
      EXPECT_EQ(w.bind(fresh, kPlace[j].laddr, 80, kPlace[j].flags),
                kOverlap[of][j] ? ATCP_ERR_ADDR_IN_USE : ATCP_OK);
    }
  }
}

TEST(PortTableInherit, ChildrenOfOneIpv6AddressAreOneAllocation) {
  World w;
  BindNode& parent = w.node6();
  ASSERT_EQ(w.bind(parent, six(0), 80), ATCP_OK);
  const uint64_t before = w.os.live_allocations();
  for (int i = 0; i < 100; i++)
    ASSERT_EQ(w.table.inherit(w.node6(), parent, six(1 + i % 2)), ATCP_OK);
  EXPECT_EQ(w.os.live_allocations(), before + 2);
}

TEST(PortTableInherit, NoChildLeftIsNoConflictThoughTheListenerStays) {
  World w;
  BindNode &parent = w.node(), &sibling = w.node(), &child = w.node();
  // The listener itself does not stand in the way of its sibling; a child of other days would.
  ASSERT_EQ(w.bind(parent, 0, 80, 0), ATCP_OK);
  ASSERT_EQ(w.table.inherit(child, parent, child.laddr), ATCP_OK);
  w.table.unbind(child);
  parent.flags = kPort;
  EXPECT_EQ(w.bind(sibling, 0, 80, kPort), ATCP_OK);
}

TEST(PortTableInherit, ChildrenOutliveEveryMember) {
  World w;
  BindNode &parent = w.node(), &a = w.node(), &b = w.node(), &next = w.node();
  ASSERT_EQ(w.bind(parent, 0, 80, kAddr), ATCP_OK);
  ASSERT_EQ(w.table.inherit(a, parent, a.laddr), ATCP_OK);
  w.table.unbind(parent);
  // Another comes and goes beside the child, and makes children of its own.
  ASSERT_EQ(w.bind(next, 0, 80, kAddr), ATCP_OK);
  ASSERT_EQ(w.table.inherit(b, next, b.laddr), ATCP_OK);
  w.table.unbind(next);
  w.table.unbind(a);
  EXPECT_EQ(w.bind(next, 0, 80), ATCP_ERR_ADDR_IN_USE);
  w.table.unbind(b);
  EXPECT_EQ(w.bind(next, 0, 80), ATCP_OK);
}

TEST(PortTableConnect, ChildrenKeepItsPort) {
  World w;
  BindNode &parent = w.node(), &child = w.node();
  ASSERT_EQ(w.bind(parent, 2, 5000), ATCP_OK);  // of an address that does not matter to connect
  child.laddr = 1;
  ASSERT_EQ(w.table.inherit(child, parent, child.laddr), ATCP_OK);
  EXPECT_FALSE(w.connect(w.node(), 5000, 5000));
  w.table.unbind(child);
  EXPECT_TRUE(w.connect(w.node(), 5000, 5000));
}

TEST(PortTableConnect, FullRangeIsOnePassWithoutLocks) {
  World w;
  for (int i = 0; i < 1000; i++)
    ASSERT_TRUE(w.connect(w.node(), 61000, 61999));
  w.tried.clear();
  w.looked = 0;
  const uint64_t allocs = w.os.calls(test::Fault::Alloc);
  EXPECT_FALSE(w.connect(w.node(), 61000, 61999));
  EXPECT_EQ(w.looked, 1000u);
  EXPECT_TRUE(w.tried.empty());
  EXPECT_EQ(w.os.calls(test::Fault::Alloc), allocs);
  EXPECT_TRUE(w.connect(w.node(), 61000, 61999, 10)) << "another peer";
}

TEST(PortTableConnect, LastFreePortIsFoundWhateverTheLookSaid) {
  World w;
  w.peeks = false;  // what was free when it was looked at is taken a moment later
  for (int i = 0; i < 100; i++)
    ASSERT_TRUE(w.connect(w.node(), 61000, 61099));
  EXPECT_FALSE(w.connect(w.node(), 61000, 61099));
}

TEST(PortTableConnect, SharesPortsBetweenPeers) {
  World w;
  for (uint32_t peer = 1; peer <= 3; peer++)
    for (int i = 0; i < 4; i++)
      ASSERT_TRUE(w.connect(w.node(), 5000, 5003, peer)) << "peer " << peer;
  EXPECT_FALSE(w.connect(w.node(), 5000, 5003, 1));
  EXPECT_EQ(w.taken.size(), 12u);
}

TEST(PortTableConnect, SkipsPortsOfExplicitBinds) {
  World w;
  ASSERT_EQ(w.bind(w.node(), 1, 5000), ATCP_OK);
  ASSERT_EQ(w.bind(w.node(), 0, 5001), ATCP_OK);
  ASSERT_EQ(w.bind(w.node(), 2, 5002), ATCP_OK);  // another address: no obstacle
  BindNode& n = w.node();
  ASSERT_TRUE(w.connect(n, 5000, 5002));
  EXPECT_EQ(from_be16(n.port), 5002);
  EXPECT_EQ(n.connect_only, 1);
  EXPECT_FALSE(w.connect(w.node(), 5000, 5002));
}

TEST(PortTableConnect, SkipsPortsThatOverlapInTheOtherFamily) {
  const auto dial = [](World& w, BindNode& n, const IpAddr& laddr) {
    atcp_tuple t = {};
    t.family = laddr.family;
    t.laddr = t.raddr = laddr.ip();
    const auto yes = [](uint16_t) { return true; };
    return w.table.connect(n, t, 5000, 5000, yes, yes);
  };
  for (int i = 0; i < kPlaces; i++) {
    for (const int j : {1, 2, 5, 6}) {
      SCOPED_TRACE(std::string(kPlace[j].what) + " beside " + kPlace[i].what);
      World w;
      ASSERT_EQ(w.bind(w.node6(), kPlace[i].laddr, 5000, kPlace[i].flags), ATCP_OK);
      BindNode& n = w.node6();
      EXPECT_EQ(dial(w, n, kPlace[j].laddr), !kOverlap[i][j]);
      if (!kOverlap[i][j]) {
        EXPECT_TRUE(addr_of(n) == kPlace[j].laddr);
      }
    }
  }
  World w;
  EXPECT_FALSE(dial(w, w.node(), six(1))) << "a socket of IPv4";
  EXPECT_EQ(w.table.in_use(), 0u);
}

TEST(PortTableConnect, ConnectedPortIsRefusedToBind) {
  World w;
  ASSERT_TRUE(w.connect(w.node(), 5000, 5000));
  EXPECT_EQ(w.bind(w.node(), 0, 5000, kAddr), ATCP_ERR_ADDR_IN_USE);
}

TEST(PortTableConnect, SuccessivePortsDiffer) {
  World w;
  for (int i = 0; i < 100; i++) {
    BindNode& n = w.node();
    ASSERT_TRUE(w.connect(n, 61000, 61999));
    w.table.unbind(n);
  }
  EXPECT_EQ(std::set<uint16_t>(w.tried.begin(), w.tried.end()).size(), 100u)
      << "a port is chosen again too soon";
}

TEST(PortTableConnect, NoMemoryTriesAndLeavesNothing) {
  World w;
  w.os.fail_always(test::Fault::Alloc, true);
  EXPECT_FALSE(w.connect(w.node(), 5000, 5010));
  EXPECT_TRUE(w.tried.empty());
}

TEST(PortTableInit, NoMemoryLeavesNothing) {
  test::FakeOs os;
  PortTable t;
  for (uint64_t mask : {1, 2}) {
    os.fail(test::Fault::Table, mask);
    EXPECT_FALSE(t.init(SipKey{}));
  }
  os.fail(test::Fault::Table, 0);
  os.fail(test::Fault::Locks, 1);
  EXPECT_FALSE(t.init(SipKey{}));
}

/// From 50000 to 2000 there are no ports, not nearly 2^32 of them.
TEST(PortTableRange, ThatEndsBeforeItBeginsHasNone) {
  World w;
  uint16_t p = 0;
  EXPECT_EQ(w.table.bind(w.node(), 0, &p, 0, 0, 50000, 2000), ATCP_ERR_INVALID);
  EXPECT_EQ(p, 0u);
  EXPECT_FALSE(w.connect(w.node(), 50000, 2000));
  EXPECT_EQ(w.looked, 0u);
  EXPECT_EQ(w.table.in_use(), 0u);
  // Who names a port does not care.
  p = to_be16(80);
  EXPECT_EQ(w.table.bind(w.node(), 0, &p, 0, 0, 50000, 2000), ATCP_OK);
}

}  // namespace
}  // namespace atcp
