// SPDX-License-Identifier: GPL-2.0
//
// The established table against std::map, the replacement of entries, what a reader sees of an entry that
// moves under him, and readers and writers on several threads.
#include "table/ehash.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "tests/fake_os.h"

namespace atcp {
namespace {

constexpr SipKey kKey = {{1, 2}};

atcp_tuple tuple(uint32_t n) {
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = 0x0100007f;
  t.raddr.v4 = n;
  t.lport = 80;
  t.rport = static_cast<uint16_t>(n * 7);
  return t;
}

Endpoint make_entry(uint32_t n) {
  Endpoint e = {};
  e.kind = EntryKind::Request;
  e.refs = 1;
  set_tuple(e, tuple(n));
  return e;
}

class Table {
 public:
  explicit Table(uint32_t buckets) { EXPECT_TRUE(hash.init(buckets, kKey)); }
  ~Table() { hash.fini(); }
  Ehash hash;
};

TEST(EhashInit, NoMemoryLeavesNothing) {
  test::FakeOs os;
  Ehash h;
  os.fail(test::Fault::Table, 1);
  EXPECT_FALSE(h.init(16, kKey));
  os.fail(test::Fault::Locks, 1);
  EXPECT_FALSE(h.init(16, kKey));
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
  uint32_t walked = 0;
  for (uint32_t b = 0; b < t.hash.buckets(); b++)
    walked += t.hash.walk_bucket(b, 0, [](Endpoint&) { return true; });
  EXPECT_EQ(walked, model.size());
  for (Endpoint& e : pool)
    EXPECT_EQ(e.refs, 1u);
}

TEST(EhashWalkBucket, SkipsAndStops) {
  test::FakeOs os;
  Table t(1);
  std::vector<Endpoint> es;
  for (uint32_t i = 0; i < 5; i++)
    es.push_back(make_entry(i));
  for (Endpoint& e : es)
    ASSERT_TRUE(t.hash.insert(e));
  std::vector<Endpoint*> all;
  t.hash.walk_bucket(0, 0, [&](Endpoint& e) {
    all.push_back(&e);
    return true;
  });
  ASSERT_EQ(all.size(), 5u);
  std::vector<Endpoint*> some;
  EXPECT_EQ(t.hash.walk_bucket(0, 2,
                               [&](Endpoint& e) {
                                 some.push_back(&e);
                                 return some.size() < 2;  // the second one is seen but not counted
                               }),
            1u);
  EXPECT_EQ(some, (std::vector<Endpoint*>{all[2], all[3]}));
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
  EXPECT_FALSE(is_chain_end(b.next) && b.next == 0);
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
  ASSERT_TRUE(a.init(16, kKey));
  ASSERT_TRUE(b.init(16, SipKey{{3, 4}}));
  EXPECT_NE(a.hash(tuple(1)), b.hash(tuple(1)));
  a.fini();
  b.fini();
}

}  // namespace
}  // namespace atcp
