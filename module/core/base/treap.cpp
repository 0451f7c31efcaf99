// SPDX-License-Identifier: GPL-2.0
//
// The treap's shape: linking, rotations, unlinking, walking. Order is the caller's business
// (Treap<T> in the header); here nodes have only positions. Heap rule: a parent's priority is not
// below its children's.
#include "base/treap.h"

namespace atcp {
namespace {

/// Fixed mixing of the address (the finaliser of a 64-bit multiply-xorshift hash), so that nodes
/// from one slab do not get rising priorities.
uint64_t priority(const TreapNode* n) {
  uint64_t x = reinterpret_cast<uintptr>(n);
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ull;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ull;
  return x ^ (x >> 32);
}

TreapNode* leftmost(TreapNode* n) {
  while (n->left != nullptr)
    n = n->left;
  return n;
}

TreapNode* rightmost(TreapNode* n) {
  while (n->right != nullptr)
    n = n->right;
  return n;
}

}  // namespace

TreapNode* TreapBase::next(const TreapNode* n) {
  if (n->right != nullptr) return leftmost(n->right);
  while (n->parent != nullptr && n->parent->right == n)
    n = n->parent;
  return n->parent;
}

TreapNode* TreapBase::prev(const TreapNode* n) {
  if (n->left != nullptr) return rightmost(n->left);
  while (n->parent != nullptr && n->parent->left == n)
    n = n->parent;
  return n->parent;
}

/// n changes places with its parent; the order of all nodes stays.
void TreapBase::rotate_up(TreapNode* n) {
  TreapNode* p = n->parent;
  TreapNode* g = p->parent;
  if (p->left == n) {
    p->left = n->right;
    if (n->right != nullptr) n->right->parent = p;
    n->right = p;
  } else {
    p->right = n->left;
    if (n->left != nullptr) n->left->parent = p;
    n->left = p;
  }
  p->parent = n;
  n->parent = g;
  if (g == nullptr)
    root_ = n;
  else if (g->left == p)
    g->left = n;
  else
    g->right = n;
}

void TreapBase::link(TreapNode* n, TreapNode* parent, bool left) {
  n->parent = parent;
  n->left = nullptr;
  n->right = nullptr;
  if (parent == nullptr) {
    root_ = first_ = last_ = n;
    return;
  }
  if (left) {
    parent->left = n;
    if (parent == first_) first_ = n;
  } else {
    parent->right = n;
    if (parent == last_) last_ = n;
  }
  const uint64_t mine = priority(n);
  while (n->parent != nullptr && mine > priority(n->parent))
    rotate_up(n);
}

void TreapBase::link_after(TreapNode* n, TreapNode* after) {
  if (after == nullptr)
    link(n, first_, true);
  else if (after->right == nullptr)
    link(n, after, false);
  else
    link(n, leftmost(after->right), true);
}

void TreapBase::unlink(TreapNode* n) {
  if (first_ == n) first_ = next(n);
  if (last_ == n) last_ = prev(n);
  while (n->left != nullptr && n->right != nullptr)
    rotate_up(priority(n->left) > priority(n->right) ? n->left : n->right);
  TreapNode* child = n->left != nullptr ? n->left : n->right;
  if (child != nullptr) child->parent = n->parent;
  if (n->parent == nullptr)
    root_ = child;
  else if (n->parent->left == n)
    n->parent->left = child;
  else
    n->parent->right = child;
  n->parent = n->left = n->right = nullptr;
}

}  // namespace atcp
