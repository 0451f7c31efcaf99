// SPDX-License-Identifier: GPL-2.0
//
// How replies without a connection are built and counted; what is worth a reply is decided by
// whoever calls.
#include "conn/reply.h"

#include <linux/atcp.h>

#include "base/atomic.h"
#include "conn/event.h"
#include "conn/gate.h"

namespace atcp {

uint32_t send_reply(Ns& ns, const atcp_conn* via, const atcp_tuple& t, Header& h,
                    const atcp_reuse* reuse) {
  uint8_t bytes[kMaxHeader];

  h.lport = t.lport;
  h.rport = t.rport;
  const uint32_t n = write_header(h, bytes);
  const uint32_t refused = atcp_os_emit(ns.os, via, &t, bytes, n, reuse);
  if (refused != ATCP_REASON_NONE) return refused;
  ns.count(Counter::OutSegs);
  if ((h.flags & ATCP_RST) != 0) ns.count(Counter::OutRsts);
  return ATCP_REASON_NONE;
}

void send_rst_for(Ns& ns, const atcp_conn* via, const atcp_tuple& t, const atcp_seg& seg,
                  uint32_t reason) {
  // RFC 9293 3.10.7.1.
  if ((seg.flags & ATCP_RST) != 0) return;
  Header h;
  h.flags = ATCP_RST;
  if ((seg.flags & ATCP_ACK) != 0) {
    h.seq = Seq(seg.ack);
  } else {
    h.flags |= ATCP_ACK;
    h.ack = Seq(seg.seq) + seg_space(seg);
  }
  if (send_reply(ns, via, t, h) == ATCP_REASON_NONE)
    tell_reset_sent(ns, via, t, h.seq, h.flags, reason);
}

bool reply_allowed(Ns& ns, uint32_t& last_ms, const atcp_seg& seg, uint64_t now_us,
                   Counter skipped) {
  if (seg.len > 0 && (seg.flags & ATCP_SYN) == 0) return true;
  const uint32_t now_ms = static_cast<uint32_t>(now_us / 1000) | 1;  // never "none"
  const uint32_t last = load_relaxed(&last_ms);
  if (last != 0 && now_ms - last < ns.param(Param::InvalidRatelimitMs)) {
    ns.count(skipped);
    return false;
  }
  store_relaxed(&last_ms, now_ms);
  return true;
}

}  // namespace atcp
