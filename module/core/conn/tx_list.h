// SPDX-License-Identifier: GPL-2.0
//
// A queue of pieces in the order in which something happened to them: the second order of the send queue
// beside that of sequence numbers. A piece is in one such queue at most; its two links are in the packet, in
// front of what atcp_pkt shows (ATCP_PKT_LINKS_BEFORE), so that being queued costs no memory.
#ifndef ATCP_CONN_TX_LIST_H
#define ATCP_CONN_TX_LIST_H

#include "conn/tx_seg.h"

namespace atcp {

/// What is in front of a piece: its links, and what was known when it left (rate.cpp).
struct TxFront {
  TxSeg* prev;
  TxSeg* next;
  uint32_t delivered;      ///< Rate::delivered then
  uint32_t delivered_us;   ///< Rate::delivered_us then
  uint64_t port;           ///< not ours
  uint32_t first_sent_us;  ///< Rate::first_sent_us then
  uint16_t tx_in_flight;   ///< segments in the network, its own included; stops at 65535
  uint16_t lost;           ///< low bits of Rate::lost then
};
static_assert(sizeof(TxFront) == ATCP_PKT_LINKS_BEFORE);

inline TxFront& front_of(TxSeg& s) {
  return *reinterpret_cast<TxFront*>(reinterpret_cast<uint8_t*>(&s) - sizeof(TxFront));
}
inline const TxFront& front_of(const TxSeg& s) {
  return *reinterpret_cast<const TxFront*>(reinterpret_cast<const uint8_t*>(&s) - sizeof(TxFront));
}

/// A piece without a packet, with the room in front that packets have: for a FIN that no payload carries.
struct LoneTxSeg {
  TxFront front;
  TxSeg seg;
};
static_assert(sizeof(LoneTxSeg) == sizeof(TxFront) + sizeof(TxSeg));

class TxList {
 public:
  bool empty() const { return first_ == nullptr; }
  TxSeg* first() const { return first_; }
  TxSeg* last() const { return last_; }
  static TxSeg* next(TxSeg& s) { return front_of(s).next; }
  static TxSeg* prev(TxSeg& s) { return front_of(s).prev; }
  void push_back(TxSeg& s) { insert_after(s, last_); }
  /// after: in this queue; nullptr: s becomes the first.
  void insert_after(TxSeg& s, TxSeg* after) {
    TxSeg* next = after != nullptr ? front_of(*after).next : first_;
    front_of(s).prev = after;
    front_of(s).next = next;
    (after != nullptr ? front_of(*after).next : first_) = &s;
    (next != nullptr ? front_of(*next).prev : last_) = &s;
  }
  void remove(TxSeg& s) {
    TxFront& l = front_of(s);
    (l.prev != nullptr ? front_of(*l.prev).next : first_) = l.next;
    (l.next != nullptr ? front_of(*l.next).prev : last_) = l.prev;
    l.prev = l.next = nullptr;
  }
  /// By TxSeg::sent_us; what left at the same time stays as it is. O(n log r) for r runs that are in order already, no memory.
  void sort_by_time();
  /// All of o, which is empty afterwards, to where it belongs by TxSeg::sent_us, by which both are in order; in front of what left
  /// at the same time. O(1) if all of o is older; else it looks at as many of o and of those here as are not older than the oldest of o
  /// that is younger than the first one here.
  void merge_by_time(TxList& o);

 private:
  void take_in_front(TxList& o) {
    if (o.empty()) return;
    front_of(*o.last_).next = first_;
    (first_ != nullptr ? front_of(*first_).prev : last_) = o.last_;
    first_ = o.first_;
    o.first_ = o.last_ = nullptr;
  }

  TxSeg* first_ = nullptr;
  TxSeg* last_ = nullptr;
};

}  // namespace atcp

#endif  // ATCP_CONN_TX_LIST_H
