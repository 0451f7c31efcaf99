// SPDX-License-Identifier: GPL-2.0
//
// The parser and the writer of TCP headers. The parser believes nothing: each byte is read only
// after its place was compared with the length in hand, and a value that cannot be is either a
// reason to drop the segment or an option that is not there. What the values mean to a connection
// is decided elsewhere; checksums are the port's.
#include "wire/segment.h"

#include <linux/atcp.h>

namespace atcp {

namespace {

// Option kinds (RFC 9293 3.1, RFC 2018, RFC 7323) and their whole lengths.
constexpr uint8_t kEol = 0;
constexpr uint8_t kNop = 1;
constexpr uint8_t kMss = 2;
constexpr uint8_t kWscale = 3;
constexpr uint8_t kSackOk = 4;
constexpr uint8_t kSack = 5;
constexpr uint8_t kTs = 8;
constexpr uint8_t kFastopen = 34;

constexpr uint32_t kMssBytes = 4;
constexpr uint32_t kWscaleBytes = 3;
constexpr uint32_t kSackOkBytes = 2;
constexpr uint32_t kTsBytes = 10;
constexpr uint32_t kSackHeadBytes = 2;
constexpr uint32_t kFastopenHeadBytes = 2;

constexpr uint32_t kMaxOptions = kMaxHeader - kMinHeader;

// One option whose `bytes` bytes at p (kind and length included) are all there. A known kind with
// a length that is not its own is passed over like an unknown one.
void parse_option(const uint8_t* p, uint32_t bytes, bool syn, atcp_seg* out) {
  switch (p[0]) {
    case kMss:
      // Zero would stop the sender for good: no option (as Linux).
      if (syn && bytes == kMssBytes && read_be16(p + 2) != 0) {
        out->mss = read_be16(p + 2);
        out->has |= ATCP_OPT_MSS;
      }
      break;
    case kWscale:
      if (syn && bytes == kWscaleBytes) {
        // RFC 7323 2.3: a larger shift is used as if it were 14.
        out->wscale = min<uint8_t>(p[2], kMaxWscale);
        out->has |= ATCP_OPT_WSCALE;
      }
      break;
    case kSackOk:
      if (syn && bytes == kSackOkBytes) out->has |= ATCP_OPT_SACK_OK;
      break;
    case kSack: {
      const uint32_t body = bytes - kSackHeadBytes;
      const uint32_t n = body / kSackBlockBytes;
      // The upper bound holds in any header; it is here so that it need not be believed.
      if (body % kSackBlockBytes != 0 || n == 0 || n > kMaxSackBlocks) break;
      for (uint32_t i = 0; i < n; i++) {
        out->sack[i].start = read_be32(p + kSackHeadBytes + i * kSackBlockBytes);
        out->sack[i].end = read_be32(p + kSackHeadBytes + i * kSackBlockBytes + 4);
      }
      out->n_sack = static_cast<uint8_t>(n);
      out->has |= ATCP_OPT_SACK;
      break;
    }
    case kTs:
      if (bytes == kTsBytes) {
        out->tsval = read_be32(p + 2);
        out->tsecr = read_be32(p + 6);
        out->has |= ATCP_OPT_TS;
      }
      break;
    case kFastopen: {
      const uint32_t body = bytes - kFastopenHeadBytes;
      const bool cookie = body >= kMinFastopenCookie && body <= kMaxFastopenCookie && body % 2 == 0;
      if (!syn || (body != 0 && !cookie)) break;
      out->fastopen.len = static_cast<uint8_t>(body);
      memcpy(out->fastopen.bytes, p + kFastopenHeadBytes, body);
      out->has |= ATCP_OPT_FASTOPEN;
      break;
    }
    default:
      break;
  }
}

// RFC 9293 3.1: `left` bytes of options at p. Of an option that comes twice the last one counts.
void parse_options(const uint8_t* p, uint32_t left, bool syn, atcp_seg* out) {
  while (left > 0) {
    if (p[0] == kEol) return;
    if (p[0] == kNop) {
      p++;
      left--;
      continue;
    }
    if (left < 2 || p[1] < 2 || p[1] > left) {
      out->has |= ATCP_OPT_MALFORMED;
      return;
    }
    const uint32_t bytes = p[1];
    parse_option(p, bytes, syn, out);
    p += bytes;
    left -= bytes;
  }
}

// What goes into the options of h, and how many bytes each part takes with its padding.
struct Layout {
  uint32_t mss = 0;
  uint32_t ts = 0;
  uint32_t sack_ok = 0;  // on its own; beside timestamps it takes the place of their padding
  uint32_t wscale = 0;
  uint32_t fastopen = 0;
  uint32_t n_sack = 0;
  uint32_t sack = 0;

