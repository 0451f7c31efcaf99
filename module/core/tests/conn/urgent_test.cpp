// SPDX-License-Identifier: GPL-2.0
//
// Urgent data: the arithmetic of both pointers by itself, then what a connection puts into headers, and what its program
// sees of the peer's. RFC 9293 MUST-30 to 33, 62 and 66.
#include "conn/urgent.h"

#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

constexpr uint32_t kCork = 3;  ///< TCP_CORK

// ---- the pointers (conn/urgent.h) ----------------------------------------------------------------

struct UrgentPointer : ::testing::Test {
  static constexpr uint32_t kBase = 0xffff8000;  ///< what follows crosses 2^32
  static Seq at(uint32_t offset) { return Seq(kBase + offset); }
  /// URG and pointer of a header at `seq`; -1: no URG.
  int32_t point(uint32_t seq, uint32_t snd_nxt) const {
    Header h;
    h.seq = at(seq);
    u.point(h, at(snd_nxt));
    return (h.flags & ATCP_URG) != 0 ? h.urg : -1;
  }
  Urgent u;
};

TEST_F(UrgentPointer, NamesTheOctetAfterTheUrgentData) {
  EXPECT_EQ(point(0, 100), -1);
  u.mark(at(100));
  EXPECT_EQ(point(0, 0), 100);
  EXPECT_EQ(point(99, 99), 1);
  EXPECT_EQ(point(100, 100), -1);
  EXPECT_EQ(point(101, 101), -1);
}

TEST_F(UrgentPointer, ReachesSixteenBits) {
  u.mark(at(0x2fffe));
  // Sent for the first time: as far as it reaches. Sent again below what is out: nothing, it was told before.
  EXPECT_EQ(point(0, 0), 0xffff);
  EXPECT_EQ(point(0, 0xfffe), 0xffff);
  EXPECT_EQ(point(0, 0xffff), -1);
  EXPECT_EQ(point(0x1ffff, 0x2fffe), 0xffff);
  EXPECT_EQ(point(0x20000, 0x2fffe), 0xfffe);
}

TEST_F(UrgentPointer, GoesWithTheLastAcknowledgement) {
  u.mark(at(100));
  u.acked(at(99));
  EXPECT_TRUE(u.sending());
  u.acked(at(100));
  EXPECT_FALSE(u.sending());
  u.mark(at(200));
  u.acked(at(300));
  EXPECT_FALSE(u.sending());
}

TEST_F(UrgentPointer, AnnouncedOnceAndWhenItMovesOn) {
  EXPECT_TRUE(u.announce(at(50), at(0), at(10)));
  EXPECT_FALSE(u.announce(at(50), at(0), at(10)));
  EXPECT_FALSE(u.announce(at(49), at(0), at(10)));
  EXPECT_TRUE(u.announce(at(51), at(0), at(10)));
  // Below what has arrived, or was read: past.
  u.passed(at(52));
  EXPECT_EQ(u.state(), ATCP_URGENT_NONE);
  EXPECT_FALSE(u.announce(at(51), at(52), at(52)));
  EXPECT_FALSE(u.announce(at(60), at(52), at(61)));
  EXPECT_TRUE(u.announce(at(61), at(52), at(61)));
}

TEST_F(UrgentPointer, ByteIsFoundWhereItIs) {
  uint32_t offset = 0;
  EXPECT_FALSE(u.finds(at(0), 1000, &offset));
  u.announce(at(50), at(0), at(0));
  EXPECT_FALSE(u.finds(at(0), 50, &offset));
  EXPECT_TRUE(u.finds(at(0), 51, &offset));
  EXPECT_EQ(offset, 50u);
  EXPECT_TRUE(u.finds(at(50), 1, &offset));
  EXPECT_EQ(offset, 0u);
  EXPECT_FALSE(u.finds(at(51), 1000, &offset));
  u.arrived('x');
  EXPECT_FALSE(u.finds(at(0), 51, &offset));
}

