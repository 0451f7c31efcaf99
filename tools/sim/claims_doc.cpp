// SPDX-License-Identifier: GPL-2.0
//
// Running the claims and writing down what came out: a table on stdout, the same in docs/simulation.md between two
// marks, and pictures by gnuplot.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "claims.h"
#include "trace.h"

namespace atcp::sim {

namespace {

constexpr const char* kBegin = "<!-- made by `make sim`: begin -->\n";
constexpr const char* kEnd = "<!-- made by `make sim`: end -->\n";

void draw(const Picture& p, const std::filesystem::path& folder) {
  std::string gp = fmt::format(
      "set terminal svg size 640,360 background 'white' font 'sans,11'\nset output '{}'\n"
      "set title '{}'\nset xlabel '{}'\nset ylabel '{}'\nset grid\nset key top right\n",
      (folder / (p.name + ".svg")).string(), p.title, p.x, p.y);
  if (p.logarithmic) gp += "set logscale xy\nset format x '10^{%L}'\n";
  for (size_t i = 0; i < p.series.size(); i++) {
    gp += fmt::format("$d{} << EOD\n", i);
    for (const auto& [x, y] : p.series[i].xy)
      gp += fmt::format("{:g} {:g}\n", x, y);
    gp += "EOD\n";
  }
  for (size_t i = 0; i < p.series.size(); i++)
    gp +=
        fmt::format("{}$d{} with {} title '{}'", i == 0 ? "plot " : ", ", i,
                    p.series[i].points ? "points pt 7 ps 0.7" : "lines lw 1.5", p.series[i].title);
  gp += "\n";
  const std::filesystem::path commands =
      std::filesystem::temp_directory_path() / ("atcp-sim-" + p.name + ".gp");
  run_gnuplot(gp, commands.string());
  std::filesystem::remove(commands);
}

void renew(const std::filesystem::path& file, const std::string& table) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  const std::string old = text.str();
  const size_t begin = old.find(kBegin), end = old.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin)
    throw std::runtime_error(file.string() + " lacks the marks of what is to be renewed");
  std::ofstream out(file);
  out << old.substr(0, begin) << kBegin << table << old.substr(end);
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace

int run_claims(Scale scale, const std::string& docs, const std::string& only, bool progress) {
  int failed = 0, held = 0;
  std::string table;
  for (const Claim& c : claims()) {
    if (!only.empty() && only != c.name) continue;
    table += fmt::format("\n**{}**\n\n", c.text);
    fmt::print("{}: {}\n", c.name, c.text);
    if (const char* why = c.missing()) {
      table += fmt::format("Not run: {}.\n", why);
      fmt::print("  not run: {}\n", why);
      continue;
    }
    const Outcome o = c.run(scale, progress);
    table += "| case | expected | measured | |\n|---|---|---|---|\n";
    for (const Finding& f : o.findings) {
      (f.holds ? held : failed)++;
      table += fmt::format("| {} | {} | {} | {} |\n", f.what, f.expected, f.measured,
                           f.holds ? "holds" : "**fails**");
      fmt::print("  {:<6} {}: {} (expected {})\n", f.holds ? "ok" : "FAILS", f.what, f.measured,
                 f.expected);
    }
    fflush(stdout);
    if (docs.empty() || o.picture.name.empty()) continue;
    const std::filesystem::path folder = std::filesystem::path(docs) / "simulation";
    std::filesystem::create_directories(folder);
    draw(o.picture, folder);
    table += fmt::format("\n![{}](simulation/{}.svg)\n", o.picture.title, o.picture.name);
  }
  fmt::print("sim: {} passed, {} failed\n", held, failed);
  if (!docs.empty() && only.empty())
    renew(std::filesystem::path(docs) / "simulation.md", table + "\n");
  return failed;
}

}  // namespace atcp::sim
