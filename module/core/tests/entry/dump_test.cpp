// SPDX-License-Identifier: GPL-2.0
//
// The walk over connections, requests, TIME_WAIT entries and listeners: everybody once, in pieces of
// any size, with what is shown of each kind.
#include <map>

#include "conn/small_entry.h"
#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

struct Seen {
  std::map<uint16_t, atcp_entry_info> by_port;  ///< the peer's, or a listener's own
  uint32_t calls = 0;
  uint32_t room = ~0u;  ///< entries taken per walk

  static bool take(void* arg, const atcp_entry_info* e) {
    Seen& s = *static_cast<Seen*>(arg);
    if (s.room == 0) return false;
    s.room--;
    s.calls++;
    const uint16_t port = e->kind == ATCP_FOUND_LISTENER ? e->tuple.lport : e->tuple.rport;
    s.by_port[from_be16(port)] = *e;
    return true;
  }
};

using Walk = RawPeerTest;

TEST_F(Walk, ShowsEachKind) {
  Sock l = srv.listen(kPort);
  open(5000);
  half_open(5001);
  const uint32_t iss = open(5002);
  (void)l.accept();
  l.accept()->close();
  send({.flags = ATCP_FIN | ATCP_ACK, .seq = kIrs + 1, .ack = iss + 2, .port = 5002});
  net.run(1500 * kMs);

  Seen s;
  uint64_t cursor = 0;
  Border b("walk");
  EXPECT_TRUE(atcp_core_walk(srv.core(), false, &cursor, net.now(), Seen::take, &s));
  ASSERT_EQ(s.calls, 3u);
  EXPECT_EQ(s.by_port[5000].kind, static_cast<uint32_t>(ATCP_FOUND_CONN));
  EXPECT_EQ(s.by_port[5000].state, static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_NE(s.by_port[5000].conn, nullptr);
  EXPECT_EQ(s.by_port[5001].kind, static_cast<uint32_t>(ATCP_FOUND_REQUEST));
  EXPECT_EQ(s.by_port[5001].state, static_cast<uint32_t>(ATCP_STATE_SYN_RECEIVED));
  EXPECT_EQ(s.by_port[5001].conn, &l.conn().conn);
  EXPECT_EQ(s.by_port[5001].retrans, 1u);
  EXPECT_NEAR(s.by_port[5001].expires_us, 1500000, 100000);
  EXPECT_EQ(s.by_port[5002].kind, static_cast<uint32_t>(ATCP_FOUND_TIMEWAIT));
  EXPECT_EQ(s.by_port[5002].state, static_cast<uint32_t>(ATCP_STATE_TIME_WAIT));
  EXPECT_EQ(s.by_port[5002].conn, nullptr);
  EXPECT_NEAR(s.by_port[5002].expires_us, 58500000, 100000);
  const atcp_tuple& seen = s.by_port[5000].tuple;
  EXPECT_EQ(seen.family, net.family);
  EXPECT_EQ(number_of(seen.laddr, seen.family), srv.addr());

  Seen listeners;
  cursor = 0;
  EXPECT_TRUE(atcp_core_walk(srv.core(), true, &cursor, net.now(), Seen::take, &listeners));
  ASSERT_EQ(listeners.calls, 1u);
  EXPECT_EQ(listeners.by_port[kPort].conn, &l.conn().conn);
}

TEST_F(Walk, ResumesWhereItStopped) {
  srv.listen(kPort, 1000);
  for (uint16_t p = 5000; p < 5600; p++)  // more than two to a bucket
    half_open(p);
  for (const uint32_t room : {1u, 7u, 100u}) {
    Seen s;
    uint64_t cursor = 0;
    Border b("walk");
    for (bool done = false; !done;) {
      s.room = room;
      done = atcp_core_walk(srv.core(), false, &cursor, net.now(), Seen::take, &s);
    }
    EXPECT_EQ(s.calls, 600u);
    EXPECT_EQ(s.by_port.size(), 600u);
  }
}

TEST_F(Walk, CallsBackWithoutALock) {
  srv.listen(kPort);
  half_open();
  struct Arg {
    atcp_ns* ns;
    uint32_t inner = 0;
  } arg = {srv.core()};
  uint64_t cursor = 0;
  Border b("walk");
  // The inner walk takes the same bucket's lock: the fake complains if it is held already.
  EXPECT_TRUE(atcp_core_walk(
      srv.core(), false, &cursor, net.now(),
      [](void* p, const atcp_entry_info*) {
        Arg& a = *static_cast<Arg*>(p);
        const Ehash& table = reinterpret_cast<Ns*>(a.ns)->ehash;
        for (uint64_t at = 0; at != Ehash::kWalkEnd;) {
          const EhashBatch b = table.walk(&at, [](const Endpoint&) { return true; });
          for (uint32_t i = 0; i < b.n; i++)
            put_endpoint(*b.entry[i]);
          a.inner += b.n;
        }
        return true;
      },
      &arg));
  EXPECT_EQ(arg.inner, 1u);
}

/// Listeners on one port, as a program with SO_REUSEPORT has them.
class WalkListeners : public RawPeerTest {
 protected:
  Sock add() {
    Sock l = srv.socket();
    EXPECT_EQ(srv.try_listen(l, kPort, 5, ATCP_BIND_REUSEPORT), ATCP_OK);
    return l;
  }
  struct Page {
    std::map<const atcp_conn*, uint32_t> times;
    uint32_t room = ~0u;
    static bool take(void* arg, const atcp_entry_info* e) {
      Page& p = *static_cast<Page*>(arg);
      if (p.room == 0) return false;
      p.room--;
      p.times[e->conn]++;
      return true;
    }
  };
  bool walk(Page& p, uint64_t* cursor) {
    Border b("walk");
    return atcp_core_walk(srv.core(), true, cursor, net.now(), Page::take, &p);
  }
};

TEST_F(WalkListeners, ShowsEachOnceInPagesOfAnySize) {
  for (uint32_t i = 0; i < 100; i++)
    add();
  srv.listen(kPort + 1);
  for (const uint32_t room : {1u, 7u, 32u, 33u, 1000u}) {
    Page p;
    uint64_t cursor = 0;
    for (bool end = false; !end;) {
      p.room = room;
      end = walk(p, &cursor);
    }
    EXPECT_EQ(p.times.size(), 101u) << room;
    for (const auto& [c, times] : p.times)
      EXPECT_EQ(times, 1u) << room;
    p.room = ~0u;
    EXPECT_TRUE(walk(p, &cursor)) << "the end stays the end";
    EXPECT_EQ(p.times.size(), 101u);
  }
}

TEST_F(WalkListeners, MissesAndRepeatsNobodyThoughOthersCloseBetweenPages) {
  std::vector<Sock> stay, go;
  for (uint32_t i = 0; i < 120; i++)
    (i % 3 == 0 ? stay : go).push_back(add());
  Page p;
  uint64_t cursor = 0;
  p.room = 10;
  while (!walk(p, &cursor)) {
    for (uint32_t i = 0; i < 12 && !go.empty(); i++) {
      // From both ends: of those that were shown, and of those that were not.
      Sock l = i % 2 == 0 ? go.back() : go.front();
      go.erase(i % 2 == 0 ? go.end() - 1 : go.begin());
      l.close();
    }
    for (uint32_t i = 0; i < 3; i++)
      add();
    p.room = 10;
  }
  for (const Sock& l : stay)
    EXPECT_EQ(p.times[&l.conn().conn], 1u);
}

TEST_F(WalkListeners, OffersTheCpuBetweenBatches) {
  constexpr uint32_t kMany = 400;
  for (uint32_t i = 0; i < kMany; i++)
    add();
  const uint64_t before = net.os.resched;
  Page p;
  uint64_t cursor = 0;
  EXPECT_TRUE(walk(p, &cursor));
  EXPECT_EQ(p.times.size(), kMany);
  EXPECT_GE(net.os.resched - before, kMany / ListenTable::kLooks);
}

struct Taker {
  atcp_ns* ns;
  uint32_t taken = 0;
  uint32_t again = 0;  ///< of these how often it could be taken a second time

  static bool take(void* arg, const atcp_entry_info* e) {
    Taker& t = *static_cast<Taker*>(arg);
    if (!atcp_core_entry_remove(t.ns, e)) return true;
    t.taken++;
    t.again += atcp_core_entry_remove(t.ns, e);
    return true;
  }
};

TEST_F(Walk, TakesRequestsAndTimeWaitEntriesAway) {
  Sock l = srv.listen(kPort);
  open(5000);
  for (uint16_t p = 5001; p < 5041; p++)
    half_open(p);
  const uint32_t iss = open(5100);
  (void)l.accept();
  l.accept()->close();
  send({.flags = ATCP_FIN | ATCP_ACK, .seq = kIrs + 1, .ack = iss + 2, .port = 5100});
  ASSERT_EQ(srv.ns().requests, 40u);
  ASSERT_EQ(srv.ns().timewaits, 1u);

  Taker t = {srv.core()};
  uint64_t cursor = 0;
  {
    Border b("walk");
    EXPECT_TRUE(atcp_core_walk(srv.core(), false, &cursor, net.now(), Taker::take, &t));
  }
  EXPECT_EQ(t.taken, 41u);
  EXPECT_EQ(t.again, 0u);
  EXPECT_EQ(srv.ns().requests, 0u);
  EXPECT_EQ(srv.ns().timewaits, 0u);
  EXPECT_EQ(srv.ns().ehash.size(), 1u);  // the connection is not an entry of that kind
  EXPECT_EQ(srv.reason(ATCP_REASON_ABORT_BY_USER), 41u);
  atcp_listener_info i;
  atcp_core_listener_info(&l.conn().conn, &i, net.now());
  EXPECT_EQ(i.requests, 0u);
  EXPECT_EQ(i.young, 0u);
  // Nothing is said to the peers, and the listener goes on.
  replies.clear();
  net.run(5000 * kMs);
  EXPECT_EQ(replies.size(), 0u);
  half_open(5001);
  EXPECT_EQ(srv.ns().requests, 1u);
}

TEST_F(Walk, YoungRequestsAreThoseWithOneSynAck) {
  Sock l = srv.listen(kPort);
  half_open(5000);
  half_open(5001);
  atcp_listener_info i;
  atcp_core_listener_info(&l.conn().conn, &i, net.now());
  EXPECT_EQ(i.young, 2u);
  net.run(1500 * kMs);
  half_open(5002);
  atcp_core_listener_info(&l.conn().conn, &i, net.now());
  EXPECT_EQ(i.requests, 3u);
  EXPECT_EQ(i.young, 1u);
}

TEST_F(Walk, TablesAreCounted) {
  atcp_tables_info i;
  atcp_core_tables_info(srv.core(), &i);
  EXPECT_GE(i.ehash_slots, 256u);
  EXPECT_EQ(i.ehash_entries + i.requests + i.timewaits + i.listeners + i.ports, 0u);
  Sock l = srv.listen(kPort);
  Sock other = srv.listen(kPort + 1);
  open(5000);
  half_open(5001);
  atcp_core_tables_info(srv.core(), &i);
  EXPECT_EQ(i.ehash_entries, 2u);
  EXPECT_EQ(i.requests, 1u);
  EXPECT_EQ(i.listeners, 2u);
  EXPECT_EQ(i.ports, 2u);
  other.close();
  atcp_core_tables_info(srv.core(), &i);
  EXPECT_EQ(i.listeners, 1u);
  EXPECT_EQ(i.ports, 1u);
  // The child has the port still.
  Sock child = *l.accept();
  l.close();
  atcp_core_tables_info(srv.core(), &i);
  EXPECT_EQ(i.listeners, 0u);
  EXPECT_EQ(i.ports, 1u);
  child.close(true);
  atcp_core_tables_info(srv.core(), &i);
  EXPECT_EQ(i.ports, 0u);
}

}  // namespace
}  // namespace atcp::test
