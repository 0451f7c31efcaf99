// SPDX-License-Identifier: GPL-2.0
/*
 * perf: the load of `make bench`. One single-threaded server answers three
 * kinds of clients: bulk (it discards what comes), echo (it returns each byte)
 * and one-shot (one byte in, one byte out, close). It measures; it verifies
 * nothing, which is the business of xfer.c.
 *
 *   perf server ADDR PORT [--proto tcp|atcp] [--backlog N]
 *   perf bulk|latency|connect|idle ADDR PORT [--proto ...] [--flows N] [--seconds S] [--cc NAME]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "address.h"

#define PROTO_ATCP 253
#define BUFFER (256 * 1024)
#define MAX_FDS 65536
#define MAX_SAMPLES 2000000

enum { BULK = 'B', ECHO = 'E', ONE_SHOT = 'O', IDLE = 'I' };

static int protocol, flows = 1, backlog = 4096;
static double seconds = 2;
static const char *cc; /* congestion control; NULL: the default */
static union address target;
static char buffer[BUFFER];

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "perf: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int new_socket(int flags)
{
	int fd = socket(target.any.sa_family, SOCK_STREAM | flags, protocol);

	if (fd < 0)
		die("socket");
	if (cc && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc, strlen(cc)))
		die("TCP_CONGESTION");
	return fd;
}

/* --------------------------------------------------------------------- server */

static char kind_of[MAX_FDS];

static void watch(int ep, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (fd >= MAX_FDS || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		die("epoll_ctl");
}

static void serve_one(int fd)
{
	ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		close(fd);
		return;
	}
	if (!kind_of[fd])
		kind_of[fd] = buffer[0];
	if (kind_of[fd] == ECHO || kind_of[fd] == ONE_SHOT)
		if (send(fd, buffer, n, MSG_NOSIGNAL | MSG_DONTWAIT) != n || kind_of[fd] == ONE_SHOT)
			close(fd);
}

static void serve(void)
{
	struct epoll_event ev[64];
	int fd = new_socket(SOCK_NONBLOCK), ep = epoll_create1(0), one = 1, i, n;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &target.any, address_len(&target)) || listen(fd, backlog))
		die("listen");
	watch(ep, fd);
	puts("ready");
	fflush(stdout);
	for (;;) {
		n = epoll_wait(ep, ev, 64, -1);
		for (i = 0; i < n; i++) {
			int c = ev[i].data.fd;

			if (c != fd) {
				serve_one(c);
				continue;
			}
			while ((c = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
				kind_of[c] = 0;
				setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
				watch(ep, c);
			}
		}
	}
}

/* -------------------------------------------------------------------- clients */

static int open_flow(char kind)
{
	int fd = new_socket(0), one = 1;

	if (connect(fd, &target.any, address_len(&target)))
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (send(fd, &kind, 1, 0) != 1)
		die("send");
	return fd;
}

static void bulk(void)
{
	struct epoll_event ev[64];
	int ep = epoll_create1(0), *fds = calloc(flows, sizeof(int)), i, n, queued;
	uint64_t total = 0, waiting = 0;
	double start, end;

	for (i = 0; i < flows; i++) {
		struct epoll_event e = { .events = EPOLLOUT };

		fds[i] = e.data.fd = open_flow(BULK);
		fcntl(fds[i], F_SETFL, O_NONBLOCK);
		epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e);
	}
	start = now_s();
	end = start + seconds;
	while (now_s() < end) {
		n = epoll_wait(ep, ev, 64, 200);
		for (i = 0; i < n; i++) {
			ssize_t sent = send(ev[i].data.fd, buffer, sizeof(buffer), MSG_NOSIGNAL);

			if (sent > 0)
				total += sent;
			else if (errno != EAGAIN)
				die("send");
		}
	}
	for (i = 0; i < flows; i++)
		if (ioctl(fds[i], SIOCOUTQ, &queued) == 0)
			waiting += queued;
	printf("{\"mb_per_s\": %.4f}\n", (total - waiting) / 1e6 / (now_s() - start));
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
}

