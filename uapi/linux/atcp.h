/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What programs may know of atcp: the protocol number for socket(2), the reasons, and the
 * generic netlink family. Numbers here never change their meaning; new ones are added at the
 * end of their list. Nothing here depends on any other header, so that the core, the glue and
 * the tools all include this same file.
 */
#ifndef _UAPI_LINUX_ATCP_H
#define _UAPI_LINUX_ATCP_H

/* socket(AF_INET, SOCK_STREAM, IPPROTO_ATCP). Also the IP protocol number of wire=atcp
 * (RFC 3692: 253 is for experiments).
 */
#ifndef IPPROTO_ATCP
#define IPPROTO_ATCP 253
#endif

/* Options of our own, at this level; whatever Linux has a number for is at SOL_TCP with that number. Values
 * are int.
 */
#ifndef SOL_ATCP
#define SOL_ATCP 253
#endif
enum atcp_sockopt {
	ATCP_SO_TIMEWAIT_S = 1,	/* length of TIME_WAIT in seconds, 1 to 600; 0: the parameter
				 * timewait_len, which is also what is read then. Inherited from
				 * the listener
				 */
};

/* Connection states, the numbers of Linux TCP (and of tcpi_state). */
enum atcp_state {
	ATCP_STATE_ESTABLISHED = 1,
	ATCP_STATE_SYN_SENT = 2,
	ATCP_STATE_SYN_RECEIVED = 3,
	ATCP_STATE_FIN_WAIT1 = 4,
	ATCP_STATE_FIN_WAIT2 = 5,
	ATCP_STATE_TIME_WAIT = 6,
	ATCP_STATE_CLOSED = 7,
	ATCP_STATE_CLOSE_WAIT = 8,
	ATCP_STATE_LAST_ACK = 9,
	ATCP_STATE_LISTEN = 10,
	ATCP_STATE_CLOSING = 11,
};

/*
 * Why a segment was dropped, a reset sent, a connection refused or ended. To add one: append
 * it here and add its row to kReasons in module/core/table/reasons.cpp (a static_assert
 * insists).
 */
