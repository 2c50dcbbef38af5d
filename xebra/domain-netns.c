/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Container routers: process 1 of a router's namespaces runs xebra-guest (pid1.h), its ports are veth pairs
 * (netns-port.h), its share of the machine is a control group (cgroup.h), and what must survive this process is in a
 * record (netns-record.h).
 *
 *                 every step done                process 1 ended
 *     MAKING ------------------------> READY ------------------------> ENDED
 *        |                               |                               |
 *        +---- a step failed ----+-------+------------ destroy ----------+
 *                                v
 *                              DYING ---- nothing of it is left ----> (gone)
 *
 * A READY router is paused while its control group is frozen; so it begins. Only the record of a READY or ENDED router
 * says `ready`: opening the driver clears away all others, whatever an earlier process was doing when it was killed.
 */
#include "xebra/domain.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "libvnet/base/log.h"
#include "libvnet/base/tree.h"
#include "xebra/cgroup.h"
#include "xebra/netns-port.h"
#include "xebra/netns-record.h"

enum {
	ANSWER_LIMIT_MS = 8000,  /* driverdomd, for all ports of an operation */
	END_LIMIT_MS = 10000,    /* process 1 after SIGKILL */
	SWEEP_PAUSE_MS = 50,     /* a control group can stay busy for a moment after its last process */
	SWEEPS_MAX = 60,
	LOG_CHECK_S = 60,
	LOG_SIZE_MAX = 1 << 20,
};

enum state { MAKING, READY, ENDED, DYING, N_STATES };

static const char *const state_names[] = { [MAKING] = "making", [READY] = "ready", [ENDED] = "ended", [DYING] = "dying" };

struct netns {
	struct domain_env env;
	char *run_dir, *tree_dir, *guest;
	struct cgroups *cgroups;
	struct tree_watch *answers;
	struct event *log_check;
	struct domain *domains;
	struct op *ops;
};

struct domain {
	struct domain *next;
	struct netns *self;
	struct netns_record record;
	enum state state;
	int pidfd;         /* -1: process 1 has ended or never began */
	struct event *end; /* of process 1, until it was told */
	struct op *op;     /* under way on it, at most one */
};

struct awaited {
	char port[PORT_NAME_SIZE], ifname[IF_NAMESIZE];
};

/* An operation between its call and its `done`. */
struct op {
	struct op *next;
	struct netns *self;
	struct domain *domain; /* NULL: there is none (any more) */
	unsigned id;
	domain_done_fn *done;
	void *arg;
	struct problem problem;
	struct event *timer;
	void (*on_time)(struct op *op);
	void (*ports_active)(struct op *op);
	void (*failed)(struct op *op);
	struct awaited *awaited;
	size_t n_awaited;
	int hold; /* of process 1, until it is released; -1 */
	unsigned sweeps;
};

static void enter(struct domain *domain, enum state state)
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

/* Lets a test kill this process where a crash would be worst. */
static void failpoint(const char *place)
{
	const char *chosen = getenv("XEBRA_FAILPOINT");

	if (chosen && strcmp(chosen, place) == 0)
		kill(getpid(), SIGKILL);
}

/* --- operations --- */

static void op_free(struct op *op)
{
	struct op **link = &op->self->ops;

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
	struct op *op = arg;

	(void)fd;
	(void)what;
	op->on_time(op);
}

static void op_after(struct op *op, unsigned ms, void (*on_time)(struct op *op))
{
	struct timeval delay = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	op->on_time = on_time;
	evtimer_add(op->timer, &delay);
}

static void op_tell(struct op *op)
{
	domain_done_fn *done = op->done;
	struct problem problem = op->problem;
	unsigned id = op->id;
	void *arg = op->arg;

	op_free(op);
	done(arg, id, &problem);
}

/* The operation is over; its caller is told from the loop. */
static void op_end(struct op *op)
{
	if (op->problem.code == 0)
		op->problem.text[0] = '\0';
	if (op->domain)
		op->domain->op = NULL;
	op->domain = NULL;
	op->n_awaited = 0;
	op_after(op, 0, op_tell);
}

