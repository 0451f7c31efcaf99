// SPDX-License-Identifier: GPL-2.0
/*
 * libatcp-preload.so: turns the TCP sockets that an unmodified program opens
 * into atcp sockets by wrapping socket(2), and nothing else. Every other call
 * goes to libc untouched, because an atcp socket answers the same calls with
 * the same constants. Programs that enter the kernel without libc (static
 * binaries, Go) are out of its reach.
 *
 * Environment: ATCP_STRICT=1 makes a missing module an error instead of a
 * quiet return to the kernel's TCP.
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

#define PROTO_ATCP 253

typedef int (*socket_fn)(int domain, int type, int protocol);

static _Atomic(socket_fn) next_socket;
static atomic_flag told = ATOMIC_FLAG_INIT;

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
	if (domain != AF_INET)
		return 0;
	if ((type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM)
		return 0;
	return protocol == 0 || protocol == IPPROTO_TCP;
}

/* stdio is not used: the program may have closed or replaced its streams. */
static void tell_once(const char *text)
{
	if (!atomic_flag_test_and_set(&told) &&
	    write(STDERR_FILENO, text, strlen(text)) < 0)
		return; /* no stderr: nobody to tell */
}

static int strict(void)
{
	const char *value = getenv("ATCP_STRICT");

	return value && strcmp(value, "1") == 0;
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

	fd = next(domain, type, PROTO_ATCP);
	if (fd >= 0 || errno != EPROTONOSUPPORT)
		return fd;

	if (strict()) {
		tell_once("atcp: the atcp module is not loaded and ATCP_STRICT=1: refusing to use the kernel's TCP\n");
		errno = EPROTONOSUPPORT;
		return -1;
	}
	tell_once("atcp: the atcp module is not loaded: using the kernel's TCP\n");
	return next(domain, type, protocol);
}