TEST_F(UrgentPointer, ByteIsReadOnceAndLookedAtOften) {
  uint8_t byte = 0;
  EXPECT_EQ(u.take(false, &byte), ATCP_URGENT_NONE);
  u.announce(at(50), at(0), at(0));
  EXPECT_EQ(u.take(false, &byte), ATCP_URGENT_AWAITED);
  u.arrived('x');
  EXPECT_EQ(u.take(true, &byte), ATCP_URGENT_HERE);
  EXPECT_EQ(u.take(false, &byte), ATCP_URGENT_HERE);
  EXPECT_EQ(byte, 'x');
  EXPECT_EQ(u.take(false, &byte), ATCP_URGENT_READ);
  u.passed(at(50));
  EXPECT_EQ(u.state(), ATCP_URGENT_READ);  // the mark is still ahead
  u.passed(at(51));
  EXPECT_EQ(u.state(), ATCP_URGENT_NONE);
}

TEST(UrgentOctet, TwoWaysToReadThePointer) {
  atcp_seg seg = {};
  seg.seq = 0xffffffff;
  seg.urg = 3;
  EXPECT_EQ(urgent_octet(seg, false).raw(), 1u);
  EXPECT_EQ(urgent_octet(seg, true).raw(), 2u);
  seg.urg = 0;
  EXPECT_EQ(urgent_octet(seg, false).raw(), 0xffffffffu);
  EXPECT_EQ(urgent_octet(seg, true).raw(), 0xffffffffu);
}

// ---- sending ---------------------------------------------------------------------------------------

struct UrgentConn : RawConnTest {
  UrgentConn() { srv.set("early_retrans", "0"); }  // the timeout alone repeats
  /// What left since the peer last sent: sequence number of our stream, payload bytes, pointer (-1: no URG).
  struct Left {
    uint32_t seq;
    size_t len;
    int32_t urg;
    bool operator==(const Left& o) const { return seq == o.seq && len == o.len && urg == o.urg; }
    friend void PrintTo(const Left& l, std::ostream* os) {
      *os << l.seq << "+" << l.len << " urg " << l.urg;
    }
  };
  std::vector<Left> left() {
    std::vector<Left> out;
    for (const Emitted& e : replies)
      out.push_back({e.seg.seq - at(0), e.data.size(),
                     (e.seg.flags & ATCP_URG) != 0 ? int32_t{e.seg.urg} : -1});
    replies.clear();
    return out;
  }
  /// The peer sends urgent data: its stream's offset, payload, pointer.
  void peer_urgent(uint32_t seq, const std::string& data, uint16_t urg, uint32_t ack = 0) {
    Out o = segment(seq, ack, data);
    o.flags |= ATCP_URG;
    o.urg = urg;
    send(o);
  }
};

TEST_F(UrgentConn, LastByteOfTheCallIsUrgent) {
  open_with({});
  s.send_urgent("abc");
  EXPECT_EQ(left(), (std::vector<Left>{{0, 3, 3}}));
  // What is sent before the peer has it still points there, and what lies beyond does not.
  s.send("de");
  EXPECT_EQ(left(), (std::vector<Left>{{3, 2, -1}}));
  net.run(s.tcb().rto_us() * kUs);
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(left()[0], (Left{0, 3, 3}));
  send(segment(0, 3));
  s.send("x");
  for (const Left& l : left())
    EXPECT_EQ(l.urg, -1);
}

TEST_F(UrgentConn, DoesNotWaitForNagleNorCork) {
  open_with({});
  s.send("a");
  s.send("b");
  EXPECT_EQ(left().size(), 1u);  // Nagle
  s.send_urgent("c");
  EXPECT_EQ(left(), (std::vector<Left>{{1, 2, 2}}));
  send(segment(0, 3));
  EXPECT_EQ(s.set_option(kCork, 1), ATCP_OK);
  s.send("d");
  EXPECT_EQ(left().size(), 0u);
  s.send_urgent("e");
  EXPECT_EQ(left(), (std::vector<Left>{{3, 2, 2}}));
}

TEST_F(UrgentConn, EverySegmentHasItsOwnPointer) {
  open_with({.ts = true});
  s.send_urgent(std::string(4 * kMssTs + 1, 'u'));
  std::vector<Left> want;
  for (uint32_t i = 0; i < 4; i++)
    want.push_back({i * kMssTs, kMssTs, static_cast<int32_t>((4 - i) * kMssTs + 1)});
  want.push_back({4 * kMssTs, 1, 1});
  EXPECT_EQ(left(), want);
}

