// SPDX-License-Identifier: GPL-2.0
//
// Buckets of bound ports: one per port in use, made by the first member and freed with the last, or with
// the last child, under the port's lock. A member's own fields are written by whoever holds its conn lock,
// and read by others under the port's lock.
//
// Children of listeners are many and come and go in softirq, so they are no members. Those of one local address and
// the same flags are a group: a count. It is biased by one while the bucket has members, so while there is
// a listener it goes up and down without the lock, but for the last child; it becomes 0 only under the lock,
// and then for ever. Peers choose the addresses, so only a few groups stay without a child.
#include "table/port_table.h"

#include "abi/atcp_core.h"
#include "base/atomic.h"

namespace atcp {

struct BindBucket {
  union {
    struct {
      BindBucket* next;
      BindNode* members;
    };
    atcp_rcu rcu;  ///< once it is freed: readers look at `groups` only
  };
  BindGroup* groups;   ///< port lock to write; read under RCU
  uint32_t claimants;  ///< members that are not connect_only
  uint16_t port;       ///< network order
};
static_assert(sizeof(BindBucket) == 32);

struct BindGroup {
  BindGroup* next;  ///< port lock to write; read under RCU
  BindBucket* bucket;
  uint32_t count;  ///< atomic; children, and one more while biased
  uint32_t uid;
  atcp_ip laddr;
  uint16_t family;
  uint8_t flags;
  uint8_t biased;  ///< port lock
  atcp_rcu rcu;
};
static_assert(sizeof(BindGroup) == 64);

namespace {

/// A bucket with more groups than these keeps none that has no child.
constexpr uint32_t kKeptGroups = 16;

uint32_t index_of(uint16_t port, uint32_t buckets) {
  return from_be16(port) & (buckets - 1);
}

IpAddr addr_of(const BindGroup& g) {
  return {g.family, g.laddr};
}

/// What a newcomer brings to a port.
struct Claim {
  IpAddr laddr;
  uint32_t flags;
  uint32_t uid;
};

/// Could one packet be for both? An IPv4-mapped address has come as the IPv4 address that it is.
bool overlap(const Claim& a, const Claim& b) {
  if (a.laddr.family == b.laddr.family) return a.laddr.any() || b.laddr.any() || a.laddr == b.laddr;
  const Claim& six = a.laddr.family == ATCP_AF_INET6 ? a : b;
  return six.laddr.any() && (six.flags & ATCP_BIND_V6ONLY) == 0;
}

bool has_room(const BindNode& n, const IpAddr& a) {
  return a.family != ATCP_AF_INET6 || n.v6_words != 0;
}

/// Relaxed: somebody may be making a child of the listener that this socket was a moment ago.
void set_addr(BindNode& n, const IpAddr& a) {
  store_relaxed(&n.family, static_cast<uint8_t>(a.family));
  if (a.family != ATCP_AF_INET6) {
    store_relaxed(&n.laddr, static_cast<uint32_t>(a.w[0]));
    return;
  }
  uint64_t* room = reinterpret_cast<uint64_t*>(&n) + n.v6_words;
  store_relaxed(&room[0], a.w[0]);
  store_relaxed(&room[1], a.w[1]);
}

/// One who holds the port, as far as a newcomer cares. strict: nobody may be there.
bool stands_in_the_way(const Claim& there, bool listening, const Claim& c, bool strict) {
  if (!overlap(there, c)) return false;
  if (strict) return true;
  const uint32_t both = there.flags & c.flags;
  if ((both & ATCP_BIND_REUSEADDR) != 0 && !listening) return false;
  return (both & ATCP_BIND_REUSEPORT) == 0 || there.uid != c.uid;
}

Claim claim_of(const BindNode& n) {
  return {addr_of(n), n.flags, n.uid};
}

Claim claim_of(const BindGroup& g) {
  return {addr_of(g), g.flags, g.uid};
}

bool has_children(const BindGroup& g) {
  return load_acquire(&g.count) > g.biased;
}

bool conflicts(const BindBucket& bucket, const Claim& c, const BindNode* self, bool strict) {
  for (const BindNode* m = bucket.members; m != nullptr; m = m->next)
    if (m != self && stands_in_the_way(claim_of(*m), m->listening != 0, c, strict)) return true;
  for (const BindGroup* g = bucket.groups; g != nullptr; g = g->next)
    if (has_children(*g) && stands_in_the_way(claim_of(*g), false, c, strict)) return true;
  return false;
}

BindBucket* find(BindBucket* head, uint16_t port) {
  while (head != nullptr && head->port != port)
    head = head->next;
  return head;
}

void join(BindBucket& bucket, BindNode& n, const Claim& c, bool connect_only) {
  set_addr(n, c.laddr);  // and the rest: relaxed, as there
  store_relaxed(&n.flags, static_cast<uint8_t>(c.flags));
  store_relaxed(&n.uid, c.uid);
  store_relaxed(&n.port, bucket.port);
  n.listening = 0;
  n.connect_only = connect_only ? 1 : 0;
  n.counted = 0;
  if (bucket.members == nullptr) {
    for (BindGroup* g = bucket.groups; g != nullptr; g = g->next) {
      g->biased = 1;
      add_fetch(&g->count, 1u);
    }
  }
  if (!connect_only) bucket.claimants++;
  n.next = bucket.members;
  n.pprev = &bucket.members;
  if (n.next != nullptr) n.next->pprev = &n.next;
  bucket.members = &n;
  store_release(&n.bucket, &bucket);
}

/// A group whose count is 0 is no more. Port lock.
void retire(BindGroup& g) {
  BindGroup** place = &g.bucket->groups;
  while (*place != &g)
    place = &(*place)->next;
  store_release(place, g.next);
  atcp_os_free_rcu(&g, &g.rcu, ATCP_MEM_BIND);
}

/// Count one less. Port lock.
void drop(BindGroup& g) {
  if (sub_fetch(&g.count, 1u) == 0) retire(g);
}

/// Port lock.
bool has_groups_to_spare(const BindBucket& bucket) {
  uint32_t n = 0;
  for (const BindGroup* g = bucket.groups; g != nullptr && n <= kKeptGroups; g = g->next)
    n++;
  return n > kKeptGroups;
}

bool same_group(const BindGroup& g, const Claim& c) {
  return addr_of(g) == c.laddr && g.flags == c.flags && g.uid == c.uid;
}

BindGroup* find_group(const BindBucket& bucket, const Claim& c) {
  BindGroup* g = load_acquire(&bucket.groups);
  while (g != nullptr && !same_group(*g, c))
    g = load_acquire(&g->next);
  return g;
}

/// What a child of parent holds. Of a listener that is being closed or used anew this moment the values
/// may be of either time.
Claim inherited(const BindNode& parent, const IpAddr& laddr) {
  return {laddr.any() ? addr_of(parent) : laddr, load_relaxed(&parent.flags),
          load_relaxed(&parent.uid)};
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

atcp_err PortTable::bind(BindNode& n, const IpAddr& laddr, uint16_t* port, uint32_t flags,
                         uint32_t uid, uint16_t lo, uint16_t hi) {
  const bool choose = *port == 0;
  if ((choose && lo > hi) || !has_room(n, laddr)) return ATCP_ERR_INVALID;
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
    bucket = find_or_make(at, p);
    if (bucket != nullptr) join(*bucket, n, claim, false);
    atcp_os_unlock(locks_, at);
    if (bucket == nullptr) return ATCP_ERR_NO_MEMORY;
    *port = p;
    return ATCP_OK;
  }
  return ATCP_ERR_ADDR_IN_USE;
}

atcp_err PortTable::inherit(BindNode& child, const BindNode& parent, const IpAddr& laddr) {
  atcp_err err = ATCP_OK;
  atcp_os_rcu_lock();
  BindGroup* g = nullptr;
  if (BindBucket* bucket = load_acquire(&parent.bucket))
    g = find_group(*bucket, inherited(parent, laddr));
  if (g == nullptr || !inc_not_zero(&g->count)) g = enter_group(parent, laddr, &err);
  if (g != nullptr) {
    child.group = g;
    child.pprev = nullptr;
    if (has_room(child, addr_of(*g))) set_addr(child, addr_of(*g));
    child.flags = g->flags;
    child.uid = g->uid;
    child.port = g->bucket->port;
    child.listening = 0;
    child.connect_only = 0;
    child.counted = 1;
    child.bucket = g->bucket;
  }
  atcp_os_rcu_unlock();
  return err;
}

/// The slow way into a group, which may have to be made.
BindGroup* PortTable::enter_group(const BindNode& parent, const IpAddr& laddr, atcp_err* err) {
  // parent's owner may be closing it on another CPU, so nothing of it is believed before the
  // port's lock is held.
  const uint16_t port = load_relaxed(&parent.port);
  const uint32_t at = index_of(port, kBuckets);
  BindGroup* g = nullptr;
  *err = ATCP_ERR_INVALID;
  atcp_os_lock(locks_, at);
  BindBucket* bucket = find(heads_[at], port);
  if (bucket != nullptr && load_relaxed(&parent.bucket) == bucket) {
    const Claim c = inherited(parent, laddr);
    g = find_group(*bucket, c);
    if (g != nullptr) {
      add_fetch(&g->count, 1u);
    } else {
      g = static_cast<BindGroup*>(atcp_os_alloc(sizeof(BindGroup), ATCP_MEM_BIND));
      if (g != nullptr) {
        g->bucket = bucket;
        g->laddr = c.laddr.ip();
        g->family = c.laddr.family;
        g->uid = c.uid;
        g->flags = static_cast<uint8_t>(c.flags);
        g->biased = 1;
        g->count = 2;
        g->next = bucket->groups;
        store_release(&bucket->groups, g);
      }
    }
    *err = g != nullptr ? ATCP_OK : ATCP_ERR_NO_MEMORY;
  }
  atcp_os_unlock(locks_, at);
  return g;
}

void PortTable::leave_group(BindGroup& g, uint32_t at) {
  // The last child, as far as one can see without the lock, goes under it: once he is gone, another
  // CPU may free the group.
  if (dec_if_above(&g.count, 1)) return;
  atcp_os_lock(locks_, at);
  BindBucket& bucket = *g.bucket;
  const uint32_t left = sub_fetch(&g.count, 1u);
  // A child may enter without the lock this moment: then the count is not 1, and the group stays.
  if (left == 0 ||
      (left == 1 && g.biased != 0 && has_groups_to_spare(bucket) && one_to_zero(&g.count)))
    retire(g);
  free_if_unused(bucket, at);
  atcp_os_unlock(locks_, at);
}

/// Port lock.
/// The port's bucket, made if need be; nullptr: no memory. Port lock.
BindBucket* PortTable::find_or_make(uint32_t at, uint16_t port) {
  BindBucket* bucket = find(heads_[at], port);
  if (bucket != nullptr) return bucket;
  bucket = static_cast<BindBucket*>(atcp_os_alloc(sizeof(BindBucket), ATCP_MEM_BIND));
  if (bucket == nullptr) return nullptr;
  bucket->port = port;
  bucket->next = heads_[at];
  heads_[at] = bucket;
  add_fetch(&in_use_, 1u);
  return bucket;
}

void PortTable::free_if_unused(BindBucket& bucket, uint32_t at) {
  if (bucket.members != nullptr || bucket.groups != nullptr) return;
  BindBucket** place = &heads_[at];
  while (*place != &bucket)
    place = &(*place)->next;
  *place = bucket.next;
  sub_fetch(&in_use_, 1u);
  atcp_os_free_rcu(&bucket, &bucket.rcu, ATCP_MEM_BIND);
}

void PortTable::unbind(BindNode& n) {
  if (n.bucket == nullptr) return;
  const uint32_t at = index_of(n.port, kBuckets);
  if (n.counted != 0) {
    BindGroup& g = *n.group;
    n.group = nullptr;
    n.bucket = nullptr;
    n.counted = 0;
    leave_group(g, at);
    return;
  }
  atcp_os_lock(locks_, at);
  BindBucket& bucket = *n.bucket;
  *n.pprev = n.next;
  if (n.next != nullptr) n.next->pprev = n.pprev;
  n.next = nullptr;
  n.pprev = nullptr;
  store_release(&n.bucket, static_cast<BindBucket*>(nullptr));
  if (n.connect_only == 0) bucket.claimants--;
  n.listening = 0;
  n.connect_only = 0;
  if (bucket.members == nullptr) {
    for (BindGroup *g = bucket.groups, *next = nullptr; g != nullptr; g = next) {
      next = g->next;
      g->biased = 0;
      drop(*g);
    }
    free_if_unused(bucket, at);
  }
  atcp_os_unlock(locks_, at);
}

atcp_err PortTable::set_listening(BindNode& n) {
  if (n.bucket == nullptr) return ATCP_ERR_INVALID;
  const uint32_t at = index_of(n.port, kBuckets);
  atcp_os_lock(locks_, at);
  const bool refused = conflicts(*n.bucket, claim_of(n), &n, false);
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

bool PortTable::take_for_connect(BindNode& n, const IpAddr& laddr, uint16_t port) {
  if (!has_room(n, laddr)) return false;
  const Claim claim = {laddr, 0, 0};
  const uint32_t at = index_of(port, kBuckets);
  atcp_os_lock(locks_, at);
  BindBucket* bucket = find_or_make(at, port);
  bool free = bucket != nullptr;
  // A port may have a connection to each of many peers; only those who named it are of interest.
  if (free && bucket->claimants != 0) {
    for (const BindNode* m = bucket->members; m != nullptr && free; m = m->next)
      free = m->connect_only != 0 || !overlap(claim_of(*m), claim);
  }
  if (free) {
    for (const BindGroup* g = bucket->groups; g != nullptr && free; g = g->next)
      free = !has_children(*g) || !overlap(claim_of(*g), claim);
  }
  if (free) join(*bucket, n, claim, true);
  atcp_os_unlock(locks_, at);
  return free;
}

}  // namespace atcp
