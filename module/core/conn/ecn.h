// SPDX-License-Identifier: GPL-2.0
//
// Explicit congestion notification (RFC 3168): who asks for it on the SYNs, which packets may be marked, how a
// mark is echoed, and, for congestion controls that want to know each one, RFC 8257's exact echo. What an echoed
// mark does to cwnd is recovery.cpp's affair.
//
// Deviations
//   - A SYN that is sent again does not ask any more (parameter ecn_fallback; RFC 3168 6.1.1.1 leaves it open):
//     some middleboxes drop what they do not know. An answer to the first is still welcome.
//   - A SYN that asks, but is itself ECN-capable, gets no ECN (as Linux), unless the congestion control needs it.
//   - Retransmissions are ECN-capable if the congestion control needs ECN (RFC 3168 6.1.5 forbids it, RFC 8311
//     4.3 lets experiments do it, Linux does): behind a queue that marks early, what cannot be marked is dropped.
#ifndef ATCP_CONN_ECN_H
#define ATCP_CONN_ECN_H

#include "base/types.h"
#include "wire/segment.h"

namespace atcp {

struct Tcb;
struct Ns;
struct Now;
struct TxSeg;

/// ECE and CWR for a SYN that opens actively, 0 if it does not ask.
uint8_t ecn_syn_flags(Tcb& t);
/// The answer to it, or the SYN of a simultaneous open.
void ecn_take_syn(Tcb& t, const atcp_seg& seg);
/// Does a listener agree to what this SYN asks for?
bool ecn_accept(const Tcb& listener, const atcp_seg& syn);

/// Codepoint of a piece that is about to leave; sets CWR in h if it is due. fresh: it is sent for the first time.
uint32_t ecn_mark(const Tcb& t, const TxSeg& s, bool fresh, Header& h);
/// It has left with that header.
void ecn_left(Tcb& t, const Header& h);
/// cwnd has been reduced, or that has been undone: the peer is to hear of it, or not.
void ecn_reduced(Tcb& t, bool yes);

/// A segment with data that will be kept: its codepoint, and CWR. May send an ACK (RFC 8257 3.2).
void ecn_receive(Tcb& t, const atcp_seg& seg, Now now);
/// Does this ACK report a mark?
bool ecn_echoed(const Tcb& t, const atcp_seg& seg);
/// Is what is echoed now not what cwnd was reduced for already? snd_una is up to date.
bool ecn_is_news(Tcb& t);

}  // namespace atcp

#endif  // ATCP_CONN_ECN_H
