// SPDX-License-Identifier: GPL-2.0
//
// The rows of the table of counters. The numbers themselves are kept per CPU by the port.
#include "table/counters.h"

namespace atcp {
namespace {

// X(id, help), in the order of enum Counter; the name is the id's.
// clang-format off
#define ATCP_COUNTERS(X) \
  X(ActiveOpens, "connections opened by connect()") \
  X(PassiveOpens, "connections opened by a listener") \
  X(AttemptFails, "connections that ended before they were established") \
  X(EstabResets, "established connections that were reset") \
  X(InSegs, "segments received") \
  X(OutSegs, "segments sent, without retransmissions") \
  X(RetransSegs, "segments sent again") \
  X(InErrs, "segments received with errors") \
  X(OutRsts, "segments sent with RST") \
  X(InCsumErrors, "segments with a wrong checksum") \
  X(SyncookiesSent, "SYN cookies sent") \
  X(SyncookiesRecv, "ACKs with a valid SYN cookie") \
  X(SyncookiesFailed, "ACKs with a wrong SYN cookie") \
  X(EmbryonicRsts, "resets received by half-open requests") \
  X(ListenOverflows, "times an accept queue was full") \
  X(ListenDrops, "SYNs and ACKs that a listener dropped") \
  X(TCPReqQFullDoCookies, "request queue full, answered with a cookie") \
  X(TCPReqQFullDrop, "request queue full, SYN dropped") \
  X(TW, "TIME_WAIT entries that ended by time") \
  X(TWRecycled, "TIME_WAIT entries taken over by a new connection") \
  X(TCPTimeWaitOverflow, "connections that got no TIME_WAIT entry: too many") \
  X(PAWSActive, "SYN-ACKs refused for an old timestamp") \
  X(PAWSEstab, "segments refused for an old timestamp") \
  X(PAWSTimewait, "segments to TIME_WAIT refused for an old timestamp") \
  X(DelayedACKs, "ACKs sent by the delay timer") \
  X(DelayedACKLocked, "delayed ACKs put off: the program held the socket") \
  X(DelayedACKLost, "segments that the peer sent again though acknowledged") \
  X(TCPHPHits, "segments that took the short path") \
  X(TCPPureAcks, "ACKs without data") \
  X(TCPOFOQueue, "segments kept out of order") \
  X(TCPOFODrop, "out-of-order segments dropped for memory") \
  X(OfoPruned, "times out-of-order data was given up for memory") \
  X(TCPRcvCollapsed, "packets whose payload was copied together for memory") \
  X(TCPRcvQDrop, "segments in order dropped: receive buffer full, or no memory") \
  X(TCPZeroWindowDrop, "data dropped: window closed") \
  X(BeyondWindow, "segments beyond the window") \
  X(TCPBacklogDrop, "segments dropped: backlog of a busy socket full") \
  X(TCPDSACKOldSent, "DSACKs sent for old segments") \
  X(TCPDSACKOfoSent, "DSACKs sent for out-of-order duplicates") \
  X(TCPDSACKRecv, "DSACKs received") \
  X(TCPSACKReneging, "times a peer took back what it had SACKed") \
  X(TCPRenoRecovery, "recoveries by duplicate ACKs") \
  X(TCPSackRecovery, "recoveries by SACK") \
  X(TCPFastRetrans, "fast retransmissions") \
  X(TCPSlowStartRetrans, "retransmissions after a timeout, in slow start") \
  X(TCPLostRetransmit, "retransmissions that were lost again") \
  X(TCPTimeouts, "retransmission timeouts") \
  X(TCPSynRetrans, "SYNs and SYN-ACKs sent again") \
  X(TCPRetransFail, "retransmissions that IP did not take") \
  X(TCPOrigDataSent, "data segments sent for the first time") \
  X(TCPWinProbe, "zero-window probes sent") \
  X(TCPKeepAlive, "keepalive probes sent") \
  X(TCPFromZeroWindowAdv, "times our window opened again") \
  X(TCPToZeroWindowAdv, "times our window closed") \
  X(TCPChallengeACK, "challenge ACKs sent") \
  X(TCPSYNChallenge, "challenge ACKs sent for a SYN") \
  X(TCPACKSkippedSynRecv, "ACKs not sent by rate limit: half-open request") \
  X(TCPACKSkippedPAWS, "ACKs not sent by rate limit: old timestamp") \
  X(TCPACKSkippedSeq, "ACKs not sent by rate limit: sequence number") \
  X(TCPACKSkippedFinWait2, "ACKs not sent by rate limit: FIN_WAIT_2") \
  X(TCPACKSkippedTimeWait, "ACKs not sent by rate limit: TIME_WAIT") \
  X(TCPACKSkippedChallenge, "ACKs not sent by rate limit: challenge ACK") \
  X(TCPAbortOnData, "resets for data after close()") \
  X(TCPAbortOnClose, "resets for close() with unread data") \
  X(TCPAbortOnMemory, "resets for too many orphans or no memory") \
  X(TCPAbortOnTimeout, "connections ended by a timeout") \
  X(TCPAbortOnLinger, "resets for close() with SO_LINGER of 0") \
  X(EhashGrown, "times the established table got more buckets") \
  X(EhashShrunk, "times the established table got fewer buckets") \
  X(EhashNoMemory, "times the established table kept its size for want of memory") \
  X(IcmpErrors, "ICMP errors for our connections") \
  X(OutOfWindowIcmps, "ICMP errors that quote a segment outside the window") \
  X(TCPMigrateReqSuccess, "requests and connections moved from a closing listener to another") \
  X(TCPMigrateReqFailure, "requests and connections that no other listener could take") \
  X(TCPDeferAcceptDrop, "third ACKs without data ignored: TCP_DEFER_ACCEPT") \
  X(TCPFastOpenActive, "SYNs sent with data") \
  X(TCPFastOpenActiveFail, "of those: data not taken, or no answer") \
  X(TCPFastOpenPassive, "connections made from a SYN with a Fast Open cookie") \
  X(TCPFastOpenPassiveFail, "Fast Open SYNs with a wrong cookie, or for want of memory no connection") \
  X(TCPFastOpenPassiveAltKey, "of TCPFastOpenPassive: with a cookie of the backup key") \
  X(TCPFastOpenListenOverflow, "Fast Open SYNs beyond the listener's TCP_FASTOPEN") \
  X(TCPFastOpenCookieReqd, "SYNs that asked for a Fast Open cookie") \
  X(TCPFastOpenBlackhole, "times Fast Open was paused, for it may be swallowed") \
  X(TCPLossProbes, "probes of the tail sent (TLP)") \
  X(TCPLossProbeRecovery, "losses that a probe of the tail repaired") \
  X(TCPSpuriousRTOs, "timeouts that F-RTO showed to be needless") \
  X(InCEPkts, "data segments that a router on the way had marked (CE, RFC 3168)") \
  X(TCPMTUPFail, "probes of a larger MTU that were lost") \
  X(TCPMTUPSuccess, "probes of a larger MTU that arrived") \
  X(TCPMemoryPressures, "times the memory for packets became scarce")
// clang-format on

#define ATCP_ROW(id, help) {#id, help},
#define ATCP_ID(id, help) Counter::id,

constexpr Counter kOrder[] = {ATCP_COUNTERS(ATCP_ID)};

constexpr bool in_order() {
  for (uint32_t i = 0; i < array_len(kOrder); i++)
    if (static_cast<uint32_t>(kOrder[i]) != i) return false;
  return true;
}
static_assert(array_len(kOrder) == kCounterCount, "a counter without a row");
static_assert(in_order(), "rows of kCounters are not in the order of their enum");

}  // namespace

constexpr CounterRow kCounters[kCounterCount] = {ATCP_COUNTERS(ATCP_ROW)};

}  // namespace atcp
