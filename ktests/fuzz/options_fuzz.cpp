// SPDX-License-Identifier: GPL-2.0
//
// libFuzzer target for the header parser: whatever the bytes are, parse_segment() reads none beyond
// those it was given (the copies below end where the allocation ends, so the sanitizer sees it) and
// what it accepts keeps the promises of segment.h; and a header made of arbitrary values, written
// and parsed again, says the same. A broken promise ends in a trap.
//
// Build: clang++ -std=c++20 -g -O1 -funsigned-char -fsanitize=fuzzer,address,undefined
//        -Imodule/core -Iuapi ktests/fuzz/options_fuzz.cpp module/core/wire/segment.cpp
#include <linux/atcp.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "wire/segment.h"

using atcp::Header;
using atcp::Seq;

namespace {

#define REQUIRE(cond)                                                    \
  do {                                                                   \
    if (!(cond)) {                                                       \
      fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #cond); \
      abort();                                                           \
    }                                                                    \
  } while (0)

// Takes values from the front of the input; zeros when it has run out.
class Bytes {
 public:
  Bytes(const uint8_t* p, size_t n) : p_(p), n_(n) {}
  uint8_t u8() {
    if (n_ == 0) return 0;
    n_--;
    return *p_++;
  }
  uint16_t u16() {
    const uint16_t hi = u8();
    return static_cast<uint16_t>(hi << 8 | u8());
  }
  uint32_t u32() {
    const uint32_t hi = u16();
    return hi << 16 | u16();
  }

