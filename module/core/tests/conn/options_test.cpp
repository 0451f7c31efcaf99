// SPDX-License-Identifier: GPL-2.0
//
// What an option's number does to the connection where its value alone does not show it. Ranges and defaults are compared
// with the kernel's TCP by the scenario sockapi.
#include <gtest/gtest.h>

#include "conn/tcb.h"
#include "tests/fake_net.h"

namespace atcp::test {
namespace {

constexpr uint16_t kPort = 80;
constexpr uint32_t kNodelay = 1;
constexpr uint32_t kCork = 3;
constexpr uint32_t kDeferAccept = 9;
constexpr uint32_t kWindowClamp = 10;
constexpr uint32_t kQuickack = 12;
constexpr uint32_t kThinDupack = 17;

struct Options : ::testing::Test {
  FakeNet net;
  Host& a = net.add_host("a", ip4(10, 0, 0, 1));
  Host& b = net.add_host("b", ip4(10, 0, 0, 2));
  Sock listener = b.listen(kPort);

  void TearDown() override {
    net.close_all();
    net.run(200 * kSec);
  }
  /// The server's side of a connection whose client has sent a byte.
  Sock accept_talker() {
    Sock client = a.connect(b.addr(), kPort);
    net.run(100 * kMs);
    client.send("x");
    std::optional<Sock> s;
    EXPECT_TRUE(net.run_until([&] { return (s = listener.accept()).has_value(); }));
    return *s;
  }
};

TEST_F(Options, QuickAckTellsWhetherAcksWaitForAnswers) {
  Sock s = accept_talker();
  EXPECT_EQ(s.get_option(kQuickack), 1);
  EXPECT_EQ(s.set_option(kQuickack, 0), ATCP_OK);
  EXPECT_EQ(s.get_option(kQuickack), 0);
  EXPECT_EQ(s.set_option(kQuickack, 1), ATCP_OK);
  EXPECT_EQ(s.get_option(kQuickack), 1);
  EXPECT_EQ(s.set_option(kQuickack, 2), ATCP_OK);  // no ACK is owed
  EXPECT_EQ(s.get_option(kQuickack), 1);
}

TEST_F(Options, NodelaySendsWhatTheCorkHeldForThisOnce) {
  Sock s = accept_talker();
  s.set_option(kCork, 1);
  s.send("held");
  EXPECT_EQ(s.info().notsent_bytes, 4u);
  s.set_option(kNodelay, 1);
  EXPECT_EQ(s.info().notsent_bytes, 0u);
  s.send("held again");
  EXPECT_EQ(s.info().notsent_bytes, 10u);
}

TEST_F(Options, DeferAcceptStaysWithTheListener) {
  ASSERT_EQ(listener.set_option(kDeferAccept, 3), ATCP_OK);
  Sock s = accept_talker();
  EXPECT_EQ(listener.get_option(kDeferAccept), 3);
  EXPECT_EQ(s.get_option(kDeferAccept), 0);
}

TEST_F(Options, WindowClampOfANegativeNumberIsTheSmallest) {
  Sock s = accept_talker();
  EXPECT_EQ(s.set_option(kWindowClamp, -1), ATCP_OK);
  EXPECT_EQ(s.get_option(kWindowClamp), 1152);
  EXPECT_EQ(s.tcb().window_clamp, 1152u);
}

TEST_F(Options, ThinDupackIsTakenAndMeansNothing) {
  EXPECT_EQ(listener.set_option(kThinDupack, 1), ATCP_OK);
  EXPECT_EQ(listener.get_option(kThinDupack), 0);
  EXPECT_EQ(listener.set_option(kThinDupack, 2), ATCP_ERR_INVALID);
}

}  // namespace
}  // namespace atcp::test
