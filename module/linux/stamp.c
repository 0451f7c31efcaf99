// SPDX-License-Identifier: GPL-2.0
/*
 * Time stamps: SO_TIMESTAMP, SO_TIMESTAMPNS and SO_TIMESTAMPING. Received: when the last packet came that a read took
 * bytes of. Sent: when the piece with the last byte of a write was handed to a queue and to a device (the kernel's own
 * code does both), and when that byte was acknowledged; they come through the error queue.
 *
 * A piece of the send queue holds what concerns its one stamped byte: tx_flags and tskey (the byte's sequence number) in
 * skb_shinfo, as the kernel's TCP has them, so that segmentation finds the byte; and in two members of the skb that a
 * piece, other than its clones, has no use for: mark, how far the byte is from the front of the piece, 1 for the first, 0
 * for no such byte; and priority, whether the acknowledgement is wanted.
 *
 * The kernel counts the bytes of SOF_TIMESTAMPING_OPT_ID for sockets of protocol 6 alone. Ours count, as there, from what was
 * acknowledged when the option was set, or with OPT_ID_TCP from what was written. The kernel then puts 0 into sk_tskey, which
 * is otherwise 1 here. Before 6.6 nobody tells us that it was set: there it is looked at with each write. What is in the error
 * queue has the sequence number, until somebody reads it or the count begins anew.
 *
 * OPT_STATS brings none: the kernel fills them in where the packet leaves, for sockets of protocol 6.
 */
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/tcp.h>
#include <net/inet_common.h>
#include <net/ip.h>

#include "glue.h"

/* ---- received ------------------------------------------------------------------------ */

/* To the program, in the form that it asked for. new: with 64 bits on every machine. */
static void atcp_put_stamp(struct sock *sk, struct msghdr *msg, ktime_t when, bool new)
{
	struct timespec64 ts = ktime_to_timespec64(when);

	if (sock_flag(sk, SOCK_RCVTSTAMPNS) && new) {
		struct __kernel_timespec t = { .tv_sec = ts.tv_sec, .tv_nsec = ts.tv_nsec };

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMPNS_NEW, sizeof(t), &t);
	} else if (sock_flag(sk, SOCK_RCVTSTAMPNS)) {
		struct __kernel_old_timespec t = { .tv_sec = ts.tv_sec, .tv_nsec = ts.tv_nsec };

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMPNS_OLD, sizeof(t), &t);
	} else if (new) {
		struct __kernel_sock_timeval t = { .tv_sec = ts.tv_sec,
						   .tv_usec = ts.tv_nsec / 1000 };

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMP_NEW, sizeof(t), &t);
	} else {
		struct __kernel_old_timeval t = { .tv_sec = ts.tv_sec,
						  .tv_usec = ts.tv_nsec / 1000 };

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMP_OLD, sizeof(t), &t);
	}
}

void atcp_recv_stamps(struct sock *sk, struct msghdr *msg, const struct atcp_stamps *s)
{
	struct scm_timestamping_internal tss = {};
	u32 flags = READ_ONCE(sk->sk_tsflags);
	bool new = sock_flag(sk, SOCK_TSTAMP_NEW);

	if (s->software && sock_flag(sk, SOCK_RCVTSTAMP))
		atcp_put_stamp(sk, msg, s->software, new);
	if (s->software && atcp_stamp_wanted(flags, false))
		tss.ts[0] = ktime_to_timespec64(s->software);
	if (s->hardware && atcp_stamp_wanted(flags, true))
		tss.ts[2] = ktime_to_timespec64(s->hardware);
	if (!tss.ts[0].tv_sec && !tss.ts[0].tv_nsec && !tss.ts[2].tv_sec && !tss.ts[2].tv_nsec)
		return;
	if (new)
		put_cmsg_scm_timestamping64(msg, &tss);
	else
		put_cmsg_scm_timestamping(msg, &tss);
}

/* ---- sent ---------------------------------------------------------------------------- */

/* What the core says of a connection is large: writes have no room for it on their stack. Lock: socket. */
static noinline_for_stack u32 atcp_stamp_una(const struct atcp_sock *asp)
{
	struct atcp_conn_info info;

	atcp_core_conn_info(&asp->conn, &info, atcp_now());
	return info.snd_una;
}

/* Of an entry of the error queue: a sequence number becomes a count of bytes, once. Lock: the queue's. */
static void atcp_stamp_number(const struct sock *sk, struct sk_buff *skb)
{
	struct sock_exterr_skb *serr = SKB_EXT_ERR(skb);
	u32 key = skb_shinfo(skb)->tskey;

	if (serr->ee.ee_origin != SO_EE_ORIGIN_TIMESTAMPING || serr->ee.ee_data != key)
		return;
	/* 0 if the option was not set when it was made, or one sequence number of all. */
	if (key || READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_OPT_ID)
		serr->ee.ee_data = key - atcp_sk(sk)->stamp_base;
}

