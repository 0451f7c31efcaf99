// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "atcp": how it is registered, how a nest of a request is read, and
 * the dump of a fixed table. Which operations there are, who may call them and with which
 * attributes comes from uapi/atcp.yaml (nl_gen.c). What an operation does is in nl_params.c
 * (parameters), nl_sockets.c and nl_listeners.c (the tables, by nl_filter.c's filters), nl_kill.c and
 * nl_counts.c (counters, reasons and other small tables). Everything acts on the network namespace of the
 * netlink socket that asks: reading is free there, as with sock_diag; writing needs CAP_NET_ADMIN
 * in the user namespace that owns it.
 *
 * Locks: parallel_ops, so a long dump does not hold up other families; writers of
 * parameters have a mutex of their own.
 */
#include <linux/module.h>

#include "glue.h"
#include "nl.h"

MODULE_ALIAS_GENL_FAMILY(ATCP_GENL_NAME);

/* resv_start_op stays 0: no operation is old enough to be excused from strict headers. */
struct genl_family atcp_nl_family __ro_after_init = {
	.name = ATCP_GENL_NAME,
	.version = ATCP_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = atcp_nl_ops,
	.n_ops = ATCP_NL_OPS,
	.mcgrps = atcp_nl_groups,
	.n_mcgrps = ATCP_NL_GROUPS,
#if ATCP_GENL_BIND
	.bind = atcp_nl_group_bind,
#endif
};

int atcp_nl_only(struct nlattr **attrs, u32 taken, struct netlink_ext_ack *extack)
{
	u32 i;

	for (i = 1; i < __ATCP_A_MAX; i++) {
		if ((BIT(i) & taken) || !attrs[i])
			continue;
		NL_SET_ERR_MSG_ATTR(extack, attrs[i], "this request does not take this attribute");
		return -EINVAL;
	}
	return 0;
}

#ifdef NL_SET_ERR_MSG_FMT
/* The value of a number within its nest, if it has the length of one. */
static bool number_of(const struct atcp_nl_nest *kind, const struct nlattr *a, u64 *value)
{
	static const u8 length[] = {
		[NLA_U8] = 1,
		[NLA_U16] = 2,
		[NLA_U32] = 4,
		[NLA_U64] = 8,
	};
	u8 type = kind->policy[nla_type(a)].type;

	if (type >= ARRAY_SIZE(length) || !length[type] || nla_len(a) != length[type])
		return false;
	*value = type == NLA_U8 ? nla_get_u8(a) : type == NLA_U16 ? nla_get_u16(a) :
		 type == NLA_U32 ? nla_get_u32(a) : nla_get_u64(a);
	return true;
}

/* "filter laddr-prefix: must be ..." with the value that was given. */
static void add_value(const struct atcp_nl_nest *kind, const struct nlattr *bad,
		      struct netlink_ext_ack *extack)
{
	const char *rule = kind->rules[nla_type(bad)];
	int name = strchr(rule, ':') - rule;
	u64 value;

	if (number_of(kind, bad, &value))
		NL_SET_ERR_MSG_FMT(extack, "%.*s=%llu%s", name, rule, value, rule + name);
}
#else
/* This kernel's messages are fixed texts. */
static void add_value(const struct atcp_nl_nest *kind, const struct nlattr *bad,
		      struct netlink_ext_ack *extack)
{
}
#endif

/* The kernel has refused an attribute of a nest: say so in words that name it. */
static void explain(const struct atcp_nl_nest *kind, const struct nlattr *nest,
		    struct netlink_ext_ack *extack)
{
	const struct nlattr *bad = extack ? extack->bad_attr : NULL;

	/* Of the nest itself, or of no attribute that there is, the kernel's words are right. */
	if (!bad || bad <= nest || nla_type(bad) > kind->max || !kind->rules[nla_type(bad)])
		return;
	extack->_msg = kind->rules[nla_type(bad)];
	add_value(kind, bad, extack);
}

int atcp_nl_parse(struct nlattr **tb, const struct atcp_nl_nest *kind, const struct nlattr *nest,
		  struct netlink_ext_ack *extack)
{
	int err = nla_parse_nested(tb, kind->max, nest, kind->policy, extack);

	if (err)
		explain(kind, nest, extack);
	return err;
}

struct sk_buff *atcp_nl_answer(struct genl_info *info, u8 cmd, size_t room, void **hdr)
{
	struct sk_buff *skb = genlmsg_new(room, GFP_KERNEL);

	if (!skb)
		return NULL;
	*hdr = genlmsg_put_reply(skb, info, &atcp_nl_family, 0, cmd);
	if (*hdr)
		return skb;
	nlmsg_free(skb);
	return NULL;
}

int atcp_nl_dump_rows(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd, u32 count,
		      int (*put)(struct sk_buff *skb, struct netlink_callback *cb, u32 row))
{
	struct atcp_nl_cursor *cur = atcp_nl_cursor(cb);

	for (; cur->at < count; cur->at++) {
		void *hdr = atcp_nl_begin(skb, cb, cmd);

		if (!hdr)
			break;
		if (put(skb, cb, cur->at)) {
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
	err = atcp_nl_events_init();
	if (err)
		goto err_params;
	err = genl_register_family(&atcp_nl_family);
	if (err)
		goto err_events;
	atcp_nl_events_start();
	return 0;

err_events:
	atcp_nl_events_exit();
err_params:
	atcp_nl_params_exit();
	return err;
}

void atcp_netlink_exit(void)
{
	atcp_nl_events_stop();
	genl_unregister_family(&atcp_nl_family);
	atcp_nl_events_exit();
	atcp_nl_params_exit();
}
