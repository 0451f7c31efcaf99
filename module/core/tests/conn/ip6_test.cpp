// SPDX-License-Identifier: GPL-2.0
//
// What IPv6 changes for a connection: sockets that speak both families, the sizes of segments, the path MTU. That all the rest is
// as with IPv4 the other tests show, which run once more with ATCP_TEST_FAMILY=6 (tests/core_tests_v6).
#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

/// A host with IPv6 over Ethernet.
struct Ip6 : RawConnTest {
  Ip6() {
    net.family = ATCP_AF_INET6;
    srv.os().mtu = 1500;
    srv.os().advmss = 1440;
  }
  /// Bind and listen on any of a family.
  Sock listen_on(uint16_t family, uint32_t flags = 0) {
    Sock l = srv.socket(family == ATCP_AF_INET6);
    const atcp_ip any = {};
    uint16_t lport = to_be16(kPort);
    net.os.lock(l.conn());
    EXPECT_EQ(atcp_core_bind(&l.conn().conn, family, &any, &lport, flags, 0), ATCP_OK);
    EXPECT_EQ(atcp_core_listen(&l.conn().conn, 8, 0, net.now()), ATCP_OK);
    net.os.unlock(l.conn());
    return l;
  }
  void speak(uint16_t family) { net.family = family; }
  atcp_tuple tuple_seen(const Sock& sock) {
    atcp_tuple t = {};
    atcp_core_conn_tuple(&sock.conn().conn, &t);
    return t;
  }
  /// Whom the established table has for a SYN of ours.
  atcp_found_kind found_at(const Emitted& syn) {
    Border b("lookup");
    atcp_os_rcu_lock();
    const atcp_found f = atcp_core_lookup(srv.core(), &syn.tuple);
    atcp_core_put(f);
    atcp_os_rcu_unlock();
    return f.kind;
  }
  static void expect_same(const atcp_tuple& a, const atcp_tuple& b) {
    EXPECT_EQ(a.family, b.family);
    EXPECT_TRUE(IpAddr(a.family, a.laddr) == IpAddr(b.family, b.laddr));
    EXPECT_TRUE(IpAddr(a.family, a.raddr) == IpAddr(b.family, b.raddr));
    EXPECT_EQ(a.lport, b.lport);
    EXPECT_EQ(a.rport, b.rport);
  }
  /// Data both ways, then both close, we first.
  void talk_and_close(Sock& c, uint32_t first) {
    send({.seq = kIrs + 1, .ack = first, .data = "hello"});
    EXPECT_EQ(c.recv_text(), "hello");
    replies.clear();
    c.send("you");
    EXPECT_EQ(reply().seq, first);
    send({.seq = kIrs + 6, .ack = first + 3});
    replies.clear();
    c.close();
    EXPECT_EQ(reply().flags, ATCP_FIN | ATCP_ACK);
    send({.flags = ATCP_FIN | ATCP_ACK, .seq = kIrs + 6, .ack = first + 4});
    EXPECT_EQ(reply().ack, kIrs + 7);
    EXPECT_EQ(found(), ATCP_FOUND_TIMEWAIT);
    // Once more: the entry knows its peer.
    send({.flags = ATCP_FIN | ATCP_ACK, .seq = kIrs + 6, .ack = first + 4});
    EXPECT_EQ(reply().ack, kIrs + 7);
  }
};

// ---- both families ------------------------------------------------------------------------------

TEST_F(Ip6, ListenerOnAnyHasPeersOfBothFamilies) {
  Sock l = listen_on(ATCP_AF_INET6);
  for (const uint16_t family : {ATCP_AF_INET, ATCP_AF_INET6, ATCP_AF_INET}) {
    SCOPED_TRACE(family);
    speak(family);
    const uint32_t first = half_open() + 1;
    EXPECT_EQ(found(), ATCP_FOUND_REQUEST);
    send({.seq = kIrs + 1, .ack = first});
    Sock c = l.accept().value();
    expect_same(tuple_seen(c), tuple());
    talk_and_close(c, first);
    net.run(61 * kSec);
    EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
  }
  EXPECT_EQ(ledger(l).children, 3u);
}

TEST_F(Ip6, CookiesOfBothFamilies) {
  srv.set("syncookies", "2");
  Sock l = listen_on(ATCP_AF_INET6);
  for (const uint16_t family : {ATCP_AF_INET, ATCP_AF_INET6}) {
    SCOPED_TRACE(family);
    speak(family);
    const uint32_t first = half_open() + 1;
    EXPECT_EQ(found(), ATCP_FOUND_LISTENER) << "nothing is kept of the SYN";
    // It is good for nobody else.
    speak(family == ATCP_AF_INET ? ATCP_AF_INET6 : ATCP_AF_INET);
    send({.seq = kIrs + 1, .ack = first});
    EXPECT_EQ(reply().flags, ATCP_RST);
    speak(family);
    send({.seq = kIrs + 1, .ack = first});
    Sock c = l.accept().value();
    // The MSS of the SYN, 1460, as far as a cookie of this family has it, and the route.
    EXPECT_EQ(c.tcb().peer_mss, family == ATCP_AF_INET ? 1460 : 1440);
    talk_and_close(c, first);
    net.run(61 * kSec);
  }
}

