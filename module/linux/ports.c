// SPDX-License-Identifier: GPL-2.0
/*
 * Ports shared honestly with the kernel's TCP: whoever of ours binds a port also holds a bound,
 * never-connected socket of the kernel's TCP on the same address and port, so that each side sees
 * the other's EADDRINUSE. Which of our own sockets may share a port is the core's decision; they
 * then share one reservation.
 *
 * Reservations must not exclude each other (0.0.0.0:80 and 127.0.0.1:80 may both be ours), yet
 * exclude everybody else: they have SO_REUSEPORT on with an owner that no process can be.
 *
 * A reservation is released in process context: by the call that gave up the last use, or by a work
 * item if that happened in softirq.
 */
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/ip.h>

#include "glue.h"

struct atcp_port {
	struct list_head node; /* in atcp_osns.ports; lock: port_lock */
	struct socket *sock;   /* of the kernel's TCP; constant */
	atomic_t users;	       /* our sockets; 0: about to be released; leaves 0 under port_lock */
	struct in6_addr addr;  /* an IPv4 one mapped; constant */
	__be16 port;	       /* constant */
	bool v4;	       /* a socket of AF_INET holds it; constant */
	bool only6;	       /* IPv6's any without IPv4's; constant */
	int dev;	       /* the link of a link-local address, or 0; constant */
	struct rcu_head rcu;
};

static struct lock_class_key atcp_port_slock_key;
static struct lock_class_key atcp_port_lock_key;

static struct atcp_port *atcp_port_find(struct atcp_osns *osns, const struct atcp_port *like)
{
	struct atcp_port *p;

	lockdep_assert_held(&osns->port_lock);
	list_for_each_entry(p, &osns->ports, node)
		if (p->port == like->port && p->v4 == like->v4 && p->only6 == like->only6 &&
		    p->dev == like->dev &&
		    ipv6_addr_equal(&p->addr, &like->addr))
			return p;
	return NULL;
}

/* What sk is bound to, but for the port. Lock: sk. */
static void atcp_port_like(const struct sock *sk, __be16 port, struct atcp_port *like)
{
	like->port = port;
	like->v4 = sk->sk_family != AF_INET6 || ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr);
	like->only6 = !like->v4 && ipv6_only_sock(sk);
	like->dev = 0;
	if (like->v4)
		ipv6_addr_set_v4mapped(inet_sk(sk)->inet_rcv_saddr, &like->addr);
	else
		like->addr = sk->sk_v6_rcv_saddr;
	if (ipv6_addr_type(&like->addr) & IPV6_ADDR_LINKLOCAL)
		like->dev = sk->sk_bound_dev_if;
}

