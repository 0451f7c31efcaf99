// SPDX-License-Identifier: GPL-2.0
//
// Segments, timeouts and ICMP errors for a half-open connection, with Linux's behaviour as the measure.
#include "listen/request.h"

#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

class RequestTest : public RawPeerTest {
 protected:
  RequestTest() : listener(srv.listen(kPort)) {}
  Sock listener;
};

TEST_F(RequestTest, SynAckAgainAt1371531ThenGone) {
  half_open();
  const uint64_t t0 = net.now();
  std::vector<uint64_t> at;
  while (found() == ATCP_FOUND_REQUEST && net.now() - t0 < 100 * kSec) {
    replies.clear();
    net.run(100 * kMs);
    if (!replies.empty()) at.push_back((net.now() - t0) / kSec);
  }
  EXPECT_EQ(at, (std::vector<uint64_t>{1, 3, 7, 15, 31}));
  EXPECT_EQ((net.now() - t0) / kSec, 63u);
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_TIMEOUT), 1u);
  EXPECT_EQ(srv.counter("TCPTimeouts"), 6u);
  EXPECT_EQ(srv.counter("TCPSynRetrans"), 5u);
  EXPECT_EQ(srv.counter("RetransSegs"), 5u);
  EXPECT_EQ(srv.counter("AttemptFails"), 0u);
  EXPECT_EQ(ledger(listener).requests, 0u);
}

/// TCP_SAVE_SYN: kept if the listener wants it, handed to the child, given back by whatever else ends the request.
TEST_F(RequestTest, KeepsItsSynForTheChild) {
  open(5000);
  std::optional<Sock> plain = listener.accept();
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->conn().syn, nullptr);
  listener.conn().save_syn = true;
  open(5001);
  std::optional<Sock> c = listener.accept();
  ASSERT_TRUE(c.has_value());
  EXPECT_NE(c->conn().syn, nullptr);
  const uint64_t before = net.os.live_allocations();
  half_open(5002);
  EXPECT_EQ(net.os.live_allocations(), before + 2);
  send({.flags = ATCP_RST, .seq = kIrs + 1, .port = 5002});
  EXPECT_EQ(found(5002), ATCP_FOUND_LISTENER);
  EXPECT_EQ(net.os.live_allocations(), before);
}

TEST_F(RequestTest, NoMemoryForTheSavedSyn) {
  listener.conn().save_syn = true;
  net.os.fail(Fault::Alloc, 2);  // behind the request
  const uint32_t iss = half_open();
  send({.seq = kIrs + 1, .ack = iss + 1});
  std::optional<Sock> c = listener.accept();
  ASSERT_TRUE(c.has_value());
  EXPECT_EQ(c->conn().syn, nullptr);
}

TEST_F(RequestTest, SynackRetriesActs) {
  srv.set("synack_retries", "1");
  half_open();
  net.run(3500 * kMs);
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
}

TEST_F(RequestTest, AckAfterExpiryIsReset) {
  const uint32_t iss = half_open();
  net.run(70 * kSec);
  const atcp_seg s = ask({.seq = kIrs + 1, .ack = iss + 1});
  EXPECT_EQ(s.flags, ATCP_RST);
  EXPECT_EQ(s.seq, iss + 1);
  EXPECT_EQ(srv.counter("SyncookiesFailed"), 0u);
}

TEST_F(RequestTest, FullQueueEvictsTheOld) {
  Sock small = srv.socket();
  listener.close();
  ASSERT_EQ(srv.try_listen(small, kPort, 8), ATCP_OK);
  for (uint16_t p = 5000; p < 5008; p++)
    half_open(p);
  net.run(20 * kSec);  // none is young any more: two retries are all they get
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_EVICTED), 4u);  // then the queue is half empty
  EXPECT_EQ(ledger(small).requests, 4u);
}

/// Measured on Linux 6.18: backlog 32, 30 SYNs; 14 gone after two timeouts, the others live on.
TEST_F(RequestTest, HalfFullQueueExpiresEarly) {
  listener.close();
  Sock l = srv.listen(kPort, 32);
  for (uint16_t p = 5000; p < 5030; p++)
    half_open(p);
  net.run(6900 * kMs);
  EXPECT_EQ(ledger(l).requests, 30u);
  net.run(500 * kMs);
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_EVICTED), 14u);
  net.run(54 * kSec);
  EXPECT_EQ(ledger(l).requests, 16u);
  net.run(3 * kSec);
  EXPECT_EQ(ledger(l).requests, 0u);
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_TIMEOUT), 16u);
  EXPECT_EQ(ledger(l).requests_high, 30u);
}

