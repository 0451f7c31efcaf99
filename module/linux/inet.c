// SPDX-License-Identifier: GPL-2.0
/*
 * The tables by which the kernel finds us: struct proto, proto_ops and the protosw entry for
 * socket(AF_INET or AF_INET6, SOCK_STREAM, 253), with the memory accounting that struct proto asks for.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/swap.h>
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/protocol.h>
#include <net/transp_v6.h>

#include "glue.h"

static atomic_long_t atcp_memory_allocated ____cacheline_aligned_in_smp;
static DEFINE_PER_CPU(int, atcp_fw_alloc);
static struct percpu_counter atcp_sockets_allocated;
static unsigned long atcp_memory_pressure;
static long atcp_mem[3];

/* What a socket may always have, some, and at most; bytes. The initial sizes come from the
 * parameters rmem and wmem; these are the bounds of memory accounting under pressure.
 */
static int atcp_rmem[3] = { PAGE_SIZE, 131072, 6291456 };
static int atcp_wmem[3] = { PAGE_SIZE, 16384, 4194304 };

static void atcp_enter_pressure(struct sock *sk)
{
	WRITE_ONCE(atcp_memory_pressure, 1);
}

static void atcp_leave_pressure(struct sock *sk)
{
	WRITE_ONCE(atcp_memory_pressure, 0);
}

enum atcp_mem_level atcp_mem_level(const struct sock *sk)
{
	u32 level = READ_ONCE(atcp_sk_osns(sk)->mem_level);

	if (level == ATCP_MEM_LEVEL_OK && (READ_ONCE(atcp_memory_pressure) || atcp_memcg_pressure(sk)))
		level = ATCP_MEM_LEVEL_PRESSURE;
	return level;
}

/* Who stores a level looks again at what it was made of: whoever has changed that meanwhile may have seen the level of
 * before.
 */
static void atcp_mem_judge(struct atcp_osns *osns, long sum)
{
	u32 was, level;

	for (;;) {
		was = READ_ONCE(osns->mem_level);
		level = atcp_core_mem_level(osns->core, max(sum, 0L), was);
		if (level == was)
			return;
		WRITE_ONCE(osns->mem_level, level);
		smp_mb(); /* pairs with the change of the sum, and with atcp_mem_review() */
		sum = atomic_long_read(&osns->mem_pages);
	}
}

void atcp_mem_account(struct sock *sk)
{
	struct atcp_osns *osns = atcp_sk_osns(sk);
	struct atcp_sock *asp = atcp_sk(sk);
	u32 pages;
	long sum;

	/*
	 * What comes into the error queue of one that is destroyed, a stamp of a packet that a device still had, goes with its memory:
	 * there is no other time at which it could be taken from the sum.
	 */
	pages = asp->flags & ATCP_F_DESTROYED ?
			0 :
			DIV_ROUND_UP((u32)atomic_read(&sk->sk_rmem_alloc) +
				     (u32)READ_ONCE(sk->sk_wmem_queued), PAGE_SIZE);
	/* Large sockets would otherwise fight for the sum with each packet. */
	if (likely(abs((int)(pages - asp->mem_pages)) <= asp->mem_pages / 8 && pages))
		return;
	if (pages == asp->mem_pages)
		return;
	sum = atomic_long_add_return((long)pages - asp->mem_pages, &osns->mem_pages);
	asp->mem_pages = pages;
	atcp_mem_judge(osns, sum);
}

void atcp_mem_review(struct atcp_osns *osns)
{
	smp_mb(); /* the parameter before the look at the level */
	atcp_mem_judge(osns, atomic_long_read(&osns->mem_pages));
}

/* Hashing is the core's: these exist because the kernel calls them unconditionally. */
static int atcp_hash(struct sock *sk)
{
	return 0;
}

static void atcp_unhash(struct sock *sk)
{
}

