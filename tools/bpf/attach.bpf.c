// SPDX-License-Identifier: GPL-2.0
/*
 * `atcp attach`: stream sockets of the kernel's TCP become atcp's when a process of an attached cgroup, or of one below it, makes them.
 * The decision is at update_socket_protocol() (kernel 6.6), which socket(2) asks; two more programs watch the kernel's table of
 * protocols, so that the decision is known to be possible. Loaded, pinned and fed by tools/atcp/attach_bpf.cpp.
 *
 * No vmlinux.h: the one kernel structure that is read has its two members here, and libbpf finds their places in the running
 * kernel's BTF.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <linux/atcp.h>

#include "attach_map.h"

enum {
	INET = 2,
	INET6 = 10,
	STREAM = 1,
	TYPE_MASK = 0xf,	/* of the type that socket(2) was called with; SOCK_NONBLOCK and SOCK_CLOEXEC are above */
	TCP = 6,
};

struct inet_protosw {
	unsigned short type;
	unsigned short protocol;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ATCP_ATTACH_CGROUPS);
	__type(key, __u64);
	__type(value, struct atcp_attached);
} cgroups SEC(".maps");

/*
 * The kernel has atcp in its table. Set by the tool when it attaches the programs, and by them ever after. The module adds the entry of
 * IPv4 last and takes it away first, so it stands for both families.
 */
volatile int registered;

static int is_ours(struct inet_protosw *p)
{
	return p->type == STREAM && p->protocol == IPPROTO_ATCP;
}

SEC("fexit/inet_register_protosw")
int BPF_PROG(on_register, struct inet_protosw *p)
{
	if (is_ours(p))
		registered = 1;
	return 0;
}

SEC("fentry/inet_unregister_protosw")
int BPF_PROG(on_unregister, struct inet_protosw *p)
{
	if (is_ours(p))
		registered = 0;
	return 0;
}

/*
 * 0 is "as the program asked" and lets other BPF programs at this place decide; any other value is the protocol. The nearest attached
 * cgroup counts.
 */
SEC("fmod_ret/update_socket_protocol")
int BPF_PROG(on_socket, int family, int type, int protocol)
{
	struct atcp_attached *nearest = NULL;

	if ((family != INET && family != INET6) || (type & TYPE_MASK) != STREAM || (protocol != 0 && protocol != TCP))
		return 0;
	for (int level = 0; level < ATCP_ATTACH_LEVELS; level++) {
		__u64 id = bpf_get_current_ancestor_cgroup_id(level);
		struct atcp_attached *found;

		if (!id)
			break;
		found = bpf_map_lookup_elem(&cgroups, &id);
		if (found)
			nearest = found;
	}
	if (!nearest || (!registered && !nearest->strict))
		return 0;
	__sync_fetch_and_add(&nearest->sockets, 1);
	return IPPROTO_ATCP;
}

char LICENSE[] SEC("license") = "GPL";
