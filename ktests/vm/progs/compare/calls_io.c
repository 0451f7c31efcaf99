// SPDX-License-Identifier: GPL-2.0
/* Calls that send and receive, in all their flavours, with good memory and bad. */
#include "compare.h"

#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif
#define MSG_UNKNOWN 0x1000000 /* no flag of anybody's */

/* ---- sending -------------------------------------------------------------------------- */

static void send_with(struct world *w, int flags)
{
	step_ret("send", send(w->fd, "abc", 3, flags));
	world_settle();
	step_ret("again", send(w->fd, "abc", 3, flags));
}

#define SEND(name, flags) \
	static void send_##name(struct world *w) \
	{ \
		send_with(w, flags); \
	}
SEND(plain, 0)
SEND(dontwait, MSG_DONTWAIT)
SEND(nosignal, MSG_NOSIGNAL)
SEND(more, MSG_MORE)
SEND(oob, MSG_OOB)
SEND(eor, MSG_EOR)
SEND(dontroute, MSG_DONTROUTE)
SEND(confirm, MSG_CONFIRM)
SEND(zerocopy, MSG_ZEROCOPY)
SEND(unknown_flag, MSG_UNKNOWN)
SEND(receivers_flags, MSG_PEEK | MSG_TRUNC | MSG_WAITALL | MSG_ERRQUEUE)

static void send_nothing(struct world *w)
{
	step_ret("send", send(w->fd, "", 0, 0));
	step_ret("NULL", send(w->fd, NULL, 0, 0));
	step_ret("nosignal", send(w->fd, "", 0, MSG_NOSIGNAL));
	step_ret("oob", send(w->fd, "", 0, MSG_OOB));
	step_ret("write", write(w->fd, "", 0));
}

static void send_pointers(struct world *w)
{
	step_ret("NULL", send(w->fd, NULL, 3, 0));
	step_ret("nowhere", send(w->fd, NOWHERE, 3, 0));
	step_ret("half", send(w->fd, edge(3), 6, 0));
	step_ret("kernel's", send(w->fd, (void *)-4096L, 3, 0));
	step_ret("write half", write(w->fd, edge(2), 4));
}

static void sendto_address(struct world *w)
{
	union address a;
	socklen_t len = address_of(&a, HOST_LOOPBACK, w->port);

	step_ret("sendto", sendto(w->fd, "abc", 3, 0, &a.any, len));
	step_ret("short", sendto(w->fd, "abc", 3, 0, &a.any, 3));
	step_ret("negative", sendto(w->fd, "abc", 3, 0, &a.any, -1));
	step_ret("too long", sendto(w->fd, "abc", 3, 0, &a.any, sizeof(a) + 1));
	step_ret("nowhere", sendto(w->fd, "abc", 3, 0, NOWHERE, len));
	a.any.sa_family = AF_UNSPEC;
	step_ret("AF_UNSPEC", sendto(w->fd, "abc", 3, 0, &a.any, len));
}

static void send_fastopen(struct world *w)
{
	union address a;
	socklen_t len = address_of(&a, HOST_LOOPBACK, w->port);

	step_ret("no address", send(w->fd, "abc", 3, MSG_FASTOPEN));
	step_ret("short", sendto(w->fd, "abc", 3, MSG_FASTOPEN, &a.any, 5));
	step_ret("sendto", sendto(w->fd, "abc", 3, MSG_FASTOPEN, &a.any, len));
	world_settle();
	step("poll", "%s", poll_text(polled(w->fd)));
	step_ret("again", sendto(w->fd, "abc", 3, MSG_FASTOPEN, &a.any, len));
	a.any.sa_family = AF_UNSPEC;
	step_ret("AF_UNSPEC", sendto(w->fd, "abc", 3, MSG_FASTOPEN, &a.any, len));
	a.any.sa_family = family == AF_INET ? AF_INET6 : AF_INET;
	step_ret("the other family", sendto(w->fd, "abc", 3, MSG_FASTOPEN, &a.any, len));
}

