// SPDX-License-Identifier: GPL-2.0
/* Calls that concern addresses and the connection: bind, listen, connect, accept, shutdown, names, poll, close. */
#include "compare.h"

/* ---- bind ---------------------------------------------------------------------------- */

static void try_bind(struct world *w, enum host host, int port)
{
	union address a;
	socklen_t len = address_of(&a, host, port);

	step_ret("bind", bind(w->fd, &a.any, len));
}

static void bind_any(struct world *w)
{
	try_bind(w, HOST_ANY, 0);
}

static void bind_loopback(struct world *w)
{
	try_bind(w, HOST_LOOPBACK, 0);
	try_bind(w, HOST_LOOPBACK, 0);
}

static void bind_taken(struct world *w)
{
	try_bind(w, HOST_LOOPBACK, w->nobody_port);
	try_bind(w, HOST_ANY, w->full_port);
	step_ret("SO_REUSEADDR", set_int(w->fd, SOL_SOCKET, SO_REUSEADDR, 1));
	try_bind(w, HOST_LOOPBACK, w->full_port);
}

static void bind_elsewhere(struct world *w)
{
	try_bind(w, HOST_FOREIGN, 0);
	try_bind(w, HOST_BROADCAST, 0);
	try_bind(w, HOST_MULTICAST, 0);
}

static void bind_free_address(struct world *w)
{
	step_ret("IP_FREEBIND", set_int(w->fd, SOL_IP, IP_FREEBIND, 1));
	try_bind(w, HOST_FOREIGN, 0);
}

static void bind_privileged(struct world *w)
{
	try_bind(w, HOST_LOOPBACK, 79);
}

static void bind_lengths(struct world *w)
{
	union address a;
	socklen_t len = address_of(&a, HOST_LOOPBACK, 0);

	step_ret("short", bind(w->fd, &a.any, too_short(len)));
	step_ret("family only", bind(w->fd, &a.any, 2));
	step_ret("0", bind(w->fd, &a.any, 0));
	step_ret("negative", bind(w->fd, &a.any, -1));
	step_ret("too long", bind(w->fd, &a.any, sizeof(a) + 1));
	step_ret("room", bind(w->fd, &a.any, sizeof(a)));
}

static void bind_pointers(struct world *w)
{
	union address a;
	socklen_t len = address_of(&a, HOST_LOOPBACK, 0);

	step_ret("NULL", bind(w->fd, NULL, len));
	step_ret("NULL, 0", bind(w->fd, NULL, 0));
	step_ret("nowhere", bind(w->fd, NOWHERE, len));
	memcpy(edge(8), &a, 8);
	step_ret("half", bind(w->fd, (struct sockaddr *)edge(8), len));
}

static void bind_families(struct world *w)
{
	int other = family == AF_INET ? AF_INET6 : AF_INET;
	union address a;
	socklen_t len = address_in(other, &a, HOST_LOOPBACK, 0);

	step_ret("the other's address", bind(w->fd, &a.any, len));
	len = address_of(&a, HOST_LOOPBACK, 0);
	a.any.sa_family = other;
	step_ret("the other", bind(w->fd, &a.any, len));
	a.any.sa_family = AF_UNIX;
	step_ret("AF_UNIX", bind(w->fd, &a.any, len));
	a.any.sa_family = AF_UNSPEC;
	step_ret("AF_UNSPEC loopback", bind(w->fd, &a.any, len));
	address_of(&a, HOST_ANY, 0);
	a.any.sa_family = AF_UNSPEC;
	step_ret("AF_UNSPEC any", bind(w->fd, &a.any, len));
}

/* ---- listen and accept --------------------------------------------------------------- */

static void call_listen(struct world *w)
{
	step_ret("listen 5", listen(w->fd, 5));
	step_ret("listen 0", listen(w->fd, 0));
	step_ret("listen -1", listen(w->fd, -1));
}

