// SPDX-License-Identifier: GPL-2.0
/*
 * From the core to the program: the receive queue with its memory accounting, and recvmsg and splice
 * that read it. An skb in sk_receive_queue is no longer the core's; its cb says which bytes of it
 * are still to be read (struct atcp_rxcb).
 */
#include <linux/sched/signal.h>
#include <linux/splice.h>
#include <linux/tcp.h>
#include <net/inet_common.h>
#include <net/ip.h>

#include "glue.h"

/* ---- the core's side ----------------------------------------------------------------- */

/* Lock: socket. */
bool atcp_os_rx_hold(struct atcp_conn *c, struct atcp_pkt *pkt)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct sk_buff *skb = atcp_pkt_skb(pkt);

	if (atcp_rx_charged(skb))
		return true;
	if (atomic_read(&sk->sk_rmem_alloc) > sk->sk_rcvbuf ||
	    atcp_mem_level(sk) == ATCP_MEM_LEVEL_FULL ||
	    !sk_rmem_schedule(sk, skb, skb->truesize)) {
		atomic_inc(&sk->sk_drops);
		return false;
	}
	skb_set_owner_r(skb, sk);
	atcp_sk(sk)->held += skb->truesize;
	return true;
}

/* Lock: socket. */
bool atcp_os_rx_reserve(struct atcp_conn *c, struct atcp_pkt *pkt, uint32_t freed)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct sk_buff *skb = atcp_pkt_skb(pkt);

	/* Something for everybody, or programs would wait for ever. */
	if (skb_queue_empty(&sk->sk_receive_queue)) {
		sk_rmem_schedule(sk, skb, skb->truesize);
		return true;
	}
	/* What is granted stays in sk_forward_alloc until deliver, a few lines later, charges it. */
	return (atcp_mem_level(sk) != ATCP_MEM_LEVEL_FULL || freed >= skb->truesize ||
		atomic_read(&sk->sk_rmem_alloc) < atcp_core_rmem(atcp_sk_osns(sk)->core, 0)) &&
	       sk_rmem_schedule(sk, skb, skb->truesize);
}

/* Append skb to the queue's last buffer if both allow it: small segments would otherwise pin far
 * more memory than they carry. Consumes skb if true. What the last buffer grows by is never more than
 * skb's truesize, which was asked for in atcp_os_rx_reserve() or charged in atcp_os_rx_hold(); in the
 * latter case it is given back at the end, hence charged twice for a moment.
 */
static bool atcp_rx_coalesce(struct sock *sk, struct sk_buff *skb, u32 skip, u32 len)
{
	struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);
	bool stolen;
	int delta;

	if (!tail || skip || len != skb->len)
		return false;
	if (ATCP_RXCB(tail)->off + ATCP_RXCB(tail)->len != tail->len)
		return false;
	if (!skb_try_coalesce(tail, skb, &stolen, &delta))
		return false;
	atcp_stamps_move(tail, skb);
	atomic_add(delta, &sk->sk_rmem_alloc);
	sk_mem_charge(sk, delta);
	ATCP_RXCB(tail)->len += len;
	kfree_skb_partial(skb, stolen);
	return true;
}

void atcp_os_rx_deliver(struct atcp_conn *c, struct atcp_pkt *pkt, uint32_t skip, uint32_t len)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct atcp_sock *asp = atcp_sk(sk);
	struct sk_buff *skb = atcp_pkt_skb(pkt);

	if (atcp_rx_charged(skb))
		asp->held -= skb->truesize;
	if (WARN_ON_ONCE(skip > skb->len || len > skb->len - skip) || !len) {
		consume_skb(skb);
		return;
	}
	WRITE_ONCE(asp->rcv_bytes, asp->rcv_bytes + len);
	WRITE_ONCE(asp->rcv_total, asp->rcv_total + len);
	if (atcp_rx_coalesce(sk, skb, skip, len))
		return;
	if (!atcp_rx_charged(skb)) {
		/* Reserved, or the first of an empty queue: then it may go beyond the limit. */
		skb_set_owner_r(skb, sk);
	}
	ATCP_RXCB(skb)->off = skip;
	ATCP_RXCB(skb)->len = len;
	__skb_queue_tail(&sk->sk_receive_queue, skb);
}

uint8_t atcp_os_pkt_byte(const struct atcp_pkt *pkt, uint32_t at)
{
	u8 byte = 0;

	/* skb->data is at the payload, perhaps in fragments. */
	WARN_ON_ONCE(skb_copy_bits(atcp_pkt_skb(pkt), at, &byte, 1));
	return byte;
}

