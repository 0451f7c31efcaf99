// SPDX-License-Identifier: GPL-2.0
/*
 * From the program to the send queue: copying into page fragments, or taking page references for
 * sendfile, splice and MSG_ZEROCOPY; waiting for the connection and for memory. When pieces leave is the core's
 * decision.
 */
#include <linux/net.h>
#include <linux/uio.h>
#include <net/inet_common.h>
#include <net/ip.h>

#include "glue.h"

/* Pieces filled before the backlog, which holds the ACKs, is looked after. */
enum { ATCP_BACKLOG_EVERY = 16 };

/* Where the bytes come from. */
struct atcp_src {
	struct msghdr *msg;
	struct ubuf_info *uarg; /* MSG_ZEROCOPY: who hears when the pages are free again; or NULL */
	struct page *page; /* ->sendpage of old kernels, or NULL */
	int offset;	   /* of the next byte in page */
	size_t left;	   /* bytes of page to come */
	bool zerocopy;	   /* take the pages; else they are copied after all, and the program is told so */
};

static size_t atcp_src_left(const struct atcp_src *src)
{
	return src->page ? src->left : msg_data_left(src->msg);
}

/* Copy up to room bytes into a page fragment. As the other fillers: bytes taken; 0, no fragment is
 * free; -ENOBUFS, no memory now; -EFAULT. Lock: socket.
 */
static int atcp_fill_copy(struct sock *sk, struct sk_buff *skb, struct atcp_src *src, int room)
{
	struct page_frag *pfrag = sk_page_frag(sk);
	int i = skb_shinfo(skb)->nr_frags;
	bool merge;
	int copy, err;

	if (!sk_page_frag_refill(sk, pfrag))
		return -ENOBUFS;
	merge = skb_can_coalesce(skb, i, pfrag->page, pfrag->offset);
	if (!merge && i >= MAX_SKB_FRAGS)
		return 0;
	copy = min_t(size_t, room, msg_data_left(src->msg));
	copy = min_t(int, copy, pfrag->size - pfrag->offset);
	if (!sk_wmem_schedule(sk, copy))
		return -ENOBUFS;
	err = skb_copy_to_page_nocache(sk, &src->msg->msg_iter, skb, pfrag->page, pfrag->offset,
				       copy);
	if (err)
		return err;
	if (merge) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[i - 1], copy);
	} else {
		skb_fill_page_desc(skb, i, pfrag->page, pfrag->offset, copy);
		page_ref_inc(pfrag->page);
	}
	pfrag->offset += copy;
	return copy;
}

/*
 * Take the program's own pages. A piece knows of one completion, and counts as a reference to it, as each of its
 * clones' and parts' data does; with one, nothing else is ever merged into its fragments (skb_can_coalesce).
 */
static int atcp_fill_zerocopy(struct sock *sk, struct sk_buff *skb, struct atcp_src *src, int room)
{
	int take = min_t(size_t, room, msg_data_left(src->msg));
	int took;

	/* Each page counts as a whole. */
	if (!sk_wmem_schedule(sk, iov_iter_npages(&src->msg->msg_iter, MAX_SKB_FRAGS) * PAGE_SIZE))
		return -ENOBUFS;
	took = skb_zerocopy_iter_stream(sk, skb, src->msg, take, src->uarg);
	return took == -EMSGSIZE || took == -EEXIST ? 0 : took;
}

#ifdef ATCP_HAVE_SENDPAGE
static int atcp_fill_page(struct sock *sk, struct sk_buff *skb, struct atcp_src *src, int room)
{
	int i = skb_shinfo(skb)->nr_frags;
	int take = min_t(size_t, room, src->left);

	if (!sk_wmem_schedule(sk, take))
		return -ENOBUFS;
	if (skb_can_coalesce(skb, i, src->page, src->offset)) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[i - 1], take);
	} else if (i < MAX_SKB_FRAGS) {
		get_page(src->page);
		skb_fill_page_desc_noacc(skb, i, src->page, src->offset, take);
	} else {
		return 0;
	}
	skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	skb->len += take;
	skb->data_len += take;
	skb->truesize += take;
	sk_wmem_queued_add(sk, take);
	sk_mem_charge(sk, take);
	src->offset += take;
	src->left -= take;
	return take;
}

