// SPDX-License-Identifier: GPL-2.0
//
// Loading, pinning and feeding the BPF programs of `atcp attach`. The links are pinned before the map:
// where the map's pin is, everything is; what a killed tool left behind without it is thrown away.
#include "attach_bpf.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/atcp.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "attach_bpf.skel.h"
#include "attach_map.h"
#include "model.h"

namespace atcp::tool {
namespace {

constexpr const char* kBpffs = "/sys/fs/bpf";
constexpr const char* kLock = "/run/atcp.lock";  // root's, so that nobody else can hold it
constexpr const char* kFolder = "/sys/fs/bpf/atcp";
constexpr const char* kMapPin = "/sys/fs/bpf/atcp/cgroups";
constexpr const char* kLinkPins[] = {"/sys/fs/bpf/atcp/socket", "/sys/fs/bpf/atcp/register",
                                     "/sys/fs/bpf/atcp/unregister"};

/// What libbpf complained about, the kernel's verifier included. The end of it, if there is much.
std::string complaints;

int keep_complaint(libbpf_print_level level, const char* format, va_list values) {
  if (level != LIBBPF_WARN) return 0;
  char text[4096];
  std::vsnprintf(text, sizeof(text), format, values);
  complaints += text;
  if (complaints.size() > 65536) complaints.erase(0, complaints.size() - 65536);
  return 0;
}

std::string last_complaint() {
  std::string text = complaints;
  while (text.ends_with('\n'))
    text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

[[noreturn]] void fail(const std::string& what, int err) {
  if (err == EPERM || err == EACCES)
    throw Error(fmt::format("{}: it takes CAP_SYS_ADMIN (sudo)", what));
  std::string more = last_complaint();
  throw Error(fmt::format("{}: {}{}{}", what, std::strerror(err), more.empty() ? "" : ": ", more));
}

bool is_bpffs() {
  struct statfs about {};
  return statfs(kBpffs, &about) == 0 && about.f_type == BPF_FS_MAGIC;
}

/// As bpftool(8) and ip(8) do where nobody has done it before.
void mount_bpffs() {
  if (is_bpffs()) return;
  if (mount("bpf", kBpffs, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
    fail(fmt::format("mounting {}", kBpffs), errno);
}

void remove_pins() {
  unlink(kMapPin);
  for (const char* pin : kLinkPins)
    unlink(pin);
  rmdir(kFolder);
}

/// libbpf keeps links and programs only as long as this; pins last.
struct Skeleton {
  attach_bpf* bpf = nullptr;
  Skeleton() = default;
  Skeleton(const Skeleton&) = delete;
  Skeleton& operator=(const Skeleton&) = delete;
  ~Skeleton() { attach_bpf::destroy(bpf); }
};

bpf_link* attached(bpf_program* program) {
  bpf_link* link = bpf_program__attach(program);
  if (!link) fail("attaching a BPF program", errno);
  return link;
}

int probe_socket() {
  return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_ATCP);
}

/// Asking for a socket while the module is not there would have the kernel load it.
bool module_is_live() {
  std::string state;
  std::ifstream("/sys/module/atcp/initstate") >> state;
  return state == "live";
}

/// A duplicate of the map's descriptor; the pins are there.
int make_pins() {
  remove_pins();
  if (mkdir(kFolder, 0700) != 0) fail(kFolder, errno);
  Skeleton s;
  s.bpf = attach_bpf::open();
  if (!s.bpf) fail("opening the BPF program", errno);
  if (int err = attach_bpf::load(s.bpf)) {
    if (complaints.find("is not modifiable") != complaints.npos)
      throw Error(
          "the kernel lets no BPF program choose the protocol (built without CONFIG_MPTCP?); use "
          "atcp run");
    fail("loading the BPF program", -err);
  }
  s.bpf->links.on_register = attached(s.bpf->progs.on_register);
  s.bpf->links.on_unregister = attached(s.bpf->progs.on_unregister);
  // From here on the programs see the module come and go; what is there already is found by having a
  // socket of it, which also keeps it from going while this is noted.
  int probe = module_is_live() ? probe_socket() : -1;
  if (probe >= 0) {
    s.bpf->bss->registered = 1;
    close(probe);
  }
  s.bpf->links.on_socket = attached(s.bpf->progs.on_socket);
  bpf_link* links[] = {s.bpf->links.on_socket, s.bpf->links.on_register,
                       s.bpf->links.on_unregister};
  for (size_t i = 0; i < std::size(links); i++)
    if (int err = bpf_link__pin(links[i], kLinkPins[i])) fail(kLinkPins[i], -err);
  if (int err = bpf_map__pin(s.bpf->maps.cgroups, kMapPin)) fail(kMapPin, -err);
  int fd = fcntl(bpf_map__fd(s.bpf->maps.cgroups), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) fail(kMapPin, errno);
  return fd;
}

/// -1: nothing is pinned.
int open_map() {
  struct stat about {};
  if (stat(kMapPin, &about) != 0) {
    if (errno == ENOENT) return -1;
    fail(kMapPin, errno);
  }
  int fd = bpf_obj_get(kMapPin);
  if (fd < 0) fail(kMapPin, errno);
  bpf_map_info info{};
  uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd, &info, &length) != 0 || info.type != BPF_MAP_TYPE_HASH ||
      info.key_size != sizeof(uint64_t) || info.value_size != sizeof(atcp_attached)) {
    close(fd);
    throw Error(fmt::format("{} is of another version of this tool (atcp detach --all)", kFolder));
  }
  return fd;
}

}  // namespace

void require_attach() {
  libbpf_set_print(keep_complaint);
  btf* types = btf__load_vmlinux_btf();
  if (!types)
    throw Error(
        "the kernel does not tell its types (CONFIG_DEBUG_INFO_BTF), without which no BPF program "
        "can be attached; use atcp run");
  int found = btf__find_by_name_kind(types, "update_socket_protocol", BTF_KIND_FUNC);
  btf__free(types);
  if (found < 0)
    throw Error("the kernel has no update_socket_protocol (needs 6.6 or newer); use atcp run");
}

bool atcp_registered() {
  int fd = probe_socket();
  if (fd >= 0) close(fd);
  return fd >= 0;
}

struct AttachStore::Inside {
  int lock = -1;  ///< of kLock, held by flock
  int map = -1;

