// SPDX-License-Identifier: GPL-2.0
/*
 * nlfuzz: random and mutated generic netlink messages for every command of the family "atcp", thousands each second. Half of them are
 * well-formed nests of attributes with odd values, so that they reach what lies behind the kernel's own checks; of those, and of real
 * answers, some are then damaged. Whatever comes back is read and thrown away, but dumps are also left unread and sockets closed amid
 * them. It ends with the numbers of messages, of those that were accepted, and of refusals with a text; what the kernel makes of it
 * shows in the kernel's log.
 *
 *   nlfuzz --seconds N --seed N
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/atcp.h>

#define ROOM 8192
#define NAMES 256

static uint64_t state;
static int fd = -1, family;
static char names[NAMES][64]; /* of parameters, counters, reasons: whatever strings the dumps hold */
static unsigned name_count;
static unsigned long sent, accepted, refused, with_text;

static uint64_t rnd(void)
{
	state += 0x9e3779b97f4a7c15ull;
	uint64_t z = state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint32_t below(uint32_t n)
{
	return rnd() % n;
}

static void die(const char *what)
{
	fprintf(stderr, "nlfuzz: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void reopen(void)
{
	int one = 1, room = 1 << (12 + below(8));

	if (fd >= 0)
		close(fd);
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (below(2))
		setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	if (below(4) == 0)
		setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
}

/* ---- messages -------------------------------------------------------------------------------------------------- */

struct message {
	uint8_t data[ROOM];
	uint32_t len;
};

static void put(struct message *m, const void *data, uint32_t len)
{
	if (m->len + len > ROOM)
		return;
	memcpy(m->data + m->len, data, len);
	m->len += len;
}

static void align(struct message *m)
{
	static const uint8_t zero[4];

	put(m, zero, -m->len & 3);
}

static void attribute(struct message *m, uint16_t type, const void *data, uint32_t len)
{
	struct nlattr a = { (uint16_t)(sizeof(a) + len), type };

	put(m, &a, sizeof(a));
	put(m, data, len);
	align(m);
}

static uint64_t odd_number(void)
{
	static const uint64_t corners[] = { 0, 1, 2, 10, 32, 33, 80, 127, 128, 129, 255, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
					    0xffffffff, 0xfffffffffull, ~0ull };

	switch (below(3)) {
	case 0:
		return corners[below(sizeof(corners) / sizeof(corners[0]))];
	case 1:
		return 1ull << below(64);
	}
	return rnd();
}

static uint32_t any_length(uint32_t right)
{
	return below(8) ? right : below(40);
}

/* A value of a length that an attribute might have. */
static void value(struct message *m, uint16_t type)
{
	static const uint8_t sizes[] = { 1, 2, 4, 8, 16, 0, 32 };
	uint8_t data[160];
	uint32_t len = any_length(sizes[below(sizeof(sizes))]);
	uint64_t number = odd_number();

	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)rnd();
	memcpy(data, &number, sizeof(number));
	attribute(m, type, data, len);
}

static void text(struct message *m, uint16_t type)
{
	char data[200];
	uint32_t len;

	switch (below(4)) {
	case 0:
		len = below(sizeof(data) - 1);
		memset(data, 'a' + below(26), sizeof(data));
		break;
	case 1:
		len = (uint32_t)snprintf(data, sizeof(data), "%llu", (unsigned long long)odd_number());
		break;
	case 2:
		len = (uint32_t)snprintf(data, sizeof(data), below(2) ? "%u" : "%u %u %u", below(3), 4096 + below(100000), below(10000000));
		break;
	default:
		len = (uint32_t)snprintf(data, sizeof(data), "%s", name_count ? names[below(name_count)] : "sack");
	}
	if (below(8))
		data[len++] = '\0';
	attribute(m, type, data, len);
}

/* Sizes that the filter's attributes should have, so that many of its filters are good. */
static const uint8_t filter_size[__ATCP_FILTER_A_MAX] = {
	[ATCP_FILTER_A_STATES] = 4,  [ATCP_FILTER_A_FAMILY] = 2,    [ATCP_FILTER_A_LADDR] = 4,	  [ATCP_FILTER_A_LADDR_PREFIX] = 1,
	[ATCP_FILTER_A_RADDR] = 4,   [ATCP_FILTER_A_RADDR_PREFIX] = 1, [ATCP_FILTER_A_LPORT_MIN] = 2, [ATCP_FILTER_A_LPORT_MAX] = 2,
	[ATCP_FILTER_A_RPORT_MIN] = 2, [ATCP_FILTER_A_RPORT_MAX] = 2, [ATCP_FILTER_A_UID] = 4,	  [ATCP_FILTER_A_LISTENER] = 8,
	[ATCP_FILTER_A_ID] = 8,	     [ATCP_FILTER_A_EVENTS] = 4,    [ATCP_FILTER_A_REASONS] = 16,
};

static void filter_attribute(struct message *m)
{
	static const uint64_t good[__ATCP_FILTER_A_MAX] = {
		[ATCP_FILTER_A_STATES] = 0xffe, [ATCP_FILTER_A_FAMILY] = 2, [ATCP_FILTER_A_LADDR] = 0x0100007f,
		[ATCP_FILTER_A_LADDR_PREFIX] = 8, [ATCP_FILTER_A_RADDR] = 0x0100007f, [ATCP_FILTER_A_RADDR_PREFIX] = 31,
		[ATCP_FILTER_A_LPORT_MIN] = 1, [ATCP_FILTER_A_LPORT_MAX] = 60000, [ATCP_FILTER_A_RPORT_MIN] = 1,
		[ATCP_FILTER_A_RPORT_MAX] = 65535,
	};
	uint16_t type = (uint16_t)(1 + below(__ATCP_FILTER_A_MAX + 1));
	uint64_t number;

	if (type >= __ATCP_FILTER_A_MAX || !filter_size[type]) {
		if (type == ATCP_FILTER_A_CC)
			text(m, type);
		else
			value(m, type);
		return;
	}
	number = below(3) ? good[type] : odd_number();
	attribute(m, type, &number, any_length(filter_size[type]) & 7 ?: 8);
}

/* Begin a nest; its length follows with end_nest. */
static uint32_t begin_nest(struct message *m, uint16_t type)
{
	uint32_t at = m->len;

	attribute(m, (uint16_t)(type | (below(32) ? NLA_F_NESTED : 0)), "", 0);
	return at;
}

static void end_nest(struct message *m, uint32_t at)
{
	uint16_t len = (uint16_t)(m->len - at);

	memcpy(m->data + at, &len, sizeof(len));
}

static void top_attribute(struct message *m)
{
	uint16_t type = (uint16_t)(1 + below(__ATCP_A_MAX + 1));
	uint32_t at, i, n = below(5);

	switch (below(4)) {
	case 0:
		value(m, type);
		return;
	case 1:
		at = begin_nest(m, ATCP_A_PARAM);
		text(m, ATCP_PARAM_A_NAME);
		if (below(3))
			text(m, ATCP_PARAM_A_VALUE);
		break;
	default:
		at = begin_nest(m, below(4) ? ATCP_A_FILTER : type);
		for (i = 0; i < n; i++)
			filter_attribute(m);
	}
	end_nest(m, at);
}

static void damage(struct message *m)
{
	uint32_t from = sizeof(struct nlmsghdr), n = 1 + below(8);

	while (n-- && m->len > from)
		m->data[from + below(m->len - from)] = below(2) ? (uint8_t)rnd() : (uint8_t)odd_number();
	if (below(4) == 0 && m->len > from)
		m->len = from + below(m->len - from);
}

static void make(struct message *m, uint16_t type, uint8_t cmd, uint16_t flags)
{
	struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = (uint32_t)sent };
	struct genlmsghdr g = { .cmd = cmd, .version = ATCP_GENL_VERSION };

	m->len = 0;
	put(m, &h, sizeof(h));
	put(m, &g, sizeof(g));
}

static void finish(struct message *m)
{
	memcpy(m->data, &m->len, sizeof(m->len));
}

/* ---- answers ------------------------------------------------------------------------------------------------------- */

/* Strings of an answer become names for requests. */
static void learn(const uint8_t *data, uint32_t len)
{
	uint32_t i, n = 0;

	for (i = 0; i < len && name_count < NAMES; i++) {
		int good = (data[i] >= 'a' && data[i] <= 'z') || data[i] == '_' || (data[i] >= '0' && data[i] <= '9');

		if (good && n < 63) {
			names[name_count][n++] = (char)data[i];
			continue;
		}
		names[name_count][n] = '\0';
		if (!data[i] && n > 2)
			name_count++;
		n = 0;
	}
}

static void account(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = (const void *)(h + 1);

	if (h->nlmsg_type == NLMSG_DONE && h->nlmsg_len >= sizeof(*h) + sizeof(e->error)) {
		if (e->error)
			refused++;
		else
			accepted++;
		return;
	}
	if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_len < sizeof(*h) + sizeof(*e)) {
		if (h->nlmsg_type >= NLMSG_MIN_TYPE && name_count < NAMES)
			learn((const uint8_t *)(h + 1), h->nlmsg_len - sizeof(*h));
		return;
	}
	if (e->error)
		refused++;
	else
		accepted++;
	if (h->nlmsg_flags & NLM_F_ACK_TLVS)
		with_text++;
}

