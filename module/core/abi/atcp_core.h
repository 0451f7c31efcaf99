/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What C calls: the upper half of the C/C++ border. The kernel glue, the unit tests, the
 * fuzzers and every other host drive the core through these functions and no others. Words of
 * the "Context:" and "Lock:" lines as in atcp_os.h.
 *
 * now_ns is CLOCK_MONOTONIC in nanoseconds, read once per entry by the caller.
 */
#ifndef ATCP_CORE_H
#define ATCP_CORE_H

#include "atcp_os.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- namespaces ---------------------------------------------------------------------- */

/* NULL: no memory. ehash_entries: buckets of the established table, rounded up to a power of
 * two, 0 for the default. Context: process. */
struct atcp_ns *atcp_core_ns_new(struct atcp_osns *os, uint32_t ehash_entries);
/* All sockets are gone; drops requests and TIME_WAIT entries. The timer is stopped and will
 * not fire again, nor is atcp_core_ns_work called. Context: process. */
void atcp_core_ns_free(struct atcp_ns *ns);
/* The namespace's timer fired. Context: softirq. */
void atcp_core_ns_timer(struct atcp_ns *ns, uint64_t now_ns);
/* What atcp_os_ns_work asked for: the established table is brought to its size. Context: process, may
 * sleep, one call at a time per namespace. Lock: none. */
void atcp_core_ns_work(struct atcp_ns *ns);
/* The sockets of the namespace have `pages` of packet memory together; was: what this said before. Context: any.
 * Lock: none. */
enum atcp_mem_level atcp_core_mem_level(struct atcp_ns *ns, uint64_t pages,
					enum atcp_mem_level was);
/* Entries that want packets: requests + TIME_WAIT (sockets are the port's to count). */
uint32_t atcp_core_ns_entries(const struct atcp_ns *ns);

/* ---- receiving ----------------------------------------------------------------------- */

/* Parse a TCP header. hdr: `avail` readable bytes from the start of the header, of a segment of
 * `total` bytes. Returns ATCP_REASON_NONE or why the segment must be dropped. avail must cover the
 * whole header (data offset) unless total does not. Pure function. */
uint32_t atcp_core_parse(const uint8_t *hdr, uint32_t avail, uint32_t total, struct atcp_seg *out);

enum atcp_found_kind {
	ATCP_FOUND_NONE = 0, /* not ours */
	ATCP_FOUND_CONN,     /* a connection: lock it, then atcp_core_conn_input */
	ATCP_FOUND_REQUEST,
	ATCP_FOUND_TIMEWAIT,
	ATCP_FOUND_LISTENER, /* entry is its atcp_conn, but input needs no lock */
};
struct atcp_found {
	void *entry; /* referenced */
	enum atcp_found_kind kind;
	uint32_t hash; /* of the tuple that was looked up, for the established table */
};
/* Who owns this 4-tuple? Established table first, then listeners. Takes a reference for the
 * caller. Context: softirq, inside RCU. */
struct atcp_found atcp_core_lookup(struct atcp_ns *ns, const struct atcp_tuple *t);
/* Whose program decides on packets for f, a request or a TIME_WAIT entry with this tuple, whose 4-tuple a SYN may take:
 * the listener, referenced; NULL: there is none any more. Context: softirq, inside RCU. */
struct atcp_conn *atcp_core_listener_of(struct atcp_ns *ns, struct atcp_found f,
					const struct atcp_tuple *t);
/* Give a reference back without processing. Context: any. */
void atcp_core_put(struct atcp_found f);

/* A segment for a connection. Consumes pkt. pkt's payload starts after the TCP header.
 * Context: softirq or process (backlog). Lock: conn. */
void atcp_core_conn_input(struct atcp_conn *c, const struct atcp_seg *seg, struct atcp_pkt *pkt,
			  uint64_t now_ns);
/* A segment for a request, TIME_WAIT entry or listener. Consumes the reference. Returns true if
 * pkt was consumed; false: look the tuple up again and process anew (the entry changed
 * meanwhile). Context: softirq. Lock: none. */
bool atcp_core_input(struct atcp_ns *ns, struct atcp_found f, const struct atcp_tuple *t,
		     const struct atcp_seg *seg, struct atcp_pkt *pkt, uint64_t now_ns);
