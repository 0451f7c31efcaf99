/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the netlink family share: the family, the cursor that a dump keeps between
 * two of its messages, and the handlers, which the table of operations (nl_gen.c) is made from:
 * an operation of uapi/atcp.yaml is offered as soon as atcp_nl_OPERATION_doit, _dumpit, _start or
 * _done is declared here (then: `make gen`). Not for the rest of the glue, which only starts and
 * stops the family (glue.h).
 */
#ifndef ATCP_NL_H
#define ATCP_NL_H

#include <net/genetlink.h>
#include <net/sock.h>

#include <linux/atcp.h>

#include "atcp_cc.h"
#include "atcp_core.h"
#include "nl_gen.h"

extern struct genl_family atcp_nl_family;

/* Where a dump goes on; lives in netlink_callback.ctx, which starts as zeros. */
struct atcp_nl_cursor {
	u64 at;		/* row of a table, the cursor of atcp_core_walk, or a record's number */
	u64 end;	/* records: the dump is over before this number; 0: not known yet */
	bool read;	/* the request has been read */
	bool done;	/* nothing is left: the next call ends the dump */
	struct atcp_nl_filter *filter;	/* NULL: everything. Freed by the dump's done */
	u64 id;			/* cookie of the socket whose parameters; 0: the namespace's */
	struct sock *sk;	/* the socket, while a page is made */
};

/**
 * struct atcp_nl_filter - which entries or events a request is about: all conditions hold
 * @present: which conditions there are, bit ATCP_FILTER_A_* each
 * @states: bit per enum atcp_state
 * @family: enum: ATCP_AF_*
 * @laddr: local address
 * @raddr: the peer's
 * @lport: least and largest local port, host order
 * @rport: least and largest port of the peer
 * @uid: owner
 * @cc: congestion control
 * @listener: cookie; @listener_at is where it listened when the filter was made
 * @id: cookie
 * @events: bit per enum atcp_event_kind
 * @reasons: bit per enum atcp_reason, the lowest of byte 0 first
 */
