// SPDX-License-Identifier: GPL-2.0
//
// The claims: each builds its scenarios, runs them and compares. Bounds stand here and nowhere else.
#include "claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim.h"

namespace atcp::sim {

namespace {

/// Payload of a full segment with timestamps.
constexpr double kMss = 1448;
constexpr uint32_t kInRecovery = 3;  ///< ca_state

bool has(const char* cc) {
  const std::vector<std::string> all = algorithms();
  return std::ranges::find(all, cc) != all.end();
}

const char* nothing_missing() {
  return nullptr;
}

/// A flow's buffers never limit it.
void large_buffers(Scenario* s) {
  for (HostConfig& h : s->hosts) {
    h.params["rmem"] = "4096 131072 268435456";
    h.params["wmem"] = "4096 16384 268435456";
  }
}

Scenario one_link(uint64_t rate, Nanos rtt, double buffer_bdp, const std::string& cc,
                  uint32_t flows) {
  LinkConfig l;
  l.rate = rate;
  l.delay = rtt / 2;
  l.queue.limit_bdp = buffer_bdp;
  Scenario s = two_hosts(l);
  large_buffers(&s);
  FlowConfig f;
  f.from = "a";
  f.to = "b";
  f.cc = cc;
  f.count = flows;
  s.flows.push_back(f);
  if (cc == "dctcp") {
    // A switch with a step, and hosts that use ECN.
    s.links[0].queue.kind = QueueConfig::Kind::Step;
    s.links[0].queue.mark_bytes =
        std::max<uint64_t>(static_cast<uint64_t>(static_cast<double>(rate) / 8 *
                                                 static_cast<double>(rtt) / 1e9 * 0.17),
                           20 * 1500);
    for (HostConfig& h : s.hosts)
      h.params["ecn"] = "1";
  }
  return s;
}

// ---- laws of the window ----------------------------------------------------------------------

/// Mean window of one flow that only losses limit, in segments: goodput times mean round trip.
double window_under_loss(const std::string& cc, LossConfig::Kind kind, double p, Nanos rtt,
                         Nanos duration, bool progress) {
  Scenario s = one_link(0, rtt, 0, cc, 1);
  s.links[0].rate = s.links[1].rate = 100000000000;
  s.name = fmt::format("{}, p = {:g}", cc, p);
  s.duration = duration;
  s.warmup = duration / 8;
  LossConfig loss;
  loss.kind = kind;
  loss.only = LossConfig::Only::Data;
  loss.p = p;
  loss.every = static_cast<uint64_t>(std::llround(1 / p));
  s.links[0].losses.push_back(loss);
  Simulation sim(s);
  double rtt_sum = 0;
  uint64_t samples = 0;
  sim.every(20 * kMs, [&](Nanos t) {
    if (t < s.warmup) return;
    rtt_sum += sim.flow(0).info().srtt_us / 1e6;
    samples++;
  });
  const Result r = sim.run(progress);
  return r.goodput_bps / 8 / kMss * (rtt_sum / static_cast<double>(samples));
}

/// So long that `losses` losses happen to a flow with that window.
Nanos long_enough(double window, double p, Nanos rtt, double losses) {
  const double round_trips = losses / p / window;
  return std::max<Nanos>(static_cast<Nanos>(round_trips * static_cast<double>(rtt)), 30 * kSec);
}

constexpr double kMathisPeriodic = 1.2247;  // sqrt(3/2)
constexpr double kMathisRandom = 1.31;
constexpr Nanos kLawRtt = 100 * kMs;

/// The findings and the picture's points of one algorithm under one kind of loss.
void compare_windows(Outcome* out, const std::string& cc, LossConfig::Kind kind,
                     const std::vector<double>& ps, double losses, double (*law)(double p),
                     const Series& names, bool progress) {
  Series expected_line = names, seen{names.title + ", measured", true, {}};
  const char* what = kind == LossConfig::Kind::Periodic ? "" : ", independent losses";
  for (const double p : ps) {
    const double expected = law(p);
    const Nanos t = long_enough(expected, p, kLawRtt, losses);
    const double w = window_under_loss(cc, kind, p, kLawRtt, t, progress);
    const double off = w / expected - 1;
    out->findings.push_back(
        {fmt::format("p = {:g}{}", p, what), fmt::format("{:.1f} segments ± 15 %", expected),
         fmt::format("{:.1f} ({:+.1f} %)", w, off * 100), std::abs(off) <= 0.15});
    expected_line.xy.emplace_back(p, expected);
    seen.xy.emplace_back(p, w);
  }
  out->picture.series.push_back(std::move(expected_line));
  out->picture.series.push_back(std::move(seen));
}

Outcome reno_law(Scale scale, bool progress) {
  const bool full = scale == Scale::Full;
  Outcome out;
  out.picture = {
      "reno-law", "reno: mean window over loss", "share of segments lost", "segments", true, {}};
  compare_windows(
      &out, "reno", LossConfig::Kind::Periodic,
      full ? std::vector<double>{1e-4, 3e-4, 1e-3, 3e-3, 1e-2}
           : std::vector<double>{3e-4, 1e-3, 1e-2},
      full ? 200 : 40, [](double p) { return kMathisPeriodic / std::sqrt(p); },
      {"1.22 / sqrt(p)", false, {}}, progress);
  compare_windows(
      &out, "reno", LossConfig::Kind::Bernoulli,
      full ? std::vector<double>{1e-4, 1e-3, 1e-2} : std::vector<double>{1e-3}, full ? 1500 : 600,
      [](double p) { return kMathisRandom / std::sqrt(p); },
      {"1.31 / sqrt(p), independent", false, {}}, progress);
  return out;
}

/// RFC 9438 5.1, the average window at a round trip of 100 ms, and the Reno-friendly region below it (4.3).
double cubic_window(double p) {
  constexpr double kRttS = static_cast<double>(kLawRtt) / 1e9;
  return std::max(1.054 * std::pow(kRttS / p, 0.75), kMathisPeriodic / std::sqrt(p));
}

Outcome cubic_law(Scale scale, bool progress) {
  const bool full = scale == Scale::Full;
  Outcome out;
  out.picture = {"cubic-law",
                 "cubic: mean window over loss, round trip 100 ms",
                 "share of segments lost",
                 "segments",
                 true,
                 {}};
  compare_windows(&out, "cubic", LossConfig::Kind::Periodic,
                  full ? std::vector<double>{1e-2, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5}
                       : std::vector<double>{1e-3, 3e-4},
                  full ? 100 : 40, cubic_window, {"RFC 9438", false, {}}, progress);
  return out;
}

// ---- several flows ---------------------------------------------------------------------------

Outcome fairness(Scale scale, bool progress) {
  Outcome out;
  for (const std::string& cc : algorithms()) {
    const bool full = scale == Scale::Full;
    Scenario s = one_link(full ? 100000000 : 20000000, 40 * kMs, 1, cc, 8);
    s.name = "8 flows of " + cc;
    s.flows[0].stagger = 300 * kMs;
    s.duration = (full ? 180 : 60) * kSec;
    s.warmup = (full ? 30 : 15) * kSec;
    Simulation sim(s);
    const Result r = sim.run(progress);
    out.findings.push_back({cc, "≥ 0.95, link used ≥ 90 %",
                            fmt::format("{:.3f}, {:.1f} %", r.jain, r.links[0].utilisation * 100),
                            r.jain >= 0.95 && r.links[0].utilisation >= 0.9});
  }
  return out;
}

Outcome convergence(Scale scale, bool progress) {
  Outcome out;
  const bool full = scale == Scale::Full;
  const Nanos join = (full ? 30 : 10) * kSec;
  Picture& pic = out.picture;
  pic = {"convergence", "goodput of a flow that joins another at 30 s",
         "seconds",     "Mbit/s",
         false,         {}};
  for (const std::string& cc : algorithms()) {
    Scenario s = one_link(full ? 100000000 : 20000000, 40 * kMs, 1, cc, 1);
    s.name = "a flow joins, " + cc;
    s.flows.push_back(s.flows[0]);
    s.flows[1].start = join;
    s.duration = (full ? 180 : 60) * kSec;
    Simulation sim(s);
    std::vector<double> got[2];  // bytes, once a second
    Series line{cc, false, {}};
    sim.every(1 * kSec, [&](Nanos) {
      for (size_t i = 0; i < 2; i++)
        got[i].push_back(static_cast<double>(sim.flow(i).delivered()));
    });
    sim.run(progress);
    // From when on, and for 20 s on the average, it has at least 80 % of its half.
    constexpr size_t kSpan = 20, kSmooth = 5;
    double since = -1;
    const auto begin = static_cast<size_t>(join / kSec) - 1;
    for (size_t n = begin; n + kSpan < got[0].size() && since < 0; n++) {
      const double a = got[0][n + kSpan] - got[0][n], b = got[1][n + kSpan] - got[1][n];
      if (b >= 0.4 * (a + b)) since = static_cast<double>(n - begin);
    }
    for (size_t n = kSmooth; n < got[1].size(); n++)
      line.xy.emplace_back(n + 1, (got[1][n] - got[1][n - kSmooth]) * 8 / kSmooth / 1e6);
    const double bound = full ? 60 : 40;
    out.findings.push_back({cc, fmt::format("≤ {:g} s", bound),
                            since < 0 ? "never" : fmt::format("{:g} s", since),
                            since >= 0 && since <= bound});
    pic.series.push_back(std::move(line));
  }
  return out;
}

// ---- queues ----------------------------------------------------------------------------------

struct Depth {
  double mean = 0, high = 0;  ///< bytes; high: 99 % of the samples are below
  double utilisation = 0;
  Series line;
};

Depth depth_of(const Scenario& s, bool progress) {
  Simulation sim(s);
  Depth d;
  std::vector<double> seen;
  const Nanos step = std::max<Nanos>(s.duration / 4000, 1);
  double worst = 0;
  size_t n = 0;
  sim.every(step, [&](Nanos t) {
    const auto bytes = static_cast<double>(sim.network().links()[0]->queue().bytes());
    worst = std::max(worst, bytes);
    if (++n % 10 == 0) {
      d.line.xy.emplace_back(static_cast<double>(t) / 1e9, worst / 1000);
      worst = 0;
    }
    if (t < s.warmup) return;
    seen.push_back(bytes);
    d.mean += bytes;
  });
  const Result r = sim.run(progress);
  d.utilisation = r.links[0].utilisation;
  d.mean /= static_cast<double>(seen.size());
  std::ranges::sort(seen);
  d.high = seen[seen.size() * 99 / 100];
  return d;
}

Outcome queues(Scale scale, bool progress) {
  Outcome out;
  const bool full = scale == Scale::Full;
  constexpr double kBuffer = 4;
  const uint64_t rate = full ? 100000000 : 20000000;
  const double bdp = static_cast<double>(rate) / 8 * 0.04;
  out.picture = {"queue",   "one flow before a buffer of four times rate × delay",
                 "seconds", "KB in the queue",
                 false,     {}};
  for (const char* cc : {"cubic", "bbr"}) {
    if (!has(cc)) continue;
    Scenario s = one_link(rate, 40 * kMs, kBuffer, cc, 1);
    s.name = std::string("a deep buffer, ") + cc;
    s.duration = (full ? 120 : 60) * kSec;
    s.warmup = 20 * kSec;
    Depth d = depth_of(s, progress);
    const std::string measured = fmt::format("mean {:.2f}, 99 % {:.2f} BDP, link used {:.1f} %",
                                             d.mean / bdp, d.high / bdp, d.utilisation * 100);
    if (std::string(cc) == "bbr")
      out.findings.push_back(
          {cc, "mean < 1 BDP, used ≥ 90 %", measured, d.mean < bdp && d.utilisation >= 0.9});
    else
      out.findings.push_back({cc, fmt::format("fills it: 99 % ≥ {:g} BDP", 0.9 * kBuffer), measured,
                              d.high >= 0.9 * kBuffer * bdp});
    d.line.title = cc;
    out.picture.series.push_back(std::move(d.line));
  }
  return out;
}

const char* dctcp_missing() {
  return has("dctcp") ? nullptr : "the core has no dctcp yet";
}

Outcome dctcp_queue(Scale scale, bool progress) {
  Outcome out;
  const bool full = scale == Scale::Full;
  Scenario s = one_link(1000000000, 500 * kUs, 0, "dctcp", 2);
  s.links[0].queue.limit_bytes = 1000000;
  s.links[0].queue.mark_bytes = 30000;
  s.name = "two flows of dctcp";
  s.duration = (full ? 10 : 2) * kSec;
  s.warmup = 500 * kMs;
  Depth d = depth_of(s, progress);
  const double k = 30000;
  out.findings.push_back(
      {"mark above 30 KB", "mean 0.3 to 2 thresholds, 99 % < 3, used ≥ 95 %",
       fmt::format("mean {:.2f}, 99 % {:.2f}, used {:.1f} %", d.mean / k, d.high / k,
                   d.utilisation * 100),
       d.mean > 0.3 * k && d.mean < 2 * k && d.high < 3 * k && d.utilisation >= 0.95});
  d.line.title = "dctcp";
  out.picture = {"dctcp", "queue of two flows of dctcp, marks above 30 KB", "seconds", "KB", false,
                 {d.line}};
  return out;
}

// ---- recovery --------------------------------------------------------------------------------

Outcome burst(Scale, bool progress) {
  Outcome out;
  constexpr Nanos kRtt = 50 * kMs;
  constexpr Nanos kStep = 250 * kUs;
  for (const std::string& cc : algorithms()) {
    Scenario s = one_link(50000000, kRtt, 1, cc, 1);
    s.name = "30 segments lost, " + cc;
    s.duration = 8 * kSec;
    LossConfig loss;
    loss.kind = LossConfig::Kind::Range;
    loss.only = LossConfig::Only::Data;
    // In the middle of a window that the link carries without a loss of its own.
    loss.after = 5 * kSec;
    loss.count = 30;
    s.links[0].losses.push_back(loss);
    s.flows[0].sndbuf = 280000;
    s.links[0].queue.limit_bdp = 8;
    Simulation sim(s);
    Nanos begin = 0, end = 0;
    uint32_t window = 0;
    sim.every(kStep, [&](Nanos t) {
      if (t < loss.after || end != 0) return;
      const atcp_conn_info& n = sim.flow(0).info();
      if (begin == 0 && n.ca_state == kInRecovery) {
        begin = t;
        window = n.packets_out;
      }
      if (begin != 0 && n.ca_state != kInRecovery) end = t;
    });
    sim.run(progress);
    const atcp_conn_info& n = sim.flow(0).info();
    const double rtts = static_cast<double>(end - begin) / static_cast<double>(kRtt);
    const uint64_t timeouts = sim.host("a").counter("TCPTimeouts");
    out.findings.push_back(
        {cc, "≤ 2 round trips, 30 sent again, no timeout",
         end == 0 ? "never"
                  : fmt::format("{:.2f} round trips of a window of {}, {} sent again, {} timeouts",
                                rtts, window, n.total_retrans, timeouts),
         end != 0 && rtts <= 2 && timeouts == 0 && n.total_retrans == 30});
  }
  return out;
}

// ---- many ------------------------------------------------------------------------------------

Outcome many(Scale scale, bool progress) {
  Outcome out;
  const bool full = scale == Scale::Full;
  const uint32_t flows = full ? 10000 : 500;
  Scenario s = one_link(full ? 10000000000 : 500000000, 40 * kMs, 1, "cubic", flows);
  s.name = fmt::format("{} flows", flows);
  s.flows[0].stagger = 100 * kUs;
  s.duration = (full ? 60 : 5) * kSec;
  s.warmup = s.duration / 6;
  Simulation sim(s);
  const Result r = sim.run(progress);
  const auto starved =
      std::ranges::count_if(r.flows, [](const FlowResult& f) { return f.goodput_bps == 0; });
  const double limit = full ? 600 : 30;
  out.findings.push_back(
      {fmt::format("{} flows of cubic, {:g} s, {:g} Gbit/s", flows, r.duration_s,
                   static_cast<double>(s.links[0].rate) / 1e9),
       fmt::format("< {:g} s of one CPU, link used ≥ 95 %, nobody starves", limit),
       fmt::format("{:.0f} s, {:.1f} %, {} starved, Jain {:.3f}", r.cpu_s,
                   r.links[0].utilisation * 100, starved, r.jain),
       r.cpu_s < limit && r.links[0].utilisation >= 0.95 && starved == 0});
  return out;
}

}  // namespace

const std::vector<Claim>& claims() {
  static const std::vector<Claim> kAll = {
      {"reno-law", "reno's window is C/√p (Mathis et al. 1997), C = √(3/2)", nothing_missing,
       reno_law},
      {"cubic-law", "cubic's window is that of RFC 9438 5.1", nothing_missing, cubic_law},
      {"fairness", "8 equal flows share a link: Jain's index", nothing_missing, fairness},
      {"convergence",
       "how long after its start a flow that joins another has at least 80 % of its half, over 20 "
       "s",
       nothing_missing, convergence},
      {"queue", "the queue before a deep buffer", nothing_missing, queues},
      {"dctcp", "dctcp holds the queue near the threshold", dctcp_missing, dctcp_queue},
      {"burst", "30 segments lost in a row are repaired, from detection on", nothing_missing,
       burst},
      {"many", "many flows through one link", nothing_missing, many},
  };
  return kAll;
}

}  // namespace atcp::sim
