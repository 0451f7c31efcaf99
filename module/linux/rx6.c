// SPDX-License-Identifier: GPL-2.0
/*
 * IPv6: from IP to the core, as rx.c does for IPv4. At the hook a packet still has its extension headers: those in front
 * of TCP that IP has to do something about are looked at here.
 */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6.h>
#include <linux/tcp.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/protocol.h>

#include "glue.h"

static unsigned int atcp6_nf_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);

static DEFINE_MUTEX(atcp6_hook_mutex);

static const struct nf_hook_ops atcp6_nf_ops = {
	.hook = atcp6_nf_in,
	.pf = NFPROTO_IPV6,
	.hooknum = NF_INET_LOCAL_IN,
	.priority = NF_IP6_PRI_LAST,
};

int atcp6_hook(struct atcp_osns *osns)
{
	int err = 0;

	if (READ_ONCE(osns->hooked6))
		return 0;
	mutex_lock(&atcp6_hook_mutex);
	if (!osns->hooked6) {
		osns->nf6_ops = atcp6_nf_ops;
		osns->nf6_ops.priv = osns;
		err = nf_register_net_hook(osns->net, &osns->nf6_ops);
		if (!err)
			WRITE_ONCE(osns->hooked6, true);
	}
	mutex_unlock(&atcp6_hook_mutex);
	return err;
}

void atcp6_unhook(struct atcp_osns *osns)
{
	mutex_lock(&atcp6_hook_mutex);
	if (osns->hooked6)
		nf_unregister_net_hook(osns->net, &osns->nf6_ops);
	WRITE_ONCE(osns->hooked6, false);
	mutex_unlock(&atcp6_hook_mutex);
}

/* The tuple of a packet whose transport header is at skb->data + off, with 4 bytes readable. */
void atcp6_skb_tuple(const struct sk_buff *skb, int off, struct atcp_tuple *t)
{
	const struct ipv6hdr *h = ipv6_hdr(skb);
	const struct tcphdr *th = (const struct tcphdr *)(skb->data + off);

	t->family = ATCP_AF_INET6;
	t->reserved = 0;
	memcpy(t->laddr.v6, &h->daddr, sizeof(t->laddr.v6));
	memcpy(t->raddr.v6, &h->saddr, sizeof(t->raddr.v6));
	t->lport = (__force u16)th->dest;
	t->rport = (__force u16)th->source;
	t->link = atcp6_link(&h->saddr, IP6CB(skb)->iif);
}

/*
 * RFC 9293 3.9.2.3 (MUST-57), RFC 4291 2.7: neither end may be a group; nor, on the wire, an address that stands for an IPv4
 * one: programs would believe that peer to be another.
 */
static bool atcp6_not_unicast(const struct sk_buff *skb)
{
	const struct ipv6hdr *h = ipv6_hdr(skb);

	return skb->pkt_type != PACKET_HOST || ipv6_addr_is_multicast(&h->daddr) ||
	       ipv6_addr_is_multicast(&h->saddr) || ipv6_addr_v4mapped(&h->daddr) ||
	       ipv6_addr_v4mapped(&h->saddr);
}

/* Connections are begun by one host, not by any of those that share an anycast address. */
static bool atcp6_anycast_listener(const struct sk_buff *skb, struct atcp_found f)
{
	return f.kind == ATCP_FOUND_LISTENER && !ipv6_unicast_destination(skb);
}

/* ---- extension headers --------------------------------------------------------------- */

enum atcp6_next {
	ATCP6_OTHER,	/* no segment of ours, as far as can be seen */
	ATCP6_PLAIN,	/* the header at *off is the next one, and what is in front of it is done */
	ATCP6_UNDONE,	/* it is, but in front of it is what only the kernel would do */
};

/* A destination options header that asks for nothing: all of its options may be skipped (RFC 8200 4.2). */
static bool atcp6_options_skippable(const struct sk_buff *skb, int off, int len)
{
	u8 opt[2];

	for (off += 2, len -= 2; len > 0; off += 2 + opt[1], len -= 2 + opt[1]) {
		if (skb_copy_bits(skb, off, opt, 1))
			return false;
		if (opt[0] == IPV6_TLV_PAD1) {
			off--;
			len++;
			opt[1] = 0;
			continue;
		}
		if (len < 2 || skb_copy_bits(skb, off, opt, 2) || 2 + opt[1] > len || opt[0] & 0xc0)
			return false;
	}
	return true;
}

/* More headers than that in front of TCP are nobody's honest packet. */
enum { ATCP6_MOST_HEADERS = 16 };

/*
 * Find the header of protocol *proto behind the extension headers; skb->data is at the IPv6 header. The hop-by-hop options
 * in front have been obeyed (ipv6_rcv()). Context: softirq.
 */
static enum atcp6_next atcp6_find(const struct sk_buff *skb, u8 *proto, int *off)
{
	enum atcp6_next found = ATCP6_PLAIN;
	u8 next = ipv6_hdr(skb)->nexthdr;
	u8 head[4];
	int len, n;

