// SPDX-License-Identifier: GPL-2.0
//
// One run of a scenario: builds hosts, network and flows, lets time pass, and says what came out.
#ifndef ATCP_SIM_SIM_H
#define ATCP_SIM_SIM_H

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app.h"
#include "pcap.h"

namespace atcp::sim {

struct FlowResult {
  uint32_t id = 0;
  std::string name, cc;
  double start_s = 0, end_s = 0;  ///< end 0: still running
  uint64_t delivered = 0;
  double goodput_bps = 0;  ///< after the warm-up, while it ran
  uint64_t sent_segs = 0, retrans_segs = 0, timeouts = 0;
  double srtt_s = 0, min_rtt_s = 0;
  bool failed = false;
  std::array<double, ATCP_LIMITS>
      limited{};  ///< by ATCP_LIMIT_*: share of the sender's time, 0 to 1
  std::vector<double> latencies;
};

struct LinkResult {
  std::string name;
  QueueStats queue;  ///< since the warm-up; the maxima of the whole run
  LinkStats link;
  double utilisation = 0;  ///< 0 for a link without a rate
};

struct Result {
  std::string name;
  double duration_s = 0;
  double cpu_s = 0;  ///< spent; the simulator has one thread
  uint64_t events = 0;
  std::vector<FlowResult> flows;
  std::vector<LinkResult> links;
  double goodput_bps = 0;
  double jain = 0;  ///< of the goodputs of all flows
};

/// Jain's index: 1 if all are equal, 1/n if one has everything.
double jain_index(const std::vector<double>& shares);

class Simulation {
 public:
  explicit Simulation(const Scenario& scenario);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  /// Call f at each multiple of interval, from the first on. Before run().
  void every(Nanos interval, std::function<void(Nanos since_start)> f);
  /// progress: a line on stderr.
  Result run(bool progress = false);

  World& world() { return world_; }
  Network& network() { return net_; }
  Host& host(const std::string& name);
  Flow& flow(size_t i) { return *flows_[i]; }
  size_t flows() const { return flows_.size(); }
  /// Of rate and longest round trip of a flow that uses it, bytes.
  uint64_t bdp(size_t link) const { return bdp_[link]; }
  const Scenario& scenario() const { return scenario_; }

 private:
  struct Sampler final : Alarm {
    Events* events = nullptr;
    Nanos interval = 0;
    std::function<void(Nanos)> f;

   private:
    void fire() override;
  };
  void build_network();
  void measure_warmup();
  Result collect();

  Scenario scenario_;
  World world_;
  Network net_;
  std::unique_ptr<PcapWriter> pcap_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<std::unique_ptr<Flow>> flows_;
  std::vector<std::unique_ptr<Sampler>> samplers_;
  std::vector<uint64_t> bdp_;
  // As it was at the end of the warm-up.
  std::vector<uint64_t> warm_delivered_;
  std::vector<QueueStats> warm_queues_;
  std::vector<LinkStats> warm_links_;
};

}  // namespace atcp::sim

#endif  // ATCP_SIM_SIM_H
