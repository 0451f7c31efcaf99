// SPDX-License-Identifier: GPL-2.0
//
// The pacing rate, and the wait until the next piece.
#include "conn/pacing.h"

#include "conn/tcb.h"

namespace atcp {

namespace {

constexpr uint64_t kNsPerS = 1000000000;
constexpr uint64_t kUsPerS = 1000000;
constexpr uint32_t kPercent = 100;
constexpr uint64_t kLongestNs = kNsPerS;    ///< wait, whatever the rate: it may change meanwhile
constexpr uint64_t kMostRate = 1ull << 40;  ///< a terabyte per second: beyond it nothing is paced

/// cwnd per RTT, and some more, so that cwnd stays what limits: twice in slow start, which doubles it.
uint64_t own_rate(const Tcb& t) {
  const uint32_t srtt_us = t.rtt.srtt_us();
  if (srtt_us == 0) return 0;
  const bool slow_start = t.cc.cwnd < t.cc.ssthresh / 2;
  const uint32_t ratio = t.param(slow_start ? Param::PacingSsRatio : Param::PacingCaRatio);
  const uint64_t window = static_cast<uint64_t>(max(t.cc.cwnd, t.packets_out)) * t.mss;
  return window * kUsPerS / srtt_us * ratio / kPercent;
}

}  // namespace

void pacing_update(Tcb& t) {
  const uint64_t wanted = t.cc.pacing_rate != 0 ? t.cc.pacing_rate : own_rate(t);
  if (wanted == 0) return;
  const bool own = has_flag(*t.cc_ops, ATCP_CC_PACED);
  atcp_pacing p = {};
  atcp_os_pacing(t.conn(), min(wanted, kMostRate), own, &p);
  t.pacing.rate = max<uint64_t>(p.rate, 1);
  // As Linux: a limit of 0 is none.
  t.pacing.on = (own || p.wanted) && !p.kept && p.rate != 0;
  if (t.pacing.on) return;
  t.pacing.next_ns = 0;
  t.timers.stop(TimerId::Pacing);
}

bool pacing_holds(Tcb& t, Now now) {
  if (!t.pacing.on || t.pacing.next_ns <= now.ns) return false;
  t.timers.set(TimerId::Pacing, (t.pacing.next_ns + 999) / 1000);
  return true;
}

uint32_t pacing_quantum(const Tcb& t, uint32_t mss) {
  const uint64_t bytes = t.pacing.rate / 1000;
  const uint32_t most = max_piece(mss);
  return static_cast<uint32_t>(clamp<uint64_t>(bytes - bytes % mss, min(2 * mss, most), most));
}

void pacing_sent(Tcb& t, uint32_t bytes, Now now) {
  if (!t.pacing.on || t.pacing.rate == 0) return;
  const uint64_t takes_ns = min(static_cast<uint64_t>(bytes) * kNsPerS / t.pacing.rate, kLongestNs);
  // A timer that was late is no reason to be slower: half of what was missed is made up for, at most half of this piece's time.
  uint64_t from_ns = now.ns;
  if (t.pacing.next_ns != 0 && t.pacing.next_ns < now.ns) {
    const uint64_t late_ns = now.ns - t.pacing.next_ns;
    from_ns -= min(late_ns, takes_ns / 2);
  }
  t.pacing.next_ns = min(max(from_ns, t.pacing.next_ns) + takes_ns, now.ns + kLongestNs);
}

}  // namespace atcp
