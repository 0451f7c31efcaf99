/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The generic netlink family "atcp": its operations, attributes and the numbers in them. Made
 * from uapi/atcp.yaml by `make gen`; do not edit.
 *
 * The control plane of atcp, a second TCP. Everything acts on the network namespace of the
 * netlink socket that asks. Reading needs no privilege; changing needs CAP_NET_ADMIN in the
 * user namespace that owns the network namespace. A refusal carries an extended ACK, a message
 * and the place of the attribute at fault. Numbers are in host order, addresses in network
 * order. Attributes of a reply that one does not know are to be skipped: later versions add
 * some.
 */
#ifndef _UAPI_LINUX_ATCP_NETLINK_H
#define _UAPI_LINUX_ATCP_NETLINK_H

#define ATCP_GENL_NAME "atcp"
#define ATCP_GENL_VERSION 1

#define ATCP_MCGRP_EVENTS "events"

/* State of a connection, with the numbers of Linux TCP (and of tcpi_state). */
enum atcp_state {
	ATCP_STATE_ESTABLISHED = 1,		/* data may flow both ways */
	ATCP_STATE_SYN_SENT = 2,		/* a SYN was sent and not answered yet */
	ATCP_STATE_SYN_RECEIVED = 3,		/* a SYN came, the handshake is not complete */
	ATCP_STATE_FIN_WAIT1 = 4,		/* the program closed; its FIN is queued, or sent
						 * and not acknowledged
						 */
	ATCP_STATE_FIN_WAIT2 = 5,		/* our FIN is acknowledged and the peer's has not
						 * come
						 */
	ATCP_STATE_TIME_WAIT = 6,		/* both FINs are acknowledged and old segments may
						 * still come
						 */
	ATCP_STATE_CLOSED = 7,			/* no connection */
	ATCP_STATE_CLOSE_WAIT = 8,		/* the peer has closed and the program has not */
	ATCP_STATE_LAST_ACK = 9,		/* both have closed, our FIN is not acknowledged */
	ATCP_STATE_LISTEN = 10,			/* a listener */
	ATCP_STATE_CLOSING = 11,		/* both closed at the same time, our FIN is not
						 * acknowledged
						 */
	__ATCP_STATE_MAX,
};

/* What an entry of the established table is. */
enum atcp_kind {
	ATCP_KIND_CONN = 1,			/* a socket, open or orphaned */
	ATCP_KIND_REQUEST = 2,			/* half-open, not yet a socket */
	ATCP_KIND_TIMEWAIT = 3,			/* no longer a socket */
	__ATCP_KIND_MAX,
};

/* What the value of a parameter looks like. */
enum atcp_param_type {
	ATCP_PARAM_TYPE_NUMBER = 1,		/* one u32 within [min, max] */
	ATCP_PARAM_TYPE_TRIPLE = 2,		/* three u32, not falling, each within [min, max] */
	ATCP_PARAM_TYPE_PAIR = 3,		/* two u32, not falling, each within [min, max] */
	ATCP_PARAM_TYPE_CC = 4,			/* name of a congestion control */
	ATCP_PARAM_TYPE_WIRE = 5,		/* tcp or atcp */
	__ATCP_PARAM_TYPE_MAX,
};

/* Where the effective value of a parameter comes from. */
enum atcp_source {
	ATCP_SOURCE_DEFAULT = 1,		/* the module's table */
	ATCP_SOURCE_NETNS = 2,			/* set in the network namespace */
	ATCP_SOURCE_LISTENER = 3,		/* inherited from the listener */
	ATCP_SOURCE_SETSOCKOPT = 4,		/* set by the program */
	ATCP_SOURCE_NETLINK = 5,		/* set on this socket through this family */
	__ATCP_SOURCE_MAX,
};

/* What a listener refused. */
enum atcp_refused {
	ATCP_REFUSED_SYN = 1,			/* a SYN */
	ATCP_REFUSED_ACK = 2,			/* a third ACK */
	__ATCP_REFUSED_MAX,
};

/* What a connection is waiting for. At every moment since it was established it is exactly one of
 * these, so the times add up to its age.
 */
enum atcp_limit {
	ATCP_LIMIT_APP = 0,			/* the program: nothing is left to send */
	ATCP_LIMIT_RWND = 1,			/* the peer's window, which is open but too small
						 * for the next segment
						 */
	ATCP_LIMIT_CWND = 2,			/* the congestion window */
	ATCP_LIMIT_PACING = 3,			/* the time of the next paced segment */
	ATCP_LIMIT_SNDBUF = 4,			/* the send buffer: all that fits in is sent, the
						 * program waits for room
						 */
	ATCP_LIMIT_DEVICE = 5,			/* a queue of this host */
	ATCP_LIMIT_RECOVERY = 6,		/* loss recovery: something is being repaired */
	ATCP_LIMIT_ZERO_WINDOW = 7,		/* the peer's window, which is closed */
	ATCP_LIMIT_DELAYED_ACK = 8,		/* all is sent and held back by Nagle's rule until
						 * the peer acknowledges a small segment
						 */
	__ATCP_LIMIT_MAX,
};

/* Who ended a connection. */
enum atcp_ended_by {
	ATCP_ENDED_BY_LOCAL_FIN = 1,		/* our FIN came first and both were acknowledged */
	ATCP_ENDED_BY_PEER_FIN = 2,		/* the peer's FIN came first and both were
						 * acknowledged
						 */
	ATCP_ENDED_BY_LOCAL_RST = 3,		/* this side reset it */
	ATCP_ENDED_BY_PEER_RST = 4,		/* the peer reset it */
	ATCP_ENDED_BY_TIMEOUT = 5,		/* nothing was heard of the peer for too long */
	ATCP_ENDED_BY_NETWORK = 6,		/* an ICMP error */
	ATCP_ENDED_BY_LOCAL_QUIET = 7,		/* this side let go of it without a reset
						 * (FIN_WAIT_2 of an orphan, no TIME_WAIT kept)
						 */
	__ATCP_ENDED_BY_MAX,
};

