// SPDX-License-Identifier: GPL-2.0
//
// When a cookie is sent, when it is believed, and the handshake that it stands for. Nothing is
// allocated, locked or written that another CPU reads, but for the second of the last cookie.
#include "listen/cookie_path.h"

#include "conn/event.h"
#include "listen/child.h"
#include "listen/cookie.h"
#include "listen/request.h"

namespace atcp {

namespace {

uint32_t seconds(Now now) {
  return static_cast<uint32_t>(now.us / 1000000);
}

/// What the ACK's cookie says of the SYN. False: it is none, or too old.
bool read_cookie(const Ns& ns, uint32_t timestamps, const atcp_tuple& tuple, const atcp_seg& seg,
                 Now now, bool timestamped, CookieSyn* syn) {
  const CookieKind kind = timestamped ? CookieKind::Timestamped : CookieKind::Plain;
  if (!cookie_check(ns.cookie_key, kind, tuple, Seq(seg.seq) - 1, Seq(seg.ack) - 1, seconds(now),
                    syn))
    return false;
  return !timestamped || cookie_take_tsval(seg.tsecr - timestamp_offset(ns, timestamps, tuple),
                                           static_cast<uint32_t>(now.us / 1000), syn);
}

/// The handshake that a valid cookie stands for: the SYN as far as it can be known again.
bool recall(Ns& ns, const Tcb& t, const atcp_tuple& tuple, const atcp_seg& seg, const CookieSyn& c,
            bool timestamped, Handshake* hs) {
  atcp_seg syn = {};
  syn.seq = seg.seq - 1;
  syn.wnd = seg.wnd;
  syn.mss = c.mss;
  syn.has = ATCP_OPT_MSS;
  if (timestamped) {
    syn.has |= ATCP_OPT_TS;
    syn.tsval = seg.tsval;
  }
  if (c.sack_ok) syn.has |= ATCP_OPT_SACK_OK;
  if (c.ecn_ok) syn.flags = ATCP_ECE | ATCP_CWR;
  if (c.wscale_ok) {
    syn.has |= ATCP_OPT_WSCALE;
    syn.wscale = c.snd_wscale;
  }
  atcp_route route = {};
  if (!atcp_os_route(ns.os, t.conn(), &tuple, &route)) return false;
  negotiate(ns, t, tuple, syn, route, hs);
  hs->iss = Seq(seg.ack) - 1;
  return true;
}

}  // namespace

uint32_t cookie_answer(Ns& ns, Tcb& t, const atcp_tuple& tuple, const atcp_seg& seg,
                       const atcp_route& route, atcp_pkt* pkt, Now now) {
  Listener& l = *t.listener;
  Handshake hs = {};
  negotiate(ns, t, tuple, seg, route, &hs);
  if (!hs.ts_ok) hs.ecn_ok = false;  // no place to remember it
  const CookieSyn syn = {hs.peer_mss, hs.sack_ok, hs.wscale_ok, hs.ecn_ok, hs.snd_wscale};
  const CookieKind kind = hs.ts_ok ? CookieKind::Timestamped : CookieKind::Plain;
  hs.iss = cookie_make(ns.cookie_key, kind, tuple, hs.irs, syn, seconds(now));
  const uint32_t tsval = cookie_tsval(static_cast<uint32_t>(now.us / 1000), syn) + hs.ts_offset;

  // All CPUs of a flood come by here: the line is written once a second.
  const uint32_t now_s = max(seconds(now), 1u);
  if (load_relaxed(&l.cookie_s) != now_s) store_relaxed(&l.cookie_s, now_s);
  const atcp_reuse reuse = {&route, pkt};
  const uint32_t refused = send_synack(ns, t.conn(), tuple, hs, tsval, &reuse);
  if (refused != ATCP_REASON_NONE) return refused;
  ns.count(Counter::SyncookiesSent);
  l.ledger.add(LedgerItem::Cookies);
  tell_request(ns, ATCP_EVENT_KIND_COOKIE_SENT, t.conn(), tuple);
  return ATCP_REASON_NONE;
}

Fate cookie_input(Ns& ns, Tcb& t, const atcp_tuple& tuple, const atcp_seg& seg, atcp_pkt* pkt,
                  Now now, uint32_t* reason) {
  const uint32_t sent_s = load_relaxed(&t.listener->cookie_s);
  *reason = ATCP_REASON_LISTEN_ACK;
  if ((seg.flags & ATCP_SYN) != 0 || sent_s == 0 || t.param(Param::Syncookies) == 0)
    return Fate::Consumed;
  // With no cookie out there, every guess would be a chance for the guesser.
  *reason = ATCP_REASON_COOKIE_UNSOLICITED;
  if (seconds(now) - sent_s > kCookiePeriods * kCookiePeriodS) {
    tell_request(ns, ATCP_EVENT_KIND_COOKIE_REFUSED, t.conn(), tuple, *reason);
    return Fate::Consumed;
  }

  CookieSyn syn = {};
  // A peer that agreed on timestamps sends them in every segment (RFC 7323 3.2).
  const uint32_t timestamps = t.param(Param::Timestamps);
  const bool timestamped = (seg.has & ATCP_OPT_TS) != 0 && timestamps != 0;
  if (!read_cookie(ns, timestamps, tuple, seg, now, timestamped, &syn)) {
    ns.count(Counter::SyncookiesFailed);
    *reason = ATCP_REASON_COOKIE_BAD;
    tell_request(ns, ATCP_EVENT_KIND_COOKIE_REFUSED, t.conn(), tuple, *reason);
    return Fate::Consumed;
  }
  ns.count(Counter::SyncookiesRecv);

  Handshake hs = {};
  *reason = ATCP_REASON_NO_ROUTE;
  if (!recall(ns, t, tuple, seg, syn, timestamped, &hs)) return Fate::Consumed;
  *reason = ATCP_REASON_NONE;
  switch (make_child(ns, t, tuple, hs, nullptr, 0, seg, pkt, now)) {
    case ChildResult::Made:
      return Fate::Child;
    case ChildResult::Taken:
    case ChildResult::NoListener:
      return Fate::Again;
    case ChildResult::Overflow:
      *reason = ATCP_REASON_ACCEPT_QUEUE_FULL_ACK;
      break;
    case ChildResult::NoMemory:
      *reason = ATCP_REASON_NO_MEMORY;
      break;
  }
  return Fate::Consumed;
}

}  // namespace atcp
