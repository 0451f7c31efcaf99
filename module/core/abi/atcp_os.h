/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the core calls: the lower half of the C/C++ border, with the plain types that both
 * halves share. The kernel implements these functions in module/linux/os*.c, the unit tests in
 * module/core/tests/fake_os.cpp. No function here decides anything about TCP.
 *
 * Words used below.
 *   Context: softirq   may be called in softirq or with bottom halves off; must not sleep.
 *   Context: process   may sleep.
 *   Lock: conn         the caller holds the connection's socket lock (bh_lock_sock in softirq,
 *                      lock_sock in process context).
 *   Lock: none         called without any lock of the core.
 */
#ifndef ATCP_OS_H
#define ATCP_OS_H

#if defined(__KERNEL__) && !defined(__cplusplus)
#include <linux/types.h>
#else
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
#ifndef __cplusplus
typedef _Bool bool;
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- opaque things ------------------------------------------------------------------- */

struct atcp_osns;  /* the port's half of a network namespace */
struct atcp_kept_route; /* a route, referenced; the port's own */
struct atcp_ns;	   /* the core's half of it */
struct atcp_locks; /* an array of spinlocks */
struct atcp_percpu; /* an array of counts, one copy for each CPU */
struct atcp_syn;    /* the headers of a SYN, kept for the program that accepts */
struct atcp_record; /* see atcp_core.h */

/*
 * A packet or a piece of the send queue: the port's buffer, seen through 48 bytes that are the
 * core's to use from the moment it is handed over until it is given back. In the kernel this
 * is skb->cb, so the port finds its skb by container_of.
 */
#define ATCP_PKT_WORDS 6
struct atcp_pkt {
	uint64_t core[ATCP_PKT_WORDS];
};
/*
 * While a piece is in the send queue, of the five words in front of its atcp_pkt all but the fourth are the core's as well
 * (in the kernel: the links of the skb, which is in no list of skbs then, its device and its time stamp).
 */
#define ATCP_PKT_LINKS_BEFORE 40

/*
 * A connection or listening socket. The storage is part of the port's socket; the layout is
 * the core's (class Tcb, whose size a static_assert keeps below this).
 */
#define ATCP_CONN_WORDS 151
struct atcp_conn {
	uint64_t core[ATCP_CONN_WORDS];
};
/*
 * A socket of AF_INET6 has so many words more right behind its atcp_conn, for three addresses and a link, as much the core's and zeroed
 * like it; atcp_core_conn_init is told of them. Whoever has them may speak IPv6 and IPv4 (a mapped peer), one after the other;
 * whoever has them not, IPv4. What is spoken now is the family of the tuple.
 */
#define ATCP_CONN_V6_WORDS 7

/* Room for the port to defer a free: struct rcu_head. */
struct atcp_rcu {
	uint64_t port[2];
};

/* ---- shared plain data --------------------------------------------------------------- */

#define ATCP_AF_INET 2
#define ATCP_AF_INET6 10

/* An address in network byte order; family says which member. An IPv4-mapped IPv6 address never crosses the border: it is
 * the IPv4 address that it stands for. To which link a link-local peer belongs, the tuple says. */
union atcp_ip {
	uint32_t v4;
	uint8_t v6[16];
};

/* A 4-tuple seen from this host. Ports and addresses in network byte order. */
struct atcp_tuple {
	union atcp_ip laddr;
	union atcp_ip raddr;
	uint16_t lport;
	uint16_t rport;
	uint16_t family;
	uint16_t reserved;
	uint32_t link; /* of IPv6: which link raddr is on, if it has a meaning there only; a number of the port. Else 0 */
};

/* TCP flags as they stand in the header's second flag byte. */
enum {
	ATCP_FIN = 0x01,
	ATCP_SYN = 0x02,
	ATCP_RST = 0x04,
	ATCP_PSH = 0x08,
	ATCP_ACK = 0x10,
	ATCP_URG = 0x20,
	ATCP_ECE = 0x40,
	ATCP_CWR = 0x80,
};

