// SPDX-License-Identifier: GPL-2.0
//
// Pacing: when the next piece may leave. The rate is the congestion control's or, if it has none, cwnd over the smoothed RTT
// times a ratio (pacing_ss_ratio, pacing_ca_ratio), as in Linux. It is kept here, by a deadline of the connection's
// timer, if the congestion control or the program (SO_MAX_PACING_RATE) asks for it and no queue of this host keeps it.
#ifndef ATCP_CONN_PACING_H
#define ATCP_CONN_PACING_H

#include "base/types.h"

namespace atcp {

struct Tcb;
struct Now;

/// Lock: conn.
struct Pacing {
  uint64_t rate;     ///< bytes per second; 0: not known yet
  uint64_t next_ns;  ///< not before this; 0: at once
  bool on;           ///< the core keeps it
};

/// cwnd, the RTT or the congestion control changed: the rate anew, and who keeps it.
void pacing_update(Tcb& t);
/// Must what would leave now wait? Then the timer is set.
bool pacing_holds(Tcb& t, Now now);
/// Payload bytes that one piece may have, in segments of mss: a millisecond's worth, two segments at least.
uint32_t pacing_quantum(const Tcb& t, uint32_t mss);
/// So many payload bytes left.
void pacing_sent(Tcb& t, uint32_t bytes, Now now);

}  // namespace atcp

#endif  // ATCP_CONN_PACING_H
