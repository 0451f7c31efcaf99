// SPDX-License-Identifier: GPL-2.0
//
// TCP Fast Open (RFC 7413) as far as a connection has to do with it: cookies, what this host remembers of
// other servers' cookies, data on our own SYN, and the accounts of a listener's connections that carry data
// before their handshake is complete. Which SYN may become such a connection is decided in listen/fastopen.
#ifndef ATCP_CONN_FASTOPEN_H
#define ATCP_CONN_FASTOPEN_H

#include "abi/atcp_core.h"
#include "base/seq.h"
#include "base/siphash.h"
#include "wire/segment.h"

namespace atcp {

struct Ns;
struct Tcb;
struct Now;

/// Bits of the parameter `fastopen`, Linux's.
enum FastopenParam : uint32_t {
  kFastopenClient = 0x1,
  kFastopenServer = 0x2,
  kFastopenClientNoCookie = 0x4,    ///< data on a SYN without having a cookie
  kFastopenServerNoCookie = 0x200,  ///< take data from a SYN without a cookie
  kFastopenAllListeners = 0x400,    ///< listeners need not ask for it
};

/// Cookies of servers that this host has been a client of: a fixed number, by pair of addresses. Readers and
/// writers take no lock; a writer that meets another one gives up, for a cache may forget.
class FastopenCache {
 public:
  struct Entry {
    FastopenCookie cookie;
    uint16_t mss;  ///< the server's
  };
  /// False: none.
  bool get(const SipKey& key, const atcp_tuple& t, Entry* out) const;
  void put(const SipKey& key, const atcp_tuple& t, const Entry& e);
  void forget(const SipKey& key, const atcp_tuple& t);

 private:
  static constexpr uint32_t kSets = 32;
  static constexpr uint32_t kWays = 4;
  struct Slot {
    uint32_t version;  ///< atomic; odd while it is being written
    uint16_t mss;
    uint8_t len;  ///< 0: empty
    uint8_t family;
    uint64_t hosts[4];  ///< both addresses
    uint64_t bytes[kMaxFastopenCookie / 8];

    bool is_of(const Slot& o) const;
  };
  /// A slot that has nothing but the addresses of t.
  static Slot slot_for(const atcp_tuple& t);
  static uint32_t set_of(const SipKey& key, const atcp_tuple& t);
  static bool read(const Slot& s, Slot* out);
  static void write(Slot& s, const Slot& value);

  Slot slots_[kSets][kWays];
  uint32_t next_;  ///< atomic; way to overwrite if a set is full
};

/// The keys of a server's cookies (TCP_FASTOPEN_KEY). Constant once they can be seen.
struct FastopenKeys {
  SipKey key[ATCP_FASTOPEN_KEYS];  ///< the first makes cookies, all are accepted
  uint32_t n;                      ///< 1 or 2
  atcp_rcu rcu;
};

/// What a namespace keeps for it. All zero but for the keys is a valid beginning.
struct Fastopen {
  FastopenKeys
      server_keys;  ///< of the cookies that we give out: one, at random; a listener may have its own
  SipKey cache_key;         ///< spreads the cache
  uint32_t paused_until_s;  ///< atomic; no data on our SYNs before this second; 0: not paused
  uint32_t pauses;          ///< atomic; in a row, each twice as long as the one before
  FastopenCache cache;

  void init();
};

/// A listener's limit, what counts against it, its keys. Allocated when the program asks for fast open, freed
/// with the listener's Tcb.
struct FastopenQueue {
  uint32_t most;     ///< atomic; TCP_FASTOPEN; 0: none
  uint32_t pending;  ///< atomic; connections whose handshake is not complete
  uint32_t
      resets;  ///< atomic; reset by their peers lately: forged sources would give themselves away so
  uint32_t reset_s;  ///< atomic; second of the last one
  /// TCP_FASTOPEN_KEY; nullptr: the namespace's. Atomic, replaced as a whole; readers under RCU.
  FastopenKeys* keys;
};

/// A listener's keys, or the namespace's. As in Linux no key changes by itself (RFC 7413 4.1.2 has the server
/// rotate them): whoever runs several servers behind one address must tell all of them, and when. Context:
/// inside RCU.
const FastopenKeys& fastopen_keys(const Tcb& listener);
/// As atcp_core_set_fastopen_keys. Lock: conn.
bool fastopen_set_keys(Tcb& t, const uint8_t* bytes, uint32_t n);
/// The cookie for a client (RFC 7413 4.1.2): SipHash of both addresses with the listener's first key, as in
/// Linux, so that servers of both kinds may share a key.
void fastopen_cookie(const FastopenKeys& keys, const atcp_tuple& t, FastopenCookie* out);
/// The number of the key that the SYN's cookie was made with, from 1 on; 0: of none.
uint32_t fastopen_cookie_valid(const FastopenKeys& keys, const atcp_tuple& t, const atcp_seg& syn);

/// One more connection with early data? Takes a place if so. queue may be nullptr: no.
bool fastopen_admit(FastopenQueue* queue, Now now);
/// The connection's handshake is over, well or badly (reset_s: the second in which the peer reset it, or 0;
/// then it counts for a minute more): its place is free, its reference to the listener is dropped. Nothing to do for other connections.
void fastopen_settle(Tcb& t, uint32_t reset_s);
/// TCP_FASTOPEN of a listener-to-be. False: no memory.
bool fastopen_set_queue(Tcb& t, uint32_t most);
/// Free it, when nobody can see it any more. nullptr is fine.
void fastopen_free_queue(FastopenQueue* q);

/// May a connection to t carry data on its SYN now, if the program has some?
bool fastopen_ready(const Tcb& t, const atcp_tuple& tuple, Now now);
/// Send our first SYN, h so far, with the cookie option and, if we have a cookie, with data.
void fastopen_send_syn(Tcb& t, Header& h, Now now);
/// The SYN-ACK (or the peer's own SYN) came: learn the cookie; what of the data it did not acknowledge becomes
/// unsent again. The acknowledged part has been released.
void fastopen_answered(Tcb& t, const atcp_seg& seg);
/// The n-th timeout in a row of a connection that tried fast open; last: it was given up. Some
/// middleboxes swallow such connections whole: then it is paused for the namespace.
void fastopen_timed_out(Tcb& t, uint32_t n, bool last, Now now);

}  // namespace atcp

#endif  // ATCP_CONN_FASTOPEN_H
