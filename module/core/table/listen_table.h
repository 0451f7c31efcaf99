// SPDX-License-Identifier: GPL-2.0
//
// Listening sockets of one namespace by local port. Lookup is lockless under RCU and prefers an
// exact local address to "any"; among equals (SO_REUSEPORT) a keyed hash of the tuple chooses,
// so that a peer's retransmitted SYN finds the same listener.
#ifndef ATCP_TABLE_LISTEN_TABLE_H
#define ATCP_TABLE_LISTEN_TABLE_H

#include "base/siphash.h"
#include "base/types.h"

namespace atcp {

/// Part of a listener. Listen lock to write; readers under RCU, so the memory outlives its
/// removal by a grace period, and it is removed before conn's last reference goes.
struct ListenNode {
  uintptr next;     ///< chain; odd: the end, as in Ehash
  atcp_conn* conn;  ///< the listening socket; constant
  uint32_t laddr;   ///< network order, 0: any
  uint32_t id;      ///< of this insertion; set by insert()
  uint16_t lport;   ///< network order
  uint8_t hashed;
};

class ListenTable {
 public:
  bool init(const SipKey& key);
  void fini();
  void insert(ListenNode& n);
  bool remove(ListenNode& n);
  /// Its conn, referenced, or nullptr. Context: inside RCU.
  ListenNode* lookup(const atcp_tuple& t) const;
  uint32_t size() const;
  static constexpr uint32_t kBuckets = 256;
  /// Like Ehash::walk_bucket.
  template <class F>
  uint32_t walk_bucket(uint32_t b, uint32_t skip, F f) const;

 private:
  uintptr* heads_ = nullptr;
  atcp_locks* locks_ = nullptr;
  SipKey key_ = {};
  uint32_t size_ = 0;     ///< atomic
  uint32_t next_id_ = 0;  ///< atomic
};

template <class F>
uint32_t ListenTable::walk_bucket(uint32_t b, uint32_t skip, F f) const {
  uint32_t done = 0;
  uint32_t at = 0;
  atcp_os_lock(locks_, b);
  for (uintptr v = heads_[b]; (v & 1) == 0;) {
    auto* n = reinterpret_cast<ListenNode*>(v);
    v = n->next;
    if (at++ < skip) continue;
    if (!f(*n)) break;
    done++;
  }
  atcp_os_unlock(locks_, b);
  return done;
}

}  // namespace atcp

#endif  // ATCP_TABLE_LISTEN_TABLE_H
