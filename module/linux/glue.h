/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the glue know of each other: the socket, the namespace, and who offers which
 * function. The core's view of the same things is in abi/; locks and lifetimes are explained in
 * docs/locking.md.
 */
#ifndef ATCP_GLUE_H
#define ATCP_GLUE_H

#include <linux/ipv6.h>
#include <linux/list.h>
#include <linux/netfilter.h>
#include <linux/percpu_counter.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <linux/atcp.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "atcp_core.h"
#include "compat.h"
#include "watch.h"

/* Room in front of payload for link, IP and TCP headers with all their options. */
#define ATCP_HEADROOM L1_CACHE_ALIGN(128 + MAX_HEADER)
/* Most payload that one IP datagram can carry with full TCP options. */
#define ATCP_MAX_PIECE (65535 - 60 - 60)
/* Of sk_sndbuf and sk_rcvbuf, so that sums with them stay int. */
#define ATCP_MAX_BUF (INT_MAX / 4)

/* Kinds of drops that a connection counts one by one; the rest is counted together. */
enum { ATCP_DROP_PLACES = 6 };

struct atcp_port;

/* Work left for the owner of the socket lock; bits of atcp_sock.deferred. */
enum {
	ATCP_DEFER_TIMER,	/* the timer fired meanwhile */
	ATCP_DEFER_MTU,		/* ICMP reported a smaller path MTU: mtu_info, mtu_seq */
	ATCP_DEFER_KILL,	/* the connection is to be reset */
};

/* Bits of atcp_sock.flags. */
enum {
	ATCP_F_CORE = 0x01,	 /* the core's half is constructed */
	ATCP_F_CLOSING = 0x02,	 /* in close(): no program will read again */
	ATCP_F_ORPHAN = 0x04,	 /* counted in atcp_osns.orphans */
	ATCP_F_DESTROYED = 0x08, /* atcp_sock_destroy() has run */
	ATCP_F_COUNTED = 0x10,	 /* counted in atcp_osns.sockets */
	ATCP_F_FASTOPEN = 0x20,	 /* sendmsg(MSG_FASTOPEN) is connecting */
	ATCP_F_CHILD = 0x40,	 /* its connection is a listener's child */
	ATCP_F_OWN_PATH = 0x80,	 /* the program has set IP_OPTIONS */
	ATCP_F_INQ = 0x100,	 /* TCP_INQ: reads say how much is left */
};

/**
 * struct atcp_sock - one socket: connection, listener or unconnected
 * @inet: the generic part; first, because the kernel casts
 * @osns: the port's half of its namespace; constant
 * @timer: the connection's one timer; holds a reference while pending
 * @deadline_ns: when the core wants to be called, 0 for never; lock: socket. The timer may be
 *	pending for an earlier time, which then only re-arms it
 * @deferred: ATCP_DEFER_*; atomic bits
 * @flags: ATCP_F_*; lock: socket
 * @rcv_bytes: bytes in sk_receive_queue not yet read; lock: socket, read anywhere
 * @rcv_total: bytes that ever came into sk_receive_queue, modulo 2^32; lock: socket, read anywhere
 * @mtu_info: bytes, of the last ICMP "fragmentation needed"; lock: socket spinlock
 * @mtu_seq: the sequence number that it quoted; lock: socket spinlock
 * @mem_pages: pages that it has last been counted with in atcp_osns.mem_pages; lock: socket
 * @held: bytes of packets that the core holds out of order, charged; lock: socket
 * @ip_proto: protocol number of its packets: 6, or 253 (wire=atcp); set when it connects, listens
 *	or is born as a child, constant afterwards
 * @pacer: keeps deadlines less than a tick away, once the core paces; or NULL; lock: socket
 * @collapsed: memory that the receive queue took after it was last made smaller; lock: socket
 * @at_somaxconn: of a listener: its backlog is as large as net.core.somaxconn allowed when it was set;
 *	lock: socket, read anywhere
 * @stamp_base: see stamp.c: the sequence number that SOF_TIMESTAMPING_OPT_ID counts from; lock: socket
 * @save_syn: TCP_SAVE_SYN: 0; 1, IP and TCP header of a SYN are kept for the program; 2, that of the link as well. Children inherit it.
 *	Lock: socket, read anywhere
 * @saved_syn: of a child: its SYN, until it is read; or NULL; lock: socket
 * @path_setters: threads of the program that are just setting IP_OPTIONS; lock: socket
 * @drops: its dropped segments, see drops.c; atomic
 * @port: reservation towards the kernel's TCP, or NULL; lock: socket
 * @conn: the core's half; lock: socket unless abi/ says otherwise
 */
