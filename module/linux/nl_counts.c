// SPDX-License-Identifier: GPL-2.0
/*
 * COUNTER_GET and REASON_GET: the core's two tables of names with a namespace's sums beside
 * them. The sums are read while CPUs go on counting, so rows of one dump may be some packets
 * apart.
 */
#include "atcp_core.h"
#include "glue.h"
#include "nl.h"

static int put_counter(struct sk_buff *skb, struct net *net, u32 row)
{
	struct nlattr *nest = nla_nest_start(skb, ATCP_A_COUNTER);
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

int atcp_nl_counter_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return atcp_nl_dump_rows(skb, cb, ATCP_CMD_COUNTER_GET, atcp_core_counter_count(),
				 put_counter);
}

/* Rows start at 0, reasons at 1: ATCP_REASON_NONE is not one. */
static int put_reason(struct sk_buff *skb, struct net *net, u32 row)
{
	struct nlattr *nest = nla_nest_start(skb, ATCP_A_REASON);
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

int atcp_nl_reason_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return atcp_nl_dump_rows(skb, cb, ATCP_CMD_REASON_GET, __ATCP_REASON_MAX - 1, put_reason);
}
