/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/cgroup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

enum { CPUS_MAX = 4096, WEIGHT_DEFAULT = 256 /* credit2's; a control group's own default stands for it */ };

static const struct knob {
	const char *what, *controller;
	const char *v2_file;
	int (*v2_text)(const struct router_config *config, char text[KNOB_TEXT_SIZE]);
	const char *v1_file;
	int (*v1_text)(const struct router_config *config, char text[KNOB_TEXT_SIZE]);
	const char *remedy;
} knobs[N_KNOBS] = {
	[KNOB_WEIGHT] = { "weight", "cpu", "cpu.weight", cgroup_weight_v2, "cpu.shares", cgroup_weight_v1,
			  "choose 1 to 65535" },
	[KNOB_CAP] = { "cap", "cpu", "cpu.max", cgroup_cap_v2, "cpu.cfs_quota_us", cgroup_cap_v1,
		       "choose no more than this host's CPUs" },
	[KNOB_CPUS] = { "cpus", "cpuset", "cpuset.cpus", cgroup_cpus, "cpuset.cpus", cgroup_cpus,
			"choose CPUs of this host, or all" },
	[KNOB_MEMORY] = { "memory", "memory", "memory.max", cgroup_memory_v2, "memory.limit_in_bytes", cgroup_memory_v1,
			  "choose more than the router uses now" },
};

struct hierarchy {
	char *dir;
	bool v2, cpuset_v1;
};

struct cgroups {
	char *top;
	struct hierarchy hierarchies[CGROUP_HIERARCHIES_MAX];
	size_t n;
	/* Where each thing is; NULL: nowhere. */
	struct hierarchy *knob[N_KNOBS], *freezer, *cpu_time;
};

/* --- conversions --- */

static int print_number(char text[KNOB_TEXT_SIZE], unsigned long long number)
{
	snprintf(text, KNOB_TEXT_SIZE, "%llu", number);
	return 0;
}

static unsigned long clamp(unsigned long value, unsigned long low, unsigned long high)
{
	return value < low ? low : value > high ? high : value;
}

int cgroup_weight_v2(const struct router_config *config, char text[KNOB_TEXT_SIZE])
{
	return print_number(text, clamp((config->weight * 100UL + WEIGHT_DEFAULT / 2) / WEIGHT_DEFAULT, 1, 10000));
}

int cgroup_weight_v1(const struct router_config *config, char text[KNOB_TEXT_SIZE])
{
	return print_number(text, clamp(config->weight * 1024UL / WEIGHT_DEFAULT, 2, 262144));
}

/* 0: no limit */
static unsigned long quota_us(const struct router_config *config)
{
	unsigned long percent = config->vcpus * 100UL;

	if (config->cap_percent && (!percent || config->cap_percent < percent))
		percent = config->cap_percent;
	return percent * (CGROUP_PERIOD_US / 100);
}

int cgroup_cap_v2(const struct router_config *config, char text[KNOB_TEXT_SIZE])
{
	unsigned long quota = quota_us(config);

	if (quota)
		snprintf(text, KNOB_TEXT_SIZE, "%lu %d", quota, CGROUP_PERIOD_US);
	else
		snprintf(text, KNOB_TEXT_SIZE, "max %d", CGROUP_PERIOD_US);
	return 0;
}

int cgroup_cap_v1(const struct router_config *config, char text[KNOB_TEXT_SIZE])
{
	unsigned long quota = quota_us(config);

	if (quota)
		return print_number(text, quota);
	strcpy(text, "-1");
	return 0;
}

static int parse_cpu(const char **at, unsigned long *cpu_out)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return -EINVAL;
	*cpu_out = strtoul(*at, &end, 10);
	*at = end;
	return *cpu_out < CPUS_MAX ? 0 : -EINVAL;
}

/* One item: N, N-M, ^N or ^N-M. */
static int parse_cpus(const char **at, bool chosen[CPUS_MAX])
{
	bool add = **at != '^';
	unsigned long first, last;

	*at += !add;
	if (parse_cpu(at, &first) < 0)
		return -EINVAL;
	last = first;
	if (**at == '-') {
		++*at;
		if (parse_cpu(at, &last) < 0 || last < first)
			return -EINVAL;
	}
	for (unsigned long cpu = first; cpu <= last; cpu++)
		chosen[cpu] = add;
	return 0;
}

