/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control groups of container routers, one per router: TOP/<id> in every hierarchy that is needed. A knob lives in the
 * v2 hierarchy where that one has the controller, else in the controller's v1 hierarchy; a machine may have both
 * (systemd's "hybrid" layout), or neither, and then the knob cannot be turned.
 *
 * Order of calls: cgroups_open; for a router cgroups_make, cgroups_set, cgroups_procs (the router's first process writes
 * "0" to each), then freeze, kill, usage as wanted, and cgroups_remove when the last process is gone.
 * Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/{cpusets,memory,freezer-subsystem}.rst and
 * scheduler/sched-bwc.rst.
 */
#ifndef XEBRA_CGROUP_H
#define XEBRA_CGROUP_H

#include <stdint.h>

#include "xebra/router-config.h"

struct cgroups;

enum cgroup_knob { KNOB_WEIGHT, KNOB_CAP, KNOB_CPUS, KNOB_MEMORY, N_KNOBS };

enum { KNOB_TEXT_SIZE = 1024, CGROUP_HIERARCHIES_MAX = 8 };

/* What is written for `config`. Pure. 0, -EINVAL, or -ENODATA: what the whole machine has (no restriction). */
int cgroup_weight_v2(const struct router_config *config, char text[KNOB_TEXT_SIZE]);
int cgroup_weight_v1(const struct router_config *config, char text[KNOB_TEXT_SIZE]);
/* CPU time per period of CGROUP_PERIOD_US: `vcpus` CPUs, or the cap if that is less. */
int cgroup_cap_v2(const struct router_config *config, char text[KNOB_TEXT_SIZE]);
int cgroup_cap_v1(const struct router_config *config, char text[KNOB_TEXT_SIZE]);
/* "0-3,^2" -> "0,1,3" */
int cgroup_cpus(const struct router_config *config, char text[KNOB_TEXT_SIZE]);
int cgroup_memory_v2(const struct router_config *config, char text[KNOB_TEXT_SIZE]);
int cgroup_memory_v1(const struct router_config *config, char text[KNOB_TEXT_SIZE]);

enum { CGROUP_PERIOD_US = 100000 };

/* `mountinfo` is the text of /proc/self/mountinfo, `top` the name of the group above the routers' groups.
 * -ENODEV: there is no freezer, without which nothing can be paused. */
int cgroups_open(const char *mountinfo, const char *top, struct cgroups **cgroups_out, struct problem *problem);
void cgroups_close(struct cgroups *cgroups);
DEFINE_AUTO(struct cgroups *, cgroups_close)

/* Makes the router's groups; those that exist are taken as they are. */
int cgroups_make(struct cgroups *cgroups, unsigned id, struct problem *problem);
bool cgroups_exist(struct cgroups *cgroups, unsigned id);
/* -EBUSY: processes are still there. Also removes the top group when it was the last. */
int cgroups_remove(struct cgroups *cgroups, unsigned id);

/* Whether this machine has the controller; its name goes to `controller_out`. */
bool cgroups_can(struct cgroups *cgroups, enum cgroup_knob knob, const char **controller_out);
/* Turns the knobs of `which` (bits 1 << knob), all or none. -ENOTSUP: the controller is missing. */
int cgroups_set(struct cgroups *cgroups, unsigned id, const struct router_config *config, unsigned which,
		struct problem *problem);

/* Opens the file of every hierarchy into which a process writes "0" to join; returns how many, or -errno. */
int cgroups_procs(struct cgroups *cgroups, unsigned id, int fds[CGROUP_HIERARCHIES_MAX]);

/* After `frozen` no process of the group runs user code, one that joins included, until it is thawed. */
int cgroups_freeze(struct cgroups *cgroups, unsigned id, bool frozen);
bool cgroups_frozen(struct cgroups *cgroups, unsigned id);
/* SIGKILL to all that is inside, frozen or not. */
int cgroups_kill(struct cgroups *cgroups, unsigned id);

/* -ENODATA: no controller counts it here. */
int cgroups_memory_used(struct cgroups *cgroups, unsigned id, uint64_t *kib_out);
int cgroups_cpu_used(struct cgroups *cgroups, unsigned id, uint64_t *ns_out);

#endif
