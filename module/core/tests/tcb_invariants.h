// SPDX-License-Identifier: GPL-2.0
//
// What holds for every connection whenever nobody is working on it: counts against the queue that they count,
// numbers in their order, nothing outstanding without a timer. For fuzzers and the explorer, which ask after each step.
#ifndef ATCP_TESTS_TCB_INVARIANTS_H
#define ATCP_TESTS_TCB_INVARIANTS_H

#include "conn/tcb.h"

namespace atcp::test {

#define HOLDS(cond) \
  if (!(cond)) return #cond

/// The send queue added up anew. pieces: how many the port holds. nullptr: all is well, else what is not.
inline const char* broken_queue(const Tcb& t, uint32_t pieces) {
  uint32_t out = 0, sacked = 0, lost = 0, again = 0, in_sent_list = 0, in_lost_list = 0, held = 0;
  const TxSeg* first_unsent = nullptr;
  const bool syn = in(t.state, bit(State::SynSent) | bit(State::SynReceived));
  Seq at = syn ? t.iss + 1 : t.snd_una;
  for (TxSeg* s = t.tx.first(); s != nullptr; s = Treap<TxSeg>::next(s)) {
    HOLDS(s->seq == at);
    at = s->end();
    if (s->pkt() != nullptr) held++;
    if (!s->has(TxSeg::kSent)) {
      if (first_unsent == nullptr) first_unsent = s;
      HOLDS(!s->has(TxSeg::kSacked | TxSeg::kLost | TxSeg::kInNetAgain));
      continue;
    }
    HOLDS(first_unsent == nullptr && s->segs > 0 && s->end() <= t.snd_nxt);
    out += s->segs;
    if (s->has(TxSeg::kSacked)) sacked += s->segs;
    if (s->has(TxSeg::kLost)) lost += s->segs;
    if (s->has(TxSeg::kInNetAgain)) again += s->segs;
    HOLDS(!s->has(TxSeg::kInNetAgain) || s->has(TxSeg::kLost));
    HOLDS(!s->has(TxSeg::kSacked) || !s->has(TxSeg::kLost));
    const bool waiting = s->has(TxSeg::kLost) && !s->has(TxSeg::kInNetAgain);
    if (waiting) in_lost_list++;
    if (!waiting && !s->has(TxSeg::kSacked)) in_sent_list++;
  }
  HOLDS(at == t.write_seq);
  HOLDS(first_unsent == t.send_head);
  HOLDS(held == pieces);
  HOLDS(out == t.packets_out);
  HOLDS(lost == t.lost_out);
  HOLDS(again == t.retrans_out);
  HOLDS(!t.sack_ok || sacked == t.sacked_out);
  HOLDS(t.sacked_out + t.lost_out <= t.packets_out && t.retrans_out <= t.lost_out);
  uint64_t before = 0;
  for (TxSeg* s = t.sent_list.first(); s != nullptr; s = TxList::next(*s)) {
    HOLDS(s->sent_us >= before);
    HOLDS(in_sent_list-- != 0);
    before = s->sent_us;
  }
  HOLDS(in_sent_list == 0);
  for (TxSeg* s = t.lost_list.first(); s != nullptr; s = TxList::next(*s))
    HOLDS(in_lost_list-- != 0);
  HOLDS(in_lost_list == 0);
  return nullptr;
}

/// timer_ns: when the port's timer is due, 0: not armed.
inline const char* broken_tcb(const Tcb& t, uint32_t pieces, uint64_t timer_ns) {
  const auto state = static_cast<uint32_t>(t.state);
  HOLDS(state >= 1 && state <= 11 && t.state != State::TimeWait);
  if (t.state == State::Listen) return nullptr;
  if (t.in_done) {
    HOLDS(t.state == State::Closed && t.tx.empty() && t.ofo.empty());
    HOLDS(t.sent_list.empty() && t.lost_list.empty());
    HOLDS(t.timers.earliest() == 0 && timer_ns == 0);
    return nullptr;
  }
  HOLDS(t.snd_una <= t.snd_nxt && t.snd_nxt <= t.write_seq);
  if (const char* what = broken_queue(t, pieces)) return what;
  if (t.state == State::Closed) return nullptr;
  HOLDS(t.cc.cwnd >= 1 && t.cc.ssthresh >= 2 && t.mss >= 8);
  HOLDS(t.rcv_nxt - t.copied_seq >= 0);
  // Something outstanding is never left without a timer, nor something that waits for room.
  HOLDS(t.packets_out == 0 || t.timers.pending(TimerId::Retransmit));
  HOLDS(!in(t.state, kSendStates | kFinStates) || t.send_head == nullptr || t.packets_out != 0 ||
        t.timers.pending(TimerId::Persist) || t.snd_wnd_end() > t.snd_nxt);
  HOLDS(t.timers.earliest() == 0 || (timer_ns != 0 && timer_ns <= t.timers.earliest() * 1000));
  return nullptr;
}

#undef HOLDS

}  // namespace atcp::test

#endif  // ATCP_TESTS_TCB_INVARIANTS_H
