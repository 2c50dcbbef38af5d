/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the netns driver remembers of each of its routers, in RUN_DIR/domains/<id>/record, replaced by rename. The
 * directory is also the router's own run directory. A record appears before anything else of the router is made and
 * goes after everything else, and only a `ready` one stands for a whole router: so whatever a killed daemon leaves
 * behind can be found and removed.
 */
#ifndef XEBRA_NETNS_RECORD_H
#define XEBRA_NETNS_RECORD_H

#include "xebra/pid1.h"
#include "xebra/router-config.h"

enum asked_end { ASKED_NOTHING, ASKED_POWEROFF, ASKED_REBOOT };

struct netns_record {
	unsigned id;
	char uuid[UUID_TEXT_SIZE];
	char name[ROUTER_NAME_SIZE];
	struct pid1 pid1; /* pid 0: not started yet */
	unsigned vcpus;
	bool ready;
	enum asked_end asked;
};

/* A number that no router had since RUN_DIR was made, from 1. Taken even if nothing is done with it. */
int netns_record_number(const char *run_dir, unsigned *id_out);
int netns_record_write(const char *run_dir, const struct netns_record *record);
/* -ENOENT: there is none; -EINVAL: it is not understood. */
int netns_record_read(const char *run_dir, unsigned id, struct netns_record *record_out);
/* Removes the router's directory. */
int netns_record_remove(const char *run_dir, unsigned id);
/* The numbers of all directories, with a record or not, ascending; freed by the caller. */
int netns_record_list(const char *run_dir, unsigned **ids_out, size_t *n_out);

#endif
