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
  Ecn,                       // 2: answers only
  EcnFallback,               // 1
  Fastopen,                  // 1: bits of conn/fastopen.h
  FastopenBlackholeTimeout,  // 0 s: never
  Count_,
};

inline constexpr uint32_t kParamCount = static_cast<uint32_t>(Param::Count_);

struct ParamRow {
  const char* name;
  uint32_t type;  ///< enum atcp_param_type
  uint32_t min;
  uint32_t max;
  uint32_t def[3];
  const char* unit;  ///< "" if none
  const char* help;
};
extern const ParamRow kParams[kParamCount];

/// A namespace's values. Single numbers may be read without a lock while a writer sets them.
class Params {
 public:
  /// All from the given defaults (nullptr: the table's own).
  void init(const Params* defaults);
  uint32_t get(Param p, uint32_t k = 0) const {
    return __atomic_load_n(&v_[static_cast<uint32_t>(p)][k], __ATOMIC_RELAXED);
  }
  void set(Param p, uint32_t k, uint32_t value) {
    __atomic_store_n(&v_[static_cast<uint32_t>(p)][k], value, __ATOMIC_RELAXED);
  }
  /// As atcp_core_param_get, _check, _set.
  uint32_t format(uint32_t i, char* buf, uint32_t size) const;
  static uint32_t format_default(uint32_t i, char* buf, uint32_t size);
  static atcp_err check(uint32_t i, const char* text);
  atcp_err apply(uint32_t i, const char* text);

 private:
  uint32_t v_[kParamCount][3];
};

int32_t param_find(const char* name);

}  // namespace atcp

#endif  // ATCP_TABLE_PARAMS_H
