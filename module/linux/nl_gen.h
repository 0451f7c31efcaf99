/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What nl_gen.c has for the rest of the family: nests that requests hold, the attributes that
 * each request takes, the tables for struct genl_family. Made from uapi/atcp.yaml by `make
 * gen`; do not edit.
 */
#ifndef ATCP_NL_GEN_H
#define ATCP_NL_GEN_H

#include <net/genetlink.h>

#include <linux/atcp.h>

/* A nest that requests hold. rules: for each attribute, what it must be; outlives every request. */
struct atcp_nl_nest {
	const char *name;
	const struct nla_policy *policy;
	const char *const *rules;
	u16 max; /* highest attribute */
};
extern const struct atcp_nl_nest atcp_nl_nest_param;
extern const struct atcp_nl_nest atcp_nl_nest_filter;

/* What do and dump take at the top, one bit per attribute: kernels of ours have one policy for
 * both.
 */
#define ATCP_NL_PARAM_GET_DO (BIT(ATCP_A_PARAM) | BIT(ATCP_A_ID))
#define ATCP_NL_PARAM_GET_DUMP (BIT(ATCP_A_ID))
#define ATCP_NL_PARAM_SET_DO (BIT(ATCP_A_PARAM) | BIT(ATCP_A_ID))
#define ATCP_NL_SOCKET_GET_DO (BIT(ATCP_A_ID))
#define ATCP_NL_SOCKET_GET_DUMP (BIT(ATCP_A_FILTER))
#define ATCP_NL_LISTENER_GET_DUMP (BIT(ATCP_A_FILTER))
#define ATCP_NL_PARAM_RESET_DO (BIT(ATCP_A_PARAM) | BIT(ATCP_A_ID))
#define ATCP_NL_SOCKET_KILL_DO (BIT(ATCP_A_FILTER))
#define ATCP_NL_RECORD_GET_DUMP (BIT(ATCP_A_FILTER))
#define ATCP_NL_EVENT_SUBSCRIBE_DO (BIT(ATCP_A_FILTER))

#define ATCP_NL_OPS 12
extern const struct genl_ops atcp_nl_ops[ATCP_NL_OPS];

enum {
	ATCP_NL_GROUP_EVENTS,
	ATCP_NL_GROUPS,
};
extern const struct genl_multicast_group atcp_nl_groups[ATCP_NL_GROUPS];

#endif /* ATCP_NL_GEN_H */
