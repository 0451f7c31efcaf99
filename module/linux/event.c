// SPDX-License-Identifier: GPL-2.0
/*
 * What the program learns of a connection: state, errors, wake-ups, poll and the queue ioctls.
 */
#include <linux/poll.h>
#include <linux/sockios.h>
#include <net/busy_poll.h>
#include <asm/ioctls.h>

#include "glue.h"

void atcp_os_conn_state(struct atcp_conn *c, uint32_t state)
{
	struct sock *sk = atcp_sk_of_conn(c);
	u8 from = sk->sk_state;

	/* A socket that is used once more: its drops are those of one connection. */
	if (state == TCP_SYN_SENT)
		memset(atcp_sk(sk)->drops, 0, sizeof(atcp_sk(sk)->drops));

	inet_sk_set_state(sk, state);
	if (static_branch_unlikely(&atcp_watched))
		atcp_tell_state(sk, from, state);
}

/* proto->stream_memory_free: whether more may be queued is a matter of the unsent, too. Lock: none. */
bool atcp_tx_below_lowat(const struct sock *sk, int wake)
{
	bool below;

	rcu_read_lock();
	below = atcp_core_tx_below_lowat(&atcp_sk(sk)->conn, wake);
	rcu_read_unlock();
	return below;
}

/* sk->sk_write_space: a third of the send buffer is free. Lock: socket. */
void atcp_write_space(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;
	struct socket_wq *wq;

	if (!sock || !__sk_stream_is_writeable(sk, 1))
		return;
	clear_bit(SOCK_NOSPACE, &sock->flags);
	atcp_core_tx_room(&atcp_sk(sk)->conn);
	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	if (wq && wq->fasync_list && !(sk->sk_shutdown & SEND_SHUTDOWN))
		sock_wake_async(wq, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}

/* Enough to wake a reader who waits for SO_RCVLOWAT bytes? besides: bytes that he will not get to see. */
static bool atcp_readable(const struct sock *sk, u32 besides)
{
	u32 bytes = READ_ONCE(atcp_sk(sk)->rcv_bytes);

	if (!bytes)
		return false;
	if (bytes >= sock_rcvlowat(sk, 0, INT_MAX) + besides)
		return true;
	/* As Linux: no more may come, however low the mark, when the buffer is nearly full, or the window. */
	return atomic_read(&sk->sk_rmem_alloc) > READ_ONCE(sk->sk_rcvbuf) / 8 * 7 ||
	       atcp_mem_level(sk) != ATCP_MEM_LEVEL_OK ||
	       atcp_core_rx_scarce(&atcp_sk(sk)->conn);
}

int atcp_set_rcvlowat(struct sock *sk, int val)
{
	u32 mark = atcp_core_set_rcvlowat(&atcp_sk(sk)->conn, val ?: 1);

	WRITE_ONCE(sk->sk_rcvlowat, mark);
	/* What is there may be enough now. */
	if (sock_flag(sk, SOCK_DONE) || atcp_readable(sk, 0))
		sk->sk_data_ready(sk);
	return 0;
}

void atcp_os_conn_event(struct atcp_conn *c, uint32_t events)
{
	struct sock *sk = atcp_sk_of_conn(c);

	if (sock_flag(sk, SOCK_DEAD))
		return;
	if (events & ATCP_EV_STATE) {
		sk->sk_state_change(sk);
		/* SIGIO is for being connected; of the other changes the end of data alone has one, see below. */
		if (events & ATCP_EV_WRITABLE)
			sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
	}
	if (events & ATCP_EV_URGENT)
		sk_send_sigurg(sk);
	if ((events & (ATCP_EV_READABLE | ATCP_EV_URGENT_BYTE)) &&
	    (sk->sk_state == TCP_LISTEN || sock_flag(sk, SOCK_DONE) || atcp_readable(sk, 0) ||
	     (events & ATCP_EV_URGENT_BYTE)))
		sk->sk_data_ready(sk);
	if (events & ATCP_EV_WRITABLE) {
		/* Pairs with the barrier in atcp_poll(). */
		smp_mb();
		if (sk->sk_socket && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
			sk->sk_write_space(sk);
	}
}

void atcp_os_conn_error(struct atcp_conn *c, enum atcp_err err)
{
	struct sock *sk = atcp_sk_of_conn(c);

	WRITE_ONCE(sk->sk_err, atcp_errno(err));
	/* Pairs with the barrier in atcp_poll(). */
	smp_wmb();
	if (!sock_flag(sk, SOCK_DEAD))
		sk_error_report(sk);
}

void atcp_os_conn_soft_error(struct atcp_conn *c, enum atcp_err err)
{
	struct sock *sk = atcp_sk_of_conn(c);

	/* IP_RECVERR, IPV6_RECVERR: the program wants to hear of what does not end the connection. */
	if (atcp_speaks_v6(sk) ? atcp6_recverr(sk) : atcp_recverr(sk))
		atcp_os_conn_error(c, err);
	else
		WRITE_ONCE(sk->sk_err_soft, atcp_errno(err));
}

void atcp_os_conn_rx_eof(struct atcp_conn *c)
{
	struct sock *sk = atcp_sk_of_conn(c);

	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | RCV_SHUTDOWN);
	sock_set_flag(sk, SOCK_DONE);
	if (sock_flag(sk, SOCK_DEAD))
		return;
	sk->sk_state_change(sk);
	if (sk->sk_shutdown == SHUTDOWN_MASK || sk->sk_state == TCP_CLOSE)
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_HUP);
	else
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
}

