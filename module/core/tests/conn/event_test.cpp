// SPDX-License-Identifier: GPL-2.0
//
// What those who watch are told: the life of a connection in order, and each kind of event once, where it arises.
#include "conn/event.h"

#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

struct Event : RawPeerTest {
  /// From here on somebody watches.
  void watch() {
    net.os.told.clear();
    net.os.watch = true;
  }
  std::string told(const Sock& s) { return net.os.take_told(s.conn().id); }
  std::string told() { return net.os.take_told(); }
  uint32_t count(uint32_t kind) const {
    uint32_t n = 0;
    for (const Told& t : net.os.told)
      n += t.event.kind == kind ? 1 : 0;
    return n;
  }
  const Told& first(uint32_t kind) const {
    static const Told kNone;
    for (const Told& t : net.os.told)
      if (t.event.kind == kind) return t;
    ADD_FAILURE() << "no event of kind " << kind;
    return kNone;
  }
};

TEST(EventOrder, WholeLifeOfBothEnds) {
  FakeNet net;
  Host& a = net.add_host("a", ip4(10, 0, 0, 1));
  Host& b = net.add_host("b", ip4(10, 0, 0, 2));
  net.os.watch = true;
  Sock l = b.listen(80);
  Sock c = a.connect(b.addr(), 80);
  net.run(kSec);
  Sock s = *l.accept();
  const uint64_t ids[] = {l.conn().id, c.conn().id, s.conn().id};
  c.send("hello");
  net.run(kSec);
  EXPECT_EQ(s.recv_text(), "hello");
  c.close();
  net.run(kSec);
  s.close();
  net.run(kSec);
  EXPECT_EQ(net.os.take_told(ids[0]), "state 7>10, request");
  EXPECT_EQ(net.os.take_told(ids[1]), "state 7>2, state 2>1, state 1>4, state 4>5, state 5>7");
  EXPECT_EQ(net.os.take_told(ids[2]),
            "state 7>3, promoted, state 3>1, state 1>8, state 8>9, state 9>7");
  EXPECT_EQ(net.os.take_told(), "");
  net.close_all();
}

TEST_F(Event, NobodyWatchesNothingIsTold) {
  Sock l = srv.listen(kPort);
  open();
  EXPECT_TRUE(l.accept().has_value());
  send({.flags = ATCP_RST, .seq = kIrs + 1});
  EXPECT_TRUE(net.os.told.empty());
}

TEST_F(Event, RetransmissionsByKind) {
  Sock l = srv.listen(kPort);
  open();
  Sock s = *l.accept();
  watch();
  s.send("x");
  net.run(3 * kSec);
  EXPECT_EQ(count(ATCP_EVENT_KIND_RETRANSMIT), s.info().total_retrans);
  const Told& t = first(ATCP_EVENT_KIND_RETRANSMIT);
  EXPECT_EQ(t.event.retransmit, ATCP_RETRANSMIT_KIND_TIMEOUT);
  EXPECT_EQ(t.event.len, 1u);
  EXPECT_EQ(t.event.seq, s.info().snd_una);
  EXPECT_EQ(count(ATCP_EVENT_KIND_CWND), 1u);  // the first timeout; the next ones find one segment
}

TEST(EventOrder, TailProbeThenRecovery) {
  FakeNet net;
  Host& a = net.add_host("a", ip4(10, 0, 0, 1));
  Host& b = net.add_host("b", ip4(10, 0, 0, 2));
  Sock l = b.listen(80);
  Sock c = a.connect(b.addr(), 80);
  net.run(kSec);
  EXPECT_TRUE(l.accept().has_value());
  c.send("a");  // a sample of the round trip
  net.run(kSec);
  net.os.watch = true;
  net.link(a, b).drop_mask = 1;
  c.send("tail");
  net.run(kSec);
  EXPECT_EQ(net.os.take_told(c.conn().id), "retransmit probe");
  net.link(a, b).drop_mask = 1;
  c.send(Bytes(8 * 1448));
  net.run(5 * kSec);
  const std::string told = net.os.take_told(c.conn().id);
  EXPECT_NE(told.find("retransmit fast"), std::string::npos) << told;
  EXPECT_NE(told.find("cwnd"), std::string::npos) << told;
  net.close_all();
}

TEST(EventOrder, SynToNobodyAndItsReset) {
  FakeNet net;
  Host& a = net.add_host("a", ip4(10, 0, 0, 1));
  Host& b = net.add_host("b", ip4(10, 0, 0, 2));
  net.os.watch = true;
  net.link(a, b).drop_mask = 1;
  Sock c = a.connect(b.addr(), 81);
  const uint64_t id = c.conn().id;
  net.run(2 * kSec);
  EXPECT_EQ(net.os.take_told(id),
            "state 7>2, retransmit syn, reset received refused_by_peer, state 2>7");
  EXPECT_EQ(net.os.take_told(), "reset sent no_socket, drop no_socket");
  net.close_all();
}

