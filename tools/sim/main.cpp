// SPDX-License-Identifier: GPL-2.0
//
// atcp-sim: the command line. A scenario file, or flags for two hosts with a link between them; or the table of claims.
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "claims.h"
#include "flags.h"
#include "report.h"
#include "trace.h"

namespace atcp::sim {
namespace {

void add_flags(CLI::App& app, Flags& f) {
  app.add_option("scenario", f.file,
                 "a scenario in JSON; without one, the flags below describe it");
  app.add_option("--rate", f.rate, "of the link, in both directions")->capture_default_str();
  app.add_option("--delay", f.delay, "of the link, one way")->capture_default_str();
  app.add_option("--buffer", f.buffer, "bytes, 100p (packets) or 1bdp")->capture_default_str();
  app.add_option("--queue", f.queue, "drop-tail, step, red or codel")->capture_default_str();
  app.add_option("--mark", f.mark, "step: mark above so many bytes")->capture_default_str();
  app.add_option("--loss", f.loss, "probability of loss");
  app.add_option("--gilbert", f.gilbert, "bursts: probabilities of good to bad, and of bad to good")
      ->expected(2);
  app.add_option("--loss-trace", f.loss_trace, "file of 0 and 1, packet by packet")
      ->check(CLI::ExistingFile);
  app.add_option("--ack-loss", f.ack_loss, "probability of loss of an ACK on the way back");
  app.add_option("--ack-compress", f.ack_compress, "ACKs come in bunches, one each so long");
  app.add_option("--reorder", f.reorder, "probability of being overtaken, by up to 10 ms");
  app.add_option("--duplicate", f.duplicate, "probability of coming twice");
  app.add_option("--flows", f.flows, "flows")->capture_default_str();
  app.add_option("--app", f.app, "what they do: bulk, requests or on-off")->capture_default_str();
  app.add_option("--bytes", f.bytes, "bulk: so many, then close; requests: of an answer");
  app.add_option("--stagger", f.stagger, "time between the starts of flows");
  app.add_option("--cc", f.cc, "congestion control (--algorithms lists them)");
  app.add_option("--gro", f.gro, "receivers merge what arrives within this time");
  app.add_option("--set", f.params, "NAME=VALUE: parameter of all hosts, as in `atcp params`");
  app.add_option("--duration", f.duration, "simulated time (10s)");
  app.add_option("--warmup", f.warmup, "not measured");
  app.add_option("--seed", f.seed, "of all random numbers (1)");
  app.add_option("--csv", f.csv, "PREFIX of -flows.csv and -links.csv");
  app.add_option("--interval", f.interval, "between samples (10ms)");
  app.add_option("--pcap", f.pcap, "capture at the first host");
  app.add_option("--plot", f.plot, "SVG by gnuplot; needs --csv");
  app.add_option("--rows", f.rows, "flows in the table")->capture_default_str();
  app.add_flag("--progress", f.progress, "a line on stderr, also if it is no terminal");
  app.add_option("--claims", f.claims, "run the table of claims: quick or full");
  app.add_option("--only", f.only, "of the claims, this one");
  app.add_option("--docs", f.docs,
                 "folder whose simulation.md and pictures are renewed by the claims");
  app.add_flag("--print", f.print, "print the scenario that the flags describe, as JSON, and exit");
  app.add_flag("--algorithms", f.algorithms, "list the congestion controls and exit");
}

int run(const Flags& f) {
  if (f.algorithms) {
    for (const std::string& name : algorithms())
      puts(name.c_str());
    return 0;
  }
  if (f.print) {
    puts(describe(f).c_str());
    return 0;
  }
  const bool progress = f.progress || isatty(STDERR_FILENO) != 0;
  if (!f.claims.empty()) {
    if (f.claims != "quick" && f.claims != "full") throw std::runtime_error("--claims quick|full");
    return run_claims(f.claims == "full" ? Scale::Full : Scale::Quick, f.docs, f.only, progress) !=
           0;
  }
  const Scenario s = make_scenario(f);
  Result r;
  {
    Simulation sim(s);
    std::unique_ptr<CsvTrace> trace;
    if (!s.output.csv.empty()) trace = std::make_unique<CsvTrace>(sim, s.output);
    r = sim.run(progress);
  }
  fputs(report(r, f.rows, true).c_str(), stdout);
  if (!s.output.plot.empty()) plot(s, s.output.csv, s.output.plot);
  return 0;
}

int main_of(int argc, char** argv) {
  CLI::App app("Simulate flows of atcp's own core over a network in virtual time", "atcp-sim");
  Flags f;
  add_flags(app, f);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(f);
  } catch (const std::exception& e) {
    fprintf(stderr, "atcp-sim: %s\n", e.what());
    return 1;
  }
}

}  // namespace
}  // namespace atcp::sim

int main(int argc, char** argv) {
  return atcp::sim::main_of(argc, argv);
}
