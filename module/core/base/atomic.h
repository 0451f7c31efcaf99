// SPDX-License-Identifier: GPL-2.0
//
// The only lock-free reads and writes of the core; used by table/ and the listener's counts.
// Publication is store-release and every reader loads with acquire, which both the C++ and the
// kernel's memory model order the same way (the kernel's address dependencies, which C++ cannot
// express, are not relied upon).
#ifndef ATCP_BASE_ATOMIC_H
#define ATCP_BASE_ATOMIC_H

#include "base/types.h"

namespace atcp {

template <class T>
inline T load_acquire(const T* p) {
  return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
template <class T>
inline T load_relaxed(const T* p) {
  // Not __atomic_load_n: clang has that for integers only, and an enum is none.
  T v;
  __atomic_load(p, &v, __ATOMIC_RELAXED);
  return v;
}
template <class T>
inline void store_release(T* p, T v) {
  __atomic_store_n(p, v, __ATOMIC_RELEASE);
}
template <class T>
inline void store_relaxed(T* p, T v) {
  __atomic_store_n(p, v, __ATOMIC_RELAXED);
}
/// Returns the new value.
template <class T>
inline T add_fetch(T* p, T n) {
  return __atomic_add_fetch(p, n, __ATOMIC_ACQ_REL);
}
template <class T>
inline T sub_fetch(T* p, T n) {
  return __atomic_sub_fetch(p, n, __ATOMIC_ACQ_REL);
}
/// Increment unless zero; false if it was zero.
inline bool inc_not_zero(uint32_t* p) {
  uint32_t v = __atomic_load_n(p, __ATOMIC_RELAXED);
  do {
    if (v == 0) return false;
  } while (!__atomic_compare_exchange_n(p, &v, v + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
  return true;
}
/// Decrement if more than least are left then; false, and nothing done, if not.
inline bool dec_if_above(uint32_t* p, uint32_t least) {
  uint32_t v = __atomic_load_n(p, __ATOMIC_RELAXED);
  do {
    if (v - 1 <= least) return false;
  } while (!__atomic_compare_exchange_n(p, &v, v - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
  return true;
}

/// Make it 0 if it is 1; false if it is not.
inline bool one_to_zero(uint32_t* p) {
  uint32_t v = 1;
  return __atomic_compare_exchange_n(p, &v, 0u, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

}  // namespace atcp

#endif  // ATCP_BASE_ATOMIC_H
