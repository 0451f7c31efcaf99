// SPDX-License-Identifier: GPL-2.0
/*
 * Timer trampolines: one timer per socket and one per namespace, from the core's nanoseconds to the
 * kernel's jiffies and back; and the namespace's work in process context. What a deadline means is the core's affair.
 *
 * A socket's timer is lazy: moving the deadline later, or away, does not touch a pending timer; it
 * fires for the old time, sees the new one and re-arms. So an ACK that moves the retransmission
 * deadline costs a store.
 *
 * A jiffy is too long for pacing. A socket that paces has a high-resolution timer beside the other one, for deadlines
 * less than a jiffy away; whichever fires looks at the same deadline.
 */
#include <linux/hrtimer.h>
#include <linux/slab.h>

#include "glue.h"

/* First jiffy at or after a deadline. */
static unsigned long atcp_deadline_jiffies(u64 deadline_ns, u64 now_ns)
{
	u64 delta = 0;

	if (deadline_ns > now_ns)
		delta = nsecs_to_jiffies64(deadline_ns - now_ns) + 1;
	return jiffies + min_t(u64, delta, MAX_JIFFY_OFFSET);
}

/*
 * A pending timer holds a reference. sk_reset_timer() takes it only after the timer was started, and one for this very
 * jiffy may fire in between and give back what it never had. Lock: socket.
 */
static void atcp_timer_arm(struct sock *sk, unsigned long when)
{
	sock_hold(sk);
	if (mod_timer(&atcp_sk(sk)->timer, when))
		__sock_put(sk); /* it was pending and had one */
}

/*
 * The exact timer of a socket. It holds no reference: its handler takes one if the socket still has any, and the socket's
 * memory does not go before the handler is over.
 */
struct atcp_pacer {
	struct hrtimer timer;
	struct sock *sk;
};

/* True if the exact timer will do. Lock: socket. */
static bool atcp_pacer_arm(struct sock *sk, u64 deadline_ns, u64 now_ns)
{
	struct atcp_pacer *p = atcp_sk(sk)->pacer;

	if (!p || deadline_ns >= now_ns + TICK_NSEC)
		return false;
	/* Lazy as well. Should its handler start at this moment, it will see the deadline. */
	if (hrtimer_is_queued(&p->timer) &&
	    ktime_to_ns(hrtimer_get_softexpires(&p->timer)) <= (s64)deadline_ns)
		return true;
	hrtimer_start(&p->timer, ns_to_ktime(deadline_ns), HRTIMER_MODE_ABS_PINNED_SOFT);
	return true;
}

/* Lock: socket, not owned by a program. */
static void atcp_timer_run(struct sock *sk)
{
	struct atcp_sock *asp = atcp_sk(sk);
	u64 deadline = asp->deadline_ns;
	u64 now = atcp_now();

	if (!deadline)
		return;
	if (now < deadline) {
		if (!atcp_pacer_arm(sk, deadline, now))
			atcp_timer_arm(sk, atcp_deadline_jiffies(deadline, now));
		return;
	}
	asp->deadline_ns = 0;
	atcp_core_conn_timer(&asp->conn, now);
}

/* Gives a reference back. Context: softirq. */
static void atcp_timer_due(struct sock *sk)
{
	struct atcp_sock *asp = atcp_sk(sk);

	bh_lock_sock(sk);
	if (sock_owned_by_user(sk)) {
		/* The owner holds a reference and calls release_cb before it lets go. */
		set_bit(ATCP_DEFER_TIMER, &asp->deferred);
	} else {
		atcp_timer_run(sk);
		atcp_mem_account(sk);
		atcp_sock_settle(sk);
	}
	bh_unlock_sock(sk);
	sock_put(sk);
}

static void atcp_timer_fire(struct timer_list *t)
{
	atcp_timer_due(&container_of(t, struct atcp_sock, timer)->inet.sk);
}

static enum hrtimer_restart atcp_pacer_fire(struct hrtimer *t)
{
	struct sock *sk = container_of(t, struct atcp_pacer, timer)->sk;

	if (refcount_inc_not_zero(&sk->sk_refcnt))
		atcp_timer_due(sk);
	return HRTIMER_NORESTART;
}

/* Lock: socket. */
static void atcp_pacer_get(struct sock *sk)
{
	struct atcp_pacer *p;

	if (atcp_sk(sk)->pacer)
		return;
	/* Without memory pacing is coarser. */
	p = kmalloc(sizeof(*p), GFP_ATOMIC | __GFP_NOWARN);
	if (!p)
		return;
	p->sk = sk;
	hrtimer_init(&p->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_SOFT);
	p->timer.function = atcp_pacer_fire;
	atcp_sk(sk)->pacer = p;
}

/* From release_cb. Lock: socket. */
void atcp_timer_deferred(struct sock *sk)
{
	atcp_timer_run(sk);
}

