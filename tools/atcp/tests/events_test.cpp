// SPDX-License-Identifier: GPL-2.0
//
// Tests of events.h: the names, and a line for events of every shape.
#include "events.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

namespace atcp::tool {
namespace {

// 23:59:59.5 of the first day, an hour east.
const Clock kClock = {int64_t{22} * 3600 * 1'000'000'000, 3600};

/// A connection of 127.0.0.1:80, half a minute after the machine's start.
Event event(uint32_t kind) {
  Event e;
  e.kind = kind;
  e.time_ns = 30'123'456'789;
  e.id = 17;
  e.local = {{127, 0, 0, 1}, 80};
  e.peer = {{10, 0, 0, 9}, 50001};
  return e;
}

constexpr const char* kWho = "  127.0.0.1:80          10.0.0.9:50001         id 17";

std::string line(const Event& e) {
  return event_line(e, kClock, false);
}

Record record() {
  Record r;
  r.socket.id = 17;
  r.socket.local = {{127, 0, 0, 1}, 80};
  r.socket.peer = {{10, 0, 0, 9}, 50001};
  r.socket.retrans = 3;
  r.socket.conn = Connection();
  r.socket.conn->bytes_acked = 2048;
  r.socket.conn->bytes_received = 100;
  r.socket.detail.numbers[ATCP_SOCKET_A_HANDSHAKE_US] = 250;
  r.socket.detail.limited = {{ATCP_LIMIT_APP, 30}, {ATCP_LIMIT_CWND, 70}};
  r.opened_ns = 28'000'000'000;
  r.closed_ns = 30'500'000'000;
  r.ended_by = ATCP_ENDED_BY_PEER_RST;
  r.reason = "reset_by_peer";
  return r;
}

TEST(EventKinds, EveryNumberHasANameThatLeadsBack) {
  std::vector<std::string> names = event_kind_names();
  ASSERT_EQ(names.size() + 1, size_t{__ATCP_EVENT_KIND_MAX});
  for (uint32_t kind = 1; kind < __ATCP_EVENT_KIND_MAX; kind++) {
    EXPECT_EQ(event_kind_name(kind), names[kind - 1]);
    EXPECT_EQ(event_kind_number(names[kind - 1]), kind);
  }
  EXPECT_EQ(event_kind_name(99), "kind_99");
  EXPECT_EQ(event_kind_number("kind_99"), 0u);
}

TEST(EventKinds, WordsWithCommasAndEitherSpelling) {
  EXPECT_EQ(event_kinds({}), 0u);
  EXPECT_EQ(event_kinds({"drop,Reset-Sent", "closed"}), 1u << ATCP_EVENT_KIND_DROP |
                                                            1u << ATCP_EVENT_KIND_RESET_SENT |
                                                            1u << ATCP_EVENT_KIND_CLOSED);
}

TEST(EventKinds, AWrongOneIsNamed) {
  try {
    event_kinds({"state,drp"});
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "there is no event 'drp'; did you mean drop?");
    EXPECT_EQ(e.status(), kExitUsage);
  }
  EXPECT_THROW(event_kinds({"drop,"}), Error);
}

TEST(EventClock, TimeOfDayInTheZone) {
  EXPECT_EQ(kClock.text(3599'500'000'000), "23:59:59.500000");
  EXPECT_EQ(kClock.text(3600'000'000'000), "00:00:00.000000");
}

TEST(EventLine, State) {
  Event e = event(ATCP_EVENT_KIND_STATE);
  e.old_state = ATCP_STATE_SYN_RECEIVED;
  e.new_state = ATCP_STATE_ESTABLISHED;
  EXPECT_EQ(line(e),
            "23:00:30.123456  state            " + std::string(kWho) + "  SYN-RECV > ESTAB");
}

TEST(EventLine, DropWithReasonAndSegment) {
  Event e = event(ATCP_EVENT_KIND_DROP);
  e.reason = "accept_queue_full_syn";
  e.tcp_flags = 0x02;
  e.tcp_seq = 4000000000u;
  e.len = 0;
  EXPECT_EQ(line(e), "23:00:30.123456  drop             " + std::string(kWho) +
                         "  accept_queue_full_syn  SYN seq 4000000000 len 0");
}

TEST(EventLine, Retransmission) {
  Event e = event(ATCP_EVENT_KIND_RETRANSMIT);
  e.retransmit = ATCP_RETRANSMIT_KIND_TIMEOUT;
  e.tcp_flags = 0x18;
  e.tcp_seq = 1;
  e.len = 1448;
  EXPECT_EQ(line(e), "23:00:30.123456  retransmit       " + std::string(kWho) +
                         "  timeout PSH|ACK seq 1 len 1448");
}

TEST(EventLine, WindowWithoutAThreshold) {
  Event e = event(ATCP_EVENT_KIND_CWND);
  e.cwnd = 10;
  e.ssthresh = 0x7fffffff;
  e.ca_state = 0;
  e.srtt_us = 1500;
  e.inflight = 4;
  EXPECT_EQ(line(e), "23:00:30.123456  cwnd             " + std::string(kWho) +
                         "  open cwnd 10 ssthresh infinite srtt 1.5ms inflight 4");
  e.ssthresh = 5;
  e.ca_state = 3;
  e.pacing_rate = 2048;
  e.delivery_rate = 1024;
  EXPECT_EQ(line(e), "23:00:30.123456  cwnd             " + std::string(kWho) +
                         "  recovery cwnd 10 ssthresh 5 srtt 1.5ms inflight 4 pacing 2.0K/s "
                         "delivered 1.0K/s");
}

TEST(EventLine, AListenerHasNoPeer) {
  Event e = event(ATCP_EVENT_KIND_ACCEPT_QUEUE_FULL);
  e.peer = {{0, 0, 0, 0}, 0};
  e.queue = 8;
  e.limit = 7;
  EXPECT_EQ(line(e),
            "23:00:30.123456  accept_queue_full  127.0.0.1:80          *:*                    id "
            "17  queue 8 of 7");
}

TEST(EventLine, ClosedTellsItsRecord) {
  Event e = event(ATCP_EVENT_KIND_CLOSED);
  e.reason = "reset_by_peer";
  EXPECT_EQ(line(e), "23:00:30.123456  closed           " + std::string(kWho) + "  reset_by_peer");
  e.record = record();
  EXPECT_EQ(line(e), "23:00:30.123456  closed           " + std::string(kWho) +
                         "  reset_by_peer  by the peer's reset after 2.50s, acked 2.0K, "
                         "received 100, retrans 3, mostly cwnd 70%");
}

TEST(EventLine, LossHasNoConnection) {
  Event e;
  e.kind = ATCP_EVENT_KIND_LOST;
  e.time_ns = 0;
  e.count = 312;
  EXPECT_EQ(line(e),
            "23:00:00.000000  lost               312 events not delivered: this reader was too "
            "slow");
}

TEST(EventLine, UnknownKindsAreShownAsFarAsTheyGo) {
  EXPECT_EQ(line(event(77)), "23:00:30.123456  kind_77          " + std::string(kWho));
}

TEST(EventLine, ColourIsAroundTheKindOnly) {
  Event e = event(ATCP_EVENT_KIND_DROP);
  e.tcp_flags = 0x04;
  std::string plain = line(e), bright = event_line(e, kClock, true);
  EXPECT_NE(bright.find("\033[31mdrop             \033[0m  127"), std::string::npos);
  for (const char* sequence : {"\033[31m", "\033[0m"})
    bright.erase(bright.find(sequence), std::string(sequence).size());
  EXPECT_EQ(bright, plain);
}

TEST(EventLine, Flags) {
  EXPECT_EQ(tcp_flag_names(0x12), (std::vector<std::string>{"SYN", "ACK"}));
  EXPECT_TRUE(tcp_flag_names(0).empty());
}

TEST(Records, ALinePerConnection) {
  Record refused;
  refused.socket.id = 18;
  refused.socket.local = {{10, 0, 0, 9}, 50002};
  refused.socket.peer = {{127, 0, 0, 1}, 9};
  refused.opened_ns = refused.closed_ns = 30'500'000'000;
  refused.ended_by = ATCP_ENDED_BY_PEER_RST;
  refused.reason = "refused_by_peer";
  EXPECT_EQ(records_text({record(), refused}, kClock),
            "Closed           Local           Peer            ID  Ended by          Reason      "
            "       Age  Handshake  Acked  Received  Retrans  Mostly\n"
            "23:00:30.500000  127.0.0.1:80    10.0.0.9:50001  17  the peer's reset  reset_by_peer"
            "    2.50s      250us   2.0K       100        3  cwnd 70%\n"
            "23:00:30.500000  10.0.0.9:50002  127.0.0.1:9     18  the peer's reset  "
            "refused_by_peer    0us          -      0         0        0  -\n");
}

TEST(Records, EveryEndingHasAName) {
  for (uint32_t by = 1; by < __ATCP_ENDED_BY_MAX; by++) {
    EXPECT_NE(ended_by_text(by), "?");
    EXPECT_NE(ended_by_name(by), "ended_by_" + std::to_string(by));
  }
  EXPECT_EQ(ended_by_name(99), "ended_by_99");
}

}  // namespace
}  // namespace atcp::tool
