// SPDX-License-Identifier: GPL-2.0
//
// BBR alone on a path of segments: one bottleneck with a buffer, a clock that jumps from event to event, and the
// samples of the delivery rate as draft-ietf-ccwg-bbr-05 section 4.1 defines them, in floating point where it can be.
#include "cc/bbr.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <random>
#include <vector>

#include "tests/fake_os.h"

namespace atcp {
namespace {

constexpr uint32_t kMss = 1000;

class Bbr : public ::testing::Test {
 protected:
  struct Seg {
    uint64_t sent_us, acked_us;
    uint64_t delivered_us, first_us;
    uint32_t delivered, in_flight, lost;
    bool gone, app_limited, marked;
  };

  Bbr() {
    memset(&s, 0, sizeof(s));
    s.cwnd = 10;
    s.ssthresh = kSsthreshInfinite;
    s.cwnd_clamp = ~0u;
    more_.resize(kBbr.more_bytes);
    s.more = more_.data();
    kBbr.init(s, now_us);
  }

  double bdp() const { return rate * static_cast<double>(rtt_us); }
  BbrView view() const { return bbr_view(s, kMss); }
  double bw() const { return static_cast<double>(view().bw_bytes_per_s) / kMss / 1e6; }

  /// Let the path work for so long; statistics are of this time alone.
  void run(uint64_t us) {
    const uint64_t end = now_us + us;
    sent = dropped = got = 0;
    worst_queue_us = 0;
    queue_us_sum = 0;
    least_flight = ~0u;
    while (now_us < end) {
      const bool may =
          flight_ < s.cwnd && next_send_us_ <= static_cast<double>(now_us) && budget_ > 0;
      if (may) {
        send();
        continue;
      }
      uint64_t next = end;
      if (!pipe_.empty()) next = std::min(next, pipe_.front().acked_us);
      if (flight_ < s.cwnd && budget_ > 0)
        next = std::min(next, static_cast<uint64_t>(std::ceil(next_send_us_)));
      now_us = std::max(next, now_us);
      while (!pipe_.empty() && pipe_.front().acked_us <= now_us) {
        const Seg g = pipe_.front();
        pipe_.pop_front();
        arrive(g);
      }
    }
  }
  double utilisation(uint64_t us) const { return got / (rate * static_cast<double>(us)); }
  double mean_queue_us() const { return sent == 0 ? 0 : queue_us_sum / sent; }

  test::FakeOs os;
  CcState s;
  uint64_t now_us = 1000000;
  double rate = 0.01;  ///< segments per microsecond
  uint32_t rtt_us = 50000;
  double buffer = 1e9;  ///< segments
  uint32_t loss_permille = 0;
  double mark_above_us = 1e18;  ///< of queue
  double sent = 0, dropped = 0, got = 0, queue_us_sum = 0, worst_queue_us = 0;
  uint32_t least_flight = 0;
  uint64_t budget_ = ~0ull;      ///< what the program has to send
  std::vector<BbrState> states;  ///< that were gone through

 private:
  void send() {
    Seg g = {};
    if (flight_ == 0) first_us_ = delivered_us_ = now_us;
    g.sent_us = now_us;
    g.delivered = delivered_;
    g.delivered_us = delivered_us_;
    g.first_us = first_us_;
    g.lost = lost_;
    g.app_limited = app_limited_ != 0;
    flight_++;
    budget_--;
    if (budget_ == 0 && flight_ < s.cwnd) app_limited_ = delivered_ + flight_;
    g.in_flight = flight_;
    const double now = static_cast<double>(now_us);
    const double queue = std::max(0.0, link_free_us_ - now);
    g.marked = queue > mark_above_us;
    queue_us_sum += queue;
    worst_queue_us = std::max(worst_queue_us, queue);
    sent += 1;
    g.gone = queue * rate >= buffer || random_() % 1000 < loss_permille;
    if (g.gone) {
      dropped += 1;
      g.acked_us = static_cast<uint64_t>(now + queue) + rtt_us;
    } else {
      link_free_us_ = now + queue + 1 / rate;
      g.acked_us = static_cast<uint64_t>(link_free_us_) + rtt_us;
    }
    pipe_.push_back(g);
    if (s.pacing_rate != 0)
      next_send_us_ =
          std::max(next_send_us_, now) + 1e6 * kMss / static_cast<double>(s.pacing_rate);
  }

