/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frame of the socket API checkers (sockapi_*.c). A sequence is a function
 * that makes system calls and writes down, with say() and its kin, what a
 * program could see of them. It runs once on the kernel's TCP and once on the
 * protocol under test, each time in a process of its own, and the two
 * transcripts must be equal: Linux itself is the expected result. What differs
 * on purpose stands in a table with its reason. With ATCP_FAMILY=6 in the
 * environment all sockets and addresses are IPv6's (address()).
 */
#ifndef ATCP_TEST_SOCKAPI_H
#define ATCP_TEST_SOCKAPI_H

#define _GNU_SOURCE
#pragma GCC diagnostic ignored "-Wunused-function" /* each checker uses a part of the frame */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "address.h"

#define PROTO_ATCP 253
#define TRANSCRIPT_BYTES 16384
#define SEQUENCE_LIMIT_S 60

struct sequence {
	const char *name;
	void (*run)(void);
};

struct difference {
	const char *name, *reason;
};

struct transcript {
	char text[TRANSCRIPT_BYTES];
	size_t used;
};

static int protocol;		/* of the sockets that this process makes */
static int other_protocol;	/* the other stack's */
static int family = AF_INET;
static struct transcript *transcript;

/* Appends to the transcript of this process. */
__attribute__((format(printf, 1, 2)))
static void say(const char *format, ...)
{
	size_t room = sizeof(transcript->text) - transcript->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(transcript->text + transcript->used, room, format, args);
	va_end(args);
	transcript->used += (size_t)n < room ? (size_t)n : room - 1;
}

static const char *errno_text(int err)
{
	const char *name = err ? strerrorname_np(err) : "0";

	return name ? name : "?";
}

/* Writes down the result of a call: its value, or the name of its errno. */
static long call_result(const char *what, long value)
{
	int err = errno;

	if (value < 0)
		say("%s = %s\n", what, errno_text(err));
	else
		say("%s = %ld\n", what, value);
	errno = err;
	return value;
}
#define CALL(expr) call_result(#expr, (expr))

/* The same for calls whose value (a file descriptor) says nothing. */
static long call_ok(const char *what, long value)
{
	call_result(what, value < 0 ? value : 0);
	return value;
}
#define TRY(expr) call_ok(#expr, (expr))

/* A call of the set-up: must work, or the sequence ends here with a note. */
static long call_must(const char *what, long value)
{
	if (value < 0) {
		say("set-up: %s = %s\n", what, errno_text(errno));
		_exit(0);
	}
	return value;
}
#define MUST(expr) call_must(#expr, (expr))

/* IPv6's words for addresses that mean something; any other one has its four bytes at the end of fd00::/96. */
static union address address(const char *text, int port)
{
	static const char *const same[][2] = { { "0.0.0.0", "::" }, { "127.0.0.1", "::1" }, { "224.0.0.1", "ff02::1" } };
	char six[64];
	union address a;
	size_t i;

	if (family == AF_INET6) {
		snprintf(six, sizeof(six), "fd00::%s", text);
		for (i = 0; i < sizeof(same) / sizeof(same[0]); i++)
			if (strcmp(text, same[i][0]) == 0)
				strcpy(six, same[i][1]);
		text = six;
	}
	parse_address(text, port, &a);
	return a;
}

static union address loopback(int port)
{
	return address("127.0.0.1", port);
}

static union address any_address(int port)
{
	return address("0.0.0.0", port);
}

static int tcp_socket(int flags)
{
	return MUST(socket(family, SOCK_STREAM | flags, protocol));
}

static int port_of(int fd)
{
	union address a;
	socklen_t len = sizeof(a);

	MUST(getsockname(fd, &a.any, &len));
	return ntohs(a.four.sin_port);
}

static int bind_to(int fd, int port)
{
	union address a = loopback(port);

	return bind(fd, &a.any, address_len(&a));
}

static int connect_to(int fd, int port)
{
	union address a = loopback(port);

	return connect(fd, &a.any, address_len(&a));
}

static int listener(int backlog, int *port)
{
	int fd = tcp_socket(0);

	MUST(bind_to(fd, 0));
	MUST(listen(fd, backlog));
	*port = port_of(fd);
	return fd;
}

struct pair {
	int client, server, listener, port;
};

static struct pair connected(void)
{
	struct pair p;

	p.listener = listener(8, &p.port);
	p.client = tcp_socket(0);
	MUST(connect_to(p.client, p.port));
	p.server = MUST(accept(p.listener, NULL, NULL));
	return p;
}

static int state_of(int fd)
{
	struct tcp_info ti;
	socklen_t len = sizeof(ti);

	memset(&ti, 0, sizeof(ti));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len) ? -errno : ti.tcpi_state;
}

static void say_option(const char *what, int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);
	int r = getsockopt(fd, level, name, &value, &len);

	if (r < 0)
		say("get %s = %s\n", what, errno_text(errno));
	else
		say("get %s = %d (%u bytes)\n", what, value, len);
}
#define GETOPT(fd, level, name) say_option(#name, fd, level, name)

static long set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}
#define SETOPT(fd, level, name, value) call_result("set " #name " " #value, set_int(fd, level, name, value))

static void pause_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

/* Whatever is on its way over loopback has arrived, and a delayed acknowledgement has gone, also on a busy machine. */
enum { SETTLE_MS = 150 };

