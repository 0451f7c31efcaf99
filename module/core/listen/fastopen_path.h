// SPDX-License-Identifier: GPL-2.0
//
// Fast open at a listener (RFC 7413 4.2): which SYN becomes a connection at once, and which is given a
// cookie to do so next time.
#ifndef ATCP_LISTEN_FASTOPEN_PATH_H
#define ATCP_LISTEN_FASTOPEN_PATH_H

#include "listen/request.h"

namespace atcp {

/// Judge a SYN that would get a request. True: it has proved its address (or need not), and a place is taken
/// for the connection: make it, and call fastopen_begin(), or give the place back. False: a request as
/// ever; hs->fastopen_cookie says whether its SYN-ACK brings a cookie.
bool fastopen_judge(Ns& ns, const Tcb& listener, const atcp_tuple& tuple, const atcp_seg& syn,
                    Now now, Handshake* hs);
/// The place taken is not needed after all.
void fastopen_give_back(Ns& ns, const Tcb& listener);
/// c is filled, hashed and in the accept queue: take the SYN's data, send the SYN-ACK. Consumes pkt.
/// Lock: c.
void fastopen_begin(Tcb& c, Tcb& listener, const atcp_seg& syn, atcp_pkt* pkt, Now now);

}  // namespace atcp

#endif  // ATCP_LISTEN_FASTOPEN_PATH_H
