// SPDX-License-Identifier: GPL-2.0
//
// The scoreboard against two naive models. One knows each piece's marks and when something last happened to
// it, and adds all up anew after each step. The other is a receiver with a set of the bytes that it has, behind a
// network that loses and reorders: what the sender marks as SACKed is what that set holds, and in the end the set is
// the whole stream.
#include "conn/scoreboard.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "tests/raw_conn.h"
#include "tests/tcb_invariants.h"

namespace atcp::test {
namespace {

/// Marks and places of pieces, each for itself. Lists are in the order of `stamp`.
struct Naive {
  struct Piece {
    std::unique_ptr<LoneTxSeg> node = std::make_unique<LoneTxSeg>();
    bool sent = false, sacked = false, lost = false, again = false;
    uint32_t segs = 0;
    uint64_t stamp = 0;  ///< when it was last sent or marked lost; pieces cut from one share it
    bool waits() const { return sent && lost && !again; }
    bool in_net() const { return sent && !sacked && !waits(); }
  };
  std::vector<Piece> pieces;  ///< by sequence number
  uint64_t clock = 0;

  /// The pieces that `in` says, in the order of a list.
  template <class In>
  std::vector<TxSeg*> list(In in) {
    std::vector<const Piece*> found;
    for (const Piece& p : pieces)
      if (in(p)) found.push_back(&p);
    std::stable_sort(found.begin(), found.end(),
                     [](const Piece* a, const Piece* b) { return a->stamp < b->stamp; });
    std::vector<TxSeg*> out;
    for (const Piece* p : found)
      out.push_back(&p->node->seg);
    return out;
  }
  template <class In>
  uint32_t count(In in) const {
    uint32_t n = 0;
    for (const Piece& p : pieces)
      if (in(p)) n += p.segs;
    return n;
  }
};

std::vector<TxSeg*> content(const TxList& l) {
  std::vector<TxSeg*> out;
  for (TxSeg* s = l.first(); s != nullptr; s = TxList::next(*s))
    out.push_back(s);
  return out;
}

TEST(Scoreboard, RandomMarksAgreeWithCountingAnew) {
  std::mt19937 rnd(9);
  const auto board = std::make_unique<Tcb>();
  Tcb& t = *board;
  Naive m;
  Seq end(0xffffff00);
  t.snd_una = t.snd_nxt = end;
  const auto pick = [&](auto which) -> Naive::Piece* {
    std::vector<Naive::Piece*> found;
    for (Naive::Piece& p : m.pieces)
      if (which(p)) found.push_back(&p);
    return found.empty() ? nullptr : found[rnd() % found.size()];
  };
  const auto sent = [](const Naive::Piece& p) { return p.sent; };
  const auto open = [](const Naive::Piece& p) { return p.sent && !p.sacked; };
  for (int step = 0; step < 15000; step++) {
    const uint64_t now = ++m.clock;
    switch (rnd() % 16) {
      case 0:
      case 1: {
        if (m.pieces.size() > 40) break;
        Naive::Piece p;
        p.node->seg.seq = end;
        p.node->seg.len = 1 + rnd() % 50;
        end = p.node->seg.end();
        t.tx.insert(p.node->seg);
        if (t.send_head == nullptr) t.send_head = &p.node->seg;
        m.pieces.push_back(std::move(p));
        break;
      }
      case 2:
      case 3:
      case 4: {
        const auto next = std::find_if(m.pieces.begin(), m.pieces.end(),
                                       [](const Naive::Piece& p) { return !p.sent; });
        if (next == m.pieces.end()) break;
        TxSeg& s = next->node->seg;
        next->sent = true;
        next->stamp = now;
        next->segs = 1 + rnd() % 5;
        s.segs = static_cast<uint16_t>(next->segs);
        board_sent(t, s, now);
        t.snd_nxt = s.end();
        t.send_head = Treap<TxSeg>::next(&s);
        break;
      }
      case 5:
      case 6:
        if (Naive::Piece* p = pick(open)) {
          p->lost = p->again = true;
          p->stamp = now;
          board_resent(t, p->node->seg, now);
        }
        break;
      case 7:
      case 8:
        if (Naive::Piece* p = pick(open)) {
          p->sacked = true;
          p->lost = p->again = false;
          board_sacked(t, p->node->seg);
        }
        break;
      case 9:
      case 10:
        if (Naive::Piece* p = pick(sent)) {
          if (p->in_net()) {
            p->lost = true;
            p->again = false;
            p->stamp = now;
          }
          mark_lost(t, p->node->seg);  // of the others it takes no notice
        }
        break;
      case 11:
        for (uint32_t n = rnd() % 4; n != 0 && !m.pieces.empty() && m.pieces[0].sent; n--) {
          TxSeg& s = m.pieces[0].node->seg;
          board_acked(t, s);
          t.tx.remove(s);
          t.snd_una = s.end();
          m.pieces.erase(m.pieces.begin());
        }
        break;
      case 12:
        if (Naive::Piece* p = pick([](const Naive::Piece& c) { return c.node->seg.len > 1; })) {
          Naive::Piece rest;
          TxSeg& s = p->node->seg;
          TxSeg& after = rest.node->seg;
          const uint32_t before = s.segs, at = 1 + rnd() % (s.len - 1);
          after = TxSeg{};
          after.seq = s.seq + at;
          after.len = s.len - at;
          after.flags = s.flags;
          after.sent_us = s.sent_us;
          s.len = at;
          if (p->sent) {
            s.segs = static_cast<uint16_t>(1 + rnd() % 3);
            after.segs = static_cast<uint16_t>(1 + rnd() % 3);
          }
          t.tx.insert_after(after, &s);
          board_split(t, s, after, before);
          if (t.send_head != nullptr && t.send_head->seq > after.seq && !p->sent) t.send_head = &s;
          p->segs = s.segs;
          rest.sent = p->sent;
          rest.sacked = p->sacked;
          rest.lost = p->lost;
          rest.again = p->again;
          rest.segs = after.segs;
          rest.stamp = p->stamp;
          m.pieces.insert(m.pieces.begin() + (p - m.pieces.data()) + 1, std::move(rest));
        }
        break;
      case 13:
        if (Naive::Piece* p = pick(sent)) {
          p->segs = 1 + rnd() % 6;
          board_recount(t, p->node->seg, p->segs);
        }
        break;
      case 14:
        switch (rnd() % 12) {
          case 0: {
            // All that is missing is in the network again, in the order in which it left; of what left at the same
            // time what waited comes first.
            std::vector<TxSeg*> all = m.list([](const Naive::Piece& p) { return p.waits(); });
            for (TxSeg* s : m.list([](const Naive::Piece& p) { return p.in_net(); }))
              all.push_back(s);
            std::stable_sort(all.begin(), all.end(), [](const TxSeg* x, const TxSeg* y) {
              return x->sent_us < y->sent_us;
            });
            uint64_t n = 0;
            for (TxSeg* s : all)
              for (Naive::Piece& p : m.pieces)
                if (&p.node->seg == s) p.stamp = ++n;
            for (Naive::Piece& p : m.pieces)
              p.lost = p.again = false;
            m.clock = std::max(m.clock, n);
            board_clear_lost(t);
            break;
          }
          case 1:
            for (Naive::Piece& p : m.pieces) {
              if (!p.sacked) continue;
              p.sacked = false;
              p.lost = true;
              p.stamp = ++m.clock;
            }
            board_renege(t);
            break;
          default:
            break;
        }
        break;
      default:
        if (Naive::Piece* p = rnd() % 8 == 0 ? pick(sent) : nullptr) {
          board_unsend(t, p->node->seg);
          for (; p != m.pieces.data() + m.pieces.size(); p++) {
            p->sent = p->sacked = p->lost = p->again = false;
            p->segs = 0;
          }
        }
        break;
    }
    ASSERT_EQ(t.packets_out, m.count(sent)) << step;
    ASSERT_EQ(t.sacked_out, m.count([](const Naive::Piece& p) { return p.sacked; })) << step;
    ASSERT_EQ(t.lost_out, m.count([](const Naive::Piece& p) { return p.lost; })) << step;
    ASSERT_EQ(t.retrans_out, m.count([](const Naive::Piece& p) { return p.again; })) << step;
    ASSERT_EQ(content(t.sent_list), m.list([](const Naive::Piece& p) { return p.in_net(); }))
        << step;
    ASSERT_EQ(content(t.lost_list), m.list([](const Naive::Piece& p) { return p.waits(); }))
        << step;
    for (const Naive::Piece& p : m.pieces) {
      const TxSeg& s = p.node->seg;
      ASSERT_EQ(s.has(TxSeg::kSent), p.sent) << step;
      ASSERT_EQ(s.has(TxSeg::kSacked), p.sacked) << step;
      ASSERT_EQ(s.has(TxSeg::kLost), p.lost) << step;
      ASSERT_EQ(s.has(TxSeg::kInNetAgain), p.again) << step;
    }
  }
  board_reset(t);
  EXPECT_TRUE(t.sent_list.empty() && t.lost_list.empty());
  EXPECT_EQ(t.packets_out + t.sacked_out + t.lost_out + t.retrans_out, 0u);
}

/// A receiver that keeps a set of bytes, and the network in front of it.
class ABytewisePeer : public RawConnTest {
 protected:
  struct OnTheWay {
    uint32_t from, to;  ///< of the stream
  };
  std::mt19937 rnd{21};
  std::vector<bool> have;
  uint32_t next = 0;
  std::vector<std::pair<uint32_t, uint32_t>> runs;  ///< above `next`, most recent first
  std::vector<OnTheWay> wire;
  uint32_t loss_permille = 0;

