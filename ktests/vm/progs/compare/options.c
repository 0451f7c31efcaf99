// SPDX-License-Identifier: GPL-2.0
/*
 * Every option of socket(7), ip(7), ipv6(7) and tcp(7), and those that no page mentions: asked for with all kinds of room, set to
 * numbers inside and outside of any range, to texts and structures where they take such, with short and long lengths and
 * bad memory. All options get the same treatment; what an option does not like is part of the comparison.
 */
#include "compare.h"

#include <linux/filter.h>

enum option_kind {
	NUMBER = 0,
	NAME,	 /* takes the name of a module, which the kernel looks for by running modprobe: no names made of numbers */
	ADDRESS, /* has a port that is chosen at random in bytes 2 and 3 */
	VARIES,	 /* its value is chosen at random (of IP_PROTOCOL: the local port), counts time or says what memory is used: only its length is compared */
};

#define SOCKET(name, number) { "SO_" #name, SOL_SOCKET, number, NUMBER }
#define IP(name, number) { "IP_" #name, SOL_IP, number, NUMBER }
#define IPV6(name, number) { "IPV6_" #name, SOL_IPV6, number, NUMBER }
#define TCP(name, number) { "TCP_" #name, SOL_TCP, number, NUMBER }

/* By their numbers of x86: headers of the oldest supported system do not have all. */
const struct option options[] = {
	SOCKET(DEBUG, 1), SOCKET(REUSEADDR, 2), SOCKET(TYPE, 3), SOCKET(ERROR, 4), SOCKET(DONTROUTE, 5), SOCKET(BROADCAST, 6),
	SOCKET(SNDBUF, 7), SOCKET(RCVBUF, 8), SOCKET(KEEPALIVE, 9), SOCKET(OOBINLINE, 10), SOCKET(NO_CHECK, 11),
	SOCKET(PRIORITY, 12), SOCKET(LINGER, 13), SOCKET(BSDCOMPAT, 14), SOCKET(REUSEPORT, 15), SOCKET(PASSCRED, 16),
	SOCKET(PEERCRED, 17), SOCKET(RCVLOWAT, 18), SOCKET(SNDLOWAT, 19), SOCKET(RCVTIMEO, 20), SOCKET(SNDTIMEO, 21),
	SOCKET(SECURITY_AUTHENTICATION, 22), SOCKET(BINDTODEVICE, 25), SOCKET(ATTACH_FILTER, 26), SOCKET(DETACH_FILTER, 27),
	{ "SO_PEERNAME", SOL_SOCKET, 28, ADDRESS }, SOCKET(TIMESTAMP, 29), SOCKET(ACCEPTCONN, 30), SOCKET(PEERSEC, 31), SOCKET(SNDBUFFORCE, 32),
	SOCKET(RCVBUFFORCE, 33), SOCKET(PASSSEC, 34), SOCKET(TIMESTAMPNS, 35), SOCKET(MARK, 36), SOCKET(TIMESTAMPING, 37),
	SOCKET(PROTOCOL, 38), SOCKET(DOMAIN, 39), SOCKET(RXQ_OVFL, 40), SOCKET(WIFI_STATUS, 41), SOCKET(PEEK_OFF, 42),
	SOCKET(NOFCS, 43), SOCKET(LOCK_FILTER, 44), SOCKET(SELECT_ERR_QUEUE, 45), SOCKET(BUSY_POLL, 46),
	SOCKET(MAX_PACING_RATE, 47), SOCKET(BPF_EXTENSIONS, 48), SOCKET(INCOMING_CPU, 49), SOCKET(ATTACH_BPF, 50),
	SOCKET(ATTACH_REUSEPORT_CBPF, 51), SOCKET(ATTACH_REUSEPORT_EBPF, 52), SOCKET(CNX_ADVICE, 53), SOCKET(54, 54),
	{ "SO_MEMINFO", SOL_SOCKET, 55, VARIES }, SOCKET(INCOMING_NAPI_ID, 56), { "SO_COOKIE", SOL_SOCKET, 57, VARIES },
	SOCKET(58, 58), SOCKET(PEERGROUPS, 59), SOCKET(ZEROCOPY, 60), SOCKET(TXTIME, 61), SOCKET(BINDTOIFINDEX, 62),
	SOCKET(TIMESTAMP_NEW, 63), SOCKET(TIMESTAMPNS_NEW, 64), SOCKET(TIMESTAMPING_NEW, 65), SOCKET(RCVTIMEO_NEW, 66),
	SOCKET(SNDTIMEO_NEW, 67), SOCKET(DETACH_REUSEPORT_BPF, 68), SOCKET(PREFER_BUSY_POLL, 69),
	SOCKET(BUSY_POLL_BUDGET, 70), SOCKET(NETNS_COOKIE, 71), SOCKET(BUF_LOCK, 72), SOCKET(RESERVE_MEM, 73),
	SOCKET(TXREHASH, 74), SOCKET(RCVMARK, 75), SOCKET(PASSPIDFD, 76), SOCKET(PEERPIDFD, 77), SOCKET(9999, 9999),
	IP(TOS, 1), IP(TTL, 2), IP(HDRINCL, 3), IP(OPTIONS, 4), IP(ROUTER_ALERT, 5), IP(RECVOPTS, 6), IP(RETOPTS, 7),
	IP(PKTINFO, 8), IP(PKTOPTIONS, 9), IP(MTU_DISCOVER, 10), IP(RECVERR, 11), IP(RECVTTL, 12), IP(RECVTOS, 13), IP(MTU, 14),
	IP(FREEBIND, 15), IP(IPSEC_POLICY, 16), IP(XFRM_POLICY, 17), IP(PASSSEC, 18), IP(TRANSPARENT, 19), IP(ORIGDSTADDR, 20),
	IP(MINTTL, 21), IP(NODEFRAG, 22), IP(CHECKSUM, 23), IP(BIND_ADDRESS_NO_PORT, 24), IP(RECVFRAGSIZE, 25),
	IP(RECVERR_RFC4884, 26), IP(MULTICAST_IF, 32), IP(MULTICAST_TTL, 33), IP(MULTICAST_LOOP, 34), IP(ADD_MEMBERSHIP, 35),
	IP(DROP_MEMBERSHIP, 36), IP(MSFILTER, 41), IP(MCAST_JOIN_GROUP, 42), IP(MULTICAST_ALL, 49), IP(UNICAST_IF, 50), IP(LOCAL_PORT_RANGE, 51), { "IP_PROTOCOL", SOL_IP, 52, VARIES },
	IP(9999, 9999),
	IPV6(ADDRFORM, 1), IPV6(2292PKTINFO, 2), IPV6(2292HOPOPTS, 3), IPV6(2292DSTOPTS, 4), IPV6(2292RTHDR, 5), IPV6(2292PKTOPTIONS, 6),
	IPV6(CHECKSUM, 7), IPV6(2292HOPLIMIT, 8), IPV6(NEXTHOP, 9), IPV6(AUTHHDR, 10), IPV6(FLOWINFO, 11), IPV6(UNICAST_HOPS, 16),
	IPV6(MULTICAST_IF, 17), IPV6(MULTICAST_HOPS, 18), IPV6(MULTICAST_LOOP, 19), IPV6(ADD_MEMBERSHIP, 20), IPV6(DROP_MEMBERSHIP, 21),
	IPV6(ROUTER_ALERT, 22), IPV6(MTU_DISCOVER, 23), IPV6(MTU, 24), IPV6(RECVERR, 25), IPV6(V6ONLY, 26), IPV6(JOIN_ANYCAST, 27),
	IPV6(LEAVE_ANYCAST, 28), IPV6(MULTICAST_ALL, 29), IPV6(ROUTER_ALERT_ISOLATE, 30), IPV6(RECVERR_RFC4884, 31),
	IPV6(FLOWLABEL_MGR, 32), IPV6(FLOWINFO_SEND, 33), IPV6(IPSEC_POLICY, 34), IPV6(XFRM_POLICY, 35), IPV6(HDRINCL, 36),
	IPV6(MCAST_JOIN_GROUP, 42), IPV6(MSFILTER, 48), IPV6(RECVPKTINFO, 49), IPV6(PKTINFO, 50), IPV6(RECVHOPLIMIT, 51), IPV6(HOPLIMIT, 52),
	IPV6(RECVHOPOPTS, 53), IPV6(HOPOPTS, 54), IPV6(RTHDRDSTOPTS, 55), IPV6(RECVRTHDR, 56), IPV6(RTHDR, 57), IPV6(RECVDSTOPTS, 58),
	IPV6(DSTOPTS, 59), IPV6(RECVPATHMTU, 60), IPV6(PATHMTU, 61), IPV6(DONTFRAG, 62), IPV6(63, 63), IPV6(RECVTCLASS, 66),
	IPV6(TCLASS, 67), IPV6(AUTOFLOWLABEL, 70), IPV6(ADDR_PREFERENCES, 72), IPV6(MINHOPCOUNT, 73), IPV6(ORIGDSTADDR, 74),
	IPV6(TRANSPARENT, 75), IPV6(UNICAST_IF, 76), IPV6(RECVFRAGSIZE, 77), IPV6(FREEBIND, 78), IPV6(9999, 9999), { "UDP_CORK", IPPROTO_UDP, 1, NUMBER },
	{ "level -1", -1, 1, NUMBER }, { "TLS_TX", 282, 1, NUMBER },
	TCP(0, 0), TCP(NODELAY, 1), TCP(MAXSEG, 2), TCP(CORK, 3), TCP(KEEPIDLE, 4), TCP(KEEPINTVL, 5), TCP(KEEPCNT, 6),
	TCP(SYNCNT, 7), TCP(LINGER2, 8), TCP(DEFER_ACCEPT, 9), TCP(WINDOW_CLAMP, 10), { "TCP_INFO", SOL_TCP, 11, VARIES },
	TCP(QUICKACK, 12), { "TCP_CONGESTION", SOL_TCP, 13, NAME }, TCP(MD5SIG, 14), TCP(15, 15), TCP(THIN_LINEAR_TIMEOUTS, 16),
	TCP(THIN_DUPACK, 17), TCP(USER_TIMEOUT, 18), TCP(REPAIR, 19), TCP(REPAIR_QUEUE, 20), TCP(QUEUE_SEQ, 21),
	TCP(REPAIR_OPTIONS, 22), TCP(FASTOPEN, 23), { "TCP_TIMESTAMP", SOL_TCP, 24, VARIES }, TCP(NOTSENT_LOWAT, 25),
	{ "TCP_CC_INFO", SOL_TCP, 26, VARIES }, TCP(SAVE_SYN, 27), TCP(SAVED_SYN, 28), TCP(REPAIR_WINDOW, 29), TCP(FASTOPEN_CONNECT, 30), { "TCP_ULP", SOL_TCP, 31, NAME },
	TCP(MD5SIG_EXT, 32), TCP(FASTOPEN_KEY, 33), TCP(FASTOPEN_NO_COOKIE, 34), TCP(ZEROCOPY_RECEIVE, 35), TCP(INQ, 36),
	TCP(TX_DELAY, 37), TCP(AO_ADD_KEY, 38), TCP(AO_DEL_KEY, 39), TCP(AO_INFO, 40), TCP(AO_GET_KEYS, 41), TCP(AO_REPAIR, 42),
	TCP(IS_MPTCP, 43), TCP(RTO_MAX_MS, 44), TCP(RTO_MIN_US, 45), TCP(9999, 9999), TCP(-1, -1),
};
const size_t options_count = COUNT(options);

