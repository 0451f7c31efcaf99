// SPDX-License-Identifier: GPL-2.0
//
// A capture file as tcpdump and Wireshark read it: IP and TCP headers of every segment at one host's network card, in both
// directions, with nanoseconds. Payload is cut off (snap length); checksums are right for payload of zeros.
#ifndef ATCP_SIM_PCAP_H
#define ATCP_SIM_PCAP_H

#include <cstdio>
#include <string>

#include "packet.h"

namespace atcp::sim {

class PcapWriter {
 public:
  /// std::runtime_error if the file cannot be written.
  explicit PcapWriter(const std::string& path);
  ~PcapWriter();
  PcapWriter(const PcapWriter&) = delete;
  PcapWriter& operator=(const PcapWriter&) = delete;
  void write(const Packet& p, Nanos now);

 private:
  FILE* file_;
};

}  // namespace atcp::sim

#endif  // ATCP_SIM_PCAP_H
