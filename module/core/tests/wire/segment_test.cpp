// SPDX-License-Identifier: GPL-2.0
//
// Headers as bytes: what the parser takes from well-formed ones, what it refuses and under which
// name, options in every arrangement of padding, and that what is written is parsed back unchanged.
#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <cstring>
#include <random>
#include <vector>

#include "wire/segment.h"

namespace atcp {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kSeq = 0xfffffff0;
constexpr uint32_t kAck = 0xffff1234;

// A header with these option bytes, padded with EOL to whole words.
Bytes header(uint8_t flags, Bytes options = {}) {
  while (options.size() % 4 != 0)
    options.push_back(0);
  Bytes h = {0x12, 0x34, 0x00, 0x50, 0xff, 0xff, 0xff, 0xf0, 0xff, 0xff,
             0x12, 0x34, 0x00, 0x00, 0xfe, 0xdc, 0xaa, 0xbb, 0x00, 0x07};
  h[12] = static_cast<uint8_t>((20 + options.size()) / 4 << 4);
  h[13] = flags;
  h.insert(h.end(), options.begin(), options.end());
  return h;
}

// Parse from a copy that ends where its allocation ends: reading on is an error of ASan's.
uint32_t parse(const Bytes& h, uint32_t total, atcp_seg* out) {
  const Bytes exact(h.begin(), h.end());
  return parse_segment(exact.data(), static_cast<uint32_t>(exact.size()), total, out);
}
uint32_t parse(const Bytes& h, atcp_seg* out) {
  return parse(h, static_cast<uint32_t>(h.size()), out);
}
// Of a header that must be accepted.
atcp_seg parsed(const Bytes& h, uint32_t payload = 0) {
  atcp_seg s;
  EXPECT_EQ(parse(h, static_cast<uint32_t>(h.size()) + payload, &s), ATCP_REASON_NONE);
  return s;
}

Bytes cat(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& p : parts)
    all.insert(all.end(), p.begin(), p.end());
  return all;
}

const Bytes kOptMss = {2, 4, 0x05, 0xb4};
const Bytes kOptWscale = {3, 3, 7};
const Bytes kOptSackOk = {4, 2};
const Bytes kOptTs = {8, 10, 0xff, 0xff, 0xff, 0xfe, 0x01, 0x02, 0x03, 0x04};
const Bytes kOptUnknown = {254, 5, 1, 2, 3};

Bytes sack_option(uint32_t blocks) {
  Bytes o = {5, static_cast<uint8_t>(2 + 8 * blocks)};
  for (uint32_t i = 0; i < 8 * blocks; i++)
    o.push_back(static_cast<uint8_t>(0x10 * (i / 4) + i % 4));
  return o;
}
uint32_t sack_word(uint32_t i) {
  const uint32_t b = 0x10 * i;
  return b << 24 | (b + 1) << 16 | (b + 2) << 8 | (b + 3);
}

// ---- parse_segment: the fixed part

TEST(ParseSegment, Fields) {
  const atcp_seg s = parsed(header(ATCP_ACK | ATCP_PSH | ATCP_URG), 1460);
  EXPECT_EQ(s.seq, kSeq);
  EXPECT_EQ(s.ack, kAck);
  EXPECT_EQ(s.len, 1460u);
  EXPECT_EQ(s.wnd, 0xfedc);
  EXPECT_EQ(s.urg, 7);
  EXPECT_EQ(s.flags, ATCP_ACK | ATCP_PSH | ATCP_URG);
  EXPECT_EQ(s.hdr_len, 20);
  EXPECT_EQ(s.has, 0);
}

TEST(ParseSegment, LeavesThePortsFieldsClear) {
  atcp_seg s;
  memset(&s, 0xff, sizeof(s));
  ASSERT_EQ(parse(header(ATCP_ACK), &s), ATCP_REASON_NONE);
  EXPECT_EQ(s.truesize, 0u);
  EXPECT_EQ(s.segs, 0);
  EXPECT_EQ(s.ecn, 0);
  EXPECT_EQ(s.reserved, 0);
}

