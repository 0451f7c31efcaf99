// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the small services of the glue: errors become errno, counters add up over CPUs, memory is
 * accounted until RCU lets go of it, and a port is held against the kernel's TCP and by it.
 */
#include <kunit/test.h>
#include <linux/in.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <linux/tcp.h>

#include "glue.h"

static void every_error_has_an_errno(struct kunit *test)
{
	int err;

	KUNIT_EXPECT_EQ(test, 0, atcp_errno(ATCP_OK));
	for (err = ATCP_OK + 1; err <= ATCP_ERR_ABORTED; err++) {
		int value = atcp_errno(err);

		KUNIT_EXPECT_GT_MSG(test, value, 0, "error %d", err);
		KUNIT_EXPECT_LT_MSG(test, value, 4096, "error %d", err);
	}
}

static void counters_add_up(struct kunit *test)
{
	struct atcp_osns *osns = atcp_pernet(&init_net);
	u32 last = atcp_core_counter_count() - 1;
	u64 before = atcp_counter_read(osns, last);
	u64 reason = atcp_reason_read(osns, ATCP_REASON_CHECKSUM);

	atcp_os_count(osns, last, 7);
	atcp_os_reason(osns, ATCP_REASON_CHECKSUM);
	KUNIT_EXPECT_EQ(test, atcp_counter_read(osns, last), before + 7);
	KUNIT_EXPECT_EQ(test, atcp_reason_read(osns, ATCP_REASON_CHECKSUM), reason + 1);
}

struct rcu_thing {
	u64 payload[4];
	struct atcp_rcu rcu;
};

static void memory_is_accounted_until_readers_are_done(struct kunit *test)
{
	u64 before = atcp_mem_read(ATCP_MEM_REQUEST);
	struct rcu_thing *p = atcp_os_alloc(sizeof(*p), ATCP_MEM_REQUEST);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, p->payload[3], 0ULL);
	KUNIT_EXPECT_GE(test, atcp_mem_read(ATCP_MEM_REQUEST), before + sizeof(*p));
	atcp_os_free_rcu(p, &p->rcu, ATCP_MEM_REQUEST);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, atcp_mem_read(ATCP_MEM_REQUEST), before);
}

static struct socket *bound(struct kunit *test, int proto, __be16 *port, int *err)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = *port };
	struct socket *sock;

	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, PF_INET, SOCK_STREAM, proto, &sock));
	*err = kernel_bind(sock, (struct sockaddr *)&sin, sizeof(sin));
	*port = inet_sk(sock->sk)->inet_sport;
	return sock;
}

static void port_is_shared(struct kunit *test, int first, int second)
{
	struct socket *a, *b;
	__be16 port = 0;
	int err;

	a = bound(test, first, &port, &err);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_NE(test, (int)port, 0);
	b = bound(test, second, &port, &err);
	KUNIT_EXPECT_EQ(test, err, -EADDRINUSE);
	sock_release(b);
	sock_release(a);
}

static void kernel_tcp_holds_a_port_against_us(struct kunit *test)
{
	port_is_shared(test, IPPROTO_TCP, IPPROTO_ATCP);
}

static void we_hold_a_port_against_kernel_tcp(struct kunit *test)
{
	port_is_shared(test, IPPROTO_ATCP, IPPROTO_TCP);
}

/* close(2) answers what came while it had the lock: in its own context, where lockdep sees who forgets to be a reader of RCU. */
static void a_reset_leaves_from_a_programs_call(struct kunit *test)
{
	static const struct tcphdr reset = { .doff = sizeof(reset) / 4, .rst = 1 };
	struct atcp_tuple v4 = { .lport = 9, .rport = 10, .family = ATCP_AF_INET }, v6 = v4;
	struct atcp_tuple *tuples[] = { &v4, &v6 };
	int families[] = { PF_INET, PF_INET6 }, i;
	struct socket *sock;

	v4.laddr.v4 = v4.raddr.v4 = (__force u32)htonl(INADDR_LOOPBACK);
	v6.family = ATCP_AF_INET6;
	memcpy(v6.laddr.v6, &in6addr_loopback, sizeof(v6.laddr.v6));
	v6.raddr = v6.laddr;
	KUNIT_ASSERT_FALSE(test, rcu_read_lock_held());
	for (i = 0; i < ARRAY_SIZE(families); i++) {
		KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, families[i], SOCK_STREAM, IPPROTO_ATCP, &sock));
		KUNIT_EXPECT_EQ(test, 0U, atcp_os_emit(atcp_pernet(&init_net), &atcp_sk(sock->sk)->conn, tuples[i],
						       (const u8 *)&reset, sizeof(reset), NULL));
		sock_release(sock);
	}
}

static struct kunit_case glue_cases[] = {
	KUNIT_CASE(every_error_has_an_errno),
	KUNIT_CASE(counters_add_up),
	KUNIT_CASE(memory_is_accounted_until_readers_are_done),
	KUNIT_CASE(kernel_tcp_holds_a_port_against_us),
	KUNIT_CASE(we_hold_a_port_against_kernel_tcp),
	KUNIT_CASE(a_reset_leaves_from_a_programs_call),
	{}
};

static struct kunit_suite glue_suite = {
	.name = "atcp_glue",
	.test_cases = glue_cases,
};
kunit_test_suite(glue_suite);