static struct op *op_new(struct netns *self, unsigned id, domain_done_fn *done, void *arg)
{
	struct op *op = calloc(1, sizeof *op);
	struct event *timer = op ? evtimer_new(self->env.loop, op_timer, op) : NULL;

	if (!timer)
		abort(); /* not even the failure could be told */
	*op = (struct op){ .next = self->ops, .self = self, .id = id, .done = done, .arg = arg, .timer = timer, .hold = -1,
			   .failed = op_end };
	self->ops = op;
	return op;
}

static struct domain *find_domain(struct netns *self, unsigned id)
{
	struct domain *domain = self->domains;

	while (domain && domain->record.id != id)
		domain = domain->next;
	return domain;
}

/* An operation on an existing domain; NULL: it is over already, since there is none or it is busy. */
static struct op *op_begin(struct netns *self, unsigned id, domain_done_fn *done, void *arg)
{
	struct op *op = op_new(self, id, done, arg);
	struct domain *domain = find_domain(self, id);

	if (!domain)
		problem_set(&op->problem, -ENOENT, "domain %u: does not exist; see xebra list", id);
	else if (domain->op)
		problem_set(&op->problem, -EBUSY, "router %s: another operation is under way; wait for it", domain->record.name);
	if (op->problem.code) {
		op_end(op);
		return NULL;
	}
	op->domain = domain;
	domain->op = op;
	return op;
}

/* Likewise, on one whose process 1 lives. */
static struct op *op_begin_ready(struct netns *self, unsigned id, domain_done_fn *done, void *arg)
{
	struct op *op = op_begin(self, id, done, arg);

	if (!op || op->domain->state == READY)
		return op;
	problem_set(&op->problem, -ESRCH, "router %s: has ended; destroy it or start it anew", op->domain->record.name);
	op_end(op);
	return NULL;
}

/* Ends the operation with what a step on its router said. */
static void op_end_with(struct op *op, int r)
{
	if (r < 0 && op->domain)
		problem_prefix(&op->problem, "router %s", op->domain->record.name);
	op_end(op);
}

/* --- domains --- */

static int save_record(struct domain *domain, struct problem *problem)
{
	int r = netns_record_write(domain->self->run_dir, &domain->record);

	return r < 0 ? problem_set(problem, r, "its record in %s/domains cannot be written: %s", domain->self->run_dir,
				   strerror(-r)) :
		       0;
}

static struct domain *domain_new(struct netns *self, const struct netns_record *record, enum state state)
{
	struct domain *domain = calloc(1, sizeof *domain);

	if (!domain)
		return NULL;
	*domain = (struct domain){ .next = self->domains, .self = self, .record = *record, .state = state, .pidfd = -1 };
	self->domains = domain;
	return domain;
}

/* Process 1 is no longer watched. */
static void forget_pid1(struct domain *domain)
{
	if (domain->end)
		event_free(domain->end);
	domain->end = NULL;
	if (domain->pidfd >= 0)
		close(domain->pidfd);
	domain->pidfd = -1;
}

static void domain_free(struct domain *domain)
{
	struct domain **link = &domain->self->domains;

	while (*link != domain)
		link = &(*link)->next;
	*link = domain->next;
	forget_pid1(domain);
	free(domain);
}

/* --- ending --- */

static void kill_all(struct domain *domain)
{
	int r = cgroups_kill(domain->self->cgroups, domain->record.id);

	if (domain->pidfd >= 0 && pid1_signal(domain->pidfd, SIGKILL) < 0)
		log_warn("router %s: its process %d cannot be killed: %s", domain->record.name, domain->record.pid1.pid,
			 strerror(errno));
	if (r < 0)
		log_warn("router %s: its control group cannot be killed: %s", domain->record.name, strerror(-r));
}

