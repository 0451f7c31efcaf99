// SPDX-License-Identifier: GPL-2.0
/*
 * Socket API, part 4: urgent data. MSG_OOB both ways, the mark in the stream
 * and what stops at it, SO_OOBINLINE, SIOCATMARK, POLLPRI and SIGURG. See
 * sockapi.h for how a sequence is judged.
 */
#include "sockapi.h"

static int at_mark(int fd)
{
	int n = -1;

	return ioctl(fd, SIOCATMARK, &n) ? -errno : n;
}
#define MARK(fd) say("at mark %d\n", at_mark(fd))

static int inq(int fd)
{
	int n = -1;

	return ioctl(fd, SIOCINQ, &n) ? -errno : n;
}
#define INQ(fd) say("inq %d\n", inq(fd))

static void read_some(const char *what, int fd, size_t room, int flags)
{
	char buf[64] = "";
	struct iovec in = { buf, room };
	struct msghdr m = { .msg_iov = &in, .msg_iovlen = 1 };
	ssize_t n = recvmsg(fd, &m, flags);

	if (n < 0)
		say("%s = %s\n", what, errno_text(errno));
	else
		say("%s = %zd \"%.*s\" flags %x\n", what, n, (int)n, buf, m.msg_flags);
}
#define READ(fd, room, flags) read_some("recv " #room " " #flags, fd, room, (flags) | MSG_DONTWAIT)
#define OOB(fd, flags) read_some("oob " #flags, fd, 1, (flags) | MSG_OOB)

/* Sends as three writes and gives them time to arrive. */
static void three(int fd, const char *before, const char *urgent, const char *after)
{
	if (*before)
		MUST(send(fd, before, strlen(before), 0));
	CALL(send(fd, urgent, strlen(urgent), MSG_OOB));
	if (*after)
		MUST(send(fd, after, strlen(after), 0));
	pause_ms(SETTLE_MS);
}

static void urgent_data(void)
{
	struct pair p = connected();

	three(p.client, "ab", "!", "cd");
	POLLS(p.server);
	INQ(p.server);
	MARK(p.server);
	OOB(p.server, MSG_PEEK);
	OOB(p.server, 0);
	OOB(p.server, 0);
	POLLS(p.server);
	READ(p.server, 16, 0);
	MARK(p.server);
	INQ(p.server);
	POLLS(p.server);
	OOB(p.server, 0);
	READ(p.server, 16, 0);
	MARK(p.server);
	INQ(p.server);
	OOB(p.server, 0);
	READ(p.server, 16, 0);
	POLLS(p.server);
}

static void mark_alone(void)
{
	struct pair p = connected();

	three(p.client, "", "!", "");
	POLLS(p.server);
	INQ(p.server);
	MARK(p.server);
	READ(p.server, 0, 0);
	MARK(p.server);
	READ(p.server, 1, 0);
	MARK(p.server);
	OOB(p.server, 0);
	three(p.client, "", "?", "x");
	POLLS(p.server);
	OOB(p.server, 0);
	POLLS(p.server);
	READ(p.server, 1, 0);
	POLLS(p.server);
}

static void not_there(void)
{
	struct pair p = connected();

	OOB(p.server, 0);
	MUST(send(p.client, "abc", 3, 0));
	pause_ms(SETTLE_MS);
	OOB(p.server, 0);
	CALL(recv(p.listener, NULL, 0, MSG_OOB));
	CALL(recv(tcp_socket(0), NULL, 0, MSG_OOB));
	CALL(send(tcp_socket(0), "x", 1, MSG_OOB | MSG_NOSIGNAL));
	CALL(send(p.client, "", 0, MSG_OOB));
	pause_ms(SETTLE_MS);
	MARK(p.server);
	MARK(p.listener);
	MARK(tcp_socket(0));
	CALL(ioctl(p.server, SIOCATMARK, (int *)8));
}

