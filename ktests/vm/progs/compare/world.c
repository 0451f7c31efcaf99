// SPDX-License-Identifier: GPL-2.0
/*
 * What all sequences need: the transcript, texts of what calls return, and sockets over loopback whose segments have all
 * arrived before the next step is taken.
 */
#include "compare.h"
#include "transcript.h"

#include <sched.h>

int protocol;
int family = AF_INET;
int slow_factor = 1;

static struct transcript *transcript;
static volatile sig_atomic_t signals[65], signals_told[65];
static char *edge_page; /* a page, and behind it one that is not there */
static long page_bytes;
static int ping_fd = -1;
#define LOOPBACK_IFINDEX 1 /* in every namespace */
static int full_listener = -1, full_client = -1, plain_listener = -1;
static int full_port, plain_port, nobody_port;

void transcript_use(struct transcript *t)
{
	transcript = t;
}

/* ---- text ---------------------------------------------------------------------------- */

static const char *ring(const char *text)
{
	static char buffers[16][1024];
	static unsigned next;
	char *b = buffers[next++ % COUNT(buffers)];

	snprintf(b, sizeof(buffers[0]), "%s", text);
	return b;
}

static void write_down(const char *format, ...)
{
	size_t room = sizeof(transcript->text) - transcript->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(transcript->text + transcript->used, room, format, args);
	va_end(args);
	transcript->used += (size_t)n < room ? (size_t)n : room - 1;
}

void step(const char *name, const char *format, ...)
{
	char text[2048];
	va_list args;
	int err = errno, i;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (transcript->used + sizeof(text) + 256 > sizeof(transcript->text)) {
		/* A step that is cut could be equal to another: rather none. */
		fprintf(stderr, "transcript too long at step %s\n", name);
		_exit(3);
	}
	write_down("%s\t%s", name, text);
	for (i = 1; i < 65; i++) {
		if (signals[i] == signals_told[i])
			continue;
		/* Not how many: SIGIO for several events that come together may be one or more. */
		signals_told[i] = signals[i];
		write_down(" SIG%s", sigabbrev_np(i) ?: "RT");
	}
	write_down("\n");
	errno = err;
}

const char *errno_text(int err)
{
	const char *name = err ? strerrorname_np(err) : "0";

	/* Codes that userspace has no name for have leaked out of the kernel. */
	if (!name) {
		char text[24];

		snprintf(text, sizeof(text), "errno %d", err);
		return ring(text);
	}
	return name;
}

long step_ret(const char *name, long value)
{
	int err = errno;

	if (value < 0)
		step(name, "%s", errno_text(err));
	else
		step(name, "%ld", value);
	errno = err;
	return value;
}

long step_fd(const char *name, long value)
{
	step_ret(name, value < 0 ? value : 0);
	return value;
}

