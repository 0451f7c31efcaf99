// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors that quote a segment of ours: from the netfilter hook for TCP on the wire, from the
 * protocol's error handler for 253. The path MTU and redirects go into the kernel's routes, the rest to the
 * core, which knows whether to believe it. The ICMP packet itself always goes on.
 */
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/tcp.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "glue.h"

/*
 * What the core calls it; false: nothing of interest.
 * RFC 9293 3.9.2.2; a source quench is none of them (MUST-55).
 */
static bool atcp_icmp_kind(u8 type, u8 code, enum atcp_icmp_kind *kind)
{
	switch (type) {
	case ICMP_TIME_EXCEEDED:
		*kind = ATCP_ICMP_TIME_EXCEEDED;
		return true;
	case ICMP_PARAMETERPROB:
		*kind = ATCP_ICMP_PARAM_PROBLEM;
		return true;
	case ICMP_REDIRECT:
		*kind = ATCP_ICMP_REDIRECT;
		return true;
	case ICMP_DEST_UNREACH:
		break;
	default:
		return false;
	}
	switch (code) {
	case ICMP_FRAG_NEEDED:
		*kind = ATCP_ICMP_FRAG_NEEDED;
		return true;
	case ICMP_PROT_UNREACH:
		*kind = ATCP_ICMP_PROTO_UNREACH;
		return true;
	case ICMP_PORT_UNREACH:
		*kind = ATCP_ICMP_PORT_UNREACH;
		return true;
	case ICMP_NET_UNREACH:
		*kind = ATCP_ICMP_NET_UNREACH;
		return true;
	case ICMP_HOST_UNREACH:
		*kind = ATCP_ICMP_HOST_UNREACH;
		return true;
	case ICMP_NET_UNKNOWN:
	case ICMP_NET_ANO:
	case ICMP_NET_UNR_TOS:
		*kind = ATCP_ICMP_NET_BARRED;
		return true;
	case ICMP_SR_FAILED:
		*kind = ATCP_ICMP_SRC_ROUTE;
		return true;
	case ICMP_HOST_UNKNOWN:
		*kind = ATCP_ICMP_HOST_UNKNOWN;
		return true;
	case ICMP_HOST_ISOLATED:
		*kind = ATCP_ICMP_HOST_ISOLATED;
		return true;
	default:
		if (code > NR_ICMP_UNREACH)
			return false;
		*kind = ATCP_ICMP_HOST_BARRED;
		return true;
	}
}

/* May this namespace's routes learn a path MTU from ICMP about segments that we can check? */
static bool atcp_icmp_mtu_allowed(const struct sock *sk)
{
	u8 mode = READ_ONCE(sock_net(sk)->ipv4.sysctl_ip_no_pmtu_disc);

	return atcp_speaks_v6(sk) || mode == 0 || mode == 3;
}

/* A quoted sequence number that we have sent and not yet seen acknowledged. Lock: socket. */
static bool atcp_icmp_in_window(const struct atcp_conn *c, u32 seq)
{
	struct atcp_conn_info info;

	atcp_core_conn_info(c, &info, atcp_now());
	return (s32)(seq - info.snd_una) >= 0 && (s32)(info.snd_nxt - seq) >= 0;
}

/* As errno, as the kernel's TCP has it. code: at most NR_ICMP_UNREACH, if the destination is unreachable. */
static int atcp_icmp_errno(u8 type, u8 code)
{
	switch (type) {
	case ICMP_PARAMETERPROB:
		return EPROTO;
	case ICMP_TIME_EXCEEDED:
		return EHOSTUNREACH;
	default:
		return icmp_err_convert[code].errno;
	}
}

/*
 * The error with what it quotes, for recvmsg(MSG_ERRQUEUE). As with the kernel's TCP, only while the connection opens, and
 * whether IP_RECVERR is set or not: so a program can trace a route by SYNs. Bounded by the receive buffer.
 * skb->data is at the quoted IP header. Lock: socket, perhaps owned by a program.
 */
static void atcp_icmp_queue(struct sock *sk, const struct sk_buff *skb, u32 info)
{
	const struct iphdr *inner = (const struct iphdr *)skb->data;
	const struct tcphdr *th = (const struct tcphdr *)(skb->data + inner->ihl * 4);
	const struct icmphdr *icmph = icmp_hdr(skb);
	struct sk_buff *copy = skb_clone((struct sk_buff *)skb, GFP_ATOMIC | __GFP_NOWARN);
	struct sock_exterr_skb *serr;

	if (!copy)
		return;
	serr = SKB_EXT_ERR(copy);
	memset(serr, 0, sizeof(*serr));
	serr->ee.ee_errno = atcp_icmp_errno(icmph->type, icmph->code);
	serr->ee.ee_origin = SO_EE_ORIGIN_ICMP;
	serr->ee.ee_type = icmph->type;
	serr->ee.ee_code = icmph->code;
	serr->ee.ee_info = info;
	serr->header.h4.iif = skb->skb_iif;
	serr->addr_offset = (const u8 *)&inner->daddr - skb_network_header(skb);
	serr->port = th->dest;
	__skb_pull(copy, inner->ihl * 4);
	skb_reset_transport_header(copy);
	skb_dst_drop(copy);
	if (sock_queue_err_skb(sk, copy))
		kfree_skb(copy);
}

