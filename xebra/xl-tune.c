/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/domain.h"
#include "xebra/xl-tune.h"

static int read_vcpus(libxl_ctx *ctx, uint32_t id, struct tuning *tuning)
{
	int n, n_cpus;
	libxl_vcpuinfo *vcpus = libxl_list_vcpu(ctx, id, &n, &n_cpus);

	if (!vcpus)
		return ERROR_FAIL;
	if (n > 0)
		libxl_bitmap_copy_alloc(ctx, &tuning->cpus, &vcpus[0].cpumap);
	libxl_vcpuinfo_list_free(vcpus, n);
	return 0;
}

static int read_schedule(libxl_ctx *ctx, uint32_t id, struct tuning *tuning)
{
	libxl_domain_sched_params parameters;

	libxl_domain_sched_params_init(&parameters);
	int error = libxl_domain_sched_params_get(ctx, id, &parameters);
	tuning->weight = parameters.weight;
	tuning->cap = parameters.cap;
	libxl_domain_sched_params_dispose(&parameters);
	return error;
}

static int read_info(libxl_ctx *ctx, uint32_t id, struct tuning *tuning)
{
	libxl_dominfo info;

	libxl_dominfo_init(&info);
	int error = libxl_domain_info(ctx, &info, id);
	tuning->pool = info.cpupool;
	tuning->vcpus = info.vcpu_online;
	tuning->vcpus_max = info.vcpu_max_id + 1;
	libxl_dominfo_dispose(&info);
	return error;
}

int xl_tuning_read(libxl_ctx *ctx, uint32_t id, struct tuning **tuning_out)
{
	AUTO(xl_tuning_free) struct tuning *tuning = calloc(1, sizeof *tuning);
	int error;

	if (!tuning)
		return ERROR_NOMEM;
	libxl_bitmap_init(&tuning->cpus);
	if ((error = read_info(ctx, id, tuning)) || (error = libxl_get_memory_target(ctx, id, &tuning->memory_kib)) ||
	    (error = read_schedule(ctx, id, tuning)) || (error = read_vcpus(ctx, id, tuning)))
		return error;
	*tuning_out = take(tuning);
	return 0;
}

void xl_tuning_free(struct tuning *tuning)
{
	if (tuning)
		libxl_bitmap_dispose(&tuning->cpus);
	free(tuning);
}

static int apply_pool(libxl_ctx *ctx, uint32_t id, const struct tuning *tuning)
{
	return libxl_cpupool_movedomain(ctx, tuning->pool, id);
}

static int apply_cpus(libxl_ctx *ctx, uint32_t id, const struct tuning *tuning)
{
	return libxl_set_vcpuaffinity_all(ctx, id, tuning->vcpus_max, &tuning->cpus, NULL);
}

static int apply_schedule(libxl_ctx *ctx, uint32_t id, int weight, int cap)
{
	libxl_domain_sched_params parameters;

	libxl_domain_sched_params_init(&parameters); /* everything else stays; the scheduler is the pool's */
	parameters.weight = weight;
	parameters.cap = cap;
	int error = libxl_domain_sched_params_set(ctx, id, &parameters);
	libxl_domain_sched_params_dispose(&parameters);
	return error;
}

static int apply_weight(libxl_ctx *ctx, uint32_t id, const struct tuning *tuning)
{
	return apply_schedule(ctx, id, tuning->weight, LIBXL_DOMAIN_SCHED_PARAM_CAP_DEFAULT);
}

static int apply_cap(libxl_ctx *ctx, uint32_t id, const struct tuning *tuning)
{
	return apply_schedule(ctx, id, LIBXL_DOMAIN_SCHED_PARAM_WEIGHT_DEFAULT, tuning->cap);
}

static int apply_memory(libxl_ctx *ctx, uint32_t id, const struct tuning *tuning)
{
	return libxl_set_memory_target(ctx, id, tuning->memory_kib, 0, 1);
}

/* The pool first: it says which CPUs and which scheduler there are. */
static const struct row {
	unsigned flag;
	const char *step;
	int (*apply)(libxl_ctx *ctx, uint32_t id, const struct tuning *tuning);
} rows[] = {
	{ TUNE_POOL, "libxl_cpupool_movedomain", apply_pool },
	{ TUNE_CPUS, "libxl_set_vcpuaffinity_all", apply_cpus },
	{ TUNE_WEIGHT, "libxl_domain_sched_params_set (weight)", apply_weight },
	{ TUNE_CAP, "libxl_domain_sched_params_set (cap)", apply_cap },
	{ TUNE_MEMORY, "libxl_set_memory_target", apply_memory },
};

int xl_tuning_apply(libxl_ctx *ctx, uint32_t id, unsigned which, const struct tuning *tuning, unsigned *applied_out,
		    const char **step_out)
{
	*applied_out = 0;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (!(which & rows[i].flag))
			continue;
		*step_out = rows[i].step;
		int error = rows[i].apply(ctx, id, tuning);
		if (error)
			return error;
		*applied_out |= rows[i].flag;
	}
	return 0;
}
