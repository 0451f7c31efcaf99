// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a socket: made, closed, disconnected, orphaned, destroyed, and born as the child of a
 * listener. Who holds which reference is explained in docs/locking.md. What the states mean is the
 * core's business; the glue only knows CLOSED (the core holds nothing), LISTEN (an accept queue is
 * to be emptied) and whether a program has the socket open.
 */
#include <linux/net.h>
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/transp_v6.h>
#include <net/xfrm.h>

#include "glue.h"

static void atcp_sock_destruct(struct sock *sk)
{
	struct atcp_sock *asp = atcp_sk(sk);

	if (asp->flags & ATCP_F_CORE)
		atcp_core_conn_fini(&asp->conn);
	atcp_timer_free(sk);
	if (asp->flags & ATCP_F_COUNTED)
		atomic_dec(&atcp_sk_osns(sk)->sockets);
	if (sk->sk_family == AF_INET6)
		inet6_cleanup_sock(sk);
	inet_sock_destruct(sk);
}

/* What a new socket and a child have in common. */
static void atcp_sock_setup(struct sock *sk)
{
	struct atcp_sock *asp = atcp_sk(sk);

	asp->deferred = 0;
	asp->rcv_bytes = 0;
	asp->rcv_total = 0;
	asp->path_setters = 0;
	asp->collapsed = 0;
	asp->mtu_info = 0;
	asp->mtu_seq = 0;
	asp->mem_pages = 0;
	memset(asp->drops, 0, sizeof(asp->drops));
	asp->port = NULL;
	asp->saved_syn = NULL;
	asp->at_somaxconn = false;
	atcp_timer_init(sk);
	atomic_inc(&atcp_sk_osns(sk)->sockets);
	asp->flags = ATCP_F_COUNTED | ATCP_F_CORE;
}

/* proto->init. The socket is nobody's yet. Context: process. */
int atcp_sock_init(struct sock *sk)
{
	struct atcp_osns *osns = atcp_pernet(sock_net(sk));
	struct atcp_sock *asp = atcp_sk(sk);
	bool v6 = sk->sk_family == AF_INET6;
	int err;

	BUILD_BUG_ON(offsetof(struct atcp_sock, inet) != 0);
	asp->osns = osns;
	asp->flags = 0;
	atcp_timer_init(sk);
	sk_sockets_allocated_inc(sk);
	err = atcp_hook(osns);
	if (!err && v6)
		err = atcp6_hook(osns);
	if (err)
		return err;

	atcp_sock_setup(sk);
	asp->ip_proto = atcp_wire_proto(osns);
	asp->save_syn = 0;
	memset(&asp->conn, 0, sizeof(asp->conn));
	if (v6)
		memset(((struct atcp6_sock *)asp)->v6, 0, sizeof(((struct atcp6_sock *)asp)->v6));
	atcp_core_conn_init(&asp->conn, osns->core, v6);

	sk->sk_destruct = atcp_sock_destruct;
	sk->sk_write_space = atcp_write_space;
	atcp_own_sockopts(sk->sk_socket);
	/* Readers under RCU may still look at it; sock_wfree() need not ask for write space. */
	sock_set_flag(sk, SOCK_RCU_FREE);
	sock_set_flag(sk, SOCK_USE_WRITE_QUEUE);
	sk->sk_gso_type = v6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;
	/* With less than the kernel gives to whoever asks for less, nothing would move. */
	WRITE_ONCE(sk->sk_sndbuf,
		   clamp_t(u32, atcp_core_wmem(osns->core, 1), SOCK_MIN_SNDBUF, ATCP_MAX_BUF));
	WRITE_ONCE(sk->sk_rcvbuf,
		   clamp_t(u32, atcp_core_rmem(osns->core, 1), SOCK_MIN_RCVBUF, ATCP_MAX_BUF));
	return 0;
}

/*
 * proto->destroy: give up what the socket holds apart from its memory. Also called by the kernel
 * when creating the socket failed half-way. Lock: socket, or nobody knows it.
 */
