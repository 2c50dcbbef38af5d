/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target of the tree parser: lines "path=value" become nodes. */
#include "wanted.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire.h"

enum { NODES_MAX = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the rest of the program relies on. */
static void check(const struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->n_segments; i++) {
		const struct wanted_segment *segment = &wanted->segments[i];
		if (segment->vn_id < WIRE_SEGMENT_FIRST || segment->n_peers > SEGMENT_PEERS_MAX ||
		    wanted_segment(wanted, segment->name) == NULL ||
		    (i && strcmp(wanted->segments[i - 1].name, segment->name) > 0))
			abort();
		for (size_t j = 0; j < i; j++)
			if (wanted->segments[j].vn_id == segment->vn_id)
				abort();
	}
	for (size_t i = 0; i < wanted->n_ports; i++)
		if (!*wanted->ports[i].ifname || !*wanted->ports[i].segment)
			abort();
	for (size_t i = 0; i < wanted->n_refusals; i++)
		for (const char *c = wanted->refusals[i].text + 8 + strlen(wanted->refusals[i].name); *c; c++)
			if ((unsigned char)*c < ' ')
				abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *holder_of[TABLE_SEGMENTS] = { [5001] = "b" };
	char *text = strndup((const char *)data, size), *rest = text;
	struct node nodes[NODES_MAX];
	size_t n = 0;

	for (char *line; n < NODES_MAX && (line = strsep(&rest, "\n"));) {
		char *value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = '\0';
		nodes[n++] = (struct node){ line, value };
	}
	AUTO(wanted_free) struct wanted *wanted = NULL;
	if (wanted_parse(nodes, n, holder_of, &wanted) == 0)
		check(wanted);
	free(text);
	return 0;
}