static void send_fastopen_nobody(struct world *w)
{
	union address a;
	socklen_t len = address_of(&a, HOST_LOOPBACK, w->nobody_port);

	step_ret("sendto", sendto(w->fd, "abc", 3, MSG_FASTOPEN, &a.any, len));
	world_settle();
	step("poll", "%s", poll_text(polled(w->fd)));
	step_ret("again", sendto(w->fd, "abc", 3, MSG_FASTOPEN, &a.any, len));
}

static void call_writev(struct world *w)
{
	struct iovec v[3] = { { "ab", 2 }, { NULL, 0 }, { "cde", 3 } };

	step_ret("three", writev(w->fd, v, 3));
	step_ret("none", writev(w->fd, v, 0));
	step_ret("-1", writev(w->fd, v, -1));
	step_ret("1025", writev(w->fd, v, 1025));
	step_ret("vector nowhere", writev(w->fd, NOWHERE, 2));
	v[2].iov_base = NOWHERE;
	step_ret("third nowhere", writev(w->fd, v, 3));
	v[0].iov_base = NULL;
	step_ret("first NULL", writev(w->fd, v, 3));
	v[0].iov_len = -1;
	step_ret("negative length", writev(w->fd, v, 3));
	step_ret("pwrite", pwrite(w->fd, "x", 1, 0));
}

/* ---- control messages ----------------------------------------------------------------- */

static void send_control(struct world *w, const char *name, int level, int type, size_t len, const void *data, size_t bytes)
{
	union {
		char room[128];
		struct cmsghdr aligned;
	} control;
	struct iovec v = { "c", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control };
	struct cmsghdr *c = (struct cmsghdr *)control.room;

	memset(&control, 0, sizeof(control));
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = len;
	if (bytes)
		memcpy(CMSG_DATA(c), data, bytes);
	m.msg_controllen = CMSG_SPACE(bytes);
	step_ret(name, sendmsg(w->fd, &m, MSG_NOSIGNAL));
}

static void sendmsg_control(struct world *w)
{
	uint32_t mark = 7, timestamping = 1 << 8, odd = 1 << 30;
	uint64_t when = 1;
	int ttl = 9, fds[1] = { w->fd };
	char pktinfo[12] = "";

	send_control(w, "SO_MARK", SOL_SOCKET, SO_MARK, CMSG_LEN(4), &mark, 4);
	send_control(w, "SO_MARK too short", SOL_SOCKET, SO_MARK, CMSG_LEN(2), &mark, 4);
	send_control(w, "SO_TIMESTAMPING", SOL_SOCKET, SO_TIMESTAMPING, CMSG_LEN(4), &timestamping, 4);
	send_control(w, "SO_TIMESTAMPING odd", SOL_SOCKET, SO_TIMESTAMPING, CMSG_LEN(4), &odd, 4);
	send_control(w, "SCM_TXTIME", SOL_SOCKET, SCM_TXTIME, CMSG_LEN(8), &when, 8);
	send_control(w, "SCM_RIGHTS", SOL_SOCKET, SCM_RIGHTS, CMSG_LEN(4), fds, 4);
	send_control(w, "SOL_SOCKET 999", SOL_SOCKET, 999, CMSG_LEN(4), &mark, 4);
	send_control(w, "IP_TTL", SOL_IP, IP_TTL, CMSG_LEN(4), &ttl, 4);
	send_control(w, "IP_PKTINFO", SOL_IP, IP_PKTINFO, CMSG_LEN(12), pktinfo, 12);
	send_control(w, "IPV6_HOPLIMIT", SOL_IPV6, IPV6_HOPLIMIT, CMSG_LEN(4), &ttl, 4);
	send_control(w, "IPV6_PKTINFO", SOL_IPV6, IPV6_PKTINFO, CMSG_LEN(12), pktinfo, 12);
	send_control(w, "SOL_TCP", SOL_TCP, 1, CMSG_LEN(4), &mark, 4);
	send_control(w, "level 999", 999, 1, CMSG_LEN(4), &mark, 4);
	send_control(w, "cmsg_len 0", SOL_SOCKET, SO_MARK, 0, &mark, 4);
	send_control(w, "cmsg_len too long", SOL_SOCKET, SO_MARK, 1000, &mark, 4);
}

