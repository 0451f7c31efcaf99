// SPDX-License-Identifier: GPL-2.0
//
// Paths of cgroups by mounts(5), their ids by file handles: the handle of a folder of cgroup2 is its
// id.
#include "cgroup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <mntent.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <sstream>

#include "model.h"

namespace atcp::tool {
namespace {

namespace fs = std::filesystem;

constexpr int kHandleKernfs = 0xfe;  // FILEID_KERNFS of linux/exportfs.h
constexpr size_t kMostBytes = MAX_HANDLE_SZ;

/// A file handle whose bytes are the id of a cgroup.
union Handle {
  file_handle head;
  char room[sizeof(file_handle) + kMostBytes];
};

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  operator int() const { return fd_; }

 private:
  int fd_;
};

bool is_below(const std::string& folder, const std::string& mount) {
  return folder == mount || mount == "/" ||
         (folder.starts_with(mount) && folder[mount.size()] == '/');
}

}  // namespace

std::string cgroup_mount(const std::string& mounts) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(setmntent(mounts.c_str(), "re"), endmntent);
  if (file) {
    while (const mntent* m = getmntent(file.get()))
      if (std::strcmp(m->mnt_type, "cgroup2") == 0) return m->mnt_dir;
  }
  throw Error("no cgroup2 is mounted here (mount -t cgroup2 cgroup2 /sys/fs/cgroup)");
}

std::string cgroup_folder(const std::string& mount, const std::string& word) {
  std::error_code error;
  fs::path named;
  if (word.starts_with('/')) {
    named = fs::canonical(word, error);
    if (!error && is_below(named.string(), mount) && fs::is_directory(named, error))
      return named.string();
  }
  named = fs::canonical(mount + "/" + word, error);
  if (error || !fs::is_directory(named, error) || !is_below(named.string(), mount))
    throw Error(fmt::format("there is no cgroup '{}' below {}", word, mount));
  return named.string();
}

std::string cgroup_path(const std::string& mount, const std::string& folder) {
  std::string path = folder.substr(mount == "/" ? 0 : mount.size());
  return path.empty() ? "/" : path;
}

std::string own_cgroup(const std::string& proc_cgroup) {
  static constexpr std::string_view kControl = "/.control";
  std::istringstream lines(proc_cgroup);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("0::")) continue;
    std::string path = line.substr(3);
    if (path.ends_with(kControl)) path.resize(path.size() - kControl.size());
    return path.empty() ? "/" : path;
  }
  throw Error("this process has no cgroup of cgroup2");
}

Cgroup find_cgroup(const std::string& mount, const std::string& word) {
  std::string folder = cgroup_folder(mount, word);
  Fd fd(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct statfs about {};
  if (fd < 0 || fstatfs(fd, &about) != 0)
    throw Error(fmt::format("{}: {}", folder, std::strerror(errno)));
  if (about.f_type != CGROUP2_SUPER_MAGIC)
    throw Error(fmt::format("{} is not a cgroup of cgroup2", folder));

  Cgroup cgroup;
  cgroup.path = cgroup_path(mount, folder);
  cgroup.level =
      cgroup.path == "/" ? 0 : static_cast<unsigned>(std::ranges::count(cgroup.path, '/'));
  Handle handle{};
  handle.head.handle_bytes = kMostBytes;
  int mount_id;
  if (name_to_handle_at(fd, "", &handle.head, &mount_id, AT_EMPTY_PATH) != 0)
    throw Error(fmt::format("{}: {}", folder, std::strerror(errno)));
  if (handle.head.handle_bytes != sizeof(cgroup.id))
    throw Error(fmt::format("{}: the kernel told no id", folder));
  std::memcpy(&cgroup.id, handle.head.f_handle, sizeof(cgroup.id));
  return cgroup;
}

CgroupState cgroup_by_id(const std::string& mount, uint64_t id, std::string& path) {
  Fd root(open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root < 0) return CgroupState::kUnknown;
  Handle handle{};
  handle.head.handle_bytes = sizeof(id);
  handle.head.handle_type = kHandleKernfs;
  std::memcpy(handle.head.f_handle, &id, sizeof(id));
  Fd fd(open_by_handle_at(root, &handle.head, O_PATH | O_CLOEXEC));
  if (fd < 0) return errno == ESTALE ? CgroupState::kGone : CgroupState::kUnknown;
  std::error_code error;
  std::string folder = fs::read_symlink(fmt::format("/proc/self/fd/{}", int(fd)), error).string();
  if (folder.ends_with(" (deleted)")) return CgroupState::kGone;
  if (error || !is_below(folder, mount)) return CgroupState::kUnknown;
  path = cgroup_path(mount, folder);
  return CgroupState::kThere;
}

}  // namespace atcp::tool
