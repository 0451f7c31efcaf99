// SPDX-License-Identifier: GPL-2.0
/*
 * From IP to the core: the netfilter hook that takes segments of our sockets out of the ordinary
 * TCP stream (wire=tcp), the handler of protocol 253 (wire=atcp), and the way both go from there:
 * checksum, header, lock or backlog. ICMP is in icmp.c.
 *
 * The hook is the last at LOCAL_IN: the firewall has judged the packet. Hooks of the same last
 * priority (conntrack confirms connections there) are run before the packet is taken away.
 */
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/tcp.h>
#include <net/busy_poll.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "glue.h"

/* How often a packet is looked up again because its entry changed under it. */
enum { ATCP_RELOOKUPS = 4 };

static unsigned int atcp_nf_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);

static DEFINE_MUTEX(atcp_hook_mutex);

static const struct nf_hook_ops atcp_nf_ops = {
	.hook = atcp_nf_in,
	.pf = NFPROTO_IPV4,
	.hooknum = NF_INET_LOCAL_IN,
	.priority = NF_IP_PRI_LAST,
};

/* Before a namespace's first socket. The hook stays until the namespace goes. Context: process. */
int atcp_hook(struct atcp_osns *osns)
{
	int err = 0;

	if (READ_ONCE(osns->hooked))
		return 0;
	mutex_lock(&atcp_hook_mutex);
	if (!osns->hooked) {
		osns->nf_ops = atcp_nf_ops;
		osns->nf_ops.priv = osns;
		err = nf_register_net_hook(osns->net, &osns->nf_ops);
		if (!err)
			WRITE_ONCE(osns->hooked, true);
	}
	mutex_unlock(&atcp_hook_mutex);
	return err;
}

void atcp_unhook(struct atcp_osns *osns)
{
	mutex_lock(&atcp_hook_mutex);
	if (osns->hooked)
		nf_unregister_net_hook(osns->net, &osns->nf_ops);
	WRITE_ONCE(osns->hooked, false);
	mutex_unlock(&atcp_hook_mutex);
}

/* ---- parsing ------------------------------------------------------------------------- */

/* The tuple of a packet whose transport header is at skb->data + off, with 4 bytes readable. */
static void atcp_skb_tuple(const struct sk_buff *skb, int off, struct atcp_tuple *t)
{
	const struct iphdr *iph = ip_hdr(skb);
	const struct tcphdr *th = (const struct tcphdr *)(skb->data + off);

	memset(t, 0, sizeof(*t));
	t->family = ATCP_AF_INET;
	t->laddr.v4 = (__force u32)iph->daddr;
	t->raddr.v4 = (__force u32)iph->saddr;
	t->lport = (__force u16)th->dest;
	t->rport = (__force u16)th->source;
}

/* Parse the header in front of `total` bytes and fill in what only the port knows. */
static u32 atcp_skb_seg(const struct sk_buff *skb, const u8 *hdr, u32 avail, u32 total,
			struct atcp_seg *seg)
{
	u32 reason = atcp_core_parse(hdr, avail, total, seg);

	if (reason)
		return reason;
	seg->truesize = skb->truesize;
	seg->segs = max_t(u16, 1, skb_shinfo(skb)->gso_segs);
	seg->ecn = (atcp_skb_v6(skb) ? ipv6_get_dsfield(ipv6_hdr(skb)) : ip_hdr(skb)->tos) &
		   INET_ECN_MASK;
	return ATCP_REASON_NONE;
}

static bool atcp_skb_checksum_ok(struct sk_buff *skb, u8 proto)
{
	if (atcp_skb_v6(skb) ? skb_checksum_init(skb, proto, ip6_compute_pseudo) :
			       skb_checksum_init(skb, proto, inet_compute_pseudo))
		return false;
	return !skb_checksum_complete(skb);
}

/*
 * What the program has to say, or if it is nobody's, the administrator: IP_MINTTL or IPV6_MINHOPCOUNT, the policy of IPsec, the socket's
 * filter, which may cut something off. sk: or NULL. skb: its header is linear.
 */
