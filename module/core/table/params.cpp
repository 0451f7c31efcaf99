// SPDX-License-Identifier: GPL-2.0
//
// The rows of the table of parameters, and their values as text: parsing with range checks and
// formatting. What a parameter does is decided where it is read; who may set it, by the port.
#include "table/params.h"

#include <linux/atcp.h>
#include "base/atomic.h"
#include "cc/registry.h"

namespace atcp {
namespace {

constexpr uint32_t kMaxInt = 0x7fffffff;

// X(id, name, type, scope, min, max, def0, def1, def2, unit, help), in the order of enum Param.
// clang-format off
#define ATCP_PARAMS(X)                                                                             \
  X(Wire, "wire", WIRE, NETNS, 0, 1, 0, 0, 0, "",                                                         \
    "what segments travel as: tcp (IP protocol 6) or atcp (253)")                                  \
  X(PortRange, "port_range", PAIR, NETNS, 1, 65535, 61000, 65535, 0, "",                                  \
    "first and last local port that is chosen when the program names none")                        \
  X(SynRetries, "syn_retries", NUMBER, SOCKET, 1, 127, 6, 0, 0, "",                                        \
    "times a SYN is sent again before connect() gives up")                                         \
  X(SynLinearTimeouts, "syn_linear_timeouts", NUMBER, SOCKET, 0, 127, 4, 0, 0, "",                         \
    "SYN retransmissions before the timeout begins to double")                                     \
  X(SynackRetries, "synack_retries", NUMBER, SOCKET, 0, 255, 5, 0, 0, "",                                  \
    "times a SYN-ACK is sent again before the request is dropped")                                 \
  X(MaxSynBacklog, "max_syn_backlog", NUMBER, ADMIN, 1, kMaxInt, 1024, 0, 0, "",                          \
    "half-open requests per listener when SYN cookies are off")                                    \
  X(Syncookies, "syncookies", NUMBER, ADMIN, 0, 2, 1, 0, 0, "",                                           \
    "SYN cookies: 0 never, 1 when the request queue is full, 2 always")                            \
  X(AbortOnOverflow, "abort_on_overflow", NUMBER, SOCKET, 0, 1, 0, 0, 0, "",                               \
    "1: reset a connection that finds the accept queue full, instead of waiting")                  \
  X(FinTimeout, "fin_timeout", NUMBER, ADMIN, 1, 86400, 60, 0, 0, "s",                                    \
    "how long a closed socket waits in FIN_WAIT_2 for the peer's FIN")                             \
  X(OrphanRetries, "orphan_retries", NUMBER, ADMIN, 0, 255, 0, 0, 0, "",                                  \
    "retransmissions before a closed socket is given up; 0 means 8")                               \
  X(MaxOrphans, "max_orphans", NUMBER, NETNS, 0, kMaxInt, 16384, 0, 0, "",                                \
    "closed sockets that may still be sending; more are reset")                                    \
  X(MaxTwBuckets, "max_tw_buckets", NUMBER, NETNS, 0, kMaxInt, 65536, 0, 0, "",                           \
    "TIME_WAIT entries kept; beyond that a connection ends without one")                           \
  X(TimewaitLen, "timewait_len", NUMBER, SOCKET, 1, 600, 60, 0, 0, "s",                                    \
    "how long a TIME_WAIT entry lives")                                                            \
  X(TwReuse, "tw_reuse", NUMBER, NETNS, 0, 2, 2, 0, 0, "",                                                \
    "connect() may take over a TIME_WAIT entry: 0 no, 1 yes, 2 on loopback only")                  \
  X(Rfc1337, "rfc1337", NUMBER, NETNS, 0, 1, 0, 0, 0, "",                                                 \
    "1: a RST does not end a TIME_WAIT entry")                                                     \
  X(KeepaliveTime, "keepalive_time", NUMBER, SOCKET, 1, 32767, 7200, 0, 0, "s",                            \
    "idle time before the first keepalive probe")                                                  \
  X(KeepaliveIntvl, "keepalive_intvl", NUMBER, SOCKET, 1, 32767, 75, 0, 0, "s",                            \
    "time between keepalive probes")                                                               \
  X(KeepaliveProbes, "keepalive_probes", NUMBER, SOCKET, 1, 127, 9, 0, 0, "",                              \
    "unanswered keepalive probes that end a connection")                                           \
  X(Retries1, "retries1", NUMBER, SOCKET, 0, 255, 3, 0, 0, "",                                             \
    "retransmissions after which the route is looked up anew (R1 of RFC 9293 3.8.3)")              \
  X(Retries2, "retries2", NUMBER, SOCKET, 0, 255, 15, 0, 0, "",                                            \
    "retransmissions after which the connection is given up (R2 of RFC 9293 3.8.3)")               \
  X(RtoMinUs, "rto_min_us", NUMBER, SOCKET, 1000, 120000000, 200000, 0, 0, "us",                           \
    "shortest retransmission timeout")                                                             \
  X(RtoMaxMs, "rto_max_ms", NUMBER, SOCKET, 1000, 120000, 120000, 0, 0, "ms",                              \
    "longest retransmission timeout")                                                              \
  X(DelackMinUs, "delack_min_us", NUMBER, SOCKET, 1000, 500000, 40000, 0, 0, "us",                         \
    "shortest time that an ACK is delayed")                                                        \
  X(Sack, "sack", NUMBER, SOCKET, 0, 1, 1, 0, 0, "",                                                       \
    "1: offer and accept selective acknowledgements (RFC 2018)")                                   \
  X(Dsack, "dsack", NUMBER, SOCKET, 0, 1, 1, 0, 0, "",                                                     \
    "1: report duplicate segments in SACK options (RFC 2883)")                                     \
  X(Timestamps, "timestamps", NUMBER, SOCKET, 0, 2, 1, 0, 0, "",                                           \
    "timestamps (RFC 7323): 0 off, 1 with an offset per connection, 2 without")                    \
  X(WindowScaling, "window_scaling", NUMBER, SOCKET, 0, 1, 1, 0, 0, "",                                    \
    "1: offer and accept window scaling (RFC 7323)")                                               \
  X(CongestionControl, "congestion_control", CC, SOCKET, 0, 0, 0, 0, 0, "",                                \
    "congestion control of new sockets")                                                           \
  X(Rmem, "rmem", TRIPLE, NETNS, 1, kMaxInt, 4096, 131072, 6291456, "bytes",                              \
    "receive buffer: smallest, initial, largest that autotuning gives")                            \
  X(Wmem, "wmem", TRIPLE, NETNS, 1, kMaxInt, 4096, 16384, 4194304, "bytes",                               \
    "send buffer: smallest, initial, largest that autotuning gives")                               \
  X(ModerateRcvbuf, "moderate_rcvbuf", NUMBER, SOCKET, 0, 1, 1, 0, 0, "",                                  \
    "1: grow the receive buffer with what the program reads per round trip")                       \
  X(InitCwnd, "init_cwnd", NUMBER, ADMIN, 1, 1000, 10, 0, 0, "segments",                                  \
    "initial congestion window (RFC 6928)")                                                        \
  X(SlowStartAfterIdle, "slow_start_after_idle", NUMBER, ADMIN, 0, 1, 1, 0, 0, "",                        \
    "1: shrink the congestion window after idle time (RFC 2861)")                                  \
  X(Reordering, "reordering", NUMBER, ADMIN, 1, 300, 3, 0, 0, "segments",                                 \
    "duplicate ACKs that mean a loss, to begin with")                                              \
  X(EarlyRetrans, "early_retrans", NUMBER, SOCKET, 0, 4, 3, 0, 0, "",                                      \
    "3 or 4: probe the tail of a flight before the timeout (RFC 8985, TLP); less: do not")         \
  X(Frto, "frto", NUMBER, SOCKET, 0, 2, 2, 0, 0, "",                                                       \
    "not 0: look whether a timeout was needless (RFC 5682, F-RTO)")                                \
  X(ChallengeAckLimit, "challenge_ack_limit", NUMBER, NETNS, 0, kMaxInt, kMaxInt, 0, 0, "per second",     \
    "challenge ACKs sent (RFC 5961); the largest value means no limit")                            \
  X(InvalidRatelimitMs, "invalid_ratelimit", NUMBER, ADMIN, 0, 3600000, 500, 0, 0, "ms",                  \
    "least time between two ACKs that answer invalid segments of a connection")                    \
  X(MinSndMss, "min_snd_mss", NUMBER, ADMIN, 48, 65535, 48, 0, 0, "bytes",                                \
    "smallest MSS used for sending, whatever the peer says, IP and TCP options included")            \
  X(MigrateReq, "migrate_req", NUMBER, SOCKET, 0, 1, 1, 0, 0, "",                                           \
    "1: when a listener of a SO_REUSEPORT group closes, the others take over what it had not accepted")     \
  X(EhashMin, "ehash_min", NUMBER, NETNS, 0, 16777216, 0, 0, 0, "buckets",                                \
    "the table of connections does not shrink below this, once its entries made it that large; 0: its initial number")                  \
  X(EhashMax, "ehash_max", NUMBER, NETNS, 1, 16777216, 4194304, 0, 0, "buckets",                          \
    "the table of connections does not grow beyond this, unless ehash_min is larger") \
  X(PacingSsRatio, "pacing_ss_ratio", NUMBER, ADMIN, 0, 1000, 200, 0, 0, "%",                             \
    "pacing rate in slow start, of cwnd per round trip")                                           \
  X(PacingCaRatio, "pacing_ca_ratio", NUMBER, ADMIN, 0, 1000, 120, 0, 0, "%",                             \
    "pacing rate afterwards, of cwnd per round trip")                                              \
  X(Ecn, "ecn", NUMBER, SOCKET, 0, 2, 2, 0, 0, "",                                                         \
    "explicit congestion notification (RFC 3168): 0 no, 1 ask and agree, 2 agree when asked")      \
  X(EcnFallback, "ecn_fallback", NUMBER, SOCKET, 0, 1, 1, 0, 0, "",                                        \
    "1: a SYN that is sent again does not ask for ECN")                                            \
  X(Fastopen, "fastopen", NUMBER, NETNS, 0, 0x607, 1, 0, 0, "",                                           \
    "TCP Fast Open, sum of: 1 client, 2 server, 4 client without cookie, "                         \
    "512 server without cookie, 1024 every listener")                                              \
  X(FastopenBlackholeTimeout, "fastopen_blackhole_timeout", NUMBER, NETNS, 0, 86400, 0, 0, 0, "s",        \
    "pause of Fast Open after three timeouts in a row of a connection that used it; 0 none")        \
  X(Stdurg, "stdurg", NUMBER, SOCKET, 0, 1, 0, 0, 0, "",                                                   \
    "1: a received urgent pointer names the urgent byte itself, not the one after (RFC 6093)")      \
  X(MtuProbing, "mtu_probing", NUMBER, SOCKET, 0, 2, 0, 0, 0, "",                                          \
    "search for the path MTU by probes (RFC 4821): 0 never, 1 after a black hole, 2 always")       \
  X(BaseMss, "base_mss", NUMBER, SOCKET, 48, 65495, 1024, 0, 0, "B",                                       \
    "MSS that the search begins with")                                                             \
  X(MtuProbeFloor, "mtu_probe_floor", NUMBER, ADMIN, 28, 65495, 48, 0, 0, "B",                            \
    "least MSS that a black hole leads to")                                                        \
  X(ProbeInterval, "probe_interval", NUMBER, ADMIN, 1, 86400, 600, 0, 0, "s",                             \
    "after the end of a search, until the next one begins")                                        \
  X(ProbeThreshold, "probe_threshold", NUMBER, SOCKET, 1, 65535, 8, 0, 0, "B",                             \
    "a search ends when the range that is left is narrower")                                       \
  X(Mem, "mem", TRIPLE, NETNS, 0, kMaxInt, 0, 0, 0, "pages",                                              \
    "memory for packets of all sockets: pressure ends below, begins above, ceiling (0: the host's)") \
  X(ClosingRecords, "closing_records", NUMBER, NETNS, 0, 65536, 256, 0, 0, "",                     \
    "of so many connections that ended last it is kept what became of them")                       \
  X(Somaxconn, "somaxconn", NUMBER, ADMIN, 0, kMaxInt, kMaxInt, 0, 0, "",                         \
    "largest backlog of listen() and queue of Fast Open, beside net.core.somaxconn, which cuts too")  \
  X(NotsentLowat, "notsent_lowat", NUMBER, SOCKET, 1, 0xffffffff, 0xffffffff, 0, 0, "bytes",      \
    "a socket is writable only with less unsent data than this; the largest value means no limit")  \
  X(Recovery, "recovery", NUMBER, SOCKET, 0, 7, 1, 0, 0, "",                                      \
    "what is lost, sum of: 1 by time (RFC 8985, RACK), else by duplicates alone (RFC 6675); "      \
    "2 its reordering window does not grow; 4 it stays open at the threshold of duplicates")       \
  X(MaxReordering, "max_reordering", NUMBER, ADMIN, 1, 1000, 300, 0, 0, "segments",               \
    "what reordering that was seen may raise the threshold of duplicates to")
// clang-format on

#define ATCP_ROW(id, name, type, scope, min, max, d0, d1, d2, unit, help) \
  {name, ATCP_PARAM_TYPE_##type, ParamScope::scope, min, max, {d0, d1, d2}, unit, help},
#define ATCP_ID(id, ...) Param::id,

constexpr Param kOrder[] = {ATCP_PARAMS(ATCP_ID)};

constexpr bool in_order() {
  for (uint32_t i = 0; i < array_len(kOrder); i++)
    if (static_cast<uint32_t>(kOrder[i]) != i) return false;
  return true;
}
static_assert(array_len(kOrder) == kParamCount, "a parameter without a row");
static_assert(in_order(), "rows of kParams are not in the order of enum Param");

constexpr const char* kWireNames[] = {"tcp", "atcp"};

constexpr uint32_t values_of(uint32_t type) {
  return type == ATCP_PARAM_TYPE_TRIPLE ? 3 : (type == ATCP_PARAM_TYPE_PAIR ? 2 : 1);
}

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

const char* skip_blanks(const char* p) {
  while (is_blank(*p))
    p++;
  return p;
}

/// One decimal number; p moves behind it. RANGE: it does not fit 32 bits.
atcp_err parse_number(const char*& p, uint32_t* out) {
  if (*p < '0' || *p > '9') return ATCP_ERR_INVALID;
  uint64_t v = 0;
  bool too_large = false;
  for (; *p >= '0' && *p <= '9'; p++) {
    v = v * 10 + static_cast<uint32_t>(*p - '0');
    if (v > 0xffffffffu) {
      too_large = true;
      v = 0;
    }
  }
  if (*p != '\0' && !is_blank(*p)) return ATCP_ERR_INVALID;
  *out = static_cast<uint32_t>(v);
  return too_large ? ATCP_ERR_RANGE : ATCP_OK;
}

/// A single word without the blanks around it, cut to size; false: empty, several, or too long.
bool parse_word(const char* p, char* out, uint32_t size) {
  uint32_t n = 0;
  for (p = skip_blanks(p); *p != '\0' && !is_blank(*p); p++) {
    if (n + 1 >= size) return false;
    out[n++] = *p;
  }
  out[n] = '\0';
  return n != 0 && *skip_blanks(p) == '\0';
}

bool same_text(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) {
    a++;
    b++;
  }
  return *a == *b;
}

atcp_err parse_numbers(const ParamRow& row, const char* text, uint32_t (&out)[3]) {
  const uint32_t n = values_of(row.type);
  atcp_err range = ATCP_OK;  // told only if the form is right
  const char* p = skip_blanks(text);
  for (uint32_t k = 0; k < n; k++, p = skip_blanks(p)) {
    const atcp_err err = parse_number(p, &out[k]);
    if (err == ATCP_ERR_INVALID) return err;
    if (err == ATCP_ERR_RANGE || out[k] < row.min || out[k] > row.max) range = ATCP_ERR_RANGE;
  }
  if (*p != '\0') return ATCP_ERR_INVALID;
  if (range != ATCP_OK) return range;
  for (uint32_t k = 1; k < n; k++)
    if (out[k] < out[k - 1]) return ATCP_ERR_INVALID;
  return ATCP_OK;
}

atcp_err parse(uint32_t i, const char* text, uint32_t (&out)[3]) {
  if (i >= kParamCount) return ATCP_ERR_NOT_FOUND;
  const ParamRow& row = kParams[i];
  char word[32];
  switch (row.type) {
    case ATCP_PARAM_TYPE_CC: {
      if (!parse_word(text, word, sizeof word)) return ATCP_ERR_INVALID;
      const int32_t found = cc_find(word);
      if (found < 0) return ATCP_ERR_NOT_FOUND;
      out[0] = static_cast<uint32_t>(found);
      return ATCP_OK;
    }
    case ATCP_PARAM_TYPE_WIRE:
      if (parse_word(text, word, sizeof word)) {
        for (uint32_t w = 0; w < array_len(kWireNames); w++) {
          if (same_text(word, kWireNames[w])) {
            out[0] = w;
            return ATCP_OK;
          }
        }
      }
      return ATCP_ERR_INVALID;
    default:
      return parse_numbers(row, text, out);
  }
}

/// Text that is cut to a size, with its NUL.
class Text {
 public:
  Text(char* buf, uint32_t size) : buf_(buf), size_(size) {
    if (size_ != 0) buf_[0] = '\0';
  }
  void put(char c) {
    if (len_ + 1 >= size_) return;
    buf_[len_++] = c;
    buf_[len_] = '\0';
  }
  void put(const char* s) {
    while (*s != '\0')
      put(*s++);
  }
  void put(uint32_t v) {
    char digits[10];
    uint32_t n = 0;
    do {
      digits[n++] = static_cast<char>('0' + v % 10);
      v /= 10;
    } while (v != 0);
    while (n != 0)
      put(digits[--n]);
  }
  uint32_t len() const { return len_; }

