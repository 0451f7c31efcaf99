// SPDX-License-Identifier: GPL-2.0
//
// Why a connection is slow: each cause shown by itself, to the microsecond, and the sum after every event of
// conversations at random.
#include "conn/limits.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <numeric>
#include <random>
#include <thread>

#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

constexpr uint32_t kNodelay = 1;
constexpr uint32_t kCork = 3;

using Shares = std::array<uint64_t, kLimitCount>;

Shares shares_of(const atcp_conn_info& i) {
  Shares s;
  std::copy(std::begin(i.limited_us), std::end(i.limited_us), s.begin());
  EXPECT_EQ(std::accumulate(s.begin(), s.end(), uint64_t{0}), i.age_us);
  return s;
}

class LimitsTest : public RawConnTest {
 protected:
  static constexpr uint64_t kMsUs = 1000;

  Limit by() { return static_cast<Limit>(s.info().limited_by); }
  /// Time passes, and all of it goes to one share.
  void expect_all_to(Limit l, uint64_t us) {
    ASSERT_EQ(by(), l);
    const Shares before = shares_of(s.info());
    net.run(us * kUs);
    Shares want = before;
    want[static_cast<uint32_t>(l)] += us;
    EXPECT_EQ(shares_of(s.info()), want);
  }
};

TEST_F(LimitsTest, BeginsWhenEstablishedWithTheProgram) {
  open_with({});
  const atcp_conn_info i = s.info();
  EXPECT_EQ(i.age_us, 0u);
  EXPECT_EQ(i.handshake_us, 20 * kMsUs);
  expect_all_to(Limit::App, 5003);
  EXPECT_EQ(s.info().age_us, 5003u);
}

TEST_F(LimitsTest, NothingBeforeTheHandshakeIsComplete) {
  Sock c = srv.connect(ip4(10, 0, 0, 2), 9);
  net.run(50 * kMs);
  const atcp_conn_info i = c.info();
  EXPECT_EQ(i.age_us, 0u);
  EXPECT_EQ(i.handshake_us, 0u);
  EXPECT_EQ(i.in_state_ms[ATCP_STATE_SYN_SENT], 50u);
}

TEST_F(LimitsTest, AllSentIsTheProgramsTime) {
  open_with({});
  write_segs(3);
  expect_all_to(Limit::App, 15000);
}

TEST_F(LimitsTest, Cwnd) {
  open_with({});
  write_segs(20);
  expect_all_to(Limit::Cwnd, 7000);
  ack_segs(10);
  EXPECT_EQ(by(), Limit::App);
}

TEST_F(LimitsTest, PeersWindowWithoutRoomForASegment) {
  open_with({.wnd = 4000});
  write_segs(5);
  EXPECT_EQ(segs_out(), (Segs{0, 1}));
  expect_all_to(Limit::Rwnd, 9000);
  wnd = 60000;
  ack_segs(2);
  expect_all_to(Limit::App, 1);
}

TEST_F(LimitsTest, ClosedWindow) {
  open_with({});
  wnd = 0;
  peer(0, 0);
  expect_all_to(Limit::App, 1000);  // nothing to send
  write_segs(2);
  expect_all_to(Limit::ZeroWindow, 3000000);  // probes in between change nothing
  wnd = 60000;
  ack_segs(0);
  EXPECT_EQ(by(), Limit::App);
}

TEST_F(LimitsTest, FinBehindAClosedWindow) {
  open_with({});
  wnd = 0;
  peer(0, 0);
  s.shutdown();
  expect_all_to(Limit::ZeroWindow, 1000);
}

TEST_F(LimitsTest, NagleWaitsForADelayedAck) {
  open_with({});
  s.send(std::string("one"));
  s.send(std::string("two"));
  expect_all_to(Limit::DelayedAck, 40000);
  peer(0, 3);
  expect_all_to(Limit::App, 10);
}

TEST_F(LimitsTest, WithoutNagleTheProgram) {
  open_with({});
  s.set_option(kNodelay, 1);
  s.send(std::string("one"));
  s.send(std::string("two"));
  expect_all_to(Limit::App, 40000);
}

