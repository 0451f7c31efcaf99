// SPDX-License-Identifier: GPL-2.0
/*
 * RECORD_GET: what became of the last connections that ended, the oldest first. A dump copies one record after the other and goes
 * on after the last number that it told, so records that are dropped meanwhile leave a gap and none comes twice. It tells of those
 * that were there when it began: it must end even if connections end faster than somebody reads of them.
 */
#include <net/sock.h>

#include "atcp_core.h"
#include "glue.h"
#include "nl.h"

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, ATCP_RECORD_A_PAD);
}

static int put_socket(struct sk_buff *skb, const struct atcp_closed *c,
		      struct user_namespace *reader)
{
	const struct atcp_record *r = &c->record;
	struct nlattr *nest = nla_nest_start(skb, ATCP_RECORD_A_SOCKET);

	if (!nest || nla_put_u8(skb, ATCP_SOCKET_A_STATE, r->info.state) ||
	    nla_put_u8(skb, ATCP_SOCKET_A_KIND, ATCP_KIND_CONN) ||
	    atcp_nl_put_tuple(skb, &r->tuple) ||
	    nla_put_u64_64bit(skb, ATCP_SOCKET_A_ID, c->cookie, ATCP_SOCKET_A_PAD) ||
	    nla_put_u32(skb, ATCP_SOCKET_A_UID, from_kuid_munged(reader, c->uid)) ||
	    nla_put_string(skb, ATCP_SOCKET_A_CC, r->cc) ||
	    (r->passive && nla_put_flag(skb, ATCP_SOCKET_A_PASSIVE)) ||
	    (r->orphaned && nla_put_flag(skb, ATCP_SOCKET_A_ORPHANED)) ||
	    atcp_nl_put_info(skb, &r->info, true))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int atcp_nl_put_record(struct sk_buff *skb, int attr, const struct atcp_closed *c,
		       struct user_namespace *reader)
{
	const struct atcp_record *r = &c->record;
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest || put_socket(skb, c, reader) ||
	    put_u64(skb, ATCP_RECORD_A_OPENED_NS, r->opened_ns) ||
	    put_u64(skb, ATCP_RECORD_A_CLOSED_NS, r->closed_ns) ||
	    nla_put_u8(skb, ATCP_RECORD_A_ENDED_BY, r->ended_by) ||
	    nla_put_u32(skb, ATCP_RECORD_A_REASON, r->reason) ||
	    nla_put_string(skb, ATCP_RECORD_A_REASON_NAME, atcp_core_reason_name(r->reason, NULL)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Not 0: no room. */
static int put_closed(struct sk_buff *skb, struct netlink_callback *cb, const struct atcp_closed *c)
{
	void *hdr = atcp_nl_begin(skb, cb, ATCP_CMD_RECORD_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (atcp_nl_put_record(skb, ATCP_A_RECORD, c, sk_user_ns(NETLINK_CB(cb->skb).sk))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int atcp_nl_record_get_start(struct netlink_callback *cb)
{
	return atcp_nl_dump_start(cb, ATCP_NL_RECORD_GET_DUMP, ATCP_NL_OF_EVENTS);
}

int atcp_nl_record_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct atcp_osns *osns = atcp_pernet(sock_net(cb->skb->sk));
	struct atcp_nl_cursor *cur = atcp_nl_cursor(cb);
	unsigned long at = cur->at;
	struct atcp_closed c;
	int err = atcp_nl_dump_read(cb, ATCP_NL_RECORD_GET_DUMP, ATCP_NL_OF_EVENTS);

	if (err)
		return err;
	if (!cur->end)
		cur->end = atcp_records_next(osns);
	while (!err && atcp_record_copy(osns, &at, &c) && at < cur->end) {
		if (atcp_nl_filter_closed(cur->filter, &c))
			err = put_closed(skb, cb, &c);
		if (!err)
			at++;
		cond_resched();
	}
	cur->at = at;
	return err && !skb->len ? err : skb->len;
}

int atcp_nl_record_get_done(struct netlink_callback *cb)
{
	return atcp_nl_filter_done(cb);
}
