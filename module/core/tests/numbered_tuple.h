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

}  // namespace atcp

#endif  // ATCP_TESTS_NUMBERED_TUPLE_H
