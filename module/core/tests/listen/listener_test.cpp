// SPDX-License-Identifier: GPL-2.0
//
// Segments to a listening socket: what is answered, what is refused and why, what is counted. The
// handshake goes on in request_test.cpp and child_test.cpp.
#include "listen/listener.h"

#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

using Listen = RawPeerTest;

TEST_F(Listen, SynWithoutOptionsGetsMssOnly) {
  srv.listen(kPort);
  const atcp_seg s = ask({.flags = ATCP_SYN, .seq = kIrs});
  EXPECT_EQ(s.flags, ATCP_SYN | ATCP_ACK);
  EXPECT_EQ(s.ack, kIrs + 1);
  EXPECT_EQ(s.has, ATCP_OPT_MSS);
  EXPECT_EQ(s.mss, 1460);
  EXPECT_EQ(s.wnd, 64240);  // 65535 in whole segments
  EXPECT_EQ(found(), ATCP_FOUND_REQUEST);
}

TEST_F(Listen, SynOptionsAreEchoed) {
  srv.listen(kPort);
  const atcp_seg s =
      ask({.flags = ATCP_SYN, .seq = kIrs, .tsval = 77, .mss = 1400, .wscale = 5, .sack_ok = true});
  EXPECT_EQ(s.has, ATCP_OPT_MSS | ATCP_OPT_TS | ATCP_OPT_WSCALE | ATCP_OPT_SACK_OK);
  EXPECT_EQ(s.tsecr, 77u);
  EXPECT_EQ(s.wscale, choose_rcv_wscale(srv.ns(), 131072));
}

TEST_F(Listen, SynOptionsCanBeTurnedOff) {
  srv.listen(kPort);
  srv.set("timestamps", "0");
  srv.set("sack", "0");
  srv.set("window_scaling", "0");
  const atcp_seg s =
      ask({.flags = ATCP_SYN, .seq = kIrs, .tsval = 77, .mss = 1400, .wscale = 5, .sack_ok = true});
  EXPECT_EQ(s.has, ATCP_OPT_MSS);
}

TEST_F(Listen, MaxsegOfTheListenerIsAnnounced) {
  Sock l = srv.listen(kPort);
  ASSERT_EQ(l.set_option(2, 1000), ATCP_OK);
  EXPECT_EQ(ask(syn()).mss, 1000);
}

TEST_F(Listen, DataOnSynIsNotAcknowledged) {
  srv.listen(kPort);
  Out o = syn();
  o.data = "early";
  EXPECT_EQ(ask(o).ack, kIrs + 1);
}

TEST_F(Listen, RstIsIgnored) {
  srv.listen(kPort);
  send({.flags = ATCP_RST, .seq = 5});
  send({.flags = ATCP_RST | ATCP_ACK, .seq = 5});
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_LISTEN_RST), 2u);
}

TEST_F(Listen, AckIsReset) {
  srv.listen(kPort);
  const atcp_seg s = ask({.seq = 5, .ack = 1234});
  EXPECT_EQ(s.flags, ATCP_RST);
  EXPECT_EQ(s.seq, 1234u);
  EXPECT_EQ(srv.reason(ATCP_REASON_LISTEN_ACK), 1u);
  EXPECT_EQ(srv.counter("OutRsts"), 1u);
}

TEST_F(Listen, SynAckIsReset) {
  Sock l = srv.listen(kPort);
  const atcp_seg s = ask({.flags = ATCP_SYN | ATCP_ACK, .seq = 5, .ack = 1234});
  EXPECT_EQ(s.flags, ATCP_RST);
  EXPECT_EQ(s.seq, 1234u);
  EXPECT_EQ(ledger(l).syns, 0u);
}

TEST_F(Listen, FinIsDropped) {
  srv.listen(kPort);
  send({.flags = ATCP_FIN, .seq = 5});
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_LISTEN_NO_SYN), 1u);
}

TEST_F(Listen, NobodyListens) {
  const atcp_seg s = ask(syn());
  EXPECT_EQ(s.flags, ATCP_RST | ATCP_ACK);
  EXPECT_EQ(s.seq, 0u);
  EXPECT_EQ(s.ack, kIrs + 1);
  send({.flags = ATCP_RST, .seq = 1});
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_NO_SOCKET), 2u);
}