	*off = sizeof(struct ipv6hdr);
	for (n = 0; n < ATCP6_MOST_HEADERS; n++) {
		switch (next) {
		case NEXTHDR_TCP:
		case IPPROTO_ATCP:
		case NEXTHDR_ICMP:
			*proto = next;
			return found;
		case NEXTHDR_HOP:
			/* Obeyed, if it is the first; illegal, if not. */
			if (n)
				return ATCP6_OTHER;
			break;
		case NEXTHDR_DEST:
		case NEXTHDR_ROUTING:
		case NEXTHDR_FRAGMENT:
			break;
		default:
			return ATCP6_OTHER;
		}
		if (skb_copy_bits(skb, *off, head, sizeof(head)))
			return ATCP6_OTHER;
		len = next == NEXTHDR_FRAGMENT ? 8 : (head[1] + 1) * 8;
		if (next == NEXTHDR_FRAGMENT) {
			/* Only the first has ports. One that is both first and last is none (RFC 6946). */
			if (((head[2] << 8 | head[3]) & ~7) != 0)
				return ATCP6_OTHER;
			if (head[3] & 1)
				found = ATCP6_UNDONE;
		} else if (next == NEXTHDR_ROUTING && head[3] != 0) {
			/* On its way to somebody else. */
			return ATCP6_OTHER;
		} else if (next == NEXTHDR_DEST && !atcp6_options_skippable(skb, *off, len)) {
			found = ATCP6_UNDONE;
		}
		next = head[0];
		*off += len;
	}
	return ATCP6_OTHER;
}

/* ---- wire=tcp ------------------------------------------------------------------------ */

/* The rest of the hooks let it pass (perhaps after a while in a queue of theirs). */
static int atcp6_nf_ok(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct atcp_osns *osns = atcp_pernet(net);
	struct atcp_found f;
	struct atcp_tuple t;
	u8 proto;
	int off;

	if (atcp6_find(skb, &proto, &off) != ATCP6_PLAIN || proto != IPPROTO_TCP ||
	    !pskb_may_pull(skb, off + sizeof(struct tcphdr))) {
		kfree_skb_reason(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
		return 0;
	}
	atcp6_skb_tuple(skb, off, &t);
	f = atcp_rx_lookup(osns, skb, &t, IPPROTO_TCP);
	skb_pull_rcsum(skb, off);
	atcp_rx(osns, f, &t, skb, IPPROTO_TCP, true);
	return 0;
}

static unsigned int atcp6_nf_tcp(struct atcp_osns *osns, struct sk_buff *skb, int off,
				 enum atcp6_next found, const struct nf_hook_state *state)
{
	u32 reason = ATCP_REASON_NONE;
	struct atcp_found f;
	struct atcp_tuple t;

	/* Four bytes are the ports; what is shorter belongs to nobody. */
	if (skb->len < off + 4 || !pskb_may_pull(skb, off + 4))
		return NF_ACCEPT;
	atcp6_skb_tuple(skb, off, &t);
	f = atcp_rx_lookup(osns, skb, &t, IPPROTO_TCP);
	if (f.kind == ATCP_FOUND_NONE)
		return NF_ACCEPT;
	if (unlikely(atcp6_not_unicast(skb) || atcp6_anycast_listener(skb, f))) {
		if (f.kind != ATCP_FOUND_LISTENER) {
			atcp_core_put(f);
			return NF_ACCEPT;
		}
		reason = ATCP_REASON_NOT_UNICAST;
	} else if (unlikely(found == ATCP6_UNDONE)) {
		/* The kernel's TCP, who would get it next, would reset the connection. */
		reason = ATCP_REASON_EXTENSION_HEADER;
	}
	if (reason) {
		skb_set_transport_header(skb, off);
		atcp_core_put(f);
		atcp_core_drop(osns->core, NULL, atcp_skb_pkt(skb), reason);
		return NF_STOLEN;
	}
	if (atcp_nf_rest(skb, state, rcu_dereference(state->net->nf.hooks_ipv6[NF_INET_LOCAL_IN]),
			 atcp6_nf_in, atcp6_nf_ok) != 1) {
		atcp_core_put(f);
		return NF_STOLEN;
	}
	/* Unlike IPv4's, this header does not sum up to 0. */
	skb_pull_rcsum(skb, off);
	atcp_rx(osns, f, &t, skb, IPPROTO_TCP, true);
	return NF_STOLEN;
}

/* Context: as atcp_nf_in(). */
static unsigned int atcp6_nf_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct atcp_osns *osns = priv;
	unsigned int verdict = NF_ACCEPT;
	bool process = !softirq_count();
	enum atcp6_next found;
	u8 proto;
	int off;

	if (!atomic_read(&osns->sockets) && !atcp_core_ns_entries(osns->core))
		return NF_ACCEPT;
	found = atcp6_find(skb, &proto, &off);
	if (found == ATCP6_OTHER)
		return NF_ACCEPT;
	if (unlikely(process))
		local_bh_disable();
	if (proto == IPPROTO_TCP)
		verdict = atcp6_nf_tcp(osns, skb, off, found, state);
	else if (proto == IPPROTO_ICMPV6 && found == ATCP6_PLAIN)
		atcp6_icmp_in(osns, skb, off);
	if (unlikely(process))
		local_bh_enable();
	return verdict;
}

/* ---- wire=atcp ----------------------------------------------------------------------- */

/* The handler of protocol 253; skb->data is at the transport header. Context: softirq, RCU. */
int atcp6_rcv(struct sk_buff *skb)
{
	struct atcp_osns *osns = atcp_pernet(dev_net(skb->dev));
	struct atcp_found f;
	struct atcp_tuple t;
	u32 reason = ATCP_REASON_HDR_TRUNCATED;

	if (!pskb_may_pull(skb, 4))
		goto drop;
	reason = ATCP_REASON_NOT_UNICAST;
	if (atcp6_not_unicast(skb))
		goto drop;
	atcp6_skb_tuple(skb, 0, &t);
	f = atcp_rx_lookup(osns, skb, &t, IPPROTO_ATCP);
	if (unlikely(atcp6_anycast_listener(skb, f))) {
		atcp_core_put(f);
		goto drop;
	}
	atcp_rx(osns, f, &t, skb, IPPROTO_ATCP, atcp_wire_proto(osns) == IPPROTO_ATCP);
	return 0;

drop:
	atcp_core_drop(osns->core, NULL, atcp_skb_pkt(skb), reason);
	return 0;
}
