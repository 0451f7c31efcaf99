// SPDX-License-Identifier: GPL-2.0
/*
 * Socket API, part 2: sending and receiving with every flag, poll and epoll,
 * half-close, the errors after a connection has ended, and bad pointers. See
 * sockapi.h for how a sequence is judged.
 */
#include "sockapi.h"

static char big[1 << 20];

static void send_and_receive(void)
{
	struct pair p = connected();
	char buf[16] = "";

	CALL(send(p.client, "hello", 5, 0));
	CALL(recv(p.server, buf, 3, 0));
	CALL(recv(p.server, buf + 3, 10, 0));
	say("%s\n", buf);
	CALL(write(p.server, "answer", 6));
	CALL(read(p.client, buf, 16));
	CALL(send(p.client, "", 0, 0));
	CALL(recv(p.server, buf, 0, MSG_DONTWAIT));
	CALL(recv(p.server, buf, 4, MSG_DONTWAIT));
	CALL(recv(p.server, buf, 0, MSG_DONTWAIT));
}

static void vectors(void)
{
	struct pair p = connected();
	char a[4] = "", b[8] = "";
	struct iovec out[3] = { { "ab", 2 }, { "", 0 }, { "cdefg", 5 } }, in[2] = { { a, 3 }, { b, 7 } };
	struct msghdr m = { .msg_iov = in, .msg_iovlen = 2 };

	CALL(writev(p.client, out, 3));
	CALL(recvmsg(p.server, &m, 0));
	say("%s %s flags %x namelen %u controllen %zu\n", a, b, m.msg_flags, m.msg_namelen, m.msg_controllen);
	m.msg_iovlen = -1;
	CALL(recvmsg(p.server, &m, MSG_DONTWAIT));
	m.msg_iovlen = 5000;
	CALL(sendmsg(p.client, &m, 0));
}

static void recvfrom_name(void)
{
	struct pair p = connected();
	union address a = { 0 };
	socklen_t len = sizeof(a);
	char buf[4];

	MUST(send(p.client, "x", 1, 0));
	CALL(recvfrom(p.server, buf, 4, 0, &a.any, &len));
	say("len %u family %d\n", len, a.any.sa_family);
}

static void sendto_with_address(void)
{
	struct pair p = connected();
	union address a = loopback(1);

	CALL(sendto(p.client, "x", 1, 0, &a.any, address_len(&a)));
	CALL(sendto(tcp_socket(0), "x", 1, MSG_NOSIGNAL, &a.any, address_len(&a)));
}

static void peek(void)
{
	struct pair p = connected();
	char buf[16] = "";

	MUST(send(p.client, "abc", 3, 0));
	wait_for(p.server, POLLIN);
	CALL(recv(p.server, buf, 2, MSG_PEEK));
	CALL(recv(p.server, buf, 16, MSG_PEEK));
	MUST(send(p.client, "def", 3, 0));
	pause_ms(SETTLE_MS);
	CALL(recv(p.server, buf, 16, MSG_PEEK));
	CALL(recv(p.server, buf, 16, MSG_DONTWAIT));
	say("%s\n", buf);
	CALL(recv(p.server, buf, 16, MSG_PEEK | MSG_DONTWAIT));
	close(p.client);
	wait_for(p.server, POLLIN);
	CALL(recv(p.server, buf, 16, MSG_PEEK));
	CALL(recv(p.server, buf, 16, 0));
}

static void trunc_discards(void)
{
	struct pair p = connected();
	char buf[16] = "";

	MUST(send(p.client, "abcdef", 6, 0));
	wait_for(p.server, POLLIN);
	CALL(recv(p.server, NULL, 4, MSG_TRUNC));
	CALL(recv(p.server, buf, 16, MSG_DONTWAIT));
	say("%s\n", buf);
}

