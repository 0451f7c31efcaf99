// SPDX-License-Identifier: GPL-2.0
//
// The decoders of decode.h: a map from attribute type to attribute, and one function per nest that
// takes out of it what the model wants.
#include "decode.h"

#include <linux/atcp.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <cstring>
#include <map>

namespace atcp::tool {
namespace {

/// The attributes of a nest by type; the last one of a type counts.
class Attrs {
 public:
  explicit Attrs(const nlattr* nest) { mnl_attr_parse_nested(nest, add, this); }

  bool has(int type) const { return at_.contains(type); }
  uint32_t u8(int type) const { return number<uint8_t>(type); }
  uint16_t u16(int type) const { return number<uint16_t>(type); }
  uint32_t u32(int type) const { return number<uint32_t>(type); }
  uint64_t u64(int type) const { return number<uint64_t>(type); }
  std::optional<uint32_t> maybe_u32(int type) const {
    return has(type) ? std::optional(u32(type)) : std::nullopt;
  }
  std::string text(int type) const {
    if (!has(type)) return {};
    const auto* p = static_cast<const char*>(mnl_attr_get_payload(at_.at(type)));
    return {p, strnlen(p, mnl_attr_get_payload_len(at_.at(type)))};
  }
  Address address(int type) const {
    if (!has(type)) return {};
    const auto* p = static_cast<const uint8_t*>(mnl_attr_get_payload(at_.at(type)));
    size_t len = mnl_attr_get_payload_len(at_.at(type));
    if (len != 4 && len != 16)
      throw Error("the kernel sent an address of " + std::to_string(len) + " bytes");
    return {p, p + len};
  }

 private:
  std::map<int, const nlattr*> at_;

  static int add(const nlattr* attr, void* self) {
    static_cast<Attrs*>(self)->at_[mnl_attr_get_type(attr)] = attr;
    return MNL_CB_OK;
  }

