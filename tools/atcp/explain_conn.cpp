// SPDX-License-Identifier: GPL-2.0
//
// Rules about connections: programs that do not close or do not read, senders that wait, and peers
// that much has to be sent to twice.
#include <fmt/format.h>
#include <linux/atcp.h>

#include <algorithm>
#include <map>

#include "explain.h"
#include "format.h"
#include "shares.h"
#include "words.h"

namespace atcp::tool {
namespace {

constexpr size_t kManyCloseWait = 4;
constexpr uint64_t kRepeatedSyns = 2;  ///< of an attempt that counts as unanswered
constexpr uint32_t kUnreadBytes = 64 * 1024;
constexpr uint64_t kSmallestSample = 20;  ///< segments, before a rate of loss means anything
constexpr double kLossyRate = 0.02, kVeryLossyRate = 0.10;
constexpr double kLimitShare = 0.5;  ///< of the time that something was to be sent

std::string program_of(const Change& c, uint64_t inode) {
  std::string text = processes_text(c.now.programs.of(inode));
  return text.empty() ? "a program that only its user or root may see" : text;
}

std::string ends(const Socket& s) {
  return endpoint_text(s.local) + " to " + endpoint_text(s.peer);
}

uint64_t segments_of(uint64_t bytes, uint32_t mss) {
  return bytes / std::max<uint32_t>(mss, 1);
}

}  // namespace

void find_close_wait(const Change& c, Findings& found) {
  std::map<std::string, std::pair<size_t, size_t>> by_program;  // now, and those there before
  for (const Socket& s : c.now.sockets) {
    if (s.state != ATCP_STATE_CLOSE_WAIT || !s.conn || s.conn->inode == 0) continue;
    auto& [count, lasting] = by_program[program_of(c, s.conn->inode)];
    count++;
    const Socket* old = c.earlier(s);
    lasting += old && old->state == ATCP_STATE_CLOSE_WAIT;
  }
  for (const auto& [program, counts] : by_program) {
    auto [count, lasting] = counts;
    if (lasting < kManyCloseWait) continue;
    found.push_back({count >= 10 * kManyCloseWait ? Severity::kTrouble : Severity::kWarning,
                     "close_wait",
                     fmt::format("{} connections of {} are in CLOSE-WAIT, {} of them for longer "
                                 "than {:.1f} s: the peers have closed and the program has not",
                                 count, program, lasting, c.seconds()),
                     "the program must close() its sockets when read() returns 0",
                     {{"connections", count}, {"lasting", lasting}}});
  }
}

void find_unread(const Change& c, Findings& found) {
  for (const Socket& s : c.now.sockets) {
    const Socket* old = c.earlier(s);
    if (!s.conn || !old || !old->conn || s.conn->inode == 0) continue;
    // What waits has grown or stayed, and the peer's way is nearly shut.
    bool stuck = s.conn->recvq >= kUnreadBytes && old->conn->recvq >= kUnreadBytes &&
                 s.conn->rcv_wnd < s.conn->recvq / 4;
    if (!stuck) continue;
    found.push_back({Severity::kWarning,
                     "unread",
                     fmt::format("{} does not read: {} wait on {} and the window for the peer is "
                                 "down to {}",
                                 program_of(c, s.conn->inode), size_text(s.conn->recvq), ends(s),
                                 size_text(s.conn->rcv_wnd)),
                     "see what keeps the program from reading",
                     {{"recvq", s.conn->recvq}, {"rcv_wnd", s.conn->rcv_wnd}}});
  }
}

void find_peer_window(const Change& c, Findings& found) {
  for (const Socket& s : c.now.sockets) {
    const Socket* old = c.earlier(s);
    if (!s.conn || !old || !old->conn) continue;
    bool shut = s.conn->snd_wnd == 0 && old->conn->snd_wnd == 0 && s.conn->sendq > 0 &&
                s.conn->bytes_acked == old->conn->bytes_acked && s.state != ATCP_STATE_SYN_SENT;
    if (!shut) continue;
    found.push_back(
        {Severity::kTrouble,
         "zero_window",
         fmt::format("{} has shut its window: {} wait on {} and not a byte got through "
                     "{}",
                     address_text(s.peer.addr), size_text(s.conn->sendq), ends(s), lately(c)),
         "the program at the peer does not read; look there",
         {{"sendq", s.conn->sendq}}});
  }
}

void find_limits(const Change& c, Findings& found) {
  for (const Socket& s : c.now.sockets) {
    const Socket* old = c.earlier(s);
    if (!s.conn || s.detail.limited.empty() || s.state == ATCP_STATE_SYN_SENT) continue;
    std::vector<Share> shares = difference(s.detail.limited, old ? old->detail.limited : Shares{});
    uint64_t whole = total(shares), app = 0;
    Share most;
    for (const Share& share : shares) {
      if (share.what == ATCP_LIMIT_APP)
        app = share.time;
      else if (share.time > most.time)
        most = share;
    }
    // Who has nothing to send waits for nobody.
    if (whole == 0 || static_cast<double>(whole - app) < 0.2 * static_cast<double>(whole)) continue;
    if (static_cast<double>(most.time) < kLimitShare * static_cast<double>(whole)) continue;
    const LimitRow& row = limit_row(most.what);
    if (!*row.todo) continue;
    found.push_back({row.grave ? Severity::kWarning : Severity::kNote,
                     std::string("limited_by_") + row.name,
                     fmt::format("{} spent {} % of its time {} waiting for {}", ends(s),
                                 percent(most.time, whole), lately(c), row.what),
                     row.todo,
                     {{"percent", percent(most.time, whole)},
                      {"cwnd", s.conn->cwnd},
                      {"snd_wnd", s.conn->snd_wnd},
                      {"sendq", s.conn->sendq}}});
  }
}

void find_unanswered(const Change& c, Findings& found) {
  std::map<std::string, uint64_t> by_peer;
  for (const Socket& s : c.now.sockets)
    if (s.state == ATCP_STATE_SYN_SENT && s.retrans >= kRepeatedSyns)
      by_peer[endpoint_text(s.peer)]++;
  for (const auto& [peer, attempts] : by_peer)
    found.push_back(
        {Severity::kWarning,
         "unanswered",
         fmt::format("{} of this host's attempts to connect to {} had no answer to "
                     "repeated SYNs yet",
                     attempts, peer),
         "there, see whether the listener's queue is full (atcp listeners, ss -ltn) or a "
         "filter drops SYNs",
         {{"attempts", attempts}}});
}

void find_retransmissions(const Change& c, Findings& found) {
  struct Sum {
    uint64_t again = 0, sent = 0, connections = 0;
  };
  std::map<Address, Sum> by_peer;
  for (const Socket& s : c.now.sockets) {
    // That nobody answers a SYN says nothing about the path (find_unanswered).
    if (!s.conn || s.state == ATCP_STATE_SYN_SENT) continue;
    const Socket* old = c.earlier(s);
    uint64_t acked = s.conn->bytes_acked, again = s.retrans;
    if (old && old->conn) {
      acked -= std::min(acked, old->conn->bytes_acked);
      again -= std::min<uint64_t>(again, old->retrans);
    }
    Sum& sum = by_peer[s.peer.addr];
    sum.again += again;
    sum.sent += segments_of(acked, s.conn->mss) + again;
    sum.connections += again > 0;
  }
  for (const auto& [peer, sum] : by_peer) {
    if (sum.sent < kSmallestSample) continue;
    double share = static_cast<double>(sum.again) / static_cast<double>(sum.sent);
    if (share < kLossyRate) continue;
    found.push_back(
        {share >= kVeryLossyRate ? Severity::kTrouble : Severity::kWarning,
         "retransmissions",
         fmt::format("{:.1f} % of the segments to {} had to be sent again ({} of {} {}, "
                     "on {})",
                     share * 100, address_text(peer), sum.again, sum.sent, lately(c),
                     plural(sum.connections, "connection", "connections")),
         "the path loses packets; a congestion control that withstands loss may help "
         "(atcp params set congestion_control=bbr)",
         {{"sent_again", sum.again}, {"sent", sum.sent}}});
  }
}

}  // namespace atcp::tool
