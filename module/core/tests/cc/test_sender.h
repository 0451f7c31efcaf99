// SPDX-License-Identifier: GPL-2.0
//
// A sender for tests of congestion controls: the engine's side of cc_ops.h with a clock that is
// turned by hand and a path without bytes. It does what the engine does around an algorithm (window
// after recovery and timeout, undo) and nothing else; what is in flight is always the whole window.
#ifndef ATCP_TESTS_CC_TEST_SENDER_H
#define ATCP_TESTS_CC_TEST_SENDER_H

#include <cstring>

#include "cc/cc_ops.h"

namespace atcp {

class TestSender {
 public:
  explicit TestSender(const CcOps& ops, uint32_t cwnd = 10, uint32_t ssthresh = kSsthreshInfinite)
      : ops_(ops) {
    memset(&s, 0, sizeof(s));
    s.cwnd = cwnd;
    s.ssthresh = ssthresh;
    s.cwnd_clamp = 0xffffffff;
    s.cwnd_cnt = 77;  // an algorithm used before this one may have left anything
    ops_.init(s, now_us);
  }

  /// One ACK for n segments.
  void ack(uint32_t n) {
    CcAck a = {};
    a.now_us = now_us;
    a.acked = n;
    a.in_flight = s.cwnd;
    a.rtt_us = a.srtt_us = a.min_rtt_us = rtt_us;
    a.cwnd_limited = limited;
    a.ece = marked;
    a.round = rounds_;
    if (ops_.observe != nullptr) ops_.observe(s, a);
    ops_.on_ack(s, a);
  }
  /// n ACKs for one segment each, all now.
  void ack_n(uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
      ack(1);
  }
  /// What was sent when the last round began has been acknowledged.
  void next_round() { rounds_++; }
  void advance_time(uint64_t us) { now_us += us; }
  /// One round trip: a window's worth of ACKs, evenly spread.
  void round() {
    rounds_++;
    const uint32_t n = s.cwnd;
    const uint64_t start = now_us;
    for (uint32_t i = 1; i <= n; i++) {
      now_us = start + rtt_us * static_cast<uint64_t>(i) / n;
      ack(1);
    }
  }
  void rounds(uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
      round();
  }

  /// Fast retransmit; the recovery lasts one round trip.
  void lose() {
    enter_recovery();
    advance_time(rtt_us);
    exit_recovery();
  }
  void enter_recovery() {
    remember();
    s.ssthresh = ops_.ssthresh(s, ATCP_CC_ENTER_RECOVERY, now_us);
    event(ATCP_CC_ENTER_RECOVERY);
  }
  /// A congestion mark, answered for one round trip.
  void mark() {
    remember();
    s.ssthresh = ops_.ssthresh(s, ATCP_CC_ENTER_CWR, now_us);
    event(ATCP_CC_ENTER_CWR);
    advance_time(rtt_us);
    exit_recovery();
  }
  void exit_recovery() {
    s.cwnd = s.ssthresh;
    event(ATCP_CC_EXIT_RECOVERY);
  }
  void timeout() {
    remember();
    s.ssthresh = ops_.ssthresh(s, ATCP_CC_TIMEOUT, now_us);
    event(ATCP_CC_TIMEOUT);
    s.cwnd = 1;
  }
  /// The last loss was none.
  void undo() {
    s.cwnd = prior_cwnd_;
    s.ssthresh = prior_ssthresh_;
    event(ATCP_CC_UNDO);
  }
  /// Nothing to send for a while.
  void idle(uint64_t us) {
    advance_time(us);
    event(ATCP_CC_TX_START);
  }

  CcState s;
  uint64_t now_us = 1000000;
  uint32_t rtt_us = 100000;
  bool limited = true;
  bool marked = false;  ///< the ACKs echo congestion marks

 private:
  void event(atcp_cc_event e) {
    if (ops_.on_event != nullptr) ops_.on_event(s, e, now_us);
  }
  void remember() {
    prior_cwnd_ = s.cwnd;
    prior_ssthresh_ = s.ssthresh;
  }

  const CcOps& ops_;
  uint32_t prior_cwnd_ = 0;
  uint32_t prior_ssthresh_ = 0;
  uint32_t rounds_ = 0;
};

}  // namespace atcp

#endif  // ATCP_TESTS_CC_TEST_SENDER_H
