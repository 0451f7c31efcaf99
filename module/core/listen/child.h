// SPDX-License-Identifier: GPL-2.0
//
// From handshake to connection: the third ACK, of a request or with a cookie, becomes a socket in the
// accept queue.
#ifndef ATCP_LISTEN_CHILD_H
#define ATCP_LISTEN_CHILD_H

#include "listen/request.h"

namespace atcp {

enum class ChildResult : uint8_t {
  Made,        ///< the segment was consumed
  Overflow,    ///< accept queue full
  NoMemory,    ///< or no route
  Taken,       ///< somebody else took the 4-tuple: look it up anew
  NoListener,  ///< the listener is closing: look the 4-tuple up anew
};

/// A connection of the listener, for hs, in the place of `request` (nullptr: a cookie's, in a free
/// place), fed with the segment that completes the handshake, or (fastopen) with the SYN that began it. rtt_us: 0 if not known. pkt is consumed
/// only if the result is Made; the request is settled then, too. Context: softirq, inside RCU.
ChildResult make_child(Ns& ns, Tcb& listener, const atcp_tuple& tuple, const Handshake& hs,
                       Request* request, uint32_t rtt_us, const atcp_seg& seg, atcp_pkt* pkt,
                       Now now, bool fastopen = false);

}  // namespace atcp

#endif  // ATCP_LISTEN_CHILD_H
