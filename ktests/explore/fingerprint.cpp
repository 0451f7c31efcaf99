// SPDX-License-Identifier: GPL-2.0
//
// A state's number. A connection is copied, what is an address or a total is wiped out of the copy, numbers and
// times are made relative, and the whole copy counts: so a field that nobody thought of here makes states differ
// that do not, which costs time, and never the other way round, which would hide paths.
#include <bit>
#include <cstring>

#include "conn/tcb.h"
#include "conn/timewait.h"
#include "explore/judge.h"
#include "listen/listener.h"
#include "listen/request.h"

namespace atcp::explore {
namespace {

class Hash {
 public:
  void add(uint64_t v) {
    a_ = (a_ ^ v) * 0x9e3779b97f4a7c15ull;
    a_ = std::rotl(a_, 29) ^ (a_ >> 32);
  }
  void add_bytes(const void* p, size_t n) {
    const auto* at = static_cast<const uint8_t*>(p);
    for (; n >= 8; n -= 8, at += 8) {
      uint64_t v;
      memcpy(&v, at, 8);
      add(v);
    }
    uint64_t v = n;
    for (size_t i = 0; i < n; i++)
      v = v << 8 | at[i];
    add(v);
  }
  uint64_t value() const {
    uint64_t z = a_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    return z ^ (z >> 27);
  }

