/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor driver for Xen, and the only caller of libxl: with the xl-* modules beside it.
 *
 *     manager ---- ops ---> domain-xl.c ----- libxl_*(..., how) -----> libxl
 *        ^                    |  xl-config: router_config -> libxl_domain_config        | fds, timeouts, SIGCHLD
 *        |                    |  xl-tune, xl-save, xl-vf, xl-log: parts                 v
 *        +-- done, event -- xl-op: the queue that the loop runs <-- callbacks --- xl-loop -> libevent
 *
 * The domains are ordinary xl domains: libxl keeps the record that `xl list -l` prints, and `xl pause`, `xl console` or
 * `xl destroy` work on them; what others do to them comes back as events.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "libvnet/base/log.h"
#include "libvnet/base/tree.h"
#include "xebra/xl-op.h"
#include "xebra/xl-save.h"
#include "xebra/xl-tune.h"
#include "xebra/xl-vf.h"

static const char SYSFS[] = "/sys";
static const char PCIBACK[] = "/sys/bus/pci/drivers/pciback";
static const char VIF_XEBRA[] = "/etc/xen/scripts/vif-xebra";

enum { KIB_PER_MIB = 1024, DOM0 = 0 };

/* --- open and close --- */

static int check_xen(struct problem *problem)
{
	static const char PRIVCMD[] = "/dev/xen/privcmd";

	if (access(PRIVCMD, F_OK) < 0 && access("/proc/xen/privcmd", F_OK) < 0)
		return problem_set(problem, -ENODEV, "xl: %s is missing, so this is no Xen Dom0; boot Xen, or use another driver",
				   PRIVCMD);
	if (access(PRIVCMD, R_OK | W_OK) < 0 && errno == EACCES)
		return problem_set(problem, -EACCES, "xl: %s may not be opened; run as root", PRIVCMD);
	return 0;
}

static int read_host(struct xl *xl)
{
	libxl_physinfo info;

	libxl_physinfo_init(&info);
	int error = libxl_get_physinfo(xl->ctx, &info);
	xl->host = (struct xl_host){
		.hap = info.cap_hap,
		.iommu = info.cap_hvm_directio,
		.n_cpus = info.nr_cpus,
		.image_dir = xl->env.image_dir,
	};
	libxl_physinfo_dispose(&info);
	return error;
}

/* All that run: the manager knows which are its own. */
static int watch_all(struct xl *xl)
{
	int n, error = 0;
	libxl_dominfo *infos = libxl_list_domain(xl->ctx, &n);

	if (!infos)
		return ERROR_FAIL;
	for (int i = 0; i < n && !error; i++)
		if (infos[i].domid != DOM0)
			error = xl_watch(xl, infos[i].domid);
	libxl_dominfo_list_free(infos, n);
	return error;
}

static void xl_close(void *self)
{
	struct xl *xl = self;

	if (!xl)
		return;
	bool ended = !xl->wake || xl_events_stop(xl);
	if (ended && xl->ctx)
		libxl_ctx_free(xl->ctx);
	else if (xl->ctx)
		log_warn("libxl: an operation does not end; its context is left behind");
	xl_loop_leave(xl->loop);
	if (ended) {
		xl_log_free(xl->log);
		free(xl);
	}
}
DEFINE_AUTO(struct xl *, xl_close)

static int xl_open(const struct domain_env *env, void **self_out, struct problem *problem)
{
	AUTO(xl_close) struct xl *xl = calloc(1, sizeof *xl);
	int r, error;

	if (!xl || !(xl->log = xl_log_new()))
		return problem_set(problem, -ENOMEM, "xl: no memory");
	xl->env = *env;
	if ((r = check_xen(problem)) < 0)
		return r;
	if ((error = libxl_ctx_alloc(&xl->ctx, LIBXL_VERSION, 0, xl_log_logger(xl->log))))
		return xl_problem(problem, xl->log, 0, XL_LOG_ANY_DOMAIN, "xl", "libxl_ctx_alloc", error);
	if ((r = xl_loop_join(xl->ctx, env->loop, &xl->loop)) < 0 || (r = xl_events_start(xl)) < 0)
		return problem_set(problem, r, "xl: %s", strerror(-r));
	if ((error = read_host(xl)))
		return xl_problem(problem, xl->log, 0, XL_LOG_ANY_DOMAIN, "xl", "libxl_get_physinfo", error);
	if ((error = watch_all(xl)))
		return xl_problem(problem, xl->log, 0, XL_LOG_ANY_DOMAIN, "xl", "libxl_evenable_domain_death", error);
	*self_out = take(xl);
	return 0;
}

/* --- list --- */

