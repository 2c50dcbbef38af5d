/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The actions of a router's life: what router_step asks for, in the order in which it happens. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <event2/event.h>

#include "libvnet/base/failpoint.h"
#include "xebra/manager-private.h"

enum { RESTART_AFTER_S = 10 }; /* a router that ends sooner after its start is not started again by itself */

static const struct timeval at_once = { 0, 0 };

/* --- answers --- */

static const enum router_state goals[] = {
	[ROUTER_START] = ROUTER_RUNNING,  [ROUTER_RESTORE] = ROUTER_RUNNING, [ROUTER_STOP] = ROUTER_STOPPED, [ROUTER_KILL] = ROUTER_STOPPED,
	[ROUTER_REBOOT] = ROUTER_RUNNING, [ROUTER_PAUSE] = ROUTER_PAUSED, [ROUTER_UNPAUSE] = ROUTER_RUNNING,
	[ROUTER_SAVE] = ROUTER_SAVED,	  [ROUTER_DESTROY] = ROUTER_FORGOTTEN,
};

struct answer {
	manager_done_fn *done;
	void *arg;
	struct problem problem;
	json_t *json;
};

static void answer_now(evutil_socket_t fd, short what, void *arg)
{
	AUTO(free) struct answer *answer = arg;

	(void)fd;
	(void)what;
	answer->done(answer->arg, &answer->problem, answer->json);
	json_decref(answer->json);
}

void manager_answer(struct manager *m, manager_done_fn *done, void *arg, const struct problem *problem, json_t *json)
{
	struct answer *answer = calloc(1, sizeof *answer);

	*answer = (struct answer){ .done = done, .arg = arg, .json = json };
	if (problem)
		answer->problem = *problem;
	event_base_once(m->options.loop, -1, EV_TIMEOUT, answer_now, answer, &at_once);
}

struct waiter *waiter_add(struct router *r, enum router_event asked, manager_done_fn *done, void *arg)
{
	struct waiter *waiter = calloc(1, sizeof *waiter);
	struct waiter **last = &r->waiters;

	*waiter = (struct waiter){ .asked = asked, .router = r, .done = done, .arg = arg };
	while (*last)
		last = &(*last)->next;
	*last = waiter;
	return waiter;
}

/* What the guest last said: has it applied generation `xebra/generation`, and how many neighbours are Full? */
static bool guest_is_ready(struct router *r, unsigned full_adjacencies)
{
	AUTO(free) char *wanted = NULL;
	AUTO(free) char *applied = NULL;
	AUTO(free) char *report = NULL;
	struct tree *tree = r->manager->tree;

	if (!r->id || tree_read(tree, PATH("/local/domain/%u/xebra/generation", r->id), &wanted) < 0 ||
	    tree_read(tree, PATH("/local/domain/%u/data/xebra/applied", r->id), &applied) < 0 || strcmp(wanted, applied) != 0)
		return false;
	if (!full_adjacencies)
		return true;
	if (tree_read(tree, PATH("/local/domain/%u/data/xebra/report", r->id), &report) < 0)
		return false;
	AUTO(json_decref) json_t *json = json_loads(report, 0, NULL);
	const json_t *bird = json_object_get(json, "bird");
	return json_integer_value(json_object_get(bird, "ospf_full")) >= (json_int_t)full_adjacencies;
}

/* true: the waiter's question is decided. */
static bool decide(struct router *r, const struct waiter *waiter, struct problem *problem_out)
{
	*problem_out = (struct problem){ 0 };
	if (waiter->asked == ROUTER_N_EVENTS) {
		if (r->state == ROUTER_RUNNING && guest_is_ready(r, waiter->full_adjacencies))
			return true;
		if (router_is_busy(r->state) || router_has_domain(r->state))
			return false;
		problem_set(problem_out, -EBUSY, "router %s: is %s; start it first", r->config->name, router_state_name(r->state));
		return true;
	}
	if (router_is_busy(r->state) || r->state == ROUTER_STOPPING || r->state == ROUTER_REBOOTING)
		return false;
	if (r->state == goals[waiter->asked])
		return true;
	*problem_out = r->problem;
	if (!problem_out->code)
		problem_set(problem_out, -EBUSY, "router %s: %s was overtaken; it is %s now", r->config->name,
			    router_event_name(waiter->asked), router_state_name(r->state));
	return true;
}

