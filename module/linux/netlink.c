// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "atcp": its table of operations, who may call them, and the dump of
 * a fixed table. What an operation does is in nl_params.c (parameters), nl_sockets.c (tables of
 * sockets) and nl_counts.c (counters, reasons). Everything acts on the network namespace of the
 * netlink socket that asks: reading is free there, as with sock_diag; writing needs CAP_NET_ADMIN
 * in the user namespace that owns it.
 *
 * Locks: parallel_ops, so a long dump does not hold up other families; the one writer,
 * PARAM_SET, has a mutex of its own.
 */
#include <linux/module.h>

#include "glue.h"
#include "nl.h"

MODULE_ALIAS_GENL_FAMILY(ATCP_GENL_NAME);

static const struct genl_ops ops[] = {
	{
		.cmd = ATCP_CMD_PARAM_GET,
		.doit = atcp_nl_param_get,
		.dumpit = atcp_nl_param_dump,
		.policy = atcp_nl_param_get_policy,
		.maxattr = ATCP_A_PARAM,
	},
	{
		.cmd = ATCP_CMD_PARAM_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = atcp_nl_param_set,
		.policy = atcp_nl_param_set_policy,
		.maxattr = ATCP_A_PARAM,
	},
	/* The rest takes no attributes: without a policy the kernel refuses them all. */
	{
		.cmd = ATCP_CMD_SOCKET_GET,
		.dumpit = atcp_nl_socket_dump,
	},
	{
		.cmd = ATCP_CMD_LISTENER_GET,
		.dumpit = atcp_nl_listener_dump,
	},
	{
		.cmd = ATCP_CMD_COUNTER_GET,
		.dumpit = atcp_nl_counter_dump,
	},
	{
		.cmd = ATCP_CMD_REASON_GET,
		.dumpit = atcp_nl_reason_dump,
	},
};

/* resv_start_op stays 0: no operation is old enough to be excused from strict headers. */
struct genl_family atcp_nl_family __ro_after_init = {
	.name = ATCP_GENL_NAME,
	.version = ATCP_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
};

int atcp_nl_dump_rows(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd, u32 count,
		      int (*put)(struct sk_buff *skb, struct net *net, u32 row))
{
	struct atcp_nl_cursor *cur = atcp_nl_cursor(cb);
	struct net *net = sock_net(cb->skb->sk);

	for (; cur->at < count; cur->at++) {
		void *hdr = atcp_nl_begin(skb, cb, cmd);

		if (!hdr)
			break;
		if (put(skb, net, cur->at)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	/* A row that does not even fit in an empty buffer must not end the dump as if all was
	 * well. */
	if (!skb->len && cur->at < count)
		return -EMSGSIZE;
	return skb->len;
}

/* Called once every namespace has its atcp half; requests may arrive before it returns. */
int __init atcp_netlink_init(void)
{
	int err = atcp_nl_params_init();

	if (err)
		return err;
	err = genl_register_family(&atcp_nl_family);
	if (err)
		atcp_nl_params_exit();
	return err;
}

void atcp_netlink_exit(void)
{
	genl_unregister_family(&atcp_nl_family);
	atcp_nl_params_exit();
}