int cgroup_cpus(const struct router_config *config, char text[KNOB_TEXT_SIZE])
{
	bool chosen[CPUS_MAX] = { false };
	const char *at = config->cpus;
	int size = 0;

	if (!at || !*at || strcmp(at, "all") == 0)
		return -ENODATA;
	for (;; at++) {
		if (parse_cpus(&at, chosen) < 0)
			return -EINVAL;
		if (!*at)
			break;
		if (*at != ',')
			return -EINVAL;
	}
	for (int first = 0, last; first < CPUS_MAX; first = last + 1) {
		last = first;
		if (!chosen[first])
			continue;
		while (last + 1 < CPUS_MAX && chosen[last + 1])
			last++;
		size += snprintf(text + size, KNOB_TEXT_SIZE - size, last > first ? "%s%d-%d" : "%s%d", size ? "," : "",
				 first, last);
		if (size >= KNOB_TEXT_SIZE)
			return -EINVAL;
	}
	return size ? 0 : -EINVAL;
}

static int memory_text(const struct router_config *config, char text[KNOB_TEXT_SIZE], const char *unlimited)
{
	if (config->memory_mib)
		return print_number(text, (unsigned long long)config->memory_mib << 20);
	strcpy(text, unlimited);
	return 0;
}

int cgroup_memory_v2(const struct router_config *config, char text[KNOB_TEXT_SIZE])
{
	return memory_text(config, text, "max");
}

int cgroup_memory_v1(const struct router_config *config, char text[KNOB_TEXT_SIZE])
{
	return memory_text(config, text, "-1");
}

/* --- files --- */

#define GROUP_FILE(cgroups, hierarchy, id, file) \
	group_file((char[PATH_MAX]){ "" }, (cgroups)->top, (hierarchy)->dir, id, file)

static const char *group_file(char path[PATH_MAX], const char *top, const char *dir, unsigned id, const char *file)
{
	if (snprintf(path, PATH_MAX, "%s/%s/%u%s%s", dir, top, id, file ? "/" : "", file ? file : "") >= PATH_MAX)
		path[0] = '\0'; /* every call refuses it: ENOENT */
	return path;
}