struct atcp_nl_filter {
	u32 present;
	u32 states;
	u16 family;
	struct atcp_nl_prefix {
		union atcp_ip ip;
		u16 family;
		u8 bits;
	} laddr, raddr;
	struct {
		u16 min, max;
	} lport, rport;
	kuid_t uid;
	char cc[ATCP_CC_NAME_MAX + 1];
	u64 listener;
	struct atcp_tuple listener_at;
	u64 id;
	u32 events;
	u8 reasons[32];
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

/* The answer to a do: begun with atcp_nl_answer (NULL: no memory), sent with genlmsg_end and genlmsg_reply. */
struct sk_buff *atcp_nl_answer(struct genl_info *info, u8 cmd, size_t room, void **hdr);

/*
 * Dump rows 0..count-1 of a table that never changes its length, one message each. put writes
 * a row's attributes and returns not 0 if they did not fit.
 */
int atcp_nl_dump_rows(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd, u32 count,
		      int (*put)(struct sk_buff *skb, struct netlink_callback *cb, u32 row));

/*
 * Refuse a request (attrs has __ATCP_A_MAX places) that has an attribute of the operation's policy which is not in `taken`, a bit
 * set (ATCP_NL_OPERATION_DO, _DUMP): do and dump of an operation share a policy.
 */
int atcp_nl_only(struct nlattr **attrs, u32 taken, struct netlink_ext_ack *extack);

/*
 * The attributes within nest, strictly: tb has kind->max + 1 places. A refusal says which
 * attribute is at fault and what it must be.
 */
int atcp_nl_parse(struct nlattr **tb, const struct atcp_nl_nest *kind, const struct nlattr *nest,
		  struct netlink_ext_ack *extack);

/* nl_params.c */
int atcp_nl_params_init(void);
void atcp_nl_params_exit(void);
int atcp_nl_param_get_doit(struct sk_buff *skb, struct genl_info *info);
int atcp_nl_param_get_start(struct netlink_callback *cb);
int atcp_nl_param_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int atcp_nl_param_set_doit(struct sk_buff *skb, struct genl_info *info);
int atcp_nl_param_reset_doit(struct sk_buff *skb, struct genl_info *info);

/* nl_filter.c */
/* What is only for subscriptions to events. */
#define ATCP_NL_OF_EVENTS (BIT(ATCP_FILTER_A_EVENTS) | BIT(ATCP_FILTER_A_REASONS))
/*
 * The filter that nest describes, for the namespace and the user of the netlink socket asker
 * (NETLINK_CB(skb).sk of the request; skb->sk is the kernel's own); kfree
 * it. refused: attributes (bits) that this request does not take. An error with a message
 * otherwise. Context: process.
 */
struct atcp_nl_filter *atcp_nl_filter_new(const struct nlattr *nest, u32 refused,
					  struct sock *asker, struct netlink_ext_ack *extack);
/*
 * Do the conditions on entries hold for e? What e does not have fulfils no condition: a
 * TIME_WAIT entry has no owner, a listener no peer. Those on events are not looked at. Context: any,
 * inside RCU. Lock: none.
 */
bool atcp_nl_filter_match(const struct atcp_nl_filter *f, const struct atcp_entry_info *e);
/* The same for one that has ended; the state is its last one. */
struct atcp_closed;
bool atcp_nl_filter_closed(const struct atcp_nl_filter *f, const struct atcp_closed *c);
/*
 * Read the request of a dump: its attributes (atcp_nl_only) and, if it takes one, its filter without `refused`
 * (atcp_nl_filter_new), which done frees. Both .start and .dumpit call it: some kernels have an extended ACK for
 * the former, where it can say which attribute is at fault, all have one for the latter.
 */
int atcp_nl_dump_start(struct netlink_callback *cb, u32 taken, u32 refused);
int atcp_nl_dump_read(struct netlink_callback *cb, u32 taken, u32 refused);
int atcp_nl_filter_done(struct netlink_callback *cb);
/* Who made the socket; of a child, the listener's, accepted or not. */
static inline kuid_t atcp_nl_owner(const struct sock *sk)
{
	return READ_ONCE(sk->sk_uid);
}
/* The number that programs know a socket by (SO_COOKIE). */
u64 atcp_nl_cookie(struct sock *sk);

/*
 * Who asks. Sequence numbers, with which strangers could reset or feed a connection (RFC 5961), are told to its
 * owner and to who may change the namespace.
 */
struct atcp_nl_asker {
	kuid_t uid;
	bool admin;
};
/* Of a request; a message that arrives later is told by what this was. */
struct atcp_nl_asker atcp_nl_asker(struct sk_buff *skb, struct net *net);
/* sk is NULL where nobody owns what the numbers are of. */
bool atcp_nl_sees_seq(const struct atcp_nl_asker *a, struct sock *sk);

/* nl_sockets.c */
/* The connection or listener with this cookie, referenced: sock_put it. NULL: there is none. Context: process. */
struct sock *atcp_nl_sock_of(struct net *net, u64 id);
/* The same for an attribute. NULL if id is NULL; an error with a message if there is none. */
struct sock *atcp_nl_sock_by_id(struct net *net, const struct nlattr *id,
				struct netlink_ext_ack *extack);
/* What the files that walk the tables carry along. */
struct atcp_nl_walk {
	struct sk_buff *skb;
	struct netlink_callback *cb;	/* of a dump */
	const struct atcp_nl_filter *filter;
	struct user_namespace *reader;	/* whose numbers the uids are told in */
	const struct atcp_nl_asker *asker; /* of one socket in full; else NULL */
	u64 now_ns;
};
int atcp_nl_walk_dump(struct sk_buff *skb, struct netlink_callback *cb, u32 taken, bool listeners,
		      bool (*put)(void *walk, const struct atcp_entry_info *e));
int atcp_nl_put_addr(struct sk_buff *skb, int attr, u16 family, const union atcp_ip *ip);
/* Family, addresses and ports, within the nest of an entry. */
int atcp_nl_put_tuple(struct sk_buff *skb, const struct atcp_tuple *t);
/* What the core says of a connection. full: with where its time went. */
int atcp_nl_put_info(struct sk_buff *skb, const struct atcp_conn_info *i, bool full);
/* The nest of an entry, within a message that was begun. full: all that there is to say. */
int atcp_nl_put_socket(struct sk_buff *skb, const struct atcp_nl_walk *w,
		       const struct atcp_entry_info *e, bool full);
int atcp_nl_socket_get_doit(struct sk_buff *skb, struct genl_info *info);
int atcp_nl_socket_get_start(struct netlink_callback *cb);
int atcp_nl_socket_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int atcp_nl_socket_get_done(struct netlink_callback *cb);
/* Nests `drop`: dropped segments by reason; what found no place of its own has none. */
int atcp_nl_put_drops(struct sk_buff *skb, const u32 *drops);

/* nl_listeners.c */
int atcp_nl_listener_get_start(struct netlink_callback *cb);
int atcp_nl_listener_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int atcp_nl_listener_get_done(struct netlink_callback *cb);

/* nl_kill.c */
int atcp_nl_socket_kill_doit(struct sk_buff *skb, struct genl_info *info);

/* nl_events.c */
int __init atcp_nl_events_init(void);
void __init atcp_nl_events_start(void);
void atcp_nl_events_stop(void);
void atcp_nl_events_exit(void);
/* genl_family.bind: a netlink socket is about to join a group. Context: process. */
int atcp_nl_group_bind(int group);
int atcp_nl_event_subscribe_doit(struct sk_buff *skb, struct genl_info *info);

/* nl_counts.c */
int atcp_nl_counter_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int atcp_nl_reason_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int atcp_nl_cc_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int atcp_nl_tables_get_doit(struct sk_buff *skb, struct genl_info *info);

/* nl_records.c */
/* The nest of a connection that has ended, as attribute attr. reader: whose number the owner is told in. */
int atcp_nl_put_record(struct sk_buff *skb, int attr, const struct atcp_closed *c,
		       struct user_namespace *reader);
int atcp_nl_record_get_start(struct netlink_callback *cb);
int atcp_nl_record_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int atcp_nl_record_get_done(struct netlink_callback *cb);

#endif /* ATCP_NL_H */
