// SPDX-License-Identifier: GPL-2.0
//
// The port of explorations: every function of atcp_os.h upon World's memory. What the core does against the
// border's rules is a complaint at once; payload is checked byte by byte where it is delivered. It has no
// failures on order: faults_test.cpp makes the port fail.
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "base/types.h"
#include "conn/ns.h"
#include "conn/tcb.h"
#include "explore/world.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n) (static_cast<void>(p), static_cast<void>(n))
#define UNPOISON(p, n) (static_cast<void>(p), static_cast<void>(n))
#endif

struct atcp_locks {
  uint8_t cls;
};
struct atcp_percpu {
  uint32_t n;
};

namespace atcp::explore {

alignas(4096) World g_world;
std::string g_broken;
Sabotage g_sabotage = Sabotage::None;
bool g_tell = false;

void broken(const char* format, ...) {
  char text[400];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (g_broken.empty()) g_broken = text;
}

void tell(const char* format, ...) {
  if (!g_tell) return;
  va_list args;
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
}

uint8_t stream_byte(uint32_t side, uint32_t at) {
  return static_cast<uint8_t>((at + 1 + side * 1000) * 2654435761u >> 17);
}

namespace {

/// Blocks follow each other in the heap; a freed one is used again only for the same size.
void* heap_alloc(uint32_t bytes, uint16_t kind) {
  World& w = g_world;
  bytes = (bytes + 15) & ~15u;
  Block* b = nullptr;
  for (FreeList& f : w.free_lists) {
    if (f.bytes != bytes || f.first == nullptr) continue;
    b = f.first;
    f.first = b->next_free;
    break;
  }
  if (b == nullptr) {
    if (w.heap_used + sizeof(Block) + bytes > kHeapBytes) {
      fprintf(stderr, "explore: kHeapBytes is too small\n");
      abort();
    }
    UNPOISON(w.heap + w.heap_used, sizeof(Block));
    b = reinterpret_cast<Block*>(w.heap + w.heap_used);
    w.heap_used += static_cast<uint32_t>(sizeof(Block)) + bytes;
  }
  b->bytes = bytes;
  b->kind = kind;
  b->live = kLive;
  b->next_free = nullptr;
  w.live_blocks++;
  UNPOISON(b + 1, bytes);
  memset(b + 1, 0, bytes);
  return b + 1;
}

void heap_free(void* p, uint16_t kind) {
  World& w = g_world;
  Block* b = static_cast<Block*>(p) - 1;
  if (b->live != kLive || b->kind != kind) {
    broken("freed twice, or as another kind (%u)", kind);
    return;
  }
  b->live = kFreed;
  w.live_blocks--;
  memset(p, 0xa5, b->bytes);
  POISON(p, b->bytes);
  for (FreeList& f : w.free_lists) {
    if (f.bytes != 0 && f.bytes != b->bytes) continue;
    f.bytes = b->bytes;
    b->next_free = f.first;
    f.first = b;
    return;
  }
  fprintf(stderr, "explore: more sizes than free lists\n");
  abort();
}

template <class F>
void each_block(F f) {
  for (uint32_t at = 0; at < g_world.heap_used;) {
    auto* b = reinterpret_cast<Block*>(g_world.heap + at);
    f(*b);
    at += static_cast<uint32_t>(sizeof(Block)) + b->bytes;
  }
}

// Kinds beside those of enum atcp_mem.
/// Small segments: three of them make a piece that can be cut and acknowledged in part.
constexpr uint32_t kMtu = 100;
constexpr uint16_t kTable = 100, kLocks = 101, kPercpu = 102, kSock = 103, kPkt = 104;

void must_be_locked(const Sock& s, const char* what) {
  if (!s.locked) broken("%s without the socket's lock", what);
}

void sock_free(Sock& s) {
  if (s.locked) broken("socket freed while locked");
  if (s.timer_ns != 0) broken("socket freed with its timer armed");
  while (s.rx_first != nullptr) {
    Pkt* p = s.rx_first;
    s.rx_first = p->next;
    heap_free(p, kPkt);
  }
  atcp_core_conn_fini(&s.conn);
  if (s.pieces != 0) broken("socket freed with %u pieces in its send queue", s.pieces);
  for (Sock*& slot : g_world.socks)
    if (slot == &s) slot = nullptr;
  heap_free(&s, kSock);
}

/// One segment leaves. Larger pieces are cut as segmentation offload cuts them: the header is repeated, FIN
/// and PSH belong to the last part.
void send_one(atcp_osns& ns, const uint8_t* hdr, uint32_t hdr_len, const uint8_t* data,
              uint32_t len, uint32_t ecn) {
  World& w = g_world;
  if (len > kMaxOnWire) {
    broken("segment of %u bytes", len);
    return;
  }
  Wire* slot = nullptr;
  for (Wire& s : w.wire)
    if (!s.used) {
      slot = &s;
      break;
    }
  if (slot == nullptr) {
    broken("more than %u segments in the network: a storm", kMaxWire);
    return;
  }
  memset(slot, 0, sizeof *slot);
  slot->used = true;
  slot->to = 1 - ns.side;
  slot->hdr_len = static_cast<uint8_t>(hdr_len);
  slot->len = static_cast<uint8_t>(len);
  slot->ecn = static_cast<uint8_t>(ecn);
  slot->number = w.sent[ns.side]++;
  slot->tampered = w.left.segments == kNoLimit || w.sent_in_all < w.left.segments;
  if (w.sent_in_all < 0xffff) w.sent_in_all++;
  memcpy(slot->hdr, hdr, hdr_len);
  if (len != 0) memcpy(slot->data, data, len);
  if ((hdr[13] & ATCP_SYN) != 0) ns.iss = read_be32(hdr + 4);
  if (hdr[16] != 0 || hdr[17] != 0) broken("checksum field is not zero");
  if (g_sabotage == Sabotage::SwappedBytes && len >= 2) std::swap(slot->data[0], slot->data[1]);
  if (g_sabotage == Sabotage::LyingAck && ns.side == 1 && len == 0 && hdr[13] == ATCP_ACK)
    write_be32(slot->hdr + 8, read_be32(hdr + 8) + 1);
  tell("      %c sends    %s\n", 'A' + ns.side, describe(*slot).c_str());
}

}  // namespace

void heap_unpoison() {
  UNPOISON(g_world.heap, kHeapBytes);
}

void heap_poison() {
#if defined(__SANITIZE_ADDRESS__)
  each_block([](Block& b) {
    if (b.live != kLive) POISON(&b + 1, b.bytes);
  });
  POISON(g_world.heap + g_world.heap_used, kHeapBytes - g_world.heap_used);
#endif
}

Sock* sock_new(atcp_osns& ns) {
  for (Sock*& slot : g_world.socks) {
    if (slot != nullptr) continue;
    slot = static_cast<Sock*>(heap_alloc(sizeof(Sock), kSock));
    slot->ns = &ns;
    slot->refs = 1;
    slot->program_ref = true;
    slot->state = ATCP_STATE_CLOSED;
    slot->rcvbuf = 65536;
    return slot;
  }
  broken("more than %u sockets", kMaxSocks);
  return nullptr;
}

Pkt* pkt_new(const uint8_t* data, uint32_t len) {
  auto* p = static_cast<Pkt*>(heap_alloc(sizeof(Pkt), kPkt));
  p->len = len;
  p->truesize = 256 + len;
  if (len != 0) memcpy(p->data, data, len);
  return p;
}

void pkt_drop(Pkt* p) {
  heap_free(p, kPkt);
}

void sock_lock(Sock& s) {
  if (s.locked) broken("socket locked twice");
  if (g_world.locks != 0) broken("socket lock taken inside a table's lock");
  s.locked = true;
}

void sock_unlock(Sock& s) {
  s.locked = false;
  if (s.orphaned && s.closed && s.program_ref) {
    s.program_ref = false;
    sock_put(s);
  }
}

void sock_put(Sock& s) {
  if (s.refs == 0) {
    broken("reference of a socket dropped too often");
    return;
  }
  if (--s.refs == 0) g_world.dead[g_world.n_dead++] = &s;
}

void quiesce() {
  World& w = g_world;
  if (w.rcu_depth != 0) broken("RCU section not left");
  if (w.locks != 0) broken("lock still held");
  do {
    while (w.n_dead != 0)
      sock_free(*w.dead[--w.n_dead]);
    while (w.n_deferred != 0) {
      void* p = w.deferred[--w.n_deferred];
      heap_free(p, (static_cast<Block*>(p) - 1)->kind);
    }
    for (atcp_osns& ns : w.ns) {
      if (!ns.work || ns.core == nullptr) continue;
      ns.work = false;
      atcp_core_ns_work(ns.core);
    }
  } while (w.n_dead != 0 || w.n_deferred != 0);
}

std::string describe(const Wire& s) {
  static const struct {
    uint8_t bit;
    const char* name;
  } kFlags[] = {{ATCP_SYN, "SYN"}, {ATCP_FIN, "FIN"}, {ATCP_RST, "RST"},
                {ATCP_PSH, "PSH"}, {ATCP_ACK, "ACK"}, {ATCP_URG, "URG"}};
  atcp_seg seg = {};
  atcp_core_parse(s.hdr, s.hdr_len, s.hdr_len + s.len, &seg);
  const uint32_t from = 1 - s.to;
  const uint32_t iss = g_world.ns[from].iss;
  const uint32_t irs = g_world.ns[s.to].iss;
  std::string out;
  for (const auto& f : kFlags)
    if ((seg.flags & f.bit) != 0) out += (out.empty() ? "" : "|") + std::string(f.name);
  const auto rel = [](uint32_t v, uint32_t base) {
    return std::to_string(static_cast<int32_t>(v - base));
  };
  out += " seq=" + rel(seg.seq, iss);
  if ((seg.flags & ATCP_ACK) != 0) out += " ack=" + rel(seg.ack, irs);
  if (s.len != 0) out += " len=" + std::to_string(s.len);
  out += " wnd=" + std::to_string(seg.wnd);
  for (uint32_t i = 0; i < seg.n_sack; i++)
    out += " sack=" + rel(seg.sack[i].start, irs) + ".." + rel(seg.sack[i].end, irs);
  return out;
}

}  // namespace atcp::explore

