/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that atcp is built for (6.1 to 6.12): the only file that looks
 * at LINUX_VERSION_CODE. It gives one name to each difference and decides nothing else.
 */
#ifndef ATCP_COMPAT_H
#define ATCP_COMPAT_H

#include <linux/memcontrol.h>
#include <linux/net.h>
#include <linux/net_tstamp.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <net/genetlink.h>
#include <net/inet_sock.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/sock.h>

/*
 * A variable that whoever is called next fills as a whole. Many kernels clear each variable of a function first
 * (INIT_STACK_ALL_ZERO), which for the larger ones is too dear to be done twice for each packet.
 */
#if __has_attribute(uninitialized)
#define ATCP_UNSET __attribute__((uninitialized))
#else
#define ATCP_UNSET
#endif

/* Free p, which embeds head, after a grace period. No callback of the module is involved. */
static inline void atcp_kvfree_rcu(void *p, struct rcu_head *head)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	kvfree_call_rcu(head, p);
#else
	kvfree_call_rcu(head, (rcu_callback_t)((unsigned long)head - (unsigned long)p));
#endif
}

/* getsockopt() reads it without the socket's lock since 6.8; before it is part of a word. */
static inline void atcp_write_mcast_hops(struct ipv6_pinfo *np, u8 hops)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	WRITE_ONCE(np->mcast_hops, hops);
#else
	np->mcast_hops = hops;
#endif
}

/* proto->accept: the flags of accept4(2) and where its error goes. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define ATCP_ACCEPT_ARGS struct proto_accept_arg *arg
#define atcp_accept_flags() (arg->flags)
#define atcp_accept_error(e) (arg->err = (e))
#else
#define ATCP_ACCEPT_ARGS int flags, int *errp, bool kern
#define atcp_accept_flags() (flags)
#define atcp_accept_error(e) (*errp = (e))
#endif

/* proto_ops->accept: the same, and a socket whose protocol hears of SOL_SOCKET options first (6.6). Before, nothing but the
 * kernel's own protocols can have SO_ZEROCOPY: it goes by their numbers.
 */
#ifdef SOCK_CUSTOM_SOCKOPT
static inline void atcp_own_sockopts(struct socket *sock)
{
	set_bit(SOCK_CUSTOM_SOCKOPT, &sock->flags);
}
#else
static inline void atcp_own_sockopts(struct socket *sock)
{
}
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define ATCP_STREAM_ACCEPT_ARGS struct proto_accept_arg *arg
#define ATCP_STREAM_ACCEPT_PASS arg
#else
#define ATCP_STREAM_ACCEPT_ARGS int flags, bool kern
#define ATCP_STREAM_ACCEPT_PASS flags, kern
#endif

/* proto->ioctl hands its number back through kernel or user memory. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define ATCP_IOCTL_ARG int *karg
#define atcp_ioctl_answer(v) (*karg = (v), 0)
#else
#define ATCP_IOCTL_ARG unsigned long arg
#define atcp_ioctl_answer(v) put_user((v), (int __user *)arg)
#endif

/* sendfile(2) arrives as ->sendpage before 6.5, afterwards as sendmsg with MSG_SPLICE_PAGES. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define ATCP_HAVE_SENDPAGE 1
#define ATCP_SPLICE_FLAG 0
#else
#define ATCP_SPLICE_FLAG MSG_SPLICE_PAGES
#endif
/* When a file ends before what was asked of it, ->splice_eof says that nothing follows what was announced. That came with
 * the flag, to the stable releases of 6.1 too, where ->sendpage stayed.
 */
#ifdef MSG_SPLICE_PAGES
#define ATCP_HAVE_SPLICE_EOF 1
#endif

/* The tos argument of ip_route_output_ports(). */
static inline u8 atcp_rt_tos(const struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return ip_sock_rt_tos(sk);
#else
	return RT_CONN_FLAGS(sk);
#endif
}

/* connect() succeeds before the SYN is sent: __inet_stream_connect() is not to wait. The mark goes with the
 * first data.
 */
static inline void atcp_defer_connect(struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	inet_set_bit(DEFER_CONNECT, sk);
#else
	inet_sk(sk)->defer_connect = 1;
#endif
}

static inline void atcp_undefer_connect(struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	inet_clear_bit(DEFER_CONNECT, sk);
#else
	inet_sk(sk)->defer_connect = 0;
#endif
}

/* The program gives flow labels with the addresses it connects to (IPV6_FLOWINFO_SEND). */
static inline bool atcp6_sndflow(const struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return inet6_test_bit(SNDFLOW, sk);
#else
	return inet6_sk(sk)->sndflow;
#endif
}

