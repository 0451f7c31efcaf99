// SPDX-License-Identifier: GPL-2.0
/*
 * Sequences as text, where order is what matters. Commands have "; " between them; sockets are named a to h, and none of
 * them blocks. After each command all that is under way arrives.
 *
 *   new X              a socket
 *   new4 X             one of AF_INET, whatever the others are
 *   bind X [Y]         to a port of the host's choice, or to that of Y
 *   listen X N
 *   connect X Y        to the port of Y, or to "full" or "nobody"
 *   bindto X HOST [Y], connectto X HOST Y   the same, with the address of a host: loopback, any, mapped, mapped_any, link
 *   accept X Y         Y is taken from X's queue
 *   pair X Y           both ends of a connection
 *   send X N [FLAGS]   N bytes; flags are joined with +
 *   recv X N [FLAGS]
 *   drain X            reads all there is
 *   fill X             sends until nothing is taken any more
 *   shut X rd|wr|rdwr
 *   close X, abort X   in order; with a reset
 *   unspec X           connect() to AF_UNSPEC
 *   set X OPTION N, get X OPTION
 *   linger X N
 *   poll X, error X, state X, name X, peer X, inq X, outq X, mark X
 *   own X              signals of X go to this process
 *   dup X Y
 *   sleep MS
 */
#include "compare.h"

struct words {
	char *at[6];
	int count;
};

struct command {
	const char *name;
	int least; /* words, with its name */
	void (*run)(struct world *w, const char *text, const struct words *words);
};

/* The socket that a word names. */
static int *socket_of(struct world *w, const char *word)
{
	if (word[1] || word[0] < 'a' || word[0] >= 'a' + MAX_SOCKETS) {
		fprintf(stderr, "no socket: %s\n", word);
		exit(2);
	}
	return &w->named[word[0] - 'a'];
}
#define FD(i) (*socket_of(w, words->at[i]))
#define NUMBER(i) atoi(words->at[i])
#define COMMAND(name) static void name(struct world *w, const char *text, const struct words *words)

static int flags_of(const char *word)
{
	static const struct {
		const char *name;
		int flag;
	} names[] = { { "oob", MSG_OOB }, { "peek", MSG_PEEK }, { "trunc", MSG_TRUNC }, { "waitall", MSG_WAITALL }, { "more", MSG_MORE },
		      { "nosignal", MSG_NOSIGNAL }, { "dontwait", MSG_DONTWAIT }, { "errqueue", MSG_ERRQUEUE } };
	int flags = 0;
	size_t i;

	while (word && *word) {
		size_t n = strcspn(word, "+");

		for (i = 0; i < COUNT(names) && (strlen(names[i].name) != n || strncmp(word, names[i].name, n)); i++)
			;
		if (i == COUNT(names)) {
			fprintf(stderr, "no flag: %s\n", word);
			exit(2);
		}
		flags |= names[i].flag;
		word += n + (word[n] == '+');
	}
	return flags;
}

COMMAND(do_new)
{
	FD(1) = new_socket(SOCK_NONBLOCK);
	(void)text;
}

COMMAND(do_bind)
{
	union address a;
	socklen_t len = address_of(&a, HOST_LOOPBACK, words->count > 2 ? port_of(FD(2)) : 0);

	step_ret(text, bind(FD(1), &a.any, len));
}

COMMAND(do_new4)
{
	FD(1) = MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, protocol));
	(void)text;
}

/* A host's address as that socket has it. */
static socklen_t address_for(int fd, union address *a, const char *word, int port)
{
	static const struct {
		const char *name;
		enum host host;
	} hosts[] = { { "loopback", HOST_LOOPBACK }, { "any", HOST_ANY }, { "mapped", HOST_MAPPED }, { "mapped_any", HOST_MAPPED_ANY },
		      { "link", HOST_LINK } };
	socklen_t len = sizeof(int);
	int domain = family;
	size_t i;

	MUST(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len));
	for (i = 0; i < COUNT(hosts); i++)
		if (strcmp(hosts[i].name, word) == 0)
			return address_in(domain, a, hosts[i].host, port);
	fprintf(stderr, "no host: %s\n", word);
	exit(2);
}

