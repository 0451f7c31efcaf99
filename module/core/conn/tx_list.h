// SPDX-License-Identifier: GPL-2.0
//
// A queue of pieces in the order in which something happened to them: the second order of the send queue
// beside that of sequence numbers. A piece is in one such queue at most; its two links are in the packet, in
// front of what atcp_pkt shows (ATCP_PKT_LINKS_BEFORE), so that being queued costs no memory.
#ifndef ATCP_CONN_TX_LIST_H
#define ATCP_CONN_TX_LIST_H

#include "conn/tx_seg.h"

namespace atcp {

struct TxLinks {
  TxSeg* prev;
  TxSeg* next;
};

inline TxLinks& links_of(TxSeg& s) {
  return *reinterpret_cast<TxLinks*>(reinterpret_cast<uint8_t*>(&s) - ATCP_PKT_LINKS_BEFORE);
}

/// A piece without a packet, with the room in front that packets have: for a FIN that no payload carries.
struct LoneTxSeg {
  TxLinks links;
  uint8_t gap[ATCP_PKT_LINKS_BEFORE - sizeof(TxLinks)];
  TxSeg seg;
};
static_assert(sizeof(LoneTxSeg) == ATCP_PKT_LINKS_BEFORE + sizeof(TxSeg));

class TxList {
 public:
  bool empty() const { return first_ == nullptr; }
  TxSeg* first() const { return first_; }
  static TxSeg* next(TxSeg& s) { return links_of(s).next; }
  void push_back(TxSeg& s) { insert_after(s, last_); }
  /// after: in this queue; nullptr: s becomes the first.
  void insert_after(TxSeg& s, TxSeg* after) {
    TxSeg* next = after != nullptr ? links_of(*after).next : first_;
    links_of(s) = {after, next};
    (after != nullptr ? links_of(*after).next : first_) = &s;
    (next != nullptr ? links_of(*next).prev : last_) = &s;
  }
  void remove(TxSeg& s) {
    TxLinks& l = links_of(s);
    (l.prev != nullptr ? links_of(*l.prev).next : first_) = l.next;
    (l.next != nullptr ? links_of(*l.next).prev : last_) = l.prev;
    l = {nullptr, nullptr};
  }
  /// All of o in front of what is here; o is empty afterwards.
  void take_in_front(TxList& o) {
    if (o.empty()) return;
    links_of(*o.last_).next = first_;
    (first_ != nullptr ? links_of(*first_).prev : last_) = o.last_;
    first_ = o.first_;
    o.first_ = o.last_ = nullptr;
  }

 private:
  TxSeg* first_ = nullptr;
  TxSeg* last_ = nullptr;
};

}  // namespace atcp

#endif  // ATCP_CONN_TX_LIST_H