TEST_F(LimitsTest, WhatACorkHoldsIsTheProgramsTime) {
  open_with({});
  s.set_option(kCork, 1);
  s.send(std::string("one"));
  expect_all_to(Limit::App, 40000);
}

TEST_F(LimitsTest, Pacing) {
  open_with({});
  s.conn().max_pacing_rate = 2 * kMss * 100;  // two segments in 10 ms
  write_segs(2);
  ack_segs(2);  // the rate is taken over
  write_segs(4);
  EXPECT_EQ(segs_out(), (Segs{2, 3}));
  expect_all_to(Limit::Pacing, 9999);
  net.run(2 * kUs);
  EXPECT_EQ(by(), Limit::App);
}

TEST_F(LimitsTest, SendBuffer) {
  open_with({});
  s.conn().sndbuf = 6 * kMss;
  s.conn().sndbuf_locked = true;
  for (uint32_t i = 0; i < 6; i++)
    write_segs(1);
  expect_all_to(Limit::App, 1000);  // full, but nobody asked for more
  EXPECT_EQ(s.send(std::string("more")), 0u);
  expect_all_to(Limit::Sndbuf, 1000);
  ack_segs(1);
  expect_all_to(Limit::Sndbuf, 1000);  // a little room wakes nobody
  ack_segs(2);
  expect_all_to(Limit::App, 1000);
}

TEST_F(LimitsTest, SendBufferOnlyWhenAllIsSent) {
  open_with({});
  s.conn().sndbuf = 20 * kMss;
  s.conn().sndbuf_locked = true;
  write_segs(20);
  EXPECT_EQ(s.send(std::string("more")), 0u);
  expect_all_to(Limit::Cwnd, 1000);
  ack_segs(5);  // makes room in cwnd, but no piece is free yet
  expect_all_to(Limit::Sndbuf, 1000);
}

TEST_F(LimitsTest, WritingAgainEndsTheWaitForRoom) {
  open_with({});
  s.conn().sndbuf = 2 * kMss;
  EXPECT_EQ(s.send(std::string(3 * kMss, 'x')), 2 * kMss);
  expect_all_to(Limit::Sndbuf, 1000);
  s.conn().sndbuf = 3 * kMss;
  write_segs(1);
  expect_all_to(Limit::App, 1000);
}

TEST_F(LimitsTest, NothingCouldLeaveThisHost) {
  open_with({});
  net.os.fail(Fault::Emit, 1);
  write_segs(1);
  expect_all_to(Limit::Device, 10000);
  ASSERT_TRUE(
      net.run_until([&] { return !replies.empty(); }, kSec));  // the persist timer tries again
  EXPECT_EQ(segs_out(), Segs{0});
  EXPECT_EQ(by(), Limit::App);
}

TEST_F(LimitsTest, StillInAQueueOfThisHost) {
  open_with({});
  s.set_option(kNodelay, 1);
  srv.set("early_retrans", "0");
  write_segs(1);
  s.conn().tx_busy = true;
  ASSERT_TRUE(net.run_until([&] { return by() == Limit::Device; }, 2 * kSec));
  expect_all_to(Limit::Device, 50000);
  s.conn().tx_busy = false;
  ack_segs(1);
  EXPECT_EQ(by(), Limit::App);
}

TEST_F(LimitsTest, Recovery) {
  open_with({});
  write_segs(10);
  ack_segs(0, {{1, 4}});
  expect_all_to(Limit::Recovery, 5000);
  ack_segs(10);
  EXPECT_EQ(by(), Limit::App);
}

TEST_F(LimitsTest, RecoveryAfterATimeout) {
  open_with({});
  write_segs(1);
  ASSERT_TRUE(net.run_until([&] { return s.tcb().ca_state == CaState::Loss; }, 3 * kSec));
  expect_all_to(Limit::Recovery, 5000);
  ack_segs(1);
  EXPECT_EQ(by(), Limit::App);
}

TEST_F(LimitsTest, StopsWithTheConnection) {
  open_with({});
  net.run(10 * kMs);
  s.abort(ATCP_REASON_ABORT_BY_USER);
  net.run(10 * kMs);
  EXPECT_EQ(s.info().age_us, 10 * kMsUs);
  shares_of(s.info());
}

