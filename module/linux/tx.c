// SPDX-License-Identifier: GPL-2.0
/*
 * From the core's header and a piece of the send queue to IP: clone, headers, checksum offload, GSO,
 * route, ip_local_out. The core decides what is sent; the pieces stay its own and may be sent again.
 *
 * A piece is an skb with an empty linear part in front of payload in page fragments. Its clones
 * share that linear part, so the headers of a clone may be written only while no other clone is
 * alive; otherwise the linear part is copied.
 */
#include <linux/tcp.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "glue.h"

u8 atcp_wire_proto(const struct atcp_osns *osns)
{
	return atcp_core_wire_is_tcp(osns->core) ? IPPROTO_TCP : IPPROTO_ATCP;
}

/* ---- routes -------------------------------------------------------------------------- */

static struct dst_entry *atcp4_sock_route(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);
	struct dst_entry *dst = __sk_dst_check(sk, 0);
	const struct ip_options *opt;
	struct flowi4 fl4 ATCP_UNSET;
	struct rtable *rt;

	if (likely(dst))
		return dst;
	opt = atcp_path_of(sk);
	rt = ip_route_output_ports(sock_net(sk), &fl4, sk,
				   atcp_path_first_hop(opt, inet->inet_daddr), inet->inet_saddr,
				   inet->inet_dport, inet->inet_sport, atcp_sk(sk)->ip_proto,
				   atcp_rt_tos(sk), sk->sk_bound_dev_if);
	if (IS_ERR(rt) || !atcp_path_strict_ok(opt, rt))
		return NULL;
	sk_setup_caps(sk, &rt->dst);
	return &rt->dst;
}

struct dst_entry *atcp_sock_route(struct sock *sk)
{
	return atcp_speaks_v6(sk) ? atcp6_sock_route(sk) : atcp4_sock_route(sk);
}

u32 atcp_sock_opt_len(const struct sock *sk)
{
	const struct ip_options *opt;

	if (atcp_speaks_v6(sk))
		return atcp6_opt_len(sk);
	opt = atcp_path_of(sk);
	return opt ? opt->optlen : 0;
}

static void atcp_route_facts(const struct dst_entry *dst, u32 opt_len, struct atcp_route *out)
{
	out->ip_options = opt_len;
	out->mtu = dst_mtu(dst);
	out->advmss = dst_metric_advmss(dst);
	out->port = (void *)dst;
}

bool atcp_os_conn_route(struct atcp_conn *c, struct atcp_route *out)
{
	struct dst_entry *dst = atcp_sock_route(atcp_sk_of_conn(c));

	if (!dst)
		return false;
	atcp_route_facts(dst, atcp_sock_opt_len(atcp_sk_of_conn(c)), out);
	return true;
}

u32 atcp_os_conn_mtu(struct atcp_conn *c)
{
	struct dst_entry *dst = atcp_sock_route(atcp_sk_of_conn(c));

	return dst ? dst_mtu(dst) : 0;
}

/* RFC 9293 3.8.3: negative advice at R1 (MUST-20). */
void atcp_os_conn_route_suspect(struct atcp_conn *c)
{
	dst_negative_advice(atcp_sk_of_conn(c));
}

struct dst_entry *atcp_tuple_route(struct atcp_osns *ns, struct sock *via,
				   const struct atcp_tuple *t, u8 proto,
				   const struct atcp_path *path)
{
	const struct ip_options *opt = path ? &path->data.opt.opt : NULL;
	struct flowi4 fl4 ATCP_UNSET;
	struct rtable *rt;

	if (t->family == ATCP_AF_INET6)
		return atcp6_tuple_route(ns, via, t, proto);
	rt = ip_route_output_ports(ns->net, &fl4, via,
				   atcp_path_first_hop(opt, atcp_v4(&t->raddr)), atcp_v4(&t->laddr),
				   atcp_be16(t->rport), atcp_be16(t->lport), proto,
				   via ? atcp_rt_tos(via) : 0, via ? via->sk_bound_dev_if : 0);
	return IS_ERR(rt) || !atcp_path_strict_ok(opt, rt) ? NULL : &rt->dst;
}

/* A reference to the route of t: `known`, looked up in this RCU section, or a new one. Source routes may have come or
 * gone since `known` was: then it leads elsewhere than the packet will say. NULL: none.
 */
