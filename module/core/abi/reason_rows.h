// SPDX-License-Identifier: GPL-2.0
//
// The rows of the table of reasons: X(id, name, help), in the order of enum atcp_reason.
// Made from uapi/atcp.yaml by `make gen`; do not edit.
#ifndef ATCP_REASON_ROWS_H
#define ATCP_REASON_ROWS_H

// clang-format off
#define ATCP_REASONS(X) \
  X(NONE, "none", "nothing was dropped") \
  X(HDR_TRUNCATED, "hdr_truncated", "shorter than a TCP header") \
  X(DATA_OFFSET, "data_offset", "data offset < 5 or beyond the segment") \
  X(CHECKSUM, "checksum", "checksum wrong") \
  X(NOT_UNICAST, "not_unicast", "to or from broadcast, multicast, 0.0.0.0") \
  X(FLAGS_NONE, "flags_none", "none of SYN, ACK, RST, FIN") \
  X(FLAGS_SYN_FIN, "flags_syn_fin", "SYN together with FIN") \
  X(NO_MEMORY, "no_memory", "an allocation failed, or all sockets together have taken what they may") \
  X(NO_ROUTE, "no_route", "no route to the peer for an answer") \
  X(NO_SOCKET, "no_socket", "nobody has this 4-tuple") \
  X(LISTEN_RST, "listen_rst", "RST to a listener") \
  X(LISTEN_ACK, "listen_ack", "ACK or SYN-ACK to a listener: answered with RST") \
  X(LISTEN_NO_SYN, "listen_no_syn", "FIN or other segment without SYN to a listener") \
  X(ACCEPT_QUEUE_FULL_SYN, "accept_queue_full_syn", "SYN refused: accept queue full") \
  X(ACCEPT_QUEUE_FULL_ACK, "accept_queue_full_ack", "third ACK not honoured: accept queue full") \
  X(REQUEST_QUEUE_FULL, "request_queue_full", "SYN refused: request queue full, cookies off") \
  X(SYN_BACKLOG, "syn_backlog", "SYN refused: max_syn_backlog's last quarter") \
  X(COOKIE_BAD, "cookie_bad", "ACK to a listener with a wrong cookie") \
  X(COOKIE_UNSOLICITED, "cookie_unsolicited", "ACK to a listener that sent no cookie lately") \
  X(LISTENER_CLOSED, "listener_closed", "the listener is gone") \
  X(REQUEST_SYN, "request_syn", "SYN with another sequence number: reset") \
  X(REQUEST_SYN_DUP, "request_syn_dup", "retransmitted SYN: SYN-ACK sent again") \
  X(REQUEST_ACK_BAD, "request_ack_bad", "acknowledges what was not sent: reset") \
  X(REQUEST_NO_ACK, "request_no_ack", "neither SYN nor ACK nor RST") \
  X(REQUEST_RST, "request_rst", "reset by the peer before it was accepted") \
  X(REQUEST_TIMEOUT, "request_timeout", "SYN-ACK retries used up") \
  X(REQUEST_EVICTED, "request_evicted", "expired early: queue more than half full") \
  X(SYNSENT_ACK_BAD, "synsent_ack_bad", "acknowledges what was not sent: reset") \
  X(SYNSENT_RST_IGNORED, "synsent_rst_ignored", "RST without an acceptable ACK") \
  X(SYNSENT_NO_SYN, "synsent_no_syn", "neither SYN nor RST") \
  X(SEQ_OLD, "seq_old", "wholly old data") \
  X(SEQ_BEYOND_WINDOW, "seq_beyond_window", "starts beyond the receive window") \
  X(ZERO_WINDOW, "zero_window", "data while the window is closed") \
  X(PAWS, "paws", "timestamp older than the last one") \
  X(RST_OUT_OF_WINDOW, "rst_out_of_window", "RST outside the window") \
  X(RST_CHALLENGED, "rst_challenged", "RST in the window but not exact: challenge ACK") \
  X(SYN_CHALLENGED, "syn_challenged", "SYN on a connection: challenge ACK") \
  X(NO_ACK_FLAG, "no_ack_flag", "segment without ACK") \
  X(ACK_TOO_OLD, "ack_too_old", "ACK older than any window sent") \
  X(ACK_UNSENT, "ack_unsent", "acknowledges data not yet sent") \
  X(RCVBUF_FULL, "rcvbuf_full", "receive buffer full") \
  X(OFO_DUPLICATE, "ofo_duplicate", "out of order and already held") \
  X(OFO_PRUNED, "ofo_pruned", "out-of-order data given up for memory") \
  X(DATA_AFTER_FIN, "data_after_fin", "data beyond the peer's FIN") \
  X(BACKLOG_FULL, "backlog_full", "socket busy and its backlog full") \
  X(SOCKET_CLOSED, "socket_closed", "connection in state CLOSED") \
  X(TIMEWAIT_OLD, "timewait_old", "segment for a TIME_WAIT entry, answered by ACK or dropped") \
  X(RESET_BY_PEER, "reset_by_peer", "acceptable RST received") \
  X(REFUSED_BY_PEER, "refused_by_peer", "RST answered our SYN") \
  X(ABORT_ON_DATA, "abort_on_data", "data arrived after close()") \
  X(ABORT_ON_CLOSE, "abort_on_close", "close() with unread data") \
  X(ABORT_ON_LINGER, "abort_on_linger", "close() with SO_LINGER {1,0}") \
  X(ABORT_BY_USER, "abort_by_user", "close() before there was a connection, disconnect, or killed by the control tool") \
  X(ABORT_LISTENER, "abort_listener", "not yet accepted when the listener closed") \
  X(ABORT_OVERFLOW, "abort_overflow", "abort_on_overflow: accept queue full at the third ACK") \
  X(ABORT_ORPHANS, "abort_orphans", "more orphans than max_orphans") \
  X(TIMEOUT_SYN, "timeout_syn", "syn_retries used up") \
  X(TIMEOUT_RETRANSMIT, "timeout_retransmit", "retries2 or orphan_retries used up") \
  X(TIMEOUT_PROBE, "timeout_probe", "zero-window probes unanswered") \
  X(TIMEOUT_KEEPALIVE, "timeout_keepalive", "keepalive probes unanswered") \
  X(TIMEOUT_USER, "timeout_user", "TCP_USER_TIMEOUT passed") \
  X(TIMEOUT_FIN_WAIT2, "timeout_fin_wait2", "orphan in FIN_WAIT_2 for fin_timeout") \
  X(ICMP_HARD, "icmp_hard", "ICMP error ended a connection attempt") \
  X(TIMEWAIT_OVERFLOW, "timewait_overflow", "max_tw_buckets reached: no TIME_WAIT kept") \
  X(TIMEWAIT_RST, "timewait_rst", "RST ended a TIME_WAIT entry") \
  X(ICMP_IGNORED, "icmp_ignored", "ICMP error for no connection or outside its window") \
  X(NORMAL_CLOSE, "normal_close", "both FINs acknowledged") \
  X(FILTERED, "filtered", "the socket's BPF filter or IPsec policy refused it") \
  X(DEFER_ACCEPT, "defer_accept", "TCP_DEFER_ACCEPT: third ACK without data ignored") \
  X(MIGRATE_FULL, "migrate_full", "no place for it in another listener of the group") \
  X(SYN_FROM_SELF, "syn_from_self", "SYN to a listener from its own address and port (land attack)") \
  X(OUTPUT_FILTERED, "output_filtered", "the answer was refused by the firewall on its way out") \
  X(OUTPUT_DROPPED, "output_dropped", "the answer was dropped by a local queue or device") \
  X(MEMORY_FULL, "memory_full", "the memory for packets of the namespace or the host is used up") \
  X(ABORT_MEMORY, "abort_memory", "closed with data to send while that memory is used up") \
  X(EXTENSION_HEADER, "extension_header", "an IPv6 extension header in front of it wants what is not done here: a fragment, a routing header, an option that must be understood")
// clang-format on

#endif  // ATCP_REASON_ROWS_H
