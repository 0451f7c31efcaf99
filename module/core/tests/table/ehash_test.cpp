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

Endpoint entry(uint32_t n) {
  Endpoint e = {};
  e.kind = EntryKind::Request;
  e.refs = 1;
  set_tuple(e, tuple(n));
  return e;
}

class Table {
 public:
  explicit Table(uint32_t buckets) {
    EXPECT_TRUE(hash.init(buckets, kKey));
  }
  ~Table() {
    hash.fini();
  }
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
    e = entry(0);
  std::map<uint32_t, Endpoint*> model;
  for (int step = 0; step < 20000; step++) {
    const uint32_t n = rng() % 200;
    auto it = model.find(n);
    switch (rng() % 4) {
      case 0:
      case 1: {
        Endpoint& e = pool[rng() % pool.size()];
        if (e.hashed != 0)
          break;
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
        if (found != nullptr)
          endpoint_put(*found);
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
    es.push_back(entry(i));
  for (Endpoint& e : es)
    ASSERT_TRUE(t.hash.insert(e));
  std::vector<Endpoint*> all;
  t.hash.walk_bucket(0, 0, [&](Endpoint& e) {
    all.push_back(&e);
    return true;
  });
  ASSERT_EQ(all.size(), 5u);
  std::vector<Endpoint*> some;
  EXPECT_EQ(t.hash.walk_bucket(0, 2, [&](Endpoint& e) {
    some.push_back(&e);
    return some.size() < 2;  // the second one is seen but not counted
  }), 1u);
  EXPECT_EQ(some, (std::vector<Endpoint*>{all[2], all[3]}));
}

TEST(EhashLookup, DyingEntryIsNotFound) {
  test::FakeOs os;
  Table t(4);
  Endpoint e = entry(1);
  ASSERT_TRUE(t.hash.insert(e));
  e.refs = 0;
  EXPECT_EQ(t.hash.lookup(tuple(1)), nullptr);
  Endpoint other = entry(1);
  Endpoint* taken = &other;
  EXPECT_FALSE(t.hash.insert(other, &taken));
  EXPECT_EQ(taken, nullptr);
  t.hash.remove(e);
}

TEST(EhashReplace, TakesThePlaceInOneStep) {
  test::FakeOs os;
  Table t(1);
  Endpoint a = entry(1), b = entry(2), c = entry(3), fresh = entry(2);
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

TEST(EhashLookup, EntryRecycledUnderTheReader) {
  test::FakeOs os;
  Table t(1);
  Table other(64);
  Endpoint mine = entry(5);
  ASSERT_TRUE(t.hash.insert(mine));
  Endpoint standing = entry(9);
  ASSERT_TRUE(t.hash.insert(standing));
  // The reader goes head -> standing -> mine. A second thread moves `standing` to another table and
  // back, as a socket is disconnected and connected again: whoever stands on it meanwhile ends in a
  // chain whose end names another bucket.
  std::atomic<bool> stop = false;
  std::thread mover([&] {
    while (!stop.load()) {
      t.hash.remove(standing);
      set_tuple(standing, tuple(77));
      ASSERT_TRUE(other.hash.insert(standing));
      other.hash.remove(standing);
      set_tuple(standing, tuple(9));
      ASSERT_TRUE(t.hash.insert(standing));
    }
  });
  for (int i = 0; i < 20000; i++) {
    atcp_os_rcu_lock();
    Endpoint* found = t.hash.lookup(tuple(5));
    atcp_os_rcu_unlock();
    ASSERT_EQ(found, &mine) << "lost in another chain after " << i;
    endpoint_put(*found);
  }
  stop = true;
  mover.join();
}

TEST(Ehash, ReadersNeverMissWhatStays) {
  test::FakeOs os;
  Table t(32);
  constexpr uint32_t kStay = 50, kCome = 200;
  std::vector<Endpoint> stay, come;
  for (uint32_t i = 0; i < kStay; i++)
    stay.push_back(entry(i));
  for (uint32_t i = 0; i < 2 * kCome; i++)
    come.push_back(entry(1000 + i));
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
    Endpoint twin = entry(7);
    Endpoint* now = &stay[7];
    Endpoint* next = &twin;
    while (!stop.load()) {
      if (!t.hash.replace(*now, *next))
        wrong++;
      std::swap(now, next);
    }
    if (now == &twin && !t.hash.replace(twin, stay[7]))
      wrong++;
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
    if (found != nullptr)
      endpoint_put(*found);
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
