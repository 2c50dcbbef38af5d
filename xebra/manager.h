/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All routers and segments of this host: joins the life cycle (router.h), the store, the hypervisor driver (domain.h)
 * and the tree. The API is its only caller.
 *
 * Order: manager_open recovers what an earlier process left and continues it; then any call; manager_close leaves
 * the routers running. A call that takes time ends in done(arg, problem, json), once, from the loop, never from
 * inside the call; `json` (borrowed, may be NULL) is the router as manager_show gives it.
 */
#ifndef XEBRA_MANAGER_H
#define XEBRA_MANAGER_H

#include "xebra/domain.h"
#include "xebra/router.h"

struct manager;

struct manager_options {
	struct event_base *loop;
	const struct domain_ops *driver;
	const char *tree_where; /* "xenstore:" or "dir:..." */
	const char *state_dir;  /* store and saved routers */
	const char *run_dir, *image_dir, *uri;
	const char *const *uplinks; /* "IF=ADDRESS" of the back ends in this domain, NULL-ended; may be NULL */
	/* Told of every change, {"event", "object", "name", ...}; borrowed. May be NULL. */
	void (*event)(void *arg, const json_t *event);
	void *arg;
};

typedef void manager_done_fn(void *arg, const struct problem *problem, const json_t *json);

int manager_open(const struct manager_options *options, struct manager **manager_out, struct problem *problem);
void manager_close(struct manager *manager);
DEFINE_AUTO(struct manager *, manager_close)

/* Routers. `json` as for router_config_parse. A router whose first build fails is forgotten. */
void manager_create(struct manager *manager, const json_t *json, bool start, manager_done_fn *done, void *arg);
/* `changes` (may be NULL): keys of the copy that differ. Name, UUID and MAC addresses are new in any case. */
void manager_clone(struct manager *manager, const char *name, const char *new_name, const json_t *changes, bool start,
		   manager_done_fn *done, void *arg);
/* One of the events that a user may ask. `limit_s`: how long a guest may take to shut down (0: as long as it likes). */
void manager_command(struct manager *manager, const char *name, enum router_event event, unsigned limit_s,
		     manager_done_fn *done, void *arg);
void manager_set(struct manager *manager, const char *name, const json_t *changes, manager_done_fn *done, void *arg);
void manager_port_attach(struct manager *manager, const char *name, const json_t *port, manager_done_fn *done,
			 void *arg);
void manager_port_set(struct manager *manager, const char *name, const char *port, const json_t *changes,
		      manager_done_fn *done, void *arg);
void manager_port_detach(struct manager *manager, const char *name, const char *port, manager_done_fn *done, void *arg);
/* Done when the guest has applied its configuration (`full_adjacencies` 0) or when it also reports that many OSPF
 * neighbours in state Full; -ETIMEDOUT says what was seen last. */
void manager_wait(struct manager *manager, const char *name, unsigned full_adjacencies, unsigned limit_s,
		  manager_done_fn *done, void *arg);
int manager_list(struct manager *manager, json_t **array_out, struct problem *problem);
int manager_show(struct manager *manager, const char *name, json_t **json_out, struct problem *problem);
/* {"argv": ["xl", "console", "7"]} */
int manager_console(struct manager *manager, const char *name, json_t **json_out, struct problem *problem);

/* Segments, at once. */
int manager_segment_put(struct manager *manager, const json_t *json, bool must_be_new, json_t **json_out,
			struct problem *problem);
int manager_segment_remove(struct manager *manager, const char *name, struct problem *problem);
int manager_segment_list(struct manager *manager, json_t **array_out, struct problem *problem);
int manager_segment_show(struct manager *manager, const char *name, json_t **json_out, struct problem *problem);

int manager_host(struct manager *manager, json_t **json_out, struct problem *problem);
int manager_images(struct manager *manager, json_t **array_out, struct problem *problem);

#endif