void atcp_sock_free_parts(struct sock *sk)
{
	struct atcp_sock *asp = atcp_sk(sk);

	atcp_timer_stop(sk);
	asp->deferred = 0;
	atcp_port_drop(sk);
	asp->rcv_bytes = 0;
	asp->collapsed = 0;
	atcp_forget_syn(sk);
	atcp6_options_forget(sk);
	sk_stream_kill_queues(sk);
	atcp_mem_account(sk);
	sk_sockets_allocated_dec(sk);
}

static void atcp_sock_destroy(struct sock *sk)
{
	struct atcp_sock *asp = atcp_sk(sk);

	asp->flags |= ATCP_F_DESTROYED;
	if (asp->flags & ATCP_F_ORPHAN)
		percpu_counter_dec(&atcp_sk_osns(sk)->orphans);
	atcp_sock_free_parts(sk);
	xfrm_sk_free_policy(sk);
	/* The reference that the program, or the accept queue, once had. */
	sock_put(sk);
}

void atcp_sock_settle(struct sock *sk)
{
	if (sk->sk_state == TCP_CLOSE && sock_flag(sk, SOCK_DEAD) &&
	    !(atcp_sk(sk)->flags & ATCP_F_DESTROYED))
		atcp_sock_destroy(sk);
}

/* Somebody with the right to do so ended the connection. Lock: socket, as owner or its spinlock. */
static void atcp_sock_kill_locked(struct sock *sk)
{
	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	if (!sock_flag(sk, SOCK_DEAD))
		WRITE_ONCE(sk->sk_err, ECONNABORTED);
	atcp_core_abort(&atcp_sk(sk)->conn, ATCP_REASON_ABORT_BY_USER, atcp_now());
	if (!sock_flag(sk, SOCK_DEAD))
		sk_error_report(sk);
}

/* proto->release_cb: the owner is about to unlock. Lock: socket, its spinlock held too. */
void atcp_sock_release_cb(struct sock *sk)
{
	struct atcp_sock *asp = atcp_sk(sk);

	if (test_and_clear_bit(ATCP_DEFER_MTU, &asp->deferred))
		atcp_icmp_deferred(sk);
	if (test_and_clear_bit(ATCP_DEFER_TIMER, &asp->deferred))
		atcp_timer_deferred(sk);
	if (test_and_clear_bit(ATCP_DEFER_KILL, &asp->deferred))
		atcp_sock_kill_locked(sk);
	atcp_mem_account(sk);
	atcp_sock_settle(sk);
}

/* Reset the connections that a closing listener had not handed out. Lock: the listener. */
static void atcp_abort_children(struct sock *sk)
{
	struct atcp_conn *c;

	while ((c = atcp_core_accept(&atcp_sk(sk)->conn, atcp_now())) != NULL) {
		struct sock *child = atcp_sk_of_conn(c);

		local_bh_disable();
		bh_lock_sock(child);
		sock_hold(child);
		WARN_ON_ONCE(sock_owned_by_user(child));
		sock_orphan(child);
		atcp_core_abort(c, ATCP_REASON_ABORT_LISTENER, atcp_now());
		atcp_rx_purge(child);
		atcp_sock_settle(child);
		bh_unlock_sock(child);
		local_bh_enable();
		sock_put(child);
		cond_resched();
	}
}

static void atcp_close_locked(struct sock *sk, long timeout)
{
	struct atcp_sock *asp = atcp_sk(sk);
	bool linger0 = sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime;
	bool listener = sk->sk_state == TCP_LISTEN;
	u32 unread, reason;
	s64 orphans;

	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	asp->flags |= ATCP_F_CLOSING;
	unread = atcp_rx_purge(sk);
	if (!listener && !unread && !linger0 && timeout) {
		/* Linger: the FIN goes now, the program waits until it is acknowledged. */
		atcp_core_shutdown(&asp->conn, atcp_now());
		sk_stream_wait_close(sk, timeout);
		unread = atcp_rx_purge(sk);
	}

	sock_orphan(sk);
	atcp_core_close(&asp->conn, unread, linger0, atcp_now());
	if (listener)
		atcp_abort_children(sk);
	atcp_rx_purge(sk);
	if (sk->sk_state == TCP_CLOSE)
		return;
	/* It goes on without a program. */
	asp->flags |= ATCP_F_ORPHAN;
	percpu_counter_inc(&atcp_sk_osns(sk)->orphans);
	orphans = percpu_counter_read_positive(&atcp_sk_osns(sk)->orphans);
	reason = atcp_core_orphan_refused(&asp->conn, min_t(s64, orphans, U32_MAX),
					  atcp_mem_level(sk));
	if (reason)
		atcp_core_abort(&asp->conn, reason, atcp_now());
}

