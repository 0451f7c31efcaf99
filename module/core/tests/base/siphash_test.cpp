// SPDX-License-Identifier: GPL-2.0
//
// SipHash against values of its authors' reference program (key 00..0f, input 00, 01, ...), and
// the three ways in against each other.
#include "base/siphash.h"

#include <gtest/gtest.h>

#include <cstring>

namespace atcp {
namespace {

SipKey reference_key() {
  SipKey k = {};
  uint8_t bytes[16];
  for (uint8_t i = 0; i < 16; i++)
    bytes[i] = i;
  memcpy(k.k, bytes, 16);
  return k;
}

TEST(Siphash, ReferenceVectors) {
  const struct {
    uint32_t len;
    uint64_t want;
  } kVectors[] = {
      {0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd}, {2, 0x0d6c8009d9a94f5a},
      {3, 0x85676696d7fb7e2d},  {4, 0xcf2794e0277187b7}, {5, 0x18765564cd99a68d},
      {6, 0xcbc9466e58fee3ce},  {7, 0xab0200f58b01d137}, {8, 0x93f5f5799a932462},
      {15, 0xa129ca6149be45e5},
  };
  uint8_t in[16];
  for (uint8_t i = 0; i < 16; i++)
    in[i] = i;
  for (const auto& v : kVectors)
    EXPECT_EQ(siphash(reference_key(), in, v.len), v.want) << "length " << v.len;
}

TEST(Siphash13, ReferenceVector) {
  EXPECT_EQ(siphash13(reference_key(), nullptr, 0), 0xabac0158050fc4dcu);
}

TEST(SiphashTuple, IsSiphashOfItsBytes) {
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = 0x04030201;
  t.raddr.v4 = 0x08070605;
  t.lport = 0x0a09;
  t.rport = 0x0c0b;
  const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, ATCP_AF_INET, 0};
  const SipKey key = reference_key();
  EXPECT_EQ(siphash_tuple(key, t), siphash(key, bytes, sizeof bytes));
  EXPECT_EQ(siphash13_tuple(key, t), siphash13(key, bytes, sizeof bytes));
  const uint8_t more[] = {1,  2,  3,  4,  5,  6, 7,  8,  21, 22,           23,
                          24, 25, 26, 27, 28, 9, 10, 11, 12, ATCP_AF_INET, 0};
  EXPECT_EQ(siphash_tuple(key, t, 0x1c1b1a1918171615), siphash(key, more, sizeof more));
}

TEST(SiphashTuple, OfIpv6IsSiphashOfItsBytes) {
  // Both addresses, ports, family: 38 bytes.
  uint8_t bytes[38] = {};
  for (uint8_t i = 0; i < 36; i++)
    bytes[i] = static_cast<uint8_t>(i + 1);
  bytes[36] = ATCP_AF_INET6;
  atcp_tuple t = {};
  t.family = ATCP_AF_INET6;
  memcpy(t.laddr.v6, bytes, 16);
  memcpy(t.raddr.v6, bytes + 16, 16);
  t.lport = 0x2221;
  t.rport = 0x2423;
  const SipKey key = reference_key();
  EXPECT_EQ(siphash_tuple(key, t), siphash(key, bytes, sizeof bytes));
  EXPECT_EQ(siphash13_tuple(key, t), siphash13(key, bytes, sizeof bytes));
}

TEST(Siphash, UnalignedInput) {
  uint8_t in[32] = {};
  for (uint8_t i = 0; i < 15; i++)
    in[i + 1] = i;
  EXPECT_EQ(siphash(reference_key(), in + 1, 15), 0xa129ca6149be45e5u);
}

TEST(SiphashWords, AgreesWithBytes) {
  const uint64_t words[3] = {0x0123456789abcdef, 0xfedcba9876543210, 42};
  for (uint32_t n = 0; n <= 3; n++)
    EXPECT_EQ(siphash_words(reference_key(), words, n), siphash(reference_key(), words, n * 8));
}

TEST(SiphashTuple, EveryFieldCounts) {
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = 1;
  t.raddr.v4 = 2;
  t.lport = 3;
  t.rport = 4;
  const SipKey key = reference_key();
  const uint64_t h = siphash_tuple(key, t, 0);
  EXPECT_NE(h, siphash_tuple(key, t, 1));
  atcp_tuple u = t;
  u.laddr.v4 = 9;
  EXPECT_NE(h, siphash_tuple(key, u, 0));
  u = t;
  u.raddr.v4 = 9;
  EXPECT_NE(h, siphash_tuple(key, u, 0));
  u = t;
  u.lport = 9;
  EXPECT_NE(h, siphash_tuple(key, u, 0));
  u = t;
  u.rport = 9;
  EXPECT_NE(h, siphash_tuple(key, u, 0));
  SipKey other = key;
  other.k[1] ^= 1;
  EXPECT_NE(h, siphash_tuple(other, t, 0));
}

TEST(SiphashTuple, Ipv4IgnoresUnusedAddressBytes) {
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = 1;
  atcp_tuple dirty = t;
  dirty.laddr.v6[9] = 0xff;
  dirty.reserved = 7;
  EXPECT_EQ(siphash_tuple(reference_key(), t, 5), siphash_tuple(reference_key(), dirty, 5));
}

TEST(SiphashTuple, Ipv6UsesAllOfTheAddress) {
  atcp_tuple t = {};
  t.family = ATCP_AF_INET6;
  atcp_tuple u = t;
  u.laddr.v6[15] = 1;
  EXPECT_NE(siphash_tuple(reference_key(), t, 0), siphash_tuple(reference_key(), u, 0));
}

}  // namespace
}  // namespace atcp
