// SPDX-License-Identifier: GPL-2.0
//
// The words of a filter: a table of keywords, each with the function that takes what follows it.
#include "filter.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/atcp.h>
#include <pwd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "format.h"
#include "words.h"

namespace atcp::tool {
namespace {

constexpr uint32_t kReasonBits = 256;  ///< as many as a subscription can name

[[noreturn]] void wrong(const std::string& text) {
  throw Error("filter: " + text, kExitUsage);
}

uint32_t bit(uint32_t state) {
  return uint32_t{1} << state;
}

/// All states that the kernel's table may hold, listeners included.
uint32_t every_state() {
  uint32_t all = 0;
  for (const std::string& name : state_names())
    all |= bit(state_number(name));
  return all;
}

/// ss's names for several states at once.
uint32_t states_of(const std::string& word) {
  uint32_t all = every_state();
  uint32_t small = bit(ATCP_STATE_TIME_WAIT) | bit(ATCP_STATE_SYN_RECEIVED);
  uint32_t connected = all & ~(bit(ATCP_STATE_LISTEN) | bit(ATCP_STATE_CLOSED));
  const std::array<std::pair<const char*, uint32_t>, 5> groups = {
      {{"all", all},
       {"connected", connected},
       {"synchronized", connected & ~bit(ATCP_STATE_SYN_SENT)},
       {"bucket", small},
       {"big", all & ~small}}};
  for (const auto& [name, states] : groups)
    if (same_word(word, name)) return states;
  if (uint32_t state = state_number(word)) return bit(state);
  std::vector<std::string> known = state_names();
  for (const auto& group : groups)
    known.emplace_back(group.first);
  wrong(unknown_word("state", word, known));
}

uint16_t port_of(std::string_view text) {
  if (text.starts_with(':')) text.remove_prefix(1);
  auto n = whole_number(text, 65535);
  if (!n) wrong(fmt::format("'{}' is not a port (0 to 65535)", text));
  return static_cast<uint16_t>(*n);
}

/// "80", ":80", "8000-8099".
void take_ports(EndFilter& end, std::string_view text) {
  size_t dash = text.find('-');
  end.port_min = port_of(text.substr(0, dash));
  end.port_max = dash == text.npos ? end.port_min : port_of(text.substr(dash + 1));
  if (*end.port_min > *end.port_max) wrong(fmt::format("the ports '{}' are the wrong way", text));
}

Address address_of(const std::string& text) {
  std::array<uint8_t, 16> bytes;
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1)
    return {bytes.begin(), bytes.begin() + 4};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return {bytes.begin(), bytes.end()};
  wrong(fmt::format("'{}' is not an address (names are not looked up)", text));
}

/// "10.0.0.1", "10.0.0.0/8:80", "[fe80::1]:80", "*:80", ":80".
void take_end(EndFilter& end, const std::string& word) {
  std::string addr = word, port;
  size_t bracket = word.find(']');
  size_t colon = word.find(':', bracket == word.npos ? 0 : bracket);
  // Without brackets, several colons belong to an address of IPv6.
  if (bracket == word.npos && std::ranges::count(word, ':') > 1) colon = word.npos;
  if (colon != word.npos) {
    addr = word.substr(0, colon);
    port = word.substr(colon + 1);
  }
  std::erase_if(addr, [](char c) { return c == '[' || c == ']'; });
  std::string bits;
  if (size_t slash = addr.find('/'); slash != addr.npos) {
    bits = addr.substr(slash + 1);
    addr.erase(slash);
    if (bits.empty()) wrong(fmt::format("'{}' lacks the bits behind its '/'", word));
  }
  if (!addr.empty() && addr != "*") end.addr = address_of(addr);
  if (!bits.empty()) {
    auto n = whole_number(bits, end.addr.size() * 8);
    if (!n) wrong(fmt::format("'/{}' is no prefix of '{}'", bits, addr));
    end.prefix = static_cast<uint8_t>(*n);
  }
  if (!port.empty() && port != "*") take_ports(end, port);
  if (end.empty()) wrong(fmt::format("'{}' names neither an address nor a port", word));
}

uint64_t cookie_of(const std::string& word) {
  auto n = whole_number(word, ~uint64_t{0});
  if (!n) wrong(fmt::format("'{}' is not the ID of a socket (atcp sockets shows them)", word));
  return *n;
}

uint32_t uid_of(const std::string& word) {
  if (auto n = whole_number(word, ~uint32_t{0})) return static_cast<uint32_t>(*n);
  const passwd* user = getpwnam(word.c_str());
  if (!user) wrong(fmt::format("there is no user '{}'", word));
  return user->pw_uid;
}

struct Keyword {
  const char* name;
  void (*take)(Filter& f, const std::string& word);
};

constexpr Keyword kKeywords[] = {
    {"state", [](Filter& f, const std::string& w) { f.states |= states_of(w); }},
    {"exclude",
     [](Filter& f, const std::string& w) {
       f.states = (f.states ? f.states : every_state()) & ~states_of(w);
       if (f.states == 0) wrong("every state is excluded");
     }},
    {"src", [](Filter& f, const std::string& w) { take_end(f.local, w); }},
    {"dst", [](Filter& f, const std::string& w) { take_end(f.peer, w); }},
    {"sport", [](Filter& f, const std::string& w) { take_ports(f.local, w); }},
    {"dport", [](Filter& f, const std::string& w) { take_ports(f.peer, w); }},
    {"uid", [](Filter& f, const std::string& w) { f.uid = uid_of(w); }},
    {"cc",
     [](Filter& f, const std::string& w) {
       if (w.empty() || w.size() > 15) wrong(fmt::format("'{}' names no congestion control", w));
       f.cc = w;
     }},
    {"listener", [](Filter& f, const std::string& w) { f.listener = cookie_of(w); }},
    {"id", [](Filter& f, const std::string& w) { f.id = cookie_of(w); }},
};

const Keyword& keyword(const std::string& word) {
  auto it = std::ranges::find(kKeywords, word, &Keyword::name);
  if (it != std::end(kKeywords)) return *it;
  std::vector<std::string> known;
  for (const Keyword& k : kKeywords)
    known.emplace_back(k.name);
  wrong(unknown_word("condition", word, known));
}

void put_end(nlmsghdr* nlh, const EndFilter& end, uint16_t addr, uint16_t prefix, uint16_t min,
             uint16_t max) {
  if (!end.addr.empty()) mnl_attr_put(nlh, addr, end.addr.size(), end.addr.data());
  if (end.prefix) mnl_attr_put_u8(nlh, prefix, *end.prefix);
  if (end.port_min) mnl_attr_put_u16(nlh, min, *end.port_min);
  if (end.port_max) mnl_attr_put_u16(nlh, max, *end.port_max);
}

}  // namespace

