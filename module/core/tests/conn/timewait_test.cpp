// SPDX-License-Identifier: GPL-2.0
//
// TIME_WAIT entries: who gets one, what each segment does to it, and who may take its place.
#include "conn/timewait.h"

#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

class TimeWaitTest : public RawPeerTest {
 protected:
  TimeWaitTest() : listener(srv.listen(kPort)) {}

  /// A connection that the server closed first, all the way; its sequence number after the FIN.
  uint32_t close_first(uint16_t port = 5000) {
    Out o = syn(port);
    o.tsval = tsval;
    const uint32_t iss = ask(o).seq;
    send({.seq = kIrs + 1, .ack = iss + 1, .tsval = tsval, .port = port});
    listener.accept()->close();
    send({.flags = ATCP_FIN | ATCP_ACK,
          .seq = kIrs + 1,
          .ack = iss + 2,
          .tsval = tsval,
          .port = port});
    EXPECT_EQ(reply().ack, kIrs + 2);
    EXPECT_EQ(found(port), ATCP_FOUND_TIMEWAIT);
    return iss + 2;
  }
  uint32_t left_s() {
    Border b("lookup");
    const atcp_tuple t = tuple();
    atcp_os_rcu_lock();
    const atcp_found f = atcp_core_lookup(srv.core(), &t);
    EXPECT_EQ(f.kind, ATCP_FOUND_TIMEWAIT);
    const uint64_t ns =
        Wheel::left_ns(as_timewait(static_cast<Endpoint*>(f.entry))->wheel, net.now());
    atcp_core_put(f);
    atcp_os_rcu_unlock();
    return static_cast<uint32_t>((ns + kSec / 2) / kSec);
  }

  Sock listener;
  std::optional<uint32_t> tsval;
};

TEST_F(TimeWaitTest, LastsTimewaitLen) {
  close_first();
  EXPECT_EQ(srv.counter("TW"), 0u);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 1u);
  EXPECT_EQ(left_s(), 60u);
  net.run(59 * kSec);
  EXPECT_EQ(found(), ATCP_FOUND_TIMEWAIT);
  net.run(2 * kSec);
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
  EXPECT_EQ(srv.counter("TW"), 1u);  // as Linux: those that ended by time
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
}

TEST_F(TimeWaitTest, LengthIsAParameter) {
  srv.set("timewait_len", "5");
  close_first();
  net.run(5200 * kMs);
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
}

TEST_F(TimeWaitTest, LengthIsTheSocketsOwnIfItHasOne) {
  constexpr uint32_t kTimewaitS = ATCP_OWN_OPT + ATCP_SO_TIMEWAIT_S;
  EXPECT_EQ(listener.get_option(kTimewaitS), 60);
  for (const int32_t v : {-1, 601, 0x7fffffff})
    EXPECT_EQ(listener.set_option(kTimewaitS, v), ATCP_ERR_INVALID);
  EXPECT_EQ(listener.set_option(kTimewaitS, 600), ATCP_OK);
  EXPECT_EQ(listener.get_option(kTimewaitS), 600);
  EXPECT_EQ(listener.set_option(kTimewaitS, 0), ATCP_OK);
  EXPECT_EQ(listener.get_option(kTimewaitS), 60);
  EXPECT_EQ(listener.set_option(kTimewaitS, 7), ATCP_OK);
  EXPECT_EQ(listener.set_option(kTimewaitS + 1, 7), ATCP_ERR_NO_OPTION);
  const uint32_t nxt = close_first();
  EXPECT_EQ(left_s(), 7u);
  srv.set("timewait_len", "30");
  net.run(5 * kSec);
  send({.flags = ATCP_FIN | ATCP_ACK, .seq = kIrs + 1, .ack = nxt});
  EXPECT_EQ(left_s(), 7u);
}

