// SPDX-License-Identifier: GPL-2.0
//
// Reading of NAME VALUE and NAME=VALUE, and edit distance for "did you mean".
#include "settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace atcp::tool {
namespace {

constexpr size_t kLongest = 1000;  ///< far above what the kernel takes, far below 64 KB

void check_length(const Setting& s) {
  if (s.name.size() > kLongest || s.value.size() > kLongest)
    throw Error("params set: that is too long to be a parameter", kExitUsage);
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); i++) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); j++) {
      size_t swap = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({swap, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
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
  // A third of the letters may be wrong; a name that begins as given is near, too.
  size_t best = std::max<size_t>(1, name.size() / 3) + 1;
  std::string nearest;
  for (const Param& p : params) {
    size_t d = name.size() >= 3 && p.name.starts_with(name) ? 1 : edit_distance(p.name, name);
    if (d < best) {
      best = d;
      nearest = p.name;
    }
  }
  return nearest;
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
