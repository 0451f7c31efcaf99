// SPDX-License-Identifier: GPL-2.0
//
// Entries from programs: the life of a socket, the send queue, options. Each finds the Tcb in the
// port's storage and hands on; arguments were checked against the socket API by the port.
#include "abi/atcp_core.h"

#include "cc/registry.h"
#include "conn/tcb.h"
#include "listen/listener.h"

using namespace atcp;

// ---- life ----------------------------------------------------------------------------------

void atcp_core_conn_init(atcp_conn* c, atcp_ns* ns, bool v6) {
  tcb_init(*tcb_of(c), *reinterpret_cast<Ns*>(ns), v6);
}

void atcp_core_conn_fini(atcp_conn* c) {
  Tcb& t = *tcb_of(c);
  drop_cc(t);
  t.overrides.drop();
  if (t.bind.bucket != nullptr) t.ns->ports.unbind(t.bind);
  listener_free(t.listener);
  t.listener = nullptr;
  fastopen_free_queue(t.fastopen_queue);
  t.fastopen_queue = nullptr;
}

atcp_err atcp_core_bind(atcp_conn* c, uint16_t family, const atcp_ip* laddr, uint16_t* lport,
                        uint32_t flags, uint32_t uid) {
  Tcb& t = *tcb_of(c);
  if (!has_room(t, family) || t.state != State::Closed || t.bind.bucket != nullptr)
    return ATCP_ERR_INVALID;
  const ParamValues range = t.ns->params.all(Param::PortRange);
  const auto lo = static_cast<uint16_t>(range.v[0]);
  const auto hi = static_cast<uint16_t>(range.v[1]);
  const IpAddr addr(family, *laddr);
  const atcp_err err = t.ns->ports.bind(t.bind, addr, lport, flags, uid, lo, hi);
  if (err != ATCP_OK) return err;
  atcp_tuple own = {};
  own.family = family;
  own.laddr = *laddr;
  own.lport = *lport;
  set_tuple(t, own);
  return ATCP_OK;
}

void atcp_core_unbind(atcp_conn* c) {
  Tcb& t = *tcb_of(c);
  if (t.bind.bucket != nullptr) t.ns->ports.unbind(t.bind);
}

atcp_err atcp_core_listen(atcp_conn* c, uint32_t backlog, uint32_t flags, uint64_t now_ns) {
  return listener_start(*tcb_of(c), backlog, flags, Now(now_ns));
}

atcp_conn* atcp_core_accept(atcp_conn* c, uint64_t now_ns) {
  Tcb* child = listener_accept(*tcb_of(c), Now(now_ns));
  return child != nullptr ? child->conn() : nullptr;
}

atcp_err atcp_core_connect(atcp_conn* c, atcp_tuple* t, bool with_data, uint64_t now_ns) {
  return connect(*tcb_of(c), *t, with_data, Now(now_ns));
}

bool atcp_core_fastopen_enabled(const atcp_conn* c) {
  return (tcb_of(c)->param(Param::Fastopen) & kFastopenClient) != 0;
}

bool atcp_core_syn_held(const atcp_conn* c) {
  const Tcb& t = *tcb_of(c);
  return t.syn_held && t.state == State::SynSent;
}

void atcp_core_connect_go(atcp_conn* c, uint64_t now_ns) {
  connect_go(*tcb_of(c), Now(now_ns));
}

atcp_err atcp_core_shutdown(atcp_conn* c, uint64_t now_ns) {
  return shutdown_send(*tcb_of(c), Now(now_ns));
}

void atcp_core_shutdown_rx(atcp_conn* c) {
  tcb_of(c)->rx_closed = true;
}

void atcp_core_close(atcp_conn* c, uint32_t unread, bool linger0, uint64_t now_ns) {
  Tcb& t = *tcb_of(c);
  if (t.state == State::Listen)
    listener_stop(t, Now(now_ns));
  else
    close(t, unread, linger0, Now(now_ns));
  // Nobody is left who could use the port once more; the storage may live on for a while.
  if (t.state == State::Closed && t.bind.bucket != nullptr) t.ns->ports.unbind(t.bind);
}

void atcp_core_abort(atcp_conn* c, uint32_t reason, uint64_t now_ns) {
  Tcb& t = *tcb_of(c);
  if (t.state == State::Listen)
    listener_stop(t, Now(now_ns));
  else if (t.state != State::Closed)
    abort_with_reset(t, reason, ATCP_OK, Now(now_ns));
}

