// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses and ports: bind, listen, connect, accept. The checks that Linux makes of addresses and
 * the waiting are here; which port is free and what happens on the wire is decided by the core.
 */
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <net/ip.h>
#include <net/route.h>

#include "glue.h"

/* How often another port is tried if the kernel's TCP holds the one that the core chose. */
enum { ATCP_PORT_TRIES = 64 };

static u32 atcp_bind_flags(const struct sock *sk, bool explicit_port)
{
	return (sk->sk_reuse ? ATCP_BIND_REUSEADDR : 0) |
	       (sk->sk_reuseport ? ATCP_BIND_REUSEPORT : 0) |
	       (explicit_port ? ATCP_BIND_EXPLICIT_PORT : 0) |
	       (ipv6_only_sock(sk) ? ATCP_BIND_V6ONLY : 0);
}

/* proto->get_port: take local port snum, or any for 0. Lock: socket. RFC 9293 3.9.1.1 (MUST-43). */
int atcp_get_port(struct sock *sk, unsigned short snum)
{
	struct inet_sock *inet = inet_sk(sk);
	struct atcp_sock *asp = atcp_sk(sk);
	union atcp_ip laddr = { .v4 = (__force u32)inet->inet_rcv_saddr };
	u16 family = ATCP_AF_INET;
	u32 uid = from_kuid(&init_user_ns, sock_i_uid(sk));
	int tries = snum ? 1 : ATCP_PORT_TRIES;
	struct atcp_port *p;
	enum atcp_err e;
	__be16 lport;
	int err;

	if (sk->sk_family == AF_INET6)
		atcp6_bound_to(sk, &family, &laddr);
	do {
		lport = htons(snum);
		e = atcp_core_bind(&asp->conn, family, &laddr, (__force u16 *)&lport,
				   atcp_bind_flags(sk, snum), uid);
		if (e)
			return -atcp_errno(e);
		p = atcp_port_take(sk, lport, &err);
		if (p) {
			WRITE_ONCE(asp->port, p);
			inet->inet_num = ntohs(lport);
			return 0;
		}
		atcp_core_unbind(&asp->conn);
	} while (err == -EADDRINUSE && --tries);
	return err;
}

/* proto->put_port. Lock: socket. */
void atcp_put_port(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);

	atcp_core_unbind(&atcp_sk(sk)->conn);
	atcp_port_drop(sk);
	/* getsockname(2) goes on showing the port, as with Linux TCP; inet_num says that it is nobody's. */
	inet->inet_num = 0;
}

/* proto_ops->listen. Context: process. */
int atcp_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	struct inet_sock *inet = inet_sk(sk);
	struct atcp_sock *asp = atcp_sk(sk);
	bool bound_here = false;
	int err = -EINVAL;
	u32 most;

	lock_sock(sk);
	if (sock->state != SS_UNCONNECTED || sock->type != SOCK_STREAM ||
	    !((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN)))
		goto out;

	if (sk->sk_state == TCP_CLOSE) {
		if (!inet->inet_num) {
			err = atcp_get_port(sk, 0);
			if (err)
				goto out;
			inet->inet_sport = htons(inet->inet_num);
			bound_here = true;
		}
		asp->ip_proto = atcp_wire_proto(atcp_sk_osns(sk));
		sk_dst_reset(sk);
	}
	/* listen(2) has cut it to the first already; whether anything was cut, only the program knows. */
	most = min_t(u32, READ_ONCE(sock_net(sk)->core.sysctl_somaxconn),
		     atcp_core_somaxconn(&asp->conn));
	backlog = min_t(u32, backlog, most);
	WRITE_ONCE(sk->sk_max_ack_backlog, backlog);
	WRITE_ONCE(asp->at_somaxconn, backlog == most);
	err = -atcp_errno(atcp_core_listen(&asp->conn, backlog, atcp_bind_flags(sk, true),
					     atcp_now()));
	if (err && bound_here)
		atcp_put_port(sk);
out:
	release_sock(sk);
	return err;
}

/* Wait for a connection to accept. Lock: the listener. */
static struct atcp_conn *atcp_wait_accept(struct sock *sk, long timeo, int *err)
{
	struct atcp_conn *c = NULL;
	DEFINE_WAIT(wait);

	for (;;) {
		prepare_to_wait_exclusive(sk_sleep(sk), &wait, TASK_INTERRUPTIBLE);
		release_sock(sk);
		if (!atcp_core_accept_queue(&atcp_sk(sk)->conn))
			timeo = schedule_timeout(timeo);
		sched_annotate_sleep();
		lock_sock(sk);
		*err = -EINVAL;
		if (sk->sk_state != TCP_LISTEN)
			break;
		c = atcp_core_accept(&atcp_sk(sk)->conn, atcp_now());
		if (c)
			break;
		*err = sock_intr_errno(timeo);
		if (signal_pending(current))
			break;
		*err = -EAGAIN;
		if (!timeo)
			break;
	}
	finish_wait(sk_sleep(sk), &wait);
	return c;
}

