// SPDX-License-Identifier: GPL-2.0
//
// Buffers in front of a link: drop-tail, with a step of ECN marks (RFC 8257 3.1), RED (Floyd and Jacobson 1993) and CoDel
// (RFC 8289). A queue decides which packets to drop or mark and counts them; when to send is the link's business.
#ifndef ATCP_SIM_QUEUE_H
#define ATCP_SIM_QUEUE_H

#include <functional>
#include <memory>
#include <string>

#include "packet.h"
#include "random.h"

namespace atcp::sim {

struct QueueConfig {
  enum class Kind { DropTail, Step, Red, CoDel };
  Kind kind = Kind::DropTail;
  uint64_t limit_bytes = ~uint64_t{0};
  uint64_t limit_packets = ~uint64_t{0};
  double limit_bdp = 0;  ///< not 0: limit_bytes is this often the product of rate and round trip
  bool ecn = true;       ///< RED, CoDel: mark instead of drop what may be marked
  // Step.
  uint64_t mark_bytes = 0;  ///< mark what finds more than this in the queue
  // RED, thresholds in bytes of the average queue.
  uint64_t min_bytes = 0, max_bytes = 0;  ///< 0: a sixth and half of the limit
  double max_p = 0.1;
  double weight = 0.002;
  // CoDel.
  Nanos target = 5 * kMs;
  Nanos interval = 100 * kMs;
};

struct QueueStats {
  uint64_t arrived = 0;  ///< packets offered
  uint64_t dropped = 0;  ///< for want of room
  uint64_t dropped_early = 0;
  uint64_t marked = 0;
  uint64_t sent = 0;
  uint64_t delay_sum_ns = 0;  ///< of those sent
  Nanos delay_max = 0;
  uint64_t bytes_max = 0;

  double mean_delay_s() const {
    return sent == 0 ? 0 : static_cast<double>(delay_sum_ns) / static_cast<double>(sent) / 1e9;
  }
};

class Queue {
 public:
  using Drop = std::function<void(Packet*)>;
  /// drop takes what the queue throws away, at once or later.
  static std::unique_ptr<Queue> make(const QueueConfig& config, Random random, Drop drop);
  virtual ~Queue();

  virtual void enqueue(Packet* p, Nanos now) = 0;
  /// The next packet to be sent, or nullptr.
  virtual Packet* dequeue(Nanos now) = 0;

  uint64_t bytes() const { return bytes_; }
  uint64_t packets() const { return packets_; }
  const QueueStats& stats() const { return stats_; }

 protected:
  Queue(const QueueConfig& config, Drop drop) : config_(config), drop_(std::move(drop)) {}
  /// Room for one more? If not, it is dropped and counted.
  bool fits(Packet* p);
  void append(Packet* p, Nanos now);
  Packet* take();
  void drop_early(Packet* p);
  /// Marks and counts it; false: its sender does not know ECN.
  bool mark(Packet* p);
  /// p leaves towards the link.
  Packet* leave(Packet* p, Nanos now);

  const QueueConfig config_;
  QueueStats stats_;

 private:
  const Drop drop_;
  PacketList list_;
  uint64_t bytes_ = 0;
  uint64_t packets_ = 0;
};

}  // namespace atcp::sim

#endif  // ATCP_SIM_QUEUE_H
