// SPDX-License-Identifier: GPL-2.0
//
// Events for those who watch: one function per kind, each of which asks first whether anybody does. They look at the
// connection and change nothing. State changes and drops have no function here: the port makes them.
#ifndef ATCP_CONN_EVENT_H
#define ATCP_CONN_EVENT_H

#include <linux/atcp.h>

#include "conn/tcb.h"

namespace atcp {

// With an event of its own in hand, whether anybody watches or not. Use what is below.
void emit_event(Ns& ns, const atcp_event& e);
void emit_request_event(Ns& ns, atcp_event_kind kind, const atcp_conn* c, const atcp_tuple& t,
                        uint32_t reason);
void emit_retransmit(const Tcb& t, atcp_retransmit_kind why, Seq seq, uint32_t len, uint32_t flags);

/// A reset left. c: the connection, the listener, or nullptr.
inline void tell_reset_sent(Ns& ns, const atcp_conn* c, const atcp_tuple& t, Seq seq,
                            uint32_t flags, uint32_t reason) {
  if (!atcp_os_event_wanted()) return;
  atcp_event e = {};
  e.kind = ATCP_EVENT_KIND_RESET_SENT;
  e.reason = reason;
  e.tuple = &t;
  e.conn = c;
  e.seq = seq.raw();
  e.flags = flags;
  emit_event(ns, e);
}

/// A reset was accepted: it ends what it was for.
inline void tell_reset_received(Ns& ns, const atcp_conn* c, const atcp_tuple& t,
                                const atcp_seg& seg, uint32_t reason) {
  if (!atcp_os_event_wanted()) return;
  atcp_event e = {};
  e.kind = ATCP_EVENT_KIND_RESET_RECEIVED;
  e.reason = reason;
  e.tuple = &t;
  e.conn = c;
  e.seq = seg.seq;
  e.len = seg.len;
  e.flags = seg.flags;
  emit_event(ns, e);
}

/// A segment was dropped whose packet had been used for the answer.
inline void tell_drop(Ns& ns, const atcp_conn* c, const atcp_tuple& t, const atcp_seg& seg,
                      uint32_t reason) {
  if (!atcp_os_event_wanted()) return;
  atcp_event e = {};
  e.kind = ATCP_EVENT_KIND_DROP;
  e.reason = reason;
  e.tuple = &t;
  e.conn = c;
  e.seq = seg.seq;
  e.len = seg.len;
  e.flags = seg.flags;
  emit_event(ns, e);
}

/// Something of a request or a SYN cookie. c: the connection made of it, else the listener.
inline void tell_request(Ns& ns, atcp_event_kind kind, const atcp_conn* c, const atcp_tuple& t,
                         uint32_t reason = ATCP_REASON_NONE) {
  if (atcp_os_event_wanted()) emit_request_event(ns, kind, c, t, reason);
}

/// A piece was sent again.
inline void tell_retransmit(const Tcb& t, atcp_retransmit_kind why, Seq seq, uint32_t len,
                            uint32_t flags) {
  if (atcp_os_event_wanted()) emit_retransmit(t, why, seq, len, flags);
}

/// The accept queue of a listener became full, or is no longer.
inline void tell_accept_queue(Ns& ns, atcp_event_kind kind, const atcp_conn* listener,
                              uint32_t queue, uint32_t limit) {
  if (!atcp_os_event_wanted()) return;
  atcp_event e = {};
  e.kind = kind;
  e.conn = listener;
  e.queue = queue;
  e.limit = limit;
  emit_event(ns, e);
}

/// Tells, when it goes out of scope, that cwnd, ssthresh or the state of congestion control is not what it was. Costs three loads
/// and three comparisons if nothing has changed. No pointer to it escapes, so it lives in registers.
class CwndWatch {
 public:
  explicit CwndWatch(const Tcb& t)
      : t_(t), cwnd_(t.cc.cwnd), ssthresh_(t.cc.ssthresh), ca_state_(t.ca_state) {}
  ~CwndWatch() {
    if (cwnd_ == t_.cc.cwnd && ssthresh_ == t_.cc.ssthresh && ca_state_ == t_.ca_state) return;
    if (!atcp_os_event_wanted()) return;
    atcp_event e = {};
    e.kind = ATCP_EVENT_KIND_CWND;
    e.conn = t_.conn();
    emit_event(*t_.ns, e);
  }
  CwndWatch(const CwndWatch&) = delete;
  CwndWatch& operator=(const CwndWatch&) = delete;

 private:
  const Tcb& t_;
  const uint32_t cwnd_, ssthresh_;
  const CaState ca_state_;
};

}  // namespace atcp

#endif  // ATCP_CONN_EVENT_H
