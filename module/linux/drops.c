// SPDX-License-Identifier: GPL-2.0
/*
 * Where received packets are dropped: each is counted in its namespace and its connection, told
 * to those who watch, and given to the kernel with the nearest of its own reasons, so that dropwatch
 * and perf (skb:kfree_skb) see why.
 *
 * The kernel's reasons are meant to be extended by subsystems (6.4 and later), but a subsystem has a number
 * in an enum of the kernel's, and the table behind it has as many places: a module outside of the tree has
 * none. So ours are translated to the kernel's; the exact ones are in the events and tracepoints.
 */
#include "glue.h"

/* ---- the kernel's reasons ------------------------------------------------------------ */

/* What is not here is not specified. */
static const u16 atcp_stock_reason[__ATCP_REASON_MAX] = {
	[ATCP_REASON_HDR_TRUNCATED] = SKB_DROP_REASON_PKT_TOO_SMALL,
	[ATCP_REASON_DATA_OFFSET] = SKB_DROP_REASON_TCP_FLAGS,
	[ATCP_REASON_CHECKSUM] = SKB_DROP_REASON_TCP_CSUM,
	[ATCP_REASON_NOT_UNICAST] = SKB_DROP_REASON_IP_INHDR,
	[ATCP_REASON_FLAGS_NONE] = SKB_DROP_REASON_TCP_FLAGS,
	[ATCP_REASON_FLAGS_SYN_FIN] = SKB_DROP_REASON_TCP_FLAGS,
	[ATCP_REASON_NO_MEMORY] = SKB_DROP_REASON_NOMEM,
	[ATCP_REASON_NO_ROUTE] = SKB_DROP_REASON_IP_OUTNOROUTES,
	[ATCP_REASON_NO_SOCKET] = SKB_DROP_REASON_NO_SOCKET,
	[ATCP_REASON_LISTEN_RST] = SKB_DROP_REASON_TCP_RESET,
	[ATCP_REASON_LISTEN_ACK] = SKB_DROP_REASON_TCP_FLAGS,
	[ATCP_REASON_LISTEN_NO_SYN] = SKB_DROP_REASON_TCP_FLAGS,
	[ATCP_REASON_ACCEPT_QUEUE_FULL_SYN] = SKB_DROP_REASON_SOCKET_BACKLOG,
	[ATCP_REASON_ACCEPT_QUEUE_FULL_ACK] = SKB_DROP_REASON_SOCKET_BACKLOG,
	[ATCP_REASON_REQUEST_QUEUE_FULL] = SKB_DROP_REASON_SOCKET_BACKLOG,
	[ATCP_REASON_SYN_BACKLOG] = SKB_DROP_REASON_SOCKET_BACKLOG,
	[ATCP_REASON_COOKIE_BAD] = ATCP_SKB_BAD_ACK,
	[ATCP_REASON_COOKIE_UNSOLICITED] = ATCP_SKB_BAD_ACK,
	[ATCP_REASON_LISTENER_CLOSED] = SKB_DROP_REASON_NO_SOCKET,
	[ATCP_REASON_REQUEST_SYN] = SKB_DROP_REASON_TCP_INVALID_SYN,
	[ATCP_REASON_REQUEST_SYN_DUP] = SKB_DROP_REASON_TCP_OLD_DATA,
	[ATCP_REASON_REQUEST_ACK_BAD] = ATCP_SKB_BAD_ACK,
	[ATCP_REASON_REQUEST_NO_ACK] = SKB_DROP_REASON_TCP_FLAGS,
	[ATCP_REASON_REQUEST_RST] = SKB_DROP_REASON_TCP_RESET,
	[ATCP_REASON_SYNSENT_ACK_BAD] = ATCP_SKB_BAD_ACK,
	[ATCP_REASON_SYNSENT_RST_IGNORED] = SKB_DROP_REASON_TCP_RESET,
	[ATCP_REASON_SYNSENT_NO_SYN] = SKB_DROP_REASON_TCP_FLAGS,
	[ATCP_REASON_SEQ_OLD] = SKB_DROP_REASON_TCP_OLD_DATA,
	[ATCP_REASON_SEQ_BEYOND_WINDOW] = SKB_DROP_REASON_TCP_OVERWINDOW,
	[ATCP_REASON_ZERO_WINDOW] = SKB_DROP_REASON_TCP_ZEROWINDOW,
	[ATCP_REASON_PAWS] = SKB_DROP_REASON_TCP_RFC7323_PAWS,
	[ATCP_REASON_RST_OUT_OF_WINDOW] = SKB_DROP_REASON_TCP_RESET,
	[ATCP_REASON_RST_CHALLENGED] = SKB_DROP_REASON_TCP_RESET,
	[ATCP_REASON_SYN_CHALLENGED] = SKB_DROP_REASON_TCP_INVALID_SYN,
	[ATCP_REASON_NO_ACK_FLAG] = SKB_DROP_REASON_TCP_FLAGS,
	[ATCP_REASON_ACK_TOO_OLD] = SKB_DROP_REASON_TCP_TOO_OLD_ACK,
	[ATCP_REASON_ACK_UNSENT] = SKB_DROP_REASON_TCP_ACK_UNSENT_DATA,
	[ATCP_REASON_RCVBUF_FULL] = SKB_DROP_REASON_SOCKET_RCVBUFF,
	[ATCP_REASON_OFO_DUPLICATE] = SKB_DROP_REASON_TCP_OFOMERGE,
	[ATCP_REASON_OFO_PRUNED] = SKB_DROP_REASON_TCP_OFO_QUEUE_PRUNE,
	[ATCP_REASON_DATA_AFTER_FIN] = SKB_DROP_REASON_TCP_CLOSE,
	[ATCP_REASON_BACKLOG_FULL] = SKB_DROP_REASON_SOCKET_BACKLOG,
	[ATCP_REASON_SOCKET_CLOSED] = SKB_DROP_REASON_TCP_CLOSE,
	[ATCP_REASON_TIMEWAIT_OLD] = SKB_DROP_REASON_TCP_OLD_DATA,
	[ATCP_REASON_RESET_BY_PEER] = SKB_DROP_REASON_TCP_RESET,
	[ATCP_REASON_REFUSED_BY_PEER] = SKB_DROP_REASON_TCP_RESET,
	[ATCP_REASON_ABORT_ON_DATA] = ATCP_SKB_ABORT_ON_DATA,
	[ATCP_REASON_ABORT_OVERFLOW] = SKB_DROP_REASON_SOCKET_BACKLOG,
	[ATCP_REASON_TIMEWAIT_RST] = SKB_DROP_REASON_TCP_RESET,
	[ATCP_REASON_FILTERED] = SKB_DROP_REASON_SOCKET_FILTER,
	[ATCP_REASON_SYN_FROM_SELF] = SKB_DROP_REASON_TCP_INVALID_SYN,
	[ATCP_REASON_OUTPUT_FILTERED] = SKB_DROP_REASON_NETFILTER_DROP,
	[ATCP_REASON_OUTPUT_DROPPED] = SKB_DROP_REASON_QDISC_DROP,
	[ATCP_REASON_MEMORY_FULL] = SKB_DROP_REASON_PROTO_MEM,
};