TEST_F(TimeWaitTest, FinAgainIsAcknowledgedAndRestarts) {
  const uint32_t nxt = close_first();
  net.run(10 * kSec);
  EXPECT_EQ(left_s(), 50u);
  const atcp_seg s = ask({.flags = ATCP_FIN | ATCP_ACK, .seq = kIrs + 1, .ack = nxt});
  EXPECT_EQ(s.flags, ATCP_ACK);
  EXPECT_EQ(s.seq, nxt);
  EXPECT_EQ(s.ack, kIrs + 2);
  EXPECT_EQ(left_s(), 60u);
}

TEST_F(TimeWaitTest, ExactAckRestartsInSilence) {
  const uint32_t nxt = close_first();
  net.run(10 * kSec);
  send({.seq = kIrs + 2, .ack = nxt});
  expect_silence();
  EXPECT_EQ(left_s(), 60u);
}

TEST_F(TimeWaitTest, OldAckAndDataAreAnswered) {
  const uint32_t nxt = close_first();
  EXPECT_EQ(ask({.seq = kIrs - 50, .ack = nxt}).ack, kIrs + 2);
  EXPECT_EQ(ask({.seq = kIrs + 2, .ack = nxt, .data = "more"}).ack, kIrs + 2);
  EXPECT_EQ(srv.reason(ATCP_REASON_TIMEWAIT_OLD), 2u);
}

TEST_F(TimeWaitTest, AnswersAreRateLimitedButNotToData) {
  srv.set("invalid_ratelimit", "500");
  const uint32_t nxt = close_first();
  ask({.seq = kIrs - 50, .ack = nxt});
  send({.seq = kIrs - 50, .ack = nxt});
  expect_silence();
  EXPECT_EQ(srv.counter("TCPACKSkippedTimeWait"), 1u);
  ask({.seq = kIrs + 2, .ack = nxt, .data = "more"});
}

TEST_F(TimeWaitTest, ExactRstKillsIt) {
  close_first();
  send({.flags = ATCP_RST, .seq = kIrs + 2});
  expect_silence();
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
}

TEST_F(TimeWaitTest, Rfc1337Protects) {
  srv.set("rfc1337", "1");
  close_first();
  send({.flags = ATCP_RST, .seq = kIrs + 2});
  EXPECT_EQ(found(), ATCP_FOUND_TIMEWAIT);
}

TEST_F(TimeWaitTest, InexactRstIsIgnored) {
  close_first();
  send({.flags = ATCP_RST, .seq = kIrs + 3});
  expect_silence();
  EXPECT_EQ(found(), ATCP_FOUND_TIMEWAIT);
}

TEST_F(TimeWaitTest, NewerSynTakesOver) {
  const uint32_t nxt = close_first();
  Out o = syn();
  o.seq = kIrs + 1000;
  const atcp_seg s = ask(o);
  EXPECT_EQ(s.flags, ATCP_SYN | ATCP_ACK);
  EXPECT_EQ(s.seq, nxt + 65537);
  EXPECT_EQ(found(), ATCP_FOUND_REQUEST);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 1u);
  EXPECT_EQ(ledger(listener).synacks, 2u);
}

TEST_F(TimeWaitTest, OlderSynIsAcknowledgedAndDoesNotRestart) {
  close_first();
  net.run(10 * kSec);
  Out o = syn();
  o.seq = kIrs - 1000;
  EXPECT_EQ(ask(o).flags, ATCP_ACK);
  EXPECT_EQ(left_s(), 50u);
}

TEST_F(TimeWaitTest, OlderSynWithNewerTimestampTakesOver) {
  tsval = 1000;
  close_first();
  Out o = syn();
  o.seq = kIrs - 1000;
  o.tsval = 1001;
  EXPECT_EQ(ask(o).flags, ATCP_SYN | ATCP_ACK);
}

