// SPDX-License-Identifier: GPL-2.0
//
// The functions of atcp_os.h for a world of virtual time. Payload is a number; nothing fails, and who breaks the rules of
// the border is found by the unit tests' port, not by this one.
#include "port.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "host.h"

struct atcp_locks {
  uint8_t nothing;
};

struct atcp_percpu {
  std::vector<uint64_t> n;
};

namespace atcp::sim {

namespace {

World* g_world = nullptr;
/// Stands for all arrays of locks.
atcp_locks g_locks;

}  // namespace

Conn& Conn::of(const atcp_conn* c) {
  // Conn has a base with virtual functions, so offsetof is only conditionally supported; g++ does.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
  auto* at = reinterpret_cast<uint8_t*>(const_cast<atcp_conn*>(c)) - offsetof(Conn, conn);
#pragma GCC diagnostic pop
  return *reinterpret_cast<Conn*>(at);
}

void Conn::fire() {
  timer_ref = false;  // the reference is ours now
  atcp_core_conn_timer(&conn, world->now());
  host->unlocked(*this);
  world->put(*this);
}

void NsAlarm::fire() {
  atcp_core_ns_timer(host->core(), host->world().now());
}

World::World(uint64_t seed) : core_random(seed, 1), seed_(seed) {
  if (g_world != nullptr) throw std::logic_error("two worlds at once");
  g_world = this;
}

World::~World() {
  g_world = nullptr;
}

World& World::the() {
  return *g_world;
}

void World::run(Nanos until) {
  while (events.step(until))
    settle();
}

void World::settle() {
  while (!ready.empty() || !dead.empty() || !deferred.empty() || !works.empty()) {
    for (size_t i = 0; i < ready.size(); i++) {
      Conn& c = *ready[i];
      c.is_ready = false;
      if (c.alive) c.host->tell(c);
    }
    ready.clear();
    std::vector<Conn*> gone;
    gone.swap(dead);
    for (Conn* c : gone) {
      events.set(*c, 0);
      c->alive = false;
      atcp_core_conn_fini(&c->conn);
    }
    for (void* p : deferred)
      free(p);
    deferred.clear();
    std::vector<atcp_osns*> asked;
    asked.swap(works);
    for (atcp_osns* ns : asked) {
      ns->work = false;
      atcp_core_ns_work(ns->host->core());
    }
  }
}

Conn& World::new_conn(Host& host) {
  conns.push_back(std::make_unique<Conn>());
  Conn& c = *conns.back();
  c.world = this;
  c.host = &host;
  c.rcvbuf = host.config().rcvbuf;
  c.sndbuf = host.config().sndbuf;
  return c;
}

void World::put(Conn& c) {
  if (--c.refs == 0) dead.push_back(&c);
}

}  // namespace atcp::sim

using namespace atcp::sim;

