// SPDX-License-Identifier: GPL-2.0
//
// Where the time of a connection went: how long it was in each state, and, from the moment it may send data, what
// it waited for. At every moment that is exactly one thing, so the shares add up to the age, to the microsecond.
// docs/architecture.md, "Why slow", says what each of them means.
#ifndef ATCP_CONN_LIMITS_H
#define ATCP_CONN_LIMITS_H

#include <linux/atcp.h>

#include "base/atomic.h"
#include "base/types.h"

namespace atcp {

/// What a connection waits for (definition `limit` of the netlink family).
enum class Limit : uint8_t {
  App = ATCP_LIMIT_APP,
  Rwnd = ATCP_LIMIT_RWND,
  Cwnd = ATCP_LIMIT_CWND,
  Pacing = ATCP_LIMIT_PACING,
  Sndbuf = ATCP_LIMIT_SNDBUF,
  Device = ATCP_LIMIT_DEVICE,
  Recovery = ATCP_LIMIT_RECOVERY,
  ZeroWindow = ATCP_LIMIT_ZERO_WINDOW,
  DelayedAck = ATCP_LIMIT_DELAYED_ACK,
  Count_,
};
inline constexpr uint32_t kLimitCount = static_cast<uint32_t>(Limit::Count_);

/// Microseconds of the monotonic clock, which begins with the host, or between two of its readings. 48 bits
/// last for nine years. It is stored in two pieces: who reads without the lock takes a copy() of the whole. (A field of 48
/// bits would be read a byte at a time.)
class [[gnu::packed]] Us48 {
 public:
  uint64_t us() const { return static_cast<uint64_t>(high_) << 32 | low_; }
  void set(uint64_t us) {
    low_ = static_cast<uint32_t>(us);
    high_ = static_cast<uint16_t>(us >> 32);
  }

 private:
  uint32_t low_;
  uint16_t high_;
};
static_assert(sizeof(Us48) == 6);

/// The times of one connection. All zero: it was not opened yet. Time never runs backwards here: a reading from
/// before the last one (of another CPU, which had to wait for the lock) counts as that. Written under the socket lock.
class Life {
 public:
  /// As it is between two changes, for those without the lock. False: it was being changed all the time. A writer who does
  /// not get on (this CPU was interrupted in it) is waited for a little while only, and what is half done is in *out then.
  bool copy(Life* out) const;

  // ---- states ----
  /// Its first SYN was sent, or came, at that time.
  void open(uint64_t us) {
    const Change change(*this);
    opened_.set(us);
    state_since_.set(us);
  }
  bool opened() const { return opened_us() != 0; }
  uint64_t opened_us() const { return opened_.us(); }
  /// It leaves state `from` (enum atcp_state).
  void leave(uint32_t from, uint64_t now_us);
  /// put(s, us) for each state s (enum atcp_state) that it may have spent time in so far, five at most, each once, while it
  /// is in state `current`. None if that is CLOSED.
  template <class F>
  void in_states(uint32_t current, uint64_t now_us, F put) const;
  /// From the first SYN to ESTABLISHED; valid from then on.
  uint64_t handshake_us() const { return spent_[kSynSent].us() + spent_[kSynReceived].us(); }

  // ---- the split ----
  /// The split begins: with the state that it is in, or, early, because of a fast open, with the first SYN.
  void begin(bool early) {
    if (begun_) return;
    const Change change(*this);
    begun_ = true;
    early_ = early;
    since_.set(start_us());
  }
  /// The connection is over: its age grows no more.
  void end(uint64_t now_us);
  bool running() const { return begun_ && !ended_; }
  /// It waits for that from now on. The one writer of the shares.
  void switch_to(Limit to, uint64_t now_us);
  Limit by() const { return static_cast<Limit>(by_); }
  /// Since the split began; 0 before.
  uint64_t age_us(uint64_t now_us) const;
  /// All shares, with the running one; returns their sum. That is age_us(), but for a reader without the lock who saw a
  /// switch half done.
  uint64_t shares(uint64_t now_us, uint64_t out[kLimitCount]) const;

