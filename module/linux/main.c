// SPDX-License-Identifier: GPL-2.0
/*
 * The module: parameters, namespaces, and the ladder of initialisations with its mirror. Every rung
 * is a file of its own; nothing happens here but the order.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <net/netns/generic.h>

#include "glue.h"

/* Most buckets that the established table may have; 2^24 of them are 128 MB. */
enum { ATCP_EHASH_MAX = 1 << 24 };

static unsigned int atcp_ehash_entries;

static int atcp_ehash_set(const char *val, const struct kernel_param *kp)
{
	unsigned int n;
	int err = kstrtouint(val, 0, &n);

	if (!err && n > ATCP_EHASH_MAX)
		err = -ERANGE;
	if (err) {
		pr_err("atcp: parameter ehash_entries=%s: must be 0 (by memory) to %u\n", val,
		       ATCP_EHASH_MAX);
		return err;
	}
	atcp_ehash_entries = n;
	return 0;
}

static const struct kernel_param_ops atcp_ehash_ops = {
	.set = atcp_ehash_set,
	.get = param_get_uint,
};
module_param_cb(ehash_entries, &atcp_ehash_ops, &atcp_ehash_entries, 0444);
MODULE_PARM_DESC(ehash_entries,
		 "Buckets of each namespace's table of connections (0 to 16777216; 0: default)");

static unsigned int atcp_net_id __read_mostly;

struct atcp_osns *atcp_pernet(const struct net *net)
{
	return net_generic(net, atcp_net_id);
}

static int __net_init atcp_net_init(struct net *net)
{
	struct atcp_osns *osns = atcp_pernet(net);
	int err = -ENOMEM;

	osns->net = net;
	atomic_set(&osns->sockets, 0);
	atcp_ports_init(osns);
	atcp_ns_timer_init(osns);
	atcp_watchers_init(&osns->watchers);
	osns->counters = __alloc_percpu(max(atcp_core_counter_count(), 1U) * sizeof(u64),
					sizeof(u64));
	if (!osns->counters)
		return err;
	osns->reasons = __alloc_percpu(__ATCP_REASON_MAX * sizeof(u64), sizeof(u64));
	if (!osns->reasons)
		goto err_counters;
	osns->core = atcp_core_ns_new(osns, atcp_ehash_entries);
	if (!osns->core)
		goto err_reasons;
	err = percpu_counter_init(&osns->orphans, 0, GFP_KERNEL);
	if (err)
		goto err_core;
	err = atcp_records_init(osns);
	if (err)
		goto err_orphans;
	return 0;

err_orphans:
	percpu_counter_destroy(&osns->orphans);
err_core:
	atcp_core_ns_free(osns->core);
err_reasons:
	free_percpu(osns->reasons);
err_counters:
	free_percpu(osns->counters);
	return err;
}

/* No packet reaches the core after the grace period that follows this. */
static void __net_exit atcp_net_pre_exit(struct net *net)
{
	atcp_unhook(atcp_pernet(net));
	atcp6_unhook(atcp_pernet(net));
}

static void __net_exit atcp_net_exit(struct net *net)
{
	struct atcp_osns *osns = atcp_pernet(net);

	atcp_ns_timer_stop(osns);
	atcp_ports_exit(osns);
	atcp_core_ns_free(osns->core);
	atcp_watchers_exit(&osns->watchers);
	atcp_paths_free(osns);
	atcp_records_free(osns);
	percpu_counter_destroy(&osns->orphans);
	free_percpu(osns->reasons);
	free_percpu(osns->counters);
}

static struct pernet_operations atcp_net_ops = {
	.init = atcp_net_init,
	.pre_exit = atcp_net_pre_exit,
	.exit = atcp_net_exit,
	.id = &atcp_net_id,
	.size = sizeof(struct atcp_osns),
};

static int __init atcp_init(void)
{
	int err;

	err = atcp_os_init();
	if (err)
		return err;
	err = atcp_inet_init();
	if (err)
		goto err_os;
	err = register_pernet_subsys(&atcp_net_ops);
	if (err)
		goto err_inet;
	err = atcp_offload_init();
	if (err)
		goto err_pernet;
	err = atcp_netlink_init();
	if (err)
		goto err_offload;
	err = atcp_inet_open();
	if (err)
		goto err_netlink;
	pr_info("atcp: loaded\n");
	return 0;

err_netlink:
	atcp_netlink_exit();
err_offload:
	atcp_offload_exit();
err_pernet:
	unregister_pernet_subsys(&atcp_net_ops);
err_inet:
	atcp_inet_exit();
err_os:
	atcp_os_exit();
	return err;
}

/*
 * No socket is left: each holds a reference to the module until its memory is given back,
 * orphans included. What may be left are requests and TIME_WAIT entries; they are dropped.
 */
static void __exit atcp_exit(void)
{
	atcp_inet_shut();
	atcp_netlink_exit();
	atcp_offload_exit();
	unregister_pernet_subsys(&atcp_net_ops);
	/* The last sockets' destructors have put the module; let them return. */
	rcu_barrier();
	atcp_inet_exit();
	atcp_os_exit();
}

module_init(atcp_init);
module_exit(atcp_exit);

MODULE_DESCRIPTION("A second TCP beside the kernel's own");
MODULE_LICENSE("GPL");
MODULE_ALIAS_NET_PF_PROTO_TYPE(PF_INET, 253, 1);
MODULE_ALIAS_NET_PF_PROTO_TYPE(PF_INET6, 253, 1);
