// SPDX-License-Identifier: GPL-2.0
/*
 * SOCKET_KILL: what `ss -K` does for the kernel's TCP. Requests and TIME_WAIT entries are taken away
 * while the table is walked; connections and listeners need their lock, so the walk stops after
 * some, with references to them, and goes on once they are dealt with. A listener whose program stays in a
 * call that holds it is left alone: all of them together are waited for a tenth of a second.
 */
#include <linux/sched/signal.h>

#include "atcp_core.h"
#include "glue.h"
#include "nl.h"

struct kill {
	struct atcp_ns *ns;
	const struct atcp_nl_filter *filter;
	u32 killed;
	u32 n;
	unsigned long until;
	struct sock *batch[32];
};

/* False: the batch is full, the walk resumes at this entry. */
static bool kill_entry(void *arg, const struct atcp_entry_info *e)
{
	struct kill *k = arg;
	struct sock *sk;

	if (!atcp_nl_filter_match(k->filter, e))
		return true;
	if (e->kind == ATCP_FOUND_REQUEST || e->kind == ATCP_FOUND_TIMEWAIT) {
		k->killed += atcp_core_entry_remove(k->ns, e);
		return true;
	}
	if (k->n == ARRAY_SIZE(k->batch))
		return false;
	sk = atcp_sk_of_conn(e->conn);
	sock_hold(sk);
	k->batch[k->n++] = sk;
	return true;
}

static void kill_batch(struct kill *k)
{
	u32 i;

	for (i = 0; i < k->n; i++) {
		k->killed += atcp_sock_kill(k->batch[i], k->until);
		sock_put(k->batch[i]);
	}
	k->n = 0;
}

/* Those of one table. What comes meanwhile may be left, so this ends whatever a program does. */
static void kill_all(struct kill *k, bool listeners)
{
	u64 at = 0;
	bool end;

	do {
		end = atcp_core_walk(k->ns, listeners, &at, atcp_now(), kill_entry, k);
		kill_batch(k);
	} while (!end && !fatal_signal_pending(current));
}

/* A listener goes only if it is named: by its state or its id. */
static bool names_listeners(const struct atcp_nl_filter *f)
{
	if (f->present & BIT(ATCP_FILTER_A_STATES))
		return f->states & BIT(ATCP_STATE_LISTEN);
	return f->present & BIT(ATCP_FILTER_A_ID);
}

static int send_count(struct genl_info *info, u32 count)
{
	void *hdr;
	struct sk_buff *reply =
		atcp_nl_answer(info, ATCP_CMD_SOCKET_KILL, nla_total_size(sizeof(count)), &hdr);

	if (!reply)
		return -ENOMEM;
	if (nla_put_u32(reply, ATCP_A_COUNT, count)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

int atcp_nl_socket_kill_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *nest = info->attrs[ATCP_A_FILTER];
	struct kill k = {
		.ns = atcp_pernet(genl_info_net(info))->core,
		.until = jiffies + ATCP_TAKE_WAIT,
	};
	struct atcp_nl_filter *f;

	if (!nest || !nla_len(nest)) {
		NL_SET_ERR_MSG(info->extack, "filter: must have a condition (all states, to end everything)");
		return -EINVAL;
	}
	f = atcp_nl_filter_new(nest, ATCP_NL_OF_EVENTS, NETLINK_CB(skb).sk, info->extack);
	if (IS_ERR(f))
		return PTR_ERR(f);
	k.filter = f;
	if (names_listeners(f))
		kill_all(&k, true);
	kill_all(&k, false);
	kfree(f);
	return send_count(info, k.killed);
}