static bool atcp_skb_admitted(struct sk_buff *skb, struct sock *sk)
{
	bool v6 = atcp_skb_v6(skb);

	if (sk && (v6 ? ipv6_hdr(skb)->hop_limit < READ_ONCE(inet6_sk(sk)->min_hopcount) :
			ip_hdr(skb)->ttl < READ_ONCE(inet_sk(sk)->min_ttl)))
		return false;
	if (!(v6 ? xfrm6_policy_check(sk, XFRM_POLICY_IN, skb) :
		   xfrm4_policy_check(sk, XFRM_POLICY_IN, skb)))
		return false;
	return !(sk && sk_filter_trim_cap(sk, skb, tcp_hdr(skb)->doff * 4));
}

/* The same for a packet of f, a request or a TIME_WAIT entry: with them it is the listener's word that counts, of
 * TIME_WAIT if a SYN may begin a new connection in its place. Context: inside RCU.
 */
static bool atcp_skb_admitted_by_listener(struct atcp_osns *osns, struct atcp_found f,
					  const struct atcp_tuple *t, struct sk_buff *skb)
{
	struct atcp_conn *c = NULL;
	bool admitted;

	if (f.kind == ATCP_FOUND_REQUEST ||
	    (f.kind == ATCP_FOUND_TIMEWAIT && tcp_hdr(skb)->syn && !tcp_hdr(skb)->ack))
		c = atcp_core_listener_of(osns->core, f, t);
	admitted = atcp_skb_admitted(skb, c ? atcp_sk_of_conn(c) : NULL);
	if (c)
		atcp_os_conn_put(c);
	return admitted;
}

/*
 * skb->data is at the transport header. Verify the checksum, make the header linear, ask whether f, or sk if it is that,
 * wants the packet, parse the header, and move skb->data to the payload; the header stays readable before it. Returns
 * why not.
 * RFC 9293 3.1 (MUST-3).
 */
static u32 atcp_skb_open(struct atcp_osns *osns, struct atcp_found f, const struct atcp_tuple *t,
			 struct sk_buff *skb, u8 proto, struct sock *sk, struct atcp_seg *seg)
{
	u32 hdr_len, reason;

	if (!pskb_may_pull(skb, sizeof(struct tcphdr)))
		return ATCP_REASON_HDR_TRUNCATED;
	if (!atcp_skb_checksum_ok(skb, proto))
		return ATCP_REASON_CHECKSUM;
	hdr_len = tcp_hdr(skb)->doff * 4;
	if (hdr_len <= skb->len && !pskb_may_pull(skb, hdr_len))
		return ATCP_REASON_NO_MEMORY;
	if (sk ? !atcp_skb_admitted(skb, sk) : !atcp_skb_admitted_by_listener(osns, f, t, skb))
		return ATCP_REASON_FILTERED;
	reason = atcp_skb_seg(skb, skb->data, skb_headlen(skb), skb->len, seg);
	if (reason)
		return reason;
	__skb_pull(skb, seg->hdr_len);

	/* It is ours for good: let go of what the way here needed. */
	skb_orphan(skb);
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	secpath_reset(skb);
	skb->dev = NULL;
	/* A sender on this host may have said when it is to leave: that is no time of arrival. */
	skb_clear_delivery_time(skb);
	return ATCP_REASON_NONE;
}

/* ---- to the core --------------------------------------------------------------------- */

/* Lock: socket. */
static void atcp_rx_input(struct sock *sk, const struct atcp_seg *seg, struct sk_buff *skb)
{
	if (unlikely(!atcp_skb_v6(skb) && IPCB(skb)->opt.srr))
		atcp_path_learn(sk, seg, skb);
	if (unlikely(atcp6_options_wanted(sk)) && atcp_skb_v6(skb))
		atcp6_options_input(sk, seg, skb);
	else
		atcp_core_conn_input(&atcp_sk(sk)->conn, seg, atcp_skb_pkt(skb), atcp_now());
}

/* proto->backlog_rcv: skb is as atcp_skb_open() left it. Lock: socket. */
int atcp_backlog_rcv(struct sock *sk, struct sk_buff *skb)
{
	const u8 *hdr = skb_transport_header(skb);
	u32 hdr_len = skb->data - hdr;
	struct atcp_seg seg;
	u32 reason;

	reason = atcp_skb_seg(skb, hdr, hdr_len, hdr_len + skb->len, &seg);
	if (reason) {
		atcp_core_drop(atcp_sk_osns(sk)->core, &atcp_sk(sk)->conn, atcp_skb_pkt(skb),
			       reason);
		return 0;
	}
	atcp_rx_input(sk, &seg, skb);
	return 0;
}

