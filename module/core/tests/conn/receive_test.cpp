// SPDX-License-Identifier: GPL-2.0
//
// The receiving half against a hand-written sender: when an ACK is due, what window it offers, what its
// SACK blocks say, and what is refused for which reason.
#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

struct Receive : RawConnTest {
  const Tcb& t() const { return s.tcb(); }
  static std::string full() { return std::string(kMss, 'f'); }
  /// The peer's stream goes on by a full segment; the ACKs it got.
  size_t data() {
    peer(sent, 0, full());
    sent += kMss;
    return replies.size();
  }
  /// Use up the quick ACKs of a young connection.
  void calm() {
    for (int i = 0; i < 200 && t().quick_acks > 0; i++) {
      data();
      s.recv();
      net.run(10 * kMs);
    }
    ASSERT_EQ(t().quick_acks, 0u);
    net.run(100 * kMs);  // what was delayed has left; a longer pause would make it young again
    replies.clear();
  }
  std::vector<std::pair<uint32_t, uint32_t>> blocks(const atcp_seg& seg) const {
    std::vector<std::pair<uint32_t, uint32_t>> out;
    for (uint32_t i = 0; i < seg.n_sack; i++)
      out.push_back({seg.sack[i].start - theirs(0), seg.sack[i].end - theirs(0)});
    return out;
  }
  /// Right edge of the window in an ACK, as an offset of the peer's stream.
  uint32_t edge(const atcp_seg& a) const {
    return a.ack + (static_cast<uint32_t>(a.wnd) << t().rcv_wscale) - theirs(0);
  }
  uint32_t sent = 0;
};
using Blocks = std::vector<std::pair<uint32_t, uint32_t>>;

TEST_F(Receive, AYoungConnectionAcksAtOnce) {
  open_with({});
  for (int i = 0; i < 8; i++) {
    EXPECT_EQ(data(), 1u) << i;
    EXPECT_EQ(reply().ack, theirs(sent)) << i;
    s.recv();
    net.run(kMs);
  }
}

TEST_F(Receive, LaterEverySecondFullSegment) {
  open_with({});
  calm();
  for (int i = 0; i < 6; i++) {
    EXPECT_EQ(data(), i % 2 == 0 ? 0u : 1u) << i;
    net.run(kMs);
  }
}

TEST_F(Receive, ALoneSegmentIsAckedByTheTimer) {
  open_with({});
  calm();
  data();
  expect_silence();
  const uint64_t before = srv.counter("DelayedACKs");
  net.run(39 * kMs);
  expect_silence();
  net.run(162 * kMs);  // RFC 9293 3.8.6.3 allows 500 ms, we take 200 at most
  EXPECT_EQ(reply().ack, theirs(sent));
  EXPECT_EQ(srv.counter("DelayedACKs"), before + 1);
}

TEST_F(Receive, TheEndOfAWriteIsAckedWhenItIsRead) {
  open_with({});
  calm();
  peer(sent, 0, "the end");
  sent += 7;
  expect_silence();
  s.recv();
  EXPECT_EQ(reply().ack, theirs(sent));
  EXPECT_FALSE(t().timers.pending(TimerId::DelayedAck));
  replies.clear();
  // A full segment is an end if it says so.
  data();
  s.recv();
  expect_silence();
  net.run(100 * kMs);
  replies.clear();
  Out pushed = segment(sent, 0, full());
  pushed.flags |= ATCP_PSH;
  send(pushed);
  sent += kMss;
  expect_silence();
  s.recv();
  EXPECT_EQ(reply().ack, theirs(sent));
}

TEST_F(Receive, ASmallerSizeTwiceInARowIsThatOfFullSegments) {
  open_with({});
  calm();
  const auto smaller = [&](size_t size) {
    peer(sent, 0, std::string(size, 's'));
    sent += static_cast<uint32_t>(size);
    s.recv();
    net.run(kMs);
    const size_t acks = replies.size();
    replies.clear();
    return acks;
  };
  EXPECT_EQ(t().rcv_mss, kMss);
  EXPECT_EQ(smaller(700), 1u);  // the end of something
  EXPECT_EQ(smaller(700), 0u);
  EXPECT_EQ(t().rcv_mss, 700u);
  EXPECT_EQ(smaller(700), 1u);
  EXPECT_EQ(smaller(700), 0u);
  // Too small to be anybody's segments.
  EXPECT_EQ(smaller(80), 1u);
  EXPECT_EQ(smaller(80), 1u);
  EXPECT_EQ(t().rcv_mss, 700u);
}

