// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that wait, each ended by a signal with and without SA_RESTART, by a time-out, and by what the peer or another
 * thread does. Whether a call waited at all is told by whether what should end it came first, never by a clock: the
 * machine may be slow.
 */
#include "compare.h"

#include <pthread.h>

enum {
	TIMEOUT_MS = 30, /* of SO_RCVTIMEO and SO_SNDTIMEO */
	GRACE_MS = 15,	 /* that a call sleeps on, not being woken, after what should end it */
};

static struct world *current;
static volatile sig_atomic_t ticks, acted, returned;
static pthread_t caller;
static pid_t caller_tid;

/* ---- what ends the waiting ------------------------------------------------------------ */

static void peer_sends(struct world *w)
{
	send(w->peer, "wake", 4, MSG_NOSIGNAL);
}

static void peer_urges(struct world *w)
{
	send(w->peer, "!", 1, MSG_OOB | MSG_NOSIGNAL);
}

static void peer_reads(struct world *w)
{
	char buf[4096];
	int i;

	/* What it did not hear comes again after the sender's time-out. */
	peer_listens(w);
	/* The sender goes on in between. How often that takes a turn is nobody's business: in the end all has been read. */
	for (i = 0; i < 3000 && !returned; i++) {
		while (recv(w->peer, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
		pause_ms(1);
	}
	do
		world_settle();
	while (recv(w->peer, buf, sizeof(buf), MSG_DONTWAIT) > 0);
}

static void peer_ends(struct world *w)
{
	shutdown(w->peer, SHUT_WR);
}

static void peer_resets(struct world *w)
{
	struct linger l = { 1, 0 };

	setsockopt(w->peer, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(w->peer);
	w->peer = -1;
}

static void shut_reading(struct world *w)
{
	shutdown(w->fd, SHUT_RD);
}

static void shut_writing(struct world *w)
{
	shutdown(w->fd, SHUT_WR);
}

static void shut_both(struct world *w)
{
	shutdown(w->fd, SHUT_RDWR);
}

static void disconnected(struct world *w)
{
	struct sockaddr a = { .sa_family = AF_UNSPEC };

	connect(w->fd, &a, sizeof(a));
}

static void client_comes(struct world *w)
{
	w->named[0] = socket(family, SOCK_STREAM | SOCK_NONBLOCK, protocol);
	connect_port(w->named[0], w->port);
}

/* ---- calls ---------------------------------------------------------------------------- */

static long do_recv(struct world *w)
{
	char buf[16];

	return recv(w->fd, buf, 10, 0);
}

static long do_recv_waitall(struct world *w)
{
	char buf[64];

	return recv(w->fd, buf, 40, MSG_WAITALL);
}

static long do_recv_peek(struct world *w)
{
	char buf[16];

	return recv(w->fd, buf, 10, MSG_PEEK);
}

static long do_recv_peek_all(struct world *w)
{
	char buf[64];

	return recv(w->fd, buf, 40, MSG_PEEK | MSG_WAITALL);
}

static long do_recv_nothing(struct world *w)
{
	return recv(w->fd, NULL, 0, 0);
}

static long do_readv(struct world *w)
{
	char a[2], b[8];
	struct iovec v[2] = { { a, 2 }, { b, 8 } };

	return readv(w->fd, v, 2);
}

static long do_splice_out(struct world *w)
{
	int pipes[2], err;
	long n;

	MUST(pipe(pipes));
	n = splice(w->fd, NULL, pipes[1], NULL, 10, 0);
	err = errno;
	close(pipes[0]);
	close(pipes[1]);
	errno = err;
	return n;
}

static char plenty[50000];

static long do_send(struct world *w)
{
	return send(w->fd, plenty, 5000, 0);
}

/* More than fits: part of it may go before the end. */
static long do_send_plenty(struct world *w)
{
	long n = send(w->fd, plenty, sizeof(plenty), 0);

	/* How much had gone depends on segment sizes. */
	return n > 0 && n < (long)sizeof(plenty) ? 1 : n;
}

static long do_sendfile(struct world *w)
{
	int fd = MUST(memfd_create("file", MFD_CLOEXEC)), err;
	off_t at = 0;
	long n;

	MUST(ftruncate(fd, 5000));
	n = sendfile(w->fd, fd, &at, 5000);
	err = errno;
	close(fd);
	errno = err;
	return n;
}

static long do_connect(struct world *w)
{
	return connect_port(w->fd, w->full_port);
}

static long do_accept(struct world *w)
{
	long fd = accept(w->fd, NULL, NULL);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static long poll_for(struct world *w, short mask)
{
	struct pollfd p = { .fd = w->fd, .events = mask };
	long n = poll(&p, 1, -1);

	return n < 0 ? n : p.revents;
}

static long do_poll_in(struct world *w)
{
	return poll_for(w, POLLIN | POLLPRI | POLLRDHUP);
}

static long do_poll_out(struct world *w)
{
	return poll_for(w, POLLOUT);
}

static long do_epoll(struct world *w)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET };
	int ep = MUST(epoll_create1(0)), err;
	long n;

	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, w->fd, &e));
	n = epoll_wait(ep, &e, 1, -1);
	err = errno;
	close(ep);
	errno = err;
	return n < 0 ? n : (long)e.events;
}

