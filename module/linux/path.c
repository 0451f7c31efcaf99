// SPDX-License-Identifier: GPL-2.0
/*
 * IPv4 source routes (RFC 9293 3.9.2.1): the IP options of a socket, given by its program or turned round from what a
 * peer's packets brought, and the way back of answers that no socket sends. None of this exists unless a program sets
 * IP_OPTIONS, or the administrator lets source-routed packets in (accept_source_route, off in Linux by default).
 *
 * Ways back live in a table of fixed size per namespace, one slot for each hash of a tuple, where a newer one takes the
 * older one's place: SYN-ACKs that are sent again, answers of TIME_WAIT and new children find theirs there. Only a SYN
 * that may make a request, and a connection that ends, put one in: a segment that somebody forged for a handshake would
 * otherwise turn it round. What a listener, or nobody, answers at once goes back the way of the segment. Whoever loses a
 * slot to another tuple is answered along the ordinary route until the core believes a segment.
 *
 * Only source routes are turned round; timestamps and recorded routes that came with them are not answered.
 */
#include <linux/jhash.h>
#include <net/ip.h>

#include "glue.h"

/* Slots; and seconds after which a way back is not believed any more, the life of a segment. */
enum { ATCP_PATH_SLOTS = 64, ATCP_PATH_LIFE_S = 120 };

/* Bytes of the longest source route: nine entries. */
enum { ATCP_ROUTE_MAX = 39 };

struct atcp_path_slot {
	struct atcp_tuple tuple;
	unsigned long since; /* jiffies */
	/* A struct atcp_path, of which there is no array because its last member is open; optlen 0: nobody's. */
	u64 path[DIV_ROUND_UP(sizeof(struct atcp_path), sizeof(u64))];
};

static struct atcp_path *atcp_slot_path(struct atcp_path_slot *slot)
{
	return (struct atcp_path *)slot->path;
}

/**
 * struct atcp_paths - ways back of a namespace
 * @lock: protects @slots; a leaf
 * @seed: of the hash, so that nobody chooses whose slot he takes
 * @slots: see above
 */
struct atcp_paths {
	spinlock_t lock;
	u32 seed;
	struct atcp_path_slot slots[ATCP_PATH_SLOTS];
};

/* What this CPU is just handing to the core; or NULL. Only its softirqs look. */
static DEFINE_PER_CPU(const struct atcp_path_now *, atcp_path_now);

static struct atcp_path_slot *atcp_path_slot(struct atcp_paths *paths, const struct atcp_tuple *t)
{
	u32 h = jhash_3words((u32)t->laddr.v4, (u32)t->raddr.v4, t->lport | (u32)t->rport << 16,
			     paths->seed);

	return &paths->slots[h % ATCP_PATH_SLOTS];
}

static bool atcp_path_same(const struct atcp_tuple *a, const struct atcp_tuple *b)
{
	return a->laddr.v4 == b->laddr.v4 && a->raddr.v4 == b->raddr.v4 && a->lport == b->lport &&
	       a->rport == b->rport;
}

bool atcp_path_reverse(struct net *net, const struct sk_buff *skb, struct atcp_path *out)
{
	u32 at = IPCB(skb)->opt.srr, end = ip_hdrlen(skb), hops, i;
	const u8 *route = skb_network_header(skb) + at;
	struct ip_options *opt = &out->data.opt.opt;
	u8 *to = (u8 *)out->data.data;

	opt->optlen = 0;
	/* IP has looked at the lengths, but a rule of netfilter may have written over them since. */
	if (at < sizeof(struct iphdr) || at + 3 > end || route[1] < 7 || route[1] > ATCP_ROUTE_MAX ||
	    (route[1] - 3) % 4 || at + route[1] > end)
		return false;
	/* The pointer is behind the last entry: nothing of the route is left. */
	if (route[2] <= route[1])
		return false;
	hops = (route[1] - 3) / 4;
	/* Some senders count themselves in (RFC 1812 5.2.4.1). */
	if (!memcmp(route + 3, &ip_hdr(skb)->saddr, 4)) {
		route += 4;
		hops--;
	}
	if (!hops)
		return false;
	BUILD_BUG_ON(offsetof(struct ip_options_data, data) !=
		     offsetof(struct ip_options_data, opt.opt.__data));
	memset(out, 0, sizeof(*out));
	to[0] = IPCB(skb)->opt.is_strictroute ? IPOPT_SSRR : IPOPT_LSRR;
	to[1] = 3 + 4 * hops;
	to[2] = 4;
	for (i = 0; i < hops; i++)
		memcpy(to + 3 + 4 * i, route + 3 + 4 * (hops - 1 - i), 4);
	to[3 + 4 * hops] = IPOPT_END;
	opt->optlen = 4 + 4 * hops;
	/* Takes the first hop out of the list, as it does for programs. */
	if (!ip_options_compile(net, opt, NULL))
		return true;
	opt->optlen = 0;
	return false;
}