/* proto->close. Context: process. */
void atcp_sock_close(struct sock *sk, long timeout)
{
	struct atcp_osns *osns = atcp_sk_osns(sk);
	bool reap;

	/* The namespace must outlive the socket for the last line. */
	sock_hold(sk);
	lock_sock(sk);
	reap = atcp_sk(sk)->port;
	atcp_close_locked(sk, timeout);
	/* Runs the backlog and then release_cb, which destroys the socket if it is CLOSED. */
	release_sock(sk);
	if (reap && READ_ONCE(osns->ports_unused))
		atcp_ports_reap(osns);
	sock_put(sk);
}

/* proto->disconnect: back to what socket() made, apart from options. Lock: socket. */
int atcp_sock_disconnect(struct sock *sk, int flags)
{
	struct inet_sock *inet = inet_sk(sk);
	struct atcp_sock *asp = atcp_sk(sk);
	int old = sk->sk_state;

	if (old == TCP_LISTEN) {
		atcp_core_abort(&asp->conn, ATCP_REASON_ABORT_BY_USER, atcp_now());
		atcp_abort_children(sk);
	} else if (old != TCP_CLOSE) {
		WRITE_ONCE(sk->sk_err, ECONNRESET);
		atcp_core_abort(&asp->conn, ATCP_REASON_ABORT_BY_USER, atcp_now());
	}
	atcp_rx_purge(sk);
	atcp_core_forget(&asp->conn);
	WRITE_ONCE(sk->sk_peek_off, -1);
	WRITE_ONCE(sk->sk_shutdown, 0);
	sock_reset_flag(sk, SOCK_DONE);
	WRITE_ONCE(sk->sk_err_soft, 0);
	atcp_undefer_connect(sk);

	inet->inet_dport = 0;
	inet->inet_daddr = 0;
	if (sk->sk_family == AF_INET6)
		sk->sk_v6_daddr = in6addr_any;
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		inet_reset_saddr(sk);
	if (!(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
		atcp_put_port(sk);
	sk_dst_reset(sk);
	atcp_path_forget(sk);
	atcp_forget_syn(sk);
	if (sk->sk_frag.page) {
		put_page(sk->sk_frag.page);
		sk->sk_frag.page = NULL;
		sk->sk_frag.offset = 0;
	}
	sk_error_report(sk);
	return 0;
}

/* proto->shutdown. Lock: socket. */
void atcp_sock_shutdown(struct sock *sk, int how)
{
	/* States that have no FIN to send are no error here: inet_shutdown() has judged them. */
	if (how & RCV_SHUTDOWN)
		atcp_core_shutdown_rx(&atcp_sk(sk)->conn);
	if (how & SEND_SHUTDOWN)
		atcp_core_shutdown(&atcp_sk(sk)->conn, atcp_now());
}

/* Try again in a moment? Not for long: a caller may hold what the whole host waits for (genetlink's lock). */
static bool atcp_wait_a_moment(unsigned long until)
{
	if (time_after_eq(jiffies, until) || fatal_signal_pending(current))
		return false;
	usleep_range(500, 1000);
	return true;
}

static bool atcp_try_take(struct sock *sk)
{
	local_bh_disable();
	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk)) {
		__release(&sk->sk_lock.slock); /* for sparse: whose lock it is, depends on the answer */
		return true;
	}
	bh_unlock_sock(sk);
	local_bh_enable();
	return false;
}

