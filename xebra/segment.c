/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/segment.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { PORT_MIN = 1024, PORT_MAX = 65535, PEERS_MAX = 64, MTU_MIN = 68, MTU_MAX = 9216 };

static int parse_name(const json_t *json, const char *key, bool required, char name[ROUTER_NAME_SIZE],
		      struct problem *problem)
{
	const json_t *value = json_object_get(json, key);
	const char *text = json_string_value(value);

	if (!value && !required)
		return 0;
	if (!text || (*text ? !router_name_is_good(text) : required))
		return problem_set(problem, -EINVAL, "%s: letters, digits, '_', '.', '-', at most 63, are wanted", key);
	strcpy(name, text);
	return 0;
}

static int parse_number(const json_t *json, const char *key, long min, long max, unsigned *number_out,
			struct problem *problem)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max)
		return problem_set(problem, -EINVAL, "%s: a number from %ld to %ld is wanted", key, min, max);
	*number_out = json_integer_value(value);
	return 0;
}

static int parse_peers(const json_t *json, struct text_list *peers, struct problem *problem)
{
	size_t n = json_array_size(json), i;
	unsigned char binary[16];
	json_t *item;

	if (!json)
		return 0;
	if (!json_is_array(json) || n > PEERS_MAX)
		return problem_set(problem, -EINVAL, "peers: a list of at most %d addresses is wanted", PEERS_MAX);
	peers->texts = calloc(n + 1, sizeof *peers->texts);
	if (!peers->texts)
		return problem_set(problem, -ENOMEM, "peers: no memory");
	json_array_foreach(json, i, item) {
		const char *text = json_string_value(item);
		if (!text || (inet_pton(AF_INET, text, binary) != 1 && inet_pton(AF_INET6, text, binary) != 1))
			return problem_set(problem, -EINVAL, "peers: '%.64s' is not an IP address", text ? text : "?");
		for (size_t j = 0; j < peers->n; j++)
			if (strcmp(peers->texts[j], text) == 0)
				return problem_set(problem, -EINVAL, "peers: %s is given twice", text);
		peers->texts[peers->n++] = strdup(text);
	}
	return 0;
}

static int parse_state(const json_t *json, bool *down_out, struct problem *problem)
{
	const char *text = json_string_value(json);

	if (json && (!text || (strcmp(text, "up") != 0 && strcmp(text, "down") != 0)))
		return problem_set(problem, -EINVAL, "state: up or down is wanted");
	*down_out = text && strcmp(text, "down") == 0;
	return 0;
}

static int check_keys(const json_t *json, struct problem *problem)
{
	static const char *const known[] = { "name", "port", "peers", "mtu", "state", "backend" };
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)json, key, value) {
		size_t i = 0;
		while (i < N_ELEMENTS(known) && strcmp(known[i], key) != 0)
			i++;
		if (i == N_ELEMENTS(known))
			return problem_set(problem, -EINVAL, "%s: no such key; known: name port peers mtu state backend", key);
	}
	return 0;
}

int segment_parse(const json_t *json, struct segment **segment_out, struct problem *problem)
{
	AUTO(segment_free) struct segment *segment = calloc(1, sizeof *segment);

	if (!segment)
		return problem_set(problem, -ENOMEM, "segment: no memory");
	if (!json_is_object(json))
		return problem_set(problem, -EINVAL, "segment: an object is wanted");
	int r = check_keys(json, problem);
	if (r == 0)
		r = parse_name(json, "name", true, segment->name, problem);
	if (r == 0)
		r = parse_name(json, "backend", false, segment->backend, problem);
	if (r == 0)
		r = parse_number(json, "port", PORT_MIN, PORT_MAX, &segment->port, problem);
	if (r == 0 && json_object_get(json, "mtu"))
		r = parse_number(json, "mtu", MTU_MIN, MTU_MAX, &segment->mtu, problem);
	if (r == 0)
		r = parse_peers(json_object_get(json, "peers"), &segment->peers, problem);
	if (r == 0)
		r = parse_state(json_object_get(json, "state"), &segment->down, problem);
	if (r < 0)
		return r;
	if (!segment->mtu)
		segment->mtu = SEGMENT_MTU;
	*segment_out = take(segment);
	return 0;
}

void segment_free(struct segment *segment)
{
	for (size_t i = 0; segment && i < segment->peers.n; i++)
		free(segment->peers.texts[i]);
	if (segment)
		free(segment->peers.texts);
	free(segment);
}

json_t *segment_json(const struct segment *segment)
{
	json_t *peers = json_array();

	for (size_t i = 0; i < segment->peers.n; i++)
		json_array_append_new(peers, json_string(segment->peers.texts[i]));
	return json_pack("{s:s, s:i, s:o, s:i, s:s, s:s}", "name", segment->name, "port", segment->port, "peers", peers, "mtu",
			 segment->mtu, "state", segment->down ? "down" : "up", "backend", segment->backend);
}