static struct dst_entry *atcp_reply_route(struct atcp_osns *ns, struct sock *via,
					  const struct atcp_tuple *t, u8 proto,
					  const struct atcp_route *known,
					  const struct atcp_path *path)
{
	struct dst_entry *dst = known && !known->ip_options && !path ? known->port : NULL;

	if (dst && dst_hold_safe(dst))
		return dst;
	return atcp_tuple_route(ns, via, t, proto, path);
}

/*
 * Nothing of the socket has a say in its routes but its addresses. What its program may change between a SYN and the third ACK (mark,
 * device, type of service, policy of IPsec) is another matter: a route does not know what it was looked up for.
 */
static bool atcp_routes_plainly(const struct sock *sk)
{
#ifdef CONFIG_XFRM
	if (rcu_access_pointer(sk->sk_policy[XFRM_POLICY_OUT]))
		return false;
#endif
	return !READ_ONCE(sk->sk_mark) && !READ_ONCE(sk->sk_bound_dev_if) && !atcp_rt_tos(sk) &&
	       !inet_sk_flowi_flags(sk);
}

/*
 * One of IPv6 is valid for as long as its cookie says, for which a request has no room; one with a source route is its
 * packet's alone. It pins no device: the kernel takes that out of routes that go.
 */
struct atcp_kept_route *atcp_os_route_keep(const struct atcp_conn *listener,
					   const struct atcp_route *r)
{
	struct dst_entry *dst = r->port;

	if (!dst || r->ip_options || dst->ops->family != AF_INET ||
	    !atcp_routes_plainly(atcp_sk_of_conn(listener)) || !dst_hold_safe(dst))
		return NULL;
	return (struct atcp_kept_route *)dst;
}

void atcp_os_route_put(struct atcp_kept_route *kept)
{
	dst_release((struct dst_entry *)kept);
}

struct dst_entry *atcp_kept_dst(const struct sock *listener, struct atcp_kept_route *kept)
{
	struct dst_entry *dst = (struct dst_entry *)kept;

	if (!dst || (atcp_routes_plainly(listener) && dst_check(dst, 0)))
		return dst;
	dst_release(dst);
	return NULL;
}

static u8 atcp_via_proto(const struct atcp_osns *ns, const struct sock *via)
{
	return via ? atcp_sk(via)->ip_proto : atcp_wire_proto(ns);
}

bool atcp_os_route(struct atcp_osns *ns, const struct atcp_conn *via, const struct atcp_tuple *t,
		   struct atcp_route *out)
{
	struct sock *sk = via ? atcp_sk_of_conn(via) : NULL;
	struct atcp_path path ATCP_UNSET;
	bool routed = atcp_path_find(ns, t, false, &path);
	struct dst_entry *dst;
	u32 opt_len = 0;

	dst = atcp_tuple_route(ns, sk, t, atcp_via_proto(ns, sk), routed ? &path : NULL);
	if (!dst)
		return false;
	if (routed)
		opt_len = path.data.opt.opt.optlen;
	else if (sk && t->family == ATCP_AF_INET6)
		opt_len = atcp_sock_opt_len(sk);
	atcp_route_facts(dst, opt_len, out);
	dst_release(dst);
	return true;
}

/* ---- headers ------------------------------------------------------------------------- */

int atcp_tx_checksum(struct sk_buff *skb, u8 proto, const struct net_device *dev)
{
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	if (proto == IPPROTO_TCP || (dev->features & NETIF_F_HW_CSUM) || skb_is_gso(skb))
		return 0;
	return skb_checksum_help(skb);
}

struct atcp_ip_params {
	const struct ip_options *opt; /* or NULL */
	__be32 saddr;
	__be32 daddr;
	u8 proto;
	u8 tos;
	u8 ttl;
	bool df;
};

static void atcp_push_ip(struct sk_buff *skb, const struct atcp_ip_params *p)
{
	u32 len = sizeof(struct iphdr) + (p->opt ? p->opt->optlen : 0);
	struct iphdr *iph = skb_push(skb, len);

	skb_reset_network_header(skb);
	*(__be16 *)iph = htons((4 << 12) | (len / 4 << 8) | p->tos);
	iph->id = 0;
	iph->frag_off = p->df ? htons(IP_DF) : 0;
	iph->ttl = p->ttl;
	iph->protocol = p->proto;
	iph->saddr = p->saddr;
	iph->daddr = p->daddr;
	skb->protocol = htons(ETH_P_IP);
	if (unlikely(p->opt))
		atcp_path_write(skb, p->opt);
}

