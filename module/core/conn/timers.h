// SPDX-License-Identifier: GPL-2.0
//
// A connection's deadlines. The port has one timer per connection and is told only the earliest
// deadline, and only when that moves forward: a timer that fires too early finds nothing due
// and is armed anew, which is cheaper than moving it with every ACK.
#ifndef ATCP_CONN_TIMERS_H
#define ATCP_CONN_TIMERS_H

#include "base/types.h"

namespace atcp {

enum class TimerId : uint8_t {
  Retransmit,  ///< RTO, and SYN retransmission
  Persist,     ///< zero-window probe
  DelayedAck,
  Keepalive,
  FinWait2,   ///< orphan waiting for the peer's FIN
  Reorder,    ///< what has been overtaken counts as lost then (RFC 8985 6.2)
  TailProbe,  ///< nothing was heard of the end of a flight (RFC 8985 7.2)
  Pacing,     ///< the next piece may leave then
  Count_,
};
inline constexpr uint32_t kTimerCount = static_cast<uint32_t>(TimerId::Count_);

class Timers {
 public:
  void set(TimerId id, uint64_t deadline_us) { at_[index(id)] = deadline_us; }
  void stop(TimerId id) { at_[index(id)] = 0; }
  void stop_all() {
    for (uint64_t& t : at_)
      t = 0;
  }
  bool pending(TimerId id) const { return at_[index(id)] != 0; }
  uint64_t at(TimerId id) const { return at_[index(id)]; }
  bool due(TimerId id, uint64_t now_us) const {
    return at_[index(id)] != 0 && at_[index(id)] <= now_us;
  }
  /// 0 if none is set.
  uint64_t earliest() const {
    uint64_t best = 0;
    for (const uint64_t t : at_)
      if (t != 0 && (best == 0 || t < best)) best = t;
    return best;
  }
  /// Tell the port if the earliest deadline is before what it is armed for. Lock: conn.
  void sync(atcp_conn* c) {
    const uint64_t first = earliest();
    if (first == 0 || (armed_us_ != 0 && armed_us_ <= first)) return;
    armed_us_ = first;
    atcp_os_conn_timer(c, first * 1000);
  }
  /// The port's timer fired.
  void fired() { armed_us_ = 0; }
  /// Nothing is set any more: stop the port's timer too.
  void cancel(atcp_conn* c) {
    stop_all();
    if (armed_us_ != 0) {
      armed_us_ = 0;
      atcp_os_conn_timer(c, 0);
    }
  }

 private:
  static constexpr uint32_t index(TimerId id) { return static_cast<uint32_t>(id); }
  uint64_t at_[kTimerCount] = {};
  uint64_t armed_us_ = 0;
};

}  // namespace atcp

#endif  // ATCP_CONN_TIMERS_H
