// SPDX-License-Identifier: GPL-2.0
/*
 * xfer: moves a deterministic stream over one or many TCP or atcp connections
 * and proves that what arrives is what was sent. Each flow starts with a
 * 64-bit seed, from which the receiver computes every later byte itself; after
 * the end of the stream the receiver answers through the half-closed
 * connection with the number of bytes and the SHA-256 that it saw, and the
 * sender compares. Not a benchmark: see perf.c for that.
 *
 *   xfer server ADDR PORT [options]     xfer client ADDR PORT [options]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "sha256.h"

#define PROTO_ATCP 253
#define CHUNK 65536

enum { SEND = 1, RECV = 2, BOTH = 3 };

static struct {
	int protocol, role, flows, sndbuf, rcvbuf, use_epoll, random_sizes, use_sendfile, timeout_s, maxseg, nodelay;
	int server;
	uint64_t bytes, seed;
	const char *cc, *bind_addr;
} opt = { .role = SEND, .flows = 1, .timeout_s = 120, .bytes = 1 << 20, .seed = 1 };

struct result {
	uint64_t sent, received;
	double seconds;
	uint32_t retransmits, rtt_us, cwnd;
	char sha_sent[65], sha_received[65];
	int ok;
	char error[160];
};

struct verdict {
	uint64_t bytes;
	char sha[64];
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "xfer: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* Word number `index` of the stream: any piece can be made on its own. */
static uint64_t word_at(uint64_t seed, uint64_t index)
{
	uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return index == 0 ? seed : z ^ z >> 31;
}

static void stream_fill(uint64_t seed, uint64_t offset, uint8_t *out, size_t n)
{
	size_t done = 0;

	while (done < n) {
		if ((offset + done) % 8 == 0 && n - done >= 8) {
			uint64_t whole = word_at(seed, (offset + done) / 8);

			memcpy(out + done, &whole, 8);
			done += 8;
			continue;
		}
		uint64_t at = offset + done, word = word_at(seed, at / 8);
		size_t skip = at % 8, take = 8 - skip < n - done ? 8 - skip : n - done;

		memcpy(out + done, (uint8_t *)&word + skip, take);
		done += take;
	}
}

struct flow {
	int fd, file;
	uint64_t seed, peer_seed;
	uint64_t sent, received;
	int send_closed, recv_closed, verdict_sent, verdict_got;
	size_t verdict_have;
	struct verdict expect_reply;
	struct sha256 sha_out, sha_in;
	uint8_t out[CHUNK], in[CHUNK], want[CHUNK];
	uint8_t seed_bytes[8];
	struct result *res;
};

static int fail(struct flow *f, const char *what, int err)
{
	snprintf(f->res->error, sizeof(f->res->error), "%s%s%s (sent %llu, received %llu)", what, err ? ": " : "",
		 err ? strerror(err) : "", (unsigned long long)f->sent, (unsigned long long)f->received);
	return -1;
}

static size_t piece(void)
{
	return opt.random_sizes ? 1 + (size_t)rand() % CHUNK : CHUNK;
}

/* Returns 1 for progress, 0 for "would block", -1 for failure. */
static int send_some(struct flow *f)
{
	size_t n = piece();
	ssize_t got;

	if (n > opt.bytes - f->sent)
		n = opt.bytes - f->sent;
	if (f->file >= 0) {
		off_t at = f->sent;

		got = sendfile(f->fd, f->file, &at, n);
	} else {
		stream_fill(f->seed, f->sent, f->out, n);
		got = send(f->fd, f->out, n, MSG_NOSIGNAL);
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got < 0)
		return fail(f, "send", errno);
	if (f->file >= 0)
		stream_fill(f->seed, f->sent, f->out, got);
	sha256_add(&f->sha_out, f->out, got);
	f->sent += got;
	return 1;
}

static int check_bytes(struct flow *f, const uint8_t *data, size_t n)
{
	size_t i;

	for (i = 0; i < n && f->received + i < 8; i++)
		f->seed_bytes[f->received + i] = data[i];
	memcpy(&f->peer_seed, f->seed_bytes, 8);
	stream_fill(f->peer_seed, f->received, f->want, n);
	if (i < n && memcmp(data + i, f->want + i, n - i)) {
		while (data[i] == f->want[i])
			i++;
		f->received += i;
		return fail(f, "stream differs from what was sent", 0);
	}
	sha256_add(&f->sha_in, data, n);
	f->received += n;
	return 1;
}

