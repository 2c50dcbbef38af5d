/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xebra segment ..., host, image, events */
#include <errno.h>
#include <string.h>

#include "xebra/cli.h"

enum { MANY = 10000 };

/* --- segments --- */

static int segment_body(const struct invocation *in, json_t **body_out, struct problem *problem)
{
	static const struct {
		int key;
		const char *name;
	} numbers[] = { { 'p', "port" }, { 'm', "mtu" } };
	AUTO(json_decref) json_t *body = json_object();

	for (size_t i = 0; i < N_ELEMENTS(numbers); i++) {
		const char *text = in->values[numbers[i].key];
		char *end;
		long number = text ? strtol(text, &end, 10) : 0;
		if (text && (!*text || *end))
			return problem_set(problem, -EINVAL, "--%s: '%s' is not a number", numbers[i].name, text);
		if (text)
			json_object_set_new(body, numbers[i].name, json_integer(number));
	}
	if (in->values['b'])
		json_object_set_new(body, "backend", json_string(in->values['b']));
	if (in->n_more) {
		json_t *peers = json_array();
		for (size_t i = 0; i < in->n_more; i++)
			json_array_append_new(peers, json_string(in->more[i]));
		json_object_set_new(body, "peers", peers);
	}
	*body_out = take(body);
	return 0;
}

static const char *path_of(const char *name, char path[512])
{
	snprintf(path, 512, "/v1/segments/%s", name);
	return path;
}

static enum exit_code create(struct invocation *in)
{
	AUTO(json_decref) json_t *body = NULL;
	struct problem problem = { 0 };

	if (segment_body(in, &body, &problem) < 0)
		return fail(&problem);
	json_object_set_new(body, "name", json_string(in->args[0]));
	return call_and_show(in, "POST", "/v1/segments", body);
}

static enum exit_code set(struct invocation *in)
{
	AUTO(json_decref) json_t *body = NULL;
	struct problem problem = { 0 };
	char path[512];

	if (segment_body(in, &body, &problem) < 0)
		return fail(&problem);
	return call_and_show(in, "PATCH", path_of(in->args[0], path), body);
}

static enum exit_code set_state(struct invocation *in, const char *name, const char *state)
{
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "state", state);
	char path[512];

	return call_and_show(in, "PATCH", path_of(name, path), body);
}

static enum exit_code up_one(struct invocation *in, const char *name)
{
	return set_state(in, name, "up");
}

static enum exit_code up(struct invocation *in)
{
	return for_each_arg(in, "up", up_one);
}

static enum exit_code down_one(struct invocation *in, const char *name)
{
	return set_state(in, name, "down");
}

static enum exit_code down(struct invocation *in)
{
	return for_each_arg(in, "down", down_one);
}

static enum exit_code destroy_one(struct invocation *in, const char *name)
{
	char path[512];

	return call_and_show(in, "DELETE", path_of(name, path), NULL);
}

static enum exit_code destroy(struct invocation *in)
{
	return for_each_arg(in, "destroying", destroy_one);
}

static char *get_name(const json_t *row)
{
	return cell("%s", json_text(row, "name"));
}

static char *get_port(const json_t *row)
{
	return cell("%lld", (long long)json_integer_value(json_object_get(row, "port")));
}

static char *get_state(const json_t *row)
{
	return cell("%s", json_text(row, "state"));
}

static char *get_mtu(const json_t *row)
{
	return cell("%lld", (long long)json_integer_value(json_object_get(row, "mtu")));
}

static char *get_backend(const json_t *row)
{
	const char *backend = json_text(row, "backend");

	return cell("%s", *backend ? backend : "Dom0");
}

static char *get_peers(const json_t *row)
{
	char text[1024] = "";
	json_t *peer;
	size_t i;

	json_array_foreach(json_object_get(row, "peers"), i, peer)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", json_string_value(peer));
	return cell("%s", *text ? text : "-");
}

static char *get_report(const json_t *row)
{
	return cell("%s", json_text(row, "report"));
}

static const struct column segment_columns[] = {
	{ "NAME", false, get_name }, { "PORT", true, get_port },	{ "STATE", false, get_state }, { "MTU", true, get_mtu },
	{ "BACKEND", false, get_backend }, { "PEERS", false, get_peers }, { "REPORT", false, get_report }, { NULL, false, NULL },
};

static enum exit_code list(struct invocation *in)
{
	AUTO(json_decref) json_t *reply = NULL;
	enum exit_code code = call(in, "GET", "/v1/segments", NULL, &reply);

	return code == EXIT_OK ? print_table(in, reply, segment_columns) : code;
}

static enum exit_code show(struct invocation *in)
{
	AUTO(json_decref) json_t *reply = NULL;
	AUTO(json_decref) json_t *rows = json_array();
	char path[512];
	enum exit_code code = call(in, "GET", path_of(in->args[0], path), NULL, &reply);