static void note_accept(struct world *w, const char *name, int fd)
{
	step_fd(name, fd);
	if (fd < 0)
		return;
	step("accepted", "state %d flags %#x", state_of(fd), fcntl(fd, F_GETFL) & O_NONBLOCK);
	w->named[0] = fd;
}

static void call_accept(struct world *w)
{
	union address a;
	socklen_t len = sizeof(a);
	int fd = accept(w->fd, &a.any, &len);

	note_accept(w, "accept", fd);
	if (fd >= 0)
		step("from", "%s, %u bytes", address_text(w, &a, len), len);
	step_fd("once more", accept(w->fd, NULL, NULL));
}

static void accept_lengths(struct world *w)
{
	union address a;
	socklen_t len = -1;

	step_fd("negative", accept(w->fd, &a.any, &len));
	len = 5;
	note_accept(w, "short", accept(w->fd, &a.any, &len));
	step("length", "%u", len);
}

static void accept_pointers(struct world *w)
{
	union address a;
	socklen_t len = sizeof(a);

	step_fd("length nowhere", accept(w->fd, &a.any, NOWHERE));
	step_fd("address nowhere", accept(w->fd, NOWHERE, &len));
	step_fd("length NULL", accept(w->fd, &a.any, NULL));
	step_fd("both NULL", accept(w->fd, NULL, NULL));
}

