// SPDX-License-Identifier: GPL-2.0
//
// Time series as CSV: what each flow's sender thinks, and how full each queue is; and a plot of them by gnuplot.
#ifndef ATCP_SIM_TRACE_H
#define ATCP_SIM_TRACE_H

#include <cstdio>
#include <string>

#include "sim.h"

namespace atcp::sim {

/// PREFIX-flows.csv and PREFIX-links.csv, a row for each flow (link) and sample.
class CsvTrace {
 public:
  /// Before sim.run(). std::runtime_error if a file cannot be written.
  CsvTrace(Simulation& sim, const OutputConfig& output);
  ~CsvTrace();
  CsvTrace(const CsvTrace&) = delete;
  CsvTrace& operator=(const CsvTrace&) = delete;

 private:
  void sample(Nanos t);

  Simulation& sim_;
  const size_t flows_;
  FILE* flow_file_;
  FILE* link_file_ = nullptr;
};

/// Runs gnuplot over the CSV files of prefix: congestion windows, round-trip times, queues. The commands stay beside the
/// picture, as SVG.gp. std::runtime_error if gnuplot is not there or fails.
void plot(const Scenario& scenario, const std::string& prefix, const std::string& svg);
/// Runs gnuplot over commands, which are kept in file.
void run_gnuplot(const std::string& commands, const std::string& file);

}  // namespace atcp::sim

#endif  // ATCP_SIM_TRACE_H