/* What an event tells. */
enum atcp_event_kind {
	ATCP_EVENT_KIND_STATE = 1,		/* a connection changed its state */
	ATCP_EVENT_KIND_DROP = 2,		/* a segment was dropped */
	ATCP_EVENT_KIND_RESET_SENT = 3,		/* a reset was sent */
	ATCP_EVENT_KIND_RESET_RECEIVED = 4,	/* a reset was received and accepted */
	ATCP_EVENT_KIND_RETRANSMIT = 5,		/* something was sent again */
	ATCP_EVENT_KIND_REQUEST_MADE = 6,	/* a SYN made a request */
	ATCP_EVENT_KIND_REQUEST_EXPIRED = 7,	/* a request ended without a connection: reason
						 * tells why
						 */
	ATCP_EVENT_KIND_REQUEST_PROMOTED = 8,	/* a third ACK made a connection of a request */
	ATCP_EVENT_KIND_COOKIE_SENT = 9,	/* a SYN was answered by a SYN cookie */
	ATCP_EVENT_KIND_COOKIE_ACCEPTED = 10,	/* a valid cookie made a connection */
	ATCP_EVENT_KIND_COOKIE_REFUSED = 11,	/* an ACK had no valid cookie */
	ATCP_EVENT_KIND_ACCEPT_QUEUE_FULL = 12,	/* a listener's accept queue became full */
	ATCP_EVENT_KIND_ACCEPT_QUEUE_FREE = 13,	/* it is no longer full */
	ATCP_EVENT_KIND_CWND = 14,		/* congestion window, threshold or state of
						 * congestion control changed
						 */
	ATCP_EVENT_KIND_CLOSED = 15,		/* a connection ended: record tells all of it */
	ATCP_EVENT_KIND_LOST = 16,		/* the reader was too slow; count events were not
						 * delivered to him
						 */
	__ATCP_EVENT_KIND_MAX,
};

/* Why something was sent again. */
enum atcp_retransmit_kind {
	ATCP_RETRANSMIT_KIND_FAST = 1,		/* it was thought lost (RACK or three duplicate
						 * ACKs)
						 */
	ATCP_RETRANSMIT_KIND_TIMEOUT = 2,	/* the retransmission timer expired */
	ATCP_RETRANSMIT_KIND_PROBE = 3,		/* tail loss probe */
	ATCP_RETRANSMIT_KIND_SYN = 4,		/* a SYN */
	ATCP_RETRANSMIT_KIND_SYNACK = 5,	/* a SYN-ACK */
	__ATCP_RETRANSMIT_KIND_MAX,
};

