// SPDX-License-Identifier: GPL-2.0
//
// Parameters of one socket: which may be set there, by whom; where a value comes from; listeners and their children;
// what a change does to a connection that is there.
#include <linux/atcp.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "conn/tcb.h"
#include "tests/raw_peer.h"

namespace atcp::test {
namespace {

using Wanted = std::vector<std::pair<std::string, std::string>>;

class SocketParams : public RawPeerTest {
 protected:
  static uint32_t index(const std::string& name) {
    const int32_t i = param_find(name.c_str());
    EXPECT_GE(i, 0) << name;
    return static_cast<uint32_t>(i);
  }

  atcp_err set(const Sock& s, const Wanted& wanted, uint32_t source = ATCP_SOURCE_SETSOCKOPT,
               bool privileged = false) {
    std::vector<atcp_param_text> rows;
    for (const auto& [name, text] : wanted)
      rows.push_back({index(name), text.c_str()});
    Border b("params_set");
    net.os.lock(s.conn());
    const atcp_err err =
        atcp_core_conn_params_set(&s.conn().conn, rows.data(), static_cast<uint32_t>(rows.size()),
                                  source, privileged, net.now(), &bad);
    net.os.unlock(s.conn());
    return err;
  }

  atcp_err reset(const Sock& s, const std::vector<std::string>& names) {
    std::vector<uint32_t> rows;
    for (const std::string& name : names)
      rows.push_back(index(name));
    Border b("params_reset");
    net.os.lock(s.conn());
    const atcp_err err = atcp_core_conn_params_reset(
        &s.conn().conn, rows.data(), static_cast<uint32_t>(rows.size()), net.now(), &bad);
    net.os.unlock(s.conn());
    return err;
  }

  /// Value and origin, as "7 netns".
  std::string get(const Sock& s, const std::string& name) {
    static const char* const kFrom[] = {"?",        "default",    "netns",
                                        "listener", "setsockopt", "netlink"};
    char text[64];
    uint32_t source = 0;
    Border b("param_get");
    atcp_os_rcu_lock();
    atcp_core_conn_param_get(&s.conn().conn, index(name), &source, text, sizeof text);
    atcp_os_rcu_unlock();
    return std::string(text) + " " + kFrom[source];
  }

