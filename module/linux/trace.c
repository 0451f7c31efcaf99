// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints themselves, and which of them an event fires. Each that is in use casts a vote for
 * atcp_watched, so that unused ones cost nothing of their own.
 */
#include "glue.h"

/* Context: process, under the mutex of tracepoints. */
static int atcp_trace_on(void)
{
	static_branch_inc(&atcp_watched);
	return 0;
}

static void atcp_trace_off(void)
{
	static_branch_dec(&atcp_watched);
}

/* An end of a connection, of its family; `port` as it stands in a packet. `to` has room for a sockaddr_in6, at any place. */
static void atcp_trace_address(u8 *to, const struct atcp_tuple *t, const union atcp_ip *addr, u16 port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = atcp_be16(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = atcp_be16(port) };

	memset(to, 0, sizeof(six));
	if (t->family == ATCP_AF_INET6) {
		memcpy(&six.sin6_addr, addr, sizeof(six.sin6_addr));
		memcpy(to, &six, sizeof(six));
	} else {
		memcpy(&four.sin_addr, addr, sizeof(four.sin_addr));
		memcpy(to, &four, sizeof(four));
	}
}

#define CREATE_TRACE_POINTS
#include "atcp_trace.h"

void atcp_trace_tell(const struct atcp_told *told)
{
	switch ((enum atcp_event_kind)told->e->kind) {
	case ATCP_EVENT_KIND_STATE:
		trace_state(told);
		break;
	case ATCP_EVENT_KIND_DROP:
		trace_drop(told);
		break;
	case ATCP_EVENT_KIND_RESET_SENT:
	case ATCP_EVENT_KIND_RESET_RECEIVED:
		trace_reset(told);
		break;
	case ATCP_EVENT_KIND_RETRANSMIT:
		trace_retransmit(told);
		break;
	case ATCP_EVENT_KIND_CWND:
		trace_cwnd(told);
		break;
	case ATCP_EVENT_KIND_REQUEST_MADE:
	case ATCP_EVENT_KIND_REQUEST_EXPIRED:
	case ATCP_EVENT_KIND_REQUEST_PROMOTED:
	case ATCP_EVENT_KIND_COOKIE_SENT:
	case ATCP_EVENT_KIND_COOKIE_ACCEPTED:
	case ATCP_EVENT_KIND_COOKIE_REFUSED:
	case ATCP_EVENT_KIND_ACCEPT_QUEUE_FULL:
	case ATCP_EVENT_KIND_ACCEPT_QUEUE_FREE:
		trace_request(told);
		break;
	case ATCP_EVENT_KIND_CLOSED:
	case ATCP_EVENT_KIND_LOST:
	case __ATCP_EVENT_KIND_MAX:
		break;
	}
}
