/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a router ends: by itself, on demand, or because it could not be made. */
#include "xebra/netns-private.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>

#include "libvnet/base/log.h"
#include "libvnet/base/tree.h"
#include "xebra/netns-port.h"

void netns_kill(struct netns_domain *domain)
{
	int r = cgroups_kill(domain->self->cgroups, domain->record.id);

	if (domain->pidfd >= 0 && pid1_signal(domain->pidfd, SIGKILL) < 0)
		log_warn("router %s: its process %d cannot be killed: %s", domain->record.name, domain->record.pid1.pid,
			 strerror(errno));
	if (r < 0)
		log_warn("router %s: its control group cannot be killed: %s", domain->record.name, strerror(-r));
}

int netns_sweep(struct netns_domain *domain, struct problem *problem)
{
	struct netns *self = domain->self;
	unsigned id = domain->record.id;

	int r = cgroups_remove(self->cgroups, id);
	if (r < 0)
		return problem_set(problem, r, "its control group cannot be removed: %s", strerror(-r));
	r = netns_ports_remove(self->env.tree, id);
	if (r < 0)
		return problem_set(problem, r, "its network devices vif%u.* cannot be removed: %s", id, strerror(-r));
	r = tree_remove(self->env.tree, PATH("/local/domain/%u", id));
	if (r < 0)
		return problem_set(problem, r, "its nodes /local/domain/%u cannot be removed: %s", id, strerror(-r));
	failpoint("swept");
	r = netns_record_remove(self->run_dir, id);
	if (r < 0)
		return problem_set(problem, r, "%s/domains/%u cannot be removed: %s", self->run_dir, id, strerror(-r));
	return 0;
}

static void op_sweep(struct netns_op *op)
{
	struct netns_domain *domain = op->domain;
	struct problem problem;

	failpoint("killed");
	int r = netns_sweep(domain, &problem);
	if (r == -EBUSY && ++op->sweeps < SWEEPS_MAX) {
		netns_op_after(op, SWEEP_PAUSE_MS, op_sweep);
		return;
	}
	if (r < 0) {
		problem_prefix(&problem, "router %s", domain->record.name);
		if (op->problem.code)
			log_warn("%s", problem.text);
		else
			op->problem = problem;
		netns_op_end(op);
		return;
	}
	netns_op_end(op);
	netns_domain_free(domain);
}

static void op_unkillable(struct netns_op *op)
{
	struct netns_domain *domain = op->domain;

	problem_set(&op->problem, -ETIMEDOUT, "router %s: process %d does not end after SIGKILL; see cat /proc/%d/stack, then "
					      "destroy it again", domain->record.name, domain->record.pid1.pid,
		    domain->record.pid1.pid);
	netns_op_end(op);
}

void netns_op_end_domain(struct netns_op *op)
{
	struct netns_domain *domain = op->domain;
	struct problem problem;

	op->n_awaited = 0;
	netns_enter(domain, DYING);
	domain->record.ready = false;
	if (netns_save(domain, &problem) < 0)
		log_warn("router %s: %s", domain->record.name, problem.text);
	failpoint("ending");
	netns_kill(domain);
	if (domain->pidfd >= 0)
		netns_op_after(op, END_LIMIT_MS, op_unkillable); /* pid1_ended goes on */
	else
		op_sweep(op);
}

static const enum domain_event end_events[] = { [ASKED_NOTHING] = DOMAIN_CRASH, [ASKED_POWEROFF] = DOMAIN_POWEROFF,
						[ASKED_REBOOT] = DOMAIN_REBOOT };

static void pid1_ended(evutil_socket_t fd, short what, void *arg)
{
	struct netns_domain *domain = arg;
	struct netns *self = domain->self;

	(void)fd;
	(void)what;
	netns_forget_pid1(domain);
	switch (domain->state) {
	case MAKING:
		problem_set(&domain->op->problem, -ESRCH, "router %s: its first process ended while it was made; see %s/domains",
			    domain->record.name, self->run_dir);
		netns_op_end_domain(domain->op);
		return;
	case READY:
		netns_enter(domain, ENDED);
		self->env.event(self->env.arg, domain->record.id, domain->record.uuid, end_events[domain->record.asked]);
		return;
	case DYING:
		if (domain->op)
			op_sweep(domain->op);
		return;
	default:
		return;
	}
}

int netns_watch_pid1(struct netns_domain *domain, struct problem *problem)
{
	domain->end = event_new(domain->self->env.loop, domain->pidfd, EV_READ, pid1_ended, domain);
	if (!domain->end || (domain->pidfd >= 0 && event_add(domain->end, NULL) < 0))
		return problem_set(problem, -ENOMEM, "its first process cannot be watched");
	if (domain->pidfd < 0)
		event_active(domain->end, EV_READ, 0);
	return 0;
}

void netns_destroy(void *arg, unsigned id, domain_done_fn *done, void *done_arg)
{
	struct netns_op *op = netns_op_begin(arg, id, done, done_arg);

	if (op)
		netns_op_end_domain(op);
}