static void sendmsg_odd(struct world *w)
{
	struct iovec v = { "m", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	step_ret("plain", sendmsg(w->fd, &m, 0));
	m.msg_name = NOWHERE;
	m.msg_namelen = 16;
	step_ret("name nowhere", sendmsg(w->fd, &m, 0));
	m.msg_namelen = -1;
	step_ret("name's length negative", sendmsg(w->fd, &m, 0));
	m.msg_name = NULL;
	m.msg_control = NOWHERE;
	m.msg_controllen = 32;
	step_ret("control nowhere", sendmsg(w->fd, &m, 0));
	m.msg_controllen = (size_t)INT_MAX + 1;
	step_ret("control too long", sendmsg(w->fd, &m, 0));
	m.msg_control = NULL;
	m.msg_controllen = 0;
	m.msg_iovlen = 1025;
	step_ret("1025 vectors", sendmsg(w->fd, &m, 0));
	m.msg_iovlen = 0;
	step_ret("no vector", sendmsg(w->fd, &m, 0));
	step_ret("header NULL", sendmsg(w->fd, NULL, 0));
}

static void call_sendmmsg(struct world *w)
{
	struct iovec v[2] = { { "one", 3 }, { "three", 5 } };
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &v[0], .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_iov = &v[1], .msg_iovlen = 1 } } };

	step_ret("two", sendmmsg(w->fd, m, 2, 0));
	step("lengths", "%u %u", m[0].msg_len, m[1].msg_len);
	v[1].iov_base = NOWHERE;
	step_ret("second nowhere", sendmmsg(w->fd, m, 2, 0));
	step_ret("none", sendmmsg(w->fd, m, 0, 0));
	step_ret("nowhere", sendmmsg(w->fd, NOWHERE, 1, 0));
}

/* ---- receiving ------------------------------------------------------------------------ */

static void recv_with(struct world *w, size_t len, int flags)
{
	char buf[64];
	ssize_t n;

	memset(buf, '.', sizeof(buf));
	n = recv(w->fd, buf, len, flags);
	step_ret("recv", n);
	/* Whether more than was told has been written, too. */
	step("memory", "%.16s", buf);
	if (n >= 0 || errno != EFAULT)
		step_ret("again", recv(w->fd, buf, len, flags));
}

#define RECV(name, len, flags) \
	static void recv_##name(struct world *w) \
	{ \
		recv_with(w, len, flags); \
	}
RECV(plain, 32, 0)
RECV(some, 4, 0)
RECV(nothing, 0, 0)
RECV(nothing_peek, 0, MSG_PEEK)
RECV(dontwait, 32, MSG_DONTWAIT)
RECV(peek, 32, MSG_PEEK)
RECV(trunc, 4, MSG_TRUNC)
RECV(trunc_peek, 4, MSG_TRUNC | MSG_PEEK)
RECV(waitall, 32, MSG_WAITALL)
RECV(waitall_part, 4, MSG_WAITALL)
RECV(oob, 1, MSG_OOB)
RECV(oob_nothing, 0, MSG_OOB)
RECV(oob_peek, 1, MSG_OOB | MSG_PEEK)
RECV(errqueue, 32, MSG_ERRQUEUE)
RECV(errqueue_peek, 32, MSG_ERRQUEUE | MSG_PEEK)
RECV(unknown_flag, 32, MSG_UNKNOWN)
RECV(senders_flags, 32, MSG_MORE | MSG_EOR | MSG_NOSIGNAL | MSG_DONTROUTE | MSG_CONFIRM)

