// SPDX-License-Identifier: GPL-2.0
//
// TIME_WAIT (RFC 9293 3.3.2, 3.10.7.4; RFC 1337; RFC 6191) as a small entry of the established
// table, which takes the place of the connection: what must be remembered to acknowledge a FIN again
// and to tell old segments from a new connection. Ports are not held: only the 4-tuple is.
#ifndef ATCP_CONN_TIMEWAIT_H
#define ATCP_CONN_TIMEWAIT_H

#include "conn/small_entry.h"
#include "conn/tcb.h"

namespace atcp {

/// Fields that change (ts_recent, ts_recent_s, last_ack_ms) are written without a lock: racing
/// segments of one peer may store in either order, which PAWS tolerates.
struct TimeWait : SmallEntry {
  Seq snd_nxt;           ///< after our FIN
  Seq rcv_nxt;           ///< after the peer's FIN
  uint32_t ts_recent;    ///< valid if ts_ok
  uint32_t ts_recent_s;  ///< when, seconds
  uint32_t ts_offset;
  uint32_t last_ack_ms;  ///< rate limit of answers; 0: none yet
  uint16_t wnd;          ///< as it stands in the header
  uint16_t len_s;        ///< how long it lives, from its making and from each restart; constant
  uint8_t ts_ok;
};
static_assert(sizeof(TimeWait) <= 96);

inline TimeWait* as_timewait(Endpoint* e) {
  return static_cast<TimeWait*>(static_cast<SmallEntry*>(e));
}
inline const TimeWait* as_timewait(const Endpoint* e) {
  return static_cast<const TimeWait*>(static_cast<const SmallEntry*>(e));
}

/// What became of a segment.
enum class TwVerdict : uint8_t {
  Consumed,  ///< answered or not, pkt is gone
  Syn,       ///< a new connection may begin, with initial sequence number *iss; pkt is the caller's
};
/// A segment for an entry. The caller has a reference and keeps it.
TwVerdict timewait_input(Ns& ns, TimeWait& w, const atcp_seg& seg, atcp_pkt* pkt, Now now,
                         Seq* iss);
/// After TwVerdict::Syn, for the listener that may accept it: the entry stays until a request is hashed in its
/// place, so a SYN that is refused ends nothing.
struct TwSyn {
  TimeWait* w;  ///< referenced by the caller
  Seq iss;
};
/// Ehash::replace has put something else in the entry's place: settles its accounts.
void timewait_replaced(Ns& ns, TimeWait& w);
/// After TwVerdict::Syn: nobody listens, so the SYN is one more old segment. Consumes pkt.
void timewait_refuse_syn(Ns& ns, TimeWait& w, const atcp_seg& seg, atcp_pkt* pkt, Now now);

/// The wheel let go of the entry, with its reference.
void timewait_expired(Ns& ns, TimeWait& w);
/// Take it out of the table and off the wheel. False: it was out already. The caller has a reference.
bool timewait_remove(Ns& ns, TimeWait& w);

/// Would timewait_try_reuse say yes? A look, for an entry under RCU.
bool timewait_reusable(const Ns& ns, const TimeWait& w, Now now);
/// connect() met `taken` (from Ehash::insert: referenced, or nullptr; the reference is consumed) in the
/// place it wants. True: it was a TIME_WAIT entry that may be reused (tw_reuse) and is gone now; *iss is
/// a safe initial sequence number, *ts_recent and *ts_recent_s what the connection begins with.
bool timewait_try_reuse(Ns& ns, Endpoint* taken, Now now, Seq* iss, uint32_t* ts_recent,
                        uint32_t* ts_recent_s);

}  // namespace atcp

#endif  // ATCP_CONN_TIMEWAIT_H
