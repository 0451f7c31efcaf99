// SPDX-License-Identifier: GPL-2.0
//
// ICMP errors that quote a segment of a connection (RFC 9293 3.9.2.2, RFC 5461, RFC 5927): only
// those that quote outstanding data are believed, only a connection attempt can be ended by
// one, and "fragmentation needed" or "packet too big" lowers the path MTU (RFC 1191, RFC 8201).
#include "conn/tcb.h"

namespace atcp {

namespace {

constexpr uint32_t kMinPmtu = 552;  ///< Linux's min_pmtu: what a forged message can do to IPv4

atcp_err err_of(atcp_icmp_kind kind) {
  switch (kind) {
    case ATCP_ICMP_NET_UNREACH:
    case ATCP_ICMP_NET_BARRED:
      return ATCP_ERR_NET_UNREACH;
    case ATCP_ICMP_PROTO_UNREACH:
      return ATCP_ERR_PROTO_UNREACH;
    case ATCP_ICMP_PORT_UNREACH:
      return ATCP_ERR_REFUSED;
    case ATCP_ICMP_PARAM_PROBLEM:
    case ATCP_ICMP_UNKNOWN:
      return ATCP_ERR_PROTO;
    case ATCP_ICMP_PROHIBITED:
      return ATCP_ERR_PROHIBITED;
    case ATCP_ICMP_SRC_ROUTE:
      return ATCP_ERR_NOT_SUPPORTED;
    case ATCP_ICMP_HOST_UNKNOWN:
      return ATCP_ERR_HOST_DOWN;
    case ATCP_ICMP_HOST_ISOLATED:
      return ATCP_ERR_NO_NET;
    case ATCP_ICMP_FRAG_NEEDED:
    case ATCP_ICMP_HOST_UNREACH:
    case ATCP_ICMP_HOST_BARRED:
    case ATCP_ICMP_REDIRECT:
    case ATCP_ICMP_TIME_EXCEEDED:
      return ATCP_ERR_HOST_UNREACH;
  }
  return ATCP_ERR_HOST_UNREACH;
}

void lower_mtu(Tcb& t, uint32_t mtu, Now now) {
  // RFC 8201 4: no path of IPv6 is so narrow, so whoever says so is not to be believed.
  if (t.family == ATCP_AF_INET6 && mtu < kLeastIp6Mtu) {
    t.ns->reason(ATCP_REASON_ICMP_IGNORED);
    return;
  }
  const uint32_t pmtu = max(mtu, kMinPmtu);
  if (pmtu >= t.pmtu) return;
  const uint32_t old = t.mss;
  update_mss(t, pmtu);
  if (t.mss >= old || !in(t.state, kSynchronized)) return;
  mss_fell(t, true);
  if (t.lost_out != 0) resend_at_once(t);
  retransmit_lost(t, now);
  push(t, false, now);  // what was refused here for its size, and is not under way
}

}  // namespace

bool icmp_ends(const Tcb& t) {
  // As Linux: for a program that has accepted it early (RFC 7413), it is a connection like any other.
  return t.state == State::SynSent || (t.state == State::SynReceived && !load_relaxed(&t.accepted));
}

void mss_fell(Tcb& t, bool lost) {
  if (!t.sack_ok) t.sacked_out = 0;   // inferred from duplicate ACKs, in the old segment size
  const uint32_t seen = t.rate.lost;  // these are not lost to congestion
  for (TxSeg* s = t.tx.first(); s != nullptr && s->has(TxSeg::kSent); s = Treap<TxSeg>::next(s)) {
    board_recount(t, *s, segs_of(t, *s));
    if (lost && !s->has(TxSeg::kSacked) && s->len > t.mss) mark_lost(t, *s);
  }
  t.rate.lost = seen;
}

void resend_at_once(Tcb& t) {
  if (t.ca_state != CaState::Open && t.ca_state != CaState::Disorder) return;
  t.ca_state = CaState::Loss;
  t.high_seq = t.snd_nxt;
  t.undo_ok = false;
}

void conn_icmp(Tcb& t, atcp_icmp_kind kind, Seq seq, uint32_t value, Now now) {
  t.count(Counter::IcmpErrors);
  if (t.in_done || t.state == State::Closed || t.state == State::Listen) return;
  // RFC 5927 4: it must quote something that is outstanding. What did not leave this host for its size is not, but
  // is what comes next.
  const bool next = seq == t.snd_nxt && kind == ATCP_ICMP_FRAG_NEEDED;
  if (seq < t.snd_una || (seq >= t.snd_nxt && !next)) {
    t.count(Counter::OutOfWindowIcmps);
    t.ns->reason(ATCP_REASON_ICMP_IGNORED);
    return;
  }
  if (kind == ATCP_ICMP_FRAG_NEEDED) {
    lower_mtu(t, value, now);
    limits_update(t, now);
    t.timers.sync(t.conn());
    return;
  }
  if (icmp_ends(t)) {
    // As Linux: a connection attempt ends with what the network says. Deviation from RFC 1122
    // 4.2.3.9, where host and net unreachable are soft even then.
    done(t, ATCP_REASON_ICMP_HARD, err_of(kind), now);
    return;
  }
  // MUST-56: soft. Remembered for the day the retransmissions run out.
  t.err_soft = static_cast<uint8_t>(err_of(kind));
  atcp_os_conn_soft_error(t.conn(), err_of(kind));
}

}  // namespace atcp
