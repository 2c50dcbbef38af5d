/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver virt against TEST_URI: libvirt's own test driver, or a real QEMU (exits 77 where there is none). For QEMU
 * the image is XEBRA_TEST_IMAGES/router (77 without), and XEBRA_VIRT_TYPE=qemu chooses emulation where KVM does not
 * work.
 */
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <time.h>

#include "libvnet/base/tree.h"
#include "xebra/domain.h"

#ifndef TEST_URI
#define TEST_URI "test:///default"
#endif
#define UUID "01234567-89ab-4def-8123-456789abcdef"

enum { SECONDS = 60 };

static const struct domain_ops *ops = &domain_virt;
static struct event_base *loop;
static struct domain_env env;
static struct tree *tree;
static void *driver;
static bool is_test_driver;

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

static void wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void run(const bool *flag, int ms)
{
	struct timeval tick = { .tv_usec = 10000 };
	struct event *ticker = event_new(loop, -1, EV_PERSIST, wake, NULL);

	event_add(ticker, &tick);
	for (int i = 0; i < ms / 10 && !(flag && *flag); i++)
		event_base_loop(loop, EVLOOP_ONCE);
	event_free(ticker);
}

static void finish(struct outcome *outcome)
{
	ck_assert_msg(!outcome->done, "done from inside the call");
	run(&outcome->done, SECONDS * 1000);
	ck_assert_msg(outcome->done, "not done in time");
}

/* ops->FUNCTION(driver, ..., done) and its end: as expected, or with a code and a word in the text. */
#define GOOD(outcome_, function, ...)                                                             \
	do {                                                                                      \
		*(outcome_) = (struct outcome){ .done = false };                                  \
		ops->function(driver, __VA_ARGS__, done, (outcome_));                             \
		finish(outcome_);                                                                 \
		ck_assert_msg((outcome_)->problem.code == 0, "%s", (outcome_)->problem.text);     \
	} while (0)
#define BAD(wanted_code, word, function, ...)                                                     \
	do {                                                                                      \
		struct outcome outcome_ = { .done = false };                                      \
		ops->function(driver, __VA_ARGS__, done, &outcome_);                              \
		finish(&outcome_);                                                                \
		ck_assert_msg(outcome_.problem.code == (wanted_code) && strstr(outcome_.problem.text, word), "%d: %s", \
			      outcome_.problem.code, outcome_.problem.text);                      \
	} while (0)

static struct router_config *config_of(const char *members)
{
	AUTO(free) char *text = NULL;
	struct router_config *config = NULL;
	struct problem problem;

	ck_assert_int_gt(asprintf(&text, "{\"name\": \"virttest-1\", \"uuid\": \"" UUID "\"%s%s}", *members ? ", " : "", members), 0);
	AUTO(json_decref) json_t *json = json_loads(text, 0, NULL);
	ck_assert_msg(json && router_config_parse(json, &config, &problem) == 0, "%s", text);
	return config;
}

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

static void wait_event(int n, enum domain_event what, unsigned id)
{
	for (int i = 0; i < SECONDS * 10 && seen.n < n; i++)
		run(NULL, 100);
	ck_assert_int_eq(seen.n, n);
	ck_assert_int_eq(seen.event, what);
	ck_assert_uint_eq(seen.id, id);
	ck_assert_str_eq(seen.uuid, UUID);
}

static void open_driver(void)
{
	struct problem problem;

	ck_assert_msg(ops->open(&env, &driver, &problem) == 0, "%s", problem.text);
}

static void start(void)
{
	seen.n = 0;
	open_driver();
}

static void stop(void)
{
	if (driver)
		ops->close(take(driver));
}

/* As another program would. */
static void others_destroy(const char *uuid)
{
	virConnectPtr connection = virConnectOpen(TEST_URI);
	virDomainPtr domain = virDomainLookupByUUIDString(connection, uuid);

	if (domain) {
		virDomainDestroy(domain);
		virDomainFree(domain);
	}
	virConnectClose(connection);
}

START_TEST(host)
{
	AUTO(json_decref) json_t *json = NULL;
	struct problem problem;

	ck_assert_msg(ops->host(driver, &json, &problem) == 0, "%s", problem.text);
	ck_assert_str_eq(json_string_value(json_object_get(json, "driver")), "virt");
	ck_assert_int_gt(json_integer_value(json_object_get(json, "memory_mib")), 0);
	ck_assert(json_is_array(json_object_get(json, "vfs")));
}
END_TEST