/* Which options atcp_seg.has says were present and well formed. */
enum {
	ATCP_OPT_MSS = 0x01,
	ATCP_OPT_WSCALE = 0x02,
	ATCP_OPT_SACK_OK = 0x04,
	ATCP_OPT_SACK = 0x08,
	ATCP_OPT_TS = 0x10,
	ATCP_OPT_FASTOPEN = 0x20,
	ATCP_OPT_MALFORMED = 0x80, /* an impossible length; what came before it counts */
};

/* A cookie of TCP Fast Open (RFC 7413 4.1.1): 4 to 16 bytes, or none, which asks for one. */
struct atcp_fastopen_cookie {
	uint8_t len;
	uint8_t bytes[16];
};

/* One received segment (or GRO aggregate), parsed and length-checked; host byte order. */
struct atcp_seg {
	uint32_t seq;
	uint32_t ack;
	uint32_t len;	   /* payload bytes */
	uint32_t truesize; /* memory that the packet pins; filled in by the port */
	uint32_t tsval;
	uint32_t tsecr;
	uint16_t wnd; /* window field, unscaled */
	uint16_t urg; /* urgent pointer */
	uint16_t mss; /* MSS option */
	uint16_t segs; /* wire segments in this aggregate, >= 1; filled in by the port */
	uint8_t flags;
	uint8_t hdr_len; /* TCP header with options, bytes */
	uint8_t has;
	uint8_t wscale; /* window scale option, cut to 14 */
	uint8_t n_sack; /* 0..4 */
	uint8_t ecn;	/* ECN codepoint of the IP header, 0..3; filled in by the port */
	uint16_t reserved;
	/* Behind the values in front of them, which are 0 if not there: only n_sack of these, and fastopen.len bytes, have a
	 * meaning; the rest is not even cleared. */
	struct {
		uint32_t start;
		uint32_t end;
	} sack[4];
	struct atcp_fastopen_cookie fastopen; /* SYN only */
};

/* Errors a connection or a call can have. One function of the port turns them into errno. */
enum atcp_err {
	ATCP_OK = 0,
	ATCP_ERR_REFUSED,	/* ECONNREFUSED */
	ATCP_ERR_RESET,		/* ECONNRESET */
	ATCP_ERR_TIMED_OUT,	/* ETIMEDOUT */
	ATCP_ERR_PIPE,		/* EPIPE */
	ATCP_ERR_HOST_UNREACH,	/* EHOSTUNREACH */
	ATCP_ERR_NET_UNREACH,	/* ENETUNREACH */
	ATCP_ERR_PROTO_UNREACH, /* ENOPROTOOPT (ICMP protocol unreachable, as Linux) */
	ATCP_ERR_PROTO,		/* EPROTO */
	ATCP_ERR_ADDR_IN_USE,	/* EADDRINUSE */
	ATCP_ERR_ADDR_NOT_AVAIL, /* EADDRNOTAVAIL */
	ATCP_ERR_NO_MEMORY,	/* ENOMEM */
	ATCP_ERR_NO_BUFS,	/* ENOBUFS */
	ATCP_ERR_INVALID,	/* EINVAL */
	ATCP_ERR_AGAIN,		/* EAGAIN */
	ATCP_ERR_IS_CONN,	/* EISCONN */
	ATCP_ERR_NOT_CONN,	/* ENOTCONN */
	ATCP_ERR_NO_OPTION,	/* ENOPROTOOPT */
	ATCP_ERR_NOT_FOUND,	/* ENOENT */
	ATCP_ERR_RANGE,		/* ERANGE */
	ATCP_ERR_ABORTED,	/* ECONNABORTED */
	ATCP_ERR_NOT_SUPPORTED, /* EOPNOTSUPP */
	ATCP_ERR_NOT_PERMITTED, /* EPERM */
	ATCP_ERR_PROHIBITED,	/* EACCES */
	ATCP_ERR_HOST_DOWN,	/* EHOSTDOWN */
	ATCP_ERR_NO_NET,	/* ENONET */
};

/* What atcp_os_conn_event tells the program's side. */
enum {
	ATCP_EV_STATE = 0x01,	 /* wake everybody: state or shutdown changed; with WRITABLE: it is connected */
	ATCP_EV_READABLE = 0x02, /* data, FIN, or (listener) a connection to accept */
	ATCP_EV_WRITABLE = 0x04, /* send queue shrank: perhaps room to write */
	ATCP_EV_URGENT = 0x08,	 /* urgent data was announced, or more of it: SIGURG */
	ATCP_EV_URGENT_BYTE = 0x10, /* its last byte has arrived, whatever else there is to read */
};

