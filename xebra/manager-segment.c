/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segments: stored here, written into the tree of the driver domain that carries them as soon as it runs. */
#include <errno.h>
#include <string.h>

#include "xebra/manager-private.h"

int driver_domain_id(struct manager *m, const char *backend, unsigned *id_out, struct problem *problem)
{
	*id_out = 0;
	if (!*backend)
		return 0;
	struct router *r = manager_find(m, backend);
	if (r && r->id && (r->state == ROUTER_RUNNING || r->state == ROUTER_STARTING)) {
		*id_out = r->id;
		return 0;
	}
	if (r)
		return problem_set(problem, -ENOENT, "driver domain %s: is %s; start it first", backend, router_state_name(r->state));
	AUTO(free) struct domain_info *infos = NULL; /* one that xl made */
	size_t n;
	int ret = m->ops->list(m->driver, &infos, &n, problem);
	for (size_t i = 0; ret == 0 && i < n; i++)
		if (strcmp(infos[i].name, backend) == 0) {
			*id_out = infos[i].id;
			return 0;
		}
	return problem_set(problem, -ENOENT, "driver domain %s: there is no such domain; create it first", backend);
}

struct segment *segment_find(struct manager *m, const char *name)
{
	struct segment *segment = NULL;

	segment_parse(json_object_get(m->segments, name), &segment, NULL);
	return segment;
}

static int tree_problem(struct problem *problem, int code, const char *name, unsigned id)
{
	return problem_set(problem, code, "segment %s: the tree of domain %u cannot be written: %s%s", name, id, strerror(-code),
			   code == -ENOSPC ? "; raise the quota of xenstored (--quota)" : "");
}

/* "mac=..., addr=..." of each VF that the driver domain was given: its uplinks. */
static int write_uplinks(struct manager *m, unsigned id, const struct router_config *config)
{
	char name[PORT_NAME_SIZE], value[256];
	int r = 0;

	for (const char *const *uplink = m->options.uplinks; id == 0 && uplink && *uplink && r == 0; uplink++) {
		size_t n = strcspn(*uplink, "=");
		snprintf(name, sizeof name, "%.*s", (int)n, *uplink);
		r = net_tree_uplink(m->tree, id, name, (*uplink)[n] ? *uplink + n + 1 : "auto");
	}
	for (size_t i = 0; config && i < config->n_ports && r == 0; i++) {
		const struct router_port *port = &config->ports[i];
		if (port->kind != PORT_VF || !port->addresses.n)
			continue;
		const char *address = port->addresses.texts[0];
		snprintf(value, sizeof value, "mac=%s addr=%.*s", port->mac, (int)strcspn(address, "/"), address);
		r = net_tree_uplink(m->tree, id, port->name, value);
	}
	return r;
}

int segments_write(struct manager *m, const char *backend, unsigned id, const struct router_config *config,
		   struct problem *problem)
{
	const char *name;
	json_t *json;

	int r = write_uplinks(m, id, config);
	if (r < 0)
		return tree_problem(problem, r, "uplinks", id);
	json_object_foreach(m->segments, name, json) {
		AUTO(segment_free) struct segment *segment = segment_find(m, name);
		if (!segment || strcmp(segment->backend, backend) != 0)
			continue;
		r = net_tree_segment(m->tree, id, segment);
		if (r < 0)
			return tree_problem(problem, r, name, id);
	}
	return 0;
}

int segments_load(struct manager *m, struct problem *problem)
{
	return store_all(m->store, "segment", &m->segments, problem);
}

/* Two segments of one driver domain cannot share a UDP port. */
static int check_port(struct manager *m, const struct segment *segment, struct problem *problem)
{
	const char *name;
	json_t *other;

	json_object_foreach(m->segments, name, other) {
		if (strcmp(name, segment->name) != 0 && strcmp(json_text(other, "backend"), segment->backend) == 0 &&
		    json_integer_value(json_object_get(other, "port")) == segment->port)
			return problem_set(problem, -EEXIST, "segment %s: port %u is that of segment %s; choose another", segment->name,
					   segment->port, name);
	}
	return 0;
}

