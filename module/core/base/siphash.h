// SPDX-License-Identifier: GPL-2.0
//
// SipHash (Aumasson and Bernstein, 2012): the keyed hash behind initial sequence numbers (RFC 6528),
// timestamp offsets, SYN cookies and port selection (RFC 6056), in its strength 2-4; and behind table
// buckets in its lighter strength 1-3, for a peer sees nothing of a bucket's number.
#ifndef ATCP_BASE_SIPHASH_H
#define ATCP_BASE_SIPHASH_H

#include "base/types.h"

namespace atcp {

struct SipKey {
  uint64_t k[2];
};

/// Of `bytes` bytes.
uint64_t siphash(const SipKey& key, const void* data, uint32_t bytes);
/// Of whole 64-bit words; equal to siphash() over their little-endian bytes.
uint64_t siphash_words(const SipKey& key, const uint64_t* words, uint32_t n);
/// Of a 4-tuple.
uint64_t siphash_tuple(const SipKey& key, const atcp_tuple& t);
/// Of a 4-tuple and one more number.
uint64_t siphash_tuple(const SipKey& key, const atcp_tuple& t, uint64_t extra);

/// SipHash-1-3 of `bytes` bytes.
uint64_t siphash13(const SipKey& key, const void* data, uint32_t bytes);
/// SipHash-1-3 of a 4-tuple: for tables, whose buckets nobody must be able to aim at.
uint64_t siphash13_tuple(const SipKey& key, const atcp_tuple& t);

}  // namespace atcp

#endif  // ATCP_BASE_SIPHASH_H
