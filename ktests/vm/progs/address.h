/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An address of either family, which is how it is written: 10.1.0.1 or fd00::a01:1. The port stands at the same place in both.
 */
#ifndef ATCP_TEST_ADDRESS_H
#define ATCP_TEST_ADDRESS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static inline socklen_t address_len(const union address *a)
{
	return a->any.sa_family == AF_INET6 ? sizeof(a->six) : sizeof(a->four);
}

/* Returns 0, or -1 if the text is no address. */
static inline int parse_address(const char *text, int port, union address *out)
{
	memset(out, 0, sizeof(*out));
	out->any.sa_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	out->four.sin_port = htons(port);
	return inet_pton(out->any.sa_family, text, strchr(text, ':') ? (void *)&out->six.sin6_addr : &out->four.sin_addr) == 1 ? 0 : -1;
}

#endif
