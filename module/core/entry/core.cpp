// SPDX-License-Identifier: GPL-2.0
//
// Entries from the network and the clock: namespaces, segments, ICMP errors, timers. Thin: who owns a
// segment is decided here, what it means is not.
#include "abi/atcp_core.h"

#include "conn/reply.h"
#include "conn/timewait.h"
#include "listen/listener.h"
#include "listen/request.h"
#include "wire/segment.h"

using namespace atcp;

namespace {

Ns& ns_of(atcp_ns* ns) {
  return *reinterpret_cast<Ns*>(ns);
}

Endpoint& endpoint_of(atcp_found f) {
  return *static_cast<Endpoint*>(f.entry);
}

atcp_conn* conn_of(atcp_found f) {
  return static_cast<atcp_conn*>(f.entry);
}

/// RFC 9293 3.10.7.4: a SYN on a TIME_WAIT entry that may begin a new connection.
Fate reopen(Ns& ns, TimeWait& w, const atcp_tuple& t, uint32_t hash, const atcp_seg& seg,
            atcp_pkt* pkt, Now now, Seq iss) {
  ListenNode* n = ns.listeners.lookup(t);
  if (n == nullptr) {
    timewait_refuse_syn(ns, w, seg, pkt, now);
    return Fate::Consumed;
  }
  atcp_conn* conn = n->conn;
  const TwSyn old = {&w, iss};
  const Fate fate = listener_input(ns, *tcb_of(conn), t, hash, seg, pkt, now, &old);
  atcp_os_conn_put(conn);
  return fate;
}

/// A wheel node came due, with its reference.
void expire(Ns& ns, SmallEntry& e, Now now) {
  if (e.kind == EntryKind::Request)
    request_expired(ns, *as_request(&e), now);
  else
    timewait_expired(ns, *as_timewait(&e));
}

/// The namespace ends: whatever is left goes without a word.
void discard(Ns& ns, SmallEntry& e) {
  if (e.kind == EntryKind::Request)
    request_remove(ns, *as_request(&e));
  else
    timewait_remove(ns, *as_timewait(&e));
  put_endpoint(e);  // the wheel's
}

constexpr uint32_t kDiscardedPerTurn = 1024;

}  // namespace

// ---- namespaces ----------------------------------------------------------------------------

atcp_ns* atcp_core_ns_new(atcp_osns* os, uint32_t ehash_entries) {
  void* p = atcp_os_table_alloc(sizeof(Ns));
  if (p == nullptr) return nullptr;
  Ns* ns = new (p, Place{}) Ns{};
  if (!ns->init(os, ehash_entries)) {
    ns->fini();
    atcp_os_table_free(p);
    return nullptr;
  }
  return reinterpret_cast<atcp_ns*>(ns);
}

void atcp_core_ns_free(atcp_ns* handle) {
  Ns& ns = ns_of(handle);
  // Every request and TIME_WAIT entry is on the wheel, so nothing else needs to be walked.
  uint32_t gone = 0;
  ns.wheel.drain([&](WheelNode& n) {
    atcp_os_rcu_lock();
    discard(ns, small_entry_of(n));
    atcp_os_rcu_unlock();
    // max_tw_buckets may allow millions, whose memory waits for readers such as this one.
    if (++gone % kDiscardedPerTurn == 0) atcp_os_cond_resched();
  });
  ns.fini();
  atcp_os_table_free(&ns);
}

void atcp_core_ns_timer(atcp_ns* handle, uint64_t now_ns) {
  Ns& ns = ns_of(handle);
  const Now now(now_ns);
  atcp_os_rcu_lock();
  ns.wheel.run(now_ns, [&](WheelNode& n) { expire(ns, small_entry_of(n), now); });
  atcp_os_rcu_unlock();
}

void atcp_core_ns_work(atcp_ns* handle) {
  ns_of(handle).ehash.resize();
}

atcp_mem_level atcp_core_mem_level(atcp_ns* handle, uint64_t pages, atcp_mem_level was) {
  return reinterpret_cast<Ns*>(handle)->mem_level(pages, was);
}

uint32_t atcp_core_ns_entries(const atcp_ns* handle) {
  const Ns& ns = *reinterpret_cast<const Ns*>(handle);
  return load_relaxed(&ns.requests) + load_relaxed(&ns.timewaits);
}

// ---- receiving -----------------------------------------------------------------------------

uint32_t atcp_core_parse(const uint8_t* hdr, uint32_t avail, uint32_t total, atcp_seg* out) {
  return parse_segment(hdr, avail, total, out);
}

atcp_found atcp_core_lookup(atcp_ns* handle, const atcp_tuple* t) {
  Ns& ns = ns_of(handle);
  const uint32_t hash = ns.ehash.hash(*t);
  if (Endpoint* e = ns.ehash.lookup(*t, hash))
    return {e, static_cast<atcp_found_kind>(e->kind), hash};
  if (ListenNode* n = ns.listeners.lookup(*t)) return {n->conn, ATCP_FOUND_LISTENER, hash};
  return {nullptr, ATCP_FOUND_NONE, hash};
}

