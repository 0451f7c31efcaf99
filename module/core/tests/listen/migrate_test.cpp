// SPDX-License-Identifier: GPL-2.0
//
// Listeners of a SO_REUSEPORT group close, and their clients must not notice; or, where nobody can take
// over, things must be as without migration. After each test the accounts of all listeners are zero.
#include "listen/migrate.h"

#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

class Migrate : public RawPeerTest {
 protected:
  Sock join(uint32_t backlog = 128) {
    Sock s = srv.socket();
    EXPECT_EQ(srv.try_listen(s, kPort, backlog, ATCP_BIND_REUSEPORT), ATCP_OK);
    return s;
  }
  /// The next peer port whose tuple this listener gets.
  uint16_t port_of(const Sock& s) {
    for (;; port_++) {
      Border b("lookup");
      atcp_os_rcu_lock();
      const ListenNode* n = srv.ns().listeners.lookup(tuple(port_));
      atcp_os_conn_put(n->conn);
      atcp_os_rcu_unlock();
      if (n->conn == &s.conn().conn) return port_++;
    }
  }
  static void expect_empty(const Sock& s) {
    const Listener& l = *s.tcb().listener;
    EXPECT_EQ(l.requests, 0u);
    EXPECT_EQ(l.young, 0u);
    EXPECT_EQ(l.reserved, 0u);
    EXPECT_EQ(l.queued, 0u);
  }
  void finish(uint16_t port, uint32_t iss) {
    send({.seq = kIrs + 1, .ack = iss + 1, .port = port});
    expect_silence();
  }

 private:
  uint16_t port_ = 6000;
};

TEST_F(Migrate, RequestGoesOnWithTheOther) {
  Sock a = join();
  Sock b = join();
  const uint16_t p = port_of(a);
  const uint32_t iss = half_open(p);
  a.close();
  EXPECT_EQ(found(p), ATCP_FOUND_REQUEST);
  EXPECT_EQ(ledger(b).requests, 1u);
  EXPECT_EQ(ledger(b).migrated_in, 1u);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 1u);
  EXPECT_EQ(srv.counter("TCPMigrateReqSuccess"), 1u);
  finish(p, iss);
  ASSERT_TRUE(b.accept().has_value());
  expect_empty(b);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
}

TEST_F(Migrate, NotToOneThatWouldNotHearThePeer) {
  Sock a = join();
  Sock b = join();
  b.conn().device = 1;
  const uint16_t p = port_of(a);
  half_open(p);
  open(port_of(a));
  a.close();
  EXPECT_EQ(found(p), ATCP_FOUND_LISTENER);  // b itself, and nothing before it
  EXPECT_EQ(ledger(b).migrated_in, 0u);
  EXPECT_EQ(ledger(b).accept_queue, 0u);
  EXPECT_EQ(srv.reason(ATCP_REASON_ABORT_LISTENER), 1u);
  expect_empty(b);
}

TEST_F(Migrate, RequestKeepsItsSchedule) {
  Sock a = join();
  Sock b = join();
  const uint16_t p = port_of(a);
  half_open(p);
  const uint64_t t0 = net.now();
  net.run(2 * kSec);
  a.close();
  EXPECT_EQ(ledger(b).requests, 1u);
  EXPECT_EQ(b.tcb().listener->young, 0u);
  std::vector<uint64_t> at;
  while (found(p) == ATCP_FOUND_REQUEST && net.now() - t0 < 100 * kSec) {
    replies.clear();
    net.run(100 * kMs);
    if (!replies.empty()) at.push_back((net.now() - t0) / kSec);
  }
  EXPECT_EQ(at, (std::vector<uint64_t>{3, 7, 15, 31}));
  EXPECT_EQ((net.now() - t0) / kSec, 63u);
  expect_empty(b);
}

TEST_F(Migrate, DuplicateSynFindsTheCopy) {
  Sock a = join();
  Sock b = join();
  const uint16_t p = port_of(a);
  const uint32_t iss = half_open(p);
  a.close();
  EXPECT_EQ(ask(syn(p)).seq, iss);
  EXPECT_EQ(ledger(b).syn_dups, 1u);
}

