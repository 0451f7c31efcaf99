// SPDX-License-Identifier: GPL-2.0
//
// The pool of packets, and numbers in network order.
#include "packet.h"

#include <cstring>

namespace atcp::sim {

Packet* PacketPool::get() {
  Packet* p = free_;
  if (p != nullptr) {
    free_ = p->next;
  } else {
    if (used_ == kSlab) {
      slabs_.push_back(std::make_unique_for_overwrite<Packet[]>(kSlab));
      used_ = 0;
    }
    p = &slabs_.back()[used_++];
  }
  memset(static_cast<void*>(p), 0, offsetof(Packet, hdr));
  live_++;
  return p;
}

uint32_t load_be32(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) << 24 | static_cast<uint32_t>(p[1]) << 16 |
         static_cast<uint32_t>(p[2]) << 8 | p[3];
}

void store_be32(uint8_t* p, uint32_t v) {
  p[0] = static_cast<uint8_t>(v >> 24);
  p[1] = static_cast<uint8_t>(v >> 16);
  p[2] = static_cast<uint8_t>(v >> 8);
  p[3] = static_cast<uint8_t>(v);
}

uint16_t load_be16(const uint8_t* p) {
  return static_cast<uint16_t>(p[0] << 8 | p[1]);
}

void store_be16(uint8_t* p, uint16_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}

}  // namespace atcp::sim
