// SPDX-License-Identifier: GPL-2.0
//
// The one table of counters, with Linux's names (nstat's Tcp* and TcpExt*) where Linux counts the
// same thing. To add one: a line in Counter, a row in kCounters (counters.cpp) in the same place.
#ifndef ATCP_TABLE_COUNTERS_H
#define ATCP_TABLE_COUNTERS_H

#include "base/types.h"

namespace atcp {

enum class Counter : uint16_t {
  ActiveOpens,
  PassiveOpens,
  AttemptFails,
  EstabResets,
  InSegs,
  OutSegs,
  RetransSegs,
  InErrs,
  OutRsts,
  InCsumErrors,
  SyncookiesSent,
  SyncookiesRecv,
  SyncookiesFailed,
  EmbryonicRsts,
  ListenOverflows,
  ListenDrops,
  TCPReqQFullDoCookies,
  TCPReqQFullDrop,
  TW,
  TWRecycled,
  TCPTimeWaitOverflow,
  PAWSActive,
  PAWSEstab,
  PAWSTimewait,
  DelayedACKs,
  DelayedACKLocked,
  DelayedACKLost,
  TCPHPHits,
  TCPPureAcks,
  TCPOFOQueue,
  TCPOFODrop,
  OfoPruned,
  TCPRcvCollapsed,
  TCPRcvQDrop,
  TCPZeroWindowDrop,
  BeyondWindow,
  TCPBacklogDrop,
  TCPDSACKOldSent,
  TCPDSACKOfoSent,
  TCPDSACKRecv,
  TCPSACKReneging,
  TCPRenoRecovery,
  TCPSackRecovery,
  TCPFastRetrans,
  TCPSlowStartRetrans,
  TCPLostRetransmit,
  TCPTimeouts,
  TCPSynRetrans,
  TCPRetransFail,
  TCPOrigDataSent,
  TCPWinProbe,
  TCPKeepAlive,
  TCPFromZeroWindowAdv,
  TCPToZeroWindowAdv,
  TCPChallengeACK,
  TCPSYNChallenge,
  TCPACKSkippedSynRecv,
  TCPACKSkippedPAWS,
  TCPACKSkippedSeq,
  TCPACKSkippedFinWait2,
  TCPACKSkippedTimeWait,
  TCPACKSkippedChallenge,
  TCPAbortOnData,
  TCPAbortOnClose,
  TCPAbortOnMemory,
  TCPAbortOnTimeout,
  TCPAbortOnLinger,
  EhashGrown,
  EhashShrunk,
  EhashNoMemory,
  IcmpErrors,
  OutOfWindowIcmps,
  TCPMigrateReqSuccess,
  TCPMigrateReqFailure,
  TCPDeferAcceptDrop,
  TCPFastOpenActive,
  TCPFastOpenActiveFail,
  TCPFastOpenPassive,
  TCPFastOpenPassiveFail,
  TCPFastOpenPassiveAltKey,
  TCPFastOpenListenOverflow,
  TCPFastOpenCookieReqd,
  TCPFastOpenBlackhole,
  TCPLossProbes,
  TCPLossProbeRecovery,
  TCPSpuriousRTOs,
  InCEPkts,
  TCPMTUPFail,
  TCPMTUPSuccess,
  TCPMemoryPressures,
  Count_,
};

inline constexpr uint32_t kCounterCount = static_cast<uint32_t>(Counter::Count_);

struct CounterRow {
  const char* name;
  const char* help;
};
extern const CounterRow kCounters[kCounterCount];

}  // namespace atcp

#endif  // ATCP_TABLE_COUNTERS_H
