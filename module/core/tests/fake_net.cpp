// SPDX-License-Identifier: GPL-2.0
//
// System calls, the receive path and the event loop of the fake network. Locks and references
// are taken as the kernel's glue takes them; no waiting: a call does what it can at once.
#include "tests/fake_net.h"

#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/seq.h"
#include "conn/ns.h"
#include "conn/tcb.h"

namespace atcp::test {

uint32_t ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  const uint8_t bytes[4] = {a, b, c, d};
  uint32_t v;
  memcpy(&v, bytes, 4);
  return v;
}

atcp_ip address_of(uint32_t number, uint16_t family) {
  atcp_ip ip = {};
  if (family == ATCP_AF_INET6) {
    ip.v6[0] = 0xfd;
    memcpy(ip.v6 + 12, &number, sizeof(number));
  } else {
    ip.v4 = number;
  }
  return ip;
}

uint32_t number_of(const atcp_ip& ip, uint16_t family) {
  if (family != ATCP_AF_INET6) return ip.v4;
  uint32_t number;
  memcpy(&number, ip.v6 + 12, sizeof(number));
  return number;
}

uint16_t test_family() {
  const char* wanted = getenv("ATCP_TEST_FAMILY");
  return wanted != nullptr && std::string(wanted) == "6" ? ATCP_AF_INET6 : ATCP_AF_INET;
}

atcp_tuple hosts(uint32_t own, uint32_t peer, uint16_t family) {
  atcp_tuple t = {};
  t.family = family;
  t.laddr = address_of(own, family);
  t.raddr = address_of(peer, family);
  return t;
}

// ---- Sock ---------------------------------------------------------------------------------

namespace {

/// The socket's lock around a call into the core.
class Locked {
 public:
  Locked(FakeConn& c, const char* what) : border_(what), c_(c) { FakeOs::the().lock(c_); }
  ~Locked() { FakeOs::the().unlock(c_); }

 private:
  Border border_;
  FakeConn& c_;
};

/// Take a child out of a listener that closes.
void kill_child(FakeConn& child, uint64_t now) {
  {
    Locked l(child, "abort of a child");
    child.orphaned = true;
    atcp_core_abort(&child.conn, ATCP_REASON_ABORT_LISTENER, now);
  }
}

}  // namespace

bool Sock::exists() const {
  return host_ != nullptr && FakeOs::the().conns.count(id_) != 0;
}

FakeConn& Sock::conn() const {
  return *FakeOs::the().conns.at(id_);
}

Tcb& Sock::tcb() const {
  return *tcb_of(&conn().conn);
}

atcp_conn_info Sock::info() const {
  atcp_conn_info out = {};
  Locked l(conn(), "conn_info");
  atcp_core_conn_info(&conn().conn, &out, FakeOs::the().now_ns);
  return out;
}

size_t Sock::send(const Bytes& data, bool more, bool urgent) {
  FakeConn& fc = conn();
  FakeOs& os = FakeOs::the();
  Locked l(fc, "send");
  // That the program shut its direction down is for the port to know: no state tells it before the handshake is complete.
  if (!atcp_core_can_send(&fc.conn) || tcb_of(&fc.conn)->fin_queued) return 0;
  size_t done = 0;
  while (done < data.size() && fc.wmem < fc.sndbuf) {
    const uint32_t goal = atcp_core_tx_size_goal(&fc.conn);
    uint32_t len = 0;
    atcp_pkt* tail = atcp_core_tx_tail(&fc.conn, &len);
    if (tail == nullptr || len >= goal) {
      if (!atcp_core_tx_below_lowat(&fc.conn, false)) break;
      FakePkt& p = os.new_pkt({});
      p.where = FakePkt::Where::SendQueue;
      p.charged = &fc;
      fc.tx.insert(&p);
      atcp_core_tx_add(&fc.conn, &p.pkt);
      tail = &p.pkt;
      len = 0;
    }
    const size_t n = std::min<size_t>(
        {data.size() - done, static_cast<size_t>(goal - len), fc.sndbuf - fc.wmem});
    Bytes& piece = FakePkt::of(tail).data;
    if (piece.size() != len)
      os.complain("tx_tail says " + std::to_string(len) + " bytes, the piece has " +
                  std::to_string(piece.size()));
    piece.insert(piece.end(), data.begin() + done, data.begin() + done + n);
    fc.wmem += static_cast<uint32_t>(n);
    atcp_core_tx_grow(&fc.conn, static_cast<uint32_t>(n));
    done += n;
  }
  if (urgent && done > 0) atcp_core_tx_urgent(&fc.conn);
  atcp_core_tx_push(&fc.conn, more, os.now_ns);
  if (done < data.size()) atcp_core_tx_blocked(&fc.conn, os.now_ns);
  return done;
}

