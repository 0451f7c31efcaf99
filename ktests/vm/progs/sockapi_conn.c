// SPDX-License-Identifier: GPL-2.0
/*
 * Socket API, part 1: making, naming, connecting, listening, accepting and
 * ending; and the ports that the two stacks share. See sockapi.h for how a
 * sequence is judged.
 */
#include "sockapi.h"

static void socket_arguments(void)
{
	TRY(socket(family, SOCK_STREAM, protocol));
	TRY(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
	TRY(socket(family, SOCK_DGRAM, protocol));
	TRY(socket(family, SOCK_SEQPACKET, protocol));
	TRY(socket(family, SOCK_RDM, protocol));
	TRY(socket(family, 77, protocol));
	TRY(socket(family, SOCK_STREAM | 0x40000000, protocol));
	TRY(socket(AF_UNIX, SOCK_STREAM, protocol));
	TRY(socket(family, SOCK_STREAM, -1));
	TRY(socket(family, SOCK_STREAM, 256));
	TRY(socket(12345, SOCK_STREAM, protocol));
}

static void socket_flags(void)
{
	int fd = tcp_socket(SOCK_NONBLOCK | SOCK_CLOEXEC);

	say("nonblock %d cloexec %d\n", !!(fcntl(fd, F_GETFL) & O_NONBLOCK), fcntl(fd, F_GETFD));
	GETOPT(fd, SOL_SOCKET, SO_TYPE);
	GETOPT(fd, SOL_SOCKET, SO_DOMAIN);
	GETOPT(fd, SOL_SOCKET, SO_ACCEPTCONN);
	GETOPT(fd, SOL_SOCKET, SO_ERROR);
	say("protocol is ours %d\n", ({ int v = 0; socklen_t l = 4; getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &v, &l); v == protocol; }));
}

static void fresh_socket(void)
{
	union address a;
	socklen_t len = sizeof(a);
	char c;
	int fd = tcp_socket(0), n;

	note_sigpipe();
	POLLS(fd);
	CALL(getsockname(fd, &a.any, &len));
	say("name %x:%d len %u family %d\n", a.four.sin_addr.s_addr, ntohs(a.four.sin_port), len, a.any.sa_family);
	len = sizeof(a);
	CALL(getpeername(fd, &a.any, &len));
	CALL(recv(fd, &c, 1, 0));
	CALL(send(fd, &c, 1, 0));
	CALL(send(fd, &c, 1, MSG_NOSIGNAL));
	CALL(accept(fd, NULL, NULL));
	CALL(shutdown(fd, SHUT_RDWR));
	CALL(ioctl(fd, SIOCINQ, &n));
	CALL(ioctl(fd, SIOCOUTQ, &n));
	say("state %d\n", state_of(fd));
}

static void bind_arguments(void)
{
	union address a = loopback(0);
	socklen_t len = address_len(&a);
	int fd = tcp_socket(0);

	CALL(bind(fd, &a.any, 2));
	CALL(bind(fd, &a.any, len - 1));
	CALL(bind(fd, (struct sockaddr *)8, len));
	a.any.sa_family = family == AF_INET ? AF_INET6 : AF_INET;
	CALL(bind(fd, &a.any, len));
	a.any.sa_family = AF_UNSPEC;
	CALL(bind(fd, &a.any, len));
	a = address("203.0.113.9", 0);
	CALL(bind(fd, &a.any, len));
	a = address("224.0.0.1", 0);
	CALL(bind(fd, &a.any, len));
	a = loopback(0);
	CALL(bind(fd, &a.any, len));
	say("port chosen %d\n", port_of(fd) != 0);
	CALL(bind(fd, &a.any, len));
	CALL(bind(-1, &a.any, len));
}

static void bind_unspec_family_any(void)
{
	union address a = any_address(0);
	socklen_t len = address_len(&a);

	a.any.sa_family = AF_UNSPEC;
	CALL(bind(tcp_socket(0), &a.any, len));
}

