// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: one large skb of protocol 253 becomes segments. Each must carry its own sequence number, flags, bytes and checksum,
 * whoever sums it, and what is too damaged to cut must be refused. Which skbs are handed down large is the core's decision.
 */
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/gso.h>
#include <net/ip.h>

#include "glue.h"

enum { MSS = 1000, BYTES = 2500, OPTIONS = 12, ROUTE = 12 };

static const u32 first_seq = 0xfffffc00; /* so that the numbers pass zero */

static const __be32 peer = htonl(INADDR_LOOPBACK + 1), router = htonl(INADDR_LOOPBACK + 2);

static u8 pattern(u32 i)
{
	return (u8)(i * 29 + (i >> 8));
}

/* A datagram of protocol 253 as tx.c builds it: headers in the linear part, payload in two page fragments. hops: routers
 * of a source route that are still ahead (at most 1), or -1 for none.
 */
static struct sk_buff *large_routed(struct kunit *test, int hops)
{
	u32 ip_len = sizeof(struct iphdr) + (hops < 0 ? 0 : ROUTE);
	struct sk_buff *skb = alloc_skb(256, GFP_KERNEL);
	u32 done = 0, k;
	struct tcphdr *th;
	struct iphdr *iph;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, 128);
	th = skb_push(skb, sizeof(*th) + OPTIONS);
	memset(th, 0, sizeof(*th) + OPTIONS);
	skb_reset_transport_header(skb);
	memset(th + 1, 1, OPTIONS); /* NOPs */
	th->source = htons(4000);
	th->dest = htons(80);
	th->seq = htonl(first_seq);
	th->doff = (sizeof(*th) + OPTIONS) / 4;
	th->ack = 1;
	th->psh = 1;
	th->fin = 1;
	th->cwr = 1;
	for (i = 0; i < 2; i++) {
		struct page *page = alloc_page(GFP_KERNEL);
		u32 n = BYTES / 2;
		u8 *p;

		KUNIT_ASSERT_NOT_NULL(test, page);
		p = page_address(page);
		for (k = 0; k < n; k++)
			p[k] = pattern(done + k);
		skb_add_rx_frag(skb, i, page, 0, n, PAGE_SIZE);
		done += n;
	}
	iph = skb_push(skb, ip_len);
	memset(iph, 0, ip_len);
	skb_reset_network_header(skb);
	skb_reset_mac_header(skb);
	skb_reset_mac_len(skb);
	iph->version = 4;
	iph->ihl = ip_len / 4;
	iph->ttl = 64;
	iph->protocol = IPPROTO_ATCP;
	iph->saddr = htonl(INADDR_LOOPBACK);
	iph->daddr = peer;
	if (hops >= 0) {
		/* An option that does nothing, and one of two entries, of which `hops` are not reached. */
		const u8 route[ROUTE] = { IPOPT_NOOP, IPOPT_LSRR, 11, 12 - 4 * hops };

		memcpy(iph + 1, route, ROUTE);
		memcpy((u8 *)(iph + 1) + 4, &router, 4);
		memcpy((u8 *)(iph + 1) + 8, hops ? &peer : &router, 4);
		if (hops)
			iph->daddr = router;
	}
	/* What IP knew of the options: a queue of the device has written over it. */
	memset(skb->cb, 0xa5, sizeof(struct inet_skb_parm));
	iph->tot_len = htons(skb->len);
	skb->protocol = htons(ETH_P_IP);
	skb->dev = init_net.loopback_dev;
	skb->ip_summed = CHECKSUM_PARTIAL;
	th->check = ~csum_tcpudp_magic(iph->saddr, peer, skb->len - ip_len, IPPROTO_ATCP, 0);
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	skb_shinfo(skb)->gso_size = MSS;
	skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(BYTES, MSS);
	skb_shinfo(skb)->gso_type = SKB_GSO_SCTP;
	return skb;
}

static struct sk_buff *large(struct kunit *test)
{
	return large_routed(test, -1);
}

/* The sum over pseudo header and segment is zero when its checksum is right. */
static u16 residue(struct sk_buff *seg)
{
	const struct iphdr *iph = ip_hdr(seg);
	u32 off = skb_transport_offset(seg);

	return (__force u16)csum_tcpudp_magic(iph->saddr, peer, seg->len - off, IPPROTO_ATCP,
					      skb_checksum(seg, off, seg->len - off, 0));
}

