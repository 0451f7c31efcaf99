// SPDX-License-Identifier: GPL-2.0
//
// What the command line can ask for. Each function adds its subcommands to the parser; a
// subcommand that was given puts the work into Chosen, which main runs after parsing.
#ifndef ATCP_TOOL_COMMANDS_H
#define ATCP_TOOL_COMMANDS_H

#include <functional>

#include "cli.h"

namespace atcp::tool {

/// The work to do and how its result is wanted.
struct Chosen {
  bool json = false;
  std::function<int()> work;  ///< returns the exit status; may throw Error
};

void add_params_command(Command& app, Chosen& chosen);
void add_show_commands(Command& app, Chosen& chosen);    ///< sockets, listeners, stats, reasons, cc
void add_socket_commands(Command& app, Chosen& chosen);  ///< show, kill
void add_explain_command(Command& app, Chosen& chosen);
void add_top_command(Command& app, Chosen& chosen);
void add_event_commands(Command& app, Chosen& chosen);  ///< monitor, records
void add_plot_command(Command& app, Chosen& chosen);
void add_module_commands(Command& app, Chosen& chosen);  ///< load, unload, doctor
void add_run_command(Command& app, Chosen& chosen);
void add_attach_commands(Command& app, Chosen& chosen);  ///< attach, detach, attached
void add_version_command(Command& app, Chosen& chosen);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_COMMANDS_H
