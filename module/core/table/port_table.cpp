// SPDX-License-Identifier: GPL-2.0
//
// Buckets of bound ports: one per port in use, made by the first member and freed with the last,
// under the port's lock. A member's own fields are written by whoever holds its conn lock, and
// read by others under the port's lock.
#include "table/port_table.h"

#include "abi/atcp_core.h"
#include "base/atomic.h"

namespace atcp {

struct BindBucket {
  BindBucket* next;
  BindNode* members;
  uint16_t port;  ///< network order
};

namespace {

uint32_t index_of(uint16_t port, uint32_t buckets) {
  return from_be16(port) & (buckets - 1);
}

bool overlap(uint32_t a, uint32_t b) {
  return a == 0 || b == 0 || a == b;
}

/// What a newcomer brings to a port.
struct Claim {
  uint32_t laddr;
  uint32_t flags;
  uint32_t uid;
};

bool conflicts(const BindBucket& bucket, const Claim& c, const BindNode* self, bool strict) {
  for (const BindNode* m = bucket.members; m != nullptr; m = m->next) {
    if (m == self || !overlap(m->laddr, c.laddr)) continue;
    if (strict) return true;
    const uint32_t both = m->flags & c.flags;
    if ((both & ATCP_BIND_REUSEADDR) != 0 && m->listening == 0) continue;
    if ((both & ATCP_BIND_REUSEPORT) != 0 && m->uid == c.uid) continue;
    return true;
  }
  return false;
}

BindBucket* find(BindBucket* head, uint16_t port) {
  while (head != nullptr && head->port != port)
    head = head->next;
  return head;
}

/// The port's bucket, made if need be; nullptr: no memory. Port lock.
BindBucket* find_or_make(BindBucket** head, uint16_t port) {
  BindBucket* bucket = find(*head, port);
  if (bucket != nullptr) return bucket;
  bucket = static_cast<BindBucket*>(atcp_os_alloc(sizeof(BindBucket), ATCP_MEM_BIND));
  if (bucket == nullptr) return nullptr;
  bucket->port = port;
  bucket->members = nullptr;
  bucket->next = *head;
  *head = bucket;
  return bucket;
}

void join(BindBucket& bucket, BindNode& n, const Claim& c, bool connect_only) {
  n.laddr = c.laddr;
  n.flags = static_cast<uint8_t>(c.flags);
  n.uid = c.uid;
  n.port = bucket.port;
  n.listening = 0;
  n.connect_only = connect_only ? 1 : 0;
  n.next = bucket.members;
  n.pprev = &bucket.members;
  if (n.next != nullptr) n.next->pprev = &n.next;
  bucket.members = &n;
  n.bucket = &bucket;
}

}  // namespace

bool PortTable::init(const SipKey& key) {
  heads_ = static_cast<BindBucket**>(atcp_os_table_alloc(kBuckets * sizeof(BindBucket*)));
  counters_ = static_cast<uint32_t*>(atcp_os_table_alloc(kCounters * sizeof(uint32_t)));
  locks_ = atcp_os_locks_alloc(kBuckets, ATCP_LOCK_PORT);
  if (heads_ == nullptr || counters_ == nullptr || locks_ == nullptr) {
    fini();
    return false;
  }
  key_ = key;
  // Where each counter starts is nobody's business (RFC 6056 3.3.4).
  atcp_os_random(counters_, kCounters * sizeof(uint32_t));
  return true;
}

void PortTable::fini() {
  if (heads_ != nullptr) atcp_os_table_free(heads_);
  if (counters_ != nullptr) atcp_os_table_free(counters_);
  if (locks_ != nullptr) atcp_os_locks_free(locks_);
  heads_ = nullptr;
  counters_ = nullptr;
  locks_ = nullptr;
}

atcp_err PortTable::bind(BindNode& n, uint32_t laddr, uint16_t* port, uint32_t flags, uint32_t uid,
                         uint16_t lo, uint16_t hi) {
  const bool choose = *port == 0;
  const uint32_t range = choose ? static_cast<uint32_t>(hi - lo) + 1 : 1;
  uint32_t start = 0;
  if (choose) atcp_os_random(&start, sizeof start);
  const Claim claim = {laddr, flags, uid};
  for (uint32_t i = 0; i < range; i++) {
    const uint16_t p =
        choose ? to_be16(static_cast<uint16_t>(lo + (start % range + i) % range)) : *port;
    const uint32_t at = index_of(p, kBuckets);
    atcp_os_lock(locks_, at);
    BindBucket* bucket = find(heads_[at], p);
    if (bucket != nullptr && conflicts(*bucket, claim, &n, choose)) {
      atcp_os_unlock(locks_, at);
      continue;
    }
    bucket = find_or_make(&heads_[at], p);
    if (bucket != nullptr) join(*bucket, n, claim, false);
    atcp_os_unlock(locks_, at);
    if (bucket == nullptr) return ATCP_ERR_NO_MEMORY;
    *port = p;
    return ATCP_OK;
  }
  return ATCP_ERR_ADDR_IN_USE;
}

bool PortTable::inherit(BindNode& child, const BindNode& parent) {
  // parent's owner may be closing it on another CPU, so nothing of it is believed before the
  // port's lock is held.
  const uint16_t port = load_relaxed(&parent.port);
  const uint32_t at = index_of(port, kBuckets);
  atcp_os_lock(locks_, at);
  BindBucket* bucket = find(heads_[at], port);
  const bool bound = bucket != nullptr && load_relaxed(&parent.bucket) == bucket;
  if (bound) {
    const Claim claim = {child.laddr != 0 ? child.laddr : parent.laddr, parent.flags, parent.uid};
    join(*bucket, child, claim, false);
  }
  atcp_os_unlock(locks_, at);
  return bound;
}

void PortTable::unbind(BindNode& n) {
  if (n.bucket == nullptr) return;
  const uint32_t at = index_of(n.port, kBuckets);
  atcp_os_lock(locks_, at);
  BindBucket* bucket = n.bucket;
  *n.pprev = n.next;
  if (n.next != nullptr) n.next->pprev = n.pprev;
  n.next = nullptr;
  n.pprev = nullptr;
  store_relaxed(&n.bucket, static_cast<BindBucket*>(nullptr));
  n.listening = 0;
  n.connect_only = 0;
  if (bucket->members == nullptr) {
    BindBucket** place = &heads_[at];
    while (*place != bucket)
      place = &(*place)->next;
    *place = bucket->next;
    atcp_os_free(bucket, ATCP_MEM_BIND);
  }
  atcp_os_unlock(locks_, at);
}

atcp_err PortTable::set_listening(BindNode& n) {
  if (n.bucket == nullptr) return ATCP_ERR_INVALID;
  const uint32_t at = index_of(n.port, kBuckets);
  atcp_os_lock(locks_, at);
  const bool refused = conflicts(*n.bucket, {n.laddr, n.flags, n.uid}, &n, false);
  if (!refused) n.listening = 1;
  atcp_os_unlock(locks_, at);
  return refused ? ATCP_ERR_ADDR_IN_USE : ATCP_OK;
}

void PortTable::clear_listening(BindNode& n) {
  if (n.bucket == nullptr) return;
  const uint32_t at = index_of(n.port, kBuckets);
  atcp_os_lock(locks_, at);
  n.listening = 0;
  atcp_os_unlock(locks_, at);
}

PortTable::Choice PortTable::choice(const atcp_tuple& t) const {
  atcp_tuple without_lport = t;
  without_lport.lport = 0;
  const uint64_t h = siphash_tuple(key_, without_lport);
  return {static_cast<uint32_t>(h), &counters_[(h >> 32) % kCounters]};
}

bool PortTable::take_for_connect(BindNode& n, uint32_t laddr, uint16_t port) {
  const uint32_t at = index_of(port, kBuckets);
  atcp_os_lock(locks_, at);
  BindBucket* bucket = find_or_make(&heads_[at], port);
  bool free = bucket != nullptr;
  if (free) {
    for (const BindNode* m = bucket->members; m != nullptr && free; m = m->next)
      free = m->connect_only != 0 || !overlap(m->laddr, laddr);
  }
  if (free) join(*bucket, n, {laddr, 0, 0}, true);
  atcp_os_unlock(locks_, at);
  return free;
}

}  // namespace atcp
