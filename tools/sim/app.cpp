// SPDX-License-Identifier: GPL-2.0
//
// What the programs of a flow do when something happens to their sockets.
#include "app.h"

#include <stdexcept>

namespace atcp::sim {

using Kind = AppConfig::Kind;

Flow::Flow(World& world, const FlowConfig& config, uint32_t id, Nanos start, Host& from, Host& to,
           Random random)
    : world_(world), config_(config), id_(id), from_(from), to_(to), random_(random) {
  world.events.set(*this, kEpoch + start);
}

void Flow::start() {
  started_ = world_.now();
  client_ = &from_.socket(*this, config_.cc);
  if (config_.sndbuf != 0) {
    client_->sndbuf = config_.sndbuf;
    client_->sndbuf_locked = true;
  }
  if (!from_.connect(*client_, to_, Server::kPort)) {
    failed_ = true;
    return;
  }
  static_cast<Server*>(to_.server)->expect(from_.addr(), client_->tuple.lport, *this);
}

void Flow::accepted(Conn& child) {
  server_ = &child;
  child.program = this;
  if (!config_.cc.empty()) to_.set_cc(child, config_.cc);
  if (config_.rcvbuf != 0) {
    child.rcvbuf = config_.rcvbuf;
    child.rcvbuf_locked = true;
  }
}

Conn* Flow::sender() const {
  Conn* c = config_.app.kind == Kind::Requests ? server_ : client_;
  return c != nullptr && c->alive && !c->closed ? c : nullptr;
}

uint64_t Flow::delivered() const {
  const Conn* c = config_.app.kind == Kind::Requests ? client_ : server_;
  return c == nullptr ? 0 : c->bytes_read;
}

const atcp_conn_info& Flow::info() {
  if (const Conn* c = sender()) info_ = c->host->info(*c);
  return info_;
}

const char* Flow::cc() const {
  return client_ != nullptr && client_->alive ? atcp_core_get_cc(&client_->conn)
                                              : config_.cc.c_str();
}

void Flow::fire() {
  if (started_ == 0) {
    start();
  } else if (config_.app.kind == Kind::Requests) {
    ask();
  } else if (config_.app.kind == Kind::OnOff) {
    on_ = !on_;
    const double mean = on_ ? config_.app.on : config_.app.off;
    world_.events.set(*this,
                      world_.now() + 1 + static_cast<Nanos>(random_.exponential(mean) * 1e9));
    pump();
  }
}

void Flow::on_event(Conn& c, uint32_t events) {
  if (&c == client_)
    client_event(events);
  else
    server_event(events);
}

void Flow::client_event(uint32_t events) {
  if (client_->error != ATCP_OK || client_->closed) {
    failed_ = finished_ == 0;
    info();
    from_.close(*client_);
    return;
  }
  if (connected_ == 0 && client_->can_send()) {
    connected_ = world_.now();
    if (config_.app.kind == Kind::Requests) ask();
    if (config_.app.kind == Kind::OnOff) fire();
  }
  if (config_.app.kind == Kind::Requests) {
    if ((events & ATCP_EV_READABLE) != 0 && asked_ > latencies_.size() &&
        client_->bytes_read >= asked_ * config_.app.response) {
      latencies_.push_back(static_cast<double>(world_.now() - asked_at_) / 1e9);
      if (config_.app.count != 0 && asked_ == config_.app.count) {
        finished_ = world_.now();
        close_all();
        return;
      }
      const double pause = config_.app.think > 0 ? random_.exponential(config_.app.think) : 0;
      world_.events.set(*this, world_.now() + 1 + static_cast<Nanos>(pause * 1e9));
    }
  } else if (connected_ != 0) {
    pump();
  }
}

void Flow::server_event(uint32_t events) {
  if (config_.app.kind == Kind::Requests) {
    if ((events & ATCP_EV_READABLE) != 0) {
      const uint64_t got = server_->bytes_read / config_.app.request;
      to_write_ = got * config_.app.response - server_->bytes_written;
    }
    answer();
  } else if (config_.app.bytes != 0 && server_->bytes_read >= config_.app.bytes && finished_ == 0) {
    finished_ = world_.now();
  }
  if (server_->eof || server_->closed) {
    info();
    to_.close(*server_);
    if (client_ != nullptr && config_.app.kind != Kind::Requests) from_.close(*client_);
  }
}

void Flow::pump() {
  if (all_written_ || client_ == nullptr) return;
  // A program that waits for room is not woken for a little of it.
  if (client_->wmem > client_->sndbuf / 3 * 2) return;
  const bool stopped = config_.stop != 0 && world_.now() >= kEpoch + config_.stop;
  if (config_.app.kind == Kind::OnOff) {
    if (on_ && !stopped) from_.write(*client_, ~uint64_t{0});
    return;
  }
  const uint64_t total = config_.app.bytes != 0 ? config_.app.bytes : ~uint64_t{0};
  if (!stopped) from_.write(*client_, total - client_->bytes_written);
  if (stopped || client_->bytes_written == total) {
    all_written_ = true;
    from_.shutdown(*client_);
  }
}

void Flow::ask() {
  asked_++;
  asked_at_ = world_.now();
  from_.write(*client_, config_.app.request);
}

void Flow::answer() {
  if (to_write_ == 0) return;
  to_write_ -= to_.write(*server_, to_write_);
}

void Flow::close_all() {
  info();
  from_.close(*client_);
}

void Server::on_accept(Conn& listener, Conn& child) {
  auto it = flows_.find(key(child.tuple.raddr.v4, child.tuple.rport));
  if (it == flows_.end()) {
    child.program = nullptr;
    listener.host->close(child, true);
    return;
  }
  it->second->accepted(child);
}

}  // namespace atcp::sim