/* Why a segment was dropped, a reset sent, a connection refused or ended. */
enum atcp_reason {
	ATCP_REASON_NONE = 0,			/* nothing was dropped */
	ATCP_REASON_HDR_TRUNCATED = 1,		/* shorter than a TCP header */
	ATCP_REASON_DATA_OFFSET = 2,		/* data offset < 5 or beyond the segment */
	ATCP_REASON_CHECKSUM = 3,		/* checksum wrong */
	ATCP_REASON_NOT_UNICAST = 4,		/* to or from broadcast, multicast, 0.0.0.0 */
	ATCP_REASON_FLAGS_NONE = 5,		/* none of SYN, ACK, RST, FIN */
	ATCP_REASON_FLAGS_SYN_FIN = 6,		/* SYN together with FIN */
	ATCP_REASON_NO_MEMORY = 7,		/* an allocation failed, or all sockets together
						 * have taken what they may
						 */
	ATCP_REASON_NO_ROUTE = 8,		/* no route to the peer for an answer */
	ATCP_REASON_NO_SOCKET = 9,		/* nobody has this 4-tuple */
	ATCP_REASON_LISTEN_RST = 10,		/* RST to a listener */
	ATCP_REASON_LISTEN_ACK = 11,		/* ACK or SYN-ACK to a listener: answered with RST
						 */
	ATCP_REASON_LISTEN_NO_SYN = 12,		/* FIN or other segment without SYN to a listener */
	ATCP_REASON_ACCEPT_QUEUE_FULL_SYN = 13,	/* SYN refused: accept queue full */
	ATCP_REASON_ACCEPT_QUEUE_FULL_ACK = 14,	/* third ACK not honoured: accept queue full */
	ATCP_REASON_REQUEST_QUEUE_FULL = 15,	/* SYN refused: request queue full, cookies off */
	ATCP_REASON_SYN_BACKLOG = 16,		/* SYN refused: max_syn_backlog's last quarter */
	ATCP_REASON_COOKIE_BAD = 17,		/* ACK to a listener with a wrong cookie */
	ATCP_REASON_COOKIE_UNSOLICITED = 18,	/* ACK to a listener that sent no cookie lately */
	ATCP_REASON_LISTENER_CLOSED = 19,	/* the listener is gone */
	ATCP_REASON_REQUEST_SYN = 20,		/* SYN with another sequence number: reset */
	ATCP_REASON_REQUEST_SYN_DUP = 21,	/* retransmitted SYN: SYN-ACK sent again */
	ATCP_REASON_REQUEST_ACK_BAD = 22,	/* acknowledges what was not sent: reset */
	ATCP_REASON_REQUEST_NO_ACK = 23,	/* neither SYN nor ACK nor RST */
	ATCP_REASON_REQUEST_RST = 24,		/* reset by the peer before it was accepted */
	ATCP_REASON_REQUEST_TIMEOUT = 25,	/* SYN-ACK retries used up */
	ATCP_REASON_REQUEST_EVICTED = 26,	/* expired early: queue more than half full */
	ATCP_REASON_SYNSENT_ACK_BAD = 27,	/* acknowledges what was not sent: reset */
	ATCP_REASON_SYNSENT_RST_IGNORED = 28,	/* RST without an acceptable ACK */
	ATCP_REASON_SYNSENT_NO_SYN = 29,	/* neither SYN nor RST */
	ATCP_REASON_SEQ_OLD = 30,		/* wholly old data */
	ATCP_REASON_SEQ_BEYOND_WINDOW = 31,	/* starts beyond the receive window */
	ATCP_REASON_ZERO_WINDOW = 32,		/* data while the window is closed */
	ATCP_REASON_PAWS = 33,			/* timestamp older than the last one */
	ATCP_REASON_RST_OUT_OF_WINDOW = 34,	/* RST outside the window */
	ATCP_REASON_RST_CHALLENGED = 35,	/* RST in the window but not exact: challenge ACK */
	ATCP_REASON_SYN_CHALLENGED = 36,	/* SYN on a connection: challenge ACK */
	ATCP_REASON_NO_ACK_FLAG = 37,		/* segment without ACK */
	ATCP_REASON_ACK_TOO_OLD = 38,		/* ACK older than any window sent */
	ATCP_REASON_ACK_UNSENT = 39,		/* acknowledges data not yet sent */
	ATCP_REASON_RCVBUF_FULL = 40,		/* receive buffer full */
	ATCP_REASON_OFO_DUPLICATE = 41,		/* out of order and already held */
	ATCP_REASON_OFO_PRUNED = 42,		/* out-of-order data given up for memory */
	ATCP_REASON_DATA_AFTER_FIN = 43,	/* data beyond the peer's FIN */
	ATCP_REASON_BACKLOG_FULL = 44,		/* socket busy and its backlog full */
	ATCP_REASON_SOCKET_CLOSED = 45,		/* connection in state CLOSED */
	ATCP_REASON_TIMEWAIT_OLD = 46,		/* segment for a TIME_WAIT entry, answered by ACK or
						 * dropped
						 */
	ATCP_REASON_RESET_BY_PEER = 47,		/* acceptable RST received */
	ATCP_REASON_REFUSED_BY_PEER = 48,	/* RST answered our SYN */
	ATCP_REASON_ABORT_ON_DATA = 49,		/* data arrived after close() */
	ATCP_REASON_ABORT_ON_CLOSE = 50,	/* close() with unread data */
	ATCP_REASON_ABORT_ON_LINGER = 51,	/* close() with SO_LINGER {1,0} */
	ATCP_REASON_ABORT_BY_USER = 52,		/* close() before there was a connection,
						 * disconnect, or killed by the control tool
						 */
	ATCP_REASON_ABORT_LISTENER = 53,	/* not yet accepted when the listener closed */
	ATCP_REASON_ABORT_OVERFLOW = 54,	/* abort_on_overflow: accept queue full at the third
						 * ACK
						 */
	ATCP_REASON_ABORT_ORPHANS = 55,		/* more orphans than max_orphans */
	ATCP_REASON_TIMEOUT_SYN = 56,		/* syn_retries used up */
	ATCP_REASON_TIMEOUT_RETRANSMIT = 57,	/* retries2 or orphan_retries used up */
	ATCP_REASON_TIMEOUT_PROBE = 58,		/* zero-window probes unanswered */
	ATCP_REASON_TIMEOUT_KEEPALIVE = 59,	/* keepalive probes unanswered */
	ATCP_REASON_TIMEOUT_USER = 60,		/* TCP_USER_TIMEOUT passed */
	ATCP_REASON_TIMEOUT_FIN_WAIT2 = 61,	/* orphan in FIN_WAIT_2 for fin_timeout */
	ATCP_REASON_ICMP_HARD = 62,		/* ICMP error ended a connection attempt */
	ATCP_REASON_TIMEWAIT_OVERFLOW = 63,	/* max_tw_buckets reached: no TIME_WAIT kept */
	ATCP_REASON_TIMEWAIT_RST = 64,		/* RST ended a TIME_WAIT entry */
	ATCP_REASON_ICMP_IGNORED = 65,		/* ICMP error for no connection or outside its
						 * window
						 */
	ATCP_REASON_NORMAL_CLOSE = 66,		/* both FINs acknowledged */
	ATCP_REASON_FILTERED = 67,		/* the socket's BPF filter or IPsec policy refused
						 * it
						 */
	ATCP_REASON_DEFER_ACCEPT = 68,		/* TCP_DEFER_ACCEPT: third ACK without data ignored
						 */
	ATCP_REASON_MIGRATE_FULL = 69,		/* no place for it in another listener of the group
						 */
	ATCP_REASON_SYN_FROM_SELF = 70,		/* SYN to a listener from its own address and port
						 * (land attack)
						 */
	ATCP_REASON_OUTPUT_FILTERED = 71,	/* the answer was refused by the firewall on its way
						 * out
						 */
	ATCP_REASON_OUTPUT_DROPPED = 72,	/* the answer was dropped by a local queue or device
						 */
	ATCP_REASON_MEMORY_FULL = 73,		/* the memory for packets of the namespace or the
						 * host is used up
						 */
	ATCP_REASON_ABORT_MEMORY = 74,		/* closed with data to send while that memory is
						 * used up
						 */
	ATCP_REASON_EXTENSION_HEADER = 75,	/* an IPv6 extension header in front of it wants
						 * what is not done here: a fragment, a routing
						 * header, an option that must be understood
						 */
	__ATCP_REASON_MAX,
};

