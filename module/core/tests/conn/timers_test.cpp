// SPDX-License-Identifier: GPL-2.0
//
// A connection's deadlines against a map of them: the earliest is the map's, and whoever lets the port's timer
// fire when it was told to finds each deadline at its time, never a moment later.
#include "conn/timers.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/fake_net.h"

namespace atcp::test {
namespace {

struct TimersOfAConn : ::testing::Test {
  TimersOfAConn() : sock(net.add_host("a", ip4(10, 0, 0, 1)).socket()), conn(sock.conn()) {
    conn.locked = true;
  }
  ~TimersOfAConn() override {
    timers.cancel(&conn.conn);
    conn.locked = false;
  }
  FakeNet net;
  Sock sock;
  FakeConn& conn;
  Border border{"timers"};
  Timers timers;
};

TEST_F(TimersOfAConn, AgreeWithAMap) {
  std::mt19937 rnd(5);
  std::map<TimerId, uint64_t> model;
  uint64_t now = 1000, fired_early = 0, due = 0, told = 0;
  const auto earliest = [&] {
    uint64_t best = 0;
    for (const auto& [id, at] : model)
      if (best == 0 || at < best) best = at;
    return best;
  };
  const auto sync = [&] {
    const uint64_t before = conn.timer_ns;
    timers.sync(&conn.conn);
    if (conn.timer_ns == before) return;
    // Only forward, or from nothing: moving it back would be work for every ACK.
    told++;
    ASSERT_TRUE(before == 0 || conn.timer_ns < before);
    ASSERT_EQ(conn.timer_ns, earliest() * 1000);
  };
  for (int step = 0; step < 50000; step++) {
    const auto id = static_cast<TimerId>(rnd() % kTimerCount);
    switch (rnd() % 8) {
      case 0:
      case 1:
      case 2:
        model[id] = now + 1 + rnd() % (rnd() % 4 == 0 ? 1000000 : 1000);
        timers.set(id, model[id]);
        sync();
        break;
      case 3:
        model.erase(id);
        timers.stop(id);
        break;
      case 4:
        if (rnd() % 50 != 0) break;
        model.clear();
        timers.cancel(&conn.conn);
        ASSERT_EQ(conn.timer_ns, 0u);
        break;
      default: {
        const uint64_t until = now + rnd() % 500;
        while (conn.timer_ns != 0 && conn.timer_ns <= until * 1000) {
          now = conn.timer_ns / 1000;
          conn.timer_ns = 0;
          timers.fired();
          atcp_os_conn_put(&conn.conn);  // the armed timer's
          bool any = false;
          for (uint32_t i = 0; i < kTimerCount; i++) {
            const auto t = static_cast<TimerId>(i);
            if (!timers.due(t, now)) continue;
            ASSERT_EQ(model.at(t), now);
            model.erase(t);
            timers.stop(t);
            any = true;
          }
          any ? due++ : fired_early++;
          sync();
        }
        now = until;
        break;
      }
    }
    ASSERT_EQ(timers.earliest(), earliest()) << step;
    for (uint32_t i = 0; i < kTimerCount; i++) {
      const auto t = static_cast<TimerId>(i);
      ASSERT_EQ(timers.pending(t), model.count(t) != 0) << step;
      ASSERT_EQ(timers.at(t), model.count(t) != 0 ? model[t] : 0) << step;
      // What is due was found when it was.
      ASSERT_FALSE(timers.due(t, now)) << step;
    }
    ASSERT_TRUE(earliest() == 0 || (conn.timer_ns != 0 && conn.timer_ns <= earliest() * 1000))
        << step;
  }
  EXPECT_GT(due, 1000u);
  EXPECT_GT(fired_early, 100u);
  EXPECT_GT(told, due);
}

}  // namespace
}  // namespace atcp::test
