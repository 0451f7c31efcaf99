// SPDX-License-Identifier: GPL-2.0
//
// Tests of the text of `atcp show`.
#include <gtest/gtest.h>
#include <linux/atcp.h>

#include "format.h"

namespace atcp::tool {
namespace {

TEST(SocketDetail, SaysEverything) {
  Socket s;
  s.id = 17;
  s.state = ATCP_STATE_ESTABLISHED;
  s.kind = ATCP_KIND_CONN;
  s.local = {{10, 0, 0, 1}, 80};
  s.peer = {{10, 0, 0, 2}, 40000};
  s.conn = Connection();
  s.conn->inode = 9;
  s.conn->cc = "cubic";
  s.conn->ssthresh = 0x7fffffff;
  s.detail.passive = true;
  s.detail.numbers = {{ATCP_SOCKET_A_MIN_RTT_US, 1500},
                      {ATCP_SOCKET_A_OPTIONS, 3},
                      {ATCP_SOCKET_A_CA_STATE, 3},
                      {ATCP_SOCKET_A_PACING_RATE, 2048}};
  s.detail.timers = {{"retransmit", 201000}, {"keepalive", 0}};
  s.detail.limited = {{ATCP_LIMIT_CWND, 1000}};
  s.detail.limited_by = ATCP_LIMIT_CWND;
  s.detail.in_state = {{ATCP_STATE_SYN_SENT, 2}};
  s.detail.drops = {{3, "paws", 4, ""}};
  Processes programs;
  programs.add(9, {33, "httpd", 4});
  std::string text = socket_detail(s, programs);
  for (const char* part :
       {"ESTAB  10.0.0.1:80 -> 10.0.0.2:40000  id 17", "passive", "open in httpd[33]", "cc cubic",
        "ssthresh infinite", "min_rtt 1.5ms", "options timestamps sack", "ca_state recovery",
        "pacing_rate 2.0K/s", "retransmit   201ms", "keepalive    due", "(now: cwnd)", "100.0 %",
        "SYN-SENT     2.0ms", "paws                     4"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in:\n" << text;
}

TEST(SocketDetail, OfATimeWaitEntryIsShort) {
  Socket s;
  s.state = ATCP_STATE_TIME_WAIT;
  s.local = {{10, 0, 0, 1}, 80};
  s.peer = {{10, 0, 0, 2}, 40000};
  s.expires_ms = 1000;
  EXPECT_EQ(socket_detail(s, {}),
            "TIME-WAIT  10.0.0.1:80 -> 10.0.0.2:40000  id 0\n  expires in 1.00s\n");
}

}  // namespace
}  // namespace atcp::tool
