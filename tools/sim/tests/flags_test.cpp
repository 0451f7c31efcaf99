// SPDX-License-Identifier: GPL-2.0
//
// What the flags of atcp-sim mean as a scenario.
#include "flags.h"

#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>

namespace atcp::sim {
namespace {

TEST(Flags, DescribeALinkBetweenTwoHosts) {
  Flags f;
  f.rate = "5mbit";
  f.delay = "7ms";
  f.buffer = "30p";
  f.queue = "codel";
  f.loss = 0.25;
  f.gilbert = {0.01, 0.5};
  f.ack_loss = 0.125;
  f.ack_compress = "3ms";
  f.flows = 4;
  f.cc = "reno";
  f.duration = "3s";
  f.params = {"sack=0"};
  const Scenario s = make_scenario(f);
  ASSERT_EQ(s.links.size(), 2u);
  EXPECT_EQ(s.links[0].rate, 5000000u);
  EXPECT_EQ(s.links[1].rate, 5000000u);
  EXPECT_EQ(s.links[1].delay, 7 * kMs);
  EXPECT_EQ(s.links[0].queue.limit_packets, 30u);
  EXPECT_EQ(s.links[0].queue.kind, QueueConfig::Kind::CoDel);
  ASSERT_EQ(s.links[0].losses.size(), 2u);
  EXPECT_EQ(s.links[0].losses[0].p, 0.25);
  EXPECT_EQ(s.links[0].losses[1].kind, LossConfig::Kind::GilbertElliott);
  EXPECT_EQ(s.links[0].losses[1].r, 0.5);
  ASSERT_EQ(s.links[1].losses.size(), 1u);
  EXPECT_EQ(s.links[1].losses[0].only, LossConfig::Only::Acks);
  EXPECT_EQ(s.links[1].losses[0].p, 0.125);
  EXPECT_EQ(s.links[1].ack_compress, 3 * kMs);
  ASSERT_EQ(s.flows.size(), 1u);
  EXPECT_EQ(s.flows[0].count, 4u);
  EXPECT_EQ(s.flows[0].cc, "reno");
  EXPECT_EQ(s.duration, 3 * kSec);
  EXPECT_EQ(s.hosts.at(1).params.at("sack"), "0");
}

TEST(Flags, ApplicationsAndTraces) {
  Flags f;
  f.app = "requests";
  f.bytes = "20k";
  f.loss_trace = testing::TempDir() + "atcp-sim-trace";
  std::ofstream(f.loss_trace) << "001";
  Scenario s = make_scenario(f);
  EXPECT_EQ(s.flows[0].app.kind, AppConfig::Kind::Requests);
  EXPECT_EQ(s.flows[0].app.response, 20000u);
  EXPECT_EQ(s.links[0].losses.at(0).lost, (std::vector<bool>{false, false, true}));
  f.app = "bulk";
  EXPECT_EQ(make_scenario(f).flows[0].app.bytes, 20000u);
}

TEST(Flags, WhatDoesNotGoTogetherIsRefused) {
  Flags f;
  f.plot = "x.svg";
  EXPECT_THROW(make_scenario(f), std::runtime_error);
  f = {};
  f.params = {"sack"};
  EXPECT_THROW(make_scenario(f), std::runtime_error);
  f = {};
  f.queue = "fifo";
  EXPECT_THROW(make_scenario(f), std::runtime_error);
  f = {};
  f.interval = "0";
  EXPECT_THROW(make_scenario(f), std::runtime_error);
}

}  // namespace
}  // namespace atcp::sim