TEST_F(Listen, AcceptQueueTakesOneMoreThanBacklog) {
  Sock l = srv.listen(kPort, 2);
  for (uint16_t p = 5000; p < 5003; p++)
    open(p);
  EXPECT_EQ(ledger(l).accept_queue, 3u);
  send(syn(5003));
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_ACCEPT_QUEUE_FULL_SYN), 1u);
  EXPECT_EQ(srv.counter("ListenOverflows"), 1u);
  EXPECT_EQ(srv.counter("ListenDrops"), 1u);
  EXPECT_EQ(ledger(l).overflow_syn, 1u);
  expect_balanced(l);
  ASSERT_TRUE(l.accept().has_value());
  half_open(5003);
}

TEST_F(Listen, RequestQueueFullWithoutCookies) {
  srv.set("syncookies", "0");
  Sock l = srv.listen(kPort, 4);
  for (uint16_t p = 5000; p < 5005; p++)
    half_open(p);
  for (uint16_t p = 5005; p < 5007; p++) {
    send(syn(p));
    expect_silence();
  }
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_QUEUE_FULL), 2u);
  EXPECT_EQ(srv.counter("TCPReqQFullDrop"), 2u);
  EXPECT_EQ(srv.counter("ListenDrops"), 2u);
  EXPECT_EQ(ledger(l).requests, 5u);
  expect_balanced(l);
}

TEST_F(Listen, LastQuarterOfMaxSynBacklogWithoutCookies) {
  srv.set("syncookies", "0");
  srv.set("max_syn_backlog", "16");
  Sock l = srv.listen(kPort, 1000);
  for (uint16_t p = 5000; p < 5024; p++)
    send(syn(p));
  EXPECT_EQ(ledger(l).requests, 13u);
  EXPECT_EQ(srv.reason(ATCP_REASON_SYN_BACKLOG), 11u);
  expect_balanced(l);
}

TEST_F(Listen, NewBacklogCounts) {
  Sock l = srv.listen(kPort, 0);
  open(5000);
  send(syn(5001));
  expect_silence();
  Border b("listen again");
  net.os.lock(l.conn());
  EXPECT_EQ(atcp_core_listen(&l.conn().conn, 1, 0, net.now()), ATCP_OK);
  net.os.unlock(l.conn());
  half_open(5001);
}

TEST_F(Listen, NoRouteRefusesSyn) {
  Sock l = srv.listen(kPort);
  net.os.fail(Fault::Route, 1);
  send(syn());
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_NO_ROUTE), 1u);
  expect_balanced(l);
}

TEST_F(Listen, NoMemoryRefusesSyn) {
  Sock l = srv.listen(kPort);
  net.os.fail(Fault::Alloc, 1);
  send(syn());
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_NO_MEMORY), 1u);
  EXPECT_EQ(ledger(l).requests, 0u);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
  expect_balanced(l);
}

TEST_F(Listen, UnsentSynAckLeavesNothing) {
  Sock l = srv.listen(kPort);
  net.os.fail(Fault::Emit, 1);
  send(syn());
  expect_silence();
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
  EXPECT_EQ(ledger(l).requests, 0u);
  expect_balanced(l);
  half_open();
}

TEST_F(Listen, ASynAckThatIsRefusedOnItsWayOutHasAReasonOfItsOwn) {
  Sock l = srv.listen(kPort);
  uint16_t port = 5000;
  for (const uint32_t why : {ATCP_REASON_OUTPUT_FILTERED, ATCP_REASON_OUTPUT_DROPPED,
                             ATCP_REASON_NO_ROUTE, ATCP_REASON_NO_MEMORY}) {
    SCOPED_TRACE(why);
    for (const char* cookies : {"1", "2"}) {
      srv.set("syncookies", cookies);
      net.os.emit_refusal = why;
      net.os.fail(Fault::Emit, 1);
      send(syn(port++));
      expect_silence();
    }
    EXPECT_EQ(srv.reason(why), 2u);
    EXPECT_EQ(refused(l, Refused::Syn, why), 2u);
  }
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
}

