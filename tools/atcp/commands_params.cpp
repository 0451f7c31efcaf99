// SPDX-License-Identifier: GPL-2.0
//
// atcp params: list, get, set, reset.
#include <cstdio>
#include <memory>

#include "client.h"
#include "commands.h"
#include "format.h"
#include "json.h"
#include "settings.h"

namespace atcp::tool {
namespace {

using Words = std::vector<std::string>;

int list(const Chosen& chosen, const Words& names) {
  std::vector<Param> all = Client().params();
  std::vector<Param> wanted;
  for (const std::string& name : names)
    wanted.push_back(param_by_name(all, name));
  const std::vector<Param>& rows = names.empty() ? all : wanted;
  std::fputs((chosen.json ? json_text(to_json(rows)) : params_text(rows)).c_str(), stdout);
  return kExitOk;
}

/// The kernel only says that a name is unknown; the list knows which one was meant.
void check_names(Client& client, const std::vector<Setting>& settings) {
  std::vector<Param> all = client.params();
  for (const Setting& s : settings)
    param_by_name(all, s.name);
}

int get(const Chosen& chosen, const std::string& name) {
  Client client;
  check_names(client, {{name, ""}});
  Param p = client.param(name);
  std::fputs((chosen.json ? json_text(to_json(p)) : p.value + "\n").c_str(), stdout);
  return kExitOk;
}

int set(const Words& words) {
  std::vector<Setting> settings = parse_settings(words);
  Client client;
  check_names(client, settings);
  client.set_params(settings);
  return kExitOk;
}

int reset(const Words& names) {
  Client client;
  std::vector<Setting> settings = reset_settings(client.params(), names);
  if (!settings.empty()) client.set_params(settings);
  return kExitOk;
}

}  // namespace

void add_params_command(CLI::App& app, Chosen& chosen) {
  CLI::App* params =
      app.add_subcommand("params", "show and set parameters of this network namespace");
  params->require_subcommand(0, 1);
  // The parser keeps references to these until it has run.
  auto names = std::make_shared<Words>();
  auto words = std::make_shared<Words>();
  auto name = std::make_shared<std::string>();

  params->callback([&chosen, params, names] {
    if (params->get_subcommands().empty())
      chosen.work = [&chosen, names] { return list(chosen, *names); };
  });

  CLI::App* list_cmd = params->add_subcommand("list", "all of them, or those named");
  list_cmd->add_option("NAME", *names);
  list_cmd->callback(
      [&chosen, names] { chosen.work = [&chosen, names] { return list(chosen, *names); }; });

  CLI::App* get_cmd = params->add_subcommand("get", "the value of one");
  get_cmd->add_option("NAME", *name)->required();
  get_cmd->callback(
      [&chosen, name] { chosen.work = [&chosen, name] { return get(chosen, *name); }; });

  CLI::App* set_cmd = params->add_subcommand(
      "set", "NAME VALUE, or NAME=VALUE any number of times: all are set or none");
  set_cmd->add_option("SETTING", *words)->required();
  set_cmd->callback([&chosen, words] { chosen.work = [words] { return set(*words); }; });

  CLI::App* reset_cmd = params->add_subcommand("reset", "back to the default: those named, or all");
  reset_cmd->add_option("NAME", *names);
  reset_cmd->callback([&chosen, names] { chosen.work = [names] { return reset(*names); }; });
}

}  // namespace atcp::tool
