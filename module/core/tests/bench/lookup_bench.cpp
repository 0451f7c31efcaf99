// SPDX-License-Identifier: GPL-2.0
//
// What a lookup in the established table costs, in nanoseconds: 1 k, 100 k and 1 M entries at the density that the
// table gives itself, found and not found, in random order so that large tables miss the caches; and how long
// writers and a resize take. Run by `make bench-tables`; no sanitizer.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <vector>

#include "table/ehash.h"
#include "tests/stress/thread_os.h"

namespace atcp {
namespace {

constexpr uint32_t kEntryBytes =
    192;  ///< apart as requests are, so that each has cache lines of its own

atcp_tuple tuple(uint32_t n) {
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = 0x0100000a;
  t.raddr.v4 = n * 2654435761u;
  t.lport = 80;
  t.rport = static_cast<uint16_t>(n);
  return t;
}

class Table {
 public:
  explicit Table(uint32_t entries, bool grown = true) : memory_(entries * kEntryBytes) {
    hash.init(&ns, 4096, 0, grown ? Ehash::kMaxBuckets : 4096, SipKey{{1, 2}});
    for (uint32_t i = 0; i < entries; i++) {
      Endpoint& e = at(i);
      e.kind = EntryKind::Request;
      e.refs = 1;
      set_tuple(e, tuple(i));
      hash.insert(e);
      if (ns.work.exchange(false)) hash.resize();
    }
  }
  ~Table() { hash.fini(); }
  Endpoint& at(uint32_t i) {
    return *reinterpret_cast<Endpoint*>(&memory_[static_cast<size_t>(i) * kEntryBytes]);
  }
  CoreThread self;
  atcp_osns ns;
  Ehash hash;

 private:
  std::vector<char> memory_;
};

std::vector<atcp_tuple> questions(uint32_t entries, bool known) {
  std::mt19937 rng(1);
  std::vector<atcp_tuple> q(1u << 16);
  for (atcp_tuple& t : q)
    t = tuple(rng() % entries + (known ? 0 : entries));
  return q;
}

void lookups(benchmark::State& state, bool known) {
  const auto entries = static_cast<uint32_t>(state.range(0));
  Table t(entries);
  const std::vector<atcp_tuple> q = questions(entries, known);
  size_t i = 0;
  uint64_t found = 0;
  for (auto _ : state) {
    atcp_os_rcu_lock();
    Endpoint* e = t.hash.lookup(q[i++ % q.size()]);
    if (e != nullptr) {
      (void)endpoint_put(*e);
      found++;
    }
    atcp_os_rcu_unlock();
  }
  if ((found != 0) != known) state.SkipWithError("wrong answers");
  state.counters["buckets"] = t.hash.buckets();
}

void found(benchmark::State& state) {
  lookups(state, true);
}
void not_found(benchmark::State& state) {
  lookups(state, false);
}

void insert_remove(benchmark::State& state) {
  const auto entries = static_cast<uint32_t>(state.range(0));
  Table t(entries);
  std::mt19937 rng(1);
  for (auto _ : state) {
    Endpoint& e = t.at(rng() % entries);
    t.hash.remove(e);
    t.hash.insert(e);
  }
}

/// To half the buckets and back.
void resize_twice(benchmark::State& state) {
  const auto entries = static_cast<uint32_t>(state.range(0));
  Table t(entries);
  const uint32_t have = t.hash.buckets();
  for (auto _ : state) {
    for (const uint32_t most : {have / 2, have}) {
      t.hash.set_limits(1, most);
      t.hash.resize();
    }
  }
}

BENCHMARK(found)->Arg(1000)->Arg(100000)->Arg(1000000);
BENCHMARK(not_found)->Arg(1000)->Arg(100000)->Arg(1000000);
BENCHMARK(insert_remove)->Arg(1000)->Arg(100000)->Arg(1000000);
BENCHMARK(resize_twice)->Arg(10000)->Arg(100000)->Arg(1000000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace atcp

BENCHMARK_MAIN();