const char *hex_text(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	char text[520] = "";
	size_t i;

	for (i = 0; i < len && i < 256; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	return ring(text);
}

struct flag {
	unsigned bit;
	const char *name;
};

static const char *flags_text(unsigned value, const struct flag *flags, size_t count)
{
	char text[256] = "";
	size_t i;

	for (i = 0; i < count; i++) {
		if (!(value & flags[i].bit))
			continue;
		value &= ~flags[i].bit;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", *text ? "+" : "", flags[i].name);
	}
	if (value)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%#x", *text ? "+" : "", value);
	return *text ? ring(text) : "none";
}

const char *poll_text(short mask)
{
	static const struct flag flags[] = {
		{ POLLIN, "IN" }, { POLLPRI, "PRI" }, { POLLOUT, "OUT" }, { POLLERR, "ERR" }, { POLLHUP, "HUP" },
		{ POLLNVAL, "NVAL" }, { POLLRDNORM, "RDNORM" }, { POLLRDBAND, "RDBAND" }, { POLLWRNORM, "WRNORM" },
		{ POLLWRBAND, "WRBAND" }, { POLLMSG, "MSG" }, { POLLRDHUP, "RDHUP" },
	};

	return flags_text((unsigned short)mask, flags, COUNT(flags));
}

const char *msg_flags_text(int value)
{
	static const struct flag flags[] = {
		{ MSG_OOB, "OOB" }, { MSG_PEEK, "PEEK" }, { MSG_TRUNC, "TRUNC" }, { MSG_CTRUNC, "CTRUNC" },
		{ MSG_EOR, "EOR" }, { MSG_ERRQUEUE, "ERRQUEUE" }, { MSG_DONTWAIT, "DONTWAIT" },
		{ MSG_CMSG_CLOEXEC, "CLOEXEC" },
	};

	return flags_text(value, flags, COUNT(flags));
}

/* ---- addresses ----------------------------------------------------------------------- */

socklen_t address_in(int of_family, union address *a, enum host host, int port)
{
	static const struct {
		const char *v4, *v6;
	} hosts[] = {
		[HOST_LOOPBACK] = { "127.0.0.1", "::1" },
		[HOST_ANY] = { "0.0.0.0", "::" },
		[HOST_FOREIGN] = { "192.0.2.1", "2001:db8::1" },
		[HOST_NO_ROUTE] = { "203.0.113.9", "2001:db8:1::9" },
		[HOST_BROADCAST] = { "255.255.255.255", "::ffff:255.255.255.255" },
		[HOST_MULTICAST] = { "224.0.0.1", "ff02::1" },
		[HOST_MAPPED] = { "127.0.0.1", "::ffff:127.0.0.1" },
		[HOST_MAPPED_ANY] = { "0.0.0.0", "::ffff:0.0.0.0" },
		[HOST_MAPPED_FOREIGN] = { "192.0.2.1", "::ffff:192.0.2.1" },
		[HOST_MAPPED_MULTICAST] = { "224.0.0.1", "::ffff:224.0.0.1" },
		[HOST_LINK] = { "127.0.0.1", "fe80::7" },
	};

	memset(a, 0, sizeof(*a));
	a->any.sa_family = of_family;
	a->v4.sin_port = htons(port); /* at the same place in both */
	if (of_family == AF_INET) {
		inet_pton(AF_INET, hosts[host].v4, &a->v4.sin_addr);
		return sizeof(a->v4);
	}
	inet_pton(AF_INET6, hosts[host].v6, &a->v6.sin6_addr);
	if (host == HOST_LINK)
		a->v6.sin6_scope_id = LOOPBACK_IFINDEX;
	return sizeof(a->v6);
}

socklen_t address_of(union address *a, enum host host, int port)
{
	return address_in(family, a, host, port);
}

socklen_t too_short(socklen_t len)
{
	return len == sizeof(struct sockaddr_in6) ? offsetof(struct sockaddr_in6, sin6_scope_id) - 1 : len - 1;
}

const char *host_text(const union address *a, socklen_t len)
{
	char ip[128] = "?";
	bool six = a->any.sa_family == AF_INET6;

	if (len < (six ? sizeof(a->v6) : sizeof(a->v4)))
		return ring("cut");
	if (!six && a->any.sa_family != AF_INET) {
		snprintf(ip, sizeof(ip), "family %d", a->any.sa_family);
		return ring(ip);
	}
	inet_ntop(a->any.sa_family, six ? (const void *)&a->v6.sin6_addr : &a->v4.sin_addr, ip, sizeof(ip));
	if (six && a->v6.sin6_scope_id)
		snprintf(ip + strlen(ip), sizeof(ip) - strlen(ip), "%%%u", a->v6.sin6_scope_id);
	if (six && a->v6.sin6_flowinfo)
		snprintf(ip + strlen(ip), sizeof(ip) - strlen(ip), " flow %#x", ntohl(a->v6.sin6_flowinfo));
	return ring(ip);
}

const char *address_text(const struct world *w, const union address *a, socklen_t len)
{
	char text[200];
	int port = ntohs(a->v4.sin_port);

	snprintf(text, sizeof(text), "%s:%s", host_text(a, len), port == 0 ? "0" : port == w->port ? "listener" :
		 port == w->full_port ? "full" : port == w->nobody_port ? "nobody" : "some");
	return ring(text);
}

/* ---- sockets ------------------------------------------------------------------------- */

long must(const char *what, long value)
{
	if (value < 0) {
		step("set-up", "%s: %s", what, errno_text(errno));
		_exit(2);
	}
	return value;
}

int new_socket(int flags)
{
	return MUST(socket(family, SOCK_STREAM | flags, protocol));
}

int port_of(int fd)
{
	union address a;
	socklen_t len = sizeof(a);

	MUST(getsockname(fd, &a.any, &len));
	return ntohs(a.v4.sin_port);
}

int new_listener(int backlog, int *port)
{
	return new_listener_at(HOST_LOOPBACK, backlog, port);
}

/*
 * To a port that the stack never chooses by itself (ip_local_port_range): on another address that could be the same one, and then
 * have its name in the transcript.
 */
static int bind_named(int fd, enum host host)
{
	enum { FIRST = 20000, LAST = 32000 };
	static int next = FIRST;
	union address a;
	int tries;

	for (tries = FIRST; tries < LAST; tries++) {
		socklen_t len = address_of(&a, host, next);

		next = next < LAST ? next + 1 : FIRST;
		if (bind(fd, &a.any, len) == 0)
			return ntohs(a.v4.sin_port);
		if (errno != EADDRINUSE)
			break;
	}
	return must("a port for a listener", -1);
}

int new_listener_at(enum host host, int backlog, int *port)
{
	int fd = new_socket(0);

	*port = bind_named(fd, host);
	MUST(listen(fd, backlog));
	return fd;
}

int connect_port(int fd, int port)
{
	union address a;
	socklen_t len = address_of(&a, HOST_LOOPBACK, port);

	return connect(fd, &a.any, len);
}

int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

int state_of(int fd)
{
	struct tcp_info ti;
	socklen_t len = sizeof(ti);

	memset(&ti, 0, sizeof(ti));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len) ? -1 : ti.tcpi_state;
}