/* What messages hold at their top. */
enum atcp_attr {
	ATCP_A_UNSPEC = 0,			/* none */
	ATCP_A_PARAM = 1,			/* nest of atcp_param_attr, many: a parameter;
						 * several to set or reset some at once, all of them
						 * or none
						 */
	ATCP_A_SOCKET = 2,			/* nest of atcp_socket_attr: an entry of the
						 * established table
						 */
	ATCP_A_LISTENER = 3,			/* nest of atcp_listener_attr: a listener */
	ATCP_A_COUNTER = 4,			/* nest of atcp_counter_attr: a counter */
	ATCP_A_REASON = 5,			/* nest of atcp_reason_attr: a reason and how often
						 * it arose
						 */
	ATCP_A_ID = 6,				/* u64: a socket, by its cookie (SO_COOKIE) */
	ATCP_A_FILTER = 7,			/* nest of atcp_filter_attr: which sockets or
						 * events; all conditions hold at once
						 */
	ATCP_A_CC = 8,				/* nest of atcp_cc_attr: a congestion control */
	ATCP_A_TABLES = 9,			/* nest of atcp_tables_attr: the tables of the
						 * namespace
						 */
	ATCP_A_EVENT = 10,			/* nest of atcp_event_attr: an event */
	ATCP_A_RECORD = 11,			/* nest of atcp_record_attr: what became of a
						 * connection that has ended
						 */
	ATCP_A_COUNT = 12,			/* u32: how many sockets the operation concerned */
	ATCP_A_PAD = 13,			/* for alignment, without meaning */
	__ATCP_A_MAX,
};

/* One parameter. To set it takes name and value, to get or reset it the name. */
enum atcp_param_attr {
	ATCP_PARAM_A_UNSPEC = 0,		/* none */
	ATCP_PARAM_A_NAME = 1,			/* string: its name */
	ATCP_PARAM_A_TYPE = 2,			/* u8 of enum atcp_param_type: what the value looks
						 * like
						 */
	ATCP_PARAM_A_VALUE = 3,			/* string: number, name, or numbers separated by
						 * blanks
						 */
	ATCP_PARAM_A_DEFAULT = 4,		/* string: value without any setting */
	ATCP_PARAM_A_MIN = 5,			/* u32: least value; absent if the value is a name
						 */
	ATCP_PARAM_A_MAX = 6,			/* u32: largest value; absent if the value is a name
						 */
	ATCP_PARAM_A_UNIT = 7,			/* string: unit, may be empty */
	ATCP_PARAM_A_HELP = 8,			/* string: what it does */
	ATCP_PARAM_A_PER_SOCKET = 9,		/* flag: it may be set on one socket, too */
	ATCP_PARAM_A_SOURCE = 10,		/* u8 of enum atcp_source: where the effective value
						 * comes from
						 */
	__ATCP_PARAM_A_MAX,
};

/* Conditions of which all present ones must hold. */
enum atcp_filter_attr {
	ATCP_FILTER_A_UNSPEC = 0,		/* none */
	ATCP_FILTER_A_STATES = 1,		/* u32: bit set of states, bit n for state n */
	ATCP_FILTER_A_FAMILY = 2,		/* u16: AF_INET or AF_INET6 */
	ATCP_FILTER_A_LADDR = 3,		/* binary: local address, 4 or 16 bytes */
	ATCP_FILTER_A_LADDR_PREFIX = 4,		/* u8: bits of laddr that count; all without */
	ATCP_FILTER_A_RADDR = 5,		/* binary: address of the peer, 4 or 16 bytes */
	ATCP_FILTER_A_RADDR_PREFIX = 6,		/* u8: bits of raddr that count; all without */
	ATCP_FILTER_A_LPORT_MIN = 7,		/* u16: least local port */
	ATCP_FILTER_A_LPORT_MAX = 8,		/* u16: largest local port */
	ATCP_FILTER_A_RPORT_MIN = 9,		/* u16: least port of the peer */
	ATCP_FILTER_A_RPORT_MAX = 10,		/* u16: largest port of the peer */
	ATCP_FILTER_A_UID = 11,			/* u32: owner, in the reader's user namespace */
	ATCP_FILTER_A_CC = 12,			/* string: name of the congestion control */
	ATCP_FILTER_A_LISTENER = 13,		/* u64: cookie of a listener: its requests, and
						 * connections to its address and port
						 */
	ATCP_FILTER_A_ID = 14,			/* u64: cookie of one socket */
	ATCP_FILTER_A_EVENTS = 15,		/* u32: bit set of event kinds, bit n for kind n; of
						 * subscriptions only
						 */
	ATCP_FILTER_A_REASONS = 16,		/* binary: bit set of reasons, bit n % 8 of byte n /
						 * 8 for reason n; of subscriptions only, to events
						 * that have a reason
						 */
	ATCP_FILTER_A_PAD = 17,			/* for alignment, without meaning */
	__ATCP_FILTER_A_MAX,
};

/* A connection, request or TIME_WAIT entry. Requests and TIME_WAIT entries have state to rport,
 * retrans and expires-ms; requests also their listener's uid. A dump has what ss shows; one socket
 * asked for by its id has all.
 */
