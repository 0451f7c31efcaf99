// SPDX-License-Identifier: GPL-2.0
/*
 * Socket API, part 5: what recvmsg() and getsockopt() tell beside the data:
 * saved SYNs, peek offsets, time stamps, completions of MSG_ZEROCOPY. See
 * sockapi.h for how a sequence is judged.
 */
#include "sockapi.h"
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <sys/utsname.h>

#ifndef SOF_TIMESTAMPING_OPT_ID_TCP
#define SOF_TIMESTAMPING_OPT_ID_TCP (1 << 16)
#endif

/* --------------------------------------------------------------- saved SYN */

static void save_syn_values(void)
{
	char buf[8];
	socklen_t len = sizeof(buf);
	int fd = tcp_socket(0);

	GETOPT(fd, IPPROTO_TCP, TCP_SAVE_SYN);
	SETOPT(fd, IPPROTO_TCP, TCP_SAVE_SYN, -1);
	SETOPT(fd, IPPROTO_TCP, TCP_SAVE_SYN, 3);
	SETOPT(fd, IPPROTO_TCP, TCP_SAVE_SYN, 2);
	GETOPT(fd, IPPROTO_TCP, TCP_SAVE_SYN);
	SETOPT(fd, IPPROTO_TCP, TCP_SAVE_SYN, 1);
	GETOPT(fd, IPPROTO_TCP, TCP_SAVE_SYN);
	SETOPT(fd, IPPROTO_TCP, TCP_SAVE_SYN, 0);
	GETOPT(fd, IPPROTO_TCP, TCP_SAVE_SYN);
	CALL(setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, buf, 2));
	SETOPT(fd, IPPROTO_TCP, TCP_SAVED_SYN, 1);
	CALL(getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, buf, &len));
	say("%u bytes\n", len);
}

/* What of the headers does not depend on the moment. */
static void say_headers(const unsigned char *p, unsigned int len, unsigned int link, int port)
{
	unsigned int ihl = (p[link] & 15) * 4;
	const unsigned char *t = p + link + ihl;

	say("IPv%d %s, SYN alone %d, the port %d, all of it %d\n", p[link] >> 4, p[link + 9] == 6 ? "TCP" : "?",
	    (t[13] & 0x3f) == 2, (t[2] << 8 | t[3]) == port, link + ihl + (t[12] >> 4) * 4 == len);
	say("source and destination %s\n", memcmp(p + link + 12, p + link + 16, 4) ? "differ" : "are the same");
}

static void saved_syn(int mode)
{
	unsigned char syn[300];
	socklen_t len;
	int port, l = listener(4, &port), c = tcp_socket(0), s, d;
	unsigned int link = mode == 2 ? 14 : 0, need;

	MUST(set_int(l, IPPROTO_TCP, TCP_SAVE_SYN, mode));
	MUST(connect_to(c, port));
	s = MUST(accept(l, NULL, NULL));
	GETOPT(s, IPPROTO_TCP, TCP_SAVE_SYN);
	len = 10;
	CALL(getsockopt(s, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len));
	need = len;
	say("needs more than %u: %d\n", 39 + link, need > 39 + link);
	len = need - 1;
	CALL(getsockopt(s, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len));
	CALL(getsockopt(s, IPPROTO_TCP, TCP_SAVED_SYN, (void *)8, &len));
	len = sizeof(syn);
	memset(syn, 0, sizeof(syn));
	CALL(getsockopt(s, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len));
	say("as said %d, nothing behind %d\n", len == need, syn[need] == 0);
	say_headers(syn, len, link, port);
	if (link)
		say("link header's type %02x%02x\n", syn[12], syn[13]);
	len = sizeof(syn);
	CALL(getsockopt(s, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len));
	say("once more: %u\n", len);
	len = sizeof(syn);
	CALL(getsockopt(c, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len));
	say("client: %u\n", len);
	/* Never read: it goes with the socket. And one that nobody accepts goes with the listener. */
	d = tcp_socket(0);
	MUST(connect_to(d, port));
	close(MUST(accept(l, NULL, NULL)));
	d = tcp_socket(0);
	MUST(connect_to(d, port));
	close(l);
}

