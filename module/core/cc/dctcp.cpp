// SPDX-License-Identifier: GPL-2.0
//
// Data Center TCP, RFC 8257: cwnd is reduced by how many of a round trip's segments were marked, not by
// whether one was. For networks whose queues mark early and all whose hosts do so: beside Reno or CUBIC it
// takes more than its share.
//
// Arithmetic. alpha is a share in 2^-20, g is 1/16 (4.2 of the RFC). A step towards it that would
// round to nothing takes the last of it, so that alpha reaches 0.
//
// Deviations
//   - Segments are counted, 3.3 counts bytes.
//   - An observation window ends with the round trip, whatever was acknowledged in it; one in which nothing
//     was leaves alpha as it is.
//   - After a loss cwnd is halved (3.5: as TCP does); alpha has no part in that.
#include "cc/dctcp.h"

#include "cc/reno.h"

namespace atcp {

namespace {

constexpr uint32_t kBits = 20;
constexpr uint32_t kOne = 1u << kBits;
constexpr uint32_t kGainShift = 4;  // g = 1/16

struct Dctcp {
  uint32_t alpha;   // 2^-20
  uint32_t round;   // CcAck::round of the window's beginning
  uint32_t acked;   // segments in this window
  uint32_t marked;  // of these, reported by ACKs that echo a mark
};
static_assert(sizeof(Dctcp) <= kCcPrivWords * 8);

Dctcp& priv(CcState& s) {
  return *__builtin_launder(reinterpret_cast<Dctcp*>(s.priv));
}

void dctcp_init(CcState& s, uint64_t) {
  // 3.3: as if all had been marked, so that the first mark finds a cautious sender.
  new (s.priv, Place{}) Dctcp{.alpha = kOne, .round = 0, .acked = 0, .marked = 0};
  s.cwnd_cnt = 0;
}

// RFC 8257 3.3, steps 1 to 7.
void dctcp_observe(CcState& s, const CcAck& a) {
  Dctcp& d = priv(s);

  d.acked += a.acked;
  if (a.ece) d.marked += a.acked;
  if (a.round == d.round || d.acked == 0) return;
  const uint32_t share =
      static_cast<uint32_t>((static_cast<uint64_t>(d.marked) << kBits) / d.acked);
  const uint32_t decay = d.alpha >> kGainShift;
  d.alpha -= decay != 0 ? decay : d.alpha;
  d.alpha = min(d.alpha + (share >> kGainShift), kOne);
  d.round = a.round;
  d.acked = 0;
  d.marked = 0;
}

// RFC 8257 3.3, step 9 (cwnd * (1 - alpha / 2)); 3.5 for losses.
uint32_t dctcp_ssthresh(CcState& s, atcp_cc_event why, uint64_t) {
  const uint32_t alpha = why == ATCP_CC_ENTER_CWR ? priv(s).alpha : kOne;

  s.cwnd_cnt = 0;
  const auto cut = static_cast<uint32_t>(static_cast<uint64_t>(s.cwnd) * alpha >> (kBits + 1));
  return max<uint32_t>(s.cwnd - cut, 2);
}

// 3.3: "as TCP does".
void dctcp_on_ack(CcState& s, const CcAck& a) {
  kReno.on_ack(s, a);
}

}  // namespace

const CcOps kDctcp = {
    .abi = ATCP_CC_ABI,
    .owner = nullptr,
    .name = "dctcp",
    .flags = ATCP_CC_RESTRICTED | ATCP_CC_NEEDS_ECN | ATCP_CC_EXACT_ECE,
    .more_bytes = 0,
    .init = dctcp_init,
    .ssthresh = dctcp_ssthresh,
    .observe = dctcp_observe,
    .control = nullptr,
    .on_ack = dctcp_on_ack,
    .on_event = nullptr,
};

uint32_t dctcp_alpha(const CcState& s) {
  return __builtin_launder(reinterpret_cast<const Dctcp*>(s.priv))->alpha;
}

}  // namespace atcp
