// SPDX-License-Identifier: GPL-2.0
//
// Writing captures: the classic format with nanoseconds, link type "raw IP".
#include "pcap.h"

#include <cstring>
#include <stdexcept>

namespace atcp::sim {

namespace {

constexpr uint32_t kMagicNanos = 0xa1b23c4d;
constexpr uint32_t kRawIp = 101;
constexpr uint32_t kSnapLen = kIpHeader + kMaxTcpHeader;
constexpr uint8_t kTcp = 6;

/// RFC 1071.
uint32_t add(uint32_t sum, const uint8_t* p, size_t n) {
  for (size_t i = 0; i + 1 < n; i += 2)
    sum += load_be16(p + i);
  return sum;
}

uint16_t fold(uint32_t sum) {
  while (sum >> 16 != 0)
    sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

}  // namespace

PcapWriter::PcapWriter(const std::string& path) : file_(fopen(path.c_str(), "wb")) {
  if (file_ == nullptr) throw std::runtime_error("cannot write " + path);
  struct {
    uint32_t magic = kMagicNanos;
    uint16_t major = 2, minor = 4;
    uint32_t zone = 0, accuracy = 0, snap = kSnapLen, link = kRawIp;
  } header;
  static_assert(sizeof header == 24);
  fwrite(&header, sizeof header, 1, file_);
}

PcapWriter::~PcapWriter() {
  fclose(file_);
}

void PcapWriter::write(const Packet& p, Nanos now) {
  uint8_t b[kSnapLen] = {};
  uint8_t* tcp = b + kIpHeader;
  const uint32_t total = p.wire_bytes();
  b[0] = 0x45;
  b[1] = p.ecn;
  store_be16(b + 2, static_cast<uint16_t>(total));
  store_be16(b + 4, p.ip_id);
  b[6] = 0x40;  // DF
  b[8] = 64;
  b[9] = kTcp;
  memcpy(b + 12, &p.laddr, 4);
  memcpy(b + 16, &p.raddr, 4);
  store_be16(b + 10, fold(add(0, b, kIpHeader)));
  memcpy(tcp, p.hdr, p.hdr_len);
  const uint32_t pseudo = add(0, b + 12, 8) + kTcp + p.hdr_len + p.len;
  store_be16(tcp + 16, fold(add(pseudo, tcp, p.hdr_len)));
  const uint64_t t = now - kEpoch;
  const uint32_t record[4] = {static_cast<uint32_t>(t / kSec), static_cast<uint32_t>(t % kSec),
                              kIpHeader + p.hdr_len, total};
  fwrite(record, sizeof record, 1, file_);
  fwrite(b, record[2], 1, file_);
}

}  // namespace atcp::sim