TEST_F(UrgentConn, PieceSentBeforeIsCutWhenItGoesAgain) {
  open_with({});
  write_segs(4);
  ASSERT_EQ(replies.size(), 1u);  // one piece of four segments
  replies.clear();
  s.send_urgent("!");
  EXPECT_EQ(left(), (std::vector<Left>{{4 * kMss, 1, 1}}));
  net.run(s.tcb().rto_us() * kUs);
  const std::vector<Left> again = left();
  ASSERT_FALSE(again.empty());
  EXPECT_EQ(again[0], (Left{0, kMss, static_cast<int32_t>(4 * kMss + 1)}));
}

TEST_F(UrgentConn, PieceThatCannotBeCutGoesWithoutPointer) {
  open_with({});
  s.tcb().cc.cwnd = 1;
  net.os.fail_always(Fault::Split, true);
  s.send(std::string(100, 'a'));
  replies.clear();
  s.send_urgent(std::string(kMss, 'b'));
  s.tcb().cc.cwnd = 10;
  send(segment(0, 100));
  net.os.fail_always(Fault::Split, false);
  EXPECT_EQ(left(), (std::vector<Left>{{100, kMss, static_cast<int32_t>(kMss)}}));
}

TEST_F(UrgentConn, LongerThanThePointerReaches) {
  open_with({.wscale = 2, .wnd = 65535});
  s.tcb().cc.cwnd = 1000;
  s.conn().sndbuf = 1 << 20;
  const uint32_t total = 100 * kMss;
  s.send_urgent(std::string(total, 'u'));
  uint32_t pointed = 0;
  for (const Left& l : left()) {
    ASSERT_LE(l.len, kMss);
    if (total - l.seq <= 0xffff)
      EXPECT_EQ(l.urg, static_cast<int32_t>(total - l.seq));
    else
      EXPECT_EQ(l.urg, 0xffff);
    pointed += l.urg >= 0;
  }
  EXPECT_EQ(pointed, 100u);
}

TEST_F(UrgentConn, ProbesOfAClosedWindowCarryThePointer) {
  wnd = 0;
  open_with({.wnd = 0});
  s.send_urgent("abc");
  EXPECT_EQ(left().size(), 0u);
  net.run(s.tcb().rto_us() * kUs);
  EXPECT_EQ(left(), (std::vector<Left>{{0, 0, 3}, {~0u, 0, 4}}));
}

TEST_F(UrgentConn, AcknowledgementsCarryThePointerOfWhatWaits) {
  open_with({.wnd = 0});
  s.send_urgent("abc");
  peer(0, 0, "data");
  net.run(300 * kMs);
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(left()[0], (Left{0, 0, 3}));
}

TEST_F(UrgentConn, ResetsCarryNone) {
  open_with({.wnd = 0});
  s.send_urgent("abc");
  s.close(true);
  const atcp_seg r = reply();
  EXPECT_NE(r.flags & ATCP_RST, 0);
  EXPECT_EQ(r.flags & ATCP_URG, 0);
}

// ---- receiving -------------------------------------------------------------------------------------

TEST_F(UrgentConn, ByteIsTakenOutOfTheStream) {
  open_with({});
  peer_urgent(0, "ab!cd", 3);
  EXPECT_EQ(s.conn().sigurgs, 1u);
  EXPECT_NE(s.conn().events & ATCP_EV_URGENT_BYTE, 0u);
  EXPECT_FALSE(s.at_mark());
  EXPECT_EQ(s.recv_text(), "ab");
  EXPECT_TRUE(s.at_mark());
  EXPECT_EQ(s.recv_urgent(), '!');
  EXPECT_TRUE(s.at_mark());
  EXPECT_EQ(s.recv_text(), "cd");
  EXPECT_FALSE(s.at_mark());
  atcp_urgent how = ATCP_URGENT_HERE;
  EXPECT_EQ(s.recv_urgent(&how), std::nullopt);
  EXPECT_EQ(how, ATCP_URGENT_NONE);
  EXPECT_EQ(s.tcb().copied_seq, s.tcb().rcv_nxt);
}