static void info_of(struct xl *xl, const libxl_dominfo *from, struct domain_info *to)
{
	AUTO(free) char *name = libxl_domid_to_name(xl->ctx, from->domid);

	*to = (struct domain_info){
		.id = from->domid,
		.paused = from->paused,
		.shutdown = from->shutdown,
		.crashed = from->shutdown && from->shutdown_reason == LIBXL_SHUTDOWN_REASON_CRASH,
		.dying = from->dying,
		.vcpus = from->vcpu_online,
		.memory_kib = from->current_memkb + from->outstanding_memkb,
		.cpu_time_ns = from->cpu_time,
	};
	snprintf(to->name, sizeof to->name, "%s", name ? name : "");
	xl_uuid_text(&from->uuid, to->uuid);
}

static int xl_list(void *self, struct domain_info **infos_out, size_t *n_out, struct problem *problem)
{
	struct xl *xl = self;
	unsigned long mark = xl_log_mark(xl->log);
	int n;
	libxl_dominfo *from = libxl_list_domain(xl->ctx, &n);

	if (!from)
		return xl_problem(problem, xl->log, mark, XL_LOG_ANY_DOMAIN, "xl", "libxl_list_domain", ERROR_FAIL);
	struct domain_info *infos = calloc(n + 1, sizeof *infos);
	for (int i = 0; infos && i < n; i++)
		info_of(xl, &from[i], &infos[i]);
	libxl_dominfo_list_free(from, n);
	if (!infos)
		return problem_set(problem, -ENOMEM, "xl: no memory for a list of %d domains", n);
	*infos_out = infos;
	*n_out = n;
	return 0;
}

/* --- host --- */

static bool same_pci(const libxl_device_pci *a, const libxl_device_pci *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->dev == b->dev && a->func == b->func;
}

static bool domain_has_pci(struct xl *xl, uint32_t id, const libxl_device_pci *pci)
{
	bool found = false;
	int n = 0;
	libxl_device_pci *list = libxl_device_pci_list(xl->ctx, id, &n);

	for (int i = 0; list && i < n; i++)
		found |= same_pci(&list[i], pci);
	if (list)
		libxl_device_pci_list_free(list, n);
	return found;
}

/* Name of the domain that has the VF (malloc), or NULL. */
static char *vf_owner(struct xl *xl, const char *bdf)
{
	libxl_device_pci pci;
	char *owner = NULL;
	int n;

	libxl_device_pci_init(&pci);
	xl_config_pci(bdf, &pci);
	libxl_dominfo *infos = libxl_list_domain(xl->ctx, &n);
	for (int i = 0; infos && i < n && !owner; i++)
		if (infos[i].domid != DOM0 && domain_has_pci(xl, infos[i].domid, &pci))
			owner = libxl_domid_to_name(xl->ctx, infos[i].domid);
	if (infos)
		libxl_dominfo_list_free(infos, n);
	libxl_device_pci_dispose(&pci);
	return owner;
}

static json_t *vfs_json(struct xl *xl)
{
	json_t *json = json_array();
	AUTO(free) struct xl_vf *vfs = NULL;
	size_t n;

	if (xl_vf_list(SYSFS, &vfs, &n) < 0)
		return json;
	for (size_t i = 0; i < n; i++) {
		AUTO(free) char *owner = vf_owner(xl, vfs[i].bdf);
		json_array_append_new(json, json_pack("{s:s, s:s, s:s, s:s?}", "bdf", vfs[i].bdf, "pf", vfs[i].pf, "driver",
						      vfs[i].driver, "owner", owner));
	}
	return json;
}

static uint64_t free_kib(const libxl_physinfo *info)
{
	uint64_t pages = info->free_pages + info->scrub_pages;

	return (pages > info->outstanding_pages ? pages - info->outstanding_pages : 0) * 4;
}

static int xl_host(void *self, json_t **json_out, struct problem *problem)
{
	struct xl *xl = self;
	unsigned long mark = xl_log_mark(xl->log);
	const libxl_version_info *version = libxl_get_version_info(xl->ctx);
	char text[64] = "?";
	libxl_physinfo info;

	libxl_physinfo_init(&info);
	int error = libxl_get_physinfo(xl->ctx, &info);
	if (error)
		return xl_problem(problem, xl->log, mark, XL_LOG_ANY_DOMAIN, "xl", "libxl_get_physinfo", error);
	if (version)
		snprintf(text, sizeof text, "%d.%d%s", version->xen_version_major, version->xen_version_minor,
			 version->xen_version_extra);
	*json_out = json_pack("{s:s, s:s, s:I, s:I, s:I, s:b, s:b, s:o}", "driver", "xl", "version", text, "cpus",
			      (json_int_t)info.nr_cpus, "memory_mib", (json_int_t)(info.total_pages * 4 / KIB_PER_MIB),
			      "memory_free_mib", (json_int_t)(free_kib(&info) / KIB_PER_MIB), "hap", info.cap_hap, "iommu",
			      info.cap_hvm_directio, "vfs", vfs_json(xl));
	libxl_physinfo_dispose(&info);
	return *json_out ? 0 : problem_set(problem, -ENOMEM, "xl: no memory");
}

/* --- create: check, build paused, watch --- */

