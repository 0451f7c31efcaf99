// SPDX-License-Identifier: GPL-2.0
//
// RACK-TLP (RFC 8985) and F-RTO (RFC 5682) against a hand-written peer: what time alone makes a loss, what
// reordering teaches, the probe of a flight's tail, and timeouts that turn out to have been needless.
#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

struct Rack : RawConnTest {
  const Tcb& t() const { return s.tcb(); }
  /// n segments in the network, sent `gap_us` apart, the first of them 20 ms ago or longer.
  void spaced(uint32_t n, uint64_t gap_us, const Offer& o = {}) {
    open_with(o);
    for (uint32_t i = 0; i < n; i++) {
      write_segs(1);
      ASSERT_EQ(segs_out(), Segs{i});
      net.run(gap_us * kUs);
    }
    net.run(20 * kMs);
  }
  void flight(uint32_t n, const Offer& o = {}) {
    open_with(o);
    write_segs(n);
    ASSERT_EQ(segs_out().size(), n);
    net.run(20 * kMs);
  }
  /// Until something leaves, at most so long. Its time since now, in ms.
  uint64_t wait_ms(uint64_t limit_ms) {
    replies.clear();
    const uint64_t begin = net.now();
    net.run_until([&] { return !replies.empty(); }, limit_ms * kMs);
    return (net.now() - begin) / kMs;
  }
};

// ---- reordering window ---------------------------------------------------------------------

TEST_F(Rack, TimeAloneMakesALoss) {
  // One SACK is less than three duplicates; a quarter of an RTT later the hole is a loss all the same.
  flight(2);
  ack_segs(0, {{1, 2}});
  expect_silence();
  EXPECT_EQ(t().lost_out, 0u);
  EXPECT_EQ(t().ca_state, CaState::Disorder);
  EXPECT_NEAR(static_cast<double>(wait_ms(100)), 5, 1);
  EXPECT_EQ(segs_out(), Segs{0});
  EXPECT_EQ(t().ca_state, CaState::Recovery);
  EXPECT_EQ(srv.counter("TCPTimeouts"), 0u);
  ack_segs(2);
  EXPECT_EQ(t().ca_state, CaState::Open);
}

TEST_F(Rack, WhatWasSentLaterIsNotLost) {
  spaced(8, 10000);
  // Three later ones have arrived: what was sent before them is lost, what was sent after them is not.
  ack_segs(0, {{2, 5}});
  EXPECT_EQ(t().lost_out, 2u);
  EXPECT_EQ(t().sacked_out, 3u);
  const Segs out = segs_out();
  ASSERT_FALSE(out.empty());
  EXPECT_EQ(out.front(), 0u);
}

TEST_F(Rack, DuplicatesJudgeAnewAfterAnUndo) {
  srv.set("recovery", "0");
  srv.set("early_retrans", "0");
  flight(10, {.ts = true});
  for (uint32_t n = 5; n <= 8; n++)
    ack_segs(0, {{2, n}});
  EXPECT_EQ(t().retrans_out, 2u);
  EXPECT_EQ(srv.counter("RetransSegs"), 2u);
  // The original of the first was only late, so says the echoed timestamp: nothing is lost any more. But the second, which in
  // the order of sending is now behind pieces with higher numbers, has as many above it as before.
  ack_segs(1, {{2, 8}});
  EXPECT_EQ(srv.counter("RetransSegs"), 3u);
  EXPECT_EQ(t().lost_out, 1u);
  EXPECT_EQ(t().ca_state, CaState::Recovery);
}

TEST_F(Rack, ReorderingThatWasSeenWidensTheWindow) {
  spaced(4, 1000);
  ack_segs(0, {{1, 2}});
  ack_segs(2);  // the first was only late, and has not been sent again
  EXPECT_EQ(t().total_retrans, 0u);
  EXPECT_TRUE(t().rack.reordering_seen);
  ack_segs(4);
  write_segs(6);
  (void)segs_out();
  net.run(20 * kMs);
  for (uint32_t n : {6, 7, 8})
    ack_segs(4, {{5, n}});
  // Three duplicates are no longer enough.
  expect_silence();
  EXPECT_GE(rack_reo_wnd_us(t()), 4000u);
  const uint64_t ms = wait_ms(100);
  EXPECT_GE(ms, 4u);
  EXPECT_LE(ms, 6u);
  EXPECT_EQ(segs_out().front(), 4u);
}

