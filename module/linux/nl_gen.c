// SPDX-License-Identifier: GPL-2.0
/*
 * What requests may hold, and the table of operations.
 * Made from uapi/atcp.yaml by `make gen`; do not edit.
 */
#include "nl.h"

static const struct nla_policy param_nest[] = {
	[ATCP_PARAM_A_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[ATCP_PARAM_A_VALUE] = { .type = NLA_NUL_STRING, .len = 127 },
};

static const char *const param_rules[] = {
	[ATCP_PARAM_A_NAME] =
		"param name: must be a text of at most 63 bytes",
	[ATCP_PARAM_A_VALUE] =
		"param value: must be a text of at most 127 bytes",
};

const struct atcp_nl_nest atcp_nl_nest_param = {
	.name = "param",
	.policy = param_nest,
	.rules = param_rules,
	.max = ARRAY_SIZE(param_nest) - 1,
};

static const struct nla_policy filter_nest[] = {
	[ATCP_FILTER_A_STATES] = { .type = NLA_U32 },
	[ATCP_FILTER_A_FAMILY] = { .type = NLA_U16 },
	[ATCP_FILTER_A_LADDR] = { .type = NLA_BINARY, .len = 16 },
	[ATCP_FILTER_A_LADDR_PREFIX] = NLA_POLICY_MAX(NLA_U8, 128),
	[ATCP_FILTER_A_RADDR] = { .type = NLA_BINARY, .len = 16 },
	[ATCP_FILTER_A_RADDR_PREFIX] = NLA_POLICY_MAX(NLA_U8, 128),
	[ATCP_FILTER_A_LPORT_MIN] = { .type = NLA_U16 },
	[ATCP_FILTER_A_LPORT_MAX] = { .type = NLA_U16 },
	[ATCP_FILTER_A_RPORT_MIN] = { .type = NLA_U16 },
	[ATCP_FILTER_A_RPORT_MAX] = { .type = NLA_U16 },
	[ATCP_FILTER_A_UID] = { .type = NLA_U32 },
	[ATCP_FILTER_A_CC] = { .type = NLA_NUL_STRING, .len = 15 },
	[ATCP_FILTER_A_LISTENER] = { .type = NLA_U64 },
	[ATCP_FILTER_A_ID] = { .type = NLA_U64 },
	[ATCP_FILTER_A_EVENTS] = { .type = NLA_U32 },
	[ATCP_FILTER_A_REASONS] = { .type = NLA_BINARY, .len = 32 },
};

static const char *const filter_rules[] = {
	[ATCP_FILTER_A_STATES] =
		"filter states: must be a u32",
	[ATCP_FILTER_A_FAMILY] =
		"filter family: must be a u16",
	[ATCP_FILTER_A_LADDR] =
		"filter laddr: must be at most 16 bytes",
	[ATCP_FILTER_A_LADDR_PREFIX] =
		"filter laddr-prefix: must be a u8 in 0..128",
	[ATCP_FILTER_A_RADDR] =
		"filter raddr: must be at most 16 bytes",
	[ATCP_FILTER_A_RADDR_PREFIX] =
		"filter raddr-prefix: must be a u8 in 0..128",
	[ATCP_FILTER_A_LPORT_MIN] =
		"filter lport-min: must be a u16",
	[ATCP_FILTER_A_LPORT_MAX] =
		"filter lport-max: must be a u16",
	[ATCP_FILTER_A_RPORT_MIN] =
		"filter rport-min: must be a u16",
	[ATCP_FILTER_A_RPORT_MAX] =
		"filter rport-max: must be a u16",
	[ATCP_FILTER_A_UID] =
		"filter uid: must be a u32",
	[ATCP_FILTER_A_CC] =
		"filter cc: must be a text of at most 15 bytes",
	[ATCP_FILTER_A_LISTENER] =
		"filter listener: must be a u64",
	[ATCP_FILTER_A_ID] =
		"filter id: must be a u64",
	[ATCP_FILTER_A_EVENTS] =
		"filter events: must be a u32",
	[ATCP_FILTER_A_REASONS] =
		"filter reasons: must be at most 32 bytes",
};

const struct atcp_nl_nest atcp_nl_nest_filter = {
	.name = "filter",
	.policy = filter_nest,
	.rules = filter_rules,
	.max = ARRAY_SIZE(filter_nest) - 1,
};

static const struct nla_policy param_get_policy[__ATCP_A_MAX] = {
	[ATCP_A_PARAM] = { .type = NLA_NESTED },
	[ATCP_A_ID] = { .type = NLA_U64 },
};

static const struct nla_policy param_set_policy[__ATCP_A_MAX] = {
	[ATCP_A_PARAM] = { .type = NLA_NESTED },
	[ATCP_A_ID] = { .type = NLA_U64 },
};

static const struct nla_policy socket_get_policy[__ATCP_A_MAX] = {
	[ATCP_A_ID] = { .type = NLA_U64 },
	[ATCP_A_FILTER] = { .type = NLA_NESTED },
};

static const struct nla_policy listener_get_policy[__ATCP_A_MAX] = {
	[ATCP_A_FILTER] = { .type = NLA_NESTED },
};

static const struct nla_policy param_reset_policy[__ATCP_A_MAX] = {
	[ATCP_A_PARAM] = { .type = NLA_NESTED },
	[ATCP_A_ID] = { .type = NLA_U64 },
};

static const struct nla_policy socket_kill_policy[__ATCP_A_MAX] = {
	[ATCP_A_FILTER] = { .type = NLA_NESTED },
};

static const struct nla_policy record_get_policy[__ATCP_A_MAX] = {
	[ATCP_A_FILTER] = { .type = NLA_NESTED },
};

static const struct nla_policy event_subscribe_policy[__ATCP_A_MAX] = {
	[ATCP_A_FILTER] = { .type = NLA_NESTED },
};

const struct genl_ops atcp_nl_ops[ATCP_NL_OPS] = {
	{
		.cmd = ATCP_CMD_PARAM_GET,
		.doit = atcp_nl_param_get_doit,
		.start = atcp_nl_param_get_start,
		.dumpit = atcp_nl_param_get_dumpit,
		.policy = param_get_policy,
		.maxattr = __ATCP_A_MAX - 1,
	},
	{
		.cmd = ATCP_CMD_PARAM_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = atcp_nl_param_set_doit,
		.policy = param_set_policy,
		.maxattr = __ATCP_A_MAX - 1,
	},
	{
		.cmd = ATCP_CMD_SOCKET_GET,
		.doit = atcp_nl_socket_get_doit,
		.start = atcp_nl_socket_get_start,
		.dumpit = atcp_nl_socket_get_dumpit,
		.done = atcp_nl_socket_get_done,
		.policy = socket_get_policy,
		.maxattr = __ATCP_A_MAX - 1,
	},
	{
		.cmd = ATCP_CMD_LISTENER_GET,
		.start = atcp_nl_listener_get_start,
		.dumpit = atcp_nl_listener_get_dumpit,
		.done = atcp_nl_listener_get_done,
		.policy = listener_get_policy,
		.maxattr = __ATCP_A_MAX - 1,
	},
	{
		.cmd = ATCP_CMD_COUNTER_GET,
		.dumpit = atcp_nl_counter_get_dumpit,
	},
	{
		.cmd = ATCP_CMD_REASON_GET,
		.dumpit = atcp_nl_reason_get_dumpit,
	},
	{
		.cmd = ATCP_CMD_PARAM_RESET,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = atcp_nl_param_reset_doit,
		.policy = param_reset_policy,
		.maxattr = __ATCP_A_MAX - 1,
	},
	{
		.cmd = ATCP_CMD_CC_GET,
		.dumpit = atcp_nl_cc_get_dumpit,
	},
	{
		.cmd = ATCP_CMD_TABLES_GET,
		.doit = atcp_nl_tables_get_doit,
	},
	{
		.cmd = ATCP_CMD_SOCKET_KILL,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = atcp_nl_socket_kill_doit,
		.policy = socket_kill_policy,
		.maxattr = __ATCP_A_MAX - 1,
	},
	{
		.cmd = ATCP_CMD_RECORD_GET,
		.start = atcp_nl_record_get_start,
		.dumpit = atcp_nl_record_get_dumpit,
		.done = atcp_nl_record_get_done,
		.policy = record_get_policy,
		.maxattr = __ATCP_A_MAX - 1,
	},
	{
		.cmd = ATCP_CMD_EVENT_SUBSCRIBE,
		.doit = atcp_nl_event_subscribe_doit,
		.policy = event_subscribe_policy,
		.maxattr = __ATCP_A_MAX - 1,
	},
};

const struct genl_multicast_group atcp_nl_groups[ATCP_NL_GROUPS] = {
	[ATCP_NL_GROUP_EVENTS] = { .name = ATCP_MCGRP_EVENTS, .flags = GENL_MCAST_CAP_NET_ADMIN },
};