/* What sockets of both families have. */
#define ATCP_PROT_SHARED                                                                           \
	.owner = THIS_MODULE, .init = atcp_sock_init, .destroy = atcp_sock_free_parts,             \
	.close = atcp_sock_close, .disconnect = atcp_sock_disconnect, .accept = atcp_accept,       \
	.ioctl = atcp_ioctl, .shutdown = atcp_sock_shutdown, .setsockopt = atcp_setsockopt,        \
	.getsockopt = atcp_getsockopt, .keepalive = atcp_keepalive, .sendmsg = atcp_sendmsg,       \
	.recvmsg = atcp_recvmsg, .backlog_rcv = atcp_backlog_rcv,                                  \
	.release_cb = atcp_sock_release_cb, .hash = atcp_hash, .unhash = atcp_unhash,              \
	.get_port = atcp_get_port, .put_port = atcp_put_port,                                      \
	.enter_memory_pressure = atcp_enter_pressure,                                              \
	.leave_memory_pressure = atcp_leave_pressure, .stream_memory_free = atcp_tx_below_lowat,   \
	.memory_allocated = &atcp_memory_allocated, .per_cpu_fw_alloc = &atcp_fw_alloc,            \
	.sockets_allocated = &atcp_sockets_allocated, .memory_pressure = &atcp_memory_pressure,    \
	.sysctl_mem = atcp_mem, .sysctl_rmem = atcp_rmem, .sysctl_wmem = atcp_wmem,                \
	.max_header = ATCP_HEADROOM, .no_autobind = true

static struct proto atcp_prot = {
	.name = "ATCP",
	.connect = atcp_connect,
	ATCP_PROT_SHARED,
	/*
	 * What the generic code copies into the child of a listener, and clears in a new socket. The core's half
	 * is not its business: whoever makes a socket clears that. Objects are whole all the same, see atcp_sock_cache().
	 */
	.obj_size = offsetof(struct atcp_sock, conn),
};

static struct proto atcp6_prot = {
	.name = "ATCPv6",
	.connect = atcp6_connect,
	ATCP_PROT_SHARED,
	/* All of it, for what the kernel knows of IPv6 is behind the core's half. */
	.obj_size = sizeof(struct atcp6_sock),
	ATCP_PINFO_AT(offsetof(struct atcp6_sock, inet6))
};

/*
 * The cache that sockets come from. SLAB_TYPESAFE_BY_RCU is not for our readers, for whom a socket's memory itself
 * waits (SOCK_RCU_FREE), but spares sk_prot_alloc()'s callers a second clearing by init_on_alloc; KASAN looks more closely
 * without it.
 */
static struct kmem_cache *atcp_sock_cache(const char *name, size_t size)
{
	slab_flags_t flags = SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT;

	if (!IS_ENABLED(CONFIG_KASAN))
		flags |= SLAB_TYPESAFE_BY_RCU;
	return kmem_cache_create(name, size, 0, flags, NULL);
}

/* proto_ops->accept. Context: process. */
static int atcp_stream_accept(struct socket *sock, struct socket *newsock, ATCP_STREAM_ACCEPT_ARGS)
{
	atcp_own_sockopts(newsock);
	return inet_accept(sock, newsock, ATCP_STREAM_ACCEPT_PASS);
}

#ifdef ATCP_HAVE_SENDPAGE
#define ATCP_OPS_SENDPAGE .sendpage = atcp_sendpage,
#else
#define ATCP_OPS_SENDPAGE
#endif
#ifdef ATCP_HAVE_SPLICE_EOF
#define ATCP_OPS_SPLICE_EOF .splice_eof = atcp_splice_eof,
#else
#define ATCP_OPS_SPLICE_EOF
#endif
#ifdef ATCP_HAVE_PEEK_OFF
#define ATCP_OPS_PEEK .set_peek_off = sk_set_peek_off,
#else
#define ATCP_OPS_PEEK
#endif
#define ATCP_OPS_SHARED                                                                            \
	.owner = THIS_MODULE, .connect = inet_stream_connect, .socketpair = sock_no_socketpair,    \
	.accept = atcp_stream_accept, .poll = atcp_poll, .gettstamp = sock_gettstamp,              \
	.listen = atcp_listen, .shutdown = inet_shutdown, .setsockopt = sock_common_setsockopt,    \
	.getsockopt = sock_common_getsockopt, .sendmsg = inet_sendmsg, .recvmsg = inet_recvmsg,    \
	.mmap = sock_no_mmap, ATCP_OPS_SENDPAGE ATCP_OPS_SPLICE_EOF ATCP_OPS_PEEK                  \
	.splice_read = atcp_splice_read, .set_rcvlowat = atcp_set_rcvlowat

