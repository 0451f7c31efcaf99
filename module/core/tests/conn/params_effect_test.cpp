// SPDX-License-Identifier: GPL-2.0
//
// What parameters change, as somebody outside sees it: one table, one row per value, against a hand-written peer on
// the fake clock. Rows for one parameter differ in the value and in what is seen, and in nothing else.
#include <linux/atcp.h>

#include <algorithm>
#include <string>

#include "tests/raw_conn.h"

namespace atcp::test {
namespace {

class ParamEffect;

struct Effect {
  const char* param;
  const char* value;
  uint64_t (ParamEffect::*look)();
  uint64_t seen;
};

class ParamEffect : public RawConnTest, public ::testing::WithParamInterface<Effect> {
 public:
  // ---- retransmission ----------------------------------------------------------------------

  /// ms from a segment to its repetition.
  uint64_t first_timeout_ms() {
    srv.set("early_retrans", "0");
    open_with({});
    write_segs(1);
    return ms_to_next();
  }
  /// The longest of the pauses between twelve repetitions, ms.
  uint64_t longest_pause_ms() {
    first_timeout_ms();
    uint64_t longest = 0;
    for (int i = 0; i < 11; i++)
      longest = std::max(longest, ms_to_next());
    return longest;
  }
  /// Repetitions when the route is looked up anew.
  uint64_t sent_again_before_route() {
    srv.set("early_retrans", "0");
    open_with({});
    write_segs(1);
    net.run_until([this] { return s.conn().route_suspects != 0; }, 300 * kSec);
    return s.info().total_retrans;
  }
  /// s from a lost segment to the end.
  uint64_t s_until_given_up() {
    open_with({});
    write_segs(1);
    return seconds([this] { return s.error() == ATCP_ERR_TIMED_OUT; });
  }
  /// Segments SACKed, one ACK each, when the first one of ten goes again; 0: it does not until all are.
  uint64_t duplicates_until_resent() {
    srv.set("early_retrans", "0");
    flight(10);
    for (uint32_t n = 1; n < 10; n++) {
      ack_segs(0, {{1, n + 1}});
      const Segs out = segs_out();
      if (std::count(out.begin(), out.end(), 0u) != 0) return n;
    }
    return 0;
  }
  /// The same without SACK.
  uint64_t plain_duplicates_until_resent() {
    srv.set("early_retrans", "0");
    flight(10, {.sack = false});
    for (uint32_t n = 1; n < 10; n++) {
      ack_segs(0);
      const Segs out = segs_out();
      if (std::count(out.begin(), out.end(), 0u) != 0) return n;
    }
    return 0;
  }
  /// The threshold of duplicates, once the first of ten segments came last.
  uint64_t threshold_after_reordering() {
    flight(10);
    ack_segs(0, {{9, 10}});
    ack_segs(0, {{1, 2}, {9, 10}});
    return s.tcb().reordering;
  }
  /// ms from a single SACK to the repetition of the segment before it.
  uint64_t ms_from_sack_to_repair() {
    srv.set("early_retrans", "0");
    flight(2);
    ack_segs(0, {{1, 2}});
    return ms_to_next();
  }
  /// Of three holes below three SACKed segments: how many are lost.
  uint64_t holes_found() {
    srv.set("early_retrans", "0");
    srv.set("recovery", GetParam().value);
    flight(10);
    ack_segs(0, {{1, 2}, {3, 4}, {5, 6}});
    return s.tcb().lost_out;
  }
  /// Quarters of the RTT that a needless repetition adds to the reordering window.
  uint64_t window_after_dsack() {
    flight(10);
    for (uint32_t n : {2, 3, 4})
      ack_segs(0, {{1, n}});
    ack_segs(4, {{0, 1}});
    return s.tcb().rack.reo_wnd_mult;
  }
  /// ms until the tail of a flight is sent again, by a probe or by the timeout.
  uint64_t ms_to_tail() {
    flight(4);
    return ms_to_next();
  }

  // ---- opening -----------------------------------------------------------------------------