/* The stream of the peer is over: tell it what arrived. */
static int answer(struct flow *f)
{
	struct verdict v = { .bytes = f->received };

	sha256_hex(&f->sha_in, f->res->sha_received);
	memcpy(v.sha, f->res->sha_received, 64);
	if (send(f->fd, &v, sizeof(v), MSG_NOSIGNAL) != sizeof(v))
		return fail(f, "sending the verdict", errno);
	return 1;
}

static int recv_some(struct flow *f)
{
	/* One direction: the peer ends its stream with FIN. Both: with the byte count. */
	uint64_t left = opt.bytes - f->received;
	ssize_t got;

	if (opt.role == SEND || (opt.role == BOTH && left == 0)) {
		char *at = (char *)&f->expect_reply + f->verdict_have;

		got = recv(f->fd, at, sizeof(f->expect_reply) - f->verdict_have, 0);
		if (got > 0) {
			f->verdict_have += got;
			f->verdict_got = f->verdict_have == sizeof(f->expect_reply);
			return 1;
		}
		if (got == 0)
			return fail(f, "end of stream before the verdict", 0);
	} else {
		size_t n = piece();

		if (opt.role == BOTH && n > left)
			n = left;
		got = recv(f->fd, f->in, n, 0);
		if (got > 0)
			return check_bytes(f, f->in, got);
		if (got == 0) {
			f->recv_closed = 1;
			return 1;
		}
	}
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return fail(f, "recv", errno);
}

static int wait_ready(struct flow *f, int ep, int want_send, int want_recv)
{
	short events = (want_recv ? POLLIN : 0) | (want_send ? POLLOUT : 0);
	int n;

	if (ep >= 0) {
		struct epoll_event ev = { .events = events | EPOLLET | EPOLLRDHUP };

		/* Re-arming by MOD reports the present level once, then edges. */
		if (epoll_ctl(ep, EPOLL_CTL_MOD, f->fd, &ev))
			return fail(f, "epoll_ctl", errno);
		n = epoll_wait(ep, &ev, 1, opt.timeout_s * 1000);
	} else {
		struct pollfd p = { .fd = f->fd, .events = events };

		n = poll(&p, 1, opt.timeout_s * 1000);
	}
	if (n == 0)
		return fail(f, "no progress before the time-out", 0);
	if (n < 0 && errno != EINTR)
		return fail(f, "poll", errno);
	return 1;
}

static void read_info(struct flow *f)
{
	struct tcp_info ti;
	socklen_t len = sizeof(ti);

	memset(&ti, 0, sizeof(ti));
	if (getsockopt(f->fd, IPPROTO_TCP, TCP_INFO, &ti, &len) == 0) {
		f->res->retransmits = ti.tcpi_total_retrans;
		f->res->rtt_us = ti.tcpi_rtt;
		f->res->cwnd = ti.tcpi_snd_cwnd;
	}
}

static int run_flow(struct flow *f)
{
	int sending = opt.role & SEND, receiving = opt.role & RECV, ep = -1, r;

	if (opt.use_epoll) {
		struct epoll_event ev = { 0 };

		ep = epoll_create1(0);
		if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, f->fd, &ev))
			return fail(f, "epoll", errno);
	}
	for (;;) {
		int can_send = sending && f->sent < opt.bytes;
		int can_recv = receiving && !f->recv_closed && (opt.role != BOTH || f->received < opt.bytes);

		if (sending && !can_send && opt.role == SEND && !f->send_closed) {
			if (shutdown(f->fd, SHUT_WR))
				return fail(f, "shutdown", errno);
			f->send_closed = 1;
		}
		if (!can_send && receiving && !can_recv && !f->verdict_sent) {
			if (answer(f) < 0)
				return -1;
			f->verdict_sent = 1;
		}
		if (sending && !can_send && !can_recv && !f->verdict_got)
			can_recv = 1; /* the peer's verdict */
		if (!can_send && !can_recv)
			break;
		if (wait_ready(f, ep, can_send, can_recv) < 0)
			return -1;
		if (can_recv) {
			do
				r = recv_some(f);
			while (r > 0 && opt.role == RECV && !f->recv_closed);
			if (r < 0)
				return -1;
		}
		if (can_send && send_some(f) < 0)
			return -1;
	}
	if (ep >= 0)
		close(ep);
	return 1;
}