TEST_F(UrgentConn, ByteStaysInTheStreamIfTheProgramWantsSo) {
  open_with({});
  s.conn().oob_inline = true;
  peer_urgent(0, "ab!cd", 3);
  EXPECT_EQ(s.recv_text(), "ab");
  EXPECT_TRUE(s.at_mark());
  EXPECT_EQ(s.recv_text(), "!cd");
  EXPECT_FALSE(s.at_mark());
}

TEST_F(UrgentConn, PointerComesBeforeTheByte) {
  open_with({});
  peer_urgent(0, "ab", 1000);
  EXPECT_EQ(s.conn().sigurgs, 1u);
  atcp_urgent how = ATCP_URGENT_NONE;
  EXPECT_EQ(s.recv_urgent(&how), std::nullopt);
  EXPECT_EQ(how, ATCP_URGENT_AWAITED);
  EXPECT_EQ(s.recv_text(), "ab");
  peer(2, 0, std::string(997, 'x') + "!y");
  EXPECT_EQ(s.recv_urgent(), '!');
  EXPECT_EQ(s.recv(), Bytes(997, 'x'));
  EXPECT_TRUE(s.at_mark());
  EXPECT_EQ(s.recv_text(), "y");
  EXPECT_EQ(s.conn().sigurgs, 1u);
}

TEST_F(UrgentConn, ProgramIsToldWhenThePointerMovesOn) {
  open_with({});
  peer_urgent(0, "", 10);
  EXPECT_EQ(s.conn().sigurgs, 1u);
  peer_urgent(0, "a", 10);
  peer_urgent(1, "b", 9);  // the same octet, from one further on
  EXPECT_EQ(s.conn().sigurgs, 1u);
  peer_urgent(2, "", 9);
  EXPECT_EQ(s.conn().sigurgs, 2u);
  peer_urgent(2, "", 5);  // back: an old segment
  EXPECT_EQ(s.conn().sigurgs, 2u);
}

TEST_F(UrgentConn, NewMarkDropsTheByteAtTheOldOne) {
  open_with({});
  peer_urgent(0, "A", 1);
  EXPECT_TRUE(s.at_mark());
  peer_urgent(1, "B", 1);
  EXPECT_EQ(s.conn().sigurgs, 2u);
  EXPECT_TRUE(s.at_mark());
  EXPECT_EQ(s.recv_urgent(), 'B');
  peer(2, 0, "c");
  EXPECT_EQ(s.recv_text(), "c");
}

TEST_F(UrgentConn, OldUrgentByteWithDataInFrontBecomesPlain) {
  open_with({});
  peer_urgent(0, "xA", 2);
  peer_urgent(2, "B", 1);
  EXPECT_EQ(s.recv_text(), "xA");
  EXPECT_TRUE(s.at_mark());
  EXPECT_EQ(s.recv_urgent(), 'B');
}

TEST_F(UrgentConn, OutOfOrderSegmentBringsTheByte) {
  open_with({});
  peer_urgent(2, "cd!", 3);
  EXPECT_EQ(s.recv_urgent(), '!');
  EXPECT_EQ(s.recv_text(), "");
  peer(0, 0, "ab");
  EXPECT_EQ(s.recv_text(), "abcd");
  EXPECT_TRUE(s.at_mark());
}

TEST_F(UrgentConn, RepeatedSegmentIsNoNews) {
  open_with({});
  peer_urgent(0, "ab!", 3);
  EXPECT_EQ(s.recv_urgent(), '!');
  EXPECT_EQ(s.recv_text(), "ab");
  peer_urgent(0, "ab!", 3);
  EXPECT_EQ(s.recv_urgent(), std::nullopt);
  EXPECT_EQ(s.recv_text(), "");
  peer_urgent(0, "ab!", 3);
  EXPECT_EQ(s.recv_urgent(), std::nullopt);
  EXPECT_EQ(s.conn().sigurgs, 1u);
}

TEST_F(UrgentConn, CountsAtAClosedWindow) {
  open_with({});
  uint32_t sent = 0;
  while (s.tcb().receive_window() > 0) {
    const uint32_t n = std::min(s.tcb().receive_window(), 1000u);
    peer(sent, 0, std::string(n, 'f'));
    sent += n;
  }
  ASSERT_GT(sent, 10000u);
  // No room for the segment; its pointer and its urgent byte are taken all the same.
  peer_urgent(sent, "!", 1);
  EXPECT_EQ(s.tcb().rcv_nxt, Seq(theirs(sent)));
  EXPECT_EQ(s.conn().sigurgs, 1u);
  EXPECT_EQ(s.recv_urgent(), '!');
  EXPECT_EQ(srv.reason(ATCP_REASON_ZERO_WINDOW), 1u);
}

