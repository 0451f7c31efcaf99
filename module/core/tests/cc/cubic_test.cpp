// SPDX-License-Identifier: GPL-2.0
//
// CUBIC against a second implementation of RFC 9438 in floating point, written from the RFC's
// formulas (not from cubic.cpp) and driven by the same ACKs and losses; then the single rules of
// the RFC one by one, and the cube root over its whole range.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

#include "cc/cubic.h"
#include "tests/cc/test_sender.h"

namespace atcp {
namespace {

// ---- cube_root

void expect_root(uint64_t v) {
  const unsigned __int128 r = cube_root(v);
  ASSERT_LE(r * r * r, v) << v;
  ASSERT_GT((r + 1) * (r + 1) * (r + 1), v) << v;
}

TEST(CubeRoot, AllSmallValues) {
  for (uint64_t v = 0; v < 1000000; v++)
    expect_root(v);
}

TEST(CubeRoot, AroundEveryCube) {
  for (uint64_t r = 1; r <= 2642245; r++) {
    ASSERT_EQ(cube_root(r * r * r), r);
    ASSERT_EQ(cube_root(r * r * r - 1), r - 1);
  }
}

TEST(CubeRoot, PowersOfTwoAndTheEnd) {
  for (uint32_t i = 0; i < 64; i++) {
    expect_root(1ull << i);
    expect_root((1ull << i) - 1);
    expect_root(~0ull - (1ull << i) + 1);
  }
  expect_root(~0ull);
}

TEST(CubeRoot, RandomValuesOfEverySize) {
  std::mt19937_64 rnd(7);
  for (uint32_t i = 0; i < 300000; i++)
    expect_root(rnd() >> (i % 64));
}

// ---- the reference

// RFC 9438 in real numbers, times in seconds. Only what is remembered of the window of a loss is whole segments.
class Reference {
 public:
  Reference(double cwnd, double ssthresh) : cwnd(cwnd), ssthresh_(ssthresh) {}

  void ack(double now, double acked, double rtt) {
    if (cwnd < ssthresh_) {
      const double grow = std::min(acked, ssthresh_ - cwnd);
      cwnd += grow;
      acked -= grow;
      if (cwnd < ssthresh_) return;
    }
    if (!started_) {
      started_ = true;
      epoch_ = now;
      w_est_ = cwnd;
      if (prior_ == 0) prior_ = cwnd;
      if (w_max_ <= cwnd) {
        w_max_ = cwnd;
        k_ = 0;
      } else {
        k_ = std::cbrt((w_max_ - cwnd) / kC);  // figure 2
      }
    }
    if (acked == 0) return;
    const double t = now - epoch_;
    const double alpha = w_est_ >= prior_ ? 1 : 3 * (1 - kBeta) / (1 + kBeta);
    w_est_ += alpha * acked / cwnd;  // figure 4
    if (w_cubic(t) < w_est_) {
      cwnd = std::max(cwnd, w_est_);
    } else {
      const double target = std::clamp(w_cubic(t + rtt), cwnd, 1.5 * cwnd);
      cwnd += (target - cwnd) / cwnd * acked;
    }
  }
  void lose() {
    reduce();
    cwnd = ssthresh_;
  }
  void timeout() {
    reduce();
    w_max_ = 0;  // 4.8: what it is will be known when slow start ends
    cwnd = 1;
  }

  double cwnd;

 private:
  static constexpr double kC = 0.4, kBeta = 0.7;

  double w_cubic(double t) const { return kC * std::pow(t - k_, 3) + w_max_; }  // figure 1
  void reduce() {
    started_ = false;
    const double whole = std::floor(cwnd + 1e-9);
    prior_ = whole;
    w_max_ = whole < w_max_ ? std::floor(whole * (1 + kBeta) / 2 + 1e-9) : whole;
    ssthresh_ = std::max(cwnd * kBeta, 2.0);
  }

