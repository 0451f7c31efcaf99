// SPDX-License-Identifier: GPL-2.0
//
// Segments that no connection sends: SYN-ACKs of requests, ACKs of requests and TIME_WAIT entries, and the
// reset that answers a segment which nobody wanted. All of them leave through here and are counted here.
#ifndef ATCP_CONN_REPLY_H
#define ATCP_CONN_REPLY_H

#include "conn/ns.h"
#include "wire/segment.h"

namespace atcp {

/// Send h (its ports are filled in from t). via: the listener whose IP options hold, or nullptr.
/// reuse, result: as atcp_os_emit.
uint32_t send_reply(Ns& ns, const atcp_conn* via, const atcp_tuple& t, Header& h,
                    const atcp_reuse* reuse = nullptr);
/// RFC 9293 3.10.7.1: the reset that answers seg; a reset is never answered.
void send_rst_for(Ns& ns, const atcp_conn* via, const atcp_tuple& t, const atcp_seg& seg,
                  uint32_t reason);

/// An answer that a peer could make us repeat without end may be given now: at most one per
/// invalid_ratelimit, data excepted (an ACK loop carries none). last_ms: 0 before the first
/// one; racing writers at worst allow one more. Counts `skipped` if not.
bool reply_allowed(Ns& ns, uint32_t& last_ms, const atcp_seg& seg, uint64_t now_us,
                   Counter skipped);

}  // namespace atcp

#endif  // ATCP_CONN_REPLY_H