  /// s from the first SYN to the third.
  uint64_t s_to_third_syn() {
    (void)srv.connect(ip4(10, 0, 0, 2), 80);
    return seconds([this] { return replies.size() >= 3; });
  }
  /// What listen(100) gets.
  uint64_t backlog_of_100() { return ledger(srv.listen(kPort, 100)).backlog; }
  /// Connections that a queue of TCP_FASTOPEN 100 has room for.
  uint64_t fastopen_queue_of_100() {
    Sock l = srv.listen(kPort, 200);
    EXPECT_EQ(l.set_option(23, 100), ATCP_OK);
    return static_cast<uint64_t>(l.get_option(23));
  }

  // ---- sending -----------------------------------------------------------------------------

  /// Segments of the first flight.
  uint64_t first_flight() {
    open_with({});
    write_segs(40);
    return segs_out().size();
  }
  /// cwnd when a segment leaves after ten idle seconds.
  uint64_t cwnd_after_idle() {
    open_with({});
    write_segs(10);
    net.run(20 * kMs);
    for (uint32_t n = 1; n <= 10; n++)
      ack_segs(n);
    net.run(10 * kSec);
    write_segs(1);
    return s.tcb().cc.cwnd;
  }
  /// MSS towards a peer that asks for one of 100.
  uint64_t mss_for_tiny_peer() {
    open_with({.mss = 100});
    return s.tcb().mss;
  }
  /// The rate at which it is paced, in % of cwnd per RTT; cwnd starts above or below ssthresh.
  uint64_t pace(bool slow_start) {
    open_with({});
    const_cast<Tcb&>(s.tcb()).cc.ssthresh = slow_start ? 1000 : 2;
    write_segs(2);
    net.run(20 * kMs);
    ack_segs(2);
    const Tcb& t = s.tcb();
    const double window = static_cast<double>(t.cc.cwnd) * t.mss;
    return static_cast<uint64_t>(
        static_cast<double>(s.conn().pacing_rate) * t.rtt.srtt_us() / 1e6 / window * 100 + 0.5);
  }
  uint64_t pace_in_slow_start() { return pace(true); }
  uint64_t pace_afterwards() { return pace(false); }
  /// Bytes that are taken of 80000 while the peer's window is one segment: all, or one piece.
  uint64_t taken_of_80000() {
    open_with({.wnd = kMss});
    return s.send(std::string(80000, 'd'));
  }

  // ---- search for the path's MTU -----------------------------------------------------------

  uint64_t mss_that_a_search_begins_with() {
    srv.set("mtu_probing", "2");
    open_with({});
    return s.tcb().mss;
  }
  /// Segments of another size than the rest, while forty are written.
  uint64_t probes_sent() {
    srv.set("mtu_probing", "2");
    srv.set("init_cwnd", "40");
    open_with({});
    write_segs(40);
    return static_cast<uint64_t>(std::count_if(replies.begin(), replies.end(), [this](auto& e) {
      return e.data.size() % s.tcb().mss != 0;
    }));
  }
  /// s since a search that is at its end learnt or began anything, when something is sent after five idle seconds.
  uint64_t s_since_search() {
    srv.set("mtu_probing", "2");
    srv.set("probe_threshold", "65535");
    srv.set("init_cwnd", "40");
    open_with({});
    net.run(5 * kSec);
    write_segs(40);
    return s.tcb().mtu.quiet_us(net.now() / kUs) / 1000000;
  }

  // ---- receiving ---------------------------------------------------------------------------

  /// ms that the ACK of one byte is held back, in a dialogue.
  uint64_t ms_to_ack() {
    open_with({});
    for (uint32_t i = 0; i < 30; i++) {
      peer(i, 0, "x");
      if (replies.empty()) return ms_to_next();
      net.run(5 * kMs);
    }
    return 0;
  }
  /// Is the buffer larger after a megabyte, thirty segments per round trip?
  uint64_t buffer_has_grown() {
    open_with({.wscale = 7});
    const uint32_t before = s.conn().rcvbuf;
    uint32_t at = 0;
    for (int round = 0; round < 40; round++) {
      for (int i = 0; i < 30; i++, at += 1000)
        peer(at, 0, std::string(1000, 'd'));
      (void)s.recv();
      net.run(20 * kMs);
    }
    return s.conn().rcvbuf > before ? 1 : 0;
  }