  Inside() = default;
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() {
    if (map >= 0) close(map);
    if (lock >= 0) close(lock);
  }
  void take_lock() {
    lock = open(kLock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (lock < 0) fail(kLock, errno);
    while (flock(lock, LOCK_EX) != 0)
      if (errno != EINTR) fail(kLock, errno);
  }
};

AttachStore::AttachStore(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
AttachStore::~AttachStore() = default;

std::unique_ptr<AttachStore> AttachStore::find() {
  libbpf_set_print(keep_complaint);
  if (!is_bpffs()) return nullptr;
  auto inside = std::make_unique<Inside>();
  inside->take_lock();
  inside->map = open_map();
  if (inside->map < 0) return nullptr;
  return std::unique_ptr<AttachStore>(new AttachStore(std::move(inside)));
}

std::unique_ptr<AttachStore> AttachStore::find_or_make() {
  libbpf_set_print(keep_complaint);
  auto inside = std::make_unique<Inside>();
  inside->take_lock();
  mount_bpffs();
  inside->map = open_map();
  if (inside->map < 0) {
    try {
      inside->map = make_pins();
    } catch (const Error&) {
      remove_pins();
      throw;
    }
  }
  return std::unique_ptr<AttachStore>(new AttachStore(std::move(inside)));
}

std::vector<AttachEntry> AttachStore::entries() const {
  std::vector<AttachEntry> found;
  uint64_t key = 0, next = 0;
  const uint64_t* from = nullptr;
  // Nobody else changes keys meanwhile: the lock is ours.
  while (bpf_map_get_next_key(inside_->map, from, &next) == 0) {
    atcp_attached value{};
    if (bpf_map_lookup_elem(inside_->map, &next, &value) == 0)
      found.push_back({next, value.strict != 0, value.sockets});
    key = next;
    from = &key;
  }
  return found;
}

bool AttachStore::put(uint64_t id, bool strict) {
  atcp_attached value{};
  bpf_map_lookup_elem(inside_->map, &id, &value);  // keeps the count
  value.strict = strict;
  if (bpf_map_update_elem(inside_->map, &id, &value, BPF_ANY) == 0) return true;
  if (errno != E2BIG) fail("adding to the map of cgroups", errno);
  return false;
}

bool AttachStore::erase(uint64_t id) {
  if (bpf_map_delete_elem(inside_->map, &id) == 0) return true;
  if (errno != ENOENT) fail("taking out of the map of cgroups", errno);
  return false;
}

void AttachStore::unpin() {
  remove_pins();
}

bool AttachStore::unpin_all() {
  struct stat about {};
  if (!is_bpffs()) return false;
  Inside inside;
  inside.take_lock();
  if (stat(kFolder, &about) != 0) return false;
  remove_pins();
  if (stat(kFolder, &about) == 0) fail(kFolder, EPERM);
  return true;
}

}  // namespace atcp::tool