struct atcp_sock {
	struct inet_sock inet;
	struct atcp_osns *osns;
	struct timer_list timer;
	u64 deadline_ns;
	struct atcp_pacer *pacer;
	unsigned long deferred;
	u32 flags;
	u32 rcv_bytes;
	u32 rcv_total;
	u32 collapsed;
	u32 mtu_info;
	u32 mtu_seq;
	u32 mem_pages;
	u32 held;
	u32 stamp_base;
	u8 ip_proto;
	bool at_somaxconn;
	u8 save_syn;
	u16 path_setters;
	u32 drops[ATCP_DROP_PLACES + 1];
	struct atcp_port *port;
	struct atcp_syn *saved_syn;
	struct atcp_conn conn;
};

/**
 * struct atcp6_sock - one of AF_INET6
 * @s: what all have
 * @v6: the core's, right behind its struct atcp_conn
 * @inet6: the generic part of IPv6; last, because the kernel looks for it there
 */
struct atcp6_sock {
	struct atcp_sock s;
	u64 v6[ATCP_CONN_V6_WORDS];
	struct ipv6_pinfo inet6;
};

/**
 * struct atcp_closed - one connection that has ended; constant while it is in the ring
 * @record: what the core says of it
 * @cookie: of its socket (SO_COOKIE)
 * @uid: owner
 */
struct atcp_closed {
	struct atcp_record record;
	u64 cookie;
	kuid_t uid;
};

/**
 * struct atcp_records - closing records of a namespace, the last closing_records of them
 * @lock: of the ring, all but @spare
 * @keep: so many are kept at the most: closing_records, or as many as there was memory for; read anywhere
 * @places: of @ring, a power of two or 0, at least @keep; changed by atcp_records_resize() only
 * @first: number of the oldest
 * @next: number of the one to come; at most @keep more than @first, unless they are just being trimmed
 * @ring: each from @first to @next - 1 at its number modulo @places
 * @spare: memory of one that fell out, for the next one, or NULL; taken and left by xchg
 */
struct atcp_records {
	spinlock_t lock;
	u32 keep;
	u32 places;
	unsigned long first;
	unsigned long next;
	struct atcp_closed **ring;
	struct atcp_closed *spare;
};

/*
 * As many records, about, are kept in all namespaces of other users than the host's own together, for no control
 * group pays for them. Beyond that, such a namespace keeps no more than its share.
 */
enum { ATCP_RECORDS_HOST = 131072, ATCP_RECORDS_SHARE = 256 };

/**
 * struct atcp_osns - the port's half of a network namespace
 * @net: the namespace
 * @core: the core's half; constant from pernet init to exit
 * @timer: the core's one timer of the namespace
 * @core_work: atcp_core_ns_work, when the core wants it
 * @dying: set by pernet exit: the timer is not armed again, the work not queued
 * @hooked: the netfilter hook is registered; lock: atcp_hook_mutex, read anywhere
 * @hooked6: the same for IPv6; lock: atcp6_hook_mutex, read anywhere
 * @nf_ops: that hook, with this as its private data; @nf6_ops: IPv6's
 * @sockets: sockets alive, until freed
 * @counters: per CPU, atcp_core_counter_count() each
 * @reasons: per CPU, __ATCP_REASON_MAX each
 * @port_lock: protects @ports and the reference counts of its entries
 * @ports: reservations towards the kernel's TCP
 * @ports_unused: some of @ports may have no user any more; read anywhere
 * @port_work: releases reservations that nobody uses any more
 * @orphans: sockets that no program has open any more
 * @mem_pages: packet memory of its sockets, each within an eighth
 * @mem_level: enum atcp_mem_level, of that; written by whoever changes @mem_pages, read anywhere
 * @watchers: who reads its events over netlink
 * @paths: see path.c; NULL until a source-routed packet arrives, constant afterwards
 * @records: what became of connections
 */
