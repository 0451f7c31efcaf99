// SPDX-License-Identifier: GPL-2.0
//
// The kernel's tables and /proc, read one after the other into one sample.
#include "watch.h"

#include <linux/atcp.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace atcp::tool {
namespace {

constexpr size_t kInFull = 200;  ///< sockets that are asked for what a dump leaves out

/// What a connection waited for is told only of single sockets: ask for those that have most to
/// send. One that has just gone is left as the dump had it.
void ask_in_full(Client& client, std::vector<Socket>& sockets) {
  std::vector<Socket*> busy;
  for (Socket& s : sockets)
    if (s.conn && s.id && s.conn->sendq > 0) busy.push_back(&s);
  std::ranges::stable_sort(busy, std::ranges::greater(),
                           [](const Socket* s) { return s->conn->sendq; });
  if (busy.size() > kInFull) busy.resize(kInFull);
  for (Socket* s : busy) {
    try {
      *s = client.socket(s->id);
    } catch (const Error&) {
      continue;
    }
  }
}

}  // namespace

uint64_t monotonic_us() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000 + static_cast<uint64_t>(t.tv_nsec) / 1000;
}

Processes programs_of(const std::vector<Listener>& listeners, const std::vector<Socket>& sockets) {
  std::set<uint64_t> inodes;
  for (const Listener& l : listeners)
    inodes.insert(l.inode);
  for (const Socket& s : sockets)
    if (s.conn) inodes.insert(s.conn->inode);
  inodes.erase(0);
  return inodes.empty() ? Processes() : Processes::scan(inodes);
}

std::vector<Listener> filtered_listeners(Client& client, const Filter& filter) {
  if (!filter.admits_listeners()) return {};
  Filter mine = filter;
  mine.states = 0;  // all of them are in the same
  return client.listeners(mine);
}

Sample take_sample(Client& client, const Filter& filter) {
  Sample s;
  s.listeners = filtered_listeners(client, filter);
  s.sockets = client.sockets(filter);
  ask_in_full(client, s.sockets);
  s.counters = client.counters();
  s.reasons = client.reasons();
  s.params = client.params();
  s.at_us = monotonic_us();
  s.programs = programs_of(s.listeners, s.sockets);
  return s;
}

void sleep_seconds(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

}  // namespace atcp::tool