/* What waits in the error queue was counted from the old base. Lock: socket. */
static void atcp_stamp_number_all(struct sock *sk)
{
	struct sk_buff_head *q = &sk->sk_error_queue;
	struct sk_buff *skb;
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	skb_queue_walk(q, skb)
		atcp_stamp_number(sk, skb);
	spin_unlock_irqrestore(&q->lock, flags);
}

void atcp_stamp_begin(struct sock *sk)
{
	struct atcp_sock *asp = atcp_sk(sk);
	u32 tsflags = READ_ONCE(sk->sk_tsflags);

	if (likely(!(tsflags & SOF_TIMESTAMPING_OPT_ID)) || atomic_read(&sk->sk_tskey))
		return;
	atcp_stamp_number_all(sk);
	asp->stamp_base = tsflags & ATCP_STAMP_ID_WRITTEN ? atcp_core_tx_end(&asp->conn) :
							    atcp_stamp_una(asp);
	atomic_set(&sk->sk_tskey, 1);
}

void atcp_stamp_written(struct sock *sk, u32 tsflags)
{
	struct atcp_conn *c = &atcp_sk(sk)->conn;
	struct skb_shared_info *si;
	struct atcp_pkt *pkt;
	struct sk_buff *skb;

	if (likely(!tsflags))
		return;
	/*
	 * It may be on its way already, if the rest of the write found no memory: then the acknowledgement is still to come. It may
	 * be acknowledged, too.
	 */
	pkt = atcp_core_tx_last(c);
	if (!pkt)
		return;
	skb = atcp_pkt_skb(pkt);
	si = skb_shinfo(skb);
	/* First whose stamp it would be: a device that has a clone looks at both. */
	if (tsflags & SOF_TIMESTAMPING_TX_RECORD_MASK)
		si->tskey = atcp_core_tx_end(c) - 1;
	sock_tx_timestamp(sk, tsflags, &si->tx_flags);
	if (!(tsflags & SOF_TIMESTAMPING_TX_RECORD_MASK))
		return;
	skb->mark = skb->len;
	if (tsflags & SOF_TIMESTAMPING_TX_ACK)
		skb->priority = 1;
}

void atcp_stamp_split(struct sk_buff *skb, struct sk_buff *rest, u32 at)
{
	struct skb_shared_info *from = skb_shinfo(skb), *to = skb_shinfo(rest);

	if (likely(skb->mark <= at))
		return;
	to->tx_flags |= from->tx_flags & SKBTX_ANY_TSTAMP;
	from->tx_flags &= ~SKBTX_ANY_TSTAMP;
	to->tskey = from->tskey;
	rest->mark = skb->mark - at;
	rest->priority = skb->priority;
	skb->mark = 0;
	skb->priority = 0;
}

void atcp_stamp_trim(struct sk_buff *skb, u32 bytes)
{
	if (likely(!skb->mark))
		return;
	if (skb->mark > bytes) {
		skb->mark -= bytes;
		return;
	}
	skb->mark = 0;
	skb->priority = 0;
	skb_shinfo(skb)->tx_flags &= ~SKBTX_ANY_TSTAMP;
}

/* Lock: socket. */
void atcp_os_tx_acked(struct atcp_conn *c, struct atcp_pkt *pkt, uint32_t bytes)
{
	struct sk_buff *skb = atcp_pkt_skb(pkt);
	struct net_device *dev;
	ktime_t tstamp;
	u8 fclone;

	if (likely(!skb->priority) || bytes < skb->mark)
		return;
	skb->priority = 0;
	/*
	 * What goes into the error queue may be a clone. What the core keeps in the piece shall not be in it, and it
	 * shall not be the piece's own twin, which until it is read would look like one that a device still has.
	 */
	dev = skb->dev;
	tstamp = skb->tstamp;
	fclone = skb->fclone;
	skb->dev = NULL;
	skb->fclone = SKB_FCLONE_UNAVAILABLE;
	__skb_tstamp_tx(skb, NULL, NULL, atcp_sk_of_conn(c), SCM_TSTAMP_ACK);
	skb->dev = dev;
	skb->tstamp = tstamp;
	skb->fclone = fclone;
}

/* ---- the error queue ----------------------------------------------------------------- */

/* The first entry is about to be read. False: there is none. Lock: socket, so that nobody else reads. */
static bool atcp_stamp_number_first(struct sock *sk)
{
	struct sk_buff_head *q = &sk->sk_error_queue;
	struct sk_buff *skb;
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	skb = skb_peek(q);
	if (skb)
		atcp_stamp_number(sk, skb);
	spin_unlock_irqrestore(&q->lock, flags);
	return skb;
}

int atcp_recv_error(struct sock *sk, struct msghdr *msg, int len, int *addr_len)
{
	int ret = -EAGAIN;

	lock_sock(sk);
	if (atcp_stamp_number_first(sk))
		ret = inet_recv_error(sk, msg, len, addr_len);
	release_sock(sk);
	return ret;
}
