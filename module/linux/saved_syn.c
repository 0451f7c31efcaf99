// SPDX-License-Identifier: GPL-2.0
/*
 * TCP_SAVE_SYN and TCP_SAVED_SYN: the headers of the SYN that a connection came from, for the program that accepts it.
 * A request has them only if its listener's program asked, and a SYN cookie never: a copy of some 60 bytes, 120 and the
 * link's header at most. The core hands the reference from the request to the child; readers of requests without a
 * reference of their own are why it waits for RCU.
 */
#include <linux/tcp.h>
#include <net/ip.h>

#include "glue.h"

enum { ATCP_SAVE_SYN_NO, ATCP_SAVE_SYN_IP, ATCP_SAVE_SYN_LINK };

/**
 * struct atcp_syn - the headers of one SYN; constant but for @refs
 * @rcu: to free it
 * @refs: of requests, which may be copied, and of a child
 * @len: bytes of @data
 * @data: the link's header, if wanted, then those of IP and TCP, as they came
 */
struct atcp_syn {
	struct rcu_head rcu;
	refcount_t refs;
	u32 len;
	u8 data[];
};

struct atcp_syn *atcp_os_syn_save(const struct atcp_conn *listener, const struct atcp_pkt *syn)
{
	u8 mode = READ_ONCE(atcp_sk(atcp_sk_of_conn(listener))->save_syn);
	const struct sk_buff *skb;
	const u8 *from;
	struct atcp_syn *s;
	u32 len;

	if (likely(mode == ATCP_SAVE_SYN_NO))
		return NULL;
	/* What is in front of skb->data, which is at the payload, is linear. */
	skb = atcp_pkt_skb(syn);
	from = skb_network_header(skb);
	if (mode == ATCP_SAVE_SYN_LINK && skb_mac_header_was_set(skb) &&
	    skb_mac_header(skb) <= from)
		from = skb_mac_header(skb);
	len = skb_transport_header(skb) + tcp_hdrlen(skb) - from;
	s = atcp_os_alloc(struct_size(s, data, len), ATCP_MEM_OTHER);
	if (!s)
		return NULL;
	refcount_set(&s->refs, 1);
	s->len = len;
	memcpy(s->data, from, len);
	return s;
}

bool atcp_os_syn_tryget(struct atcp_syn *s)
{
	return refcount_inc_not_zero(&s->refs);
}

void atcp_os_syn_put(struct atcp_syn *s)
{
	BUILD_BUG_ON(sizeof(struct atcp_rcu) < sizeof(s->rcu));
	if (refcount_dec_and_test(&s->refs))
		atcp_os_free_rcu(s, (struct atcp_rcu *)&s->rcu, ATCP_MEM_OTHER);
}

void atcp_os_child_syn(struct atcp_conn *child, struct atcp_syn *s)
{
	atcp_sk(atcp_sk_of_conn(child))->saved_syn = s;
}

void atcp_forget_syn(struct sock *sk)
{
	struct atcp_syn *s = atcp_sk(sk)->saved_syn;

	atcp_sk(sk)->saved_syn = NULL;
	if (s)
		atcp_os_syn_put(s);
}

/* setsockopt(TCP_SAVE_SYN). Context: process. */
int atcp_set_save_syn(struct sock *sk, int mode)
{
	if (mode < ATCP_SAVE_SYN_NO || mode > ATCP_SAVE_SYN_LINK)
		return -EINVAL;
	lock_sock(sk);
	WRITE_ONCE(atcp_sk(sk)->save_syn, mode);
	release_sock(sk);
	return 0;
}

/* getsockopt(TCP_SAVED_SYN): it can be read once; who has too little room learns how much it takes. Context: process. */
int atcp_get_saved_syn(struct sock *sk, int room, char __user *val, int __user *len)
{
	const struct atcp_syn *s;
	int err = 0;

	lock_sock(sk);
	s = atcp_sk(sk)->saved_syn;
	if (put_user(s ? s->len : 0, len))
		err = -EFAULT;
	else if (s && (u32)room < s->len)
		err = -EINVAL;
	else if (s && copy_to_user(val, s->data, s->len))
		err = -EFAULT;
	else
		atcp_forget_syn(sk);
	release_sock(sk);
	return err;
}
