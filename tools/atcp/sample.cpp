// SPDX-License-Identifier: GPL-2.0
//
// Differences of two samples. What was counted less than before (the module was loaded anew) counts
// as nothing.
#include "sample.h"

#include <algorithm>
#include <sstream>

namespace atcp::tool {
namespace {

template <class Row>
std::vector<Row> grown(const std::vector<Row>& before, const std::vector<Row>& now) {
  std::map<std::string_view, uint64_t> old;
  for (const Row& r : before)
    old[r.name] = r.value;
  std::vector<Row> rows;
  for (const Row& r : now) {
    uint64_t was = old.contains(r.name) ? old[r.name] : 0;
    if (r.value <= was) continue;
    rows.push_back(r);
    rows.back().value = r.value - was;
  }
  std::ranges::stable_sort(rows, std::ranges::greater(), &Row::value);
  return rows;
}

uint64_t at(const std::map<std::string_view, uint64_t>& map, std::string_view name) {
  auto it = map.find(name);
  return it == map.end() ? 0 : it->second;
}

}  // namespace

Key key_of(const Listener& l) {
  // A cookie is enough; without one, several that share a port (SO_REUSEPORT) differ by inode.
  return {l.id ? l.id : l.inode, l.local.addr, l.local.port, {}, 0};
}

Key key_of(const Socket& s) {
  return {s.id, s.local.addr, s.local.port, s.peer.addr, s.peer.port};
}

std::vector<Counter> growth(const std::vector<Counter>& before, const std::vector<Counter>& now) {
  return grown(before, now);
}

std::vector<Reason> growth(const std::vector<Reason>& before, const std::vector<Reason>& now) {
  return grown(before, now);
}

Change::Change(const Sample& old, const Sample& current) : before(old), now(current) {
  std::map<std::string_view, uint64_t> counted, happened;
  for (const Counter& c : before.counters)
    counted[c.name] = c.value;
  for (const Reason& r : before.reasons)
    happened[r.name] = r.value;
  for (const Counter& c : now.counters)
    if (c.value > at(counted, c.name)) counters_[c.name] = c.value - at(counted, c.name);
  for (const Reason& r : now.reasons)
    if (r.value > at(happened, r.name)) reasons_[r.name] = r.value - at(happened, r.name);
  for (const Listener& l : before.listeners)
    listeners_[key_of(l)] = &l;
  for (const Socket& s : before.sockets)
    sockets_[key_of(s)] = &s;
}

double Change::seconds() const {
  return now.at_us > before.at_us ? static_cast<double>(now.at_us - before.at_us) / 1e6 : 0;
}

uint64_t Change::counter(std::string_view name) const {
  return at(counters_, name);
}

uint64_t Change::reason(std::string_view name) const {
  return at(reasons_, name);
}

std::vector<uint64_t> Change::numbers(std::string_view name) const {
  std::vector<uint64_t> found;
  auto p = std::ranges::find(now.params, name, &Param::name);
  if (p == now.params.end()) return found;
  std::istringstream in(p->value);
  for (uint64_t n; in >> n;)
    found.push_back(n);
  return found;
}

uint64_t Change::param(std::string_view name, uint64_t otherwise) const {
  std::vector<uint64_t> found = numbers(name);
  return found.empty() ? otherwise : found[0];
}

const Listener* Change::earlier(const Listener& l) const {
  auto it = listeners_.find(key_of(l));
  return it == listeners_.end() ? nullptr : it->second;
}

const Socket* Change::earlier(const Socket& s) const {
  auto it = sockets_.find(key_of(s));
  return it == sockets_.end() ? nullptr : it->second;
}

}  // namespace atcp::tool
