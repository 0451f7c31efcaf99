// SPDX-License-Identifier: GPL-2.0
//
// The search for the path MTU by probes (RFC 4821): the range by itself, then connections over links that swallow what
// is too large without a word.
#include "conn/mtu_probe.h"

#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

// ---- the range (conn/mtu_probe.h) ----------------------------------------------------------------

TEST(MtuSearch, HalvesTheRange) {
  MtuSearch m;
  EXPECT_EQ(m.cap(9000), 9000u);  // off
  m.begin(1064, 1500, 7);
  EXPECT_EQ(m.cap(9000), 1064u);
  EXPECT_EQ(m.cap(600), 600u);
  EXPECT_EQ(m.next(8), 1282u);
  m.sent(1282, Seq(1), Seq(2));
  EXPECT_TRUE(m.outstanding());
  m.arrived(8);
  EXPECT_EQ(m.low(), 1282u);
  m.sent(m.next(8), Seq(1), Seq(2));
  m.failed(9, 100);
  EXPECT_EQ(m.high(), 1390u);
  EXPECT_EQ(m.low(), 1282u);
  EXPECT_TRUE(m.waits(108));
  EXPECT_FALSE(m.waits(109));
  EXPECT_EQ(m.quiet_us(20), 11u);
}

TEST(MtuSearch, EndsAtTheTruth) {
  for (const uint32_t threshold : {1u, 8u, 100u}) {
    for (uint32_t truth = 1064; truth <= 1500; truth++) {
      MtuSearch m;
      m.begin(1064, 1500, 0);
      uint32_t probes = 0;
      while (const uint32_t size = m.next(threshold)) {
        ASSERT_GT(size, m.low());
        ASSERT_LE(size, m.high());
        m.sent(size, Seq(0), Seq(1));
        if (size <= truth)
          m.arrived(0);
        else
          m.failed(0, 0);
        ASSERT_LT(++probes, 12u);
      }
      EXPECT_LE(m.low(), truth);
      EXPECT_LT(truth - m.low(), threshold);
    }
  }
}

TEST(MtuSearch, ClaimsEndTheRange) {
  MtuSearch m;
  m.begin(1064, 1500, 0);
  m.limit(1400);
  EXPECT_EQ(m.high(), 1400u);
  m.limit(1450);
  EXPECT_EQ(m.high(), 1400u);
  m.limit(900);
  EXPECT_EQ(m.low(), 900u);
  EXPECT_EQ(m.next(8), 0u);
  m.begin(3000, 2000, 0);
  EXPECT_EQ(m.low(), 2000u);
}

TEST(MtuSearch, UnclearLeavesTheRange) {
  MtuSearch m;
  m.begin(1064, 1500, 0);
  m.sent(1282, Seq(1), Seq(2));
  m.unclear(5, 10);
  EXPECT_FALSE(m.outstanding());
  EXPECT_TRUE(m.waits(14));
  EXPECT_EQ(m.next(8), 1282u);
}

// ---- two hosts, and routers that say nothing -------------------------------------------------------

struct MtuPath : ::testing::Test {
  MtuPath() : a(net.add_host("a", ip4(10, 0, 0, 1))), b(net.add_host("b", ip4(10, 0, 0, 2))) {
    a.set("congestion_control", "reno");
    b.set("congestion_control", "reno");
  }
  ~MtuPath() override { net.close_all(); }