/* dst is the route of the socket's packets from now on. Consumes the reference. */
static inline void atcp6_dst_store(struct sock *sk, struct dst_entry *dst)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	ip6_dst_store(sk, dst, NULL, false);
#else
	ip6_dst_store(sk, dst, NULL, NULL);
#endif
}

/* A copy of a socket has no flow labels of its own. Their list moved within 6.12's stable releases. */
static inline void atcp6_forget_labels(struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 100)
	RCU_INIT_POINTER(inet_sk(sk)->ipv6_fl_list, NULL);
#else
	RCU_INIT_POINTER(inet6_sk(sk)->ipv6_fl_list, NULL);
#endif
}

/* Where a socket of AF_INET6 has its struct ipv6_pinfo: said since 6.3, before that always at the end. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define ATCP_PINFO_AT(offset) .ipv6_pinfo_offset = (offset),
#else
#define ATCP_PINFO_AT(offset)
#endif

/* IPV6_RECVERR is set. */
static inline bool atcp6_recverr(const struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return inet6_test_bit(RECVERR6, sk);
#else
	return inet6_sk(sk)->recverr;
#endif
}

/* IP_RECVERR is set. */
static inline bool atcp_recverr(const struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return inet_test_bit(RECVERR, sk);
#else
	return inet_sk(sk)->recverr;
#endif
}

/* The parsed attributes of the request that a generic netlink dump answers. */
static inline struct nlattr **atcp_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* The kernel's drop reasons that came late, and what is nearest before. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define ATCP_SKB_ABORT_ON_DATA SKB_DROP_REASON_TCP_ABORT_ON_DATA
#define ATCP_SKB_BAD_ACK SKB_DROP_REASON_TCP_INVALID_ACK_SEQUENCE
#else
#define ATCP_SKB_ABORT_ON_DATA SKB_DROP_REASON_TCP_CLOSE
#define ATCP_SKB_BAD_ACK SKB_DROP_REASON_TCP_INVALID_SEQUENCE
#endif

/* Are received stamps of this kind reported? From 6.12 on, not if somebody else had them made (OPT_RX_FILTER). */
static inline bool atcp_stamp_wanted(u32 tsflags, bool hardware)
{
	if (!(tsflags & (hardware ? SOF_TIMESTAMPING_RAW_HARDWARE : SOF_TIMESTAMPING_SOFTWARE)))
		return false;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return !(tsflags & SOF_TIMESTAMPING_OPT_RX_FILTER) ||
	       (tsflags &
		(hardware ? SOF_TIMESTAMPING_RX_HARDWARE : SOF_TIMESTAMPING_RX_SOFTWARE));
#else
	return true;
#endif
}

/* SOF_TIMESTAMPING_OPT_ID counts from what was written (6.2); else from what is acknowledged. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define ATCP_STAMP_ID_WRITTEN SOF_TIMESTAMPING_OPT_ID_TCP
#else
#define ATCP_STAMP_ID_WRITTEN 0
#endif

/* The kernel's TCP has SO_PEEK_OFF (6.9). Before, programs are told that a stream has none. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define ATCP_HAVE_PEEK_OFF 1
#endif

/* The socket's control group, or one above it, wants its memory back. */
static inline bool atcp_memcg_pressure(const struct sock *sk)
{
#ifdef CONFIG_MEMCG
	return mem_cgroup_sockets_enabled && sk->sk_memcg &&
	       mem_cgroup_under_socket_pressure(sk->sk_memcg);
#else
	return false;
#endif
}

#ifdef CONFIG_MEMCG
/* Does this group count the memory of sockets? Of cgroup v2 each, of v1 those that have been told to. */
static inline bool atcp_memcg_counts_sockets(const struct mem_cgroup *memcg)
{
	if (cgroup_subsys_on_dfl(memory_cgrp_subsys))
		return true;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0) || defined(CONFIG_MEMCG_V1)
	return READ_ONCE(memcg->tcpmem_active);
#else
	return false;
#endif
}

/* An object made on nobody's behalf is charged to the group of this program (6.12). */
static inline void atcp_memcg_charge_object(void *object)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	kmem_cache_charge(object, GFP_KERNEL | __GFP_NOFAIL);
#endif
}
#endif

/* A generic netlink family hears when a socket is about to join one of its groups (6.9), or has to look. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define ATCP_GENL_BIND 1
#else
#define ATCP_GENL_BIND 0
#endif


#endif /* ATCP_COMPAT_H */
