// SPDX-License-Identifier: GPL-2.0
//
// What happens, and what has happened: monitor follows the event stream, records shows the ring of
// connections that have ended.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "client.h"
#include "commands.h"
#include "events.h"
#include "follow.h"
#include "json.h"
#include "words.h"

namespace atcp::tool {
namespace {

struct MonitorAsked {
  Words words, kinds, reasons;
  uint64_t count = 0;  ///< 0: no end
  double seconds = 0;  ///< 0: no end
};

/// The numbers of reasons, of which the kernel knows the names.
std::vector<uint32_t> reason_numbers(Client& client, const Words& names) {
  if (names.empty()) return {};
  std::vector<Reason> all = client.reasons();
  std::vector<uint32_t> numbers;
  for (const std::string& name : names) {
    auto it = std::ranges::find_if(all, [&](const Reason& r) { return same_word(r.name, name); });
    if (it == all.end()) {
      Words known;
      for (const Reason& r : all)
        known.push_back(r.name);
      throw Error(unknown_word("reason", name, known), kExitUsage);
    }
    numbers.push_back(it->id);
  }
  return numbers;
}

/// On a terminal, unless the user has asked for none (no-color.org).
bool wants_colour() {
  const char* no = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) && !(no && *no);
}

int monitor(const Chosen& chosen, const MonitorAsked& asked) {
  Filter filter = parse_filter(asked.words);
  filter.events = event_kinds(asked.kinds);
  Client client;
  filter.reasons = reason_numbers(client, asked.reasons);
  const Clock clock = Clock::now();
  const bool colour = wants_colour();
  uint64_t left = asked.count;
  client.subscribe(filter);
  Following what;
  what.seconds = asked.seconds;
  what.on_event = [&](const Event& e) {
    std::fputs((chosen.json ? json_line(to_json(e)) : event_line(e, clock, colour) + "\n").c_str(),
               stdout);
    // A report of losses is none of those that were asked for.
    return asked.count == 0 || e.count || --left > 0;
  };
  what.when_quiet = [] { std::fflush(stdout); };
  follow(client, what);
  return kExitOk;
}

int records(const Chosen& chosen, const Words& words) {
  std::vector<Record> rows = Client().records(parse_filter(words));
  std::fputs((chosen.json ? json_text(to_json(rows)) : records_text(rows, Clock::now())).c_str(),
             stdout);
  return kExitOk;
}

}  // namespace

void add_event_commands(Command& app, Chosen& chosen) {
  auto asked = std::make_shared<MonitorAsked>();
  Command monitor_cmd = app.add("monitor", "what happens, as it happens: a line per event");
  monitor_cmd.words("FILTER", asked->words, kFilterHelp);
  monitor_cmd.words("--kind", asked->kinds,
                    "only these kinds, with commas between (may be repeated): state, drop, "
                    "retransmit, closed ... (atcp(8))");
  monitor_cmd.words("--reason", asked->reasons,
                    "of events that have a reason only this one (may be repeated)");
  monitor_cmd.number("--count", asked->count, "end after so many events");
  monitor_cmd.real("--seconds", asked->seconds, "end after so many seconds").between(0.1, 1e6);
  monitor_cmd.when_given(
      [&chosen, asked] { chosen.work = [&chosen, asked] { return monitor(chosen, *asked); }; });

  Command records_cmd =
      app.add("records", "connections that have ended: who ended them, why, and how they were");
  records_cmd.words("FILTER", asked->words, kFilterHelp);
  records_cmd.when_given([&chosen, asked] {
    chosen.work = [&chosen, asked] { return records(chosen, asked->words); };
  });
}

}  // namespace atcp::tool
