// SPDX-License-Identifier: GPL-2.0
//
// A listening socket (RFC 9293 3.10.7.2): its limits, its two queues, its ledger of SYNs, and what it
// does with a segment for which no request exists. Segments take no lock of the listener: half-open
// connections live in the established table and are only counted here; the accept queue alone has a
// lock.
#ifndef ATCP_LISTEN_LISTENER_H
#define ATCP_LISTEN_LISTENER_H

#include "base/atomic.h"
#include "conn/tcb.h"

namespace atcp {

/// What has become of a segment.
enum class Fate : uint8_t {
  Again,     ///< nothing yet: the entry is gone, look the 4-tuple up anew; pkt is the caller's
  Consumed,  ///< done with it
  Child,     ///< a connection took it (and counted it)
};

/// Every SYN that reaches the listener or one of its requests is counted in syns and in exactly one of
/// synacks, syn_dups and syn_drops. Atomic.
struct ListenLedger {
  uint64_t syns;          ///< without ACK and RST
  uint64_t synacks;       ///< first SYN-ACKs, cookies included
  uint64_t syn_dups;      ///< SYNs that repeated a request's
  uint64_t syn_drops;     ///< refused, whatever the reason
  uint64_t overflow_syn;  ///< of those: accept queue full
  uint64_t overflow_ack;  ///< third ACKs not honoured: accept queue full
  uint64_t accepted;      ///< handed to the program
};

/// Lives as long as the listening socket's storage: whoever has a reference to that, or is inside RCU
/// and found it, may use it.
struct Listener {
  ListenNode node;
  uint32_t closed;    ///< atomic; set after the node left its table
  uint32_t backlog;   ///< atomic; each queue may have one more than this
  uint32_t requests;  ///< atomic; half-open connections
  uint32_t young;     ///< atomic; of these, those whose SYN-ACK was sent only once
  uint32_t reserved;  ///< atomic; places taken in the accept queue: queued, or about to be
  uint32_t queued;    ///< atomic; connections in the accept queue. Accept lock to write
  uint32_t cookie_s;  ///< atomic; second of the last cookie; 0: never
  ListenLedger ledger;
  atcp_locks* accept_lock;  ///< one lock, for the queue, `queued` and `closed`
  Tcb* head;                ///< accept queue, linked by Tcb::accept_next. Accept lock
  Tcb* tail;                ///< valid if head is not nullptr. Accept lock
};

inline void tally(uint64_t& n) {
  __atomic_fetch_add(&n, 1, __ATOMIC_RELAXED);
}

/// As atcp_core_listen. Lock: conn.
atcp_err listener_start(Tcb& t, uint32_t backlog, uint32_t flags);
/// LISTEN to CLOSED: no segment finds the listener from here on, its requests vanish; connections that
/// wait in the accept queue stay for listener_accept. Lock: conn.
void listener_stop(Tcb& t);
/// First connection of the accept queue with the queue's reference, or nullptr. Lock: none needed.
Tcb* listener_accept(Tcb& t);
/// Free a listener nobody can see any more. The accept queue is empty. nullptr is fine.
void listener_free(Listener* l);

/// Take a place in the accept queue. False: it is full.
bool listener_reserve(Listener& l);
void listener_unreserve(Listener& l);
/// Put a connection in the reserved place; the queue's reference goes with it. False: the listener
/// has closed, and both are still the caller's.
bool listener_enqueue(Listener& l, Tcb& child);
/// Full for a SYN: one more would find no place.
bool listener_accept_full(const Listener& l);

/// A segment that found the listener and no entry of the established table. iss: the initial
/// sequence number to use if a TIME_WAIT entry stood there, else nullptr. The caller has a reference.
/// Context: inside RCU. Lock: none.
Fate listener_input(Ns& ns, Tcb& t, const atcp_tuple& tuple, const atcp_seg& seg, atcp_pkt* pkt,
                    Now now, const Seq* iss);

}  // namespace atcp

#endif  // ATCP_LISTEN_LISTENER_H
