// SPDX-License-Identifier: GPL-2.0
//
// Insertion keeps the runs apart and their pieces disjoint: what a newcomer has in common with the run
// before it is skipped, runs that it covers are freed, and one that it overlaps cuts its end; then
// what touches becomes one run.
#include "conn/reassembly.h"

#include <linux/atcp.h>

namespace atcp {

namespace {

RxSeg*& next_of(RxSeg& s) {
  // Idle while s is not the first of a run.
  return reinterpret_cast<RxSeg*&>(s.left);
}

/// All pieces of `more` follow those of `run`. Neither `more` nor its links of the tree are used any longer.
void append(RxSeg& run, RxSeg& more) {
  RxSeg* last = more.tail != nullptr ? more.tail : &more;
  RxSeg* second = run.tail != nullptr ? next_of(*run.tail) : &more;
  next_of(more) = more.tail != nullptr ? next_of(*more.tail) : second;
  if (run.tail != nullptr) next_of(*run.tail) = &more;
  next_of(*last) = second;
  run.tail = last;
  run.run_end = more.run_end;
}

/// The run without its first piece, led by its second; nullptr: there is none.
RxSeg* without_first(RxSeg& run) {
  if (run.tail == nullptr) return nullptr;
  RxSeg* second = next_of(*run.tail);
  second->run_end = run.run_end;
  if (second == run.tail) {
    second->tail = nullptr;
  } else {
    next_of(*run.tail) = next_of(*second);
    second->tail = run.tail;
  }
  return second;
}

}  // namespace

void Reassembly::note_block(Seq start, Seq end) {
  // RFC 2018 4: the newest block is reported first.
  // What it swallowed goes, the rest moves back.
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n_blocks_; i++)
    if (blocks_[i].end < start || end < blocks_[i].start) blocks_[kept++] = blocks_[i];
  kept = min(kept, kMaxSackBlocks - 1);
  for (uint32_t i = kept; i > 0; i--)
    blocks_[i] = blocks_[i - 1];
  blocks_[0] = {start, end};
  n_blocks_ = kept + 1;
}

uint32_t Reassembly::free_run(RxSeg& run, uint32_t reason) {
  runs_.remove(run);
  uint32_t freed = 0;
  for (RxSeg* s = &run; s != nullptr; freed++) {
    RxSeg* gone = s;
    s = without_first(*gone);
    atcp_os_pkt_free(gone->pkt(), reason);
  }
  return freed;
}

Reassembly::Result Reassembly::insert(atcp_pkt* pkt, Seq seq, uint32_t len, uint32_t skip,
                                      SackBlock* dup) {
  // RFC 9293 3.10.7.4 (SHLD-31); what was there already, RFC 2883 4.
  Seq end = seq + len;
  *dup = {seq, seq};

  RxSeg* at = runs_.lower_bound(seq);
  RxSeg* left = nullptr;
  if (at != nullptr && at->seq <= seq) {
    left = at;
    if (seq < left->run_end) *dup = {seq, left->run_end < end ? left->run_end : end};
    if (left->run_end >= end) {
      note_block(left->seq, left->run_end);
      return Result::Duplicate;
    }
    skip += bytes_between(seq, left->run_end);
    seq = left->run_end;
    at = Treap<RxSeg>::next(left);
  }
  while (at != nullptr && at->run_end <= end) {
    RxSeg* covered = at;
    at = Treap<RxSeg>::next(at);
    if (dup->start == dup->end) *dup = {covered->seq, covered->run_end};
    free_run(*covered, ATCP_REASON_OFO_DUPLICATE);
  }
  RxSeg* right = at != nullptr && at->seq <= end ? at : nullptr;
  if (right != nullptr) {
    if (dup->start == dup->end && right->seq < end) *dup = {right->seq, end};
    end = right->seq;
  }
  auto* n = new (pkt, Place{}) RxSeg{};
  n->seq = seq;
  n->end = end;
  n->skip = skip;
  n->run_end = end;
  if (right != nullptr) {
    runs_.remove(*right);
    append(*n, *right);
  }
  if (left != nullptr)
    append(*left, *n);
  else
    runs_.insert(*n);
  RxSeg* run = left != nullptr ? left : n;
  note_block(run->seq, run->run_end);
  return Result::Held;
}

RxSeg* Reassembly::take_ready(Seq rcv_nxt) {
  RxSeg* n = runs_.first();
  if (n == nullptr || n->seq > rcv_nxt) return nullptr;
  runs_.remove(*n);
  if (RxSeg* rest = without_first(*n)) runs_.insert(*rest);
  return n;
}

void Reassembly::advance(Seq rcv_nxt) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n_blocks_; i++)
    if (blocks_[i].end > rcv_nxt) blocks_[kept++] = blocks_[i];
  n_blocks_ = runs_.empty() ? 0 : kept;
}

/// Free the pieces of a run that begin at or after `keep`, but not its first.
uint32_t Reassembly::cut_run(RxSeg& run, Seq keep) {
  RxSeg* last = &run;
  RxSeg* s = next_of(*run.tail);
  RxSeg* const second = s;
  while (s->seq < keep && s != run.tail) {
    last = s;
    s = next_of(*s);
  }
  if (s->seq < keep) return 0;
  uint32_t freed = 0;
  for (bool more = true; more; freed++) {
    RxSeg* gone = s;
    more = gone != run.tail;
    s = next_of(*gone);
    atcp_os_pkt_free(gone->pkt(), ATCP_REASON_OFO_PRUNED);
  }
  run.run_end = last->end;
  run.tail = last == &run ? nullptr : last;
  if (last != &run) next_of(*last) = second;
  return freed;
}

uint32_t Reassembly::prune(uint32_t part) {
  if (runs_.empty()) return 0;
  const Seq first = runs_.first()->seq;
  const Seq end = runs_.last()->run_end;
  const Seq keep = end - bytes_between(first, end) / part;
  uint32_t freed = 0;
  while (!runs_.empty() && runs_.last()->seq >= keep)
    freed += free_run(*runs_.last(), ATCP_REASON_OFO_PRUNED);
  if (!runs_.empty() && runs_.last()->tail != nullptr) freed += cut_run(*runs_.last(), keep);
  // One large piece in front of them all: better that than nothing.
  if (freed == 0) freed = free_run(*runs_.last(), ATCP_REASON_OFO_PRUNED);
  // What was reported may be gone: the peer must not rely on it (RFC 2018 8 allows reneging, but
  // our own blocks must not name it again).
  n_blocks_ = 0;
  return freed;
}

void Reassembly::clear() {
  while (!runs_.empty())
    free_run(*runs_.first(), ATCP_REASON_SOCKET_CLOSED);
  n_blocks_ = 0;
}

}  // namespace atcp
