// SPDX-License-Identifier: GPL-2.0
//
// SYNs that no decent peer sends: options that contradict each other, repeat, or say what cannot be; SYNs
// from ourselves. Each is answered by the rule that holds for it, with a request and with a cookie, or
// dropped for a reason of its own.
#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

class BadSyn : public RawPeerTest {
 protected:
  /// A SYN with these bytes of options, padded with end-of-list.
  void send_syn(Bytes options, atcp_tuple from_server) {
    replies.clear();
    while (options.size() % 4 != 0)
      options.push_back(0);
    Header h;
    h.lport = from_server.rport;
    h.rport = from_server.lport;
    h.flags = ATCP_SYN;
    h.seq = Seq(kIrs);
    h.wnd = 60000;
    uint8_t bytes[kMaxHeader];
    const uint32_t n = write_header(h, bytes);
    Emitted e;
    e.tuple = from_server;
    std::swap(e.tuple.laddr, e.tuple.raddr);
    std::swap(e.tuple.lport, e.tuple.rport);
    e.hdr.assign(bytes, bytes + n);
    e.hdr.insert(e.hdr.end(), options.begin(), options.end());
    e.hdr[12] = static_cast<uint8_t>(e.hdr.size() / 4 << 4);
    srv.receive(e);
  }
  /// The connection that such a SYN becomes.
  Sock open_with(Sock& l, const Bytes& options, const char* cookies, uint16_t port) {
    srv.set("syncookies", cookies);
    send_syn(options, tuple(port));
    const atcp_seg s = reply();
    EXPECT_EQ(s.flags, ATCP_SYN | ATCP_ACK);
    synack = s;
    Out o = {.seq = kIrs + 1, .ack = s.seq + 1, .port = port};
    if ((s.has & ATCP_OPT_TS) != 0) {
      o.tsval = 9;
      o.tsecr = s.tsval;
    }
    send(o);
    std::optional<Sock> c = l.accept();
    EXPECT_TRUE(c.has_value()) << texts();
    return c.value_or(Sock());
  }

  atcp_seg synack = {};
};

constexpr const char* kModes[] = {"0", "2"};

TEST_F(BadSyn, MssOfZeroIsNone) {
  Sock l = srv.listen(kPort);
  uint16_t port = 5000;
  const int least = net.family == ATCP_AF_INET6 ? 1220 : 536;
  for (const char* mode : kModes)
    EXPECT_EQ(open_with(l, {2, 4, 0, 0}, mode, port++).tcb().peer_mss, least) << mode;
}

TEST_F(BadSyn, MssOf65535IsBoundedByTheRoute) {
  Sock l = srv.listen(kPort);
  uint16_t port = 5000;
  for (const char* mode : kModes)
    EXPECT_EQ(open_with(l, {2, 4, 0xff, 0xff}, mode, port++).tcb().mss, 1460u) << mode;
}

TEST_F(BadSyn, MssOfOneIsRaisedToTheLeast) {
  Sock l = srv.listen(kPort);
  EXPECT_EQ(open_with(l, {2, 4, 0, 1}, "0", 5000).tcb().mss, 48u);
  // A cookie holds none below 536.
  EXPECT_EQ(open_with(l, {2, 4, 0, 1}, "2", 5001).tcb().mss, 536u);
}

TEST_F(BadSyn, WindowScaleAbove14Is14) {
  Sock l = srv.listen(kPort);
  EXPECT_EQ(open_with(l, {3, 3, 15, 1}, "0", 5000).tcb().snd_wscale, 14);
  EXPECT_EQ(open_with(l, {3, 3, 255, 1}, "0", 5001).tcb().snd_wscale, 14);
  // The largest that a cookie without timestamps holds; with them there is room for 14.
  EXPECT_EQ(open_with(l, {3, 3, 255, 1}, "2", 5002).tcb().snd_wscale, 10);
  EXPECT_EQ(open_with(l, {3, 3, 255, 8, 10, 0, 0, 0, 5, 0, 0, 0, 0}, "2", 5003).tcb().snd_wscale,
            14);
}

