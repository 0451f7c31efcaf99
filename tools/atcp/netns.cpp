// SPDX-License-Identifier: GPL-2.0
//
// setns(2) into a namespace by name.
#include "netns.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "model.h"
#include "words.h"

namespace atcp::tool {

std::vector<std::string> netns_names(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error))
    names.push_back(it->path().filename().string());
  std::ranges::sort(names);
  return names;
}

void enter_netns(const std::string& name, const std::string& folder) {
  std::vector<std::string> known = netns_names(folder);
  if (std::ranges::find(known, name) == known.end()) {
    if (known.empty())
      throw Error(fmt::format("there is no network namespace '{}', nor any other (ip netns add {})",
                              name, name));
    throw Error(unknown_word("network namespace", name, known));
  }
  std::string path = folder + "/" + name;
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Error(fmt::format("{}: {}", path, std::strerror(errno)));
  int failed = setns(fd, CLONE_NEWNET) < 0 ? errno : 0;
  close(fd);
  if (failed == EPERM)
    throw Error(fmt::format("cannot enter network namespace '{}': it takes CAP_SYS_ADMIN", name));
  if (failed)
    throw Error(
        fmt::format("cannot enter network namespace '{}': {}", name, std::strerror(failed)));
}

}  // namespace atcp::tool