static void accept_flags(struct world *w)
{
	step_fd("unknown", accept4(w->fd, NULL, NULL, 1));
	step_fd("-1", accept4(w->fd, NULL, NULL, -1));
	note_accept(w, "nonblock", accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

/* ---- connect ------------------------------------------------------------------------- */

static void try_connect(struct world *w, const char *name, enum host host, int port)
{
	union address a;
	socklen_t len = address_of(&a, host, port);

	step_ret(name, connect(w->fd, &a.any, len));
	world_settle();
}

static void connect_listener(struct world *w)
{
	try_connect(w, "first", HOST_LOOPBACK, w->port);
	step("poll", "%s", poll_text(polled(w->fd)));
	try_connect(w, "second", HOST_LOOPBACK, w->port);
	try_connect(w, "third", HOST_LOOPBACK, w->port);
}

static void connect_nobody(struct world *w)
{
	try_connect(w, "first", HOST_LOOPBACK, w->nobody_port);
	step("poll", "%s", poll_text(polled(w->fd)));
	try_connect(w, "second", HOST_LOOPBACK, w->nobody_port);
	try_connect(w, "third", HOST_LOOPBACK, w->nobody_port);
}

static void connect_full(struct world *w)
{
	try_connect(w, "first", HOST_LOOPBACK, w->full_port);
	try_connect(w, "second", HOST_LOOPBACK, w->full_port);
}

static void connect_nowhere(struct world *w)
{
	try_connect(w, "no route", HOST_NO_ROUTE, 80);
	try_connect(w, "broadcast", HOST_BROADCAST, 80);
	try_connect(w, "multicast", HOST_MULTICAST, 80);
}

static void connect_any(struct world *w)
{
	try_connect(w, "0.0.0.0", HOST_ANY, w->port);
}

static void connect_port_0(struct world *w)
{
	try_connect(w, "port 0", HOST_LOOPBACK, 0);
}

static void connect_unspec(struct world *w)
{
	struct sockaddr a = { .sa_family = AF_UNSPEC };

	step_ret("AF_UNSPEC", connect(w->fd, &a, sizeof(a)));
	step("poll", "%s", poll_text(polled(w->fd)));
	step_ret("2 bytes", connect(w->fd, &a, 2));
	try_connect(w, "and to the listener", HOST_LOOPBACK, w->port);
}

static void connect_lengths(struct world *w)
{
	union address a;
	socklen_t len = address_of(&a, HOST_LOOPBACK, w->port);

	step_ret("0", connect(w->fd, &a.any, 0));
	step_ret("1", connect(w->fd, &a.any, 1));
	step_ret("2", connect(w->fd, &a.any, 2));
	step_ret("short", connect(w->fd, &a.any, too_short(len)));
	step_ret("negative", connect(w->fd, &a.any, -1));
	step_ret("too long", connect(w->fd, &a.any, sizeof(a) + 1));
}

static void connect_pointers(struct world *w)
{
	step_ret("NULL", connect(w->fd, NULL, 16));
	step_ret("nowhere", connect(w->fd, NOWHERE, 16));
}

static void connect_families(struct world *w)
{
	int other = family == AF_INET ? AF_INET6 : AF_INET;
	union address a;
	socklen_t len = address_in(other, &a, HOST_LOOPBACK, w->port);

	step_ret("the other's address", connect(w->fd, &a.any, len));
	len = address_of(&a, HOST_LOOPBACK, w->port);
	a.any.sa_family = other;
	step_ret("the other", connect(w->fd, &a.any, len));
	a.any.sa_family = 200;
	step_ret("200", connect(w->fd, &a.any, len));
}

/* ---- shutdown and close --------------------------------------------------------------- */

static void shutdown_write(struct world *w)
{
	step_ret("shutdown", shutdown(w->fd, SHUT_WR));
	world_settle();
	step("poll", "%s", poll_text(polled(w->fd)));
	step_ret("again", shutdown(w->fd, SHUT_WR));
	step_ret("send", send(w->fd, "abc", 3, 0));
}

static void shutdown_read(struct world *w)
{
	char buf[8];

	step_ret("shutdown", shutdown(w->fd, SHUT_RD));
	world_settle();
	step("poll", "%s", poll_text(polled(w->fd)));
	step_ret("recv", recv(w->fd, buf, 4, 0));
	if (w->peer >= 0) {
		step_ret("peer's send", send(w->peer, "xyz", 3, 0));
		world_settle();
		step_ret("recv it", recv(w->fd, buf, 8, 0));
	}
}

static void shutdown_both(struct world *w)
{
	step_ret("shutdown", shutdown(w->fd, SHUT_RDWR));
	world_settle();
	step("poll", "%s", poll_text(polled(w->fd)));
	step_ret("write again", shutdown(w->fd, SHUT_WR));
	step_ret("read again", shutdown(w->fd, SHUT_RD));
}

static void shutdown_how(struct world *w)
{
	step_ret("-1", shutdown(w->fd, -1));
	step_ret("3", shutdown(w->fd, 3));
	step_ret("100", shutdown(w->fd, 100));
}

static void call_close(struct world *w)
{
	step_ret("close", close(w->fd));
	w->fd = -1;
}

static void close_linger(struct world *w)
{
	struct linger l = { 1, 0 };

	step_ret("SO_LINGER", setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	call_close(w);
}

/* A second descriptor keeps it open. */
static void close_one_of_two(struct world *w)
{
	int copy = MUST(dup(w->fd));

	step_ret("close", close(w->fd));
	w->fd = copy;
}

/* ---- names and poll ------------------------------------------------------------------- */

static void note_name(struct world *w, const char *who, int (*get)(int, struct sockaddr *, socklen_t *))
{
	union address a;
	socklen_t len = sizeof(a);
	char name[64];
	int n;

	memset(&a, 0xa5, sizeof(a));
	if (step_ret(who, get(w->fd, &a.any, &len)) == 0)
		step(who, "%s, %u bytes, padding %s", address_text(w, &a, len), len, family == AF_INET ? hex_text(a.v4.sin_zero, 8) : "-");
	for (n = 0; n <= 8; n += 4) {
		len = n;
		snprintf(name, sizeof(name), "%s with room for %d", who, n);
		step_ret(name, get(w->fd, &a.any, &len));
		step(name, "length %u", len);
	}
	len = -1;
	step_ret("negative", get(w->fd, &a.any, &len));
	len = sizeof(a);
	step_ret("address nowhere", get(w->fd, NOWHERE, &len));
	step_ret("length nowhere", get(w->fd, &a.any, NOWHERE));
}

static int get_own(int fd, struct sockaddr *a, socklen_t *len)
{
	return getsockname(fd, a, len);
}

static int get_peer(int fd, struct sockaddr *a, socklen_t *len)
{
	return getpeername(fd, a, len);
}

static void call_getsockname(struct world *w)
{
	note_name(w, "getsockname", get_own);
}

static void call_getpeername(struct world *w)
{
	note_name(w, "getpeername", get_peer);
}

static void call_poll(struct world *w)
{
	static const short asked[] = { 0, POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLRDNORM | POLLWRNORM, POLLRDBAND | POLLWRBAND };
	struct timeval none = { 0, 0 };
	fd_set in, out, other;
	size_t i;

	for (i = 0; i < COUNT(asked); i++) {
		struct pollfd p = { .fd = w->fd, .events = asked[i] };

		step_ret("poll", poll(&p, 1, 0));
		step("mask", "%s", poll_text(p.revents));
	}
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&other);
	FD_SET(w->fd, &in);
	FD_SET(w->fd, &out);
	FD_SET(w->fd, &other);
	step_ret("select", select(w->fd + 1, &in, &out, &other, &none));
	step("sets", "%d %d %d", !!FD_ISSET(w->fd, &in), !!FD_ISSET(w->fd, &out), !!FD_ISSET(w->fd, &other));
}

static void note_epoll(const char *name, int ep)
{
	struct epoll_event e = { 0 };
	int n = epoll_wait(ep, &e, 1, 0);

	step_ret(name, n);
	if (n == 1)
		step(name, "%s", poll_text(e.events));
}

static void epoll_with(struct world *w, uint32_t how)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | how };
	int ep = MUST(epoll_create1(0));
	char buf[32];

	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, w->fd, &e));
	note_epoll("first", ep);
	note_epoll("again", ep);
	if (w->peer >= 0) {
		step_ret("peer's send", send(w->peer, "more", 4, 0));
		world_settle();
		note_epoll("after data", ep);
		step_ret("recv", recv(w->fd, buf, sizeof(buf), 0));
		note_epoll("after reading", ep);
		step_ret("peer's shutdown", shutdown(w->peer, SHUT_WR));
		world_settle();
		note_epoll("after the end", ep);
	}
	step_ret("shutdown", shutdown(w->fd, SHUT_RDWR));
	world_settle();
	note_epoll("after shutdown", ep);
	close(ep);
}

