// SPDX-License-Identifier: GPL-2.0
/* Calls on a socket that are not of the socket family: ioctl, fcntl, splice, sendfile, dup, fork and what files have. */
#include "compare.h"

#include <sys/stat.h>

/* ---- ioctl ---------------------------------------------------------------------------- */

/* Bytes that are queued depend, when they are many, on how far windows and segments let them go. */
static void note_queue(struct world *w, const char *name, unsigned long request)
{
	int value = 0x5a5a5a5a;
	char nowhere[64];

	if (ioctl(w->fd, request, &value))
		step(name, "%s", errno_text(errno));
	else if (value > 1000 && value != 0x5a5a5a5a)
		step(name, "many");
	else
		step(name, "%d", value);
	snprintf(nowhere, sizeof(nowhere), "%s nowhere", name);
	step_ret(nowhere, ioctl(w->fd, request, NOWHERE));
}

static void ioctl_queues(struct world *w)
{
	note_queue(w, "SIOCINQ", SIOCINQ);
	note_queue(w, "SIOCOUTQ", SIOCOUTQ);
	note_queue(w, "SIOCOUTQNSD", SIOCOUTQNSD);
	note_queue(w, "SIOCATMARK", SIOCATMARK);
}

/* The same when something has been sent that nobody has read: what is acknowledged at once, and what is held back. */
static void ioctl_queues_after_send(struct world *w)
{
	step_ret("send", send(w->fd, "abc", 3, MSG_NOSIGNAL));
	world_settle();
	note_queue(w, "SIOCOUTQNSD", SIOCOUTQNSD);
	step_ret("cork", set_int(w->fd, SOL_TCP, TCP_CORK, 1));
	step_ret("send", send(w->fd, "defgh", 5, MSG_NOSIGNAL));
	world_settle();
	note_queue(w, "SIOCOUTQNSD", SIOCOUTQNSD);
}

static void ioctl_unknown(struct world *w)
{
	char room[256] = "lo";

	step_ret("nothing's", ioctl(w->fd, 0x7777, room));
	step_ret("terminal's", ioctl(w->fd, 0x5401, room)); /* TCGETS */
	step_ret("protocol's own", ioctl(w->fd, SIOCPROTOPRIVATE, room));
	step_ret("SIOCGSTAMP", ioctl(w->fd, 0x8906, room));
	step_ret("SIOCGIFINDEX", ioctl(w->fd, SIOCGIFINDEX, room));
	step_ret("SIOCGIFFLAGS nowhere", ioctl(w->fd, SIOCGIFFLAGS, NOWHERE));
	step_ret("SIOCADDRT nowhere", ioctl(w->fd, SIOCADDRT, NOWHERE));
	step_ret("SIOCGARP nowhere", ioctl(w->fd, SIOCGARP, NOWHERE));
}

static void ioctl_modes(struct world *w)
{
	int on = 1, off = 0, pid = getpid(), got = -1;

	step_ret("FIONBIO 0", ioctl(w->fd, FIONBIO, &off));
	step("O_NONBLOCK", "%d", !!(fcntl(w->fd, F_GETFL) & O_NONBLOCK));
	step_ret("FIONBIO 1", ioctl(w->fd, FIONBIO, &on));
	step("O_NONBLOCK", "%d", !!(fcntl(w->fd, F_GETFL) & O_NONBLOCK));
	step_ret("FIOASYNC", ioctl(w->fd, FIOASYNC, &on));
	step("O_ASYNC", "%d", !!(fcntl(w->fd, F_GETFL) & O_ASYNC));
	step_ret("SIOCSPGRP", ioctl(w->fd, SIOCSPGRP, &pid));
	step_ret("SIOCGPGRP", ioctl(w->fd, SIOCGPGRP, &got));
	step("owner", "%s", got == pid ? "self" : "another");
	step_ret("FIOGETOWN", ioctl(w->fd, FIOGETOWN, &got));
	pid = 0x7ffffff;
	step_ret("SIOCSPGRP nobody", ioctl(w->fd, SIOCSPGRP, &pid));
	step_ret("SIOCSPGRP nowhere", ioctl(w->fd, SIOCSPGRP, NOWHERE));
}

