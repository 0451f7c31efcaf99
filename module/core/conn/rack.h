// SPDX-License-Identifier: GPL-2.0
//
// RACK-TLP (RFC 8985): a segment is lost when one that was sent sufficiently later has arrived, and the tail of
// a flight is probed before the retransmission timer must be waited for. Only with SACK. Lock: conn.
#ifndef ATCP_CONN_RACK_H
#define ATCP_CONN_RACK_H

#include "conn/tx_seg.h"

namespace atcp {

struct Tcb;
struct Now;
struct AckSample;

/// RFC 8985 5.2 and 7.2: what a connection remembers. All zero to begin with.
struct Rack {
  uint64_t xmit_us;  ///< when the latest-sent of all delivered pieces was sent; 0: none
  Seq end_seq;       ///< its end
  uint32_t rtt_us;   ///< and its RTT
  Seq fack;          ///< end of the highest piece delivered, or snd_una before the first
  Seq prior_fack;    ///< the same before the ACK at hand: what one ACK reports has no order
  Seq dsack_round;   ///< DSACKs count again from here on; valid if in_dsack_round
  Seq counted_to;  ///< what ends here or before has been judged by duplicates (`recovery` without bit 1)
  Seq tlp_end_seq;          ///< snd_nxt when the probe was sent; valid if tlp_out
  uint8_t reo_wnd_mult;     ///< quarters of min_rtt beyond the first that DSACKs have added
  uint8_t reo_wnd_persist;  ///< recoveries until those are taken back
  bool counted : 1;         ///< counted_to is valid
  bool reordering_seen : 1;
  bool in_dsack_round : 1;
  bool tlp_out : 1;      ///< a probe was sent and has not been judged yet
  bool tlp_retrans : 1;  ///< it repeated data
};

/// Bits of the parameter `recovery`.
inline constexpr uint32_t kRecoveryByTime = 1;        ///< RACK; without it, duplicates alone
inline constexpr uint32_t kRecoveryStaticWindow = 2;  ///< DSACKs do not widen the reordering window
inline constexpr uint32_t kRecoveryNoThreshold = 4;   ///< nor do many duplicates close it

/// How far delivery may lag behind what was sent later, us (RFC 8985 6.2, step 4).
uint32_t rack_reo_wnd_us(const Tcb& t);
/// Before rack_delivered() for the pieces of an ACK.
void rack_begin_ack(Tcb& t);
/// A piece was SACKed or acknowledged; its marks are still those of before (steps 2 and 3). tsecr: what the ACK
/// echoes, in our clock of ms, if it has_ts.
void rack_delivered(Tcb& t, const TxSeg& s, bool has_ts, uint32_t tsecr, uint64_t now_us);
/// An ACK brought a DSACK.
void rack_dsack(Tcb& t);
/// Recovery ended.
void rack_recovered(Tcb& t);
/// Mark what must be lost by now, and come back when more may be (step 5). With the parameter `recovery` set so, by
/// duplicates alone.
void rack_detect(Tcb& t, Now now);
/// Timeout: the first piece, and what is overdue (RFC 8985 6.3); all, if time does not tell.
void rack_mark_on_rto(Tcb& t, Now now);
/// Marks were taken back, or pieces: duplicates judge what is outstanding anew.
void rack_judge_anew(Tcb& t);
/// TimerId::Reorder.
void rack_on_timer(Tcb& t, Now now);

/// After sending, and after an ACK of new data: probe the tail if nothing more is heard (RFC 8985 7.2).
void tlp_arm(Tcb& t, Now now);
/// TimerId::TailProbe (7.3).
void tlp_on_timer(Tcb& t, Now now);
/// What an ACK says of the probe (7.4.2). True: it repaired a loss, to which congestion control must respond.
bool tlp_on_ack(Tcb& t, Seq ack, const AckSample& a);

}  // namespace atcp

#endif  // ATCP_CONN_RACK_H