/* Runs from the loop after every change of state and of what the guest says. */
static void settle_now(evutil_socket_t fd, short what, void *arg)
{
	struct router *r = arg;
	struct waiter *waiters = take(r->waiters);
	struct waiter **last = &r->waiters;
	struct problem problem;

	(void)fd;
	(void)what;
	for (struct waiter *waiter = waiters, *next; waiter; waiter = next) {
		next = waiter->next;
		waiter->next = NULL;
		if (!decide(r, waiter, &problem)) {
			*last = waiter;
			last = &waiter->next;
			continue;
		}
		AUTO(json_decref) json_t *json = router_json(r);
		if (waiter->limit)
			event_free(waiter->limit);
		waiter->done(waiter->arg, &problem, json);
		while (*last) /* done may have added some */
			last = &(*last)->next;
		free(waiter);
	}
	if (r->state == ROUTER_FORGOTTEN)
		router_free(r);
}

static void settle(struct router *r)
{
	if (!r->settle)
		r->settle = evtimer_new(r->manager->options.loop, settle_now, r);
	event_add(r->settle, &at_once);
}

static void wait_ended(evutil_socket_t fd, short what, void *arg)
{
	AUTO(free) struct waiter *waiter = arg;
	struct router *r = waiter->router;
	struct waiter **link = &r->waiters;
	struct problem problem;

	(void)fd;
	(void)what;
	while (*link != waiter)
		link = &(*link)->next;
	*link = waiter->next;
	AUTO(json_decref) json_t *json = router_json(r);
	AUTO(free) char *guest = json_dumps(json_object_get(json, "guest"), JSON_COMPACT);
	problem_set(&problem, -ETIMEDOUT, "router %s: not ready in time; it is %s and its guest says %s", r->config->name,
		    router_state_name(r->state), guest ? guest : "nothing");
	waiter->done(waiter->arg, &problem, json);
	event_free(waiter->limit);
}

void manager_wait(struct manager *m, const char *name, unsigned full_adjacencies, unsigned limit_s,
		  manager_done_fn *done, void *arg)
{
	struct timeval limit = { .tv_sec = limit_s };
	struct problem problem;
	struct router *r = manager_find_or(m, name, &problem);

	if (!r) {
		manager_answer(m, done, arg, &problem, NULL);
		return;
	}
	struct waiter *waiter = waiter_add(r, ROUTER_N_EVENTS, done, arg);
	waiter->full_adjacencies = full_adjacencies;
	waiter->limit = evtimer_new(m->options.loop, wait_ended, waiter);
	event_add(waiter->limit, &limit);
	settle(r);
}

/* --- what the guest says --- */

static void reports_changed(void *arg, const char *path)
{
	(void)path;
	settle(arg);
}

void router_watch_reports(struct router *r)
{
	tree_unwatch(take(r->reports));
	if (r->id && tree_watch(r->manager->tree, PATH("/local/domain/%u/data/xebra", r->id), reports_changed, r,
				&r->reports) < 0)
		log_warn("router %s: its reports cannot be watched", r->config->name);
}

/* --- actions --- */

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

/* The outcome of an action of the driver. */
static void finish(struct router *r, const struct problem *problem)
{
	char place[64];

	snprintf(place, sizeof place, "done-%s", router_state_name(r->state));
	failpoint(place); /* acted, not yet stored */
	if (problem->code) {
		r->problem = *problem;
		log_warn("router %s: %s", r->config->name, problem->text);
	}
	router_apply(r, problem->code ? ROUTER_FAIL : ROUTER_OK, NULL);
}

static void action_done(void *arg, unsigned id, const struct problem *problem)
{
	(void)id;
	finish(arg, problem);
}

static void created(void *arg, unsigned id, const struct problem *problem)
{
	struct router *r = arg;

	r->id = problem->code ? 0 : id;
	if (problem->code)
		router_unresolve(r);
	finish(r, problem);
}

static void do_create(struct router *r)
{
	struct problem problem = { 0 };

	if (router_resolve(r, &problem) < 0)
		created(r, 0, &problem);
	else
		r->manager->ops->create(r->manager->driver, r->resolved, created, r);
}

static const char *saved_file(const struct router *r, char file[4096])
{
	snprintf(file, 4096, "%s/saved/%s", r->manager->options.state_dir, r->config->uuid);
	return file;
}

