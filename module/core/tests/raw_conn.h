// SPDX-License-Identifier: GPL-2.0
//
// One accepted connection opposite a hand-written peer, in numbers that begin at 0 on both sides, while
// on the wire both wrap within the first 64 KB. 20 ms pass between SYN-ACK and ACK: that is the RTT.
#ifndef ATCP_TESTS_RAW_CONN_H
#define ATCP_TESTS_RAW_CONN_H

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "conn/tcb.h"
#include "tests/raw_peer.h"

namespace atcp::test {

class RawConnTest : public RawPeerTest {
 protected:
  static constexpr uint32_t kMss = 1460;
  static constexpr uint32_t kMssTs = kMss - 12;
  static constexpr uint32_t kPeerClock = 0xffffff00;  ///< the peer's first timestamp: wraps soon

  RawConnTest() { srv.set("congestion_control", "reno"); }
  ~RawConnTest() override { net.close_all(); }

  /// What the peer's SYN offers.
  struct Offer {
    bool sack = true;
    bool ts = false;
    int wscale = -1;
    uint16_t mss = kMss;
    uint16_t wnd = 60000;  ///< also on the ACK
  };
  void open_with(const Offer& o) {
    srv.steer_isn(tuple(), net.now());
    listener = srv.listen(kPort);
    ts = o.ts;
    wnd = o.wnd;
    Out out = syn();
    out.mss = o.mss;
    out.sack_ok = o.sack;
    out.wscale = o.wscale;
    out.wnd = o.wnd;
    if (ts) out.tsval = clock();
    synack = ask(out);
    iss = synack.seq;
    EXPECT_GE(iss, 0xffff0000u);
    net.run(20 * kMs);
    echo = synack.tsval;
    peer(0, 0);
    std::optional<Sock> a = listener.accept();
    ASSERT_TRUE(a.has_value());
    s = *a;
  }
  uint32_t clock() const { return kPeerClock + static_cast<uint32_t>(net.now() / kMs) - 1000; }
  uint32_t at(uint32_t sent) const { return iss + 1 + sent; }           ///< our stream on the wire
  uint32_t theirs(uint32_t offset) const { return kIrs + 1 + offset; }  ///< the peer's stream

  /// A plain segment of the peer: its stream's offset, how much of ours it has, payload, SACK blocks of our stream.
  Out segment(uint32_t seq, uint32_t ack, const std::string& data = "",
              std::initializer_list<std::pair<uint32_t, uint32_t>> sack = {}) const {
    Out o;
    o.seq = theirs(seq);
    o.ack = at(ack);
    o.wnd = wnd;
    o.data = data;
    for (const auto& [from, to] : sack)
      o.sack.push_back({Seq(at(from)), Seq(at(to))});
    if (ts) {
      o.tsval = clock();
      o.tsecr = echo;
    }
    return o;
  }
  void peer(uint32_t seq, uint32_t ack, const std::string& data = "") {
    send(segment(seq, ack, data));
  }
  /// The peer acknowledges so many segments and SACKs [from, to) segments of the stream.
  void ack_segs(uint32_t n, std::initializer_list<std::pair<uint32_t, uint32_t>> sack = {}) {
    const uint32_t mss = s.tcb().mss;
    Out o = segment(0, n * mss);
    for (const auto& [from, to] : sack)
      o.sack.push_back({Seq(at(from * mss)), Seq(at(to * mss))});
    send(o);
  }
  /// Write n whole segments; what goes out at once is in `replies`.
  void write_segs(uint32_t n) {
    replies.clear();
    const std::string data(n * s.tcb().mss, 'd');
    ASSERT_EQ(s.send(data), data.size());
  }
  /// Numbers of the segments that left since the peer last sent, and forget them. Every one must be whole.
  std::vector<uint32_t> segs_out() {
    const uint32_t mss = s.tcb().mss;
    std::vector<uint32_t> out;
    for (const Emitted& e : replies) {
      const uint32_t from = e.seg.seq - at(0);
      EXPECT_EQ(from % mss, 0u) << e.text;
      EXPECT_EQ(e.data.size() % mss, 0u) << e.text;
      for (uint32_t i = 0; i < e.data.size() / mss; i++)
        out.push_back(from / mss + i);
    }
    replies.clear();
    return out;
  }

  Sock listener, s;
  atcp_seg synack = {};
  uint32_t iss = 0;
  uint32_t echo = 0;  ///< our timestamp that the peer echoes
  uint16_t wnd = 60000;
  bool ts = false;
};

using Segs = std::vector<uint32_t>;

}  // namespace atcp::test

#endif  // ATCP_TESTS_RAW_CONN_H