TEST_F(Rack, OneAckShowsNoReordering) {
  // Acknowledged and SACKed by the same ACK: nobody knows what came first.
  spaced(6, 1000);
  ack_segs(2, {{4, 5}, {3, 4}});
  EXPECT_FALSE(t().rack.reordering_seen);
  ack_segs(5);
  EXPECT_TRUE(t().rack.reordering_seen);
}

TEST_F(Rack, ADsackWidensItFurtherForSixteenRecoveries) {
  flight(10);
  for (uint32_t n : {2, 3, 4})
    ack_segs(0, {{1, n}});
  ASSERT_EQ(segs_out(), Segs{0});
  ack_segs(4, {{0, 1}});  // it was needless
  EXPECT_EQ(t().rack.reo_wnd_mult, 1u);
  EXPECT_EQ(t().rack.reo_wnd_persist, 16u);
  ack_segs(5, {{0, 1}});  // once per round trip
  EXPECT_EQ(t().rack.reo_wnd_mult, 1u);
  Tcb& c = const_cast<Tcb&>(t());
  for (uint32_t i = 0; i < 15; i++)
    rack_recovered(c);
  EXPECT_EQ(t().rack.reo_wnd_mult, 1u);
  rack_recovered(c);
  EXPECT_EQ(t().rack.reo_wnd_mult, 0u);
}

TEST_F(Rack, ARetransmissionIsLostByTimeToo) {
  flight(10);
  for (uint32_t n : {2, 3, 4})
    ack_segs(0, {{1, n}});
  ASSERT_EQ(segs_out(), Segs{0});
  write_segs(6);
  net.run(10 * kMs);
  Segs fresh;
  for (uint32_t n = 5; n <= 10; n++) {
    ack_segs(0, {{1, n}});
    for (const uint32_t i : segs_out())
      fresh.push_back(i);
  }
  ASSERT_FALSE(fresh.empty());
  ASSERT_EQ(fresh.front(), 10u);
  net.run(20 * kMs);
  ack_segs(0, {{1, 11}});  // new data, sent 10 ms after the retransmission, has overtaken it
  EXPECT_EQ(srv.counter("TCPLostRetransmit"), 1u);
  const Segs out = segs_out();
  ASSERT_FALSE(out.empty());
  EXPECT_EQ(out.front(), 0u);
}

TEST_F(Rack, ThirtyLostInARowAreBackInTwoRoundTrips) {
  srv.set("init_cwnd", "100");
  flight(100, {.mss = 536});
  const uint64_t detected = net.now();
  Segs out;
  const auto collect = [&] {
    for (const uint32_t i : segs_out())
      out.push_back(i);
  };
  for (uint32_t n = 51; n <= 100; n++) {  // 20 to 49 are gone
    ack_segs(20, {{50, n}});
    collect();
  }
  EXPECT_EQ(t().ca_state, CaState::Recovery);
  uint32_t have = 20;
  for (int round = 0; round < 2 && have < 50; round++) {
    Segs arriving;
    arriving.swap(out);
    net.run(20 * kMs);
    for (const uint32_t i : arriving) {
      ASSERT_EQ(i, have);
      have++;
      ack_segs(have == 50 ? 100 : have, {{50, 100}});
      collect();
    }
  }
  EXPECT_EQ(have, 50u);
  EXPECT_LE(net.now() - detected, 41 * kMs);
  EXPECT_EQ(t().total_retrans, 30u);
  EXPECT_EQ(srv.counter("TCPTimeouts"), 0u);
}

// ---- probes of the tail --------------------------------------------------------------------

TEST_F(Rack, TheTailIsProbedBeforeTheTimeout) {
  flight(4);
  ack_segs(3);  // the last one is lost: no SACK will ever show it
  replies.clear();
  const uint64_t ms = wait_ms(1000);
  EXPECT_GE(ms, 200u);  // one segment alone: its ACK may be held back by the peer
  EXPECT_LE(ms, 260u);
  EXPECT_EQ(segs_out(), Segs{3});
  EXPECT_EQ(srv.counter("TCPLossProbes"), 1u);
  EXPECT_EQ(srv.counter("TCPTimeouts"), 0u);
  EXPECT_EQ(t().ca_state, CaState::Open);
}

