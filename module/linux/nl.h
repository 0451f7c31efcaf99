/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the netlink family share: the family, the cursor that a dump keeps between
 * two of its messages, and the handlers that netlink.c puts into its table of operations. Not
 * for the rest of the glue, which only starts and stops the family (glue.h).
 */
#ifndef ATCP_NL_H
#define ATCP_NL_H

#include <net/genetlink.h>

#include <linux/atcp.h>

extern struct genl_family atcp_nl_family;

/* Where a dump goes on; lives in netlink_callback.ctx, which starts as zeros. */
struct atcp_nl_cursor {
	u64 at;		/* row of a table, or the cursor of atcp_core_walk */
	bool done;	/* nothing is left: the next call ends the dump */
};

static inline struct atcp_nl_cursor *atcp_nl_cursor(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct atcp_nl_cursor) > sizeof_field(struct netlink_callback, ctx));
	return (struct atcp_nl_cursor *)cb->ctx;
}

/* One message of a dump, or NULL if it has no room in skb. Ends with genlmsg_end or
 * genlmsg_cancel. */
static inline void *atcp_nl_begin(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &atcp_nl_family,
			   NLM_F_MULTI, cmd);
}

/*
 * Dump rows 0..count-1 of a table that never changes its length, one message each. put writes
 * a row's attributes and returns not 0 if they did not fit.
 */
int atcp_nl_dump_rows(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd, u32 count,
		      int (*put)(struct sk_buff *skb, struct net *net, u32 row));

/* nl_params.c */
int atcp_nl_params_init(void);
void atcp_nl_params_exit(void);
int atcp_nl_param_get(struct sk_buff *skb, struct genl_info *info);
int atcp_nl_param_set(struct sk_buff *skb, struct genl_info *info);
int atcp_nl_param_dump(struct sk_buff *skb, struct netlink_callback *cb);
extern const struct nla_policy atcp_nl_param_get_policy[ATCP_A_PARAM + 1];
extern const struct nla_policy atcp_nl_param_set_policy[ATCP_A_PARAM + 1];

/* nl_sockets.c */
int atcp_nl_socket_dump(struct sk_buff *skb, struct netlink_callback *cb);
int atcp_nl_listener_dump(struct sk_buff *skb, struct netlink_callback *cb);

/* nl_counts.c */
int atcp_nl_counter_dump(struct sk_buff *skb, struct netlink_callback *cb);
int atcp_nl_reason_dump(struct sk_buff *skb, struct netlink_callback *cb);

#endif /* ATCP_NL_H */
