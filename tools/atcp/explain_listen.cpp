// SPDX-License-Identifier: GPL-2.0
//
// Rules about listeners: queues that are full, backlogs that are too small, cookies, and handshakes
// that nobody ends.
#include <fmt/format.h>
#include <linux/atcp.h>

#include <algorithm>

#include "explain.h"
#include "format.h"
#include "words.h"

namespace atcp::tool {
namespace {

constexpr uint64_t kManyRequests = 16;  ///< half-open, before it is worth a word

/// "0.0.0.0:8080 (nginx[812])".
std::string who(const Change& c, const Listener& l) {
  std::string programs = processes_text(c.now.programs.of(l.inode));
  return endpoint_text(l.local) + (programs.empty() ? "" : " (" + programs + ")");
}

uint64_t since(uint64_t now, uint64_t before) {
  return now > before ? now - before : 0;
}

uint64_t lately_refused(const Listener& l, const Listener& old, uint32_t segment,
                        std::initializer_list<std::string_view> reasons) {
  uint64_t sum = 0;
  auto add = [&](const Listener& from, int sign) {
    for (const Refusal& r : from.refusals)
      if (r.segment == segment && std::ranges::find(reasons, r.reason) != reasons.end())
        sum += sign > 0 ? r.count : -r.count;
  };
  add(l, 1);
  add(old, -1);
  return sum;
}

}  // namespace

void find_accept_queue_full(const Change& c, Findings& found) {
  for (const Listener& l : c.now.listeners) {
    const Listener* old = c.earlier(l);
    if (!old) continue;
    uint64_t syns = since(l.overflow_syn, old->overflow_syn);
    uint64_t acks = since(l.overflow_ack, old->overflow_ack);
    bool full = l.accept_queue > l.backlog;
    if (!syns && !acks && !full) continue;
    uint64_t accepted = since(l.accepted, old->accepted);
    uint64_t asked = since(l.syns, old->syns) -
                     std::min(since(l.syn_dups, old->syn_dups), since(l.syns, old->syns));
    std::string text =
        fmt::format("the accept queue of {} {}full ({} of {})", who(c, l),
                    full ? "is " : "keeps getting ", l.accept_queue, uint64_t{l.backlog} + 1);
    if (syns || acks)
      text += fmt::format(": {} and {} dropped {}", plural(syns, "SYN", "SYNs"),
                          plural(acks, "third ACK", "third ACKs"), lately(c));
    text +=
        fmt::format("; the program accepts {}, {} SYNs arrive", rate(accepted, c), rate(asked, c));
    std::string todo =
        accepted == 0
            ? "see why the program does not call accept() at all (is it stopped, or at its limit "
              "of open files?)"
            : "let the program accept faster; a longer queue (the second argument of listen()) "
              "only helps against short bursts";
    found.push_back({syns || acks ? Severity::kTrouble : Severity::kWarning,
                     "accept_queue_full",
                     text,
                     todo,
                     {{"port", l.local.port},
                      {"queue", l.accept_queue},
                      {"backlog", l.backlog},
                      {"syns_dropped", syns},
                      {"acks_dropped", acks},
                      {"accepted", accepted},
                      {"syns", asked}}});
  }
}

void find_backlog_at_somaxconn(const Change& c, Findings& found) {
  for (const Listener& l : c.now.listeners) {
    bool tight = l.accept_queue_high > l.backlog || l.overflow_syn || l.overflow_ack;
    if (!l.at_somaxconn || !tight) continue;
    found.push_back(
        {Severity::kNote,
         "backlog_at_somaxconn",
         fmt::format("the backlog of {} is {}, all that net.core.somaxconn allowed when it "
                     "listened, and it has been full",
                     who(c, l), l.backlog),
         fmt::format("raise net.core.somaxconn, then restart the program (sysctl "
                     "net.core.somaxconn={})",
                     std::max<uint64_t>(4096, uint64_t{l.backlog} * 4)),
         {{"port", l.local.port}, {"backlog", l.backlog}, {"most", l.accept_queue_high}}});
  }
}

void find_cookies(const Change& c, Findings& found) {
  uint64_t sent = c.counter("SyncookiesSent"), good = c.counter("SyncookiesRecv");
  uint64_t bad = c.counter("SyncookiesFailed");
  bool always = c.param("syncookies", 1) == 2;
  if ((sent == 0 || always) && bad == 0) return;
  std::string where;
  for (const Listener& l : c.now.listeners) {
    const Listener* old = c.earlier(l);
    if (uint64_t n = since(l.cookies, old ? old->cookies : 0))
      where += fmt::format("{}{} {}", where.empty() ? " (" : ", ", who(c, l), n);
  }
  if (!where.empty()) where += ")";
  // A flood sends SYNs and never ends a handshake; a crowd does.
  bool flood = sent >= 20 && good * 10 < sent;
  std::string text = fmt::format("SYN cookies are being sent: {} {}{}, {} came back valid", sent,
                                 lately(c), where, good);
  if (bad) text += fmt::format(", {} wrong", bad);
  found.push_back({flood ? Severity::kTrouble : Severity::kWarning,
                   "cookies",
                   text,
                   flood ? "hardly anybody ends his handshake: this looks like a SYN flood, which "
                           "cookies withstand; find its sources (tcpdump 'tcp[13] == 2')"
                         : "more half-open requests than the backlog holds; a larger backlog keeps "
                           "what a cookie loses (window scaling without timestamps, early data)",
                   {{"sent", sent}, {"valid", good}, {"wrong", bad}}});
}

void find_request_queue_full(const Change& c, Findings& found) {
  for (const Listener& l : c.now.listeners) {
    const Listener* old = c.earlier(l);
    if (!old) continue;
    uint64_t refused =
        lately_refused(l, *old, ATCP_REFUSED_SYN, {"request_queue_full", "syn_backlog"});
    if (!refused) continue;
    found.push_back({Severity::kTrouble,
                     "request_queue_full",
                     fmt::format("{} of {} dropped {}: {} half-open requests fill its queue "
                                 "(backlog {}) and SYN cookies are {}",
                                 plural(refused, "SYN", "SYNs"), who(c, l), lately(c), l.requests,
                                 l.backlog, c.param("syncookies", 1) ? "on" : "off"),
                     "atcp params set syncookies=1, or a larger backlog and max_syn_backlog",
                     {{"port", l.local.port},
                      {"dropped", refused},
                      {"requests", l.requests},
                      {"backlog", l.backlog}}});
  }
}

void find_unanswered_synacks(const Change& c, Findings& found) {
  for (const Listener& l : c.now.listeners) {
    uint64_t old_ones = l.requests - std::min(l.young, l.requests);
    // Until the kernel tells which are young, none can be called old.
    if (l.requests < kManyRequests || l.young == 0 || old_ones * 2 < l.requests) continue;
    found.push_back(
        {Severity::kWarning,
         "unanswered_synacks",
         fmt::format("{} of the {} half-open requests of {} have been sent their SYN-ACK more than "
                     "once: the peers do not answer it",
                     old_ones, l.requests, who(c, l)),
         "look for a firewall or a way back that loses SYN-ACKs, or for SYNs from forged addresses",
         {{"port", l.local.port}, {"requests", l.requests}, {"young", l.young}}});
  }
}

}  // namespace atcp::tool
