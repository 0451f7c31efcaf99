// SPDX-License-Identifier: GPL-2.0
/*
 * Memory control groups. What a socket of socket(2) queues is charged to the group of the program that made it, by the
 * kernel's own code. A connection is born in softirq, on nobody's behalf; whoever accepts it gets the bill, from its first
 * byte on, as with the kernel's TCP.
 */
#include <linux/memcontrol.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "glue.h"

#ifdef CONFIG_MEMCG
/* The group of this program, with a reference; NULL: there is none that counts sockets. Context: process. */
static struct mem_cgroup *atcp_memcg_get(void)
{
	struct mem_cgroup *memcg;

	rcu_read_lock();
	memcg = mem_cgroup_from_task(current);
	/* The root has no limits, and nothing is charged to it. */
	if (memcg && (!memcg->css.parent || !atcp_memcg_counts_sockets(memcg) ||
		      !css_tryget(&memcg->css)))
		memcg = NULL;
	rcu_read_unlock();
	return memcg;
}

/*
 * Charge pages to the group alone; of the protocol's own sum they are part already. The function that would do just
 * that is not for modules, so they are asked for as more to send on a socket that is beyond its send buffer, which
 * the kernel grants whatever the group's limit is: the packets are there. Lock: socket.
 */
static void atcp_memcg_charge(struct sock *sk, int pages)
{
	u32 locks = sk->sk_userlocks;
	int sndbuf = sk->sk_sndbuf;

	sk->sk_userlocks = locks | SOCK_SNDBUF_LOCK; /* else the kernel makes it smaller, but not 0 */
	WRITE_ONCE(sk->sk_sndbuf, 0);
	if (!WARN_ON_ONCE(!__sk_mem_schedule(sk, pages << PAGE_SHIFT, SK_MEM_SEND))) {
		sk_forward_alloc_add(sk, -(pages << PAGE_SHIFT));
		/* Past the counts of the CPUs, of which it is the sum: what would change those is not for modules on 6.1. */
		atomic_long_sub(pages, sk->sk_prot->memory_allocated);
	}
	WRITE_ONCE(sk->sk_sndbuf, sndbuf);
	sk->sk_userlocks = locks;
}

/*
 * What was received and not read, on the protocol's account. Not sk_rmem_alloc, in which the error queue is too: nothing was asked
 * of the protocol for that, so nothing would be given back to the group. Lock: socket.
 */
static int atcp_memcg_received(const struct sock *sk)
{
	int bytes = atcp_sk(sk)->held;
	const struct sk_buff *skb;

	skb_queue_walk(&sk->sk_receive_queue, skb)
		bytes += skb->truesize;
	/* The headers that rx6_options.c keeps. */
	skb = sk->sk_family == AF_INET6 ? inet6_sk(sk)->pktoptions : NULL;
	if (skb)
		bytes += skb->truesize;
	return bytes;
}

void atcp_memcg_accepted(struct sock *sk)
{
	int pages;

	if (!mem_cgroup_sockets_enabled)
		return;
	lock_sock(sk);
	/* What of it is free again counts as well: the kernel gives it back to whom it was charged. */
	pages = sk_mem_pages(sk->sk_forward_alloc + atcp_memcg_received(sk) +
			     READ_ONCE(sk->sk_wmem_queued));
	sk->sk_memcg = atcp_memcg_get();
	if (sk->sk_memcg && pages)
		atcp_memcg_charge(sk, pages);
	atcp_memcg_charge_object(sk);
	release_sock(sk);
}
#else
void atcp_memcg_accepted(struct sock *sk)
{
}
#endif