Bytes Sock::recv(size_t max) {
  FakeConn& fc = conn();
  FakeOs& os = FakeOs::the();
  Locked l(fc, "recv");
  Bytes out;
  uint32_t mark = ~0u;
  if (atcp_core_urgent(&fc.conn, &mark) != ATCP_URGENT_NONE && mark == 0) {
    mark = ~0u;
    if (max > 0 && !fc.rx.empty() && atcp_os_rx_drop_first(&fc.conn))
      atcp_core_rx_consumed(&fc.conn, 1, os.now_ns);
  }
  max = std::min<size_t>(max, mark);
  while (out.size() < max && !fc.rx.empty()) {
    FakePkt& p = *fc.rx.front();
    const size_t n = std::min<size_t>(max - out.size(), p.end - p.read);
    out.insert(out.end(), p.data.begin() + p.read, p.data.begin() + p.read + n);
    p.read += static_cast<uint32_t>(n);
    if (p.read == p.end) {
      fc.rmem -= p.truesize;
      fc.rx.pop_front();
      os.free_pkt(p);
    }
  }
  fc.rx_bytes -= static_cast<uint32_t>(out.size());
  if (!out.empty()) atcp_core_rx_consumed(&fc.conn, static_cast<uint32_t>(out.size()), os.now_ns);
  return out;
}

std::optional<char> Sock::recv_urgent(atcp_urgent* how, bool peek) {
  Locked l(conn(), "recv_urgent");
  uint8_t byte = 0;
  const atcp_urgent was = atcp_core_urgent_take(&conn().conn, peek, &byte);
  if (how != nullptr) *how = was;
  if (was != ATCP_URGENT_HERE) return std::nullopt;
  return static_cast<char>(byte);
}

bool Sock::at_mark() {
  uint32_t ahead = 1;
  return atcp_core_urgent(&conn().conn, &ahead) != ATCP_URGENT_NONE && ahead == 0;
}

void Sock::shutdown() {
  Locked l(conn(), "shutdown");
  atcp_core_shutdown(&conn().conn, FakeOs::the().now_ns);
}

void Sock::close(bool linger0) {
  FakeConn& fc = conn();
  FakeOs& os = FakeOs::the();
  const bool listener = fc.state == ATCP_STATE_LISTEN;
  fc.refs++;  // the system call's own
  {
    Locked l(fc, "close");
    const uint32_t unread = fc.rx_bytes;
    for (FakePkt* p : fc.rx) {
      fc.rmem -= p->truesize;
      os.free_pkt(*p);
    }
    fc.rx.clear();
    fc.rx_bytes = 0;
    fc.orphaned = true;
    atcp_core_close(&fc.conn, unread, linger0, os.now_ns);
    if (listener) {
      while (atcp_conn* child = atcp_core_accept(&fc.conn, os.now_ns))
        kill_child(FakeConn::of(child), os.now_ns);
    }
  }
  os.put(fc);
  os.quiesce();
}

void Sock::abort(uint32_t reason) {
  {
    Locked l(conn(), "abort");
    atcp_core_abort(&conn().conn, reason, FakeOs::the().now_ns);
  }
  FakeOs::the().quiesce();
}

std::optional<Sock> Sock::accept() {
  Locked l(conn(), "accept");
  atcp_conn* child = atcp_core_accept(&conn().conn, host_->net().now());
  if (child == nullptr) return std::nullopt;
  return Sock(host_, &FakeConn::of(child));
}

int32_t Sock::get_option(uint32_t opt) {
  Locked l(conn(), "get_option");
  int32_t value = -1;
  const atcp_err e = atcp_core_get_option(&conn().conn, opt, &value, FakeOs::the().now_ns);
  return e == ATCP_OK ? value : -1;
}

atcp_err Sock::set_option(uint32_t opt, int32_t value) {
  Locked l(conn(), "set_option");
  return atcp_core_set_option(&conn().conn, opt, value, FakeOs::the().now_ns);
}

void Sock::set_keepalive(bool on) {
  Locked l(conn(), "set_keepalive");
  atcp_core_set_keepalive(&conn().conn, on, FakeOs::the().now_ns);
}

