// SPDX-License-Identifier: GPL-2.0
//
// Where the preload library is, and how its environment and the command line of `atcp run` look.
#include "run.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "settings.h"

namespace atcp::tool {

std::string exe_folder() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().string();
}

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

std::string socket_settings(const std::vector<Param>& known, const std::vector<Setting>& settings) {
  std::string text;
  for (const Setting& s : settings) {
    const Param& p = param_by_name(known, s.name);
    if (!p.per_socket)
      throw Error("run: " + s.name +
                  " belongs to the namespace and not to single sockets (atcp params set " + s.name +
                  "=" + s.value + ")");
    if (s.value.empty() || s.value.find_first_of(" \t\n") != s.value.npos)
      throw Error("run: '" + s.name + "=" + s.value + "': one value without blanks is needed",
                  kExitUsage);
    text += (text.empty() ? "" : " ") + s.name + "=" + s.value;
  }
  return text;
}

std::string preload_value(const std::string& library, const char* old) {
  return old && *old ? library + ":" + old : library;
}

void drop_run_mark(std::vector<std::string>& args) {
  static constexpr std::string_view kWithValue[] = {"--netns", "--wire", "--set"};
  // The first word that is neither an option nor the value of one, from here on.
  auto next_word = [&](auto from) {
    while (from != args.end() && from->starts_with('-') && *from != "--") {
      bool takes_next = std::ranges::find(kWithValue, *from) != std::end(kWithValue);
      from += takes_next && from + 1 != args.end() ? 2 : 1;
    }
    return from;
  };
  auto command = next_word(args.begin());
  if (command == args.end() || *command != "run") return;
  auto mark = next_word(command + 1);
  if (mark != args.end() && *mark == "--") args.erase(mark);
}

}  // namespace atcp::tool
