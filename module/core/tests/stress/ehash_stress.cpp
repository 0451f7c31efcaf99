// SPDX-License-Identifier: GPL-2.0
//
// The established table with everything at once: readers, inserts, removes, replacements, sockets that leave and
// come back under another tuple, walks, growing, shrinking, failing allocations. ThreadSanitizer watches
// the accesses; the oracles here watch the answers. ATCP_STRESS_SECONDS says how long each test runs.
#include "table/ehash.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "tests/numbered_tuple.h"
#include "tests/stress/thread_os.h"

namespace atcp {
namespace {

constexpr SipKey kKey = {{11, 22}};

/// A small entry as the core has them: freed after a grace period when its last reference goes.
struct Entry : Endpoint {
  atcp_rcu rcu;
  uint64_t canary;
};
constexpr uint64_t kCanary = 0x5ca1ab1e5ca1ab1e;

Entry* make_entry(uint32_t n) {
  auto* e = static_cast<Entry*>(atcp_os_alloc(sizeof(Entry), ATCP_MEM_REQUEST));
  e->kind = EntryKind::Request;
  e->refs = 1;
  e->canary = kCanary;
  set_tuple(*e, tuple(n));
  return e;
}

void put(Endpoint& e) {
  if (!endpoint_put(e)) return;
  auto& entry = static_cast<Entry&>(e);
  atcp_os_free_rcu(&entry, &entry.rcu, ATCP_MEM_REQUEST);
}

class World {
 public:
  World(uint32_t buckets, uint32_t least, uint32_t most) : before_(live_allocations()) {
    EXPECT_TRUE(hash.init(&ns, buckets, least, most, kKey));
  }
  ~World() {
    hash.fini();
    drain_rcu();
    EXPECT_EQ(live_allocations(), before_);
  }
  /// A thread that calls f(rng) until the time is over.
  template <class F>
  void start(F f) {
    const auto seed = static_cast<uint32_t>(threads_.size() + 1);
    threads_.emplace_back([this, f, seed] {
      CoreThread self;
      std::mt19937 rng(seed);
      while (!stop_.load(std::memory_order_relaxed))
        f(rng);
    });
  }
  /// The work item of the namespace, with limits that never rest.
  void start_resizer(uint32_t least, uint32_t most) {
    start([this, least, most](std::mt19937& rng) {
      if (ns.work.exchange(false)) hash.resize();
      if (rng() % 64 == 0) {
        const uint32_t a = least << (rng() % 8);
        hash.set_limits(min(a, most), min(a << (rng() % 4), most));
      }
      std::this_thread::yield();
    });
  }
  void run() {
    std::this_thread::sleep_for(std::chrono::duration<double>(stress_seconds()));
    stop_ = true;
    for (std::thread& t : threads_)
      t.join();
    threads_.clear();
  }
  atcp_osns ns;
  Ehash hash;
  std::atomic<uint64_t> wrong{0}, done{0}, resizes{0};