atcp_err Sock::set_cc(const char* name) {
  Locked l(conn(), "set_cc");
  return atcp_core_set_cc(&conn().conn, name, true, FakeOs::the().now_ns);
}

std::string Sock::cc() const {
  Locked l(conn(), "get_cc");
  return atcp_core_get_cc(&conn().conn);
}

void Sock::icmp(atcp_icmp_kind kind, uint32_t seq, uint32_t value) {
  Locked l(conn(), "icmp");
  atcp_core_conn_icmp(&conn().conn, kind, seq, value, FakeOs::the().now_ns);
}

// ---- Host ---------------------------------------------------------------------------------

Host::Host(FakeNet& net, const std::string& name, uint32_t addr, uint32_t ehash_entries)
    : net_(net), addr_(addr), os_(net.os.add_ns(name)) {
  core_ = atcp_core_ns_new(&os_, ehash_entries);
  os_.core = core_;
  os_.wire = [this](Emitted&& e) { net_.send(std::move(e)); };
  // Such that segments are as large with either.
  if (net.family == ATCP_AF_INET6) os_.mtu += 20;
}

Host::~Host() {
  os_.timer_ns = 0;
  os_.core = nullptr;
  if (core_ != nullptr) atcp_core_ns_free(core_);
  net_.os.quiesce();
}

Ns& Host::ns() {
  return *reinterpret_cast<Ns*>(core_);
}

Sock Host::socket() {
  return socket(net_.family == ATCP_AF_INET6);
}

Sock Host::socket(bool v6) {
  FakeConn& c = net_.os.new_conn(os_);
  c.initialised = true;
  c.v6 = v6;
  atcp_core_conn_init(&c.conn, core_, v6);
  return Sock(this, &c);
}

atcp_err Host::try_listen(Sock s, uint16_t port, uint32_t backlog, uint32_t flags) {
  Locked l(s.conn(), "listen");
  atcp_ip any = {};
  uint16_t lport = to_be16(port);
  if (port != 0) flags |= ATCP_BIND_EXPLICIT_PORT;
  const atcp_err err = atcp_core_bind(&s.conn().conn, net_.family, &any, &lport, flags, 0);
  if (err != ATCP_OK) return err;
  return atcp_core_listen(&s.conn().conn, backlog, flags, net_.now());
}

Sock Host::listen(uint16_t port, uint32_t backlog) {
  Sock s = socket();
  EXPECT_EQ(try_listen(s, port, backlog), ATCP_OK);
  return s;
}

atcp_err Host::try_connect(Sock s, uint32_t addr, uint16_t port, uint16_t lport, bool with_data) {
  FakeConn& fc = s.conn();
  Locked l(fc, "connect");
  atcp_tuple t = hosts(addr_, addr, net_.family);
  t.rport = to_be16(port);
  if (lport != 0) {
    t.lport = to_be16(lport);
    const atcp_err err =
        atcp_core_bind(&fc.conn, t.family, &t.laddr, &t.lport, ATCP_BIND_EXPLICIT_PORT, 0);
    if (err != ATCP_OK) return err;
  } else if (tcb_of(&fc.conn)->bind.bucket != nullptr) {
    t.lport = tcb_of(&fc.conn)->lport;  // bound before, perhaps for a connection that has ended
  }
  fc.tuple = t;
  const atcp_err err = atcp_core_connect(&fc.conn, &t, with_data, net_.os.now_ns);
  fc.tuple = t;
  return err;
}

Sock Host::connect(uint32_t addr, uint16_t port, uint16_t lport) {
  Sock s = socket();
  EXPECT_EQ(try_connect(s, addr, port, lport), ATCP_OK);
  return s;
}

Sock Host::fastopen(uint32_t addr, uint16_t port, const std::string& text) {
  Sock s = socket();
  EXPECT_EQ(try_connect(s, addr, port, 0, true), ATCP_OK);
  s.send(text);
  return s;
}

atcp_err Host::set(const char* param, const char* text) {
  const int32_t i = atcp_core_param_find(param);
  if (i < 0) {
    ADD_FAILURE() << "no parameter " << param;  // else a test would run with another setting
    return ATCP_ERR_NOT_FOUND;
  }
  return atcp_core_param_set(core_, static_cast<uint32_t>(i), text);
}

uint64_t Host::counter(const std::string& name) const {
  for (uint32_t i = 0; i < atcp_core_counter_count(); i++)
    if (name == atcp_core_counter_name(i, nullptr)) return os_.counters.at(i);
  ADD_FAILURE() << "no counter " << name;
  return 0;
}

