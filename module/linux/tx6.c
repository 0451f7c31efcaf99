// SPDX-License-Identifier: GPL-2.0
/*
 * IPv6: from the core's header to IP. The packets themselves are made in tx.c; here are the routes, the IPv6 header and
 * its extensions (the kernel's own code puts those in), and what differs in a checksum.
 */
#include <linux/tcp.h>
#include <net/inet_ecn.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>

#include "glue.h"

/* ---- routes -------------------------------------------------------------------------- */

/* What the flow of a connected socket is. Lock: socket, or sk is a listener of which only options are read. */
static void atcp6_sock_flow(const struct sock *sk, struct flowi6 *fl6)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct ipv6_pinfo *np = inet6_sk(sk);

	memset(fl6, 0, sizeof(*fl6));
	fl6->flowi6_proto = atcp_sk(sk)->ip_proto;
	fl6->daddr = sk->sk_v6_daddr;
	fl6->saddr = np->saddr;
	fl6->flowlabel = np->flow_label;
	fl6->flowi6_oif = sk->sk_bound_dev_if;
	fl6->flowi6_mark = READ_ONCE(sk->sk_mark);
	fl6->fl6_sport = inet->inet_sport;
	fl6->fl6_dport = inet->inet_dport;
	fl6->flowi6_uid = READ_ONCE(sk->sk_uid);
	security_sk_classify_flow((struct sock *)sk, flowi6_to_flowi_common(fl6));
}

/* The route of a connected socket, or ERR_PTR; the socket's from now on. *fl6: its flow. Lock: socket. */
static struct dst_entry *atcp6_route_flow(struct sock *sk, struct flowi6 *fl6)
{
	struct in6_addr *final_p, final;
	struct dst_entry *dst;

	rcu_read_lock();
	final_p = fl6_update_dst(fl6, rcu_dereference(inet6_sk(sk)->opt), &final);
	rcu_read_unlock();
	dst = ip6_dst_lookup_flow(sock_net(sk), sk, fl6, final_p);
	if (!IS_ERR(dst))
		atcp6_dst_store(sk, dst);
	return dst;
}

struct dst_entry *atcp6_sock_route(struct sock *sk)
{
	struct dst_entry *dst = __sk_dst_check(sk, inet6_sk(sk)->dst_cookie);
	struct flowi6 fl6;

	if (likely(dst))
		return dst;
	atcp6_sock_flow(sk, &fl6);
	dst = atcp6_route_flow(sk, &fl6);
	return IS_ERR(dst) ? NULL : dst;
}

u32 atcp6_opt_len(const struct sock *sk)
{
	const struct ipv6_txoptions *opt;
	u32 len;

	rcu_read_lock();
	opt = rcu_dereference(inet6_sk(sk)->opt);
	len = opt ? opt->opt_flen + opt->opt_nflen : 0;
	rcu_read_unlock();
	return len;
}

/* The flow of a tuple without connection; via: the listener, or NULL. */
static void atcp6_tuple_flow(struct atcp_osns *ns, const struct sock *via,
			     const struct atcp_tuple *t, u8 proto, struct flowi6 *fl6)
{
	memset(fl6, 0, sizeof(*fl6));
	fl6->flowi6_proto = proto;
	fl6->daddr = *atcp_v6(&t->raddr);
	fl6->saddr = *atcp_v6(&t->laddr);
	fl6->fl6_sport = atcp_be16(t->lport);
	fl6->fl6_dport = atcp_be16(t->rport);
	fl6->flowi6_uid = sock_net_uid(ns->net, via);
	if (via) {
		fl6->flowi6_oif = READ_ONCE(via->sk_bound_dev_if);
		fl6->flowi6_mark = READ_ONCE(via->sk_mark);
		security_sk_classify_flow((struct sock *)via, flowi6_to_flowi_common(fl6));
	}
	if (t->link)
		fl6->flowi6_oif = t->link;
}

struct dst_entry *atcp6_tuple_route(struct atcp_osns *ns, const struct sock *via,
				    const struct atcp_tuple *t, u8 proto)
{
	struct in6_addr *final_p = NULL, final;
	struct dst_entry *dst;
	struct flowi6 fl6;

	atcp6_tuple_flow(ns, via, t, proto, &fl6);
	rcu_read_lock();
	if (via)
		final_p = fl6_update_dst(&fl6, rcu_dereference(inet6_sk(via)->opt), &final);
	dst = ip6_dst_lookup_flow(ns->net, via, &fl6, final_p);
	rcu_read_unlock();
	return IS_ERR(dst) ? NULL : dst;
}

/* ---- headers ------------------------------------------------------------------------- */

static int atcp6_checksum(struct sk_buff *skb, u8 proto, const struct in6_addr *saddr,
			  const struct in6_addr *daddr, const struct net_device *dev)
{
	tcp_hdr(skb)->check = ~csum_ipv6_magic(saddr, daddr, skb->len, proto, 0);
	return atcp_tx_checksum(skb, proto, dev);
}

int atcp6_conn_emit(struct sock *sk, struct sk_buff *skb, struct dst_entry *dst, u32 ecn)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct flowi6 fl6;

	if (atcp6_checksum(skb, atcp_sk(sk)->ip_proto, &np->saddr, &sk->sk_v6_daddr, dst->dev)) {
		kfree_skb(skb);
		return -1;
	}
	/* With the peer's address, though its route is that of the first hop: ip6_xmit() writes the routing header. */
	atcp6_sock_flow(sk, &fl6);
	skb_dst_set_noref(skb, dst);
	return ip6_xmit(sk, skb, &fl6, fl6.flowi6_mark, rcu_dereference(np->opt),
			(READ_ONCE(np->tclass) & ~INET_ECN_MASK) | ecn, READ_ONCE(sk->sk_priority));
}

int atcp6_emit(struct atcp_osns *ns, const struct sock *via, const struct atcp_tuple *t, u8 proto,
	       struct sk_buff *skb, struct dst_entry *dst)
{
	struct flowi6 fl6;
	struct ipv6hdr *h;

	skb_dst_set(skb, dst);
	if (atcp6_checksum(skb, proto, atcp_v6(&t->laddr), atcp_v6(&t->raddr), dst->dev)) {
		kfree_skb(skb);
		return -ENOMEM;
	}
	if (via) {
		const struct ipv6_pinfo *np = inet6_sk(via);

		atcp6_tuple_flow(ns, via, t, proto, &fl6);
		return ip6_xmit(via, skb, &fl6, fl6.flowi6_mark, rcu_dereference(np->opt),
				READ_ONCE(np->tclass) & ~INET_ECN_MASK,
				READ_ONCE(via->sk_priority));
	}
	h = skb_push(skb, sizeof(*h));
	skb_reset_network_header(skb);
	ip6_flow_hdr(h, 0, 0);
	h->payload_len = htons(skb->len - sizeof(*h));
	h->nexthdr = proto;
	h->hop_limit = ip6_dst_hoplimit(dst);
	h->saddr = *atcp_v6(&t->laddr);
	h->daddr = *atcp_v6(&t->raddr);
	skb->protocol = htons(ETH_P_IPV6);
	return ip6_local_out(ns->net, NULL, skb);
}