static int check_open(struct xl *xl, const char *name, struct problem *problem)
{
	if (xl->broken)
		return problem_set(problem, -EIO, "%s: libxl has lost its events; restart xebrad, routers run on", name);
	if (xl->closing)
		return problem_set(problem, -ECANCELED, "%s: xebrad is closing", name);
	return 0;
}

static int check_identity(struct xl *xl, const struct router_config *config, struct problem *problem)
{
	char uuid[UUID_TEXT_SIZE];
	uint32_t id;
	int n, r = 0;

	if (libxl_name_to_domid(xl->ctx, config->name, &id) == 0)
		return problem_set(problem, -EEXIST, "%s: domain %u has this name; choose another or destroy it first",
				   config->name, id);
	libxl_dominfo *infos = libxl_list_domain(xl->ctx, &n);
	for (int i = 0; infos && i < n && r == 0; i++) {
		xl_uuid_text(&infos[i].uuid, uuid);
		if (strcasecmp(uuid, config->uuid) == 0)
			r = problem_set(problem, -EEXIST, "%s: domain %u has its UUID %s; destroy it first", config->name,
					infos[i].domid, uuid);
	}
	if (infos)
		libxl_dominfo_list_free(infos, n);
	return r;
}

static int check_file(const struct router_config *config, const char *path, const char *given,
		      struct problem *problem)
{
	bool from_image = !given || !*given;

	if (!path || access(path, R_OK) == 0)
		return 0;
	return problem_set(problem, -errno, "%s: %s: %s%s%s", config->name, path, strerror(errno),
			   from_image ? "; make the image with: xebra-mkimage " : "", from_image ? config->image : "");
}

static int check_port(struct xl *xl, const struct router_config *config, const struct router_port *port,
		      struct problem *problem)
{
	uint32_t id;

	if (port->kind == PORT_VF)
		return 0;
	if (*port->backend && libxl_name_to_domid(xl->ctx, port->backend, &id) != 0)
		return problem_set(problem, -ENOENT, "%s: port %s: its back end domain %s is not there; start it first",
				   config->name, port->name, port->backend);
	if (!*port->backend && port->kind == PORT_SEGMENT && access(VIF_XEBRA, X_OK) < 0)
		return problem_set(problem, -ENOENT, "%s: port %s: %s: %s; install xl-plugins", config->name, port->name,
				   VIF_XEBRA, strerror(errno));
	return 0;
}

static int check_pool(struct xl *xl, const struct router_config *config, uint32_t *pool_out, struct problem *problem)
{
	uint32_t pool = 0;

	if (*config->pool && libxl_cpupool_qualifier_to_cpupoolid(xl->ctx, config->pool, &pool, NULL) != 0)
		return problem_set(problem, -ENOENT, "%s: there is no CPU pool %s; see xl cpupool-list", config->name,
				   config->pool);
	*pool_out = pool;
	return 0;
}

/* We do not take memory from Dom0: what Xen has free is all there is. */
static int check_memory(struct xl *xl, const char *name, uint64_t need_kib, struct problem *problem)
{
	libxl_physinfo info;

	libxl_physinfo_init(&info);
	int error = libxl_get_physinfo(xl->ctx, &info);
	uint64_t have_kib = free_kib(&info);
	libxl_physinfo_dispose(&info);
	if (error || need_kib <= have_kib)
		return 0;
	return problem_set(problem, -ENOMEM,
			   "%s: no memory: %lu MiB wanted, %lu MiB free; destroy a router, lower memory or give Dom0 less "
			   "(dom0_mem= at boot)",
			   name, (unsigned long)((need_kib + KIB_PER_MIB - 1) / KIB_PER_MIB),
			   (unsigned long)(have_kib / KIB_PER_MIB));
}

/* Everything that can be refused with a better reason than libxl's. */
static int prepare(struct op *op, const struct router_config *config, bool restore)
{
	struct xl *xl = op->xl;
	struct problem *problem = &op->problem;
	uint64_t need_kib;
	uint32_t pool;
	int r;

	if ((r = check_open(xl, config->name, problem)) < 0 || (r = check_identity(xl, config, problem)) < 0 ||
	    (r = check_pool(xl, config, &pool, problem)) < 0 ||
	    (r = xl_config_fill(config, &xl->host, &op->config, problem)) < 0)
		return r;
	for (size_t i = 0; i < config->n_ports; i++)
		if ((r = check_port(xl, config, &config->ports[i], problem)) < 0)
			return r;
	if (!restore && ((r = check_file(config, op->config.b_info.kernel, config->kernel, problem)) < 0 ||
			 (r = check_file(config, op->config.b_info.ramdisk, config->ramdisk, problem)) < 0))
		return r;
	int error = libxl_domain_need_memory(xl->ctx, &op->config, INVALID_DOMID, &need_kib);
	if (error)
		return xl_problem(problem, xl->log, op->mark, op->id, op->name, "libxl_domain_need_memory", error);
	return check_memory(xl, config->name, need_kib, problem);
}