 private:
  int64_t before_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

/// Lookup with what every caller of the core does around it.
template <class F>
void with_found(World& w, uint32_t n, F f) {
  atcp_os_rcu_lock();
  Endpoint* e = w.hash.lookup(tuple(n));
  f(e);
  if (e != nullptr) put(*e);
  atcp_os_rcu_unlock();
}

TEST(EhashStress, EverythingAtOnce) {
  constexpr uint32_t kStay = 200, kOwn = 2000, kShared = 64;
  constexpr uint32_t kOwnFirst = 100000, kSharedFirst = 900000;
  World w(8, 8, 4096);
  CoreThread self;
  // Always in the table, though their entries are replaced all the time.
  std::vector<std::atomic<Entry*>> stay(kStay);
  for (uint32_t i = 0; i < kStay; i++) {
    stay[i] = make_entry(i);
    ASSERT_TRUE(w.hash.insert(*stay[i]));
  }
  w.start_resizer(8, 4096);
  // Readers: what stays is never missed, what is found is what was asked for.
  for (int r = 0; r < 2; r++) {
    w.start([&](std::mt19937& rng) {
      const uint32_t n = rng() % kStay;
      with_found(w, n, [&](Endpoint* e) {
        if (e == nullptr || !same_tuple(*e, tuple(n)) || static_cast<Entry*>(e)->canary != kCanary)
          w.wrong++;
      });
      w.done++;
    });
  }
  w.start([&](std::mt19937& rng) {
    const uint32_t n = rng() % kStay;
    Entry* fresh = make_entry(n);
    Entry* old = stay[n].load();
    if (w.hash.replace(*old, *fresh))
      stay[n] = fresh;
    else
      w.wrong++;
    put(*old);
  });
  // Each writer knows what of its own keys is in the table.
  for (uint32_t t = 0; t < 2; t++) {
    auto mine = std::make_shared<std::vector<Entry*>>(kOwn);
    const uint32_t first = kOwnFirst + t * kOwn;
    w.start([&w, mine, first](std::mt19937& rng) {
      // Phases of filling and emptying, so that the table wants to grow and to shrink.
      const bool fill = (w.done / 20000) % 2 == 0;
      const uint32_t i = rng() % kOwn;
      Entry*& e = (*mine)[i];
      if (e == nullptr && (fill || rng() % 8 == 0)) {
        e = make_entry(first + i);
        if (!w.hash.insert(*e)) w.wrong++;
      } else if (e != nullptr && (!fill || rng() % 8 == 0)) {
        if (!w.hash.remove(*e)) w.wrong++;
        put(*e);
        e = nullptr;
      }
      with_found(w, first + i, [&](Endpoint* found) {
        if (found != e) w.wrong++;
      });
      w.done++;
    });
  }
  // Keys that everybody wants: at most one has it.
  std::vector<std::atomic<int>> holders(kShared);
  for (int t = 0; t < 2; t++) {
    w.start([&](std::mt19937& rng) {
      const uint32_t i = rng() % kShared;
      Entry* e = make_entry(kSharedFirst + i);
      Endpoint* taken = nullptr;
      if (w.hash.insert(*e, &taken)) {
        if (++holders[i] != 1) w.wrong++;
        --holders[i];
        if (!w.hash.remove(*e)) w.wrong++;
      } else if (taken != nullptr) {
        if (!same_tuple(*taken, tuple(kSharedFirst + i))) w.wrong++;
        put(*taken);
      }
      put(*e);
    });
  }
  // Walks: whoever stays is seen in each of them.
  w.start([&](std::mt19937&) {
    std::set<uint32_t> seen;
    for (uint64_t at = 0; at != Ehash::kWalkEnd;) {
      atcp_os_rcu_lock();
      const EhashBatch b = w.hash.walk(&at, [](const Endpoint& e) { return e.raddr < kStay; });
      for (uint32_t i = 0; i < b.n; i++) {
        seen.insert(b.entry[i]->raddr);
        put(*b.entry[i]);
      }
      atcp_os_rcu_unlock();
    }
    if (seen.size() != kStay) w.wrong++;
  });
  fail_tables(5);
  w.run();
  fail_tables(0);
  EXPECT_EQ(w.wrong.load(), 0u);
  EXPECT_GT(w.done.load(), 1000u);
  // Whatever is left goes.
  for (uint64_t at = 0; at != Ehash::kWalkEnd;) {
    atcp_os_rcu_lock();
    const EhashBatch b = w.hash.walk(&at, [](const Endpoint&) { return true; });
    for (uint32_t i = 0; i < b.n; i++) {
      EXPECT_TRUE(w.hash.remove(*b.entry[i]));
      put(*b.entry[i]);
      put(*b.entry[i]);
    }
    atcp_os_rcu_unlock();
  }
  EXPECT_EQ(w.hash.size(), 0u);
  printf("stress: %llu operations\n", static_cast<unsigned long long>(w.done.load()));
}

/// Sockets that disconnect and connect elsewhere: their memory stays, their tuple does not.
TEST(EhashStress, RecycledSockets) {
  constexpr uint32_t kSocks = 32, kKeys = 64;
  World w(4, 4, 512);
  CoreThread self;
  std::vector<std::unique_ptr<ThreadConn>> socks;
  for (uint32_t i = 0; i < kSocks; i++) {
    socks.push_back(std::make_unique<ThreadConn>());
    reinterpret_cast<Endpoint*>(&socks.back()->conn)->kind = EntryKind::Conn;
  }
  // One that stays, in whatever chain the others wander through.
  Entry* anchor = make_entry(kKeys);
  ASSERT_TRUE(w.hash.insert(*anchor));
  w.start_resizer(4, 512);
  for (uint32_t t = 0; t < 2; t++) {
    w.start([&, t](std::mt19937& rng) {
      const uint32_t i = t * kSocks / 2 + rng() % (kSocks / 2);
      auto& e = *reinterpret_cast<Endpoint*>(&socks[i]->conn);
      w.hash.remove(e);
      const atcp_tuple to = tuple(rng() % kKeys);
      // As set_tuple, but readers may be looking.
      store_relaxed(&e.laddr, to.laddr.v4);
      store_relaxed(&e.raddr, to.raddr.v4);
      store_relaxed(&e.lport, to.lport);
      store_relaxed(&e.rport, to.rport);
      store_relaxed(&e.family, static_cast<uint8_t>(to.family));
      w.hash.insert(e);
    });
  }
  for (int r = 0; r < 2; r++) {
    w.start([&](std::mt19937& rng) {
      atcp_os_rcu_lock();
      Endpoint* e = w.hash.lookup(tuple(rng() % kKeys));
      if (e != nullptr) (void)endpoint_put(*e);
      Endpoint* a = w.hash.lookup(tuple(kKeys));
      if (a != anchor) w.wrong++;
      if (a != nullptr) put(*a);
      atcp_os_rcu_unlock();
      w.done++;
    });
  }
  w.run();
  EXPECT_EQ(w.wrong.load(), 0u);
  for (auto& s : socks) {
    w.hash.remove(*reinterpret_cast<Endpoint*>(&s->conn));
    EXPECT_EQ(s->refs.load(), 1u);
  }
  w.hash.remove(*anchor);
  put(*anchor);
}

}  // namespace
}  // namespace atcp