enum atcp_socket_attr {
	ATCP_SOCKET_A_UNSPEC = 0,		/* none */
	ATCP_SOCKET_A_STATE = 1,		/* u8 of enum atcp_state: its state */
	ATCP_SOCKET_A_KIND = 2,			/* u8 of enum atcp_kind: what it is */
	ATCP_SOCKET_A_FAMILY = 3,		/* u16: AF_INET, AF_INET6 */
	ATCP_SOCKET_A_LADDR = 4,		/* binary: local address, 4 or 16 bytes */
	ATCP_SOCKET_A_RADDR = 5,		/* binary: the peer's, 4 or 16 bytes */
	ATCP_SOCKET_A_LPORT = 6,		/* u16: local port */
	ATCP_SOCKET_A_RPORT = 7,		/* u16: the peer's port */
	ATCP_SOCKET_A_UID = 8,			/* u32: owner, in the reader's user namespace */
	ATCP_SOCKET_A_INODE = 9,		/* u64: as in /proc/PID/fd; 0 if no program has it
						 * open
						 */
	ATCP_SOCKET_A_RECVQ = 10,		/* u32: bytes not yet read */
	ATCP_SOCKET_A_SENDQ = 11,		/* u32: bytes not yet acknowledged */
	ATCP_SOCKET_A_CC = 12,			/* string: congestion control */
	ATCP_SOCKET_A_CWND = 13,		/* u32: congestion window, segments */
	ATCP_SOCKET_A_SSTHRESH = 14,		/* u32: slow start threshold, segments */
	ATCP_SOCKET_A_SRTT_US = 15,		/* u32: smoothed round-trip time, microseconds */
	ATCP_SOCKET_A_RTTVAR_US = 16,		/* u32: its variation, microseconds */
	ATCP_SOCKET_A_RTO_US = 17,		/* u32: retransmission timeout, microseconds, backed
						 * off
						 */
	ATCP_SOCKET_A_MSS = 18,			/* u32: payload bytes of a segment */
	ATCP_SOCKET_A_RETRANS = 19,		/* u32: segments (of a request: SYN-ACKs) sent
						 * again, in all
						 */
	ATCP_SOCKET_A_BYTES_ACKED = 20,		/* u64: payload the peer has acknowledged */
	ATCP_SOCKET_A_BYTES_RECEIVED = 21,	/* u64: payload received in order */
	ATCP_SOCKET_A_SND_WND = 22,		/* u32: the peer's window, bytes */
	ATCP_SOCKET_A_RCV_WND = 23,		/* u32: the window last told the peer, bytes */
	ATCP_SOCKET_A_EXPIRES_MS = 24,		/* u32: time until the next timer of a request or
						 * TIME_WAIT entry
						 */
	ATCP_SOCKET_A_RCVBUF = 25,		/* u32: SO_RCVBUF, bytes */
	ATCP_SOCKET_A_SNDBUF = 26,		/* u32: SO_SNDBUF, bytes */
	ATCP_SOCKET_A_PAD = 27,			/* for alignment, without meaning */
	ATCP_SOCKET_A_ID = 28,			/* u64: its cookie (SO_COOKIE) */
	ATCP_SOCKET_A_MIN_RTT_US = 29,		/* u32: least round-trip time lately, microseconds
						 */
	ATCP_SOCKET_A_RCV_RTT_US = 30,		/* u32: round-trip time as the receiver sees it,
						 * microseconds
						 */
	ATCP_SOCKET_A_ATO_US = 31,		/* u32: delay of acknowledgements, microseconds */
	ATCP_SOCKET_A_ADVMSS = 32,		/* u32: MSS told the peer */
	ATCP_SOCKET_A_RCV_MSS = 33,		/* u32: the peer's segment size as observed */
	ATCP_SOCKET_A_PMTU = 34,		/* u32: path MTU */
	ATCP_SOCKET_A_OPTIONS = 35,		/* u32: agreed on the SYNs: bit 0 timestamps, 1
						 * SACK, 2 window scaling, 3 ECN, 4 ECN seen, 5 data
						 * of the SYN was taken (as tcpi_options)
						 */
	ATCP_SOCKET_A_SND_WSCALE = 36,		/* u8: shift of the peer's window */
	ATCP_SOCKET_A_RCV_WSCALE = 37,		/* u8: shift of ours */
	ATCP_SOCKET_A_CA_STATE = 38,		/* u8: 0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss
						 */
	ATCP_SOCKET_A_PACKETS_OUT = 39,		/* u32: segments sent and not acknowledged */
	ATCP_SOCKET_A_SACKED = 40,		/* u32: of these SACKed */
	ATCP_SOCKET_A_LOST = 41,		/* u32: of these thought lost */
	ATCP_SOCKET_A_RETRANS_OUT = 42,		/* u32: of these sent again and in the network */
	ATCP_SOCKET_A_REORDERING = 43,		/* u32: segments by which the path may reorder */
	ATCP_SOCKET_A_RETRANSMITS = 44,		/* u32: timeouts in a row */
	ATCP_SOCKET_A_PROBES = 45,		/* u32: unanswered window or keepalive probes */
	ATCP_SOCKET_A_BACKOFF = 46,		/* u32: doublings of the timeout */
	ATCP_SOCKET_A_RCV_SPACE = 47,		/* u32: bytes the program read in the last round
						 * trip
						 */
	ATCP_SOCKET_A_RCV_SSTHRESH = 48,	/* u32: bytes the window may grow to now */
	ATCP_SOCKET_A_NOTSENT = 49,		/* u32: bytes not sent yet */
	ATCP_SOCKET_A_SND_UNA = 50,		/* u32: oldest unacknowledged sequence number */
	ATCP_SOCKET_A_SND_NXT = 51,		/* u32: next sequence number to send */
	ATCP_SOCKET_A_WRITE_SEQ = 52,		/* u32: end of what the program wrote */
	ATCP_SOCKET_A_RCV_NXT = 53,		/* u32: next sequence number expected */
	ATCP_SOCKET_A_COPIED_SEQ = 54,		/* u32: next sequence number the program reads */
	ATCP_SOCKET_A_LAST_DATA_SENT_US = 55,	/* u32: since data was sent last, microseconds */
	ATCP_SOCKET_A_LAST_DATA_RECV_US = 56,	/* u32: since data was received last, microseconds
						 */
	ATCP_SOCKET_A_LAST_ACK_RECV_US = 57,	/* u32: since an ACK was received last, microseconds
						 */
	ATCP_SOCKET_A_SEGS_IN = 58,		/* u32: segments received */
	ATCP_SOCKET_A_SEGS_OUT = 59,		/* u32: segments sent */
	ATCP_SOCKET_A_DATA_SEGS_IN = 60,	/* u32: of these with payload */
	ATCP_SOCKET_A_DATA_SEGS_OUT = 61,	/* u32: of these with payload */
	ATCP_SOCKET_A_BYTES_SENT = 62,		/* u64: payload sent */
	ATCP_SOCKET_A_BYTES_RETRANS = 63,	/* u64: of it sent again */
	ATCP_SOCKET_A_PACING_RATE = 64,		/* u64: bytes per second, 0: none */
	ATCP_SOCKET_A_DELIVERY_RATE = 65,	/* u64: bytes per second as measured last, 0: none
						 */
	ATCP_SOCKET_A_DELIVERED = 66,		/* u32: segments delivered */
	ATCP_SOCKET_A_DSACK_DUPS = 67,		/* u32: segments that the peer said it had twice */
	ATCP_SOCKET_A_REORD_SEEN = 68,		/* u32: how often reordering was seen */
	ATCP_SOCKET_A_TIMER = 69,		/* nest of atcp_timer_attr, many: a deadline that is
						 * set
						 */
	ATCP_SOCKET_A_LIMITED = 70,		/* nest of atcp_limited_attr, many: what it waited
						 * for how long
						 */
	ATCP_SOCKET_A_IN_STATE = 71,		/* nest of atcp_in_state_attr, many: how long it was
						 * in a state
						 */
	ATCP_SOCKET_A_DROP = 72,		/* nest of atcp_reason_attr, many: segments of this
						 * connection that were dropped, id and value
						 */
	ATCP_SOCKET_A_LIMITED_BY = 73,		/* u8 of enum atcp_limit: what it waits for now */
	ATCP_SOCKET_A_HANDSHAKE_US = 74,	/* u32: from the first SYN to established,
						 * microseconds
						 */
	ATCP_SOCKET_A_AGE_US = 75,		/* u64: since it was established, microseconds; the
						 * times of limited add up to it
						 */
	ATCP_SOCKET_A_ORPHANED = 76,		/* flag: no program has it open */
	ATCP_SOCKET_A_PASSIVE = 77,		/* flag: opened by a listener */
	ATCP_SOCKET_A_URGENT = 78,		/* flag: urgent data of the peer is ahead */
	ATCP_SOCKET_A_CC_INFO = 79,		/* string: state of the congestion control in words,
						 * if it has any
						 */
	__ATCP_SOCKET_A_MAX,
};

