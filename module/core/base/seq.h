// SPDX-License-Identifier: GPL-2.0
//
// Sequence numbers (RFC 9293 3.4): 32 bits that wrap, so they cannot be compared as numbers. A
// comparison is the sign of the difference, which makes sense only within 2^31 of each other.
// Timestamps of RFC 7323 obey the same arithmetic and use the same type.
#ifndef ATCP_BASE_SEQ_H
#define ATCP_BASE_SEQ_H

#include "base/types.h"

namespace atcp {

class Seq {
 public:
  constexpr Seq() = default;
  explicit constexpr Seq(uint32_t v) : v_(v) {}

  constexpr uint32_t raw() const { return v_; }
  constexpr Seq operator+(uint32_t n) const { return Seq(v_ + n); }
  constexpr Seq operator-(uint32_t n) const { return Seq(v_ - n); }
  constexpr Seq& operator+=(uint32_t n) {
    v_ += n;
    return *this;
  }
  /// Signed distance; positive if this is later.
  constexpr int32_t operator-(Seq o) const { return static_cast<int32_t>(v_ - o.v_); }
  constexpr bool operator==(Seq o) const { return v_ == o.v_; }
  constexpr bool operator!=(Seq o) const { return v_ != o.v_; }
  constexpr bool operator<(Seq o) const { return *this - o < 0; }
  constexpr bool operator<=(Seq o) const { return *this - o <= 0; }
  constexpr bool operator>(Seq o) const { return *this - o > 0; }
  constexpr bool operator>=(Seq o) const { return *this - o >= 0; }

 private:
  uint32_t v_ = 0;
};

/// Bytes from a up to b, where a <= b is known.
constexpr uint32_t bytes_between(Seq a, Seq b) {
  return b.raw() - a.raw();
}

static_assert(Seq(1) > Seq(0xffffffff));
static_assert(Seq(0x7fffffff) > Seq(0));
static_assert(Seq(5) - Seq(0xfffffffb) == 10);

}  // namespace atcp

#endif  // ATCP_BASE_SEQ_H
