// SPDX-License-Identifier: GPL-2.0
//
// Losses as a sender sees them: what is sent again and when, and what becomes of cwnd and ssthresh, ACK by
// ACK against a hand-written peer. Segments are counted from 0; ten of them are a first flight.
#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

struct Recovery : RawConnTest {
  Recovery() { srv.set("early_retrans", "0"); }  // no probes of the tail: they are in rack_test.cpp
  const Tcb& t() const { return s.tcb(); }
  /// Ten segments in the network.
  void flight(const Offer& o) {
    open_with(o);
    write_segs(10);
    ASSERT_EQ(segs_out(), (Segs{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
    ASSERT_EQ(t().cc.cwnd, 10u);
    net.run(20 * kMs);
  }
  /// The first is lost, the three after it are SACKed.
  void fast_retransmit(const Offer& o) {
    flight(o);
    for (uint32_t n : {2, 3, 4})
      ack_segs(0, {{1, n}});
    ASSERT_EQ(segs_out(), Segs{0});
    ASSERT_EQ(t().ca_state, CaState::Recovery);
  }
  void run_rto() {
    replies.clear();
    net.run(t().rto_us() * kUs);
  }
};

TEST_F(Recovery, ThirdSackIsALoss) {
  flight({});
  ack_segs(0, {{1, 2}});
  expect_silence();
  EXPECT_EQ(t().ca_state, CaState::Disorder);
  ack_segs(0, {{1, 3}});
  expect_silence();
  EXPECT_EQ(t().cc.cwnd, 10u);  // RFC 5681 3.2: duplicates do not open it
  EXPECT_GT(t().cc.ssthresh, 1000u);
  ack_segs(0, {{1, 4}});
  EXPECT_EQ(segs_out(), Segs{0});
  EXPECT_EQ(t().ca_state, CaState::Recovery);
  EXPECT_EQ(t().cc.ssthresh, 5u);
  EXPECT_EQ(t().prior_cwnd, 10u);
  EXPECT_EQ(t().cc.cwnd, 7u);  // six still out, and one more for one delivered of two
  EXPECT_EQ(t().high_seq, Seq(at(10 * kMss)));
  EXPECT_EQ(srv.counter("TCPSackRecovery"), 1u);
  EXPECT_EQ(srv.counter("TCPFastRetrans"), 1u);
  ack_segs(0, {{1, 10}});
  expect_silence();
  ack_segs(10);
  EXPECT_EQ(t().ca_state, CaState::Open);
  EXPECT_EQ(t().cc.cwnd, 5u);
  EXPECT_EQ(t().cc.ssthresh, 5u);
  EXPECT_EQ(t().total_retrans, 1u);
  EXPECT_EQ(t().packets_out + t().sacked_out + t().lost_out + t().retrans_out, 0u);
}

TEST_F(Recovery, ThirdDuplicateAckIsALossWithoutSack) {
  flight({.sack = false});
  ack_segs(0);
  ack_segs(0);
  expect_silence();
  EXPECT_EQ(t().ca_state, CaState::Disorder);
  ack_segs(0);
  EXPECT_EQ(segs_out(), Segs{0});
  EXPECT_EQ(t().ca_state, CaState::Recovery);
  EXPECT_EQ(t().cc.ssthresh, 5u);
  EXPECT_EQ(t().cc.cwnd, 7u);
  EXPECT_EQ(srv.counter("TCPRenoRecovery"), 1u);
  ack_segs(10);
  EXPECT_EQ(t().ca_state, CaState::Open);
  EXPECT_EQ(t().cc.cwnd, 5u);
}

TEST_F(Recovery, MarksFollowTheSegmentsAsTheyWereCut) {
  // Bulk both ways: the peer's stream has a hole, so each of our segments carries a SACK block of 12 bytes and
  // that much less payload. What the peer SACKs then ends where those segments end.
  open_with({});
  peer(100, 0, "beyond a hole");
  const uint32_t cut = kMss - 12;
  write_segs(10);
  ASSERT_FALSE(replies.empty());
  for (const Emitted& e : replies) {
    EXPECT_EQ(e.mss, cut);
    EXPECT_EQ(e.seg.n_sack, 1u);
  }
  net.run(20 * kMs);
  for (uint32_t n = 1; n <= 3; n++) {
    send(segment(0, 0, "", {{cut, (n + 1) * cut}}));
    EXPECT_EQ(t().sacked_out, n);
  }
  const Emitted& again = replies.front();
  EXPECT_EQ(again.seg.seq, at(0));
  EXPECT_EQ(again.data.size(), cut);
  EXPECT_EQ(t().lost_out, 1u);
  // The next loss: neither more nor less than the sixth segment.
  send(segment(0, 4 * cut, "", {{5 * cut, 8 * cut}}));
  EXPECT_EQ(t().sacked_out, 3u);
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(replies.front().seg.seq, at(4 * cut));
  EXPECT_EQ(replies.front().data.size(), cut);
}

TEST_F(Recovery, WhatIsNoDuplicateAck) {
  // RFC 5681 2: payload, another window, or nothing outstanding.
  flight({.sack = false});
  send(segment(0, 0, "data"));
  for (uint16_t w : {59000, 58000, 57000, 56000}) {
    wnd = w;
    ack_segs(0);
  }
  EXPECT_EQ(t().sacked_out, 0u);
  EXPECT_EQ(t().ca_state, CaState::Open);
  ack_segs(10);
  for (int i = 0; i < 4; i++)
    ack_segs(10);
  EXPECT_EQ(t().sacked_out, 0u);
}

TEST_F(Recovery, NewRenoMendsOneHolePerRoundTrip) {
  flight({.sack = false});  // 0, 3 and 6 are lost: seven duplicates come
  for (int i = 0; i < 7; i++) {
    ack_segs(0);
    EXPECT_EQ(segs_out(), i == 2 ? Segs{0} : Segs{}) << i;
  }
  net.run(20 * kMs);
  ack_segs(3);
  EXPECT_EQ(segs_out(), Segs{3});
  EXPECT_EQ(t().ca_state, CaState::Recovery);
  net.run(20 * kMs);
  ack_segs(6);
  EXPECT_EQ(segs_out(), Segs{6});
  EXPECT_EQ(t().cc.ssthresh, 5u);  // one reduction, however many holes
  net.run(20 * kMs);
  ack_segs(10);
  EXPECT_EQ(t().ca_state, CaState::Open);
  EXPECT_EQ(t().cc.cwnd, 5u);
  EXPECT_EQ(t().total_retrans, 3u);
  EXPECT_EQ(srv.counter("TCPRenoRecovery"), 1u);
}

TEST_F(Recovery, SackMendsHolesAsTheyAreSeen) {
  flight({});  // 0, 2 and 4 are lost
  ack_segs(0, {{1, 2}});
  ack_segs(0, {{3, 4}, {1, 2}});
  expect_silence();
  ack_segs(0, {{5, 6}, {3, 4}, {1, 2}});
  // RFC 8985: all that was sent before what has arrived, in one flight; RFC 9937: half as many as arrive.
  EXPECT_EQ(segs_out(), Segs{0});
  EXPECT_EQ(t().lost_out, 3u);
  ack_segs(0, {{5, 7}, {3, 4}, {1, 2}});
  EXPECT_EQ(segs_out(), Segs{2});
  ack_segs(0, {{5, 8}, {3, 4}, {1, 2}});
  EXPECT_EQ(segs_out(), Segs{4});
  ack_segs(0, {{5, 10}, {3, 4}, {1, 2}});
  ack_segs(2, {{5, 10}, {3, 4}});
  ack_segs(4, {{5, 10}});
  expect_silence();
  ack_segs(10);
  EXPECT_EQ(t().total_retrans, 3u);
  EXPECT_EQ(t().ca_state, CaState::Open);
}

TEST_F(Recovery, DsackUndoesANeedlessReduction) {
  fast_retransmit({});
  ack_segs(4);  // the first was only late
  EXPECT_EQ(t().ca_state, CaState::Recovery);
  ack_segs(4, {{0, 1}});  // and it came twice
  EXPECT_EQ(t().ca_state, CaState::Open);
  EXPECT_GE(t().cc.cwnd, 10u);
  EXPECT_GT(t().cc.ssthresh, 1000u);
  EXPECT_EQ(t().lost_out, 0u);
  EXPECT_EQ(t().retrans_out, 0u);
  EXPECT_EQ(srv.counter("TCPDSACKRecv"), 1u);
}

TEST_F(Recovery, DsackOfAnEarlierEpisodeUndoesNothing) {
  open_with({});
  write_segs(1);
  ack_segs(1);
  write_segs(9);
  for (uint32_t n : {3, 4, 5})
    ack_segs(1, {{2, n}});
  ASSERT_EQ(t().ca_state, CaState::Recovery);
  ack_segs(5, {{0, 1}});
  EXPECT_EQ(t().ca_state, CaState::Recovery);
  EXPECT_EQ(t().cc.ssthresh, 5u);
}

TEST_F(Recovery, EifelUndoesANeedlessTimeout) {
  flight({.ts = true});
  echo = t().ts_now(Now(net.now()));
  run_rto();
  EXPECT_EQ(segs_out(), Segs{0});
  EXPECT_EQ(t().cc.cwnd, 1u);
  EXPECT_EQ(t().cc.ssthresh, 5u);
  net.run(5 * kMs);
  ack_segs(1);  // echoes a clock from before the retransmission
  EXPECT_EQ(t().ca_state, CaState::Open);
  EXPECT_GE(t().cc.cwnd, 10u);
  EXPECT_GT(t().cc.ssthresh, 1000u);
  EXPECT_EQ(t().lost_out, 0u);
  EXPECT_EQ(segs_out(), Segs{});
}

TEST_F(Recovery, AnEchoOfTheRetransmissionUndoesNothing) {
  flight({.ts = true});
  run_rto();
  ASSERT_EQ(replies.size(), 1u);
  echo = replies.front().seg.tsval;
  net.run(20 * kMs);
  ack_segs(1);
  EXPECT_EQ(t().ca_state, CaState::Loss);
  EXPECT_EQ(t().cc.ssthresh, 5u);
  EXPECT_EQ(t().cc.cwnd, 2u);
  EXPECT_EQ(segs_out(), (Segs{1, 2}));
}

TEST_F(Recovery, TimeoutStartsFromOneSegment) {
  for (const bool sack : {true, false}) {
    SCOPED_TRACE(sack);
    flight({.sack = sack});
    run_rto();
    EXPECT_EQ(segs_out(), Segs{0});
    EXPECT_EQ(t().ca_state, CaState::Loss);
    EXPECT_EQ(t().cc.cwnd, 1u);
    EXPECT_EQ(t().cc.ssthresh, 5u);
    net.run(20 * kMs);
    ack_segs(1);
    EXPECT_EQ(t().cc.cwnd, 2u);
    EXPECT_EQ(segs_out(), (Segs{1, 2}));
    net.run(20 * kMs);
    ack_segs(2);  // one of a piece of two: the other is still on its way
    EXPECT_EQ(t().cc.cwnd, 3u);
    EXPECT_EQ(segs_out(), (Segs{3, 4}));
    ack_segs(5);
    EXPECT_EQ(t().cc.cwnd, 5u);  // ssthresh: no doubling any more
    EXPECT_EQ(segs_out(), (Segs{5, 6, 7, 8, 9}));
    ack_segs(10);
    EXPECT_EQ(t().ca_state, CaState::Open);
    EXPECT_EQ(t().cc.cwnd, 5u);
    EXPECT_EQ(t().cc.ssthresh, 5u);
    EXPECT_EQ(t().total_retrans, 10u);
    s.close(true);
    listener.close();
    replies.clear();
  }
}

TEST_F(Recovery, TheHeadIsLostAgain) {
  open_with({});
  write_segs(20);
  ASSERT_EQ(segs_out().size(), 10u);
  net.run(20 * kMs);
  ack_segs(0, {{1, 2}});
  EXPECT_EQ(segs_out(), Segs{10});  // RFC 3042: each duplicate lets one go
  ack_segs(0, {{1, 3}});
  EXPECT_EQ(segs_out(), Segs{11});
  ack_segs(0, {{1, 4}});
  ASSERT_EQ(segs_out(), Segs{0});
  net.run(10 * kMs);
  Segs more;
  for (uint32_t n = 5; n <= 12; n++) {
    ack_segs(0, {{1, n}});
    for (const uint32_t i : segs_out())
      more.push_back(i);
  }
  ASSERT_FALSE(more.empty());
  EXPECT_EQ(more.front(), 12u);  // new data, sent later than the retransmission
  EXPECT_EQ(srv.counter("TCPLostRetransmit"), 0u);
  net.run(20 * kMs);
  ack_segs(0, {{1, 13}});
  EXPECT_EQ(srv.counter("TCPLostRetransmit"), 1u);
  const Segs again = segs_out();
  ASSERT_FALSE(again.empty());
  EXPECT_EQ(again.front(), 0u);
  EXPECT_EQ(t().cc.ssthresh, 5u);
}

TEST_F(Recovery, TimeoutInRecoveryKeepsTheFirstReduction) {
  fast_retransmit({});
  run_rto();
  EXPECT_EQ(segs_out(), Segs{0});
  EXPECT_EQ(t().ca_state, CaState::Loss);
  EXPECT_EQ(t().cc.cwnd, 1u);
  EXPECT_EQ(t().cc.ssthresh, 5u);
  EXPECT_EQ(t().sacked_out, 3u);
  ack_segs(4);
  EXPECT_EQ(segs_out().front(), 4u);  // what is SACKed is not sent again
}

TEST_F(Recovery, APeerThatTakesSackBackIsNotBelieved) {
  flight({});
  ack_segs(0, {{0, 2}});
  EXPECT_EQ(t().sacked_out, 2u);
  run_rto();
  EXPECT_EQ(srv.counter("TCPSACKReneging"), 1u);
  EXPECT_EQ(t().sacked_out, 0u);
  EXPECT_EQ(segs_out(), Segs{0});
  ack_segs(1);
  EXPECT_EQ(segs_out(), (Segs{1, 2}));
}

TEST_F(Recovery, SackBeyondWhatWasSentIsIgnored) {
  flight({});
  ack_segs(0, {{8, 11}});
  EXPECT_EQ(t().sacked_out, 0u);
  ack_segs(0, {{5, 5}});
  EXPECT_EQ(t().sacked_out, 0u);
  Out o = segment(0, 0);
  o.sack.push_back({Seq(at(3 * kMss)), Seq(at(1 * kMss))});  // backwards
  send(o);
  EXPECT_EQ(t().sacked_out, 0u);
}

TEST_F(Recovery, SackInsideASegmentMarksNothing) {
  flight({});
  Out o = segment(0, 0);
  o.sack.push_back({Seq(at(kMss + 1)), Seq(at(2 * kMss - 1))});
  send(o);
  EXPECT_EQ(t().sacked_out, 0u);
  EXPECT_EQ(t().packets_out, 10u);
}

TEST_F(Recovery, OneAckThatAcknowledgesAndSacksShowsNoReordering) {
  // What the same ACK reports above its own edge was not there before it.
  flight({});
  ack_segs(4, {{5, 10}});
  EXPECT_EQ(t().reordering, 3u);
}

TEST_F(Recovery, ReorderingIsLearned) {
  flight({});
  ack_segs(0, {{2, 5}});  // 0 and 1 are marked, one of them goes
  EXPECT_EQ(segs_out().front(), 0u);
  EXPECT_FALSE(t().tx.first() == nullptr);
  ack_segs(0, {{1, 5}});  // the other was only late
  EXPECT_EQ(t().reordering, 4u);
}

}  // namespace
}  // namespace atcp::test