static void bind_privileged(void)
{
	MUST(seteuid(65534));
	CALL(bind_to(tcp_socket(0), 80));
	CALL(bind_to(tcp_socket(0), 0));
}

static void bind_twice_same_port(void)
{
	int a = tcp_socket(0), b = tcp_socket(0), c = tcp_socket(0), d = tcp_socket(0);
	union address other;
	int port;

	MUST(bind_to(a, 0));
	port = port_of(a);
	CALL(bind_to(b, port));
	other = any_address(port);
	CALL(bind(c, &other.any, address_len(&other)));
	other = address("127.0.0.2", port);
	CALL(bind(d, &other.any, address_len(&other)));
	close(a);
	CALL(bind_to(b, port));
}

static void reuseaddr_binders(void)
{
	int a = tcp_socket(0), b = tcp_socket(0), c = tcp_socket(0);

	SETOPT(a, SOL_SOCKET, SO_REUSEADDR, 1);
	SETOPT(b, SOL_SOCKET, SO_REUSEADDR, 1);
	MUST(bind_to(a, 0));
	CALL(bind_to(b, port_of(a)));
	CALL(bind_to(c, port_of(a)));
	CALL(listen(a, 1));
	CALL(listen(b, 1));
	close(a);
	CALL(listen(b, 1));
}

static void reuseaddr_against_listener(void)
{
	int port, a = listener(1, &port), b = tcp_socket(0);

	(void)a;
	SETOPT(b, SOL_SOCKET, SO_REUSEADDR, 1);
	CALL(bind_to(b, port));
}

static void rebind_with_established_children(void)
{
	struct pair p;
	int again;

	p.listener = tcp_socket(0);
	SETOPT(p.listener, SOL_SOCKET, SO_REUSEADDR, 1);
	MUST(bind_to(p.listener, 0));
	MUST(listen(p.listener, 1));
	p.port = port_of(p.listener);
	p.client = tcp_socket(0);
	MUST(connect_to(p.client, p.port));
	p.server = MUST(accept(p.listener, NULL, NULL));
	GETOPT(p.server, SOL_SOCKET, SO_REUSEADDR);
	close(p.listener);
	again = tcp_socket(0);
	CALL(bind_to(again, p.port));
	SETOPT(again, SOL_SOCKET, SO_REUSEADDR, 1);
	CALL(bind_to(again, p.port));
	CALL(listen(again, 1));
}

static void time_wait_keeps_the_port(void)
{
	struct pair p = connected();
	int again = tcp_socket(0);

	close(p.server);	/* the server closes first and keeps TIME_WAIT */
	wait_for(p.client, POLLIN);
	close(p.client);
	close(p.listener);
	pause_ms(SETTLE_MS);
	CALL(bind_to(again, p.port));
	SETOPT(again, SOL_SOCKET, SO_REUSEADDR, 1);
	CALL(bind_to(again, p.port));
}

/* Ports between the stacks. "theirs" is a socket of the other protocol. */

static int theirs(void)
{
	return MUST(socket(family, SOCK_STREAM, other_protocol));
}

static void port_held_by_other_listener(void)
{
	int fd = theirs(), port;

	MUST(bind_to(fd, 0));
	MUST(listen(fd, 1));
	port = port_of(fd);
	CALL(bind_to(tcp_socket(0), port));
	close(fd);
	CALL(bind_to(tcp_socket(0), port));
}

static void port_held_by_other_bound_socket(void)
{
	int fd = theirs(), port;

	MUST(bind_to(fd, 0));
	port = port_of(fd);
	CALL(bind_to(tcp_socket(0), port));
	close(fd);
	CALL(bind_to(tcp_socket(0), port));
}

static void port_held_by_other_wildcard(void)
{
	union address any = any_address(0);
	int fd = theirs();

	MUST(bind(fd, &any.any, address_len(&any)));
	MUST(listen(fd, 1));
	CALL(bind_to(tcp_socket(0), port_of(fd)));
}

static void port_refused_to_the_other(void)
{
	int port, fd = listener(1, &port), other = theirs();

	CALL(bind_to(other, port));
	close(fd);
	CALL(bind_to(other, port));
}