struct atcp_osns {
	struct net *net;
	struct atcp_ns *core;
	struct timer_list timer;
	struct work_struct core_work;
	bool dying;
	bool hooked;
	bool hooked6;
	struct nf_hook_ops nf_ops;
	struct nf_hook_ops nf6_ops;
	atomic_t sockets;
	u64 __percpu *counters;
	u64 __percpu *reasons;
	spinlock_t port_lock;
	struct list_head ports;
	bool ports_unused;
	struct work_struct port_work;
	struct percpu_counter orphans;
	atomic_long_t mem_pages;
	u32 mem_level;
	struct atcp_paths *paths;
	struct atcp_watchers watchers;
	struct atcp_records records;
};

/* The IP options of packets without socket: a source route. optlen 0: none. */
struct atcp_path {
	struct ip_options_data data;
};

/**
 * struct atcp_path_now - a packet for a listener, a request, TIME_WAIT or nobody, while the core has it
 * @tuple: its tuple
 * @path: its source route, turned round; optlen 0: it came without
 * @answers: all that is sent for @tuple goes this way; else only what the core believes the packet enough for, a child
 */
struct atcp_path_now {
	const struct atcp_tuple *tuple;
	const struct atcp_path *path;
	bool answers;
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

/* Do its packets have IPv6 headers? One of AF_INET6 with a mapped peer speaks IPv4. */
static inline bool atcp_speaks_v6(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_daddr);
}

static inline bool atcp_skb_v6(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IPV6);
}

static inline const struct in6_addr *atcp_v6(const union atcp_ip *ip)
{
	return (const struct in6_addr *)ip->v6;
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
	return atcp_sk(sk)->osns;
}

/* os.c */
int atcp_os_init(void);
void atcp_os_exit(void);
int atcp_errno(enum atcp_err err);
u64 atcp_counter_read(const struct atcp_osns *osns, u32 id);
u64 atcp_reason_read(const struct atcp_osns *osns, u32 reason);
/* Bytes of slab memory that the core holds, by kind, over all namespaces. */
u64 atcp_mem_read(enum atcp_mem kind);

/* inet.c */
/* Of the socket's namespace, or of its control group or the host if that is worse. */
enum atcp_mem_level atcp_mem_level(const struct sock *sk);
/* Count the socket's packet memory towards its namespace's. Whoever may have changed it calls this before unlocking.
 * Lock: socket.
 */
void atcp_mem_account(struct sock *sk);
/* Parameter mem has changed. */
void atcp_mem_review(struct atcp_osns *osns);
int atcp_inet_init(void);
void atcp_inet_exit(void);
int atcp_inet_open(void);
void atcp_inet_shut(void);

/* inet6.c */
/* proto->connect of AF_INET6. */
int atcp6_connect(struct sock *sk, struct sockaddr *uaddr, int addr_len);
/* What the socket is bound to, as the core has it. Lock: socket. */
void atcp6_bound_to(const struct sock *sk, u16 *family, union atcp_ip *laddr);
/* Show the IPv4 addresses of a connection of AF_INET6 as IPv6 addresses. Lock: socket. */
void atcp6_show_mapped(struct sock *sk);
/* Make sk, a copy of an AF_INET6 listener, share nothing of IPv6 with it. -ENOMEM: it shares nothing, but lacks the
 * listener's extension headers. Context: softirq. Lock: sk.
 */
int atcp6_child(struct sock *sk, const struct sock *listener);
/* Its IPv6 addresses and route; consumes dst. */
void atcp6_child_peer(struct sock *sk, const struct atcp_tuple *t, struct dst_entry *dst);

