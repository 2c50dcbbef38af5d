/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor driver for libvirt. Routers are transient domains: they are gone when they end.
 *
 *     loop: op ---- virt_worker_submit ---> worker thread: blocking libvirt calls ---> loop: done
 *     libvirt's event thread: lifecycle ---- virt_worker_post -----------------------> loop: event
 *
 * A domain that has powered off no longer exists for libvirt, yet the manager destroys what it was told of: its record
 * here stays, marked as ended, until then. Ports on segments are taps of which driverdomd is told through the tree.
 *
 * Not here (NULL): save, restore, set, ports at run time, VFs. A guest reads its addresses from XenStore, which only
 * Xen gives it.
 */
#include <errno.h>
#include <event2/event.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/utsname.h>

#include "libvnet/base/log.h"
#include "xebra/domain.h"
#include "xebra/net-tree.h"
#include "xebra/virt-worker.h"
#include "xebra/virt-xml.h"

DEFINE_AUTO(virDomainPtr, virDomainFree)

enum { KEEPALIVE_SECONDS = 5, KEEPALIVE_COUNT = 6, DOM0 = 0 };

/* A domain that runs, or has ended and waits for its destroy. */
struct record {
	LIST_ENTRY(record) all;
	unsigned id; /* 0 while it is being made */
	char uuid[UUID_TEXT_SIZE];
	bool ended;       /* told, or to be told when it is made */
	bool is_our_end;  /* a destroy of ours runs: no news */
	enum domain_event end;
	char *xml; /* for the names of its taps */
};

struct virt {
	struct domain_env env;
	virConnectPtr connection;
	struct virt_worker *worker;
	struct virt_host host;
	struct utsname machine;
	LIST_HEAD(, record) records;
	int lifecycle; /* callback, -1: none */
	pthread_t event_thread;
	bool has_event_thread;
	int event_timer;
	atomic_bool is_ending;
};

struct op {
	struct virt *virt;
	struct record *record; /* create: the new one */
	unsigned id;
	bool reboot;
	char name[ROUTER_NAME_SIZE], uuid[UUID_TEXT_SIZE], *xml;
	struct problem problem;
	domain_done_fn *done;
	void *arg;
};

/* --- libvirt's errors --- */

static int code_of(int error)
{
	static const struct {
		int error, code;
	} codes[] = {
		{ VIR_ERR_NO_DOMAIN, -ENOENT },		   { VIR_ERR_NO_MEMORY, -ENOMEM },
		{ VIR_ERR_DOM_EXIST, -EEXIST },		   { VIR_ERR_OPERATION_INVALID, -EBUSY },
		{ VIR_ERR_INVALID_ARG, -EINVAL },	   { VIR_ERR_XML_ERROR, -EINVAL },
		{ VIR_ERR_XML_DETAIL, -EINVAL },	   { VIR_ERR_NO_SUPPORT, -ENOTSUP },
		{ VIR_ERR_CONFIG_UNSUPPORTED, -ENOTSUP },  { VIR_ERR_ARGUMENT_UNSUPPORTED, -ENOTSUP },
		{ VIR_ERR_OPERATION_UNSUPPORTED, -ENOTSUP }, { VIR_ERR_AUTH_FAILED, -EACCES },
		{ VIR_ERR_AUTH_CANCELLED, -EACCES },	   { VIR_ERR_ACCESS_DENIED, -EACCES },
		{ VIR_ERR_OPERATION_TIMEOUT, -ETIMEDOUT }, { VIR_ERR_NO_CONNECT, -ENODEV },
		{ VIR_ERR_AGENT_UNRESPONSIVE, -ETIMEDOUT },
	};

	for (size_t i = 0; i < N_ELEMENTS(codes); i++)
		if (codes[i].error == error)
			return codes[i].code;
	return -EIO;
}

/* Of the last call in this thread. */
static int virt_problem(struct problem *problem, const char *name, const char *step)
{
	virErrorPtr error = virGetLastError();

	return problem_set(problem, code_of(error ? error->code : 0), "%s: %s: %s", name, step,
			   error && error->message ? error->message : "no reason given; see the log of libvirtd");
}

static void keep_quiet(void *arg, virErrorPtr error)
{
	(void)arg;
	(void)error; /* every error is told as a problem */
}

