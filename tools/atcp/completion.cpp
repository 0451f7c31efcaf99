// SPDX-License-Identifier: GPL-2.0
//
// Two small scripts around one table: which words may follow which command. Names of parameters are
// asked of the tool itself, when the key is pressed.
#include "completion.h"

#include <fmt/format.h>

#include <map>

#include "events.h"

namespace atcp::tool {
namespace {

constexpr const char* kMade =
    "# SPDX-License-Identifier: GPL-2.0\n# Printed by `atcp completion SHELL`.\n";

/// The words that may follow each command, by the command's words ("", "params", "params set").
std::map<std::string, Words> followers(const Described& d, const std::string& path, bool top) {
  std::map<std::string, Words> found;
  Words words = d.options;
  for (const Described& sub : d.commands) {
    std::string below = path.empty() ? sub.name : path + " " + sub.name;
    words.push_back(sub.name);
    found.merge(followers(sub, below, false));
  }
  if (!top) words.insert(words.end(), {"--json", "--netns"});
  found[path] = words;
  return found;
}

}  // namespace

std::string bash_completion(const Described& tool) {
  std::string cases;
  for (const auto& [path, words] : followers(tool, "", true))
    cases += fmt::format("  \"{}\") words=\"{}\" ;;\n", path, fmt::join(words, " "));
  return fmt::format(
      R"sh({}_atcp() {{
  local word path= words= i
  word=${{COMP_WORDS[COMP_CWORD]}}
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
    --netns) ((i++)) ;;
    -*) ;;
    *)
      case "$path ${{COMP_WORDS[i]}}" in
      " "[a-z]* | " params "*) path="${{path:+$path }}${{COMP_WORDS[i]}}" ;;
      esac
      [[ $path != params ]] && break
      ;;
    esac
  done
  case ${{COMP_WORDS[COMP_CWORD - 1]}} in
  --netns) words=$(ls /run/netns 2>/dev/null) ;;
  --kind) words="{}" ;;
  --reason) words=$(atcp reasons --all 2>/dev/null | awk 'NR > 1 {{ print $1 }}') ;;
  -o | --output | --data) compopt -o default; return ;;
  esac
  if [[ $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    return
  fi
  case $path in
{}  run) compopt -o default; return ;;
  esac
  case $path in
  "params "*) words="$words $(atcp params list 2>/dev/null | awk 'NR > 1 {{ print $1 == "*" ? $2 : $1 }}')" ;;
  attach) words="$words $(cd /sys/fs/cgroup 2>/dev/null && compgen -d -- "$word")" ;;
  detach) words="$words $(atcp attached 2>/dev/null | awk '/^[/]/ {{ print $1 }}')" ;;
  sockets | listeners | kill | explain | top | monitor | records) words="$words state exclude src dst sport dport uid cc listener id" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -F _atcp atcp
)sh",
      kMade, fmt::join(event_kind_names(), " "), cases);
}

std::string zsh_completion(const Described& tool) {
  // zsh runs bash's script through its own emulation; one table is enough.
  return fmt::format("#compdef atcp\n{}autoload -U +X bashcompinit && bashcompinit\n{}", kMade,
                     bash_completion(tool).substr(std::string_view(kMade).size()));
}

}  // namespace atcp::tool
