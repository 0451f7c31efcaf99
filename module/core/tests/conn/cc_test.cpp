// SPDX-License-Identifier: GPL-2.0
//
// A congestion control from another module: connections hold the module, a default whose module is gone is replaced,
// nothing is left held.
#include <gtest/gtest.h>
#include <linux/atcp.h>

#include "cc/registry.h"
#include "conn/tcb.h"
#include "tests/fake_net.h"

namespace atcp::test {
namespace {

void init(CcState& s, uint64_t) {
  s.cwnd = max(s.cwnd, 2u);
}
uint32_t ssthresh(CcState& s, atcp_cc_event, uint64_t) {
  return max(s.cwnd / 2, 2u);
}
void on_ack(CcState& s, const CcAck& a) {
  s.cwnd = min(s.cwnd + a.acked, s.cwnd_clamp);
}

class ForeignCc : public ::testing::Test {
 protected:
  ForeignCc()
      : cli(net.add_host("cli", ip4(10, 0, 0, 1))), srv(net.add_host("srv", ip4(10, 0, 0, 2))) {
    ops.abi = ATCP_CC_ABI;
    ops.owner = &module;
    ops.name = "foreign";
    ops.init = init;
    ops.ssthresh = ssthresh;
    ops.on_ack = on_ack;
    EXPECT_EQ(atcp_core_cc_add(&ops), ATCP_OK);
  }
  void open() {
    listener = srv.listen(80);
    c = cli.connect(srv.addr(), 80);
    ASSERT_TRUE(net.run_until([&] {
      std::optional<Sock> a = listener.accept();
      if (a) s = *a;
      return a.has_value();
    }));
  }
  void transfer(size_t n) {
    Bytes data(n, 'x');
    size_t sent = 0, got = 0;
    ASSERT_TRUE(net.run_until([&] {
      if (sent < n) sent += c.send(Bytes(data.begin() + static_cast<long>(sent), data.end()));
      got += s.recv().size();
      return got == n;
    }));
  }
  void TearDown() override {
    net.close_all();
    net.run(200 * kSec);
    cli.set("congestion_control", "cubic");
    srv.set("congestion_control", "cubic");
    EXPECT_EQ(module.refs, 0u);
    atcp_core_cc_remove(&ops);
  }

  FakeModule module;
  CcOps ops = {};
  FakeNet net;
  Host& cli;
  Host& srv;
  Sock listener, c, s;
};

TEST_F(ForeignCc, AConnectionHoldsItsModule) {
  open();
  ASSERT_EQ(c.set_cc("foreign"), ATCP_OK);
  EXPECT_EQ(module.refs, 1u);
  transfer(100000);
  ASSERT_EQ(c.set_cc("reno"), ATCP_OK);
  EXPECT_EQ(module.refs, 0u);
}

TEST_F(ForeignCc, AsDefaultItIsHeldByEachSocket) {
  ASSERT_EQ(cli.set("congestion_control", "foreign"), ATCP_OK);
  open();
  EXPECT_EQ(c.cc(), "foreign");
  EXPECT_EQ(module.refs, 1u);
  transfer(100000);
  Sock other = cli.socket();
  EXPECT_EQ(module.refs, 2u);
  other.close();
  EXPECT_EQ(module.refs, 1u);
}

TEST_F(ForeignCc, ChildrenOfAListenerHoldIt) {
  listener = srv.listen(80);
  ASSERT_EQ(listener.set_cc("foreign"), ATCP_OK);
  c = cli.connect(srv.addr(), 80);
  net.run(100 * kMs);
  s = *listener.accept();
  EXPECT_EQ(s.cc(), "foreign");
  EXPECT_EQ(module.refs, 2u);
}

TEST_F(ForeignCc, AModuleThatIsBeingRemovedIsNotTaken) {
  open();
  module.going = true;
  EXPECT_EQ(c.set_cc("foreign"), ATCP_ERR_NO_MEMORY);
  EXPECT_EQ(c.cc(), "cubic");
  cli.set("congestion_control", "foreign");
  Sock other = cli.socket();
  EXPECT_EQ(other.cc(), "cubic");
}

TEST_F(ForeignCc, ADefaultThatIsGoneIsReplacedUntilItComesBack) {
  cli.set("congestion_control", "foreign");
  atcp_core_cc_remove(&ops);
  Sock first = cli.socket();
  EXPECT_EQ(first.cc(), "cubic");
  EXPECT_EQ(first.set_cc("foreign"), ATCP_ERR_NOT_FOUND);
  ASSERT_EQ(atcp_core_cc_add(&ops), ATCP_OK);
  Sock second = cli.socket();
  EXPECT_EQ(second.cc(), "foreign");
}

/// A reset of everything does all of it, or (no memory) nothing.
TEST_F(ForeignCc, ResetToADefaultThatIsGoneTakesTheEnginesOwn) {
  cli.set("congestion_control", "foreign");
  Sock one = cli.socket();
  ASSERT_EQ(one.set_cc("reno"), ATCP_OK);
  const auto retries = static_cast<uint32_t>(Param::Retries1);
  const auto cc = static_cast<uint32_t>(Param::CongestionControl);
  const atcp_param_text set = {retries, "9"};
  const uint32_t which[] = {retries, cc};
  uint32_t bad = 0;
  net.os.lock(one.conn());
  ASSERT_EQ(atcp_core_conn_params_set(&one.conn().conn, &set, 1, ATCP_SOURCE_NETLINK, true,
                                      net.now(), &bad),
            ATCP_OK);
  atcp_core_cc_remove(&ops);
  net.os.fail(Fault::Alloc, 1);
  EXPECT_EQ(atcp_core_conn_params_reset(&one.conn().conn, which, 2, net.now(), &bad),
            ATCP_ERR_NO_MEMORY);
  EXPECT_STREQ(one.tcb().cc_ops->name, "reno");
  EXPECT_EQ(one.tcb().param(Param::Retries1), 9u);
  EXPECT_EQ(atcp_core_conn_params_reset(&one.conn().conn, which, 2, net.now(), &bad), ATCP_OK);
  net.os.unlock(one.conn());
  EXPECT_EQ(one.cc(), "cubic");
  EXPECT_EQ(one.tcb().param(Param::Retries1), 3u);
  ASSERT_EQ(atcp_core_cc_add(&ops), ATCP_OK);
}

TEST_F(ForeignCc, ASocketUsedAnewKeepsItAndHoldsItOnce) {
  open();
  ASSERT_EQ(c.set_cc("foreign"), ATCP_OK);
  s.close();
  net.run(1 * kMs);
  c.abort(0);
  net.run(1 * kSec);
  EXPECT_LE(module.refs, 1u);
}

}  // namespace
}  // namespace atcp::test