TEST_F(Migrate, UnacceptedConnectionsChangeQueues) {
  Sock a = join();
  Sock b = join();
  std::vector<uint16_t> ports;
  for (int i = 0; i < 3; i++) {
    ports.push_back(port_of(a));
    const uint32_t iss = open(ports.back());
    ask({.seq = kIrs + 1, .ack = iss + 1, .data = "before the move", .port = ports.back()});
  }
  b.conn().events = 0;
  replies.clear();
  a.close();
  expect_silence();
  EXPECT_TRUE((b.conn().events & ATCP_EV_READABLE) != 0);
  EXPECT_EQ(ledger(b).accept_queue, 3u);
  EXPECT_EQ(srv.reason(ATCP_REASON_ABORT_LISTENER), 0u);
  for (const uint16_t p : ports) {
    Sock c = *b.accept();
    EXPECT_EQ(c.tcb().rport, to_be16(p));
    EXPECT_EQ(c.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
    EXPECT_EQ(c.recv_text(), "before the move");
  }
  EXPECT_EQ(ledger(b).accepted, 3u);
  expect_empty(b);
}

TEST_F(Migrate, WhatFindsNoPlaceIsReset) {
  Sock a = join();
  Sock b = join(0);  // room for one
  const uint16_t p = port_of(a);
  const uint16_t q = port_of(a);
  open(p);
  const uint32_t iss = open(q);
  replies.clear();
  a.close();
  EXPECT_EQ(ledger(b).accept_queue, 1u);
  const atcp_seg s = reply();
  EXPECT_EQ(s.flags, ATCP_RST | ATCP_ACK);
  EXPECT_EQ(s.seq, iss + 1);
  EXPECT_EQ(srv.reason(ATCP_REASON_MIGRATE_FULL), 1u);
  EXPECT_EQ(srv.reason(ATCP_REASON_ABORT_LISTENER), 1u);
  EXPECT_EQ(srv.counter("TCPMigrateReqFailure"), 1u);
  EXPECT_EQ(srv.counter("TCPMigrateReqSuccess"), 1u);
  EXPECT_EQ(b.accept()->tcb().rport, to_be16(p));
  expect_empty(b);
}

TEST_F(Migrate, AFullHeirIsPassedOverForAnother) {
  Sock a = join();
  Sock b = join(0);  // room for one
  Sock c = join(0);
  Sock d = join(2);
  for (int i = 0; i < 6; i++)
    open(port_of(a));
  replies.clear();
  a.close();
  EXPECT_EQ(ledger(b).accept_queue, 1u);
  EXPECT_EQ(ledger(c).accept_queue, 1u);
  EXPECT_EQ(ledger(d).accept_queue, 3u);
  EXPECT_EQ(reply().flags, ATCP_RST | ATCP_ACK);  // the sixth
  EXPECT_EQ(srv.reason(ATCP_REASON_MIGRATE_FULL), 1u);
  EXPECT_EQ(srv.counter("TCPMigrateReqSuccess"), 5u);
  EXPECT_EQ(srv.counter("TCPMigrateReqFailure"), 1u);
}

TEST_F(Migrate, AnHeirTakesNoMoreRequestsThanItsOwnLimit) {
  Sock a = join();
  Sock b = join(0);
  Sock c = join(2);
  for (int i = 0; i < 6; i++)
    half_open(port_of(a));
  a.close();
  EXPECT_EQ(ledger(b).requests, 1u);
  EXPECT_EQ(ledger(c).requests, 3u);
  EXPECT_EQ(srv.counter("TCPMigrateReqFailure"), 2u);
  EXPECT_EQ(srv.reason(ATCP_REASON_MIGRATE_FULL), 2u);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 4u);
}

TEST_F(Migrate, AStrangersListenerIsNoHeirHoweverEmpty) {
  Sock a = join();
  Sock b = join(0);
  b.conn().device = 1;  // does not hear what a hears
  Sock c = join(0);
  open(port_of(a));
  open(port_of(a));
  replies.clear();
  a.close();
  EXPECT_EQ(ledger(b).accept_queue, 0u);
  EXPECT_EQ(ledger(c).accept_queue, 1u);
}

