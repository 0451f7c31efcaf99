/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tool and its BPF program share: the entry of the map of attached cgroups, whose key is the cgroup's id (64 bits, never used
 * again while the machine runs). Plain C, read by clang -target bpf and by C++.
 */
#ifndef ATCP_BPF_ATTACH_MAP_H
#define ATCP_BPF_ATTACH_MAP_H

#include <linux/types.h>

enum {
	ATCP_ATTACH_CGROUPS = 1024,	/* how many may be attached at a time */
	ATCP_ATTACH_LEVELS = 64,	/* a cgroup this deep or deeper (the root has level 0) is not found */
};

struct atcp_attached {
	__u64 sockets;	/* calls of socket(2) that got our protocol, by processes of this cgroup or of one below that is not attached itself */
	__u32 strict;	/* 1: also while the module is not there, so that socket() fails; 0: then they are the kernel's TCP */
	__u32 unused;	/* 0 */
};

#endif