bool Filter::empty() const {
  return states == 0 && local.empty() && peer.empty() && !uid && cc.empty() && !listener && !id &&
         events == 0 && reasons.empty();
}

bool Filter::admits_listeners() const {
  return wants_state(ATCP_STATE_LISTEN) && peer.empty() && cc.empty() && !listener;
}

Filter parse_filter(const std::vector<std::string>& words) {
  Filter f;
  for (size_t i = 0; i < words.size(); i++) {
    if (words[i] == "and") continue;
    const Keyword& k = keyword(words[i]);
    // ss writes "sport = :80".
    if (i + 1 < words.size() && (words[i + 1] == "=" || words[i + 1] == "==")) i++;
    if (++i == words.size()) wrong(fmt::format("nothing follows '{}'", k.name));
    k.take(f, words[i]);
  }
  if (!f.local.addr.empty() && !f.peer.addr.empty() && f.local.addr.size() != f.peer.addr.size())
    wrong("src and dst are of different families");
  return f;
}

void put_filter(nlmsghdr* nlh, const Filter& f) {
  if (f.empty()) return;
  nlattr* nest = mnl_attr_nest_start(nlh, ATCP_A_FILTER);
  if (f.states) mnl_attr_put_u32(nlh, ATCP_FILTER_A_STATES, f.states);
  put_end(nlh, f.local, ATCP_FILTER_A_LADDR, ATCP_FILTER_A_LADDR_PREFIX, ATCP_FILTER_A_LPORT_MIN,
          ATCP_FILTER_A_LPORT_MAX);
  put_end(nlh, f.peer, ATCP_FILTER_A_RADDR, ATCP_FILTER_A_RADDR_PREFIX, ATCP_FILTER_A_RPORT_MIN,
          ATCP_FILTER_A_RPORT_MAX);
  if (f.uid) mnl_attr_put_u32(nlh, ATCP_FILTER_A_UID, *f.uid);
  if (!f.cc.empty()) mnl_attr_put_strz(nlh, ATCP_FILTER_A_CC, f.cc.c_str());
  if (f.listener) mnl_attr_put_u64(nlh, ATCP_FILTER_A_LISTENER, *f.listener);
  if (f.id) mnl_attr_put_u64(nlh, ATCP_FILTER_A_ID, *f.id);
  if (f.events) mnl_attr_put_u32(nlh, ATCP_FILTER_A_EVENTS, f.events);
  if (!f.reasons.empty()) {
    std::array<uint8_t, kReasonBits / 8> bits{};
    for (uint32_t reason : f.reasons)
      if (reason < kReasonBits) bits[reason / 8] |= static_cast<uint8_t>(1 << reason % 8);
    mnl_attr_put(nlh, ATCP_FILTER_A_REASONS, bits.size(), bits.data());
  }
  mnl_attr_nest_end(nlh, nest);
}

}  // namespace atcp::tool
