// SPDX-License-Identifier: GPL-2.0
//
// The acknowledgement field of an arriving segment (RFC 9293 3.10.7.4, fifth check): window
// update, SACK blocks (RFC 2018, 2883), release of what is acknowledged, the RTT sample. What
// follows for cwnd is recovery.cpp's business.
#include "conn/event.h"
#include "conn/tcb.h"

namespace atcp {

namespace {

/// RTT from the timestamp echo, in us; 0 if there is none to trust. The clock is in ms.
uint32_t ts_rtt_us(const Tcb& t, const atcp_seg& seg, Now now) {
  if (!t.ts_ok || (seg.has & ATCP_OPT_TS) == 0 || seg.tsecr == 0) return 0;
  const uint32_t delta_ms = t.ts_now(now) - seg.tsecr;
  if (delta_ms > 1u << 18) return 0;
  return max(delta_ms * 1000, 1000u);
}

/// A piece was delivered, by SACK or cumulatively: what that says about reordering and time. Before its marks go.
void note_delivery(Tcb& t, const TxSeg& s, const atcp_seg& seg, AckSample& a) {
  rate_delivered(t, s, a);
  const bool has_ts = t.ts_ok && (seg.has & ATCP_OPT_TS) != 0 && seg.tsecr != 0;
  if (t.sack_ok) rack_delivered(t, s, has_ts, seg.tsecr - t.ts_offset, a.now_us);
  if (s.has(TxSeg::kRetransmitted)) {
    a.retrans_acked = true;
    return;
  }
  if (s.end() <= t.high_seq) a.orig_delivered = true;
  if (t.sack_ok && a.had_sacked && s.end() < a.prior_high) {
    // It was overtaken by what is SACKed above it, and not lost.
    const uint32_t gap = bytes_between(s.end(), a.prior_high) / t.mss + 1;
    a.reorder_seen = max(a.reorder_seen, gap);
  }
}

void sack_piece(Tcb& t, TxSeg& s, const atcp_seg& seg, AckSample& a) {
  note_delivery(t, s, seg, a);
  if (t.sacked_out == 0 || s.end() > t.high_sacked) t.high_sacked = s.end();
  board_sacked(t, s);
  a.sacked += s.segs;
}

/// One SACK block: mark the pieces inside, splitting those that it covers only in part. The cut is made
/// where a wire segment ended, inside the block: the peer has whole segments, and whoever says otherwise must
/// not make us cut finer.
/// from: where to look from, in or at the block's start; what lies before it has been looked at.
void sack_block(Tcb& t, Seq start, Seq from, Seq end, const atcp_seg& seg, AckSample& a) {
  TxSeg* s = t.tx.lower_bound(from);
  while (s != nullptr && s->has(TxSeg::kSent) && s->seq < end) {
    if (!s->has(TxSeg::kSacked)) {
      const uint32_t mss = s->mss != 0 ? s->mss : t.mss;
      if (s->seq < start) {
        const uint32_t into = bytes_between(s->seq, start);
        const uint32_t at = (into + mss - 1) / mss * mss;
        TxSeg* rest = at < s->len ? split(t, *s, at) : nullptr;
        if (rest == nullptr)
          s = Treap<TxSeg>::next(s);
        else
          s = rest;
        continue;
      }
      if (s->end() > end) {
        const uint32_t at = bytes_between(s->seq, end) / mss * mss;
        if (at == 0 || split(t, *s, at) == nullptr) break;
      }
      sack_piece(t, *s, seg, a);
    }
    s = Treap<TxSeg>::next(s);
  }
}

/// Of one block, what the last SACK option did not say already: so each piece is looked at when it is reported, and
/// not again with every ACK that repeats it.
void sack_new_parts(Tcb& t, Seq start, Seq end, const atcp_seg& seg, AckSample& a) {
  Seq from = start;
  for (const SackBlock& known : t.sack_cache) {
    if (known.start == known.end || known.end <= from) continue;
    if (known.start >= end) break;
    if (known.start > from) sack_block(t, start, from, known.start, seg, a);
    from = known.end;
  }
  if (from < end) sack_block(t, start, from, end, seg, a);
}

/// For sack_new_parts(): ascending.
void remember_sack(Tcb& t, const SackBlock* blocks, uint32_t n) {
  for (SackBlock& b : t.sack_cache)
    b = {};
  for (uint32_t i = 0; i < n; i++) {
    uint32_t at = i;
    for (; at > 0 && t.sack_cache[at - 1].start > blocks[i].start; at--)
      t.sack_cache[at] = t.sack_cache[at - 1];
    t.sack_cache[at] = blocks[i];
  }
}

void process_sack(Tcb& t, const atcp_seg& seg, AckSample& a) {
  const Seq ack(seg.ack);
  uint32_t first = 0;
  const Seq s0(seg.sack[0].start);
  const Seq e0(seg.sack[0].end);
  // RFC 2883 4: a first block below the ACK, or inside the second, reports a duplicate.
  const bool below = e0 <= ack;
  const bool inside = seg.n_sack > 1 && s0 >= Seq(seg.sack[1].start) && e0 <= Seq(seg.sack[1].end);
  if (s0 < e0 && (below || inside)) {
    t.count(Counter::TCPDSACKRecv);
    t.dsack_dups++;
    a.dsack = true;
    rack_dsack(t);
    recovery_on_dsack(t, {s0, e0});
    first = 1;
  }
  SackBlock blocks[kMaxSackBlocks];
  uint32_t n = 0;
  for (uint32_t i = first; i < seg.n_sack; i++) {
    const Seq start(seg.sack[i].start);
    const Seq end(seg.sack[i].end);
    // Only what we sent and is not acknowledged can be SACKed.
    if (start >= end || end > t.snd_nxt || end <= t.snd_una) continue;
    blocks[n] = {start < t.snd_una ? t.snd_una : start, end};
    sack_new_parts(t, blocks[n].start, end, seg, a);
    n++;
  }
  remember_sack(t, blocks, n);
}

/// Release what lies below ack. Returns the send time of the first piece that was sent only
/// once, 0 if there is none.
uint64_t release(Tcb& t, Seq ack, const atcp_seg& seg, AckSample& a) {
  uint64_t sample_us = 0;
  bool any_retransmitted = false;
  while (TxSeg* s = t.tx.first()) {
    if (!s->has(TxSeg::kSent) || s->seq >= ack) break;
    if (!s->has(TxSeg::kSacked)) note_delivery(t, *s, seg, a);
    if (s->has(TxSeg::kRetransmitted))
      any_retransmitted = true;
    else if (sample_us == 0 && !any_retransmitted && !s->has(TxSeg::kSacked))
      sample_us = s->sent_us;
    const uint32_t before = s->segs;
    const bool sacked = s->has(TxSeg::kSacked);
    if (s->end() > ack) {
      // Part of a large piece: note it, trim when (if) the piece is sent again.
      const uint32_t n = bytes_between(s->seq, ack);
      s->seq += n;
      s->len -= n;
      s->head = static_cast<uint16_t>(s->head + n);
      if (atcp_pkt* pkt = s->pkt()) atcp_os_tx_acked(t.conn(), pkt, s->head);
      const uint32_t after = min(segs_of(t, *s), before);
      board_recount(t, *s, after);
      a.acked += sacked ? 0 : before - after;
      break;
    }
    board_acked(t, *s);
    if (!sacked) a.acked += before;
    t.tx.remove(*s);
    if (atcp_pkt* pkt = s->pkt()) {
      atcp_os_tx_acked(t.conn(), pkt, s->head + s->len);
      atcp_os_tx_free(t.conn(), pkt);
    }
  }
  return any_retransmitted ? 0 : sample_us;
}

/// Without SACK, each duplicate ACK stands for one segment that left the network.
void newreno_account(Tcb& t, AckSample& a) {
  if (a.dup_ack) {
    if (t.sacked_out + t.lost_out < t.packets_out) {
      t.sacked_out++;
      a.sacked++;
    }
  } else if (a.acked > 0) {
    const uint32_t cover = a.acked - 1;
    const uint32_t gone = min(cover, t.sacked_out);
    t.sacked_out -= gone;
    a.acked -= min(gone, a.acked);
  }
  // Acknowledged segments may have shrunk the queue below what was inferred.
  if (t.sacked_out + t.lost_out > t.packets_out)
    t.sacked_out = t.packets_out - min(t.lost_out, t.packets_out);
}

}  // namespace

void want_send_buffer(Tcb& t) {
  // Two windows: one in flight, one to follow; what a segment costs beside its payload is counted in.
  constexpr uint32_t kPerSegment = 512;
  const uint64_t bytes = 2ull * max(t.cc.cwnd, t.param(Param::InitCwnd)) * (t.mss + kPerSegment);
  atcp_os_tx_want(t.conn(), static_cast<uint32_t>(min<uint64_t>(bytes, t.param(Param::Wmem, 2))));
}

bool update_send_window(Tcb& t, const atcp_seg& seg) {
  const Seq seq(seg.seq);
  const Seq ack(seg.ack);
  const uint32_t wnd = static_cast<uint32_t>(seg.wnd)
                       << ((seg.flags & ATCP_SYN) != 0 ? 0 : t.snd_wscale);
  // RFC 9293 3.10.7.4: only a segment newer than the last one that updated it; an ACK that
  // repeats it may open the window or close it.
  const bool newer =
      ack > t.snd_una || seq > t.snd_wl1 || (seq == t.snd_wl1 && (wnd > t.snd_wnd || wnd == 0));
  if (!newer) return false;
  t.snd_wl1 = seq;
  const bool changed = wnd != t.snd_wnd;
  t.snd_wnd = wnd;
  if (wnd > t.max_snd_wnd) {
    const bool bounded = t.mss >= t.max_snd_wnd / 2;
    t.max_snd_wnd = wnd;
    if (bounded) update_mss(t, t.pmtu);
  }
  return changed;
}

AckResult process_ack(Tcb& t, const atcp_seg& seg, Now now) {
  AckResult r;
  const Seq ack(seg.ack);
  if (ack > t.snd_nxt) {
    send_challenge_ack(t, now);
    r.reason = ATCP_REASON_ACK_UNSENT;
    return r;
  }
  // RFC 5961 5.2: an ACK from further back than the peer could ever have been.
  if (ack < t.snd_una && bytes_between(ack, t.snd_una) > t.max_snd_wnd) {
    send_challenge_ack(t, now);
    r.reason = ATCP_REASON_ACK_TOO_OLD;
    return r;
  }
  r.valid = true;
  t.last_ack_us = now.us;
  t.probes_out = 0;

  const CwndWatch watch(t);
  AckSample a;
  a.prior_una = t.snd_una;
  a.prior_in_flight = t.in_flight();
  a.had_sacked = t.sacked_out > 0;
  a.prior_high = t.high_sacked;
  a.prior_lost = t.lost_out;
  a.now_us = now.us;
  a.ece = ecn_echoed(t, seg);
  rack_begin_ack(t);
  const bool was_closed = t.snd_wnd == 0;
  const bool wnd_changed = ack >= t.snd_una && update_send_window(t, seg);
  r.window_opened = wnd_changed && t.snd_wnd > 0;
  // A SYN-ACK has nothing to be selective about: what it does not take of the SYN's data is sent anew.
  const bool syn = (seg.flags & ATCP_SYN) != 0;
  if (!syn && t.sack_ok && seg.n_sack > 0 && (seg.has & ATCP_OPT_SACK) != 0)
    process_sack(t, seg, a);

  const bool advanced = ack > t.snd_una;
  if (advanced) {
    if (t.retrans_stamp_us != 0 && t.ts_ok && (seg.has & ATCP_OPT_TS) != 0 && seg.tsecr != 0) {
      // RFC 3522 (Eifel): the ACK echoes a clock reading from before the first retransmission.
      const Seq echo(seg.tsecr);
      const Seq stamp(static_cast<uint32_t>(t.retrans_stamp_us / 1000) + t.ts_offset);
      a.ts_undo = echo < stamp;
    }
    const uint32_t bytes = bytes_between(t.snd_una, ack);
    const uint64_t sent_us = release(t, ack, seg, a);
    t.snd_una = ack;
    mtu_probe_acked(t, now);
    if (ack >= t.round_end) {
      t.round++;
      t.round_end = t.snd_nxt;
    }
    t.urgent.acked(ack);
    t.bytes_acked += bytes;
    t.retransmits = 0;
    t.last_progress_us = now.us;
    t.life.stuck = false;
    a.rtt_us = sent_us != 0 && now.us > sent_us ? static_cast<uint32_t>(now.us - sent_us) : 0;
    if (a.rtt_us == 0 && sent_us == 0 && a.acked > 0) a.rtt_us = ts_rtt_us(t, seg, now);
    if (a.rtt_us != 0) {
      t.rtt.sample(a.rtt_us, now.us);
      t.backoff = 0;
    }
    if (t.fin_queued && ack == t.write_seq) r.fin_acked = true;
    if (t.packets_out == 0) {
      // A backed-off RTO stays as it is until there is a sample (Karn; RFC 6298 5.7).
      t.timers.stop(TimerId::Retransmit);
      t.timers.stop(TimerId::Reorder);
    } else {
      arm_rto(t, now);  // RFC 6298 5.3
    }
  } else if (ack == t.snd_una) {
    a.dup_ack = seg.len == 0 && !wnd_changed && t.packets_out > 0 &&
                (seg.flags & (ATCP_SYN | ATCP_FIN)) == 0;
  }
  if (!t.sack_ok) newreno_account(t, a);

  rate_sample(t, a);
  if (tlp_on_ack(t, t.snd_una, a)) recovery_on_probed_loss(t, now);
  if (t.packets_out > 0 || advanced || t.ca_state != CaState::Open) recovery_on_ack(t, a, now);
  if (advanced || a.sacked > 0) tlp_arm(t, now);
  pacing_update(t);
  if (was_closed && t.snd_wnd > 0) {
    t.timers.stop(TimerId::Persist);
    t.backoff = 0;
  } else if (t.packets_out == 0 && t.snd_wnd == 0 && t.timers.pending(TimerId::Persist)) {
    // An answered probe: the peer lives, keep probing at the backed-off pace.
    t.timers.set(TimerId::Persist, now.us + t.rto_us());
  }
  if (advanced) {
    want_send_buffer(t);
    atcp_os_conn_event(t.conn(), ATCP_EV_WRITABLE);
  }
  return r;
}

}  // namespace atcp
