// SPDX-License-Identifier: GPL-2.0
//
// One piece of the send queue: what the core remembers of a buffer of payload that the port
// keeps. It lives inside the packet (atcp_pkt), so remembering costs no allocation; the FIN,
// which has no payload, has a node of its own in the Tcb.
#ifndef ATCP_CONN_TX_SEG_H
#define ATCP_CONN_TX_SEG_H

#include "base/seq.h"
#include "base/treap.h"

namespace atcp {

/// Invariants: a piece is wholly sent or wholly unsent; the pieces of a queue touch without gap;
/// kLost, kSacked and kInNetAgain only on sent ones; kSacked excludes kLost.
struct TxSeg : TreapNode {
  Seq seq;
  uint32_t len;      ///< payload bytes
  uint64_t sent_us;  ///< last (re)transmission
  uint16_t segs;     ///< wire segments it counts as; 0 while unsent
  uint8_t flags;
  uint8_t reserved;
  uint16_t head;  ///< bytes at the front of the packet that are acknowledged and not yet trimmed
  /// Payload bytes of each wire segment but the last, as it was sent last (a SACK list in the header makes
  /// them fewer than Tcb::mss); 0 while unsent.
  uint16_t mss;

  enum : uint8_t {
    kSent = 0x01,
    kSacked = 0x02,
    kLost = 0x04,
    kInNetAgain = 0x08,     ///< a retransmission of it is thought to be in the network
    kRetransmitted = 0x10,  ///< ever
    kFin = 0x20,            ///< the FIN follows its last byte
    kNoPkt = 0x40,          ///< the Tcb's own FIN node
    kAppLimited = 0x80,     ///< the program had nothing more to send when it left
  };

  bool has(uint8_t f) const { return (flags & f) != 0; }
  /// Sequence space it takes.
  uint32_t seq_len() const { return len + (has(kFin) ? 1 : 0); }
  Seq end() const { return seq + seq_len(); }
  bool before(const TxSeg& o) const { return seq < o.seq; }
  /// For lower_bound: wholly below s.
  bool before_key(Seq s) const { return end() <= s; }
  atcp_pkt* pkt() { return has(kNoPkt) ? nullptr : reinterpret_cast<atcp_pkt*>(this); }
};
static_assert(sizeof(TxSeg) <= sizeof(atcp_pkt));

/// Make a TxSeg of a packet's 48 bytes.
inline TxSeg* tx_seg_of(atcp_pkt* pkt) {
  return new (pkt, Place{}) TxSeg{};
}

}  // namespace atcp

#endif  // ATCP_CONN_TX_SEG_H