static int atcp4_checksum(struct sk_buff *skb, const struct atcp_ip_params *p,
			  const struct net_device *dev)
{
	tcp_hdr(skb)->check = ~csum_tcpudp_magic(p->saddr, p->daddr, skb->len, p->proto, 0);
	return atcp_tx_checksum(skb, p->proto, dev);
}

/* RFC 9293 3.9.2 (MUST-49). */
static u8 atcp_ttl(const struct sock *sk, const struct dst_entry *dst)
{
	int ttl = sk ? READ_ONCE(inet_sk(sk)->uc_ttl) : -1;

	return ttl < 0 ? ip4_dst_hoplimit(dst) : ttl;
}

static struct sk_buff *atcp_tx_empty(void)
{
	struct sk_buff *skb = alloc_skb(ATCP_HEADROOM, GFP_ATOMIC | __GFP_NOWARN);

	if (skb)
		skb_reserve(skb, ATCP_HEADROOM);
	return skb;
}

/* A copy of a piece whose headers may be written. gso_type: if it is more than one segment. */
static struct sk_buff *atcp_tx_copy(struct sk_buff *piece, u32 mss, u32 gso_type)
{
	struct skb_shared_info *si;
	struct sk_buff *skb;

	if (unlikely(skb_cloned(piece))) {
		skb = pskb_copy(piece, GFP_ATOMIC | __GFP_NOWARN);
		if (!skb)
			return NULL;
		skb_shinfo(skb)->flags |= skb_shinfo(piece)->flags & SKBFL_SHARED_FRAG;
	} else {
		skb = skb_clone(piece, GFP_ATOMIC | __GFP_NOWARN);
		if (!skb)
			return NULL;
	}
	/* What the core keeps in a piece means nothing to a device. */
	skb->dev = NULL;
	skb->tstamp = 0;
	/* Shared with the piece perhaps, but with no other clone. */
	si = skb_shinfo(skb);
	if (skb->len > mss) {
		si->gso_size = mss;
		si->gso_segs = DIV_ROUND_UP(skb->len, mss);
		si->gso_type = gso_type;
	} else {
		si->gso_size = 0;
		si->gso_segs = 1;
		si->gso_type = 0;
	}
	return skb;
}

/*
 * Make a received packet, which nobody else looks at any more, an empty one to send: everything that the way
 * here left in it goes, but not what says where its memory came from. headroom: bytes for all headers. NULL:
 * it cannot be; it is unchanged.
 */
static struct sk_buff *atcp_tx_turn_round(struct sk_buff *skb, u32 headroom)
{
	struct {
		u16 alloc_cpu;
		u8 fclone, head_frag, pfmemalloc, pp_recycle;
	} keep = {
		.alloc_cpu = skb->alloc_cpu,
		.fclone = skb->fclone,
		.head_frag = skb->head_frag,
		.pfmemalloc = skb->pfmemalloc,
		.pp_recycle = skb->pp_recycle,
	};

	if (skb_shared(skb) || skb_cloned(skb) || skb_is_nonlinear(skb) || skb_dst(skb) ||
	    skb->sk || skb_end_offset(skb) < headroom)
		return NULL;
	skb_ext_reset(skb);
	memset(skb_shinfo(skb), 0, offsetof(struct skb_shared_info, dataref));
	memset(skb, 0, offsetof(struct sk_buff, tail));
	skb->alloc_cpu = keep.alloc_cpu;
	skb->fclone = keep.fclone;
	skb->head_frag = keep.head_frag;
	skb->pfmemalloc = keep.pfmemalloc;
	skb->pp_recycle = keep.pp_recycle;
	skb->mac_header = (typeof(skb->mac_header))~0U;
	skb->data = skb->head;
	skb_reset_tail_pointer(skb);
	skb_reserve(skb, headroom);
	return skb;
}

/* An empty packet to send by dst, in the buffer of `received` (or NULL) if that can be. Consumes that. */
static struct sk_buff *atcp_tx_empty_in(struct sk_buff *received, const struct dst_entry *dst,
					u32 hdr_len, const struct ip_options *opt)
{
	/* ip6_xmit() wants room for a jumbo header, whatever the length. */
	u32 ip = dst->ops->family == AF_INET6 ?
			 sizeof(struct ipv6hdr) + sizeof(struct hop_jumbo_hdr) :
			 sizeof(struct iphdr) + (opt ? opt->optlen : 0);
	u32 headroom = LL_RESERVED_SPACE(dst->dev) + dst->header_len + ip + ALIGN(hdr_len, 8);
	struct sk_buff *skb = received ? atcp_tx_turn_round(received, headroom) : NULL;

	if (skb)
		return skb;
	skb = atcp_tx_empty();
	if (skb)
		consume_skb(received);
	else
		kfree_skb_reason(received, SKB_DROP_REASON_NOMEM);
	return skb;
}

