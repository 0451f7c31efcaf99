// SPDX-License-Identifier: GPL-2.0
/*
 * Socket options: SOL_TCP numbers and names that programs already use, and our own of SOL_ATCP, go to the
 * core, which says ENOPROTOOPT to what it does not have; SOL_IP is the kernel's own code; TCP_INFO is the kernel's
 * struct filled from the core's.
 */
#include <linux/sockptr.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/tcp.h>

#include "glue.h"

/* TCP_CONGESTION: a name. */
static int atcp_set_cc(struct sock *sk, sockptr_t val, unsigned int len)
{
	char name[TCP_CA_NAME_MAX];
	bool admin = ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN);
	enum atcp_err e;
	long n;

	if (len < 1)
		return -EINVAL;
	n = strncpy_from_sockptr(name, val, min_t(long, TCP_CA_NAME_MAX - 1, len));
	if (n < 0)
		return -EFAULT;
	name[n] = 0;

	lock_sock(sk);
	e = atcp_core_set_cc(&atcp_sk(sk)->conn, name, admin, atcp_now());
	release_sock(sk);
	return -atcp_errno(e);
}

/* TCP_FASTOPEN_KEY: one key of 16 bytes, or that and a backup. */
static int atcp_set_fastopen_keys(struct sock *sk, sockptr_t val, unsigned int len)
{
	u8 keys[ATCP_FASTOPEN_KEYS * ATCP_FASTOPEN_KEY_BYTES];
	enum atcp_err e;

	if (len != ATCP_FASTOPEN_KEY_BYTES && len != sizeof(keys))
		return -EINVAL;
	if (copy_from_sockptr(keys, val, len))
		return -EFAULT;
	lock_sock(sk);
	e = atcp_core_set_fastopen_keys(&atcp_sk(sk)->conn, keys, len / ATCP_FASTOPEN_KEY_BYTES);
	release_sock(sk);
	memzero_explicit(keys, sizeof(keys));
	return -atcp_errno(e);
}

/* proto->setsockopt. Context: process. */
int atcp_setsockopt(struct sock *sk, int level, int opt, sockptr_t val, unsigned int len)
{
	enum atcp_err e;
	int number;

	if (level != SOL_TCP && level != SOL_ATCP) {
		/* IP options are not sent yet; accepting them would be a lie. */
		if (level == SOL_IP && opt == IP_OPTIONS)
			return -ENOPROTOOPT;
		return ip_setsockopt(sk, level, opt, val, len);
	}
	if (level == SOL_TCP && opt == TCP_CONGESTION)
		return atcp_set_cc(sk, val, len);
	if (level == SOL_TCP && opt == TCP_FASTOPEN_KEY)
		return atcp_set_fastopen_keys(sk, val, len);
	if (opt < 0 || opt >= ATCP_OWN_OPT)
		return -ENOPROTOOPT;
	if (len < sizeof(int))
		return -EINVAL;
	if (copy_from_sockptr(&number, val, sizeof(number)))
		return -EFAULT;

	if (level == SOL_ATCP)
		opt += ATCP_OWN_OPT;
	/* As listen(): no queue is longer than somaxconn. */
	if (opt == TCP_FASTOPEN)
		number = min(number, READ_ONCE(sock_net(sk)->core.sysctl_somaxconn));
	lock_sock(sk);
	e = atcp_core_set_option(&atcp_sk(sk)->conn, opt, number, atcp_now());
	release_sock(sk);
	return -atcp_errno(e);
}

/* proto->keepalive: SO_KEEPALIVE changed. Lock: socket. */
void atcp_keepalive(struct sock *sk, int on)
{
	atcp_core_set_keepalive(&atcp_sk(sk)->conn, on, atcp_now());
}

