// SPDX-License-Identifier: GPL-2.0
//
// Pacing: who asks for it, how the pieces are spread, the rates that follow from cwnd, and how little a late timer costs.
#include "conn/pacing.h"

#include <gtest/gtest.h>

#include <numeric>

#include "conn/tcb.h"
#include "tests/fake_net.h"

namespace atcp::test {
namespace {

class PacingTest : public ::testing::Test {
 protected:
  PacingTest()
      : cli(net.add_host("cli", ip4(10, 0, 0, 1))), srv(net.add_host("srv", ip4(10, 0, 0, 2))) {
    cli.set("slow_start_after_idle", "0");
    net.link(cli, srv).filter = [this](Emitted& e) {
      if (e.seg.len > 0) left.push_back({net.now(), e.seg.len});
      return true;
    };
  }
  struct Piece {
    uint64_t at_ns;
    uint32_t len;
  };
  void open() {
    listener = srv.listen(80);
    c = cli.connect(srv.addr(), 80);
    ASSERT_TRUE(net.run_until([&] {
      std::optional<Sock> a = listener.accept();
      if (a) s = *a;
      return a.has_value();
    }));
    net.run(300 * kMs);
    left.clear();
  }
  void transfer(size_t n) {
    const Bytes piece(16384, 'x');
    size_t sent = 0, got = 0;
    ASSERT_TRUE(net.run_until([&] {
      if (sent < n) sent += c.send(n - sent < piece.size() ? Bytes(n - sent, 'x') : piece);
      got += s.recv().size();
      return got == n;
    }));
  }
  /// Bytes per second from piece `first` to the last.
  double rate_from(size_t first) const {
    double bytes = 0;
    for (size_t i = first; i + 1 < left.size(); i++)
      bytes += left[i].len;
    return bytes * 1e9 / static_cast<double>(left.back().at_ns - left[first].at_ns);
  }
  void TearDown() override {
    net.link(cli, srv).filter = nullptr;
    net.close_all();
  }

