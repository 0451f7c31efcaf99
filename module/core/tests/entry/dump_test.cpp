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
  EXPECT_EQ(s.by_port[5000].tuple.laddr.v4, srv.addr());

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

}  // namespace
}  // namespace atcp::test
