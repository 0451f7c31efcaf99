// SPDX-License-Identifier: GPL-2.0
//
// The simulator's clock and what is to happen on it. Events of the same time fire in the order in which they were
// scheduled, so a run depends on nothing but its scenario and its seed.
#ifndef ATCP_SIM_EVENTS_H
#define ATCP_SIM_EVENTS_H

#include <cstdint>
#include <vector>

namespace atcp::sim {

using Nanos = uint64_t;
constexpr Nanos kUs = 1000;
constexpr Nanos kMs = 1000 * kUs;
constexpr Nanos kSec = 1000 * kMs;
/// Where the clock begins: the core takes 0 for "never".
constexpr Nanos kEpoch = kSec;

class Events;

/// One deadline that may be moved as often as one likes. Moving it to later costs nothing: the entry in the queue
/// stays, and is queued again when it comes up too early.
class Alarm {
 public:
  virtual ~Alarm() = default;
  /// 0: none.
  Nanos deadline() const { return deadline_; }
  /// Entries in the queue that point here, stale ones among them; whoever frees an alarm waits for none.
  uint32_t entries() const { return entries_; }

 protected:
  /// The deadline has come and is cleared already.
  virtual void fire() = 0;

 private:
  friend class Events;
  Nanos deadline_ = 0;
  Nanos queued_ = 0;  ///< time of the entry that counts; 0: there is none
  uint32_t entries_ = 0;
};

class Events {
 public:
  Nanos now() const { return now_; }
  /// deadline 0 stops it; one in the past is due at once.
  void set(Alarm& a, Nanos deadline);
  /// Fire the next event due by then. False: there is none, and the clock stands at `until`.
  bool step(Nanos until);
  uint64_t fired() const { return fired_; }

 private:
  struct Entry {
    Nanos at;
    uint64_t order;
    Alarm* alarm;
    bool before(const Entry& o) const { return at != o.at ? at < o.at : order < o.order; }
  };
  void push(Nanos at, Alarm& a);
  Entry pop();

  std::vector<Entry> heap_;  ///< four children to a node
  Nanos now_ = kEpoch;
  uint64_t order_ = 0;
  uint64_t fired_ = 0;
};

}  // namespace atcp::sim

#endif  // ATCP_SIM_EVENTS_H
