// SPDX-License-Identifier: GPL-2.0
//
// atcp load, unload, doctor: the module itself. Here are the facts about the host and the system
// calls; doctor.cpp and module_file.cpp decide what they mean.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/atcp.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "client.h"
#include "commands.h"
#include "doctor.h"
#include "json.h"
#include "run.h"
#include "settings.h"
#include "words.h"

namespace atcp::tool {
namespace {

namespace fs = std::filesystem;

std::string kernel_release() {
  utsname name{};
  uname(&name);
  return name.release;
}

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// The first line of a small file, empty if there is none.
std::string first_line(const std::string& path) {
  std::string line;
  std::ifstream in(path);
  std::getline(in, line);
  return line;
}

bool is_loaded() {
  return exists("/sys/module/atcp");
}

bool has_capability(unsigned cap) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("CapEff:")) return std::strtoull(line.c_str() + 7, nullptr, 16) >> cap & 1;
  return false;
}

/// The word in brackets of "none [integrity] confidentiality".
std::string chosen_word(const std::string& line) {
  size_t from = line.find('['), to = line.find(']');
  return from == line.npos || to == line.npos ? "" : line.substr(from + 1, to - from - 1);
}

std::string sysctl(const std::string& path) {
  return first_line("/proc/sys/" + path);
}

Facts gather() {
  Facts f;
  f.release = kernel_release();
  f.loaded = is_loaded();
  f.load_state = first_line("/sys/module/atcp/initstate");
  f.taint = first_line("/sys/module/atcp/taint");
  f.family_wanted = ATCP_GENL_VERSION;
  if (f.loaded) {
    try {
      Client client;
      f.family = client.version();
      f.wire = client.param("wire").value;
    } catch (const Error&) {
      // That it does not answer is what the doctor is asked about.
    }
  }
  f.files = find_modules(f.release, exe_folder());
  f.looked = preload_candidates(exe_folder());
  auto found = std::ranges::find_if(f.looked, exists);
  if (found != f.looked.end()) f.preload = *found;
  f.net_admin = has_capability(CAP_NET_ADMIN);
  f.sys_module = has_capability(CAP_SYS_MODULE);
  f.signatures = first_line("/sys/module/module/parameters/sig_enforce") == "Y";
  f.lockdown = chosen_word(first_line("/sys/kernel/security/lockdown"));
  f.btf = exists("/sys/kernel/btf/vmlinux");
  f.module_btf = exists("/sys/kernel/btf/atcp");
  f.mptcp = exists("/proc/sys/net/mptcp");
  f.kunit = exists("/sys/module/kunit") ||
            exists("/lib/modules/" + f.release + "/kernel/lib/kunit/kunit.ko") ||
            exists("/lib/modules/" + f.release + "/kernel/lib/kunit/kunit.ko.xz");
  f.nftables = exists("/sys/module/nf_tables");
  f.conntrack = exists("/sys/module/nf_conntrack");
  if (auto n = whole_number(sysctl("net/core/somaxconn"), ~uint32_t{0}))
    f.somaxconn = static_cast<uint32_t>(*n);
  return f;
}

int doctor(const Chosen& chosen) {
  std::vector<Answer> answers = diagnose(gather());
  std::fputs((chosen.json ? json_text(to_json(answers)) : doctor_text(answers)).c_str(), stdout);
  return healthy(answers) ? kExitOk : kExitFailed;
}

ModuleFile module_to_load(const std::string& path) {
  if (!path.empty()) return read_module(path);
  std::string release = kernel_release();
  std::vector<ModuleFile> files = find_modules(release, exe_folder());
  if (const ModuleFile* m = fitting(files, release)) return *m;
  throw Error(
      fmt::format("load: no atcp.ko for kernel {} was found ({} seen, for other kernels); "
                  "`make modules KDIR=/lib/modules/{}/build` builds it, or name the file",
                  release, files.size(), release));
}

std::string load_refusal(const ModuleFile& m, int err) {
  switch (err) {
    case EPERM:
      return "loading a module takes CAP_SYS_MODULE (sudo atcp load)";
    case ENOEXEC:
      return fmt::format("{} is for kernel {}, this one is {}", m.path,
                         m.release.empty() ? "?" : m.release, kernel_release());
    case EKEYREJECTED:
    case ENOKEY:
      return "this kernel loads only modules with a signature it knows";
    case EINVAL:
      return fmt::format("{} or a parameter of it was refused (dmesg tells more)", m.path);
    default:
      return fmt::format("{}: {} (dmesg may tell more)", m.path, std::strerror(err));
  }
}