TEST_F(Migrate, ALongQueueOffersTheProcessor) {
  Sock a = join(1000);
  Sock b = join(1000);
  for (uint16_t p = 7000; p < 7600; p++)
    open(p);
  const uint64_t before = net.os.resched;
  const uint32_t mine = ledger(a).accept_queue;
  ASSERT_GT(mine, 200u);
  a.close();
  EXPECT_EQ(ledger(b).accept_queue, 600u);
  EXPECT_GE(net.os.resched - before, mine / 64);
}

TEST_F(Migrate, ParameterTurnsItOff) {
  srv.set("migrate_req", "0");
  Sock a = join();
  Sock b = join();
  const uint16_t p = port_of(a);
  const uint16_t q = port_of(a);
  half_open(p);
  open(q);
  replies.clear();
  a.close();
  EXPECT_EQ(reply().flags, ATCP_RST | ATCP_ACK);
  EXPECT_EQ(found(p), ATCP_FOUND_LISTENER);
  EXPECT_EQ(found(q), ATCP_FOUND_LISTENER);
  EXPECT_EQ(srv.reason(ATCP_REASON_LISTENER_CLOSED), 1u);
  EXPECT_EQ(srv.counter("TCPMigrateReqSuccess"), 0u);
  EXPECT_EQ(srv.counter("TCPMigrateReqFailure"), 0u);
  expect_empty(b);
}

TEST_F(Migrate, ListenerOfAnotherAddressInheritsNothing) {
  Sock a = srv.socket();
  const atcp_ip own = tuple().laddr;
  uint16_t lport = to_be16(kPort);
  net.os.lock(a.conn());
  ASSERT_EQ(atcp_core_bind(&a.conn().conn, net.family, &own, &lport,
                           ATCP_BIND_EXPLICIT_PORT | ATCP_BIND_REUSEPORT, 0),
            ATCP_OK);
  ASSERT_EQ(
      atcp_core_listen(&a.conn().conn, 8, ATCP_BIND_EXPLICIT_PORT | ATCP_BIND_REUSEPORT, net.now()),
      ATCP_OK);
  net.os.unlock(a.conn());
  Sock b = join();
  open(5000);
  ASSERT_EQ(ledger(a).accept_queue, 1u);
  a.close();
  EXPECT_EQ(reply().flags, ATCP_RST | ATCP_ACK);
  expect_empty(b);
}

TEST_F(Migrate, LastOfTheGroupResets) {
  Sock a = join();
  Sock b = join();
  const uint16_t p = port_of(a);
  open(p);
  a.close();
  expect_silence();
  b.close();
  EXPECT_EQ(reply().flags, ATCP_RST | ATCP_ACK);
}

/// abort() of a listener is what shutdown(2) and disconnect do.
TEST_F(Migrate, ShutdownOfTheListenerIsACloseToo) {
  Sock a = join();
  Sock b = join();
  const uint16_t p = port_of(a);
  const uint32_t iss = half_open(p);
  a.abort(ATCP_REASON_ABORT_BY_USER);
  expect_empty(a);
  finish(p, iss);
  EXPECT_TRUE(b.accept().has_value());
}

/// TCP_SAVE_SYN: the copy has it as well; what is left of the other's goes with it (the ledger would tell).
TEST_F(Migrate, TheSavedSynGoesAlong) {
  Sock a = join();
  Sock b = join();
  a.conn().save_syn = true;
  const uint16_t p = port_of(a);
  const uint32_t iss = half_open(p);
  a.close();
  finish(p, iss);
  const std::optional<Sock> c = b.accept();
  ASSERT_TRUE(c.has_value());
  EXPECT_NE(c->conn().syn, nullptr);
}

