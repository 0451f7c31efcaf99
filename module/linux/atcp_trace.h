/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints atcp:state, drop, reset, retransmit, cwnd and request: what happens, for perf, trace-cmd and bpftrace. Numbers
 * of states, reasons and kinds are those of the uAPI; addresses are a struct sockaddr_in or sockaddr_in6 by their family, as in
 * Linux's own tracepoints tcp:*, because that is what a format can print for both families.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM atcp

#if !defined(ATCP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define ATCP_TRACE_H

#include <linux/tracepoint.h>

#include "glue.h"
#include "reason_rows.h"

#ifndef ATCP_TRACE_NAMES
#define ATCP_TRACE_NAMES

/* Names of the states as ss and Linux's own tracepoints have them. */
#define ATCP_TRACE_STATES(X, last) \
	X(ATCP_STATE_ESTABLISHED, "established") \
	X(ATCP_STATE_SYN_SENT, "syn-sent") \
	X(ATCP_STATE_SYN_RECEIVED, "syn-received") \
	X(ATCP_STATE_FIN_WAIT1, "fin-wait1") \
	X(ATCP_STATE_FIN_WAIT2, "fin-wait2") \
	X(ATCP_STATE_TIME_WAIT, "time-wait") \
	X(ATCP_STATE_CLOSED, "closed") \
	X(ATCP_STATE_CLOSE_WAIT, "close-wait") \
	X(ATCP_STATE_LAST_ACK, "last-ack") \
	X(ATCP_STATE_LISTEN, "listen") \
	last(ATCP_STATE_CLOSING, "closing")

#define ATCP_TRACE_AGAIN(X, last) \
	X(ATCP_RETRANSMIT_KIND_FAST, "fast") \
	X(ATCP_RETRANSMIT_KIND_TIMEOUT, "timeout") \
	X(ATCP_RETRANSMIT_KIND_PROBE, "probe") \
	X(ATCP_RETRANSMIT_KIND_SYN, "syn") \
	last(ATCP_RETRANSMIT_KIND_SYNACK, "synack")

#define ATCP_TRACE_WHAT(X, last) \
	X(ATCP_EVENT_KIND_RESET_SENT, "sent") \
	X(ATCP_EVENT_KIND_RESET_RECEIVED, "received") \
	X(ATCP_EVENT_KIND_REQUEST_MADE, "made") \
	X(ATCP_EVENT_KIND_REQUEST_EXPIRED, "expired") \
	X(ATCP_EVENT_KIND_REQUEST_PROMOTED, "promoted") \
	X(ATCP_EVENT_KIND_COOKIE_SENT, "cookie-sent") \
	X(ATCP_EVENT_KIND_COOKIE_ACCEPTED, "cookie-accepted") \
	X(ATCP_EVENT_KIND_COOKIE_REFUSED, "cookie-refused") \
	X(ATCP_EVENT_KIND_ACCEPT_QUEUE_FULL, "accept-queue-full") \
	last(ATCP_EVENT_KIND_ACCEPT_QUEUE_FREE, "accept-queue-free")

#define ATCP_TRACE_CA(X, last) \
	X(0, "open") X(1, "disorder") X(2, "cwr") X(3, "recovery") last(4, "loss")

/* A reason's row as a pair of value and name. */
#define ATCP_TRACE_REASON(id, name, help) { ATCP_REASON_##id, name },
#define ATCP_TRACE_PAIR(value, name) { value, name },
#define ATCP_TRACE_LAST(value, name) { value, name }

#define atcp_trace_state(v) \
	__print_symbolic(v, ATCP_TRACE_STATES(ATCP_TRACE_PAIR, ATCP_TRACE_LAST))
#define atcp_trace_again(v) \
	__print_symbolic(v, ATCP_TRACE_AGAIN(ATCP_TRACE_PAIR, ATCP_TRACE_LAST))
#define atcp_trace_what(v) __print_symbolic(v, ATCP_TRACE_WHAT(ATCP_TRACE_PAIR, ATCP_TRACE_LAST))
#define atcp_trace_ca(v) __print_symbolic(v, ATCP_TRACE_CA(ATCP_TRACE_PAIR, ATCP_TRACE_LAST))
#define atcp_trace_reason(v) \
	__print_symbolic(v, ATCP_REASONS(ATCP_TRACE_REASON) { __ATCP_REASON_MAX, "?" })