static void longer_than_a_byte(void)
{
	struct pair p = connected();

	three(p.client, "ab", "uvw!", "cd");
	OOB(p.server, 0);
	READ(p.server, 3, 0);
	READ(p.server, 16, 0);
	MARK(p.server);
	READ(p.server, 16, 0);
}

static void odd_reads(void)
{
	struct pair p = connected();
	char buf[4] = "";

	three(p.client, "", "!", "");
	CALL(recv(p.server, buf, 0, MSG_OOB | MSG_PEEK));
	CALL(recv(p.server, (void *)8, 1, MSG_OOB | MSG_PEEK));
	CALL(recv(p.server, NULL, 1, MSG_OOB | MSG_PEEK | MSG_TRUNC));
	CALL(recv(p.server, buf, 4, MSG_OOB | MSG_WAITALL));
	say("%s\n", buf);
	CALL(recv(p.server, buf, 4, MSG_OOB | MSG_WAITALL));
}

static void inline_option(void)
{
	struct pair p = connected();

	SETOPT(p.server, SOL_SOCKET, SO_OOBINLINE, 1);
	three(p.client, "ab", "!", "cd");
	POLLS(p.server);
	INQ(p.server);
	OOB(p.server, 0);
	READ(p.server, 16, 0);
	MARK(p.server);
	POLLS(p.server);
	READ(p.server, 16, 0);
	MARK(p.server);
	three(p.client, "e", "?", "f");
	SETOPT(p.server, SOL_SOCKET, SO_OOBINLINE, 0);
	OOB(p.server, 0);
	READ(p.server, 16, 0);
	READ(p.server, 16, 0);
}

static void inline_is_inherited(void)
{
	struct pair p;

	p.listener = listener(8, &p.port);
	SETOPT(p.listener, SOL_SOCKET, SO_OOBINLINE, 1);
	p.client = tcp_socket(0);
	MUST(connect_to(p.client, p.port));
	p.server = MUST(accept(p.listener, NULL, NULL));
	GETOPT(p.server, SOL_SOCKET, SO_OOBINLINE);
	three(p.client, "a", "!", "b");
	READ(p.server, 16, 0);
	READ(p.server, 16, 0);
}

static void peeking(void)
{
	struct pair p = connected();

	three(p.client, "ab", "!", "cd");
	READ(p.server, 16, MSG_PEEK);
	READ(p.server, 1, MSG_PEEK);
	READ(p.server, 16, 0);
	READ(p.server, 16, MSG_PEEK);
	MARK(p.server);
	READ(p.server, 16, MSG_PEEK);
	OOB(p.server, 0);
	READ(p.server, 16, 0);
	SETOPT(p.server, SOL_SOCKET, SO_OOBINLINE, 1);
	three(p.client, "", "?", "ef");
	READ(p.server, 16, MSG_PEEK);
	READ(p.server, 16, 0);
}

static void waitall_stops_at_the_mark(void)
{
	struct pair p = connected();
	char buf[16] = "";

	three(p.client, "ab", "!", "cdefgh");
	CALL(recv(p.server, buf, 6, MSG_WAITALL));
	CALL(recv(p.server, buf, 6, MSG_WAITALL));
	say("%s\n", buf);
}

static void discarding(void)
{
	struct pair p = connected();

	three(p.client, "ab", "!", "cd");
	CALL(recv(p.server, NULL, 16, MSG_TRUNC | MSG_DONTWAIT));
	CALL(recv(p.server, NULL, 1, MSG_TRUNC | MSG_DONTWAIT));
	READ(p.server, 16, 0);
}

static void two_in_a_row(void)
{
	struct pair p = connected();

	three(p.client, "", "A", "");
	three(p.client, "", "B", "");
	INQ(p.server);
	MARK(p.server);
	OOB(p.server, 0);
	READ(p.server, 16, 0);
	three(p.client, "x", "C", "");
	three(p.client, "", "D", "y");
	INQ(p.server);
	READ(p.server, 16, 0);
	MARK(p.server);
	OOB(p.server, 0);
	READ(p.server, 16, 0);
}

