// SPDX-License-Identifier: GPL-2.0
//
// The treap against std::multiset under random operations, and its shape: links consistent, heap
// rule kept, depth logarithmic even for rising keys.
#include "base/treap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

namespace atcp {
namespace {

struct Item : TreapNode {
  uint32_t key = 0;
  bool before(const Item& o) const { return key < o.key; }
  bool before_key(uint32_t k) const { return key < k; }
};

/// Depth below n; checks the parent links on the way.
int depth(const TreapNode* n) {
  if (n == nullptr) return 0;
  if (n->left != nullptr) {
    EXPECT_EQ(n->left->parent, n);
  }
  if (n->right != nullptr) {
    EXPECT_EQ(n->right->parent, n);
  }
  return 1 + std::max(depth(n->left), depth(n->right));
}

const TreapNode* root_of(const TreapNode* n) {
  while (n != nullptr && n->parent != nullptr)
    n = n->parent;
  return n;
}

void expect_same(const Treap<Item>& t, const std::multiset<uint32_t>& model) {
  std::vector<uint32_t> forward;
  for (Item* i = t.first(); i != nullptr; i = Treap<Item>::next(i))
    forward.push_back(i->key);
  std::vector<uint32_t> backward;
  for (Item* i = t.last(); i != nullptr; i = Treap<Item>::prev(i))
    backward.push_back(i->key);
  std::reverse(backward.begin(), backward.end());
  const std::vector<uint32_t> want(model.begin(), model.end());
  ASSERT_EQ(forward, want);
  ASSERT_EQ(backward, want);
}

TEST(Treap, EmptyHasNothing) {
  Treap<Item> t;
  EXPECT_TRUE(t.empty());
  EXPECT_EQ(t.first(), nullptr);
  EXPECT_EQ(t.last(), nullptr);
  EXPECT_EQ(t.lower_bound(0u), nullptr);
}

TEST(Treap, RandomOperationsAgreeWithMultiset) {
  std::mt19937 rng(1);
  std::vector<Item> items(300);
  std::vector<bool> in(items.size());
  Treap<Item> t;
  std::multiset<uint32_t> model;
  for (int step = 0; step < 20000; step++) {
    const size_t i = rng() % items.size();
    if (in[i]) {
      t.remove(items[i]);
      model.erase(model.find(items[i].key));
    } else {
      items[i].key = rng() % 100;
      t.insert(items[i]);
      model.insert(items[i].key);
    }
    in[i] = !in[i];
    const uint32_t key = rng() % 110;
    const Item* found = t.lower_bound(key);
    const auto want = model.lower_bound(key);
    if (want == model.end()) {
      ASSERT_EQ(found, nullptr);
    } else {
      ASSERT_NE(found, nullptr);
      ASSERT_EQ(found->key, *want);
      const Item* before = Treap<Item>::prev(found);
      ASSERT_TRUE(before == nullptr || before->key < key);
    }
    if (step % 500 == 0) expect_same(t, model);
  }
  expect_same(t, model);
  ASSERT_LT(depth(root_of(t.first())), 40);
}

TEST(TreapInsertAfter, KeepsThePlaceItIsGiven) {
  std::vector<Item> items(5);
  for (uint32_t i = 0; i < 5; i++)
    items[i].key = i;
  Treap<Item> t;
  t.insert_after(items[2], nullptr);
  t.insert_after(items[0], nullptr);
  t.insert_after(items[1], &items[0]);
  t.insert_after(items[4], &items[2]);
  t.insert_after(items[3], &items[2]);
  expect_same(t, {0, 1, 2, 3, 4});
}

TEST(TreapInsert, RisingKeysStayShallow) {
  std::vector<Item> items(20000);
  Treap<Item> t;
  for (uint32_t i = 0; i < items.size(); i++) {
    items[i].key = i;
    t.insert(items[i]);
  }
  EXPECT_LT(depth(root_of(t.first())), 60);
  for (Item& i : items)  // as a send queue is acknowledged: from the front
    t.remove(i);
  EXPECT_TRUE(t.empty());
}

TEST(TreapRemove, LastOneLeavesAnEmptyTreeThatWorks) {
  Item a, b;
  Treap<Item> t;
  t.insert(a);
  t.remove(a);
  EXPECT_TRUE(t.empty());
  EXPECT_EQ(a.parent, nullptr);
  t.insert(b);
  EXPECT_EQ(t.first(), &b);
  EXPECT_EQ(t.last(), &b);
}

}  // namespace
}  // namespace atcp
