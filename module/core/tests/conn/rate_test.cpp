// SPDX-License-Identifier: GPL-2.0
//
// Samples of the delivery rate over a bottleneck whose rate is known (draft-ietf-ccwg-bbr-05, 4.1), and when they say
// nothing but what the program gave.
#include "conn/rate.h"

#include <gtest/gtest.h>

#include "conn/tcb.h"
#include "tests/fake_net.h"

namespace atcp::test {
namespace {

class RateTest : public ::testing::Test {
 protected:
  RateTest()
      : cli(net.add_host("cli", ip4(10, 0, 0, 1))), srv(net.add_host("srv", ip4(10, 0, 0, 2))) {
    cli.set("slow_start_after_idle", "0");
  }
  void open() {
    listener = srv.listen(80);
    c = cli.connect(srv.addr(), 80);
    ASSERT_TRUE(net.run_until([&] {
      std::optional<Sock> a = listener.accept();
      if (a) s = *a;
      return a.has_value();
    }));
    net.run(300 * kMs);
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
  void TearDown() override {
    net.link(cli, srv).filter = nullptr;
    net.close_all();
  }

  FakeNet net;
  Host& cli;
  Host& srv;
  Sock listener, c, s;
};

TEST_F(RateTest, NothingIsKnownBeforeDataWasSent) {
  open();
  EXPECT_EQ(c.info().delivery_rate, 0u);
  EXPECT_EQ(s.info().delivered, 0u);
}

TEST_F(RateTest, IsTheRateOfTheBottleneck) {
  // 8 Mbit/s of what IP sees: 1000 ns per byte.
  net.link(cli, srv).ns_per_byte = 1000;
  open();
  transfer(1000000);
  const double goodput = 1e6 * 1448 / 1500;
  EXPECT_NEAR(static_cast<double>(c.info().delivery_rate), goodput, 0.1 * goodput);
  EXPECT_EQ(c.info().delivery_app_limited, 0u);
}

TEST_F(RateTest, CountsEverySegmentOnce) {
  open();
  transfer(100 * 1448);
  net.run(1 * kSec);
  EXPECT_EQ(c.info().delivered, 100u + 0u);
}

TEST_F(RateTest, CountsWhatSackReportsOnce) {
  open();
  uint32_t n = 0;
  net.link(cli, srv).filter = [&](Emitted& e) { return e.seg.len == 0 || n++ % 10 != 3; };
  transfer(100 * 1448);
  net.run(1 * kSec);
  EXPECT_EQ(c.info().delivered, 100u);
  EXPECT_GE(c.tcb().rate.lost, 5u);
}

TEST_F(RateTest, AProgramThatGivesLittleLimitsItsSamples) {
  open();
  for (int i = 0; i < 10; i++) {
    transfer(1448);
    net.run(50 * kMs);
  }
  EXPECT_NE(c.info().delivery_app_limited, 0u);
}

TEST_F(RateTest, ATrickleDoesNotReplaceTheRateOfThePath) {
  net.link(cli, srv).ns_per_byte = 1000;
  open();
  transfer(1000000);
  const uint64_t before = c.info().delivery_rate;
  for (int i = 0; i < 20; i++) {
    transfer(1448);
    net.run(100 * kMs);
  }
  EXPECT_GE(c.info().delivery_rate, before);
}

TEST_F(RateTest, AcksInABunchDoNotMakeThePathFaster) {
  // The way back holds ACKs for 30 ms and lets them go together: the data took as long as before.
  net.link(cli, srv).ns_per_byte = 1000;
  open();
  transfer(300000);
  uint64_t most = 0;
  uint64_t hold_until = 0;
  net.link(srv, cli).filter = [&](Emitted&) {
    if (hold_until < net.now()) hold_until = net.now() + 30 * kMs;
    net.link(srv, cli).delay_ns = 10 * kMs + (hold_until - net.now());
    return true;
  };
  const Bytes piece(16384, 'x');
  const size_t all = 600000;
  size_t sent = 0, got = 0;
  ASSERT_TRUE(net.run_until([&] {
    if (sent < all) sent += c.send(all - sent < piece.size() ? Bytes(all - sent, 'x') : piece);
    got += s.recv().size();
    most = std::max(most, c.info().delivery_rate);
    return got == all;
  }));
  net.link(srv, cli).filter = nullptr;
  net.link(srv, cli).delay_ns = 10 * kMs;
  EXPECT_LT(static_cast<double>(most), 1.3e6);
}

TEST_F(RateTest, AProbeOfTheTailIsNoLoss) {
  open();
  uint32_t seen = 0;
  net.link(srv, cli).filter = [&](Emitted&) { return ++seen > 1; };  // the ACK is late
  transfer(1448);
  net.run(1 * kSec);
  net.link(srv, cli).filter = nullptr;
  EXPECT_GE(c.info().total_retrans, 1u);
  EXPECT_EQ(c.tcb().rate.lost, 0u);
}

}  // namespace
}  // namespace atcp::test