/* For 253 a type that no device segments by itself: offload.c does it. */
static u32 atcp_gso_type(const struct sock *sk)
{
	if (atcp_sk(sk)->ip_proto != IPPROTO_TCP)
		return SKB_GSO_SCTP;
	return atcp_speaks_v6(sk) ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;
}

static void atcp_push_tcp(struct sk_buff *skb, const u8 *hdr, u32 hdr_len)
{
	memset(skb->cb, 0, sizeof(skb->cb));
	memcpy(skb_push(skb, hdr_len), hdr, hdr_len);
	skb_reset_transport_header(skb);
}

/* ---- emit ---------------------------------------------------------------------------- */

/* Consumes skb. Context: RCU. Lock: socket. */
static int atcp4_conn_emit(struct sock *sk, struct sk_buff *skb, struct dst_entry *dst, u32 ecn)
{
	struct inet_sock *inet = inet_sk(sk);
	struct net *net = sock_net(sk);
	struct atcp_ip_params ip;

	ip.opt = atcp_path_of(sk);
	ip.proto = atcp_sk(sk)->ip_proto;
	ip.saddr = inet->inet_saddr;
	ip.daddr = inet->inet_daddr;
	ip.tos = (READ_ONCE(inet->tos) & ~INET_ECN_MASK) | ecn;
	ip.ttl = atcp_ttl(sk, dst);
	ip.df = ip_dont_fragment(sk, dst);
	if (atcp4_checksum(skb, &ip, dst->dev)) {
		kfree_skb(skb);
		return -1;
	}
	atcp_push_ip(skb, &ip);
	ip_select_ident_segs(net, skb, sk, skb_shinfo(skb)->gso_segs ?: 1);
	skb->priority = READ_ONCE(sk->sk_priority);
	skb->mark = READ_ONCE(sk->sk_mark);
	skb_dst_set_noref(skb, dst);
	return ip_local_out(net, sk, skb);
}

int atcp_os_conn_emit(struct atcp_conn *c, const uint8_t *hdr, uint32_t hdr_len,
		      struct atcp_pkt *pkt, uint32_t len, uint32_t mss, uint32_t ecn)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct dst_entry *dst;
	struct sk_buff *skb;
	int err = -1;

	rcu_read_lock();
	dst = atcp_sock_route(sk);
	if (!dst)
		goto out;
	skb = pkt ? atcp_tx_copy(atcp_pkt_skb(pkt), mss, atcp_gso_type(sk)) : atcp_tx_empty();
	if (!skb)
		goto out;

	atcp_push_tcp(skb, hdr, hdr_len);
	/* RFC 3168 6.1.2: the first segment alone says that cwnd was reduced. */
	if (tcp_hdr(skb)->cwr && atcp_sk(sk)->ip_proto == IPPROTO_TCP && skb_is_gso(skb))
		skb_shinfo(skb)->gso_type |= SKB_GSO_TCP_ECN;
	skb_set_owner_w(skb, sk);
	err = atcp_speaks_v6(sk) ? atcp6_conn_emit(sk, skb, dst, ecn) :
				   atcp4_conn_emit(sk, skb, dst, ecn);
	err = net_xmit_eval(err) ? -1 : 0;
out:
	rcu_read_unlock();
	return err;
}

/* The result of ip_local_out() as a reason. */
static u32 atcp_emit_refused(int err)
{
	if (!net_xmit_eval(err))
		return ATCP_REASON_NONE;
	/* What NF_DROP becomes on its way. */
	if (err == -EPERM)
		return ATCP_REASON_OUTPUT_FILTERED;
	return err == -ENOMEM ? ATCP_REASON_NO_MEMORY : ATCP_REASON_OUTPUT_DROPPED;
}