TEST_F(LimitsTest, TimeInEachState) {
  open_with({});
  net.run(30 * kMs);
  peer(0, 0);
  Out fin = segment(0, 0);
  fin.flags = ATCP_ACK | ATCP_FIN;
  send(fin);
  net.run(40 * kMs);
  s.shutdown();
  net.run(50 * kMs);
  const atcp_conn_info i = s.info();
  EXPECT_EQ(i.state, static_cast<uint32_t>(ATCP_STATE_LAST_ACK));
  EXPECT_EQ(i.in_state_ms[ATCP_STATE_SYN_RECEIVED], 20u);
  EXPECT_EQ(i.in_state_ms[ATCP_STATE_ESTABLISHED], 30u);
  EXPECT_EQ(i.in_state_ms[ATCP_STATE_CLOSE_WAIT], 40u);
  EXPECT_EQ(i.in_state_ms[ATCP_STATE_LAST_ACK], 50u);
  EXPECT_EQ(std::accumulate(std::begin(i.in_state_ms), std::end(i.in_state_ms), 0u), 140u);
  EXPECT_EQ(i.age_us, 120 * kMsUs);
}

TEST_F(LimitsTest, TimeInEachStateOfTheOneWhoClosesFirst) {
  open_with({});
  net.run(30 * kMs);
  s.shutdown();
  net.run(40 * kMs);
  peer(0, 1);
  net.run(50 * kMs);
  const atcp_conn_info i = s.info();
  EXPECT_EQ(i.state, static_cast<uint32_t>(ATCP_STATE_FIN_WAIT2));
  EXPECT_EQ(i.in_state_ms[ATCP_STATE_ESTABLISHED], 30u);
  EXPECT_EQ(i.in_state_ms[ATCP_STATE_FIN_WAIT1], 40u);
  EXPECT_EQ(i.in_state_ms[ATCP_STATE_FIN_WAIT2], 50u);
  EXPECT_EQ(i.in_state_ms[ATCP_STATE_CLOSE_WAIT], 0u);
}

TEST_F(LimitsTest, DeadlinesByName) {
  open_with({});
  const auto left = [&] {
    atcp_timer_info timers[ATCP_TIMERS];
    std::map<std::string, uint64_t> m;
    const uint32_t n = atcp_core_conn_timers(&s.conn().conn, timers, net.now());
    for (uint32_t i = 0; i < n; i++)
      m[timers[i].name] = timers[i].left_us;
    EXPECT_EQ(m.size(), n);
    return m;
  };
  EXPECT_TRUE(left().empty());
  s.set_keepalive(true);
  write_segs(1);
  net.run(kMs);
  const std::map<std::string, uint64_t> m = left();
  EXPECT_EQ(m.at("keepalive"), 7200ull * 1000000 - 1000);
  EXPECT_EQ(m.at("retransmit"), s.tcb().rto_us() - 1000);
  for (uint32_t i = 0; i < kTimerCount; i++)
    s.tcb().timers.set(static_cast<TimerId>(i), net.now() / 1000 - 1);
  EXPECT_EQ(left().size(), kTimerCount);
  EXPECT_EQ(left().at("pacing"), 0u);  // due
}

// ---- fast open ----------------------------------------------------------------------------

TEST(Limits, FastOpenBeginsWithTheSyn) {
  FakeNet net;
  Host& cli = net.add_host("cli", ip4(10, 0, 0, 2));
  Host& srv = net.add_host("srv", ip4(10, 0, 0, 1));
  cli.set("fastopen", "5");  // no cookie needed
  srv.set("fastopen", "1538");
  Sock l = srv.listen(80);
  Sock c = cli.fastopen(srv.addr(), 80, "hello");
  ASSERT_TRUE(net.run_until(
      [&] { return l.readable() != 0 || atcp_core_accept_queue(&l.conn().conn) > 0; }));
  Sock s = *l.accept();
  ASSERT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_SYN_RECEIVED));
  net.run(3 * kMs);
  EXPECT_EQ(s.info().age_us, 3000u);
  EXPECT_EQ(s.info().handshake_us, 0u);
  net.run(kSec);
  const atcp_conn_info i = s.info();
  EXPECT_EQ(i.state, static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_EQ(i.handshake_us, 20000u);
  EXPECT_EQ(i.age_us, 1003000u);
  shares_of(i);
  shares_of(c.info());
  net.close_all();
}

