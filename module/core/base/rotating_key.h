// SPDX-License-Identifier: GPL-2.0
//
// A secret that is replaced while it is in use: made anew when it is old and wanted, with its predecessor
// kept for what was made under that. No timer, no lock: whoever wants the key and finds it old replaces
// it; everybody else goes on reading. Time is a count of ticks, whose length is the caller's.
#ifndef ATCP_BASE_ROTATING_KEY_H
#define ATCP_BASE_ROTATING_KEY_H

#include "base/siphash.h"

namespace atcp {

class RotatingKey {
 public:
  /// Random keys. Before anybody else sees it.
  void init();
  /// The key to make something with at `tick`; replaced first if it has been in use for `most` ticks or
  /// more. Any number of CPUs at once.
  SipKey current(uint32_t tick, uint32_t most);
  /// The keys that something made at `tick` may have been made with, into out; returns how many (1, or 2
  /// about the time of a replacement, when CPUs may disagree). Nothing older than one tick before the last
  /// replacement but one is known.
  uint32_t candidates(uint32_t tick, SipKey out[2]) const;

 private:
  /// A power of two. A slot is written again only after kSlots - 1 more replacements, so nobody can still
  /// be reading it.
  static constexpr uint32_t kSlots = 4;

  SipKey read(uint32_t generation) const;

  SipKey slots_[kSlots];
  uint32_t generation_;  ///< atomic; the current key is in slot generation_ % kSlots
  uint32_t since_;       ///< atomic; tick of the last replacement; changing it claims the next one
};

}  // namespace atcp

#endif  // ATCP_BASE_ROTATING_KEY_H
