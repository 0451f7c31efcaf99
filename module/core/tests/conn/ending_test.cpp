// SPDX-License-Identifier: GPL-2.0
//
// How connections end, told from both ends and against the clock: crossing FINs, FINs out of order or with data,
// FINs that nobody acknowledges, orphans. The rows of docs/scenarios.md on closing; what one call says on the wire
// is in close_test.cpp, what TIME_WAIT does in timewait_test.cpp.
#include <linux/atcp.h>

#include "conn/tcb.h"
#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

struct Ending : RawPeerTest {
  void SetUp() override {
    listener = srv.listen(kPort);
    iss = half_open();
    net.run(1 * kMs);  // a round trip to measure: the timeout is 200 ms and a bit
    send({.seq = kIrs + 1, .ack = iss + 1});
    s = *listener.accept();
    replies.clear();
  }
  void TearDown() override {
    net.close_all();
    srv.os().wire = nullptr;
  }
  uint32_t state() const { return s.state(); }
  /// When (ms from now) each segment of the next `seconds` leaves; all must have these flags.
  std::vector<uint64_t> departures(uint64_t seconds, uint8_t flags) {
    std::vector<uint64_t> at;
    const uint64_t begin = net.now();
    srv.os().wire = [&, begin](Emitted&& e) {
      EXPECT_EQ(e.seg.flags & ~ATCP_PSH, flags) << e.text;
      at.push_back((net.now() - begin) / kMs);
    };
    net.run(seconds * kSec);
    srv.os().wire = [this](Emitted&& e) { replies.push_back(std::move(e)); };
    return at;
  }
  Sock listener, s;
  uint32_t iss = 0;
};

constexpr uint8_t kFinAck = ATCP_FIN | ATCP_ACK;

TEST_F(Ending, FinThatCarriesDataIsAcknowledgedWithIt) {
  send({.flags = kFinAck, .seq = kIrs + 1, .ack = iss + 1, .data = "last words"});
  net.run(100 * kMs);
  EXPECT_EQ(reply().ack, kIrs + 1 + 10 + 1);
  EXPECT_EQ(state(), static_cast<uint32_t>(ATCP_STATE_CLOSE_WAIT));
  EXPECT_EQ(s.recv_text(), "last words");
  EXPECT_TRUE(s.eof());
  s.send("the other half is open");
  EXPECT_EQ(reply().len, 22u);
}

TEST_F(Ending, FinBeyondAHoleWaitsInFinWait2) {
  s.shutdown();
  EXPECT_EQ(reply().flags, kFinAck);
  send({.seq = kIrs + 1, .ack = iss + 2});
  EXPECT_EQ(state(), static_cast<uint32_t>(ATCP_STATE_FIN_WAIT2));
  EXPECT_EQ(ask({.flags = kFinAck, .seq = kIrs + 101, .ack = iss + 2}).ack, kIrs + 1);
  EXPECT_EQ(state(), static_cast<uint32_t>(ATCP_STATE_FIN_WAIT2));
  EXPECT_FALSE(s.eof());
  EXPECT_EQ(ask({.seq = kIrs + 1, .ack = iss + 2, .data = std::string(100, 'g')}).ack, kIrs + 102);
  EXPECT_EQ(found(), ATCP_FOUND_TIMEWAIT);
  EXPECT_EQ(s.recv_text(), std::string(100, 'g'));
  EXPECT_TRUE(s.eof());
}

TEST_F(Ending, CrossingFinsGoThroughClosing) {
  s.close();
  EXPECT_EQ(reply().flags, kFinAck);
  EXPECT_EQ(state(), static_cast<uint32_t>(ATCP_STATE_FIN_WAIT1));
  EXPECT_EQ(ask({.flags = kFinAck, .seq = kIrs + 1, .ack = iss + 1}).ack, kIrs + 2);
  EXPECT_EQ(state(), static_cast<uint32_t>(ATCP_STATE_CLOSING));
  send({.seq = kIrs + 2, .ack = iss + 2});
  expect_silence();
  EXPECT_EQ(found(), ATCP_FOUND_TIMEWAIT);
}

TEST_F(Ending, FinWithTheAckOfOursSkipsFinWait2) {
  s.close();
  EXPECT_EQ(reply().flags, kFinAck);
  EXPECT_EQ(ask({.flags = kFinAck, .seq = kIrs + 1, .ack = iss + 2}).ack, kIrs + 2);
  EXPECT_EQ(found(), ATCP_FOUND_TIMEWAIT);
}

TEST_F(Ending, OrphansFinIsSentNineTimes) {
  // orphan_retries 0 means 8; 102 s are 2^9 - 1 times the least timeout.
  const uint64_t begin = net.now();
  srv.set("orphan_retries", "0");
  s.close();
  EXPECT_EQ(reply().flags, kFinAck);
  const std::vector<uint64_t> again = departures(95, kFinAck);
  EXPECT_EQ(again.size(), 8u);
  for (size_t i = 1; i < again.size(); i++)
    EXPECT_NEAR(static_cast<double>(again[i]) / static_cast<double>(again[i - 1]), 2, 1.1);
  EXPECT_NEAR(static_cast<double>(again.back()), 51000, 2000);
  EXPECT_TRUE(s.exists());
  ASSERT_TRUE(net.run_until([&] { return !s.exists(); }, 20 * kSec));
  EXPECT_NEAR(static_cast<double>(net.now() - begin) / kSec, 102.2, 2);
  EXPECT_EQ(srv.reason(ATCP_REASON_TIMEOUT_RETRANSMIT), 1u);
}

