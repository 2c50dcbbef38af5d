/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening and recovery, the commands that begin something, and the questions. */
#include "xebra/manager.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <event2/event.h>

#include "xebra/manager-private.h"

DEFINE_AUTO(DIR *, closedir)

struct router *manager_find(struct manager *m, const char *name)
{
	struct router *r = m->routers;

	while (r && strcmp(r->config->name, name) != 0)
		r = r->next;
	return r && r->state != ROUTER_FORGOTTEN ? r : NULL;
}

struct router *manager_find_or(struct manager *m, const char *name, struct problem *problem)
{
	struct router *r = manager_find(m, name);

	if (!r)
		problem_set(problem, -ENOENT, "router %s: there is no such router; xebra router list shows those there are", name);
	return r;
}

void manager_tell(struct manager *m, const char *event, const char *object, const char *name, json_t *details)
{
	AUTO(json_decref) json_t *json = details ? details : json_object();

	json_object_set_new(json, "event", json_string(event));
	json_object_set_new(json, "object", json_string(object));
	json_object_set_new(json, "name", json_string(name));
	if (m->options.event)
		m->options.event(m->options.arg, json);
}

/* --- what is stored --- */

int router_store(struct router *r, struct problem *problem)
{
	AUTO(json_decref) json_t *resolved = r->resolved ? router_config_json(r->resolved) : json_null();
	AUTO(json_decref) json_t *body =
		json_pack("{s:O, s:O, s:s, s:i, s:b, s:s, s:i, s:I}", "config", r->json, "resolved", resolved, "state",
			  router_state_name(r->state), "id", r->id, "fresh", r->fresh, "message", r->problem.text, "code",
			  r->problem.code, "started_s", (json_int_t)r->started_s);

	return store_put(r->manager->store, "router", r->config->name, body, problem);
}

void router_free(struct router *r)
{
	struct router **link = &r->manager->routers;

	while (*link && *link != r)
		link = &(*link)->next;
	if (*link)
		*link = r->next;
	for (struct waiter *waiter = r->waiters, *next; waiter; waiter = next) { /* only when the manager closes */
		struct problem problem;
		next = waiter->next;
		problem_set(&problem, -EHOSTUNREACH, "router %s: xebrad stops; ask again when it runs", r->config->name);
		waiter->done(waiter->arg, &problem, NULL);
		if (waiter->limit)
			event_free(waiter->limit);
		free(waiter);
	}
	tree_unwatch(r->reports);
	if (r->settle)
		event_free(r->settle);
	if (r->limit)
		event_free(r->limit);
	router_config_free(r->resolved);
	router_config_free(r->config);
	json_decref(r->json);
	free(r);
}

static int router_new(struct manager *m, const json_t *json, struct router **router_out, struct problem *problem)
{
	struct router_config *config;
	int ret = router_config_parse(json, &config, problem);

	if (ret < 0)
		return ret;
	struct router *r = calloc(1, sizeof *r);
	*r = (struct router){ .manager = m, .config = config, .json = router_config_json(config), .pending = -1, .fresh = true };
	struct router **last = &m->routers;
	while (*last)
		last = &(*last)->next;
	*last = r;
	*router_out = r;
	return 0;
}

static int load_router(struct manager *m, const char *name, const json_t *body, struct problem *problem)
{
	const json_t *resolved = json_object_get(body, "resolved");
	struct router *r;
	int ret = router_new(m, json_object_get(body, "config"), &r, problem);

	if (ret == 0 && json_is_object(resolved))
		ret = router_config_parse(resolved, &r->resolved, problem);
	int state = router_state_of_name(json_text(body, "state"));
	if (ret < 0 || state < 0)
		return problem_set(problem, -EINVAL, "store: router %s is damaged; restore the store from a backup", name);
	r->state = state;
	r->id = json_integer_value(json_object_get(body, "id"));
	r->fresh = json_is_true(json_object_get(body, "fresh"));
	r->started_s = json_integer_value(json_object_get(body, "started_s"));
	r->problem.code = json_integer_value(json_object_get(body, "code"));
	snprintf(r->problem.text, sizeof r->problem.text, "%s", json_text(body, "message"));
	return 0;
}

/* --- recovery --- */