  template <class T>
  T number(int type) const {
    T value{};
    if (!has(type)) return value;
    if (mnl_attr_get_payload_len(at_.at(type)) < sizeof(T))
      throw Error("the kernel sent a number that is too short (attribute " + std::to_string(type) +
                  ")");
    std::memcpy(&value, mnl_attr_get_payload(at_.at(type)), sizeof(T));  // may be unaligned
    return value;
  }
};

Connection decode_connection(const Attrs& a) {
  return {
      .inode = a.u64(ATCP_SOCKET_A_INODE),
      .recvq = a.u32(ATCP_SOCKET_A_RECVQ),
      .sendq = a.u32(ATCP_SOCKET_A_SENDQ),
      .cc = a.text(ATCP_SOCKET_A_CC),
      .cwnd = a.u32(ATCP_SOCKET_A_CWND),
      .ssthresh = a.u32(ATCP_SOCKET_A_SSTHRESH),
      .srtt_us = a.u32(ATCP_SOCKET_A_SRTT_US),
      .rttvar_us = a.u32(ATCP_SOCKET_A_RTTVAR_US),
      .rto_us = a.u32(ATCP_SOCKET_A_RTO_US),
      .mss = a.u32(ATCP_SOCKET_A_MSS),
      .bytes_acked = a.u64(ATCP_SOCKET_A_BYTES_ACKED),
      .bytes_received = a.u64(ATCP_SOCKET_A_BYTES_RECEIVED),
      .snd_wnd = a.u32(ATCP_SOCKET_A_SND_WND),
      .rcv_wnd = a.u32(ATCP_SOCKET_A_RCV_WND),
      .rcvbuf = a.u32(ATCP_SOCKET_A_RCVBUF),
      .sndbuf = a.u32(ATCP_SOCKET_A_SNDBUF),
  };
}

/// All nests of that type, in their order.
std::vector<Refusal> decode_refusals(const nlattr* nest) {
  std::vector<Refusal> rows;
  mnl_attr_parse_nested(
      nest,
      [](const nlattr* attr, void* arg) -> int {
        if (mnl_attr_get_type(attr) != ATCP_LISTENER_A_REASON) return MNL_CB_OK;
        Attrs a(attr);
        static_cast<std::vector<Refusal>*>(arg)->push_back(
            {a.u8(ATCP_REASON_A_SEGMENT), a.text(ATCP_REASON_A_NAME), a.u64(ATCP_REASON_A_VALUE)});
        return MNL_CB_OK;
      },
      &rows);
  return rows;
}

}  // namespace

Param decode_param(const nlattr* nest) {
  Attrs a(nest);
  return {
      .name = a.text(ATCP_PARAM_A_NAME),
      .type = a.u8(ATCP_PARAM_A_TYPE),
      .value = a.text(ATCP_PARAM_A_VALUE),
      .def = a.text(ATCP_PARAM_A_DEFAULT),
      .min = a.maybe_u32(ATCP_PARAM_A_MIN),
      .max = a.maybe_u32(ATCP_PARAM_A_MAX),
      .unit = a.text(ATCP_PARAM_A_UNIT),
      .help = a.text(ATCP_PARAM_A_HELP),
  };
}

Socket decode_socket(const nlattr* nest) {
  Attrs a(nest);
  Socket s{
      .state = a.u8(ATCP_SOCKET_A_STATE),
      .kind = a.u8(ATCP_SOCKET_A_KIND),
      .local = {a.address(ATCP_SOCKET_A_LADDR), a.u16(ATCP_SOCKET_A_LPORT)},
      .peer = {a.address(ATCP_SOCKET_A_RADDR), a.u16(ATCP_SOCKET_A_RPORT)},
      .uid = a.maybe_u32(ATCP_SOCKET_A_UID),
      .retrans = a.u32(ATCP_SOCKET_A_RETRANS),
      .expires_ms = a.maybe_u32(ATCP_SOCKET_A_EXPIRES_MS),
      .conn = std::nullopt,
  };
  if (s.kind == ATCP_KIND_CONN) s.conn = decode_connection(a);
  return s;
}

Listener decode_listener(const nlattr* nest) {
  Attrs a(nest);
  return {
      .local = {a.address(ATCP_LISTENER_A_LADDR), a.u16(ATCP_LISTENER_A_LPORT)},
      .uid = a.u32(ATCP_LISTENER_A_UID),
      .inode = a.u64(ATCP_LISTENER_A_INODE),
      .accept_queue = a.u32(ATCP_LISTENER_A_ACCEPT_QUEUE),
      .backlog = a.u32(ATCP_LISTENER_A_BACKLOG),
      .requests = a.u32(ATCP_LISTENER_A_REQUESTS),
      .syns = a.u64(ATCP_LISTENER_A_SYNS),
      .synacks = a.u64(ATCP_LISTENER_A_SYNACKS),
      .syn_dups = a.u64(ATCP_LISTENER_A_SYN_DUPS),
      .accepted = a.u64(ATCP_LISTENER_A_ACCEPTED),
      .overflow_syn = a.u64(ATCP_LISTENER_A_OVERFLOW_SYN),
      .overflow_ack = a.u64(ATCP_LISTENER_A_OVERFLOW_ACK),
      .syn_drops = a.u64(ATCP_LISTENER_A_SYN_DROPS),
      .accept_queue_high = a.u32(ATCP_LISTENER_A_ACCEPT_QUEUE_HIGH),
      .requests_high = a.u32(ATCP_LISTENER_A_REQUESTS_HIGH),
      .at_somaxconn = a.has(ATCP_LISTENER_A_AT_SOMAXCONN),
      .crowded_ms = a.u64(ATCP_LISTENER_A_CROWDED_MS),
      .cookies = a.u64(ATCP_LISTENER_A_COOKIES),
      .acks = a.u64(ATCP_LISTENER_A_ACKS),
      .children = a.u64(ATCP_LISTENER_A_CHILDREN),
      .ack_drops = a.u64(ATCP_LISTENER_A_ACK_DROPS),
      .migrated_in = a.u64(ATCP_LISTENER_A_MIGRATED_IN),
      .migrated_out = a.u64(ATCP_LISTENER_A_MIGRATED_OUT),
      .refusals = decode_refusals(nest),
  };
}

Counter decode_counter(const nlattr* nest) {
  Attrs a(nest);
  return {
      .name = a.text(ATCP_COUNTER_A_NAME),
      .value = a.u64(ATCP_COUNTER_A_VALUE),
      .help = a.text(ATCP_COUNTER_A_HELP),
  };
}

Reason decode_reason(const nlattr* nest) {
  Attrs a(nest);
  return {
      .id = a.u32(ATCP_REASON_A_ID),
      .name = a.text(ATCP_REASON_A_NAME),
      .value = a.u64(ATCP_REASON_A_VALUE),
      .help = a.text(ATCP_REASON_A_HELP),
  };
}

const nlattr* find_attr(const nlmsghdr* nlh, uint16_t type) {
  struct Search {
    uint16_t type;
    const nlattr* found;
  } search{type, nullptr};
  mnl_attr_parse(
      nlh, sizeof(genlmsghdr),
      [](const nlattr* attr, void* arg) -> int {
        auto* s = static_cast<Search*>(arg);
        if (mnl_attr_get_type(attr) != s->type) return MNL_CB_OK;
        s->found = attr;
        return MNL_CB_STOP;
      },
      &search);
  return search.found;
}

std::string extack_text(const nlmsghdr* nlh) {
  if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS)) return {};
  // An error carries the request's header, and all of the request unless it was capped; the end
  // of a dump carries an int.
  size_t skip = sizeof(int);
  if (nlh->nlmsg_type == NLMSG_ERROR) {
    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(nlmsgerr)) return {};
    const auto* err = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(nlh));
    skip = sizeof(nlmsgerr);
    if (err->error != 0 && !(nlh->nlmsg_flags & NLM_F_CAPPED))
      skip += MNL_ALIGN(err->msg.nlmsg_len) - sizeof(nlmsghdr);
  }
  if (mnl_nlmsg_get_payload_len(nlh) < skip) return {};
  std::string text;
  mnl_attr_parse(
      nlh, static_cast<unsigned>(skip),
      [](const nlattr* attr, void* arg) -> int {
        if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG) {
          const auto* p = static_cast<const char*>(mnl_attr_get_payload(attr));
          static_cast<std::string*>(arg)->assign(p, strnlen(p, mnl_attr_get_payload_len(attr)));
        }
        return MNL_CB_OK;
      },
      &text);
  return text;
}

}  // namespace atcp::tool