void atcp_os_rx_space(const struct atcp_conn *c, struct atcp_rx_space *out)
{
	const struct sock *sk = atcp_sk_of_conn(c);

	out->limit = READ_ONCE(sk->sk_rcvbuf);
	out->used = atomic_read(&sk->sk_rmem_alloc);
	out->held = atcp_sk(sk)->held;
	out->locked = !!(sk->sk_userlocks & SOCK_RCVBUF_LOCK);
	out->level = atcp_mem_level(sk);
}

void atcp_os_rx_set_limit(struct atcp_conn *c, uint32_t bytes)
{
	struct sock *sk = atcp_sk_of_conn(c);

	if (!(sk->sk_userlocks & SOCK_RCVBUF_LOCK))
		WRITE_ONCE(sk->sk_rcvbuf, min_t(u32, bytes, ATCP_MAX_BUF));
}

u32 atcp_rx_purge(struct sock *sk)
{
	struct atcp_sock *asp = atcp_sk(sk);
	u32 unread = asp->rcv_bytes;

	__skb_queue_purge(&sk->sk_receive_queue);
	WRITE_ONCE(asp->rcv_bytes, 0);
	return unread;
}

/* ---- the program's side -------------------------------------------------------------- */

/* The first `bytes` of the head skb were read. Lock: socket. */
static void atcp_rx_eat(struct sock *sk, struct sk_buff *skb, u32 bytes)
{
	struct atcp_sock *asp = atcp_sk(sk);

	ATCP_RXCB(skb)->off += bytes;
	ATCP_RXCB(skb)->len -= bytes;
	asp->collapsed = 0;
	WRITE_ONCE(asp->rcv_bytes, asp->rcv_bytes - bytes);
	if (!ATCP_RXCB(skb)->len) {
		__skb_unlink(skb, &sk->sk_receive_queue);
		consume_skb(skb);
	}
}

/* Bytes that ever left the receive queue, modulo 2^32. Lock: socket. */
static u32 atcp_rx_left(const struct atcp_sock *asp)
{
	return asp->rcv_total - asp->rcv_bytes;
}

bool atcp_os_rx_drop_first(struct atcp_conn *c)
{
	struct sock *sk = atcp_sk_of_conn(c);
	struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);

	if (!skb || sock_flag(sk, SOCK_URGINLINE))
		return false;
	atcp_rx_eat(sk, skb, 1);
	return true;
}

/* Bytes of the stream from pos on, counted from what the core knows as read, up to the urgent mark: 0 if it is
 * there, U32_MAX if there is none ahead. Lock: socket.
 */
static u32 atcp_rx_to_mark(struct sock *sk, u32 pos)
{
	u32 ahead = 0;

	if (likely(atcp_core_urgent(&atcp_sk(sk)->conn, &ahead) == ATCP_URGENT_NONE) || ahead < pos)
		return U32_MAX;
	return ahead - pos;
}

static void atcp_rx_tell(struct sock *sk, int flags, u32 *eaten)
{
	if (flags & MSG_PEEK)
		return;
	if (*eaten)
		atcp_core_rx_consumed(&atcp_sk(sk)->conn, *eaten, atcp_now());
	*eaten = 0;
}

/* Copy what is queued, up to len. peeked: for MSG_PEEK, how many bytes were copied before; else the
 * bytes leave the queue. stamps: of the last packet. Returns bytes copied, or -EFAULT if none was. Lock: socket.
 */
static ssize_t atcp_rx_copy(struct sock *sk, struct msghdr *msg, size_t len, int flags, u32 peeked,
			    struct atcp_stamps *stamps)
{
	struct sk_buff *skb, *next;
	ssize_t copied = 0;

	skb_queue_walk_safe(&sk->sk_receive_queue, skb, next) {
		u32 have = ATCP_RXCB(skb)->len;
		u32 skip = 0;
		u32 n;

		if (peeked) {
			skip = min(peeked, have);
			peeked -= skip;
			if (skip == have)
				continue;
		}
		n = min_t(size_t, have - skip, len - copied);
		if (!(flags & MSG_TRUNC) &&
		    skb_copy_datagram_msg(skb, ATCP_RXCB(skb)->off + skip, msg, n))
			return copied ?: -EFAULT;
		copied += n;
		atcp_stamps_of(skb, stamps);
		if (!(flags & MSG_PEEK))
			atcp_rx_eat(sk, skb, n);
		if (copied == len)
			break;
	}
	return copied;
}

/* Wait for more bytes than the first `seen` that are queued, or for an end. Lock: socket. */
static int atcp_rx_wait(struct sock *sk, long *timeo, u32 seen)
{
	struct atcp_sock *asp = atcp_sk(sk);
	/* A place in the stream: bytes may leave the queue meanwhile. */
	u32 at = atcp_rx_left(asp) + seen;
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int rc;

	add_wait_queue(sk_sleep(sk), &wait);
	sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	rc = sk_wait_event(sk, timeo,
			   (s32)(READ_ONCE(asp->rcv_total) - at) > 0 || READ_ONCE(sk->sk_err) ||
				   (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) ||
				   READ_ONCE(sk->sk_state) == TCP_CLOSE,
			   &wait);
	sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	remove_wait_queue(sk_sleep(sk), &wait);
	return rc < 0 ? rc : 0;
}

