// SPDX-License-Identifier: GPL-2.0
/*
 * PARAM_GET and PARAM_SET: a namespace's parameters as text. The table, the types and the ranges
 * are the core's; here is how a request becomes a name and a text, and how a refusal becomes a
 * message. A set of several parameters is applied whole or not at all.
 */
#include <linux/mutex.h>
#include <linux/slab.h>

#include "atcp_core.h"
#include "glue.h"
#include "nl.h"

#define NAME_MAX_LEN 63
#define VALUE_MAX_LEN 127

static const struct nla_policy get_nest[] = {
	[ATCP_PARAM_A_NAME] = { .type = NLA_NUL_STRING, .len = NAME_MAX_LEN },
};

static const struct nla_policy set_nest[] = {
	[ATCP_PARAM_A_NAME] = { .type = NLA_NUL_STRING, .len = NAME_MAX_LEN },
	[ATCP_PARAM_A_VALUE] = { .type = NLA_NUL_STRING, .len = VALUE_MAX_LEN },
};

const struct nla_policy atcp_nl_param_get_policy[ATCP_A_PARAM + 1] = {
	[ATCP_A_PARAM] = NLA_POLICY_NESTED(get_nest),
};

const struct nla_policy atcp_nl_param_set_policy[ATCP_A_PARAM + 1] = {
	[ATCP_A_PARAM] = NLA_POLICY_NESTED(set_nest),
};

/* Serialises writers of all namespaces: setting is rare, and a batch must not interleave with
 * another. */
static DEFINE_MUTEX(set_lock);

/*
 * "NAME: must be ..." for each parameter, made once: what a refusal says. Kernels that cannot
 * carry a text made at run time send it as it is; on the others the given value joins it.
 */
static char **refusals;

static char *make_refusal(const struct atcp_param_info *p)
{
	const char *blank = p->unit[0] ? " " : "";

	switch (p->type) {
	case ATCP_PARAM_NUMBER:
		return kasprintf(GFP_KERNEL, "%s: must be a number in %u..%u%s%s", p->name, p->min,
				 p->max, blank, p->unit);
	case ATCP_PARAM_TRIPLE:
		return kasprintf(GFP_KERNEL, "%s: must be 3 numbers, not falling, in %u..%u%s%s",
				 p->name, p->min, p->max, blank, p->unit);
	case ATCP_PARAM_PAIR:
		return kasprintf(GFP_KERNEL, "%s: must be 2 numbers, not falling, in %u..%u%s%s",
				 p->name, p->min, p->max, blank, p->unit);
	case ATCP_PARAM_CC:
		return kasprintf(GFP_KERNEL, "%s: must name a congestion control that is here",
				 p->name);
	case ATCP_PARAM_WIRE:
		return kasprintf(GFP_KERNEL, "%s: must be tcp or atcp", p->name);
	}
	return kasprintf(GFP_KERNEL, "%s: bad value", p->name);
}

void atcp_nl_params_exit(void)
{
	u32 i;

	for (i = 0; i < atcp_core_param_count(); i++)
		kfree(refusals[i]);
	kfree(refusals);
	refusals = NULL;
}

