// SPDX-License-Identifier: GPL-2.0
//
// The BPF programs of tools/bpf and their map of cgroups, which live in the kernel, pinned in bpffs,
// from the first `atcp attach` to the last `atcp detach`. All of libbpf is behind this.
#ifndef ATCP_TOOL_ATTACH_BPF_H
#define ATCP_TOOL_ATTACH_BPF_H

#include <cstdint>
#include <memory>
#include <vector>

namespace atcp::tool {

/// Throws Error if this kernel cannot do it, and says what can be done instead.
void require_attach();

/// The kernel knows atcp. It asks modprobe for it if not, where it is installed.
bool atcp_registered();

struct AttachEntry {
  uint64_t id = 0;  ///< of the cgroup
  bool strict = false;
  uint64_t sockets = 0;
};

/// One at a time in the machine: who has it, others wait for him. Functions throw Error.
class AttachStore {
 public:
  /// Those that are pinned; nothing if none are.
  static std::unique_ptr<AttachStore> find();
  /// Those that are pinned, or new ones.
  static std::unique_ptr<AttachStore> find_or_make();
  ~AttachStore();

  std::vector<AttachEntry> entries() const;
  /// Adds it or changes `strict`. False: there is no room.
  bool put(uint64_t id, bool strict);
  /// False: it was not there.
  bool erase(uint64_t id);
  /// Ends the programs; the sockets that are there stay what they are.
  void unpin();
  /// The same whatever is pinned, be it another version's. False: nothing was.
  static bool unpin_all();

 private:
  struct Inside;
  explicit AttachStore(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace atcp::tool

#endif  // ATCP_TOOL_ATTACH_BPF_H
