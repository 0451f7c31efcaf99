// SPDX-License-Identifier: GPL-2.0
//
// What the tool knows of the kernel's answers: plain values, one struct per kind of row. How they
// come off the wire is in decode.cpp, how they are shown in format.cpp and json.cpp.
#ifndef ATCP_TOOL_MODEL_H
#define ATCP_TOOL_MODEL_H

#include <cstdint>
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

struct Socket {
  uint32_t state = 0;  ///< enum atcp_state
  uint32_t kind = 0;   ///< enum atcp_kind
  Endpoint local, peer;
  std::optional<uint32_t> uid;
  uint32_t retrans = 0;
  std::optional<uint32_t> expires_ms;
  std::optional<Connection> conn;  ///< present if kind is ATCP_KIND_CONN
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
};

struct Counter {
  std::string name;
  uint64_t value = 0;
  std::string help;
};

struct Reason {
  uint32_t id = 0;
  std::string name;
  uint64_t value = 0;
  std::string help;
};

/// A parameter to set: what the user typed.
struct Setting {
  std::string name;
  std::string value;
};

}  // namespace atcp::tool

#endif  // ATCP_TOOL_MODEL_H