COMMAND(do_bindto)
{
	union address a;
	socklen_t len = address_for(FD(1), &a, words->at[2], words->count > 3 ? port_of(FD(3)) : 0);

	step_ret(text, bind(FD(1), &a.any, len));
}

COMMAND(do_connectto)
{
	union address a;
	socklen_t len = address_for(FD(1), &a, words->at[2], port_of(FD(3)));

	step_ret(text, connect(FD(1), &a.any, len));
}

COMMAND(do_listen)
{
	step_ret(text, listen(FD(1), NUMBER(2)));
}

COMMAND(do_connect)
{
	const char *to = words->at[2];

	step_ret(text, connect_port(FD(1), strcmp(to, "full") == 0 ? w->full_port :
				    strcmp(to, "nobody") == 0 ? w->nobody_port : port_of(FD(2))));
}

COMMAND(do_accept)
{
	FD(2) = step_fd(text, accept4(FD(1), NULL, NULL, SOCK_NONBLOCK));
}

COMMAND(do_pair)
{
	FD(1) = new_socket(0);
	MUST(connect_port(FD(1), w->port));
	world_settle();
	FD(2) = MUST(accept4(w->listener, NULL, NULL, SOCK_NONBLOCK));
	MUST(fcntl(FD(1), F_SETFL, O_NONBLOCK));
	(void)text;
}

COMMAND(do_send)
{
	static const char data[20000] = "abcdefghijklmnopqrstuvwxyz";

	step_ret(text, send(FD(1), data, NUMBER(2), flags_of(words->at[3])));
}

COMMAND(do_recv)
{
	char buf[1000];
	ssize_t n;

	memset(buf, '.', sizeof(buf));
	n = recv(FD(1), buf, NUMBER(2), flags_of(words->at[3]));
	if (n > 0)
		step(text, "%zd %.*s", n, n < 30 ? (int)n : 30, buf);
	else
		step_ret(text, n);
}

COMMAND(do_drain)
{
	char buf[4096];
	long total = 0, n;

	while ((n = recv(FD(1), buf, sizeof(buf), 0)) > 0) {
		total += n;
		world_settle();
	}
	if (n < 0)
		step(text, "%s, then %s", total > 20000 ? "many" : total ? "some" : "none", errno_text(errno));
	else
		step(text, "%s, then end", total > 20000 ? "many" : total ? "some" : "none");
}

COMMAND(do_fill)
{
	static const char data[65536];
	long n;

	do {
		while ((n = send(FD(1), data, sizeof(data), 0)) > 0)
			;
		world_settle();
	} while ((n = send(FD(1), data, 1, 0)) > 0);
	step_ret(text, n);
}

COMMAND(do_shut)
{
	const char *how = words->at[2];

	step_ret(text, shutdown(FD(1), strcmp(how, "rd") == 0 ? SHUT_RD : strcmp(how, "wr") == 0 ? SHUT_WR : SHUT_RDWR));
}

COMMAND(do_close)
{
	step_ret(text, close(FD(1)));
	FD(1) = -1;
}

