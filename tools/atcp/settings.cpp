// SPDX-License-Identifier: GPL-2.0
//
// Reading of NAME VALUE and NAME=VALUE, and words for what the kernel refused.
#include "settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "words.h"

namespace atcp::tool {
namespace {

constexpr size_t kLongest = 1000;  ///< far above what the kernel takes, far below 64 KB

void check_length(const Setting& s) {
  if (s.name.size() > kLongest || s.value.size() > kLongest)
    throw Error("params set: that is too long to be a parameter", kExitUsage);
}

}  // namespace

std::vector<Setting> parse_settings(const std::vector<std::string>& words) {
  if (words.empty()) throw Error("params set: NAME VALUE or NAME=VALUE is missing", kExitUsage);
  std::vector<Setting> settings;
  if (words[0].find('=') == std::string::npos) {
    if (words.size() == 1)
      throw Error(fmt::format("params set: a value for {} is missing", words[0]), kExitUsage);
    settings.push_back(
        {words[0], fmt::format("{}", fmt::join(words.begin() + 1, words.end(), " "))});
    check_length(settings.back());
    return settings;
  }
  for (const std::string& word : words) {
    size_t eq = word.find('=');
    if (eq == std::string::npos || eq == 0)
      throw Error(fmt::format("params set: '{}' is not NAME=VALUE", word), kExitUsage);
    settings.push_back({word.substr(0, eq), word.substr(eq + 1)});
    check_length(settings.back());
  }
  return settings;
}

std::string nearest_name(const std::vector<Param>& params, std::string_view name) {
  std::vector<std::string> names;
  for (const Param& p : params)
    names.push_back(p.name);
  return nearest_word(names, name);
}

const Param& param_by_name(const std::vector<Param>& params, std::string_view name) {
  auto it = std::ranges::find(params, name, &Param::name);
  if (it != params.end()) return *it;
  std::string nearest = nearest_name(params, name);
  throw Error(nearest.empty()
                  ? fmt::format("there is no parameter '{}' (atcp params lists them)", name)
                  : fmt::format("there is no parameter '{}'; did you mean {}?", name, nearest));
}

std::string set_refusal(const std::vector<Setting>& settings, const std::string& why) {
  if (settings.size() != 1) return fmt::format("cannot set (so none is set): {}", why);
  const Setting& s = settings[0];
  std::string must = why;
  size_t colon = why.find(": ");
  if (why.starts_with(s.name + "=") || why.starts_with(s.name + ":"))
    if (colon != std::string::npos) must = why.substr(colon + 2);
  return fmt::format("cannot set {} to '{}': {}", s.name, s.value, must);
}

std::vector<Setting> reset_settings(const std::vector<Param>& params,
                                    const std::vector<std::string>& names) {
  std::vector<Setting> settings;
  if (names.empty()) {
    for (const Param& p : params)
      if (p.value != p.def) settings.push_back({p.name, p.def});
  }
  for (const std::string& name : names) {
    const Param& p = param_by_name(params, name);
    settings.push_back({p.name, p.def});
  }
  return settings;
}

}  // namespace atcp::tool
