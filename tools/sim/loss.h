// SPDX-License-Identifier: GPL-2.0
//
// Who is lost on a link that has nothing to do with its buffer: independent losses, bursts by Gilbert and Elliott, every
// n-th packet, a range of packets, or what a trace file says.
#ifndef ATCP_SIM_LOSS_H
#define ATCP_SIM_LOSS_H

#include <memory>
#include <string>
#include <vector>

#include "packet.h"
#include "random.h"

namespace atcp::sim {

struct LossConfig {
  enum class Kind { Bernoulli, GilbertElliott, Periodic, Range, Trace };
  enum class Only { All, Data, Acks };
  Kind kind = Kind::Bernoulli;
  Only only = Only::All;  ///< the others pass, and are not counted
  Nanos after = 0;  ///< nothing is lost (or counted) earlier than this, from the start of the run
  double p = 0;     ///< Bernoulli: of loss; Gilbert-Elliott: from good to bad, for each packet
  double r = 0;     ///< from bad to good
  double loss_good = 0, loss_bad = 1;
  uint64_t every = 0;      ///< Periodic: one of so many
  uint64_t first = 0;      ///< Range: packets before it that pass
  uint64_t count = 0;      ///< Range: how many are lost
  std::vector<bool> lost;  ///< Trace: packet by packet, again and again
};

class Loss {
 public:
  static std::unique_ptr<Loss> make(const LossConfig& config, Random random);
  virtual ~Loss() = default;
  bool lost(const Packet& p, Nanos now) {
    if (now < kEpoch + config_.after) return false;
    if (config_.only == LossConfig::Only::Data && p.len == 0) return false;
    if (config_.only == LossConfig::Only::Acks && !p.pure_ack()) return false;
    return next();
  }

 protected:
  explicit Loss(const LossConfig& config) : config_(config) {}
  /// Is the next packet lost?
  virtual bool next() = 0;
  const LossConfig config_;
};

/// The text of a trace: 0 passes, 1 is lost; white space and lines that begin with # say nothing.
/// Throws std::runtime_error for anything else, and for a trace without a packet.
std::vector<bool> parse_loss_trace(const std::string& text);

}  // namespace atcp::sim

#endif  // ATCP_SIM_LOSS_H