static void bound_port_refused_to_the_other(void)
{
	int fd = tcp_socket(0);

	MUST(bind_to(fd, 0));
	CALL(bind_to(theirs(), port_of(fd)));
}

static void talk_to_the_other_stack(void)
{
	char buf[8] = "";
	int l = theirs(), c = tcp_socket(0), s;

	MUST(bind_to(l, 0));
	MUST(listen(l, 1));
	CALL(connect_to(c, port_of(l)));
	s = MUST(accept(l, NULL, NULL));
	CALL(send(c, "abc", 3, 0));
	CALL(recv(s, buf, 8, 0));
	CALL(send(s, "defg", 4, 0));
	CALL(recv(c, buf, 8, 0));
	say("%s\n", buf);
	close(s);
	CALL(recv(c, buf, 8, 0));
	wait_state(c, 8);
}

/* ------------------------------------------------------------- connecting */

static void connect_and_names(void)
{
	struct pair p = connected();
	union address a, b;
	socklen_t la = sizeof(a), lb = sizeof(b);

	CALL(getpeername(p.client, &a.any, &la));
	CALL(getsockname(p.server, &b.any, &lb));
	say("same %d lens %u %u port %d\n", !memcmp(&a, &b, address_len(&a)), la, lb, ntohs(a.four.sin_port) == p.port);
	la = 4;
	CALL(getpeername(p.server, &a.any, &la));
	say("len %u\n", la);
	la = -1;
	CALL(getpeername(p.server, &a.any, &la));
	CALL(getpeername(p.server, (struct sockaddr *)8, &lb));
	CALL(getsockname(p.server, &a.any, (socklen_t *)8));
	say("states %d %d %d\n", state_of(p.client), state_of(p.server), state_of(p.listener));
	POLLS(p.client);
	POLLS(p.server);
	POLLS(p.listener);
}

static void connect_arguments(void)
{
	union address a = loopback(9);
	socklen_t len = address_len(&a);
	int fd = tcp_socket(0);

	CALL(connect(fd, &a.any, 1));
	CALL(connect(fd, &a.any, len - 1));
	CALL(connect(fd, (struct sockaddr *)8, len));
	a.any.sa_family = family == AF_INET ? AF_INET6 : AF_INET;
	CALL(connect(fd, &a.any, len));
	a = address("224.0.0.1", 9);
	CALL(connect(fd, &a.any, len));
	if (family == AF_INET) {
		a = address("255.255.255.255", 9);
		CALL(connect(fd, &a.any, len));
	}
}

static void connect_any_means_loopback(void)
{
	int port, l = listener(1, &port), fd = tcp_socket(0);
	union address any = any_address(port);

	(void)l;
	CALL(connect(fd, &any.any, address_len(&any)));
}

static void connect_twice(void)
{
	struct pair p = connected();

	CALL(connect_to(p.client, p.port));
	CALL(connect_to(p.server, p.port));
	CALL(connect_to(p.listener, p.port));
	CALL(listen(p.client, 1));
	CALL(bind_to(p.client, 0));
}

static void connect_refused(void)
{
	int fd = tcp_socket(0), port;

	MUST(bind_to(fd, 0));
	port = port_of(fd);
	close(fd);
	fd = tcp_socket(0);
	CALL(connect_to(fd, port));
	GETOPT(fd, SOL_SOCKET, SO_ERROR);
	say("state %d\n", state_of(fd));
	POLLS(fd);
	CALL(connect_to(fd, port));
	note_sigpipe();
	CALL(send(fd, "x", 1, 0));
	CALL(recv(fd, &port, 1, 0));
}

static void connect_after_refused(void)
{
	int port, l, fd = tcp_socket(0);

	MUST(bind_to(fd, 0));
	CALL(connect_to(fd, 1));
	l = listener(1, &port);
	CALL(connect_to(fd, port));
	TRY(accept(l, NULL, NULL));
}

