// SPDX-License-Identifier: GPL-2.0
//
// Data that arrived before what precedes it, and the SACK blocks that tell the peer so (RFC
// 2018). Pieces that touch form a run; the runs are ordered by sequence number in a tree. All of
// it lives in the packets.
#ifndef ATCP_CONN_REASSEMBLY_H
#define ATCP_CONN_REASSEMBLY_H

#include "base/seq.h"
#include "base/treap.h"
#include "wire/segment.h"

namespace atcp {

/// A packet held out of order: its payload from `skip` on is sequence space [seq, end). The first piece
/// of a run stands for it in the tree; in the others, whose links of the tree are idle, `left` is the
/// next piece, and the last one's is the second: so the first one has both ends at hand.
struct RxSeg : TreapNode {
  Seq seq;
  Seq end;  ///< without the FIN
  uint32_t skip;
  Seq run_end;  ///< first of a run: where the run ends
  RxSeg* tail;  ///< first of a run: its last piece; nullptr: it is alone

  bool before(const RxSeg& o) const { return seq < o.seq; }
  /// The whole run lies below s and does not touch it.
  bool before_key(Seq s) const { return run_end < s; }
  atcp_pkt* pkt() { return reinterpret_cast<atcp_pkt*>(this); }
};
static_assert(sizeof(RxSeg) <= sizeof(atcp_pkt));

class Reassembly {
 public:
  enum class Result : uint8_t {
    Held,       ///< the packet is ours now
    Duplicate,  ///< everything in it was there already: the caller frees it
  };

  bool empty() const { return runs_.empty(); }
  /// Hold [seq, seq+len) of pkt, which begins `skip` bytes into its payload. Runs that it covers
  /// are freed.
  /// The packet must have been charged (atcp_os_rx_hold) before. *dup gets the part that was
  /// already held, if any (start == end: none).
  Result insert(atcp_pkt* pkt, Seq seq, uint32_t len, uint32_t skip, SackBlock* dup);
  /// The first piece if it begins at or before rcv_nxt, taken out; else nullptr. The caller
  /// delivers it (or frees it, if it is wholly old).
  RxSeg* take_ready(Seq rcv_nxt);
  /// Everything below rcv_nxt is no news any more.
  void advance(Seq rcv_nxt);
  /// Give up what is in the last of `part` equal parts of the range held, at least one packet if there is any; returns
  /// how many.
  uint32_t prune(uint32_t part);
  void clear();

  /// Blocks to report, most recent first (RFC 2018 4): the first is the whole run of the newest segment.
  uint32_t n_blocks() const { return n_blocks_; }
  const SackBlock& block(uint32_t i) const { return blocks_[i]; }

 private:
  void note_block(Seq start, Seq end);
  uint32_t free_run(RxSeg& run, uint32_t reason);
  uint32_t cut_run(RxSeg& run, Seq keep);

  Treap<RxSeg> runs_;
  SackBlock blocks_[kMaxSackBlocks] = {};
  uint32_t n_blocks_ = 0;
};

}  // namespace atcp

#endif  // ATCP_CONN_REASSEMBLY_H
