// SPDX-License-Identifier: GPL-2.0
//
// The way of a connection without a request: a SYN answered with a cookie, and the ACK that brings
// the cookie back. The accounts, and what a refusal looks like on the wire, are the listener's.
#ifndef ATCP_LISTEN_COOKIE_PATH_H
#define ATCP_LISTEN_COOKIE_PATH_H

#include "listen/listener.h"

namespace atcp {

/// SYN-ACK without a request, in the buffer of the SYN if that can be. ATCP_REASON_NONE, or why none
/// left. Consumes pkt. Context: inside RCU, since route was looked up. Lock: none.
uint32_t cookie_answer(Ns& ns, Tcb& t, const atcp_tuple& tuple, const atcp_seg& seg,
                       const atcp_route& route, atcp_pkt* pkt, Now now);

/// An ACK for which no request exists: if it carries a cookie, a connection is made. *reason says why
/// not, and pkt is the caller's then. Context: inside RCU. Lock: none.
Fate cookie_input(Ns& ns, Tcb& t, const atcp_tuple& tuple, const atcp_seg& seg, atcp_pkt* pkt,
                  Now now, uint32_t* reason);

}  // namespace atcp

#endif  // ATCP_LISTEN_COOKIE_PATH_H