/* Values that are no numbers, for the options that take them. */
static const struct blob {
	int level, number;
	const char *name;
	size_t len;
	const void *bytes;
} blobs[] = {
#define INTS(level, number, ...) \
	{ level, number, #__VA_ARGS__, sizeof((int[]){ __VA_ARGS__ }), (const int[]){ __VA_ARGS__ } }
#define LONGS(level, number, ...) \
	{ level, number, #__VA_ARGS__, sizeof((long[]){ __VA_ARGS__ }), (const long[]){ __VA_ARGS__ } }
#define TEXT(level, number, text) { level, number, text, sizeof(text) - 1, text }
#define ZERO8 "\0\0\0\0\0\0\0\0"
#define ONE ZERO8 "\0\0\0\0\0\0\0\1"			/* ::1 */
#define NODES "\377\2\0\0" ZERO8 "\0\0\0\1"		/* ff02::1 */
#define HEX(level, number, name, text) { level, number, name, sizeof(text) - 1, text }
	INTS(SOL_SOCKET, SO_LINGER, 1, 5), INTS(SOL_SOCKET, SO_LINGER, 0, 7), INTS(SOL_SOCKET, SO_LINGER, 1, -1),
	INTS(SOL_SOCKET, SO_LINGER, 1, 0),
	LONGS(SOL_SOCKET, 20, 0, 1000), LONGS(SOL_SOCKET, 20, 1, 1000000), LONGS(SOL_SOCKET, 20, -1, 0),
	LONGS(SOL_SOCKET, 20, 0, -1), LONGS(SOL_SOCKET, 20, 2, 5), LONGS(SOL_SOCKET, 20, 1L << 60, 0), LONGS(SOL_SOCKET, 20, 0, 0),
	LONGS(SOL_SOCKET, 21, 0, 1000), LONGS(SOL_SOCKET, 21, 1, 1000000), LONGS(SOL_SOCKET, 21, -1, 0),
	LONGS(SOL_SOCKET, 21, 0, 0), LONGS(SOL_SOCKET, 66, 3, 500), LONGS(SOL_SOCKET, 67, 3, 500),
	LONGS(SOL_SOCKET, 47, 1000000), LONGS(SOL_SOCKET, 47, -1), LONGS(SOL_SOCKET, 47, 1L << 40),
	TEXT(SOL_SOCKET, SO_BINDTODEVICE, "nosuch"), TEXT(SOL_SOCKET, SO_BINDTODEVICE, "lo"),
	HEX(SOL_SOCKET, SO_BINDTODEVICE, "lo with end", "lo\0"), HEX(SOL_SOCKET, SO_BINDTODEVICE, "empty", "\0"),
	INTS(SOL_SOCKET, 61, 1, 0), INTS(SOL_SOCKET, 61, 11, 1), INTS(SOL_SOCKET, 61, 1, 64),
	INTS(SOL_SOCKET, 37, 0x10, 0), INTS(SOL_SOCKET, 65, 0x10, 0), INTS(SOL_SOCKET, 49, 0),
	HEX(SOL_IP, IP_OPTIONS, "NOPs", "\1\1\1\0"), HEX(SOL_IP, IP_OPTIONS, "record route", "\7\7\4\0\0\0\0\0"),
	HEX(SOL_IP, IP_OPTIONS, "broken", "\7\50\4\0"), HEX(SOL_IP, IP_OPTIONS, "none", ""),
	INTS(SOL_IP, IP_ADD_MEMBERSHIP, 0x010000e0, 0x0100007f), INTS(SOL_IP, IP_ADD_MEMBERSHIP, 0x0100007f, 0),
	INTS(SOL_IP, IP_MULTICAST_IF, 0x0100007f), INTS(SOL_IP, 51, 0x27102710), INTS(SOL_IP, 51, 0x27102711), INTS(SOL_IP, 50, 0x01000000),
	INTS(SOL_IPV6, 1, AF_INET), INTS(SOL_IPV6, 1, AF_INET6), INTS(SOL_IPV6, 76, 0x01000000), INTS(SOL_IPV6, 76, 0x63000000),
	HEX(SOL_IPV6, 2, "this address", ONE "\1\0\0\0"), HEX(SOL_IPV6, 50, "this address", ONE "\1\0\0\0"),
	HEX(SOL_IPV6, 50, "no link", ONE "\143\0\0\0"), HEX(SOL_IPV6, 50, "another's address", "\x20\1\x0d\xb8" ZERO8 "\0\0\0\1\0\0\0\0"),
	HEX(SOL_IPV6, 20, "all nodes", NODES "\1\0\0\0"), HEX(SOL_IPV6, 21, "all nodes", NODES "\1\0\0\0"),
	HEX(SOL_IPV6, 20, "no group", ONE "\1\0\0\0"), HEX(SOL_IPV6, 27, "anycast", ONE "\1\0\0\0"), HEX(SOL_IPV6, 28, "anycast", ONE "\1\0\0\0"),
	HEX(SOL_IPV6, 54, "padding", "\0\0\1\4\0\0\0\0"), HEX(SOL_IPV6, 54, "broken", "\0\1\1\4\0\0\0\0"),
	HEX(SOL_IPV6, 55, "padding", "\0\0\1\4\0\0\0\0"), HEX(SOL_IPV6, 59, "padding", "\0\0\1\4\0\0\0\0"),
	HEX(SOL_IPV6, 59, "jumbogram", "\0\0\302\4\0\1\0\0"), HEX(SOL_IPV6, 3, "padding", "\0\0\1\4\0\0\0\0"),
	HEX(SOL_IPV6, 57, "type 0", "\0\2\0\1\0\0\0\0" ONE), HEX(SOL_IPV6, 57, "type 2", "\0\2\2\1\0\0\0\0" ONE),
	HEX(SOL_IPV6, 57, "type 4, broken", "\0\2\4\1\7\0\0\0" ONE), HEX(SOL_IPV6, 57, "none", ""), HEX(SOL_IPV6, 59, "none", ""),
	HEX(SOL_IPV6, 54, "none", ""), HEX(SOL_IPV6, 6, "none", ""), HEX(SOL_IPV6, 6, "hop limit", "\x14\0\0\0\0\0\0\0\x29\0\0\0\x34\0\0\0\x21\0\0\0\0\0\0\0"),
	/* A label is the namespace's, and stays for a while: of a kind that anybody may share. */
	HEX(SOL_IPV6, 32, "get", ONE "\0\0\1\2\0\377\0\0\0\0\0\0\0\0\0\0"), HEX(SOL_IPV6, 32, "to nobody", ZERO8 ZERO8 "\0\0\1\3\0\377\1\0\0\0\0\0\0\0\0\0"),
	HEX(SOL_IPV6, 32, "get and make", ONE "\0\0\1\2\0\377\1\0\0\0\0\0\0\0\0\0"),
	HEX(SOL_IPV6, 32, "put", ONE "\0\0\1\2\1\0\0\0\0\0\0\0\0\0\0\0"), HEX(SOL_IPV6, 32, "reflect", ZERO8 ZERO8 "\0\0\0\0\0\0\4\0\0\0\0\0\0\0\0\0"),
	HEX(SOL_IPV6, 32, "reflect no more", ZERO8 ZERO8 "\0\0\0\0\1\0\4\0\0\0\0\0\0\0\0\0"),
	TEXT(SOL_TCP, TCP_CONGESTION, "reno"), TEXT(SOL_TCP, TCP_CONGESTION, "nosuch"), TEXT(SOL_TCP, TCP_CONGESTION, "cubic"),
	TEXT(SOL_TCP, TCP_CONGESTION, "a name that is too long for any"), HEX(SOL_TCP, TCP_CONGESTION, "reno with end", "reno\0"),
	HEX(SOL_TCP, TCP_CONGESTION, "empty", "\0"),
	TEXT(SOL_TCP, TCP_FASTOPEN_KEY, "0123456789abcdef"), TEXT(SOL_TCP, TCP_FASTOPEN_KEY, "0123456789abcdef0123456789ABCDEF"),
	TEXT(SOL_TCP, TCP_FASTOPEN_KEY, "0123456789abcde"), TEXT(SOL_TCP, TCP_FASTOPEN_KEY, "0123456789abcdef0"),
	TEXT(SOL_TCP, TCP_ULP, "nosuch"),
#undef INTS
#undef LONGS
#undef TEXT
#undef HEX
#undef ZERO8
#undef ONE
#undef NODES
};

/* Text of what getsockopt() made of a buffer: bytes told, their values, and whether it wrote beyond. */
static const char *answer(const struct option *o, unsigned char *buf, size_t room, socklen_t len)
{
	static char text[700];
	size_t i, beyond = 0;

	if (o->kind == ADDRESS && len > 2 && len <= room)
		memset(buf + 2, 0xff, len < 4 ? len - 2 : 2);
	for (i = len < room ? len : room; i < room; i++)
		beyond += buf[i] != 0xa5;
	snprintf(text, sizeof(text), "%u bytes %s%s", len,
		 o->kind == VARIES ? "" : hex_text(buf, len < room ? len : room), beyond ? ", and beyond" : "");
	return text;
}

static void get(struct world *w, const struct option *o, const char *name, int ask)
{
	unsigned char buf[256];
	socklen_t len = ask;

	memset(buf, 0xa5, sizeof(buf));
	if (getsockopt(w->fd, o->level, o->number, buf, &len))
		step(name, "%s, length %d", errno_text(errno), (int)len);
	else
		step(name, "%s", answer(o, buf, sizeof(buf), len));
}

static void gets(struct world *w, const struct option *o)
{
	socklen_t len = 4;
	int value;

	get(w, o, "get", 64);
	get(w, o, "get with room for 256", 256);
	get(w, o, "get with room for 0", 0);
	get(w, o, "get with room for 1", 1);
	get(w, o, "get with room for 3", 3);
	get(w, o, "get with room for 4", 4);
	get(w, o, "get with room for -1", -1);
	step_ret("get NULL", getsockopt(w->fd, o->level, o->number, NULL, &len));
	len = 64;
	step_ret("get nowhere", getsockopt(w->fd, o->level, o->number, NOWHERE, &len));
	step_ret("get length nowhere", getsockopt(w->fd, o->level, o->number, &value, NOWHERE));
}

/* Sets and reads back. Both in one step: a value that is refused has to leave the old one. */
static void set(struct world *w, const struct option *o, const char *name, const void *bytes, int len)
{
	unsigned char buf[64];
	socklen_t got = sizeof(buf);
	const char *result = "0";

	if (setsockopt(w->fd, o->level, o->number, bytes, len))
		result = errno_text(errno);
	memset(buf, 0xa5, sizeof(buf));
	if (getsockopt(w->fd, o->level, o->number, buf, &got))
		step(name, "%s, then %s", result, errno_text(errno));
	else
		step(name, "%s, then %s", result, answer(o, buf, sizeof(buf), got));
}

/* Pointers inside: built here. One that takes everything, one that is none, and the lock. */
static void set_filters(struct world *w, const struct option *o)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffffffff), bad = { 0xffff, 0, 0, 0 };
	struct sock_fprog p = { 1, &all };

	set(w, o, "filter", &p, sizeof(p));
	p.filter = &bad;
	set(w, o, "bad filter", &p, sizeof(p));
	p.len = 0;
	set(w, o, "empty filter", &p, sizeof(p));
	p.len = 1;
	p.filter = NOWHERE;
	set(w, o, "filter nowhere", &p, sizeof(p));
}

