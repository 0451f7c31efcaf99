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
#include "conn/timewait.h"
#include "listen/ledger.h"

namespace atcp {

/// What has become of a segment.
enum class Fate : uint8_t {
  Again,     ///< nothing yet: the entry is gone, look the 4-tuple up anew; pkt is the caller's
  Consumed,  ///< done with it
  Child,     ///< a connection took it (and counted it)
};

/// Lives as long as the listening socket's storage: whoever has a reference to that, or is inside RCU
/// and found it, may use it. What every SYN reads comes first; what requests and connections write
/// lies in other cache lines.
struct Listener {
  ListenNode node;
  uint32_t closed;   ///< atomic; set after the node left its table
  uint32_t backlog;  ///< atomic; each queue may have one more than this
  Ledger ledger;
  atcp_locks* accept_lock;  ///< one lock: for the queue, its marks and `closed`
  uint32_t cookie_s;        ///< atomic; second of the last cookie; 0: never
  uint32_t flood_told;      ///< atomic; the administrator knows that the request queue overflows

  // ---- half-open connections, atomic
  uint32_t requests;
  uint32_t requests_high;  ///< most there ever were
  uint32_t young;          ///< of the requests those whose SYN-ACK was sent only once

  // ---- accept queue
  uint32_t reserved;          ///< atomic; places taken: queued, or about to be
  uint32_t queued;            ///< atomic; connections in the queue. Accept lock to write
  uint32_t queued_high;       ///< most there ever were. Accept lock
  Tcb* head;                  ///< linked by Tcb::accept_next. Accept lock
  Tcb* tail;                  ///< valid if head is not nullptr. Accept lock
  uint64_t crowded_ns;        ///< time above kCrowded before crowded_since_ns. Accept lock
  uint64_t crowded_since_ns;  ///< when the queue rose above kCrowded; 0: it is not. Accept lock
};
static_assert(__builtin_offsetof(Listener, requests) >= 64);

/// What the ledger calls a SYN, and what it calls a third ACK.
inline bool is_plain_syn(const atcp_seg& seg) {
  return (seg.flags & (ATCP_SYN | ATCP_ACK | ATCP_RST)) == ATCP_SYN;
}
inline bool is_third_ack(const atcp_seg& seg) {
  return (seg.flags & (ATCP_SYN | ATCP_ACK | ATCP_RST)) == ATCP_ACK;
}

/// As atcp_core_listen. Lock: conn.
atcp_err listener_start(Tcb& t, uint32_t backlog, uint32_t flags, Now now);
/// LISTEN to CLOSED: no segment finds the listener from here on. Its requests and the connections in its
/// accept queue go to other listeners of its group; without any, requests vanish and connections stay
/// for listener_accept. Lock: conn.
void listener_stop(Tcb& t, Now now);
/// First connection of the accept queue with the queue's reference, or nullptr. Lock: none needed.
Tcb* listener_accept(Tcb& t, Now now);
/// Free a listener nobody can see any more. The accept queue is empty. nullptr is fine.
void listener_free(Listener* l);

/// Take a place in the accept queue. False: it is full.
bool listener_reserve(Listener& l);
void listener_unreserve(Listener& l);
/// Put a connection in the reserved place; the queue's reference goes with it. False: the listener
/// has closed, and both are still the caller's.
bool listener_enqueue(Listener& l, Tcb& child, Now now);
/// First of the queue, which keeps the place reserved, or nullptr; and back to the queue's end, closed or
/// not.
Tcb* listener_take(Listener& l, Now now);
void listener_put_back(Listener& l, Tcb& child, Now now);
/// Full for a SYN: one more would find no place.
bool listener_accept_full(const Listener& l);

/// Count a request in; the caller has not hashed it yet.
void listener_count_request(Listener& l);
/// Out again.
void listener_uncount_request(Listener& l);
/// As atcp_core_listener_info.
void listener_info(Listener& l, atcp_listener_info* out, Now now);

/// A segment that found the listener and no entry of the established table; or, `old` given, a TIME_WAIT
/// entry whose place the SYN may take. hash: the tuple's, in that table. The caller has a reference. Context: inside RCU. Lock: none.
Fate listener_input(Ns& ns, Tcb& t, const atcp_tuple& tuple, uint32_t hash, const atcp_seg& seg,
                    atcp_pkt* pkt, Now now, const TwSyn* old);

}  // namespace atcp

#endif  // ATCP_LISTEN_LISTENER_H
