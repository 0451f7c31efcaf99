// SPDX-License-Identifier: GPL-2.0
//
// Tuples by number, for tests that fill tables: one local end, and a peer for each number.
#ifndef ATCP_TESTS_NUMBERED_TUPLE_H
#define ATCP_TESTS_NUMBERED_TUPLE_H

#include "abi/atcp_os.h"

namespace atcp {

inline atcp_tuple tuple(uint32_t n) {
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = 0x0100007f;
  t.raddr.v4 = n;
  t.lport = 80;
  t.rport = static_cast<uint16_t>(n * 7);
  return t;
}

/// The same of IPv6: addresses differ in their last bytes, and begin like each other.
inline atcp_tuple tuple6(uint32_t n) {
  atcp_tuple t = tuple(n);
  t.family = ATCP_AF_INET6;
  t.laddr = {};
  t.raddr = {};
  t.laddr.v6[0] = t.raddr.v6[0] = 0xfd;
  t.laddr.v6[15] = 1;
  for (int i = 0; i < 4; i++)
    t.raddr.v6[12 + i] = static_cast<uint8_t>(n >> (8 * i));
  return t;
}

}  // namespace atcp

#endif  // ATCP_TESTS_NUMBERED_TUPLE_H
