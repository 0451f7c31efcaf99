// SPDX-License-Identifier: GPL-2.0
//
// The marks of what is outstanding, and all that must agree with them: the counts of segments (packets_out, sacked_out,
// lost_out, retrans_out) and the two queues in which pieces wait, those in the network by the time at which they were
// sent last, those lost by the time at which that was noticed. Nothing else writes marks or counts; what is to be
// marked is decided in ack.cpp, rack.cpp and recovery.cpp. Lock: conn, for all of it.
#ifndef ATCP_CONN_SCOREBOARD_H
#define ATCP_CONN_SCOREBOARD_H

#include "conn/tx_list.h"

namespace atcp {

struct Tcb;

/// Sent for the first time, at now_us, as s.segs segments.
void board_sent(Tcb& t, TxSeg& s, uint64_t now_us);
/// A lost one went out again; or any other, which thereby counts as lost (RTO, probes of the tail).
void board_resent(Tcb& t, TxSeg& s, uint64_t now_us);
void board_sacked(Tcb& t, TxSeg& s);
/// Thought to be no longer in the network. Not for SACKed ones.
void mark_lost(Tcb& t, TxSeg& s);
/// Acknowledged as a whole: it leaves the counts and its queue, and is the caller's to free.
void board_acked(Tcb& t, TxSeg& s);
/// `after`, cut off the end of `s`, gets the same marks and place. The pieces' `segs` are new; before: those that s had.
void board_split(Tcb& t, TxSeg& s, TxSeg& after, uint32_t before);
/// The piece counts as `segs` segments from now on.
void board_recount(Tcb& t, TxSeg& s, uint32_t segs);
/// Nothing is lost after all.
void board_clear_lost(Tcb& t);
/// The peer took back what it had SACKed (RFC 2018 8): all of that is lost.
void board_renege(Tcb& t);
/// Nothing from `first` on was ever sent.
void board_unsend(Tcb& t, TxSeg& first);
/// All pieces are gone.
void board_reset(Tcb& t);

}  // namespace atcp

#endif  // ATCP_CONN_SCOREBOARD_H
