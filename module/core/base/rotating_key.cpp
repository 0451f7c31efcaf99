// SPDX-License-Identifier: GPL-2.0
//
// The race of replacing a key: the compare-and-swap of since_ chooses one CPU, which writes the new key to
// an unused slot and then publishes its number. A CPU that read the number just before uses the old key
// for a tick that the new one begins with; candidates() allows for that on either side.
#include "base/rotating_key.h"

#include "base/atomic.h"

namespace atcp {

void RotatingKey::init() {
  atcp_os_random(slots_, sizeof(slots_));
  generation_ = 0;
  since_ = 0;
}

SipKey RotatingKey::read(uint32_t generation) const {
  const SipKey& s = slots_[generation % kSlots];
  return {{load_relaxed(&s.k[0]), load_relaxed(&s.k[1])}};
}

SipKey RotatingKey::current(uint32_t tick, uint32_t most) {
  uint32_t since = load_relaxed(&since_);
  // A CPU that is a tick behind sees a negative age.
  const auto age = static_cast<int32_t>(tick - since);
  if (age > 0 && static_cast<uint32_t>(age) >= most &&
      __atomic_compare_exchange_n(&since_, &since, tick, false, __ATOMIC_ACQ_REL,
                                  __ATOMIC_RELAXED)) {
    const uint32_t next = load_relaxed(&generation_) + 1;
    SipKey fresh = {};
    atcp_os_random(&fresh, sizeof(fresh));
    SipKey& s = slots_[next % kSlots];
    store_relaxed(&s.k[0], fresh.k[0]);
    store_relaxed(&s.k[1], fresh.k[1]);
    store_release(&generation_, next);
  }
  return read(load_acquire(&generation_));
}

uint32_t RotatingKey::candidates(uint32_t tick, SipKey out[2]) const {
  const uint32_t now = load_acquire(&generation_);
  const auto after = static_cast<int32_t>(tick - load_relaxed(&since_));
  if (after > 0) {
    out[0] = read(now);
    return 1;
  }
  out[0] = read(now - 1);
  if (after < -1) return 1;
  out[1] = read(now);
  return 2;
}

}  // namespace atcp
