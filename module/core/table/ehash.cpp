// SPDX-License-Identifier: GPL-2.0
//
// Chains of the established table. New entries go to a chain's head; an entry that leaves keeps
// its `next`, so a reader who stands on it still reaches the chain's end. A reader is led
// astray in one way only: a connection that left may be hashed again, under another tuple, while
// he stands on it. The end of the chain names its bucket, so he notices and starts again.
#include "table/ehash.h"

#include "base/atomic.h"

namespace atcp {
namespace {

constexpr uint32_t kDefaultBuckets = 1u << 16;
constexpr uint32_t kMaxBuckets = 1u << 24;
constexpr uint32_t kMaxLocks = 1024;

constexpr uintptr chain_end(uint32_t bucket) {
  return (static_cast<uintptr>(bucket) << 1) | 1;
}

Endpoint* entry_at(uintptr v) {
  return reinterpret_cast<Endpoint*>(v);
}

uintptr link_to(Endpoint& e) {
  return reinterpret_cast<uintptr>(&e);
}

/// The comparison of a reader without a lock: the entry may be changing under him.
bool key_matches(const Endpoint& e, uint32_t hash, const atcp_tuple& t) {
  return load_relaxed(&e.hash) == hash && load_relaxed(&e.laddr) == t.laddr.v4 &&
         load_relaxed(&e.raddr) == t.raddr.v4 && load_relaxed(&e.lport) == t.lport &&
         load_relaxed(&e.rport) == t.rport && load_relaxed(&e.family) == t.family;
}

/// The place that points at e. Bucket lock; e is in this chain.
uintptr* place_of(uintptr* head, Endpoint& e) {
  uintptr* at = head;
  while (*at != link_to(e))
    at = &entry_at(*at)->next;
  return at;
}

}  // namespace

bool Ehash::init(uint32_t buckets, const SipKey& key) {
  const uint32_t n = round_up_pow2(min(buckets == 0 ? kDefaultBuckets : buckets, kMaxBuckets));
  const uint32_t locks = min(n, kMaxLocks);
  heads_ = static_cast<uintptr*>(atcp_os_table_alloc(static_cast<uint64_t>(n) * sizeof(uintptr)));
  locks_ = atcp_os_locks_alloc(locks, ATCP_LOCK_BUCKET);
  if (heads_ == nullptr || locks_ == nullptr) {
    fini();
    return false;
  }
  mask_ = n - 1;
  lock_mask_ = locks - 1;
  size_ = 0;
  key_ = key;
  for (uint32_t b = 0; b < n; b++)
    heads_[b] = chain_end(b);
  return true;
}

void Ehash::fini() {
  if (heads_ != nullptr) atcp_os_table_free(heads_);
  if (locks_ != nullptr) atcp_os_locks_free(locks_);
  heads_ = nullptr;
  locks_ = nullptr;
}

uint32_t Ehash::hash(const atcp_tuple& t) const {
  return static_cast<uint32_t>(siphash13_tuple(key_, t));
}

uint32_t Ehash::size() const {
  return load_relaxed(&size_);
}

Endpoint* Ehash::lookup(const atcp_tuple& t) const {
  const uint32_t h = hash(t);
  const uint32_t b = h & mask_;
again:
  uintptr v = load_acquire(&heads_[b]);
  while (!is_chain_end(v)) {
    Endpoint& e = *entry_at(v);
    if (key_matches(e, h, t)) {
      if (endpoint_tryget(e)) {
        if (key_matches(e, h, t)) return &e;
        // A socket that got another tuple meanwhile. Its reference may be the last one.
        (void)endpoint_put(e);
        goto again;
      }
      // Dying. If it left the table, something may have taken its place.
      if (load_acquire(&e.hashed) == 0) goto again;
    }
    v = load_acquire(&e.next);
  }
  if (v != chain_end(b)) goto again;
  return nullptr;
}

bool Ehash::insert(Endpoint& e, Endpoint** taken) {
  const atcp_tuple t = tuple_of(e);
  const uint32_t h = hash(t);
  const uint32_t b = h & mask_;
  Endpoint* other = nullptr;
  lock_bucket(b);
  for (uintptr v = heads_[b]; !is_chain_end(v); v = entry_at(v)->next) {
    if (entry_at(v)->hash == h && same_tuple(*entry_at(v), t)) {
      other = entry_at(v);
      break;
    }
  }
  if (other != nullptr) {
    if (taken != nullptr) *taken = endpoint_tryget(*other) ? other : nullptr;
    unlock_bucket(b);
    return false;
  }
  store_relaxed(&e.hash, h);
  store_release(&e.next, heads_[b]);
  store_release(&e.hashed, uint8_t{1});
  store_release(&heads_[b], link_to(e));
  unlock_bucket(b);
  add_fetch(&size_, 1u);
  return true;
}

bool Ehash::replace(Endpoint& old, Endpoint& fresh) {
  const uint32_t b = old.hash & mask_;
  lock_bucket(b);
  if (old.hashed == 0) {
    unlock_bucket(b);
    return false;
  }
  store_relaxed(&fresh.hash, old.hash);
  store_release(&fresh.next, old.next);
  store_release(&fresh.hashed, uint8_t{1});
  store_release(place_of(&heads_[b], old), link_to(fresh));
  store_release(&old.hashed, uint8_t{0});
  unlock_bucket(b);
  return true;
}

bool Ehash::remove(Endpoint& e) {
  if (load_acquire(&e.hashed) == 0) return false;
  const uint32_t b = e.hash & mask_;
  lock_bucket(b);
  const bool was = e.hashed != 0;
  if (was) {
    store_release(place_of(&heads_[b], e), e.next);
    store_release(&e.hashed, uint8_t{0});
  }
  unlock_bucket(b);
  if (was) sub_fetch(&size_, 1u);
  return was;
}

}  // namespace atcp
