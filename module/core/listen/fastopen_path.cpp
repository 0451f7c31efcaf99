// SPDX-License-Identifier: GPL-2.0
//
// The order of questions is Linux's: is it enabled here, does the SYN want it, is there a place, and only
// then the cookie. A connection made from a SYN is in SYN_RECEIVED with a socket of its own: its SYN-ACK is
// repeated by its own timer, and the ACK that completes the handshake finds it like any connection.
#include "listen/fastopen_path.h"

namespace atcp {

namespace {

/// nullptr: the listener takes no early data.
FastopenQueue* queue_of(const Ns& ns, const Tcb& listener) {
  FastopenQueue* q = load_acquire(&listener.fastopen_queue);
  if (q == nullptr || load_relaxed(&q->most) == 0) return nullptr;
  return (ns.param(Param::Fastopen) & kFastopenServer) != 0 ? q : nullptr;
}

}  // namespace

bool fastopen_judge(Ns& ns, const Tcb& listener, const atcp_tuple& tuple, const atcp_seg& syn,
                    Now now, Handshake* hs) {
  // RFC 7413 4.2.
  const bool option = (syn.has & ATCP_OPT_FASTOPEN) != 0;
  const bool asks = option && syn.fastopen.len == 0;
  if (asks) ns.count(Counter::TCPFastOpenCookieReqd);
  FastopenQueue* q = queue_of(ns, listener);
  if (q == nullptr || (!option && syn.len == 0)) return false;
  const bool open = (ns.param(Param::Fastopen) & kFastopenServerNoCookie) != 0 && syn.len > 0;
  if (!option && !open) return false;
  hs->fastopen_cookie = option && !open;
  const uint32_t key = open ? 1 : fastopen_cookie_valid(fastopen_keys(listener), tuple, syn);
  if (key == 0) {
    if (!asks) ns.count(Counter::TCPFastOpenPassiveFail);
    return false;
  }
  if (!fastopen_admit(q, now)) {
    ns.count(Counter::TCPFastOpenListenOverflow);
    hs->fastopen_cookie = false;  // it has one
    return false;
  }
  // It has one, which is good for as long as the listener has its key.
  hs->fastopen_cookie = key > 1;
  return true;
}

void fastopen_give_back(Ns& ns, const Tcb& listener) {
  ns.count(Counter::TCPFastOpenPassiveFail);
  sub_fetch(&load_acquire(&listener.fastopen_queue)->pending, 1u);
}

void fastopen_begin(Tcb& c, Tcb& listener, const atcp_seg& syn, atcp_pkt* pkt, Now now) {
  // RFC 7413 4.2.2.
  // The caller has a reference, so there is another one to be had.
  if (atcp_os_conn_tryget(listener.conn()))
    c.fastopen_of = listener.conn();
  else
    fastopen_give_back(*c.ns, listener);
  c.count(Counter::TCPFastOpenPassive);
  if (c.fastopen_renew) c.count(Counter::TCPFastOpenPassiveAltKey);
  c.segs_in += syn.segs;
  c.retrans_stamp_us = now.us;
  atcp_seg rest = syn;
  rest.seq += 1;
  rest.flags = static_cast<uint8_t>(rest.flags & ~ATCP_SYN);
  const Seq before = c.rcv_nxt;
  receive_data(c, rest, pkt, now);
  c.syn_data_acked = c.rcv_nxt != before;
  c.rcv_wup = c.rcv_nxt;
  c.last_ack_sent = c.rcv_nxt;
  c.ack_now = false;
  send_syn(c, now);
  c.timers.set(TimerId::Retransmit, now.us + RttEstimator::kInitialRtoUs);
  c.timers.sync(c.conn());
}

}  // namespace atcp
