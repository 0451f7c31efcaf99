// SPDX-License-Identifier: GPL-2.0
/*
 * Filters: which sockets a dump shows, a kill ends, a subscription is about. A filter is read and
 * checked once, when the request begins, and then compared with each entry in the kernel. What
 * makes no sense is refused: a filter that silently meant nothing would show, or kill, the
 * wrong ones.
 */
#include <linux/slab.h>
#include <linux/sock_diag.h>
#include <linux/user_namespace.h>

#include "glue.h"
#include "nl.h"

#define HAS(f, attr) ((f)->present & BIT(ATCP_FILTER_A_##attr))
#define STATES_ALL GENMASK(__ATCP_STATE_MAX - 1, ATCP_STATE_ESTABLISHED)
#define EVENTS_ALL GENMASK(__ATCP_EVENT_KIND_MAX - 1, ATCP_EVENT_KIND_STATE)

/* A number that the policy cannot judge. The kernels that can, say which it was. */
#ifdef NL_SET_ERR_MSG_FMT
#define REFUSE(extack, attr, value, name, must) do {				\
		NL_SET_BAD_ATTR(extack, attr);					\
		NL_SET_ERR_MSG_FMT(extack, "filter " name "=%llu: must be " must, (u64)(value)); \
	} while (0)
#else
#define REFUSE(extack, attr, value, name, must)					\
	NL_SET_ERR_MSG_ATTR(extack, attr, "filter " name ": must be " must)
#endif

static bool is_family(u32 family)
{
	return family == ATCP_AF_INET || family == ATCP_AF_INET6;
}

static int read_sets(struct atcp_nl_filter *f, struct nlattr **tb, struct netlink_ext_ack *extack)
{
	const struct nlattr *states = tb[ATCP_FILTER_A_STATES], *events = tb[ATCP_FILTER_A_EVENTS];
	const struct nlattr *reasons = tb[ATCP_FILTER_A_REASONS];

	if (states) {
		f->states = nla_get_u32(states);
		if (!f->states || (f->states & ~STATES_ALL)) {
			REFUSE(extack, states, f->states, "states", "a set of the bits 1..11");
			return -EINVAL;
		}
	}
	if (events) {
		f->events = nla_get_u32(events);
		if (!f->events || (f->events & ~EVENTS_ALL)) {
			REFUSE(extack, events, f->events, "events", "a set of the bits 1..16");
			return -EINVAL;
		}
	}
	if (reasons)
		nla_memcpy(f->reasons, reasons, sizeof(f->reasons));
	BUILD_BUG_ON(ATCP_STATE_CLOSING != 11 || ATCP_EVENT_KIND_LOST != 16);
	BUILD_BUG_ON(__ATCP_REASON_MAX > 8 * sizeof(f->reasons));
	return 0;
}

/* An address with the number of its bits that count. */
static int read_prefix(struct atcp_nl_prefix *out, const struct nlattr *addr,
		       const struct nlattr *bits, bool local, struct netlink_ext_ack *extack)
{
	if (!addr && bits) {
		NL_SET_ERR_MSG_ATTR(extack, bits, "filter: a prefix length without an address");
		return -EINVAL;
	}
	if (!addr)
		return 0;
	if (nla_len(addr) != sizeof(out->ip.v4) && nla_len(addr) != sizeof(out->ip.v6)) {
		if (local)
			REFUSE(extack, addr, nla_len(addr), "length of laddr", "4 or 16");
		else
			REFUSE(extack, addr, nla_len(addr), "length of raddr", "4 or 16");
		return -EINVAL;
	}
	nla_memcpy(&out->ip, addr, nla_len(addr));
	out->family = nla_len(addr) == sizeof(out->ip.v4) ? ATCP_AF_INET : ATCP_AF_INET6;
	out->bits = 8 * nla_len(addr);
	if (bits && nla_get_u8(bits) > out->bits) {
		if (local)
			REFUSE(extack, bits, nla_get_u8(bits), "laddr-prefix",
			       "in 0..32 for IPv4, 0..128 for IPv6");
		else
			REFUSE(extack, bits, nla_get_u8(bits), "raddr-prefix",
			       "in 0..32 for IPv4, 0..128 for IPv6");
		return -ERANGE;
	}
	if (bits)
		out->bits = nla_get_u8(bits);
	return 0;
}

static int read_addresses(struct atcp_nl_filter *f, struct nlattr **tb,
			  struct netlink_ext_ack *extack)
{
	const struct nlattr *family = tb[ATCP_FILTER_A_FAMILY];
	int err;

	if (family) {
		f->family = nla_get_u16(family);
		if (!is_family(f->family)) {
			REFUSE(extack, family, f->family, "family", "2 (IPv4) or 10 (IPv6)");
			return -EAFNOSUPPORT;
		}
	}
	err = read_prefix(&f->laddr, tb[ATCP_FILTER_A_LADDR], tb[ATCP_FILTER_A_LADDR_PREFIX], true,
			  extack);
	if (!err)
		err = read_prefix(&f->raddr, tb[ATCP_FILTER_A_RADDR],
				  tb[ATCP_FILTER_A_RADDR_PREFIX], false, extack);
	return err;
}

