/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a router is made, step by step; then driverdomd has to answer for its ports. */
#include "xebra/netns-private.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "libvnet/base/log.h"
#include "libvnet/base/tree.h"
#include "xebra/netns-port.h"

enum { ANSWER_LIMIT_MS = 8000 /* driverdomd, for all ports of an operation */ };

/* --- waiting for driverdomd --- */

static void op_fail(struct netns_op *op)
{
	op->n_awaited = 0;
	problem_prefix(&op->problem, "router %s", op->domain->record.name);
	op->failed(op);
}

static void op_unanswered(struct netns_op *op)
{
	problem_set(&op->problem, -ETIMEDOUT, "port %s: driverdomd does not answer; is it running (systemctl status driverdomd)?",
		    op->awaited[0].port);
	op_fail(op);
}

/* Crosses off the ports that are active; goes on when none is left or one is refused. */
static void op_check_answers(struct netns_op *op)
{
	size_t n = 0;

	for (size_t i = 0; i < op->n_awaited; i++) {
		enum port_answer answer = netns_port_answer(op->self->env.tree, op->awaited[i].ifname, &op->problem);
		if (answer == PORT_REFUSED) {
			problem_prefix(&op->problem, "port %s", op->awaited[i].port);
			op_fail(op);
			return;
		}
		if (answer == PORT_SILENT)
			op->awaited[n++] = op->awaited[i];
	}
	op->n_awaited = n;
	if (n == 0)
		op->ports_active(op);
}

void netns_answers_changed(void *arg, const char *path)
{
	struct netns *self = arg;

	(void)path;
	for (struct netns_op *op = self->ops, *next; op; op = next) {
		next = op->next;
		if (op->n_awaited)
			op_check_answers(op);
	}
}

int netns_op_await(struct netns_op *op, const struct router_port *ports, size_t n_ports)
{
	op->awaited = calloc(n_ports + 1, sizeof *op->awaited);
	if (!op->awaited)
		return problem_set(&op->problem, -ENOMEM, "no memory");
	for (size_t i = 0; i < n_ports; i++) {
		if (ports[i].kind != PORT_SEGMENT)
			continue;
		struct awaited *awaited = &op->awaited[op->n_awaited++];
		strcpy(awaited->port, ports[i].name);
		netns_port_ifname(awaited->ifname, op->domain->record.id, ports[i].handle);
	}
	return 0;
}

void netns_op_wait(struct netns_op *op)
{
	netns_op_after(op, ANSWER_LIMIT_MS, op_unanswered);
	op_check_answers(op);
}

/* --- making: the steps in their order --- */

static bool number_is_free(struct netns *self, unsigned id)
{
	char **names;
	size_t n;

	if (cgroups_exist(self->cgroups, id) || netns_ports_exist(self->env.tree, id))
		return false;
	if (tree_list(self->env.tree, PATH("/local/domain/%u", id), &names, &n) < 0)
		return true;
	tree_names_free(names, n);
	return false;
}

static int make_number(struct netns_op *op, const struct router_config *config)
{
	struct netns *self = op->self;
	struct netns_record record = { .vcpus = config->vcpus };
	int r;

	do
		r = netns_record_number(self->run_dir, &record.id);
	while (r == 0 && !number_is_free(self, record.id));
	if (r < 0)
		return problem_set(&op->problem, r, "no number can be taken from %s/domains: %s", self->run_dir, strerror(-r));
	strcpy(record.uuid, config->uuid);
	strcpy(record.name, config->name);
	op->domain = netns_domain_new(self, &record, MAKING);
	if (!op->domain)
		return problem_set(&op->problem, -ENOMEM, "no memory");
	op->domain->op = op;
	return 0;
}

static int make_record(struct netns_op *op, const struct router_config *config)
{
	(void)config;
	return netns_save(op->domain, &op->problem);
}

static int make_nodes(struct netns_op *op, const struct router_config *config)
{
	unsigned id = op->domain->record.id;
	int r = tree_write(op->self->env.tree, PATH("/local/domain/%u/name", id), config->name);

	return r < 0 ? problem_set(&op->problem, r, "/local/domain/%u cannot be written: %s", id, strerror(-r)) : 0;
}

/* What cannot be limited here is said, and left without limit. */
static int make_groups(struct netns_op *op, const struct router_config *config)
{
	unsigned id = op->domain->record.id;
	int r = cgroups_make(op->self->cgroups, id, &op->problem);

	for (int knob = 0; knob < N_KNOBS && r == 0; knob++) {
		r = cgroups_set(op->self->cgroups, id, config, 1u << knob, &op->problem);
		if (r != -ENOTSUP)
			continue;
		log_warn("router %s: made without a limit: %s", config->name, op->problem.text);
		r = op->problem.code = 0;
	}
	return r;
}