/* ---- fcntl and signals ---------------------------------------------------------------- */

/* SIGIO for what happens next: data, urgent data, the end, and what the socket does itself. */
static void async(struct world *w)
{
	char buf[64];

	step_ret("F_SETOWN", fcntl(w->fd, F_SETOWN, getpid()));
	step("F_GETOWN", "%d", fcntl(w->fd, F_GETOWN) == getpid());
	step_ret("F_SETFL", fcntl(w->fd, F_SETFL, O_ASYNC | O_NONBLOCK));
	world_settle();
	step("at first", "-");
	if (w->peer >= 0) {
		step_ret("peer's send", send(w->peer, "abc", 3, MSG_NOSIGNAL));
		world_settle();
		step("data", "-");
		step_ret("peer's urgent", send(w->peer, "!", 1, MSG_OOB | MSG_NOSIGNAL));
		world_settle();
		step("urgent data", "-");
		step_ret("recv", recv(w->fd, buf, sizeof(buf), 0));
		step_ret("peer's shutdown", shutdown(w->peer, SHUT_WR));
		world_settle();
		step("the end", "-");
	}
	step_ret("send", send(w->fd, "abc", 3, MSG_NOSIGNAL));
	world_settle();
	step("sent", "-");
	step_ret("shutdown", shutdown(w->fd, SHUT_RDWR));
	world_settle();
	step("own end", "-");
}

static void async_connect(struct world *w)
{
	struct f_owner_ex owner = { F_OWNER_TID, gettid() }, got = { -1, -1 };

	step_ret("F_SETOWN_EX", fcntl(w->fd, F_SETOWN_EX, &owner));
	step_ret("F_GETOWN_EX", fcntl(w->fd, F_GETOWN_EX, &got));
	step("owner", "type %d, %s", got.type, got.pid == owner.pid ? "self" : "another");
	step_ret("F_SETSIG", fcntl(w->fd, F_SETSIG, SIGUSR1));
	step("F_GETSIG", "%d", fcntl(w->fd, F_GETSIG));
	step_ret("F_SETFL", fcntl(w->fd, F_SETFL, O_ASYNC | O_NONBLOCK));
	step_ret("connect", connect_port(w->fd, w->port));
	world_settle();
	step("connected", "-");
	step_ret("F_SETSIG 65", fcntl(w->fd, F_SETSIG, 65));
	step_ret("F_SETOWN nobody", fcntl(w->fd, F_SETOWN, 0x7ffffff));
}

static void fcntl_flags(struct world *w)
{
	char buf[8];

	/* What the kind of descriptor says, not its history. */
	step("F_GETFL", "%#x", fcntl(w->fd, F_GETFL));
	step_ret("O_APPEND", fcntl(w->fd, F_SETFL, O_NONBLOCK | O_APPEND));
	step_ret("O_DIRECT", fcntl(w->fd, F_SETFL, O_NONBLOCK | O_DIRECT));
	step_ret("recv", recv(w->fd, buf, 8, 0));
	step_ret("F_GETLEASE", fcntl(w->fd, F_GETLEASE));
	step_ret("F_SETPIPE_SZ", fcntl(w->fd, F_SETPIPE_SZ, 4096));
	step_ret("F_SETLK", fcntl(w->fd, F_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET }));
}

/* ---- splice and sendfile -------------------------------------------------------------- */

