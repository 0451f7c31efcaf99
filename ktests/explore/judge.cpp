// SPDX-License-Identifier: GPL-2.0
//
// The judgement of single states and of ends. That bytes are the right ones is seen where they are delivered
// (port.cpp); here only how many of them.
#include "explore/judge.h"

#include "conn/tcb.h"
#include "explore/actions.h"
#include "tests/tcb_invariants.h"

namespace atcp::explore {

void judge_state() {
  for (const Sock* s : g_world.socks) {
    if (s == nullptr || s->listener) continue;
    const char who = static_cast<char>('A' + s->ns->side);
    const Tcb& t = *tcb_of(&s->conn);
    if (s->locked) broken("a socket of %c is still locked", who);
    if (static_cast<uint32_t>(t.state) != s->state) broken("%c's port knows another state", who);
    if (const char* what = test::broken_tcb(t, s->pieces, s->timer_ns))
      broken("of %c's connection, in %s, this does not hold: %s", who, state_name(t.state), what);
    const Program& peer = g_world.program[1 - s->ns->side];
    if (s->rx_total > peer.written) broken("%c got more than was written", who);
  }
}

namespace {

bool waits_for_nobody(const Scenario& s, uint32_t side) {
  const Op op = s.program[side][g_world.program[side].at].op;
  // A peer that failed or gave up before its connection was complete here never shows up in accept().
  const Program& peer = g_world.program[1 - side];
  return op == Op::Accept && (peer.aborted || peer.error != ATCP_OK || peer.dead || !s.reliable);
}

void judge_side(const Scenario& s, uint32_t side, bool excused) {
  const Program& p = g_world.program[side];
  const Program& peer = g_world.program[1 - side];
  const char who = static_cast<char>('A' + side);
  if (s.program[side][p.at].op != Op::End && !waits_for_nobody(s, side))
    broken("%c's program waits for ever, at step %u", who, p.at);
  if (p.read > peer.written) broken("%c read more than was written", who);
  if (p.eof && p.read != peer.written && !peer.aborted)
    broken("%c read the end of the stream after %u of %u bytes", who, p.read, peer.written);
  if (excused) return;
  if (p.error != ATCP_OK) broken("%c was told of error %u for no good reason", who, p.error);
  if (p.dead) broken("%c's connection was gone for no good reason", who);
}

}  // namespace

void judge_end(const Scenario& s) {
  const World& w = g_world;
  const bool excused =
      !s.reliable || w.broken_promise || w.program[0].aborted || w.program[1].aborted;
  for (uint32_t side = 0; side < kSides; side++)
    judge_side(s, side, excused);
  for (const Sock* k : w.socks) {
    if (k == nullptr || k->listener) continue;
    broken("a socket of %c, in %s, is left without a timer", 'A' + k->ns->side,
           state_name(tcb_of(&k->conn)->state));
  }
  for (const atcp_osns& ns : w.ns)
    if (const uint32_t n = atcp_core_ns_entries(ns.core))
      broken("%u entries of %c are left without a timer", n, 'A' + ns.side);
  if (!g_broken.empty()) return;
  end();
  if (w.live_blocks != 0) broken("%u blocks of memory leaked", w.live_blocks);
}

std::string show(uint32_t side) {
  std::string out;
  for (const Sock* s : g_world.socks) {
    if (s == nullptr || s->ns->side != side || s->listener) continue;
    const Tcb& t = *tcb_of(&s->conn);
    char text[240];
    const auto rel = [](Seq a, Seq b) { return static_cast<int>(a - b); };
    snprintf(text, sizeof text, "%c: %s una=%d nxt=%d write=%d wnd=%u rcv_nxt=%d out=%u lost=%u",
             'A' + side, state_name(t.state), rel(t.snd_una, t.iss), rel(t.snd_nxt, t.iss),
             rel(t.write_seq, t.iss), t.snd_wnd, rel(t.rcv_nxt, t.irs), t.packets_out, t.lost_out);
    out += (out.empty() ? "" : "; ") + std::string(text);
    if (s->timer_ns != 0) {
      const auto ms =
          static_cast<long>(static_cast<int64_t>(s->timer_ns - g_world.now_ns) / 1000000);
      out += " timer in " + std::to_string(ms) + " ms";
    }
    if (s->error != ATCP_OK) out += " error " + std::to_string(s->error);
  }
  const atcp_osns& ns = g_world.ns[side];
  if (ns.core != nullptr)
    if (const uint32_t n = atcp_core_ns_entries(ns.core))
      out += std::string(out.empty() ? "" : "; ") + static_cast<char>('A' + side) + ": " +
             std::to_string(n) + " small entries";
  return out;
}

}  // namespace atcp::explore