TEST_F(Receive, WhatIsNotAllReadWaits) {
  open_with({});
  calm();
  peer(sent, 0, "the end");
  s.recv(3);
  expect_silence();
  s.recv();
  EXPECT_EQ(reply().ack, theirs(sent + 7));
}

TEST_F(Receive, InAnExchangeAcksWaitForTheAnswer) {
  open_with({});
  calm();
  uint32_t answered = 0;
  const auto ask = [&](const std::string& question) {
    peer(sent, answered, question);
    sent += static_cast<uint32_t>(question.size());
    s.recv();
  };
  ask("one");
  EXPECT_EQ(reply().ack, theirs(sent));  // nothing had been answered yet
  s.send("yes");
  EXPECT_EQ(reply().len, 3u);
  answered += 3;
  replies.clear();
  ask("two");
  expect_silence();
  s.send("yes");
  EXPECT_EQ(reply().ack, theirs(sent));
  answered += 3;
  replies.clear();
  // Of two that come before the answer the second does not wait.
  ask("three");
  expect_silence();
  ask("four");
  EXPECT_EQ(reply().ack, theirs(sent));
  replies.clear();
  // No answer: the timer ends the exchange.
  ask("five");
  expect_silence();
  net.run(200 * kMs);
  EXPECT_EQ(reply().ack, theirs(sent));
  replies.clear();
  ask("six");
  EXPECT_EQ(reply().ack, theirs(sent));
}

TEST_F(Receive, TheProgramSaysWhetherItAnswers) {
  open_with({});
  const auto option = [&] { return s.get_option(12); };  // TCP_QUICKACK
  EXPECT_EQ(option(), 1);
  calm();
  EXPECT_EQ(option(), 1);
  EXPECT_EQ(s.set_option(12, 0), ATCP_OK);
  EXPECT_EQ(option(), 0);
  peer(sent, 0, "x");
  s.recv();
  expect_silence();
  EXPECT_EQ(s.set_option(12, 2), ATCP_OK);  // this one only
  EXPECT_EQ(reply().ack, theirs(sent + 1));
  EXPECT_EQ(option(), 0);
  EXPECT_EQ(s.set_option(12, 2), ATCP_OK);  // there is none
  EXPECT_EQ(option(), 1);
  EXPECT_EQ(s.set_option(12, 0), ATCP_OK);
  EXPECT_EQ(s.set_option(12, 1), ATCP_OK);
  EXPECT_EQ(option(), 1);
  EXPECT_EQ(t().quick_acks, 16u);
}

TEST_F(Receive, QuickAckSentOnDemandLeavesNoTimer) {
  open_with({});
  calm();
  data();
  expect_silence();
  EXPECT_TRUE(t().timers.pending(TimerId::DelayedAck));
  EXPECT_EQ(s.set_option(12, 1), ATCP_OK);
  EXPECT_EQ(reply().ack, theirs(sent));
  EXPECT_FALSE(t().timers.pending(TimerId::DelayedAck));
}

TEST_F(Receive, AnAckThatCouldNotLeaveIsStillOwed) {
  open_with({});
  net.os.fail(Fault::Emit, 1);
  data();
  expect_silence();
  net.run(300 * kMs);
  EXPECT_EQ(reply().ack, theirs(sent));
}

TEST_F(Receive, TheRightEdgeNeverMovesBack) {
  for (const int wscale : {-1, 7}) {
    SCOPED_TRACE(wscale);
    sent = 0;
    open_with({.wscale = wscale});
    uint32_t last = 0;
    bool closed = false;
    for (int i = 0; i < 400; i++) {
      const uint32_t room = t().receive_window();
      closed |= room == 0;
      const std::string d(std::min<uint32_t>(room, 1 + i * 37 % kMss), 'd');
      peer(sent, 0, d);
      sent += static_cast<uint32_t>(d.size());
      if (i % 7 == 3) s.recv(500 + i % 900);
      for (const Emitted& e : replies) {
        EXPECT_GE(edge(e.seg), last) << i;
        last = edge(e.seg);
      }
      net.run(50 * kMs);
    }
    EXPECT_TRUE(closed || s.readable() > 0);
    s.close(true);
    listener.close();
  }
}

