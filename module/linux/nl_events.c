// SPDX-License-Identifier: GPL-2.0
/*
 * Events over netlink: EVENT_SUBSCRIBE, after which the asking socket gets EVENT_NTF of whatever its filter lets
 * through, and the multicast group "events", whose members get everything.
 *
 * Subscribers are on an RCU list of their namespace. Events arise in softirq and inside locks of the core; they walk the list,
 * make the message at most once (GFP_ATOMIC) and queue a clone of it to each reader whom it concerns: nothing sleeps, and
 * what waits for a reader is bounded by his receive buffer. When that is full, the event is lost for him; he is told how
 * many were, by an event `lost` in front of the next one that fits, or by @flush within a second if none follows.
 * (With several CPUs telling at once, one of them may get between the two.) Members of the group see a gap in the attribute seq.
 *
 * atcp_watch_mutex (process context) covers subscribing, unsubscribing and the votes of atcp_watched. A subscription ends
 * with its netlink socket (NETLINK_URELEASE), its namespace or the module.
 *
 * Who joins the group is heard of where the family has a say in it (6.9 and later); before, once a second somebody looks.
 * That the last one has left is seen by looking in any case: while anybody counts as a reader, once a second.
 */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "glue.h"
#include "nl.h"

/* Room for any event but CLOSED: headers, some thirty attributes, two addresses, the longest name of a reason. */
enum { EVENT_BYTES = 512 };

/**
 * struct interest - what a subscriber wants to hear of; constant
 * @rcu: defers its end
 * @filtered: there are conditions:
 * @filter: those that an entry of a table could fulfil as well, but for:
 * @states: bit set; an event that changes the state is of both
 * @id: cookie, of what has no socket of its own the listener's; 0: any
 * @kinds: bit set of ATCP_EVENT_KIND_*
 * @by_reason: of events that have a reason only those in @filter.reasons
 */
struct interest {
	struct rcu_head rcu;
	bool filtered;
	struct atcp_nl_filter filter;
	u32 states;
	u64 id;
	u32 kinds;
	bool by_reason;
};

/**
 * struct subscriber - a netlink socket that asked for events
 * @list: in atcp_watchers.subscribers
 * @rcu: defers its end
 * @interest: replaced as a whole when it asks again; RCU, atcp_watch_mutex to write
 * @asker: who it was when it asked first; constant
 * @portid: its address
 * @lost: events that it did not get and does not know of
 */
struct subscriber {
	struct list_head list;
	struct rcu_head rcu;
	struct interest __rcu *interest;
	struct atcp_nl_asker asker;
	u32 portid;
	atomic64_t lost;
};

/* Messages to the group in a row that nobody took, before the pauses begin. */
enum { UNHEARD_MOST = 64 };

static DEFINE_MUTEX(atcp_watch_mutex);

/* How often somebody was about to join the group, where the family is told. */
static unsigned long group_joins;

/* The family has its numbers: messages can be made. RCU; atcp_watch_mutex to write. */
static bool family_up;

/* ---- messages ------------------------------------------------------------------------ */

static int put_address(struct sk_buff *skb, int attr, u16 family, const union atcp_ip *ip)
{
	return nla_put(skb, attr, family == ATCP_AF_INET6 ? sizeof(ip->v6) : sizeof(ip->v4), ip);
}

static int put_who(struct sk_buff *skb, const struct atcp_told *t)
{
	if (t->id && nla_put_u64_64bit(skb, ATCP_EVENT_A_ID, t->id, ATCP_EVENT_A_PAD))
		return -EMSGSIZE;
	return nla_put_u16(skb, ATCP_EVENT_A_FAMILY, t->tuple.family) ||
	       put_address(skb, ATCP_EVENT_A_LADDR, t->tuple.family, &t->tuple.laddr) ||
	       put_address(skb, ATCP_EVENT_A_RADDR, t->tuple.family, &t->tuple.raddr) ||
	       nla_put_u16(skb, ATCP_EVENT_A_LPORT, ntohs(atcp_be16(t->tuple.lport))) ||
	       nla_put_u16(skb, ATCP_EVENT_A_RPORT, ntohs(atcp_be16(t->tuple.rport)));
}