static void connect_nonblocking(void)
{
	int port, l = listener(1, &port), fd = tcp_socket(SOCK_NONBLOCK);

	CALL(connect_to(fd, port));
	wait_for(fd, POLLOUT);
	POLLS(fd);
	GETOPT(fd, SOL_SOCKET, SO_ERROR);
	CALL(connect_to(fd, port));
	CALL(connect_to(fd, port));
	TRY(accept(l, NULL, NULL));
}

static void connect_nonblocking_refused(void)
{
	int fd = tcp_socket(SOCK_NONBLOCK);
	char c;

	CALL(connect_to(fd, 1));
	wait_for(fd, POLLOUT);
	POLLS(fd);
	GETOPT(fd, SOL_SOCKET, SO_ERROR);
	GETOPT(fd, SOL_SOCKET, SO_ERROR);
	POLLS(fd);
	CALL(recv(fd, &c, 1, 0));
}

static void refused_error_by_connect(void)
{
	int fd = tcp_socket(SOCK_NONBLOCK);

	CALL(connect_to(fd, 1));
	wait_for(fd, POLLOUT);
	CALL(connect_to(fd, 1));
	wait_for(fd, POLLOUT);
	CALL(connect_to(fd, 1));
}

/* The scenario gives 10.255.255.1 a link address that nobody has: SYNs leave and vanish. 10.255.255.2 has none at all. */
static int silent_connect(int fd)
{
	union address a = address("10.255.255.1", 9);

	return connect(fd, &a.any, address_len(&a));
}

static void connect_in_progress(void)
{
	int fd = tcp_socket(SOCK_NONBLOCK);
	union address a;
	socklen_t len = sizeof(a);
	char c;

	CALL(silent_connect(fd));
	CALL(silent_connect(fd));
	say("state %d\n", state_of(fd));
	POLLS(fd);
	CALL(getpeername(fd, &a.any, &len));
	CALL(recv(fd, &c, 1, 0));
	CALL(send(fd, "x", 1, 0));
	CALL(shutdown(fd, SHUT_WR));
	POLLS(fd);
}

static void connect_in_progress_shutdown(void)
{
	int fd = tcp_socket(SOCK_NONBLOCK);

	CALL(silent_connect(fd));
	CALL(shutdown(fd, SHUT_RDWR));
	say("state %d\n", state_of(fd));
	POLLS(fd);
	GETOPT(fd, SOL_SOCKET, SO_ERROR);
}

static void connect_with_timeout(void)
{
	struct timeval t = { .tv_usec = 300000 };
	int fd = tcp_socket(0);

	CALL(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)));
	CALL(silent_connect(fd));
	CALL(silent_connect(fd));
	say("state %d\n", state_of(fd));
}

static void interrupted(int number)
{
	(void)number;
}

static void connect_interrupted(void)
{
	struct sigaction sa = { .sa_handler = interrupted };
	struct itimerval it = { .it_value.tv_usec = 200000 };
	int fd = tcp_socket(0);

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	CALL(silent_connect(fd));
	CALL(fcntl(fd, F_SETFL, O_NONBLOCK));
	CALL(silent_connect(fd));
}

static void connect_unreachable(void)
{
	union address a = address("203.0.113.1", 9);

	CALL(connect(tcp_socket(0), &a.any, address_len(&a)));
}

static void connect_no_neighbour(void)
{
	union address a = address("10.255.255.2", 9);

	CALL(connect(tcp_socket(0), &a.any, address_len(&a)));
}

static void connect_times_out(void)
{
	int fd = tcp_socket(0);

	SETOPT(fd, IPPROTO_TCP, TCP_SYNCNT, 1);
	CALL(silent_connect(fd));
	say("state %d\n", state_of(fd));
	POLLS(fd);
}

static void connect_disconnect(void)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct pair p = connected();
	char c;

	CALL(connect(p.client, &unspec, sizeof(unspec)));
	say("state %d\n", state_of(p.client));
	POLLS(p.client);
	wait_for(p.server, POLLIN);
	CALL(recv(p.server, &c, 1, 0));
	CALL(connect_to(p.client, p.port));
	TRY(accept(p.listener, NULL, NULL));
	CALL(connect(p.listener, &unspec, sizeof(unspec)));
	CALL(connect_to(p.listener, 1));
}