static void unmade(struct op *op)
{
	if (op->error && op->error != ERROR_DOMAIN_NOTFOUND)
		log_error("%s: domain %u is left half-made; destroy it with: xl destroy %u", op->name, op->id, op->id);
	op->id = XL_LOG_ANY_DOMAIN;
	op_end(op);
}

static void created(struct op *op)
{
	if (!op->error && (op->error = xl_watch(op->xl, op->id)))
		op->step = "libxl_evenable_domain_death";
	if (!op_failed(op)) {
		op_end(op);
		return;
	}
	if (op->id == (uint32_t)INVALID_DOMID) { /* libxl has undone it */
		op_end(op);
		return;
	}
	op_started(op, libxl_domain_destroy(op->xl->ctx, op->id, op_how(op, "libxl_domain_destroy", unmade)));
}

static void xl_create(void *self, const struct router_config *config, domain_done_fn *done, void *arg)
{
	struct xl *xl = self;
	struct op *op = op_new(xl, XL_LOG_ANY_DOMAIN, config->name, done, arg);

	if (prepare(op, config, false) < 0) {
		op_end_later(op);
		return;
	}
	op->id = INVALID_DOMID;
	op_started(op, libxl_domain_create_new(xl->ctx, &op->config, &op->id,
					       op_how(op, "libxl_domain_create_new", created), NULL));
}

/* --- run and end --- */

static struct op *op_on(void *self, unsigned id, domain_done_fn *done, void *arg)
{
	struct op *op = op_new(self, id, NULL, done, arg);

	if (check_open(self, op->name, &op->problem) == 0 &&
	    libxl_domain_info(op->xl->ctx, NULL, id) == ERROR_DOMAIN_NOTFOUND)
		problem_set(&op->problem, -ENOENT, "%s: no such domain; see xl list", op->name);
	return op;
}

static void ended(struct op *op)
{
	op_failed(op);
	op_end(op);
}

/* `info` from libxl_dominfo_init. */
static int info_on(struct op *op, libxl_dominfo *info)
{
	op->step = "libxl_domain_info";
	op->error = libxl_domain_info(op->xl->ctx, info, op->id);
	return op_failed(op);
}

static bool is_suspended(const libxl_dominfo *info)
{
	return info->shutdown && info->shutdown_reason == LIBXL_SHUTDOWN_REASON_SUSPEND;
}

/* Xen refuses to unpause what is not paused. */
static void start_unpause(struct op *op)
{
	libxl_dominfo info;

	libxl_dominfo_init(&info);
	if (info_on(op, &info) < 0 || !info.paused)
		op_end_later(op);
	else
		op_started(op, libxl_domain_unpause(op->xl->ctx, op->id, op_how(op, "libxl_domain_unpause", ended)));
	libxl_dominfo_dispose(&info);
}

/* Reports a shutdown of a domain only once: after a suspend it must be made anew. */
static void watch_again(struct op *op)
{
	xl_unwatch(op->xl, op->id);
	int error = xl_watch(op->xl, op->id);
	if (error)
		log_error("%s: its end will not be seen (libxl error %d); restart xebrad", op->name, error);
}

static void resumed(struct op *op)
{
	watch_again(op);
	if (op_failed(op))
		op_end(op);
	else
		start_unpause(op);
}

static void xl_unpause(void *self, unsigned id, domain_done_fn *done, void *arg)
{
	struct op *op = op_on(self, id, done, arg);
	libxl_dominfo info;

	libxl_dominfo_init(&info);
	if (op->problem.code || info_on(op, &info) < 0)
		op_end_later(op);
	else if (is_suspended(&info))
		op_started(op, libxl_domain_resume(op->xl->ctx, id, 1, op_how(op, "libxl_domain_resume", resumed)));
	else
		start_unpause(op);
	libxl_dominfo_dispose(&info);
}

static void xl_pause(void *self, unsigned id, domain_done_fn *done, void *arg)
{
	struct op *op = op_on(self, id, done, arg);

	if (op->problem.code)
		op_end_later(op);
	else
		op_started(op, libxl_domain_pause(op->xl->ctx, id, op_how(op, "libxl_domain_pause", ended)));
}

static void xl_shutdown(void *self, unsigned id, bool reboot, domain_done_fn *done, void *arg)
{
	struct op *op = op_on(self, id, done, arg);

	if (op->problem.code)
		op_end_later(op);
	else if (reboot)
		op_started(op, libxl_domain_reboot(op->xl->ctx, id, op_how(op, "libxl_domain_reboot", ended)));
	else
		op_started(op, libxl_domain_shutdown(op->xl->ctx, id, op_how(op, "libxl_domain_shutdown", ended)));
}

static void destroyed(struct op *op)
{
	if (op_failed(op) && op->error != ERROR_DOMAIN_NOTFOUND)
		watch_again(op);
	op_end(op);
}

