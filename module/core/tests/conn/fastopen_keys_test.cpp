// SPDX-License-Identifier: GPL-2.0
//
// TCP_FASTOPEN_KEY: with which key a listener's cookies are made, which ones it takes, and what a client
// with a cookie of an old key gets.
#include <gtest/gtest.h>
#include <linux/atcp.h>

#include "conn/fastopen.h"
#include "conn/tcb.h"
#include "tests/fake_net.h"

namespace atcp::test {
namespace {

constexpr uint16_t kPort = 80;
constexpr uint32_t kFastopenOption = 23;

class FastopenKeysTest : public ::testing::Test {
 protected:
  FastopenKeysTest()
      : cli(net.add_host("cli", ip4(10, 0, 0, 2))), srv(net.add_host("srv", ip4(10, 0, 0, 1))) {
    cli.set("fastopen", "1");
    srv.set("fastopen", "2");
    l = srv.listen(kPort);
    EXPECT_EQ(l.set_option(kFastopenOption, 5), ATCP_OK);
  }
  /// Keys whose bytes are all the same.
  void set_keys(std::initializer_list<uint8_t> of, atcp_err expected = ATCP_OK) {
    Bytes b;
    for (const uint8_t k : of)
      b.insert(b.end(), ATCP_FASTOPEN_KEY_BYTES, k);
    net.os.lock(l.conn());
    EXPECT_EQ(atcp_core_set_fastopen_keys(&l.conn().conn, b.data(), of.size()), expected);
    net.os.unlock(l.conn());
  }
  /// A connection of the client's that would like to bring data; true: the data came before the handshake was
  /// complete.
  bool early() {
    Sock s = cli.fastopen(srv.addr(), kPort, "data");
    net.run(12 * kMs);
    std::optional<Sock> c = l.accept();
    const bool was_early = c.has_value();
    net.run(kSec);
    if (!was_early) c = l.accept();
    if (s.state() == ATCP_STATE_ESTABLISHED && s.tcb().write_seq == s.tcb().iss + 1) s.send("data");
    net.run(kSec);
    EXPECT_EQ(c->recv_text(), "data");
    s.close();
    net.run(kSec);
    c->close();
    net.run(kSec);
    return was_early;
  }