  uint32_t bad = 0;
};

TEST_F(SocketParams, ComeFromTheTableTheNamespaceOrTheSocket) {
  const Sock s = srv.socket();
  EXPECT_EQ(get(s, "retries2"), "15 default");
  srv.set("retries2", "9");
  EXPECT_EQ(get(s, "retries2"), "9 netns");
  EXPECT_EQ(set(s, {{"retries2", "7"}}), ATCP_OK);
  EXPECT_EQ(get(s, "retries2"), "7 setsockopt");
  EXPECT_EQ(s.tcb().param(Param::Retries2), 7u);
  EXPECT_EQ(srv.socket().tcb().param(Param::Retries2), 9u);
  EXPECT_EQ(set(s, {{"retries2", "6"}}, ATCP_SOURCE_NETLINK), ATCP_OK);
  EXPECT_EQ(get(s, "retries2"), "6 netlink");
  EXPECT_EQ(reset(s, {"retries2"}), ATCP_OK);
  EXPECT_EQ(get(s, "retries2"), "9 netns");
  atcp_core_param_reset(srv.core(), index("retries2"));
  EXPECT_EQ(get(s, "retries2"), "15 default");
}

TEST_F(SocketParams, ChildrenHaveTheirListeners) {
  Sock l = srv.listen(kPort);
  EXPECT_EQ(set(l, {{"retries1", "5"}, {"keepalive_time", "77"}}), ATCP_OK);
  open();
  const Sock c = *l.accept();
  EXPECT_EQ(get(c, "retries1"), "5 listener");
  EXPECT_EQ(get(c, "keepalive_time"), "77 listener");
  // Each goes its own way from here on.
  EXPECT_EQ(set(l, {{"retries1", "4"}}), ATCP_OK);
  EXPECT_EQ(get(c, "retries1"), "5 listener");
  EXPECT_EQ(set(c, {{"keepalive_time", "78"}}), ATCP_OK);
  EXPECT_EQ(get(c, "keepalive_time"), "78 setsockopt");
  EXPECT_EQ(get(c, "retries1"), "5 listener");
  EXPECT_EQ(get(l, "keepalive_time"), "77 setsockopt");
}

TEST_F(SocketParams, OptionsOfProgramsAreTheSameThing) {
  Sock s = srv.socket();
  s.set_option(4, 11);  // TCP_KEEPIDLE
  s.set_option(5, 12);  // TCP_KEEPINTVL
  s.set_option(6, 13);  // TCP_KEEPCNT
  s.set_option(7, 3);   // TCP_SYNCNT
  s.set_option(8, 20);  // TCP_LINGER2
  EXPECT_EQ(get(s, "keepalive_time"), "11 setsockopt");
  EXPECT_EQ(get(s, "keepalive_intvl"), "12 setsockopt");
  EXPECT_EQ(get(s, "keepalive_probes"), "13 setsockopt");
  EXPECT_EQ(get(s, "syn_retries"), "3 setsockopt");
  EXPECT_EQ(get(s, "fin_timeout"), "20 setsockopt");
  s.set_option(8, 0);
  EXPECT_EQ(get(s, "fin_timeout"), "60 default");
  EXPECT_EQ(set(s, {{"keepalive_time", "99"}}), ATCP_OK);
  EXPECT_EQ(s.get_option(4), 99);
}

TEST_F(SocketParams, CongestionControlKnowsWhoChoseIt) {
  Sock l = srv.listen(kPort);
  EXPECT_EQ(get(l, "congestion_control"), "cubic default");
  EXPECT_EQ(set(l, {{"congestion_control", "reno"}}), ATCP_OK);
  EXPECT_EQ(get(l, "congestion_control"), "reno setsockopt");
  open();
  const Sock c = *l.accept();
  EXPECT_EQ(get(c, "congestion_control"), "reno listener");
  EXPECT_EQ(set(c, {{"congestion_control", "dctcp"}}, ATCP_SOURCE_NETLINK, true), ATCP_OK);
  EXPECT_EQ(get(c, "congestion_control"), "dctcp netlink");
  EXPECT_EQ(reset(c, {"congestion_control"}), ATCP_OK);
  EXPECT_EQ(get(c, "congestion_control"), "cubic default");
}

TEST_F(SocketParams, AreRefusedWithTheOneAtFault) {
  const Sock s = srv.socket();
  EXPECT_EQ(set(s, {{"retries1", "2"}, {"max_tw_buckets", "1"}}, ATCP_SOURCE_NETLINK, true),
            ATCP_ERR_NOT_SUPPORTED);
  EXPECT_EQ(bad, 1u);
  EXPECT_EQ(set(s, {{"init_cwnd", "100"}}), ATCP_ERR_NOT_PERMITTED);
  EXPECT_EQ(bad, 0u);
  EXPECT_EQ(set(s, {{"retries1", "2"}, {"sack", "2"}}), ATCP_ERR_RANGE);
  EXPECT_EQ(bad, 1u);
  EXPECT_EQ(set(s, {{"retries1", "2"}, {"congestion_control", "nobody"}}), ATCP_ERR_NOT_FOUND);
  EXPECT_EQ(bad, 1u);
  EXPECT_EQ(get(s, "retries1"), "3 default") << "all or none";
}

TEST_F(SocketParams, WithoutMemoryNothingChanges) {
  const Sock s = srv.socket();
  net.os.fail(Fault::Alloc, 1);
  EXPECT_EQ(set(s, {{"retries1", "2"}, {"congestion_control", "reno"}}), ATCP_ERR_NO_MEMORY);
  EXPECT_EQ(get(s, "retries1"), "3 default");
  EXPECT_EQ(get(s, "congestion_control"), "cubic default");
  net.os.fail(Fault::Alloc, 2);  // bbr wants some of its own
  EXPECT_EQ(set(s, {{"retries1", "2"}, {"congestion_control", "bbr"}}), ATCP_ERR_NO_MEMORY);
  EXPECT_EQ(get(s, "retries1"), "3 default");
  EXPECT_EQ(get(s, "congestion_control"), "cubic default");
}

TEST_F(SocketParams, StayWhenASocketIsUsedAnew) {
  Sock s = srv.socket();
  EXPECT_EQ(set(s, {{"retries1", "5"}, {"reordering", "9"}}, ATCP_SOURCE_NETLINK, true), ATCP_OK);
  EXPECT_EQ(s.tcb().reordering, 9u);
  tcb_restart(s.tcb());
  EXPECT_EQ(get(s, "retries1"), "5 netlink");
  EXPECT_EQ(s.tcb().reordering, 9u);
}

/// TCP_NOTSENT_LOWAT: who waits for room is woken when less than half of it is unsent, as Linux does it.
TEST_F(SocketParams, UnsentBytesHoldBackWhoWaits) {
  constexpr uint32_t kNotsentLowat = 25;
  Sock l = srv.listen(kPort);
  srv.steer_isn(tuple(), net.now());
  const uint32_t iss = open();
  Sock c = *l.accept();
  EXPECT_EQ(c.get_option(kNotsentLowat), 0);
  EXPECT_EQ(c.set_option(kNotsentLowat, 8000), ATCP_OK);
  EXPECT_EQ(c.get_option(kNotsentLowat), 8000);
  EXPECT_EQ(get(c, "notsent_lowat"), "8000 setsockopt");

  const uint32_t mss = c.tcb().mss;
  const size_t taken = c.send(std::string(20 * mss, 'd'));
  ASSERT_EQ(taken, 20 * mss);  // the first piece is taken whole
  ASSERT_EQ(c.info().notsent_bytes, 10 * mss);
  // The last piece grows to its full size, but no other is begun.
  EXPECT_LT(c.send(std::string(70000, 'd')), 70000u);
  EXPECT_EQ(c.send("more"), 0u);
  const uint32_t unsent = c.info().notsent_bytes;
  ASSERT_GT(unsent, 8000u);
  EXPECT_FALSE(atcp_core_tx_below_lowat(&c.conn().conn, false));

  uint32_t woken = 0;
  net.os.tx_room = [&](atcp_conn*) { woken++; };
  // Acknowledged two by two, each of which lets some more go.
  uint32_t acked = 0;
  while (c.info().notsent_bytes >= 4000) {
    EXPECT_EQ(woken, 0u) << c.info().notsent_bytes;
    net.run(20 * kMs);
    acked += 2 * mss;
    send({.seq = kIrs + 1, .ack = iss + 1 + acked});
    ASSERT_LT(acked, 200000u);
  }
  EXPECT_GT(woken, 0u);
  net.os.tx_room = atcp_core_tx_room;

  EXPECT_EQ(c.set_option(kNotsentLowat, 0), ATCP_OK);
  EXPECT_EQ(c.get_option(kNotsentLowat), 0);
  EXPECT_EQ(get(c, "notsent_lowat"), "4294967295 default");
}

/// A listener's own values hold for its half-open connections.
TEST_F(SocketParams, HandshakesFollowTheListener) {
  Sock l = srv.listen(kPort);
  EXPECT_EQ(
      set(l,
          {{"timestamps", "0"}, {"sack", "0"}, {"window_scaling", "0"}, {"synack_retries", "1"}}),
      ATCP_OK);
  Out o = syn();
  o.sack_ok = true;
  o.wscale = 3;
  o.tsval = 100;
  const atcp_seg answer = ask(o);
  EXPECT_EQ(answer.has & (ATCP_OPT_TS | ATCP_OPT_SACK_OK | ATCP_OPT_WSCALE), 0u);
  net.run(10 * kSec);
  EXPECT_EQ(srv.reason(ATCP_REASON_REQUEST_TIMEOUT), 1u) << "one SYN-ACK more, then no more";
}

TEST_F(SocketParams, KeepaliveTimeActsAtOnce) {
  Sock l = srv.listen(kPort);
  open();
  Sock c = *l.accept();
  c.set_keepalive(true);
  replies.clear();
  EXPECT_EQ(set(c, {{"keepalive_time", "5"}}, ATCP_SOURCE_NETLINK, true), ATCP_OK);
  net.run(4900 * kMs);
  expect_silence();
  net.run(200 * kMs);
  EXPECT_FALSE(replies.empty());
}

/// What a socket has nothing of its own of stays as it is: what it has learnt, what runs.
TEST_F(SocketParams, ResetOfWhatWasNotSetDisturbsNothing) {
  Sock l = srv.listen(kPort);
  open();
  Sock c = *l.accept();
  srv.set("keepalive_time", "10");
  c.set_keepalive(true);
  c.tcb().reordering = 40;
  net.run(6 * kSec);
  replies.clear();
  std::vector<std::string> all;
  for (const ParamRow& r : kParams)
    if (r.scope != ParamScope::NETNS) all.emplace_back(r.name);
  EXPECT_EQ(reset(c, all), ATCP_OK);
  EXPECT_EQ(c.tcb().reordering, 40u);
  net.run(5 * kSec);
  EXPECT_FALSE(replies.empty()) << "the probe is due ten seconds after the last segment";
}

TEST_F(SocketParams, ReorderingOfAConnectionIsOnlyRaised) {
  Sock l = srv.listen(kPort);
  open();
  const Sock c = *l.accept();
  c.tcb().reordering = 40;
  EXPECT_EQ(set(c, {{"reordering", "50"}}, ATCP_SOURCE_NETLINK, true), ATCP_OK);
  EXPECT_EQ(c.tcb().reordering, 50u);
  EXPECT_EQ(reset(c, {"reordering"}), ATCP_OK);
  EXPECT_EQ(c.tcb().reordering, 50u);
  EXPECT_EQ(set(c, {{"reordering", "10"}}, ATCP_SOURCE_NETLINK, true), ATCP_OK);
  EXPECT_EQ(c.tcb().reordering, 50u);
  // Without a connection there is nothing learnt.
  const Sock idle = srv.socket();
  EXPECT_EQ(set(idle, {{"reordering", "50"}}, ATCP_SOURCE_NETLINK, true), ATCP_OK);
  EXPECT_EQ(reset(idle, {"reordering"}), ATCP_OK);
  EXPECT_EQ(idle.tcb().reordering, 3u);
}

/// An attempt to connect whose SYN is under way. What it offered is agreed if the answer has it, whatever is set meanwhile.
class Offered : public SocketParams {
 protected:
  static constexpr uint32_t kOptions = ATCP_OPT_TS | ATCP_OPT_SACK_OK | ATCP_OPT_WSCALE;

