/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replies of BIRD's control socket, fed as the bytes come. Pure.
 *
 *     bird_reply_start(&reply) ... while (bird_reply_feed(&reply, bytes, n, &used) == BIRD_REPLY_MORE) ...
 *
 * A reply is lines "CODE-text" or " text" (same code again), and ends with a line "CODE text" (BIRD's documentation,
 * "Remote control": the code's first digit tells 0 done, 1 a table's row, 2 a table's heading, 8 refused, 9 not understood).
 */
#ifndef XEBRA_BIRD_REPLY_H
#define XEBRA_BIRD_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BIRD_LINE_SIZE = 512, BIRD_ERROR_SIZE = 256 };

enum bird_code {
	BIRD_WELCOME = 1,
	BIRD_ROW_PROTOCOL = 1002,
	BIRD_ROW_OSPF_NEIGHBOR = 1013,
	BIRD_REFUSED = 8000, /* and above */
};

struct bird_reply {
	/* readable */
	unsigned code; /* of the last line */
	char error[BIRD_ERROR_SIZE]; /* text of the first line at or above BIRD_REFUSED */
	unsigned protocols_up;
	unsigned ospf_full; /* neighbours with a full adjacency */

	/* private */
	char line[BIRD_LINE_SIZE];
	size_t line_size; /* what does not fit is dropped */
};

enum bird_reply_state { BIRD_REPLY_MORE, BIRD_REPLY_END, BIRD_REPLY_GARBLED };

void bird_reply_start(struct bird_reply *reply);
/* Takes bytes until the reply ends; *used_out of them were taken. */
enum bird_reply_state bird_reply_feed(struct bird_reply *reply, const uint8_t *buf, size_t size, size_t *used_out);
bool bird_reply_refused(const struct bird_reply *reply);

#endif
