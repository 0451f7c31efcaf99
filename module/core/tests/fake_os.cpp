// SPDX-License-Identifier: GPL-2.0
//
// The fake port's functions and its ledger. Nothing is simulated here beyond what atcp_os.h
// promises: segments leave through atcp_osns::wire, and who is on the other end is not known.
#include "tests/fake_os.h"

#include <gtest/gtest.h>

#include <linux/atcp.h>

#include <cstring>

#include "tests/unlock_hook.h"
#include "wire/segment.h"

struct atcp_locks {
  atcp_lock_class cls;
  uint32_t n;
  std::unique_ptr<std::mutex[]> locks;

  std::mutex& at(uint32_t i) {
    if (i >= n) abort();
    return locks[i];
  }
};

struct atcp_percpu {
  std::vector<uint64_t> n;
};

namespace atcp::test {
namespace {

FakeOs* g_os = nullptr;

struct HeldLock {
  atcp_locks* array;
  uint32_t i;
};
thread_local std::vector<HeldLock> t_held;
thread_local uint32_t t_rcu = 0;

std::pair<uint64_t, uint64_t> base_key(const atcp_tuple& t) {
  return {
      (static_cast<uint64_t>(number_of(t.laddr, t.family)) << 32) | number_of(t.raddr, t.family),
      (static_cast<uint64_t>(t.lport) << 16) | t.rport};
}

uint32_t truesize_of(size_t payload) {
  return 256 + static_cast<uint32_t>((payload + 511) & ~size_t{511});
}

constexpr size_t kCollapse = 4096;  ///< payload that rx_collapse puts into one packet

const char* mem_name(int kind) {
  switch (kind) {
    case ATCP_MEM_REQUEST:
      return "request";
    case ATCP_MEM_TIMEWAIT:
      return "TIME_WAIT entry";
    case ATCP_MEM_LISTENER:
      return "listener";
    case ATCP_MEM_BIND:
      return "bind bucket";
    case ATCP_MEM_OTHER:
      return "memory";
    default:
      return "table";
  }
}

}  // namespace

FakeOs::FakeOs() {
  if (g_os != nullptr) abort();  // one world at a time
  g_os = this;
  t_held.clear();
  t_rcu = 0;
}

FakeOs::~FakeOs() {
  quiesce();
  for (const std::string& what : audit())
    ADD_FAILURE() << "ledger: " << what;
  // What leaked is reported once; it must not reach the leak checker of the sanitizer too.
  for (auto& [p, a] : allocations_)
    free(p);
  for (FakePkt* p : packets_)
    delete p;
  for (const HeldLock& h : t_held)
    h.array->at(h.i).unlock();
  for (atcp_locks* l : lock_arrays_)
    delete l;
  for (atcp_percpu* p : percpu_)
    delete p;
  t_held.clear();
  t_rcu = 0;
  g_os = nullptr;
}

FakeOs& FakeOs::the() {
  if (g_os == nullptr) abort();
  return *g_os;
}

void FakeOs::complain(const std::string& what) {
  std::lock_guard guard(mutex_);
  complaints_.push_back(what);
}

std::vector<std::string> FakeOs::audit() {
  std::lock_guard guard(mutex_);
  std::vector<std::string> out = complaints_;
  for (const auto& [p, a] : allocations_)
    out.push_back(std::string("leaked ") + mem_name(a.kind) + " of " + std::to_string(a.bytes) +
                  " bytes");
  for (const FakePkt* p : packets_)
    out.push_back("leaked packet of " + std::to_string(p->data.size()) + " bytes, in place " +
                  std::to_string(static_cast<int>(p->where)));
  for (const HeldLock& h : t_held)
    out.push_back("lock of class " + std::to_string(h.array->cls) + " still held");
  for (const atcp_locks* l : lock_arrays_)
    out.push_back("leaked locks of class " + std::to_string(l->cls));
  if (!percpu_.empty()) out.push_back("leaked counts per CPU");
  if (kept_routes != 0)
    out.push_back("leaked " + std::to_string(kept_routes) + " routes of requests");
  if (t_rcu != 0) out.push_back("RCU read section not left");
  for (const auto& [id, c] : conns)
    out.push_back("leaked socket " + std::to_string(id) + " of " + c->ns->name + ", state " +
                  std::to_string(c->state) + ", references " + std::to_string(c->refs) +
                  (c->locked ? ", locked" : "") + (c->timer_ns != 0 ? ", timer armed" : ""));
  return out;
}

atcp_osns& FakeOs::add_ns(const std::string& name) {
  namespaces.push_back(std::make_unique<atcp_osns>());
  namespaces.back()->name = name;
  return *namespaces.back();
}

FakeConn& FakeOs::new_conn(atcp_osns& ns) {
  std::lock_guard guard(mutex_);
  auto c = std::make_unique<FakeConn>();
  c->ns = &ns;
  c->id = next_id_++;
  c->rcvbuf = ns.rcvbuf;
  c->sndbuf = ns.sndbuf;
  FakeConn& r = *c;
  conns[r.id] = std::move(c);
  return r;
}

FakePkt& FakeOs::new_pkt(Bytes data) {
  auto* p = new FakePkt;
  p->data = std::move(data);
  p->truesize = truesize_of(p->data.size());
  std::lock_guard guard(mutex_);
  packets_.insert(p);
  return *p;
}

void FakeOs::free_pkt(FakePkt& p) {
  std::lock_guard guard(mutex_);
  if (packets_.erase(&p) == 0) {
    complain("packet freed twice");
    return;
  }
  delete &p;
}

void FakeOs::lock(FakeConn& c) {
  if (c.locked) complain("socket locked twice");
  if (!t_held.empty()) complain("socket lock taken inside a table's lock");
  c.locked = true;
}

void FakeOs::unlock(FakeConn& c) {
  if (!c.locked) complain("socket unlocked that was not locked");
  c.locked = false;
  if (c.orphaned && c.closed && c.program_ref) {
    c.program_ref = false;
    put(c);
  }
}

void FakeOs::put(FakeConn& c) {
  if (__atomic_load_n(&c.refs, __ATOMIC_ACQUIRE) == 0) {
    complain("reference of a socket dropped too often");
    return;
  }
  if (__atomic_sub_fetch(&c.refs, 1u, __ATOMIC_ACQ_REL) != 0) return;
  std::lock_guard guard(mutex_);
  dead_.push_back(&c);
}

void FakeOs::quiesce() {
  if (t_rcu != 0 || !t_held.empty()) return;
  free_deferred();
  for (auto& ns : namespaces) {
    if (!__atomic_exchange_n(&ns->work, false, __ATOMIC_ACQ_REL)) continue;
    if (!ns_work || ns->core == nullptr) continue;
    Border border("ns_work");
    ns_work(ns->core);
  }
  free_deferred();
}

void FakeOs::free_deferred() {
  while (!dead_.empty() || !deferred_.empty()) {
    std::vector<FakeConn*> dead;
    std::vector<void*> memory;
    {
      std::lock_guard guard(mutex_);
      dead.swap(dead_);
      memory.swap(deferred_);
    }
    for (FakeConn* c : dead)
      destroy(*c);
    for (void* p : memory)
      free(p);
  }
}

void FakeOs::destroy(FakeConn& c) {
  if (c.locked) complain("socket freed while locked");
  if (c.timer_ns != 0) complain("socket freed with its timer armed");
  for (FakePkt* p : c.rx)
    free_pkt(*p);
  c.rx.clear();
  if (c.syn != nullptr) atcp_os_syn_put(c.syn);
  if (c.initialised && conn_fini) conn_fini(&c.conn);
  for (const uint64_t word : c.v6_words)
    if (word != 0 && !c.v6) complain("an IPv4 socket was written beyond its end");
  if (!c.tx.empty())
    complain("socket freed with " + std::to_string(c.tx.size()) + " pieces in its send queue");
  std::lock_guard guard(mutex_);
  conns.erase(c.id);
}

bool FakeOs::fails(Fault f) {
  std::lock_guard guard(mutex_);
  const int i = static_cast<int>(f);
  calls_[i]++;
  const bool scripted = (faults_[i] & 1) != 0;
  faults_[i] >>= 1;
  counted_++;
  const bool counted = counted_ == nth_ || (every_ != 0 && counted_ % every_ == 0);
  const bool yes =
      scripted || counted || always_[i] || (one_in_[i] != 0 && random() % one_in_[i] == 0);
  if (yes) injected_[i]++;
  return yes;
}

uint64_t FakeOs::random() {
  std::lock_guard guard(mutex_);
  // splitmix64: the same numbers in every run.
  uint64_t z = (random_ += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

void FakeOs::set_base(const atcp_tuple& sender, uint32_t iss) {
  bases_[base_key(sender)] = iss;
}

uint32_t FakeOs::base(const atcp_tuple& sender) const {
  auto it = bases_.find(base_key(sender));
  return it == bases_.end() ? 0 : it->second;
}

void FakeOs::emit(Emitted&& e) {
  Bytes hdr = e.hdr;
  hdr.insert(hdr.end(), e.data.begin(), e.data.end());
  const uint32_t reason = parse_segment(hdr.data(), static_cast<uint32_t>(e.hdr.size()),
                                        static_cast<uint32_t>(hdr.size()), &e.seg);
  if (reason != 0 || (e.seg.has & ATCP_OPT_MALFORMED) != 0)
    complain("core sent a malformed segment, reason " + std::to_string(reason));
  if ((e.seg.flags & ATCP_URG) != 0 && e.mss != 0 && e.data.size() > e.mss)
    complain("segmentation would repeat an urgent pointer");
  if ((e.seg.flags & ATCP_URG) == 0 && e.seg.urg != 0) complain("urgent pointer without URG");
  if (e.hdr.size() < 20 || e.hdr[16] != 0 || e.hdr[17] != 0)
    complain("core sent a header whose checksum field is not zero");
  if ((e.seg.flags & ATCP_SYN) != 0) set_base(e.tuple, e.seg.seq);
  e.text = describe(e);
  log.push_back(namespaces.size() > 1 ? e.from->name + ": " + e.text : e.text);
  if (e.from->wire)
    e.from->wire(std::move(e));
  else
    sent.push_back(std::move(e));
}

Border::Border(const char* what) : what_(what), rcu_(t_rcu) {}

Border::~Border() {
  if (!t_held.empty()) FakeOs::the().complain(std::string(what_) + " returned with a lock held");
  if (t_rcu != rcu_)
    FakeOs::the().complain(std::string(what_) + " returned in another RCU section");
}

/// The functions below, as a friend.
struct Port {
  static void must_be_locked(const FakeConn& c, const char* what) {
    if (!c.locked) the().complain(std::string(what) + " without the socket's lock");
  }
  static FakeOs& the() { return FakeOs::the(); }
  static void uncharge(FakePkt& p) {
    if (p.charged != nullptr && p.where == FakePkt::Where::SendQueue) {
      p.charged->wmem -= static_cast<uint32_t>(p.data.size());
      p.charged->tx.erase(&p);
    } else if (p.charged != nullptr) {
      p.charged->rmem -= p.truesize;
      if (p.where == FakePkt::Where::Held) p.charged->held -= p.truesize;
    }
    p.charged = nullptr;
  }
  static void* alloc(uint64_t bytes, int kind) {
    void* p = calloc(1, bytes);
    std::lock_guard guard(the().mutex_);
    the().allocations_[p] = {static_cast<uint32_t>(bytes), kind};
    return p;
  }
  static bool forget(void* p, int kind) {
    std::lock_guard guard(the().mutex_);
    auto it = the().allocations_.find(p);
    if (it == the().allocations_.end() || it->second.kind != kind) {
      the().complain("freed what was not allocated, or as another kind");
      return false;
    }
    the().allocations_.erase(it);
    return true;
  }
  static void told(const atcp_event* e, uint32_t old_state, uint32_t new_state) {
    Told t;
    t.event = *e;
    t.event.tuple = nullptr;
    if (e->tuple != nullptr)
      t.tuple = *e->tuple;
    else if (e->conn != nullptr)
      t.tuple = FakeConn::of(e->conn).tuple;
    if (e->conn != nullptr) t.id = FakeConn::of(e->conn).id;
    t.old_state = old_state;
    t.new_state = new_state;
    t.text = the().describe(t);
    std::lock_guard guard(the().mutex_);
    the().told.push_back(std::move(t));
  }
  static void defer(void* p) {
    std::lock_guard guard(the().mutex_);
    the().deferred_.push_back(p);
  }
  static atcp_locks* add_locks(uint32_t n, atcp_lock_class cls) {
    auto* l = new atcp_locks{cls, n, std::make_unique<std::mutex[]>(n)};
    std::lock_guard guard(the().mutex_);
    the().lock_arrays_.insert(l);
    return l;
  }
  static void free_locks(atcp_locks* l) {
    std::lock_guard guard(the().mutex_);
    if (the().lock_arrays_.erase(l) == 0)
      the().complain("locks freed twice");
    else
      delete l;
  }
  static atcp_percpu* add_percpu(uint32_t n) {
    auto* p = new atcp_percpu{std::vector<uint64_t>(n)};
    std::lock_guard guard(the().mutex_);
    the().percpu_.insert(p);
    return p;
  }
  static void free_percpu(atcp_percpu* p) {
    std::lock_guard guard(the().mutex_);
    if (the().percpu_.erase(p) == 0)
      the().complain("counts per CPU freed twice");
    else
      delete p;
  }
  static void set_timer(FakeConn& c, uint64_t deadline) {
    if (c.timer_ns == deadline) return;
    if (c.timer_ns != 0) the().timers.erase({c.timer_ns, c.id});
    const bool was = c.timer_ns != 0;
    c.timer_ns = deadline;
    if (deadline != 0) the().timers.insert({deadline, c.id});
    if (!was && deadline != 0) c.refs++;
    if (was && deadline == 0) the().put(c);
  }
  static void emit(Emitted&& e) { the().emit(std::move(e)); }
  static void count(std::vector<uint64_t>& v, uint32_t id, uint64_t n) {
    if (id < v.size())
      __atomic_fetch_add(&v[id], n, __ATOMIC_RELAXED);
    else
      the().complain("counted something out of range");
  }
};

}  // namespace atcp::test

using namespace atcp::test;

extern "C" {

void* atcp_os_alloc(uint32_t bytes, enum atcp_mem kind) {
  return Port::the().fails(Fault::Alloc) ? nullptr : Port::alloc(bytes, kind);
}

void atcp_os_free(void* p, enum atcp_mem kind) {
  if (Port::forget(p, kind)) free(p);
}

void atcp_os_free_rcu(void* p, struct atcp_rcu* rcu, enum atcp_mem kind) {
  memset(rcu, 0x5a, sizeof *rcu);  // the port's from now on
  if (Port::forget(p, kind)) Port::defer(p);
}

bool atcp_os_owner_get(void* owner) {
  auto* m = static_cast<FakeModule*>(owner);
  if (m->going) return false;
  m->refs++;
  return true;
}

void atcp_os_owner_put(void* owner) {
  auto* m = static_cast<FakeModule*>(owner);
  if (m->refs-- == 0) Port::the().complain("a module was let go of that nobody held");
}

void* atcp_os_table_alloc(uint64_t bytes) {
  return Port::the().fails(Fault::Table) ? nullptr : Port::alloc(bytes, -1);
}

void atcp_os_table_free(void* p) {
  if (Port::forget(p, -1)) free(p);
}

struct atcp_locks* atcp_os_locks_alloc(uint32_t n, enum atcp_lock_class cls) {
  return Port::the().fails(Fault::Locks) ? nullptr : Port::add_locks(n, cls);
}

void atcp_os_locks_free(struct atcp_locks* l) {
  Port::free_locks(l);
}

void atcp_os_lock(struct atcp_locks* l, uint32_t i) {
  for (const HeldLock& h : t_held)
    if (h.array->cls >= l->cls)
      Port::the().complain("lock of class " + std::to_string(l->cls) +
                           " taken inside one of class " + std::to_string(h.array->cls));
  for (const HeldLock& h : t_held)
    if (h.array == l && h.i == i) return;  // a deadlock: complained about above
  l->at(i).lock();
  t_held.push_back({l, i});
}

void atcp_os_unlock(struct atcp_locks* l, uint32_t i) {
  if (t_held.empty() || t_held.back().array != l || t_held.back().i != i) {
    Port::the().complain("unlocked what was not locked last");
    return;
  }
  t_held.pop_back();
  l->at(i).unlock();
  if (atcp::test::on_unlock) atcp::test::on_unlock();
}

void atcp_os_rcu_lock(void) {
  t_rcu++;
}

void atcp_os_rcu_unlock(void) {
  if (t_rcu == 0)
    Port::the().complain("left an RCU section that was not entered");
  else
    t_rcu--;
}

void atcp_os_rcu_wait(void) {
  if (t_rcu != 0) Port::the().complain("waited for RCU readers in an RCU section");
  if (!t_held.empty()) Port::the().complain("waited for RCU readers with a lock held");
}

void atcp_os_cond_resched(void) {
  if (t_rcu != 0) Port::the().complain("cond_resched in an RCU section");
  if (!t_held.empty()) Port::the().complain("cond_resched with a lock held");
  Port::the().resched++;
}

void atcp_os_random(void* buf, uint32_t bytes) {
  auto* out = static_cast<uint8_t*>(buf);
  for (uint32_t i = 0; i < bytes; i++)
    out[i] = static_cast<uint8_t>(Port::the().random());
}

void atcp_os_count(struct atcp_osns* ns, uint32_t id, uint32_t n) {
  Port::count(ns->counters, id, n);
}

void atcp_os_reason(struct atcp_osns* ns, uint32_t reason) {
  Port::count(ns->reasons, reason, 1);
}

void atcp_os_drop(struct atcp_osns* ns, struct atcp_conn* c, struct atcp_pkt* pkt,
                  uint32_t reason) {
  if (reason == ATCP_REASON_NONE) Port::the().complain("dropped for no reason");
  atcp_os_reason(ns, reason);
  if (pkt == nullptr) return;
  atcp_event e = {};
  e.kind = ATCP_EVENT_KIND_DROP;
  e.reason = reason;
  e.conn = c;
  if (atcp_os_event_wanted()) Port::told(&e, 0, 0);
  atcp_os_pkt_free(pkt, reason);
}

bool atcp_os_event_wanted(void) {
  return Port::the().watch;
}

void atcp_os_event(struct atcp_osns*, const struct atcp_event* e) {
  if (!Port::the().watch) Port::the().complain("an event that nobody wants");
  Port::told(e, 0, 0);
}

struct atcp_percpu* atcp_os_percpu_alloc(uint32_t n) {
  return Port::the().fails(Fault::Percpu) ? nullptr : Port::add_percpu(n);
}

void atcp_os_percpu_free(struct atcp_percpu* p) {
  Port::free_percpu(p);
}

void atcp_os_percpu_add(struct atcp_percpu* p, uint32_t i, int64_t n) {
  Port::count(p->n, i, static_cast<uint64_t>(n));
}

uint64_t atcp_os_percpu_sum(const struct atcp_percpu* p, uint32_t i) {
  return __atomic_load_n(&p->n.at(i), __ATOMIC_RELAXED);
}

void atcp_os_syn_flood(const struct atcp_conn* listener, bool cookies) {
  Port::the().floods.emplace_back(&FakeConn::of(listener), cookies);
}

void atcp_os_pacing(struct atcp_conn* c, uint64_t rate, bool own, struct atcp_pacing* out) {
  FakeConn& fc = FakeConn::of(c);
  Port::must_be_locked(fc, "pacing");
  fc.pacing_rate = std::min(rate, fc.max_pacing_rate);
  fc.pacing_own = own;
  *out = {fc.pacing_rate, fc.max_pacing_rate != ~0ull, fc.pacing_kept};
}

void atcp_os_conn_timer(struct atcp_conn* c, uint64_t deadline_ns) {
  Port::must_be_locked(FakeConn::of(c), "conn_timer");
  Port::set_timer(FakeConn::of(c), deadline_ns);
}

void atcp_os_ns_timer(struct atcp_osns* ns, uint64_t deadline_ns) {
  __atomic_store_n(&ns->timer_ns, deadline_ns, __ATOMIC_RELEASE);
}

void atcp_os_ns_work(struct atcp_osns* ns) {
  __atomic_store_n(&ns->work, true, __ATOMIC_RELEASE);
}

bool atcp_os_conn_tryget(struct atcp_conn* c) {
  if (Port::the().on_tryget) Port::the().on_tryget(FakeConn::of(c));
  uint32_t* refs = &FakeConn::of(c).refs;
  uint32_t v = __atomic_load_n(refs, __ATOMIC_RELAXED);
  do {
    if (v == 0) return false;
  } while (
      !__atomic_compare_exchange_n(refs, &v, v + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
  return true;
}

void atcp_os_conn_put(struct atcp_conn* c) {
  Port::the().put(FakeConn::of(c));
}

void atcp_os_conn_state(struct atcp_conn* c, uint32_t state) {
  Port::must_be_locked(FakeConn::of(c), "conn_state");
  atcp_event e = {};
  e.kind = ATCP_EVENT_KIND_STATE;
  e.conn = c;
  if (atcp_os_event_wanted()) Port::told(&e, FakeConn::of(c).state, state);
  FakeConn::of(c).state = state;
  if (state != ATCP_STATE_CLOSED)
    FakeConn::of(c).closed = false;  // a closed socket may be used once more
}

void atcp_os_conn_event(struct atcp_conn* c, uint32_t events) {
  FakeConn& fc = FakeConn::of(c);
  if (fc.state != ATCP_STATE_LISTEN) Port::must_be_locked(fc, "conn_event");
  fc.events |= events;
  fc.wakeups++;
  if ((events & ATCP_EV_URGENT) != 0) fc.sigurgs++;
  if ((events & ATCP_EV_STATE) != 0 && (events & ATCP_EV_WRITABLE) != 0) fc.sigios++;
  // A program that waits for room is not woken for a little of it.
  const bool room = (events & ATCP_EV_WRITABLE) != 0 && fc.wmem <= fc.sndbuf / 3 * 2 &&
                    (!fc.initialised || atcp_core_tx_below_lowat(c, true));
  if (room && Port::the().tx_room) Port::the().tx_room(c);
}

void atcp_os_conn_error(struct atcp_conn* c, enum atcp_err err) {
  Port::must_be_locked(FakeConn::of(c), "conn_error");
  FakeConn::of(c).error = err;
}

void atcp_os_conn_soft_error(struct atcp_conn* c, enum atcp_err err) {
  Port::must_be_locked(FakeConn::of(c), "conn_soft_error");
  FakeConn::of(c).soft_error = err;
}

void atcp_os_conn_rx_eof(struct atcp_conn* c) {
  Port::must_be_locked(FakeConn::of(c), "conn_rx_eof");
  FakeConn::of(c).eof = true;
}

void atcp_os_conn_closed(struct atcp_conn* c) {
  FakeConn& fc = FakeConn::of(c);
  Port::must_be_locked(fc, "conn_closed");
  if (fc.closed) Port::the().complain("conn_closed called twice");
  if (fc.timer_ns != 0) Port::the().complain("conn_closed with the timer armed");
  if (!fc.tx.empty()) Port::the().complain("conn_closed with pieces in the send queue");
  fc.closed = true;
  fc.events |= ATCP_EV_STATE;
}

struct atcp_record* atcp_os_record_begin(struct atcp_conn* c, uint32_t reason) {
  const FakeConn& fc = FakeConn::of(c);
  Port::must_be_locked(fc, "record_begin");
  if (fc.closed) Port::the().complain("record of a closed connection");
  if (reason == ATCP_REASON_NONE) Port::the().complain("record without a reason");
  if (!Port::the().keep_records) return nullptr;
  auto* r = new atcp_record;
  memset(static_cast<void*>(r), 0xa5, sizeof *r);  // what is not written shows
  return r;
}

void atcp_os_record(struct atcp_conn* c, struct atcp_record* r) {
  Port::must_be_locked(FakeConn::of(c), "record");
  Port::the().records.push_back(*r);
  delete r;
}

bool atcp_os_conn_orphaned(const struct atcp_conn* c) {
  return FakeConn::of(c).orphaned;
}

bool atcp_os_conn_same_path(const struct atcp_conn* a, const struct atcp_conn* b) {
  return FakeConn::of(a).device == FakeConn::of(b).device;
}

void atcp_os_rx_deliver(struct atcp_conn* c, struct atcp_pkt* pkt, uint32_t skip, uint32_t len) {
  FakeConn& fc = FakeConn::of(c);
  FakePkt& p = FakePkt::of(pkt);
  Port::must_be_locked(fc, "rx_deliver");
  if (skip > p.data.size() || len > p.data.size() - skip || len == 0) {
    Port::the().complain("rx_deliver of bytes that the packet does not have");
    Port::uncharge(p);
    Port::the().free_pkt(p);
    return;
  }
  if (fc.eof) Port::the().complain("rx_deliver after rx_eof");
  (p.where != FakePkt::Where::Held ? fc.rmem : fc.held) +=
      p.where != FakePkt::Where::Held ? p.truesize : 0 - p.truesize;
  p.charged = &fc;
  p.where = FakePkt::Where::ReceiveQueue;
  p.read = skip;
  p.end = skip + len;
  fc.rx.push_back(&p);
  fc.rx_bytes += len;
}

bool atcp_os_rx_reserve(struct atcp_conn* c, struct atcp_pkt* pkt, uint32_t freed) {
  FakeConn& fc = FakeConn::of(c);
  Port::must_be_locked(fc, "rx_reserve");
  if (FakePkt::of(pkt).where != FakePkt::Where::Core)
    Port::the().complain("rx_reserve for a packet that is charged already");
  const bool full = fc.ns->mem_level == ATCP_MEM_LEVEL_FULL;
  if (fc.rx.empty() || freed >= FakePkt::of(pkt).truesize) return true;
  return !(full || Port::the().fails(Fault::Reserve));
}

bool atcp_os_rx_hold(struct atcp_conn* c, struct atcp_pkt* pkt) {
  FakeConn& fc = FakeConn::of(c);
  FakePkt& p = FakePkt::of(pkt);
  Port::must_be_locked(fc, "rx_hold");
  if (Port::the().fails(Fault::Hold) || fc.rmem + p.truesize > fc.rcvbuf) return false;
  if (fc.ns->mem_level == ATCP_MEM_LEVEL_FULL) return false;
  fc.rmem += p.truesize;
  fc.held += p.truesize;
  p.charged = &fc;
  p.where = FakePkt::Where::Held;
  return true;
}

void atcp_os_pkt_free(struct atcp_pkt* pkt, uint32_t reason) {
  FakePkt& p = FakePkt::of(pkt);
  if (p.where == FakePkt::Where::SendQueue)
    Port::the().complain("pkt_free of a piece of a send queue");
  Port::the().dropped.push_back(reason);
  Port::uncharge(p);
  Port::the().free_pkt(p);
}

uint8_t atcp_os_pkt_byte(const struct atcp_pkt* pkt, uint32_t at) {
  const FakePkt& p = FakePkt::of(const_cast<atcp_pkt*>(pkt));
  if (at >= p.data.size()) Port::the().complain("pkt_byte outside the packet");
  return at < p.data.size() ? p.data[at] : 0;
}

bool atcp_os_rx_drop_first(struct atcp_conn* c) {
  FakeConn& fc = FakeConn::of(c);
  Port::must_be_locked(fc, "rx_drop_first");
  if (fc.rx.empty()) Port::the().complain("rx_drop_first of an empty queue");
  if (fc.rx.empty() || fc.oob_inline) return false;
  FakePkt& p = *fc.rx.front();
  fc.rx_bytes--;
  if (++p.read == p.end) {
    fc.rmem -= p.truesize;
    fc.rx.pop_front();
    Port::the().free_pkt(p);
  }
  return true;
}

void atcp_os_rx_space(const struct atcp_conn* c, struct atcp_rx_space* out) {
  const FakeConn& fc = FakeConn::of(c);
  if (fc.state != ATCP_STATE_LISTEN) Port::must_be_locked(fc, "rx_space");
  *out = {fc.rcvbuf, fc.rmem, fc.held, fc.rcvbuf_locked ? 1u : 0u, fc.ns->mem_level};
}

uint32_t atcp_os_rx_collapse(struct atcp_conn* c) {
  FakeConn& fc = FakeConn::of(c);
  Port::must_be_locked(fc, "rx_collapse");
  // Two neighbours at a time, of which both are small.
  uint32_t n = 0;
  for (size_t i = 0; i + 1 < fc.rx.size();) {
    FakePkt &a = *fc.rx[i], &b = *fc.rx[i + 1];
    if (a.end - a.read + b.end - b.read > kCollapse) {
      i++;
      continue;
    }
    Bytes both(a.data.begin() + a.read, a.data.begin() + a.end);
    both.insert(both.end(), b.data.begin() + b.read, b.data.begin() + b.end);
    fc.rmem -= a.truesize;
    a.data = both;
    a.read = 0;
    a.end = static_cast<uint32_t>(both.size());
    a.truesize = truesize_of(both.size());
    fc.rmem += a.truesize;
    fc.rx.erase(fc.rx.begin() + static_cast<long>(i) + 1);
    Port::uncharge(b);
    Port::the().free_pkt(b);
    n++;
  }
  return n;
}

void atcp_os_rx_set_limit(struct atcp_conn* c, uint32_t bytes) {
  FakeConn& fc = FakeConn::of(c);
  Port::must_be_locked(fc, "rx_set_limit");
  if (!fc.rcvbuf_locked && bytes > fc.rcvbuf) fc.rcvbuf = bytes;
}

int atcp_os_conn_emit(struct atcp_conn* c, const uint8_t* hdr, uint32_t hdr_len,
                      struct atcp_pkt* pkt, uint32_t len, uint32_t mss, uint32_t ecn) {
  FakeConn& fc = FakeConn::of(c);
  Port::must_be_locked(fc, "conn_emit");
  if (Port::the().fails(Fault::Emit)) return -1;
  if (20 + fc.ns->ip_options + hdr_len + std::min(len, mss) > fc.ns->mtu) return -1;  // EMSGSIZE
  Emitted e;
  e.from = fc.ns;
  e.tuple = fc.tuple;
  e.hdr.assign(hdr, hdr + hdr_len);
  memcpy(&e.tuple.lport, hdr, 2);
  memcpy(&e.tuple.rport, hdr + 2, 2);
  e.mss = mss;
  e.ecn = static_cast<uint8_t>(ecn);
  if (ecn > 3) Port::the().complain("conn_emit with no ECN codepoint: " + std::to_string(ecn));
  if (pkt != nullptr) {
    e.data = FakePkt::of(pkt).data;
    if (e.data.size() != len)
      Port::the().complain("conn_emit of " + std::to_string(len) + " bytes of a piece of " +
                           std::to_string(e.data.size()));
    if (len > mss && mss == 0) Port::the().complain("conn_emit without an MSS");
    if (len + hdr_len > 65515) Port::the().complain("conn_emit of more than an IP packet holds");
  }
  Port::emit(std::move(e));
  return 0;
}

uint32_t atcp_os_emit(struct atcp_osns* ns, const struct atcp_conn*, const struct atcp_tuple* t,
                      const uint8_t* hdr, uint32_t hdr_len, const struct atcp_reuse* reuse) {
  if (reuse != nullptr && reuse->pkt != nullptr) {
    if (FakePkt::of(reuse->pkt).where != FakePkt::Where::Core)
      Port::the().complain("emit in the buffer of a packet that is not the core's");
    Port::the().recycled++;
    Port::the().free_pkt(FakePkt::of(reuse->pkt));
  }
  if (reuse != nullptr && reuse->route != nullptr && reuse->route->port != ns)
    Port::the().complain("emit with a route of another namespace, or of none");
  if (Port::the().fails(Fault::Emit)) return Port::the().emit_refusal;
  Emitted e;
  e.from = ns;
  e.tuple = *t;
  e.hdr.assign(hdr, hdr + hdr_len);
  Port::emit(std::move(e));
  return 0;
}

struct atcp_pkt* atcp_os_tx_split(struct atcp_conn* c, struct atcp_pkt* pkt, uint32_t at,
                                  bool must) {
  FakeConn& fc = FakeConn::of(c);
  FakePkt& p = FakePkt::of(pkt);
  Port::must_be_locked(fc, "tx_split");
  if (at == 0 || at >= p.data.size()) Port::the().complain("tx_split outside the piece");
  if (Port::the().fails(Fault::Split) || (Port::the().spare_splits && !must)) return nullptr;
  FakePkt& rest = Port::the().new_pkt(Bytes(p.data.begin() + at, p.data.end()));
  p.data.resize(at);
  p.truesize = truesize_of(at);
  rest.where = FakePkt::Where::SendQueue;
  rest.charged = &fc;
  fc.tx.insert(&rest);
  return &rest.pkt;
}

bool atcp_os_tx_trim(struct atcp_conn* c, struct atcp_pkt* pkt, uint32_t bytes) {
  FakeConn& fc = FakeConn::of(c);
  FakePkt& p = FakePkt::of(pkt);
  Port::must_be_locked(fc, "tx_trim");
  if (bytes >= p.data.size()) Port::the().complain("tx_trim of a whole piece");
  if (Port::the().fails(Fault::Trim)) return false;
  p.data.erase(p.data.begin(), p.data.begin() + bytes);
  p.acked -= std::min(p.acked, bytes);
  fc.wmem -= bytes;
  return true;
}

void atcp_os_tx_acked(struct atcp_conn* c, struct atcp_pkt* pkt, uint32_t bytes) {
  FakePkt& p = FakePkt::of(pkt);
  Port::must_be_locked(FakeConn::of(c), "tx_acked");
  if (bytes < p.acked || bytes > p.data.size())
    Port::the().complain("tx_acked of " + std::to_string(bytes) + " bytes behind " +
                         std::to_string(p.acked) + " of " + std::to_string(p.data.size()));
  p.acked = bytes;
  if (bytes == p.data.size()) FakeConn::of(c).acked_whole++;
}

void atcp_os_tx_free(struct atcp_conn* c, struct atcp_pkt* pkt) {
  FakePkt& p = FakePkt::of(pkt);
  Port::must_be_locked(FakeConn::of(c), "tx_free");
  if (p.where != FakePkt::Where::SendQueue || p.charged != &FakeConn::of(c))
    Port::the().complain("tx_free of what is no piece of this send queue");
  Port::uncharge(p);
  Port::the().free_pkt(p);
}

bool atcp_os_tx_busy(const struct atcp_conn* c, const struct atcp_pkt*) {
  return FakeConn::of(c).tx_busy;
}

void atcp_os_tx_want(struct atcp_conn* c, uint32_t bytes) {
  FakeConn& fc = FakeConn::of(c);
  Port::must_be_locked(fc, "tx_want");
  if (!fc.sndbuf_locked && bytes > fc.sndbuf) fc.sndbuf = bytes;
}

bool atcp_os_conn_route(struct atcp_conn* c, struct atcp_route* out) {
  const FakeConn& fc = FakeConn::of(c);
  Port::must_be_locked(fc, "conn_route");
  if (Port::the().fails(Fault::Route)) return false;
  *out = {fc.ns->mtu, fc.ns->advmss, fc.ns->ip_options, fc.ns};
  return true;
}

uint32_t atcp_os_conn_mtu(struct atcp_conn* c) {
  Port::must_be_locked(FakeConn::of(c), "conn_mtu");
  return FakeConn::of(c).ns->mtu;
}

bool atcp_os_route(struct atcp_osns* ns, const struct atcp_conn*, const struct atcp_tuple*,
                   struct atcp_route* out) {
  if (Port::the().fails(Fault::Route)) return false;
  *out = {ns->mtu, ns->advmss, ns->ip_options, ns};
  return true;
}

void atcp_os_conn_route_suspect(struct atcp_conn* c) {
  Port::must_be_locked(FakeConn::of(c), "conn_route_suspect");
  FakeConn::of(c).route_suspects++;
}

struct atcp_conn* atcp_os_child_new(struct atcp_conn* listener, const struct atcp_tuple* t,
                                    struct atcp_kept_route* kept) {
  if (kept != nullptr) atcp_os_route_put(kept);
  if (Port::the().fails(Fault::Child)) return nullptr;
  FakeConn& parent = FakeConn::of(listener);
  FakeConn& child = Port::the().new_conn(*parent.ns);
  child.kept_route = kept != nullptr;
  child.v6 = parent.v6;
  child.tuple = *t;
  child.refs = 2;
  child.locked = true;
  child.initialised = true;  // the core does that before anything else
  child.rcvbuf = parent.rcvbuf;
  child.rcvbuf_locked = parent.rcvbuf_locked;
  child.save_syn = parent.save_syn;
  child.sndbuf = parent.sndbuf;
  child.sndbuf_locked = parent.sndbuf_locked;
  return &child.conn;
}

void atcp_os_child_done(struct atcp_conn* child) {
  FakeConn& fc = FakeConn::of(child);
  Port::the().unlock(fc);
  Port::the().put(fc);
}

void atcp_os_child_discard(struct atcp_conn* child) {
  FakeConn& fc = FakeConn::of(child);
  Port::the().unlock(fc);
  if (fc.refs != 2) Port::the().complain("child_discard of a socket that somebody else refers to");
  fc.program_ref = false;
  Port::the().put(fc);
  Port::the().put(fc);
}

}  // extern "C"
