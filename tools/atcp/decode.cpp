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

#include "socket_fields.h"

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
  /// A number of whatever length it has.
  uint64_t number_of(int type) const {
    switch (mnl_attr_get_payload_len(at_.at(type))) {
      case 1:
        return u8(type);
      case 2:
        return u16(type);
      case 4:
        return u32(type);
      default:
        return u64(type);
    }
  }
  std::optional<uint32_t> maybe_u8(int type) const {
    return has(type) ? std::optional(u8(type)) : std::nullopt;
  }
  std::optional<uint32_t> maybe_u32(int type) const {
    return has(type) ? std::optional(u32(type)) : std::nullopt;
  }
  std::optional<uint64_t> maybe_u64(int type) const {
    return has(type) ? std::optional(u64(type)) : std::nullopt;
  }
  /// nullptr: it is not there.
  const nlattr* nest(int type) const { return has(type) ? at_.at(type) : nullptr; }
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
template <class T>
std::vector<T> rows_of(const nlattr* nest, int type, T (*decode)(const nlattr*)) {
  struct Wanted {
    int type;
    T (*decode)(const nlattr*);
    std::vector<T> rows;
  } wanted{type, decode, {}};
  mnl_attr_parse_nested(
      nest,
      [](const nlattr* attr, void* arg) -> int {
        auto* w = static_cast<Wanted*>(arg);
        if (mnl_attr_get_type(attr) == w->type) w->rows.push_back(w->decode(attr));
        return MNL_CB_OK;
      },
      &wanted);
  return std::move(wanted.rows);
}

Refusal decode_refusal(const nlattr* nest) {
  Attrs a(nest);
  return {a.u8(ATCP_REASON_A_SEGMENT), a.text(ATCP_REASON_A_NAME), a.u64(ATCP_REASON_A_VALUE)};
}

Deadline decode_timer(const nlattr* nest) {
  Attrs a(nest);
  return {a.text(ATCP_TIMER_A_NAME), a.u64(ATCP_TIMER_A_LEFT_US)};
}

Share decode_limited(const nlattr* nest) {
  Attrs a(nest);
  return {a.u8(ATCP_LIMITED_A_BY), a.u64(ATCP_LIMITED_A_US)};
}

Share decode_in_state(const nlattr* nest) {
  Attrs a(nest);
  return {a.u8(ATCP_IN_STATE_A_STATE), a.u32(ATCP_IN_STATE_A_MS)};
}

Detail decode_detail(const nlattr* nest, const Attrs& a) {
  Detail d;
  for (const SocketField& field : kSocketFields)
    if (a.has(field.attr)) d.numbers[field.attr] = a.number_of(field.attr);
  d.timers = rows_of(nest, ATCP_SOCKET_A_TIMER, decode_timer);
  d.limited = rows_of(nest, ATCP_SOCKET_A_LIMITED, decode_limited);
  if (a.has(ATCP_SOCKET_A_LIMITED_BY)) d.limited_by = a.u8(ATCP_SOCKET_A_LIMITED_BY);
  d.in_state = rows_of(nest, ATCP_SOCKET_A_IN_STATE, decode_in_state);
  d.drops = rows_of(nest, ATCP_SOCKET_A_DROP, decode_reason);
  d.orphaned = a.has(ATCP_SOCKET_A_ORPHANED);
  d.passive = a.has(ATCP_SOCKET_A_PASSIVE);
  d.urgent = a.has(ATCP_SOCKET_A_URGENT);
  d.cc_info = a.text(ATCP_SOCKET_A_CC_INFO);
  return d;
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
      .per_socket = a.has(ATCP_PARAM_A_PER_SOCKET),
      .source = a.u8(ATCP_PARAM_A_SOURCE),
  };
}