/* sock.c */
int atcp_sock_init(struct sock *sk);
void atcp_sock_free_parts(struct sock *sk);
void atcp_sock_close(struct sock *sk, long timeout);
int atcp_sock_disconnect(struct sock *sk, int flags);
void atcp_sock_shutdown(struct sock *sk, int how);
void atcp_sock_release_cb(struct sock *sk);
/*
 * For changes from outside, where lock_sock() would not do: a connection in an accept queue must not have an owner, and
 * who owns another may sleep for as long as he likes. Takes the spinlock of a socket without an owner. False: it
 * had one until `until` (jiffies, at most ATCP_TAKE_WAIT from now: netlink's callers hold genetlink's lock).
 * Context: process. Lock: none; after true the socket's spinlock, softirqs off, until atcp_sock_let_go.
 */
enum { ATCP_TAKE_WAIT = HZ / 10 };
bool atcp_sock_take(struct sock *sk, unsigned long until);
void atcp_sock_let_go(struct sock *sk);
/*
 * Reset a connection, or end a listener, whoever has it open: his calls fail with ECONNABORTED. If the program owns
 * the lock of a connection now, it happens when he lets go of it; a listener's is waited for as in
 * atcp_sock_take. False: it was closed already, or is a listener that could not be had. The caller has
 * a reference. Context: process. Lock: none.
 */
bool atcp_sock_kill(struct sock *sk, unsigned long until);
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
/* proto_ops->set_rcvlowat: as Linux, a mark that can be reached. Lock: socket. */
int atcp_set_rcvlowat(struct sock *sk, int val);
bool atcp_tx_below_lowat(const struct sock *sk, int wake);
__poll_t atcp_poll(struct file *file, struct socket *sock, poll_table *wait);
int atcp_ioctl(struct sock *sk, int cmd, ATCP_IOCTL_ARG);

/* memcg.c */
/* A program has accepted the connection: its memory is charged to the program's control group from now on. Context: process. */
void atcp_memcg_accepted(struct sock *sk);

/* sendmsg.c */
int atcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);
#ifdef ATCP_HAVE_SENDPAGE
ssize_t atcp_sendpage(struct socket *sock, struct page *page, int offset, size_t size, int flags);
#endif
#ifdef ATCP_HAVE_SPLICE_EOF
void atcp_splice_eof(struct socket *sock);
#endif

/* recvmsg.c */
/* Is a received packet on its socket's account? Those in the receive queue are, and those the core holds. */
static inline bool atcp_rx_charged(const struct sk_buff *skb)
{
	return skb->destructor == sock_rfree;
}
int atcp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len);
ssize_t atcp_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe,
			 size_t len, unsigned int flags);
/* Throw the receive queue away; returns how many bytes had not been read. Lock: socket. */
u32 atcp_rx_purge(struct sock *sk);

/* sockopt.c */
int atcp_setsockopt(struct sock *sk, int level, int opt, sockptr_t val, unsigned int len);
int atcp_getsockopt(struct sock *sk, int level, int opt, char __user *val, int __user *len);

/* saved_syn.c */
int atcp_set_save_syn(struct sock *sk, int mode);
int atcp_get_saved_syn(struct sock *sk, int room, char __user *val, int __user *len);
/* Lock: socket, or nobody knows it. */
void atcp_forget_syn(struct sock *sk);