TEST(ParseSegment, FailureLeavesNothing) {
  atcp_seg s, zero;
  memset(&zero, 0, sizeof(zero));
  memset(&s, 0xff, sizeof(s));
  ASSERT_EQ(parse(header(0), &s), ATCP_REASON_FLAGS_NONE);
  EXPECT_EQ(memcmp(&s, &zero, offsetof(atcp_seg, sack)), 0);
  EXPECT_EQ(s.fastopen.len, 0);
}

TEST(ParseSegment, ShorterThanAHeader) {
  const Bytes h = header(ATCP_ACK);
  for (uint32_t n = 0; n < 20; n++) {
    atcp_seg s;
    EXPECT_EQ(parse(Bytes(h.begin(), h.begin() + n), &s), ATCP_REASON_HDR_TRUNCATED) << n;
    // Readable, but not part of the segment.
    EXPECT_EQ(parse(h, n, &s), ATCP_REASON_HDR_TRUNCATED) << n;
    // Part of the segment, but not readable.
    EXPECT_EQ(parse(Bytes(h.begin(), h.begin() + n), 1500, &s), ATCP_REASON_HDR_TRUNCATED) << n;
  }
}

TEST(ParseSegment, DataOffsetBelowFive) {
  for (uint8_t words = 0; words < 5; words++) {
    Bytes h = header(ATCP_ACK, Bytes(40, 1));
    h[12] = static_cast<uint8_t>(words << 4);
    atcp_seg s;
    EXPECT_EQ(parse(h, &s), ATCP_REASON_DATA_OFFSET) << int{words};
  }
}

TEST(ParseSegment, DataOffsetBeyondTheSegment) {
  for (uint8_t words = 6; words < 16; words++) {
    Bytes h = header(ATCP_ACK);
    h[12] = static_cast<uint8_t>(words << 4);
    atcp_seg s;
    EXPECT_EQ(parse(h, &s), ATCP_REASON_DATA_OFFSET) << int{words};
    EXPECT_EQ(parse(h, words * 4 - 1, &s), ATCP_REASON_DATA_OFFSET) << int{words};
    // The segment is long enough, but the reader has only 20 bytes of it.
    EXPECT_EQ(parse(h, words * 4, &s), ATCP_REASON_HDR_TRUNCATED) << int{words};
  }
}

TEST(ParseSegment, ReservedBitsOfTheOffsetByteAreIgnored) {
  Bytes h = header(ATCP_ACK);
  h[12] |= 0x0f;
  EXPECT_EQ(parsed(h).hdr_len, 20);
}

TEST(ParseSegment, EveryCombinationOfFlags) {
  for (uint32_t flags = 0; flags < 256; flags++) {
    atcp_seg s;
    const uint32_t reason = parse(header(static_cast<uint8_t>(flags)), &s);
    if ((flags & (ATCP_SYN | ATCP_ACK | ATCP_RST | ATCP_FIN)) == 0)
      EXPECT_EQ(reason, ATCP_REASON_FLAGS_NONE) << flags;
    else if ((flags & ATCP_SYN) && (flags & ATCP_FIN))
      EXPECT_EQ(reason, ATCP_REASON_FLAGS_SYN_FIN) << flags;
    else {
      EXPECT_EQ(reason, ATCP_REASON_NONE) << flags;
      EXPECT_EQ(s.flags, flags);
    }
  }
}

TEST(ParseSegment, SynWithRstIsAReset) {
  const atcp_seg s = parsed(header(ATCP_SYN | ATCP_RST, cat({kOptMss, kOptSackOk, kOptTs})));
  EXPECT_EQ(s.flags, ATCP_SYN | ATCP_RST);
  EXPECT_EQ(s.has, ATCP_OPT_TS);
  EXPECT_EQ(s.mss, 0);
}

TEST(ParseSegment, PayloadIsWhatFollowsTheHeader) {
  EXPECT_EQ(parsed(header(ATCP_ACK, Bytes(40, 1)), 0).len, 0u);
  EXPECT_EQ(parsed(header(ATCP_ACK, Bytes(40, 1)), 1).len, 1u);
  EXPECT_EQ(parsed(header(ATCP_ACK, Bytes(40, 1)), 65475).len, 65475u);
}

// ---- parse_segment: options

