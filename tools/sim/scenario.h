// SPDX-License-Identifier: GPL-2.0
//
// What is to be simulated, as values: hosts, links, flows and what is to be written down. From JSON, or filled in by
// flags or a test.
#ifndef ATCP_SIM_SCENARIO_H
#define ATCP_SIM_SCENARIO_H

#include <string>
#include <vector>

#include "host.h"
#include "net.h"

namespace atcp::sim {

struct AppConfig {
  enum class Kind { Bulk, Requests, OnOff };
  Kind kind = Kind::Bulk;
  uint64_t bytes = 0;  ///< Bulk: then close; 0: without end
  // Requests: the client asks, the server answers, the client thinks.
  uint64_t request = 100, response = 100000;
  uint64_t count = 0;  ///< then close; 0: without end
  double think = 0;    ///< mean seconds, exponentially distributed
  // OnOff: as much as possible, then nothing; mean seconds, exponentially distributed.
  double on = 1, off = 1;
};

struct FlowConfig {
  std::string from, to;
  std::string cc;  ///< of both ends; empty: the namespace's
  uint32_t count = 1;
  Nanos start = 0;
  Nanos stagger = 0;  ///< each of count starts so much later than the one before
  Nanos stop = 0;     ///< a bulk flow writes no more from then on; 0: never
  AppConfig app;
  uint32_t sndbuf = 0, rcvbuf = 0;  ///< set by the program, so not tuned; 0: tuned
};

struct OutputConfig {
  std::string csv;  ///< PREFIX: PREFIX-flows.csv and PREFIX-links.csv; empty: none
  Nanos interval = 10 * kMs;
  std::string pcap;
  std::string pcap_host;  ///< empty: the first
  std::string plot;       ///< SVG; needs csv
  uint32_t flows = 16;    ///< so many flows at most are sampled
};

struct Scenario {
  std::string name = "scenario";
  uint64_t seed = 1;
  Nanos duration = 10 * kSec;
  Nanos warmup = 0;  ///< goodput and queues count from then on
  std::vector<HostConfig> hosts;
  std::vector<LinkConfig> links;  ///< one direction each
  std::vector<FlowConfig> flows;
  OutputConfig output;
};

/// std::runtime_error with the place of what is wrong. base: the folder that files of the scenario are in.
Scenario parse_scenario(const std::string& json, const std::string& base);
Scenario load_scenario(const std::string& path);

/// Two hosts and a link between them with the given forward direction; the way back has the same rate and delay, room
/// for everything and no losses.
Scenario two_hosts(LinkConfig forward);

/// Names of the algorithms that the core has.
std::vector<std::string> algorithms();

// ---- quantities ----
/// "20ms", "1.5s", "5us", "100ns"; a number alone is seconds.
Nanos parse_time(const std::string& text);
/// "10mbit", "1.5gbit", "64kbit"; a number alone is bits per second.
uint64_t parse_rate(const std::string& text);
/// Bytes, "64k", "1m"; "100p" packets; "2bdp" products of rate and round trip.
void parse_buffer(const std::string& text, QueueConfig* out);

}  // namespace atcp::sim

#endif  // ATCP_SIM_SCENARIO_H
