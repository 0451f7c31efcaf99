// SPDX-License-Identifier: GPL-2.0
//
// atcp explain: what is wrong here, in words. A table of rules, each a function of two samples some
// seconds apart; a rule that finds something says it in a sentence, with the numbers behind it and
// with what can be done.
#ifndef ATCP_TOOL_EXPLAIN_H
#define ATCP_TOOL_EXPLAIN_H

#include <string>
#include <utility>
#include <vector>

#include "json_type.h"
#include "sample.h"

namespace atcp::tool {

enum class Severity {
  kNote,     ///< worth knowing
  kWarning,  ///< will become trouble, or costs speed
  kTrouble,  ///< connections are being refused, dropped or held up now
};

struct Finding {
  Severity severity = Severity::kNote;
  std::string rule;  ///< which rule found it; names never change
  std::string text;  ///< one or two sentences
  std::string todo;  ///< what can be done; may be empty
  std::vector<std::pair<std::string, uint64_t>> numbers;
};

using Findings = std::vector<Finding>;

/// All that the rules find, worst first.
Findings explain(const Change& change);

// The rules. In explain_listen.cpp: what listeners suffer.
void find_accept_queue_full(const Change& c, Findings& found);
void find_backlog_at_somaxconn(const Change& c, Findings& found);
void find_cookies(const Change& c, Findings& found);
void find_request_queue_full(const Change& c, Findings& found);
void find_unanswered_synacks(const Change& c, Findings& found);

// In explain_conn.cpp: what connections suffer.
void find_close_wait(const Change& c, Findings& found);
void find_unread(const Change& c, Findings& found);
void find_peer_window(const Change& c, Findings& found);
void find_limits(const Change& c, Findings& found);
void find_unanswered(const Change& c, Findings& found);
void find_retransmissions(const Change& c, Findings& found);

// In explain_host.cpp: what the namespace as a whole suffers.
void find_time_wait(const Change& c, Findings& found);
void find_memory(const Change& c, Findings& found);
void find_checksums(const Change& c, Findings& found);
void find_resets(const Change& c, Findings& found);
void find_timeouts(const Change& c, Findings& found);
void find_ports(const Change& c, Findings& found);
void find_orphans(const Change& c, Findings& found);
void find_other_drops(const Change& c, Findings& found);

/// "in the last 2.0 s".
std::string lately(const Change& c);
/// "12.5/s"
std::string rate(uint64_t n, const Change& c);

std::string explain_text(const Findings& findings, const Change& change);
Json to_json(const Finding& f);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_EXPLAIN_H
