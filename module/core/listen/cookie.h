// SPDX-License-Identifier: GPL-2.0
//
// SYN cookies (RFC 4987 3.6): an initial sequence number that holds, under a secret, all that must be
// remembered of a SYN, so that a full request queue costs no memory. Options other than the MSS
// survive only in the low bits of the timestamp that the peer echoes. Pure functions.
//
//    31                                        3   2  1   0
//   +-------------------------------------------+---+------+
//   | SipHash(4-tuple, IRS, period, MSS index)  | p | MSS  |   p: period, its lowest bit
//   +-------------------------------------------+---+------+
//
// A cookie holds in the period in which it was made and in the next.
#ifndef ATCP_LISTEN_COOKIE_H
#define ATCP_LISTEN_COOKIE_H

#include "base/seq.h"
#include "base/siphash.h"

namespace atcp {

inline constexpr uint32_t kCookiePeriodS = 60;
inline constexpr uint32_t kCookiePeriods = 2;

/// Encode. peer_mss is cut to the nearest value below that a cookie can hold.
Seq cookie_make(const SipKey& key, const atcp_tuple& t, Seq irs, uint16_t peer_mss, uint32_t now_s);
/// Check; *peer_mss gets the MSS. False: not a cookie of ours, or too old.
bool cookie_check(const SipKey& key, const atcp_tuple& t, Seq irs, Seq cookie, uint32_t now_s,
                  uint16_t* peer_mss);

struct CookieOptions {
  bool sack_ok;
  bool wscale_ok;
  uint8_t snd_wscale;  ///< the peer's shift
};
/// A timestamp (without the connection's offset) not later than now_ms that carries the options.
uint32_t cookie_tsval(uint32_t now_ms, const CookieOptions& o);
/// What an echoed timestamp (offset taken off) carries.
CookieOptions cookie_options(uint32_t tsval);

}  // namespace atcp

#endif  // ATCP_LISTEN_COOKIE_H
