// SPDX-License-Identifier: GPL-2.0
/*
 * ICMPv6 errors that quote a segment of ours: as icmp.c for IPv4, in the words of RFC 4443.
 */
#include <linux/errqueue.h>
#include <linux/icmpv6.h>
#include <linux/netfilter_ipv6.h>
#include <linux/tcp.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/ndisc.h>
#include <net/xfrm.h>

#include "glue.h"

/*
 * What the core calls it; false: nothing of interest.
 * RFC 9293 3.9.2.2, RFC 4443 3.
 */
static bool atcp6_icmp_kind(u8 type, u8 code, enum atcp_icmp_kind *kind)
{
	switch (type) {
	case ICMPV6_PKT_TOOBIG:
		*kind = ATCP_ICMP_FRAG_NEEDED;
		return true;
	case ICMPV6_TIME_EXCEED:
		*kind = ATCP_ICMP_TIME_EXCEEDED;
		return true;
	case ICMPV6_PARAMPROB:
		*kind = ATCP_ICMP_PARAM_PROBLEM;
		return true;
	case NDISC_REDIRECT:
		*kind = ATCP_ICMP_REDIRECT;
		return true;
	case ICMPV6_DEST_UNREACH:
		break;
	default:
		/* An error that nobody knows is one all the same (RFC 4443 2.4, a). */
		*kind = ATCP_ICMP_UNKNOWN;
		return type < ICMPV6_INFOMSG_MASK;
	}
	switch (code) {
	case ICMPV6_NOROUTE:
		*kind = ATCP_ICMP_NET_UNREACH;
		return true;
	case ICMPV6_PORT_UNREACH:
		*kind = ATCP_ICMP_PORT_UNREACH;
		return true;
	case ICMPV6_ADM_PROHIBITED:
	case ICMPV6_POLICY_FAIL:
	case ICMPV6_REJECT_ROUTE:
		*kind = ATCP_ICMP_PROHIBITED;
		return true;
	case ICMPV6_NOT_NEIGHBOUR:
	case ICMPV6_ADDR_UNREACH:
		*kind = ATCP_ICMP_HOST_UNREACH;
		return true;
	default:
		*kind = ATCP_ICMP_PARAM_PROBLEM;
		return true;
	}
}

/* skb->data is at the quoted IPv6 header, of which the first 8 bytes of TCP are readable at off. Context: softirq, RCU. */
static void atcp6_icmp_quoted(struct atcp_osns *osns, struct sk_buff *skb, int off, u8 proto,
			      u8 type, u8 code, u32 value)
{
	const struct ipv6hdr *inner = (const struct ipv6hdr *)skb->data;
	const struct tcphdr *th = (const struct tcphdr *)(skb->data + off);
	struct atcp_tuple t = {
		.lport = (__force u16)th->source,
		.rport = (__force u16)th->dest,
		.family = ATCP_AF_INET6,
	};
	enum atcp_icmp_kind kind;

	memcpy(t.laddr.v6, &inner->saddr, sizeof(t.laddr.v6));
	memcpy(t.raddr.v6, &inner->daddr, sizeof(t.raddr.v6));
	t.link = atcp6_link(&inner->daddr, IP6CB(skb)->iif);
	if (atcp6_icmp_kind(type, code, &kind))
		atcp_icmp_for(osns, skb, &t, proto, kind, ntohl(th->seq), value);
}

/*
 * As atcp_icmp_queue(), but as with the kernel's TCP only if the program has set IPV6_RECVERR.
 * skb->data is at the quoted IPv6 header, behind that of ICMPv6. Lock: socket, perhaps owned by a program.
 */
void atcp6_icmp_queue(struct sock *sk, const struct sk_buff *skb, u32 info)
{
	const struct ipv6hdr *inner = (const struct ipv6hdr *)skb->data;
	const struct icmp6hdr *icmph = (const struct icmp6hdr *)skb->data - 1;
	u8 proto = inner->nexthdr;
	struct sock_exterr_skb *serr;
	struct sk_buff *copy;
	__be16 frag_off;
	int off, err;

	off = ipv6_skip_exthdr(skb, sizeof(*inner), &proto, &frag_off);
	if (!atcp6_recverr(sk) || off < 0)
		return;
	copy = skb_clone((struct sk_buff *)skb, GFP_ATOMIC | __GFP_NOWARN);
	if (!copy)
		return;
	icmpv6_err_convert(icmph->icmp6_type, icmph->icmp6_code, &err);
	/*
	 * What IP has noted about the packet stays in front of what is filled in here, where recvmsg() looks for it: by which link it
	 * came, which gives a link-local address its scope. skb_iif does not tell of what this host says to itself.
	 */
	serr = SKB_EXT_ERR(copy);
	memset(&serr->ee, 0, sizeof(serr->ee));
	serr->opt_stats = 0;
	serr->ee.ee_errno = err;
	serr->ee.ee_origin = SO_EE_ORIGIN_ICMP6;
	serr->ee.ee_type = icmph->icmp6_type;
	serr->ee.ee_code = icmph->icmp6_code;
	serr->ee.ee_info = info;
	serr->addr_offset = (const u8 *)&inner->daddr - skb_network_header(skb);
	serr->port = ((const struct tcphdr *)(skb->data + off))->dest;
	__skb_pull(copy, off);
	skb_reset_transport_header(copy);
	skb_dst_drop(copy);
	if (sock_queue_err_skb(sk, copy))
		kfree_skb(copy);
}

