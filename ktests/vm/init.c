// SPDX-License-Identifier: GPL-2.0
/*
 * Process 1 of the test guest. Turns the host's root (9p, read-only) plus a tmpfs into the guest's root, loads atcp, runs one command with
 * its output relayed to the host, then proves that the guest is clean: every process killed, the module unloaded, no leak seen by
 * kmemleak. Talks to the host through virtio ports only: 1 standard output (both ways for a shell), 2 standard error, 3 control
 * lines, 4 the kernel log. Judging that log is the host's work (ktests/vm/run), and so is ending the machine.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { PORT_OUT = 1, PORT_ERR, PORT_CTL, PORT_LOG, PORTS };

enum {
	MAX_ARGS = 1024,
	UNLOAD_WAIT_MS = 120000,	/* an orphan whose peer is gone gives up after 102 s, as on Linux */
	LEAK_AGE_S = 6,		/* kmemleak reports nothing younger than 5 s */
};

static int port[PORTS] = { -1, -1, -1, -1, -1 };
static int kmsg_fd = -1, sigchld_fd = -1;
static char *config, *config_end;

static void write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		data += n;
		len -= n;
	}
}

static void __attribute__((format(printf, 1, 2))) tell(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	write_all(port[PORT_CTL] >= 0 ? port[PORT_CTL] : 2, line, n);
}

/* The host ends the machine when it reads "done"; nothing is left to do here but to wait for that. */
static void __attribute__((noreturn)) finish(void)
{
	tell("done");
	if (port[PORT_CTL] < 0)
		reboot(RB_AUTOBOOT);	/* nobody can read that "done" */
	for (;;)
		pause();
}

static void __attribute__((noreturn)) die(const char *what)
{
	tell("fault %s: %s", what, strerror(errno));
	finish();
}

/* The configuration is a sequence of NUL-terminated KEY=VALUE strings; this walks the values of one key. */
static char *next_value(const char *key, char *after)
{
	size_t len = strlen(key);
	char *p = after ? after + strlen(after) + 1 : config;

	for (; p < config_end; p += strlen(p) + 1)
		if (!strncmp(p, key, len) && p[len] == '=')
			return p + len + 1;
	return NULL;
}

static char *value(const char *key)
{
	return next_value(key, NULL);
}

static char *slurp(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY);
	size_t have = 0, room = 1 << 16;
	char *data = malloc(room + 1);
	ssize_t n;

	if (fd < 0 || !data)
		return NULL;
	while ((n = read(fd, data + have, room - have)) > 0) {
		have += n;
		if (have == room)
			data = realloc(data, (room *= 2) + 1);
	}
	close(fd);
	data[have] = 0;
	if (len)
		*len = have;
	return data;
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

static void make_dirs(const char *path)
{
	char buf[4096];

	snprintf(buf, sizeof(buf), "%s", path);
	for (char *p = buf + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = 0;
		mkdir(buf, 0755);
	}
	mkdir(buf, 0755);
}

static void copy(const char *from, const char *to)
{
	char dir[4096];
	struct stat st;
	size_t len;
	char *data = slurp(from, &len), *slash;
	int fd;

	snprintf(dir, sizeof(dir), "%s", to);
	slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = 0;
		make_dirs(dir);
	}
	if (!data || stat(from, &st) || (fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755)) < 0)
		die(to);
	fchmod(fd, st.st_mode & 07777);
	write_all(fd, data, len);
	close(fd);
	free(data);
}

