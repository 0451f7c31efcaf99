// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the core's deadlines in nanoseconds as the kernel's timers in jiffies: never early, lazy when they move away, balanced in
 * references. Nothing here waits for a timer to fire; what happens then is the scenarios' subject.
 */
#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/net.h>

#include "glue.h"

struct fixture {
	struct socket *sock;
	struct sock *sk;
	struct atcp_sock *asp;
};

static int timer_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	KUNIT_ASSERT_EQ(test, 0,
			sock_create_kern(&init_net, PF_INET, SOCK_STREAM, IPPROTO_ATCP, &f->sock));
	f->sk = f->sock->sk;
	f->asp = atcp_sk(f->sk);
	return 0;
}

static void timer_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f || !f->sk)
		return;
	KUNIT_EXPECT_EQ(test, refcount_read(&f->sk->sk_refcnt), 1);
	sock_release(f->sock);
}

/* A test's own frame: KUnit runs init and exit in other threads, which could not hold its lock. */
static struct fixture *begin(struct kunit *test)
{
	struct fixture *f = test->priv;

	lock_sock(f->sk);
	return f;
}

static void end(struct fixture *f)
{
	atcp_timer_stop(f->sk);
	release_sock(f->sk);
}

static u64 in_ms(u32 ms)
{
	return atcp_now() + (u64)ms * NSEC_PER_MSEC;
}

static void a_timer_is_never_early(struct kunit *test)
{
	static const u32 waits_ms[] = { 1, 3, 200, 1000, 120000 };
	struct fixture *f = begin(test);
	unsigned long before;
	int i;

	for (i = 0; i < ARRAY_SIZE(waits_ms); i++) {
		atcp_timer_stop(f->sk);
		before = jiffies;
		atcp_os_conn_timer(&f->asp->conn, in_ms(waits_ms[i]));
		KUNIT_EXPECT_TRUE_MSG(test,
				      time_after_eq(f->asp->timer.expires,
						    before + msecs_to_jiffies(waits_ms[i])),
				      "%u ms: %lu jiffies", waits_ms[i], f->asp->timer.expires - before);
	}
	end(f);
}

static void a_deadline_in_the_past_is_due_now(struct kunit *test)
{
	struct fixture *f = begin(test);
	unsigned long before = jiffies;

	atcp_os_conn_timer(&f->asp->conn, 1);
	KUNIT_EXPECT_TRUE(test, time_before_eq(before, f->asp->timer.expires));
	KUNIT_EXPECT_TRUE(test, time_before_eq(f->asp->timer.expires, jiffies));
	end(f);
}

static void a_deadline_beyond_jiffies_stays_in_the_future(struct kunit *test)
{
	struct fixture *f = begin(test);

	atcp_os_conn_timer(&f->asp->conn, U64_MAX);
	KUNIT_EXPECT_TRUE(test, time_after(f->asp->timer.expires, jiffies + HZ));
	end(f);
}

static void moving_away_leaves_the_timer_and_moving_near_does_not(struct kunit *test)
{
	struct fixture *f = begin(test);
	unsigned long armed;

	atcp_os_conn_timer(&f->asp->conn, in_ms(60000));
	armed = f->asp->timer.expires;
	atcp_os_conn_timer(&f->asp->conn, in_ms(90000));
	KUNIT_EXPECT_EQ(test, f->asp->timer.expires, armed);
	atcp_os_conn_timer(&f->asp->conn, in_ms(30000));
	KUNIT_EXPECT_TRUE(test, time_before(f->asp->timer.expires, armed));
	atcp_os_conn_timer(&f->asp->conn, 0);
	KUNIT_EXPECT_EQ(test, f->asp->deadline_ns, 0ULL);
	end(f);
}

static void a_pending_timer_holds_one_reference(struct kunit *test)
{
	struct fixture *f = begin(test);

	atcp_os_conn_timer(&f->asp->conn, in_ms(60000));
	KUNIT_EXPECT_EQ(test, refcount_read(&f->sk->sk_refcnt), 2);
	atcp_os_conn_timer(&f->asp->conn, in_ms(30000));
	KUNIT_EXPECT_EQ(test, refcount_read(&f->sk->sk_refcnt), 2);
	atcp_timer_stop(f->sk);
	KUNIT_EXPECT_EQ(test, refcount_read(&f->sk->sk_refcnt), 1);
	KUNIT_EXPECT_FALSE(test, timer_pending(&f->asp->timer));
	end(f);
}

static struct kunit_case timer_cases[] = {
	KUNIT_CASE(a_timer_is_never_early),
	KUNIT_CASE(a_deadline_in_the_past_is_due_now),
	KUNIT_CASE(a_deadline_beyond_jiffies_stays_in_the_future),
	KUNIT_CASE(moving_away_leaves_the_timer_and_moving_near_does_not),
	KUNIT_CASE(a_pending_timer_holds_one_reference),
	{}
};

static struct kunit_suite timer_suite = {
	.name = "atcp_timer",
	.init = timer_init,
	.exit = timer_exit,
	.test_cases = timer_cases,
};
kunit_test_suite(timer_suite);