/// Packed files are modprobe's business, which knows how to unpack them.
void insert(const ModuleFile& m, const std::string& parameters) {
  if (m.packed) {
    std::string command = fmt::format("modprobe atcp {}", parameters);
    if (std::system(command.c_str()) != 0) throw Error("load: " + command + " failed");
    return;
  }
  int fd = open(m.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Error(fmt::format("load: {}: {}", m.path, std::strerror(errno)));
  long done = syscall(SYS_finit_module, fd, parameters.c_str(), 0);
  int err = errno;
  close(fd);
  if (done != 0) throw Error("load: " + load_refusal(m, err));
}

bool is_name(const std::string& word) {
  return !word.empty() && std::ranges::all_of(word, [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c == '-' || c == ' ';
  });
}

int load(const std::vector<std::string>& words) {
  std::string path;
  std::vector<std::string> settings_words;
  for (const std::string& word : words) {
    if (word.find('=') != word.npos)
      settings_words.push_back(word);
    else if (path.empty())
      path = word;
    else
      throw Error(fmt::format("load: '{}' is neither NAME=VALUE nor the one file", word),
                  kExitUsage);
  }
  std::vector<Setting> settings;
  if (!settings_words.empty()) settings = parse_settings(settings_words);
  if (is_loaded()) throw Error("load: atcp is loaded already (atcp params sets its parameters)");
  ModuleFile m = module_to_load(path);
  if (m.name != "atcp") throw Error(fmt::format("load: {} is not the atcp module", m.path));
  std::string for_module;
  std::vector<Setting> for_namespace;
  for (const Setting& s : settings) {
    if (!is_name(s.name) || !is_name(s.value))
      throw Error(fmt::format("load: '{}={}' is no setting", s.name, s.value), kExitUsage);
    if (std::ranges::find(m.parameters, s.name) != m.parameters.end())
      for_module += fmt::format("{}={} ", s.name, s.value);
    else
      for_namespace.push_back(s);
  }
  insert(m, for_module);
  if (!for_namespace.empty()) {
    try {
      Client client;
      std::vector<Param> all = client.params();
      for (const Setting& s : for_namespace)
        param_by_name(all, s.name);
      client.set_params(for_namespace);
    } catch (const Error& e) {
      // Half of what was asked for is none: the module was not there before.
      syscall(SYS_delete_module, "atcp", O_NONBLOCK);
      throw Error(fmt::format("load: {} (so the module is not loaded)", e.what()), e.status());
    }
  }
  return kExitOk;
}

int unload() {
  if (!is_loaded()) throw Error("unload: atcp is not loaded");
  if (syscall(SYS_delete_module, "atcp", O_NONBLOCK) == 0) return kExitOk;
  switch (errno) {
    case EPERM:
      throw Error("unload: it takes CAP_SYS_MODULE (sudo atcp unload)");
    case EWOULDBLOCK:
    case EBUSY: {
      std::string users = first_line("/sys/module/atcp/refcnt");
      throw Error(fmt::format(
          "unload: in use ({} references): programs have sockets of it open (atcp sockets)",
          users.empty() ? "?" : users));
    }
    default:
      throw Error(fmt::format("unload: {}", std::strerror(errno)));
  }
}

}  // namespace

void add_module_commands(Command& app, Chosen& chosen) {
  Command load_cmd = app.add("load", "load the module that fits this kernel");
  auto words = std::make_shared<std::vector<std::string>>();
  load_cmd.words(
      "WORD", *words,
      "the file, if it is not the one that `atcp doctor` names; NAME=VALUE: a parameter of the "
      "module or of this namespace");
  load_cmd.when_given([&chosen, words] { chosen.work = [words] { return load(*words); }; });

  Command unload_cmd = app.add("unload", "take the module out of the kernel");
  unload_cmd.when_given([&chosen] { chosen.work = [] { return unload(); }; });

  Command doctor_cmd = app.add(
      "doctor", "is everything here that atcp needs, and what to type if not (1: something lacks)");
  doctor_cmd.when_given([&chosen] { chosen.work = [&chosen] { return doctor(chosen); }; });
}

}  // namespace atcp::tool