/* Until that process, of one thread, sleeps. */
static inline void wait_asleep(pid_t pid)
{
	char path[32], line[512], *end;
	int fd, i;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	for (i = 0; i < 1000; i++) {
		fd = open(path, O_RDONLY);
		n = read(fd, line, sizeof(line) - 1);
		close(fd);
		line[n > 0 ? n : 0] = 0;
		end = strrchr(line, ')');
		if (end && end[1] == ' ' && end[2] == 'S')
			return;
		pause_ms(10);
	}
}

/* What poll() sees now; events outside the usual six would be shown as bits. */
static void say_poll(const char *who, int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };

	poll(&p, 1, wait_ms);
	say("%s polls%s%s%s%s%s%s\n", who, p.revents & POLLIN ? " IN" : "", p.revents & POLLOUT ? " OUT" : "",
	    p.revents & POLLPRI ? " PRI" : "", p.revents & POLLRDHUP ? " RDHUP" : "", p.revents & POLLHUP ? " HUP" : "",
	    p.revents & POLLERR ? " ERR" : "");
}
#define POLLS(fd) say_poll(#fd, fd, 0)

/* Waits until `event` is there, so that the transcript does not depend on speed. Over a bad link a few lost packets, each with a longer
 * timeout than the one before, take seconds. */
static void wait_for(int fd, short event)
{
	struct pollfd p = { .fd = fd, .events = event };

	if (poll(&p, 1, 20000) != 1)
		say("waited 20 s in vain for event %d\n", event);
}

static void wait_state(int fd, int state)
{
	int i;

	for (i = 0; i < 300 && state_of(fd) != state; i++)
		pause_ms(10);
	say("state %d\n", state_of(fd));
}

static void count_signal(int number)
{
	(void)number;
	say("SIGPIPE\n");
}

static void note_sigpipe(void)
{
	signal(SIGPIPE, count_signal);
}

/* ---------------------------------------------------------------- running */

static void run_one(const struct sequence *s, int proto, int other, struct transcript *t)
{
	int status;
	pid_t pid;

	memset(t, 0, sizeof(*t));
	pid = fork();
	if (pid == 0) {
		protocol = proto;
		other_protocol = other;
		transcript = t;
		alarm(SEQUENCE_LIMIT_S * (getenv("ATCP_SLOW") ? atoi(getenv("ATCP_SLOW")) : 1));
		s->run();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	transcript = t;
	if (WIFSIGNALED(status))
		say("process killed by SIG%s\n", sigabbrev_np(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		say("process exited with %d\n", WEXITSTATUS(status));
}

static const char *line_end(const char *p)
{
	return p + strcspn(p, "\n");
}

static void print_first_difference(const char *name, const char *a, const char *b, const char *label)
{
	while (*a && *b) {
		size_t na = line_end(a) - a, nb = line_end(b) - b;

		if (na != nb || memcmp(a, b, na))
			break;
		a += na + (a[na] == '\n');
		b += nb + (b[nb] == '\n');
	}
	printf("not ok %s: kernel={%.*s} %s={%.*s}\n", name, (int)(line_end(a) - a), a, label, (int)(line_end(b) - b), b);
}

/* usage: sockapi_X [--proto tcp|atcp] [--verbose] [--list] [NAME...] */
static int sockapi_main(int argc, char **argv, const struct sequence *all, size_t count, const struct difference *known,
			size_t known_count)
{
	struct transcript *t = mmap(NULL, 2 * sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *env = getenv("ATCP_PROTO"), *label = env ? env : "atcp", *six = getenv("ATCP_FAMILY");
	int verbose = 0, bad = 0, ran = 0, accepted = 0, i;
	size_t n, k;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--verbose") == 0) {
			verbose = 1;
		} else if (strcmp(argv[i], "--proto") == 0 && i + 1 < argc) {
			label = argv[++i];
		} else if (strcmp(argv[i], "--list") == 0) {
			for (n = 0; n < count; n++)
				puts(all[n].name);
			return 0;
		} else {
			fprintf(stderr, "usage: %s [--proto tcp|atcp] [--verbose] [--list] [NAME...]\n", argv[0]);
			return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (six && strcmp(six, "6") == 0)
		family = AF_INET6;
	for (n = 0; n < count; n++) {
		const char *reason = NULL;
		int wanted = i == argc, proto = strcmp(label, "atcp") == 0 ? PROTO_ATCP : IPPROTO_TCP;

		for (k = i; k < (size_t)argc; k++)
			wanted |= strcmp(argv[k], all[n].name) == 0;
		if (!wanted)
			continue;
		fflush(stdout);
		run_one(&all[n], IPPROTO_TCP, proto, &t[0]);
		run_one(&all[n], proto, IPPROTO_TCP, &t[1]);
		if (verbose)
			printf("# %s\n%s", all[n].name, t[0].text);
		for (k = 0; k < known_count; k++)
			if (strcmp(known[k].name, all[n].name) == 0)
				reason = known[k].reason;
		ran++;
		if (strcmp(t[0].text, t[1].text) == 0) {
			printf("ok %s\n", all[n].name);
		} else if (reason && proto == PROTO_ATCP) {
			printf("ok %s # differs on purpose: %s\n", all[n].name, reason);
			accepted++;
		} else {
			print_first_difference(all[n].name, t[0].text, t[1].text, label);
			bad++;
		}
	}
	printf("%d sequences, %d equal, %d different on purpose, %d wrong\n", ran, ran - accepted - bad, accepted, bad);
	return bad || !ran ? 1 : 0;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