/* A segment that arrived for a port or tuple which nobody has (wire=atcp only: with wire=tcp the
 * kernel's TCP answers): RST by RFC 9293 3.10.7.1. Consumes pkt. Context: softirq. */
void atcp_core_no_socket(struct atcp_ns *ns, const struct atcp_tuple *t,
			 const struct atcp_seg *seg, struct atcp_pkt *pkt);
/* Its tuple; of a listener without the peer. Lock: none. */
void atcp_core_conn_tuple(const struct atcp_conn *c, struct atcp_tuple *out);
/* Drop a packet before it reached anybody: counts and frees. c: whom it would have reached, or NULL. Context: softirq. */
void atcp_core_drop(struct atcp_ns *ns, struct atcp_conn *c, struct atcp_pkt *pkt, uint32_t reason);

enum atcp_icmp_kind {
	ATCP_ICMP_FRAG_NEEDED, /* or ICMPv6's "packet too big"; value: next-hop MTU */
	ATCP_ICMP_HOST_UNREACH,
	ATCP_ICMP_NET_UNREACH,
	ATCP_ICMP_PROTO_UNREACH,
	ATCP_ICMP_PORT_UNREACH,
	ATCP_ICMP_TIME_EXCEEDED,
	ATCP_ICMP_PARAM_PROBLEM,
	ATCP_ICMP_PROHIBITED,	 /* ICMPv6: by a policy on the way */
	ATCP_ICMP_SRC_ROUTE,	 /* a source route failed */
	ATCP_ICMP_HOST_UNKNOWN,	 /* the destination, to a router */
	ATCP_ICMP_HOST_ISOLATED, /* the one that sends */
	ATCP_ICMP_UNKNOWN,	 /* an error of a type that nobody knows (RFC 4443 2.4, a) */
	ATCP_ICMP_NET_BARRED,	 /* IPv4: unknown, or not for us or this service (RFC 1812 5.2.7.1) */
	ATCP_ICMP_HOST_BARRED,	 /* as that, of the host, or by a filter on the way */
	ATCP_ICMP_REDIRECT,	 /* no error: a better router. Of a connection that is the port's affair */
};
/* An ICMP error quoting a segment of ours with sequence number seq. Context: softirq. Lock:
 * conn; not called while a program holds the lock except for FRAG_NEEDED, which is deferred by
 * the port. */
void atcp_core_conn_icmp(struct atcp_conn *c, enum atcp_icmp_kind kind, uint32_t seq,
			 uint32_t value, uint64_t now_ns);
/* Is it an attempt that an ICMP error ends, FRAG_NEEDED apart? To a connection such errors are soft, and so they are to one that a
 * program has accepted before its handshake is complete (RFC 7413). Lock: conn. */
bool atcp_core_icmp_ends(const struct atcp_conn *c);
/* atcp_core_conn_icmp for a found entry that is not a connection. Consumes the reference. */
void atcp_core_icmp(struct atcp_ns *ns, struct atcp_found f, enum atcp_icmp_kind kind,
		    uint32_t seq, uint64_t now_ns);

/* ---- timers -------------------------------------------------------------------------- */

/* The connection's timer fired (perhaps early: harmless). Context: softirq or process. Lock:
 * conn. */
void atcp_core_conn_timer(struct atcp_conn *c, uint64_t now_ns);

/* ---- calls of programs; Context: process, Lock: conn unless said otherwise ------------ */

/* Constructor of a new socket's storage (zeroed). v6: there are ATCP_CONN_V6_WORDS behind it (children have what their
 * listener has). */
void atcp_core_conn_init(struct atcp_conn *c, struct atcp_ns *ns, bool v6);
/* Destructor, when the last reference is gone and no reader can see it. Context: softirq. Lock:
 * none. */
void atcp_core_conn_fini(struct atcp_conn *c);

/* Flags of a bind, as the socket has them now. */
enum {
	ATCP_BIND_REUSEADDR = 1,
	ATCP_BIND_REUSEPORT = 2,
	ATCP_BIND_EXPLICIT_PORT = 4, /* the program named it; else any free port is meant */
	ATCP_BIND_V6ONLY = 8, /* IPv6's any does not stand for IPv4's as well. Of the bind alone: atcp_core_listen keeps it */
};
/* Take local port *lport (network order; 0: choose one from port_range and return it) on local
 * address laddr (all 0: any; an IPv4-mapped one is given as the IPv4 address). Without V6ONLY, IPv6's any is also bound to every
 * IPv4 address. ATCP_ERR_ADDR_IN_USE, ATCP_ERR_NO_MEMORY; ATCP_ERR_INVALID: a family that the socket has no storage for. */
