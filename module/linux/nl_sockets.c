// SPDX-License-Identifier: GPL-2.0
/*
 * SOCKET_GET: connections, requests and TIME_WAIT entries that a filter lets through, one message
 * per entry, paged by the cursor of atcp_core_walk; or one socket by its cookie, with all that
 * there is to say about it.
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

static u32 uid_of(const struct atcp_nl_walk *w, struct atcp_conn *c)
{
	return from_kuid_munged(w->reader, atcp_nl_owner(atcp_sk_of_conn(c)));
}

int atcp_nl_put_addr(struct sk_buff *skb, int attr, u16 family, const union atcp_ip *ip)
{
	return nla_put(skb, attr, family == ATCP_AF_INET6 ? sizeof(ip->v6) : sizeof(ip->v4), ip);
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, ATCP_SOCKET_A_PAD);
}

int atcp_nl_put_tuple(struct sk_buff *skb, const struct atcp_tuple *t)
{
	return nla_put_u16(skb, ATCP_SOCKET_A_FAMILY, t->family) ||
	       atcp_nl_put_addr(skb, ATCP_SOCKET_A_LADDR, t->family, &t->laddr) ||
	       atcp_nl_put_addr(skb, ATCP_SOCKET_A_RADDR, t->family, &t->raddr) ||
	       nla_put_u16(skb, ATCP_SOCKET_A_LPORT, ntohs((__force __be16)t->lport)) ||
	       nla_put_u16(skb, ATCP_SOCKET_A_RPORT, ntohs((__force __be16)t->rport));
}

/* What the socket layer knows. */
static int put_sock(struct sk_buff *skb, const struct atcp_nl_walk *w, struct atcp_conn *c)
{
	struct sock *sk = atcp_sk_of_conn(c);
	u32 ahead;
	enum atcp_urgent urgent = atcp_core_urgent(c, &ahead);

	return put_u64(skb, ATCP_SOCKET_A_ID, atcp_nl_cookie(sk)) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_UID, uid_of(w, c)) ||
	       put_u64(skb, ATCP_SOCKET_A_INODE, sock_i_ino(sk)) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RECVQ, READ_ONCE(atcp_sk(sk)->rcv_bytes)) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RCVBUF, READ_ONCE(sk->sk_rcvbuf)) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_SNDBUF, READ_ONCE(sk->sk_sndbuf)) ||
	       nla_put_string(skb, ATCP_SOCKET_A_CC, atcp_core_get_cc(c)) ||
	       (sock_flag(sk, SOCK_DEAD) && nla_put_flag(skb, ATCP_SOCKET_A_ORPHANED)) ||
	       ((READ_ONCE(atcp_sk(sk)->flags) & ATCP_F_CHILD) &&
		nla_put_flag(skb, ATCP_SOCKET_A_PASSIVE)) ||
	       ((urgent == ATCP_URGENT_AWAITED || urgent == ATCP_URGENT_HERE) &&
		nla_put_flag(skb, ATCP_SOCKET_A_URGENT));
}

static int put_agreed(struct sk_buff *skb, const struct atcp_conn_info *i)
{
	return nla_put_u32(skb, ATCP_SOCKET_A_OPTIONS, atcp_tcpi_options(i)) ||
	       nla_put_u8(skb, ATCP_SOCKET_A_SND_WSCALE, i->snd_wscale) ||
	       nla_put_u8(skb, ATCP_SOCKET_A_RCV_WSCALE, i->rcv_wscale) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_MSS, i->snd_mss) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_ADVMSS, i->advmss) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RCV_MSS, i->rcv_mss) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_PMTU, i->pmtu);
}

static int put_times(struct sk_buff *skb, const struct atcp_conn_info *i)
{
	return nla_put_u32(skb, ATCP_SOCKET_A_SRTT_US, i->srtt_us) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RTTVAR_US, i->rttvar_us) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RTO_US, i->rto_us) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_MIN_RTT_US, i->min_rtt_us) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RCV_RTT_US, i->rcv_rtt_us) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_ATO_US, i->ato_us) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_LAST_DATA_SENT_US, i->last_data_sent_us) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_LAST_DATA_RECV_US, i->last_data_recv_us) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_LAST_ACK_RECV_US, i->last_ack_recv_us);
}