/// A burst of peers that were never reminded is not a flood's leftovers.
TEST_F(RequestTest, FullQueueOfYoungOnesLosesNothing) {
  listener.close();
  Sock l = srv.listen(kPort, 32);
  std::vector<uint32_t> iss;
  for (uint16_t p = 5000; p < 5030; p++)
    iss.push_back(half_open(p));
  net.run(900 * kMs);
  for (uint16_t p = 5000; p < 5030; p++)
    send({.seq = kIrs + 1, .ack = iss[p - 5000u] + 1, .port = p});
  EXPECT_EQ(ledger(l).accept_queue, 30u);
}

TEST_F(RequestTest, SameSynSameAnswer) {
  const uint32_t iss = half_open();
  net.run(500 * kMs);
  const atcp_seg s = ask(syn());
  EXPECT_EQ(s.flags, ATCP_SYN | ATCP_ACK);
  EXPECT_EQ(s.seq, iss);
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_SYN_DUP), 1u);
  EXPECT_EQ(ledger(listener).syn_dups, 1u);
  EXPECT_EQ(ledger(listener).requests, 1u);
  expect_balanced(listener);
}

TEST_F(RequestTest, SameSynIsRateLimited) {
  srv.set("invalid_ratelimit", "500");
  half_open();
  ask(syn());
  send(syn());
  expect_silence();
  EXPECT_EQ(srv.counter("TCPACKSkippedSynRecv"), 1u);
  EXPECT_EQ(ledger(listener).syn_dups, 2u);
  expect_balanced(listener);
}

TEST_F(RequestTest, OtherSynInWindowResets) {
  half_open();
  Out o = syn();
  o.seq = kIrs + 100;
  const atcp_seg s = ask(o);
  EXPECT_EQ(s.flags, ATCP_RST | ATCP_ACK);
  EXPECT_EQ(s.ack, kIrs + 101);
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
  EXPECT_EQ(srv.counter("AttemptFails"), 1u);
  EXPECT_EQ(srv.counter("EmbryonicRsts"), 1u);
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_SYN), 1u);
  expect_balanced(listener);
}

TEST_F(RequestTest, OtherSynOutsideWindowIsAcknowledged) {
  const uint32_t iss = half_open();
  Out o = syn();
  o.seq = kIrs - 1000;
  const atcp_seg s = ask(o);
  EXPECT_EQ(s.flags, ATCP_ACK);
  EXPECT_EQ(s.seq, iss + 1);
  EXPECT_EQ(s.ack, kIrs + 1);
  EXPECT_EQ(found(), ATCP_FOUND_REQUEST);
  EXPECT_EQ(srv.reason(ATCP_REASON_SEQ_OLD), 1u);
  expect_balanced(listener);
}

TEST_F(RequestTest, WrongAckIsResetAndRequestStays) {
  const uint32_t iss = half_open();
  const atcp_seg s = ask({.seq = kIrs + 1, .ack = iss + 2});
  EXPECT_EQ(s.flags, ATCP_RST);
  EXPECT_EQ(s.seq, iss + 2);
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_ACK_BAD), 1u);
  EXPECT_EQ(found(), ATCP_FOUND_REQUEST);
}

TEST_F(RequestTest, AckOutsideWindowIsAcknowledged) {
  const uint32_t iss = half_open();
  EXPECT_EQ(ask({.seq = kIrs + 1 + 70000, .ack = iss + 1}).flags, ATCP_ACK);
  EXPECT_EQ(srv.reason(ATCP_REASON_SEQ_BEYOND_WINDOW), 1u);
  EXPECT_EQ(found(), ATCP_FOUND_REQUEST);
}

TEST_F(RequestTest, ExactRstEndsIt) {
  half_open();
  send({.flags = ATCP_RST, .seq = kIrs + 1});
  expect_silence();
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_RST), 1u);
  EXPECT_EQ(srv.counter("EmbryonicRsts"), 1u);
  EXPECT_EQ(ledger(listener).requests, 0u);
}