void atcp_os_conn_closed(struct atcp_conn *c)
{
	struct sock *sk = atcp_sk_of_conn(c);

	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	atcp_path_keep(sk);
	/* A port that the program did not name is free at once, as the core has it. */
	if (!(sk->sk_userlocks & SOCK_BINDPORT_LOCK)) {
		atcp_port_drop(sk);
		inet_sk(sk)->inet_num = 0;
	}
	/* An orphan is destroyed by whoever holds the lock: atcp_sock_settle(). */
	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_state_change(sk);
}

/* proto_ops->poll: the rules of Linux TCP. Lock: none. */
__poll_t atcp_poll(struct file *file, struct socket *sock, poll_table *wait)
{
	struct sock *sk = sock->sk;
	struct atcp_sock *asp = atcp_sk(sk);
	enum atcp_urgent urgent;
	__poll_t mask = 0;
	u32 ahead = 0;
	u8 shutdown;
	int state;

	sock_poll_wait(file, sock, wait);
	state = inet_sk_state_load(sk);
	if (state == TCP_LISTEN)
		return atcp_core_accept_queue(&asp->conn) ? EPOLLIN | EPOLLRDNORM : 0;

	shutdown = READ_ONCE(sk->sk_shutdown);
	if (shutdown == SHUTDOWN_MASK || state == TCP_CLOSE)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;

	/* Fast open: the first data is waited for, or came with the peer's SYN. */
	if ((state != TCP_SYN_SENT && state != TCP_SYN_RECV) ||
	    atcp_core_can_send(&asp->conn)) {
		urgent = atcp_core_urgent(&asp->conn, &ahead);
		if (atcp_readable(sk, urgent != ATCP_URGENT_NONE && !ahead &&
					      !sock_flag(sk, SOCK_URGINLINE)))
			mask |= EPOLLIN | EPOLLRDNORM;
		if (urgent == ATCP_URGENT_HERE)
			mask |= EPOLLPRI;
		if (shutdown & SEND_SHUTDOWN) {
			mask |= EPOLLOUT | EPOLLWRNORM;
		} else if (__sk_stream_is_writeable(sk, 1)) {
			mask |= EPOLLOUT | EPOLLWRNORM;
		} else {
			sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
			set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
			/* Space that was freed before the bit was set must be seen now; pairs with the
			 * barrier in atcp_os_conn_event(). */
			smp_mb__after_atomic();
			if (__sk_stream_is_writeable(sk, 1))
				mask |= EPOLLOUT | EPOLLWRNORM;
		}
	}
	/* Pairs with atcp_os_conn_error(). */
	smp_rmb();
	if (READ_ONCE(sk->sk_err) || !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= EPOLLERR;
	return mask;
}

/* proto->ioctl. Lock: none. */
int atcp_ioctl(struct sock *sk, int cmd, ATCP_IOCTL_ARG)
{
	struct atcp_sock *asp = atcp_sk(sk);
	int state = inet_sk_state_load(sk);
	bool opening = (1 << state) & (TCPF_SYN_SENT | TCPF_SYN_RECV);
	enum atcp_urgent urgent;
	u32 ahead = 0;
	int answer;

	switch (cmd) {
	case SIOCINQ:
		if (state == TCP_LISTEN)
			return -EINVAL;
		answer = READ_ONCE(asp->rcv_bytes);
		/* Up to the mark, if that is among them. */
		urgent = atcp_core_urgent(&asp->conn, &ahead);
		if (urgent != ATCP_URGENT_NONE && !sock_flag(sk, SOCK_URGINLINE))
			answer = min_t(u32, answer, ahead);
		break;
	case SIOCATMARK:
		/* RFC 9293 3.8.5 (MUST-33). */
		urgent = atcp_core_urgent(&asp->conn, &ahead);
		answer = urgent != ATCP_URGENT_NONE && !ahead;
		break;
	case SIOCOUTQ:
		if (state == TCP_LISTEN)
			return -EINVAL;
		answer = opening ? 0 : atcp_core_conn_unacked(&asp->conn);
		break;
	case SIOCOUTQNSD:
		if (state == TCP_LISTEN)
			return -EINVAL;
		answer = opening ? 0 : atcp_core_conn_unsent(&asp->conn);
		break;
	default:
		return -ENOIOCTLCMD;
	}
	return atcp_ioctl_answer(answer);
}