TEST(ParseOptions, AllOfASyn) {
  const atcp_seg s = parsed(header(ATCP_SYN, cat({kOptMss, kOptSackOk, kOptTs, {1}, kOptWscale})));
  EXPECT_EQ(s.has, ATCP_OPT_MSS | ATCP_OPT_SACK_OK | ATCP_OPT_TS | ATCP_OPT_WSCALE);
  EXPECT_EQ(s.mss, 1460);
  EXPECT_EQ(s.wscale, 7);
  EXPECT_EQ(s.tsval, 0xfffffffeu);
  EXPECT_EQ(s.tsecr, 0x01020304u);
  EXPECT_EQ(s.hdr_len, 40);
}

// Every way to put an MSS, NOPs and an EOL into 8 bytes: i NOPs, the option, j NOPs, EOL or
// not, then bytes that count only if no EOL came before.
TEST(ParseOptions, EveryArrangementOfNopEolAndMss) {
  for (uint32_t before = 0; before <= 4; before++) {
    for (uint32_t eol_at = 0; eol_at <= 8; eol_at++) {
      Bytes o(8, 1);
      std::copy(kOptMss.begin(), kOptMss.end(), o.begin() + before);
      const bool inside = eol_at > before && eol_at < before + 4;
      if (inside) continue;  // a zero there is part of the option, not an EOL
      bool seen = true;
      if (eol_at < 8) {
        o[eol_at] = 0;
        // What follows an EOL is not looked at, whatever it is.
        for (uint32_t i = eol_at + 1; i < 8; i++)
          if (i < before || i >= before + 4) o[i] = 0xff;
        seen = eol_at >= before + 4;
      }
      const atcp_seg s = parsed(header(ATCP_SYN, o));
      EXPECT_EQ(s.has, seen ? ATCP_OPT_MSS : 0) << before << " " << eol_at;
      EXPECT_EQ(s.mss, seen ? 1460 : 0) << before << " " << eol_at;
    }
  }
}

TEST(ParseOptions, OnlyPadding) {
  for (uint32_t words = 1; words <= 10; words++) {
    EXPECT_EQ(parsed(header(ATCP_SYN, Bytes(words * 4, 1))).has, 0);
    EXPECT_EQ(parsed(header(ATCP_SYN, Bytes(words * 4, 0))).has, 0);
  }
}

TEST(ParseOptions, AtEveryAlignment) {
  for (uint32_t nops = 0; nops < 8; nops++) {
    const Bytes pad(nops, 1);
    const atcp_seg ts = parsed(header(ATCP_ACK, cat({pad, kOptTs})));
    EXPECT_EQ(ts.has, ATCP_OPT_TS);
    EXPECT_EQ(ts.tsval, 0xfffffffeu);
    EXPECT_EQ(ts.tsecr, 0x01020304u);
    const atcp_seg sack = parsed(header(ATCP_ACK, cat({pad, sack_option(3)})));
    EXPECT_EQ(sack.n_sack, 3);
    EXPECT_EQ(sack.sack[2].end, sack_word(5));
    const atcp_seg mss = parsed(header(ATCP_SYN, cat({pad, kOptMss, kOptWscale})));
    EXPECT_EQ(mss.mss, 1460);
    EXPECT_EQ(mss.wscale, 7);
  }
}

// The header itself at every address modulo 8.
TEST(ParseOptions, AtEveryAddress) {
  const Bytes h = header(ATCP_SYN, cat({kOptMss, kOptSackOk, kOptTs, {1}, kOptWscale}));
  for (uint32_t off = 0; off < 8; off++) {
    alignas(8) uint8_t buf[80];
    memcpy(buf + off, h.data(), h.size());
    atcp_seg s;
    const uint32_t n = static_cast<uint32_t>(h.size());
    ASSERT_EQ(parse_segment(buf + off, n, n, &s), ATCP_REASON_NONE);
    EXPECT_EQ(s.seq, kSeq);
    EXPECT_EQ(s.mss, 1460);
    EXPECT_EQ(s.tsecr, 0x01020304u);
  }
}