static void splice_in(struct world *w)
{
	int pipes[2];

	MUST(pipe(pipes));
	MUST(write(pipes[1], "spliced data", 12));
	step_ret("splice", splice(pipes[0], NULL, w->fd, NULL, 7, SPLICE_F_NONBLOCK));
	step_ret("more", splice(pipes[0], NULL, w->fd, NULL, 3, SPLICE_F_NONBLOCK | SPLICE_F_MORE));
	step_ret("nothing", splice(pipes[0], NULL, w->fd, NULL, 0, SPLICE_F_NONBLOCK));
	step_ret("offset", splice(pipes[0], NULL, w->fd, &(off64_t){ 0 }, 1, SPLICE_F_NONBLOCK));
	step_ret("flags", splice(pipes[0], NULL, w->fd, NULL, 1, 0x80));
	step_ret("vmsplice", vmsplice(w->fd, &(struct iovec){ "x", 1 }, 1, 0));
	close(pipes[0]);
	close(pipes[1]);
}

static void splice_out(struct world *w)
{
	char buf[64];
	int pipes[2];

	MUST(pipe2(pipes, O_NONBLOCK));
	step_ret("splice", splice(w->fd, NULL, pipes[1], NULL, 4, SPLICE_F_NONBLOCK));
	step_ret("rest", splice(w->fd, NULL, pipes[1], NULL, 100, SPLICE_F_NONBLOCK));
	step_ret("again", splice(w->fd, NULL, pipes[1], NULL, 100, SPLICE_F_NONBLOCK));
	step_ret("without flag", splice(w->fd, NULL, pipes[1], NULL, 100, 0));
	step_ret("nothing", splice(w->fd, NULL, pipes[1], NULL, 0, SPLICE_F_NONBLOCK));
	step_ret("offset", splice(w->fd, &(off64_t){ 0 }, pipes[1], NULL, 4, SPLICE_F_NONBLOCK));
	step_ret("read", read(pipes[0], buf, sizeof(buf)));
	step_ret("tee", tee(w->fd, pipes[1], 4, SPLICE_F_NONBLOCK));
	close(pipes[0]);
	step_ret("no reader", splice(w->fd, NULL, pipes[1], NULL, 100, SPLICE_F_NONBLOCK));
	close(pipes[1]);
}

static void call_sendfile(struct world *w)
{
	off_t at = 2;
	int fd = MUST(memfd_create("file", MFD_CLOEXEC));

	MUST(write(fd, "0123456789", 10));
	step_ret("sendfile", sendfile(w->fd, fd, &at, 5));
	step("offset", "%ld", (long)at);
	step_ret("rest", sendfile(w->fd, fd, &at, 100));
	step_ret("behind the end", sendfile(w->fd, fd, &at, 100));
	step_ret("nothing", sendfile(w->fd, fd, &at, 0));
	at = -1;
	step_ret("negative", sendfile(w->fd, fd, &at, 1));
	step_ret("from the socket", sendfile(fd, w->fd, NULL, 1));
	step_ret("copy_file_range", copy_file_range(fd, NULL, w->fd, NULL, 1, 0));
	close(fd);
}

/* ---- what a descriptor has ------------------------------------------------------------ */

static void file_calls(struct world *w)
{
	struct stat s;
	char buf[16];

	step_ret("fstat", fstat(w->fd, &s));
	step("mode", "%o size %ld", s.st_mode, (long)s.st_size);
	step_ret("lseek", lseek(w->fd, 0, SEEK_CUR));
	step_ret("ftruncate", ftruncate(w->fd, 0));
	step_ret("fsync", fsync(w->fd));
	step_ret("fchmod", fchmod(w->fd, 0600));
	step_ret("fallocate", fallocate(w->fd, 0, 0, 1));
	step_ret("getdents", getdents64(w->fd, buf, sizeof(buf)));
	step("mmap", "%s", mmap(NULL, 4096, PROT_READ, MAP_SHARED, w->fd, 0) == MAP_FAILED ? errno_text(errno) : "mapped");
	step_ret("socketpair", socketpair(family, SOCK_STREAM, protocol, (int[2]){ -1, -1 }));
}