static void saved_syn_with_ip_header(void)
{
	saved_syn(1);
}

static void saved_syn_with_link_header(void)
{
	saved_syn(2);
}

static void saved_syn_asked_for_too_late(void)
{
	unsigned char syn[300];
	socklen_t len = sizeof(syn);
	int port, l = listener(4, &port), c = tcp_socket(0), s;

	MUST(connect_to(c, port));
	wait_for(l, POLLIN);
	MUST(set_int(l, IPPROTO_TCP, TCP_SAVE_SYN, 1));
	s = MUST(accept(l, NULL, NULL));
	CALL(getsockopt(s, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len));
	say("%u\n", len);
	GETOPT(s, IPPROTO_TCP, TCP_SAVE_SYN);
}

/* -------------------------------------------------------------- peek offset */

static void peek(int fd, int bytes, int flags)
{
	char buf[32] = "";
	int n = recv(fd, buf, bytes, MSG_PEEK | MSG_DONTWAIT | flags);

	say("peek %d: %s, offset ", bytes, n < 0 ? errno_text(errno) : buf);
	say_option("", fd, SOL_SOCKET, SO_PEEK_OFF);
}

static void peek_offset(void)
{
	struct pair p = connected();
	char buf[32] = "";

	GETOPT(p.server, SOL_SOCKET, SO_PEEK_OFF);
	SETOPT(p.server, SOL_SOCKET, SO_PEEK_OFF, 0);
	peek(p.server, 3, 0);
	MUST(send(p.client, "0123456789", 10, 0));
	wait_for(p.server, POLLIN);
	peek(p.server, 3, 0);
	peek(p.server, 3, 0);
	CALL(recv(p.server, buf, 2, 0));
	say("%.2s\n", buf);
	peek(p.server, 2, 0);
	CALL(recv(p.server, buf, 7, 0));
	say("%.7s\n", buf);
	peek(p.server, 9, 0);
	peek(p.server, 9, 0);
	MUST(send(p.client, "abcdefghij", 10, 0));
	pause_ms(SETTLE_MS);
	peek(p.server, 4, 0);
	SETOPT(p.server, SOL_SOCKET, SO_PEEK_OFF, 7);
	peek(p.server, 9, 0);
	SETOPT(p.server, SOL_SOCKET, SO_PEEK_OFF, -1);
	peek(p.server, 3, 0);
	peek(p.server, 3, 0);
	SETOPT(p.server, SOL_SOCKET, SO_PEEK_OFF, 5);
	CALL(recv(p.server, NULL, 4, MSG_PEEK | MSG_TRUNC));
	peek(p.server, 30, 0);
	SETOPT(p.server, SOL_SOCKET, SO_PEEK_OFF, 1000);
	peek(p.server, 3, 0);
	CALL(recv(p.server, buf, 30, 0));
	peek(p.server, 3, 0);
}

static void peek_offset_waits_and_ends(void)
{
	struct pair p = connected();
	char buf[32] = "";
	int go[2];

	MUST(pipe(go));
	SETOPT(p.server, SOL_SOCKET, SO_PEEK_OFF, 4);
	MUST(send(p.client, "0123", 4, 0));
	if (fork() == 0) {
		pause_ms(100);
		send(p.client, "4567", 4, 0);
		MUST(read(go[0], buf, 1));
		pause_ms(100);
		send(p.client, "89", 2, 0);
		shutdown(p.client, SHUT_WR);
		_exit(0);
	}
	CALL(recv(p.server, buf, 8, MSG_PEEK));
	say("%.8s\n", buf);
	GETOPT(p.server, SOL_SOCKET, SO_PEEK_OFF);
	MUST(write(go[1], "", 1));
	memset(buf, 0, sizeof(buf));
	CALL(recv(p.server, buf, 8, MSG_PEEK | MSG_WAITALL));
	say("%.8s\n", buf);
	CALL(recv(p.server, buf, 8, MSG_PEEK));
	wait_state(p.server, 8);
	CALL(recv(p.server, buf, 8, MSG_PEEK));
	CALL(recv(p.server, buf, 30, 0));
	CALL(recv(p.server, buf, 30, 0));
	GETOPT(p.server, SOL_SOCKET, SO_PEEK_OFF);
}

