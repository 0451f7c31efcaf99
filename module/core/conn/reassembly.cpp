// SPDX-License-Identifier: GPL-2.0
//
// Insertion keeps the pieces disjoint: what a newcomer has in common with its predecessor is
// skipped, successors that it covers are freed, and one that it overlaps cuts its end.
#include "conn/reassembly.h"

#include <linux/atcp.h>

namespace atcp {

void Reassembly::note_block(Seq start, Seq end) {
  // Merge with every block that touches, then put the result first.
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n_blocks_; i++) {
    const SackBlock b = blocks_[i];
    if (b.start <= end && start <= b.end) {
      start = b.start < start ? b.start : start;
      end = b.end > end ? b.end : end;
    } else {
      blocks_[kept++] = b;
    }
  }
  kept = min(kept, kMaxSackBlocks - 1);
  for (uint32_t i = kept; i > 0; i--)
    blocks_[i] = blocks_[i - 1];
  blocks_[0] = {start, end};
  n_blocks_ = kept + 1;
}

Reassembly::Result Reassembly::insert(atcp_pkt* pkt, Seq seq, uint32_t len, uint32_t skip,
                                      SackBlock* dup) {
  Seq end = seq + len;
  *dup = {seq, seq};
  note_block(seq, end);

  // at: the first piece that ends after seq.
  RxSeg* at = tree_.lower_bound(seq);
  if (at != nullptr && at->seq <= seq) {
    *dup = {seq, at->end < end ? at->end : end};
    if (at->end >= end) return Result::Duplicate;
    skip += bytes_between(seq, at->end);
    seq = at->end;
    at = Treap<RxSeg>::next(at);
  }
  while (at != nullptr && at->end <= end) {
    RxSeg* covered = at;
    at = Treap<RxSeg>::next(at);
    if (dup->start == dup->end) *dup = {covered->seq, covered->end};
    tree_.remove(*covered);
    atcp_os_pkt_free(covered->pkt(), ATCP_REASON_OFO_DUPLICATE);
  }
  if (at != nullptr && at->seq < end) {
    if (dup->start == dup->end) *dup = {at->seq, end};
    end = at->seq;
  }
  if (end <= seq) return Result::Duplicate;
  auto* n = new (pkt, Place{}) RxSeg{};
  n->seq = seq;
  n->end = end;
  n->skip = skip;
  tree_.insert(*n);
  return Result::Held;
}

RxSeg* Reassembly::take_ready(Seq rcv_nxt) {
  RxSeg* n = tree_.first();
  if (n == nullptr || n->seq > rcv_nxt) return nullptr;
  tree_.remove(*n);
  return n;
}

void Reassembly::advance(Seq rcv_nxt) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n_blocks_; i++)
    if (blocks_[i].end > rcv_nxt) blocks_[kept++] = blocks_[i];
  n_blocks_ = tree_.empty() ? 0 : kept;
}

uint32_t Reassembly::prune() {
  if (tree_.empty()) return 0;
  const Seq keep = tree_.first()->seq + bytes_between(tree_.first()->seq, tree_.last()->end) / 2;
  uint32_t freed = 0;
  while (!tree_.empty() && (tree_.last()->seq >= keep || freed == 0)) {
    RxSeg* n = tree_.last();
    tree_.remove(*n);
    atcp_os_pkt_free(n->pkt(), ATCP_REASON_OFO_PRUNED);
    freed++;
  }
  // What was reported may be gone: the peer must not rely on it (RFC 2018 8 allows reneging, but
  // our own blocks must not name it again).
  n_blocks_ = 0;
  return freed;
}

void Reassembly::clear() {
  while (!tree_.empty()) {
    RxSeg* n = tree_.first();
    tree_.remove(*n);
    atcp_os_pkt_free(n->pkt(), ATCP_REASON_SOCKET_CLOSED);
  }
  n_blocks_ = 0;
}

}  // namespace atcp
