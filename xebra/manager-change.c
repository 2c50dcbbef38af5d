/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of a router that runs: the new configuration is made and checked first, the driver changes the domain, then
 * the new configuration is stored and the guest's tree written. A change that fails leaves the old one.
 */
#include <errno.h>
#include <string.h>

#include "xebra/manager-private.h"

struct change {
	struct router *r;
	json_t *json;                   /* the new configuration, canonical */
	struct router_config *resolved; /* likewise, NULL without a domain */
	char vf[BDF_TEXT_SIZE];         /* taken by this change; given back if it fails */
	char vf_left[BDF_TEXT_SIZE];    /* to be given back if it succeeds */
	manager_done_fn *done;
	void *arg;
};

static void change_free(struct change *change)
{
	if (change) {
		json_decref(change->json);
		router_config_free(change->resolved);
	}
	free(change);
}
DEFINE_AUTO(struct change *, change_free)

static void give_back(struct router *r, const char *bdf)
{
	struct problem problem;

	if (*bdf && r->manager->ops->vf_give_back(r->manager->driver, bdf, &problem) < 0)
		log_warn("router %s: %s", r->config->name, problem.text);
}

static int commit(struct change *change, struct problem *problem)
{
	struct router *r = change->r;
	struct router_config *config;
	int ret = router_config_parse(change->json, &config, problem);

	if (ret < 0)
		return ret;
	router_config_free(r->config);
	json_decref(r->json);
	r->config = config;
	r->json = take(change->json);
	if (change->resolved) {
		router_config_free(r->resolved);
		r->resolved = take(change->resolved);
	}
	ret = router_store(r, problem);
	if (ret == 0 && r->id && r->resolved)
		ret = router_write_tree(r, problem);
	manager_tell(r->manager, "changed", "router", r->config->name, NULL);
	return ret;
}

static void changed(void *arg, unsigned id, const struct problem *problem)
{
	AUTO(change_free) struct change *change = arg;
	struct problem outcome = *problem;
	struct router *r = change->r;

	(void)id;
	r->changing = false;
	if (!outcome.code)
		commit(change, &outcome);
	give_back(r, problem->code ? change->vf : change->vf_left);
	AUTO(json_decref) json_t *json = router_json(r);
	change->done(change->arg, &outcome, json);
	if (r->pending >= 0) { /* it ended meanwhile */
		enum router_event late = r->pending;
		r->pending = -1;
		router_apply(r, late, NULL);
	}
}

/* Without a domain, or with one that need not know: committed at once, answered from the loop. */
static void change_at_once(struct change *change)
{
	struct problem problem = { 0 };
	AUTO(change_free) struct change *own = change;

	commit(change, &problem);
	manager_answer(change->r->manager, change->done, change->arg, &problem, router_json(change->r));
}

static void refuse(struct manager *m, manager_done_fn *done, void *arg, const struct problem *problem)
{
	manager_answer(m, done, arg, problem, NULL);
}

/* The router, if it can be changed now: at rest, and nothing else changes it. */
static struct router *changeable(struct manager *m, const char *name, struct problem *problem)
{
	struct router *r = manager_find_or(m, name, problem);

	if (!r)
		return NULL;
	if (r->changing || router_is_busy(r->state) || r->state == ROUTER_STOPPING || r->state == ROUTER_REBOOTING) {
		problem_set(problem, -EBUSY, "router %s: is %s; try again when that has ended", name,
			    r->changing ? "being changed" : router_state_name(r->state));
		return NULL;
	}
	return r;
}

/* `json` and, with a domain, `resolved` (both taken over) become the change; -EINVAL with the parser's words. */
static struct change *change_new(struct router *r, json_t *json, json_t *resolved, manager_done_fn *done, void *arg,
				 struct problem *problem)
{
	AUTO(json_decref) json_t *own_json = json;
	AUTO(json_decref) json_t *own_resolved = resolved;
	AUTO(change_free) struct change *change = calloc(1, sizeof *change);
	AUTO(router_config_free) struct router_config *config = NULL;

