// SPDX-License-Identifier: GPL-2.0
/*
 * ATCP_SO_PARAM: a program's way to the parameters of its own socket, as text. setsockopt takes
 * "NAME=VALUE", getsockopt finds NAME in the buffer and puts the effective value there. What may be set
 * is the core's decision; who has CAP_NET_ADMIN is looked at here.
 */
#include <linux/string.h>
#include <linux/uaccess.h>

#include "atcp_core.h"
#include "glue.h"

#define TEXT_MAX 192 /* a name of 63, a value of 127 and what joins them */

/* Context: process. Lock: none. */
int atcp_set_param(struct sock *sk, sockptr_t val, unsigned int len)
{
	bool admin = ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN);
	struct atcp_param_text set;
	char text[TEXT_MAX];
	enum atcp_err e;
	char *value;
	int i;
	u32 bad;

	if (len < 1 || len >= sizeof(text))
		return -EINVAL;
	if (copy_from_sockptr(text, val, len))
		return -EFAULT;
	text[len] = 0;
	value = strchr(text, '=');
	if (!value)
		return -EINVAL;
	*value++ = 0;
	i = atcp_core_param_find(text);
	if (i < 0)
		return -ENOENT;
	set.i = i;
	set.text = value;
	/* It may be of a module that is not loaded yet. */
	if (admin && atcp_core_param_check(i, value) == ATCP_ERR_NOT_FOUND)
		atcp_cc_load(value);
	lock_sock(sk);
	e = atcp_core_conn_params_set(&atcp_sk(sk)->conn, &set, 1, ATCP_SOURCE_SETSOCKOPT, admin,
				      atcp_now(), &bad);
	release_sock(sk);
	return -atcp_errno(e);
}

/* room: of the buffer, in which the name stands. Context: process. Lock: none. */
int atcp_get_param(struct sock *sk, int room, char __user *val, int __user *len)
{
	char text[TEXT_MAX];
	long n;
	int i;
	u32 source;

	if (room < 1)
		return -EINVAL;
	n = strncpy_from_user(text, val, min_t(long, room, sizeof(text) - 1));
	if (n < 0)
		return -EFAULT;
	text[n] = 0;
	i = atcp_core_param_find(text);
	if (i < 0)
		return -ENOENT;
	rcu_read_lock();
	n = atcp_core_conn_param_get(&atcp_sk(sk)->conn, i, &source, text, sizeof(text)) + 1;
	rcu_read_unlock();
	if (n > room)
		return -ENOSPC;
	if (put_user((int)n, len) || copy_to_user(val, text, n))
		return -EFAULT;
	return 0;
}
