// SPDX-License-Identifier: GPL-2.0
//
// The timer wheel for the many small entries that need only coarse time: requests and TIME_WAIT.
// One port timer drives it. Entries hang in slots by deadline; a slot may hold entries of
// later rounds, which stay. Connections do not use it: each has a timer of its own.
#ifndef ATCP_TABLE_WHEEL_H
#define ATCP_TABLE_WHEEL_H

#include "base/types.h"

namespace atcp {

/// Part of an entry. Invariant: pprev == nullptr <=> not on the wheel. Slot lock.
struct WheelNode {
  WheelNode *next;
  WheelNode **pprev;
  uint32_t tick;  ///< deadline in ticks of kTickNs (wraps; compared by difference)
};

class Wheel {
 public:
  static constexpr uint32_t kSlots = 1024;
  static constexpr uint64_t kTickNs = 1ull << 26;  ///< about 67 ms

  bool init(atcp_osns *os);
  void fini();

  /// Put node on the wheel for deadline_ns (rounded up to a tick), or move it. The wheel holds
  /// a reference of the entry: returns true if the node was not on it before (the caller then
  /// takes one for it).
  bool add(WheelNode &node, uint64_t deadline_ns, uint64_t now_ns);
  /// Take it off. True if it was on it (the caller drops the wheel's reference).
  bool remove(WheelNode &node);
  /// Nanoseconds until node's deadline, 0 if past or off the wheel.
  static uint64_t left_ns(const WheelNode &node, uint64_t now_ns);

  /// The port timer fired: calls expire(WheelNode&), without any lock, for each node due, off
  /// the wheel already, the wheel's reference now being the callee's; then arms the port timer
  /// for the next occupied slot.
  template <class F>
  void run(uint64_t now_ns, F expire);

 private:
  WheelNode *take_due(uint32_t slot, uint32_t now_tick);
  void rearm(uint64_t now_ns);

  WheelNode **slots_ = nullptr;
  atcp_locks *locks_ = nullptr;  ///< lock i guards slot i; the last one guards next_tick_ / armed state
  atcp_osns *os_ = nullptr;
  uint32_t done_tick_ = 0;   ///< all ticks up to here have been run
  uint32_t armed_tick_ = 0;  ///< what the port timer is armed for
  bool armed_ = false;
  uint32_t count_ = 0;  ///< nodes on the wheel, atomic
};

template <class F>
void Wheel::run(uint64_t now_ns, F expire) {
  const uint32_t now_tick = static_cast<uint32_t>(now_ns / kTickNs);
  uint32_t from = done_tick_ + 1;
  if (static_cast<int32_t>(now_tick - from) >= static_cast<int32_t>(kSlots))
    from = now_tick - kSlots + 1;
  for (uint32_t tick = from; static_cast<int32_t>(now_tick - tick) >= 0; tick++) {
    WheelNode *n = take_due(tick % kSlots, now_tick);
    while (n != nullptr) {
      WheelNode *next = n->next;
      n->next = nullptr;
      expire(*n);
      n = next;
    }
  }
  done_tick_ = now_tick;
  rearm(now_ns);
}

}  // namespace atcp

#endif  // ATCP_TABLE_WHEEL_H