/* stamp.c */
/* When a packet came, by the clock of the host and by that of its device; 0: unknown. */
struct atcp_stamps {
	ktime_t software;
	ktime_t hardware;
};
static inline void atcp_stamps_of(struct sk_buff *skb, struct atcp_stamps *s)
{
	ktime_t hardware = skb_hwtstamps(skb)->hwtstamp;

	if (likely(!skb->tstamp && !hardware))
		return;
	/* Not a time but the address of what the device knows of it. */
	if (skb_shinfo(skb)->tx_flags & SKBTX_HW_TSTAMP_NETDEV)
		hardware = 0;
	s->software = skb->tstamp;
	s->hardware = hardware;
}
/* from's bytes come behind those of skb. */
static inline void atcp_stamps_move(struct sk_buff *skb, struct sk_buff *from)
{
	if (likely(!from->tstamp && !skb_hwtstamps(from)->hwtstamp))
		return;
	skb->tstamp = from->tstamp;
	*skb_hwtstamps(skb) = *skb_hwtstamps(from);
}
/* The control messages of a read that succeeded. Lock: socket. */
void atcp_recv_stamps(struct sock *sk, struct msghdr *msg, const struct atcp_stamps *s);
/* SOF_TIMESTAMPING_OPT_ID may have been set: take what bytes are counted from. When it has been, and before a write. Lock: socket. */
void atcp_stamp_begin(struct sock *sk);
/* After a write, before its end is pushed, if that has not happened already: tsflags are SOF_TIMESTAMPING_*. Lock: socket. */
void atcp_stamp_written(struct sock *sk, u32 tsflags);
/* The bytes of a piece from `at` on, or those in front of `bytes`, leave it. Its shared info is its own. Lock: socket. */
void atcp_stamp_split(struct sk_buff *skb, struct sk_buff *rest, u32 at);
void atcp_stamp_trim(struct sk_buff *skb, u32 bytes);
/* recvmsg(MSG_ERRQUEUE). Context: process. */
int atcp_recv_error(struct sock *sk, struct msghdr *msg, int len, int *addr_len);

/* sockparam.c */
int atcp_set_param(struct sock *sk, sockptr_t val, unsigned int len);
int atcp_get_param(struct sock *sk, int room, char __user *val, int __user *len);
void atcp_keepalive(struct sock *sk, int on);
/* What was agreed on, as the bits of tcpi_options. */
u8 atcp_tcpi_options(const struct atcp_conn_info *c);

/* tx.c */
struct sk_buff *atcp_tx_alloc(struct sock *sk, gfp_t gfp);
/* The socket's route, looked up anew if it went stale; borrowed. NULL: none. Lock: socket. */
struct dst_entry *atcp_sock_route(struct sock *sk);
/* Bytes of options or extension headers that the socket's packets carry. Context: any; inside RCU or lock: socket. */
u32 atcp_sock_opt_len(const struct sock *sk);
/* A route for a tuple without connection; the caller's to put. via: a listener, or NULL. path: the options that
 * will be sent, or NULL. NULL: none. Context: any.
 */
struct dst_entry *atcp_tuple_route(struct atcp_osns *ns, struct sock *via,
				   const struct atcp_tuple *t, u8 proto,
				   const struct atcp_path *path);
/* The route that a request kept, whose reference is the caller's; NULL: there is none, or it is not valid any more, or not for a child of
 * listener as that is now, and was put. Context: inside RCU.
 */
struct dst_entry *atcp_kept_dst(const struct sock *listener, struct atcp_kept_route *kept);
u8 atcp_wire_proto(const struct atcp_osns *osns);
/*
 * The sum over the pseudo header is in the checksum field. Leave the rest to the device, or do it now if the device knows TCP
 * and UDP only. A GSO skb is finished by the device or, for protocol 253, by offload.c. Not 0: no memory.
 * RFC 9293 3.1 (MUST-2).
 */
int atcp_tx_checksum(struct sk_buff *skb, u8 proto, const struct net_device *dev);

/* tx6.c */
struct dst_entry *atcp6_sock_route(struct sock *sk);
/* Bytes of extension headers. Context: any. Lock: none needed. */
u32 atcp6_opt_len(const struct sock *sk);
/* via: a listener of AF_INET6, or NULL. */
struct dst_entry *atcp6_tuple_route(struct atcp_osns *ns, const struct sock *via,
				    const struct atcp_tuple *t, u8 proto);
/* Send a packet with its TCP header in front; consumes skb. As ip_local_out(). Context: inside RCU. */
int atcp6_conn_emit(struct sock *sk, struct sk_buff *skb, struct dst_entry *dst, u32 ecn);
/* The same for a tuple without connection; consumes dst as well. */
int atcp6_emit(struct atcp_osns *ns, const struct sock *via, const struct atcp_tuple *t, u8 proto,
	       struct sk_buff *skb, struct dst_entry *dst);

/* rx.c */
int atcp_rcv(struct sk_buff *skb);
/* Look the packet's owner up. NONE: not ours, or bound to another device. */
struct atcp_found atcp_rx_lookup(struct atcp_osns *osns, const struct sk_buff *skb,
				 const struct atcp_tuple *t, u8 proto);
