// SPDX-License-Identifier: GPL-2.0
//
// System calls and the receive path of a simulated host: what a kernel's glue does between a program, the core and
// the network card, without waiting and without bytes.
#include "host.h"

#include <linux/atcp.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "pcap.h"

namespace atcp::sim {

namespace {

uint16_t to_be(uint16_t v) {
  return static_cast<uint16_t>(v << 8 | v >> 8);
}

}  // namespace

uint32_t Host::addr_of(uint16_t index) {
  const uint8_t bytes[4] = {10, 0, static_cast<uint8_t>(index >> 8),
                            static_cast<uint8_t>((index & 0xff) + 1)};
  uint32_t v;
  memcpy(&v, bytes, 4);
  return v;
}

Host::Host(World& world, const HostConfig& config, uint16_t index)
    : world_(world), config_(config), index_(index) {
  os_.world = &world;
  os_.host = this;
  os_.timer.host = this;
  os_.mtu = config.mtu;
  std::map<std::string, std::string> params = config.params;
  // The simulated host has no other TCP to share its ports with.
  params.try_emplace("port_range", "1024 65535");
  for (const auto& [name, value] : params) {
    const int32_t i = atcp_core_param_find(name.c_str());
    if (i < 0) throw std::runtime_error("host " + config.name + ": no parameter " + name);
    if (atcp_core_param_check(static_cast<uint32_t>(i), value.c_str()) != ATCP_OK)
      throw std::runtime_error("host " + config.name + ": " + name + " cannot be " + value);
  }
  core_ = atcp_core_ns_new(&os_, 1024);
  if (core_ == nullptr) throw std::runtime_error("no memory for host " + config.name);
  for (const auto& [name, value] : params)
    atcp_core_param_set(core_, static_cast<uint32_t>(atcp_core_param_find(name.c_str())),
                        value.c_str());
}

Host::~Host() {
  world_.ending = true;
  for (auto& c : world_.conns) {
    if (c->host != this || !c->alive) continue;
    if (!c->program_ref) {
      atcp_core_abort(&c->conn, ATCP_REASON_ABORT_BY_USER, world_.now());
      unlocked(*c);
    } else {
      close(*c, true);
    }
  }
  world_.settle();
  for (auto& [key, m] : mergers_)
    if (m.p != nullptr) world_.pool.put(m.p);
  world_.events.set(os_.timer, 0);
  atcp_core_ns_free(core_);
  world_.settle();
}

// ---- system calls --------------------------------------------------------------------------

Conn& Host::socket(Program& program, const std::string& cc) {
  Conn& c = world_.new_conn(*this);
  c.program = &program;
  atcp_core_conn_init(&c.conn, core_, false);
  if (!cc.empty()) set_cc(c, cc);
  return c;
}

Conn& Host::listen(uint16_t port, Program& program) {
  Conn& c = socket(program, "");
  const atcp_ip any = {};
  uint16_t lport = to_be(port);
  if (atcp_core_bind(&c.conn, ATCP_AF_INET, &any, &lport, ATCP_BIND_EXPLICIT_PORT, 0) != ATCP_OK ||
      atcp_core_listen(&c.conn, 65535, 0, world_.now()) != ATCP_OK)
    throw std::runtime_error(config_.name + " cannot listen on port " + std::to_string(port));
  return c;
}

bool Host::connect(Conn& c, const Host& to, uint16_t port) {
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = addr();
  t.raddr.v4 = to.addr();
  t.rport = to_be(port);
  c.tuple = t;
  const atcp_err err = atcp_core_connect(&c.conn, &t, false, world_.now());
  c.tuple = t;
  return err == ATCP_OK;
}

void Host::set_cc(Conn& c, const std::string& cc) {
  if (atcp_core_set_cc(&c.conn, cc.c_str(), true, world_.now()) != ATCP_OK)
    throw std::runtime_error("no congestion control " + cc);
}

uint64_t Host::write(Conn& c, uint64_t bytes) {
  if (!c.can_send()) return 0;
  uint64_t done = 0;
  while (done < bytes && c.wmem < c.sndbuf) {
    const uint32_t goal = atcp_core_tx_size_goal(&c.conn);
    uint32_t len = 0;
    atcp_pkt* tail = atcp_core_tx_tail(&c.conn, &len);
    if (tail == nullptr || len >= goal) {
      tail = &world_.pool.get()->pkt;
      atcp_core_tx_add(&c.conn, tail);
      len = 0;
    }
    const auto n = static_cast<uint32_t>(
        std::min<uint64_t>({bytes - done, uint64_t{goal} - len, uint64_t{c.sndbuf} - c.wmem}));
    Packet::of(tail).len += n;
    c.wmem += n;
    atcp_core_tx_grow(&c.conn, n);
    done += n;
  }
  c.bytes_written += done;
  if (done > 0) atcp_core_tx_push(&c.conn, false, world_.now());
  if (done < bytes) atcp_core_tx_blocked(&c.conn, world_.now());
  return done;
}

void Host::shutdown(Conn& c) {
  if (c.alive) atcp_core_shutdown(&c.conn, world_.now());
}

void Host::close(Conn& c, bool reset) {
  if (!c.alive || c.orphaned) return;
  const bool listener = c.state == ATCP_STATE_LISTEN;
  c.refs++;
  c.orphaned = true;
  atcp_core_close(&c.conn, c.unread, reset, world_.now());
  while (listener) {
    atcp_conn* child = atcp_core_accept(&c.conn, world_.now());
    if (child == nullptr) break;
    Conn& s = Conn::of(child);
    s.orphaned = true;
    atcp_core_abort(child, ATCP_REASON_ABORT_LISTENER, world_.now());
    unlocked(s);
  }
  unlocked(c);
  world_.put(c);
}

atcp_conn_info Host::info(const Conn& c) const {
  atcp_conn_info out = {};
  atcp_core_conn_info(&c.conn, &out, world_.now());
  return out;
}

uint64_t Host::counter(const char* name) const {
  for (uint32_t i = 0; i < atcp_core_counter_count(); i++)
    if (strcmp(name, atcp_core_counter_name(i, nullptr)) == 0) return os_.counters[i];
  throw std::runtime_error(std::string("no counter ") + name);
}

// ---- the network ---------------------------------------------------------------------------

void Host::emit(const atcp_tuple& t, const uint8_t* hdr, uint32_t hdr_len, uint32_t len,
                uint32_t mss, uint8_t ecn) {
  if (world_.ending) return;
  const uint32_t cut = mss == 0 ? len : mss;
  const uint32_t seq = load_be32(hdr + 4);
  uint32_t at = 0;
  do {
    const uint32_t n = std::min(cut, len - at);
    const bool last = at + n == len;
    Packet* p = world_.pool.get();
    memcpy(p->hdr, hdr, hdr_len);
    p->hdr_len = static_cast<uint8_t>(hdr_len);
    p->len = n;
    p->segs = 1;
    p->ecn = ecn;
    p->ip_id = ip_id_++;
    p->from = index_;
    p->laddr = t.laddr.v4;
    p->raddr = t.raddr.v4;
    const auto* octets = reinterpret_cast<const uint8_t*>(&p->raddr);
    p->to = static_cast<uint16_t>(octets[2] << 8 | (octets[3] - 1));
    store_be32(p->hdr + 4, seq + at);
    // FIN and PSH belong to the last segment, CWR to the first (RFC 3168 6.1.2).
    if (!last) p->hdr[13] = static_cast<uint8_t>(p->hdr[13] & ~(ATCP_FIN | ATCP_PSH));
    if (at != 0) p->hdr[13] = static_cast<uint8_t>(p->hdr[13] & ~ATCP_CWR);
    if (pcap != nullptr) pcap->write(*p, world_.now());
    wire(p);
    at += n;
  } while (at < len);
}

void Host::receive(Packet* p) {
  if (world_.ending) {
    world_.pool.put(p);
    return;
  }
  if (pcap != nullptr) pcap->write(*p, world_.now());
  if (config_.gro == 0)
    input(p);
  else
    merge(p);
}

void Host::Merger::fire() {
  host->flush(*this);
}

void Host::merge(Packet* p) {
  const uint64_t key = static_cast<uint64_t>(p->laddr) << 32 | load_be32(p->hdr);
  Merger& m = mergers_[key];
  m.host = this;
  constexpr uint8_t kEnds = ATCP_SYN | ATCP_FIN | ATCP_RST | ATCP_URG | ATCP_CWR;
  constexpr uint32_t kMostBytes = 65535 - kIpHeader - kMaxTcpHeader;
  const bool alone = p->len == 0 || (p->flags() & kEnds) != 0;
  if (m.p != nullptr) {
    Packet& q = *m.p;
    // The same header but for sequence number, PSH and checksum.
    const bool same = !alone && q.ecn == p->ecn && q.hdr_len == p->hdr_len &&
                      load_be32(q.hdr + 4) + q.len == load_be32(p->hdr + 4) &&
                      memcmp(q.hdr + 8, p->hdr + 8, 5) == 0 &&
                      (q.flags() | ATCP_PSH) == (p->flags() | ATCP_PSH) &&
                      memcmp(q.hdr + 14, p->hdr + 14, p->hdr_len - 14u) == 0 &&
                      q.len + p->len <= kMostBytes;
    if (same) {
      q.len += p->len;
      q.segs++;
      q.hdr[13] |= p->flags() & ATCP_PSH;
      world_.pool.put(p);
      if ((q.flags() & ATCP_PSH) != 0) flush(m);
      return;
    }
    flush(m);
  }
  if (alone || (p->flags() & ATCP_PSH) != 0) {
    input(p);
    return;
  }
  m.p = p;
  world_.events.set(m, world_.now() + config_.gro);
}

void Host::flush(Merger& m) {
  Packet* p = m.p;
  m.p = nullptr;
  world_.events.set(m, 0);
  if (p != nullptr) input(p);
}

void Host::input(Packet* p) {
  atcp_seg seg = {};
  atcp_tuple t = {};
  t.family = ATCP_AF_INET;
  t.laddr.v4 = p->raddr;
  t.raddr.v4 = p->laddr;
  memcpy(&t.lport, p->hdr + 2, 2);
  memcpy(&t.rport, p->hdr, 2);
  const uint32_t bad = atcp_core_parse(p->hdr, p->hdr_len, p->hdr_len + p->len, &seg);
  if (bad != ATCP_REASON_NONE) {
    atcp_core_drop(core_, nullptr, &p->pkt, bad);
    return;
  }
  p->truesize =
      p->segs <= 1 ? truesize_of(p->len) : 256 + p->segs * ((p->len / p->segs + 511) & ~511u);
  seg.truesize = p->truesize;
  seg.segs = p->segs;
  seg.ecn = p->ecn;
  for (bool again = true; again;) {
    again = false;
    const atcp_found f = atcp_core_lookup(core_, &t);
    switch (f.kind) {
      case ATCP_FOUND_CONN: {
        auto* c = static_cast<atcp_conn*>(f.entry);
        atcp_core_conn_input(c, &seg, &p->pkt, world_.now());
        unlocked(Conn::of(c));
        atcp_core_put(f);
        break;
      }
      case ATCP_FOUND_NONE:
        atcp_core_no_socket(core_, &t, &seg, &p->pkt);
        break;
      default:
        again = !atcp_core_input(core_, f, &t, &seg, &p->pkt, world_.now());
    }
  }
}

// ---- for the port --------------------------------------------------------------------------

void Host::unlocked(Conn& c) {
  if (c.unread > 0 && !c.is_ready && !c.orphaned) {
    c.is_ready = true;
    world_.ready.push_back(&c);
  }
  if (c.orphaned && c.closed && c.program_ref) {
    c.program_ref = false;
    world_.put(c);
  }
}

void Host::tell(Conn& c) {
  if (c.state == ATCP_STATE_LISTEN) {
    c.events = 0;
    while (atcp_conn* child = atcp_core_accept(&c.conn, world_.now())) {
      Conn& s = Conn::of(child);
      s.program = c.program;
      c.program->on_accept(c, s);
      unlocked(s);  // it may have something to read already
    }
    return;
  }
  if (c.program == nullptr || c.orphaned) return;
  uint32_t events = c.events;
  c.events = 0;
  if (c.unread > 0) {
    const uint32_t n = c.unread;
    c.bytes_read += n;
    c.rmem -= c.unread_memory;
    c.unread = c.unread_memory = 0;
    events |= ATCP_EV_READABLE;
    atcp_core_rx_consumed(&c.conn, n, world_.now());
  }
  if (events != 0) c.program->on_event(c, events);
}

}  // namespace atcp::sim
