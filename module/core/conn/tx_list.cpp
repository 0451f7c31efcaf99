// SPDX-License-Identifier: GPL-2.0
//
// Putting a queue of pieces in the order in which they left.
#include "conn/tx_list.h"

namespace atcp {

namespace {

/// Two runs in order become one; of equals a's are first. Only the links forward are kept up.
TxSeg* merged(TxSeg* a, TxSeg* b) {
  TxSeg* first = nullptr;
  TxSeg** end = &first;
  while (a != nullptr && b != nullptr) {
    TxSeg*& from = b->sent_us < a->sent_us ? b : a;
    *end = from;
    end = &front_of(*from).next;
    from = *end;
  }
  *end = a != nullptr ? a : b;
  return first;
}

/// Takes from the front of *rest what is in order. The links forward alone are looked at.
TxSeg* first_run(TxSeg** rest) {
  TxSeg* const first = *rest;
  TxSeg* last = first;
  while (TxSeg* next = front_of(*last).next) {
    if (next->sent_us < last->sent_us) break;
    last = next;
  }
  *rest = front_of(*last).next;
  front_of(*last).next = nullptr;
  return first;
}

}  // namespace

void TxList::sort_by_time() {
  // runs[i]: nothing, or 2^i runs made one, which stood before those of all below. There cannot be more of them
  // than a number space of 32 bits has octets.
  constexpr uint32_t kRuns = 33;
  TxSeg* runs[kRuns] = {};
  while (first_ != nullptr) {
    TxSeg* run = first_run(&first_);
    uint32_t i = 0;
    for (; runs[i] != nullptr; i++) {
      run = merged(runs[i], run);
      runs[i] = nullptr;
    }
    runs[i] = run;
  }
  for (TxSeg* run : runs)
    first_ = merged(run, first_);
  last_ = nullptr;
  for (TxSeg* s = first_; s != nullptr; s = front_of(*s).next) {
    front_of(*s).prev = last_;
    last_ = s;
  }
}

void TxList::merge_by_time(TxList& o) {
  TxSeg* before = last_;
  while (!o.empty() && !empty() && o.last_->sent_us > first_->sent_us) {
    TxSeg& s = *o.last_;
    o.remove(s);
    // The first one is older, so this ends.
    while (before->sent_us >= s.sent_us)
      before = front_of(*before).prev;
    insert_after(s, before);
  }
  take_in_front(o);
}

}  // namespace atcp
