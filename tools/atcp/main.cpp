// SPDX-License-Identifier: GPL-2.0
//
// atcp: the control tool. Here are the command line as a whole, `version`, and the way from an
// Error to a line on stderr and an exit status.
#include <cstdio>
#include <exception>

#include "client.h"
#include "commands.h"
#include "completion.h"
#include "json.h"
#include "netns.h"
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

int completion_script(const Described& tool, const std::string& shell) {
  std::fputs((shell == "bash" ? bash_completion(tool) : zsh_completion(tool)).c_str(), stdout);
  return kExitOk;
}

int parse_and_run(int argc, char** argv) {
  CommandLine line("Look at and steer atcp, the second TCP of this kernel", "atcp");
  Command app = line.top();
  Chosen chosen;
  std::string netns;
  app.flag("--json", chosen.json, "for programs: JSON instead of a table");
  app.text("--netns", netns, "the network namespace of this name (ip netns) instead of one's own");
  add_params_command(app, chosen);
  add_show_commands(app, chosen);
  add_socket_commands(app, chosen);
  add_explain_command(app, chosen);
  add_top_command(app, chosen);
  add_event_commands(app, chosen);
  add_plot_command(app, chosen);
  add_module_commands(app, chosen);
  add_run_command(app, chosen);
  add_attach_commands(app, chosen);
  add_version_command(app, chosen);
  std::string shell;
  Command completion =
      app.add("completion", "the script by which a shell completes this tool's words");
  completion.text("SHELL", shell, "").required().one_of({"bash", "zsh"});
  completion.hide();
  completion.when_given([&chosen, &line, &shell] {
    chosen.work = [&line, &shell] { return completion_script(line.described(), shell); };
  });
  // --json may stand behind the command; the words of `run` belong to its program alone.
  line.options_anywhere("run");
  app.footer(
      "Exit status: 0 done, 1 refused or module missing (doctor: something lacks),\n"
      "2 wrong command line; `run`: the program's, or 126, 127 if it could not be started.\n");
  Words args(argv + 1, argv + argc);
  drop_run_mark(args);
  if (std::optional<int> status = line.parse(std::move(args))) return *status;
  if (!netns.empty()) enter_netns(netns);
  return chosen.work();
}

}  // namespace

void add_version_command(Command& app, Chosen& chosen) {
  Command cmd = app.add("version", "versions of the tool and of the module's netlink family");
  cmd.when_given([&chosen] { chosen.work = [&chosen] { return version(chosen); }; });
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