/* --- records --- */

static struct record *record_new(struct virt *virt, unsigned id, const char *uuid, const char *xml)
{
	struct record *record = calloc(1, sizeof *record);

	if (!record || !(record->xml = strdup(xml)))
		abort();
	record->id = id;
	snprintf(record->uuid, sizeof record->uuid, "%s", uuid);
	LIST_INSERT_HEAD(&virt->records, record, all);
	return record;
}

static struct record *record_of(struct virt *virt, const char *uuid)
{
	struct record *record, *found = NULL;

	LIST_FOREACH(record, &virt->records, all)
		if (strcasecmp(record->uuid, uuid) == 0 && (!found || !record->ended))
			found = record;
	return found;
}

static struct record *record_of_id(struct virt *virt, unsigned id)
{
	struct record *record;

	LIST_FOREACH(record, &virt->records, all)
		if (record->id == id)
			return record;
	return NULL;
}

static void record_free(struct record *record)
{
	LIST_REMOVE(record, all);
	free(record->xml);
	free(record);
}

/* driverdomd forgets the taps: "<target dev='xr01234567.0'" in our XML and in libvirt's. */
static void forget_taps(struct virt *virt, const char *xml)
{
	static const char START[] = "<target dev='xr";
	char tap[PORT_NAME_SIZE];

	for (const char *at = xml; virt->env.tree && (at = strstr(at, START)); at += sizeof START)
		if (sscanf(at, "<target dev='%15[^'/]", tap) == 1)
			net_tree_port_remove(virt->env.tree, DOM0, tap);
}

static int tell_taps(struct virt *virt, const struct router_config *config, struct problem *problem)
{
	char tap[PORT_NAME_SIZE];
	int r = 0;

	for (size_t i = 0; virt->env.tree && i < config->n_ports && r == 0; i++) {
		const struct router_port *port = &config->ports[i];
		virt_tap_name(config, port, tap);
		if (port->kind == PORT_SEGMENT)
			r = net_tree_port(virt->env.tree, DOM0, tap, port->segment, port->mac);
	}
	return r == 0 ? 0 : problem_set(problem, r, "%s: its ports cannot be written to the tree: %s", config->name,
					strerror(-r));
}

/* --- events --- */

struct note {
	struct virt *virt;
	char uuid[UUID_TEXT_SIZE];
	enum domain_event event;
};

static void tell(struct record *record, struct virt *virt)
{
	char uuid[UUID_TEXT_SIZE];
	unsigned id = record->id;
	enum domain_event end = record->end;

	memcpy(uuid, record->uuid, sizeof uuid);
	forget_taps(virt, record->xml);
	if (end == DOMAIN_GONE)
		record_free(record);
	virt->env.event(virt->env.arg, id, uuid, end);
}

static void note_arrived(void *arg)
{
	AUTO(free) struct note *note = arg;
	struct record *record = note->virt->is_ending ? NULL : record_of(note->virt, note->uuid);

	if (!record || record->ended || record->is_our_end)
		return;
	record->ended = true;
	record->end = note->event;
	if (record->id)
		tell(record, note->virt);
}

static void post_note(struct virt *virt, virDomainPtr domain, enum domain_event event)
{
	struct note *note = calloc(1, sizeof *note);

	if (!note)
		abort();
	note->virt = virt;
	note->event = event;
	virDomainGetUUIDString(domain, note->uuid);
	virt_worker_post(virt->worker, note_arrived, note);
}

/* In libvirt's event thread. */
static int lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *arg)
{
	(void)connection;
	if (event == VIR_DOMAIN_EVENT_CRASHED)
		post_note(arg, domain, DOMAIN_CRASH);
	if (event != VIR_DOMAIN_EVENT_STOPPED)
		return 0;
	if (detail == VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN)
		post_note(arg, domain, DOMAIN_POWEROFF);
	else if (detail == VIR_DOMAIN_EVENT_STOPPED_CRASHED || detail == VIR_DOMAIN_EVENT_STOPPED_FAILED)
		post_note(arg, domain, DOMAIN_CRASH);
	else
		post_note(arg, domain, DOMAIN_GONE);
	return 0;
}

