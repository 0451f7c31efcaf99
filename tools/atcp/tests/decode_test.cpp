// SPDX-License-Identifier: GPL-2.0
//
// Tests of decode.h: messages built by hand, as the kernel would send them and as it never should.
#include "decode.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <array>
#include <cstring>

namespace atcp::tool {
namespace {

/// One generic netlink message with one nest, under construction.
class Message {
 public:
  explicit Message(uint16_t nest) {
    nlh_ = mnl_nlmsg_put_header(buf_.data());
    mnl_nlmsg_put_extra_header(nlh_, sizeof(genlmsghdr));
    nest_ = mnl_attr_nest_start(nlh_, nest);
  }
  nlmsghdr* operator*() { return nlh_; }
  const nlattr* nest() {
    mnl_attr_nest_end(nlh_, nest_);
    return nest_;
  }

 private:
  alignas(nlmsghdr) std::array<char, 4096> buf_{};
  nlmsghdr* nlh_;
  nlattr* nest_;
};

TEST(DecodeParam, TakesEveryField) {
  Message m(ATCP_A_PARAM);
  mnl_attr_put_strz(*m, ATCP_PARAM_A_NAME, "syncookies");
  mnl_attr_put_u8(*m, ATCP_PARAM_A_TYPE, ATCP_PARAM_TYPE_NUMBER);
  mnl_attr_put_strz(*m, ATCP_PARAM_A_VALUE, "2");
  mnl_attr_put_strz(*m, ATCP_PARAM_A_DEFAULT, "1");
  mnl_attr_put_u32(*m, ATCP_PARAM_A_MIN, 0);
  mnl_attr_put_u32(*m, ATCP_PARAM_A_MAX, 2);
  mnl_attr_put_strz(*m, ATCP_PARAM_A_UNIT, "");
  mnl_attr_put_strz(*m, ATCP_PARAM_A_HELP, "help");
  Param p = decode_param(m.nest());
  EXPECT_EQ(p.name, "syncookies");
  EXPECT_EQ(p.type, uint32_t{ATCP_PARAM_TYPE_NUMBER});
  EXPECT_EQ(p.value, "2");
  EXPECT_EQ(p.def, "1");
  EXPECT_EQ(p.min, 0u);
  EXPECT_EQ(p.max, 2u);
  EXPECT_EQ(p.help, "help");
}

TEST(DecodeParam, PassesOverWhatItDoesNotKnow) {
  Message m(ATCP_A_PARAM);
  mnl_attr_put_u64(*m, 999, 1);
  mnl_attr_put_strz(*m, ATCP_PARAM_A_NAME, "wire");
  Param p = decode_param(m.nest());
  EXPECT_EQ(p.name, "wire");
  EXPECT_FALSE(p.min);
}

TEST(DecodeSocket, TakesAConnection) {
  const uint8_t local[] = {10, 0, 0, 1};
  Message m(ATCP_A_SOCKET);
  mnl_attr_put_u8(*m, ATCP_SOCKET_A_STATE, ATCP_STATE_ESTABLISHED);
  mnl_attr_put_u8(*m, ATCP_SOCKET_A_KIND, ATCP_KIND_CONN);
  mnl_attr_put(*m, ATCP_SOCKET_A_LADDR, sizeof(local), local);
  mnl_attr_put_u16(*m, ATCP_SOCKET_A_LPORT, 80);
  mnl_attr_put_u32(*m, ATCP_SOCKET_A_UID, 33);
  mnl_attr_put_u64(*m, ATCP_SOCKET_A_BYTES_ACKED, uint64_t{1} << 33);
  mnl_attr_put_strz(*m, ATCP_SOCKET_A_CC, "cubic");
  Socket s = decode_socket(m.nest());
  EXPECT_EQ(s.local.addr, (Address{10, 0, 0, 1}));
  EXPECT_EQ(s.local.port, 80);
  EXPECT_EQ(s.uid, 33u);
  EXPECT_FALSE(s.expires_ms);
  ASSERT_TRUE(s.conn);
  EXPECT_EQ(s.conn->bytes_acked, uint64_t{1} << 33);
  EXPECT_EQ(s.conn->cc, "cubic");
}

TEST(DecodeSocket, OthersHaveNoConnectionPart) {
  Message m(ATCP_A_SOCKET);
  mnl_attr_put_u8(*m, ATCP_SOCKET_A_KIND, ATCP_KIND_TIMEWAIT);
  mnl_attr_put_u32(*m, ATCP_SOCKET_A_EXPIRES_MS, 60000);
  Socket s = decode_socket(m.nest());
  EXPECT_FALSE(s.conn);
  EXPECT_FALSE(s.uid);
  EXPECT_EQ(s.expires_ms, 60000u);
}

TEST(DecodeListener, TakesQueuesAndCounts) {
  Message m(ATCP_A_LISTENER);
  mnl_attr_put_u32(*m, ATCP_LISTENER_A_ACCEPT_QUEUE, 3);
  mnl_attr_put_u32(*m, ATCP_LISTENER_A_BACKLOG, 128);
  mnl_attr_put_u64(*m, ATCP_LISTENER_A_SYN_DROPS, 11);
  Listener l = decode_listener(m.nest());
  EXPECT_EQ(l.accept_queue, 3u);
  EXPECT_EQ(l.backlog, 128u);
  EXPECT_EQ(l.syn_drops, 11u);
}

TEST(DecodeListener, TakesEveryRefusal) {
  Message m(ATCP_A_LISTENER);
  for (const uint8_t segment : {ATCP_REFUSED_SYN, ATCP_REFUSED_ACK}) {
    nlattr* nest = mnl_attr_nest_start(*m, ATCP_LISTENER_A_REASON);
    mnl_attr_put_strz(*m, ATCP_REASON_A_NAME, "no_route");
    mnl_attr_put_u64(*m, ATCP_REASON_A_VALUE, 7u + segment);
    mnl_attr_put_u8(*m, ATCP_REASON_A_SEGMENT, segment);
    mnl_attr_nest_end(*m, nest);
  }
  mnl_attr_put(*m, ATCP_LISTENER_A_AT_SOMAXCONN, 0, nullptr);
  Listener l = decode_listener(m.nest());
  EXPECT_TRUE(l.at_somaxconn);
  ASSERT_EQ(l.refusals.size(), 2u);
  EXPECT_EQ(l.refusals[0].reason, "no_route");
  EXPECT_EQ(l.refusals[0].count, 8u);
  EXPECT_EQ(l.refusals[1].segment, static_cast<uint32_t>(ATCP_REFUSED_ACK));
  EXPECT_FALSE(decode_listener(Message(ATCP_A_LISTENER).nest()).at_somaxconn);
}

TEST(DecodeCounter, RefusesANumberThatIsTooShort) {
  Message m(ATCP_A_COUNTER);
  mnl_attr_put_u32(*m, ATCP_COUNTER_A_VALUE, 1);
  EXPECT_THROW(decode_counter(m.nest()), Error);
}

TEST(DecodeSocket, RefusesAnAddressOfOddLength) {
  const uint8_t odd[] = {1, 2, 3, 4, 5};
  Message m(ATCP_A_SOCKET);
  mnl_attr_put(*m, ATCP_SOCKET_A_LADDR, sizeof(odd), odd);
  EXPECT_THROW(decode_socket(m.nest()), Error);
}

TEST(DecodeReason, TakesTextWithoutItsTerminator) {
  Message m(ATCP_A_REASON);
  mnl_attr_put(*m, ATCP_REASON_A_NAME, 3, "paw");
  mnl_attr_put_u32(*m, ATCP_REASON_A_ID, ATCP_REASON_PAWS);
  Reason r = decode_reason(m.nest());
  EXPECT_EQ(r.name, "paw");
  EXPECT_EQ(r.id, uint32_t{ATCP_REASON_PAWS});
}

TEST(FindAttr, FindsTheTopLevelNest) {
  Message m(ATCP_A_REASON);
  const nlattr* nest = m.nest();
  EXPECT_EQ(find_attr(*m, ATCP_A_REASON), nest);
  EXPECT_EQ(find_attr(*m, ATCP_A_SOCKET), nullptr);
}

TEST(DecodeEvent, TakesWhatItsKindHas) {
  const uint8_t peer[] = {10, 0, 0, 9};
  Message m(ATCP_A_EVENT);
  mnl_attr_put_u32(*m, ATCP_EVENT_A_KIND, ATCP_EVENT_KIND_DROP);
  mnl_attr_put_u64(*m, ATCP_EVENT_A_TIME_NS, 5'000'000'000);
  mnl_attr_put_u64(*m, ATCP_EVENT_A_SEQ, 7);
  mnl_attr_put_u64(*m, ATCP_EVENT_A_ID, 17);
  mnl_attr_put(*m, ATCP_EVENT_A_RADDR, sizeof(peer), peer);
  mnl_attr_put_u16(*m, ATCP_EVENT_A_RPORT, 50001);
  mnl_attr_put_strz(*m, ATCP_EVENT_A_REASON_NAME, "checksum");
  mnl_attr_put_u8(*m, ATCP_EVENT_A_TCP_FLAGS, 0x10);
  mnl_attr_put_u32(*m, ATCP_EVENT_A_LEN, 0);
  Event e = decode_event(m.nest());
  EXPECT_EQ(e.kind, uint32_t{ATCP_EVENT_KIND_DROP});
  EXPECT_EQ(e.time_ns, 5'000'000'000u);
  EXPECT_EQ(e.seq, 7u);
  EXPECT_EQ(e.id, 17u);
  EXPECT_EQ(e.peer.addr, (Address{10, 0, 0, 9}));
  EXPECT_EQ(e.peer.port, 50001);
  EXPECT_EQ(e.reason, "checksum");
  EXPECT_EQ(e.tcp_flags, 0x10u);
  EXPECT_EQ(e.len, 0u);  // there, and not the same as absent:
  EXPECT_FALSE(e.tcp_seq);
  EXPECT_FALSE(e.cwnd);
  EXPECT_FALSE(e.record);
}

TEST(DecodeEvent, ClosedHoldsARecordThatHoldsASocket) {
  Message m(ATCP_A_EVENT);
  mnl_attr_put_u32(*m, ATCP_EVENT_A_KIND, ATCP_EVENT_KIND_CLOSED);
  nlattr* record = mnl_attr_nest_start(*m, ATCP_EVENT_A_RECORD);
  nlattr* socket = mnl_attr_nest_start(*m, ATCP_RECORD_A_SOCKET);
  mnl_attr_put_u8(*m, ATCP_SOCKET_A_KIND, ATCP_KIND_CONN);
  mnl_attr_put_u64(*m, ATCP_SOCKET_A_ID, 17);
  mnl_attr_put_u64(*m, ATCP_SOCKET_A_BYTES_ACKED, 12);
  mnl_attr_nest_end(*m, socket);
  mnl_attr_put_u64(*m, ATCP_RECORD_A_OPENED_NS, 1);
  mnl_attr_put_u64(*m, ATCP_RECORD_A_CLOSED_NS, 3);
  mnl_attr_put_u8(*m, ATCP_RECORD_A_ENDED_BY, ATCP_ENDED_BY_TIMEOUT);
  mnl_attr_put_strz(*m, ATCP_RECORD_A_REASON_NAME, "timeout_user");
  mnl_attr_nest_end(*m, record);
  Event e = decode_event(m.nest());
  ASSERT_TRUE(e.record);
  EXPECT_EQ(e.record->socket.id, 17u);
  ASSERT_TRUE(e.record->socket.conn);
  EXPECT_EQ(e.record->socket.conn->bytes_acked, 12u);
  EXPECT_EQ(e.record->opened_ns, 1u);
  EXPECT_EQ(e.record->closed_ns, 3u);
  EXPECT_EQ(e.record->ended_by, uint32_t{ATCP_ENDED_BY_TIMEOUT});
  EXPECT_EQ(e.record->reason, "timeout_user");
}

TEST(DecodeEvent, Losses) {
  Message m(ATCP_A_EVENT);
  mnl_attr_put_u32(*m, ATCP_EVENT_A_KIND, ATCP_EVENT_KIND_LOST);
  mnl_attr_put_u64(*m, ATCP_EVENT_A_COUNT, uint64_t{1} << 40);
  Event e = decode_event(m.nest());
  EXPECT_EQ(e.count, uint64_t{1} << 40);
  EXPECT_TRUE(e.local.addr.empty());
}

/// An NLMSG_ERROR with the request's header (or, uncapped, all of it) and a message.
std::string error_message(bool capped, const char* text) {
  alignas(nlmsghdr) std::array<char, 1024> buf{};
  nlmsghdr* nlh = mnl_nlmsg_put_header(buf.data());
  nlh->nlmsg_type = NLMSG_ERROR;
  nlh->nlmsg_flags = static_cast<uint16_t>(NLM_F_ACK_TLVS | (capped ? NLM_F_CAPPED : 0));
  auto* err = static_cast<nlmsgerr*>(mnl_nlmsg_put_extra_header(nlh, sizeof(nlmsgerr)));
  err->error = -ERANGE;
  err->msg.nlmsg_len = sizeof(nlmsghdr) + 20;
  if (!capped) mnl_nlmsg_put_extra_header(nlh, 20);
  mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, 36);
  if (text) mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, text);
  return extack_text(nlh);
}

TEST(ExtackText, IsFoundBehindACappedOrWholeRequest) {
  EXPECT_EQ(error_message(true, "sack=7: must be"), "sack=7: must be");
  EXPECT_EQ(error_message(false, "sack=7: must be"), "sack=7: must be");
}

TEST(ExtackText, IsEmptyIfThereIsNone) {
  EXPECT_EQ(error_message(true, nullptr), "");
  alignas(nlmsghdr) std::array<char, 64> buf{};
  nlmsghdr* bare = mnl_nlmsg_put_header(buf.data());
  bare->nlmsg_type = NLMSG_ERROR;
  bare->nlmsg_flags = NLM_F_ACK_TLVS;  // says there are attributes, yet ends here
  EXPECT_EQ(extack_text(bare), "");
}

TEST(ExtackText, OfAnEndedDump) {
  alignas(nlmsghdr) std::array<char, 256> buf{};
  nlmsghdr* nlh = mnl_nlmsg_put_header(buf.data());
  nlh->nlmsg_type = NLMSG_DONE;
  nlh->nlmsg_flags = NLM_F_ACK_TLVS;
  mnl_nlmsg_put_extra_header(nlh, sizeof(int));
  mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, "too much");
  EXPECT_EQ(extack_text(nlh), "too much");
}

}  // namespace
}  // namespace atcp::tool