static int put_reason(struct sk_buff *skb, u32 reason)
{
	return nla_put_u32(skb, ATCP_EVENT_A_REASON, reason) ||
	       nla_put_string(skb, ATCP_EVENT_A_REASON_NAME, atcp_core_reason_name(reason, NULL));
}

static int put_segment(struct sk_buff *skb, const struct atcp_event *e, bool with_seq)
{
	return (with_seq && nla_put_u32(skb, ATCP_EVENT_A_TCP_SEQ, e->seq)) ||
	       nla_put_u32(skb, ATCP_EVENT_A_LEN, e->len) ||
	       nla_put_u8(skb, ATCP_EVENT_A_TCP_FLAGS, e->flags);
}

static int put_cwnd(struct sk_buff *skb, const struct atcp_conn_info *i)
{
	return nla_put_u32(skb, ATCP_EVENT_A_CWND, i->cwnd) ||
	       nla_put_u32(skb, ATCP_EVENT_A_SSTHRESH, i->ssthresh) ||
	       nla_put_u8(skb, ATCP_EVENT_A_CA_STATE, i->ca_state) ||
	       nla_put_u32(skb, ATCP_EVENT_A_SRTT_US, i->srtt_us) ||
	       nla_put_u32(skb, ATCP_EVENT_A_INFLIGHT, atcp_inflight(i)) ||
	       nla_put_u64_64bit(skb, ATCP_EVENT_A_PACING_RATE, i->pacing_rate,
				 ATCP_EVENT_A_PAD) ||
	       nla_put_u64_64bit(skb, ATCP_EVENT_A_DELIVERY_RATE, i->delivery_rate,
				 ATCP_EVENT_A_PAD);
}

static int put_details(struct sk_buff *skb, const struct atcp_told *t, bool with_seq)
{
	const struct atcp_event *e = t->e;

	switch ((enum atcp_event_kind)e->kind) {
	case ATCP_EVENT_KIND_STATE:
		return nla_put_u8(skb, ATCP_EVENT_A_OLD_STATE, t->old_state) ||
		       nla_put_u8(skb, ATCP_EVENT_A_NEW_STATE, t->new_state);
	case ATCP_EVENT_KIND_RETRANSMIT:
		return put_segment(skb, e, with_seq) ||
		       nla_put_u8(skb, ATCP_EVENT_A_RETRANSMIT, e->retransmit);
	case ATCP_EVENT_KIND_DROP:
	case ATCP_EVENT_KIND_RESET_SENT:
	case ATCP_EVENT_KIND_RESET_RECEIVED:
		return put_segment(skb, e, with_seq);
	case ATCP_EVENT_KIND_ACCEPT_QUEUE_FULL:
	case ATCP_EVENT_KIND_ACCEPT_QUEUE_FREE:
		return nla_put_u32(skb, ATCP_EVENT_A_QUEUE, e->queue) ||
		       nla_put_u32(skb, ATCP_EVENT_A_LIMIT, e->limit);
	case ATCP_EVENT_KIND_CWND:
		return put_cwnd(skb, t->info);
	case ATCP_EVENT_KIND_CLOSED:
		/* Whoever owns the namespace reads the uid; all readers share the message. */
		return t->closed ? atcp_nl_put_record(skb, ATCP_EVENT_A_RECORD, t->closed,
						      t->osns->net->user_ns) : 0;
	case ATCP_EVENT_KIND_REQUEST_MADE:
	case ATCP_EVENT_KIND_REQUEST_EXPIRED:
	case ATCP_EVENT_KIND_REQUEST_PROMOTED:
	case ATCP_EVENT_KIND_COOKIE_SENT:
	case ATCP_EVENT_KIND_COOKIE_ACCEPTED:
	case ATCP_EVENT_KIND_COOKIE_REFUSED:
	case ATCP_EVENT_KIND_LOST:
	case __ATCP_EVENT_KIND_MAX:
		break;
	}
	return 0;
}