enum atcp_err atcp_core_bind(struct atcp_conn *c, uint16_t family, const union atcp_ip *laddr,
			     uint16_t *lport, uint32_t flags, uint32_t uid);
/* Give the port back (a failed bind of the port's own, or disconnect). */
void atcp_core_unbind(struct atcp_conn *c);
/* CLOSED to LISTEN; or, already there, a new backlog. The socket is bound. */
enum atcp_err atcp_core_listen(struct atcp_conn *c, uint32_t backlog, uint32_t flags,
			       uint64_t now_ns);
/* First connection of the accept queue, or NULL. The caller gets the queue's reference. */
struct atcp_conn *atcp_core_accept(struct atcp_conn *c, uint64_t now_ns);
/*
 * Active open to t (laddr and raddr known; lport 0: choose one and return it in t; the bound one if it
 * is bound). Hashes and sends the SYN, or holds it back for data (RFC 7413): with_data, or TCP_FASTOPEN_CONNECT is set and
 * the SYN may carry some. ATCP_ERR_ADDR_NOT_AVAIL: no free port or the tuple is taken; ATCP_ERR_INVALID: a family that the
 * socket has no storage for. The tuple's family need not be that of the bind.
 */
enum atcp_err atcp_core_connect(struct atcp_conn *c, struct atcp_tuple *t, bool with_data,
				uint64_t now_ns);
/* May programs of this namespace send data with a SYN (parameter fastopen)? Lock: none needed. */
bool atcp_core_fastopen_enabled(const struct atcp_conn *c);
/* Is a SYN being held? Lock: none needed. */
bool atcp_core_syn_held(const struct atcp_conn *c);
/* Send the SYN that is held, with what has been queued meanwhile; atcp_core_tx_push does so too.
 * Nothing to do if none is. */
void atcp_core_connect_go(struct atcp_conn *c, uint64_t now_ns);

/* Send queue. The last piece, if nothing of it was sent yet and more may be added; else NULL. */
struct atcp_pkt *atcp_core_tx_tail(struct atcp_conn *c, uint32_t *len);
/* The last piece, sent or not, as long as it is not acknowledged; NULL: there is none, or a FIN is behind it. */
struct atcp_pkt *atcp_core_tx_last(struct atcp_conn *c);
/* A new, empty piece at the end of the queue: the core's from now on. */
void atcp_core_tx_add(struct atcp_conn *c, struct atcp_pkt *pkt);
/* The sequence number behind all that was written. */
uint32_t atcp_core_tx_end(const struct atcp_conn *c);
/* The last piece grew by `bytes`. */
void atcp_core_tx_grow(struct atcp_conn *c, uint32_t bytes);
/* Take back the last piece if it is still empty (copying from the program failed): the caller's
 * again. False: it has bytes. */
bool atcp_core_tx_take_back(struct atcp_conn *c, struct atcp_pkt *pkt);
/* Send what may be sent. more: MSG_MORE, or the program is about to add more. */
void atcp_core_tx_push(struct atcp_conn *c, bool more, uint64_t now_ns);
/* The program waits for room in the send buffer, or was refused because there is none (EAGAIN). Until it writes
 * again, or atcp_core_tx_room. */
void atcp_core_tx_blocked(struct atcp_conn *c, uint64_t now_ns);
/* There is room now, and the program has been told. May be called from within atcp_os_conn_event. */
void atcp_core_tx_room(struct atcp_conn *c);
/* What was written so far ends with urgent data (MSG_OOB). atcp_core_tx_push follows. */
void atcp_core_tx_urgent(struct atcp_conn *c);
/* Payload bytes worth collecting in one piece now (multiple of the MSS, at most 64 KB). */
uint32_t atcp_core_tx_size_goal(const struct atcp_conn *c);

/* The program took `bytes` from the receive queue: a window update may follow. */
void atcp_core_rx_consumed(struct atcp_conn *c, uint32_t bytes, uint64_t now_ns);

/* How it stands with urgent data. *ahead: bytes of the stream between what the program reads next and the urgent one, 0 at the mark; not written if
 * NONE. atcp_core_rx_consumed beyond the mark makes it NONE. Lock: none needed (then of the moment). */
