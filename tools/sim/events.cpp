// SPDX-License-Identifier: GPL-2.0
//
// The queue of events: a heap with four children to a node, which is shallow for the tens of thousands of
// timers that many flows have.
#include "events.h"

#include <algorithm>

namespace atcp::sim {

void Events::push(Nanos at, Alarm& a) {
  const Entry e = {at, order_++, &a};
  a.queued_ = at;
  a.entries_++;
  size_t i = heap_.size();
  heap_.push_back(e);
  while (i > 0) {
    const size_t parent = (i - 1) / 4;
    if (!e.before(heap_[parent])) break;
    heap_[i] = heap_[parent];
    i = parent;
  }
  heap_[i] = e;
}

Events::Entry Events::pop() {
  const Entry top = heap_.front();
  const Entry e = heap_.back();
  heap_.pop_back();
  const size_t n = heap_.size();
  size_t i = 0;
  while (n > 0) {
    const size_t first = 4 * i + 1;
    if (first >= n) break;
    size_t least = first;
    for (size_t c = first + 1; c < std::min(first + 4, n); c++)
      if (heap_[c].before(heap_[least])) least = c;
    if (!heap_[least].before(e)) break;
    heap_[i] = heap_[least];
    i = least;
  }
  if (n > 0) heap_[i] = e;
  return top;
}

void Events::set(Alarm& a, Nanos deadline) {
  a.deadline_ = deadline;
  if (deadline == 0) return;
  const Nanos at = std::max(deadline, now_);
  if (a.queued_ == 0 || at < a.queued_) push(at, a);
}

bool Events::step(Nanos until) {
  while (!heap_.empty() && heap_.front().at <= until) {
    const Entry e = pop();
    Alarm& a = *e.alarm;
    a.entries_--;
    if (e.at != a.queued_) continue;
    a.queued_ = 0;
    if (a.deadline_ == 0) continue;
    if (a.deadline_ > e.at) {
      push(a.deadline_, a);
      continue;
    }
    now_ = e.at;
    a.deadline_ = 0;
    fired_++;
    a.fire();
    return true;
  }
  now_ = std::max(now_, until);
  return false;
}

}  // namespace atcp::sim