static struct router *segment_user(struct manager *m, const char *name)
{
	for (struct router *r = m->routers; r; r = r->next)
		for (size_t i = 0; i < r->config->n_ports; i++)
			if (strcmp(r->config->ports[i].segment, name) == 0)
				return r;
	return NULL;
}

/* A change of only some keys is laid over what is there. */
static json_t *merged(struct manager *m, const json_t *json)
{
	json_t *old = json_object_get(m->segments, json_text(json, "name"));
	json_t *all = old ? json_deep_copy(old) : json_object();

	json_object_update(all, (json_t *)json);
	return all;
}

int manager_segment_put(struct manager *m, const json_t *json, bool must_be_new, json_t **json_out,
			struct problem *problem)
{
	AUTO(json_decref) json_t *whole = merged(m, json);
	AUTO(segment_free) struct segment *segment = NULL;
	struct segment *old = NULL;
	unsigned id;

	int r = segment_parse(whole, &segment, problem);
	if (r < 0)
		return problem_prefix(problem, "segment %s", json_text(json, "name"));
	if (must_be_new && json_object_get(m->segments, segment->name))
		return problem_set(problem, -EEXIST, "segment %s: the name is taken; choose another, or use segment set", segment->name);
	if (!must_be_new && !json_object_get(m->segments, segment->name))
		return problem_set(problem, -ENOENT, "segment %s: there is no such segment", segment->name);
	r = check_port(m, segment, problem);
	old = segment_find(m, segment->name);
	if (r == 0 && old && strcmp(old->backend, segment->backend) != 0)
		r = problem_set(problem, -EINVAL, "segment %s: its backend cannot be changed; destroy it and create it anew", segment->name);
	segment_free(old);
	if (r < 0)
		return r;
	AUTO(json_decref) json_t *canonical = segment_json(segment);
	r = store_put(m->store, "segment", segment->name, canonical, problem);
	if (r < 0)
		return r;
	json_object_set(m->segments, segment->name, canonical);
	manager_tell(m, "changed", "segment", segment->name, NULL);
	if (driver_domain_id(m, segment->backend, &id, NULL) == 0) {
		r = net_tree_segment(m->tree, id, segment);
		if (r < 0)
			return tree_problem(problem, r, segment->name, id);
	}
	return manager_segment_show(m, segment->name, json_out, problem);
}

int manager_segment_remove(struct manager *m, const char *name, struct problem *problem)
{
	AUTO(segment_free) struct segment *segment = segment_find(m, name);
	struct router *user = segment_user(m, name);
	unsigned id;
	int r;

	if (!segment)
		return problem_set(problem, -ENOENT, "segment %s: there is no such segment", name);
	if (user)
		return problem_set(problem, -EBUSY, "segment %s: router %s has a port on it; detach or destroy that first", name,
				   user->config->name);
	if (driver_domain_id(m, segment->backend, &id, NULL) == 0 && (r = net_tree_segment_remove(m->tree, id, name)) < 0)
		return tree_problem(problem, r, name, id);
	r = store_remove(m->store, "segment", name, problem);
	if (r < 0)
		return r;
	json_object_del(m->segments, name);
	manager_tell(m, "removed", "segment", name, NULL);
	return 0;
}

int manager_segment_show(struct manager *m, const char *name, json_t **json_out, struct problem *problem)
{
	const json_t *json = json_object_get(m->segments, name);
	AUTO(free) char *report = NULL;
	unsigned id;

	if (!json)
		return problem_set(problem, -ENOENT, "segment %s: there is no such segment", name);
	*json_out = json_deep_copy(json);
	if (driver_domain_id(m, json_text(json, "backend"), &id, NULL) == 0)
		tree_read(m->tree, PATH("/local/domain/%u/data/xebra/net/segment/%s", id, name), &report);
	json_object_set_new(*json_out, "report", json_string(report ? report : ""));
	return 0;
}

int manager_segment_list(struct manager *m, json_t **array_out, struct problem *problem)
{
	AUTO(json_decref) json_t *array = json_array();
	const char *name;
	json_t *json, *shown;

	json_object_foreach(m->segments, name, json) {
		int r = manager_segment_show(m, name, &shown, problem);
		if (r < 0)
			return r;
		json_array_append_new(array, shown);
	}
	*array_out = take(array);
	return 0;
}
