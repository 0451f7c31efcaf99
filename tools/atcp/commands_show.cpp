// SPDX-License-Identifier: GPL-2.0
//
// The commands that only look: sockets, listeners, stats, reasons, cc, tables.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "client.h"
#include "commands.h"
#include "format.h"
#include "json.h"
#include "watch.h"

namespace atcp::tool {
namespace {

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

struct SocketsAsked {
  std::vector<std::string> words;
  std::vector<std::string> states;
  std::string listening = "yes";  ///< yes, no, only
  bool programs = false;
};

int sockets(const Chosen& chosen, const SocketsAsked& asked) {
  std::vector<std::string> words = asked.words;
  for (const std::string& name : asked.states)
    words.insert(words.end(), {"state", name});
  Filter filter = parse_filter(words);
  Client client;
  std::vector<Listener> listeners;
  std::vector<Socket> rows;
  if (asked.listening != "no") listeners = filtered_listeners(client, filter);
  if (asked.listening != "only") rows = client.sockets(filter);
  Processes programs;
  if (asked.programs) programs = programs_of(listeners, rows);
  if (chosen.json)
    print(json_text(
        {{"listeners", to_json(listeners, programs)}, {"sockets", to_json(rows, programs)}}));
  else
    print(sockets_text(listeners, rows, programs));
  return kExitOk;
}

int listeners(const Chosen& chosen, const std::vector<std::string>& words, bool detail) {
  Client client;
  std::vector<Listener> rows = filtered_listeners(client, parse_filter(words));
  if (chosen.json)
    print(json_text(to_json(rows, programs_of(rows, {}))));
  else
    print(detail ? listeners_detail(rows) : listeners_text(rows));
  return kExitOk;
}

/// Rows with a count of 0 are noise to a person who asks what happened.
template <class Row>
std::vector<Row> counted(std::vector<Row> rows, bool all) {
  if (!all) std::erase_if(rows, [](const Row& r) { return r.value == 0; });
  return rows;
}

struct StatsAsked {
  bool all = false, nonzero = false;
  double delta = 0;  ///< seconds between two readings; 0: the totals
};

int stats(const Chosen& chosen, const StatsAsked& asked) {
  Client client;
  std::vector<Counter> rows = client.counters();
  if (asked.delta > 0) {
    sleep_seconds(asked.delta);
    rows = growth(rows, client.counters());
  } else {
    rows = counted(std::move(rows), asked.all);
  }
  print(chosen.json ? json_text(to_json(rows)) : counters_text(rows));
  return kExitOk;
}

int reasons(const Chosen& chosen, bool all) {
  std::vector<Reason> rows = counted(Client().reasons(), all);
  print(chosen.json ? json_text(to_json(rows)) : reasons_text(rows));
  return kExitOk;
}

int ccs(const Chosen& chosen) {
  std::vector<Cc> rows = Client().ccs();
  print(chosen.json ? json_text(to_json(rows)) : ccs_text(rows));
  return kExitOk;
}

int tables(const Chosen& chosen) {
  Tables t = Client().tables();
  print(chosen.json ? json_text(to_json(t)) : tables_text(t));
  return kExitOk;
}

}  // namespace

void add_show_commands(Command& app, Chosen& chosen) {
  auto asked = std::make_shared<SocketsAsked>();
  auto all = std::make_shared<bool>(false);
  auto detail = std::make_shared<bool>(false);
  auto wanted = std::make_shared<StatsAsked>();

  Command sockets_cmd =
      app.add("sockets", "connections, half-open requests, TIME-WAIT entries, listeners");
  sockets_cmd.words("FILTER", asked->words, kFilterHelp);
  sockets_cmd.flag("-p,--programs", asked->programs, "which program has each open");
  sockets_cmd.words("--state", asked->states, "only this state, by ss's names (may be repeated)");
  sockets_cmd.text("--listening", asked->listening, "listeners: yes, no or only")
      .one_of({"yes", "no", "only"})
      .with_default();
  sockets_cmd.when_given(
      [&chosen, asked] { chosen.work = [&chosen, asked] { return sockets(chosen, *asked); }; });

  Command listeners_cmd = app.add("listeners", "queues, limits and counts of each listener");
  listeners_cmd.words("FILTER", asked->words, "as of sockets: src, sport, uid, id");
  listeners_cmd.flag("-v,--detail", *detail,
                     "each listener's ledger: what became of every SYN and third ACK, and why");
  listeners_cmd.when_given([&chosen, asked, detail] {
    chosen.work = [&chosen, asked, detail] { return listeners(chosen, asked->words, *detail); };
  });

  Command stats_cmd = app.add("stats", "counters that are not 0, under Linux's names");
  Option all_flag = stats_cmd.flag("--all", wanted->all, "those that are 0, too");
  Option nonzero =
      stats_cmd.flag("--nonzero", wanted->nonzero, "only those that are not 0, as without options");
  nonzero.excludes(all_flag);
  stats_cmd.real("--delta", wanted->delta, "what is counted within so many seconds")
      .between(0.1, 86400)
      .excludes(all_flag);
  stats_cmd.when_given(
      [&chosen, wanted] { chosen.work = [&chosen, wanted] { return stats(chosen, *wanted); }; });

  Command cc_cmd = app.add("cc", "congestion controls; a star: the default");
  cc_cmd.when_given([&chosen] { chosen.work = [&chosen] { return ccs(chosen); }; });

  Command tables_cmd =
      app.add("tables", "how full the tables and the memory of this namespace are");
  tables_cmd.when_given([&chosen] { chosen.work = [&chosen] { return tables(chosen); }; });

  Command reasons_cmd =
      app.add("reasons", "why segments were dropped and connections ended, and how often");
  reasons_cmd.flag("--all", *all, "those that never happened, too");
  reasons_cmd.when_given(
      [&chosen, all] { chosen.work = [&chosen, all] { return reasons(chosen, *all); }; });
}

}  // namespace atcp::tool
