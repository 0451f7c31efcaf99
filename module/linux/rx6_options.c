// SPDX-License-Identifier: GPL-2.0
/*
 * IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT and the rest of RFC 3542 on a stream: no read brings them. The last segment that was
 * the next in order is remembered, and getsockopt(IPV6_2292PKTOPTIONS), the kernel's own code, tells of it. It has two places in
 * struct ipv6_pinfo: link, hop limit and flow of each such segment; and, if the segment had something that the program
 * wants and for which there is no other place, a packet. Here that is a copy of its IPv6 headers and ports.
 *
 * Of IPv4, IP_PKTINFO and its kin, a stream tells by getsockopt(IP_PKTOPTIONS): of the packet that a child was made of.
 */
#include <linux/tcp.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/transp_v6.h>

#include "glue.h"

/* The packet that a listener, a request or nobody is about to get: what a child made of it begins with. Softirqs off. */
struct atcp6_brought {
	int link;
	__be32 flowinfo;
	u8 hops;
	u8 tos; /* of IPv4 */
};

static DEFINE_PER_CPU(struct atcp6_brought, atcp6_brought);

static void atcp6_read(const struct sk_buff *skb, struct atcp6_brought *b)
{
	if (atcp_skb_v6(skb)) {
		b->link = IP6CB(skb)->iif;
		b->hops = ipv6_hdr(skb)->hop_limit;
		b->flowinfo = ip6_flowinfo(ipv6_hdr(skb));
		b->tos = 0;
	} else {
		b->link = inet_iif(skb);
		b->hops = ip_hdr(skb)->ttl;
		b->flowinfo = 0;
		b->tos = ip_hdr(skb)->tos;
	}
}

void atcp6_options_enter(const struct sk_buff *skb)
{
	atcp6_read(skb, this_cpu_ptr(&atcp6_brought));
}

void atcp6_options_child(struct sock *sk)
{
	const struct atcp6_brought *b = this_cpu_ptr(&atcp6_brought);
	struct ipv6_pinfo *np = inet6_sk(sk);

	np->mcast_oif = b->link;
	np->mcast_hops = b->hops;
	np->rcv_flowinfo = b->flowinfo;
}

void atcp_options_child(struct sock *sk)
{
	const struct atcp6_brought *b = this_cpu_ptr(&atcp6_brought);
	struct inet_sock *inet = inet_sk(sk);

	inet->mc_index = b->link;
	inet->mc_ttl = b->hops;
	inet->rcv_tos = b->tos;
}

/*
 * Where the kernel finds the headers that IP has stepped over, from the IPv6 header on. At the netfilter hook nobody has written that down
 * yet, but for the hop-by-hop options, which are obeyed by then. False: the kernel could not read such a copy, for it takes the second octet of
 * a fragment header for its length, which is no length, and 0 from whoever is honest (RFC 8200 4.5).
 */
static bool atcp6_note_headers(const struct sk_buff *skb, int end, struct inet6_skb_parm *opt)
{
	u8 next = ipv6_hdr(skb)->nexthdr;
	int off = sizeof(struct ipv6hdr);
	const u8 *head;

	opt->lastopt = opt->dst0 = opt->dst1 = opt->srcrt = 0;
	while (off + 8 <= end) {
		head = skb_network_header(skb) + off;
		if (next == NEXTHDR_DEST) {
			opt->lastopt = opt->dst1 = off;
		} else if (next == NEXTHDR_ROUTING) {
			opt->lastopt = opt->srcrt = off;
			opt->dst0 = opt->dst1;
			opt->dst1 = 0;
		} else if (next == NEXTHDR_FRAGMENT && head[1]) {
			return false;
		} else if (next != NEXTHDR_HOP && next != NEXTHDR_FRAGMENT) {
			break;
		}
		off += (head[1] + 1) * 8;
		next = head[0];
	}
	return true;
}

/*
 * A copy of the IPv6 headers and the ports, on the socket's account; NULL: no memory, or nothing in the headers is wanted or can be told.
 * Lock: socket.
 */
static struct sk_buff *atcp6_copy_headers(struct sock *sk, const struct sk_buff *skb)
{
	int len = skb_transport_header(skb) - skb_network_header(skb);
	struct inet6_skb_parm opt = *IP6CB(skb);
	struct sk_buff *copy;

	if (!atcp6_note_headers(skb, len, &opt) || !ipv6_opt_accepted(sk, skb, &opt))
		return NULL;
	copy = alloc_skb(len + 4, GFP_ATOMIC | __GFP_NOWARN);
	if (!copy)
		return NULL;
	skb_reset_network_header(copy);
	skb_set_transport_header(copy, len);
	skb_put_data(copy, skb_network_header(skb), len + 4);
	*IP6CB(copy) = opt;
	copy->protocol = skb->protocol;
	copy->skb_iif = skb->skb_iif;
	if (!sk_rmem_schedule(sk, copy, copy->truesize)) {
		consume_skb(copy);
		return NULL;
	}
	skb_set_owner_r(copy, sk);
	return copy;
}

void atcp6_options_input(struct sock *sk, const struct atcp_seg *seg, struct sk_buff *skb)
{
	struct atcp_conn *c = &atcp_sk(sk)->conn;
	u32 end = seg->seq + seg->len + !!(seg->flags & ATCP_SYN) + !!(seg->flags & ATCP_FIN);
	struct sk_buff *copy = atcp6_copy_headers(sk, skb);
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct atcp6_brought b;
	struct atcp_conn_info info;

	atcp6_read(skb, &b);
	atcp_core_conn_input(c, seg, atcp_skb_pkt(skb), atcp_now());

	atcp_core_conn_info(c, &info, atcp_now());
	if (end == info.rcv_nxt && !((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN))) {
		if (np->rxopt.bits.rxinfo || np->rxopt.bits.rxoinfo)
			WRITE_ONCE(np->mcast_oif, b.link);
		if (np->rxopt.bits.rxhlim || np->rxopt.bits.rxohlim)
			atcp_write_mcast_hops(np, b.hops);
		if (np->rxopt.bits.rxflow || np->rxopt.bits.rxtclass)
			np->rcv_flowinfo = b.flowinfo;
		copy = xchg(&np->pktoptions, copy);
	}
	consume_skb(copy);
}

void atcp6_options_forget(struct sock *sk)
{
	if (sk->sk_family == AF_INET6)
		consume_skb(xchg(&inet6_sk(sk)->pktoptions, NULL));
}
