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

}  // namespace

void TxList::sort_by_time() {
  // runs[i]: nothing, or 2^i pieces in order, which stood before those of all runs below. There cannot be more of them
  // than a number space of 32 bits has octets.
  constexpr uint32_t kRuns = 33;
  TxSeg* runs[kRuns] = {};
  while (first_ != nullptr) {
    TxSeg* run = first_;
    first_ = front_of(*run).next;
    front_of(*run).next = nullptr;
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

}  // namespace atcp
