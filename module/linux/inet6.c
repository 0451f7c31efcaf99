// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of AF_INET6: the addresses that connect() takes, and what a child of such a listener has of its own. With an
 * IPv4-mapped peer such a socket speaks IPv4, and the code for IPv4 does the work; its addresses are then shown mapped.
 */
#include <linux/net.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/transp_v6.h>

#include "glue.h"

void atcp6_show_mapped(struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	ipv6_addr_set_v4mapped(inet->inet_daddr, &sk->sk_v6_daddr);
	ipv6_addr_set_v4mapped(inet->inet_saddr, &inet6_sk(sk)->saddr);
	ipv6_addr_set_v4mapped(inet->inet_rcv_saddr, &sk->sk_v6_rcv_saddr);
}

void atcp6_bound_to(const struct sock *sk, u16 *family, union atcp_ip *laddr)
{
	const struct in6_addr *addr = &sk->sk_v6_rcv_saddr;

	if (ipv6_addr_v4mapped(addr)) {
		*family = ATCP_AF_INET;
		laddr->v4 = (__force u32)addr->s6_addr32[3];
		return;
	}
	*family = ATCP_AF_INET6;
	memcpy(laddr->v6, addr, sizeof(laddr->v6));
}

/* A mapped address: the connection is IPv4's. Lock: socket. */
static int atcp6_connect_mapped(struct sock *sk, const struct sockaddr_in6 *usin)
{
	struct in6_addr before = sk->sk_v6_daddr;
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = usin->sin6_port,
		.sin_addr.s_addr = usin->sin6_addr.s6_addr32[3],
	};
	int err;

	if (ipv6_only_sock(sk))
		return -ENETUNREACH;
	/* From now on, for the SYN already. */
	sk->sk_v6_daddr = usin->sin6_addr;
	err = atcp_connect(sk, (struct sockaddr *)&sin, sizeof(sin));
	if (err)
		sk->sk_v6_daddr = before;
	else
		atcp6_show_mapped(sk);
	return err;
}

/* The flow label that the program asked for must be one that it holds. */
static int atcp6_flow_label(struct sock *sk, const struct sockaddr_in6 *usin, __be32 *label)
{
	struct ip6_flowlabel *fl;

	*label = 0;
	if (!atcp6_sndflow(sk))
		return 0;
	*label = usin->sin6_flowinfo & IPV6_FLOWINFO_MASK;
	if (!(*label & IPV6_FLOWLABEL_MASK))
		return 0;
	fl = fl6_sock_lookup(sk, *label);
	if (IS_ERR(fl))
		return -EINVAL;
	fl6_sock_release(fl);
	return 0;
}

/* Undo what a failed connect() had set. Lock: socket. */
static void atcp6_connect_undo(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);

	sk->sk_v6_daddr = in6addr_any;
	inet->inet_dport = 0;
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		inet_reset_saddr(sk);
	if (!atcp_sk(sk)->port) {
		inet->inet_num = 0;
		inet->inet_sport = 0;
	}
	sk_dst_reset(sk);
	sk->sk_route_caps = 0;
}

/* Which link a link-local peer is on: the address says so, or the socket is bound to it (RFC 4007). */
static int atcp6_scope(struct sock *sk, const struct sockaddr_in6 *usin, int len)
{
	if (len >= sizeof(*usin) && usin->sin6_scope_id) {
		if (!sk_dev_equal_l3scope(sk, usin->sin6_scope_id))
			return -EINVAL;
		sk->sk_bound_dev_if = usin->sin6_scope_id;
	}
	return sk->sk_bound_dev_if ? 0 : -EINVAL;
}

/* The route there, which also says what our own address is, as *fl6 does then. Lock: socket. */
static struct dst_entry *atcp6_connect_route(struct sock *sk, const struct in6_addr *daddr,
					     __be16 port, struct flowi6 *fl6)
{
	const struct in6_addr *bound = &sk->sk_v6_rcv_saddr;
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct in6_addr *final_p, final;

	memset(fl6, 0, sizeof(*fl6));
	fl6->flowi6_proto = atcp_sk(sk)->ip_proto;
	fl6->daddr = *daddr;
	fl6->saddr = ipv6_addr_any(bound) ? np->saddr : *bound;
	fl6->flowlabel = np->flow_label;
	fl6->flowi6_oif = sk->sk_bound_dev_if;
	fl6->flowi6_mark = READ_ONCE(sk->sk_mark);
	fl6->fl6_dport = port;
	fl6->fl6_sport = inet_sk(sk)->inet_sport;
	fl6->flowi6_uid = sk->sk_uid;
	final_p = fl6_update_dst(fl6, rcu_dereference_protected(np->opt, lockdep_sock_is_held(sk)),
				 &final);
	security_sk_classify_flow(sk, flowi6_to_flowi_common(fl6));
	return ip6_dst_lookup_flow(sock_net(sk), sk, fl6, final_p);
}

