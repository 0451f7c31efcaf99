/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the glue know of each other: the socket, the namespace, and who offers which
 * function. The core's view of the same things is in abi/; locks and lifetimes are explained in
 * docs/locking.md.
 */
#ifndef ATCP_GLUE_H
#define ATCP_GLUE_H

#include <linux/list.h>
#include <linux/percpu_counter.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <linux/atcp.h>
#include <net/inet_sock.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "atcp_core.h"
#include "compat.h"

/* Room in front of payload for link, IP and TCP headers with all their options. */
#define ATCP_HEADROOM L1_CACHE_ALIGN(128 + MAX_HEADER)
/* Most payload that one IP datagram can carry with full TCP options. */
#define ATCP_MAX_PIECE (65535 - 60 - 60)

struct atcp_port;

/* Work left for the owner of the socket lock; bits of atcp_sock.deferred. */
enum {
	ATCP_DEFER_TIMER,	/* the timer fired meanwhile */
	ATCP_DEFER_MTU,		/* ICMP reported a smaller path MTU: mtu_info, mtu_seq */
};

/* Bits of atcp_sock.flags. */
enum {
	ATCP_F_CORE = 0x01,	 /* the core's half is constructed */
	ATCP_F_CLOSING = 0x02,	 /* in close(): no program will read again */
	ATCP_F_ORPHAN = 0x04,	 /* counted in atcp_orphans */
	ATCP_F_DESTROYED = 0x08, /* atcp_sock_destroy() has run */
	ATCP_F_COUNTED = 0x10,	 /* counted in atcp_osns.sockets */
	ATCP_F_FASTOPEN = 0x20,	 /* sendmsg(MSG_FASTOPEN) is connecting */
};

/**
 * struct atcp_sock - one socket: connection, listener or unconnected
 * @inet: the generic part; first, because the kernel casts
 * @timer: the connection's one timer; holds a reference while pending
 * @deadline_ns: when the core wants to be called, 0 for never; lock: socket. The timer may be
 *	pending for an earlier time, which then only re-arms it
 * @deferred: ATCP_DEFER_*; atomic bits
 * @flags: ATCP_F_*; lock: socket
 * @rcv_bytes: bytes in sk_receive_queue not yet read; lock: socket, read anywhere
 * @mtu_info: bytes, of the last ICMP "fragmentation needed"; lock: socket spinlock
 * @mtu_seq: the sequence number that it quoted; lock: socket spinlock
 * @ip_proto: protocol number of its packets: 6, or 253 (wire=atcp); set when it connects, listens
 *	or is born as a child, constant afterwards
 * @at_somaxconn: of a listener: its backlog is as large as net.core.somaxconn allowed when it was set;
 *	lock: socket, read anywhere
 * @port: reservation towards the kernel's TCP, or NULL; lock: socket
 * @conn: the core's half; lock: socket unless abi/ says otherwise
 */
struct atcp_sock {
	struct inet_sock inet;
	struct timer_list timer;
	u64 deadline_ns;
	unsigned long deferred;
	u32 flags;
	u32 rcv_bytes;
	u32 mtu_info;
	u32 mtu_seq;
	u8 ip_proto;
	bool at_somaxconn;
	struct atcp_port *port;
	struct atcp_conn conn;
};

/**
 * struct atcp_osns - the port's half of a network namespace
 * @net: the namespace
 * @core: the core's half; constant from pernet init to exit
 * @timer: the core's one timer of the namespace
 * @core_work: atcp_core_ns_work, when the core wants it
 * @dying: set by pernet exit: the timer is not armed again, the work not queued
 * @hooked: the netfilter hook is registered; lock: atcp_hook_mutex, read anywhere
 * @sockets: sockets alive, until freed
 * @counters: per CPU, atcp_core_counter_count() each
 * @reasons: per CPU, __ATCP_REASON_MAX each
 * @port_lock: protects @ports and the reference counts of its entries
 * @ports: reservations towards the kernel's TCP
 * @port_work: releases reservations that nobody uses any more
 */
struct atcp_osns {
	struct net *net;
	struct atcp_ns *core;
	struct timer_list timer;
	struct work_struct core_work;
	bool dying;
	bool hooked;
	atomic_t sockets;
	u64 __percpu *counters;
	u64 __percpu *reasons;
	spinlock_t port_lock;
	struct list_head ports;
	struct work_struct port_work;
};

/* Where a delivered skb is being read; its cb is the port's again. */
struct atcp_rxcb {
	u32 off; /* first unread byte, from skb->data */
	u32 len; /* unread bytes */
};
#define ATCP_RXCB(skb) ((struct atcp_rxcb *)(skb)->cb)

static inline struct atcp_sock *atcp_sk(const struct sock *sk)
{
	return (struct atcp_sock *)sk;
}

static inline struct sock *atcp_sk_of_conn(const struct atcp_conn *c)
{
	return (struct sock *)container_of(c, struct atcp_sock, conn);
}

static inline struct sk_buff *atcp_pkt_skb(const struct atcp_pkt *pkt)
{
	return (struct sk_buff *)((char *)pkt - offsetof(struct sk_buff, cb));
}

/* Hand an skb's cb to the core. */
static inline struct atcp_pkt *atcp_skb_pkt(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct atcp_pkt) != sizeof(skb->cb));
	memset(skb->cb, 0, sizeof(skb->cb));
	return (struct atcp_pkt *)skb->cb;
}

/* The border's addresses and ports are in network order, but plain integers. */
static inline __be32 atcp_v4(const union atcp_ip *ip)
{
	return (__force __be32)ip->v4;
}