  static char byte(uint32_t at) { return static_cast<char>(at * 2654435761u >> 17); }

  /// What left since then joins the network, cut as it is on the wire.
  void collect() {
    for (const Emitted& e : replies) {
      const uint32_t from = e.seg.seq - at(0);
      for (uint32_t i = 0; i < e.data.size(); i++)
        ASSERT_EQ(static_cast<char>(e.data[i]), byte(from + i));
      const uint32_t cut = e.mss != 0 ? e.mss : static_cast<uint32_t>(e.data.size());
      for (uint32_t i = 0; i < e.data.size(); i += cut)
        if (rnd() % 1000 >= loss_permille)
          wire.push_back(
              {from + i, from + std::min<uint32_t>(i + cut, static_cast<uint32_t>(e.data.size()))});
    }
    replies.clear();
  }
  std::pair<uint32_t, uint32_t> run_around(uint32_t at) const {
    uint32_t from = at, to = at;
    while (from > next && have[from - 1])
      from--;
    while (to < have.size() && have[to])
      to++;
    return {from, to};
  }
  /// A segment arrives; its ACK, with at most `most` blocks, is what the sender sees.
  Out arrives(const OnTheWay& w, size_t most) {
    if (have.size() < w.to) have.resize(w.to + 1);
    for (uint32_t i = w.from; i < w.to; i++)
      have[i] = true;
    while (next < have.size() && have[next])
      next++;
    std::vector<std::pair<uint32_t, uint32_t>> now;
    if (w.to > next) now.push_back(run_around(w.to - 1));
    for (const auto& r : runs)
      if (r.second > next)
        if (const auto whole = run_around(r.first);
            std::find(now.begin(), now.end(), whole) == now.end())
          now.push_back(whole);
    runs = now;
    Out o = segment(0, next);
    for (size_t i = 0; i < runs.size() && i < most; i++)
      o.sack.push_back({Seq(at(runs[i].first)), Seq(at(runs[i].second))});
    return o;
  }
  /// What the sender believes against what the receiver has; told: blocks of the ACK that it has just seen.
  void compare(const Out& told) {
    Tcb& t = const_cast<Tcb&>(s.tcb());
    for (TxSeg* p = t.tx.first(); p != nullptr && p->has(TxSeg::kSent); p = Treap<TxSeg>::next(p)) {
      const uint32_t from = p->seq.raw() - at(0), to = p->end().raw() - at(0);
      if (p->has(TxSeg::kSacked))
        for (uint32_t i = from; i < to; i++)
          ASSERT_TRUE(have[i]) << "marked, but the receiver does not have " << i;
      else
        for (const SackBlock& b : told.sack)
          ASSERT_FALSE(b.start <= p->seq && p->end() <= b.end)
              << "told of, but not marked: " << from;
    }
    const char* what = broken_tcb(t, static_cast<uint32_t>(s.conn().tx.size()), s.conn().timer_ns);
    ASSERT_EQ(what, nullptr) << what;
  }
  void talk(uint32_t total, const Offer& o) {
    open_with(o);
    uint32_t written = 0;
    for (int step = 0; next < total; step++) {
      ASSERT_LT(step, 200000) << "at " << next;
      if (written < total && rnd() % 4 == 0) {
        std::string data(std::min<uint32_t>(total - written, 1 + rnd() % 20000), 0);
        for (size_t i = 0; i < data.size(); i++)
          data[i] = byte(written + static_cast<uint32_t>(i));
        written += static_cast<uint32_t>(s.send(data));
      }
      ASSERT_NO_FATAL_FAILURE(collect());
      if (wire.empty() || rnd() % 16 == 0) {
        net.run((1 + rnd() % 30) * kMs);
        ASSERT_NO_FATAL_FAILURE(collect());
      }
      if (wire.empty()) continue;
      // Mostly the oldest, now and then a later one; some arrive twice, and some ACKs never do.
      const size_t i = rnd() % 5 == 0 ? rnd() % wire.size() : 0;
      const OnTheWay w = wire[i];
      if (rnd() % 30 != 0) wire.erase(wire.begin() + static_cast<std::ptrdiff_t>(i));
      const Out ack = arrives(w, o.ts ? 3 : 4);
      if (rnd() % 10 == 0) continue;
      send(ack);
      ASSERT_NO_FATAL_FAILURE(compare(o.sack ? ack : Out{}));
    }
    send(segment(0, next));
    EXPECT_EQ(s.tcb().snd_una, s.tcb().snd_nxt);
    EXPECT_EQ(s.tcb().packets_out + s.tcb().sacked_out + s.tcb().lost_out + s.tcb().retrans_out,
              0u);
  }
};

TEST_F(ABytewisePeer, NoLoss) {
  talk(600000, {.wscale = 7});
}

TEST_F(ABytewisePeer, SomeLoss) {
  loss_permille = 30;
  talk(600000, {.wscale = 7});
  EXPECT_GT(s.tcb().total_retrans, 0u);
}

TEST_F(ABytewisePeer, MuchLossWithTimestamps) {
  loss_permille = 150;
  talk(300000, {.ts = true, .wscale = 7});
  EXPECT_GT(s.tcb().total_retrans, 0u);
}

}  // namespace
}  // namespace atcp::test