void Host::steer_isn(const atcp_tuple& t, uint64_t at_ns) {
  Ns& n = ns();
  while (initial_sequence(n, t, at_ns).raw() < 0xffff0000u)
    n.isn_key.k[0]++;
}

void Host::receive(const Emitted& e) {
  FakeOs& os = net_.os;
  atcp_tuple t = e.tuple;
  std::swap(t.laddr, t.raddr);
  std::swap(t.lport, t.rport);
  FakePkt& pkt = os.new_pkt(e.data);
  pkt.where = FakePkt::Where::Core;
  atcp_seg seg = {};
  const auto total = static_cast<uint32_t>(e.hdr.size() + e.data.size());
  {
    Border border("input");
    const uint32_t bad =
        atcp_core_parse(e.hdr.data(), static_cast<uint32_t>(e.hdr.size()), total, &seg);
    if (bad != ATCP_REASON_NONE) {
      atcp_core_drop(core_, nullptr, &pkt.pkt, bad);
      return;
    }
    seg.truesize = pkt.truesize;
    seg.segs = 1;
    seg.ecn = e.ecn;
    atcp_os_rcu_lock();
    for (bool again = true; again;) {
      again = false;
      const atcp_found f = atcp_core_lookup(core_, &t);
      switch (f.kind) {
        case ATCP_FOUND_CONN: {
          FakeConn& fc = FakeConn::of(static_cast<atcp_conn*>(f.entry));
          os.lock(fc);
          atcp_core_conn_input(&fc.conn, &seg, &pkt.pkt, os.now_ns);
          os.unlock(fc);
          atcp_core_put(f);
          break;
        }
        case ATCP_FOUND_NONE:
          if (answers_strangers)
            atcp_core_no_socket(core_, &t, &seg, &pkt.pkt);
          else
            atcp_core_drop(core_, nullptr, &pkt.pkt, ATCP_REASON_NO_SOCKET);
          break;
        default:
          again = !atcp_core_input(core_, f, &t, &seg, &pkt.pkt, os.now_ns);
      }
    }
    atcp_os_rcu_unlock();
  }
  os.quiesce();
}

// ---- FakeNet ------------------------------------------------------------------------------

FakeNet::FakeNet() {
  os.conn_fini = atcp_core_conn_fini;
  os.tx_room = atcp_core_tx_room;
  os.ns_work = atcp_core_ns_work;
}

FakeNet::~FakeNet() {
  close_all();
  events_.clear();
  hosts_.clear();
}

void FakeNet::close_all() {
  // Ends without a trace on the wire or on the clock; what a test wants to see it does itself. Listeners first: what waits
  // in their queues is nobody's to close, and may be older than the listener that has it from another one.
  std::vector<uint64_t> ids;
  for (const bool listening : {true, false})
    for (const auto& [id, c] : os.conns)
      if ((c->initialised && tcb_of(&c->conn)->state == State::Listen) == listening)
        ids.push_back(id);
  for (const uint64_t id : ids) {
    auto it = os.conns.find(id);
    if (it == os.conns.end() || !it->second->program_ref || !it->second->initialised) continue;
    FakeConn& fc = *it->second;
    Host* host = nullptr;
    for (auto& h : hosts_)
      if (&h->os() == fc.ns) host = h.get();
    if (!fc.orphaned)
      Sock(host, &fc).close(true);
    else
      Sock(host, &fc).abort(ATCP_REASON_ABORT_BY_USER);
  }
  os.quiesce();
}

Host& FakeNet::add_host(const std::string& name, uint32_t addr) {
  hosts_.push_back(std::make_unique<Host>(*this, name, addr));
  return *hosts_.back();
}

Link& FakeNet::link(const Host& from, const Host& to) {
  return links_.try_emplace({from.addr(), to.addr()}, default_link_).first->second;
}

Host* FakeNet::host_of(uint32_t addr) {
  for (auto& h : hosts_)
    if (h->addr() == addr) return h.get();
  return nullptr;
}

