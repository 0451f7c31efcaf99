// SPDX-License-Identifier: GPL-2.0
//
// SOL_TCP options whose value is a number, by the table of those that exist. One that is not here gives
// "no such option", never a silent success.
#include "abi/atcp_core.h"
#include "base/atomic.h"
#include "conn/tcb.h"

namespace atcp {

namespace {

/// Numbers of SOL_TCP, as every program has compiled them in, and our own.
enum SolTcp : uint32_t {
  kNodelay = 1,
  kMaxseg = 2,
  kCork = 3,
  kKeepidle = 4,
  kKeepintvl = 5,
  kKeepcnt = 6,
  kSyncnt = 7,
  kLinger2 = 8,
  kDeferAccept = 9,
  kWindowClamp = 10,
  kQuickack = 12,
  kThinDupack = 17,
  kUserTimeout = 18,
  kFastopen = 23,
  kNotsentLowat = 25,
  kFastopenConnect = 30,
  kFastopenNoCookie = 34,
  kTimewaitS = ATCP_OWN_OPT + ATCP_SO_TIMEWAIT_S,
};

constexpr int32_t kMinUserMss = 88;
constexpr int32_t kMaxUserMss = 32767;
constexpr int32_t kMaxKeepSeconds = 32767;
constexpr int32_t kMaxKeepCount = 127;
constexpr int32_t kMaxSynRetries = 127;
constexpr int32_t kMaxLinger2S = 120;
constexpr int32_t kMaxTimewaitS = 600;
constexpr uint32_t kFirstTimeoutS = 1;   ///< of a SYN-ACK; each of the next is twice as long,
constexpr uint32_t kLastTimeoutS = 120;  ///< up to this
constexpr uint32_t kMaxTimeouts = 255;
constexpr int32_t kMinClamp = 1152;  ///< half of Linux's smallest receive buffer

/// Seconds after which n SYN-ACK timeouts have passed; stops adding once `enough` is reached.
uint32_t seconds_of_timeouts(uint32_t n, uint32_t enough, uint32_t* passed) {
  uint32_t total = 0;
  uint32_t timeout = kFirstTimeoutS;
  for (*passed = 0; *passed < n && total < enough; ++*passed) {
    total += timeout;
    timeout = min(timeout * 2, kLastTimeoutS);
  }
  return total;
}

/// Linux's rounding of TCP_DEFER_ACCEPT: as many timeouts as it takes to cover the seconds.
uint8_t timeouts_for(int32_t seconds) {
  uint32_t n = 0;
  if (seconds > 0) seconds_of_timeouts(kMaxTimeouts, static_cast<uint32_t>(seconds), &n);
  return static_cast<uint8_t>(n);
}

int32_t seconds_for(uint8_t timeouts) {
  uint32_t n = 0;
  return static_cast<int32_t>(seconds_of_timeouts(timeouts, ~0u, &n));
}

/// The program gives a parameter a value of its own for this socket; 0: the namespace's again.
atcp_err own_param(Tcb& t, Param p, int32_t v, Now now) {
  const auto value = static_cast<uint32_t>(v);
  const uint8_t source = v != 0 ? uint8_t{ATCP_SOURCE_SETSOCKOPT} : uint8_t{0};
  if (!t.overrides.change(&p, &value, 1, source)) return ATCP_ERR_NO_MEMORY;
  param_changed(t, p, now);
  return ATCP_OK;
}

}  // namespace

atcp_err set_option(Tcb& t, uint32_t opt, int32_t v, Now now) {
  switch (opt) {
    case kNodelay:
      t.nodelay = v != 0;
      // What Nagle held goes now, and what TCP_CORK held too, as on Linux: for this once.
      if (t.nodelay) {
        const bool cork = t.cork;
        t.cork = false;
        push(t, false, now);
        t.cork = cork;
      }
      return ATCP_OK;
    case kMaxseg:
      if (v != 0 && (v < kMinUserMss || v > kMaxUserMss)) return ATCP_ERR_INVALID;
      t.user_mss = static_cast<uint16_t>(v);
      return ATCP_OK;
    case kCork:
      t.cork = v != 0;
      if (!t.cork) push(t, false, now);
      return ATCP_OK;
    case kKeepidle:
      if (v < 1 || v > kMaxKeepSeconds) return ATCP_ERR_INVALID;
      return own_param(t, Param::KeepaliveTime, v, now);
    case kKeepintvl:
      if (v < 1 || v > kMaxKeepSeconds) return ATCP_ERR_INVALID;
      return own_param(t, Param::KeepaliveIntvl, v, now);
    case kKeepcnt:
      if (v < 1 || v > kMaxKeepCount) return ATCP_ERR_INVALID;
      return own_param(t, Param::KeepaliveProbes, v, now);
    case kSyncnt:
      if (v < 1 || v > kMaxSynRetries) return ATCP_ERR_INVALID;
      return own_param(t, Param::SynRetries, v, now);
    case kLinger2:
      t.no_fin_wait2 = v < 0;
      return v < 0 ? ATCP_OK : own_param(t, Param::FinTimeout, min(v, kMaxLinger2S), now);
    case kDeferAccept:
      store_relaxed(&t.defer_accept, timeouts_for(v));
      return ATCP_OK;
    case kWindowClamp:
      if (v == 0) {
        if (t.state != State::Closed) return ATCP_ERR_INVALID;
        t.user_clamp = 0;
        return ATCP_OK;
      }
      t.user_clamp = static_cast<uint32_t>(max(v, kMinClamp));
      t.window_clamp = t.user_clamp;
      t.rcv_ssthresh = min(t.rcv_ssthresh, t.window_clamp);
      return ATCP_OK;
    case kQuickack:
      if (v == 0) {
        t.quick_acks = 0;
        t.interactive = true;
        return ATCP_OK;
      }
      t.interactive = false;
      if ((v & 1) != 0) enter_quick_ack(t, 16);
      if (t.rcv_nxt != t.last_ack_sent && in(t.state, kSynchronized)) {
        send_ack(t, now);
        t.interactive = (v & 1) == 0;  // an even number asks for this one only
        t.timers.sync(t.conn());
      }
      return ATCP_OK;
    case kThinDupack:  // without a meaning since Linux 4.16, and still asked for
      return v < 0 || v > 1 ? ATCP_ERR_INVALID : ATCP_OK;
    case kUserTimeout:
      if (v < 0) return ATCP_ERR_INVALID;
      t.user_timeout_ms = static_cast<uint32_t>(v);
      return ATCP_OK;
    case kFastopen:
      if (v < 0 || !in(t.state, bit(State::Closed) | bit(State::Listen))) return ATCP_ERR_INVALID;
      return fastopen_set_queue(t, min(static_cast<uint32_t>(v), t.param(Param::Somaxconn)))
                 ? ATCP_OK
                 : ATCP_ERR_NO_MEMORY;
    case kNotsentLowat:
      return own_param(t, Param::NotsentLowat, v, now);
    case kFastopenConnect:
      if (v < 0 || v > 1) return ATCP_ERR_INVALID;
      if ((t.param(Param::Fastopen) & kFastopenClient) == 0) return ATCP_ERR_NOT_SUPPORTED;
      if (t.state != State::Closed) return ATCP_ERR_INVALID;
      t.fastopen_connect = v != 0;
      return ATCP_OK;
    case kFastopenNoCookie:
      if (v < 0 || v > 1 || !in(t.state, bit(State::Closed) | bit(State::Listen)))
        return ATCP_ERR_INVALID;
      t.fastopen_no_cookie = v != 0;
      return ATCP_OK;
    case kTimewaitS:
      if (v < 0 || v > kMaxTimewaitS) return ATCP_ERR_INVALID;
      return own_param(t, Param::TimewaitLen, v, now);
    default:
      return ATCP_ERR_NO_OPTION;
  }
}

atcp_err get_option(const Tcb& t, uint32_t opt, int32_t* v, Now) {
  const auto param = [&t](Param p) { return static_cast<int32_t>(t.param(p)); };
  switch (opt) {
    case kNodelay:
      *v = t.nodelay;
      return ATCP_OK;
    case kMaxseg:
      *v = in(t.state, bit(State::Closed) | bit(State::Listen)) && t.user_mss != 0
               ? t.user_mss
               : static_cast<int32_t>(t.mss);
      return ATCP_OK;
    case kCork:
      *v = t.cork;
      return ATCP_OK;
    case kKeepidle:
      *v = param(Param::KeepaliveTime);
      return ATCP_OK;
    case kKeepintvl:
      *v = param(Param::KeepaliveIntvl);
      return ATCP_OK;
    case kKeepcnt:
      *v = param(Param::KeepaliveProbes);
      return ATCP_OK;
    case kSyncnt:
      *v = param(Param::SynRetries);
      return ATCP_OK;
    case kLinger2:
      *v = t.no_fin_wait2 ? -1 : param(Param::FinTimeout);
      return ATCP_OK;
    case kDeferAccept:
      *v = seconds_for(t.defer_accept);
      return ATCP_OK;
    case kWindowClamp:
      *v = static_cast<int32_t>(t.user_clamp);
      return ATCP_OK;
    case kQuickack:
      *v = !t.interactive;
      return ATCP_OK;
    case kThinDupack:
      *v = 0;
      return ATCP_OK;
    case kUserTimeout:
      *v = static_cast<int32_t>(t.user_timeout_ms);
      return ATCP_OK;
    case kFastopen:
      *v = t.fastopen_queue != nullptr ? static_cast<int32_t>(t.fastopen_queue->most) : 0;
      return ATCP_OK;
    case kNotsentLowat:
      // As Linux: 0, unless it is the socket's own.
      *v = t.overrides.has(Param::NotsentLowat) ? param(Param::NotsentLowat) : 0;
      return ATCP_OK;
    case kFastopenConnect:
      *v = t.fastopen_connect;
      return ATCP_OK;
    case kFastopenNoCookie:
      *v = t.fastopen_no_cookie;
      return ATCP_OK;
    case kTimewaitS:
      *v = param(Param::TimewaitLen);
      return ATCP_OK;
    default:
      return ATCP_ERR_NO_OPTION;
  }
}

}  // namespace atcp