static void restore_cleaned(void *arg, unsigned id, const struct problem *problem)
{
	struct router *r = arg;
	char file[4096];

	(void)id;
	if (problem->code)
		finish(r, problem);
	else
		r->manager->ops->restore(r->manager->driver, r->resolved, saved_file(r, file), created, r);
}

/* A restore that was cut short may have left half a domain: it goes first. */
static void do_restore(struct router *r)
{
	struct problem problem = { 0 };

	if (!r->manager->ops->restore)
		problem_set(&problem, -ENOTSUP, "restore: the driver %s cannot", r->manager->ops->name);
	else if (!r->resolved)
		router_resolve(r, &problem);
	if (problem.code)
		finish(r, &problem);
	else if (r->id)
		r->manager->ops->destroy(r->manager->driver, r->id, restore_cleaned, r);
	else
		restore_cleaned(r, 0, &problem);
}

static void unpaused(void *arg, unsigned id, const struct problem *problem)
{
	struct router *r = arg;
	char file[4096];

	(void)id;
	if (!problem->code && r->state == ROUTER_STARTING) {
		r->fresh = false;
		r->started_s = now_s();
		r->problem = (struct problem){ 0 };
		unlink(saved_file(r, file)); /* it lives on: the saved state is the past */
	}
	finish(r, problem);
}

/* A domain that was just made learns who it is before it runs. */
static void do_unpause(struct router *r)
{
	struct problem problem = { 0 };

	if (r->state == ROUTER_STARTING && router_write_tree(r, &problem) < 0)
		finish(r, &problem);
	else
		r->manager->ops->unpause(r->manager->driver, r->id, unpaused, r);
}

static void do_pause(struct router *r)
{
	r->manager->ops->pause(r->manager->driver, r->id, action_done, r);
}

static void do_save(struct router *r)
{
	char file[4096];

	r->manager->ops->save(r->manager->driver, r->id, saved_file(r, file), action_done, r);
}

static void asked_to_end(void *arg, unsigned id, const struct problem *problem)
{
	struct router *r = arg;

	(void)id;
	if (problem->code && (r->state == ROUTER_STOPPING || r->state == ROUTER_REBOOTING))
		finish(r, problem);
}

static void limit_reached(evutil_socket_t fd, short what, void *arg)
{
	struct router *r = arg;

	(void)fd;
	(void)what;
	if (r->state != ROUTER_STOPPING && r->state != ROUTER_REBOOTING)
		return;
	problem_set(&r->problem, -ETIMEDOUT, "router %s: did not %s within %u s and runs on; look at its console, or use stop --force",
		    r->config->name, r->state == ROUTER_STOPPING ? "shut down" : "reboot", r->limit_s);
	router_apply(r, ROUTER_FAIL, NULL);
}

static void do_shutdown(struct router *r)
{
	struct timeval limit = { .tv_sec = r->limit_s };

	if (!r->limit)
		r->limit = evtimer_new(r->manager->options.loop, limit_reached, r);
	if (r->limit_s)
		event_add(r->limit, &limit);
	r->manager->ops->shutdown(r->manager->driver, r->id, r->state == ROUTER_REBOOTING, asked_to_end, r);
}

static void do_destroy(struct router *r)
{
	static const struct problem none;

	if (r->id)
		r->manager->ops->destroy(r->manager->driver, r->id, action_done, r);
	else
		finish(r, &none);
}

static void do_forget(struct router *r)
{
	struct problem problem = { 0 };
	char file[4096];

	unlink(saved_file(r, file));
	if (store_remove(r->manager->store, "router", r->config->name, &problem) < 0)
		log_error("router %s: %s", r->config->name, problem.text);
}

static void act(struct router *r, enum router_action action)
{
	static void (*const acts[])(struct router *) = {
		[ROUTER_DO_CREATE] = do_create,	    [ROUTER_DO_UNPAUSE] = do_unpause, [ROUTER_DO_PAUSE] = do_pause,
		[ROUTER_DO_SHUTDOWN] = do_shutdown, [ROUTER_DO_REBOOT] = do_shutdown, [ROUTER_DO_DESTROY] = do_destroy,
		[ROUTER_DO_SAVE] = do_save,	    [ROUTER_DO_RESTORE] = do_restore, [ROUTER_DO_FORGET] = do_forget,
	};

	if (action != ROUTER_DO_NOTHING)
		acts[action](r);
}

/* Without a domain nothing of one is kept. A saved router keeps its VFs' choice out of `resolved` too: they are given
 * back and chosen anew. */
