// SPDX-License-Identifier: GPL-2.0
/*
 * rawload: peers made of bytes, to load the opening side of a stack: it sends hand-made segments through a TUN device to a listener of its
 * own, as fast as one process can, so that what is timed is nearly all the stack's. It measures; whether answers are right is the
 * scenarios' business.
 *
 *   rawload syn        SYNs from ever new addresses, answers are not read
 *   rawload handshake  SYN, SYN-ACK, ACK, accept(), and then --after: keep the socket, reset by the peer, or timewait (the program closes
 *                      first and the peer's FIN follows)
 *   rawload probe      --entries TIME_WAIT entries, then --count out-of-window RSTs to random ones of them: lookups and nothing else (half-open
 *                      requests would answer again meanwhile)
 *   rawload nothing    the packets of `syn` with an IP protocol that nobody has: what sending them costs
 *
 * Options: --proto tcp|atcp --count N --entries N --after keep|reset|timewait --port P --backlog N --workers N --hold (wait for the end of
 * standard input before leaving) --plain (SYNs with an MSS option only) --foreign (the listener is another program's) --to ADDR (it is on
 * another host, to which this one forwards; its family is the packets') --six (over IPv6, where 10.0.0.1 is fd00::10.0.0.1, of one
 * worker only) --rate N (SYNs per second at most)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "address.h"

#define PROTO_ATCP 253
#define PROTO_NOBODY 254
#define LOCAL 0x0a000001u	/* 10.0.0.1/8 is the stack's, everything else there is ours */
#define PEERS 0x0a400000u	/* 10.64.0.0/10, 65536 - 1024 ports each */
#define PORTS_EACH 64512u
#define BATCH 2048
#define ROOM 80

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static int protocol, plain, hold, foreign, six, backlog = 65535, workers = 1;
static uint16_t port = 8800;
static uint32_t count = 100000, entries = 1000;
static uint32_t target = LOCAL, rate;
static const char *after = "keep";

static void die(const char *what)
{
	fprintf(stderr, "rawload: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* ------------------------------------------------------------------------------------------------------------------------ device */

/* The first worker's device has the address; the others only carry packets in and out of the same namespace. */
static int open_tun(int worker)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct sockaddr_in *a = (struct sockaddr_in *)&r.ifr_addr;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK), s = socket(AF_INET, SOCK_DGRAM, 0);
	char path[128];

	snprintf(r.ifr_name, sizeof(r.ifr_name), "raw%d", worker);
	if (fd < 0 || s < 0 || ioctl(fd, TUNSETIFF, &r))
		die("/dev/net/tun");
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/raw%d/disable_ipv6", worker);
	int off = open(path, O_WRONLY);
	if (off >= 0) {
		if (write(off, six ? "0" : "1", 1) != 1)
			die(path);
		close(off);
	}
	if (six) {
		close(s);
		if (system("ip -6 addr add fd00::10.0.0.1/104 dev raw0 nodad && ip link set raw0 up"))
			exit(2);
		return fd;
	}
	a->sin_family = AF_INET;
	a->sin_addr.s_addr = htonl(LOCAL + worker);
	if (ioctl(s, SIOCSIFADDR, &r))
		die("SIOCSIFADDR");
	/* Each worker's peers are a sixteenth of 10.64.0.0/10. */
	a->sin_addr.s_addr = htonl(workers > 1 ? 0xffffffffu : 0xff000000u);
	if (ioctl(s, SIOCSIFNETMASK, &r))
		die("SIOCSIFNETMASK");
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &r))
		die("SIOCSIFFLAGS");
	close(s);
	if (workers > 1) {
		char route[160];
		uint32_t net = PEERS + ((uint32_t)worker << 18);

		snprintf(route, sizeof(route), "ip route add %u.%u.%u.0/14 dev raw%d", net >> 24, net >> 16 & 255, net >> 8 & 255, worker);
		if (system(route))
			exit(2);
	}
	return fd;
}

