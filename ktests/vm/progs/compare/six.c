// SPDX-License-Identifier: GPL-2.0
/*
 * What only sockets of AF_INET6 have: IPv4's mapped addresses and IPV6_V6ONLY, scopes and flow labels in an address, the length
 * that an address had in RFC 2133, and sockets of both families on one port. The rest is tried over both families by the other files.
 */
#include "compare.h"

/* Headers of the C library do not have these. */
#define SIN6_LEN_RFC2133 offsetof(struct sockaddr_in6, sin6_scope_id)
#define IPV6_FLOWINFO 11
#define IPV6_FLOWINFO_SEND 33

#define NO_SUCH_LINK 99
#define LOOPBACK_LINK 1

/* ---- states: an IPv4 peer ----------------------------------------------------------------- */

static void nonblocking(int fd)
{
	MUST(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
}

static void connect_mapped_pair(int *client, int *child, enum host host)
{
	int port, listener = new_listener_at(host, 3, &port);
	union address a;
	socklen_t len = address_of(&a, HOST_MAPPED, port);

	*client = new_socket(0);
	MUST(connect(*client, &a.any, len));
	world_settle();
	*child = MUST(accept(listener, NULL, NULL));
	close(listener);
	nonblocking(*client);
	nonblocking(*child);
}

static void make_mapped_bound(struct world *w)
{
	union address a;
	socklen_t len = address_of(&a, HOST_MAPPED, 0);

	w->fd = new_socket(SOCK_NONBLOCK);
	MUST(bind(w->fd, &a.any, len));
}

static void make_mapped_listening(struct world *w)
{
	w->fd = new_listener_at(HOST_MAPPED, 3, &w->port);
	w->listener = -1;
	nonblocking(w->fd);
}

static void make_mapped_established(struct world *w)
{
	connect_mapped_pair(&w->fd, &w->peer, HOST_MAPPED);
}

/* The listener was one for both families. */
static void make_mapped_accepted(struct world *w)
{
	connect_mapped_pair(&w->peer, &w->fd, HOST_ANY);
}

const struct state six_states[] = {
#define S(name) { #name, make_##name }
	S(mapped_bound), S(mapped_listening), S(mapped_established), S(mapped_accepted),
#undef S
};
const size_t six_states_count = COUNT(six_states);

/* ---- bind --------------------------------------------------------------------------------- */

static void note_names(struct world *w, const char *name, int fd)
{
	union address a;
	socklen_t len = sizeof(a);
	char text[80];

	memset(&a, 0, sizeof(a));
	step(name, "%s", getsockname(fd, &a.any, &len) ? errno_text(errno) : address_text(w, &a, len));
	len = sizeof(a);
	snprintf(text, sizeof(text), "%s, peer", name);
	step(text, "%s", getpeername(fd, &a.any, &len) ? errno_text(errno) : address_text(w, &a, len));
}

static void try_bind(struct world *w, const char *name, enum host host, int port)
{
	union address a;
	socklen_t len = address_of(&a, host, port);

	step_ret(name, bind(w->fd, &a.any, len));
}

static void bind_mapped(struct world *w)
{
	try_bind(w, "bind", HOST_MAPPED, 0);
	note_names(w, "name", w->fd);
	try_bind(w, "again", HOST_LOOPBACK, 0);
	step_ret("IPV6_V6ONLY", set_int(w->fd, SOL_IPV6, IPV6_V6ONLY, 1));
}

static void bind_mapped_any(struct world *w)
{
	try_bind(w, "bind", HOST_MAPPED_ANY, 0);
	note_names(w, "name", w->fd);
}

static void bind_mapped_v6only(struct world *w)
{
	step_ret("IPV6_V6ONLY", set_int(w->fd, SOL_IPV6, IPV6_V6ONLY, 1));
	try_bind(w, "mapped", HOST_MAPPED, 0);
	try_bind(w, "mapped any", HOST_MAPPED_ANY, 0);
	step_ret("IPV6_V6ONLY 0", set_int(w->fd, SOL_IPV6, IPV6_V6ONLY, 0));
	try_bind(w, "mapped, not only", HOST_MAPPED, 0);
}

static void bind_mapped_elsewhere(struct world *w)
{
	try_bind(w, "foreign", HOST_MAPPED_FOREIGN, 0);
	try_bind(w, "multicast", HOST_MAPPED_MULTICAST, 0);
	step_ret("IP_FREEBIND", set_int(w->fd, SOL_IP, IP_FREEBIND, 1));
	try_bind(w, "foreign, free", HOST_MAPPED_FOREIGN, 0);
}

/* The listener's port is taken over IPv6 on one address. Over IPv4 it is free. */
static void bind_mapped_taken(struct world *w)
{
	try_bind(w, "mapped", HOST_MAPPED, w->full_port);
	note_names(w, "name", w->fd);
}

static void bind_lengths_six(struct world *w)
{
	union address a;
	socklen_t len = address_of(&a, HOST_LOOPBACK, 0);

	step_ret("23", bind(w->fd, &a.any, SIN6_LEN_RFC2133 - 1));
	step_ret("as IPv4's", bind(w->fd, &a.any, sizeof(a.v4)));
	step_ret("RFC 2133", bind(w->fd, &a.any, SIN6_LEN_RFC2133));
	note_names(w, "name", w->fd);
	step_ret("27", bind(w->fd, &a.any, len - 1));
}

static void bind_inet(struct world *w)
{
	union address a;
	socklen_t len = address_in(AF_INET, &a, HOST_LOOPBACK, 0);

	step_ret("its length", bind(w->fd, &a.any, len));
	step_ret("room", bind(w->fd, &a.any, sizeof(a)));
	address_in(AF_INET, &a, HOST_ANY, 0);
	step_ret("any", bind(w->fd, &a.any, sizeof(a.v6)));
}

static void bind_with(struct world *w, const char *name, enum host host, unsigned scope, unsigned flow)
{
	union address a;
	socklen_t len = address_of(&a, host, 0);

	a.v6.sin6_scope_id = scope;
	a.v6.sin6_flowinfo = htonl(flow);
	step_ret(name, bind(w->fd, &a.any, len));
}

static void bind_link(struct world *w)
{
	union address a;

	bind_with(w, "no scope", HOST_LINK, 0, 0);
	bind_with(w, "no such scope", HOST_LINK, NO_SUCH_LINK, 0);
	address_of(&a, HOST_LINK, 0);
	step_ret("RFC 2133", bind(w->fd, &a.any, SIN6_LEN_RFC2133));
	bind_with(w, "scope", HOST_LINK, LOOPBACK_LINK, 0);
	note_names(w, "name", w->fd);
}

static void bind_link_device(struct world *w)
{
	step_ret("SO_BINDTODEVICE", setsockopt(w->fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
	bind_with(w, "no scope", HOST_LINK, 0, 0);
	note_names(w, "name", w->fd);
	bind_with(w, "no such scope", HOST_LINK, NO_SUCH_LINK, 0);
}

static void bind_scope_of_no_use(struct world *w)
{
	bind_with(w, "multicast", HOST_MULTICAST, LOOPBACK_LINK, 0);
	bind_with(w, "loopback", HOST_LOOPBACK, NO_SUCH_LINK, 0);
	note_names(w, "name", w->fd);
}

static void bind_flow(struct world *w)
{
	step_ret("IPV6_FLOWINFO_SEND", set_int(w->fd, SOL_IPV6, IPV6_FLOWINFO_SEND, 1));
	bind_with(w, "bind", HOST_LOOPBACK, 0, 0x12345);
	note_names(w, "name", w->fd);
}

/* ---- connect ------------------------------------------------------------------------------ */

static void connect_with(struct world *w, const char *name, enum host host, int port, unsigned scope, unsigned flow)
{
	union address a;
	socklen_t len = address_of(&a, host, port);

	a.v6.sin6_scope_id = scope;
	a.v6.sin6_flowinfo = htonl(flow);
	step_ret(name, connect(w->fd, &a.any, len));
	world_settle();
}

/* To a listener of its own: what it accepts, and how both call each other. */
static void connect_to(struct world *w, enum host listens, enum host to, unsigned scope)
{
	int port;

	w->named[1] = new_listener_at(listens, 3, &port);
	nonblocking(w->named[1]);
	w->port = port;
	connect_with(w, "first", to, port, scope, 0);
	step("poll", "%s", poll_text(polled(w->fd)));
	connect_with(w, "second", to, port, scope, 0);
	note_names(w, "name", w->fd);
	w->named[2] = step_fd("accept", accept(w->named[1], NULL, NULL));
	if (w->named[2] >= 0)
		note_names(w, "child's name", w->named[2]);
}

static void connect_mapped(struct world *w)
{
	connect_to(w, HOST_MAPPED, HOST_MAPPED, 0);
}

static void connect_mapped_any(struct world *w)
{
	connect_to(w, HOST_ANY, HOST_MAPPED_ANY, 0);
}

static void connect_link(struct world *w)
{
	connect_to(w, HOST_LINK, HOST_LINK, LOOPBACK_LINK);
}

static void connect_mapped_v6only(struct world *w)
{
	step_ret("IPV6_V6ONLY", set_int(w->fd, SOL_IPV6, IPV6_V6ONLY, 1));
	connect_with(w, "mapped", HOST_MAPPED, w->nobody_port, 0, 0);
	note_names(w, "name", w->fd);
}

static void connect_mapped_nobody(struct world *w)
{
	connect_with(w, "first", HOST_MAPPED, w->nobody_port, 0, 0);
	step("poll", "%s", poll_text(polled(w->fd)));
	note_names(w, "name", w->fd);
	connect_with(w, "second", HOST_MAPPED, w->nobody_port, 0, 0);
	connect_with(w, "IPv6", HOST_LOOPBACK, w->port, 0, 0);
	note_names(w, "name then", w->fd);
}

static void connect_mapped_nowhere(struct world *w)
{
	connect_with(w, "no route", HOST_MAPPED_FOREIGN, 80, 0, 0);
	connect_with(w, "multicast", HOST_MAPPED_MULTICAST, 80, 0, 0);
	note_names(w, "name", w->fd);
	connect_with(w, "IPv6", HOST_LOOPBACK, w->port, 0, 0);
	note_names(w, "name then", w->fd);
}

/* Bound to the one, connected to the other. */
static void connect_across(struct world *w)
{
	try_bind(w, "bind", HOST_LOOPBACK, 0);
	connect_with(w, "mapped", HOST_MAPPED, w->nobody_port, 0, 0);
	note_names(w, "name", w->fd);
}

static void connect_across_from_mapped(struct world *w)
{
	try_bind(w, "bind", HOST_MAPPED, 0);
	connect_with(w, "IPv6", HOST_LOOPBACK, w->port, 0, 0);
	note_names(w, "name", w->fd);
}

static void connect_scope(struct world *w)
{
	connect_with(w, "no scope", HOST_LINK, w->port, 0, 0);
	connect_with(w, "no such scope", HOST_LINK, w->port, NO_SUCH_LINK, 0);
	connect_with(w, "of no use", HOST_LOOPBACK, w->port, NO_SUCH_LINK, 0);
	note_names(w, "name", w->fd);
}

static void connect_flow(struct world *w)
{
	connect_with(w, "not to be sent", HOST_LOOPBACK, w->nobody_port, 0, 0x12345);
	step_ret("IPV6_FLOWINFO_SEND", set_int(w->fd, SOL_IPV6, IPV6_FLOWINFO_SEND, 1));
	connect_with(w, "nobody's label", HOST_LOOPBACK, w->port, 0, 0x12345);
	connect_with(w, "class", HOST_LOOPBACK, w->port, 0, 0x04000000);
	note_names(w, "name", w->fd);
}

static void connect_lengths_six(struct world *w)
{
	union address a;

	address_of(&a, HOST_LOOPBACK, w->port);
	step_ret("23", connect(w->fd, &a.any, SIN6_LEN_RFC2133 - 1));
	step_ret("as IPv4's", connect(w->fd, &a.any, sizeof(a.v4)));
	step_ret("RFC 2133", connect(w->fd, &a.any, SIN6_LEN_RFC2133));
	world_settle();
	note_names(w, "name", w->fd);
}

static void connect_inet(struct world *w)
{
	union address a;
	socklen_t len = address_in(AF_INET, &a, HOST_LOOPBACK, w->port);

	step_ret("its length", connect(w->fd, &a.any, len));
	step_ret("room", connect(w->fd, &a.any, sizeof(a)));
	step_ret("fast open", sendto(w->fd, "abc", 3, MSG_FASTOPEN, &a.any, len));
}

static void fastopen_mapped(struct world *w)
{
	union address a;
	socklen_t len = address_of(&a, HOST_MAPPED, w->nobody_port);

	step_ret("sendto", sendto(w->fd, "abc", 3, MSG_FASTOPEN, &a.any, len));
	world_settle();
	note_names(w, "name", w->fd);
}

/* ---- options that bring something ------------------------------------------------------- */

/* What IPV6_2292PKTOPTIONS tells of the last packet, when all that may have been asked for has been. */
static void packet_options(struct world *w)
{
	static const int asked[] = { IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, IPV6_FLOWINFO, IPV6_2292PKTINFO,
				     IPV6_2292HOPLIMIT, IPV6_RECVPATHMTU, IPV6_RECVRTHDR, IPV6_RECVHOPOPTS, IPV6_RECVDSTOPTS };
	unsigned char room[512];
	struct msghdr m = { .msg_control = room };
	socklen_t len = sizeof(room);
	struct cmsghdr *c;
	char buf[8];
	size_t i;

	for (i = 0; i < COUNT(asked); i++)
		step_ret("option", set_int(w->fd, SOL_IPV6, asked[i], 1));
	if (w->peer >= 0)
		send(w->peer, "tell", 4, MSG_NOSIGNAL);
	world_settle();
	step_ret("recv", recv(w->fd, buf, sizeof(buf), 0));
	memset(room, 0, sizeof(room));
	if (step_ret("get", getsockopt(w->fd, SOL_IPV6, IPV6_2292PKTOPTIONS, room, &len)) == 0) {
		step("length", "%u", len);
		m.msg_controllen = len;
		for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) /* a flow label is chosen at random */
			step("about the packet", "level %d type %d %s", c->cmsg_level, c->cmsg_type,
			     c->cmsg_type == IPV6_FLOWINFO ? "a label" : hex_text(CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0)));
	}
	for (i = 0; i <= 60; i += 20) {
		len = i;
		step_ret("little room", getsockopt(w->fd, SOL_IPV6, IPV6_2292PKTOPTIONS, room, &len));
		step("its length", "%u", len);
	}
	step_ret("none any more", set_int(w->fd, SOL_IPV6, IPV6_RECVPKTINFO, 0));
}

/* The socket becomes one of AF_INET, if its peer is. */
static void address_form(struct world *w)
{
	int domain = -1;
	socklen_t len = sizeof(domain);

	step_ret("IPV6_ADDRFORM", set_int(w->fd, SOL_IPV6, IPV6_ADDRFORM, AF_INET));
	step_ret("SO_DOMAIN", getsockopt(w->fd, SOL_SOCKET, SO_DOMAIN, &domain, &len));
	step("SO_DOMAIN", "%d", domain);
	note_names(w, "name", w->fd);
	step_ret("send", send(w->fd, "abc", 3, MSG_NOSIGNAL));
	step_ret("IPV6_V6ONLY", set_int(w->fd, SOL_IPV6, IPV6_V6ONLY, 1));
}

static void v6only(struct world *w)
{
	socklen_t len = sizeof(int);
	int value = -1;

	step_ret("on", set_int(w->fd, SOL_IPV6, IPV6_V6ONLY, 1));
	step_ret("listen", listen(w->fd, 2));
	step_ret("off", set_int(w->fd, SOL_IPV6, IPV6_V6ONLY, 0));
	getsockopt(w->fd, SOL_IPV6, IPV6_V6ONLY, &value, &len);
	step("value", "%d", value);
}

const struct call six_calls[] = {
#define C(name) { #name, name }
	C(bind_mapped), C(bind_mapped_any), C(bind_mapped_v6only), C(bind_mapped_elsewhere), C(bind_mapped_taken), C(bind_lengths_six),
	C(bind_inet), C(bind_link), C(bind_link_device), C(bind_scope_of_no_use), C(bind_flow), C(connect_mapped), C(connect_mapped_any),
	C(connect_link), C(connect_mapped_v6only), C(connect_mapped_nobody), C(connect_mapped_nowhere), C(connect_across),
	C(connect_across_from_mapped), C(connect_scope), C(connect_flow), C(connect_lengths_six), C(connect_inet), C(fastopen_mapped),
	C(packet_options), C(address_form), C(v6only),
#undef C
};
const size_t six_calls_count = COUNT(six_calls);

/* ---- in order ----------------------------------------------------------------------------- */

const struct script six_scripts[] = {
	/* A listener for both families, and for one. */
	{ "listener_of_both", "new a; bindto a any; listen a 3; new4 b; connectto b loopback a; accept a c; name b; peer b; name c; peer c; get c IPV6_V6ONLY; send b 5; recv c 9; send c 4; recv b 9; new d; connectto d loopback a; accept a e; name e; peer e; close b; recv c 9; get c SO_DOMAIN" },
	{ "listener_of_both_mapped_client", "new a; bindto a any; listen a 3; new b; connectto b mapped a; accept a c; name b; peer b; name c; peer c; send b 5; recv c 9; shut b wr; recv c 9; shut c wr; recv b 9; state b; state c; name b; peer b" },
	{ "listener_v6only", "new a; set a IPV6_V6ONLY 1; bindto a any; listen a 3; new4 b; connectto b loopback a; error b; new c; connectto c mapped a; error c; new d; connectto d loopback a; accept a e; get e IPV6_V6ONLY; name e" },
	{ "listener_v6only_set_late", "new a; bindto a any; set a IPV6_V6ONLY 1; get a IPV6_V6ONLY; listen a 3; set a IPV6_V6ONLY 1; new4 b; connectto b loopback a; error b" },
	{ "listener_mapped", "new a; bindto a mapped; name a; listen a 3; new b; connectto b loopback a; error b; new4 c; connectto c loopback a; error c; accept a d; name d; peer d" },
	{ "listener_mapped_any", "new a; bindto a mapped_any; name a; listen a 3; new b; connectto b loopback a; error b; new c; connectto c mapped a; error c; accept a d; name d; peer d" },
	{ "listener_of_v4", "new4 a; bindto a any; listen a 3; new b; connectto b mapped a; accept a c; name b; peer b; name c; peer c; send b 5; recv c 9; new d; connectto d loopback a; error d" },

	/* Both on one port. */
	{ "port_both_then_v4", "new a; bindto a any; new4 b; bindto b any a; bindto b loopback a; listen a 2; bindto b any a" },
	{ "port_v4_then_both", "new4 a; bindto a any; new b; bindto b any a; bindto b mapped a; bindto b mapped_any a; bindto b loopback a; name b" },
	{ "port_v4_then_v6only", "new4 a; bindto a any; listen a 2; new b; set b IPV6_V6ONLY 1; bindto b any a; listen b 2; new c; connectto c mapped a; poll a; poll b; new d; connectto d loopback a; poll b" },
	{ "port_v6only_then_v4", "new a; set a IPV6_V6ONLY 1; bindto a any; listen a 2; new4 b; bindto b any a; listen b 2; new c; bindto c any a; bindto c mapped a" },
	{ "port_mapped_then_v4", "new a; bindto a mapped; new4 b; bindto b loopback a; bindto b any a; new c; bindto c loopback a; bindto c any a; name c" },
	{ "port_one_of_each", "new a; bindto a loopback; listen a 2; new b; bindto b mapped a; listen b 2; new c; connectto c loopback a; poll a; poll b; new d; connectto d mapped a; poll b" },
	{ "port_reused_address", "new a; set a SO_REUSEADDR 1; bindto a any; new4 b; set b SO_REUSEADDR 1; bindto b any a; listen a 2; listen b 2; close a; listen b 2" },
	{ "port_reused", "new a; set a SO_REUSEPORT 1; bindto a any; listen a 2; new4 b; set b SO_REUSEPORT 1; bindto b any a; listen b 2; new4 c; connectto c loopback a; poll a; poll b; accept b d; new e; connectto e loopback a; poll a; poll b" },
	{ "port_exact_address_first", "new a; set a SO_REUSEPORT 1; bindto a any; listen a 2; new b; set b SO_REUSEPORT 1; bindto b loopback a; listen b 2; new c; connectto c loopback a; poll a; poll b" },

	/* One socket, one peer after the other. */
	{ "mapped_then_v6", "new a; bindto a any; listen a 3; new b; connectto b mapped a; accept a c; unspec b; name b; peer b; connectto b loopback a; accept a d; name b; peer b; name d; peer d; send b 5; recv d 9; send d 3; recv b 9" },
	{ "v6_then_mapped", "new a; bindto a any; listen a 3; new b; connectto b loopback a; accept a c; unspec b; name b; connectto b mapped a; accept a d; name b; peer b; name d; peer d; send b 5; recv d 9; send d 3; recv b 9" },
	{ "mapped_refused_then_v6", "new a; bindto a loopback; listen a 3; new b; connectto b mapped a; error b; connectto b loopback a; error b; accept a c; name b; send b 5; recv c 9" },
	{ "mapped_disconnected_listens", "new a; bindto a any; listen a 3; new b; connectto b mapped a; unspec b; listen b 2; name b; new c; connectto c loopback b; error c" },
	{ "mapped_bound_client", "new a; bindto a any; listen a 3; new b; bindto b mapped; connectto b mapped a; accept a c; name b; unspec b; name b; connectto b loopback a; name b" },
	{ "mapped_self", "new a; bindto a mapped; connectto a mapped a; state a; send a 5; recv a 9; name a; peer a" },
	{ "mapped_urgent", "new a; bindto a any; listen a 3; new b; connectto b mapped a; accept a c; send b 3 oob; recv c 9; recv c 1 oob; mark c" },
	{ "mapped_aborted", "new a; bindto a any; listen a 3; new b; connectto b mapped a; accept a c; abort b; poll c; recv c 1; name c; peer c; recv c 1" },
	{ "mapped_options", "new a; bindto a any; listen a 3; new b; connectto b mapped a; accept a c; set b IP_TOS 16; get b IP_TOS; set b IP_TTL 9; get b IP_TTL; set b IPV6_TCLASS 8; get b IPV6_TCLASS; set b IPV6_UNICAST_HOPS 7; get b IPV6_UNICAST_HOPS; get c IP_TOS; get c IPV6_TCLASS; get b IPV6_MTU; get b IP_MTU; get b IPV6_PATHMTU; send b 3; recv c 9" },

	/* On a link. */
	{ "link", "new a; bindto a link; listen a 3; new b; connectto b link a; accept a c; name b; peer b; name c; peer c; send b 5; recv c 9; shut c wr; recv b 9; get b SO_BINDTOIFINDEX; get c SO_BINDTOIFINDEX" },
	{ "link_and_any", "new a; bindto a any; listen a 3; new b; connectto b link a; accept a c; name b; peer b; name c; peer c; send c 5; recv b 9; get a SO_BINDTOIFINDEX; get b SO_BINDTOIFINDEX; get c SO_BINDTOIFINDEX" },
	{ "link_then_elsewhere", "new a; bindto a any; listen a 3; new b; connectto b link a; accept a c; unspec b; name b; get b SO_BINDTOIFINDEX; connectto b loopback a; name b; peer b" },

	{ "options_are_inherited_six", "new a; set a IPV6_TCLASS 16; set a IPV6_UNICAST_HOPS 33; set a IPV6_MTU_DISCOVER 0; set a IPV6_DONTFRAG 1; set a IPV6_RECVPKTINFO 1; set a IPV6_RECVERR 1; set a IPV6_AUTOFLOWLABEL 0; set a IPV6_FLOWINFO_SEND 1; set a IPV6_MINHOPCOUNT 5; set a IPV6_RECVTCLASS 1; set a IPV6_MULTICAST_HOPS 7; set a IPV6_FREEBIND 1; set a IPV6_ADDR_PREFERENCES 2; set a IP_TOS 4; set a IP_TTL 44; bindto a any; listen a 3; new b; connectto b loopback a; accept a c; get c IPV6_TCLASS; get c IPV6_UNICAST_HOPS; get c IPV6_MTU_DISCOVER; get c IPV6_DONTFRAG; get c IPV6_RECVPKTINFO; get c IPV6_RECVERR; get c IPV6_AUTOFLOWLABEL; get c IPV6_FLOWINFO_SEND; get c IPV6_MINHOPCOUNT; get c IPV6_RECVTCLASS; get c IPV6_MULTICAST_HOPS; get c IPV6_FREEBIND; get c IPV6_ADDR_PREFERENCES; get c IP_TOS; get c IP_TTL" },
	{ "packet_options_of_a_child", "new a; set a IPV6_RECVPKTINFO 1; bindto a any; listen a 3; new b; connectto b loopback a; accept a c; get c IPV6_2292PKTOPTIONS; send b 3; get c IPV6_2292PKTOPTIONS; recv c 9; get c IPV6_2292PKTOPTIONS; set c IPV6_RECVPKTINFO 0; get c IPV6_2292PKTOPTIONS" },
	{ "packet_options_name_the_child", "new a; set a IPV6_RECVPKTINFO 1; bindto a any; listen a 3; new b; bindto b link; connectto b loopback a; accept a c; name c; peer c; get c IPV6_2292PKTOPTIONS; send b 3; get c IPV6_2292PKTOPTIONS; recv c 9" },
	{ "packet_options_of_a_mapped_child", "new a; set a IPV6_RECVPKTINFO 1; set a IP_PKTINFO 1; bindto a any; listen a 3; new b; connectto b mapped a; accept a c; get c IPV6_2292PKTOPTIONS; get c IP_PKTOPTIONS; send b 3; recv c 9; get c IPV6_2292PKTOPTIONS; get c IP_PKTOPTIONS" },
	{ "options_are_inherited_mapped", "new a; set a IPV6_TCLASS 16; set a IPV6_UNICAST_HOPS 33; set a IPV6_MTU_DISCOVER 0; set a IPV6_RECVPKTINFO 1; set a IPV6_RECVERR 1; set a IPV6_AUTOFLOWLABEL 0; set a IP_TOS 4; set a IP_TTL 44; set a IP_RECVERR 1; set a IP_MTU_DISCOVER 0; bindto a any; listen a 3; new b; connectto b mapped a; accept a c; get c IPV6_TCLASS; get c IPV6_UNICAST_HOPS; get c IPV6_MTU_DISCOVER; get c IPV6_RECVPKTINFO; get c IPV6_RECVERR; get c IPV6_AUTOFLOWLABEL; get c IP_TOS; get c IP_TTL; get c IP_RECVERR; get c IP_MTU_DISCOVER" },
};
const size_t six_scripts_count = COUNT(six_scripts);