/* Removes all that is left when no process is; the record last. -EBUSY: processes are still leaving. */
static int sweep(struct domain *domain, struct problem *problem)
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

static void op_sweep(struct op *op)
{
	struct domain *domain = op->domain;
	struct problem problem;

	failpoint("killed");
	int r = sweep(domain, &problem);
	if (r == -EBUSY && ++op->sweeps < SWEEPS_MAX) {
		op_after(op, SWEEP_PAUSE_MS, op_sweep);
		return;
	}
	if (r < 0) {
		problem_prefix(&problem, "router %s", domain->record.name);
		if (op->problem.code)
			log_warn("%s", problem.text);
		else
			op->problem = problem;
		op_end(op);
		return;
	}
	op_end(op);
	domain_free(domain);
}

static void op_unkillable(struct op *op)
{
	struct domain *domain = op->domain;

	problem_set(&op->problem, -ETIMEDOUT, "router %s: process %d does not end after SIGKILL; see cat /proc/%d/stack, then "
					      "destroy it again", domain->record.name, domain->record.pid1.pid,
		    domain->record.pid1.pid);
	op_end(op);
}

/* Ends the operation's domain, on demand or because it could not be made. */
static void op_end_domain(struct op *op)
{
	struct domain *domain = op->domain;
	struct problem problem;

	op->n_awaited = 0;
	enter(domain, DYING);
	domain->record.ready = false;
	if (save_record(domain, &problem) < 0)
		log_warn("router %s: %s", domain->record.name, problem.text);
	failpoint("ending");
	kill_all(domain);
	if (domain->pidfd >= 0)
		op_after(op, END_LIMIT_MS, op_unkillable); /* pid1_ended goes on */
	else
		op_sweep(op);
}

static const enum domain_event end_events[] = { [ASKED_NOTHING] = DOMAIN_CRASH, [ASKED_POWEROFF] = DOMAIN_POWEROFF,
						[ASKED_REBOOT] = DOMAIN_REBOOT };