  static uint32_t size_of(const Emitted& e) {
    return static_cast<uint32_t>(ip_header_bytes(e.tuple.family) + e.hdr.size() + e.data.size());
  }
  /// From now on nothing above mtu gets from a to b.
  void limit(uint32_t mtu) {
    net.link(a, b).filter = [this, mtu](Emitted& e) {
      largest = std::max(largest, size_of(e));
      if (size_of(e) <= mtu) return true;
      swallowed++;
      return false;
    };
  }
  void jumbo() {
    for (Host* h : {&a, &b}) {
      h->os().mtu = 9000;
      h->os().advmss = 8960;
    }
  }
  void connect() {
    Sock l = b.listen(++port);
    c = a.connect(b.addr(), port);
    net.run(kSec);
    std::optional<Sock> accepted = l.accept();
    ASSERT_TRUE(accepted.has_value());
    s = *accepted;
    c.conn().sndbuf = 1 << 20;
    s.conn().rcvbuf = 1 << 20;
  }
  /// a writes so many bytes and b gets them, as sent.
  bool transfer(size_t bytes, uint64_t limit_ns = 120 * kSec) {
    size_t sent = 0;
    size_t got = 0;
    const uint32_t salt = ++transfers;
    return net.run_until(
        [&] {
          while (sent < bytes) {
            Bytes part(std::min<size_t>(bytes - sent, 50000));
            for (size_t i = 0; i < part.size(); i++)
              part[i] = static_cast<uint8_t>((sent + i) * 31 + salt);
            const size_t n = c.send(part);
            sent += n;
            if (n < part.size()) break;
          }
          for (const uint8_t byte : s.recv()) {
            EXPECT_EQ(byte, static_cast<uint8_t>(got * 31 + salt));
            got++;
          }
          return got == bytes || ::testing::Test::HasFailure();
        },
        limit_ns);
  }
  /// Data now and then, until the search is at its end: after a failure it pauses.
  void search() {
    for (int i = 0; i < 30 && c.tcb().mtu.next(8) != 0; i++) {
      ASSERT_TRUE(transfer(300000));
      net.run(15 * kSec);
    }
    EXPECT_EQ(c.tcb().mtu.next(8), 0u);
  }
  /// IP packets that c's full segments make now.
  uint32_t packet() const {
    return c.tcb().mss + ip_header_bytes(net.family) + 20 + (c.tcb().ts_ok ? 12 : 0);
  }

  FakeNet net;
  Host& a;
  Host& b;
  Sock c, s;
  uint32_t largest = 0;
  uint32_t swallowed = 0;
  uint32_t transfers = 0;
  uint16_t port = 80;
};

TEST_F(MtuPath, WithoutProbingABlackHoleIsTheEnd) {
  connect();
  limit(1300);
  EXPECT_FALSE(transfer(100000, 60 * kSec));
  EXPECT_EQ(packet(), 1500u);
}

TEST_F(MtuPath, BlackHoleIsFoundAndTheSearchGoesUpAgain) {
  a.set("mtu_probing", "1");
  connect();
  EXPECT_TRUE(transfer(200000));
  EXPECT_FALSE(c.tcb().mtu.on());
  limit(1300);
  EXPECT_TRUE(transfer(100000));
  EXPECT_TRUE(c.tcb().mtu.on());
  search();
  // base_mss first, then as far as it goes.
  EXPECT_GT(packet(), 1300u - 8);
  EXPECT_LE(packet(), 1300u);
  EXPECT_GT(a.counter("TCPMTUPSuccess"), 0u);
  EXPECT_GT(a.counter("TCPMTUPFail"), 0u);
  // Once it is known, nothing is lost any more.
  swallowed = 0;
  EXPECT_TRUE(transfer(1000000));
  EXPECT_EQ(swallowed, 0u);
}

/// IPv6, over Ethernet.
struct MtuPath6 : MtuPath {
  MtuPath6() {
    net.family = ATCP_AF_INET6;
    for (Host* h : {&a, &b}) {
      h->os().mtu = 1500;
      h->os().advmss = 1440;
      h->set("mtu_probing", "1");
    }
  }
};

TEST_F(MtuPath6, BlackHoleIsFoundAndTheSearchGoesUpAgain) {
  connect();
  EXPECT_TRUE(transfer(200000));
  EXPECT_EQ(packet(), 1500u);
  limit(1400);
  EXPECT_TRUE(transfer(100000));
  search();
  EXPECT_GT(packet(), 1400u - 8);
  EXPECT_LE(packet(), 1400u);
}