static void start_destroy(struct op *op, op_step_fn *next)
{
	xl_unwatch(op->xl, op->id);
	op_started(op, libxl_domain_destroy(op->xl->ctx, op->id, op_how(op, "libxl_domain_destroy", next)));
}

static void xl_destroy(void *self, unsigned id, domain_done_fn *done, void *arg)
{
	struct op *op = op_on(self, id, done, arg);

	if (op->problem.code)
		op_end_later(op);
	else
		start_destroy(op, destroyed);
}

/* --- save: check, write FILE.part, rename, destroy --- */

static int check_running(struct op *op, const libxl_dominfo *info)
{
	if (info->paused)
		return problem_set(&op->problem, -EBUSY, "%s: it is paused and cannot prepare itself; resume it first", op->name);
	if (info->shutdown || info->dying)
		return problem_set(&op->problem, -EBUSY, "%s: it is shut down; destroy it instead", op->name);
	return 0;
}

/* A kernel that is not up yet would hold the save for a minute, or spoil it. libxl makes the node, the guest writes 1. */
static int check_listens(struct op *op)
{
	AUTO(free) char *value = NULL;

	if (!op->xl->env.tree ||
	    tree_read(op->xl->env.tree, PATH("/local/domain/%u/control/feature-suspend", op->id), &value) < 0 ||
	    strcmp(value, "1") == 0)
		return 0;
	return problem_set(&op->problem, -EBUSY, "%s: its kernel is not up yet; wait until it has booted", op->name);
}

static int check_space(struct op *op, const libxl_dominfo *info)
{
	AUTO(free) char *copy = strdup(op->file);
	struct statvfs fs;
	uint64_t need_kib = info->current_memkb + info->current_memkb / 64 + KIB_PER_MIB;

	if (!copy || statvfs(dirname(copy), &fs) < 0)
		return problem_set(&op->problem, -errno, "%s: %s: %s", op->name, op->file, strerror(errno));
	uint64_t have_kib = fs.f_bavail * (fs.f_frsize / 512) / 2;
	if (have_kib >= need_kib)
		return 0;
	return problem_set(&op->problem, -ENOSPC, "%s: no space to save it: %lu MiB wanted at %s, %lu MiB free; remove files",
			   op->name, (unsigned long)(need_kib / KIB_PER_MIB), op->file, (unsigned long)(have_kib / KIB_PER_MIB));
}

/* O_DSYNC: the save helper, a process of its own, then waits for the disk instead of our fsync in the loop. */
static int open_part(struct op *op, const libxl_dominfo *info)
{
	char head[XL_SAVE_HEAD_SIZE], uuid[UUID_TEXT_SIZE];

	unlink(op->part);
	op->fd = open(op->part, O_WRONLY | O_CREAT | O_EXCL | O_DSYNC | O_CLOEXEC, 0600);
	xl_uuid_text(&info->uuid, uuid);
	xl_save_head(uuid, op->name, info->domain_type == LIBXL_DOMAIN_TYPE_PVH ? ROUTER_PVH : ROUTER_PV, head);
	if (op->fd < 0 || write(op->fd, head, sizeof head) != sizeof head) {
		int code = errno ? -errno : -EIO;
		unlink(op->part);
		return problem_set(&op->problem, code, "%s: %s: %s", op->name, op->part, strerror(-code));
	}
	return 0;
}

