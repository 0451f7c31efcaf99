// SPDX-License-Identifier: GPL-2.0
/*
 * LISTENER_GET: listeners that a filter lets through, with their queues, limits and ledgers: what was
 * refused, and why. Like nl_sockets.c it locks no socket.
 */
#include <linux/user_namespace.h>

#include "atcp_core.h"
#include "glue.h"
#include "nl.h"

static int put_reason(struct sk_buff *skb, const struct atcp_listener_reason *r)
{
	struct nlattr *nest = nla_nest_start(skb, ATCP_LISTENER_A_REASON);
	u8 segment = r->is_ack ? ATCP_REFUSED_ACK : ATCP_REFUSED_SYN;
	const char *help;
	const char *name = r->reason ? atcp_core_reason_name(r->reason, &help) : "other";

	if (!nest || nla_put_u32(skb, ATCP_REASON_A_ID, r->reason) ||
	    nla_put_string(skb, ATCP_REASON_A_NAME, name) ||
	    nla_put_u64_64bit(skb, ATCP_REASON_A_VALUE, r->count, ATCP_REASON_A_PAD) ||
	    nla_put_u8(skb, ATCP_REASON_A_SEGMENT, segment))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* What was refused and why; lines that are 0 are left out. */
static int put_reasons(struct sk_buff *skb, const struct atcp_conn *c)
{
	struct atcp_listener_reason r;
	u32 i;

	for (i = 0; atcp_core_listener_reason(c, i, &r); i++)
		if (r.count && put_reason(skb, &r))
			return -EMSGSIZE;
	return 0;
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, ATCP_LISTENER_A_PAD);
}

static int put_marks(struct sk_buff *skb, const struct atcp_listener_info *i)
{
	return nla_put_u32(skb, ATCP_LISTENER_A_ACCEPT_QUEUE_HIGH, i->accept_queue_high) ||
	       nla_put_u32(skb, ATCP_LISTENER_A_REQUESTS_HIGH, i->requests_high) ||
	       put_u64(skb, ATCP_LISTENER_A_CROWDED_MS, i->crowded_us / 1000) ||
	       put_u64(skb, ATCP_LISTENER_A_COOKIES, i->cookies) ||
	       put_u64(skb, ATCP_LISTENER_A_ACKS, i->acks) ||
	       put_u64(skb, ATCP_LISTENER_A_CHILDREN, i->children) ||
	       put_u64(skb, ATCP_LISTENER_A_ACK_DROPS, i->ack_drops) ||
	       put_u64(skb, ATCP_LISTENER_A_MIGRATED_IN, i->migrated_in) ||
	       put_u64(skb, ATCP_LISTENER_A_MIGRATED_OUT, i->migrated_out);
}

static int put_queues(struct sk_buff *skb, const struct atcp_listener_info *i)
{
	return nla_put_u32(skb, ATCP_LISTENER_A_ACCEPT_QUEUE, i->accept_queue) ||
	       nla_put_u32(skb, ATCP_LISTENER_A_BACKLOG, i->backlog) ||
	       nla_put_u32(skb, ATCP_LISTENER_A_REQUESTS, i->requests) ||
	       nla_put_u32(skb, ATCP_LISTENER_A_YOUNG, i->young) ||
	       put_u64(skb, ATCP_LISTENER_A_SYNS, i->syns) ||
	       put_u64(skb, ATCP_LISTENER_A_SYNACKS, i->synacks) ||
	       put_u64(skb, ATCP_LISTENER_A_SYN_DUPS, i->syn_dups) ||
	       put_u64(skb, ATCP_LISTENER_A_ACCEPTED, i->accepted) ||
	       put_u64(skb, ATCP_LISTENER_A_OVERFLOW_SYN, i->overflow_syn) ||
	       put_u64(skb, ATCP_LISTENER_A_OVERFLOW_ACK, i->overflow_ack) ||
	       put_u64(skb, ATCP_LISTENER_A_SYN_DROPS, i->syn_drops);
}

static bool put_listener(void *arg, const struct atcp_entry_info *e)
{
	struct atcp_nl_walk *w = arg;
	struct sk_buff *skb = w->skb;
	const struct atcp_tuple *t = &e->tuple;
	struct sock *sk = atcp_sk_of_conn(e->conn);
	struct atcp_listener_info i;
	struct nlattr *nest;
	void *hdr;

	if (!atcp_nl_filter_match(w->filter, e))
		return true;
	hdr = atcp_nl_begin(skb, w->cb, ATCP_CMD_LISTENER_GET);
	if (!hdr)
		return false;
	atcp_core_listener_info(e->conn, &i, w->now_ns);
	nest = nla_nest_start(skb, ATCP_A_LISTENER);
	if (!nest || nla_put_u16(skb, ATCP_LISTENER_A_FAMILY, t->family) ||
	    atcp_nl_put_addr(skb, ATCP_LISTENER_A_LADDR, t->family, &t->laddr) ||
	    nla_put_u16(skb, ATCP_LISTENER_A_LPORT, ntohs((__force __be16)t->lport)) ||
	    put_u64(skb, ATCP_LISTENER_A_ID, atcp_nl_cookie(sk)) ||
	    nla_put_u32(skb, ATCP_LISTENER_A_UID, from_kuid_munged(w->reader, atcp_nl_owner(sk))) ||
	    put_u64(skb, ATCP_LISTENER_A_INODE, sock_i_ino(sk)) ||
	    put_queues(skb, &i) || put_marks(skb, &i) ||
	    (READ_ONCE(atcp_sk(sk)->at_somaxconn) &&
	     nla_put_flag(skb, ATCP_LISTENER_A_AT_SOMAXCONN)) ||
	    put_reasons(skb, e->conn)) {
		genlmsg_cancel(skb, hdr);
		return false;
	}
	nla_nest_end(skb, nest);
	genlmsg_end(skb, hdr);
	return true;
}

int atcp_nl_listener_get_start(struct netlink_callback *cb)
{
	return atcp_nl_dump_start(cb, ATCP_NL_LISTENER_GET_DUMP, ATCP_NL_OF_EVENTS);
}

int atcp_nl_listener_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return atcp_nl_walk_dump(skb, cb, ATCP_NL_LISTENER_GET_DUMP, true, put_listener);
}

int atcp_nl_listener_get_done(struct netlink_callback *cb)
{
	return atcp_nl_filter_done(cb);
}
