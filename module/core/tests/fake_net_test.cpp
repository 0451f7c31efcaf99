// SPDX-License-Identifier: GPL-2.0
//
// The fake network's own test: two whole cores shake hands, carry data and part, also through
// links that lose, repeat and overtake, and with the port failing now and then. What the bytes are is
// compared; what goes wrong in the ledger fails by itself.
#include "tests/fake_net.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <algorithm>

#include "base/types.h"

namespace atcp::test {
namespace {

Bytes pattern(size_t n, uint64_t seed) {
  Bytes b(n);
  uint64_t x = seed * 2654435761u + 1;
  for (uint8_t& v : b) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    v = static_cast<uint8_t>(x);
  }
  return b;
}

class FakeNetPair : public ::testing::Test {
 protected:
  FakeNetPair() : a(net.add_host("a", ip4(10, 0, 0, 1))), b(net.add_host("b", ip4(10, 0, 0, 2))) {
    // Both initial sequence numbers just below 2^32: every transfer wraps.
    atcp_tuple t = hosts(a.addr(), b.addr());
    t.lport = to_be16(5000);
    t.rport = to_be16(80);
    a.steer_isn(t, net.now());
    std::swap(t.laddr, t.raddr);
    std::swap(t.lport, t.rport);
    b.steer_isn(t, net.now() + 10 * kMs);
  }
  bool open() {
    listener = b.listen(80);
    client = a.connect(b.addr(), 80, 5000);
    return net.run_until([&] {
      if (std::optional<Sock> s = listener.accept()) {
        server = *s;
        return true;
      }
      return false;
    });
  }
  /// Both directions at once; true if all arrived.
  bool exchange(const Bytes& up, const Bytes& down, uint64_t limit) {
    Bytes got_up, got_down;
    size_t sent_up = 0, sent_down = 0;
    const auto turn = [&] {
      sent_up += client.send(Bytes(up.begin() + sent_up, up.end()));
      sent_down += server.send(Bytes(down.begin() + sent_down, down.end()));
      const Bytes u = server.recv(), d = client.recv();
      got_up.insert(got_up.end(), u.begin(), u.end());
      got_down.insert(got_down.end(), d.begin(), d.end());
      return got_up.size() >= up.size() && got_down.size() >= down.size();
    };
    const bool ok = net.run_until(turn, limit);
    EXPECT_EQ(got_up.size(), up.size());
    EXPECT_EQ(got_down.size(), down.size());
    EXPECT_TRUE(got_up == up);
    EXPECT_TRUE(got_down == down);
    return ok;
  }

  FakeNet net;
  Host& a;
  Host& b;
  Sock listener, client, server;
};

TEST_F(FakeNetPair, HandshakeIsLoggedAsText) {
  ASSERT_TRUE(open());
  EXPECT_EQ(net.os.take_log(),
            "a: SYN seq+0 mss=1460 ws=7 sackok ts\n"
            "b: SYN|ACK seq+0 ack+1 mss=1460 ws=7 sackok ts\n"
            "a: ACK seq+1 ack+1");
  EXPECT_GE(client.info().snd_una, 0xffff0000u);
  EXPECT_GE(server.info().snd_una, 0xffff0000u);
}

TEST_F(FakeNetPair, DataBothWays) {
  ASSERT_TRUE(open());
  EXPECT_TRUE(exchange(pattern(300000, 1), pattern(200000, 2), 60 * kSec));
}

TEST_F(FakeNetPair, DataThroughABadNetwork) {
  Link& l = net.all_links();
  l.delay_ns = 15 * kMs;
  l.jitter_ns = 5 * kMs;
  l.loss_permille = 20;
  l.dup_permille = 10;
  ASSERT_TRUE(open());
  EXPECT_TRUE(exchange(pattern(300000, 3), pattern(300000, 4), 600 * kSec));
  EXPECT_GT(net.link(a, b).lost, 0u);
}

TEST_F(FakeNetPair, CloseLeavesOneTimeWaitThatEnds) {
  ASSERT_TRUE(open());
  client.close();
  ASSERT_TRUE(net.run_until([&] { return server.eof(); }));
  server.close();
  net.run(kSec);
  EXPECT_FALSE(client.exists());
  EXPECT_FALSE(server.exists());
  EXPECT_EQ(atcp_core_ns_entries(a.core()), 1u);
  EXPECT_EQ(atcp_core_ns_entries(b.core()), 0u);
  net.run(61 * kSec);
  EXPECT_EQ(atcp_core_ns_entries(a.core()), 0u);
}

TEST_F(FakeNetPair, FailingPortLosesNothing) {
  ASSERT_TRUE(open());
  for (Fault f : {Fault::Emit, Fault::Hold, Fault::Split, Fault::Trim, Fault::Alloc})
    net.os.fail_randomly(f, 20);
  net.all_links().loss_permille = 10;
  EXPECT_TRUE(exchange(pattern(200000, 5), pattern(200000, 6), 600 * kSec));
  for (Fault f : {Fault::Emit, Fault::Hold, Fault::Split, Fault::Trim, Fault::Alloc})
    net.os.fail_randomly(f, 0);
}

TEST_F(FakeNetPair, NobodyThereIsRefused) {
  Sock s = a.connect(b.addr(), 81);
  net.run(kSec);
  EXPECT_EQ(s.error(), ATCP_ERR_REFUSED);
}

TEST(FakeNet, SameSeedSameHistory) {
  std::string first;
  for (uint64_t seed : {7, 7, 8}) {
    FakeNet net;
    net.os.seed(seed);
    net.all_links().loss_permille = 50;
    net.all_links().jitter_ns = 5 * kMs;
    Host& a = net.add_host("a", ip4(10, 0, 0, 1));
    Host& b = net.add_host("b", ip4(10, 0, 0, 2));
    Sock listener = b.listen(80);
    Sock client = a.connect(b.addr(), 80);
    std::optional<Sock> server;
    ASSERT_TRUE(net.run_until([&] { return (server = listener.accept()).has_value(); }));
    client.send(pattern(50000, 1));
    net.run(10 * kSec);
    EXPECT_EQ(server->recv(), pattern(50000, 1));
    const std::string log = net.os.take_log();
    if (first.empty()) first = log;
    EXPECT_EQ(log == first, seed == 7) << "seed " << seed;
  }
}

}  // namespace
}  // namespace atcp::test
