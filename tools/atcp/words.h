// SPDX-License-Identifier: GPL-2.0
//
// Words that a person types: which known word a misspelt one may mean, and numbers out of text.
#ifndef ATCP_TOOL_WORDS_H
#define ATCP_TOOL_WORDS_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atcp::tool {

/// Equal but for upper and lower case, and '_' for '-'.
bool same_word(std::string_view a, std::string_view b);

/// The one of `known` that is nearest to a misspelt word, or "" if none is near.
std::string nearest_word(const std::vector<std::string>& known, std::string_view word);

/// "there is no WHAT 'WORD'; did you mean X?", or, if nothing is near, the known words behind it.
std::string unknown_word(std::string_view what, std::string_view word,
                         const std::vector<std::string>& known);

/// A decimal number of at most `max` and nothing else.
std::optional<uint64_t> whole_number(std::string_view text, uint64_t max);

/// "1 SYN", "2 SYNs".
std::string plural(uint64_t n, std::string_view one, std::string_view many);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_WORDS_H
