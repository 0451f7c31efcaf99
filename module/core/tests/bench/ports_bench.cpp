// SPDX-License-Identifier: GPL-2.0
//
// What it costs connect() to find a port, or to find that there is none, with the range all but empty, half full
// and full of connections to the same peer; and what a child of a listener costs bind's table.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "table/ehash.h"
#include "table/port_table.h"
#include "tests/stress/thread_os.h"

namespace atcp {
namespace {

constexpr uint16_t kLow = 32768;
constexpr uint16_t kHigh = 60999;  // Linux's default range
constexpr uint32_t kRange = kHigh - kLow + 1;

struct Peer {
  CoreThread self;
  atcp_osns ns;
  Ehash hash;
  PortTable ports;
  std::vector<Endpoint> entries{kRange};
  std::vector<BindNode> nodes{kRange};
  uint32_t used = 0;

  Peer() {
    hash.init(&ns, 4096, 0, Ehash::kMaxBuckets, SipKey{{1, 2}});
    ports.init(SipKey{{3, 4}});
  }
  ~Peer() {
    for (BindNode& n : nodes)
      ports.unbind(n);
    ports.fini();
    hash.fini();
  }
  /// As conn/open.cpp does it.
  bool connect(Endpoint& e, BindNode& n) {
    atcp_tuple t = {};
    t.family = ATCP_AF_INET;
    t.laddr.v4 = 1;
    t.raddr.v4 = 2;
    t.rport = 80;
    e.kind = EntryKind::Request;
    e.refs = 1;
    return ports.connect(
        n, t, kLow, kHigh,
        [&](uint16_t port) {
          t.lport = port;
          atcp_os_rcu_lock();
          const bool free = hash.peek(t) == nullptr;
          atcp_os_rcu_unlock();
          return free;
        },
        [&](uint16_t) {
          set_tuple(e, t);
          return hash.insert(e);
        });
  }
  void fill(uint32_t n) {
    for (; used < n; used++) {
      connect(entries[used], nodes[used]);
      if (ns.work.exchange(false)) hash.resize();
    }
  }
};

/// range(0): per cent of the range in use.
void choose_port(benchmark::State& state) {
  Peer p;
  p.fill(kRange / 100 * static_cast<uint32_t>(state.range(0)));
  if (state.range(0) == 100) p.fill(kRange);
  for (auto _ : state) {
    Endpoint e = {};
    BindNode n = {};
    if (p.connect(e, n)) {
      p.hash.remove(e);
      p.ports.unbind(n);
    }
  }
}

void child_of_a_listener(benchmark::State& state) {
  static PortTable* table;
  static BindNode listener;
  CoreThread self;
  if (state.thread_index() == 0) {
    table = new PortTable;
    table->init(SipKey{{3, 4}});
    uint16_t port = 80;
    listener = {};
    table->bind(listener, 0, &port, 0, 0, 1, 1);
  }
  for (auto _ : state) {
    BindNode child = {};
    child.laddr = 1;
    benchmark::DoNotOptimize(table->inherit(child, listener, child.laddr));
    table->unbind(child);
  }
  if (state.thread_index() == 0) {
    table->unbind(listener);
    table->fini();
    delete table;
  }
}

BENCHMARK(choose_port)->Arg(1)->Arg(50)->Arg(90)->Arg(99)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK(child_of_a_listener)->Threads(1)->Threads(2);

}  // namespace
}  // namespace atcp