/* How it stands with the last byte of the peer's urgent data. */
enum atcp_urgent {
	ATCP_URGENT_NONE = 0, /* there is no mark ahead */
	ATCP_URGENT_AWAITED,  /* announced; the byte itself has not arrived */
	ATCP_URGENT_HERE,
	ATCP_URGENT_READ,     /* it was read; the mark is still ahead */
};

/* Kinds of memory, for accounting and for a slab each. */
enum atcp_mem {
	ATCP_MEM_REQUEST,
	ATCP_MEM_TIMEWAIT,
	ATCP_MEM_LISTENER,
	ATCP_MEM_BIND,
	ATCP_MEM_OTHER,
	__ATCP_MEM_MAX,
};

/* Route facts for a peer. */
struct atcp_route {
	uint32_t mtu;	 /* path MTU, bytes of an IP packet of either version with its headers */
	uint32_t advmss; /* MSS to advertise by the route's metrics or device MTU, bytes */
	uint32_t ip_options; /* bytes of IP options or extension headers that each packet will carry, at most 65535 */
	void *port;	 /* the port's own, of use to it until the RCU section ends; or NULL */
};

/* What atcp_os_emit may use again instead of making it anew; either may be NULL. */
struct atcp_reuse {
	const struct atcp_route *route; /* of this tuple, looked up in the same RCU section */
	struct atcp_pkt *pkt;		/* a received packet, in whose buffer the answer may go back */
};

/* How it stands with the memory that all sockets of a namespace share, or of a socket's control group or the host if that is worse. */
enum atcp_mem_level {
	ATCP_MEM_LEVEL_OK = 0,
	ATCP_MEM_LEVEL_PRESSURE, /* nobody's windows and buffers grow */
	ATCP_MEM_LEVEL_FULL,	 /* nobody gets more than the least */
};

/* Receive memory of a socket. */
struct atcp_rx_space {
	uint32_t limit; /* SO_RCVBUF as kept (doubled) */
	uint32_t used;	/* truesize of all that has been charged */
	uint32_t held;	/* of that, what the core has (atcp_os_rx_hold) */
	uint32_t locked; /* not 0: the program set SO_RCVBUF, so no autotuning */
	enum atcp_mem_level level;
};

/* ---- memory -------------------------------------------------------------------------- */

/* Zeroed memory, or NULL. Context: softirq. Ownership: caller's, until atcp_os_free(_rcu). */
void *atcp_os_alloc(uint32_t bytes, enum atcp_mem kind);
/* Context: softirq. */
void atcp_os_free(void *p, enum atcp_mem kind);
/* Free after all current RCU readers are done; rcu lies inside p. Context: softirq. */
void atcp_os_free_rcu(void *p, struct atcp_rcu *rcu, enum atcp_mem kind);
/* Zeroed, large, or NULL. Context: process. */
void *atcp_os_table_alloc(uint64_t bytes);
/* Context: process. */
void atcp_os_table_free(void *p);

/* ---- locks, RCU ---------------------------------------------------------------------- */

/* What an array of locks is for: a lockdep class and a place in the order of
 * docs/locking.md each (a later one is taken inside an earlier one, never the other way).
 */
enum atcp_lock_class {
	ATCP_LOCK_PORT,	   /* bind buckets */
	ATCP_LOCK_LISTEN,  /* listener table */
	ATCP_LOCK_ACCEPT,  /* a listener's accept queue */
	ATCP_LOCK_BUCKET,  /* established table */
	ATCP_LOCK_WHEEL,   /* timer wheel slots */
	__ATCP_LOCK_MAX,
};
/* n initialised locks, or NULL. Context: process or softirq (atomic allocation). */
struct atcp_locks *atcp_os_locks_alloc(uint32_t n, enum atcp_lock_class cls);
void atcp_os_locks_free(struct atcp_locks *l);
/* Spin, bottom halves off. Context: softirq or process. */
void atcp_os_lock(struct atcp_locks *l, uint32_t i);
void atcp_os_unlock(struct atcp_locks *l, uint32_t i);
/* RCU read side. Context: any. */
void atcp_os_rcu_lock(void);
void atcp_os_rcu_unlock(void);
/* Wait until all who are in RCU read sections now have left them. Context: process. Lock: none. */
void atcp_os_rcu_wait(void);
/* A long loop offers the CPU to others. Context: process, not in RCU. Lock: no spinlock. */
void atcp_os_cond_resched(void);