static void atcp_tcp_info(const struct atcp_conn_info *c, struct tcp_info *info)
{
	memset(info, 0, sizeof(*info));
	info->tcpi_state = c->state;
	info->tcpi_ca_state = c->ca_state;
	info->tcpi_retransmits = min(c->retransmits, 255U);
	info->tcpi_probes = min(c->probes, 255U);
	info->tcpi_backoff = min(c->backoff, 255U);
	if (c->options & ATCP_OPT_TS)
		info->tcpi_options |= TCPI_OPT_TIMESTAMPS;
	if (c->options & (ATCP_OPT_SACK_OK | ATCP_OPT_SACK))
		info->tcpi_options |= TCPI_OPT_SACK;
	if (c->options & ATCP_OPT_WSCALE) {
		info->tcpi_options |= TCPI_OPT_WSCALE;
		info->tcpi_snd_wscale = c->snd_wscale;
		info->tcpi_rcv_wscale = c->rcv_wscale;
	}
	if (c->ecn & 1)
		info->tcpi_options |= TCPI_OPT_ECN;
	if (c->ecn & 2)
		info->tcpi_options |= TCPI_OPT_ECN_SEEN;
	if (c->syn_data)
		info->tcpi_options |= TCPI_OPT_SYN_DATA;
	info->tcpi_rto = c->rto_us;
	info->tcpi_ato = c->ato_us;
	info->tcpi_snd_mss = c->snd_mss;
	info->tcpi_rcv_mss = c->rcv_mss;
	info->tcpi_unacked = c->packets_out;
	info->tcpi_sacked = c->sacked;
	info->tcpi_lost = c->lost;
	info->tcpi_retrans = c->retrans_out;
	info->tcpi_last_data_sent = c->last_data_sent_us / 1000;
	info->tcpi_last_data_recv = c->last_data_recv_us / 1000;
	info->tcpi_last_ack_recv = c->last_ack_recv_us / 1000;
	info->tcpi_pmtu = c->pmtu;
	info->tcpi_rcv_ssthresh = c->rcv_ssthresh;
	info->tcpi_rtt = c->srtt_us;
	info->tcpi_rttvar = c->rttvar_us;
	info->tcpi_snd_ssthresh = c->ssthresh;
	info->tcpi_snd_cwnd = c->cwnd;
	info->tcpi_advmss = c->advmss;
	info->tcpi_reordering = c->reordering;
	info->tcpi_rcv_rtt = c->rcv_rtt_us;
	info->tcpi_rcv_space = c->rcv_space;
	info->tcpi_total_retrans = c->total_retrans;
	info->tcpi_bytes_acked = c->bytes_acked;
	info->tcpi_bytes_received = c->bytes_received;
	info->tcpi_segs_out = c->segs_out;
	info->tcpi_segs_in = c->segs_in;
	info->tcpi_notsent_bytes = c->notsent_bytes;
	info->tcpi_min_rtt = c->min_rtt_us;
	info->tcpi_data_segs_in = c->data_segs_in;
	info->tcpi_data_segs_out = c->data_segs_out;
	info->tcpi_bytes_sent = c->bytes_sent;
	info->tcpi_bytes_retrans = c->bytes_retrans;
	info->tcpi_dsack_dups = c->dsack_dups;
	info->tcpi_reord_seen = c->reord_seen;
	info->tcpi_snd_wnd = c->snd_wnd;
}

/* The two numbers that a listener shows where a connection has segments in flight. */
static void atcp_tcp_info_listener(struct sock *sk, struct tcp_info *info)
{
	struct atcp_listener_info l;

	atcp_core_listener_info(&atcp_sk(sk)->conn, &l, atcp_now());
	info->tcpi_state = TCP_LISTEN;
	info->tcpi_unacked = l.accept_queue;
	info->tcpi_sacked = l.backlog;
}

/* Copy at most as much as the caller has room for, and tell him how much. */
static int atcp_put_answer(const void *answer, int size, int room, char __user *val,
			   int __user *len)
{
	room = min(room, size);
	if (put_user(room, len) || copy_to_user(val, answer, room))
		return -EFAULT;
	return 0;
}

/* proto->getsockopt. Context: process. */
int atcp_getsockopt(struct sock *sk, int level, int opt, char __user *val, int __user *len)
{
	struct atcp_conn *c = &atcp_sk(sk)->conn;
	u8 keys[ATCP_FASTOPEN_KEYS * ATCP_FASTOPEN_KEY_BYTES];
	char name[TCP_CA_NAME_MAX] = "";
	struct atcp_conn_info ci;
	struct tcp_info info;
	enum atcp_err e;
	int number;
	int room;

	if (level != SOL_TCP && level != SOL_ATCP)
		return ip_getsockopt(sk, level, opt, val, len);
	if (get_user(room, len))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (opt < 0 || opt >= ATCP_OWN_OPT)
		return -ENOPROTOOPT;
	if (level == SOL_ATCP)
		opt += ATCP_OWN_OPT;

	switch (opt) {
	case TCP_INFO:
		lock_sock(sk);
		atcp_core_conn_info(c, &ci, atcp_now());
		atcp_tcp_info(&ci, &info);
		if (sk->sk_state == TCP_LISTEN)
			atcp_tcp_info_listener(sk, &info);
		release_sock(sk);
		return atcp_put_answer(&info, sizeof(info), room, val, len);
	case TCP_CONGESTION:
		lock_sock(sk);
		strscpy(name, atcp_core_get_cc(c), sizeof(name));
		release_sock(sk);
		return atcp_put_answer(name, sizeof(name), room, val, len);
	case TCP_FASTOPEN_KEY:
		lock_sock(sk);
		number = atcp_core_get_fastopen_keys(c, keys) * ATCP_FASTOPEN_KEY_BYTES;
		release_sock(sk);
		return atcp_put_answer(keys, number, room, val, len);
	default:
		lock_sock(sk);
		e = atcp_core_get_option(c, opt, &number, atcp_now());
		release_sock(sk);
		if (e)
			return -atcp_errno(e);
		return atcp_put_answer(&number, sizeof(number), room, val, len);
	}
}