// ---- the class alone ------------------------------------------------------------------------

TEST(Life, AnEarlierReadingOfTheClockTakesNothingBack) {
  Life life{};
  life.open(1000);
  life.leave(ATCP_STATE_SYN_SENT, 1500);
  life.begin(false);
  life.switch_to(Limit::Cwnd, 2000);
  life.switch_to(Limit::Rwnd, 1900);  // read before, by a CPU that had to wait
  life.switch_to(Limit::App, 2100);
  uint64_t s[kLimitCount];
  life.shares(2050, s);
  EXPECT_EQ(s[ATCP_LIMIT_CWND], 0u);
  EXPECT_EQ(s[ATCP_LIMIT_RWND], 100u);
  EXPECT_EQ(s[ATCP_LIMIT_APP], 500u);
  EXPECT_EQ(life.age_us(2050), 600u);
}

TEST(Life, YearsFit) {
  constexpr uint64_t kYearUs = 365ull * 86400 * 1000000;
  Life life{};
  life.open(kYearUs);
  life.leave(ATCP_STATE_SYN_SENT, kYearUs);
  life.begin(false);
  life.switch_to(Limit::ZeroWindow, 2 * kYearUs);
  uint64_t s[kLimitCount];
  life.shares(8 * kYearUs, s);
  EXPECT_EQ(s[ATCP_LIMIT_APP], kYearUs);
  EXPECT_EQ(s[ATCP_LIMIT_ZERO_WINDOW], 6 * kYearUs);
  life.in_states(ATCP_STATE_ESTABLISHED, 8 * kYearUs, [&](uint32_t state, uint64_t us) {
    EXPECT_EQ(us, state == ATCP_STATE_ESTABLISHED ? 7 * kYearUs : 0) << state;
  });
}

// ---- conversations at random ----------------------------------------------------------------

class LimitsProperty : public ::testing::TestWithParam<uint32_t> {};

TEST_P(LimitsProperty, TheSumIsTheAgeAfterEveryEvent) {
  std::mt19937 rng(GetParam());
  const auto one_in = [&](uint32_t n) { return rng() % n == 0; };
  FakeNet net;
  net.os.seed(GetParam() + 1);
  net.all_links().loss_permille = rng() % 3 == 0 ? 0 : rng() % 100;
  net.all_links().jitter_ns = one_in(3) ? 3 * kMs : 0;
  net.all_links().ns_per_byte = one_in(2) ? 2000 : 0;
  Host& cli = net.add_host("cli", ip4(10, 0, 0, 1));
  Host& srv = net.add_host("srv", ip4(10, 0, 0, 2));
  Sock l = srv.listen(80);
  Sock c = cli.connect(srv.addr(), 80);
  c.conn().sndbuf = 1000 + rng() % 60000;
  if (one_in(3)) c.conn().max_pacing_rate = 100000 + rng() % 1000000;
  net.os.fail_randomly(Fault::Emit, one_in(2) ? 50 : 0);
  std::optional<Sock> s;
  std::set<uint32_t> seen;
  std::map<uint64_t, uint64_t> begun;  // of each end: when its age began, which must not move
  const auto check = [&](const Sock& x) {
    if (!x.exists() || x.state() == ATCP_STATE_CLOSED) return;
    const atcp_conn_info i = x.info();
    const Shares shares = shares_of(i);
    for (uint32_t k = 0; k < kLimitCount; k++)
      if (shares[k] != 0) seen.insert(k);
    if (i.state != ATCP_STATE_ESTABLISHED && i.age_us == 0) return;
    const uint64_t start = net.now() / 1000 - i.age_us;
    const auto [at, fresh] = begun.insert({x.conn().id, start});
    EXPECT_EQ(at->second, start);
    uint64_t states_ms = 0;
    for (const uint32_t ms : i.in_state_ms)
      states_ms += ms;
    EXPECT_LE(states_ms, (i.age_us + i.handshake_us) / 1000);
    EXPECT_GE(states_ms + 4, (i.age_us + i.handshake_us) / 1000);
  };
  for (int step = 0; step < 3000 && !::testing::Test::HasFailure(); step++) {
    if (!net.step(net.now() + 20 * kMs)) net.run(rng() % (20 * kMs));
    check(c);
    if (!s) s = l.accept();
    if (s) check(*s);
    if (one_in(3) && c.exists() && c.state() == ATCP_STATE_ESTABLISHED)
      c.send(std::string(1 + rng() % (one_in(2) ? 20000 : 100), 'x'), one_in(5));
    if (s && s->exists() && one_in(step / 500 % 2 == 0 ? 4 : 200)) s->recv(1 + rng() % 20000);
    if (s && s->exists() && one_in(50)) s->send(std::string("answer"));
    if (c.exists() && one_in(100)) c.set_option(kNodelay, static_cast<int32_t>(rng() % 2));
    if (c.exists() && one_in(100)) c.set_option(kCork, static_cast<int32_t>(rng() % 2));
    if (step == 2500 && c.exists()) c.shutdown();
    check(c);
    if (s) check(*s);
  }
  EXPECT_GE(seen.size(), 3u);
  for (const atcp_record& r : net.os.records)
    shares_of(r.info);
  net.os.fail_randomly(Fault::Emit, 0);
  net.close_all();
}