static long do_close(struct world *w)
{
	struct linger l = { 1, 20 };
	int fd = w->fd;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	w->fd = -1;
	return close(fd);
}

/* ---- combinations --------------------------------------------------------------------- */

struct act {
	const char *name;
	void (*run)(struct world *w);
};

/* What the second thread does once the call waits: a signal, then, when it waits again, an act. */
struct plan {
	bool signal;
	const struct act *act; /* or NULL */
};

#define A(name) { #name, name }
static const struct act reading[] = { A(peer_sends), A(peer_urges), A(peer_ends), A(peer_resets), A(shut_reading), A(shut_writing),
				      A(shut_both), A(disconnected) };
static const struct act writing[] = { A(peer_reads), A(peer_resets), A(shut_writing), A(shut_both), A(disconnected) };
static const struct act accepting[] = { A(client_comes), A(shut_reading), A(shut_both), A(disconnected) };
static const struct act connecting[] = { A(shut_writing), A(shut_both), A(disconnected) };

enum { SIGNALS = 1, TIMEOUTS = 2 }; /* what else ends a call */

static const struct {
	const char *name, *state;
	long (*run)(struct world *w);
	const struct act *acts;
	size_t acts_count;
	unsigned ends;
} calls[] = {
#define R(name, state, acts, ends) { #name, state, do_##name, acts, COUNT(acts), ends }
	R(recv, "established", reading, SIGNALS | TIMEOUTS), R(recv_waitall, "unread", reading, SIGNALS | TIMEOUTS),
	R(recv_peek, "established", reading, SIGNALS | TIMEOUTS), R(recv_peek_all, "unread", reading, SIGNALS | TIMEOUTS),
	R(recv_nothing, "established", reading, SIGNALS | TIMEOUTS), R(readv, "established", reading, SIGNALS),
	R(splice_out, "established", reading, SIGNALS | TIMEOUTS), R(recv, "fin_wait", reading, 0),
	R(poll_in, "established", reading, SIGNALS), R(epoll, "established", reading, SIGNALS),
	R(send, "full", writing, SIGNALS | TIMEOUTS), R(send_plenty, "full", writing, SIGNALS | TIMEOUTS),
	R(send_plenty, "established", writing, 0), R(sendfile, "full", writing, SIGNALS | TIMEOUTS),
	R(poll_out, "full", writing, SIGNALS), R(connect, "fresh", connecting, SIGNALS | TIMEOUTS),
	R(poll_out, "connecting", connecting, SIGNALS), R(send, "connecting", connecting, SIGNALS | TIMEOUTS),
	R(recv, "connecting", connecting, SIGNALS | TIMEOUTS), R(accept, "listening", accepting, SIGNALS | TIMEOUTS),
	R(poll_in, "listening", accepting, SIGNALS), R(close, "full", writing, 0), R(close, "fin_behind_data", writing, 0),
#undef R
};

/* Besides acts. */
enum way { SIGNAL, RESTART, TIMEOUT, TIMEOUT_AND_SIGNAL, WAYS };
static const char *const way_names[] = { "signal", "restart", "timeout", "timeout_and_signal" };

