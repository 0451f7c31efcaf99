// SPDX-License-Identifier: GPL-2.0
//
// From a scenario to a result.
#include "sim.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <stdexcept>

namespace atcp::sim {

namespace {

/// Streams of random numbers: a range for each kind of user.
constexpr uint64_t kLinkStream = 1u << 20;
constexpr uint64_t kFlowStream = 1u << 24;

double seconds(Nanos t) {
  return static_cast<double>(t) / 1e9;
}

double cpu_clock() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double wall_clock() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

double jain_index(const std::vector<double>& shares) {
  double sum = 0, squares = 0;
  for (const double x : shares) {
    sum += x;
    squares += x * x;
  }
  return squares == 0 ? 0 : sum * sum / (static_cast<double>(shares.size()) * squares);
}

Simulation::Simulation(const Scenario& scenario)
    : scenario_(scenario), world_(scenario.seed), net_(world_.events, world_.pool) {
  for (const HostConfig& h : scenario_.hosts) {
    if (hosts_.size() >= 65000) throw std::runtime_error("too many hosts");
    hosts_.push_back(std::make_unique<Host>(world_, h, static_cast<uint16_t>(hosts_.size())));
    Host& host = *hosts_.back();
    Node& node = net_.add_node(h.name);
    node.host = [&host](Packet* p) { host.receive(p); };
    host.wire = [this, &node](Packet* p) { net_.send(node, p); };
    servers_.push_back(std::make_unique<Server>(host));
    host.server = servers_.back().get();
  }
  build_network();
  uint32_t id = 0;
  for (const FlowConfig& f : scenario_.flows) {
    for (uint32_t i = 0; i < f.count; i++, id++)
      flows_.push_back(std::make_unique<Flow>(world_, f, id, f.start + i * f.stagger, host(f.from),
                                              host(f.to), world_.stream(kFlowStream + id)));
  }
  if (!scenario_.output.pcap.empty()) {
    pcap_ = std::make_unique<PcapWriter>(scenario_.output.pcap);
    const std::string& at = scenario_.output.pcap_host;
    (at.empty() ? *hosts_.at(0) : host(at)).pcap = pcap_.get();
  }
}

Simulation::~Simulation() {
  while (!hosts_.empty())
    hosts_.pop_back();
}

Host& Simulation::host(const std::string& name) {
  for (auto& h : hosts_)
    if (h->config().name == name) return *h;
  throw std::runtime_error("no host " + name);
}

void Simulation::build_network() {
  for (const LinkConfig& l : scenario_.links)
    for (const std::string& name : {l.from, l.to})
      if (net_.find(name) == nullptr) net_.add_node(name);
  // A buffer in products of rate and delay needs the ways, and the ways need the links: so the ways are found twice.
  {
    PacketPool pool;
    Network draft(world_.events, pool);
    for (auto& n : net_.nodes())
      draft.add_node(n->name).host = n->host;
    for (const LinkConfig& l : scenario_.links)
      draft.add_link(l, Random());
    draft.route(hosts_.size());
    std::vector<Nanos> rtt(scenario_.links.size(), 0);
    for (const FlowConfig& f : scenario_.flows) {
      std::vector<Link*> there, back;
      const size_t a = host(f.from).index(), b = host(f.to).index();
      if (a == b) throw std::runtime_error("a flow from " + f.from + " to itself");
      if (!draft.path(a, b, &there) || !draft.path(b, a, &back))
        throw std::runtime_error("no way from " + f.from + " to " + f.to + " and back");
      there.insert(there.end(), back.begin(), back.end());
      Nanos sum = 0;
      for (const Link* l : there)
        sum += l->config().delay;
      for (size_t i = 0; i < rtt.size(); i++)
        if (std::ranges::find(there, draft.links()[i].get()) != there.end())
          rtt[i] = std::max(rtt[i], sum);
    }
    for (size_t i = 0; i < rtt.size(); i++)
      bdp_.push_back(static_cast<uint64_t>(static_cast<double>(scenario_.links[i].rate) / 8 *
                                           seconds(rtt[i])));
  }
  for (size_t i = 0; i < scenario_.links.size(); i++) {
    LinkConfig& l = scenario_.links[i];
    if (l.queue.limit_bdp != 0)
      l.queue.limit_bytes = std::max<uint64_t>(
          static_cast<uint64_t>(l.queue.limit_bdp * static_cast<double>(bdp_[i])), 3000);
    net_.add_link(l, world_.stream(kLinkStream + i));
  }
  net_.route(hosts_.size());
}

void Simulation::Sampler::fire() {
  const Nanos t = events->now() - kEpoch;
  events->set(*this, events->now() + interval);
  f(t);
}

void Simulation::every(Nanos interval, std::function<void(Nanos)> f) {
  samplers_.push_back(std::make_unique<Sampler>());
  Sampler& s = *samplers_.back();
  s.events = &world_.events;
  s.interval = interval;
  s.f = std::move(f);
  world_.events.set(s, kEpoch + interval);
}

void Simulation::measure_warmup() {
  for (auto& f : flows_)
    warm_delivered_.push_back(f->delivered());
  for (auto& l : net_.links()) {
    warm_queues_.push_back(l->queue().stats());
    warm_links_.push_back(l->stats());
  }
}

Result Simulation::run(bool progress) {
  const double wall = wall_clock();
  const double cpu = cpu_clock();
  const Nanos end = kEpoch + scenario_.duration;
  constexpr int kSteps = 200;
  world_.run(kEpoch + std::min(scenario_.warmup, scenario_.duration));
  measure_warmup();
  for (int i = 1; i <= kSteps; i++) {
    const Nanos until = kEpoch + scenario_.duration / kSteps * static_cast<Nanos>(i);
    if (until < end && until > world_.now()) world_.run(until);
    if (progress) {
      const double spent = wall_clock() - wall;
      fprintf(stderr, "\r%s: %.1f of %.1f s, %.1f M events, %.0f s left  ", scenario_.name.c_str(),
              seconds(world_.now() - kEpoch), seconds(scenario_.duration),
              static_cast<double>(world_.events.fired()) / 1e6, spent / i * (kSteps - i));
    }
  }
  world_.run(end);
  if (progress) fprintf(stderr, "\n");
  Result r = collect();
  r.cpu_s = cpu_clock() - cpu;
  return r;
}

Result Simulation::collect() {
  Result r;
  r.name = scenario_.name;
  r.duration_s = seconds(scenario_.duration);
  r.events = world_.events.fired();
  const double measured =
      seconds(scenario_.duration - std::min(scenario_.warmup, scenario_.duration));
  std::vector<double> shares;
  for (size_t i = 0; i < flows_.size(); i++) {
    Flow& f = *flows_[i];
    const atcp_conn_info& info = f.info();
    FlowResult o;
    o.id = f.id();
    o.name = f.config().from + "-" + f.config().to;
    o.cc = f.cc();
    o.failed = f.failed();
    if (f.started() != 0) o.start_s = seconds(f.started() - kEpoch);
    if (f.finished() != 0) o.end_s = seconds(f.finished() - kEpoch);
    o.delivered = f.delivered();
    const double from = std::max(o.start_s, seconds(scenario_.warmup));
    const double to = f.finished() != 0 ? o.end_s : r.duration_s;
    if (to > from)
      o.goodput_bps = static_cast<double>(o.delivered - warm_delivered_[i]) * 8 / (to - from);
    o.sent_segs = info.data_segs_out;
    o.retrans_segs = info.total_retrans;
    o.srtt_s = info.srtt_us / 1e6;
    o.min_rtt_s = info.min_rtt_us / 1e6;
    for (size_t k = 0; k < o.limited.size() && info.age_us != 0; k++)
      o.limited[k] = static_cast<double>(info.limited_us[k]) / static_cast<double>(info.age_us);
    o.latencies = f.latencies();
    shares.push_back(o.goodput_bps);
    r.goodput_bps += o.goodput_bps;
    r.flows.push_back(std::move(o));
  }
  r.jain = jain_index(shares);
  for (size_t i = 0; i < net_.links().size(); i++) {
    const Link& l = *net_.links()[i];
    const QueueStats& q0 = warm_queues_[i];
    const LinkStats& l0 = warm_links_[i];
    LinkResult o;
    o.name = l.config().from + ">" + l.config().to;
    o.queue = l.queue().stats();
    o.queue.arrived -= q0.arrived;
    o.queue.dropped -= q0.dropped;
    o.queue.dropped_early -= q0.dropped_early;
    o.queue.marked -= q0.marked;
    o.queue.sent -= q0.sent;
    o.queue.delay_sum_ns -= q0.delay_sum_ns;
    o.link = l.stats();
    o.link.lost -= l0.lost;
    o.link.duplicated -= l0.duplicated;
    o.link.reordered -= l0.reordered;
    o.link.bytes -= l0.bytes;
    if (l.config().rate != 0 && measured > 0)
      o.utilisation =
          static_cast<double>(o.link.bytes) * 8 / measured / static_cast<double>(l.config().rate);
    r.links.push_back(std::move(o));
  }
  return r;
}

}  // namespace atcp::sim