/* Consumes skb and the reference. Context: softirq. */
static void atcp_rx_conn(struct atcp_osns *osns, struct sock *sk, const struct atcp_seg *seg,
			 struct sk_buff *skb)
{
	u32 limit;

	/* SO_INCOMING_CPU, SO_INCOMING_NAPI_ID. */
	sk_incoming_cpu_update(sk);
	sk_mark_napi_id(sk, skb);
	bh_lock_sock_nested(sk);
	if (!sock_owned_by_user(sk)) {
		sock_rps_save_rxhash(sk, skb);
		atcp_rx_input(sk, seg, skb);
		atcp_mem_account(sk);
		atcp_sock_settle(sk);
	} else {
		limit = READ_ONCE(sk->sk_rcvbuf) + READ_ONCE(sk->sk_sndbuf) + 64 * 1024;
		if (unlikely(sk_add_backlog(sk, skb, limit))) {
			atomic_inc(&sk->sk_drops);
			atcp_core_drop(osns->core, &atcp_sk(sk)->conn, atcp_skb_pkt(skb),
				       ATCP_REASON_BACKLOG_FULL);
		}
	}
	bh_unlock_sock(sk);
	sock_put(sk);
}

/*
 * way: the source route that the packet brought, or optlen 0; NULL in a namespace that knows none. What a request
 * and TIME_WAIT know of the way back is the work of the SYN that made them, or of a whole connection, and others
 * who send segments for them shall not learn from the answers.
 */
static bool atcp_rx_core(struct atcp_osns *osns, struct atcp_found f, const struct atcp_tuple *t,
			 const struct atcp_seg *seg, struct sk_buff *skb,
			 const struct atcp_path *way)
{
	bool syn = (seg->flags & (ATCP_SYN | ATCP_ACK | ATCP_RST)) == ATCP_SYN &&
		   f.kind != ATCP_FOUND_REQUEST;
	struct atcp_path_now now = {
		.tuple = t,
		.path = way,
		.answers = syn || f.kind == ATCP_FOUND_LISTENER,
	};
	bool taken;

	if (unlikely(way))
		atcp_path_enter(osns, &now, syn);
	taken = atcp_core_input(osns->core, f, t, seg, atcp_skb_pkt(skb), atcp_now());
	if (unlikely(way))
		atcp_path_leave();
	return taken;
}

/* Nobody has the packet: a reset goes back the way it came. */
static void atcp_rx_nobody(struct atcp_osns *osns, const struct atcp_tuple *t,
			   const struct atcp_seg *seg, struct sk_buff *skb,
			   const struct atcp_path *way)
{
	struct atcp_path_now now = { .tuple = t, .path = way, .answers = true };

	if (unlikely(way))
		atcp_path_enter(osns, &now, false);
	atcp_core_no_socket(osns->core, t, seg, atcp_skb_pkt(skb));
	if (unlikely(way))
		atcp_path_leave();
}

void atcp_rx(struct atcp_osns *osns, struct atcp_found f, const struct atcp_tuple *t,
	     struct sk_buff *skb, u8 proto, bool nobody)
{
	struct inet6_skb_parm noted ATCP_UNSET;
	const struct atcp_path *way;
	struct atcp_path room ATCP_UNSET;
	struct sock *sk = NULL;
	struct atcp_seg seg ATCP_UNSET;
	u32 reason;
	int turn;

	skb_reset_transport_header(skb);
	if (f.kind == ATCP_FOUND_CONN || f.kind == ATCP_FOUND_LISTENER)
		sk = atcp_sk_of_conn(f.entry);
	reason = atcp_skb_open(osns, f, t, skb, proto, sk, &seg);
	if (reason) {
		atcp_core_drop(osns->core, sk ? &atcp_sk(sk)->conn : NULL, atcp_skb_pkt(skb), reason);
		if (f.kind != ATCP_FOUND_NONE)
			atcp_core_put(f);
		return;
	}