COMMAND(do_abort)
{
	struct linger l = { 1, 0 };

	setsockopt(FD(1), SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	do_close(w, text, words);
}

COMMAND(do_unspec)
{
	struct sockaddr a = { .sa_family = AF_UNSPEC };

	step_ret(text, connect(FD(1), &a, sizeof(a)));
}

static const struct option *option_of(const char *name)
{
	size_t i;

	for (i = 0; i < options_count; i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	fprintf(stderr, "no option: %s\n", name);
	exit(2);
}

COMMAND(do_set)
{
	const struct option *o = option_of(words->at[2]);

	step_ret(text, set_int(FD(1), o->level, o->number, NUMBER(3)));
}

COMMAND(do_get)
{
	const struct option *o = option_of(words->at[2]);
	unsigned char buf[64] = { 0 };
	socklen_t len = sizeof(buf);

	if (getsockopt(FD(1), o->level, o->number, buf, &len))
		step(text, "%s", errno_text(errno));
	else
		step(text, "%s", hex_text(buf, len));
}

COMMAND(do_linger)
{
	struct linger l = { 1, NUMBER(2) };

	step_ret(text, setsockopt(FD(1), SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
}

COMMAND(do_poll)
{
	step(text, "%s", poll_text(polled(FD(1))));
}

COMMAND(do_error)
{
	socklen_t len = sizeof(int);
	int err = -1;

	if (getsockopt(FD(1), SOL_SOCKET, SO_ERROR, &err, &len))
		step(text, "%s", errno_text(errno));
	else
		step(text, "%s", errno_text(err));
}

COMMAND(do_state)
{
	step(text, "%d", settled_state(FD(1)));
}

static void note_name(const char *text, int port, int failed, const union address *a, socklen_t len)
{
	if (failed)
		step(text, "%s", errno_text(errno));
	else /* Whether it is the port of before, not which. */
		step(text, "%s:%s", host_text(a, len), a->v4.sin_port == 0 ? "0" : ntohs(a->v4.sin_port) == port ? "own" : "some");
}

COMMAND(do_name)
{
	union address a;
	socklen_t len = sizeof(a);

	int failed = getsockname(FD(1), &a.any, &len);

	note_name(text, -1, failed, &a, len);
}

COMMAND(do_peer)
{
	union address a;
	socklen_t len = sizeof(a);

	int own = FD(1) < 0 ? -1 : port_of(FD(1)), failed = getpeername(FD(1), &a.any, &len);

	note_name(text, own, failed, &a, len);
}

static void note_ioctl(const char *text, int fd, unsigned long request)
{
	int value = -1;

	if (ioctl(fd, request, &value))
		step(text, "%s", errno_text(errno));
	else if (value > 20000)
		step(text, "many");
	else
		step(text, "%d", value);
}

COMMAND(do_inq)
{
	note_ioctl(text, FD(1), SIOCINQ);
}

COMMAND(do_outq)
{
	note_ioctl(text, FD(1), SIOCOUTQ);
}

COMMAND(do_mark)
{
	note_ioctl(text, FD(1), SIOCATMARK);
}

COMMAND(do_own)
{
	step_ret(text, fcntl(FD(1), F_SETOWN, getpid()));
}

COMMAND(do_dup)
{
	FD(2) = MUST(dup(FD(1)));
	(void)text;
}

COMMAND(do_sleep)
{
	pause_ms(NUMBER(1) * slow_factor);
	(void)w;
	(void)text;
}

static const struct command commands[] = {
#define C(name, least) { #name, least, do_##name }
	C(new, 2), C(new4, 2), C(bind, 2), C(bindto, 3), C(connectto, 4), C(listen, 3), C(connect, 3), C(accept, 3), C(pair, 3), C(send, 3), C(recv, 3), C(drain, 2),
	C(fill, 2), C(shut, 3), C(close, 2), C(abort, 2), C(unspec, 2), C(set, 4), C(get, 3), C(linger, 3), C(poll, 2),
	C(error, 2), C(state, 2), C(name, 2), C(peer, 2), C(inq, 2), C(outq, 2), C(mark, 2), C(own, 2), C(dup, 3), C(sleep, 2),
#undef C
};

static void run_command(struct world *w, char *text, const char *shown)
{
	struct words words = { .count = 0 };
	char *word, *more = NULL;
	size_t i;

	for (word = strtok_r(text, " ", &more); word && words.count < 6; word = strtok_r(NULL, " ", &more))
		words.at[words.count++] = word;
	for (i = 0; i < COUNT(commands); i++) {
		if (strcmp(commands[i].name, words.at[0]) || words.count < commands[i].least)
			continue;
		commands[i].run(w, shown, &words);
		world_settle();
		return;
	}
	fprintf(stderr, "no command: %s\n", shown);
	exit(2);
}

void run_script(struct world *w, const char *script)
{
	char text[2000], shown[96], *command, *more = NULL;
	int n = 0;

	snprintf(text, sizeof(text), "%s", script);
	for (command = strtok_r(text, ";", &more); command; command = strtok_r(NULL, ";", &more)) {
		command += strspn(command, " ");
		/* The number makes the step's name its own. */
		snprintf(shown, sizeof(shown), "%d %s", ++n, command);
		run_command(w, command, shown);
	}
}