/// base_mss and all halving of it are below what every path of IPv6 carries.
TEST_F(MtuPath6, SearchBeginsAtTheLeastMtuAndStaysThere) {
  connect();
  limit(1280);
  EXPECT_TRUE(transfer(100000));
  EXPECT_EQ(c.tcb().mtu.low(), 1280u);
  EXPECT_EQ(packet(), 1280u);
  limit(1000);
  EXPECT_FALSE(transfer(100000, 120 * kSec));
  EXPECT_EQ(c.tcb().mtu.low(), 1280u);
  EXPECT_EQ(packet(), 1280u);
}

TEST_F(MtuPath, SmallerThanTheBase) {
  a.set("mtu_probing", "1");
  connect();
  limit(300);
  EXPECT_TRUE(transfer(20000, 600 * kSec));
  EXPECT_LE(packet(), 300u);
}

TEST_F(MtuPath, FloorIsKept) {
  a.set("mtu_probing", "1");
  a.set("mtu_probe_floor", "500");
  connect();
  limit(300);
  EXPECT_FALSE(transfer(20000, 200 * kSec));
  EXPECT_EQ(c.tcb().mss, 500u);
}

TEST_F(MtuPath, JumboPathIsFoundFromBelow) {
  jumbo();
  a.set("mtu_probing", "2");
  for (const uint32_t mtu : {9000u, 4000u}) {
    SCOPED_TRACE(mtu);
    largest = 0;
    connect();
    limit(mtu);
    EXPECT_EQ(c.tcb().mss, 1024u);
    search();
    EXPECT_GT(packet(), mtu - 8);
    EXPECT_LE(packet(), mtu);
    EXPECT_LE(largest, 9000u);
    EXPECT_EQ(a.counter("TCPTimeouts"), 0u);
    c.close();
    s.close();
    net.run(100 * kSec);
    net.link(a, b).filter = nullptr;
  }
}

TEST_F(MtuPath, PeersMssEndsTheSearch) {
  a.os().mtu = 9000;
  a.set("mtu_probing", "2");
  connect();
  limit(9000);
  search();
  EXPECT_GT(packet(), 1500u - 8);
  EXPECT_LE(largest, 1500u);
}

TEST_F(MtuPath, SearchBeginsAnewAfterTheInterval) {
  a.set("mtu_probing", "2");
  connect();
  limit(1200);
  search();
  EXPECT_LE(packet(), 1200u);
  limit(1500);
  const uint64_t tried = a.counter("TCPMTUPSuccess") + a.counter("TCPMTUPFail");
  net.run(200 * kSec);
  EXPECT_TRUE(transfer(3000000));
  EXPECT_EQ(a.counter("TCPMTUPSuccess") + a.counter("TCPMTUPFail"), tried);
  EXPECT_LE(packet(), 1200u);
  net.run(400 * kSec);
  EXPECT_TRUE(transfer(100000));
  search();
  EXPECT_GT(packet(), 1500u - 8);
}

TEST_F(MtuPath, WithoutSackAndTimestamps) {
  a.set("sack", "0");
  a.set("timestamps", "0");
  a.set("mtu_probing", "2");
  connect();
  limit(1350);
  search();
  EXPECT_GT(packet(), 1350u - 8);
  EXPECT_LE(packet(), 1350u);
}

TEST_F(MtuPath, LossyPath) {
  a.set("mtu_probing", "2");
  connect();
  net.link(a, b).loss_permille = 10;
  net.link(b, a).loss_permille = 10;
  limit(1400);
  EXPECT_TRUE(transfer(5000000, 1000 * kSec));
  EXPECT_LE(packet(), 1400u);
}

// ---- one probe, by hand ------------------------------------------------------------------------------

