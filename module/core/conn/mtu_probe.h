// SPDX-License-Identifier: GPL-2.0
//
// The search for the largest packet that a path carries, by the connection's own segments and without a word from
// routers (RFC 4821, 8899): the range that is left, as a value. When a probe may go and what its fate does to a connection
// is in mtu_probe.cpp, declared in tcb.h. All sizes are whole IP packets in bytes.
#ifndef ATCP_CONN_MTU_PROBE_H
#define ATCP_CONN_MTU_PROBE_H

#include "base/seq.h"
#include "base/types.h"

namespace atcp {

class MtuSearch {
 public:
  /// Packets up to `low` are taken to pass, those above `high` not to.
  void begin(uint32_t low, uint32_t high, uint64_t now_us);
  /// Only what routes and routers claim counts from now on.
  void stop();
  bool on() const { return on_; }
  uint32_t low() const { return low_; }
  uint32_t high() const { return high_; }

  /// What ordinary segments may fill of a path MTU that routes or routers claim.
  uint32_t cap(uint32_t pmtu) const { return on_ && low_ < pmtu ? low_ : pmtu; }
  /// Such a claim ends the range, whatever was found out before.
  void limit(uint32_t pmtu);
  /// Not even `low` passes any more.
  void lower(uint32_t low) { low_ = static_cast<uint16_t>(low < low_ ? low : low_); }

  /// The next size to try; 0: the range is narrower than `threshold`, and the search at its end.
  uint32_t next(uint32_t threshold) const;
  /// Nothing has been learnt for so long.
  uint64_t quiet_us(uint64_t now_us) const { return now_us - learnt_us_; }
  /// After a failure no probe before its time.
  bool waits(uint64_t now_us) const { return now_us < not_before_us_; }

  /// A probe of `size` left, whose payload is [start, end).
  void sent(uint32_t size, Seq start, Seq end);
  bool outstanding() const { return size_ != 0; }
  uint32_t size() const { return size_; }
  Seq start() const { return start_; }
  Seq end() const { return end_; }
  void arrived(uint64_t now_us);
  void failed(uint64_t now_us, uint64_t pause_us);
  /// It can no longer be told what became of it: the same size may be tried again after a pause.
  void unclear(uint64_t now_us, uint64_t pause_us);

 private:
  bool on_ = false;
  uint16_t low_ = 0;
  uint16_t high_ = 0;
  uint16_t size_ = 0;  ///< of the probe under way, 0: none
  Seq start_, end_;
  uint64_t learnt_us_ = 0;  ///< when the range changed last
  uint64_t not_before_us_ = 0;
};

}  // namespace atcp

#endif  // ATCP_CONN_MTU_PROBE_H
