// SPDX-License-Identifier: GPL-2.0
//
// The established table: connections, requests and TIME_WAIT entries of one namespace by their
// 4-tuple. Lookup takes no lock: it walks under RCU, takes a reference, compares the key again
// and starts anew if the chain it stood on was not the one it began with. Writers lock a stripe:
// all buckets whose numbers end in the same bits.
//
// The table grows and shrinks while it is used. A set of chains (EhashTable) gets a successor; new
// entries go there, the old ones are moved bucket by bucket in process context, readers search both.
// Stripes are as many for the table's life and never more than buckets, so the old and the
// new bucket of an entry have the same lock.
#ifndef ATCP_TABLE_EHASH_H
#define ATCP_TABLE_EHASH_H

#include "base/atomic.h"
#include "base/siphash.h"
#include "table/endpoint.h"

namespace atcp {

/// Take a reference unless the entry is being freed. Context: any, inside RCU.
bool endpoint_tryget(Endpoint& e);
/// Another reference, by somebody who has one.
void endpoint_get(Endpoint& e);
/// Drop a reference; true if it was the last one of a Request or TimeWait, which the caller
/// then frees (after RCU). A Conn frees itself.
bool endpoint_put(Endpoint& e);

/// A set of chains; `mask + 1` heads follow it in memory. Constant but for next and the heads.
struct EhashTable {
  uint64_t generation;  ///< counts resizes; chain ends carry it
  EhashTable* next;     ///< where entries are being moved to, or nullptr; readers load it last
  uint32_t mask;        ///< buckets - 1
  uint32_t bits;        ///< log2 of buckets

  uintptr* heads() { return reinterpret_cast<uintptr*>(this + 1); }
};

/// Some entries of a walk, referenced, in the order of their keys.
struct EhashBatch {
  static constexpr uint32_t kRoom = 16;
  uint32_t n = 0;
  Endpoint* entry[kRoom];
  uint64_t key[kRoom];  ///< a cursor that goes on at this entry
};

class Ehash {
 public:
  static constexpr uint32_t kMaxBuckets = 1u << 24;
  static constexpr uint64_t kWalkEnd = ~0ull;

  /// buckets (>= 1), and later the limits, are rounded up to powers of two. min_buckets and
  /// max_buckets as in set_limits. os is asked for atcp_os_ns_work. False: no memory.
  /// Context: process.
  bool init(atcp_osns* os, uint32_t buckets, uint32_t min_buckets, uint32_t max_buckets,
            const SipKey& key);
  /// The table is empty, nobody uses it, and no resize() runs.
  void fini();

  /// Of a tuple in this table, for lookup() and insert(). It is costly: who needs it twice keeps it.
  uint32_t hash(const atcp_tuple& t) const;

  /// Referenced entry, or nullptr. h: hash(t). Context: inside RCU.
  Endpoint* lookup(const atcp_tuple& t, uint32_t h) const;
  Endpoint* lookup(const atcp_tuple& t) const { return lookup(t, hash(t)); }
  /// The entry that has this tuple, without a reference: a hint, for it may be leaving or dying. Nothing but
  /// what is constant or atomic in it may be read. nullptr: none. Context: inside RCU.
  const Endpoint* peek(const atcp_tuple& t) const;

  /// Hash e (its kind and its tuple t, whose hash is h, are set; e.hash is set here) unless the tuple is
  /// taken; then false, and if `taken` is given it gets the other entry, referenced (or nullptr if it is
  /// on its way out).
  bool insert(Endpoint& e, const atcp_tuple& t, uint32_t h, Endpoint** taken = nullptr);
  bool insert(Endpoint& e, Endpoint** taken = nullptr) {
    const atcp_tuple t = tuple_of(e);
    return insert(e, t, hash(t), taken);
  }
  /// Put fresh (same tuple) in the place of old, in one step for readers. False, and nothing
  /// done, if old is not hashed any more.
  bool replace(Endpoint& old, Endpoint& fresh);
  /// False if e was not hashed.
  bool remove(Endpoint& e);

  uint32_t size() const { return load_relaxed(&size_); }  ///< entries of any kind
  uint32_t buckets() const;
  uint32_t stripes() const { return lock_mask_ + 1; }

  /// The table does not shrink below min_buckets (0: the initial number) and does not grow beyond max_buckets or,
  /// if that is larger, min_buckets. It grows for entries only: min_buckets, which a user may set in a
  /// namespace of his own, makes it allocate nothing but the initial number again. Context: any; asks for resize().
  void set_limits(uint32_t min_buckets, uint32_t max_buckets);
  /// Grow above one entry per bucket, shrink below one per kSparse buckets, again until it fits.
  /// Without memory the table stays as it is until it has grown by another part. Context: process,
  /// may sleep, no lock; one caller at a time.
  void resize();