static void connection_lost(virConnectPtr connection, int reason, void *arg)
{
	(void)connection;
	(void)arg;
	if (reason != VIR_CONNECT_CLOSE_REASON_CLIENT)
		log_error("libvirt: the connection is lost; restart xebrad, routers run on");
}

static void tick(int timer, void *arg)
{
	(void)timer;
	(void)arg; /* only wakes the thread */
}

static void *run_events(void *arg)
{
	struct virt *virt = arg;

	while (!virt->is_ending && virEventRunDefaultImpl() == 0)
		;
	return NULL;
}

static int start_event_thread(struct virt *virt)
{
	sigset_t all, before;

	virt->event_timer = virEventAddTimeout(-1, tick, NULL, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&virt->event_thread, NULL, run_events, virt);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	virt->has_event_thread = error == 0;
	return -error;
}

/* --- open and close --- */

static void choose_type(struct virt *virt)
{
	const char *given = getenv("XEBRA_VIRT_TYPE"); /* e.g. qemu where KVM is offered but does not work */
	const char *driver = virConnectGetType(virt->connection);
	AUTO(free) char *capabilities = virConnectGetCapabilities(virt->connection);

	uname(&virt->machine);
	virt->host.arch = virt->machine.machine;
	virt->host.image_dir = virt->env.image_dir;
	if (given && *given)
		virt->host.type = given;
	else if (driver && strcasecmp(driver, "test") == 0)
		virt->host.type = "test";
	else if (driver && strcasecmp(driver, "xen") == 0)
		virt->host.type = "xen";
	else
		virt->host.type = capabilities && strstr(capabilities, "<domain type='kvm'") ? "kvm" : "qemu";
	if (strcmp(virt->host.type, "test") == 0)
		virt->host.arch = "i686"; /* the test driver's only one */
}

static void adopt_all(struct virt *virt)
{
	virDomainPtr *domains = NULL;
	char uuid[UUID_TEXT_SIZE];
	int n = virConnectListAllDomains(virt->connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);

	for (int i = 0; i < n; i++) {
		AUTO(free) char *xml = virDomainGetXMLDesc(domains[i], 0);
		virDomainGetUUIDString(domains[i], uuid);
		record_new(virt, virDomainGetID(domains[i]), uuid, xml ? xml : "");
		virDomainFree(domains[i]);
	}
	free(domains);
}

static void virt_close(void *self)
{
	struct virt *virt = self;

	if (!virt)
		return;
	virt->is_ending = true;
	if (virt->lifecycle >= 0)
		virConnectDomainEventDeregisterAny(virt->connection, virt->lifecycle);
	if (virt->has_event_thread) {
		virEventUpdateTimeout(virt->event_timer, 0);
		pthread_join(virt->event_thread, NULL);
		virEventRemoveTimeout(virt->event_timer);
	}
	virt_worker_stop(virt->worker);
	while (!LIST_EMPTY(&virt->records))
		record_free(LIST_FIRST(&virt->records));
	if (virt->connection) {
		virConnectUnregisterCloseCallback(virt->connection, connection_lost);
		virConnectClose(virt->connection);
	}
	free(virt);
}
DEFINE_AUTO(struct virt *, virt_close)

static int virt_open(const struct domain_env *env, void **self_out, struct problem *problem)
{
	static bool has_events; /* once in a process */
	const char *uri = env->uri && *env->uri ? env->uri : "qemu:///system";
	AUTO(virt_close) struct virt *virt = calloc(1, sizeof *virt);

	if (!virt)
		return problem_set(problem, -ENOMEM, "virt: no memory");
	virt->env = *env;
	virt->lifecycle = -1;
	virSetErrorFunc(NULL, keep_quiet);
	if (!has_events && virEventRegisterDefaultImpl() < 0)
		return virt_problem(problem, "virt", "virEventRegisterDefaultImpl");
	has_events = true;
	virt->connection = virConnectOpen(uri);
	if (!virt->connection) {
		virt_problem(problem, "virt", uri);
		problem->code = problem->code == -EACCES ? -EACCES : -ENODEV;
		return problem->code;
	}
	int r = virt_worker_start(env->loop, &virt->worker);
	if (r == 0)
		r = start_event_thread(virt);
	if (r < 0)
		return problem_set(problem, r, "virt: %s", strerror(-r));
	virConnectRegisterCloseCallback(virt->connection, connection_lost, NULL, NULL);
	virConnectSetKeepAlive(virt->connection, KEEPALIVE_SECONDS, KEEPALIVE_COUNT); /* a local driver has none */
	virt->lifecycle = virConnectDomainEventRegisterAny(virt->connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
							   VIR_DOMAIN_EVENT_CALLBACK(lifecycle), virt, NULL);
	if (virt->lifecycle < 0)
		return virt_problem(problem, "virt", "virConnectDomainEventRegisterAny");
	choose_type(virt);
	adopt_all(virt);
	*self_out = take(virt);
	return 0;
}