enum atcp_urgent atcp_core_urgent(const struct atcp_conn *c, uint32_t *ahead);
/* Read the byte, if it is HERE, which makes it READ, or, with keep, look at it. Returns how it stood before. */
enum atcp_urgent atcp_core_urgent_take(struct atcp_conn *c, bool keep, uint8_t *byte);

/* shutdown(SHUT_WR): FIN after what is queued. ATCP_ERR_NOT_CONN in states without one. */
enum atcp_err atcp_core_shutdown(struct atcp_conn *c, uint64_t now_ns);
/* shutdown(SHUT_RD) while our FIN is or gets sent: data that arrives in FIN_WAIT is answered by
 * RST, as Linux does. */
void atcp_core_shutdown_rx(struct atcp_conn *c);
/*
 * close(): the program lets go. unread: bytes it had not read; linger0: SO_LINGER with 0
 * seconds. The socket is marked orphaned first. Afterwards atcp_os_conn_closed may have been
 * called already, or comes later. A listener's waiting connections must be taken by
 * atcp_core_accept and aborted by the caller.
 */
void atcp_core_close(struct atcp_conn *c, uint32_t unread, bool linger0, uint64_t now_ns);
/* Reset the connection now, if it is in a state that has one to reset (disconnect, kill,
 * unaccepted child of a closing listener). */
void atcp_core_abort(struct atcp_conn *c, uint32_t reason, uint64_t now_ns);
/* The program has given its connection up and kept the socket (connect to AF_UNSPEC): what is told of it is what is told of
 * a new one again, but for the options that it set, without TCP_WINDOW_CLAMP, its bind, and the sizes of the path. After
 * atcp_core_abort; nothing in a state other than CLOSED. The receive queue is empty. */
void atcp_core_forget(struct atcp_conn *c);
/* May this connection, whose program has closed it, go on? orphans: how many such ones the namespace has. NONE, or the
 * reason for atcp_core_abort. Lock: conn. */
uint32_t atcp_core_orphan_refused(const struct atcp_conn *c, uint32_t orphans,
				  enum atcp_mem_level level);
/* Bytes of the program's that are queued or unacknowledged: nothing left means linger is done. */
bool atcp_core_all_acked(const struct atcp_conn *c);

#define ATCP_FASTOPEN_KEY_BYTES 16
#define ATCP_FASTOPEN_KEYS 2

/* Options. `opt` is the number of SOL_TCP (TCP_NODELAY = 1, ...), or ATCP_OWN_OPT + enum atcp_sockopt. */
#define ATCP_OWN_OPT 0x10000
enum atcp_err atcp_core_set_option(struct atcp_conn *c, uint32_t opt, int32_t value,
				   uint64_t now_ns);
enum atcp_err atcp_core_get_option(const struct atcp_conn *c, uint32_t opt, int32_t *value,
				   uint64_t now_ns);
/* TCP_FASTOPEN_KEY: the keys of the cookies that this listener gives out, instead of the namespace's. The first
 * of n (1 or 2) makes them, all are accepted. ATCP_ERR_NO_MEMORY. */
enum atcp_err atcp_core_set_fastopen_keys(struct atcp_conn *c, const uint8_t *keys, uint32_t n);
/* Those in use, the listener's or the namespace's; returns how many (1 or 2). */
uint32_t atcp_core_get_fastopen_keys(const struct atcp_conn *c, uint8_t *keys);
enum atcp_err atcp_core_set_cc(struct atcp_conn *c, const char *name, bool privileged,
			       uint64_t now_ns);
const char *atcp_core_get_cc(const struct atcp_conn *c);
/* Each packet carries so many bytes of IP options or extension headers from now on, at most 65535, on the same route otherwise. */
void atcp_core_ip_options(struct atcp_conn *c, uint32_t bytes);
/* SO_RCVLOWAT: the program wants to read `bytes`, at least 1, at once. Returns the mark that can be reached, at most half of the
 * largest buffer; buffer and window grow, unless the program chose the buffer's size, so that so many fit. */
uint32_t atcp_core_set_rcvlowat(struct atcp_conn *c, uint32_t bytes);
/* Is no more left of the window that the peer knows than one of his segments, so that a program that waits for more may wait
 * for long? Lock: none needed (of the moment). */
