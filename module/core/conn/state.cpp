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
    case ATCP_REASON_ABORT_MEMORY:
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

/// Nobody uses it any more with that memory.
void drop(const CcOps* ops, void* more) {
  if (more != nullptr) atcp_os_free(more, ATCP_MEM_OTHER);
  if (ops != nullptr) cc_release(*ops);
}

}  // namespace

const char* state_name(State s) {
  return kNames[static_cast<uint32_t>(s)];
}

namespace {

void init_fields(Tcb& t, Ns& ns) {
  // RFC 5681 3.1; the initial window is that of RFC 6928.
  t.ns = &ns;
  t.kind = EntryKind::Conn;
  t.state = State::Closed;
  t.reordering = t.param(Param::Reordering);
  t.peer_mss = default_mss(ATCP_AF_INET);
  t.mss = default_mss(ATCP_AF_INET);
  t.scaling = 128;
  t.window_clamp = 0x3fffffff;
  t.cc.cwnd_clamp = ~0u;
  t.fin_node.seg.flags = TxSeg::kNoPkt | TxSeg::kFin;
}

}  // namespace

void tcb_init(Tcb& t, Ns& ns, bool v6) {
  t.family = v6 ? ATCP_AF_INET6 : ATCP_AF_INET;
  if (v6) {
    const auto* room = reinterpret_cast<const uint64_t*>(t.conn() + 1);
    t.v6_words = ATCP_CONN_WORDS;
    t.bind.v6_words =
        static_cast<uint8_t>(room + kV6Words - reinterpret_cast<const uint64_t*>(&t.bind));
  }
  init_fields(t, ns);
  // The default may be of a module that is gone, or want memory.
  atcp_os_rcu_lock();
  t.cc_source = static_cast<uint8_t>(ns.params.source(Param::CongestionControl));
  const CcOps* ops = cc_get(ns.param(Param::CongestionControl));
  if (ops == nullptr || !set_cc(t, *ops, false, Now(0))) set_cc(t, cc_default(), false, Now(0));
  atcp_os_rcu_unlock();
}

void tcb_restart(Tcb& t) {
  const Tcb old = t;
  // Readers under RCU may still stand on the Endpoint, and neighbours in the bind bucket point at
  // `bind`: only what lies between them is cleared, without the pointers that a dump follows.
  auto* from = reinterpret_cast<uint8_t*>(static_cast<Endpoint*>(&t)) + sizeof(Endpoint);
  const auto pointers = static_cast<size_t>(reinterpret_cast<uint8_t*>(&t.ns) - from);
  const auto end = static_cast<size_t>(reinterpret_cast<uint8_t*>(&t.bind) - from);
  const size_t rest = pointers + sizeof(t.ns) + sizeof(t.cc_ops) + sizeof(t.overrides);
  memset(from, 0, pointers);
  memset(from + rest, 0, end - rest);
  init_fields(t, *old.ns);
  t.nodelay = old.nodelay;
  t.cork = old.cork;
  t.keepalive_on = old.keepalive_on;
  t.user_mss = old.user_mss;
  t.no_fin_wait2 = old.no_fin_wait2;
  t.cc_source = old.cc_source;
  t.defer_accept = old.defer_accept;
  t.user_timeout_ms = old.user_timeout_ms;
  t.fastopen_connect = old.fastopen_connect;
  t.fastopen_no_cookie = old.fastopen_no_cookie;
  t.cc.more = old.cc.more;
  reset_cc(t, false, Now(0));
}

void drop_cc(Tcb& t) {
  drop(t.cc_ops, t.cc.more);
  t.cc.more = nullptr;
  t.cc_ops = nullptr;
}

bool set_cc(Tcb& t, const CcOps& ops, bool keep, Now now) {
  if (!cc_hold(ops)) return false;
  void* more = nullptr;
  if (ops.more_bytes != 0) {
    more = atcp_os_alloc(ops.more_bytes, ATCP_MEM_OTHER);
    if (more == nullptr) {
      cc_release(ops);
      return false;
    }
  }
  // What readers without the lock may still find must not go before they can no longer find it.
  const CcOps* old = t.cc_ops;
  void* old_more = t.cc.more;
  t.cc.more = more;
  store_release<const CcOps*>(&t.cc_ops, &ops);
  reset_cc(t, keep, now);
  const bool controlled = old != nullptr && old->control != nullptr && ops.control == nullptr;
  if (keep && controlled && in(t.ca_state, kReducingStates)) {
    // In the middle of a reduction that the old one did in its own way: from now on there is none to be done.
    t.cc.ssthresh = min(t.cc.ssthresh, max(t.cc.cwnd, 2u));
    t.prior_cwnd = t.cc.cwnd;
    t.prr_delivered = 0;
    t.prr_out = 0;
  }
  drop(old, old_more);
  return true;
}

void reset_cc(Tcb& t, bool keep, Now now) {
  const CcOps& ops = *t.cc_ops;
  if (t.cc.more != nullptr) memset(t.cc.more, 0, ops.more_bytes);
  for (uint64_t& w : t.cc.priv)
    w = 0;
  t.cc.pacing_rate = 0;
  t.cc.cwnd_cnt = 0;
  if (!keep) {
    t.cc.cwnd = t.param(Param::InitCwnd);
    t.cc.ssthresh = kSsthreshInfinite;
  }
  ops.init(t.cc, now.us);
}

bool set_state(Tcb& t, State to, Now now) {
  // RFC 9293 3.3.2, figure 5.
  const State from = t.state;
  if (from == to) return true;
  const bool allowed = to == State::Closed || in(to, kNext[static_cast<uint32_t>(from)]);
  if (!allowed) return false;
  if (to == State::Closed && was_established(from)) t.count(Counter::EstabResets);
  if (to == State::Closed && in(from, bit(State::SynSent) | bit(State::SynReceived)))
    t.count(Counter::AttemptFails);
  t.life.leave(static_cast<uint32_t>(from), now.us);
  t.state = to;
  if (to == State::Established) t.life.begin(false);
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

void done(Tcb& t, uint32_t reason, atcp_err err, Now now) {
  if (t.in_done) return;
  write_record(t, reason, now);
  t.life.end(now.us);
  bool has = false;
  const Counter c = abort_counter(reason, &has);
  if (has) t.count(c);
  if (reason != ATCP_REASON_NONE) t.ns->reason(reason);
  t.ns->ehash.remove(t);
  fastopen_settle(t, 0);
  t.timers.cancel(t.conn());
  free_tx_queue(t);
  t.ofo.clear();
  set_state(t, State::Closed, now);
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
  if (in(t.state, kSynchronized)) send_reset(t, reason, now);
  done(t, reason, err, now);
}

}  // namespace atcp
