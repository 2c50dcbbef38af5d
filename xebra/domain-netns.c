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
#include "xebra/netns-private.h"

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
#include "xebra/netns-port.h"

enum { LOG_CHECK_S = 60, LOG_SIZE_MAX = 1 << 20 };

/* --- ports while it runs --- */

static void op_undo_port(struct netns_op *op)
{
	unsigned id, handle;

	if (sscanf(op->awaited[0].ifname, "vif%u.%u", &id, &handle) == 2)
		netns_port_remove(op->self->env.tree, id, handle);
	netns_op_end(op);
}

static void netns_port_attach(void *arg, unsigned id, const struct router_config *config, size_t index,
			      domain_done_fn *done, void *done_arg)
{
	struct netns_op *op = netns_op_begin_ready(arg, id, done, done_arg);
	const struct router_port *port = &config->ports[index];

	if (!op)
		return;
	op->ports_active = netns_op_end;
	op->failed = op_undo_port;
	int r = netns_port_check(port, &op->problem);
	if (r == 0)
		r = netns_port_make(op->self->env.tree, id, &op->domain->record.pid1, port, &op->problem);
	if (r < 0) {
		netns_op_end_with(op, r);
		return;
	}
	r = netns_op_await(op, port, 1);
	if (r == 0)
		r = netns_port_announce(op->self->env.tree, id, port, &op->problem);
	failpoint("port-announced");
	if (r == 0)
		netns_op_wait(op);
	else {
		netns_port_remove(op->self->env.tree, id, port->handle);
		netns_op_end_with(op, r);
	}
}

static void netns_port_detach(void *arg, unsigned id, const struct router_config *config, size_t index,
			      domain_done_fn *done, void *done_arg)
{
	struct netns_op *op = netns_op_begin(arg, id, done, done_arg);
	const struct router_port *port = &config->ports[index];

	if (!op)
		return;
	int r = netns_port_remove(op->self->env.tree, id, port->handle);
	if (r < 0)
		problem_set(&op->problem, r, "port %s: cannot be removed: %s", port->name, strerror(-r));
	netns_op_end_with(op, r);
}

/* --- running --- */

static void freeze(void *arg, unsigned id, bool frozen, domain_done_fn *done, void *done_arg)
{
	struct netns_op *op = netns_op_begin_ready(arg, id, done, done_arg);

	if (!op)
		return;
	int r = cgroups_freeze(op->self->cgroups, id, frozen);
	failpoint("frozen");
	if (r == 0)
		r = netns_ports_pause(op->self->env.tree, id, frozen);
	if (r < 0)
		problem_set(&op->problem, r, "cannot be %s: %s", frozen ? "paused" : "resumed", strerror(-r));
	netns_op_end_with(op, r);
}

static void netns_pause(void *arg, unsigned id, domain_done_fn *done, void *done_arg)
{
	freeze(arg, id, true, done, done_arg);
}

static void netns_unpause(void *arg, unsigned id, domain_done_fn *done, void *done_arg)
{
	freeze(arg, id, false, done, done_arg);
}

static int ask_to_end(struct netns_domain *domain, bool reboot, struct problem *problem)
{
	if (cgroups_frozen(domain->self->cgroups, domain->record.id))
		return problem_set(problem, -EBUSY, "is paused and cannot hear; unpause it first, or destroy it");
	domain->record.asked = reboot ? ASKED_REBOOT : ASKED_POWEROFF;
	int r = netns_save(domain, problem);
	if (r < 0)
		return r;
	r = pid1_signal(domain->pidfd, SIGTERM);
	return r < 0 ? problem_set(problem, r, "SIGTERM cannot be sent: %s", strerror(-r)) : 0;
}