static void waitall(void)
{
	struct pair p = connected();
	char buf[16] = "";

	if (fork() == 0) {
		for (int i = 0; i < 3; i++) {
			pause_ms(30);
			send(p.client, "1234", 4, 0);
		}
		_exit(0);
	}
	CALL(recv(p.server, buf, 12, MSG_WAITALL));
	say("%s\n", buf);
	if (fork() == 0) {
		pause_ms(30);
		send(p.client, "end", 3, 0);
		shutdown(p.client, SHUT_WR);
		_exit(0);
	}
	CALL(recv(p.server, buf, 12, MSG_WAITALL));
	MUST(send(p.server, "z", 1, 0));
	CALL(recv(p.client, buf, 12, MSG_WAITALL | MSG_DONTWAIT));
}

static void rcvlowat(void)
{
	struct pair p = connected();
	char buf[16];

	SETOPT(p.server, SOL_SOCKET, SO_RCVLOWAT, 5);
	MUST(send(p.client, "abc", 3, 0));
	pause_ms(SETTLE_MS);
	POLLS(p.server);
	MUST(send(p.client, "de", 2, 0));
	wait_for(p.server, POLLIN);
	POLLS(p.server);
	CALL(recv(p.server, buf, 16, 0));
}

static void receive_timeout(void)
{
	struct pair p = connected();
	struct timeval t = { .tv_usec = 100000 };
	char buf[16];

	CALL(setsockopt(p.server, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	CALL(recv(p.server, buf, 16, 0));
	MUST(send(p.client, "abc", 3, 0));
	CALL(recv(p.server, buf, 16, MSG_WAITALL));
}

static void send_timeout_and_full_buffer(void)
{
	struct pair p = connected();
	struct timeval t = { .tv_usec = 100000 };
	long total = 0, n;

	SETOPT(p.client, SOL_SOCKET, SO_SNDBUF, 20000);
	CALL(setsockopt(p.client, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)));
	while ((n = send(p.client, big, 5000, MSG_DONTWAIT)) > 0)
		total += n;
	say("full: %s, more than 20000: %d\n", errno_text(errno), total > 20000);
	POLLS(p.client);
	/* How much more the two buffers hold is each stack's own affair; that it ends after the time-out is not. */
	n = send(p.client, big, 50000, 0);
	say("ends by itself: %d\n", n > 0 || errno == EAGAIN);
	total += n > 0 ? n : 0;
	while ((n = recv(p.server, big, sizeof(big), MSG_DONTWAIT)) > 0 || total > 0)
		total = n > 0 ? total - n : (pause_ms(5), total);
	wait_for(p.client, POLLOUT);
	POLLS(p.client);
}

static void large_write_wakes_up(void)
{
	struct pair p = connected();
	long total = 0, n;

	if (fork() == 0) {
		memset(big, 'x', sizeof(big));
		_exit(send(p.client, big, sizeof(big), 0) != sizeof(big));
	}
	close(p.client);
	while ((n = recv(p.server, big + total, sizeof(big) - total, 0)) > 0)
		total += n;
	say("received %ld\n", total);
	wait(NULL);
}

static void interrupted(int number)
{
	(void)number;
}

static void receive_interrupted(void)
{
	struct sigaction sa = { .sa_handler = interrupted };
	/* Again and again: the first may come before the call. */
	struct itimerval it = { .it_value.tv_usec = 100000, .it_interval.tv_usec = 100000 };
	struct pair p = connected();
	char c;

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	CALL(recv(p.server, &c, 1, 0));
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	if (fork() == 0) {
		pause_ms(200);
		send(p.client, "y", 1, 0);
		_exit(0);
	}
	CALL(recv(p.server, &c, 1, 0));
}

static void more_and_cork(void)
{
	struct pair p = connected();
	char buf[16];

	SETOPT(p.client, IPPROTO_TCP, TCP_NODELAY, 1);
	CALL(send(p.client, "head", 4, MSG_MORE));
	pause_ms(50);
	CALL(recv(p.server, buf, 16, MSG_DONTWAIT));
	CALL(send(p.client, "body", 4, 0));
	pause_ms(50);
	CALL(recv(p.server, buf, 16, MSG_DONTWAIT));
	CALL(send(p.client, "alone", 5, MSG_MORE));
	wait_for(p.server, POLLIN);	/* 200 ms at most */
	CALL(recv(p.server, buf, 16, MSG_DONTWAIT));
}

static void cork(void)
{
	struct pair p = connected();
	char buf[16];

	SETOPT(p.client, IPPROTO_TCP, TCP_CORK, 1);
	MUST(send(p.client, "head", 4, 0));
	pause_ms(50);
	CALL(recv(p.server, buf, 16, MSG_DONTWAIT));
	SETOPT(p.client, IPPROTO_TCP, TCP_CORK, 0);
	pause_ms(50);
	CALL(recv(p.server, buf, 16, MSG_DONTWAIT));
}

static void queue_lengths(void)
{
	struct pair p = connected();
	char buf[16];
	int n = -1;

	CALL(ioctl(p.server, SIOCINQ, &n));
	say("%d\n", n);
	MUST(send(p.client, "abcdefg", 7, 0));
	wait_for(p.server, POLLIN);
	CALL(ioctl(p.server, SIOCINQ, &n));
	say("%d\n", n);
	MUST(recv(p.server, buf, 3, 0));
	CALL(ioctl(p.server, SIOCINQ, &n));
	say("%d\n", n);
	pause_ms(SETTLE_MS);
	CALL(ioctl(p.client, SIOCOUTQ, &n));
	say("%d\n", n);
	CALL(ioctl(p.client, SIOCOUTQNSD, &n));
	CALL(ioctl(p.server, SIOCINQ, (int *)8));
	CALL(ioctl(p.listener, SIOCINQ, &n));
	CALL(ioctl(p.listener, SIOCOUTQ, &n));
	CALL(ioctl(p.server, SIOCATMARK, &n));
	CALL(ioctl(p.server, 0x8999, &n));
	shutdown(p.client, SHUT_WR);
	wait_state(p.server, 8);
	CALL(ioctl(p.server, SIOCINQ, &n));
	say("%d\n", n);
	MUST(recv(p.server, buf, 16, 0));
	CALL(ioctl(p.server, SIOCINQ, &n));
	say("%d\n", n);
}

static void outq_of_unacknowledged_data(void)
{
	struct pair p = connected();
	long total = 0, r;
	int n = -1, u = -1;

	while ((r = send(p.client, big, 100000, MSG_DONTWAIT)) > 0)
		total += r;
	pause_ms(SETTLE_MS);
	CALL(ioctl(p.client, SIOCOUTQ, &n));
	MUST(ioctl(p.client, SIOCOUTQNSD, &u));
	MUST(ioctl(p.server, SIOCINQ, (int *)&r));
	say("unsent <= unacknowledged: %d, sum is what was sent: %d\n", u <= n, n + (int)r == total);
}

/* --------------------------------------------------------------- half-close */

static void shutdown_write(void)
{
	struct pair p = connected();
	char buf[16];

	note_sigpipe();
	CALL(shutdown(p.client, SHUT_WR));
	wait_state(p.client, 5);
	say("server state %d\n", state_of(p.server));
	CALL(send(p.client, "x", 1, 0));
	CALL(send(p.client, "x", 1, MSG_NOSIGNAL));
	POLLS(p.client);
	wait_for(p.server, POLLIN);
	POLLS(p.server);
	CALL(recv(p.server, buf, 16, 0));
	CALL(recv(p.server, buf, 16, 0));
	CALL(send(p.server, "still open", 10, 0));
	CALL(recv(p.client, buf, 16, 0));
	CALL(shutdown(p.client, SHUT_WR));
	CALL(shutdown(p.server, SHUT_WR));
	wait_for(p.client, POLLIN);
	CALL(recv(p.client, buf, 16, 0));
	POLLS(p.client);
	POLLS(p.server);
	wait_state(p.server, 7);
	CALL(shutdown(p.server, SHUT_WR));
	CALL(shutdown(p.client, SHUT_RDWR));
}

static void shutdown_read(void)
{
	struct pair p = connected();
	char buf[16];

	CALL(shutdown(p.server, SHUT_RD));
	POLLS(p.server);
	CALL(recv(p.server, buf, 16, 0));
	say("client state %d\n", state_of(p.client));
	CALL(send(p.client, "late", 4, 0));
	pause_ms(SETTLE_MS);
	CALL(recv(p.server, buf, 16, 0));
	CALL(recv(p.server, buf, 16, 0));
	CALL(send(p.server, "other way", 9, 0));
	CALL(recv(p.client, buf, 16, 0));
	CALL(shutdown(p.server, SHUT_RD));
}

static void shutdown_both(void)
{
	struct pair p = connected();
	char buf[16];

	CALL(shutdown(p.client, 3));
	CALL(shutdown(p.client, -1));
	CALL(shutdown(p.client, SHUT_RDWR));
	POLLS(p.client);
	CALL(recv(p.client, buf, 16, 0));
	CALL(send(p.client, buf, 1, MSG_NOSIGNAL));
	wait_state(p.server, 8);
	POLLS(p.server);
	CALL(send(p.server, "x", 1, 0));
	CALL(recv(p.server, buf, 16, 0));
}

static void unread_data_and_shutdown_read(void)
{
	struct pair p = connected();
	char buf[16];

	MUST(send(p.client, "unread", 6, 0));
	wait_for(p.server, POLLIN);
	CALL(shutdown(p.server, SHUT_RD));
	CALL(recv(p.server, buf, 3, 0));
	CALL(recv(p.server, buf, 16, 0));
	CALL(recv(p.server, buf, 16, 0));
}

/* ------------------------------------------------------------------- endings */

static void write_after_peer_closed(void)
{
	struct pair p = connected();
	char buf[4];

	note_sigpipe();
	close(p.server);
	wait_for(p.client, POLLIN);
	POLLS(p.client);
	CALL(recv(p.client, buf, 4, 0));
	CALL(send(p.client, "1", 1, 0));
	wait_state(p.client, 7);
	POLLS(p.client);
	CALL(send(p.client, "2", 1, 0));
	CALL(send(p.client, "3", 1, MSG_NOSIGNAL));
	CALL(recv(p.client, buf, 4, 0));
	GETOPT(p.client, SOL_SOCKET, SO_ERROR);
}

static void close_with_unread_data(void)
{
	struct pair p = connected();
	char buf[4];

	note_sigpipe();
	MUST(send(p.client, "unread", 6, 0));
	wait_for(p.server, POLLIN);
	close(p.server);
	wait_state(p.client, 7);
	POLLS(p.client);
	CALL(recv(p.client, buf, 4, 0));
	CALL(recv(p.client, buf, 4, 0));
	CALL(send(p.client, "x", 1, 0));
	POLLS(p.client);
}

static void linger_zero_resets(void)
{
	struct linger l = { 1, 0 };
	struct pair p = connected();
	char buf[4];

	CALL(setsockopt(p.server, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	close(p.server);
	wait_state(p.client, 7);
	GETOPT(p.client, SOL_SOCKET, SO_ERROR);
	CALL(recv(p.client, buf, 4, 0));
	POLLS(p.client);
}

static void data_before_the_reset(void)
{
	struct linger l = { 1, 0 };
	struct pair p = connected();
	char buf[8] = "";

	MUST(send(p.server, "last", 4, 0));
	wait_for(p.client, POLLIN);
	MUST(setsockopt(p.server, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	close(p.server);
	wait_state(p.client, 7);
	POLLS(p.client);
	CALL(recv(p.client, buf, 8, 0));
	CALL(recv(p.client, buf, 8, 0));
	CALL(recv(p.client, buf, 8, 0));
}

static void reset_while_receiving(void)
{
	struct linger l = { 1, 0 };
	struct pair p = connected();
	char buf[8];

	if (fork() == 0) {
		pause_ms(50);
		setsockopt(p.server, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
		_exit(0);
	}
	MUST(setsockopt(p.server, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	close(p.server);
	CALL(recv(p.client, buf, 8, 0));
}

static void linger_option(void)
{
	struct linger l = { 1, 7 };
	socklen_t len = sizeof(l);
	int fd = tcp_socket(0);

	CALL(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len));
	say("%d %d\n", l.l_onoff, l.l_linger);
	l.l_onoff = 1;
	l.l_linger = 7;
	CALL(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, 4));
	CALL(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	CALL(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len));
	say("%d %d\n", l.l_onoff, l.l_linger);
}

static void linger_with_everything_read(void)
{
	struct linger l = { 1, 5 };
	struct pair p = connected();
	struct timespec a, b;
	char buf[8];

	MUST(setsockopt(p.client, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	MUST(send(p.client, "bye", 3, 0));
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (fork() == 0) {
		close(p.client);
		recv(p.server, buf, 8, 0);
		recv(p.server, buf, 8, 0);
		close(p.server);
		_exit(0);
	}
	close(p.server);
	CALL(close(p.client));
	wait(NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	say("quick %d\n", b.tv_sec - a.tv_sec < 3);
}

/* ---------------------------------------------------------------------- epoll */

static void epoll_say(int ep, int wait_ms)
{
	struct epoll_event ev;
	int n = epoll_wait(ep, &ev, 1, wait_ms);

	say("epoll %d %x\n", n, n == 1 ? ev.events : 0);
}

static int epoll_on(int fd, unsigned int events)
{
	struct epoll_event ev = { .events = events };
	int ep = MUST(epoll_create1(0));

	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	return ep;
}

static void epoll_level(void)
{
	struct pair p = connected();
	int ep = epoll_on(p.server, EPOLLIN | EPOLLRDHUP);
	char c;

	epoll_say(ep, 0);
	MUST(send(p.client, "ab", 2, 0));
	epoll_say(ep, 1000);
	epoll_say(ep, 0);
	CALL(recv(p.server, &c, 1, 0));
	epoll_say(ep, 0);
	CALL(recv(p.server, &c, 1, 0));
	epoll_say(ep, 0);
	shutdown(p.client, SHUT_WR);
	epoll_say(ep, 1000);
	epoll_say(ep, 0);
}

static void epoll_edge(void)
{
	struct pair p = connected();
	int ep = epoll_on(p.server, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
	char c;

	epoll_say(ep, 0);
	epoll_say(ep, 0);
	MUST(send(p.client, "ab", 2, 0));
	epoll_say(ep, 1000);
	epoll_say(ep, 0);
	CALL(recv(p.server, &c, 1, 0));
	epoll_say(ep, 0);
	MUST(send(p.client, "c", 1, 0));
	epoll_say(ep, 1000);
	epoll_say(ep, 0);
	close(p.client);
	epoll_say(ep, 1000);
	epoll_say(ep, 0);
}

static void epoll_edge_writable(void)
{
	struct pair p = connected();
	int ep = epoll_on(p.client, EPOLLOUT | EPOLLET);
	long n, total = 0;

	epoll_say(ep, 0);
	while ((n = send(p.client, big, sizeof(big), MSG_DONTWAIT)) > 0)
		total += n;
	pause_ms(SETTLE_MS);
	while ((n = send(p.client, big, sizeof(big), MSG_DONTWAIT)) > 0)
		total += n;
	epoll_say(ep, 50);
	epoll_say(ep, 0);
	while (total > 0) {
		n = recv(p.server, big, sizeof(big), 0);
		total = n > 0 ? total - n : 0;
	}
	epoll_say(ep, 1000);
	epoll_say(ep, 50);
}

static void epoll_oneshot_listener(void)
{
	int port, fd = listener(4, &port), ep = epoll_on(fd, EPOLLIN | EPOLLET), c = tcp_socket(0), d = tcp_socket(0);

	epoll_say(ep, 0);
	MUST(connect_to(c, port));
	epoll_say(ep, 1000);
	epoll_say(ep, 0);
	MUST(connect_to(d, port));
	epoll_say(ep, 1000);
	TRY(accept(fd, NULL, NULL));
	epoll_say(ep, 0);
	TRY(accept(fd, NULL, NULL));
	close(fd);
	epoll_say(ep, 0);
}

static void epoll_connect(void)
{
	int port, l = listener(4, &port), fd = tcp_socket(SOCK_NONBLOCK), ep = epoll_on(fd, EPOLLIN | EPOLLOUT | EPOLLET);

	(void)l;
	epoll_say(ep, 0);
	CALL(connect_to(fd, port));
	epoll_say(ep, 1000);
	epoll_say(ep, 0);
}

static void epoll_connect_refused(void)
{
	int fd = tcp_socket(SOCK_NONBLOCK), ep = epoll_on(fd, EPOLLIN | EPOLLOUT | EPOLLET);

	epoll_say(ep, 0);
	CALL(connect_to(fd, 1));
	epoll_say(ep, 1000);
	GETOPT(fd, SOL_SOCKET, SO_ERROR);
	epoll_say(ep, 0);
}

static void epoll_reset(void)
{
	struct linger l = { 1, 0 };
	struct pair p = connected();
	int ep = epoll_on(p.client, EPOLLIN | EPOLLRDHUP | EPOLLET);

	epoll_say(ep, 0);
	MUST(setsockopt(p.server, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	close(p.server);
	epoll_say(ep, 1000);
	epoll_say(ep, 0);
}

/* ---------------------------------------------------------------- bad pointers */

static void bad_pointers(void)
{
	struct pair p = connected();
	char buf[8] = "";

	CALL(send(p.client, (void *)8, 4, 0));
	CALL(send(p.client, "good", 4, 0));
	wait_for(p.server, POLLIN);
	CALL(recv(p.server, (void *)8, 4, 0));
	CALL(recv(p.server, buf, 8, 0));
	say("%s\n", buf);
	CALL(setsockopt(p.client, IPPROTO_TCP, TCP_NODELAY, (void *)8, 4));
	CALL(getsockopt(p.client, IPPROTO_TCP, TCP_NODELAY, (void *)8, &(socklen_t){ 4 }));
	CALL(getsockopt(p.client, IPPROTO_TCP, TCP_NODELAY, buf, (socklen_t *)8));
	CALL(recvmsg(p.server, (void *)8, MSG_DONTWAIT));
	CALL(sendmsg(p.client, (void *)8, 0));
}

static void half_a_bad_buffer(void)
{
	struct pair p = connected();
	long page = sysconf(_SC_PAGESIZE);
	char *m = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), buf[8] = "";

	munmap(m + page, page);
	memcpy(m + page - 4, "tail", 4);
	CALL(send(p.client, m + page - 4, 4, 0));
	wait_for(p.server, POLLIN);
	CALL(recv(p.server, m + page - 2, 4, 0));
	CALL(recv(p.server, buf, 8, MSG_DONTWAIT));
	say("%s\n", buf);
}

static void splice_both_ways(void)
{
	struct pair p = connected();
	int pipes[2];
	char buf[16] = "";

	MUST(pipe(pipes));
	MUST(write(pipes[1], "spliced", 7));
	CALL(splice(pipes[0], NULL, p.client, NULL, 7, 0));
	wait_for(p.server, POLLIN);
	CALL(splice(p.server, NULL, pipes[1], NULL, 100, 0));
	CALL(read(pipes[0], buf, 16));
	say("%s\n", buf);
	shutdown(p.client, SHUT_WR);
	wait_for(p.server, POLLIN);
	CALL(splice(p.server, NULL, pipes[1], NULL, 100, 0));
}

static const struct sequence all[] = {
#define S(name) { #name, name }
	S(send_and_receive), S(vectors), S(recvfrom_name), S(sendto_with_address), S(peek), S(trunc_discards),
	S(waitall), S(rcvlowat), S(receive_timeout), S(send_timeout_and_full_buffer), S(large_write_wakes_up),
	S(receive_interrupted), S(more_and_cork), S(cork), S(queue_lengths),
	S(outq_of_unacknowledged_data), S(shutdown_write), S(shutdown_read), S(shutdown_both),
	S(unread_data_and_shutdown_read), S(write_after_peer_closed), S(close_with_unread_data), S(linger_zero_resets),
	S(data_before_the_reset), S(reset_while_receiving), S(linger_option), S(linger_with_everything_read),
	S(epoll_level), S(epoll_edge), S(epoll_edge_writable), S(epoll_oneshot_listener), S(epoll_connect),
	S(epoll_connect_refused), S(epoll_reset), S(bad_pointers), S(half_a_bad_buffer), S(splice_both_ways),
};

static const struct difference known[] = {
	{ "trunc_discards", "MSG_TRUNC without a buffer is not there" },
	{ "splice_both_ways", "splice from a socket is not there: EINVAL, as for any file without splice_read" },
};

int main(int argc, char **argv)
{
	return sockapi_main(argc, argv, all, COUNT(all), known, COUNT(known));
}
