// SPDX-License-Identifier: GPL-2.0
/*
 * libatcp-preload.so: turns the TCP sockets that an unmodified program opens
 * into atcp sockets by wrapping socket(2), and nothing else. Every other call
 * goes to libc untouched, because an atcp socket answers the same calls with
 * the same constants. Programs that enter the kernel without libc (static
 * binaries, Go) are out of its reach.
 *
 * Environment: ATCP_STRICT=1 makes a missing module, or a parameter that is
 * refused, an error instead of a quiet return to the kernel's TCP or to the
 * namespace's value. ATCP_SET="NAME=VALUE NAME=VALUE..." are parameters that
 * every socket gets as if the program itself had set them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/atcp.h>

#define LONGEST_SETTING 200 /* far above any name and value */

typedef int (*socket_fn)(int domain, int type, int protocol);

/* Messages that are written once per process, not once per socket. */
enum message { MODULE_MISSING, PARAMETER_REFUSED, MESSAGES };

static _Atomic(socket_fn) next_socket;
static atomic_flag told[MESSAGES];

static socket_fn real_socket(void)
{
	socket_fn fn = atomic_load_explicit(&next_socket, memory_order_acquire);

	if (!fn) {
		/* Two threads may both look it up; they store the same value. */
		*(void **)&fn = dlsym(RTLD_NEXT, "socket");
		atomic_store_explicit(&next_socket, fn, memory_order_release);
	}
	return fn;
}

static int is_tcp(int domain, int type, int protocol)
{
	if (domain != AF_INET && domain != AF_INET6)
		return 0;
	if ((type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM)
		return 0;
	return protocol == 0 || protocol == IPPROTO_TCP;
}

/* stdio is not used: the program may have closed or replaced its streams. */
static void tell_once(enum message which, const char *text)
{
	if (!atomic_flag_test_and_set(&told[which]) &&
	    write(STDERR_FILENO, text, strlen(text)) < 0)
		return; /* no stderr: nobody to tell */
}

static int strict(void)
{
	const char *value = getenv("ATCP_STRICT");

	return value && strcmp(value, "1") == 0;
}

/* Every word of ATCP_SET onto a new socket. False: one was refused. */
static int set_parameters(int fd)
{
	const char *at = getenv("ATCP_SET");
	int all = 1;

	while (at && *at) {
		size_t len = strcspn(at, " ");
		char word[LONGEST_SETTING];

		if (len >= sizeof(word)) {
			all = 0;
		} else if (len) {
			memcpy(word, at, len);
			word[len] = 0;
			if (setsockopt(fd, SOL_ATCP, ATCP_SO_PARAM, word, len) < 0)
				all = 0;
		}
		at += len + strspn(at + len, " ");
	}
	return all;
}

/* A new atcp socket with its parameters; as socket(2). */
static int prepared(int fd)
{
	if (fd < 0 || set_parameters(fd))
		return fd;
	tell_once(PARAMETER_REFUSED, strict() ? "atcp: a parameter of ATCP_SET was refused and ATCP_STRICT=1\n" :
						"atcp: a parameter of ATCP_SET was refused; the namespace's value holds\n");
	if (!strict())
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

__attribute__((visibility("default")))
int socket(int domain, int type, int protocol)
{
	socket_fn next = real_socket();
	int fd;

	if (!next) {
		errno = ENOSYS;
		return -1;
	}
	if (!is_tcp(domain, type, protocol))
		return next(domain, type, protocol);

	fd = next(domain, type, IPPROTO_ATCP);
	if (fd >= 0 || errno != EPROTONOSUPPORT)
		return prepared(fd);

	if (strict()) {
		tell_once(MODULE_MISSING, "atcp: the atcp module is not loaded and ATCP_STRICT=1: refusing to use the kernel's TCP\n");
		errno = EPROTONOSUPPORT;
		return -1;
	}
	tell_once(MODULE_MISSING, "atcp: the atcp module is not loaded: using the kernel's TCP\n");
	return next(domain, type, protocol);
}
