// SPDX-License-Identifier: GPL-2.0
/*
 * Socket options: SOL_TCP numbers and names that programs already use, and our own of SOL_ATCP, go to the
 * core, which says ENOPROTOOPT to what it does not have; SOL_IP is the kernel's own code; TCP_INFO is the kernel's
 * struct filled from the core's.
 */
#include <linux/sockptr.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ipv6.h>
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
	if (e != ATCP_ERR_NOT_FOUND || !admin)
		return -atcp_errno(e);

	atcp_cc_load(name);
	lock_sock(sk);
	e = atcp_core_set_cc(&atcp_sk(sk)->conn, name, admin, atcp_now());
	release_sock(sk);
	return -atcp_errno(e);
}

/* TCP_ULP: a name, too. There is none that could be meant. */
static int atcp_set_ulp(sockptr_t val, unsigned int len)
{
	char name[TCP_ULP_NAME_MAX];

	if (len < 1)
		return -EINVAL;
	if (strncpy_from_sockptr(name, val, min_t(long, TCP_ULP_NAME_MAX - 1, len)) < 0)
		return -EFAULT;
	return -ENOPROTOOPT;
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

/* TCP_INQ: every read says in a control message how much is left. */
static int atcp_set_inq(struct sock *sk, int on)
{
	struct atcp_sock *asp = atcp_sk(sk);

	if (on < 0 || on > 1)
		return -EINVAL;
	lock_sock(sk);
	asp->flags = (asp->flags & ~ATCP_F_INQ) | (on ? ATCP_F_INQ : 0);
	release_sock(sk);
	return 0;
}

/* Extension headers may come or go with it, and segments become shorter or longer. */
static int atcp_set_ipv6(struct sock *sk, int opt, sockptr_t val, unsigned int len)
{
	int err = ipv6_setsockopt(sk, SOL_IPV6, opt, val, len);

	lock_sock(sk);
	if (!err && atcp_speaks_v6(sk))
		atcp_core_ip_options(&atcp_sk(sk)->conn, atcp_sock_opt_len(sk));
	release_sock(sk);
	return err;
}

/* Bytes are numbered from what a connection has sent on. */
static bool atcp_refuses_stamps(const struct sock *sk, sockptr_t val, unsigned int len)
{
	int flags;

	return len >= sizeof(flags) && !copy_from_sockptr(&flags, val, sizeof(flags)) &&
	       (flags & SOF_TIMESTAMPING_OPT_ID) &&
	       !(READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_OPT_ID) &&
	       (1 << inet_sk_state_load(sk)) & (TCPF_CLOSE | TCPF_LISTEN);
}

/* SO_TIMESTAMPING. */
static int atcp_set_stamps(struct sock *sk, int opt, sockptr_t val, unsigned int len)
{
	int err = -EINVAL;

	if (!atcp_refuses_stamps(sk, val, len))
		err = sock_setsockopt(sk->sk_socket, SOL_SOCKET, opt, val, len);
	if (err)
		return err;
	lock_sock(sk);
	atcp_stamp_begin(sk);
	release_sock(sk);
	return 0;
}

/*
 * SOL_SOCKET, where the kernel lets us have it: SO_ZEROCOPY, which it gives to protocols that it knows, and what it asks
 * before SO_TIMESTAMPING of its TCP alone. The rest is its own code.
 */
static int atcp_set_sol_socket(struct sock *sk, int opt, sockptr_t val, unsigned int len)
{
	int on;

	if (opt == SO_TIMESTAMPING_OLD || opt == SO_TIMESTAMPING_NEW)
		return atcp_set_stamps(sk, opt, val, len);
	if (opt != SO_ZEROCOPY)
		return sock_setsockopt(sk->sk_socket, SOL_SOCKET, opt, val, len);
	if (len < sizeof(on))
		return -EINVAL;
	if (copy_from_sockptr(&on, val, sizeof(on)))
		return -EFAULT;
	if (on < 0 || on > 1)
		return -EINVAL;
	lock_sock(sk);
	sock_valbool_flag(sk, SOCK_ZEROCOPY, on);
	release_sock(sk);
	return 0;
}

/*
 * Groups are for datagrams. The kernel refuses its TCP, which it knows by a mark that is its own, after the checks that it
 * makes of every option of IPv6; those of IPv4 come later.
 */
static int atcp_refuse_membership(int level, sockptr_t val, unsigned int len)
{
	int number;

	if (level == SOL_IP)
		return -EPROTO;
	if (!sockptr_is_null(val) && len >= sizeof(number) && copy_from_sockptr(&number, val, sizeof(number)))
		return -EFAULT;
	return len < sizeof(struct ipv6_mreq) ? -EINVAL : -EPROTO;
}

static bool atcp_is_membership(const struct sock *sk, int level, int opt)
{
	if (level == SOL_IP)
		return opt == IP_ADD_MEMBERSHIP || opt == IP_DROP_MEMBERSHIP;
	return level == SOL_IPV6 && sk->sk_family == AF_INET6 &&
	       (opt == IPV6_ADD_MEMBERSHIP || opt == IPV6_DROP_MEMBERSHIP);
}

/* proto->setsockopt. Context: process. */
int atcp_setsockopt(struct sock *sk, int level, int opt, sockptr_t val, unsigned int len)
{
	enum atcp_err e;
	int number;

	if (level == SOL_SOCKET)
		return atcp_set_sol_socket(sk, opt, val, len);
	if (level == SOL_IP && opt == IP_OPTIONS)
		return atcp_path_set(sk, val, len);
	if (atcp_is_membership(sk, level, opt))
		return atcp_refuse_membership(level, val, len);
	if (level == SOL_IPV6 && sk->sk_family == AF_INET6)
		return atcp_set_ipv6(sk, opt, val, len);
	if (level != SOL_TCP && level != SOL_ATCP)
		return sk->sk_family == AF_INET6 ? ipv6_setsockopt(sk, level, opt, val, len) :
						   ip_setsockopt(sk, level, opt, val, len);
	if (level == SOL_TCP && opt == TCP_CONGESTION)
		return atcp_set_cc(sk, val, len);
	if (level == SOL_TCP && opt == TCP_ULP)
		return atcp_set_ulp(val, len);
	if (level == SOL_TCP && opt == TCP_FASTOPEN_KEY)
		return atcp_set_fastopen_keys(sk, val, len);
	if (level == SOL_ATCP && opt == ATCP_SO_PARAM)
		return atcp_set_param(sk, val, len);
	/* In this order, as Linux: a value that cannot be is told before an option that is not there. */
	if (len < sizeof(int))
		return -EINVAL;
	if (copy_from_sockptr(&number, val, sizeof(number)))
		return -EFAULT;
	if (opt < 0 || opt >= ATCP_OWN_OPT)
		return -ENOPROTOOPT;

	if (level == SOL_TCP && opt == TCP_INQ)
		return atcp_set_inq(sk, number);
	if (level == SOL_TCP && opt == TCP_SAVE_SYN)
		return atcp_set_save_syn(sk, number);
	if (level == SOL_TCP && opt == TCP_SAVED_SYN)
		return -ENOPROTOOPT;
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

u8 atcp_tcpi_options(const struct atcp_conn_info *c)
{
	return (c->options & ATCP_OPT_TS ? TCPI_OPT_TIMESTAMPS : 0) |
	       (c->options & (ATCP_OPT_SACK_OK | ATCP_OPT_SACK) ? TCPI_OPT_SACK : 0) |
	       (c->options & ATCP_OPT_WSCALE ? TCPI_OPT_WSCALE : 0) |
	       (c->ecn & 1 ? TCPI_OPT_ECN : 0) | (c->ecn & 2 ? TCPI_OPT_ECN_SEEN : 0) |
	       (c->syn_data ? TCPI_OPT_SYN_DATA : 0);
}

/* Has the peer acknowledged our SYN? */
static bool atcp_was_open(const struct atcp_conn_info *c)
{
	return c->bytes_acked ||
	       !((1 << c->state) & (TCPF_SYN_SENT | TCPF_SYN_RECV | TCPF_LISTEN | TCPF_CLOSE));
}

static void atcp_tcp_info(const struct atcp_conn_info *c, struct tcp_info *info)
{
	memset(info, 0, sizeof(*info));
	info->tcpi_state = c->state;
	info->tcpi_ca_state = c->ca_state;
	info->tcpi_retransmits = min(c->retransmits, 255U);
	info->tcpi_probes = min(c->probes, 255U);
	info->tcpi_backoff = min(c->backoff, 255U);
	info->tcpi_options = atcp_tcpi_options(c);
	if (c->options & ATCP_OPT_WSCALE) {
		info->tcpi_snd_wscale = c->snd_wscale;
		info->tcpi_rcv_wscale = c->rcv_wscale;
	}
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
	/* Without the time in which all is sent and on its way, which is the program's here. */
	info->tcpi_busy_time = c->age_us - c->limited_us[ATCP_LIMIT_APP];
	info->tcpi_rwnd_limited =
		c->limited_us[ATCP_LIMIT_RWND] + c->limited_us[ATCP_LIMIT_ZERO_WINDOW];
	info->tcpi_sndbuf_limited = c->limited_us[ATCP_LIMIT_SNDBUF];
	info->tcpi_data_segs_in = c->data_segs_in;
	info->tcpi_data_segs_out = c->data_segs_out;
	info->tcpi_bytes_sent = c->bytes_sent;
	info->tcpi_bytes_retrans = c->bytes_retrans;
	info->tcpi_dsack_dups = c->dsack_dups;
	info->tcpi_reord_seen = c->reord_seen;
	info->tcpi_snd_wnd = c->snd_wnd;
	info->tcpi_pacing_rate = c->pacing_rate ?: ~0ULL;
	info->tcpi_delivery_rate = c->delivery_rate;
	info->tcpi_delivery_rate_app_limited = !!c->delivery_app_limited;
	/* With the SYN, as Linux counts. */
	info->tcpi_delivered = c->delivered + atcp_was_open(c);
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

/* What the core says of a connection is large: no frame has it and the answer made of it. Lock: socket. */
static noinline_for_stack void atcp_tcp_info_conn(struct sock *sk, struct tcp_info *info)
{
	struct atcp_conn_info ci;

	atcp_core_conn_info(&atcp_sk(sk)->conn, &ci, atcp_now());
	atcp_tcp_info(&ci, info);
}

/* TCP_INFO. By itself, for it needs much of the stack. Context: process. */
static noinline_for_stack int atcp_get_info(struct sock *sk, int room, char __user *val,
					    int __user *len)
{
	struct tcp_info info;

	lock_sock(sk);
	atcp_tcp_info_conn(sk, &info);
	/* "No limit" has the size of a long in the socket. */
	info.tcpi_max_pacing_rate = READ_ONCE(sk->sk_max_pacing_rate) == ~0UL ?
					    ~0ULL :
					    READ_ONCE(sk->sk_max_pacing_rate);
	if (sk->sk_state == TCP_LISTEN)
		atcp_tcp_info_listener(sk, &info);
	release_sock(sk);
	return atcp_put_answer(&info, sizeof(info), room, val, len);
}

/* proto->getsockopt. Context: process. */
int atcp_getsockopt(struct sock *sk, int level, int opt, char __user *val, int __user *len)
{
	struct atcp_conn *c = &atcp_sk(sk)->conn;
	u8 keys[ATCP_FASTOPEN_KEYS * ATCP_FASTOPEN_KEY_BYTES];
	char name[TCP_CA_NAME_MAX] = "";
	enum atcp_err e;
	int number;
	int room;

	if (level != SOL_TCP && level != SOL_ATCP)
		return sk->sk_family == AF_INET6 ? ipv6_getsockopt(sk, level, opt, val, len) :
						   ip_getsockopt(sk, level, opt, val, len);
	if (get_user(room, len))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (level == SOL_ATCP && opt == ATCP_SO_PARAM)
		return atcp_get_param(sk, room, val, len);
	if (opt < 0 || opt >= ATCP_OWN_OPT)
		return -ENOPROTOOPT;
	if (level == SOL_ATCP)
		opt += ATCP_OWN_OPT;

	switch (opt) {
	case TCP_INFO:
		return atcp_get_info(sk, room, val, len);
	case TCP_CONGESTION:
		lock_sock(sk);
		strscpy(name, atcp_core_get_cc(c), sizeof(name));
		release_sock(sk);
		return atcp_put_answer(name, sizeof(name), room, val, len);
	case TCP_INQ:
		number = !!(READ_ONCE(atcp_sk(sk)->flags) & ATCP_F_INQ);
		return atcp_put_answer(&number, sizeof(number), room, val, len);
	case TCP_SAVE_SYN:
		number = READ_ONCE(atcp_sk(sk)->save_syn);
		return atcp_put_answer(&number, sizeof(number), room, val, len);
	case TCP_SAVED_SYN:
		return atcp_get_saved_syn(sk, room, val, len);
	case TCP_ULP:
		/* None is installed. */
	case TCP_CC_INFO:
		/* The algorithms have nothing to tell: as Linux's cubic. */
		return put_user(0, len);
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
