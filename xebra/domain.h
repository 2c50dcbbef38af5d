/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hypervisor driver: how domains are made and driven on this host. Three exist, `xl` (libxl, the real one), `netns`
 * (network-namespace routers on any Linux) and `virt` (libvirt). The manager is their only caller.
 *
 * Rules. One event loop, no threads seen from outside. An operation that takes time ends in done(arg, id, problem),
 * exactly once, always from the loop and never from inside the call; problem->code is 0 or -errno and its text says
 * what failed on which object, why, and what to do. An operation that failed has undone what it did. Arguments are
 * borrowed until the call returns; what is kept is copied. Operations on different domains may run at the same
 * time; on one domain the manager starts the next after the last one's done.
 *
 * Order for a router: create (it exists, paused, devices connected) -> the manager writes its tree -> unpause ->
 * ... -> shutdown (asks) -> event DOMAIN_SHUTDOWN -> destroy. Domains that the driver did not make appear in `list` and
 * nowhere else; nobody touches them.
 */
#ifndef XEBRA_DOMAIN_H
#define XEBRA_DOMAIN_H

#include <jansson.h>
#include <stdint.h>

#include "xebra/router-config.h"

struct event_base;
struct tree;

enum domain_event { DOMAIN_POWEROFF, DOMAIN_REBOOT, DOMAIN_CRASH, DOMAIN_GONE /* no longer exists */ };

/* What the manager lends to a driver for as long as it is open. */
struct domain_env {
	struct event_base *loop;
	struct tree *tree;      /* root: paths /local/domain/<id>/... */
	const char *tree_where; /* what `tree` was opened with; netns tells its routers: "dir:/run/xebra/tree" */
	const char *run_dir;    /* /run/xebra: private, on tmpfs */
	const char *image_dir;  /* /var/lib/xebra/images */
	const char *libexec_dir;
	const char *uri;        /* virt only: libvirt URI */
	void (*event)(void *arg, unsigned id, const char *uuid, enum domain_event event);
	void *arg;
};

struct domain_info {
	unsigned id;
	char uuid[UUID_TEXT_SIZE];
	char name[ROUTER_NAME_SIZE];
	bool paused, shutdown, crashed, dying;
	unsigned vcpus;
	uint64_t memory_kib, cpu_time_ns;
};

/* What can be changed while it runs; a field is applied when its flag in `which` is set. */
enum { TUNE_VCPUS = 1, TUNE_MEMORY = 2, TUNE_WEIGHT = 4, TUNE_CAP = 8, TUNE_CPUS = 16, TUNE_POOL = 32 };

typedef void domain_done_fn(void *arg, unsigned id, const struct problem *problem);

struct domain_ops {
	const char *name;

	/* Required. open: -ENODEV etc. when this host cannot (no Xen, not root), with the reason. */
	int (*open)(const struct domain_env *env, void **self_out, struct problem *problem);
	void (*close)(void *self); /* domains run on */
	/* All domains of the host. Array from malloc, freed by the caller. */
	int (*list)(void *self, struct domain_info **infos_out, size_t *n_out, struct problem *problem);
	/* {"driver","version","cpus","memory_mib","memory_free_mib","hap","iommu","vfs":[{"bdf","pf","driver","owner"}]} */
	int (*host)(void *self, json_t **json_out, struct problem *problem);
	void (*create)(void *self, const struct router_config *config, domain_done_fn *done, void *arg);
	/* Also resumes a domain that a save, cut short by the death of this process, has left suspended. */
	void (*unpause)(void *self, unsigned id, domain_done_fn *done, void *arg);
	void (*destroy)(void *self, unsigned id, domain_done_fn *done, void *arg);

	/* Optional: NULL where the hypervisor cannot; the manager says so to the user. */
	void (*pause)(void *self, unsigned id, domain_done_fn *done, void *arg);
	/* Asks the guest; done when asked. The end comes as an event. -ENOTSUP: the guest does not listen. */
	void (*shutdown)(void *self, unsigned id, bool reboot, domain_done_fn *done, void *arg);
	/* Writes the whole state to `file`.part (0600), fsyncs, renames it to `file`, then destroys the domain. So `file`
	 * is whole whenever it exists. On failure the domain runs on and no file is left. */
	void (*save)(void *self, unsigned id, const char *file, domain_done_fn *done, void *arg);
	/* As create, from a saved state; the caller removes the file. */
	void (*restore)(void *self, const struct router_config *config, const char *file, domain_done_fn *done, void *arg);
	/* `config` holds the new values. */
	void (*set)(void *self, unsigned id, const struct router_config *config, unsigned which, domain_done_fn *done,
		    void *arg);
	/* `index` is the port's place in config->ports now; the device is named by ports[index].handle (vif<id>.<handle>),
	 * which stays when other ports go. */
	void (*port_attach)(void *self, unsigned id, const struct router_config *config, size_t index,
			    domain_done_fn *done, void *arg);
	void (*port_detach)(void *self, unsigned id, const struct router_config *config, size_t index,
			    domain_done_fn *done, void *arg);
	/* The command that gives a person the console, as a NULL-ended vector of malloc'ed strings. */
	int (*console)(void *self, unsigned id, char ***argv_out, struct problem *problem);
	/* Takes a free VF (BDF) for guests: its PF is told the MAC address the VF shall have (RTM_SETLINK, IFLA_VF_MAC) and
	 * pciback gets it. vf_give_back undoes both. Idempotent. */
	int (*vf_take)(void *self, const char *bdf, const char *mac, struct problem *problem);
	int (*vf_give_back)(void *self, const char *bdf, struct problem *problem);
};

extern const struct domain_ops domain_xl, domain_netns, domain_virt;

#endif
