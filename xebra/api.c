/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/api.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { BACKLOG = 256, LIMIT_MAX_S = 86400, STOP_LIMIT_S = 60, READY_LIMIT_S = 120 };

struct subscriber {
	struct api *api;
	struct http_request *request;
	struct subscriber *next;
};

struct api {
	struct manager *manager;
	struct subscriber *subscribers;
	json_t *backlog; /* the last events, oldest first */
	json_int_t sequence;
};

struct api *api_new(void)
{
	struct api *api = calloc(1, sizeof *api);

	if (api)
		api->backlog = json_array();
	return api;
}

void api_free(struct api *api)
{
	for (struct subscriber *s = api->subscribers, *next; s; s = next) {
		next = s->next;
		http_stream_end(s->request);
		free(s);
	}
	json_decref(api->backlog);
	free(api);
}

void api_set_manager(struct api *api, struct manager *manager)
{
	api->manager = manager;
}

/* --- answering --- */

static void answer(struct http_request *request, int result, int status, json_t *json, const struct problem *problem)
{
	if (result < 0)
		http_reply_problem(request, problem);
	else
		http_reply(request, status, json ? json : json_object());
}

static void answer_later(void *arg, const struct problem *problem, const json_t *json)
{
	struct http_request *request = arg;

	answer(request, problem->code, 200, problem->code ? NULL : json_deep_copy(json), problem);
}

static void answer_created(void *arg, const struct problem *problem, const json_t *json)
{
	struct http_request *request = arg;

	answer(request, problem->code, 201, problem->code ? NULL : json_deep_copy(json), problem);
}

/* --- routers --- */