static void finish_flow(struct flow *f)
{
	if (opt.role & SEND) {
		sha256_hex(&f->sha_out, f->res->sha_sent);
		if (f->expect_reply.bytes != f->sent || memcmp(f->expect_reply.sha, f->res->sha_sent, 64)) {
			fail(f, "the peer saw other bytes than were sent", 0);
			return;
		}
	}
	if ((opt.role & RECV) && f->received != opt.bytes) {
		fail(f, "wrong number of bytes received", 0);
		return;
	}
	f->res->ok = 1;
}

static void do_flow(int fd, int number, struct result *res)
{
	struct flow *f = calloc(1, sizeof(*f));
	double start = now_s();
	int flags = 1;

	if (!f)
		die("calloc");
	f->fd = fd;
	f->file = -1;
	f->res = res;
	f->seed = word_at(opt.seed + opt.server * 1000003, number + 1);
	srand((unsigned int)f->seed);
	sha256_init(&f->sha_out);
	sha256_init(&f->sha_in);
	if (opt.use_sendfile) {
		uint64_t at;

		f->file = memfd_create("xfer", 0);
		for (at = 0; at < opt.bytes; at += CHUNK) {
			size_t n = opt.bytes - at < CHUNK ? opt.bytes - at : CHUNK;

			stream_fill(f->seed, at, f->out, n);
			if (f->file < 0 || write(f->file, f->out, n) != (ssize_t)n)
				die("memfd");
		}
	}
	/* Role BOTH must never block in one direction while the other could go. */
	if (ioctl(fd, FIONBIO, &flags))
		die("FIONBIO");
	if (run_flow(f) > 0) {
		read_info(f);
		finish_flow(f);
	} else {
		read_info(f);
	}
	res->sent = f->sent;
	res->received = f->received;
	res->seconds = now_s() - start;
	close(fd);
	free(f);
}

static void set_options(int fd)
{
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (opt.sndbuf && setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &opt.sndbuf, sizeof(int)))
		die("SO_SNDBUF");
	if (opt.rcvbuf && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &opt.rcvbuf, sizeof(int)))
		die("SO_RCVBUF");
	if (opt.maxseg && setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &opt.maxseg, sizeof(int)))
		die("TCP_MAXSEG");
	if (opt.nodelay && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		die("TCP_NODELAY");
	if (opt.cc && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, opt.cc, strlen(opt.cc)))
		die("TCP_CONGESTION");
}

static union address address(const char *addr, const char *port)
{
	union address a;

	if (parse_address(addr, atoi(port), &a)) {
		fprintf(stderr, "xfer: not an address: %s\n", addr);
		exit(2);
	}
	return a;
}

static int connect_retry(const union address *to)
{
	double until = now_s() + opt.timeout_s;
	int fd;

	for (;;) {
		fd = socket(to->any.sa_family, SOCK_STREAM, opt.protocol);
		if (fd < 0)
			die("socket");
		set_options(fd);
		if (opt.bind_addr) {
			union address from = address(opt.bind_addr, "0");

			if (bind(fd, &from.any, address_len(&from)))
				die("bind");
		}
		if (connect(fd, &to->any, address_len(to)) == 0)
			return fd;
		/* The server may not be listening yet. */
		if (errno != ECONNREFUSED || now_s() > until)
			die("connect");
		close(fd);
		usleep(100000);
	}
}

