// SPDX-License-Identifier: GPL-2.0
//
// A connection's congestion window, threshold, round-trip time and data in flight over time: points
// out of events and samples, as CSV, and as a script for gnuplot. Nothing here asks the kernel.
#ifndef ATCP_TOOL_PLOT_H
#define ATCP_TOOL_PLOT_H

#include <optional>
#include <string>
#include <vector>

#include "json_type.h"
#include "model.h"

namespace atcp::tool {

struct PlotPoint {
  uint64_t time_ns = 0;  ///< CLOCK_MONOTONIC
  std::string from;      ///< "event", "sample", or the kind of a retransmission
  uint32_t cwnd = 0, ssthresh = 0, inflight = 0;  ///< segments
  uint32_t srtt_us = 0;
};

/// Of a window's change (kind cwnd), or of a retransmission, for which the figures of the point
/// before stand. Nothing of other kinds, nor of a retransmission before any figures.
std::optional<PlotPoint> plot_point(const Event& e, const std::vector<PlotPoint>& before);
/// Of a connection asked for in full; nothing of what is no connection (any more).
std::optional<PlotPoint> plot_point(const Socket& s, uint64_t time_ns);

/// By time; what came of events and of samples is mixed as it arrives.
void sort_points(std::vector<PlotPoint>& points);

/// A header line, then a line per point; times are seconds since the first one, a threshold that
/// was never set is empty.
std::string plot_csv(const std::vector<PlotPoint>& points);
Json plot_json(const std::vector<PlotPoint>& points);

/// "svg", "png" by the ending of a file's name. Throws Error (kExitUsage) over any other.
std::string plot_format(const std::string& file);
/// The data are within; title: which connection.
std::string gnuplot_script(const std::vector<PlotPoint>& points, const std::string& file,
                           const std::string& title);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_PLOT_H