/* What the error in front of skb->data, the quoted IP header, is as errno. */
static int atcp_icmp_quoted_errno(const struct sk_buff *skb, bool v6)
{
	const struct icmp6hdr *icmp6h = (const struct icmp6hdr *)skb->data - 1;
	int err;

	if (!v6)
		return atcp_icmp_errno(icmp_hdr(skb)->type, icmp_hdr(skb)->code);
	icmpv6_err_convert(icmp6h->icmp6_type, icmp6h->icmp6_code, &err);
	return err;
}

/* A router knows a better one (RFC 1122 3.3.1.2, RFC 4861 8.3): the route's affair, whose kernel looks at the rest. */
static void atcp_icmp_redirect(struct sock *sk, struct sk_buff *skb, u32 seq)
{
	struct dst_entry *dst;

	/* A program that is in a call just now: the router will say it again. */
	if (sock_owned_by_user(sk) || !atcp_icmp_in_window(&atcp_sk(sk)->conn, seq)) {
		atcp_os_reason(atcp_pernet(sock_net(sk)), ATCP_REASON_ICMP_IGNORED);
		return;
	}
	dst = __sk_dst_check(sk, atcp_speaks_v6(sk) ? inet6_sk(sk)->dst_cookie : 0);
	if (dst)
		dst->ops->redirect(dst, sk, skb);
}

/* Lock: socket, perhaps owned by a program. skb->data is at the quoted IP header. */
static void atcp_icmp_conn(struct sock *sk, struct sk_buff *skb, enum atcp_icmp_kind kind, u32 seq,
			   u32 value)
{
	struct atcp_sock *asp = atcp_sk(sk);
	struct net *net = sock_net(sk);
	bool v6 = atcp_speaks_v6(sk);

	/*
	 * As the kernel's TCP. IP_MINTTL: the quoted packet is asked, which came as far as whoever complains. IPV6_MINHOPCOUNT: the
	 * packet that quotes it. Of another family: the socket has been connected to somebody else since it was found.
	 */
	if (v6 != atcp_skb_v6(skb) ||
	    (v6 ? ipv6_hdr(skb)->hop_limit < READ_ONCE(inet6_sk(sk)->min_hopcount) :
		  ((const struct iphdr *)skb->data)->ttl < READ_ONCE(inet_sk(sk)->min_ttl))) {
		atcp_os_reason(atcp_pernet(net), ATCP_REASON_ICMP_IGNORED);
		return;
	}
	if (kind == ATCP_ICMP_REDIRECT) {
		atcp_icmp_redirect(sk, skb, seq);
		return;
	}
	if (kind != ATCP_ICMP_FRAG_NEEDED && atcp_core_icmp_ends(&asp->conn) &&
	    atcp_icmp_in_window(&asp->conn, seq)) {
		/*
		 * A program that is in connect() just now, as over loopback: the attempt goes on, but the queue wakes who polls, and
		 * SO_ERROR must not tell them that all is well.
		 */
		if (sock_owned_by_user(sk))
			WRITE_ONCE(sk->sk_err_soft, atcp_icmp_quoted_errno(skb, v6));
		if (v6)
			atcp6_icmp_queue(sk, skb, value);
		else
			atcp_icmp_queue(sk, skb, value);
	}
	if (kind == ATCP_ICMP_FRAG_NEEDED) {
		if (sk->sk_state == TCP_LISTEN || !atcp_icmp_mtu_allowed(sk) ||
		    !atcp_icmp_in_window(&asp->conn, seq)) {
			atcp_os_reason(atcp_pernet(net), ATCP_REASON_ICMP_IGNORED);
			return;
		}
		if (v6)
			ip6_update_pmtu(skb, net, htonl(value), sk->sk_bound_dev_if,
					READ_ONCE(sk->sk_mark), sock_net_uid(net, sk));
		else
			ipv4_update_pmtu(skb, net, value, sk->sk_bound_dev_if, asp->ip_proto);
		if (sock_owned_by_user(sk)) {
			asp->mtu_info = value;
			asp->mtu_seq = seq;
			set_bit(ATCP_DEFER_MTU, &asp->deferred);
			return;
		}
	} else if (sock_owned_by_user(sk)) {
		atcp_os_reason(atcp_pernet(net), ATCP_REASON_ICMP_IGNORED);
		return;
	}
	atcp_core_conn_icmp(&asp->conn, kind, seq, value, atcp_now());
}

