// SPDX-License-Identifier: GPL-2.0
//
// The program closes: RFC 9293 3.10.4 and 3.10.5 by a table of what each state becomes, the cases
// in which a close is a reset, and shutdown(SHUT_WR).
#include "conn/tcb.h"

namespace atcp {

namespace {

/// What a close does in each state.
struct CloseRow {
  State next;
  bool fin;  ///< a FIN is sent after what is queued
};

CloseRow close_row(State s) {
  switch (s) {
    case State::Established:
      return {State::FinWait1, true};
    case State::SynReceived:
      // The FIN waits for the handshake: until then it is the SYN that may have to be sent again.
      return {State::SynReceived, true};
    case State::CloseWait:
      return {State::LastAck, true};
    case State::SynSent:
    case State::Listen:
    case State::Closed:
      return {State::Closed, false};
    case State::FinWait1:
    case State::FinWait2:
    case State::Closing:
    case State::LastAck:
    case State::TimeWait:
      return {s, false};
  }
  return {s, false};
}

/// True if a FIN is now queued.
bool apply(Tcb& t, Now now) {
  const CloseRow row = close_row(t.state);
  if (!row.fin) return false;
  queue_fin(t);
  set_state(t, row.next, now);
  push(t, false, now);
  return true;
}

}  // namespace

atcp_err shutdown_send(Tcb& t, Now now) {
  if (!in(t.state, kSynchronized | bit(State::SynSent))) return ATCP_ERR_NOT_CONN;
  if (t.state == State::SynSent) {
    // As Linux: the FIN goes once the connection is there.
    t.fin_queued = false;
    done(t, ATCP_REASON_ABORT_BY_USER, ATCP_OK, now);
    return ATCP_OK;
  }
  apply(t, now);
  return ATCP_OK;
}

void start_fin_wait2(Tcb& t, Now now) {
  if (t.no_fin_wait2) {
    abort_with_reset(t, ATCP_REASON_ABORT_ON_LINGER, ATCP_OK, now);
    return;
  }
  const uint64_t s = t.param(Param::FinTimeout);
  t.timers.set(TimerId::FinWait2, now.us + s * 1000000);
}

void close(Tcb& t, uint32_t unread, bool linger0, Now now) {
  t.rx_closed = true;
  if (t.in_done || t.state == State::Closed || t.state == State::Listen) {
    if (!t.in_done) done(t, ATCP_REASON_NONE, ATCP_OK, now);
    return;
  }
  if (unread > 0 && t.state != State::SynSent) {
    // RFC 9293 3.6.1 (SHLD-3), RFC 2525 2.17: unread data is lost, and the peer must learn of it.
    abort_with_reset(t, ATCP_REASON_ABORT_ON_CLOSE, ATCP_OK, now);
    return;
  }
  if (linger0) {
    abort_with_reset(t, ATCP_REASON_ABORT_ON_LINGER, ATCP_OK, now);
    return;
  }
  if (t.state == State::SynSent) {
    done(t, ATCP_REASON_ABORT_BY_USER, ATCP_OK, now);
    return;
  }
  apply(t, now);
  if (t.in_done) return;
  // The program's half-close became a full one.
  if (t.state == State::FinWait2) start_fin_wait2(t, now);
  if (t.in_done) return;
  t.timers.stop(TimerId::Keepalive);
  t.timers.sync(t.conn());
}

}  // namespace atcp