TEST_F(Receive, AFullBufferClosesTheWindowAndReadingOpensIt) {
  open_with({});
  for (int i = 0; i < 400 && t().receive_window() > 0; i++) {
    const std::string d(std::min(t().receive_window(), kMss), 'd');
    peer(sent, 0, d);
    sent += static_cast<uint32_t>(d.size());
    net.run(300 * kMs);  // delayed ACKs leave too
  }
  ASSERT_EQ(t().receive_window(), 0u);
  EXPECT_EQ(srv.counter("TCPToZeroWindowAdv"), 1u);
  // A byte beyond is refused, and the answer says why.
  const atcp_seg probe = ask(segment(sent, 0, "x"));
  EXPECT_EQ(probe.ack, theirs(sent));
  EXPECT_EQ(probe.wnd, 0u);
  EXPECT_EQ(srv.reason(ATCP_REASON_ZERO_WINDOW), 1u);
  // RFC 9293 3.8.6.2.2: a little room is not worth a word...
  s.recv(100);
  expect_silence();
  // ...much is, without being asked.
  s.recv(60000);
  const atcp_seg update = reply();
  EXPECT_EQ(update.ack, theirs(sent));
  EXPECT_GE(update.wnd, 2 * kMss);
  EXPECT_EQ(srv.counter("TCPFromZeroWindowAdv"), 1u);
}

TEST_F(Receive, NoSillyWindowIsOffered) {
  open_with({});
  for (int i = 0; i < 400 && t().receive_window() > 0; i++) {
    const std::string d(std::min(t().receive_window(), kMss), 'd');
    peer(sent, 0, d);
    sent += static_cast<uint32_t>(d.size());
    net.run(300 * kMs);
  }
  // The program reads byte by byte: every window there is fits a whole segment of the peer.
  for (int i = 0; i < 6000; i++) {
    s.recv(7);
    net.os.lock(s.conn());
    const uint32_t w = offer_window(t());
    net.os.unlock(s.conn());
    EXPECT_TRUE(w == 0 || w >= t().rcv_mss) << w;
  }
}

TEST_F(Receive, SackBlocksNewestFirstFourWithoutTimestamps) {
  open_with({});
  for (const uint32_t i : {1, 3, 5, 7, 9})
    send(segment(i * 100, 0, std::string(50, 'o')));
  EXPECT_EQ(blocks(reply()), (Blocks{{900, 950}, {700, 750}, {500, 550}, {300, 350}}));
  send(segment(350, 0, std::string(150, 'o')));  // joins two of them
  EXPECT_EQ(blocks(reply()), (Blocks{{300, 550}, {900, 950}, {700, 750}}));
}

TEST_F(Receive, ABlockCoversAllThatIsHeldBesideTheNewest) {
  // RFC 2018 4: the first block is the contiguous one with the newest segment, although the block that it
  // joins is no longer among the four reported.
  open_with({});
  for (const uint32_t i : {1, 3, 5, 7, 9, 11})
    send(segment(i * 100, 0, std::string(50, 'o')));
  EXPECT_EQ(blocks(reply()), (Blocks{{1100, 1150}, {900, 950}, {700, 750}, {500, 550}}));
  send(segment(150, 0, std::string(10, 'o')));
  EXPECT_EQ(blocks(reply()), (Blocks{{100, 160}, {1100, 1150}, {900, 950}, {700, 750}}));
  send(segment(350, 0, std::string(550, 'o')));  // from the forgotten third hundred to the ninth
  EXPECT_EQ(blocks(reply()).at(1), (std::pair(300u, 950u)));  // after the DSACK
  send(segment(110, 0, std::string(10, 'o')));                // nothing new: the block around it
  EXPECT_EQ(blocks(reply()), (Blocks{{110, 120}, {100, 160}, {300, 950}, {1100, 1150}}));
}

TEST_F(Receive, ThreeSackBlocksBesideTimestamps) {
  open_with({.ts = true});
  for (const uint32_t i : {1, 3, 5, 7, 9})
    send(segment(i * 100, 0, std::string(50, 'o')));
  EXPECT_EQ(blocks(reply()), (Blocks{{900, 950}, {700, 750}, {500, 550}}));
}

