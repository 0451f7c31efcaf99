// SPDX-License-Identifier: GPL-2.0
//
// A result as a table for people.
#ifndef ATCP_SIM_REPORT_H
#define ATCP_SIM_REPORT_H

#include <string>

#include "sim.h"

namespace atcp::sim {

/// Flows (so many at most, then their sum), links, and the whole. What depends on the machine (what it cost) is left out
/// unless asked for.
std::string report(const Result& r, size_t most_flows, bool cost);
/// q of 0..1 of values, in any order; 0 for none.
double quantile(std::vector<double> values, double q);

}  // namespace atcp::sim

#endif  // ATCP_SIM_REPORT_H
