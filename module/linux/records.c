// SPDX-License-Identifier: GPL-2.0
/*
 * Closing records: what became of the last connections that ended in a namespace. A ring of pointers has a place for each
 * number; a record is written before it is put there, without any lock. Its memory is that of the record which fell out of the
 * full ring last (spare), so once the ring is full nothing is allocated or freed any more. Without memory it takes the place of
 * the oldest. Writers come from softirq; readers copy one record at a time. Both hold the ring's lock.
 */
#include <linux/log2.h>
#include <linux/mm.h>
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

/* How many a namespace may keep. Lock: of the ring. */
static u32 atcp_records_limit(const struct atcp_osns *osns)
{
	u32 keep = osns->records.keep;

	if (atcp_records_of_host(osns) || atomic_read(&atcp_records_all) < ATCP_RECORDS_HOST)
		return keep;
	return min_t(u32, keep, ATCP_RECORDS_SHARE);
}

/* The place of a record's number. Lock: of the ring, which has places. */
static struct atcp_closed **atcp_record_at(const struct atcp_records *r, unsigned long number)
{
	return &r->ring[number & (r->places - 1)];
}

/* Out of the ring, which is not empty. Lock: of the ring. */
static struct atcp_closed *atcp_records_oldest(struct atcp_records *r)
{
	return *atcp_record_at(r, r->first++);
}

/* Not all at once if there are many too many; true: some are left. Lock: of the ring. */
static bool atcp_records_trim(struct atcp_osns *osns, u32 keep)
{
	struct atcp_records *r = &osns->records;
	int n;

	for (n = 0; n < ATCP_TRIM_MOST && r->next - r->first > keep; n++) {
		kfree(atcp_records_oldest(r));
		atcp_records_add(osns, -1);
	}
	return r->next - r->first > keep;
}

/* The newest. Returns what it takes the place of, or itself if none is kept, or NULL. Lock: of the ring. */
static struct atcp_closed *atcp_records_put(struct atcp_osns *osns, struct atcp_closed *new)
{
	struct atcp_records *r = &osns->records;
	u32 keep = atcp_records_limit(osns);
	struct atcp_closed *old = NULL;

	if (!keep)
		return new;
	if (r->next - r->first >= keep)
		old = atcp_records_oldest(r);
	else
		atcp_records_add(osns, 1);
	*atcp_record_at(r, r->next++) = new;
	if (unlikely(r->next - r->first > keep)) /* the limit fell */
		atcp_records_trim(osns, keep);
	return old;
}

/* Memory for one. NULL: none. */
static struct atcp_closed *atcp_record_new(struct atcp_osns *osns)
{
	struct atcp_records *r = &osns->records;
	struct atcp_closed *new = xchg(&r->spare, NULL);

	if (!new)
		new = kmalloc(sizeof(*new), GFP_ATOMIC | __GFP_NOWARN);
	if (new)
		return new;
	spin_lock_bh(&r->lock);
	if (r->next != r->first) {
		new = atcp_records_oldest(r);
		atcp_records_add(osns, -1);
	}
	spin_unlock_bh(&r->lock);
	return new;
}

struct atcp_record *atcp_os_record_begin(struct atcp_conn *c, u32 reason)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct atcp_osns *osns = atcp_sk_osns(sk);
	bool wanted = static_branch_unlikely(&atcp_watched);
	struct atcp_closed *new;

	if (!READ_ONCE(osns->records.keep) && !wanted)
		return NULL;
	new = atcp_record_new(osns);
	if (new)
		return &new->record;
	/* Its end is told all the same. */
	if (wanted)
		atcp_tell_closed(sk, reason, NULL);
	return NULL;
}

void atcp_os_record(struct atcp_conn *c, struct atcp_record *record)
{
	struct atcp_closed *new = container_of(record, struct atcp_closed, record), *old;
	struct sock *sk = atcp_sk_of_conn(c);
	struct atcp_osns *osns = atcp_sk_osns(sk);
	struct atcp_records *r = &osns->records;

	new->cookie = atcp_nl_cookie(sk);
	new->uid = sk->sk_uid;
	if (static_branch_unlikely(&atcp_watched))
		atcp_tell_closed(sk, record->reason, new);
	spin_lock_bh(&r->lock);
	old = atcp_records_put(osns, new);
	spin_unlock_bh(&r->lock);
	if (old)
		kfree(xchg(&r->spare, old));
}

bool atcp_record_copy(struct atcp_osns *osns, unsigned long *at, struct atcp_closed *out)
{
	struct atcp_records *r = &osns->records;
	bool found;

	spin_lock_bh(&r->lock);
	*at = max(*at, r->first);
	found = *at < r->next;
	if (found)
		*out = **atcp_record_at(r, *at);
	spin_unlock_bh(&r->lock);
	return found;
}

unsigned long atcp_records_next(struct atcp_osns *osns)
{
	struct atcp_records *r = &osns->records;
	unsigned long next;

	spin_lock_bh(&r->lock);
	next = r->next;
	spin_unlock_bh(&r->lock);
	return next;
}

u32 atcp_records_count(struct atcp_osns *osns)
{
	struct atcp_records *r = &osns->records;
	u32 n;

	spin_lock_bh(&r->lock);
	n = r->next - r->first;
	spin_unlock_bh(&r->lock);
	return n;
}

/* ---- how many there may be ----------------------------------------------------------- */

/* No more than that are kept, and come, from now on. */
static void atcp_records_shrink(struct atcp_osns *osns, u32 keep)
{
	struct atcp_records *r = &osns->records;
	bool more = true;

	while (more) {
		spin_lock_bh(&r->lock);
		WRITE_ONCE(r->keep, keep);
		more = atcp_records_trim(osns, atcp_records_limit(osns));
		spin_unlock_bh(&r->lock);
		cond_resched();
	}
}

int atcp_records_resize(struct atcp_osns *osns)
{
	u32 keep = atcp_core_closing_records(osns->core);
	u32 places = keep ? roundup_pow_of_two(keep) : 0;
	struct atcp_records *r = &osns->records;
	struct atcp_closed **ring = NULL, **old;
	unsigned long i;

	atcp_records_shrink(osns, min(keep, r->places));
	if (places == r->places)
		return 0;
	if (places)
		ring = kvcalloc(places, sizeof(*ring), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (places && !ring)
		return -ENOMEM;
	/* Half of the most that may be kept, at the most: pointers to copy with softirqs off. */
	spin_lock_bh(&r->lock);
	for (i = r->first; i != r->next; i++)
		ring[i & (places - 1)] = *atcp_record_at(r, i);
	old = r->ring;
	r->ring = ring;
	r->places = places;
	WRITE_ONCE(r->keep, keep);
	spin_unlock_bh(&r->lock);
	kvfree(old);
	return 0;
}

int atcp_records_init(struct atcp_osns *osns)
{
	/* What the slab of the next size would waste is as much again. */
	BUILD_BUG_ON(sizeof(struct atcp_closed) > 512);
	spin_lock_init(&osns->records.lock);
	return atcp_records_resize(osns);
}

void atcp_records_free(struct atcp_osns *osns)
{
	atcp_records_shrink(osns, 0);
	kfree(osns->records.spare);
	kvfree(osns->records.ring);
}