 private:
  char* buf_;
  uint32_t size_;
  uint32_t len_ = 0;
};

uint32_t format_values(const ParamRow& row, const uint32_t* v, char* buf, uint32_t size) {
  Text out(buf, size);
  if (row.type == ATCP_PARAM_TYPE_CC) {
    out.put(cc_name(v[0]));
  } else if (row.type == ATCP_PARAM_TYPE_WIRE) {
    out.put(kWireNames[v[0]]);
  } else {
    for (uint32_t k = 0; k < values_of(row.type); k++) {
      if (k != 0) out.put(' ');
      out.put(v[k]);
    }
  }
  return out.len();
}

uint32_t default_of(uint32_t i, uint32_t k) {
  if (kParams[i].type == ATCP_PARAM_TYPE_CC && k == 0)
    return static_cast<uint32_t>(cc_find(cc_default().name));
  return kParams[i].def[k];
}

}  // namespace

constexpr ParamRow kParams[kParamCount] = {ATCP_PARAMS(ATCP_ROW)};

void Params::init(const Params* defaults) {
  turn_ = 0;
  for (uint32_t i = 0; i < kParamCount; i++) {
    source_[i] = ATCP_SOURCE_DEFAULT;
    ParamValues def = {{default_of(i, 0), default_of(i, 1), default_of(i, 2)}};
    if (defaults != nullptr) def = defaults->all(static_cast<Param>(i));
    set_all(static_cast<Param>(i), def.v);
  }
}

ParamValues Params::all(Param p) const {
  ParamValues out;
  uint32_t turn;
  do {
    turn = load_acquire(&turn_);
    const bool old = (turn & 1) != 0 && load_relaxed(&changing_) == static_cast<uint32_t>(p);
    const uint32_t* from = old ? was_ : v_[static_cast<uint32_t>(p)];
    for (uint32_t k = 0; k < 3; k++)
      out.v[k] = load_relaxed(&from[k]);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    // Only a writer who went on makes it another turn.
  } while (load_relaxed(&turn_) != turn);
  return out;
}

void Params::set_all(Param p, const uint32_t (&v)[3]) {
  uint32_t* to = v_[static_cast<uint32_t>(p)];
  // A reader of the last change who sees any of this sees the end of that change as well.
  __atomic_thread_fence(__ATOMIC_RELEASE);
  store_relaxed(&changing_, static_cast<uint32_t>(p));
  for (uint32_t k = 0; k < 3; k++)
    store_relaxed(&was_[k], to[k]);
  store_release(&turn_, turn_ + 1);
  __atomic_thread_fence(__ATOMIC_RELEASE);
  for (uint32_t k = 0; k < 3; k++)
    store_relaxed(&to[k], v[k]);
  store_release(&turn_, turn_ + 1);
}

uint32_t Params::format(uint32_t i, char* buf, uint32_t size) const {
  return format_values(kParams[i], all(static_cast<Param>(i)).v, buf, size);
}

uint32_t param_format(uint32_t i, const uint32_t (&v)[3], char* buf, uint32_t size) {
  return format_values(kParams[i], v, buf, size);
}

uint32_t Params::format_default(uint32_t i, char* buf, uint32_t size) {
  const uint32_t v[3] = {default_of(i, 0), default_of(i, 1), default_of(i, 2)};
  return format_values(kParams[i], v, buf, size);
}

atcp_err Params::check(uint32_t i, const char* text) {
  uint32_t v[3] = {};
  return parse(i, text, v);
}

atcp_err param_parse(uint32_t i, const char* text, uint32_t (&v)[3]) {
  return parse(i, text, v);
}

atcp_err Params::apply(uint32_t i, const char* text) {
  uint32_t v[3] = {};
  const atcp_err err = parse(i, text, v);
  if (err != ATCP_OK) return err;
  set_all(static_cast<Param>(i), v);
  store_relaxed(&source_[i], uint8_t{ATCP_SOURCE_NETNS});
  return ATCP_OK;
}

void Params::reset(uint32_t i) {
  set_all(static_cast<Param>(i), {default_of(i, 0), default_of(i, 1), default_of(i, 2)});
  store_relaxed(&source_[i], uint8_t{ATCP_SOURCE_DEFAULT});
}

int32_t param_find(const char* name) {
  for (uint32_t i = 0; i < kParamCount; i++)
    if (same_text(kParams[i].name, name)) return static_cast<int32_t>(i);
  return -1;
}

}  // namespace atcp
