// SPDX-License-Identifier: GPL-2.0
//
// atcp attach, detach, attached: all programs of a cgroup on atcp, unmodified and without the preload
// library, as far as the kernel has a place for a BPF program to decide it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

#include "attach.h"
#include "attach_bpf.h"
#include "attach_map.h"
#include "cgroup.h"
#include "commands.h"
#include "json.h"
#include "model.h"

namespace atcp::tool {
namespace {

struct AttachAsked {
  std::string cgroup;
  bool self = false;
  bool strict = false, force = false, all = false;
};

std::string contents(const char* path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

Cgroup asked_cgroup(const std::string& mount, const AttachAsked& asked) {
  return find_cgroup(mount, asked.self ? own_cgroup(contents("/proc/self/cgroup")) : asked.cgroup);
}

/// Entries of cgroups that were removed leave; rows of all that there were.
std::vector<Attached> sweep(AttachStore& store, const std::string& mount) {
  std::vector<Attached> rows;
  for (const AttachEntry& e : store.entries()) {
    Attached row;
    row.id = e.id;
    row.strict = e.strict;
    row.sockets = e.sockets;
    row.gone = cgroup_by_id(mount, e.id, row.path) == CgroupState::kGone;
    if (row.gone) store.erase(e.id);
    rows.push_back(row);
  }
  sort_attached(rows);
  return rows;
}

/// The last one out ends the programs.
void end_if_empty(AttachStore& store) {
  if (store.entries().empty()) store.unpin();
}

int attach(const AttachAsked& asked) {
  if (asked.self != asked.cgroup.empty())
    throw Error(
        "attach: one CGROUP is needed, or --self (atcp attached lists those that are attached)",
        kExitUsage);
  require_attach();
  std::string mount = cgroup_mount();
  Cgroup cgroup = asked_cgroup(mount, asked);
  if (cgroup.level >= ATCP_ATTACH_LEVELS)
    throw Error(fmt::format("attach: {} is too deep: {} levels, {} is the limit", cgroup.path,
                            cgroup.level, ATCP_ATTACH_LEVELS - 1));
  if (!asked.force && !atcp_registered())
    throw Error(
        "attach: the module is not loaded (atcp load); with --force all the same: sockets are then "
        "the kernel's TCP until it is, or refused, with --strict");
  std::unique_ptr<AttachStore> store = AttachStore::find_or_make();
  try {
    sweep(*store, mount);
    if (!store->put(cgroup.id, asked.strict))
      throw Error(fmt::format("attach: {} cgroups are attached, more do not fit (atcp attached)",
                              int{ATCP_ATTACH_CGROUPS}));
  } catch (const Error&) {
    end_if_empty(*store);
    throw;
  }
  return kExitOk;
}

int detach(const AttachAsked& asked) {
  if (int{asked.self} + !asked.cgroup.empty() + asked.all != 1)
    throw Error("detach: one CGROUP is needed, or --self, or --all", kExitUsage);
  if (asked.all) {
    if (!AttachStore::unpin_all()) throw Error("detach: nothing is attached");
    return kExitOk;
  }
  std::string mount = cgroup_mount();
  Cgroup cgroup = asked_cgroup(mount, asked);
  std::unique_ptr<AttachStore> store = AttachStore::find();
  if (!store || !store->erase(cgroup.id))
    throw Error(fmt::format("detach: {} is not attached (atcp attached)", cgroup.path));
  sweep(*store, mount);
  end_if_empty(*store);
  return kExitOk;
}

int attached(const Chosen& chosen) {
  std::vector<Attached> rows;
  std::string mount = cgroup_mount();
  if (std::unique_ptr<AttachStore> store = AttachStore::find()) {
    rows = sweep(*store, mount);
    end_if_empty(*store);
  }
  // Only a look: this must not make the kernel load it.
  bool registered = contents("/sys/module/atcp/initstate").starts_with("live");
  std::fputs((chosen.json ? json_text(to_json(rows)) : attached_text(rows, registered)).c_str(),
             stdout);
  return kExitOk;
}

}  // namespace

void add_attach_commands(Command& app, Chosen& chosen) {
  auto asked = std::make_shared<AttachAsked>();
  constexpr const char* kCgroupHelp =
      "path of a control group, from the root or from where cgroup2 is mounted";
  constexpr const char* kSelfHelp = "the one in which this command runs (ExecStartPre=)";
  Command attach_cmd =
      app.add("attach", "TCP sockets that a cgroup's programs make are atcp's from now on");
  attach_cmd.text("CGROUP", asked->cgroup, kCgroupHelp);
  attach_cmd.flag("--self", asked->self, kSelfHelp);
  attach_cmd.flag("--strict", asked->strict,
                  "refuse sockets while the module is missing, instead of the kernel's TCP");
  attach_cmd.flag("--force", asked->force, "also if the module is not loaded, and do not load it");
  attach_cmd.when_given([&chosen, asked] { chosen.work = [asked] { return attach(*asked); }; });

  Command detach_cmd = app.add("detach", "a cgroup's new sockets are the kernel's TCP again");
  detach_cmd.text("CGROUP", asked->cgroup, kCgroupHelp);
  detach_cmd.flag("--self", asked->self, kSelfHelp);
  detach_cmd.flag("--all", asked->all, "every attached cgroup");
  detach_cmd.when_given([&chosen, asked] { chosen.work = [asked] { return detach(*asked); }; });

  Command attached_cmd =
      app.add("attached", "the cgroups that are attached; those that were removed leave the list");
  attached_cmd.when_given([&chosen] { chosen.work = [&chosen] { return attached(chosen); }; });
}

}  // namespace atcp::tool
