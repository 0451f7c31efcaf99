// SPDX-License-Identifier: GPL-2.0
//
// The port for tables under real threads: what of atcp_os.h the folders base and table need, with
// mutexes for spinlocks, liburcu's memory-barrier flavour for RCU, and malloc for memory. No packets, no
// sockets, no ledger: that is fake_os.h's business.
//
// liburcu is not compiled for ThreadSanitizer, so it cannot see that what readers did comes before the end of the
// grace period that waits for them. That one edge is told to it; everything else it finds out itself.
#ifndef ATCP_TESTS_STRESS_THREAD_OS_H
#define ATCP_TESTS_STRESS_THREAD_OS_H

#include <atomic>
#include <cstdint>

#include "abi/atcp_core.h"

/// The port's half of a namespace: what was asked for.
struct atcp_osns {
  std::atomic<bool> work{false};
  std::atomic<uint64_t> timer_ns{0};
};

/// What stands for a socket; the core sees only the first member.
struct ThreadConn {
  atcp_conn conn{};
  std::atomic<uint32_t> refs{1};

  static ThreadConn& of(atcp_conn* c) { return *reinterpret_cast<ThreadConn*>(c); }
};

/// How long each stress runs: ATCP_STRESS_SECONDS, or 4.
double stress_seconds();

/// Each thread that calls the core has one of these while it does.
class CoreThread {
 public:
  CoreThread();
  ~CoreThread();
  CoreThread(const CoreThread&) = delete;
  CoreThread& operator=(const CoreThread&) = delete;
};

/// Every n-th large allocation fails; 0: none.
void fail_tables(uint32_t every);
/// Wait until everything that was freed after a grace period is freed.
void drain_rcu();
/// Pieces of memory alive, tables included.
int64_t live_allocations();

#endif  // ATCP_TESTS_STRESS_THREAD_OS_H