/* A deadline of a connection. */
enum atcp_timer_attr {
	ATCP_TIMER_A_UNSPEC = 0,		/* none */
	ATCP_TIMER_A_NAME = 1,			/* string: retransmit, probe, keepalive, delack,
						 * pacing and so on
						 */
	ATCP_TIMER_A_LEFT_US = 2,		/* u64: microseconds left, 0: due */
	ATCP_TIMER_A_PAD = 3,			/* for alignment, without meaning */
	__ATCP_TIMER_A_MAX,
};

/* A share of a connection's time. */
enum atcp_limited_attr {
	ATCP_LIMITED_A_UNSPEC = 0,		/* none */
	ATCP_LIMITED_A_BY = 1,			/* u8 of enum atcp_limit: what it waited for */
	ATCP_LIMITED_A_US = 2,			/* u64: for how long */
	ATCP_LIMITED_A_PAD = 3,			/* for alignment, without meaning */
	__ATCP_LIMITED_A_MAX,
};

/* Time spent in a state. */
enum atcp_in_state_attr {
	ATCP_IN_STATE_A_UNSPEC = 0,		/* none */
	ATCP_IN_STATE_A_STATE = 1,		/* u8 of enum atcp_state: which */
	ATCP_IN_STATE_A_MS = 2,			/* u32: for how long */
	__ATCP_IN_STATE_A_MAX,
};

/* A listener, its queues and its ledger: syns = synacks + syn-dups + syn-drops and acks = children
 * + ack-drops whenever no segment is just being processed.
 */
enum atcp_listener_attr {
	ATCP_LISTENER_A_UNSPEC = 0,		/* none */
	ATCP_LISTENER_A_FAMILY = 1,		/* u16: AF_INET, AF_INET6 */
	ATCP_LISTENER_A_LADDR = 2,		/* binary: local address, 4 or 16 bytes */
	ATCP_LISTENER_A_LPORT = 3,		/* u16: local port */
	ATCP_LISTENER_A_UID = 4,		/* u32: owner, in the reader's user namespace */
	ATCP_LISTENER_A_INODE = 5,		/* u64: as in /proc/PID/fd */
	ATCP_LISTENER_A_ACCEPT_QUEUE = 6,	/* u32: established, waiting for accept() */
	ATCP_LISTENER_A_BACKLOG = 7,		/* u32: limit of both queues (one more is admitted)
						 */
	ATCP_LISTENER_A_REQUESTS = 8,		/* u32: half-open */
	ATCP_LISTENER_A_SYNS = 9,		/* u64: SYNs seen */
	ATCP_LISTENER_A_SYNACKS = 10,		/* u64: first SYN-ACKs sent, cookies included */
	ATCP_LISTENER_A_SYN_DUPS = 11,		/* u64: SYNs that repeated a request */
	ATCP_LISTENER_A_ACCEPTED = 12,		/* u64: connections handed to the program */
	ATCP_LISTENER_A_OVERFLOW_SYN = 13,	/* u64: SYNs refused because the accept queue was
						 * full
						 */
	ATCP_LISTENER_A_OVERFLOW_ACK = 14,	/* u64: third ACKs not honoured for the same reason
						 */
	ATCP_LISTENER_A_SYN_DROPS = 15,		/* u64: SYNs refused for any reason */
	ATCP_LISTENER_A_PAD = 16,		/* for alignment, without meaning */
	ATCP_LISTENER_A_ACKS = 17,		/* u64: third ACKs seen */
	ATCP_LISTENER_A_CHILDREN = 18,		/* u64: connections they made; the rest are ack-
						 * drops
						 */
	ATCP_LISTENER_A_ACK_DROPS = 19,		/* u64: third ACKs not honoured for any reason */
	ATCP_LISTENER_A_COOKIES = 20,		/* u64: SYN-ACKs that were SYN cookies */
	ATCP_LISTENER_A_ACCEPT_QUEUE_HIGH = 21,	/* u32: most that ever waited for accept() */
	ATCP_LISTENER_A_REQUESTS_HIGH = 22,	/* u32: most that were ever half-open */
	ATCP_LISTENER_A_CROWDED_MS = 23,	/* u64: time with the accept queue above 80 % of
						 * backlog
						 */
	ATCP_LISTENER_A_MIGRATED_IN = 24,	/* u64: taken over from closing listeners of the
						 * group
						 */
	ATCP_LISTENER_A_MIGRATED_OUT = 25,	/* u64: that other listeners of the group took over
						 */
	ATCP_LISTENER_A_AT_SOMAXCONN = 26,	/* flag: the backlog is what net.core.somaxconn or
						 * the parameter somaxconn allowed at listen(), so
						 * the program asked for this much or for more
						 */
	ATCP_LISTENER_A_REASON = 27,		/* nest of atcp_reason_attr, many: refused SYNs and
						 * third ACKs by reason, id to segment
						 */
	ATCP_LISTENER_A_ID = 28,		/* u64: its cookie (SO_COOKIE) */
	ATCP_LISTENER_A_YOUNG = 29,		/* u32: requests whose SYN-ACK was sent once */
	__ATCP_LISTENER_A_MAX,
};

