/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What programs may know of atcp: the protocol number for socket(2), the options of our own, and,
 * from atcp_netlink.h, the generic netlink family with all its numbers (states, reasons and so
 * on). Numbers never change their meaning; new ones are added at the end of their list. Neither
 * header depends on any other, so that the core, the glue and the tools all include this same file.
 */
#ifndef _UAPI_LINUX_ATCP_H
#define _UAPI_LINUX_ATCP_H

#include <linux/atcp_netlink.h>

/* socket(AF_INET, SOCK_STREAM, IPPROTO_ATCP). Also the IP protocol number of wire=atcp
 * (RFC 3692: 253 is for experiments).
 */
#ifndef IPPROTO_ATCP
#define IPPROTO_ATCP 253
#endif

/* Options of our own, at this level; whatever Linux has a number for is at SOL_TCP with that number. Values
 * are int unless it says otherwise.
 */
#ifndef SOL_ATCP
#define SOL_ATCP 253
#endif
enum atcp_sockopt {
	ATCP_SO_TIMEWAIT_S = 1,	/* length of TIME_WAIT in seconds, 1 to 600; 0: the parameter
				 * timewait_len, which is also what is read then. Inherited from
				 * the listener
				 */
	ATCP_SO_PARAM = 2,	/* text: to set "NAME=VALUE"; to get NAME, which the effective value
				 * replaces. Those that are one number, and congestion_control; see
				 * atcp(7) for which of them take CAP_NET_ADMIN. ENOENT: no such
				 * parameter, EOPNOTSUPP: the namespace's alone, ENOSPC: no room
				 */
};

#endif /* _UAPI_LINUX_ATCP_H */