TEST_F(RequestTest, InexactRstIsChallenged) {
  half_open();
  EXPECT_EQ(ask({.flags = ATCP_RST, .seq = kIrs + 5}).flags, ATCP_ACK);
  EXPECT_EQ(srv.reason(ATCP_REASON_RST_CHALLENGED), 1u);
  EXPECT_EQ(srv.counter("TCPChallengeACK"), 1u);
  EXPECT_EQ(found(), ATCP_FOUND_REQUEST);
}

TEST_F(RequestTest, RstOutsideIsIgnored) {
  half_open();
  send({.flags = ATCP_RST, .seq = kIrs - 5});
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_RST_OUT_OF_WINDOW), 1u);
  EXPECT_EQ(found(), ATCP_FOUND_REQUEST);
}

TEST_F(RequestTest, FinWithoutAckIsDropped) {
  half_open();
  send({.flags = ATCP_FIN, .seq = kIrs + 1});
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_NO_ACK), 1u);
  EXPECT_EQ(found(), ATCP_FOUND_REQUEST);
}

TEST_F(RequestTest, OldTimestampIsRefused) {
  Out o = syn();
  o.tsval = 1000;
  const uint32_t iss = ask(o).seq;
  const atcp_seg s = ask({.seq = kIrs + 1, .ack = iss + 1, .tsval = 999});
  EXPECT_EQ(s.flags, ATCP_ACK);
  EXPECT_EQ(s.tsecr, 1000u);
  EXPECT_EQ(srv.counter("PAWSEstab"), 1u);
  EXPECT_EQ(found(), ATCP_FOUND_REQUEST);
  send({.seq = kIrs + 1, .ack = iss + 1, .tsval = 1001});
  EXPECT_EQ(found(), ATCP_FOUND_CONN);
}

TEST_F(RequestTest, HostUnreachableEndsIt) {
  const uint32_t iss = half_open();
  const atcp_tuple t = tuple();
  const bool v6 = t.family == ATCP_AF_INET6;  // there it is soft, and a closed port is not
  const atcp_icmp_kind soft = v6 ? ATCP_ICMP_HOST_UNREACH : ATCP_ICMP_PORT_UNREACH;
  const atcp_icmp_kind hard = v6 ? ATCP_ICMP_PORT_UNREACH : ATCP_ICMP_HOST_UNREACH;
  Border b("icmp");
  atcp_os_rcu_lock();
  atcp_core_icmp(srv.core(), atcp_core_lookup(srv.core(), &t), hard, iss + 1, 0);
  atcp_core_icmp(srv.core(), atcp_core_lookup(srv.core(), &t), soft, iss, 0);
  for (const atcp_icmp_kind kind : {ATCP_ICMP_UNKNOWN, ATCP_ICMP_NET_BARRED, ATCP_ICMP_HOST_BARRED})
    atcp_core_icmp(srv.core(), atcp_core_lookup(srv.core(), &t), kind, iss, 0);
  EXPECT_EQ(srv.reason(ATCP_REASON_ICMP_IGNORED), 5u);
  EXPECT_EQ(srv.counter("OutOfWindowIcmps"), 1u);
  atcp_core_icmp(srv.core(), atcp_core_lookup(srv.core(), &t), hard, iss, 0);
  atcp_os_rcu_unlock();
  EXPECT_EQ(srv.reason(ATCP_REASON_ICMP_HARD), 1u);
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
}

// ---- TCP_DEFER_ACCEPT ------------------------------------------------------------------------

constexpr uint32_t kDeferAccept = 9;

class Defer : public RequestTest {
 protected:
  void defer(int32_t seconds) { EXPECT_EQ(listener.set_option(kDeferAccept, seconds), ATCP_OK); }
  int32_t deferred() {
    int32_t v = -1;
    EXPECT_EQ(atcp_core_get_option(&listener.conn().conn, kDeferAccept, &v, net.now()), ATCP_OK);
    return v;
  }
  /// Let time pass until the SYN-ACK comes again; the second in which it does.
  uint64_t next_synack() {
    replies.clear();
    for (uint64_t waited = 0; replies.empty() && waited < 100 * kSec; waited += 100 * kMs)
      net.run(100 * kMs);
    EXPECT_EQ(reply().flags, ATCP_SYN | ATCP_ACK);
    return (net.now() - t0) / kSec;
  }
  const uint64_t t0 = net.now();
};

