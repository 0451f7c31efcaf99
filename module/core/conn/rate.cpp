// SPDX-License-Identifier: GPL-2.0
//
// Samples of the delivery rate.
#include "conn/rate.h"

#include "conn/tcb.h"

namespace atcp {

namespace {

constexpr uint64_t kLongAgoUs = 1ull << 30;
constexpr uint32_t kMost = 0xffff;  ///< what a piece can remember of a number of segments

uint32_t low(uint64_t us) {
  return static_cast<uint32_t>(us);
}

}  // namespace

void rate_sent(Tcb& t, TxSeg& s, uint32_t segs, uint64_t now_us) {
  // 4.1.2.2: a flight begins, so no time before it counts.
  Rate& r = t.rate;
  if (t.packets_out == 0) r.first_sent_us = r.delivered_us = low(now_us);
  TxFront& f = front_of(s);
  f.delivered = r.delivered;
  f.delivered_us = r.delivered_us;
  f.first_sent_us = r.first_sent_us;
  f.lost = static_cast<uint16_t>(r.lost);
  f.tx_in_flight = static_cast<uint16_t>(min(t.in_flight() + segs, kMost));
  s.flags = static_cast<uint8_t>(r.app_limited != 0 ? s.flags | TxSeg::kAppLimited
                                                    : s.flags & ~TxSeg::kAppLimited);
}

void rate_delivered(Tcb& t, const TxSeg& s, AckSample& a) {
  // 4.1.2.3: of all that this ACK reports, what was sent last has the newest knowledge.
  const TxFront& f = front_of(s);
  if (a.rate_seen &&
      (s.sent_us < a.rate_sent_us || (s.sent_us == a.rate_sent_us && s.end() <= a.rate_end)))
    return;
  a.rate_seen = true;
  a.rate_sent_us = s.sent_us;
  a.rate_end = s.end();
  a.prior_delivered = f.delivered;
  a.prior_delivered_us = f.delivered_us;
  a.app_limited = s.has(TxSeg::kAppLimited);
  a.tx_in_flight = f.tx_in_flight;
  a.tx_lost = static_cast<uint16_t>(static_cast<uint16_t>(t.rate.lost) - f.lost);
  a.send_us = low(s.sent_us) - f.first_sent_us;
  t.rate.first_sent_us = low(s.sent_us);
}

void rate_sample(Tcb& t, AckSample& a) {
  Rate& r = t.rate;
  const uint32_t segs = a.acked + a.sacked;
  if (segs != 0) {
    r.delivered += segs;
    r.delivered_us = low(a.now_us);
  }
  if (r.app_limited != 0 && static_cast<int32_t>(r.delivered - r.app_limited) > 0)
    r.app_limited = 0;
  if (!a.rate_seen) return;
  // Times have 32 bits: after a closed window of more than an hour they say nothing.
  if (a.now_us - a.rate_sent_us > kLongAgoUs) return;
  // The slower of sending and acknowledging: ACKs that come in a bunch say nothing of the path.
  const uint32_t ack_us = r.delivered_us - a.prior_delivered_us;
  a.rate_us = max(a.send_us, ack_us);
  a.rate_segs = r.delivered - a.prior_delivered;
  // Faster than the path can answer: a retransmission that was taken for what it repeats.
  if (a.rate_us == 0 || a.rate_us < t.rtt.min_rtt_us()) {
    a.rate_segs = a.rate_us = 0;
    return;
  }
  const bool faster = static_cast<uint64_t>(a.rate_segs) * r.shown_us >=
                      static_cast<uint64_t>(r.shown_segs) * a.rate_us;
  if (a.app_limited && !faster) return;
  r.shown_segs = a.rate_segs;
  r.shown_us = a.rate_us;
  r.shown_app_limited = a.app_limited;
}

void rate_check_app_limited(Tcb& t) {
  // 4.1.2.4.
  const bool nothing_waits = t.send_head == nullptr && t.lost_list.empty();
  if (!nothing_waits || t.in_flight() >= t.cc.cwnd) return;
  t.rate.app_limited = max(t.rate.delivered + t.in_flight(), 1u);
}

}  // namespace atcp