/* proto->accept. The program inherits the queue's reference. Context: process. */
struct sock *atcp_accept(struct sock *sk, ATCP_ACCEPT_ARGS)
{
	struct atcp_conn *c = NULL;
	int err = -EINVAL;
	long timeo;

	lock_sock(sk);
	if (sk->sk_state != TCP_LISTEN)
		goto out;
	c = atcp_core_accept(&atcp_sk(sk)->conn, atcp_now());
	if (c)
		goto out;
	err = -EAGAIN;
	timeo = sock_rcvtimeo(sk, atcp_accept_flags() & O_NONBLOCK);
	if (timeo)
		c = atcp_wait_accept(sk, timeo, &err);
out:
	release_sock(sk);
	if (!c) {
		atcp_accept_error(err);
		return NULL;
	}
	atcp_memcg_accepted(atcp_sk_of_conn(c));
	return atcp_sk_of_conn(c);
}

/* Undo what a failed connect() had set. Lock: socket. */
static void atcp_connect_undo(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);

	inet->inet_daddr = 0;
	inet->inet_dport = 0;
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK)) {
		inet->inet_saddr = 0;
		inet->inet_rcv_saddr = 0;
	}
	if (!atcp_sk(sk)->port) {
		inet->inet_num = 0;
		inet->inet_sport = 0;
	}
	sk_dst_reset(sk);
	sk->sk_route_caps = 0;
}

/*
 * proto->connect; waiting is inet_stream_connect()'s. Lock: socket.
 * RFC 9293 3.9.1.1: IP chooses the source (MUST-44), no broadcast or multicast (MUST-46).
 */
int atcp_connect(struct sock *sk, struct sockaddr *uaddr, int addr_len)
{
	struct sockaddr_in *usin = (struct sockaddr_in *)uaddr;
	struct inet_sock *inet = inet_sk(sk);
	struct atcp_sock *asp = atcp_sk(sk);
	struct atcp_tuple t = { .family = ATCP_AF_INET };
	__be32 daddr, hop;
	struct flowi4 fl4;
	struct rtable *rt;
	int err;

	if (addr_len < sizeof(struct sockaddr_in))
		return -EINVAL;
	if (usin->sin_family != AF_INET)
		return -EAFNOSUPPORT;

	asp->ip_proto = atcp_wire_proto(atcp_sk_osns(sk));
	daddr = usin->sin_addr.s_addr;
	/* RFC 9293 3.9.2.1 (MUST-51). */
	hop = atcp_path_first_hop(atcp_path_of(sk), daddr);
	rt = ip_route_connect(&fl4, hop, inet->inet_saddr, sk->sk_bound_dev_if, asp->ip_proto,
			      inet->inet_sport, usin->sin_port, sk);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	if (!atcp_path_strict_ok(atcp_path_of(sk), rt))
		return -EHOSTUNREACH;
	if (rt->rt_flags & (RTCF_MULTICAST | RTCF_BROADCAST)) {
		ip_rt_put(rt);
		return -ENETUNREACH;
	}
	/* connect() to 0.0.0.0 means this host. */
	if (hop == daddr)
		daddr = fl4.daddr;
	asp->flags &= ~ATCP_F_CHILD;

	if (!inet->inet_saddr) {
		inet->inet_saddr = fl4.saddr;
		inet->inet_rcv_saddr = fl4.saddr;
	}
	inet->inet_dport = usin->sin_port;
	inet->inet_daddr = daddr;
	atomic_set(&inet->inet_id, get_random_u16());
	sk_set_txhash(sk);
	sk->sk_gso_type = SKB_GSO_TCPV4;
	sk_setup_caps(sk, &rt->dst);
	/* What became of the connection before this one, if nobody asked, is nobody's business any more. */
	WRITE_ONCE(sk->sk_err, 0);
	WRITE_ONCE(sk->sk_err_soft, 0);
	sock_reset_flag(sk, SOCK_DONE);

	t.laddr.v4 = (__force u32)inet->inet_saddr;
	t.raddr.v4 = (__force u32)daddr;
	/* inet_sport may be that of a connection which has ended. */
	t.lport = inet->inet_num ? (__force u16)inet->inet_sport : 0;
	t.rport = (__force u16)usin->sin_port;
	err = -atcp_errno(atcp_core_connect(&asp->conn, &t, asp->flags & ATCP_F_FASTOPEN,
					    atcp_now()));
	if (err) {
		atcp_connect_undo(sk);
		return err;
	}
	inet->inet_sport = atcp_be16(t.lport);
	inet->inet_num = ntohs(inet->inet_sport);
	/* The SYN waits for data: connect() returns at once, as if it were done. */
	if (atcp_core_syn_held(&asp->conn))
		atcp_defer_connect(sk);
	return 0;
}