  /// Its ACK, or the one that shows that it is lost.
  void arrive(const Seg& g) {
    flight_--;
    if (g.gone) {
      lost_++;
      lost_told_++;
      if (recover_ == 0) kBbr.on_event(s, ATCP_CC_ENTER_RECOVERY, now_us);
      recover_ = std::max<uint64_t>(recover_, now_us + rtt_us);
      return;
    }
    got += 1;
    delivered_++;
    delivered_us_ = now_us;
    if (app_limited_ != 0 && delivered_ > app_limited_) app_limited_ = 0;
    const uint64_t send_us = g.sent_us - g.first_us, ack_us = now_us - g.delivered_us;
    first_us_ = g.sent_us;
    if (recover_ != 0 && now_us > recover_) {
      recover_ = 0;
      kBbr.on_event(s, ATCP_CC_EXIT_RECOVERY, now_us);
    }
    CcAck a = {};
    a.now_us = now_us;
    a.acked = 1;
    a.in_flight = flight_ + 1;
    a.flight_now = flight_;
    a.rtt_us = a.srtt_us = static_cast<uint32_t>(now_us - g.sent_us);
    a.cwnd_limited = flight_ + 1 >= s.cwnd;
    a.recovering = recover_ != 0;
    a.lost = lost_told_;
    lost_told_ = 0;
    a.mss = kMss;
    a.delivered = delivered_;
    a.prior_delivered = g.delivered;
    a.rate_segs = delivered_ - g.delivered;
    a.rate_us = static_cast<uint32_t>(std::max(send_us, ack_us));
    if (a.rate_us < rtt_us) a.rate_segs = a.rate_us = 0;
    a.tx_in_flight = g.in_flight;
    a.tx_lost = lost_ - g.lost;
    a.app_limited = g.app_limited;
    a.ece = g.marked;
    kBbr.control(s, a);
    least_flight = std::min(least_flight, flight_);
    if (states.empty() || states.back() != view().state) states.push_back(view().state);
  }

