// SPDX-License-Identifier: GPL-2.0
//
// The core's half of a network namespace: its parameters, tables, wheel and secrets, and the
// shorthand for counting in it.
#ifndef ATCP_CONN_NS_H
#define ATCP_CONN_NS_H

#include "base/rotating_key.h"
#include "base/seq.h"
#include "base/siphash.h"
#include "conn/fastopen.h"
#include "table/counters.h"
#include "table/ehash.h"
#include "table/listen_table.h"
#include "table/params.h"
#include "table/port_table.h"
#include "table/reasons.h"
#include "table/wheel.h"

namespace atcp {

struct Ns {
  atcp_osns* os;
  Params params;
  Ehash ehash;
  ListenTable listeners;
  PortTable ports;
  Wheel wheel;
  SipKey isn_key;          ///< RFC 6528
  SipKey ts_key;           ///< offset of the timestamp clock per tuple
  RotatingKey cookie_key;  ///< SYN cookies
  Fastopen fastopen;
  uint32_t timewaits;  ///< entries, atomic
  uint32_t requests;   ///< entries, atomic
  uint32_t
      challenge_second;  ///< second in which challenge_sent counts (racy on purpose: a limit, not a count)
  uint32_t challenge_sent;

  /// False: no memory; call fini in any case.
  bool init(atcp_osns* port, uint32_t ehash_entries);
  void fini();

  void count(Counter c, uint32_t n = 1) { atcp_os_count(os, static_cast<uint32_t>(c), n); }
  void reason(uint32_t r) { atcp_os_reason(os, r); }
  /// Count the reason, tell of it and free the packet. c: whose packet it is, or the listener's, or nullptr.
  void drop(atcp_pkt* pkt, uint32_t r, atcp_conn* c = nullptr) { atcp_os_drop(os, c, pkt, r); }
  uint32_t param(Param p, uint32_t k = 0) const { return params.get(p, k); }
  /// Where so many pages lead to, from the level before: pressure begins above the second number of parameter mem and ends
  /// below the first, as in Linux.
  atcp_mem_level mem_level(uint64_t pages, atcp_mem_level was);
  /// One more challenge ACK this second (RFC 5961 7)?
  bool challenge_allowed(uint64_t now_us);
};

/// Initial sequence number by RFC 6528: SipHash of the tuple plus a clock of 64 ns.
Seq initial_sequence(const Ns& ns, const atcp_tuple& t, uint64_t now_ns);
/// Offset of the millisecond timestamp clock for a tuple (RFC 7323 5.4): 0 if parameter timestamps, of the
/// socket concerned, is not 1.
uint32_t timestamp_offset(const Ns& ns, uint32_t timestamps, const atcp_tuple& t);

/// Defaults of namespaces made from now on (module parameters).
Params& default_params();

}  // namespace atcp

#endif  // ATCP_CONN_NS_H