/* Nothing to read is left: why not wait? 0: wait. 1: end of the stream. Else an error.
 * Lock: socket.
 */
static int atcp_rx_end(struct sock *sk, long timeo)
{
	if (sock_flag(sk, SOCK_DONE))
		return 1;
	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return 1;
	if (sk->sk_state == TCP_CLOSE)
		return -ENOTCONN;
	if (!timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(timeo);
	return 0;
}

/* recv(MSG_OOB): the urgent byte by itself. Lock: socket. */
static ssize_t atcp_recv_urgent(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	struct atcp_conn *c = &atcp_sk(sk)->conn;
	enum atcp_urgent state;
	u32 ahead = 0;
	u8 byte = 0;

	state = atcp_core_urgent(c, &ahead);
	if (sock_flag(sk, SOCK_URGINLINE) || state == ATCP_URGENT_NONE || state == ATCP_URGENT_READ)
		return -EINVAL;
	if (sk->sk_state == TCP_CLOSE && !sock_flag(sk, SOCK_DONE))
		return -ENOTCONN;
	if (state == ATCP_URGENT_AWAITED)
		return sk->sk_state == TCP_CLOSE || (sk->sk_shutdown & RCV_SHUTDOWN) ? 0 : -EAGAIN;
	atcp_core_urgent_take(c, flags & MSG_PEEK, &byte);
	msg->msg_flags |= MSG_OOB;
	if (!len) {
		msg->msg_flags |= MSG_TRUNC;
		return 0;
	}
	if (!(flags & MSG_TRUNC) && memcpy_to_msg(msg, &byte, 1))
		return -EFAULT;
	return 1;
}

/* The program stands at the urgent mark and has not read anything in this call: the byte there is passed over, unless
 * it is wanted in the stream. Lock: socket.
 */
static void atcp_rx_pass_mark(struct sock *sk, int flags, u32 *pos)
{
	if (sock_flag(sk, SOCK_URGINLINE))
		return;
	if (flags & MSG_PEEK)
		*pos += atcp_sk(sk)->rcv_bytes > *pos;
	else if (!skb_queue_empty(&sk->sk_receive_queue))
		*pos += atcp_os_rx_drop_first(&atcp_sk(sk)->conn);
}

/* A peek's place in the stream, after the lock was not ours: somebody else may have read, or the byte of an old urgent
 * mark was dropped. gone: how much had left the queue when pos was right. Lock: socket.
 */
static void atcp_rx_follow(const struct atcp_sock *asp, u32 *pos, u32 *gone)
{
	u32 now = atcp_rx_left(asp);

	*pos -= min(*pos, now - *gone);
	*gone = now;
}

/* Lock: socket. */
static ssize_t atcp_recv_locked(struct sock *sk, struct msghdr *msg, size_t len, int flags,
				struct atcp_stamps *stamps)
{
	struct atcp_sock *asp = atcp_sk(sk);
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	size_t target = sock_rcvlowat(sk, flags & MSG_WAITALL, len);
	ssize_t copied = 0;
	/* How far we are behind what the core knows as read; a peek begins at SO_PEEK_OFF. */
	u32 pos = max(sk_peek_offset(sk, flags), 0);
	u32 gone = atcp_rx_left(asp);
	u32 left;
	ssize_t n;
	int err = 0;

	if (sk->sk_state == TCP_LISTEN)
		return -ENOTCONN;
	if (unlikely(flags & MSG_OOB))
		return atcp_recv_urgent(sk, msg, len, flags);

	do {
		if (flags & MSG_PEEK)
			atcp_rx_follow(asp, &pos, &gone);
		left = atcp_rx_to_mark(sk, pos);
		if (unlikely(!left)) {
			/* A read ends at the mark, and the next one begins behind it. */
			if (copied)
				break;
			if (signal_pending(current)) {
				/* SIGURG perhaps, whose handler wants to see the mark. */
				err = timeo ? sock_intr_errno(timeo) : -EAGAIN;
				break;
			}
			if (len)
				atcp_rx_pass_mark(sk, flags, &pos);
			left = U32_MAX;
		}
		n = atcp_rx_copy(sk, msg, min_t(size_t, len - copied, left), flags,
				 flags & MSG_PEEK ? pos : 0, stamps);
		if (n < 0) {
			err = n;
			break;
		}
		copied += n;
		pos += n;
		if (flags & MSG_PEEK)
			sk_peek_offset_fwd(sk, n);
		else
			sk_peek_offset_bwd(sk, n);
		if (n && copied < len && asp->rcv_bytes && !(flags & MSG_PEEK)) {
			/* The mark, or the program's memory gave out in the middle. */
			break;
		}
		if (n && unlikely(!atcp_rx_to_mark(sk, pos)))
			break;
		/* A read of no bytes waits for data all the same. */
		if (copied == len && (len || asp->rcv_bytes))
			break;

		if (READ_ONCE(sk->sk_backlog.tail)) {
			/* More has come while we copied. */
			atcp_rx_tell(sk, flags, &pos);
			release_sock(sk);
			lock_sock(sk);
			continue;
		}
		if (copied >= target)
			break;
		if (copied) {
			if (!timeo || sk->sk_err || sk->sk_state == TCP_CLOSE ||
			    (sk->sk_shutdown & RCV_SHUTDOWN) || signal_pending(current))
				break;
		} else {
			err = atcp_rx_end(sk, timeo);
			if (err) {
				if (err > 0)
					err = 0;
				break;
			}
		}
		/* The window may open before we sleep. */
		atcp_rx_tell(sk, flags, &pos);
		err = atcp_rx_wait(sk, &timeo, flags & MSG_PEEK ? pos : 0);
		if (err)
			break;
	} while (copied < len);
	atcp_rx_tell(sk, flags, &pos);
	return copied ?: err;
}

/* Bytes that a reader would find; with the end of the stream one more, so that he comes for it. Lock: socket. */
static int atcp_rx_left_to_read(const struct sock *sk)
{
	return atcp_sk(sk)->rcv_bytes + sock_flag(sk, SOCK_DONE);
}

/* What a read tells beside the data: to the program with TCP_INQ, to io_uring by itself. Lock: socket. */
static void atcp_recv_beside(struct sock *sk, struct msghdr *msg)
{
	int left = atcp_rx_left_to_read(sk);

	msg->msg_inq = left;
	if (atcp_sk(sk)->flags & ATCP_F_INQ)
		put_cmsg(msg, SOL_TCP, TCP_CM_INQ, sizeof(left), &left);
}

/* proto->recvmsg. Context: process. */
int atcp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len)
{
	struct atcp_stamps stamps = {};
	ssize_t ret;

	if (unlikely(flags & MSG_ERRQUEUE))
		return atcp_recv_error(sk, msg, len, addr_len);
	lock_sock(sk);
	ret = atcp_recv_locked(sk, msg, len, flags, &stamps);
	if (ret >= 0) {
		if (unlikely(stamps.software || stamps.hardware))
			atcp_recv_stamps(sk, msg, &stamps);
		atcp_recv_beside(sk, msg);
	}
	release_sock(sk);
	return ret;
}