static void two_in_a_row_inline(void)
{
	struct pair p = connected();

	SETOPT(p.server, SOL_SOCKET, SO_OOBINLINE, 1);
	three(p.client, "", "A", "");
	three(p.client, "", "B", "z");
	READ(p.server, 16, 0);
	MARK(p.server);
	READ(p.server, 16, 0);
}

static void low_water_mark(void)
{
	struct pair p = connected();

	SETOPT(p.server, SOL_SOCKET, SO_RCVLOWAT, 3);
	three(p.client, "", "!", "ab");
	POLLS(p.server);
	MUST(send(p.client, "c", 1, 0));
	pause_ms(SETTLE_MS);
	POLLS(p.server);
}

static void blocked_reader(void)
{
	struct pair p = connected();
	char buf[8] = "";

	if (fork() == 0) {
		pause_ms(50);
		send(p.client, "!", 1, MSG_OOB);
		pause_ms(50);
		send(p.client, "ab", 2, 0);
		_exit(0);
	}
	/* The byte goes by while nobody asked for it by itself. */
	CALL(recv(p.server, buf, 8, 0));
	say("%s\n", buf);
	OOB(p.server, 0);
}

static void pollpri_wakes(void)
{
	struct pair p = connected();
	struct pollfd f = { .fd = p.server, .events = POLLPRI };
	struct epoll_event e = { .events = EPOLLPRI | EPOLLET };
	int ep = MUST(epoll_create1(0));

	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, p.server, &e));
	if (fork() == 0) {
		pause_ms(50);
		send(p.client, "ab", 2, 0);
		pause_ms(50);
		send(p.client, "!", 1, MSG_OOB);
		_exit(0);
	}
	CALL(poll(&f, 1, 2000));
	say("%x\n", f.revents);
	CALL(epoll_wait(ep, &e, 1, 1000));
	say("%x\n", e.events);
	OOB(p.server, 0);
	CALL(poll(&f, 1, 0));
}

static void select_exception(void)
{
	struct pair p = connected();
	struct timeval t = { 1, 0 };
	fd_set x;

	three(p.client, "a", "!", "");
	FD_ZERO(&x);
	FD_SET(p.server, &x);
	CALL(select(p.server + 1, NULL, NULL, &x, &t));
	say("%d\n", !!FD_ISSET(p.server, &x));
}

static volatile int urgents, last_mark, watched;

static void on_sigurg(int number)
{
	(void)number;
	urgents++;
	last_mark = at_mark(watched);
}

static void watch(int fd, int flags)
{
	struct sigaction a = { .sa_handler = on_sigurg, .sa_flags = flags };

	watched = fd;
	MUST(sigaction(SIGURG, &a, NULL));
	CALL(fcntl(fd, F_SETOWN, getpid()));
}

static void sigurg(void)
{
	struct pair p = connected();

	three(p.client, "", "0", "");
	say("before the owner: %d\n", urgents);
	watch(p.server, SA_RESTART);
	three(p.client, "ab", "!", "cd");
	say("%d signals, at mark %d\n", urgents, last_mark);
	READ(p.server, 16, 0);
	READ(p.server, 16, 0);
	three(p.client, "", "?", "");
	say("%d signals, at mark %d\n", urgents, last_mark);
	shutdown(p.client, SHUT_WR);
	wait_state(p.server, 8);
	OOB(p.server, 0);
	READ(p.server, 16, 0);
	OOB(p.server, 0);
	say("%d signals\n", urgents);
}

static void sigurg_interrupts(void)
{
	struct pair p = connected();
	char buf[8];

	watch(p.server, 0);
	if (fork() == 0) {
		wait_asleep(getppid());
		send(p.client, "!", 1, MSG_OOB);
		_exit(0);
	}
	CALL(recv(p.server, buf, 8, 0));
	MARK(p.server);
	OOB(p.server, 0);
	say("%d signals\n", urgents);
}

