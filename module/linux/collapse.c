// SPDX-License-Identifier: GPL-2.0
/*
 * The receive queue, made smaller. Segments of a few bytes pin buffers of a kilobyte; where they cannot be appended
 * to each other as they come (rx_coalesce), their payload is copied together once memory has run out.
 */
#include <linux/skbuff.h>
#include <net/sock.h>

#include "glue.h"

enum {
	ATCP_COLLAPSE_BYTES = SKB_MAX_ORDER(0, 0), /* payload of a buffer of one page */
	ATCP_COLLAPSE_RUN = 64,			   /* buffers that one of them replaces, at most */
};

/* Does it take more than twice what its payload would take alone? */
static bool atcp_wasteful(const struct sk_buff *skb)
{
	return ATCP_RXCB(skb)->len < ATCP_COLLAPSE_BYTES / 4 &&
	       skb->truesize > 2 * ATCP_RXCB(skb)->len + 256;
}

/* The buffers from @first on that one new one could replace: how many, their payload and what they take. */
static u32 atcp_run_at(struct sock *sk, struct sk_buff *first, u32 *bytes, u32 *memory)
{
	struct sk_buff *skb = first;
	u32 n = 0;

	*bytes = 0;
	*memory = 0;
	skb_queue_walk_from(&sk->sk_receive_queue, skb) {
		if (n == ATCP_COLLAPSE_RUN || !atcp_wasteful(skb) ||
		    *bytes + ATCP_RXCB(skb)->len > ATCP_COLLAPSE_BYTES)
			break;
		*bytes += ATCP_RXCB(skb)->len;
		*memory += skb->truesize;
		n++;
	}
	return n;
}

/* Replace @n buffers from @first on. Returns the new one, or NULL without memory: then nothing has changed. */
static struct sk_buff *atcp_replace_run(struct sock *sk, struct sk_buff *first, u32 n, u32 bytes)
{
	struct sk_buff *into = alloc_skb(bytes, GFP_ATOMIC | __GFP_NOWARN);
	struct sk_buff *skb = first;
	struct sk_buff *next;

	if (!into)
		return NULL;
	__skb_queue_before(&sk->sk_receive_queue, first, into);
	while (n--) {
		u32 len = ATCP_RXCB(skb)->len;

		next = skb->next;
		/* It cannot fail: these bytes are there. */
		if (WARN_ON_ONCE(skb_copy_bits(skb, ATCP_RXCB(skb)->off, skb_put(into, len), len)))
			memset(skb_tail_pointer(into) - len, 0, len);
		atcp_stamps_move(into, skb);
		__skb_unlink(skb, &sk->sk_receive_queue);
		consume_skb(skb); /* uncharges it */
		skb = next;
	}
	ATCP_RXCB(into)->off = 0;
	ATCP_RXCB(into)->len = bytes;
	/* Less than what has just been given back, so it is there. */
	sk_rmem_schedule(sk, into, into->truesize);
	skb_set_owner_r(into, sk);
	return into;
}

/* Lock: socket, not owned by a program: readers walk the queue with the lock held. */
u32 atcp_os_rx_collapse(struct atcp_conn *c)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct atcp_sock *asp = atcp_sk(sk);
	struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);
	u32 used = atomic_read(&sk->sk_rmem_alloc);
	u32 freed = 0;

	/* It did not help last time, and little has come since. */
	if (used < asp->collapsed + READ_ONCE(sk->sk_rcvbuf) / 8)
		return 0;
	while (skb) {
		u32 bytes, memory;
		u32 n = atcp_run_at(sk, skb, &bytes, &memory);

		if (n > 1 && memory > 2 * SKB_TRUESIZE(bytes)) {
			skb = atcp_replace_run(sk, skb, n, bytes);
			if (!skb)
				break;
			freed += n - 1;
		}
		skb = skb_queue_is_last(&sk->sk_receive_queue, skb) ? NULL : skb->next;
	}
	asp->collapsed = atomic_read(&sk->sk_rmem_alloc);
	return freed;
}