/* --- list and host: short calls, made at once --- */

static void info_of(virDomainPtr domain, struct domain_info *to)
{
	virDomainInfo from = { .state = VIR_DOMAIN_NOSTATE };

	virDomainGetInfo(domain, &from);
	*to = (struct domain_info){
		.id = virDomainGetID(domain),
		.paused = from.state == VIR_DOMAIN_PAUSED,
		.shutdown = from.state == VIR_DOMAIN_SHUTDOWN || from.state == VIR_DOMAIN_SHUTOFF,
		.crashed = from.state == VIR_DOMAIN_CRASHED,
		.vcpus = from.nrVirtCpu,
		.memory_kib = from.memory,
		.cpu_time_ns = from.cpuTime,
	};
	virDomainGetUUIDString(domain, to->uuid);
	snprintf(to->name, sizeof to->name, "%s", virDomainGetName(domain));
}

static int virt_list(void *self, struct domain_info **infos_out, size_t *n_out, struct problem *problem)
{
	struct virt *virt = self;
	virDomainPtr *domains = NULL;
	int n = virConnectListAllDomains(virt->connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);

	if (n < 0)
		return virt_problem(problem, "virt", "virConnectListAllDomains");
	struct domain_info *infos = calloc(n + 1, sizeof *infos);
	for (int i = 0; i < n; i++) {
		if (infos)
			info_of(domains[i], &infos[i]);
		virDomainFree(domains[i]);
	}
	free(domains);
	if (!infos)
		return problem_set(problem, -ENOMEM, "virt: no memory");
	*infos_out = infos;
	*n_out = n;
	return 0;
}

static int virt_host(void *self, json_t **json_out, struct problem *problem)
{
	struct virt *virt = self;
	virNodeInfo node;
	unsigned long version = 0;
	char text[96];

	if (virNodeGetInfo(virt->connection, &node) < 0)
		return virt_problem(problem, "virt", "virNodeGetInfo");
	virConnectGetVersion(virt->connection, &version);
	snprintf(text, sizeof text, "%s (%s) %lu.%lu.%lu", virConnectGetType(virt->connection), virt->host.type,
		 version / 1000000, version / 1000 % 1000, version % 1000);
	AUTO(free) char *capabilities = virConnectGetCapabilities(virt->connection);
	*json_out = json_pack("{s:s, s:s, s:I, s:I, s:I, s:b, s:b, s:[]}", "driver", "virt", "version", text, "cpus",
			      (json_int_t)node.cpus, "memory_mib", (json_int_t)(node.memory >> 10), "memory_free_mib",
			      (json_int_t)(virNodeGetFreeMemory(virt->connection) >> 20), "hap",
			      strcmp(virt->host.type, "kvm") == 0, "iommu",
			      capabilities && strstr(capabilities, "<iommu support='yes'"), "vfs");
	return *json_out ? 0 : problem_set(problem, -ENOMEM, "virt: no memory");
}

/* --- operations: NAME_run in the thread, then the end in the loop --- */

static struct op *op_new(struct virt *virt, unsigned id, domain_done_fn *done, void *arg)
{
	struct op *op = calloc(1, sizeof *op);

	if (!op)
		abort();
	op->virt = virt;
	op->id = id;
	op->done = done;
	op->arg = arg;
	snprintf(op->name, sizeof op->name, "domain %u", id);
	if (virt->is_ending)
		problem_set(&op->problem, -ECANCELED, "%s: xebrad is closing", op->name);
	return op;
}

