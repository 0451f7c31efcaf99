// SPDX-License-Identifier: GPL-2.0
//
// The receiving half: payload into the program's queue or into reassembly, the peer's FIN, the
// window that is offered (RFC 9293 3.8.6.2.2), receive-buffer autotuning, and when an ACK is due.
#include "conn/reply.h"
#include "conn/tcb.h"

namespace atcp {

namespace {

constexpr uint32_t kScarceWindow = 4;  ///< segments
constexpr uint32_t kPrunedPart =
    8;  ///< one part in eight: not much more than a segment needs, yet few walks
constexpr uint32_t kMaxQuickAcks = 16;
/// Of IPv4 for both families, as Linux: no segment is expected to be larger before one was seen.
constexpr uint32_t kDefaultMss = default_mss(ATCP_AF_INET);
constexpr uint16_t kLeastMss = 88;  ///< smaller estimates help nobody
constexpr uint32_t kDelackMaxUs = 200000;
constexpr uint32_t kMaxUnscaledWindow = 65535;

uint32_t win_from_space(const Tcb& t, uint32_t bytes) {
  return static_cast<uint32_t>(static_cast<uint64_t>(bytes) * t.scaling >> 8);
}

/// Round up to what the scaled window field can say.
uint32_t align_to_scale(const Tcb& t, uint32_t wnd) {
  const uint32_t unit = 1u << t.rcv_wscale;
  return (wnd + unit - 1) & ~(unit - 1);
}

/// How much of its memory a packet's payload is worth; smoothed, so that one odd packet does not
/// move the window.
void learn_scaling(Tcb& t, const atcp_seg& seg) {
  if (seg.truesize == 0 || seg.len < t.rcv_mss) return;
  const uint32_t ratio =
      clamp(static_cast<uint32_t>((static_cast<uint64_t>(seg.len) << 8) / seg.truesize), 16u, 250u);
  t.scaling = (t.scaling * 7 + ratio) / 8;
}

/// Two of a size in a row: the peer's segments are smaller now (its path is narrower, say). The sizes are those of Linux.
bool smaller_full_segment(Tcb& t, uint32_t len, bool ends_write) {
  const bool again = len == t.last_seg_len;
  t.last_seg_len = static_cast<uint16_t>(len);
  return again && len >= (ends_write ? kDefaultMss : kLeastMss);
}

void learn_rcv_mss(Tcb& t, const atcp_seg& seg) {
  const uint32_t per_segment = seg.len / max<uint32_t>(seg.segs, 1);
  const bool ends_write = (seg.flags & (ATCP_PSH | ATCP_URG | ATCP_FIN)) != 0;
  const bool full = smaller_full_segment(t, per_segment, ends_write) || per_segment >= t.rcv_mss;
  if (full) t.rcv_mss = min(per_segment, static_cast<uint32_t>(max<uint16_t>(t.advmss, kLeastMss)));
  // The end of a write of the peer: more may not come soon, and it may wait for this ACK (Nagle, a small cwnd).
  if ((!full || (seg.flags & ATCP_PSH) != 0) && t.ends_in < 2) t.ends_in++;
}

void grow_window(Tcb& t, const atcp_seg& seg) {
  atcp_rx_space sp;
  atcp_os_rx_space(t.conn(), &sp);
  const uint32_t cap = min(t.window_clamp, win_from_space(t, sp.limit));
  if (t.rcv_ssthresh >= cap || sp.level != ATCP_MEM_LEVEL_OK) return;
  const uint32_t incr = max(2u * t.advmss, 2u * seg.len);
  t.rcv_ssthresh += min(cap - t.rcv_ssthresh, incr);
}

void rcv_rtt_sample(Tcb& t, uint32_t rtt_us, bool window_based) {
  const uint32_t m = max(rtt_us, 1u) << 3;
  if (t.rcv_rtt_us == 0)
    t.rcv_rtt_us = m;
  else if (window_based)
    t.rcv_rtt_us = min(t.rcv_rtt_us, m);
  else
    t.rcv_rtt_us = t.rcv_rtt_us - (t.rcv_rtt_us >> 3) + (m >> 3);
}

/// The receiver's own estimate of the RTT: from the timestamp echo, or how long a whole window
/// takes to arrive.
void measure_rcv_rtt(Tcb& t, const atcp_seg& seg, Now now) {
  if (t.ts_ok && (seg.has & ATCP_OPT_TS) != 0 && seg.tsecr != 0 && seg.len >= t.rcv_mss) {
    const uint32_t delta_ms = t.ts_now(now) - seg.tsecr;
    if (delta_ms < 1u << 18) rcv_rtt_sample(t, max(delta_ms, 1u) * 1000, false);
    return;
  }
  if (t.rcv_rtt_time_us == 0 || t.rcv_nxt >= t.rcv_rtt_seq) {
    if (t.rcv_rtt_time_us != 0)
      rcv_rtt_sample(t, static_cast<uint32_t>(now.us - t.rcv_rtt_time_us), true);
    t.rcv_rtt_seq = t.rcv_nxt + t.rcv_wnd;
    t.rcv_rtt_time_us = now.us;
  }
}

/// Delayed-ACK interval: follows the gaps between data segments.
void update_ato(Tcb& t, Now now) {
  const uint32_t ato_min = t.param(Param::DelackMinUs);
  if (t.ato_us == 0) {
    enter_quick_ack(t, kMaxQuickAcks);
    t.ato_us = ato_min;
  } else {
    const uint64_t gap = now.us - t.last_data_us;
    if (gap <= ato_min / 2) {
      t.ato_us = t.ato_us / 2 + ato_min / 2;
    } else if (gap < t.ato_us) {
      t.ato_us = min(t.ato_us / 2 + static_cast<uint32_t>(gap), t.rto_us());
    } else if (gap > t.rto_us()) {
      // The sender fell silent for long enough to be in slow start again: help it along.
      enter_quick_ack(t, kMaxQuickAcks);
    }
  }
  t.last_data_us = now.us;
}

/// Dynamic right-sizing (Fisk and Feng, 2001): the buffer follows what the program reads in one RTT.
void tune_buffer(Tcb& t, Now now) {
  const uint32_t rtt = t.rcv_rtt_us >> 3;
  if (rtt == 0 || now.us - t.rcv_space_time_us < rtt) return;
  const uint32_t copied = bytes_between(t.rcv_space_seq, t.copied_seq);
  if (copied > t.rcv_space) {
    atcp_rx_space sp;
    atcp_os_rx_space(t.conn(), &sp);
    if (t.param(Param::ModerateRcvbuf) != 0 && sp.locked == 0 && sp.level == ATCP_MEM_LEVEL_OK) {
      uint64_t want = 2ull * copied + 16ull * t.advmss;
      const uint64_t grow = want * (copied - t.rcv_space) / max(t.rcv_space, 1u);
      want += min(2 * grow, 4 * want);
      const uint64_t bytes = min<uint64_t>((want << 8) / t.scaling, t.param(Param::Rmem, 2));
      if (bytes > sp.limit) atcp_os_rx_set_limit(t.conn(), static_cast<uint32_t>(bytes));
    }
    t.rcv_space = copied;
  }
  t.rcv_space_seq = t.copied_seq;
  t.rcv_space_time_us = now.us;
}

void set_dsack(Tcb& t, Seq start, Seq end, Counter c) {
  // RFC 2883 4.
  if (!t.sack_ok || t.param(Param::Dsack) == 0 || start >= end) return;
  t.count(c);
  t.dsack_pending = true;
  t.dsack = {start, end};
}

/// Is there memory for one more packet? What is wasted is given back, then out-of-order data given up if need be.
bool have_room(Tcb& t) {
  atcp_rx_space sp;
  atcp_os_rx_space(t.conn(), &sp);
  if (sp.used <= sp.limit) return true;
  if (const uint32_t n = atcp_os_rx_collapse(t.conn())) {
    t.count(Counter::TCPRcvCollapsed, n);
    atcp_os_rx_space(t.conn(), &sp);
    if (sp.used <= sp.limit) return true;
  }
  // Only if it helps: what waits for the program may be too much by itself.
  if (sp.used - sp.held > sp.limit) return false;
  t.count(Counter::OfoPruned, t.ofo.prune(2));
  atcp_os_rx_space(t.conn(), &sp);
  return sp.used <= sp.limit;
}

/// The same for what all sockets share. What is in order may take the place of what is not, if that takes enough of it.
bool have_memory(Tcb& t, const atcp_seg& seg, atcp_pkt* pkt) {
  if (atcp_os_rx_reserve(t.conn(), pkt, 0)) return true;
  atcp_rx_space sp;
  atcp_os_rx_space(t.conn(), &sp);
  if (sp.held == 0 || sp.held < seg.truesize) return false;
  const uint32_t before = sp.held;
  do {
    t.count(Counter::OfoPruned, t.ofo.prune(kPrunedPart));
    atcp_os_rx_space(t.conn(), &sp);
  } while (before - sp.held < seg.truesize && !t.ofo.empty());
  return atcp_os_rx_reserve(t.conn(), pkt, before - sp.held);
}

/// The peer's FIN is next in order (RFC 9293 3.10.7.4, eighth check).
void handle_fin(Tcb& t, Now now) {
  t.rcv_nxt += 1;
  t.fin_received = true;
  t.fin_pending = false;
  t.ofo.clear();
  atcp_os_conn_rx_eof(t.conn());
  switch (t.state) {
    case State::SynReceived:
    case State::Established:
      set_state(t, State::CloseWait, now);
      // The program will very likely close too: one segment may then carry ACK and FIN.
      t.quick_acks = 0;
      t.interactive = true;
      break;
    case State::FinWait1:
      // Simultaneous close; had our FIN been acknowledged, this would be FIN_WAIT_2.
      set_state(t, State::Closing, now);
      t.ack_now = true;
      break;
    case State::FinWait2:
      send_ack(t, now);
      enter_time_wait(t, now);
      return;
    case State::CloseWait:
    case State::Closing:
    case State::LastAck:
    case State::TimeWait:
    case State::Closed:
    case State::Listen:
    case State::SynSent:
      break;
  }
  atcp_os_conn_event(t.conn(), ATCP_EV_STATE | ATCP_EV_READABLE);
}

/// Deliver what reassembly has ready at rcv_nxt.
void drain_ofo(Tcb& t) {
  while (RxSeg* s = t.ofo.take_ready(t.rcv_nxt)) {
    if (s->end <= t.rcv_nxt) {
      atcp_os_pkt_free(s->pkt(), ATCP_REASON_OFO_DUPLICATE);
      continue;
    }
    const uint32_t old = bytes_between(s->seq, t.rcv_nxt);
    const uint32_t len = bytes_between(t.rcv_nxt, s->end);
    const uint32_t skip = s->skip + old;
    atcp_os_rx_deliver(t.conn(), s->pkt(), skip, len);
    t.rcv_nxt += len;
  }
  t.ofo.advance(t.rcv_nxt);
}

void queue_out_of_order(Tcb& t, const atcp_seg& seg, atcp_pkt* pkt) {
  // RFC 9293 3.10.7.4 (SHLD-31, MAY-13), RFC 5681 4.2: kept, and acknowledged at once.
  t.ack_now = true;
  const Seq seq(seg.seq);
  if ((seg.flags & ATCP_FIN) != 0) {
    t.fin_pending = true;
    t.fin_seq = seq + seg.len;
  }
  if (seg.len == 0) {
    atcp_os_pkt_free(pkt, ATCP_REASON_NONE);
    return;
  }
  if (!have_room(t) || !atcp_os_rx_hold(t.conn(), pkt)) {
    t.count(Counter::TCPOFODrop);
    t.drop(pkt, ATCP_REASON_RCVBUF_FULL);
    return;
  }
  t.count(Counter::TCPOFOQueue);
  SackBlock dup = {};
  const Reassembly::Result r = t.ofo.insert(pkt, seq, seg.len, 0, &dup);
  set_dsack(t, dup.start, dup.end, Counter::TCPDSACKOfoSent);
  if (r == Reassembly::Result::Duplicate) t.drop(pkt, ATCP_REASON_OFO_DUPLICATE);
}

}  // namespace

void enter_quick_ack(Tcb& t, uint32_t max_acks) {
  uint32_t n = t.rcv_wnd / (2 * max(t.rcv_mss, 1u));
  if (n == 0) n = 2;
  n = min(n, max_acks);
  if (n > t.quick_acks) t.quick_acks = n;
  t.interactive = false;
}

uint8_t choose_rcv_wscale(const Ns& ns, uint32_t limit_bytes) {
  uint32_t space = max(ns.param(Param::Rmem, 2), limit_bytes);
  uint8_t scale = 0;
  while (space > kMaxUnscaledWindow && scale < kMaxWscale) {
    space >>= 1;
    scale++;
  }
  return scale;
}

void receive_init(Tcb& t) {
  t.rcv_mss = min(static_cast<uint32_t>(t.advmss), max<uint32_t>(t.rcv_wnd / 2, kLeastMss));
  t.rcv_mss = min(t.rcv_mss, kDefaultMss);
  t.rcv_ssthresh = t.rcv_wnd;
  t.rcv_wup = t.rcv_nxt;
  t.last_ack_sent = t.rcv_nxt;
  t.copied_seq = t.rcv_nxt;
  t.rcv_space = min(t.rcv_wnd, static_cast<uint32_t>(t.param(Param::InitCwnd)) * t.advmss);
  t.rcv_space_seq = t.rcv_nxt;
}

uint32_t set_rcvlowat(Tcb& t, uint32_t bytes) {
  atcp_rx_space sp;
  atcp_os_rx_space(t.conn(), &sp);
  const bool locked = sp.locked != 0;
  const uint32_t mark = min(bytes, max((locked ? sp.limit : t.param(Param::Rmem, 2)) / 2, 1u));
  const uint64_t space = (static_cast<uint64_t>(mark) << 8) / t.scaling;
  if (locked || space <= sp.limit) return mark;
  atcp_os_rx_set_limit(t.conn(), static_cast<uint32_t>(min<uint64_t>(space, ~0u)));
  // As Linux: whoever wants so much at once does not want the limit that he set before.
  if (t.user_clamp != 0) t.user_clamp = max(t.user_clamp, mark);
  t.window_clamp = max(t.window_clamp, mark);
  return mark;
}

uint32_t offer_window(const Tcb& t) {
  atcp_rx_space sp;
  atcp_os_rx_space(t.conn(), &sp);
  const uint32_t full = min(t.window_clamp, win_from_space(t, sp.limit));
  uint32_t room = win_from_space(t, sp.limit > sp.used ? sp.limit - sp.used : 0);
  const uint32_t mss = min(t.rcv_mss, full);
  // RFC 9293 3.8.6.2.2: rather no window than a silly one.
  if (room < full / 2 && (room < full / 16 || room < mss)) return 0;
  room = min(min(room, full), t.rcv_ssthresh);
  // As Linux: a few segments for everybody, until there is memory again.
  if (sp.level != ATCP_MEM_LEVEL_OK) room = min(room, kScarceWindow * t.advmss);
  if (t.rcv_wscale != 0) return align_to_scale(t, room);
  // Without scaling there is room for whole segments only, and no change for less than one.
  const uint32_t cur = t.rcv_wnd;
  if (mss != 0 && (cur + mss <= room || cur > room)) return room - room % mss;
  return cur;
}

uint16_t select_window(Tcb& t) {
  const uint32_t cur = t.receive_window();
  const uint32_t was = t.rcv_wnd;
  uint32_t wnd = offer_window(t);
  if (wnd < cur)
    // Never take back what was offered (RFC 9293 3.8.6, SHLD-14).
    wnd = t.rcv_wscale != 0 ? align_to_scale(t, cur) : cur;
  const uint32_t most = kMaxUnscaledWindow << t.rcv_wscale;
  wnd = min(wnd, most);
  t.rcv_wnd = wnd;
  t.rcv_wup = t.rcv_nxt;
  if (wnd == 0 && was != 0)
    t.count(Counter::TCPToZeroWindowAdv);
  else if (wnd != 0 && was == 0)
    t.count(Counter::TCPFromZeroWindowAdv);
  return static_cast<uint16_t>(wnd >> t.rcv_wscale);
}

void store_ts(Tcb& t, const atcp_seg& seg, Now now) {
  if (!t.ts_ok || (seg.has & ATCP_OPT_TS) == 0) return;
  // RFC 7323 4.3: only from a segment that spans what was acknowledged last.
  if (Seq(seg.seq) > t.rcv_wup || Seq(seg.tsval) < Seq(t.ts_recent)) return;
  t.ts_recent = seg.tsval;
  t.ts_recent_s = static_cast<uint32_t>(now.us / 1000000);
}

void receive_data(Tcb& t, const atcp_seg& seg, atcp_pkt* pkt, Now now) {
  const bool fin = (seg.flags & ATCP_FIN) != 0;
  if (seg.len == 0 && !fin) {
    atcp_os_pkt_free(pkt, ATCP_REASON_NONE);
    return;
  }
  const Seq seq(seg.seq);
  const Seq data_end = seq + seg.len;
  const Seq end = data_end + (fin ? 1 : 0);
  const bool early = t.state == State::SynReceived && t.fastopen_of != nullptr;
  if (!in(t.state, kReceiveStates) && !early) {
    // The peer already sent its FIN (RFC 9293 3.10.7.4, seventh check: "this should not occur").
    // Or this is the FIN again, and our ACK of it was lost.
    t.ack_now = true;
    t.drop(pkt, data_end > t.rcv_nxt ? ATCP_REASON_DATA_AFTER_FIN : ATCP_REASON_SEQ_OLD);
    return;
  }
  // RFC 9293 3.6.1 (SHLD-3): data for which nobody is left is answered by a reset.
  if (t.rx_closed && in(t.state, bit(State::FinWait1) | bit(State::FinWait2)) && seg.len > 0 &&
      data_end > t.rcv_nxt) {
    // With the peer's own acknowledgement as sequence number, for that is the one it cannot doubt.
    atcp_os_pkt_free(pkt, ATCP_REASON_ABORT_ON_DATA);  // counted by done()
    send_rst_for(*t.ns, t.conn(), tuple_of(t), seg, ATCP_REASON_ABORT_ON_DATA);
    done(t, ATCP_REASON_ABORT_ON_DATA, ATCP_ERR_RESET, now);
    return;
  }
  if (end <= t.rcv_nxt) {
    // A retransmission of what we have: our ACK was lost, or it was needless.
    t.count(Counter::DelayedACKLost);
    set_dsack(t, seq, end, Counter::TCPDSACKOldSent);
    enter_quick_ack(t, kMaxQuickAcks);
    t.ack_now = true;
    t.drop(pkt, ATCP_REASON_SEQ_OLD);
    return;
  }
  ecn_receive(t, seg, now);
  if (seq > t.rcv_nxt) {
    if (seg.len > 0) {
      t.data_segs_in += seg.segs;
      learn_rcv_mss(t, seg);
      learn_scaling(t, seg);
      update_ato(t, now);
    }
    queue_out_of_order(t, seg, pkt);
    return;
  }

  const uint32_t skip = bytes_between(seq, t.rcv_nxt);
  const uint32_t len = data_end > t.rcv_nxt ? bytes_between(t.rcv_nxt, data_end) : 0;
  if (skip > 0) set_dsack(t, seq, t.rcv_nxt, Counter::TCPDSACKOldSent);
  if (len == 0) {
    atcp_os_pkt_free(pkt, ATCP_REASON_NONE);
  } else {
    if (t.receive_window() == 0) {
      t.count(Counter::TCPZeroWindowDrop);
      t.ack_now = true;
      t.drop(pkt, ATCP_REASON_ZERO_WINDOW);
      return;
    }
    if (!have_room(t)) {
      t.count(Counter::TCPRcvQDrop);
      t.ack_now = true;
      t.drop(pkt, ATCP_REASON_RCVBUF_FULL);
      return;
    }
    if (!have_memory(t, seg, pkt)) {
      t.count(Counter::TCPRcvQDrop);
      t.ack_now = true;
      t.drop(pkt, ATCP_REASON_MEMORY_FULL);
      return;
    }
    learn_rcv_mss(t, seg);
    learn_scaling(t, seg);
    measure_rcv_rtt(t, seg, now);
    update_ato(t, now);
    t.data_segs_in += seg.segs;
    t.bytes_received += len;
    atcp_os_rx_deliver(t.conn(), pkt, skip, len);
    t.rcv_nxt += len;
    grow_window(t, seg);
    if (!t.ofo.empty()) {
      const Seq before = t.rcv_nxt;
      drain_ofo(t);
      t.bytes_received += bytes_between(before, t.rcv_nxt);
      t.ack_now = true;  // RFC 5681 4.2: at once when a gap is filled
    }
  }
  if (fin || (t.fin_pending && t.fin_seq == t.rcv_nxt)) {
    handle_fin(t, now);
    return;
  }
  atcp_os_conn_event(t.conn(), ATCP_EV_READABLE);
}

void ack_check(Tcb& t, Now now) {
  if (!in(t.state, kSynchronized)) return;
  const bool pending = t.rcv_nxt > t.last_ack_sent;
  if (!t.ack_now && !pending) return;
  const uint32_t unacked = bytes_between(t.rcv_wup, t.rcv_nxt);
  // RFC 9293 3.8.6.3: at least every second full segment, never later than 500 ms.
  if (t.ack_now || unacked > t.rcv_mss || t.quick_acks > 0 || !t.ofo.empty()) {
    send_ack(t, now);
    return;
  }
  if (!t.timers.pending(TimerId::DelayedAck)) {
    const uint32_t wait = clamp(t.ato_us, t.param(Param::DelackMinUs), kDelackMaxUs);
    t.timers.set(TimerId::DelayedAck, now.us + wait);
  }
}

void consumed(Tcb& t, uint32_t bytes, Now now) {
  // RFC 9293 3.8.6.2.2 (MUST-39).
  t.copied_seq += bytes;
  t.urgent.passed(t.copied_seq);
  if (!in(t.state, kReceiveStates | bit(State::CloseWait))) return;
  tune_buffer(t, now);
  if (t.fin_received) return;
  const uint32_t unacked = bytes_between(t.rcv_wup, t.rcv_nxt);
  // A program that has read all and has not answered at once, in an exchange without answers, will hardly do so within the delay.
  const bool ended = t.copied_seq == t.rcv_nxt && t.ends_in > (t.interactive ? 1 : 0);
  bool ack = t.rcv_nxt > t.last_ack_sent && (unacked > t.rcv_mss || ended);
  if (!ack) {
    // A window update when it at least doubles what the peer may send.
    const uint32_t cur = t.receive_window();
    if (2 * static_cast<uint64_t>(cur) <= t.window_clamp) {
      const uint32_t wnd = offer_window(t);
      ack = wnd != 0 && wnd >= 2 * cur;
    }
  }
  if (ack) send_ack(t, now);
  t.timers.sync(t.conn());
}

}  // namespace atcp
