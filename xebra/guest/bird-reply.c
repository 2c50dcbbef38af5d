/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/guest/bird-reply.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { CODE_DIGITS = 4, WORD_SIZE = 32 };

void bird_reply_start(struct bird_reply *reply)
{
	*reply = (struct bird_reply){ .code = 0 };
}

bool bird_reply_refused(const struct bird_reply *reply)
{
	return reply->error[0] != '\0';
}

/* The word at `position` (from 0), cut to fit; "" when there are fewer. */
static void word_at(const char *text, unsigned position, char word[WORD_SIZE])
{
	for (;; position--) {
		text += strspn(text, " \t");
		size_t size = strcspn(text, " \t");
		if (position == 0 || size == 0) {
			snprintf(word, WORD_SIZE, "%.*s", (int)size, text);
			return;
		}
		text += size;
	}
}

/* "ospf1  OSPF  master4  up  12:00:00.000  Running" */
static void protocol_row(struct bird_reply *reply, const char *text)
{
	char state[WORD_SIZE];

	word_at(text, 3, state);
	reply->protocols_up += strcmp(state, "up") == 0;
}

/* "10.255.0.2   1   Full/PtP   32.001   e0   10.0.1.2" */
static void neighbor_row(struct bird_reply *reply, const char *text)
{
	char state[WORD_SIZE];

	word_at(text, 2, state);
	reply->ospf_full += strncmp(state, "Full", 4) == 0;
}

static void take_text(struct bird_reply *reply, const char *text)
{
	if (reply->code == BIRD_ROW_PROTOCOL)
		protocol_row(reply, text);
	else if (reply->code == BIRD_ROW_OSPF_NEIGHBOR)
		neighbor_row(reply, text);
	else if (reply->code >= BIRD_REFUSED && !reply->error[0])
		snprintf(reply->error, sizeof reply->error, "%.*s", (int)sizeof reply->error - 1, *text ? text : "refused");
}

static enum bird_reply_state take_line(struct bird_reply *reply)
{
	const char *line = reply->line;
	unsigned code = 0;

	if (*line == '+') /* a log line that was asked for by nobody here */
		return BIRD_REPLY_MORE;
	if (*line == ' ') {
		take_text(reply, line + 1);
		return BIRD_REPLY_MORE;
	}
	for (int i = 0; i < CODE_DIGITS; i++) {
		if (!isdigit((unsigned char)line[i]))
			return BIRD_REPLY_GARBLED;
		code = 10 * code + (unsigned)(line[i] - '0');
	}
	char mark = line[CODE_DIGITS];
	if (mark != '-' && mark != ' ' && mark != '\0')
		return BIRD_REPLY_GARBLED;
	reply->code = code;
	take_text(reply, mark ? line + CODE_DIGITS + 1 : "");
	return mark == '-' ? BIRD_REPLY_MORE : BIRD_REPLY_END;
}

enum bird_reply_state bird_reply_feed(struct bird_reply *reply, const uint8_t *buf, size_t size, size_t *used_out)
{
	enum bird_reply_state state = BIRD_REPLY_MORE;
	size_t used = 0;

	while (used < size && state == BIRD_REPLY_MORE) {
		char c = (char)buf[used++];
		if (c != '\n') {
			if (reply->line_size < sizeof reply->line - 1)
				reply->line[reply->line_size++] = c ? c : '?';
			continue;
		}
		reply->line[reply->line_size] = '\0';
		reply->line_size = 0;
		state = take_line(reply);
	}
	*used_out = used;
	return state;
}