static void after_the_end(void)
{
	struct pair p = connected();

	three(p.client, "ab", "!", "");
	close(p.client);
	wait_state(p.server, 8);
	POLLS(p.server);
	INQ(p.server);
	OOB(p.server, MSG_PEEK);
	READ(p.server, 16, 0);
	READ(p.server, 16, 0);
	OOB(p.server, 0);
	CALL(send(p.server, "x", 1, MSG_OOB));
	pause_ms(20);
	CALL(send(p.server, "x", 1, MSG_OOB | MSG_NOSIGNAL));
}

static void after_a_reset(void)
{
	struct pair p = connected();
	struct linger l = { 1, 0 };

	three(p.client, "ab", "!", "");
	MUST(setsockopt(p.client, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	close(p.client);
	wait_state(p.server, 7);
	OOB(p.server, 0);
	READ(p.server, 16, 0);
	OOB(p.server, 0);
}

static void both_directions(void)
{
	struct pair p = connected();

	three(p.client, "c", "1", "c");
	three(p.server, "s", "2", "s");
	OOB(p.server, 0);
	OOB(p.client, 0);
	READ(p.server, 16, 0);
	READ(p.client, 16, 0);
	READ(p.server, 16, 0);
	READ(p.client, 16, 0);
}

/* Longer than the pointer's 64 KB and than a send buffer: only the very last byte is out of band. */
static void large_urgent_write(void)
{
	static char big[300000], in[sizeof(big)];
	struct pair p = connected();
	size_t got = 0;
	ssize_t n;

	memset(big, 'u', sizeof(big));
	big[sizeof(big) - 1] = '!';
	if (fork() == 0) {
		send(p.client, big, sizeof(big), MSG_OOB);
		_exit(0);
	}
	while (got < sizeof(big) - 1) {
		n = recv(p.server, in + got, sizeof(big) - got, 0);
		if (n <= 0)
			break;
		got += n;
	}
	wait(NULL);
	say("%zu bytes, as sent: %d\n", got, memcmp(in, big, got) == 0);
	pause_ms(SETTLE_MS);
	OOB(p.server, 0);
	MARK(p.server);
}

static void corked(void)
{
	struct pair p = connected();

	SETOPT(p.client, IPPROTO_TCP, TCP_CORK, 1);
	MUST(send(p.client, "ab", 2, 0));
	pause_ms(20);
	READ(p.server, 16, 0);
	CALL(send(p.client, "!", 1, MSG_OOB | MSG_MORE));
	pause_ms(20);
	READ(p.server, 16, 0);
	OOB(p.server, 0);
}

static void spliced(void)
{
	struct pair p = connected();
	int pipes[2];

	MUST(pipe(pipes));
	three(p.client, "ab", "!", "cd");
	CALL(splice(p.server, NULL, pipes[1], NULL, 16, 0));
	CALL(splice(p.server, NULL, pipes[1], NULL, 16, SPLICE_F_NONBLOCK));
	CALL(splice(p.server, NULL, pipes[1], NULL, 16, 0));
	READ(p.server, 1, 0);
	CALL(splice(p.server, NULL, pipes[1], NULL, 16, 0));
}

static const struct sequence all[] = {
#define S(name) { #name, name }
	S(urgent_data), S(mark_alone), S(not_there), S(longer_than_a_byte), S(odd_reads), S(inline_option),
	S(inline_is_inherited), S(peeking), S(waitall_stops_at_the_mark), S(discarding), S(two_in_a_row),
	S(two_in_a_row_inline), S(low_water_mark), S(blocked_reader), S(pollpri_wakes), S(select_exception), S(sigurg),
	S(sigurg_interrupts), S(after_the_end), S(after_a_reset), S(both_directions), S(large_urgent_write), S(corked),
	S(spliced),
};

int main(int argc, char **argv)
{
	return sockapi_main(argc, argv, all, COUNT(all), NULL, 0);
}
