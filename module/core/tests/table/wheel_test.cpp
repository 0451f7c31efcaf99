// SPDX-License-Identifier: GPL-2.0
//
// The wheel against a sorted list under random operations, long pauses, deadlines of hours, the
// arming of the port timer, entries that come back from their own expiry, and several threads.
#include "table/wheel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "tests/fake_os.h"

namespace atcp {
namespace {

constexpr uint64_t kTick = Wheel::kTickNs;
constexpr uint64_t kSecond = 1000000000;

class World {
 public:
  World() { EXPECT_TRUE(wheel.init(&ns)); }
  ~World() { wheel.fini(); }
  /// The port timer goes off when it is due, as often as it is, until `until`.
  template <class F>
  int sleep_until(uint64_t until, F expire) {
    int wakeups = 0;
    while (ns.timer_ns != 0 && ns.timer_ns <= until) {
      os.now_ns = std::max(os.now_ns, ns.timer_ns);
      ns.timer_ns = 0;
      wakeups++;
      wheel.run(os.now_ns, expire);
    }
    os.now_ns = until;
    return wakeups;
  }
  test::FakeOs os;
  atcp_osns& ns = os.add_ns("a");
  Wheel wheel;
};

TEST(WheelRun, NeverEarlyAndAtMostATickLate) {
  World w;
  WheelNode n = {};
  for (uint64_t delay : {uint64_t{0}, uint64_t{1}, kTick - 1, kTick, kTick + 1, 3 * kSecond,
                         60 * kSecond, 70 * kSecond, 7200 * kSecond}) {
    const uint64_t deadline = w.os.now_ns + delay;
    uint64_t fired = 0;
    ASSERT_TRUE(w.wheel.add(n, deadline, w.os.now_ns));
    w.sleep_until(deadline + 2 * kTick, [&](WheelNode& got) {
      EXPECT_EQ(&got, &n);
      fired = w.os.now_ns;
    });
    EXPECT_GE(fired, deadline) << delay;
    EXPECT_LE(fired, deadline + 2 * kTick) << delay;
    EXPECT_EQ(n.pprev, nullptr);
  }
}

TEST(WheelRun, FarDeadlineWakesOnceIfAlone) {
  World w;
  WheelNode n = {};
  w.wheel.add(n, w.os.now_ns + 7200 * kSecond, w.os.now_ns);
  int fired = 0;
  EXPECT_EQ(w.sleep_until(w.os.now_ns + 7201 * kSecond, [&](WheelNode&) { fired++; }), 1);
  EXPECT_EQ(fired, 1);
}

TEST(WheelRun, LongPauseFindsAllThatIsDue) {
  World w;
  std::vector<WheelNode> nodes(3000);
  for (size_t i = 0; i < nodes.size(); i++)
    w.wheel.add(nodes[i], w.os.now_ns + i * kTick, w.os.now_ns);
  // The timer is late by far more than a round.
  w.os.now_ns += 10000 * kTick;
  size_t fired = 0;
  w.wheel.run(w.os.now_ns, [&](WheelNode&) { fired++; });
  EXPECT_EQ(fired, nodes.size());
  // And what is added after it works as ever.
  w.ns.timer_ns = 0;
  w.wheel.add(nodes[0], w.os.now_ns + 5 * kTick, w.os.now_ns);
  fired = 0;
  w.sleep_until(w.os.now_ns + 7 * kTick, [&](WheelNode&) { fired++; });
  EXPECT_EQ(fired, 1u);
}

TEST(WheelAdd, PastTickGoesToTheNext) {
  World w;
  WheelNode a = {}, b = {};
  w.wheel.add(a, w.os.now_ns + kTick, w.os.now_ns);
  w.sleep_until(w.os.now_ns + 3 * kTick, [](WheelNode&) {});
  w.wheel.add(b, w.os.now_ns - 2 * kTick, w.os.now_ns);
  int fired = 0;
  w.sleep_until(w.os.now_ns + kTick, [&](WheelNode&) { fired++; });
  EXPECT_EQ(fired, 1);
}

TEST(WheelAdd, EarlierDeadlineMovesTheTimer) {
  World w;
  WheelNode a = {}, b = {}, c = {};
  w.wheel.add(a, w.os.now_ns + 100 * kTick, w.os.now_ns);
  const uint64_t far = w.ns.timer_ns;
  w.wheel.add(b, w.os.now_ns + 10 * kTick, w.os.now_ns);
  const uint64_t near = w.ns.timer_ns;
  EXPECT_LT(near, far);
  w.wheel.add(c, w.os.now_ns + 50 * kTick, w.os.now_ns);
  EXPECT_EQ(w.ns.timer_ns, near);
  w.sleep_until(w.os.now_ns + 12 * kTick, [](WheelNode&) {});
  EXPECT_GT(w.ns.timer_ns, near);
  EXPECT_LT(w.ns.timer_ns, far);
  w.wheel.drain([](WheelNode&) {});
}

TEST(WheelAdd, MovingIsNotNew) {
  World w;
  WheelNode n = {};
  EXPECT_TRUE(w.wheel.add(n, w.os.now_ns + 5 * kTick, w.os.now_ns));
  EXPECT_FALSE(w.wheel.add(n, w.os.now_ns + 9 * kTick, w.os.now_ns));
  int fired = 0;
  w.sleep_until(w.os.now_ns + 7 * kTick, [&](WheelNode&) { fired++; });
  EXPECT_EQ(fired, 0);
  w.sleep_until(w.os.now_ns + 4 * kTick, [&](WheelNode&) { fired++; });
  EXPECT_EQ(fired, 1);
}

TEST(WheelRemove, TellsWhetherItWasOn) {
  World w;
  WheelNode n = {};
  EXPECT_FALSE(w.wheel.remove(n));
  w.wheel.add(n, w.os.now_ns + kTick, w.os.now_ns);
  EXPECT_TRUE(w.wheel.remove(n));
  EXPECT_FALSE(w.wheel.remove(n));
  int fired = 0;
  w.sleep_until(w.os.now_ns + 5 * kTick, [&](WheelNode&) { fired++; });
  EXPECT_EQ(fired, 0);
}

TEST(WheelLeftNs, CountsDown) {
  World w;
  WheelNode n = {};
  EXPECT_EQ(Wheel::left_ns(n, w.os.now_ns), 0u);
  w.wheel.add(n, w.os.now_ns + 7200 * kSecond, w.os.now_ns);
  EXPECT_NEAR(static_cast<double>(Wheel::left_ns(n, w.os.now_ns)), 7200.0 * kSecond, kTick);
  EXPECT_NEAR(static_cast<double>(Wheel::left_ns(n, w.os.now_ns + 7000 * kSecond)), 200.0 * kSecond,
              kTick);
  EXPECT_EQ(Wheel::left_ns(n, w.os.now_ns + 7300 * kSecond), 0u);
  w.wheel.remove(n);
}

TEST(WheelRun, ExpiryMayAddAgain) {
  World w;
  WheelNode n = {};
  int fired = 0;
  w.wheel.add(n, w.os.now_ns + kTick, w.os.now_ns);
  w.sleep_until(w.os.now_ns + 100 * kTick, [&](WheelNode& got) {
    fired++;
    if (fired < 5) {
      EXPECT_TRUE(w.wheel.add(got, w.os.now_ns + 10 * kTick, w.os.now_ns));
    }
  });
  EXPECT_EQ(fired, 5);
}

TEST(Wheel, RandomOperationsAgreeWithSortedList) {
  World w;
  std::mt19937_64 rng(11);
  std::vector<WheelNode> nodes(500);
  std::map<WheelNode*, uint64_t> model;
  const auto expire = [&](WheelNode& n) {
    const auto it = model.find(&n);
    ASSERT_NE(it, model.end()) << "expired but not on the wheel";
    ASSERT_GE(w.os.now_ns, it->second) << "expired early";
    model.erase(it);
  };
  for (int step = 0; step < 30000; step++) {
    WheelNode& n = nodes[rng() % nodes.size()];
    const uint64_t range = rng() % 3 == 0 ? 3600 * kSecond : 5 * kSecond;
    switch (rng() % 4) {
      case 0:
      case 1: {
        const uint64_t deadline = w.os.now_ns + rng() % range;
        ASSERT_EQ(w.wheel.add(n, deadline, w.os.now_ns), model.count(&n) == 0);
        model[&n] = deadline;
        break;
      }
      case 2:
        ASSERT_EQ(w.wheel.remove(n), model.erase(&n) == 1);
        break;
      case 3:
        w.sleep_until(w.os.now_ns + rng() % (rng() % 50 == 0 ? 600 * kSecond : kSecond), expire);
        for (const auto& [node, deadline] : model)
          ASSERT_GE(deadline + 2 * kTick, w.os.now_ns) << "overdue";
        break;
    }
  }
  w.sleep_until(w.os.now_ns + 3601 * kSecond, expire);
  EXPECT_TRUE(model.empty());
}

TEST(Wheel, ThreadsAddRemoveAndRun) {
  World w;
  constexpr int kNodes = 64;
  std::vector<WheelNode> nodes(kNodes);
  // References that the wheel holds, by what add, remove and expiry said.
  std::vector<std::atomic<int>> refs(kNodes);
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> now = w.os.now_ns;
  std::atomic<uint64_t> expired = 0;
  std::vector<std::thread> threads;
  for (uint32_t id = 0; id < 2; id++) {
    threads.emplace_back([&, id] {
      std::mt19937_64 rng(id);
      while (!stop.load()) {
        const size_t i = rng() % kNodes;
        const uint64_t t = now.load();
        if (rng() % 3 != 0) {
          if (w.wheel.add(nodes[i], t + rng() % (50 * kTick), t)) refs[i]++;
        } else if (w.wheel.remove(nodes[i])) {
          refs[i]--;
        }
      }
    });
  }
  const auto expire = [&](WheelNode& n) {
    refs[&n - nodes.data()]--;
    expired++;
  };
  for (int i = 0; i < 20000; i++) {
    now += kTick / 2;
    w.wheel.run(now.load(), expire);
  }
  stop = true;
  for (std::thread& th : threads)
    th.join();
  w.wheel.run(now.load() + 100 * kTick, expire);
  for (int i = 0; i < kNodes; i++) {
    EXPECT_EQ(refs[i].load(), 0) << "node " << i;
    EXPECT_EQ(nodes[i].state, WheelNode::Off) << "node " << i;
  }
  EXPECT_GT(expired.load(), 0u);
}

TEST(WheelDrain, TakesAllWhateverTheDeadline) {
  World w;
  std::vector<WheelNode> nodes(100);
  for (size_t i = 0; i < nodes.size(); i++)
    w.wheel.add(nodes[i], w.os.now_ns + i * 1000 * kTick, w.os.now_ns);
  size_t n = 0;
  w.wheel.drain([&](WheelNode&) { n++; });
  EXPECT_EQ(n, nodes.size());
  n = 0;
  w.wheel.run(w.os.now_ns + 1000000 * kTick, [&](WheelNode&) { n++; });
  EXPECT_EQ(n, 0u);
}

TEST(WheelInit, NoMemoryLeavesNothing) {
  test::FakeOs os;
  atcp_osns& ns = os.add_ns("a");
  Wheel w;
  os.fail(test::Fault::Table, 1);
  EXPECT_FALSE(w.init(&ns));
  os.fail(test::Fault::Locks, 1);
  EXPECT_FALSE(w.init(&ns));
}

}  // namespace
}  // namespace atcp