static void connect_to_itself(void)
{
	union address a = loopback(0);
	char buf[8] = "";
	int fd = tcp_socket(0);

	MUST(bind(fd, &a.any, address_len(&a)));
	CALL(connect_to(fd, port_of(fd)));
	say("state %d\n", state_of(fd));
	CALL(send(fd, "self", 4, 0));
	CALL(recv(fd, buf, 8, 0));
	say("%s\n", buf);
	CALL(shutdown(fd, SHUT_WR));
	CALL(recv(fd, buf, 8, 0));
	POLLS(fd);
}

/* -------------------------------------------------- listening and accepting */

static void listen_rules(void)
{
	int fd = tcp_socket(0);

	CALL(listen(fd, 5));
	say("autobound %d\n", port_of(fd) != 0);
	CALL(listen(fd, 0));
	CALL(listen(fd, -1));
	GETOPT(fd, SOL_SOCKET, SO_ACCEPTCONN);
	say("state %d\n", state_of(fd));
	POLLS(fd);
	note_sigpipe();
	CALL(send(fd, "x", 1, 0));
	CALL(recv(fd, &fd, 1, 0));
}

static void listener_name_and_shutdown(void)
{
	int port, fd = listener(1, &port);
	union address a;
	socklen_t len = sizeof(a);

	CALL(getpeername(fd, &a.any, &len));
	CALL(shutdown(fd, SHUT_WR));
	say("state %d\n", state_of(fd));
	CALL(shutdown(fd, SHUT_RD));
	say("state %d\n", state_of(fd));
	POLLS(fd);
	CALL(accept(fd, NULL, NULL));
	CALL(connect_to(tcp_socket(0), port));
	CALL(listen(fd, 1));
	CALL(connect_to(tcp_socket(0), port));
}

static void accept_nonblocking(void)
{
	int port, fd = listener(4, &port), c = tcp_socket(0), s;
	union address a;
	socklen_t len = sizeof(a);

	MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
	CALL(accept(fd, NULL, NULL));
	MUST(connect_to(c, port));
	wait_for(fd, POLLIN);
	POLLS(fd);
	s = TRY(accept4(fd, &a.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC));
	say("len %u from us %d nonblock %d\n", len, ntohs(a.four.sin_port) == port_of(c), !!(fcntl(s, F_GETFL) & O_NONBLOCK));
	POLLS(fd);
	CALL(accept(fd, NULL, NULL));
	CALL(accept4(fd, NULL, NULL, 0x100));
	CALL(accept(c, NULL, NULL));
}