static int atcp_fill(struct sock *sk, struct sk_buff *skb, struct atcp_src *src, int room)
{
	if (src->page)
		return atcp_fill_page(sk, skb, src, room);
	return src->uarg && src->zerocopy ? atcp_fill_zerocopy(sk, skb, src, room) :
					    atcp_fill_copy(sk, skb, src, room);
}
#else
static int atcp_fill_splice(struct sock *sk, struct sk_buff *skb, struct atcp_src *src, int room)
{
	int take = min_t(size_t, room, msg_data_left(src->msg));
	int truesize = skb->truesize;

	if (!sk_wmem_schedule(sk, take))
		return -ENOBUFS;
	take = skb_splice_from_iter(skb, &src->msg->msg_iter, take, sk->sk_allocation);
	if (take < 0)
		return take == -EMSGSIZE ? 0 : take;
	if (!(src->msg->msg_flags & MSG_NO_SHARED_FRAGS))
		skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	sk_wmem_queued_add(sk, skb->truesize - truesize);
	sk_mem_charge(sk, skb->truesize - truesize);
	return take;
}

static int atcp_fill(struct sock *sk, struct sk_buff *skb, struct atcp_src *src, int room)
{
	if (src->msg->msg_flags & MSG_SPLICE_PAGES)
		return atcp_fill_splice(sk, skb, src, room);
	return src->uarg && src->zerocopy ? atcp_fill_zerocopy(sk, skb, src, room) :
					    atcp_fill_copy(sk, skb, src, room);
}
#endif

/* Payload worth collecting in one piece, within what IP and the device can carry. */
static u32 atcp_size_goal(const struct sock *sk)
{
	return clamp_t(u32, atcp_core_tx_size_goal(&atcp_sk(sk)->conn), 1, ATCP_MAX_PIECE);
}

/* Fill the last piece, or a new one, with up to one piece of data. Results as atcp_fill_copy(), but
 * never 0. *full: the piece will not grow any more.
 */
static int atcp_fill_tail(struct sock *sk, struct atcp_src *src, u32 goal, bool *full)
{
	struct atcp_conn *c = &atcp_sk(sk)->conn;
	struct sk_buff *skb;
	struct atcp_pkt *pkt;
	u32 len = 0;
	int took;

	pkt = atcp_core_tx_tail(c, &len);
	skb = pkt ? atcp_pkt_skb(pkt) : NULL;
	/* What a SYN carried in vain is unsent again, but a queue or a tap may still hold its clone. */
	if (skb && len < goal && !skb_cloned(skb)) {
		took = atcp_fill(sk, skb, src, goal - len);
		if (took > 0)
			atcp_core_tx_grow(c, took);
		if (took) {
			*full = took > 0 && len + took >= goal;
			return took;
		}
	}

	if (!sk_stream_memory_free(sk))
		return -ENOBUFS;
	/* Beyond the namespace's ceiling a socket has one piece, or what is everybody's, and waits. That is no business
	 * of other namespaces. */
	if (sk->sk_wmem_queued && atcp_mem_level(sk) == ATCP_MEM_LEVEL_FULL &&
	    sk->sk_wmem_queued >= atcp_core_wmem(atcp_sk_osns(sk)->core, 0)) {
		sk_stream_moderate_sndbuf(sk);
		return -ENOBUFS;
	}
	skb = atcp_tx_alloc(sk, sk->sk_allocation);
	if (!skb) {
		sk->sk_prot->enter_memory_pressure(sk);
		sk_stream_moderate_sndbuf(sk);
		return -ENOBUFS;
	}
	pkt = (struct atcp_pkt *)skb->cb;
	took = atcp_fill(sk, skb, src, goal);
	if (took <= 0) {
		atcp_os_tx_free(c, pkt);
		return took ?: -ENOBUFS;
	}
	atcp_core_tx_add(c, pkt);
	atcp_core_tx_grow(c, took);
	*full = took >= goal;
	return took;
}

/*
 * MSG_FASTOPEN: connect to the message's address. 0: go on, the data may be queued. -EINPROGRESS: the server's
 * cookie is not known, the SYN is under way without data, and the program does not want to wait. -EISCONN: the flag is for
 * those who are not connected, as on Linux. Lock: socket.
 */
