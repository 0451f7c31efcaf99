// SPDX-License-Identifier: GPL-2.0
//
// Bytes to values and back: the TCP header of RFC 9293 3.1 and the options MSS, window scale,
// timestamps (RFC 7323), SACK-permitted and SACK (RFC 2018), fast open (RFC 7413). Every length is checked here; after
// parse_segment() nothing else looks at bytes of a header.
#ifndef ATCP_WIRE_SEGMENT_H
#define ATCP_WIRE_SEGMENT_H

#include "base/ip.h"
#include "base/seq.h"
#include "base/types.h"

namespace atcp {

/// Codepoints of the IP header (RFC 3168 5).
inline constexpr uint32_t kNotEct = 0;
inline constexpr uint32_t kEct1 = 1;
inline constexpr uint32_t kEct0 = 2;
inline constexpr uint32_t kCe = 3;

inline constexpr uint32_t kMinHeader = 20;
inline constexpr uint32_t kMaxHeader = 60;
/// Payload that an IP packet of so many bytes has room for, no option of IP or TCP counted.
constexpr uint32_t payload_room(uint32_t mtu, uint32_t family) {
  const uint32_t headers = ip_header_bytes(family) + kMinHeader;
  return mtu > headers ? mtu - headers : 0;
}
inline constexpr uint32_t kMaxWscale = 14;      ///< RFC 7323 2.3
inline constexpr uint32_t kTsOptionBytes = 12;  ///< timestamps with two NOPs before
inline constexpr uint32_t kMaxSackBlocks = 4;
inline constexpr uint32_t kMinFastopenCookie = 4;   ///< RFC 7413 4.1.1
inline constexpr uint32_t kMaxFastopenCookie = 16;  ///< of an even number of bytes

using FastopenCookie = atcp_fastopen_cookie;

/// See atcp_core_parse. *out is cleared first and filled only if the answer is ATCP_REASON_NONE; the
/// port sets its own fields (truesize, segs, ecn) afterwards.
///
/// Dropped here: SYN with FIN, and segments with none of SYN, ACK, RST, FIN. SYN with RST passes: the
/// RST counts, as it is looked at before the SYN in every state of RFC 9293 3.10.7, and the options
/// of a SYN are not read.
///
/// Options after a malformed one are not looked at (has gets ATCP_OPT_MALFORMED); unknown ones, and
/// known ones of a wrong length, are skipped by their length. MSS, window scale, SACK-permitted and
/// fast open count only in a SYN; an MSS of 0 is none.
uint32_t parse_segment(const uint8_t* hdr, uint32_t avail, uint32_t total, atcp_seg* out);

struct SackBlock {
  Seq start;
  Seq end;
};

/// The values of a header to send.
struct Header {
  uint16_t lport = 0;  ///< network order
  uint16_t rport = 0;  ///< network order
  Seq seq;
  Seq ack;           ///< written only with ATCP_ACK
  uint16_t wnd = 0;  ///< as it stands in the header
  uint16_t urg = 0;
  uint8_t flags = 0;
  uint8_t n_sack = 0;
  bool has_ts = false;
  uint32_t tsval = 0;
  uint32_t tsecr = 0;
  // SYN only
  uint16_t mss = 0;  ///< 0: no option
  bool has_wscale = false;
  uint8_t wscale = 0;
  bool sack_ok = false;
  bool has_fastopen = false;     ///< left out if there is no room for it
  FastopenCookie fastopen = {};  ///< empty: asks for one
  SackBlock sack[kMaxSackBlocks] = {};
};

/// Bytes that write_header will use.
uint32_t header_bytes(const Header& h);
/// Write at most kMaxHeader bytes and return how many. The checksum field is zero, options are padded
/// with NOPs to whole words, those of a SYN are written only with ATCP_SYN. n_sack is cut to what
/// fits beside the other options.
uint32_t write_header(const Header& h, uint8_t* out);
inline constexpr uint32_t kSackBlockBytes = 8;
/// What so many SACK blocks make a header longer by, padding included.
constexpr uint32_t sack_option_bytes(uint32_t blocks) {
  return blocks == 0 ? 0 : 4 + blocks * kSackBlockBytes;
}
/// SACK blocks that fit beside timestamps or without them.
constexpr uint32_t sack_room(bool has_ts) {
  return has_ts ? 3 : 4;
}

}  // namespace atcp

#endif  // ATCP_WIRE_SEGMENT_H
