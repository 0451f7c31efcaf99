// SPDX-License-Identifier: GPL-2.0
//
// What the command line can ask for. Each function adds its subcommands to the parser; a
// subcommand that was given puts the work into Chosen, which main runs after parsing.
#ifndef ATCP_TOOL_COMMANDS_H
#define ATCP_TOOL_COMMANDS_H

#include <CLI/CLI.hpp>
#include <functional>

namespace atcp::tool {

/// The work to do and how its result is wanted.
struct Chosen {
  bool json = false;
  std::function<int()> work;  ///< returns the exit status; may throw Error
};

void add_params_command(CLI::App& app, Chosen& chosen);
void add_show_commands(CLI::App& app, Chosen& chosen);  ///< sockets, listeners, stats, reasons
void add_run_command(CLI::App& app, Chosen& chosen);
void add_version_command(CLI::App& app, Chosen& chosen);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_COMMANDS_H