static void netns_shutdown(void *arg, unsigned id, bool reboot, domain_done_fn *done, void *done_arg)
{
	struct netns_op *op = netns_op_begin_ready(arg, id, done, done_arg);

	if (op)
		netns_op_end_with(op, ask_to_end(op->domain, reboot, &op->problem));
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

static int tune(struct netns_domain *domain, const struct router_config *config, unsigned which, struct problem *problem)
{
	if (which & TUNE_POOL && *config->pool)
		return problem_set(problem, -ENOTSUP, "pool: container routers have no CPU pools; use cpus");
	int r = cgroups_set(domain->self->cgroups, domain->record.id, config, knobs_of(which), problem);
	if (r < 0 || !(which & TUNE_VCPUS))
		return r;
	domain->record.vcpus = config->vcpus;
	return netns_save(domain, problem);
}

static void netns_set(void *arg, unsigned id, const struct router_config *config, unsigned which, domain_done_fn *done,
		      void *done_arg)
{
	struct netns_op *op = netns_op_begin_ready(arg, id, done, done_arg);

	if (op)
		netns_op_end_with(op, tune(op->domain, config, which, &op->problem));
}

/* --- looking --- */

static void fill_usage(const struct netns_domain *domain, struct domain_info *info)
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

static void fill_info(const struct netns_domain *domain, struct domain_info *info)
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

	for (struct netns_domain *domain = self->domains; domain; domain = domain->next)
		n++;
	struct domain_info *infos = calloc(n + 1, sizeof *infos);
	if (!infos)
		return problem_set(problem, -ENOMEM, "driver netns: no memory");
	*n_out = n;
	*infos_out = infos;
	for (struct netns_domain *domain = self->domains; domain; domain = domain->next)
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
	const struct netns_domain *domain = netns_find(arg, id);
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
	for (struct netns_domain *domain = self->domains; domain; domain = domain->next) {
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
static void roll_back(struct netns_domain *domain)
{
	struct pollfd end = { .fd = domain->pidfd, .events = POLLIN };
	struct problem problem;
	int r;

	netns_kill(domain);
	for (long long limit = now_ms() + END_LIMIT_MS; end.fd >= 0 && now_ms() < limit;)
		if (poll(&end, 1, limit - now_ms()) > 0)
			break;
	netns_forget_pid1(domain);
	for (int i = 0; (r = netns_sweep(domain, &problem)) == -EBUSY && i < SWEEPS_MAX; i++)
		usleep(SWEEP_PAUSE_MS * 1000);
	if (r < 0) {
		log_error("router %s: domain %u was left half made: %s", domain->record.name, domain->record.id, problem.text);
		return;
	}
	log_info("router %s: domain %u was left half made and is cleared away", domain->record.name, domain->record.id);
	netns_domain_free(domain);
}

static int adopt(struct netns *self, unsigned id, struct problem *problem)
{
	struct netns_record record = { .id = id, .name = "?" };
	int r = netns_record_read(self->run_dir, id, &record);

	if (r < 0 && r != -ENOENT)
		log_warn("domain %u: its record cannot be read: %s", id, strerror(-r));
	struct netns_domain *domain = netns_domain_new(self, &record, record.ready ? READY : DYING);
	if (!domain)
		return problem_set(problem, -ENOMEM, "driver netns: no memory");
	r = pid1_find(&record.pid1, &domain->pidfd);
	if (r < 0 && r != -ESRCH)
		log_warn("router %s: process %d: %s", record.name, record.pid1.pid, strerror(-r));
	if (record.ready) {
		r = netns_ports_pause(self->env.tree, id, cgroups_frozen(self->cgroups, id)); /* a kill may have come in between */
		return r < 0 ? problem_set(problem, r, "router %s: its ports: %s", record.name, strerror(-r)) :
			       netns_watch_pid1(domain, problem);
	}
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
		netns_op_free(self->ops);
	while (self->domains)
		netns_domain_free(self->domains);
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
	int r = tree_watch(self->env.tree, NETNS_ANSWERS, netns_answers_changed, self, &self->answers);

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
