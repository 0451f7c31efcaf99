// SPDX-License-Identifier: GPL-2.0
//
// Whether a segment belongs to this incarnation of a connection: the window test of RFC 9293
// 3.10.7.4, PAWS of RFC 7323 5, the reset test of RFC 5961 3. Pure functions over plain values, so that
// requests, connections and TIME_WAIT entries decide alike. What follows from the answers is decided
// by each of them.
#ifndef ATCP_CONN_GATE_H
#define ATCP_CONN_GATE_H

#include "base/seq.h"
#include "base/types.h"

namespace atcp {

/// RFC 7323 5.5: a timestamp this old says nothing any more.
inline constexpr uint32_t kPawsIdleS = 24 * 24 * 3600;
/// A reset may come from a host that rebooted and whose timestamps began anew: after this much silence PAWS
/// does not protect from it (RFC 793's MSL, halved, as in Linux).
inline constexpr uint32_t kPawsResetS = 60;

/// Sequence space of a segment.
inline uint32_t seg_space(const atcp_seg& seg) {
  return seg.len + ((seg.flags & ATCP_SYN) != 0 ? 1 : 0) + ((seg.flags & ATCP_FIN) != 0 ? 1 : 0);
}

/// RFC 9293 3.10.7.4, first check, with the latitude Linux gives: [seq, seq+seg_len) touches
/// [left, left+wnd], both ends included. left: rcv_wup, so that a segment that was in flight when the last ACK
/// left is not called old; wnd counts from there. For a request: rcv_nxt.
/// Deviation: a segment that only borders on the window passes; ACKs in it are worth having.
constexpr bool seq_acceptable(Seq left, uint32_t wnd, Seq seq, uint32_t seg_len) {
  return seq + seg_len >= left && seq <= left + wnd;
}

/// The same test to the letter of RFC 9293 3.10.7.4, for those who have sent no data: requests.
constexpr bool seq_in_window(Seq rcv_nxt, uint32_t wnd, Seq seq, uint32_t seg_len) {
  const Seq right = rcv_nxt + wnd;
  if (seq == rcv_nxt) return true;
  if (seq + seg_len > rcv_nxt && seq < right) return true;
  return seg_len == 0 && seq == right;
}

/// RFC 7323 5.3 R1: tsval is older than the one remembered, which is not itself too old to
/// judge (5.5). ts_recent 0 is "none".
constexpr bool paws_old(uint32_t ts_recent, uint32_t ts_recent_s, uint32_t tsval, uint32_t now_s) {
  if (ts_recent == 0 || static_cast<int32_t>(ts_recent - tsval) <= 0) return false;
  return now_s - ts_recent_s <= kPawsIdleS;
}

/// The same for a whole segment: resets are let through after a minute's silence.
inline bool paws_reject(uint32_t ts_recent, uint32_t ts_recent_s, const atcp_seg& seg,
                        uint32_t now_s) {
  if ((seg.has & ATCP_OPT_TS) == 0 || !paws_old(ts_recent, ts_recent_s, seg.tsval, now_s))
    return false;
  return (seg.flags & ATCP_RST) == 0 || now_s - ts_recent_s < kPawsResetS;
}

enum class RstVerdict : uint8_t {
  Reset,      ///< exactly the next sequence number
  Challenge,  ///< elsewhere in the window: ask the peer
  Ignore,     ///< outside
};

/// RFC 5961 3.2. left and wnd as in seq_acceptable.
constexpr RstVerdict rst_verdict(Seq rcv_nxt, Seq left, uint32_t wnd, Seq seq) {
  if (seq == rcv_nxt) return RstVerdict::Reset;
  return seq_acceptable(left, wnd, seq, 0) ? RstVerdict::Challenge : RstVerdict::Ignore;
}

static_assert(seq_acceptable(Seq(0xfffffff0), 0x20, Seq(0x10), 1));
static_assert(!seq_acceptable(Seq(0xfffffff0), 0x20, Seq(0x11), 1));
static_assert(!seq_acceptable(Seq(0x10), 0x20, Seq(0xfffffff0), 0x1f));
static_assert(seq_acceptable(Seq(0x10), 0, Seq(0x10), 0));

}  // namespace atcp

#endif  // ATCP_CONN_GATE_H