static void op_end(void *arg)
{
	struct op *op = arg;

	op->done(op->arg, op->id, &op->problem);
	free(op->xml);
	free(op);
}

static void nothing_run(void *arg)
{
	(void)arg;
}

static void op_submit(struct op *op, virt_worker_fn *run, virt_worker_fn *end)
{
	virt_worker_submit(op->virt->worker, op->problem.code ? nothing_run : run, end, op);
}

/* NULL: op->problem is set. */
static virDomainPtr look_up(struct op *op)
{
	virDomainPtr domain = virDomainLookupByID(op->virt->connection, op->id);

	if (domain)
		snprintf(op->name, sizeof op->name, "%s", virDomainGetName(domain));
	else
		virt_problem(&op->problem, op->name, "virDomainLookupByID");
	return domain;
}

static bool is_paused(virDomainPtr domain)
{
	int state, reason;

	return virDomainGetState(domain, &state, &reason, 0) == 0 && state == VIR_DOMAIN_PAUSED;
}

/* create */

static int check_free(struct op *op)
{
	AUTO(virDomainFree) virDomainPtr by_name = virDomainLookupByName(op->virt->connection, op->name);
	AUTO(virDomainFree) virDomainPtr by_uuid = virDomainLookupByUUIDString(op->virt->connection, op->uuid);

	if (by_name)
		return problem_set(&op->problem, -EEXIST, "%s: a domain has this name; choose another or destroy it first", op->name);
	if (by_uuid)
		return problem_set(&op->problem, -EEXIST, "%s: domain %s has its UUID; destroy it first", op->name,
				   virDomainGetName(by_uuid));
	return 0;
}

static void create_run(void *arg)
{
	struct op *op = arg;

	if (check_free(op) < 0)
		return;
	AUTO(virDomainFree) virDomainPtr domain =
		virDomainCreateXML(op->virt->connection, op->xml, VIR_DOMAIN_START_PAUSED);
	if (!domain && virGetLastErrorCode() == VIR_ERR_INVALID_ARG) /* a driver that cannot start it paused */
		domain = virDomainCreateXML(op->virt->connection, op->xml, 0);
	if (!domain) {
		virt_problem(&op->problem, op->name, "virDomainCreateXML");
		return;
	}
	op->id = virDomainGetID(domain);
	if (!is_paused(domain) && virDomainSuspend(domain) < 0) {
		virt_problem(&op->problem, op->name, "virDomainSuspend");
		virDomainDestroy(domain);
	}
}

static void create_end(void *arg)
{
	struct op *op = arg;
	struct virt *virt = op->virt;
	struct record *record = op->record;
	bool failed = op->problem.code != 0;

	if (record && failed) {
		forget_taps(virt, record->xml);
		record_free(record);
	} else if (record) {
		record->id = op->id;
	}
	op_end(op);
	if (record && !failed && record_of_id(virt, record->id) == record && record->ended)
		tell(record, virt); /* it ended before it was known as made */
}

static int check_file(const struct router_config *config, const struct virt_host *host, const char *given,
		      const char *file, struct problem *problem)
{
	char path[512];
	bool from_image = !given || !*given;

	if (from_image)
		snprintf(path, sizeof path, "%s/%s/%s", host->image_dir, config->image, file);
	else
		snprintf(path, sizeof path, "%s", given);
	if (access(path, R_OK) == 0)
		return 0;
	return problem_set(problem, -errno, "%s: %s: %s%s%s", config->name, path, strerror(errno),
			   from_image ? "; make the image with: xebra-mkimage " : "", from_image ? config->image : "");
}

static int check_files(const struct router_config *config, const struct virt_host *host, struct problem *problem)
{
	bool own_kernel = config->kernel && *config->kernel;

	if (strcmp(host->type, "test") == 0)
		return 0; /* boots nothing */
	int r = check_file(config, host, config->kernel, "kernel", problem);
	if (r == 0 && (!own_kernel || (config->ramdisk && *config->ramdisk)))
		r = check_file(config, host, config->ramdisk, "initramfs", problem);
	return r;
}