TEST_F(Receive, NoSackBlocksUnlessAgreed) {
  open_with({.sack = false});
  send(segment(100, 0, "out of order"));
  const atcp_seg a = reply();
  EXPECT_EQ(a.n_sack, 0u);
  EXPECT_EQ(a.ack, theirs(0));
}

TEST_F(Receive, AFilledGapIsAckedAtOnceAndDelivered) {
  open_with({});
  calm();
  const uint32_t from = sent;
  peer(from + 3, 0, "defghi");
  EXPECT_EQ(blocks(reply()), (Blocks{{from + 3, from + 9}}));
  peer(from, 0, "abc");
  const atcp_seg a = reply();
  EXPECT_EQ(a.ack, theirs(from + 9));
  EXPECT_EQ(a.n_sack, 0u);
  EXPECT_EQ(s.recv_text(), "abcdefghi");
}

TEST_F(Receive, ADuplicateIsReportedOnce) {
  open_with({});
  peer(0, 0, "0123456789");
  const uint64_t old = srv.reason(ATCP_REASON_SEQ_OLD);
  peer(0, 0, "0123456789");
  EXPECT_EQ(blocks(reply()), (Blocks{{0, 10}}));
  EXPECT_EQ(srv.reason(ATCP_REASON_SEQ_OLD), old + 1);
  peer(10, 0, "more");
  EXPECT_EQ(reply().n_sack, 0u);
  // In part: only what was there before.
  peer(5, 0, "56789moreNEW");
  EXPECT_EQ(blocks(reply()), (Blocks{{5, 14}}));
  EXPECT_EQ(s.recv_text(), "0123456789moreNEW");
}

TEST_F(Receive, ADuplicateOutOfOrderIsReportedBeforeTheBlockItIsIn) {
  open_with({});
  peer(100, 0, std::string(50, 'o'));
  peer(110, 0, std::string(10, 'o'));
  EXPECT_EQ(blocks(reply()), (Blocks{{110, 120}, {100, 150}}));
  EXPECT_EQ(srv.reason(ATCP_REASON_OFO_DUPLICATE), 1u);
  EXPECT_EQ(srv.counter("TCPDSACKOfoSent"), 1u);
}

TEST_F(Receive, DsackCanBeTurnedOff) {
  srv.set("dsack", "0");
  open_with({});
  peer(0, 0, "0123456789");
  peer(0, 0, "0123456789");
  EXPECT_EQ(reply().n_sack, 0u);
}

TEST_F(Receive, DataBeyondTheWindowIsRefused) {
  open_with({});
  const uint32_t beyond = t().receive_window() + 1;
  const atcp_seg a = ask(segment(beyond, 0, "too far"));
  EXPECT_EQ(a.ack, theirs(0));
  EXPECT_EQ(a.n_sack, 0u);
  EXPECT_EQ(srv.reason(ATCP_REASON_SEQ_BEYOND_WINDOW), 1u);
  EXPECT_EQ(srv.counter("BeyondWindow"), 1u);
  EXPECT_EQ(s.readable(), 0u);
}

TEST_F(Receive, OldSegmentsAreAnsweredAtARateOldDataAlways) {
  srv.set("invalid_ratelimit", "500");
  open_with({});
  peer(0, 0, "data");
  net.run(kSec);
  // A peer that repeats data has not heard of it: each time it is told.
  for (int i = 0; i < 3; i++)
    EXPECT_EQ(ask(segment(0, 0, "data")).ack, theirs(4));
  // Bare ACKs could go to and fro for ever.
  Out bare = segment(0, 0);
  bare.seq = theirs(0) - 100;
  send(bare);
  EXPECT_EQ(reply().ack, theirs(4));
  send(bare);
  expect_silence();
  net.run(500 * kMs);
  send(bare);
  EXPECT_EQ(reply().ack, theirs(4));
}

TEST_F(Receive, AFinWaitsForWhatPrecedesIt) {
  open_with({});
  Out fin = segment(4, 0, "tail");
  fin.flags |= ATCP_FIN;
  send(fin);
  EXPECT_EQ(reply().ack, theirs(0));
  EXPECT_EQ(s.state(), ATCP_STATE_ESTABLISHED);
  EXPECT_FALSE(s.eof());
  peer(0, 0, "head");
  EXPECT_EQ(s.state(), ATCP_STATE_CLOSE_WAIT);
  EXPECT_TRUE(s.eof());
  EXPECT_EQ(s.recv_text(), "headtail");
  net.run(kSec);
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(replies.back().seg.ack, theirs(9));  // the FIN counts
}