atcp_conn* atcp_core_listener_of(atcp_ns* handle, atcp_found f, const atcp_tuple* t) {
  if (f.kind == ATCP_FOUND_REQUEST) {
    // A reference that the request had, while it was hashed, and readers under RCU may look at.
    atcp_conn* c = as_request(&endpoint_of(f))->listener;
    if (atcp_os_conn_tryget(c)) return c;
  }
  ListenNode* n = ns_of(handle).listeners.lookup(*t);
  return n != nullptr ? n->conn : nullptr;
}

void atcp_core_put(atcp_found f) {
  switch (f.kind) {
    case ATCP_FOUND_NONE:
      return;
    case ATCP_FOUND_LISTENER:
      atcp_os_conn_put(conn_of(f));
      return;
    case ATCP_FOUND_CONN:
    case ATCP_FOUND_REQUEST:
    case ATCP_FOUND_TIMEWAIT:
      put_endpoint(endpoint_of(f));
      return;
  }
}

void atcp_core_conn_input(atcp_conn* c, const atcp_seg* seg, atcp_pkt* pkt, uint64_t now_ns) {
  input(*tcb_of(c), *seg, pkt, Now(now_ns));
}

bool atcp_core_input(atcp_ns* handle, atcp_found f, const atcp_tuple* t, const atcp_seg* seg,
                     atcp_pkt* pkt, uint64_t now_ns) {
  Ns& ns = ns_of(handle);
  const Now now(now_ns);
  Fate fate = Fate::Again;
  switch (f.kind) {
    case ATCP_FOUND_REQUEST:
      fate = request_input(ns, *as_request(&endpoint_of(f)), *seg, pkt, now);
      break;
    case ATCP_FOUND_TIMEWAIT: {
      TimeWait& w = *as_timewait(&endpoint_of(f));
      Seq iss;
      fate = Fate::Consumed;
      if (timewait_input(ns, w, *seg, pkt, now, &iss) == TwVerdict::Syn)
        fate = reopen(ns, w, *t, f.hash, *seg, pkt, now, iss);
      break;
    }
    case ATCP_FOUND_LISTENER:
      fate = listener_input(ns, *tcb_of(conn_of(f)), *t, f.hash, *seg, pkt, now, nullptr);
      break;
    case ATCP_FOUND_CONN:  // the port's to lock
    case ATCP_FOUND_NONE:
      break;
  }
  atcp_core_put(f);
  if (fate == Fate::Consumed) ns.count(Counter::InSegs, seg->segs);
  return fate != Fate::Again;
}

void atcp_core_no_socket(atcp_ns* handle, const atcp_tuple* t, const atcp_seg* seg, atcp_pkt* pkt) {
  Ns& ns = ns_of(handle);
  ns.count(Counter::InSegs, seg->segs);
  send_rst_for(ns, nullptr, *t, *seg, ATCP_REASON_NO_SOCKET);
  ns.drop(pkt, ATCP_REASON_NO_SOCKET);
}

void atcp_core_drop(atcp_ns* handle, atcp_conn* c, atcp_pkt* pkt, uint32_t reason) {
  Ns& ns = ns_of(handle);
  ns.count(Counter::InSegs);
  switch (reason) {
    case ATCP_REASON_CHECKSUM:
      ns.count(Counter::InCsumErrors);
      ns.count(Counter::InErrs);
      break;
    case ATCP_REASON_HDR_TRUNCATED:
    case ATCP_REASON_DATA_OFFSET:
      ns.count(Counter::InErrs);
      break;
    case ATCP_REASON_BACKLOG_FULL:
      ns.count(Counter::TCPBacklogDrop);
      break;
    default:
      break;
  }
  ns.drop(pkt, reason, c);
}

// ---- ICMP, timers --------------------------------------------------------------------------

void atcp_core_conn_icmp(atcp_conn* c, atcp_icmp_kind kind, uint32_t seq, uint32_t value,
                         uint64_t now_ns) {
  conn_icmp(*tcb_of(c), kind, Seq(seq), value, Now(now_ns));
}

bool atcp_core_icmp_ends(const atcp_conn* c) {
  return icmp_ends(*tcb_of(c));
}

void atcp_core_icmp(atcp_ns* handle, atcp_found f, atcp_icmp_kind kind, uint32_t seq, uint64_t) {
  Ns& ns = ns_of(handle);
  ns.count(Counter::IcmpErrors);
  if (f.kind == ATCP_FOUND_REQUEST)
    request_icmp(ns, *as_request(&endpoint_of(f)), kind, Seq(seq));
  else
    ns.reason(ATCP_REASON_ICMP_IGNORED);
  atcp_core_put(f);
}

void atcp_core_conn_tuple(const atcp_conn* c, atcp_tuple* out) {
  *out = tuple_of(*tcb_of(c));
}

void atcp_core_conn_timer(atcp_conn* c, uint64_t now_ns) {
  on_timer(*tcb_of(c), Now(now_ns));
}