#endif /* ATCP_TRACE_NAMES */

/* The numbers behind the names, for those who read a trace in user space. */
#undef ATCP_TRACE_ENUM
#undef ATCP_TRACE_ENUM_REASON
#define ATCP_TRACE_ENUM(value, name) TRACE_DEFINE_ENUM(value);
#define ATCP_TRACE_ENUM_REASON(id, name, help) TRACE_DEFINE_ENUM(ATCP_REASON_##id);
ATCP_TRACE_STATES(ATCP_TRACE_ENUM, ATCP_TRACE_ENUM)
ATCP_TRACE_AGAIN(ATCP_TRACE_ENUM, ATCP_TRACE_ENUM)
ATCP_TRACE_WHAT(ATCP_TRACE_ENUM, ATCP_TRACE_ENUM)
ATCP_REASONS(ATCP_TRACE_ENUM_REASON)
TRACE_DEFINE_ENUM(__ATCP_REASON_MAX);

#undef ATCP_TRACE_WHO
#undef ATCP_TRACE_WHO_SET
#undef ATCP_TRACE_WHO_FMT
#undef ATCP_TRACE_WHO_ARGS
/* What every event begins with: the socket, its cookie (SO_COOKIE) and its addresses. */
#define ATCP_TRACE_WHO \
	__field(const void *, skaddr) \
	__field(u64, id) \
	__field(u16, family) \
	__field(u16, sport) \
	__field(u16, dport) \
	__array(u8, saddr, sizeof(struct sockaddr_in6)) \
	__array(u8, daddr, sizeof(struct sockaddr_in6))
#define ATCP_TRACE_WHO_SET(t) \
	do { \
		__entry->skaddr = (t)->sk; \
		__entry->id = (t)->id; \
		__entry->family = (t)->tuple.family; \
		__entry->sport = ntohs(atcp_be16((t)->tuple.lport)); \
		__entry->dport = ntohs(atcp_be16((t)->tuple.rport)); \
		atcp_trace_address(__entry->saddr, &(t)->tuple, &(t)->tuple.laddr, (t)->tuple.lport); \
		atcp_trace_address(__entry->daddr, &(t)->tuple, &(t)->tuple.raddr, (t)->tuple.rport); \
	} while (0)
#define ATCP_TRACE_WHO_FMT "%pISpc > %pISpc id=%llx"
#define ATCP_TRACE_WHO_ARGS __entry->saddr, __entry->daddr, __entry->id

TRACE_EVENT_FN(state,
	TP_PROTO(const struct atcp_told *t),
	TP_ARGS(t),
	TP_STRUCT__entry(
		ATCP_TRACE_WHO
		__field(u8, oldstate)
		__field(u8, newstate)
	),
	TP_fast_assign(
		ATCP_TRACE_WHO_SET(t);
		__entry->oldstate = t->old_state;
		__entry->newstate = t->new_state;
	),
	TP_printk(ATCP_TRACE_WHO_FMT " %s > %s", ATCP_TRACE_WHO_ARGS,
		  atcp_trace_state(__entry->oldstate), atcp_trace_state(__entry->newstate)),
	atcp_trace_on, atcp_trace_off
);

TRACE_EVENT_FN(drop,
	TP_PROTO(const struct atcp_told *t),
	TP_ARGS(t),
	TP_STRUCT__entry(
		ATCP_TRACE_WHO
		__field(u32, reason)
		__field(u32, seq)
		__field(u32, len)
		__field(u8, flags)
	),
	TP_fast_assign(
		ATCP_TRACE_WHO_SET(t);
		__entry->reason = t->e->reason;
		__entry->seq = t->e->seq;
		__entry->len = t->e->len;
		__entry->flags = t->e->flags;
	),
	TP_printk(ATCP_TRACE_WHO_FMT " reason=%s seq=%u len=%u flags=0x%02x", ATCP_TRACE_WHO_ARGS,
		  atcp_trace_reason(__entry->reason), __entry->seq, __entry->len, __entry->flags),
	atcp_trace_on, atcp_trace_off
);