void atcp_core_forget(atcp_conn* c) {
  Tcb& t = *tcb_of(c);
  if (t.state != State::Closed) return;
  const uint32_t mss = t.mss;
  const uint32_t options = t.ts_ok && t.advmss > kTsOptionBytes ? kTsOptionBytes : 0;
  const auto advmss = static_cast<uint16_t>(t.advmss - options);
  const uint16_t pmtu = t.pmtu;
  tcb_restart(t);
  // As Linux: what is told of the path is of the last one until there is another.
  t.mss = mss;
  t.advmss = advmss;
  t.pmtu = pmtu;
}

uint32_t atcp_core_orphan_refused(const atcp_conn* c, uint32_t orphans, atcp_mem_level level) {
  const Tcb& t = *tcb_of(c);
  if (orphans > t.param(Param::MaxOrphans)) return ATCP_REASON_ABORT_ORPHANS;
  const bool holds = t.write_seq != t.snd_una + (t.fin_queued ? 1 : 0);
  return level == ATCP_MEM_LEVEL_FULL && holds ? ATCP_REASON_ABORT_MEMORY : ATCP_REASON_NONE;
}

// ---- send and receive queues ---------------------------------------------------------------

atcp_pkt* atcp_core_tx_tail(atcp_conn* c, uint32_t* len) {
  TxSeg* s = tcb_of(c)->tx.last();
  if (s == nullptr || s->has(TxSeg::kSent | TxSeg::kFin | TxSeg::kNoPkt)) return nullptr;
  // A SYN's data of which the peer took a part: the packet still holds that part.
  if (s->head != 0) return nullptr;
  *len = s->len;
  return s->pkt();
}

atcp_pkt* atcp_core_tx_last(atcp_conn* c) {
  TxSeg* s = tcb_of(c)->tx.last();
  return s == nullptr || s->has(TxSeg::kFin | TxSeg::kNoPkt) ? nullptr : s->pkt();
}

void atcp_core_tx_add(atcp_conn* c, atcp_pkt* pkt) {
  rate_check_app_limited(*tcb_of(c));
  Tcb& t = *tcb_of(c);
  TxSeg* s = tx_seg_of(pkt);
  s->seq = t.write_seq;
  t.tx.insert_after(*s, t.tx.last());
  if (t.send_head == nullptr) t.send_head = s;
}

uint32_t atcp_core_tx_end(const atcp_conn* c) {
  return tcb_of(c)->write_seq.raw();
}

void atcp_core_tx_grow(atcp_conn* c, uint32_t bytes) {
  Tcb& t = *tcb_of(c);
  t.life.blocked = false;
  t.tx.last()->len += bytes;
  t.write_seq += bytes;
}

bool atcp_core_tx_take_back(atcp_conn* c, atcp_pkt* pkt) {
  Tcb& t = *tcb_of(c);
  TxSeg* s = t.tx.last();
  if (s == nullptr || s->pkt() != pkt || s->has(TxSeg::kSent) || s->seq_len() != 0) return false;
  t.tx.remove(*s);
  if (t.send_head == s) t.send_head = nullptr;
  return true;
}

void atcp_core_tx_push(atcp_conn* c, bool more, uint64_t now_ns) {
  push(*tcb_of(c), more, Now(now_ns));
}

void atcp_core_tx_blocked(atcp_conn* c, uint64_t now_ns) {
  tcb_of(c)->life.blocked = true;
  limits_update(*tcb_of(c), Now(now_ns));
}

void atcp_core_tx_room(atcp_conn* c) {
  tcb_of(c)->life.blocked = false;
}

uint32_t atcp_core_tx_size_goal(const atcp_conn* c) {
  const Tcb& t = *tcb_of(c);
  return max_piece(send_mss(t));
}

void atcp_core_tx_urgent(atcp_conn* c) {
  tcb_of(c)->urgent.mark(tcb_of(c)->write_seq);
}

bool atcp_core_all_acked(const atcp_conn* c) {
  const Tcb& t = *tcb_of(c);
  return t.state == State::Closed || t.write_seq == t.snd_una;
}

void atcp_core_rx_consumed(atcp_conn* c, uint32_t bytes, uint64_t now_ns) {
  consumed(*tcb_of(c), bytes, Now(now_ns));
}

