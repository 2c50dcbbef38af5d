/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by manager.c (opening, recovery, questions), manager-router.c (actions), manager-change.c (changes at run
 * time) and manager-segment.c. */
#ifndef XEBRA_MANAGER_PRIVATE_H
#define XEBRA_MANAGER_PRIVATE_H

#include <stdint.h>
#include <time.h>

#include "libvnet/base/log.h"
#include "xebra/manager.h"
#include "xebra/segment.h"
#include "xebra/store.h"

struct waiter {
	enum router_event asked; /* ROUTER_N_EVENTS: manager_wait */
	unsigned full_adjacencies;
	struct event *limit; /* manager_wait */
	struct router *router;
	manager_done_fn *done;
	void *arg;
	struct waiter *next;
};

struct router {
	struct manager *manager;
	json_t *json;                   /* as wanted, canonical */
	struct router_config *config;   /* the same */
	struct router_config *resolved; /* as built: backends, VFs and MTUs chosen; NULL without a domain */
	enum router_state state;
	unsigned id;            /* of its domain, 0: none */
	bool fresh;             /* has never run: a failed build forgets it */
	bool changing;          /* a change at run time is under way */
	struct problem problem; /* of the last thing that failed */
	time_t started_s;       /* CLOCK_BOOTTIME */
	int pending;            /* event of the hypervisor that came while busy, -1: none */
	struct event *settle;   /* tells the waiters, from the loop */
	struct event *limit;    /* of a shutdown */
	unsigned limit_s;
	struct waiter *waiters;
	struct tree_watch *reports; /* what the guest says */
	struct router *next;
};

struct manager {
	struct manager_options options;
	const struct domain_ops *ops;
	void *driver;
	struct tree *tree;
	struct store *store;
	struct router *routers;
	json_t *segments; /* name -> object */
};

/* manager.c */
struct router *manager_find(struct manager *m, const char *name);
struct router *manager_find_or(struct manager *m, const char *name, struct problem *problem);
void manager_tell(struct manager *m, const char *event, const char *object, const char *name, json_t *details);
json_t *router_json(struct router *r);
int router_store(struct router *r, struct problem *problem);
void router_free(struct router *r);

/* manager-router.c */
/* Stores the next state, then acts. -EBUSY: does not fit the state. */
int router_apply(struct router *r, enum router_event event, struct problem *problem);
void router_enter(struct router *r, struct router_step step);
void router_domain_event(void *arg, unsigned id, const char *uuid, enum domain_event event);
void router_watch_reports(struct router *r);
struct waiter *waiter_add(struct router *r, enum router_event asked, manager_done_fn *done, void *arg);
/* For outcomes known at once: calls done from the loop. Takes over `json`. */
void manager_answer(struct manager *m, manager_done_fn *done, void *arg, const struct problem *problem, json_t *json);
int router_resolve_port(struct router *r, struct router_port *port, struct problem *problem);
int router_resolve(struct router *r, struct problem *problem);
void router_unresolve(struct router *r);
int router_write_tree(struct router *r, struct problem *problem);

/* manager-segment.c */
int segments_load(struct manager *m, struct problem *problem);
/* All segments (and uplinks) of a driver domain, into its tree. */
int segments_write(struct manager *m, const char *backend, unsigned id, const struct router_config *config,
		   struct problem *problem);
/* Domain id of a driver domain; -ENOENT if it does not run. "" is Dom0. */
int driver_domain_id(struct manager *m, const char *backend, unsigned *id_out, struct problem *problem);
struct segment *segment_find(struct manager *m, const char *name);

#endif