  std::vector<uint64_t> more_;
  std::deque<Seg> pipe_;
  std::mt19937 random_{42};
  double next_send_us_ = 0, link_free_us_ = 0;
  uint64_t delivered_us_ = 0, first_us_ = 0, recover_ = 0;
  uint32_t flight_ = 0, delivered_ = 0, lost_ = 0, lost_told_ = 0, app_limited_ = 0;
};

TEST_F(Bbr, StartupFindsTheBandwidth) {
  // 500 segments of BDP from 10 take six rounds, and to be sure three more, which are longer by the queue.
  run(16 * rtt_us);
  EXPECT_TRUE(view().full_bw_reached);
  EXPECT_NEAR(bw(), rate, rate * 0.05);
  EXPECT_NEAR(view().min_rtt_us, rtt_us, 1.0 / rate + 1);
}

TEST_F(Bbr, DrainEmptiesWhatStartupQueued) {
  run(16 * rtt_us);
  EXPECT_GT(worst_queue_us, 0.5 * rtt_us);
  run(5 * rtt_us);
  run(10 * rtt_us);
  EXPECT_LT(mean_queue_us(), 0.3 * rtt_us);
}

TEST_F(Bbr, FillsADeepBufferByLessThanABdpAndUsesTheLink) {
  run(3000000);
  run(10000000);
  EXPECT_GT(utilisation(10000000), 0.95);
  EXPECT_LT(mean_queue_us(), 0.5 * rtt_us);
  EXPECT_LT(worst_queue_us, 1.3 * rtt_us);
  EXPECT_EQ(dropped, 0);
}

TEST_F(Bbr, GoesThroughItsPhasesInTheirOrder) {
  run(9000000);
  ASSERT_GE(states.size(), 8u);
  EXPECT_EQ(states[0], BbrState::Startup);
  EXPECT_EQ(states[1], BbrState::Drain);
  // Down may end with the ACK with which it began.
  EXPECT_TRUE(states[2] == BbrState::Down || states[2] == BbrState::Cruise);
  for (size_t i = 3; i < states.size(); i++) {
    switch (states[i]) {
      case BbrState::Cruise:
        EXPECT_NE(states[i - 1], BbrState::Refill) << i;
        break;
      case BbrState::Refill:
        EXPECT_TRUE(states[i - 1] == BbrState::Cruise || states[i - 1] == BbrState::Down) << i;
        break;
      case BbrState::Up:
        EXPECT_EQ(states[i - 1], BbrState::Refill) << i;
        break;
      case BbrState::Down:
        EXPECT_EQ(states[i - 1], BbrState::Up) << i;
        break;
      case BbrState::ProbeRtt:
        break;
      default:
        ADD_FAILURE() << "back in the beginning at " << i;
    }
  }
  EXPECT_TRUE(std::count(states.begin(), states.end(), BbrState::ProbeRtt) > 0);
}

TEST_F(Bbr, ProbeRttLetsTheQueueDrain) {
  run(4000000);
  states.clear();
  run(4000000);
  EXPECT_EQ(std::count(states.begin(), states.end(), BbrState::ProbeRtt), 1);
  EXPECT_LT(least_flight, bdp() * 0.6);
  EXPECT_GT(utilisation(4000000), 0.9);
}

TEST_F(Bbr, AOnePercentLossCostsLittle) {
  loss_permille = 10;
  run(3000000);
  run(10000000);
  // Reno would get 1.22 / sqrt(0.01) = 12 segments per round trip, of 500. Between two probes, though, each round
  // with a loss lowers the short-term bound to what has arrived (5.5.10.3).
  EXPECT_GT(utilisation(10000000), 0.5);
}

TEST_F(Bbr, AShallowBufferTeachesTheBoundOfWhatIsInFlight) {
  buffer = bdp() / 5;
  run(5000000);
  EXPECT_NE(view().inflight_longterm, ~0u);
  run(10000000);
  EXPECT_GT(utilisation(10000000), 0.8);
  EXPECT_LT(dropped / sent, 0.05);
}

TEST_F(Bbr, FollowsALinkThatBecomesSlower) {
  run(5000000);
  rate /= 2;
  run(12000000);
  EXPECT_NEAR(bw(), rate, rate * 0.1);
  run(5000000);
  EXPECT_LT(mean_queue_us(), rtt_us);
}

TEST_F(Bbr, FollowsALinkThatBecomesFaster) {
  run(5000000);
  rate *= 4;
  run(15000000);
  EXPECT_NEAR(bw(), rate, rate * 0.1);
}

TEST_F(Bbr, FindsALongerRoundTrip) {
  run(5000000);
  rtt_us = 80000;
  run(25000000);
  EXPECT_NEAR(view().min_rtt_us, rtt_us, 0.1 * rtt_us);
  run(5000000);
  EXPECT_GT(utilisation(5000000), 0.9);
}

TEST_F(Bbr, WhatAProgramHoldsBackIsNotThePathsLimit) {
  run(3000000);
  const double before = bw();
  for (int i = 0; i < 60; i++) {
    budget_ = 20;
    run(100000);
  }
  EXPECT_GT(bw(), before * 0.9);
}

TEST_F(Bbr, TheFirstRateIsTheInitialWindowPerRoundTrip) {
  CcAck a = {};
  a.now_us = now_us;
  a.srtt_us = 10000;
  a.mss = kMss;
  kBbr.control(s, a);
  EXPECT_EQ(s.pacing_rate, 10u * kMss * 100 * 277 / 100);
}

TEST_F(Bbr, ASampleIsSegmentsOverTime) {
  std::mt19937 random(1);
  for (int i = 0; i < 1000; i++) {
    kBbr.init(s, now_us);
    s.pacing_rate = 0;
    CcAck a = {};
    a.now_us = now_us + 1;
    a.mss = 500 + random() % 9000;
    a.srtt_us = a.rtt_us = 1 + random() % 100000;
    a.rate_segs = 1 + random() % (1 << (random() % 20));
    a.rate_us = 1 + random() % 1000000;
    a.delivered = a.rate_segs;
    kBbr.control(s, a);
    const double want = 1e6 * a.rate_segs * a.mss / a.rate_us;
    ASSERT_NEAR(static_cast<double>(bbr_view(s, a.mss).bw_bytes_per_s), want, want * 0.07) << i;
  }
}

TEST_F(Bbr, AfterATimeoutTheWindowComesBack) {
  run(5000000);
  const uint32_t before = s.cwnd;
  kBbr.on_event(s, ATCP_CC_TIMEOUT, now_us);
  s.cwnd = 1;
  run(5000000);
  EXPECT_GT(s.cwnd, before / 2);
  EXPECT_GT(utilisation(5000000), 0.7);
}

TEST_F(Bbr, AMarkIsALossOfItsRound) {
  run(3000000);
  ASSERT_EQ(view().inflight_shortterm, ~0u);
  mark_above_us = 1000;  // a queue of a millisecond: as soon as it probes
  run(3000000);
  EXPECT_LT(view().inflight_longterm, ~0u);
  EXPECT_GT(utilisation(3000000), 0.7);
  EXPECT_LT(mean_queue_us(), 5000);
}

TEST_F(Bbr, NeverLessThanFourSegments) {
  rate = 0.0001;  // a segment in 10 ms
  rtt_us = 1000;
  buffer = 3;
  run(20000000);
  EXPECT_GE(s.cwnd, 4u);
  EXPECT_GT(utilisation(20000000), 0.5);
}

}  // namespace
}  // namespace atcp