 private:
  const uint8_t* p_;
  size_t n_;
};

uint32_t parse(const uint8_t* p, size_t avail, uint32_t total, atcp_seg* out) {
  const std::vector<uint8_t> exact(p, p + avail);
  return atcp::parse_segment(exact.data(), static_cast<uint32_t>(avail), total, out);
}

void check_parse(const uint8_t* p, size_t avail, uint32_t total) {
  atcp_seg s;
  const uint32_t reason = parse(p, avail, total, &s);
  if (reason != ATCP_REASON_NONE) {
    REQUIRE(reason == ATCP_REASON_HDR_TRUNCATED || reason == ATCP_REASON_DATA_OFFSET ||
            reason == ATCP_REASON_FLAGS_NONE || reason == ATCP_REASON_FLAGS_SYN_FIN);
    REQUIRE(s.flags == 0 && s.hdr_len == 0 && s.has == 0 && s.len == 0);
    return;
  }
  const bool syn = (s.flags & ATCP_SYN) != 0 && (s.flags & ATCP_RST) == 0;
  REQUIRE(s.hdr_len >= atcp::kMinHeader && s.hdr_len <= atcp::kMaxHeader && s.hdr_len % 4 == 0);
  REQUIRE(s.hdr_len <= avail && s.len + s.hdr_len == total);
  REQUIRE((s.flags & (ATCP_SYN | ATCP_ACK | ATCP_RST | ATCP_FIN)) != 0);
  REQUIRE((s.flags & (ATCP_SYN | ATCP_FIN)) != (ATCP_SYN | ATCP_FIN));
  REQUIRE(syn || (s.has & (ATCP_OPT_MSS | ATCP_OPT_WSCALE | ATCP_OPT_SACK_OK)) == 0);
  REQUIRE(((s.has & ATCP_OPT_MSS) != 0) == (s.mss != 0));
  REQUIRE(s.wscale <= atcp::kMaxWscale);
  REQUIRE((s.has & ATCP_OPT_WSCALE) != 0 || s.wscale == 0);
  REQUIRE(((s.has & ATCP_OPT_SACK) != 0) == (s.n_sack != 0));
  REQUIRE(s.n_sack <= atcp::kMaxSackBlocks);
  REQUIRE((s.has & ATCP_OPT_TS) != 0 || (s.tsval == 0 && s.tsecr == 0));
  REQUIRE(s.truesize == 0 && s.segs == 0 && s.ecn == 0);
}

void check_round_trip(Bytes in) {
  Header h;
  const uint8_t choice = in.u8();
  h.lport = in.u16();
  h.rport = in.u16();
  h.seq = Seq(in.u32());
  h.ack = Seq(in.u32());
  h.wnd = in.u16();
  h.urg = in.u16();
  h.flags = in.u8();
  h.n_sack = in.u8();
  h.has_ts = (choice & 1) != 0;
  h.has_wscale = (choice & 2) != 0;
  h.sack_ok = (choice & 4) != 0;
  h.tsval = in.u32();
  h.tsecr = in.u32();
  h.mss = in.u16();
  h.wscale = in.u8();
  for (auto& b : h.sack) {
    b.start = Seq(in.u32());
    b.end = Seq(in.u32());
  }

  // Exactly as much room as was announced: one byte more is an overflow that ASan reports.
  const uint32_t bytes = atcp::header_bytes(h);
  REQUIRE(bytes >= atcp::kMinHeader && bytes <= atcp::kMaxHeader && bytes % 4 == 0);
  std::vector<uint8_t> out(bytes, 0xa5);
  REQUIRE(atcp::write_header(h, out.data()) == bytes);
  REQUIRE(out[16] == 0 && out[17] == 0);

  const uint32_t payload = choice >> 3;
  atcp_seg s;
  const uint32_t reason = parse(out.data(), bytes, bytes + payload, &s);
  if ((h.flags & (ATCP_SYN | ATCP_ACK | ATCP_RST | ATCP_FIN)) == 0) {
    REQUIRE(reason == ATCP_REASON_FLAGS_NONE);
    return;
  }
  if ((h.flags & ATCP_SYN) != 0 && (h.flags & ATCP_FIN) != 0) {
    REQUIRE(reason == ATCP_REASON_FLAGS_SYN_FIN);
    return;
  }
  const bool syn = (h.flags & ATCP_SYN) != 0 && (h.flags & ATCP_RST) == 0;
  REQUIRE(reason == ATCP_REASON_NONE);
  REQUIRE(s.seq == h.seq.raw() && s.wnd == h.wnd && s.urg == h.urg && s.flags == h.flags);
  REQUIRE(s.ack == ((h.flags & ATCP_ACK) != 0 ? h.ack.raw() : 0));
  REQUIRE(s.hdr_len == bytes && s.len == payload);
  REQUIRE((s.has & ATCP_OPT_MALFORMED) == 0);
  REQUIRE(((s.has & ATCP_OPT_TS) != 0) == h.has_ts);
  REQUIRE(!h.has_ts || (s.tsval == h.tsval && s.tsecr == h.tsecr));
  REQUIRE(s.mss == (syn ? h.mss : 0));
  REQUIRE(((s.has & ATCP_OPT_WSCALE) != 0) == (syn && h.has_wscale));
  REQUIRE(s.wscale == (syn && h.has_wscale ? (h.wscale > 14 ? 14 : h.wscale) : 0));
  REQUIRE(((s.has & ATCP_OPT_SACK_OK) != 0) == (syn && h.sack_ok));
  REQUIRE(s.n_sack <= h.n_sack);
  if ((h.flags & ATCP_SYN) == 0) {
    const uint32_t room = atcp::sack_room(h.has_ts);
    REQUIRE(s.n_sack == (h.n_sack < room ? h.n_sack : room));
  }
  for (uint32_t i = 0; i < s.n_sack; i++)
    REQUIRE(s.sack[i].start == h.sack[i].start.raw() && s.sack[i].end == h.sack[i].end.raw());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 65535) return 0;
  const uint32_t n = static_cast<uint32_t>(size);

  check_parse(data, n, n);
  // More payload than is readable in one piece, and a segment that ends before the bytes do.
  check_parse(data, n, n + 1460);
  check_parse(data, n, n / 2);
  if (n > atcp::kMinHeader) {
    // All of the input as options, whatever its first bytes say.
    std::vector<uint8_t> hdr(atcp::kMaxHeader, 0);
    const uint32_t opts = atcp::min<uint32_t>(n, atcp::kMaxHeader - atcp::kMinHeader) & ~3u;
    hdr[12] = static_cast<uint8_t>((atcp::kMinHeader + opts) / 4 << 4);
    hdr[13] = (data[n - 1] & 1) != 0 ? ATCP_SYN : ATCP_ACK;
    memcpy(hdr.data() + atcp::kMinHeader, data, opts);
    check_parse(hdr.data(), atcp::kMinHeader + opts, atcp::kMinHeader + opts);
  }
  check_round_trip(Bytes(data, size));
  return 0;
}
