// SPDX-License-Identifier: GPL-2.0
//
// Fast open on the client's side and what both sides share. The data of a SYN is an ordinary piece of the send
// queue that counts as sent; if the server does not take it, it becomes an unsent one, and goes with the
// first segments after the handshake as if nothing had been tried.
#include "conn/fastopen.h"

#include "base/atomic.h"
#include "conn/tcb.h"

namespace atcp {

namespace {

constexpr uint8_t kServerCookieBytes = 8;
constexpr int32_t kResetCountsS = 60;
/// A pause doubles up to 64 times the parameter (as Linux).
constexpr uint32_t kMostDoublings = 6;

uint32_t seconds(Now now) {
  return static_cast<uint32_t>(now.us / 1000000);
}

bool paused(const Ns& ns, Now now) {
  const uint32_t until = load_relaxed(&ns.fastopen.paused_until_s);
  return until != 0 && static_cast<int32_t>(until - seconds(now)) > 0;
}

bool without_cookie(const Tcb& t) {
  return t.fastopen_no_cookie || (t.param(Param::Fastopen) & kFastopenClientNoCookie) != 0;
}

/// Send h with the first `most` bytes of the queue. False: there are none, or they did not leave.
bool emit_with_data(Tcb& t, const Header& h, uint32_t most, Now now) {
  TxSeg* s = t.send_head;
  if (s == nullptr || s->len == 0 || most == 0) return false;
  if (s->len > most && split(t, *s, most) == nullptr) return false;
  uint8_t buf[kMaxHeader];
  const uint32_t n = write_header(h, buf);
  if (atcp_os_conn_emit(t.conn(), buf, n, s->pkt(), s->len, s->len, kNotEct) != 0) return false;
  t.segs_out++;
  t.count(Counter::OutSegs);
  t.data_segs_out++;
  t.bytes_sent += s->len;
  s->segs = 1;
  board_sent(t, *s, now.us);
  t.snd_nxt = s->seq + s->len;
  t.send_head = Treap<TxSeg>::next(s);
  t.last_sent_us = now.us;
  return true;
}

/// Both addresses as words, in the order of the SYN's IP header (this is the server, the peer comes first); how many.
uint32_t hosts_of(const atcp_tuple& t, uint64_t (&w)[4]) {
  if (t.family != ATCP_AF_INET6) {
    w[0] = static_cast<uint64_t>(t.laddr.v4) << 32 | t.raddr.v4;
    return 1;
  }
  memcpy(w, t.raddr.v6, sizeof(t.raddr.v6));
  memcpy(w + 2, t.laddr.v6, sizeof(t.laddr.v6));
  return 4;
}

uint64_t hash_hosts(const SipKey& key, const atcp_tuple& t) {
  uint64_t w[4] = {};
  return siphash_words(key, w, hosts_of(t, w));
}

/// Nothing that was sent, from the first piece on, counts as sent any more: no mark and no count is left.
void unsend(Tcb& t, TxSeg& first) {
  board_unsend(t, first);
  t.ca_state = CaState::Open;
  t.timers.stop(TimerId::Retransmit);
}

}  // namespace

// ---- the cache -----------------------------------------------------------------------------

uint32_t FastopenCache::set_of(const SipKey& key, const atcp_tuple& t) {
  return static_cast<uint32_t>(hash_hosts(key, t)) % kSets;
}

FastopenCache::Slot FastopenCache::slot_for(const atcp_tuple& t) {
  Slot s = {};
  s.family = static_cast<uint8_t>(t.family);
  (void)hosts_of(t, s.hosts);
  return s;
}

bool FastopenCache::Slot::is_of(const Slot& o) const {
  return len != 0 && family == o.family && memcmp(hosts, o.hosts, sizeof(hosts)) == 0;
}

bool FastopenCache::read(const Slot& s, Slot* out) {
  const uint32_t before = load_acquire(&s.version);
  out->mss = load_relaxed(&s.mss);
  out->len = load_relaxed(&s.len);
  out->family = load_relaxed(&s.family);
  for (uint32_t i = 0; i < array_len(s.hosts); i++)
    out->hosts[i] = load_relaxed(&s.hosts[i]);
  for (uint32_t i = 0; i < array_len(s.bytes); i++)
    out->bytes[i] = load_relaxed(&s.bytes[i]);
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  return (before & 1) == 0 && load_relaxed(&s.version) == before;
}

void FastopenCache::write(Slot& s, const Slot& value) {
  uint32_t v = load_relaxed(&s.version);
  if ((v & 1) != 0 || !__atomic_compare_exchange_n(&s.version, &v, v + 1, false, __ATOMIC_ACQUIRE,
                                                   __ATOMIC_RELAXED))
    return;
  __atomic_thread_fence(__ATOMIC_RELEASE);
  store_relaxed(&s.mss, value.mss);
  store_relaxed(&s.len, value.len);
  store_relaxed(&s.family, value.family);
  for (uint32_t i = 0; i < array_len(s.hosts); i++)
    store_relaxed(&s.hosts[i], value.hosts[i]);
  for (uint32_t i = 0; i < array_len(s.bytes); i++)
    store_relaxed(&s.bytes[i], value.bytes[i]);
  store_release(&s.version, v + 2);
}

bool FastopenCache::get(const SipKey& key, const atcp_tuple& t, Entry* out) const {
  const Slot wanted = slot_for(t);
  for (const Slot& s : slots_[set_of(key, t)]) {
    Slot v = {};
    if (!read(s, &v) || !v.is_of(wanted)) continue;
    out->cookie.len = min<uint8_t>(v.len, kMaxFastopenCookie);
    memcpy(out->cookie.bytes, v.bytes, sizeof(out->cookie.bytes));
    out->mss = v.mss;
    return true;
  }
  return false;
}

void FastopenCache::put(const SipKey& key, const atcp_tuple& t, const Entry& e) {
  Slot(&set)[kWays] = slots_[set_of(key, t)];
  Slot* into = nullptr;
  Slot fresh = slot_for(t);
  for (Slot& s : set) {
    Slot v = {};
    if (!read(s, &v)) continue;
    const bool same = v.is_of(fresh);
    if (same || (into == nullptr && v.len == 0)) into = &s;
    if (same) break;
  }
  if (into == nullptr) into = &set[add_fetch(&next_, 1u) % kWays];
  fresh.mss = e.mss;
  fresh.len = e.cookie.len;
  memcpy(fresh.bytes, e.cookie.bytes, sizeof(fresh.bytes));
  write(*into, fresh);
}

void FastopenCache::forget(const SipKey& key, const atcp_tuple& t) {
  const Slot wanted = slot_for(t);
  for (Slot& s : slots_[set_of(key, t)]) {
    Slot v = {};
    if (read(s, &v) && v.is_of(wanted)) write(s, Slot{});
  }
}

void Fastopen::init() {
  server_keys.n = 1;
  atcp_os_random(&server_keys.key[0], sizeof(server_keys.key[0]));
  atcp_os_random(&cache_key, sizeof(cache_key));
}

// ---- the server's cookies and accounts -------------------------------------------------------

namespace {

void make_cookie(const SipKey& key, const atcp_tuple& t, FastopenCookie* out) {
  // RFC 7413 4.1.2.
  const uint64_t mac = hash_hosts(key, t);
  *out = {};
  out->len = kServerCookieBytes;
  memcpy(out->bytes, &mac, kServerCookieBytes);
}

/// Made if there is none; nullptr: no memory.
FastopenQueue* queue_for(Tcb& t) {
  if (t.fastopen_queue == nullptr) {
    auto* q = static_cast<FastopenQueue*>(atcp_os_alloc(sizeof(FastopenQueue), ATCP_MEM_LISTENER));
    if (q != nullptr) store_release(&t.fastopen_queue, q);
  }
  return t.fastopen_queue;
}

}  // namespace

const FastopenKeys& fastopen_keys(const Tcb& listener) {
  const FastopenQueue* q = load_acquire(&listener.fastopen_queue);
  const FastopenKeys* own = q != nullptr ? load_acquire(&q->keys) : nullptr;
  return own != nullptr ? *own : listener.ns->fastopen.server_keys;
}

bool fastopen_set_keys(Tcb& t, const uint8_t* bytes, uint32_t n) {
  FastopenQueue* q = queue_for(t);
  auto* k = static_cast<FastopenKeys*>(atcp_os_alloc(sizeof(FastopenKeys), ATCP_MEM_LISTENER));
  if (q == nullptr || k == nullptr) {
    if (k != nullptr) atcp_os_free(k, ATCP_MEM_LISTENER);
    return false;
  }
  k->n = min<uint32_t>(n, ATCP_FASTOPEN_KEYS);
  memcpy(k->key, bytes, k->n * ATCP_FASTOPEN_KEY_BYTES);
  FastopenKeys* old = q->keys;
  store_release(&q->keys, k);
  if (old != nullptr) atcp_os_free_rcu(old, &old->rcu, ATCP_MEM_LISTENER);
  return true;
}

void fastopen_cookie(const FastopenKeys& keys, const atcp_tuple& t, FastopenCookie* out) {
  make_cookie(keys.key[0], t, out);
}

uint32_t fastopen_cookie_valid(const FastopenKeys& keys, const atcp_tuple& t, const atcp_seg& syn) {
  if (syn.fastopen.len != kServerCookieBytes) return 0;
  for (uint32_t k = 0; k < keys.n; k++) {
    FastopenCookie want = {};
    make_cookie(keys.key[k], t, &want);
    uint8_t differs = 0;
    for (uint32_t i = 0; i < want.len; i++)
      differs |= static_cast<uint8_t>(want.bytes[i] ^ syn.fastopen.bytes[i]);
    if (differs == 0) return k + 1;
  }
  return 0;
}

bool fastopen_admit(FastopenQueue* queue, Now now) {
  // RFC 7413 4.2: the limit of pending requests.
  if (queue == nullptr) return false;
  uint32_t resets = load_relaxed(&queue->resets);
  // Another CPU's clock may have been ahead of ours when it wrote that.
  const int32_t since_s = static_cast<int32_t>(seconds(now) - load_relaxed(&queue->reset_s));
  if (resets != 0 && since_s >= kResetCountsS) {
    store_relaxed(&queue->resets, 0u);
    resets = 0;
  }
  if (add_fetch(&queue->pending, 1u) + resets <= load_relaxed(&queue->most)) return true;
  sub_fetch(&queue->pending, 1u);
  return false;
}

void fastopen_settle(Tcb& t, uint32_t reset_s) {
  // RFC 7413 4.2.2.
  atcp_conn* listener = t.fastopen_of;
  if (listener == nullptr) return;
  t.fastopen_of = nullptr;
  FastopenQueue* q = load_acquire(&tcb_of(listener)->fastopen_queue);
  sub_fetch(&q->pending, 1u);
  if (reset_s != 0) {
    store_relaxed(&q->reset_s, reset_s);
    add_fetch(&q->resets, 1u);
  }
  atcp_os_conn_put(listener);
}

bool fastopen_set_queue(Tcb& t, uint32_t most) {
  FastopenQueue* q = queue_for(t);
  if (q != nullptr) store_relaxed(&q->most, most);
  return q != nullptr;
}

void fastopen_free_queue(FastopenQueue* q) {
  if (q == nullptr) return;
  if (q->keys != nullptr) atcp_os_free(q->keys, ATCP_MEM_LISTENER);
  atcp_os_free(q, ATCP_MEM_LISTENER);
}

// ---- the client ----------------------------------------------------------------------------

bool fastopen_ready(const Tcb& t, const atcp_tuple& tuple, Now now) {
  FastopenCache::Entry e;
  if ((t.param(Param::Fastopen) & kFastopenClient) == 0 || paused(*t.ns, now)) return false;
  const Fastopen& f = t.ns->fastopen;
  return without_cookie(t) || f.cache.get(f.cache_key, tuple, &e);
}

void fastopen_send_syn(Tcb& t, Header& h, Now now) {
  // RFC 7413 4.2.1 and 4.2.2.
  const Fastopen& f = t.ns->fastopen;
  FastopenCache::Entry e = {};
  bool data = false;
  uint32_t mss = default_mss(t.family);
  if ((t.param(Param::Fastopen) & kFastopenClient) != 0 && !paused(*t.ns, now)) {
    data = without_cookie(t);
    if (f.cache.get(f.cache_key, tuple_of(t), &e)) {
      mss = e.mss;
      if (!data) h.fastopen = e.cookie;
      data = true;
    }
    h.has_fastopen = !without_cookie(t);
    t.syn_fastopen = true;
  }
  const uint32_t options = header_bytes(h) - kMinHeader;
  mss = min(mss, payload_room(t.pmtu, t.family));
  if (data && emit_with_data(t, h, mss > options ? mss - options : 0, now)) {
    t.syn_data = true;
    t.count(Counter::TCPFastOpenActive);
    return;
  }
  emit_plain(t, h);
}

void fastopen_answered(Tcb& t, const atcp_seg& seg) {
  // RFC 7413 4.2.2 and 4.1.3.
  Fastopen& f = t.ns->fastopen;
  if (t.syn_fastopen && (seg.has & ATCP_OPT_FASTOPEN) != 0 && seg.fastopen.len != 0 &&
      (seg.flags & ATCP_ACK) != 0) {
    f.cache.put(f.cache_key, tuple_of(t), {seg.fastopen, t.peer_mss});
  } else if (t.syn_data && t.syn_retries > 0) {
    // The SYN with data was lost, the one without came through: perhaps that was the reason.
    f.cache.forget(f.cache_key, tuple_of(t));
  }
  if (!t.syn_data) return;
  TxSeg* s = t.tx.first();
  if (s == nullptr || !s->has(TxSeg::kSent)) {
    t.syn_data_acked = true;
    if (load_relaxed(&f.pauses) != 0) store_relaxed(&f.pauses, 0u);
    return;
  }
  t.count(Counter::TCPFastOpenActiveFail);
  unsend(t, *s);
}

void fastopen_timed_out(Tcb& t, uint32_t n, bool last, Now now) {
  // RFC 7413 4.1.3.1.
  if (!t.syn_fastopen && !t.syn_data) return;
  const uint32_t pause_s = t.param(Param::FastopenBlackholeTimeout);
  if (n != 3 && !(last && n < 3)) return;
  t.count(Counter::TCPFastOpenActiveFail);
  if (pause_s == 0) return;
  t.count(Counter::TCPFastOpenBlackhole);
  Fastopen& f = t.ns->fastopen;
  const uint32_t doublings = min(add_fetch(&f.pauses, 1u) - 1, kMostDoublings);
  store_relaxed(&f.paused_until_s, max(seconds(now) + (pause_s << doublings), 1u));
}

}  // namespace atcp