void atcp_timer_init(struct sock *sk)
{
	atcp_sk(sk)->deadline_ns = 0;
	atcp_sk(sk)->pacer = NULL;
	timer_setup(&atcp_sk(sk)->timer, atcp_timer_fire, 0);
}

/* Really stop it and give its reference back. Lock: socket. */
void atcp_timer_stop(struct sock *sk)
{
	struct atcp_pacer *p = atcp_sk(sk)->pacer;

	/* A handler that runs waits for the lock and finds no deadline. */
	if (p)
		hrtimer_try_to_cancel(&p->timer);
	atcp_sk(sk)->deadline_ns = 0;
	clear_bit(ATCP_DEFER_TIMER, &atcp_sk(sk)->deferred);
	sk_stop_timer(sk, &atcp_sk(sk)->timer);
}

/* The last reference is gone, and a grace period after that: nobody arms it any more. Context: softirq, but not the timer's. */
void atcp_timer_free(struct sock *sk)
{
	struct atcp_pacer *p = atcp_sk(sk)->pacer;

	if (p)
		hrtimer_cancel(&p->timer);
	kfree(p);
	atcp_sk(sk)->pacer = NULL;
}

/* sk_pacing_status says who paces: the queue fq says so of itself, setsockopt says that it is wanted. */
void atcp_os_pacing(struct atcp_conn *c, uint64_t rate, bool own, struct atcp_pacing *out)
{
	struct sock *sk = atcp_sk_of_conn(c);
	u32 status = smp_load_acquire(&sk->sk_pacing_status);

	out->rate = min_t(u64, rate, READ_ONCE(sk->sk_max_pacing_rate));
	WRITE_ONCE(sk->sk_pacing_rate, out->rate);
	if (own && status == SK_PACING_NONE)
		status = cmpxchg(&sk->sk_pacing_status, SK_PACING_NONE, SK_PACING_NEEDED);
	out->wanted = status == SK_PACING_NEEDED;
	out->kept = status == SK_PACING_FQ;
	if (!out->kept && (own || out->wanted))
		atcp_pacer_get(sk);
}

void atcp_os_conn_timer(struct atcp_conn *c, uint64_t deadline_ns)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct atcp_sock *asp = atcp_sk(sk);
	unsigned long when;
	u64 now;

	asp->deadline_ns = deadline_ns;
	if (!deadline_ns)
		return;
	now = atcp_now();
	if (atcp_pacer_arm(sk, deadline_ns, now))
		return;
	when = atcp_deadline_jiffies(deadline_ns, now);
	if (timer_pending(&asp->timer) && time_before_eq(asp->timer.expires, when))
		return;
	atcp_timer_arm(sk, when);
}

/* ---- the namespace's timer ----------------------------------------------------------- */

/* Up to here the kernel's timers are late by at most 8 jiffies. */
#define ATCP_NEAR_JIFFIES 500

static void atcp_ns_timer_fire(struct timer_list *t)
{
	struct atcp_osns *osns = container_of(t, struct atcp_osns, timer);

	atcp_core_ns_timer(osns->core, atcp_now());
}

/*
 * The kernel's timers are late by up to an eighth of their time, in steps, which would add to the core's
 * own rounding. So a far deadline is approached: the core, woken early, finds nothing due and asks again.
 */
void atcp_os_ns_timer(struct atcp_osns *ns, uint64_t deadline_ns)
{
	unsigned long now = jiffies, delta;

	if (READ_ONCE(ns->dying))
		return;
	if (!deadline_ns) {
		del_timer(&ns->timer);
		return;
	}
	delta = atcp_deadline_jiffies(deadline_ns, atcp_now()) - now;
	if (delta > ATCP_NEAR_JIFFIES)
		delta -= delta / 8;
	mod_timer(&ns->timer, now + delta);
}

/* Long, but in no hurry: not on the queue where short work waits behind it. */
void atcp_os_ns_work(struct atcp_osns *ns)
{
	if (!READ_ONCE(ns->dying))
		queue_work(system_unbound_wq, &ns->core_work);
}

static void atcp_ns_work(struct work_struct *w)
{
	atcp_core_ns_work(container_of(w, struct atcp_osns, core_work)->core);
}

void atcp_ns_timer_init(struct atcp_osns *osns)
{
	INIT_WORK(&osns->core_work, atcp_ns_work);
	timer_setup(&osns->timer, atcp_ns_timer_fire, 0);
}

/* No packet and no socket is left that could arm it; the handler itself looks at dying. */
void atcp_ns_timer_stop(struct atcp_osns *osns)
{
	WRITE_ONCE(osns->dying, true);
	del_timer_sync(&osns->timer);
	/* Nobody is left who could ask for work. */
	cancel_work_sync(&osns->core_work);
}