/* The same structure in both families; its address is of the option's. */
static void set_group(struct world *w, const struct option *o)
{
	struct group_req g = { .gr_interface = 1 };
	int of = o->level == SOL_IP ? AF_INET : AF_INET6;
	union address a;

	address_in(of, &a, HOST_MULTICAST, 0);
	memcpy(&g.gr_group, &a, sizeof(a));
	set(w, o, "a group", &g, sizeof(g));
	address_in(of, &a, HOST_LOOPBACK, 0);
	memcpy(&g.gr_group, &a, sizeof(a));
	set(w, o, "no group", &g, sizeof(g));
}

void run_option(struct world *w, const struct option *o)
{
	static const int values[] = { 0, 1, 2, 3, -1, -2, 12, 87, 88, 120, 121, 127, 128, 255, 256, 1000, 32767, 32768, 65535,
				      65536, 1 << 20, INT_MAX, INT_MIN, 1 };
	struct { int value, more[15]; } wide = { .value = 1 };
	char name[64];
	size_t i;

	gets(w, o);
	for (i = 0; i < (o->kind == NAME ? 0 : COUNT(values)); i++) {
		snprintf(name, sizeof(name), "set %d", values[i]);
		set(w, o, name, &values[i], sizeof(int));
	}
	set(w, o, "set with 0 bytes", &wide, 0);
	set(w, o, "set with 1 byte", &wide, 1);
	set(w, o, "set with 2 bytes", &wide, 2);
	set(w, o, "set with 3 bytes", &wide, 3);
	set(w, o, "set with 8 bytes", &wide, 8);
	set(w, o, "set with 64 bytes", &wide, 64);
	set(w, o, "set with -1 bytes", &wide, -1);
	set(w, o, "set NULL", NULL, sizeof(int));
	set(w, o, "set NULL with 0 bytes", NULL, 0);
	set(w, o, "set nowhere", NOWHERE, 16);
	for (i = 0; i < COUNT(blobs); i++) {
		if (blobs[i].level != o->level || blobs[i].number != o->number)
			continue;
		snprintf(name, sizeof(name), "set %s", blobs[i].name);
		set(w, o, name, blobs[i].bytes, blobs[i].len);
	}
	if (o->level == SOL_SOCKET && (o->number == SO_ATTACH_FILTER || o->number == SO_ATTACH_REUSEPORT_CBPF))
		set_filters(w, o);
	if ((o->level == SOL_IP || o->level == SOL_IPV6) && o->number == MCAST_JOIN_GROUP)
		set_group(w, o);
	gets(w, o);
}
