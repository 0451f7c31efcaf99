// SPDX-License-Identifier: GPL-2.0
//
// Control groups (cgroup2) as a person names them and as the kernel does: a path, and an id that is
// never used again while the machine runs.
#ifndef ATCP_TOOL_CGROUP_H
#define ATCP_TOOL_CGROUP_H

#include <cstdint>
#include <string>

namespace atcp::tool {

struct Cgroup {
  std::string path;  ///< as /proc/PID/cgroup has it: "/system.slice/nginx.service"; "/" the root
  uint64_t id = 0;   ///< 0: none
  unsigned level =
      0;  ///< below the root that is mounted here, which has 0: in a cgroup namespace not the machine's
};

/// Where cgroup2 is mounted, by a file like /proc/self/mounts; the first one if there are several.
/// Throws Error if it is nowhere.
std::string cgroup_mount(const std::string& mounts = "/proc/self/mounts");

/// The folder that a word means: a folder at or below the mount point, or else a path from the
/// mount point on, with or without a slash in front. Throws Error: there is none.
std::string cgroup_folder(const std::string& mount, const std::string& word);

/// The path of such a folder within the hierarchy.
std::string cgroup_path(const std::string& mount, const std::string& folder);

/// The path of a process's cgroup, by what /proc/PID/cgroup says. systemd runs what is to be done
/// before and after a service that was given its cgroup to divide (Delegate=) in a group ".control"
/// of it: the service's is meant. Throws Error: it has none.
std::string own_cgroup(const std::string& proc_cgroup);

/// Throws Error: there is none, or the folder is of another file system.
Cgroup find_cgroup(const std::string& mount, const std::string& word);

enum class CgroupState { kThere, kGone, kUnknown };

/// The way back: fills in the path. kUnknown: the kernel did not let this process look, or the
/// group is outside of what it sees.
CgroupState cgroup_by_id(const std::string& mount, uint64_t id, std::string& path);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_CGROUP_H