const struct atcp_path *atcp_path_read(struct atcp_osns *osns, const struct sk_buff *skb,
				       struct atcp_path *room)
{
	if (likely(!IPCB(skb)->opt.srr)) {
		if (likely(!smp_load_acquire(&osns->paths)))
			return NULL;
		room->data.opt.opt.optlen = 0;
		return room;
	}
	atcp_path_reverse(osns->net, skb, room);
	return room;
}

/* The namespace's table; made if it is not there. NULL: no memory. */
static struct atcp_paths *atcp_paths_get(struct atcp_osns *osns)
{
	struct atcp_paths *paths = smp_load_acquire(&osns->paths);
	struct atcp_paths *made;

	if (paths)
		return paths;
	made = kzalloc(sizeof(*made), GFP_ATOMIC | __GFP_NOWARN);
	if (!made)
		return NULL;
	spin_lock_init(&made->lock);
	made->seed = get_random_u32();
	/* Another CPU may have been faster. */
	paths = cmpxchg(&osns->paths, NULL, made);
	if (!paths)
		return made;
	kfree(made);
	return paths;
}

/* path, or none if its optlen is 0, is the way back for t from now on. */
static void atcp_path_store(struct atcp_osns *osns, const struct atcp_tuple *t,
			    const struct atcp_path *path)
{
	bool routed = path->data.opt.opt.optlen;
	struct atcp_paths *paths = routed ? atcp_paths_get(osns) : smp_load_acquire(&osns->paths);
	struct atcp_path_slot *slot;

	if (!paths)
		return;
	spin_lock_bh(&paths->lock);
	slot = atcp_path_slot(paths, t);
	if (routed) {
		slot->tuple = *t;
		slot->since = jiffies;
		*atcp_slot_path(slot) = *path;
	} else if (atcp_path_same(&slot->tuple, t)) {
		/* A new connection, by the ordinary route. */
		atcp_slot_path(slot)->data.opt.opt.optlen = 0;
	}
	spin_unlock_bh(&paths->lock);
}

void atcp_path_enter(struct atcp_osns *osns, const struct atcp_path_now *now, bool keep)
{
	if (keep)
		atcp_path_store(osns, now->tuple, now->path);
	this_cpu_write(atcp_path_now, now);
}

void atcp_path_leave(void)
{
	this_cpu_write(atcp_path_now, NULL);
}

bool atcp_path_find(struct atcp_osns *osns, const struct atcp_tuple *t, bool accepted,
		    struct atcp_path *out)
{
	const struct atcp_path_now *now = this_cpu_read(atcp_path_now);
	struct atcp_paths *paths = smp_load_acquire(&osns->paths);
	struct atcp_path_slot *slot;
	bool found;

	if (unlikely(now) && atcp_path_same(now->tuple, t)) {
		if ((now->answers || accepted) && now->path->data.opt.opt.optlen) {
			*out = *now->path;
			return true;
		}
		if (now->answers)
			return false;
	}
	if (likely(!paths))
		return false;
	spin_lock_bh(&paths->lock);
	slot = atcp_path_slot(paths, t);
	found = atcp_slot_path(slot)->data.opt.opt.optlen && atcp_path_same(&slot->tuple, t) &&
		time_before(jiffies, slot->since + ATCP_PATH_LIFE_S * HZ);
	if (found)
		*out = *atcp_slot_path(slot);
	spin_unlock_bh(&paths->lock);
	return found;
}

void atcp_paths_free(struct atcp_osns *osns)
{
	kfree(osns->paths);
	osns->paths = NULL;
}

/* ---- sockets ------------------------------------------------------------------------- */

/* The options of a socket; valid while the lock is held, or inside RCU. NULL: none. */
const struct ip_options *atcp_path_of(const struct sock *sk)
{
	struct ip_options_rcu *opt = rcu_dereference_check(inet_sk(sk)->inet_opt,
							   lockdep_sock_is_held(sk));

	return opt && opt->opt.optlen ? &opt->opt : NULL;
}

__be32 atcp_path_first_hop(const struct ip_options *opt, __be32 daddr)
{
	return opt && opt->srr ? opt->faddr : daddr;
}

bool atcp_path_strict_ok(const struct ip_options *opt, struct rtable *rt)
{
	if (likely(!opt || !opt->is_strictroute || !rt->rt_uses_gateway))
		return true;
	ip_rt_put(rt);
	return false;
}

struct ip_options_rcu *atcp_path_dup(const struct atcp_path *path)
{
	u32 optlen = path->data.opt.opt.optlen;
	struct ip_options_rcu *opt;

	opt = kmalloc(sizeof(*opt) + optlen, GFP_ATOMIC | __GFP_NOWARN);
	if (!opt)
		return NULL;
	memcpy(opt, &path->data.opt, sizeof(*opt));
	memcpy(opt->opt.__data, path->data.data, optlen);
	return opt;
}

/* Replace the options of a socket. opt: its own from now on, or NULL. Lock: socket. */
static void path_replace(struct sock *sk, struct ip_options_rcu *opt)
{
	struct ip_options_rcu *old;

	old = rcu_replace_pointer(inet_sk(sk)->inet_opt, opt, lockdep_sock_is_held(sk));
	if (old)
		kfree_rcu(old, rcu);
}