/* proto_ops->splice_read: the pages of the queue go into the pipe. Context: process. */
ssize_t atcp_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe,
			 size_t len, unsigned int flags)
{
	struct sock *sk = sock->sk;
	ssize_t spliced = 0;
	struct sk_buff *skb;
	u32 eaten = 0;
	int n, err = 0;
	long timeo;

	if (unlikely(*ppos))
		return -ESPIPE;
	lock_sock(sk);
	timeo = sock_rcvtimeo(sk, (sock->file->f_flags | flags) & O_NONBLOCK ||
					  (flags & SPLICE_F_NONBLOCK));
	if (sk->sk_state == TCP_LISTEN) {
		err = -ENOTCONN;
		goto out;
	}
	while (len) {
		u32 left = atcp_rx_to_mark(sk, eaten);

		skb = skb_peek(&sk->sk_receive_queue);
		if (skb && likely(left)) {
			n = skb_splice_bits(skb, sk, ATCP_RXCB(skb)->off, pipe,
					    min3(len, (size_t)ATCP_RXCB(skb)->len, (size_t)left),
					    flags);
			if (n <= 0) {
				/* The pipe is full, or its reader is gone. */
				err = n;
				break;
			}
			atcp_rx_eat(sk, skb, n);
			eaten += n;
			spliced += n;
			len -= n;
			continue;
		}
		if (spliced)
			break;
		if (skb) {
			/* The mark: recv() alone passes it. */
			err = sock->file->f_flags & O_NONBLOCK ? -EAGAIN : 0;
			break;
		}
		err = atcp_rx_end(sk, timeo);
		if (err) {
			if (err > 0)
				err = 0;
			break;
		}
		err = atcp_rx_wait(sk, &timeo, 0);
		if (err)
			break;
	}
	atcp_rx_tell(sk, 0, &eaten);
out:
	release_sock(sk);
	return spliced ?: err;
}