TEST_F(TimeWaitTest, OlderTimestampIsRefused) {
  tsval = 1000;
  close_first();
  Out o = syn();
  o.seq = kIrs + 1000;
  o.tsval = 999;
  const atcp_seg s = ask(o);
  EXPECT_EQ(s.flags, ATCP_ACK);
  EXPECT_EQ(s.tsecr, 1000u);
  EXPECT_EQ(srv.counter("PAWSTimewait"), 1u);
}

TEST_F(TimeWaitTest, EqualOrNoTimestampNeedsANewerNumber) {
  // RFC 6191 2: what the timestamp does not decide, the number does.
  for (const bool has_ts : {true, false}) {
    SCOPED_TRACE(has_ts);
    tsval = 1000;
    const uint32_t nxt = close_first();
    Out o = syn();
    if (has_ts) o.tsval = 1000;
    const atcp_seg refused = ask(o);  // the old number again
    EXPECT_EQ(refused.flags, ATCP_ACK);
    EXPECT_EQ(refused.seq, nxt);
    o.seq = kIrs + 1000;
    EXPECT_EQ(ask(o).flags, ATCP_SYN | ATCP_ACK);
    send({.flags = ATCP_RST, .seq = o.seq + 1});
    ASSERT_EQ(found(), ATCP_FOUND_LISTENER);
  }
}

TEST_F(TimeWaitTest, NewTimestampSaysNothingIfThereWasNone) {
  close_first();
  Out o = syn();
  o.tsval = 1000;
  EXPECT_EQ(ask(o).flags, ATCP_ACK);
  o.seq = kIrs + 1000;
  EXPECT_EQ(ask(o).flags, ATCP_SYN | ATCP_ACK);
}

TEST_F(TimeWaitTest, NewerSynWithoutListenerIsAcknowledged) {
  const uint32_t nxt = close_first();
  listener.close();
  Out o = syn();
  o.seq = kIrs + 1000;
  const atcp_seg s = ask(o);
  EXPECT_EQ(s.flags, ATCP_ACK);
  EXPECT_EQ(s.seq, nxt);
  EXPECT_EQ(found(), ATCP_FOUND_TIMEWAIT);
}

TEST_F(TimeWaitTest, RefusedSynEndsNothing) {
  close_first();
  // The accept queue is filled, so the listener will not have the SYN.
  {
    listener.conn().locked = true;
    EXPECT_EQ(atcp_core_listen(&listener.conn().conn, 0, 0, net.now()), ATCP_OK);
    listener.conn().locked = false;
  }
  open(6000);
  Out o = syn();
  o.seq = kIrs + 1000;
  send(o);
  expect_silence();
  EXPECT_EQ(found(), ATCP_FOUND_TIMEWAIT);
  EXPECT_EQ(srv.counter("TWRecycled"), 0u);
  // A place becomes free, and the repeated SYN has it.
  listener.accept()->abort(ATCP_REASON_ABORT_BY_USER);
  EXPECT_EQ(ask(o).flags, ATCP_SYN | ATCP_ACK);
  EXPECT_EQ(srv.counter("TWRecycled"), 1u);
  expect_balanced(listener);
}

TEST_F(TimeWaitTest, NoMemoryForTheRequestEndsNothing) {
  close_first();
  Out o = syn();
  o.seq = kIrs + 1000;
  net.os.fail(Fault::Alloc, 1);
  send(o);
  expect_silence();
  EXPECT_EQ(found(), ATCP_FOUND_TIMEWAIT);
}

TEST_F(TimeWaitTest, BeyondTheLimitTheCloseJustEnds) {
  srv.set("max_tw_buckets", "2");
  close_first(5000);
  close_first(5001);
  const uint32_t iss = open(5002);
  listener.accept()->close();
  send({.flags = ATCP_FIN | ATCP_ACK, .seq = kIrs + 1, .ack = iss + 2, .port = 5002});
  EXPECT_EQ(found(5002), ATCP_FOUND_LISTENER);
  EXPECT_EQ(srv.counter("TCPTimeWaitOverflow"), 1u);
  EXPECT_EQ(srv.reason(ATCP_REASON_TIMEWAIT_OVERFLOW), 1u);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 2u);
}

