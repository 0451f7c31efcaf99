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
	__be32 addr;	       /* constant */
	__be16 port;	       /* constant */
	struct rcu_head rcu;
};

static struct lock_class_key atcp_port_slock_key;
static struct lock_class_key atcp_port_lock_key;

static struct atcp_port *atcp_port_find(struct atcp_osns *osns, __be32 addr, __be16 port)
{
	struct atcp_port *p;

	lockdep_assert_held(&osns->port_lock);
	list_for_each_entry(p, &osns->ports, node)
		if (p->port == port && p->addr == addr)
			return p;
	return NULL;
}

/*
 * SO_REUSEADDR lets a restarted server take a port on which the kernel's TCP has only old
 * connections (TIME_WAIT) left. The kernel would then let its own SO_REUSEADDR sockets in as
 * well; a moment as a listener makes it forget that, and the socket stays bound.
 */
static int atcp_port_bind_reuse(struct socket *sock, struct sockaddr_in *sin)
{
	struct sock *sk = sock->sk;
	int err;

	lock_sock(sk);
	sk->sk_reuseport = 0;
	sk->sk_reuse = SK_CAN_REUSE;
	release_sock(sk);
	err = kernel_bind(sock, (struct sockaddr *)sin, sizeof(*sin));
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

static struct socket *atcp_port_socket(struct net *net, __be32 addr, __be16 port, bool reuse,
				       int *err)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = port,
		.sin_addr.s_addr = addr,
	};
	struct socket *sock;

	*err = sock_create_kern(net, AF_INET, SOCK_STREAM, IPPROTO_TCP, &sock);
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
	release_sock(sock->sk);

	*err = kernel_bind(sock, (struct sockaddr *)&sin, sizeof(sin));
	if (*err == -EADDRINUSE && reuse)
		*err = atcp_port_bind_reuse(sock, &sin);
	if (*err) {
		sock_release(sock);
		return NULL;
	}
	return sock;
}

/*
 * Reserve (addr, port) for one of our sockets. reuse: it has SO_REUSEADDR on. NULL: *err is
 * -EADDRINUSE, -ENOMEM or what the kernel said. Context: process; the caller's socket lock may be
 * held.
 */
struct atcp_port *atcp_port_take(struct atcp_osns *osns, __be32 addr, __be16 port, bool reuse,
				 int *err)
{
	struct atcp_port *p, *other;

	spin_lock_bh(&osns->port_lock);
	p = atcp_port_find(osns, addr, port);
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
	p->sock = atcp_port_socket(osns->net, addr, port, reuse, err);
	if (!p->sock) {
		kfree(p);
		return NULL;
	}
	p->addr = addr;
	p->port = port;
	atomic_set(&p->users, 1);

	spin_lock_bh(&osns->port_lock);
	other = atcp_port_find(osns, addr, port);
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
	if (p && atomic_dec_and_test(&p->users))
		schedule_work(&atcp_sk_osns(sk)->port_work);
}

void atcp_ports_reap(struct atcp_osns *osns)
{
	struct atcp_port *p, *next;
	LIST_HEAD(dead);

	spin_lock_bh(&osns->port_lock);
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
