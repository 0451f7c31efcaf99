// SPDX-License-Identifier: GPL-2.0
//
// Congestion control: the interface between the engine and an algorithm. The engine owns loss
// detection and says what happened; the algorithm owns cwnd and ssthresh. An algorithm sees
// CcState and the sample of one ACK, never the connection. Integer arithmetic only.
#ifndef ATCP_CC_CC_OPS_H
#define ATCP_CC_CC_OPS_H

#include "base/types.h"

namespace atcp {

/// Words an algorithm may use as it likes.
inline constexpr uint32_t kCcPrivWords = 8;
inline constexpr uint32_t kSsthreshInfinite = 0x7fffffff;

/// The algorithm's half of a connection. cwnd and ssthresh count segments (of the sender's MSS).
/// Lock: conn.
struct CcState {
  uint32_t cwnd;
  uint32_t ssthresh;
  uint32_t cwnd_cnt;  ///< what the algorithm has towards the next segment of cwnd, in its own unit
  uint32_t cwnd_clamp;  ///< never above
  uint64_t priv[kCcPrivWords];
};

/// What one ACK brought.
struct CcAck {
  uint64_t now_us;
  uint32_t acked;      ///< segments newly acknowledged or SACKed
  uint32_t in_flight;  ///< segments in the network before this ACK
  uint32_t rtt_us;     ///< sample of this ACK, 0 if there is none
  uint32_t srtt_us;
  uint32_t min_rtt_us;
  bool cwnd_limited;  ///< the window, not the program or the peer, limited what was sent
};

enum class CcEvent : uint8_t {
  TxStart,        ///< first segment after idle
  EnterRecovery,  ///< fast retransmit; ssthresh() was called
  ExitRecovery,   ///< recovery ended normally: cwnd is ssthresh
  Timeout,        ///< RTO; ssthresh() was called, cwnd will be 1
  Undo,           ///< the reduction was spurious and has been undone
};

/// One algorithm. Checked by cc_register: name, init, ssthresh and on_ack are required.
struct CcOps {
  const char* name;  ///< at most 15 characters
  bool restricted;   ///< needs privilege unless it is the namespace's default
  /// required: cwnd, ssthresh, clamp are set; priv is zero
  void (*init)(CcState& s, uint64_t now_us);
  /// required: the new ssthresh after loss, >= 2
  uint32_t (*ssthresh)(CcState& s, uint64_t now_us);
  /// required: grow (or not); called for ACKs outside recovery
  void (*on_ack)(CcState& s, const CcAck& a);
  /// optional
  void (*on_event)(CcState& s, CcEvent e, uint64_t now_us);
};

}  // namespace atcp

#endif  // ATCP_CC_CC_OPS_H