TEST_F(Receive, ABareFinOutOfOrder) {
  open_with({});
  Out fin = segment(4, 0);
  fin.flags |= ATCP_FIN;
  send(fin);
  EXPECT_FALSE(s.eof());
  peer(0, 0, "head");
  EXPECT_TRUE(s.eof());
  EXPECT_EQ(s.recv_text(), "head");
}

TEST_F(Receive, DataBehindAFinIsRefused) {
  open_with({});
  Out fin = segment(0, 0, "end");
  fin.flags |= ATCP_FIN;
  send(fin);
  ASSERT_EQ(s.state(), ATCP_STATE_CLOSE_WAIT);
  EXPECT_EQ(ask(segment(4, 0, "more")).ack, theirs(4));
  EXPECT_EQ(srv.reason(ATCP_REASON_DATA_AFTER_FIN), 1u);
  EXPECT_EQ(s.recv_text(), "end");
}

TEST_F(Receive, OutOfOrderDataWithoutMemoryIsDroppedAndAsked) {
  open_with({});
  net.os.fail(Fault::Hold, 1);
  const atcp_seg a = ask(segment(10, 0, "later"));
  EXPECT_EQ(a.ack, theirs(0));
  EXPECT_EQ(a.n_sack, 0u);
  EXPECT_EQ(srv.reason(ATCP_REASON_RCVBUF_FULL), 1u);
  EXPECT_EQ(srv.counter("TCPOFODrop"), 1u);
}

TEST_F(Receive, DataInOrderWithoutMemoryIsDroppedAndAsked) {
  open_with({});
  peer(0, 0, "first");
  net.os.fail(Fault::Reserve, 1);
  const atcp_seg a = ask(segment(5, 0, "second"));
  EXPECT_EQ(a.ack, theirs(5));
  EXPECT_EQ(srv.reason(ATCP_REASON_MEMORY_FULL), 1u);
  EXPECT_EQ(srv.counter("TCPRcvQDrop"), 1u);
  peer(5, 0, "second");
  EXPECT_EQ(s.recv_text(), "firstsecond");
}

TEST_F(Receive, WhoHasNothingToReadGetsMemoryAlways) {
  open_with({});
  net.os.fail_always(Fault::Reserve, true);
  peer(0, 0, "first");
  EXPECT_EQ(reply().ack, theirs(5));
  EXPECT_EQ(s.recv_text(), "first");
}

TEST_F(Receive, DataInOrderTakesTheMemoryOfWhatIsNot) {
  open_with({});
  peer(0, 0, "first");
  for (const uint32_t at : {20, 30, 40, 50})
    peer(at, 0, "later");
  net.os.fail(Fault::Reserve, 1);
  EXPECT_EQ(ask(segment(5, 0, "second")).ack, theirs(11));
  EXPECT_EQ(srv.counter("OfoPruned"), 1u);  // as much as it needs, and no more
  EXPECT_EQ(srv.counter("TCPRcvQDrop"), 0u);
  net.os.fail(Fault::Reserve, 1);
  EXPECT_EQ(ask(segment(11, 0, "third")).ack, theirs(16));
  EXPECT_EQ(srv.counter("OfoPruned"), 2u);
}

TEST_F(Receive, AtTheCeilingDataInOrderTakesNoMoreThanItNeeds) {
  open_with({});
  s.conn().rcvbuf = 1 << 20;
  peer(0, 0, "first");
  for (uint32_t i = 0; i < 64; i++)
    peer(1000 + 10 * i, 0, "later");
  const uint32_t rmem = s.conn().rmem;
  srv.os().mem_level = ATCP_MEM_LEVEL_FULL;
  EXPECT_EQ(ask(segment(5, 0, "second")).ack, theirs(11));
  EXPECT_LE(srv.counter("OfoPruned"), 8u);
  EXPECT_LE(s.conn().rmem, rmem);  // it grew by nothing
  EXPECT_EQ(s.recv_text(), "firstsecond");
}