static void peek_offset_and_children(void)
{
	int port, l = listener(4, &port), c = tcp_socket(0);

	SETOPT(l, SOL_SOCKET, SO_PEEK_OFF, 3);
	MUST(connect_to(c, port));
	GETOPT(MUST(accept(l, NULL, NULL)), SOL_SOCKET, SO_PEEK_OFF);
	SETOPT(c, SOL_SOCKET, SO_PEEK_OFF, -7);
	GETOPT(c, SOL_SOCKET, SO_PEEK_OFF);
}

/* -------------------------------------------------------------- time stamps */

static int is_recent(long long seconds)
{
	return llabs(seconds - (long long)time(NULL)) < 30;
}

/* Control messages, with what does not depend on the moment. */
static void say_control(struct msghdr *m)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		const long long *t = (const long long *)CMSG_DATA(c);
		struct sock_extended_err *e = (struct sock_extended_err *)CMSG_DATA(c);

		say("  control %d %d, %zu bytes", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_len >= CMSG_LEN(48))
			say(": stamps %d %d %d", is_recent(t[0]), is_recent(t[2]), is_recent(t[4]));
		else if (c->cmsg_level == SOL_SOCKET && c->cmsg_len >= CMSG_LEN(16))
			say(": stamp %d", is_recent(t[0]));
		else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
			 (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			say(": errno %u origin %u type %u code %u info %u data %u", e->ee_errno, e->ee_origin, e->ee_type,
			    e->ee_code, e->ee_info, e->ee_data);
		say("\n");
	}
}

static long receive_message(int fd, size_t bytes, int flags, size_t room)
{
	char buf[256];
	_Alignas(8) char control[512];
	struct iovec v = { buf, bytes };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room };
	long n = recvmsg(fd, &m, flags);

	if (n < 0) {
		say("recvmsg = %s\n", errno_text(errno));
		return n;
	}
	say("recvmsg = %ld, flags %x\n", flags & MSG_ERRQUEUE ? n > 0 : n, m.msg_flags);
	say_control(&m);
	return n;
}

/* The host begins to stamp packets a while after the first socket asked for it, on a busy one much later: such a socket of
 * our own, until this process ends, and a datagram that has its stamp.
 */
static void stamps_begin(void)
{
	static int fd = -1;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	char control[64];
	int i;

	if (fd >= 0)
		return;
	fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	MUST(bind(fd, (struct sockaddr *)&a, len));
	MUST(getsockname(fd, (struct sockaddr *)&a, &len));
	MUST(connect(fd, (struct sockaddr *)&a, len));
	MUST(set_int(fd, SOL_SOCKET, SO_TIMESTAMP, 1));
	/* One that came without a stamp gets one when it is read; one that was stamped as it came is older than that. */
	for (i = 0; i < 500; i++) {
		struct msghdr m = { .msg_control = control, .msg_controllen = sizeof(control) };
		struct timeval read_at, *stamp;

		MUST(send(fd, "", 0, 0));
		pause_ms(10);
		gettimeofday(&read_at, NULL);
		MUST(recvmsg(fd, &m, 0));
		if (!CMSG_FIRSTHDR(&m))
			continue;
		stamp = (struct timeval *)CMSG_DATA(CMSG_FIRSTHDR(&m));
		if (timercmp(stamp, &read_at, <))
			return;
	}
	say("the host stamps no packets\n");
}

