// SPDX-License-Identifier: GPL-2.0
//
// What a connection waits for at this moment, and the sums of it.
#include "conn/limits.h"

#include "conn/tcb.h"

namespace atcp {

namespace {

static_assert(ATCP_LIMIT_APP == 0, "share_ has no place for it");

/// Nothing that could be sent is left.
Limit idle(const Tcb& t) {
  return t.life.blocked ? Limit::Sndbuf : Limit::App;
}

/// The one place that decides. The first condition that holds, in the order in which the sender
/// itself meets them.
Limit limit_of(const Tcb& t) {
  if (t.snd_una == t.write_seq) return idle(t);
  if (t.life.stuck) return Limit::Device;
  if (t.snd_wnd == 0) return Limit::ZeroWindow;
  if (in(t.ca_state, bit(CaState::Recovery) | bit(CaState::Loss)) && t.packets_out > 0)
    return Limit::Recovery;
  const bool unsent = t.send_head != nullptr && t.send_head->seq_len() > 0;
  if (!unsent || t.life.stop() == Limit::App) return idle(t);
  return t.life.stop();
}

}  // namespace

bool Life::copy(Life* out) const {
  constexpr uint32_t kTries = 100;
  for (uint32_t i = 0; i < kTries; i++) {
    const uint8_t before = load_acquire(&turn_);
    memcpy(out, this, sizeof *out);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if ((before & 1) == 0 && load_relaxed(&turn_) == before) return true;
  }
  return false;
}

void Life::leave(uint32_t from, uint64_t now_us) {
  if (from == ATCP_STATE_CLOSED) return;  // open() knows when that ended
  const Change change(*this);
  const uint64_t since_us = state_since_.us();
  const uint64_t us = elapsed(since_us, now_us);
  state_since_.set(since_us + us);
  switch (from) {
    case ATCP_STATE_SYN_SENT:
      spent_[kSynSent].set(us);
      break;
    case ATCP_STATE_SYN_RECEIVED:
      spent_[kSynReceived].set(us);
      break;
    case ATCP_STATE_FIN_WAIT1:
    case ATCP_STATE_CLOSE_WAIT:
      spent_[kFirstFin].set(us);
      break;
    default:
      break;
  }
}

void Life::settle(uint64_t now_us) {
  const uint64_t us = since(now_us);
  if (by_ != ATCP_LIMIT_APP) share_[by_ - 1].set(share_[by_ - 1].us() + us);
  since_.set(since_.us() + us);
}

void Life::end(uint64_t now_us) {
  const Change change(*this);
  if (running()) settle(now_us);
  ended_ = true;
}

void Life::switch_to(Limit to, uint64_t now_us) {
  const auto next = static_cast<uint8_t>(to);
  if (next == by_) return;
  const Change change(*this);
  settle(now_us);
  by_ = next;
}

uint64_t Life::age_us(uint64_t now_us) const {
  return begun_ ? since_.us() + since(now_us) - start_us() : 0;
}

uint64_t Life::shares(uint64_t now_us, uint64_t out[kLimitCount]) const {
  if (!begun_) {
    for (uint32_t i = 0; i < kLimitCount; i++)
      out[i] = 0;
    return 0;
  }
  uint64_t others = 0;
  for (uint32_t i = 1; i < kLimitCount; i++)
    others += out[i] = share_[i - 1].us();
  const uint64_t age = age_us(now_us);
  if (by_ != ATCP_LIMIT_APP) {
    const uint64_t us = since(now_us);
    out[by_] += us;
    others += us;
  }
  // A reader without the lock may see a switch half done, and take the running time twice.
  const uint64_t all = max(age, others);
  out[ATCP_LIMIT_APP] = all - others;
  return all;
}

void limits_update(Tcb& t, Now now) {
  if (t.life.running()) t.life.switch_to(limit_of(t), now.us);
}

}  // namespace atcp
