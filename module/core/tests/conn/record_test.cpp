// SPDX-License-Identifier: GPL-2.0
//
// The closing record: for each way in which a connection can end, who ended it and why; and that it tells all.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <type_traits>

#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

constexpr uint32_t kLinger2 = 8;
constexpr uint32_t kUserTimeout = 18;
constexpr uint32_t kKeepIdle = 4;

class RecordTest : public RawConnTest {
 protected:
  void SetUp() override {
    // Soon over.
    srv.set("retries2", "3");
    srv.set("syn_retries", "1");
    srv.set("syn_linear_timeouts", "0");
    srv.set("orphan_retries", "2");
    srv.set("keepalive_probes", "2");
    srv.set("keepalive_intvl", "1");
  }
  void peer_fin(uint32_t seq, uint32_t ack) {
    Out o = segment(seq, ack);
    o.flags = ATCP_ACK | ATCP_FIN;
    send(o);
  }
  void peer_rst(uint32_t seq) {
    Out o = segment(seq, 0);
    o.flags = ATCP_RST;
    send(o);
  }
  Sock connect() { return srv.connect(ip4(10, 0, 0, 2), 5000, 0); }
  /// There is one record, and it says that.
  void expect_end(uint32_t by, uint32_t reason, uint32_t state) {
    ASSERT_EQ(net.os.records.size(), 1u);
    const atcp_record& r = net.os.records[0];
    EXPECT_EQ(r.ended_by, by);
    EXPECT_EQ(r.reason, reason) << atcp_core_reason_name(r.reason, nullptr);
    EXPECT_EQ(r.info.state, state);
    EXPECT_EQ(std::accumulate(std::begin(r.info.limited_us), std::end(r.info.limited_us), 0ull),
              r.info.age_us);
  }
};

TEST_F(RecordTest, OurFinCameFirst) {
  open_with({});
  s.shutdown();
  peer(0, 1);
  peer_fin(0, 1);
  expect_end(ATCP_ENDED_BY_LOCAL_FIN, ATCP_REASON_NORMAL_CLOSE, ATCP_STATE_FIN_WAIT2);
}

TEST_F(RecordTest, BothClosedAtTheSameTime) {
  open_with({});
  s.shutdown();
  peer_fin(0, 0);
  peer(1, 1);
  expect_end(ATCP_ENDED_BY_LOCAL_FIN, ATCP_REASON_NORMAL_CLOSE, ATCP_STATE_CLOSING);
}

TEST_F(RecordTest, ThePeersFinCameFirst) {
  open_with({});
  peer_fin(0, 0);
  s.shutdown();
  peer(1, 1);
  expect_end(ATCP_ENDED_BY_PEER_FIN, ATCP_REASON_NORMAL_CLOSE, ATCP_STATE_LAST_ACK);
}

TEST_F(RecordTest, NoPlaceForTimeWait) {
  srv.set("max_tw_buckets", "0");
  open_with({});
  s.shutdown();
  peer(0, 1);
  peer_fin(0, 1);
  expect_end(ATCP_ENDED_BY_LOCAL_QUIET, ATCP_REASON_TIMEWAIT_OVERFLOW, ATCP_STATE_FIN_WAIT2);
}

TEST_F(RecordTest, ThePeerResets) {
  open_with({});
  peer_rst(0);
  expect_end(ATCP_ENDED_BY_PEER_RST, ATCP_REASON_RESET_BY_PEER, ATCP_STATE_ESTABLISHED);
}

TEST_F(RecordTest, ThePeerRefuses) {
  connect();
  const Emitted syn = replies.front();
  Header h;
  h.lport = syn.tuple.rport;
  h.rport = syn.tuple.lport;
  h.flags = ATCP_RST | ATCP_ACK;
  h.ack = Seq(syn.seg.seq + 1);
  uint8_t bytes[kMaxHeader];
  const uint32_t n = write_header(h, bytes);
  Emitted rst;
  rst.tuple = syn.tuple;
  std::swap(rst.tuple.laddr, rst.tuple.raddr);
  std::swap(rst.tuple.lport, rst.tuple.rport);
  rst.hdr.assign(bytes, bytes + n);
  srv.receive(rst);
  expect_end(ATCP_ENDED_BY_PEER_RST, ATCP_REASON_REFUSED_BY_PEER, ATCP_STATE_SYN_SENT);
}

TEST_F(RecordTest, DataForNobody) {
  open_with({});
  s.close();
  peer(0, 1, "late");
  expect_end(ATCP_ENDED_BY_LOCAL_RST, ATCP_REASON_ABORT_ON_DATA, ATCP_STATE_FIN_WAIT2);
  EXPECT_TRUE(net.os.records[0].orphaned);
}

TEST_F(RecordTest, ClosedWithUnreadData) {
  open_with({});
  peer(0, 0, "unread");
  s.close();
  expect_end(ATCP_ENDED_BY_LOCAL_RST, ATCP_REASON_ABORT_ON_CLOSE, ATCP_STATE_ESTABLISHED);
}

