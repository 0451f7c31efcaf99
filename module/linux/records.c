// SPDX-License-Identifier: GPL-2.0
/*
 * Closing records: what became of the last connections that ended in a namespace. Each is a piece of memory of its own,
 * taken when the connection ends and given back when closing_records newer ones have come (or fewer, if the parameter fell
 * meanwhile). Without memory there is no record. Writers take the lock of the array, from softirq; readers use RCU.
 */
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "glue.h"
#include "nl.h"

enum { ATCP_TRIM_MOST = 64 };

/* Of namespaces that are not the host's. */
static atomic_t atcp_records_all = ATOMIC_INIT(0);

/* Whoever set closing_records here is root of the host, not of some user namespace. */
static bool atcp_records_of_host(const struct atcp_osns *osns)
{
	return osns->net->user_ns == &init_user_ns;
}

/* A record more, or one less. */
static void atcp_records_add(const struct atcp_osns *osns, int n)
{
	if (!atcp_records_of_host(osns))
		atomic_add(n, &atcp_records_all);
}

void atcp_records_init(struct atcp_osns *osns)
{
	/* What the slab of the next size would waste is as much again. */
	BUILD_BUG_ON(sizeof(struct atcp_closed) > 512);
	xa_init_flags(&osns->records.all, XA_FLAGS_LOCK_BH);
}

void atcp_records_free(struct atcp_osns *osns)
{
	struct atcp_closed *old;
	unsigned long i;

	xa_for_each(&osns->records.all, i, old) {
		atcp_records_add(osns, -1);
		kfree(old);
	}
	xa_destroy(&osns->records.all);
}

/* How many a namespace may keep. */
static u32 atcp_records_limit(struct atcp_osns *osns)
{
	u32 keep = atcp_core_closing_records(osns->core);

	if (atcp_records_of_host(osns) || atomic_read(&atcp_records_all) < ATCP_RECORDS_HOST)
		return keep;
	return min_t(u32, keep, ATCP_RECORDS_SHARE);
}

/* Not all at once if there are many too many; true: some are left. Lock: of the array. */
static bool atcp_records_trim(struct atcp_osns *osns, u32 keep)
{
	struct atcp_records *r = &osns->records;
	int n;

	for (n = 0; n < ATCP_TRIM_MOST && r->next - r->first > keep; n++) {
		struct atcp_closed *old = __xa_erase(&r->all, r->first);

		WRITE_ONCE(r->first, r->first + 1);
		if (old) {
			atcp_records_add(osns, -1);
			atcp_kvfree_rcu(old, &old->rcu);
		}
	}
	return r->next - r->first > keep;
}

void atcp_records_shrink(struct atcp_osns *osns)
{
	u32 keep = atcp_records_limit(osns);
	bool more = true;

	while (more) {
		xa_lock_bh(&osns->records.all);
		more = atcp_records_trim(osns, keep);
		xa_unlock_bh(&osns->records.all);
		cond_resched();
	}
}

void atcp_os_record(struct atcp_conn *c, const struct atcp_record *record)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct atcp_osns *osns = atcp_sk_osns(sk);
	struct atcp_records *r = &osns->records;
	u32 keep = atcp_records_limit(osns);
	struct atcp_closed *new = NULL;
	bool wanted = atcp_os_event_wanted();

	if (!keep && !wanted && !atcp_records_count(osns))
		return;
	if (keep || wanted)
		new = kmalloc(sizeof(*new), GFP_ATOMIC | __GFP_NOWARN);
	if (new) {
		new->record = *record;
		new->cookie = atcp_nl_cookie(sk);
		new->uid = sk->sk_uid;
	}
	if (wanted)
		atcp_tell_closed(sk, record, new);
	xa_lock_bh(&r->all);
	if (keep && new && !xa_err(__xa_store(&r->all, r->next, new, GFP_ATOMIC | __GFP_NOWARN))) {
		WRITE_ONCE(r->next, r->next + 1);
		atcp_records_add(osns, 1);
		new = NULL;
	}
	atcp_records_trim(osns, keep);
	xa_unlock_bh(&r->all);
	kfree(new);
}

const struct atcp_closed *atcp_record_next(struct atcp_osns *osns, unsigned long *at)
{
	return xa_find(&osns->records.all, at, ULONG_MAX, XA_PRESENT);
}

u32 atcp_records_count(struct atcp_osns *osns)
{
	const struct atcp_records *r = &osns->records;
	/* In this order: what goes in between makes the answer too large, by what came in between, never negative. */
	unsigned long first = READ_ONCE(r->first);

	smp_rmb();
	return READ_ONCE(r->next) - first;
}