TEST_F(Receive, WhatWouldNotBeEnoughIsNotGivenUp) {
  open_with({});
  peer(0, 0, "first");
  peer(20000, 0, "later");
  srv.os().mem_level = ATCP_MEM_LEVEL_FULL;
  // It takes more memory than one small packet gives back.
  peer(5, 0, std::string(8 * kMss, 'd'));
  EXPECT_EQ(srv.reason(ATCP_REASON_MEMORY_FULL), 1u);
  EXPECT_EQ(srv.counter("OfoPruned"), 0u);
  // Once all has been read there is no need.
  EXPECT_EQ(s.recv_text(), "first");
  peer(5, 0, std::string(8 * kMss, 'd'));
  EXPECT_EQ(s.recv_text().size(), 8 * kMss);
  EXPECT_EQ(srv.counter("OfoPruned"), 0u);
}

TEST_F(Receive, SmallSegmentsDoNotUseUpTheBuffer) {
  open_with({});
  s.conn().rcvbuf = 64 << 10;
  s.conn().rcvbuf_locked = true;
  // Each takes about a kilobyte; twenty times as many as fit.
  const uint32_t n = 1200;
  for (uint32_t i = 0; i < n; i++)
    peer(i, 0, std::string(1, static_cast<char>('a' + i % 26)));
  EXPECT_EQ(srv.counter("TCPRcvQDrop"), 0u);
  EXPECT_GT(srv.counter("TCPRcvCollapsed"), n / 2);
  const std::string got = s.recv_text();
  ASSERT_EQ(got.size(), n);
  for (uint32_t i = 0; i < n; i++)
    ASSERT_EQ(got[i], static_cast<char>('a' + i % 26)) << i;
}

// ---- memory of the namespace ---------------------------------------------------------------

TEST_F(Receive, MemoryLevelsOfTheNamespace) {
  Border b("mem_level");
  const auto level = [this](uint64_t pages, atcp_mem_level was) {
    return atcp_core_mem_level(srv.core(), pages, was);
  };
  EXPECT_EQ(level(~0ull, ATCP_MEM_LEVEL_OK), ATCP_MEM_LEVEL_OK);  // no ceiling
  srv.set("mem", "100 200 300");
  EXPECT_EQ(level(200, ATCP_MEM_LEVEL_OK), ATCP_MEM_LEVEL_OK);
  EXPECT_EQ(srv.counter("TCPMemoryPressures"), 0u);
  EXPECT_EQ(level(201, ATCP_MEM_LEVEL_OK), ATCP_MEM_LEVEL_PRESSURE);
  EXPECT_EQ(srv.counter("TCPMemoryPressures"), 1u);
  EXPECT_EQ(level(300, ATCP_MEM_LEVEL_PRESSURE), ATCP_MEM_LEVEL_PRESSURE);
  EXPECT_EQ(level(301, ATCP_MEM_LEVEL_PRESSURE), ATCP_MEM_LEVEL_FULL);
  EXPECT_EQ(level(101, ATCP_MEM_LEVEL_FULL), ATCP_MEM_LEVEL_PRESSURE);
  EXPECT_EQ(level(101, ATCP_MEM_LEVEL_PRESSURE), ATCP_MEM_LEVEL_PRESSURE);
  EXPECT_EQ(level(100, ATCP_MEM_LEVEL_PRESSURE), ATCP_MEM_LEVEL_OK);
  EXPECT_EQ(level(101, ATCP_MEM_LEVEL_OK), ATCP_MEM_LEVEL_OK);
  EXPECT_EQ(srv.counter("TCPMemoryPressures"), 1u);
  EXPECT_EQ(level(400, ATCP_MEM_LEVEL_OK), ATCP_MEM_LEVEL_FULL);
  EXPECT_EQ(srv.counter("TCPMemoryPressures"), 2u);
}

