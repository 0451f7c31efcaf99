// SPDX-License-Identifier: GPL-2.0
//
// atcp plot: what one connection's window does, out of the event stream; samples between, since a
// window that does not change makes no event.
#include <fmt/format.h>
#include <linux/atcp.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>

#include "client.h"
#include "commands.h"
#include "events.h"
#include "follow.h"
#include "format.h"
#include "json.h"
#include "plot.h"
#include "process.h"
#include "watch.h"
#include "words.h"

namespace atcp::tool {
namespace {

struct PlotAsked {
  uint64_t id = 0;
  double seconds = 10;
  std::string picture;  ///< file; empty: by the ID, or none
  std::string data;     ///< file; empty: none
};

constexpr double kSamples = 100;  ///< of the whole time, at least; the rest are events

/// Points until time is over, the connection has ended, or the user wants no more.
std::vector<PlotPoint> record_points(const PlotAsked& asked, Client& asking, const Socket& first) {
  std::vector<PlotPoint> points;
  auto add = [&points](const std::optional<PlotPoint>& p) {
    if (p) points.push_back(*p);
  };
  Client stream;
  Filter filter;
  filter.id = asked.id;
  filter.events = event_kinds({"cwnd,retransmit,closed"});
  stream.subscribe(filter);
  add(plot_point(first, monotonic_us() * 1000));

  bool gone = false;
  Following what;
  what.seconds = asked.seconds;
  what.on_event = [&](const Event& e) {
    add(plot_point(e, points));
    gone |= e.kind == ATCP_EVENT_KIND_CLOSED;
    return !gone;
  };
  what.every = asked.seconds / kSamples;
  what.on_time = [&] {
    try {
      add(plot_point(asking.socket(asked.id), monotonic_us() * 1000));
    } catch (const Error&) {
      // It has ended: what the event stream still has is all there will be.
      gone = true;
    }
    return !gone;
  };
  follow(stream, what);
  sort_points(points);
  return points;
}

void draw(const std::vector<PlotPoint>& points, const std::string& file, const Socket& s) {
  std::string title = fmt::format("{} > {} ({})", endpoint_text(s.local), endpoint_text(s.peer),
                                  s.conn ? s.conn->cc : "");
  // If gnuplot ends early its status is to be told, not this process to be killed.
  std::signal(SIGPIPE, SIG_IGN);
  FILE* gnuplot = popen("exec gnuplot >/dev/null", "w");
  if (!gnuplot) throw Error("plot: gnuplot could not be started");
  std::string script = gnuplot_script(points, file, title);
  std::fwrite(script.data(), 1, script.size(), gnuplot);
  if (pclose(gnuplot) != 0)
    throw Error("plot: gnuplot could not write " + file + " (it says above why)");
}

/// Throws if the file cannot be written; before the user has waited for what shall be in it.
void check_writable(const std::string& file) {
  if (!std::ofstream(file, std::ios::app)) throw Error("plot: " + file + " could not be written");
}

void write_file(const std::string& file, const std::string& text) {
  std::ofstream out(file);
  out << text << std::flush;
  if (!out) throw Error("plot: " + file + " could not be written");
}

int plot(const Chosen& chosen, PlotAsked asked) {
  // Without a word about where to, there is a picture; --data and --json are enough for themselves.
  if (asked.picture.empty() && asked.data.empty() && !chosen.json)
    asked.picture = fmt::format("atcp-{}.svg", asked.id);
  if (!asked.picture.empty()) {
    plot_format(asked.picture);
    if (!in_path("gnuplot"))
      throw Error(
          "plot: gnuplot is not installed (apt install gnuplot-nox); --data FILE and --json "
          "do without");
  }
  Client client;
  Socket s = client.socket(asked.id);
  if (!s.conn) throw Error(fmt::format("plot: {} is no connection", asked.id));
  for (const std::string& file : {asked.picture, asked.data})
    if (!file.empty()) check_writable(file);
  std::vector<PlotPoint> points = record_points(asked, client, s);
  if (!asked.data.empty()) write_file(asked.data, plot_csv(points));
  if (!asked.picture.empty()) draw(points, asked.picture, s);
  if (chosen.json) {
    std::fputs(json_text(plot_json(points)).c_str(), stdout);
    return kExitOk;
  }
  double seconds = static_cast<double>(points.back().time_ns - points.front().time_ns) / 1e9;
  for (const std::string& file : {asked.picture, asked.data})
    if (!file.empty())
      std::printf("%s: %s of %.1f seconds\n", file.c_str(),
                  plural(points.size(), "point", "points").c_str(), seconds);
  return kExitOk;
}

}  // namespace

void add_plot_command(Command& app, Chosen& chosen) {
  auto asked = std::make_shared<PlotAsked>();
  Command cmd = app.add("plot", "a picture of a connection's window and round-trip time");
  cmd.number("ID", asked->id, "its cookie, as `atcp sockets` shows it").required();
  cmd.real("--seconds", asked->seconds, "how long to watch").between(0.1, 86400).with_default();
  cmd.text("-o,--output", asked->picture, "the picture, .svg or .png (atcp-ID.svg)");
  cmd.text("--data", asked->data, "the points as CSV into this file");
  cmd.when_given(
      [&chosen, asked] { chosen.work = [&chosen, asked] { return plot(chosen, *asked); }; });
}

}  // namespace atcp::tool