enum atcp_reason {
	ATCP_REASON_NONE = 0,		/* nothing was dropped */
	/* the segment itself */
	ATCP_REASON_HDR_TRUNCATED,	/* shorter than a TCP header */
	ATCP_REASON_DATA_OFFSET,	/* data offset < 5 or beyond the segment */
	ATCP_REASON_CHECKSUM,		/* checksum wrong */
	ATCP_REASON_NOT_UNICAST,	/* to or from broadcast, multicast, 0.0.0.0 */
	ATCP_REASON_FLAGS_NONE,		/* none of SYN, ACK, RST, FIN */
	ATCP_REASON_FLAGS_SYN_FIN,	/* SYN together with FIN */
	ATCP_REASON_NO_MEMORY,		/* an allocation failed */
	ATCP_REASON_NO_ROUTE,		/* no route to the peer for an answer */
	ATCP_REASON_NO_SOCKET,		/* nobody has this 4-tuple */
	/* LISTEN */
	ATCP_REASON_LISTEN_RST,		/* RST to a listener */
	ATCP_REASON_LISTEN_ACK,		/* ACK or SYN-ACK to a listener: answered with RST */
	ATCP_REASON_LISTEN_NO_SYN,	/* FIN or other segment without SYN to a listener */
	ATCP_REASON_ACCEPT_QUEUE_FULL_SYN, /* SYN refused: accept queue full */
	ATCP_REASON_ACCEPT_QUEUE_FULL_ACK, /* third ACK not honoured: accept queue full */
	ATCP_REASON_REQUEST_QUEUE_FULL,	/* SYN refused: request queue full, cookies off */
	ATCP_REASON_SYN_BACKLOG,	/* SYN refused: max_syn_backlog's last quarter */
	ATCP_REASON_COOKIE_BAD,		/* ACK to a listener with a wrong cookie */
	ATCP_REASON_COOKIE_UNSOLICITED,	/* ACK to a listener that sent no cookie lately */
	ATCP_REASON_LISTENER_CLOSED,	/* the listener is gone */
	/* SYN_RECEIVED (request) */
	ATCP_REASON_REQUEST_SYN,	/* SYN with another sequence number: reset */
	ATCP_REASON_REQUEST_SYN_DUP,	/* retransmitted SYN: SYN-ACK sent again */
	ATCP_REASON_REQUEST_ACK_BAD,	/* acknowledges what was not sent: reset */
	ATCP_REASON_REQUEST_NO_ACK,	/* neither SYN nor ACK nor RST */
	ATCP_REASON_REQUEST_RST,	/* reset by the peer before it was accepted */
	ATCP_REASON_REQUEST_TIMEOUT,	/* SYN-ACK retries used up */
	ATCP_REASON_REQUEST_EVICTED,	/* expired early: queue more than half full */
	/* SYN_SENT */
	ATCP_REASON_SYNSENT_ACK_BAD,	/* acknowledges what was not sent: reset */
	ATCP_REASON_SYNSENT_RST_IGNORED, /* RST without an acceptable ACK */
	ATCP_REASON_SYNSENT_NO_SYN,	/* neither SYN nor RST */
	/* synchronised states */
	ATCP_REASON_SEQ_OLD,		/* wholly old data */
	ATCP_REASON_SEQ_BEYOND_WINDOW,	/* starts beyond the receive window */
	ATCP_REASON_ZERO_WINDOW,	/* data while the window is closed */
	ATCP_REASON_PAWS,		/* timestamp older than the last one */
	ATCP_REASON_RST_OUT_OF_WINDOW,	/* RST outside the window */
	ATCP_REASON_RST_CHALLENGED,	/* RST in the window but not exact: challenge ACK */
	ATCP_REASON_SYN_CHALLENGED,	/* SYN on a connection: challenge ACK */
	ATCP_REASON_NO_ACK_FLAG,	/* segment without ACK */
	ATCP_REASON_ACK_TOO_OLD,	/* ACK older than any window sent */
	ATCP_REASON_ACK_UNSENT,		/* acknowledges data not yet sent */
	ATCP_REASON_RCVBUF_FULL,	/* receive buffer full */
	ATCP_REASON_OFO_DUPLICATE,	/* out of order and already held */
	ATCP_REASON_OFO_PRUNED,		/* out-of-order data given up for memory */
	ATCP_REASON_DATA_AFTER_FIN,	/* data beyond the peer's FIN */
	ATCP_REASON_BACKLOG_FULL,	/* socket busy and its backlog full */
	ATCP_REASON_SOCKET_CLOSED,	/* connection in state CLOSED */
	ATCP_REASON_TIMEWAIT_OLD,	/* segment for a TIME_WAIT entry, answered by ACK or dropped */
	/* ends of connections */
	ATCP_REASON_RESET_BY_PEER,	/* acceptable RST received */
	ATCP_REASON_REFUSED_BY_PEER,	/* RST answered our SYN */
	ATCP_REASON_ABORT_ON_DATA,	/* data arrived after close() */
	ATCP_REASON_ABORT_ON_CLOSE,	/* close() with unread data */
	ATCP_REASON_ABORT_ON_LINGER,	/* close() with SO_LINGER {1,0} */
	ATCP_REASON_ABORT_BY_USER,	/* disconnect, or killed by the control tool */
	ATCP_REASON_ABORT_LISTENER,	/* not yet accepted when the listener closed */
	ATCP_REASON_ABORT_OVERFLOW,	/* abort_on_overflow: accept queue full at the third ACK */
	ATCP_REASON_ABORT_ORPHANS,	/* more orphans than max_orphans */
	ATCP_REASON_TIMEOUT_SYN,	/* syn_retries used up */
	ATCP_REASON_TIMEOUT_RETRANSMIT,	/* retries2 or orphan_retries used up */
	ATCP_REASON_TIMEOUT_PROBE,	/* zero-window probes unanswered */
	ATCP_REASON_TIMEOUT_KEEPALIVE,	/* keepalive probes unanswered */
	ATCP_REASON_TIMEOUT_USER,	/* TCP_USER_TIMEOUT passed */
	ATCP_REASON_TIMEOUT_FIN_WAIT2,	/* orphan in FIN_WAIT_2 for fin_timeout */
	ATCP_REASON_ICMP_HARD,		/* ICMP error ended a connection attempt */
	ATCP_REASON_TIMEWAIT_OVERFLOW,	/* max_tw_buckets reached: no TIME_WAIT kept */
	ATCP_REASON_TIMEWAIT_RST,	/* RST ended a TIME_WAIT entry */
	ATCP_REASON_ICMP_IGNORED,	/* ICMP error for no connection or outside its window */
	ATCP_REASON_NORMAL_CLOSE,	/* both FINs acknowledged */
	ATCP_REASON_FILTERED,		/* the socket's BPF filter or IPsec policy refused it */
	ATCP_REASON_DEFER_ACCEPT,	/* TCP_DEFER_ACCEPT: third ACK without data ignored */
	ATCP_REASON_MIGRATE_FULL,	/* no place for it in another listener of the group */
	ATCP_REASON_SYN_FROM_SELF,	/* SYN to a listener from its own address and port */
	ATCP_REASON_OUTPUT_FILTERED,	/* the answer was refused by the firewall on its way out */
	ATCP_REASON_OUTPUT_DROPPED,	/* the answer was dropped by a local queue or device */
	__ATCP_REASON_MAX,
};