static int put_event(struct sk_buff *skb, const struct atcp_told *t, u64 seq, bool with_seq)
{
	if (nla_put_u32(skb, ATCP_EVENT_A_KIND, t->e->kind) ||
	    nla_put_u64_64bit(skb, ATCP_EVENT_A_TIME_NS, t->time_ns, ATCP_EVENT_A_PAD) ||
	    nla_put_u64_64bit(skb, ATCP_EVENT_A_SEQ, seq, ATCP_EVENT_A_PAD) || put_who(skb, t))
		return -EMSGSIZE;
	if (t->e->reason && put_reason(skb, t->e->reason))
		return -EMSGSIZE;
	return put_details(skb, t, with_seq);
}

static int put_lost(struct sk_buff *skb, u64 count)
{
	return nla_put_u32(skb, ATCP_EVENT_A_KIND, ATCP_EVENT_KIND_LOST) ||
	       nla_put_u64_64bit(skb, ATCP_EVENT_A_TIME_NS, atcp_now(), ATCP_EVENT_A_PAD) ||
	       nla_put_u64_64bit(skb, ATCP_EVENT_A_COUNT, count, ATCP_EVENT_A_PAD);
}

/* A message with the event, or, without one, with how many were lost. with_seq: sequence numbers, too. NULL: no memory. */
static struct sk_buff *message(const struct atcp_told *t, u64 seq_or_count, bool with_seq)
{
	bool closed = t && t->closed;
	struct sk_buff *skb = genlmsg_new(closed ? NLMSG_GOODSIZE : EVENT_BYTES, GFP_ATOMIC);
	struct nlattr *nest;
	void *hdr;

	if (!skb)
		return NULL;
	hdr = genlmsg_put(skb, 0, 0, &atcp_nl_family, 0, ATCP_CMD_EVENT_NTF);
	nest = hdr ? nla_nest_start(skb, ATCP_A_EVENT) : NULL;
	if (!nest || (t ? put_event(skb, t, seq_or_count, with_seq) : put_lost(skb, seq_or_count))) {
		WARN_ON_ONCE(1);
		kfree_skb(skb);
		return NULL;
	}
	nla_nest_end(skb, nest);
	genlmsg_end(skb, hdr);
	return skb;
}

/* ---- delivery ------------------------------------------------------------------------ */

/* Consumes skb, which may be NULL. False: the reader does not get it. */
static bool queue_to(struct net *net, struct subscriber *s, struct sk_buff *skb)
{
	return skb && !genlmsg_unicast(net, skb, s->portid);
}

/* Tell a subscriber what it lost. False: not even that fits. */
static bool tell_lost(struct net *net, struct subscriber *s)
{
	s64 lost = atomic64_xchg(&s->lost, 0);

	if (!lost || queue_to(net, s, message(NULL, lost, false)))
		return true;
	atomic64_add(lost, &s->lost);
	return false;
}

static void deliver(struct atcp_osns *osns, struct subscriber *s, struct sk_buff *msg)
{
	if ((!atomic64_read(&s->lost) || tell_lost(osns->net, s)) && msg &&
	    queue_to(osns->net, s, skb_clone(msg, GFP_ATOMIC)))
		return;
	atomic64_inc(&s->lost);
	atomic64_inc(&osns->watchers.lost);
	/* Does nothing if it is pending. */
	schedule_delayed_work(&osns->watchers.flush, HZ);
}

static bool matches(const struct interest *i, const struct atcp_told *t)
{
	struct atcp_entry_info e = {
		.tuple = t->tuple,
		.kind = ATCP_FOUND_NONE,
		.conn = (struct atcp_conn *)t->e->conn,
	};
	u32 states = 0;

	if (!i->filtered)
		return true;
	if (t->sk)
		states = BIT(t->sk->sk_state);
	if (t->new_state)
		states = BIT(t->old_state) | BIT(t->new_state);
	if ((i->id && t->id != i->id) || (i->states && !(i->states & states)))
		return false;
	/* What a listener tells of a peer is of a request. */
	if (t->sk && t->sk->sk_state == TCP_LISTEN)
		e.kind = t->e->tuple ? ATCP_FOUND_REQUEST : ATCP_FOUND_LISTENER;
	else if (t->sk)
		e.kind = ATCP_FOUND_CONN;
	return atcp_nl_filter_match(&i->filter, &e);
}

