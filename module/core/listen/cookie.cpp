// SPDX-License-Identifier: GPL-2.0
//
// The arithmetic of SYN cookies: values to bits and back. When one is sent or believed is decided in
// cookie_path.cpp.
#include "listen/cookie.h"

namespace atcp {

namespace {

/// IPv4, in bytes: RFC 9293's default, IPv6's least MTU, tunnels (1300, WireGuard 1380), PPPoE with
/// (1440) and without timestamps (1452), Ethernet, jumbo frames.
constexpr uint16_t kMss4[] = {536, 1220, 1300, 1380, 1440, 1452, 1460, 8960};
/// IPv6: what a program may ask for with TCP_MAXSEG, the least MTU, tunnels (1300, WireGuard 1360, 6in4 1420), PPPoE,
/// Ethernet, jumbo frames.
constexpr uint16_t kMss6[] = {536, 1220, 1300, 1360, 1420, 1432, 1440, 8940};
/// What systems send: Linux 7, Apple 6, Windows 8, and what is left over for large buffers.
constexpr uint8_t kShift[] = {0, 2, 4, 6, 7, 8, 10};
constexpr uint32_t kNoShift = array_len(kShift);  ///< no window scaling

constexpr uint32_t kMssMask = 0x7;
constexpr uint32_t kShiftBit = 3;
constexpr uint32_t kShiftMask = 0x7;
constexpr uint32_t kSackBit = 6;
static_assert(array_len(kMss4) - 1 == kMssMask);
static_assert(array_len(kMss6) == array_len(kMss4));
static_assert(kNoShift == kShiftMask);

/// Bits below the MAC that hold values, without the period's.
constexpr uint32_t value_bits(CookieKind kind) {
  return kind == CookieKind::Plain ? 7 : 3;
}

// In a timestamp: 4 bits of window scale, 15 for none (it cannot be: RFC 7323 allows 14), SACK,
// ECN.
constexpr uint32_t kTsWscaleMask = 0x0f;
constexpr uint32_t kTsNoWscale = 0x0f;
constexpr uint32_t kTsSack = 0x10;
constexpr uint32_t kTsBits = 6;
constexpr uint32_t kTsEcn = 0x20;

/// Index of the largest value of a rising table that is not above v; 0 if all are.
template <class T, size_t N>
uint32_t floor_index(const T (&table)[N], T v) {
  uint32_t i = array_len(table) - 1;
  while (i > 0 && table[i] > v)
    i--;
  return i;
}

const uint16_t (&mss_of(uint16_t family))[array_len(kMss4)] {
  return family == ATCP_AF_INET6 ? kMss6 : kMss4;
}

uint32_t values_of(CookieKind kind, const CookieSyn& syn, uint16_t family) {
  const uint32_t mss = floor_index(mss_of(family), syn.mss);
  if (kind == CookieKind::Timestamped) return mss;
  const uint32_t shift = syn.wscale_ok ? floor_index(kShift, syn.snd_wscale) : kNoShift;
  return mss | (shift << kShiftBit) | (syn.sack_ok ? 1u << kSackBit : 0);
}

Seq cookie_of(const SipKey& key, CookieKind kind, const atcp_tuple& t, Seq irs, uint32_t period,
              uint32_t values) {
  const uint32_t bits = value_bits(kind);
  const uint32_t low = ((period & 1) << bits) | values;
  const uint32_t what = (period << 8) | (values << 1) | static_cast<uint32_t>(kind);
  const uint64_t extra = (static_cast<uint64_t>(irs.raw()) << 32) | what;
  const auto mac = static_cast<uint32_t>(siphash_tuple(key, t, extra));
  return Seq((mac << (bits + 1)) | low);
}

}  // namespace

Seq cookie_make(RotatingKey& key, CookieKind kind, const atcp_tuple& t, Seq irs,
                const CookieSyn& syn, uint32_t now_s) {
  // RFC 4987 3.6.
  const uint32_t period = now_s / kCookiePeriodS;
  return cookie_of(key.current(period, kCookieKeyPeriods), kind, t, irs, period,
                   values_of(kind, syn, t.family));
}

bool cookie_check(const RotatingKey& key, CookieKind kind, const atcp_tuple& t, Seq irs, Seq cookie,
                  uint32_t now_s, CookieSyn* syn) {
  // RFC 4987 3.6: only cookies of this period and the last one count.
  const uint32_t bits = value_bits(kind);
  const uint32_t values = cookie.raw() & ((1u << bits) - 1);
  uint32_t period = now_s / kCookiePeriodS;
  if (((cookie.raw() >> bits) & 1) != (period & 1)) period--;
  SipKey keys[2] = {};
  const uint32_t n = key.candidates(period, keys);
  bool found = false;
  for (uint32_t i = 0; i < n; i++)
    found = found || cookie_of(keys[i], kind, t, irs, period, values) == cookie;
  if (!found) return false;

  *syn = {};
  syn->mss = mss_of(t.family)[values & kMssMask];
  if (kind == CookieKind::Timestamped) return true;
  const uint32_t shift = (values >> kShiftBit) & kShiftMask;
  syn->sack_ok = (values >> kSackBit) != 0;
  syn->wscale_ok = shift != kNoShift;
  syn->snd_wscale = syn->wscale_ok ? kShift[shift] : uint8_t{0};
  return true;
}

uint32_t cookie_tsval(uint32_t now_ms, const CookieSyn& syn) {
  const uint32_t options = (syn.wscale_ok ? syn.snd_wscale : kTsNoWscale) |
                           (syn.sack_ok ? kTsSack : 0) | (syn.ecn_ok ? kTsEcn : 0);
  const uint32_t ts = ((now_ms >> kTsBits) << kTsBits) | options;
  // Never ahead of the clock: the connection's own timestamps must not step back after it.
  return static_cast<int32_t>(ts - now_ms) > 0 ? ts - (1u << kTsBits) : ts;
}

bool cookie_take_tsval(uint32_t tsval, uint32_t now_ms, CookieSyn* syn) {
  constexpr uint32_t kOldestMs = kCookiePeriods * kCookiePeriodS * 1000 + (2u << kTsBits);
  if (now_ms - tsval > kOldestMs) return false;
  syn->sack_ok = (tsval & kTsSack) != 0;
  syn->ecn_ok = (tsval & kTsEcn) != 0;
  syn->wscale_ok = (tsval & kTsWscaleMask) != kTsNoWscale;
  syn->snd_wscale = syn->wscale_ok ? static_cast<uint8_t>(tsval & kTsWscaleMask) : uint8_t{0};
  return true;
}

}  // namespace atcp