static void leave_domain(struct router *r)
{
	if (r->state != ROUTER_STOPPED && r->state != ROUTER_FAILED && r->state != ROUTER_SAVED &&
	    r->state != ROUTER_FORGOTTEN && r->state != ROUTER_BUILDING)
		return;
	r->id = 0;
	tree_unwatch(take(r->reports));
	router_unresolve(r);
}

void router_enter(struct router *r, struct router_step step)
{
	struct problem problem = { 0 };
	bool settled = !router_is_busy(step.next);

	if (r->state != step.next)
		log_info("router %s: %s", r->config->name, router_state_name(step.next));
	r->state = step.next;
	leave_domain(r);
	if (r->state == ROUTER_STARTING)
		router_watch_reports(r);
	if (r->state != ROUTER_FORGOTTEN && router_store(r, &problem) < 0)
		log_error("router %s: %s", r->config->name, problem.text);
	failpoint(router_state_name(r->state)); /* stored, not yet acted on */
	manager_tell(r->manager, router_state_name(r->state), "router", r->config->name,
		     json_pack("{s:i, s:s}", "id", r->id, "message", r->problem.text));
	act(r, step.action);
	if (settled)
		settle(r);
}

int router_apply(struct router *r, enum router_event event, struct problem *problem)
{
	struct router_step step;
	unsigned id = r->id;

	if (!router_step(r->state, event, &step))
		return problem_set(problem, -EBUSY, "router %s: is %s; %s does not fit", r->config->name,
				   router_state_name(r->state), router_event_name(event));
	router_enter(r, step);
	if (r->state == ROUTER_FAILED && r->fresh)
		return router_apply(r, ROUTER_DESTROY, NULL);
	if (!router_is_busy(r->state) && r->pending >= 0) {
		enum router_event late = r->pending;
		r->pending = -1;
		if (r->id == id && r->id)
			router_apply(r, late, NULL);
	}
	return 0;
}

/* --- events of the hypervisor --- */

static enum router_event translate(struct router *r, enum domain_event event)
{
	static const enum router_event by_end[] = {
		[END_DESTROY] = ROUTER_OFF, [END_RESTART] = ROUTER_REBOOTED, [END_PRESERVE] = ROUTER_PRESERVE,
	};
	static const char *const names[] = { [DOMAIN_POWEROFF] = "shut down", [DOMAIN_REBOOT] = "rebooted",
					     [DOMAIN_CRASH] = "crashed" };

	if (event == DOMAIN_GONE)
		return ROUTER_GONE;
	enum router_end end = event == DOMAIN_POWEROFF ? r->config->on_poweroff :
			      event == DOMAIN_REBOOT   ? r->config->on_reboot :
							 r->config->on_crash;
	log_info("router %s: its domain %u %s", r->config->name, r->id, names[event]);
	time_t lived_s = now_s() - r->started_s;
	if (end == END_RESTART && lived_s < RESTART_AFTER_S && r->state != ROUTER_REBOOTING) {
		problem_set(&r->problem, -EIO, "router %s: its domain %s %ld s after its start and is not started again; see its console",
			    r->config->name, names[event], (long)lived_s);
		end = END_DESTROY;
	}
	return by_end[end];
}

void router_domain_event(void *arg, unsigned id, const char *uuid, enum domain_event event)
{
	struct manager *m = arg;
	struct router *r = m->routers;

	while (r && !(r->id == id && strcmp(r->config->uuid, uuid) == 0))
		r = r->next;
	if (!r)
		return;
	if (router_is_busy(r->state)) {
		r->pending = translate(r, event);
		return;
	}
	router_apply(r, translate(r, event), NULL);
}

/* --- resolving: what is chosen for the domain that is about to be built --- */

static bool vf_is_used(struct manager *m, const char *bdf, const struct router_port *except)
{
	for (struct router *r = m->routers; r; r = r->next)
		for (size_t i = 0; r->resolved && i < r->resolved->n_ports; i++)
			if (&r->resolved->ports[i] != except && strcmp(r->resolved->ports[i].vf, bdf) == 0)
				return true;
	return false;
}

