/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The netns driver on this kernel, each test inside a network namespace of its own. A shell script stands in for xebra-guest
 * and a watch in this process for driverdomd. Needs root.
 */
#include "xebra/domain.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "libvnet/base/tree.h"
#include "xebra/net-tree.h"

#define PORT_NODES "/local/domain/0/xebra/net/port"
#define ANSWERS "/local/domain/0/data/xebra/net/port"

/* argv: --tree T --run-dir D. Ends on SIGTERM, or when somebody makes the file `die`. */
static const char guest_script[] = "#!/bin/sh\n"
				   "trap 'exit 0' TERM\n"
				   "echo \"$$ $1 $2\" > \"$4/began\"\n"
				   "while [ ! -e \"$4/die\" ]; do sleep 0.05 & wait; done\n";

static char dir[64], run_dir[80], tree_where[80], cgroup_top[64];
static struct event_base *loop;
static struct tree *tree;
static struct tree_watch *ports_watch;
static const char *driverdomd_says; /* NULL: it does not answer */
static void *driver;

static struct {
	unsigned n, id;
	enum domain_event last;
} events;

static struct {
	bool over;
	unsigned id;
	struct problem problem;
} result;

/* --- around the driver --- */

static void answer_ports(void *arg, const char *path)
{
	char **names;
	size_t n;

	(void)arg;
	(void)path;
	if (!driverdomd_says || tree_list(tree, PORT_NODES, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		AUTO(free) char *old = NULL;
		if (tree_read(tree, PATH(ANSWERS "/%s", names[i]), &old) < 0 || strcmp(old, driverdomd_says) != 0)
			ck_assert_int_eq(tree_write(tree, PATH(ANSWERS "/%s", names[i]), driverdomd_says), 0);
	}
	tree_names_free(names, n);
}

static void note_event(void *arg, unsigned id, const char *uuid, enum domain_event event)
{
	(void)arg;
	ck_assert_uint_eq(strlen(uuid), UUID_TEXT_SIZE - 1);
	events.n++;
	events.id = id;
	events.last = event;
}

static void open_all(void)
{
	struct problem problem = { 0 };

	loop = event_base_new();
	ck_assert_msg(tree_open(tree_where, loop, &tree, &problem) == 0, "%s", problem.text);
	ck_assert_int_eq(tree_watch(tree, "/local/domain/0/xebra/net", answer_ports, NULL, &ports_watch), 0);
	struct domain_env env = { .loop = loop, .tree = tree, .tree_where = tree_where, .run_dir = run_dir, .event = note_event };
	ck_assert_msg(domain_netns.open(&env, &driver, &problem) == 0, "%s", problem.text);
}

static void close_all(void)
{
	domain_netns.close(driver);
	tree_close(tree);
	event_base_free(loop);
}

static void make_script(const char *path)
{
	FILE *out = fopen(path, "we");

	fputs(guest_script, out);
	fchmod(fileno(out), 0755);
	fclose(out);
}

static void setup(void)
{
	char guest[80];

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* so that no process can hide from nothing_left */
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	ck_assert_int_eq(system("ip link add name testbr type bridge && ip link set testbr up"), 0);
	snprintf(dir, sizeof dir, "/tmp/test-domain-netns-%d-XXXXXX", getppid());
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(run_dir, sizeof run_dir, "%s/run", dir);
	ck_assert_int_eq(mkdir(run_dir, 0700), 0);
	snprintf(tree_where, sizeof tree_where, "dir:%s/tree", dir);
	snprintf(cgroup_top, sizeof cgroup_top, "xebra-test-%d-%d", getppid(), getpid());
	setenv("XEBRA_CGROUP", cgroup_top, 1);
	snprintf(guest, sizeof guest, "%s/guest", dir);
	make_script(guest);
	setenv("XEBRA_GUEST", guest, 1);
	driverdomd_says = "active";
	memset(&events, 0, sizeof events);
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* Runs the loop until `*flag`, at most `limit_ms`. */
static bool run_until(const bool *flag, unsigned limit_ms)
{
	struct timeval period = { .tv_usec = 10000 };
	struct event *ticks = event_new(loop, -1, EV_PERSIST, tick, NULL);

	event_add(ticks, &period);
	for (long long limit = now_ms() + limit_ms; !*flag && now_ms() < limit;)
		event_base_loop(loop, EVLOOP_ONCE);
	event_free(ticks);
	return *flag;
}

static void run_for(unsigned ms)
{
	bool never = false;

	run_until(&never, ms);
}

static void note_done(void *arg, unsigned id, const struct problem *problem)
{
	ck_assert_ptr_eq(arg, &result);
	ck_assert_msg(!result.over, "done was called twice");
	result.over = true;
	result.id = id;
	result.problem = *problem;
}

/* What every operation here begins and ends with. */
static void begin(void)
{
	memset(&result, 0, sizeof result);
}

static int finish(void)
{
	ck_assert_msg(!result.over, "done came from inside the call");
	ck_assert_msg(run_until(&result.over, 20000), "done never came");
	return result.problem.code;
}

#define DO(operation, ...)                                                             \
	({                                                                             \
		begin();                                                               \
		domain_netns.operation(driver, __VA_ARGS__, note_done, &result);       \
		finish();                                                              \
	})
#define MUST(operation, ...) ck_assert_msg(DO(operation, __VA_ARGS__) == 0, "%s", result.problem.text)

static struct domain_info info_of(unsigned id)
{
	AUTO(free) struct domain_info *infos = NULL;
	struct domain_info info = { 0 };
	struct problem problem;
	size_t n;

	ck_assert_int_eq(domain_netns.list(driver, &infos, &n, &problem), 0);
	for (size_t i = 0; i < n; i++)
		if (infos[i].id == id)
			info = infos[i];
	return info;
}

/* --- what is there --- */

static bool in_run_dir(unsigned id, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/domains/%u/%s", run_dir, id, name);
	return access(path, F_OK) == 0;
}

static void wait_began(unsigned id)
{
	for (int i = 0; i < 500 && !in_run_dir(id, "began"); i++)
		run_for(10);
	ck_assert_msg(in_run_dir(id, "began"), "the guest did not begin");
}

static unsigned count_names(const char *path)
{
	DIR *names = opendir(path);
	unsigned n = 0;

	if (!names)
		return 0;
	for (struct dirent *entry; (entry = readdir(names));)
		n += entry->d_name[0] != '.';
	closedir(names);
	return n;
}

static unsigned count_fds(void)
{
	return count_names("/proc/self/fd");
}

/* Every cgroup mount of this machine that has (or had) our group. */
static unsigned count_groups(void)
{
	FILE *in = fopen("/proc/self/mountinfo", "re");
	char line[1024], mount_point[512], path[PATH_MAX];
	unsigned n = 0;

	while (fgets(line, sizeof line, in)) {
		if (!strstr(line, " - cgroup") || sscanf(line, "%*s %*s %*s %*s %511s", mount_point) != 1)
			continue;
		snprintf(path, sizeof path, "%s/%s", mount_point, cgroup_top);
		n += access(path, F_OK) == 0;
	}
	fclose(in);
	return n;
}

static void nothing_left(const char *when)
{
	struct if_nameindex *links = if_nameindex();
	char path[PATH_MAX], **names;
	size_t n;

	for (struct if_nameindex *link = links; link->if_index; link++)
		ck_assert_msg(strncmp(link->if_name, "vif", 3) != 0, "%s: device %s is left", when, link->if_name);
	if_freenameindex(links);
	ck_assert_msg(count_groups() == 0, "%s: a control group is left", when);
	snprintf(path, sizeof path, "%s/domains", run_dir);
	ck_assert_msg(count_names(path) <= 1, "%s: more than last-id is left in %s", when, path);
	ck_assert_int_eq(tree_list(tree, "/local/domain", &names, &n), 0);
	ck_assert_msg(n == 1, "%s: nodes of %s are left", when, names[n - 1]);
	tree_names_free(names, n);
	if (tree_list(tree, PORT_NODES, &names, &n) == 0) {
		ck_assert_msg(n == 0, "%s: a port node is left", when);
		tree_names_free(names, n);
	}
	if (tree_list(tree, ANSWERS, &names, &n) == 0) {
		ck_assert_msg(n == 0, "%s: an answer is left", when);
		tree_names_free(names, n);
	}
	pid_t pid;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		;
	ck_assert_msg(pid < 0 && errno == ECHILD, "%s: a process is left", when);
}

/* --- routers --- */

static struct router_port ports[] = {
	{ .kind = PORT_SEGMENT, .name = "e0", .segment = "blue.l1", .mac = "00:16:3e:00:00:01", .mtu = 1400, .handle = 0 },
	{ .kind = PORT_SEGMENT, .name = "e1", .segment = "blue.l2", .mac = "00:16:3e:00:00:02", .handle = 1 },
	{ .kind = PORT_BRIDGE, .name = "e2", .bridge = "testbr", .mac = "00:16:3e:00:00:03", .handle = 2 },
	{ .kind = PORT_SEGMENT, .name = "e3", .segment = "blue.l3", .mac = "00:16:3e:00:00:04", .handle = 10 },
};

static const struct router_config config = {
	.name = "blue.r1",
	.uuid = "01234567-89ab-cdef-0123-456789abcdef",
	.memory_mib = 128,
	.vcpus = 1,
	.weight = 256,
	.ports = ports,
	.n_ports = 3,
};

static unsigned create(void)
{
	MUST(create, &config);
	return result.id;
}

/* What a person sees who types `command` at the console. */
static const char *at_console(unsigned id, const char *command)
{
	static char answer[1024];
	char line[2048] = "";
	struct problem problem;
	char **argv;

	ck_assert_msg(domain_netns.console(driver, id, &argv, &problem) == 0, "%s", problem.text);
	for (char **word = argv; *word; free(*word++))
		snprintf(line + strlen(line), sizeof line - strlen(line), "'%s' ", *word);
	free(argv);
	snprintf(line + strlen(line), sizeof line - strlen(line), "<<'END'\n%s\nEND\n", command);
	FILE *out = popen(line, "re");
	size_t n = fread(answer, 1, sizeof answer - 1, out);
	answer[n] = '\0';
	pclose(out);
	return answer;
}

/* The router's text of the knob, in whichever hierarchy it is. */
static const char *knob(unsigned id, const char *v2_file, const char *v1_controller, const char *v1_file)
{
	static char text[256];
	char path[PATH_MAX];

	snprintf(path, sizeof path, "/sys/fs/cgroup/%s/%u/%s", cgroup_top, id, v2_file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(path, sizeof path, "/sys/fs/cgroup/%s/%s/%u/%s", v1_controller, cgroup_top, id, v1_file);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return NULL;
	text[read(fd, text, sizeof text - 1)] = '\0';
	close(fd);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* Only the v1 hierarchies remain in sight. False: then there is no freezer. */
static bool hide_cgroup2(void)
{
	char type[64], mount_point[512], line[1024];
	bool freezer = false;

	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	FILE *in = fopen("/proc/self/mountinfo", "re");
	while (fgets(line, sizeof line, in)) {
		const char *super = strstr(line, " - ");
		if (!super || sscanf(super, " - %63s", type) != 1 || sscanf(line, "%*s %*s %*s %*s %511s", mount_point) != 1)
			continue;
		if (strcmp(type, "cgroup2") == 0)
			ck_assert_int_eq(umount2(mount_point, MNT_DETACH), 0);
		freezer |= strcmp(type, "cgroup") == 0 && strstr(super, "freezer");
	}
	fclose(in);
	return freezer;
}

/* --- tests --- */

static void kill_pid1(unsigned id)
{
	char path[PATH_MAX], text[512];
	int pid;

	snprintf(path, sizeof path, "%s/domains/%u/record", run_dir, id);
	FILE *in = fopen(path, "re");
	text[fread(text, 1, sizeof text - 1, in)] = '\0';
	fclose(in);
	ck_assert_int_eq(sscanf(strstr(text, "\"pid\":"), "\"pid\":%d", &pid), 1);
	ck_assert_int_gt(pid, 1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
}

START_TEST(life)
{
	unsigned fds = count_fds();
	char *began = NULL;

	if (_i == 1 && !hide_cgroup2())
		return;
	open_all();
	unsigned id = create();
	struct domain_info info = info_of(id);
	ck_assert(info.paused && !info.shutdown && !info.dying);
	ck_assert_str_eq(info.name, "blue.r1");
	ck_assert_str_eq(info.uuid, config.uuid);
	ck_assert_uint_eq(info.vcpus, 1);
	ck_assert_uint_gt(info.memory_kib, 0);
	run_for(200);
	ck_assert_msg(!in_run_dir(id, "began"), "the guest ran before unpause");

	MUST(unpause, id);
	wait_began(id);
	ck_assert(!info_of(id).paused);
	ck_assert_uint_gt(info_of(id).cpu_time_ns, 0);
	ck_assert_int_eq(tree_read(tree, PATH("/local/domain/%u/name", id), &began), 0);
	ck_assert_str_eq(began, "blue.r1");
	free(began);

	MUST(pause, id);
	ck_assert(info_of(id).paused);
	ck_assert_int_eq(DO(shutdown, id, false), -EBUSY);
	MUST(unpause, id);
	run_for(200);
	ck_assert_uint_eq(events.n, 0);
	MUST(shutdown, id, _i);
	for (int i = 0; i < 500 && !events.n; i++)
		run_for(10);
	ck_assert_uint_eq(events.n, 1);
	ck_assert_uint_eq(events.id, id);
	ck_assert_int_eq(events.last, _i ? DOMAIN_REBOOT : DOMAIN_POWEROFF);
	info = info_of(id);
	ck_assert(info.shutdown && !info.crashed && !info.paused);
	ck_assert_int_eq(DO(pause, id), -ESRCH);
	MUST(destroy, id);
	ck_assert_uint_eq(info_of(id).id, 0);
	nothing_left("after destroy");

	ck_assert_int_eq(DO(destroy, id), -ENOENT);
	unsigned next = create();
	ck_assert_uint_gt(next, id);
	MUST(destroy, next); /* paused */
	nothing_left("after destroy of a paused router");
	ck_assert_uint_eq(events.n, 1);
	close_all();
	ck_assert_uint_eq(count_fds(), fds);
}
END_TEST

START_TEST(inside)
{
	open_all();
	unsigned id = create();
	MUST(unpause, id);
	wait_began(id);
	ck_assert_str_eq(at_console(id, "echo \"$PS1\""), "blue.r1# \n");
	ck_assert_str_eq(at_console(id, "cat /sys/class/net/e0/address /sys/class/net/e0/mtu"), "00:16:3e:00:00:01\n1400\n");
	ck_assert_str_eq(at_console(id, "cat /sys/class/net/e1/address /sys/class/net/e1/mtu"), "00:16:3e:00:00:02\n1500\n");
	ck_assert_str_eq(at_console(id, "cd /sys/class/net && echo *"), "e0 e1 e2 lo\n");
	ck_assert_str_eq(at_console(id, "cut -d' ' -f1,2 </proc/1/stat"), "1 (guest)\n");
	ck_assert_str_eq(at_console(id, "ls -l /proc/1/fd | wc -l"), "5\n"); /* "total", 0, 1, 2, the shell's script */
	ck_assert_str_eq(at_console(id, "tr '\\0' '\\n' </proc/1/environ | sed -n 's/^container=//p'"), "xebra\n");
	char want[256], text[256] = "";
	snprintf(want, sizeof want, "1 --tree %s/local/domain/%u\n", tree_where, id);
	snprintf(text, sizeof text, "cat %s/domains/%u/began", run_dir, id);
	ck_assert_str_eq(at_console(id, text), want);
	ck_assert_int_eq(system("ip -o link show vif1.0 up | grep -q 'vif1.0.*fe:ff:ff:ff:ff:ff'"), 0);
	ck_assert_int_eq(system("ip -o link show vif1.2 master testbr | grep -q vif1.2"), 0);
	ck_assert_int_eq(system("grep -qx 1 /proc/sys/net/ipv6/conf/vif1.0/disable_ipv6"), 0);
	MUST(destroy, id);
	nothing_left("after destroy");
	close_all();
}
END_TEST

START_TEST(live_ports)
{
	struct router_config more = config;

	open_all();
	unsigned id = create();
	MUST(unpause, id);
	wait_began(id);
	more.n_ports = 4;
	MUST(port_attach, id, &more, 3);
	ck_assert_str_eq(at_console(id, "cat /sys/class/net/e3/address"), "00:16:3e:00:00:04\n");
	ck_assert_uint_ne(if_nametoindex("vif1.10"), 0);
	MUST(port_detach, id, &more, 1); /* vif1.1, and not vif1.10 */
	ck_assert_uint_eq(if_nametoindex("vif1.1"), 0);
	ck_assert_uint_ne(if_nametoindex("vif1.10"), 0);
	MUST(port_attach, id, &more, 1);
	MUST(port_attach, id, &more, 1); /* over what a crash left */
	MUST(port_detach, id, &more, 3);

	driverdomd_says = "error: no such segment";
	ck_assert_int_eq(DO(port_attach, id, &more, 3), -EIO);
	ck_assert_str_eq(result.problem.text, "router blue.r1: port e3: driverdomd: no such segment");
	ck_assert_uint_eq(if_nametoindex("vif1.10"), 0);
	ck_assert_str_eq(at_console(id, "cd /sys/class/net && echo *"), "e0 e1 e2 lo\n");
	MUST(destroy, id);
	nothing_left("after destroy");
	close_all();
}
END_TEST

static void note_busy(void *arg, unsigned id, const struct problem *problem)
{
	(void)id;
	*(struct problem *)arg = *problem;
}

START_TEST(refused)
{
	struct router_port port = ports[0];
	struct router_config bad = config;

	open_all();
	driverdomd_says = "error: no such segment";
	ck_assert_int_eq(DO(create, &config), -EIO);
	ck_assert_str_eq(result.problem.text, "router blue.r1: port e0: driverdomd: no such segment");
	nothing_left("after a refused port");

	driverdomd_says = NULL;
	ck_assert_int_eq(DO(create, &config), -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(result.problem.text, "driverdomd does not answer; is it running"));
	nothing_left("without driverdomd");

	unsigned id = 3; /* the next one; it is made, and waits for driverdomd */
	begin();
	domain_netns.create(driver, &config, note_done, &result);
	ck_assert(info_of(id).paused);
	struct problem busy = { 0 };
	domain_netns.destroy(driver, id, note_busy, &busy);
	kill_pid1(id);
	ck_assert_int_eq(finish(), -ESRCH);
	ck_assert_ptr_nonnull(strstr(result.problem.text, "its first process ended"));
	ck_assert_int_eq(busy.code, -EBUSY);
	driverdomd_says = "active";
	nothing_left("after its first process died");

	bad.ports = &port;
	bad.n_ports = 1;
	port.kind = PORT_VF;
	ck_assert_int_eq(DO(create, &bad), -ENOTSUP);
	port.kind = PORT_BRIDGE;
	strcpy(port.bridge, "nobridge");
	ck_assert_int_eq(DO(create, &bad), -ENOENT);
	ck_assert_ptr_nonnull(strstr(result.problem.text, "bridge nobridge: does not exist"));
	strcpy(port.bridge, "lo");
	ck_assert_int_lt(DO(create, &bad), 0);
	port.kind = PORT_SEGMENT;
	strcpy(port.name, "lo");
	ck_assert_int_eq(DO(create, &bad), -EEXIST);
	bad.n_ports = 0;
	bad.cpus = (char *)"4000";
	int r = DO(create, &bad);
	ck_assert(r == -EINVAL || r == 0 || r == -ERANGE || r == -ENODEV);
	unsigned made = result.id;
	if (r == 0)
		MUST(destroy, made); /* no cpuset controller here */
	setenv("XEBRA_GUEST", "/nonexistent/xebra-guest", 1);
	close_all();
	open_all();
	ck_assert_int_eq(DO(create, &config), -ENOENT);
	ck_assert_ptr_nonnull(strstr(result.problem.text, "install xebra-guest"));
	nothing_left("after failures");
	close_all();
}
END_TEST

START_TEST(tuned)
{
	struct router_config other = config;
	unsigned cpu_which = TUNE_WEIGHT | TUNE_CAP | TUNE_VCPUS;

	open_all();
	unsigned id = create();
	MUST(unpause, id);
	other.weight = 512;
	other.cap_percent = 150;
	other.vcpus = 2;
	other.memory_mib = 256;
	other.cpus = (char *)"0";
	if (knob(id, "cpu.weight", "cpu", "cpu.shares")) {
		bool v1 = strcmp(knob(id, "cpu.weight", "cpu", "cpu.shares"), "1024") == 0;
		MUST(set, id, &other, cpu_which);
		ck_assert_str_eq(knob(id, "cpu.weight", "cpu", "cpu.shares"), v1 ? "2048" : "200");
		ck_assert_str_eq(knob(id, "cpu.max", "cpu", "cpu.cfs_quota_us"), v1 ? "150000" : "150000 100000");
		ck_assert_uint_eq(info_of(id).vcpus, 2);
	} else
		ck_assert_int_eq(DO(set, id, &other, cpu_which), -ENOTSUP);
	if (knob(id, "memory.max", "memory", "memory.limit_in_bytes")) {
		ck_assert_str_eq(knob(id, "memory.max", "memory", "memory.limit_in_bytes"), "134217728");
		MUST(set, id, &other, TUNE_MEMORY);
		ck_assert_str_eq(knob(id, "memory.max", "memory", "memory.limit_in_bytes"), "268435456");
	}
	if (knob(id, "cpuset.cpus", "cpuset", "cpuset.cpus")) {
		MUST(set, id, &other, TUNE_CPUS);
		ck_assert_str_eq(knob(id, "cpuset.cpus", "cpuset", "cpuset.cpus"), "0");
		other.cpus = (char *)"4000";
		other.memory_mib = 300;
		ck_assert_int_lt(DO(set, id, &other, TUNE_CPUS | TUNE_MEMORY), 0);
		ck_assert_ptr_nonnull(strstr(result.problem.text, "router blue.r1: cpus: cannot be set"));
		ck_assert_str_eq(knob(id, "cpuset.cpus", "cpuset", "cpuset.cpus"), "0");
	}
	strcpy(other.pool, "fast");
	ck_assert_int_eq(DO(set, id, &other, TUNE_POOL), -ENOTSUP);
	MUST(destroy, id);
	nothing_left("after destroy");
	close_all();
}
END_TEST

START_TEST(crash)
{
	open_all();
	unsigned id = create();
	MUST(unpause, id);
	wait_began(id);
	kill_pid1(id);
	for (int i = 0; i < 500 && !events.n; i++)
		run_for(10);
	ck_assert_uint_eq(events.n, 1);
	ck_assert_int_eq(events.last, DOMAIN_CRASH);
	ck_assert(info_of(id).shutdown && info_of(id).crashed);
	struct problem problem;
	char **argv;
	ck_assert_int_eq(domain_netns.console(driver, id, &argv, &problem), -ESRCH);
	ck_assert_int_eq(DO(shutdown, id, false), -ESRCH);
	MUST(destroy, id);
	nothing_left("after destroy");
	close_all();
}
END_TEST

START_TEST(reopened)
{
	unsigned fds = count_fds();

	open_all();
	unsigned running = create(), paused = create(), dead = create();
	MUST(unpause, running);
	MUST(unpause, dead);
	wait_began(running);
	wait_began(dead);
	close_all();
	kill_pid1(dead);

	open_all();
	ck_assert_uint_eq(events.n, 0);
	run_for(50);
	ck_assert_uint_eq(events.n, 1);
	ck_assert_uint_eq(events.id, dead);
	ck_assert_int_eq(events.last, DOMAIN_CRASH);
	ck_assert(!info_of(running).paused && !info_of(running).shutdown);
	ck_assert(info_of(paused).paused);
	ck_assert_msg(!in_run_dir(paused, "began"), "a paused router ran");
	ck_assert_uint_eq(info_of(running).vcpus, 1);
	MUST(destroy, dead);
	MUST(unpause, paused);
	wait_began(paused);
	MUST(shutdown, running, true);
	for (int i = 0; i < 500 && events.n < 2; i++)
		run_for(10);
	ck_assert_int_eq(events.last, DOMAIN_REBOOT);
	close_all();
	open_all(); /* told again: the last one may not have heard */
	run_for(50);
	ck_assert_uint_eq(events.n, 3);
	ck_assert_int_eq(events.last, DOMAIN_REBOOT);
	MUST(destroy, running);
	MUST(destroy, paused);
	nothing_left("after destroy");
	unsigned next = create();
	ck_assert_uint_gt(next, dead);
	MUST(destroy, next);
	close_all();
	ck_assert_uint_eq(count_fds(), fds);
}
END_TEST

static const struct {
	const char *place;
	bool ready; /* the router is whole, or was */
} deaths[] = {
	{ "number", false }, { "record", false }, { "nodes", false },	    { "groups", false }, { "forked", false },
	{ "pid1", false },   { "paused", false }, { "ports", false },	    { "announced", false }, { "ready", true },
	{ "ending", false }, { "killed", false }, { "swept", false },	    { "port-announced", true },
};

/* Creates, changes and destroys a router, and dies on the way. */
static void live_and_die(const char *place)
{
	struct router_config more = config;

	setenv("XEBRA_FAILPOINT", place, 1);
	open_all();
	unsigned id = create();
	MUST(unpause, id);
	more.n_ports = 4;
	MUST(port_attach, id, &more, 3);
	MUST(destroy, id);
}

START_TEST(killed)
{
	const char *place = deaths[_i].place;
	int status;

	pid_t pid = fork();
	if (pid == 0) {
		live_and_die(place);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it did not die at '%s'", place);

	open_all();
	struct domain_info info = info_of(1);
	ck_assert_msg((info.id == 1) == deaths[_i].ready, "%s: wrong list", place);
	if (deaths[_i].ready) {
		if (info.paused)
			MUST(unpause, 1);
		wait_began(1);
		MUST(destroy, 1);
	}
	nothing_left(place);
	run_for(50);
	ck_assert_uint_eq(events.n, 0);
	ck_assert_uint_eq(create(), 2);
	MUST(destroy, 2);
	nothing_left(place);
	close_all();
}
END_TEST

/* The agent of this build, and what net_tree_guest writes for it. */
START_TEST(real_guest)
{
	char guest[PATH_MAX], *addresses[] = { (char *)"10.0.1.1/30" };
	struct router_port port = ports[0];
	struct router_config real = config;

	if (!realpath("xebra-guest", guest)) {
		fprintf(stderr, "no ./xebra-guest: not tested with it\n");
		return;
	}
	setenv("XEBRA_GUEST", guest, 1);
	open_all();
	port.addresses = (struct text_list){ .texts = addresses, .n = 1 };
	real.ports = &port;
	real.n_ports = 1;
	real.hostname = (char *)"r1";
	MUST(create, &real);
	unsigned id = result.id;
	ck_assert_int_eq(net_tree_guest(tree, id, &real), 0);
	MUST(unpause, id);
	AUTO(free) char *applied = NULL;
	for (int i = 0; i < 500 && tree_read(tree, PATH("/local/domain/%u/data/xebra/applied", id), &applied) < 0; i++)
		run_for(10);
	ck_assert_ptr_nonnull(applied);
	ck_assert_str_eq(applied, "1");
	ck_assert_str_eq(at_console(id, "hostname; ip -o -4 addr show dev e0 | grep -c 10.0.1.1/30"), "r1\n1\n");
	char ours[256] = "";
	ck_assert_int_eq(gethostname(ours, sizeof ours), 0);
	ck_assert_str_ne(ours, "r1");
	MUST(shutdown, id, false);
	for (int i = 0; i < 1000 && !events.n; i++)
		run_for(10);
	ck_assert_uint_eq(events.n, 1);
	ck_assert_int_eq(events.last, DOMAIN_POWEROFF);
	MUST(destroy, id);
	nothing_left("after destroy");
	close_all();
}
END_TEST

START_TEST(host)
{
	struct problem problem;
	json_t *json;

	open_all();
	ck_assert_int_eq(domain_netns.host(driver, &json, &problem), 0);
	ck_assert_str_eq(json_string_value(json_object_get(json, "driver")), "netns");
	ck_assert_int_eq(strncmp(json_string_value(json_object_get(json, "version")), "netns ", 6), 0);
	ck_assert_int_ge(json_integer_value(json_object_get(json, "cpus")), 1);
	ck_assert_int_gt(json_integer_value(json_object_get(json, "memory_mib")),
			 json_integer_value(json_object_get(json, "memory_free_mib")));
	json_decref(json);
	nothing_left("after nothing");
	close_all();
}
END_TEST

static void in_our_groups(const char *command)
{
	char line[512];

	snprintf(line, sizeof line, "exec 2>/dev/null; for d in /sys/fs/cgroup/xebra-test-%d-* /sys/fs/cgroup/*/xebra-test-%d-*; do "
				    "%s; done; true", getpid(), getpid(), command);
	if (system(line) != 0)
		fprintf(stderr, "something is left: %s\n", line);
}

/* What failed tests have left; their routers have become our children. */
static void clean_up(void)
{
	char path[64];
	int pid;

	in_our_groups("for f in $d/*/freezer.state; do echo THAWED >$f; done");
	snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
	FILE *in = fopen(path, "re");
	while (in && fscanf(in, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	if (in)
		fclose(in);
	while (wait(NULL) > 0)
		;
	in_our_groups("rmdir $d/[0-9]* $d");
	snprintf(path, sizeof path, "rm -rf /tmp/test-domain-netns-%d-*", getpid());
	if (system(path) != 0)
		fprintf(stderr, "something is left: %s\n", path);
}

int main(void)
{
	if (geteuid() != 0) {
		fprintf(stderr, "skipped: needs root\n");
		return 77;
	}
	if (system("unshare -n ip link add name testbr type bridge") != 0) {
		fprintf(stderr, "skipped: needs network namespaces, ip and the kernel's bridge\n");
		return 77;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	Suite *suite = suite_create("domain-netns");
	TCase *tests = tcase_create("driver");
	SRunner *runner = srunner_create(suite);

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, life, 0, 2); /* as the machine is; without cgroup v2 */
	tcase_add_test(tests, inside);
	tcase_add_test(tests, live_ports);
	tcase_add_test(tests, refused);
	tcase_add_test(tests, tuned);
	tcase_add_test(tests, crash);
	tcase_add_test(tests, reopened);
	tcase_add_loop_test(tests, killed, 0, N_ELEMENTS(deaths));
	tcase_add_test(tests, real_guest);
	tcase_add_test(tests, host);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	if (failed)
		clean_up();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