	*change = (struct change){ .r = r, .done = done, .arg = arg };
	if (router_config_parse(json, &config, problem) < 0 ||
	    (resolved && router_config_parse(resolved, &change->resolved, problem) < 0)) {
		problem_prefix(problem, "router %s", r->config->name);
		return NULL;
	}
	change->json = router_config_json(config);
	return take(change);
}

/* --- set --- */

static unsigned tuned(const struct router_config *old, const struct router_config *new)
{
	const char *old_cpus = old->cpus ? old->cpus : "", *new_cpus = new->cpus ? new->cpus : "";

	return (old->vcpus != new->vcpus ? TUNE_VCPUS : 0) | (old->memory_mib != new->memory_mib ? TUNE_MEMORY : 0) |
	       (old->weight != new->weight ? TUNE_WEIGHT : 0) | (old->cap_percent != new->cap_percent ? TUNE_CAP : 0) |
	       (strcmp(old_cpus, new_cpus) != 0 ? TUNE_CPUS : 0) | (strcmp(old->pool, new->pool) != 0 ? TUNE_POOL : 0);
}

void manager_set(struct manager *m, const char *name, const json_t *changes, manager_done_fn *done, void *arg)
{
	struct problem problem = { 0 };
	struct router *r = changeable(m, name, &problem);
	json_t *json = NULL, *resolved = NULL;

	if (!r || router_config_change(r->json, changes, &json, &problem) < 0) {
		refuse(m, done, arg, &problem);
		return;
	}
	if (r->resolved) {
		resolved = router_config_json(r->resolved);
		json_object_update(resolved, (json_t *)changes);
	}
	struct change *change = change_new(r, json, resolved, done, arg, &problem);
	if (!change) {
		refuse(m, done, arg, &problem);
		return;
	}
	unsigned which = change->resolved ? tuned(r->resolved, change->resolved) : 0;
	if (which && !m->ops->set) {
		problem_set(&problem, -ENOTSUP, "router %s: the driver %s cannot change it while it runs; stop it first", name,
			    m->ops->name);
		refuse(m, done, arg, &problem);
		change_free(change);
	} else if (which) {
		r->changing = true;
		m->ops->set(m->driver, r->id, change->resolved, which, changed, change);
	} else {
		change_at_once(change);
	}
}

/* --- ports --- */

static json_t *ports_of(json_t *config)
{
	return json_object_get(config, "ports");
}

/* The canonical form of a port is what the parser makes of it at the end of the list: name, MAC and handle chosen. */
static struct change *new_port(struct router *r, const json_t *port, manager_done_fn *done, void *arg,
			       struct problem *problem)
{
	json_t *json = json_deep_copy(r->json);
	AUTO(router_config_free) struct router_config *config = NULL;

	json_array_append_new(ports_of(json), json_deep_copy(port));
	if (router_config_parse(json, &config, problem) < 0) {
		problem_prefix(problem, "router %s", r->config->name);
		json_decref(json);
		return NULL;
	}
	json_decref(json);
	json = router_config_json(config);
	json_t *resolved = NULL;
	if (r->resolved) {
		resolved = router_config_json(r->resolved);
		json_array_append_new(ports_of(resolved), json_deep_copy(json_array_get(ports_of(json), config->n_ports - 1)));
	}
	return change_new(r, json, resolved, done, arg, problem);
}

/* Chooses back end, MTU and VF of the last port. The VF is held by the stored configuration only after the commit; a
 * kill in between leaves it with pciback, unassigned, where the next `auto` takes it. */
static int resolve_new_port(struct change *change, struct problem *problem)
{
	struct router *r = change->r;
	struct router_port *port = &change->resolved->ports[change->resolved->n_ports - 1];

	int ret = router_resolve_port(r, port, problem);
	if (ret < 0 || port->kind != PORT_VF)
		return ret;
	ret = r->manager->ops->vf_take(r->manager->driver, port->vf, port->mac, problem);
	if (ret == 0)
		strcpy(change->vf, port->vf);
	return ret;
}