	if (f.kind != ATCP_FOUND_CONN) {
		if (atcp_skb_v6(skb))
			noted = *IP6CB(skb);
		atcp6_options_enter(skb);
	}
	way = f.kind == ATCP_FOUND_CONN || t->family != ATCP_AF_INET ?
		      NULL :
		      atcp_path_read(osns, skb, &room);
	for (turn = 0; turn < ATCP_RELOOKUPS; turn++) {
		if (f.kind == ATCP_FOUND_NONE)
			break;
		if (f.kind == ATCP_FOUND_CONN) {
			atcp_rx_conn(osns, atcp_sk_of_conn(f.entry), &seg, skb);
			return;
		}
		if (atcp_rx_core(osns, f, t, &seg, skb, way))
			return;
		/* What IP had in the packet's cb, the core has written over. */
		memset(skb->cb, 0, sizeof(skb->cb));
		if (atcp_skb_v6(skb))
			*IP6CB(skb) = noted;
		f = atcp_core_lookup(osns->core, t);
	}
	if (f.kind != ATCP_FOUND_NONE) {
		atcp_core_put(f);
		atcp_core_drop(osns->core, NULL, atcp_skb_pkt(skb), ATCP_REASON_NO_SOCKET);
	} else if (nobody) {
		atcp_rx_nobody(osns, t, &seg, skb, way);
	} else {
		atcp_core_drop(osns->core, NULL, atcp_skb_pkt(skb), ATCP_REASON_NO_SOCKET);
	}
}

bool atcp_found_speaks(const struct atcp_osns *osns, struct atcp_found f, u8 proto)
{
	if (f.kind == ATCP_FOUND_CONN || f.kind == ATCP_FOUND_LISTENER)
		return atcp_sk(atcp_sk_of_conn(f.entry))->ip_proto == proto;
	return atcp_wire_proto(osns) == proto;
}

/* It arrived by this device, or by the master of an L3 domain. */
static bool atcp_skb_from(const struct sk_buff *skb, int dif)
{
	if (atcp_skb_v6(skb))
		return dif == inet6_iif(skb) || dif == inet6_sdif(skb);
	return dif == inet_iif(skb) || dif == inet_sdif(skb);
}

struct atcp_found atcp_rx_lookup(struct atcp_osns *osns, const struct sk_buff *skb,
				 const struct atcp_tuple *t, u8 proto)
{
	struct atcp_found none = { .kind = ATCP_FOUND_NONE };
	struct atcp_found f = atcp_core_lookup(osns->core, t);
	int dif;

	if (f.kind == ATCP_FOUND_NONE)
		return f;
	if (!atcp_found_speaks(osns, f, proto)) {
		atcp_core_put(f);
		return none;
	}
	if (f.kind == ATCP_FOUND_CONN || f.kind == ATCP_FOUND_LISTENER) {
		dif = READ_ONCE(atcp_sk_of_conn(f.entry)->sk_bound_dev_if);
		if (dif && !atcp_skb_from(skb, dif)) {
			atcp_core_put(f);
			return none;
		}
	}
	return f;
}

/* RFC 9293 3.9.2.3 (MUST-57). */
static bool atcp_not_unicast(const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);

	return skb->pkt_type != PACKET_HOST ||
	       (rt && (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)));
}

/* ---- wire=tcp ------------------------------------------------------------------------ */