/* Makes the names in the folder of op->file last. */
static int sync_folder(const struct op *op)
{
	AUTO(free) char *copy = strdup(op->file);
	AUTO(close) int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int keep_file(struct op *op)
{
	if (fsync(op->fd) == 0 && rename(op->part, op->file) == 0 && sync_folder(op) == 0)
		return 0;
	return problem_set(&op->problem, -errno, "%s: %s: %s", op->name, op->file, strerror(errno));
}

static void save_undone(struct op *op)
{
	if (op->error)
		log_error("%s: it is left suspended after a failed save; unpause it, or destroy it", op->name);
	watch_again(op);
	op_end(op);
}

/* The first problem is the one to tell. */
static void undo_save(struct op *op)
{
	libxl_dominfo info;

	unlink(op->part);
	unlink(op->file);
	libxl_dominfo_init(&info);
	if (libxl_domain_info(op->xl->ctx, &info, op->id) == 0 && is_suspended(&info)) {
		op_started(op, libxl_domain_resume(op->xl->ctx, op->id, 1, op_how(op, "libxl_domain_resume", save_undone)));
	} else {
		watch_again(op);
		op_end(op);
	}
	libxl_dominfo_dispose(&info);
}

static void saved_and_destroyed(struct op *op)
{
	if (op_failed(op) && op->error != ERROR_DOMAIN_NOTFOUND)
		undo_save(op);
	else
		op_end(op);
}

static void suspended(struct op *op)
{
	if (op_failed(op) || keep_file(op) < 0)
		undo_save(op);
	else
		start_destroy(op, saved_and_destroyed);
}

static void xl_save(void *self, unsigned id, const char *file, domain_done_fn *done, void *arg)
{
	struct op *op = op_on(self, id, done, arg);
	libxl_dominfo info;

	libxl_dominfo_init(&info);
	op->file = strdup(file);
	if (!op->file || asprintf(&op->part, "%s.part", file) < 0)
		abort();
	if (op->problem.code || info_on(op, &info) < 0 || check_running(op, &info) < 0 || check_listens(op) < 0 ||
	    check_space(op, &info) < 0 || open_part(op, &info) < 0) {
		op_end_later(op);
	} else {
		xl_unwatch(op->xl, id);
		op_started(op, libxl_domain_suspend(op->xl->ctx, id, op->fd, 0, op_how(op, "libxl_domain_suspend", suspended)));
	}
	libxl_dominfo_dispose(&info);
}

/* --- restore: the head of the file, then as create --- */

static int open_saved(struct op *op, const struct router_config *config, const char *file, enum router_type *type_out)
{
	uint8_t head[XL_SAVE_HEAD_SIZE];

	op->fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = op->fd < 0 ? -1 : read(op->fd, head, sizeof head);
	if (n < 0)
		return problem_set(&op->problem, -errno, "%s: %s: %s", op->name, file, strerror(errno));
	int r = xl_save_check(head, n, config->uuid, type_out, &op->problem);
	if (r < 0)
		problem_prefix(&op->problem, "%s: %s", op->name, file);
	return r;
}

static void xl_restore(void *self, const struct router_config *config, const char *file, domain_done_fn *done,
		       void *arg)
{
	struct xl *xl = self;
	struct op *op = op_new(xl, XL_LOG_ANY_DOMAIN, config->name, done, arg);
	struct router_config as_saved = *config;
	libxl_domain_restore_params parameters;

	if (open_saved(op, config, file, &as_saved.type) < 0 || prepare(op, &as_saved, true) < 0) {
		op_end_later(op);
		return;
	}
	libxl_domain_restore_params_init(&parameters);
	parameters.stream_version = 2;
	op->id = INVALID_DOMID;
	op_started(op, libxl_domain_create_restore(xl->ctx, &op->config, &op->id, op->fd, -1, &parameters,
						   op_how(op, "libxl_domain_create_restore", created), NULL));
	libxl_domain_restore_params_dispose(&parameters);
}

/* --- set: check, change what changes at once, then vCPUs; or all back --- */

/* The limit libxl would refuse with: memory/static-max. */
static uint64_t static_max_kib(struct xl *xl, uint32_t id)
{
	AUTO(free) char *text = NULL;

	if (!xl->env.tree || tree_read(xl->env.tree, PATH("/local/domain/%u/memory/static-max", id), &text) < 0)
		return UINT64_MAX;
	return strtoull(text, NULL, 10);
}

static int check_new_memory(struct op *op, uint64_t want_kib)
{
	uint64_t most_kib = static_max_kib(op->xl, op->id);

	if (want_kib > most_kib)
		return problem_set(&op->problem, -EINVAL, "%s: memory: at most %lu MiB while it runs; destroy it and create it anew",
				   op->name, (unsigned long)(most_kib / KIB_PER_MIB));
	if (want_kib <= op->before->memory_kib)
		return 0;
	return check_memory(op->xl, op->name, want_kib - op->before->memory_kib, &op->problem);
}

static int check_new_vcpus(struct op *op, unsigned vcpus)
{
	if (vcpus && vcpus <= op->before->vcpus_max)
		return 0;
	return problem_set(&op->problem, -EINVAL, "%s: vcpus: from 1 to %u while it runs; destroy it and create it anew",
			   op->name, op->before->vcpus_max);
}

static int fill_tuning(struct op *op, const struct router_config *config, unsigned which, struct tuning *want)
{
	const char *cpus = config->cpus && *config->cpus ? config->cpus : "all";
	int r = 0;

	want->weight = config->weight;
	want->cap = config->cap_percent;
	want->vcpus_max = op->before->vcpus_max;
	want->memory_kib = (uint64_t)config->memory_mib * KIB_PER_MIB;
	if (which & TUNE_POOL)
		r = check_pool(op->xl, config, &want->pool, &op->problem);
	if (r == 0 && which & TUNE_CPUS) {
		r = xl_config_cpus(cpus, op->xl->host.n_cpus, &want->cpus, &op->problem);
		if (r < 0)
			problem_prefix(&op->problem, "%s", op->name);
	}
	if (r == 0 && which & TUNE_MEMORY)
		r = check_new_memory(op, want->memory_kib);
	if (r == 0 && which & TUNE_VCPUS)
		r = check_new_vcpus(op, config->vcpus);
	return r;
}

static void undo_set(struct op *op)
{
	const char *step;
	unsigned undone;

	int error = xl_tuning_apply(op->xl->ctx, op->id, op->applied, op->before, &undone, &step);
	if (error)
		log_warn("%s: could not be set back as it was: %s: libxl error %d", op->name, step, error);
}

static void vcpus_set(struct op *op)
{
	if (op_failed(op))
		undo_set(op);
	op_end(op);
}

static void start_vcpus(struct op *op, unsigned vcpus)
{
	if (libxl_cpu_bitmap_alloc(op->xl->ctx, &op->cpus, op->before->vcpus_max) != 0)
		abort();
	for (unsigned i = 0; i < vcpus; i++)
		libxl_bitmap_set(&op->cpus, i);
	op_started(op,
		   libxl_set_vcpuonline(op->xl->ctx, op->id, &op->cpus, op_how(op, "libxl_set_vcpuonline", vcpus_set)));
}

static int set_at_once(struct op *op, const struct router_config *config, unsigned which)
{
	struct tuning want = { .pool = 0 };

	libxl_bitmap_init(&want.cpus);
	op->step = "reading its parameters";
	op->error = xl_tuning_read(op->xl->ctx, op->id, &op->before);
	int r = op_failed(op);
	if (r == 0)
		r = fill_tuning(op, config, which, &want);
	if (r == 0) {
		op->error = xl_tuning_apply(op->xl->ctx, op->id, which, &want, &op->applied, &op->step);
		r = op_failed(op);
		if (r < 0)
			undo_set(op);
	}
	libxl_bitmap_dispose(&want.cpus);
	return r;
}

static void xl_set(void *self, unsigned id, const struct router_config *config, unsigned which, domain_done_fn *done,
		   void *arg)
{
	struct op *op = op_on(self, id, done, arg);

	if (op->problem.code || set_at_once(op, config, which) < 0 || !(which & TUNE_VCPUS))
		op_end_later(op);
	else
		start_vcpus(op, config->vcpus);
}

/* --- ports --- */

static struct op *op_on_port(void *self, unsigned id, const struct router_config *config, size_t index,
			     domain_done_fn *done, void *arg)
{
	struct op *op = op_on(self, id, done, arg);
	const struct router_port *port = &config->ports[index];

	snprintf(op->name, sizeof op->name, "%s: port %s", config->name, port->name);
	op->kind = port->kind;
	op->handle = port->handle;
	if (port->kind == PORT_VF && !op->problem.code && xl_config_pci(port->vf, &op->pci) < 0)
		problem_set(&op->problem, -EINVAL, "%s: '%s' is not a VF; wanted: like 0000:01:10.0", op->name, port->vf);
	return op;
}

static bool port_exists(struct op *op)
{
	libxl_device_nic nic;

	if (op->kind == PORT_VF)
		return domain_has_pci(op->xl, op->id, &op->pci);
	libxl_device_nic_init(&nic);
	bool exists = libxl_devid_to_device_nic(op->xl->ctx, op->id, op->handle, &nic) == 0;
	libxl_device_nic_dispose(&nic);
	return exists;
}

static void port_removed(struct op *op)
{
	op_failed(op);
	op_end(op);
}

/* Without the guest's consent. */
static void start_port_destroy(struct op *op)
{
	if (op->kind == PORT_VF)
		op_started(op, libxl_device_pci_destroy(op->xl->ctx, op->id, &op->pci,
							op_how(op, "libxl_device_pci_destroy", port_removed)));
	else
		op_started(op, libxl_device_nic_destroy(op->xl->ctx, op->id, &op->nic,
							op_how(op, "libxl_device_nic_destroy", port_removed)));
}

static void port_added(struct op *op)
{
	if (op_failed(op) && port_exists(op))
		start_port_destroy(op); /* and op->problem stays */
	else
		op_end(op);
}

static int check_pci_guest(struct op *op)
{
	libxl_dominfo info;

	libxl_dominfo_init(&info);
	int r = info_on(op, &info);
	if (r == 0 && info.domain_type != LIBXL_DOMAIN_TYPE_PV)
		r = problem_set(&op->problem, -ENOTSUP, "%s: a PVH router takes no VF; create it with type = pv", op->name);
	libxl_dominfo_dispose(&info);
	return r;
}

static int check_attach(struct op *op, const struct router_config *config, size_t index)
{
	int r = check_port(op->xl, config, &config->ports[index], &op->problem);

	if (r == 0 && op->kind == PORT_VF)
		r = check_pci_guest(op);
	if (r == 0 && port_exists(op))
		r = problem_set(&op->problem, -EEXIST, "%s: it is there; detach it first", op->name);
	return r;
}

static void xl_port_attach(void *self, unsigned id, const struct router_config *config, size_t index,
			   domain_done_fn *done, void *arg)
{
	struct op *op = op_on_port(self, id, config, index, done, arg);

	if (op->problem.code || check_attach(op, config, index) < 0) {
		op_end_later(op);
	} else if (op->kind == PORT_VF) {
		op_started(op,
			   libxl_device_pci_add(op->xl->ctx, id, &op->pci, op_how(op, "libxl_device_pci_add", port_added)));
	} else {
		xl_config_nic(&config->ports[index], &op->nic);
		op_started(op,
			   libxl_device_nic_add(op->xl->ctx, id, &op->nic, op_how(op, "libxl_device_nic_add", port_added)));
	}
}

/* A guest that does not let go is not asked twice. */
static void port_let_go(struct op *op)
{
	if (op->error)
		start_port_destroy(op);
	else
		op_end(op);
}

static void xl_port_detach(void *self, unsigned id, const struct router_config *config, size_t index,
			   domain_done_fn *done, void *arg)
{
	struct op *op = op_on_port(self, id, config, index, done, arg);
	struct xl *xl = self;

	if (!op->problem.code && (!port_exists(op) ||
				  (op->kind != PORT_VF && libxl_devid_to_device_nic(xl->ctx, id, op->handle, &op->nic) != 0)))
		problem_set(&op->problem, -ENOENT, "%s: the domain has no such device", op->name);
	if (op->problem.code)
		op_end_later(op);
	else if (op->kind == PORT_VF)
		op_started(op,
			   libxl_device_pci_remove(xl->ctx, id, &op->pci, op_how(op, "libxl_device_pci_remove", port_let_go)));
	else
		op_started(op,
			   libxl_device_nic_remove(xl->ctx, id, &op->nic, op_how(op, "libxl_device_nic_remove", port_let_go)));
}

/* --- console --- */

static int xl_console(void *self, unsigned id, char ***argv_out, struct problem *problem)
{
	char number[16];
	const char *words[] = { "xl", "console", "-t", "pv", number };
	char **argv = calloc(N_ELEMENTS(words) + 1, sizeof *argv);

	(void)self;
	if (!argv)
		return problem_set(problem, -ENOMEM, "domain %u: no memory", id);
	snprintf(number, sizeof number, "%u", id);
	for (size_t i = 0; i < N_ELEMENTS(words); i++)
		argv[i] = strdup(words[i]);
	*argv_out = argv;
	return 0;
}

/* --- VFs --- */

static int find_vf(struct xl *xl, const char *bdf, struct xl_vf *vf_out, struct problem *problem)
{
	int r = xl_vf_find(SYSFS, bdf, vf_out);

	if (r < 0)
		return problem_set(problem, r, "VF %s: there is no such virtual function; see xebra host", bdf);
	AUTO(free) char *owner = vf_owner(xl, bdf);
	if (owner)
		return problem_set(problem, -EBUSY, "VF %s: domain %s has it; detach it there first", bdf, owner);
	return 0;
}

static int make_assignable(struct xl *xl, const char *bdf, bool assignable, struct problem *problem)
{
	unsigned long mark = xl_log_mark(xl->log);
	char name[32];
	libxl_device_pci pci;

	libxl_device_pci_init(&pci);
	xl_config_pci(bdf, &pci);
	snprintf(name, sizeof name, "VF %s", bdf);
	int error = assignable ? libxl_device_pci_assignable_add(xl->ctx, &pci, 1)
			       : libxl_device_pci_assignable_remove(xl->ctx, &pci, 1);
	libxl_device_pci_dispose(&pci);
	if (!error)
		return 0;
	return xl_problem(problem, xl->log, mark, XL_LOG_ANY_DOMAIN, name,
			  assignable ? "libxl_device_pci_assignable_add" : "libxl_device_pci_assignable_remove", error);
}

static int xl_vf_take(void *self, const char *bdf, const char *mac, struct problem *problem)
{
	struct xl_vf vf;
	int r;

	if (access(PCIBACK, F_OK) < 0)
		return problem_set(problem, -ENODEV, "VF %s: the driver pciback is not loaded; run: modprobe xen-pciback", bdf);
	if ((r = find_vf(self, bdf, &vf, problem)) < 0 || (r = xl_vf_set_mac(&vf, mac, problem)) < 0)
		return r;
	r = make_assignable(self, bdf, true, problem);
	if (r < 0)
		xl_vf_set_mac(&vf, NULL, NULL);
	return r;
}

static int xl_vf_give_back(void *self, const char *bdf, struct problem *problem)
{
	struct xl_vf vf;
	struct problem unset;

	int r = find_vf(self, bdf, &vf, problem);
	if (r < 0)
		return r;
	if (xl_vf_set_mac(&vf, NULL, &unset) < 0) /* some PFs keep the last address; the next taker sets its own */
		log_debug("%s", unset.text);
	return make_assignable(self, bdf, false, problem);
}

const struct domain_ops domain_xl = {
	.name = "xl",
	.open = xl_open,
	.close = xl_close,
	.list = xl_list,
	.host = xl_host,
	.create = xl_create,
	.unpause = xl_unpause,
	.destroy = xl_destroy,
	.pause = xl_pause,
	.shutdown = xl_shutdown,
	.save = xl_save,
	.restore = xl_restore,
	.set = xl_set,
	.port_attach = xl_port_attach,
	.port_detach = xl_port_detach,
	.console = xl_console,
	.vf_take = xl_vf_take,
	.vf_give_back = xl_vf_give_back,
};