TEST_F(Ip6, ListenerOfIpv6AloneLeavesIpv4Alone) {
  Sock six = listen_on(ATCP_AF_INET6, ATCP_BIND_V6ONLY);
  speak(ATCP_AF_INET);
  EXPECT_EQ(ask(syn()).flags, ATCP_RST | ATCP_ACK);
  // So there is room for another one, beside it.
  Sock four = listen_on(ATCP_AF_INET);
  open(5001);
  EXPECT_TRUE(four.accept().has_value());
  speak(ATCP_AF_INET6);
  open(5001);
  EXPECT_TRUE(six.accept().has_value());
}

TEST_F(Ip6, ListenerOnAnyIsInTheWayOfIpv4) {
  listener = listen_on(ATCP_AF_INET6);
  Sock four = srv.socket(false);
  const atcp_ip any = {};
  uint16_t lport = to_be16(kPort);
  EXPECT_EQ(atcp_core_bind(&four.conn().conn, ATCP_AF_INET, &any, &lport, 0, 0),
            ATCP_ERR_ADDR_IN_USE);
}

/// A socket of AF_INET6 that has an IPv4 peer, then one of IPv6, then an IPv4 one again.
TEST_F(Ip6, OneSocketInOneFamilyAfterTheOther) {
  s = srv.socket();
  for (const uint16_t family : {ATCP_AF_INET, ATCP_AF_INET6, ATCP_AF_INET}) {
    SCOPED_TRACE(family);
    speak(family);
    ASSERT_EQ(srv.try_connect(s, ip4(10, 0, 0, 2), 5000), ATCP_OK);
    ASSERT_EQ(replies.size(), 1u);
    const Emitted syn = replies.front();
    replies.clear();
    EXPECT_EQ(syn.tuple.family, family);
    EXPECT_EQ(found_at(syn), ATCP_FOUND_CONN);
    expect_same(tuple_seen(s), syn.tuple);
    EXPECT_EQ(s.tcb().pmtu, 1500);
    s.abort(ATCP_REASON_ABORT_BY_USER);
    EXPECT_EQ(s.state(), ATCP_STATE_CLOSED);
    EXPECT_EQ(found_at(syn), ATCP_FOUND_NONE);
  }
}

TEST_F(Ip6, SocketOfIpv4SpeaksNothingElse) {
  Sock four = srv.socket(false);
  const atcp_ip any = {};
  uint16_t lport = to_be16(kPort);
  EXPECT_EQ(atcp_core_bind(&four.conn().conn, ATCP_AF_INET6, &any, &lport, 0, 0), ATCP_ERR_INVALID);
  EXPECT_EQ(srv.try_connect(four, ip4(10, 0, 0, 2), 5000), ATCP_ERR_INVALID);
  expect_silence();
  atcp_tables_info info = {};
  atcp_core_tables_info(srv.core(), &info);
  EXPECT_EQ(info.ports, 0u);
  EXPECT_EQ(info.ehash_entries, 0u);
  speak(ATCP_AF_INET);
  EXPECT_EQ(srv.try_connect(four, ip4(10, 0, 0, 2), 5000), ATCP_OK);
}

TEST_F(Ip6, SynFromOurselvesIsDropped) {
  listener = listen_on(ATCP_AF_INET6);
  Header h;
  h.lport = h.rport = to_be16(kPort);
  h.flags = ATCP_SYN;
  uint8_t bytes[kMaxHeader];
  const uint32_t n = write_header(h, bytes);
  Emitted e;
  e.tuple = hosts(srv.addr(), srv.addr(), ATCP_AF_INET6);
  e.tuple.lport = e.tuple.rport = to_be16(kPort);
  e.hdr.assign(bytes, bytes + n);
  srv.receive(e);
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_SYN_FROM_SELF), 1u);
}