TEST_F(Rack, AProbeOfALongerTailComesAfterTwoRoundTrips) {
  flight(10);
  const uint64_t srtt_ms = t().rtt.srtt_us() / 1000;
  const uint64_t ms = wait_ms(1000) + 20;
  EXPECT_NEAR(static_cast<double>(ms), static_cast<double>(2 * srtt_ms + 8), 2);
  EXPECT_EQ(segs_out(), Segs{9});  // the highest, whose SACK shows the others lost
  net.run(20 * kMs);
  ack_segs(0, {{9, 10}});
  net.run(10 * kMs);
  EXPECT_EQ(t().ca_state, CaState::Recovery);
  EXPECT_EQ(srv.counter("TCPTimeouts"), 0u);
}

TEST_F(Rack, NewDataIsTheBetterProbe) {
  flight(10);  // cwnd is full
  write_segs(2);
  EXPECT_TRUE(replies.empty());
  (void)wait_ms(1000);
  EXPECT_EQ(segs_out(), Segs{10});
  EXPECT_EQ(t().total_retrans, 0u);
  EXPECT_EQ(srv.counter("TCPLossProbes"), 1u);
}

TEST_F(Rack, OneProbeOnly) {
  flight(2);
  (void)wait_ms(1000);
  ASSERT_EQ(segs_out(), Segs{1});
  (void)wait_ms(5000);
  EXPECT_EQ(segs_out(), Segs{0});  // the timeout
  EXPECT_EQ(srv.counter("TCPLossProbes"), 1u);
  EXPECT_EQ(t().ca_state, CaState::Loss);
}

TEST_F(Rack, AProbeThatRepairedALossHalvesTheWindow) {
  flight(10);
  (void)wait_ms(1000);
  ASSERT_EQ(segs_out(), Segs{9});
  net.run(20 * kMs);
  ack_segs(10);  // of the original or of the probe?
  EXPECT_EQ(t().cc.ssthresh, kSsthreshInfinite);
  write_segs(1);
  net.run(20 * kMs);
  ack_segs(11);  // no DSACK came: of the probe
  EXPECT_EQ(srv.counter("TCPLossProbeRecovery"), 1u);
  EXPECT_LT(t().cc.ssthresh, kSsthreshInfinite);
  EXPECT_LE(t().cc.cwnd, t().cc.ssthresh + 1);
}

TEST_F(Rack, ANeedlessProbeCostsNothing) {
  flight(10);
  (void)wait_ms(1000);
  ASSERT_EQ(segs_out(), Segs{9});
  ack_segs(10);
  ack_segs(10, {{9, 10}});  // DSACK: both have arrived
  write_segs(1);
  net.run(20 * kMs);
  ack_segs(11);
  EXPECT_EQ(srv.counter("TCPLossProbeRecovery"), 0u);
  EXPECT_EQ(t().cc.ssthresh, kSsthreshInfinite);
}

TEST_F(Rack, NoProbeWithoutSackOrByParameter) {
  for (const bool sack : {false, true}) {
    SCOPED_TRACE(sack);
    if (sack) srv.set("early_retrans", "0");
    flight(2, {.sack = sack});
    (void)wait_ms(5000);
    EXPECT_EQ(segs_out(), Segs{0});
    EXPECT_EQ(srv.counter("TCPLossProbes"), 0u);
    s.close(true);
    listener.close();
    replies.clear();
  }
}

// ---- F-RTO ---------------------------------------------------------------------------------

struct Frto : Rack {
  Frto() { srv.set("early_retrans", "0"); }
  /// Ten segments, and a timeout of the first.
  void timed_out(uint32_t unsent) {
    flight(10);
    write_segs(unsent);
    replies.clear();
    net.run(t().rto_us() * kUs);
    ASSERT_EQ(segs_out(), Segs{0});
    ASSERT_EQ(t().ca_state, CaState::Loss);
    net.run(5 * kMs);
  }
};

TEST_F(Frto, AnAckOfWhatWasSentOnceUndoesTheTimeout) {
  timed_out(0);
  ack_segs(3);  // only the first was sent again: the other two are originals
  EXPECT_EQ(t().ca_state, CaState::Open);
  EXPECT_GE(t().cc.cwnd, 10u);
  EXPECT_EQ(t().cc.ssthresh, kSsthreshInfinite);
  EXPECT_EQ(t().lost_out, 0u);
  EXPECT_EQ(t().total_retrans, 1u);
  EXPECT_EQ(srv.counter("TCPSpuriousRTOs"), 1u);
}