static int read_ports(u16 *min, u16 *max, const struct nlattr *least, const struct nlattr *most,
		      struct netlink_ext_ack *extack)
{
	*min = least ? nla_get_u16(least) : 0;
	*max = most ? nla_get_u16(most) : U16_MAX;
	if (*min <= *max)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, most, "filter: the largest port is below the least");
	return -EINVAL;
}

static int read_owner(struct atcp_nl_filter *f, struct nlattr **tb, struct sock *asker,
		      struct netlink_ext_ack *extack)
{
	const struct nlattr *uid = tb[ATCP_FILTER_A_UID], *id = tb[ATCP_FILTER_A_ID];

	if (uid) {
		f->uid = make_kuid(sk_user_ns(asker), nla_get_u32(uid));
		if (!uid_valid(f->uid)) {
			REFUSE(extack, uid, nla_get_u32(uid), "uid", "one of your user namespace");
			return -EINVAL;
		}
	}
	if (tb[ATCP_FILTER_A_CC])
		nla_strscpy(f->cc, tb[ATCP_FILTER_A_CC], sizeof(f->cc));
	if (id) {
		f->id = nla_get_u64(id);
		if (!f->id) {
			REFUSE(extack, id, f->id, "id", "a socket's cookie, not 0");
			return -EINVAL;
		}
	}
	return 0;
}

/* Remember where the listener is; there need not be any other condition. */
static bool find_listener(void *arg, const struct atcp_entry_info *e)
{
	struct atcp_nl_filter *f = arg;

	if ((u64)atomic64_read(&atcp_sk_of_conn(e->conn)->sk_cookie) != f->listener)
		return true;
	f->listener_at = e->tuple;
	return false;
}

static int read_listener(struct atcp_nl_filter *f, const struct nlattr *attr, struct net *net,
			 struct netlink_ext_ack *extack)
{
	u64 at = 0;

	if (!attr)
		return 0;
	f->listener = nla_get_u64(attr);
	if (f->listener && !atcp_core_walk(atcp_pernet(net)->core, true, &at, atcp_now(),
					   find_listener, f))
		return 0;
	REFUSE(extack, attr, f->listener, "listener", "the cookie of one that is here");
	return -ENOENT;
}

static int read_filter(struct atcp_nl_filter *f, struct nlattr **tb, u32 refused,
		       struct sock *asker, struct netlink_ext_ack *extack)
{
	int i, err;

	for (i = 1; i < __ATCP_FILTER_A_MAX; i++) {
		if (!tb[i])
			continue;
		f->present |= BIT(i);
		if (!(BIT(i) & refused))
			continue;
		NL_SET_ERR_MSG_ATTR(extack, tb[i], "filter: only subscriptions to events take this");
		return -EINVAL;
	}
	err = read_sets(f, tb, extack);
	if (!err)
		err = read_addresses(f, tb, extack);
	if (!err)
		err = read_ports(&f->lport.min, &f->lport.max, tb[ATCP_FILTER_A_LPORT_MIN],
				 tb[ATCP_FILTER_A_LPORT_MAX], extack);
	if (!err)
		err = read_ports(&f->rport.min, &f->rport.max, tb[ATCP_FILTER_A_RPORT_MIN],
				 tb[ATCP_FILTER_A_RPORT_MAX], extack);
	if (!err)
		err = read_owner(f, tb, asker, extack);
	if (!err)
		err = read_listener(f, tb[ATCP_FILTER_A_LISTENER], sock_net(asker), extack);
	return err;
}

struct atcp_nl_filter *atcp_nl_filter_new(const struct nlattr *nest, u32 refused,
					  struct sock *asker, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[__ATCP_FILTER_A_MAX];
	struct atcp_nl_filter *f;
	int err;

	/* The last of the set is for alignment, so the policy is shorter than tb. */
	memset(tb, 0, sizeof(tb));
	err = atcp_nl_parse(tb, &atcp_nl_nest_filter, nest, extack);
	if (err)
		return ERR_PTR(err);
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return ERR_PTR(-ENOMEM);
	err = read_filter(f, tb, refused, asker, extack);
	if (err) {
		kfree(f);
		return ERR_PTR(err);
	}
	return f;
}

int atcp_nl_dump_read(struct netlink_callback *cb, u32 taken, u32 refused)
{
	struct atcp_nl_cursor *cur = atcp_nl_cursor(cb);
	const struct nlattr *nest;
	struct atcp_nl_filter *f;
	int err;

	if (cur->read)
		return 0;
	err = atcp_nl_only(atcp_dump_attrs(cb), taken, cb->extack);
	if (err)
		return err;
	cur->read = true;
	nest = atcp_dump_attrs(cb)[ATCP_A_FILTER];
	if (!nest)
		return 0;
	f = atcp_nl_filter_new(nest, refused, NETLINK_CB(cb->skb).sk, cb->extack);
	if (IS_ERR(f))
		return PTR_ERR(f);
	cur->filter = f;
	return 0;
}

int atcp_nl_dump_start(struct netlink_callback *cb, u32 taken, u32 refused)
{
	return cb->extack ? atcp_nl_dump_read(cb, taken, refused) : 0;
}

