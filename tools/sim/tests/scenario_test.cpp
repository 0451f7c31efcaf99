// SPDX-License-Identifier: GPL-2.0
//
// Scenarios as text: what is understood, and that a mistake is refused with its place.
#include "scenario.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace atcp::sim {
namespace {

std::string error_of(const std::string& json) {
  try {
    parse_scenario(json, ".");
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

TEST(Scenario, Quantities) {
  EXPECT_EQ(parse_time("20ms"), 20 * kMs);
  EXPECT_EQ(parse_time("1.5s"), 1500 * kMs);
  EXPECT_EQ(parse_time("2"), 2 * kSec);
  EXPECT_EQ(parse_rate("10mbit"), 10000000u);
  EXPECT_EQ(parse_rate("2.5gbit"), 2500000000u);
  EXPECT_THROW(parse_time("5m"), std::runtime_error);
  EXPECT_THROW(parse_time("-1s"), std::runtime_error);
  EXPECT_THROW(parse_rate("fast"), std::runtime_error);
  QueueConfig q;
  parse_buffer("64k", &q);
  EXPECT_EQ(q.limit_bytes, 64000u);
  parse_buffer("100p", &q);
  EXPECT_EQ(q.limit_packets, 100u);
  parse_buffer("1.5bdp", &q);
  EXPECT_EQ(q.limit_bdp, 1.5);
}

TEST(Scenario, LinksHaveTwoDirections) {
  const Scenario s = parse_scenario(
      R"({"hosts": ["a", {"name": "b", "gro": "50us"}], "params": {"sack": 0},
          "links": [{"from": "a", "to": "b", "rate": "1mbit", "delay": "3ms", "buffer": "9p", "loss": 0.5,
                     "queue": {"type": "codel", "target": "2ms"}, "reverse": {"delay": "4ms"}}],
          "flows": [{"from": "a", "to": "b", "count": 3, "app": {"type": "requests", "count": 7}}]})",
      ".");
  ASSERT_EQ(s.hosts.size(), 2u);
  EXPECT_EQ(s.hosts[1].gro, 50 * kUs);
  EXPECT_EQ(s.hosts[1].params.at("sack"), "0");
  ASSERT_EQ(s.links.size(), 2u);
  EXPECT_EQ(s.links[0].queue.kind, QueueConfig::Kind::CoDel);
  EXPECT_EQ(s.links[0].queue.limit_packets, 9u);
  EXPECT_EQ(s.links[0].queue.target, 2 * kMs);
  ASSERT_EQ(s.links[0].losses.size(), 1u);
  EXPECT_EQ(s.links[0].losses[0].p, 0.5);
  EXPECT_EQ(s.links[1].from, "b");
  EXPECT_EQ(s.links[1].rate, 1000000u);
  EXPECT_EQ(s.links[1].delay, 4 * kMs);
  EXPECT_TRUE(s.links[1].losses.empty());
  EXPECT_EQ(s.flows.at(0).app.count, 7u);
}

TEST(Scenario, MistakesHaveAPlace) {
  EXPECT_EQ(error_of(R"({"sed": 1})"), "scenario: sed is not known");
  EXPECT_EQ(error_of(R"({"links": [{"from": "a"}]})"), "scenario.links[0]: to is missing");
  EXPECT_EQ(error_of(R"({"links": {"from": "a", "to": "b", "duplicate": 2}})"),
            "scenario.links.duplicate: more than 1");
  EXPECT_EQ(error_of(R"({"flows": [{"from": "a", "to": "b", "app": {"type": "mail"}}]})"),
            "scenario.flows[0].app.type: 'mail' is not known");
}

TEST(Scenario, TheCoreNamesTheAlgorithms) {
  const std::vector<std::string> names = algorithms();
  EXPECT_NE(std::find(names.begin(), names.end(), "reno"), names.end());
  EXPECT_NE(std::find(names.begin(), names.end(), "cubic"), names.end());
}

}  // namespace
}  // namespace atcp::sim
