// SPDX-License-Identifier: GPL-2.0
//
// The one table of parameters: name, type, range, default, unit, help. Netlink, the tool and the
// documents come out of it. Names and defaults are those of net.ipv4.tcp_* where Linux has the
// parameter. To add one: a line in Param, a row in kParams (params.cpp) in the same place.
#ifndef ATCP_TABLE_PARAMS_H
#define ATCP_TABLE_PARAMS_H

#include "base/types.h"

namespace atcp {

enum class Param : uint16_t {
  Wire,                // tcp
  PortRange,           // 61000 65535
  SynRetries,          // 6
  SynLinearTimeouts,   // 4
  SynackRetries,       // 5
  MaxSynBacklog,       // 1024
  Syncookies,          // 1, 0..2
  AbortOnOverflow,     // 0
  FinTimeout,          // 60 s
  OrphanRetries,       // 0 (means 8)
  MaxOrphans,          // 16384
  MaxTwBuckets,        // 65536
  TimewaitLen,         // 60 s, 1..600
  TwReuse,             // 2: 0 off, 1 on, 2 loopback only
  Rfc1337,             // 0
  KeepaliveTime,       // 7200 s
  KeepaliveIntvl,      // 75 s
  KeepaliveProbes,     // 9
  Retries1,            // 3
  Retries2,            // 15
  RtoMinUs,            // 200000
  RtoMaxMs,            // 120000
  DelackMinUs,         // 40000
  Sack,                // 1
  Dsack,               // 1
  Timestamps,          // 1: 0 off, 1 with random offset, 2 without
  WindowScaling,       // 1
  CongestionControl,   // cubic
  Rmem,                // 4096 131072 6291456
  Wmem,                // 4096 16384 4194304
  ModerateRcvbuf,      // 1
  InitCwnd,            // 10
  SlowStartAfterIdle,  // 1
  Reordering,
  EarlyRetrans,
  Frto,                      // 3
  ChallengeAckLimit,         // 0x7fffffff per second
  InvalidRatelimitMs,        // 500
  MinSndMss,                 // 48
  MigrateReq,                // 1
  EhashMin,                  // 0: the initial number
  EhashMax,                  // 4194304
  PacingSsRatio,             // 200 %
  PacingCaRatio,             // 120 %
  Ecn,                       // 2: answers only
  EcnFallback,               // 1
  Fastopen,                  // 1: bits of conn/fastopen.h
  FastopenBlackholeTimeout,  // 0 s: never
  Stdurg,                    // 0
  MtuProbing,                // 0, 1 after a black hole, 2 always
  BaseMss,                   // 1024
  MtuProbeFloor,             // 48
  ProbeInterval,             // 600 s
  ProbeThreshold,            // 8
  Mem,                       // 0 0 0: only the host's limits
  ClosingRecords,            // 256
  Somaxconn,                 // no limit beside net.core.somaxconn
  NotsentLowat,              // 0xffffffff: none
  Recovery,                  // 1: bits of conn/rack.h
  MaxReordering,             // 300
  Count_,
};

inline constexpr uint32_t kParamCount = static_cast<uint32_t>(Param::Count_);

/// Where a parameter may be set.
enum class ParamScope : uint8_t {
  NETNS,   ///< in a network namespace
  SOCKET,  ///< and on one socket, by its program
  ADMIN,   ///< and on one socket, by who has CAP_NET_ADMIN: it is at the expense of others
};

struct ParamRow {
  const char* name;
  uint32_t type;  ///< enum atcp_param_type
  ParamScope scope;
  uint32_t min;
  uint32_t max;
  uint32_t def[3];
  const char* unit;  ///< "" if none
  const char* help;
};
extern const ParamRow kParams[kParamCount];

/// The numbers of a pair or triple that were set together; what a parameter does not have is 0.
struct ParamValues {
  uint32_t v[3];
};

/// A namespace's values. May be read without a lock, in any context, while one writer at a time sets them.
class Params {
 public:
  /// All from the given defaults (nullptr: the table's own).
  void init(const Params* defaults);
  /// One number. Whoever needs several of a parameter asks all(): between two calls another pair may be set.
  uint32_t get(Param p, uint32_t k = 0) const {
    return __atomic_load_n(&v_[static_cast<uint32_t>(p)][k], __ATOMIC_RELAXED);
  }
  /// All numbers as they were set together. Waits for no writer, who may be what this CPU was interrupted in.
  ParamValues all(Param p) const;
  /// As atcp_core_param_get, _check, _set.
  uint32_t format(uint32_t i, char* buf, uint32_t size) const;
  static uint32_t format_default(uint32_t i, char* buf, uint32_t size);
  static atcp_err check(uint32_t i, const char* text);
  atcp_err apply(uint32_t i, const char* text);
  /// Back to the table's default.
  void reset(uint32_t i);
  /// enum atcp_source: DEFAULT, or NETNS once it was set.
  uint32_t source(Param p) const {
    return __atomic_load_n(&source_[static_cast<uint32_t>(p)], __ATOMIC_RELAXED);
  }

 private:
  void set_all(Param p, const uint32_t (&v)[3]);

  uint32_t v_[kParamCount][3];
  uint32_t turn_;      ///< odd: changing_ is being changed, and was_ is what it had
  uint32_t changing_;  ///< enum Param
  uint32_t was_[3];
  uint8_t source_[kParamCount];
};

int32_t param_find(const char* name);
/// Values of any origin, as text and from text. i < kParamCount.
uint32_t param_format(uint32_t i, const uint32_t (&v)[3], char* buf, uint32_t size);
atcp_err param_parse(uint32_t i, const char* text, uint32_t (&v)[3]);

}  // namespace atcp

#endif  // ATCP_TABLE_PARAMS_H
