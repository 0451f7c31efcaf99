// SPDX-License-Identifier: GPL-2.0
//
// One host under test and, opposite, nobody: a peer whose every segment the test writes by hand and whose
// replies it reads. Nothing is answered by itself, so each reply is one that the core owes to exactly
// the segment sent.
#ifndef ATCP_TESTS_RAW_PEER_H
#define ATCP_TESTS_RAW_PEER_H

#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "conn/ns.h"
#include "listen/listener.h"
#include "tests/fake_net.h"
#include "wire/segment.h"

namespace atcp::test {

/// What a test says of a segment; the rest is a plain one.
struct Out {
  uint8_t flags = ATCP_ACK;
  uint32_t seq = 0;
  uint32_t ack = 0;
  uint16_t wnd = 60000;
  std::optional<uint32_t> tsval = std::nullopt;
  uint32_t tsecr = 0;
  uint16_t mss = 0;
  int wscale = -1;  ///< -1: no option
  bool sack_ok = false;
  std::string data = "";
  uint16_t port = 5000;  ///< the peer's
  std::vector<SackBlock> sack = {};
  uint16_t urg = 0;  ///< with ATCP_URG
};

class RawPeerTest : public ::testing::Test {
 protected:
  static constexpr uint16_t kPort = 80;
  static constexpr uint32_t kIrs = 0xfffffff0;  ///< the peer's SYN: its numbers wrap soon

  RawPeerTest() : srv(net.add_host("srv", ip4(10, 0, 0, 1))) {
    srv.os().wire = [this](Emitted&& e) { replies.push_back(std::move(e)); };
    // A challenge would be refused to a peer that has just had another answer.
    srv.set("invalid_ratelimit", "0");
  }

  atcp_tuple tuple(uint16_t port = 5000) const {
    atcp_tuple t = hosts(ip4(10, 0, 0, 1), ip4(10, 0, 0, 2), net.family);
    t.lport = to_be16(kPort);
    t.rport = to_be16(port);
    return t;
  }

  /// The peer sends; whatever was not read of earlier replies is forgotten.
  void send(const Out& o) {
    replies.clear();
    Header h;
    const atcp_tuple t = tuple(o.port);
    h.lport = t.rport;
    h.rport = t.lport;
    h.flags = o.flags;
    h.seq = Seq(o.seq);
    h.ack = Seq(o.ack);
    h.wnd = o.wnd;
    h.urg = o.urg;
    h.mss = o.mss;
    h.has_wscale = o.wscale >= 0;
    h.wscale = static_cast<uint8_t>(o.wscale < 0 ? 0 : o.wscale);
    h.sack_ok = o.sack_ok;
    h.has_ts = o.tsval.has_value();
    h.tsval = o.tsval.value_or(0);
    h.tsecr = o.tsecr;
    for (const SackBlock& b : o.sack)
      h.sack[h.n_sack++] = b;
    uint8_t bytes[kMaxHeader];
    const uint32_t n = write_header(h, bytes);
    Emitted e;
    e.tuple = t;
    std::swap(e.tuple.laddr, e.tuple.raddr);
    std::swap(e.tuple.lport, e.tuple.rport);
    e.hdr.assign(bytes, bytes + n);
    e.data.assign(o.data.begin(), o.data.end());
    srv.receive(e);
  }
  /// The one reply there must be.
  atcp_seg reply() {
    EXPECT_EQ(replies.size(), 1u) << texts();
    if (replies.empty()) return {};
    const atcp_seg s = replies.front().seg;
    replies.pop_front();
    return s;
  }
  atcp_seg ask(const Out& o) {
    send(o);
    return reply();
  }
  void expect_silence() { EXPECT_EQ(replies.size(), 0u) << texts(); }
  std::string texts() const {
    std::string all;
    for (const Emitted& e : replies)
      all += e.text + "\n";
    return all;
  }

  Out syn(uint16_t port = 5000) const {
    Out o;
    o.flags = ATCP_SYN;
    o.seq = kIrs;
    o.mss = 1460;
    o.port = port;
    return o;
  }
  /// SYN and SYN-ACK; the server's initial sequence number.
  uint32_t half_open(uint16_t port = 5000) {
    const atcp_seg s = ask(syn(port));
    EXPECT_EQ(s.flags, ATCP_SYN | ATCP_ACK);
    EXPECT_EQ(s.ack, kIrs + 1);
    return s.seq;
  }
  /// The whole handshake; the server's initial sequence number.
  uint32_t open(uint16_t port = 5000) {
    const uint32_t iss = half_open(port);
    send({.seq = kIrs + 1, .ack = iss + 1, .port = port});
    return iss;
  }

  /// What the established table has for the peer's port.
  atcp_found_kind found(uint16_t port = 5000) {
    Border b("lookup");
    const atcp_tuple t = tuple(port);
    atcp_os_rcu_lock();
    const atcp_found f = atcp_core_lookup(srv.core(), &t);
    atcp_core_put(f);
    atcp_os_rcu_unlock();
    return f.kind;
  }
  atcp_listener_info ledger(const Sock& s) const {
    atcp_listener_info i = {};
    atcp_core_listener_info(&s.conn().conn, &i, net.now());
    return i;
  }
  /// SYNs or third ACKs that the listener refused for a reason; 0: for one that has no line.
  uint64_t refused(const Sock& s, Refused what, uint32_t reason) const {
    uint64_t n = 0;
    atcp_listener_reason r = {};
    for (uint32_t i = 0; atcp_core_listener_reason(&s.conn().conn, i, &r); i++)
      if (r.reason == reason && r.is_ack == (what == Refused::Ack)) n += r.count;
    return n;
  }
  /// SYNs in = SYN-ACKs out + duplicates + refusals; third ACKs in = connections + refusals; and every
  /// refusal has its line.
  void expect_balanced(const Sock& s) const {
    const atcp_listener_info i = ledger(s);
    EXPECT_EQ(i.syns, i.synacks + i.syn_dups + i.syn_drops);
    EXPECT_EQ(i.acks, i.children + i.ack_drops);
    EXPECT_EQ(refused(s, Refused::Syn, ATCP_REASON_NONE), 0u);
    EXPECT_EQ(refused(s, Refused::Ack, ATCP_REASON_NONE), 0u);
  }
  /// The same for every listener that there is, after every test.
  void TearDown() override {
    for (const auto& [id, c] : net.os.conns)
      if (c->initialised && tcb_of(&c->conn)->listener != nullptr)
        expect_balanced(Sock(host_of(*c), c.get()));
  }
  Host* host_of(const FakeConn& c) { return c.ns == &srv.os() ? &srv : nullptr; }

  std::deque<Emitted> replies;
  FakeNet net;
  Host& srv;
};

}  // namespace atcp::test

#endif  // ATCP_TESTS_RAW_PEER_H