/* What congestion control and loss recovery are at. */
static int put_flight(struct sk_buff *skb, const struct atcp_conn_info *i)
{
	return nla_put_u32(skb, ATCP_SOCKET_A_CWND, i->cwnd) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_SSTHRESH, i->ssthresh) ||
	       nla_put_u8(skb, ATCP_SOCKET_A_CA_STATE, i->ca_state) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_PACKETS_OUT, i->packets_out) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_SACKED, i->sacked) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_LOST, i->lost) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RETRANS_OUT, i->retrans_out) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RETRANS, i->total_retrans) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RETRANSMITS, i->retransmits) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_BACKOFF, i->backoff) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_PROBES, i->probes) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_REORDERING, i->reordering) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_REORD_SEEN, i->reord_seen) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_DSACK_DUPS, i->dsack_dups) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_DELIVERED, i->delivered) ||
	       put_u64(skb, ATCP_SOCKET_A_PACING_RATE, i->pacing_rate) ||
	       put_u64(skb, ATCP_SOCKET_A_DELIVERY_RATE, i->delivery_rate);
}

static int put_windows(struct sk_buff *skb, const struct atcp_conn_info *i)
{
	return nla_put_u32(skb, ATCP_SOCKET_A_SENDQ, i->write_seq - i->snd_una) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_NOTSENT, i->notsent_bytes) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_SND_WND, i->snd_wnd) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RCV_WND, i->rcv_wnd) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RCV_SPACE, i->rcv_space) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RCV_SSTHRESH, i->rcv_ssthresh);
}

static int put_totals(struct sk_buff *skb, const struct atcp_conn_info *i)
{
	return put_u64(skb, ATCP_SOCKET_A_BYTES_ACKED, i->bytes_acked) ||
	       put_u64(skb, ATCP_SOCKET_A_BYTES_RECEIVED, i->bytes_received) ||
	       put_u64(skb, ATCP_SOCKET_A_BYTES_SENT, i->bytes_sent) ||
	       put_u64(skb, ATCP_SOCKET_A_BYTES_RETRANS, i->bytes_retrans) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_SEGS_IN, i->segs_in) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_SEGS_OUT, i->segs_out) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_DATA_SEGS_IN, i->data_segs_in) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_DATA_SEGS_OUT, i->data_segs_out);
}

int atcp_nl_put_drops(struct sk_buff *skb, const u32 *drops)
{
	struct nlattr *nest;
	u32 place, reason, n;

	for (place = 0; place <= ATCP_DROP_PLACES; place++) {
		n = atcp_drops_read(drops, place, &reason);
		if (!n)
			continue;
		nest = nla_nest_start(skb, ATCP_SOCKET_A_DROP);
		if (!nest ||
		    (reason && (nla_put_u32(skb, ATCP_REASON_A_ID, reason) ||
				nla_put_string(skb, ATCP_REASON_A_NAME,
					       atcp_core_reason_name(reason, NULL)))) ||
		    nla_put_u64_64bit(skb, ATCP_REASON_A_VALUE, n, ATCP_REASON_A_PAD))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

struct atcp_nl_asker atcp_nl_asker(struct sk_buff *skb, struct net *net)
{
	return (struct atcp_nl_asker){
		.uid = NETLINK_CB(skb).creds.uid,
		.admin = netlink_ns_capable(skb, net->user_ns, CAP_NET_ADMIN),
	};
}

bool atcp_nl_sees_seq(const struct atcp_nl_asker *a, struct sock *sk)
{
	return a->admin || (sk && uid_eq(a->uid, atcp_nl_owner(sk)));
}

static int put_seqs(struct sk_buff *skb, const struct atcp_conn_info *i)
{
	return nla_put_u32(skb, ATCP_SOCKET_A_SND_UNA, i->snd_una) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_SND_NXT, i->snd_nxt) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_WRITE_SEQ, i->write_seq) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_RCV_NXT, i->rcv_nxt) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_COPIED_SEQ, i->copied_seq);
}