static int report(struct result *res, double seconds)
{
	struct result sum = { .ok = 1 };
	uint64_t total;
	int i;

	for (i = 0; i < opt.flows; i++) {
		sum.sent += res[i].sent;
		sum.received += res[i].received;
		sum.retransmits += res[i].retransmits;
		if (!res[i].ok) {
			sum.ok = 0;
			fprintf(stderr, "xfer: flow %d: %s\n", i, res[i].error[0] ? res[i].error : "died");
		}
	}
	total = sum.sent + sum.received;
	printf("{\"protocol\":\"%s\",\"role\":\"%s\",\"flows\":%d,\"sent\":%llu,\"received\":%llu,\"seconds\":%.3f,"
	       "\"mb_per_s\":%.3f,\"retransmits\":%u,\"sha256_sent\":\"%s\",\"sha256_received\":\"%s\",\"ok\":%s}\n",
	       opt.protocol == PROTO_ATCP ? "atcp" : "tcp", opt.server ? "server" : "client", opt.flows,
	       (unsigned long long)sum.sent, (unsigned long long)sum.received, seconds, total / 1e6 / seconds,
	       sum.retransmits, res[0].sha_sent, res[0].sha_received, sum.ok ? "true" : "false");
	return sum.ok ? 0 : 1;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: xfer server|client ADDR PORT [--proto tcp|atcp] [--role send|recv|both] [--bytes N (per flow)]\n"
		"  [--flows N] [--seed N] [--sndbuf N] [--rcvbuf N] [--maxseg N] [--cc NAME] [--nodelay]\n"
		"  [--epoll (edge triggered)] [--random (sizes)] [--sendfile] [--bind ADDR] [--timeout S (without progress)]\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "proto", 1, 0, 'p' }, { "role", 1, 0, 'r' }, { "bytes", 1, 0, 'b' }, { "flows", 1, 0, 'f' },
		{ "seed", 1, 0, 's' }, { "sndbuf", 1, 0, 'S' }, { "rcvbuf", 1, 0, 'R' }, { "maxseg", 1, 0, 'm' },
		{ "cc", 1, 0, 'c' }, { "epoll", 0, 0, 'e' }, { "random", 0, 0, 'x' }, { "sendfile", 0, 0, 'F' },
		{ "bind", 1, 0, 'B' }, { "timeout", 1, 0, 't' }, { "nodelay", 0, 0, 'n' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'p': opt.protocol = strcmp(optarg, "atcp") == 0 ? PROTO_ATCP : 0; break;
		case 'r': opt.role = *optarg == 's' ? SEND : *optarg == 'r' ? RECV : BOTH; break;
		case 'b': opt.bytes = strtoull(optarg, NULL, 0); break;
		case 'f': opt.flows = atoi(optarg); break;
		case 's': opt.seed = strtoull(optarg, NULL, 0); break;
		case 'S': opt.sndbuf = atoi(optarg); break;
		case 'R': opt.rcvbuf = atoi(optarg); break;
		case 'm': opt.maxseg = atoi(optarg); break;
		case 'c': opt.cc = optarg; break;
		case 'e': opt.use_epoll = 1; break;
		case 'x': opt.random_sizes = 1; break;
		case 'F': opt.use_sendfile = 1; break;
		case 'B': opt.bind_addr = optarg; break;
		case 't': opt.timeout_s = atoi(optarg); break;
		case 'n': opt.nodelay = 1; break;
		default: usage();
		}
	}
	if (argc - optind != 3 || opt.flows < 1)
		usage();
	opt.server = strcmp(argv[optind], "server") == 0;
}

int main(int argc, char **argv)
{
	union address addr;
	struct result *res;
	double start;
	int listener = -1, i;
	pid_t child;

	parse(argc, argv);
	addr = address(argv[optind + 1], argv[optind + 2]);
	res = mmap(NULL, opt.flows * sizeof(*res), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (res == MAP_FAILED)
		die("mmap");
	if (opt.server) {
		listener = socket(addr.any.sa_family, SOCK_STREAM, opt.protocol);
		if (listener < 0)
			die("socket");
		set_options(listener);
		if (bind(listener, &addr.any, address_len(&addr)) || listen(listener, opt.flows))
			die("listen");
	}
	start = now_s();
	for (i = 0; i < opt.flows; i++) {
		int fd = opt.server ? accept(listener, NULL, NULL) : connect_retry(&addr);

		if (fd < 0)
			die("accept");
		if (i == 0)
			start = now_s();
		child = fork();
		if (child < 0)
			die("fork");
		if (child == 0) {
			do_flow(fd, i, &res[i]);
			_exit(0);
		}
		close(fd);
	}
	if (listener >= 0)
		close(listener);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	return report(res, now_s() - start);
}
