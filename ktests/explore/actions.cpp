// SPDX-License-Identifier: GPL-2.0
//
// Programs, network and clock of an exploration. System calls and the way of a segment are as the kernel's glue
// makes them. Time passes only when a timer fires, to its deadline, and by a millisecond when a
// SYN arrives: initial sequence numbers count on a clock that moves between two connections.
#include "explore/actions.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/types.h"
#include "conn/ns.h"
#include "conn/tcb.h"

namespace atcp::explore {
namespace {

constexpr uint16_t kPort[kSides] = {1000, 2000};
constexpr uint64_t kMs = 1000000;

uint32_t addr_of(uint32_t side) {
  const uint8_t bytes[4] = {10, 0, 0, static_cast<uint8_t>(side + 1)};
  uint32_t v;
  memcpy(&v, bytes, 4);
  return v;
}

atcp_tuple tuple_from(uint32_t side) {
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = addr_of(side);
  t.raddr.v4 = addr_of(1 - side);
  t.lport = to_be16(kPort[side]);
  t.rport = to_be16(kPort[1 - side]);
  return t;
}

void must(bool ok, const char* what) {
  if (ok) return;
  fprintf(stderr, "explore: cannot begin: %s\n", what);
  abort();
}

void set(uint32_t side, const char* name, const char* text) {
  const int32_t i = atcp_core_param_find(name);
  must(i >= 0 &&
           atcp_core_param_set(g_world.ns[side].core, static_cast<uint32_t>(i), text) == ATCP_OK,
       name);
}

/// Initial sequence numbers just below 2^32: everything wraps.
void steer_isn(uint32_t side) {
  Ns& ns = *reinterpret_cast<Ns*>(g_world.ns[side].core);
  while (initial_sequence(ns, tuple_from(side), g_world.now_ns).raw() < 0xffff8000u)
    ns.isn_key.k[0]++;
}

/// What the program sets on its socket.
void options(const Scenario& s, Sock& sock) {
  sock_lock(sock);
  atcp_core_set_option(&sock.conn, 1, 1, g_world.now_ns);  // TCP_NODELAY
  if (s.keepalive) atcp_core_set_keepalive(&sock.conn, true, g_world.now_ns);
  sock_unlock(sock);
}

Sock* socket(const Scenario& scenario, uint32_t side) {
  Sock* s = sock_new(g_world.ns[side]);
  atcp_core_conn_init(&s->conn, g_world.ns[side].core, false);
  options(scenario, *s);
  return s;
}

void connect(const Scenario& scenario, uint32_t side) {
  Sock* s = socket(scenario, side);
  atcp_tuple t = tuple_from(side);
  sock_lock(*s);
  must(atcp_core_bind(&s->conn, ATCP_AF_INET, &t.laddr, &t.lport, ATCP_BIND_EXPLICIT_PORT, 0) ==
           ATCP_OK,
       "bind");
  s->tuple = t;
  must(atcp_core_connect(&s->conn, &t, false, g_world.now_ns) == ATCP_OK, "connect");
  sock_unlock(*s);
  g_world.program[side].sock = s;
}

void listen(const Scenario& scenario, uint32_t side) {
  Sock* s = socket(scenario, side);
  s->listener = true;
  const atcp_ip any = {};
  uint16_t port = to_be16(kPort[side]);
  sock_lock(*s);
  must(atcp_core_bind(&s->conn, ATCP_AF_INET, &any, &port, ATCP_BIND_EXPLICIT_PORT, 0) == ATCP_OK,
       "bind");
  must(atcp_core_listen(&s->conn, 4, ATCP_BIND_EXPLICIT_PORT, g_world.now_ns) == ATCP_OK, "listen");
  sock_unlock(*s);
  g_world.program[side].listener = s;
}

// ---- system calls ------------------------------------------------------------------------------

void call_send(Program& p, uint32_t side, uint32_t n) {
  Sock& s = *p.sock;
  sock_lock(s);
  Pkt* piece = pkt_new(nullptr, 0);
  piece->sending = true;
  piece->charged = &s;
  s.pieces++;
  atcp_core_tx_add(&s.conn, &piece->pkt);
  for (uint32_t i = 0; i < n; i++)
    piece->data[i] = stream_byte(side, p.written++);
  piece->len = n;
  atcp_core_tx_grow(&s.conn, n);
  atcp_core_tx_push(&s.conn, false, g_world.now_ns);
  sock_unlock(s);
}

void call_receive(Program& p, uint32_t most) {
  Sock& s = *p.sock;
  sock_lock(s);
  uint32_t got = 0;
  while (s.rx_first != nullptr && got < most) {
    Pkt* k = s.rx_first;
    const uint32_t n = min(most - got, k->end - k->begin);
    k->begin += n;
    got += n;
    if (k->begin != k->end) break;
    s.rx_first = k->next;
    s.rmem -= k->truesize;
    pkt_drop(k);
  }
  s.rx_bytes -= got;
  p.read += got;
  if (got != 0) atcp_core_rx_consumed(&s.conn, got, g_world.now_ns);
  if (s.rx_bytes == 0 && s.eof) p.eof = true;
  sock_unlock(s);
}

void call_close(Sock& s, bool linger0) {
  s.refs++;
  sock_lock(s);
  const uint32_t unread = s.rx_bytes;
  while (s.rx_first != nullptr) {
    Pkt* k = s.rx_first;
    s.rx_first = k->next;
    s.rmem -= k->truesize;
    pkt_drop(k);
  }
  s.rx_bytes = 0;
  s.orphaned = true;
  atcp_core_close(&s.conn, unread, linger0, g_world.now_ns);
  if (s.listener) {
    while (atcp_conn* child = atcp_core_accept(&s.conn, g_world.now_ns)) {
      Sock& c = sock_of(child);
      sock_lock(c);
      c.orphaned = true;
      atcp_core_abort(&c.conn, ATCP_REASON_ABORT_LISTENER, g_world.now_ns);
      sock_unlock(c);
    }
  }
  sock_unlock(s);
  sock_put(s);
}

bool is_dead(const Sock& s) {
  return s.closed || s.error != ATCP_OK;
}

Step step_of(const Scenario& s, uint32_t side) {
  return s.program[side][g_world.program[side].at];
}

bool can_step(const Scenario& s, uint32_t side) {
  const Program& p = g_world.program[side];
  const Step step = step_of(s, side);
  if (step.op == Op::End) return false;
  if (step.op == Op::Accept) return atcp_core_accept_queue(&p.listener->conn) != 0;
  if (step.op == Op::Unlisten || step.op == Op::Close) return true;
  if (is_dead(*p.sock)) return true;
  switch (step.op) {
    case Op::Send:
      return atcp_core_can_send(&p.sock->conn);
    case Op::Receive:
    case Op::ReceiveAll:
      return p.sock->rx_bytes != 0 || p.sock->eof;
    case Op::Shutdown:
      return p.sock->state != ATCP_STATE_SYN_SENT;
    default:
      return false;
  }
}

void step(const Scenario& s, uint32_t side) {
  Program& p = g_world.program[side];
  const Step step = step_of(s, side);
  if (step.op == Op::Accept) {
    sock_lock(*p.listener);
    atcp_conn* child = atcp_core_accept(&p.listener->conn, g_world.now_ns);
    sock_unlock(*p.listener);
    if (child == nullptr) {
      broken("accept found nothing in a queue of one");
      return;
    }
    p.sock = &sock_of(child);
    options(s, *p.sock);
    p.at++;
    return;
  }
  if (step.op == Op::Unlisten) {
    Sock* l = p.listener;
    p.listener = nullptr;
    p.at++;
    call_close(*l, false);
    return;
  }
  Sock& sock = *p.sock;
  if (p.error == ATCP_OK) p.error = sock.error;
  if (step.op == Op::Close) {
    p.sock = nullptr;
    p.at++;
    call_close(sock, false);
    return;
  }
  if (is_dead(sock) && !(sock.rx_bytes != 0 || sock.eof)) {
    // Nothing more to be had: straight to close().
    p.dead = true;
    while (step_of(s, side).op != Op::Close)
      p.at++;
    return;
  }
  switch (step.op) {
    case Op::Send:
      if (is_dead(sock))
        p.dead = true;
      else
        call_send(p, side, step.n);
      p.at++;
      break;
    case Op::Receive:
      call_receive(p, step.n > p.read ? step.n - p.read : 0);
      if (p.read >= step.n || p.eof) p.at++;
      break;
    case Op::ReceiveAll:
      call_receive(p, ~0u);
      if (p.eof) p.at++;
      break;
    case Op::Shutdown:
      sock_lock(sock);
      atcp_core_shutdown(&sock.conn, g_world.now_ns);
      sock_unlock(sock);
      p.at++;
      break;
    default:
      break;
  }
}

void reset(const Scenario& s, uint32_t side) {
  Program& p = g_world.program[side];
  Sock* sock = p.sock;
  if (p.error == ATCP_OK) p.error = sock->error;
  p.sock = nullptr;
  p.aborted = true;
  while (step_of(s, side).op != Op::End)
    p.at++;
  call_close(*sock, true);
}

// ---- network and clock -------------------------------------------------------------------------

/// As the glue's receive path.
void arrive(const Wire& w) {
  atcp_osns& ns = g_world.ns[w.to];
  const atcp_tuple t = tuple_from(w.to);
  atcp_seg seg = {};
  const uint32_t bad = atcp_core_parse(w.hdr, w.hdr_len, w.hdr_len + w.len, &seg);
  if (bad != ATCP_REASON_NONE || (seg.has & ATCP_OPT_MALFORMED) != 0) {
    broken("a core sent a malformed segment, reason %u", bad);
    return;
  }
  if ((seg.flags & ATCP_SYN) != 0) g_world.now_ns += kMs;
  Pkt* pkt = pkt_new(w.data, w.len);
  seg.truesize = pkt->truesize;
  seg.segs = 1;
  seg.ecn = w.ecn;
  atcp_os_rcu_lock();
  for (bool again = true; again;) {
    again = false;
    const atcp_found f = atcp_core_lookup(ns.core, &t);
    if (f.kind == ATCP_FOUND_REQUEST && g_sabotage == Sabotage::DeafListener &&
        (seg.flags & (ATCP_ACK | ATCP_RST)) == ATCP_ACK) {
      atcp_core_put(f);
      pkt_drop(pkt);
    } else if (f.kind == ATCP_FOUND_CONN) {
      Sock& s = sock_of(static_cast<atcp_conn*>(f.entry));
      sock_lock(s);
      atcp_core_conn_input(&s.conn, &seg, &pkt->pkt, g_world.now_ns);
      sock_unlock(s);
      atcp_core_put(f);
    } else if (f.kind == ATCP_FOUND_NONE) {
      atcp_core_no_socket(ns.core, &t, &seg, &pkt->pkt);
    } else {
      again = !atcp_core_input(ns.core, f, &t, &seg, &pkt->pkt, g_world.now_ns);
    }
  }
  atcp_os_rcu_unlock();
}

uint64_t first_deadline() {
  uint64_t first = ~0ull;
  for (const Sock* s : g_world.socks)
    if (s != nullptr && s->timer_ns != 0) first = min(first, s->timer_ns);
  for (const atcp_osns& ns : g_world.ns)
    if (ns.timer_ns != 0) first = min(first, ns.timer_ns);
  return first;
}

/// A timer of the order of a segment's life in the network fires.
void fire(uint64_t deadline, bool lifetime, bool was_early) {
  World& w = g_world;
  if (was_early) w.left.early--;
  if (was_early && lifetime) w.broken_promise = true;
  w.now_ns = max(w.now_ns, deadline);
}

bool something_else_can_happen(const Scenario& s) {
  return !network_empty() || can_step(s, 0) || can_step(s, 1);
}

void fire_conn(const Scenario& s, Sock& sock) {
  const bool early = something_else_can_happen(s) || sock.timer_ns > first_deadline();
  const Tcb& t = *tcb_of(&sock.conn);
  fire(sock.timer_ns, t.timers.earliest() == t.timers.at(TimerId::FinWait2), early);
  sock.timer_ns = 0;  // its reference is ours now
  sock_lock(sock);
  atcp_core_conn_timer(&sock.conn, g_world.now_ns);
  sock_unlock(sock);
  sock_put(sock);
}

void fire_wheel(const Scenario& s, atcp_osns& ns) {
  const bool early = something_else_can_happen(s) || ns.timer_ns > first_deadline();
  fire(ns.timer_ns, reinterpret_cast<Ns*>(ns.core)->timewaits != 0, early);
  ns.timer_ns = 0;
  atcp_core_ns_timer(ns.core, g_world.now_ns);
}

void deliver(Wire& w) {
  const Wire copy = w;
  w.used = false;
  arrive(copy);
}

}  // namespace

Wire* next_for(uint32_t side) {
  Wire* first = nullptr;
  for (Wire& w : g_world.wire)
    if (w.used && !w.loose && w.to == side && (first == nullptr || w.number < first->number))
      first = &w;
  return first;
}

bool network_empty() {
  for (const Wire& w : g_world.wire)
    if (w.used) return false;
  return true;
}

void begin(const Scenario& s, const Budget& budget) {
  heap_unpoison();
  memset(static_cast<void*>(&g_world), 0, sizeof g_world);
  World& w = g_world;
  heap_poison();
  w.now_ns = 1000 * kMs;
  w.left = budget;
  for (uint32_t i = 0; i < kSides; i++) {
    w.ns[i].side = static_cast<uint8_t>(i);
    w.ns[i].core = atcp_core_ns_new(&w.ns[i], 2);
    must(w.ns[i].core != nullptr, "no memory");
    set(i, "congestion_control", "reno");
    set(i, "fastopen", "0");
    set(i, "timestamps", s.timestamps ? "2" : "0");
    set(i, "sack", s.sack ? "1" : "0");
    for (const char* name : {"syn_retries", "synack_retries", "retries2", "orphan_retries"})
      set(i, name, s.retries);
    set(i, "keepalive_probes", "2");
    steer_isn(i);
  }
  if (s.opening == Opening::Listener) listen(s, 1);
  if (s.opening == Opening::Both) connect(s, 1);
  connect(s, 0);
  for (uint32_t i = 0; i < kSides; i++) {
    const Program& p = w.program[i];
    Sock* sock = p.listener != nullptr ? p.listener : p.sock;
    if (sock != nullptr && s.rcvbuf[i] != 0) sock->rcvbuf = s.rcvbuf[i];
  }
}

void possible(const Scenario& s, std::vector<Action>* out) {
  const World& w = g_world;
  out->clear();
  const auto add = [out](char what, uint32_t n) {
    out->push_back({what, static_cast<uint8_t>(n)});
  };
  bool busy = false;
  for (uint32_t i = 0; i < kSides; i++) {
    if (can_step(s, i)) add('p', i);
    if (s.may_reset[i] && w.program[i].sock != nullptr) add('r', i);
  }
  for (uint32_t i = 0; i < kSides; i++) {
    const Wire* next = next_for(i);
    if (next == nullptr) continue;
    add('d', i);
    if (!next->tampered) continue;
    if (w.left.drops != 0) add('x', i);
    if (w.left.doubles != 0) add('u', i);
    if (w.left.delays != 0) add('h', i);
  }
  for (uint32_t i = 0; i < kMaxWire; i++)
    if (w.wire[i].used && w.wire[i].loose) add('l', i);
  busy = something_else_can_happen(s);
  const uint64_t first = first_deadline();
  const auto may_fire = [&](uint64_t at) {
    return at != 0 && (w.left.early != 0 || (!busy && at == first));
  };
  for (uint32_t i = 0; i < kMaxSocks; i++)
    if (w.socks[i] != nullptr && may_fire(w.socks[i]->timer_ns)) add('t', i);
  for (uint32_t i = 0; i < kSides; i++)
    if (may_fire(w.ns[i].timer_ns)) add('w', i);
}

void act(const Scenario& s, Action a) {
  World& w = g_world;
  switch (a.what) {
    case 'p':
      step(s, a.n);
      break;
    case 'r':
      reset(s, a.n);
      break;
    case 'd':
      deliver(*next_for(a.n));
      break;
    case 'x':
      if (w.left.drops != kNoLimit) w.left.drops--;
      next_for(a.n)->used = false;
      break;
    case 'u': {
      w.left.doubles--;
      Wire& next = *next_for(a.n);
      next.loose = true;
      const Wire copy = next;
      arrive(copy);
      break;
    }
    case 'h':
      w.left.delays--;
      next_for(a.n)->loose = true;
      break;
    case 'l':
      deliver(w.wire[a.n]);
      break;
    case 't':
      fire_conn(s, *w.socks[a.n]);
      break;
    case 'w':
      fire_wheel(s, w.ns[a.n]);
      break;
    default:
      break;
  }
  quiesce();
}

void end() {
  for (Program& p : g_world.program) {
    if (p.listener != nullptr) call_close(*p.listener, false);
    p.listener = nullptr;
  }
  quiesce();
  for (atcp_osns& ns : g_world.ns) {
    ns.timer_ns = 0;
    atcp_ns* core = ns.core;
    ns.core = nullptr;
    atcp_core_ns_free(core);
  }
  quiesce();
}

std::string explain(const Scenario& s, Action a) {
  static constexpr const char* kOps[] = {
      "end",         "accept",   "send",  "receive",
      "receive all", "shutdown", "close", "close of the listener"};
  const std::string who(1, static_cast<char>('A' + a.n));
  const auto segment = [](const Wire* w) { return w == nullptr ? "?" : describe(*w); };
  switch (a.what) {
    case 'p': {
      const Step step = step_of(s, a.n);
      return who + "'s program: " + kOps[static_cast<int>(step.op)] +
             (step.n != 0 ? " " + std::to_string(step.n) : "");
    }
    case 'r':
      return who + "'s program resets";
    case 'd':
      return "at " + who + " arrives " + segment(next_for(a.n));
    case 'x':
      return "lost on its way to " + who + ": " + segment(next_for(a.n));
    case 'u':
      return "at " + who + " arrives, and may once more, " + segment(next_for(a.n));
    case 'h':
      return "held back on its way to " + who + ": " + segment(next_for(a.n));
    case 'l':
      return std::string("at ") + static_cast<char>('A' + g_world.wire[a.n].to) +
             " arrives at last " + segment(&g_world.wire[a.n]);
    case 't':
      return std::string("timer of a socket of ") +
             static_cast<char>('A' +
                               (g_world.socks[a.n] != nullptr ? g_world.socks[a.n]->ns->side : 0));
    default:
      return "wheel of " + who;
  }
}

}  // namespace atcp::explore