int atcp_nl_filter_done(struct netlink_callback *cb)
{
	kfree(atcp_nl_cursor(cb)->filter);
	return 0;
}

/* ---- comparing --------------------------------------------------------------------- */

u64 atcp_nl_cookie(struct sock *sk)
{
	u32 half[2];

	sock_diag_save_cookie(sk, half);
	return (u64)half[1] << 32 | half[0];
}

/* A cookie that nobody has been told yet is nobody's. */
static bool has_cookie(struct atcp_conn *c, u64 cookie)
{
	return (u64)atomic64_read(&atcp_sk_of_conn(c)->sk_cookie) == cookie;
}

static bool within(const struct atcp_nl_prefix *p, u16 family, const union atcp_ip *ip)
{
	const u8 *a = p->ip.v6, *b = ip->v6;
	u8 whole = p->bits / 8, rest = p->bits % 8;

	if (family != p->family || memcmp(a, b, whole))
		return false;
	return !rest || !((a[whole] ^ b[whole]) >> (8 - rest));
}

static bool match_tuple(const struct atcp_nl_filter *f, const struct atcp_entry_info *e)
{
	const struct atcp_tuple *t = &e->tuple;
	u16 lport = ntohs(atcp_be16(t->lport)), rport = ntohs(atcp_be16(t->rport));

	if (e->kind == ATCP_FOUND_LISTENER &&
	    (HAS(f, RADDR) || HAS(f, RPORT_MIN) || HAS(f, RPORT_MAX)))
		return false;
	return (!HAS(f, FAMILY) || t->family == f->family) &&
	       (!HAS(f, LADDR) || within(&f->laddr, t->family, &t->laddr)) &&
	       (!HAS(f, RADDR) || within(&f->raddr, t->family, &t->raddr)) &&
	       lport >= f->lport.min && lport <= f->lport.max && rport >= f->rport.min &&
	       rport <= f->rport.max;
}

static size_t addr_bytes(u16 family)
{
	return family == ATCP_AF_INET6 ? sizeof_field(union atcp_ip, v6) :
					 sizeof_field(union atcp_ip, v4);
}

static bool is_any(const struct atcp_tuple *at)
{
	return !memchr_inv(&at->laddr, 0, addr_bytes(at->family));
}

/* Is this the address that the listener has? */
static bool at_listener(const struct atcp_nl_filter *f, const struct atcp_tuple *t)
{
	const struct atcp_tuple *at = &f->listener_at;

	return t->family == at->family && t->lport == at->lport &&
	       (is_any(at) || !memcmp(&t->laddr, &at->laddr, addr_bytes(at->family)));
}

/* A listener's requests know it; of connections and TIME_WAIT entries only its address tells. */
static bool match_listener(const struct atcp_nl_filter *f, const struct atcp_entry_info *e)
{
	switch (e->kind) {
	case ATCP_FOUND_LISTENER:
	case ATCP_FOUND_REQUEST:
		return has_cookie(e->conn, f->listener);
	case ATCP_FOUND_CONN:
		if (!e->conn ||
		    !(READ_ONCE(atcp_sk(atcp_sk_of_conn(e->conn))->flags) & ATCP_F_CHILD))
			return false;
		break;
	}
	return at_listener(f, &e->tuple);
}

/* Of conditions that only sockets fulfil. A request has its listener's owner, and nothing else. */
static bool match_socket(const struct atcp_nl_filter *f, const struct atcp_entry_info *e)
{
	if (HAS(f, UID) && (!e->conn || !uid_eq(atcp_nl_owner(atcp_sk_of_conn(e->conn)), f->uid)))
		return false;
	if (!HAS(f, CC) && !HAS(f, ID))
		return true;
	if (!e->conn || e->kind == ATCP_FOUND_REQUEST)
		return false;
	return (!HAS(f, CC) || !strcmp(atcp_core_get_cc(e->conn), f->cc)) &&
	       (!HAS(f, ID) || has_cookie(e->conn, f->id));
}

bool atcp_nl_filter_match(const struct atcp_nl_filter *f, const struct atcp_entry_info *e)
{
	if (!f)
		return true;
	return (!HAS(f, STATES) || (f->states & BIT(e->state))) && match_tuple(f, e) &&
	       (!HAS(f, LISTENER) || match_listener(f, e)) && match_socket(f, e);
}

bool atcp_nl_filter_closed(const struct atcp_nl_filter *f, const struct atcp_closed *c)
{
	const struct atcp_record *r = &c->record;
	const struct atcp_entry_info e = { .tuple = r->tuple, .kind = ATCP_FOUND_CONN };

	if (!f)
		return true;
	return (!HAS(f, STATES) || (f->states & BIT(r->info.state))) && match_tuple(f, &e) &&
	       (!HAS(f, LISTENER) || (r->passive && at_listener(f, &r->tuple))) &&
	       (!HAS(f, UID) || uid_eq(c->uid, f->uid)) && (!HAS(f, CC) || !strcmp(r->cc, f->cc)) &&
	       (!HAS(f, ID) || c->cookie == f->id);
}
