// SPDX-License-Identifier: GPL-2.0
//
// Blind attacks (RFC 5961) as a matrix: resets, SYNs and ACKs that a stranger could guess, at connections
// whose numbers are about to pass 2^32 and at others just behind. What each row may cost: an ACK, at a
// rate; never the connection, never its clock or its window.
#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

struct Rfc5961 : RawConnTest {
  const Tcb& t() const { return s.tcb(); }
  /// Everything that a refused segment must not touch.
  struct Snapshot {
    uint32_t state, rcv_nxt, snd_una, snd_nxt, snd_wnd, ts_recent, readable;
    bool operator==(const Snapshot&) const = default;
  };
  Snapshot snapshot() const {
    return {s.state(),   t().rcv_nxt.raw(), t().snd_una.raw(), t().snd_nxt.raw(),
            t().snd_wnd, t().ts_recent,     s.readable()};
  }
  /// The connection after `past` bytes of either stream: 0 leaves both just below 2^32, 70000 well behind.
  void open_at(uint32_t past, bool with_ts) {
    open_with({.ts = with_ts});
    ASSERT_TRUE(s.exists());
    for (uint32_t i = 0; i < past; i += 1000) {
      s.send(std::string(1000, 'd'));
      net.run(kMs);
      peer(i, i + 1000, std::string(1000, 'd'));
      s.recv();
    }
    net.run(kSec);
    replies.clear();
    base = past;
  }
  void end() {
    if (s.exists()) s.close(true);
    listener.close();
    replies.clear();
  }
  void expect_challenge(const Out& o, atcp_reason why) {
    const Snapshot before = snapshot();
    const uint64_t n = srv.reason(why);
    const atcp_seg a = ask(o);
    EXPECT_EQ(a.flags, ATCP_ACK);
    EXPECT_EQ(a.seq, t().snd_nxt.raw());
    EXPECT_EQ(a.ack, t().rcv_nxt.raw());
    EXPECT_EQ(srv.reason(why), n + 1);
    EXPECT_EQ(snapshot(), before);
  }
  void expect_dropped(const Out& o, atcp_reason why) {
    const Snapshot before = snapshot();
    const uint64_t n = srv.reason(why);
    send(o);
    expect_silence();
    EXPECT_EQ(srv.reason(why), n + 1);
    EXPECT_EQ(snapshot(), before);
  }
  void expect_reset(const Out& o) {
    send(o);
    expect_silence();
    EXPECT_EQ(s.state(), ATCP_STATE_CLOSED);
    EXPECT_EQ(s.error(), ATCP_ERR_RESET);
    EXPECT_EQ(srv.reason(ATCP_REASON_RESET_BY_PEER), resets += 1);
  }
  /// A segment with these flags at an offset from what the peer's next one should be.
  Out with(uint8_t flags, int32_t off = 0, uint32_t ack_off = 0) {
    Out o = segment(base + static_cast<uint32_t>(off), base + ack_off);
    o.flags = flags;
    return o;
  }
  template <class F>
  void everywhere(F f) {
    for (const bool with_ts : {false, true})
      for (const uint32_t past : {0u, 70000u}) {
        SCOPED_TRACE((with_ts ? "timestamps, " : "no timestamps, ") + std::to_string(past));
        open_at(past, with_ts);
        if (HasFatalFailure()) return;
        f();
        end();
      }
  }
  uint32_t base = 0;
  uint64_t resets = 0;
};

TEST_F(Rfc5961, ResetExactly) {
  everywhere([&] { expect_reset(with(ATCP_RST)); });
  everywhere([&] { expect_reset(with(ATCP_RST | ATCP_ACK)); });
}

TEST_F(Rfc5961, ResetInTheWindowIsChallengedAndThenBelieved) {
  everywhere([&] {
    const auto wnd_now = static_cast<int32_t>(t().receive_window());
    for (const int32_t off : {1, 2, 1000, wnd_now - 1, wnd_now})
      expect_challenge(with(ATCP_RST, off), ATCP_REASON_RST_CHALLENGED);
    // A peer that really is gone answers the challenge with a reset that is exact.
    const atcp_seg c = ask(with(ATCP_RST, 1));
    Out real;
    real.flags = ATCP_RST;
    real.seq = c.ack;
    expect_reset(real);
  });
}

TEST_F(Rfc5961, ResetOutsideTheWindowIsNothing) {
  everywhere([&] {
    const auto wnd_now = static_cast<int32_t>(t().receive_window());
    for (const int32_t off : {-1, -1000, wnd_now + 1, wnd_now + 100000, 0x7fffffff})
      expect_dropped(with(ATCP_RST, off), ATCP_REASON_RST_OUT_OF_WINDOW);
  });
}

TEST_F(Rfc5961, ResetIsJudgedByItsNumberNotItsClock) {
  open_at(70000, true);
  for (const uint8_t f : std::initializer_list<uint8_t>{ATCP_RST, ATCP_RST | ATCP_ACK}) {
    Out o = with(f, 1);
    o.tsval = *o.tsval - 100000;  // of before a reboot
    expect_challenge(o, ATCP_REASON_RST_CHALLENGED);
  }
  Out o = with(ATCP_RST);
  o.tsval = *o.tsval - 100000;
  expect_reset(o);
}

TEST_F(Rfc5961, ResetAtTheEdgeOfTheNewestHole) {
  // The peer's next number, when it has sent what we hold and lost what lies between.
  open_at(0, false);
  peer(100, 0, std::string(50, 'o'));
  expect_challenge(with(ATCP_RST, 100), ATCP_REASON_RST_CHALLENGED);
  expect_challenge(with(ATCP_RST, 149), ATCP_REASON_RST_CHALLENGED);
  expect_reset(with(ATCP_RST, 150));
}

