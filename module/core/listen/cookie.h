// SPDX-License-Identifier: GPL-2.0
//
// SYN cookies (RFC 4987 3.6): an initial sequence number that holds, under a secret, all that must be
// remembered of a SYN, so that a full request queue costs no memory. Of two kinds:
//
// Timestamped, when the SYN brought timestamps: the peer will echo ours, whose low bits then carry its
// window scale and SACK exactly, and the sequence number need only carry the MSS.
//
//    31                                      4  3  2     0      31                  6  5  4   3      0
//   +------------------------------------------+---+-------+   +---------------------+---+---+--------+
//   | MAC, 28 bits                             | p | MSS   |   | clock, 64 ms        | E | S | wscale |
//   +------------------------------------------+---+-------+   +---------------------+---+---+--------+
//
// Plain, when it did not: window scale and SACK go into the sequence number as well (Linux gives them up
// there). The shift is one of a table, the next lower one: the peer's window is then thought smaller
// than it is, never larger.
//
//    31                          8  7  6   5  4  3  2     0
//   +------------------------------+---+---+-------+-------+   p: lowest bit of the period of 60 s
//   | MAC, 24 bits                 | p | S | wscale| MSS   |   S: SACK permitted, E: ECN
//   +------------------------------+---+---+-------+-------+
//
// MAC: SipHash-2-4 of the 4-tuple, the peer's initial sequence number, the period, the kind and the other
// bits. Linux's MSS values (IPv4: 536, 1300, 1440, 1460; IPv6: 1220, 1420, 1440, 8940) are among the eight of each family,
// so a peer gets at least the MSS that Linux would give it; 8960 keeps jumbo frames of IPv4.
//
// Strength. A cookie holds in the period in which it was made and in the next: 60 to 120 s. A blind guess
// names its period by the parity bit, so one MAC value of 2^24 is right for a plain cookie (2^23 in the
// minute in which the key changes). That is 16 million segments, 0.7 GB, for one connection with a forged
// source, which cannot read a byte; Linux asks for 2^29, having no options to keep. Of a timestamped one
// the MAC has 2^28, and the echo must lie within the last two minutes of a clock whose offset is secret
// (timestamps=1): another 2^15. Guesses are of use only while cookies are being sent (see
// cookie_path.cpp), each wrong one is answered by a reset and counted in SyncookiesFailed. The key is replaced
// every ten minutes of use.
#ifndef ATCP_LISTEN_COOKIE_H
#define ATCP_LISTEN_COOKIE_H

#include "base/rotating_key.h"
#include "base/seq.h"

namespace atcp {

inline constexpr uint32_t kCookiePeriodS = 60;
inline constexpr uint32_t kCookiePeriods = 2;
/// Periods for which a key is used.
inline constexpr uint32_t kCookieKeyPeriods = 10;

enum class CookieKind : uint8_t { Plain, Timestamped };

/// What a cookie remembers of a SYN.
struct CookieSyn {
  uint16_t mss;  ///< the peer's
  bool sack_ok;
  bool wscale_ok;
  bool ecn_ok;         ///< of a timestamped one only
  uint8_t snd_wscale;  ///< the peer's shift
};

/// Encode; values that a cookie cannot hold are cut to the next lower one. Of a timestamped cookie only
/// the MSS goes in here.
Seq cookie_make(RotatingKey& key, CookieKind kind, const atcp_tuple& t, Seq irs,
                const CookieSyn& syn, uint32_t now_s);
/// Check; fills in what the sequence number holds. False: not a cookie of ours, or too old.
bool cookie_check(const RotatingKey& key, CookieKind kind, const atcp_tuple& t, Seq irs, Seq cookie,
                  uint32_t now_s, CookieSyn* syn);

/// A timestamp (without the connection's offset) not later than now_ms that carries window scale, SACK and ECN.
uint32_t cookie_tsval(uint32_t now_ms, const CookieSyn& syn);
/// Take them from an echoed timestamp (offset taken off). False: we sent no such timestamp with a cookie
/// that can still hold.
bool cookie_take_tsval(uint32_t tsval, uint32_t now_ms, CookieSyn* syn);

}  // namespace atcp

#endif  // ATCP_LISTEN_COOKIE_H