bool atcp_sock_take(struct sock *sk, unsigned long until)
{
	bool taken;

	do
		taken = atcp_try_take(sk);
	while (!taken && atcp_wait_a_moment(until));
	return taken;
}

void atcp_sock_let_go(struct sock *sk)
{
	atcp_mem_account(sk);
	atcp_sock_settle(sk);
	__acquire(&sk->sk_lock.slock);
	bh_unlock_sock(sk);
	local_bh_enable();
}

/* lock_sock() for those who cannot wait. True: the caller is its owner and calls release_sock(). */
static bool atcp_own(struct sock *sk, unsigned long until)
{
	if (!atcp_sock_take(sk, until))
		return false;
	sk->sk_lock.owned = 1;
	__acquire(&sk->sk_lock.slock);
	bh_unlock_sock(sk);
	local_bh_enable();
	mutex_acquire(&sk->sk_lock.dep_map, 0, 1, _RET_IP_);
	return true;
}

/* Its children go with it, as at close(2). False: it is none any more, or its program held it until then. Lock: none. */
static bool atcp_listener_kill(struct sock *sk, unsigned long until)
{
	bool was;

	if (!atcp_own(sk, until))
		return false;
	was = sk->sk_state == TCP_LISTEN;
	if (was) {
		WRITE_ONCE(sk->sk_err, ECONNABORTED);
		atcp_core_abort(&atcp_sk(sk)->conn, ATCP_REASON_ABORT_BY_USER, atcp_now());
		atcp_abort_children(sk);
		sk_error_report(sk);
	}
	release_sock(sk);
	return was;
}

bool atcp_sock_kill(struct sock *sk, unsigned long until)
{
	bool was;

	if (READ_ONCE(sk->sk_state) == TCP_LISTEN)
		return atcp_listener_kill(sk, until);

	/*
	 * By its spinlock: a connection in an accept queue must not have an owner, for a closing listener
	 * counts on that; and whoever owns another may sleep for long.
	 */
	local_bh_disable();
	bh_lock_sock(sk);
	was = sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN;
	if (sock_owned_by_user(sk)) {
		/* What its program makes of one that has ended is another. */
		if (was)
			set_bit(ATCP_DEFER_KILL, &atcp_sk(sk)->deferred);
		bh_unlock_sock(sk);
		local_bh_enable();
	} else {
		atcp_sock_kill_locked(sk);
		__release(&sk->sk_lock.slock);
		atcp_sock_let_go(sk);
	}
	return was;
}

/* ---- references and children, for the core ------------------------------------------- */

bool atcp_os_conn_tryget(struct atcp_conn *c)
{
	return refcount_inc_not_zero(&atcp_sk_of_conn(c)->sk_refcnt);
}

void atcp_os_conn_put(struct atcp_conn *c)
{
	sock_put(atcp_sk_of_conn(c));
}

bool atcp_os_conn_orphaned(const struct atcp_conn *c)
{
	const struct sock *sk = atcp_sk_of_conn(c);

	return sock_flag(sk, SOCK_DEAD) || (atcp_sk(sk)->flags & ATCP_F_CLOSING);
}

bool atcp_os_conn_same_path(const struct atcp_conn *a, const struct atcp_conn *b)
{
	const struct sock *x = atcp_sk_of_conn(a);
	const struct sock *y = atcp_sk_of_conn(b);

	return READ_ONCE(x->sk_bound_dev_if) == READ_ONCE(y->sk_bound_dev_if) &&
	       atcp_sk(x)->ip_proto == atcp_sk(y)->ip_proto;
}

struct atcp_conn *atcp_os_child_new(struct atcp_conn *listener, const struct atcp_tuple *t,
				    struct atcp_kept_route *kept)
{
	struct sock *lsk = atcp_sk_of_conn(listener);
	struct atcp_sock *asp;
	struct inet_sock *inet;
	struct ip_options_rcu *opt = NULL;
	struct atcp_path path ATCP_UNSET;
	struct dst_entry *dst;
	struct sock *sk;
	bool routed;
	int err = 0;

