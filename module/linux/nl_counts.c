// SPDX-License-Identifier: GPL-2.0
/*
 * COUNTER_GET and REASON_GET: the core's two tables of names with a namespace's sums beside
 * them. CC_GET: the congestion controls. TABLES_GET: how full the tables are. The sums are read while CPUs go on counting, so rows of one dump may be some packets
 * apart.
 */
#include "atcp_core.h"
#include "glue.h"
#include "nl.h"

static int put_counter(struct sk_buff *skb, struct netlink_callback *cb, u32 row)
{
	struct nlattr *nest = nla_nest_start(skb, ATCP_A_COUNTER);
	struct net *net = sock_net(cb->skb->sk);
	const char *help;
	const char *name = atcp_core_counter_name(row, &help);

	if (!nest || nla_put_string(skb, ATCP_COUNTER_A_NAME, name) ||
	    nla_put_u64_64bit(skb, ATCP_COUNTER_A_VALUE, atcp_counter_read(atcp_pernet(net), row),
			      ATCP_COUNTER_A_PAD) ||
	    nla_put_string(skb, ATCP_COUNTER_A_HELP, help))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int atcp_nl_counter_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return atcp_nl_dump_rows(skb, cb, ATCP_CMD_COUNTER_GET, atcp_core_counter_count(),
				 put_counter);
}

/* Rows start at 0, reasons at 1: ATCP_REASON_NONE is not one. */
static int put_reason(struct sk_buff *skb, struct netlink_callback *cb, u32 row)
{
	struct nlattr *nest = nla_nest_start(skb, ATCP_A_REASON);
	struct net *net = sock_net(cb->skb->sk);
	u32 id = row + 1;
	const char *help;
	const char *name = atcp_core_reason_name(id, &help);

	if (!nest || nla_put_u32(skb, ATCP_REASON_A_ID, id) ||
	    nla_put_string(skb, ATCP_REASON_A_NAME, name) ||
	    nla_put_u64_64bit(skb, ATCP_REASON_A_VALUE, atcp_reason_read(atcp_pernet(net), id),
			      ATCP_REASON_A_PAD) ||
	    nla_put_string(skb, ATCP_REASON_A_HELP, help))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int atcp_nl_reason_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return atcp_nl_dump_rows(skb, cb, ATCP_CMD_REASON_GET, __ATCP_REASON_MAX - 1, put_reason);
}

/* Not 0: no room. Lock: RCU. */
static int put_cc(struct sk_buff *skb, const struct atcp_cc_info *i)
{
	struct nlattr *nest = nla_nest_start(skb, ATCP_A_CC);

	if (!nest || nla_put_string(skb, ATCP_CC_A_NAME, i->name) ||
	    (i->is_default && nla_put_flag(skb, ATCP_CC_A_IS_DEFAULT)) ||
	    (i->restricted && nla_put_flag(skb, ATCP_CC_A_RESTRICTED)) ||
	    (i->owner && nla_put_string(skb, ATCP_CC_A_MODULE, module_name(i->owner))))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int atcp_nl_cc_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct atcp_nl_cursor *cur = atcp_nl_cursor(cb);
	struct atcp_ns *ns = atcp_pernet(sock_net(cb->skb->sk))->core;
	struct atcp_cc_info i;
	int err = 0;

	rcu_read_lock();
	for (; !err && atcp_core_cc_info(ns, cur->at, &i); cur->at += !err) {
		void *hdr;

		/* Its module is gone, its number stays. */
		if (!i.name)
			continue;
		hdr = atcp_nl_begin(skb, cb, ATCP_CMD_CC_GET);
		err = hdr ? put_cc(skb, &i) : -EMSGSIZE;
		if (err && hdr)
			genlmsg_cancel(skb, hdr);
		else if (hdr)
			genlmsg_end(skb, hdr);
	}
	rcu_read_unlock();
	return skb->len ?: err;
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, ATCP_TABLES_A_PAD);
}

/* 0 if there is none of that name. */
static u64 counter_by_name(const struct atcp_osns *osns, const char *name)
{
	u32 i;

	for (i = 0; i < atcp_core_counter_count(); i++)
		if (!strcmp(atcp_core_counter_name(i, NULL), name))
			return atcp_counter_read(osns, i);
	return 0;
}

static int put_tables(struct sk_buff *skb, struct atcp_osns *osns)
{
	struct nlattr *nest = nla_nest_start(skb, ATCP_A_TABLES);
	struct atcp_tables_info i;

	atcp_core_tables_info(osns->core, &i);
	if (!nest || nla_put_u32(skb, ATCP_TABLES_A_EHASH_SLOTS, i.ehash_slots) ||
	    nla_put_u32(skb, ATCP_TABLES_A_EHASH_ENTRIES, i.ehash_entries) ||
	    put_u64(skb, ATCP_TABLES_A_EHASH_GROWN, counter_by_name(osns, "EhashGrown")) ||
	    put_u64(skb, ATCP_TABLES_A_EHASH_SHRUNK, counter_by_name(osns, "EhashShrunk")) ||
	    nla_put_u32(skb, ATCP_TABLES_A_REQUESTS, i.requests) ||
	    nla_put_u32(skb, ATCP_TABLES_A_TIMEWAITS, i.timewaits) ||
	    nla_put_u32(skb, ATCP_TABLES_A_SOCKETS, atomic_read(&osns->sockets)) ||
	    nla_put_u32(skb, ATCP_TABLES_A_ORPHANS,
			percpu_counter_sum_positive(&osns->orphans)) ||
	    nla_put_u32(skb, ATCP_TABLES_A_LISTENERS, i.listeners) ||
	    nla_put_u32(skb, ATCP_TABLES_A_PORTS, i.ports) ||
	    put_u64(skb, ATCP_TABLES_A_MEM_PAGES, atomic_long_read(&osns->mem_pages)) ||
	    nla_put_u8(skb, ATCP_TABLES_A_MEM_LEVEL, READ_ONCE(osns->mem_level)) ||
	    nla_put_u32(skb, ATCP_TABLES_A_RECORDS, atcp_records_count(osns)) ||
	    nla_put_u32(skb, ATCP_TABLES_A_SUBSCRIBERS, READ_ONCE(osns->watchers.count)) ||
	    put_u64(skb, ATCP_TABLES_A_EVENTS_LOST, atomic64_read(&osns->watchers.lost)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int atcp_nl_tables_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	void *hdr;
	struct sk_buff *reply = atcp_nl_answer(info, ATCP_CMD_TABLES_GET, NLMSG_GOODSIZE, &hdr);

	if (!reply)
		return -ENOMEM;
	if (put_tables(reply, atcp_pernet(genl_info_net(info)))) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}
