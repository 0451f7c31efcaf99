// SPDX-License-Identifier: GPL-2.0
/*
 * Which protocol the kernel gives to sockets of many kinds, asked by a program that no preload library can reach: it is linked
 * statically. Knows nothing of cgroups; scenarios run it inside and outside of them.
 *
 *   protocols               a line "NAME PROTOCOL" for each kind, or "NAME -errno" where there is no such socket
 *   protocols PORT BYTES    connects to 127.0.0.1:PORT, writes so many, ends its side, wants them back; prints the protocol
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct kind {
	const char *name;
	int family, type, protocol;
} kinds[] = {
	{ "inet_stream", AF_INET, SOCK_STREAM, 0 },
	{ "inet_stream_tcp", AF_INET, SOCK_STREAM, IPPROTO_TCP },
	{ "inet_stream_flags", AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0 },
	{ "inet6_stream", AF_INET6, SOCK_STREAM, 0 },
	{ "inet6_stream_tcp", AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP },
	{ "inet_atcp", AF_INET, SOCK_STREAM, 253 },
	{ "inet_mptcp", AF_INET, SOCK_STREAM, 262 },
	{ "inet_udp", AF_INET, SOCK_DGRAM, 0 },
	{ "inet6_udp", AF_INET6, SOCK_DGRAM, IPPROTO_UDP },
	{ "inet_seqpacket", AF_INET, SOCK_SEQPACKET, 0 },
	{ "inet_raw", AF_INET, SOCK_RAW, IPPROTO_ICMP },
	{ "inet_raw_tcp", AF_INET, SOCK_RAW, IPPROTO_TCP },
	{ "unix_stream", AF_UNIX, SOCK_STREAM, 0 },
	{ "unix_seqpacket", AF_UNIX, SOCK_SEQPACKET, 0 },
	{ "netlink", AF_NETLINK, SOCK_RAW, 0 },
};

static int protocol_of(int fd)
{
	int protocol = -1;
	socklen_t len = sizeof(protocol);

	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len))
		return -errno;
	return protocol;
}

static unsigned char byte_at(size_t i)
{
	return i * 7 + i / 4096;
}

static int there_and_back(int port, size_t bytes)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	unsigned char *data = malloc(bytes);
	size_t done = 0, i;

	if (fd < 0 || !data || connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		perror("connect");
		return 1;
	}
	for (i = 0; i < bytes; i++)
		data[i] = byte_at(i);
	while (done < bytes) {
		ssize_t n = write(fd, data + done, bytes - done);

		if (n <= 0) {
			perror("write");
			return 1;
		}
		done += n;
	}
	shutdown(fd, SHUT_WR);
	memset(data, 0, bytes);
	for (done = 0; done < bytes;) {
		ssize_t n = read(fd, data + done, bytes - done);

		if (n <= 0) {
			fprintf(stderr, "read: %s after %zu bytes\n", n ? strerror(errno) : "end", done);
			return 1;
		}
		done += n;
	}
	for (i = 0; i < bytes; i++)
		if (data[i] != byte_at(i)) {
			fprintf(stderr, "byte %zu differs\n", i);
			return 1;
		}
	printf("%d\n", protocol_of(fd));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return there_and_back(atoi(argv[1]), strtoul(argv[2], NULL, 0));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int fd = socket(kinds[i].family, kinds[i].type, kinds[i].protocol);

		printf("%s %d\n", kinds[i].name, fd < 0 ? -errno : protocol_of(fd));
		if (fd >= 0)
			close(fd);
	}
	return 0;
}
