// SPDX-License-Identifier: GPL-2.0
//
// A whole conversation - handshake, data both ways over a link that loses, repeats and reorders, both closes -
// with the k-th request to the port refused, for every k there is; then with every n-th one refused. Nothing of
// that may cost a byte or leak one: the ledger looks at each run when its world goes away.
#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <map>

#include "tests/fake_net.h"

namespace atcp::test {
namespace {

Bytes pattern(size_t n, uint8_t seed) {
  Bytes b(n);
  uint32_t x = seed;
  for (uint8_t& v : b) {
    x = x * 1664525 + 1013904223;
    v = static_cast<uint8_t>(x >> 24);
  }
  return b;
}

/// What came of a conversation.
enum class End {
  Complete,  ///< all bytes, both ends closed
  Refused,   ///< listen() or connect() said that there is no memory or no route
  Broken,    ///< a program was told of an error
  Stuck,     ///< nobody was told anything
  Wrong,     ///< bytes that were not sent
};

/// One end: writes all it has, closes its direction, reads to the end.
struct Program {
  Bytes out, in;
  size_t written = 0;
  bool shut = false;

  void turn(Sock s) {
    if (s.error() != ATCP_OK) return;
    if (written < out.size())
      written += s.send(Bytes(out.begin() + static_cast<long>(written), out.end()));
    if (written == out.size() && !shut) {
      s.shutdown();
      shut = true;
    }
    const Bytes got = s.recv();
    in.insert(in.end(), got.begin(), got.end());
  }
};

class Faults : public ::testing::Test {
 protected:
  /// nth: that request is refused; every: each multiple of it; 0: none.
  End converse(uint64_t nth, uint64_t every) {
    FakeNet net;
    net.os.seed(nth + 1000 * every + 1);
    Link& l = net.all_links();
    l.jitter_ns = 8 * kMs;
    l.loss_permille = 60;
    l.dup_permille = 20;
    Host& a = net.add_host("a", ip4(10, 0, 0, 1));
    Host& b = net.add_host("b", ip4(10, 0, 0, 2));
    net.os.fail_nth(nth, every);
    const End end = talk(net, a, b);
    for (int i = 0; i < static_cast<int>(Fault::Count_); i++)
      injected[static_cast<Fault>(i)] += net.os.injected(static_cast<Fault>(i));
    total = net.os.injected();
    net.os.fail_nth(0, 0);
    return end;
  }

  End talk(FakeNet& net, Host& a, Host& b) {
    Sock listener = b.socket();
    if (const atcp_err err = b.try_listen(listener, 80, 16); err != ATCP_OK) {
      EXPECT_EQ(err, ATCP_ERR_NO_MEMORY);
      return End::Refused;
    }
    Sock client = a.socket();
    if (const atcp_err err = a.try_connect(client, b.addr(), 80); err != ATCP_OK) {
      EXPECT_TRUE(err == ATCP_ERR_NO_MEMORY || err == ATCP_ERR_HOST_UNREACH ||
                  err == ATCP_ERR_ADDR_NOT_AVAIL)
          << err;
      return End::Refused;
    }
    Program up{pattern(30000, 1), {}}, down{pattern(20000, 2), {}};
    std::optional<Sock> server;
    const auto turn = [&] {
      if (!server) server = listener.accept();
      up.turn(client);
      if (server) down.turn(*server);
      if (client.error() != ATCP_OK || (server && server->error() != ATCP_OK)) return true;
      return server && client.eof() && server->eof() && down.in.size() >= up.out.size() &&
             up.in.size() >= down.out.size();
    };
    const bool settled = net.run_until(turn, 3000 * kSec);
    const bool whole = down.in == up.out && up.in == down.out;
    const bool broken = client.error() != ATCP_OK || (server && server->error() != ATCP_OK);
    const auto prefix = [](const Bytes& part, const Bytes& all) {
      return part.size() <= all.size() && std::equal(part.begin(), part.end(), all.begin());
    };
    if (!prefix(down.in, up.out) || !prefix(up.in, down.out)) return End::Wrong;
    client.close();
    if (server) server->close();
    listener.close();
    net.run(1000 * kSec);
    if (!whole) return broken ? End::Broken : End::Stuck;
    EXPECT_TRUE(settled);
    EXPECT_FALSE(client.exists());
    EXPECT_FALSE(server->exists());
    EXPECT_EQ(atcp_core_ns_entries(a.core()) + atcp_core_ns_entries(b.core()), 0u);
    return End::Complete;
  }

  std::map<Fault, uint64_t> injected;
  uint64_t total = 0;  ///< refusals of the last run
};

TEST_F(Faults, AnySingleOneIsSurvived) {
  uint64_t refused = 0, k = 1;
  for (;; k++) {
    const End end = converse(k, 0);
    if (total == 0) {
      EXPECT_EQ(end, End::Complete);
      break;
    }
    if (end == End::Refused)
      refused++;
    else
      EXPECT_EQ(end, End::Complete) << "request " << k;
    ASSERT_LT(k, 2000u) << "the conversation does not end";
  }
  EXPECT_GT(k, 50u);
  EXPECT_GT(refused, 0u);
  EXPECT_LT(refused, 10u);
  for (const Fault f :
       {Fault::Alloc, Fault::Emit, Fault::Hold, Fault::Split, Fault::Child, Fault::Route})
    EXPECT_GT(injected[f], 0u) << "kind " << static_cast<int>(f) << " never failed";
}

TEST_F(Faults, EveryNthOneIsSurvivedOrReported) {
  for (uint64_t n = 1; n <= 40; n++) {
    const End end = converse(0, n);
    EXPECT_GT(total, 0u);
    if (n >= 10)
      EXPECT_EQ(end, End::Complete) << "every " << n;
    else
      EXPECT_TRUE(end == End::Complete || end == End::Refused || end == End::Broken)
          << "every " << n << ": " << static_cast<int>(end);
  }
  EXPECT_GT(injected[Fault::Trim], 0u);
}

}  // namespace
}  // namespace atcp::test