static void recv_pointers(struct world *w)
{
	step_ret("half", recv(w->fd, edge(3), 6, 0));
	step_ret("NULL", recv(w->fd, NULL, 3, 0));
	step_ret("nowhere", recv(w->fd, NOWHERE, 3, 0));
	step_ret("peek nowhere", recv(w->fd, NOWHERE, 3, MSG_PEEK));
	step_ret("kernel's", recv(w->fd, (void *)-4096L, 3, 0));
	step_ret("trunc nowhere", recv(w->fd, NOWHERE, 3, MSG_TRUNC));
	step_ret("read half", read(w->fd, edge(1), 4));
}

static void recvfrom_address(struct world *w)
{
	union address a;
	socklen_t len = sizeof(a);
	char buf[8];

	memset(&a, 0xa5, sizeof(a));
	step_ret("recvfrom", recvfrom(w->fd, buf, 2, MSG_PEEK, &a.any, &len));
	step("address", "%u bytes, %s", len, hex_text(&a, 16));
	len = 4;
	step_ret("short", recvfrom(w->fd, buf, 2, MSG_PEEK, &a.any, &len));
	step("length", "%u", len);
	len = -1;
	step_ret("negative", recvfrom(w->fd, buf, 2, MSG_PEEK, &a.any, &len));
	len = sizeof(a);
	step_ret("address nowhere", recvfrom(w->fd, buf, 2, MSG_PEEK, NOWHERE, &len));
	step_ret("length nowhere", recvfrom(w->fd, buf, 2, MSG_PEEK, &a.any, NOWHERE));
	step_ret("read", read(w->fd, buf, 2));
	step_ret("pread", pread(w->fd, buf, 2, 0));
}

static void call_recvmsg(struct world *w)
{
	char buf[4] = "", control[256];
	struct iovec v = { buf, 2 };
	union address a;
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_name = &a, .msg_namelen = sizeof(a),
			    .msg_control = control, .msg_controllen = sizeof(control), .msg_flags = -1 };

	step_ret("recvmsg", recvmsg(w->fd, &m, 0));
	step("header", "name %u control %zu flags %s", m.msg_namelen, m.msg_controllen, msg_flags_text(m.msg_flags));
	m.msg_flags = 0;
	step_ret("cloexec", recvmsg(w->fd, &m, MSG_CMSG_CLOEXEC | MSG_PEEK));
	step("header", "name %u control %zu flags %s", m.msg_namelen, m.msg_controllen, msg_flags_text(m.msg_flags));
	m.msg_namelen = -1;
	step_ret("name's length negative", recvmsg(w->fd, &m, MSG_PEEK));
	m.msg_name = NULL;
	m.msg_namelen = 0;
	m.msg_iovlen = 0;
	step_ret("no vector", recvmsg(w->fd, &m, 0));
	m.msg_iovlen = 1;
	m.msg_iov = NOWHERE;
	step_ret("vector nowhere", recvmsg(w->fd, &m, 0));
	step_ret("header NULL", recvmsg(w->fd, NULL, 0));
	m.msg_iov = &v;
	m.msg_controllen = 0;
	step_ret("trunc", recvmsg(w->fd, &m, MSG_TRUNC));
	step("header", "flags %s", msg_flags_text(m.msg_flags));
}