  // ---- keepalive ---------------------------------------------------------------------------

  uint64_t s_to_first_probe() {
    open_with({});
    s.set_keepalive(true);
    replies.clear();
    return seconds([this] { return !replies.empty(); });
  }
  uint64_t s_between_probes() {
    srv.set("keepalive_time", "3");
    s_to_first_probe();
    replies.clear();
    return seconds([this] { return !replies.empty(); });
  }
  /// Probes that a silent peer gets before its connection ends.
  uint64_t probes_until_end() {
    srv.set("keepalive_time", "3");
    srv.set("keepalive_intvl", "1");
    s_to_first_probe();
    seconds([this] { return s.error() == ATCP_ERR_TIMED_OUT; });
    return static_cast<uint64_t>(std::count_if(
        replies.begin(), replies.end(), [](auto& e) { return (e.seg.flags & ATCP_RST) == 0; }));
  }

  // ---- the table of connections ------------------------------------------------------------

  /// Buckets after `n` connections were there, and after they went.
  uint64_t buckets(uint32_t n, bool gone) {
    srv.set("max_tw_buckets", "0");
    listener = srv.listen(kPort, 2000);
    srv.set("syncookies", "0");
    srv.set("max_syn_backlog", "100000");
    for (uint32_t i = 0; i < n; i++)
      half_open(static_cast<uint16_t>(5000 + i));
    net.run(kMs);
    for (uint32_t i = 0; gone && i < n; i++)
      send({.flags = ATCP_RST, .seq = kIrs + 1, .port = static_cast<uint16_t>(5000 + i)});
    net.run(10 * kSec);
    return srv.ns().ehash.buckets();
  }
  uint64_t buckets_of_a_thousand() { return buckets(1000, false); }
  uint64_t buckets_when_all_are_gone() { return buckets(1000, true); }