void manager_port_attach(struct manager *m, const char *name, const json_t *port, manager_done_fn *done, void *arg)
{
	struct problem problem = { 0 };
	struct router *r = changeable(m, name, &problem);
	struct change *change = r ? new_port(r, port, done, arg, &problem) : NULL;

	if (change && change->resolved && !m->ops->port_attach)
		problem_set(&problem, -ENOTSUP, "router %s: the driver %s cannot attach while it runs; stop it first", name, m->ops->name);
	if (change && change->resolved && !problem.code)
		resolve_new_port(change, &problem);
	if (problem.code) {
		refuse(m, done, arg, &problem);
		change_free(change);
	} else if (!change->resolved) {
		change_at_once(change);
	} else {
		r->changing = true;
		m->ops->port_attach(m->driver, r->id, change->resolved, change->resolved->n_ports - 1, changed, change);
	}
}

static int find_port(struct router *r, const char *port, size_t *index_out, struct problem *problem)
{
	for (size_t i = 0; i < r->config->n_ports; i++)
		if (strcmp(r->config->ports[i].name, port) == 0) {
			*index_out = i;
			return 0;
		}
	return problem_set(problem, -ENOENT, "router %s: there is no port %s", r->config->name, port);
}

void manager_port_detach(struct manager *m, const char *name, const char *port, manager_done_fn *done, void *arg)
{
	struct problem problem = { 0 };
	struct router *r = changeable(m, name, &problem);
	struct change *change = NULL;
	size_t index;

	if (r && find_port(r, port, &index, &problem) == 0) {
		json_t *json = json_deep_copy(r->json);
		json_t *resolved = r->resolved ? router_config_json(r->resolved) : NULL;
		json_array_remove(ports_of(json), index);
		if (resolved)
			json_array_remove(ports_of(resolved), index);
		change = change_new(r, json, resolved, done, arg, &problem);
	}
	if (change && change->resolved && !m->ops->port_detach)
		problem_set(&problem, -ENOTSUP, "router %s: the driver %s cannot detach while it runs; stop it first", name, m->ops->name);
	if (!change || problem.code) {
		refuse(m, done, arg, &problem);
		change_free(change);
	} else if (!change->resolved) {
		change_at_once(change);
	} else {
		strcpy(change->vf_left, r->resolved->ports[index].vf);
		r->changing = true;
		m->ops->port_detach(m->driver, r->id, r->resolved, index, changed, change);
	}
}

void manager_port_set(struct manager *m, const char *name, const char *port, const json_t *changes,
		      manager_done_fn *done, void *arg)
{
	static const char *const soft[] = { "addresses", "mtu" }; /* the guest's affair: its tree is enough */
	struct problem problem = { 0 };
	struct router *r = changeable(m, name, &problem);
	struct change *change = NULL;
	const char *key;
	json_t *value;
	size_t index;

	json_object_foreach((json_t *)changes, key, value) {
		size_t i = 0;
		while (i < N_ELEMENTS(soft) && strcmp(soft[i], key) != 0)
			i++;
		if (i == N_ELEMENTS(soft) && !problem.code)
			problem_set(&problem, -EINVAL, "router %s: port %s: %s cannot be changed; detach the port and attach it anew", name,
				    port, key);
	}
	if (r && !problem.code && find_port(r, port, &index, &problem) == 0) {
		json_t *json = json_deep_copy(r->json);
		json_t *resolved = r->resolved ? router_config_json(r->resolved) : NULL;
		json_object_update(json_array_get(ports_of(json), index), (json_t *)changes);
		if (resolved)
			json_object_update(json_array_get(ports_of(resolved), index), (json_t *)changes);
		change = change_new(r, json, resolved, done, arg, &problem);
	}
	if (change)
		change_at_once(change);
	else
		refuse(m, done, arg, &problem);
}