/* A child uses the descriptor, and its exit ends nothing. */
static void forked(struct world *w)
{
	int status = -1;
	char buf[16];
	pid_t pid = fork();

	if (pid == 0) {
		ssize_t n = recv(w->fd, buf, 2, MSG_DONTWAIT);
		int err = n < 0 ? errno : 0;

		n = send(w->fd, "child", 5, MSG_NOSIGNAL | MSG_DONTWAIT);
		_exit((err & 0x7f) ^ (n < 0 ? errno << 1 & 0x7f : 0));
	}
	waitpid(pid, &status, 0);
	step("child", "%#x", status);
	world_settle();
	step_ret("recv", recv(w->fd, buf, 2, 0));
	step_ret("send", send(w->fd, "parent", 6, MSG_NOSIGNAL));
}

static void duplicated(struct world *w)
{
	int copy = MUST(dup(w->fd));
	char buf[16];

	step_ret("recv", recv(copy, buf, 2, 0));
	step_ret("shutdown of the copy", shutdown(copy, SHUT_WR));
	step_ret("close of the copy", close(copy));
	world_settle();
	step("poll", "%s", poll_text(polled(w->fd)));
	step_ret("send", send(w->fd, "abc", 3, MSG_NOSIGNAL));
}

/* Options that a connection and a listener read back, without being asked about their ranges. */
static void identity(struct world *w)
{
	static const struct option asked[] = {
		{ "SO_TYPE", SOL_SOCKET, SO_TYPE, 0 }, { "SO_DOMAIN", SOL_SOCKET, SO_DOMAIN, 0 },
		{ "SO_ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN, 0 }, { "SO_ERROR", SOL_SOCKET, SO_ERROR, 0 },
		{ "SO_ERROR again", SOL_SOCKET, SO_ERROR, 0 }, { "SO_PROTOCOL", SOL_SOCKET, SO_PROTOCOL, 0 },
	};
	size_t i;

	for (i = 0; i < COUNT(asked); i++) {
		socklen_t len = sizeof(int);
		int value = -1;

		step_ret(asked[i].name, getsockopt(w->fd, asked[i].level, asked[i].number, &value, &len));
		step(asked[i].name, "%d", value);
	}
}

/* Of TCP_INFO what calls decide; times, windows and counts of segments are the network's. */
static void tcp_info(struct world *w)
{
	struct tcp_info ti = { 0 };
	socklen_t len = sizeof(ti);

	step_ret("TCP_INFO", getsockopt(w->fd, SOL_TCP, TCP_INFO, &ti, &len));
	step("state", "%d", ti.tcpi_state);
	step("ca_state", "%d", ti.tcpi_ca_state);
	step("options", "%#x", ti.tcpi_options);
	step("window scales", "%d %d", ti.tcpi_snd_wscale, ti.tcpi_rcv_wscale);
	step("segment sizes", "%u advertised %u path %u", ti.tcpi_snd_mss, ti.tcpi_advmss, ti.tcpi_pmtu);
	step("repaired", "lost %u retrans %u total %u sacked %u", ti.tcpi_lost, ti.tcpi_retrans, ti.tcpi_total_retrans,
	     ti.tcpi_sacked);
	step("windows", "cwnd %u ssthresh %u reordering %u", ti.tcpi_snd_cwnd, ti.tcpi_snd_ssthresh, ti.tcpi_reordering);
	step("bytes", "received %s acked %s", ti.tcpi_bytes_received > 1000 ? "many" : ti.tcpi_bytes_received ? "some" : "none",
	     ti.tcpi_bytes_acked > 1000 ? "many" : ti.tcpi_bytes_acked ? "some" : "none");
	step("rates", "pacing %s most %s", ti.tcpi_pacing_rate == ~0ULL ? "unlimited" : "limited",
	     ti.tcpi_max_pacing_rate == ~0ULL ? "unlimited" : "limited");
}

const struct call misc_calls[] = {
#define C(name) { #name, name }
	C(ioctl_queues), C(ioctl_queues_after_send), C(ioctl_unknown), C(ioctl_modes), C(async), C(async_connect),
	C(fcntl_flags), C(splice_in), C(splice_out), C(file_calls), C(forked), C(duplicated), C(identity), C(tcp_info),
	{ "sendfile", call_sendfile },
#undef C
};
const size_t misc_calls_count = COUNT(misc_calls);