static void accept_timeout(void)
{
	struct timeval t = { .tv_usec = 100000 };
	int port, fd = listener(4, &port);

	CALL(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	CALL(accept(fd, NULL, NULL));
}

static void accept_bad_address(void)
{
	int port, fd = listener(4, &port), c = tcp_socket(0);
	socklen_t len = 16;

	MUST(connect_to(c, port));
	CALL(accept(fd, (struct sockaddr *)8, &len));
}

static void accept_inherits(void)
{
	int port, fd = listener(4, &port), c = tcp_socket(0), s;

	SETOPT(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	SETOPT(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	SETOPT(fd, SOL_SOCKET, SO_SNDBUF, 20000);
	SETOPT(fd, SOL_SOCKET, SO_RCVBUF, 20000);
	SETOPT(fd, IPPROTO_TCP, TCP_KEEPIDLE, 100);
	MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
	MUST(connect_to(c, port));
	wait_for(fd, POLLIN);
	s = MUST(accept(fd, NULL, NULL));
	GETOPT(s, SOL_SOCKET, SO_KEEPALIVE);
	GETOPT(s, IPPROTO_TCP, TCP_NODELAY);
	GETOPT(s, SOL_SOCKET, SO_SNDBUF);
	GETOPT(s, SOL_SOCKET, SO_RCVBUF);
	GETOPT(s, IPPROTO_TCP, TCP_KEEPIDLE);
	GETOPT(s, SOL_SOCKET, SO_ACCEPTCONN);
	say("nonblock %d\n", !!(fcntl(s, F_GETFL) & O_NONBLOCK));
}

static void accept_after_peer_closed(void)
{
	int port, fd = listener(4, &port), c = tcp_socket(0), s;
	char buf[8];

	MUST(connect_to(c, port));
	MUST(send(c, "bye", 3, 0));
	close(c);
	s = TRY(accept(fd, NULL, NULL));
	wait_state(s, 8);
	CALL(recv(s, buf, 8, 0));
	CALL(recv(s, buf, 8, 0));
}

static void accept_after_peer_reset(void)
{
	struct linger l = { 1, 0 };
	union address a;
	socklen_t len = sizeof(a);
	int port, fd = listener(4, &port), c = tcp_socket(0), s;
	char buf[8];

	MUST(connect_to(c, port));
	wait_for(fd, POLLIN);
	MUST(setsockopt(c, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	close(c);
	pause_ms(SETTLE_MS);
	POLLS(fd);
	s = TRY(accept(fd, NULL, NULL));
	POLLS(s);
	CALL(getpeername(s, &a.any, &len));
	CALL(recv(s, buf, 8, 0));
	CALL(recv(s, buf, 8, 0));
}

static void backlog_plus_one(void)
{
	int port, fd = listener(2, &port), i, done = 0, c[6];

	for (i = 0; i < 6; i++) {
		c[i] = tcp_socket(SOCK_NONBLOCK);
		connect_to(c[i], port);
		pause_ms(SETTLE_MS);
	}
	for (i = 0; i < 6; i++)
		done += state_of(c[i]) == 1;
	say("%d connected\n", done);
	MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
	for (i = 0; accept(fd, NULL, NULL) >= 0; i++)
		;
	say("%d accepted\n", i);
}

static void close_listener_with_queue(void)
{
	int port, fd = listener(4, &port), c = tcp_socket(0);
	char b;

	MUST(connect_to(c, port));
	wait_for(fd, POLLIN);
	close(fd);
	wait_for(c, POLLIN);
	POLLS(c);
	CALL(recv(c, &b, 1, 0));
	CALL(connect_to(tcp_socket(0), port));
}

static const struct sequence all[] = {
#define S(name) { #name, name }
	S(socket_arguments), S(socket_flags), S(fresh_socket), S(bind_arguments), S(bind_unspec_family_any),
	S(bind_privileged), S(bind_twice_same_port), S(reuseaddr_binders), S(reuseaddr_against_listener),
	S(rebind_with_established_children), S(time_wait_keeps_the_port), S(port_held_by_other_listener),
	S(port_held_by_other_bound_socket), S(port_held_by_other_wildcard), S(port_refused_to_the_other),
	S(bound_port_refused_to_the_other), S(talk_to_the_other_stack), S(connect_and_names), S(connect_arguments),
	S(connect_any_means_loopback), S(connect_twice), S(connect_refused), S(connect_after_refused),
	S(connect_nonblocking), S(connect_nonblocking_refused), S(refused_error_by_connect), S(connect_in_progress),
	S(connect_in_progress_shutdown), S(connect_with_timeout), S(connect_interrupted), S(connect_unreachable), S(connect_no_neighbour),
	S(connect_times_out),
	S(connect_disconnect), S(connect_to_itself), S(listen_rules), S(listener_name_and_shutdown),
	S(accept_nonblocking), S(accept_timeout), S(accept_bad_address), S(accept_inherits), S(accept_after_peer_closed),
	S(accept_after_peer_reset), S(backlog_plus_one), S(close_listener_with_queue),
};

static const struct difference known[] = {
	{ "time_wait_keeps_the_port", "TIME_WAIT holds no port: bind() to it succeeds without SO_REUSEADDR" },
};

int main(int argc, char **argv)
{
	return sockapi_main(argc, argv, all, COUNT(all), known, COUNT(known));
}