TEST_F(RecordTest, LingerOfNoTime) {
  open_with({});
  s.close(true);
  expect_end(ATCP_ENDED_BY_LOCAL_RST, ATCP_REASON_ABORT_ON_LINGER, ATCP_STATE_ESTABLISHED);
}

TEST_F(RecordTest, NoFinWait2Wanted) {
  open_with({});
  s.set_option(kLinger2, -1);
  s.close();
  peer(0, 1);
  expect_end(ATCP_ENDED_BY_LOCAL_RST, ATCP_REASON_ABORT_ON_LINGER, ATCP_STATE_FIN_WAIT2);
}

TEST_F(RecordTest, AbortedForWhateverReason) {
  for (const uint32_t reason : {ATCP_REASON_ABORT_BY_USER, ATCP_REASON_ABORT_ORPHANS,
                                ATCP_REASON_ABORT_MEMORY, ATCP_REASON_ABORT_OVERFLOW}) {
    net.os.records.clear();
    open_with({});
    s.abort(reason);
    expect_end(ATCP_ENDED_BY_LOCAL_RST, reason, ATCP_STATE_ESTABLISHED);
    s.close();
    listener.close();
  }
}

TEST_F(RecordTest, AbortedBeforeThereWasAnybodyToReset) {
  Sock c = connect();
  c.abort(ATCP_REASON_ABORT_BY_USER);
  expect_end(ATCP_ENDED_BY_LOCAL_QUIET, ATCP_REASON_ABORT_BY_USER, ATCP_STATE_SYN_SENT);
}

TEST_F(RecordTest, ClosedBeforeThereWasAnybodyToReset) {
  Sock c = connect();
  c.close();
  expect_end(ATCP_ENDED_BY_LOCAL_QUIET, ATCP_REASON_ABORT_BY_USER, ATCP_STATE_SYN_SENT);
}

TEST_F(RecordTest, TheListenerIsClosed) {
  listener = srv.listen(kPort);
  open();
  listener.close();
  expect_end(ATCP_ENDED_BY_LOCAL_RST, ATCP_REASON_ABORT_LISTENER, ATCP_STATE_ESTABLISHED);
  EXPECT_TRUE(net.os.records[0].passive);
}

TEST_F(RecordTest, NobodyAnswersTheSyn) {
  connect();
  net.run(60 * kSec);
  expect_end(ATCP_ENDED_BY_TIMEOUT, ATCP_REASON_TIMEOUT_SYN, ATCP_STATE_SYN_SENT);
}

TEST_F(RecordTest, NobodyAcknowledges) {
  open_with({});
  write_segs(1);
  net.run(600 * kSec);
  expect_end(ATCP_ENDED_BY_TIMEOUT, ATCP_REASON_TIMEOUT_RETRANSMIT, ATCP_STATE_ESTABLISHED);
  EXPECT_GT(net.os.records[0].info.limited_us[ATCP_LIMIT_RECOVERY], 1000000u);
}

TEST_F(RecordTest, NobodyAnswersProbesOfTheWindow) {
  open_with({});
  wnd = 0;
  peer(0, 0);
  write_segs(1);
  net.run(600 * kSec);
  expect_end(ATCP_ENDED_BY_TIMEOUT, ATCP_REASON_TIMEOUT_PROBE, ATCP_STATE_ESTABLISHED);
  const atcp_conn_info& i = net.os.records[0].info;
  EXPECT_EQ(i.limited_us[ATCP_LIMIT_ZERO_WINDOW], i.age_us);
}

TEST_F(RecordTest, NobodyAnswersKeepalives) {
  open_with({});
  s.set_option(kKeepIdle, 1);
  s.set_keepalive(true);
  net.run(60 * kSec);
  expect_end(ATCP_ENDED_BY_TIMEOUT, ATCP_REASON_TIMEOUT_KEEPALIVE, ATCP_STATE_ESTABLISHED);
}

TEST_F(RecordTest, TheProgramsPatienceIsOver) {
  open_with({});
  s.set_option(kUserTimeout, 500);
  write_segs(1);
  net.run(60 * kSec);
  expect_end(ATCP_ENDED_BY_TIMEOUT, ATCP_REASON_TIMEOUT_USER, ATCP_STATE_ESTABLISHED);
}

TEST_F(RecordTest, ThePeersFinDoesNotCome) {
  srv.set("fin_timeout", "2");
  open_with({});
  s.close();
  peer(0, 1);
  net.run(60 * kSec);
  expect_end(ATCP_ENDED_BY_LOCAL_QUIET, ATCP_REASON_TIMEOUT_FIN_WAIT2, ATCP_STATE_FIN_WAIT2);
  EXPECT_EQ(net.os.records[0].info.in_state_ms[ATCP_STATE_FIN_WAIT2], 2000u);
}