	routed = atcp_path_find(atcp_sk_osns(lsk), t, true, &path);
	dst = atcp_kept_dst(lsk, kept);
	if (unlikely(dst && routed)) {
		dst_release(dst);
		dst = NULL;
	}
	if (!dst)
		dst = atcp_tuple_route(atcp_sk_osns(lsk), lsk, t, atcp_sk(lsk)->ip_proto,
				       routed ? &path : NULL);
	if (!dst)
		return NULL;
	if (routed) {
		opt = atcp_path_dup(&path);
		if (!opt)
			goto no_memory;
	}
	sk = sk_clone_lock(lsk, GFP_ATOMIC);
	if (!sk)
		goto no_memory;
	/* From here on the copy must not share anything with the listener. */
	asp = atcp_sk(sk);
	inet = inet_sk(sk);
	RCU_INIT_POINTER(inet->inet_opt, opt);
	RCU_INIT_POINTER(sk->sk_rx_dst, NULL);
	inet->mc_list = NULL;
	memset(&inet->cork, 0, sizeof(inet->cork));
	sk->sk_frag.page = NULL;
	sk->sk_frag.offset = 0;
	sk->sk_frag.size = 0;
	atomic64_set(&sk->sk_cookie, 0);
	sk->sk_max_ack_backlog = 0;
	sk->sk_ack_backlog = 0;
	sk->sk_write_pending = 0;
	sk->sk_shutdown = 0;
	atomic_set(&sk->sk_tskey, 0);
	sock_reset_flag(sk, SOCK_DEAD);
	atcp_sock_setup(sk);
	asp->flags |= atcp_sk(lsk)->flags & ATCP_F_INQ;
	/* Its storage is constructed by the core, and counts as such from done or discard on. */
	asp->flags &= ~ATCP_F_CORE;
	asp->flags |= ATCP_F_CHILD;
	asp->port = atcp_port_inherit(lsk);
	memset(&asp->conn, 0, sizeof(asp->conn));
	if (sk->sk_family == AF_INET6)
		err = atcp6_child(sk, lsk);

	inet->inet_dport = atcp_be16(t->rport);
	inet->inet_sport = atcp_be16(t->lport);
	inet->inet_num = ntohs(inet->inet_sport);
	atomic_set(&inet->inet_id, get_random_u16());
	sk->sk_state = TCP_CLOSE;
	sk_set_txhash(sk);
	if (t->family == ATCP_AF_INET6) {
		atcp6_child_peer(sk, t, dst);
	} else {
		inet->inet_daddr = atcp_v4(&t->raddr);
		inet->inet_rcv_saddr = atcp_v4(&t->laddr);
		inet->inet_saddr = atcp_v4(&t->laddr);
		atcp_options_child(sk);
		if (sk->sk_family == AF_INET6)
			atcp6_show_mapped(sk);
		sk->sk_gso_type = SKB_GSO_TCPV4;
		sk_setup_caps(sk, dst);
	}
	if (!err)
		return &asp->conn;
	atcp_os_child_discard(&asp->conn);
	return NULL;

no_memory:
	kfree(opt);
	dst_release(dst);
	return NULL;
}

void atcp_os_child_done(struct atcp_conn *child)
	__releases(&atcp_sk_of_conn(child)->sk_lock.slock)
{
	struct sock *sk = atcp_sk_of_conn(child);

	atcp_sk(sk)->flags |= ATCP_F_CORE;
	atcp_mem_account(sk); /* it may have data already */
	bh_unlock_sock(sk);
	sock_put(sk);
}

void atcp_os_child_discard(struct atcp_conn *child)
	__releases(&atcp_sk_of_conn(child)->sk_lock.slock)
{
	struct sock *sk = atcp_sk_of_conn(child);

	atcp_sk(sk)->flags |= ATCP_F_CORE;
	sk->sk_state = TCP_CLOSE;
	sock_set_flag(sk, SOCK_DEAD);
	atcp_rx_purge(sk);
	atcp_sock_destroy(sk);
	bh_unlock_sock(sk);
	sock_put(sk);
}