static bool host_has_rebooted(struct manager *m, struct problem *problem)
{
	char boot_id[64] = "";
	AUTO(fclose) FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	AUTO(json_decref) json_t *meta = NULL;

	if (!file || !fgets(boot_id, sizeof boot_id, file) || store_all(m->store, "meta", &meta, problem) < 0)
		return false;
	const char *old = json_text(json_object_get(meta, "host"), "boot_id");
	bool rebooted = *old && strcmp(old, boot_id) != 0;
	if (strcmp(old, boot_id) != 0) {
		AUTO(json_decref) json_t *host = json_pack("{s:s}", "boot_id", boot_id);
		store_put(m->store, "meta", "host", host, problem);
	}
	return rebooted;
}

static void recover_router(struct router *r, const struct domain_info *infos, size_t n_infos, bool rebooted)
{
	struct router_found found = { .rebooted = rebooted };
	char file[4096];

	snprintf(file, sizeof file, "%s/saved/%s", r->manager->options.state_dir, r->config->uuid);
	found.file = access(file, F_OK) == 0;
	r->id = 0;
	for (size_t i = 0; i < n_infos; i++)
		if (strcmp(infos[i].uuid, r->config->uuid) == 0) {
			found.domain = true;
			found.paused = infos[i].paused;
			found.ended = infos[i].shutdown || infos[i].crashed || infos[i].dying;
			r->id = infos[i].id;
		}
	struct router_step step = router_recover(r->state, &found);
	log_info("router %s: was %s%s", r->config->name, router_state_name(r->state), found.domain ? ", its domain is here" : "");
	if (r->id)
		router_watch_reports(r);
	router_enter(r, step);
}

/* Driver domains first: the others' back ends are there. */
static int recover(struct manager *m, struct problem *problem)
{
	AUTO(json_decref) json_t *bodies = NULL;
	AUTO(free) struct domain_info *infos = NULL;
	const char *name;
	json_t *body;
	size_t n = 0;

	int r = store_all(m->store, "router", &bodies, problem);
	if (r == 0)
		r = segments_load(m, problem);
	if (r == 0)
		r = m->ops->list(m->driver, &infos, &n, problem);
	if (r == 0)
		r = segments_write(m, "", 0, NULL, problem);
	json_object_foreach(bodies, name, body) {
		if (r == 0)
			r = load_router(m, name, body, problem);
	}
	if (r < 0)
		return r;
	bool rebooted = host_has_rebooted(m, problem);
	for (int others = 0; others < 2; others++)
		for (struct router *router = m->routers, *next; router; router = next) {
			next = router->next;
			if (router->config->driver_domain != !!others)
				recover_router(router, infos, n, rebooted);
		}
	return 0;
}

static int make_dirs(const struct manager_options *options, struct problem *problem)
{
	char saved[4096];
	const char *dirs[] = { options->state_dir, saved, options->run_dir };

	snprintf(saved, sizeof saved, "%s/saved", options->state_dir);
	for (size_t i = 0; i < N_ELEMENTS(dirs); i++)
		if (mkdir(dirs[i], 0700) < 0 && errno != EEXIST)
			return problem_set(problem, -errno, "%s: cannot be made: %s", dirs[i], strerror(errno));
	return 0;
}

int manager_open(const struct manager_options *options, struct manager **manager_out, struct problem *problem)
{
	AUTO(manager_close) struct manager *m = calloc(1, sizeof *m);
	char file[4096];

	*m = (struct manager){ .options = *options, .ops = options->driver };
	snprintf(file, sizeof file, "%s/xebrad.db", options->state_dir);
	int r = make_dirs(options, problem);
	if (r == 0)
		r = store_open(file, &m->store, problem);
	if (r == 0)
		r = tree_open(options->tree_where, options->loop, &m->tree, problem);
	if (r < 0)
		return r;
	const struct domain_env env = {
		.loop = options->loop,
		.tree = m->tree,
		.tree_where = options->tree_where,
		.run_dir = options->run_dir,
		.image_dir = options->image_dir,
		.libexec_dir = LIBEXECDIR,
		.uri = options->uri,
		.event = router_domain_event,
		.arg = m,
	};
	r = m->ops->open(&env, &m->driver, problem);
	if (r == 0)
		r = recover(m, problem);
	if (r < 0)
		return r;
	*manager_out = take(m);
	return 0;
}

void manager_close(struct manager *m)
{
	if (!m)
		return;
	if (m->driver)
		m->ops->close(m->driver);
	while (m->routers)
		router_free(m->routers);
	json_decref(m->segments);
	tree_close(m->tree);
	store_close(m->store);
	free(m);
}

/* --- commands --- */