/* Files below /m are named so that their sorted order is the order in which they load. */
static void load_boot_modules(void)
{
	struct dirent **list;
	int n = scandir("/m", &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char path[300];
		int fd;

		if (list[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/m/%s", list[i]->d_name);
		fd = open(path, O_RDONLY);
		if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
			die(path);
		close(fd);
	}
}

/* A node is called vport<index of the virtio device>p<number of the port>, and appears when the host has announced the port. */
static void open_ports(void)
{
	glob_t g = { 0 };

	for (int i = 1; i < PORTS; i++) {
		char pattern[32];

		snprintf(pattern, sizeof(pattern), "/dev/vport*p%d", i);
		for (int tries = 0; glob(pattern, 0, NULL, &g) && tries < 1000; tries++)
			usleep(10000);
		port[i] = g.gl_pathc ? open(g.gl_pathv[0], O_RDWR | O_CLOEXEC) : -1;
		if (port[i] < 0)
			die(pattern);
		globfree(&g);
	}
}

static void must_mount(const char *dev, const char *dir, const char *type, unsigned long flags, const char *opts)
{
	make_dirs(dir);
	if (mount(dev, dir, type, flags, opts))
		die(dir);
}

static void enter_root(void)
{
	must_mount("root", "/ro", "9p", MS_RDONLY, "trans=virtio,version=9p2000.L,msize=524288,cache=loose");
	must_mount("tmpfs", "/rw", "tmpfs", 0, "size=75%,mode=755");
	mkdir("/rw/up", 0755);
	mkdir("/rw/work", 0755);
	must_mount("overlay", "/new", "overlay", 0, "lowerdir=/ro,upperdir=/rw/up,workdir=/rw/work");
	for (char *add = NULL, *eq; (add = next_value("add", add));) {
		char to[4096];

		eq = strchr(add, '=');		/* add=/add/N=GUESTPATH */
		*eq = 0;
		snprintf(to, sizeof(to), "/new%s", eq + 1);
		copy(add, to);
		*eq = '=';
	}
	if (mount("/dev", "/new/dev", NULL, MS_MOVE, NULL) || mount("/proc", "/new/proc", NULL, MS_MOVE, NULL) ||
	    mount("/sys", "/new/sys", NULL, MS_MOVE, NULL) || chdir("/new") || mount(".", "/", NULL, MS_MOVE, NULL) ||
	    chroot(".") || chdir("/"))
		die("switching to the new root");

	must_mount("devpts", "/dev/pts", "devpts", 0, "mode=620,ptmxmode=666");
	must_mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777");
	must_mount("tmpfs", "/run", "tmpfs", 0, "mode=755");
	must_mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL);
	chmod("/tmp", 01777);
	if (value("moddir"))
		must_mount(value("moddir"), "/lib/modules", NULL, MS_BIND, NULL);

	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
	unlink("/dev/ptmx");
	symlink("pts/ptmx", "/dev/ptmx");
	mkdir("/dev/net", 0755);
	mknod("/dev/net/tun", S_IFCHR | 0666, makedev(10, 200));
	make_dirs("/run/lock");
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &ifr))
		die("lo");
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		die("lo");
	close(fd);
}

/* One read of /dev/kmsg is one record, "priority,sequence,microseconds,flags;text" and then lines that only journals want. */
static void relay_kernel_log(void)
{
	char record[8192];
	ssize_t n;

	for (;;) {
		n = read(kmsg_fd, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)	/* overrun: records were lost, the next read goes on */
			continue;
		if (n <= 0)
			return;
		record[n] = 0;
		write_all(port[PORT_LOG], record, strchrnul(record, '\n') - record);
		write_all(port[PORT_LOG], "\n", 1);
	}
}