/*
 * A packet of ours: skb->data at the transport header, f referenced or NONE. Consumes both. nobody:
 * answer if nobody has it. Context: softirq, inside RCU.
 */
void atcp_rx(struct atcp_osns *osns, struct atcp_found f, const struct atcp_tuple *t,
	     struct sk_buff *skb, u8 proto, bool nobody);
/* Run the hooks of e behind ours; okfn gets what they let pass later. 1: all accepted; else the packet is no longer here. */
int atcp_nf_rest(struct sk_buff *skb, const struct nf_hook_state *state,
		 const struct nf_hook_entries *e, nf_hookfn *ours,
		 int (*okfn)(struct net *, struct sock *, struct sk_buff *));
int atcp_backlog_rcv(struct sock *sk, struct sk_buff *skb);
/* True if a found entry speaks this protocol number on the wire. */
bool atcp_found_speaks(const struct atcp_osns *osns, struct atcp_found f, u8 proto);
int atcp_hook(struct atcp_osns *osns);
void atcp_unhook(struct atcp_osns *osns);

/* drops.c */
/* The kernel's nearest reason. */
enum skb_drop_reason atcp_drop_reason(u32 reason);
/* Count a dropped segment of a connection. Context: any. Lock: none. */
void atcp_drops_add(struct atcp_sock *asp, u32 reason);
/* How many were dropped, and why; place ATCP_DROP_PLACES, reason 0: all that found no place. 0: none. Lock: none. */
u32 atcp_drops_read(const u32 *drops, u32 place, u32 *reason);

/* path.c */
/* The completed source route of a packet, turned round, as options to send. Its entries are the routers that the packet
 * came through; the last is the first on the way back, and the peer itself comes behind them. False: there is
 * none, or it is not completed; optlen is 0 then. Before the packet's cb is given away.
 */
bool atcp_path_reverse(struct net *net, const struct sk_buff *skb, struct atcp_path *out);
/* The same into *room, optlen 0 for none; returns room. NULL: the namespace knows no source routes at all. */
const struct atcp_path *atcp_path_read(struct atcp_osns *osns, const struct sk_buff *skb,
				       struct atcp_path *room);
/* Around the call of the core that takes a packet. keep: it may make a request, whose way back is now->path or the
 * ordinary one from then on. Context: softirq; not nested.
 */
void atcp_path_enter(struct atcp_osns *osns, const struct atcp_path_now *now, bool keep);
void atcp_path_leave(void);
/* The way back for a tuple, if there is one. accepted: the core believes the packet that it has. Context: softirq, or
 * the lock of a connection.
 */
bool atcp_path_find(struct atcp_osns *osns, const struct atcp_tuple *t, bool accepted,
		    struct atcp_path *out);
/* The connection ended: what is left of it, TIME_WAIT perhaps, answers along its source route. Lock: socket. */
void atcp_path_keep(struct sock *sk);
void atcp_paths_free(struct atcp_osns *osns);
const struct ip_options *atcp_path_of(const struct sock *sk);
/* Where packets for daddr go first. opt: or NULL. */
__be32 atcp_path_first_hop(const struct ip_options *opt, __be32 daddr);
/* False: opt, or NULL, wants no router between here and its first hop, but there is one; rt has been put. */
bool atcp_path_strict_ok(const struct ip_options *opt, struct rtable *rt);
/* A copy as a socket holds it, the caller's; or NULL. */
struct ip_options_rcu *atcp_path_dup(const struct atcp_path *path);
void atcp_path_learn(struct sock *sk, const struct atcp_seg *seg, const struct sk_buff *skb);
/* setsockopt(IP_OPTIONS). 0 or -errno. Context: process. */
int atcp_path_set(struct sock *sk, sockptr_t val, unsigned int len);
/* The connection ended: what its peer's packets taught goes, what the program said stays. Lock: socket. */
void atcp_path_forget(struct sock *sk);
void atcp_path_write(struct sk_buff *skb, const struct ip_options *opt);