static const struct proto_ops atcp_ops = {
	.family = PF_INET,
	.release = inet_release,
	.bind = inet_bind,
	.getname = inet_getname,
	.ioctl = inet_ioctl,
	ATCP_OPS_SHARED,
};

static const struct proto_ops atcp6_ops = {
	.family = PF_INET6,
	.release = inet6_release,
	.bind = inet6_bind,
	.getname = inet6_getname,
	.ioctl = inet6_ioctl,
	ATCP_OPS_SHARED,
};

static struct inet_protosw atcp_protosw = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_ATCP,
	.prot = &atcp_prot,
	.ops = &atcp_ops,
	.flags = 0,
};

static struct inet_protosw atcp6_protosw = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_ATCP,
	.prot = &atcp6_prot,
	.ops = &atcp6_ops,
	.flags = 0,
};

/* Pages that all sockets together may use: as the kernel's TCP takes its share of free memory. */
static void atcp_mem_limits(void)
{
	unsigned long limit = max(nr_free_buffer_pages() / 16, 128UL);

	atcp_mem[0] = limit / 4 * 3;
	atcp_mem[1] = limit;
	atcp_mem[2] = atcp_mem[0] * 2;
}

static int atcp_prot_add(struct proto *prot, size_t size)
{
	int err;

	prot->slab = atcp_sock_cache(prot->name, size);
	if (!prot->slab)
		return -ENOBUFS;
	err = proto_register(prot, 0);
	if (err) {
		kmem_cache_destroy(prot->slab);
		prot->slab = NULL;
	}
	return err;
}

int atcp_inet_init(void)
{
	int err;

	/* The core's words for IPv6 are behind the others, and what the kernel finds from the end is at the end. */
	BUILD_BUG_ON(offsetof(struct atcp6_sock, v6) !=
		     offsetof(struct atcp_sock, conn) + sizeof(struct atcp_conn));
	BUILD_BUG_ON(offsetof(struct atcp6_sock, inet6) + sizeof(struct ipv6_pinfo) !=
		     sizeof(struct atcp6_sock));
	atcp_mem_limits();
	err = percpu_counter_init(&atcp_sockets_allocated, 0, GFP_KERNEL);
	if (err)
		return err;
	err = atcp_prot_add(&atcp_prot, sizeof(struct atcp_sock));
	if (err)
		goto err_sockets;
	err = atcp_prot_add(&atcp6_prot, sizeof(struct atcp6_sock));
	if (err)
		goto err_prot;
	return 0;

err_prot:
	proto_unregister(&atcp_prot);
err_sockets:
	percpu_counter_destroy(&atcp_sockets_allocated);
	return err;
}

void atcp_inet_exit(void)
{
	proto_unregister(&atcp6_prot); /* and its cache */
	proto_unregister(&atcp_prot);
	percpu_counter_destroy(&atcp_sockets_allocated);
}

/* From now on programs can make sockets. */
int atcp_inet_open(void)
{
	int err = inet6_register_protosw(&atcp6_protosw);

	if (err)
		return err;
	inet_register_protosw(&atcp_protosw);
	return 0;
}

void atcp_inet_shut(void)
{
	inet_unregister_protosw(&atcp_protosw);
	inet6_unregister_protosw(&atcp6_protosw);
}
