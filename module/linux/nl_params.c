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

/* Room for any value as text, with its NUL. */
#define VALUE_ROOM 128

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
	case ATCP_PARAM_TYPE_NUMBER:
		return kasprintf(GFP_KERNEL, "%s: must be a number in %u..%u%s%s", p->name, p->min,
				 p->max, blank, p->unit);
	case ATCP_PARAM_TYPE_TRIPLE:
		return kasprintf(GFP_KERNEL, "%s: must be 3 numbers, not falling, in %u..%u%s%s",
				 p->name, p->min, p->max, blank, p->unit);
	case ATCP_PARAM_TYPE_PAIR:
		return kasprintf(GFP_KERNEL, "%s: must be 2 numbers, not falling, in %u..%u%s%s",
				 p->name, p->min, p->max, blank, p->unit);
	case ATCP_PARAM_TYPE_CC:
		return kasprintf(GFP_KERNEL, "%s: must name a congestion control that is here",
				 p->name);
	case ATCP_PARAM_TYPE_WIRE:
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

/* As it is for sk, or, without one, in the namespace. */
static int put_param(struct sk_buff *skb, struct net *net, struct sock *sk, u32 i)
{
	struct nlattr *nest = nla_nest_start(skb, ATCP_A_PARAM);
	struct atcp_ns *ns = atcp_pernet(net)->core;
	char value[VALUE_ROOM], def[VALUE_ROOM];
	struct atcp_param_info p;
	u32 source;

	atcp_core_param_info(i, &p);
	atcp_core_param_get(ns, i, 1, def, sizeof(def));
	if (sk) {
		rcu_read_lock();
		atcp_core_conn_param_get(&atcp_sk(sk)->conn, i, &source, value, sizeof(value));
		rcu_read_unlock();
	} else {
		atcp_core_param_get(ns, i, 0, value, sizeof(value));
		source = atcp_core_param_source(ns, i);
	}
	if (!nest || nla_put_string(skb, ATCP_PARAM_A_NAME, p.name) ||
	    nla_put_u8(skb, ATCP_PARAM_A_TYPE, p.type) ||
	    nla_put_string(skb, ATCP_PARAM_A_VALUE, value) ||
	    nla_put_string(skb, ATCP_PARAM_A_DEFAULT, def) ||
	    nla_put_string(skb, ATCP_PARAM_A_UNIT, p.unit) ||
	    nla_put_string(skb, ATCP_PARAM_A_HELP, p.help) ||
	    (p.per_socket && nla_put_flag(skb, ATCP_PARAM_A_PER_SOCKET)) ||
	    nla_put_u8(skb, ATCP_PARAM_A_SOURCE, source))
		return -EMSGSIZE;
	/* Names have no range. */
	if (p.type != ATCP_PARAM_TYPE_CC && p.type != ATCP_PARAM_TYPE_WIRE &&
	    (nla_put_u32(skb, ATCP_PARAM_A_MIN, p.min) ||
	     nla_put_u32(skb, ATCP_PARAM_A_MAX, p.max)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/*
 * Read the request of a dump: whose parameters. See atcp_nl_dump_read. The socket is looked up for each page:
 * whoever does not read on must not keep it.
 */
static int read_request(struct netlink_callback *cb)
{
	struct atcp_nl_cursor *cur = atcp_nl_cursor(cb);
	struct nlattr **attrs = atcp_dump_attrs(cb);
	struct sock *sk;
	int err;

	if (cur->read)
		return 0;
	err = atcp_nl_only(attrs, ATCP_NL_PARAM_GET_DUMP, cb->extack);
	if (err)
		return err;
	sk = atcp_nl_sock_by_id(sock_net(cb->skb->sk), attrs[ATCP_A_ID], cb->extack);
	if (IS_ERR(sk))
		return PTR_ERR(sk);
	if (sk) {
		cur->id = nla_get_u64(attrs[ATCP_A_ID]);
		sock_put(sk);
	}
	cur->read = true;
	return 0;
}

int atcp_nl_param_get_start(struct netlink_callback *cb)
{
	return cb->extack ? read_request(cb) : 0;
}

static int put_row(struct sk_buff *skb, struct netlink_callback *cb, u32 row)
{
	return put_param(skb, sock_net(cb->skb->sk), atcp_nl_cursor(cb)->sk, row);
}

int atcp_nl_param_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct atcp_nl_cursor *cur = atcp_nl_cursor(cb);
	int err = read_request(cb);

	if (err)
		return err;
	if (cur->id) {
		cur->sk = atcp_nl_sock_of(sock_net(cb->skb->sk), cur->id);
		if (!cur->sk)
			return -ENOENT;
	}
	err = atcp_nl_dump_rows(skb, cb, ATCP_CMD_PARAM_GET, atcp_core_param_count(), put_row);
	if (cur->sk)
		sock_put(cur->sk);
	cur->sk = NULL;
	return err;
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

/* Index of the parameter of a nest that holds just its name, or -errno with a message. */
static int parse_name(const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[__ATCP_PARAM_A_MAX];
	int err = atcp_nl_parse(tb, &atcp_nl_nest_param, nest, extack);

	if (err)
		return err;
	if (tb[ATCP_PARAM_A_VALUE]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[ATCP_PARAM_A_VALUE],
				    "param value: only a set takes one");
		return -EINVAL;
	}
	return find_param(tb, nest, extack);
}

int atcp_nl_param_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *nest = info->attrs[ATCP_A_PARAM];
	struct sk_buff *reply;
	struct sock *sk;
	void *hdr;
	int err, i;

	if (!nest) {
		NL_SET_ERR_MSG(info->extack, "which parameter? Name it, or dump them all");
		return -EINVAL;
	}
	i = parse_name(nest, info->extack);
	if (i < 0)
		return i;
	sk = atcp_nl_sock_by_id(genl_info_net(info), info->attrs[ATCP_A_ID], info->extack);
	if (IS_ERR(sk))
		return PTR_ERR(sk);

	reply = atcp_nl_answer(info, ATCP_CMD_PARAM_GET, NLMSG_GOODSIZE, &hdr);
	err = -ENOMEM;
	if (reply)
		err = put_param(reply, genl_info_net(info), sk, i);
	if (sk)
		sock_put(sk);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

/* Name and value of a member of a batch. Returns the value's attribute, or an error with a message. */
static struct nlattr *parse_setting(const struct nlattr *nest, struct netlink_ext_ack *extack,
				    struct atcp_param_text *out)
{
	struct nlattr *tb[__ATCP_PARAM_A_MAX];
	int err, i;

	err = atcp_nl_parse(tb, &atcp_nl_nest_param, nest, extack);
	if (err)
		return ERR_PTR(err);
	i = find_param(tb, nest, extack);
	if (i < 0)
		return ERR_PTR(i);
	if (!tb[ATCP_PARAM_A_VALUE]) {
		NL_SET_ERR_MSG(extack, "a parameter to set needs a value");
		NL_SET_BAD_ATTR(extack, nest);
		return ERR_PTR(-EINVAL);
	}
	out->i = i;
	out->text = nla_data(tb[ATCP_PARAM_A_VALUE]);
	return tb[ATCP_PARAM_A_VALUE];
}

/* The same for a namespace, where a value that is in order can be set. */
static int parse_checked(const struct nlattr *nest, struct netlink_ext_ack *extack,
			 struct atcp_param_text *out)
{
	struct nlattr *value = parse_setting(nest, extack, out);
	int err;

	if (IS_ERR(value))
		return PTR_ERR(value);
	err = -atcp_errno(atcp_core_param_check(out->i, out->text));
	if (err)
		refuse(extack, value, out->i, out->text);
	return err;
}

/* ---- of one socket ------------------------------------------------------------------- */

static u32 count_params(const struct genl_info *info)
{
	struct nlattr *nest;
	u32 n = 0;
	int rem;

	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem)
		n += nla_type(nest) == ATCP_A_PARAM;
	return n;
}

/* What is wrong with parameter i on one socket. */
static void refuse_on_socket(struct netlink_ext_ack *extack, struct nlattr *at, u32 i,
			     const char *text, enum atcp_err e)
{
	if (e == ATCP_ERR_NOT_SUPPORTED)
		NL_SET_ERR_MSG_ATTR(extack, at, "this parameter is the namespace's alone");
	else if (e != ATCP_ERR_NO_MEMORY && text)
		refuse(extack, at, i, text);
}

/* The socket's spinlock, for a moment; 0, or -errno with a message. */
static int take(struct genl_info *info, struct sock *sk)
{
	if (atcp_sock_take(sk, jiffies + ATCP_TAKE_WAIT))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[ATCP_A_ID],
			    "id: its program is inside a call that holds the socket; try again");
	return -EBUSY;
}

