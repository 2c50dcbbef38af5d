/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of one BIRD process: started when there is a configuration, reconfigured in place through its control socket
 * (so that its adjacencies survive), started again when it dies, adopted when it is found running, stopped on request.
 *
 *     bird_open -> bird_configure (again at every change), bird_poll -> bird_stop -> bird_close
 *
 * In `run_dir`: bird.conf what it runs with, bird.conf.new what is being checked, bird.ctl its control socket. A wrong
 * configuration never replaces a right one. One configure and one poll at a time; every call that takes `done` ends
 * in it, from the loop.
 */
#ifndef XEBRA_BIRD_H
#define XEBRA_BIRD_H

#include <stdbool.h>
#include <sys/types.h>

#include "libvnet/base/cleanup.h"
#include "libvnet/base/problem.h"

struct event_base;
struct bird;

struct bird_status {
	bool running;
	unsigned protocols_up, ospf_full;
};

typedef void bird_done_fn(void *arg, const struct problem *problem); /* problem->code 0: well */
typedef void bird_status_fn(void *arg, const struct bird_status *status);

/* `program` and `run_dir` are copied. A BIRD that answers at run_dir/bird.ctl is adopted. */
int bird_open(struct event_base *loop, const char *program, const char *run_dir, struct bird **bird_out,
	      struct problem *problem);
/* Leaves BIRD running. */
void bird_close(struct bird *bird);
DEFINE_AUTO(struct bird *, bird_close)

/* `text`: the whole configuration; NULL: BIRD shall not run. */
void bird_configure(struct bird *bird, const char *text, bird_done_fn *done, void *arg);
/* Asks BIRD how it is; answers at once with what is known when it is busy or not running. */
void bird_poll(struct bird *bird, bird_status_fn *answer, void *arg);
/* Ends BIRD (SIGTERM, after 5 s SIGKILL). */
void bird_stop(struct bird *bird, bird_done_fn *done, void *arg);

/* The program reaps all children of the process and tells each here; others' are passed over. */
void bird_child_ended(struct bird *bird, pid_t pid, int status);

#endif