int atcp_nl_params_init(void)
{
	struct atcp_param_info p;
	u32 i;

	refusals = kcalloc(atcp_core_param_count(), sizeof(*refusals), GFP_KERNEL);
	if (!refusals)
		return -ENOMEM;
	for (i = 0; i < atcp_core_param_count(); i++) {
		atcp_core_param_info(i, &p);
		refusals[i] = make_refusal(&p);
		if (!refusals[i]) {
			atcp_nl_params_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

/* Tell the user what is wrong with text as a value of parameter i. */
static void refuse(struct netlink_ext_ack *extack, const struct nlattr *attr, u32 i,
		   const char *text)
{
	NL_SET_BAD_ATTR(extack, attr);
#ifdef NL_SET_ERR_MSG_FMT
	{
		struct atcp_param_info p;
		const char *must;
		int room;

		atcp_core_param_info(i, &p);
		must = refusals[i] + strlen(p.name);
		/* Longer messages are cut, and a line goes to the kernel's log: no user may
		 * cause that, so the value gives way. */
		room = NETLINK_MAX_FMTMSG_LEN - 1 - (int)strlen(refusals[i]) - 1;
		NL_SET_ERR_MSG_FMT(extack, "%s=%.*s%s", p.name, max(room, 0), text, must);
	}
#else
	/* The text outlives the request, as this kernel's extack wants it. */
	extack->_msg = refusals[i];
#endif
}

static int put_param(struct sk_buff *skb, struct net *net, u32 i)
{
	struct nlattr *nest = nla_nest_start(skb, ATCP_A_PARAM);
	char value[VALUE_MAX_LEN + 1], def[VALUE_MAX_LEN + 1];
	struct atcp_param_info p;

	atcp_core_param_info(i, &p);
	atcp_core_param_get(atcp_pernet(net)->core, i, 0, value, sizeof(value));
	atcp_core_param_get(atcp_pernet(net)->core, i, 1, def, sizeof(def));
	if (!nest || nla_put_string(skb, ATCP_PARAM_A_NAME, p.name) ||
	    nla_put_u8(skb, ATCP_PARAM_A_TYPE, p.type) ||
	    nla_put_string(skb, ATCP_PARAM_A_VALUE, value) ||
	    nla_put_string(skb, ATCP_PARAM_A_DEFAULT, def) ||
	    nla_put_string(skb, ATCP_PARAM_A_UNIT, p.unit) ||
	    nla_put_string(skb, ATCP_PARAM_A_HELP, p.help))
		return -EMSGSIZE;
	/* Names have no range. */
	if (p.type != ATCP_PARAM_CC && p.type != ATCP_PARAM_WIRE &&
	    (nla_put_u32(skb, ATCP_PARAM_A_MIN, p.min) ||
	     nla_put_u32(skb, ATCP_PARAM_A_MAX, p.max)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int atcp_nl_param_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return atcp_nl_dump_rows(skb, cb, ATCP_CMD_PARAM_GET, atcp_core_param_count(), put_param);
}

/* Index of the parameter that tb names, or -errno with a message. */
static int find_param(struct nlattr **tb, const struct nlattr *nest,
		      struct netlink_ext_ack *extack)
{
	int i;

	if (!tb[ATCP_PARAM_A_NAME]) {
		NL_SET_ERR_MSG(extack, "a parameter needs a name");
		NL_SET_BAD_ATTR(extack, nest);
		return -EINVAL;
	}
	i = atcp_core_param_find(nla_data(tb[ATCP_PARAM_A_NAME]));
	if (i < 0) {
		NL_SET_ERR_MSG(extack, "no parameter of this name");
		NL_SET_BAD_ATTR(extack, tb[ATCP_PARAM_A_NAME]);
		return -ENOENT;
	}
	return i;
}

int atcp_nl_param_get(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[ARRAY_SIZE(get_nest)];
	struct nlattr *nest = info->attrs[ATCP_A_PARAM];
	struct sk_buff *reply;
	void *hdr;
	int err, i;

	if (!nest) {
		NL_SET_ERR_MSG(info->extack, "which parameter? Name it, or dump them all");
		return -EINVAL;
	}
	err = nla_parse_nested(tb, ARRAY_SIZE(get_nest) - 1, nest, get_nest, info->extack);
	if (err)
		return err;
	i = find_param(tb, nest, info->extack);
	if (i < 0)
		return i;

	reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &atcp_nl_family, 0, ATCP_CMD_PARAM_GET);
	if (!hdr || put_param(reply, genl_info_net(info), i)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

/* A parsed member of a batch. */
struct setting {
	u32 i;
	const char *text;
};

static int parse_setting(const struct nlattr *nest, struct netlink_ext_ack *extack,
			 struct setting *out)
{
	struct nlattr *tb[ARRAY_SIZE(set_nest)];
	int err, i;

	err = nla_parse_nested(tb, ARRAY_SIZE(set_nest) - 1, nest, set_nest, extack);
	if (err)
		return err;
	i = find_param(tb, nest, extack);
	if (i < 0)
		return i;
	if (!tb[ATCP_PARAM_A_VALUE]) {
		NL_SET_ERR_MSG(extack, "a parameter to set needs a value");
		NL_SET_BAD_ATTR(extack, nest);
		return -EINVAL;
	}
	out->i = i;
	out->text = nla_data(tb[ATCP_PARAM_A_VALUE]);
	err = -atcp_errno(atcp_core_param_check(out->i, out->text));
	if (err)
		refuse(extack, tb[ATCP_PARAM_A_VALUE], out->i, out->text);
	return err;
}

/*
 * Two passes over the message: all of it is checked before any of it is applied, and what is
 * checked cannot fail to apply (the core's contract). If a name comes twice, the last value
 * stays.
 */
int atcp_nl_param_set(struct sk_buff *skb, struct genl_info *info)
{
	struct atcp_ns *ns = atcp_pernet(genl_info_net(info))->core;
	struct setting s;
	struct nlattr *nest;
	int rem, err;

	if (!info->attrs[ATCP_A_PARAM]) {
		NL_SET_ERR_MSG(info->extack, "no parameter to set");
		return -EINVAL;
	}
	mutex_lock(&set_lock);
	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem) {
		err = parse_setting(nest, info->extack, &s);
		if (err)
			goto out;
	}
	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem) {
		err = parse_setting(nest, info->extack, &s);
		if (!err)
			err = -atcp_errno(atcp_core_param_set(ns, s.i, s.text));
		if (err)
			goto out;
	}
out:
	mutex_unlock(&set_lock);
	return err;
}