struct MtuProbe : RawConnTest {
  /// Range 1064 to 1500: the first probe makes a packet of 1282 bytes, 1242 of payload.
  static constexpr uint32_t kBase = 1024;
  static constexpr uint32_t kProbe = 1242;

  void begin(const Offer& o = {}) {
    srv.set("mtu_probing", "2");
    open_with(o);
    ASSERT_EQ(s.tcb().mss, kBase);
    s.tcb().cc.cwnd = 20;
    EXPECT_EQ(s.set_option(1, 1), ATCP_OK);  // TCP_NODELAY: what a probe leaves over goes too
  }
  bool probing() { return s.tcb().mtu.outstanding(); }
};

TEST_F(MtuProbe, IsASegmentOfTheStream) {
  begin();
  write_segs(10);
  ASSERT_TRUE(probing());
  ASSERT_GE(replies.size(), 2u);
  EXPECT_EQ(replies[0].data.size(), kProbe);
  EXPECT_GE(replies[0].mss, kProbe);  // it is not cut
  EXPECT_EQ(replies[1].seg.seq, at(kProbe));
  EXPECT_EQ(replies[1].mss, kBase);
  // Only one at a time (RFC 4821 7.4).
  write_segs(5);
  for (const Emitted& e : replies)
    EXPECT_LE(e.mss, kBase);
}

/// As the control tool or the program does.
void set_probing(FakeNet& net, Sock s, const char* text) {
  const atcp_param_text row = {static_cast<uint32_t>(Param::MtuProbing), text};
  uint32_t bad = 0;
  net.os.lock(s.conn());
  EXPECT_EQ(atcp_core_conn_params_set(&s.conn().conn, &row, 1, ATCP_SOURCE_NETLINK, true, net.now(),
                                      &bad),
            ATCP_OK);
  net.os.unlock(s.conn());
}

TEST_F(MtuProbe, TurnedOffEndsTheSearch) {
  begin();
  write_segs(10);
  ASSERT_TRUE(probing());
  const uint32_t cwnd = s.tcb().cc.cwnd;
  set_probing(net, s, "0");
  EXPECT_FALSE(s.tcb().mtu.on());
  EXPECT_FALSE(probing());
  EXPECT_EQ(s.tcb().mss, kMss);
  EXPECT_EQ(s.tcb().cc.cwnd, cwnd * kBase / kMss) << "the same bytes";
  // Once all has arrived, segments are as large as the path is said to carry, and none is a probe.
  peer(0, 10 * kBase);
  EXPECT_EQ(s.tcb().packets_out, 0u);
  write_segs(4);
  ASSERT_FALSE(replies.empty());
  for (const Emitted& e : replies)
    EXPECT_EQ(e.mss, kMss);
  EXPECT_FALSE(probing());
  EXPECT_EQ(srv.counter("TCPMTUPSuccess"), 0u);
}

TEST_F(MtuProbe, TurnedOnBeginsTheSearch) {
  open_with({});
  s.tcb().cc.cwnd = 20;
  EXPECT_EQ(s.set_option(1, 1), ATCP_OK);
  ASSERT_EQ(s.tcb().mss, kMss);
  set_probing(net, s, "1");
  EXPECT_FALSE(s.tcb().mtu.on()) << "there is no black hole";
  set_probing(net, s, "2");
  EXPECT_TRUE(s.tcb().mtu.on());
  EXPECT_EQ(s.tcb().mss, kBase);
  write_segs(10);
  EXPECT_TRUE(probing());
  peer(0, kProbe);
  EXPECT_EQ(s.tcb().mss, kProbe);
}

TEST_F(MtuProbe, TurnedOnWithDataUnderWay) {
  open_with({});
  s.tcb().cc.cwnd = 20;
  write_segs(6);
  set_probing(net, s, "2");
  EXPECT_EQ(s.tcb().mss, kBase);
  peer(0, 6 * kMss);
  EXPECT_EQ(s.tcb().packets_out, 0u);
}

