// SPDX-License-Identifier: GPL-2.0
//
// Sorting and merging queues of pieces against the library's stable sort, and that the links are whole afterwards.
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
  explicit Pieces(const std::vector<uint64_t>& times, uint32_t first_place = 0) {
    for (size_t i = 0; i < times.size(); i++) {
      held_.push_back(std::make_unique<LoneTxSeg>());
      TxSeg& s = held_.back()->seg;
      s.sent_us = times[i];
      s.seq = Seq(first_place + static_cast<uint32_t>(i));
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

  /// The same from the end, turned round.
  std::vector<std::pair<uint64_t, uint32_t>> backward() const {
    std::vector<std::pair<uint64_t, uint32_t>> out;
    for (TxSeg* s = list.last(); s != nullptr; s = TxList::prev(*s))
      out.emplace(out.begin(), s->sent_us, s->seq.raw());
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

TEST(TxListTest, SortOfRunsInOrder) {
  std::vector<uint64_t> times;
  for (uint64_t run = 9; run > 0; run--)
    for (uint64_t i = 0; i < 3 * run; i++)
      times.push_back(10 * run + i);
  Pieces p(times);
  p.list.sort_by_time();
  std::stable_sort(times.begin(), times.end());
  std::vector<uint64_t> got;
  for (const auto& [time, place] : p.forward())
    got.push_back(time);
  EXPECT_EQ(got, times);
  EXPECT_EQ(p.backward(), p.forward());
}

TEST(TxListTest, MergeIsByTimeAndTheOtherListIsInFront) {
  uint32_t x = 7;
  const auto random = [&x](uint32_t below) {
    x = x * 1664525 + 1013904223;
    return (x >> 8) % below;
  };
  for (int round = 0; round < 500; round++) {
    // All of one kind older than the other in some rounds, all mixed in others; each may be empty.
    const uint32_t spread = 1 + random(40);
    const uint64_t offset[] = {random(3) * spread, random(3) * spread};
    std::vector<uint64_t> times[2];
    for (int i = 0; i < 2; i++) {
      for (uint32_t n = random(30); n > 0; n--)
        times[i].push_back(offset[i] + random(spread));
      std::sort(times[i].begin(), times[i].end());
    }
    Pieces here(times[0], 1000);
    Pieces other(times[1]);
    std::vector<std::pair<uint64_t, uint32_t>> want = other.forward();
    for (const auto& piece : here.forward())
      want.push_back(piece);
    std::stable_sort(want.begin(), want.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    here.list.merge_by_time(other.list);
    EXPECT_EQ(here.forward(), want) << round;
    EXPECT_EQ(here.backward(), want) << round;
    EXPECT_TRUE(other.list.empty() && other.list.last() == nullptr) << round;
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
