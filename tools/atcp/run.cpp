// SPDX-License-Identifier: GPL-2.0
//
// atcp run: becomes the given command, with the preload library that opens its TCP sockets as atcp
// sockets. Nothing is left running beside the command.
#include "run.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "commands.h"
#include "model.h"

namespace atcp::tool {
namespace {

// The shell's statuses for a command that could not be started.
constexpr int kExitNotRunnable = 126;
constexpr int kExitNotFound = 127;

std::string find_preload() {
  std::error_code ignored;
  std::filesystem::path exe = std::filesystem::read_symlink("/proc/self/exe", ignored);
  std::vector<std::string> candidates = preload_candidates(exe.parent_path().string());
  std::string looked;
  for (const std::string& path : candidates) {
    if (access(path.c_str(), R_OK) == 0) return path;
    looked += "\n  " + path;
  }
  throw Error(std::string("run: ") + kPreloadName + " was not found; looked for" + looked);
}

int run(const std::vector<std::string>& command, bool strict) {
  if (command.empty()) throw Error("run: a command is missing", kExitUsage);
  std::string preload = preload_value(find_preload(), std::getenv("LD_PRELOAD"));
  setenv("LD_PRELOAD", preload.c_str(), 1);
  if (strict) setenv("ATCP_STRICT", "1", 1);

  std::vector<char*> argv;
  for (const std::string& word : command)
    argv.push_back(const_cast<char*>(word.c_str()));  // execvp does not write to them
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  int status = errno == ENOENT ? kExitNotFound : kExitNotRunnable;
  throw Error("run: " + command[0] + ": " + std::strerror(errno), status);
}

}  // namespace

std::vector<std::string> preload_candidates(const std::string& exe_dir) {
  std::vector<std::string> paths;
  if (!exe_dir.empty()) {
    paths.push_back(exe_dir + "/" + kPreloadName);
    paths.push_back(exe_dir + "/preload/" + kPreloadName);
  }
  for (const char* dir : {"/usr/local/lib/atcp/", "/usr/lib/atcp/"})
    paths.push_back(std::string(dir) + kPreloadName);
  return paths;
}

std::string preload_value(const std::string& library, const char* old) {
  return old && *old ? library + ":" + old : library;
}

void drop_run_mark(std::vector<std::string>& args) {
  auto is_word = [](const std::string& arg) { return !arg.starts_with('-'); };
  auto command = std::ranges::find_if(args, is_word);
  if (command == args.end() || *command != "run") return;
  auto mark = std::find_if(command + 1, args.end(),
                           [&](const std::string& arg) { return arg == "--" || is_word(arg); });
  if (mark != args.end() && *mark == "--") args.erase(mark);
}

void add_run_command(CLI::App& app, Chosen& chosen) {
  CLI::App* cmd = app.add_subcommand("run", "run a program with its TCP sockets on atcp");
  cmd->footer("Usage in full: atcp run [--strict] [--] COMMAND [ARGUMENT...]\n");
  auto strict = std::make_shared<bool>(false);
  cmd->add_flag("--strict", *strict,
                "fail where the module is missing, instead of using the kernel's TCP");
  cmd->prefix_command();
  cmd->callback([&chosen, cmd, strict] {
    chosen.work = [command = cmd->remaining(), strict] { return run(command, *strict); };
  });
}

}  // namespace atcp::tool
