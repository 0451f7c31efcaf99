// SPDX-License-Identifier: GPL-2.0
//
// Sampling a simulation into CSV files, and drawing them.
#include "trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace atcp::sim {

namespace {

FILE* create(const std::string& path) {
  FILE* f = fopen(path.c_str(), "w");
  if (f == nullptr) throw std::runtime_error("cannot write " + path);
  return f;
}

constexpr uint32_t kNoThreshold = 0x7fffffff;

}  // namespace

CsvTrace::CsvTrace(Simulation& sim, const OutputConfig& output)
    : sim_(sim),
      flows_(std::min<size_t>(sim.flows(), output.flows)),
      flow_file_(create(output.csv + "-flows.csv")) {
  link_file_ = create(output.csv + "-links.csv");
  fmt::print(flow_file_,
             "time_s,flow,cwnd,ssthresh,srtt_us,rto_us,inflight,pacing_bps,delivered,retrans\n");
  fmt::print(link_file_, "time_s,link,queue_bytes,queue_packets,sent,dropped,marked,lost\n");
  sim.every(output.interval, [this](Nanos t) { sample(t); });
}

CsvTrace::~CsvTrace() {
  fclose(flow_file_);
  if (link_file_ != nullptr) fclose(link_file_);
}

void CsvTrace::sample(Nanos t) {
  const double at = static_cast<double>(t) / 1e9;
  for (size_t i = 0; i < flows_; i++) {
    Flow& f = sim_.flow(i);
    const Conn* c = f.sender();
    if (c == nullptr) continue;
    const atcp_conn_info& n = f.info();
    const uint32_t in_flight = n.packets_out - n.sacked - n.lost + n.retrans_out;
    // Not known yet: an empty field.
    const std::string ssthresh = n.ssthresh >= kNoThreshold ? "" : fmt::format("{}", n.ssthresh);
    fmt::print(flow_file_, "{:.6f},{},{},{},{},{},{},{},{},{}\n", at, f.id(), n.cwnd, ssthresh,
               n.srtt_us, n.rto_us, in_flight, c->pacing_rate * 8, f.delivered(), n.total_retrans);
  }
  for (const auto& l : sim_.network().links()) {
    if (l->config().rate == 0) continue;
    const QueueStats& q = l->queue().stats();
    fmt::print(link_file_, "{:.6f},{}>{},{},{},{},{},{},{}\n", at, l->config().from, l->config().to,
               l->queue().bytes(), l->queue().packets(), q.sent, q.dropped + q.dropped_early,
               q.marked, l->stats().lost);
  }
}

void run_gnuplot(const std::string& commands, const std::string& file) {
  {
    std::ofstream out(file);
    out << commands;
    if (!out.flush()) throw std::runtime_error("cannot write " + file);
  }
  const std::string quoted = "gnuplot '" + file + "'";
  if (file.find('\'') != std::string::npos || std::system(quoted.c_str()) != 0)
    throw std::runtime_error("gnuplot failed over " + file);
}

void plot(const Scenario& scenario, const std::string& prefix, const std::string& svg) {
  uint32_t flows = 0;
  for (const FlowConfig& f : scenario.flows)
    flows += f.count;
  flows = std::min(flows, scenario.output.flows);
  std::string gp = fmt::format(
      "set terminal svg size 900,900 background 'white'\nset output '{}'\n"
      "set datafile separator ','\nset key outside right\nset grid\n"
      "set multiplot layout 3,1 title '{}'\nset xrange [0:{}]\n",
      svg, scenario.name, static_cast<double>(scenario.duration) / 1e9);
  const auto panel = [&](const char* label, int column, const char* scale) {
    gp += fmt::format("set ylabel '{}'\nplot ", label);
    for (uint32_t i = 0; i < flows; i++)
      gp += fmt::format("{}'{}-flows.csv' using ($2=={}?$1:NaN):(${}{}) with lines title '{}'",
                        i == 0 ? "" : ", ", prefix, i, column, scale, i);
    gp += "\n";
  };
  panel("cwnd (segments)", 3, "");
  panel("srtt (ms)", 5, "/1000");
  gp += "set ylabel 'queue (KB)'\nset xlabel 'seconds'\nplot ";
  bool first = true;
  for (const LinkConfig& l : scenario.links) {
    if (l.rate == 0) continue;
    gp += fmt::format(
        "{}'{}-links.csv' using (strcol(2) eq '{}>{}'?$1:NaN):($3/1000) with lines title '{}>{}'",
        first ? "" : ", ", prefix, l.from, l.to, l.from, l.to);
    first = false;
  }
  if (first) gp += "0 notitle";
  gp += "\nunset multiplot\n";
  run_gnuplot(gp, svg + ".gp");
}

}  // namespace atcp::sim