void manager_create(struct manager *m, const json_t *json, bool start, manager_done_fn *done, void *arg)
{
	struct problem problem = { 0 };
	struct router *r;

	if (manager_find(m, json_text(json, "name")))
		problem_set(&problem, -EEXIST, "router %s: the name is taken; choose another or destroy it first", json_text(json, "name"));
	for (r = m->routers; r && !problem.code; r = r->next)
		if (strcmp(r->config->uuid, json_text(json, "uuid")) == 0)
			problem_set(&problem, -EEXIST, "router %s: its uuid is that of %s; leave it out to have one made",
				    json_text(json, "name"), r->config->name);
	if (problem.code || router_new(m, json, &r, &problem) < 0) {
		manager_answer(m, done, arg, &problem, NULL);
		return;
	}
	if (!start) {
		r->fresh = false;
		router_enter(r, (struct router_step){ ROUTER_STOPPED, ROUTER_DO_NOTHING });
		manager_answer(m, done, arg, NULL, router_json(r));
		return;
	}
	waiter_add(r, ROUTER_START, done, arg);
	router_apply(r, ROUTER_START, NULL);
}

void manager_clone(struct manager *m, const char *name, const char *new_name, const json_t *changes, bool start,
		   manager_done_fn *done, void *arg)
{
	struct problem problem;
	struct router *r = manager_find_or(m, name, &problem);

	if (!r) {
		manager_answer(m, done, arg, &problem, NULL);
		return;
	}
	AUTO(json_decref) json_t *json = json_deep_copy(r->json);
	json_t *port;
	size_t i;
	json_object_set_new(json, "name", json_string(new_name));
	json_object_del(json, "uuid");
	json_object_del(json, "hostname");
	json_array_foreach(json_object_get(json, "ports"), i, port)
		json_object_del(port, "mac");
	if (changes)
		json_object_update(json, (json_t *)changes);
	manager_create(m, json, start, done, arg);
}

/* Pausing, saving and shutting down are not for every hypervisor. */
static bool driver_can(const struct domain_ops *ops, enum router_event event)
{
	switch (event) {
	case ROUTER_STOP:
	case ROUTER_REBOOT:
		return ops->shutdown;
	case ROUTER_PAUSE:
		return ops->pause;
	case ROUTER_SAVE:
	case ROUTER_RESTORE:
		return ops->save;
	default:
		return true;
	}
}

/* xl pause and unpause make no event: look before acting and before answering. */
static void refresh(struct manager *m)
{
	AUTO(free) struct domain_info *infos = NULL;
	size_t n = 0;

	if (m->ops->list(m->driver, &infos, &n, NULL) < 0)
		return;
	for (struct router *r = m->routers; r; r = r->next)
		for (size_t i = 0; i < n; i++) {
			if (infos[i].id != r->id || strcmp(infos[i].uuid, r->config->uuid) != 0)
				continue;
			if (r->state == ROUTER_RUNNING && infos[i].paused && !infos[i].shutdown)
				router_enter(r, (struct router_step){ ROUTER_PAUSED, ROUTER_DO_NOTHING });
			else if (r->state == ROUTER_PAUSED && !infos[i].paused)
				router_enter(r, (struct router_step){ ROUTER_RUNNING, ROUTER_DO_NOTHING });
		}
}

void manager_command(struct manager *m, const char *name, enum router_event event, unsigned limit_s,
		     manager_done_fn *done, void *arg)
{
	struct problem problem = { 0 };

	refresh(m);
	struct router *r = manager_find_or(m, name, &problem);
	if (r && !driver_can(m->ops, event))
		problem_set(&problem, -ENOTSUP, "router %s: the driver %s cannot %s", name, m->ops->name, router_event_name(event));
	else if (r && r->changing)
		problem_set(&problem, -EBUSY, "router %s: is being changed; try again when that has ended", name);
	if (!problem.code) {
		r->limit_s = limit_s;
		r->problem = (struct problem){ 0 };
		struct waiter *waiter = waiter_add(r, event, done, arg);
		if (router_apply(r, event, &problem) == 0)
			return;
		struct waiter **link = &r->waiters;
		while (*link != waiter)
			link = &(*link)->next;
		*link = waiter->next;
		free(waiter);
	}
	manager_answer(m, done, arg, &problem, NULL);
}

/* --- questions --- */

static json_t *guest_json(struct router *r)
{
	static const char *const texts[] = { "applied", "error" };
	json_t *guest = json_object();
	char *text;

	for (size_t i = 0; r->id && i < N_ELEMENTS(texts); i++)
		if (tree_read(r->manager->tree, PATH("/local/domain/%u/data/xebra/%s", r->id, texts[i]), &text) == 0) {
			json_object_set_new(guest, texts[i], json_string(text)); /* dropped if not UTF-8 */
			free(text);
		}
	if (r->id && tree_read(r->manager->tree, PATH("/local/domain/%u/data/xebra/report", r->id), &text) == 0) {
		json_t *report = json_loads(text, 0, NULL);
		if (report)
			json_object_set_new(guest, "report", report);
		free(text);
	}
	return guest;
}

