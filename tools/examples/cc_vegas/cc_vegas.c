// SPDX-License-Identifier: GPL-2.0
/*
 * An example of a congestion control in a module of its own: TCP Vegas (Brakmo, O'Malley, Peterson: "TCP Vegas: New
 * Techniques for Congestion Detection and Avoidance", SIGCOMM 1994). Copy it, rename it, change what it does.
 *
 * Vegas compares what it gets with what it would get if no queue were on the path: of cwnd segments per round trip,
 *     cwnd * (rtt - base_rtt) / rtt
 * wait in queues. It keeps between alpha and beta of them there, by one segment per round trip, and ends slow start when
 * more than gamma wait. Losses are answered as Reno does.
 *
 * Deviation: the paper's finer retransmissions are the engine's matter (RACK-TLP) and not of this file.
 */
#include <linux/minmax.h>
#include <linux/module.h>

#include "atcp_cc.h"

enum { VEGAS_ALPHA = 2, VEGAS_BETA = 4, VEGAS_GAMMA = 1 }; /* segments */

/* In atcp_cc.priv, which is zero in the beginning. */
struct vegas {
	u32 round;	    /* atcp_cc_ack.round of the round trip that runs */
	u32 base_rtt_us;    /* least of all; 0: none yet */
	u32 round_min_us;   /* least of this round trip; 0: none yet */
	u32 samples;	    /* of it */
	bool rest;	    /* slow start: this round trip only measures */
};

static struct vegas *vegas_of(struct atcp_cc *s)
{
	BUILD_BUG_ON(sizeof(struct vegas) > sizeof(s->priv));
	return (struct vegas *)s->priv;
}

static void vegas_init(struct atcp_cc *s, uint64_t now_us)
{
}

static uint32_t vegas_ssthresh(struct atcp_cc *s, enum atcp_cc_event why, uint64_t now_us)
{
	return max(s->cwnd / 2, 2U);
}

/* How many of cwnd segments waited in queues during the round trip that has ended. */
static u32 vegas_queued(const struct vegas *v, u32 cwnd)
{
	return (u64)cwnd * (v->round_min_us - v->base_rtt_us) / v->round_min_us;
}

static void vegas_round(struct atcp_cc *s, struct vegas *v)
{
	u32 queued;

	/* One sample may be that of a delayed ACK. */
	if (v->samples < 2)
		return;
	queued = vegas_queued(v, s->cwnd);
	if (s->cwnd < s->ssthresh) {
		v->rest = !v->rest;
		if (queued <= VEGAS_GAMMA)
			return;
		s->cwnd = max(s->cwnd - queued, 2U);
		s->ssthresh = max(s->cwnd, 2U);
	} else if (queued > VEGAS_BETA) {
		s->cwnd = max(s->cwnd - 1, 2U);
		s->ssthresh = min(s->ssthresh, s->cwnd);
	} else if (queued < VEGAS_ALPHA) {
		s->cwnd = min(s->cwnd + 1, s->cwnd_clamp);
	}
}

static void vegas_on_ack(struct atcp_cc *s, const struct atcp_cc_ack *a)
{
	struct vegas *v = vegas_of(s);

	if (a->rtt_us) {
		v->base_rtt_us = v->base_rtt_us ? min(v->base_rtt_us, a->rtt_us) : a->rtt_us;
		v->round_min_us = v->round_min_us ? min(v->round_min_us, a->rtt_us) : a->rtt_us;
		v->samples++;
	}
	if (a->round != v->round) {
		if (a->cwnd_limited)
			vegas_round(s, v);
		v->round = a->round;
		v->round_min_us = 0;
		v->samples = 0;
	}
	if (a->cwnd_limited && s->cwnd < s->ssthresh && !v->rest)
		s->cwnd = min3(s->cwnd + a->acked, s->ssthresh, s->cwnd_clamp);
}

static const struct atcp_cc_ops vegas = {
	.abi = ATCP_CC_ABI,
	.owner = THIS_MODULE,
	.name = "vegas",
	.init = vegas_init,
	.ssthresh = vegas_ssthresh,
	.on_ack = vegas_on_ack,
};

static int __init vegas_start(void)
{
	int err = atcp_cc_register(&vegas);

	if (err)
		pr_err("cc_vegas: atcp does not take it: error %d\n", err);
	return err;
}

static void __exit vegas_end(void)
{
	atcp_cc_unregister(&vegas);
}

module_init(vegas_start);
module_exit(vegas_end);
/* By this name atcp loads it when a program asks for "vegas". */
MODULE_ALIAS("atcp_cc_vegas");
MODULE_DESCRIPTION("TCP Vegas for atcp");
MODULE_LICENSE("GPL");
