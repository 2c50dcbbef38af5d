/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the netns driver share: its routers, and operations on them. The states are in domain-netns.c.
 */
#ifndef XEBRA_NETNS_PRIVATE_H
#define XEBRA_NETNS_PRIVATE_H

#include <net/if.h>

#include "libvnet/base/failpoint.h"
#include "xebra/cgroup.h"
#include "xebra/domain.h"
#include "xebra/netns-record.h"

enum {
	END_LIMIT_MS = 10000, /* process 1 after SIGKILL */
	SWEEP_PAUSE_MS = 50,  /* a control group can stay busy for a moment after its last process */
	SWEEPS_MAX = 60,
};

enum state { MAKING, READY, ENDED, DYING, N_STATES };

struct netns {
	struct domain_env env;
	char *run_dir, *tree_dir, *guest;
	struct cgroups *cgroups;
	struct tree_watch *answers;
	struct event *log_check;
	struct netns_domain *domains;
	struct netns_op *ops;
};

struct netns_domain {
	struct netns_domain *next;
	struct netns *self;
	struct netns_record record;
	enum state state;
	int pidfd;         /* -1: process 1 has ended or never began */
	struct event *end; /* of process 1, until it was told */
	struct netns_op *op; /* under way on it, at most one */
};

struct awaited {
	char port[PORT_NAME_SIZE], ifname[IF_NAMESIZE];
};

/* An operation between its call and its `done`. */
struct netns_op {
	struct netns_op *next;
	struct netns *self;
	struct netns_domain *domain; /* NULL: there is none (any more) */
	unsigned id;
	domain_done_fn *done;
	void *arg;
	struct problem problem;
	struct event *timer;
	void (*on_time)(struct netns_op *op);
	void (*ports_active)(struct netns_op *op);
	void (*failed)(struct netns_op *op);
	struct awaited *awaited;
	size_t n_awaited;
	int hold; /* of process 1, until it is released; -1 */
	unsigned sweeps;
};

/* --- netns-op.c --- */

/* Without a domain yet. It tells `done` after netns_op_end, from the loop. */
struct netns_op *netns_op_new(struct netns *self, unsigned id, domain_done_fn *done, void *arg);
/* On an existing domain; NULL: it is over already, since there is none or it is busy. */
struct netns_op *netns_op_begin(struct netns *self, unsigned id, domain_done_fn *done, void *arg);
/* Likewise, on one whose process 1 lives. */
struct netns_op *netns_op_begin_ready(struct netns *self, unsigned id, domain_done_fn *done, void *arg);
void netns_op_after(struct netns_op *op, unsigned ms, void (*on_time)(struct netns_op *op));
/* What is in op->problem is the result. */
void netns_op_end(struct netns_op *op);
/* What a step on its router said is the result. */
void netns_op_end_with(struct netns_op *op, int r);
/* Without a word; only when the driver closes. */
void netns_op_free(struct netns_op *op);

struct netns_domain *netns_find(struct netns *self, unsigned id);
struct netns_domain *netns_domain_new(struct netns *self, const struct netns_record *record, enum state state);
void netns_domain_free(struct netns_domain *domain);
/* The only writer of `state` after netns_domain_new. */
void netns_enter(struct netns_domain *domain, enum state state);
int netns_save(struct netns_domain *domain, struct problem *problem);
/* Process 1 is no longer watched. */
void netns_forget_pid1(struct netns_domain *domain);

/* --- netns-end.c --- */

/* Goes on when process 1 ends; soon, if it has (pidfd -1). */
int netns_watch_pid1(struct netns_domain *domain, struct problem *problem);
void netns_kill(struct netns_domain *domain);
/* Removes all that is left when no process is; the record last. -EBUSY: processes are still leaving. */
int netns_sweep(struct netns_domain *domain, struct problem *problem);
/* Ends the operation's domain, on demand or because it could not be made; then the operation. */
void netns_op_end_domain(struct netns_op *op);
void netns_destroy(void *arg, unsigned id, domain_done_fn *done, void *done_arg);

/* --- netns-make.c --- */

/* Remembers which of the ports driverdomd has to answer for, before they are announced; netns_op_wait waits for it. */
int netns_op_await(struct netns_op *op, const struct router_port *ports, size_t n_ports);
void netns_op_wait(struct netns_op *op);
void netns_answers_changed(void *arg, const char *path);
void netns_create(void *arg, const struct router_config *config, domain_done_fn *done, void *done_arg);

#endif
