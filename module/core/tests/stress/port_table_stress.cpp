// SPDX-License-Identifier: GPL-2.0
//
// Listeners that come and go on few ports while their children do the same without a lock, and programs that connect
// from the same range. At the end no bucket and no group may be left.
#include "table/port_table.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include "tests/stress/thread_os.h"

namespace atcp {
namespace {

constexpr uint16_t kFirst = 7000;
constexpr uint32_t kPorts = 2;

TEST(PortTableStress, ListenersChildrenAndConnects) {
  const int64_t before = live_allocations();
  PortTable table;
  ASSERT_TRUE(table.init(SipKey{{3, 4}}));
  CoreThread self;
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> wrong{0}, children{0}, refused{0}, binds{0};
  std::vector<BindNode> listeners(kPorts);
  std::vector<std::thread> threads;
  const auto start = [&](auto f) {
    threads.emplace_back([&, f, seed = threads.size()] {
      CoreThread me;
      std::mt19937 rng(static_cast<uint32_t>(seed));
      while (!stop.load(std::memory_order_relaxed))
        f(rng);
    });
  };
  // One thread per port opens and closes its listener.
  for (uint32_t i = 0; i < kPorts; i++) {
    start([&, i](std::mt19937& rng) {
      uint16_t port = to_be16(static_cast<uint16_t>(kFirst + i));
      const uint32_t flags = i == 0 || rng() % 2 != 0 ? ATCP_BIND_REUSEADDR : 0;
      if (table.bind(listeners[i], 0, &port, flags, 0, 1, 1) != ATCP_OK) return;
      binds++;
      (void)table.set_listening(listeners[i]);
      for (uint32_t n = rng() % 64; n > 0; n--)
        std::this_thread::yield();
      table.unbind(listeners[i]);
    });
  }
  for (int t = 0; t < 3; t++) {
    start([&](std::mt19937& rng) {
      const uint32_t i = rng() % kPorts;
      BindNode child = {};
      // Few addresses, whose groups stay, or more than are kept without children.
      child.laddr = 1 + rng() % (rng() % 2 != 0 ? 3 : 64);
      if (table.inherit(child, listeners[i], child.laddr) != ATCP_OK) {
        refused++;
        return;
      }
      children++;
      // A strict newcomer must not get the port while the child lives.
      if (rng() % 16 == 0) {
        BindNode other = {};
        uint16_t port = child.port;
        if (table.bind(other, child.laddr, &port, 0, 0, 1, 1) == ATCP_OK) {
          wrong++;
          table.unbind(other);
        }
      }
      table.unbind(child);
    });
  }
  start([&](std::mt19937& rng) {
    BindNode n = {};
    atcp_tuple t = {};
    t.family = ATCP_AF_INET;
    t.laddr.v4 = 1;
    t.raddr.v4 = rng() % 4;
    const auto yes = [](uint16_t) { return true; };
    if (table.connect(n, t, kFirst, kFirst + kPorts + 1, yes, yes)) table.unbind(n);
  });
  std::this_thread::sleep_for(std::chrono::duration<double>(stress_seconds()));
  stop = true;
  for (std::thread& t : threads)
    t.join();
  EXPECT_EQ(wrong.load(), 0u);
  EXPECT_GT(children.load(), 0u);
  EXPECT_GT(binds.load(), 0u);
  table.fini();
  drain_rcu();
  EXPECT_EQ(live_allocations(), before);
  printf("stress: %llu children, %llu refused, %llu binds\n",
         static_cast<unsigned long long>(children.load()),
         static_cast<unsigned long long>(refused.load()),
         static_cast<unsigned long long>(binds.load()));
}

}  // namespace
}  // namespace atcp
