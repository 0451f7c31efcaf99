// SPDX-License-Identifier: GPL-2.0
//
// atcp: the control tool. Here are the command line as a whole, `version`, and the way from an
// Error to a line on stderr and an exit status.
#include <algorithm>
#include <cstdio>
#include <exception>

#include "client.h"
#include "commands.h"
#include "json.h"
#include "run.h"

namespace atcp::tool {
namespace {

int version(const Chosen& chosen) {
  Json j = {{"tool", kVersion}};
  try {
    j["family"] = Client().version();
  } catch (const Error&) {
    // The tool's own version is worth telling without the module, too.
  }
  if (chosen.json)
    std::fputs(json_text(j).c_str(), stdout);
  else if (j.contains("family"))
    std::printf("atcp %s, module loaded (netlink version %u)\n", kVersion,
                j["family"].get<unsigned>());
  else
    std::printf("atcp %s, module not loaded\n", kVersion);
  return kExitOk;
}

int parse_and_run(int argc, char** argv) {
  CLI::App app("Look at and steer atcp, the second TCP of this kernel", "atcp");
  Chosen chosen;
  app.require_subcommand(1);
  app.add_flag("--json", chosen.json, "for programs: JSON instead of a table");
  add_params_command(app, chosen);
  add_show_commands(app, chosen);
  add_run_command(app, chosen);
  add_version_command(app, chosen);
  // --json may stand behind the command; the words of `run` belong to its program alone.
  for (CLI::App* cmd : app.get_subcommands(nullptr)) {
    cmd->fallthrough(cmd->get_name() != "run");
    for (CLI::App* sub : cmd->get_subcommands(nullptr))
      sub->fallthrough();
  }
  app.footer(
      "Exit status: 0 done, 1 refused or module missing, 2 wrong command line;\n"
      "`run`: the program's, or 126, 127 if it could not be started.\n");
  try {
    std::vector<std::string> args(argv + 1, argv + argc);
    drop_run_mark(args);
    std::ranges::reverse(args);  // as the parser wants them
    app.parse(std::move(args));
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kExitOk : kExitUsage;
  }
  return chosen.work();
}

}  // namespace

void add_version_command(CLI::App& app, Chosen& chosen) {
  CLI::App* cmd =
      app.add_subcommand("version", "versions of the tool and of the module's netlink family");
  cmd->callback([&chosen] { chosen.work = [&chosen] { return version(chosen); }; });
}

}  // namespace atcp::tool

int main(int argc, char** argv) {
  try {
    int status = atcp::tool::parse_and_run(argc, argv);
    // A full disk or a closed pipe must not look like success.
    if (std::fflush(stdout) != 0) {
      std::perror("atcp: stdout");
      return atcp::tool::kExitFailed;
    }
    return status;
  } catch (const atcp::tool::Error& e) {
    std::fprintf(stderr, "atcp: %s\n", e.what());
    return e.status();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "atcp: %s\n", e.what());
    return atcp::tool::kExitFailed;
  }
}
