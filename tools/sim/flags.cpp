// SPDX-License-Identifier: GPL-2.0
//
// From flags to a scenario.
#include "flags.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace atcp::sim {

std::string describe(const Flags& f) {
  using Json = nlohmann::json;
  Json losses = Json::array();
  if (f.loss > 0) losses.push_back(f.loss);
  if (f.gilbert.size() == 2)
    losses.push_back({{"type", "gilbert-elliott"}, {"p", f.gilbert[0]}, {"r", f.gilbert[1]}});
  if (!f.loss_trace.empty()) losses.push_back({{"type", "trace"}, {"file", f.loss_trace}});
  const Json back = {{"ack_compress", f.ack_compress},
                     {"loss", {{"p", f.ack_loss}, {"only", "acks"}}}};
  const Json link = {{"from", "a"},
                     {"to", "b"},
                     {"rate", f.rate},
                     {"delay", f.delay},
                     {"buffer", f.buffer},
                     {"queue", {{"type", f.queue}, {"mark", f.mark}}},
                     {"loss", losses},
                     {"reorder", f.reorder},
                     {"reorder_extra", "10ms"},
                     {"duplicate", f.duplicate},
                     {"reverse", back}};
  Json app = {{"type", f.app}};
  if (!f.bytes.empty()) app[f.app == "requests" ? "response" : "bytes"] = f.bytes;
  const Json flow = {{"from", "a"},          {"to", "b"}, {"cc", f.cc}, {"count", f.flows},
                     {"stagger", f.stagger}, {"app", app}};
  const Json all = {{"hosts", Json::array({"a", "b"})},
                    {"links", Json::array({link})},
                    {"flows", Json::array({flow})}};
  return all.dump(2);
}

Scenario make_scenario(const Flags& f) {
  Scenario s = f.file.empty() ? parse_scenario(describe(f), ".") : load_scenario(f.file);
  if (!f.duration.empty()) s.duration = parse_time(f.duration);
  if (!f.warmup.empty()) s.warmup = parse_time(f.warmup);
  if (!f.interval.empty()) s.output.interval = parse_time(f.interval);
  if (f.seed != 0) s.seed = f.seed;
  if (!f.csv.empty()) s.output.csv = f.csv;
  if (!f.pcap.empty()) s.output.pcap = f.pcap;
  if (!f.plot.empty()) s.output.plot = f.plot;
  for (HostConfig& h : s.hosts) {
    if (!f.gro.empty()) h.gro = parse_time(f.gro);
    for (const std::string& p : f.params) {
      const size_t eq = p.find('=');
      if (eq == std::string::npos) throw std::runtime_error("--set needs NAME=VALUE");
      h.params[p.substr(0, eq)] = p.substr(eq + 1);
    }
  }
  if (!s.output.plot.empty() && s.output.csv.empty())
    throw std::runtime_error("a plot is made from CSV files: --csv is missing");
  if (s.output.interval == 0) throw std::runtime_error("the interval is 0");
  return s;
}

}  // namespace atcp::sim