extern "C" {

void* atcp_os_alloc(uint32_t bytes, enum atcp_mem) {
  return calloc(1, bytes);
}

void atcp_os_free(void* p, enum atcp_mem) {
  free(p);
}

void atcp_os_free_rcu(void* p, struct atcp_rcu*, enum atcp_mem) {
  World::the().deferred.push_back(p);
}

void* atcp_os_table_alloc(uint64_t bytes) {
  return calloc(1, bytes);
}

void atcp_os_table_free(void* p) {
  free(p);
}

struct atcp_locks* atcp_os_locks_alloc(uint32_t, enum atcp_lock_class) {
  return &g_locks;
}

void atcp_os_locks_free(struct atcp_locks*) {}
void atcp_os_lock(struct atcp_locks*, uint32_t) {}
void atcp_os_unlock(struct atcp_locks*, uint32_t) {}
void atcp_os_rcu_lock(void) {}
void atcp_os_rcu_unlock(void) {}
void atcp_os_rcu_wait(void) {}
void atcp_os_cond_resched(void) {}

void atcp_os_random(void* buf, uint32_t bytes) {
  auto* out = static_cast<uint8_t*>(buf);
  for (uint32_t i = 0; i < bytes; i++)
    out[i] = static_cast<uint8_t>(World::the().core_random.bits());
}

bool atcp_os_owner_get(void*) {
  return true;
}

void atcp_os_owner_put(void*) {}

void atcp_os_count(struct atcp_osns* ns, uint32_t id, uint32_t n) {
  ns->counters[id] += n;
}

void atcp_os_reason(struct atcp_osns* ns, uint32_t reason) {
  ns->reasons[reason]++;
}

void atcp_os_drop(struct atcp_osns* ns, struct atcp_conn*, struct atcp_pkt* pkt, uint32_t reason) {
  atcp_os_reason(ns, reason);
  if (pkt != nullptr) atcp_os_pkt_free(pkt, reason);
}

bool atcp_os_event_wanted(void) {
  return false;
}

void atcp_os_event(struct atcp_osns*, const struct atcp_event*) {}

struct atcp_percpu* atcp_os_percpu_alloc(uint32_t n) {
  return new atcp_percpu{std::vector<uint64_t>(n)};
}

void atcp_os_percpu_free(struct atcp_percpu* p) {
  delete p;
}

void atcp_os_percpu_add(struct atcp_percpu* p, uint32_t i, int64_t n) {
  p->n[i] += static_cast<uint64_t>(n);
}

uint64_t atcp_os_percpu_sum(const struct atcp_percpu* p, uint32_t i) {
  return p->n[i];
}

void atcp_os_syn_flood(const struct atcp_conn*, bool) {}

void atcp_os_conn_timer(struct atcp_conn* c, uint64_t deadline_ns) {
  Conn& s = Conn::of(c);
  s.world->events.set(s, deadline_ns);
  if (!s.timer_ref && deadline_ns != 0) s.refs++;
  const bool drop = s.timer_ref && deadline_ns == 0;
  s.timer_ref = deadline_ns != 0;
  if (drop) s.world->put(s);
}

void atcp_os_ns_timer(struct atcp_osns* ns, uint64_t deadline_ns) {
  ns->world->events.set(ns->timer, deadline_ns);
}

void atcp_os_ns_work(struct atcp_osns* ns) {
  if (ns->work || ns->world->ending) return;
  ns->work = true;
  ns->world->works.push_back(ns);
}

bool atcp_os_conn_tryget(struct atcp_conn* c) {
  Conn& s = Conn::of(c);
  if (s.refs == 0) return false;
  s.refs++;
  return true;
}

void atcp_os_conn_put(struct atcp_conn* c) {
  World::the().put(Conn::of(c));
}

void atcp_os_conn_state(struct atcp_conn* c, uint32_t state) {
  Conn::of(c).state = state;
}

void atcp_os_conn_event(struct atcp_conn* c, uint32_t events) {
  Conn& s = Conn::of(c);
  s.events |= events;
  if ((events & ATCP_EV_WRITABLE) != 0 && s.wmem <= s.sndbuf / 3 * 2) atcp_core_tx_room(c);
  if (s.is_ready) return;
  s.is_ready = true;
  s.world->ready.push_back(&s);
}

void atcp_os_conn_error(struct atcp_conn* c, enum atcp_err err) {
  Conn::of(c).error = err;
}

void atcp_os_conn_soft_error(struct atcp_conn*, enum atcp_err) {}

void atcp_os_conn_rx_eof(struct atcp_conn* c) {
  Conn::of(c).eof = true;
}

void atcp_os_conn_closed(struct atcp_conn* c) {
  Conn::of(c).closed = true;
  atcp_os_conn_event(c, ATCP_EV_STATE);
}

struct atcp_record* atcp_os_record_begin(struct atcp_conn*, uint32_t) {
  return nullptr;
}

void atcp_os_record(struct atcp_conn*, struct atcp_record*) {}

bool atcp_os_conn_orphaned(const struct atcp_conn* c) {
  return Conn::of(c).orphaned;
}

bool atcp_os_conn_same_path(const struct atcp_conn*, const struct atcp_conn*) {
  return true;
}

void atcp_os_rx_deliver(struct atcp_conn* c, struct atcp_pkt* pkt, uint32_t, uint32_t len) {
  Conn& s = Conn::of(c);
  Packet& p = Packet::of(pkt);
  if (p.held)
    s.held -= p.truesize;
  else
    s.rmem += p.truesize;
  s.unread_memory += p.truesize;
  s.unread += len;
  s.world->pool.put(&p);
}

bool atcp_os_rx_reserve(struct atcp_conn*, struct atcp_pkt*, uint32_t) {
  return true;
}

bool atcp_os_rx_hold(struct atcp_conn* c, struct atcp_pkt* pkt) {
  Conn& s = Conn::of(c);
  Packet& p = Packet::of(pkt);
  if (s.rmem + p.truesize > s.rcvbuf) return false;
  s.rmem += p.truesize;
  s.held += p.truesize;
  p.held = true;
  // Nobody else needs to know whose it is, and the list's link is free while the core has the packet.
  p.next = reinterpret_cast<Packet*>(&s);
  return true;
}

void atcp_os_pkt_free(struct atcp_pkt* pkt, uint32_t) {
  Packet& p = Packet::of(pkt);
  if (p.held) {
    Conn& s = *reinterpret_cast<Conn*>(p.next);
    s.rmem -= p.truesize;
    s.held -= p.truesize;
  }
  World::the().pool.put(&p);
}

uint32_t atcp_os_rx_collapse(struct atcp_conn*) {
  return 0;
}

// Payload is only counted here, and nothing sent is urgent.
uint8_t atcp_os_pkt_byte(const struct atcp_pkt*, uint32_t) {
  return 0;
}

bool atcp_os_rx_drop_first(struct atcp_conn*) {
  return false;
}

void atcp_os_rx_space(const struct atcp_conn* c, struct atcp_rx_space* out) {
  const Conn& s = Conn::of(c);
  *out = {s.rcvbuf, s.rmem, s.held, s.rcvbuf_locked ? 1u : 0u, ATCP_MEM_LEVEL_OK};
}

void atcp_os_rx_set_limit(struct atcp_conn* c, uint32_t bytes) {
  Conn& s = Conn::of(c);
  if (!s.rcvbuf_locked && bytes > s.rcvbuf) s.rcvbuf = bytes;
}

int atcp_os_conn_emit(struct atcp_conn* c, const uint8_t* hdr, uint32_t hdr_len,
                      struct atcp_pkt* pkt, uint32_t len, uint32_t mss, uint32_t ecn) {
  Conn& s = Conn::of(c);
  s.host->emit(s.tuple, hdr, hdr_len, pkt != nullptr ? len : 0, mss, static_cast<uint8_t>(ecn & 3));
  return 0;
}

uint32_t atcp_os_emit(struct atcp_osns* ns, const struct atcp_conn*, const struct atcp_tuple* t,
                      const uint8_t* hdr, uint32_t hdr_len, const struct atcp_reuse* reuse) {
  if (reuse != nullptr && reuse->pkt != nullptr) ns->world->pool.put(&Packet::of(reuse->pkt));
  ns->host->emit(*t, hdr, hdr_len, 0, 0, kNotEct);
  return 0;
}

struct atcp_pkt* atcp_os_tx_split(struct atcp_conn*, struct atcp_pkt* pkt, uint32_t at, bool) {
  Packet& p = Packet::of(pkt);
  Packet* rest = World::the().pool.get();
  rest->len = p.len - at;
  p.len = at;
  return &rest->pkt;
}

bool atcp_os_tx_trim(struct atcp_conn* c, struct atcp_pkt* pkt, uint32_t bytes) {
  Packet::of(pkt).len -= bytes;
  Conn::of(c).wmem -= bytes;
  return true;
}

void atcp_os_tx_acked(struct atcp_conn*, struct atcp_pkt*, uint32_t) {}
void atcp_os_tx_free(struct atcp_conn* c, struct atcp_pkt* pkt) {
  Packet& p = Packet::of(pkt);
  Conn::of(c).wmem -= p.len;
  World::the().pool.put(&p);
}

void atcp_os_pacing(struct atcp_conn* c, uint64_t rate, bool own, struct atcp_pacing* out) {
  Conn::of(c).pacing_rate = rate;
  *out = {.rate = rate, .wanted = own, .kept = false};
}

bool atcp_os_tx_busy(const struct atcp_conn*, const struct atcp_pkt*) {
  return false;
}

void atcp_os_tx_want(struct atcp_conn* c, uint32_t bytes) {
  Conn& s = Conn::of(c);
  if (!s.sndbuf_locked && bytes > s.sndbuf) s.sndbuf = bytes;
}

bool atcp_os_conn_route(struct atcp_conn* c, struct atcp_route* out) {
  atcp_osns& ns = Conn::of(c).host->os();
  *out = {ns.mtu, ns.mtu - 40, 0, &ns};
  return true;
}

uint32_t atcp_os_conn_mtu(struct atcp_conn* c) {
  return Conn::of(c).host->os().mtu;
}

bool atcp_os_route(struct atcp_osns* ns, const struct atcp_conn*, const struct atcp_tuple*,
                   struct atcp_route* out) {
  *out = {ns->mtu, ns->mtu - 40, 0, ns};
  return true;
}

void atcp_os_conn_route_suspect(struct atcp_conn*) {}

struct atcp_kept_route* atcp_os_route_keep(const struct atcp_conn*, const struct atcp_route*) {
  return nullptr;
}
void atcp_os_route_put(struct atcp_kept_route*) {}

struct atcp_conn* atcp_os_child_new(struct atcp_conn* listener, const struct atcp_tuple* t,
                                    struct atcp_kept_route*) {
  Conn& parent = Conn::of(listener);
  Conn& child = parent.world->new_conn(*parent.host);
  child.tuple = *t;
  child.refs = 2;
  child.rcvbuf = parent.rcvbuf;
  child.rcvbuf_locked = parent.rcvbuf_locked;
  child.sndbuf = parent.sndbuf;
  child.sndbuf_locked = parent.sndbuf_locked;
  return &child.conn;
}

struct atcp_syn* atcp_os_syn_save(const struct atcp_conn*, const struct atcp_pkt*) {
  return nullptr;
}
bool atcp_os_syn_tryget(struct atcp_syn*) {
  return false;
}
void atcp_os_syn_put(struct atcp_syn*) {}
void atcp_os_child_syn(struct atcp_conn*, struct atcp_syn*) {}

void atcp_os_child_done(struct atcp_conn* child) {
  Conn& s = Conn::of(child);
  s.host->unlocked(s);
  s.world->put(s);
}

void atcp_os_child_discard(struct atcp_conn* child) {
  Conn& s = Conn::of(child);
  s.program_ref = false;
  s.world->put(s);
  s.world->put(s);
}

}  // extern "C"
