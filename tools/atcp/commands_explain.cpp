// SPDX-License-Identifier: GPL-2.0
//
// atcp explain: two samples of the kernel and what the rules say to them.
#include <cstdio>
#include <memory>

#include "commands.h"
#include "explain.h"
#include "json.h"
#include "watch.h"

namespace atcp::tool {
namespace {

int run_explain(const Chosen& chosen, const std::vector<std::string>& words, double seconds) {
  Filter filter = parse_filter(words);
  Client client;
  Sample before = take_sample(client, filter);
  sleep_seconds(seconds);
  Sample now = take_sample(client, filter);
  Change change(before, now);
  Findings found = explain(change);
  std::fputs((chosen.json ? json_text({{"seconds", change.seconds()}, {"findings", to_json(found)}})
                          : explain_text(found, change))
                 .c_str(),
             stdout);
  return kExitOk;
}

}  // namespace

void add_explain_command(Command& app, Chosen& chosen) {
  Command cmd = app.add("explain", "what is wrong here, in words");
  auto words = std::make_shared<std::vector<std::string>>();
  auto seconds = std::make_shared<double>(2);
  cmd.words("FILTER", *words, kFilterHelp);
  cmd.real("--seconds", *seconds, "how long to watch").between(0.1, 3600).with_default();
  cmd.when_given([&chosen, words, seconds] {
    chosen.work = [&chosen, words, seconds] { return run_explain(chosen, *words, *seconds); };
  });
}

}  // namespace atcp::tool
