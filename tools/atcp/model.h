// SPDX-License-Identifier: GPL-2.0
//
// What the tool knows of the kernel's answers: plain values, one struct per kind of row. How they
// come off the wire is in decode.cpp, how they are shown in format.cpp and json.cpp.
#ifndef ATCP_TOOL_MODEL_H
#define ATCP_TOOL_MODEL_H

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace atcp::tool {

inline constexpr const char* kVersion = "0.1.0";

// Exit statuses of the tool itself; `run` ends with the command's.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  ///< the kernel refused, or is not there
inline constexpr int kExitUsage = 2;   ///< the command line is wrong

/// Something to tell the user, and the exit status that goes with it.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& text, int status = kExitFailed)
      : std::runtime_error(text), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};

struct Param {
  std::string name;
  uint32_t type = 0;  ///< enum atcp_param_type
  std::string value;
  std::string def;
  std::optional<uint32_t> min, max;  ///< absent if the value is a name
  std::string unit;                  ///< may be empty
  std::string help;
  bool per_socket = false;  ///< it may be set on one socket, too
  uint32_t source = 0;      ///< enum atcp_source; 0: not told
};

/// An address as it came: 4 bytes, 16 bytes, or empty if there was none.
using Address = std::vector<uint8_t>;

struct Endpoint {
  Address addr;
  uint16_t port = 0;
};

/// What only a connection has.
struct Connection {
  uint64_t inode = 0;
  uint32_t recvq = 0, sendq = 0;
  std::string cc;
  uint32_t cwnd = 0, ssthresh = 0;
  uint32_t srtt_us = 0, rttvar_us = 0, rto_us = 0;
  uint32_t mss = 0;
  uint64_t bytes_acked = 0, bytes_received = 0;
  uint32_t snd_wnd = 0, rcv_wnd = 0;
  uint32_t rcvbuf = 0, sndbuf = 0;
};

/// How often something happened for a reason.
struct Reason {
  uint32_t id = 0;
  std::string name;
  uint64_t value = 0;
  std::string help;
};

/// A deadline that is set.
struct Deadline {
  std::string name;
  uint64_t left_us = 0;  ///< 0: due
};

/// Time that went into something: waiting (enum atcp_limit, microseconds) or a state (enum
/// atcp_state, milliseconds).
struct Share {
  uint32_t what = 0;
  uint64_t time = 0;
};

/// What the kernel tells when it is asked for one socket, and of a connection that has ended.
struct Detail {
  std::map<uint16_t, uint64_t> numbers;  ///< by attribute; what each means is in socket_fields.h
  std::vector<Deadline> timers;
  std::vector<Share> limited;          ///< microseconds; they add up to the age
  std::optional<uint32_t> limited_by;  ///< now
  std::vector<Share> in_state;         ///< milliseconds
  std::vector<Reason> drops;
  bool orphaned = false, passive = false, urgent = false;
  std::string cc_info;
};

struct Socket {
  uint64_t id = 0;     ///< its cookie; 0: none was told
  uint32_t state = 0;  ///< enum atcp_state
  uint32_t kind = 0;   ///< enum atcp_kind
  Endpoint local, peer;
  std::optional<uint32_t> uid;
  uint32_t retrans = 0;
  std::optional<uint32_t> expires_ms;
  std::optional<Connection> conn;  ///< present if kind is ATCP_KIND_CONN
  Detail detail;
};

/// What became of a connection that has ended.
struct Record {
  Socket socket;                          ///< as it was at the end
  uint64_t opened_ns = 0, closed_ns = 0;  ///< CLOCK_MONOTONIC
  uint32_t ended_by = 0;                  ///< enum atcp_ended_by
  std::string reason;
};

/// Something that happened. Which of the optional fields are there depends on the kind.
struct Event {
  uint32_t kind = 0;            ///< enum atcp_event_kind
  uint64_t time_ns = 0;         ///< CLOCK_MONOTONIC
  std::optional<uint64_t> seq;  ///< among all events of the namespace
  uint64_t id = 0;              ///< cookie; 0: no socket
  Endpoint local, peer;
  std::string reason;                            ///< may be empty
  std::optional<uint32_t> old_state, new_state;  ///< enum atcp_state
  std::optional<uint32_t> tcp_seq, len, tcp_flags;
  std::optional<uint32_t> retransmit;  ///< enum atcp_retransmit_kind
  std::optional<uint32_t> cwnd, ssthresh, ca_state, srtt_us, inflight;
  std::optional<uint64_t> pacing_rate, delivery_rate;  ///< bytes per second
  std::optional<uint32_t> queue, limit;                ///< of an accept queue
  std::optional<uint64_t> count;                       ///< events that were lost
  std::optional<Record> record;
};

/// A line of a listener's ledger.
struct Refusal {
  uint32_t segment = 0;  ///< enum atcp_refused
  std::string reason;
  uint64_t count = 0;
};

struct Listener {
  Endpoint local;
  uint32_t uid = 0;
  uint64_t inode = 0;
  uint32_t accept_queue = 0, backlog = 0, requests = 0;
  uint64_t syns = 0, synacks = 0, syn_dups = 0, accepted = 0;
  uint64_t overflow_syn = 0, overflow_ack = 0, syn_drops = 0;
  uint32_t accept_queue_high = 0, requests_high = 0;
  bool at_somaxconn = false;  ///< the backlog is all that somaxconn allowed
  uint64_t crowded_ms = 0;    ///< with the accept queue above 80 % of the backlog
  uint64_t cookies = 0;
  uint64_t acks = 0, children = 0, ack_drops = 0;
  uint64_t migrated_in = 0, migrated_out = 0;
  std::vector<Refusal> refusals;  ///< why, without those that never happened
  uint64_t id = 0;                ///< its cookie; 0: not told
  uint32_t young = 0;             ///< requests whose SYN-ACK was sent once
};

struct Counter {
  std::string name;
  uint64_t value = 0;
  std::string help;
};

/// A congestion control.
struct Cc {
  std::string name;
  bool is_default = false;
  bool restricted = false;  ///< only for those with CAP_NET_ADMIN
  std::string module;       ///< empty: this module's own
};

/// The tables of a namespace.
struct Tables {
  uint32_t ehash_slots = 0, ehash_entries = 0;
  uint64_t ehash_grown = 0, ehash_shrunk = 0;
  uint32_t requests = 0, timewaits = 0, sockets = 0, orphans = 0, listeners = 0, ports = 0;
  uint64_t mem_pages = 0;
  uint32_t mem_level = 0;  ///< 0 enough, 1 pressure, 2 full
  uint32_t subscribers = 0;
  uint64_t events_lost = 0;
  uint32_t records = 0;
};

/// A parameter to set: what the user typed.
struct Setting {
  std::string name;
  std::string value;
};

}  // namespace atcp::tool

#endif  // ATCP_TOOL_MODEL_H
