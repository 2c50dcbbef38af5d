/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver on a real Xen host: exits 77 where there is none. It makes domains named xltest-*, a bridge xltestbr and
 * files below a temporary folder, and removes them. The guest is the image XEBRA_TEST_IMAGES/router (default
 * /usr/lib/xebra-lab/guest, the lab's own small guest); it must boot, obey a shutdown and suspend. Arguments: names of
 * the tests to run.
 */
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "libvnet/base/tree.h"
#include "xebra/domain.h"
#include "xebra/xl-vf.h"

enum { SECONDS = 120 };

static const struct domain_ops *ops = &domain_xl;
static struct event_base *loop;
static struct tree *tree;
static struct domain_env env;
static void *driver;
static char folder[] = "/tmp/test-domain-xl.XXXXXX", images[64];

/* --- a loop with an end, and what it brings --- */

struct outcome {
	bool done;
	unsigned id;
	struct problem problem;
};

static struct {
	int n;
	unsigned id;
	char uuid[UUID_TEXT_SIZE];
	enum domain_event event;
} seen;

static void event(void *arg, unsigned id, const char *uuid, enum domain_event what)
{
	ck_assert_ptr_eq(arg, &seen);
	printf("# event %d of domain %u\n", what, id);
	seen.n++;
	seen.id = id;
	snprintf(seen.uuid, sizeof seen.uuid, "%s", uuid);
	seen.event = what;
}

static void done(void *arg, unsigned id, const struct problem *problem)
{
	struct outcome *outcome = arg;

	ck_assert_msg(!outcome->done, "done twice");
	outcome->done = true;
	outcome->id = id;
	outcome->problem = *problem;
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* Until *flag, or for so many milliseconds. */
static bool run(const bool *flag, int ms)
{
	struct timeval short_time = { .tv_usec = 50000 };
	struct event *ticker = event_new(loop, -1, EV_PERSIST, tick, NULL);
	struct timespec start, now;

	event_add(ticker, &short_time);
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		event_base_loop(loop, EVLOOP_ONCE);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (!(flag && *flag) && (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
	event_free(ticker);
	return flag && *flag;
}

static void finish(struct outcome *outcome)
{
	ck_assert_msg(!outcome->done, "done from inside the call");
	ck_assert_msg(run(&outcome->done, SECONDS * 1000), "not done in time");
}

static void good(struct outcome *outcome)
{
	finish(outcome);
	ck_assert_msg(outcome->problem.code == 0, "%d: %s", outcome->problem.code, outcome->problem.text);
}

static void bad(struct outcome *outcome, int code, const char *word)
{
	finish(outcome);
	printf("# %s\n", outcome->problem.text);
	ck_assert_msg(outcome->problem.code == code && strstr(outcome->problem.text, word), "%d: %s, expected %d, %s",
		      outcome->problem.code, outcome->problem.text, code, word);
}

static void wait_event(int n, enum domain_event what, unsigned id)
{
	for (int i = 0; i < SECONDS * 10 && seen.n < n; i++)
		run(NULL, 100);
	ck_assert_int_eq(seen.n, n);
	ck_assert_int_eq(seen.event, what);
	ck_assert_uint_eq(seen.id, id);
}

static int sh(const char *format, ...)
{
	AUTO(free) char *command = NULL;
	va_list arguments;

	va_start(arguments, format);
	int n = vasprintf(&command, format, arguments);
	va_end(arguments);
	return n < 0 ? -1 : system(command);
}

static int n_fds(void)
{
	glob_t found;

	glob("/proc/self/fd/*", 0, NULL, &found);
	int n = found.gl_pathc;
	globfree(&found);
	return n;
}

/* --- the driver and its domains --- */

static void open_driver(void)
{
	struct problem problem;

	ck_assert_msg(ops->open(&env, &driver, &problem) == 0, "%s", problem.text);
	seen.n = 0;
}

static void close_driver(void)
{
	ops->close(take(driver));
}

static void clean(void)
{
	if (driver)
		close_driver();
	sh("for d in $(xl list | awk '/^xltest-/ {print $2}'); do xl destroy $d; done; ip link del xltestbr 2>&-");
	sh("rm -f %s/*.saved*", folder);
}

static void start(void)
{
	clean(); /* after a failure */
	ck_assert_int_eq(sh("ip link add xltestbr type bridge && ip link set xltestbr up"), 0);
	open_driver();
}

#define UUID "%08d-89ab-4def-8123-456789abcdef"

/* Router xltest-N with one port on the bridge; `members` is added to its JSON. */
static struct router_config *config_of(int n, const char *members)
{
	AUTO(free) char *text = NULL;
	struct router_config *config = NULL;
	struct problem problem;
	const char *port = strstr(members, "\"ports\"") ? "" : ", \"ports\": [{\"bridge\": \"xltestbr\", \"handle\": 5}]";
	const char *type = strstr(members, "\"type\"") ? "" : ", \"type\": \"pv\""; /* boots in any emulator */

	ck_assert_int_gt(asprintf(&text,
				  "{\"name\": \"xltest-%d\", \"uuid\": \"" UUID "\", \"cmdline\": \"console=hvc0 quiet "
				  "mitigations=off addr=\"%s%s%s%s}",
				  n, n, type, port, *members ? ", " : "", members),
			 0);
	AUTO(json_decref) json_t *json = json_loads(text, 0, NULL);
	ck_assert_msg(json, "%s", text);
	ck_assert_msg(router_config_parse(json, &config, &problem) == 0, "%s", problem.text);
	return config;
}

static unsigned create(int n, const char *members)
{
	AUTO(router_config_free) struct router_config *config = config_of(n, members);
	struct outcome outcome = { .done = false };

	ops->create(driver, config, done, &outcome);
	good(&outcome);
	return outcome.id;
}

static void create_fails(int n, const char *members, int code, const char *word)
{
	AUTO(router_config_free) struct router_config *config = config_of(n, members);
	struct outcome outcome = { .done = false };

	ops->create(driver, config, done, &outcome);
	bad(&outcome, code, word);
}

/* ops->FUNCTION(driver, id, ..., done) and its end */
#define GOOD(function, ...)                                                \
	do {                                                               \
		struct outcome outcome_ = { .done = false };               \
		ops->function(driver, __VA_ARGS__, done, &outcome_);       \
		good(&outcome_);                                           \
	} while (0)
#define BAD(code, word, function, ...)                                     \
	do {                                                               \
		struct outcome outcome_ = { .done = false };               \
		ops->function(driver, __VA_ARGS__, done, &outcome_);       \
		bad(&outcome_, code, word);                                \
	} while (0)

static bool find(unsigned id, struct domain_info *info_out)
{
	AUTO(free) struct domain_info *infos = NULL;
	struct problem problem;
	size_t n;

	ck_assert_msg(ops->list(driver, &infos, &n, &problem) == 0, "%s", problem.text);
	for (size_t i = 0; i < n; i++) {
		if (infos[i].id != id)
			continue;
		*info_out = infos[i];
		return true;
	}
	return false;
}

static int n_domains(void)
{
	AUTO(free) struct domain_info *infos = NULL;
	struct problem problem;
	size_t n;

	ck_assert_int_eq(ops->list(driver, &infos, &n, &problem), 0);
	return n;
}

static bool node_is(unsigned id, const char *path, const char *wanted)
{
	AUTO(free) char *value = NULL;

	return tree_read(tree, PATH("/local/domain/%u/%s", id, path), &value) == 0 && strcmp(value, wanted) == 0;
}

/* The lab's guest has no init that a kernel's wish to power off could reach. */
static void teach_poweroff(unsigned id)
{
	ck_assert_int_eq(sh("printf '%%s\\n' 'mkdir -p /sbin; printf \"#!/bin/sh\\nexec /bin/poweroff -f\\n\" >/sbin/poweroff; "
			    "chmod 755 /sbin/poweroff' > $(xenstore-read /local/domain/%u/console/tty)",
			    id),
			 0);
}

/* Its kernel listens and its interface is up: soon it has nothing left to do. */
static void wait_for_guest(unsigned id)
{
	for (int i = 0; i < SECONDS * 10; i++) {
		if (node_is(id, "control/feature-suspend", "1") && node_is(id, "device/vif/5/state", "4"))
			break;
		run(NULL, 100);
	}
	ck_assert_msg(node_is(id, "device/vif/5/state", "4"), "the guest does not come up");
	run(NULL, 5000);
	if (!getenv("XEBRA_TEST_IMAGES"))
		teach_poweroff(id);
	run(NULL, 1000);
}

/* A shell's word on the domain, for `grep -q`. */
static void xl_says(const char *command, const char *pattern)
{
	ck_assert_msg(sh("%s 2>&1 | grep -Eq -- '%s' || { %s; false; }", command, pattern, command) == 0, "%s: no %s", command,
		      pattern);
}

/* --- tests --- */

START_TEST(host)
{
	AUTO(json_decref) json_t *json = NULL;
	struct problem problem;
	struct domain_info info;

	ck_assert_msg(ops->host(driver, &json, &problem) == 0, "%s", problem.text);
	AUTO(free) char *text = json_dumps(json, 0);
	printf("# %s\n", text);
	ck_assert_str_eq(json_string_value(json_object_get(json, "driver")), "xl");
	ck_assert_int_gt(json_integer_value(json_object_get(json, "memory_free_mib")), 0);
	ck_assert(json_is_array(json_object_get(json, "vfs")));
	ck_assert(find(0, &info));
	ck_assert_str_eq(info.name, "Domain-0");
}
END_TEST

START_TEST(life)
{
	struct domain_info info;
	unsigned id = create(1, "\"weight\": 300, \"cap\": 80");

	ck_assert(find(id, &info));
	ck_assert(info.paused);
	ck_assert_str_eq(info.name, "xltest-1");
	ck_assert_str_eq(info.uuid, "00000001-89ab-4def-8123-456789abcdef");
	ck_assert_uint_eq(info.vcpus, 1);
	xl_says("xl list -l xltest-1", "\"bridge\": \"xltestbr\"");
	xl_says("xl network-list xltest-1", "^5 ");
	xl_says("xl sched-credit2 -d xltest-1", " 300 +80");
	xl_says("ls /sys/class/net/xltestbr/brif", "vif[0-9]*.5");

	GOOD(unpause, id);
	wait_for_guest(id);
	GOOD(pause, id);
	ck_assert(find(id, &info) && info.paused);
	GOOD(unpause, id);
	ck_assert(find(id, &info) && !info.paused);
	ck_assert_int_eq(seen.n, 0);

	GOOD(shutdown, id, false);
	wait_event(1, DOMAIN_POWEROFF, id);
	ck_assert_str_eq(seen.uuid, info.uuid);
	ck_assert(find(id, &info) && info.shutdown && !info.crashed);
	GOOD(destroy, id);
	ck_assert(!find(id, &info));
	run(NULL, 500);
	ck_assert_int_eq(seen.n, 1);
	BAD(-ENOENT, "no such domain", destroy, id);
	BAD(-ENOENT, "", unpause, id);
}
END_TEST

/* Made, not run: a PVH guest needs more of an emulator than a PV guest. */
START_TEST(pvh)
{
	struct domain_info info;
	unsigned id = create(1, "\"type\": \"pvh\"");

	ck_assert(find(id, &info) && info.paused);
	xl_says("xl list -l xltest-1", "\"type\": \"pvh\"");
	xl_says("ls /sys/class/net/xltestbr/brif", "vif[0-9]*.5");
	GOOD(destroy, id);
}
END_TEST

START_TEST(reboot)
{
	unsigned id = create(1, "");

	GOOD(unpause, id);
	wait_for_guest(id);
	GOOD(shutdown, id, true);
	wait_event(1, DOMAIN_REBOOT, id);
	GOOD(destroy, id);
}
END_TEST

START_TEST(crash)
{
	struct domain_info info;
	unsigned id = create(1, "\"cmdline\": \"console=hvc0 quiet mitigations=off rdinit=/no/such/init root=/dev/none\"");

	GOOD(unpause, id);
	wait_event(1, DOMAIN_CRASH, id);
	ck_assert(find(id, &info) && info.crashed);
	GOOD(destroy, id);
}
END_TEST

START_TEST(gone)
{
	struct domain_info info;
	unsigned id = create(1, "");

	ck_assert_int_eq(sh("xl destroy xltest-1"), 0);
	wait_event(1, DOMAIN_GONE, id);
	run(NULL, 500);
	ck_assert_int_eq(seen.n, 1);
	ck_assert(!find(id, &info));
}
END_TEST

/* Another's guest is in the list and nowhere else. */
START_TEST(others)
{
	ck_assert_int_eq(sh("printf \"name='xltest-9'\\nmemory=128\\nkernel='%s/router/kernel'\\nramdisk='%s/router/initramfs'\\n\" "
			    "> %s/x.cfg && xl create -p -q %s/x.cfg",
			    images, images, folder, folder),
			 0);
	unsigned id = create(1, "");
	ck_assert_int_eq(n_domains(), 3);
	ck_assert_int_eq(sh("xl destroy xltest-9"), 0);
	run(NULL, 1000);
	ck_assert_int_eq(seen.n, 0);
	GOOD(destroy, id);
}
END_TEST

/* What ran before is watched as well. */
START_TEST(adopted)
{
	unsigned id = create(1, "");

	GOOD(unpause, id);
	wait_for_guest(id);
	close_driver();
	open_driver();
	ck_assert_int_eq(seen.n, 0);
	GOOD(shutdown, id, false);
	wait_event(1, DOMAIN_POWEROFF, id);
	close_driver();
	open_driver(); /* and what ended in between is told */
	wait_event(1, DOMAIN_POWEROFF, id);
	GOOD(destroy, id);
}
END_TEST

START_TEST(refusals)
{
	int domains = n_domains();
	unsigned id = create(1, "");

	create_fails(1, "", -EEXIST, "xltest-1: domain");
	create_fails(2, "\"uuid\": \"00000001-89ab-4def-8123-456789abcdef\"", -EEXIST, "UUID");
	GOOD(destroy, id);
	create_fails(2, "\"image\": \"nothing\"", -ENOENT, "xebra-mkimage nothing");
	create_fails(2, "\"kernel\": \"/no/kernel\"", -ENOENT, "/no/kernel: No such file");
	create_fails(2, "\"memory\": 60000", -ENOMEM, "60");
	create_fails(2, "\"pool\": \"nopool\"", -ENOENT, "CPU pool nopool");
	create_fails(2, "\"cpus\": \"77\"", -EINVAL, "CPU 77");
	create_fails(2, "\"ports\": [{\"bridge\": \"br0\", \"backend\": \"nodd\"}]", -ENOENT, "nodd");
	/* found by libxl half-way, with the domain made */
	create_fails(2, "\"ports\": [{\"bridge\": \"nobridge\"}]", -EIO, "nobridge");
	create_fails(2, "\"kernel\": \"/etc/passwd\"", -EIO, "xltest-2: libxl_domain_create_new");
	create_fails(2, "\"disks\": [\"/no/such/disk,raw,xvda,w\"]", -EIO, "/no/such/disk");
	ck_assert_int_eq(n_domains(), domains);
	ck_assert_int_eq(seen.n, 0);
}
END_TEST

START_TEST(saved)
{
	AUTO(router_config_free) struct router_config *config = config_of(1, "");
	AUTO(router_config_free) struct router_config *other = config_of(2, "");
	char file[128], part[160];
	struct stat about;
	struct domain_info info;
	unsigned id = create(1, "");

	snprintf(file, sizeof file, "%s/1.saved", folder);
	snprintf(part, sizeof part, "%s.part", file);
	BAD(-EBUSY, "paused", save, id, file);
	GOOD(unpause, id);
	BAD(-EBUSY, "not up yet", save, id, file);
	wait_for_guest(id);
	BAD(-ENOENT, "/no/such", save, id, "/no/such/file.saved");
	ck_assert(find(id, &info) && !info.shutdown);

	GOOD(save, id, file);
	ck_assert_int_eq(stat(file, &about), 0);
	ck_assert_int_eq(about.st_mode & 0777, 0600);
	ck_assert_int_gt(about.st_size, 16 << 20);
	ck_assert_int_ne(stat(part, &about), 0);
	ck_assert(!find(id, &info));
	run(NULL, 500);
	ck_assert_int_eq(seen.n, 0);

	BAD(-EINVAL, "xltest-1", restore, other, file);
	BAD(-EINVAL, "no saved router", restore, config, "/etc/hostname");
	struct outcome outcome = { .done = false };
	ops->restore(driver, config, file, done, &outcome);
	good(&outcome);
	id = outcome.id;
	ck_assert(find(id, &info) && info.paused);
	ck_assert_str_eq(info.uuid, config->uuid);
	GOOD(unpause, id);
	run(NULL, 3000);
	GOOD(shutdown, id, false);
	wait_event(1, DOMAIN_POWEROFF, id);
	GOOD(destroy, id);
}
END_TEST

/* The save ends half-way: the guest runs on, is watched as before, and no file is left. */
START_TEST(save_fails)
{
	struct rlimit small = { 8 << 20, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
	char file[128];
	struct domain_info info;
	unsigned id = create(1, "");

	snprintf(file, sizeof file, "%s/1.saved", folder);
	GOOD(unpause, id);
	wait_for_guest(id);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	BAD(-EIO, "libxl_domain_suspend", save, id, file);
	setrlimit(RLIMIT_FSIZE, &all);
	ck_assert_int_ne(sh("ls %s/*.saved* 2>&-", folder), 0);
	ck_assert(find(id, &info) && !info.shutdown && !info.paused);
	run(NULL, 1000);
	ck_assert_int_eq(seen.n, 0);
	GOOD(shutdown, id, false);
	wait_event(1, DOMAIN_POWEROFF, id);
	GOOD(destroy, id);
}
END_TEST

/* The process dies in the middle of a save: the next one's unpause makes the guest run again. */
START_TEST(save_cut_short)
{
	char file[128];
	struct domain_info info;
	unsigned id = create(1, "");
	int status;

	snprintf(file, sizeof file, "%s/1.saved", folder);
	GOOD(unpause, id);
	wait_for_guest(id);
	close_driver();
	pid_t child = fork();
	if (child == 0) {
		struct outcome outcome = { .done = false };
		event_reinit(loop);
		open_driver();
		ops->save(driver, id, file, done, &outcome);
		while (find(id, &info) && !info.shutdown && !outcome.done)
			event_base_loop(loop, EVLOOP_ONCE);
		_exit(outcome.done);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	open_driver();
	run(NULL, 1000);
	ck_assert_int_eq(seen.n, 0);
	ck_assert(find(id, &info) && info.shutdown && !info.crashed);
	ck_assert_int_ne(access(file, F_OK), 0);
	GOOD(unpause, id);
	ck_assert(find(id, &info) && !info.shutdown);
	run(NULL, 1000);
	GOOD(shutdown, id, false);
	wait_event(1, DOMAIN_POWEROFF, id);
	GOOD(destroy, id);
}
END_TEST

START_TEST(tuned)
{
	unsigned id = create(1, "\"memory\": 160, \"vcpus\": 2");
	struct domain_info info;
	AUTO(router_config_free) struct router_config *less =
		config_of(1, "\"memory\": 140, \"weight\": 700, \"cap\": 33, \"cpus\": \"0\", \"vcpus\": 1");
	AUTO(router_config_free) struct router_config *more = config_of(1, "\"memory\": 170, \"weight\": 5");
	AUTO(router_config_free) struct router_config *many = config_of(1, "\"vcpus\": 3, \"weight\": 5");
	AUTO(router_config_free) struct router_config *none = config_of(1, "\"pool\": \"nopool\", \"weight\": 5");
	AUTO(router_config_free) struct router_config *back = config_of(1, "\"memory\": 160, \"vcpus\": 2");

	GOOD(unpause, id);
	wait_for_guest(id);
	GOOD(set, id, less, TUNE_MEMORY | TUNE_WEIGHT | TUNE_CAP | TUNE_CPUS | TUNE_VCPUS);
	run(NULL, 3000);
	xl_says("xl sched-credit2 -d xltest-1", " 700 +33");
	xl_says("xl vcpu-list xltest-1", " (0|all) / all"); /* all: a host with one CPU */
	ck_assert(find(id, &info));
	ck_assert_uint_le(info.memory_kib, 142 << 10);
	ck_assert_uint_eq(info.vcpus, 1);

	BAD(-EINVAL, "memory: at most 160 MiB", set, id, more, TUNE_WEIGHT | TUNE_MEMORY);
	BAD(-EINVAL, "vcpus: from 1 to 2", set, id, many, TUNE_WEIGHT | TUNE_VCPUS);
	BAD(-ENOENT, "nopool", set, id, none, TUNE_WEIGHT | TUNE_POOL);
	xl_says("xl sched-credit2 -d xltest-1", " 700 +33");

	GOOD(set, id, back, TUNE_MEMORY | TUNE_CPUS | TUNE_VCPUS | TUNE_CAP);
	run(NULL, 3000);
	xl_says("xl sched-credit2 -d xltest-1", " 700 +0");
	ck_assert(node_is(id, "cpu/1/availability", "online")); /* udev in the guest does the rest */
	GOOD(destroy, id);
	BAD(-ENOENT, "", set, id, back, TUNE_WEIGHT);
}
END_TEST

START_TEST(ports)
{
	AUTO(router_config_free) struct router_config *config =
		config_of(1, "\"ports\": [{\"bridge\": \"xltestbr\", \"handle\": 5}, {\"bridge\": \"xltestbr\", \"handle\": 9}, "
			     "{\"bridge\": \"nobridge\", \"handle\": 2}]");
	unsigned id = create(1, "");

	for (int running = 0; running < 2; running++) {
		if (running) {
			GOOD(unpause, id);
			wait_for_guest(id);
		}
		GOOD(port_attach, id, config, 1);
		xl_says("xl network-list xltest-1", "^9 ");
		xl_says("ls /sys/class/net/xltestbr/brif", "vif[0-9]*.9");
		BAD(-EEXIST, "port e9", port_attach, id, config, 1);
		GOOD(port_detach, id, config, 1);
		ck_assert_int_ne(sh("xl network-list xltest-1 | grep -q '^9 '"), 0);
		BAD(-ENOENT, "port e9", port_detach, id, config, 1);
		BAD(-EIO, "nobridge", port_attach, id, config, 2);
		ck_assert_int_ne(sh("xl network-list xltest-1 | grep -q '^2 '"), 0);
	}
	xl_says("xl network-list xltest-1", "^5 ");
	GOOD(destroy, id);
}
END_TEST

START_TEST(at_the_same_time)
{
	enum { N = 3 };
	struct outcome made[N] = { 0 }, ended[N] = { 0 };
	int domains = n_domains();

	for (int i = 0; i < N; i++) {
		AUTO(router_config_free) struct router_config *config = config_of(i + 1, "");
		ops->create(driver, config, done, &made[i]);
	}
	for (int i = 0; i < N; i++) {
		run(&made[i].done, SECONDS * 1000);
		ck_assert_msg(made[i].problem.code == 0, "%s", made[i].problem.text);
	}
	ck_assert_int_eq(n_domains(), domains + N);
	for (int i = 0; i < N; i++)
		ops->destroy(driver, made[i].id, done, &ended[i]);
	for (int i = 0; i < N; i++) {
		run(&ended[i].done, SECONDS * 1000);
		ck_assert_msg(ended[i].problem.code == 0, "%s", ended[i].problem.text);
	}
	ck_assert_int_eq(n_domains(), domains);
}
END_TEST

/* Closing in the middle of a create breaks it off and leaves nothing. */
START_TEST(closed_half_way)
{
	static const int waits_ms[] = { 0, 300, 1000, 2500 };
	int domains = n_domains();

	for (size_t i = 0; i < N_ELEMENTS(waits_ms); i++) {
		AUTO(router_config_free) struct router_config *config = config_of(1, "");
		struct outcome outcome = { .done = false };
		ops->create(driver, config, done, &outcome);
		run(&outcome.done, waits_ms[i]);
		if (outcome.done)
			break;
		close_driver();
		ck_assert(outcome.done);
		printf("# after %d ms: %d %s\n", waits_ms[i], outcome.problem.code, outcome.problem.text);
		open_driver();
		if (outcome.problem.code == 0)
			GOOD(destroy, outcome.id);
		ck_assert_int_eq(n_domains(), domains);
	}
}
END_TEST

START_TEST(nothing_leaks)
{
	int first = 0;

	for (int i = 0; i < 4; i++) {
		unsigned id = create(1, "");
		GOOD(destroy, id);
		create_fails(1, "\"ports\": [{\"bridge\": \"nobridge\"}]", -EIO, "");
		if (i == 0)
			first = n_fds();
	}
	ck_assert_int_eq(n_fds(), first);
	close_driver();
	int closed = n_fds();
	for (int i = 0; i < 3; i++) {
		open_driver();
		close_driver();
	}
	ck_assert_int_eq(n_fds(), closed);
}
END_TEST

START_TEST(console)
{
	char **argv;
	struct problem problem;

	ck_assert_int_eq(ops->console(driver, 7, &argv, &problem), 0);
	ck_assert_str_eq(argv[0], "xl");
	ck_assert_str_eq(argv[4], "7");
	ck_assert_ptr_null(argv[5]);
	for (int i = 0; argv[i]; i++)
		free(argv[i]);
	free(argv);
}
END_TEST

/* With SR-IOV on this host: `echo 2 > /sys/class/net/.../device/sriov_numvfs` has been run. */
START_TEST(virtual_functions)
{
	AUTO(free) struct xl_vf *vfs = NULL;
	AUTO(json_decref) json_t *json = NULL;
	char members[256];
	struct problem problem = { .code = 0 };
	struct xl_vf vf;
	size_t n;

	ck_assert_int_eq(ops->vf_take(driver, "0000:77:00.0", "00:16:3e:00:00:77", &problem), -ENOENT);
	if (xl_vf_list("/sys", &vfs, &n) < 0 || n == 0) {
		printf("# no VF: not tested\n");
		return;
	}
	const char *bdf = vfs[0].bdf;
	for (int twice = 0; twice < 2; twice++)
		ck_assert_msg(ops->vf_take(driver, bdf, "00:16:3e:00:00:77", &problem) == 0, "%s", problem.text);
	xl_vf_find("/sys", bdf, &vf);
	ck_assert_str_eq(vf.driver, "pciback");
	ck_assert_int_eq(sh("ip link show %s | grep -q 'vf %u .*00:16:3e:00:00:77'", vf.pf, vf.index), 0);

	snprintf(members, sizeof members, "\"ports\": [{\"vf\": \"%s\"}, {\"bridge\": \"xltestbr\", \"handle\": 5}]", bdf);
	AUTO(router_config_free) struct router_config *config = config_of(1, members);
	unsigned id = create(1, members);
	ck_assert_int_eq(ops->host(driver, &json, &problem), 0);
	AUTO(free) char *text = json_dumps(json, 0);
	printf("# %s\n", text);
	ck_assert_ptr_nonnull(strstr(text, "\"owner\": \"xltest-1\""));
	ck_assert_int_eq(ops->vf_give_back(driver, bdf, &problem), -EBUSY);
	printf("# %s\n", problem.text);
	GOOD(unpause, id);
	wait_for_guest(id);
	run(NULL, 3000);
	GOOD(port_detach, id, config, 0);
	ck_assert_int_ne(sh("xl pci-list xltest-1 | grep -q '%s'", bdf), 0);
	GOOD(port_attach, id, config, 0);
	xl_says("xl pci-list xltest-1", bdf);
	GOOD(destroy, id);
	ck_assert_msg(ops->vf_give_back(driver, bdf, &problem) == 0, "%s", problem.text);
	xl_vf_find("/sys", bdf, &vf);
	ck_assert_str_ne(vf.driver, "pciback");
	ck_assert_int_eq(sh("ip link show %s | grep -q 'vf %u .*00:16:3e:00:00:77'", vf.pf, vf.index) == 0, 0);
}
END_TEST

/* --- all of it --- */

static const struct {
	const char *name;
	const TTest *const *test;
} tests[] = {
	{ "host", &host },
	{ "console", &console },
	{ "life", &life },
	{ "pvh", &pvh },
	{ "reboot", &reboot },
	{ "crash", &crash },
	{ "gone", &gone },
	{ "others", &others },
	{ "adopted", &adopted },
	{ "refusals", &refusals },
	{ "saved", &saved },
	{ "save_fails", &save_fails },
	{ "save_cut_short", &save_cut_short },
	{ "tuned", &tuned },
	{ "ports", &ports },
	{ "at_the_same_time", &at_the_same_time },
	{ "closed_half_way", &closed_half_way },
	{ "nothing_leaks", &nothing_leaks },
	{ "virtual_functions", &virtual_functions },
};

static void add_tests(Suite *suite, int n_names, char **names)
{
	for (size_t i = 0; i < N_ELEMENTS(tests); i++) {
		bool wanted = n_names == 0;
		for (int j = 0; j < n_names; j++)
			wanted |= strcmp(names[j], tests[i].name) == 0;
		if (!wanted)
			continue;
		TCase *one = tcase_create(tests[i].name);
		tcase_add_checked_fixture(one, start, clean);
		tcase_add_test(one, *tests[i].test);
		suite_add_tcase(suite, one);
	}
}

/* 0, or the exit code: this host cannot. */
static int prepare(void)
{
	const char *given = getenv("XEBRA_TEST_IMAGES");
	struct problem problem;

	loop = event_base_new();
	env = (struct domain_env){ .loop = loop, .image_dir = images, .event = event, .arg = &seen };
	int r = ops->open(&env, &driver, &problem);
	if (r < 0) {
		printf("%s: skipped\n", problem.text);
		return r == -ENODEV || r == -EACCES ? 77 : EXIT_FAILURE;
	}
	close_driver();
	if (tree_open("xenstore:", loop, &tree, &problem) < 0) {
		printf("%s\n", problem.text);
		return EXIT_FAILURE;
	}
	env.tree = tree;
	if (!mkdtemp(folder))
		return EXIT_FAILURE;
	snprintf(images, sizeof images, "%s", given ? given : folder);
	if (!given)
		sh("ln -s /usr/lib/xebra-lab/guest %s/router", folder);
	return sh("test -r %s/router/kernel || { echo no guest image: skipped; false; }", images) == 0 ? 0 : 77;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	int code = prepare();
	if (code)
		return code;
	Suite *suite = suite_create("domain-xl");
	add_tests(suite, argc - 1, argv + 1);
	SRunner *runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK); /* one loop, one libxl, as in xebrad */
	srunner_run_all(runner, CK_VERBOSE);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	tree_close(tree);
	event_base_free(loop);
	sh("rm -rf %s", folder);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
