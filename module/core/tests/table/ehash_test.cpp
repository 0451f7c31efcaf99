// SPDX-License-Identifier: GPL-2.0
//
// The established table against std::map, the replacement of entries, what a reader sees of an entry that
// moves under him, growing and shrinking, walks, and readers and writers on several threads. Real grace
// periods and resizes under fire are in tests/stress.
#include "table/ehash.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "table/counters.h"
#include "tests/fake_os.h"
#include "tests/numbered_tuple.h"
#include "tests/unlock_hook.h"

namespace atcp {
namespace {

constexpr SipKey kKey = {{1, 2}};

Endpoint make_entry(uint32_t n) {
  Endpoint e = {};
  e.kind = EntryKind::Request;
  e.refs = 1;
  set_tuple(e, tuple(n));
  return e;
}

class Table {
 public:
  /// Of a fixed size.
  explicit Table(uint32_t buckets) : Table(buckets, buckets, buckets) {}
  Table(uint32_t buckets, uint32_t least, uint32_t most) : ns(test::FakeOs::the().add_ns("table")) {
    EXPECT_TRUE(hash.init(&ns, buckets, least, most, kKey));
  }
  ~Table() { hash.fini(); }
  /// The work that was asked for. False: none.
  bool work() {
    if (!std::exchange(ns.work, false)) return false;
    hash.resize();
    return true;
  }
  uint64_t counted(Counter c) const { return ns.counters.at(static_cast<size_t>(c)); }
  /// Everything, in walks of any number of pieces.
  std::vector<Endpoint*> all() const {
    std::vector<Endpoint*> out;
    for (uint64_t at = 0; at != Ehash::kWalkEnd;) {
      const EhashBatch b = hash.walk(&at, [](const Endpoint&) { return true; });
      for (uint32_t i = 0; i < b.n; i++) {
        out.push_back(b.entry[i]);
        endpoint_put(*b.entry[i]);
      }
    }
    return out;
  }
  atcp_osns& ns;
  Ehash hash;
};

/// n entries in the table, taken out at the end.
class Crowd {
 public:
  Crowd(Table& t, uint32_t n, uint32_t first = 0) : table(t), entries(n) {
    for (uint32_t i = 0; i < n; i++)
      entries[i] = make_entry(first + i);
    for (Endpoint& e : entries)
      EXPECT_TRUE(t.hash.insert(e));
  }
  ~Crowd() {
    for (Endpoint& e : entries) {
      table.hash.remove(e);
      EXPECT_EQ(e.refs, 1u);
    }
  }
  void expect_found(uint32_t first = 0) {
    for (uint32_t i = 0; i < entries.size(); i++) {
      Endpoint* e = table.hash.lookup(tuple(first + i));
      ASSERT_EQ(e, &entries[i]);
      endpoint_put(*e);
    }
  }
  Table& table;
  std::vector<Endpoint> entries;
};

TEST(EhashInit, NoMemoryLeavesNothing) {
  test::FakeOs os;
  Ehash h;
  os.fail(test::Fault::Table, 1);
  EXPECT_FALSE(h.init(&os.add_ns("a"), 16, 0, 16, kKey));
  os.fail(test::Fault::Locks, 1);
  EXPECT_FALSE(h.init(&os.add_ns("b"), 16, 0, 16, kKey));
}

TEST(EhashInit, BucketsAreAPowerOfTwo) {
  test::FakeOs os;
  Table t(1000);
  EXPECT_EQ(t.hash.buckets(), 1024u);
}

TEST(Ehash, RandomOperationsAgreeWithMap) {
  test::FakeOs os;
  Table t(16);  // long chains
  std::mt19937 rng(3);
  std::vector<Endpoint> pool(400);
  for (Endpoint& e : pool)
    e = make_entry(0);
  std::map<uint32_t, Endpoint*> model;
  for (int step = 0; step < 20000; step++) {
    const uint32_t n = rng() % 200;
    auto it = model.find(n);
    switch (rng() % 4) {
      case 0:
      case 1: {
        Endpoint& e = pool[rng() % pool.size()];
        if (e.hashed != 0) break;
        set_tuple(e, tuple(n));
        Endpoint* taken = nullptr;
        ASSERT_EQ(t.hash.insert(e, &taken), it == model.end());
        if (it == model.end()) {
          model[n] = &e;
        } else {
          ASSERT_EQ(taken, it->second);
          endpoint_put(*taken);
        }
        break;
      }
      case 2:
        if (it != model.end()) {
          ASSERT_TRUE(t.hash.remove(*it->second));
          ASSERT_FALSE(t.hash.remove(*it->second));
          model.erase(it);
        }
        break;
      case 3: {
        Endpoint* found = t.hash.lookup(tuple(n));
        ASSERT_EQ(found, it == model.end() ? nullptr : it->second);
        if (found != nullptr) endpoint_put(*found);
        break;
      }
    }
    ASSERT_EQ(t.hash.size(), model.size());
  }
  EXPECT_EQ(t.all().size(), model.size());
  for (Endpoint& e : pool)
    EXPECT_EQ(e.refs, 1u);
}

/// Entries of both families in the same chains, some of which have room for either.
TEST(Ehash, BothFamiliesAgreeWithMap) {
  struct Roomy {
    Endpoint e = make_entry(0);
    uint64_t room[kV6Words] = {};
  };
  test::FakeOs os;
  Table t(16);
  std::mt19937 rng(5);
  std::vector<Roomy> pool(300);
  for (size_t i = 0; i < pool.size(); i += 2)
    pool[i].e.v6_words = sizeof(Endpoint) / sizeof(uint64_t);
  const auto numbered = [](uint32_t n) { return n % 2 != 0 ? tuple6(n / 2) : tuple(n / 2); };
  std::map<uint32_t, Endpoint*> model;
  for (int step = 0; step < 20000; step++) {
    const uint32_t n = rng() % 200;
    auto it = model.find(n);
    Endpoint* found = t.hash.lookup(numbered(n));
    ASSERT_EQ(found, it == model.end() ? nullptr : it->second);
    ASSERT_EQ(t.hash.peek(numbered(n)), found);
    if (found != nullptr) endpoint_put(*found);
    Endpoint& e = pool[rng() % pool.size()].e;
    if (it != model.end() && rng() % 2 != 0) {
      ASSERT_TRUE(t.hash.remove(*it->second));
      model.erase(it);
    } else if (e.hashed == 0 && has_room(e, numbered(n).family)) {
      set_tuple(e, numbered(n));
      if (it != model.end() && rng() % 2 != 0) {
        ASSERT_TRUE(t.hash.replace(*it->second, e));
        model[n] = &e;
      } else {
        ASSERT_EQ(t.hash.insert(e), it == model.end());
        if (it == model.end()) model[n] = &e;
      }
    }
  }
  EXPECT_EQ(t.all().size(), model.size());
  for (const auto& [n, e] : model)
    EXPECT_TRUE(same_tuple(*e, numbered(n)));
}

TEST(EhashWalk, SeesEverybodyOnce) {
  test::FakeOs os;
  for (const uint32_t buckets : {1u, 16u, 4096u}) {
    Table t(buckets);
    Crowd c(t, 700);
    const std::vector<Endpoint*> all = t.all();
    EXPECT_EQ(all.size(), 700u) << buckets;
    EXPECT_EQ(std::set<Endpoint*>(all.begin(), all.end()).size(), 700u) << buckets;
  }
}

TEST(EhashWalk, EqualHashesAreToldApart) {
  test::FakeOs os;
  Table t(1);
  Crowd crowd(t, 3);
  // As if SipHash had made it so, which it does once in a few thousand million pairs.
  for (Endpoint& e : crowd.entries)
    e.hash = crowd.entries[0].hash;
  uint64_t at = 0;
  const auto any = [](const Endpoint&) { return true; };
  const EhashBatch all = t.hash.walk(&at, any);
  ASSERT_EQ(all.n, 3u);
  // Whoever has no room for one of them goes on at that one.
  for (uint32_t left = 0; left < 3; left++) {
    at = all.key[left];
    const EhashBatch rest = t.hash.walk(&at, any);
    ASSERT_EQ(rest.n, 3 - left);
    for (uint32_t i = 0; i < rest.n; i++) {
      EXPECT_EQ(rest.entry[i], all.entry[left + i]);
      EXPECT_EQ(rest.key[i], all.key[left + i]);
      endpoint_put(*rest.entry[i]);
    }
  }
  for (uint32_t i = 0; i < all.n; i++)
    endpoint_put(*all.entry[i]);
}

TEST(EhashWalk, KeyOfAnEntryGoesOnThere) {
  test::FakeOs os;
  Table t(1);
  Crowd c(t, 40);
  const auto any = [](const Endpoint&) { return true; };
  uint64_t at = 0;
  const EhashBatch first = t.hash.walk(&at, any);
  ASSERT_EQ(first.n, EhashBatch::kRoom);
  at = first.key[3];
  const EhashBatch again = t.hash.walk(&at, any);
  EXPECT_EQ(again.entry[0], first.entry[3]);
  for (const EhashBatch* b : {&first, &again})
    for (uint32_t i = 0; i < b->n; i++)
      endpoint_put(*b->entry[i]);
}

TEST(EhashWalk, OnlyWhatIsWanted) {
  test::FakeOs os;
  Table t(16);
  Crowd c(t, 300);
  uint32_t seen = 0;
  for (uint64_t at = 0; at != Ehash::kWalkEnd;) {
    const EhashBatch b = t.hash.walk(&at, [](const Endpoint& e) { return (e.raddr & 7) == 0; });
    for (uint32_t i = 0; i < b.n; i++) {
      EXPECT_EQ(b.entry[i]->raddr & 7, 0u);
      endpoint_put(*b.entry[i]);
      seen++;
    }
  }
  EXPECT_EQ(seen, 38u);
}

TEST(EhashWalk, PassesOverTheDying) {
  test::FakeOs os;
  Table t(1);
  Crowd c(t, 3);
  c.entries[1].refs = 0;
  EXPECT_EQ(t.all().size(), 2u);
  c.entries[1].refs = 1;
}

TEST(EhashWalk, SurvivesResizesInBetween) {
  test::FakeOs os;
  for (const bool grow : {true, false}) {
    Table t(64, 64, grow ? 64 : 4096);
    Crowd c(t, 600);
    ASSERT_EQ(t.work(), !grow);
    std::multiset<Endpoint*> seen;
    uint32_t turn = 0;
    for (uint64_t at = 0; at != Ehash::kWalkEnd; turn++) {
      const EhashBatch b = t.hash.walk(&at, [](const Endpoint&) { return true; });
      for (uint32_t i = 0; i < b.n; i++) {
        seen.insert(b.entry[i]);
        endpoint_put(*b.entry[i]);
      }
      if (turn == 1) {
        t.hash.set_limits(64, grow ? 4096 : 64);
        ASSERT_TRUE(t.work());
        ASSERT_EQ(t.hash.buckets(), grow ? 1024u : 64u);
      }
    }
    EXPECT_EQ(seen.size(), 600u);
    for (Endpoint& e : c.entries)
      EXPECT_EQ(seen.count(&e), 1u);
  }
}

TEST(EhashResize, GrowsAboveOneEntryPerBucket) {
  test::FakeOs os;
  Table t(16, 0, 1024);
  Crowd c(t, 16);
  EXPECT_FALSE(t.work());
  Crowd more(t, 300, 16);
  EXPECT_TRUE(t.work());
  EXPECT_EQ(t.hash.buckets(), 512u);
  EXPECT_EQ(t.counted(Counter::EhashGrown), 1u);
  EXPECT_FALSE(t.work());
  c.expect_found();
  more.expect_found(16);
  EXPECT_EQ(t.hash.size(), 316u);
}

TEST(EhashResize, ShrinksBelowAnEighthButNotBelowTheInitialSize) {
  test::FakeOs os;
  Table t(16, 0, 4096);
  Crowd stay(t, 20);
  {
    Crowd go(t, 1000, 100);
    ASSERT_TRUE(t.work());
    ASSERT_EQ(t.hash.buckets(), 1024u);
  }
  EXPECT_TRUE(t.work());
  EXPECT_EQ(t.hash.buckets(), 64u);
  EXPECT_EQ(t.counted(Counter::EhashShrunk), 1u);
  stay.expect_found();
  for (Endpoint& e : stay.entries)
    t.hash.remove(e);
  t.work();
  EXPECT_EQ(t.hash.buckets(), 16u);
}

TEST(EhashResize, StaysWithinTheLimits) {
  test::FakeOs os;
  Table t(16, 16, 64);
  Crowd c(t, 500);
  ASSERT_TRUE(t.work());
  EXPECT_EQ(t.hash.buckets(), 64u);
  t.hash.set_limits(16, 128);
  ASSERT_TRUE(t.work());
  EXPECT_EQ(t.hash.buckets(), 128u);
  t.hash.set_limits(2000, 128);  // the lower limit is the stronger one
  ASSERT_TRUE(t.work());
  EXPECT_EQ(t.hash.buckets(), 512u);
  t.hash.set_limits(1, 1);  // no fewer than stripes, which are for life
  ASSERT_TRUE(t.work());
  EXPECT_EQ(t.hash.buckets(), t.hash.stripes());
  c.expect_found();
}

TEST(EhashResize, LeastNumberAllocatesNothingByItself) {
  test::FakeOs os;
  Table t(16, 0, 1024);
  t.hash.set_limits(Ehash::kMaxBuckets, Ehash::kMaxBuckets);
  t.work();
  EXPECT_EQ(t.hash.buckets(), 16u);
  {
    Crowd c(t, 300);
    ASSERT_TRUE(t.work());
    EXPECT_EQ(t.hash.buckets(), 512u) << "by what the entries need";
  }
  t.work();
  EXPECT_EQ(t.hash.buckets(), 512u) << "what there is, stays";
  t.hash.set_limits(0, 1024);
  t.work();
  EXPECT_EQ(t.hash.buckets(), 16u);
}

TEST(EhashResize, LeastNumberGivesTheInitialSizeBack) {
  test::FakeOs os;
  Table t(4096, 0, 8192);
  t.hash.set_limits(2000, 8192);
  ASSERT_TRUE(t.work());
  ASSERT_EQ(t.hash.buckets(), 2048u);
  t.hash.set_limits(8192, 8192);
  ASSERT_TRUE(t.work());
  EXPECT_EQ(t.hash.buckets(), 4096u);
}

TEST(EhashResize, AsksForNothingAtTheRoundedLeastNumber) {
  test::FakeOs os;
  Table t(16, 0, 8192);
  Crowd c(t, 5000);
  ASSERT_TRUE(t.work());
  t.hash.set_limits(5000, 8192);
  ASSERT_TRUE(t.work());
  ASSERT_EQ(t.hash.buckets(), 8192u);
  for (uint32_t i = 0; i < 4500; i++)
    t.hash.remove(c.entries[i]);
  EXPECT_FALSE(t.work());
}

TEST(EhashResize, EntryThatGoesAtOnceIsNotCountedBelowZero) {
  test::FakeOs os;
  Table t(16, 0, 1024);
  Endpoint e = make_entry(1);
  uint32_t calls = 0;
  test::on_unlock = [&] {
    if (calls++ != 0) return;
    EXPECT_TRUE(t.hash.remove(e));
    EXPECT_EQ(t.hash.size(), 0u);
  };
  EXPECT_TRUE(t.hash.insert(e));
  EXPECT_EQ(calls, 2u);
  test::on_unlock = nullptr;
  EXPECT_EQ(t.hash.size(), 0u);
}

TEST(EhashResize, LongChainIsMovedInPieces) {
  constexpr uint32_t kChain = 1000, kPerTurn = 32;
  test::FakeOs os;
  Table t(1);
  Crowd c(t, kChain);
  Endpoint come = make_entry(kChain);
  uint32_t turns = 0;
  bool busy = false;
  test::on_unlock = [&] {
    if (busy) return;
    busy = true;
    if (turns++ % 8 == 0) c.expect_found(0);
    if (turns == 3) {
      // The head, the tail, and a newcomer, while the chain is in two tables.
      for (Endpoint* e : {&c.entries.front(), &c.entries.back()}) {
        EXPECT_TRUE(t.hash.remove(*e));
        EXPECT_TRUE(t.hash.insert(*e));
      }
      EXPECT_FALSE(t.hash.insert(*std::make_unique<Endpoint>(make_entry(kChain / 2))));
      EXPECT_TRUE(t.hash.insert(come));
    }
    busy = false;
  };
  t.hash.set_limits(1, 1024);
  ASSERT_TRUE(t.work());
  test::on_unlock = nullptr;
  EXPECT_EQ(t.hash.buckets(), 1024u);
  EXPECT_GE(turns, kChain / kPerTurn);
  c.expect_found();
  EXPECT_EQ(t.all().size(), kChain + 1);
  EXPECT_TRUE(t.hash.remove(come));
}

TEST(EhashResize, EqualLimitsSwitchItOff) {
  test::FakeOs os;
  Table t(16, 16, 16);
  Crowd c(t, 500);
  EXPECT_FALSE(t.work());
}

TEST(EhashResize, WithoutMemoryItStaysAndTriesAgainLater) {
  test::FakeOs os;
  Table t(16, 0, 1024);
  Crowd c(t, 17);
  os.fail(test::Fault::Table, 1);
  ASSERT_TRUE(t.work());
  EXPECT_EQ(t.hash.buckets(), 16u);
  EXPECT_EQ(t.counted(Counter::EhashNoMemory), 1u);
  c.expect_found();
  Crowd few(t, 2, 100);
  EXPECT_FALSE(t.work()) << "it asks again at once";
  Crowd more(t, 2, 200);
  ASSERT_TRUE(t.work());
  EXPECT_EQ(t.hash.buckets(), 32u);
  EXPECT_EQ(t.counted(Counter::EhashGrown), 1u);
}

TEST(EhashResize, RandomOperationsAgreeWithMap) {
  test::FakeOs os;
  Table t(2, 0, 1024);
  std::mt19937 rng(5);
  std::vector<Endpoint> pool(600);
  std::map<uint32_t, Endpoint*> model;
  for (uint32_t i = 0; i < pool.size(); i++)
    pool[i] = make_entry(i);
  for (int step = 0; step < 20000; step++) {
    // The table is filled and emptied in turns, so that it grows and shrinks.
    const bool fill = (step / 2000) % 2 == 0;
    const uint32_t n = rng() % static_cast<uint32_t>(pool.size());
    if (fill != (model.count(n) != 0)) {
      ASSERT_EQ(fill ? t.hash.insert(pool[n]) : t.hash.remove(pool[n]), true);
      if (fill)
        model[n] = &pool[n];
      else
        model.erase(n);
    }
    t.work();
    const uint32_t m = rng() % static_cast<uint32_t>(pool.size());
    Endpoint* found = t.hash.lookup(tuple(m));
    ASSERT_EQ(found, model.count(m) != 0 ? model[m] : nullptr);
    if (found != nullptr) endpoint_put(*found);
  }
  EXPECT_GT(t.counted(Counter::EhashGrown), 4u);
  EXPECT_GT(t.counted(Counter::EhashShrunk), 4u);
  for (auto& [n, e] : model)
    t.hash.remove(*e);
}

TEST(EhashPeek, TakesNoReference) {
  test::FakeOs os;
  Table t(4);
  Endpoint e = make_entry(1);
  EXPECT_EQ(t.hash.peek(tuple(1)), nullptr);
  ASSERT_TRUE(t.hash.insert(e));
  EXPECT_EQ(t.hash.peek(tuple(1)), &e);
  EXPECT_EQ(e.refs, 1u);
  t.hash.remove(e);
}

TEST(EhashLookup, DyingEntryIsNotFound) {
  test::FakeOs os;
  Table t(4);
  Endpoint e = make_entry(1);
  ASSERT_TRUE(t.hash.insert(e));
  e.refs = 0;
  EXPECT_EQ(t.hash.lookup(tuple(1)), nullptr);
  Endpoint other = make_entry(1);
  Endpoint* taken = &other;
  EXPECT_FALSE(t.hash.insert(other, &taken));
  EXPECT_EQ(taken, nullptr);
  t.hash.remove(e);
}

TEST(EhashReplace, TakesThePlaceInOneStep) {
  test::FakeOs os;
  Table t(1);
  Endpoint a = make_entry(1), b = make_entry(2), c = make_entry(3), fresh = make_entry(2);
  for (Endpoint* e : {&a, &b, &c})
    ASSERT_TRUE(t.hash.insert(*e));
  ASSERT_TRUE(t.hash.replace(b, fresh));
  EXPECT_EQ(b.hashed, 0);
  EXPECT_EQ(t.hash.size(), 3u);
  Endpoint* found = t.hash.lookup(tuple(2));
  EXPECT_EQ(found, &fresh);
  endpoint_put(*found);
  // A reader who stood on the old one still reaches the end of the chain.
  uintptr end = b.next;
  while (!is_chain_end(end))
    end = reinterpret_cast<Endpoint*>(end)->next;
  uintptr whole = fresh.next;
  while (!is_chain_end(whole))
    whole = reinterpret_cast<Endpoint*>(whole)->next;
  EXPECT_EQ(end, whole);
  EXPECT_FALSE(t.hash.replace(b, fresh));
  EXPECT_FALSE(t.hash.remove(b));
}

/// A socket in the table that another CPU disconnects, and connects elsewhere, between a reader's look
/// at its key and his reference.
class Recycled {
 public:
  Recycled()
      : socket(os.new_conn(os.add_ns("a"))), entry(*reinterpret_cast<Endpoint*>(&socket.conn)) {
    entry.kind = EntryKind::Conn;
    set_tuple(entry, tuple(5));
    EXPECT_TRUE(here.hash.insert(entry));
    while ((there.hash.hash(tuple(elsewhere)) & (there.hash.buckets() - 1)) == 0)
      elsewhere++;  // a chain whose end bears another number than the one bucket of `here`
  }
  ~Recycled() {
    there.hash.remove(entry);
    os.put(socket);
  }
  void move() {
    EXPECT_TRUE(here.hash.remove(entry));
    set_tuple(entry, tuple(elsewhere));
    EXPECT_TRUE(there.hash.insert(entry));
  }
  test::FakeOs os;
  Table here{1};
  Table there{64};
  uint32_t elsewhere = 77;
  test::FakeConn& socket;
  Endpoint& entry;
};

TEST(EhashLookup, KeyIsComparedAgainOnceReferenced) {
  Recycled r;
  int calls = 0;
  r.os.on_tryget = [&](test::FakeConn&) {
    if (calls++ == 0) r.move();
  };
  EXPECT_EQ(r.here.hash.lookup(tuple(5)), nullptr);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(r.socket.refs, 1u);
}

TEST(EhashLookup, EndOfAnotherChainMeansStartAgain) {
  Recycled r;
  Endpoint fresh = make_entry(5);
  int calls = 0;
  r.os.on_tryget = [&](test::FakeConn& c) {
    if (calls++ == 0) {
      r.move();
      EXPECT_TRUE(r.here.hash.insert(fresh));
      c.refs = 0;  // the reference fails, the entry is hashed: the reader goes on from it
    }
  };
  EXPECT_EQ(r.here.hash.lookup(tuple(5)), &fresh);
  EXPECT_EQ(calls, 1);
  r.socket.refs = 1;
  endpoint_put(fresh);
}

TEST(EhashLookup, EntryThatLeftMeanwhileMeansStartAgain) {
  Recycled r;
  Endpoint fresh = make_entry(5);
  int calls = 0;
  r.os.on_tryget = [&](test::FakeConn& c) {
    if (calls++ == 0) {
      EXPECT_TRUE(r.here.hash.replace(r.entry, fresh));
      c.refs = 0;
    }
  };
  EXPECT_EQ(r.here.hash.lookup(tuple(5)), &fresh);
  r.socket.refs = 1;
  endpoint_put(fresh);
}

TEST(Ehash, ReadersNeverMissWhatStays) {
  test::FakeOs os;
  Table t(32);
  constexpr uint32_t kStay = 50, kCome = 200;
  std::vector<Endpoint> stay, come;
  for (uint32_t i = 0; i < kStay; i++)
    stay.push_back(make_entry(i));
  for (uint32_t i = 0; i < 2 * kCome; i++)
    come.push_back(make_entry(1000 + i));
  for (Endpoint& e : stay)
    ASSERT_TRUE(t.hash.insert(e));
  std::atomic<bool> stop = false;
  std::atomic<uint32_t> missed = 0, wrong = 0;
  std::vector<std::thread> threads;
  for (uint32_t w = 0; w < 2; w++) {
    threads.emplace_back([&, w] {
      std::mt19937 rng(w);
      while (!stop.load()) {
        Endpoint& e = come[w * kCome + rng() % kCome];
        if (e.hashed == 0)
          t.hash.insert(e);
        else
          t.hash.remove(e);
      }
    });
  }
  threads.emplace_back([&] {
    // Replaces entries that stay, to and fro.
    Endpoint twin = make_entry(7);
    Endpoint* now = &stay[7];
    Endpoint* next = &twin;
    while (!stop.load()) {
      if (!t.hash.replace(*now, *next)) wrong++;
      std::swap(now, next);
    }
    if (now == &twin && !t.hash.replace(twin, stay[7])) wrong++;
    while (__atomic_load_n(&twin.refs, __ATOMIC_ACQUIRE) != 1)
      std::this_thread::yield();
  });
  std::mt19937 rng(99);
  for (int i = 0; i < 40000; i++) {
    const uint32_t n = rng() % kStay;
    atcp_os_rcu_lock();
    Endpoint* found = t.hash.lookup(tuple(n));
    if (found == nullptr)
      missed++;
    else if (!same_tuple(*found, tuple(n)))
      wrong++;
    if (found != nullptr) endpoint_put(*found);
    atcp_os_rcu_unlock();
  }
  stop = true;
  for (std::thread& th : threads)
    th.join();
  EXPECT_EQ(missed.load(), 0u);
  EXPECT_EQ(wrong.load(), 0u);
  for (Endpoint& e : come)
    t.hash.remove(e);
  EXPECT_EQ(t.hash.size(), kStay);
}

TEST(EhashHash, DependsOnTheKey) {
  test::FakeOs os;
  Ehash a, b;
  atcp_osns& ns = os.add_ns("a");
  ASSERT_TRUE(a.init(&ns, 16, 16, 16, kKey));
  ASSERT_TRUE(b.init(&ns, 16, 16, 16, SipKey{{3, 4}}));
  EXPECT_NE(a.hash(tuple(1)), b.hash(tuple(1)));
  a.fini();
  b.fini();
}

}  // namespace
}  // namespace atcp
