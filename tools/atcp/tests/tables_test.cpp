// SPDX-License-Identifier: GPL-2.0
//
// Tests of the tables that the commands print: whole lines, as a person sees them.
#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <sstream>

#include "format.h"

namespace atcp::tool {
namespace {

/// The words of a line of text: columns without their padding.
std::vector<std::string> words(const std::string& text, size_t line) {
  std::istringstream lines(text);
  std::string found;
  for (size_t i = 0; i <= line; i++)
    if (!std::getline(lines, found)) return {};
  std::istringstream split(found);
  std::vector<std::string> out;
  for (std::string word; split >> word;)
    out.push_back(word);
  return out;
}

Socket connection() {
  Socket s;
  s.state = ATCP_STATE_ESTABLISHED;
  s.kind = ATCP_KIND_CONN;
  s.local = {{10, 0, 0, 1}, 80};
  s.peer = {{10, 0, 0, 2}, 40000};
  s.uid = 33;
  s.retrans = 5;
  s.conn = Connection();
  s.conn->recvq = 7;
  s.conn->sendq = 1448;
  s.conn->cc = "cubic";
  s.conn->cwnd = 10;
  s.conn->srtt_us = 20100;
  s.conn->rto_us = 221000;
  s.conn->bytes_acked = 33554432;
  s.conn->bytes_received = 80;
  return s;
}

using Words = std::vector<std::string>;

TEST(SocketsText, ShowsAConnection) {
  EXPECT_EQ(words(sockets_text({}, {connection()}), 1),
            (Words{"ESTAB", "7", "1448", "10.0.0.1:80", "10.0.0.2:40000", "33", "cubic", "10",
                   "20.1ms", "221ms", "5", "32.0M", "80", "-", "-"}));
}

TEST(SocketsText, ShowsNoRttBeforeTheFirstSample) {
  Socket s = connection();
  s.conn->srtt_us = 0;
  EXPECT_EQ(words(sockets_text({}, {s}), 1)[8], "-");
}

TEST(SocketsText, ShowsWhenATimeWaitEntryEnds) {
  Socket s;
  s.state = ATCP_STATE_TIME_WAIT;
  s.kind = ATCP_KIND_TIMEWAIT;
  s.local = {{10, 0, 0, 1}, 80};
  s.peer = {{10, 0, 0, 2}, 40000};
  s.expires_ms = 54321;
  EXPECT_EQ(words(sockets_text({}, {s}), 1),
            (Words{"TIME-WAIT", "0", "0", "10.0.0.1:80", "10.0.0.2:40000", "-", "-", "-", "-", "-",
                   "0", "-", "-", "54.32s", "-"}));
}

TEST(SocketsText, ShowsAListenersQueueAndLimit) {
  Listener l;
  l.local = {{0, 0, 0, 0}, 8080};
  l.accept_queue = 3;
  l.backlog = 128;
  Words row = words(sockets_text({l}, {}), 1);
  row.resize(5);
  EXPECT_EQ(row, (Words{"LISTEN", "3", "128", "0.0.0.0:8080", "*:*"}));
}

TEST(ListenersText, HasEveryCount) {
  Listener l;
  l.local = {{0, 0, 0, 0}, 8080};
  l.uid = 1;
  l.accept_queue = 2;
  l.backlog = 3;
  l.requests = 4;
  l.syns = 5;
  l.synacks = 6;
  l.syn_dups = 7;
  l.accepted = 8;
  l.overflow_syn = 9;
  l.overflow_ack = 10;
  l.syn_drops = 11;
  l.accept_queue_high = 12;
  l.requests_high = 13;
  l.ack_drops = 14;
  l.crowded_ms = 1500;
  l.young = 15;
  l.id = 16;
  EXPECT_EQ(words(listeners_text({l}), 1),
            (Words{"0.0.0.0:8080", "2", "12", "3", "1.50s", "4", "15", "13", "5", "6", "7", "8",
                   "9", "10", "11", "14", "1", "16"}));
  l.at_somaxconn = true;
  EXPECT_EQ(words(listeners_text({l}), 1)[3], "3(somaxconn)");
}

TEST(ListenersDetail, ShowsBothEquations) {
  Listener l;
  l.local = {{0, 0, 0, 0}, 8080};
  l.syns = 10;
  l.synacks = 6;
  l.cookies = 2;
  l.syn_dups = 1;
  l.syn_drops = 3;
  l.acks = 5;
  l.children = 3;
  l.ack_drops = 1;
  l.refusals = {{ATCP_REFUSED_SYN, "no_memory", 3}, {ATCP_REFUSED_ACK, "cookie_bad", 1}};
  EXPECT_EQ(listeners_detail({l}),
            "0.0.0.0:8080\n"
            "  SYNs 10 = SYN-ACKs 6 (2 cookies) + repeated 1 + refused 3\n"
            "    no_memory 3\n"
            "  ACKs 5 = connections 3 + refused 1 + in progress 1\n"
            "    cookie_bad 1\n"
            "  migrated: 0 in, 0 out\n");
}

TEST(ParamsText, MarksWhatIsNotDefault) {
  Param same{"sack", ATCP_PARAM_TYPE_NUMBER, "1", "1", 0, 1, "", "use SACK"};
  Param changed{"fin_timeout", ATCP_PARAM_TYPE_NUMBER, "5", "60", 1, 120, "s", "wait"};
  std::string text = params_text({same, changed});
  EXPECT_EQ(words(text, 1), (Words{"sack", "1", "1", "0..1", "use", "SACK"}));
  EXPECT_EQ(words(text, 2), (Words{"*", "fin_timeout", "5", "60", "1..120", "s", "wait"}));
}

TEST(CountersText, NameValueMeaning) {
  EXPECT_EQ(words(counters_text({{"InSegs", ~uint64_t{0}, "segments"}}), 1),
            (Words{"InSegs", "18446744073709551615", "segments"}));
}

TEST(ReasonsText, NameCountMeaning) {
  EXPECT_EQ(words(reasons_text({{3, "checksum", 9, "wrong"}}), 1),
            (Words{"checksum", "9", "wrong"}));
}

}  // namespace
}  // namespace atcp::tool