static inline __be16 atcp_be16(u16 port)
{
	return (__force __be16)port;
}

static inline u64 atcp_now(void)
{
	return ktime_get_ns();
}

/* main.c */
struct atcp_osns *atcp_pernet(const struct net *net);
static inline struct atcp_osns *atcp_sk_osns(const struct sock *sk)
{
	return atcp_pernet(sock_net(sk));
}

/* os.c */
int atcp_os_init(void);
void atcp_os_exit(void);
int atcp_errno(enum atcp_err err);
enum skb_drop_reason atcp_drop_reason(u32 reason);
u64 atcp_counter_read(const struct atcp_osns *osns, u32 id);
u64 atcp_reason_read(const struct atcp_osns *osns, u32 reason);
/* Bytes of slab memory that the core holds, by kind, over all namespaces. */
u64 atcp_mem_read(enum atcp_mem kind);

/* inet.c */
extern struct proto atcp_prot;
extern const struct proto_ops atcp_ops;
extern struct percpu_counter atcp_orphans;
bool atcp_under_pressure(void);
int atcp_inet_init(void);
void atcp_inet_exit(void);
void atcp_inet_open(void);
void atcp_inet_shut(void);

/* sock.c */
int atcp_sock_init(struct sock *sk);
void atcp_sock_free_parts(struct sock *sk);
void atcp_sock_close(struct sock *sk, long timeout);
int atcp_sock_disconnect(struct sock *sk, int flags);
void atcp_sock_shutdown(struct sock *sk, int how);
void atcp_sock_release_cb(struct sock *sk);
/* Destroy the socket if it is closed and nobody has it open. Call before unlocking. Lock: socket. */
void atcp_sock_settle(struct sock *sk);

/* bind.c */
int atcp_get_port(struct sock *sk, unsigned short snum);
void atcp_put_port(struct sock *sk);
int atcp_connect(struct sock *sk, struct sockaddr *uaddr, int addr_len);
int atcp_listen(struct socket *sock, int backlog);
struct sock *atcp_accept(struct sock *sk, ATCP_ACCEPT_ARGS);

/* event.c */
void atcp_write_space(struct sock *sk);
__poll_t atcp_poll(struct file *file, struct socket *sock, poll_table *wait);
int atcp_ioctl(struct sock *sk, int cmd, ATCP_IOCTL_ARG);

/* sendmsg.c */
int atcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);
#ifdef ATCP_HAVE_SENDPAGE
ssize_t atcp_sendpage(struct socket *sock, struct page *page, int offset, size_t size, int flags);
#endif
void atcp_splice_eof(struct socket *sock);

/* recvmsg.c */
int atcp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len);
ssize_t atcp_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe,
			 size_t len, unsigned int flags);
/* Throw the receive queue away; returns how many bytes had not been read. Lock: socket. */
u32 atcp_rx_purge(struct sock *sk);

/* sockopt.c */
int atcp_setsockopt(struct sock *sk, int level, int opt, sockptr_t val, unsigned int len);
int atcp_getsockopt(struct sock *sk, int level, int opt, char __user *val, int __user *len);
void atcp_keepalive(struct sock *sk, int on);

/* tx.c */
struct sk_buff *atcp_tx_alloc(struct sock *sk, gfp_t gfp);
/* The socket's route, looked up anew if it went stale; borrowed. NULL: none. Lock: socket. */
struct dst_entry *atcp_sock_route(struct sock *sk);
/* A route for a tuple without connection; the caller's to put. via: a listener, or NULL. NULL: none.
 * Context: softirq.
 */
struct rtable *atcp_tuple_route(struct atcp_osns *ns, struct sock *via, const struct atcp_tuple *t,
				u8 proto);
u8 atcp_wire_proto(const struct atcp_osns *osns);

/* rx.c */
int atcp_rcv(struct sk_buff *skb);
int atcp_backlog_rcv(struct sock *sk, struct sk_buff *skb);
/* True if a found entry speaks this protocol number on the wire. */
bool atcp_found_speaks(const struct atcp_osns *osns, struct atcp_found f, u8 proto);
int atcp_hook(struct atcp_osns *osns);
void atcp_unhook(struct atcp_osns *osns);

/* icmp.c */
void atcp_icmp_in(struct atcp_osns *osns, struct sk_buff *skb);
int atcp_icmp_err(struct sk_buff *skb, u32 info);
void atcp_icmp_deferred(struct sock *sk);

/* timer.c */
void atcp_timer_init(struct sock *sk);
void atcp_timer_stop(struct sock *sk);
void atcp_timer_deferred(struct sock *sk);
void atcp_ns_timer_init(struct atcp_osns *osns);
void atcp_ns_timer_stop(struct atcp_osns *osns);

/* ports.c */
void atcp_ports_init(struct atcp_osns *osns);
void atcp_ports_exit(struct atcp_osns *osns);
struct atcp_port *atcp_port_take(struct atcp_osns *osns, __be32 addr, __be16 port, bool reuse,
				 int *err);
struct atcp_port *atcp_port_inherit(const struct sock *listener);
void atcp_port_drop(struct sock *sk);
/* Release unused reservations now. Context: process. */
void atcp_ports_reap(struct atcp_osns *osns);

/* offload.c */
int atcp_offload_init(void);
void atcp_offload_exit(void);

/* netlink.c */
int atcp_netlink_init(void);
void atcp_netlink_exit(void);

#endif /* ATCP_GLUE_H */
