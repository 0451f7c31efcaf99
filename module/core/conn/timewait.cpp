// SPDX-License-Identifier: GPL-2.0
//
// Birth, segments and end of TIME_WAIT entries. One function looks at segments; that a listener
// may take an entry's 4-tuple over is only its verdict, because listeners live above this folder.
#include "conn/timewait.h"

#include "conn/event.h"
#include "conn/gate.h"
#include "conn/reply.h"

namespace atcp {

namespace {

/// A new incarnation begins this far above the old one's last sequence number: beyond any
/// segment of it that an unscaled window could still hold.
constexpr uint32_t kReuseGap = 65535 + 2;
constexpr uint32_t kReuseAgeS = 1;  ///< a connection may reuse an entry that was silent this long

uint32_t seconds(Now now) {
  return static_cast<uint32_t>(now.us / 1000000);
}

uint64_t deadline_ns(const TimeWait& w, Now now) {
  return now.ns + static_cast<uint64_t>(w.len_s) * 1000000000;
}

Seq reuse_iss(const TimeWait& w) {
  const Seq iss = w.snd_nxt + kReuseGap;
  // 0 means "none" to whoever keeps it in a plain number.
  return iss.raw() == 0 ? Seq(1) : iss;
}

void send_timewait_ack(Ns& ns, TimeWait& w, Now now) {
  Header h;
  h.flags = ATCP_ACK;
  h.seq = w.snd_nxt;
  h.ack = w.rcv_nxt;
  h.wnd = w.wnd;
  if (w.ts_ok != 0) {
    h.has_ts = true;
    h.tsval = static_cast<uint32_t>(now.us / 1000) + w.ts_offset;
    h.tsecr = load_relaxed(&w.ts_recent);
  }
  send_reply(ns, nullptr, tuple_of(w), h);
}

/// RFC 9293 3.10.7.4: a segment that belongs to the old incarnation, or to none.
void answer_old(Ns& ns, TimeWait& w, const atcp_seg& seg, atcp_pkt* pkt, Now now) {
  if (reply_allowed(ns, w.last_ack_ms, seg, now.us, Counter::TCPACKSkippedTimeWait))
    send_timewait_ack(ns, w, now);
  ns.drop(pkt, ATCP_REASON_TIMEWAIT_OLD);
}

bool is_loopback(const atcp_ip& addr, uint16_t family) {
  constexpr uint8_t kLoopback6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  if (family == ATCP_AF_INET6) return memcmp(addr.v6, kLoopback6, sizeof(kLoopback6)) == 0;
  return (from_be32(addr.v4) >> 24) == 127;
}

bool is_local(const atcp_tuple& t) {
  return is_loopback(t.laddr, t.family) || is_loopback(t.raddr, t.family);
}

bool reuse_wanted(const Ns& ns, const TimeWait& w) {
  switch (ns.param(Param::TwReuse)) {
    case 0:
      return false;
    case 1:
      return true;
    default:
      return is_local(tuple_of(w));
  }
}

}  // namespace

void enter_time_wait(Tcb& t, Now now) {
  Ns& ns = *t.ns;
  TimeWait* w = nullptr;
  if (add_fetch(&ns.timewaits, 1u) <= ns.param(Param::MaxTwBuckets))
    w = new_entry<TimeWait>(tuple_of(t), EntryKind::TimeWait, ATCP_MEM_TIMEWAIT);
  if (w == nullptr) {
    // Deviation: RFC 9293 3.6 wants 2 MSL always; beyond the limit the connection just ends.
    sub_fetch(&ns.timewaits, 1u);
    ns.count(Counter::TCPTimeWaitOverflow);
    done(t, ATCP_REASON_TIMEWAIT_OVERFLOW, ATCP_OK, now);
    return;
  }
  w->refs = 2;  // the table's and ours
  w->snd_nxt = t.snd_nxt;
  w->rcv_nxt = t.rcv_nxt;
  w->wnd = static_cast<uint16_t>(min(t.receive_window() >> t.rcv_wscale, 65535u));
  w->len_s = static_cast<uint16_t>(t.param(Param::TimewaitLen));
  w->ts_ok = t.ts_ok;
  w->ts_recent = t.ts_recent;
  w->ts_recent_s = t.ts_recent_s;
  w->ts_offset = t.ts_offset;
  if (ns.ehash.replace(t, *w)) {
    arm_entry(ns, *w, deadline_ns(*w, now), now.ns);
  } else {
    // The connection was in no table: nobody could find the entry either.
    sub_fetch(&ns.timewaits, 1u);
    put_endpoint(*w);
  }
  put_endpoint(*w);
  done(t, ATCP_REASON_NORMAL_CLOSE, ATCP_OK, now);
}

namespace {

/// It has left the table.
void settle(Ns& ns, TimeWait& w) {
  sub_fetch(&ns.timewaits, 1u);
  disarm_entry(ns, w);
  put_endpoint(w);  // the table's
}

}  // namespace

bool timewait_remove(Ns& ns, TimeWait& w) {
  if (!ns.ehash.remove(w)) return false;
  settle(ns, w);
  return true;
}

void timewait_expired(Ns& ns, TimeWait& w) {
  // RFC 9293 3.10.8.
  if (timewait_remove(ns, w)) ns.count(Counter::TW);
  put_endpoint(w);  // the wheel's
}

TwVerdict timewait_input(Ns& ns, TimeWait& w, const atcp_seg& seg, atcp_pkt* pkt, Now now,
                         Seq* iss) {
  const Seq seq(seg.seq);
  const bool has_ts = w.ts_ok != 0 && (seg.has & ATCP_OPT_TS) != 0;
  const uint32_t ts_recent = load_relaxed(&w.ts_recent);
  const bool old_ts =
      w.ts_ok != 0 && paws_reject(ts_recent, load_relaxed(&w.ts_recent_s), seg, seconds(now));
  const bool rst = (seg.flags & ATCP_RST) != 0;
  const bool ack = (seg.flags & ATCP_ACK) != 0;
  const bool syn = (seg.flags & ATCP_SYN) != 0;

  // The one sequence number that is acceptable: the peer has sent its FIN, so nothing but a bare
  // ACK or a reset can come from there.
  if (!old_ts && seq == w.rcv_nxt && (rst || seg_space(seg) == 0)) {
    if (rst) {
      // RFC 1337: a reset kills the entry, against that RFC's advice, unless told otherwise.
      if (ns.param(Param::Rfc1337) == 0 && timewait_remove(ns, w))
        tell_reset_received(ns, nullptr, tuple_of(w), seg, ATCP_REASON_TIMEWAIT_RST);
      ns.drop(pkt, ATCP_REASON_TIMEWAIT_RST);
      return TwVerdict::Consumed;
    }
    arm_entry(ns, w, deadline_ns(w, now), now.ns);
    if (has_ts) {
      store_relaxed(&w.ts_recent, seg.tsval);
      store_relaxed(&w.ts_recent_s, seconds(now));
    }
    atcp_os_pkt_free(pkt, ATCP_REASON_NONE);
    return TwVerdict::Consumed;
  }

  // RFC 9293 3.10.7.4, RFC 6191 2: a SYN that is certainly newer than the old incarnation.
  const bool newer_ts = has_ts && static_cast<int32_t>(ts_recent - seg.tsval) < 0;
  if (syn && !rst && !ack && !old_ts && (seq > w.rcv_nxt || newer_ts)) {
    *iss = reuse_iss(w);
    return TwVerdict::Syn;
  }

  if (old_ts) ns.count(Counter::PAWSTimewait);
  if (rst) {
    ns.drop(pkt, old_ts ? ATCP_REASON_PAWS : ATCP_REASON_RST_OUT_OF_WINDOW);
    return TwVerdict::Consumed;
  }
  // The peer is still there, with its FIN or with something older: 2 MSL begin anew. A SYN without ACK may
  // be a new connection's with an unlucky number; it must not keep the entry alive.
  if (ack || old_ts) arm_entry(ns, w, deadline_ns(w, now), now.ns);
  answer_old(ns, w, seg, pkt, now);
  return TwVerdict::Consumed;
}

void timewait_replaced(Ns& ns, TimeWait& w) {
  ns.count(Counter::TWRecycled);
  settle(ns, w);
}

void timewait_refuse_syn(Ns& ns, TimeWait& w, const atcp_seg& seg, atcp_pkt* pkt, Now now) {
  answer_old(ns, w, seg, pkt, now);
}

bool timewait_reusable(const Ns& ns, const TimeWait& w, Now now) {
  // Without timestamps nothing would tell an old segment from a new one.
  return w.ts_ok != 0 && seconds(now) - load_relaxed(&w.ts_recent_s) >= kReuseAgeS &&
         reuse_wanted(ns, w);
}

bool timewait_try_reuse(Ns& ns, Endpoint* taken, Now now, Seq* iss, uint32_t* ts_recent,
                        uint32_t* ts_recent_s) {
  if (taken == nullptr) return false;
  if (taken->kind != EntryKind::TimeWait) {
    put_endpoint(*taken);
    return false;
  }
  TimeWait& w = *as_timewait(taken);
  const uint32_t since = load_relaxed(&w.ts_recent_s);
  bool ok = timewait_reusable(ns, w, now);
  if (ok) {
    *iss = reuse_iss(w);
    *ts_recent = load_relaxed(&w.ts_recent);
    *ts_recent_s = since;
    ok = timewait_remove(ns, w);
    if (ok) ns.count(Counter::TWRecycled);
  }
  put_endpoint(w);
  return ok;
}

}  // namespace atcp
