// SPDX-License-Identifier: GPL-2.0
//
// Corners of congestion control and loss recovery that RFC 5681, 3042, 6675, 2883 and 6691 name and recovery_test.cpp does
// not reach: a second timeout, idling, a second loss, what a full window or stale SACKs forbid.
#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

struct Rfc5681 : RawConnTest {
  const Tcb& t() const { return s.tcb(); }
  /// Ten segments in the network.
  void flight() {
    write_segs(10);
    ASSERT_EQ(segs_out().size(), 10u);
    net.run(20 * kMs);
  }
  void run_rto() { net.run(t().rto_us() * kUs); }
};
using Rfc2883 = Rfc5681;
using Rfc3042 = Rfc5681;
using Rfc6675 = Rfc5681;
using Rfc6691 = Rfc5681;

TEST_F(Rfc5681, SecondTimeoutLeavesSsthresh) {
  srv.set("early_retrans", "0");
  open_with({});
  flight();
  for (int i = 0; i < 3; i++) {
    run_rto();
    EXPECT_EQ(t().cc.ssthresh, 5u) << i;
    EXPECT_EQ(t().cc.cwnd, 1u) << i;
  }
  EXPECT_GE(t().total_retrans, 3u);
}

TEST_F(Rfc5681, IdleHalvesTheWindowPerTimeout) {
  open_with({});
  write_segs(1);
  net.run(20 * kMs);
  ack_segs(1);
  s.tcb().cc.cwnd = 80;
  net.run(t().rto_us() * kUs * 5 / 2 - 20 * kMs);
  s.conn().sndbuf = 1 << 20;
  write_segs(100);
  EXPECT_EQ(t().cc.cwnd, 20u);
  EXPECT_EQ(segs_out().size(), 20u);
}

TEST_F(Rfc5681, AnAckLetsAsMuchGoOnALongPath) {
  // Waiting until a third of the window can go at once would leave it unused: on a path of 20 ms nobody gains by large
  // pieces what the path loses by the gap.
  open_with({});
  s.tcb().cc.cwnd = 30;
  s.tcb().cc.ssthresh = 10;
  s.conn().sndbuf = 1 << 20;
  write_segs(200);
  EXPECT_EQ(segs_out().size(), 30u);
  net.run(20 * kMs);
  ack_segs(2);
  EXPECT_EQ(segs_out(), (Segs{30, 31}));
  ack_segs(4);
  EXPECT_EQ(segs_out(), (Segs{32, 33}));
}

TEST_F(Rfc5681, TwoWindowsTwoReductions) {
  open_with({});
  flight();
  for (uint32_t n : {2, 3, 4})
    ack_segs(0, {{1, n}});
  EXPECT_EQ(t().cc.ssthresh, 5u);
  ack_segs(10);
  ASSERT_EQ(t().ca_state, CaState::Open);
  write_segs(5);
  ASSERT_EQ(segs_out(), (Segs{10, 11, 12, 13, 14}));
  for (uint32_t n : {12, 13, 14})
    ack_segs(10, {{11, n}});
  EXPECT_EQ(segs_out(), Segs{10});
  EXPECT_EQ(t().ca_state, CaState::Recovery);
  EXPECT_EQ(t().cc.ssthresh, 2u);
}

TEST_F(Rfc3042, NotBeyondThePeersWindow) {
  open_with({.wnd = 10 * kMss});
  write_segs(20);
  ASSERT_EQ(segs_out().size(), 10u);
  ack_segs(0, {{1, 2}});
  expect_silence();
  ack_segs(0, {{1, 3}});
  expect_silence();
}

TEST_F(Rfc3042, RepeatedSackLetsNothingGo) {
  open_with({});
  write_segs(20);
  ASSERT_EQ(segs_out().size(), 10u);
  ack_segs(0, {{1, 2}});
  EXPECT_EQ(segs_out(), Segs{10});
  for (int i = 0; i < 5; i++) {
    ack_segs(0, {{1, 2}});
    expect_silence();
  }
  EXPECT_EQ(t().sacked_out, 1u);
  EXPECT_EQ(t().ca_state, CaState::Disorder);
}

TEST_F(Rfc6675, RetransmissionRestartsTheTimer) {
  srv.set("early_retrans", "0");
  open_with({});
  flight();
  const uint64_t before = t().timers.at(TimerId::Retransmit);
  net.run(50 * kMs);
  for (uint32_t n : {2, 3}) {
    ack_segs(0, {{1, n}});
    EXPECT_EQ(t().timers.at(TimerId::Retransmit), before);
  }
  ack_segs(0, {{1, 4}});
  ASSERT_EQ(segs_out(), Segs{0});
  EXPECT_EQ(t().timers.at(TimerId::Retransmit), net.now() / kUs + t().rto_us());
}

TEST_F(Rfc2883, BlockInsideTheSecondIsADuplicate) {
  open_with({});
  flight();
  ack_segs(0, {{5, 6}, {4, 8}});
  EXPECT_EQ(t().dsack_dups, 1u);
  EXPECT_EQ(t().sacked_out, 4u);
  ack_segs(0, {{8, 9}, {4, 8}});  // beside it: news
  EXPECT_EQ(t().dsack_dups, 1u);
  EXPECT_EQ(t().sacked_out, 5u);
}

TEST_F(Rfc2883, WhatPawsRefusesIsReported) {
  open_with({.ts = true});
  peer(0, 0, "data");
  Out old = segment(0, 0, "data");
  old.tsval = clock() - 100000;
  const atcp_seg a = ask(old);
  EXPECT_EQ(a.ack, theirs(4));
  ASSERT_EQ(a.n_sack, 1u);
  EXPECT_EQ(a.sack[0].start, theirs(0));
  EXPECT_EQ(a.sack[0].end, theirs(4));
  EXPECT_EQ(srv.reason(ATCP_REASON_PAWS), 1u);
}

TEST_F(Rfc6691, SackBlocksMakeSegmentsShorter) {
  open_with({.ts = true});
  for (const uint32_t i : {1, 3, 5})
    send(segment(i * 100, 0, std::string(50, 'o')));
  replies.clear();
  s.send(std::string(5 * kMssTs, 'x'));
  ASSERT_FALSE(replies.empty());
  for (const Emitted& e : replies) {
    EXPECT_EQ(e.hdr.size(), kMinHeader + 12 + 4 + 3 * 8) << e.text;
    EXPECT_LE(e.hdr.size() + std::min<size_t>(e.mss, e.data.size()), kMinHeader + kMss) << e.text;
  }
}

}  // namespace
}  // namespace atcp::test