/* ---- randomness ---------------------------------------------------------------------- */

/* Fill with cryptographic randomness. Context: softirq. */
void atcp_os_random(void *buf, uint32_t bytes);

/* ---- other modules -------------------------------------------------------------------- */

/* Keep the module that a congestion control comes from (its owner) loaded. False: it is being removed. Context: softirq. */
bool atcp_os_owner_get(void *owner);
void atcp_os_owner_put(void *owner);

/* ---- counting ------------------------------------------------------------------------ */

/* Add n to per-CPU counter `id` (enum Counter in table/counters.h). Context: any. */
void atcp_os_count(struct atcp_osns *ns, uint32_t id, uint32_t n);
/* Add 1 to per-CPU reason `reason` (enum atcp_reason). Context: any. */
void atcp_os_reason(struct atcp_osns *ns, uint32_t reason);

/* n counts of 64 bits for each CPU, all 0, or NULL. Context: process. */
struct atcp_percpu *atcp_os_percpu_alloc(uint32_t n);
/* Context: softirq. */
void atcp_os_percpu_free(struct atcp_percpu *p);
/* Add n, which may be negative, to this CPU's copy of count i. Context: any. */
void atcp_os_percpu_add(struct atcp_percpu *p, uint32_t i, int64_t n);
/* Count i of all CPUs together; exact only while nobody adds. Context: any. */
uint64_t atcp_os_percpu_sum(const struct atcp_percpu *p, uint32_t i);

/*
 * Drop a received packet: count the reason in the namespace and in the connection, tell whoever listens to events, free the
 * packet. c: the connection, the listener, or NULL if nobody has it. pkt: NULL if its buffer is used already.
 * reason: never NONE. Context: softirq. Lock: conn if the packet was held, else any.
 */
void atcp_os_drop(struct atcp_osns *ns, struct atcp_conn *c, struct atcp_pkt *pkt, uint32_t reason);

/* ---- events -------------------------------------------------------------------------- */

/*
 * Something that happened, for those who watch. What has no meaning for its kind is 0. The port adds the time, the socket's cookie,
 * and, of ATCP_EVENT_KIND_CWND, the figures. It makes two kinds itself: STATE in atcp_os_conn_state, DROP in atcp_os_drop
 * (the core makes a DROP whose packet is gone).
 */
struct atcp_event {
	uint32_t kind;		/* ATCP_EVENT_KIND_* */
	uint32_t reason;	/* ATCP_REASON_*; NONE: it has none */
	const struct atcp_tuple *tuple; /* NULL: that of conn */
	const struct atcp_conn *conn;	/* the connection; a listener for what has none; NULL: nobody */
	uint32_t seq;		/* of the segment dropped, sent again, or of the reset */
	uint32_t len;		/* its payload, bytes */
	uint32_t flags;		/* its flags */
	uint32_t retransmit;	/* ATCP_RETRANSMIT_KIND_* */
	uint32_t queue;		/* length of the accept queue */
	uint32_t limit;		/* the backlog, which it exceeds by one when it is full */
};
/* True if anybody watches anything. Almost free if not; so it is asked before an event is put together. Context: any. */
bool atcp_os_event_wanted(void);
/* Tell those who watch. Context: softirq. Lock: any; conn, if there is one that is no listener. */
void atcp_os_event(struct atcp_osns *ns, const struct atcp_event *e);

/* Tell the administrator, once per listener, that its request queue overflows. cookies: SYNs are
 * answered by cookies from now on; else they are dropped. Context: softirq. Lock: none. */
void atcp_os_syn_flood(const struct atcp_conn *listener, bool cookies);

/* ---- timers -------------------------------------------------------------------------- */

