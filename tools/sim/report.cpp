// SPDX-License-Identifier: GPL-2.0
//
// The tables of a result.
#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace atcp::sim {

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  const auto i = static_cast<size_t>(std::floor(q * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values.end());
  return values[i];
}

namespace {

/// What the sender waited for, the largest shares first, down to a hundredth.
std::string waited(const FlowResult& f) {
  static constexpr std::array<const char*, ATCP_LIMITS> kNames = {
      "app", "rwnd", "cwnd", "pacing", "sndbuf", "device", "recovery", "zero-window", "delayed-ack",
  };
  std::array<size_t, ATCP_LIMITS> order{};
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return f.limited[a] > f.limited[b]; });
  std::string out;
  for (const size_t k : order)
    if (f.limited[k] >= 0.01) out += fmt::format(" {} {:.0f} %", kNames[k], f.limited[k] * 100);
  return out;
}

}  // namespace

std::string report(const Result& r, size_t most_flows, bool cost) {
  std::string out =
      fmt::format("{}: {:g} s simulated, {} events\n\n", r.name, r.duration_s, r.events);
  out += fmt::format("{:>5} {:<14} {:<8} {:>8} {:>8} {:>12} {:>10} {:>10} {:>8} {:>8} {:>8}  {}\n",
                     "flow", "from-to", "cc", "start s", "end s", "bytes", "Mbit/s", "segments",
                     "retrans", "srtt ms", "min ms", "waited for");
  for (const FlowResult& f : r.flows) {
    if (f.id >= most_flows) {
      out += fmt::format("      ... and {} more\n", r.flows.size() - f.id);
      break;
    }
    const std::string end = f.failed      ? "failed"
                            : f.end_s > 0 ? fmt::format("{:.3f}", f.end_s)
                                          : "-";
    out += fmt::format(
        "{:>5} {:<14} {:<8} {:>8.3f} {:>8} {:>12} {:>10.3f} {:>10} {:>8} {:>8.2f} {:>8.2f} {}\n",
        f.id, f.name, f.cc, f.start_s, end, f.delivered, f.goodput_bps / 1e6, f.sent_segs,
        f.retrans_segs, f.srtt_s * 1e3, f.min_rtt_s * 1e3, waited(f));
  }
  std::vector<double> latencies;
  for (const FlowResult& f : r.flows)
    latencies.insert(latencies.end(), f.latencies.begin(), f.latencies.end());
  if (!latencies.empty())
    out += fmt::format("\nrequests: {} answered, median {:.2f} ms, 99 % within {:.2f} ms\n",
                       latencies.size(), quantile(latencies, 0.5) * 1e3,
                       quantile(latencies, 0.99) * 1e3);
  out += fmt::format("\n{:<14} {:>10} {:>7} {:>9} {:>9} {:>9} {:>9} {:>10} {:>10} {:>10}\n", "link",
                     "packets", "used %", "no room", "early", "marked", "lost", "mean ms", "max ms",
                     "max KB");
  for (const LinkResult& l : r.links)
    out += fmt::format(
        "{:<14} {:>10} {:>7.2f} {:>9} {:>9} {:>9} {:>9} {:>10.3f} {:>10.3f} {:>10.1f}\n", l.name,
        l.queue.sent, l.utilisation * 100, l.queue.dropped, l.queue.dropped_early, l.queue.marked,
        l.link.lost, l.queue.mean_delay_s() * 1e3, static_cast<double>(l.queue.delay_max) / 1e6,
        static_cast<double>(l.queue.bytes_max) / 1e3);
  out += fmt::format("\n{} flows, {:.3f} Mbit/s together, Jain's index {:.4f}\n", r.flows.size(),
                     r.goodput_bps / 1e6, r.jain);
  if (cost)
    out += fmt::format("{:.1f} s of CPU, {:.2f} M events/s\n", r.cpu_s,
                       static_cast<double>(r.events) / std::max(r.cpu_s, 1e-9) / 1e6);
  return out;
}

}  // namespace atcp::sim