/* What control messages a read brings when all that may have been asked for has been. */
static void recvmsg_control(struct world *w)
{
	static const struct option asked[] = {
		{ "TCP_INQ", SOL_TCP, TCP_INQ, 0 }, { "SO_TIMESTAMP", SOL_SOCKET, SO_TIMESTAMP, 0 },
		{ "IP_RECVTTL", SOL_IP, IP_RECVTTL, 0 }, { "IP_RECVTOS", SOL_IP, IP_RECVTOS, 0 },
		{ "IP_PKTINFO", SOL_IP, IP_PKTINFO, 0 }, { "SO_RXQ_OVFL", SOL_SOCKET, SO_RXQ_OVFL, 0 },
		{ "IPV6_RECVPKTINFO", SOL_IPV6, IPV6_RECVPKTINFO, 0 }, { "IPV6_RECVTCLASS", SOL_IPV6, IPV6_RECVTCLASS, 0 },
		{ "SO_PASSCRED", SOL_SOCKET, SO_PASSCRED, 0 },
	};
	char buf[4], room[512];
	struct iovec v = { buf, 2 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	struct cmsghdr *c;
	size_t i;

	for (i = 0; i < COUNT(asked); i++)
		step_ret(asked[i].name, set_int(w->fd, asked[i].level, asked[i].number, 1));
	if (w->peer >= 0)
		send(w->peer, "tell", 4, MSG_NOSIGNAL);
	world_settle();
	/* A call that fails leaves the header as it was. */
	if (step_ret("recvmsg", recvmsg(w->fd, &m, 0)) < 0)
		m.msg_controllen = 0;
	for (c = CMSG_FIRSTHDR(&m); c && m.msg_controllen <= sizeof(room); c = CMSG_NXTHDR(&m, c)) {
		/* A time is not compared, its presence is. */
		bool time = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMP;

		step("control", "level %d type %d %s", c->cmsg_level, c->cmsg_type,
		     time ? "a time" : hex_text(CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0)));
	}
	v.iov_len = 1;
	m.msg_controllen = 5;
	step_ret("little room", recvmsg(w->fd, &m, 0));
	step("header", "control %zu flags %s", m.msg_controllen, msg_flags_text(m.msg_flags));
	m.msg_control = NOWHERE;
	m.msg_controllen = 64;
	step_ret("control nowhere", recvmsg(w->fd, &m, MSG_PEEK));
}

static void call_readv(struct world *w)
{
	char a[3], b[8];
	struct iovec v[3] = { { a, 3 }, { NULL, 0 }, { b, 8 } };

	step_ret("none", readv(w->fd, v, 0));
	step_ret("-1", readv(w->fd, v, -1));
	step_ret("1025", readv(w->fd, v, 1025));
	step_ret("vector nowhere", readv(w->fd, NOWHERE, 2));
	v[2].iov_base = NOWHERE;
	step_ret("third nowhere", readv(w->fd, v, 3));
	v[2].iov_base = b;
	step_ret("three", readv(w->fd, v, 3));
}

static void call_recvmmsg(struct world *w)
{
	char a[3], b[3];
	struct iovec v[2] = { { a, 3 }, { b, 3 } };
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &v[0], .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_iov = &v[1], .msg_iovlen = 1 } } };
	struct timespec t = { 0, 1000000 }, odd = { 0, 2000000000 };

	step_ret("two", recvmmsg(w->fd, m, 2, 0, NULL));
	step_ret("wait for one", recvmmsg(w->fd, m, 2, MSG_WAITFORONE, NULL));
	step_ret("time-out", recvmmsg(w->fd, m, 2, MSG_DONTWAIT, &t));
	step_ret("odd time-out", recvmmsg(w->fd, m, 2, 0, &odd));
}

const struct call io_calls[] = {
#define C(name) { #name, name }
	C(send_plain), C(send_dontwait), C(send_nosignal), C(send_more), C(send_oob), C(send_eor), C(send_dontroute),
	C(send_confirm), C(send_zerocopy), C(send_unknown_flag), C(send_receivers_flags), C(send_nothing),
	C(send_pointers), C(sendto_address), C(send_fastopen), C(send_fastopen_nobody), C(sendmsg_control),
	C(sendmsg_odd), C(recv_plain), C(recv_some), C(recv_nothing), C(recv_nothing_peek), C(recv_dontwait), C(recv_peek),
	C(recv_trunc), C(recv_trunc_peek), C(recv_waitall), C(recv_waitall_part), C(recv_oob), C(recv_oob_nothing),
	C(recv_oob_peek), C(recv_errqueue), C(recv_errqueue_peek), C(recv_unknown_flag), C(recv_senders_flags),
	C(recv_pointers), C(recvfrom_address), C(recvmsg_control), { "writev", call_writev },
	{ "sendmmsg", call_sendmmsg }, { "recvmsg", call_recvmsg }, { "readv", call_readv },
	{ "recvmmsg", call_recvmmsg },
#undef C
};
const size_t io_calls_count = COUNT(io_calls);