atcp_urgent atcp_core_urgent(const atcp_conn* c, uint32_t* ahead) {
  const Tcb& t = *tcb_of(c);
  const atcp_urgent state = t.urgent.state();
  if (state != ATCP_URGENT_NONE) *ahead = bytes_between(t.copied_seq, t.urgent.octet());
  return state;
}

atcp_urgent atcp_core_urgent_take(atcp_conn* c, bool keep, uint8_t* byte) {
  return tcb_of(c)->urgent.take(keep, byte);
}

// ---- options -------------------------------------------------------------------------------

atcp_err atcp_core_set_option(atcp_conn* c, uint32_t opt, int32_t value, uint64_t now_ns) {
  return set_option(*tcb_of(c), opt, value, Now(now_ns));
}

atcp_err atcp_core_get_option(const atcp_conn* c, uint32_t opt, int32_t* value, uint64_t now_ns) {
  return get_option(*tcb_of(c), opt, value, Now(now_ns));
}

atcp_err atcp_core_set_fastopen_keys(atcp_conn* c, const uint8_t* keys, uint32_t n) {
  return fastopen_set_keys(*tcb_of(c), keys, n) ? ATCP_OK : ATCP_ERR_NO_MEMORY;
}

uint32_t atcp_core_get_fastopen_keys(const atcp_conn* c, uint8_t* keys) {
  atcp_os_rcu_lock();
  const FastopenKeys& k = fastopen_keys(*tcb_of(c));
  const uint32_t n = k.n;
  memcpy(keys, k.key, n * ATCP_FASTOPEN_KEY_BYTES);
  atcp_os_rcu_unlock();
  return n;
}

atcp_err atcp_core_set_cc(atcp_conn* c, const char* name, bool privileged, uint64_t now_ns) {
  atcp_os_rcu_lock();
  const int32_t i = cc_find(name);
  const atcp_err err = i < 0 ? ATCP_ERR_NOT_FOUND
                             : choose_cc(*tcb_of(c), static_cast<uint32_t>(i), privileged,
                                         ATCP_SOURCE_SETSOCKOPT, Now(now_ns));
  atcp_os_rcu_unlock();
  return err;
}

atcp_err atcp_core_conn_params_set(atcp_conn* c, const atcp_param_text* set, uint32_t n,
                                   uint32_t source, bool privileged, uint64_t now_ns,
                                   uint32_t* bad) {
  return set_socket_params(*tcb_of(c), set, n, static_cast<uint8_t>(source), privileged,
                           Now(now_ns), bad);
}

atcp_err atcp_core_conn_params_reset(atcp_conn* c, const uint32_t* which, uint32_t n,
                                     uint64_t now_ns, uint32_t* bad) {
  return reset_socket_params(*tcb_of(c), which, n, Now(now_ns), bad);
}

uint32_t atcp_core_conn_param_get(const atcp_conn* c, uint32_t i, uint32_t* source, char* buf,
                                  uint32_t size) {
  return format_socket_param(*tcb_of(c), i, source, buf, size);
}

atcp_err atcp_core_cc_add(const atcp_cc_ops* ops) {
  return cc_add(*ops);
}

void atcp_core_cc_remove(const atcp_cc_ops* ops) {
  cc_remove(*ops);
}

const char* atcp_core_get_cc(const atcp_conn* c) {
  return load_acquire(&tcb_of(c)->cc_ops)->name;
}

void atcp_core_ip_options(atcp_conn* c, uint32_t bytes) {
  Tcb& t = *tcb_of(c);
  t.ip_options = static_cast<uint16_t>(bytes);
  if (t.state != State::Closed && t.state != State::Listen) update_mss(t, t.pmtu);
}

uint32_t atcp_core_set_rcvlowat(atcp_conn* c, uint32_t bytes) {
  return set_rcvlowat(*tcb_of(c), bytes);
}

bool atcp_core_rx_scarce(const atcp_conn* c) {
  const Tcb& t = *tcb_of(c);
  return t.receive_window() <= t.rcv_mss;
}

void atcp_core_set_keepalive(atcp_conn* c, bool on, uint64_t now_ns) {
  Tcb& t = *tcb_of(c);
  t.keepalive_on = on;
  if (on)
    restart_keepalive(t, Now(now_ns));
  else
    t.timers.stop(TimerId::Keepalive);
  t.timers.sync(c);
}