TEST(ParseOptions, SynOnlyOnesCountInASynAlone) {
  const Bytes o = cat({kOptMss, kOptSackOk, kOptWscale, kOptTs});
  for (uint8_t flags : {ATCP_ACK, ATCP_FIN, ATCP_RST}) {
    const atcp_seg s = parsed(header(flags, o));
    EXPECT_EQ(s.has, ATCP_OPT_TS) << int{flags};
    EXPECT_EQ(s.mss, 0);
    EXPECT_EQ(s.wscale, 0);
  }
  EXPECT_EQ(parsed(header(ATCP_SYN | ATCP_ACK, o)).has,
            ATCP_OPT_MSS | ATCP_OPT_SACK_OK | ATCP_OPT_WSCALE | ATCP_OPT_TS);
}

TEST(ParseOptions, WscaleIsCutTo14) {
  for (uint32_t shift = 0; shift < 256; shift++) {
    const atcp_seg s = parsed(header(ATCP_SYN, {3, 3, static_cast<uint8_t>(shift)}));
    EXPECT_EQ(s.has, ATCP_OPT_WSCALE);
    EXPECT_EQ(s.wscale, std::min(shift, 14u));
  }
}

TEST(ParseOptions, MssOfZeroIsNone) {
  EXPECT_EQ(parsed(header(ATCP_SYN, {2, 4, 0, 0})).has, 0);
  EXPECT_EQ(parsed(header(ATCP_SYN, {2, 4, 0, 1})).mss, 1);
  EXPECT_EQ(parsed(header(ATCP_SYN, {2, 4, 0xff, 0xff})).mss, 0xffff);
}

TEST(ParseOptions, OneToFourSackBlocks) {
  for (uint32_t n = 1; n <= 4; n++) {
    const atcp_seg s = parsed(header(ATCP_ACK, sack_option(n)));
    EXPECT_EQ(s.has, ATCP_OPT_SACK);
    ASSERT_EQ(s.n_sack, n);
    for (uint32_t i = 0; i < n; i++) {
      EXPECT_EQ(s.sack[i].start, sack_word(2 * i));
      EXPECT_EQ(s.sack[i].end, sack_word(2 * i + 1));
    }
  }
}

TEST(ParseOptions, TimestampsAndThreeBlocksFillTheHeader) {
  const Bytes h = header(ATCP_ACK, cat({{1, 1}, kOptTs, {1, 1}, sack_option(3)}));
  ASSERT_EQ(h.size(), 60u);
  const atcp_seg s = parsed(h);
  EXPECT_EQ(s.has, ATCP_OPT_TS | ATCP_OPT_SACK);
  EXPECT_EQ(s.n_sack, 3);
}

TEST(ParseOptions, OfTwoTheLastCounts) {
  const atcp_seg s = parsed(header(ATCP_SYN, {2, 4, 0x05, 0xb4, 2, 4, 0x02, 0x18}));
  EXPECT_EQ(s.mss, 0x218);
  const atcp_seg t = parsed(header(ATCP_ACK, cat({sack_option(2), sack_option(1)})));
  EXPECT_EQ(t.n_sack, 1);
}

TEST(ParseOptions, UnknownOnesAreSkipped) {
  const atcp_seg s =
      parsed(header(ATCP_SYN, cat({kOptUnknown, kOptMss, {77, 2}, kOptWscale, kOptUnknown})));
  EXPECT_EQ(s.has, ATCP_OPT_MSS | ATCP_OPT_WSCALE);
  EXPECT_EQ(s.mss, 1460);
}

// Every kind with every length that fits: the right one counts, wrong ones are passed over, and
// the option after it is found either way.
TEST(ParseOptions, WrongLengthOfAKnownKindIsSkipped) {
  const struct {
    uint8_t kind;
    uint8_t has;
  } kinds[] = {{2, ATCP_OPT_MSS},
               {3, ATCP_OPT_WSCALE},
               {4, ATCP_OPT_SACK_OK},
               {5, ATCP_OPT_SACK},
               {8, ATCP_OPT_TS}};
  for (const auto& k : kinds) {
    for (uint8_t len = 2; len <= 36; len++) {
      Bytes o(len, 1);
      o[0] = k.kind;
      o[1] = len;
      const Bytes next = k.kind == 4 ? kOptMss : kOptSackOk;
      const uint8_t next_has = k.kind == 4 ? ATCP_OPT_MSS : ATCP_OPT_SACK_OK;
      const bool right = (k.kind == 2 && len == 4) || (k.kind == 3 && len == 3) ||
                         (k.kind == 4 && len == 2) || (k.kind == 8 && len == 10) ||
                         (k.kind == 5 && (len == 10 || len == 18 || len == 26 || len == 34));
      const atcp_seg s = parsed(header(ATCP_SYN, cat({o, next})));
      EXPECT_EQ(s.has, next_has | (right ? k.has : 0)) << int{k.kind} << " " << int{len};
    }
  }
}