/*
 * Generic netlink. The family acts on the network namespace of the netlink socket that asks.
 * Reading needs no privilege; PARAM_SET needs CAP_NET_ADMIN in the user namespace that owns the
 * network namespace. Each message of a dump holds one nest. Operations refuse attributes that
 * they do not know. A refusal comes with an extended ACK: a message, and the offset of the
 * attribute at fault. Unknown attributes of a reply are to be skipped: later versions add some.
 */
#define ATCP_GENL_NAME "atcp"
#define ATCP_GENL_VERSION 1

enum atcp_cmd {
	ATCP_CMD_UNSPEC = 0,
	ATCP_CMD_PARAM_GET,	/* do: ATCP_A_PARAM with NAME; dump: all of them */
	ATCP_CMD_PARAM_SET,	/* do: one or more ATCP_A_PARAM with NAME and VALUE, all or none */
	ATCP_CMD_SOCKET_GET,	/* dump: connections, requests, TIME_WAIT entries */
	ATCP_CMD_LISTENER_GET,	/* dump */
	ATCP_CMD_COUNTER_GET,	/* dump */
	ATCP_CMD_REASON_GET,	/* dump */
	__ATCP_CMD_MAX,
};

enum atcp_attr {
	ATCP_A_UNSPEC = 0,
	ATCP_A_PARAM,		/* nest of atcp_param_attr */
	ATCP_A_SOCKET,		/* nest of atcp_socket_attr */
	ATCP_A_LISTENER,	/* nest of atcp_listener_attr */
	ATCP_A_COUNTER,		/* nest of atcp_counter_attr */
	ATCP_A_REASON,		/* nest of atcp_reason_attr */
	__ATCP_A_MAX,
};

enum atcp_param_attr {
	ATCP_PARAM_A_UNSPEC = 0,
	ATCP_PARAM_A_NAME,	/* string */
	ATCP_PARAM_A_TYPE,	/* u8: enum atcp_param_type */
	ATCP_PARAM_A_VALUE,	/* string: number, name, or numbers separated by blanks */
	ATCP_PARAM_A_DEFAULT,	/* string */
	ATCP_PARAM_A_MIN,	/* u32; absent if the value is a name */
	ATCP_PARAM_A_MAX,	/* u32; absent if the value is a name */
	ATCP_PARAM_A_UNIT,	/* string, may be empty */
	ATCP_PARAM_A_HELP,	/* string */
	__ATCP_PARAM_A_MAX,
};