/// Before there is a connection it is only remembered.
TEST_F(MtuProbe, TurnedOnEarlyBeginsWithTheConnection) {
  Sock early = srv.socket();
  set_probing(net, early, "2");
  ASSERT_EQ(srv.try_connect(early, ip4(10, 0, 0, 2), 5000, kPort), ATCP_OK);
  EXPECT_FALSE(early.tcb().mtu.on());
  set_probing(net, early, "2");
  EXPECT_FALSE(early.tcb().mtu.on());
  const uint32_t first = reply().seq;
  send({.flags = ATCP_SYN | ATCP_ACK, .seq = kIrs, .ack = first + 1, .mss = 1460});
  EXPECT_TRUE(early.tcb().mtu.on());
}

TEST_F(MtuProbe, ThatArrivesRaisesTheMss) {
  begin();
  write_segs(10);
  const uint32_t cwnd = s.tcb().cc.cwnd;
  peer(0, kProbe);
  EXPECT_EQ(s.tcb().mss, kProbe);
  EXPECT_EQ(srv.counter("TCPMTUPSuccess"), 1u);
  // The same bytes, and what this ACK opened.
  EXPECT_GE(s.tcb().cc.cwnd, cwnd * kBase / kProbe);
  EXPECT_LE(s.tcb().cc.cwnd, cwnd * kBase / kProbe + 2);
}

TEST_F(MtuProbe, ThatAloneIsLostSaysNothingOfCongestion) {
  begin();
  write_segs(10);
  const uint32_t cwnd = s.tcb().cc.cwnd;
  const uint32_t ssthresh = s.tcb().cc.ssthresh;
  net.run(20 * kMs);
  replies.clear();
  send(segment(0, 0, "", {{kProbe, kProbe + 4 * kBase}}));
  EXPECT_FALSE(probing());
  EXPECT_EQ(srv.counter("TCPMTUPFail"), 1u);
  EXPECT_GE(s.tcb().cc.cwnd, cwnd);
  EXPECT_EQ(s.tcb().cc.ssthresh, ssthresh);
  EXPECT_EQ(s.tcb().rate.lost, 0u);  // nor to a congestion control that goes by rates
  EXPECT_EQ(s.tcb().mss, kBase);
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(replies[0].seg.seq, at(0));
  EXPECT_EQ(replies[0].data.size(), kProbe);
  EXPECT_EQ(replies[0].mss, kBase);  // cut like all others
  EXPECT_EQ(s.tcb().mtu.high(), kProbe + 40 - 1);
}

TEST_F(MtuProbe, FailureIsFollowedByAPause) {
  begin();
  write_segs(10);
  net.run(20 * kMs);
  send(segment(0, 0, "", {{kProbe, kProbe + 4 * kBase}}));
  net.run(20 * kMs);
  peer(0, 10 * kBase);
  ASSERT_EQ(s.tcb().packets_out, 0u);
  const uint32_t cwnd = s.tcb().cc.cwnd;
  write_segs(8);
  EXPECT_FALSE(probing());
  net.run(20 * kMs);
  peer(0, 18 * kBase);
  // About cwnd round trips of 20 ms (RFC 4821 7.6.2); idle, but not for so long as to begin anew.
  srv.set("slow_start_after_idle", "0");
  net.run(cwnd * 40 * kMs);
  write_segs(8);
  EXPECT_TRUE(probing());
}

TEST_F(MtuProbe, OtherLossesMakeItUnclear) {
  begin();
  write_segs(12);
  net.run(20 * kMs);
  // The probe and the segment after it.
  send(segment(0, 0, "", {{kProbe + kBase, kProbe + 6 * kBase}}));
  EXPECT_FALSE(probing());
  EXPECT_EQ(srv.counter("TCPMTUPFail"), 0u);
  EXPECT_EQ(s.tcb().ca_state, CaState::Recovery);
  EXPECT_EQ(s.tcb().mtu.high(), 1500u);
}

