/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens, for those who watch: subscribers and the multicast group of the netlink family
 * (nl_events.c), tracepoints (atcp_trace.h). While nobody does, a jump label is all it costs.
 */
#ifndef ATCP_WATCH_H
#define ATCP_WATCH_H

#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/workqueue.h>

#include "atcp_core.h"

struct atcp_closed;

/*
 * On while anybody watches anything in any namespace: one vote for all subscribers and the multicast
 * group, until some seconds after the last one has left; one for each tracepoint in use. Votes are cast
 * in process context only.
 */
DECLARE_STATIC_KEY_FALSE(atcp_watched);

/**
 * struct atcp_told - an event as all who watch get it
 * @e: what the core said of it
 * @tuple: of the event, or of its socket
 * @osns: the namespace it happened in
 * @sk: the connection; a listener for what has none; or NULL
 * @id: cookie of @sk, 0 without
 * @time_ns: CLOCK_MONOTONIC
 * @old_state: of a change of state (enum atcp_state), else 0
 * @new_state: the same
 * @info: of a change of the congestion window, else NULL
 * @closed: of the end of a connection, unless there was no memory for it; else NULL
 */
struct atcp_told {
	const struct atcp_event *e;
	struct atcp_tuple tuple;
	struct atcp_osns *osns;
	struct sock *sk;
	u64 id;
	u64 time_ns;
	u8 old_state;
	u8 new_state;
	const struct atcp_conn_info *info;
	const struct atcp_closed *closed;
};

/**
 * struct atcp_watchers - who reads the events of a namespace over netlink
 * @subscribers: RCU list of struct subscriber (nl_events.c); atcp_watch_mutex to write
 * @count: its length, at most ATCP_SUBSCRIBERS; atcp_watch_mutex to write, read anywhere
 * @seq: number of the last event
 * @lost: events that some subscriber did not get, all together
 * @unheard: messages to the group in a row that nobody took; when there are many:
 * @deaf_until: jiffies; before that no more are made, unless the group has been joined since:
 * @deaf_since: how often it had been joined then
 * @flush: tells subscribers what they lost when no further event does
 */
struct atcp_watchers {
	struct list_head subscribers;
	u32 count;
	atomic64_t seq;
	atomic64_t lost;
	u32 unheard;
	unsigned long deaf_until;
	unsigned long deaf_since;
	struct delayed_work flush;
};

enum { ATCP_SUBSCRIBERS = 64, ATCP_SUBSCRIBERS_OF_USER = 8 };

/* watch.c; callers have seen that atcp_watched is on. Context: softirq. */
void atcp_tell_state(struct sock *sk, u8 from, u8 to);
/* closed: what became of it, or NULL. Lock: socket. */
void atcp_tell_closed(struct sock *sk, u32 reason, const struct atcp_closed *closed);
void atcp_tell_drop(struct atcp_osns *osns, struct sock *sk, const struct sk_buff *skb, u32 reason);

/* Segments in the network. */
static inline u32 atcp_inflight(const struct atcp_conn_info *i)
{
	return i->packets_out - i->sacked - i->lost + i->retrans_out;
}

/* nl_events.c */
void atcp_nl_tell(const struct atcp_told *told);
void atcp_watchers_init(struct atcp_watchers *w);
/* Nobody is left who could tell anything. Context: process. */
void atcp_watchers_exit(struct atcp_watchers *w);

/* trace.c */
void atcp_trace_tell(const struct atcp_told *told);

#endif /* ATCP_WATCH_H */
