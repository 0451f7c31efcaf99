// SPDX-License-Identifier: GPL-2.0
//
// The models of loss, one class each.
#include "loss.h"

#include <sstream>
#include <stdexcept>

namespace atcp::sim {

namespace {

class Bernoulli final : public Loss {
 public:
  Bernoulli(const LossConfig& c, Random r) : Loss(c), random_(r) {}
  bool next() override { return random_.chance(config_.p); }

 private:
  Random random_;
};

/// Two states; the packet meets the loss of the state it finds, then the state may change.
class GilbertElliott final : public Loss {
 public:
  GilbertElliott(const LossConfig& c, Random r) : Loss(c), random_(r) {}
  bool next() override {
    const bool lost = random_.chance(bad_ ? config_.loss_bad : config_.loss_good);
    if (random_.chance(bad_ ? config_.r : config_.p)) bad_ = !bad_;
    return lost;
  }

 private:
  Random random_;
  bool bad_ = false;
};

class Periodic final : public Loss {
 public:
  explicit Periodic(const LossConfig& c) : Loss(c) {}
  bool next() override { return ++n_ % config_.every == 0; }

 private:
  uint64_t n_ = 0;
};

class Range final : public Loss {
 public:
  explicit Range(const LossConfig& c) : Loss(c) {}
  bool next() override {
    const uint64_t i = n_++;
    return i >= config_.first && i < config_.first + config_.count;
  }

 private:
  uint64_t n_ = 0;
};

class Trace final : public Loss {
 public:
  explicit Trace(const LossConfig& c) : Loss(c) {}
  bool next() override { return config_.lost[n_++ % config_.lost.size()]; }

 private:
  uint64_t n_ = 0;
};

}  // namespace

std::unique_ptr<Loss> Loss::make(const LossConfig& config, Random random) {
  switch (config.kind) {
    case LossConfig::Kind::Bernoulli:
      return std::make_unique<Bernoulli>(config, random);
    case LossConfig::Kind::GilbertElliott:
      return std::make_unique<GilbertElliott>(config, random);
    case LossConfig::Kind::Periodic:
      if (config.every == 0) throw std::runtime_error("periodic loss needs every > 0");
      return std::make_unique<Periodic>(config);
    case LossConfig::Kind::Range:
      return std::make_unique<Range>(config);
    case LossConfig::Kind::Trace:
      if (config.lost.empty()) throw std::runtime_error("the loss trace is empty");
      return std::make_unique<Trace>(config);
  }
  return nullptr;
}

std::vector<bool> parse_loss_trace(const std::string& text) {
  std::vector<bool> lost;
  std::istringstream in(text);
  std::string line;
  while (std::getline(in, line)) {
    if (!line.empty() && line[0] == '#') continue;
    for (const char c : line) {
      if (c == '0' || c == '1')
        lost.push_back(c == '1');
      else if (c != ' ' && c != '\t' && c != '\r')
        throw std::runtime_error(std::string("a loss trace has 0 and 1, not '") + c + "'");
    }
  }
  if (lost.empty()) throw std::runtime_error("the loss trace has no packet");
  return lost;
}

}  // namespace atcp::sim