/* As a set of the namespace: all or none. */
static int set_on_socket(struct genl_info *info, struct sock *sk)
{
	u32 room = count_params(info), n = 0, bad = 0;
	struct atcp_param_text *set;
	struct nlattr **at, *nest;
	enum atcp_err e;
	int rem, err = 0;

	if (room > atcp_core_param_count()) {
		NL_SET_ERR_MSG(info->extack, "more parameters than there are");
		return -E2BIG;
	}
	set = kcalloc(room, sizeof(*set), GFP_KERNEL);
	at = kcalloc(room, sizeof(*at), GFP_KERNEL);
	if (!set || !at)
		err = -ENOMEM;
	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem) {
		if (err || nla_type(nest) != ATCP_A_PARAM)
			continue;
		at[n] = parse_setting(nest, info->extack, &set[n]);
		err = PTR_ERR_OR_ZERO(at[n++]);
	}
	if (!err) {
		err = take(info, sk);
	}
	if (!err) {
		e = atcp_core_conn_params_set(&atcp_sk(sk)->conn, set, n, ATCP_SOURCE_NETLINK, true,
					      atcp_now(), &bad);
		atcp_sock_let_go(sk);
		err = -atcp_errno(e);
		if (e && bad < n)
			refuse_on_socket(info->extack, at[bad], set[bad].i, set[bad].text, e);
	}
	kfree(at);
	kfree(set);
	return err;
}