static bool wants(const struct subscriber *s, const struct atcp_told *t)
{
	const struct interest *i = rcu_dereference(s->interest);
	const struct atcp_event *e = t->e;

	if (!(i->kinds & BIT(e->kind)))
		return false;
	if (i->by_reason && e->reason &&
	    !(i->filter.reasons[e->reason / 8] & BIT(e->reason % 8)))
		return false;
	return matches(i, t);
}

/*
 * The kernel knows whether the group has a member in any namespace, not in which: another's members shall not
 * make every event here a message. So after many that nobody took there is a pause, unless somebody joins. (Nor can it be told
 * apart from nobody that a member's buffer is full; his next event has a gap before it in seq in any case.)
 */
static bool group_may_hear(const struct atcp_watchers *w)
{
	return READ_ONCE(w->unheard) < UNHEARD_MOST ||
	       time_after_eq(jiffies, READ_ONCE(w->deaf_until)) ||
	       READ_ONCE(w->deaf_since) != READ_ONCE(group_joins);
}

/* Consumes skb. */
static void tell_group(struct atcp_osns *osns, struct sk_buff *skb)
{
	struct atcp_watchers *w = &osns->watchers;
	unsigned long joins = READ_ONCE(group_joins);

	if (genlmsg_multicast_netns(&atcp_nl_family, osns->net, skb, 0, ATCP_NL_GROUP_EVENTS,
				    GFP_ATOMIC) != -ESRCH) {
		WRITE_ONCE(w->unheard, 0);
		return;
	}
	WRITE_ONCE(w->deaf_since, joins);
	WRITE_ONCE(w->deaf_until, jiffies + HZ / 10);
	if (READ_ONCE(w->unheard) < UNHEARD_MOST)
		WRITE_ONCE(w->unheard, w->unheard + 1);
}

void atcp_nl_tell(const struct atcp_told *told)
{
	struct atcp_osns *osns = told->osns;
	struct atcp_watchers *w = &osns->watchers;
	struct sk_buff *msgs[2] = { NULL, NULL }; /* the second with sequence numbers */
	struct subscriber *s;
	bool group;
	u64 seq;

	rcu_read_lock();
	if (!READ_ONCE(family_up))
		goto out;
	group = genl_has_listeners(&atcp_nl_family, osns->net, ATCP_NL_GROUP_EVENTS) > 0;
	if (!group && !READ_ONCE(w->count))
		goto out;
	seq = atomic64_inc_return(&w->seq);
	group = group && group_may_hear(w);
	list_for_each_entry_rcu(s, &w->subscribers, list) {
		bool all = atcp_nl_sees_seq(&s->asker, told->sk);

		if (!wants(s, told))
			continue;
		if (!msgs[all])
			msgs[all] = message(told, seq, all);
		deliver(osns, s, msgs[all]);
	}
	/* Without sequence numbers: who joined before the family had the group was not asked who he is. */
	if (group && !msgs[false])
		msgs[false] = message(told, seq, false);
	if (group && msgs[false])
		tell_group(osns, msgs[false]);
	else
		consume_skb(msgs[false]);
	consume_skb(msgs[true]);
out:
	rcu_read_unlock();
}

static void flush(struct work_struct *work)
{
	struct atcp_watchers *w = container_of(to_delayed_work(work), struct atcp_watchers, flush);
	struct atcp_osns *osns = container_of(w, struct atcp_osns, watchers);
	struct subscriber *s;
	bool all = true;

	mutex_lock(&atcp_watch_mutex);
	if (family_up)
		list_for_each_entry(s, &w->subscribers, list)
			all &= tell_lost(osns->net, s);
	mutex_unlock(&atcp_watch_mutex);
	if (!all)
		schedule_delayed_work(&w->flush, HZ);
}

/* ---- whether anybody reads ------------------------------------------------------------- */

/*
 * One vote for all subscribers and the group, in all namespaces. It stays for some seconds after the last one has gone:
 * changing a static key interrupts every CPU, and anybody may subscribe and leave as often as he likes.
 */
enum { QUIET_LOOKS = 3 };