/* ----------------------------------------------------------------------------------------------------------------------- packets */

struct peer {
	uint32_t addr;
	uint16_t port;
};

static struct peer peer_of(int worker, uint32_t n)
{
	struct peer p = { PEERS + ((uint32_t)worker << 18) + 2 + n / PORTS_EACH, 1024 + n % PORTS_EACH };

	return p;
}

static uint32_t sum(const uint8_t *p, int len, uint32_t s)
{
	for (; len > 1; p += 2, len -= 2)
		s += p[0] << 8 | p[1];
	return s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static void put_address6(uint8_t *p, uint32_t addr)
{
	p[0] = 0xfd;
	put32(p + 12, addr);
}

/* The IP header, checksum and all. Returns its length. */
static int build_ip(uint8_t *p, uint32_t from, int len, int ipproto)
{
	memset(p, 0, 40);
	if (six) {
		p[0] = 0x60;
		put16(p + 4, len);
		p[6] = ipproto;
		p[7] = 64;
		put_address6(p + 8, from);
		put_address6(p + 24, target);
		return 40;
	}
	p[0] = 0x45;
	put16(p + 2, 20 + len);
	p[6] = 0x40;
	p[8] = 64;
	p[9] = ipproto;
	put32(p + 12, from);
	put32(p + 16, target);
	put16(p + 10, fold(sum(p, 20, 0)));
	return 20;
}

/* Returns the packet's length. Options as Linux sends them: a SYN has 20 bytes of them, any other segment none. */
static int build(uint8_t *p, struct peer from, int flags, uint32_t seq, uint32_t ack, int ipproto)
{
	static const uint8_t options[20] = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 1, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7 };
	int n_options = flags != SYN ? 0 : plain ? 4 : 20, tcp_len = 20 + n_options;
	int ip_len = build_ip(p, from.addr, tcp_len, ipproto);
	uint8_t *t = p + ip_len;

	memset(t, 0, 20);
	put16(t, from.port);
	put16(t + 2, port);
	put32(t + 4, seq);
	put32(t + 8, ack);
	t[12] = tcp_len << 2;
	t[13] = flags;
	put16(t + 14, 64240);
	memcpy(t + 20, options, n_options);
	put16(t + 16, fold(sum(t, tcp_len, six ? sum(p + 8, 32, 6 + tcp_len) : sum(p + 12, 8, 6 + tcp_len))));
	return ip_len + tcp_len;
}

static void transmit(int tun, const uint8_t *p, int len)
{
	if (write(tun, p, len) != len)
		die("write to the TUN device");
}

/* Throws away what the stack has answered: the device's queue is as long as it is. */
static void empty(int tun)
{
	uint8_t p[2048];

	while (read(tun, p, sizeof(p)) > 0)
		;
}

/* The stack's next segment to `want`. Returns its TCP header, or NULL after a second of silence. */
static const uint8_t *receive(int tun, struct peer want)
{
	static uint8_t p[2048];
	struct pollfd f = { .fd = tun, .events = POLLIN };

	for (;;) {
		int n = read(tun, p, sizeof(p));

		if (n < 0 && errno == EAGAIN) {
			if (poll(&f, 1, 1000) == 0)
				return NULL;
			continue;
		}
		if (!six && n >= 40 && p[0] == 0x45 && get32(p + 16) == want.addr && (p[22] << 8 | p[23]) == want.port)
			return p + 20;
		if (six && n >= 60 && p[6] == 6 && get32(p + 36) == want.addr && (p[42] << 8 | p[43]) == want.port)
			return p + 40;
	}
}

/* -------------------------------------------------------------------------------------------------------------------------- modes */

