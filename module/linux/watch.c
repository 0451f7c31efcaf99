// SPDX-License-Identifier: GPL-2.0
/*
 * Events on their way from where they arise to those who watch. The core tells most of them
 * (atcp_os_event); changes of state and drops are made here, because only the port knows both states,
 * and because a dropped packet has its own headers to say what it was. Each is given its time, its
 * addresses and the id of its socket once, and handed to the tracepoints and to netlink.
 */
#include <linux/tcp.h>

#include "glue.h"
#include "nl.h"

DEFINE_STATIC_KEY_FALSE(atcp_watched);

bool atcp_os_event_wanted(void)
{
	return static_branch_unlikely(&atcp_watched);
}

static noinline void tell(struct atcp_osns *osns, const struct atcp_event *e, u8 from, u8 to,
			  const struct atcp_closed *closed)
{
	struct atcp_told told = {
		.e = e,
		.osns = osns,
		.time_ns = atcp_now(),
		.old_state = from,
		.new_state = to,
		.closed = closed,
	};
	struct atcp_conn_info info;

	if (e->conn) {
		told.sk = atcp_sk_of_conn(e->conn);
		told.id = atcp_nl_cookie(told.sk);
		if (!e->tuple)
			atcp_core_conn_tuple(e->conn, &told.tuple);
	}
	if (e->tuple)
		told.tuple = *e->tuple;
	if (e->kind == ATCP_EVENT_KIND_CWND) {
		atcp_core_conn_info(e->conn, &info, told.time_ns);
		told.info = &info;
	}
	atcp_trace_tell(&told);
	atcp_nl_tell(&told);
}

void atcp_os_event(struct atcp_osns *ns, const struct atcp_event *e)
{
	if (static_branch_unlikely(&atcp_watched))
		tell(ns, e, 0, 0, NULL);
}

void atcp_tell_state(struct sock *sk, u8 from, u8 to)
{
	struct atcp_event e = {
		.kind = ATCP_EVENT_KIND_STATE,
		.conn = &atcp_sk(sk)->conn,
	};

	tell(atcp_sk_osns(sk), &e, from, to, NULL);
}

void atcp_tell_closed(struct sock *sk, u32 reason, const struct atcp_closed *closed)
{
	struct atcp_event e = {
		.kind = ATCP_EVENT_KIND_CLOSED,
		.reason = reason,
		.tuple = closed ? &closed->record.tuple : NULL,
		.conn = &atcp_sk(sk)->conn,
	};

	tell(atcp_sk_osns(sk), &e, 0, 0, closed);
}

/*
 * The headers are still in front of, or at, skb->data. What is shorter than a TCP header has no more than
 * its ports, and perhaps not even these.
 */
void atcp_tell_drop(struct atcp_osns *osns, struct sock *sk, const struct sk_buff *skb, u32 reason)
{
	int off = skb_transport_offset(skb);
	struct atcp_tuple t = {};
	struct atcp_event e = {
		.kind = ATCP_EVENT_KIND_DROP,
		.reason = reason,
		.tuple = &t,
		.conn = sk ? &atcp_sk(sk)->conn : NULL,
	};
	const struct tcphdr *th;
	struct tcphdr copy;
	int bytes;

	if (atcp_skb_v6(skb)) {
		t.family = ATCP_AF_INET6;
		memcpy(t.laddr.v6, &ipv6_hdr(skb)->daddr, sizeof(t.laddr.v6));
		memcpy(t.raddr.v6, &ipv6_hdr(skb)->saddr, sizeof(t.raddr.v6));
	} else {
		t.family = ATCP_AF_INET;
		t.laddr.v4 = (__force u32)ip_hdr(skb)->daddr;
		t.raddr.v4 = (__force u32)ip_hdr(skb)->saddr;
	}
	th = skb_header_pointer(skb, off, 4, &copy);
	if (th) {
		t.lport = (__force u16)th->dest;
		t.rport = (__force u16)th->source;
	}
	th = skb_header_pointer(skb, off, sizeof(copy), &copy);
	if (th) {
		bytes = (int)skb->len - off - th->doff * 4;
		e.seq = ntohl(th->seq);
		e.flags = ((const u8 *)th)[13];
		e.len = max(bytes, 0);
	}
	tell(osns, &e, 0, 0, NULL);
}