TEST_F(Listen, NoMemoryForTheListener) {
  for (const Fault f : {Fault::Alloc, Fault::Locks}) {
    Sock s = srv.socket();
    // The first allocation is the bind bucket's.
    net.os.fail(f, f == Fault::Alloc ? 2 : 1);
    EXPECT_EQ(srv.try_listen(s, kPort, 1), ATCP_ERR_NO_MEMORY);
    s.close();
  }
  srv.listen(kPort);
  half_open();
}

TEST_F(Listen, CloseForgetsRequestsAndResetsTheQueue) {
  Sock l = srv.listen(kPort);
  const uint32_t queued = open(5000);
  const uint32_t half = half_open(5001);
  replies.clear();
  l.close();
  const atcp_seg s = reply();  // none for the request
  EXPECT_EQ(s.flags, ATCP_RST | ATCP_ACK);
  EXPECT_EQ(s.seq, queued + 1);
  EXPECT_EQ(s.ack, kIrs + 1);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
  EXPECT_FALSE(l.exists());
  const atcp_seg late = ask({.seq = kIrs + 1, .ack = half + 1, .port = 5001});
  EXPECT_EQ(late.flags, ATCP_RST);
  EXPECT_EQ(late.seq, half + 1);
}

TEST_F(Listen, CloseFreesThePortAtOnce) {
  Sock l = srv.listen(kPort);
  half_open(5000);
  l.close();
  srv.listen(kPort);
  half_open(5000);
}

TEST_F(Listen, DisconnectedListenerListensAgain) {
  Sock l = srv.listen(kPort);
  half_open(5000);
  l.abort(ATCP_REASON_ABORT_BY_USER);
  EXPECT_EQ(l.state(), static_cast<uint32_t>(ATCP_STATE_CLOSED));
  EXPECT_EQ(ask(syn(5001)).flags, ATCP_RST | ATCP_ACK);
  net.os.lock(l.conn());
  EXPECT_EQ(atcp_core_listen(&l.conn().conn, 5, ATCP_BIND_EXPLICIT_PORT, net.now()), ATCP_OK);
  net.os.unlock(l.conn());
  open(5002);
  EXPECT_TRUE(l.accept().has_value());
}

// ---- marks, notices, the ledger --------------------------------------------------------------

TEST_F(Listen, MostThatEachQueueHeld) {
  Sock l = srv.listen(kPort, 8);
  for (uint16_t p = 5000; p < 5004; p++)
    half_open(p);
  for (uint16_t p = 5000; p < 5003; p++)
    send({.flags = ATCP_RST, .seq = kIrs + 1, .port = p});
  open(5010);
  open(5011);
  l.accept();
  EXPECT_EQ(ledger(l).requests, 1u);
  EXPECT_EQ(ledger(l).requests_high, 4u);
  EXPECT_EQ(ledger(l).accept_queue, 1u);
  EXPECT_EQ(ledger(l).accept_queue_high, 2u);
}

TEST_F(Listen, TimeAboveFourFifths) {
  Sock l = srv.listen(kPort, 5);
  for (uint16_t p = 5000; p < 5004; p++)
    open(p);
  net.run(1 * kSec);
  EXPECT_EQ(ledger(l).crowded_us, 0u);  // four of five are not above
  open(5004);
  net.run(2 * kSec);
  EXPECT_EQ(ledger(l).crowded_us, 2000000u);
  open(5005);
  net.run(1 * kSec);
  l.accept();
  net.run(1 * kSec);
  EXPECT_EQ(ledger(l).crowded_us, 4000000u);
  l.accept();
  net.run(10 * kSec);
  EXPECT_EQ(ledger(l).crowded_us, 4000000u);
  open(5006);
  net.run(500 * kMs);
  EXPECT_EQ(ledger(l).crowded_us, 4500000u);
}

TEST_F(Listen, FloodIsToldOnce) {
  Sock l = srv.listen(kPort, 0);
  half_open(5000);
  EXPECT_TRUE(net.os.floods.empty());
  for (uint16_t p = 5001; p < 5005; p++)
    send(syn(p));
  ASSERT_EQ(net.os.floods.size(), 1u);
  EXPECT_EQ(net.os.floods[0], std::make_pair(static_cast<const FakeConn*>(&l.conn()), true));
}

TEST_F(Listen, FloodWithoutCookiesIsToldAsSuch) {
  srv.set("syncookies", "0");
  srv.listen(kPort, 0);
  half_open(5000);
  send(syn(5001));
  ASSERT_EQ(net.os.floods.size(), 1u);
  EXPECT_FALSE(net.os.floods[0].second);
}

