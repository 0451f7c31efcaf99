// SPDX-License-Identifier: GPL-2.0
//
// atcp run: becomes the given command, with the preload library that opens its TCP sockets as atcp
// sockets. Nothing is left running beside the command.
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "client.h"
#include "commands.h"
#include "run.h"
#include "settings.h"

namespace atcp::tool {
namespace {

// The shell's statuses for a command that could not be started.
constexpr int kExitNotRunnable = 126;
constexpr int kExitNotFound = 127;

std::string find_preload() {
  std::vector<std::string> candidates = preload_candidates(exe_folder());
  std::string looked;
  for (const std::string& path : candidates) {
    if (access(path.c_str(), R_OK) == 0) return path;
    looked += "\n  " + path;
  }
  throw Error(std::string("run: ") + kPreloadName + " was not found; looked for" + looked);
}

struct RunAsked {
  bool strict = false;
  std::string wire;                   ///< of the namespace; empty: as it is
  std::vector<std::string> settings;  ///< NAME=VALUE, of the program's sockets
};

/// What the kernel has to be told, and checked, before the program starts.
void prepare(const RunAsked& asked) {
  if (asked.wire.empty() && asked.settings.empty()) return;
  Client client;
  std::vector<Param> known = client.params();
  if (!asked.wire.empty() && param_by_name(known, "wire").value != asked.wire)
    client.set_params({{"wire", asked.wire}});
  if (!asked.settings.empty())
    setenv("ATCP_SET", socket_settings(known, parse_settings(asked.settings)).c_str(), 1);
}

int run(const std::vector<std::string>& command, const RunAsked& asked) {
  if (command.empty()) throw Error("run: a command is missing", kExitUsage);
  std::string preload = preload_value(find_preload(), std::getenv("LD_PRELOAD"));
  setenv("LD_PRELOAD", preload.c_str(), 1);
  prepare(asked);
  if (asked.strict) setenv("ATCP_STRICT", "1", 1);

  std::vector<char*> argv;
  for (const std::string& word : command)
    argv.push_back(const_cast<char*>(word.c_str()));  // execvp does not write to them
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  int status = errno == ENOENT ? kExitNotFound : kExitNotRunnable;
  throw Error("run: " + command[0] + ": " + std::strerror(errno), status);
}

}  // namespace

void add_run_command(Command& app, Chosen& chosen) {
  Command cmd = app.add("run", "run a program with its TCP sockets on atcp");
  cmd.footer(
      "Usage in full: atcp run [--strict] [--wire tcp|atcp] [--set NAME=VALUE]... [--] COMMAND "
      "[ARGUMENT...]\n");
  auto asked = std::make_shared<RunAsked>();
  cmd.flag("--strict", asked->strict,
           "fail where the module is missing or a setting is refused, instead of going on "
           "without");
  cmd.text("--wire", asked->wire, "before, set the namespace's parameter wire to this")
      .one_of({"tcp", "atcp"});
  cmd.words("--set", asked->settings,
            "NAME=VALUE: a parameter of the program's own sockets (may be repeated)");
  cmd.prefix();
  cmd.when_given([&chosen, cmd, asked] {
    chosen.work = [command = cmd.rest(), asked] { return run(command, *asked); };
  });
}

}  // namespace atcp::tool