/* All of them under atcp_watch_mutex. */
static u32 subscribers;
static u32 quiet;	/* looks in a row that found nobody */
static bool voted;

static void look(struct work_struct *work);
static DECLARE_DELAYED_WORK(look_work, look);

/* Somebody reads, or is about to. */
static void watch(void)
{
	lockdep_assert_held(&atcp_watch_mutex);
	if (!voted)
		static_branch_inc(&atcp_watched);
	voted = true;
	quiet = 0;
	mod_delayed_work(system_wq, &look_work, HZ);
}

static void unwatch(void)
{
	mutex_lock(&atcp_watch_mutex);
	if (voted)
		static_branch_dec(&atcp_watched);
	voted = false;
	mutex_unlock(&atcp_watch_mutex);
}

static bool group_has_members(void)
{
	bool found = false;
	struct net *net;

	down_read(&net_rwsem);
	for_each_net(net) {
		/* Of any namespace will do; the question is about all of them. */
		found = genl_has_listeners(&atcp_nl_family, net, ATCP_NL_GROUP_EVENTS) > 0;
		break;
	}
	up_read(&net_rwsem);
	return found;
}

static void look(struct work_struct *work)
{
	bool members = group_has_members();

	mutex_lock(&atcp_watch_mutex);
	if (members || subscribers) {
		watch();
	} else if (voted && ++quiet >= QUIET_LOOKS) {
		static_branch_dec(&atcp_watched);
		voted = false;
	}
	if (voted || !ATCP_GENL_BIND)
		mod_delayed_work(system_wq, &look_work, HZ);
	mutex_unlock(&atcp_watch_mutex);
}

#if ATCP_GENL_BIND
/* Before the membership exists: the looks of the next seconds find it. */
int atcp_nl_group_bind(int group)
{
	mutex_lock(&atcp_watch_mutex);
	WRITE_ONCE(group_joins, group_joins + 1);
	watch();
	mutex_unlock(&atcp_watch_mutex);
	return 0;
}
#endif

/* ---- subscribing --------------------------------------------------------------------- */

static struct subscriber *find(struct atcp_watchers *w, u32 portid)
{
	struct subscriber *s;

	lockdep_assert_held(&atcp_watch_mutex);
	list_for_each_entry(s, &w->subscribers, list)
		if (s->portid == portid)
			return s;
	return NULL;
}

static void drop(struct atcp_watchers *w, struct subscriber *s)
{
	lockdep_assert_held(&atcp_watch_mutex);
	list_del_rcu(&s->list);
	WRITE_ONCE(w->count, w->count - 1);
	kfree_rcu(rcu_dereference_protected(s->interest, true), rcu);
	kfree_rcu(s, rcu);
	subscribers--;
}

/* Without a filter: everything. */
static int read_interest(struct interest *i, struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *nest = info->attrs[ATCP_A_FILTER];
	struct atcp_nl_filter *f;

	i->kinds = U32_MAX;
	if (!nest)
		return 0;
	f = atcp_nl_filter_new(nest, 0, NETLINK_CB(skb).sk, info->extack);
	if (IS_ERR(f))
		return PTR_ERR(f);
	i->filtered = true;
	i->filter = *f;
	kfree(f);
	f = &i->filter;
	if (f->events)
		i->kinds = f->events;
	i->states = f->states;
	i->id = f->id;
	i->by_reason = f->present & BIT(ATCP_FILTER_A_REASONS);
	f->present &= ~(BIT(ATCP_FILTER_A_STATES) | BIT(ATCP_FILTER_A_ID));
	return 0;
}

/* Those who may not change the namespace leave room for those who may, and for one another. */
static int room_for(struct atcp_watchers *w, const struct atcp_nl_asker *a, struct netlink_ext_ack *extack)
{
	u32 own = 0, strangers = 0;
	struct subscriber *s;

	if (w->count >= ATCP_SUBSCRIBERS) {
		NL_SET_ERR_MSG(extack,
			       "64 sockets subscribe to events of this network namespace already");
		return -EUSERS;
	}
	if (a->admin)
		return 0;
	list_for_each_entry(s, &w->subscribers, list) {
		own += uid_eq(s->asker.uid, a->uid) && !s->asker.admin;
		strangers += !s->asker.admin;
	}
	if (own < ATCP_SUBSCRIBERS_OF_USER && strangers < ATCP_SUBSCRIBERS / 2)
		return 0;
	NL_SET_ERR_MSG(extack, "without CAP_NET_ADMIN a user has 8 subscriptions at most, all such users 32");
	return -EUSERS;
}

