/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be changed of a running domain at once: pool, CPUs, weight, cap and memory target (vCPUs take time and are
 * changed by domain-xl.c). The old values are read first and applied again, by the same function, when something
 * fails half-way.
 */
#ifndef XEBRA_XL_TUNE_H
#define XEBRA_XL_TUNE_H

#include "xebra/xl-api.h"

enum { TUNE_AT_ONCE = TUNE_MEMORY | TUNE_WEIGHT | TUNE_CAP | TUNE_CPUS | TUNE_POOL };

struct tuning {
	uint32_t pool;
	libxl_bitmap cpus; /* hard affinity of every vCPU */
	int weight, cap;
	uint64_t memory_kib;
	unsigned vcpus; /* online */
	unsigned vcpus_max;
};

/* All current values. 0 or a libxl error. Freed with xl_tuning_free, which accepts NULL. */
int xl_tuning_read(libxl_ctx *ctx, uint32_t id, struct tuning **tuning_out);
void xl_tuning_free(struct tuning *tuning);
DEFINE_AUTO(struct tuning *, xl_tuning_free)

/* Applies what `which` names, in the order of a table. *applied_out: what was done; *step_out: the call that failed.
 * 0 or a libxl error. */
int xl_tuning_apply(libxl_ctx *ctx, uint32_t id, unsigned which, const struct tuning *tuning, unsigned *applied_out,
		    const char **step_out);

#endif