/* Lock: socket. */
static void path_changed(struct sock *sk)
{
	sk_dst_reset(sk);
	atcp_core_ip_options(&atcp_sk(sk)->conn, atcp_sock_opt_len(sk));
}

/* Are the options the program's, or about to be? Lock: socket. */
static bool path_is_own(const struct atcp_sock *asp)
{
	return (asp->flags & ATCP_F_OWN_PATH) || asp->path_setters;
}

/* IP takes and releases the lock itself: what a peer's packets teach in between must not take the place of what
 * the program has just said.
 */
int atcp_path_set(struct sock *sk, sockptr_t val, unsigned int len)
{
	struct atcp_sock *asp = atcp_sk(sk);
	int err;

	lock_sock(sk);
	asp->path_setters++;
	release_sock(sk);
	err = ip_setsockopt(sk, SOL_IP, IP_OPTIONS, val, len);
	lock_sock(sk);
	asp->path_setters--;
	if (!err) {
		asp->flags |= ATCP_F_OWN_PATH;
		path_changed(sk);
	}
	release_sock(sk);
	return err;
}

void atcp_path_forget(struct sock *sk)
{
	if (!path_is_own(atcp_sk(sk)))
		path_replace(sk, NULL);
}

void atcp_path_keep(struct sock *sk)
{
	const struct ip_options *opt = atcp_path_of(sk);
	const struct inet_sock *inet = inet_sk(sk);
	struct atcp_path path;
	struct atcp_tuple t;

	if (likely(!opt || !opt->srr))
		return;
	memset(&t, 0, sizeof(t));
	t.family = ATCP_AF_INET;
	t.laddr.v4 = (__force u32)inet->inet_saddr;
	t.raddr.v4 = (__force u32)inet->inet_daddr;
	t.lport = (__force u16)inet->inet_sport;
	t.rport = (__force u16)inet->inet_dport;
	memset(&path, 0, sizeof(path));
	memcpy(&path.data.opt.opt, opt, sizeof(*opt));
	memcpy(path.data.data, opt->__data, opt->optlen);
	atcp_path_store(atcp_sk_osns(sk), &t, &path);
}

/* Is it the next segment that the peer owes us, and does it acknowledge what it can? More than the core asks of data,
 * for whoever moves the way back gets all that we send. Lock: socket.
 */
static bool atcp_path_credible(const struct atcp_sock *asp, const struct atcp_seg *seg)
{
	struct atcp_conn_info info;

	atcp_core_conn_info(&asp->conn, &info, atcp_now());
	return (seg->flags & ATCP_ACK) && seg->seq == info.rcv_nxt &&
	       (s32)(seg->ack - info.snd_una) >= 0 && (s32)(info.snd_nxt - seg->ack) >= 0;
}

/* A segment for a connection brought a source route. RFC 9293 3.9.2.1: it is for passive opens, the latest counts
 * (MUST-53, SHLD-24), and what the program said counts more (MUST-52). Lock: socket.
 */
void atcp_path_learn(struct sock *sk, const struct atcp_seg *seg, const struct sk_buff *skb)
{
	const struct ip_options *old = atcp_path_of(sk);
	struct atcp_sock *asp = atcp_sk(sk);
	struct ip_options_rcu *opt;
	struct atcp_path path;

	if (!(asp->flags & ATCP_F_CHILD) || path_is_own(asp) ||
	    !atcp_path_credible(asp, seg) || !atcp_path_reverse(sock_net(sk), skb, &path))
		return;
	if (old && old->optlen == path.data.opt.opt.optlen && old->faddr == path.data.opt.opt.faddr &&
	    !memcmp(old->__data, path.data.data, old->optlen))
		return;
	opt = atcp_path_dup(&path);
	if (!opt)
		return;
	path_replace(sk, opt);
	path_changed(sk);
}

/* ---- sending ------------------------------------------------------------------------- */

/* The options behind an IP header that has room for them, and the first hop into it. */
void atcp_path_write(struct sk_buff *skb, const struct ip_options *opt)
{
	struct iphdr *iph = ip_hdr(skb);
	u8 *start = (u8 *)iph;
	__be32 daddr = iph->daddr;
	__be32 time;

	memcpy(&IPCB(skb)->opt, opt, sizeof(*opt));
	memcpy(iph + 1, opt->__data, opt->optlen);
	iph->daddr = atcp_path_first_hop(opt, daddr);
	/* The last entry of a source route is where it ends. */
	if (opt->srr)
		memcpy(start + opt->srr + start[opt->srr + 1] - 4, &daddr, 4);
	/* The pointers stand behind the entries that are ours to fill in. */
	if (opt->rr_needaddr)
		memcpy(start + opt->rr + start[opt->rr + 2] - 5, &iph->saddr, 4);
	if (opt->ts_needaddr)
		memcpy(start + opt->ts + start[opt->ts + 2] - 9, &iph->saddr, 4);
	if (opt->ts_needtime) {
		time = inet_current_timestamp();
		memcpy(start + opt->ts + start[opt->ts + 2] - 5, &time, 4);
	}
}
