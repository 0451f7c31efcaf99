// SPDX-License-Identifier: GPL-2.0
//
// Tests of plot.h: points out of events and samples, CSV, and what gnuplot is told.
#include "plot.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <nlohmann/json.hpp>

namespace atcp::tool {
namespace {

Event window(uint64_t time_ns, uint32_t cwnd) {
  Event e;
  e.kind = ATCP_EVENT_KIND_CWND;
  e.time_ns = time_ns;
  e.cwnd = cwnd;
  e.ssthresh = 0x7fffffff;
  e.inflight = 4;
  e.srtt_us = 1500;
  return e;
}

Event again(uint64_t time_ns) {
  Event e;
  e.kind = ATCP_EVENT_KIND_RETRANSMIT;
  e.time_ns = time_ns;
  e.retransmit = ATCP_RETRANSMIT_KIND_FAST;
  return e;
}

Socket connection() {
  Socket s;
  s.conn = Connection();
  s.conn->cwnd = 20;
  s.conn->ssthresh = 7;
  s.conn->srtt_us = 2500;
  s.detail.numbers = {{ATCP_SOCKET_A_PACKETS_OUT, 10},
                      {ATCP_SOCKET_A_SACKED, 2},
                      {ATCP_SOCKET_A_LOST, 3},
                      {ATCP_SOCKET_A_RETRANS_OUT, 1}};
  return s;
}

/// Two seconds: an event, a sample, a retransmission.
std::vector<PlotPoint> three() {
  std::vector<PlotPoint> points;
  points.push_back(*plot_point(window(1'000'000'000, 10), points));
  points.push_back(*plot_point(connection(), 2'500'000'000));
  points.push_back(*plot_point(again(3'000'000'000), points));
  return points;
}

TEST(PlotPoint, InFlightIsWhatTheKernelCallsSo) {
  PlotPoint p = *plot_point(connection(), 5);
  EXPECT_EQ(p.inflight, 10u - 2 - 3 + 1);
  EXPECT_EQ(p.from, "sample");
  EXPECT_EQ(p.time_ns, 5u);
}

TEST(PlotPoint, WhatIsNoConnectionHasNone) {
  EXPECT_FALSE(plot_point(Socket(), 1));
  EXPECT_FALSE(plot_point(Event(), three()));
}

TEST(PlotPoint, ARetransmissionStandsWhereTheWindowWas) {
  EXPECT_FALSE(plot_point(again(1), {}));
  PlotPoint p = *plot_point(again(9), three());
  EXPECT_EQ(p.from, "fast");
  EXPECT_EQ(p.cwnd, 20u);
  EXPECT_EQ(p.time_ns, 9u);
}

TEST(PlotData, CsvCountsSecondsFromTheFirst) {
  EXPECT_EQ(plot_csv(three()),
            "seconds,from,cwnd,ssthresh,inflight,srtt_us\n"
            "0.000000,event,10,,4,1500\n"
            "1.500000,sample,20,7,6,2500\n"
            "2.000000,fast,20,7,6,2500\n");
  EXPECT_EQ(plot_csv({}), "seconds,from,cwnd,ssthresh,inflight,srtt_us\n");
}

TEST(PlotData, JsonLeavesOutAThresholdThatWasNeverSet) {
  Json j = plot_json(three());
  EXPECT_EQ(j[0].dump(),
            R"({"time_ns":1000000000,"from":"event","cwnd":10,"inflight":4,"srtt_us":1500})");
  EXPECT_EQ(j[1]["ssthresh"], 7);
}

TEST(PlotData, SortedByTime) {
  std::vector<PlotPoint> points = three();
  std::swap(points[0], points[2]);
  sort_points(points);
  EXPECT_EQ(plot_csv(points), plot_csv(three()));
}

TEST(PlotFormat, ByTheEndingOfTheName) {
  EXPECT_EQ(plot_format("a/b.svg"), "svg");
  EXPECT_EQ(plot_format("b.png"), "png");
  for (const char* wrong : {"b.jpg", "svg", ""})
    EXPECT_THROW(plot_format(wrong), Error) << wrong;
}

TEST(GnuplotScript, HasTheDataAndTheFile) {
  std::string s = gnuplot_script(three(), "it's.svg", "a > b");
  EXPECT_NE(s.find("$windows << EOD\n0.000000 10 4 NaN\n1.500000 20 6 7\n2.000000 20 6 7\nEOD\n"),
            std::string::npos)
      << s;
  EXPECT_NE(s.find("$rtt << EOD\n0.000000 1.500\n1.500000 2.500\n2.000000 2.500\nEOD\n"),
            std::string::npos)
      << s;
  EXPECT_NE(s.find("$again << EOD\n2.000000 20\nEOD\n"), std::string::npos) << s;
  EXPECT_NE(s.find("set output 'it''s.svg'\n"), std::string::npos) << s;
  EXPECT_NE(s.find("set terminal svg"), std::string::npos) << s;
  EXPECT_NE(gnuplot_script(three(), "x.png", "").find("set terminal pngcairo"), std::string::npos);
}

TEST(GnuplotScript, WithoutRetransmissionsThereIsNoBlockForThem) {
  std::vector<PlotPoint> points = three();
  points.pop_back();
  EXPECT_EQ(gnuplot_script(points, "x.svg", "").find("$again"), std::string::npos);
}

}  // namespace
}  // namespace atcp::tool