int settled_state(int fd)
{
	int state = state_of(fd), queued = 0, i;

	/* A FIN may be acknowledged late, at most 40 ms, but not before the data in front of it. */
	for (i = 0; i < 80 * slow_factor && ((1 << state) & (1 << 4 | 1 << 9 | 1 << 11)); i++) {
		if (ioctl(fd, SIOCOUTQ, &queued) == 0 && queued > 1)
			break;
		pause_ms(1);
		state = state_of(fd);
	}
	return state;
}

void pause_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/*
 * This process stays on one CPU, whose queue of the loopback device is first in, first out: when a datagram has come back,
 * all segments that were sent before it have been processed. What they made others send stands behind it: hence once
 * more, as often as the longest chain (SYN, SYN-ACK, ACK with data, ACK, FIN) has links.
 */
void world_settle(void)
{
	int err = errno, i;
	char byte = 0;

	for (i = 0; i < 5; i++) {
		if (send(ping_fd, &byte, 1, 0) != 1)
			abort();
		while (recv(ping_fd, &byte, 1, 0) != 1)
			if (errno != EINTR)
				abort();
	}
	errno = err;
}

short polled(int fd)
{
	struct pollfd p = { .fd = fd, .events = (short)~(POLLERR | POLLHUP | POLLNVAL) };

	return poll(&p, 1, 0) < 0 ? 0 : p.revents;
}

char *edge(size_t n)
{
	return edge_page + page_bytes - n;
}

/* ---- a sequence's world -------------------------------------------------------------- */

static void count_signal(int number)
{
	signals[number]++;
}

void catch_signal(int number, int flags)
{
	struct sigaction sa = { .sa_handler = count_signal, .sa_flags = flags };

	sigaction(number, &sa, NULL);
}

int signals_seen(int number)
{
	return signals[number];
}

/*
 * Both stacks are asked by the same process, so what the two leave behind is alike. Listeners are made once: to be
 * connected to is no state of theirs.
 */