/*
 * Arm (or move, earlier or later) the connection's one timer; atcp_core_conn_timer follows at
 * or after deadline_ns (on the clock of the `now_ns` arguments). 0 stops it. The port holds a
 * reference while it is armed. Context: softirq. Lock: conn.
 */
void atcp_os_conn_timer(struct atcp_conn *c, uint64_t deadline_ns);
/* The same for the namespace's one timer; atcp_core_ns_timer follows. Lock: any. */
void atcp_os_ns_timer(struct atcp_osns *ns, uint64_t deadline_ns);
/* atcp_core_ns_work follows soon, in process context, once for any number of calls before it begins;
 * never if the namespace is ending. Context: softirq. Lock: any. */
void atcp_os_ns_work(struct atcp_osns *ns);

/* ---- references to connections ------------------------------------------------------- */

/* Take a reference unless the last one is gone. Context: any, inside RCU. */
bool atcp_os_conn_tryget(struct atcp_conn *c);
/* Drop one; may free the socket (after RCU). Context: any. */
void atcp_os_conn_put(struct atcp_conn *c);

/* ---- connections: what the program sees ---------------------------------------------- */

/* Mirror the state (enum atcp_state). Called by set_state alone. Lock: conn. */
void atcp_os_conn_state(struct atcp_conn *c, uint32_t state);
/* ATCP_EV_*. Context: softirq. Lock: conn, or none for a listener's ATCP_EV_READABLE. */
void atcp_os_conn_event(struct atcp_conn *c, uint32_t events);
/* Set the pending error (SO_ERROR) and report it. Lock: conn. */
void atcp_os_conn_error(struct atcp_conn *c, enum atcp_err err);
/* Remember an error that is reported only if the connection dies of it (sk_err_soft). Lock:
 * conn. */
void atcp_os_conn_soft_error(struct atcp_conn *c, enum atcp_err err);
/* The peer's FIN was delivered: reads end after what is queued. Lock: conn. */
void atcp_os_conn_rx_eof(struct atcp_conn *c);
/*
 * The connection reached CLOSED and the core has let go of everything but its memory: no
 * timer, no table, no packet. The port wakes the program, or, if nobody has the socket open,
 * destroys it once unlocked. Lock: conn.
 */
void atcp_os_conn_closed(struct atcp_conn *c);
/*
 * A connection that was opened ends, for that ATCP_REASON_*: memory for what became of it, with any content, or NULL if
 * nobody wants to know or there is no memory. Called once, before atcp_os_conn_closed; if there is memory, the same
 * call of the core fills it and gives it back with atcp_os_record. Lock: conn.
 */
struct atcp_record *atcp_os_record_begin(struct atcp_conn *c, uint32_t reason);
/* What atcp_os_record_begin returned is written, and the port's again. Lock: conn. */
void atcp_os_record(struct atcp_conn *c, struct atcp_record *r);
/* True if no program has the socket open (it was closed). Lock: conn. */
bool atcp_os_conn_orphaned(const struct atcp_conn *c);
/* True if both are bound to the same device, or none, and speak the same IP protocol: what the port
 * looks at beside the tuple before it gives a packet to either. Context: softirq. Lock: any. */
bool atcp_os_conn_same_path(const struct atcp_conn *a, const struct atcp_conn *b);

/* ---- receiving ----------------------------------------------------------------------- */

/* Bytes [skip, skip+len) of pkt's payload join the receive queue. Consumes pkt; charges the
 * socket unless pkt was held before (then it is charged already). Lock: conn. */
void atcp_os_rx_deliver(struct atcp_conn *c, struct atcp_pkt *pkt, uint32_t skip, uint32_t len);
/* Room for pkt in what all sockets may take together, asked before its bytes are acknowledged and
 * delivered. False: there is none. A socket with nothing to read always gets it, or nobody's memory would
 * ever come back. freed: bytes of held packets that the core has just freed for it; who gives back as much as
 * he takes gets it at any level. Lock: conn. */
bool atcp_os_rx_reserve(struct atcp_conn *c, struct atcp_pkt *pkt, uint32_t freed);
/* Charge pkt to the socket and keep it for the core (out of order). False: over the limit, the
 * packet still belongs to the core. Lock: conn. */