  /// The next entries from *cursor (0 at first) on for which want(e), called under their lock, is true; at
  /// most kRoom, perhaps none. *cursor moves behind them, to kWalkEnd when all have been seen.
  /// Entries come in the order of their reversed hashes, which no resize changes: an entry that stays in
  /// the table is seen exactly once. Holds one stripe's lock, for a bounded number of buckets.
  /// Context: inside RCU.
  template <class Want>
  EhashBatch walk(uint64_t* cursor, Want want) const;

 private:
  static constexpr uint32_t kSparse = 8;
  static constexpr uint32_t kWalkBuckets = 64;

  class Locked;
  EhashTable* table() const { return load_acquire(&table_); }
  bool make_table(uint32_t buckets, uint64_t generation, EhashTable** out) const;
  uint32_t least() const;
  uint32_t most() const;
  uint32_t wanted() const;
  bool move_to(uint32_t buckets);
  void set_thresholds();
  void put_off();
  void ask();
  static uint32_t reversed(uint32_t v);
  static uint64_t walk_key(const Endpoint& e);
  static void keep(EhashBatch* b, Endpoint& e, uint64_t key, bool* more);

  // What lookups read; written only by resizes.
  EhashTable* table_ = nullptr;  ///< atomic
  SipKey key_ = {};
  atcp_locks* locks_ = nullptr;
  uint32_t lock_mask_ = 0;
  atcp_osns* os_ = nullptr;
  uint32_t initial_ = 0;
  uint32_t min_ = 0;        ///< atomic; buckets
  uint32_t max_ = 0;        ///< atomic; buckets
  uint32_t grow_at_ = 0;    ///< atomic; more entries than this ask for resize()
  uint32_t shrink_at_ = 0;  ///< atomic; fewer entries than this ask for resize()
  /// What writers write has lines of its own, so that it does not disturb readers.
  uint8_t apart_[64] = {};
  uint32_t size_ = 0;   ///< atomic
  uint32_t asked_ = 0;  ///< atomic; resize() is on its way
  uint8_t apart_too_[64] = {};
};

/// A chain's end: odd, so that it cannot be an entry's address, and naming table and bucket.
constexpr bool is_chain_end(uintptr v) {
  return (v & 1) != 0;
}

template <class Want>
EhashBatch Ehash::walk(uint64_t* cursor, Want want) const {
  EhashBatch b;
  if (*cursor == kWalkEnd) return b;
  uint64_t from = *cursor;
  bool more = false;
  const uint32_t stripe = reversed(static_cast<uint32_t>(from >> 32)) & lock_mask_;
  atcp_os_lock(locks_, stripe);
  // Buckets that follow each other in this order differ in their upper bits first: the stripe stays
  // the same for as long as there is something left of it.
  for (uint32_t i = 0; i < kWalkBuckets && b.n < EhashBatch::kRoom && from != kWalkEnd; i++) {
    const auto rev = static_cast<uint32_t>(from >> 32);
    const uint32_t low = reversed(rev);
    if ((low & lock_mask_) != stripe) break;
    uint32_t bits = 0;
    for (EhashTable* t = table(); t != nullptr; t = load_acquire(&t->next))
      bits = max(bits, t->bits);
    // One bucket of the finest table; of the others' chains the part that belongs to it.
    const uint32_t last = rev | (~0u >> bits);
    for (EhashTable* t = table(); t != nullptr; t = load_acquire(&t->next)) {
      for (uintptr v = t->heads()[low & t->mask]; !is_chain_end(v);) {
        auto* e = reinterpret_cast<Endpoint*>(v);
        v = e->next;
        const uint64_t key = walk_key(*e);
        if (key >= from && static_cast<uint32_t>(key >> 32) <= last && want(*e))
          keep(&b, *e, key, &more);
      }
    }
    if (more) {
      from = b.key[b.n - 1] + 1;
      break;
    }
    from = last == ~0u ? kWalkEnd : static_cast<uint64_t>(last + 1) << 32;
  }
  // Without the address, for another entry (TIME_WAIT) may take this one's place meanwhile; but not where an entry of the
  // same hash has been seen already, which would be seen again.
  uint64_t seen = static_cast<uint32_t>(*cursor) != 0 ? *cursor >> 32 : kWalkEnd;
  *cursor = from;
  uint32_t got = 0;
  for (uint32_t i = 0; i < b.n; i++) {
    const uint64_t key = b.key[i], hash = key >> 32;
    const bool again = hash == seen;
    seen = hash;
    if (!endpoint_tryget(*b.entry[i])) continue;
    b.entry[got] = b.entry[i];
    b.key[got++] = again ? key : hash << 32;
  }
  b.n = got;
  atcp_os_unlock(locks_, stripe);
  return b;
}

}  // namespace atcp

#endif  // ATCP_TABLE_EHASH_H
