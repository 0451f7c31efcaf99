// SPDX-License-Identifier: GPL-2.0
//
// The arithmetic of SYN cookies. When one is sent or believed is the listener's decision.
#include "listen/cookie.h"

namespace atcp {

namespace {

/// What an MSS becomes: what old paths, PPPoE and Ethernet need (IPv4).
constexpr uint16_t kMss[] = {536, 1300, 1440, 1460};
constexpr uint32_t kMssBits = 2;
constexpr uint32_t kMssMask = (1u << kMssBits) - 1;
constexpr uint32_t kPeriodBit = 1u << kMssBits;
constexpr uint32_t kPlainMask = kPeriodBit | kMssMask;
static_assert(array_len(kMss) == 1u << kMssBits);

// In a timestamp: 4 bits of window scale, 15 for none (it cannot be: RFC 7323 allows 14), and SACK.
constexpr uint32_t kTsWscaleMask = 0x0f;
constexpr uint32_t kTsNoWscale = 0x0f;
constexpr uint32_t kTsSack = 0x10;
constexpr uint32_t kTsBits = 6;

Seq cookie_of(const SipKey& key, const atcp_tuple& t, Seq irs, uint32_t period, uint32_t mss) {
  const uint64_t extra = (static_cast<uint64_t>(irs.raw()) << 32) | (period << kMssBits) | mss;
  const uint32_t mac = static_cast<uint32_t>(siphash_tuple(key, t, extra));
  return Seq((mac & ~kPlainMask) | ((period & 1) != 0 ? kPeriodBit : 0) | mss);
}

}  // namespace

Seq cookie_make(const SipKey& key, const atcp_tuple& t, Seq irs, uint16_t peer_mss,
                uint32_t now_s) {
  uint32_t mss = array_len(kMss) - 1;
  while (mss > 0 && kMss[mss] > peer_mss)
    mss--;
  return cookie_of(key, t, irs, now_s / kCookiePeriodS, mss);
}

bool cookie_check(const SipKey& key, const atcp_tuple& t, Seq irs, Seq cookie, uint32_t now_s,
                  uint16_t* peer_mss) {
  const uint32_t mss = cookie.raw() & kMssMask;
  uint32_t period = now_s / kCookiePeriodS;
  if (((cookie.raw() & kPeriodBit) != 0) != ((period & 1) != 0)) period--;
  if (cookie_of(key, t, irs, period, mss) != cookie) return false;
  *peer_mss = kMss[mss];
  return true;
}

uint32_t cookie_tsval(uint32_t now_ms, const CookieOptions& o) {
  const uint32_t options = (o.wscale_ok ? o.snd_wscale : kTsNoWscale) | (o.sack_ok ? kTsSack : 0);
  const uint32_t ts = ((now_ms >> kTsBits) << kTsBits) | options;
  // Never ahead of the clock: the connection's own timestamps must not step back after it.
  return static_cast<int32_t>(ts - now_ms) > 0 ? ts - (1u << kTsBits) : ts;
}

CookieOptions cookie_options(uint32_t tsval) {
  CookieOptions o = {};
  o.sack_ok = (tsval & kTsSack) != 0;
  o.wscale_ok = (tsval & kTsWscaleMask) != kTsNoWscale;
  o.snd_wscale = o.wscale_ok ? static_cast<uint8_t>(tsval & kTsWscaleMask) : 0;
  return o;
}

}  // namespace atcp