/* Copies what is there now. Returns 0 when the other end has closed. */
static int relay(int from, int to)
{
	char data[65536];
	ssize_t n = read(from, data, sizeof(data));

	if (n > 0)
		write_all(to, data, n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void child(char **argv, int in, int out, int err, int tty)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (tty)
		ioctl(in, TIOCSCTTY, 0);
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	if (value("cwd") && chdir(value("cwd")))
		fprintf(stderr, "vm: no folder %s in the guest\n", value("cwd"));
	execvp(argv[0], argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Runs argv to its end, relaying output and kernel log meanwhile; the shell's convention for the result (128 + signal). */
static int run(char **argv, int tty)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, in, status = -1, ended = 0;
	pid_t pid;

	if (tty) {
		int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
		struct winsize ws = { .ws_row = atoi(value("rows")), .ws_col = atoi(value("cols")) };

		grantpt(master);
		unlockpt(master);
		ioctl(master, TIOCSWINSZ, &ws);
		out[0] = master;
		in = out[1] = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	} else {
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
			die("pipe");
		fcntl(err[0], F_SETFL, O_NONBLOCK);
	}
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		child(argv, in, out[1], tty ? out[1] : err[1], tty);
	if (in != out[1])
		close(in);
	close(out[1]);
	close(err[1]);

	while (!ended) {
		struct pollfd p[] = {
			{ out[0], POLLIN, 0 }, { err[0], POLLIN, 0 }, { kmsg_fd, POLLIN, 0 }, { sigchld_fd, POLLIN, 0 },
			{ tty ? port[PORT_OUT] : -1, POLLIN, 0 },
		};
		struct signalfd_siginfo si;
		int s;
		pid_t who;

		poll(p, 5, -1);
		if (p[2].revents)
			relay_kernel_log();
		if (p[0].revents && !relay(out[0], port[PORT_OUT]) && !tty) {
			close(out[0]);
			out[0] = -1;
		}
		if (p[1].revents && !relay(err[0], port[PORT_ERR])) {
			close(err[0]);
			err[0] = -1;
		}
		if (p[4].revents & POLLIN)
			relay(port[PORT_OUT], out[0]);
		if (p[3].revents) {
			read(sigchld_fd, &si, sizeof(si));
			while ((who = waitpid(-1, &s, WNOHANG)) > 0)
				if (who == pid) {
					status = WIFEXITED(s) ? WEXITSTATUS(s) : 128 + WTERMSIG(s);
					ended = 1;
				}
		}
	}
	/* What is in the pipes now belongs to the command; a process left behind may hold them open for ever. */
	for (struct pollfd p = { out[0], POLLIN, 0 }; poll(&p, 1, 0) > 0 && (p.revents & POLLIN);)
		relay(out[0], port[PORT_OUT]);
	for (struct pollfd p = { err[0], POLLIN, 0 }; poll(&p, 1, 0) > 0 && (p.revents & POLLIN);)
		relay(err[0], port[PORT_ERR]);
	close(out[0]);
	close(err[0]);
	return status;
}

static void collect(const char *key, char **argv, int at)
{
	for (char *v = NULL; (v = next_value(key, v)) && at < MAX_ARGS - 1;)
		argv[at++] = v;
	argv[at] = NULL;
}

static void kill_everything(void)
{
	kill(-1, SIGKILL);
	for (int ms = 0; ms < 10000; ms += 10) {
		pid_t who = waitpid(-1, NULL, WNOHANG);

		if (who < 0)
			return;
		if (!who)
			usleep(10000);
	}
	tell("fault a process survived SIGKILL for 10 s");
}

static int is_loaded(void)
{
	char *list = slurp("/proc/modules", NULL);
	int yes = list && (!strncmp(list, "atcp ", 5) || strstr(list, "\natcp "));

	free(list);
	return yes;
}

static void unload(void)
{
	int ms = 0;

	if (!is_loaded())
		return;
	while (syscall(SYS_delete_module, "atcp", O_NONBLOCK)) {
		if ((errno != EAGAIN && errno != EBUSY) || ms >= UNLOAD_WAIT_MS) {
			char *count = slurp("/sys/module/atcp/refcnt", NULL);

			tell("fault rmmod atcp, %d ms after the last process ended: %s, references: %.20s", ms,
			     strerror(errno), count ? strtok(count, "\n") : "?");
			return;
		}
		usleep(100000);
		ms += 100;
		relay_kernel_log();
	}
}

static void scan_for_leaks(void)
{
	char *report;

	sleep(LEAK_AGE_S);
	/* An object counts as leaked only if two scans in a row find the same content and no pointer to it. */
	if (put("/sys/kernel/debug/kmemleak", "scan") || put("/sys/kernel/debug/kmemleak", "scan"))
		die("kmemleak");
	report = slurp("/sys/kernel/debug/kmemleak", NULL);
	if (report && *report)
		for (char *line = strtok(report, "\n"); line; line = strtok(NULL, "\n"))
			tell("fault %s", line);
}

int main(void)
{
	char *argv[MAX_ARGS] = { "/sbin/modprobe", "atcp" };
	sigset_t chld;
	size_t len;
	int leaks, status;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, "mode=755");
	load_boot_modules();
	open_ports();
	config = slurp("/config", &len);
	if (!config)
		die("/config");
	config_end = config + len;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	sigchld_fd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	kmsg_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	enter_root();
	sethostname("atcp-vm", 7);
	loopback_up();
	leaks = value("leakscan") && !put("/sys/kernel/debug/kmemleak", "scan=off");
	clearenv();
	for (char *e = NULL; (e = next_value("env", e));)
		putenv(e);
	tell("up");

	if (leaks)
		put("/sys/kernel/debug/kmemleak", "clear");
	if (value("load")) {
		collect("modparam", argv, 2);
		status = run(argv, 0);
		if (status) {
			relay_kernel_log();
			tell("fault modprobe atcp ended with status %d", status);
			finish();
		}
	}
	collect("arg", argv, 0);
	status = run(argv, value("rows") != NULL);
	tell("exit %d", status);
	kill_everything();
	unload();
	if (leaks)
		scan_for_leaks();
	relay_kernel_log();
	finish();
}