  uint32_t bytes() const { return mss + ts + sack_ok + wscale + fastopen + sack; }
};

/// Inline, so that it stays in registers.
[[gnu::always_inline]] inline Layout layout_of(const Header& h) {
  Layout l;
  const bool syn = (h.flags & ATCP_SYN) != 0;

  if (syn && h.mss != 0) l.mss = kMssBytes;
  if (h.has_ts) l.ts = kTsOptionBytes;
  if (syn && h.sack_ok && !h.has_ts) l.sack_ok = 4;
  if (syn && h.has_wscale) l.wscale = 4;
  if (syn && h.has_fastopen) {
    const uint32_t bytes = (kFastopenHeadBytes + h.fastopen.len + 3) & ~3u;
    if (h.fastopen.len <= kMaxFastopenCookie && l.bytes() + bytes <= kMaxOptions)
      l.fastopen = bytes;
  }
  const uint32_t room = kMaxOptions - l.bytes();
  // Two NOPs in front keep the blocks on word boundaries.
  const uint32_t fit = room < 4 ? 0 : (room - 4) / kSackBlockBytes;
  l.n_sack = min(min<uint32_t>(h.n_sack, kMaxSackBlocks), fit);
  l.sack = sack_option_bytes(l.n_sack);
  return l;
}

}  // namespace

uint32_t parse_segment(const uint8_t* hdr, uint32_t avail, uint32_t total, atcp_seg* out) {
  // Blocks and cookies are looked at only if there are any: the bytes in front of them are enough.
  __builtin_memset(out, 0, __builtin_offsetof(atcp_seg, sack));
  out->fastopen.len = 0;
  if (avail < kMinHeader || total < kMinHeader) return ATCP_REASON_HDR_TRUNCATED;

  const uint32_t bytes = static_cast<uint32_t>(hdr[12] >> 4) * 4;
  if (bytes < kMinHeader || bytes > total) return ATCP_REASON_DATA_OFFSET;
  if (bytes > avail) return ATCP_REASON_HDR_TRUNCATED;

  const uint8_t flags = hdr[13];
  if ((flags & (ATCP_SYN | ATCP_ACK | ATCP_RST | ATCP_FIN)) == 0) return ATCP_REASON_FLAGS_NONE;
  if ((flags & ATCP_SYN) != 0 && (flags & ATCP_FIN) != 0) return ATCP_REASON_FLAGS_SYN_FIN;

  out->seq = read_be32(hdr + 4);
  out->ack = read_be32(hdr + 8);
  out->hdr_len = static_cast<uint8_t>(bytes);
  out->flags = flags;
  out->wnd = read_be16(hdr + 14);
  out->urg = read_be16(hdr + 18);
  out->len = total - bytes;
  // A reset agrees on nothing, with or without SYN.
  const bool syn = (flags & (ATCP_SYN | ATCP_RST)) == ATCP_SYN;
  parse_options(hdr + kMinHeader, bytes - kMinHeader, syn, out);
  return ATCP_REASON_NONE;
}

uint32_t header_bytes(const Header& h) {
  return kMinHeader + layout_of(h).bytes();
}

uint32_t write_header(const Header& h, uint8_t* out) {
  const Layout l = layout_of(h);
  const uint32_t bytes = kMinHeader + l.bytes();

  memcpy(out, &h.lport, 2);
  memcpy(out + 2, &h.rport, 2);
  write_be32(out + 4, h.seq.raw());
  const uint32_t ack = (h.flags & ATCP_ACK) != 0 ? h.ack.raw() : 0;
  write_be32(out + 8, ack);
  out[12] = static_cast<uint8_t>((bytes / 4) << 4);
  out[13] = h.flags;
  write_be16(out + 14, h.wnd);
  write_be16(out + 16, 0);
  write_be16(out + 18, h.urg);

  uint8_t* p = out + kMinHeader;
  if (l.mss != 0) {
    p[0] = kMss;
    p[1] = kMssBytes;
    write_be16(p + 2, h.mss);
    p += l.mss;
  }
  if (l.ts != 0) {
    const bool with_sack_ok = h.sack_ok && (h.flags & ATCP_SYN) != 0;
    p[0] = with_sack_ok ? kSackOk : kNop;
    p[1] = with_sack_ok ? static_cast<uint8_t>(kSackOkBytes) : kNop;
    p[2] = kTs;
    p[3] = kTsBytes;
    write_be32(p + 4, h.tsval);
    write_be32(p + 8, h.tsecr);
    p += l.ts;
  }
  if (l.sack_ok != 0) {
    p[0] = kNop;
    p[1] = kNop;
    p[2] = kSackOk;
    p[3] = kSackOkBytes;
    p += l.sack_ok;
  }
  if (l.wscale != 0) {
    p[0] = kNop;
    p[1] = kWscale;
    p[2] = kWscaleBytes;
    p[3] = min<uint8_t>(h.wscale, kMaxWscale);
    p += l.wscale;
  }
  if (l.fastopen != 0) {
    memset(p, kNop, l.fastopen);
    p[0] = kFastopen;
    p[1] = static_cast<uint8_t>(kFastopenHeadBytes + h.fastopen.len);
    memcpy(p + kFastopenHeadBytes, h.fastopen.bytes, h.fastopen.len);
    p += l.fastopen;
  }
  if (l.sack != 0) {
    p[0] = kNop;
    p[1] = kNop;
    p[2] = kSack;
    p[3] = static_cast<uint8_t>(kSackHeadBytes + l.n_sack * kSackBlockBytes);
    p += 4;
    for (uint32_t i = 0; i < l.n_sack; i++, p += kSackBlockBytes) {
      write_be32(p, h.sack[i].start.raw());
      write_be32(p + 4, h.sack[i].end.raw());
    }
  }
  return bytes;
}

}  // namespace atcp
