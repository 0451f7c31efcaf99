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
#define ATCP_CC_PRIV_WORDS 11
/* Longest name, without the NUL (that of Linux). */
#define ATCP_CC_NAME_MAX 15
#define ATCP_CC_SSTHRESH_INFINITE 0x7fffffff

/* The algorithm's half of a connection. cwnd and ssthresh count segments of the sender's MSS. */
struct atcp_cc {
	uint32_t cwnd;
	uint32_t ssthresh;
	uint32_t cwnd_cnt; /* what it has towards the next segment of cwnd, in its own unit */
	uint32_t cwnd_clamp; /* never above; the program's */
	uint64_t pacing_rate; /* bytes per second; 0: the engine's own, from cwnd and srtt */
	uint64_t priv[ATCP_CC_PRIV_WORDS];
	void *more; /* ops->more_bytes of memory, zero when init is called */
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
	bool recovering;     /* the engine is in fast recovery or after a timeout */
	uint32_t round;	     /* round trips so far: how often what was sent when the last one began was acknowledged */
	uint32_t lost;	     /* segments thought lost since the last ACK */
	uint32_t flight_now; /* in the network after this ACK */
	uint32_t mss;	     /* payload bytes of a segment */
	/* A sample of the delivery rate (draft-ietf-ccwg-bbr-05, 4.1): of the segment sent last among those
	 * that this ACK reports. */
	uint32_t delivered;	  /* segments ever delivered, with this ACK; wraps */
	uint32_t prior_delivered; /* `delivered` when that segment was sent */
	uint32_t rate_segs;	  /* segments delivered from then till now; 0: no sample */
	uint32_t rate_us;	  /* in this time */
	uint32_t tx_in_flight;	  /* in the network when it was sent, itself included; stops at 65535 */
	uint32_t tx_lost;	  /* lost since it was sent, modulo 65536 */
	bool app_limited;	  /* the program had nothing to send when it was sent */
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
	ATCP_CC_PACED = 8,	/* not to be used without pacing */
};

/* Version of this interface, which ops->abi must have. */
#define ATCP_CC_ABI 1

/* One algorithm. It stays where it is as long as it is registered. */
struct atcp_cc_ops {
	uint32_t abi;	     /* ATCP_CC_ABI */
	void *owner;	     /* its module (THIS_MODULE), which stays loaded as long as a connection uses it; NULL: the engine's */
	const char *name;    /* at most ATCP_CC_NAME_MAX characters */
	uint32_t flags;	     /* ATCP_CC_* */
	uint32_t more_bytes; /* memory behind `more`; 0: none. At most 1024 */
	/* required: cwnd, ssthresh, clamp are set; priv is zero */
	void (*init)(ATCP_REF(struct atcp_cc) s, uint64_t now_us);
	/* required: the new ssthresh, >= 2; why: ATCP_CC_ENTER_RECOVERY, _ENTER_CWR or _TIMEOUT */
	uint32_t (*ssthresh)(ATCP_REF(struct atcp_cc) s, enum atcp_cc_event why, uint64_t now_us);
	/* optional: every ACK, also in recovery, before anything else is done with it; cwnd is not to be changed */
	void (*observe)(ATCP_REF(struct atcp_cc) s, ATCP_REF(const struct atcp_cc_ack) a);
	/* optional: sets cwnd at every ACK, in recovery as well, instead of on_ack() and the engine's
	 * proportional rate reduction */
	void (*control)(ATCP_REF(struct atcp_cc) s, ATCP_REF(const struct atcp_cc_ack) a);
	/* required unless there is control(): grow (or not); for ACKs outside recovery */
	void (*on_ack)(ATCP_REF(struct atcp_cc) s, ATCP_REF(const struct atcp_cc_ack) a);
	/* optional */
	void (*on_event)(ATCP_REF(struct atcp_cc) s, enum atcp_cc_event e, uint64_t now_us);
};

#if defined(__KERNEL__) && !defined(__cplusplus)
/*
 * For other modules. Add an algorithm: programs can choose it (TCP_CONGESTION), and the parameter congestion_control can
 * name it. Returns 0, -EINVAL (something required is missing, a name too long, another version of this interface),
 * -EADDRINUSE (the name is taken) or -ENOMEM (too many names). Context: process.
 */
int atcp_cc_register(const struct atcp_cc_ops *ops);
/*
 * From the module's exit, which comes when no connection uses it any more. Namespaces whose default it was use cubic
 * for new connections, until it is there again. Context: process; waits for a grace period.
 */
void atcp_cc_unregister(const struct atcp_cc_ops *ops);
#endif

#ifdef __cplusplus
}
#endif
#endif /* ATCP_CC_H */