  atcp_seg connect(const Wanted& before = {}) {
    s = srv.socket();
    EXPECT_EQ(set(s, before), ATCP_OK);
    EXPECT_EQ(srv.try_connect(s, ip4(10, 0, 0, 2), 5000, kPort), ATCP_OK);
    return reply();
  }
  /// SYN-ACK with all of them.
  void answer(const atcp_seg& ours) {
    Out o;
    o.flags = ATCP_SYN | ATCP_ACK;
    o.seq = kIrs;
    o.ack = ours.seq + 1;
    o.mss = 1460;
    o.sack_ok = true;
    o.wscale = 7;
    o.tsval = 1;
    o.tsecr = ours.tsval;
    send(o);
    ASSERT_EQ(s.state(), static_cast<uint32_t>(ATCP_STATE_ESTABLISHED));
  }
  ~Offered() override { net.close_all(); }

  const Wanted kOff = {{"timestamps", "0"}, {"sack", "0"}, {"window_scaling", "0"}};
  const Wanted kOn = {{"timestamps", "1"}, {"sack", "1"}, {"window_scaling", "1"}};
  Sock s;
};

TEST_F(Offered, IsAgreedThoughItWasTurnedOffMeanwhile) {
  const atcp_seg ours = connect();
  ASSERT_EQ(ours.has & kOptions, kOptions);
  EXPECT_EQ(set(s, kOff), ATCP_OK);
  answer(ours);
  EXPECT_EQ(s.info().options, kOptions);
  EXPECT_EQ(s.tcb().snd_wscale, 7);
  EXPECT_EQ(s.tcb().rcv_wscale, ours.wscale);
}

TEST_F(Offered, IsNotAgreedBecauseItWasTurnedOnMeanwhile) {
  const atcp_seg ours = connect(kOff);
  ASSERT_EQ(ours.has & kOptions, 0u);
  EXPECT_EQ(set(s, kOn), ATCP_OK);
  answer(ours);
  EXPECT_EQ(s.info().options, 0u);
  EXPECT_EQ(s.tcb().snd_wscale, 0);
}

TEST_F(Offered, IsWhatTheSameSynHasAgain) {
  const atcp_seg first = connect();
  EXPECT_EQ(set(s, kOff), ATCP_OK);
  ASSERT_TRUE(net.run_until([&] { return !replies.empty(); }));
  const atcp_seg second = reply();
  EXPECT_EQ(second.flags, ATCP_SYN);
  EXPECT_EQ(second.has, first.has);
  EXPECT_EQ(second.wscale, first.wscale);
}

TEST_F(Offered, EcnIsNotAskedForByALaterSyn) {
  connect({{"ecn", "0"}, {"ecn_fallback", "0"}});
  EXPECT_EQ(set(s, {{"ecn", "1"}}), ATCP_OK);
  ASSERT_TRUE(net.run_until([&] { return !replies.empty(); }));
  EXPECT_EQ(replies.front().hdr[13], ATCP_SYN);
}

/// The scale is the socket's own: it may be on where the namespace has it off, and the other way round.
TEST_F(Offered, ScaleFollowsTheSocketNotTheNamespace) {
  srv.set("window_scaling", "0");
  const atcp_seg ours = connect({{"window_scaling", "1"}});
  ASSERT_NE(ours.has & ATCP_OPT_WSCALE, 0u);
  EXPECT_EQ(ours.wscale, choose_rcv_wscale(srv.ns(), s.conn().rcvbuf));
  EXPECT_GT(ours.wscale, 0);
}

TEST_F(Offered, ListenersScaleToo) {
  srv.set("window_scaling", "0");
  Sock l = srv.listen(kPort);
  EXPECT_EQ(set(l, {{"window_scaling", "1"}}), ATCP_OK);
  Out o = syn();
  o.wscale = 3;
  const atcp_seg synack = ask(o);
  ASSERT_NE(synack.has & ATCP_OPT_WSCALE, 0u);
  EXPECT_GT(synack.wscale, 0);
}

/// Who looks while a socket that has its listener's values gets one of its own sees the one or the other, with where it
/// comes from. The blocks are held all the time, so none is freed under the reader.
TEST(OverridesTogether, ValueAndOriginAreOfOneBlock) {
  FakeOs os;
  const Param p = Param::Retries1;
  const uint32_t five = 5;
  const uint32_t seven = 7;
  OverridesRef listener = {};
  ASSERT_TRUE(listener.change(&p, &five, 1, ATCP_SOURCE_NETLINK));
  OverridesRef s = {};
  s.inherit(listener);
  Overrides* own = s.prepare(&p, &seven, 1, ATCP_SOURCE_SETSOCKOPT);
  ASSERT_NE(own, nullptr);
  std::atomic<bool> end = false;
  std::atomic<uint32_t> turns = 0;
  std::thread writer([&] {
    while (!end) {
      s.publish(own);
      s.inherit(listener);
      turns++;
    }
  });
  uint32_t wrong = 0;
  for (uint32_t i = 0; i < 200000 || turns < 1000; i++) {
    const Override o = s.find(p);
    wrong += o.source == ATCP_SOURCE_LISTENER ? o.value != five : o.value != seven;
    wrong += o.source != ATCP_SOURCE_LISTENER && o.source != ATCP_SOURCE_SETSOCKOPT;
  }
  end = true;
  writer.join();
  EXPECT_EQ(wrong, 0u);
  s.drop();
  OverridesRef::discard(own);
  listener.drop();
}

}  // namespace
}  // namespace atcp::test
