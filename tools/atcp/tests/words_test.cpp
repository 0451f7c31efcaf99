// SPDX-License-Identifier: GPL-2.0
//
// Tests of words: nearness, and numbers that are not quite numbers.
#include "words.h"

#include <gtest/gtest.h>

namespace atcp::tool {
namespace {

TEST(SameWord, CaseAndUnderscoreDoNotMatter) {
  EXPECT_TRUE(same_word("FIN_Wait-1", "fin-wait-1"));
  EXPECT_FALSE(same_word("fin", "fin-wait-1"));
}

TEST(NearestWord, OneLetterOff) {
  EXPECT_EQ(nearest_word({"state", "sport"}, "stat"), "state");
  EXPECT_EQ(nearest_word({"state", "sport"}, "xyz"), "");
}

TEST(UnknownWord, NamesTheNearestOrAll) {
  EXPECT_EQ(unknown_word("thing", "aple", {"apple", "pear"}),
            "there is no thing 'aple'; did you mean apple?");
  EXPECT_EQ(unknown_word("thing", "zzz", {"apple", "pear"}),
            "there is no thing 'zzz' (apple, pear)");
}

TEST(WholeNumber, NothingElseCounts) {
  EXPECT_EQ(whole_number("42", 100), 42u);
  EXPECT_EQ(whole_number("100", 100), 100u);
  for (const char* text : {"", "101", "-1", "+1", " 1", "1 ", "0x1", "1.5", "99999999999999999999"})
    EXPECT_FALSE(whole_number(text, 100)) << text;
}

TEST(Plural, OneAndMany) {
  EXPECT_EQ(plural(1, "SYN", "SYNs"), "1 SYN");
  EXPECT_EQ(plural(0, "SYN", "SYNs"), "0 SYNs");
}

}  // namespace
}  // namespace atcp::tool