void world_setup(void)
{
	static const int caught[] = { SIGPIPE, SIGURG, SIGIO, SIGALRM, SIGUSR1, SIGUSR2 };
	union address a;
	socklen_t len = address_of(&a, HOST_LOOPBACK, 0);
	int fd, on = 1;
	size_t i;

	for (i = 0; i < COUNT(caught); i++)
		catch_signal(caught[i], 0);
	page_bytes = sysconf(_SC_PAGESIZE);
	edge_page = mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (edge_page == MAP_FAILED || munmap(edge_page + page_bytes, page_bytes))
		abort();
	memset(edge_page, 'e', page_bytes);

	ping_fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(ping_fd, &a.any, len) || getsockname(ping_fd, &a.any, &len) || connect(ping_fd, &a.any, len) ||
	    /* The host begins to stamp packets a moment after the first socket asks for it: long before others do. */
	    setsockopt(ping_fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on))) {
		fprintf(stderr, "no datagrams over loopback: %s\n", strerror(errno));
		exit(2);
	}

	pause_ms(30 * slow_factor);
	plain_listener = new_listener(64, &plain_port);
	fcntl(plain_listener, F_SETFL, O_NONBLOCK); /* to be emptied; what is accepted blocks all the same */
	/* Linux's queue is full when it has more than its backlog: with one waiting and a backlog of 0 SYNs are dropped. */
	full_listener = new_listener(0, &full_port);
	full_client = new_socket(0);
	MUST(connect_port(full_client, full_port));
	/* A port that is bound and not listened at stays free of listeners. */
	fd = new_socket(0);
	nobody_port = bind_named(fd, HOST_LOOPBACK);
}

void world_begin(struct world *w)
{
	size_t i;

	memset(w, 0xff, sizeof(*w)); /* all descriptors -1 */
	w->port = plain_port;
	w->listener = plain_listener;
	w->full_port = full_port;
	w->nobody_port = nobody_port;
	for (i = 0; i < COUNT(signals); i++)
		signals[i] = signals_told[i] = 0;
}

/* What another program would see of the connection: how much arrives, and how it ends. */
static void note_reader(const char *name, int fd)
{
	char buf[4096];
	long total = 0, n;

	do {
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		total += n > 0 ? n : 0;
	} while (n > 0);
	/* How much of a large write is under way, and hence was read, depends on segment sizes and windows, not on calls. */
	if (total > 1000)
		step(name, "many, then %s", n < 0 ? errno_text(errno) : "end");
	else
		step(name, "%ld, then %s", total, n < 0 ? errno_text(errno) : "end");
}

static void note_error(const char *name, int fd)
{
	socklen_t len = sizeof(int);
	int err = -1;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		step(name, "%s", errno_text(errno));
	else
		step(name, "%s", errno_text(err));
}

void note_after(const struct world *w)
{
	union address a;
	socklen_t len;
	int fd = w->fd;

	world_settle();
	if (fd >= 0) {
		step("after: poll", "%s", poll_text(polled(fd)));
		step("after: state", "%d", settled_state(fd));
		note_error("after: SO_ERROR", fd);
		len = sizeof(a);
		if (getsockname(fd, &a.any, &len))
			step("after: name", "%s", errno_text(errno));
		else
			step("after: name", "%s", address_text(w, &a, len));
		len = sizeof(a);
		if (getpeername(fd, &a.any, &len))
			step("after: peer name", "%s", errno_text(errno));
		else
			step("after: peer name", "%s", address_text(w, &a, len));
		if (state_of(fd) != STATE_LISTEN)
			note_reader("after: reads", fd);
	}
	if (w->peer >= 0) {
		step("after: peer's poll", "%s", poll_text(polled(w->peer)));
		step("after: peer's state", "%d", settled_state(w->peer));
		note_reader("after: peer reads", w->peer);
		note_error("after: peer's SO_ERROR", w->peer);
	}
}

/* Without TIME_WAIT or orphans for the next sequence to meet. */
static void drop(int fd)
{
	struct linger l = { 1, 0 };

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(fd);
}

void world_end(struct world *w)
{
	size_t i;
	int fd;

	drop(w->fd);
	drop(w->peer);
	if (w->listener != plain_listener)
		drop(w->listener);
	for (i = 0; i < MAX_SOCKETS; i++)
		drop(w->named[i]);
	/* What a sequence left at the common listener, it cannot mean for the next. */
	world_settle();
	while ((fd = accept4(plain_listener, NULL, NULL, SOCK_NONBLOCK)) >= 0 || errno == ECONNABORTED)
		drop(fd);
}
