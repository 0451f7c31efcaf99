// SPDX-License-Identifier: GPL-2.0
//
// Every pair of states against RFC 9293's figure 5, written down a second time.
#include <set>
#include <utility>

#include "conn/tcb.h"
#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

using States = RawPeerTest;

TEST_F(States, OnlyTheDrawnTransitionsHappen) {
  using enum State;
  const std::set<std::pair<State, State>> drawn = {
      {Closed, Listen},        {Closed, SynSent},       {Closed, SynReceived},
      {SynSent, SynReceived},  {SynSent, Established},  {SynReceived, Established},
      {SynReceived, FinWait1}, {Established, FinWait1}, {Established, CloseWait},
      {FinWait1, FinWait2},    {FinWait1, Closing},     {FinWait1, TimeWait},
      {FinWait2, TimeWait},    {Closing, TimeWait},     {CloseWait, LastAck},
  };
  Sock s = srv.socket();
  Tcb& t = s.tcb();
  net.os.lock(s.conn());
  for (uint32_t from = 1; from <= 11; from++) {
    for (uint32_t to = 1; to <= 11; to++) {
      const auto a = static_cast<State>(from);
      const auto b = static_cast<State>(to);
      t.state = a;
      const bool want = a == b || b == Closed || drawn.count({a, b}) != 0;
      EXPECT_EQ(set_state(t, b, Now(net.now())), want) << state_name(a) << " to " << state_name(b);
      EXPECT_EQ(t.state, want ? b : a);
    }
  }
  t.state = Closed;
  net.os.unlock(s.conn());
}

TEST_F(States, EndsAreCounted) {
  Sock l = srv.listen(kPort);
  const uint32_t iss = open();
  Sock s = *l.accept();
  send({.flags = ATCP_RST | ATCP_ACK, .seq = kIrs + 1, .ack = iss + 1});
  expect_silence();
  EXPECT_EQ(s.error(), ATCP_ERR_RESET);
  EXPECT_EQ(srv.counter("EstabResets"), 1u);
  EXPECT_EQ(srv.reason(ATCP_REASON_RESET_BY_PEER), 1u);
  EXPECT_EQ(found(), ATCP_FOUND_LISTENER);
}

}  // namespace
}  // namespace atcp::test
