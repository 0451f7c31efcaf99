// SPDX-License-Identifier: GPL-2.0
//
// An intrusive ordered tree with O(log n) expected insertion, removal and search, and with the
// smallest and largest node at hand: the order of the send queue and of out-of-order data. It is
// a treap (Seidel and Aragon, 1996) whose priorities are a mix of the node's address, so nothing
// has to be stored for the balance and no peer can choose it. The shape never shows in what the
// tree answers.
#ifndef ATCP_BASE_TREAP_H
#define ATCP_BASE_TREAP_H

#include "base/types.h"

namespace atcp {

struct TreapNode {
  TreapNode* parent;
  TreapNode* left;
  TreapNode* right;
};

/// Untyped tree; the typed view below adds the order.
class TreapBase {
 public:
  bool empty() const { return root_ == nullptr; }
  TreapNode* first() const { return first_; }
  TreapNode* last() const { return last_; }
  static TreapNode* next(const TreapNode* n);
  static TreapNode* prev(const TreapNode* n);
  /// Insert n as the child of parent on that side (nullptr parent: as root of an empty tree).
  void link(TreapNode* n, TreapNode* parent, bool left);
  /// Insert n directly after `after` (nullptr: as the first).
  void link_after(TreapNode* n, TreapNode* after);
  void unlink(TreapNode* n);

 protected:
  TreapNode* root_ = nullptr;
  TreapNode* first_ = nullptr;
  TreapNode* last_ = nullptr;

 private:
  void rotate_up(TreapNode* n);
};

/// T derives from TreapNode and has `bool before(const T&) const` (strict order) and
/// `bool before_key(Key) const`.
template <class T>
class Treap : public TreapBase {
 public:
  T* first() const { return static_cast<T*>(first_); }
  T* last() const { return static_cast<T*>(last_); }
  static T* next(const T* n) { return static_cast<T*>(TreapBase::next(n)); }
  static T* prev(const T* n) { return static_cast<T*>(TreapBase::prev(n)); }
  void insert(T& n) {
    TreapNode* parent = nullptr;
    bool left = false;
    // The common case, appending, does not search.
    if (last_ != nullptr && !n.before(*last())) {
      link_after(&n, last_);
      return;
    }
    for (TreapNode* at = root_; at != nullptr;) {
      parent = at;
      left = n.before(*static_cast<T*>(at));
      at = left ? at->left : at->right;
    }
    link(&n, parent, left);
  }
  void insert_after(T& n, T* after) { link_after(&n, after); }
  void remove(T& n) { unlink(&n); }
  /// First node for which before_key(key) is false.
  template <class Key>
  T* lower_bound(Key key) const {
    TreapNode* found = nullptr;
    for (TreapNode* at = root_; at != nullptr;) {
      if (static_cast<T*>(at)->before_key(key)) {
        at = at->right;
      } else {
        found = at;
        at = at->left;
      }
    }
    return static_cast<T*>(found);
  }
};

}  // namespace atcp

#endif  // ATCP_BASE_TREAP_H