static int make_pid1(struct netns_op *op, const struct router_config *config)
{
	struct netns *self = op->self;
	struct netns_domain *domain = op->domain;
	int procs_fds[CGROUP_HIERARCHIES_MAX];
	char dir[PATH_MAX], log_file[PATH_MAX + 8], tree[PATH_MAX];
	const char *const argv[] = { self->guest, "--tree", tree, "--run-dir", dir, NULL };

	(void)config;
	snprintf(dir, sizeof dir, "%s/domains/%u", self->run_dir, domain->record.id);
	snprintf(log_file, sizeof log_file, "%s/log", dir);
	if (snprintf(tree, sizeof tree, "dir:%s/local/domain/%u", self->tree_dir, domain->record.id) >= (int)sizeof tree)
		return problem_set(&op->problem, -ENAMETOOLONG, "tree %s: the name is too long", self->tree_dir);
	int n = cgroups_procs(self->cgroups, domain->record.id, procs_fds);
	if (n < 0)
		return problem_set(&op->problem, n, "its control group cannot be opened: %s", strerror(-n));
	struct pid1_plan plan = { .argv = argv, .log_file = log_file, .procs_fds = procs_fds, .n_procs_fds = n };
	int r = pid1_start(&plan, &domain->record.pid1, &domain->pidfd, &op->hold, &op->problem);
	while (n-- > 0)
		close(procs_fds[n]);
	failpoint("forked");
	if (r == 0)
		r = netns_save(domain, &op->problem);
	return r < 0 ? r : netns_watch_pid1(domain, &op->problem);
}

/* From here on the freezer holds process 1, also when this process is gone. */
static int make_paused(struct netns_op *op, const struct router_config *config)
{
	int r = cgroups_freeze(op->self->cgroups, op->domain->record.id, true);

	(void)config;
	if (r == 0)
		r = pid1_release(op->hold);
	close(op->hold);
	op->hold = -1;
	return r < 0 ? problem_set(&op->problem, r, "cannot be paused: %s", strerror(-r)) : 0;
}

static int make_ports(struct netns_op *op, const struct router_config *config)
{
	const struct netns_record *record = &op->domain->record;
	int r = 0;

	for (size_t i = 0; i < config->n_ports && r == 0; i++)
		r = netns_port_make(op->self->env.tree, record->id, &record->pid1, &config->ports[i], &op->problem);
	return r;
}

static int make_announcements(struct netns_op *op, const struct router_config *config)
{
	int r = netns_op_await(op, config->ports, config->n_ports);

	for (size_t i = 0; i < config->n_ports && r == 0; i++)
		r = netns_port_announce(op->self->env.tree, op->domain->record.id, &config->ports[i], &op->problem);
	return r;
}

static const struct step {
	const char *name; /* of the failpoint after it */
	int (*make)(struct netns_op *op, const struct router_config *config);
} steps[] = {
	{ "number", make_number }, { "record", make_record }, { "nodes", make_nodes },
	{ "groups", make_groups }, { "pid1", make_pid1 },     { "paused", make_paused },
	{ "ports", make_ports },   { "announced", make_announcements },
};

static void op_made(struct netns_op *op)
{
	struct netns_domain *domain = op->domain;

	domain->record.ready = true;
	if (netns_save(domain, &op->problem) < 0) {
		op_fail(op);
		return;
	}
	failpoint("ready");
	netns_enter(domain, READY);
	op->id = domain->record.id;
	netns_op_end(op);
}

static int check_config(struct netns *self, const struct router_config *config, struct problem *problem)
{
	int r = 0;

	if (*config->pool)
		r = problem_set(problem, -ENOTSUP, "pool %s: container routers have no CPU pools; use cpus", config->pool);
	else if (access(self->guest, X_OK) < 0)
		r = problem_set(problem, -errno, "%s: cannot be run: %s; install xebra-guest", self->guest, strerror(errno));
	for (size_t i = 0; i < config->n_ports && r == 0; i++) {
		r = netns_port_check(&config->ports[i], problem);
		if (r == 0 && config->ports[i].rate_bps)
			log_warn("router %s: port %s: driver netns does not limit its rate", config->name, config->ports[i].name);
	}
	return r;
}

void netns_create(void *arg, const struct router_config *config, domain_done_fn *done, void *done_arg)
{
	struct netns_op *op = netns_op_new(arg, 0, done, done_arg);
	int r = check_config(arg, config, &op->problem);

	op->ports_active = op_made;
	op->failed = netns_op_end_domain;
	for (size_t i = 0; i < N_ELEMENTS(steps) && r == 0; i++) {
		r = steps[i].make(op, config);
		failpoint(steps[i].name);
	}
	if (r == 0) {
		netns_op_wait(op);
		return;
	}
	problem_prefix(&op->problem, "router %s", config->name);
	if (op->domain)
		netns_op_end_domain(op);
	else
		netns_op_end(op);
}