static int put_share(struct sk_buff *skb, u8 by, u64 us)
{
	struct nlattr *nest = nla_nest_start(skb, ATCP_SOCKET_A_LIMITED);

	if (!nest || nla_put_u8(skb, ATCP_LIMITED_A_BY, by) ||
	    nla_put_u64_64bit(skb, ATCP_LIMITED_A_US, us, ATCP_LIMITED_A_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_in_state(struct sk_buff *skb, u8 state, u32 ms)
{
	struct nlattr *nest = nla_nest_start(skb, ATCP_SOCKET_A_IN_STATE);

	if (!nest || nla_put_u8(skb, ATCP_IN_STATE_A_STATE, state) ||
	    nla_put_u32(skb, ATCP_IN_STATE_A_MS, ms))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Where its time went; what is 0 is left out. */
static int put_life(struct sk_buff *skb, const struct atcp_conn_info *i)
{
	u32 n;

	for (n = 0; n < ATCP_LIMITS; n++)
		if (i->limited_us[n] && put_share(skb, n, i->limited_us[n]))
			return -EMSGSIZE;
	for (n = 0; n < ATCP_STATES; n++)
		if (i->in_state_ms[n] && put_in_state(skb, n, i->in_state_ms[n]))
			return -EMSGSIZE;
	return 0;
}

static int put_timers(struct sk_buff *skb, const struct atcp_conn *c, u64 now_ns)
{
	struct atcp_timer_info timers[ATCP_TIMERS];
	u32 n = atcp_core_conn_timers(c, timers, now_ns);
	u32 i;

	for (i = 0; i < n; i++) {
		struct nlattr *nest = nla_nest_start(skb, ATCP_SOCKET_A_TIMER);

		if (!nest || nla_put_string(skb, ATCP_TIMER_A_NAME, timers[i].name) ||
		    nla_put_u64_64bit(skb, ATCP_TIMER_A_LEFT_US, timers[i].left_us,
				      ATCP_TIMER_A_PAD))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

int atcp_nl_put_info(struct sk_buff *skb, const struct atcp_conn_info *i, bool full)
{
	return put_agreed(skb, i) || put_times(skb, i) || put_flight(skb, i) ||
	       put_windows(skb, i) || put_totals(skb, i) ||
	       nla_put_u8(skb, ATCP_SOCKET_A_LIMITED_BY, i->limited_by) ||
	       nla_put_u32(skb, ATCP_SOCKET_A_HANDSHAKE_US, i->handshake_us) ||
	       put_u64(skb, ATCP_SOCKET_A_AGE_US, i->age_us) ||
	       (full && put_life(skb, i));
}

static int put_conn(struct sk_buff *skb, const struct atcp_nl_walk *w, struct atcp_conn *c,
		    bool full)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct atcp_conn_info i;

	atcp_core_conn_info(c, &i, w->now_ns);
	if (put_sock(skb, w, c) || atcp_nl_put_info(skb, &i, full))
		return -EMSGSIZE;
	if (w->asker && atcp_nl_sees_seq(w->asker, sk) && put_seqs(skb, &i))
		return -EMSGSIZE;
	return full && (put_timers(skb, c, w->now_ns) ||
			atcp_nl_put_drops(skb, atcp_sk(sk)->drops));
}

/* Requests and TIME_WAIT entries: no socket, so no program, queue or window. */
static int put_light(struct sk_buff *skb, const struct atcp_nl_walk *w,
		     const struct atcp_entry_info *e)
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

int atcp_nl_put_socket(struct sk_buff *skb, const struct atcp_nl_walk *w,
		       const struct atcp_entry_info *e, bool full)
{
	struct nlattr *nest = nla_nest_start(skb, ATCP_A_SOCKET);
	u8 kind = kind_of(e);

	if (!nest || nla_put_u8(skb, ATCP_SOCKET_A_STATE, e->state) ||
	    nla_put_u8(skb, ATCP_SOCKET_A_KIND, kind) || atcp_nl_put_tuple(skb, &e->tuple) ||
	    (kind == ATCP_KIND_CONN ? put_conn(skb, w, e->conn, full) : put_light(skb, w, e)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* ---- all of them ------------------------------------------------------------------- */

/* False: no room, the walk resumes at this entry. */
static bool put_entry(void *arg, const struct atcp_entry_info *e)
{
	struct atcp_nl_walk *w = arg;
	void *hdr;

	if (!atcp_nl_filter_match(w->filter, e))
		return true;
	hdr = atcp_nl_begin(w->skb, w->cb, ATCP_CMD_SOCKET_GET);
	if (!hdr)
		return false;
	if (atcp_nl_put_socket(w->skb, w, e, false)) {
		genlmsg_cancel(w->skb, hdr);
		return false;
	}
	genlmsg_end(w->skb, hdr);
	return true;
}

int atcp_nl_walk_dump(struct sk_buff *skb, struct netlink_callback *cb, u32 taken, bool listeners,
		      bool (*put)(void *walk, const struct atcp_entry_info *e))
{
	struct atcp_nl_cursor *cur = atcp_nl_cursor(cb);
	struct atcp_nl_walk w = {
		.skb = skb,
		.cb = cb,
		.reader = sk_user_ns(NETLINK_CB(cb->skb).sk),
		.now_ns = atcp_now(),
	};

	int err = atcp_nl_dump_read(cb, taken, ATCP_NL_OF_EVENTS);

	if (err || cur->done)
		return err;
	w.filter = cur->filter;
	cur->done = atcp_core_walk(atcp_pernet(sock_net(cb->skb->sk))->core, listeners, &cur->at,
				   w.now_ns, put, &w);
	if (!skb->len && !cur->done)
		return -EMSGSIZE;
	return skb->len;
}

int atcp_nl_socket_get_start(struct netlink_callback *cb)
{
	return atcp_nl_dump_start(cb, ATCP_NL_SOCKET_GET_DUMP, ATCP_NL_OF_EVENTS);
}

int atcp_nl_socket_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return atcp_nl_walk_dump(skb, cb, ATCP_NL_SOCKET_GET_DUMP, false, put_entry);
}

int atcp_nl_socket_get_done(struct netlink_callback *cb)
{
	return atcp_nl_filter_done(cb);
}

/* ---- one of them ------------------------------------------------------------------- */

struct one {
	struct atcp_nl_walk walk;
	int err;
};

/* False: it is found. */
static bool put_one(void *arg, const struct atcp_entry_info *e)
{
	struct one *o = arg;

	if (!atcp_nl_filter_match(o->walk.filter, e))
		return true;
	o->err = atcp_nl_put_socket(o->walk.skb, &o->walk, e, true);
	return false;
}

struct wanted {
	struct atcp_nl_filter filter;
	struct sock *sk;
};

/* False: it is found. */
static bool take_one(void *arg, const struct atcp_entry_info *e)
{
	struct wanted *w = arg;

	if (!e->conn || e->kind == ATCP_FOUND_REQUEST || !atcp_nl_filter_match(&w->filter, e))
		return true;
	w->sk = atcp_sk_of_conn(e->conn);
	sock_hold(w->sk);
	return false;
}

struct sock *atcp_nl_sock_of(struct net *net, u64 id)
{
	struct wanted w = {
		.filter.present = BIT(ATCP_FILTER_A_ID),
		.filter.lport.max = U16_MAX,
		.filter.rport.max = U16_MAX,
		.filter.id = id,
	};
	struct atcp_ns *ns = atcp_pernet(net)->core;
	u64 at = 0;

	/* 0 is the cookie of sockets that nobody has asked for theirs. */
	if (id)
		atcp_core_walk(ns, false, &at, atcp_now(), take_one, &w);
	at = 0;
	if (id && !w.sk)
		atcp_core_walk(ns, true, &at, atcp_now(), take_one, &w);
	return w.sk;
}

struct sock *atcp_nl_sock_by_id(struct net *net, const struct nlattr *id,
				struct netlink_ext_ack *extack)
{
	struct sock *sk;

	if (!id)
		return NULL;
	sk = atcp_nl_sock_of(net, nla_get_u64(id));
	if (sk)
		return sk;
	NL_SET_ERR_MSG_ATTR(extack, id, "id: no connection or listener has this cookie");
	return ERR_PTR(-ENOENT);
}

int atcp_nl_socket_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *id = info->attrs[ATCP_A_ID];
	struct atcp_nl_filter filter = {
		.present = BIT(ATCP_FILTER_A_ID),
		.lport.max = U16_MAX,
		.rport.max = U16_MAX,
	};
	const struct atcp_nl_asker asker = atcp_nl_asker(skb, genl_info_net(info));
	struct one o = {
		.walk.filter = &filter,
		.walk.asker = &asker,
		.walk.reader = sk_user_ns(NETLINK_CB(skb).sk),
		.walk.now_ns = atcp_now(),
		.err = -ENOENT,
	};
	u64 at = 0;
	void *hdr;
	int err;

	err = atcp_nl_only(info->attrs, ATCP_NL_SOCKET_GET_DO, info->extack);
	if (err)
		return err;
	if (!id) {
		NL_SET_ERR_MSG(info->extack, "id: which socket? Give its cookie, or dump them");
		return -EINVAL;
	}
	filter.id = nla_get_u64(id);
	o.walk.skb = atcp_nl_answer(info, ATCP_CMD_SOCKET_GET, NLMSG_GOODSIZE, &hdr);
	if (!o.walk.skb)
		return -ENOMEM;
	/* 0 is the cookie of sockets that nobody has asked for theirs. */
	if (filter.id)
		atcp_core_walk(atcp_pernet(genl_info_net(info))->core, false, &at, o.walk.now_ns,
			       put_one, &o);
	if (o.err) {
		nlmsg_free(o.walk.skb);
		if (o.err == -ENOENT)
			NL_SET_ERR_MSG_ATTR(info->extack, id, "id: no connection has this cookie");
		return o.err;
	}
	genlmsg_end(o.walk.skb, hdr);
	return genlmsg_reply(o.walk.skb, info);
}
