// SPDX-License-Identifier: GPL-2.0
//
// What an ACK costs a sender, with 1000, 10 000 and 100 000 segments in flight of which every hundredth is
// lost: each ACK reports one more segment above the holes, in three SACK blocks as a receiver writes them. Flat is
// what is wanted: a cost that grows with what is outstanding lets a peer's ACKs take a processor. The port is
// the tests' own, so figures are for comparing with each other. Run by `make bench-acks`; no sanitizer.
#include <benchmark/benchmark.h>

#include <memory>

#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

constexpr uint32_t kEvery = 100;  ///< one segment of so many is lost
constexpr uint32_t kBlocks = 3;

/// A connection with n segments in the network.
class Flight : public RawConnTest {
 public:
  explicit Flight(uint32_t n) {
    srv.set("early_retrans", "0");
    open_with({.wscale = 14});
    wnd = 65535;
    peer(0, 0);
    const_cast<Tcb&>(s.tcb()).cc.cwnd = n;
    s.conn().sndbuf = 1u << 30;
    s.conn().sndbuf_locked = true;
    // One piece for each segment: the most nodes that so many can be, and nothing to be cut meanwhile.
    const std::string part(kMss, 'd');
    for (uint32_t i = 0; i < n; i++) {
      s.send(part);
      replies.clear();
    }
    net.run(20 * kMs);
  }
  void TestBody() override {}
  uint32_t in_flight() const { return s.tcb().packets_out; }
  /// Segment i has arrived; the first hole is at 0, and then at every hundredth.
  void arrives(uint32_t i) {
    atcp_seg seg = {};
    seg.seq = theirs(0);
    seg.ack = at(0);
    seg.wnd = wnd;
    seg.flags = ATCP_ACK;
    seg.segs = 1;
    seg.has = ATCP_OPT_SACK;
    const uint32_t run = i / kEvery * kEvery;
    seg.sack[0] = {at((run + 1) * kMss), at((i + 1) * kMss)};
    seg.n_sack = 1;
    for (uint32_t b = 1; b < kBlocks && run >= b * kEvery; b++, seg.n_sack++) {
      const uint32_t older = run - b * kEvery;
      seg.sack[b] = {at((older + 1) * kMss), at((older + kEvery) * kMss)};
    }
    FakePkt& pkt = FakeOs::the().new_pkt({});
    pkt.where = FakePkt::Where::Core;
    Border border("ack");
    FakeConn& c = s.conn();
    const bool was = c.locked;
    c.locked = true;
    input(const_cast<Tcb&>(s.tcb()), seg, &pkt.pkt, Now(net.now()));
    c.locked = was;
    replies.clear();
  }
};

void BM_Ack(benchmark::State& state) {
  const uint32_t n = static_cast<uint32_t>(state.range(0));
  uint64_t acks = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto flight = std::make_unique<Flight>(n);
    if (flight->in_flight() != n) {
      state.SkipWithError(
          ("only " + std::to_string(flight->in_flight()) + " segments left").c_str());
      break;
    }
    state.ResumeTiming();
    for (uint32_t i = 0; i < n; i++) {
      if (i % kEvery == 0) continue;
      flight->arrives(i);
      acks++;
    }
    state.PauseTiming();
    flight.reset();
    state.ResumeTiming();
  }
  state.counters["per_ack"] = benchmark::Counter(
      static_cast<double>(acks), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_Ack)->Arg(1000)->Arg(10000)->Arg(100000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace atcp::test

BENCHMARK_MAIN();