bool atcp_os_rx_hold(struct atcp_conn *c, struct atcp_pkt *pkt);
/* Free a received packet; uncharges it if it was held. Context: softirq. Lock: conn if held. */
void atcp_os_pkt_free(struct atcp_pkt *pkt, uint32_t reason);
/* Byte `at` of the payload of a received packet. at is below its length. Context: softirq. */
uint8_t atcp_os_pkt_byte(const struct atcp_pkt *pkt, uint32_t at);
/* The first byte of the receive queue, which is not empty, was urgent and other urgent data comes: it leaves
 * the queue unread, unless the program wants urgent data in the stream (SO_OOBINLINE). True: it left. Lock: conn. */
bool atcp_os_rx_drop_first(struct atcp_conn *c);
/* Memory facts for the window. Lock: conn; none for a listener, of which only the limit is of
 * interest. */
void atcp_os_rx_space(const struct atcp_conn *c, struct atcp_rx_space *out);
/* Autotuning: raise the limit. Lock: conn. */
void atcp_os_rx_set_limit(struct atcp_conn *c, uint32_t bytes);
/*
 * Memory has run out: copy what waits for the program together, where small packets pin much more than they
 * carry. Returns how many packets are gone by it; tries only if enough has come since it last tried. Lock: conn.
 */
uint32_t atcp_os_rx_collapse(struct atcp_conn *c);

/* ---- sending ------------------------------------------------------------------------- */

/*
 * Send one segment on a connection. hdr: TCP header with options, checksum field 0, written by
 * the core. pkt: payload (the whole piece, len bytes), or NULL; it stays the core's and may be sent again.
 * mss: payload bytes per wire segment if len > mss (GSO). ecn: the ECN codepoint of its IP header, 0 to 3. Returns 0, or -1 if it could not be
 * handed to IP (no memory, no route): the core treats that as a loss. Lock: conn.
 */
int atcp_os_conn_emit(struct atcp_conn *c, const uint8_t *hdr, uint32_t hdr_len,
		      struct atcp_pkt *pkt, uint32_t len, uint32_t mss, uint32_t ecn);
/*
 * Send a segment without payload that belongs to no connection (SYN-ACK of a request, RST,
 * TIME_WAIT's ACK). via: listener whose IP options (TOS, TTL, mark, device) hold, or NULL.
 * reuse: NULL, or what need not be looked up or allocated; its pkt is consumed whatever the
 * result. Returns ATCP_REASON_NONE, or why it did not leave: ATCP_REASON_NO_ROUTE, _NO_MEMORY,
 * _OUTPUT_FILTERED, _OUTPUT_DROPPED. Context: any (what waited for a socket's lock is answered by the call that had it). Lock: any.
 */
uint32_t atcp_os_emit(struct atcp_osns *ns, const struct atcp_conn *via,
		      const struct atcp_tuple *t, const uint8_t *hdr, uint32_t hdr_len,
		      const struct atcp_reuse *reuse);
/* Split a piece of the send queue: pkt keeps bytes [0, at), the new one gets the rest. NULL: no
 * memory, pkt unchanged. cb of the new one is zero. must: false if it may be refused because the
 * queue has been cut into so many pieces already that they cost a multiple of the send buffer (a
 * peer can force that by what it SACKs). Lock: conn. */
struct atcp_pkt *atcp_os_tx_split(struct atcp_conn *c, struct atcp_pkt *pkt, uint32_t at,
				  bool must);
/* Drop the first `bytes` of a piece, which are acknowledged. False: no memory, unchanged. Lock: conn. */
bool atcp_os_tx_trim(struct atcp_conn *c, struct atcp_pkt *pkt, uint32_t bytes);
/* The first `bytes` of a piece, or all of it, are acknowledged; it is freed or trimmed later. Lock: conn. */
void atcp_os_tx_acked(struct atcp_conn *c, struct atcp_pkt *pkt, uint32_t bytes);
/* Free a piece of the send queue and uncharge it. Lock: conn. */
void atcp_os_tx_free(struct atcp_conn *c, struct atcp_pkt *pkt);
/*
 * How fast the connection is to send. wanted: the program asked for a rate (SO_MAX_PACING_RATE). kept: a queue of this host
 * (fq) sends at this rate by itself, so the core need not.
 */
