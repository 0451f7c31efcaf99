// SPDX-License-Identifier: GPL-2.0
//
// The rate at which data is delivered (draft-ietf-ccwg-bbr-05, 4.1): each piece remembers how much had been
// delivered when it left, so that its acknowledgement says how much arrived in between and in what time. Counted in
// segments; times are the low 32 bits of microseconds, of which only differences of less than an hour matter.
#ifndef ATCP_CONN_RATE_H
#define ATCP_CONN_RATE_H

#include "base/types.h"

namespace atcp {

struct Tcb;
struct TxSeg;
struct AckSample;

/// The connection's part. Lock: conn.
struct Rate {
  uint32_t delivered;     ///< segments acknowledged or SACKed, ever; wraps
  uint32_t delivered_us;  ///< when the last of them was
  uint32_t
      first_sent_us;  ///< when the piece was sent whose delivery was seen last, or the flight began
  uint32_t lost;      ///< segments thought lost, ever; wraps
  uint32_t lost_told;  ///< of these, what the congestion control knows of
  uint32_t
      app_limited;  ///< until `delivered` is beyond this, samples say what the program gave; 0: not
  uint32_t
      shown_segs;  ///< the last sample of what the path, not the program, gives (or one that is better)
  uint32_t shown_us;  ///< 0: none
  bool shown_app_limited;
};

/// s is about to leave, for the first time or again, and not counted in the flight yet; it will be `segs` segments.
void rate_sent(Tcb& t, TxSeg& s, uint32_t segs, uint64_t now_us);
/// It arrived, by SACK or cumulatively, and has its marks still. Not for one that was SACKed before.
void rate_delivered(Tcb& t, const TxSeg& s, AckSample& a);
/// All of the ACK has been looked at: the sample, in a.
void rate_sample(Tcb& t, AckSample& a);
/// The program is about to write: had it left the network idle for want of data?
void rate_check_app_limited(Tcb& t);

}  // namespace atcp

#endif  // ATCP_CONN_RATE_H