  FakeNet net;
  Host& cli;
  Host& srv;
  Sock listener, c, s;
  std::vector<Piece> left;
};

TEST_F(PacingTest, WithoutReasonThereIsNone) {
  open();
  transfer(300000);
  EXPECT_FALSE(c.tcb().pacing.on);
  EXPECT_FALSE(c.conn().pacing_own);
  // The first window leaves at once.
  EXPECT_EQ(left[9].at_ns, left[0].at_ns);
}

TEST_F(PacingTest, ARateIsAlwaysToldForQueuesThatKeepIt) {
  open();
  transfer(300000);
  EXPECT_GT(c.conn().pacing_rate, 0u);
  EXPECT_EQ(c.info().pacing_rate, c.conn().pacing_rate);
}

TEST_F(PacingTest, TwiceAWindowPerRoundTripInSlowStartAndAFifthMoreAfterwards) {
  open();
  transfer(50000);
  const atcp_conn_info i = c.info();
  const double window = static_cast<double>(i.cwnd) * i.snd_mss * 1e6 / i.srtt_us;
  EXPECT_NEAR(static_cast<double>(i.pacing_rate), 2 * window, 0.01 * window);
  Tcb& t = c.tcb();
  t.cc.ssthresh = t.cc.cwnd;
  transfer(1448);
  net.run(100 * kMs);
  const atcp_conn_info j = c.info();
  const double after = static_cast<double>(j.cwnd) * j.snd_mss * 1e6 / j.srtt_us;
  EXPECT_NEAR(static_cast<double>(j.pacing_rate), 1.2 * after, 0.01 * after);
}

TEST_F(PacingTest, AProgramsLimitIsKept) {
  open();
  c.conn().max_pacing_rate = 200000;
  transfer(20000);  // an ACK tells it
  left.clear();
  transfer(400000);
  EXPECT_TRUE(c.tcb().pacing.on);
  EXPECT_NEAR(rate_from(5), 200000, 10000);
}

TEST_F(PacingTest, PiecesAreSpread) {
  open();
  c.conn().max_pacing_rate = 200000;
  transfer(20000);
  left.clear();
  transfer(200000);
  // Two segments at least leave together, and not a window.
  uint64_t last = 0;
  uint32_t together = 0, most = 0;
  for (const Piece& p : left) {
    together = p.at_ns == last ? together + p.len : p.len;
    last = p.at_ns;
    most = std::max(most, together);
  }
  EXPECT_LE(most, 4 * c.info().snd_mss);
}

TEST_F(PacingTest, AQueueThatKeepsTheRateIsLeftToIt) {
  open();
  c.conn().max_pacing_rate = 200000;
  c.conn().pacing_kept = true;
  transfer(20000);
  EXPECT_FALSE(c.tcb().pacing.on);
  EXPECT_EQ(c.conn().pacing_rate, 200000u);
}

TEST_F(PacingTest, AQuantumIsAMillisecondsWorth) {
  open();
  transfer(1448);
  Tcb& t = c.tcb();
  t.pacing.rate = 1000;
  EXPECT_EQ(pacing_quantum(t, t.mss), 2 * t.mss);
  t.pacing.rate = 10000000;
  EXPECT_EQ(pacing_quantum(t, t.mss), 10000 / t.mss * t.mss);
  t.pacing.rate = 1000000000;
  EXPECT_GE(pacing_quantum(t, t.mss), 40 * t.mss);
}

TEST_F(PacingTest, ALateTimerIsMadeUpForInPart) {
  open();
  transfer(1448);
  Tcb& t = c.tcb();
  t.pacing.on = true;
  t.pacing.rate = 1000000;  // a millisecond per 1000 bytes
  t.pacing.next_ns = 5 * kMs;
  pacing_sent(t, 1000, Now(5 * kMs + 200 * kUs));
  EXPECT_EQ(t.pacing.next_ns, 6 * kMs);
  pacing_sent(t, 1000, Now(100 * kMs));
  EXPECT_EQ(t.pacing.next_ns, 100 * kMs + 500 * kUs);
  t.pacing.on = false;
}

TEST_F(PacingTest, WhatWasLostIsPacedAsWell) {
  open();
  c.conn().max_pacing_rate = 300000;
  transfer(20000);
  uint32_t n = 0;
  net.link(cli, srv).filter = [&](Emitted& e) {
    if (e.seg.len > 0) left.push_back({net.now(), e.seg.len});
    return e.seg.len == 0 || n++ % 20 != 3;
  };
  left.clear();
  transfer(600000);
  EXPECT_GT(c.info().total_retrans, 10u);
  EXPECT_LE(rate_from(5), 320000);
}

TEST_F(PacingTest, BbrPacesByItself) {
  net.link(cli, srv).ns_per_byte = 1000;  // 8 Mbit/s
  net.link(cli, srv).delay_ns = 20 * kMs;
  cli.set("congestion_control", "bbr");
  open();
  const uint64_t from = net.now();
  transfer(10000000);
  EXPECT_TRUE(c.conn().pacing_own);
  EXPECT_TRUE(c.tcb().pacing.on);
  const double goodput = 1e7 / (static_cast<double>(net.now() - from) / 1e9);
  EXPECT_GT(goodput, 0.85e6 * 1448 / 1500);
}

TEST_F(PacingTest, BbrKeepsTheQueueShortWhereCubicFillsIt) {
  uint64_t worst[2] = {};
  const char* const names[] = {"cubic", "bbr"};
  for (int i = 0; i < 2; i++) {
    Link& l = net.link(cli, srv);
    l.ns_per_byte = 1000;
    l.queue_bytes = 200000;  // 200 ms: five BDP
    l.delay_ns = 20 * kMs;
    cli.set("congestion_control", names[i]);
    listener = srv.listen(static_cast<uint16_t>(80 + i));
    c = cli.connect(srv.addr(), static_cast<uint16_t>(80 + i));
    ASSERT_TRUE(net.run_until([&] {
      std::optional<Sock> a = listener.accept();
      if (a) s = *a;
      return a.has_value();
    }));
    transfer(3000000);  // the beginning is not of interest
    l.filter = [&](Emitted&) {
      const uint64_t queue = l.busy_until_ns > net.now() ? l.busy_until_ns - net.now() : 0;
      worst[i] = std::max(worst[i], queue);
      return true;
    };
    transfer(10000000);
    l.filter = nullptr;
    net.run(3 * kSec);
  }
  EXPECT_GT(worst[0], 150 * kMs);
  EXPECT_LT(worst[1], 60 * kMs);
}

TEST_F(PacingTest, ThatCwndStoppedSomethingIsKnownForARoundTrip) {
  // Paced, a sender stops for cwnd now and then only; bbr asks whether it did at all.
  net.link(cli, srv).ns_per_byte = 1000;
  cli.set("congestion_control", "bbr");
  open();
  transfer(3000000);
  Tcb& t = c.tcb();
  EXPECT_NE(t.limited_round, 0u);
  const uint32_t last = t.limited_round;
  EXPECT_LE(t.round + 1 - last, 100u);
  for (int i = 0; i < 10; i++) {
    transfer(1448);
    net.run(100 * kMs);
  }
  EXPECT_EQ(t.limited_round, last);
  EXPECT_GT(t.round + 1 - t.limited_round, 1u);
}

TEST_F(PacingTest, ChangingToBbrAndBackKeepsDataFlowing) {
  net.link(cli, srv).ns_per_byte = 1000;
  open();
  const char* const names[] = {"bbr", "reno", "bbr", "cubic", "dctcp", "bbr"};
  for (const char* name : names) {
    ASSERT_EQ(c.set_cc(name), ATCP_OK) << name;
    transfer(300000);
    EXPECT_EQ(c.cc(), name);
  }
}

TEST_F(PacingTest, ChangingFromBbrInTheMiddleOfARecoveryKeepsTheWindow) {
  // Bbr leaves ssthresh alone: it must not become the window at the end of what bbr began.
  for (const char* name : {"cubic", "reno"}) {
    listener = srv.listen(name[0] == 'c' ? 81 : 82);
    c = cli.connect(srv.addr(), name[0] == 'c' ? 81 : 82);
    net.run(100 * kMs);
    s = *listener.accept();
    ASSERT_EQ(c.set_cc("bbr"), ATCP_OK);
    transfer(300000);
    uint32_t n = 0;
    net.link(cli, srv).filter = [&](Emitted& e) { return e.seg.len == 0 || n++ != 20; };
    const Bytes data(400000, 'x');
    size_t got = 0;
    c.send(data);
    ASSERT_TRUE(net.run_until([&] { return c.tcb().ca_state == CaState::Recovery; })) << name;
    ASSERT_EQ(c.set_cc(name), ATCP_OK);
    ASSERT_TRUE(net.run_until([&] {
      got += s.recv().size();
      return c.tcb().ca_state == CaState::Open;
    })) << name;
    EXPECT_LT(c.tcb().cc.cwnd, 5000u) << name;
    EXPECT_LT(c.tcb().cc.ssthresh, 5000u) << name;
    net.link(cli, srv).filter = nullptr;
    net.run_until([&] {
      got += s.recv().size();
      return c.info().packets_out == 0 && c.info().notsent_bytes == 0;
    });
  }
}

TEST_F(PacingTest, BbrsWindowComesBackAfterATimeout) {
  net.link(cli, srv).ns_per_byte = 1000;
  net.link(cli, srv).delay_ns = 20 * kMs;
  cli.set("congestion_control", "bbr");
  open();
  transfer(1000000);
  const uint32_t before = c.tcb().cc.cwnd;
  ASSERT_GT(before, 20u);
  net.link(cli, srv).filter = [](Emitted&) { return false; };
  c.send(Bytes(50000, 'x'));
  net.run(2 * kSec);
  EXPECT_EQ(c.tcb().ca_state, CaState::Loss);
  EXPECT_LT(c.tcb().cc.cwnd, before / 2);
  net.link(cli, srv).filter = nullptr;
  size_t got = 0;
  ASSERT_TRUE(net.run_until([&] {
    got += s.recv().size();
    return got == 50000;
  }));
  net.run(100 * kMs);
  EXPECT_GE(c.tcb().cc.cwnd, before / 2);
}

TEST_F(PacingTest, ALimitThatIsRaisedTakesEffectWithinASecond) {
  open();
  c.conn().max_pacing_rate = 100;
  transfer(20000);
  c.conn().max_pacing_rate = 10000000;
  const uint64_t from = net.now();
  transfer(100000);
  EXPECT_LT(net.now() - from, 3 * kSec);
}

TEST_F(PacingTest, AnOrphanThatIsPacedIsNotGivenUp) {
  srv.set("orphan_retries", "2");
  cli.set("orphan_retries", "2");
  open();
  c.conn().max_pacing_rate = 3000;
  transfer(6000);
  c.send(Bytes(30000, 'x'));
  c.close();
  size_t got = 0;
  ASSERT_TRUE(net.run_until([&] {
    got += s.recv().size();
    return got == 30000;
  }));
  EXPECT_EQ(s.error(), ATCP_OK);
}

TEST_F(PacingTest, WithoutMemoryTheOldCongestionControlStays) {
  open();
  net.os.fail(Fault::Alloc, 1);
  EXPECT_EQ(c.set_cc("bbr"), ATCP_ERR_NO_MEMORY);
  EXPECT_EQ(c.cc(), "cubic");
  transfer(100000);
}

}  // namespace
}  // namespace atcp::test