TEST_F(Rfc5961, SynIsChallengedWhereverItIs) {
  everywhere([&] {
    const auto wnd_now = static_cast<int32_t>(t().receive_window());
    for (const uint8_t f : std::initializer_list<uint8_t>{ATCP_SYN, ATCP_SYN | ATCP_ACK})
      for (const int32_t off : {-1000, -1, 0, 1, wnd_now, wnd_now + 1000})
        expect_challenge(with(f, off), ATCP_REASON_SYN_CHALLENGED);
    EXPECT_EQ(s.state(), ATCP_STATE_ESTABLISHED);
  });
  EXPECT_EQ(srv.counter("TCPSYNChallenge"), 4u * 12);
}

TEST_F(Rfc5961, DataOnASynIsNotDelivered) {
  open_at(0, false);
  Out o = with(ATCP_SYN | ATCP_ACK);
  o.data = "injected";
  expect_challenge(o, ATCP_REASON_SYN_CHALLENGED);
}

TEST_F(Rfc5961, AckOfUnsentData) {
  everywhere([&] {
    for (const uint32_t ahead : {1u, 1000u, 0x7ffffff0u}) {
      Out o = with(ATCP_ACK, 0, ahead);
      o.data = "injected";
      o.wnd = 1;
      if (ts) o.tsval = *o.tsval + 1000;
      expect_challenge(o, ATCP_REASON_ACK_UNSENT);
    }
  });
}

TEST_F(Rfc5961, AckFromFurtherBackThanAnyWindow) {
  everywhere([&] {
    const uint32_t most = t().max_snd_wnd;
    for (const uint32_t behind : {most + 1, most + 1000, 0x7ffffff0u}) {
      Out o = with(ATCP_ACK, 0, 0u - behind);
      o.data = "injected";
      o.wnd = 1;
      if (ts) o.tsval = *o.tsval + 1000;
      expect_challenge(o, ATCP_REASON_ACK_TOO_OLD);
    }
    // As far back as a window could be, it may be a segment that was long on its way: its data counts.
    Out late = with(ATCP_ACK, 0, 0u - most);
    late.data = "late";
    send(late);
    EXPECT_EQ(s.recv_text(), "late");
  });
}

TEST_F(Rfc5961, ABadAckDoesNotMoveThePeersClock) {
  // One segment with a clock far ahead would have PAWS refuse everything the peer itself sends.
  open_at(0, true);
  const uint32_t recent = t().ts_recent;
  for (const uint32_t ack_off : {1000u, 0u - 0x40000000u}) {
    Out o = with(ATCP_ACK, 0, ack_off);
    o.tsval = *o.tsval + 1000000;
    send(o);
    EXPECT_EQ(t().ts_recent, recent);
  }
  peer(0, 0, "still here");
  EXPECT_EQ(s.recv_text(), "still here");
  EXPECT_EQ(srv.reason(ATCP_REASON_PAWS), 0u);
}

TEST_F(Rfc5961, OldTimestampIsPaws) {
  open_at(70000, true);
  Out o = with(ATCP_ACK);
  o.tsval = t().ts_recent - 1;
  o.data = "old";
  expect_challenge(o, ATCP_REASON_PAWS);  // an ACK at once, for it carries data
  o.tsval = t().ts_recent;
  send(o);
  EXPECT_EQ(s.recv_text(), "old");
}

TEST_F(Rfc5961, AfterTwentyFourDaysAClockSaysNothing) {
  open_at(0, true);
  net.os.now_ns += (24ull * 24 * 3600 + 1) * kSec;
  Out o = with(ATCP_ACK);
  o.tsval = t().ts_recent - 1;
  o.data = "new";
  send(o);
  EXPECT_EQ(s.recv_text(), "new");
}

TEST_F(Rfc5961, NoAckFlagNoNothing) {
  open_at(0, false);
  for (const uint8_t f : std::initializer_list<uint8_t>{ATCP_FIN, ATCP_FIN | ATCP_PSH}) {
    Out o = with(f);
    o.data = "injected";
    expect_dropped(o, ATCP_REASON_NO_ACK_FLAG);
  }
}

TEST_F(Rfc5961, ChallengesOfASocketAreLimitedInRate) {
  srv.set("invalid_ratelimit", "500");
  open_at(0, false);
  for (int round = 0; round < 3; round++) {
    const uint64_t skipped = srv.counter("TCPACKSkippedChallenge");
    const uint64_t sent = srv.counter("TCPChallengeACK");
    EXPECT_EQ(ask(with(ATCP_SYN)).flags, ATCP_ACK);
    send(with(ATCP_RST, 1));
    expect_silence();
    send(with(ATCP_SYN | ATCP_ACK));
    expect_silence();
    send(with(ATCP_ACK, 0, 1));
    expect_silence();
    net.run(499 * kMs);
    send(with(ATCP_SYN));
    expect_silence();
    EXPECT_EQ(srv.counter("TCPChallengeACK"), sent + 1);
    EXPECT_EQ(srv.counter("TCPACKSkippedChallenge"), skipped + 4);
    net.run(kMs);
  }
}

TEST_F(Rfc5961, ChallengesOfANamespaceAreLimitedInNumber) {
  srv.set("challenge_ack_limit", "3");
  open_at(0, false);
  uint32_t answered = 0;
  for (int i = 0; i < 10; i++) {
    send(with(ATCP_SYN));
    answered += static_cast<uint32_t>(replies.size());
  }
  EXPECT_EQ(answered, 3u);
  net.run(kSec);
  EXPECT_EQ(ask(with(ATCP_SYN)).flags, ATCP_ACK);
}

}  // namespace
}  // namespace atcp::test
