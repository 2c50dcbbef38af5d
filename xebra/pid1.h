/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first process of a container router: process 1 of fresh net, pid, mount, uts and ipc namespaces. It is nobody's
 * child that waits for it (init reaps it), so it lives on without its maker and is known by pid and start time. With it
 * ends every process of its pid namespace.
 *
 * Order of calls: pid1_start, which leaves it held before its program begins; pid1_release lets the program begin.
 * If the maker dies between the two, the held process ends by itself. Whoever comes later uses pid1_find.
 */
#ifndef XEBRA_PID1_H
#define XEBRA_PID1_H

#include <stdint.h>
#include <sys/types.h>

#include "libvnet/base/problem.h"

struct pid1 {
	pid_t pid;
	uint64_t start; /* clock ticks since boot, field 22 of /proc/PID/stat (proc(5)) */
};

struct pid1_plan {
	const char *const *argv; /* absolute program and arguments, NULL-ended */
	const char *log_file;    /* gets its output, appended */
	const int *procs_fds;    /* control groups to join: files that take "0" */
	int n_procs_fds;
};

/* `pidfd_out` becomes readable when the process has ended; `hold_out` is for pid1_release or to be closed. */
int pid1_start(const struct pid1_plan *plan, struct pid1 *pid1_out, int *pidfd_out, int *hold_out,
	       struct problem *problem);
int pid1_release(int hold);

/* A pidfd of the very process, not of one that got its number later. -ESRCH: it has ended. */
int pid1_find(const struct pid1 *pid1, int *pidfd_out);
/* SIGKILL, SIGTERM ...; no error if it has ended. */
int pid1_signal(int pidfd, int signal);
/* The file descriptor of its network namespace, or -errno. */
int pid1_netns(const struct pid1 *pid1);

/* What /proc/PID/stat says. Pure. -EINVAL: it is not such a text. */
struct pid1_stat {
	char state;
	uint64_t start, cpu_ticks, rss_pages;
};
int pid1_parse(const char *text, struct pid1_stat *stat_out);
int pid1_stat(pid_t pid, struct pid1_stat *stat_out);

#endif