bool atcp_core_rx_scarce(const struct atcp_conn *c);
/* SO_KEEPALIVE changed. */
void atcp_core_set_keepalive(struct atcp_conn *c, bool on, uint64_t now_ns);

/* ---- looking ------------------------------------------------------------------------- */

#define ATCP_LIMITS 9  /* places for ATCP_LIMIT_* */
#define ATCP_STATES 12 /* places for ATCP_STATE_* */
#define ATCP_TIMERS 8  /* kinds of deadlines */

/* Everything the control plane and TCP_INFO show of a connection. Times in us, sizes in bytes,
 * cwnd and ssthresh in segments. */
struct atcp_conn_info {
	uint32_t state;
	uint32_t options; /* ATCP_OPT_* agreed */
	uint32_t snd_wscale, rcv_wscale;
	uint32_t ecn; /* 1: agreed, 2: and the peer sends packets that can be marked */
	uint32_t rto_us, srtt_us, rttvar_us, min_rtt_us, rcv_rtt_us, ato_us;
	uint32_t snd_mss, rcv_mss, advmss, pmtu;
	uint32_t cwnd, ssthresh, reordering;
	uint32_t packets_out, sacked, lost, retrans_out;
	uint32_t total_retrans, retransmits, probes, backoff, ca_state;
	uint32_t snd_wnd, rcv_wnd, rcv_space, rcv_ssthresh;
	uint32_t snd_una, snd_nxt, write_seq, rcv_nxt, copied_seq;
	uint32_t notsent_bytes;
	uint32_t last_data_sent_us, last_data_recv_us, last_ack_recv_us;
	uint32_t segs_in, segs_out, data_segs_in, data_segs_out;
	uint32_t timer_kind, timer_left_us, keepalive_on, dsack_dups, reord_seen;
	uint32_t syn_data; /* not 0: data of a SYN was taken */
	uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retrans;
	uint64_t pacing_rate, delivery_rate; /* bytes per second; 0: not known yet */
	uint32_t delivered;		     /* segments, ever; wraps */
	uint32_t delivery_app_limited;	     /* not 0: the program, not the path, set delivery_rate */
	/* By ATCP_LIMIT_*: for how long it waited for what since it was established (a fast open: since the SYN). They
	 * add up to age_us, and end with the connection. */
	uint64_t limited_us[ATCP_LIMITS];
	uint32_t limited_by;   /* what it waits for now */
	uint32_t handshake_us; /* from the first SYN to ESTABLISHED; 0: not yet, or it began with a SYN cookie */
	uint64_t age_us;
	uint32_t in_state_ms[ATCP_STATES]; /* by ATCP_STATE_*, at most 2^32 - 1; all 0 once it is CLOSED */
};

/* What became of a connection that has ended, for atcp_os_record. */
struct atcp_record {
	struct atcp_tuple tuple;
	struct atcp_conn_info info; /* at the end, in its last state */
	char cc[16];		    /* name of its congestion control, NUL-terminated */
	uint64_t opened_ns;	    /* first SYN sent or received; to the microsecond */
	uint64_t closed_ns;
	uint32_t reason;  /* ATCP_REASON_* */
	uint8_t ended_by; /* ATCP_ENDED_BY_* */
	bool passive;	  /* a listener's */
	bool orphaned;	  /* no program had it open any more */
};
void atcp_core_conn_info(const struct atcp_conn *c, struct atcp_conn_info *out, uint64_t now_ns);
/* A deadline that is set. name: "retransmit", "probe", "delack", "keepalive", "fin_wait2", "reorder", "tail_probe"
 * or "pacing". left_us: 0 is due. */
struct atcp_timer_info {
	const char *name;
	uint64_t left_us;
};
/* Those of a connection, into ATCP_TIMERS places; returns how many. Lock: none needed (of the moment). */
uint32_t atcp_core_conn_timers(const struct atcp_conn *c, struct atcp_timer_info *out,
			       uint64_t now_ns);
/* Lock: none needed (single values). */
uint32_t atcp_core_conn_unsent(const struct atcp_conn *c);  /* write_seq - snd_nxt, SIOCOUTQNSD */
uint32_t atcp_core_conn_unacked(const struct atcp_conn *c); /* write_seq - snd_una, SIOCOUTQ */
uint32_t atcp_core_accept_queue(const struct atcp_conn *c); /* length, for poll */
/* Is there less unsent than the parameter notsent_lowat, or TCP_NOTSENT_LOWAT, says, so that more may be queued?
 * waking: less than half of it, which makes waking somebody worth while. Context: any, inside RCU or with the
 * lock. */