TEST_F(RecordTest, TheNetworkRefuses) {
  Sock c = connect();
  const uint32_t syn = c.tcb().iss.raw();
  c.icmp(ATCP_ICMP_PORT_UNREACH, syn);
  expect_end(ATCP_ENDED_BY_NETWORK, ATCP_REASON_ICMP_HARD, ATCP_STATE_SYN_SENT);
}

TEST_F(RecordTest, NoneWithoutAConnection) {
  Sock unused = srv.socket();
  unused.close();
  listener = srv.listen(kPort);
  half_open();
  listener.close();
  EXPECT_TRUE(net.os.records.empty());
}

TEST_F(RecordTest, NoneOfAListenerThatWasAConnectionBefore) {
  Sock c = connect();
  c.abort(ATCP_REASON_ABORT_BY_USER);
  net.os.records.clear();
  ASSERT_EQ(srv.try_listen(c, 81, 1), ATCP_OK);
  c.close();
  EXPECT_TRUE(net.os.records.empty());
}

TEST_F(RecordTest, AnotherLifeOfTheSameSocketHasItsOwnTimes) {
  Sock c = connect();
  net.run(300 * kMs);
  c.abort(ATCP_REASON_ABORT_BY_USER);
  const uint64_t again_ns = net.now();
  ASSERT_EQ(srv.try_connect(c, ip4(10, 0, 0, 2), 5001), ATCP_OK);
  net.run(100 * kMs);
  c.abort(ATCP_REASON_ABORT_BY_USER);
  ASSERT_EQ(net.os.records.size(), 2u);
  EXPECT_EQ(net.os.records[1].opened_ns, again_ns);
  EXPECT_EQ(net.os.records[1].info.in_state_ms[ATCP_STATE_SYN_SENT], 100u);
}

TEST_F(RecordTest, NoneThatNobodyWants) {
  net.os.keep_records = false;
  open_with({});
  s.abort(ATCP_REASON_ABORT_BY_USER);
  EXPECT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_CLOSED));
  EXPECT_TRUE(net.os.records.empty());
}

/// The memory that it is written to may hold anything: what a field says does not depend on it.
TEST_F(RecordTest, EachFieldIsWritten) {
  Sock c = connect();
  open_with({});
  for (const Sock& x : {c, s}) {
    atcp_conn_info over[2];
    static_assert(std::has_unique_object_representations_v<atcp_conn_info>);
    memset(&over[0], 0, sizeof over[0]);
    memset(&over[1], 0xff, sizeof over[1]);
    for (atcp_conn_info& i : over)
      atcp_core_conn_info(&x.conn().conn, &i, net.now());
    EXPECT_EQ(memcmp(&over[0], &over[1], sizeof over[0]), 0);
  }
  s.abort(ATCP_REASON_ABORT_BY_USER);
  ASSERT_EQ(net.os.records.size(), 1u);
  const atcp_record& r = net.os.records[0];
  EXPECT_STREQ(r.cc, "reno");
  EXPECT_EQ(r.info.limited_us[ATCP_LIMIT_DEVICE], 0u);
  EXPECT_EQ(r.info.in_state_ms[ATCP_STATE_CLOSED], 0u);
  EXPECT_EQ(r.info.delivery_rate, 0u);
}

TEST_F(RecordTest, TellsAll) {
  const uint64_t syn_ns = net.now();
  open_with({});
  write_segs(2);
  ack_segs(2);
  net.run(100 * kMs);
  s.shutdown();
  peer(0, 2 * kMss + 1);
  net.run(50 * kMs);
  peer_fin(0, 2 * kMss + 1);
  ASSERT_EQ(net.os.records.size(), 1u);
  const atcp_record& r = net.os.records[0];
  const atcp_tuple t = tuple();
  EXPECT_EQ(r.tuple.family, t.family);
  EXPECT_EQ(number_of(r.tuple.laddr, t.family), number_of(t.laddr, t.family));
  EXPECT_EQ(number_of(r.tuple.raddr, t.family), number_of(t.raddr, t.family));
  EXPECT_EQ(r.tuple.lport, t.lport);
  EXPECT_EQ(r.tuple.rport, t.rport);
  EXPECT_STREQ(r.cc, "reno");
  EXPECT_EQ(r.opened_ns, syn_ns);
  EXPECT_EQ(r.closed_ns, net.now());
  EXPECT_TRUE(r.passive);
  EXPECT_FALSE(r.orphaned);
  EXPECT_EQ(r.info.bytes_acked, 2 * kMss + 1);
  EXPECT_EQ(r.info.handshake_us, 20000u);
  EXPECT_EQ(r.info.age_us, 150000u);
  EXPECT_EQ(r.info.in_state_ms[ATCP_STATE_ESTABLISHED], 100u);
  EXPECT_EQ(r.info.in_state_ms[ATCP_STATE_FIN_WAIT2], 50u);
}

}  // namespace
}  // namespace atcp::test
