// SPDX-License-Identifier: GPL-2.0
/*
 * The states that a socket is brought into before a call is tried on it. Sockets do not block from here on (O_NONBLOCK):
 * a call in the wrong state would wait for ever; blocking calls are blocking.c's.
 */
#include "compare.h"

#include <linux/filter.h>

static void nonblocking(int fd)
{
	MUST(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
}

static void make_fresh(struct world *w)
{
	w->fd = new_socket(SOCK_NONBLOCK);
}

static void make_bound(struct world *w)
{
	union address a;
	socklen_t len = address_of(&a, HOST_LOOPBACK, 0);

	make_fresh(w);
	MUST(bind(w->fd, &a.any, len));
}

static void make_listening(struct world *w)
{
	w->fd = new_listener(3, &w->port);
	w->listener = -1;
	nonblocking(w->fd);
}

/* One connection in the accept queue; the peer is its client. */
static void make_waiting(struct world *w)
{
	make_listening(w);
	w->peer = new_socket(SOCK_NONBLOCK);
	connect_port(w->peer, w->port);
	world_settle();
}

/* The SYN is dropped, because the listener's queue is full. */
static void make_connecting(struct world *w)
{
	make_fresh(w);
	connect_port(w->fd, w->full_port);
	world_settle();
}

/* Refused, and the program has not been told. */
static void make_refused(struct world *w)
{
	make_fresh(w);
	connect_port(w->fd, w->nobody_port);
	world_settle();
}

static void make_refused_told(struct world *w)
{
	w->fd = new_socket(0);
	connect_port(w->fd, w->nobody_port);
	nonblocking(w->fd);
}

static void make_established(struct world *w)
{
	w->fd = new_socket(0);
	MUST(connect_port(w->fd, w->port));
	world_settle();
	w->peer = MUST(accept(w->listener, NULL, NULL));
	nonblocking(w->fd);
	nonblocking(w->peer);
}

/* The other side of the same: a listener's child. */
static void make_accepted(struct world *w)
{
	int fd;

	make_established(w);
	fd = w->fd;
	w->fd = w->peer;
	w->peer = fd;
}

static void make_unread(struct world *w)
{
	make_established(w);
	MUST(send(w->peer, "0123456789", 10, 0));
	world_settle();
}

/* The last of three bytes is urgent. */
static void make_urgent(struct world *w)
{
	make_established(w);
	MUST(send(w->peer, "ab!", 3, MSG_OOB));
	world_settle();
}

/* Whether the peer hears anything at all. */
static void set_deaf(int fd, bool deaf)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog p = { 1, &none };
	int unused = 0;

	if (deaf)
		MUST(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)));
	else
		MUST(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)));
}

void peer_listens(struct world *w)
{
	set_deaf(w->peer, false);
}

/*
 * Until the send buffer takes nothing any more. The peer hears nothing: a window that is closed would be probed, and may be
 * found open, after times that this machine may need for the next line.
 */
static void make_full(struct world *w)
{
	static char data[8192];

	w->fd = new_socket(0);
	/* Small, for it is filled a hundred times. */
	MUST(set_int(w->fd, SOL_SOCKET, SO_SNDBUF, 16384));
	MUST(connect_port(w->fd, w->port));
	world_settle();
	w->peer = MUST(accept(w->listener, NULL, NULL));
	nonblocking(w->fd);
	nonblocking(w->peer);
	set_deaf(w->peer, true);
	while (send(w->fd, data, sizeof(data), 0) > 0)
		;
	/* By single bytes what is left of the last piece. */
	while (send(w->fd, data, 1, 0) > 0)
		;
	world_settle();
}

static void make_close_wait(struct world *w)
{
	make_established(w);
	MUST(shutdown(w->peer, SHUT_WR));
	world_settle();
}

static void make_close_wait_unread(struct world *w)
{
	make_unread(w);
	MUST(shutdown(w->peer, SHUT_WR));
	world_settle();
}