TEST_F(Defer, SecondsAreRoundedToTimeouts) {
  EXPECT_EQ(deferred(), 0);
  const std::pair<int32_t, int32_t> kRounded[] = {
      {1, 1},   {2, 3},    {3, 3},     {4, 7},  {7, 7}, {8, 15},
      {63, 63}, {64, 127}, {128, 247}, {-1, 0}, {0, 0}, {0x7fffffff, 127 + 248 * 120}};
  for (const auto& [set, got] : kRounded) {
    defer(set);
    EXPECT_EQ(deferred(), got) << set;
  }
}

/// Measured on Linux: 3 s; the SYN-ACK of 1 s is left out, those of 3 and 7 s are not, and the ACK of
/// the one of 3 s is taken.
TEST_F(Defer, BareAckWaitsForTheLastSynAck) {
  defer(3);
  const uint32_t iss = half_open();
  send({.seq = kIrs + 1, .ack = iss + 1});
  expect_silence();
  EXPECT_EQ(found(), ATCP_FOUND_REQUEST);
  EXPECT_EQ(srv.counter("TCPDeferAcceptDrop"), 1u);
  EXPECT_EQ(refused(listener, Refused::Ack, ATCP_REASON_DEFER_ACCEPT), 1u);
  EXPECT_EQ(next_synack(), 3u);
  send({.seq = kIrs + 1, .ack = iss + 1});
  expect_silence();
  EXPECT_TRUE(listener.accept().has_value());
}

TEST_F(Defer, SilentPeerIsRemindedAsEver) {
  defer(3);
  half_open();
  for (const uint64_t at : {1u, 3u, 7u, 15u, 31u})
    EXPECT_EQ(next_synack(), at);
}

TEST_F(Defer, PutOffPeerIsKeptLongerThanTheRetries) {
  srv.set("synack_retries", "1");
  defer(15);  // four timeouts
  const uint32_t iss = half_open();
  send({.seq = kIrs + 1, .ack = iss + 1});
  EXPECT_EQ(next_synack(), 15u);
  EXPECT_EQ(found(), ATCP_FOUND_REQUEST);
  net.run(16500 * kMs);
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_TIMEOUT), 1u);
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
}

TEST_F(Defer, DataIsTakenAtOnce) {
  defer(30);
  const uint32_t iss = half_open();
  send({.seq = kIrs + 1, .ack = iss + 1});
  send({.seq = kIrs + 1, .ack = iss + 1, .data = "GET / and a wrap of 2^32"});
  EXPECT_EQ(listener.accept()->recv_text(), "GET / and a wrap of 2^32");
  EXPECT_EQ(ledger(listener).acks, 2u);
}

TEST_F(Defer, FinIsTakenAtOnce) {
  defer(30);
  const uint32_t iss = half_open();
  send({.flags = ATCP_ACK | ATCP_FIN, .seq = kIrs + 1, .ack = iss + 1});
  EXPECT_TRUE(listener.accept()->eof());
}

TEST_F(Defer, OptionStaysWithTheListener) {
  defer(7);
  const uint32_t iss = half_open();
  send({.seq = kIrs + 1, .ack = iss + 1, .data = "x"});
  EXPECT_EQ(listener.accept()->tcb().defer_accept, 0);
  EXPECT_EQ(listener.tcb().defer_accept, 3);
}

TEST_F(RequestTest, SegmentForAGoneRequestIsLookedUpAgain) {
  half_open();
  const atcp_tuple t = tuple();
  Border b("input");
  atcp_os_rcu_lock();
  const atcp_found f = atcp_core_lookup(srv.core(), &t);
  ASSERT_EQ(f.kind, ATCP_FOUND_REQUEST);
  send({.flags = ATCP_RST, .seq = kIrs + 1});
  FakePkt& pkt = net.os.new_pkt({});
  atcp_seg seg = {};
  seg.seq = kIrs;
  seg.flags = ATCP_SYN;
  EXPECT_FALSE(atcp_core_input(srv.core(), f, &t, &seg, &pkt.pkt, net.now()));
  atcp_os_rcu_unlock();
  net.os.free_pkt(pkt);
}

}  // namespace
}  // namespace atcp::test
