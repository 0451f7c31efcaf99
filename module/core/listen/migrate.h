// SPDX-License-Identifier: GPL-2.0
//
// A listener of a SO_REUSEPORT group closes and the others take over: half-open connections, and those
// that the program had not accepted. Their clients notice nothing. The heir of a connection is the one of
// the group that its 4-tuple would find now, were those that are full not there; listeners of another
// owner or address inherit nothing.
#ifndef ATCP_LISTEN_MIGRATE_H
#define ATCP_LISTEN_MIGRATE_H

#include "listen/request.h"

namespace atcp {

/// Put a copy of the request, for its listener's heir, in its place. False: there is no heir below its own
/// limit of half-open connections, or no memory, and nothing was changed. True: the request is not in
/// the table any more (perhaps by somebody else's doing): look its tuple up. The caller has a
/// reference. Context: inside RCU.
bool migrate_request(Ns& ns, Request& r, Now now);

/// Give a connection in nobody's accept queue to the heir of its listener, with the queue's reference.
/// False: no heir, or no place there. Context: inside RCU. Lock: none of any accept queue.
bool migrate_child(Ns& ns, const Tcb& from, Tcb& child, Now now);

/// Everything that waits in a closed listener's accept queue; what finds no place stays there. Context:
/// process. Lock: the listener's conn.
void migrate_children(Tcb& from, Now now);

/// The group answers for a closed listener's cookies. Context: process. Lock: the listener's conn.
void migrate_cookies(const Tcb& from);

}  // namespace atcp

#endif  // ATCP_LISTEN_MIGRATE_H