static int atcp_fastopen_connect(struct sock *sk, struct msghdr *msg, long timeo)
{
	struct atcp_sock *asp = atcp_sk(sk);
	struct sockaddr *addr = msg->msg_name;
	int err;

	if (!atcp_core_fastopen_enabled(&asp->conn) ||
	    (addr && msg->msg_namelen >= sizeof(addr->sa_family) && addr->sa_family == AF_UNSPEC))
		return -EOPNOTSUPP;
	if (atcp_core_syn_held(&asp->conn))
		return 0;
	/* An attempt that is under way, or has failed, or succeeded: as connect() once more. */
	if (!addr || sk->sk_socket->state != SS_UNCONNECTED)
		return __inet_stream_connect(sk->sk_socket, addr, addr ? msg->msg_namelen : 0,
					     timeo ? 0 : O_NONBLOCK, 1);
	asp->flags |= ATCP_F_FASTOPEN;
	err = __inet_stream_connect(sk->sk_socket, addr, msg->msg_namelen, O_NONBLOCK, 1);
	asp->flags &= ~ATCP_F_FASTOPEN;
	if (err == -EINPROGRESS && (timeo || atcp_core_syn_held(&asp->conn)))
		return 0;
	return err;
}

/* What a held SYN waited for is queued, and sent with it: wait for the connection, as sendmsg(2) with
 * MSG_FASTOPEN does, unless told not to. Lock: socket.
 */
static ssize_t atcp_fastopen_sent(struct sock *sk, ssize_t copied, long timeo)
{
	int err = 0;

	atcp_undefer_connect(sk);
	atcp_core_connect_go(&atcp_sk(sk)->conn, atcp_now());
	if (timeo && sk->sk_state == TCP_SYN_SENT)
		err = sk_stream_wait_connect(sk, &timeo);
	/* Refused: the data went nowhere. A signal or a timeout leaves it queued. */
	if (sk->sk_err)
		return sock_error(sk);
	if (err && sk->sk_state == TCP_CLOSE)
		return err;
	return err && !copied ? err : copied;
}

/* Send what the call has queued so far. Lock: socket. */
static void atcp_send_queued(struct atcp_conn *c, int flags, bool more)
{
	if (unlikely(flags & MSG_OOB))
		atcp_core_tx_urgent(c);
	atcp_core_tx_push(c, more, atcp_now());
}

/* The same for all of it, whose last byte may be stamped. Lock: socket. */
static void atcp_send_last(struct sock *sk, int flags, u32 tsflags)
{
	atcp_stamp_written(sk, tsflags);
	atcp_send_queued(&atcp_sk(sk)->conn, flags, flags & MSG_MORE);
}

/* This call's pages are copied after all, and the program is told so. Lock: socket. */
static void atcp_zerocopy_copied(struct atcp_src *src)
{
	src->zerocopy = false;
	uarg_to_msgzc(src->uarg)->zerocopy = 0;
}

/* Lock: socket. */
static ssize_t atcp_send_locked(struct sock *sk, struct atcp_src *src, int flags)
{
	struct atcp_conn *c = &atcp_sk(sk)->conn;
	long timeo = sock_sndtimeo(sk, flags & MSG_DONTWAIT);
	struct sockcm_cookie cookie;
	ssize_t copied = 0;
	bool fastopen;
	int pieces = 0;
	int err;
	u32 goal;

	if (src->msg && (flags & MSG_FASTOPEN)) {
		err = atcp_fastopen_connect(sk, src->msg, timeo);
		if (err)
			return err;
	}
	fastopen = atcp_core_syn_held(c);
	/* As with the kernel's TCP a SYN has a copy: an attempt that fails is an error, and such a call leaves no pages behind. */
	if (fastopen && src->uarg)
		atcp_zerocopy_copied(src);
	if (!atcp_core_can_send(c) && ((1 << sk->sk_state) & ~(TCPF_ESTABLISHED | TCPF_CLOSE_WAIT))) {
		err = sk_stream_wait_connect(sk, &timeo);
		if (err)
			goto failed;
	}
	/* Of the socket layer's control messages SO_TIMESTAMPING alone has a meaning here. */
	sockcm_init(&cookie, sk);
	if (src->msg && src->msg->msg_controllen && sock_cmsg_send(sk, src->msg, &cookie)) {
		err = -EINVAL;
		goto failed;
	}
	atcp_stamp_begin(sk);
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);

