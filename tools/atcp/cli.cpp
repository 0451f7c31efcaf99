// SPDX-License-Identifier: GPL-2.0
//
// The wrapper around CLI11.
#include "cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "model.h"
#include "words.h"

namespace atcp::tool {
namespace {

Described describe(const CLI::App& app) {
  Described d{app.get_name(), app.get_description(), {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_snames())
      d.options.push_back("-" + name);
    for (const std::string& name : option->get_lnames())
      d.options.push_back("--" + name);
  }
  for (const CLI::App* command : app.get_subcommands(nullptr))
    if (!command->get_group().empty()) d.commands.push_back(describe(*command));
  return d;
}

/// Those that are not hidden.
Words names_of_commands(const CLI::App& app) {
  Words names;
  for (const Described& command : describe(app).commands)
    names.push_back(command.name);
  return names;
}

}  // namespace

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::one_of(const Words& words) {
  option_->check(CLI::IsMember(words));
  return *this;
}

Option& Option::between(double least, double most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option& Option::excludes(const Option& other) {
  option_->excludes(other.option_);
  return *this;
}

Option& Option::with_default() {
  option_->capture_default_str();
  return *this;
}

Command Command::add(const std::string& name, const std::string& help) {
  return Command(app_->add_subcommand(name, help));
}

Option Command::flag(const std::string& names, bool& value, const std::string& help) {
  return Option(app_->add_flag(names, value, help));
}

Option Command::text(const std::string& names, std::string& value, const std::string& help) {
  return Option(app_->add_option(names, value, help));
}

Option Command::number(const std::string& names, uint64_t& value, const std::string& help) {
  return Option(app_->add_option(names, value, help));
}

Option Command::real(const std::string& names, double& value, const std::string& help) {
  return Option(app_->add_option(names, value, help));
}

Option Command::words(const std::string& names, Words& value, const std::string& help) {
  CLI::Option* option = app_->add_option(names, value, help);
  if (names.starts_with('-')) option->expected(1)->take_all()->allow_extra_args(false);
  return Option(option);
}

void Command::footer(const std::string& text) {
  app_->footer(text);
}

void Command::hide() {
  app_->group("");
}

void Command::prefix() {
  app_->prefix_command();
}

Words Command::rest() const {
  return app_->remaining();
}

bool Command::has_chosen() const {
  return !app_->get_subcommands().empty();
}

void Command::when_given(std::function<void()> then) {
  app_->callback(std::move(then));
}

CommandLine::CommandLine(const std::string& help, const std::string& name)
    : app_(std::make_unique<CLI::App>(help, name)) {
  app_->require_subcommand(1);
}

CommandLine::~CommandLine() = default;

Command CommandLine::top() {
  return Command(app_.get());
}

void CommandLine::options_anywhere(const std::string& closed) {
  for (CLI::App* cmd : app_->get_subcommands(nullptr)) {
    cmd->fallthrough(cmd->get_name() != closed);
    for (CLI::App* sub : cmd->get_subcommands(nullptr))
      sub->fallthrough();
  }
}

Described CommandLine::described() const {
  return describe(*app_);
}

std::optional<int> CommandLine::parse(Words args) {
  try {
    std::ranges::reverse(args);  // as the parser wants them
    app_->parse(std::move(args));
  } catch (const CLI::ParseError& e) {
    // The parser only tells that a command is missing.
    Words rest = app_->remaining();
    auto word =
        std::ranges::find_if(rest, [](const std::string& w) { return !w.starts_with('-'); });
    if (e.get_exit_code() != 0 && app_->get_subcommands().empty() && word != rest.end())
      throw Error(unknown_word("command", *word, names_of_commands(*app_)), kExitUsage);
    return app_->exit(e) == 0 ? kExitOk : kExitUsage;
  }
  return std::nullopt;
}

}  // namespace atcp::tool
