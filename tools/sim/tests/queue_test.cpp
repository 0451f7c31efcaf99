// SPDX-License-Identifier: GPL-2.0
//
// What queues drop and mark, packet by packet: the limits of drop-tail, the step, RED's ramp, CoDel's patience.
#include "queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace atcp::sim {
namespace {

class QueueTest : public testing::Test {
 protected:
  /// 1500 bytes on the wire.
  Packet* packet(uint8_t ecn = kNotEct) {
    Packet* p = pool.get();
    p->hdr_len = 20;
    p->len = 1460;
    p->ecn = ecn;
    return p;
  }
  void make(const QueueConfig& c) {
    q = Queue::make(c, Random(1), [this](Packet* p) {
      dropped++;
      pool.put(p);
    });
  }
  /// Sends one if there is one; its codepoint, or -1.
  int take() {
    Packet* p = q->dequeue(now);
    if (p == nullptr) return -1;
    const int ecn = p->ecn;
    pool.put(p);
    return ecn;
  }
  ~QueueTest() override {
    q.reset();
    EXPECT_EQ(pool.live(), 0u) << "a queue lost a packet";
  }

  PacketPool pool;
  std::unique_ptr<Queue> q;
  uint64_t dropped = 0;
  Nanos now = kEpoch;
};

TEST_F(QueueTest, DropTailCountsBytes) {
  QueueConfig c;
  c.limit_bytes = 3 * 1500;
  make(c);
  for (int i = 0; i < 5; i++)
    q->enqueue(packet(), now);
  EXPECT_EQ(dropped, 2u);
  EXPECT_EQ(q->bytes(), 4500u);
  EXPECT_EQ(q->stats().dropped, 2u);
  now += 7 * kMs;
  EXPECT_EQ(take(), kNotEct);
  EXPECT_EQ(q->stats().delay_max, 7 * kMs);
  q->enqueue(packet(), now);
  EXPECT_EQ(dropped, 2u);
}

TEST_F(QueueTest, DropTailCountsPackets) {
  QueueConfig c;
  c.limit_packets = 2;
  make(c);
  for (int i = 0; i < 3; i++)
    q->enqueue(packet(), now);
  EXPECT_EQ(dropped, 1u);
  EXPECT_EQ(q->packets(), 2u);
}

TEST_F(QueueTest, StepMarksWhatFindsMoreThanTheThreshold) {
  QueueConfig c;
  c.kind = QueueConfig::Kind::Step;
  c.mark_bytes = 2 * 1500;
  make(c);
  for (int i = 0; i < 4; i++)
    q->enqueue(packet(kEct0), now);
  q->enqueue(packet(kNotEct), now);
  EXPECT_EQ(take(), kEct0);
  EXPECT_EQ(take(), kEct0);
  EXPECT_EQ(take(), kEct0);  // it found exactly the threshold
  EXPECT_EQ(take(), kCe);
  EXPECT_EQ(take(), kNotEct);  // cannot be marked, and is not dropped for it
  EXPECT_EQ(take(), -1);
  EXPECT_EQ(q->stats().marked, 1u);
  EXPECT_EQ(dropped, 0u);
}

TEST_F(QueueTest, RedDropsNothingBelowAndAllAboveItsThresholds) {
  QueueConfig c;
  c.kind = QueueConfig::Kind::Red;
  c.limit_bytes = 1000 * 1500;
  c.min_bytes = 10 * 1500;
  c.max_bytes = 30 * 1500;
  c.weight = 0.5;  // the average follows at once
  c.ecn = false;
  make(c);
  for (int i = 0; i < 9; i++)
    q->enqueue(packet(), now);
  EXPECT_EQ(dropped, 0u);
  int tries = 0;
  while (q->packets() < 40 && tries < 1000) {
    q->enqueue(packet(), now);
    tries++;
  }
  EXPECT_LE(q->packets(), 32u) << "above the upper threshold nothing passes";
  const uint64_t before = dropped;
  q->enqueue(packet(), now);
  EXPECT_EQ(dropped, before + 1);
}

TEST_F(QueueTest, RedDropsInProportionInBetween) {
  QueueConfig c;
  c.kind = QueueConfig::Kind::Red;
  c.min_bytes = 10 * 1500;
  c.max_bytes = 30 * 1500;
  c.weight = 0.5;
  make(c);
  // Held at 20 packets: half of max_p. Spread evenly, an interval between drops averages half of 1/p (Floyd and
  // Jacobson, 7), so twice p are marked.
  while (q->packets() < 20)
    q->enqueue(packet(kEct0), now);
  const uint64_t before = q->stats().marked;
  constexpr int kPackets = 20000;
  for (int i = 0; i < kPackets; i++) {
    now += 100 * kUs;
    take();
    q->enqueue(packet(kEct0), now);
  }
  const double share = static_cast<double>(q->stats().marked - before) / kPackets;
  EXPECT_NEAR(share, 2 * 0.1 * (19.0 - 10) / 20, 0.02);
  EXPECT_EQ(dropped, 0u);
}

class CoDelTest : public QueueTest {
 protected:
  void fill(size_t n, uint8_t ecn) {
    while (q->packets() < n)
      q->enqueue(packet(ecn), now);
  }
  /// Sends one each millisecond from a queue of n packets, so that each waits n ms.
  void steady(size_t n, int ms, uint8_t ecn) {
    for (int i = 0; i < ms; i++) {
      fill(n, ecn);
      now += 1 * kMs;
      take();
    }
  }
  QueueConfig config(bool ecn) {
    QueueConfig c;
    c.kind = QueueConfig::Kind::CoDel;
    c.ecn = ecn;
    return c;
  }
};

TEST_F(CoDelTest, ShortQueuesAreLeftAlone) {
  make(config(false));
  steady(4, 2000, kNotEct);
  EXPECT_EQ(dropped, 0u);
}

TEST_F(CoDelTest, AnIntervalOfGraceThenFasterAndFaster) {
  make(config(false));
  steady(40, 100, kNotEct);
  EXPECT_EQ(dropped, 0u) << "not before the interval is over";
  steady(40, 60, kNotEct);
  EXPECT_EQ(dropped, 1u);
  // Drops follow after 100/sqrt(1), /sqrt(2), ... ms: the sum of n is about 200 sqrt(n) ms.
  steady(40, 2000, kNotEct);
  EXPECT_NEAR(static_cast<double>(dropped), 110, 25);
}

TEST_F(CoDelTest, MarksInsteadOfDropping) {
  make(config(true));
  steady(40, 1000, kEct0);
  EXPECT_EQ(dropped, 0u);
  EXPECT_GT(q->stats().marked, 10u);
}

TEST_F(CoDelTest, StopsWhenTheQueueIsShortAgain) {
  make(config(false));
  steady(40, 1000, kNotEct);
  while (q->packets() > 2)
    take();
  const uint64_t before = dropped;
  steady(2, 1000, kNotEct);
  EXPECT_EQ(dropped, before);
}

}  // namespace
}  // namespace atcp::sim