/* An address of another host: of fd00::/96, as all that this program makes up, if it is IPv6's. */
static void aim_at(const char *text)
{
	union address a;

	if (parse_address(text, port, &a)) {
		fprintf(stderr, "rawload: not an address: %s\n", text);
		exit(2);
	}
	six = a.any.sa_family == AF_INET6;
	target = six ? get32(a.six.sin6_addr.s6_addr + 12) : ntohl(a.four.sin_addr.s_addr);
	foreign = 1;
}

static int listener(void)
{
	union address a;
	int fd, one = 1;

	if (foreign)
		return -1;
	if (parse_address(six ? "fd00::10.0.0.1" : "10.0.0.1", port, &a))
		die("address");
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, protocol);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &a.any, address_len(&a)) || listen(fd, backlog))
		die("listen");
	return fd;
}

/* Sends n packets made by make(); returns the seconds that the sending alone took. */
static double blast(int tun, uint32_t n, int (*make)(uint8_t *, uint32_t))
{
	static uint8_t packets[BATCH][ROOM];
	static int len[BATCH];
	double total = 0;

	for (uint32_t done = 0; done < n;) {
		uint32_t most = rate ? rate / 50 + 1 : BATCH, i, batch;
		double start;

		most = most < BATCH ? most : BATCH;
		batch = n - done < most ? n - done : most;
		for (i = 0; i < batch; i++)
			len[i] = make(packets[i], done + i);
		start = now_s();
		for (i = 0; i < batch; i++)
			transmit(tun, packets[i], len[i]);
		total += now_s() - start;
		if (rate)
			usleep(1000000ull * batch / rate);
		empty(tun);
		done += batch;
	}
	return total;
}

static int make_syn(uint8_t *p, uint32_t n)
{
	return build(p, peer_of(0, n), SYN, n * 7919, 0, 6);
}

static int make_nothing(uint8_t *p, uint32_t n)
{
	return build(p, peer_of(0, n), SYN, n * 7919, 0, PROTO_NOBODY);
}

static int make_probe(uint8_t *p, uint32_t n)
{
	static uint64_t x = 88172645463325252ull;

	(void)n;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	n = (x >> 32) % entries;
	return build(p, peer_of(0, n), RST, n * 7919 + 0x40000000, 0, 6);
}

static void report(const char *what, uint32_t n, double seconds)
{
	printf("{\"what\": \"%s\", \"packets\": %u, \"seconds\": %.6f, \"per_s\": %.1f, \"ns_each\": %.1f}\n", what, n, seconds, n / seconds,
	       seconds / n * 1e9);
	fflush(stdout);
}

/* One connection from the first SYN to the accepted socket; returns that, or -1 when the stack did not answer. */
static int connect_one(int tun, int lst, int worker, uint32_t n, uint32_t *their_seq)
{
	struct peer me = peer_of(worker, n);
	uint32_t seq = n * 7919;
	const uint8_t *t;
	uint8_t p[ROOM];
	int fd;

	transmit(tun, p, build(p, me, SYN, seq, 0, 6));
	t = receive(tun, me);
	if (!t || (t[13] & (SYN | ACK | RST)) != (SYN | ACK))
		return -1;
	*their_seq = get32(t + 4) + 1;
	transmit(tun, p, build(p, me, ACK, seq + 1, *their_seq, 6));
	/* Another worker may have taken this one; then the next is as good. */
	do {
		fd = accept4(lst, NULL, NULL, 0);
	} while (fd < 0 && errno == EAGAIN && workers > 1);
	return fd;
}

/* The listener is shared, so the socket may be of another worker's peer: only `reset` by the program's own close works for all. */
static int handshakes(int tun, int lst, int worker)
{
	uint32_t n, failed = 0;
	struct linger hard = { 1, 0 };

	for (n = 0; n < count; n++) {
		uint32_t their_seq, seq = n * 7919 + 1;
		struct peer me = peer_of(worker, n);
		int fd = connect_one(tun, lst, worker, n, &their_seq);
		uint8_t p[ROOM];

		if (fd < 0) {
			failed++;
			continue;
		}
		if (!strcmp(after, "reset")) {
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
			close(fd);
		} else if (!strcmp(after, "timewait")) {
			close(fd);
			if (!receive(tun, me))
				failed++;
			transmit(tun, p, build(p, me, FIN | ACK, seq, their_seq + 1, 6));
		}
		if (n % 256 == 0)
			empty(tun);
	}
	return failed;
}

