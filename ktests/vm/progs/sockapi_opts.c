// SPDX-License-Identifier: GPL-2.0
/*
 * Socket API, part 3: socket options: their defaults, ranges, lengths and
 * errors. Options that atcp does not have must answer ENOPROTOOPT; these stand
 * in a table of their own and are checked for exactly that. See sockapi.h for
 * how a sequence is judged.
 */
#include "sockapi.h"

#define SET(fd, name, value) SETOPT(fd, IPPROTO_TCP, name, value)
#define GET(fd, name) GETOPT(fd, IPPROTO_TCP, name)

static void nodelay(void)
{
	int fd = tcp_socket(0);

	GET(fd, TCP_NODELAY);
	SET(fd, TCP_NODELAY, 5);
	GET(fd, TCP_NODELAY);
	SET(fd, TCP_NODELAY, 0);
	GET(fd, TCP_NODELAY);
	CALL(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, "x", 1));
	CALL(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, NULL, 0));
}

static void lengths(void)
{
	struct { int a, b; } two = { -1, -1 };
	socklen_t len = sizeof(two);
	int fd = tcp_socket(0);

	CALL(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &two, &len));
	say("len %u second %d\n", len, two.b);
	len = 2;
	CALL(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &two, &len));
	say("len %u\n", len);
	len = 0;
	CALL(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &two, &len));
	say("len %u\n", len);
	len = -1;
	CALL(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &two, &len));
	CALL(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &two, -1));
	CALL(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &two, 8));
}

static void maxseg(void)
{
	struct pair p;
	int fd = tcp_socket(0), port, l;

	GET(fd, TCP_MAXSEG);
	SET(fd, TCP_MAXSEG, 10);
	SET(fd, TCP_MAXSEG, 70000);
	SET(fd, TCP_MAXSEG, -1);
	SET(fd, TCP_MAXSEG, 1000);
	GET(fd, TCP_MAXSEG);
	l = listener(1, &port);
	MUST(connect_to(fd, port));
	GET(fd, TCP_MAXSEG);
	GET(MUST(accept(l, NULL, NULL)), TCP_MAXSEG);
	p = connected();
	GET(p.client, TCP_MAXSEG);
	SET(p.client, TCP_MAXSEG, 500);
}