/* Finds combination n. False: there are not that many. */
static bool combination(size_t n, size_t *call, int *way, size_t *act)
{
	for (*call = 0; *call < COUNT(calls); ++*call) {
		for (*way = 0; *way < WAYS; ++*way) {
			if (!(calls[*call].ends & (*way < TIMEOUT ? SIGNALS : TIMEOUTS)))
				continue;
			if (n-- == 0)
				return true;
		}
		for (*act = 0; *act < calls[*call].acts_count; ++*act)
			if (n-- == 0)
				return true;
	}
	return false;
}

const char *blocking_name(size_t n)
{
	static char name[128];
	size_t call, act = 0;
	int way;

	if (!combination(n, &call, &way, &act))
		return NULL;
	snprintf(name, sizeof(name), "blocking/%s/%s/%s", calls[call].state, calls[call].name,
		 way < WAYS ? way_names[way] : calls[call].acts[act].name);
	return name;
}

static void on_tick(int number)
{
	(void)number;
	ticks++;
}

/* Does the calling thread sleep? Asked of /proc, so that nothing happens before its call waits, on machines of any speed. */
static bool caller_sleeps(void)
{
	char path[64], text[512], *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", caller_tid);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	end = strrchr(text, ')');
	return end && end[1] && end[2] == 'S';
}

static void wait_asleep(void)
{
	while (!returned && !caller_sleeps())
		pause_ms(1);
}

static void *interfere(void *arg)
{
	const struct plan *plan = arg;
	int i;

	wait_asleep();
	if (plan->signal && !returned) {
		pthread_kill(caller, SIGALRM);
		while (!ticks && !returned)
			pause_ms(1);
	}
	wait_asleep();
	/* A call that is not restarted has returned by now. */
	if (plan->act && !returned) {
		/* Before, for the call may be over while the act is still being done. */
		acted = 1;
		plan->act->run(current);
	}
	/* Not everything ends every call: if it goes on sleeping, a signal ends it, and is seen in the transcript. */
	for (i = 0; i < GRACE_MS * slow_factor && !returned; i = caller_sleeps() ? i + 1 : 0)
		pause_ms(1);
	if (!returned)
		pthread_kill(caller, SIGUSR1);
	return NULL;
}

static pthread_t start(const struct plan *plan)
{
	sigset_t all, old;
	pthread_t thread;

	caller = pthread_self();
	caller_tid = gettid();
	/* Signals are the calling thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&thread, NULL, interfere, (void *)plan))
		abort();
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return thread;
}

static void set_timeouts(int fd, int ms)
{
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };

	MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	MUST(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)));
}

void run_blocking(struct world *w, size_t n)
{
	struct sigaction sa = { .sa_handler = on_tick };
	struct plan plan = { .signal = false };
	size_t call, act = 0;
	pthread_t thread = 0;
	char ticked[32] = "";
	int way;

	combination(n, &call, &way, &act);
	state_named(calls[call].state)->make(w);
	MUST(fcntl(w->fd, F_SETFL, fcntl(w->fd, F_GETFL) & ~O_NONBLOCK));
	current = w;
	ticks = acted = returned = 0;
	plan.signal = way == SIGNAL || way == RESTART || way == TIMEOUT_AND_SIGNAL;
	if (way == RESTART)
		plan.act = &calls[call].acts[0];
	else if (way == WAYS)
		plan.act = &calls[call].acts[act];
	if (way == TIMEOUT)
		set_timeouts(w->fd, TIMEOUT_MS);
	else if (way == TIMEOUT_AND_SIGNAL)
		set_timeouts(w->fd, 10000);
	/* A call with a limit is not restarted all the same: that would begin a new one. */
	sa.sa_flags = way == RESTART || way == TIMEOUT_AND_SIGNAL ? SA_RESTART : 0;
	sigaction(SIGALRM, &sa, NULL);
	if (way != TIMEOUT)
		thread = start(&plan);
	step_ret("call", calls[call].run(w));
	returned = 1;
	if (plan.signal)
		snprintf(ticked, sizeof(ticked), "%s", ticks ? "signal, " : "no signal, ");
	step("it returned", "%s%s", ticked, acted ? "after the act" : way == TIMEOUT ? "at its time" : "before any act");
	if (thread)
		pthread_join(thread, NULL);
	catch_signal(SIGALRM, 0);
}