/* From release_cb. Lock: socket. */
void atcp_icmp_deferred(struct sock *sk)
{
	struct atcp_sock *asp = atcp_sk(sk);

	atcp_core_conn_icmp(&asp->conn, ATCP_ICMP_FRAG_NEEDED, asp->mtu_seq, asp->mtu_info,
			    atcp_now());
}

/*
 * skb->data is at the quoted IP header, of which inner header and 8 bytes of TCP are readable.
 * Context: softirq, inside RCU.
 * RFC 9293 3.9.2.2 (MUST-54).
 */
static void atcp_icmp_quoted(struct atcp_osns *osns, struct sk_buff *skb, u8 type, u8 code,
			     u32 value)
{
	const struct iphdr *inner = (const struct iphdr *)skb->data;
	const struct tcphdr *th = (const struct tcphdr *)(skb->data + inner->ihl * 4);
	struct atcp_tuple t = {
		.laddr.v4 = (__force u32)inner->saddr,
		.raddr.v4 = (__force u32)inner->daddr,
		.lport = (__force u16)th->source,
		.rport = (__force u16)th->dest,
		.family = ATCP_AF_INET,
	};
	enum atcp_icmp_kind kind;

	if (atcp_icmp_kind(type, code, &kind))
		atcp_icmp_for(osns, skb, &t, inner->protocol, kind, ntohl(th->seq), value);
}

void atcp_icmp_for(struct atcp_osns *osns, struct sk_buff *skb, const struct atcp_tuple *t,
		   u8 proto, enum atcp_icmp_kind kind, u32 seq, u32 value)
{
	struct atcp_found f = atcp_rx_lookup(osns, skb, t, proto);
	struct sock *sk;

	if (f.kind == ATCP_FOUND_NONE)
		return;
	if (f.kind != ATCP_FOUND_CONN) {
		atcp_core_icmp(osns->core, f, kind, seq, atcp_now());
		return;
	}
	sk = atcp_sk_of_conn(f.entry);
	bh_lock_sock(sk);
	atcp_icmp_conn(sk, skb, kind, seq, value);
	if (!sock_owned_by_user(sk)) {
		atcp_mem_account(sk);
		atcp_sock_settle(sk);
	}
	bh_unlock_sock(sk);
	sock_put(sk);
}

/* The number that comes with an error: the next hop's MTU, or which byte was wrong. */
static u32 atcp_icmp_value(const struct icmphdr *icmph)
{
	if (icmph->type == ICMP_DEST_UNREACH && icmph->code == ICMP_FRAG_NEEDED)
		return ntohs(icmph->un.frag.mtu);
	if (icmph->type == ICMP_PARAMETERPROB)
		return ntohl(icmph->un.gateway) >> 24;
	return 0;
}

/* An ICMP packet to this host, skb->data at its IP header. It is left as it was. Context: softirq,
 * inside RCU.
 */
void atcp_icmp_in(struct atcp_osns *osns, struct sk_buff *skb)
{
	int off = ip_hdrlen(skb);
	int quoted = off + sizeof(struct icmphdr);
	const struct iphdr *inner;
	struct icmphdr icmph;

	if (skb->pkt_type != PACKET_HOST || ip_is_fragment(ip_hdr(skb)) ||
	    !pskb_may_pull(skb, quoted + sizeof(struct iphdr)))
		return;
	memcpy(&icmph, skb->data + off, sizeof(icmph));
	if (icmph.type != ICMP_DEST_UNREACH && icmph.type != ICMP_TIME_EXCEEDED &&
	    icmph.type != ICMP_PARAMETERPROB && icmph.type != ICMP_REDIRECT)
		return;
	inner = (const struct iphdr *)(skb->data + quoted);
	/* Protocol 253 has an error handler of its own. */
	if (inner->version != 4 || inner->ihl < 5 || inner->protocol != IPPROTO_TCP ||
	    (inner->frag_off & htons(IP_OFFSET)))
		return;
	if (!pskb_may_pull(skb, quoted + inner->ihl * 4 + 8) ||
	    nf_ip_checksum(skb, NF_INET_LOCAL_IN, off, IPPROTO_ICMP))
		return;
	/* For the rest, which ends or moves nothing that lives, what quotes is enough. */
	if (icmph.type == ICMP_REDIRECT && !xfrm4_policy_check(NULL, XFRM_POLICY_IN, skb))
		return;
	__skb_pull(skb, quoted);
	atcp_icmp_quoted(osns, skb, icmph.type, icmph.code, atcp_icmp_value(&icmph));
	__skb_push(skb, quoted);
}

/* The error handler of IP protocol 253: skb->data is at the quoted IP header, its checksum was
 * verified, and 8 bytes behind that header are readable. Context: softirq, inside RCU.
 */
int atcp_icmp_err(struct sk_buff *skb, u32 info)
{
	const struct icmphdr *icmph = icmp_hdr(skb);

	atcp_icmp_quoted(atcp_pernet(dev_net(skb->dev)), skb, icmph->type, icmph->code, info);
	return 0;
}
