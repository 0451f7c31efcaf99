// SPDX-License-Identifier: GPL-2.0
//
// The commands about single sockets, and those that are chosen by a filter: show, kill.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "client.h"
#include "commands.h"
#include "format.h"
#include "json.h"
#include "watch.h"
#include "words.h"

namespace atcp::tool {
namespace {

int show(const Chosen& chosen, uint64_t id) {
  Client client;
  Socket s = client.socket(id);
  Processes programs = programs_of({}, {s});
  std::fputs((chosen.json ? json_text(to_json(s, programs)) : socket_detail(s, programs)).c_str(),
             stdout);
  return kExitOk;
}

int kill_those(const Chosen& chosen, const std::vector<std::string>& words) {
  Filter filter = parse_filter(words);
  if (filter.empty())
    throw Error("kill: which ones? At least one condition is needed (all: state connected)",
                kExitUsage);
  uint32_t count = Client().kill(filter);
  if (chosen.json)
    std::fputs(json_text({{"killed", count}}).c_str(), stdout);
  else
    std::printf("%s killed\n", plural(count, "socket", "sockets").c_str());
  return kExitOk;
}

}  // namespace

void add_socket_commands(Command& app, Chosen& chosen) {
  auto id = std::make_shared<uint64_t>(0);
  Command show_cmd = app.add("show", "everything about one socket");
  show_cmd.number("ID", *id, "its cookie, as `atcp sockets` shows it").required();
  show_cmd.when_given([&chosen, id] { chosen.work = [&chosen, id] { return show(chosen, *id); }; });

  auto words = std::make_shared<std::vector<std::string>>();
  Command kill_cmd = app.add("kill", "reset the connections that a filter names");
  kill_cmd.words("FILTER", *words, kFilterHelp);
  kill_cmd.when_given(
      [&chosen, words] { chosen.work = [&chosen, words] { return kill_those(chosen, *words); }; });
}

}  // namespace atcp::tool