TEST_F(Migrate, NoMemoryForTheCopy) {
  Sock a = join();
  Sock b = join();
  const uint16_t p = port_of(a);
  half_open(p);
  net.os.fail(Fault::Alloc, 1);
  a.close();
  EXPECT_EQ(found(p), ATCP_FOUND_LISTENER);
  EXPECT_EQ(srv.counter("TCPMigrateReqFailure"), 1u);
  EXPECT_EQ(srv.reason(ATCP_REASON_LISTENER_CLOSED), 1u);
  expect_empty(b);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
}

/// The third ACK finds a request whose listener has closed but has not come to it yet: white-box.
TEST_F(Migrate, ThirdAckOfAListenerThatJustClosed) {
  Sock a = join();
  Sock b = join();
  const uint16_t p = port_of(a);
  const uint32_t iss = half_open(p);
  Listener& li = *a.tcb().listener;
  srv.ns().listeners.remove(li.node);
  li.closed = 1;
  finish(p, iss);
  Sock c = *b.accept();
  EXPECT_EQ(c.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_EQ(ledger(b).children, 1u);
  EXPECT_EQ(ledger(a).acks, 0u);
  expect_empty(a);
  expect_empty(b);
}

/// What make_child does when its listener closes while it is at it: white-box.
TEST_F(Migrate, ConnectionInNobodysQueue) {
  Sock a = join();
  Sock b = join();
  const uint16_t p = port_of(a);
  open(p);
  Listener& li = *a.tcb().listener;
  Tcb& child = *listener_take(li, Now(net.now()));
  listener_unreserve(li);
  srv.ns().listeners.remove(li.node);
  li.closed = 1;
  EXPECT_FALSE(listener_enqueue(li, child, Now(net.now())));
  {
    Border border("migrate_child");
    atcp_os_rcu_lock();
    EXPECT_TRUE(migrate_child(srv.ns(), a.tcb(), child, Now(net.now())));
    atcp_os_rcu_unlock();
  }
  EXPECT_TRUE((b.conn().events & ATCP_EV_READABLE) != 0);
  EXPECT_EQ(ledger(a).migrated_out, 1u);
  EXPECT_EQ(b.accept()->tcb().rport, to_be16(p));
  expect_empty(a);
  expect_empty(b);
}

TEST_F(Migrate, CookiesOfAClosedListenerHold) {
  srv.set("syncookies", "2");
  Sock a = join();
  Sock b = join();
  const uint16_t p = port_of(a);
  const uint32_t iss = half_open(p);
  EXPECT_EQ(found(p), ATCP_FOUND_LISTENER);
  a.close();
  finish(p, iss);
  EXPECT_TRUE(b.accept().has_value());
}

TEST_F(Migrate, GroupShrinksUnderFailuresAndTheAccountsSettle) {
  std::vector<Sock> group;
  for (int i = 0; i < 5; i++)
    group.push_back(join(1000));
  std::vector<std::pair<uint16_t, uint32_t>> half;
  for (uint16_t p = 7000; p < 7400; p++) {
    if (p % 2 == 0)
      open(p);
    else
      half.emplace_back(p, half_open(p));
  }
  net.os.fail_randomly(Fault::Alloc, 5);
  while (group.size() > 1) {
    group.front().close();
    group.erase(group.begin());
    uint32_t requests = 0;
    for (const Sock& s : group)
      requests += ledger(s).requests;
    EXPECT_EQ(requests, atcp_core_ns_entries(srv.core()));
  }
  net.os.fail_randomly(Fault::Alloc, 0);
  Sock last = group.front();
  EXPECT_EQ(ledger(last).accept_queue, 200u);  // connections need no memory to move
  EXPECT_GT(srv.counter("TCPMigrateReqFailure"), 0u);
  const uint32_t left = ledger(last).requests;
  EXPECT_GT(left, 50u);
  EXPECT_EQ(left + srv.reason(ATCP_REASON_LISTENER_CLOSED), half.size());
  for (const auto& [p, iss] : half)
    send({.seq = kIrs + 1, .ack = iss + 1, .port = p});
  uint32_t accepted = 0;
  while (last.accept().has_value())
    accepted++;
  EXPECT_EQ(accepted, 200 + left);
  expect_empty(last);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
}

}  // namespace
}  // namespace atcp::test
