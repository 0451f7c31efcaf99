// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: what the receive path says of a packet before any connection sees it, with headers in the linear part, in a page, and
 * spread over both. A packet goes in through the handler of protocol 253; which reason was counted tells how far it came.
 */
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/ip.h>

#include "glue.h"

enum { PAYLOAD = 100, SEGMENT = sizeof(struct tcphdr) + PAYLOAD, PORT = 9 };

/* How many bytes of the segment are in the linear part; the others are in a page. */
static const u32 shapes[] = { SEGMENT, sizeof(struct tcphdr), 6, 0 };

static void fill(u8 *segment)
{
	struct tcphdr *th = (struct tcphdr *)segment;
	u32 i;

	memset(th, 0, sizeof(*th));
	th->source = htons(PORT + 1);
	th->dest = htons(PORT);
	th->seq = htonl(1);
	th->doff = sizeof(*th) / 4;
	th->ack = 1;
	for (i = 0; i < PAYLOAD; i++)
		segment[sizeof(*th) + i] = i;
}

static void sum(u8 *segment, u32 len)
{
	struct tcphdr *th = (struct tcphdr *)segment;

	th->check = 0;
	th->check = csum_tcpudp_magic(htonl(INADDR_LOOPBACK), htonl(INADDR_LOOPBACK), len, IPPROTO_ATCP,
				      csum_partial(segment, len, 0));
}

/* The segment as IP delivers it: data at the transport header, `linear` bytes of it in the linear part. */
static struct sk_buff *arrived(struct kunit *test, const u8 *segment, u32 len, u32 linear)
{
	struct sk_buff *skb = alloc_skb(256, GFP_KERNEL);
	struct iphdr *iph;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	linear = min(linear, len);
	iph = skb_put_zero(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	iph->version = 4;
	iph->ihl = 5;
	iph->protocol = IPPROTO_ATCP;
	iph->saddr = htonl(INADDR_LOOPBACK);
	iph->daddr = htonl(INADDR_LOOPBACK);
	iph->tot_len = htons(sizeof(*iph) + len);
	__skb_pull(skb, sizeof(*iph));
	skb_reset_transport_header(skb);
	skb_put_data(skb, segment, linear);
	if (linear < len) {
		struct page *page = alloc_page(GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, page);
		memcpy(page_address(page), segment + linear, len - linear);
		skb_add_rx_frag(skb, 0, page, 0, len - linear, PAGE_SIZE);
	}
	skb->protocol = htons(ETH_P_IP);
	skb->pkt_type = PACKET_HOST;
	skb->dev = init_net.loopback_dev;
	return skb;
}

/* In each shape the segment is dropped, for this reason and no other. */
static void expect_reason(struct kunit *test, const u8 *segment, u32 len, u32 reason)
{
	struct atcp_osns *osns = atcp_pernet(&init_net);
	u64 before[__ATCP_REASON_MAX];
	u32 i, r;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct sk_buff *skb = arrived(test, segment, len, shapes[i]);

		for (r = 0; r < __ATCP_REASON_MAX; r++)
			before[r] = atcp_reason_read(osns, r);
		local_bh_disable();
		rcu_read_lock();
		atcp_rcv(skb);
		rcu_read_unlock();
		local_bh_enable();
		for (r = 0; r < __ATCP_REASON_MAX; r++)
			KUNIT_EXPECT_EQ_MSG(test, atcp_reason_read(osns, r) - before[r], (u64)(r == reason),
					    "reason %u, %u bytes linear", r, shapes[i]);
	}
}

static u8 *segment_of(struct kunit *test)
{
	u8 *segment = kunit_kzalloc(test, SEGMENT, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, segment);
	fill(segment);
	return segment;
}

static void an_intact_segment_is_looked_up(struct kunit *test)
{
	u8 *segment = segment_of(test);

	sum(segment, SEGMENT);
	expect_reason(test, segment, SEGMENT, ATCP_REASON_NO_SOCKET);
}

static void a_flipped_bit_is_a_bad_checksum(struct kunit *test)
{
	u8 *segment = segment_of(test);

	sum(segment, SEGMENT);
	segment[SEGMENT - 1] ^= 0x10;
	expect_reason(test, segment, SEGMENT, ATCP_REASON_CHECKSUM);
}

static void half_a_header_is_truncated(struct kunit *test)
{
	u8 *segment = segment_of(test);

	sum(segment, 12);
	expect_reason(test, segment, 12, ATCP_REASON_HDR_TRUNCATED);
}

static void no_ports_are_truncated(struct kunit *test)
{
	u8 *segment = segment_of(test);

	expect_reason(test, segment, 3, ATCP_REASON_HDR_TRUNCATED);
}

static void a_header_beyond_its_segment_is_refused(struct kunit *test)
{
	u8 *segment = segment_of(test);

	((struct tcphdr *)segment)->doff = 15;
	sum(segment, sizeof(struct tcphdr) + 8);
	expect_reason(test, segment, sizeof(struct tcphdr) + 8, ATCP_REASON_DATA_OFFSET);
}

static void a_header_shorter_than_itself_is_refused(struct kunit *test)
{
	u8 *segment = segment_of(test);

	((struct tcphdr *)segment)->doff = 4;
	sum(segment, SEGMENT);
	expect_reason(test, segment, SEGMENT, ATCP_REASON_DATA_OFFSET);
}

static void broadcast_is_nobodys(struct kunit *test)
{
	struct atcp_osns *osns = atcp_pernet(&init_net);
	u64 before = atcp_reason_read(osns, ATCP_REASON_NOT_UNICAST);
	u8 *segment = segment_of(test);
	struct sk_buff *skb;

	sum(segment, SEGMENT);
	skb = arrived(test, segment, SEGMENT, SEGMENT);
	skb->pkt_type = PACKET_BROADCAST;
	local_bh_disable();
	rcu_read_lock();
	atcp_rcv(skb);
	rcu_read_unlock();
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, atcp_reason_read(osns, ATCP_REASON_NOT_UNICAST), before + 1);
}

static struct kunit_case rx_cases[] = {
	KUNIT_CASE(an_intact_segment_is_looked_up),
	KUNIT_CASE(a_flipped_bit_is_a_bad_checksum),
	KUNIT_CASE(half_a_header_is_truncated),
	KUNIT_CASE(no_ports_are_truncated),
	KUNIT_CASE(a_header_beyond_its_segment_is_refused),
	KUNIT_CASE(a_header_shorter_than_itself_is_refused),
	KUNIT_CASE(broadcast_is_nobodys),
	{}
};

static struct kunit_suite rx_suite = {
	.name = "atcp_rx",
	.test_cases = rx_cases,
};
kunit_test_suite(rx_suite);