START_TEST(unknown_uri)
{
	struct domain_env wrong = env;
	struct problem problem;
	void *none = NULL;

	wrong.uri = "nonsense:///system";
	ck_assert_int_eq(ops->open(&wrong, &none, &problem), -ENODEV);
	ck_assert_ptr_null(none);
	ck_assert_ptr_nonnull(strstr(problem.text, "nonsense:///system"));
}
END_TEST

START_TEST(life)
{
	AUTO(router_config_free) struct router_config *config = config_of("\"vcpus\": 2");
	AUTO(router_config_free) struct router_config *same_uuid = config_of("\"vcpus\": 1");
	struct outcome outcome;
	struct domain_info info;

	GOOD(&outcome, create, config);
	unsigned id = outcome.id;
	ck_assert(find(id, &info) && info.paused);
	ck_assert_str_eq(info.name, "virttest-1");
	ck_assert_str_eq(info.uuid, UUID);
	ck_assert_uint_eq(info.vcpus, 2);
	BAD(-EEXIST, "this name", create, config);
	strcpy(same_uuid->name, "virttest-2");
	BAD(-EEXIST, "virttest-1 has its UUID", create, same_uuid);
	GOOD(&outcome, unpause, id);
	GOOD(&outcome, unpause, id);
	ck_assert(find(id, &info) && !info.paused);
	GOOD(&outcome, pause, id);
	GOOD(&outcome, pause, id);
	ck_assert(find(id, &info) && info.paused);
	GOOD(&outcome, destroy, id);
	ck_assert(!find(id, &info));
	run(NULL, 300);
	ck_assert_int_eq(seen.n, 0);
	BAD(-ENOENT, "", destroy, id);
	BAD(-ENOENT, "", unpause, id);
}
END_TEST

/* After it has powered off it can still be destroyed, once. (QEMU's guest needs ACPI for this, the test driver none.) */
START_TEST(powered_off)
{
	AUTO(router_config_free) struct router_config *config = config_of("");
	struct outcome outcome;
	struct domain_info info;

	if (!is_test_driver)
		return;
	GOOD(&outcome, create, config);
	unsigned id = outcome.id;
	GOOD(&outcome, unpause, id);
	GOOD(&outcome, shutdown, id, false);
	wait_event(1, DOMAIN_POWEROFF, id);
	ck_assert(!find(id, &info));
	GOOD(&outcome, create, config); /* its successor is another */
	ck_assert_uint_ne(outcome.id, id);
	unsigned second = outcome.id;
	GOOD(&outcome, destroy, id);
	BAD(-ENOENT, "", destroy, id);
	ck_assert(find(second, &info));
	GOOD(&outcome, destroy, second);
	run(NULL, 300);
	ck_assert_int_eq(seen.n, 1);
}
END_TEST

START_TEST(gone)
{
	AUTO(router_config_free) struct router_config *config = config_of("");
	struct outcome outcome;

	GOOD(&outcome, create, config);
	others_destroy(UUID);
	wait_event(1, DOMAIN_GONE, outcome.id);
	BAD(-ENOENT, "", destroy, outcome.id);
}
END_TEST

/* Closing leaves it running, and the next to open hears of it. test:///default dies with its last connection. */
START_TEST(adopted)
{
	AUTO(router_config_free) struct router_config *config = config_of("");
	struct outcome outcome;
	struct domain_info info;
	virConnectPtr other = virConnectOpen(TEST_URI);

	GOOD(&outcome, create, config);
	ops->close(take(driver));
	open_driver();
	ck_assert(find(outcome.id, &info));
	others_destroy(UUID);
	wait_event(1, DOMAIN_GONE, outcome.id);
	virConnectClose(other);
}
END_TEST

START_TEST(refused)
{
	AUTO(router_config_free) struct router_config *disk = config_of("\"disks\": [\"/d.img,raw,xvda,w\"]");
	AUTO(router_config_free) struct router_config *image = config_of("\"image\": \"nothing\"");
	AUTO(router_config_free) struct router_config *memory = config_of("\"memory\": 16777216");

	BAD(-ENOTSUP, "driver xl", create, disk);
	if (is_test_driver)
		return;
	BAD(-ENOENT, "xebra-mkimage nothing", create, image);
	BAD(-EIO, "virttest-1: virDomainCreateXML", create, memory);
	run(NULL, 300);
	ck_assert_int_eq(seen.n, 0);
}
END_TEST

