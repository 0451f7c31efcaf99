// SPDX-License-Identifier: GPL-2.0
//
// The state machine through whole conversations: opening, moving data over bad links, every way of closing,
// resets. Two hosts of the fake network talk; what is checked is what programs see and what went over the wire.
#include <gtest/gtest.h>

#include <algorithm>

#include "conn/tcb.h"
#include "tests/fake_net.h"

namespace atcp::test {
namespace {

constexpr uint16_t kPort = 80;

struct Pair : ::testing::Test {
  FakeNet net;
  Host& a = net.add_host("a", ip4(10, 0, 0, 1));
  Host& b = net.add_host("b", ip4(10, 0, 0, 2));
  Sock client;
  Sock server;
  Sock listener;

  void open() {
    listener = b.listen(kPort);
    client = a.connect(b.addr(), kPort);
    ASSERT_TRUE(net.run_until([&] {
      if (auto s = listener.accept()) {
        server = *s;
        return true;
      }
      return false;
    }));
    net.run(100 * kMs);
    ASSERT_EQ(client.state(), ATCP_STATE_ESTABLISHED);
    ASSERT_EQ(server.state(), ATCP_STATE_ESTABLISHED);
  }
  void TearDown() override {
    net.close_all();
    net.run(200 * kSec);
  }
  /// Change both directions.
  template <class F>
  void links(F f) {
    f(net.link(a, b));
    f(net.link(b, a));
  }
  static Bytes pattern(size_t n) {
    Bytes v(n);
    uint32_t x = 12345;
    for (auto& c : v) {
      x = x * 1664525 + 1013904223;
      c = static_cast<uint8_t>(x >> 24);
    }
    return v;
  }
  /// Room in the send buffer.
  static size_t free_bytes(const Sock& s) {
    if (!s.exists()) return 0;
    const FakeConn& c = s.conn();
    return c.wmem < c.sndbuf ? c.sndbuf - c.wmem : 0;
  }
  /// Move n bytes from one to the other; true if they arrived unharmed.
  bool move(Sock from, Sock to, size_t n, uint64_t limit_ns) {
    const Bytes want = pattern(n);
    Bytes got;
    size_t sent = 0;
    const bool done = net.run_until(
        [&] {
          // Only what fits: a copy of the whole rest for each event would cost more than the transfer.
          if (const size_t room = std::min(n - sent, free_bytes(from)); room > 0) {
            const auto at = want.begin() + static_cast<long>(sent);
            sent += from.send(Bytes(at, at + static_cast<long>(room)));
          }
          const Bytes in = to.recv();
          got.insert(got.end(), in.begin(), in.end());
          return got.size() >= n || !from.exists() || !to.exists();
        },
        limit_ns);
    EXPECT_EQ(got.size(), n);
    return done && got == want;
  }
};

TEST_F(Pair, HandshakeThenEcho) {
  open();
  EXPECT_EQ(client.send("hello"), 5u);
  net.run(100 * kMs);
  EXPECT_EQ(server.recv_text(), "hello");
  EXPECT_EQ(server.send("world!"), 6u);
  net.run(100 * kMs);
  EXPECT_EQ(client.recv_text(), "world!");
}

TEST_F(Pair, NobodyListens) {
  client = a.connect(b.addr(), 81);
  net.run(1 * kSec);
  EXPECT_EQ(client.state(), ATCP_STATE_CLOSED);
  EXPECT_EQ(client.error(), ATCP_ERR_REFUSED);
}

TEST_F(Pair, BulkCleanLink) {
  open();
  EXPECT_TRUE(move(client, server, 3000000, 60 * kSec));
  EXPECT_EQ(client.info().total_retrans, 0u);
}

TEST_F(Pair, BulkLossyReorderedDuplicated) {
  open();
  links([](Link& l) {
    l.delay_ns = 30 * kMs;
    l.jitter_ns = 10 * kMs;
    l.loss_permille = 20;
    l.dup_permille = 10;
  });
  EXPECT_TRUE(move(client, server, 2000000, 600 * kSec));
  EXPECT_TRUE(move(server, client, 2000000, 600 * kSec));
}

TEST_F(Pair, BulkWithoutSackTimestampsScaling) {
  for (const char* p : {"sack", "timestamps", "window_scaling"})
    ASSERT_EQ(a.set(p, "0"), ATCP_OK);
  open();
  links([](Link& l) { l.loss_permille = 20; });
  EXPECT_TRUE(move(client, server, 1000000, 600 * kSec));
}

TEST_F(Pair, ActiveCloseGoesThroughTimeWait) {
  open();
  client.close();
  net.run(15 * kMs);
  EXPECT_EQ(server.state(), ATCP_STATE_CLOSE_WAIT);
  EXPECT_TRUE(server.eof());
  net.run(100 * kMs);
  EXPECT_EQ(client.state(), ATCP_STATE_FIN_WAIT2);
  server.close();
  net.run(100 * kMs);
  EXPECT_FALSE(server.exists());
  EXPECT_EQ(a.ns().timewaits, 1u);
  net.run(70 * kSec);
  EXPECT_EQ(a.ns().timewaits, 0u);
}

TEST_F(Pair, SimultaneousClose) {
  open();
  client.close();
  server.close();
  net.run(100 * kMs);
  EXPECT_EQ(a.ns().timewaits, 1u);
  EXPECT_EQ(b.ns().timewaits, 1u);
}

TEST_F(Pair, HalfCloseStillReceives) {
  open();
  client.shutdown();
  net.run(100 * kMs);
  EXPECT_TRUE(server.eof());
  EXPECT_TRUE(move(server, client, 200000, 60 * kSec));
  server.close();
  net.run(100 * kMs);
  EXPECT_TRUE(client.eof());
}

TEST_F(Pair, CloseWithUnreadDataResets) {
  open();
  client.send("unread");
  net.run(100 * kMs);
  server.close();
  net.run(100 * kMs);
  EXPECT_EQ(client.error(), ATCP_ERR_RESET);
  EXPECT_EQ(b.counter("TCPAbortOnClose"), 1u);
}

TEST_F(Pair, ZeroWindowIsProbedAndReopens) {
  open();
  const Bytes data = pattern(400000);
  size_t sent = 0;
  for (int i = 0; i < 100; i++) {
    sent += client.send(Bytes(data.begin() + static_cast<long>(sent), data.end()));
    net.run(1 * kSec);
  }
  EXPECT_EQ(client.info().snd_wnd, 0u);
  EXPECT_GT(a.counter("TCPWinProbe"), 0u);
  Bytes got;
  EXPECT_TRUE(net.run_until(
      [&] {
        if (sent < data.size())
          sent += client.send(Bytes(data.begin() + static_cast<long>(sent), data.end()));
        const Bytes in = server.recv();
        got.insert(got.end(), in.begin(), in.end());
        return got.size() == data.size();
      },
      300 * kSec));
  EXPECT_EQ(got, data);
}

TEST_F(Pair, BlackHoleTimesOutAfterRetries2) {
  open();
  links([](Link& l) { l.loss_permille = 1000; });
  client.send("x");
  const uint64_t t0 = net.now();
  EXPECT_TRUE(net.run_until([&] { return client.error() != ATCP_OK; }, 2000 * kSec));
  EXPECT_EQ(client.error(), ATCP_ERR_TIMED_OUT);
  const uint64_t s = (net.now() - t0) / kSec;
  EXPECT_GE(s, 900u);
  EXPECT_LE(s, 1050u);
}

TEST_F(Pair, SynTimesOut) {
  links([](Link& l) { l.loss_permille = 1000; });
  client = a.connect(b.addr(), kPort);
  const uint64_t t0 = net.now();
  EXPECT_TRUE(net.run_until([&] { return client.error() != ATCP_OK; }, 300 * kSec));
  EXPECT_EQ(client.error(), ATCP_ERR_TIMED_OUT);
  EXPECT_EQ((net.now() - t0) / kSec, 131u);
  EXPECT_EQ(a.counter("TCPSynRetrans"), 10u);
}

TEST_F(Pair, SimultaneousOpen) {
  Sock x = a.socket();
  Sock y = b.socket();
  ASSERT_EQ(a.try_connect(x, b.addr(), 2000, 1000), ATCP_OK);
  ASSERT_EQ(b.try_connect(y, a.addr(), 1000, 2000), ATCP_OK);
  net.run(1 * kSec);
  EXPECT_EQ(x.state(), ATCP_STATE_ESTABLISHED);
  EXPECT_EQ(y.state(), ATCP_STATE_ESTABLISHED);
  EXPECT_TRUE(move(x, y, 100000, 10 * kSec));
}

TEST_F(Pair, KeepaliveFindsDeadPeer) {
  open();
  client.set_option(4, 10);
  client.set_option(5, 2);
  client.set_option(6, 3);
  client.set_keepalive(true);
  net.run(60 * kSec);
  EXPECT_EQ(client.state(), ATCP_STATE_ESTABLISHED);
  EXPECT_GT(a.counter("TCPKeepAlive"), 3u);
  links([](Link& l) { l.loss_permille = 1000; });
  net.run(60 * kSec);
  EXPECT_EQ(client.error(), ATCP_ERR_TIMED_OUT);
}

}  // namespace
}  // namespace atcp::test