TEST(ParseOptions, LengthBelowTwoEndsThem) {
  for (uint8_t kind : {2, 3, 4, 5, 8, 77, 255}) {
    for (uint8_t len : {0, 1}) {
      const Bytes bad = {kind, len};
      const atcp_seg s = parsed(header(ATCP_SYN, cat({kOptMss, bad, kOptWscale})));
      EXPECT_EQ(s.has, ATCP_OPT_MSS | ATCP_OPT_MALFORMED) << int{kind} << " " << int{len};
    }
  }
}

TEST(ParseOptions, LengthPastTheEndEndsThem) {
  for (uint8_t kind : {2, 3, 4, 5, 8, 77, 255}) {
    for (uint32_t len = 5; len < 256; len++) {
      const Bytes bad = {kind, static_cast<uint8_t>(len), 1, 1};
      const atcp_seg s = parsed(header(ATCP_SYN, cat({kOptMss, bad})));
      EXPECT_EQ(s.has, ATCP_OPT_MSS | ATCP_OPT_MALFORMED) << int{kind} << " " << len;
    }
  }
}

TEST(ParseOptions, KindInTheLastByte) {
  for (uint8_t kind : {2, 3, 4, 5, 8, 77, 255}) {
    const atcp_seg s = parsed(header(ATCP_SYN, {1, 1, 1, kind}));
    EXPECT_EQ(s.has, ATCP_OPT_MALFORMED) << int{kind};
  }
}

// Payload that looks like the rest of an option is not one.
TEST(ParseOptions, DoNotReachIntoThePayload) {
  Bytes h = header(ATCP_SYN, {1, 1, 2, 4});
  h.insert(h.end(), {0x05, 0xb4, 1, 1});
  const atcp_seg s = parsed(h);
  EXPECT_EQ(s.has, ATCP_OPT_MALFORMED);
  EXPECT_EQ(s.mss, 0);
  EXPECT_EQ(s.len, 4u);
}

// ---- write_header

Bytes written(const Header& h) {
  const uint32_t bytes = header_bytes(h);
  EXPECT_LE(bytes, kMaxHeader);
  Bytes out(bytes, 0xa5);
  EXPECT_EQ(write_header(h, out.data()), bytes);
  return out;
}

Header base(uint8_t flags) {
  Header h;
  h.lport = to_be16(0x1234);
  h.rport = to_be16(0x0050);
  h.seq = Seq(kSeq);
  h.ack = Seq(kAck);
  h.wnd = 0xfedc;
  h.flags = flags;
  return h;
}

Bytes options_of(const Header& h) {
  const Bytes b = written(h);
  return Bytes(b.begin() + 20, b.end());
}

TEST(WriteHeader, FixedPart) {
  Header h = base(ATCP_ACK | ATCP_PSH | ATCP_URG);
  h.urg = 7;
  EXPECT_EQ(written(h), (Bytes{0x12, 0x34, 0x00, 0x50, 0xff, 0xff, 0xff, 0xf0, 0xff, 0xff,
                               0x12, 0x34, 0x50, 0x38, 0xfe, 0xdc, 0x00, 0x00, 0x00, 0x07}));
}

TEST(WriteHeader, AckNumberOnlyWithAck) {
  const Bytes b = written(base(ATCP_SYN));
  EXPECT_EQ(Bytes(b.begin() + 8, b.begin() + 12), (Bytes{0, 0, 0, 0}));
}

TEST(WriteHeader, SynWithEverythingTakes20BytesOfOptions) {
  Header h = base(ATCP_SYN);
  h.mss = 1460;
  h.sack_ok = true;
  h.has_ts = true;
  h.tsval = 0xfffffffe;
  h.tsecr = 0x01020304;
  h.has_wscale = true;
  h.wscale = 7;
  EXPECT_EQ(options_of(h),
            (Bytes{2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0xff, 0xff, 0xff, 0xfe, 1, 2, 3, 4, 1, 3, 3, 7}));
}

