// SPDX-License-Identifier: GPL-2.0
//
// Everything a connection puts on the wire: headers by state, new data as the windows and Nagle's
// rule allow, the FIN, probes, and the ACKs that answer invalid segments. Retransmission decides in
// retransmit.cpp what to send again and comes here to send it.
#include "conn/event.h"
#include "conn/tcb.h"

namespace atcp {

namespace {

/// A segment of this size is worth sending, however large the peer's window once was.
constexpr uint32_t kNotSilly = 4096;

/// The header every segment of the connection starts from.
Header base_header(Tcb& t, Seq seq, uint8_t flags, Now now) {
  // RFC 7323 3.2: once agreed, timestamps are on every segment.
  Header h;
  h.lport = t.lport;
  h.rport = t.rport;
  h.seq = seq;
  h.flags = flags;
  if ((flags & ATCP_ACK) != 0) h.ack = t.rcv_nxt;
  // RFC 3168 6.1.3: on every ACK until CWR comes.
  if (t.ecn_echo && (flags & (ATCP_ACK | ATCP_RST)) == ATCP_ACK) h.flags |= ATCP_ECE;
  if (t.ts_ok) {
    h.has_ts = true;
    h.tsval = t.ts_now(now);
    h.tsecr = t.ts_recent;
  }
  // RFC 9293 3.8.5 (MUST-30, MUST-62), on whatever leaves: with a closed window that may be no data.
  if ((flags & ATCP_RST) == 0) t.urgent.point(h, t.snd_nxt);
  return h;
}

/// Blocks in the SACK list of the next header.
uint32_t sack_blocks(const Tcb& t) {
  if (!t.sack_ok) return 0;
  return min(t.ofo.n_blocks() + (t.dsack_pending ? 1u : 0u), sack_room(t.ts_ok));
}

void add_sack(Tcb& t, Header& h) {
  // RFC 2018 4, RFC 2883 4: a duplicate first, then the newest blocks.
  const uint32_t all = sack_blocks(t);
  uint32_t n = 0;
  if (all != 0 && t.dsack_pending) {
    h.sack[n++] = t.dsack;
    t.dsack_pending = false;
  }
  for (uint32_t i = 0; n < all; i++)
    h.sack[n++] = t.ofo.block(i);
  h.n_sack = static_cast<uint8_t>(all);
}

/// Payload bytes of each wire segment that s is counted as. A probe of the path counts as the segments in which it
/// would go again.
uint32_t counted_mss(const Tcb& t, const TxSeg& s) {
  return s.mss != 0 ? min<uint32_t>(s.mss, t.mss) : t.mss;
}

/// What must be remembered once an acknowledgement has left, whatever carried it.
void ack_left(Tcb& t) {
  t.last_ack_sent = t.rcv_nxt;
  if (t.quick_acks > 0) t.quick_acks--;
  t.timers.stop(TimerId::DelayedAck);
  t.ack_now = false;
  t.ends_in = 0;
}

/// Hand a header without payload to the port.
int emit_header(Tcb& t, const Header& h) {
  uint8_t buf[kMaxHeader];
  const uint32_t n = write_header(h, buf);
  t.segs_out++;
  t.count(Counter::OutSegs);
  return atcp_os_conn_emit(t.conn(), buf, n, nullptr, 0, 0, kNotEct);
}

/// Nagle with Minshall's change: a small piece waits while an earlier small one is
/// unacknowledged (RFC 9293 3.7.4; draft-minshall-nagle-01).
bool nagle_holds(const Tcb& t, bool more) {
  if (t.urgent.sending()) return false;  // as Linux: whatever holds back, urgent data does not wait
  if (t.cork || more) return true;
  if (t.nodelay) return false;
  return t.packets_out > 0 && t.snd_sml > t.snd_una && t.snd_sml <= t.snd_nxt;
}

/// Payload bytes of the piece at the send head that may go now; 0: none. mss: as send_mss().
uint32_t sendable(Tcb& t, const TxSeg& s, uint32_t quota, uint32_t mss, bool more) {
  const int32_t room = t.snd_wnd_end() - s.seq;
  if (room <= 0 && s.seq_len() > 0) return 0;
  uint32_t limit = static_cast<uint32_t>(room);
  const uint64_t cwnd_bytes = static_cast<uint64_t>(quota) * mss;
  if (cwnd_bytes < limit) limit = static_cast<uint32_t>(cwnd_bytes);
  if (s.len <= limit) {
    // Whole segments may always go; what is left at the end of the queue goes by Nagle.
    const uint32_t tail = s.len % mss;
    const bool at_end = TreapBase::next(&s) == nullptr && !s.has(TxSeg::kFin);
    return tail != 0 && at_end && nagle_holds(t, more) ? s.len - tail : s.len;
  }
  // Sender's silly window avoidance (RFC 9293 3.8.6.2.1): whole segments, or at least half of
  // the largest window that the peer ever offered.
  if (limit >= mss) return limit - limit % mss;
  const bool window_limits = static_cast<uint64_t>(static_cast<uint32_t>(room)) <= cwnd_bytes;
  if (window_limits && limit >= clamp(t.max_snd_wnd / 2, 1u, kNotSilly)) return limit;
  return 0;
}

/// Which of the two windows lets less of a piece go now.
Limit smaller_window(const Tcb& t, const TxSeg& s, uint32_t quota, uint32_t mss) {
  const int32_t room = t.snd_wnd_end() - s.seq;
  return room <= 0 || static_cast<uint32_t>(room) < static_cast<uint64_t>(quota) * mss
             ? Limit::Rwnd
             : Limit::Cwnd;
}

/// Why nothing of the piece at the send head is sendable().
Limit why_held(const Tcb& t, const TxSeg& s, uint32_t quota, uint32_t mss, bool more) {
  const int32_t room = t.snd_wnd_end() - s.seq;
  const bool fits = room > 0 && s.len <= static_cast<uint32_t>(room) &&
                    s.len <= static_cast<uint64_t>(quota) * mss;
  if (!fits) return smaller_window(t, s, quota, mss);
  return t.cork || more ? Limit::App : Limit::DelayedAck;
}

/// Wait for more ACKs rather than cut a small piece off a large one: while data is in flight an ACK
/// is certain to come, and large pieces are what makes segmentation offload pay.
/// most: what a piece may have at all.
bool defer_for_size(const Tcb& t, const TxSeg& s, uint32_t bytes, uint32_t most, uint32_t flight) {
  if (bytes >= s.len || flight == 0 || t.ca_state != CaState::Open) return false;
  const uint64_t window =
      min(static_cast<uint64_t>(t.snd_wnd), static_cast<uint64_t>(t.cc.cwnd) * t.mss);
  // Two segments, or what the path carries in a millisecond, are large enough: who waits for more on a long path
  // leaves a part of the window unused, for good, as each ACK brings as little as the one before.
  const uint64_t in_1ms = window * 1000 / max(t.rtt.srtt_us(), 1u);
  const uint64_t enough = clamp<uint64_t>(in_1ms, 2ull * t.mss, max(most, 2 * t.mss));
  return bytes < min(window / 3, enough);
}

void mark_sent(Tcb& t, TxSeg& s, Now now) {
  const uint32_t mss = counted_mss(t, s);
  s.segs = static_cast<uint16_t>(segs_of(s.len, mss));
  board_sent(t, s, now.us);
  t.timers.stop(TimerId::Persist);
  t.snd_nxt = s.end();
  if (s.len % mss != 0) t.snd_sml = s.end();
  t.send_head = Treap<TxSeg>::next(&s);
  t.last_sent_us = now.us;
  // An answer right after data came: an interactive exchange, whose ACKs ride on the answers.
  if (s.len > 0 && t.last_data_us != 0 && now.us - t.last_data_us < t.ato_us) {
    t.quick_acks = 0;
    t.interactive = true;
  }
}

/// Slow start after idle (RFC 5681 4.1): nothing sent for an RTO, so the old cwnd says nothing.
void restart_after_idle(Tcb& t, Now now) {
  if (t.packets_out != 0 || t.last_sent_us == 0) return;
  const uint64_t idle = now.us - t.last_sent_us;
  const uint32_t rto = t.rtt.rto_us(t.param(Param::RtoMinUs), t.param(Param::RtoMaxMs) * 1000);
  if (idle <= rto) return;
  if (t.param(Param::SlowStartAfterIdle) != 0 && t.cc_ops->control == nullptr) {
    const CwndWatch watch(t);
    const uint32_t restart = min(t.param(Param::InitCwnd), t.cc.cwnd);
    t.cc.ssthresh = max(t.cc.ssthresh, t.cc.cwnd / 2 + t.cc.cwnd / 4);
    uint32_t cwnd = t.cc.cwnd;
    for (uint64_t left = idle; left > rto && cwnd > restart; left -= rto)
      cwnd /= 2;
    t.cc.cwnd = max(cwnd, restart);
    t.cc.cwnd_cnt = 0;
  }
  if (t.cc_ops->on_event != nullptr) t.cc_ops->on_event(t.cc, ATCP_CC_TX_START, now.us);
}

/// Acknowledged bytes at the front are only noted when they are acknowledged, and cut off here,
/// when the piece is needed again.
bool trim_head(Tcb& t, TxSeg& s) {
  // Nothing but the FIN is left: no payload goes with it.
  if (s.head == 0 || s.len == 0) return true;
  if (!atcp_os_tx_trim(t.conn(), s.pkt(), s.head)) return false;
  s.head = 0;
  return true;
}

/// min_snd_mss is for peers that want tiny segments. No setting of it makes segments that the path cannot carry, as long
/// as that carries the least that it may be set to.
uint32_t least_mss(const Tcb& t, uint32_t mtu) {
  constexpr uint32_t kLeast = 48;
  const uint32_t fits = payload_room(mtu, t.family);
  const uint32_t room = fits > t.ip_options ? fits - t.ip_options : 0;
  return min(t.param(Param::MinSndMss), max(room, kLeast));
}

/// cwnd stops what could be sent.
void cwnd_stops(Tcb& t) {
  t.cwnd_limited = true;
  t.limited_round = t.round + 1;
}

}  // namespace

uint32_t max_piece(uint32_t mss) {
  return kMaxPieceBytes - kMaxPieceBytes % mss;
}

uint32_t segs_of(uint32_t len, uint32_t mss) {
  return len <= mss ? 1 : (len + mss - 1) / mss;
}

uint32_t segs_of(const Tcb& t, const TxSeg& s) {
  return segs_of(s.len, counted_mss(t, s));
}

uint32_t send_mss(const Tcb& t) {
  const uint32_t sack_bytes = sack_option_bytes(sack_blocks(t));
  return t.mss > sack_bytes + 8 ? t.mss - sack_bytes : t.mss;
}

void emit_plain(Tcb& t, const Header& h) {
  emit_header(t, h);
}

void send_ack(Tcb& t, Now now) {
  if (!in(t.state, kSynchronized)) return;
  Header h = base_header(t, t.snd_nxt, ATCP_ACK, now);
  h.wnd = select_window(t);
  add_sack(t, h);
  ack_left(t);
  if (emit_header(t, h) != 0) {
    // Not sent for want of memory or room: it is still owed, and the delayed-ACK timer tries again.
    t.last_ack_sent = t.rcv_nxt - 1;
    t.timers.set(TimerId::DelayedAck, now.us + 200000);
  }
}

void send_reset(Tcb& t, uint32_t reason, Now now) {
  Header h = base_header(t, t.snd_nxt, ATCP_RST | ATCP_ACK, now);
  h.has_ts = t.ts_ok;
  const bool left = emit_header(t, h) == 0;
  t.count(Counter::OutRsts);
  if (left) tell_reset_sent(*t.ns, t.conn(), tuple_of(t), h.seq, h.flags, reason);
}

void send_syn(Tcb& t, Now now) {
  const bool answer = t.state == State::SynReceived;
  Header h;
  h.lport = t.lport;
  h.rport = t.rport;
  h.seq = t.iss;
  h.flags = ATCP_SYN;
  if (answer) {
    h.flags |= ATCP_ACK;
    h.ack = t.rcv_nxt;
  }
  h.mss = t.advmss;
  if (answer)
    h.flags |= t.ecn_ok ? uint8_t{ATCP_ECE} : uint8_t{0};
  else
    h.flags |= ecn_syn_flags(t);
  const bool offer_ts = answer ? t.ts_ok : t.ts_offered;
  if (offer_ts) {
    h.has_ts = true;
    h.tsval = t.ts_now(now);
    h.tsecr = answer ? t.ts_recent : 0;
  }
  h.sack_ok = answer ? t.sack_ok : t.sack_offered;
  h.has_wscale = answer ? t.wscale_ok : t.wscale_offered;
  h.wscale = t.rcv_wscale;
  if (answer && t.fastopen_renew && t.fastopen_of != nullptr) {
    h.has_fastopen = true;
    atcp_os_rcu_lock();
    fastopen_cookie(fastopen_keys(*tcb_of(t.fastopen_of)), tuple_of(t), &h.fastopen);
    atcp_os_rcu_unlock();
  }
  // RFC 7323 2.2: the window field of a SYN is never scaled.
  h.wnd = static_cast<uint16_t>(min(t.rcv_wnd, 65535u));
  // Only the first one: should it not come through, the option or the data may be why.
  if (!answer && t.fastopen && t.syn_retries == 0)
    fastopen_send_syn(t, h, now);
  else
    emit_header(t, h);
}

void send_syn_again(Tcb& t, Now now) {
  const bool answer = t.state == State::SynReceived;
  send_syn(t, now);
  tell_retransmit(t, answer ? ATCP_RETRANSMIT_KIND_SYNACK : ATCP_RETRANSMIT_KIND_SYN, t.iss, 0,
                  answer ? ATCP_SYN | ATCP_ACK : ATCP_SYN);
}

void send_probe(Tcb& t, Now now) {
  if (t.urgent.sending()) {
    // As Linux: the peer's urgent pointer moves although its window does not (RFC 9293 3.8.5).
    Header up = base_header(t, t.snd_una, ATCP_ACK, now);
    up.wnd = select_window(t);
    if ((up.flags & ATCP_URG) != 0) emit_header(t, up);
  }
  // SEG.SEQ = SND.UNA-1 without data (RFC 9293 3.8.4): outside the peer's window, so it answers.
  Header h = base_header(t, t.snd_una - 1, ATCP_ACK, now);
  h.wnd = select_window(t);
  emit_header(t, h);
}

bool dup_answer_allowed(Tcb& t, Counter skipped, Now now) {
  const uint64_t gap_us = static_cast<uint64_t>(t.param(Param::InvalidRatelimitMs)) * 1000;
  if (t.last_dupack_us != 0 && now.us - t.last_dupack_us < gap_us) {
    t.count(skipped);
    return false;
  }
  t.last_dupack_us = now.us;
  return true;
}

void send_dup_ack(Tcb& t, const atcp_seg& seg, Counter skipped, Now now) {
  // RFC 9293 3.10.7.4, first check.
  const bool data = seg.len > 0 && (seg.flags & ATCP_SYN) == 0;
  if (data || dup_answer_allowed(t, skipped, now)) send_ack(t, now);
}

void send_challenge_ack(Tcb& t, Now now) {
  // RFC 5961 3.2, 4.2 and 7.
  const uint64_t gap_us = static_cast<uint64_t>(t.param(Param::InvalidRatelimitMs)) * 1000;
  if ((t.last_challenge_us != 0 && now.us - t.last_challenge_us < gap_us) ||
      !t.ns->challenge_allowed(now.us)) {
    t.count(Counter::TCPACKSkippedChallenge);
    return;
  }
  t.last_challenge_us = now.us;
  t.count(Counter::TCPChallengeACK);
  send_ack(t, now);
}

void update_mss(Tcb& t, uint32_t pmtu) {
  // RFC 9293 3.7.1: min(SendMSS + 20, MMS_S) - TCPhdrsize - IPoptionsize.
  t.mtu.limit(pmtu);
  const uint32_t mtu = t.mtu.cap(pmtu);
  uint32_t mss = min(payload_room(mtu, t.family), static_cast<uint32_t>(t.peer_mss));
  if (t.user_mss != 0) mss = min(mss, static_cast<uint32_t>(t.user_mss));
  mss = mss > t.ip_options ? mss - t.ip_options : 0;
  const uint32_t least = least_mss(t, mtu);
  mss = max(mss, least);
  if (t.ts_ok) mss = mss > kTsOptionBytes + 8 ? mss - kTsOptionBytes : 8;
  t.pmtu = static_cast<uint16_t>(min(pmtu, 65535u));
  // Two segments at least must fit the peer's window, or each would wait for the last one's ACK.
  if (t.max_snd_wnd != 0) {
    const uint32_t bound = t.max_snd_wnd > 536 ? t.max_snd_wnd / 2 : t.max_snd_wnd;
    mss = min(mss, max(bound, least));
  }
  t.mss = min(mss, kMaxPieceBytes);
}

void follow_route(Tcb& t) {
  const uint32_t mtu = min(atcp_os_conn_mtu(t.conn()), 65535u);
  if (mtu == 0 || mtu == t.route_mtu) return;
  t.route_mtu = static_cast<uint16_t>(mtu);
  const uint32_t old = t.mss;
  update_mss(t, mtu);
  if (t.mss < old) mss_fell(t, false);
}

TxSeg* split(Tcb& t, TxSeg& s, uint32_t at) {
  // What is sent next, or first again, must go on; cuts for the sake of SACK marks need not.
  const bool must = !s.has(TxSeg::kSent) || &s == t.tx.first();
  atcp_pkt* pkt = s.pkt();
  if (pkt == nullptr || at == 0 || at >= s.len || !trim_head(t, s)) return nullptr;
  atcp_pkt* rest_pkt = atcp_os_tx_split(t.conn(), pkt, at, must);
  if (rest_pkt == nullptr) return nullptr;
  TxSeg* rest = tx_seg_of(rest_pkt);
  rest->seq = s.seq + at;
  rest->len = s.len - at;
  rest->sent_us = s.sent_us;
  rest->flags = s.flags;
  rest->mss = s.mss;
  const TxFront& f = front_of(s);
  TxFront& r = front_of(*rest);
  r.delivered = f.delivered;
  r.delivered_us = f.delivered_us;
  r.first_sent_us = f.first_sent_us;
  r.tx_in_flight = f.tx_in_flight;
  r.lost = f.lost;
  s.len = at;
  s.flags = static_cast<uint8_t>(s.flags & ~TxSeg::kFin);
  t.tx.insert_after(*rest, &s);
  const uint32_t before = s.segs;
  if (s.has(TxSeg::kSent)) {
    s.segs = static_cast<uint16_t>(segs_of(t, s));
    rest->segs = static_cast<uint16_t>(segs_of(t, *rest));
  }
  board_split(t, s, *rest, before);
  return rest;
}

bool transmit(Tcb& t, TxSeg& s, Now now, bool whole) {
  t.life.stuck = true;
  if (!trim_head(t, s)) return false;
  // A SACK list makes the header longer: GSO pieces are cut for the header they get.
  const uint32_t mss = whole ? s.len : send_mss(t);
  Header h = base_header(t, s.seq, ATCP_ACK, now);
  h.wnd = select_window(t);
  add_sack(t, h);
  const uint32_t ecn = ecn_mark(t, s, !s.has(TxSeg::kSent), h);
  // Segmentation repeats the pointer, which counts from each segment's own number. If the piece cannot be cut, it
  // goes without: the next one will tell.
  if ((h.flags & ATCP_URG) != 0 && s.len > mss && split(t, s, mss) == nullptr)
    h.flags &= static_cast<uint8_t>(~ATCP_URG);
  if ((h.flags & ATCP_URG) == 0) h.urg = 0;
  if (s.has(TxSeg::kFin)) h.flags |= ATCP_FIN;
  // RFC 9293 3.9.1.2 (MUST-61): PSH on the segment that empties the queue.
  if (s.len > 0 && s.end() == t.write_seq) h.flags |= ATCP_PSH;
  uint8_t buf[kMaxHeader];
  const uint32_t n = write_header(h, buf);
  const uint32_t segs = s.len <= mss ? 1 : (s.len + mss - 1) / mss;
  const int rc =
      atcp_os_conn_emit(t.conn(), buf, n, s.len != 0 ? s.pkt() : nullptr, s.len, mss, ecn);
  if (rc != 0) return false;
  t.life.stuck = false;
  ecn_left(t, h);
  s.mss = static_cast<uint16_t>(mss);
  ack_left(t);
  t.segs_out += segs;
  t.count(Counter::OutSegs, segs);
  if (s.len > 0) {
    pacing_sent(t, s.len, now);
    t.data_segs_out += segs;
    t.bytes_sent += s.len;
  }
  return true;
}

void push(Tcb& t, bool more, Now now) {
  if (t.syn_held) {
    connect_go(t, now);
    return;
  }
  // RFC 7413 4.2.2: a server may answer early data before the handshake is complete.
  const bool early = t.state == State::SynReceived && t.fastopen_of != nullptr;
  if ((!in(t.state, kSendStates | kFinStates) && !early) || t.send_head == nullptr) {
    limits_update(t, now);
    t.timers.sync(t.conn());
    return;
  }
  follow_route(t);
  restart_after_idle(t, now);
  t.cwnd_limited = false;
  uint32_t sent = 0;
  Limit stop = Limit::App;
  while (TxSeg* s = t.send_head) {
    const uint32_t flight = t.in_flight();
    const uint32_t quota = t.cc.cwnd > flight ? t.cc.cwnd - flight : 0;
    if (quota == 0) {
      stop = Limit::Cwnd;
      cwnd_stops(t);
      break;
    }
    if (pacing_holds(t, now)) {
      stop = Limit::Pacing;
      break;
    }
    if (s->seq_len() == 0) {  // the program is still filling it
      break;
    }
    const uint32_t mss = send_mss(t);
    const uint32_t most = t.pacing.on ? pacing_quantum(t, mss) : max_piece(mss);
    const uint32_t probe = mtu_probe_bytes(t, *s, quota, now);
    uint32_t bytes = probe != 0 ? probe : min(sendable(t, *s, quota, mss, more), most);
    if (s->len > 0) {
      if (bytes == 0) {
        stop = why_held(t, *s, quota, mss, more);
        break;
      }
      if (probe == 0 && defer_for_size(t, *s, bytes, most, flight)) {
        stop = smaller_window(t, *s, quota, mss);
        cwnd_stops(t);
        break;
      }
      if (bytes < s->len) {
        if (static_cast<uint64_t>(quota) * mss < s->len) cwnd_stops(t);
        if (split(t, *s, bytes) == nullptr) {
          t.life.stuck = true;
          break;
        }
      }
    } else if (t.snd_wnd_end() < s->end() && t.packets_out > 0) {
      stop = Limit::Rwnd;  // a FIN alone, beyond the window: it waits for an ACK
      break;
    } else if (t.snd_wnd == 0) {
      break;  // and with a closed window the persist timer takes over (as Linux)
    }
    if (!transmit(t, *s, now, probe != 0)) {
      // The local queue is full: what did not leave stays unsent, and the next ACK or the persist
      // timer tries again. A probe may have been too large; no other one goes for a while.
      if (probe == 0) break;
      mtu_probe_refused(t, now);
      t.life.stuck = false;
      continue;
    }
    mark_sent(t, *s, now);
    if (probe != 0) mtu_probe_sent(t, *s);
    t.count(Counter::TCPOrigDataSent, s->segs);
    sent += s->segs;
  }
  if (in(t.ca_state, kReducingStates)) t.prr_out += sent;
  // What was unsent is less: a program with a low mark for that may write.
  if (sent > 0 && t.param(Param::NotsentLowat) != ~0u)
    atcp_os_conn_event(t.conn(), ATCP_EV_WRITABLE);
  if (sent > 0 && !t.timers.pending(TimerId::Retransmit)) arm_rto(t, now);
  if (sent > 0) tlp_arm(t, now);
  // Nothing outstanding that would bring an ACK: probe a closed window (RFC 9293 3.8.6.1), or send
  // what a cork or MSG_MORE held back for too long.
  if (t.packets_out == 0 && t.send_head != nullptr && t.send_head->seq_len() > 0 &&
      !t.timers.pending(TimerId::Persist) && !t.timers.pending(TimerId::Pacing))
    t.timers.set(TimerId::Persist, now.us + t.rto_us());
  t.life.stopped(stop);
  limits_update(t, now);
  t.timers.sync(t.conn());
}

bool push_one(Tcb& t, Now now) {
  TxSeg* s = t.send_head;
  if (s == nullptr || s->len == 0) return false;
  follow_route(t);
  const uint32_t bytes = min(s->len, send_mss(t));
  if (t.snd_wnd_end() < s->seq + bytes) return false;
  if (bytes < s->len && split(t, *s, bytes) == nullptr) return false;
  if (!transmit(t, *s, now)) return false;
  mark_sent(t, *s, now);
  t.count(Counter::TCPOrigDataSent, s->segs);
  return true;
}

void queue_fin(Tcb& t) {
  if (t.fin_queued) return;
  t.fin_queued = true;
  TxSeg* last = t.tx.last();
  if (last != nullptr && !last->has(TxSeg::kSent)) {
    last->flags |= TxSeg::kFin;
  } else {
    t.fin_node = LoneTxSeg{};
    TxSeg& fin = t.fin_node.seg;
    fin.flags = TxSeg::kNoPkt | TxSeg::kFin;
    fin.seq = t.write_seq;
    t.tx.insert(fin);
    t.send_head = &fin;
  }
  t.write_seq += 1;
}

}  // namespace atcp
