// SPDX-License-Identifier: GPL-2.0
//
// CUBIC's entry in the registry, and its cube root, which is here because it is worth a test of its
// own. The algorithm, its arithmetic and its deviations are described in cubic.cpp.
#ifndef ATCP_CC_CUBIC_H
#define ATCP_CC_CUBIC_H

#include "cc/cc_ops.h"

namespace atcp {

extern const CcOps kCubic;

/// Largest r with r*r*r <= v. Digit by digit in base 2, 22 rounds whatever v is: once per
/// congestion epoch, so exactness is worth more than speed.
constexpr uint32_t cube_root(uint64_t v) {
  uint64_t r = 0;

  for (int32_t shift = 63; shift >= 0; shift -= 3) {
    r *= 2;
    // (r + 1)^3 - r^3
    const uint64_t step = 3 * r * (r + 1) + 1;
    if ((v >> shift) >= step) {
      v -= step << shift;
      r++;
    }
  }
  return static_cast<uint32_t>(r);
}
static_assert(cube_root(0) == 0 && cube_root(7) == 1 && cube_root(8) == 2);
static_assert(cube_root(~0ull) == 2642245);

}  // namespace atcp

#endif  // ATCP_CC_CUBIC_H