TEST_F(Receive, UnderPressureWindowsDoNotGrow) {
  open_with({.wscale = 2});
  const uint32_t offered = s.tcb().receive_window();
  const uint32_t limit = s.conn().rcvbuf;
  srv.os().mem_level = ATCP_MEM_LEVEL_PRESSURE;
  uint32_t at = 0;
  for (int i = 0; i < 80; i++) {
    peer(at, 0, std::string(kMss, 'd'));
    at += kMss;
    net.run(5 * kMs);
    s.recv();
  }
  EXPECT_LE(s.tcb().receive_window(), offered);
  EXPECT_LE(s.tcb().receive_window(), 4 * kMss + 128);  // rounded up by the scale
  EXPECT_EQ(s.conn().rcvbuf, limit);
  // And do again when it is over.
  srv.os().mem_level = ATCP_MEM_LEVEL_OK;
  for (int i = 0; i < 80; i++) {
    peer(at, 0, std::string(kMss, 'd'));
    at += kMss;
    net.run(5 * kMs);
    s.recv();
  }
  EXPECT_GT(s.tcb().receive_window(), offered);
}

TEST_F(Receive, WindowIsNotTakenBackForWantOfMemory) {
  open_with({});
  const uint32_t edge = synack.wnd;
  srv.os().mem_level = ATCP_MEM_LEVEL_PRESSURE;
  const atcp_seg a = ask(segment(10, 0, "later"));
  EXPECT_EQ(a.ack, theirs(0));
  EXPECT_EQ(a.wnd, edge);
}

TEST_F(Receive, FullMemoryDropsAllButTheFirst) {
  open_with({});
  srv.os().mem_level = ATCP_MEM_LEVEL_FULL;
  peer(0, 0, "first");
  peer(5, 0, "second");
  EXPECT_EQ(s.recv_text(), "first");
  EXPECT_EQ(srv.reason(ATCP_REASON_MEMORY_FULL), 1u);
  peer(20, 0, "later");
  EXPECT_EQ(srv.reason(ATCP_REASON_RCVBUF_FULL), 1u);
  peer(5, 0, "second");
  EXPECT_EQ(s.recv_text(), "second");
}

// ---- window scale (RFC 7323 2) -------------------------------------------------------------

TEST_F(Receive, AnyScaleOfThePeerIsTakenUpTo14) {
  for (const auto& [offered, taken] :
       {std::pair(0, 0u), {1, 1u}, {14, 14u}, {15, 14u}, {255, 14u}}) {
    SCOPED_TRACE(offered);
    open_with({.wscale = offered, .wnd = 3});
    EXPECT_TRUE(t().wscale_ok);
    EXPECT_EQ(t().snd_wscale, taken);
    EXPECT_NE(synack.has & ATCP_OPT_WSCALE, 0u);
    EXPECT_EQ(t().snd_wnd, 3u << taken);  // the third ACK's is scaled
    wnd = 65535;
    peer(0, 0, "x");
    EXPECT_EQ(t().snd_wnd, 65535u << taken);
    s.close(true);
    listener.close();
  }
}

TEST_F(Receive, WithoutTheOptionNobodyScales) {
  open_with({.wnd = 1000});
  EXPECT_EQ(synack.has & ATCP_OPT_WSCALE, 0u);
  EXPECT_EQ(t().snd_wscale, 0u);
  EXPECT_EQ(t().rcv_wscale, 0u);
  EXPECT_EQ(t().snd_wnd, 1000u);
  EXPECT_LE(t().window_clamp, 65535u);
}

TEST_F(Receive, OurOwnSynIsNotScaled) {
  srv.set("rmem", "4096 131072 67108864");
  open_with({.wscale = 0});
  EXPECT_EQ(synack.wscale, t().rcv_wscale);
  EXPECT_GE(t().rcv_wscale, 10u);
  EXPECT_GT(synack.wnd, 1u << 14);  // as it stands; scaled it would be a few dozen
  const atcp_seg a = ask(segment(0, 0, "x"));
  EXPECT_LT(a.wnd, 1u << 10);
  EXPECT_GE(static_cast<uint32_t>(a.wnd) << t().rcv_wscale,
            static_cast<uint32_t>(synack.wnd) - kMss);
}

TEST_F(Receive, OurScaleFollowsTheLargestBuffer) {
  for (const auto& [rmem, scale] : {std::pair("4096 16384 65535", 0),
                                    {"4096 16384 131072", 2},
                                    {"4096 16384 2147483647", 14}}) {
    srv.set("rmem", rmem);
    EXPECT_EQ(choose_rcv_wscale(srv.ns(), 1000), scale) << rmem;
  }
  EXPECT_EQ(choose_rcv_wscale(srv.ns(), 1 << 30), 14);
}

}  // namespace
}  // namespace atcp::test