 private:
  uint64_t a_ = 0x243f6a8885a308d3ull;
};

uint64_t now_us() {
  return g_world.now_ns / 1000;
}

/// 0 stands for "never" in these fields, and stays. A moment as its age; beyond a quarter of an hour it is long ago.
uint64_t age(uint64_t at_us) {
  if (at_us == 0) return 0;
  return at_us >= now_us() ? 1 : min<uint64_t>(now_us() - at_us, 900000000) + 2;
}
/// A deadline as what is left until then; how long it has been due makes no difference.
uint64_t left(uint64_t at_us) {
  if (at_us == 0) return 0;
  return at_us <= now_us() ? 1 : at_us - now_us() + 1;
}
Seq from(Seq v, Seq base) {
  return v == Seq(0) ? v : Seq((v - base) + 0x1000000);
}
uint32_t stamp(uint32_t v) {
  return v == 0 ? 0 : static_cast<uint32_t>(g_world.now_ns / 1000000) - v + 1;
}

struct Blocks {
  SackBlock b[kMaxSackBlocks];
};

void add_tcb(Hash& h, const Tcb& t, const atcp_osns& ns) {
  const Seq iss = t.iss, irs = t.irs;
  alignas(Tcb) uint8_t bytes[sizeof(Tcb)];
  memcpy(bytes, static_cast<const void*>(&t), sizeof bytes);
  Tcb& c = *reinterpret_cast<Tcb*>(bytes);
  // Addresses.
  c.next = 0;
  c.hash = 0;
  c.ns = nullptr;
  c.cc_ops = nullptr;
  memset(static_cast<void*>(&c.tx), 0, sizeof c.tx);
  c.send_head = nullptr;
  c.sent_list = TxList{};
  c.lost_list = TxList{};
  memset(static_cast<void*>(&c.fin_node), 0, sizeof c.fin_node);
  memset(static_cast<void*>(&c.ofo), 0, sizeof c.ofo);
  // Numbers.
  c.iss = Seq(iss.raw() - ns.iss);
  c.irs = Seq(irs.raw() - g_world.ns[1 - ns.side].iss);
  for (Seq* v :
       {&c.snd_una, &c.snd_nxt, &c.write_seq, &c.snd_sml, &c.high_seq, &c.undo_marker,
        &c.high_sacked, &c.rack.end_seq, &c.rack.fack, &c.rack.prior_fack, &c.rack.dsack_round,
        &c.rack.counted_to, &c.rack.tlp_end_seq, &c.ecn_told, &c.round_end})
    *v = from(*v, iss);
  for (SackBlock& b : c.sack_cache)
    b = {from(b.start, iss), from(b.end, iss)};
  for (Seq* v : {&c.snd_wl1, &c.rcv_nxt, &c.copied_seq, &c.rcv_wup, &c.last_ack_sent, &c.fin_seq,
                 &c.rcv_rtt_seq, &c.rcv_space_seq, &c.dsack.start, &c.dsack.end})
    *v = from(*v, irs);
  // Times.
  for (uint64_t* v : {&c.last_progress_us, &c.stall_since_us, &c.retrans_stamp_us, &c.last_sent_us,
                      &c.last_ack_us, &c.rcv_rtt_time_us, &c.rcv_space_time_us, &c.last_data_us,
                      &c.last_dupack_us, &c.last_challenge_us, &c.rack.xmit_us})
    *v = age(*v);
  c.ts_recent = stamp(c.ts_recent);
  c.ts_recent_s =
      c.ts_recent_s == 0 ? 0 : static_cast<uint32_t>(now_us() / 1000000) - c.ts_recent_s + 1;
  memset(static_cast<void*>(&c.rtt), 0, sizeof c.rtt);
  memset(static_cast<void*>(&c.timers), 0, sizeof c.timers);
  memset(static_cast<void*>(&c.life), 0, sizeof c.life);
  // Shown, and used by congestion controls that no scenario has.
  memset(static_cast<void*>(&c.rate), 0, sizeof c.rate);
  memset(static_cast<void*>(&c.pacing), 0, sizeof c.pacing);
  // Totals. Of the round in which cwnd was the limit it matters whether that was this one, the last or an older one.
  const uint32_t ago = c.round + 1 - c.limited_round;
  c.limited_round = c.limited_round == 0 || ago > 1 ? 0 : ago + 1;
  c.round = 0;
  c.segs_in = c.segs_out = c.data_segs_in = c.data_segs_out = c.total_retrans = c.dsack_dups = 0;
  c.bytes_acked = c.bytes_received = c.bytes_sent = c.bytes_retrans = 0;
  h.add_bytes(bytes, __builtin_offsetof(Tcb, bind));

  h.add(static_cast<uint64_t>(t.rtt.srtt_us()) << 32 | t.rtt.rttvar_us());
  h.add(t.rtt.min_rtt_us());
  for (uint32_t i = 0; i < kTimerCount; i++)
    h.add(left(t.timers.at(static_cast<TimerId>(i))));
  for (TxSeg* s = t.tx.first(); s != nullptr; s = Treap<TxSeg>::next(s)) {
    h.add(static_cast<uint64_t>(from(s->seq, iss).raw()) << 32 | s->len);
    h.add(s->sent_us == 0 ? 0 : age(s->sent_us));
    h.add(static_cast<uint64_t>(s->segs) << 48 |
          static_cast<uint64_t>(s->flags & ~TxSeg::kAppLimited) << 32 |
          static_cast<uint32_t>(s->head) << 16 | s->mss);
  }
  h.add(t.send_head != nullptr ? from(t.send_head->seq, iss).raw() : 0);
  for (const TxList* l : {&t.sent_list, &t.lost_list}) {
    h.add(7);
    for (TxSeg* s = l->first(); s != nullptr; s = TxList::next(*s))
      h.add(from(s->seq, iss).raw());
  }
  // The first member of a standard-layout class stands at its beginning.
  const auto& runs = *reinterpret_cast<const Treap<RxSeg>*>(&t.ofo);
  for (RxSeg* r = runs.first(); r != nullptr; r = Treap<RxSeg>::next(r)) {
    h.add(static_cast<uint64_t>(from(r->seq, irs).raw()) << 32 | from(r->end, irs).raw());
    h.add(from(r->run_end, irs).raw());
  }
  for (uint32_t i = 0; i < t.ofo.n_blocks(); i++)
    h.add(static_cast<uint64_t>(from(t.ofo.block(i).start, irs).raw()) << 32 |
          from(t.ofo.block(i).end, irs).raw());
}

void add_sock(Hash& h, const Sock& s) {
  h.add(s.ns->side | static_cast<uint64_t>(s.refs) << 8 | static_cast<uint64_t>(s.error) << 40 |
        static_cast<uint64_t>(s.eof) << 48 | static_cast<uint64_t>(s.orphaned) << 49 |
        static_cast<uint64_t>(s.closed) << 50 | static_cast<uint64_t>(s.listener) << 51);
  h.add(static_cast<uint64_t>(s.rx_bytes) << 32 | s.rx_total);
  h.add(s.rmem);
  h.add(left(s.timer_ns / 1000));
  for (const Pkt* p = s.rx_first; p != nullptr; p = p->next)
    h.add(static_cast<uint64_t>(p->begin) << 32 | p->end);
  const Tcb& t = *tcb_of(&s.conn);
  if (!s.listener) {
    add_tcb(h, t, *s.ns);
    return;
  }
  h.add(static_cast<uint64_t>(t.state));
  if (t.listener == nullptr) return;
  const Listener& l = *t.listener;
  h.add(static_cast<uint64_t>(l.requests) << 32 | l.young);
  h.add(static_cast<uint64_t>(l.reserved) << 32 | l.queued);
  for (const Tcb* q = l.head; q != nullptr; q = q->accept_next)
    h.add(static_cast<uint64_t>(q->iss.raw() - s.ns->iss));
}

void add_entry(Hash& h, Endpoint& e, const atcp_osns& ns) {
  const Seq ours(ns.iss), theirs(g_world.ns[1 - ns.side].iss);
  h.add(static_cast<uint64_t>(e.kind) << 32 | e.refs);
  const auto ms = static_cast<uint32_t>(g_world.now_ns / 1000000);
  h.add(Wheel::left_ns(static_cast<SmallEntry&>(e).wheel, g_world.now_ns));
  if (e.kind == EntryKind::Request) {
    const Request& r = *as_request(&e);
    h.add(static_cast<uint64_t>(r.hs.iss.raw() - ns.iss) << 32 | from(r.hs.irs, theirs).raw());
    h.add(static_cast<uint64_t>(stamp(r.hs.ts_recent)) << 32 | r.hs.rcv_wnd);
    h.add(age(r.synack_us));
    h.add(r.last_ack_ms == 0 ? 0 : ms - r.last_ack_ms + 1);
    h.add(r.timeouts | r.retrans << 8 | r.acked << 16 | r.young << 24);
  } else if (e.kind == EntryKind::TimeWait) {
    const TimeWait& w = *as_timewait(&e);
    h.add(static_cast<uint64_t>(from(w.snd_nxt, ours).raw()) << 32 | from(w.rcv_nxt, theirs).raw());
    h.add(stamp(w.ts_recent));
    h.add(w.last_ack_ms == 0 ? 0 : ms - w.last_ack_ms + 1);
    h.add(w.wnd);
  }
}

void add_host(Hash& h, atcp_osns& ns) {
  Ns& core = *reinterpret_cast<Ns*>(ns.core);
  h.add(left(ns.timer_ns / 1000));
  // Seen under the lock of its bucket; none is wanted, so nothing is kept.
  const auto see = [&](Endpoint& e) {
    if (e.kind != EntryKind::Conn) add_entry(h, e, ns);
    return false;
  };
  for (uint64_t cursor = 0; cursor != Ehash::kWalkEnd;)
    core.ehash.walk(&cursor, see);
}

uint64_t of_wire(const Wire& w) {
  Hash h;
  atcp_seg seg = {};
  parse_segment(w.hdr, w.hdr_len, w.hdr_len + w.len, &seg);
  const Seq ours(g_world.ns[1 - w.to].iss), theirs(g_world.ns[w.to].iss);
  h.add(static_cast<uint64_t>(w.to) << 32 | static_cast<uint64_t>(w.loose) << 1 | w.tampered);
  h.add(static_cast<uint64_t>(from(Seq(seg.seq), ours).raw()) << 32 |
        ((seg.flags & ATCP_ACK) != 0 ? from(Seq(seg.ack), theirs).raw() : 0));
  h.add(static_cast<uint64_t>(seg.flags) << 32 | static_cast<uint64_t>(seg.has) << 40 |
        static_cast<uint64_t>(seg.wnd) << 16 | static_cast<uint64_t>(w.ecn) << 8 | w.len);
  h.add(static_cast<uint64_t>(stamp(seg.tsval)) << 32 | stamp(seg.tsecr));
  for (uint32_t i = 0; i < seg.n_sack; i++)
    h.add(static_cast<uint64_t>(from(Seq(seg.sack[i].start), theirs).raw()) << 32 |
          from(Seq(seg.sack[i].end), theirs).raw());
  h.add_bytes(w.data, w.len);
  return h.value();
}

}  // namespace

uint64_t fingerprint() {
  const World& w = g_world;
  Hash h;
  h.add(w.left.drops | w.left.doubles << 8 | w.left.delays << 16 |
        static_cast<uint64_t>(w.left.early) << 24 | static_cast<uint64_t>(w.broken_promise) << 32 |
        static_cast<uint64_t>(min<uint32_t>(w.sent_in_all, w.left.segments)) << 40);
  for (const Program& p : w.program) {
    h.add(p.at | p.error << 8 | p.aborted << 16 | p.eof << 17 | p.dead << 18);
    h.add(static_cast<uint64_t>(p.read) << 32 | p.written);
    h.add(p.sock != nullptr ? 1 : 0);
  }
  // Slots and addresses do not count: sockets and held-back segments are sets, the others queues.
  uint64_t socks = 0, loose = 0;
  for (const Sock* s : w.socks) {
    if (s == nullptr) continue;
    Hash one;
    one.add(s == w.program[0].sock || s == w.program[1].sock);
    add_sock(one, *s);
    socks += one.value();
  }
  h.add(socks);
  for (uint32_t side = 0; side < kSides; side++)
    add_host(h, g_world.ns[side]);
  const Wire* queue[kMaxWire];
  uint32_t n = 0;
  for (const Wire& s : w.wire) {
    if (!s.used) continue;
    if (s.loose) {
      loose += of_wire(s);
      continue;
    }
    uint32_t at = n++;
    for (; at > 0 && queue[at - 1]->number > s.number; at--)
      queue[at] = queue[at - 1];
    queue[at] = &s;
  }
  h.add(loose);
  uint64_t ways[kSides] = {};
  for (uint32_t i = 0; i < n; i++) {
    uint64_t& way = ways[queue[i]->to];
    way = (way ^ of_wire(*queue[i])) * 0xd6e8feb86659fd93ull;
  }
  for (const uint64_t way : ways)
    h.add(way);
  return h.value();
}

}  // namespace atcp::explore
