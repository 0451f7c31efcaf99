// SPDX-License-Identifier: GPL-2.0
//
// Tests of a frame of `atcp top`.
#include "top.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <algorithm>

#include "json.h"

namespace atcp::tool {
namespace {

class TopFrame : public ::testing::Test {
 protected:
  TopFrame() {
    now.at_us = 2'000'000;
    Listener l;
    l.id = 1;
    l.inode = 7;
    l.local = {{0, 0, 0, 0}, 80};
    l.backlog = 128;
    Listener busy = l;
    busy.id = 2;
    busy.local.port = 8080;
    before.listeners = {l, busy};
    busy.accept_queue = 129;
    busy.syns = 100;
    busy.syn_drops = 60;
    now.listeners = {l, busy};
    Socket s;
    s.id = 3;
    s.kind = ATCP_KIND_CONN;
    s.state = ATCP_STATE_ESTABLISHED;
    s.local = {{10, 0, 0, 1}, 8080};
    s.peer = {{10, 0, 0, 2}, 40000};
    s.conn = Connection();
    before.sockets = {s};
    s.conn->bytes_acked = 4096;
    now.sockets = {s};
    now.reasons = {{1, "normal_close", 4, ""}, {2, "paws", 10, "old timestamp"}};
    now.programs.add(7, {12, "httpd", 3});
  }

  std::string frame(size_t rows = 0, size_t columns = 0) {
    return top_frame(Change(before, now), rows, columns);
  }

  Sample before, now;
};

TEST_F(TopFrame, TroubleFirst) {
  std::string text = frame();
  size_t busy = text.find("0.0.0.0:8080"), idle = text.find("0.0.0.0:80 ");
  ASSERT_NE(busy, std::string::npos) << text;
  ASSERT_NE(idle, std::string::npos) << text;
  EXPECT_LT(busy, idle);
  for (const char* part : {"2 listeners, 1 sockets (1 established)", "129", "50", "30", "2.0K",
                           "httpd[12]", "paws", "old timestamp"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in:\n" << text;
  EXPECT_EQ(text.find("normal_close"), std::string::npos);
}

TEST_F(TopFrame, IsCutToTheTerminal) {
  std::string text = frame(3, 20);
  EXPECT_EQ(std::ranges::count(text, '\n'), 3);
  EXPECT_EQ(text.find('\n'), 20u);
}

TEST_F(TopFrame, AsJsonItIsWhole) {
  now.counters = {{"InSegs", 30, ""}, {"OutSegs", 10, ""}};
  before.counters = {{"InSegs", 10, ""}, {"OutSegs", 10, ""}};
  Json j = top_json(Change(before, now));
  EXPECT_EQ(j["seconds"], 2.0);
  EXPECT_EQ(j["per_second"], Json({{"InSegs", 10.0}}));
  ASSERT_EQ(j["listeners"].size(), 2u);
  EXPECT_EQ(j["listeners"][0]["local_port"], 8080);
  EXPECT_EQ(j["listeners"][0]["programs"][0]["name"], "httpd");
  EXPECT_EQ(j["listeners"][0]["per_second"],
            Json({{"syns", 50.0}, {"accepted", 0.0}, {"refused", 30.0}, {"cookies", 0.0}}));
  ASSERT_EQ(j["connections"].size(), 1u);
  EXPECT_EQ(j["connections"][0]["peer_port"], 40000);
  EXPECT_EQ(j["connections"][0]["per_second"],
            Json({{"bytes_acked", 2048.0}, {"bytes_received", 0.0}, {"retrans", 0.0}}));
  ASSERT_EQ(j["reasons"].size(), 1u);
  EXPECT_EQ(j["reasons"][0]["name"], "paws");
  EXPECT_EQ(j["reasons"][0]["per_second"], 5.0);
}

TEST_F(TopFrame, OfNothingIsItsHead) {
  before = now = Sample();
  EXPECT_EQ(std::ranges::count(frame(), '\n'), 2);
}

}  // namespace
}  // namespace atcp::tool
