// SPDX-License-Identifier: GPL-2.0
//
// Which program has a socket open: /proc/PID/fd read from the outside. Only what the user may read
// is found, so a user who is not root sees the programs of his own.
#ifndef ATCP_TOOL_PROCESS_H
#define ATCP_TOOL_PROCESS_H

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace atcp::tool {

struct Process {
  int pid = 0;
  std::string name;  ///< its command (/proc/PID/comm)
  int fd = 0;        ///< the lowest descriptor that it has the socket under

  bool operator==(const Process&) const = default;
};

/// Programs by the inode of a socket.
class Processes {
 public:
  Processes() = default;
  /// Looks through a folder that is built like /proc for these sockets.
  static Processes scan(const std::set<uint64_t>& inodes, const std::string& proc = "/proc");

  /// Those that have it open, by pid; empty if none is known.
  const std::vector<Process>& of(uint64_t inode) const;
  void add(uint64_t inode, Process process) { by_inode_[inode].push_back(std::move(process)); }

 private:
  std::map<uint64_t, std::vector<Process>> by_inode_;
};

/// "nginx[812], nginx[813]"; at most three and then how many more; "" if there are none.
std::string processes_text(const std::vector<Process>& processes);

/// Whether a command of this name could be run: $PATH has it, executable.
bool in_path(const std::string& command);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_PROCESS_H