/* A counter of the namespace. */
enum atcp_counter_attr {
	ATCP_COUNTER_A_UNSPEC = 0,		/* none */
	ATCP_COUNTER_A_NAME = 1,		/* string: Linux's name where Linux has one */
	ATCP_COUNTER_A_VALUE = 2,		/* u64: its value */
	ATCP_COUNTER_A_HELP = 3,		/* string: what it counts */
	ATCP_COUNTER_A_PAD = 4,			/* for alignment, without meaning */
	__ATCP_COUNTER_A_MAX,
};

/* A reason and how often it arose. */
enum atcp_reason_attr {
	ATCP_REASON_A_UNSPEC = 0,		/* none */
	ATCP_REASON_A_ID = 1,			/* u32 of enum atcp_reason: which */
	ATCP_REASON_A_NAME = 2,			/* string: its name, as the tool prints it */
	ATCP_REASON_A_VALUE = 3,		/* u64: how often */
	ATCP_REASON_A_HELP = 4,			/* string: what it means */
	ATCP_REASON_A_PAD = 5,			/* for alignment, without meaning */
	ATCP_REASON_A_SEGMENT = 6,		/* u8 of enum atcp_refused: what was refused; only
						 * within a listener
						 */
	__ATCP_REASON_A_MAX,
};

/* A congestion control. */
enum atcp_cc_attr {
	ATCP_CC_A_UNSPEC = 0,			/* none */
	ATCP_CC_A_NAME = 1,			/* string: its name */
	ATCP_CC_A_IS_DEFAULT = 2,		/* flag: new sockets of this namespace get it */
	ATCP_CC_A_RESTRICTED = 3,		/* flag: only those with CAP_NET_ADMIN may choose
						 * it, unless it is the default
						 */
	ATCP_CC_A_MODULE = 4,			/* string: module it comes from, if not this one */
	__ATCP_CC_A_MAX,
};

/* The tables of a namespace and how full they are. */
enum atcp_tables_attr {
	ATCP_TABLES_A_UNSPEC = 0,		/* none */
	ATCP_TABLES_A_EHASH_SLOTS = 1,		/* u32: chains of the established table */
	ATCP_TABLES_A_EHASH_ENTRIES = 2,	/* u32: connections, requests and TIME_WAIT entries
						 * in it
						 */
	ATCP_TABLES_A_EHASH_GROWN = 3,		/* u64: how often it grew */
	ATCP_TABLES_A_EHASH_SHRUNK = 4,		/* u64: how often it shrank */
	ATCP_TABLES_A_REQUESTS = 5,		/* u32: requests */
	ATCP_TABLES_A_TIMEWAITS = 6,		/* u32: TIME_WAIT entries */
	ATCP_TABLES_A_SOCKETS = 7,		/* u32: open sockets and orphans */
	ATCP_TABLES_A_ORPHANS = 8,		/* u32: sockets that no program has open */
	ATCP_TABLES_A_LISTENERS = 9,		/* u32: listeners */
	ATCP_TABLES_A_PORTS = 10,		/* u32: local ports in use */
	ATCP_TABLES_A_MEM_PAGES = 11,		/* u64: pages of memory that packets of this
						 * namespace take
						 */
	ATCP_TABLES_A_MEM_LEVEL = 12,		/* u8: 0 enough, 1 pressure, 2 full (parameter mem)
						 */
	ATCP_TABLES_A_SUBSCRIBERS = 13,		/* u32: who reads events */
	ATCP_TABLES_A_EVENTS_LOST = 14,		/* u64: events that readers were too slow for */
	ATCP_TABLES_A_RECORDS = 15,		/* u32: closing records kept */
	ATCP_TABLES_A_PAD = 16,			/* for alignment, without meaning */
	__ATCP_TABLES_A_MAX,
};

