// SPDX-License-Identifier: GPL-2.0
//
// What is kept out of line of the events, because several sites tell of the same kind.
#include "conn/event.h"

namespace atcp {

void emit_event(Ns& ns, const atcp_event& e) {
  atcp_os_event(ns.os, &e);
}

void emit_request_event(Ns& ns, atcp_event_kind kind, const atcp_conn* c, const atcp_tuple& t,
                        uint32_t reason) {
  atcp_event e = {};
  e.kind = kind;
  e.reason = reason;
  e.tuple = &t;
  e.conn = c;
  atcp_os_event(ns.os, &e);
}

void emit_retransmit(const Tcb& t, atcp_retransmit_kind why, Seq seq, uint32_t len,
                     uint32_t flags) {
  atcp_event e = {};
  e.kind = ATCP_EVENT_KIND_RETRANSMIT;
  e.conn = t.conn();
  e.retransmit = why;
  e.seq = seq.raw();
  e.len = len;
  e.flags = flags;
  atcp_os_event(t.ns->os, &e);
}

}  // namespace atcp
