// SPDX-License-Identifier: GPL-2.0
//
// Edit distance for "did you mean", and the strict reading of numbers.
#include "words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <numeric>
#include <utility>

namespace atcp::tool {
namespace {

/// Letters that are wrong, missing or too many, and neighbours in the wrong order.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before, above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); i++) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); j++) {
      row[j] = std::min({above[j - 1] + (a[i - 1] != b[j - 1]), row[j - 1] + 1, above[j] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(above, row);
  }
  return above.back();
}

char folded(unsigned char c) {
  return c == '_' ? '-' : static_cast<char>(std::tolower(c));
}

}  // namespace

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return folded(x) == folded(y); });
}

std::string nearest_word(const std::vector<std::string>& known, std::string_view word) {
  // A third of the letters may be wrong; a name that begins as given is near, too.
  size_t best = std::max<size_t>(1, (word.size() + 1) / 3) + 1;
  std::string nearest;
  for (const std::string& k : known) {
    size_t d = word.size() >= 3 && k.starts_with(word) ? 1 : edit_distance(k, word);
    if (d < best) {
      best = d;
      nearest = k;
    }
  }
  return nearest;
}

std::string unknown_word(std::string_view what, std::string_view word,
                         const std::vector<std::string>& known) {
  std::string nearest = nearest_word(known, word);
  return nearest.empty()
             ? fmt::format("there is no {} '{}' ({})", what, word, fmt::join(known, ", "))
             : fmt::format("there is no {} '{}'; did you mean {}?", what, word, nearest);
}

std::optional<uint64_t> whole_number(std::string_view text, uint64_t max) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

std::string plural(uint64_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

}  // namespace atcp::tool