static int choose_vf(struct router *r, struct router_port *port, struct problem *problem)
{
	struct manager *m = r->manager;
	AUTO(json_decref) json_t *host = NULL;
	const json_t *vf;
	size_t i, n_used = 0;

	if (strcmp(port->vf, "auto") != 0)
		return vf_is_used(m, port->vf, port) ? problem_set(problem, -EBUSY, "router %s: port %s: VF %s is used by another router; "
							     "say vf=auto or choose another (xebra host show)",
							     r->config->name, port->name, port->vf) :
						 0;
	int ret = m->ops->host(m->driver, &host, problem);
	if (ret < 0)
		return ret;
	json_array_foreach(json_object_get(host, "vfs"), i, vf) {
		const char *bdf = json_text(vf, "bdf");
		if (vf_is_used(m, bdf, NULL) || *json_text(vf, "owner")) {
			n_used++;
			continue;
		}
		snprintf(port->vf, sizeof port->vf, "%s", bdf);
		return 0;
	}
	return problem_set(problem, -ENOSPC, "router %s: port %s: no VF is left (%zu in use); make more (sriov_numvfs of the NIC) "
			   "or destroy a router that has one", r->config->name, port->name, n_used);
}

int router_resolve_port(struct router *r, struct router_port *port, struct problem *problem)
{
	if (port->kind == PORT_VF) {
		if (!r->manager->ops->vf_take)
			return problem_set(problem, -ENOTSUP, "router %s: port %s: the driver %s has no VFs; use a segment",
					   r->config->name, port->name, r->manager->ops->name);
		return choose_vf(r, port, problem);
	}
	if (port->kind == PORT_BRIDGE)
		return 0;
	AUTO(segment_free) struct segment *segment = segment_find(r->manager, port->segment);
	if (!segment)
		return problem_set(problem, -ENOENT, "router %s: port %s: there is no segment %s; make it first: xebra segment create %s "
				   "--port UDP-PORT", r->config->name, port->name, port->segment, port->segment);
	if (*port->backend && strcmp(port->backend, segment->backend) != 0)
		return problem_set(problem, -EINVAL, "router %s: port %s: backend %s does not carry segment %s, %s does; leave backend out",
				   r->config->name, port->name, port->backend, port->segment,
				   *segment->backend ? segment->backend : "Dom0");
	strcpy(port->backend, segment->backend);
	if (!port->mtu)
		port->mtu = segment->mtu;
	unsigned id;
	return driver_domain_id(r->manager, port->backend, &id, problem);
}

static int take_vfs(struct router *r, struct problem *problem)
{
	for (size_t i = 0; i < r->resolved->n_ports; i++) {
		const struct router_port *port = &r->resolved->ports[i];
		int ret = port->kind == PORT_VF ? r->manager->ops->vf_take(r->manager->driver, port->vf, port->mac, problem) : 0;
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* What was chosen is stored before it is taken: a kill in between leaves nothing that recovery does not know. */
int router_resolve(struct router *r, struct problem *problem)
{
	struct router_config *config;
	int ret = router_config_parse(r->json, &config, problem);

	if (ret < 0)
		return ret;
	r->resolved = config;
	for (size_t i = 0; ret == 0 && i < config->n_ports; i++)
		ret = router_resolve_port(r, &config->ports[i], problem);
	if (ret == 0)
		ret = router_store(r, problem);
	if (ret == 0)
		ret = take_vfs(r, problem);
	if (ret < 0)
		router_unresolve(r);
	return ret;
}

void router_unresolve(struct router *r)
{
	AUTO(router_config_free) struct router_config *resolved = take(r->resolved);
	struct problem problem;

	for (size_t i = 0; resolved && i < resolved->n_ports; i++)
		if (resolved->ports[i].kind == PORT_VF && strcmp(resolved->ports[i].vf, "auto") != 0 && !vf_is_used(r->manager, resolved->ports[i].vf, NULL) &&
		    r->manager->ops->vf_give_back(r->manager->driver, resolved->ports[i].vf, &problem) < 0)
			log_warn("router %s: %s", r->config->name, problem.text);
}

int router_write_tree(struct router *r, struct problem *problem)
{
	int ret = net_tree_guest(r->manager->tree, r->id, r->resolved);

	if (ret < 0)
		return problem_set(problem, ret, "router %s: its tree cannot be written: %s%s", r->config->name, strerror(-ret),
				   ret == -ENOSPC ? "; raise the quota of xenstored (--quota)" : "");
	if (!r->config->driver_domain)
		return 0;
	return segments_write(r->manager, r->config->name, r->id, r->resolved, problem);
}