static int subscribe(struct atcp_watchers *w, u32 portid, struct interest *i,
		     const struct atcp_nl_asker *a, struct netlink_ext_ack *extack)
{
	struct subscriber *s = find(w, portid);
	int err;

	if (s) {
		i = rcu_replace_pointer(s->interest, i, lockdep_is_held(&atcp_watch_mutex));
		kfree_rcu(i, rcu);
		return 0;
	}
	err = room_for(w, a, extack);
	if (err)
		return err;
	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return -ENOMEM;
	s->portid = portid;
	s->asker = *a;
	RCU_INIT_POINTER(s->interest, i);
	list_add_tail_rcu(&s->list, &w->subscribers);
	WRITE_ONCE(w->count, w->count + 1);
	subscribers++;
	watch();
	return 0;
}

int atcp_nl_event_subscribe_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct atcp_nl_asker asker = atcp_nl_asker(skb, genl_info_net(info));
	struct interest *i;
	int err;

	err = atcp_nl_only(info->attrs, ATCP_NL_EVENT_SUBSCRIBE_DO, info->extack);
	if (err)
		return err;
	i = kzalloc(sizeof(*i), GFP_KERNEL_ACCOUNT);
	if (!i)
		return -ENOMEM;
	err = read_interest(i, skb, info);
	if (!err) {
		mutex_lock(&atcp_watch_mutex);
		err = subscribe(&atcp_pernet(genl_info_net(info))->watchers, info->snd_portid, i,
				&asker, info->extack);
		mutex_unlock(&atcp_watch_mutex);
	}
	if (err)
		kfree(i);
	return err;
}

/* A netlink socket was closed. Context: process. */
static int released(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct netlink_notify *n = data;
	struct atcp_watchers *w;
	struct subscriber *s;

	if (event != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	w = &atcp_pernet(n->net)->watchers;
	if (!READ_ONCE(w->count))
		return NOTIFY_DONE;
	mutex_lock(&atcp_watch_mutex);
	s = find(w, n->portid);
	if (s)
		drop(w, s);
	mutex_unlock(&atcp_watch_mutex);
	return NOTIFY_DONE;
}

static struct notifier_block netlink_closed = { .notifier_call = released };

void atcp_watchers_init(struct atcp_watchers *w)
{
	INIT_LIST_HEAD(&w->subscribers);
	INIT_DELAYED_WORK(&w->flush, flush);
}

void atcp_watchers_exit(struct atcp_watchers *w)
{
	struct subscriber *s, *next;

	mutex_lock(&atcp_watch_mutex);
	list_for_each_entry_safe(s, next, &w->subscribers, list)
		drop(w, s);
	mutex_unlock(&atcp_watch_mutex);
	cancel_delayed_work_sync(&w->flush);
}

/* ---- life ---------------------------------------------------------------------------- */

/* Before the family: from its first moment somebody may subscribe and leave. */
int __init atcp_nl_events_init(void)
{
	return netlink_register_notifier(&netlink_closed);
}

/* The family is registered. */
void __init atcp_nl_events_start(void)
{
	WRITE_ONCE(family_up, true);
	if (!ATCP_GENL_BIND)
		schedule_delayed_work(&look_work, 0);
}

/* The family is about to go: nothing is told any more when this returns. */
void atcp_nl_events_stop(void)
{
	mutex_lock(&atcp_watch_mutex);
	WRITE_ONCE(family_up, false);
	mutex_unlock(&atcp_watch_mutex);
	synchronize_rcu();
}

/* It is gone, so nobody subscribes or joins; subscribers go with their namespaces. */
void atcp_nl_events_exit(void)
{
	netlink_unregister_notifier(&netlink_closed);
	cancel_delayed_work_sync(&look_work);
	unwatch();
}
