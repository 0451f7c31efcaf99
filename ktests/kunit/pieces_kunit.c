// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: pieces of the send queue as skbs. Splitting and trimming must keep every byte, leave clones
 * that are under way alone, and balance the socket's memory accounts. What the core does with pieces
 * is tested in userspace.
 */
#include <kunit/test.h>
#include <linux/net.h>
#include <linux/skbuff.h>

#include "glue.h"

enum { PAGES = 3, BYTES = 10000 };

static u8 pattern(u32 i)
{
	return (u8)(i * 31 + (i >> 8));
}

struct fixture {
	struct socket *sock;
	struct sock *sk;
	struct sk_buff *piece;
};

/* A socket of ours with one piece of BYTES patterned bytes in page fragments. */
static int pieces_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	u32 done = 0;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	KUNIT_ASSERT_EQ(test, 0,
			sock_create_kern(&init_net, PF_INET, SOCK_STREAM, IPPROTO_ATCP, &f->sock));
	f->sk = f->sock->sk;
	lock_sock(f->sk);
	f->piece = atcp_tx_alloc(f->sk, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->piece);
	for (i = 0; i < PAGES; i++) {
		struct page *page = alloc_page(GFP_KERNEL);
		u32 n = min_t(u32, BYTES - done, PAGE_SIZE);
		u8 *p;
		u32 k;

		KUNIT_ASSERT_NOT_NULL(test, page);
		p = page_address(page);
		for (k = 0; k < n; k++)
			p[k] = pattern(done + k);
		skb_fill_page_desc(f->piece, i, page, 0, n);
		done += n;
	}
	f->piece->len += BYTES;
	f->piece->data_len += BYTES;
	f->piece->truesize += BYTES;
	sk_wmem_queued_add(f->sk, BYTES);
	KUNIT_ASSERT_TRUE(test, sk_wmem_schedule(f->sk, BYTES));
	sk_mem_charge(f->sk, BYTES);
	release_sock(f->sk);
	return 0;
}

static void pieces_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f || !f->sock)
		return;
	/* Cleaning up is another thread's work, so nothing stays locked between these functions. */
	lock_sock(f->sk);
	if (f->piece)
		atcp_os_tx_free(&atcp_sk(f->sk)->conn, (struct atcp_pkt *)f->piece->cb);
	KUNIT_EXPECT_EQ(test, f->sk->sk_wmem_queued, 0);
	release_sock(f->sk);
	sock_release(f->sock);
}

/* skb holds the pattern's bytes [from, from + len). */
static void expect_bytes(struct kunit *test, const struct sk_buff *skb, u32 from, u32 len)
{
	u8 *buf = kunit_kzalloc(test, BYTES, GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_EQ(test, skb->len, len);
	KUNIT_ASSERT_EQ(test, 0, skb_copy_bits(skb, 0, buf, len));
	for (i = 0; i < len; i++)
		if (buf[i] != pattern(from + i))
			break;
	KUNIT_EXPECT_EQ(test, i, len);
}

static void locked_split_keeps_bytes_and_charge(struct kunit *test)
{
	static const u32 cuts[] = { 1, 3000, PAGE_SIZE, PAGE_SIZE + 1, BYTES - 1 };
	struct fixture *f = test->priv;
	struct atcp_conn *c = &atcp_sk(f->sk)->conn;
	u32 at = cuts[get_random_u32() % ARRAY_SIZE(cuts)];
	struct atcp_pkt *rest;
	struct sk_buff *skb;

	kunit_info(test, "cut at %u", at);
	rest = atcp_os_tx_split(c, (struct atcp_pkt *)f->piece->cb, at, true);
	KUNIT_ASSERT_NOT_NULL(test, rest);
	skb = atcp_pkt_skb(rest);
	expect_bytes(test, f->piece, 0, at);
	expect_bytes(test, skb, at, BYTES - at);
	KUNIT_EXPECT_EQ(test, f->sk->sk_wmem_queued, (int)(f->piece->truesize + skb->truesize));
	atcp_os_tx_free(c, rest);
	KUNIT_EXPECT_EQ(test, f->sk->sk_wmem_queued, (int)f->piece->truesize);
}

static void locked_split_leaves_a_clone_alone(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct atcp_conn *c = &atcp_sk(f->sk)->conn;
	struct sk_buff *clone = skb_clone(f->piece, GFP_KERNEL);
	struct atcp_pkt *rest;

	KUNIT_ASSERT_NOT_NULL(test, clone);
	rest = atcp_os_tx_split(c, (struct atcp_pkt *)f->piece->cb, 4000, true);
	KUNIT_EXPECT_NOT_NULL(test, rest);
	expect_bytes(test, clone, 0, BYTES);
	expect_bytes(test, f->piece, 0, 4000);
	kfree_skb(clone);
	if (rest)
		atcp_os_tx_free(c, rest);
}

static void locked_trim_drops_the_front(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct atcp_conn *c = &atcp_sk(f->sk)->conn;
	struct sk_buff *clone = skb_clone(f->piece, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, clone);
	KUNIT_EXPECT_TRUE(test, atcp_os_tx_trim(c, (struct atcp_pkt *)f->piece->cb, 5001));
	expect_bytes(test, f->piece, 5001, BYTES - 5001);
	expect_bytes(test, clone, 0, BYTES);
	KUNIT_EXPECT_EQ(test, f->sk->sk_wmem_queued, (int)f->piece->truesize);
	kfree_skb(clone);
}

static void locked_queue_cut_too_fine_is_not_cut_finer(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct atcp_conn *c = &atcp_sk(f->sk)->conn;
	int more = 2 * (f->sk->sk_sndbuf + 4 * ATCP_MAX_PIECE);

	sk_wmem_queued_add(f->sk, more);
	KUNIT_EXPECT_NULL(test, atcp_os_tx_split(c, (struct atcp_pkt *)f->piece->cb, 100, false));
	sk_wmem_queued_add(f->sk, -more);
	expect_bytes(test, f->piece, 0, BYTES);
}

static void with_lock(struct kunit *test, void (*body)(struct kunit *))
{
	struct fixture *f = test->priv;

	lock_sock(f->sk);
	body(test);
	release_sock(f->sk);
}

static void split_keeps_bytes_and_charge(struct kunit *test)
{
	with_lock(test, locked_split_keeps_bytes_and_charge);
}

static void split_leaves_a_clone_alone(struct kunit *test)
{
	with_lock(test, locked_split_leaves_a_clone_alone);
}

static void trim_drops_the_front(struct kunit *test)
{
	with_lock(test, locked_trim_drops_the_front);
}

static void queue_cut_too_fine_is_not_cut_finer(struct kunit *test)
{
	with_lock(test, locked_queue_cut_too_fine_is_not_cut_finer);
}

static struct kunit_case pieces_cases[] = {
	KUNIT_CASE(split_keeps_bytes_and_charge),
	KUNIT_CASE(split_leaves_a_clone_alone),
	KUNIT_CASE(trim_drops_the_front),
	KUNIT_CASE(queue_cut_too_fine_is_not_cut_finer),
	{}
};

static struct kunit_suite pieces_suite = {
	.name = "atcp_pieces",
	.init = pieces_init,
	.exit = pieces_exit,
	.test_cases = pieces_cases,
};
kunit_test_suite(pieces_suite);
