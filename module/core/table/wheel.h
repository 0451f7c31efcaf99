// SPDX-License-Identifier: GPL-2.0
//
// The timer wheel for the many small entries that need only coarse time: requests and TIME_WAIT.
// One port timer drives it. Entries hang in slots by deadline; a slot may hold entries of
// later rounds, which stay. Connections do not use it: each has a timer of its own.
//
// Who guards what: slot i's lock guards its list and its bit of occupied_; done_tick_ moves to
// tick t only under the lock of t's slot, so whoever holds that lock and sees done_tick_ before t
// knows that a node he hangs there will still be found. armed_ is written under the last lock. No
// two locks are ever held together.
#ifndef ATCP_TABLE_WHEEL_H
#define ATCP_TABLE_WHEEL_H

#include "base/atomic.h"
#include "base/types.h"

namespace atcp {

/// Part of an entry; zeroed at first. Any number of CPUs may add and remove the same node.
/// Invariant: state On <=> in the list of slot tick % kSlots <=> pprev != nullptr.
struct WheelNode {
  enum State : uint32_t { Off, On, Moving };

  WheelNode* next;    ///< slot lock
  WheelNode** pprev;  ///< slot lock
  uint32_t tick;      ///< deadline in ticks of kTickNs (wraps; compared by difference)
  uint32_t state;     ///< atomic; Moving: in the hands of one CPU, which is adding or expiring it
};

class Wheel {
 public:
  static constexpr uint32_t kSlots = 1024;
  static constexpr uint64_t kTickNs = 1ull << 26;  ///< about 67 ms

  bool init(atcp_osns* os);
  /// The wheel is empty and the port timer stopped.
  void fini();

  /// Put node on the wheel for deadline_ns (rounded up to a tick), or move it. The wheel holds
  /// a reference of the entry: returns true if the node was not on it before (the caller then
  /// takes one for it, or gives it one that he has; he must hold one himself meanwhile, for the
  /// node may expire before this returns). When two CPUs move one node at the same time, one of
  /// the two deadlines holds.
  bool add(WheelNode& node, uint64_t deadline_ns, uint64_t now_ns);
  /// Take it off. True if it was on it (the caller drops the wheel's reference). False also while
  /// another CPU is adding or expiring it; so an expired entry may be one that was given up.
  bool remove(WheelNode& node);
  /// Nanoseconds until node's deadline, 0 if past or off the wheel.
  static uint64_t left_ns(const WheelNode& node, uint64_t now_ns);

  /// The port timer fired: calls expire(WheelNode&), without any lock, for each node due, off
  /// the wheel already, the wheel's reference now being the callee's (who may add it again); then
  /// arms the port timer for the next occupied slot. Never runs on two CPUs at a time.
  template <class F>
  void run(uint64_t now_ns, F expire);
  /// Take everything off, whatever its deadline, as run() does (nobody else uses the wheel).
  template <class F>
  void drain(F expire);

 private:
  static constexpr uint32_t kWords = kSlots / 64;
  static constexpr uint64_t kArmed = 1ull << 32;  ///< in armed_: the low half is a tick

  static bool after(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) > 0; }
  bool detach(WheelNode& node, WheelNode::State to);
  WheelNode* take_due(uint32_t tick, uint32_t now_tick);
  WheelNode* take_all(uint32_t slot);
  void begin_run();
  void arm(uint32_t tick);
  void arm_next();
  template <class F>
  void hand_over(WheelNode* list, F& expire);

  WheelNode** slots_ = nullptr;
  atcp_locks* locks_ = nullptr;
  atcp_osns* os_ = nullptr;
  uint64_t occupied_[kWords] = {};  ///< atomic; bit set <=> slot not empty
  uint64_t armed_ = 0;              ///< atomic; 0, or kArmed + the tick of the port timer
  uint32_t done_tick_ = 0;          ///< atomic; all ticks up to here have been run
};

template <class F>
void Wheel::hand_over(WheelNode* list, F& expire) {
  while (list != nullptr) {
    WheelNode& n = *list;
    list = n.next;
    n.next = nullptr;
    store_release(&n.state, static_cast<uint32_t>(WheelNode::Off));
    expire(n);
  }
}

template <class F>
void Wheel::run(uint64_t now_ns, F expire) {
  const uint32_t now_tick = static_cast<uint32_t>(now_ns / kTickNs);
  begin_run();
  uint32_t tick = load_relaxed(&done_tick_) + 1;
  // After a long pause every slot is looked at once, which finds all that is due.
  if (after(now_tick, tick + kSlots - 1)) tick = now_tick - kSlots + 1;
  for (; !after(tick, now_tick); tick++)
    hand_over(take_due(tick, now_tick), expire);
  arm_next();
}

template <class F>
void Wheel::drain(F expire) {
  for (uint32_t slot = 0; slot < kSlots; slot++)
    hand_over(take_all(slot), expire);
}

}  // namespace atcp

#endif  // ATCP_TABLE_WHEEL_H