static void expect_segments(struct kunit *test, struct sk_buff *segs)
{
	u8 *buf = kunit_kzalloc(test, MSS, GFP_KERNEL);
	struct sk_buff *seg;
	u32 done = 0, count = 0, k;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (seg = segs; seg; seg = seg->next) {
		struct tcphdr *th = (struct tcphdr *)skb_transport_header(seg);
		u32 off = skb_transport_offset(seg) + th->doff * 4;
		u32 len = seg->len - off;
		bool last = !seg->next;

		KUNIT_EXPECT_EQ(test, len, min_t(u32, MSS, BYTES - done));
		KUNIT_EXPECT_EQ(test, ntohl(th->seq), first_seq + done);
		KUNIT_EXPECT_EQ(test, ntohs(ip_hdr(seg)->tot_len), seg->len);
		KUNIT_EXPECT_EQ(test, (bool)th->fin, last);
		KUNIT_EXPECT_EQ(test, (bool)th->psh, last);
		KUNIT_EXPECT_EQ(test, (bool)th->cwr, count == 0);
		KUNIT_EXPECT_TRUE(test, th->ack);
		if (len > MSS || skb_copy_bits(seg, off, buf, len)) {
			KUNIT_FAIL(test, "segment %u has %u bytes", count, len);
			break;
		}
		for (k = 0; k < len && buf[k] == pattern(done + k); k++)
			;
		KUNIT_EXPECT_EQ(test, k, len);
		done += len;
		count++;
	}
	KUNIT_EXPECT_EQ(test, count, DIV_ROUND_UP(BYTES, MSS));
	KUNIT_EXPECT_EQ(test, done, BYTES);
}

static void segments_carry_their_own_header_and_sum(struct kunit *test)
{
	struct sk_buff *skb = large(test), *seg;
	struct sk_buff *segs = skb_gso_segment(skb, NETIF_F_SG);

	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(segs));
	expect_segments(test, segs);
	for (seg = segs; seg; seg = seg->next) {
		KUNIT_EXPECT_NE(test, (int)seg->ip_summed, CHECKSUM_PARTIAL);
		KUNIT_EXPECT_EQ(test, residue(seg), 0);
	}
	kfree_skb_list(segs);
	consume_skb(skb);
}

static void a_device_that_sums_anything_may_sum(struct kunit *test)
{
	struct sk_buff *skb = large(test), *seg;
	struct sk_buff *segs = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM);

	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(segs));
	expect_segments(test, segs);
	for (seg = segs; seg; seg = seg->next) {
		KUNIT_EXPECT_EQ(test, (int)seg->ip_summed, CHECKSUM_PARTIAL);
		KUNIT_EXPECT_EQ(test, 0, skb_checksum_help(seg));
		KUNIT_EXPECT_EQ(test, residue(seg), 0);
	}
	kfree_skb_list(segs);
	consume_skb(skb);
}

/* The pseudo header has the peer (RFC 9293 3.1), wherever the packet goes next. */
static void a_source_route_ends_at_the_peer(struct kunit *test)
{
	netdev_features_t features[] = { NETIF_F_SG, NETIF_F_SG | NETIF_F_HW_CSUM };
	int hops, i;

	for (hops = 0; hops <= 1; hops++) {
		for (i = 0; i < ARRAY_SIZE(features); i++) {
			struct sk_buff *skb = large_routed(test, hops), *seg;
			struct sk_buff *segs = skb_gso_segment(skb, features[i]);

			KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(segs));
			expect_segments(test, segs);
			for (seg = segs; seg; seg = seg->next) {
				if (seg->ip_summed == CHECKSUM_PARTIAL)
					KUNIT_EXPECT_EQ(test, 0, skb_checksum_help(seg));
				KUNIT_EXPECT_EQ_MSG(test, residue(seg), 0, "%d hops", hops);
			}
			kfree_skb_list(segs);
			consume_skb(skb);
		}
	}
}

static void a_header_that_overlaps_itself_is_refused(struct kunit *test)
{
	struct sk_buff *skb = large(test);
	struct sk_buff *segs;

	tcp_hdr(skb)->doff = 4;
	segs = skb_gso_segment(skb, NETIF_F_SG);
	KUNIT_EXPECT_TRUE(test, IS_ERR(segs));
	if (!IS_ERR_OR_NULL(segs))
		kfree_skb_list(segs);
	kfree_skb(skb);
}

static void what_fits_one_segment_is_not_cut(struct kunit *test)
{
	struct sk_buff *skb = large(test);
	struct sk_buff *segs;

	skb_shinfo(skb)->gso_size = BYTES;
	segs = skb_gso_segment(skb, NETIF_F_SG);
	KUNIT_EXPECT_TRUE(test, IS_ERR(segs));
	if (!IS_ERR_OR_NULL(segs))
		kfree_skb_list(segs);
	kfree_skb(skb);
}

static struct kunit_case offload_cases[] = {
	KUNIT_CASE(segments_carry_their_own_header_and_sum),
	KUNIT_CASE(a_device_that_sums_anything_may_sum),
	KUNIT_CASE(a_source_route_ends_at_the_peer),
	KUNIT_CASE(a_header_that_overlaps_itself_is_refused),
	KUNIT_CASE(what_fits_one_segment_is_not_cut),
	{}
};

static struct kunit_suite offload_suite = {
	.name = "atcp_offload",
	.test_cases = offload_cases,
};
kunit_test_suite(offload_suite);