/* The address as bind(2) takes it. Returns its length. */
static int atcp_port_sockaddr(const struct atcp_port *p, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (p->v4) {
		sin->sin_family = AF_INET;
		sin->sin_port = p->port;
		sin->sin_addr.s_addr = p->addr.s6_addr32[3];
		return sizeof(*sin);
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = p->port;
	sin6->sin6_addr = p->addr;
	return sizeof(*sin6);
}

/*
 * SO_REUSEADDR lets a restarted server take a port on which the kernel's TCP has only old
 * connections (TIME_WAIT) left. The kernel would then let its own SO_REUSEADDR sockets in as
 * well; a moment as a listener makes it forget that, and the socket stays bound.
 */
static int atcp_port_bind_reuse(struct socket *sock, struct sockaddr *addr, int len)
{
	struct sock *sk = sock->sk;
	int err;

	lock_sock(sk);
	sk->sk_reuseport = 0;
	sk->sk_reuse = SK_CAN_REUSE;
	release_sock(sk);
	err = kernel_bind(sock, addr, len);
	if (err)
		return err;
	err = kernel_listen(sock, 0);
	if (err)
		return err;
	kernel_sock_shutdown(sock, SHUT_RDWR);
	lock_sock(sk);
	sk->sk_reuse = SK_NO_REUSE;
	sk->sk_reuseport = 1;
	release_sock(sk);
	return 0;
}

static struct socket *atcp_port_socket(const struct sock *sk, const struct atcp_port *p, int *err)
{
	struct sockaddr_storage ss;
	int len = atcp_port_sockaddr(p, &ss);
	struct socket *sock;

	*err = sock_create_kern(sock_net(sk), p->v4 ? AF_INET : AF_INET6, SOCK_STREAM, IPPROTO_TCP,
				&sock);
	if (*err)
		return NULL;
	/* It is locked inside one of our sockets' lock, whose class is the same by default. */
	sock_lock_init_class_and_name(sock->sk, "slock-AF_INET-ATCP_PORT", &atcp_port_slock_key,
				      "sk_lock-AF_INET-ATCP_PORT", &atcp_port_lock_key);
	SOCK_INODE(sock)->i_uid = INVALID_UID;
	/* IP_FREEBIND: the program's own bind has judged the address already. */
	ip_sock_set_freebind(sock->sk);
	lock_sock(sock->sk);
	sock->sk->sk_reuseport = 1;
	sock->sk->sk_reuse = SK_NO_REUSE;
	sock->sk->sk_ipv6only = p->only6;
	sock->sk->sk_bound_dev_if = p->dev;
	release_sock(sock->sk);

	*err = kernel_bind(sock, (struct sockaddr *)&ss, len);
	if (*err == -EADDRINUSE && sk->sk_reuse)
		*err = atcp_port_bind_reuse(sock, (struct sockaddr *)&ss, len);
	if (*err) {
		sock_release(sock);
		return NULL;
	}
	return sock;
}

/*
 * Reserve a port for one of our sockets, on the address that it is being bound to. NULL: *err is
 * -EADDRINUSE, -ENOMEM or what the kernel said. Context: process. Lock: sk.
 */
struct atcp_port *atcp_port_take(const struct sock *sk, __be16 port, int *err)
{
	struct atcp_osns *osns = atcp_sk_osns(sk);
	struct atcp_port *p, *other;
	struct atcp_port like;

	atcp_port_like(sk, port, &like);
	spin_lock_bh(&osns->port_lock);
	p = atcp_port_find(osns, &like);
	if (p && !atomic_inc_not_zero(&p->users))
		atomic_set(&p->users, 1);
	spin_unlock_bh(&osns->port_lock);
	if (p)
		return p;

	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p) {
		*err = -ENOMEM;
		return NULL;
	}
	p->addr = like.addr;
	p->port = like.port;
	p->v4 = like.v4;
	p->only6 = like.only6;
	p->dev = like.dev;
	p->sock = atcp_port_socket(sk, p, err);
	if (!p->sock) {
		kfree(p);
		return NULL;
	}
	atomic_set(&p->users, 1);

	spin_lock_bh(&osns->port_lock);
	other = atcp_port_find(osns, &like);
	if (!other)
		list_add(&p->node, &osns->ports);
	else if (!atomic_inc_not_zero(&other->users))
		atomic_set(&other->users, 1);
	spin_unlock_bh(&osns->port_lock);
	if (!other)
		return p;
	sock_release(p->sock);
	kfree(p);
	return other;
}

/*
 * One more user of the reservation that a listener holds; NULL if it is giving it up. Context:
 * softirq. Lock: none; the listener is referenced.
 */
struct atcp_port *atcp_port_inherit(const struct sock *listener)
{
	struct atcp_port *p;

	rcu_read_lock();
	p = READ_ONCE(atcp_sk(listener)->port);
	if (p && !atomic_inc_not_zero(&p->users))
		p = NULL;
	rcu_read_unlock();
	return p;
}

/* Give a socket's reservation up. Context: softirq. Lock: socket. */
void atcp_port_drop(struct sock *sk)
{
	struct atcp_port *p = atcp_sk(sk)->port;

	WRITE_ONCE(atcp_sk(sk)->port, NULL);
	if (p && atomic_dec_and_test(&p->users)) {
		WRITE_ONCE(atcp_sk_osns(sk)->ports_unused, true);
		schedule_work(&atcp_sk_osns(sk)->port_work);
	}
}

void atcp_ports_reap(struct atcp_osns *osns)
{
	struct atcp_port *p, *next;
	LIST_HEAD(dead);

	spin_lock_bh(&osns->port_lock);
	/* Before the look: whoever gives one up after it says so again. */
	WRITE_ONCE(osns->ports_unused, false);
	smp_mb();
	list_for_each_entry_safe(p, next, &osns->ports, node)
		if (!atomic_read(&p->users))
			list_move(&p->node, &dead);
	spin_unlock_bh(&osns->port_lock);

	list_for_each_entry_safe(p, next, &dead, node) {
		sock_release(p->sock);
		kfree_rcu(p, rcu);
	}
}

static void atcp_port_work(struct work_struct *w)
{
	atcp_ports_reap(container_of(w, struct atcp_osns, port_work));
}

void atcp_ports_init(struct atcp_osns *osns)
{
	spin_lock_init(&osns->port_lock);
	INIT_LIST_HEAD(&osns->ports);
	INIT_WORK(&osns->port_work, atcp_port_work);
}

/* No socket of the namespace is left. */
void atcp_ports_exit(struct atcp_osns *osns)
{
	cancel_work_sync(&osns->port_work);
	atcp_ports_reap(osns);
	WARN_ON_ONCE(!list_empty(&osns->ports));
}