/* atcp_os_emit(), inside RCU. */
static u32 atcp_emit(struct atcp_osns *ns, const struct atcp_conn *via, const struct atcp_tuple *t,
		     const u8 *hdr, u32 hdr_len, const struct atcp_reuse *reuse)
{
	struct sk_buff *received = reuse && reuse->pkt ? atcp_pkt_skb(reuse->pkt) : NULL;
	struct sock *sk = via ? atcp_sk_of_conn(via) : NULL;
	bool v6 = t->family == ATCP_AF_INET6;
	struct atcp_ip_params ip = {
		.proto = atcp_via_proto(ns, sk),
		.tos = sk ? READ_ONCE(inet_sk(sk)->tos) & ~INET_ECN_MASK : 0,
		.df = true,
	};
	struct atcp_path path ATCP_UNSET;
	struct dst_entry *dst;
	struct sk_buff *skb;

	if (!v6 && atcp_path_find(ns, t, false, &path))
		ip.opt = &path.data.opt.opt;
	dst = atcp_reply_route(ns, sk, t, ip.proto, reuse ? reuse->route : NULL,
			       ip.opt ? &path : NULL);
	if (!dst) {
		kfree_skb_reason(received, SKB_DROP_REASON_IP_OUTNOROUTES);
		return ATCP_REASON_NO_ROUTE;
	}
	skb = atcp_tx_empty_in(received, dst, hdr_len, ip.opt);
	if (!skb) {
		dst_release(dst);
		return ATCP_REASON_NO_MEMORY;
	}
	atcp_push_tcp(skb, hdr, hdr_len);
	if (v6)
		return atcp_emit_refused(atcp6_emit(ns, sk, t, ip.proto, skb, dst));
	skb_dst_set(skb, dst);
	ip.saddr = atcp_v4(&t->laddr);
	ip.daddr = atcp_v4(&t->raddr);
	ip.ttl = atcp_ttl(sk, dst);
	if (atcp4_checksum(skb, &ip, dst->dev)) {
		kfree_skb(skb);
		return ATCP_REASON_NO_MEMORY;
	}
	atcp_push_ip(skb, &ip);
	skb->mark = sk ? READ_ONCE(sk->sk_mark) : 0;
	skb->priority = sk ? READ_ONCE(sk->sk_priority) : 0;
	return atcp_emit_refused(ip_local_out(ns->net, NULL, skb));
}

uint32_t atcp_os_emit(struct atcp_osns *ns, const struct atcp_conn *via,
		      const struct atcp_tuple *t, const uint8_t *hdr, uint32_t hdr_len,
		      const struct atcp_reuse *reuse)
{
	u32 reason;

	/*
	 * What waited for the lock of close(2) is answered in its context, where nobody else is inside RCU: the device of the route and
	 * the options of the socket stay as long.
	 */
	rcu_read_lock();
	reason = atcp_emit(ns, via, t, hdr, hdr_len, reuse);
	rcu_read_unlock();
	return reason;
}

/* ---- pieces of the send queue -------------------------------------------------------- */

/* An empty piece, charged to the socket. NULL: no memory. Lock: socket. */
struct sk_buff *atcp_tx_alloc(struct sock *sk, gfp_t gfp)
{
	struct sk_buff *skb = alloc_skb_fclone(ATCP_HEADROOM, gfp);

	/* The core uses the words in front of cb, but for the fourth. */
	BUILD_BUG_ON(offsetof(struct sk_buff, cb) - offsetof(struct sk_buff, next) !=
		     ATCP_PKT_LINKS_BEFORE);
	BUILD_BUG_ON(offsetof(struct sk_buff, prev) - offsetof(struct sk_buff, next) !=
		     sizeof(void *));
	BUILD_BUG_ON(offsetof(struct sk_buff, dev) !=
		     offsetof(struct sk_buff, next) + 2 * sizeof(u64));
	BUILD_BUG_ON(offsetof(struct sk_buff, sk) !=
		     offsetof(struct sk_buff, next) + 3 * sizeof(u64));
	BUILD_BUG_ON(offsetof(struct sk_buff, tstamp) !=
		     offsetof(struct sk_buff, next) + 4 * sizeof(u64));
	if (!skb)
		return NULL;
	if (!sk_wmem_schedule(sk, skb->truesize)) {
		__kfree_skb(skb);
		return NULL;
	}
	skb_reserve(skb, ATCP_HEADROOM);
	skb->ip_summed = CHECKSUM_PARTIAL;
	/* Only clones' headers are ever looked at: lower layers may write those. */
	__skb_header_release(skb);
	sk_wmem_queued_add(sk, skb->truesize);
	sk_mem_charge(sk, skb->truesize);
	memset(skb->cb, 0, sizeof(skb->cb));
	return skb;
}