static void received_with(int option, int value)
{
	struct pair p = connected();
	int name = option;

	stamps_begin();
	call_result("set", set_int(p.server, SOL_SOCKET, name, value));
	say_option("", p.server, SOL_SOCKET, name);
	MUST(send(p.client, "0123456789", 10, 0));
	wait_for(p.server, POLLIN);
	receive_message(p.server, 3, MSG_PEEK, 512);
	receive_message(p.server, 3, 0, 512);
	receive_message(p.server, 3, 0, 0);
	receive_message(p.server, 3, 0, 20);
	SETOPT(p.server, IPPROTO_TCP, TCP_INQ, 1);
	MUST(send(p.client, "abc", 3, 0));
	pause_ms(SETTLE_MS);
	receive_message(p.server, 2, 0, 512);
	receive_message(p.server, 9, 0, 512);
	receive_message(p.server, 9, MSG_DONTWAIT, 512);
	call_result("off", set_int(p.server, SOL_SOCKET, name, 0));
	say_option("", p.server, SOL_SOCKET, name);
	MUST(send(p.client, "abc", 3, 0));
	wait_for(p.server, POLLIN);
	receive_message(p.server, 9, 0, 512);
	shutdown(p.client, SHUT_WR);
	receive_message(p.server, 9, 0, 512);
}

static void so_timestamp(void)
{
	received_with(SO_TIMESTAMP, 1);
	received_with(SO_TIMESTAMPNS, 1);
	received_with(SO_TIMESTAMP_NEW, 1);
	received_with(SO_TIMESTAMPNS_NEW, 1);
}

static void so_timestamping_received(void)
{
	received_with(SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
	received_with(SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE);
	received_with(SO_TIMESTAMPING_NEW, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
	received_with(SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE);
}

static void timestamping_values(void)
{
	struct pair p = connected();

	GETOPT(p.client, SOL_SOCKET, SO_TIMESTAMPING);
	SETOPT(p.client, SOL_SOCKET, SO_TIMESTAMPING, -1);
	SETOPT(p.client, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_OPT_ID);
	GETOPT(p.client, SOL_SOCKET, SO_TIMESTAMPING);
	SETOPT(p.client, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_OPT_ID_TCP);
	SETOPT(p.client, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_OPT_STATS);
	GETOPT(p.client, SOL_SOCKET, SO_TIMESTAMPING);
}

enum { SENT = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_ACK };

/* All that is in the error queue by and by, `count` entries. */
static void error_queue(int fd, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		wait_for(fd, POLLERR);
		receive_message(fd, 200, MSG_ERRQUEUE | MSG_DONTWAIT, 512);
	}
	say_poll("then", fd, 0);
	receive_message(fd, 200, MSG_ERRQUEUE, 512);
}

static void sent_with(int value)
{
	struct pair p = connected();
	char buf[64];

	call_result("set", set_int(p.client, SOL_SOCKET, SO_TIMESTAMPING, value));
	CALL(send(p.client, "0123456789", 10, 0));
	MUST(recv(p.server, buf, 64, 0));
	error_queue(p.client, 3);
	CALL(send(p.client, "abcde", 5, 0));
	MUST(recv(p.server, buf, 64, 0));
	error_queue(p.client, 3);
	GETOPT(p.client, SOL_SOCKET, SO_ERROR);
	/* Counted anew. */
	MUST(set_int(p.client, SOL_SOCKET, SO_TIMESTAMPING, 0));
	MUST(send(p.client, "x", 1, 0));
	MUST(recv(p.server, buf, 64, 0));
	pause_ms(200); /* the kernel counts from what is acknowledged */
	MUST(set_int(p.client, SOL_SOCKET, SO_TIMESTAMPING, value));
	CALL(send(p.client, "zz", 2, 0));
	MUST(recv(p.server, buf, 64, 0));
	error_queue(p.client, 3);
	say_poll("client", p.client, 0);
}

static void stamps_of_what_is_sent(void)
{
	sent_with(SENT | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY);
	sent_with(SENT | SOF_TIMESTAMPING_OPT_TSONLY);
	sent_with(SENT | SOF_TIMESTAMPING_OPT_ID);
	sent_with(SENT | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_CMSG);
}

/* One byte of many pieces: each kind comes once, with the number of the last byte. */
static void stamps_of_a_long_write(void)
{
	struct pair p = connected();
	static char buf[300000];
	long total = 0, n;

	MUST(set_int(p.client, SOL_SOCKET, SO_SNDBUF, 1 << 20));
	MUST(set_int(p.client, SOL_SOCKET, SO_TIMESTAMPING, SENT | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY));
	if (fork() == 0) {
		while (total < (long)sizeof(buf) && (n = recv(p.server, buf, sizeof(buf), 0)) > 0)
			total += n;
		pause_ms(500);
		_exit(0);
	}
	CALL(send(p.client, buf, sizeof(buf), 0));
	error_queue(p.client, 3);
	wait(NULL);
}

/* One that ends with less than all for want of room: its last byte is the last one taken, though it may be on its way already. */
static void stamps_of_a_write_cut_short(void)
{
	struct pair p = connected();
	_Alignas(8) char control[512];
	struct msghdr m = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct sock_extended_err *e = NULL;
	struct cmsghdr *c;
	static char buf[1 << 20];
	long n;

	MUST(set_int(p.client, SOL_SOCKET, SO_SNDBUF, 10000));
	MUST(set_int(p.client, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_TX_ACK |
							     SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY));
	n = MUST(send(p.client, buf, sizeof(buf), MSG_DONTWAIT));
	say("%s taken\n", n < (long)sizeof(buf) ? "a part is" : "all is");
	wait_for(p.client, POLLERR);
	CALL(recvmsg(p.client, &m, MSG_ERRQUEUE | MSG_DONTWAIT));
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_IP || c->cmsg_level == SOL_IPV6)
			e = (struct sock_extended_err *)CMSG_DATA(c);
	if (e)
		say("kind %u, %s\n", e->ee_info, e->ee_data == n - 1 ? "of the last byte taken" : "of another byte");
}

