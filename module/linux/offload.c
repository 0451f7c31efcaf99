// SPDX-License-Identifier: GPL-2.0
/*
 * wire=atcp: IP protocol 253 and its segmentation. Sending hands 64 KB down as one skb; here it
 * becomes segments where no later hop of this host takes it whole. GRO is not offered: the kernel does
 * not export the function that merges two skbs to modules, so over a real device each segment
 * arrives by itself (over veth and loopback the 64 KB arrive whole).
 */
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/protocol.h>
#include <net/tcp.h>

#include "glue.h"

/* Where a datagram goes in the end: of a source route that is not completed, the last entry (RFC 9293 3.1). From its header
 * alone: the cb, where IP keeps what it knows of the options, is not IP's any more once a queue has had the packet.
 */
static __be32 atcp_gso_daddr(const struct iphdr *iph)
{
	const u8 *opt = (const u8 *)(iph + 1), *end = (const u8 *)iph + iph->ihl * 4;
	__be32 last;

	while (opt < end && *opt != IPOPT_END) {
		if (*opt == IPOPT_NOOP) {
			opt++;
			continue;
		}
		if (end - opt < 2 || opt[1] < 2 || opt[1] > end - opt)
			break;
		if (*opt == IPOPT_LSRR || *opt == IPOPT_SSRR) {
			if (opt[1] < 7 || opt[2] > opt[1])
				break;
			memcpy(&last, opt + opt[1] - sizeof(last), sizeof(last));
			return last;
		}
		opt += opt[1];
	}
	return iph->daddr;
}

/* Sum a segment's checksum anew, or leave it to a device that knows any protocol. all: bytes of what it was cut from, from the
 * TCP header on.
 */
static void atcp_gso_checksum(struct sk_buff *seg, netdev_features_t features, u32 all)
{
	const struct iphdr *iph = ip_hdr(seg);
	struct tcphdr *th = tcp_hdr(seg);
	u32 off = skb_transport_offset(seg);
	u32 len = seg->len - off;

	/* Not by skb->protocol, which is that of a tunnel or VLAN around it. IPv6's sum is there, for the length of all. */
	if (iph->version == 6)
		th->check = ~csum_fold(csum_add(csum_unfold(th->check),
						(__force __wsum)htonl(~all + len)));
	else
		th->check = ~csum_tcpudp_magic(iph->saddr, atcp_gso_daddr(iph), len, IPPROTO_ATCP,
					       0);
	if (features & NETIF_F_HW_CSUM) {
		seg->ip_summed = CHECKSUM_PARTIAL;
		seg->csum_start = skb_transport_header(seg) - seg->head;
		seg->csum_offset = offsetof(struct tcphdr, check);
		return;
	}
	seg->ip_summed = CHECKSUM_NONE;
	th->check = csum_fold(skb_checksum(seg, off, len, 0));
}

/* skb->data is at the transport header. Context: softirq or process. */
static struct sk_buff *atcp_gso_segment(struct sk_buff *skb, netdev_features_t features)
{
	u32 mss = skb_shinfo(skb)->gso_size;
	struct sk_buff *segs, *seg;
	u32 thlen, seq, all = skb->len;

	if (!pskb_may_pull(skb, sizeof(struct tcphdr)))
		return ERR_PTR(-EINVAL);
	thlen = tcp_hdr(skb)->doff * 4;
	if (thlen < sizeof(struct tcphdr) || !pskb_may_pull(skb, thlen) || !mss)
		return ERR_PTR(-EINVAL);
	seq = ntohl(tcp_hdr(skb)->seq);
	__skb_pull(skb, thlen);
	if (skb->len <= mss)
		return ERR_PTR(-EINVAL);
	if (skb_gso_ok(skb, features | NETIF_F_GSO_ROBUST)) {
		/* The device takes it after all: only the count needed checking. */
		skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->len, mss);
		return NULL;
	}

	segs = skb_segment(skb, features & ~NETIF_F_GSO_PARTIAL);
	if (IS_ERR_OR_NULL(segs))
		return segs;
	for (seg = segs; seg; seg = seg->next) {
		struct tcphdr *th = tcp_hdr(seg);

		th->seq = htonl(seq);
		if (seg->next) {
			th->fin = 0;
			th->psh = 0;
		}
		if (seg != segs)
			th->cwr = 0;
		atcp_gso_checksum(seg, features, all);
		seq += mss;
	}
	return segs;
}

static const struct net_offload atcp_offload = {
	.callbacks.gso_segment = atcp_gso_segment,
};

static const struct net_protocol atcp_protocol = {
	.handler = atcp_rcv,
	.err_handler = atcp_icmp_err,
	.icmp_strict_tag_validation = 1,
};

static const struct inet6_protocol atcp6_protocol = {
	.handler = atcp6_rcv,
	.err_handler = atcp6_icmp_err,
	.flags = INET6_PROTO_NOPOLICY | INET6_PROTO_FINAL,
};

int atcp_offload_init(void)
{
	int err = inet_add_offload(&atcp_offload, IPPROTO_ATCP);

	if (err)
		goto taken;
	err = inet6_add_offload(&atcp_offload, IPPROTO_ATCP);
	if (err)
		goto taken_offload;
	err = inet_add_protocol(&atcp_protocol, IPPROTO_ATCP);
	if (err)
		goto taken_offload6;
	err = inet6_add_protocol(&atcp6_protocol, IPPROTO_ATCP);
	if (!err)
		return 0;
	inet_del_protocol(&atcp_protocol, IPPROTO_ATCP);
taken_offload6:
	inet6_del_offload(&atcp_offload, IPPROTO_ATCP);
taken_offload:
	inet_del_offload(&atcp_offload, IPPROTO_ATCP);
taken:
	pr_err("atcp: IP protocol %d is taken\n", IPPROTO_ATCP);
	return -EBUSY;
}

/* Each waits until no CPU is in a handler. */
void atcp_offload_exit(void)
{
	inet6_del_protocol(&atcp6_protocol, IPPROTO_ATCP);
	inet6_del_offload(&atcp_offload, IPPROTO_ATCP);
	inet_del_protocol(&atcp_protocol, IPPROTO_ATCP);
	inet_del_offload(&atcp_offload, IPPROTO_ATCP);
}
