// SPDX-License-Identifier: GPL-2.0
//
// All that the kernel tells of a namespace at one moment, and what changed between two of them. The
// commands that compare (explain, top, stats --delta) work on this; nothing here asks the kernel.
#ifndef ATCP_TOOL_SAMPLE_H
#define ATCP_TOOL_SAMPLE_H

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "model.h"
#include "process.h"

namespace atcp::tool {

struct Sample {
  uint64_t at_us = 0;  ///< CLOCK_MONOTONIC
  std::vector<Listener> listeners;
  std::vector<Socket> sockets;
  std::vector<Counter> counters;
  std::vector<Reason> reasons;
  std::vector<Param> params;
  Tables tables;
  Processes programs;
};

/// What identifies a listener or a socket in two samples.
using Key = std::tuple<uint64_t, Address, uint16_t, Address, uint16_t>;
Key key_of(const Listener& l);
Key key_of(const Socket& s);

/// Two samples of the same namespace, the later one in `now`.
class Change {
 public:
  Change(const Sample& before, const Sample& now);

  const Sample& before;
  const Sample& now;

  double seconds() const;
  /// By how much it grew; 0 for a name that is not there.
  uint64_t counter(std::string_view name) const;
  uint64_t reason(std::string_view name) const;
  /// The first number of a parameter's value now, or `otherwise`.
  uint64_t param(std::string_view name, uint64_t otherwise) const;
  /// The numbers of a parameter's value.
  std::vector<uint64_t> numbers(std::string_view name) const;
  /// The same one earlier; nullptr if it is new.
  const Listener* earlier(const Listener& l) const;
  const Socket* earlier(const Socket& s) const;

 private:
  std::map<std::string_view, uint64_t> counters_, reasons_;
  std::map<Key, const Listener*> listeners_;
  std::map<Key, const Socket*> sockets_;
};

/// What grew, largest first, with the difference as value.
std::vector<Counter> growth(const std::vector<Counter>& before, const std::vector<Counter>& now);
std::vector<Reason> growth(const std::vector<Reason>& before, const std::vector<Reason>& now);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_SAMPLE_H