/*
 * What is quoted at skb->data + quoted, by an ICMPv6 packet at skb->data + off whose checksum has not been looked at. skb is left as it was.
 */
static void atcp6_icmp_quotes(struct atcp_osns *osns, struct sk_buff *skb, int off, int quoted,
			      const struct icmp6hdr *icmph)
{
	const struct ipv6hdr *inner;
	__be16 frag_off;
	int thoff;
	u8 proto;

	if (!pskb_may_pull(skb, quoted + sizeof(struct ipv6hdr)))
		return;
	inner = (const struct ipv6hdr *)(skb->data + quoted);
	if (inner->version != 6)
		return;
	proto = inner->nexthdr;
	thoff = ipv6_skip_exthdr(skb, quoted + sizeof(*inner), &proto, &frag_off);
	/* Protocol 253 has an error handler of its own. */
	if (thoff < 0 || proto != IPPROTO_TCP || (frag_off & htons(~7)) ||
	    !pskb_may_pull(skb, thoff + 8) ||
	    nf_ip6_checksum(skb, NF_INET_LOCAL_IN, off, IPPROTO_ICMPV6))
		return;
	__skb_pull(skb, quoted);
	atcp6_icmp_quoted(osns, skb, thoff - quoted, proto, icmph->icmp6_type, icmph->icmp6_code,
			  ntohl(icmph->icmp6_mtu));
	__skb_push(skb, quoted);
}

/*
 * Where a redirect quotes what it is about; 0: nowhere, or it is not to be believed (RFC 4861 8.1, RFC 6980 5: not in fragments). Behind
 * extension headers, where nobody honest has one, the route would not find it.
 */
static int atcp6_redirect_quotes(struct sk_buff *skb, int off, u8 code)
{
	const struct inet6_dev *idev = __in6_dev_get(skb->dev);
	const struct ipv6hdr *h = ipv6_hdr(skb);
	int at = off + sizeof(struct rd_msg), len;
	const u8 *opt;

	if (off != sizeof(*h) || h->hop_limit != 255 || code || !idev ||
	    !(ipv6_addr_type(&h->saddr) & IPV6_ADDR_LINKLOCAL) ||
	    (IP6CB(skb)->flags & IP6SKB_FRAGMENTED &&
	     READ_ONCE(idev->cnf.suppress_frag_ndisc)))
		return 0;
	if (nf_ip6_checksum(skb, NF_INET_LOCAL_IN, off, IPPROTO_ICMPV6) ||
	    !xfrm6_policy_check(NULL, XFRM_POLICY_IN, skb) || !pskb_may_pull(skb, skb->len))
		return 0;
	for (; at + 8 <= skb->len; at += len) {
		opt = skb->data + at;
		len = opt[1] * 8;
		if (!len)
			return 0;
		if (opt[0] == ND_OPT_REDIRECT_HDR)
			return at + 8;
	}
	return 0;
}

/*
 * An ICMPv6 packet to this host, skb->data at its IPv6 header, off bytes before the ICMPv6 one. It is left as it was.
 * Context: softirq, inside RCU.
 */
void atcp6_icmp_in(struct atcp_osns *osns, struct sk_buff *skb, int off)
{
	int quoted = off + sizeof(struct icmp6hdr);
	struct icmp6hdr icmph;

	if (skb->pkt_type != PACKET_HOST || !pskb_may_pull(skb, quoted))
		return;
	memcpy(&icmph, skb->data + off, sizeof(icmph));
	if (icmph.icmp6_type == NDISC_REDIRECT)
		quoted = atcp6_redirect_quotes(skb, off, icmph.icmp6_code);
	else if (icmph.icmp6_type >= ICMPV6_INFOMSG_MASK)
		return;
	if (quoted)
		atcp6_icmp_quotes(osns, skb, off, quoted, &icmph);
}

/*
 * The error handler of protocol 253: skb->data is at the quoted IPv6 header, off bytes before the quoted transport header, its
 * checksum was verified. Context: softirq, inside RCU.
 */
int atcp6_icmp_err(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type, u8 code, int off,
		   __be32 info)
{
	if (pskb_may_pull(skb, off + 8))
		atcp6_icmp_quoted(atcp_pernet(dev_net(skb->dev)), skb, off, IPPROTO_ATCP, type,
				  code, ntohl(info));
	return 0;
}