static void latency(void)
{
	float *us = malloc(MAX_SAMPLES * sizeof(*us));
	int fd = open_flow(ECHO), n = 0;
	double end, sum = 0;
	char c;

	if (!us || recv(fd, &c, 1, 0) != 1)
		die("recv");
	end = now_s() + seconds;
	while (n < MAX_SAMPLES) {
		double before = now_s(), after;

		if (send(fd, "x", 1, 0) != 1 || recv(fd, &c, 1, 0) != 1)
			die("echo");
		after = now_s();
		us[n] = (after - before) * 1e6;
		sum += us[n++];
		if (after > end)
			break;
	}
	qsort(us, n, sizeof(*us), by_value);
	printf("{\"mean_us\": %.2f, \"p50_us\": %.2f, \"p99_us\": %.2f, \"exchanges\": %d}\n", sum / n, us[n / 2],
	       us[n * 99 / 100], n);
}

/* The server closes first, so that TIME_WAIT never holds one of our ports. The time that connect() takes is kept: with a flood
 * beside it that is what a client notices.
 */
static void connects(void)
{
	float *us = malloc(MAX_SAMPLES * sizeof(*us));
	double start = now_s(), end = start + seconds;
	long n = 0, failed = 0;
	char c = ONE_SHOT;

	while (now_s() < end && n < MAX_SAMPLES) {
		double before = now_s();
		int fd = new_socket(0);

		if (connect(fd, &target.any, address_len(&target))) {
			failed++;
			close(fd);
			continue;
		}
		us[n++] = (now_s() - before) * 1e6;
		if (send(fd, &c, 1, 0) != 1 || recv(fd, &c, 1, 0) != 1 || recv(fd, &c, 1, 0) != 0)
			die("one-shot answer");
		c = ONE_SHOT;
		close(fd);
	}
	if (!n)
		die("no connection was made");
	end = now_s();
	qsort(us, n, sizeof(*us), by_value);
	printf("{\"per_s\": %.1f, \"connections\": %ld, \"failed\": %ld, \"connect_p50_us\": %.1f, \"connect_p99_us\": %.1f}\n", n / (end - start),
	       n, failed, us[n / 2], us[n * 99 / 100]);
}

/* Opens idle connections, says so, and keeps them until its input ends. */
static void idle(void)
{
	struct rlimit limit = { MAX_FDS, MAX_FDS };
	int i;
	char c;

	setrlimit(RLIMIT_NOFILE, &limit);
	for (i = 0; i < flows; i++)
		open_flow(IDLE);
	puts("{\"open\": true}");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "proto", 1, 0, 'p' }, { "flows", 1, 0, 'f' }, { "seconds", 1, 0, 's' }, { "backlog", 1, 0, 'b' }, { "cc", 1, 0, 'c' }, { 0 },
	};
	struct rlimit limit = { MAX_FDS, MAX_FDS };
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'p': protocol = strcmp(optarg, "atcp") == 0 ? PROTO_ATCP : 0; break;
		case 'f': flows = atoi(optarg); break;
		case 's': seconds = atof(optarg); break;
		case 'b': backlog = atoi(optarg); break;
		case 'c': cc = optarg; break;
		default: return 2;
		}
	}
	if (argc - optind != 3 || parse_address(argv[optind + 1], atoi(argv[optind + 2]), &target)) {
		fprintf(stderr, "usage: perf server|bulk|latency|connect|idle ADDR PORT [--proto tcp|atcp] [--flows N] [--seconds S] [--cc NAME]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &limit);
	switch (argv[optind][0]) {
	case 's': serve(); break;
	case 'b': bulk(); break;
	case 'l': latency(); break;
	case 'c': connects(); break;
	case 'i': idle(); break;
	default: return 2;
	}
	return 0;
}
