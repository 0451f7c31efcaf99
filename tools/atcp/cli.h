// SPDX-License-Identifier: GPL-2.0
//
// The command line as the commands describe it. Behind this stands CLI11, whose headers take longer
// to compile than all the rest of the tool: only cli.cpp includes them.
#ifndef ATCP_TOOL_CLI_H
#define ATCP_TOOL_CLI_H

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace atcp::tool {

using Words = std::vector<std::string>;

/// What may be said about an option.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option& required();
  Option& one_of(const Words& words);
  Option& between(double least, double most);
  Option& excludes(const Option& other);
  /// Its value before parsing stands in the help.
  Option& with_default();

 private:
  CLI::Option* option_;
};

/// A command or subcommand. The parser keeps references to the values until it has run.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  Command add(const std::string& name, const std::string& help);
  /// names: "-p,--programs", or without dashes for a word that follows.
  Option flag(const std::string& names, bool& value, const std::string& help);
  Option text(const std::string& names, std::string& value, const std::string& help);
  Option number(const std::string& names, uint64_t& value, const std::string& help);
  Option real(const std::string& names, double& value, const std::string& help);
  /// All words that follow; of an option with dashes one each time it is given.
  Option words(const std::string& names, Words& value, const std::string& help);
  void footer(const std::string& text);
  /// Not in the help.
  void hide();
  /// The rest of the line, from the first word that is no option of this, belongs to a program.
  void prefix();
  Words rest() const;
  /// A subcommand of this one was given.
  bool has_chosen() const;
  /// To do when this command was given; before anything is run.
  void when_given(std::function<void()> then);

 private:
  CLI::App* app_;
};

/// A command as it was described, for completion in shells.
struct Described {
  std::string name, help;
  Words options;  ///< "--json", "-p"
  std::vector<Described> commands;
};

/// The whole of it.
class CommandLine {
 public:
  CommandLine(const std::string& help, const std::string& name);
  ~CommandLine();

  Command top();
  /// Options of the tool may stand behind a command's words, too; except behind those of `closed`.
  void options_anywhere(const std::string& closed);
  /// Without what is hidden.
  Described described() const;
  /// Throws Error (kExitUsage) over a command that does not exist. Nothing if all is well; else the exit status: 0 after --help, kExitUsage after telling what is
  /// wrong. args: without the tool's own name.
  std::optional<int> parse(Words args);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace atcp::tool

#endif  // ATCP_TOOL_CLI_H
