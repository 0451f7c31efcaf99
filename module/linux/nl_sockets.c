// SPDX-License-Identifier: GPL-2.0
/*
 * SOCKET_GET and LISTENER_GET: the core's tables of connections, requests, TIME_WAIT entries and
 * listeners, one message per entry, paged by the cursor of atcp_core_walk. Nothing is filtered
 * here.
 *
 * No socket is locked. The walk may hold a bucket's lock, which is taken inside a socket's lock
 * everywhere else; and a program that sleeps with its socket locked (on a page fault that its
 * own handler never answers, say) must not be able to stop those who look at it. So the numbers
 * of a busy connection may be from instants some microseconds apart; each of them is whole.
 */
#include <linux/user_namespace.h>
#include <net/sock.h>

#include "atcp_core.h"
#include "glue.h"
#include "nl.h"

struct walk {
	struct sk_buff *skb;
	struct netlink_callback *cb;
	struct user_namespace *reader;	/* whose numbers the uids are told in */
	u64 now_ns;
};

static u32 uid_of(const struct walk *w, struct atcp_conn *c)
{
	return from_kuid_munged(w->reader, sock_i_uid(atcp_sk_of_conn(c)));
}

static int put_addr(struct sk_buff *skb, int attr, u16 family, const union atcp_ip *ip)
{
	return nla_put(skb, attr, family == ATCP_AF_INET6 ? sizeof(ip->v6) : sizeof(ip->v4), ip);
}

static int put_tuple(struct sk_buff *skb, const struct atcp_tuple *t)
{
	return nla_put_u16(skb, ATCP_SOCKET_A_FAMILY, t->family) ||
	       put_addr(skb, ATCP_SOCKET_A_LADDR, t->family, &t->laddr) ||
	       put_addr(skb, ATCP_SOCKET_A_RADDR, t->family, &t->raddr) ||
	       nla_put_u16(skb, ATCP_SOCKET_A_LPORT, ntohs((__force __be16)t->lport)) ||
	       nla_put_u16(skb, ATCP_SOCKET_A_RPORT, ntohs((__force __be16)t->rport));
}

static int put_conn(struct sk_buff *skb, const struct walk *w, struct atcp_conn *c)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct atcp_conn_info i;

	atcp_core_conn_info(c, &i, w->now_ns);
	return nla_put_u32(skb, ATCP_SOCKET_A_UID, uid_of(w, c)) ||
	       nla_put_u64_64bit(skb, ATCP_SOCKET_A_INODE, sock_i_ino(sk), ATCP_SOCKET_A_PAD) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RECVQ, READ_ONCE(atcp_sk(sk)->rcv_bytes)) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_SENDQ, i.write_seq - i.snd_una) ||
	       nla_put_string(skb, ATCP_SOCKET_A_CC, atcp_core_get_cc(c)) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_CWND, i.cwnd) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_SSTHRESH, i.ssthresh) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_SRTT_US, i.srtt_us) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RTTVAR_US, i.rttvar_us) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RTO_US, i.rto_us) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_MSS, i.snd_mss) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RETRANS, i.total_retrans) ||
	       nla_put_u64_64bit(skb, ATCP_SOCKET_A_BYTES_ACKED, i.bytes_acked,
				 ATCP_SOCKET_A_PAD) ||
	       nla_put_u64_64bit(skb, ATCP_SOCKET_A_BYTES_RECEIVED, i.bytes_received,
				 ATCP_SOCKET_A_PAD) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_SND_WND, i.snd_wnd) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RCV_WND, i.rcv_wnd) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RCVBUF, READ_ONCE(sk->sk_rcvbuf)) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_SNDBUF, READ_ONCE(sk->sk_sndbuf));
}

/* Requests and TIME_WAIT entries: no socket, so no program, queue or window. */
static int put_light(struct sk_buff *skb, const struct walk *w, const struct atcp_entry_info *e)
{
	if (e->conn && nla_put_u32(skb, ATCP_SOCKET_A_UID, uid_of(w, e->conn)))
		return -EMSGSIZE;
	return nla_put_u32(skb, ATCP_SOCKET_A_RETRANS, e->retrans) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_EXPIRES_MS, e->expires_us / 1000);
}