  double ssthresh_;
  double w_max_ = 0, k_ = 0, w_est_ = 0, prior_ = 0, epoch_ = 0;
  bool started_ = false;
};

// The algorithm and the reference, side by side.
struct Pair {
  Pair(uint32_t cwnd, uint32_t ssthresh, uint32_t rtt_us)
      : t(kCubic, cwnd, ssthresh), ref(cwnd, ssthresh) {
    t.rtt_us = rtt_us;
  }
  void ack(uint32_t n) {
    t.ack(n);
    ref.ack(now(), n, t.rtt_us * 1e-6);
  }
  // A round trip whose ACKs cover `stretch` segments each.
  void round(uint32_t stretch = 1) {
    const uint32_t n = t.s.cwnd;
    const uint64_t start = t.now_us;
    for (uint32_t i = 0; i < n;) {
      const uint32_t acked = std::min(stretch, n - i);
      i += acked;
      t.now_us = start + t.rtt_us * static_cast<uint64_t>(i) / n;
      ack(acked);
    }
    check();
  }
  // Without a stretch: about a hundred ACKs a round, however large the window.
  void run(double seconds, uint32_t stretch = 0) {
    for (const double end = now() + seconds; now() < end;)
      round(stretch != 0 ? stretch : 1 + t.s.cwnd / 100);
  }
  void lose() {
    meet();
    t.lose();
    ref.lose();
    check();
  }
  void timeout() {
    meet();
    t.timeout();
    ref.timeout();
    t.advance_time(1000000);
  }
  double now() const { return static_cast<double>(t.now_us) * 1e-6; }
  // Within one segment, or one per cent where that is more.
  void check() {
    const double cwnd = window();
    const double error = std::abs(cwnd - ref.cwnd);
    if (error / std::max(1.0, 0.01 * ref.cwnd) > worst)
      worst = error / std::max(1.0, 0.01 * ref.cwnd);
    EXPECT_LE(error, std::max(1.0, 0.01 * ref.cwnd)) << "at " << now() << " s: " << cwnd;
  }

  // A reduction starts from the same window. The two were checked against each other up to here; if one stood at
  // 9.99 and the other at 10.01, K would differ by a second.
  void meet() {
    check();
    ref.cwnd = window();
  }
  double window() const { return t.s.cwnd + static_cast<double>(t.s.cwnd_cnt) / (1 << 20); }