/* Something happened. Which attributes are there depends on kind; unknown ones are left out. */
enum atcp_event_attr {
	ATCP_EVENT_A_UNSPEC = 0,		/* none */
	ATCP_EVENT_A_KIND = 1,			/* u32 of enum atcp_event_kind: what */
	ATCP_EVENT_A_TIME_NS = 2,		/* u64: when, CLOCK_MONOTONIC */
	ATCP_EVENT_A_SEQ = 3,			/* u64: number of the event among all of this
						 * namespace since somebody listens
						 */
	ATCP_EVENT_A_ID = 4,			/* u64: cookie of the socket, of a listener for what
						 * has none; absent: no socket
						 */
	ATCP_EVENT_A_FAMILY = 5,		/* u16: AF_INET, AF_INET6 */
	ATCP_EVENT_A_LADDR = 6,			/* binary: local address */
	ATCP_EVENT_A_RADDR = 7,			/* binary: the peer's */
	ATCP_EVENT_A_LPORT = 8,			/* u16: local port */
	ATCP_EVENT_A_RPORT = 9,			/* u16: the peer's port */
	ATCP_EVENT_A_REASON = 10,		/* u32 of enum atcp_reason: why */
	ATCP_EVENT_A_REASON_NAME = 11,		/* string: the same in letters */
	ATCP_EVENT_A_OLD_STATE = 12,		/* u8 of enum atcp_state: of event state */
	ATCP_EVENT_A_NEW_STATE = 13,		/* u8 of enum atcp_state: of event state */
	ATCP_EVENT_A_TCP_SEQ = 14,		/* u32: sequence number of the segment dropped, sent
						 * again, or of the reset; for who may see it
						 * (event-subscribe)
						 */
	ATCP_EVENT_A_LEN = 15,			/* u32: bytes of its payload */
	ATCP_EVENT_A_TCP_FLAGS = 16,		/* u8: its flags, FIN = 1, SYN = 2, RST = 4, PSH =
						 * 8, ACK = 16 and so on
						 */
	ATCP_EVENT_A_RETRANSMIT = 17,		/* u8 of enum atcp_retransmit_kind: of event
						 * retransmit
						 */
	ATCP_EVENT_A_CWND = 18,			/* u32: segments; of event cwnd */
	ATCP_EVENT_A_SSTHRESH = 19,		/* u32: segments; of event cwnd */
	ATCP_EVENT_A_CA_STATE = 20,		/* u8: as in socket; of event cwnd */
	ATCP_EVENT_A_SRTT_US = 21,		/* u32: microseconds; of event cwnd */
	ATCP_EVENT_A_INFLIGHT = 22,		/* u32: segments in the network; of event cwnd */
	ATCP_EVENT_A_PACING_RATE = 23,		/* u64: bytes per second; of event cwnd */
	ATCP_EVENT_A_DELIVERY_RATE = 24,	/* u64: bytes per second; of event cwnd */
	ATCP_EVENT_A_QUEUE = 25,		/* u32: length of the accept queue; of its events */
	ATCP_EVENT_A_LIMIT = 26,		/* u32: its limit; of its events */
	ATCP_EVENT_A_COUNT = 27,		/* u64: events lost; of event lost */
	ATCP_EVENT_A_RECORD = 28,		/* nest of atcp_record_attr: of event closed */
	ATCP_EVENT_A_PAD = 29,			/* for alignment, without meaning */
	__ATCP_EVENT_A_MAX,
};

/* What became of a connection that has ended. */
enum atcp_record_attr {
	ATCP_RECORD_A_UNSPEC = 0,		/* none */
	ATCP_RECORD_A_SOCKET = 1,		/* nest of atcp_socket_attr: as it was at the end,
						 * with times, shares and drops
						 */
	ATCP_RECORD_A_OPENED_NS = 2,		/* u64: when it was opened, CLOCK_MONOTONIC */
	ATCP_RECORD_A_CLOSED_NS = 3,		/* u64: when it ended, CLOCK_MONOTONIC */
	ATCP_RECORD_A_ENDED_BY = 4,		/* u8 of enum atcp_ended_by: who */
	ATCP_RECORD_A_REASON = 5,		/* u32 of enum atcp_reason: why */
	ATCP_RECORD_A_REASON_NAME = 6,		/* string: the same in letters */
	ATCP_RECORD_A_PAD = 7,			/* for alignment, without meaning */
	__ATCP_RECORD_A_MAX,
};

/* Operations and notifications. */
enum atcp_cmd {
	ATCP_CMD_UNSPEC = 0,			/* none */
	ATCP_CMD_PARAM_GET = 1,			/* Value, default, range and meaning of one
						 * parameter or of all; with id as they are for that
						 * socket.
						 */
	ATCP_CMD_PARAM_SET = 2,			/* Set parameters of the namespace, or, with id, of
						 * one socket, all that are named or none.
						 */
	ATCP_CMD_SOCKET_GET = 3,		/* One socket in full; or (dump) connections,
						 * requests and TIME_WAIT entries that a filter lets
						 * through.
						 */
	ATCP_CMD_LISTENER_GET = 4,		/* Listeners with their queues, limits and ledgers.
						 */
	ATCP_CMD_COUNTER_GET = 5,		/* The counters of the namespace. */
	ATCP_CMD_REASON_GET = 6,		/* All reasons and how often each arose. */
	ATCP_CMD_PARAM_RESET = 7,		/* Back to the defaults those named, or all; with id
						 * those of one socket back to its namespace's.
						 */
	ATCP_CMD_CC_GET = 8,			/* The congestion controls that are there. */
	ATCP_CMD_TABLES_GET = 9,		/* The tables of the namespace and how full they
						 * are.
						 */
	ATCP_CMD_SOCKET_KILL = 10,		/* Reset the connections that the filter lets
						 * through, and take requests and TIME_WAIT entries
						 * away. The program gets ECONNABORTED. The filter
						 * may not be empty. Listeners are ended as well if
						 * states names listen, or id one. count tells how
						 * many it were.
						 */
	ATCP_CMD_RECORD_GET = 11,		/* What became of the last connections that ended,
						 * the oldest first (parameter closing_records).
						 */
	ATCP_CMD_EVENT_SUBSCRIBE = 12,		/* From now on the asking socket gets the events
						 * that the filter lets through as event-ntf, until
						 * it is closed. Asked again, the new filter takes
						 * the place of the old one. Without CAP_NET_ADMIN a
						 * user may have eight such sockets, and gets
						 * sequence numbers of his own sockets only. Who has
						 * it and wants all events may join the multicast
						 * group events instead, which has no sequence
						 * numbers.
						 */
	ATCP_CMD_EVENT_NTF = 13,		/* Something happened. */
	__ATCP_CMD_MAX,
};

#endif /* _UAPI_LINUX_ATCP_NETLINK_H */
