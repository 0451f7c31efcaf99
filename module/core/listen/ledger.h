// SPDX-License-Identifier: GPL-2.0
//
// A listener's ledger: what became of every SYN and every third ACK, per reason. The counts are kept per CPU,
// so that answering a SYN writes no memory that another CPU writes.
//
//   Syns = SynAcks + SynDups + SYNs refused (all reasons)
//   Acks = Children + ACKs not honoured (all reasons)
//
// hold whenever no segment is just being processed.
#ifndef ATCP_LISTEN_LEDGER_H
#define ATCP_LISTEN_LEDGER_H

#include "base/types.h"

namespace atcp {

/// What is counted beside the reasons.
enum class LedgerItem : uint8_t {
  Syns,         ///< SYNs (without ACK and RST) for the listener or one of its requests
  SynAcks,      ///< of those: answered by a first SYN-ACK, cookies included
  SynDups,      ///< of those: repeated a request's SYN
  Cookies,      ///< SYN-ACKs that were SYN cookies
  Acks,         ///< segments (with ACK, without SYN and RST) that came to complete a handshake
  Children,     ///< of those: made a connection
  Accepted,     ///< connections handed to the program
  MigratedIn,   ///< requests and connections taken over from a closing listener of the group
  MigratedOut,  ///< requests and connections that another listener of the group took over
  Count_,
};

/// What a reason is about.
enum class Refused : uint8_t { Syn, Ack };

/// One line of the ledger's table of reasons.
struct LedgerReason {
  uint32_t reason;  ///< enum atcp_reason; NONE: any other
  Refused what;
};
inline constexpr uint32_t kLedgerReasons = 28;
extern const LedgerReason kLedgerReason[kLedgerReasons];

class Ledger {
 public:
  /// False: no memory. Context: process.
  bool init();
  /// Context: any.
  void fini();
  /// n may be negative: a segment that is looked up anew was not counted here. Context: any.
  void add(LedgerItem i, int64_t n = 1) const;
  /// A SYN or third ACK that was not honoured, and why.
  void refuse(Refused what, uint32_t reason) const;

  uint64_t get(LedgerItem i) const;
  /// By line of kLedgerReason.
  uint64_t refusals(uint32_t line) const;
  uint64_t refusals(Refused what, uint32_t reason) const;
  /// All reasons together.
  uint64_t refusals(Refused what) const;

 private:
  atcp_percpu* counts_ = nullptr;
};

}  // namespace atcp

#endif  // ATCP_LISTEN_LEDGER_H