 protected:
  void flight(uint32_t n, const Offer& o = {}) {
    open_with(o);
    write_segs(n);
    ASSERT_EQ(segs_out().size(), n);
    net.run(20 * kMs);
  }
  /// ms until anything leaves; it is forgotten.
  uint64_t ms_to_next() {
    replies.clear();
    const uint64_t begin = net.now();
    EXPECT_TRUE(net.run_until([this] { return !replies.empty(); }, 300 * kSec));
    replies.clear();
    return (net.now() - begin + kMs / 2) / kMs;
  }
  template <typename F>
  uint64_t seconds(F done) {
    const uint64_t begin = net.now();
    EXPECT_TRUE(net.run_until(done, 2000 * kSec));
    return (net.now() - begin + kSec / 2) / kSec;
  }
};

using P = ParamEffect;
const Effect kEffects[] = {
    {"rto_min_us", "200000", &P::first_timeout_ms, 220},
    {"rto_min_us", "500000", &P::first_timeout_ms, 520},
    {"rto_max_ms", "1000", &P::longest_pause_ms, 1000},
    {"rto_max_ms", "4000", &P::longest_pause_ms, 4000},
    {"retries1", "3", &P::sent_again_before_route, 4},
    {"retries1", "6", &P::sent_again_before_route, 7},
    {"retries2", "3", &P::s_until_given_up, 4},
    {"retries2", "5", &P::s_until_given_up, 14},
    {"reordering", "3", &P::duplicates_until_resent, 3},
    {"reordering", "6", &P::duplicates_until_resent, 6},
    {"reordering", "3", &P::plain_duplicates_until_resent, 3},
    {"reordering", "6", &P::plain_duplicates_until_resent, 6},
    {"max_reordering", "300", &P::threshold_after_reordering, 9},
    {"max_reordering", "5", &P::threshold_after_reordering, 5},
    {"max_reordering", "1", &P::threshold_after_reordering, 3},
    {"recovery", "1", &P::ms_from_sack_to_repair, 5},
    {"recovery", "0", &P::ms_from_sack_to_repair, 200},
    {"recovery", "0", &P::duplicates_until_resent, 3},
    {"recovery", "1", &P::duplicates_until_resent, 3},
    {"recovery", "5", &P::duplicates_until_resent, 0},
    {"recovery", "0", &P::holes_found, 1},
    {"recovery", "1", &P::holes_found, 3},
    {"recovery", "1", &P::window_after_dsack, 1},
    {"recovery", "3", &P::window_after_dsack, 0},
    {"early_retrans", "3", &P::ms_to_tail, 28},
    {"early_retrans", "2", &P::ms_to_tail, 200},
    {"early_retrans", "0", &P::ms_to_tail, 200},
    {"syn_linear_timeouts", "0", &P::s_to_third_syn, 3},
    {"syn_linear_timeouts", "4", &P::s_to_third_syn, 2},
    {"somaxconn", "2147483647", &P::backlog_of_100, 100},
    {"somaxconn", "7", &P::backlog_of_100, 7},
    {"somaxconn", "0", &P::backlog_of_100, 0},
    {"somaxconn", "200", &P::fastopen_queue_of_100, 100},
    {"somaxconn", "7", &P::fastopen_queue_of_100, 7},
    {"init_cwnd", "10", &P::first_flight, 10},
    {"init_cwnd", "3", &P::first_flight, 3},
    {"slow_start_after_idle", "1", &P::cwnd_after_idle, 10},
    {"slow_start_after_idle", "0", &P::cwnd_after_idle, 14},
    {"min_snd_mss", "48", &P::mss_for_tiny_peer, 100},
    {"min_snd_mss", "500", &P::mss_for_tiny_peer, 500},
    {"min_snd_mss", "65535", &P::mss_for_tiny_peer, 1460},
    {"pacing_ss_ratio", "200", &P::pace_in_slow_start, 200},
    {"pacing_ss_ratio", "70", &P::pace_in_slow_start, 70},
    {"pacing_ca_ratio", "120", &P::pace_afterwards, 120},
    {"pacing_ca_ratio", "70", &P::pace_afterwards, 70},
    {"notsent_lowat", "4294967295", &P::taken_of_80000, 80000},
    {"notsent_lowat", "90000", &P::taken_of_80000, 80000},
    {"notsent_lowat", "1", &P::taken_of_80000, 64970},
    {"base_mss", "1024", &P::mss_that_a_search_begins_with, 1024},
    {"base_mss", "600", &P::mss_that_a_search_begins_with, 600},
    {"probe_threshold", "8", &P::probes_sent, 1},
    {"probe_threshold", "1000", &P::probes_sent, 0},
    {"probe_interval", "600", &P::s_since_search, 5},
    {"probe_interval", "2", &P::s_since_search, 0},
    {"delack_min_us", "40000", &P::ms_to_ack, 40},
    {"delack_min_us", "100000", &P::ms_to_ack, 100},
    {"moderate_rcvbuf", "1", &P::buffer_has_grown, 1},
    {"moderate_rcvbuf", "0", &P::buffer_has_grown, 0},
    {"keepalive_time", "7", &P::s_to_first_probe, 7},
    {"keepalive_time", "20", &P::s_to_first_probe, 20},
    {"keepalive_intvl", "5", &P::s_between_probes, 5},
    {"keepalive_intvl", "30", &P::s_between_probes, 30},
    {"keepalive_probes", "2", &P::probes_until_end, 2},
    {"keepalive_probes", "5", &P::probes_until_end, 5},
    {"ehash_max", "4194304", &P::buckets_of_a_thousand, 1024},
    {"ehash_max", "512", &P::buckets_of_a_thousand, 512},
    {"ehash_min", "0", &P::buckets_when_all_are_gone, 256},
    {"ehash_min", "1024", &P::buckets_when_all_are_gone, 1024},
};

TEST_P(ParamEffect, IsSeen) {
  const Effect& e = GetParam();
  ASSERT_EQ(srv.set(e.param, e.value), ATCP_OK);
  EXPECT_EQ((this->*e.look)(), e.seen) << e.param << "=" << e.value;
}

INSTANTIATE_TEST_SUITE_P(Each, ParamEffect, ::testing::ValuesIn(kEffects),
                         [](const ::testing::TestParamInfo<Effect>& i) {
                           return std::string(i.param.param) + "_" + i.param.value + "_" +
                                  std::to_string(i.index);
                         });

}  // namespace
}  // namespace atcp::test
