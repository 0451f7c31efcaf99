// SPDX-License-Identifier: GPL-2.0
//
// Whole runs: the same seed gives the same bytes, captures are read by tcpdump, applications get what they asked for,
// and each thing that a link can do is survived by a transfer.
#include "sim.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "report.h"
#include "trace.h"

namespace atcp::sim {
namespace {

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string output_of(const std::string& command) {
  std::string out;
  FILE* p = popen(command.c_str(), "r");
  if (p == nullptr) return out;
  char buf[4096];
  size_t n;
  while ((n = fread(buf, 1, sizeof buf, p)) > 0)
    out.append(buf, n);
  pclose(p);
  return out;
}

/// A link of 10 Mbit/s and 20 ms, and one flow.
Scenario basic() {
  LinkConfig l;
  l.rate = 10000000;
  l.delay = 10 * kMs;
  l.queue.limit_packets = 50;
  Scenario s = two_hosts(l);
  FlowConfig f;
  f.from = "a";
  f.to = "b";
  s.flows.push_back(f);
  s.duration = 5 * kSec;
  return s;
}

Scenario transfer(uint64_t bytes) {
  Scenario s = basic();
  s.flows[0].app.bytes = bytes;
  s.duration = 60 * kSec;
  return s;
}

/// All of a scenario's flows end with what they were to deliver.
void expect_delivered(const Scenario& s) {
  Simulation sim(s);
  const Result r = sim.run();
  for (const FlowResult& f : r.flows) {
    EXPECT_EQ(f.delivered, s.flows[0].app.bytes);
    EXPECT_GT(f.end_s, 0) << report(r, 10, false);
    EXPECT_FALSE(f.failed);
  }
}

TEST(Sim, FillsTheLink) {
  Simulation sim(basic());
  const Result r = sim.run();
  EXPECT_GT(r.links[0].utilisation, 0.9);
  EXPECT_LE(r.links[0].utilisation, 1.0);
  EXPECT_GT(r.goodput_bps, 9e6 * 1448 / 1500);
}

TEST(Sim, SameSeedSameBytes) {
  std::string csv[3], links[3], pcap[3], text[3];
  for (int i = 0; i < 3; i++) {
    Scenario s = basic();
    s.seed = i < 2 ? 42 : 43;
    s.flows[0].count = 3;
    s.flows[0].app.kind = AppConfig::Kind::OnOff;
    s.flows[0].app.on = s.flows[0].app.off = 0.3;
    LossConfig loss;
    loss.p = 0.01;
    s.links[0].losses.push_back(loss);
    s.links[0].reorder = 0.01;
    s.links[0].reorder_extra = 5 * kMs;
    s.links[1].jitter = 2 * kMs;
    s.output.csv = testing::TempDir() + "atcp-sim-det";
    s.output.pcap = s.output.csv + ".pcap";
    {
      Simulation sim(s);
      CsvTrace trace(sim, s.output);
      text[i] = report(sim.run(), 10, false);
    }
    csv[i] = read(s.output.csv + "-flows.csv");
    links[i] = read(s.output.csv + "-links.csv");
    pcap[i] = read(s.output.pcap);
    EXPECT_GT(csv[i].size(), 10000u);
    EXPECT_GT(pcap[i].size(), 10000u);
  }
  EXPECT_EQ(csv[0], csv[1]);
  EXPECT_EQ(links[0], links[1]);
  EXPECT_EQ(text[0], text[1]);
  EXPECT_TRUE(pcap[0] == pcap[1]);
  EXPECT_TRUE(pcap[0] != pcap[2]) << "another seed, another run";
}

TEST(Sim, TcpdumpReadsTheCapture) {
  if (system("command -v tcpdump >/dev/null") != 0) GTEST_SKIP() << "tcpdump is not installed";
  Scenario s = transfer(20000);
  s.output.pcap = testing::TempDir() + "atcp-sim.pcap";
  { Simulation(s).run(); }
  const std::string text = output_of("tcpdump -nvr " + s.output.pcap + " 2>&1");
  EXPECT_NE(text.find("10.0.0.2.5001: Flags [S], cksum 0x"), std::string::npos) << text;
  EXPECT_NE(text.find("length 1448"), std::string::npos) << text;
  EXPECT_NE(text.find("Flags [F"), std::string::npos) << text;
  EXPECT_EQ(text.find("incorrect"), std::string::npos) << text;
  EXPECT_EQ(text.find("bad cksum"), std::string::npos) << text;
  EXPECT_EQ(text.find("truncated"), std::string::npos) << text;
  EXPECT_NE(text.find("(correct)"), std::string::npos) << text;
}

TEST(Sim, GnuplotDrawsTheSeries) {
  if (system("command -v gnuplot >/dev/null") != 0) GTEST_SKIP() << "gnuplot is not installed";
  Scenario s = basic();
  s.flows[0].count = 2;
  s.output.csv = testing::TempDir() + "atcp-sim-plot";
  s.output.plot = s.output.csv + ".svg";
  {
    Simulation sim(s);
    CsvTrace trace(sim, s.output);
    sim.run();
  }
  plot(s, s.output.csv, s.output.plot);
  const std::string svg = read(s.output.plot);
  EXPECT_NE(svg.find("</svg>"), std::string::npos);
  EXPECT_NE(svg.find("cwnd (segments)"), std::string::npos);
  EXPECT_NE(svg.find("a>b<"), std::string::npos) << "the queue of the link";
}

TEST(Sim, EveryExampleRuns) {
  int n = 0;
  for (const auto& e : std::filesystem::directory_iterator("tools/sim/scenarios")) {
    if (e.path().extension() != ".json") continue;
    SCOPED_TRACE(e.path());
    n++;
    Scenario s = load_scenario(e.path());
    s.duration = std::min<Nanos>(s.duration, 10 * kSec);
    s.warmup = 0;
    s.output = {};
    Simulation sim(s);
    EXPECT_GT(sim.run().goodput_bps, 0);
  }
  EXPECT_GT(n, 3);
}

TEST(Sim, BulkEndsWithTheLastByte) {
  expect_delivered(transfer(3000000));
}

TEST(Sim, TransfersSurviveWhatLinksDo) {
  for (int what = 0; what < 6; what++) {
    SCOPED_TRACE(what);
    Scenario s = transfer(1000000);
    LossConfig loss;
    switch (what) {
      case 0:
        loss.kind = LossConfig::Kind::GilbertElliott;
        loss.p = 0.005;
        loss.r = 0.3;
        s.links[0].losses.push_back(loss);
        break;
      case 1:
        s.links[0].reorder = 0.1;
        s.links[0].reorder_extra = 15 * kMs;
        break;
      case 2:
        s.links[0].duplicate = s.links[1].duplicate = 0.1;
        break;
      case 3:
        loss.p = 0.3;
        loss.only = LossConfig::Only::Acks;
        s.links[1].losses.push_back(loss);
        break;
      case 4:
        s.links[1].ack_compress = 15 * kMs;
        break;
      default:
        s.links[0].queue.kind = QueueConfig::Kind::Red;
    }
    expect_delivered(s);
  }
}

TEST(Sim, ImpairmentsAreCounted) {
  Scenario s = basic();
  s.links[0].duplicate = 0.05;
  s.links[0].reorder = 0.05;
  s.links[0].reorder_extra = 3 * kMs;
  LossConfig loss;
  loss.p = 0.01;
  s.links[0].losses.push_back(loss);
  Simulation sim(s);
  const Result r = sim.run();
  const auto n = static_cast<double>(r.links[0].queue.arrived);
  EXPECT_NEAR(static_cast<double>(r.links[0].link.lost) / n, 0.01, 0.005);
  EXPECT_NEAR(static_cast<double>(r.links[0].link.duplicated) / n, 0.05, 0.01);
  EXPECT_NEAR(static_cast<double>(r.links[0].link.reordered) / n, 0.05, 0.01);
}

TEST(Sim, RequestsAreAnsweredOneAfterTheOther) {
  Scenario s = basic();
  s.flows[0].app.kind = AppConfig::Kind::Requests;
  s.flows[0].app.count = 20;
  s.flows[0].app.response = 10000;
  Simulation sim(s);
  const Result r = sim.run();
  ASSERT_EQ(r.flows[0].latencies.size(), 20u);
  EXPECT_EQ(r.flows[0].delivered, 200000u);
  EXPECT_GT(r.flows[0].end_s, 0);
  // A round trip, and 10 KB at 10 Mbit/s.
  EXPECT_NEAR(quantile(r.flows[0].latencies, 0.5), 0.020 + 0.0083, 0.002);
}

TEST(Sim, OnOffIsSilentForAsLongAsItSays) {
  Scenario s = basic();
  s.duration = 100 * kSec;
  s.flows[0].app.kind = AppConfig::Kind::OnOff;
  s.flows[0].app.on = s.flows[0].app.off = 1;
  Simulation sim(s);
  const Result r = sim.run();
  EXPECT_NEAR(r.links[0].utilisation, 0.5, 0.15);
}

TEST(Sim, GroMergesWhatArrivesTogether) {
  uint64_t segs[2];
  for (int i = 0; i < 2; i++) {
    Scenario s = transfer(3000000);
    s.links[0].rate = s.links[1].rate = 1000000000;
    s.hosts[1].gro = i == 0 ? 0 : 100 * kUs;
    Simulation sim(s);
    const Result r = sim.run();
    EXPECT_EQ(r.flows[0].delivered, 3000000u);
    segs[i] = r.links[1].queue.sent;  // ACKs
  }
  EXPECT_LT(segs[1], segs[0] * 2 / 3) << "fewer arrivals, fewer ACKs";
}

TEST(Sim, RoutersPassOnAndHostsDoNot) {
  const std::string text =
      R"({"duration": 3, "hosts": ["a", "b", "c"],
          "links": [{"from": "a", "to": "r", "rate": "1gbit"}, {"from": "c", "to": "r", "rate": "1gbit"},
                    {"from": "r", "to": "s", "rate": "10mbit", "delay": "5ms", "buffer": "2bdp"},
                    {"from": "s", "to": "b", "rate": "1gbit"}],
          "flows": [{"from": "a", "to": "b"}, {"from": "c", "to": "b"}]})";
  {
    Simulation sim(parse_scenario(text, "."));
    EXPECT_EQ(sim.bdp(4), 12500u);
    const Result r = sim.run();
    EXPECT_GT(r.links[4].utilisation, 0.9);
    EXPECT_GT(r.flows[0].delivered, 0u);
    EXPECT_GT(r.flows[1].delivered, 0u);
  }
  EXPECT_THROW(Simulation(parse_scenario(R"({"hosts": ["a", "b", "c"],
      "links": [{"from": "a", "to": "c"}, {"from": "c", "to": "b"}], "flows": [{"from": "a", "to": "b"}]})",
                                         ".")),
               std::runtime_error);
}

TEST(Sim, UnknownNamesAreRefused) {
  Scenario s = basic();
  s.hosts[0].params["no_such"] = "1";
  EXPECT_THROW(Simulation{s}, std::runtime_error);
  s = basic();
  s.flows[0].cc = "no_such";
  EXPECT_THROW(Simulation(s).run(), std::runtime_error);
}

TEST(Sim, NothingIsLeftBehind) {
  Simulation sim(transfer(100000));
  sim.run();
  EXPECT_EQ(sim.world().pool.live(), 0u) << "packets";
}

TEST(Jain, Index) {
  EXPECT_DOUBLE_EQ(jain_index({1, 1, 1, 1}), 1);
  EXPECT_DOUBLE_EQ(jain_index({1, 0, 0, 0}), 0.25);
}

}  // namespace
}  // namespace atcp::sim