static u8 kind_of(const struct atcp_entry_info *e)
{
	switch (e->kind) {
	case ATCP_FOUND_REQUEST:
		return ATCP_KIND_REQUEST;
	case ATCP_FOUND_TIMEWAIT:
		return ATCP_KIND_TIMEWAIT;
	default:
		return ATCP_KIND_CONN;
	}
}

/* False: no room, the walk resumes at this entry. */
static bool put_entry(void *arg, const struct atcp_entry_info *e)
{
	struct walk *w = arg;
	struct sk_buff *skb = w->skb;
	void *hdr = atcp_nl_begin(skb, w->cb, ATCP_CMD_SOCKET_GET);
	struct nlattr *nest;
	u8 kind = kind_of(e);

	if (!hdr)
		return false;
	nest = nla_nest_start(skb, ATCP_A_SOCKET);
	if (!nest || nla_put_u8(skb, ATCP_SOCKET_A_STATE, e->state) ||
	    nla_put_u8(skb, ATCP_SOCKET_A_KIND, kind) || put_tuple(skb, &e->tuple) ||
	    (kind == ATCP_KIND_CONN ? put_conn(skb, w, e->conn) : put_light(skb, w, e))) {
		genlmsg_cancel(skb, hdr);
		return false;
	}
	nla_nest_end(skb, nest);
	genlmsg_end(skb, hdr);
	return true;
}

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
	struct walk *w = arg;
	struct sk_buff *skb = w->skb;
	const struct atcp_tuple *t = &e->tuple;
	void *hdr = atcp_nl_begin(skb, w->cb, ATCP_CMD_LISTENER_GET);
	struct atcp_listener_info i;
	struct nlattr *nest;

	if (!hdr)
		return false;
	atcp_core_listener_info(e->conn, &i, w->now_ns);
	nest = nla_nest_start(skb, ATCP_A_LISTENER);
	if (!nest || nla_put_u16(skb, ATCP_LISTENER_A_FAMILY, t->family) ||
	    put_addr(skb, ATCP_LISTENER_A_LADDR, t->family, &t->laddr) ||
	    nla_put_u16(skb, ATCP_LISTENER_A_LPORT, ntohs((__force __be16)t->lport)) ||
	    nla_put_u32(skb, ATCP_LISTENER_A_UID, uid_of(w, e->conn)) ||
	    nla_put_u64_64bit(skb, ATCP_LISTENER_A_INODE, sock_i_ino(atcp_sk_of_conn(e->conn)),
			      ATCP_LISTENER_A_PAD) ||
	    put_queues(skb, &i) || put_marks(skb, &i) ||
	    (READ_ONCE(atcp_sk(atcp_sk_of_conn(e->conn))->at_somaxconn) &&
	     nla_put_flag(skb, ATCP_LISTENER_A_AT_SOMAXCONN)) ||
	    put_reasons(skb, e->conn)) {
		genlmsg_cancel(skb, hdr);
		return false;
	}
	nla_nest_end(skb, nest);
	genlmsg_end(skb, hdr);
	return true;
}

static int dump(struct sk_buff *skb, struct netlink_callback *cb, bool listeners)
{
	struct atcp_nl_cursor *cur = atcp_nl_cursor(cb);
	struct walk w = {
		.skb = skb,
		.cb = cb,
		.reader = sk_user_ns(NETLINK_CB(cb->skb).sk),
		.now_ns = atcp_now(),
	};

	if (cur->done)
		return 0;
	cur->done = atcp_core_walk(atcp_pernet(sock_net(cb->skb->sk))->core, listeners, &cur->at,
				   w.now_ns, listeners ? put_listener : put_entry, &w);
	if (!skb->len && !cur->done)
		return -EMSGSIZE;
	return skb->len;
}

int atcp_nl_socket_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, false);
}

int atcp_nl_listener_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, true);
}
