// SPDX-License-Identifier: GPL-2.0
//
// What fuzz targets that run whole connections share: values taken from the input, the stop at a broken promise,
// and the look at every connection after each step.
#ifndef ATCP_FUZZ_FUZZ_INPUT_H
#define ATCP_FUZZ_FUZZ_INPUT_H

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fake_net.h"
#include "tests/tcb_invariants.h"

namespace atcp::fuzz {

#define REQUIRE(cond)                                                    \
  do {                                                                   \
    if (!(cond)) {                                                       \
      fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #cond); \
      abort();                                                           \
    }                                                                    \
  } while (0)

/// Takes values from the front of the input; zeros when it has run out.
class Input {
 public:
  Input(const uint8_t* p, size_t n) : p_(p), n_(n) {}
  bool empty() const { return n_ == 0; }
  uint8_t u8() {
    if (n_ == 0) return 0;
    n_--;
    return *p_++;
  }
  uint16_t u16() {
    const uint32_t hi = u8();
    return static_cast<uint16_t>(hi << 8 | u8());
  }

 private:
  const uint8_t* p_;
  size_t n_;
};

/// The ledger reports by way of GoogleTest: its failures must stop the fuzzer, so that the input is kept.
class StopAtFailure : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& r) override {
    if (!r.failed()) return;
    fprintf(stderr, "%s\n", r.message());
    abort();
  }
};
inline void stop_at_failures() {
  testing::UnitTest::GetInstance()->listeners().Append(new StopAtFailure);
}

/// The ledger has no complaint and every connection is in order.
inline void check_all(test::FakeOs& os) {
  for (const std::string& c : os.complaints())
    fprintf(stderr, "ledger: %s\n", c.c_str());
  REQUIRE(os.complaints().empty());
  for (const auto& [id, c] : os.conns) {
    if (!c->initialised) continue;
    const Tcb& t = *tcb_of(&c->conn);
    REQUIRE(c->state == static_cast<uint32_t>(t.state));
    const char* what = test::broken_tcb(t, static_cast<uint32_t>(c->tx.size()), c->timer_ns);
    if (what != nullptr) fprintf(stderr, "in %s: %s\n", state_name(t.state), what);
    REQUIRE(what == nullptr);
  }
}

}  // namespace atcp::fuzz

#endif  // ATCP_FUZZ_FUZZ_INPUT_H