/* The file's first line. */
static int file_read(const char *path, char text[KNOB_TEXT_SIZE])
{
	AUTO(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, KNOB_TEXT_SIZE - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static int file_write(const char *path, const char *text)
{
	AUTO(close) int fd = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);

	if (fd < 0)
		return -errno;
	if (!*text)
		text = "\n"; /* "nothing" has to be said in at least one byte */
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* --- which hierarchy has what --- */

static bool has_word(const char *text, const char *word, char separator)
{
	size_t size = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += size)
		if ((at == text || at[-1] == separator) && (!at[size] || at[size] == separator))
			return true;
	return false;
}

/* Finds the mount of v2 (`controller` NULL), or of the controller's v1 hierarchy. */
static bool find_mount(const char *mountinfo, const char *controller, char dir[PATH_MAX])
{
	static const char *const wanted_types[] = { "cgroup2", "cgroup" };
	char type[32], options[512];

	for (const char *line = mountinfo; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		AUTO(free) char *copy = strndup(line, strcspn(line, "\n"));
		const char *super = copy ? strstr(copy, " - ") : NULL;
		if (!super || sscanf(super, " - %31s %*s %511s", type, options) != 2)
			continue;
		if (strcmp(type, wanted_types[controller != NULL]) != 0)
			continue;
		if (controller && !has_word(options, controller, ','))
			continue;
		if (sscanf(copy, "%*s %*s %*s %*s %4095s", dir) == 1)
			return true;
	}
	return false;
}

static struct hierarchy *add_hierarchy(struct cgroups *cgroups, const char *dir, bool v2, bool cpuset_v1)
{
	for (size_t i = 0; i < cgroups->n; i++)
		if (strcmp(cgroups->hierarchies[i].dir, dir) == 0)
			return &cgroups->hierarchies[i];
	struct hierarchy *hierarchy = &cgroups->hierarchies[cgroups->n];
	*hierarchy = (struct hierarchy){ .dir = strdup(dir), .v2 = v2, .cpuset_v1 = cpuset_v1 };
	if (!hierarchy->dir)
		return NULL;
	cgroups->n++;
	return hierarchy;
}

static struct hierarchy *find_v1(struct cgroups *cgroups, const char *mountinfo, const char *controller)
{
	char dir[PATH_MAX];

	if (!find_mount(mountinfo, controller, dir))
		return NULL;
	return add_hierarchy(cgroups, dir, false, strcmp(controller, "cpuset") == 0);
}

static void find_all(struct cgroups *cgroups, const char *mountinfo)
{
	char dir[PATH_MAX], file[PATH_MAX + 32], controllers[KNOB_TEXT_SIZE] = "";
	struct hierarchy *v2 = NULL;

	if (find_mount(mountinfo, NULL, dir)) {
		v2 = add_hierarchy(cgroups, dir, true, false);
		snprintf(file, sizeof file, "%s/cgroup.controllers", dir);
		if (file_read(file, controllers) < 0)
			controllers[0] = '\0';
	}
	cgroups->freezer = v2 ? v2 : find_v1(cgroups, mountinfo, "freezer");
	cgroups->cpu_time = v2 ? v2 : find_v1(cgroups, mountinfo, "cpuacct");
	for (size_t i = 0; i < N_KNOBS; i++)
		cgroups->knob[i] = v2 && has_word(controllers, knobs[i].controller, ' ') ?
					   v2 :
					   find_v1(cgroups, mountinfo, knobs[i].controller);
}

int cgroups_open(const char *mountinfo, const char *top, struct cgroups **cgroups_out, struct problem *problem)
{
	AUTO(cgroups_close) struct cgroups *cgroups = calloc(1, sizeof *cgroups);

	if (!cgroups || !(cgroups->top = strdup(top)))
		return problem_set(problem, -ENOMEM, "control groups: no memory");
	find_all(cgroups, mountinfo);
	if (!cgroups->freezer)
		return problem_set(problem, -ENODEV, "control groups: no freezer, so no router could be paused; "
						     "mount -t cgroup2 none /sys/fs/cgroup");
	*cgroups_out = take(cgroups);
	return 0;
}

void cgroups_close(struct cgroups *cgroups)
{
	for (size_t i = 0; cgroups && i < cgroups->n; i++)
		free(cgroups->hierarchies[i].dir);
	if (cgroups)
		free(cgroups->top);
	free(cgroups);
}

/* --- making and removing --- */

/* A v1 cpuset takes no process before it has CPUs and memory nodes; a new one has none. */
static int fill_cpuset(const char *dir)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
	char text[KNOB_TEXT_SIZE], path[PATH_MAX + 32];
	int r = 0;

	for (size_t i = 0; i < N_ELEMENTS(files) && r == 0; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		r = file_read(path, text);
		if (r < 0 || *text)
			continue;
		snprintf(path, sizeof path, "%s/../%s", dir, files[i]);
		r = file_read(path, text);
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		if (r == 0)
			r = file_write(path, text);
	}
	return r;
}

/* Lets groups below `dir` have what a knob needs. Where that is refused the knob's file stays away and its use fails. */
static void enable_controllers(const struct cgroups *cgroups, const struct hierarchy *hierarchy, const char *dir)
{
	char path[PATH_MAX + 32], text[64];

	snprintf(path, sizeof path, "%s/cgroup.subtree_control", dir);
	for (size_t i = 0; i < N_KNOBS; i++) {
		if (cgroups->knob[i] != hierarchy)
			continue;
		snprintf(text, sizeof text, "+%s", knobs[i].controller);
		(void)file_write(path, text);
	}
}