/* The rest of the hooks let it pass (perhaps after a while in a queue of theirs). */
static int atcp_nf_ok(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct atcp_osns *osns = atcp_pernet(net);
	struct atcp_found f;
	struct atcp_tuple t ATCP_UNSET;
	int off = ip_hdrlen(skb);

	if (!pskb_may_pull(skb, off + sizeof(struct tcphdr))) {
		kfree_skb_reason(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
		return 0;
	}
	atcp_skb_tuple(skb, off, &t);
	f = atcp_rx_lookup(osns, skb, &t, IPPROTO_TCP);
	__skb_pull(skb, off);
	atcp_rx(osns, f, &t, skb, IPPROTO_TCP, true);
	return 0;
}

/* Apart, so that the copy is made only when there is another hook. */
static noinline int atcp_nf_rest_from(struct sk_buff *skb, const struct nf_hook_state *state,
				      const struct nf_hook_entries *e, unsigned int i,
				      int (*okfn)(struct net *, struct sock *, struct sk_buff *))
{
	struct nf_hook_state st = *state;

	st.okfn = okfn;
	return nf_hook_slow(skb, &st, e, i);
}

int atcp_nf_rest(struct sk_buff *skb, const struct nf_hook_state *state,
		 const struct nf_hook_entries *e, nf_hookfn *ours,
		 int (*okfn)(struct net *, struct sock *, struct sk_buff *))
{
	unsigned int i;

	if (!e)
		return 1;
	for (i = 0; i < e->num_hook_entries; i++)
		if (e->hooks[i].hook == ours)
			break;
	if (i + 1 >= e->num_hook_entries)
		return 1;
	return atcp_nf_rest_from(skb, state, e, i + 1, okfn);
}

static unsigned int atcp_nf_tcp(struct atcp_osns *osns, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	int off = ip_hdrlen(skb);
	struct atcp_found f;
	struct atcp_tuple t ATCP_UNSET;

	/* Four bytes are the ports; what is shorter belongs to nobody. */
	if (ip_is_fragment(ip_hdr(skb)) || skb->len < off + 4 || !pskb_may_pull(skb, off + 4))
		return NF_ACCEPT;
	atcp_skb_tuple(skb, off, &t);
	f = atcp_rx_lookup(osns, skb, &t, IPPROTO_TCP);
	if (f.kind == ATCP_FOUND_NONE)
		return NF_ACCEPT;
	if (unlikely(atcp_not_unicast(skb))) {
		bool listener = f.kind == ATCP_FOUND_LISTENER;

		atcp_core_put(f);
		if (!listener)
			return NF_ACCEPT;
		atcp_core_drop(osns->core, NULL, atcp_skb_pkt(skb), ATCP_REASON_NOT_UNICAST);
		return NF_STOLEN;
	}
	if (atcp_nf_rest(skb, state, rcu_dereference(state->net->nf.hooks_ipv4[NF_INET_LOCAL_IN]),
			 atcp_nf_in, atcp_nf_ok) != 1) {
		atcp_core_put(f);
		return NF_STOLEN;
	}
	__skb_pull(skb, off);
	atcp_rx(osns, f, &t, skb, IPPROTO_TCP, true);
	return NF_STOLEN;
}

/*
 * Context: softirq, inside RCU; or process, inside RCU, when a program gives back what a rule had queued for it (NFQUEUE): then softirqs are
 * off from here on, as everything below expects.
 */
static unsigned int atcp_nf_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct atcp_osns *osns = priv;
	unsigned int verdict = NF_ACCEPT;
	bool process = !softirq_count();

	if (!atomic_read(&osns->sockets) && !atcp_core_ns_entries(osns->core))
		return NF_ACCEPT;
	if (unlikely(process))
		local_bh_disable();
	switch (ip_hdr(skb)->protocol) {
	case IPPROTO_TCP:
		verdict = atcp_nf_tcp(osns, skb, state);
		break;
	case IPPROTO_ICMP:
		atcp_icmp_in(osns, skb);
		break;
	}
	if (unlikely(process))
		local_bh_enable();
	return verdict;
}

/* ---- wire=atcp ----------------------------------------------------------------------- */

/* The handler of IP protocol 253; skb->data is at the transport header. Context: softirq, RCU. */
int atcp_rcv(struct sk_buff *skb)
{
	struct atcp_osns *osns = atcp_pernet(dev_net(skb->dev));
	struct atcp_found f;
	struct atcp_tuple t;
	u32 reason = ATCP_REASON_HDR_TRUNCATED;

	if (!pskb_may_pull(skb, 4))
		goto drop;
	reason = ATCP_REASON_NOT_UNICAST;
	if (atcp_not_unicast(skb))
		goto drop;
	atcp_skb_tuple(skb, 0, &t);
	f = atcp_rx_lookup(osns, skb, &t, IPPROTO_ATCP);
	/* A namespace on wire=tcp has no use for this protocol: no answer either. */
	atcp_rx(osns, f, &t, skb, IPPROTO_ATCP, atcp_wire_proto(osns) == IPPROTO_ATCP);
	return 0;

drop:
	atcp_core_drop(osns->core, NULL, atcp_skb_pkt(skb), reason);
	return 0;
}