/* The peer has closed altogether: what is sent now will be reset. */
static void make_peer_closed(struct world *w)
{
	make_established(w);
	close(w->peer);
	w->peer = -1;
	world_settle();
}

/* The peer may delay the ACK of a FIN by 40 ms, which on a slow machine may be over before the next step or not. */
static void finish_acked(struct world *w)
{
	world_settle();
	settled_state(w->fd);
}

static void make_fin_wait(struct world *w)
{
	make_established(w);
	MUST(shutdown(w->fd, SHUT_WR));
	finish_acked(w);
}

/* The FIN waits behind data that the peer does not read. */
static void make_fin_behind_data(struct world *w)
{
	make_full(w);
	MUST(shutdown(w->fd, SHUT_WR));
	world_settle();
}

static void make_read_shut(struct world *w)
{
	make_established(w);
	MUST(shutdown(w->fd, SHUT_RD));
	world_settle();
}

static void make_both_shut(struct world *w)
{
	make_established(w);
	MUST(shutdown(w->fd, SHUT_RDWR));
	finish_acked(w);
}

/* Own FIN first: what is left of it is in TIME_WAIT. */
static void make_finished_first(struct world *w)
{
	make_fin_wait(w);
	MUST(shutdown(w->peer, SHUT_WR));
	world_settle();
}

/* The peer's FIN first: no TIME_WAIT. */
static void make_finished_last(struct world *w)
{
	make_close_wait(w);
	MUST(shutdown(w->fd, SHUT_WR));
	world_settle();
}

static void reset_by_peer(struct world *w)
{
	struct linger l = { 1, 0 };

	MUST(setsockopt(w->peer, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	close(w->peer);
	w->peer = -1;
	world_settle();
}

static void make_reset(struct world *w)
{
	make_established(w);
	reset_by_peer(w);
}

static void make_reset_unread(struct world *w)
{
	make_unread(w);
	reset_by_peer(w);
}

static void make_reset_told(struct world *w)
{
	char c;

	make_reset(w);
	if (recv(w->fd, &c, 1, 0) != -1)
		abort();
}

static void make_reset_close_wait(struct world *w)
{
	make_close_wait(w);
	reset_by_peer(w);
}

static void disconnect(int fd)
{
	struct sockaddr a = { .sa_family = AF_UNSPEC };

	MUST(connect(fd, &a, sizeof(a)));
	world_settle();
}

static void make_disconnected(struct world *w)
{
	make_established(w);
	disconnect(w->fd);
}

static void make_unlistened(struct world *w)
{
	make_listening(w);
	disconnect(w->fd);
}

/* shutdown() of a listener ends it. */
static void make_listener_shut(struct world *w)
{
	make_listening(w);
	MUST(shutdown(w->fd, SHUT_RD));
}

static void make_connecting_shut(struct world *w)
{
	make_connecting(w);
	MUST(shutdown(w->fd, SHUT_WR));
	world_settle();
}

const struct state states[] = {
#define S(name) { #name, make_##name }
	S(fresh), S(bound), S(listening), S(waiting), S(connecting), S(connecting_shut), S(refused), S(refused_told),
	S(established), S(accepted), S(unread), S(urgent), S(full), S(close_wait), S(close_wait_unread), S(peer_closed),
	S(fin_wait), S(fin_behind_data), S(read_shut), S(both_shut), S(finished_first), S(finished_last), S(reset),
	S(reset_unread), S(reset_told), S(reset_close_wait), S(disconnected), S(unlistened), S(listener_shut),
#undef S
};
const size_t states_count = COUNT(states);

const struct state *state_named(const char *name)
{
	size_t i;

	for (i = 0; i < states_count; i++)
		if (strcmp(states[i].name, name) == 0)
			return &states[i];
	fprintf(stderr, "there is no state %s\n", name);
	exit(2);
}
