// SPDX-License-Identifier: GPL-2.0
//
// Times, rates and sizes as people write them, and the scenario that flags describe.
#include <cmath>
#include <stdexcept>

#include "cc/registry.h"
#include "scenario.h"

namespace atcp::sim {

namespace {

struct Unit {
  const char* name;
  double factor;
};

double parse_number(const std::string& text, std::string* unit) {
  size_t end = 0;
  double v = 0;
  try {
    v = std::stod(text, &end);
  } catch (const std::exception&) {
    throw std::runtime_error("'" + text + "' is no number");
  }
  if (!std::isfinite(v) || v < 0) throw std::runtime_error("'" + text + "' is out of range");
  *unit = text.substr(end);
  return v;
}

template <size_t N>
double parse_with(const std::string& text, const Unit (&units)[N], const char* what) {
  std::string unit;
  const double v = parse_number(text, &unit);
  for (const Unit& u : units)
    if (unit == u.name) return v * u.factor;
  std::string known;
  for (const Unit& u : units)
    known += std::string(known.empty() ? "" : " ") + u.name;
  throw std::runtime_error("'" + text + "' is no " + what + " (units: " + known + ")");
}

}  // namespace

Nanos parse_time(const std::string& text) {
  static constexpr Unit kUnits[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
  return static_cast<Nanos>(std::llround(parse_with(text, kUnits, "time")));
}

uint64_t parse_rate(const std::string& text) {
  static constexpr Unit kUnits[] = {{"", 1},       {"bit", 1},    {"kbit", 1e3},
                                    {"mbit", 1e6}, {"gbit", 1e9}, {"tbit", 1e12}};
  return static_cast<uint64_t>(std::llround(parse_with(text, kUnits, "rate")));
}

void parse_buffer(const std::string& text, QueueConfig* out) {
  std::string unit;
  const double v = parse_number(text, &unit);
  if (unit == "p") {
    out->limit_packets = static_cast<uint64_t>(v);
  } else if (unit == "bdp") {
    out->limit_bdp = v;
  } else {
    static constexpr Unit kUnits[] = {{"", 1}, {"b", 1}, {"k", 1e3}, {"m", 1e6}, {"g", 1e9}};
    out->limit_bytes = static_cast<uint64_t>(parse_with(text, kUnits, "buffer, p or bdp"));
  }
}

Scenario two_hosts(LinkConfig forward) {
  Scenario s;
  s.hosts.resize(2);
  s.hosts[0].name = "a";
  s.hosts[1].name = "b";
  forward.from = "a";
  forward.to = "b";
  LinkConfig back;
  back.from = "b";
  back.to = "a";
  back.rate = forward.rate;
  back.delay = forward.delay;
  s.links = {forward, back};
  return s;
}

std::vector<std::string> algorithms() {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < cc_count(); i++)
    names.emplace_back(cc_name(i));
  return names;
}

}  // namespace atcp::sim
