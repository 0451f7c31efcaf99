// SPDX-License-Identifier: GPL-2.0
//
// Two panels, one above the other: windows in segments, round-trip time in milliseconds.
#include "plot.h"

#include <fmt/format.h>
#include <linux/atcp.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "events.h"

namespace atcp::tool {
namespace {

constexpr uint32_t kInfinite = 0x7fffffff;  ///< a threshold that was never set, and above

double seconds_since(const std::vector<PlotPoint>& points, const PlotPoint& p) {
  return static_cast<double>(p.time_ns - points.front().time_ns) / 1e9;
}

uint32_t number(const Socket& s, uint16_t attr) {
  auto it = s.detail.numbers.find(attr);
  return it == s.detail.numbers.end() ? 0 : static_cast<uint32_t>(it->second);
}

bool is_retransmission(const PlotPoint& p) {
  return p.from != "event" && p.from != "sample";
}

/// A block of data by name; cell: the columns of a point, empty if it is not in it.
template <class Cell>
std::string block(const char* name, const std::vector<PlotPoint>& points, Cell cell) {
  std::string out = fmt::format("${} << EOD\n", name);
  for (const PlotPoint& p : points)
    if (std::string columns = cell(p); !columns.empty())
      out += fmt::format("{:.6f} {}\n", seconds_since(points, p), columns);
  return out + "EOD\n";
}

/// As a string of gnuplot in single quotes.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text)
    out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::optional<PlotPoint> plot_point(const Event& e, const std::vector<PlotPoint>& before) {
  if (e.cwnd)
    return PlotPoint{e.time_ns,
                     "event",
                     *e.cwnd,
                     e.ssthresh.value_or(kInfinite),
                     e.inflight.value_or(0),
                     e.srtt_us.value_or(0)};
  if (!e.retransmit || before.empty()) return std::nullopt;
  PlotPoint p = before.back();
  p.time_ns = e.time_ns;
  p.from = retransmit_name(*e.retransmit);
  return p;
}

std::optional<PlotPoint> plot_point(const Socket& s, uint64_t time_ns) {
  if (!s.conn) return std::nullopt;
  // As the kernel itself computes it for events.
  uint32_t inflight = number(s, ATCP_SOCKET_A_PACKETS_OUT) - number(s, ATCP_SOCKET_A_SACKED) -
                      number(s, ATCP_SOCKET_A_LOST) + number(s, ATCP_SOCKET_A_RETRANS_OUT);
  return PlotPoint{time_ns, "sample", s.conn->cwnd, s.conn->ssthresh, inflight, s.conn->srtt_us};
}

void sort_points(std::vector<PlotPoint>& points) {
  std::ranges::stable_sort(points, {}, &PlotPoint::time_ns);
}

std::string plot_csv(const std::vector<PlotPoint>& points) {
  std::string out = "seconds,from,cwnd,ssthresh,inflight,srtt_us\n";
  for (const PlotPoint& p : points)
    out += fmt::format("{:.6f},{},{},{},{},{}\n", seconds_since(points, p), p.from, p.cwnd,
                       p.ssthresh < kInfinite ? std::to_string(p.ssthresh) : "", p.inflight,
                       p.srtt_us);
  return out;
}

Json plot_json(const std::vector<PlotPoint>& points) {
  Json array = Json::array();
  for (const PlotPoint& p : points) {
    Json j = {{"time_ns", p.time_ns},
              {"from", p.from},
              {"cwnd", p.cwnd},
              {"inflight", p.inflight},
              {"srtt_us", p.srtt_us}};
    if (p.ssthresh < kInfinite) j["ssthresh"] = p.ssthresh;
    array.push_back(std::move(j));
  }
  return array;
}

std::string plot_format(const std::string& file) {
  for (const char* format : {"svg", "png"})
    if (file.ends_with(std::string(".") + format)) return format;
  throw Error("plot: '" + file + "' ends neither in .svg nor in .png", kExitUsage);
}

std::string gnuplot_script(const std::vector<PlotPoint>& points, const std::string& file,
                           const std::string& title) {
  // A threshold that was never set would squeeze everything else to a line.
  std::string out = block("windows", points, [](const PlotPoint& p) {
    return fmt::format("{} {} {}", p.cwnd, p.inflight,
                       p.ssthresh < kInfinite ? std::to_string(p.ssthresh) : "NaN");
  });
  out += block("rtt", points, [](const PlotPoint& p) {
    return p.srtt_us ? fmt::format("{:.3f}", p.srtt_us / 1000.0) : std::string();
  });
  bool again = std::ranges::any_of(points, is_retransmission);
  if (again)
    out += block("again", points, [](const PlotPoint& p) {
      return is_retransmission(p) ? std::to_string(p.cwnd) : std::string();
    });
  out += plot_format(file) == "svg"
             ? "set terminal svg size 1000,700 dynamic background rgb 'white'\n"
             : "set terminal pngcairo size 1000,700\n";
  out += fmt::format("set output {}\n", quoted(file));
  out += fmt::format("set multiplot layout 2,1 title {} noenhanced\n", quoted(title));
  out +=
      "set grid\nset key outside right top\nset yrange [0:*]\nset offsets 0, 0, graph 0.05, 0\n"
      "set lmargin 9\nset rmargin 18\n";
  // Both panels over the same time, also where the one has fewer points.
  out += fmt::format("set xrange [0:{:.6f}]\n",
                     std::max(points.empty() ? 0 : seconds_since(points, points.back()), 0.001));
  out +=
      "set ylabel 'segments'\n"
      "plot $windows using 1:2 with steps lw 2 title 'cwnd', "
      "$windows using 1:3 with steps title 'in flight', "
      "$windows using 1:4 with steps dt 2 title 'ssthresh'";
  if (again) out += ", $again using 1:2 with points pt 2 title 'sent again'";
  out +=
      "\nset ylabel 'ms'\nset xlabel 'seconds'\n"
      "plot $rtt using 1:2 with steps lw 2 title 'srtt'\nunset multiplot\n";
  return out;
}

}  // namespace atcp::tool
