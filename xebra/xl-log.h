/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libxl said and what it meant. libxl answers with one of thirty error numbers and writes the reason to its log;
 * this logger keeps the last error lines, so that a problem can say why. All lines also go to our log (LOG_DEBUG).
 *
 *     mark = xl_log_mark(log);
 *     rc = libxl_...(ctx, id, ...);
 *     if (rc)
 *             return xl_problem(problem, log, mark, id, "blue.r1", "libxl_...", rc);
 *
 * Several operations share one libxl context: a line that names another domain than `id` is not taken.
 */
#ifndef XEBRA_XL_LOG_H
#define XEBRA_XL_LOG_H

#include <xentoollog.h>

#include "libvnet/base/cleanup.h"
#include "libvnet/base/problem.h"

/* An operation that has no domain yet takes every line. */
#define XL_LOG_ANY_DOMAIN (~0u)

struct xl_log;

struct xl_log *xl_log_new(void);
void xl_log_free(struct xl_log *log);
DEFINE_AUTO(struct xl_log *, xl_log_free)

xentoollog_logger *xl_log_logger(struct xl_log *log);
unsigned long xl_log_mark(const struct xl_log *log);

/* -errno for a libxl ERROR_*, or for the positive errno that an event hook gave to libxl. */
int xl_code(int error);
/* "NAME: STEP: what was logged since `mark`, oldest first; remedy". Returns the code. */
int xl_problem(struct problem *problem, const struct xl_log *log, unsigned long mark, unsigned id, const char *name,
	       const char *step, int error);

#endif