TEST_F(Ip6, WalksTellTheFamilies) {
  listener = listen_on(ATCP_AF_INET6);
  speak(ATCP_AF_INET);
  half_open(5004);
  speak(ATCP_AF_INET6);
  half_open(5006);
  std::vector<atcp_tuple> seen;
  const auto take = [](void* arg, const atcp_entry_info* e) {
    static_cast<std::vector<atcp_tuple>*>(arg)->push_back(e->tuple);
    return true;
  };
  uint64_t cursor = 0;
  EXPECT_TRUE(atcp_core_walk(srv.core(), true, &cursor, net.now(), take, &seen));
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].family, ATCP_AF_INET6);
  EXPECT_TRUE(IpAddr(ATCP_AF_INET6, seen[0].laddr).any());
  seen.clear();
  cursor = 0;
  EXPECT_TRUE(atcp_core_walk(srv.core(), false, &cursor, net.now(), take, &seen));
  ASSERT_EQ(seen.size(), 2u);
  for (const atcp_tuple& t : seen) {
    speak(t.family);
    expect_same(t, tuple(t.family == ATCP_AF_INET ? 5004 : 5006));
  }
}

/// Sockets of the two families are no group, though IPv4 peers might find either.
TEST_F(Ip6, NothingMigratesToTheOtherFamily) {
  Sock four = srv.socket(false), six = srv.socket(true);
  for (const Sock& l : {four, six}) {
    const uint16_t family = l.conn().v6 ? ATCP_AF_INET6 : ATCP_AF_INET;
    const atcp_ip any = {};
    uint16_t lport = to_be16(kPort);
    net.os.lock(l.conn());
    ASSERT_EQ(atcp_core_bind(&l.conn().conn, family, &any, &lport, ATCP_BIND_REUSEPORT, 0),
              ATCP_OK);
    ASSERT_EQ(atcp_core_listen(&l.conn().conn, 8, ATCP_BIND_REUSEPORT, net.now()), ATCP_OK);
    net.os.unlock(l.conn());
  }
  speak(ATCP_AF_INET);
  half_open();
  EXPECT_EQ(ledger(four).requests, 1u);
  four.close();
  EXPECT_EQ(ledger(six).requests, 0u);
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
}

// ---- sizes --------------------------------------------------------------------------------------

TEST_F(Ip6, MssIsWhatTheLongerHeaderLeaves) {
  const struct {
    uint16_t family;
    uint16_t announced;  ///< 0: no option
    uint32_t mss;
  } rows[] = {
      {ATCP_AF_INET6, 1460, 1440}, {ATCP_AF_INET6, 1440, 1440}, {ATCP_AF_INET6, 1300, 1300},
      {ATCP_AF_INET6, 0, 1220},    {ATCP_AF_INET, 1460, 1460},  {ATCP_AF_INET, 0, 536},
  };
  uint16_t port = 5000;
  for (const bool passive : {true, false}) {
    if (passive)
      listener = listen_on(ATCP_AF_INET6);
    else
      listener.close();
    for (const auto& row : rows) {
      SCOPED_TRACE(testing::Message() << row.family << ", " << row.announced);
      speak(row.family);
      Out o = syn(++port);
      o.mss = row.announced;
      if (passive) {
        const uint32_t iss = ask(o).seq;
        send({.seq = kIrs + 1, .ack = iss + 1, .port = port});
        s = listener.accept().value();
      } else {
        s = srv.socket(true);
        ASSERT_EQ(srv.try_connect(s, ip4(10, 0, 0, 2), port, kPort), ATCP_OK);
        o.flags = ATCP_SYN | ATCP_ACK;
        o.ack = reply().seq + 1;
        send(o);
      }
      ASSERT_EQ(s.state(), ATCP_STATE_ESTABLISHED);
      EXPECT_EQ(s.tcb().mss, row.mss) << passive;
      s.close(true);
      replies.clear();
    }
  }
}

TEST_F(Ip6, PathMtuBelowTheLeastIsNotBelieved) {
  listener = listen_on(ATCP_AF_INET6);
  iss = open();
  s = listener.accept().value();
  s.send(Bytes(1440));
  for (const uint32_t mtu : {0u, 68u, 552u, 1279u}) {
    s.icmp(ATCP_ICMP_FRAG_NEEDED, at(0), mtu);
    EXPECT_EQ(s.tcb().pmtu, 1500) << mtu;
  }
  EXPECT_EQ(srv.reason(ATCP_REASON_ICMP_IGNORED), 4u);
  replies.clear();
  s.icmp(ATCP_ICMP_FRAG_NEEDED, at(0), 1280);
  EXPECT_EQ(s.tcb().pmtu, 1280);
  EXPECT_EQ(s.tcb().mss, 1220u);
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(replies.front().seg.seq, at(0));
  // Upwards it is not to be believed either.
  s.icmp(ATCP_ICMP_FRAG_NEEDED, at(0), 1500);
  EXPECT_EQ(s.tcb().pmtu, 1280);
  EXPECT_EQ(srv.reason(ATCP_REASON_ICMP_IGNORED), 4u);
}

}  // namespace
}  // namespace atcp::test