  FakeNet net;
  Host& cli;
  Host& srv;
  Sock l;
};

TEST_F(FastopenKeysTest, ABackupIsTakenAndReplaced) {
  set_keys({1});
  EXPECT_FALSE(early());  // fetches the cookie
  EXPECT_TRUE(early());
  EXPECT_EQ(srv.counter("TCPFastOpenPassiveAltKey"), 0u);
  set_keys({2, 1});
  EXPECT_TRUE(early());  // with the old cookie; a new one comes back
  EXPECT_EQ(srv.counter("TCPFastOpenPassiveAltKey"), 1u);
  EXPECT_TRUE(early());
  EXPECT_EQ(srv.counter("TCPFastOpenPassiveAltKey"), 1u);
  set_keys({2});
  EXPECT_TRUE(early());
  EXPECT_EQ(srv.counter("TCPFastOpenPassiveFail"), 0u);
}

TEST_F(FastopenKeysTest, ACookieOfNoKeyIsReplaced) {
  EXPECT_FALSE(early());
  EXPECT_TRUE(early());  // the namespace's key
  set_keys({3});
  EXPECT_FALSE(early());
  EXPECT_EQ(srv.counter("TCPFastOpenPassiveFail"), 1u);
  EXPECT_TRUE(early());
}

TEST_F(FastopenKeysTest, WhatIsReadIsWhatIsInUse) {
  uint8_t keys[ATCP_FASTOPEN_KEYS * ATCP_FASTOPEN_KEY_BYTES] = {};
  Border b("get_fastopen_keys");
  EXPECT_EQ(atcp_core_get_fastopen_keys(&l.conn().conn, keys), 1u);
  EXPECT_EQ(memcmp(keys, srv.ns().fastopen.server_keys.key, ATCP_FASTOPEN_KEY_BYTES), 0);
  set_keys({7, 8});
  EXPECT_EQ(atcp_core_get_fastopen_keys(&l.conn().conn, keys), 2u);
  EXPECT_EQ(keys[15], 7);
  EXPECT_EQ(keys[16], 8);
}

TEST_F(FastopenKeysTest, NoMemoryLeavesThemAsTheyWere) {
  set_keys({7});
  net.os.fail(Fault::Alloc, 1);
  set_keys({8}, ATCP_ERR_NO_MEMORY);
  uint8_t keys[ATCP_FASTOPEN_KEYS * ATCP_FASTOPEN_KEY_BYTES] = {};
  Border b("get_fastopen_keys");
  EXPECT_EQ(atcp_core_get_fastopen_keys(&l.conn().conn, keys), 1u);
  EXPECT_EQ(keys[0], 7);
}

TEST_F(FastopenKeysTest, AKeyAloneIsNoFastopen) {
  Sock other = srv.socket();
  const uint8_t key[ATCP_FASTOPEN_KEY_BYTES] = {};
  net.os.lock(other.conn());
  EXPECT_EQ(atcp_core_set_fastopen_keys(&other.conn().conn, key, 1), ATCP_OK);
  net.os.unlock(other.conn());
  EXPECT_EQ(other.get_option(kFastopenOption), 0);
  EXPECT_EQ(srv.try_listen(other, 81, 5), ATCP_OK);
  EXPECT_EQ(other.get_option(kFastopenOption), 0);
  // Unless every listener has it.
  srv.set("fastopen", "1026");
  Sock third = srv.socket();
  net.os.lock(third.conn());
  EXPECT_EQ(atcp_core_set_fastopen_keys(&third.conn().conn, key, 1), ATCP_OK);
  net.os.unlock(third.conn());
  EXPECT_EQ(srv.try_listen(third, 82, 5), ATCP_OK);
  EXPECT_EQ(third.get_option(kFastopenOption), 5);
}

/// The cookie that Linux 6.18 gave 127.0.0.2 at 127.0.0.1 with this key: servers of both kinds may share one.
TEST(FastopenKeys, TheCookieIsLinuxs) {
  FastopenKeys keys = {};
  keys.n = 1;
  auto* bytes = reinterpret_cast<uint8_t*>(keys.key);
  for (uint8_t i = 0; i < ATCP_FASTOPEN_KEY_BYTES; i++)
    bytes[i] = i;
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = ip4(127, 0, 0, 1);
  t.raddr.v4 = ip4(127, 0, 0, 2);
  FastopenCookie c = {};
  fastopen_cookie(keys, t, &c);
  const uint8_t expected[] = {0x13, 0xbf, 0x03, 0x1f, 0xe8, 0xee, 0x51, 0x92};
  ASSERT_EQ(c.len, sizeof(expected));
  EXPECT_EQ(memcmp(c.bytes, expected, sizeof(expected)), 0);
}

/// As Linux makes it: SipHash of the addresses in the order of the SYN's IP header, the client's first.
TEST(FastopenKeys, TheCookieOfIpv6IsOfBothAddresses) {
  FastopenKeys keys = {};
  keys.n = 1;
  keys.key[0] = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}};
  atcp_tuple t = {};
  t.family = ATCP_AF_INET6;
  uint8_t header[32];
  for (uint8_t i = 0; i < 32; i++)
    header[i] = static_cast<uint8_t>(0x20 + i);
  memcpy(t.raddr.v6, header, 16);
  memcpy(t.laddr.v6, header + 16, 16);
  const uint64_t expected = siphash(keys.key[0], header, sizeof(header));
  FastopenCookie c = {};
  fastopen_cookie(keys, t, &c);
  ASSERT_EQ(c.len, sizeof(expected));
  EXPECT_EQ(memcmp(c.bytes, &expected, sizeof(expected)), 0);
}

}  // namespace
}  // namespace atcp::test
