// SPDX-License-Identifier: GPL-2.0
/*
 * The plain services that the core asks of its port: memory, locks, RCU, randomness, counting, and
 * the translation of its errors and reasons into the kernel's. Nothing here knows of sockets or
 * packets.
 */
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "glue.h"

static DEFINE_PER_CPU(s64, atcp_mem_bytes[__ATCP_MEM_MAX]);

int atcp_os_init(void)
{
	BUILD_BUG_ON(sizeof(struct atcp_rcu) < sizeof(struct rcu_head));
	return 0;
}

void atcp_os_exit(void)
{
	int kind;

	/* Everything that RCU still holds is plain slab memory and needs no code of ours. */
	for (kind = 0; kind < __ATCP_MEM_MAX; kind++)
		if (atcp_mem_read(kind))
			pr_err("atcp: %llu bytes of kind %d were not freed\n",
			       atcp_mem_read(kind), kind);
}

/* ---- memory -------------------------------------------------------------------------- */

void *atcp_os_alloc(uint32_t bytes, enum atcp_mem kind)
{
	void *p = kzalloc(bytes, GFP_ATOMIC | __GFP_NOWARN);

	if (p)
		this_cpu_add(atcp_mem_bytes[kind], ksize(p));
	return p;
}

void atcp_os_free(void *p, enum atcp_mem kind)
{
	if (!p)
		return;
	this_cpu_sub(atcp_mem_bytes[kind], ksize(p));
	kfree(p);
}

void atcp_os_free_rcu(void *p, struct atcp_rcu *rcu, enum atcp_mem kind)
{
	this_cpu_sub(atcp_mem_bytes[kind], ksize(p));
	atcp_kvfree_rcu(p, (struct rcu_head *)rcu);
}

void *atcp_os_table_alloc(uint64_t bytes)
{
	if (bytes > SIZE_MAX)
		return NULL;
	return kvzalloc(bytes, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

void atcp_os_table_free(void *p)
{
	kvfree(p);
}

u64 atcp_mem_read(enum atcp_mem kind)
{
	s64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(atcp_mem_bytes, cpu)[kind]);
	return max_t(s64, sum, 0);
}

/* ---- locks, RCU ---------------------------------------------------------------------- */

struct atcp_locks {
	u32 n;
	spinlock_t lock[];
};

static struct lock_class_key atcp_lock_keys[__ATCP_LOCK_MAX];
static const char *const atcp_lock_names[__ATCP_LOCK_MAX] = {
	[ATCP_LOCK_PORT] = "atcp_port",	    [ATCP_LOCK_LISTEN] = "atcp_listen",
	[ATCP_LOCK_ACCEPT] = "atcp_accept", [ATCP_LOCK_BUCKET] = "atcp_bucket",
	[ATCP_LOCK_WHEEL] = "atcp_wheel",
};

struct atcp_locks *atcp_os_locks_alloc(uint32_t n, enum atcp_lock_class cls)
{
	size_t bytes;
	struct atcp_locks *l;
	u32 i;

	bytes = struct_size(l, lock, n);
	/* Small arrays are made in softirq, large ones only with a namespace. */
	l = kvzalloc(bytes, bytes <= PAGE_SIZE ? GFP_ATOMIC | __GFP_NOWARN : GFP_KERNEL);
	if (!l)
		return NULL;
	l->n = n;
	for (i = 0; i < n; i++) {
		spin_lock_init(&l->lock[i]);
		lockdep_set_class_and_name(&l->lock[i], &atcp_lock_keys[cls],
					   atcp_lock_names[cls]);
	}
	return l;
}

void atcp_os_locks_free(struct atcp_locks *l)
{
	kvfree(l);
}

void atcp_os_lock(struct atcp_locks *l, uint32_t i)
	__acquires(&l->lock[i])
{
	spin_lock_bh(&l->lock[i]);
}

void atcp_os_unlock(struct atcp_locks *l, uint32_t i)
	__releases(&l->lock[i])
{
	spin_unlock_bh(&l->lock[i]);
}

void atcp_os_rcu_lock(void)
	__acquires(RCU)
{
	rcu_read_lock();
}

void atcp_os_rcu_unlock(void)
	__releases(RCU)
{
	rcu_read_unlock();
}

void atcp_os_rcu_wait(void)
{
	synchronize_rcu();
}

void atcp_os_cond_resched(void)
{
	cond_resched();
}

/* ---- randomness, counting ------------------------------------------------------------ */

void atcp_os_random(void *buf, uint32_t bytes)
{
	get_random_bytes(buf, bytes);
}

void atcp_os_count(struct atcp_osns *ns, uint32_t id, uint32_t n)
{
	this_cpu_add(ns->counters[id], n);
}

void atcp_os_reason(struct atcp_osns *ns, uint32_t reason)
{
	if (reason < __ATCP_REASON_MAX)
		this_cpu_inc(ns->reasons[reason]);
}

static u64 atcp_percpu_sum(const u64 __percpu *p, u32 i)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(p, cpu)[i]);
	return sum;
}

