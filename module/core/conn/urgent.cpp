// SPDX-License-Identifier: GPL-2.0
//
// Where the urgent pointers point, and the sixth check of RFC 9293 3.10.7.4 that feeds the receiving one.
#include "conn/urgent.h"

#include "conn/tcb.h"

namespace atcp {

namespace {

constexpr uint32_t kReach = 0xffff;  ///< of the 16 bits in the header

}  // namespace

void Urgent::point(Header& h, Seq snd_nxt) const {
  // RFC 9293 3.8.5 (MUST-31): urgent data may be longer than the pointer reaches.
  if (!sending_ || h.seq >= snd_up_) return;
  const uint32_t away = bytes_between(h.seq, snd_up_);
  if (away > kReach && h.seq + kReach <= snd_nxt) return;
  h.flags |= ATCP_URG;
  h.urg = static_cast<uint16_t>(min(away, kReach));
}

bool Urgent::announce(Seq octet, Seq copied, Seq rcv_nxt) {
  // RFC 9293 3.8.5 (MUST-32).
  if (octet < copied || octet < rcv_nxt) return false;
  if (state_ != ATCP_URGENT_NONE && octet <= rcv_up_) return false;
  rcv_up_ = octet;
  state_ = ATCP_URGENT_AWAITED;
  return true;
}

bool Urgent::finds(Seq seq, uint32_t len, uint32_t* offset) const {
  if (!awaited() || rcv_up_ < seq) return false;
  *offset = bytes_between(seq, rcv_up_);
  return *offset < len;
}

atcp_urgent Urgent::take(bool keep, uint8_t* octet) {
  const atcp_urgent was = state();
  if (was != ATCP_URGENT_HERE) return was;
  *octet = byte_;
  if (!keep) state_ = ATCP_URGENT_READ;
  return was;
}

Seq urgent_octet(const atcp_seg& seg, bool literal) {
  const uint32_t ahead = literal || seg.urg == 0 ? seg.urg : seg.urg - 1u;
  return Seq(seg.seq) + ahead;
}

void urgent_input(Tcb& t, const atcp_seg& seg, const atcp_pkt* pkt) {
  // RFC 9293 3.10.7.4, sixth check; in the other states it "should not occur".
  if (!in(t.state, kReceiveStates)) return;
  Urgent& u = t.urgent;
  if ((seg.flags & ATCP_URG) != 0) {
    const bool at_old = u.state() != ATCP_URGENT_NONE && u.octet() == t.copied_seq;
    const Seq octet = urgent_octet(seg, t.param(Param::Stdurg) != 0);
    if (u.announce(octet, t.copied_seq, t.rcv_nxt)) {
      // There is one mark only. A program that stands at the old one has seen its byte, or will not: it must not
      // become part of the stream now.
      if (at_old && t.copied_seq != t.rcv_nxt && atcp_os_rx_drop_first(t.conn())) t.copied_seq += 1;
      atcp_os_conn_event(t.conn(), ATCP_EV_URGENT);
    }
  }
  uint32_t offset = 0;
  if (!u.finds(Seq(seg.seq), seg.len, &offset)) return;
  // From whatever segment has it, in order or not, and though the window be closed for the rest (RFC 9293 3.4,
  // MUST-66).
  u.arrived(atcp_os_pkt_byte(pkt, offset));
  atcp_os_conn_event(t.conn(), ATCP_EV_URGENT_BYTE);
}

}  // namespace atcp