bool atcp_core_tx_below_lowat(const struct atcp_conn *c, bool waking);
/* The parameter somaxconn: largest backlog that atcp_core_listen takes; more is cut. Lock: conn. */
uint32_t atcp_core_somaxconn(const struct atcp_conn *c);
/* May the program write: state allows it (ESTABLISHED, CLOSE_WAIT; with fast open SYN_RECEIVED and, while the
 * SYN is held, SYN_SENT). */
bool atcp_core_can_send(const struct atcp_conn *c);

/* A listener's queues and its ledger. Whenever no segment is just being processed,
 *   syns = synacks + syn_dups + syn_drops      and      acks = children + ack_drops. */
struct atcp_listener_info {
	uint32_t accept_queue, backlog, requests;
	uint32_t young; /* of the requests those whose SYN-ACK was sent once */
	uint32_t accept_queue_high, requests_high; /* most there ever were */
	uint64_t crowded_us; /* for how long the accept queue was above 80 % of the backlog */
	uint64_t syns, synacks, syn_dups, cookies, accepted, syn_drops;
	uint64_t acks, children, ack_drops; /* third ACKs: came, made a connection, refused */
	uint64_t overflow_syn, overflow_ack; /* of the drops: accept queue full */
	uint64_t migrated_in, migrated_out;
};
/* Lock: none needed. All 0 for a socket that never listened. */
void atcp_core_listener_info(const struct atcp_conn *c, struct atcp_listener_info *out,
			     uint64_t now_ns);
/* One line of the ledger: how many SYNs or third ACKs were refused for a reason. */
struct atcp_listener_reason {
	uint32_t reason; /* enum atcp_reason; 0: any that has no line of its own */
	bool is_ack;	 /* of third ACKs; else of SYNs */
	uint64_t count;
};
/* Line i, from 0 on. False: there are no more. Lock: none needed. */
bool atcp_core_listener_reason(const struct atcp_conn *c, uint32_t i,
			       struct atcp_listener_reason *out);

/* One entry of a dump. conn and entry are valid only during the callback, inside RCU, referenced. */
struct atcp_entry_info {
	struct atcp_tuple tuple;
	uint32_t kind; /* enum atcp_found_kind */
	uint32_t state;
	uint32_t expires_us; /* request, TIME_WAIT */
	uint32_t retrans;    /* request: SYN-ACKs sent again */
	struct atcp_conn *conn; /* CONN, LISTENER; a request's listener */
	void *entry;	    /* the core's; NULL of a listener */
};
/*
 * Walk the established table (or the listeners) from *cursor. cb returns false to stop before
 * that entry is counted as seen; *cursor, which begins as 0, then resumes there. Returns true at the end. Entries that
 * come and go meanwhile may be missed or seen; none that stays is missed, and no listener is shown again. Offers the CPU
 * to others between its batches. Context: process. Lock: none.
 */
bool atcp_core_walk(struct atcp_ns *ns, bool listeners, uint64_t *cursor, uint64_t now_ns,
		    bool (*cb)(void *arg, const struct atcp_entry_info *e), void *arg);

/*
 * Take a request or TIME_WAIT entry away, without a word to the peer; counted as ABORT_BY_USER. False: it is neither,
 * or somebody else did. Context: process, inside the callback of atcp_core_walk. Lock: none.
 */
bool atcp_core_entry_remove(struct atcp_ns *ns, const struct atcp_entry_info *e);

/* How full the tables are; numbers of different instants. */
struct atcp_tables_info {
	uint32_t ehash_slots;	/* chains of the established table */
	uint32_t ehash_entries; /* connections, requests, TIME_WAIT entries */
	uint32_t requests, timewaits;
	uint32_t listeners;
	uint32_t ports; /* local ports that somebody has */
};
/* Context: any. Lock: none. */
void atcp_core_tables_info(const struct atcp_ns *ns, struct atcp_tables_info *out);

/* A congestion control. */
struct atcp_cc_info {
	const char *name;
	bool is_default; /* new sockets of the namespace get it */
	bool restricted; /* a program needs privilege to choose it */
	void *owner;	 /* the module it comes from, NULL: this one; valid inside RCU */
};
/* Number i, from 0 on. name is NULL if it is not here now. False: there are no more. Context: any, inside RCU. */
bool atcp_core_cc_info(const struct atcp_ns *ns, uint32_t i, struct atcp_cc_info *out);

