// SPDX-License-Identifier: GPL-2.0
//
// Making and ending a namespace's tables, and the three keyed values that come straight from its
// secrets: initial sequence numbers, timestamp offsets, the budget of challenge ACKs.
#include "conn/ns.h"

#include "base/atomic.h"

namespace atcp {

namespace {
constinit Params g_defaults{};
constinit bool g_defaults_ready = false;
constexpr uint32_t kDefaultEhashEntries = 4096;
constexpr uint32_t kIsnTickShift = 6;  // 64 ns
}  // namespace

Params& default_params() {
  if (!g_defaults_ready) {
    g_defaults.init(nullptr);
    g_defaults_ready = true;
  }
  return g_defaults;
}

bool Ns::init(atcp_osns* port, uint32_t ehash_entries) {
  os = port;
  params.init(&default_params());
  SipKey keys[3] = {};
  atcp_os_random(keys, sizeof(keys));
  atcp_os_random(&isn_key, sizeof(isn_key));
  atcp_os_random(&ts_key, sizeof(ts_key));
  cookie_key.init();
  fastopen.init();
  return ehash.init(port, ehash_entries == 0 ? kDefaultEhashEntries : ehash_entries,
                    param(Param::EhashMin), param(Param::EhashMax), keys[0]) &&
         listeners.init(keys[1]) && ports.init(keys[2]) && wheel.init(port);
}

void Ns::fini() {
  wheel.fini();
  ports.fini();
  listeners.fini();
  ehash.fini();
}

atcp_mem_level Ns::mem_level(uint64_t pages, atcp_mem_level was) {
  const ParamValues mem = params.all(Param::Mem);
  const uint32_t full = mem.v[2];
  if (full == 0 || pages <= mem.v[0]) return ATCP_MEM_LEVEL_OK;
  const bool begins = pages > mem.v[1];
  if (was == ATCP_MEM_LEVEL_OK && begins) count(Counter::TCPMemoryPressures);
  if (pages > full) return ATCP_MEM_LEVEL_FULL;
  return was == ATCP_MEM_LEVEL_OK && !begins ? ATCP_MEM_LEVEL_OK : ATCP_MEM_LEVEL_PRESSURE;
}

bool Ns::challenge_allowed(uint64_t now_us) {
  // RFC 5961 7.
  const uint32_t limit = param(Param::ChallengeAckLimit);
  if (limit == 0x7fffffff) return true;
  const uint32_t second = static_cast<uint32_t>(now_us / 1000000);
  if (load_relaxed(&challenge_second) != second) {
    store_relaxed(&challenge_second, second);
    store_relaxed(&challenge_sent, 0u);
  }
  return add_fetch(&challenge_sent, 1u) <= limit;
}

Seq initial_sequence(const Ns& ns, const atcp_tuple& t, uint64_t now_ns) {
  // RFC 9293 3.4.1, RFC 6528 3: a clock and a keyed hash. Deviation: it ticks every 64 ns, not 4 us.
  const uint64_t f = siphash_tuple(ns.isn_key, t);
  return Seq(static_cast<uint32_t>(f) + static_cast<uint32_t>(now_ns >> kIsnTickShift));
}

uint32_t timestamp_offset(const Ns& ns, uint32_t timestamps, const atcp_tuple& t) {
  if (timestamps != 1) return 0;
  // Only the addresses, so that successive connections of a host pair see one rising clock:
  // that is what lets a peer's TIME_WAIT entry be reopened (RFC 6191).
  atcp_tuple hosts = t;
  hosts.lport = 0;
  hosts.rport = 0;
  return static_cast<uint32_t>(siphash13_tuple(ns.ts_key, hosts));
}

}  // namespace atcp