TEST_F(MtuProbe, TimeoutMakesItUnclear) {
  srv.set("early_retrans", "0");  // no probe of the tail before it
  begin();
  write_segs(10);
  net.run(s.tcb().rto_us() * kUs * 2);
  EXPECT_FALSE(probing());
  EXPECT_EQ(s.tcb().mtu.high(), 1500u);
  EXPECT_TRUE(s.tcb().mtu.waits(net.now() / kUs));
}

TEST_F(MtuProbe, NeedsWindowDataAndCwnd) {
  begin();
  // Data for the probe, but not for the four segments that would show its loss.
  write_segs(4);
  EXPECT_FALSE(probing());
  peer(0, 4 * kBase);
  s.tcb().cc.cwnd = 10;
  write_segs(10);
  EXPECT_FALSE(probing());
  wnd = 4 * kBase;
  peer(0, 14 * kBase);
  s.tcb().cc.cwnd = 20;
  write_segs(10);
  EXPECT_FALSE(probing());
}

TEST_F(MtuProbe, NotWhileSomethingIsMissing) {
  begin();
  write_segs(4);
  net.run(20 * kMs);
  send(segment(0, 0, "", {{2 * kBase, 3 * kBase}}));
  write_segs(10);
  EXPECT_FALSE(probing());
}

TEST_F(MtuProbe, NotWithASackListInTheHeader) {
  begin();
  peer(1000, 0, "out of order");
  write_segs(10);
  EXPECT_FALSE(probing());
}

TEST_F(MtuProbe, RoutersWordEndsTheRange) {
  begin();
  write_segs(10);
  ASSERT_TRUE(probing());
  // A forged message about what is not outstanding does nothing, a small one no more than 552 (RFC 5927).
  s.icmp(ATCP_ICMP_FRAG_NEEDED, at(500000), 600);
  EXPECT_EQ(s.tcb().mtu.high(), 1500u);
  s.icmp(ATCP_ICMP_FRAG_NEEDED, at(0), 1200);
  EXPECT_EQ(s.tcb().mtu.high(), 1200u);
  EXPECT_EQ(s.tcb().mss, kBase);
  s.icmp(ATCP_ICMP_FRAG_NEEDED, at(0), 68);
  EXPECT_EQ(s.tcb().mtu.low(), 552u);
  EXPECT_EQ(s.tcb().mss, 512u);
}

TEST_F(MtuProbe, IsNoLargerThanTheRouteAllowsNow) {
  begin();
  srv.os().mtu = 1200;
  write_segs(10);
  ASSERT_TRUE(probing());
  EXPECT_LE(s.tcb().mtu.size(), 1200u);
  EXPECT_EQ(s.tcb().mtu.high(), 1200u);
  ASSERT_FALSE(replies.empty());
  EXPECT_GT(replies[0].mss, kBase);
}

TEST_F(MtuProbe, ThatCannotLeaveGoesInSmallSegments) {
  begin();
  FakeOs::the().fail(Fault::Emit, 1);
  write_segs(10);
  EXPECT_FALSE(probing());
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(replies[0].seg.seq, at(0));
  size_t bytes = 0;
  for (const Emitted& e : replies) {
    EXPECT_EQ(e.mss, kBase);
    bytes += e.data.size();
  }
  EXPECT_EQ(bytes, 10u * kBase);
  EXPECT_TRUE(s.tcb().mtu.waits(net.now() / kUs));
}

TEST_F(MtuProbe, NothingLeavesAtAll) {
  begin();
  FakeOs::the().fail_always(Fault::Emit, true);
  write_segs(10);
  EXPECT_TRUE(replies.empty());
  EXPECT_FALSE(probing());
  FakeOs::the().fail_always(Fault::Emit, false);
  net.run(kSec);
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(replies[0].seg.seq, at(0));
}

}  // namespace
}  // namespace atcp::test
