// SPDX-License-Identifier: GPL-2.0
//
// A packet's way over a link: lost, doubled, queued, put on the wire bit by bit, on its way, and perhaps overtaken. And
// the ways between nodes.
#include "net.h"

#include <algorithm>
#include <deque>
#include <stdexcept>

namespace atcp::sim {

Link::Link(Events& events, PacketPool& pool, const LinkConfig& config, Node& to, Random random)
    : events_(events), pool_(pool), config_(config), to_(to), random_(random) {
  queue_ = Queue::make(config.queue, Random(random_.bits()), [this](Packet* p) { pool_.put(p); });
  for (const LossConfig& l : config.losses)
    losses_.push_back(Loss::make(l, Random(random_.bits())));
  sender_.link = this;
  arrival_.link = this;
}

void Link::accept(Packet* p) {
  bool lost = false;
  for (auto& l : losses_)
    lost |= l->lost(*p, events_.now());  // each model sees each packet
  if (lost) {
    stats_.lost++;
    pool_.put(p);
    return;
  }
  if (random_.chance(config_.duplicate)) {
    stats_.duplicated++;
    Packet* copy = pool_.get();
    *copy = *p;
    enqueue(copy);
  }
  enqueue(p);
}

void Link::enqueue(Packet* p) {
  if (config_.rate == 0) {
    fly(p);
    return;
  }
  queue_->enqueue(p, events_.now());
  if (sender_.p == nullptr) send_next();
}

void Link::send_next() {
  Packet* p = queue_->dequeue(events_.now());
  sender_.p = p;
  if (p == nullptr) return;
  const uint64_t bits = uint64_t{p->wire_bytes()} * 8;
  events_.set(sender_, events_.now() + (bits * kSec + config_.rate - 1) / config_.rate);
}

void Link::Sender::fire() {
  Packet* sent = p;
  link->send_next();
  link->fly(sent);
}

void Link::fly(Packet* p) {
  stats_.bytes += p->wire_bytes();
  p->when = events_.now() + config_.delay;
  if (random_.chance(config_.reorder)) {
    stats_.reordered++;
    p->when += static_cast<Nanos>(random_.uniform() * static_cast<double>(config_.reorder_extra));
  } else {
    if (config_.jitter != 0)
      p->when += static_cast<Nanos>(random_.uniform() * static_cast<double>(config_.jitter));
    if (config_.ack_compress != 0 && p->pure_ack())
      p->when = (p->when + config_.ack_compress - 1) / config_.ack_compress * config_.ack_compress;
    else if (config_.jitter != 0)
      p->when = last_arrival_ = std::max(p->when, last_arrival_);
  }
  flying_++;
  p->next = nullptr;
  if (first_ == nullptr) {
    first_ = last_ = p;
  } else if (p->when >= last_->when) {
    last_->next = p;
    last_ = p;
  } else if (p->when < first_->when) {
    p->next = first_;
    first_ = p;
  } else {
    Packet* before = first_;
    while (before->next->when <= p->when)
      before = before->next;
    p->next = before->next;
    before->next = p;
  }
  if (first_ == p) events_.set(arrival_, p->when);
}

void Link::Arrival::fire() {
  Packet* p = link->first_;
  link->first_ = p->next;
  link->flying_--;
  if (link->first_ != nullptr) link->events_.set(*this, link->first_->when);
  Node& to = link->to_;
  if (to.host) {
    to.host(p);
    return;
  }
  Link* next = p->to < to.towards.size() ? to.towards[p->to] : nullptr;
  if (next != nullptr)
    next->accept(p);
  else
    link->pool_.put(p);
}

Node& Network::add_node(const std::string& name) {
  if (find(name) != nullptr) throw std::runtime_error("two nodes are called " + name);
  nodes_.push_back(std::make_unique<Node>());
  nodes_.back()->name = name;
  return *nodes_.back();
}

Node* Network::find(const std::string& name) {
  for (auto& n : nodes_)
    if (n->name == name) return n.get();
  return nullptr;
}

Link& Network::add_link(const LinkConfig& config, Random random) {
  Node* from = find(config.from);
  Node* to = find(config.to);
  if (from == nullptr || to == nullptr)
    throw std::runtime_error("link " + config.from + " - " + config.to + ": no such node");
  links_.push_back(std::make_unique<Link>(events_, pool_, config, *to, random));
  from->out.push_back(links_.back().get());
  return *links_.back();
}

void Network::route(size_t hosts) {
  for (auto& n : nodes_)
    n->towards.assign(hosts, nullptr);
  // From every node outwards; the first link of the way is what the node needs to know.
  for (auto& n : nodes_) {
    std::vector<Node*> seen = {n.get()};
    std::deque<std::pair<Node*, Link*>> next;
    for (Link* l : n->out)
      next.emplace_back(&l->to(), l);
    while (!next.empty()) {
      const auto [at, by] = next.front();
      next.pop_front();
      if (std::ranges::find(seen, at) != seen.end()) continue;
      seen.push_back(at);
      for (size_t i = 0; i < hosts; i++)
        if (nodes_[i].get() == at) n->towards[i] = by;
      // A host passes nothing on.
      if (at->host) continue;
      for (Link* l : at->out)
        next.emplace_back(&l->to(), by);
    }
  }
}

void Network::send(Node& at, Packet* p) {
  Link* l = p->to < at.towards.size() ? at.towards[p->to] : nullptr;
  if (l == nullptr) {
    unroutable_++;
    pool_.put(p);
    return;
  }
  l->accept(p);
}

bool Network::path(size_t from, size_t to, std::vector<Link*>* links) const {
  links->clear();
  const Node* at = nodes_[from].get();
  while (at != nodes_[to].get()) {
    Link* l = to < at->towards.size() ? at->towards[to] : nullptr;
    if (l == nullptr) return false;
    links->push_back(l);
    at = &l->to();
  }
  return true;
}

}  // namespace atcp::sim
