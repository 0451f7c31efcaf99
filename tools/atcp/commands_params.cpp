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

struct ParamsAsked {
  Words names, words;
  std::string name;
  uint64_t socket = 0;  ///< cookie; 0: the namespace
};

int list(const Chosen& chosen, const ParamsAsked& asked) {
  const Words& names = asked.names;
  std::vector<Param> all = Client().params(asked.socket);
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

int get(const Chosen& chosen, const ParamsAsked& asked) {
  Client client;
  check_names(client, {{asked.name, ""}});
  Param p = client.param(asked.name, asked.socket);
  std::fputs((chosen.json ? json_text(to_json(p)) : p.value + "\n").c_str(), stdout);
  return kExitOk;
}

int set(const ParamsAsked& asked) {
  std::vector<Setting> settings = parse_settings(asked.words);
  Client client;
  check_names(client, settings);
  client.set_params(settings, asked.socket);
  return kExitOk;
}

int reset(const ParamsAsked& asked) {
  Client client;
  std::vector<Setting> settings = reset_settings(client.params(), asked.names);
  if (asked.socket)
    client.reset_socket(asked.names, asked.socket);
  else if (!settings.empty())
    client.set_params(settings);
  return kExitOk;
}

}  // namespace

void add_params_command(Command& app, Chosen& chosen) {
  Command params = app.add("params", "show and set parameters of this network namespace");
  // The parser keeps references to it until it has run.
  auto asked = std::make_shared<ParamsAsked>();
  auto do_it = [&chosen, asked](Command cmd, auto work) {
    cmd.when_given(
        [&chosen, asked, work] { chosen.work = [asked, work] { return work(*asked); }; });
  };
  params.number("--socket", asked->socket,
                "of the one socket with this ID, instead of the namespace");
  params.when_given([&chosen, params, asked] {
    if (!params.has_chosen()) chosen.work = [&chosen, asked] { return list(chosen, *asked); };
  });

  Command list_cmd = params.add("list", "all of them, or those named");
  list_cmd.words("NAME", asked->names, "");
  do_it(list_cmd, [&chosen](const ParamsAsked& a) { return list(chosen, a); });

  Command get_cmd = params.add("get", "the value of one");
  get_cmd.text("NAME", asked->name, "").required();
  do_it(get_cmd, [&chosen](const ParamsAsked& a) { return get(chosen, a); });

  Command set_cmd =
      params.add("set", "NAME VALUE, or NAME=VALUE any number of times: all are set or none");
  set_cmd.words("SETTING", asked->words, "").required();
  do_it(set_cmd, set);

  Command reset_cmd = params.add(
      "reset", "back to the default (of a socket: to what it inherits): those named, or all");
  reset_cmd.words("NAME", asked->names, "");
  do_it(reset_cmd, reset);
}

}  // namespace atcp::tool