/* The stamp of one write alone, asked for with it; what is appended does not take it away. */
static void stamps_of_one_write(void)
{
	_Alignas(8) char control[CMSG_SPACE(4)] = "";
	struct iovec v = { "stamped", 7 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	struct pair p = connected();
	char buf[64];

	MUST(set_int(p.client, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
							     SOF_TIMESTAMPING_OPT_TSONLY));
	*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SO_TIMESTAMPING, .cmsg_len = CMSG_LEN(4) };
	*(int *)CMSG_DATA(c) = SOF_TIMESTAMPING_TX_ACK;
	CALL(send(p.client, "plain", 5, 0));
	CALL(sendmsg(p.client, &m, MSG_MORE));
	CALL(send(p.client, "plain", 5, 0));
	MUST(recv(p.server, buf, 17, MSG_WAITALL));
	error_queue(p.client, 1);
	*(int *)CMSG_DATA(c) = 1 << 30;
	CALL(sendmsg(p.client, &m, 0));
	c->cmsg_len = CMSG_LEN(2);
	CALL(sendmsg(p.client, &m, 0));
}

/* ----------------------------------------------------------- MSG_ZEROCOPY */

/* Completions come one by one or together: what was completed, and whether it was copied after all. */
static void completions(int fd, unsigned int calls)
{
	unsigned int done = 0, entries = 0, copied = 0;

	while (done < calls && entries < 100) {
		_Alignas(8) char control[512];
		struct msghdr m = { .msg_control = control, .msg_controllen = sizeof(control) };
		struct sock_extended_err *e;

		wait_for(fd, POLLERR);
		if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			break;
		e = (struct sock_extended_err *)CMSG_DATA(CMSG_FIRSTHDR(&m));
		if (e->ee_origin != SO_EE_ORIGIN_ZEROCOPY || e->ee_errno || e->ee_info != done)
			say("odd: origin %u errno %u from %u\n", e->ee_origin, e->ee_errno, e->ee_info);
		done = e->ee_data + 1;
		copied |= e->ee_code;
		entries++;
	}
	say("completed %u of %u, code %u\n", done, calls, copied);
	receive_message(fd, 0, MSG_ERRQUEUE, 512);
}

