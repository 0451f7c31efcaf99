// SPDX-License-Identifier: GPL-2.0
//
// Packetization-layer path MTU discovery (RFC 4821; RFC 8899 by analogy), as far as Linux has it: parameter mtu_probing,
// off by default, 1 once a black hole shows, 2 from the start. A probe is a segment of the stream that is larger than
// the others; sent again, it is cut as they are.
//
// Deviation: a size is tried once, as RFC 4821 has it, not MAX_PROBES times (RFC 8899 5.1.2); after a failure the next probe
// waits for about as long as a loss by congestion would take to come (RFC 4821 7.6.2, which Linux leaves out).
#include "conn/mtu_probe.h"

#include "conn/tcb.h"

namespace atcp {

void MtuSearch::begin(uint32_t low, uint32_t high, uint64_t now_us) {
  on_ = true;
  high_ = static_cast<uint16_t>(min(high, 65535u));
  low_ = static_cast<uint16_t>(min(low, static_cast<uint32_t>(high_)));
  size_ = 0;
  learnt_us_ = now_us;
}

void MtuSearch::stop() {
  on_ = false;
  size_ = 0;
}

void MtuSearch::limit(uint32_t pmtu) {
  if (pmtu >= high_) return;
  high_ = static_cast<uint16_t>(pmtu);
  low_ = min(low_, high_);
}

uint32_t MtuSearch::next(uint32_t threshold) const {
  // RFC 4821 7.3: the middle of what is left.
  const uint32_t range = static_cast<uint32_t>(high_) - low_;
  if (high_ <= low_ || range < max(threshold, 1u)) return 0;
  return low_ + (range + 1) / 2;
}

void MtuSearch::sent(uint32_t size, Seq start, Seq end) {
  size_ = static_cast<uint16_t>(size);
  start_ = start;
  end_ = end;
}

void MtuSearch::arrived(uint64_t now_us) {
  low_ = max(low_, size_);
  high_ = max(low_, high_);
  size_ = 0;
  learnt_us_ = now_us;
}

void MtuSearch::failed(uint64_t now_us, uint64_t pause_us) {
  if (size_ <= high_) high_ = max(low_, static_cast<uint16_t>(size_ - 1));
  learnt_us_ = now_us;
  unclear(now_us, pause_us);
}

void MtuSearch::unclear(uint64_t now_us, uint64_t pause_us) {
  size_ = 0;
  not_before_us_ = now_us + pause_us;
}

namespace {

constexpr uint32_t kMinWindow = 11;  ///< segments: below that a lost probe costs too much

/// IP and TCP without options.
uint32_t headers(const Tcb& t) {
  return ip_header_bytes(t.family) + kMinHeader;
}

/// Bytes of a data segment that are not payload.
uint32_t overhead(const Tcb& t) {
  return headers(t) + t.ip_options + (t.ts_ok ? kTsOptionBytes : 0);
}

/// The packet that carries so much payload; but no path of IPv6 is narrower than its least MTU (RFC 8200 5, RFC 4821 7.2).
uint32_t packet_of(const Tcb& t, uint32_t mss) {
  const uint32_t size = mss + overhead(t);
  return t.family == ATCP_AF_INET6 ? max(size, kLeastIp6Mtu) : size;
}

/// The largest packet that neither the route nor the peer nor the program forbids (RFC 4821 7.2).
uint32_t highest(const Tcb& t, uint32_t pmtu) {
  const uint32_t mss = t.user_mss != 0 ? min(t.peer_mss, t.user_mss) : t.peer_mss;
  return min(pmtu, mss + headers(t));
}

/// Some time after the end of a search the path may have become another one (RFC 4821 7.3): from what works now upwards.
void search_again(Tcb& t, Now now) {
  const uint64_t interval_us = static_cast<uint64_t>(t.param(Param::ProbeInterval)) * 1000000;
  if (t.mtu.quiet_us(now.us) < interval_us) return;
  atcp_route route;
  const uint32_t pmtu = atcp_os_conn_route(t.conn(), &route) ? route.mtu : t.pmtu;
  t.mtu.begin(t.mtu.low(), highest(t, pmtu), now.us);
  update_mss(t, pmtu);
}

/// About as long as a window takes to lose something to congestion: that many round trips as it has segments.
uint64_t congestion_epoch_us(const Tcb& t, uint32_t cwnd) {
  return static_cast<uint64_t>(t.rtt.srtt_us()) * cwnd;
}

/// After the search lets segments be larger.
void take_larger_mss(Tcb& t) {
  const uint32_t old = t.mss;
  update_mss(t, t.pmtu);
  if (t.mss <= old) return;
  // cwnd counts segments, but what it means is bytes.
  t.cc.cwnd = max(static_cast<uint32_t>(static_cast<uint64_t>(t.cc.cwnd) * old / t.mss), 1u);
  t.cc.cwnd_cnt = 0;
}

}  // namespace

void mtu_probe_begin(Tcb& t, Now now) {
  if (t.param(Param::MtuProbing) < 2) return;
  t.mtu.begin(packet_of(t, t.param(Param::BaseMss)), highest(t, t.pmtu), now.us);
  update_mss(t, t.pmtu);
}

void mtu_probe_black_hole(Tcb& t, Now now) {
  // RFC 4821 7.7, RFC 8899 4.3: full segments vanish and nobody says why.
  if (t.param(Param::MtuProbing) == 0 || !in(t.state, kSynchronized)) return;
  if (!t.mtu.on()) {
    t.mtu.begin(packet_of(t, t.param(Param::BaseMss)), highest(t, t.pmtu), now.us);
  } else {
    const uint32_t base = t.param(Param::BaseMss);
    const uint32_t least = max(t.param(Param::MtuProbeFloor), t.param(Param::MinSndMss));
    const uint32_t mss = t.mtu.low() > overhead(t) ? t.mtu.low() - overhead(t) : 0;
    t.mtu.lower(packet_of(t, max(min(mss / 2, base), least)));
  }
  const uint32_t old = t.mss;
  update_mss(t, t.pmtu);
  if (t.mss < old) mss_fell(t, false);
}

uint32_t mtu_probe_bytes(Tcb& t, const TxSeg& s, uint32_t quota, Now now) {
  // RFC 4821 7.4.
  if (!t.mtu.on() || t.mtu.outstanding() || t.ca_state != CaState::Open || t.sacked_out != 0 ||
      t.cc.cwnd < kMinWindow || t.mtu.waits(now.us) || t.urgent.sending() || t.dsack_pending ||
      !t.ofo.empty())
    return 0;
  const uint32_t size = t.mtu.next(t.param(Param::ProbeThreshold));
  if (size == 0) {
    search_again(t, now);
    return 0;
  }
  const uint32_t bytes = size - overhead(t);
  if (bytes <= t.mss || s.len < bytes || segs_of(bytes, t.mss) > quota) return 0;
  // Enough behind it to show by duplicate ACKs that it is lost.
  const Seq end = s.seq + bytes + (t.reordering + 1) * t.mss;
  return end <= t.write_seq && end <= t.snd_wnd_end() ? bytes : 0;
}

void mtu_probe_sent(Tcb& t, const TxSeg& s) {
  t.mtu.sent(s.len + overhead(t), s.seq, s.end());
}

void mtu_probe_refused(Tcb& t, Now now) {
  // Nobody knows that the size was why; a pause of at least something, or the next attempt would be now.
  t.mtu.unclear(now.us, max<uint64_t>(congestion_epoch_us(t, t.cc.cwnd), 1));
}

void mtu_probe_acked(Tcb& t, Now now) {
  if (!t.mtu.outstanding() || t.snd_una < t.mtu.end()) return;
  t.count(Counter::TCPMTUPSuccess);
  t.mtu.arrived(now.us);
  take_larger_mss(t);
}

void mtu_probe_changed(Tcb& t, Now now) {
  if (!in(t.state, kSynchronized) || t.state == State::SynReceived) return;
  if (t.param(Param::MtuProbing) == 0 && t.mtu.on()) {
    t.mtu.stop();
    take_larger_mss(t);
  } else if (!t.mtu.on()) {
    const uint32_t old = t.mss;
    mtu_probe_begin(t, now);
    if (t.mss < old) mss_fell(t, false);
  }
}

bool mtu_probe_lost(Tcb& t, Now now) {
  if (!t.mtu.outstanding() || t.snd_una != t.mtu.start() || in(t.ca_state, kReducingStates))
    return false;
  TxSeg* head = t.tx.first();
  if (head == nullptr || !head->has(TxSeg::kLost) || t.lost_out != head->segs) return false;
  // RFC 4821 7.6.2: nothing else is lost, so it was too large, and nothing is said about congestion.
  t.count(Counter::TCPMTUPFail);
  const Seq end = t.mtu.end();
  t.mtu.failed(now.us, congestion_epoch_us(t, t.cc.cwnd));
  if (!t.sack_ok) t.sacked_out = 0;
  const uint32_t to_congestion = t.rate.lost - head->segs;  // whoever found it lost has counted it
  for (TxSeg* s = head; s != nullptr && s->seq < end; s = Treap<TxSeg>::next(s))
    mark_lost(t, *s);
  t.rate.lost = to_congestion;
  resend_at_once(t);
  return true;
}

void mtu_probe_unclear(Tcb& t, Now now) {
  // RFC 4821 7.6.3, 7.6.4: something is being sent again, so an ACK tells nothing any more.
  if (!t.mtu.outstanding()) return;
  const bool timeout = t.ca_state == CaState::Loss;
  t.mtu.unclear(now.us, timeout ? 5 * congestion_epoch_us(t, t.prior_cwnd) : 0);
}

}  // namespace atcp
