// SPDX-License-Identifier: GPL-2.0
//
// The numbers of a socket that only `atcp show` and closing records have: a row per attribute, with
// the name it has for programs and for people.
#ifndef ATCP_TOOL_SOCKET_FIELDS_H
#define ATCP_TOOL_SOCKET_FIELDS_H

#include <linux/atcp.h>

#include <cstdint>

namespace atcp::tool {

/// How a number is written for a person.
enum class Unit { kCount, kBytes, kMicroseconds, kBytesPerSecond, kSequence };

struct SocketField {
  uint16_t attr;     ///< enum atcp_socket_attr
  const char* name;  ///< in JSON and in the text
  Unit unit;
};

inline constexpr SocketField kSocketFields[] = {
    {ATCP_SOCKET_A_MIN_RTT_US, "min_rtt_us", Unit::kMicroseconds},
    {ATCP_SOCKET_A_RCV_RTT_US, "rcv_rtt_us", Unit::kMicroseconds},
    {ATCP_SOCKET_A_ATO_US, "ato_us", Unit::kMicroseconds},
    {ATCP_SOCKET_A_ADVMSS, "advmss", Unit::kCount},
    {ATCP_SOCKET_A_RCV_MSS, "rcv_mss", Unit::kCount},
    {ATCP_SOCKET_A_PMTU, "pmtu", Unit::kCount},
    {ATCP_SOCKET_A_OPTIONS, "options", Unit::kCount},
    {ATCP_SOCKET_A_SND_WSCALE, "snd_wscale", Unit::kCount},
    {ATCP_SOCKET_A_RCV_WSCALE, "rcv_wscale", Unit::kCount},
    {ATCP_SOCKET_A_CA_STATE, "ca_state", Unit::kCount},
    {ATCP_SOCKET_A_PACKETS_OUT, "packets_out", Unit::kCount},
    {ATCP_SOCKET_A_SACKED, "sacked", Unit::kCount},
    {ATCP_SOCKET_A_LOST, "lost", Unit::kCount},
    {ATCP_SOCKET_A_RETRANS_OUT, "retrans_out", Unit::kCount},
    {ATCP_SOCKET_A_REORDERING, "reordering", Unit::kCount},
    {ATCP_SOCKET_A_REORD_SEEN, "reord_seen", Unit::kCount},
    {ATCP_SOCKET_A_RETRANSMITS, "retransmits", Unit::kCount},
    {ATCP_SOCKET_A_PROBES, "probes", Unit::kCount},
    {ATCP_SOCKET_A_BACKOFF, "backoff", Unit::kCount},
    {ATCP_SOCKET_A_RCV_SPACE, "rcv_space", Unit::kBytes},
    {ATCP_SOCKET_A_RCV_SSTHRESH, "rcv_ssthresh", Unit::kBytes},
    {ATCP_SOCKET_A_NOTSENT, "notsent", Unit::kBytes},
    {ATCP_SOCKET_A_SND_UNA, "snd_una", Unit::kSequence},
    {ATCP_SOCKET_A_SND_NXT, "snd_nxt", Unit::kSequence},
    {ATCP_SOCKET_A_WRITE_SEQ, "write_seq", Unit::kSequence},
    {ATCP_SOCKET_A_RCV_NXT, "rcv_nxt", Unit::kSequence},
    {ATCP_SOCKET_A_COPIED_SEQ, "copied_seq", Unit::kSequence},
    {ATCP_SOCKET_A_LAST_DATA_SENT_US, "last_data_sent_us", Unit::kMicroseconds},
    {ATCP_SOCKET_A_LAST_DATA_RECV_US, "last_data_recv_us", Unit::kMicroseconds},
    {ATCP_SOCKET_A_LAST_ACK_RECV_US, "last_ack_recv_us", Unit::kMicroseconds},
    {ATCP_SOCKET_A_SEGS_IN, "segs_in", Unit::kCount},
    {ATCP_SOCKET_A_SEGS_OUT, "segs_out", Unit::kCount},
    {ATCP_SOCKET_A_DATA_SEGS_IN, "data_segs_in", Unit::kCount},
    {ATCP_SOCKET_A_DATA_SEGS_OUT, "data_segs_out", Unit::kCount},
    {ATCP_SOCKET_A_BYTES_SENT, "bytes_sent", Unit::kBytes},
    {ATCP_SOCKET_A_BYTES_RETRANS, "bytes_retrans", Unit::kBytes},
    {ATCP_SOCKET_A_PACING_RATE, "pacing_rate", Unit::kBytesPerSecond},
    {ATCP_SOCKET_A_DELIVERY_RATE, "delivery_rate", Unit::kBytesPerSecond},
    {ATCP_SOCKET_A_DELIVERED, "delivered", Unit::kCount},
    {ATCP_SOCKET_A_DSACK_DUPS, "dsack_dups", Unit::kCount},
    {ATCP_SOCKET_A_HANDSHAKE_US, "handshake_us", Unit::kMicroseconds},
    {ATCP_SOCKET_A_AGE_US, "age_us", Unit::kMicroseconds},
};

}  // namespace atcp::tool

#endif  // ATCP_TOOL_SOCKET_FIELDS_H