void atcp_os_tx_free(struct atcp_conn *c, struct atcp_pkt *pkt)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct sk_buff *skb = atcp_pkt_skb(pkt);

	sk_wmem_queued_add(sk, -skb->truesize);
	sk_mem_uncharge(sk, skb->truesize);
	skb->dev = NULL;
	__kfree_skb(skb);
}

/* Make a piece's list of fragments its own: clones under way share it. The piece's charge stays. */
static bool atcp_tx_unshare(struct sk_buff *skb)
{
	u32 truesize = skb->truesize;

	if (!skb_cloned(skb))
		return true;
	if (pskb_expand_head(skb, 0, 0, GFP_ATOMIC | __GFP_NOWARN))
		return false;
	skb->truesize = truesize;
	__skb_header_release(skb);
	return true;
}

/* Beyond twice the send buffer and two full pieces the queue is not cut any finer (as Linux since
 * CVE-2019-11478).
 */
static bool atcp_tx_cut_fine(const struct sock *sk)
{
	return (sk->sk_wmem_queued >> 1) > sk->sk_sndbuf + 2 * ATCP_MAX_PIECE;
}

struct atcp_pkt *atcp_os_tx_split(struct atcp_conn *c, struct atcp_pkt *pkt, uint32_t at,
				  bool must)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct sk_buff *skb = atcp_pkt_skb(pkt);
	struct sk_buff *rest;
	u32 moved;

	if (WARN_ON_ONCE(at == 0 || at >= skb->len))
		return NULL;
	if (!must && atcp_tx_cut_fine(sk))
		return NULL;
	rest = atcp_tx_alloc(sk, GFP_ATOMIC | __GFP_NOWARN);
	if (!rest)
		return NULL;
	if (!atcp_tx_unshare(skb)) {
		atcp_os_tx_free(c, (struct atcp_pkt *)rest->cb);
		return NULL;
	}
	moved = skb->len - at;
	skb_split(skb, rest, at);
	atcp_stamp_split(skb, rest, at);
	/* The charge for payload bytes moves along; the sum stays. */
	moved = min(moved, skb->truesize);
	skb->truesize -= moved;
	rest->truesize += moved;
	return (struct atcp_pkt *)rest->cb;
}

bool atcp_os_tx_trim(struct atcp_conn *c, struct atcp_pkt *pkt, uint32_t bytes)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct sk_buff *skb = atcp_pkt_skb(pkt);
	struct skb_shared_info *si;
	u32 eat = bytes;
	int i, keep = 0;

	if (WARN_ON_ONCE(bytes >= skb->len))
		return false;
	if (!atcp_tx_unshare(skb))
		return false;
	atcp_stamp_trim(skb, bytes);
	si = skb_shinfo(skb);
	for (i = 0; i < si->nr_frags; i++) {
		skb_frag_t *frag = &si->frags[i];
		u32 size = skb_frag_size(frag);

		if (size <= eat) {
			/* Pages of sk_page_frag(), of a file or of the program, never of a page pool. */
			put_page(skb_frag_page(frag));
			eat -= size;
			continue;
		}
		si->frags[keep] = *frag;
		if (eat) {
			skb_frag_off_add(&si->frags[keep], eat);
			skb_frag_size_sub(&si->frags[keep], eat);
			eat = 0;
		}
		keep++;
	}
	si->nr_frags = keep;
	skb->len -= bytes;
	skb->data_len -= bytes;
	bytes = min(bytes, skb->truesize);
	skb->truesize -= bytes;
	sk_wmem_queued_add(sk, -(int)bytes);
	sk_mem_uncharge(sk, bytes);
	return true;
}

bool atcp_os_tx_busy(const struct atcp_conn *c, const struct atcp_pkt *pkt)
{
	return skb_fclone_busy(atcp_sk_of_conn(c), atcp_pkt_skb(pkt));
}

void atcp_os_tx_want(struct atcp_conn *c, uint32_t bytes)
{
	struct sock *sk = atcp_sk_of_conn(c);

	if ((sk->sk_userlocks & SOCK_SNDBUF_LOCK) || atcp_mem_level(sk))
		return;
	bytes = min_t(u32, bytes, ATCP_MAX_BUF);
	if (bytes > sk->sk_sndbuf)
		WRITE_ONCE(sk->sk_sndbuf, bytes);
}