  TestSender t;
  Reference ref;
  double worst = 0;
};

constexpr uint32_t kRtts_us[] = {200, 1000, 10000, 40000, 100000, 300000};

// Long enough for the curve to leave its plateau far behind, but not more ACKs than a test is worth.
double long_run(uint32_t rtt_us) {
  return rtt_us < 1000 ? 0.3 : rtt_us < 10000 ? 2 : 25;
}

TEST(CubicCurve, FirstAvoidanceWithoutLoss) {
  for (uint32_t rtt_us : kRtts_us) {
    Pair p(100, 100, rtt_us);
    p.run(long_run(rtt_us));
    EXPECT_GT(p.t.s.cwnd, 100u);
    RecordProperty("worst_at_" + std::to_string(rtt_us), std::to_string(p.worst));
  }
}

TEST(CubicCurve, OneLossThenFarBeyondIt) {
  for (uint32_t rtt_us : kRtts_us) {
    for (uint32_t cwnd : {2u, 3u, 10u, 100u, 1000u, 10000u}) {
      if (rtt_us < 10000 && cwnd > 100)
        continue;  // millions of ACKs for the sake of the same curve
      Pair p(cwnd, cwnd, rtt_us);
      p.round();
      p.lose();
      p.run(long_run(rtt_us));
      EXPECT_GT(p.t.s.cwnd, cwnd);
      if (::testing::Test::HasFailure()) FAIL() << "rtt " << rtt_us << " cwnd " << cwnd;
    }
  }
}

TEST(CubicCurve, ManyLosses) {
  std::mt19937 rnd(3);
  for (uint32_t rtt_us : kRtts_us) {
    Pair p(50, 50, rtt_us);
    for (uint32_t i = 0; i < 60; i++) {
      p.run(long_run(rtt_us) / 8 * (rnd() % 4));
      p.lose();
    }
    RecordProperty("worst_at_" + std::to_string(rtt_us), std::to_string(p.worst));
    if (::testing::Test::HasFailure()) FAIL() << "rtt " << rtt_us;
  }
}

TEST(CubicCurve, StretchAcks) {
  for (uint32_t stretch : {1u, 2u, 10u, 44u, 1000u}) {
    Pair p(200, 200, 50000);
    p.round();
    p.lose();
    p.run(15, stretch);
    p.lose();
    p.run(15, stretch);
  }
}

TEST(CubicCurve, AfterTimeout) {
  Pair p(500, 500, 40000);
  p.round();
  p.timeout();
  p.run(10);
  EXPECT_GT(p.t.s.cwnd, 350u);
}

// A long fat path: 200,000 segments, and two minutes beyond the loss.
TEST(CubicCurve, LargeWindow) {
  Pair p(200000, 200000, 100000);
  p.round(64);
  p.lose();
  p.run(120, 64);
  EXPECT_GT(p.t.s.cwnd, 200000u);
}

// ---- single rules

TEST(CubicInit, ForgetsWhatAnotherAlgorithmCounted) {
  TestSender t(kCubic, 10, 10);
  EXPECT_EQ(t.s.cwnd_cnt, 0u);
}

TEST(CubicSlowStart, DoublesEachRound) {
  TestSender t(kCubic, 10);
  t.rounds(4);
  EXPECT_EQ(t.s.cwnd, 160u);
}

TEST(CubicSlowStart, EndsAtSsthresh) {
  TestSender t(kCubic, 10, 40);
  t.rounds(2);
  EXPECT_EQ(t.s.cwnd, 40u);
  t.round();
  EXPECT_LE(t.s.cwnd, 42u);
}

TEST(CubicSsthresh, SeventyPerCentAndNeverBelowTwo) {
  TestSender t(kCubic, 100);
  t.lose();
  EXPECT_EQ(t.s.cwnd, 70u);
  for (uint32_t cwnd : {0u, 1u, 2u, 3u}) {
    TestSender u(kCubic, cwnd);
    u.lose();
    EXPECT_EQ(u.s.ssthresh, 2u) << cwnd;
  }
  TestSender v(kCubic, 0xffffffff);
  v.lose();
  EXPECT_EQ(v.s.ssthresh, 3006477106u);
}

// Seconds until cwnd is back at `cwnd`.
double time_to(TestSender& t, uint32_t cwnd) {
  const uint64_t start = t.now_us;
  while (t.s.cwnd < cwnd && t.now_us < start + 1000000000)
    t.round();
  return static_cast<double>(t.now_us - start) * 1e-6;
}

// 4.2: K = cbrt(W_max (1 - beta) / C): a window of 1000 is reached again after cbrt(750) = 9.1 s.
TEST(CubicOnAck, IsBackAtTheOldWindowAfterK) {
  for (uint32_t rtt_us : {20000u, 100000u, 300000u}) {
    TestSender t(kCubic, 1000, 1000);
    t.rtt_us = rtt_us;
    t.lose();
    // The plateau is flat: one segment below it the curve is cbrt(1 / C) = 1.36 s before K.
    EXPECT_NEAR(time_to(t, 999), 9.09 - 1.36, 2e-6 * rtt_us) << rtt_us;
  }
}

// 4.7: a loss below the last maximum gives up 15 % more of it.
TEST(CubicSsthresh, FastConvergence) {
  TestSender below(kCubic, 1000, 1000), again(kCubic, 800, 800);
  below.lose();
  time_to(below, 800);
  below.s.cwnd = 800;
  below.lose();  // W_max 680
  again.lose();  // W_max 800
  EXPECT_EQ(below.s.cwnd, again.s.cwnd);
  // From 560: cbrt(120 / 0.4) = 6.7 s to a plateau at 680, cbrt(240 / 0.4) = 8.4 s to one at 800.
  const double to_680 = time_to(below, 679);
  EXPECT_NEAR(to_680, 6.69 - 1.36, 0.2);
  EXPECT_LT(time_to(again, 679), to_680 / 1.5);
}

// 4.3: where the curve is slower than Reno, Reno's mean window: a small window and a short path.
TEST(CubicOnAck, IsAsFastAsRenoOnAShortPath) {
  TestSender t(kCubic, 20, 20);
  t.rtt_us = 1000;
  t.lose();
  const uint32_t from = t.s.cwnd;
  // alpha = 9/17 a round until cwnd_prior, then 1; the curve alone gives 0.001 in this time.
  t.rounds(10);
  EXPECT_NEAR(t.s.cwnd, from + 10 * 9.0 / 17, 1);
  t.rounds(100);
  // A round has as many ACKs as whole segments, which costs a little of each.
  EXPECT_NEAR(t.s.cwnd, 20 + 110 - 6 / (9.0 / 17), 4);
}

TEST(CubicOnAck, AtMostHalfAWindowInARound) {
  TestSender t(kCubic, 10, 10);
  t.rtt_us = 10000000;
  t.ack_n(1);
  t.advance_time(100000000);
  const uint32_t before = t.s.cwnd;
  t.ack(before);
  EXPECT_LE(t.s.cwnd, before + before / 2 + 1);
  EXPECT_GT(t.s.cwnd, before);
}

TEST(CubicOnAck, AnAckOfMoreThanTheWindowIsOneWindow) {
  TestSender a(kCubic, 10, 10), b(kCubic, 10, 10);
  for (TestSender* t : {&a, &b}) {
    t->ack(1);
    t->advance_time(20000000);
  }
  a.ack(a.s.cwnd);
  b.ack(0xffffffff);
  EXPECT_EQ(a.s.cwnd, b.s.cwnd);
}

TEST(CubicOnAck, NotWhileTheWindowIsNotTheLimit) {
  TestSender t(kCubic, 10, 20);
  t.limited = false;
  t.rounds(100);
  EXPECT_EQ(t.s.cwnd, 10u);
  EXPECT_EQ(t.s.cwnd_cnt, 0u);
}

TEST(CubicOnAck, Clamp) {
  TestSender t(kCubic, 100, 100);
  t.s.cwnd_clamp = 103;
  t.rounds(200);
  EXPECT_EQ(t.s.cwnd, 103u);
  t.s.cwnd_clamp = 50;
  t.round();
  EXPECT_EQ(t.s.cwnd, 50u);
}

TEST(CubicOnAck, ClockThatStepsBack) {
  TestSender t(kCubic, 100, 100);
  t.rounds(10);
  const uint32_t cwnd = t.s.cwnd;
  t.now_us = 1;
  t.ack(1);
  EXPECT_NEAR(t.s.cwnd, cwnd, 1);
}

TEST(CubicOnAck, NothingAckedAndWindowOfZero) {
  TestSender t(kCubic, 10, 10);
  t.ack(0);
  EXPECT_EQ(t.s.cwnd, 10u);
  TestSender u(kCubic, 0, 0);
  u.ack(1);
  EXPECT_EQ(u.s.cwnd, 0u);
}

// The curve is cut where its arithmetic ends; days without loss, the largest numbers there are.
TEST(CubicOnAck, ExtremesDoNotOverflow) {
  for (uint32_t cwnd : {1u, 2u, 1023u, 1024u, 0x7fffffffu, 0xfffffff0u}) {
    for (uint32_t srtt : {0u, 1u, 0xffffffffu}) {
      TestSender t(kCubic, cwnd, 2);
      t.rtt_us = srtt;
      uint32_t last = 0;
      for (uint32_t i = 0; i < 200; i++) {
        t.ack(i % 3 == 0 ? 0xffffffff : 1);
        EXPECT_GE(t.s.cwnd, last);
        last = t.s.cwnd;
        t.advance_time(1ull << (i % 40));
      }
      EXPECT_GE(t.s.cwnd, cwnd);
      t.lose();
      t.ack(1);
      t.advance_time(86400000000);
      t.ack(0xffffffff);
      EXPECT_GT(t.s.cwnd, 1u);
    }
  }
}

// 5.8: neither idle time nor time in which the program was the limit counts as t.
TEST(CubicTxStart, IdleDoesNotMoveTheCurve) {
  TestSender busy(kCubic, 500, 500), idle(kCubic, 500, 500);
  for (TestSender* t : {&busy, &idle}) {
    t->lose();
    t->rounds(20);
  }
  idle.idle(60000000);
  for (uint32_t i = 0; i < 30; i++) {
    busy.round();
    idle.round();
    EXPECT_NEAR(busy.s.cwnd, idle.s.cwnd, 1);
  }
}

TEST(CubicTxStart, TimeLimitedByTheProgramDoesNotMoveTheCurve) {
  TestSender busy(kCubic, 500, 500), slow(kCubic, 500, 500);
  for (TestSender* t : {&busy, &slow}) {
    t->lose();
    t->rounds(20);
  }
  slow.limited = false;
  for (uint32_t i = 0; i < 600; i++) {
    slow.advance_time(100000);
    slow.ack(1);
  }
  slow.limited = true;
  for (uint32_t i = 0; i < 30; i++) {
    busy.round();
    slow.round();
    EXPECT_NEAR(busy.s.cwnd, slow.s.cwnd, 1);
  }
}

// A window lowered after idle (RFC 5681 4.1) comes back by slow start and then does not leap.
TEST(CubicTxStart, SlowStartAfterIdleBeginsANewCurve) {
  TestSender t(kCubic, 100, 100);
  t.rtt_us = 10000;
  t.rounds(200);
  ASSERT_GT(t.s.cwnd, 200u);
  const uint32_t was = t.s.cwnd;
  t.idle(5000000);
  t.s.ssthresh = was * 3 / 4;
  t.s.cwnd = 10;
  while (t.s.cwnd < t.s.ssthresh)
    t.round();
  EXPECT_LE(t.s.cwnd, t.s.ssthresh + 2);
  t.round();
  EXPECT_LE(t.s.cwnd, t.s.ssthresh + 4);
}

// 4.8
TEST(CubicTimeout, CurveBeginsAtTheEndOfSlowStart) {
  TestSender t(kCubic, 1000, 1000);
  t.timeout();
  EXPECT_EQ(t.s.cwnd, 1u);
  EXPECT_EQ(t.s.ssthresh, 700u);
  while (t.s.cwnd < 700)
    t.round();
  // K = 0: 0.4 t^3 segments after t seconds; with W_max = 1000 it would be 250 after 6 s.
  t.rounds(60);
  EXPECT_NEAR(t.s.cwnd, 700 + 0.4 * 6.2 * 6.2 * 6.2, 15);
}

// 4.9
TEST(CubicUndo, BringsTheCurveBack) {
  TestSender calm(kCubic, 1000, 1000), fooled(kCubic, 1000, 1000);
  for (TestSender* t : {&calm, &fooled}) {
    t->lose();
    t->rounds(40);
  }
  fooled.enter_recovery();
  fooled.advance_time(fooled.rtt_us);
  fooled.undo();
  EXPECT_EQ(fooled.s.cwnd, calm.s.cwnd);
  for (uint32_t i = 0; i < 80; i++) {
    calm.round();
    fooled.round();
    EXPECT_NEAR(fooled.s.cwnd, calm.s.cwnd, 1 + calm.s.cwnd / 100);
  }
}

// Fast retransmit, then a timeout in the same recovery: undone as one.
TEST(CubicUndo, OfTwoReductionsInOneEpisode) {
  TestSender calm(kCubic, 1000, 1000), fooled(kCubic, 1000, 1000);
  for (TestSender* t : {&calm, &fooled}) {
    t->lose();
    t->rounds(40);
  }
  const CcState before = fooled.s;
  fooled.enter_recovery();
  fooled.timeout();
  fooled.undo();
  fooled.s.cwnd = before.cwnd;
  fooled.s.ssthresh = before.ssthresh;
  for (uint32_t i = 0; i < 80; i++) {
    calm.round();
    fooled.round();
    EXPECT_NEAR(fooled.s.cwnd, calm.s.cwnd, 1 + calm.s.cwnd / 100);
  }
}

TEST(CubicUndo, OfASecondEpisodeReturnsToTheFirst) {
  TestSender calm(kCubic, 1000, 1000), fooled(kCubic, 1000, 1000);
  for (TestSender* t : {&calm, &fooled})
    t->lose();  // ends without an ACK that grows the window
  fooled.enter_recovery();
  fooled.undo();
  for (uint32_t i = 0; i < 80; i++) {
    calm.round();
    fooled.round();
    EXPECT_NEAR(fooled.s.cwnd, calm.s.cwnd, 1 + calm.s.cwnd / 100);
  }
}

TEST(CubicUndo, WithNothingToUndo) {
  TestSender t(kCubic, 10, 10);
  t.undo();
  t.s.cwnd = 10;
  t.s.ssthresh = 10;
  t.rounds(10);
  EXPECT_GE(t.s.cwnd, 10u);
}

}  // namespace
}  // namespace atcp