enum atcp_param_type {
	ATCP_PARAM_NUMBER = 1,	/* one u32 within [min, max] */
	ATCP_PARAM_TRIPLE = 2,	/* three u32, not falling, each within [min, max] */
	ATCP_PARAM_PAIR = 3,	/* two u32, not falling, each within [min, max] */
	ATCP_PARAM_CC = 4,	/* name of a congestion control */
	ATCP_PARAM_WIRE = 5,	/* "tcp" or "atcp" */
};

enum atcp_kind {
	ATCP_KIND_CONN = 1,	/* a socket, open or orphaned */
	ATCP_KIND_REQUEST = 2,	/* half-open, not yet a socket */
	ATCP_KIND_TIMEWAIT = 3,	/* no longer a socket */
};

/* Requests and TIME_WAIT entries have the attributes up to RPORT, RETRANS and EXPIRES_MS;
 * requests also their listener's UID.
 */
enum atcp_socket_attr {
	ATCP_SOCKET_A_UNSPEC = 0,
	ATCP_SOCKET_A_STATE,	/* u8: enum atcp_state */
	ATCP_SOCKET_A_KIND,	/* u8: enum atcp_kind */
	ATCP_SOCKET_A_FAMILY,	/* u16: AF_INET, AF_INET6 */
	ATCP_SOCKET_A_LADDR,	/* 4 or 16 bytes, network order */
	ATCP_SOCKET_A_RADDR,	/* the same, of the peer */
	ATCP_SOCKET_A_LPORT,	/* u16, host order */
	ATCP_SOCKET_A_RPORT,	/* u16, host order */
	ATCP_SOCKET_A_UID,	/* u32: owner, in the reader's user namespace */
	ATCP_SOCKET_A_INODE,	/* u64: as in /proc/PID/fd; 0 if no program has it open */
	ATCP_SOCKET_A_RECVQ,	/* u32: bytes not yet read */
	ATCP_SOCKET_A_SENDQ,	/* u32: bytes not yet acknowledged */
	ATCP_SOCKET_A_CC,	/* string */
	ATCP_SOCKET_A_CWND,	/* u32: segments */
	ATCP_SOCKET_A_SSTHRESH,	/* u32: segments */
	ATCP_SOCKET_A_SRTT_US,	/* u32 */
	ATCP_SOCKET_A_RTTVAR_US, /* u32 */
	ATCP_SOCKET_A_RTO_US,	/* u32 */
	ATCP_SOCKET_A_MSS,	/* u32 */
	ATCP_SOCKET_A_RETRANS,	/* u32: segments (of a request: SYN-ACKs) sent again, total */
	ATCP_SOCKET_A_BYTES_ACKED, /* u64: payload the peer has acknowledged */
	ATCP_SOCKET_A_BYTES_RECEIVED, /* u64: payload received in order */
	ATCP_SOCKET_A_SND_WND,	/* u32: bytes, as the peer last said */
	ATCP_SOCKET_A_RCV_WND,	/* u32: bytes, as last told the peer */
	ATCP_SOCKET_A_EXPIRES_MS, /* u32: next timer of a request or TIME_WAIT entry */
	ATCP_SOCKET_A_RCVBUF,	/* u32: bytes, SO_RCVBUF */
	ATCP_SOCKET_A_SNDBUF,	/* u32: bytes, SO_SNDBUF */
	ATCP_SOCKET_A_PAD,
	__ATCP_SOCKET_A_MAX,
};

