// SPDX-License-Identifier: GPL-2.0
//
// The network between hosts: links of one direction, each with losses, a queue, a rate and a delay, and nodes that pass
// on by the shortest way.
#ifndef ATCP_SIM_NET_H
#define ATCP_SIM_NET_H

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "loss.h"
#include "queue.h"

namespace atcp::sim {

class Link;

struct LinkConfig {
  std::string from, to;
  uint64_t rate = 0;  ///< bits per second, 0: no limit and so no queue
  Nanos delay = 0;
  QueueConfig queue;
  std::vector<LossConfig> losses;
  double duplicate = 0;  ///< probability
  // Reordering: some packets take longer by up to `extra`.
  double reorder = 0;  ///< probability
  Nanos reorder_extra = 0;
  Nanos jitter = 0;        ///< every packet takes longer, by up to this; the order stays
  Nanos ack_compress = 0;  ///< pure ACKs arrive in bunches, once in this time; 0: as they come
};

struct LinkStats {
  uint64_t lost = 0, duplicated = 0, reordered = 0;
  uint64_t bytes = 0;  ///< of IP, carried
};

/// A place where links meet. Hosts come first, with the indices that packets have.
struct Node {
  std::string name;
  std::vector<Link*> out;
  std::vector<Link*> towards;         ///< by index of host; nullptr: there is no way
  std::function<void(Packet*)> host;  ///< takes what arrives here; empty for a router
};

class Link {
 public:
  Link(Events& events, PacketPool& pool, const LinkConfig& config, Node& to, Random random);

  /// A packet comes to the link's beginning; takes it.
  void accept(Packet* p);
  const Queue& queue() const { return *queue_; }
  const LinkConfig& config() const { return config_; }
  const LinkStats& stats() const { return stats_; }
  Node& to() const { return to_; }
  /// What is on the way or in the queue.
  uint64_t in_flight() const { return flying_; }

 private:
  /// A packet has been put on the wire.
  struct Sender final : Alarm {
    Link* link = nullptr;
    Packet* p = nullptr;

   private:
    void fire() override;
  };
  /// The first of those on the way has arrived.
  struct Arrival final : Alarm {
    Link* link = nullptr;

   private:
    void fire() override;
  };
  void enqueue(Packet* p);
  void send_next();
  void fly(Packet* p);

  Events& events_;
  PacketPool& pool_;
  const LinkConfig config_;
  Node& to_;
  Random random_;
  std::unique_ptr<Queue> queue_;
  std::vector<std::unique_ptr<Loss>> losses_;
  Sender sender_;
  Arrival arrival_;
  /// On the way, by time of arrival.
  Packet* first_ = nullptr;
  Packet* last_ = nullptr;
  Nanos last_arrival_ = 0;  ///< of those that keep their order
  uint64_t flying_ = 0;
  LinkStats stats_;
};

class Network {
 public:
  Network(Events& events, PacketPool& pool) : events_(events), pool_(pool) {}

  /// Hosts are added before routers.
  Node& add_node(const std::string& name);
  Node* find(const std::string& name);
  /// std::runtime_error if a node is not known.
  Link& add_link(const LinkConfig& config, Random random);
  /// After the last link: the fewest links win, then the order in which they were added.
  void route(size_t hosts);
  /// Takes p.
  void send(Node& at, Packet* p);
  /// The links between two hosts, one way. False: there is no way.
  bool path(size_t from, size_t to, std::vector<Link*>* links) const;

  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  const std::vector<std::unique_ptr<Link>>& links() const { return links_; }
  uint64_t unroutable() const { return unroutable_; }

 private:
  Events& events_;
  PacketPool& pool_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Link>> links_;
  uint64_t unroutable_ = 0;
};

}  // namespace atcp::sim

#endif  // ATCP_SIM_NET_H
