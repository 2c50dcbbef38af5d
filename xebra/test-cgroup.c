/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversions, and the choice between v2 and v1 on invented hierarchies of ordinary files. */
#include "xebra/cgroup.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static char dir[64], mountinfo[2048];

static void make_file(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
}

static void make_dir(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

static const char *read_text(const char *name)
{
	static char text[KNOB_TEXT_SIZE];
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *in = fopen(path, "r");
	ck_assert_msg(in != NULL, "%s: %s", path, strerror(errno));
	text[fread(text, 1, sizeof text - 1, in)] = '\0';
	fclose(in);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void add_mount(const char *name, const char *type, const char *options)
{
	size_t size = strlen(mountinfo);

	make_dir(name);
	snprintf(mountinfo + size, sizeof mountinfo - size, "30 20 0:28 / %s/%s rw,relatime shared:4 - %s %s %s\n", dir,
		 name, type, type, options);
}

static void setup(void)
{
	snprintf(dir, sizeof dir, "/tmp/test-cgroup-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	strcpy(mountinfo, "23 1 0:5 / /proc rw shared:5 - proc proc rw\n");
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static const char *converted(int (*convert)(const struct router_config *, char[KNOB_TEXT_SIZE]),
			     struct router_config config)
{
	static char text[KNOB_TEXT_SIZE];
	int r = convert(&config, text);

	return r == 0 ? text : r == -ENODATA ? "(all)" : r == -EINVAL ? "(bad)" : "(?)";
}

#define IS(convert, expected, ...) \
	ck_assert_str_eq(converted(cgroup_##convert, (struct router_config){ __VA_ARGS__ }), expected)

START_TEST(conversions)
{
	IS(weight_v2, "100", .weight = 256);
	IS(weight_v2, "200", .weight = 512);
	IS(weight_v2, "1", .weight = 1);
	IS(weight_v2, "10000", .weight = 65535);
	IS(weight_v1, "1024", .weight = 256);
	IS(weight_v1, "4", .weight = 1);
	IS(weight_v1, "262140", .weight = 65535);

	IS(cap_v2, "100000 100000", .vcpus = 1);
	IS(cap_v2, "50000 100000", .vcpus = 2, .cap_percent = 50);
	IS(cap_v2, "200000 100000", .vcpus = 2, .cap_percent = 300);
	IS(cap_v2, "max 100000", .vcpus = 0);
	IS(cap_v1, "25000", .vcpus = 1, .cap_percent = 25);
	IS(cap_v1, "-1", .vcpus = 0);

	IS(memory_v2, "134217728", .memory_mib = 128);
	IS(memory_v2, "max", .memory_mib = 0);
	IS(memory_v1, "17592186044416", .memory_mib = 16 << 20);
	IS(memory_v1, "-1", .memory_mib = 0);
}
END_TEST

START_TEST(cpu_lists)
{
	static const char *const lists[][2] = {
		{ "all", "(all)" },	{ "", "(all)" },	 { "0", "0" },	       { "0-1,3", "0-1,3" },
		{ "3,1,2", "1-3" },	{ "0-3,^2", "0-1,3" }, { "0-7,^2-5", "0-1,6-7" }, { "^1", "(bad)" },
		{ "1,", "(bad)" },	{ ",1", "(bad)" },	 { "3-1", "(bad)" },   { "1-", "(bad)" },
		{ "-1", "(bad)" },	{ "4096", "(bad)" },	 { "^", "(bad)" },     { "1--2", "(bad)" },
		{ "99999999999999999999", "(bad)" },
	};
	char many[2 * KNOB_TEXT_SIZE] = "1";

	for (size_t i = 0; i < N_ELEMENTS(lists); i++)
		IS(cpus, lists[i][1], .cpus = (char *)lists[i][0]);
	IS(cpus, "(all)", .cpus = NULL);
	for (int cpu = 1001; cpu < 1600; cpu += 2) /* more text than the kernel's file takes from us */
		snprintf(many + strlen(many), sizeof many - strlen(many), ",%d", cpu);
	IS(cpus, "(bad)", .cpus = many);
}
END_TEST

static const struct router_config config = {
	.weight = 512, .vcpus = 2, .cap_percent = 50, .cpus = (char *)"0", .memory_mib = 64
};

enum { ALL_KNOBS = (1 << N_KNOBS) - 1 };

START_TEST(pure_v2)
{
	AUTO(cgroups_close) struct cgroups *cgroups = NULL;
	struct problem problem;
	uint64_t used;

	add_mount("v2", "cgroup2", "rw");
	make_file("v2/cgroup.controllers", "cpuset cpu io memory pids\n");
	make_file("v2/cgroup.subtree_control", "");
	ck_assert_int_eq(cgroups_open(mountinfo, "xebra", &cgroups, &problem), 0);
	ck_assert_int_eq(cgroups_make(cgroups, 4, &problem), 0);
	ck_assert_str_eq(read_text("v2/cgroup.subtree_control"), "+memory"); /* the last of those written */
	ck_assert(cgroups_exist(cgroups, 4));
	ck_assert(!cgroups_exist(cgroups, 5));

	/* Not enabled: as the kernel's files would be, they are missing. */
	ck_assert_int_eq(cgroups_set(cgroups, 4, &config, ALL_KNOBS, &problem), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(problem.text, "'cpu' is not enabled"));

	make_file("v2/xebra/4/cpu.weight", "100\n");
	make_file("v2/xebra/4/cpu.max", "max 100000\n");
	make_file("v2/xebra/4/cpuset.cpus", "\n");
	ck_assert_int_eq(cgroups_set(cgroups, 4, &config, ALL_KNOBS, &problem), -ENOTSUP);
	ck_assert_str_eq(read_text("v2/xebra/4/cpu.weight"), "100"); /* all or none */
	ck_assert_str_eq(read_text("v2/xebra/4/cpu.max"), "max 100000");
	ck_assert_str_eq(read_text("v2/xebra/4/cpuset.cpus"), "");

	make_file("v2/xebra/4/memory.max", "max\n");
	ck_assert_int_eq(cgroups_set(cgroups, 4, &config, ALL_KNOBS, &problem), 0);
	ck_assert_str_eq(read_text("v2/xebra/4/cpu.weight"), "200");
	ck_assert_str_eq(read_text("v2/xebra/4/cpu.max"), "50000 100000");
	ck_assert_str_eq(read_text("v2/xebra/4/cpuset.cpus"), "0");
	ck_assert_str_eq(read_text("v2/xebra/4/memory.max"), "67108864");

	make_file("v2/xebra/4/cgroup.freeze", "0\n");
	ck_assert(!cgroups_frozen(cgroups, 4));
	ck_assert_int_eq(cgroups_freeze(cgroups, 4, true), 0);
	ck_assert(cgroups_frozen(cgroups, 4));
	make_file("v2/xebra/4/cpu.stat", "usage_usec 1234\nuser_usec 1000\n");
	make_file("v2/xebra/4/memory.current", "1048576\n");
	ck_assert_int_eq(cgroups_cpu_used(cgroups, 4, &used), 0);
	ck_assert_uint_eq(used, 1234000);
	ck_assert_int_eq(cgroups_memory_used(cgroups, 4, &used), 0);
	ck_assert_uint_eq(used, 1024);
}
END_TEST

START_TEST(hybrid)
{
	AUTO(cgroups_close) struct cgroups *cgroups = NULL;
	struct router_config everywhere = { .cpus = (char *)"all" };
	struct problem problem;
	const char *controller;

	add_mount("cpu,cpuacct", "cgroup", "rw,cpu,cpuacct");
	add_mount("cpuset", "cgroup", "rw,cpuset");
	add_mount("unified", "cgroup2", "rw");
	make_file("unified/cgroup.controllers", "hugetlb\n");
	make_file("cpuset/cpuset.cpus", "0-7\n");
	make_file("cpuset/cpuset.mems", "0\n");
	ck_assert_int_eq(cgroups_open(mountinfo, "xebra", &cgroups, &problem), 0);
	ck_assert(cgroups_can(cgroups, KNOB_CPUS, &controller));
	ck_assert(!cgroups_can(cgroups, KNOB_MEMORY, &controller));
	ck_assert_str_eq(controller, "memory");

	make_dir("cpuset/xebra");
	make_dir("cpuset/xebra/4");
	make_file("cpuset/xebra/cpuset.cpus", "\n");
	make_file("cpuset/xebra/cpuset.mems", "\n");
	make_file("cpuset/xebra/4/cpuset.cpus", "\n");
	make_file("cpuset/xebra/4/cpuset.mems", "\n");
	ck_assert_int_eq(cgroups_make(cgroups, 4, &problem), 0);
	ck_assert_str_eq(read_text("cpuset/xebra/4/cpuset.cpus"), "0-7");
	ck_assert_str_eq(read_text("cpuset/xebra/4/cpuset.mems"), "0");

	make_file("cpu,cpuacct/xebra/4/cpu.shares", "1024\n");
	make_file("cpu,cpuacct/xebra/4/cpu.cfs_quota_us", "-1\n");
	unsigned which = 1 << KNOB_WEIGHT | 1 << KNOB_CAP | 1 << KNOB_CPUS;
	ck_assert_int_eq(cgroups_set(cgroups, 4, &config, which, &problem), 0);
	ck_assert_str_eq(read_text("cpu,cpuacct/xebra/4/cpu.shares"), "2048");
	ck_assert_str_eq(read_text("cpu,cpuacct/xebra/4/cpu.cfs_quota_us"), "50000");
	ck_assert_str_eq(read_text("cpuset/xebra/4/cpuset.cpus"), "0");
	ck_assert_int_eq(cgroups_set(cgroups, 4, &everywhere, 1 << KNOB_CPUS, &problem), 0);
	ck_assert_str_eq(read_text("cpuset/xebra/4/cpuset.cpus"), "0-7");
	ck_assert_int_eq(cgroups_set(cgroups, 4, &config, which | 1 << KNOB_MEMORY, &problem), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(problem.text, "'memory'"));
	ck_assert_str_eq(read_text("cpuset/xebra/4/cpuset.cpus"), "0-7");
}
END_TEST

START_TEST(pure_v1)
{
	AUTO(cgroups_close) struct cgroups *cgroups = NULL;
	struct problem problem;
	uint64_t used;

	ck_assert_int_eq(cgroups_open(mountinfo, "xebra", &cgroups, &problem), -ENODEV);
	add_mount("freezer", "cgroup", "rw,freezer");
	add_mount("cpuacct", "cgroup", "rw,cpuacct"); /* not "cpu", although it begins so */
	ck_assert_int_eq(cgroups_open(mountinfo, "xebra", &cgroups, &problem), 0);
	ck_assert_int_eq(cgroups_make(cgroups, 4, &problem), 0);
	ck_assert_int_eq(cgroups_set(cgroups, 4, &config, 1 << KNOB_CAP, &problem), -ENOTSUP);
	make_file("freezer/xebra/4/freezer.state", "THAWED\n");
	ck_assert(!cgroups_frozen(cgroups, 4));
	ck_assert_int_eq(cgroups_freeze(cgroups, 4, true), 0);
	ck_assert_str_eq(read_text("freezer/xebra/4/freezer.state"), "FROZEN");
	ck_assert(cgroups_frozen(cgroups, 4));
	make_file("cpuacct/xebra/4/cpuacct.usage", "987654321\n");
	ck_assert_int_eq(cgroups_cpu_used(cgroups, 4, &used), 0);
	ck_assert_uint_eq(used, 987654321);
	ck_assert_int_eq(cgroups_memory_used(cgroups, 4, &used), -ENODATA);
	ck_assert_int_eq(cgroups_remove(cgroups, 9), 0); /* nothing there is no error */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroup");
	TCase *tests = tcase_create("hierarchies");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, conversions);
	tcase_add_test(tests, cpu_lists);
	tcase_add_test(tests, pure_v2);
	tcase_add_test(tests, hybrid);
	tcase_add_test(tests, pure_v1);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