static void epoll_level(struct world *w)
{
	epoll_with(w, 0);
}

static void epoll_edge(struct world *w)
{
	epoll_with(w, EPOLLET);
}

static void epoll_oneshot(struct world *w)
{
	epoll_with(w, EPOLLONESHOT);
}

const struct call conn_calls[] = {
#define C(name) { #name, name }
	C(bind_any), C(bind_loopback), C(bind_taken), C(bind_elsewhere), C(bind_free_address), C(bind_privileged),
	C(bind_lengths), C(bind_pointers), C(bind_families), C(accept_lengths), C(accept_pointers), C(accept_flags),
	C(connect_listener), C(connect_nobody), C(connect_full), C(connect_nowhere), C(connect_any), C(connect_port_0),
	C(connect_unspec), C(connect_lengths), C(connect_pointers), C(connect_families), C(shutdown_write),
	C(shutdown_read), C(shutdown_both), C(shutdown_how), C(close_one_of_two), C(close_linger), C(epoll_level),
	C(epoll_edge), C(epoll_oneshot), { "listen", call_listen }, { "accept", call_accept }, { "close", call_close },
	{ "getsockname", call_getsockname }, { "getpeername", call_getpeername }, { "poll", call_poll },
#undef C
};
const size_t conn_calls_count = COUNT(conn_calls);