/* Those that are named, or all that a socket can have. */
static int reset_on_socket(struct genl_info *info, struct sock *sk)
{
	u32 most = atcp_core_param_count(), n = 0, bad = 0, i;
	struct nlattr **at, *nest;
	struct atcp_param_info p;
	enum atcp_err e;
	int rem, found;
	int err = 0;
	u32 *which;

	which = kcalloc(most, sizeof(*which), GFP_KERNEL);
	at = kcalloc(most, sizeof(*at), GFP_KERNEL);
	if (!which || !at)
		err = -ENOMEM;
	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem) {
		if (err || nla_type(nest) != ATCP_A_PARAM)
			continue;
		found = parse_name(nest, info->extack);
		err = found < 0 ? found : n == most ? -E2BIG : 0;
		if (!err) {
			at[n] = nest;
			which[n++] = found;
		}
	}
	for (i = 0; !err && !info->attrs[ATCP_A_PARAM] && i < most; i++) {
		atcp_core_param_info(i, &p);
		if (p.per_socket)
			which[n++] = i;
	}
	if (!err)
		err = take(info, sk);
	if (!err) {
		e = atcp_core_conn_params_reset(&atcp_sk(sk)->conn, which, n, atcp_now(), &bad);
		atcp_sock_let_go(sk);
		err = -atcp_errno(e);
		if (e && bad < n && at[bad])
			refuse_on_socket(info->extack, at[bad], which[bad], NULL, e);
	}
	kfree(at);
	kfree(which);
	return err;
}

/* Do it on the socket that id names. 1: no id, so the namespace is meant. */
static int on_socket(struct genl_info *info,
		     int (*act)(struct genl_info *info, struct sock *sk))
{
	struct sock *sk = atcp_nl_sock_by_id(genl_info_net(info), info->attrs[ATCP_A_ID],
					     info->extack);
	int err;

	if (IS_ERR_OR_NULL(sk))
		return sk ? PTR_ERR(sk) : 1;
	err = act(info, sk);
	sock_put(sk);
	return err;
}

/* ---- of the namespace ---------------------------------------------------------------- */

/* What does not follow its parameter by itself. Lock: set_lock. */
static void review(struct atcp_osns *osns)
{
	atcp_mem_review(osns);
	/* What is checked cannot fail to apply: if there is no memory for so many records, fewer are kept. */
	if (atcp_records_resize(osns))
		net_warn_ratelimited("atcp: no memory for that many closing_records: as many as before are kept\n");
}

/*
 * Two passes over the message: all of it is checked before any of it is applied, and what is
 * checked cannot fail to apply (the core's contract). If a name comes twice, the last value
 * stays.
 */
int atcp_nl_param_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct atcp_ns *ns = atcp_pernet(genl_info_net(info))->core;
	struct atcp_param_text s;
	struct nlattr *nest;
	int rem, err;

	if (!info->attrs[ATCP_A_PARAM]) {
		NL_SET_ERR_MSG(info->extack, "no parameter to set");
		return -EINVAL;
	}
	err = on_socket(info, set_on_socket);
	if (err <= 0)
		return err;
	mutex_lock(&set_lock);
	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(nest) != ATCP_A_PARAM)
			continue;
		err = parse_checked(nest, info->extack, &s);
		if (err)
			goto out;
	}
	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(nest) != ATCP_A_PARAM)
			continue;
		err = parse_checked(nest, info->extack, &s);
		if (!err)
			err = -atcp_errno(atcp_core_param_set(ns, s.i, s.text));
		if (err)
			goto out;
	}
out:
	review(atcp_pernet(genl_info_net(info)));
	mutex_unlock(&set_lock);
	return err;
}

static void reset_all(struct atcp_ns *ns)
{
	u32 i;

	for (i = 0; i < atcp_core_param_count(); i++)
		atcp_core_param_reset(ns, i);
}

/* Those that are named, or all. As with a set, names are checked before anything is done. */
int atcp_nl_param_reset_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct atcp_ns *ns = atcp_pernet(genl_info_net(info))->core;
	struct nlattr *nest;
	int rem, err, i;

	err = on_socket(info, reset_on_socket);
	if (err <= 0)
		return err;
	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(nest) != ATCP_A_PARAM)
			continue;
		i = parse_name(nest, info->extack);
		if (i < 0)
			return i;
	}
	mutex_lock(&set_lock);
	if (!info->attrs[ATCP_A_PARAM])
		reset_all(ns);
	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(nest) == ATCP_A_PARAM)
			atcp_core_param_reset(ns, parse_name(nest, info->extack));
	}
	review(atcp_pernet(genl_info_net(info)));
	mutex_unlock(&set_lock);
	return 0;
}