static void drain(void)
{
	static uint8_t buffer[1 << 16];
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		struct nlmsghdr *h = (void *)buffer;

		for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n))
			account(h);
	}
}

static int find_family(void)
{
	static uint8_t buffer[8192];
	struct message m;
	ssize_t n;
	uint32_t at = NLMSG_HDRLEN + GENL_HDRLEN;

	make(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_REQUEST);
	attribute(&m, CTRL_ATTR_FAMILY_NAME, ATCP_GENL_NAME, sizeof(ATCP_GENL_NAME));
	finish(&m);
	if (send(fd, m.data, m.len, 0) < 0)
		die("send");
	n = recv(fd, buffer, sizeof(buffer), 0);
	while (n > 0 && at + NLA_HDRLEN <= (uint32_t)n) {
		struct nlattr *a = (void *)(buffer + at);

		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(uint16_t *)(a + 1);
		at += NLA_ALIGN(a->nla_len);
	}
	fprintf(stderr, "nlfuzz: no family " ATCP_GENL_NAME "\n");
	exit(2);
}

/* A request as a program would make it, with odd values. */
static void sensible(struct message *m)
{
	static const uint8_t filtered[] = { ATCP_CMD_SOCKET_GET, ATCP_CMD_LISTENER_GET, ATCP_CMD_SOCKET_KILL, ATCP_CMD_RECORD_GET, ATCP_CMD_EVENT_SUBSCRIBE };
	static const uint8_t params[] = { ATCP_CMD_PARAM_GET, ATCP_CMD_PARAM_SET, ATCP_CMD_PARAM_RESET };
	int filter = below(2);
	uint8_t cmd = filter ? filtered[below(sizeof(filtered))] : params[below(sizeof(params))];
	int dump = cmd == ATCP_CMD_SOCKET_GET || cmd == ATCP_CMD_LISTENER_GET || cmd == ATCP_CMD_RECORD_GET;
	uint32_t at, i, n = filter ? 1 + below(2) : 1 + below(3);
	uint64_t id;

	make(m, (uint16_t)family, cmd, NLM_F_REQUEST | NLM_F_ACK | (dump ? NLM_F_DUMP : 0));
	if (filter)
		at = begin_nest(m, ATCP_A_FILTER);
	for (i = 0; i < n; i++) {
		if (filter) {
			filter_attribute(m);
			continue;
		}
		at = begin_nest(m, ATCP_A_PARAM);
		text(m, ATCP_PARAM_A_NAME);
		if (cmd == ATCP_CMD_PARAM_SET)
			text(m, ATCP_PARAM_A_VALUE);
		end_nest(m, at);
	}
	if (filter)
		end_nest(m, at);
	id = odd_number();
	if (!filter && below(8) == 0)
		attribute(m, ATCP_A_ID, &id, sizeof(id));
}