static void congestion(void)
{
	char name[16] = "";
	socklen_t len = sizeof(name);
	int fd = tcp_socket(0);

	CALL(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	CALL(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	say("%s len %u\n", name, len);
	CALL(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 6));
	len = sizeof(name);
	CALL(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	say("%s len %u\n", name, len);
	CALL(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6));
	CALL(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "", 0));
	len = 3;
	CALL(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	say("len %u\n", len);
}

static void congestion_on_a_connection(void)
{
	struct pair p = connected();
	char name[16] = "";
	socklen_t len = sizeof(name);

	CALL(setsockopt(p.client, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	CALL(send(p.client, "x", 1, 0));
	CALL(getsockopt(p.client, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	say("%s\n", name);
}

static void congestion_is_inherited(void)
{
	int port, l = listener(1, &port), c = tcp_socket(0);
	char name[16] = "";
	socklen_t len = sizeof(name);

	CALL(setsockopt(l, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	MUST(connect_to(c, port));
	CALL(getsockopt(MUST(accept(l, NULL, NULL)), IPPROTO_TCP, TCP_CONGESTION, name, &len));
	say("%s\n", name);
}

static void tcp_info(void)
{
	struct pair p = connected();
	struct tcp_info ti;
	socklen_t len = sizeof(ti);
	char buf[8];

	MUST(send(p.client, "12345", 5, 0));
	wait_for(p.server, POLLIN);
	MUST(recv(p.server, buf, 8, 0));
	pause_ms(SETTLE_MS);
	memset(&ti, 0, sizeof(ti));
	CALL(getsockopt(p.client, IPPROTO_TCP, TCP_INFO, &ti, &len));
	say("full length %d\n", len == sizeof(ti) || len >= 232);
	say("state %d ca %d retransmits %d options %d wscale both %d\n", ti.tcpi_state, ti.tcpi_ca_state, ti.tcpi_retransmits,
	    ti.tcpi_options & 7, ti.tcpi_snd_wscale > 0 && ti.tcpi_rcv_wscale > 0);
	/* 65536 of lo, which IPv4 never uses, are over IPv6 65535 of atcp's: a path MTU has 16 bits there. */
	say("rto sane %d ato sane %d snd_mss %u pmtu %u advmss %u\n", ti.tcpi_rto >= 200000 && ti.tcpi_rto <= 300000,
	    ti.tcpi_ato <= 200000, ti.tcpi_snd_mss, ti.tcpi_pmtu < 65535 ? ti.tcpi_pmtu : 65535, ti.tcpi_advmss);
	say("unacked %u sacked %u lost %u retrans %u\n", ti.tcpi_unacked, ti.tcpi_sacked, ti.tcpi_lost, ti.tcpi_retrans);
	say("rtt %d cwnd %u ssthresh %u total_retrans %u\n", ti.tcpi_rtt > 0 && ti.tcpi_rtt < 200000, ti.tcpi_snd_cwnd,
	    ti.tcpi_snd_ssthresh, ti.tcpi_total_retrans);
	say("acked %llu segs_out at least 3: %d\n", (unsigned long long)ti.tcpi_bytes_acked, ti.tcpi_segs_out >= 3);
	memset(&ti, 0, sizeof(ti));
	len = sizeof(ti);
	MUST(getsockopt(p.server, IPPROTO_TCP, TCP_INFO, &ti, &len));
	say("received %llu\n", (unsigned long long)ti.tcpi_bytes_received);
}

static void tcp_info_lengths(void)
{
	struct tcp_info ti;
	socklen_t len;
	int fd = tcp_socket(0), n;

	for (n = 0; n <= 104; n += 26) {
		len = n;
		CALL(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len));
		say("asked %d got %u\n", n, len);
	}
	CALL(setsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, sizeof(ti)));
}

static void tcp_info_of_a_listener(void)
{
	struct tcp_info ti = { 0 };
	socklen_t len = sizeof(ti);
	int port, fd = listener(7, &port), c = tcp_socket(0);

	MUST(connect_to(c, port));
	wait_for(fd, POLLIN);
	CALL(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len));
	say("state %d queue %u limit %u\n", ti.tcpi_state, ti.tcpi_unacked, ti.tcpi_sacked);
}

static void keepalive_options(void)
{
	int fd = tcp_socket(0);

	GETOPT(fd, SOL_SOCKET, SO_KEEPALIVE);
	SETOPT(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	GETOPT(fd, SOL_SOCKET, SO_KEEPALIVE);
	GET(fd, TCP_KEEPIDLE);
	GET(fd, TCP_KEEPINTVL);
	GET(fd, TCP_KEEPCNT);
	SET(fd, TCP_KEEPIDLE, 0);
	SET(fd, TCP_KEEPIDLE, 32768);
	SET(fd, TCP_KEEPIDLE, 77);
	SET(fd, TCP_KEEPINTVL, 0);
	SET(fd, TCP_KEEPINTVL, 7);
	SET(fd, TCP_KEEPCNT, 0);
	SET(fd, TCP_KEEPCNT, 128);
	SET(fd, TCP_KEEPCNT, 3);
	GET(fd, TCP_KEEPIDLE);
	GET(fd, TCP_KEEPINTVL);
	GET(fd, TCP_KEEPCNT);
}

static void buffer_sizes(void)
{
	int fd = tcp_socket(0);

	SETOPT(fd, SOL_SOCKET, SO_SNDBUF, 30000);
	GETOPT(fd, SOL_SOCKET, SO_SNDBUF);
	SETOPT(fd, SOL_SOCKET, SO_RCVBUF, 30000);
	GETOPT(fd, SOL_SOCKET, SO_RCVBUF);
	SETOPT(fd, SOL_SOCKET, SO_SNDBUF, 0);
	GETOPT(fd, SOL_SOCKET, SO_SNDBUF);
	SETOPT(fd, SOL_SOCKET, SO_RCVBUF, 0);
	GETOPT(fd, SOL_SOCKET, SO_RCVBUF);
}

static void buffer_defaults(void)
{
	int fd = tcp_socket(0);

	GETOPT(fd, SOL_SOCKET, SO_SNDBUF);
	GETOPT(fd, SOL_SOCKET, SO_RCVBUF);
}

static void generic_options(void)
{
	int fd = tcp_socket(0);

	GETOPT(fd, SOL_SOCKET, SO_REUSEADDR);
	SETOPT(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	GETOPT(fd, SOL_SOCKET, SO_REUSEADDR);
	GETOPT(fd, SOL_SOCKET, SO_OOBINLINE);
	SETOPT(fd, SOL_SOCKET, SO_PRIORITY, 3);
	GETOPT(fd, SOL_SOCKET, SO_PRIORITY);
	SETOPT(fd, SOL_SOCKET, SO_MARK, 17);
	GETOPT(fd, SOL_SOCKET, SO_MARK);
	GETOPT(fd, SOL_SOCKET, SO_RCVLOWAT);
	SETOPT(fd, SOL_SOCKET, SO_TYPE, 1);
	SETOPT(fd, SOL_SOCKET, 9999, 1);
	GETOPT(fd, SOL_SOCKET, 9999);
}

static void bind_to_device(void)
{
	int fd = tcp_socket(0);
	char name[16] = "";
	socklen_t len = sizeof(name);

	CALL(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
	CALL(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	say("%s %u\n", name, len);
	CALL(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "nosuch", 6));
}

static void ip_options(void)
{
	int fd = tcp_socket(0);

	GETOPT(fd, IPPROTO_IP, IP_TTL);
	SETOPT(fd, IPPROTO_IP, IP_TTL, 33);
	GETOPT(fd, IPPROTO_IP, IP_TTL);
	SETOPT(fd, IPPROTO_IP, IP_TTL, 300);
	SETOPT(fd, IPPROTO_IP, IP_TOS, 0x10);
	GETOPT(fd, IPPROTO_IP, IP_TOS);
	GETOPT(fd, IPPROTO_IP, IP_MTU_DISCOVER);
	GETOPT(fd, IPPROTO_IP, IP_MTU);
	GETOPT(connected().client, IPPROTO_IP, IP_MTU);
	GETOPT(fd, IPPROTO_IP, 9999);
	SETOPT(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
}

/* Those of IPv6 on a socket of either family: on one of IPv4 they are not there. */
static void ipv6_options(void)
{
	int fd = tcp_socket(0);

	GETOPT(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS);
	SETOPT(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 33);
	GETOPT(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS);
	SETOPT(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 300);
	SETOPT(fd, IPPROTO_IPV6, IPV6_TCLASS, 0x10);
	GETOPT(fd, IPPROTO_IPV6, IPV6_TCLASS);
	GETOPT(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	SETOPT(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	GETOPT(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	GETOPT(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER);
	GETOPT(fd, IPPROTO_IPV6, IPV6_MTU);
	GETOPT(connected().client, IPPROTO_IPV6, IPV6_MTU);
	GETOPT(fd, IPPROTO_IPV6, 9999);
	MUST(bind_to(fd, 0));
	SETOPT(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
}

static void unknown_options(void)
{
	int fd = tcp_socket(0);

	SET(fd, 9999, 1);
	GET(fd, 9999);
	/* 253 is SOL_ATCP, which has options of its own. */
	SETOPT(fd, 254, 1, 1);
	GETOPT(fd, 254, 1);
	SETOPT(fd, IPPROTO_UDP, 1, 1);
	GETOPT(fd, IPPROTO_UDP, 1);
	SETOPT(fd, -1, 1, 1);
	SETOPT(fd, IPPROTO_IPV6, 26, 1);
}

static void user_timeout(void)
{
	int fd = tcp_socket(0);

	GET(fd, TCP_USER_TIMEOUT);
	SET(fd, TCP_USER_TIMEOUT, 5000);
	GET(fd, TCP_USER_TIMEOUT);
	SET(fd, TCP_USER_TIMEOUT, -1);
}

static void syn_count(void)
{
	int fd = tcp_socket(0);

	GET(fd, TCP_SYNCNT);
	SET(fd, TCP_SYNCNT, 0);
	SET(fd, TCP_SYNCNT, 128);
	SET(fd, TCP_SYNCNT, 2);
	GET(fd, TCP_SYNCNT);
}

static void quickack(void)
{
	struct pair p = connected();

	SET(p.client, TCP_QUICKACK, 1);
	SET(p.client, TCP_QUICKACK, 0);
}

static void linger2(void)
{
	int fd = tcp_socket(0);

	GET(fd, TCP_LINGER2);
	SET(fd, TCP_LINGER2, 7);
	GET(fd, TCP_LINGER2);
	SET(fd, TCP_LINGER2, -1);
	GET(fd, TCP_LINGER2);
}

static void window_clamp(void)
{
	int fd = tcp_socket(0);

	SET(fd, TCP_WINDOW_CLAMP, 5000);
	GET(fd, TCP_WINDOW_CLAMP);
}

static void corking(void)
{
	int fd = tcp_socket(0);

	GET(fd, TCP_CORK);
	SET(fd, TCP_CORK, 1);
	GET(fd, TCP_CORK);
}

static const struct sequence all[] = {
#define S(name) { #name, name }
	S(nodelay), S(lengths), S(maxseg), S(congestion), S(congestion_on_a_connection), S(congestion_is_inherited),
	S(tcp_info), S(tcp_info_lengths), S(tcp_info_of_a_listener), S(keepalive_options), S(buffer_sizes),
	S(buffer_defaults), S(generic_options), S(bind_to_device), S(ip_options), S(ipv6_options), S(unknown_options), S(user_timeout),
	S(syn_count), S(quickack), S(linger2), S(window_clamp), S(corking),
};

static const struct difference known[] = {
	{ "", "" },
};

int main(int argc, char **argv)
{
	return sockapi_main(argc, argv, all, COUNT(all), known, COUNT(known));
}
