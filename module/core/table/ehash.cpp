// SPDX-License-Identifier: GPL-2.0
//
// Chains of the established table. New entries go to a chain's head; an entry that leaves keeps
// its `next`, so a reader who stands on it still reaches a chain's end. A reader is led astray in two
// ways: a connection that left may be hashed again, under another tuple, while he stands on it; and
// an entry may be moved to the next table. The end of each chain names its table's generation and its
// bucket, so he notices and starts again.
#include "table/ehash.h"

#include "table/counters.h"

namespace atcp {
namespace {

constexpr uint32_t kMaxStripes = 1024;
constexpr uint32_t kBucketBits = 24;
constexpr uint32_t kMovesPerTurn = 64;  ///< buckets moved before others may have the CPU
constexpr uint32_t kMovesPerLock = 32;  ///< entries moved before others may have the lock
constexpr uint32_t kRetryPart = 8;  ///< without memory, try again when an eighth has come or gone
static_assert(sizeof(uintptr) == 8, "a chain's end needs room for its generation");
static_assert(Ehash::kMaxBuckets == 1u << kBucketBits);

uintptr chain_end(const EhashTable& t, uint32_t bucket) {
  return (static_cast<uintptr>(t.generation) << (kBucketBits + 1)) |
         (static_cast<uintptr>(bucket) << 1) | 1;
}

Endpoint* entry_at(uintptr v) {
  return reinterpret_cast<Endpoint*>(v);
}

uintptr link_to(Endpoint& e) {
  return reinterpret_cast<uintptr>(&e);
}

/// The comparison of a reader without a lock: the entry may be changing under him.
inline bool key_matches(const Endpoint& e, uint32_t hash, const atcp_tuple& t) {
  return load_relaxed(&e.hash) == hash && same_tuple(e, t);
}

/// The place in t that points at e, or nullptr. Stripe lock.
uintptr* place_in(EhashTable& t, Endpoint& e) {
  uintptr* at = &t.heads()[e.hash & t.mask];
  while (!is_chain_end(*at) && *at != link_to(e))
    at = &entry_at(*at)->next;
  return is_chain_end(*at) ? nullptr : at;
}

/// The place that points at e, which is in one of the tables. Stripe lock.
uintptr* place_of(EhashTable* t, Endpoint& e) {
  uintptr* at = place_in(*t, e);
  while (at == nullptr) {
    t = load_acquire(&t->next);
    at = place_in(*t, e);
  }
  return at;
}

/// The last entries of a bucket, at most kMovesPerLock, to another table, the last of the chain first: so a
/// reader of the old chain meets everybody who has not moved, and those who have are in the new table
/// before they are gone from the old one. One pass over the chain. False: none is left. Stripe lock.
bool move_some(EhashTable& from, uint32_t bucket, EhashTable& to) {
  uintptr* places[kMovesPerLock];  // that point at the last entries; a ring
  uint32_t n = 0;
  for (uintptr* at = &from.heads()[bucket]; !is_chain_end(*at); at = &entry_at(*at)->next)
    places[n++ % kMovesPerLock] = at;
  const uint32_t first = n - min(n, kMovesPerLock);
  for (uint32_t i = n; i > first; i--) {
    uintptr* at = places[(i - 1) % kMovesPerLock];
    Endpoint& e = *entry_at(*at);
    uintptr* fresh = &to.heads()[e.hash & to.mask];
    store_release(&e.next, *fresh);
    store_release(fresh, link_to(e));
    store_release(at, chain_end(from, bucket));
  }
  return first != 0;
}

}  // namespace

/// A writer at work on the stripe of a hash. The RCU section keeps the tables: one that all entries have
/// left is freed only when nobody who may have loaded it before is in such a section.
class Ehash::Locked {
 public:
  Locked(const Ehash& h, uint32_t hash) : locks_(h.locks_), stripe_(hash & h.lock_mask_) {
    atcp_os_rcu_lock();
    atcp_os_lock(locks_, stripe_);
  }
  ~Locked() {
    atcp_os_unlock(locks_, stripe_);
    atcp_os_rcu_unlock();
  }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  atcp_locks* locks_;
  uint32_t stripe_;
};

// ---- life, size ----------------------------------------------------------------------------

bool Ehash::make_table(uint32_t buckets, uint64_t generation, EhashTable** out) const {
  const uint64_t bytes = sizeof(EhashTable) + static_cast<uint64_t>(buckets) * sizeof(uintptr);
  auto* t = static_cast<EhashTable*>(atcp_os_table_alloc(bytes));
  if (t == nullptr) return false;
  t->generation = generation;
  t->mask = buckets - 1;
  t->bits = log2_floor(buckets);
  for (uint32_t b = 0; b < buckets; b++)
    t->heads()[b] = chain_end(*t, b);
  *out = t;
  return true;
}

bool Ehash::init(atcp_osns* os, uint32_t buckets, uint32_t min_buckets, uint32_t max_buckets,
                 const SipKey& key) {
  os_ = os;
  key_ = key;
  size_ = 0;
  asked_ = 0;
  initial_ = round_up_pow2(clamp(buckets, 1u, kMaxBuckets));
  const uint32_t stripes = min(initial_, kMaxStripes);
  lock_mask_ = stripes - 1;
  locks_ = atcp_os_locks_alloc(stripes, ATCP_LOCK_BUCKET);
  if (locks_ == nullptr || !make_table(initial_, 0, &table_)) {
    fini();
    return false;
  }
  min_ = min_buckets;
  max_ = max_buckets;
  set_thresholds();
  return true;
}

void Ehash::fini() {
  if (table_ != nullptr) atcp_os_table_free(table_);
  if (locks_ != nullptr) atcp_os_locks_free(locks_);
  table_ = nullptr;
  locks_ = nullptr;
}

uint32_t Ehash::hash(const atcp_tuple& t) const {
  return static_cast<uint32_t>(siphash13_tuple(key_, t));
}

uint32_t Ehash::buckets() const {
  atcp_os_rcu_lock();
  const uint32_t n = table()->mask + 1;
  atcp_os_rcu_unlock();
  return n;
}

void Ehash::set_limits(uint32_t min_buckets, uint32_t max_buckets) {
  store_relaxed(&min_, min_buckets);
  store_relaxed(&max_, max_buckets);
  ask();
}

void Ehash::ask() {
  if (load_relaxed(&asked_) == 0 && __atomic_exchange_n(&asked_, 1u, __ATOMIC_SEQ_CST) == 0)
    atcp_os_ns_work(os_);
}

/// The table does not shrink below this.
uint32_t Ehash::least() const {
  const uint32_t set = load_relaxed(&min_);
  return max(round_up_pow2(min(set != 0 ? set : initial_, kMaxBuckets)), lock_mask_ + 1);
}

/// The table does not grow beyond this.
uint32_t Ehash::most() const {
  return max(round_up_pow2(min(load_relaxed(&max_), kMaxBuckets)), least());
}

/// How many buckets there should be.
uint32_t Ehash::wanted() const {
  const uint32_t have = table()->mask + 1;
  const uint32_t hi = most();
  // Nobody is charged for a table, so only entries, who have been paid for, make it larger than
  // it was at first.
  const uint32_t lo = min(min(least(), hi), max(have, initial_));
  const uint32_t n = min(size(), kMaxBuckets);
  if (n > have) return clamp(round_up_pow2(n), lo, hi);
  if (n < have / kSparse) return clamp(round_up_pow2(n * 2), lo, hi);
  return clamp(have, lo, hi);
}

void Ehash::set_thresholds() {
  const uint32_t have = table()->mask + 1;
  store_relaxed(&grow_at_, have < most() ? have : ~0u);
  store_relaxed(&shrink_at_, have > least() ? have / kSparse : 0u);
}

/// There was no memory.
void Ehash::put_off() {
  const uint32_t n = size();
  store_relaxed(&grow_at_, n + max(n / kRetryPart, 1u));
  store_relaxed(&shrink_at_, n - n / kRetryPart);
}

bool Ehash::move_to(uint32_t buckets) {
  EhashTable* old = table_;
  EhashTable* fresh = nullptr;
  if (!make_table(buckets, old->generation + 1, &fresh)) return false;
  // Whoever takes a stripe's lock after us sees this, and puts nothing new into the old table.
  store_release(&old->next, fresh);
  for (uint32_t b = 0; b <= old->mask; b++) {
    for (bool more = true; more;) {
      atcp_os_lock(locks_, b & lock_mask_);
      more = move_some(*old, b, *fresh);
      atcp_os_unlock(locks_, b & lock_mask_);
      if (more) atcp_os_cond_resched();
    }
    if (b % kMovesPerTurn == kMovesPerTurn - 1) atcp_os_cond_resched();
  }
  store_release(&table_, fresh);
  atcp_os_rcu_wait();
  atcp_os_table_free(old);
  return true;
}

void Ehash::resize() {
  for (;;) {
    // First, so that whoever changes the size from here on may ask again.
    __atomic_store_n(&asked_, 0u, __ATOMIC_SEQ_CST);
    const uint32_t have = table_->mask + 1;
    const uint32_t to = wanted();
    if (to == have) break;
    if (!move_to(to)) {
      atcp_os_count(os_, static_cast<uint32_t>(Counter::EhashNoMemory), 1);
      put_off();
      return;
    }
    atcp_os_count(os_,
                  static_cast<uint32_t>(to > have ? Counter::EhashGrown : Counter::EhashShrunk), 1);
  }
  set_thresholds();
}

// ---- readers -------------------------------------------------------------------------------

Endpoint* Ehash::lookup(const atcp_tuple& tuple, uint32_t h) const {
again:
  for (EhashTable* t = table(); t != nullptr; t = load_acquire(&t->next)) {
    const uint32_t b = h & t->mask;
    uintptr v = load_acquire(&t->heads()[b]);
    while (!is_chain_end(v)) {
      Endpoint& e = *entry_at(v);
      if (key_matches(e, h, tuple)) {
        if (endpoint_tryget(e)) {
          if (key_matches(e, h, tuple)) return &e;
          // A socket that got another tuple meanwhile. Its reference may be the last one.
          (void)endpoint_put(e);
          goto again;
        }
        // Dying. If it left the table, something may have taken its place.
        if (load_acquire(&e.hashed) == 0) goto again;
      }
      v = load_acquire(&e.next);
    }
    if (v != chain_end(*t, b)) goto again;
  }
  return nullptr;
}

const Endpoint* Ehash::peek(const atcp_tuple& tuple) const {
  const uint32_t h = hash(tuple);
again:
  for (EhashTable* t = table(); t != nullptr; t = load_acquire(&t->next)) {
    const uint32_t b = h & t->mask;
    uintptr v = load_acquire(&t->heads()[b]);
    for (; !is_chain_end(v); v = load_acquire(&entry_at(v)->next)) {
      if (key_matches(*entry_at(v), h, tuple)) return entry_at(v);
    }
    if (v != chain_end(*t, b)) goto again;
  }
  return nullptr;
}

// ---- writers -------------------------------------------------------------------------------

bool Ehash::insert(Endpoint& e, const atcp_tuple& tuple, uint32_t h, Endpoint** taken) {
  uint32_t size = 0;
  {
    const Locked locked(*this, h);
    EhashTable* newest = table();
    for (EhashTable* t = newest; t != nullptr; t = load_acquire(&t->next)) {
      newest = t;
      for (uintptr v = t->heads()[h & t->mask]; !is_chain_end(v); v = entry_at(v)->next) {
        Endpoint& other = *entry_at(v);
        if (other.hash != h || !same_tuple(other, tuple)) continue;
        if (taken != nullptr) *taken = endpoint_tryget(other) ? &other : nullptr;
        return false;
      }
    }
    uintptr* head = &newest->heads()[h & newest->mask];
    // Before it can be found, and removed: the count must not pass below 0.
    size = add_fetch(&size_, 1u);
    store_relaxed(&e.hash, h);
    store_release(&e.next, *head);
    store_release(&e.hashed, uint8_t{1});
    store_release(head, link_to(e));
  }
  if (size > load_relaxed(&grow_at_)) ask();
  return true;
}

bool Ehash::replace(Endpoint& old, Endpoint& fresh) {
  const Locked locked(*this, load_relaxed(&old.hash));
  if (old.hashed == 0) return false;
  store_relaxed(&fresh.hash, old.hash);
  store_release(&fresh.next, old.next);
  store_release(&fresh.hashed, uint8_t{1});
  store_release(place_of(table(), old), link_to(fresh));
  store_release(&old.hashed, uint8_t{0});
  return true;
}

bool Ehash::remove(Endpoint& e) {
  if (load_acquire(&e.hashed) == 0) return false;
  {
    const Locked locked(*this, load_relaxed(&e.hash));
    if (e.hashed == 0) return false;
    store_release(place_of(table(), e), e.next);
    store_release(&e.hashed, uint8_t{0});
  }
  if (sub_fetch(&size_, 1u) < load_relaxed(&shrink_at_)) ask();
  return true;
}

// ---- walks ---------------------------------------------------------------------------------

uint32_t Ehash::reversed(uint32_t v) {
  v = ((v >> 1) & 0x55555555) | ((v & 0x55555555) << 1);
  v = ((v >> 2) & 0x33333333) | ((v & 0x33333333) << 2);
  v = ((v >> 4) & 0x0f0f0f0f) | ((v & 0x0f0f0f0f) << 4);
  return swap32(v);
}

/// Position in the order of walks. A bucket's number is the last bits of its entries' hash, so with the bits
/// reversed each bucket of any table is an interval. The address tells equal hashes apart.
uint64_t Ehash::walk_key(const Endpoint& e) {
  constexpr uint32_t kAlignment = 5;  // no entry is smaller than 32 bytes
  const auto address = reinterpret_cast<uintptr>(&e) >> kAlignment;
  return (static_cast<uint64_t>(reversed(e.hash)) << 32) | static_cast<uint32_t>(address);
}

/// Keep the kRoom smallest keys, sorted. *more: one had to go.
void Ehash::keep(EhashBatch* b, Endpoint& e, uint64_t key, bool* more) {
  uint32_t at = b->n;
  if (at == EhashBatch::kRoom) {
    *more = true;
    if (key > b->key[at - 1]) return;
    at--;
  } else {
    b->n++;
  }
  for (; at > 0 && b->key[at - 1] > key; at--) {
    b->key[at] = b->key[at - 1];
    b->entry[at] = b->entry[at - 1];
  }
  b->key[at] = key;
  b->entry[at] = &e;
}

}  // namespace atcp