static void one(void)
{
	static const uint16_t flags[] = { NLM_F_REQUEST | NLM_F_ACK, NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP, NLM_F_REQUEST };
	struct message m;
	uint32_t i, n = below(4);

	if (below(2)) {
		sensible(&m);
		n = 0;
	} else
		make(&m, (uint16_t)family, (uint8_t)(below(32) ? 1 + below(__ATCP_CMD_MAX) : rnd()), below(64) ? flags[below(3)] : (uint16_t)rnd() | NLM_F_REQUEST);
	for (i = 0; i < n; i++)
		top_attribute(&m);
	if (below(5) == 0)
		damage(&m);
	finish(&m);
	/* Busy: the answer to the last dump has not been read. */
	if (send(fd, m.data, m.len, MSG_DONTWAIT) < 0 && errno != EBUSY && errno != EAGAIN && errno != EINVAL && errno != ENOBUFS)
		die("send");
	sent++;
	if (below(4))
		drain();
	if (below(200) == 0)
		reopen();
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "seconds", 1, 0, 's' }, { "seed", 1, 0, 'r' }, {} };
	unsigned long long seed = 1;
	double seconds = 5, begin;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			seconds = atof(optarg);
		else if (c == 'r')
			seed = strtoull(optarg, NULL, 0);
		else
			return 2;
	}
	state = seed;
	reopen();
	family = find_family();
	/* For so long, and on a slow machine until there have been enough. */
	for (begin = now(); now() < begin + seconds || sent < 2000;)
		for (c = 0; c < 100; c++)
			one();
	drain();
	printf("seed %llu: %lu messages, %.0f a second, %lu accepted, %lu refused, %lu with a text, %u names\n", seed, sent, (double)sent / (now() - begin),
	       accepted, refused, with_text, name_count);
	return !accepted || !refused || !with_text;
}
