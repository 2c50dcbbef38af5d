/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations between call and done, and the list of routers. */
#include "xebra/netns-private.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>

#include "libvnet/base/log.h"

static const char *const state_names[] = { [MAKING] = "making", [READY] = "ready", [ENDED] = "ended", [DYING] = "dying" };

void netns_enter(struct netns_domain *domain, enum state state)
{
	static const bool allowed[N_STATES][N_STATES] = {
		[MAKING] = { [READY] = true, [DYING] = true },
		[READY] = { [ENDED] = true, [DYING] = true },
		[ENDED] = { [DYING] = true },
		[DYING] = { [DYING] = true }, /* tried again */
	};

	if (!allowed[domain->state][state])
		log_error("router %s: %s -> %s must not be", domain->record.name, state_names[domain->state],
			  state_names[state]);
	log_debug("router %s: domain %u: %s -> %s", domain->record.name, domain->record.id, state_names[domain->state],
		  state_names[state]);
	domain->state = state;
}

/* --- operations --- */

void netns_op_free(struct netns_op *op)
{
	struct netns_op **link = &op->self->ops;

	while (*link != op)
		link = &(*link)->next;
	*link = op->next;
	if (op->hold >= 0)
		close(op->hold);
	event_free(op->timer);
	free(op->awaited);
	free(op);
}

static void op_timer(evutil_socket_t fd, short what, void *arg)
{
	struct netns_op *op = arg;

	(void)fd;
	(void)what;
	op->on_time(op);
}

void netns_op_after(struct netns_op *op, unsigned ms, void (*on_time)(struct netns_op *op))
{
	struct timeval delay = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	op->on_time = on_time;
	evtimer_add(op->timer, &delay);
}

static void op_tell(struct netns_op *op)
{
	domain_done_fn *done = op->done;
	struct problem problem = op->problem;
	unsigned id = op->id;
	void *arg = op->arg;

	netns_op_free(op);
	done(arg, id, &problem);
}

/* The operation is over; its caller is told from the loop. */
void netns_op_end(struct netns_op *op)
{
	if (op->problem.code == 0)
		op->problem.text[0] = '\0';
	if (op->domain)
		op->domain->op = NULL;
	op->domain = NULL;
	op->n_awaited = 0;
	netns_op_after(op, 0, op_tell);
}

struct netns_op *netns_op_new(struct netns *self, unsigned id, domain_done_fn *done, void *arg)
{
	struct netns_op *op = calloc(1, sizeof *op);
	struct event *timer = op ? evtimer_new(self->env.loop, op_timer, op) : NULL;

	if (!timer)
		abort(); /* not even the failure could be told */
	*op = (struct netns_op){ .next = self->ops, .self = self, .id = id, .done = done, .arg = arg, .timer = timer, .hold = -1,
			   .failed = netns_op_end };
	self->ops = op;
	return op;
}

struct netns_domain *netns_find(struct netns *self, unsigned id)
{
	struct netns_domain *domain = self->domains;

	while (domain && domain->record.id != id)
		domain = domain->next;
	return domain;
}

struct netns_op *netns_op_begin(struct netns *self, unsigned id, domain_done_fn *done, void *arg)
{
	struct netns_op *op = netns_op_new(self, id, done, arg);
	struct netns_domain *domain = netns_find(self, id);

	if (!domain)
		problem_set(&op->problem, -ENOENT, "domain %u: does not exist; see xebra list", id);
	else if (domain->op)
		problem_set(&op->problem, -EBUSY, "router %s: another operation is under way; wait for it", domain->record.name);
	if (op->problem.code) {
		netns_op_end(op);
		return NULL;
	}
	op->domain = domain;
	domain->op = op;
	return op;
}

struct netns_op *netns_op_begin_ready(struct netns *self, unsigned id, domain_done_fn *done, void *arg)
{
	struct netns_op *op = netns_op_begin(self, id, done, arg);

	if (!op || op->domain->state == READY)
		return op;
	problem_set(&op->problem, -ESRCH, "router %s: has ended; destroy it or start it anew", op->domain->record.name);
	netns_op_end(op);
	return NULL;
}

void netns_op_end_with(struct netns_op *op, int r)
{
	if (r < 0 && op->domain)
		problem_prefix(&op->problem, "router %s", op->domain->record.name);
	netns_op_end(op);
}

/* --- domains --- */

int netns_save(struct netns_domain *domain, struct problem *problem)
{
	int r = netns_record_write(domain->self->run_dir, &domain->record);

	return r < 0 ? problem_set(problem, r, "its record in %s/domains cannot be written: %s", domain->self->run_dir,
				   strerror(-r)) :
		       0;
}

struct netns_domain *netns_domain_new(struct netns *self, const struct netns_record *record, enum state state)
{
	struct netns_domain *domain = calloc(1, sizeof *domain);

	if (!domain)
		return NULL;
	*domain = (struct netns_domain){ .next = self->domains, .self = self, .record = *record, .state = state, .pidfd = -1 };
	self->domains = domain;
	return domain;
}

void netns_forget_pid1(struct netns_domain *domain)
{
	if (domain->end)
		event_free(domain->end);
	domain->end = NULL;
	if (domain->pidfd >= 0)
		close(domain->pidfd);
	domain->pidfd = -1;
}

void netns_domain_free(struct netns_domain *domain)
{
	struct netns_domain **link = &domain->self->domains;

	while (*link != domain)
		link = &(*link)->next;
	*link = domain->next;
	netns_forget_pid1(domain);
	free(domain);
}