static bool wants(const struct http_request *request, const char *key)
{
	const char *value = http_query(request, key);

	return value && (!*value || strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
}

static void list_routers(struct api *api, struct http_request *request)
{
	struct problem problem;
	json_t *json = NULL;
	int r = manager_list(api->manager, &json, &problem);

	answer(request, r, 200, json, &problem);
}

static void create_router(struct api *api, struct http_request *request)
{
	manager_create(api->manager, request->body, !wants(request, "stopped"), answer_created, request);
}

static void show_router(struct api *api, struct http_request *request)
{
	struct problem problem;
	json_t *json = NULL;
	int r = manager_show(api->manager, request->parts[2], &json, &problem);

	answer(request, r, 200, json, &problem);
}

static void set_router(struct api *api, struct http_request *request)
{
	manager_set(api->manager, request->parts[2], request->body, answer_later, request);
}

static void destroy_router(struct api *api, struct http_request *request)
{
	manager_command(api->manager, request->parts[2], ROUTER_DESTROY, 0, answer_later, request);
}

static void clone_router(struct api *api, struct http_request *request)
{
	struct problem problem;
	const char *name = json_text(request->body, "name");

	if (!*name) {
		problem_set(&problem, -EINVAL, "name: the name of the new router is wanted");
		http_reply_problem(request, &problem);
		return;
	}
	manager_clone(api->manager, request->parts[2], name, json_object_get(request->body, "changes"),
		      !wants(request, "stopped"), answer_created, request);
}

static void wait_router(struct api *api, struct http_request *request)
{
	struct problem problem;
	long limit_s, full;

	if (http_query_number(request, "limit", 1, LIMIT_MAX_S, READY_LIMIT_S, &limit_s, &problem) < 0 ||
	    http_query_number(request, "full", 0, ROUTER_PORTS_MAX * 256L, 0, &full, &problem) < 0)
		http_reply_problem(request, &problem);
	else
		manager_wait(api->manager, request->parts[2], full, limit_s, answer_later, request);
}

static void console_of(struct api *api, struct http_request *request)
{
	struct problem problem;
	json_t *json = NULL;
	int r = manager_console(api->manager, request->parts[2], &json, &problem);

	answer(request, r, 200, json, &problem);
}

/* POST /v1/routers/NAME/VERB */
static void command_router(struct api *api, struct http_request *request)
{
	static const enum router_event asked[] = { ROUTER_START,   ROUTER_STOP, ROUTER_REBOOT, ROUTER_PAUSE,
						   ROUTER_UNPAUSE, ROUTER_SAVE, ROUTER_RESTORE };
	const char *verb = request->parts[3];
	struct problem problem;
	long limit_s;

	if (http_query_number(request, "limit", 0, LIMIT_MAX_S, STOP_LIMIT_S, &limit_s, &problem) < 0) {
		http_reply_problem(request, &problem);
		return;
	}
	for (size_t i = 0; i < N_ELEMENTS(asked); i++) {
		if (strcmp(router_event_name(asked[i]), verb) != 0)
			continue;
		enum router_event event = asked[i] == ROUTER_STOP && wants(request, "force") ? ROUTER_KILL : asked[i];
		manager_command(api->manager, request->parts[2], event, limit_s, answer_later, request);
		return;
	}
	problem_set(&problem, -ENOENT, "%s: there is no such command for routers", verb);
	http_reply_problem(request, &problem);
}

static void attach_port(struct api *api, struct http_request *request)
{
	manager_port_attach(api->manager, request->parts[2], request->body, answer_created, request);
}

static void set_port(struct api *api, struct http_request *request)
{
	manager_port_set(api->manager, request->parts[2], request->parts[4], request->body, answer_later, request);
}

static void detach_port(struct api *api, struct http_request *request)
{
	manager_port_detach(api->manager, request->parts[2], request->parts[4], answer_later, request);
}

/* --- segments --- */

static void list_segments(struct api *api, struct http_request *request)
{
	struct problem problem;
	json_t *json = NULL;
	int r = manager_segment_list(api->manager, &json, &problem);

	answer(request, r, 200, json, &problem);
}

static void show_segment(struct api *api, struct http_request *request)
{
	struct problem problem;
	json_t *json = NULL;
	int r = manager_segment_show(api->manager, request->parts[2], &json, &problem);

	answer(request, r, 200, json, &problem);
}

static void put_segment(struct api *api, struct http_request *request, bool must_be_new, const char *name)
{
	struct problem problem;
	json_t *json = NULL;

	if (name)
		json_object_set_new(request->body, "name", json_string(name));
	int r = manager_segment_put(api->manager, request->body, must_be_new, &json, &problem);
	answer(request, r, must_be_new ? 201 : 200, json, &problem);
}

static void create_segment(struct api *api, struct http_request *request)
{
	put_segment(api, request, true, NULL);
}

static void set_segment(struct api *api, struct http_request *request)
{
	put_segment(api, request, false, request->parts[2]);
}

static void destroy_segment(struct api *api, struct http_request *request)
{
	struct problem problem;
	int r = manager_segment_remove(api->manager, request->parts[2], &problem);

	answer(request, r, 200, NULL, &problem);
}

/* --- host, images, events --- */

static void show_host(struct api *api, struct http_request *request)
{
	struct problem problem;
	json_t *json = NULL;
	int r = manager_host(api->manager, &json, &problem);

	answer(request, r, 200, json, &problem);
}

static void list_images(struct api *api, struct http_request *request)
{
	struct problem problem;
	json_t *json = NULL;
	int r = manager_images(api->manager, &json, &problem);

	answer(request, r, 200, json, &problem);
}

static void subscriber_gone(void *arg)
{
	struct subscriber *subscriber = arg;
	struct subscriber **link = &subscriber->api->subscribers;

	while (*link != subscriber)
		link = &(*link)->next;
	*link = subscriber->next;
	http_stream_end(subscriber->request);
	free(subscriber);
}

static void stream_events(struct api *api, struct http_request *request)
{
	struct problem problem;
	json_t *event;
	long n;
	size_t i;

	if (http_query_number(request, "backlog", 0, BACKLOG, 0, &n, &problem) < 0) {
		http_reply_problem(request, &problem);
		return;
	}
	struct subscriber *subscriber = calloc(1, sizeof *subscriber);
	*subscriber = (struct subscriber){ .api = api, .request = request, .next = api->subscribers };
	api->subscribers = subscriber;
	http_stream_begin(request);
	http_on_gone(request, subscriber_gone, subscriber);
	size_t size = json_array_size(api->backlog);
	json_array_foreach(api->backlog, i, event)
		if (i + n >= size)
			http_stream_send(request, json_text(event, "object"), json_incref(event));
}

void api_event(void *arg, const json_t *event)
{
	struct api *api = arg;
	char stamp[32];
	struct tm tm;
	time_t now = time(NULL);
	json_t *copy = json_deep_copy(event);

	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	json_object_set_new(copy, "time", json_string(stamp));
	json_object_set_new(copy, "sequence", json_integer(++api->sequence));
	if (json_array_size(api->backlog) == BACKLOG)
		json_array_remove(api->backlog, 0);
	json_array_append_new(api->backlog, copy);
	for (struct subscriber *s = api->subscribers, *next; s; s = next) {
		next = s->next;
		http_stream_send(s->request, json_text(copy, "object"), json_incref(copy));
	}
}

/* --- paths --- */

static const struct route {
	const char *method, *path; /* '*': any one part */
	void (*handle)(struct api *api, struct http_request *request);
} routes[] = {
	{ "GET", "v1/host", show_host },
	{ "GET", "v1/images", list_images },
	{ "GET", "v1/events", stream_events },
	{ "GET", "v1/routers", list_routers },
	{ "POST", "v1/routers", create_router },
	{ "GET", "v1/routers/*", show_router },
	{ "PATCH", "v1/routers/*", set_router },
	{ "DELETE", "v1/routers/*", destroy_router },
	{ "GET", "v1/routers/*/console", console_of },
	{ "GET", "v1/routers/*/ready", wait_router },
	{ "POST", "v1/routers/*/clone", clone_router },
	{ "POST", "v1/routers/*/ports", attach_port },
	{ "PATCH", "v1/routers/*/ports/*", set_port },
	{ "DELETE", "v1/routers/*/ports/*", detach_port },
	{ "POST", "v1/routers/*/*", command_router },
	{ "GET", "v1/segments", list_segments },
	{ "POST", "v1/segments", create_segment },
	{ "GET", "v1/segments/*", show_segment },
	{ "PATCH", "v1/segments/*", set_segment },
	{ "DELETE", "v1/segments/*", destroy_segment },
};

static bool path_fits(const struct http_request *request, const char *pattern)
{
	for (size_t i = 0; i < request->n_parts; i++) {
		size_t n = strcspn(pattern, "/");
		bool any = n == 1 && *pattern == '*';
		if (!*pattern || (!any && (strlen(request->parts[i]) != n || memcmp(pattern, request->parts[i], n) != 0)))
			return false;
		pattern += n + (pattern[n] == '/');
	}
	return !*pattern;
}

void api_handle(void *arg, struct http_request *request)
{
	struct problem problem;
	struct api *api = arg;

	for (size_t i = 0; i < N_ELEMENTS(routes); i++)
		if (strcmp(routes[i].method, request->method) == 0 && path_fits(request, routes[i].path)) {
			routes[i].handle(api, request);
			return;
		}
	problem_set(&problem, -ENOENT, "%s /%s...: there is no such path; man xebrad lists them", request->method,
		    request->n_parts ? request->parts[0] : "");
	http_reply_problem(request, &problem);
}
