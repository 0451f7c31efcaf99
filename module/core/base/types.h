// SPDX-License-Identifier: GPL-2.0
//
// The few things that a freestanding C++ program has to define for itself: integer types (from
// the border header), placement new, array length, the memory functions of the kernel, byte
// order. No code with a decision in it.
#ifndef ATCP_BASE_TYPES_H
#define ATCP_BASE_TYPES_H

#include "abi/atcp_os.h"

extern "C" {
void* memcpy(void* dst, const void* src, __SIZE_TYPE__ n) noexcept;
void* memmove(void* dst, const void* src, __SIZE_TYPE__ n) noexcept;
void* memset(void* dst, int c, __SIZE_TYPE__ n) noexcept;
int memcmp(const void* a, const void* b, __SIZE_TYPE__ n) noexcept;
}

namespace atcp {

using size_t = __SIZE_TYPE__;
using uintptr = __UINTPTR_TYPE__;

/// Tag for our placement new: the core never uses the global one, whose header a freestanding
/// build does not have.
struct Place {};

template <class T, size_t N>
constexpr uint32_t array_len(const T (&)[N]) {
  return static_cast<uint32_t>(N);
}

template <class T>
constexpr T min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
constexpr T max(T a, T b) {
  return a < b ? b : a;
}
template <class T>
constexpr T clamp(T v, T lo, T hi) {
  return v < lo ? lo : (hi < v ? hi : v);
}

constexpr uint16_t swap16(uint16_t v) {
  return __builtin_bswap16(v);
}
constexpr uint32_t swap32(uint32_t v) {
  return __builtin_bswap32(v);
}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
constexpr uint16_t to_be16(uint16_t v) {
  return swap16(v);
}
constexpr uint32_t to_be32(uint32_t v) {
  return swap32(v);
}
#else
constexpr uint16_t to_be16(uint16_t v) {
  return v;
}
constexpr uint32_t to_be32(uint32_t v) {
  return v;
}
#endif
constexpr uint16_t from_be16(uint16_t v) {
  return to_be16(v);
}
constexpr uint32_t from_be32(uint32_t v) {
  return to_be32(v);
}

/// Big-endian reads and writes a byte at a time: no alignment is assumed anywhere on the wire.
constexpr uint16_t read_be16(const uint8_t* p) {
  return static_cast<uint16_t>((p[0] << 8) | p[1]);
}
constexpr uint32_t read_be32(const uint8_t* p) {
  return (static_cast<uint32_t>(p[0]) << 24) | (static_cast<uint32_t>(p[1]) << 16) |
         (static_cast<uint32_t>(p[2]) << 8) | p[3];
}
constexpr void write_be16(uint8_t* p, uint16_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}
constexpr void write_be32(uint8_t* p, uint32_t v) {
  p[0] = static_cast<uint8_t>(v >> 24);
  p[1] = static_cast<uint8_t>(v >> 16);
  p[2] = static_cast<uint8_t>(v >> 8);
  p[3] = static_cast<uint8_t>(v);
}

/// Integer logarithm, floor; log2(0) is 0.
constexpr uint32_t log2_floor(uint32_t v) {
  return v == 0 ? 0 : 31 - static_cast<uint32_t>(__builtin_clz(v));
}
constexpr uint32_t round_up_pow2(uint32_t v) {
  return v <= 1 ? 1 : 1u << (log2_floor(v - 1) + 1);
}

}  // namespace atcp

inline void* operator new(__SIZE_TYPE__, void* p, atcp::Place) noexcept {
  return p;
}

#endif  // ATCP_BASE_TYPES_H