struct atcp_percpu *atcp_os_percpu_alloc(uint32_t n)
{
	return (__force struct atcp_percpu *)__alloc_percpu_gfp(n * sizeof(u64), sizeof(u64),
								GFP_KERNEL_ACCOUNT |
								__GFP_NOWARN);
}

void atcp_os_percpu_free(struct atcp_percpu *p)
{
	free_percpu((void __percpu *)(__force unsigned long)p);
}

void atcp_os_percpu_add(struct atcp_percpu *p, uint32_t i, int64_t n)
{
	this_cpu_add(((u64 __percpu *)(__force unsigned long)p)[i], n);
}

uint64_t atcp_os_percpu_sum(const struct atcp_percpu *p, uint32_t i)
{
	return atcp_percpu_sum((const u64 __percpu *)(__force unsigned long)p, i);
}

void atcp_os_syn_flood(const struct atcp_conn *listener, bool cookies)
{
	struct sock *sk = atcp_sk_of_conn(listener);

	const char *what = cookies ? "Sending cookies" : "Dropping request";

	if (sk->sk_family == AF_INET6)
		net_info_ratelimited("atcp: Possible SYN flooding on port [%pI6c]:%u. %s.\n",
				     &sk->sk_v6_rcv_saddr, inet_sk(sk)->inet_num, what);
	else
		net_info_ratelimited("atcp: Possible SYN flooding on port %pI4:%u. %s.\n",
				     &inet_sk(sk)->inet_rcv_saddr, inet_sk(sk)->inet_num, what);
}

u64 atcp_counter_read(const struct atcp_osns *osns, u32 id)
{
	return atcp_percpu_sum(osns->counters, id);
}

u64 atcp_reason_read(const struct atcp_osns *osns, u32 reason)
{
	return atcp_percpu_sum(osns->reasons, reason);
}

/* ---- translations -------------------------------------------------------------------- */

int atcp_errno(enum atcp_err err)
{
	switch (err) {
	case ATCP_OK:
		return 0;
	case ATCP_ERR_REFUSED:
		return ECONNREFUSED;
	case ATCP_ERR_RESET:
		return ECONNRESET;
	case ATCP_ERR_TIMED_OUT:
		return ETIMEDOUT;
	case ATCP_ERR_PIPE:
		return EPIPE;
	case ATCP_ERR_HOST_UNREACH:
		return EHOSTUNREACH;
	case ATCP_ERR_NET_UNREACH:
		return ENETUNREACH;
	case ATCP_ERR_PROTO_UNREACH:
	case ATCP_ERR_NO_OPTION:
		return ENOPROTOOPT;
	case ATCP_ERR_PROTO:
		return EPROTO;
	case ATCP_ERR_ADDR_IN_USE:
		return EADDRINUSE;
	case ATCP_ERR_ADDR_NOT_AVAIL:
		return EADDRNOTAVAIL;
	case ATCP_ERR_NO_MEMORY:
		return ENOMEM;
	case ATCP_ERR_NO_BUFS:
		return ENOBUFS;
	case ATCP_ERR_INVALID:
		return EINVAL;
	case ATCP_ERR_AGAIN:
		return EAGAIN;
	case ATCP_ERR_IS_CONN:
		return EISCONN;
	case ATCP_ERR_NOT_CONN:
		return ENOTCONN;
	case ATCP_ERR_NOT_FOUND:
		return ENOENT;
	case ATCP_ERR_RANGE:
		return ERANGE;
	case ATCP_ERR_ABORTED:
		return ECONNABORTED;
	case ATCP_ERR_NOT_PERMITTED:
		return EPERM;
	case ATCP_ERR_PROHIBITED:
		return EACCES;
	case ATCP_ERR_HOST_DOWN:
		return EHOSTDOWN;
	case ATCP_ERR_NO_NET:
		return ENONET;
	case ATCP_ERR_NOT_SUPPORTED:
		return EOPNOTSUPP;
	}
	return EPROTO;
}