	if (code != EXIT_OK)
		return code;
	json_array_append(rows, reply);
	if (in->json)
		print_json(reply);
	else
		print_table(in, rows, segment_columns);
	return EXIT_OK;
}

/* --- host, images --- */

static char *get_bdf(const json_t *row)
{
	return cell("%s", json_text(row, "bdf"));
}

static char *get_pf(const json_t *row)
{
	return cell("%s", json_text(row, "pf"));
}

static char *get_driver(const json_t *row)
{
	return cell("%s", json_text(row, "driver"));
}

static char *get_owner(const json_t *row)
{
	const char *owner = json_text(row, "owner");

	return cell("%s", *owner ? owner : "-");
}

static const struct column vf_columns[] = {
	{ "VF", false, get_bdf }, { "PF", false, get_pf }, { "DRIVER", false, get_driver }, { "OWNER", false, get_owner }, { NULL, false, NULL },
};

static void print_plain(const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		if (json_is_array(value) && json_is_object(json_array_get(value, 0)))
			continue;
		AUTO(free) char *text = json_is_string(value) ? strdup(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY);
		printf("%-18s %s\n", key, text);
	}
}

static enum exit_code show_host(struct invocation *in)
{
	AUTO(json_decref) json_t *reply = NULL;
	enum exit_code code = call(in, "GET", "/v1/host", NULL, &reply);

	if (code != EXIT_OK || in->json) {
		if (code == EXIT_OK)
			print_json(reply);
		return code;
	}
	print_plain(reply);
	if (json_array_size(json_object_get(reply, "vfs")) == 0)
		return EXIT_OK;
	putchar('\n');
	return print_table(in, json_object_get(reply, "vfs"), vf_columns);
}

static char *get_size(const json_t *row)
{
	return cell("%.1f", json_number_value(json_object_get(row, "size_bytes")) / 1048576);
}

static char *get_kernel(const json_t *row)
{
	return cell("%s", json_text(row, "kernel_version"));
}

static const struct column image_columns[] = {
	{ "NAME", false, get_name }, { "MIB", true, get_size }, { "KERNEL", false, get_kernel }, { NULL, false, NULL },
};

static enum exit_code list_images(struct invocation *in)
{
	AUTO(json_decref) json_t *reply = NULL;
	enum exit_code code = call(in, "GET", "/v1/images", NULL, &reply);

	return code == EXIT_OK ? print_table(in, reply, image_columns) : code;
}

/* --- events --- */

static bool print_event(void *arg, const char *name, const json_t *event)
{
	const struct invocation *in = arg;
	const char *message = json_text(event, "message");

	(void)name;
	if (in->json) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		printf("%s %s %s: %s%s%s\n", json_text(event, "time"), json_text(event, "object"), json_text(event, "name"),
		       json_text(event, "event"), *message ? ": " : "", message);
	}
	return fflush(stdout) == 0;
}

static enum exit_code events(struct invocation *in)
{
	struct problem problem = { 0 };
	char path[64];

	snprintf(path, sizeof path, "/v1/events?backlog=%s", in->values['b'] ? in->values['b'] : "0");
	return http_follow(&in->target, path, print_event, in, &problem) < 0 ? fail(&problem) : EXIT_OK;
}

/* --- the table --- */

static const struct argp_option segment_options[] = {
	{ "port", 'p', "PORT", 0, "UDP port on the underlay, the VN ID (1024 to 65535)", 0 },
	{ "peer", 'P', "ADDRESS", 0, "underlay address of another host of the segment; repeatable", 0 },
	{ "mtu", 'm', "BYTES", 0, "inner MTU (default 1458)", 0 },
	{ "backend", 'b', "DOMAIN", 0, "driver domain that carries it (default Dom0)", 0 },
	{ 0 },
};
static const struct argp_option event_options[] = {
	{ "backlog", 'b', "N", 0, "begin with the last N events", 0 },
	{ 0 },
};

const struct command other_commands[] = {
	{ "segment", "create", "NAME", "Create a virtual link (one peer) or LAN (several).", segment_options, 'P', 1, 1, create },
	{ "segment", "set", "NAME", "Change a segment.", segment_options, 'P', 1, 1, set },
	{ "segment", "list", "", "List the segments.", NULL, 0, 0, 0, list },
	{ "segment", "show", "NAME", "Show a segment.", NULL, 0, 1, 1, show },
	{ "segment", "up", "NAME...", "Let a cut segment carry again.", NULL, 0, 1, MANY, up },
	{ "segment", "down", "NAME...", "Cut a segment: it carries nothing.", NULL, 0, 1, MANY, down },
	{ "segment", "destroy", "NAME...", "Remove a segment that no router uses.", NULL, 0, 1, MANY, destroy },
	{ "host", "show", "", "Show capacity, versions, VFs and driver domains.", NULL, 0, 0, 0, show_host },
	{ "image", "list", "", "List the images that routers can boot.", NULL, 0, 0, 0, list_images },
	{ "events", "", "", "Print what happens, as it happens.", event_options, 0, 0, 0, events },
	{ 0 },
};
