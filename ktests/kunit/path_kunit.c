// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: source routes of packets, turned round. IP has looked at a packet's options once; a rule of netfilter may have written
 * over them before the packet comes here, so no length in them is to be believed.
 */
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <net/ip.h>

#include "glue.h"

enum { HOPS = 3, OPTION = 3 + 4 * HOPS, OPTIONS = ALIGN(OPTION, 4), MOST = 9 };

static __be32 hop(u32 i)
{
	return htonl(0x0a090007 + i);
}

/* A packet as it arrives: a completed loose source route of HOPS entries in front of nothing, with `length` written over that of the
 * option, and its pointer behind it.
 */
static struct sk_buff *arrived(struct kunit *test, u8 length)
{
	struct sk_buff *skb = alloc_skb(256, GFP_KERNEL);
	struct iphdr *iph;
	u8 *option;
	__be32 addr;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	iph = skb_put_zero(skb, sizeof(*iph) + OPTIONS);
	skb_reset_network_header(skb);
	iph->version = 4;
	iph->ihl = (sizeof(*iph) + OPTIONS) / 4;
	iph->protocol = IPPROTO_TCP;
	iph->saddr = htonl(INADDR_LOOPBACK + 1);
	iph->daddr = htonl(INADDR_LOOPBACK);
	option = (u8 *)(iph + 1);
	option[0] = IPOPT_LSRR;
	option[1] = length;
	option[2] = 255;
	for (i = 0; i < HOPS; i++) {
		addr = hop(i);
		memcpy(option + 3 + 4 * i, &addr, 4);
	}
	/* Behind the header, as if it were more of the route. */
	memset(skb_put(skb, 128), 0x11, 128);
	memset(skb->cb, 0, sizeof(skb->cb));
	IPCB(skb)->opt.srr = sizeof(*iph);
	return skb;
}

static void a_route_is_turned_round(struct kunit *test)
{
	struct sk_buff *skb = arrived(test, OPTION);
	struct atcp_path path;
	__be32 addr;
	u32 i;

	KUNIT_ASSERT_TRUE(test, atcp_path_reverse(&init_net, skb, &path));
	/* The first hop is where packets go; the option has the others, and a place for the peer. */
	KUNIT_EXPECT_EQ(test, path.data.opt.opt.faddr, hop(HOPS - 1));
	KUNIT_EXPECT_EQ(test, (u32)path.data.opt.opt.optlen, (u32)OPTIONS);
	KUNIT_EXPECT_EQ(test, (u32)(u8)path.data.data[0], (u32)IPOPT_LSRR);
	KUNIT_EXPECT_EQ(test, (u32)(u8)path.data.data[1], (u32)OPTION);
	for (i = 0; i + 1 < HOPS; i++) {
		memcpy(&addr, path.data.data + 3 + 4 * i, 4);
		KUNIT_EXPECT_EQ(test, addr, hop(HOPS - 2 - i));
	}
	kfree_skb(skb);
}

static void a_length_that_somebody_wrote_is_not_believed(struct kunit *test)
{
	u32 length;

	for (length = 0; length < 256; length++) {
		struct sk_buff *skb = arrived(test, length);
		struct atcp_path *path = kunit_kzalloc(test, sizeof(*path), GFP_KERNEL);
		bool want = length == 7 || length == 11 || length == OPTION;

		KUNIT_ASSERT_NOT_NULL(test, path);
		KUNIT_EXPECT_EQ_MSG(test, atcp_path_reverse(&init_net, skb, path), want, "length %u", length);
		KUNIT_EXPECT_EQ_MSG(test, path->data.opt.opt.optlen != 0, want, "length %u", length);
		kunit_kfree(test, path);
		kfree_skb(skb);
	}
}

/* The longest that a header holds. */
static void a_full_header_fits(struct kunit *test)
{
	struct sk_buff *skb = arrived(test, 3 + 4 * MOST);
	struct atcp_path path;

	ip_hdr(skb)->ihl = 15;
	KUNIT_EXPECT_TRUE(test, atcp_path_reverse(&init_net, skb, &path));
	KUNIT_EXPECT_EQ(test, (u32)path.data.opt.opt.optlen, 4 + 4 * MOST);
	kfree_skb(skb);
}

static void what_is_not_completed_is_no_way_back(struct kunit *test)
{
	struct sk_buff *skb = arrived(test, OPTION);
	struct atcp_path path;

	((u8 *)(ip_hdr(skb) + 1))[2] = OPTION - 3;
	KUNIT_EXPECT_FALSE(test, atcp_path_reverse(&init_net, skb, &path));
	kfree_skb(skb);
}

static struct kunit_case path_cases[] = {
	KUNIT_CASE(a_route_is_turned_round),
	KUNIT_CASE(a_length_that_somebody_wrote_is_not_believed),
	KUNIT_CASE(a_full_header_fits),
	KUNIT_CASE(what_is_not_completed_is_no_way_back),
	{}
};

static struct kunit_suite path_suite = {
	.name = "atcp_path",
	.test_cases = path_cases,
};
kunit_test_suite(path_suite);