static int all_is(const char *p, long n, char c)
{
	while (n > 0 && p[n - 1] == c)
		n--;
	return n == 0;
}

static void zerocopy_option(void)
{
	int port, l = listener(4, &port), c = tcp_socket(0);

	GETOPT(c, SOL_SOCKET, SO_ZEROCOPY);
	SETOPT(c, SOL_SOCKET, SO_ZEROCOPY, 2);
	SETOPT(c, SOL_SOCKET, SO_ZEROCOPY, -1);
	SETOPT(c, SOL_SOCKET, SO_ZEROCOPY, 1);
	GETOPT(c, SOL_SOCKET, SO_ZEROCOPY);
	SETOPT(c, SOL_SOCKET, SO_ZEROCOPY, 0);
	GETOPT(c, SOL_SOCKET, SO_ZEROCOPY);
	CALL(setsockopt(c, SOL_SOCKET, SO_ZEROCOPY, "x", 1));
	CALL(setsockopt(c, SOL_SOCKET, SO_ZEROCOPY, (void *)8, 4));
	SETOPT(l, SOL_SOCKET, SO_ZEROCOPY, 1);
	MUST(connect_to(c, port));
	c = MUST(accept(l, NULL, NULL));
	GETOPT(c, SOL_SOCKET, SO_ZEROCOPY);
	SETOPT(c, SOL_SOCKET, SO_ZEROCOPY, 0);
	GETOPT(c, SOL_SOCKET, SO_ZEROCOPY);
	SETOPT(c, SOL_SOCKET, SO_RCVLOWAT, 7);
	GETOPT(c, SOL_SOCKET, SO_RCVLOWAT);
}

static void zerocopy_without_the_option(void)
{
	struct pair p = connected();
	char buf[16] = "";

	CALL(send(p.client, "plain", 5, MSG_ZEROCOPY));
	CALL(recv(p.server, buf, 16, 0));
	receive_message(p.client, 0, MSG_ERRQUEUE, 512);
	POLLS(p.client);
}

static char pages[1 << 20] __attribute__((aligned(4096)));

/* Sizes and places that share pages, pieces and completions; between copies; what arrives is what was written. */
static void zerocopy_writes(void)
{
	static const int sizes[] = { 1, 4096, 5000, 100000, 17, 65536, 300000 };
	static char got[sizeof(pages)];
	struct pair p = connected();
	long total = 0, n, want = 0;
	unsigned int i;
	char *from = pages;

	MUST(set_int(p.client, SOL_SOCKET, SO_ZEROCOPY, 1));
	if (fork() == 0) {
		while ((n = recv(p.server, got + total, sizeof(got) - total, 0)) > 0)
			total += n;
		for (i = 0, from = got; i < COUNT(sizes); i++) {
			say("part %u is right: %d", i, all_is(from, sizes[i], 'a' + i));
			say(" %d\n", all_is(from + sizes[i], 10, '-'));
			from += sizes[i] + 10;
		}
		say("received %ld\n", total);
		_exit(0);
	}
	close(p.server);
	for (i = 0; i < COUNT(sizes); i++) {
		memset(from, 'a' + i, sizes[i]);
		CALL(send(p.client, from, sizes[i], MSG_ZEROCOPY));
		MUST(send(p.client, "----------", 10, 0));
		from += sizes[i];
		want += sizes[i] + 10;
	}
	completions(p.client, COUNT(sizes));
	say("written %ld\n", want);
	shutdown(p.client, SHUT_WR);
	wait(NULL);
}

static void zerocopy_and_more(void)
{
	struct pair p = connected();
	static char got[40000];
	int i;

	MUST(set_int(p.client, SOL_SOCKET, SO_ZEROCOPY, 1));
	memset(pages, 'z', sizeof(pages));
	for (i = 0; i < 8; i++)
		MUST(send(p.client, pages + i * 5000, 5000, MSG_ZEROCOPY | MSG_MORE));
	CALL(send(p.client, "", 0, MSG_ZEROCOPY));
	SETOPT(p.client, IPPROTO_TCP, TCP_NODELAY, 1);
	CALL(recv(p.server, got, sizeof(got), MSG_WAITALL));
	say("right: %d\n", all_is(got, sizeof(got), 'z'));
	completions(p.client, 8);
}

