// SPDX-License-Identifier: GPL-2.0
//
// Explicit congestion notification, both halves.
#include "conn/ecn.h"

#include "base/atomic.h"
#include "conn/tcb.h"

namespace atcp {

namespace {

constexpr uint32_t kAsk = 1;  ///< parameter ecn: SYNs ask for it; 2 answers only
constexpr uint32_t kQuickAcks = 2;
constexpr uint8_t kBoth = ATCP_ECE | ATCP_CWR;

bool exact(const Tcb& t) {
  return has_flag(*t.cc_ops, ATCP_CC_EXACT_ECE);
}

/// RFC 8257 3.2: one ACK must not stand for marked and unmarked segments.
void exact_mark(Tcb& t, bool marked, Now now) {
  if (t.ecn_echo == marked) return;
  if (t.rcv_nxt > t.last_ack_sent) send_ack(t, now);
  t.ecn_echo = marked;
  t.ack_now = true;
}

}  // namespace

uint8_t ecn_syn_flags(Tcb& t) {
  // RFC 3168 6.1.1.
  if (t.syn_retries == 0)
    t.ecn_asked = t.param(Param::Ecn) == kAsk || has_flag(*t.cc_ops, ATCP_CC_NEEDS_ECN);
  else if (t.param(Param::EcnFallback) != 0)
    return 0;
  return t.ecn_asked ? kBoth : uint8_t{0};
}

void ecn_take_syn(Tcb& t, const atcp_seg& seg) {
  // A SYN-ACK says yes by ECE alone: both flags come from hosts that send back whatever they get.
  const uint8_t yes = (seg.flags & ATCP_ACK) != 0 ? uint8_t{ATCP_ECE} : kBoth;
  t.ecn_ok = t.ecn_asked && (seg.flags & kBoth) == yes;
}

bool ecn_accept(const Tcb& listener, const atcp_seg& syn) {
  if ((syn.flags & kBoth) != kBoth) return false;
  const CcOps* cc = load_relaxed(&listener.cc_ops);
  if (cc != nullptr && has_flag(*cc, ATCP_CC_NEEDS_ECN)) return true;
  return listener.param(Param::Ecn) != 0 && syn.ecn == kNotEct;
}

uint32_t ecn_mark(const Tcb& t, const TxSeg& s, bool fresh, Header& h) {
  // RFC 3168 6.1.2, 6.1.4, 6.1.5.
  if (!t.ecn_ok || s.len == 0) return kNotEct;
  if (fresh && t.ecn_cwr) h.flags |= ATCP_CWR;
  return fresh || has_flag(*t.cc_ops, ATCP_CC_NEEDS_ECN) ? kEct0 : kNotEct;
}

void ecn_left(Tcb& t, const Header& h) {
  if ((h.flags & ATCP_CWR) == 0) return;
  t.ecn_cwr = false;
  t.ecn_told = h.seq;
}

void ecn_reduced(Tcb& t, bool yes) {
  t.ecn_cwr = t.ecn_wait = yes && t.ecn_ok;
}

void ecn_receive(Tcb& t, const atcp_seg& seg, Now now) {
  // RFC 3168 6.1.3: the sender's answer first, it may come on a packet that is marked anew.
  if (!t.ecn_ok || seg.len == 0) return;
  if ((seg.flags & ATCP_CWR) != 0 && !exact(t)) {
    t.ecn_echo = false;
    t.ack_now = true;
  }
  switch (seg.ecn) {
    case kCe:
      t.count(Counter::InCEPkts, seg.segs);
      if (exact(t)) {
        exact_mark(t, true, now);
      } else if (!t.ecn_echo) {
        t.ecn_echo = true;
        enter_quick_ack(t, kQuickAcks);
      }
      t.ecn_seen = true;
      break;
    case kEct0:
    case kEct1:
      if (exact(t)) exact_mark(t, false, now);
      t.ecn_seen = true;
      break;
    default:
      // Where others could be marked, this is a retransmission: the peer waits for its ACK.
      if (t.ecn_seen) enter_quick_ack(t, kQuickAcks);
      break;
  }
}

bool ecn_echoed(const Tcb& t, const atcp_seg& seg) {
  return t.ecn_ok && (seg.flags & (ATCP_ECE | ATCP_SYN)) == ATCP_ECE;
}

bool ecn_is_news(Tcb& t) {
  // RFC 3168 6.1.2: at most once per window. Until CWR has arrived there, the peer goes on echoing.
  if (t.ecn_wait && !t.ecn_cwr && t.snd_una > t.ecn_told) t.ecn_wait = false;
  return !t.ecn_wait;
}

}  // namespace atcp
