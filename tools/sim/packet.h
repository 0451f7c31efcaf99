// SPDX-License-Identifier: GPL-2.0
//
// What travels, and what queues hold: a header as the core wrote it and a count of payload bytes that do not exist. The
// same object serves as a piece of a send queue, where the core has its two links and its 48 bytes.
#ifndef ATCP_SIM_PACKET_H
#define ATCP_SIM_PACKET_H

#include <cstddef>
#include <memory>
#include <vector>

#include "abi/atcp_os.h"
#include "events.h"

namespace atcp::sim {

/// The codepoints of RFC 3168 5.
enum Ecn : uint8_t { kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3 };

constexpr uint32_t kIpHeader = 20;
constexpr uint32_t kMaxTcpHeader = 60;

struct Packet {
  uint8_t links[ATCP_PKT_LINKS_BEFORE];
  atcp_pkt pkt;
  uint32_t len;       ///< payload bytes
  uint32_t truesize;  ///< memory that it would take in a kernel
  bool held;          ///< charged to its receiver
  // On the wire.
  uint8_t ecn;  ///< enum Ecn
  uint8_t hdr_len;
  uint16_t segs;  ///< wire segments that are merged here
  uint16_t ip_id;
  uint16_t from, to;  ///< indices of hosts
  uint32_t laddr, raddr;
  Nanos when;    ///< in a queue: since when; on a link: when it arrives
  Packet* next;  ///< of whatever list it is in
  uint8_t hdr[kMaxTcpHeader];

  static Packet& of(atcp_pkt* p) {
    return *reinterpret_cast<Packet*>(reinterpret_cast<uint8_t*>(p) - ATCP_PKT_LINKS_BEFORE);
  }
  uint32_t wire_bytes() const { return kIpHeader + hdr_len + len; }
  uint8_t flags() const { return hdr[13]; }
  /// Nothing but an acknowledgement.
  bool pure_ack() const {
    return len == 0 && (flags() & (ATCP_SYN | ATCP_FIN | ATCP_RST | ATCP_ACK)) == ATCP_ACK;
  }
};
static_assert(offsetof(Packet, pkt) == ATCP_PKT_LINKS_BEFORE);

/// Memory for packets, given back all at once.
class PacketPool {
 public:
  /// Everything zero but the bytes of the header.
  Packet* get();
  void put(Packet* p) {
    p->next = free_;
    free_ = p;
    live_--;
  }
  uint64_t live() const { return live_; }

 private:
  static constexpr size_t kSlab = 1024;
  std::vector<std::unique_ptr<Packet[]>> slabs_;
  size_t used_ = kSlab;
  Packet* free_ = nullptr;
  uint64_t live_ = 0;
};

/// First in, first out.
struct PacketList {
  Packet* head = nullptr;
  Packet* tail = nullptr;

  bool empty() const { return head == nullptr; }
  void push(Packet* p) {
    p->next = nullptr;
    (tail != nullptr ? tail->next : head) = p;
    tail = p;
  }
  Packet* pop() {
    Packet* p = head;
    head = p->next;
    if (head == nullptr) tail = nullptr;
    return p;
  }
};

uint32_t load_be32(const uint8_t* p);
void store_be32(uint8_t* p, uint32_t v);
uint16_t load_be16(const uint8_t* p);
void store_be16(uint8_t* p, uint16_t v);

}  // namespace atcp::sim

#endif  // ATCP_SIM_PACKET_H
