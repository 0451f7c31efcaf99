// SPDX-License-Identifier: GPL-2.0
//
// The one writer of the state, the table of transitions it obeys (RFC 9293 figure 5), and the end
// of a connection: whatever the cause, done() is how it is let go of.
#include "cc/registry.h"
#include "conn/tcb.h"

namespace atcp {

namespace {

constexpr uint32_t kStates = 12;

/// kNext[from]: states that may follow. CLOSED may follow every state.
constexpr uint32_t kNext[kStates] = {
    0,
    /* Established */ bit(State::FinWait1) | bit(State::CloseWait),
    /* SynSent     */ bit(State::SynReceived) | bit(State::Established),
    /* SynReceived */ bit(State::Established) | bit(State::FinWait1),
    /* FinWait1    */ bit(State::FinWait2) | bit(State::Closing) | bit(State::TimeWait),
    /* FinWait2    */ bit(State::TimeWait),
    /* TimeWait    */ 0,
    /* Closed      */ bit(State::Listen) | bit(State::SynSent) | bit(State::SynReceived),
    /* CloseWait   */ bit(State::LastAck),
    /* LastAck     */ 0,
    /* Listen      */ 0,
    /* Closing     */ bit(State::TimeWait),
};

constexpr const char* kNames[kStates] = {
    "?",         "ESTABLISHED", "SYN_SENT",   "SYN_RECEIVED", "FIN_WAIT_1", "FIN_WAIT_2",
    "TIME_WAIT", "CLOSED",      "CLOSE_WAIT", "LAST_ACK",     "LISTEN",     "CLOSING",
};

bool was_established(State s) {
  return in(s, bit(State::Established) | bit(State::CloseWait));
}

Counter abort_counter(uint32_t reason, bool* has) {
  *has = true;
  switch (reason) {
    case ATCP_REASON_ABORT_ON_DATA:
      return Counter::TCPAbortOnData;
    case ATCP_REASON_ABORT_ON_CLOSE:
      return Counter::TCPAbortOnClose;
    case ATCP_REASON_ABORT_ON_LINGER:
      return Counter::TCPAbortOnLinger;
    case ATCP_REASON_ABORT_ORPHANS:
      return Counter::TCPAbortOnMemory;
    case ATCP_REASON_TIMEOUT_SYN:
    case ATCP_REASON_TIMEOUT_RETRANSMIT:
    case ATCP_REASON_TIMEOUT_PROBE:
    case ATCP_REASON_TIMEOUT_KEEPALIVE:
    case ATCP_REASON_TIMEOUT_USER:
      return Counter::TCPAbortOnTimeout;
    default:
      *has = false;
      return Counter::EstabResets;
  }
}

}  // namespace

const char* state_name(State s) {
  return kNames[static_cast<uint32_t>(s)];
}

void tcb_init(Tcb& t, Ns& ns) {
  // RFC 5681 3.1; the initial window is that of RFC 6928.
  t.ns = &ns;
  t.kind = EntryKind::Conn;
  t.family = ATCP_AF_INET;
  t.state = State::Closed;
  t.reordering = ns.param(Param::Reordering);
  t.peer_mss = 536;
  t.mss = 536;
  t.scaling = 128;
  t.window_clamp = 0x3fffffff;
  t.cc.ssthresh = kSsthreshInfinite;
  t.cc.cwnd_clamp = ~0u;
  t.cc.cwnd = ns.param(Param::InitCwnd);
  t.cc_ops = &cc_get(ns.param(Param::CongestionControl));
  t.cc_ops->init(t.cc, 0);
  t.fin_node.seg.flags = TxSeg::kNoPkt | TxSeg::kFin;
}

void tcb_restart(Tcb& t) {
  const Tcb old = t;
  // Readers under RCU may still stand on the Endpoint, and neighbours in the bind bucket point at
  // `bind`: only what lies between them is cleared.
  auto* from = reinterpret_cast<uint8_t*>(static_cast<Endpoint*>(&t)) + sizeof(Endpoint);
  auto* to = reinterpret_cast<uint8_t*>(&t.bind);
  memset(from, 0, static_cast<size_t>(to - from));
  tcb_init(t, *old.ns);
  t.nodelay = old.nodelay;
  t.cork = old.cork;
  t.keepalive_on = old.keepalive_on;
  t.user_mss = old.user_mss;
  t.keep_idle_s = old.keep_idle_s;
  t.keep_intvl_s = old.keep_intvl_s;
  t.keep_count = old.keep_count;
  t.syn_retries_max = old.syn_retries_max;
  t.defer_accept = old.defer_accept;
  t.user_timeout_ms = old.user_timeout_ms;
  t.linger2_s = old.linger2_s;
  t.timewait_s = old.timewait_s;
  t.user_clamp = old.user_clamp;
  t.fastopen_connect = old.fastopen_connect;
  t.fastopen_no_cookie = old.fastopen_no_cookie;
  set_cc(t, *old.cc_ops, false, Now(0));
}

void set_cc(Tcb& t, const CcOps& ops, bool keep, Now now) {
  for (uint64_t& w : t.cc.priv)
    w = 0;
  t.cc_ops = &ops;
  t.cc.cwnd_cnt = 0;
  if (!keep) {
    t.cc.cwnd = t.param(Param::InitCwnd);
    t.cc.ssthresh = kSsthreshInfinite;
  }
  ops.init(t.cc, now.us);
}

bool set_state(Tcb& t, State to) {
  // RFC 9293 3.3.2, figure 5.
  const State from = t.state;
  if (from == to) return true;
  const bool allowed = to == State::Closed || in(to, kNext[static_cast<uint32_t>(from)]);
  if (!allowed) return false;
  if (to == State::Closed && was_established(from)) t.count(Counter::EstabResets);
  if (to == State::Closed && in(from, bit(State::SynSent) | bit(State::SynReceived)))
    t.count(Counter::AttemptFails);
  t.state = to;
  atcp_os_conn_state(t.conn(), static_cast<uint32_t>(to));
  return true;
}

void free_tx_queue(Tcb& t) {
  while (!t.tx.empty()) {
    TxSeg* s = t.tx.first();
    t.tx.remove(*s);
    if (atcp_pkt* pkt = s->pkt()) atcp_os_tx_free(t.conn(), pkt);
  }
  board_reset(t);
}

void done(Tcb& t, uint32_t reason, atcp_err err) {
  if (t.in_done) return;
  bool has = false;
  const Counter c = abort_counter(reason, &has);
  if (has) t.count(c);
  if (reason != ATCP_REASON_NONE) t.ns->reason(reason);
  t.ns->ehash.remove(t);
  fastopen_settle(t, 0);
  t.timers.cancel(t.conn());
  free_tx_queue(t);
  t.ofo.clear();
  set_state(t, State::Closed);
  t.syn_held = false;
  t.in_done = true;
  if (t.bind.bucket != nullptr &&
      ((t.bind.flags & ATCP_BIND_EXPLICIT_PORT) == 0 || atcp_os_conn_orphaned(t.conn())))
    t.ns->ports.unbind(t.bind);
  if (err != ATCP_OK) atcp_os_conn_error(t.conn(), err);
  atcp_os_conn_closed(t.conn());
}

void abort_with_reset(Tcb& t, uint32_t reason, atcp_err err, Now now) {
  // RFC 9293 3.10.5: every synchronised state but those whose FIN exchange is nearly over.
  if (in(t.state, kSynchronized)) send_reset(t, now);
  done(t, reason, err);
}

}  // namespace atcp
