// SPDX-License-Identifier: GPL-2.0
//
// A peer that falls silent, comes back, or keeps its window closed; and what a path's delay does to a transfer.
// Two hosts and a cable between them that can be pulled. The rows of docs/scenarios.md on timeouts and windows; the
// mechanisms are tested one by one in retransmit_test.cpp and output_test.cpp.
#include <gtest/gtest.h>
#include <linux/atcp.h>

#include "conn/tcb.h"
#include "tests/fake_net.h"

namespace atcp::test {
namespace {

constexpr uint16_t kPort = 80;

struct Silence : ::testing::Test {
  FakeNet net;
  Host& a = net.add_host("a", ip4(10, 0, 0, 1));
  Host& b = net.add_host("b", ip4(10, 0, 0, 2));
  Sock listener, client, server;

  void open() {
    listener = b.listen(kPort);
    client = a.connect(b.addr(), kPort);
    std::optional<Sock> s;
    ASSERT_TRUE(net.run_until([&] { return (s = listener.accept()).has_value(); }));
    server = *s;
    net.run(100 * kMs);
  }
  void TearDown() override {
    net.link(a, b) = net.link(b, a) = Link{};
    net.close_all();
    net.run(200 * kSec);
  }
  void pull_cable(bool out) {
    net.link(a, b).loss_permille = net.link(b, a).loss_permille = out ? 1000 : 0;
  }
  /// When (ms from now) a sends something, and how it ends.
  struct Sent {
    uint64_t at_ms;
    atcp_seg seg;
  };
  std::vector<Sent> sent_until(uint64_t seconds, const std::function<bool()>& end) {
    std::vector<Sent> sent;
    const uint64_t begin = net.now();
    net.link(a, b).filter = [&, begin](Emitted& e) {
      sent.push_back({(net.now() - begin) / kMs, e.seg});
      return true;
    };
    net.run_until(end, seconds * kSec);
    net.link(a, b).filter = nullptr;
    return sent;
  }
};

TEST_F(Silence, RetriesAreATimeThatHasRoomForThatMany) {
  // retries2 3: 15 times the least timeout, so the end is where a fourth retransmission would be.
  ASSERT_EQ(a.set("retries2", "3"), ATCP_OK);
  ASSERT_EQ(a.set("early_retrans", "0"), ATCP_OK);
  open();
  pull_cable(true);
  const uint64_t begin = net.now();
  client.send("x");
  const auto sent = sent_until(20, [&] { return client.error() != ATCP_OK; });
  ASSERT_EQ(sent.size(), 3u);
  const uint64_t rto = sent[0].at_ms;
  EXPECT_GE(rto, 200u);
  EXPECT_LE(rto, 240u);
  for (uint64_t i = 1; i < 3; i++)
    EXPECT_NEAR(static_cast<double>(sent[i].at_ms), static_cast<double>(rto * ((2u << i) - 1)), 2);
  EXPECT_EQ(client.error(), ATCP_ERR_TIMED_OUT);
  EXPECT_NEAR(static_cast<double>(net.now() - begin) / kMs, 15 * static_cast<double>(rto), 10);
}

TEST_F(Silence, CableBackInTimeNothingIsLost) {
  open();
  const std::string first(3000, 'a'), second(3000, 'b');
  client.send(first);
  net.run(12 * kMs);  // on its way when the cable goes
  pull_cable(true);
  client.send(second);
  server.send("and back");
  net.run(20 * kSec);
  EXPECT_EQ(client.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  pull_cable(false);
  net.run(40 * kSec);
  EXPECT_EQ(server.recv_text(), first + second);
  EXPECT_EQ(client.recv_text(), "and back");
}

TEST_F(Silence, CableBackTooLateTheOthersDataIsReset) {
  ASSERT_EQ(a.set("retries2", "3"), ATCP_OK);
  open();
  pull_cable(true);
  client.send("x");
  net.run(20 * kSec);
  ASSERT_EQ(client.error(), ATCP_ERR_TIMED_OUT);
  EXPECT_EQ(server.state(), static_cast<uint32_t>(
                                ATCP_STATE_ESTABLISHED));  // it has said nothing, and knows nothing
  pull_cable(false);
  server.send("hello?");
  net.run(1 * kSec);
  EXPECT_EQ(server.error(), ATCP_ERR_RESET);
}

TEST_F(Silence, IdleConnectionWithoutKeepaliveLivesForEver) {
  open();
  pull_cable(true);
  net.run(30ull * 24 * 3600 * kSec);
  EXPECT_EQ(client.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  pull_cable(false);
  client.send("a month later");
  net.run(1 * kSec);
  EXPECT_EQ(server.recv_text(), "a month later");
}

TEST_F(Silence, KeepaliveThreeOutcomes) {
  open();
  client.set_option(4, 2);
  client.set_option(5, 1);
  client.set_option(6, 3);
  client.set_keepalive(true);
  // The peer answers: nothing happens for an hour.
  net.run(3600 * kSec);
  EXPECT_EQ(client.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  EXPECT_GT(a.counter("TCPKeepAlive"), 1000u);
  // The peer has forgotten: a reset.
  pull_cable(true);
  server.abort(ATCP_REASON_ABORT_BY_USER);
  net.run(100 * kMs);
  pull_cable(false);
  net.run(5 * kSec);
  EXPECT_EQ(client.error(), ATCP_ERR_RESET);
  client.close();
  // The peer is silent: probes at 2, 3 and 4 s, the end at 5 s.
  std::optional<Sock> s;
  client = a.connect(b.addr(), kPort);
  ASSERT_TRUE(net.run_until([&] { return (s = listener.accept()).has_value(); }));
  net.run(100 * kMs);
  client.set_option(4, 2);
  client.set_option(5, 1);
  client.set_option(6, 3);
  client.set_keepalive(true);
  pull_cable(true);
  const uint32_t una = client.info().snd_una;
  const auto sent = sent_until(20, [&] { return client.error() != ATCP_OK; });
  EXPECT_EQ(client.error(), ATCP_ERR_TIMED_OUT);
  ASSERT_GE(sent.size(), 3u);
  for (size_t i = 0; i < 3; i++) {
    EXPECT_EQ(sent[i].seg.seq, una - 1);
    EXPECT_EQ(sent[i].seg.len, 0u);
    EXPECT_NEAR(static_cast<double>(sent[i].at_ms), 2000 + 1000 * static_cast<double>(i), 150);
  }
}

TEST_F(Silence, SoftErrorIsWhatTheTimeoutIsCalled) {
  const std::pair<atcp_icmp_kind, atcp_err> table[] = {
      {ATCP_ICMP_HOST_UNREACH, ATCP_ERR_HOST_UNREACH},
      {ATCP_ICMP_NET_UNREACH, ATCP_ERR_NET_UNREACH}};
  ASSERT_EQ(a.set("retries2", "3"), ATCP_OK);
  listener = b.listen(kPort);
  for (const auto& [kind, err] : table) {
    pull_cable(false);
    client = a.connect(b.addr(), kPort);
    std::optional<Sock> s;
    ASSERT_TRUE(net.run_until([&] { return (s = listener.accept()).has_value(); }));
    net.run(100 * kMs);
    pull_cable(true);
    const uint32_t una = client.info().snd_una;
    client.send("x");
    net.run(1 * kSec);
    client.icmp(kind, una);
    EXPECT_EQ(client.error(), ATCP_OK);  // nobody gives up because of it
    net.run(1 * kSec);
    EXPECT_EQ(client.error(), ATCP_OK);
    net.run(10 * kSec);
    EXPECT_EQ(client.error(), err);
    client.close();
  }
}

TEST_F(Silence, UserTimeoutIsKeptToTheSecond) {
  // Not where the doubling timeout happens to end: 10 s lie between 6.8 s and 13.9 s.
  open();
  client.set_option(18, 10000);
  pull_cable(true);
  const uint64_t begin = net.now();
  client.send("x");
  ASSERT_TRUE(net.run_until([&] { return client.error() != ATCP_OK; }, 60 * kSec));
  EXPECT_EQ(client.error(), ATCP_ERR_TIMED_OUT);
  EXPECT_NEAR(static_cast<double>(net.now() - begin) / kMs, 10000, 300);
  EXPECT_EQ(a.reason(ATCP_REASON_TIMEOUT_USER), 1u);
}

// ---- the window --------------------------------------------------------------------------------

/// Fill the server's buffer until its window is closed.
void fill(FakeNet& net, Sock from) {
  for (int i = 0; i < 60 && (i < 5 || from.info().snd_wnd != 0); i++) {
    from.send(std::string(100000, 'f'));
    net.run(1 * kSec);
  }
  ASSERT_EQ(from.info().snd_wnd, 0u);
}

TEST_F(Silence, LostWindowUpdateIsAskedFor) {
  open();
  fill(net, client);
  net.link(b, a).drop_mask = ~0ull;  // the update is lost, and all that follows it for a while
  while (server.readable() > 0)
    server.recv();
  net.run(50 * kMs);
  EXPECT_EQ(client.info().snd_wnd, 0u);
  net.link(b, a).drop_mask = 0;
  ASSERT_TRUE(net.run_until([&] { return client.info().snd_wnd != 0; }, 130 * kSec));
  net.run(10 * kSec);
  EXPECT_GT(server.readable(), 0u);
}

TEST_F(Silence, UnansweredProbesEndIt) {
  ASSERT_EQ(a.set("retries2", "3"), ATCP_OK);
  open();
  fill(net, client);
  ASSERT_EQ(client.error(), ATCP_OK);
  const uint64_t probes = a.counter("TCPWinProbe");
  EXPECT_GT(probes, 0u);
  pull_cable(true);
  ASSERT_TRUE(net.run_until([&] { return client.error() != ATCP_OK; }, 600 * kSec));
  EXPECT_EQ(client.error(), ATCP_ERR_TIMED_OUT);
  EXPECT_LE(a.counter("TCPWinProbe") - probes, 4u);
}

TEST_F(Silence, RightEdgeOfTheWindowNeverMovesLeft) {
  open();
  uint64_t edge = 0;
  uint64_t seen = 0;
  net.link(b, a).filter = [&](Emitted& e) {
    const uint64_t right =
        e.seg.ack + (static_cast<uint64_t>(e.seg.wnd) << server.tcb().rcv_wscale);
    if (edge != 0) {
      EXPECT_GE(static_cast<int32_t>(static_cast<uint32_t>(right - edge)), 0) << e.text;
    }
    edge = right;
    seen++;
    return true;
  };
  fill(net, client);
  while (server.readable() > 0) {
    server.recv(1000);
    net.run(20 * kMs);
  }
  EXPECT_GT(seen, 100u);
  net.link(b, a).filter = nullptr;
}

/// How long 1 MB takes over 100 ms of round trip, and the largest window on the way.
std::pair<double, uint32_t> megabyte(bool scaling) {
  FakeNet net;
  Host& a = net.add_host("a", ip4(10, 0, 0, 1));
  Host& b = net.add_host("b", ip4(10, 0, 0, 2));
  net.all_links().delay_ns = 50 * kMs;
  a.set("window_scaling", scaling ? "1" : "0");
  a.os().sndbuf = b.os().rcvbuf = 4 << 20;
  Sock l = b.listen(kPort);
  Sock c = a.connect(b.addr(), kPort);
  std::optional<Sock> s;
  EXPECT_TRUE(net.run_until([&] { return (s = l.accept()).has_value(); }));
  const uint64_t begin = net.now();
  size_t sent = 0, got = 0;
  uint32_t window = 0;
  const bool done = net.run_until(
      [&] {
        sent += c.send(Bytes(std::min<size_t>((1 << 20) - sent, 50000)));
        got += s->recv().size();
        window = std::max(window, c.info().snd_wnd);
        return got == 1 << 20;
      },
      100 * kSec);
  EXPECT_TRUE(done);
  const double seconds = static_cast<double>(net.now() - begin) / kSec;
  net.close_all();
  net.run(100 * kSec);
  return {seconds, window};
}

TEST(WindowAndDelay, ThroughputIsAWindowPerRoundTrip) {
  const auto [small_s, small_wnd] = megabyte(false);
  const auto [large_s, large_wnd] = megabyte(true);
  EXPECT_LE(small_wnd, 65535u);
  EXPECT_GT(large_wnd, 200000u);
  EXPECT_GE(small_s, 1.6);  // 16 windows of 64 KB, one each 100 ms, after slow start
  EXPECT_LT(large_s, small_s * 0.7);
}

// ---- sequence numbers --------------------------------------------------------------------------

TEST(SequenceWrap, InTheMiddleOfATransferBothWays) {
  FakeNet net;
  Host& a = net.add_host("a", ip4(10, 0, 0, 1));
  Host& b = net.add_host("b", ip4(10, 0, 0, 2));
  net.all_links().loss_permille = 10;
  atcp_tuple t = hosts(a.addr(), b.addr());
  t.lport = __builtin_bswap16(5000);
  t.rport = __builtin_bswap16(kPort);
  a.steer_isn(t, net.now());
  Sock l = b.listen(kPort);
  Sock c = a.connect(b.addr(), kPort, 5000);
  const uint32_t iss = c.info().snd_una;
  EXPECT_GT(iss, 0xffff0000u);
  std::optional<Sock> s;
  ASSERT_TRUE(net.run_until([&] { return (s = l.accept()).has_value(); }));
  Bytes want(300000), got;
  for (size_t i = 0; i < want.size(); i++)
    want[i] = static_cast<uint8_t>(i * 7 + (i >> 9));
  size_t sent = 0;
  ASSERT_TRUE(net.run_until(
      [&] {
        sent += c.send(Bytes(want.begin() + static_cast<long>(sent), want.end()));
        const Bytes in = s->recv();
        got.insert(got.end(), in.begin(), in.end());
        return got.size() >= want.size();
      },
      600 * kSec));
  EXPECT_EQ(got, want);
  EXPECT_LT(c.info().snd_una, iss);
  net.all_links() = Link{};
  net.close_all();
  net.run(200 * kSec);
}

}  // namespace
}  // namespace atcp::test