static void run_handshakes(void)
{
	int lst = -1, *failed = mmap(NULL, sizeof(*failed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), w;
	int tuns[16];
	double start;

	for (w = 0; w < workers; w++)
		tuns[w] = open_tun(w);
	lst = listener();
	start = now_s();
	if (workers == 1) {
		*failed = handshakes(tuns[0], lst, 0);
	} else {
		for (w = 0; w < workers; w++)
			if (fork() == 0) {
				__atomic_add_fetch(failed, handshakes(tuns[w], lst, w), __ATOMIC_SEQ_CST);
				_exit(0);
			}
		while (wait(NULL) > 0)
			;
	}
	printf("{\"what\": \"handshake\", \"connections\": %u, \"failed\": %d, \"seconds\": %.6f, \"per_s\": %.1f, \"ns_each\": %.1f}\n",
	       count * workers, *failed, now_s() - start, count * workers / (now_s() - start), (now_s() - start) / count / workers * 1e9);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "proto", 1, 0, 'p' },	  { "count", 1, 0, 'c' },   { "entries", 1, 0, 'e' }, { "after", 1, 0, 'a' }, { "port", 1, 0, 'P' },
		{ "backlog", 1, 0, 'b' }, { "workers", 1, 0, 'w' }, { "hold", 0, 0, 'h' },    { "plain", 0, 0, 'l' },
		{ "foreign", 0, 0, 'f' }, { "to", 1, 0, 't' },	    { "rate", 1, 0, 'r' },    { "six", 0, 0, '6' },
		{ 0 },
	};
	struct rlimit limit = { 1048576, 1048576 };
	const char *mode;
	int c, tun;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'p': protocol = strcmp(optarg, "atcp") == 0 ? PROTO_ATCP : 0; break;
		case 'c': count = atol(optarg); break;
		case 'e': entries = atol(optarg); break;
		case 'a': after = optarg; break;
		case 'P': port = atoi(optarg); break;
		case 'b': backlog = atoi(optarg); break;
		case 'w': workers = atoi(optarg); break;
		case 'h': hold = 1; break;
		case 'l': plain = 1; break;
		case 'f': foreign = 1; break;
		case 't': aim_at(optarg); break;
		case '6': six = 1; break;
		case 'r': rate = atol(optarg); break;
		default: return 2;
		}
	}
	mode = argc - optind == 1 ? argv[optind] : "";
	if (!count || !entries || workers < 1 || workers > (six ? 1 : 16))
		mode = "";
	setrlimit(RLIMIT_NOFILE, &limit);
	if (!strcmp(mode, "handshake")) {
		run_handshakes();
	} else if (!strcmp(mode, "syn") || !strcmp(mode, "nothing")) {
		tun = open_tun(0);
		listener();
		report(mode, count, blast(tun, count, *mode == 's' ? make_syn : make_nothing));
	} else if (!strcmp(mode, "probe")) {
		double start;
		uint32_t probes = count;

		tun = open_tun(0);
		start = now_s();
		count = entries;
		after = "timewait";
		if (handshakes(tun, listener(), 0))
			die("not every entry could be made");
		report("fill", entries, now_s() - start);
		report("probe", probes, blast(tun, probes, make_probe));
	} else {
		fprintf(stderr, "usage: rawload [options] syn|handshake|probe|nothing (options: see its source)\n");
		return 2;
	}
	if (hold)
		while (read(0, &c, 1) > 0)
			;
	return 0;
}