struct atcp_pacing {
	uint64_t rate; /* bytes per second: what was asked for, cut to the program's limit */
	bool wanted;
	bool kept;
};
/* The rate that the core would send at, bytes per second; own: the congestion control cannot do without. If the core has to
 * keep it, deadlines less than a tick away are kept exactly from then on. Lock: conn. */
void atcp_os_pacing(struct atcp_conn *c, uint64_t rate, bool own, struct atcp_pacing *out);
/* True while copies of pkt handed out earlier still sit in a queue of this host (so sending it
 * again would be too early). Lock: conn. */
bool atcp_os_tx_busy(const struct atcp_conn *c, const struct atcp_pkt *pkt);
/* Autotuning of the send buffer: make it at least this large if the program has not set it.
 * Lock: conn. */
void atcp_os_tx_want(struct atcp_conn *c, uint32_t bytes);

/* ---- routes -------------------------------------------------------------------------- */

/* Facts about the connection's current route; looks it up again if it went stale. False: no
 * route. Lock: conn. */
bool atcp_os_conn_route(struct atcp_conn *c, struct atcp_route *out);
/* The path MTU of that route alone, bytes; 0: no route. Lock: conn. */
uint32_t atcp_os_conn_mtu(struct atcp_conn *c);
/* The facts about a tuple's route, without connection. Context: softirq. */
bool atcp_os_route(struct atcp_osns *ns, const struct atcp_conn *via, const struct atcp_tuple *t,
		   struct atcp_route *out);
/* A reference to r, which was looked up for listener in this RCU section, to be kept beyond it: for a request, whose child goes the
 * same way. NULL: it cannot be kept. Context: softirq. */
struct atcp_kept_route *atcp_os_route_keep(const struct atcp_conn *listener,
					   const struct atcp_route *r);
/* Give it back. Context: softirq or process. */
void atcp_os_route_put(struct atcp_kept_route *kept);
/* Retransmissions suggest that the route is bad (R1 of RFC 9293 3.8.3): look it up anew. Lock: conn. */
void atcp_os_conn_route_suspect(struct atcp_conn *c);

/* ---- children of a listener ---------------------------------------------------------- */

/*
 * A socket like the listener's, for tuple t, CLOSED, locked, with two references: one for the
 * caller, one for the queue or the program it will belong to. Its core storage is zero, and of a listener of AF_INET6 it
 * has ATCP_CONN_V6_WORDS too, whatever the family of t. kept: the route of the SYN-ACK, or NULL; consumed. It is looked up anew if
 * it is not valid any more. NULL: no memory or no route. Context: softirq. Lock: none of the child, any other.
 */
struct atcp_conn *atcp_os_child_new(struct atcp_conn *listener, const struct atcp_tuple *t,
				    struct atcp_kept_route *kept);
/*
 * Keep the headers of a SYN (TCP_SAVE_SYN). listener: who got it. syn: it, not yet given away. Returns a reference, or NULL:
 * the listener's program does not want it, or there is no memory. Context: softirq. Lock: any.
 */
struct atcp_syn *atcp_os_syn_save(const struct atcp_conn *listener, const struct atcp_pkt *syn);
/* Another reference, unless the last one is gone. Context: softirq, inside RCU; s was found there. */
bool atcp_os_syn_tryget(struct atcp_syn *s);
/* Drop one; frees it (after RCU) with the last. Context: softirq. */
void atcp_os_syn_put(struct atcp_syn *s);
/* It is the SYN of this child, which has none yet. Takes over the reference. Lock: conn. */
void atcp_os_child_syn(struct atcp_conn *child, struct atcp_syn *s);
/* Unlock it and drop the caller's reference. Context: softirq. */
void atcp_os_child_done(struct atcp_conn *child);
/* Unlock it and drop both references: nobody will ever have it. It is CLOSED, its storage
 * constructed. Context: softirq. */
void atcp_os_child_discard(struct atcp_conn *child);

#ifdef __cplusplus
}
#endif
#endif /* ATCP_OS_H */