using namespace atcp;
using namespace atcp::explore;

extern "C" {

void* atcp_os_alloc(uint32_t bytes, enum atcp_mem kind) {
  return heap_alloc(bytes, kind);
}
void atcp_os_free(void* p, enum atcp_mem kind) {
  heap_free(p, kind);
}
void atcp_os_free_rcu(void* p, struct atcp_rcu* rcu, enum atcp_mem kind) {
  if (g_sabotage == Sabotage::Leak && kind == ATCP_MEM_TIMEWAIT) return;
  memset(rcu, 0x5a, sizeof *rcu);
  World& w = g_world;
  if (w.n_deferred == sizeof w.deferred / sizeof *w.deferred) {
    broken("too much waits for readers");
    return;
  }
  w.deferred[w.n_deferred++] = p;
}
void* atcp_os_table_alloc(uint64_t bytes) {
  return heap_alloc(static_cast<uint32_t>(bytes), kTable);
}
void atcp_os_table_free(void* p) {
  heap_free(p, kTable);
}

struct atcp_locks* atcp_os_locks_alloc(uint32_t, enum atcp_lock_class cls) {
  auto* l = static_cast<atcp_locks*>(heap_alloc(sizeof(atcp_locks), kLocks));
  l->cls = static_cast<uint8_t>(cls);
  return l;
}
void atcp_os_locks_free(struct atcp_locks* l) {
  heap_free(l, kLocks);
}
void atcp_os_lock(struct atcp_locks*, uint32_t) {
  g_world.locks++;
}
void atcp_os_unlock(struct atcp_locks*, uint32_t) {
  if (g_world.locks == 0)
    broken("unlocked what was not locked");
  else
    g_world.locks--;
}
void atcp_os_rcu_lock(void) {
  g_world.rcu_depth++;
}
void atcp_os_rcu_unlock(void) {
  if (g_world.rcu_depth == 0)
    broken("left an RCU section that was not entered");
  else
    g_world.rcu_depth--;
}
void atcp_os_rcu_wait(void) {
  if (g_world.rcu_depth != 0 || g_world.locks != 0) broken("waits for readers where it may not");
}
void atcp_os_cond_resched(void) {}

bool atcp_os_owner_get(void*) {
  return true;
}

void atcp_os_owner_put(void*) {}

void atcp_os_random(void* buf, uint32_t bytes) {
  auto* out = static_cast<uint8_t*>(buf);
  for (uint32_t i = 0; i < bytes; i++) {
    // splitmix64
    uint64_t z = (g_world.random += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    out[i] = static_cast<uint8_t>(z >> 24);
  }
}

void atcp_os_count(struct atcp_osns*, uint32_t, uint32_t) {}
void atcp_os_reason(struct atcp_osns* ns, uint32_t reason) {
  tell("      %c notes    %s\n", 'A' + ns->side, atcp_core_reason_name(reason, nullptr));
}
void atcp_os_drop(struct atcp_osns* ns, struct atcp_conn*, struct atcp_pkt* pkt, uint32_t reason) {
  atcp_os_reason(ns, reason);
  if (pkt != nullptr) atcp_os_pkt_free(pkt, reason);
}
bool atcp_os_event_wanted(void) {
  return false;
}
void atcp_os_event(struct atcp_osns*, const struct atcp_event*) {}
struct atcp_percpu* atcp_os_percpu_alloc(uint32_t n) {
  auto* p = static_cast<atcp_percpu*>(
      heap_alloc(static_cast<uint32_t>(sizeof(atcp_percpu) + 8 + n * 8ull), kPercpu));
  p->n = n;
  return p;
}
void atcp_os_percpu_free(struct atcp_percpu* p) {
  heap_free(p, kPercpu);
}
void atcp_os_percpu_add(struct atcp_percpu* p, uint32_t i, int64_t n) {
  if (i < p->n) reinterpret_cast<int64_t*>(p)[1 + i] += n;
}
uint64_t atcp_os_percpu_sum(const struct atcp_percpu* p, uint32_t i) {
  return i < p->n ? static_cast<uint64_t>(reinterpret_cast<const int64_t*>(p)[1 + i]) : 0;
}
void atcp_os_syn_flood(const struct atcp_conn*, bool) {}

void atcp_os_conn_timer(struct atcp_conn* c, uint64_t deadline_ns) {
  Sock& s = sock_of(c);
  must_be_locked(s, "conn_timer");
  if (g_sabotage == Sabotage::LostTimer && s.ns->side == 0 && deadline_ns != 0 &&
      s.state == ATCP_STATE_FIN_WAIT1)
    return;
  if (s.timer_ns == 0 && deadline_ns != 0) s.refs++;
  if (s.timer_ns != 0 && deadline_ns == 0) sock_put(s);
  s.timer_ns = deadline_ns;
}
void atcp_os_ns_timer(struct atcp_osns* ns, uint64_t deadline_ns) {
  if (g_sabotage == Sabotage::LostWheel && ns->side == 0) return;
  ns->timer_ns = deadline_ns;
}
void atcp_os_ns_work(struct atcp_osns* ns) {
  ns->work = true;
}

bool atcp_os_conn_tryget(struct atcp_conn* c) {
  Sock& s = sock_of(c);
  if (s.refs == 0) return false;
  s.refs++;
  return true;
}
void atcp_os_conn_put(struct atcp_conn* c) {
  sock_put(sock_of(c));
}

void atcp_os_conn_state(struct atcp_conn* c, uint32_t state) {
  Sock& s = sock_of(c);
  must_be_locked(s, "conn_state");
  s.state = state;
  if (state != ATCP_STATE_CLOSED) s.closed = false;
}
void atcp_os_conn_event(struct atcp_conn*, uint32_t) {}
void atcp_os_conn_error(struct atcp_conn* c, enum atcp_err err) {
  must_be_locked(sock_of(c), "conn_error");
  sock_of(c).error = static_cast<uint8_t>(err);
}
void atcp_os_conn_soft_error(struct atcp_conn* c, enum atcp_err) {
  must_be_locked(sock_of(c), "conn_soft_error");
}
void atcp_os_conn_rx_eof(struct atcp_conn* c) {
  must_be_locked(sock_of(c), "conn_rx_eof");
  sock_of(c).eof = true;
}
void atcp_os_conn_closed(struct atcp_conn* c) {
  Sock& s = sock_of(c);
  must_be_locked(s, "conn_closed");
  if (s.closed) broken("conn_closed called twice");
  if (s.timer_ns != 0) broken("conn_closed with the timer armed");
  if (s.pieces != 0) broken("conn_closed with pieces in the send queue");
  s.closed = true;
}
struct atcp_record* atcp_os_record_begin(struct atcp_conn* c, uint32_t reason) {
  static atcp_record room;
  must_be_locked(sock_of(c), "record_begin");
  if (sock_of(c).closed) broken("a record of a closed connection");
  if (reason == ATCP_REASON_NONE) broken("a record without a reason");
  return &room;
}
void atcp_os_record(struct atcp_conn* c, struct atcp_record* r) {
  must_be_locked(sock_of(c), "record");
  if (r->ended_by == 0 || r->reason == ATCP_REASON_NONE) broken("a record without an end");
}
bool atcp_os_conn_orphaned(const struct atcp_conn* c) {
  return sock_of(c).orphaned;
}
bool atcp_os_conn_same_path(const struct atcp_conn*, const struct atcp_conn*) {
  return true;
}

void atcp_os_rx_deliver(struct atcp_conn* c, struct atcp_pkt* pkt, uint32_t skip, uint32_t len) {
  Sock& s = sock_of(c);
  Pkt& p = pkt_of(pkt);
  must_be_locked(s, "rx_deliver");
  if (skip > p.len || len > p.len - skip || len == 0) {
    broken("rx_deliver of bytes that the packet does not have");
    heap_free(&p, kPkt);
    return;
  }
  if (s.eof) broken("rx_deliver after rx_eof");
  const uint32_t peer = 1 - s.ns->side;
  const uint32_t times = g_sabotage == Sabotage::TwiceTold ? 2 : 1;
  for (uint32_t k = 0; k < times; k++)
    for (uint32_t i = 0; i < len; i++, s.rx_total++)
      if (p.data[skip + i] != stream_byte(peer, s.rx_total))
        broken("byte %u delivered to %c is not the one that was written", s.rx_total,
               'A' + s.ns->side);
  (p.charged == nullptr ? s.rmem : s.held) += p.charged == nullptr ? p.truesize : 0 - p.truesize;
  p.charged = &s;
  p.next = nullptr;
  p.begin = skip;
  p.end = skip + len;
  (s.rx_first == nullptr ? s.rx_first : s.rx_last->next) = &p;
  s.rx_last = &p;
  s.rx_bytes += len;
}
bool atcp_os_rx_reserve(struct atcp_conn* c, struct atcp_pkt*, uint32_t) {
  must_be_locked(sock_of(c), "rx_reserve");
  return true;
}
bool atcp_os_rx_hold(struct atcp_conn* c, struct atcp_pkt* pkt) {
  Sock& s = sock_of(c);
  Pkt& p = pkt_of(pkt);
  must_be_locked(s, "rx_hold");
  if (s.rmem + p.truesize > s.rcvbuf) return false;
  s.rmem += p.truesize;
  s.held += p.truesize;
  p.charged = &s;
  return true;
}
void atcp_os_pkt_free(struct atcp_pkt* pkt, uint32_t) {
  Pkt& p = pkt_of(pkt);
  if (p.sending) broken("pkt_free of a piece of a send queue");
  if (p.charged != nullptr) {
    p.charged->rmem -= p.truesize;
    p.charged->held -= p.truesize;
  }
  heap_free(&p, kPkt);
}
uint32_t atcp_os_rx_collapse(struct atcp_conn*) {
  return 0;
}

uint8_t atcp_os_pkt_byte(const struct atcp_pkt* pkt, uint32_t at) {
  const Pkt& p = pkt_of(const_cast<atcp_pkt*>(pkt));
  if (at < p.len) return p.data[at];
  broken("pkt_byte behind the packet's end");
  return 0;
}
bool atcp_os_rx_drop_first(struct atcp_conn*) {
  return false;  // nobody sends urgent data
}
void atcp_os_rx_space(const struct atcp_conn* c, struct atcp_rx_space* out) {
  const Sock& s = sock_of(c);
  *out = {s.rcvbuf, s.rmem, s.held, 1, ATCP_MEM_LEVEL_OK};
}
void atcp_os_rx_set_limit(struct atcp_conn*, uint32_t) {}

int atcp_os_conn_emit(struct atcp_conn* c, const uint8_t* hdr, uint32_t hdr_len,
                      struct atcp_pkt* pkt, uint32_t len, uint32_t mss, uint32_t ecn) {
  Sock& s = sock_of(c);
  must_be_locked(s, "conn_emit");
  if (pkt == nullptr || len <= mss) {
    send_one(*s.ns, hdr, hdr_len, pkt != nullptr ? pkt_of(pkt).data : nullptr, len, ecn);
    return 0;
  }
  if (mss == 0) broken("conn_emit without an MSS");
  for (uint32_t at = 0; at < len; at += mss) {
    uint8_t h[kMaxHeader];
    memcpy(h, hdr, hdr_len);
    write_be32(h + 4, read_be32(hdr + 4) + at);
    const uint32_t n = min(mss, len - at);
    if (at + n != len) h[13] = static_cast<uint8_t>(h[13] & ~(ATCP_FIN | ATCP_PSH));
    send_one(*s.ns, h, hdr_len, pkt_of(pkt).data + at, n, ecn);
  }
  return 0;
}
uint32_t atcp_os_emit(struct atcp_osns* ns, const struct atcp_conn*, const struct atcp_tuple*,
                      const uint8_t* hdr, uint32_t hdr_len, const struct atcp_reuse* reuse) {
  if (reuse != nullptr && reuse->pkt != nullptr) heap_free(&pkt_of(reuse->pkt), kPkt);
  send_one(*ns, hdr, hdr_len, nullptr, 0, 0);
  return ATCP_REASON_NONE;
}

struct atcp_pkt* atcp_os_tx_split(struct atcp_conn* c, struct atcp_pkt* pkt, uint32_t at, bool) {
  Sock& s = sock_of(c);
  Pkt& p = pkt_of(pkt);
  must_be_locked(s, "tx_split");
  if (at == 0 || at >= p.len) broken("tx_split outside the piece");
  Pkt* rest = pkt_new(p.data + at, p.len - at);
  p.len = at;
  rest->sending = true;
  rest->charged = &s;
  s.pieces++;
  return &rest->pkt;
}
bool atcp_os_tx_trim(struct atcp_conn* c, struct atcp_pkt* pkt, uint32_t bytes) {
  Pkt& p = pkt_of(pkt);
  must_be_locked(sock_of(c), "tx_trim");
  if (bytes >= p.len) broken("tx_trim of a whole piece");
  p.len -= bytes;
  memmove(p.data, p.data + bytes, p.len);
  return true;
}
void atcp_os_tx_acked(struct atcp_conn*, struct atcp_pkt*, uint32_t) {}
void atcp_os_tx_free(struct atcp_conn* c, struct atcp_pkt* pkt) {
  Sock& s = sock_of(c);
  must_be_locked(s, "tx_free");
  if (!pkt_of(pkt).sending || pkt_of(pkt).charged != &s) broken("tx_free of another's piece");
  s.pieces--;
  heap_free(&pkt_of(pkt), kPkt);
}
void atcp_os_pacing(struct atcp_conn*, uint64_t rate, bool own, struct atcp_pacing* out) {
  *out = {.rate = rate, .wanted = own, .kept = false};
}

bool atcp_os_tx_busy(const struct atcp_conn*, const struct atcp_pkt*) {
  return false;
}
void atcp_os_tx_want(struct atcp_conn*, uint32_t) {}

bool atcp_os_conn_route(struct atcp_conn* c, struct atcp_route* out) {
  must_be_locked(sock_of(c), "conn_route");
  *out = {kMtu, kMtu - 40, 0, sock_of(c).ns};
  return true;
}
uint32_t atcp_os_conn_mtu(struct atcp_conn* c) {
  must_be_locked(sock_of(c), "conn_mtu");
  return kMtu;
}
bool atcp_os_route(struct atcp_osns* ns, const struct atcp_conn*, const struct atcp_tuple*,
                   struct atcp_route* out) {
  *out = {kMtu, kMtu - 40, 0, ns};
  return true;
}
void atcp_os_conn_route_suspect(struct atcp_conn*) {}

struct atcp_kept_route* atcp_os_route_keep(const struct atcp_conn*, const struct atcp_route*) {
  return nullptr;
}
void atcp_os_route_put(struct atcp_kept_route*) {}

struct atcp_conn* atcp_os_child_new(struct atcp_conn* listener, const struct atcp_tuple* t,
                                    struct atcp_kept_route*) {
  Sock* s = sock_new(*sock_of(listener).ns);
  if (s == nullptr) return nullptr;
  s->tuple = *t;
  s->refs = 2;
  s->locked = true;
  s->rcvbuf = sock_of(listener).rcvbuf;
  return &s->conn;
}
struct atcp_syn* atcp_os_syn_save(const struct atcp_conn*, const struct atcp_pkt*) {
  return nullptr;
}
bool atcp_os_syn_tryget(struct atcp_syn*) {
  return false;
}
void atcp_os_syn_put(struct atcp_syn*) {}
void atcp_os_child_syn(struct atcp_conn*, struct atcp_syn*) {}
void atcp_os_child_done(struct atcp_conn* child) {
  sock_unlock(sock_of(child));
  sock_put(sock_of(child));
}
void atcp_os_child_discard(struct atcp_conn* child) {
  Sock& s = sock_of(child);
  sock_unlock(s);
  if (s.refs != 2) broken("child_discard of a socket that somebody else refers to");
  s.program_ref = false;
  sock_put(s);
  sock_put(s);
}

}  // extern "C"
