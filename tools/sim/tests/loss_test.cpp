// SPDX-License-Identifier: GPL-2.0
//
// Models of loss: their rates, their bursts, whom they spare, and the text of traces.
#include "loss.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace atcp::sim {
namespace {

Packet data() {
  Packet p = {};
  p.len = 1000;
  p.hdr[13] = ATCP_ACK;
  return p;
}

Packet ack() {
  Packet p = {};
  p.hdr[13] = ATCP_ACK;
  return p;
}

double rate(Loss& l, int n) {
  const Packet p = data();
  int lost = 0;
  for (int i = 0; i < n; i++)
    lost += l.lost(p, kEpoch) ? 1 : 0;
  return static_cast<double>(lost) / n;
}

TEST(Loss, Bernoulli) {
  LossConfig c;
  c.p = 0.01;
  EXPECT_NEAR(rate(*Loss::make(c, Random(7)), 1000000), 0.01, 0.0005);
}

TEST(Loss, GilbertElliottRateAndBursts) {
  LossConfig c;
  c.kind = LossConfig::Kind::GilbertElliott;
  c.p = 0.01;
  c.r = 0.25;
  auto l = Loss::make(c, Random(3));
  const Packet p = data();
  int lost = 0, bursts = 0;
  bool before = false;
  constexpr int kPackets = 1000000;
  for (int i = 0; i < kPackets; i++) {
    const bool now = l->lost(p, kEpoch);
    lost += now ? 1 : 0;
    bursts += now && !before ? 1 : 0;
    before = now;
  }
  EXPECT_NEAR(static_cast<double>(lost) / kPackets, 0.01 / (0.01 + 0.25), 0.002);
  EXPECT_NEAR(static_cast<double>(lost) / bursts, 1 / 0.25, 0.1);
}

TEST(Loss, PeriodicIsExact) {
  LossConfig c;
  c.kind = LossConfig::Kind::Periodic;
  c.every = 4;
  auto l = Loss::make(c, Random());
  const Packet p = data();
  std::string s;
  for (int i = 0; i < 9; i++)
    s += l->lost(p, kEpoch) ? '1' : '0';
  EXPECT_EQ(s, "000100010");
}

TEST(Loss, RangeAndWhoIsSpared) {
  LossConfig c;
  c.kind = LossConfig::Kind::Range;
  c.only = LossConfig::Only::Data;
  c.after = 1 * kSec;
  c.first = 1;
  c.count = 2;
  auto l = Loss::make(c, Random());
  EXPECT_FALSE(l->lost(data(), kEpoch));  // too early, and not counted
  EXPECT_FALSE(l->lost(data(), kEpoch + kSec));
  EXPECT_FALSE(l->lost(ack(), kEpoch + kSec));
  EXPECT_TRUE(l->lost(data(), kEpoch + kSec));
  EXPECT_FALSE(l->lost(ack(), kEpoch + kSec));
  EXPECT_TRUE(l->lost(data(), kEpoch + kSec));
  EXPECT_FALSE(l->lost(data(), kEpoch + kSec));
}

TEST(Loss, OnlyAcks) {
  LossConfig c;
  c.only = LossConfig::Only::Acks;
  c.p = 1;
  auto l = Loss::make(c, Random());
  EXPECT_FALSE(l->lost(data(), kEpoch));
  EXPECT_TRUE(l->lost(ack(), kEpoch));
  Packet syn = ack();
  syn.hdr[13] = ATCP_SYN | ATCP_ACK;
  EXPECT_FALSE(l->lost(syn, kEpoch));
}

TEST(Loss, TraceRepeats) {
  LossConfig c;
  c.kind = LossConfig::Kind::Trace;
  c.lost = parse_loss_trace("# a comment: 111\n01\n 0\n");
  auto l = Loss::make(c, Random());
  const Packet p = data();
  std::string s;
  for (int i = 0; i < 7; i++)
    s += l->lost(p, kEpoch) ? '1' : '0';
  EXPECT_EQ(s, "0100100");
}

TEST(Loss, BadTracesAreRefused) {
  EXPECT_THROW(parse_loss_trace("012"), std::runtime_error);
  EXPECT_THROW(parse_loss_trace("# nothing\n"), std::runtime_error);
}

}  // namespace
}  // namespace atcp::sim