enum skb_drop_reason atcp_drop_reason(u32 reason)
{
	u32 stock = reason < __ATCP_REASON_MAX ? atcp_stock_reason[reason] : 0;

	return stock ?: SKB_DROP_REASON_NOT_SPECIFIED;
}

/* ---- counts of a connection ---------------------------------------------------------- */

/*
 * A place has its reason in the upper 8 bits and its count, which stays at its largest, in the lower 24. Packets
 * for a busy socket are dropped beside whoever owns its lock, hence atomic; drops are rare.
 */
#define ATCP_DROP_MOST 0xffffffU

void atcp_drops_add(struct atcp_sock *asp, u32 reason)
{
	u32 i, old, new;

	BUILD_BUG_ON(__ATCP_REASON_MAX > 256);
	for (i = 0; i < ATCP_DROP_PLACES; i++) {
		old = READ_ONCE(asp->drops[i]);
		do {
			if (old && old >> 24 != reason)
				break;
			if ((old & ATCP_DROP_MOST) == ATCP_DROP_MOST)
				return;
			new = old ? old + 1 : reason << 24 | 1;
		} while (!try_cmpxchg(&asp->drops[i], &old, new));
		if (!old || old >> 24 == reason)
			return;
	}
	/* More kinds of drops than places: the last one counts all of them, under no reason. */
	old = READ_ONCE(asp->drops[ATCP_DROP_PLACES]);
	while (old != ATCP_DROP_MOST && !try_cmpxchg(&asp->drops[ATCP_DROP_PLACES], &old, old + 1))
		;
}

u32 atcp_drops_read(const u32 *drops, u32 place, u32 *reason)
{
	u32 v = READ_ONCE(drops[place]);

	*reason = v >> 24;
	return v & ATCP_DROP_MOST;
}

/* ---- dropping ------------------------------------------------------------------------ */

/* The core holds it no longer. Lock: socket, if it was held. */
static void atcp_rx_unhold(struct sk_buff *skb)
{
	if (atcp_rx_charged(skb))
		atcp_sk(skb->sk)->held -= skb->truesize;
}

void atcp_os_drop(struct atcp_osns *ns, struct atcp_conn *c, struct atcp_pkt *pkt, uint32_t reason)
{
	struct sock *sk = c ? atcp_sk_of_conn(c) : NULL;
	struct sk_buff *skb;

	atcp_os_reason(ns, reason);
	/* A listener counts in its ledger, which has a copy for each CPU. */
	if (sk && sk->sk_state != TCP_LISTEN)
		atcp_drops_add(atcp_sk(sk), reason);
	if (!pkt)
		return;
	skb = atcp_pkt_skb(pkt);
	if (static_branch_unlikely(&atcp_watched))
		atcp_tell_drop(ns, sk, skb, reason);
	atcp_rx_unhold(skb);
	kfree_skb_reason(skb, atcp_drop_reason(reason));
}

void atcp_os_pkt_free(struct atcp_pkt *pkt, uint32_t reason)
{
	struct sk_buff *skb = atcp_pkt_skb(pkt);
	struct sock *sk = atcp_rx_charged(skb) ? skb->sk : NULL;

	atcp_rx_unhold(skb);
	if (reason == ATCP_REASON_NONE) {
		consume_skb(skb);
		return;
	}
	/* Held out of order, so it has an owner. (Without one it ended its connection: that is told and counted there.) */
	if (sk) {
		atcp_os_reason(atcp_sk_osns(sk), reason);
		atcp_drops_add(atcp_sk(sk), reason);
		if (static_branch_unlikely(&atcp_watched))
			atcp_tell_drop(atcp_sk_osns(sk), sk, skb, reason);
	}
	kfree_skb_reason(skb, atcp_drop_reason(reason));
}