json_t *router_json(struct router *r)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:i, s:s, s:O, s:o}", "name", r->config->name, "uuid", r->config->uuid,
				 "state", router_state_name(r->state), "id", r->id, "message", r->problem.text, "config", r->json,
				 "guest", guest_json(r));

	if (r->resolved) {
		AUTO(json_decref) json_t *resolved = router_config_json(r->resolved);
		json_object_set(json, "ports", json_object_get(resolved, "ports"));
	}
	return json;
}

static void add_usage(json_t *json, const struct domain_info *infos, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(infos[i].uuid, json_text(json, "uuid")) == 0)
			json_object_set_new(json, "usage",
					    json_pack("{s:i, s:I, s:f}", "vcpus", infos[i].vcpus, "memory_kib",
						      (json_int_t)infos[i].memory_kib, "cpu_time_s", infos[i].cpu_time_ns / 1e9));
}

int manager_list(struct manager *m, json_t **array_out, struct problem *problem)
{
	AUTO(free) struct domain_info *infos = NULL;
	size_t n = 0;

	refresh(m);
	int r = m->ops->list(m->driver, &infos, &n, problem);
	if (r < 0)
		return r;
	*array_out = json_array();
	for (struct router *router = m->routers; router; router = router->next) {
		if (router->state == ROUTER_FORGOTTEN)
			continue;
		json_t *json = router_json(router);
		add_usage(json, infos, n);
		json_array_append_new(*array_out, json);
	}
	return 0;
}

int manager_show(struct manager *m, const char *name, json_t **json_out, struct problem *problem)
{
	AUTO(json_decref) json_t *all = NULL;
	json_t *json;
	size_t i;

	if (!manager_find_or(m, name, problem))
		return problem->code;
	int r = manager_list(m, &all, problem);
	if (r < 0)
		return r;
	json_array_foreach(all, i, json)
		if (strcmp(json_text(json, "name"), name) == 0)
			*json_out = json_incref(json);
	return 0;
}

int manager_console(struct manager *m, const char *name, json_t **json_out, struct problem *problem)
{
	struct router *r = manager_find_or(m, name, problem);
	char **argv;

	if (!r)
		return problem->code;
	if (!m->ops->console)
		return problem_set(problem, -ENOTSUP, "router %s: the driver %s has no console", name, m->ops->name);
	if (!r->id)
		return problem_set(problem, -EBUSY, "router %s: is %s; start it first", name, router_state_name(r->state));
	int ret = m->ops->console(m->driver, r->id, &argv, problem);
	if (ret < 0)
		return ret;
	json_t *array = json_array();
	for (size_t i = 0; argv[i]; i++) {
		json_array_append_new(array, json_string(argv[i]));
		free(argv[i]);
	}
	free(argv);
	*json_out = json_pack("{s:o}", "argv", array);
	return 0;
}

int manager_host(struct manager *m, json_t **json_out, struct problem *problem)
{
	json_t *driver_domains = json_array();
	size_t n = 0;

	int ret = m->ops->host(m->driver, json_out, problem);
	for (struct router *r = m->routers; r && ret == 0; r = r->next, n++)
		if (r->config->driver_domain)
			json_array_append_new(driver_domains, json_string(r->config->name));
	if (ret == 0)
		json_object_update_new(*json_out, json_pack("{s:O, s:i, s:i}", "driver_domains", driver_domains, "routers", (int)n,
							    "segments", (int)json_object_size(m->segments)));
	json_decref(driver_domains);
	return ret;
}

int manager_images(struct manager *m, json_t **array_out, struct problem *problem)
{
	AUTO(closedir) DIR *dir = opendir(m->options.image_dir);
	AUTO(json_decref) json_t *array = json_array();

	if (!dir && errno != ENOENT)
		return problem_set(problem, -errno, "%s: %s", m->options.image_dir, strerror(errno));
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char file[4096];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof file, "%s/%s/image.json", m->options.image_dir, entry->d_name);
		json_t *image = json_load_file(file, 0, NULL);
		if (!image)
			continue;
		json_object_set_new(image, "name", json_string(entry->d_name));
		json_array_append_new(array, image);
	}
	*array_out = take(array);
	return 0;
}