static void zerocopy_from_nowhere(void)
{
	struct pair p = connected();
	long page = sysconf(_SC_PAGESIZE);
	char *m = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), buf[8] = "";

	munmap(m + page, page);
	memset(m, 'm', page);
	MUST(set_int(p.client, SOL_SOCKET, SO_ZEROCOPY, 1));
	CALL(send(p.client, (void *)8, 4, MSG_ZEROCOPY));
	CALL(send(p.client, m + page, 100, MSG_ZEROCOPY));
	CALL(send(p.client, m + page - 4, 4, MSG_ZEROCOPY));
	CALL(recv(p.server, buf, 8, 0));
	completions(p.client, 1);
	shutdown(p.client, SHUT_WR);
	CALL(send(p.client, m, 4, MSG_ZEROCOPY | MSG_NOSIGNAL));
	receive_message(p.client, 0, MSG_ERRQUEUE, 512);
}

/* Unread at the other end, unsent, reset: the pages are given back all the same. */
static void zerocopy_of_a_reset_connection(void)
{
	struct linger l = { 1, 0 };
	struct pair p = connected();
	long n;
	int calls = 0;

	MUST(set_int(p.client, SOL_SOCKET, SO_ZEROCOPY, 1));
	MUST(set_int(p.server, SOL_SOCKET, SO_RCVBUF, 4000));
	while ((n = send(p.client, pages, 100000, MSG_ZEROCOPY | MSG_DONTWAIT)) > 0 && calls < 30)
		calls++;
	say("some %d\n", calls > 0);
	MUST(setsockopt(p.server, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	close(p.server);
	wait_state(p.client, 7);
	GETOPT(p.client, SOL_SOCKET, SO_ERROR);
	pause_ms(SETTLE_MS);
	n = 0;
	while (recv(p.client, pages, 0, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0)
		n++;
	say("completions %d\n", n > 0);
}

static const struct sequence all[] = {
#define S(name) { #name, name }
	S(save_syn_values), S(saved_syn_with_ip_header), S(saved_syn_with_link_header), S(saved_syn_asked_for_too_late),
	S(peek_offset), S(peek_offset_waits_and_ends), S(peek_offset_and_children),
	S(so_timestamp), S(so_timestamping_received), S(timestamping_values), S(stamps_of_what_is_sent),
	S(stamps_of_a_long_write), S(stamps_of_a_write_cut_short), S(stamps_of_one_write),
	S(zerocopy_option), S(zerocopy_without_the_option), S(zerocopy_writes), S(zerocopy_and_more),
	S(zerocopy_from_nowhere), S(zerocopy_of_a_reset_connection),
};

#define OLD "before 6.6 the kernel keeps SO_ZEROCOPY for protocols that it knows"
static const struct difference of_old_kernels[] = {
	{ "zerocopy_option", OLD }, { "zerocopy_writes", OLD }, { "zerocopy_and_more", OLD },
	{ "zerocopy_from_nowhere", OLD }, { "zerocopy_of_a_reset_connection", OLD },
};

/* The host stops stamping packets a while after the last socket that asked for it is gone, and until then looks as if it went on. This
 * socket asks from now on, so that between two sequences it does not stop.
 */
static void keep_stamps(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || set_int(fd, SOL_SOCKET, SO_TIMESTAMP, 1)) {
		perror("a socket with SO_TIMESTAMP");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct utsname u;
	int major = 0, minor = 0;

	keep_stamps();
	uname(&u);
	sscanf(u.release, "%d.%d", &major, &minor);
	return sockapi_main(argc, argv, all, COUNT(all), of_old_kernels,
			    major * 100 + minor < 606 ? COUNT(of_old_kernels) : 0);
}