enum atcp_listener_attr {
	ATCP_LISTENER_A_UNSPEC = 0,
	ATCP_LISTENER_A_FAMILY,		/* as ATCP_SOCKET_A_FAMILY, and so on */
	ATCP_LISTENER_A_LADDR,
	ATCP_LISTENER_A_LPORT,
	ATCP_LISTENER_A_UID,
	ATCP_LISTENER_A_INODE,
	ATCP_LISTENER_A_ACCEPT_QUEUE,	/* u32: established, waiting for accept() */
	ATCP_LISTENER_A_BACKLOG,	/* u32: limit of both queues (one more is admitted) */
	ATCP_LISTENER_A_REQUESTS,	/* u32: half-open */
	ATCP_LISTENER_A_SYNS,		/* u64: SYNs seen */
	ATCP_LISTENER_A_SYNACKS,	/* u64: first SYN-ACKs sent, cookies included */
	ATCP_LISTENER_A_SYN_DUPS,	/* u64: SYNs that repeated a request */
	ATCP_LISTENER_A_ACCEPTED,	/* u64: connections handed to the program */
	ATCP_LISTENER_A_OVERFLOW_SYN,	/* u64: SYNs refused because the accept queue was full */
	ATCP_LISTENER_A_OVERFLOW_ACK,	/* u64: third ACKs not honoured for the same reason */
	ATCP_LISTENER_A_SYN_DROPS,	/* u64: SYNs refused for any reason */
	ATCP_LISTENER_A_PAD,
	ATCP_LISTENER_A_ACKS,		/* u64: third ACKs seen */
	ATCP_LISTENER_A_CHILDREN,	/* u64: connections they made; the rest are ACK_DROPS */
	ATCP_LISTENER_A_ACK_DROPS,	/* u64: third ACKs not honoured for any reason */
	ATCP_LISTENER_A_COOKIES,	/* u64: SYN-ACKs that were SYN cookies */
	ATCP_LISTENER_A_ACCEPT_QUEUE_HIGH, /* u32: most that ever waited for accept() */
	ATCP_LISTENER_A_REQUESTS_HIGH,	/* u32: most that were ever half-open */
	ATCP_LISTENER_A_CROWDED_MS,	/* u64: time with the accept queue above 80 % of BACKLOG */
	ATCP_LISTENER_A_MIGRATED_IN,	/* u64: taken over from closing listeners of the group */
	ATCP_LISTENER_A_MIGRATED_OUT,	/* u64: that other listeners of the group took over */
	ATCP_LISTENER_A_AT_SOMAXCONN,	/* flag: the backlog is what net.core.somaxconn was at listen(),
					 * so the program asked for this much or for more
					 */
	ATCP_LISTENER_A_REASON,		/* nested, many: enum atcp_reason_attr, ID to SEGMENT */
	__ATCP_LISTENER_A_MAX,
};

enum atcp_counter_attr {
	ATCP_COUNTER_A_UNSPEC = 0,
	ATCP_COUNTER_A_NAME,	/* string, Linux's name where Linux has one */
	ATCP_COUNTER_A_VALUE,	/* u64 */
	ATCP_COUNTER_A_HELP,	/* string */
	ATCP_COUNTER_A_PAD,
	__ATCP_COUNTER_A_MAX,
};

/* What a listener refused. */
enum atcp_refused {
	ATCP_REFUSED_SYN = 1,
	ATCP_REFUSED_ACK = 2,	/* a third ACK */
};

enum atcp_reason_attr {
	ATCP_REASON_A_UNSPEC = 0,
	ATCP_REASON_A_ID,	/* u32: enum atcp_reason */
	ATCP_REASON_A_NAME,	/* string */
	ATCP_REASON_A_VALUE,	/* u64 */
	ATCP_REASON_A_HELP,	/* string */
	ATCP_REASON_A_PAD,
	ATCP_REASON_A_SEGMENT,	/* u8: enum atcp_refused; only within a listener */
	__ATCP_REASON_A_MAX,
};

#endif /* _UAPI_LINUX_ATCP_H */
