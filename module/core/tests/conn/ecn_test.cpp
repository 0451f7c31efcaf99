// SPDX-License-Identifier: GPL-2.0
//
// ECN between two hosts whose link marks packets: who asks and who agrees, what may be marked, the echo
// until CWR, the reduction once per window, and RFC 8257's exact echo.
#include "conn/ecn.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "conn/tcb.h"
#include "tests/fake_net.h"

namespace atcp::test {
namespace {

constexpr uint8_t kBoth = ATCP_ECE | ATCP_CWR;

class Ecn : public ::testing::Test {
 protected:
  Ecn() : cli(net.add_host("cli", ip4(10, 0, 0, 1))), srv(net.add_host("srv", ip4(10, 0, 0, 2))) {
    cli.set("ecn", "1");
    cli.set("slow_start_after_idle", "0");
    net.link(cli, srv).filter = [this](Emitted& e) { return see(e, up); };
    net.link(srv, cli).filter = [this](Emitted& e) { return see(e, down); };
  }

  struct Way {
    std::vector<Emitted> seen;
    std::function<bool(Emitted&)> may;  ///< false: lost
  };
  bool see(Emitted& e, Way& w) {
    const bool ok = !w.may || w.may(e);
    w.seen.push_back(e);
    w.seen.back().seg.flags = e.hdr[13];
    return ok;
  }
  void open() {
    listener = srv.listen(80);
    c = cli.connect(srv.addr(), 80);
    ASSERT_TRUE(net.run_until([&] {
      std::optional<Sock> a = listener.accept();
      if (a) s = *a;
      return a.has_value();
    }));
    net.run(300 * kMs);
    up.seen.clear();
    down.seen.clear();
  }
  /// n bytes from the client, all read.
  void transfer(size_t n) {
    Bytes data(n, 'x');
    size_t sent = 0, got = 0;
    ASSERT_TRUE(net.run_until([&] {
      if (sent < n) sent += c.send(Bytes(data.begin() + static_cast<long>(sent), data.end()));
      got += s.recv().size();
      return got == n;
    }));
    net.run(300 * kMs);
  }
  static uint32_t count(const Way& w, const std::function<bool(const Emitted&)>& f) {
    return static_cast<uint32_t>(std::count_if(w.seen.begin(), w.seen.end(), f));
  }
  static bool has(const Emitted& e, uint8_t flag) { return (e.seg.flags & flag) != 0; }
  void TearDown() override {
    net.link(cli, srv).filter = nullptr;
    net.link(srv, cli).filter = nullptr;
    net.close_all();
  }