TEST_F(BadSyn, OfRepeatedOptionsTheLastCounts) {
  Sock l = srv.listen(kPort);
  uint16_t port = 5000;
  for (const char* mode : kModes) {
    const Bytes options = {2, 4, 0x05, 0xb4, 3, 3, 7, 3, 3, 2, 2, 4, 0x05, 0x14};
    Sock c = open_with(l, options, mode, port++);
    EXPECT_EQ(c.tcb().peer_mss, 1300) << mode;
    EXPECT_EQ(c.tcb().snd_wscale, 2) << mode;
  }
}

TEST_F(BadSyn, OptionsOfWrongLengthAreNone) {
  Sock l = srv.listen(kPort);
  uint16_t port = 5000;
  for (const char* mode : kModes) {
    // MSS of 3 bytes, window scale of 4, SACK-permitted of 3, timestamps of 9.
    open_with(l, {2, 3, 5, 3, 4, 7, 7, 4, 3, 1, 8, 9, 0, 0, 0, 1, 0, 0, 0}, mode, port++);
    EXPECT_EQ(synack.has, ATCP_OPT_MSS) << mode;
  }
}

TEST_F(BadSyn, WhatStandsBeforeABrokenLengthCounts) {
  Sock l = srv.listen(kPort);
  uint16_t port = 5000;
  for (const char* mode : kModes) {
    Sock c = open_with(l, {4, 2, 2, 4, 0x05, 0x14, 3, 200}, mode, port++);
    EXPECT_TRUE(c.tcb().sack_ok) << mode;
    EXPECT_FALSE(c.tcb().wscale_ok) << mode;
    EXPECT_EQ(c.tcb().peer_mss, 1300) << mode;
  }
}

TEST_F(BadSyn, SackBlocksOnASynSayNothing) {
  Sock l = srv.listen(kPort);
  uint16_t port = 5000;
  for (const char* mode : kModes) {
    open_with(l, {5, 10, 0, 0, 0, 1, 0, 0, 0, 9}, mode, port++);
    EXPECT_EQ(synack.has, ATCP_OPT_MSS) << mode;
  }
}

TEST_F(BadSyn, FromOurselvesIsDropped) {
  Sock l = srv.listen(kPort);
  atcp_tuple land = tuple();
  land.raddr = land.laddr;
  land.rport = land.lport;
  for (const char* mode : {"0", "1", "2"}) {
    srv.set("syncookies", mode);
    send_syn({}, land);
    expect_silence();
  }
  EXPECT_EQ(srv.reason(ATCP_REASON_SYN_FROM_SELF), 3u);
  EXPECT_EQ(srv.counter("ListenDrops"), 3u);
  EXPECT_EQ(atcp_core_ns_entries(srv.core()), 0u);
  expect_balanced(l);
  // From the same address and another port it is a connection like any.
  land.rport = to_be16(5000);
  srv.set("syncookies", "1");
  send_syn({}, land);
  EXPECT_EQ(reply().flags, ATCP_SYN | ATCP_ACK);
}

TEST_F(BadSyn, WithRstIsARst) {
  Sock l = srv.listen(kPort);
  srv.set("syncookies", "2");
  send({.flags = ATCP_SYN | ATCP_RST, .seq = kIrs});
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_LISTEN_RST), 1u);
  EXPECT_EQ(ledger(l).syns, 0u);
}

TEST_F(BadSyn, WithFinIsDropped) {
  srv.listen(kPort);
  srv.set("syncookies", "2");
  send({.flags = ATCP_SYN | ATCP_FIN, .seq = kIrs});
  expect_silence();
  EXPECT_EQ(srv.reason(ATCP_REASON_FLAGS_SYN_FIN), 1u);
}

}  // namespace
}  // namespace atcp::test