/* proto->connect of AF_INET6. Lock: socket. RFC 9293 3.9.1.1. */
int atcp6_connect(struct sock *sk, struct sockaddr *uaddr, int addr_len)
{
	struct sockaddr_in6 *usin = (struct sockaddr_in6 *)uaddr;
	struct atcp_tuple t = { .family = ATCP_AF_INET6 };
	struct inet_sock *inet = inet_sk(sk);
	struct atcp_sock *asp = atcp_sk(sk);
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct in6_addr daddr;
	struct dst_entry *dst;
	struct flowi6 fl6;
	__be32 label;
	int type, err;

	if (addr_len < SIN6_LEN_RFC2133)
		return -EINVAL;
	if (usin->sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	err = atcp6_flow_label(sk, usin, &label);
	if (err)
		return err;

	daddr = usin->sin6_addr;
	/* connect() to :: means this host. */
	if (ipv6_addr_any(&daddr)) {
		if (ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr))
			ipv6_addr_set_v4mapped(htonl(INADDR_LOOPBACK), &daddr);
		else
			daddr = in6addr_loopback;
	}
	type = ipv6_addr_type(&daddr);
	if (type & IPV6_ADDR_MULTICAST)
		return -ENETUNREACH;
	if (type & IPV6_ADDR_LINKLOCAL) {
		err = atcp6_scope(sk, usin, addr_len);
		if (err)
			return err;
	}
	if (type & IPV6_ADDR_MAPPED) {
		struct sockaddr_in6 sin6 = *usin;

		sin6.sin6_addr = daddr;
		return atcp6_connect_mapped(sk, &sin6);
	}

	asp->ip_proto = atcp_wire_proto(atcp_sk_osns(sk));
	np->flow_label = label;
	dst = atcp6_connect_route(sk, &daddr, usin->sin6_port, &fl6);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	asp->flags &= ~ATCP_F_CHILD;

	if (ipv6_addr_any(&sk->sk_v6_rcv_saddr))
		sk->sk_v6_rcv_saddr = fl6.saddr;
	np->saddr = sk->sk_v6_rcv_saddr;
	/* What programs see of it as an IPv4 address, as with Linux TCP. */
	inet->inet_rcv_saddr = LOOPBACK4_IPV6;
	sk->sk_v6_daddr = daddr;
	inet->inet_dport = usin->sin6_port;
	sk_set_txhash(sk);
	sk->sk_gso_type = SKB_GSO_TCPV6;
	atcp6_dst_store(sk, dst);
	/* What became of the connection before this one, if nobody asked, is nobody's business any more. */
	WRITE_ONCE(sk->sk_err, 0);
	WRITE_ONCE(sk->sk_err_soft, 0);
	sock_reset_flag(sk, SOCK_DONE);

	memcpy(t.laddr.v6, &np->saddr, sizeof(t.laddr.v6));
	memcpy(t.raddr.v6, &daddr, sizeof(t.raddr.v6));
	t.lport = inet->inet_num ? (__force u16)inet->inet_sport : 0;
	t.rport = (__force u16)usin->sin6_port;
	t.link = atcp6_link(&daddr, sk->sk_bound_dev_if);
	err = -atcp_errno(atcp_core_connect(&asp->conn, &t, asp->flags & ATCP_F_FASTOPEN,
					    atcp_now()));
	if (err) {
		atcp6_connect_undo(sk);
		return err;
	}
	inet->inet_sport = atcp_be16(t.lport);
	inet->inet_num = ntohs(inet->inet_sport);
	if (atcp_core_syn_held(&asp->conn))
		atcp_defer_connect(sk);
	return 0;
}

int atcp6_child(struct sock *sk, const struct sock *listener)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	const struct ipv6_txoptions *opt;
	struct ipv6_txoptions *copy = NULL;

	inet_sk(sk)->pinet6 = np = &((struct atcp6_sock *)sk)->inet6;
	np->ipv6_mc_list = NULL;
	np->ipv6_ac_list = NULL;
	atcp6_forget_labels(sk);
	np->pktoptions = NULL;
	np->rxpmtu = NULL;
	memset(&np->cork, 0, sizeof(np->cork));
	atcp6_options_child(sk);
	RCU_INIT_POINTER(np->opt, NULL);
	memset(((struct atcp6_sock *)sk)->v6, 0, sizeof(((struct atcp6_sock *)sk)->v6));

	rcu_read_lock();
	opt = rcu_dereference(inet6_sk(listener)->opt);
	if (opt) {
		copy = ipv6_dup_options(sk, (struct ipv6_txoptions *)opt);
		RCU_INIT_POINTER(np->opt, copy);
	}
	rcu_read_unlock();
	return opt && !copy ? -ENOMEM : 0;
}

void atcp6_child_peer(struct sock *sk, const struct atcp_tuple *t, struct dst_entry *dst)
{
	struct ipv6_pinfo *np = inet6_sk(sk);

	sk->sk_v6_daddr = *atcp_v6(&t->raddr);
	sk->sk_v6_rcv_saddr = *atcp_v6(&t->laddr);
	np->saddr = *atcp_v6(&t->laddr);
	inet_sk(sk)->inet_daddr = LOOPBACK4_IPV6;
	inet_sk(sk)->inet_saddr = LOOPBACK4_IPV6;
	inet_sk(sk)->inet_rcv_saddr = LOOPBACK4_IPV6;
	/* A peer on a link stays on that link, though its listener is bound to the master of the L3 domain. */
	if (t->link)
		sk->sk_bound_dev_if = t->link;
	sk->sk_gso_type = SKB_GSO_TCPV6;
	atcp6_dst_store(sk, dst);
}
