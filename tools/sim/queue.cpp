// SPDX-License-Identifier: GPL-2.0
//
// The disciplines of queues. Each is a class of its own in here; what they share is in Queue.
#include "queue.h"

#include <algorithm>
#include <cmath>

namespace atcp::sim {

namespace {

class DropTail : public Queue {
 public:
  DropTail(const QueueConfig& c, Drop d) : Queue(c, std::move(d)) {}
  void enqueue(Packet* p, Nanos now) override {
    if (fits(p)) append(p, now);
  }
  Packet* dequeue(Nanos now) override { return packets() == 0 ? nullptr : leave(take(), now); }
};

/// The switch that DCTCP expects: all that is above the threshold is marked, by the queue as it is and not by
/// an average.
class Step final : public DropTail {
 public:
  using DropTail::DropTail;
  void enqueue(Packet* p, Nanos now) override {
    if (!fits(p)) return;
    if (bytes() > config_.mark_bytes) mark(p);
    append(p, now);
  }
};

class Red final : public DropTail {
 public:
  Red(const QueueConfig& c, Random r, Drop d) : DropTail(c, std::move(d)), random_(r) {
    const uint64_t limit = c.limit_bytes != ~uint64_t{0} ? c.limit_bytes : c.limit_packets * 1500;
    min_ = static_cast<double>(c.min_bytes != 0 ? c.min_bytes : limit / 6);
    max_ = static_cast<double>(c.max_bytes != 0 ? c.max_bytes : limit / 2);
  }
  void enqueue(Packet* p, Nanos now) override {
    update_average(p, now);
    if (!fits(p)) {
      since_drop_ = 0;
      return;
    }
    const bool above = average_ >= max_;
    if (average_ < min_) {
      since_drop_ = -1;
    } else {
      since_drop_++;
      const double p_base = config_.max_p * (average_ - min_) / (max_ - min_);
      const double left = 1 - since_drop_ * p_base;
      // Spread evenly rather than geometrically between one drop and the next.
      const double p_now = left > p_base ? p_base / left : 1;
      if (above || random_.chance(p_now)) {
        since_drop_ = 0;
        // Above the upper threshold marks did not help (RFC 3168 7).
        if (above || !config_.ecn || !mark(p)) {
          drop_early(p);
          return;
        }
      }
    }
    append(p, now);
  }
  Packet* dequeue(Nanos now) override {
    Packet* p = DropTail::dequeue(now);
    if (p != nullptr) {
      // How long a packet takes is known by watching.
      if (packets() > 0 && last_out_ != 0)
        service_ += (static_cast<double>(now - last_out_) - service_) / 16;
      last_out_ = packets() > 0 ? now : 0;
    }
    if (packets() == 0) empty_since_ = now;
    return p;
  }

 private:
  void update_average(const Packet*, Nanos now) {
    if (packets() == 0 && empty_since_ != 0 && service_ > 0) {
      // As if as many small packets had come meanwhile and found it empty.
      const double m = static_cast<double>(now - empty_since_) / service_;
      average_ *= std::pow(1 - config_.weight, m);
    } else {
      average_ += config_.weight * (static_cast<double>(bytes()) - average_);
    }
  }

  Random random_;
  double min_, max_;
  double average_ = 0;
  double since_drop_ = -1;  ///< packets since the last drop or mark
  double service_ = 0;      ///< ns for a packet
  Nanos last_out_ = 0, empty_since_ = 0;
};

class CoDel final : public Queue {
 public:
  CoDel(const QueueConfig& c, Drop d) : Queue(c, std::move(d)) {}
  void enqueue(Packet* p, Nanos now) override {
    if (fits(p)) append(p, now);
  }
  Packet* dequeue(Nanos now) override {
    bool late = false;
    Packet* p = next(now, &late);
    if (p == nullptr) {
      dropping_ = false;
      return nullptr;
    }
    if (dropping_) {
      if (!late) {
        dropping_ = false;
      } else {
        while (dropping_ && now >= drop_next_) {
          count_++;
          if (config_.ecn && mark(p)) {
            drop_next_ = control_law(drop_next_);
            break;
          }
          drop_early(p);
          p = next(now, &late);
          if (!late)
            dropping_ = false;
          else
            drop_next_ = control_law(drop_next_);
        }
      }
    } else if (late) {
      // RFC 8289 5.4: a new episode that follows closely goes on at nearly the rate of the last one.
      const uint32_t last = count_ - last_count_;
      const bool recent = now < drop_next_ + 16 * config_.interval;
      count_ = last > 1 && recent ? last : 1;
      last_count_ = count_;
      dropping_ = true;
      if (!config_.ecn || !mark(p)) {
        drop_early(p);
        p = next(now, &late);
      }
      drop_next_ = control_law(now);
    }
    return p == nullptr ? nullptr : leave(p, now);
  }

 private:
  static constexpr uint64_t kMtu = 1514;
  /// The packet at the head; *late: packets have been waiting too long for a whole interval.
  Packet* next(Nanos now, bool* late) {
    *late = false;
    if (packets() == 0) {
      first_above_ = 0;
      return nullptr;
    }
    Packet* p = take();
    if (now - p->when < config_.target || bytes() <= kMtu) {
      first_above_ = 0;
    } else if (first_above_ == 0) {
      first_above_ = now + config_.interval;
    } else {
      *late = now >= first_above_;
    }
    return p;
  }
  Nanos control_law(Nanos t) const {
    return t + static_cast<Nanos>(static_cast<double>(config_.interval) /
                                  std::sqrt(static_cast<double>(count_)));
  }

  Nanos first_above_ = 0, drop_next_ = 0;
  uint32_t count_ = 0, last_count_ = 0;
  bool dropping_ = false;
};

}  // namespace

std::unique_ptr<Queue> Queue::make(const QueueConfig& config, Random random, Drop drop) {
  switch (config.kind) {
    case QueueConfig::Kind::DropTail:
      return std::make_unique<DropTail>(config, std::move(drop));
    case QueueConfig::Kind::Step:
      return std::make_unique<Step>(config, std::move(drop));
    case QueueConfig::Kind::Red:
      return std::make_unique<Red>(config, random, std::move(drop));
    case QueueConfig::Kind::CoDel:
      return std::make_unique<CoDel>(config, std::move(drop));
  }
  return nullptr;
}

Queue::~Queue() {
  while (!list_.empty())
    drop_(list_.pop());
}

bool Queue::fits(Packet* p) {
  stats_.arrived++;
  if (packets_ < config_.limit_packets && bytes_ + p->wire_bytes() <= config_.limit_bytes)
    return true;
  stats_.dropped++;
  drop_(p);
  return false;
}

void Queue::append(Packet* p, Nanos now) {
  p->when = now;
  list_.push(p);
  packets_++;
  bytes_ += p->wire_bytes();
  stats_.bytes_max = std::max(stats_.bytes_max, bytes_);
}

Packet* Queue::take() {
  Packet* p = list_.pop();
  packets_--;
  bytes_ -= p->wire_bytes();
  return p;
}

void Queue::drop_early(Packet* p) {
  stats_.dropped_early++;
  drop_(p);
}

bool Queue::mark(Packet* p) {
  if (p->ecn == kNotEct) return false;
  if (p->ecn != kCe) stats_.marked++;
  p->ecn = kCe;
  return true;
}

Packet* Queue::leave(Packet* p, Nanos now) {
  const Nanos delay = now - p->when;
  stats_.sent++;
  stats_.delay_sum_ns += delay;
  stats_.delay_max = std::max(stats_.delay_max, delay);
  return p;
}

}  // namespace atcp::sim
