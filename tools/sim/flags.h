// SPDX-License-Identifier: GPL-2.0
//
// The flags of atcp-sim and the scenario that they describe: two hosts and a link between them, or a file and what is
// to be different.
#ifndef ATCP_SIM_FLAGS_H
#define ATCP_SIM_FLAGS_H

#include <string>
#include <vector>

#include "scenario.h"

namespace atcp::sim {

/// Values as they were typed; empty or 0: not given.
struct Flags {
  std::string file;
  std::string rate = "100mbit", delay = "20ms", buffer = "1bdp", queue = "drop-tail", cc,
              mark = "0";
  std::string duration, warmup, interval, csv, pcap, plot, gro;
  double loss = 0, reorder = 0, duplicate = 0, ack_loss = 0;
  std::vector<double> gilbert;
  std::string loss_trace, ack_compress = "0";
  std::string app = "bulk", bytes;
  uint32_t flows = 1;
  std::string stagger = "0";
  uint64_t seed = 0;
  std::vector<std::string> params;
  size_t rows = 16;
  bool progress = false;
  bool algorithms = false;
  bool print = false;
  std::string claims, docs, only;
};

/// The flags in the words of a scenario (JSON), so that both are understood and refused by the same code.
std::string describe(const Flags& f);
/// What is to be run. std::runtime_error as from load_scenario(), or for flags that do not go together.
Scenario make_scenario(const Flags& f);

}  // namespace atcp::sim

#endif  // ATCP_SIM_FLAGS_H
