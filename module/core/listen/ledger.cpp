// SPDX-License-Identifier: GPL-2.0
//
// The ledger's table of reasons, the way from a reason to its line, and the sums. To let a listener
// refuse for one more reason, add a line here; without one the refusal is counted as "any other".
#include "listen/ledger.h"

#include <linux/atcp.h>

namespace atcp {

constexpr LedgerReason kLedgerReason[kLedgerReasons] = {
    // The two that take what no other line is for; the lines' numbers are used below.
    {ATCP_REASON_NONE, Refused::Syn},
    {ATCP_REASON_NONE, Refused::Ack},

    {ATCP_REASON_ACCEPT_QUEUE_FULL_SYN, Refused::Syn},
    {ATCP_REASON_REQUEST_QUEUE_FULL, Refused::Syn},
    {ATCP_REASON_SYN_BACKLOG, Refused::Syn},
    {ATCP_REASON_SYN_FROM_SELF, Refused::Syn},
    {ATCP_REASON_NO_MEMORY, Refused::Syn},
    {ATCP_REASON_NO_ROUTE, Refused::Syn},
    {ATCP_REASON_OUTPUT_FILTERED, Refused::Syn},
    {ATCP_REASON_OUTPUT_DROPPED, Refused::Syn},
    {ATCP_REASON_REQUEST_SYN, Refused::Syn},
    {ATCP_REASON_SEQ_OLD, Refused::Syn},
    {ATCP_REASON_SEQ_BEYOND_WINDOW, Refused::Syn},
    {ATCP_REASON_PAWS, Refused::Syn},

    {ATCP_REASON_ACCEPT_QUEUE_FULL_ACK, Refused::Ack},
    {ATCP_REASON_ABORT_OVERFLOW, Refused::Ack},
    {ATCP_REASON_NO_MEMORY, Refused::Ack},
    {ATCP_REASON_NO_ROUTE, Refused::Ack},
    {ATCP_REASON_LISTEN_ACK, Refused::Ack},
    {ATCP_REASON_COOKIE_BAD, Refused::Ack},
    {ATCP_REASON_COOKIE_UNSOLICITED, Refused::Ack},
    {ATCP_REASON_LISTENER_CLOSED, Refused::Ack},
    {ATCP_REASON_REQUEST_ACK_BAD, Refused::Ack},
    {ATCP_REASON_SEQ_OLD, Refused::Ack},
    {ATCP_REASON_SEQ_BEYOND_WINDOW, Refused::Ack},
    {ATCP_REASON_PAWS, Refused::Ack},
    {ATCP_REASON_DEFER_ACCEPT, Refused::Ack},
    {ATCP_REASON_MIGRATE_FULL, Refused::Ack},
};

namespace {

constexpr uint32_t kItems = static_cast<uint32_t>(LedgerItem::Count_);

/// Lines by reason.
struct LineOf {
  uint8_t line[2][__ATCP_REASON_MAX];
};

constexpr LineOf make_line_of() {
  LineOf m = {};
  for (uint8_t& line : m.line[static_cast<uint32_t>(Refused::Ack)])
    line = 1;
  for (uint32_t i = 2; i < kLedgerReasons; i++)
    m.line[static_cast<uint32_t>(kLedgerReason[i].what)][kLedgerReason[i].reason] =
        static_cast<uint8_t>(i);
  return m;
}

constexpr LineOf kLineOf = make_line_of();

uint32_t line_of(Refused what, uint32_t reason) {
  return kLineOf.line[static_cast<uint32_t>(what)][reason < __ATCP_REASON_MAX ? reason : 0];
}

}  // namespace

bool Ledger::init() {
  counts_ = atcp_os_percpu_alloc(kItems + kLedgerReasons);
  return counts_ != nullptr;
}

void Ledger::fini() {
  if (counts_ != nullptr) atcp_os_percpu_free(counts_);
  counts_ = nullptr;
}

void Ledger::add(LedgerItem i, int64_t n) const {
  atcp_os_percpu_add(counts_, static_cast<uint32_t>(i), n);
}

void Ledger::refuse(Refused what, uint32_t reason) const {
  atcp_os_percpu_add(counts_, kItems + line_of(what, reason), 1);
}

uint64_t Ledger::get(LedgerItem i) const {
  return atcp_os_percpu_sum(counts_, static_cast<uint32_t>(i));
}

uint64_t Ledger::refusals(uint32_t line) const {
  return atcp_os_percpu_sum(counts_, kItems + line);
}

uint64_t Ledger::refusals(Refused what, uint32_t reason) const {
  return refusals(line_of(what, reason));
}

uint64_t Ledger::refusals(Refused what) const {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < kLedgerReasons; i++)
    if (kLedgerReason[i].what == what) sum += refusals(i);
  return sum;
}

}  // namespace atcp