  FakeNet net;
  Host& cli;
  Host& srv;
  Way up, down;
  Sock listener, c, s;
};

TEST_F(Ecn, AskedForAndAgreed) {
  listener = srv.listen(80);
  c = cli.connect(srv.addr(), 80);
  net.run(100 * kMs);
  ASSERT_GE(up.seen.size(), 2u);
  ASSERT_GE(down.seen.size(), 1u);
  EXPECT_EQ(up.seen[0].seg.flags, ATCP_SYN | kBoth);
  EXPECT_EQ(down.seen[0].seg.flags, ATCP_SYN | ATCP_ACK | ATCP_ECE);
  EXPECT_EQ(up.seen[1].seg.flags & kBoth, 0);
  for (const Way* w : {&up, &down})  // RFC 3168 6.1.1: none of the handshake may be marked
    for (const Emitted& e : w->seen)
      EXPECT_EQ(e.ecn, kNotEct);
  EXPECT_TRUE(c.tcb().ecn_ok);
  EXPECT_EQ(c.info().ecn, 1u);
}

TEST_F(Ecn, ByDefaultNobodyAsks) {
  cli.set("ecn", "2");
  open();
  EXPECT_FALSE(c.tcb().ecn_ok);
  EXPECT_FALSE(s.tcb().ecn_ok);
  transfer(20000);
  EXPECT_EQ(count(up, [](const Emitted& e) { return e.ecn != kNotEct; }), 0u);
}

TEST_F(Ecn, AListenerThatHasItOffDoesNotAgree) {
  srv.set("ecn", "0");
  open();
  EXPECT_FALSE(c.tcb().ecn_ok);
  EXPECT_FALSE(s.tcb().ecn_ok);
}

TEST_F(Ecn, APeerThatReflectsFlagsDoesNotAgree) {
  // RFC 3168 6.1.1: a SYN-ACK with both flags is from a host that sends back reserved bits.
  down.may = [](Emitted& e) {
    if ((e.hdr[13] & ATCP_SYN) != 0) e.hdr[13] |= kBoth;
    return true;
  };
  open();
  EXPECT_FALSE(c.tcb().ecn_ok);
}

TEST_F(Ecn, ASynSentAgainDoesNotAsk) {
  up.may = [n = 0](Emitted& e) mutable { return (e.hdr[13] & ATCP_SYN) == 0 || n++ > 0; };
  listener = srv.listen(80);
  c = cli.connect(srv.addr(), 80);
  net.run(5 * kSec);
  EXPECT_EQ(up.seen[0].seg.flags, ATCP_SYN | kBoth);
  EXPECT_EQ(up.seen[1].seg.flags, ATCP_SYN);
  EXPECT_FALSE(c.tcb().ecn_ok);
}

TEST_F(Ecn, ASynSentAgainAsksIfFallbackIsOff) {
  cli.set("ecn_fallback", "0");
  up.may = [n = 0](Emitted& e) mutable { return (e.hdr[13] & ATCP_SYN) == 0 || n++ > 0; };
  listener = srv.listen(80);
  c = cli.connect(srv.addr(), 80);
  net.run(5 * kSec);
  EXPECT_EQ(up.seen[1].seg.flags, ATCP_SYN | kBoth);
  EXPECT_TRUE(c.tcb().ecn_ok);
}

TEST_F(Ecn, ASynThatCouldBeMarkedGetsNone) {
  up.may = [](Emitted& e) {
    if ((e.hdr[13] & ATCP_SYN) != 0) e.ecn = kEct0;
    return true;
  };
  open();
  EXPECT_FALSE(s.tcb().ecn_ok);
}

TEST_F(Ecn, SurvivesASynCookieWithTimestamps) {
  srv.set("syncookies", "2");
  open();
  EXPECT_TRUE(c.tcb().ecn_ok);
  EXPECT_TRUE(s.tcb().ecn_ok);
  EXPECT_GT(srv.counter("SyncookiesRecv"), 0u);
}

TEST_F(Ecn, IsNotPromisedByACookieThatCannotRememberIt) {
  srv.set("syncookies", "2");
  cli.set("timestamps", "0");
  open();
  EXPECT_FALSE(c.tcb().ecn_ok);
  EXPECT_FALSE(s.tcb().ecn_ok);
}

TEST_F(Ecn, NewDataAloneCanBeMarked) {
  open();
  bool dropped = false;
  up.may = [&](Emitted& e) {
    if (!dropped && e.data.size() > 0 && up.seen.size() > 4) return !(dropped = true);
    return true;
  };
  transfer(60000);
  ASSERT_TRUE(dropped);
  std::map<uint32_t, int> sent;
  uint32_t fresh = 0, again = 0;
  for (const Emitted& e : up.seen) {
    if (e.data.empty()) {
      EXPECT_EQ(e.ecn, kNotEct);
      continue;
    }
    const bool first = sent[e.seg.seq]++ == 0;
    EXPECT_EQ(e.ecn, first ? kEct0 : kNotEct) << e.seg.seq;
    (first ? fresh : again)++;
  }
  EXPECT_GT(fresh, 40u);
  EXPECT_GT(again, 0u);
  // RFC 3168 6.1.4: pure ACKs.
  EXPECT_EQ(count(down, [](const Emitted& e) { return e.ecn != kNotEct; }), 0u);
}

TEST_F(Ecn, WindowProbesCannotBeMarked) {
  // RFC 3168 6.1.6.
  open();
  Bytes data(400000, 'x');
  size_t sent = 0;
  net.run_until([&] {  // nobody reads: the window closes
    if (sent < data.size())
      sent += c.send(Bytes(data.begin() + static_cast<long>(sent), data.end()));
    return c.tcb().snd_wnd == 0 && c.tcb().packets_out == 0;
  });
  up.seen.clear();
  net.run(5 * kSec);
  EXPECT_GT(cli.counter("TCPWinProbe"), 0u);
  ASSERT_FALSE(up.seen.empty());
  EXPECT_EQ(count(up, [](const Emitted& e) { return e.ecn != kNotEct; }), 0u);
}

TEST_F(Ecn, AMarkIsEchoedUntilCwrComes) {
  open();
  c.tcb().cc.cwnd = 20;
  int n = 0;
  up.may = [&](Emitted& e) {
    if (!e.data.empty() && ++n == 5) e.ecn = kCe;
    return true;
  };
  const uint32_t before = c.tcb().cc.cwnd;
  transfer(200000);
  EXPECT_EQ(srv.counter("InCEPkts"), 1u);
  EXPECT_EQ(s.info().ecn, 3u);
  // One CWR, on new data; ECE from the mark until then, and not afterwards.
  EXPECT_EQ(count(up, [](const Emitted& e) { return has(e, ATCP_CWR); }), 1u);
  EXPECT_GT(count(down, [](const Emitted& e) { return has(e, ATCP_ECE); }), 1u);
  EXPECT_FALSE(s.tcb().ecn_echo);
  EXPECT_FALSE(c.tcb().ecn_cwr);
  EXPECT_FALSE(has(down.seen.back(), ATCP_ECE));
  EXPECT_LT(c.tcb().cc.ssthresh, before * 2);
  EXPECT_EQ(cli.counter("RetransSegs"), 0u);
}

TEST_F(Ecn, ManyMarksOfOneWindowReduceOnce) {
  open();
  transfer(200000);
  up.seen.clear();
  bool marking = true;
  up.may = [&](Emitted& e) {
    if (marking && !e.data.empty()) e.ecn = kCe;
    return true;
  };
  c.tcb().cc.cwnd = 40;
  c.tcb().cc.ssthresh = 40;
  Bytes data(40u * c.tcb().mss, 'x');
  c.send(data);
  net.run(15 * kMs);  // the whole window has been marked
  marking = false;
  net.run(500 * kMs);
  s.recv();
  EXPECT_EQ(c.tcb().cc.ssthresh, 28u);  // CUBIC: 0.7, once
  EXPECT_EQ(c.tcb().ca_state, CaState::Cwr);
  // What goes next says so.
  c.send("more");
  net.run(500 * kMs);
  EXPECT_EQ(count(up, [](const Emitted& e) { return has(e, ATCP_CWR); }), 1u);
  EXPECT_EQ(c.tcb().cc.ssthresh, 28u);
  EXPECT_EQ(c.tcb().ca_state, CaState::Open);
}

TEST_F(Ecn, ALossIsToldByCwrToo) {
  // RFC 3168 6.1.2.
  open();
  c.tcb().cc.cwnd = 20;
  int n = 0;
  up.may = [&](Emitted& e) { return e.data.empty() || ++n != 5; };
  transfer(100000);
  EXPECT_EQ(count(up, [](const Emitted& e) { return has(e, ATCP_CWR); }), 1u);
}

TEST_F(Ecn, ALossAfterAMarkDoesNotReduceAgain) {
  open();
  transfer(100000);
  c.tcb().cc.cwnd = 40;
  c.tcb().cc.ssthresh = 40;
  int n = 0;
  up.may = [&](Emitted& e) {
    if (e.data.empty()) return true;
    n++;
    if (n == 3) e.ecn = kCe;
    return n != 10;
  };
  Bytes data(40u * c.tcb().mss, 'x');
  c.send(data);
  net.run(500 * kMs);
  EXPECT_EQ(s.readable(), data.size());
  EXPECT_EQ(c.tcb().cc.ssthresh, 28u);
  s.recv();
}

class ExactEcn : public Ecn {
 protected:
  ExactEcn() {
    cli.set("congestion_control", "dctcp");
    srv.set("congestion_control", "dctcp");
    cli.set("ecn", "0");
    srv.set("ecn", "0");
  }
};

TEST_F(ExactEcn, IsAgreedForTheCongestionControlsSake) {
  open();
  EXPECT_TRUE(c.tcb().ecn_ok);
  EXPECT_TRUE(s.tcb().ecn_ok);
}

TEST_F(ExactEcn, EachChangeIsEchoed) {
  // RFC 8257 3.2: bytes acknowledged with ECE are the bytes that were marked.
  open();
  uint64_t marked = 0;
  uint32_t n = 0;
  up.may = [&](Emitted& e) {
    if (e.data.empty()) return true;
    n++;
    if (n % 7 < 3) {
      e.ecn = kCe;
      marked += e.data.size();
    }
    return true;
  };
  const uint32_t iss = c.tcb().snd_una.raw();
  transfer(300000);
  uint32_t last = iss;
  uint64_t echoed = 0;
  for (const Emitted& e : down.seen) {
    const uint32_t acked = e.seg.ack - last;
    if (has(e, ATCP_ECE)) echoed += acked;
    last = e.seg.ack;
  }
  EXPECT_GT(marked, 50000u);
  EXPECT_EQ(echoed, marked);
}

TEST_F(ExactEcn, RetransmissionsCanBeMarked) {
  open();
  int n = 0;
  up.may = [&](Emitted& e) { return e.data.empty() || ++n != 5; };
  transfer(60000);
  EXPECT_GT(cli.counter("RetransSegs"), 0u);
  EXPECT_EQ(count(up, [](const Emitted& e) { return !e.data.empty() && e.ecn != kEct0; }), 0u);
}

}  // namespace
}  // namespace atcp::test
