// SPDX-License-Identifier: GPL-2.0
//
// The ledger's own test: each kind of leak and each broken rule is made on purpose, and the test
// that makes it must fail with the right words.
#include "tests/fake_os.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

namespace atcp::test {

TEST(FakeOs, CleanWorldPasses) {
  FakeOs os;
  atcp_osns& ns = os.add_ns("a");
  FakeConn& c = os.new_conn(ns);
  void* p = atcp_os_alloc(10, ATCP_MEM_OTHER);
  atcp_locks* l = atcp_os_locks_alloc(2, ATCP_LOCK_PORT);
  atcp_os_lock(l, 1);
  atcp_os_unlock(l, 1);
  atcp_os_locks_free(l);
  atcp_os_free(p, ATCP_MEM_OTHER);
  os.free_pkt(os.new_pkt({1, 2, 3}));
  os.put(c);
  os.quiesce();
  EXPECT_TRUE(os.audit().empty());
}

TEST(FakeOs, LeakedMemoryFails) {
  EXPECT_NONFATAL_FAILURE(
      {
        FakeOs os;
        (void)atcp_os_alloc(24, ATCP_MEM_BIND);
      },
      "leaked bind bucket of 24 bytes");
}

TEST(FakeOs, LeakedPacketFails) {
  EXPECT_NONFATAL_FAILURE(
      {
        FakeOs os;
        os.new_pkt({1, 2, 3});
      },
      "leaked packet of 3 bytes");
}

TEST(FakeOs, HeldLockFails) {
  FakeOs os;
  atcp_locks* l = atcp_os_locks_alloc(1, ATCP_LOCK_BUCKET);
  atcp_os_lock(l, 0);
  EXPECT_EQ(os.audit().at(0), "lock of class " + std::to_string(ATCP_LOCK_BUCKET) + " still held");
  atcp_os_unlock(l, 0);
  atcp_os_locks_free(l);
}

TEST(FakeOs, LockHeldAcrossTheBorderFails) {
  EXPECT_NONFATAL_FAILURE(
      {
        FakeOs os;
        atcp_locks* l = atcp_os_locks_alloc(1, ATCP_LOCK_BUCKET);
        {
          Border border("call");
          atcp_os_lock(l, 0);
        }
        atcp_os_unlock(l, 0);
        atcp_os_locks_free(l);
      },
      "call returned with a lock held");
}

TEST(FakeOs, LeakedReferenceFails) {
  EXPECT_NONFATAL_FAILURE(
      {
        FakeOs os;
        FakeConn& c = os.new_conn(os.add_ns("a"));
        atcp_os_rcu_lock();
        EXPECT_TRUE(atcp_os_conn_tryget(&c.conn));
        atcp_os_rcu_unlock();
        os.put(c);
      },
      "references 1");
}

TEST(FakeOs, ArmedTimerIsALeakedReference) {
  EXPECT_NONFATAL_FAILURE(
      {
        FakeOs os;
        FakeConn& c = os.new_conn(os.add_ns("a"));
        os.lock(c);
        atcp_os_conn_timer(&c.conn, 5);
        os.unlock(c);
        os.put(c);
      },
      "timer armed");
}

TEST(FakeOs, LockOrderFails) {
  EXPECT_NONFATAL_FAILURE(
      {
        FakeOs os;
        atcp_locks* outer = atcp_os_locks_alloc(1, ATCP_LOCK_BUCKET);
        atcp_locks* inner = atcp_os_locks_alloc(1, ATCP_LOCK_PORT);
        atcp_os_lock(outer, 0);
        atcp_os_lock(inner, 0);
        atcp_os_unlock(inner, 0);
        atcp_os_unlock(outer, 0);
        atcp_os_locks_free(inner);
        atcp_os_locks_free(outer);
      },
      "taken inside one of class");
}

TEST(FakeOs, RcuSectionNotLeftFails) {
  EXPECT_NONFATAL_FAILURE(
      {
        FakeOs os;
        atcp_os_rcu_lock();
      },
      "RCU read section not left");
}

TEST(FakeOs, UnlockedUseFails) {
  EXPECT_NONFATAL_FAILURE(
      {
        FakeOs os;
        FakeConn& c = os.new_conn(os.add_ns("a"));
        atcp_os_conn_error(&c.conn, ATCP_ERR_RESET);
        os.put(c);
      },
      "conn_error without the socket's lock");
}

TEST(FakeOs, MemoryWaitsForReaders) {
  struct Thing {
    atcp_rcu rcu;
    int value;
  };
  FakeOs os;
  auto* t = static_cast<Thing*>(atcp_os_alloc(sizeof(Thing), ATCP_MEM_OTHER));
  t->value = 7;
  atcp_os_rcu_lock();
  atcp_os_free_rcu(t, &t->rcu, ATCP_MEM_OTHER);
  os.quiesce();
  EXPECT_EQ(t->value, 7);  // the sanitizer watches
  atcp_os_rcu_unlock();
  os.quiesce();
}

TEST(FakeOs, FaultMaskCountsCalls) {
  FakeOs os;
  os.fail(Fault::Alloc, 0b101);
  EXPECT_EQ(atcp_os_alloc(1, ATCP_MEM_OTHER), nullptr);
  void* p = atcp_os_alloc(1, ATCP_MEM_OTHER);
  EXPECT_NE(p, nullptr);
  EXPECT_EQ(atcp_os_alloc(1, ATCP_MEM_OTHER), nullptr);
  atcp_os_free(p, ATCP_MEM_OTHER);
}

TEST(FakeOs, RandomIsTheSameInEveryRun) {
  uint64_t first = 0;
  for (int i = 0; i < 2; i++) {
    FakeOs os;
    uint64_t v = 0;
    atcp_os_random(&v, sizeof v);
    if (i == 0) first = v;
    EXPECT_EQ(v, first);
  }
}

}  // namespace atcp::test
