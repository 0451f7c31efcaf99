// SPDX-License-Identifier: GPL-2.0
//
// IPv4 and IPv6 as far as TCP sees a difference: an address of either as a value, and the few sizes that
// depend on the family.
#ifndef ATCP_BASE_IP_H
#define ATCP_BASE_IP_H

#include "base/types.h"

namespace atcp {

/// The least MTU of a link that carries IPv6 (RFC 8200 5).
inline constexpr uint32_t kLeastIp6Mtu = 1280;

/// The IP header without options or extension headers, bytes.
constexpr uint32_t ip_header_bytes(uint32_t family) {
  return family == ATCP_AF_INET6 ? 40 : 20;
}

/// What a peer that names no MSS can take, bytes (RFC 9293 3.7.1, MUST-15).
constexpr uint16_t default_mss(uint32_t family) {
  return family == ATCP_AF_INET6 ? 1220 : 536;
}

/// An address of either family, to be compared. Of IPv4 only the first word is used.
struct IpAddr {
  uint64_t w[2] = {};
  uint16_t family = ATCP_AF_INET;

  IpAddr() = default;
  /// IPv4, network order. Implicit: a number is nothing else.
  IpAddr(uint32_t v4) : w{v4, 0} {}
  IpAddr(uint16_t of, const atcp_ip& ip) : family(of) {
    if (of == ATCP_AF_INET6)
      memcpy(w, ip.v6, sizeof(w));
    else
      w[0] = ip.v4;
  }
  bool any() const { return (w[0] | w[1]) == 0; }
  bool operator==(const IpAddr& o) const {
    return w[0] == o.w[0] && w[1] == o.w[1] && family == o.family;
  }
  atcp_ip ip() const {
    atcp_ip out = {};
    if (family == ATCP_AF_INET6)
      memcpy(out.v6, w, sizeof(w));
    else
      out.v4 = static_cast<uint32_t>(w[0]);
    return out;
  }
};

/// Both ends of a tuple have one address.
inline bool same_host(const atcp_tuple& t) {
  return IpAddr(t.family, t.laddr) == IpAddr(t.family, t.raddr);
}

}  // namespace atcp

#endif  // ATCP_BASE_IP_H