TEST_F(Ending, LastAckGivesUpAsAnOrphanDoes) {
  srv.set("orphan_retries", "3");
  send({.flags = kFinAck, .seq = kIrs + 1, .ack = iss + 1});
  s.close();
  EXPECT_EQ(reply().flags, kFinAck);
  EXPECT_EQ(state(), static_cast<uint32_t>(ATCP_STATE_LAST_ACK));
  const std::vector<uint64_t> again = departures(30, kFinAck);
  EXPECT_GE(again.size(), 3u);
  EXPECT_LE(again.size(), 4u);
  EXPECT_FALSE(s.exists());
  EXPECT_EQ(ask({.seq = kIrs + 2, .ack = iss + 2}).flags, ATCP_RST);
}

TEST_F(Ending, ShutdownAloneIsNoOrphan) {
  // The program is still there to be told: retries2 counts, not orphan_retries.
  srv.set("orphan_retries", "1");
  srv.set("retries2", "6");
  s.shutdown();
  EXPECT_EQ(reply().flags, kFinAck);
  EXPECT_EQ(departures(24, kFinAck).size(), 6u);
  EXPECT_EQ(state(), static_cast<uint32_t>(ATCP_STATE_FIN_WAIT1));
  EXPECT_EQ(s.error(), ATCP_OK);
  departures(10, kFinAck);
  EXPECT_EQ(s.error(), ATCP_ERR_TIMED_OUT);
}

TEST_F(Ending, HalfCloseHasNoTimeout) {
  srv.set("fin_timeout", "1");
  s.shutdown();
  send({.seq = kIrs + 1, .ack = iss + 2});
  net.run(3600 * kSec);
  EXPECT_EQ(state(), static_cast<uint32_t>(ATCP_STATE_FIN_WAIT2));
  send({.seq = kIrs + 1, .ack = iss + 2, .data = "late but welcome"});
  EXPECT_EQ(s.recv_text(), "late but welcome");
}

TEST_F(Ending, FinIsHeldBackByAClosedWindow) {
  send({.seq = kIrs + 1, .ack = iss + 1, .wnd = 0});
  s.send("queued");
  s.close();
  EXPECT_EQ(state(), static_cast<uint32_t>(ATCP_STATE_FIN_WAIT1));
  expect_silence();
  send({.seq = kIrs + 1, .ack = iss + 1, .wnd = 3});
  net.run(1 * kSec);
  ASSERT_FALSE(replies.empty());
  for (const Emitted& e : replies)
    EXPECT_EQ(e.seg.flags & ATCP_FIN, 0) << e.text;
  send({.seq = kIrs + 1, .ack = iss + 4, .wnd = 1000});
  const atcp_seg rest = reply();
  EXPECT_EQ(rest.len, 3u);
  EXPECT_EQ(rest.flags & ATCP_FIN, ATCP_FIN);
}

TEST_F(Ending, DataBeyondTheFinIsNotDelivered) {
  send({.flags = kFinAck, .seq = kIrs + 1, .ack = iss + 1});
  send({.seq = kIrs + 2, .ack = iss + 1, .data = "posthumous"});
  EXPECT_EQ(s.readable(), 0u);
  EXPECT_EQ(state(), static_cast<uint32_t>(ATCP_STATE_CLOSE_WAIT));
}

TEST_F(Ending, MoreOrphansThanAllowed) {
  srv.set("max_orphans", "2");
  Border b("orphan_refused");
  EXPECT_EQ(atcp_core_orphan_refused(&s.conn().conn, 2, ATCP_MEM_LEVEL_OK), ATCP_REASON_NONE);
  EXPECT_EQ(atcp_core_orphan_refused(&s.conn().conn, 3, ATCP_MEM_LEVEL_OK),
            ATCP_REASON_ABORT_ORPHANS);
}

TEST_F(Ending, OrphanWithDataNeedsMemory) {
  const auto refused = [this](atcp_mem_level level) {
    Border b("orphan_refused");
    return atcp_core_orphan_refused(&s.conn().conn, 1, level);
  };
  EXPECT_EQ(refused(ATCP_MEM_LEVEL_FULL), ATCP_REASON_NONE);
  s.shutdown();
  EXPECT_EQ(refused(ATCP_MEM_LEVEL_FULL), ATCP_REASON_NONE);  // a FIN takes none
}

TEST_F(Ending, OrphanWithDataIsResetWhenMemoryIsFull) {
  s.send("unread");
  {
    Border b("orphan_refused");
    const atcp_conn* c = &s.conn().conn;
    EXPECT_EQ(atcp_core_orphan_refused(c, 1, ATCP_MEM_LEVEL_PRESSURE), ATCP_REASON_NONE);
    EXPECT_EQ(atcp_core_orphan_refused(c, 1, ATCP_MEM_LEVEL_FULL), ATCP_REASON_ABORT_MEMORY);
  }
  s.close();
  replies.clear();
  s.abort(ATCP_REASON_ABORT_MEMORY);
  EXPECT_EQ(reply().flags & ATCP_RST, ATCP_RST);
  EXPECT_EQ(srv.reason(ATCP_REASON_ABORT_MEMORY), 1u);
  EXPECT_EQ(srv.counter("TCPAbortOnMemory"), 1u);
}

TEST_F(Ending, OrphanTooManyIsReset) {
  s.close();
  replies.clear();
  s.abort(ATCP_REASON_ABORT_ORPHANS);
  EXPECT_EQ(reply().flags & ATCP_RST, ATCP_RST);
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
  EXPECT_EQ(srv.reason(ATCP_REASON_ABORT_ORPHANS), 1u);
}

}  // namespace
}  // namespace atcp::test
