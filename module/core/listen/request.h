// SPDX-License-Identifier: GPL-2.0
//
// A half-open passive connection (SYN_RECEIVED) before it is worth a socket: what the SYN said, what
// the SYN-ACK answered, and when to send that again. It lives in the established table; any CPU may
// work on it without a lock, and whoever takes it out of the table settles its accounts.
#ifndef ATCP_LISTEN_REQUEST_H
#define ATCP_LISTEN_REQUEST_H

#include "conn/small_entry.h"
#include "listen/listener.h"

namespace atcp {

/// What SYN and SYN-ACK agreed on. Constant once the SYN-ACK is sent, but for ts_recent.
struct Handshake {
  Seq iss;
  Seq irs;
  uint32_t ts_recent;  ///< atomic
  uint32_t ts_offset;
  uint32_t rcv_wnd;   ///< what the SYN-ACK offers
  uint16_t peer_wnd;  ///< window of the SYN, which is not scaled
  uint16_t peer_mss;  ///< MSS option of the SYN, or default_mss()
  uint16_t advmss;
  uint8_t snd_wscale;
  uint8_t rcv_wscale;
  bool ts_ok : 1;
  bool sack_ok : 1;
  bool wscale_ok : 1;
  bool ecn_ok : 1;
  bool fastopen_cookie : 1;  ///< the SYN-ACK brings one (RFC 7413)
};

struct Request : SmallEntry {
  atcp_conn* listener;  ///< referenced while the request is hashed; valid for RCU readers as well
  uint64_t synack_us;   ///< when the first SYN-ACK left
  atcp_syn*
      syn;  ///< atomic; the SYN's headers, if the listener wants them, until the accounts are settled
  atcp_kept_route*
      route;  ///< atomic; the way of the SYN-ACK, for the child, until it is made or the accounts are settled
  Handshake hs;
  uint32_t last_ack_ms;  ///< rate limit of answers; 0: none yet. Racy, see reply_allowed
  uint8_t timeouts;      ///< SYN-ACK timeouts so far; only the wheel writes it
  uint8_t retrans;       ///< atomic; SYN-ACKs sent again, whatever the cause; stops at 255
  uint8_t acked;         ///< the third ACK came and was put off; atomic
  uint8_t young;         ///< atomic; counted in the listener's young ones
};
static_assert(sizeof(Request) <= 128);  // a size of the kernel's allocator

/// The route that it keeps, which is the caller's from now on; nullptr: it has none, or somebody else took it. Context: any.
inline atcp_kept_route* request_take_route(Request& r) {
  if (load_relaxed(&r.route) == nullptr) return nullptr;
  return __atomic_exchange_n(&r.route, static_cast<atcp_kept_route*>(nullptr), __ATOMIC_ACQ_REL);
}

inline Request* as_request(Endpoint* e) {
  return static_cast<Request*>(static_cast<SmallEntry*>(e));
}

/// Fill in what depends on the SYN, the parameters and the listener (all but iss).
void negotiate(Ns& ns, const Tcb& listener, const atcp_tuple& tuple, const atcp_seg& syn,
               const atcp_route& route, Handshake* hs);
/// The SYN-ACK; tsval as it is to stand in the option; reuse and result as atcp_os_emit.
uint32_t send_synack(Ns& ns, const atcp_conn* listener, const atcp_tuple& tuple,
                     const Handshake& hs, uint32_t tsval, const atcp_reuse* reuse = nullptr);

/// Make, hash (in the place of old, if given; hash: the tuple's, in the established table) and arm a request for hs, and send its SYN-ACK, in the buffer of
/// the SYN if that can be: *syn is nullptr afterwards if it was tried.
/// ATCP_REASON_NONE, or why not;
/// LISTENER_CLOSED, REQUEST_SYN_DUP: look the 4-tuple up anew (and *syn is still there).
uint32_t request_start(Ns& ns, Tcb& listener, const atcp_tuple& tuple, uint32_t hash,
                       const Handshake& hs, TimeWait* old, const atcp_route& route, atcp_pkt** syn,
                       Now now);
/// Take it out of the table and settle its accounts. False: somebody else did. The caller has a reference
/// of its own, or is inside RCU.
bool request_remove(Ns& ns, Request& r);
/// The same, and those who watch are told why.
bool request_end(Ns& ns, Request& r, uint32_t reason);
/// The accounts alone: for a request whose place in the table a connection has taken.
void request_settle(Ns& ns, Request& r);

/// A copy for another listener, in nobody's sight but counted as that listener's. Takes over the caller's
/// reference to `heir`. nullptr: no memory. Context: inside RCU.
Request* request_copy(const Request& r, Tcb& heir);
/// Undo request_start's or request_copy's accounts of a request that was never in the table, and free it.
void request_discard(Ns& ns, Request& r);

/// A segment for a request. The caller has a reference and keeps it. Context: inside RCU.
Fate request_input(Ns& ns, Request& r, const atcp_seg& seg, atcp_pkt* pkt, Now now);
/// The wheel let go of the request, with its reference. Context: inside RCU.
void request_expired(Ns& ns, Request& r, Now now);
/// An ICMP error quoting the SYN-ACK. Context: inside RCU.
void request_icmp(Ns& ns, Request& r, atcp_icmp_kind kind, Seq seq);
/// All requests of a closed listener go: to other listeners of its group, or away. Context: process.
void requests_drop_all(Ns& ns, const atcp_conn* listener, Now now);

}  // namespace atcp

#endif  // ATCP_LISTEN_REQUEST_H