/* driverdomd is told of a segment's tap, and told when it goes. */
START_TEST(taps)
{
	AUTO(router_config_free) struct router_config *config =
		config_of("\"ports\": [{\"segment\": \"blue.l1\", \"mac\": \"00:16:3e:00:00:0a\"}]");
	static const char NODE[] = "/local/domain/0/xebra/net/port";
	struct outcome outcome;
	char **names = NULL;
	size_t n = 0;

	GOOD(&outcome, create, config);
	unsigned id = outcome.id;
	ck_assert_int_eq(tree_list(tree, NODE, &names, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(names[0], "xr01234567.0");
	tree_names_free(names, n);
	GOOD(&outcome, destroy, id);
	ck_assert(tree_list(tree, NODE, &names, &n) == -ENOENT || n == 0);
}
END_TEST

/* Direct kernel boot of the image: its first words on the console. */
START_TEST(boots)
{
	AUTO(router_config_free) struct router_config *config = config_of("\"cmdline\": \"console=ttyS0\"");
	struct outcome outcome;
	char text[65536];
	size_t size = 0;
	int n;

	if (is_test_driver)
		return;
	GOOD(&outcome, create, config);
	unsigned id = outcome.id;
	virConnectPtr connection = virConnectOpen(TEST_URI);
	virDomainPtr domain = virDomainLookupByUUIDString(connection, UUID);
	virStreamPtr stream = virStreamNew(connection, 0);
	ck_assert_int_eq(virDomainOpenConsole(domain, NULL, stream, 0), 0);
	GOOD(&outcome, unpause, id);
	text[0] = '\0';
	while (!strstr(text, "Linux version") && (n = virStreamRecv(stream, text + size, sizeof text - size - 1)) > 0)
		text[size += n] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "Linux version"));
	virStreamAbort(stream);
	virStreamFree(stream);
	virDomainFree(domain);
	virConnectClose(connection);
	GOOD(&outcome, destroy, id);
}
END_TEST

START_TEST(closed_with_work_to_do)
{
	AUTO(router_config_free) struct router_config *config = config_of("");
	struct outcome made = { .done = false }, freed = { .done = false };

	ops->create(driver, config, done, &made);
	ops->close(take(driver));
	ck_assert(made.done);
	ck_assert_msg(made.problem.code == 0, "%s", made.problem.text);
	open_driver();
	ops->destroy(driver, made.id, done, &freed);
	finish(&freed);
}
END_TEST

START_TEST(console)
{
	char **argv;
	struct problem problem;

	ck_assert_int_eq(ops->console(driver, 7, &argv, &problem), 0);
	ck_assert_str_eq(argv[2], TEST_URI);
	ck_assert_str_eq(argv[4], "7");
	for (int i = 0; argv[i]; i++)
		free(argv[i]);
	free(argv);
}
END_TEST

/* 0, or the exit code. */
static int prepare(char *folder)
{
	AUTO(free) char *where = NULL;
	struct problem problem;
	char kernel[256];

	is_test_driver = strncmp(TEST_URI, "test:", 5) == 0;
	loop = event_base_new();
	env = (struct domain_env){
		.loop = loop, .uri = TEST_URI, .image_dir = getenv("XEBRA_TEST_IMAGES"), .event = event, .arg = &seen
	};
	if (!env.image_dir)
		env.image_dir = LOCALSTATEDIR "/lib/xebra/images";
	snprintf(kernel, sizeof kernel, "%s/router/kernel", env.image_dir);
	int r = ops->open(&env, &driver, &problem);
	if (r < 0) {
		printf("%s: skipped\n", problem.text);
		return r == -ENODEV || r == -EACCES ? 77 : EXIT_FAILURE;
	}
	ops->close(take(driver));
	if (!is_test_driver && access(kernel, R_OK) < 0) {
		printf("%s: %s: skipped\n", kernel, strerror(errno));
		return 77;
	}
	if (!mkdtemp(folder) || asprintf(&where, "dir:%s", folder) < 0 || tree_open(where, loop, &tree, &problem) < 0)
		return EXIT_FAILURE;
	env.tree = tree;
	return 0;
}

int main(void)
{
	char folder[] = "/tmp/test-domain-virt.XXXXXX";
	AUTO(free) char *clean = NULL;
	int code = prepare(folder);
	if (code)
		return code;
	Suite *suite = suite_create("domain-virt");
	TCase *tests = tcase_create("domain-virt");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, host);
	tcase_add_test(tests, unknown_uri);
	tcase_add_test(tests, life);
	tcase_add_test(tests, powered_off);
	tcase_add_test(tests, gone);
	tcase_add_test(tests, adopted);
	tcase_add_test(tests, refused);
	tcase_add_test(tests, taps);
	tcase_add_test(tests, boots);
	tcase_add_test(tests, closed_with_work_to_do);
	tcase_add_test(tests, console);
	SRunner *runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK); /* libvirt's event loop is one for the process */
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	tree_close(tree);
	event_base_free(loop);
	if (asprintf(&clean, "rm -rf %s", folder) > 0 && system(clean) != 0)
		return EXIT_FAILURE;
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
