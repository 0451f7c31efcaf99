// SPDX-License-Identifier: GPL-2.0
//
// The queue of events: order, deadlines that move, alarms that were stopped.
#include "events.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "random.h"

namespace atcp::sim {
namespace {

struct Note final : Alarm {
  std::vector<int>* log = nullptr;
  int id = 0;
  void fire() override { log->push_back(id); }
};

TEST(Events, SameTimeInTheOrderOfScheduling) {
  Events e;
  std::vector<int> log;
  Note a[3];
  for (int i = 0; i < 3; i++) {
    a[i].log = &log;
    a[i].id = i;
  }
  e.set(a[2], kEpoch + 5);
  e.set(a[0], kEpoch + 5);
  e.set(a[1], kEpoch + 4);
  while (e.step(kEpoch + 5)) {
  }
  EXPECT_EQ(log, (std::vector<int>{1, 2, 0}));
  EXPECT_EQ(e.now(), kEpoch + 5);
}

TEST(Events, DeadlinesMoveBothWaysAndStop) {
  Events e;
  std::vector<int> log;
  Note a;
  a.log = &log;
  e.set(a, kEpoch + 10);
  e.set(a, kEpoch + 20);
  EXPECT_FALSE(e.step(kEpoch + 15)) << "it was moved to later";
  e.set(a, kEpoch + 16);
  EXPECT_TRUE(e.step(kEpoch + 16));
  EXPECT_EQ(a.deadline(), 0u);
  EXPECT_FALSE(e.step(kEpoch + 100)) << "once";
  e.set(a, kEpoch + 200);
  e.set(a, 0);
  EXPECT_FALSE(e.step(kEpoch + 300));
  EXPECT_EQ(log.size(), 1u);
  EXPECT_EQ(a.entries(), 0u);
}

TEST(Events, ManyComeInOrder) {
  struct Stamp final : Alarm {
    Events* e = nullptr;
    std::vector<Nanos>* log = nullptr;
    void fire() override { log->push_back(e->now()); }
  };
  Events e;
  Random r(5);
  std::vector<Nanos> log, want;
  std::vector<Stamp> alarms(1000);
  for (Stamp& s : alarms) {
    s.e = &e;
    s.log = &log;
    Nanos at = 0;
    for (int i = 0; i < 4; i++) {  // only the last setting counts
      at = kEpoch + 1 + r.bits() % 5000;
      e.set(s, at);
    }
    want.push_back(at);
  }
  while (e.step(kEpoch + 10000)) {
  }
  std::ranges::sort(want);
  EXPECT_EQ(log, want);
}

}  // namespace
}  // namespace atcp::sim
