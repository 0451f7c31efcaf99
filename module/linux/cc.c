// SPDX-License-Identifier: GPL-2.0
/*
 * Congestion controls of other modules: the exported names, and the references that keep such a module loaded.
 */
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>

#include "atcp_cc.h"
#include "glue.h"

static DEFINE_MUTEX(atcp_cc_mutex);

bool atcp_os_owner_get(void *owner)
{
	return try_module_get(owner);
}

void atcp_os_owner_put(void *owner)
{
	module_put(owner);
}

int atcp_cc_register(const struct atcp_cc_ops *ops)
{
	enum atcp_err e;

	mutex_lock(&atcp_cc_mutex);
	e = atcp_core_cc_add(ops);
	mutex_unlock(&atcp_cc_mutex);
	return -atcp_errno(e);
}
EXPORT_SYMBOL_GPL(atcp_cc_register);

void atcp_cc_unregister(const struct atcp_cc_ops *ops)
{
	mutex_lock(&atcp_cc_mutex);
	atcp_core_cc_remove(ops);
	mutex_unlock(&atcp_cc_mutex);
	/* Who found it before is done with it, or holds the module. */
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(atcp_cc_unregister);

/* The program asks for one that is not there: perhaps a module has it. Context: process. Lock: none. */
void atcp_cc_load(const char *name)
{
	if (capable(CAP_NET_ADMIN))
		request_module("atcp_cc_%s", name);
}
