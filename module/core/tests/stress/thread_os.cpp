// SPDX-License-Identifier: GPL-2.0
//
// The functions of atcp_os.h for threads. Grace periods are liburcu's own.
#include "tests/stress/thread_os.h"

#include <urcu/urcu-memb.h>

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#else
// NOLINTBEGIN: the names are the sanitizer's
static void __tsan_acquire(void*) {}
static void __tsan_release(void*) {}
// NOLINTEND
#endif

struct atcp_locks {
  std::vector<std::mutex> lock;
  explicit atcp_locks(uint32_t n) : lock(n) {}
};

namespace {

char g_grace;  ///< stands for "readers left" in the eyes of ThreadSanitizer
std::atomic<int64_t> g_live{0};
std::atomic<uint64_t> g_pending{0};  ///< pieces of memory that wait for a grace period
std::atomic<uint32_t> g_fail_every{0};
std::atomic<uint32_t> g_tables{0};

/// What waits for a grace period.
struct Deferred {
  rcu_head head;  // first
  void* p;
};

void* get(size_t bytes) {
  void* p = calloc(1, bytes);
  if (p != nullptr) g_live++;
  return p;
}

void give_back(void* p) {
  if (p != nullptr) g_live--;
  free(p);
}

void end_of_grace(rcu_head* head) {
  __tsan_acquire(&g_grace);
  auto* d = reinterpret_cast<Deferred*>(head);
  give_back(d->p);
  delete d;
  g_pending--;
}

}  // namespace

double stress_seconds() {
  const char* s = getenv("ATCP_STRESS_SECONDS");
  return s != nullptr ? atof(s) : 4.0;
}

CoreThread::CoreThread() {
  urcu_memb_register_thread();
}

CoreThread::~CoreThread() {
  urcu_memb_unregister_thread();
}

void fail_tables(uint32_t every) {
  g_fail_every = every;
}

void drain_rcu() {
  // Not urcu_memb_barrier(): what it keeps to itself looks like a race to ThreadSanitizer.
  while (g_pending.load() != 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

int64_t live_allocations() {
  return g_live.load();
}

extern "C" {

void* atcp_os_alloc(uint32_t bytes, enum atcp_mem) {
  return get(bytes);
}

void atcp_os_free(void* p, enum atcp_mem) {
  give_back(p);
}

void atcp_os_free_rcu(void* p, struct atcp_rcu*, enum atcp_mem) {
  auto* d = new Deferred{{}, p};
  g_pending++;
  __tsan_release(&g_grace);
  urcu_memb_call_rcu(&d->head, end_of_grace);
}

void* atcp_os_table_alloc(uint64_t bytes) {
  const uint32_t every = g_fail_every.load();
  if (every != 0 && ++g_tables % every == 0) return nullptr;
  return get(bytes);
}

void atcp_os_table_free(void* p) {
  give_back(p);
}

struct atcp_locks* atcp_os_locks_alloc(uint32_t n, enum atcp_lock_class) {
  return new atcp_locks(n);
}

void atcp_os_locks_free(struct atcp_locks* l) {
  delete l;
}

void atcp_os_lock(struct atcp_locks* l, uint32_t i) {
  l->lock[i].lock();
}

void atcp_os_unlock(struct atcp_locks* l, uint32_t i) {
  l->lock[i].unlock();
}

void atcp_os_rcu_lock(void) {
  urcu_memb_read_lock();
}

void atcp_os_rcu_unlock(void) {
  __tsan_release(&g_grace);
  urcu_memb_read_unlock();
}

void atcp_os_rcu_wait(void) {
  urcu_memb_synchronize_rcu();
  __tsan_acquire(&g_grace);
}

void atcp_os_cond_resched(void) {}

void atcp_os_random(void* buf, uint32_t bytes) {
  static thread_local std::minstd_rand rng{7};
  auto* out = static_cast<uint8_t*>(buf);
  for (uint32_t i = 0; i < bytes; i++)
    out[i] = static_cast<uint8_t>(rng() >> 8);
}

bool atcp_os_owner_get(void*) {
  return true;
}

void atcp_os_owner_put(void*) {}

void atcp_os_count(struct atcp_osns*, uint32_t, uint32_t) {}

void atcp_os_ns_timer(struct atcp_osns* ns, uint64_t deadline_ns) {
  ns->timer_ns = deadline_ns;
}

void atcp_os_ns_work(struct atcp_osns* ns) {
  ns->work = true;
}

bool atcp_os_conn_tryget(struct atcp_conn* c) {
  std::atomic<uint32_t>& refs = ThreadConn::of(c).refs;
  uint32_t v = refs.load();
  while (v != 0)
    if (refs.compare_exchange_weak(v, v + 1)) return true;
  return false;
}

void atcp_os_conn_put(struct atcp_conn* c) {
  ThreadConn::of(c).refs--;
}

}  // extern "C"
