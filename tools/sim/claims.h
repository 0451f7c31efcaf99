// SPDX-License-Identifier: GPL-2.0
//
// What the simulator says about the core, as claims that hold or do not: laws of the algorithms, fairness, queues, recovery
// and the cost of many flows. The table of docs/simulation.md is made of them, and the tests run a part of each.
#ifndef ATCP_SIM_CLAIMS_H
#define ATCP_SIM_CLAIMS_H

#include <functional>
#include <string>
#include <vector>

namespace atcp::sim {

/// Quick: fewer points and shorter runs, a few seconds for all; Full: what the document shows.
enum class Scale { Quick, Full };

struct Finding {
  std::string what;      ///< the case
  std::string expected;  ///< the bound
  std::string measured;
  bool holds = false;
};

/// A line or points in a claim's picture.
struct Series {
  std::string title;
  bool points = false;  ///< else a line
  std::vector<std::pair<double, double>> xy;
};

struct Picture {
  std::string name;  ///< of the file, without .svg; empty: there is none
  std::string title, x, y;
  bool logarithmic = false;
  std::vector<Series> series;
};

struct Outcome {
  std::vector<Finding> findings;
  Picture picture;
};

struct Claim {
  const char* name;
  const char* text;
  /// Why there is nothing to run; nullptr if there is.
  const char* (*missing)();
  Outcome (*run)(Scale scale, bool progress);
};

const std::vector<Claim>& claims();

/// Runs all, prints the table, and with docs (a folder) renews the part of docs/simulation.md between the marks and the
/// pictures in docs/simulation/. Returns how many findings do not hold.
int run_claims(Scale scale, const std::string& docs, const std::string& only, bool progress);

}  // namespace atcp::sim

#endif  // ATCP_SIM_CLAIMS_H