TEST(WriteHeader, SynWithoutTimestamps) {
  Header h = base(ATCP_SYN | ATCP_ACK);
  h.mss = 536;
  h.sack_ok = true;
  h.has_wscale = true;
  EXPECT_EQ(options_of(h), (Bytes{2, 4, 0x02, 0x18, 1, 1, 4, 2, 1, 3, 3, 0}));
}

TEST(WriteHeader, TimestampsAlone) {
  Header h = base(ATCP_ACK);
  h.has_ts = true;
  h.tsval = 1;
  h.tsecr = 2;
  EXPECT_EQ(options_of(h), (Bytes{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}));
}

TEST(WriteHeader, SackAfterTimestamps) {
  Header h = base(ATCP_ACK);
  h.has_ts = true;
  h.n_sack = 1;
  h.sack[0] = {Seq(0xffffffff), Seq(5)};
  EXPECT_EQ(options_of(h), (Bytes{1, 1, 8, 10, 0,    0,    0,    0,    0, 0, 0, 0,
                                  1, 1, 5, 10, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 5}));
}

TEST(WriteHeader, WscaleIsCutTo14) {
  Header h = base(ATCP_SYN);
  h.has_wscale = true;
  h.wscale = 15;
  EXPECT_EQ(options_of(h), (Bytes{1, 3, 3, 14}));
}

TEST(WriteHeader, OptionsOfASynOnlyInASyn) {
  Header h = base(ATCP_ACK);
  h.mss = 1460;
  h.sack_ok = true;
  h.has_wscale = true;
  EXPECT_EQ(header_bytes(h), 20u);
  h.has_ts = true;
  EXPECT_EQ(options_of(h)[0], 1);  // NOP, not SACK-permitted
}

TEST(WriteHeader, SackBlocksAreCutToTheRoom) {
  Header h = base(ATCP_ACK);
  for (uint32_t want = 0; want < 256; want++) {
    h.n_sack = static_cast<uint8_t>(want);
    h.has_ts = false;
    EXPECT_EQ(parsed(written(h)).n_sack, std::min(want, sack_room(false)));
    h.has_ts = true;
    EXPECT_EQ(parsed(written(h)).n_sack, std::min(want, sack_room(true)));
  }
  h.flags = ATCP_SYN;
  h.mss = 1460;
  h.has_wscale = true;
  h.n_sack = 4;
  EXPECT_EQ(parsed(written(h)).n_sack, 2);  // 20 bytes are taken
}

// Every combination of options in every kind of segment comes back as it was given.
TEST(WriteHeader, IsParsedBack) {
  std::mt19937 rnd(1);
  for (uint8_t flags : Bytes{ATCP_SYN, ATCP_ACK, ATCP_SYN | ATCP_ACK, ATCP_FIN | ATCP_ACK, ATCP_RST,
                             ATCP_RST | ATCP_ACK, ATCP_ACK | ATCP_PSH | ATCP_ECE | ATCP_CWR}) {
    for (uint32_t choice = 0; choice < 16 * 5; choice++) {
      Header h = base(flags);
      const bool syn = (flags & ATCP_SYN) != 0;
      h.seq = Seq(rnd());
      h.ack = Seq(rnd());
      h.wnd = static_cast<uint16_t>(rnd());
      h.urg = static_cast<uint16_t>(rnd());
      h.mss = (choice & 1) != 0 ? static_cast<uint16_t>(rnd() % 65535 + 1) : 0;
      h.has_ts = (choice & 2) != 0;
      h.tsval = rnd();
      h.tsecr = rnd();
      h.has_wscale = (choice & 4) != 0;
      h.wscale = static_cast<uint8_t>(rnd() % 15);
      h.sack_ok = (choice & 8) != 0;
      h.n_sack = static_cast<uint8_t>(syn ? 0 : std::min(choice / 16, sack_room(h.has_ts)));
      for (SackBlock& b : h.sack)
        b = {Seq(rnd()), Seq(rnd())};

      const Bytes out = written(h);
      EXPECT_EQ(out.size() % 4, 0u);
      const atcp_seg s = parsed(out, 100);
      EXPECT_EQ(s.seq, h.seq.raw());
      EXPECT_EQ(s.ack, (flags & ATCP_ACK) != 0 ? h.ack.raw() : 0);
      EXPECT_EQ(s.wnd, h.wnd);
      EXPECT_EQ(s.urg, h.urg);
      EXPECT_EQ(s.flags, flags);
      EXPECT_EQ(s.len, 100u);
      EXPECT_EQ(s.hdr_len, out.size());
      EXPECT_EQ(s.has, (syn && h.mss != 0 ? ATCP_OPT_MSS : 0) | (h.has_ts ? ATCP_OPT_TS : 0) |
                           (syn && h.has_wscale ? ATCP_OPT_WSCALE : 0) |
                           (syn && h.sack_ok ? ATCP_OPT_SACK_OK : 0) |
                           (h.n_sack != 0 ? ATCP_OPT_SACK : 0));
      EXPECT_EQ(s.mss, syn ? h.mss : 0);
      EXPECT_EQ(s.wscale, syn && h.has_wscale ? h.wscale : 0);
      if (h.has_ts) {
        EXPECT_EQ(s.tsval, h.tsval);
        EXPECT_EQ(s.tsecr, h.tsecr);
      }
      ASSERT_EQ(s.n_sack, h.n_sack);
      for (uint32_t i = 0; i < s.n_sack; i++) {
        EXPECT_EQ(s.sack[i].start, h.sack[i].start.raw());
        EXPECT_EQ(s.sack[i].end, h.sack[i].end.raw());
      }
    }
  }
}

