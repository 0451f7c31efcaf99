// SPDX-License-Identifier: GPL-2.0
//
// The closing record: what became of a connection, and who ended it.
#include "conn/tcb.h"

namespace atcp {

namespace {

/// How a reason ends a connection.
enum class End : uint8_t {
  Quiet,    ///< without a word of ours
  Fins,     ///< both FINs are acknowledged: whose came first?
  Reset,    ///< by ours, in states that have one
  PeerRst,  ///< by the peer's
  Timeout,
  Network,
};

struct EndRow {
  uint32_t reason;
  End end;
};

/// Reasons that done() is called with.
constexpr EndRow kEnds[] = {
    {ATCP_REASON_NORMAL_CLOSE, End::Fins},          {ATCP_REASON_RESET_BY_PEER, End::PeerRst},
    {ATCP_REASON_REFUSED_BY_PEER, End::PeerRst},    {ATCP_REASON_ABORT_ON_DATA, End::Reset},
    {ATCP_REASON_ABORT_ON_CLOSE, End::Reset},       {ATCP_REASON_ABORT_ON_LINGER, End::Reset},
    {ATCP_REASON_ABORT_BY_USER, End::Reset},        {ATCP_REASON_ABORT_LISTENER, End::Reset},
    {ATCP_REASON_ABORT_OVERFLOW, End::Reset},       {ATCP_REASON_ABORT_ORPHANS, End::Reset},
    {ATCP_REASON_ABORT_MEMORY, End::Reset},         {ATCP_REASON_TIMEOUT_SYN, End::Timeout},
    {ATCP_REASON_TIMEOUT_RETRANSMIT, End::Timeout}, {ATCP_REASON_TIMEOUT_PROBE, End::Timeout},
    {ATCP_REASON_TIMEOUT_KEEPALIVE, End::Timeout},  {ATCP_REASON_TIMEOUT_USER, End::Timeout},
    {ATCP_REASON_TIMEOUT_FIN_WAIT2, End::Quiet},    {ATCP_REASON_TIMEWAIT_OVERFLOW, End::Quiet},
    {ATCP_REASON_ICMP_HARD, End::Network},
};

struct Ends {
  End of[__ATCP_REASON_MAX];
};

/// The same by reason, to be looked up at once; of others: Quiet.
constexpr Ends kByReason = [] {
  Ends ends = {};
  for (const EndRow& r : kEnds)
    ends.of[r.reason] = r.end;
  return ends;
}();

End end_of(uint32_t reason) {
  return reason < __ATCP_REASON_MAX ? kByReason.of[reason] : End::Quiet;
}

}  // namespace

uint32_t ended_by(uint32_t reason, State s) {
  switch (end_of(reason)) {
    case End::Fins:
      // LAST_ACK is what follows the peer's FIN if ours was not sent yet.
      return s == State::LastAck ? ATCP_ENDED_BY_PEER_FIN : ATCP_ENDED_BY_LOCAL_FIN;
    case End::Reset:
      return in(s, kSynchronized) ? ATCP_ENDED_BY_LOCAL_RST : ATCP_ENDED_BY_LOCAL_QUIET;
    case End::PeerRst:
      return ATCP_ENDED_BY_PEER_RST;
    case End::Timeout:
      return ATCP_ENDED_BY_TIMEOUT;
    case End::Network:
      return ATCP_ENDED_BY_NETWORK;
    case End::Quiet:
      break;
  }
  return ATCP_ENDED_BY_LOCAL_QUIET;
}

void write_record(Tcb& t, uint32_t reason, Now now) {
  // A listener, or a socket that was never used, has no reason to end.
  if (!t.life.opened() || reason == ATCP_REASON_NONE) return;
  atcp_record* r = atcp_os_record_begin(t.conn(), reason);
  if (r == nullptr) return;
  // Nobody cleared it: each field is written.
  r->tuple = tuple_of(t);
  conn_info_locked(t, &r->info, now);
  const char* cc = t.cc_ops->name;
  uint32_t n = 0;
  for (; n + 1 < sizeof(r->cc) && cc[n] != 0; n++)
    r->cc[n] = cc[n];
  r->cc[n] = 0;
  r->opened_ns = t.life.opened_us() * 1000;
  r->closed_ns = now.ns;
  r->reason = reason;
  r->ended_by = static_cast<uint8_t>(ended_by(reason, t.state));
  r->passive = t.passive;
  r->orphaned = atcp_os_conn_orphaned(t.conn());
  atcp_os_record(t.conn(), r);
}

}  // namespace atcp