static void pid1_ended(evutil_socket_t fd, short what, void *arg)
{
	struct domain *domain = arg;
	struct netns *self = domain->self;

	(void)fd;
	(void)what;
	forget_pid1(domain);
	switch (domain->state) {
	case MAKING:
		problem_set(&domain->op->problem, -ESRCH, "router %s: its first process ended while it was made; see %s/domains",
			    domain->record.name, self->run_dir);
		op_end_domain(domain->op);
		return;
	case READY:
		enter(domain, ENDED);
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

/* pid1_ended is called when process 1 ends; soon, if it has (pidfd -1). */
static int watch_pid1(struct domain *domain, struct problem *problem)
{
	domain->end = event_new(domain->self->env.loop, domain->pidfd, EV_READ, pid1_ended, domain);
	if (!domain->end || (domain->pidfd >= 0 && event_add(domain->end, NULL) < 0))
		return problem_set(problem, -ENOMEM, "its first process cannot be watched");
	if (domain->pidfd < 0)
		event_active(domain->end, EV_READ, 0);
	return 0;
}

static void netns_destroy(void *arg, unsigned id, domain_done_fn *done, void *done_arg)
{
	struct op *op = op_begin(arg, id, done, done_arg);

	if (op)
		op_end_domain(op);
}

/* --- waiting for driverdomd --- */

static void op_fail(struct op *op)
{
	op->n_awaited = 0;
	problem_prefix(&op->problem, "router %s", op->domain->record.name);
	op->failed(op);
}

static void op_unanswered(struct op *op)
{
	problem_set(&op->problem, -ETIMEDOUT, "port %s: driverdomd does not answer; is it running (systemctl status driverdomd)?",
		    op->awaited[0].port);
	op_fail(op);
}

/* Crosses off the ports that are active; goes on when none is left or one is refused. */
static void op_check_answers(struct op *op)
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

static void answers_changed(void *arg, const char *path)
{
	struct netns *self = arg;

	(void)path;
	for (struct op *op = self->ops, *next; op; op = next) {
		next = op->next;
		if (op->n_awaited)
			op_check_answers(op);
	}
}

static int await(struct op *op, const struct router_port *ports, size_t n_ports)
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

static void op_wait(struct op *op)
{
	op_after(op, ANSWER_LIMIT_MS, op_unanswered);
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

static int make_number(struct op *op, const struct router_config *config)
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
	op->domain = domain_new(self, &record, MAKING);
	if (!op->domain)
		return problem_set(&op->problem, -ENOMEM, "no memory");
	op->domain->op = op;
	return 0;
}

static int make_record(struct op *op, const struct router_config *config)
{
	(void)config;
	return save_record(op->domain, &op->problem);
}

static int make_nodes(struct op *op, const struct router_config *config)
{
	unsigned id = op->domain->record.id;
	int r = tree_write(op->self->env.tree, PATH("/local/domain/%u/name", id), config->name);

	return r < 0 ? problem_set(&op->problem, r, "/local/domain/%u cannot be written: %s", id, strerror(-r)) : 0;
}

/* What cannot be limited here is said, and left without limit. */
static int make_groups(struct op *op, const struct router_config *config)
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

static int make_pid1(struct op *op, const struct router_config *config)
{
	struct netns *self = op->self;
	struct domain *domain = op->domain;
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
		r = save_record(domain, &op->problem);
	return r < 0 ? r : watch_pid1(domain, &op->problem);
}

/* From here on the freezer holds process 1, also when this process is gone. */
static int make_paused(struct op *op, const struct router_config *config)
{
	int r = cgroups_freeze(op->self->cgroups, op->domain->record.id, true);

	(void)config;
	if (r == 0)
		r = pid1_release(op->hold);
	close(op->hold);
	op->hold = -1;
	return r < 0 ? problem_set(&op->problem, r, "cannot be paused: %s", strerror(-r)) : 0;
}

static int make_ports(struct op *op, const struct router_config *config)
{
	const struct netns_record *record = &op->domain->record;
	int r = 0;

	for (size_t i = 0; i < config->n_ports && r == 0; i++)
		r = netns_port_make(op->self->env.tree, record->id, &record->pid1, &config->ports[i], &op->problem);
	return r;
}

static int make_announcements(struct op *op, const struct router_config *config)
{
	int r = await(op, config->ports, config->n_ports);

	for (size_t i = 0; i < config->n_ports && r == 0; i++)
		r = netns_port_announce(op->self->env.tree, op->domain->record.id, &config->ports[i], &op->problem);
	return r;
}

static const struct step {
	const char *name; /* of the failpoint after it */
	int (*make)(struct op *op, const struct router_config *config);
} steps[] = {
	{ "number", make_number }, { "record", make_record }, { "nodes", make_nodes },
	{ "groups", make_groups }, { "pid1", make_pid1 },     { "paused", make_paused },
	{ "ports", make_ports },   { "announced", make_announcements },
};

static void op_made(struct op *op)
{
	struct domain *domain = op->domain;

	domain->record.ready = true;
	if (save_record(domain, &op->problem) < 0) {
		op_fail(op);
		return;
	}
	failpoint("ready");
	enter(domain, READY);
	op->id = domain->record.id;
	op_end(op);
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

static void netns_create(void *arg, const struct router_config *config, domain_done_fn *done, void *done_arg)
{
	struct op *op = op_new(arg, 0, done, done_arg);
	int r = check_config(arg, config, &op->problem);

	op->ports_active = op_made;
	op->failed = op_end_domain;
	for (size_t i = 0; i < N_ELEMENTS(steps) && r == 0; i++) {
		r = steps[i].make(op, config);
		failpoint(steps[i].name);
	}
	if (r == 0) {
		op_wait(op);
		return;
	}
	problem_prefix(&op->problem, "router %s", config->name);
	if (op->domain)
		op_end_domain(op);
	else
		op_end(op);
}

/* --- ports while it runs --- */

static void op_undo_port(struct op *op)
{
	unsigned id, handle;

	if (sscanf(op->awaited[0].ifname, "vif%u.%u", &id, &handle) == 2)
		netns_port_remove(op->self->env.tree, id, handle);
	op_end(op);
}

static void netns_port_attach(void *arg, unsigned id, const struct router_config *config, size_t index,
			      domain_done_fn *done, void *done_arg)
{
	struct op *op = op_begin_ready(arg, id, done, done_arg);
	const struct router_port *port = &config->ports[index];

	if (!op)
		return;
	op->ports_active = op_end;
	op->failed = op_undo_port;
	int r = netns_port_check(port, &op->problem);
	if (r == 0)
		r = netns_port_make(op->self->env.tree, id, &op->domain->record.pid1, port, &op->problem);
	if (r < 0) {
		op_end_with(op, r);
		return;
	}
	r = await(op, port, 1);
	if (r == 0)
		r = netns_port_announce(op->self->env.tree, id, port, &op->problem);
	failpoint("port-announced");
	if (r == 0)
		op_wait(op);
	else {
		netns_port_remove(op->self->env.tree, id, port->handle);
		op_end_with(op, r);
	}
}

static void netns_port_detach(void *arg, unsigned id, const struct router_config *config, size_t index,
			      domain_done_fn *done, void *done_arg)
{
	struct op *op = op_begin(arg, id, done, done_arg);
	const struct router_port *port = &config->ports[index];

	if (!op)
		return;
	int r = netns_port_remove(op->self->env.tree, id, port->handle);
	if (r < 0)
		problem_set(&op->problem, r, "port %s: cannot be removed: %s", port->name, strerror(-r));
	op_end_with(op, r);
}

/* --- running --- */

static void freeze(void *arg, unsigned id, bool frozen, domain_done_fn *done, void *done_arg)
{
	struct op *op = op_begin_ready(arg, id, done, done_arg);

	if (!op)
		return;
	int r = cgroups_freeze(op->self->cgroups, id, frozen);
	if (r < 0)
		problem_set(&op->problem, r, "cannot be %s: %s", frozen ? "paused" : "resumed", strerror(-r));
	op_end_with(op, r);
}

static void netns_pause(void *arg, unsigned id, domain_done_fn *done, void *done_arg)
{
	freeze(arg, id, true, done, done_arg);
}

static void netns_unpause(void *arg, unsigned id, domain_done_fn *done, void *done_arg)
{
	freeze(arg, id, false, done, done_arg);
}

static int ask_to_end(struct domain *domain, bool reboot, struct problem *problem)
{
	if (cgroups_frozen(domain->self->cgroups, domain->record.id))
		return problem_set(problem, -EBUSY, "is paused and cannot hear; unpause it first, or destroy it");
	domain->record.asked = reboot ? ASKED_REBOOT : ASKED_POWEROFF;
	int r = save_record(domain, problem);
	if (r < 0)
		return r;
	r = pid1_signal(domain->pidfd, SIGTERM);
	return r < 0 ? problem_set(problem, r, "SIGTERM cannot be sent: %s", strerror(-r)) : 0;
}

static void netns_shutdown(void *arg, unsigned id, bool reboot, domain_done_fn *done, void *done_arg)
{
	struct op *op = op_begin_ready(arg, id, done, done_arg);

	if (op)
		op_end_with(op, ask_to_end(op->domain, reboot, &op->problem));
}

static unsigned knobs_of(unsigned which)
{
	static const struct {
		unsigned tune, knob;
	} rows[] = {
		{ TUNE_VCPUS, KNOB_CAP },   { TUNE_CAP, KNOB_CAP },   { TUNE_WEIGHT, KNOB_WEIGHT },
		{ TUNE_CPUS, KNOB_CPUS },   { TUNE_MEMORY, KNOB_MEMORY },
	};
	unsigned knobs = 0;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		if (which & rows[i].tune)
			knobs |= 1u << rows[i].knob;
	return knobs;
}

static int tune(struct domain *domain, const struct router_config *config, unsigned which, struct problem *problem)
{
	if (which & TUNE_POOL && *config->pool)
		return problem_set(problem, -ENOTSUP, "pool: container routers have no CPU pools; use cpus");
	int r = cgroups_set(domain->self->cgroups, domain->record.id, config, knobs_of(which), problem);
	if (r < 0 || !(which & TUNE_VCPUS))
		return r;
	domain->record.vcpus = config->vcpus;
	return save_record(domain, problem);
}

static void netns_set(void *arg, unsigned id, const struct router_config *config, unsigned which, domain_done_fn *done,
		      void *done_arg)
{
	struct op *op = op_begin_ready(arg, id, done, done_arg);

	if (op)
		op_end_with(op, tune(op->domain, config, which, &op->problem));
}

/* --- looking --- */

static void fill_usage(const struct domain *domain, struct domain_info *info)
{
	struct pid1_stat stat;
	bool counted = cgroups_memory_used(domain->self->cgroups, info->id, &info->memory_kib) == 0;
	bool timed = cgroups_cpu_used(domain->self->cgroups, info->id, &info->cpu_time_ns) == 0;

	if ((counted && timed) || domain->pidfd < 0 || pid1_stat(domain->record.pid1.pid, &stat) < 0)
		return;
	if (!counted)
		info->memory_kib = stat.rss_pages * (sysconf(_SC_PAGESIZE) >> 10);
	if (!timed)
		info->cpu_time_ns = stat.cpu_ticks * (1000000000 / sysconf(_SC_CLK_TCK));
}

static void fill_info(const struct domain *domain, struct domain_info *info)
{
	const struct netns_record *record = &domain->record;

	*info = (struct domain_info){
		.id = record->id,
		.vcpus = record->vcpus,
		.paused = domain->state == MAKING ||
			  (domain->state == READY && cgroups_frozen(domain->self->cgroups, record->id)),
		.shutdown = domain->state == ENDED,
		.crashed = domain->state == ENDED && record->asked == ASKED_NOTHING,
		.dying = domain->state == DYING,
	};
	strcpy(info->uuid, record->uuid);
	strcpy(info->name, record->name);
	fill_usage(domain, info);
}

static int netns_list(void *arg, struct domain_info **infos_out, size_t *n_out, struct problem *problem)
{
	struct netns *self = arg;
	size_t n = 0;

	for (struct domain *domain = self->domains; domain; domain = domain->next)
		n++;
	struct domain_info *infos = calloc(n + 1, sizeof *infos);
	if (!infos)
		return problem_set(problem, -ENOMEM, "driver netns: no memory");
	*n_out = n;
	*infos_out = infos;
	for (struct domain *domain = self->domains; domain; domain = domain->next)
		fill_info(domain, &infos[--n]); /* the newest is first in our list and last in theirs */
	return 0;
}

static unsigned long long meminfo_mib(const char *key)
{
	AUTO(fclose) FILE *in = fopen("/proc/meminfo", "re");
	unsigned long long kib;
	char name[32];

	while (in && fscanf(in, "%31s %llu%*[^\n]", name, &kib) == 2)
		if (strcmp(name, key) == 0)
			return kib >> 10;
	return 0;
}

static int netns_host(void *arg, json_t **json_out, struct problem *problem)
{
	struct utsname kernel;
	char version[sizeof kernel.release + 8];

	(void)arg;
	uname(&kernel);
	snprintf(version, sizeof version, "netns %s", kernel.release);
	*json_out = json_pack("{s:s,s:s,s:I,s:I,s:I,s:b,s:b,s:[]}", "driver", "netns", "version", version, "cpus",
			      (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "memory_mib", (json_int_t)meminfo_mib("MemTotal:"),
			      "memory_free_mib", (json_int_t)meminfo_mib("MemAvailable:"), "hap", 0, "iommu", 0, "vfs");
	return *json_out ? 0 : problem_set(problem, -ENOMEM, "driver netns: no memory");
}

static int netns_console(void *arg, unsigned id, char ***argv_out, struct problem *problem)
{
	const struct domain *domain = find_domain(arg, id);
	char pid[16], prompt[ROUTER_NAME_SIZE + 8];
	const char *const argv[] = { "nsenter", "-t", pid, "-a", "/usr/bin/env", prompt, "/bin/sh" };

	if (!domain || domain->state != READY)
		return problem_set(problem, domain ? -ESRCH : -ENOENT, "domain %u: does not run; see xebra list", id);
	snprintf(pid, sizeof pid, "%d", domain->record.pid1.pid);
	snprintf(prompt, sizeof prompt, "PS1=%s# ", domain->record.name);
	char **copy = calloc(N_ELEMENTS(argv) + 1, sizeof *copy);
	for (size_t i = 0; copy && i < N_ELEMENTS(argv); i++)
		if (!(copy[i] = strdup(argv[i]))) {
			tree_names_free(copy, i);
			copy = NULL;
		}
	*argv_out = copy;
	return copy ? 0 : problem_set(problem, -ENOMEM, "router %s: no memory", domain->record.name);
}

/* A router's output is kept in memory (run_dir), so not without end. */
static void check_logs(evutil_socket_t fd, short what, void *arg)
{
	struct netns *self = arg;
	struct stat status;
	char path[PATH_MAX];

	(void)fd;
	(void)what;
	for (struct domain *domain = self->domains; domain; domain = domain->next) {
		snprintf(path, sizeof path, "%s/domains/%u/log", self->run_dir, domain->record.id);
		if (stat(path, &status) == 0 && status.st_size > LOG_SIZE_MAX && truncate(path, 0) < 0)
			log_warn("router %s: %s cannot be cut: %s", domain->record.name, path, strerror(errno));
	}
}

/* --- opening: what an earlier process left --- */

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Clears away a router that is not whole. What resists stays in the list as dying, and `destroy` tries again. */
static void roll_back(struct domain *domain)
{
	struct pollfd end = { .fd = domain->pidfd, .events = POLLIN };
	struct problem problem;
	int r;

	kill_all(domain);
	for (long long limit = now_ms() + END_LIMIT_MS; end.fd >= 0 && now_ms() < limit;)
		if (poll(&end, 1, limit - now_ms()) > 0)
			break;
	forget_pid1(domain);
	for (int i = 0; (r = sweep(domain, &problem)) == -EBUSY && i < SWEEPS_MAX; i++)
		usleep(SWEEP_PAUSE_MS * 1000);
	if (r < 0) {
		log_error("router %s: domain %u was left half made: %s", domain->record.name, domain->record.id, problem.text);
		return;
	}
	log_info("router %s: domain %u was left half made and is cleared away", domain->record.name, domain->record.id);
	domain_free(domain);
}

static int adopt(struct netns *self, unsigned id, struct problem *problem)
{
	struct netns_record record = { .id = id, .name = "?" };
	int r = netns_record_read(self->run_dir, id, &record);

	if (r < 0 && r != -ENOENT)
		log_warn("domain %u: its record cannot be read: %s", id, strerror(-r));
	struct domain *domain = domain_new(self, &record, record.ready ? READY : DYING);
	if (!domain)
		return problem_set(problem, -ENOMEM, "driver netns: no memory");
	r = pid1_find(&record.pid1, &domain->pidfd);
	if (r < 0 && r != -ESRCH)
		log_warn("router %s: process %d: %s", record.name, record.pid1.pid, strerror(-r));
	if (record.ready)
		return watch_pid1(domain, problem);
	roll_back(domain);
	return 0;
}

static int adopt_all(struct netns *self, struct problem *problem)
{
	AUTO(free) unsigned *ids = NULL;
	size_t n;
	int r = netns_record_list(self->run_dir, &ids, &n);

	if (r < 0)
		return problem_set(problem, r, "driver netns: %s/domains cannot be read: %s", self->run_dir, strerror(-r));
	for (size_t i = 0; i < n && r == 0; i++)
		r = adopt(self, ids[i], problem);
	return r;
}

static int open_cgroups(struct netns *self, struct problem *problem)
{
	const char *top = getenv("XEBRA_CGROUP"); /* for tests beside a running daemon */
	AUTO(free) char *mountinfo = NULL;
	AUTO(fclose) FILE *in = fopen("/proc/self/mountinfo", "re");
	size_t room = 0;

	if (!in || getdelim(&mountinfo, &room, '\0', in) < 0)
		return problem_set(problem, -ENODEV, "driver netns: /proc/self/mountinfo: %s", strerror(errno));
	int r = cgroups_open(mountinfo, top ? top : "xebra", &self->cgroups, problem);
	return r < 0 ? problem_prefix(problem, "driver netns") : 0;
}

static void netns_close(void *arg)
{
	struct netns *self = arg;

	while (self->ops)
		op_free(self->ops);
	while (self->domains)
		domain_free(self->domains);
	if (self->log_check)
		event_free(self->log_check);
	tree_unwatch(self->answers);
	cgroups_close(self->cgroups);
	free(self->run_dir);
	free(self->tree_dir);
	free(self->guest);
	free(self);
}

DEFINE_AUTO(struct netns *, netns_close)

static int open_loop(struct netns *self, struct problem *problem)
{
	struct timeval period = { .tv_sec = LOG_CHECK_S };
	int r = tree_watch(self->env.tree, NETNS_ANSWERS, answers_changed, self, &self->answers);

	if (r < 0)
		return problem_set(problem, r, "driver netns: %s cannot be watched: %s", NETNS_ANSWERS, strerror(-r));
	self->log_check = event_new(self->env.loop, -1, EV_PERSIST, check_logs, self);
	if (!self->log_check || event_add(self->log_check, &period) < 0)
		return problem_set(problem, -ENOMEM, "driver netns: no memory");
	return 0;
}

static int netns_open(const struct domain_env *env, void **self_out, struct problem *problem)
{
	AUTO(netns_close) struct netns *self = calloc(1, sizeof *self);
	const char *guest = getenv("XEBRA_GUEST");

	if (geteuid() != 0)
		return problem_set(problem, -EPERM, "driver netns: makes network namespaces; run xebrad as root");
	if (!env->tree_where || strncmp(env->tree_where, "dir:/", 5) != 0)
		return problem_set(problem, -ENODEV, "driver netns: its routers need a tree on a directory; give xebrad the "
						     "tree dir:/run/xebra/tree");
	if (!self)
		return problem_set(problem, -ENOMEM, "driver netns: no memory");
	self->env = *env;
	self->run_dir = strdup(env->run_dir);
	self->tree_dir = strdup(env->tree_where + strlen("dir:"));
	self->guest = strdup(guest ? guest : SBINDIR "/xebra-guest");
	if (!self->run_dir || !self->tree_dir || !self->guest)
		return problem_set(problem, -ENOMEM, "driver netns: no memory");
	int r = open_cgroups(self, problem);
	if (r == 0)
		r = open_loop(self, problem);
	if (r == 0)
		r = adopt_all(self, problem);
	if (r == 0)
		*self_out = take(self);
	return r;
}

const struct domain_ops domain_netns = {
	.name = "netns",
	.open = netns_open,
	.close = netns_close,
	.list = netns_list,
	.host = netns_host,
	.create = netns_create,
	.unpause = netns_unpause,
	.destroy = netns_destroy,
	.pause = netns_pause,
	.shutdown = netns_shutdown,
	.set = netns_set,
	.port_attach = netns_port_attach,
	.port_detach = netns_port_detach,
	.console = netns_console,
};
