// SPDX-License-Identifier: GPL-2.0
//
// Marks, counts and queues of what is outstanding, kept in step.
#include "conn/scoreboard.h"

#include "conn/tcb.h"

namespace atcp {

namespace {

/// The queue that a piece with these marks is in, or nullptr.
TxList* list_of(Tcb& t, const TxSeg& s) {
  if (!s.has(TxSeg::kSent) || s.has(TxSeg::kSacked)) return nullptr;
  return s.has(TxSeg::kLost) && !s.has(TxSeg::kInNetAgain) ? &t.lost_list : &t.sent_list;
}

void leave_list(Tcb& t, TxSeg& s) {
  if (TxList* l = list_of(t, s)) l->remove(s);
}

void clear(TxSeg& s, uint8_t marks) {
  s.flags = static_cast<uint8_t>(s.flags & ~marks);
}

/// Every count that s is part of.
void add(Tcb& t, const TxSeg& s, uint32_t segs) {
  t.packets_out += segs;
  if (s.has(TxSeg::kSacked)) t.sacked_out += segs;
  if (s.has(TxSeg::kLost)) t.lost_out += segs;
  if (s.has(TxSeg::kInNetAgain)) t.retrans_out += segs;
}

}  // namespace

void board_sent(Tcb& t, TxSeg& s, uint64_t now_us) {
  rate_sent(t, s, s.segs, now_us);
  s.flags |= TxSeg::kSent;
  s.sent_us = now_us;
  t.packets_out += s.segs;
  t.sent_list.push_back(s);
}

void board_resent(Tcb& t, TxSeg& s, uint64_t now_us) {
  // What a probe sends again need not be lost: for the rate's sample it is not.
  const uint32_t lost = t.rate.lost;
  mark_lost(t, s);
  t.rate.lost = lost;
  t.lost_list.remove(s);
  rate_sent(t, s, s.segs, now_us);
  s.flags |= TxSeg::kInNetAgain | TxSeg::kRetransmitted;
  s.sent_us = now_us;
  t.retrans_out += s.segs;
  t.sent_list.push_back(s);
}

void board_sacked(Tcb& t, TxSeg& s) {
  leave_list(t, s);
  if (s.has(TxSeg::kInNetAgain)) t.retrans_out -= s.segs;
  if (s.has(TxSeg::kLost)) t.lost_out -= s.segs;
  clear(s, TxSeg::kInNetAgain | TxSeg::kLost);
  s.flags |= TxSeg::kSacked;
  t.sacked_out += s.segs;
}

void mark_lost(Tcb& t, TxSeg& s) {
  if (list_of(t, s) != &t.sent_list) return;
  t.sent_list.remove(s);
  if (s.has(TxSeg::kInNetAgain)) t.retrans_out -= s.segs;
  clear(s, TxSeg::kInNetAgain);
  if (!s.has(TxSeg::kLost)) t.lost_out += s.segs;
  t.rate.lost += s.segs;
  s.flags |= TxSeg::kLost;
  t.lost_list.push_back(s);
}

void board_acked(Tcb& t, TxSeg& s) {
  leave_list(t, s);
  add(t, s, 0 - static_cast<uint32_t>(s.segs));
  clear(s, TxSeg::kSent | TxSeg::kSacked | TxSeg::kLost | TxSeg::kInNetAgain);
}

void board_split(Tcb& t, TxSeg& s, TxSeg& after, uint32_t before) {
  if (TxList* l = list_of(t, s)) l->insert_after(after, &s);
  if (s.has(TxSeg::kSent)) add(t, s, static_cast<uint32_t>(s.segs) + after.segs - before);
}

void board_recount(Tcb& t, TxSeg& s, uint32_t segs) {
  add(t, s, segs - s.segs);
  s.segs = static_cast<uint16_t>(segs);
}

void board_clear_lost(Tcb& t) {
  // Noticed in the order in which they were sent, as a rule. Not so if a peer took back what it had SACKed, or if not time
  // but their place among the SACKed was what told that they are lost.
  bool in_order = true;
  uint64_t before = 0;
  for (TxSeg* s = t.lost_list.first(); s != nullptr; s = TxList::next(*s)) {
    clear(*s, TxSeg::kLost);
    in_order = in_order && s->sent_us >= before;
    before = s->sent_us;
  }
  // What was sent again is among the youngest: a walk from the end sees no more than what left since the first of it, and a
  // piece that was seen once is not one that the next undo walks over.
  for (TxSeg* s = t.sent_list.last(); s != nullptr && t.retrans_out != 0; s = TxList::prev(*s)) {
    if (s->has(TxSeg::kInNetAgain)) t.retrans_out -= s->segs;
    clear(*s, TxSeg::kLost | TxSeg::kInNetAgain);
  }
  t.lost_out = 0;
  if (!in_order) t.lost_list.sort_by_time();
  t.sent_list.merge_by_time(t.lost_list);
  rack_judge_anew(t);
}

void board_renege(Tcb& t) {
  for (TxSeg* s = t.tx.first(); s != nullptr && s->has(TxSeg::kSent); s = Treap<TxSeg>::next(s)) {
    if (!s->has(TxSeg::kSacked)) continue;
    t.sacked_out -= s->segs;
    clear(*s, TxSeg::kSacked);
    s->flags |= TxSeg::kLost;
    t.lost_out += s->segs;
    t.lost_list.push_back(*s);
  }
}

void board_unsend(Tcb& t, TxSeg& first) {
  for (TxSeg* s = &first; s != nullptr && s->has(TxSeg::kSent); s = Treap<TxSeg>::next(s)) {
    board_acked(t, *s);
    clear(*s, TxSeg::kRetransmitted);
    s->segs = 0;
  }
  t.snd_nxt = first.seq;
  t.send_head = &first;
  rack_judge_anew(t);
}

void board_reset(Tcb& t) {
  t.sent_list = TxList{};
  t.lost_list = TxList{};
  t.send_head = nullptr;
  t.packets_out = t.sacked_out = t.lost_out = t.retrans_out = 0;
}

}  // namespace atcp