TEST_F(Event, ResetsOfAConnection) {
  Sock l = srv.listen(kPort);
  open();
  Sock s = *l.accept();
  watch();
  send({.flags = ATCP_RST, .seq = kIrs + 1});
  EXPECT_EQ(told(s), "reset received reset_by_peer, state 1>7");
  open(5001);
  Sock gone = *l.accept();
  const uint64_t id = gone.conn().id;
  net.os.told.clear();
  gone.close(true);
  EXPECT_EQ(net.os.take_told(id), "reset sent abort_on_linger, state 1>7");
}

TEST_F(Event, RequestsThatComeToNothing) {
  srv.set("synack_retries", "1");
  Sock l = srv.listen(kPort);
  watch();
  half_open();
  net.run(10 * kSec);
  EXPECT_EQ(told(l), "request, retransmit synack, expired request_timeout");
  const uint32_t iss = half_open();
  send({.flags = ATCP_RST | ATCP_ACK, .seq = kIrs + 1, .ack = iss + 1});
  EXPECT_EQ(told(l), "request, reset received request_rst, expired request_rst, drop request_rst");
}

TEST_F(Event, AcceptQueueByItsEdges) {
  Sock l = srv.listen(kPort, 1);
  watch();
  open(6001);
  EXPECT_EQ(count(ATCP_EVENT_KIND_ACCEPT_QUEUE_FULL), 0u);
  open(6002);
  EXPECT_EQ(count(ATCP_EVENT_KIND_ACCEPT_QUEUE_FULL), 1u);
  EXPECT_EQ(first(ATCP_EVENT_KIND_ACCEPT_QUEUE_FULL).text, "queue full 2/1");
  send(syn(6003));
  EXPECT_EQ(count(ATCP_EVENT_KIND_ACCEPT_QUEUE_FULL), 1u);
  EXPECT_EQ(first(ATCP_EVENT_KIND_DROP).text, "drop accept_queue_full_syn");
  EXPECT_EQ(first(ATCP_EVENT_KIND_DROP).id, l.conn().id);
  EXPECT_TRUE(l.accept().has_value());
  EXPECT_EQ(first(ATCP_EVENT_KIND_ACCEPT_QUEUE_FREE).text, "queue free 1/1");
  EXPECT_EQ(count(ATCP_EVENT_KIND_ACCEPT_QUEUE_FREE), 1u);
}

TEST_F(Event, CookiesSentAcceptedRefused) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  watch();
  send({.seq = kIrs + 1, .ack = 99});
  EXPECT_EQ(told(l), "reset sent listen_ack, drop listen_ack");  // none was ever sent
  const uint32_t iss = half_open();
  EXPECT_EQ(told(l), "cookie sent");
  send({.seq = kIrs + 1, .ack = iss + 2});
  EXPECT_EQ(told(l), "cookie refused cookie_bad, reset sent cookie_bad, drop cookie_bad");
  send({.seq = kIrs + 1, .ack = iss + 1});
  Sock s = *l.accept();
  EXPECT_EQ(told(s), "state 7>3, cookie good, state 3>1");
}

TEST_F(Event, DropsNameTheirConnection) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = open();
  Sock s = *l.accept();
  watch();
  send({.seq = kIrs + 1, .ack = iss + 100, .data = "never sent"});
  EXPECT_EQ(told(s), "drop ack_unsent");
}

TEST_F(Event, ACookieThatCannotLeaveIsADrop) {
  srv.set("syncookies", "2");
  Sock l = srv.listen(kPort);
  watch();
  net.os.fail(Fault::Emit, 1);
  send(syn());
  EXPECT_EQ(told(l), "drop no_memory");
}

TEST(EventOrder, IdleThenCwndStartsAnew) {
  FakeNet net;
  Host& a = net.add_host("a", ip4(10, 0, 0, 1));
  Host& b = net.add_host("b", ip4(10, 0, 0, 2));
  Sock l = b.listen(80);
  Sock c = a.connect(b.addr(), 80);
  net.run(kSec);
  Sock s = *l.accept();
  for (int i = 0; i < 4; i++) {
    c.send(Bytes(40 * 1448));
    net.run(kSec);
    s.recv();
  }
  const uint32_t before = c.info().cwnd;
  ASSERT_GT(before, 12u);
  net.run(60 * kSec);
  net.os.watch = true;
  c.send("x");
  EXPECT_EQ(net.os.take_told(c.conn().id), "cwnd");
  EXPECT_LT(c.info().cwnd, before);
  net.close_all();
}

}  // namespace
}  // namespace atcp::test
