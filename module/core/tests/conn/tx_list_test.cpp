// SPDX-License-Identifier: GPL-2.0
//
// Sorting a queue of pieces against the library's stable sort, and that the links are whole afterwards.
#include "conn/tx_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace atcp {
namespace {

/// Pieces that left at these times, queued in this order.
class Pieces {
 public:
  explicit Pieces(const std::vector<uint64_t>& times) {
    for (size_t i = 0; i < times.size(); i++) {
      held_.push_back(std::make_unique<LoneTxSeg>());
      TxSeg& s = held_.back()->seg;
      s.sent_us = times[i];
      s.seq = Seq(static_cast<uint32_t>(i));
      list.push_back(s);
    }
  }
  /// Time and place at the beginning of each, from the front.
  std::vector<std::pair<uint64_t, uint32_t>> forward() const {
    std::vector<std::pair<uint64_t, uint32_t>> out;
    for (TxSeg* s = list.first(); s != nullptr; s = TxList::next(*s))
      out.emplace_back(s->sent_us, s->seq.raw());
    return out;
  }

  TxList list;

 private:
  std::vector<std::unique_ptr<LoneTxSeg>> held_;
};

TEST(TxListTest, SortIsByTimeAndStable) {
  uint32_t x = 1;
  for (size_t n = 0; n < 70; n++) {
    std::vector<uint64_t> times;
    std::vector<std::pair<uint64_t, uint32_t>> want;
    for (size_t i = 0; i < n; i++) {
      x = x * 1664525 + 1013904223;
      times.push_back(x >> 28);
      want.emplace_back(times.back(), static_cast<uint32_t>(i));
    }
    std::stable_sort(want.begin(), want.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    Pieces p(times);
    p.list.sort_by_time();
    EXPECT_EQ(p.forward(), want) << n << " pieces";
  }
}

TEST(TxListTest, SortedListIsOneToWorkWith) {
  Pieces p({5, 3, 9, 1});
  p.list.sort_by_time();
  LoneTxSeg last = {};
  last.seg.sent_us = 10;
  p.list.push_back(last.seg);
  p.list.remove(*p.list.first());
  TxSeg* second = TxList::next(*p.list.first());
  p.list.remove(*second);
  std::vector<uint64_t> times;
  for (const auto& [time, place] : p.forward())
    times.push_back(time);
  EXPECT_EQ(times, (std::vector<uint64_t>{3, 9, 10}));
  while (!p.list.empty())
    p.list.remove(*p.list.first());
  EXPECT_EQ(p.list.first(), nullptr);
}

}  // namespace
}  // namespace atcp