TEST_F(UrgentConn, OnlyValidSegmentsCount) {
  open_with({.ts = true});
  s.send("x");
  const Out good = [&] {
    Out o = segment(0, 0, "!");
    o.flags |= ATCP_URG;
    o.urg = 1;
    return o;
  }();
  Out bad = good;
  bad.seq = theirs(1000000);  // outside the window
  send(bad);
  bad = good;
  bad.ack = at(500);  // acknowledges what was not sent
  send(bad);
  bad = good;
  bad.flags =
      ATCP_URG | ATCP_RST;  // a reset is one, whatever else it says; here it is only a challenge
  bad.seq = theirs(7);
  send(bad);
  bad = good;
  bad.tsval = kPeerClock - 100000;  // PAWS
  send(bad);
  EXPECT_EQ(s.conn().sigurgs, 0u);
  send(good);
  EXPECT_EQ(s.conn().sigurgs, 1u);
}

TEST_F(UrgentConn, NothingIsUrgentAfterTheFin) {
  open_with({});
  Out fin = segment(0, 0);
  fin.flags |= ATCP_FIN;
  send(fin);
  peer_urgent(1, "", 5);
  EXPECT_EQ(s.conn().sigurgs, 0u);
}

TEST_F(UrgentConn, StdurgTakesThePointerLiterally) {
  srv.set("stdurg", "1");
  open_with({});
  peer_urgent(0, "ab!cd", 3);
  EXPECT_EQ(s.recv_urgent(), 'c');
  EXPECT_EQ(s.recv_text(), "ab!");
}

TEST_F(UrgentConn, ManyBytesUntilTheMark) {
  open_with({});
  for (const uint32_t n : {1u, 1000u, 65535u}) {
    SCOPED_TRACE(n);
    const Seq start = s.tcb().rcv_nxt;
    const uint32_t offset = bytes_between(Seq(theirs(0)), start);
    for (uint32_t i = 0; i < n;) {
      const uint32_t len = std::min(1000u, n - i);
      peer_urgent(offset + i, std::string(len, 'u'), static_cast<uint16_t>(n - i));
      i += len;
      EXPECT_EQ(s.at_mark(), n == 1);
      if (n > 1) s.recv();
    }
    EXPECT_TRUE(s.at_mark());
    EXPECT_EQ(s.recv_urgent(), 'u');
    EXPECT_EQ(bytes_between(start, s.tcb().copied_seq), n - 1);
    peer(offset + n, 0, "x");
    EXPECT_EQ(s.recv_text(), "x");
  }
}

// ---- both ends -------------------------------------------------------------------------------------

TEST(UrgentBothEnds, OverALossyPath) {
  FakeNet net;
  Host& a = net.add_host("a", ip4(10, 0, 0, 1));
  Host& b = net.add_host("b", ip4(10, 0, 0, 2));
  Sock l = b.listen(80);
  Sock c = a.connect(b.addr(), 80);
  net.run(kSec);
  Sock s = *l.accept();
  net.all_links().loss_permille = 0;
  net.link(a, b).loss_permille = 50;
  net.link(b, a).loss_permille = 50;
  std::string got, want;
  for (int i = 0; i < 60; i++) {
    const std::string text(static_cast<size_t>(1 + i * 37 % 3000), static_cast<char>('a' + i % 26));
    ASSERT_EQ(c.send(text), text.size());
    ASSERT_EQ(c.send_urgent("!"), 1u);
    want += text;
    const bool arrived = net.run_until([&] {
      if (!s.at_mark()) got += s.recv_text();
      return s.at_mark() && s.tcb().urgent.state() == ATCP_URGENT_HERE && got.size() >= want.size();
    });
    ASSERT_TRUE(arrived) << i;
    EXPECT_EQ(s.recv_urgent(), '!');
  }
  EXPECT_EQ(got, want);
}

}  // namespace
}  // namespace atcp::test
