/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Comparison by running. A sequence brings a socket into a state, makes calls on it and writes down, step by step, what a
 * program could see of each: value, errno, bytes that the kernel wrote, signals. It is run on two stacks one after the
 * other, in the same network namespace; the two transcripts must be equal, step by step, but for the differences that
 * docs/sockets.md lists. No step depends on time unless it says so: see world_settle().
 *
 * What legitimately differs from run to run (port numbers, times, cookies) is mapped or masked where its text is made,
 * each with the reason.
 */
#ifndef ATCP_TEST_COMPARE_H
#define ATCP_TEST_COMPARE_H

#define _GNU_SOURCE
/* Wrong lengths and pointers are passed on purpose. */
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <linux/tcp.h> /* has more than netinet/tcp.h, and cannot be had beside it */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SOL_TCP IPPROTO_TCP
#define STATE_LISTEN 10 /* of tcpi_state */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_SOCKETS 8 /* a script's sockets: a to h */

/* The sockets of a sequence. -1: there is none. */
struct world {
	int fd;		 /* the socket under test */
	int peer;	 /* the other end of its connection */
	int listener;	 /* what it connected to, or nothing */
	int port;	 /* where a listener of this stack accepts */
	int full_port;	 /* where SYNs are dropped: a listener whose queue is full */
	int nobody_port; /* where nobody listens */
	int named[MAX_SOCKETS];
};

/* ---- world.c: text of outcomes, addresses, sockets */

extern int protocol;	/* third argument of socket(2) for the stack in question */
extern int family;	/* AF_INET or AF_INET6 */
extern int slow_factor; /* how many times longer everything may take here */

/* Notes the outcome of a step; the signals that arrived since the last one are added. Text without '\n' and '|'. */
void step(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for a call's return value: "3", or the name of errno. Returns value; keeps errno. */
long step_ret(const char *name, long value);
/* For a call that returns a descriptor, whose number says nothing. */
long step_fd(const char *name, long value);
const char *errno_text(int err);
/* Text of up to len bytes as hex, in a buffer of its own that lasts for a few calls. */
const char *hex_text(const void *bytes, size_t len);
const char *poll_text(short mask);
/* Text of flags | what is not named, as hex. */
const char *msg_flags_text(int flags);

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage room;
};

/*
 * Who is meant, in either family. What IPv6 has no other word for is IPv4's mapped address; in IPv4 a mapped host is the host,
 * and one of the link is this one.
 */
enum host {
	HOST_LOOPBACK,
	HOST_ANY,
	HOST_FOREIGN,
	HOST_NO_ROUTE,
	HOST_BROADCAST,
	HOST_MULTICAST,
	HOST_MAPPED,
	HOST_MAPPED_ANY,
	HOST_MAPPED_FOREIGN,
	HOST_MAPPED_MULTICAST,
	HOST_LINK, /* an address of the loopback device that is of that link only; its scope is part of it */
};
/* An address of this family, or of that one. Returns its length. */
socklen_t address_of(union address *a, enum host host, int port);
socklen_t address_in(int of_family, union address *a, enum host host, int port);
/* One byte less than the least length of such an address: of IPv6 RFC 2133's, which had no scope. */
socklen_t too_short(socklen_t len);
/* What it says without the port: address, scope and flow label. */
const char *host_text(const union address *a, socklen_t len);
/* Ports become the names of who has them: they are chosen at random. */
const char *address_text(const struct world *w, const union address *a, socklen_t len);

/* A call of the set-up that must work; else the sequence ends with a note. */
long must(const char *what, long value);
#define MUST(expr) must(#expr, (expr))

int new_socket(int flags);
int new_listener(int backlog, int *port);
int new_listener_at(enum host host, int backlog, int *port);
int connect_port(int fd, int port);
int port_of(int fd);
int set_int(int fd, int level, int name, int value);
/* TCP_INFO's state, or -1. */
int state_of(int fd);
/* The same, when what a delayed ACK decides has been decided. */
int settled_state(int fd);
void pause_ms(int ms);
/* Until every segment that is under way between sockets of this process has been processed, and what it gave rise to. */
void world_settle(void);
short polled(int fd);
/* n bytes in front of an unmapped page. */
char *edge(size_t n);
#define NOWHERE ((void *)8) /* a pointer to nothing */
void world_begin(struct world *w);
/* Notes what is seen of socket and peer, and closes everything. */
void world_end(struct world *w);
void note_after(const struct world *w);
/* Called once in each process that runs sequences. */
void world_setup(void);
/* How often signal number came since the sequence began. */
int signals_seen(int number);
/* Installs the counting handler with or without SA_RESTART. */
void catch_signal(int number, int flags);

/* ---- the tables */

struct state {
	const char *name;
	void (*make)(struct world *w);
};

struct call {
	const char *name;
	void (*run)(struct world *w);
};

/* A sequence as text: commands with "; " between them. See scripts.c. */
struct script {
	const char *name, *text;
};

struct option {
	const char *name;
	int level, number; /* of SOL_IPV6 only IPV6_V6ONLY is tried on a socket of AF_INET */
	unsigned kind; /* enum option_kind, options.c */
};

/* Those of six.c are of AF_INET6 only. */
extern const struct state states[], six_states[];
extern const size_t states_count, six_states_count;
extern const struct call conn_calls[], io_calls[], misc_calls[], six_calls[];
extern const size_t conn_calls_count, io_calls_count, misc_calls_count, six_calls_count;
extern const struct option options[];
extern const size_t options_count;
extern const struct script scripts[], six_scripts[];
extern const size_t scripts_count, six_scripts_count;

/* Calls that wait, and what ends their waiting: number n of all combinations. NULL: there are no more. */
const char *blocking_name(size_t n);
void run_blocking(struct world *w, size_t n);

/* The state of that name; exits if there is none. */
const struct state *state_named(const char *name);
/* Ends the deafness of the peer of a socket whose send buffer is full. */
void peer_listens(struct world *w);
/* All that can be asked and set of an option, on w->fd. */
void run_option(struct world *w, const struct option *o);
void run_script(struct world *w, const char *text);

/* ---- known.c: differences that are documented */

struct known;
/* Reads the rows of a document; exits with a message if there is none or one is malformed. NULL: no rows. Takes those of this kernel and family. */
struct known *known_read(const char *file, const char *kernel);
/* Does a row tell this difference? Marks it as seen. */
bool known_has(struct known *k, const char *step_name, const char *ours, const char *theirs);
/* Notes that a step of this name was run, whether it differs or not. */
void known_ran(struct known *k, const char *step_name);
/* Notes that a sequence is not run this time: rows that may be its are not judged. */
void known_left_out(struct known *k, const char *sequence);
/* Prints rows that did not show although steps of theirs were run; returns how many. */
int known_gone(const struct known *k);

#endif