static int make_group(const struct cgroups *cgroups, const struct hierarchy *hierarchy, unsigned id)
{
	char top[PATH_MAX];
	const char *group = GROUP_FILE(cgroups, hierarchy, id, NULL);

	if (snprintf(top, sizeof top, "%s/%s", hierarchy->dir, cgroups->top) >= (int)sizeof top)
		return -ENAMETOOLONG;
	if (mkdir(top, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (hierarchy->v2) {
		enable_controllers(cgroups, hierarchy, hierarchy->dir);
		enable_controllers(cgroups, hierarchy, top);
	}
	int r = hierarchy->cpuset_v1 ? fill_cpuset(top) : 0;
	if (r < 0)
		return r;
	if (mkdir(group, 0755) < 0 && errno != EEXIST)
		return -errno;
	return hierarchy->cpuset_v1 ? fill_cpuset(group) : 0;
}

int cgroups_make(struct cgroups *cgroups, unsigned id, struct problem *problem)
{
	for (size_t i = 0; i < cgroups->n; i++) {
		int r = make_group(cgroups, &cgroups->hierarchies[i], id);
		if (r < 0)
			return problem_set(problem, r, "control group %s/%s/%u: cannot be made: %s; is the hierarchy writable?",
					   cgroups->hierarchies[i].dir, cgroups->top, id, strerror(-r));
	}
	return 0;
}

bool cgroups_exist(struct cgroups *cgroups, unsigned id)
{
	for (size_t i = 0; i < cgroups->n; i++)
		if (access(GROUP_FILE(cgroups, &cgroups->hierarchies[i], id, NULL), F_OK) == 0)
			return true;
	return false;
}

int cgroups_remove(struct cgroups *cgroups, unsigned id)
{
	char top[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < cgroups->n; i++) {
		const struct hierarchy *hierarchy = &cgroups->hierarchies[i];
		if (rmdir(GROUP_FILE(cgroups, hierarchy, id, NULL)) < 0 && errno != ENOENT)
			r = -errno;
		if (snprintf(top, sizeof top, "%s/%s", hierarchy->dir, cgroups->top) < (int)sizeof top)
			(void)rmdir(top); /* refused while it has other groups */
	}
	return r;
}

/* --- knobs --- */

bool cgroups_can(struct cgroups *cgroups, enum cgroup_knob knob, const char **controller_out)
{
	*controller_out = knobs[knob].controller;
	return cgroups->knob[knob];
}

/* The router's file of the knob and what to write there. */
static int knob_text(struct cgroups *cgroups, enum cgroup_knob knob, const struct router_config *config,
		     char text[KNOB_TEXT_SIZE])
{
	const struct hierarchy *hierarchy = cgroups->knob[knob];
	char path[PATH_MAX];
	int r = hierarchy->v2 ? knobs[knob].v2_text(config, text) : knobs[knob].v1_text(config, text);

	if (r != -ENODATA)
		return r;
	text[0] = '\0'; /* v2: as the group above; v1 wants that said in numbers */
	if (hierarchy->v2)
		return 0;
	snprintf(path, sizeof path, "%s/%s", hierarchy->dir, knobs[knob].v1_file);
	return file_read(path, text);
}

static const char *knob_file(struct cgroups *cgroups, enum cgroup_knob knob, unsigned id, char path[PATH_MAX])
{
	const struct hierarchy *hierarchy = cgroups->knob[knob];

	return group_file(path, cgroups->top, hierarchy->dir, id,
			  hierarchy->v2 ? knobs[knob].v2_file : knobs[knob].v1_file);
}

static int turn(struct cgroups *cgroups, unsigned id, enum cgroup_knob knob, const struct router_config *config,
		char old[KNOB_TEXT_SIZE], struct problem *problem)
{
	const struct knob *row = &knobs[knob];
	char path[PATH_MAX], text[KNOB_TEXT_SIZE];

	if (!cgroups->knob[knob])
		return problem_set(problem, -ENOTSUP, "%s: this host has no cgroup controller '%s'; leave it as it is, or boot "
						      "a kernel with it", row->what, row->controller);
	knob_file(cgroups, knob, id, path);
	int r = file_read(path, old);
	if (r == -ENOENT)
		return problem_set(problem, -ENOTSUP, "%s: the cgroup controller '%s' is not enabled for %s; write +%s to "
						      "cgroup.subtree_control above it", row->what, row->controller, path,
				   row->controller);
	if (r == 0)
		r = knob_text(cgroups, knob, config, text);
	if (r == 0)
		r = file_write(path, text);
	if (r < 0)
		return problem_set(problem, r, "%s: cannot be set in %s: %s; %s", row->what, path, strerror(-r), row->remedy);
	return 0;
}

int cgroups_set(struct cgroups *cgroups, unsigned id, const struct router_config *config, unsigned which,
		struct problem *problem)
{
	char old[N_KNOBS][KNOB_TEXT_SIZE], path[PATH_MAX];
	int r = 0;

	for (int knob = 0; knob < N_KNOBS && r == 0; knob++) {
		if (!(which & 1u << knob))
			continue;
		r = turn(cgroups, id, knob, config, old[knob], problem);
		while (r < 0 && knob-- > 0)
			if (which & 1u << knob)
				(void)file_write(knob_file(cgroups, knob, id, path), old[knob]);
	}
	return r;
}

/* --- processes --- */

int cgroups_procs(struct cgroups *cgroups, unsigned id, int fds[CGROUP_HIERARCHIES_MAX])
{
	for (size_t i = 0; i < cgroups->n; i++) {
		fds[i] = open(GROUP_FILE(cgroups, &cgroups->hierarchies[i], id, "cgroup.procs"), O_WRONLY | O_CLOEXEC);
		if (fds[i] >= 0)
			continue;
		int r = -errno;
		while (i-- > 0)
			close(fds[i]);
		return r;
	}
	return cgroups->n;
}

static const char *freezer_file(struct cgroups *cgroups, unsigned id, char path[PATH_MAX])
{
	return group_file(path, cgroups->top, cgroups->freezer->dir, id,
			  cgroups->freezer->v2 ? "cgroup.freeze" : "freezer.state");
}

int cgroups_freeze(struct cgroups *cgroups, unsigned id, bool frozen)
{
	static const char *const texts[2][2] = { { "THAWED", "FROZEN" }, { "0", "1" } };
	char path[PATH_MAX];

	return file_write(freezer_file(cgroups, id, path), texts[cgroups->freezer->v2][frozen]);
}

bool cgroups_frozen(struct cgroups *cgroups, unsigned id)
{
	char path[PATH_MAX], text[KNOB_TEXT_SIZE];

	if (file_read(freezer_file(cgroups, id, path), text) < 0)
		return false;
	return strcmp(text, cgroups->freezer->v2 ? "0" : "THAWED") != 0;
}

/* v1, and v2 before Linux 5.14. The group is frozen meanwhile, so that nobody forks away from the list. */
static int kill_each(struct cgroups *cgroups, unsigned id)
{
	int r = cgroups_freeze(cgroups, id, true);
	if (r < 0)
		return r;
	AUTO(fclose) FILE *procs = fopen(GROUP_FILE(cgroups, cgroups->freezer, id, "cgroup.procs"), "re");
	long pid;
	while (procs && fscanf(procs, "%ld", &pid) == 1)
		if (pid > 0)
			kill(pid, SIGKILL);
	return cgroups_freeze(cgroups, id, false);
}

int cgroups_kill(struct cgroups *cgroups, unsigned id)
{
	if (access(GROUP_FILE(cgroups, cgroups->freezer, id, NULL), F_OK) < 0)
		return 0;
	if (cgroups->freezer->v2 && file_write(GROUP_FILE(cgroups, cgroups->freezer, id, "cgroup.kill"), "1") == 0)
		return 0;
	return kill_each(cgroups, id);
}

/* --- what is used --- */

static int read_number(const char *path, unsigned long long *number_out)
{
	char text[KNOB_TEXT_SIZE];
	int r = file_read(path, text);

	if (r < 0)
		return r;
	return sscanf(text, "%*[a-z_ ]%llu", number_out) == 1 || sscanf(text, "%llu", number_out) == 1 ? 0 : -EINVAL;
}

int cgroups_memory_used(struct cgroups *cgroups, unsigned id, uint64_t *kib_out)
{
	const struct hierarchy *hierarchy = cgroups->knob[KNOB_MEMORY];
	unsigned long long bytes;

	if (!hierarchy)
		return -ENODATA;
	int r = read_number(GROUP_FILE(cgroups, hierarchy, id, hierarchy->v2 ? "memory.current" : "memory.usage_in_bytes"),
			    &bytes);
	if (r < 0)
		return r;
	*kib_out = bytes >> 10;
	return 0;
}

int cgroups_cpu_used(struct cgroups *cgroups, unsigned id, uint64_t *ns_out)
{
	const struct hierarchy *hierarchy = cgroups->cpu_time;
	unsigned long long number;

	if (!hierarchy)
		return -ENODATA;
	/* cpu.stat begins with "usage_usec N" */
	int r = read_number(GROUP_FILE(cgroups, hierarchy, id, hierarchy->v2 ? "cpu.stat" : "cpuacct.usage"), &number);
	if (r < 0)
		return r;
	*ns_out = hierarchy->v2 ? number * 1000 : number;
	return 0;
}
