// SPDX-License-Identifier: GPL-2.0
//
// SipHash-c-d as its paper gives it: c rounds per 64-bit word of input, d to finish, the input's
// length in the last word's top byte. Three ways in (bytes, words, tuple), one set of rounds. Keys
// and what they are for belong to the callers.
#include "base/siphash.h"

namespace atcp {
namespace {

constexpr uint64_t rotl(uint64_t v, uint32_t n) {
  return (v << n) | (v >> (64 - n));
}

template <int kPerWord, int kToFinish>
struct State {
  uint64_t v0, v1, v2, v3;

  explicit State(const SipKey& key)
      : v0(key.k[0] ^ 0x736f6d6570736575ull),
        v1(key.k[1] ^ 0x646f72616e646f6dull),
        v2(key.k[0] ^ 0x6c7967656e657261ull),
        v3(key.k[1] ^ 0x7465646279746573ull) {}

  void round() {
    v0 += v1;
    v2 += v3;
    v1 = rotl(v1, 13) ^ v0;
    v3 = rotl(v3, 16) ^ v2;
    v0 = rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = rotl(v1, 17) ^ v2;
    v3 = rotl(v3, 21) ^ v0;
    v2 = rotl(v2, 32);
  }
  void word(uint64_t m) {
    v3 ^= m;
    for (int i = 0; i < kPerWord; i++)
      round();
    v0 ^= m;
  }
  /// rest: the bytes after the last whole word.
  uint64_t finish(uint64_t rest, uint32_t bytes) {
    word(rest | (static_cast<uint64_t>(bytes) << 56));
    v2 ^= 0xff;
    for (int i = 0; i < kToFinish; i++)
      round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

using Strong = State<2, 4>;
using Light = State<1, 3>;

uint64_t read_le(const uint8_t* p, uint32_t n) {
  uint64_t v = 0;
  for (uint32_t i = 0; i < n; i++)
    v |= static_cast<uint64_t>(p[i]) << (8 * i);
  return v;
}

uint64_t address_word(const atcp_ip& ip, uint32_t half) {
  return read_le(ip.v6 + 8 * half, 8);
}

template <class Hash>
uint64_t hash_bytes(const SipKey& key, const void* data, uint32_t bytes) {
  const auto* p = static_cast<const uint8_t*>(data);
  Hash s(key);
  const uint32_t whole = bytes & ~7u;
  for (uint32_t at = 0; at < whole; at += 8)
    s.word(read_le(p + at, 8));
  return s.finish(read_le(p + whole, bytes - whole), bytes);
}

/// The addresses; returns how many words they were.
template <class Hash>
uint32_t hash_addresses(Hash& s, const atcp_tuple& t) {
  if (t.family != ATCP_AF_INET6) {
    s.word(static_cast<uint64_t>(t.laddr.v4) | (static_cast<uint64_t>(t.raddr.v4) << 32));
    return 1;
  }
  for (uint32_t half = 0; half < 2; half++)
    s.word(address_word(t.laddr, half));
  for (uint32_t half = 0; half < 2; half++)
    s.word(address_word(t.raddr, half));
  return 4;
}

/// Ports and family fit beside the length in the last word.
template <class Hash>
uint64_t hash_ports(Hash& s, const atcp_tuple& t, uint32_t words) {
  const uint64_t ports = static_cast<uint64_t>(t.lport) | (static_cast<uint64_t>(t.rport) << 16) |
                         (static_cast<uint64_t>(t.family) << 32);
  return s.finish(ports, words * 8 + 6);
}

template <class Hash>
uint64_t hash_tuple(const SipKey& key, const atcp_tuple& t) {
  Hash s(key);
  const uint32_t words = hash_addresses(s, t);
  return hash_ports(s, t, words);
}

}  // namespace

uint64_t siphash(const SipKey& key, const void* data, uint32_t bytes) {
  return hash_bytes<Strong>(key, data, bytes);
}

uint64_t siphash13(const SipKey& key, const void* data, uint32_t bytes) {
  return hash_bytes<Light>(key, data, bytes);
}

uint64_t siphash_words(const SipKey& key, const uint64_t* words, uint32_t n) {
  Strong s(key);
  for (uint32_t i = 0; i < n; i++)
    s.word(words[i]);
  return s.finish(0, n * 8);
}

uint64_t siphash_tuple(const SipKey& key, const atcp_tuple& t) {
  return hash_tuple<Strong>(key, t);
}

uint64_t siphash13_tuple(const SipKey& key, const atcp_tuple& t) {
  return hash_tuple<Light>(key, t);
}

uint64_t siphash_tuple(const SipKey& key, const atcp_tuple& t, uint64_t extra) {
  Strong s(key);
  const uint32_t words = hash_addresses(s, t);
  s.word(extra);
  return hash_ports(s, t, words + 1);
}

}  // namespace atcp