TEST_F(TimeWaitTest, NoMemoryTheCloseJustEnds) {
  const uint32_t iss = open();
  listener.accept()->close();
  net.os.fail(Fault::Alloc, 1);
  send({.flags = ATCP_FIN | ATCP_ACK, .seq = kIrs + 1, .ack = iss + 2});
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
  EXPECT_EQ(srv.reason(ATCP_REASON_TIMEWAIT_OVERFLOW), 1u);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
}

/// connect() from the port whose last connection is in TIME_WAIT.
class Reuse : public TimeWaitTest {
 protected:
  atcp_err reconnect() {
    replies.clear();
    Sock s = srv.socket();
    return srv.try_connect(s, ip4(10, 0, 0, 2), 5000, kPort);
  }
  void SetUp() override {
    tsval = 1000;
    nxt = close_first();
    listener.close();
  }
  uint32_t nxt = 0;
};

TEST_F(Reuse, NotWithinASecond) {
  srv.set("tw_reuse", "1");
  net.run(1 * kMs);
  EXPECT_EQ(reconnect(), ATCP_ERR_ADDR_NOT_AVAIL);
}

TEST_F(Reuse, AfterASecond) {
  srv.set("tw_reuse", "1");
  net.run(1200 * kMs);
  EXPECT_EQ(reconnect(), ATCP_OK);
  const atcp_seg s = reply();
  EXPECT_EQ(s.flags, ATCP_SYN);
  EXPECT_EQ(s.seq, nxt + 65537);
  EXPECT_EQ(srv.counter("TWRecycled"), 1u);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
}

TEST_F(Reuse, NotWhenOff) {
  srv.set("tw_reuse", "0");
  net.run(2 * kSec);
  EXPECT_EQ(reconnect(), ATCP_ERR_ADDR_NOT_AVAIL);
}

TEST_F(Reuse, LoopbackOnlyByDefault) {
  net.run(2 * kSec);
  EXPECT_EQ(reconnect(), ATCP_ERR_ADDR_NOT_AVAIL);
}

TEST_F(Reuse, LoopbackOfEitherFamily) {
  struct {
    TimeWait w = {};
    uint64_t room[kV6Words] = {};
  } r;
  r.w.v6_words = sizeof(TimeWait) / sizeof(uint64_t);
  r.w.ts_ok = 1;
  const atcp_ip other6 = address_of(ip4(127, 0, 0, 1), ATCP_AF_INET6);
  atcp_ip loopback6 = {}, like127 = {};
  loopback6.v6[15] = 1;
  like127.v6[0] = 127;
  like127.v6[15] = 1;
  const atcp_ip loopback4 = {.v4 = ip4(127, 1, 2, 3)}, other4 = {.v4 = ip4(10, 0, 0, 1)};
  const struct {
    uint16_t family;
    atcp_ip laddr, raddr;
    bool ok;
  } rows[] = {
      {ATCP_AF_INET, loopback4, other4, true},  {ATCP_AF_INET, other4, loopback4, true},
      {ATCP_AF_INET, other4, other4, false},    {ATCP_AF_INET6, loopback6, loopback6, true},
      {ATCP_AF_INET6, other6, loopback6, true}, {ATCP_AF_INET6, other6, other6, false},
      {ATCP_AF_INET6, like127, like127, false},
  };
  for (const auto& row : rows) {
    atcp_tuple t = {};
    t.family = row.family;
    t.laddr = row.laddr;
    t.raddr = row.raddr;
    set_tuple(r.w, t);
    EXPECT_EQ(timewait_reusable(srv.ns(), r.w, Now(net.now())), row.ok) << &row - rows;
  }
}

}  // namespace
}  // namespace atcp::test