static void virt_create(void *self, const struct router_config *config, domain_done_fn *done, void *arg)
{
	struct virt *virt = self;
	struct op *op = op_new(virt, 0, done, arg);

	snprintf(op->name, sizeof op->name, "%s", config->name);
	snprintf(op->uuid, sizeof op->uuid, "%s", config->uuid);
	if (!op->problem.code && check_files(config, &virt->host, &op->problem) == 0 &&
	    virt_xml(config, &virt->host, &op->xml, &op->problem) == 0 && tell_taps(virt, config, &op->problem) == 0)
		op->record = record_new(virt, 0, config->uuid, op->xml);
	op_submit(op, create_run, create_end);
}

/* unpause, pause, shutdown: a call each */

static void call(struct op *op, int (*function)(virDomainPtr domain), const char *step)
{
	AUTO(virDomainFree) virDomainPtr domain = look_up(op);

	if (domain && function(domain) < 0)
		virt_problem(&op->problem, op->name, step);
}

static int resume_if_paused(virDomainPtr domain)
{
	return is_paused(domain) ? virDomainResume(domain) : 0;
}

static int suspend_if_running(virDomainPtr domain)
{
	return is_paused(domain) ? 0 : virDomainSuspend(domain);
}

static int reboot(virDomainPtr domain)
{
	return virDomainReboot(domain, 0);
}

static void unpause_run(void *arg)
{
	call(arg, resume_if_paused, "virDomainResume");
}

static void pause_run(void *arg)
{
	call(arg, suspend_if_running, "virDomainSuspend");
}

static void shutdown_run(void *arg)
{
	struct op *op = arg;

	if (op->reboot)
		call(op, reboot, "virDomainReboot");
	else
		call(op, virDomainShutdown, "virDomainShutdown");
}

static void virt_unpause(void *self, unsigned id, domain_done_fn *done, void *arg)
{
	op_submit(op_new(self, id, done, arg), unpause_run, op_end);
}

static void virt_pause(void *self, unsigned id, domain_done_fn *done, void *arg)
{
	op_submit(op_new(self, id, done, arg), pause_run, op_end);
}

static void virt_shutdown(void *self, unsigned id, bool again, domain_done_fn *done, void *arg)
{
	struct op *op = op_new(self, id, done, arg);

	op->reboot = again;
	op_submit(op, shutdown_run, op_end);
}

/* destroy */

static void destroy_run(void *arg)
{
	call(arg, virDomainDestroy, "virDomainDestroy");
}

static void destroy_end(void *arg)
{
	struct op *op = arg;
	struct record *record = record_of_id(op->virt, op->id);

	if (record && record->ended && op->problem.code == -ENOENT)
		op->problem.code = 0; /* it went while we were about to */
	if (record && op->problem.code == 0) {
		forget_taps(op->virt, record->xml);
		record_free(record);
	} else if (record) {
		record->is_our_end = false;
	}
	op_end(op);
}

static void virt_destroy(void *self, unsigned id, domain_done_fn *done, void *arg)
{
	struct op *op = op_new(self, id, done, arg);
	struct record *record = record_of_id(self, id);
	bool is_over = record && record->ended;

	if (record)
		record->is_our_end = true;
	op_submit(op, is_over ? nothing_run : destroy_run, destroy_end);
}

/* --- console --- */

static int virt_console(void *self, unsigned id, char ***argv_out, struct problem *problem)
{
	struct virt *virt = self;
	AUTO(free) char *uri = virConnectGetURI(virt->connection);
	char number[16];
	const char *words[] = { "virsh", "-c", uri ? uri : "", "console", number };
	char **argv = calloc(N_ELEMENTS(words) + 1, sizeof *argv);

	if (!argv)
		return problem_set(problem, -ENOMEM, "domain %u: no memory", id);
	snprintf(number, sizeof number, "%u", id);
	for (size_t i = 0; i < N_ELEMENTS(words); i++)
		argv[i] = strdup(words[i]);
	*argv_out = argv;
	return 0;
}

const struct domain_ops domain_virt = {
	.name = "virt",
	.open = virt_open,
	.close = virt_close,
	.list = virt_list,
	.host = virt_host,
	.create = virt_create,
	.unpause = virt_unpause,
	.destroy = virt_destroy,
	.pause = virt_pause,
	.shutdown = virt_shutdown,
	.console = virt_console,
};