void FakeNet::send(Emitted&& e) {
  if (e.data.size() <= e.mss || e.mss == 0) {
    deliver_piece(std::move(e));
    return;
  }
  // Segmentation offload: the header is repeated, FIN and PSH belong to the last segment.
  const uint8_t flags = e.hdr[13];
  const uint32_t seq = e.seg.seq;
  for (size_t at = 0; at < e.data.size(); at += e.mss) {
    const size_t n = std::min<size_t>(e.mss, e.data.size() - at);
    const bool last = at + n == e.data.size();
    Emitted piece;
    piece.from = e.from;
    piece.tuple = e.tuple;
    piece.hdr = e.hdr;
    piece.ecn = e.ecn;
    write_be32(piece.hdr.data() + 4, seq + static_cast<uint32_t>(at));
    piece.hdr[13] = last ? flags : static_cast<uint8_t>(flags & ~(ATCP_FIN | ATCP_PSH));
    // RFC 3168 6.1.2: CWR belongs to the first.
    if (at != 0) piece.hdr[13] = static_cast<uint8_t>(piece.hdr[13] & ~ATCP_CWR);
    piece.data.assign(e.data.begin() + at, e.data.begin() + at + n);
    piece.seg = e.seg;
    piece.seg.seq = seq + static_cast<uint32_t>(at);
    piece.seg.flags = piece.hdr[13];
    piece.seg.len = static_cast<uint32_t>(n);
    deliver_piece(std::move(piece));
  }
}

void FakeNet::deliver_piece(Emitted&& e) {
  const uint32_t from = number_of(e.tuple.laddr, e.tuple.family);
  const uint32_t to = number_of(e.tuple.raddr, e.tuple.family);
  Link& l = links_.try_emplace({from, to}, default_link_).first->second;
  const bool scripted = (l.drop_mask & 1) != 0;
  l.drop_mask >>= 1;
  if (scripted || (l.filter && !l.filter(e)) ||
      (l.loss_permille != 0 && os.random() % 1000 < l.loss_permille)) {
    l.lost++;
    return;
  }
  const uint32_t copies = l.dup_permille != 0 && os.random() % 1000 < l.dup_permille ? 2 : 1;
  uint64_t at = os.now_ns;
  if (l.ns_per_byte != 0) {
    const uint64_t bytes = e.hdr.size() + e.data.size() + 20;
    l.busy_until_ns = std::max(l.busy_until_ns, os.now_ns);
    if ((l.busy_until_ns - os.now_ns) / l.ns_per_byte + bytes > l.queue_bytes) {
      l.lost++;
      return;
    }
    l.busy_until_ns += bytes * l.ns_per_byte;
    at = l.busy_until_ns;
  }
  for (uint32_t i = 0; i < copies; i++) {
    l.delivered++;
    const uint64_t jitter = l.jitter_ns != 0 ? os.random() % l.jitter_ns : 0;
    events_.emplace(std::pair(at + l.delay_ns + jitter, next_event_++), e);
  }
}

uint64_t FakeNet::next_timer() const {
  uint64_t next = os.timers.empty() ? ~uint64_t{0} : os.timers.begin()->first;
  for (const auto& ns : os.namespaces)
    if (ns->timer_ns != 0) next = std::min(next, ns->timer_ns);
  return next;
}

void FakeNet::fire_timer() {
  if (!os.timers.empty() && os.timers.begin()->first <= os.now_ns) {
    FakeConn& c = *os.conns.at(os.timers.begin()->second);
    os.timers.erase(os.timers.begin());
    c.timer_ns = 0;  // its reference is ours now
    {
      Locked l(c, "conn_timer");
      atcp_core_conn_timer(&c.conn, os.now_ns);
    }
    os.put(c);
    return;
  }
  for (const auto& ns : os.namespaces) {
    if (ns->timer_ns != 0 && ns->timer_ns <= os.now_ns) {
      ns->timer_ns = 0;
      Border border("ns_timer");
      atcp_core_ns_timer(ns->core, os.now_ns);
      return;
    }
  }
}

bool FakeNet::step(uint64_t until_ns) {
  const uint64_t timer = next_timer();
  const uint64_t event = events_.empty() ? ~uint64_t{0} : events_.begin()->first.first;
  const uint64_t at = std::min(timer, event);
  if (at > until_ns) return false;
  os.now_ns = std::max(os.now_ns, at);
  if (event <= timer) {
    const Emitted e = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    if (Host* h = host_of(number_of(e.tuple.raddr, e.tuple.family))) h->receive(e);
  } else {
    fire_timer();
  }
  os.quiesce();
  return true;
}

void FakeNet::run(uint64_t ns) {
  const uint64_t until = os.now_ns + ns;
  while (step(until)) {
  }
  os.now_ns = until;
}

bool FakeNet::run_until(const std::function<bool()>& done, uint64_t ns) {
  const uint64_t until = os.now_ns + ns;
  while (!done()) {
    if (!step(until)) {
      os.now_ns = until;
      return done();
    }
  }
  return true;
}

}  // namespace atcp::test
