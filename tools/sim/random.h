// SPDX-License-Identifier: GPL-2.0
//
// Random numbers that are the same on every machine: one stream for each thing that needs chance, so that one link's
// losses do not change because another link was added. The standard library's distributions differ between
// implementations and are not used.
#ifndef ATCP_SIM_RANDOM_H
#define ATCP_SIM_RANDOM_H

#include <cmath>
#include <cstdint>

namespace atcp::sim {

class Random {
 public:
  explicit Random(uint64_t seed = 1, uint64_t stream = 0)
      : state_(seed * 0x9e3779b97f4a7c15ull + stream * 0xd1342543de82ef95ull) {
    bits();
  }
  /// Steele, Lea and Flood's SplitMix64.
  uint64_t bits() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  /// In [0, 1).
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  bool chance(double p) { return p > 0 && uniform() < p; }
  /// Exponentially distributed with this mean.
  double exponential(double mean) { return -mean * std::log1p(-uniform()); }

 private:
  uint64_t state_;
};

}  // namespace atcp::sim

#endif  // ATCP_SIM_RANDOM_H