  // ---- what the split is decided by, beside the variables of RFC 9293 ----
  bool blocked : 1;  ///< the program waits for room in the send buffer
  bool stuck : 1;    ///< what should have gone last could not leave this host
  /// Why push() left data unsent. App: it did not, or the program holds it back.
  Limit stop() const { return static_cast<Limit>(stop_); }
  void stopped(Limit why) { stop_ = static_cast<uint8_t>(why); }

 private:
  /// While one of these is there, the times are being changed.
  class Change {
   public:
    explicit Change(Life& life) : life_(life) {
      turn();
      __atomic_thread_fence(__ATOMIC_RELEASE);
    }
    ~Change() {
      __atomic_thread_fence(__ATOMIC_RELEASE);
      turn();
    }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

   private:
    void turn() { store_relaxed(&life_.turn_, static_cast<uint8_t>(life_.turn_ + 1)); }

    Life& life_;
  };

  /// States that are followed by another one. ESTABLISHED is what is left between them.
  enum Kept { kSynSent, kSynReceived, kFirstFin, kKept };

  /// What is to be added to the running share.
  uint64_t since(uint64_t now_us) const { return ended_ ? 0 : elapsed(since_.us(), now_us); }
  static constexpr uint64_t elapsed(uint64_t since_us, uint64_t now_us) {
    return now_us > since_us ? now_us - since_us : 0;
  }
  /// The running share is added up.
  void settle(uint64_t now_us);
  uint64_t start_us() const { return early_ ? opened_us() : opened_us() + handshake_us(); }

  bool begun_ : 1;
  bool early_ : 1;
  bool ended_ : 1;
  uint8_t by_ : 4;
  uint8_t stop_ : 4;
  uint8_t turn_;  ///< atomic; odd: the times are being changed
  Us48 opened_;
  Us48 state_since_;
  Us48 since_;                   ///< it waits for by_ since then
  Us48 share_[kLimitCount - 1];  ///< without the running one; Limit::App has what is left
  Us48 spent_[kKept];
};
static_assert(sizeof(Life) == 87);

template <class F>
void Life::in_states(uint32_t current, uint64_t now_us, F put) const {
  if (!opened() || current == ATCP_STATE_CLOSED) return;
  put(current, elapsed(state_since_.us(), now_us));
  if (current != ATCP_STATE_SYN_SENT) put(ATCP_STATE_SYN_SENT, spent_[kSynSent].us());
  if (current != ATCP_STATE_SYN_RECEIVED) put(ATCP_STATE_SYN_RECEIVED, spent_[kSynReceived].us());
  // Before it ESTABLISHED is still to come.
  constexpr uint32_t kHandshake = 1u << ATCP_STATE_SYN_SENT | 1u << ATCP_STATE_SYN_RECEIVED;
  constexpr uint32_t kUpToEstablished = kHandshake | 1u << ATCP_STATE_ESTABLISHED;
  constexpr uint32_t kAfterFinWait1 = 1u << ATCP_STATE_FIN_WAIT2 | 1u << ATCP_STATE_CLOSING;
  const uint32_t now_in = 1u << current;
  if ((now_in & kUpToEstablished) != 0) return;
  const uint64_t first_fin_us = spent_[kFirstFin].us();
  put(ATCP_STATE_ESTABLISHED,
      elapsed(opened_us() + handshake_us() + first_fin_us, state_since_.us()));
  if ((now_in & kAfterFinWait1) != 0) put(ATCP_STATE_FIN_WAIT1, first_fin_us);
  if (current == ATCP_STATE_LAST_ACK) put(ATCP_STATE_CLOSE_WAIT, first_fin_us);
}

}  // namespace atcp

#endif  // ATCP_CONN_LIMITS_H
