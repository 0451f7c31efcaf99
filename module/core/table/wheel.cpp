// SPDX-License-Identifier: GPL-2.0
//
// The wheel's lists, its map of occupied slots and the arming of its one port timer. A wake-up
// may find nothing due (the node was removed, or the slot holds only later rounds): that costs a
// look and a new arming, which is cheaper than keeping an exact minimum.
#include "table/wheel.h"

namespace atcp {
namespace {

uint64_t bit_of(uint32_t slot) {
  return 1ull << (slot % 64);
}

}  // namespace

bool Wheel::init(atcp_osns* os) {
  os_ = os;
  slots_ = static_cast<WheelNode**>(atcp_os_table_alloc(kSlots * sizeof(WheelNode*)));
  locks_ = atcp_os_locks_alloc(kSlots + 1, ATCP_LOCK_WHEEL);
  if (slots_ == nullptr || locks_ == nullptr) {
    fini();
    return false;
  }
  for (uint64_t& word : occupied_)
    word = 0;
  armed_ = 0;
  done_tick_ = 0;
  return true;
}

void Wheel::fini() {
  if (slots_ != nullptr) atcp_os_table_free(slots_);
  if (locks_ != nullptr) atcp_os_locks_free(locks_);
  slots_ = nullptr;
  locks_ = nullptr;
}

/// Take node out of its slot and leave it in state `to`. False: it is not on the wheel.
bool Wheel::detach(WheelNode& node, WheelNode::State to) {
  while (load_acquire(&node.state) == WheelNode::On) {
    const uint32_t tick = load_acquire(&node.tick);
    const uint32_t slot = tick % kSlots;
    atcp_os_lock(locks_, slot);
    // A node comes On only under the lock of the slot that its tick names, so this holds.
    if (load_acquire(&node.state) == WheelNode::On && load_acquire(&node.tick) == tick) {
      *node.pprev = node.next;
      if (node.next != nullptr) node.next->pprev = node.pprev;
      node.next = nullptr;
      node.pprev = nullptr;
      if (slots_[slot] == nullptr)
        __atomic_fetch_and(&occupied_[slot / 64], ~bit_of(slot), __ATOMIC_SEQ_CST);
      store_release(&node.state, static_cast<uint32_t>(to));
      atcp_os_unlock(locks_, slot);
      return true;
    }
    atcp_os_unlock(locks_, slot);
  }
  return false;
}

bool Wheel::add(WheelNode& node, uint64_t deadline_ns, uint64_t) {
  const bool was_on = detach(node, WheelNode::Moving);
  if (!was_on) {
    uint32_t off = WheelNode::Off;
    if (!__atomic_compare_exchange_n(&node.state, &off, static_cast<uint32_t>(WheelNode::Moving),
                                     false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      return false;  // another CPU is adding or expiring it
  }
  uint32_t tick = static_cast<uint32_t>((deadline_ns + kTickNs - 1) / kTickNs);
  for (;;) {
    const uint32_t slot = tick % kSlots;
    atcp_os_lock(locks_, slot);
    const uint32_t done = load_acquire(&done_tick_);
    if (!after(tick, done)) {
      atcp_os_unlock(locks_, slot);
      tick = done + 1;
      continue;
    }
    store_release(&node.tick, tick);
    node.next = slots_[slot];
    node.pprev = &slots_[slot];
    if (node.next != nullptr) node.next->pprev = &node.next;
    slots_[slot] = &node;
    if (node.next == nullptr)
      __atomic_fetch_or(&occupied_[slot / 64], bit_of(slot), __ATOMIC_SEQ_CST);
    store_release(&node.state, static_cast<uint32_t>(WheelNode::On));
    atcp_os_unlock(locks_, slot);
    break;
  }
  // Against run(): it forgets armed_ first and reads occupied_ later; here it is the other way
  // round. One of the two sees the other's write.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  const uint64_t armed = __atomic_load_n(&armed_, __ATOMIC_SEQ_CST);
  if (armed == 0 || after(static_cast<uint32_t>(armed), tick)) arm(tick);
  return !was_on;
}

bool Wheel::remove(WheelNode& node) {
  return detach(node, WheelNode::Off);
}

uint64_t Wheel::left_ns(const WheelNode& node, uint64_t now_ns) {
  if (load_acquire(&node.state) != WheelNode::On) return 0;
  const uint32_t ticks = load_relaxed(&node.tick) - static_cast<uint32_t>(now_ns / kTickNs);
  if (static_cast<int32_t>(ticks) <= 0) return 0;
  return ticks * kTickNs - now_ns % kTickNs;
}

/// The nodes of tick's slot that are due by now_tick, in state Moving, linked by next; tick is
/// done from here on.
WheelNode* Wheel::take_due(uint32_t tick, uint32_t now_tick) {
  const uint32_t slot = tick % kSlots;
  WheelNode* due = nullptr;
  atcp_os_lock(locks_, slot);
  store_release(&done_tick_, tick);
  for (WheelNode *n = slots_[slot], *next; n != nullptr; n = next) {
    next = n->next;
    if (after(n->tick, now_tick)) continue;
    *n->pprev = n->next;
    if (n->next != nullptr) n->next->pprev = n->pprev;
    n->pprev = nullptr;
    n->next = due;
    due = n;
    store_release(&n->state, static_cast<uint32_t>(WheelNode::Moving));
  }
  if (slots_[slot] == nullptr)
    __atomic_fetch_and(&occupied_[slot / 64], ~bit_of(slot), __ATOMIC_SEQ_CST);
  atcp_os_unlock(locks_, slot);
  return due;
}

WheelNode* Wheel::take_all(uint32_t slot) {
  atcp_os_lock(locks_, slot);
  WheelNode* list = slots_[slot];
  slots_[slot] = nullptr;
  __atomic_fetch_and(&occupied_[slot / 64], ~bit_of(slot), __ATOMIC_SEQ_CST);
  for (WheelNode* n = list; n != nullptr; n = n->next) {
    n->pprev = nullptr;
    store_release(&n->state, static_cast<uint32_t>(WheelNode::Moving));
  }
  atcp_os_unlock(locks_, slot);
  return list;
}

void Wheel::begin_run() {
  atcp_os_lock(locks_, kSlots);
  __atomic_store_n(&armed_, uint64_t{0}, __ATOMIC_SEQ_CST);
  atcp_os_unlock(locks_, kSlots);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/// The port timer goes off at tick, unless it goes off earlier anyway.
void Wheel::arm(uint32_t tick) {
  atcp_os_lock(locks_, kSlots);
  const uint64_t armed = armed_;
  if (armed == 0 || after(static_cast<uint32_t>(armed), tick)) {
    __atomic_store_n(&armed_, kArmed | tick, __ATOMIC_SEQ_CST);
    // Never 0, which would stop the timer; ticks of the first years after boot do not wrap.
    atcp_os_ns_timer(os_, max<uint64_t>(tick * kTickNs, 1));
  }
  atcp_os_unlock(locks_, kSlots);
}

/// Arm for the first occupied slot after done_tick_.
void Wheel::arm_next() {
  const uint32_t first = load_relaxed(&done_tick_) + 1;
  // The word of the first slot is looked at twice: its upper part first, its lower part last.
  for (uint32_t i = 0; i <= kWords; i++) {
    const uint32_t w = (first / 64 + i) % kWords;
    uint64_t word = __atomic_load_n(&occupied_[w], __ATOMIC_SEQ_CST);
    if (i == 0)
      word &= ~0ull << (first % 64);
    else if (i == kWords)
      word &= ~(~0ull << (first % 64));
    if (word == 0) continue;
    const uint32_t slot = w * 64 + static_cast<uint32_t>(__builtin_ctzll(word));
    arm(first + (slot - first) % kSlots);
    return;
  }
}

}  // namespace atcp