/* ---- congestion controls of other modules ---------------------------------------------- */

struct atcp_cc_ops;
/* See atcp_cc.h. Lock: one of these two at a time. */
enum atcp_err atcp_core_cc_add(const struct atcp_cc_ops *ops);
/* The caller lets an RCU grace period pass before ops goes away. */
void atcp_core_cc_remove(const struct atcp_cc_ops *ops);

/* ---- the tables of parameters, counters, reasons ------------------------------------- */

struct atcp_param_info {
	const char *name, *unit, *help;
	uint32_t type; /* enum atcp_param_type of the UAPI */
	uint32_t min, max;
	bool per_socket; /* it may be set on one socket, too, */
	bool restricted; /* but only by who has CAP_NET_ADMIN */
};
uint32_t atcp_core_param_count(void);
void atcp_core_param_info(uint32_t i, struct atcp_param_info *out);
/* Index of a name, or -1. */
int32_t atcp_core_param_find(const char *name);
/* Values as text, NUL-terminated, cut to size. which: 0 current, 1 default. Returns length. */
uint32_t atcp_core_param_get(const struct atcp_ns *ns, uint32_t i, uint32_t which, char *buf,
			     uint32_t size);
/* Check text without applying it. ATCP_ERR_INVALID (not of this type), ATCP_ERR_RANGE,
 * ATCP_ERR_NOT_FOUND (no such congestion control). */
enum atcp_err atcp_core_param_check(uint32_t i, const char *text);
/* Apply checked text. ns NULL: the default of namespaces made from now on. Lock: callers
 * serialise writers. */
enum atcp_err atcp_core_param_set(struct atcp_ns *ns, uint32_t i, const char *text);
/* Back to the table's default. ns NULL and lock as for atcp_core_param_set. */
void atcp_core_param_reset(struct atcp_ns *ns, uint32_t i);
/* enum atcp_source: DEFAULT or NETNS. */
uint32_t atcp_core_param_source(const struct atcp_ns *ns, uint32_t i);

/* A parameter, by its index, and what it is to be. */
struct atcp_param_text {
	uint32_t i;
	const char *text;
};
/*
 * Set parameters of one socket, all or none; source: ATCP_SOURCE_SETSOCKOPT or _NETLINK. *bad: the one at fault.
 * Errors as atcp_core_param_check, and ATCP_ERR_NOT_SUPPORTED (it is the namespace's alone), ATCP_ERR_NOT_PERMITTED
 * (needs privilege), ATCP_ERR_NO_MEMORY. Lock: conn.
 */
enum atcp_err atcp_core_conn_params_set(struct atcp_conn *c, const struct atcp_param_text *set,
					uint32_t n, uint32_t source, bool privileged,
					uint64_t now_ns, uint32_t *bad);
/* Those n are the namespace's again. Errors and lock as above. */
enum atcp_err atcp_core_conn_params_reset(struct atcp_conn *c, const uint32_t *which, uint32_t n,
					  uint64_t now_ns, uint32_t *bad);
/* The effective value as text, as atcp_core_param_get, and where it comes from (enum atcp_source). Lock: none needed,
 * but RCU. */
uint32_t atcp_core_conn_param_get(const struct atcp_conn *c, uint32_t i, uint32_t *source,
				  char *buf, uint32_t size);
/* Parameters that the port itself needs. Context: any. Number k (0 to 2) of rmem and of wmem: bytes. */
uint32_t atcp_core_rmem(const struct atcp_ns *ns, uint32_t k);
uint32_t atcp_core_wmem(const struct atcp_ns *ns, uint32_t k);
/* Is the parameter wire `tcp`? */
bool atcp_core_wire_is_tcp(const struct atcp_ns *ns);
/* So many closing records are kept. Context: any. */
uint32_t atcp_core_closing_records(const struct atcp_ns *ns);

uint32_t atcp_core_counter_count(void);
const char *atcp_core_counter_name(uint32_t i, const char **help);
const char *atcp_core_reason_name(uint32_t i, const char **help); /* i < __ATCP_REASON_MAX */

#ifdef __cplusplus
}
#endif
#endif /* ATCP_CORE_H */