TEST_F(Listen, CookiesForEverybodyAreNoFlood) {
  srv.set("syncookies", "2");
  srv.listen(kPort, 0);
  half_open(5000);
  half_open(5001);
  EXPECT_TRUE(net.os.floods.empty());
}

TEST_F(Listen, EveryRefusalIsInTheLedger) {
  srv.set("syncookies", "0");
  Sock l = srv.listen(kPort, 1);
  send({.seq = 1, .ack = 1, .port = 4000});  // no request, no cookie
  half_open(5000);
  half_open(5001);
  send(syn(5002));  // request queue full
  send({.flags = ATCP_RST, .seq = kIrs + 1, .port = 5001});
  net.os.fail(Fault::Alloc, 1);
  send(syn(5002));
  net.os.fail(Fault::Route, 1);
  send(syn(5002));
  open(5003);
  const uint32_t iss = half_open(5004);
  send(syn(5004));
  Out other = syn(5004);
  other.seq = kIrs - 1000;
  send(other);
  send({.seq = kIrs + 1, .ack = iss + 7, .port = 5004});
  send({.seq = kIrs - 9, .ack = iss + 1, .port = 5004});
  net.os.fail(Fault::Child, 1);
  send({.seq = kIrs + 1, .ack = iss + 1, .port = 5004});
  send({.seq = kIrs + 1, .ack = iss + 1, .port = 5004});
  send(syn(5005));  // accept queue full: two of one
  for (const uint32_t r :
       {ATCP_REASON_REQUEST_QUEUE_FULL, ATCP_REASON_NO_MEMORY, ATCP_REASON_NO_ROUTE,
        ATCP_REASON_SEQ_OLD, ATCP_REASON_ACCEPT_QUEUE_FULL_SYN})
    EXPECT_EQ(refused(l, Refused::Syn, r), 1u) << r;
  for (const uint32_t r : {ATCP_REASON_LISTEN_ACK, ATCP_REASON_REQUEST_ACK_BAD, ATCP_REASON_SEQ_OLD,
                           ATCP_REASON_NO_MEMORY})
    EXPECT_EQ(refused(l, Refused::Ack, r), 1u) << r;
  const atcp_listener_info i = ledger(l);
  EXPECT_EQ(i.syns, 10u);
  EXPECT_EQ(i.synacks, 4u);
  EXPECT_EQ(i.syn_dups, 1u);
  EXPECT_EQ(i.syn_drops, 5u);
  EXPECT_EQ(i.acks, 6u);
  EXPECT_EQ(i.children, 2u);
  EXPECT_EQ(i.ack_drops, 4u);
}

TEST_F(Listen, NoMemoryForTheLedger) {
  Sock s = srv.socket();
  net.os.fail(Fault::Percpu, 1);
  EXPECT_EQ(srv.try_listen(s, kPort, 1), ATCP_ERR_NO_MEMORY);
}

TEST_F(Listen, TwoListenersOnOnePortConflict) {
  srv.listen(kPort);
  Sock b = srv.socket();
  EXPECT_EQ(srv.try_listen(b, kPort, 1), ATCP_ERR_ADDR_IN_USE);
}

TEST_F(Listen, SynFromTimeWaitPassesAFullRequestQueue) {
  srv.set("syncookies", "0");
  Sock l = srv.listen(kPort, 0);
  const uint32_t iss = open(5000);
  Sock c = *l.accept();
  c.close();
  send({.flags = ATCP_FIN | ATCP_ACK, .seq = kIrs + 1, .ack = iss + 2});
  ASSERT_EQ(found(), ATCP_FOUND_TIMEWAIT);
  half_open(5001);  // requests: 1 > backlog 0
  send(syn(5002));
  expect_silence();
  Out o = syn(5000);
  o.seq = kIrs + 100;
  const atcp_seg s = ask(o);
  EXPECT_EQ(s.flags, ATCP_SYN | ATCP_ACK);
  EXPECT_EQ(s.seq, iss + 2 + 65537);
  EXPECT_EQ(srv.counter("TWRecycled"), 1u);
}

}  // namespace
}  // namespace atcp::test