Socket decode_socket(const nlattr* nest) {
  Attrs a(nest);
  Socket s{
      .id = a.u64(ATCP_SOCKET_A_ID),
      .state = a.u8(ATCP_SOCKET_A_STATE),
      .kind = a.u8(ATCP_SOCKET_A_KIND),
      .local = {a.address(ATCP_SOCKET_A_LADDR), a.u16(ATCP_SOCKET_A_LPORT)},
      .peer = {a.address(ATCP_SOCKET_A_RADDR), a.u16(ATCP_SOCKET_A_RPORT)},
      .uid = a.maybe_u32(ATCP_SOCKET_A_UID),
      .retrans = a.u32(ATCP_SOCKET_A_RETRANS),
      .expires_ms = a.maybe_u32(ATCP_SOCKET_A_EXPIRES_MS),
      .conn = std::nullopt,
      .detail = decode_detail(nest, a),
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
      .refusals = rows_of(nest, ATCP_LISTENER_A_REASON, decode_refusal),
      .id = a.u64(ATCP_LISTENER_A_ID),
      .young = a.u32(ATCP_LISTENER_A_YOUNG),
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

Cc decode_cc(const nlattr* nest) {
  Attrs a(nest);
  return {
      .name = a.text(ATCP_CC_A_NAME),
      .is_default = a.has(ATCP_CC_A_IS_DEFAULT),
      .restricted = a.has(ATCP_CC_A_RESTRICTED),
      .module = a.text(ATCP_CC_A_MODULE),
  };
}

Tables decode_tables(const nlattr* nest) {
  Attrs a(nest);
  return {
      .ehash_slots = a.u32(ATCP_TABLES_A_EHASH_SLOTS),
      .ehash_entries = a.u32(ATCP_TABLES_A_EHASH_ENTRIES),
      .ehash_grown = a.u64(ATCP_TABLES_A_EHASH_GROWN),
      .ehash_shrunk = a.u64(ATCP_TABLES_A_EHASH_SHRUNK),
      .requests = a.u32(ATCP_TABLES_A_REQUESTS),
      .timewaits = a.u32(ATCP_TABLES_A_TIMEWAITS),
      .sockets = a.u32(ATCP_TABLES_A_SOCKETS),
      .orphans = a.u32(ATCP_TABLES_A_ORPHANS),
      .listeners = a.u32(ATCP_TABLES_A_LISTENERS),
      .ports = a.u32(ATCP_TABLES_A_PORTS),
      .mem_pages = a.u64(ATCP_TABLES_A_MEM_PAGES),
      .mem_level = a.u8(ATCP_TABLES_A_MEM_LEVEL),
      .subscribers = a.u32(ATCP_TABLES_A_SUBSCRIBERS),
      .events_lost = a.u64(ATCP_TABLES_A_EVENTS_LOST),
      .records = a.u32(ATCP_TABLES_A_RECORDS),
  };
}

Record decode_record(const nlattr* nest) {
  Attrs a(nest);
  const nlattr* socket = a.nest(ATCP_RECORD_A_SOCKET);
  return {
      .socket = socket ? decode_socket(socket) : Socket(),
      .opened_ns = a.u64(ATCP_RECORD_A_OPENED_NS),
      .closed_ns = a.u64(ATCP_RECORD_A_CLOSED_NS),
      .ended_by = a.u8(ATCP_RECORD_A_ENDED_BY),
      .reason = a.text(ATCP_RECORD_A_REASON_NAME),
  };
}

Event decode_event(const nlattr* nest) {
  Attrs a(nest);
  const nlattr* record = a.nest(ATCP_EVENT_A_RECORD);
  return {
      .kind = a.u32(ATCP_EVENT_A_KIND),
      .time_ns = a.u64(ATCP_EVENT_A_TIME_NS),
      .seq = a.maybe_u64(ATCP_EVENT_A_SEQ),
      .id = a.u64(ATCP_EVENT_A_ID),
      .local = {a.address(ATCP_EVENT_A_LADDR), a.u16(ATCP_EVENT_A_LPORT)},
      .peer = {a.address(ATCP_EVENT_A_RADDR), a.u16(ATCP_EVENT_A_RPORT)},
      .reason = a.text(ATCP_EVENT_A_REASON_NAME),
      .old_state = a.maybe_u8(ATCP_EVENT_A_OLD_STATE),
      .new_state = a.maybe_u8(ATCP_EVENT_A_NEW_STATE),
      .tcp_seq = a.maybe_u32(ATCP_EVENT_A_TCP_SEQ),
      .len = a.maybe_u32(ATCP_EVENT_A_LEN),
      .tcp_flags = a.maybe_u8(ATCP_EVENT_A_TCP_FLAGS),
      .retransmit = a.maybe_u8(ATCP_EVENT_A_RETRANSMIT),
      .cwnd = a.maybe_u32(ATCP_EVENT_A_CWND),
      .ssthresh = a.maybe_u32(ATCP_EVENT_A_SSTHRESH),
      .ca_state = a.maybe_u8(ATCP_EVENT_A_CA_STATE),
      .srtt_us = a.maybe_u32(ATCP_EVENT_A_SRTT_US),
      .inflight = a.maybe_u32(ATCP_EVENT_A_INFLIGHT),
      .pacing_rate = a.maybe_u64(ATCP_EVENT_A_PACING_RATE),
      .delivery_rate = a.maybe_u64(ATCP_EVENT_A_DELIVERY_RATE),
      .queue = a.maybe_u32(ATCP_EVENT_A_QUEUE),
      .limit = a.maybe_u32(ATCP_EVENT_A_LIMIT),
      .count = a.maybe_u64(ATCP_EVENT_A_COUNT),
      .record = record ? std::optional(decode_record(record)) : std::nullopt,
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