TEST_F(Frto, NewDataIsSentToFindOut) {
  timed_out(4);
  ack_segs(1);  // no evidence yet: two new ones instead of what may be lost
  EXPECT_EQ(segs_out(), (Segs{10, 11}));
  EXPECT_EQ(t().total_retrans, 1u);
  net.run(5 * kMs);
  ack_segs(4);  // originals: the path was only slow
  EXPECT_EQ(t().ca_state, CaState::Open);
  EXPECT_EQ(t().cc.ssthresh, kSsthreshInfinite);
  EXPECT_EQ(srv.counter("TCPSpuriousRTOs"), 1u);
}

TEST_F(Frto, NewDataThatIsSackedShowsThatTheTimeoutWasRight) {
  timed_out(4);
  ack_segs(1);
  ASSERT_EQ(segs_out(), (Segs{10, 11}));
  net.run(5 * kMs);
  ack_segs(1, {{10, 11}});
  EXPECT_EQ(t().ca_state, CaState::Loss);
  const Segs out = segs_out();
  ASSERT_FALSE(out.empty());
  EXPECT_EQ(out.front(), 1u);
  EXPECT_EQ(srv.counter("TCPSpuriousRTOs"), 0u);
}

TEST_F(Frto, ByParameter) {
  srv.set("frto", "0");
  timed_out(0);
  ack_segs(3);
  EXPECT_EQ(t().ca_state, CaState::Loss);
  EXPECT_EQ(srv.counter("TCPSpuriousRTOs"), 0u);
}

// ---- what is outstanding -------------------------------------------------------------------

TEST_F(Rack, CountsAndQueuesAgreeWhateverTheAcksSay) {
  // Any order of SACK blocks, timeouts and new data: marks, counts and queues are one thing.
  uint32_t x = 12345;
  const auto random = [&x](uint32_t n) { return (x = x * 1664525 + 1013904223) / 65536 % n; };
  srv.set("init_cwnd", "30");
  open_with({});
  uint32_t written = 0, acked = 0;
  for (int step = 0; step < 3000; step++) {
    if (written - acked < 60) {
      const uint32_t n = 1 + random(8);
      write_segs(n);
      written += n;
    }
    const uint32_t mss = t().mss;
    const uint32_t sent = (t().snd_nxt - Seq(at(0))) / static_cast<int32_t>(mss);
    if (random(4) == 0) net.run((1 + random(400)) * kMs);
    if (sent > acked && random(8) == 0) acked += 1 + random(min(sent - acked, 4u));
    if (sent > acked + 2) {
      const uint32_t from = acked + 1 + random(sent - acked - 2);
      ack_segs(acked, {{from, from + 1 + random(sent - from)}});
    } else {
      ack_segs(acked);
    }
    uint32_t packets = 0, sacked = 0, lost = 0, again = 0, in_net = 0, waiting = 0;
    Tcb& c = const_cast<Tcb&>(s.tcb());
    for (TxSeg* p = c.tx.first(); p != nullptr && p->has(TxSeg::kSent); p = Treap<TxSeg>::next(p)) {
      packets += p->segs;
      if (p->has(TxSeg::kSacked)) sacked += p->segs;
      if (p->has(TxSeg::kLost)) lost += p->segs;
      if (p->has(TxSeg::kInNetAgain)) again += p->segs;
      in_net += !p->has(TxSeg::kSacked) && (!p->has(TxSeg::kLost) || p->has(TxSeg::kInNetAgain));
      waiting += p->has(TxSeg::kLost) && !p->has(TxSeg::kInNetAgain);
    }
    ASSERT_EQ(packets, c.packets_out) << step;
    ASSERT_EQ(sacked, c.sacked_out) << step;
    ASSERT_EQ(lost, c.lost_out) << step;
    ASSERT_EQ(again, c.retrans_out) << step;
    uint64_t last_us = 0;
    for (TxSeg* p = c.sent_list.first(); p != nullptr; p = TxList::next(*p)) {
      ASSERT_GE(p->sent_us + 1, last_us) << step;
      last_us = p->sent_us;
      in_net--;
    }
    for (TxSeg* p = c.lost_list.first(); p != nullptr; p = TxList::next(*p))
      waiting--;
    ASSERT_EQ(in_net, 0u) << step;
    ASSERT_EQ(waiting, 0u) << step;
  }
}

}  // namespace
}  // namespace atcp::test
