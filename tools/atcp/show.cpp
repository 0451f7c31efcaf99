// SPDX-License-Identifier: GPL-2.0
//
// The text of `atcp show`: a paragraph each for who it is, how it sends, what it waited for, its
// timers, its states and what was dropped of it.
#include <fmt/format.h>
#include <linux/atcp.h>

#include "events.h"
#include "format.h"
#include "shares.h"
#include "socket_fields.h"

namespace atcp::tool {
namespace {

constexpr size_t kWidth = 96;  ///< of a paragraph of "name value" pairs

std::string number_text(uint64_t n, Unit unit) {
  switch (unit) {
    case Unit::kMicroseconds:
      return time_us_text(n);
    case Unit::kBytes:
      return size_text(n);
    case Unit::kBytesPerSecond:
      return size_text(n) + "/s";
    case Unit::kCount:
    case Unit::kSequence:
      return std::to_string(n);
  }
  return std::to_string(n);
}

/// Words, broken into lines that begin with two blanks.
class Paragraph {
 public:
  void add(const std::string& words) {
    if (line_.size() + words.size() > kWidth) end_line();
    line_ += (line_.empty() ? "  " : ", ") + words;
  }
  std::string text() {
    end_line();
    return out_;
  }

 private:
  std::string line_, out_;
  void end_line() {
    if (!line_.empty()) out_ += line_ + "\n";
    line_.clear();
  }
};

/// "srtt" for "srtt_us": the unit is in the text of the value.
std::string plain_name(std::string_view name) {
  return std::string(name.ends_with("_us") ? name.substr(0, name.size() - 3) : name);
}

std::string options_text(uint64_t bits) {
  static constexpr const char* kNames[] = {"timestamps", "sack",     "wscale",
                                           "ecn",        "ecn-seen", "syn-data"};
  std::string text;
  for (size_t i = 0; i < std::size(kNames); i++)
    if (bits >> i & 1) text += fmt::format(" {}", kNames[i]);
  return text.empty() ? " none" : text;
}

std::string connection_text(const Connection& c, const Socket& s) {
  Paragraph p;
  p.add(fmt::format("cc {}", c.cc));
  p.add(fmt::format("cwnd {}", c.cwnd));
  p.add(c.ssthresh >= 0x7fffffff ? "ssthresh infinite" : fmt::format("ssthresh {}", c.ssthresh));
  p.add(fmt::format("srtt {}", time_us_text(c.srtt_us)));
  p.add(fmt::format("rttvar {}", time_us_text(c.rttvar_us)));
  p.add(fmt::format("rto {}", time_us_text(c.rto_us)));
  p.add(fmt::format("mss {}", c.mss));
  p.add(fmt::format("retrans {}", s.retrans));
  p.add(fmt::format("acked {}", size_text(c.bytes_acked)));
  p.add(fmt::format("received {}", size_text(c.bytes_received)));
  p.add(fmt::format("peer's window {}", size_text(c.snd_wnd)));
  p.add(fmt::format("our window {}", size_text(c.rcv_wnd)));
  p.add(fmt::format("rcvbuf {}", size_text(c.rcvbuf)));
  p.add(fmt::format("sndbuf {}", size_text(c.sndbuf)));
  if (!s.detail.cc_info.empty()) p.add(s.detail.cc_info);
  return p.text();
}

std::string numbers_text(const Detail& d) {
  Paragraph p;
  for (const SocketField& field : kSocketFields) {
    auto it = d.numbers.find(field.attr);
    if (it == d.numbers.end()) continue;
    if (field.attr == ATCP_SOCKET_A_OPTIONS)
      p.add("options" + options_text(it->second));
    else if (field.attr == ATCP_SOCKET_A_CA_STATE)
      p.add(fmt::format("ca_state {}", ca_state_name(static_cast<uint32_t>(it->second))));
    else
      p.add(fmt::format("{} {}", plain_name(field.name), number_text(it->second, field.unit)));
  }
  return p.text();
}

}  // namespace

std::string socket_detail(const Socket& s, const Processes& programs) {
  const Detail& d = s.detail;
  std::string out = fmt::format("{}  {} -> {}  id {}", state_name(s.state), endpoint_text(s.local),
                                endpoint_text(s.peer), s.id);
  if (s.uid) out += fmt::format("  uid {}", *s.uid);
  if (s.conn) out += fmt::format("  inode {}", s.conn->inode);
  out += fmt::format("{}{}{}\n", d.passive ? "  passive" : "", d.orphaned ? "  orphaned" : "",
                     d.urgent ? "  urgent" : "");
  if (s.conn) {
    if (std::string who = processes_text(programs.of(s.conn->inode)); !who.empty())
      out += fmt::format("  open in {}\n", who);
    out += fmt::format("  Recv-Q {}, Send-Q {}\n", s.conn->recvq, s.conn->sendq);
    out += connection_text(*s.conn, s);
  }
  out += numbers_text(d);
  if (s.expires_ms)
    out += fmt::format("  expires in {}\n", time_us_text(uint64_t{1000} * *s.expires_ms));
  if (!d.timers.empty()) out += "timers\n";
  for (const Deadline& t : d.timers)
    out += fmt::format("  {:<12} {}\n", t.name, t.left_us ? time_us_text(t.left_us) : "due");
  if (total(d.limited) > 0) {
    out += "time went into";
    if (d.limited_by) out += fmt::format(" (now: {})", limit_row(*d.limited_by).name);
    out += "\n" + shares_text(d.limited);
  }
  if (total(d.in_state) > 0) out += "states\n";
  for (const Share& share : d.in_state)
    if (share.time > 0)
      out += fmt::format("  {:<12} {}\n", state_name(share.what), time_us_text(share.time * 1000));
  if (!d.drops.empty()) out += "dropped\n";
  for (const Reason& r : d.drops)
    out += fmt::format("  {:<24} {}\n", r.name, r.value);
  return out;
}

}  // namespace atcp::tool