INSTANTIATE_TEST_SUITE_P(Seeds, LimitsProperty, ::testing::Range(0u, 40u));

/// The clock passes 2^32 us again and again while somebody looks without the lock: the age is never off by that much.
TEST(LifeCopy, IsNotTornWhereAWordIsCarried) {
  constexpr uint64_t kWord = uint64_t{1} << 32;
  constexpr uint64_t kStart = kWord - 1000;
  const Life fresh = [] {
    Life l = {};
    l.open(kStart);
    l.begin(true);
    return l;
  }();
  Life life = fresh;
  constexpr uint64_t kStep = kWord / 2 + 7;
  constexpr uint32_t kTurns = 100000;  // 48 bits have room for so many
  std::atomic<bool> begun = false;
  std::atomic<uint32_t> turns = 0;
  std::thread writer([&] {
    while (!begun)
      std::this_thread::yield();
    uint64_t us = kStart;
    Limit to = Limit::Cwnd;
    while (turns < kTurns) {
      // Of two steps one carries at least.
      us += kStep;
      life.switch_to(to, us);
      to = to == Limit::Cwnd ? Limit::Rwnd : Limit::Cwnd;
      turns++;
    }
  });
  uint64_t last = 0;
  uint32_t wrong = 0;
  uint32_t clean = 0;
  while (turns < kTurns || clean == 0) {
    begun = true;
    Life seen;
    if (!life.copy(&seen)) continue;
    clean++;
    // Not a moment after the last switch: the age is what was settled.
    const uint64_t age = seen.age_us(0);
    wrong += age < last || age % kStep != 0;
    last = age;
    uint64_t shares[kLimitCount];
    seen.shares(0, shares);
    wrong += std::accumulate(std::begin(shares), std::end(shares), uint64_t{0}) != age;
  }
  writer.join();
  EXPECT_EQ(wrong, 0u);
  Life seen;
  ASSERT_TRUE(life.copy(&seen));
  EXPECT_EQ(seen.age_us(0), kTurns * kStep);
}

/// Somebody who was interrupted in the middle of a change is not waited for.
TEST(LifeCopy, DoesNotWaitForever) {
  Life life = {};
  life.open(5);
  Life before = life;
  ASSERT_TRUE(life.copy(&before));
  // The count of changes is the one byte that the same change alters once more.
  life.open(5);
  auto* bytes = reinterpret_cast<uint8_t*>(&life);
  const auto* was = reinterpret_cast<const uint8_t*>(&before);
  size_t at = 0;
  while (at < sizeof(Life) && bytes[at] == was[at])
    at++;
  ASSERT_LT(at, sizeof(Life));
  bytes[at]++;
  Life seen;
  EXPECT_FALSE(life.copy(&seen));
  EXPECT_EQ(seen.opened_us(), 5u);
}

}  // namespace
}  // namespace atcp::test
