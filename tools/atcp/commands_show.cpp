// SPDX-License-Identifier: GPL-2.0
//
// The commands that only look: sockets, listeners, stats, reasons.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "client.h"
#include "commands.h"
#include "format.h"
#include "json.h"

namespace atcp::tool {
namespace {

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

struct SocketFilter {
  std::vector<std::string> states;
  std::string listening = "yes";  ///< yes, no, only
};

std::vector<uint32_t> state_numbers(const std::vector<std::string>& names) {
  std::vector<uint32_t> numbers;
  for (const std::string& name : names) {
    numbers.push_back(state_number(name));
    if (numbers.back() == 0)
      throw Error("sockets: there is no state '" + name +
                      "' (established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, "
                      "close-wait, last-ack, closing, listening, closed)",
                  kExitUsage);
  }
  return numbers;
}

int sockets(const Chosen& chosen, const SocketFilter& filter) {
  std::vector<uint32_t> states = state_numbers(filter.states);
  auto wanted = [&](uint32_t state) {
    return states.empty() || std::ranges::find(states, state) != states.end();
  };
  Client client;
  std::vector<Listener> listeners;
  std::vector<Socket> rows;
  if (filter.listening != "no" && wanted(state_number("LISTEN"))) listeners = client.listeners();
  if (filter.listening != "only") rows = client.sockets();
  std::erase_if(rows, [&](const Socket& s) { return !wanted(s.state); });
  if (chosen.json)
    print(json_text({{"listeners", to_json(listeners)}, {"sockets", to_json(rows)}}));
  else
    print(sockets_text(listeners, rows));
  return kExitOk;
}

int listeners(const Chosen& chosen, bool detail) {
  std::vector<Listener> rows = Client().listeners();
  if (chosen.json)
    print(json_text(to_json(rows)));
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

int stats(const Chosen& chosen, bool all) {
  std::vector<Counter> rows = counted(Client().counters(), all);
  print(chosen.json ? json_text(to_json(rows)) : counters_text(rows));
  return kExitOk;
}

int reasons(const Chosen& chosen, bool all) {
  std::vector<Reason> rows = counted(Client().reasons(), all);
  print(chosen.json ? json_text(to_json(rows)) : reasons_text(rows));
  return kExitOk;
}

}  // namespace

void add_show_commands(CLI::App& app, Chosen& chosen) {
  auto filter = std::make_shared<SocketFilter>();
  auto all = std::make_shared<bool>(false);
  auto detail = std::make_shared<bool>(false);

  CLI::App* sockets_cmd = app.add_subcommand(
      "sockets", "connections, half-open requests, TIME-WAIT entries, listeners");
  sockets_cmd
      ->add_option("--state", filter->states, "only this state, by ss's names (may be repeated)")
      ->expected(1)
      ->take_all();
  sockets_cmd->add_option("--listening", filter->listening, "listeners: yes, no or only")
      ->check(CLI::IsMember({"yes", "no", "only"}))
      ->capture_default_str();
  sockets_cmd->callback(
      [&chosen, filter] { chosen.work = [&chosen, filter] { return sockets(chosen, *filter); }; });

  CLI::App* listeners_cmd =
      app.add_subcommand("listeners", "queues, limits and counts of each listener");
  listeners_cmd->add_flag(
      "-v,--detail", *detail,
      "each listener's ledger: what became of every SYN and third ACK, and why");
  listeners_cmd->callback([&chosen, detail] {
    chosen.work = [&chosen, detail] { return listeners(chosen, *detail); };
  });

  CLI::App* stats_cmd = app.add_subcommand("stats", "counters that are not 0, under Linux's names");
  stats_cmd->add_flag("--all", *all, "those that are 0, too");
  stats_cmd->callback(
      [&chosen, all] { chosen.work = [&chosen, all] { return stats(chosen, *all); }; });

  CLI::App* reasons_cmd = app.add_subcommand(
      "reasons", "why segments were dropped and connections ended, and how often");
  reasons_cmd->add_flag("--all", *all, "those that never happened, too");
  reasons_cmd->callback(
      [&chosen, all] { chosen.work = [&chosen, all] { return reasons(chosen, *all); }; });
}

}  // namespace atcp::tool
