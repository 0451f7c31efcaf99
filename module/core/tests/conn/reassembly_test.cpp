// SPDX-License-Identifier: GPL-2.0
//
// Out-of-order data against a map of bytes: whatever pieces arrive, what comes out is each byte once,
// in order, from a packet that carried it; SACK blocks name only what is held.
#include "conn/reassembly.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <random>
#include <set>

#include "tests/fake_os.h"

namespace atcp::test {
namespace {

constexpr Seq kBase(0xffffff00);  // wraps within

uint8_t byte_at(uint32_t at) {
  return static_cast<uint8_t>(at * 2654435761u >> 11);
}

FakePkt& packet(FakeOs& os, uint32_t at, uint32_t len) {
  Bytes b;
  for (uint32_t i = 0; i < len; i++)
    b.push_back(byte_at(at + i));
  FakePkt& p = os.new_pkt(b);
  p.where = FakePkt::Where::Core;
  return p;
}

TEST(Reassembly, RandomPiecesAgainstAMapOfBytes) {
  FakeOs os;
  std::mt19937 rnd(7);
  for (int round = 0; round < 60; round++) {
    Reassembly r;
    std::set<uint32_t> held;
    uint32_t next = 0;  // rcv_nxt
    for (int i = 0; i < 150; i++) {
      const uint32_t at = next + 1 + rnd() % 300;
      const uint32_t len = 1 + rnd() % 60;
      FakePkt& p = packet(os, at, len);
      SackBlock dup = {};
      bool news = false;
      for (uint32_t k = at; k < at + len; k++)
        news |= held.insert(k).second;
      if (r.insert(&p.pkt, kBase + at, len, 0, &dup) == Reassembly::Result::Duplicate) {
        // (The other way round it may be held without news: in the place of pieces that it covers.)
        ASSERT_FALSE(news);
        os.free_pkt(p);
      }
      // The newest block holds the newcomer; every byte of every block is held.
      ASSERT_GT(r.n_blocks(), 0u);
      ASSERT_TRUE(r.block(0).start <= kBase + at && r.block(0).end >= kBase + at + len);
      ASSERT_EQ(held.count(bytes_between(kBase, r.block(0).start) - 1), 0u);
      ASSERT_EQ(held.count(bytes_between(kBase, r.block(0).end)), 0u);
      for (uint32_t b = 0; b < r.n_blocks(); b++)
        for (Seq s = r.block(b).start; s != r.block(b).end; s += 1)
          ASSERT_EQ(held.count(bytes_between(kBase, s)), 1u);
      if (rnd() % 8 != 0) continue;
      // The gap is filled: everything contiguous comes out, once.
      next += 1 + rnd() % 100;
      while (RxSeg* s = r.take_ready(kBase + next)) {
        if (s->end > kBase + next) {
          const uint32_t skip = s->skip + bytes_between(s->seq, kBase + next);
          const uint32_t n = bytes_between(kBase + next, s->end);
          const Bytes& data = FakePkt::of(s->pkt()).data;
          for (uint32_t k = 0; k < n; k++) {
            ASSERT_EQ(data.at(skip + k), byte_at(next + k));
            ASSERT_EQ(held.count(next + k), 1u);
          }
          next += n;
        }
        os.free_pkt(FakePkt::of(s->pkt()));
      }
      r.advance(kBase + next);
      ASSERT_EQ(held.count(next), 0u);
      held.erase(held.begin(), held.lower_bound(next));
      ASSERT_EQ(r.empty(), held.empty());
    }
    r.clear();
    ASSERT_EQ(os.live_packets(), 0u);
  }
}

TEST(Reassembly, ReportsWhatWasHeldAlready) {
  FakeOs os;
  Reassembly r;
  SackBlock dup = {};
  r.insert(&packet(os, 100, 50).pkt, kBase + 100, 50, 0, &dup);
  EXPECT_EQ(dup.start, dup.end);
  r.insert(&packet(os, 120, 50).pkt, kBase + 120, 50, 0, &dup);
  EXPECT_EQ(dup.start, kBase + 120);
  EXPECT_EQ(dup.end, kBase + 150);
  r.clear();
}

TEST(Reassembly, PruneCutsARun) {
  FakeOs os;
  Reassembly r;
  SackBlock dup = {};
  // One run, put together from behind, from the front and in the middle.
  for (const uint32_t at : {300, 200, 500, 600, 400, 700, 800, 900, 1000, 100})
    r.insert(&packet(os, at, 100).pkt, kBase + at, 100, 0, &dup);
  EXPECT_EQ(r.block(0).start, kBase + 100);
  EXPECT_EQ(r.block(0).end, kBase + 1100);
  EXPECT_EQ(r.prune(2), 5u);
  // The rest is a run as before.
  r.insert(&packet(os, 600, 10).pkt, kBase + 600, 10, 0, &dup);
  EXPECT_EQ(dup.start, dup.end);
  EXPECT_EQ(r.block(0).start, kBase + 100);
  EXPECT_EQ(r.block(0).end, kBase + 610);
  for (uint32_t at = 100; at <= 600; at += 100) {
    RxSeg* s = r.take_ready(kBase + at);
    ASSERT_NE(s, nullptr);
    EXPECT_EQ(s->seq, kBase + at);
    os.free_pkt(FakePkt::of(s->pkt()));
  }
  EXPECT_TRUE(r.empty());
}

TEST(Reassembly, PruneGivesUpTheFarEnd) {
  FakeOs os;
  Reassembly r;
  SackBlock dup = {};
  for (uint32_t at = 100; at < 1100; at += 100)
    r.insert(&packet(os, at, 50).pkt, kBase + at, 50, 0, &dup);
  EXPECT_EQ(r.prune(2), 5u);
  EXPECT_EQ(r.n_blocks(), 0u);
  RxSeg* s = r.take_ready(kBase + 100);
  ASSERT_NE(s, nullptr);
  os.free_pkt(FakePkt::of(s->pkt()));
  r.clear();
}

}  // namespace
}  // namespace atcp::test
