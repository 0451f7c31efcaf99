/* SPDX-License-Identifier: GPL-2.0 */
/* What the process that runs sequences writes and its parent reads: memory that they share. A line is "step\toutcome". */
#ifndef ATCP_TEST_TRANSCRIPT_H
#define ATCP_TEST_TRANSCRIPT_H

#include <stddef.h>

struct transcript {
	size_t used;
	char text[16 << 20]; /* of all sequences; what is not touched is not there */
};

/* From now on step() writes here. */
void transcript_use(struct transcript *t);

#endif
