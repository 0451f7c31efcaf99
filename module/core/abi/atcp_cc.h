/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Congestion control: the interface between the engine and an algorithm. The engine owns loss detection and says what happened; the algorithm owns cwnd
 * and ssthresh. It sees its own state and the sample of one ACK, never
 * the connection. All of it runs under the connection's socket lock, mostly in softirq: no sleeping,
 * no floating point.
 */
#ifndef ATCP_CC_H
#define ATCP_CC_H

#if defined(__KERNEL__) && !defined(__cplusplus)
#include <linux/types.h>
#else
#include "atcp_os.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A parameter that is never NULL: the same to a C compiler's eyes as a pointer. */
#ifdef __cplusplus
#define ATCP_REF(type) type &
#else
#define ATCP_REF(type) type *
#endif

/* Words of its own that every algorithm has for nothing. */
#define ATCP_CC_PRIV_WORDS 8
/* Longest name, without the NUL (that of Linux). */
#define ATCP_CC_NAME_MAX 15
#define ATCP_CC_SSTHRESH_INFINITE 0x7fffffff

/* The algorithm's half of a connection. cwnd and ssthresh count segments of the sender's MSS. */
struct atcp_cc {
	uint32_t cwnd;
	uint32_t ssthresh;
	uint32_t cwnd_cnt; /* what it has towards the next segment of cwnd, in its own unit */
	uint32_t cwnd_clamp; /* never above; the program's */
	uint64_t priv[ATCP_CC_PRIV_WORDS];
};

/* What one ACK brought. */
struct atcp_cc_ack {
	uint64_t now_us;
	uint32_t acked;	     /* segments newly acknowledged or SACKed */
	uint32_t in_flight;  /* segments in the network before this ACK */
	uint32_t rtt_us;     /* sample of this ACK, 0 if there is none */
	uint32_t srtt_us;    /* 0 if there was never a sample */
	uint32_t min_rtt_us; /* least of the last minutes */
	bool cwnd_limited;   /* the window, not the program or the peer, limited what was sent */
	bool ece;	     /* it echoes a congestion mark (RFC 3168, RFC 8257) */
	uint32_t round; /* round trips so far: how often what was sent when the last one began was acknowledged */
};

enum atcp_cc_event {
	ATCP_CC_TX_START,	/* first segment after idle */
	ATCP_CC_ENTER_RECOVERY, /* fast retransmit; ssthresh() was called */
	ATCP_CC_ENTER_CWR,	/* a congestion mark; ssthresh() was called */
	ATCP_CC_EXIT_RECOVERY,	/* either ended: cwnd is ssthresh */
	ATCP_CC_TIMEOUT,	/* RTO; ssthresh() was called, cwnd will be what is in flight + 1 */
	ATCP_CC_UNDO,		/* the reduction was needless and has been undone */
};

enum {
	ATCP_CC_RESTRICTED = 1, /* needs privilege unless it is the namespace's default */
	ATCP_CC_NEEDS_ECN = 2,	/* ECN is asked for whatever the parameter `ecn` says */
	ATCP_CC_EXACT_ECE = 4,	/* as receiver echo each mark, not until CWR (RFC 8257 3.2) */
};

/* One algorithm. It stays where it is as long as it is registered. */
struct atcp_cc_ops {
	const char *name;    /* at most ATCP_CC_NAME_MAX characters */
	uint32_t flags;	     /* ATCP_CC_* */
	/* required: cwnd, ssthresh, clamp are set; priv is zero */
	void (*init)(ATCP_REF(struct atcp_cc) s, uint64_t now_us);
	/* required: the new ssthresh, >= 2; why: ATCP_CC_ENTER_RECOVERY, _ENTER_CWR or _TIMEOUT */
	uint32_t (*ssthresh)(ATCP_REF(struct atcp_cc) s, enum atcp_cc_event why, uint64_t now_us);
	/* optional: every ACK, also in recovery, before anything else is done with it; cwnd is not to be changed */
	void (*observe)(ATCP_REF(struct atcp_cc) s, ATCP_REF(const struct atcp_cc_ack) a);
	/* required: grow (or not); for ACKs outside recovery */
	void (*on_ack)(ATCP_REF(struct atcp_cc) s, ATCP_REF(const struct atcp_cc_ack) a);
	/* optional */
	void (*on_event)(ATCP_REF(struct atcp_cc) s, enum atcp_cc_event e, uint64_t now_us);
};

#ifdef __cplusplus
}
#endif
#endif /* ATCP_CC_H */