TRACE_EVENT_FN(reset,
	TP_PROTO(const struct atcp_told *t),
	TP_ARGS(t),
	TP_STRUCT__entry(
		ATCP_TRACE_WHO
		__field(u32, what)
		__field(u32, reason)
		__field(u32, seq)
	),
	TP_fast_assign(
		ATCP_TRACE_WHO_SET(t);
		__entry->what = t->e->kind;
		__entry->reason = t->e->reason;
		__entry->seq = t->e->seq;
	),
	TP_printk(ATCP_TRACE_WHO_FMT " %s reason=%s seq=%u", ATCP_TRACE_WHO_ARGS,
		  atcp_trace_what(__entry->what), atcp_trace_reason(__entry->reason), __entry->seq),
	atcp_trace_on, atcp_trace_off
);

TRACE_EVENT_FN(retransmit,
	TP_PROTO(const struct atcp_told *t),
	TP_ARGS(t),
	TP_STRUCT__entry(
		ATCP_TRACE_WHO
		__field(u32, why)
		__field(u32, seq)
		__field(u32, len)
		__field(u8, flags)
	),
	TP_fast_assign(
		ATCP_TRACE_WHO_SET(t);
		__entry->why = t->e->retransmit;
		__entry->seq = t->e->seq;
		__entry->len = t->e->len;
		__entry->flags = t->e->flags;
	),
	TP_printk(ATCP_TRACE_WHO_FMT " %s seq=%u len=%u flags=0x%02x", ATCP_TRACE_WHO_ARGS,
		  atcp_trace_again(__entry->why), __entry->seq, __entry->len, __entry->flags),
	atcp_trace_on, atcp_trace_off
);

TRACE_EVENT_FN(cwnd,
	TP_PROTO(const struct atcp_told *t),
	TP_ARGS(t),
	TP_STRUCT__entry(
		ATCP_TRACE_WHO
		__field(u32, cwnd)
		__field(u32, ssthresh)
		__field(u32, ca_state)
		__field(u32, srtt_us)
		__field(u32, inflight)
		__field(u64, pacing_rate)
		__field(u64, delivery_rate)
	),
	TP_fast_assign(
		ATCP_TRACE_WHO_SET(t);
		__entry->cwnd = t->info->cwnd;
		__entry->ssthresh = t->info->ssthresh;
		__entry->ca_state = t->info->ca_state;
		__entry->srtt_us = t->info->srtt_us;
		__entry->inflight = atcp_inflight(t->info);
		__entry->pacing_rate = t->info->pacing_rate;
		__entry->delivery_rate = t->info->delivery_rate;
	),
	TP_printk(ATCP_TRACE_WHO_FMT " cwnd=%u ssthresh=%u %s srtt=%u inflight=%u pacing=%llu delivery=%llu",
		  ATCP_TRACE_WHO_ARGS, __entry->cwnd, __entry->ssthresh, atcp_trace_ca(__entry->ca_state),
		  __entry->srtt_us, __entry->inflight, __entry->pacing_rate, __entry->delivery_rate),
	atcp_trace_on, atcp_trace_off
);

/* Requests, SYN cookies and the accept queue; of events without a connection id is the listener's. */
TRACE_EVENT_FN(request,
	TP_PROTO(const struct atcp_told *t),
	TP_ARGS(t),
	TP_STRUCT__entry(
		ATCP_TRACE_WHO
		__field(u32, what)
		__field(u32, reason)
		__field(u32, queue)
		__field(u32, limit)
	),
	TP_fast_assign(
		ATCP_TRACE_WHO_SET(t);
		__entry->what = t->e->kind;
		__entry->reason = t->e->reason;
		__entry->queue = t->e->queue;
		__entry->limit = t->e->limit;
	),
	TP_printk(ATCP_TRACE_WHO_FMT " %s reason=%s queue=%u/%u", ATCP_TRACE_WHO_ARGS,
		  atcp_trace_what(__entry->what), atcp_trace_reason(__entry->reason), __entry->queue,
		  __entry->limit),
	atcp_trace_on, atcp_trace_off
);

#endif /* ATCP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE atcp_trace
#include <trace/define_trace.h>