restart:
	goal = atcp_size_goal(sk);
	err = -EPIPE;
	if (sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN) || !atcp_core_can_send(c))
		goto failed;

	while (atcp_src_left(src)) {
		bool full = false;
		int took = atcp_fill_tail(sk, src, goal, &full);

		if (took > 0) {
			copied += took;
			if (!full)
				continue;
			/* Send while the next piece is being copied. */
			if (atcp_src_left(src))
				atcp_core_tx_push(c, true, atcp_now());
			if (++pieces % ATCP_BACKLOG_EVERY == 0 && sk_flush_backlog(sk))
				goto restart;
			continue;
		}
		err = took;
		if (took != -ENOBUFS)
			goto failed;

		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		if (copied)
			atcp_send_queued(c, flags, false);
		atcp_core_tx_blocked(c, atcp_now());
		err = sk_stream_wait_memory(sk, &timeo);
		if (err)
			goto failed;
		goto restart;
	}
	if (copied)
		atcp_send_last(sk, flags, cookie.tsflags);
	if (fastopen)
		return atcp_fastopen_sent(sk, copied, timeo);
	return copied;

failed:
	/* With what data there is, or without any, the SYN goes. */
	if (fastopen) {
		atcp_undefer_connect(sk);
		atcp_core_connect_go(c, atcp_now());
	}
	if (copied) {
		atcp_send_last(sk, flags, cookie.tsflags);
		return copied;
	}
	err = sk_stream_error(sk, flags, err);
	/* Edge-triggered pollers wait for an edge after EAGAIN: give them one if nothing is queued. */
	if (err == -EAGAIN && !sk->sk_wmem_queued)
		sk->sk_write_space(sk);
	return err;
}

/*
 * MSG_ZEROCOPY with SO_ZEROCOPY: number this call. What follows an unsent piece of the last one may share its completion.
 * 0, or -ENOBUFS: no memory, or more pages than the program may lock. Lock: socket.
 */
static int atcp_zerocopy_begin(struct sock *sk, struct atcp_src *src, size_t size)
{
	struct atcp_pkt *pkt;
	u32 len = 0;

	if (likely(!(src->msg->msg_flags & MSG_ZEROCOPY)) || !size ||
	    (src->msg->msg_flags & ATCP_SPLICE_FLAG) || !sock_flag(sk, SOCK_ZEROCOPY))
		return 0;
	pkt = atcp_core_tx_tail(&atcp_sk(sk)->conn, &len);
	src->uarg = msg_zerocopy_realloc(sk, size, pkt ? skb_zcopy(atcp_pkt_skb(pkt)) : NULL);
	if (!src->uarg)
		return -ENOBUFS;
	src->zerocopy = true;
	if (!(sk->sk_route_caps & NETIF_F_SG))
		atcp_zerocopy_copied(src);
	return 0;
}

/* sent: something was. Else the call has no number. Lock: socket. */
static void atcp_zerocopy_end(struct atcp_src *src, bool sent)
{
	if (likely(!src->uarg))
		return;
	if (sent)
		net_zcopy_put(src->uarg);
	else
		net_zcopy_put_abort(src->uarg, true);
}

/* proto->sendmsg. Context: process. */
int atcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)
{
	struct atcp_src src = { .msg = msg };
	int ret;

	lock_sock(sk);
	ret = atcp_zerocopy_begin(sk, &src, size);
	if (!ret) {
		ret = atcp_send_locked(sk, &src, msg->msg_flags);
		atcp_zerocopy_end(&src, ret > 0);
	}
	release_sock(sk);
	return ret;
}

#ifdef ATCP_HAVE_SENDPAGE
/* proto_ops->sendpage: send part of a page by reference. Context: process. */
ssize_t atcp_sendpage(struct socket *sock, struct page *page, int offset, size_t size, int flags)
{
	struct atcp_src src = { .page = page, .offset = offset, .left = size };
	struct sock *sk = sock->sk;
	ssize_t ret;

	if (!sendpage_ok(page) || !(sk->sk_route_caps & NETIF_F_SG))
		return sock_no_sendpage(sock, page, offset, size, flags);
	if (flags & MSG_SENDPAGE_NOTLAST)
		flags |= MSG_MORE;
	lock_sock(sk);
	ret = atcp_send_locked(sk, &src, flags);
	release_sock(sk);
	return ret;
}
#endif

#ifdef ATCP_HAVE_SPLICE_EOF
/* proto_ops->splice_eof: nothing follows what was sent with MSG_MORE. Context: process. */
void atcp_splice_eof(struct socket *sock)
{
	struct sock *sk = sock->sk;

	lock_sock(sk);
	if (atcp_core_can_send(&atcp_sk(sk)->conn))
		atcp_core_tx_push(&atcp_sk(sk)->conn, false, atcp_now());
	release_sock(sk);
}
#endif