/* rx6.c */
int atcp6_rcv(struct sk_buff *skb);
void atcp6_skb_tuple(const struct sk_buff *skb, int off, struct atcp_tuple *t);
/*
 * The link of a tuple: by which one the peer's packets come, if his address has a meaning there only; else 0. Of a packet it is
 * IP6CB(skb)->iif: inet6_iif() would be the master, if the link is part of an L3 domain, and no route to a neighbour begins there.
 */
static inline u32 atcp6_link(const struct in6_addr *peer, int link)
{
	return ipv6_addr_type(peer) & IPV6_ADDR_LINKLOCAL ? link : 0;
}
int atcp6_hook(struct atcp_osns *osns);
void atcp6_unhook(struct atcp_osns *osns);

/* rx6_options.c */
/* The program wants to know about IPv6 headers of what it receives. */
static inline bool atcp6_options_wanted(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 && inet6_sk(sk)->rxopt.all;
}
/* A packet for which a child may be made; its cb is still IP's. Context: softirq. */
void atcp6_options_enter(const struct sk_buff *skb);
/* The child of AF_INET6 that is made of it, and one of either family whose peer is an IPv4 one. Lock: sk. */
void atcp6_options_child(struct sock *sk);
void atcp_options_child(struct sock *sk);
/* atcp_core_conn_input() of an IPv6 segment for a socket that wants them. Consumes skb, whose cb is still IP's. Lock: socket. */
void atcp6_options_input(struct sock *sk, const struct atcp_seg *seg, struct sk_buff *skb);
/* Lock: socket, or nobody knows it. */
void atcp6_options_forget(struct sock *sk);

/* icmp6.c */
void atcp6_icmp_queue(struct sock *sk, const struct sk_buff *skb, u32 info);
void atcp6_icmp_in(struct atcp_osns *osns, struct sk_buff *skb, int off);
int atcp6_icmp_err(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type, u8 code, int off,
		   __be32 info);

/* icmp.c */
/* An error about a segment of t, skb->data at the quoted IP header, of either family. Context: softirq, inside RCU. */
void atcp_icmp_for(struct atcp_osns *osns, struct sk_buff *skb, const struct atcp_tuple *t,
		   u8 proto, enum atcp_icmp_kind kind, u32 seq, u32 value);
void atcp_icmp_in(struct atcp_osns *osns, struct sk_buff *skb);
int atcp_icmp_err(struct sk_buff *skb, u32 info);
void atcp_icmp_deferred(struct sock *sk);

/* records.c */
/* With room for closing_records, of the core, which is there; or -ENOMEM. Context: process. */
int atcp_records_init(struct atcp_osns *osns);
/* No socket is left. Context: process. */
void atcp_records_free(struct atcp_osns *osns);
/* A copy of the oldest record with a number from *at on, which is put into *at; false: none. Context: any but hardirq. */
bool atcp_record_copy(struct atcp_osns *osns, unsigned long *at, struct atcp_closed *out);
/* Number of the record to come. Context: any but hardirq. */
unsigned long atcp_records_next(struct atcp_osns *osns);
/* How many there are. Context: any but hardirq. */
u32 atcp_records_count(struct atcp_osns *osns);
/* closing_records may have changed: the newest of that many are kept, with their numbers. Without memory for a larger ring,
 * -ENOMEM, there remain as many places as before. Context: process, one caller at a time.
 */
int atcp_records_resize(struct atcp_osns *osns);

/* cc.c */
void atcp_cc_load(const char *name);

/* timer.c */
void atcp_timer_init(struct sock *sk);
void atcp_timer_stop(struct sock *sk);
void atcp_timer_free(struct sock *sk);
void atcp_timer_deferred(struct sock *sk);
void atcp_ns_timer_init(struct atcp_osns *osns);
void atcp_ns_timer_stop(struct atcp_osns *osns);

/* ports.c */
void atcp_ports_init(struct atcp_osns *osns);
void atcp_ports_exit(struct atcp_osns *osns);
struct atcp_port *atcp_port_take(const struct sock *sk, __be16 port, int *err);
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
