// SPDX-License-Identifier: GPL-2.0
//
// Urgent data (RFC 9293 3.8.5) the way RFC 6093 says programs and stacks have it: the pointer names the octet after the
// urgent data, and the last octet of it is the "out-of-band byte", which the program may take out of the stream. Here is
// the arithmetic of both pointers, as a value; what a connection does with them is at the end of tcb.h.
#ifndef ATCP_CONN_URGENT_H
#define ATCP_CONN_URGENT_H

#include "base/seq.h"
#include "wire/segment.h"

namespace atcp {

class Urgent {
 public:
  // ---- sending ----
  /// The program's urgent data ends at `end` (SND.UP), which does not go back.
  void mark(Seq end) {
    snd_up_ = end;
    sending_ = true;
  }
  /// Called when snd_una advanced: once everything urgent is acknowledged there is none.
  void acked(Seq snd_una) {
    if (sending_ && snd_una >= snd_up_) sending_ = false;
  }
  /// Urgent data is queued or unacknowledged.
  bool sending() const { return sending_; }
  /// URG and pointer of a header with this sequence number, if it lies before the end of the urgent data and the
  /// pointer's 16 bits reach that far. From further away it names the furthest octet that they reach, but only on
  /// segments that carry news: what lies wholly below snd_nxt was announced before.
  void point(Header& h, Seq snd_nxt) const;

  // ---- receiving ----
  /// A pointer arrived that makes `octet` the urgent one. True: that is news to the program, because there was none,
  /// or because it lies further on. copied: what the program reads next; octets below it, or below rcv_nxt, are past.
  bool announce(Seq octet, Seq copied, Seq rcv_nxt);
  /// Where the octet is in a segment's payload, if it is waited for and in there: true and its offset.
  bool finds(Seq seq, uint32_t len, uint32_t* offset) const;
  void arrived(uint8_t octet) {
    byte_ = octet;
    state_ = ATCP_URGENT_HERE;
  }
  /// The program read up to `copied`: a mark that it passed is one no longer.
  void passed(Seq copied) {
    if (state_ != ATCP_URGENT_NONE && copied > rcv_up_) state_ = ATCP_URGENT_NONE;
  }
  /// The program reads the octet by itself. keep: it only looks. Returns how things stood.
  atcp_urgent take(bool keep, uint8_t* octet);
  atcp_urgent state() const { return static_cast<atcp_urgent>(state_); }
  bool awaited() const { return state_ == ATCP_URGENT_AWAITED; }
  /// The urgent octet; of use unless the state is NONE. Lock: none needed for both (a poll looks).
  Seq octet() const { return rcv_up_; }

 private:
  Seq snd_up_;  ///< end of urgent data; valid if sending_
  Seq rcv_up_;  ///< the octet itself: RCV.UP less 1, or with parameter stdurg the pointer as it stands
  uint8_t state_ = ATCP_URGENT_NONE;  ///< enum atcp_urgent
  bool sending_ = false;
  uint8_t byte_ = 0;  ///< valid in HERE
};

/// The octet that a segment with URG calls urgent. literal: the pointer is taken to name it, not the one after (RFC 1122
/// 4.2.2.4 as many read it; parameter stdurg).
Seq urgent_octet(const atcp_seg& seg, bool literal);

}  // namespace atcp

#endif  // ATCP_CONN_URGENT_H
