// SPDX-License-Identifier: GPL-2.0
//
// The walk over /proc. A program may end while it is being looked at; what cannot be read any more
// is passed over.
#include "process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "words.h"

namespace atcp::tool {
namespace {

namespace fs = std::filesystem;

/// The inode in "socket:[123]".
std::optional<uint64_t> socket_inode(std::string_view link) {
  constexpr std::string_view kHead = "socket:[";
  if (!link.starts_with(kHead) || !link.ends_with(']')) return std::nullopt;
  return whole_number(link.substr(kHead.size(), link.size() - kHead.size() - 1), ~uint64_t{0});
}

std::optional<int> number_of(const fs::path& path) {
  if (auto n = whole_number(path.filename().string(), 1u << 30)) return static_cast<int>(*n);
  return std::nullopt;
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    found.push_back(it->path());
  return found;
}

/// The lowest descriptor of each wanted socket in an fd folder.
std::map<uint64_t, int> sockets_in(const fs::path& folder, const std::set<uint64_t>& inodes) {
  std::map<uint64_t, int> fds;
  for (const fs::path& link : entries(folder)) {
    std::error_code error;
    auto inode = socket_inode(fs::read_symlink(link, error).string());
    auto fd = number_of(link);
    if (error || !inode || !fd || !inodes.contains(*inode)) continue;
    auto [at, fresh] = fds.emplace(*inode, *fd);
    if (!fresh) at->second = std::min(at->second, *fd);
  }
  return fds;
}

}  // namespace

Processes Processes::scan(const std::set<uint64_t>& inodes, const std::string& proc) {
  Processes found;
  std::vector<std::pair<int, fs::path>> folders;
  for (const fs::path& folder : entries(proc))
    if (auto pid = number_of(folder)) folders.emplace_back(*pid, folder);
  std::ranges::sort(folders);
  for (const auto& [pid, folder] : folders) {
    std::map<uint64_t, int> fds = sockets_in(folder / "fd", inodes);
    if (fds.empty()) continue;
    std::string name;
    std::ifstream comm(folder / "comm");
    std::getline(comm, name);
    for (const auto& [inode, fd] : fds)
      found.add(inode, {pid, name, fd});
  }
  return found;
}

const std::vector<Process>& Processes::of(uint64_t inode) const {
  static const std::vector<Process> none;
  auto it = by_inode_.find(inode);
  return inode == 0 || it == by_inode_.end() ? none : it->second;
}

std::string processes_text(const std::vector<Process>& processes) {
  constexpr size_t kShown = 3;
  std::string text;
  for (size_t i = 0; i < processes.size() && i < kShown; i++)
    text += fmt::format("{}{}[{}]", i ? ", " : "", processes[i].name, processes[i].pid);
  if (processes.size() > kShown) text += fmt::format(" and {} more", processes.size() - kShown);
  return text;
}

bool in_path(const std::string& command) {
  const char* path = std::getenv("PATH");
  std::string folders = path ? path : "/usr/bin:/bin";
  for (size_t from = 0; from <= folders.size();) {
    size_t colon = std::min(folders.find(':', from), folders.size());
    if (access((folders.substr(from, colon - from) + "/" + command).c_str(), X_OK) == 0)
      return true;
    from = colon + 1;
  }
  return false;
}

}  // namespace atcp::tool