// ---- fast open (RFC 7413)

TEST(Fastopen, CookiesOfEveryAllowedLength) {
  for (uint8_t len = 0; len <= 20; len++) {
    Bytes o = {34, static_cast<uint8_t>(2 + len)};
    for (uint8_t i = 0; i < len; i++)
      o.push_back(static_cast<uint8_t>(0x80 + i));
    const atcp_seg s = parsed(header(ATCP_SYN, cat({o, kOptMss})));
    const bool good = len == 0 || (len >= 4 && len <= 16 && len % 2 == 0);
    EXPECT_EQ(s.has, ATCP_OPT_MSS | (good ? ATCP_OPT_FASTOPEN : 0)) << int(len);
    EXPECT_EQ(s.fastopen.len, good ? len : 0);
    if (good && len > 0) {
      EXPECT_EQ(memcmp(s.fastopen.bytes, o.data() + 2, len), 0);
    }
  }
}

TEST(Fastopen, CountsOnlyInASyn) {
  EXPECT_EQ(parsed(header(ATCP_ACK, {34, 2})).has, 0);
  EXPECT_EQ(parsed(header(ATCP_SYN | ATCP_ACK, {34, 2})).has, ATCP_OPT_FASTOPEN);
  EXPECT_EQ(parsed(header(ATCP_SYN | ATCP_RST, {34, 2})).has, 0);
}

TEST(Fastopen, IsWrittenBesideAllOtherOptions) {
  for (uint8_t len = 0; len <= 16; len = static_cast<uint8_t>(len == 0 ? 4 : len + 2)) {
    Header h;
    h.flags = ATCP_SYN;
    h.mss = 1460;
    h.has_ts = h.sack_ok = h.has_wscale = h.has_fastopen = true;
    h.fastopen.len = len;
    for (uint8_t i = 0; i < len; i++)
      h.fastopen.bytes[i] = static_cast<uint8_t>(i + 1);
    const Bytes out = written(h);
    EXPECT_EQ(out.size() % 4, 0u);
    EXPECT_EQ(out.size(), header_bytes(h));
    const atcp_seg s = parsed(out);
    EXPECT_EQ(s.has,
              ATCP_OPT_MSS | ATCP_OPT_TS | ATCP_OPT_SACK_OK | ATCP_OPT_WSCALE | ATCP_OPT_FASTOPEN)
        << int(len);
    EXPECT_EQ(s.fastopen.len, len);
    EXPECT_EQ(memcmp(s.fastopen.bytes, h.fastopen.bytes, len), 0);
    h.flags = ATCP_ACK;
    EXPECT_EQ(parsed(written(h)).has, ATCP_OPT_TS);
  }
}

}  // namespace
}  // namespace atcp
